/* Inside the ledger on disk (ledger.c, journal.c, tiles.c, source.c, edge.c, publish.c, cosign.c, rotate.c,
 * check.c); nobody else includes this.  The bytes are in doc/ledger-format.md. */
#ifndef WEIR_LEDGER_LEDGER_IN_H
#define WEIR_LEDGER_LEDGER_IN_H

#include "ledger/files.h"
#include "ledger/ledger.h"

/* ---- tiles (tiles.c): c2sp.org/tlog-tiles ---- */

#define TILE_WIDTH     256U
#define TILE_LEVELS    8U   /* 256^8 leaves are more than there can be */
#define LEVEL_ENTRIES  (-1) /* the tiles that hold the entries themselves */
#define ENTRY_TILE_MAX ((size_t)TILE_WIDTH * (LEDGER_ENTRY_MAX + 2))

struct tile {
	int level;
	uint64_t n;
	unsigned width; /* TILE_WIDTH: full */
};

/* The tile at n of the level in a tree of size leaves; width 0 where there is none. */
struct tile tile_of(int level, uint64_t n, uint64_t size);
/* root is DIR/ledger. */
enum status tile_path(char to[PATH_MAX], const char *root, struct tile t, struct err *e);
/* The last part of a full tile's path: its name in the directory that so many of a level share. */
#define TILE_SHELF 1000U
#define TILE_NAME  4
void tile_name(char to[TILE_NAME], uint64_t n);
/* t.width hashes, from the partial tile or the beginning of the full one.  STATUS_BAD: missing, or of another
 * length. */
enum status tile_hashes(struct hash *to, const char *root, struct tile t, struct err *e);
/* The root over n hashes, n a power of two up to TILE_WIDTH. */
enum status hashes_root(struct hash *to, const struct hash *h, unsigned n, struct err *e);

/* The entries of one tile: entry i is bytes[at[i] + 2 .. at[i + 1]), behind its length. */
struct entry_tile {
	struct buf bytes;
	uint32_t at[TILE_WIDTH + 1];
	unsigned n;
};

/* False where bytes does not begin with n entries of 1 to 65,535 bytes; what follows them is not looked at.
 */
bool entry_tile_parse(struct entry_tile *b, unsigned n);
enum status entry_tile_read(struct entry_tile *to, const char *root, struct tile t, struct err *e);
enum status entry_tile_leaf(struct hash *to, const struct entry_tile *b, unsigned i, struct err *e);

/* ---- source (source.c): hashes and entries out of tiles, a few of which are kept ---- */

struct kept_tile {
	bool there;
	struct tile tile;
	struct hash hash[TILE_WIDTH];
};

struct source {
	const char *root;
	uint64_t size; /* leaves that stand in tiles */
	struct kept_tile kept[TILE_LEVELS];
	bool entries_there;
	struct tile entries_tile;
	struct entry_tile entries;
};

void source_reset(struct source *s, const char *root, uint64_t size);
void source_free(struct source *s);
/* As struct merkle_source has it; self is a struct source. */
enum status source_subtree(void *self, unsigned level, uint64_t at, struct hash *to, struct err *e);
enum status source_entry(struct source *s, uint64_t index, struct buf *to, struct err *e);

/* ---- journal (journal.c): what was committed and stands in no tile yet ---- */

#define JOURNAL_PUBLISH ((uint64_t)8 << 20) /* bytes at which a commit also publishes */
#define COMMIT_MAX      ((size_t)64 << 20)  /* bytes of one commit */
#define JOURNAL_MAX     ((size_t)128 << 20) /* bytes that are ever read */

struct record {
	uint64_t first;      /* the tree's size before */
	const uint8_t *root; /* the first ROOT_BYTES of its root */
	uint32_t count;
	struct rd entries; /* as in a tile: big-endian uint16 length, bytes */
	size_t size;       /* of the whole record in the file */
};

enum journal_found { JOURNAL_RECORD, JOURNAL_END, JOURNAL_TORN, JOURNAL_DAMAGED };

