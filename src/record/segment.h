/* Inside the store: segments, blocks and parts.  The bytes are described in doc/record-format.md; only the
 * files of the store include this. */
#ifndef WEIR_RECORD_SEGMENT_H
#define WEIR_RECORD_SEGMENT_H

#include <limits.h>

#include "base/bytes.h"
#include "base/grow.h"
#include "record/store.h"

#define STORE_FORMAT     1                  /* DIR/FORMAT and the version of segments */
#define SEGMENT_HEADER   32                 /* bytes */
#define SEGMENT_TRAILER  32                 /* bytes */
#define BLOCK_HEADER     60                 /* bytes */
#define BLOCK_MARKER     8                  /* bytes */
#define BLOCK_PART_MAX   ((size_t)64 << 20) /* summary, body on disk, body unpacked: no more than this each */
#define BLOCK_RAW_TARGET ((size_t)1 << 20)  /* a writer closes a block at about this size */
#define SEGMENT_BYTES    ((uint64_t)64 << 20) /* a writer starts a new segment at this size */
#define SEGMENT_AGE_US   (3600 * SECOND_US)   /* or at this age */
#define POINT_NAME_MAX   255                  /* bytes of an observation point's name */
#define TIME_LIMIT_US    (INT64_C(1) << 61) /* times lie within +- this, so that sums of two do not overflow */

extern const uint8_t block_marker[BLOCK_MARKER];

enum block_kind { BLOCK_TRAINS = 1, BLOCK_INDEX = 2 };
enum block_codec { CODEC_STORED = 0, CODEC_ZSTD = 1 };

/* The columns of a body, in the order of the file. */
enum column {
	COL_SOURCE_TABLE,
	COL_ID,
	COL_SOURCE,
	COL_POINT,
	COL_VLAN,
	COL_PROTO,
	COL_FLAGS,
	COL_HOST_0,
	COL_HOST_1,
	COL_PORT_0,
	COL_PORT_1,
	COL_ISN,
	COL_TTL,
	COL_IP_ID,
	COL_FIRST,
	COL_PACKETS,
	COL_FRAME_BYTES,
	COL_PAYLOAD_BYTES,
	COL_EXTENT,
	COL_N_BURST,
	COL_BURST_START,
	COL_BURST_DUR,
	COL_BURST_PACKETS,
	COL_BURST_BYTES,
	COL_COUNT
};

struct block_head {
	enum block_kind kind;
	enum block_codec codec;
	uint32_t summary_len, body_len, raw_len;
	uint32_t chunks, bursts;
	int64_t first_us, last_us;
	uint32_t body_crc, summary_crc;
	uint64_t offset;   /* of the block in its file */
	struct rd summary; /* valid until the next call on the same segment */
};

static inline uint64_t block_size(const struct block_head *h)
{
	return (uint64_t)BLOCK_HEADER + h->summary_len + h->body_len;
}

/* What a writer has buffered: chunks and coverage of one block to be. */
struct stash {
	struct chunk *chunk; /* burst[] point nowhere: bursts stand in `burst`, direction after direction */
	size_t n_chunk, cap_chunk;
	struct burst *burst;
	size_t n_burst, cap_burst;
	struct coverage *cover;
	size_t n_cover, cap_cover;
	char **point; /* names, each once; heads and coverage point here */
	size_t n_point, cap_point;
};

enum status stash_chunk(struct stash *s, const struct chunk *c, struct err *e);
enum status stash_cover(struct stash *s, const struct coverage *c, struct err *e);
/* About the bytes of the body that this will give. */
size_t stash_size(const struct stash *s);
static inline bool stash_empty(const struct stash *s)
{
	return s->n_chunk == 0 && s->n_cover == 0;
}
/* Forgets the contents, keeps the memory. */
void stash_reset(struct stash *s);
void stash_free(struct stash *s);

/* block_write.c: appends the block of what is in s to `to`. */
enum status block_write(struct buf *to, const struct stash *s, struct err *e);
/* A block of any kind from its parts; h says kind, chunks, bursts and times. */
enum status block_wrap(struct buf *to, const struct block_head *h, const struct buf *summary,
	const struct buf *body, struct err *e);

/* A chunk as it was read, with where it came from. */
struct part {
	struct flow_head head;
	struct flow_count count[2];
	struct burst *burst[2];
	uint32_t n_burst[2];
	uint64_t writer; /* which recorder wrote it: the writer of the segment */
};

struct parts {
	struct part *part;
	size_t n, cap;
	struct coverage *cover; /* as it was read */
	size_t n_cover, cap_cover;
	struct arena arena; /* bursts */
	char **point;       /* interned names */
	size_t n_point, cap_point;
};

void parts_free(struct parts *p);

struct pair_set; /* pair.h */

/* Which chunks of a block are wanted. */
struct part_filter {
	const struct ip *host;
	int64_t since_us, until_us;
	int port;
	const char *id;
	const struct pair_set *pair; /* NULL: all */
	bool heads_only;
};

/* block_read.c.  Parses a header without its summary; false where it is none (marker, lengths, checksum). */
bool block_head_read(struct block_head *h, struct rd *r);
/* Cuts the summary of h from r; false where its checksum is wrong. */
bool block_summary_read(struct block_head *h, struct rd *r);

