/* Bursts and hand-out: payload-carrying packets of one direction become bursts, finished bursts wait in
 * blocks, and a flow's counts and bursts since the last time go out as one chunk.
 *
 * A pause of the gap or more ends a burst.  Packets that come late (by less than a second) widen the burst
 * that they belong to, or become one of their own; the chunk is then sorted and merged before it goes out, so
 * that it does not depend on the order in which packets came. */
#include <stdlib.h>

#include "record/table_in.h"

/* A longer burst is cut, so that 32 bits hold its length in microseconds. */
#define DUR_MAX (INT64_C(1) << 31)

uint32_t block_new(struct table *t)
{
	uint32_t b = t->free_block;

	if (b)
		t->free_block = t->block[b].next;
	else if (t->fresh_block < t->n_blocks)
		b = t->fresh_block++;
	if (b)
		t->block[b].next = t->block[b].n = 0;
	return b;
}

void block_free(struct table *t, uint32_t b)
{
	t->block[b].next = t->free_block;
	t->free_block = b;
}

/* Called before a packet is counted: after it two more bursts (its own and a derived one) find room.  Where
 * it must be made, everything counted so far is handed out, and the packet begins the next chunk. */
enum status burst_make_room(struct table *t, struct slot *s, struct err *e)
{
	return s->n_pending >= PENDING_MAX ? slot_emit(t, s, e) : emit_dirty(t, e);
}

/* A finished burst joins those that wait. */
static void pend(struct table *t, struct slot *s, int d, struct burst x)
{
	struct block *b = &t->block[s->pending];

	if (!s->pending || b->n == BLOCK_BURSTS) {
		uint32_t more = block_new(t);
		t->burst_blocks++;
		b = &t->block[more];
		b->next = s->pending;
		s->pending = more;
	}
	if (d)
		x.packets |= BURST_DIR;
	b->burst[b->n++] = x;
	s->n_pending++;
}

static void late_burst(struct table *t, struct slot *s, int d, int64_t time_us, uint32_t bytes)
{
	struct burst x = {.start_us = time_us, .packets = 1, .bytes = bytes};

	t->stat.bursts++;
	pend(t, s, d, x);
	s->bits |= SLOT_UNSORTED;
}

/* A new burst; one that goes on across a hand-out is not counted again. */
static void begin(struct table *t, struct half *h, int64_t time_us, uint32_t bytes)
{
	int64_t pause = time_us - (h->burst_us + h->burst_dur);

	if (!(h->bits & HALF_BURST) || pause >= t->gap_us)
		t->stat.bursts++;
	h->burst_us = time_us;
	h->burst_dur = 0;
	h->burst_packets = 1;
	h->burst_bytes = bytes;
	h->bits |= HALF_BURST;
}

void burst_add(struct table *t, struct slot *s, int d, int64_t time_us, uint32_t bytes)
{
	struct half *h = &s->half[d];
	int64_t since = time_us - h->burst_us, end = h->burst_us + h->burst_dur;

	if (h->burst_packets == 0) {
		begin(t, h, time_us, bytes);
		return;
	}
	if (time_us - end >= t->gap_us || since >= DUR_MAX) {
		struct burst x = {h->burst_us, h->burst_dur, h->burst_packets, h->burst_bytes};
		pend(t, s, d, x);
		begin(t, h, time_us, bytes);
		return;
	}
	if (since < 0 && (-since >= t->gap_us || end - time_us >= DUR_MAX)) {
		late_burst(t, s, d, time_us, bytes);
		return;
	}
	if (since < 0) {
		h->burst_us = time_us;
		h->burst_dur += (uint32_t)-since;
		s->bits |= SLOT_UNSORTED; /* it may touch the one before now */
	} else if (time_us > end) {
		h->burst_dur = (uint32_t)since;
	}
	h->burst_packets++;
	h->burst_bytes += bytes;
}

/* ---- hand-out ---- */

/* Empties the slot's blocks, newest first, into the upper ends of the scratch arrays, so that the bursts
 * stand there in the order in which they were finished.  at[d]: where they begin. */
