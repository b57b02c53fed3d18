// The other half of the comparison: what interop.c does, by golang.org/x/mod/sumdb/note and tlog.
//
// make SEED N and check: as in interop.c.  Cosignatures, which sumdb/note does not know, are a note.Verifier of
// a few lines here (c2sp.org/tlog-cosignature).
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	cosignType  = 4
	proofHeader = "c2sp.org/tlog-proof@v1\n"
	treeHeader  = "go.sum database tree\n" // the one origin that tlog.ParseTree takes
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop.go:", err)
		os.Exit(3)
	}
}

// ---- cosignatures ----

type witness struct {
	name string
	hash uint32
	pub  ed25519.PublicKey
	priv ed25519.PrivateKey
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func cosigned(stamp uint64, msg []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", stamp)), msg...)
}

func (w *witness) Verify(msg, sig []byte) bool {
	return len(sig) == 8+ed25519.SignatureSize &&
		ed25519.Verify(w.pub, cosigned(binary.BigEndian.Uint64(sig), msg), sig[8:])
}

func (w *witness) Sign(msg []byte) ([]byte, error) {
	stamp := uint64(time.Now().Unix())
	sig := binary.BigEndian.AppendUint64(nil, stamp)
	return append(sig, ed25519.Sign(w.priv, cosigned(stamp, msg))...), nil
}

func witnessID(name string, pub []byte) uint32 {
	h := sha256.Sum256(append([]byte(name+"\n"), append([]byte{cosignType}, pub...)...))
	return binary.BigEndian.Uint32(h[:])
}

func newWitness(name string) (*witness, string) {
	pub, priv, err := ed25519.GenerateKey(nil)
	must(err)
	id := witnessID(name, pub)
	key := base64.StdEncoding.EncodeToString(append([]byte{cosignType}, pub...))
	return &witness{name, id, pub, priv}, fmt.Sprintf("%s+%08x+%s", name, id, key)
}

func parseWitness(vkey string) (*witness, error) {
	part := strings.SplitN(vkey, "+", 3)
	if len(part) != 3 {
		return nil, errors.New("not a verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 33 || key[0] != cosignType {
		return nil, errors.New("not a witness's verifier key")
	}
	w := &witness{name: part[0], hash: witnessID(part[0], key[1:]), pub: key[1:]}
	if fmt.Sprintf("%08x", w.hash) != part[1] {
		return nil, errors.New("another key's id")
	}
	return w, nil
}

// ---- checking ----

// The checkpoint that the log and the witness both signed.
func openCheckpoint(log, wit string, msg []byte) (tlog.Tree, error) {
	lv, err := note.NewVerifier(log)
	must(err)
	wv, err := parseWitness(wit)
	must(err)
	n, err := note.Open(msg, note.VerifierList(lv, wv))
	if err != nil {
		return tlog.Tree{}, err
	}
	by := map[string]bool{}
	for _, s := range n.Sigs {
		by[s.Name] = true
	}
	text := strings.SplitN(n.Text, "\n", 2)
	if !by[lv.Name()] || !by[wv.Name()] || text[0] != lv.Name() {
		return tlog.Tree{}, errors.New("not signed by both, or for another origin")
	}
	return tlog.ParseTree([]byte(treeHeader + text[1]))
}

func checkProof(log, wit string, entry, file []byte) error {
	rest := strings.TrimPrefix(string(file), proofHeader+"index ")
	at := strings.Index(rest, "\n\n")
	if rest == string(file) || at < 0 {
		return errors.New("not a proof")
	}
	lines := strings.Split(rest[:at], "\n")
	index, err := strconv.ParseInt(lines[0], 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, h)
	}
	tree, err := openCheckpoint(log, wit, []byte(rest[at+2:]))
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func checkGrown(log, wit string, was, is, hashes []byte) error {
	if len(hashes)%tlog.HashSize != 0 {
		return errors.New("not hashes")
	}
	old, err := openCheckpoint(log, wit, was)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(log, wit, is)
	if err != nil {
		return err
	}
	var proof tlog.TreeProof
	for ; len(hashes) > 0; hashes = hashes[tlog.HashSize:] {
		var h tlog.Hash
		copy(h[:], hashes)
		proof = append(proof, h)
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func bytesOf(text string) []byte {
	if text == "." {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	must(err)
	return b
}

func checkLine(line string) error {
	f := strings.Fields(line)
	switch {
	case len(f) == 5 && f[0] == "proof":
		return checkProof(f[1], f[2], bytesOf(f[3]), bytesOf(f[4]))
	case len(f) == 6 && f[0] == "grown":
		return checkGrown(f[1], f[2], bytesOf(f[3]), bytesOf(f[4]), bytesOf(f[5]))
	}
	must(errors.New("a line of no known kind"))
	return nil
}

func check() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if checkLine(in.Text()) == nil {
			fmt.Println("yes")
		} else {
			fmt.Println("no")
		}
	}
	must(in.Err())
}

// ---- making ----

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var to []tlog.Hash
	for _, i := range indexes {
		to = append(to, h[i])
	}
	return to, nil
}

type maker struct {
	log        note.Signer
	witness    *witness
	vlog, vwit string
	random     *rand.Rand
	stored     hashes
	size       int64
	out        *bufio.Writer
}

func newMaker(seed int64) *maker {
	m := &maker{random: rand.New(rand.NewSource(seed)), out: bufio.NewWriter(os.Stdout)}
	skey, vkey, err := note.GenerateKey(nil, "log.example/go")
	must(err)
	m.log, err = note.NewSigner(skey)
	must(err)
	m.vlog = vkey
	m.witness, m.vwit = newWitness("witness.example/go")
	return m
}

func (m *maker) note(size int64) []byte {
	root, err := tlog.TreeHash(size, m.stored)
	must(err)
	text := m.log.Name() + "\n" + strings.TrimPrefix(string(tlog.FormatTree(tlog.Tree{N: size, Hash: root})), treeHeader)
	msg, err := note.Sign(&note.Note{Text: text}, m.log, m.witness)
	must(err)
	return msg
}

func (m *maker) line(kind string, fields ...[]byte) {
	fmt.Fprint(m.out, kind, " ", m.vlog, " ", m.vwit)
	for _, f := range fields {
		text := base64.StdEncoding.EncodeToString(f)
		if text == "" {
			text = "."
		}
		fmt.Fprint(m.out, " ", text)
	}
	fmt.Fprintln(m.out)
}

func (m *maker) grow(n int64, draw func(i int64) []byte) {
	for i := int64(0); i < n; i++ {
		h, err := tlog.StoredHashes(m.size, draw(i), m.stored)
		must(err)
		m.stored = append(m.stored, h...)
		m.size++
	}
}

func (m *maker) tree() {
	size := 1 + m.random.Int63n(2000>>m.random.Intn(11))
	index := m.random.Int63n(size)
	old := 1 + m.random.Int63n(size)
	var kept []byte
	m.stored, m.size = nil, 0
	m.grow(size, func(i int64) []byte {
		entry := make([]byte, m.random.Intn(300))
		m.random.Read(entry)
		if i == index {
			kept = entry
		}
		return entry
	})
	record, err := tlog.ProveRecord(size, index, m.stored)
	must(err)
	var file bytes.Buffer
	fmt.Fprintf(&file, "%sindex %d\n", proofHeader, index)
	for _, h := range record {
		fmt.Fprintln(&file, h)
	}
	file.WriteString("\n")
	file.Write(m.note(size))
	m.line("proof", kept, file.Bytes())
	grown, err := tlog.ProveTree(size, old, m.stored)
	must(err)
	var joined []byte
	for _, h := range grown {
		joined = append(joined, h[:]...)
	}
	m.line("grown", m.note(old), m.note(size), joined)
}

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "make":
		seed, err := strconv.ParseInt(os.Args[2], 10, 64)
		must(err)
		trees, err := strconv.Atoi(os.Args[3])
		must(err)
		m := newMaker(seed)
		for ; trees > 0; trees-- {
			m.tree()
		}
		must(m.out.Flush())
	case len(os.Args) == 2 && os.Args[1] == "check":
		check()
	case len(os.Args) == 4 && os.Args[1] == "write":
		size, err := strconv.ParseInt(os.Args[3], 10, 64)
		must(err)
		writeTiles(os.Args[2], size)
	case len(os.Args) == 4 && os.Args[1] == "read":
		readTiles(os.Args[2], os.Args[3])
	default:
		os.Exit(2)
	}
}