/* The record at offset `at` of a journal of n bytes. */
enum journal_found journal_next(struct record *to, const uint8_t *journal, size_t n, size_t at);
/* Header and end mark around the entries, which stand in b from JOURNAL_HEADER on. */
#define JOURNAL_HEADER 36U
#define ROOT_BYTES     8U
void journal_seal(struct buf *b, const struct checkpoint *on, uint32_t count);

/* ---- the handle ---- */

/* Entries from the beginning of the last published tile that is not full. */
struct tail {
	uint64_t first;
	struct buf bytes; /* as in a tile */
	struct buf leaf;  /* struct hash each */
};

/* The last tile of a level above 0 as far as it is filled. */
struct up_tile {
	uint64_t n;
	unsigned width;
	bool changed; /* since it was published */
	struct hash hash[TILE_WIDTH];
};

struct ledger {
	const struct world *w;
	enum ledger_mode mode;
	char dir[PATH_MAX], root[PATH_MAX]; /* root: DIR/ledger */
	struct skey key;                    /* LEDGER_SIGN */
	struct arena arena;
	struct vkey *known; /* the log's key, then those it replaced */
	size_t n_known;
	int lock, journal; /* -1: none */
	uint64_t journal_end;
	bool broken;                 /* a write failed: nothing more is written */
	bool resign;                 /* the checkpoint is signed by a retired key */
	struct checkpoint head;      /* committed */
	struct checkpoint published; /* in DIR/ledger/checkpoint */
	struct checkpoint promised;  /* in DIR/keys/log.head */
	struct buf note;             /* the published checkpoint, signed */
	struct merkle tree;          /* of head */
	struct buf pending;          /* JOURNAL_HEADER bytes of room, then the appended entries */
	uint32_t n_pending;
	struct tail tail;
	struct up_tile up[TILE_LEVELS]; /* 0 is not used: that is the tail */
	struct source tiles;
};

/* A handle with the log's keys and nothing else (ledger.c); ledger_free() gives up what it holds. */
enum status ledger_handle(
	struct ledger **to, const struct world *w, const char *dir, enum ledger_mode mode, struct err *e);
void ledger_free(struct ledger *l);
/* STATUS_MACHINE: somebody else holds it for more than 10 s. */
enum status lock_take(struct ledger *l, struct err *e);

/* A signed checkpoint of this log from a file, whose bytes are appended to note; *by_old, where it is not
 * NULL: only a retired key signed it.  STATUS_NO: the file is not there; STATUS_BAD: it is not what it should
 * be. */
enum status checkpoint_read(const struct ledger *l, const char *path, struct checkpoint *to, struct buf *note,
	bool *by_old, struct err *e);

enum status checkpoint_verify(const struct ledger *l, const char *bytes, size_t n, struct checkpoint *to,
	bool *by_old, struct err *e);

/* STATUS_BAD: open for reading; STATUS_MACHINE: a write failed before. */
enum status writable(const struct ledger *l, struct err *e);

/* Leaf i at the end of tree and tail. */
enum status tail_add(
	struct ledger *l, const uint8_t *entry, size_t n, const struct hash *leaf, struct err *e);

/* Right edge of the published tree: fills up, tail and tree and compares their root with the checkpoint's
 * (edge.c).  edge_all() looks at every other stored hash and byte too. */
enum status edge_load(struct ledger *l, struct err *e);
enum status edge_all(struct ledger *l, struct err *e);

/* Makes what was appended durable, reads it back, and adds it to tree and tail. */
enum status journal_commit(struct ledger *l, struct err *e);
/* Adds what stands in the journal to tree and tail; cuts a torn end. */
enum status journal_replay(struct ledger *l, struct err *e);
enum status journal_reset(struct ledger *l, struct err *e);

/* The new head: signed, kept beside the key, published (publish.c). */
enum status head_sign(struct ledger *l, struct err *e);

/* Is what a witness cosigned a head that this ledger had (cosign.c)? */
enum status cosigned_check(struct ledger *l, struct err *e);

/* Goes on with a rotation that was cut (rotate.c). */
enum status rotation_resume(struct ledger *l, struct err *e);

#endif
