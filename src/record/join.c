/* Chunks as they were read come in, flows go out.
 *
 * Chunks of one id are one flow.  Chunks of other ids join it where they have the same key (point, VLAN,
 * protocol, both ends in either order), did not begin with a handshake of their own, and the pause is shorter
 * than the idle bound of flow.h: a recorder that was restarted, or the next file of a row, makes a new id for
 * a flow that goes on.  The earliest id wins, the others become its aliases. */
#include <stdlib.h>
#include <string.h>

#include "record/join.h"
#include "record/pair.h"

/* An id and the flow it belongs to. */
struct entry {
	struct id id;
	uint32_t build;
	uint32_t next; /* alias of the same flow */
};

struct joining {
	struct parts *parts;
	struct place *place;
	struct build *build;
	size_t n_build, cap_build;
	struct entry *entry;
	size_t n_entry;
	uint32_t *slot;
	size_t mask;
};

static int64_t part_first(const struct part *p)
{
	int64_t t = INT64_MAX;

	for (int d = 0; d < 2; d++) {
		if (p->count[d].first_us <= p->count[d].last_us && p->count[d].first_us < t)
			t = p->count[d].first_us;
		if (p->n_burst[d] && p->burst[d] && p->burst[d][0].start_us < t)
			t = p->burst[d][0].start_us;
	}
	return t < INT64_MAX ? t : p->head.first_us;
}

static int64_t part_last(const struct part *p)
{
	int64_t t = INT64_MIN;

	for (int d = 0; d < 2; d++) {
		if (p->count[d].first_us <= p->count[d].last_us && p->count[d].last_us > t)
			t = p->count[d].last_us;
		if (p->n_burst[d] && p->burst[d]) {
			int64_t end = burst_end(&p->burst[d][p->n_burst[d] - 1]);
			t = end > t ? end : t;
		}
	}
	return t > INT64_MIN ? t : p->head.first_us;
}

