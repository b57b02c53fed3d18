/* The recording's last hours, read once for everybody who asks: flows without bursts, indexed by 5-tuple and
 * by address, copies of one flow (two points saw it, NAT rewrote it) put together as one talk. */
#include <stdlib.h>
#include <string.h>

#include "plan/make_in.h"
#include "record/forgotten.h"

#define DAY_US (INT64_C(24) * 3600 * SECOND_US)

/* ---- numbers ---- */

bool ids_add(struct ids *to, uint32_t id, struct arena *a)
{
	if (to->n && to->id[to->n - 1] == id)
		return true;
	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 4;
		uint32_t *room = arena_array(a, cap, sizeof(*room));
		if (!room)
			return false;
		if (to->n)
			memcpy(room, to->id, to->n * sizeof(*room));
		to->id = room;
		to->cap = cap;
	}
	to->id[to->n++] = id;
	return true;
}

static int id_less(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void ids_settle(struct ids *l)
{
	size_t k = 0;
	bool sorted = true;

	for (size_t i = 1; i < l->n && sorted; i++)
		sorted = l->id[i - 1] < l->id[i];
	if (sorted)
		return;
	qsort(l->id, l->n, sizeof(*l->id), id_less);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || l->id[i] != l->id[i - 1])
			l->id[k++] = l->id[i];
	l->n = k;
}

/* ---- order of flows ---- */

static int end_order(const struct endpoint *a, const struct endpoint *b)
{
	int c = ip_compare(&a->ip, &b->ip);

	return c ? c : (a->port > b->port) - (a->port < b->port);
}

/* Both 5-tuples with the lower end first, so that who opened a flow does not matter. */
static int tuple_order(uint8_t pa, const struct endpoint a[2], uint8_t pb, const struct endpoint b[2])
{
	int la = end_order(&a[0], &a[1]) > 0, lb = end_order(&b[0], &b[1]) > 0;
	int c = (pa > pb) - (pa < pb);

	if (c == 0)
		c = end_order(&a[la], &b[lb]);
	return c ? c : end_order(&a[!la], &b[!lb]);
}

static int by_tuple_order(const void *a, const void *b, void *flows)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct flow *x = (const struct flow *)flows + i, *y = (const struct flow *)flows + k;
	int c = tuple_order(x->head.proto, x->head.end, y->head.proto, y->head.end);

	if (c == 0)
		c = (x->head.first_us > y->head.first_us) - (x->head.first_us < y->head.first_us);
	return c ? c : (i > k) - (i < k);
}

static int by_host_order(const void *a, const void *b)
{
	const struct host_flow *x = a, *y = b;
	int c = ip_compare(&x->ip, &y->ip);

	if (c == 0)
		c = (x->flow > y->flow) - (x->flow < y->flow);
	return c ? c : x->end - y->end;
}

static enum status index_make(struct seen *s, struct arena *a, struct err *e)
{
	size_t n = s->rec.n_flow;

	s->by_tuple = arena_array(a, n + 1, sizeof(*s->by_tuple));
	s->by_host = arena_array(a, 2 * n + 1, sizeof(*s->by_host));
	if (!s->by_tuple || !s->by_host)
		return err_nomem(e);
	for (uint32_t i = 0; i < n; i++) {
		s->by_tuple[i] = i;
		for (uint8_t k = 0; k < 2; k++)
			s->by_host[2 * i + k] = (struct host_flow){s->rec.flow[i].head.end[k].ip, i, k};
	}
	qsort_r(s->by_tuple, n, sizeof(*s->by_tuple), by_tuple_order, s->rec.flow);
	qsort(s->by_host, 2 * n, sizeof(*s->by_host), by_host_order);
	return STATUS_OK;
}

/* ---- copies of one flow ---- */

static uint32_t root_of(uint32_t *root, uint32_t i)
{
	while (root[i] != i)
		i = root[i] = root[root[i]];
	return i;
}

static void join(uint32_t *root, uint32_t a, uint32_t b)
{
	a = root_of(root, a);
	b = root_of(root, b);
	root[a > b ? a : b] = a > b ? b : a;
}

/* One 5-tuple, two points, overlapping times: one flow. */
static bool copies(const struct flow *a, const struct flow *b, int64_t skew)
{
	return tuple_order(a->head.proto, a->head.end, b->head.proto, b->head.end) == 0 &&
	       strcmp(a->head.point, b->head.point) != 0 && a->head.first_us <= b->last_us + skew &&
	       b->head.first_us <= a->last_us + skew;
}