/* The tables of a block that stand in its summary. */
struct block_tables {
	const char **point;
	size_t n_point;
	struct ip *host; /* sorted */
	size_t n_host;
	struct coverage *cover;
	size_t n_cover;
};
/* Owned by the scratch arena, points by p.  False where the summary lies or memory is out. */
bool block_tables_read(
	struct block_tables *t, struct parts *p, struct arena *scratch, const struct block_head *h);
/* Is ip in the block at all? */
bool block_has_host(const struct block_tables *t, const struct ip *ip);

/* Appends the wanted chunks of an unpacked body.  False where the body lies (what it gave is taken back) or
 * memory is out. */
bool block_read(struct parts *to, struct arena *scratch, const struct block_head *h,
	const struct block_tables *t, struct rd body, const struct part_filter *f, uint64_t writer);

/* Header of a segment: writes it, or reads it (0: fine, 1: another version, -1: none). */
void segment_header_put(struct buf *to, uint64_t writer);
int segment_header_read(uint64_t *writer, struct rd *r);
extern const uint8_t segment_trailer_mark[4];

/* segment_out.c: a segment that grows. */
struct segment_out {
	const struct world *w;
	int fd;                    /* -1: none, or left after a failure */
	char path[PATH_MAX];       /* the name it gets; until then it is path.tmp */
	bool named;                /* renamed */
	bool linked;               /* and the directory synced since */
	bool dirty;                /* written since the last fsync */
	uint64_t length;           /* bytes of header and whole blocks */
	int64_t first_us, last_us; /* of all its blocks */
	uint32_t blocks;
	struct buf index;     /* body of the index so far */
	uint64_t last_offset; /* of the last block in the index */
};

/* Creates path.tmp, locked.  STATUS_NO: another process took that name away; try another. */
enum status out_begin(
	struct segment_out *o, const struct world *w, const char *path, uint64_t writer, struct err *e);
/* Appends a block that block_write() made, or the bytes of one that was read.  On failure the file is as
 * before, or left (fd -1). */
enum status out_put(struct segment_out *o, const struct buf *block, struct err *e);
enum status out_index(struct segment_out *o, struct err *e);
enum status out_sync(struct segment_out *o, struct err *e);
/* Gives the file its name, in place of what had it.  Readers see it from now on. */
enum status out_name(struct segment_out *o, struct err *e);
enum status out_sync_dir(struct segment_out *o, struct err *e);
/* Closes and unlocks; out_drop() also removes a file that has no name yet. */
void out_leave(struct segment_out *o);
void out_drop(struct segment_out *o);

/* A segment that is read. */
struct segment {
	int fd;
	char path[PATH_MAX];
	uint64_t size; /* of the file when it was opened */
	uint64_t end;  /* of its blocks */
	uint64_t writer;
	bool headless;             /* the header does not check */
	bool closed;               /* has a trailer that checks */
	int64_t first_us, last_us; /* of a closed segment */
	uint64_t index_at;         /* of a closed segment: where the index block is */
	/* iteration */
	struct buf index; /* unpacked index */
	struct rd index_left;
	uint64_t at;       /* next block; by index: the last one */
	uint64_t whole;    /* end of the last whole block */
	struct buf window; /* bytes of the file from window_at */
	uint64_t window_at;
	struct buf body, raw;
	bool quiet;       /* damage is counted, not named */
	uint64_t damaged; /* what did not check so far */
	uint64_t logged;
};

/* Opens for reading.  STATUS_NO: it is not there any more.  STATUS_BAD: not a segment (one line in e). */
enum status segment_open(struct segment *s, const struct world *w, const char *path, struct err *e);
/* The same on an open descriptor, which it takes over. */
enum status segment_open_fd(struct segment *s, int fd, const char *path, struct err *e);
/* The next block of trains.  STATUS_OK, STATUS_NO at the end, STATUS_MACHINE. */
enum status segment_next(struct segment *s, struct block_head *h, struct err *e);
/* The unpacked body of h.  STATUS_BAD: does not check (was logged and counted); skip it. */
enum status segment_body(struct segment *s, const struct block_head *h, struct rd *body, struct err *e);
/* Bytes behind the last whole block, once segment_next() has said STATUS_NO: a torn tail, or what cannot
 * be read. */
uint64_t segment_tail(const struct segment *s);
/* Names a block whose contents lie. */
void segment_damage(struct segment *s, uint64_t offset, const char *what, uint64_t chunks);
void segment_close(struct segment *s, const struct world *w);

/* collect.c: appends the wanted chunks and the coverage of the rest of a segment.  A closed segment outside
 * the time of the filter gives nothing; what does not check is passed over. */
enum status parts_collect(struct parts *to, struct segment *s, const struct part_filter *f, struct err *e);

/* The paths of DIR/trains/ *.seg, sorted.  No such directory: none. */
struct paths {
	char **path;
	size_t n, cap;
};
enum status segments_list(struct paths *to, const char *dir, const char *suffix, struct err *e);
void paths_free(struct paths *p);
/* DIR/FORMAT is one we know.  STATUS_NO: there is none yet. */
enum status store_check(const char *dir, struct err *e);

/* join.c: parts to flows. */
enum status join_parts(struct recording *to, struct parts *p, const struct store_query *q, struct err *e);
/* coverage.c: sorts and merges in place. */
enum status coverage_merge(struct recording *r, struct coverage *c, size_t n, struct err *e);
/* rewrite.c: marks translated copies.  Flows are sorted. */
enum status rewrite_mark(struct recording *r, struct err *e);

#endif
