// A log as files (c2sp.org/tlog-tiles), by golang.org/x/mod/sumdb/tlog: write DIR N makes one of N entries and
// prints its verifier key; read DIR VKEY says yes and the number of entries, or no.  DIR is what is served:
// checkpoint, tile/L/N, tile/entries/N.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height  = 8
	width   = 1 << height
	entries = -1 // the level that tlog calls data
)

// tlog has the height in its paths, and another name for entries.
func tilePath(dir string, t tlog.Tile) string {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return filepath.Join(dir, strings.Replace(path, "tile/data/", "tile/entries/", 1))
}

// The tiles of one level in a log of this size.
func tilesOf(level int, size int64) (tiles []tlog.Tile) {
	n := size
	if level > 0 {
		n >>= uint(height * level)
	}
	for i := int64(0); i*width < n; i++ {
		w := int64(width)
		if n-i*width < w {
			w = n - i*width
		}
		tiles = append(tiles, tlog.Tile{H: height, L: level, N: i, W: int(w)})
	}
	return tiles
}

// ---- reading ----

type tileFiles string

func (d tileFiles) Height() int                     { return height }
func (d tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (d tileFiles) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		b, err := os.ReadFile(tilePath(string(d), t))
		if err != nil {
			return nil, err
		}
		data = append(data, b)
	}
	return data, nil
}

func readCheckpoint(dir, vkey string) (tlog.Tree, error) {
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	v, err := note.NewVerifier(vkey)
	must(err)
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, err
	}
	text := strings.SplitN(n.Text, "\n", 2)
	if text[0] != v.Name() {
		return tlog.Tree{}, errors.New("another origin")
	}
	return tlog.ParseTree([]byte(treeHeader + text[1]))
}

// The entries of a tile: each behind its length, and nothing else.
func splitEntries(data []byte, n int) (to [][]byte, err error) {
	for ; n > 0; n-- {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("an entry is cut")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		to = append(to, data[2:end])
		data = data[end:]
	}
	if len(data) > 0 {
		return nil, errors.New("more than the entries")
	}
	return to, nil
}

func readLog(dir, vkey string) (int64, error) {
	tree, err := readCheckpoint(dir, vkey)
	if err != nil {
		return 0, err
	}
	var all [][]byte
	for _, t := range tilesOf(entries, tree.N) {
		data, err := os.ReadFile(tilePath(dir, t))
		if err != nil {
			return 0, err
		}
		some, err := splitEntries(data, t.W)
		if err != nil {
			return 0, err
		}
		all = append(all, some...)
	}
	indexes := make([]int64, tree.N)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, int64(i))
	}
	// TileHashReader compares what it reads with the tree's root.
	leaves, err := tlog.TileHashReader(tree, tileFiles(dir)).ReadHashes(indexes)
	if err != nil {
		return 0, err
	}
	for i, entry := range all {
		if leaves[i] != tlog.RecordHash(entry) {
			return 0, fmt.Errorf("entry %d is another", i)
		}
	}
	return tree.N, nil
}

func readTiles(dir, vkey string) {
	n, err := readLog(dir, vkey)
	if err != nil {
		fmt.Println("no", err)
	} else {
		fmt.Println("yes", n)
	}
}

// ---- writing ----

func writeFile(path string, data []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(os.WriteFile(path, data, 0o644))
}

func writeTiles(dir string, size int64) {
	m := newMaker(1)
	var all [][]byte
	m.grow(size, func(i int64) []byte {
		all = append(all, []byte(strings.Repeat(fmt.Sprint("entry ", i, "\n"), int(1+i%7))))
		return all[i]
	})
	for level := 0; size>>uint(height*level) > 0; level++ {
		for _, t := range tilesOf(level, size) {
			data, err := tlog.ReadTileData(t, m.stored)
			must(err)
			writeFile(tilePath(dir, t), data)
		}
	}
	for _, t := range tilesOf(entries, size) {
		var data []byte
		for _, entry := range all[t.N*width : t.N*width+int64(t.W)] {
			data = binary.BigEndian.AppendUint16(data, uint16(len(entry)))
			data = append(data, entry...)
		}
		writeFile(tilePath(dir, t), data)
	}
	writeFile(filepath.Join(dir, "checkpoint"), m.note(size))
	fmt.Println(m.vlog)
}
