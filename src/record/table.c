/* The flow table: finds or makes a packet's flow and counts the packet there.  See table.h for the contract,
 * table_in.h for the layout; when flows end stands in life.c, bursts in burst.c, TCP in tcp.c, mirror copies
 * in dup.c.
 *
 * The index is an open-addressing hash with linear probing and backward-shift deletion (Knuth 6.4, algorithm
 * R), grown at half load.  Its entries hold the whole 32-bit hash, so that neither probing nor growing
 * touches a slot. */
#include "record/table.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "record/table_in.h"

enum { INDEX_FIRST = 4096, DEFAULT_FLOWS = 1000000 };

/* ---- keys ---- */

static inline uint64_t load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Folded product: every bit of the result depends on all of a and b (wyhash). */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline void key_end(struct key *k, int d, const struct endpoint *e)
{
	k->a[d] = load64(&e->ip);
	k->b[d] = load64((const char *)&e->ip + 8);
	k->c[d] = (uint32_t)e->ip.b[15] | (uint32_t)e->port << 16;
}

static inline void key_of(const struct table *t, struct key *k, const struct packet *p)
{
	key_end(k, 0, &p->src);
	key_end(k, 1, &p->dst);
	k->vlan = t->p.vlan_key ? p->vlan : 0;
	k->proto = p->proto;
}

/* The same for both directions: the ends are mixed apart and added. */
static inline uint32_t key_hash(
	const struct table *t, const uint64_t a[2], const uint64_t b[2], const uint32_t c[2], uint32_t rest)
{
	uint64_t h0 = mix(a[0] ^ t->seed[0], b[0] ^ t->seed[1] ^ (uint64_t)c[0] << 24);
	uint64_t h1 = mix(a[1] ^ t->seed[0], b[1] ^ t->seed[1] ^ (uint64_t)c[1] << 24);

	return (uint32_t)mix(h0 + h1, t->seed[2] ^ rest);
}

static inline uint32_t packet_hash(const struct table *t, const struct key *k)
{
	return key_hash(t, k->a, k->b, k->c, (uint32_t)k->vlan << 8 | k->proto);
}

static inline uint32_t slot_hash(const struct table *t, const struct slot *s)
{
	return key_hash(t, s->a, s->b, s->c, (uint32_t)s->vlan << 8 | s->proto);
}

/* 0 or 1: the packet's direction in this flow; -1: another flow. */
static inline int key_match(const struct slot *s, const struct key *k)
{
	if (s->vlan != k->vlan || s->proto != k->proto)
		return -1;
	if (((s->a[0] ^ k->a[0]) | (s->a[1] ^ k->a[1]) | (s->b[0] ^ k->b[0]) | (s->b[1] ^ k->b[1]) |
		    (s->c[0] ^ k->c[0]) | (s->c[1] ^ k->c[1])) == 0)
		return 0;
	if (((s->a[0] ^ k->a[1]) | (s->a[1] ^ k->a[0]) | (s->b[0] ^ k->b[1]) | (s->b[1] ^ k->b[0]) |
		    (s->c[0] ^ k->c[1]) | (s->c[1] ^ k->c[0])) == 0)
		return 1;
	return -1;
}

/* ---- index ---- */

static inline uint32_t index_find(const struct table *t, const struct key *k, uint32_t hash, int *d)
{
	for (uint32_t i = hash & t->index_mask; t->index[i].slot; i = (i + 1) & t->index_mask) {
		if (t->index[i].hash != hash)
			continue;
		*d = key_match(&t->slot[t->index[i].slot], k);
		if (*d >= 0)
			return t->index[i].slot;
	}
	return 0;
}

static void index_put(struct index_entry *index, uint32_t mask, struct index_entry e)
{
	uint32_t i = e.hash & mask;

	while (index[i].slot)
		i = (i + 1) & mask;
	index[i] = e;
}

static enum status index_grow(struct table *t, struct err *e)
{
	uint32_t size = (t->index_mask + 1) * 2;
	struct index_entry *more = calloc(size, sizeof(*more));

	if (!more)
		return err_nomem(e);
	for (uint32_t i = 0; i <= t->index_mask; i++)
		if (t->index[i].slot)
			index_put(more, size - 1, t->index[i]);
	free(t->index);
	t->index = more;
	t->index_mask = size - 1;
	return STATUS_OK;
}

