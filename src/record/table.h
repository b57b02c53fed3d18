/* The flow table: packets in, chunks of trains out.  Bounded: a flood of one-packet flows neither grows
 * memory without limit nor pushes long sessions out; what is given up is counted by name.
 *
 * Lifetimes, counted from a flow's last packet: TCP 1 h; TCP that nobody answered 2 min; 30 s after FIN of
 * both sides or RST; everything else 10 min.  A flow that goes on later is a new flow, which readers join to
 * the old one. Memory: 256 bytes a flow, 128 bytes for each further five bursts that wait to be handed out
 * (at most max_flows such blocks; then everything is handed out early), 8 for passed-over stretches of TCP,
 * 16 of index: 408 bytes a flow where max_flows are open. */
#ifndef WEIR_RECORD_TABLE_H
#define WEIR_RECORD_TABLE_H

#include "base/err.h"
#include "record/flow.h"
#include "record/packet.h"

struct table;

struct table_param {
	const char *point;
	bool vlan_key; /* the VLAN is part of the key (overlapping addresses) */
	struct source source;
	size_t max_flows; /* 0: 1,000,000 */
	uint64_t seed;    /* random: keys the hash, so that nobody can aim at one bucket */
	/* Called with every finished chunk (flow end, flush, eviction); the chunk is valid during the call
	 * only. */
	enum status (*emit)(void *self, const struct chunk *c, struct err *e);
	void *self;
	/* Extents that are stored already around a time, or NULL (live): see store_known_get(). */
	const struct span *(*known)(void *self, uint16_t vlan, uint8_t proto, const struct endpoint *src,
		const struct endpoint *dst, int64_t time_us, size_t *n);
};

struct table_stat {
	uint64_t flows;       /* flows made so far, by their first counted packet */
	uint64_t bursts;      /* bursts begun so far */
	uint64_t given_up;    /* flows pushed out by the bound (their data so far was handed out) */
	uint64_t clock_steps; /* times the capture's clock jumped */
	uint64_t open;        /* flows in the table now */
};

enum status table_new(struct table **to, const struct table_param *p, struct err *e);

/* Counts one packet.  DROP_DUPLICATE, DROP_RECORDED: *why; the packet was not counted.  Times may run
 * backwards by less than a second (timeline.h sees to that). */
enum status table_packet(struct table *t, const struct packet *p, enum drop *why, struct err *e);

/* The same for n packets (at most TABLE_BATCH), why[i] for each; faster, for memory is fetched ahead. */
enum { TABLE_BATCH = 16 };
enum status table_packets(struct table *t, const struct packet *p, size_t n, enum drop *why, struct err *e);

/* Hands out and forgets flows that are closed or idle at `now`.  Cheap: about every 500 ms of capture time.
 */
enum status table_expire(struct table *t, int64_t now_us, struct err *e);

/* table_expire(), then hands out everything so far, also of open bursts (readers merge pauses shorter than
 * the gap). Live: about every 500 ms.  Costs what was touched since the last time, not what is open. */
enum status table_flush(struct table *t, int64_t now_us, struct err *e);

/* The capture's clock jumped: hands out all, closes every flow, counts the step. */
enum status table_step(struct table *t, struct err *e);

const struct table_stat *table_stat(const struct table *t);
/* Hands out all, frees.  t may be NULL. */
enum status table_close(struct table *t, struct err *e);

#endif
