/* What is stored already: the extents of packets per flow direction in a window of time, so that the recorder
 * counts a packet of an overlapping file once.  Heads and counts of the chunks in the window come in (no
 * bursts are unpacked to memory), a hash table by direction goes out.  Nothing is read of segments and blocks
 * outside the window. */
#include <stdlib.h>
#include <string.h>

#include "record/pair.h"
#include "record/segment.h"

/* A direction of a flow: src -> dst. */
struct way {
	uint16_t vlan;
	uint8_t proto;
	struct endpoint src, dst;
};

struct extent {
	struct way way;
	struct span span;
};

/* Spans of one direction: known.span[from .. from + n). */
struct run {
	struct way way;
	size_t from, n;
};

struct store_known {
	struct span *span;
	struct run *run;
	size_t n_run;
	uint32_t *slot; /* run + 1, 0 for none */
	size_t mask;
};

static uint64_t way_hash(const struct way *w)
{
	uint64_t h = mix(w->proto, (uint64_t)w->vlan << 32 | (uint64_t)w->src.port << 16 | w->dst.port);

	h = mix_bytes(h, &w->src.ip, sizeof(w->src.ip));
	return mix_bytes(h, &w->dst.ip, sizeof(w->dst.ip));
}

static int ports_order(const struct endpoint *a, const struct endpoint *b)
{
	int c = ip_compare(&a->ip, &b->ip);

	return c ? c : (a->port > b->port) - (a->port < b->port);
}

static int way_order(const struct way *a, const struct way *b)
{
	int c = (a->proto > b->proto) - (a->proto < b->proto);

	if (c == 0)
		c = (a->vlan > b->vlan) - (a->vlan < b->vlan);
	if (c == 0)
		c = ports_order(&a->src, &b->src);
	return c ? c : ports_order(&a->dst, &b->dst);
}

static int extent_order(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;
	int c = way_order(&x->way, &y->way);

	return c ? c : (x->span.from_us > y->span.from_us) - (x->span.from_us < y->span.from_us);
}

struct extents {
	struct extent *x;
	size_t n, cap;
};

/* Adds the extents of all directions of the parts at the point. */
static enum status extents_add(struct extents *to, const struct parts *p, const char *point, struct err *e)
{
	if (!grow(&to->x, &to->cap, to->n, p->n * 2, sizeof(*to->x)))
		return err_nomem(e);
	for (size_t i = 0; i < p->n; i++) {
		const struct part *at = &p->part[i];
		if (strcmp(at->head.point, point) != 0)
			continue;
		for (int d = 0; d < 2; d++) {
			if (at->count[d].first_us > at->count[d].last_us)
				continue;
			struct extent *x = &to->x[to->n++];
			memset(x, 0, sizeof(*x));
			x->way = (struct way){.vlan = at->head.vlan,
				.proto = at->head.proto,
				.src = at->head.end[d],
				.dst = at->head.end[1 - d]};
			x->span = (struct span){at->count[d].first_us, at->count[d].last_us};
		}
	}
	return STATUS_OK;
}

/* Sorted extents to runs of disjoint spans. */
static bool runs_make(struct store_known *k, const struct extent *x, size_t n)
{
	size_t m = 0;

	k->span = calloc(n + 1, sizeof(*k->span));
	k->run = calloc(n + 1, sizeof(*k->run));
	if (!k->span || !k->run)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct run *r = k->n_run ? &k->run[k->n_run - 1] : NULL;
		if (!r || way_order(&r->way, &x[i].way) != 0) {
			k->run[k->n_run++] = (struct run){.way = x[i].way, .from = m, .n = 1};
			k->span[m++] = x[i].span;
		} else if (x[i].span.from_us <= k->span[m - 1].to_us) {
			if (x[i].span.to_us > k->span[m - 1].to_us)
				k->span[m - 1].to_us = x[i].span.to_us;
		} else {
			r->n++;
			k->span[m++] = x[i].span;
		}
	}
	return true;
}

static bool slots_make(struct store_known *k)
{
	k->mask = 15;
	while (k->mask < k->n_run * 2)
		k->mask = k->mask * 2 + 1;
	k->slot = calloc(k->mask + 1, sizeof(*k->slot));
	for (size_t i = 0; k->slot && i < k->n_run; i++) {
		size_t at = (size_t)way_hash(&k->run[i].way) & k->mask;
		while (k->slot[at])
			at = (at + 1) & k->mask;
		k->slot[at] = (uint32_t)i + 1;
	}
	return k->slot != NULL;
}

/* Extents of all chunks in the window, segment by segment, so that the heads of one at a time are in
 * memory. */
static enum status extents_read(struct extents *to, const struct world *w, const char *dir, const char *point,
	struct span within, struct err *e)
{
	struct part_filter f = {.since_us = within.from_us, .until_us = within.to_us, .heads_only = true};
	struct segment *s = malloc(sizeof(*s));
	struct paths paths = {0};
	struct parts p = {0};
	enum status st = s ? segments_list(&paths, dir, ".seg", e) : err_nomem(e);

	for (size_t i = 0; i < paths.n && st == STATUS_OK; i++) {
		st = segment_open(s, w, paths.path[i], e);
		if (st == STATUS_OK) {
			s->quiet = true; /* a reader names what is damaged */
			p.n = p.n_cover = 0;
			st = parts_collect(&p, s, &f, e);
			segment_close(s, w);
			if (st == STATUS_OK)
				st = extents_add(to, &p, point, e);
		} else if (st == STATUS_BAD || st == STATUS_NO) {
			st = STATUS_OK;
		}
	}
	parts_free(&p);
	paths_free(&paths);
	free(s);
	return st;
}

enum status store_known_open(struct store_known **to, const struct world *w, const char *dir,
	const char *point, struct span within, struct err *e)
{
	struct extents x = {0};

	*to = NULL;
	struct store_known *k = calloc(1, sizeof(*k));
	enum status st = k ? store_check(dir, e) : err_nomem(e);
	if (st == STATUS_OK)
		st = extents_read(&x, w, dir, point, within, e);
	if (st == STATUS_OK || st == STATUS_NO) {
		if (x.n > 1)
			qsort(x.x, x.n, sizeof(*x.x), extent_order);
		st = runs_make(k, x.x, x.n) && slots_make(k) ? STATUS_OK : err_nomem(e);
	}
	free(x.x);
	if (st == STATUS_OK)
		*to = k;
	else
		store_known_free(k);
	return st;
}

const struct span *store_known_get(const struct store_known *k, uint16_t vlan, uint8_t proto,
	const struct endpoint *src, const struct endpoint *dst, size_t *n)
{
	struct way way = {.vlan = vlan, .proto = proto, .src = *src, .dst = *dst};

	*n = 0;
	if (!k || k->n_run == 0)
		return NULL;
	for (size_t at = (size_t)way_hash(&way) & k->mask; k->slot[at]; at = (at + 1) & k->mask) {
		const struct run *r = &k->run[k->slot[at] - 1];
		if (way_order(&r->way, &way) == 0) {
			*n = r->n;
			return k->span + r->from;
		}
	}
	return NULL;
}

void store_known_free(struct store_known *k)
{
	if (!k)
		return;
	free(k->span);
	free(k->run);
	free(k->slot);
	free(k);
}