static void index_remove(struct table *t, uint32_t hash, uint32_t slot)
{
	uint32_t mask = t->index_mask, i = hash & mask;

	while (t->index[i].slot != slot)
		i = (i + 1) & mask;
	for (uint32_t j = (i + 1) & mask; t->index[j].slot; j = (j + 1) & mask) {
		/* The entry at j may move to the hole at i unless its home lies cyclically in (i, j]. */
		if (((j - t->index[j].hash) & mask) >= ((j - i) & mask)) {
			t->index[i] = t->index[j];
			i = j;
		}
	}
	t->index[i].slot = 0;
}

/* ---- slots ---- */

void slot_free(struct table *t, uint32_t i)
{
	struct slot *s = &t->slot[i];

	index_remove(t, slot_hash(t, s), i);
	tcp_holes_free(t, s);
	probation_end(t, i);
	wheel_remove(t, i);
	s->bits &= SLOT_DIRTY; /* it stays in the dirty list, also under its next flow */
	s->fifo_next = t->free_slot;
	t->free_slot = i;
	t->used--;
	t->stat.open = t->used;
}

static enum status slot_take(struct table *t, uint32_t *i, struct err *e)
{
	enum status st = STATUS_OK;

	if (!t->free_slot && t->fresh_slot == t->n_slots)
		st = slot_make_room(t, e);
	if (st != STATUS_OK)
		return st;
	if (t->free_slot) {
		*i = t->free_slot;
		t->free_slot = t->slot[*i].fifo_next;
	} else {
		*i = t->fresh_slot++;
	}
	return STATUS_OK;
}

/* Makes the packet's flow.  Its sender is the initiator, but the receiver where it is a SYN-ACK (*d becomes
 * 1). */
static enum status slot_make(struct table *t, const struct key *k, uint32_t hash, const struct packet *p,
	uint32_t *i, int *d, struct err *e)
{
	enum status st = slot_take(t, i, e);

	if (st == STATUS_OK && (t->used + 1) * 2 > t->index_mask)
		st = index_grow(t, e);
	if (st != STATUS_OK)
		return st;
	struct slot *s = &t->slot[*i];
	uint32_t dirty_next = s->dirty_next;
	uint8_t dirty = s->bits & SLOT_DIRTY;
	memset(s, 0, sizeof(*s));
	s->dirty_next = dirty_next;
	*d = p->proto == PROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
	for (int x = 0; x < 2; x++) {
		s->a[x] = k->a[x ^ *d];
		s->b[x] = k->b[x ^ *d];
		s->c[x] = k->c[x ^ *d];
	}
	s->vlan = k->vlan;
	s->proto = k->proto;
	s->bits = SLOT_USED | dirty;
	s->flags = FLOW_ASSUMED;
	if (p->proto == PROTO_TCP)
		tcp_isn(s, p);
	index_put(t->index, t->index_mask, (struct index_entry){hash, *i});
	t->used++;
	t->stat.open = t->used;
	probation_add(t, *i);
	wheel_add(t, *i, p->time_us + LIFE_UNANSWERED);
	return STATUS_OK;
}

/* ---- counting ---- */

static void ask_known(struct table *t, struct slot *s, int64_t time_us)
{
	struct endpoint end[2] = {slot_endpoint(s, 0), slot_endpoint(s, 1)};

	for (int d = 0; d < 2; d++) {
		size_t n = 0;
		(void)t->p.known(t->p.self, s->vlan, s->proto, &end[d], &end[1 - d], time_us, &n);
		s->half[d].bits |= n ? HALF_KNOWN : 0;
	}
}

/* Is the packet inside an extent that is stored already? */
static bool recorded(struct table *t, const struct slot *s, const struct packet *p)
{
	size_t n = 0;
	const struct span *x = t->p.known(t->p.self, s->vlan, s->proto, &p->src, &p->dst, p->time_us, &n);
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (x[mid].to_us < p->time_us)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && x[lo].from_us <= p->time_us;
}