/* Which ends of a copy, that stand the same way round, are not the other's. */
static uint8_t moved_from(const struct flow *f, const struct flow *of)
{
	uint8_t moved = MOVED_COPY;

	for (int k = 0; k < 2; k++)
		if (!endpoint_equal(&f->head.end[k], &of->head.end[k]))
			moved = (uint8_t)(moved | 1 << k);
	return moved;
}

static void copies_join(struct seen *s, uint32_t *root, int64_t skew)
{
	for (uint32_t i = 0; i < s->rec.n_flow; i++) {
		const struct flow *f = &s->rec.flow[i];
		root[i] = i;
		if (!f->rewrite_of)
			continue;
		s->moved[i] |= moved_from(f, f->rewrite_of);
		s->moved[f->rewrite_of - s->rec.flow] |= s->moved[i];
	}
	for (uint32_t i = 0; i < s->rec.n_flow; i++) /* what one copy's end is not, another's may be */
		if (s->rec.flow[i].rewrite_of)
			s->moved[i] |= s->moved[s->rec.flow[i].rewrite_of - s->rec.flow];
	for (size_t i = 0; i < s->rec.n_flow; i++) {
		const struct flow *f = &s->rec.flow[s->by_tuple[i]];
		if (f->rewrite_of)
			join(root, s->by_tuple[i], (uint32_t)(f->rewrite_of - s->rec.flow));
		if (i && copies(&s->rec.flow[s->by_tuple[i - 1]], f, skew))
			join(root, s->by_tuple[i - 1], s->by_tuple[i]);
	}
}

static enum status talks_make(struct seen *s, int64_t skew, struct arena *a, struct err *e)
{
	size_t n = s->rec.n_flow;
	uint32_t *root = arena_array(a, n + 1, sizeof(*root));

	s->talk_of = arena_array(a, n + 1, sizeof(*s->talk_of));
	s->talk = arena_array(a, n + 1, sizeof(*s->talk));
	s->moved = arena_array(a, n + 1, sizeof(*s->moved));
	if (!root || !s->talk_of || !s->talk || !s->moved)
		return err_nomem(e);
	copies_join(s, root, skew);
	for (uint32_t i = 0; i < n; i++) { /* a root is the lowest of its copies */
		const struct flow *f = &s->rec.flow[i];
		uint64_t bytes = f->count[0].frame_bytes + f->count[1].frame_bytes;
		uint32_t r = root_of(root, i);
		if (r == i) {
			s->talk_of[i] = (uint32_t)s->n_talk;
			s->talk[s->n_talk++] = (struct talk){.flow = i};
		}
		s->talk_of[i] = s->talk_of[r];
		struct talk *t = &s->talk[s->talk_of[i]];
		t->bytes = bytes > t->bytes ? bytes : t->bytes;
	}
	return STATUS_OK;
}

/* ---- how much of the window a point saw ---- */

/* Did the point record a whole day of the window?  Not where some of it was erased. */
static bool point_covered(struct seen *s, const char *point)
{
	size_t n;
	struct span *blind = recording_blind(&s->rec, point, s->window, &n);
	int64_t sees = s->window.to_us - s->window.from_us;

	for (size_t i = 0; i < n; i++)
		sees -= blind[i].to_us - blind[i].from_us;
	return blind && sees >= DAY_US;
}

static enum status coverage_mark(struct seen *s, struct arena *a, struct err *e)
{
	s->covered = arena_array(a, s->rec.n_flow + 1, sizeof(*s->covered));
	if (!s->covered)
		return err_nomem(e);
	for (size_t i = 0; i < s->rec.n_coverage && s->erased == 0; i++) {
		const char *point = s->rec.coverage[i].point;
		if ((i && strcmp(point, s->rec.coverage[i - 1].point) == 0) || !point_covered(s, point))
			continue;
		for (size_t k = 0; k < s->rec.n_flow; k++)
			s->covered[k] = s->covered[k] || strcmp(s->rec.flow[k].head.point, point) == 0;
	}
	return STATUS_OK;
}

/* ---- reading ---- */

