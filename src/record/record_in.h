/* Inside the pipeline of record.h (record.c, feed.c, cover.c); nobody else includes this. */
#ifndef WEIR_RECORD_RECORD_IN_H
#define WEIR_RECORD_RECORD_IN_H

#include "record/capture.h"
#include "record/record.h"
#include "record/table.h"
#include "record/timeline.h"

#define TICK_US       INT64_C(500000)   /* of capture time */
#define BATCH_WAIT_US INT64_C(50000)    /* how much capture time a batch may span */
#define FILE_FLUSH_US INT64_C(3000000)  /* of wall time between durable flushes of a file */
#define TRIM_US       INT64_C(60000000) /* of wall time between trims while live */
#define PROGRESS_US   INT64_C(100000)
#define TIME_MAX_US   (INT64_C(253402300800) * 1000000) /* the year 10000 */

/* Coverage of the observation point that was not stored yet. */
struct cover {
	bool open;
	int64_t from_us; /* covered from here on */
	struct span blind;
	uint64_t lost;
	bool is_blind; /* blind and lost wait to be stored */
};

/* A stretch of time for which store_known was loaded. */
struct window {
	int64_t from_us, to_us;
	struct store_known *known;
};

enum { WINDOWS = 8 };

/* One source on its way into the store. */
struct run {
	const struct world *w;
	const struct record_param *p;
	struct record_sum *sum;
	const char *name; /* file or interface, for messages */
	bool live;
	struct capture *capture;
	struct bpf_filter *filter; /* files; live filters in the kernel */
	struct decoder *decoder;
	struct table *table;
	struct store_writer *store;
	struct window window[WINDOWS];
	size_t n_window;
	struct timeline timeline;
	struct cover cover;
	struct packet batch[TABLE_BATCH];
	size_t n_batch;
	int64_t next_tick_us, first_us;
	struct mono began, flushed, trimmed, shown;
	bool said[DROP_COUNT], said_old;
	uint64_t unplaced;                /* packets lost nobody knows when */
	uint64_t given_up, flows, bursts; /* what sum has of the table's counts */
};

/* feed.c: frames to the table. */
enum status feed_frame(struct run *r, const struct frame *f, struct err *e);
/* Nothing came for a while (live), or the source is over. */
enum status feed_idle(struct run *r, struct err *e);
enum status feed_end(struct run *r, struct err *e);
enum status feed_batch(struct run *r, struct err *e);
/* Counts a record that was not used; the first of a kind of damage is named. */
void feed_drop(struct run *r, enum drop why, uint64_t offset, const char *line);

/* record.c */
enum status run_tick(struct run *r, int64_t now_us, struct err *e);
enum status run_window(struct run *r, int64_t time_us, struct err *e);

/* cover.c: what the point saw, and when it was blind. */
enum status cover_begin(struct run *r, int64_t time_us, struct err *e);
/* Covered up to time_us. */
enum status cover_to(struct run *r, int64_t time_us, struct err *e);
enum status cover_blind(struct run *r, struct span span, uint64_t lost, struct err *e);
enum status cover_step(struct run *r, int64_t from_us, int64_t to_us, struct err *e);
enum status cover_end(struct run *r, int64_t time_us, struct err *e);

#endif