static void count(struct table *t, uint32_t i, int d, const struct packet *p)
{
	struct slot *s = &t->slot[i];
	struct half *h = &s->half[d];

	if (!(s->bits & SLOT_COUNTED)) {
		s->bits |= SLOT_COUNTED;
		t->stat.flows++;
	}
	if (h->packets == 0 || p->time_us < h->first_us)
		h->first_us = p->time_us;
	if (h->packets == 0 || p->time_us > h->last_us)
		h->last_us = p->time_us;
	h->packets++;
	h->frame_bytes += p->frame_len;
	if (!(s->bits & SLOT_DIRTY)) {
		s->bits |= SLOT_DIRTY;
		s->dirty_next = t->dirty;
		t->dirty = i;
	}
	if (s->bits & SLOT_PROBATION) {
		s->n_packets++;
		bool both = s->half[0].bits & s->half[1].bits & HALF_PAYLOAD;
		if (s->n_packets >= (both ? PROBATION_BOTH : PROBATION_PACKETS))
			probation_end(t, i);
	}
}

/* The first packet of a direction. */
static enum status half_begin(struct table *t, struct slot *s, int d, const struct packet *p, struct err *e)
{
	struct half *h = &s->half[d];
	enum status st = STATUS_OK;

	/* Derived bursts and real ones stay in chunks of their own. */
	if (h->bits & HALF_DERIVED)
		st = slot_emit(t, s, e);
	h->bits |= HALF_SEEN;
	h->bits &= (uint8_t) ~(HALF_DERIVED | HALF_BURST);
	h->ip_id = p->ip_id;
	s->ttl[d] = p->ttl;
	s->first_ip_id[d] = p->ip_id_known ? p->ip_id : 0;
	return st;
}

/* The packet belongs to direction d of slot i. */
static enum status slot_packet(struct table *t, uint32_t i, int d, uint32_t hash, const struct packet *p,
	enum drop *why, struct err *e)
{
	struct slot *s = &t->slot[i];
	struct half *h = &s->half[d];
	bool tcp = p->proto == PROTO_TCP;
	enum status st = STATUS_OK;

	*why = DROP_NONE;
	bool again = dup_seen(t, h, hash, p);
	if (!(h->bits & HALF_SEEN))
		st = half_begin(t, s, d, p, e);
	else if (again)
		*why = DROP_DUPLICATE;
	if (st != STATUS_OK || *why)
		return st;
	if (p->ip_id != h->ip_id) {
		h->ip_id = p->ip_id;
		h->bits |= HALF_ID_MOVES;
	}
	uint32_t fresh = tcp ? tcp_data(t, s, d, p) : p->payload;
	if ((h->bits & HALF_KNOWN) && recorded(t, s, p)) {
		*why = DROP_RECORDED;
		return STATUS_OK;
	}
	if (!burst_has_room(t, s))
		st = burst_make_room(t, s, e);
	count(t, i, d, p);
	if (fresh) {
		h->bits |= HALF_PAYLOAD;
		burst_add(t, s, d, p->time_us, fresh);
	}
	if (tcp && !(s->half[1 - d].bits & HALF_SEEN))
		tcp_derive(t, s, d, p);
	if (tcp && (p->tcp_flags & (TCP_FIN | TCP_RST)) && tcp_closes(s, d, p))
		slot_close(t, i);
	return st;
}

static enum status hashed_packet(struct table *t, const struct key *k, uint32_t hash, const struct packet *p,
	enum drop *why, struct err *e)
{
	int d = 0;
	uint32_t i = index_find(t, k, hash, &d);
	enum status st = STATUS_OK;

	*why = DROP_NONE;
	if (i && p->proto == PROTO_TCP && (p->tcp_flags & TCP_SYN) &&
		tcp_syn(&t->slot[i], &d, p) == TCP_STARTS_NEW) {
		st = slot_end(t, i, e);
		i = 0;
	}
	if (st == STATUS_OK && !i) {
		st = slot_make(t, k, hash, p, &i, &d, e);
		if (st == STATUS_OK && t->p.known)
			ask_known(t, &t->slot[i], p->time_us);
	}
	return st == STATUS_OK ? slot_packet(t, i, d, hash, p, why, e) : st;
}

enum status table_packet(struct table *t, const struct packet *p, enum drop *why, struct err *e)
{
	struct key k;

	key_of(t, &k, p);
	return hashed_packet(t, &k, packet_hash(t, &k), p, why, e);
}

/* In passes, so that the cache misses of several packets overlap: index entries, slots, blocks, then the
 * work. */
enum status table_packets(struct table *t, const struct packet *p, size_t n, enum drop *why, struct err *e)
{
	struct key k[TABLE_BATCH];
	uint32_t hash[TABLE_BATCH], slot[TABLE_BATCH];
	enum status st = STATUS_OK;