static int three_way(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By key and time; chunks that are the same stand beside each other. */
static int place_order(const void *a, const void *b, void *self)
{
	const struct place *x = a, *y = b;
	const struct part *part = self;
	int c = three_way(x->key, y->key);

	if (c == 0)
		c = (x->first_us > y->first_us) - (x->first_us < y->first_us);
	if (c != 0)
		return c;
	const struct part *p = &part[x->part], *q = &part[y->part];
	c = (p->head.first_us > q->head.first_us) - (p->head.first_us < q->head.first_us);
	if (c == 0)
		c = memcmp(p->head.id.b, q->head.id.b, sizeof(p->head.id.b));
	for (int d = 0; d < 2 && c == 0; d++) {
		c = three_way(p->count[d].packets, q->count[d].packets);
		if (c == 0)
			c = three_way(p->count[d].frame_bytes, q->count[d].frame_bytes);
		if (c == 0)
			c = three_way((uint64_t)p->count[d].last_us, (uint64_t)q->count[d].last_us);
		if (c == 0)
			c = three_way(p->n_burst[d], q->n_burst[d]);
	}
	return c ? c : (x->part > y->part) - (x->part < y->part);
}

static bool count_equal(const struct flow_count *a, const struct flow_count *b)
{
	return a->packets == b->packets && a->frame_bytes == b->frame_bytes &&
	       a->payload_bytes == b->payload_bytes && a->first_us == b->first_us && a->last_us == b->last_us;
}

static bool part_equal(const struct part *a, const struct part *b)
{
	if (memcmp(&a->head.id, &b->head.id, sizeof(a->head.id)) != 0)
		return false;
	for (int d = 0; d < 2; d++) {
		if (!count_equal(&a->count[d], &b->count[d]) || a->n_burst[d] != b->n_burst[d])
			return false;
		if (a->burst[d] &&
			memcmp(a->burst[d], b->burst[d], a->n_burst[d] * sizeof(struct burst)) != 0)
			return false;
	}
	return true;
}

static struct entry *entry_find(struct joining *j, const struct id *id, size_t *at)
{
	uint64_t h;

	memcpy(&h, id->b, sizeof(h));
	for (*at = (size_t)mix(h, 0) & j->mask; j->slot[*at] != NONE; *at = (*at + 1) & j->mask)
		if (memcmp(&j->entry[j->slot[*at]].id, id, sizeof(*id)) == 0)
			return &j->entry[j->slot[*at]];
	return NULL;
}

static void entry_add(struct joining *j, size_t at, const struct id *id, uint32_t build)
{
	j->slot[at] = (uint32_t)j->n_entry;
	j->entry[j->n_entry++] = (struct entry){.id = *id, .build = build, .next = NONE};
}

/* Does the part begin with a handshake that is not b's?  `swap`: the part's direction 0 is b's direction
 * 1. */
static bool handshake_other(const struct build *b, const struct flow_head *h, bool swap)
{
	static const uint8_t bit[2] = {FLOW_SYN, FLOW_SYNACK};

	for (int d = 0; d < 2; d++) {
		int to = swap ? 1 - d : d;
		if (!(h->flags & bit[d]))
			continue;
		bool known = b->head.flags & bit[to];
		if (known && b->head.isn[to] == h->isn[d])
			continue;
		/* The file was cut between SYN and SYN+ACK. */
		if (!known && d == 1 && !swap && (b->head.flags & FLOW_SYN) && !(h->flags & FLOW_SYN) &&
			b->count[1].packets == 0)
			continue;
		return true;
	}
	return false;
}

/* May a part that begins at first_us be the continuation of b? */
static bool continues(const struct build *b, const struct part *p, int64_t first_us, bool *swap)
{
	int same = pair_same(&b->head, &p->head);
	int64_t bound = p->head.proto == PROTO_TCP ? FLOW_IDLE_TCP_US : FLOW_IDLE_OTHER_US;

	*swap = same < 0;
	if (b->head.flags & FLOW_CLOSED && p->head.proto == PROTO_TCP)
		bound = FLOW_LINGER_US;
	return same != 0 && first_us - b->last_us < bound && !handshake_other(b, &p->head, *swap);
}

static void count_add(struct flow_count *to, const struct flow_count *c)
{
	to->packets += c->packets;
	to->frame_bytes += c->frame_bytes;
	to->payload_bytes += c->payload_bytes;
	if (c->first_us > c->last_us)
		return;
	if (to->first_us > to->last_us) {
		to->first_us = c->first_us;
		to->last_us = c->last_us;
	}
	to->first_us = c->first_us < to->first_us ? c->first_us : to->first_us;
	to->last_us = c->last_us > to->last_us ? c->last_us : to->last_us;
}

/* What a later chunk knows of the flow that the first did not. */
static void head_add(struct flow_head *to, const struct flow_head *h, bool swap)
{
	static const uint8_t isn[2] = {FLOW_SYN, FLOW_SYNACK};
	static const uint8_t derived[2] = {FLOW_DERIVED_0, FLOW_DERIVED_1};

	for (int d = 0; d < 2; d++) {
		int k = swap ? 1 - d : d;
		if ((h->flags & isn[d]) && !(to->flags & isn[k])) {
			to->isn[k] = h->isn[d];
			to->flags |= isn[k];
		}
		if (h->flags & derived[d])
			to->flags |= derived[k];
		if (to->ttl[k] == 0) {
			to->ttl[k] = h->ttl[d];
			to->ip_id[k] = h->ip_id[d];
		}
	}
	/* a later part of a flow seldom has its SYN; one SYN in any part settles who opened it */
	to->flags |= h->flags & (FLOW_ASSUMED | FLOW_CLOSED);
	if (to->flags & (FLOW_SYN | FLOW_SYNACK))
		to->flags &= (uint8_t)~FLOW_ASSUMED;
	to->first_us = h->first_us < to->first_us ? h->first_us : to->first_us;
}

static void build_add(struct joining *j, struct build *b, uint32_t place, bool swap)
{
	struct place *at = &j->place[place];
	const struct part *p = &j->parts->part[at->part];
	const struct part *before = b->last == NONE ? NULL : &j->parts->part[j->place[b->last].part];

	if (before && part_equal(before, p))
		return; /* the same chunk again */
	at->swapped = swap;
	at->next = NONE;
	if (before) {
		j->place[b->last].next = place;
		b->many_writers = b->many_writers || before->writer != p->writer;
	} else {
		b->first = place;
	}
	b->last = place;
	for (int d = 0; d < 2; d++)
		count_add(&b->count[swap ? 1 - d : d], &p->count[d]);
	head_add(&b->head, &p->head, swap);
	int64_t end = part_last(p);
	b->last_us = end > b->last_us ? end : b->last_us;
}

static struct build *build_new(struct joining *j, const struct part *p)
{
	if (!grow(&j->build, &j->cap_build, j->n_build, 1, sizeof(*j->build)))
		return NULL;
	struct build *b = &j->build[j->n_build++];
	*b = (struct build){
		.head = p->head, .first = NONE, .last = NONE, .alias = NONE, .last_us = INT64_MIN};
	for (int d = 0; d < 2; d++)
		b->count[d] = (struct flow_count){.first_us = 0, .last_us = -1};
	return b;
}

/* The flow of one part: the one that has its id, else the last one of the key that it continues, else a
 * new one. */
static bool part_join(struct joining *j, uint32_t place, uint64_t *last_key)
{
	const struct part *p = &j->parts->part[j->place[place].part];
	size_t at;
	struct entry *have = entry_find(j, &p->head.id, &at);
	bool swap = false;

	if (have) {
		struct build *b = &j->build[have->build];
		build_add(j, b, place, pair_same(&b->head, &p->head) < 0);
		return true;
	}
	struct build *b = j->n_build && *last_key == j->place[place].key ? &j->build[j->n_build - 1] : NULL;
	if (b && continues(b, p, j->place[place].first_us, &swap)) {
		entry_add(j, at, &p->head.id, (uint32_t)(j->n_build - 1));
		j->entry[j->n_entry - 1].next = b->alias;
		b->alias = (uint32_t)(j->n_entry - 1);
		b->n_alias++;
	} else {
		b = build_new(j, p);
		if (!b)
			return false;
		swap = false;
		entry_add(j, at, &p->head.id, (uint32_t)(j->n_build - 1));
		*last_key = j->place[place].key;
	}
	build_add(j, b, place, swap);
	return true;
}

static bool joining_init(struct joining *j, struct parts *p)
{
	size_t n = p->n + 1;

	*j = (struct joining){.parts = p, .mask = 255};
	while (j->mask < n * 2)
		j->mask = j->mask * 2 + 1;
	j->place = calloc(n, sizeof(*j->place));
	j->entry = calloc(n, sizeof(*j->entry));
	j->slot = malloc((j->mask + 1) * sizeof(*j->slot));
	if (!j->place || !j->entry || !j->slot)
		return false;
	memset(j->slot, 0xff, (j->mask + 1) * sizeof(*j->slot));
	for (size_t i = 0; i < p->n; i++)
		j->place[i] = (struct place){.key = pair_hash(&p->part[i].head),
			.first_us = part_first(&p->part[i]),
			.part = (uint32_t)i,
			.next = NONE};
	return true;
}

static void joining_free(struct joining *j)
{
	free(j->place);
	free(j->build);
	free(j->entry);
	free(j->slot);
}

static bool aliases_keep(struct flow *f, struct arena *a, const struct joining *j, const struct build *b)
{
	f->n_alias = b->n_alias;
	if (b->n_alias == 0)
		return true;
	f->alias = arena_array(a, b->n_alias, sizeof(*f->alias));
	if (!f->alias)
		return false;
	size_t i = b->n_alias;
	for (uint32_t k = b->alias; k != NONE; k = j->entry[k].next)
		f->alias[--i] = j->entry[k].id;
	return true;
}

/* Builds in the order of their flows: by first packet, then id. */
static int build_order(const void *a, const void *b)
{
	const struct build *const *px = a, *const *py = b;
	const struct flow_head *x = &(*px)->head, *y = &(*py)->head;
	int c = (x->first_us > y->first_us) - (x->first_us < y->first_us);

	return c ? c : memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

static struct build **builds_sorted(struct joining *j)
{
	struct build **order = malloc((j->n_build + 1) * sizeof(*order));

	for (size_t i = 0; order && i < j->n_build; i++)
		order[i] = &j->build[i];
	if (order && j->n_build > 1)
		qsort(order, j->n_build, sizeof(struct build *), build_order);
	return order;
}

/* A copy of every point's name in the recording's arena, in the order of parts.point. */
static const char **points_keep(struct recording *to, const struct parts *p)
{
	const char **name = arena_array(&to->arena, p->n_point + 1, sizeof(*name));

	for (size_t i = 0; name && i < p->n_point; i++) {
		name[i] = arena_str(&to->arena, p->point[i]);
		if (!name[i])
			return NULL;
	}
	return name;
}

static const char *point_kept(const struct parts *p, const char **name, const char *point)
{
	for (size_t i = 0; i < p->n_point; i++)
		if (p->point[i] == point)
			return name[i];
	return "";
}

static bool flow_keep(struct flow *f, struct recording *to, const struct joining *j, const struct build *b)
{
	f->head = b->head;
	f->count[0] = b->count[0];
	f->count[1] = b->count[1];
	f->last_us = b->last_us;
	return aliases_keep(f, &to->arena, j, b);
}

/* Are most bursts of flows that one part holds whole?  Then the parts' memory becomes the recording's: two
 * copies of all bursts would be the most that a reader ever needs. */
static bool mostly_whole(const struct joining *j)
{
	uint64_t all = 0, whole = 0;

	for (size_t i = 0; i < j->n_build; i++) {
		const struct build *b = &j->build[i];
		for (uint32_t k = b->first; k != NONE; k = j->place[k].next) {
			const struct part *p = &j->parts->part[j->place[k].part];
			uint64_t n = (uint64_t)p->n_burst[0] + p->n_burst[1];
			all += n;
			whole += b->first == b->last ? n : 0;
		}
	}
	return 2 * whole >= all;
}

static bool flows_keep(struct recording *to, struct joining *j, const struct store_query *q)
{
	int64_t gap = q->gap_us ? q->gap_us : BURST_GAP_READ_US;
	const char **name = points_keep(to, j->parts);
	struct build **order = builds_sorted(j);
	struct union_work u = {.in_place = !q->heads_only && mostly_whole(j)};

	to->flow = arena_array(&to->arena, j->n_build + 1, sizeof(*to->flow));
	bool ok = name && order && to->flow;
	for (size_t i = 0; ok && i < j->n_build; i++) {
		struct flow *f = &to->flow[i];
		ok = flow_keep(f, to, j, order[i]);
		f->head.point = point_kept(j->parts, name, f->head.point);
		if (ok && !q->heads_only)
			ok = union_bursts(f, &to->arena, order[i], j->place, j->parts->part, gap, &u);
	}
	if (u.in_place)
		arena_adopt(&to->arena, &j->parts->arena);
	union_free(&u);
	free(order);
	to->n_flow = ok ? j->n_build : 0;
	return ok;
}

enum status join_parts(struct recording *to, struct parts *p, const struct store_query *q, struct err *e)
{
	struct joining j;
	uint64_t last_key = 0;
	bool ok = p->n < NONE && joining_init(&j, p);

	if (ok && p->n > 1)
		qsort_r(j.place, p->n, sizeof(*j.place), place_order, p->part);
	for (size_t i = 0; ok && i < p->n; i++)
		ok = part_join(&j, (uint32_t)i, &last_key);
	ok = ok && flows_keep(to, &j, q);
	joining_free(&j);
	return ok ? STATUS_OK : err_nomem(e);
}
