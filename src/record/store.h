/* Trains on disk: append-only compressed segments in DIR/trains (doc/record-format.md).
 *
 * Any number of writers, each with a segment of its own, and any number of readers at the same time.  What
 * store_flush() acknowledged survives kill -9 and power loss; a torn tail is cut, never the segment. */
#ifndef WEIR_RECORD_STORE_H
#define WEIR_RECORD_STORE_H

#include "base/err.h"
#include "base/world.h"
#include "record/flow.h"

struct store_writer;

/* One stretch of observation of a point: covered, or blind inside it (kernel drops, restart, clock step). */
struct coverage {
	const char *point;
	struct span span;
	bool blind;
	uint64_t lost; /* packets lost in a blind span, 0 where not known */
};

/* Creates DIR (mode 0700, files 0600) where it does not exist, checks DIR/FORMAT (a newer version:
 * STATUS_BAD), removes nothing. */
enum status store_prepare(const struct world *w, const char *dir, struct err *e);

/* Opens a segment of its own for writing (created with the first flush that has something). */
enum status store_writer_open(
	struct store_writer **to, const struct world *w, const char *dir, struct err *e);

/* Buffers a chunk or a coverage record; nothing is kept by reference. */
enum status store_append(struct store_writer *s, const struct chunk *c, struct err *e);
enum status store_cover(struct store_writer *s, const struct coverage *c, struct err *e);

/* Compresses and writes what is buffered.  durable: fsync; when it returns OK the data is acknowledged. */
enum status store_flush(struct store_writer *s, bool durable, struct err *e);

/* Flush, index, close, free.  s may be NULL.  On failure what was acknowledged before is kept. */
enum status store_writer_close(struct store_writer *s, struct err *e);

/* What a reader wants; zero means everything. */
struct store_query {
	const struct ip *host; /* flows with this end; NULL: all */
	/* Flows of which a stored part overlaps [since, until], whole; one that was silent all that time may
	 * be left out.  WALL_BEGIN / WALL_END: all. */
	struct wall since, until;
	int port;        /* -1 (or 0): all */
	const char *id;  /* hex prefix of a flow id, NULL: all */
	int64_t gap_us;  /* merge bursts at this gap; 0: BURST_GAP_READ_US */
	bool heads_only; /* no bursts are kept (lists) */
};

/* A recording, or the part of it that a query asked for.  Everything is owned by the arena inside. */
struct recording {
	struct arena arena;
	struct flow *flow; /* sorted by first packet, then id */
	size_t n_flow;
	struct coverage *coverage; /* sorted by point, then time; covered spans of a point are disjoint */
	size_t n_coverage;
	uint64_t damaged; /* blocks that were skipped since they do not check; each was named in a log line */
};

enum status recording_read(struct recording *to, const struct world *w, const char *dir,
	const struct store_query *q, struct err *e);
void recording_free(struct recording *r);

/* The blind spans of a point inside [from, to): whatever is not covered, and what is marked blind.  Sorted
 * and disjoint; owned by the arena.  *n spans. */
struct span *recording_blind(struct recording *r, const char *point, struct span within, size_t *n);

/* Which stretches of a flow direction are stored already: the recorder asks before it counts a packet, so
 * that overlapping files add nothing twice.  Reads only what overlaps `within`. */
struct store_known;
enum status store_known_open(struct store_known **to, const struct world *w, const char *dir,
	const char *point, struct span within, struct err *e);
/* The extents [from, to] (inclusive) of packets stored for one direction src -> dst, sorted; NULL and 0 for
 * none. Owned by k. */
const struct span *store_known_get(const struct store_known *k, uint16_t vlan, uint8_t proto,
	const struct endpoint *src, const struct endpoint *dst, size_t *n);
void store_known_free(struct store_known *k);

/* Removes every flow that has host at an end from all segments (rewritten, synced, renamed over the old), and
 * with them what is damaged there, since it may be of the host.  *n: flows removed.  Running recorders are
 * asked to begin new segments and do so at their next flush; STATUS_NO where some did not within 3 s, or
 * where a file is of another version: e says how many.  What a recorder still has in its flow table is stored
 * afterwards: `never_record` first. */
enum status store_forget(
	const struct world *w, const char *dir, const struct ip *host, uint64_t *n, struct err *e);

/* Applies the caps: oldest segments go first (by when they were last written); flows that `held` names, by id
 * or alias, are carried over.  Segments that are being written stay.  max_bytes, max_age_us: 0 for no cap.
 * What was removed is said in one log line. */
struct store_keep {
	uint64_t max_bytes;
	int64_t max_age_us;
	const struct id *held;
	size_t n_held;
	bool newest_stays; /* whatever its size and age: a file was just recorded to it */
};
enum status store_trim(const struct world *w, const char *dir, const struct store_keep *k,
	uint64_t *bytes_freed, struct err *e);

/* Counts for people: segments, bytes on disk, first and last time. */
struct store_stat {
	uint64_t segments, bytes;
	struct span span;
};
enum status store_stat_read(struct store_stat *to, const struct world *w, const char *dir, struct err *e);

#endif
