/* Inside the flow table (table.c, life.c, burst.c, tcp.c, dup.c); nobody else includes this.
 *
 * A flow is a slot of four cache lines: key and links, one line for each direction, what is seldom needed.  A
 * packet touches an index entry, the first line and the line of its direction.  Slots and blocks are named by
 * number, 0 is none, so that zeroed memory is an empty table. */
#ifndef WEIR_RECORD_TABLE_IN_H
#define WEIR_RECORD_TABLE_IN_H

#include <stddef.h>

#include "record/table.h"

/* Two endpoints as words.  a, b: the first 16 bytes of struct ip; c: its last byte and the port. */
struct key {
	uint64_t a[2], b[2];
	uint32_t c[2];
	uint16_t vlan;
	uint8_t proto;
};

enum half_bit {
	HALF_SEEN = 1, /* a packet of this direction was seen */
	HALF_SEQ = 2,  /* seq_next is known, from its packets or from the other side's ACKs */
	HALF_FIN = 4,
	HALF_DERIVED = 8,   /* bursts come from ACK numbers */
	HALF_ID_MOVES = 16, /* its IP identification is not constant, so it tells packets apart */
	HALF_KNOWN = 32,    /* extents of it are stored already */
	HALF_BURST = 64,    /* burst_us and burst_dur hold its last burst, even if that was handed out */
	HALF_PAYLOAD = 128,
};

/* One direction. */
struct half {
	int64_t last_us, first_us; /* packets; first_us since the last hand-out, valid where packets > 0 */
	int64_t burst_us;          /* open burst: valid where burst_packets > 0 */
	uint64_t burst_bytes;
	uint32_t burst_dur, burst_packets;
	uint64_t frame_bytes; /* since the last hand-out */
	uint32_t packets;
	uint32_t seq_next; /* TCP: the byte after the highest one seen (or acknowledged, while derived) */
	uint16_t ip_id;    /* of the last packet */
	uint8_t bits;      /* enum half_bit */
};

enum slot_bit {
	SLOT_USED = 1,
	SLOT_DIRTY = 2,     /* in the dirty list; outlives the flow */
	SLOT_PROBATION = 4, /* in the probation list */
	SLOT_CLOSED = 8,
	SLOT_ID = 16,        /* id and first_us are made */
	SLOT_OTHER_SYN = 32, /* a SYN with the ISN other_syn was seen while the flow was open */
	SLOT_UNSORTED = 64,  /* pending bursts are out of order */
	SLOT_COUNTED = 128,  /* a packet was counted */
};

struct slot {
	_Alignas(64) uint64_t a[2];
	uint64_t b[2];
	uint32_t c[2];
	uint16_t vlan;
	uint8_t proto;
	uint8_t flags;     /* enum flow_flag, without the derived ones */
	uint8_t bits;      /* enum slot_bit */
	uint8_t n_packets; /* saturating, for the end of the probation */
	uint16_t n_pending;
	uint32_t pending; /* newest block of finished bursts */
	uint32_t dirty_next;
	uint32_t wheel_prev, wheel_next; /* prev 0: head of its list */

	_Alignas(64) struct half half[2];

	_Alignas(64) struct id id;
	int64_t first_us;
	uint32_t isn[2], other_syn;
	uint32_t holes[2];             /* blocks */
	uint32_t fifo_prev, fifo_next; /* probation list; fifo_next also links free slots */
	uint32_t wheel_at;             /* its list */
	uint16_t first_ip_id[2];
	uint8_t ttl[2];
};

_Static_assert(sizeof(struct half) == 64, "a direction is one cache line");
_Static_assert(sizeof(struct slot) == 256, "a flow is four cache lines");

/* Stretches of a TCP direction that were passed over. */
struct hole {
	uint32_t from, to;
};

enum { BLOCK_BURSTS = 5, BLOCK_HOLES = 15 };
#define BURST_DIR 0x80000000U /* in `packets` of a pending burst: direction 1 */

struct block {
	uint32_t next, n;
	union {
		struct burst burst[BLOCK_BURSTS];
		struct hole hole[BLOCK_HOLES];
	};
};

_Static_assert(sizeof(struct block) == 128, "a block is two cache lines");

struct index_entry {
	uint32_t hash, slot;
};

enum {
	WHEEL = 4096,           /* one list a second: more than the longest lifetime */
	PENDING_MAX = 250,      /* bursts of one flow that wait; then they are handed out */
	PROBATION_PACKETS = 16, /* packets of any kind that end the probation */
	PROBATION_BOTH = 4,     /* packets that end it where both directions carried payload */
	DUP_SIZE = 1 << 15,     /* remembered packets */
};

