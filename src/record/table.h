/* The flow table: packets in, chunks of trains out.  Bounded: a flood of one-packet flows neither grows memory without
 * limit nor pushes long sessions out; what is given up is counted by name. */
#ifndef WEIR_RECORD_TABLE_H
#define WEIR_RECORD_TABLE_H

#include "base/err.h"
#include "record/flow.h"
#include "record/packet.h"

struct table;

struct table_param {
	const char *point;
	bool vlan_key;       /* the VLAN is part of the key (overlapping addresses) */
	struct source source;
	size_t max_flows;    /* 0: 1,000,000 */
	/* Called with every finished chunk (flow end, flush, eviction); the chunk is valid during the call only. */
	enum status (*emit)(void *self, const struct chunk *c, struct err *e);
	void *self;
	/* Extents that are stored already, or NULL (live): see store_known_get(). */
	const struct span *(*known)(void *self, uint16_t vlan, uint8_t proto, const struct endpoint *src,
		const struct endpoint *dst, size_t *n);
};

struct table_stat {
	uint64_t flows;           /* flows made so far */
	uint64_t bursts;          /* bursts handed out so far */
	uint64_t given_up;        /* flows pushed out by the bound (their data so far was handed out) */
	uint64_t clock_steps;     /* times the capture's clock jumped */
};

enum status table_new(struct table **to, const struct table_param *p, struct err *e);

/* Counts one packet.  DROP_DUPLICATE, DROP_RECORDED, DROP_TABLE: *why; the packet was not counted. */
enum status table_packet(struct table *t, const struct packet *p, enum drop *why, struct err *e);

/* Hands out everything so far, also of open bursts (readers merge pauses shorter than the gap), and forgets flows that
 * are closed or idle at `now`.  Called about every 500 ms of capture time. */
enum status table_flush(struct table *t, int64_t now_us, struct err *e);

const struct table_stat *table_stat(const struct table *t);
/* Hands out all, frees.  t may be NULL. */
enum status table_close(struct table *t, struct err *e);

#endif