static enum status window_read(struct seen *s, const struct plan_param *p, struct err *e)
{
	struct store_stat stat;
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1, .heads_only = true};
	enum status st = store_stat_read(&stat, p->w, p->dir, e);

	s->window = s->recorded = (struct span){0, -1};
	s->whole = true;
	if (st != STATUS_OK || stat.span.from_us > stat.span.to_us)
		return st;
	s->window = (struct span){stat.span.to_us - p->cfg->look_back_us, stat.span.to_us};
	s->whole = stat.span.from_us >= s->window.from_us;
	s->recorded = (struct span){s->whole ? stat.span.from_us : s->window.from_us, stat.span.to_us};
	if (!s->whole)
		q.since.us = s->window.from_us;
	st = forgotten_flows(&s->erased, p->dir, s->window, e);
	if (st == STATUS_OK)
		st = recording_read(&s->rec, p->w, p->dir, &q, e);
	if (st == STATUS_OK && s->rec.n_flow == 0) /* a time that was seen, and of which nothing is left */
		s->recorded = (struct span){0, -1};
	return st;
}

enum status seen_read(struct seen *to, const struct plan_param *p, struct arena *a, struct err *e)
{
	*to = (struct seen){0};
	enum status s = window_read(to, p, e);

	if (s == STATUS_OK && to->rec.n_flow >= NO_INDEX / 2)
		s = err_set(e, STATUS_MACHINE,
			"%zu flows in look_back: more than a plan can count; shorten it", to->rec.n_flow);
	if (s == STATUS_OK)
		s = index_make(to, a, e);
	if (s == STATUS_OK)
		s = talks_make(to, p->cfg->clock_skew_us, a, e);
	return s == STATUS_OK ? coverage_mark(to, a, e) : s;
}

void seen_free(struct seen *s)
{
	recording_free(&s->rec);
	*s = (struct seen){0};
}

/* ---- looking up ---- */

/* The first of by_tuple that is not before the tuple. */
static size_t tuple_first(const struct seen *s, uint8_t proto, const struct endpoint end[2])
{
	size_t lo = 0, hi = s->rec.n_flow;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct flow_head *h = &s->rec.flow[s->by_tuple[mid]].head;
		if (tuple_order(h->proto, h->end, proto, end) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool seen_has_id(const struct seen *s, uint32_t flow, const char *id)
{
	const struct flow *f = &s->rec.flow[flow];
	bool has = id_match(&f->head.id, id);

	for (size_t i = 0; i < f->n_alias && !has; i++)
		has = id_match(&f->alias[i], id);
	return has;
}

/* How far t is from the flow's life; 0 inside. */
static int64_t distance(const struct flow *f, int64_t t)
{
	if (t < f->head.first_us)
		return t == INT64_MIN ? INT64_MAX : f->head.first_us - t;
	return t > f->last_us ? t - f->last_us : 0;
}

uint32_t seen_find(
	const struct seen *s, uint8_t proto, const struct endpoint end[2], const char *id, struct wall at)
{
	uint32_t best = NO_INDEX;

	for (size_t i = tuple_first(s, proto, end); i < s->rec.n_flow; i++) {
		const struct flow *f = &s->rec.flow[s->by_tuple[i]];
		if (tuple_order(f->head.proto, f->head.end, proto, end) != 0)
			break;
		if (id && seen_has_id(s, s->by_tuple[i], id))
			return s->by_tuple[i];
		if (best == NO_INDEX || distance(f, at.us) < distance(&s->rec.flow[best], at.us))
			best = s->by_tuple[i];
	}
	return best;
}

size_t seen_of_host(const struct seen *s, const struct ip *ip, size_t *first)
{
	size_t lo = 0, hi = 2 * s->rec.n_flow, n = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (ip_compare(&s->by_host[mid].ip, ip) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*first = lo;
	while (lo + n < 2 * s->rec.n_flow && ip_equal(&s->by_host[lo + n].ip, ip))
		n++;
	return n;
}

bool seen_others(const struct seen *s, uint32_t flow, const struct ip *host)
{
	const struct flow_head *h = &s->rec.flow[flow].head;
	size_t first, n = seen_of_host(s, host, &first);

	for (size_t i = first; i < first + n; i++) {
		const struct flow_head *o = &s->rec.flow[s->by_host[i].flow].head;
		if (tuple_order(h->proto, h->end, o->proto, o->end) != 0)
			return true;
	}
	return false;
}