	for (size_t i = 0; i < n; i++) {
		key_of(t, &k[i], &p[i]);
		hash[i] = packet_hash(t, &k[i]);
		__builtin_prefetch(&t->index[hash[i] & t->index_mask]);
		__builtin_prefetch(dup_entry(t, hash[i], p[i].digest), 1);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t at = hash[i] & t->index_mask;
		while (t->index[at].slot && t->index[at].hash != hash[i])
			at = (at + 1) & t->index_mask;
		slot[i] = t->index[at].slot;
		__builtin_prefetch(&t->slot[slot[i]], 1);
		__builtin_prefetch(&t->slot[slot[i]].half[0], 1);
		__builtin_prefetch(&t->slot[slot[i]].half[1], 1);
	}
	for (size_t i = 0; i < n; i++)
		block_prefetch(t, &t->slot[slot[i]]);
	for (size_t i = 0; st == STATUS_OK && i < n; i++)
		st = hashed_packet(t, &k[i], hash[i], &p[i], &why[i], e);
	return st;
}

/* ---- making and closing ---- */

/* Memory that costs nothing before it is used. */
static void *region_new(size_t n, size_t size)
{
	void *p = mmap(
		NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n * size, MADV_HUGEPAGE); /* fewer page faults and TLB misses; fine without */
	return p;
}

static void region_free(void *p, size_t n, size_t size)
{
	if (p)
		(void)munmap(p, n * size);
}

static void table_free(struct table *t)
{
	region_free(t->slot, t->n_slots, sizeof(*t->slot));
	region_free(t->block, t->n_blocks, sizeof(*t->block));
	free(t->index);
	free(t->dup);
	free(t->scratch[0]);
	free(t->scratch[1]);
	free(t->point);
	free(t);
}

enum status table_new(struct table **to, const struct table_param *p, struct err *e)
{
	struct table *t = calloc(1, sizeof(*t));
	size_t flows = p->max_flows ? p->max_flows : DEFAULT_FLOWS;

	if (!t)
		return err_nomem(e);
	if (flows > 1U << 29) {
		free(t);
		return err_set(e, STATUS_BAD, "a flow table of %zu flows is too large", flows);
	}
	t->p = *p;
	t->gap_us = p->source.gap_us ? p->source.gap_us : BURST_GAP_RECORDED_US;
	t->p.source.gap_us = (uint32_t)t->gap_us;
	t->n_slots = (uint32_t)flows + 1;
	t->max_bursts = (uint32_t)flows + 64;
	t->max_holes = (uint32_t)flows / 16 + 64;
	t->n_blocks = 1 + t->max_bursts + t->max_holes;
	t->fresh_slot = t->fresh_block = 1;
	t->index_mask = INDEX_FIRST - 1;
	t->rng = p->seed | 1;
	for (int i = 0; i < 3; i++)
		t->seed[i] = mix(p->seed ^ 0x9e3779b97f4a7c15U, 0xd6e8feb86659fd93U + (uint64_t)i * 2) | 1;
	t->slot = region_new(t->n_slots, sizeof(*t->slot));
	t->block = region_new(t->n_blocks, sizeof(*t->block));
	t->index = calloc(INDEX_FIRST, sizeof(*t->index));
	t->dup = calloc(DUP_SIZE, sizeof(*t->dup));
	t->scratch[0] = calloc(SCRATCH, sizeof(struct burst));
	t->scratch[1] = calloc(SCRATCH, sizeof(struct burst));
	t->point = strdup(p->point);
	t->p.point = t->point;
	if (!t->slot || !t->block || !t->index || !t->dup || !t->scratch[0] || !t->scratch[1] || !t->point) {
		table_free(t);
		return err_nomem(e);
	}
	*to = t;
	return STATUS_OK;
}

const struct table_stat *table_stat(const struct table *t)
{
	return &t->stat;
}

static enum status end_all(struct table *t, struct err *e)
{
	enum status st = emit_dirty(t, e);

	for (uint32_t i = 1; st == STATUS_OK && i < t->fresh_slot; i++)
		if (t->slot[i].bits & SLOT_USED)
			st = slot_end(t, i, e);
	return st;
}

enum status table_step(struct table *t, struct err *e)
{
	t->stat.clock_steps++;
	t->wheel_s = 0;
	return end_all(t, e);
}

enum status table_close(struct table *t, struct err *e)
{
	enum status st = STATUS_OK;

	if (!t)
		return st;
	st = end_all(t, e);
	table_free(t);
	return st;
}