#define LIFE_UNANSWERED (INT64_C(120) * 1000000) /* microseconds; the shortest life of an open flow */
#define SEQ_FAR                                                                                              \
	(64 << 20) /* bytes; a sequence number further away than this is a new count, not an old byte */

struct table {
	struct table_param p;
	char *point;
	struct table_stat stat;
	int64_t gap_us;

	struct slot *slot;
	uint32_t n_slots, fresh_slot,
		free_slot; /* slots 1..n_slots-1; those from fresh_slot were never used */
	uint32_t used, probation;
	struct index_entry *index;
	uint32_t index_mask;
	uint64_t seed[3], rng;

	struct block *block;
	uint32_t n_blocks, fresh_block, free_block;
	uint32_t burst_blocks, max_bursts; /* blocks with bursts, and how many they may be */
	uint32_t hole_blocks, max_holes;

	uint32_t dirty;
	uint32_t fifo_first, fifo_last; /* probation, oldest first */
	uint32_t wheel[WHEEL];
	int64_t wheel_s; /* seconds up to which the wheel has turned; 0 before the first packet */

	uint64_t *dup;
	uint32_t dup_score;

	struct burst *scratch[2];
};

enum { SCRATCH = PENDING_MAX + BLOCK_BURSTS + 2 };

/* table.c */
void slot_free(struct table *t, uint32_t i);

/* life.c: when flows end. */
void wheel_add(struct table *t, uint32_t i, int64_t deadline_us);
void wheel_remove(struct table *t, uint32_t i);
void slot_close(struct table *t, uint32_t i);
void probation_add(struct table *t, uint32_t i);
void probation_end(struct table *t, uint32_t i);
enum status slot_make_room(struct table *t, struct err *e);
/* Hands out what the slot has and frees it. */
enum status slot_end(struct table *t, uint32_t i, struct err *e);

/* burst.c: bursts and hand-out. */
void burst_add(struct table *t, struct slot *s, int d, int64_t time_us, uint32_t bytes);
enum status burst_make_room(struct table *t, struct slot *s, struct err *e);
enum status slot_emit(struct table *t, struct slot *s, struct err *e);
enum status emit_dirty(struct table *t, struct err *e);
uint32_t block_new(struct table *t); /* 0: none left */
void block_free(struct table *t, uint32_t b);

/* tcp.c */
enum tcp_start { TCP_GOES_ON, TCP_STARTS_NEW };
/* A SYN or SYN-ACK on a flow that is there: may it start a new one?  May turn the flow round (*d). */
enum tcp_start tcp_syn(struct slot *s, int *d, const struct packet *p);
/* The initial sequence numbers that a SYN or SYN-ACK tells. */
void tcp_isn(struct slot *s, const struct packet *p);
/* Advances the sequence state; returns how many of the payload's bytes were not seen before. */
uint32_t tcp_data(struct table *t, struct slot *s, int d, const struct packet *p);
/* Derives the bursts of a direction that is not seen from the ACK numbers of packets of direction d. */
void tcp_derive(struct table *t, struct slot *s, int d, const struct packet *p);
bool tcp_closes(struct slot *s, int d, const struct packet *p);
void tcp_holes_free(struct table *t, struct slot *s);

/* dup.c */
uint64_t *dup_entry(const struct table *t, uint32_t hash, uint32_t digest);
bool dup_seen(struct table *t, const struct half *h, uint32_t hash, const struct packet *p);

static inline bool burst_has_room(const struct table *t, const struct slot *s)
{
	return s->n_pending < PENDING_MAX && t->burst_blocks + 2 <= t->max_bursts;
}

/* The newest block of a slot, where the next finished burst goes. */
static inline void block_prefetch(const struct table *t, const struct slot *s)
{
	const char *b = (const char *)&t->block[s->pending];

	__builtin_prefetch(b, 1);
	__builtin_prefetch(b + 64, 1);
}

/* Time of the last packet of either direction. */
static inline int64_t slot_last(const struct slot *s)
{
	int64_t a = s->half[0].last_us, b = s->half[1].last_us;

	return a > b ? a : b;
}

static inline struct endpoint slot_endpoint(const struct slot *s, int d)
{
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	memcpy(&e.ip, &s->a[d], 8);
	memcpy((char *)&e.ip + 8, &s->b[d], 8);
	e.ip.b[15] = (uint8_t)s->c[d];
	e.port = (uint16_t)(s->c[d] >> 16);
	return e;
}

#endif