static void collect(struct table *t, struct slot *s, size_t at[2])
{
	for (int d = 0; d < 2; d++) {
		struct half *h = &s->half[d];
		at[d] = SCRATCH;
		if (h->burst_packets)
			t->scratch[d][--at[d]] =
				(struct burst){h->burst_us, h->burst_dur, h->burst_packets, h->burst_bytes};
		h->burst_packets = 0;
	}
	while (s->pending) {
		struct block *b = &t->block[s->pending];
		uint32_t next = b->next;
		for (uint32_t i = b->n; i-- > 0;) {
			int d = (b->burst[i].packets & BURST_DIR) != 0;
			struct burst *x = &t->scratch[d][--at[d]];
			*x = b->burst[i];
			x->packets &= ~BURST_DIR;
		}
		block_free(t, s->pending);
		t->burst_blocks--;
		s->pending = next;
	}
	s->n_pending = 0;
}

static int by_start(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;

	return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

static bool slot_name(struct table *t, struct slot *s, struct flow_head *h)
{
	*h = (struct flow_head){.id = s->id,
		.point = t->point,
		.vlan = s->vlan,
		.proto = s->proto,
		.flags = s->flags,
		.end = {slot_endpoint(s, 0), slot_endpoint(s, 1)},
		.isn = {s->isn[0], s->isn[1]},
		.ttl = {s->ttl[0], s->ttl[1]},
		.ip_id = {s->first_ip_id[0], s->first_ip_id[1]},
		.first_us = s->first_us,
		.source = t->p.source};
	h->flags |= s->half[0].bits & HALF_DERIVED ? FLOW_DERIVED_0 : 0;
	h->flags |= s->half[1].bits & HALF_DERIVED ? FLOW_DERIVED_1 : 0;
	if (s->bits & SLOT_ID)
		return true;
	const struct half *a = &s->half[0], *b = &s->half[1];
	s->first_us = a->packets && (!b->packets || a->first_us <= b->first_us) ? a->first_us : b->first_us;
	h->first_us = s->first_us;
	s->bits |= SLOT_ID;
	bool ok = flow_make_id(h);
	s->id = h->id;
	return ok;
}

enum status slot_emit(struct table *t, struct slot *s, struct err *e)
{
	struct chunk c = {0};
	size_t at[2];

	if (s->half[0].packets + s->half[1].packets == 0)
		return STATUS_OK;
	if (!slot_name(t, s, &c.head))
		return err_nomem(e);
	collect(t, s, at);
	for (int d = 0; d < 2; d++) {
		struct half *h = &s->half[d];
		c.burst[d] = t->scratch[d] + at[d];
		c.n_burst[d] = SCRATCH - at[d];
		if (s->bits & SLOT_UNSORTED) {
			size_t n = c.n_burst[d];
			qsort(c.burst[d], n, sizeof(struct burst), by_start);
			c.n_burst[d] = bursts_merge(c.burst[d], n, t->gap_us);
			t->stat.bursts -= n - c.n_burst[d];
		}
		c.count[d] = (struct flow_count){.packets = h->packets,
			.frame_bytes = h->frame_bytes,
			.first_us = h->packets ? h->first_us : 0,
			.last_us = h->packets ? h->last_us : -1};
		for (size_t i = 0; i < c.n_burst[d]; i++)
			c.count[d].payload_bytes += c.burst[d][i].bytes;
		h->packets = 0;
		h->frame_bytes = 0;
	}
	s->bits &= (uint8_t)~SLOT_UNSORTED;
	return t->p.emit(t->p.self, &c, e);
}

enum status emit_dirty(struct table *t, struct err *e)
{
	enum status st = STATUS_OK;

	while (t->dirty && st == STATUS_OK) {
		struct slot *s = &t->slot[t->dirty];
		t->dirty = s->dirty_next;
		s->bits &= (uint8_t)~SLOT_DIRTY;
		if (t->dirty)
			__builtin_prefetch(&t->slot[t->dirty], 1);
		if (s->bits & SLOT_USED)
			st = slot_emit(t, s, e);
	}
	return st;
}
