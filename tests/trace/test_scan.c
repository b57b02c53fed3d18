/* Scan against the exhaustive search: every pair of a recording enumerated and tested one by one, at hosts
 * and between them, at one observation point and at several, on clocks that differ, with blind spans and
 * copies; against trace, where several flows explain one; the same from any number of threads; stopped in the
 * middle. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scan_gen.h"
#include "trace/search.h"

#define MOST 512 /* links of one recording */

struct link_of {
	struct id in, out;
	struct ip relay, relay_out;
	double log10_e;
};

struct links {
	struct link_of l[MOST];
	size_t n;
	struct link_of rival[MOST]; /* withheld since another flow explains it too */
	size_t n_rival;
	int stop_after; /* results; 0: never */
	volatile int stop;
};

struct place {
	char dir[64];
	struct config cfg;
	struct tracer *t;
};

static void place_make(struct place *p, const struct scan_gen *g)
{
	struct err e = {0};

	memset(p, 0, sizeof(*p));
	strcpy(p->dir, "/tmp/weir-test-scan-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(scan_gen_write(g, p->dir, &e), STATUS_OK);
	assert_int_equal(config_load(&p->cfg, p->dir, &e), STATUS_OK);
	static struct prefix own;
	assert_true(prefix_parse(&own, "10.0.0.0/8"));
	p->cfg.own = &own;
	p->cfg.n_own = 1;
	assert_int_equal(tracer_open(&p->t, &world_real, p->dir, &p->cfg, 1e-3, &e), STATUS_OK);
}

static void place_end(struct place *p)
{
	char cmd[128];

	tracer_close(p->t);
	p->cfg.own = NULL;
	p->cfg.n_own = 0;
	config_free(&p->cfg);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", p->dir);
	assert_int_equal(system(cmd), 0);
}

static enum status on_link(void *self, const struct scan_link *l, struct err *e)
{
	struct links *to = self;

	(void)e;
	assert_non_null(l->pair);
	assert_ptr_equal(l->pair->in, l->in);
	assert_ptr_equal(l->pair->out, l->out);
	if (l->link.reason == LINK_REASON_RIVAL) {
		assert_int_equal(l->link.verdict, LINK_UNDECIDABLE);
		assert_true(to->n_rival < MOST && l->link.max_log10_e >= l->needed);
		to->rival[to->n_rival++] = (struct link_of){
			l->in->head.id, l->out->head.id, l->relay, l->relay_out, l->link.max_log10_e};
	}
	if (l->link.verdict != LINK_PROVEN)
		return STATUS_OK;
	assert_true(to->n < MOST);
	to->l[to->n++] = (struct link_of){
		l->in->head.id, l->out->head.id, l->relay, l->relay_out, l->link.max_log10_e};
	if (to->stop_after && to->n >= (size_t)to->stop_after)
		to->stop = 1;
	return STATUS_OK;
}

static void scan_of(
	struct place *p, bool any, bool all, size_t threads, struct links *to, struct scan_sum *sum)
{
	struct err e = {0};
	struct scan_param q = {.since = WALL_BEGIN,
		.until = WALL_END,
		.all = all,
		.any_host = any,
		.threads = threads,
		.stop = &to->stop,
		.found = on_link,
		.self = to};

	to->n = to->n_rival = 0;
	to->stop = 0;
	assert_int_equal(trace_scan(p->t, &q, sum, &e), STATUS_OK);
}

/* The exhaustive search: a leg is a flow at an own end of it. */
struct leg {
	const struct flow *f;
	struct ip host;
	bool opened;
};

struct slow {
	struct place *p;
	struct view v; /* the whole recording */
	struct leg *leg;
	size_t n;
	uint64_t pairs;
	double needed; /* 0: count only */
	struct links *to;
};

static bool turned(const struct leg *a, const struct leg *b)
{
	return a->opened && !b->opened;
}

/* The view of the pair's host, or of the whole recording where there are two: clocks come from it. */
static void slow_view(struct slow *s, const struct leg *in, const struct leg *out, struct view *v)
{
	bool one = ip_equal(&in->host, &out->host);

	*v = s->v;
	v->meetings = NULL;
	if (!one)
		return;
	v->n = 0;
	v->host = in->host;
	v->by_tuple = arena_array(&v->rec->arena, s->v.n + 1, sizeof(*v->by_tuple));
	for (size_t i = 0; i < s->v.n; i++)
		if (flow_side(s->v.by_tuple[i], &in->host) >= 0)
			v->by_tuple[v->n++] = s->v.by_tuple[i];
}

static void slow_pair(struct slow *s, const struct leg *in, const struct leg *out)
{
	int64_t skew = s->p->cfg.clock_skew_us;
	bool apart = strcmp(in->f->head.point, out->f->head.point) != 0;
	struct relink_room room = {0};
	const struct meeting *m;
	struct link_result r;
	struct err e = {0};
	struct view v;

	if (in->f == out->f || !flow_overlap(in->f, out->f, apart ? skew : 0) ||
		flow_same(in->f, out->f, skew))
		return;
	s->pairs++;
	if (s->needed == 0)
		return;
	slow_view(s, in, out, &v);
	assert_int_equal(meeting_get(&v, in->f->head.point, out->f->head.point, skew, &m, &e), STATUS_OK);
	int in_way = !flow_side(in->f, &in->host);
	struct relink q = {.in = in->f,
		.out = out->f,
		.in_way = in_way,
		.out_way = flow_side(out->f, &out->host),
		.in_opened = flow_opener(in->f) != in_way,
		.apart = m->apart,
		.clock = m->clock,
		.blind = m->blind,
		.n_blind = m->n_blind,
		.needed = s->needed};
	assert_int_equal(relink_test(&room, &q, &r, &e), STATUS_OK);
	relink_free(&room);
	if (r.verdict == LINK_PROVEN)
		s->to->l[s->to->n++] =
			(struct link_of){in->f->head.id, out->f->head.id, in->host, out->host, r.max_log10_e};
}

static void slow_all(struct slow *s, bool any, double needed)
{
	s->pairs = 0;
	s->needed = needed;
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->n; k++) {
			const struct leg *a = &s->leg[i], *b = &s->leg[k];
			bool one = ip_equal(&a->host, &b->host);
			if (one && i < k) /* a is the older one */
				slow_pair(s, turned(a, b) ? b : a, turned(a, b) ? a : b);
			if (!one && any && !a->opened && b->opened)
				slow_pair(s, a, b);
		}
}

/* Flows as the scan has them, each once; legs in the order of their first packet. */
static void slow_legs(struct slow *s, struct recording *rec)
{
	const struct flow **f;
	struct err e = {0};
	size_t n;

	s->v = (struct view){.rec = rec, .n = rec->n_flow};
	s->v.by_tuple = arena_array(&rec->arena, rec->n_flow + 1, sizeof(*s->v.by_tuple));
	for (size_t i = 0; i < rec->n_flow; i++)
		s->v.by_tuple[i] = &rec->flow[i];
	view_sort(&s->v);
	assert_int_equal(view_flows(&s->v, "", s->p->cfg.clock_skew_us, &f, &n, &e), STATUS_OK);
	s->leg = arena_array(&rec->arena, 2 * n + 1, sizeof(*s->leg));
	s->n = 0;
	for (size_t i = 0; i < n; i++)
		for (int side = 0; side < 2; side++)
			if (flow_carries(f[i]) && config_owns(&s->p->cfg, &f[i]->head.end[side].ip))
				s->leg[s->n++] = (struct leg){
					f[i], f[i]->head.end[side].ip, flow_opener(f[i]) == side};
}

static int link_order(const void *a, const void *b)
{
	const struct link_of *x = a, *y = b;
	int c = id_order(&x->in, &y->in);

	return c ? c : id_order(&x->out, &y->out);
}

static void links_equal(struct links *a, struct links *b)
{
	qsort(a->l, a->n, sizeof(a->l[0]), link_order);
	qsort(b->l, b->n, sizeof(b->l[0]), link_order);
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(link_order(&a->l[i], &b->l[i]), 0);
		assert_true(ip_equal(&a->l[i].relay, &b->l[i].relay));
		assert_true(ip_equal(&a->l[i].relay_out, &b->l[i].relay_out));
		assert_true(a->l[i].log10_e == b->l[i].log10_e);
	}
}

static struct links fast, slow;

/* Returns how many links both found. */
static size_t compare(const struct scan_gen *g, bool any)
{
	struct store_query q = {
		.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = BURST_GAP_RECORDED_US};
	struct slow s = {.to = &slow};
	struct recording rec;
	struct scan_sum sum;
	struct place p;
	struct err e = {0};

	place_make(&p, g);
	scan_of(&p, any, false, 0, &fast, &sum);
	s.p = &p;
	assert_int_equal(recording_read(&rec, &world_real, p.dir, &q, &e), STATUS_OK);
	slow_legs(&s, &rec);
	slow_all(&s, any, 0);
	assert_int_equal(sum.pairs, s.pairs);
	assert_int_equal(sum.searched, s.pairs);
	slow.n = 0;
	slow_all(&s, any, -log10(1e-3) + log10((double)s.pairs));
	print_message("# %llu pairs, %llu tested, %zu links\n", (unsigned long long)sum.pairs,
		(unsigned long long)sum.tested, fast.n);
	links_equal(&fast, &slow);
	assert_true(sum.tested < sum.pairs);
	recording_free(&rec);
	place_end(&p);
	return fast.n;
}

static const struct scan_gen base = {
	.seed = 7, .in = 40, .out = 40, .hosts = 4, .seconds = 240, .span = 240, .rate = 2, .links = 8};

static void hosts_as_exhaustive(void **state)
{
	struct scan_gen g = base;

	(void)state;
	assert_true(compare(&g, false) >= 4);
	g.seed = 8;
	g.span = 600; /* not all of the time */
	g.blind = 4;
	(void)compare(&g, false);
	g.seed = 9;
	g.rate = 5;
	g.kinds = 31;
	(void)compare(&g, false);
}

static void points_as_exhaustive(void **state)
{
	struct scan_gen g = base;

	(void)state;
	g.points = 2;
	g.blind = 3;
	g.copies = true;
	g.links = 12;
	assert_true(compare(&g, false) >= 1);
	g.points = 3;
	g.seed = 11;
	(void)compare(&g, false);
}

/* Each recorder's clock is ahead of the one before: told from the flows that both saw. */
static void clocks_as_exhaustive(void **state)
{
	struct scan_gen g = base;

	(void)state;
	g.points = 2;
	g.copies = true;
	g.links = 24;
	g.clock_us = 700000;
	assert_true(compare(&g, false) >= 16);
	g.clock_us = -1300000;
	g.points = 3;
	g.seed = 11;
	assert_true(compare(&g, false) >= 16);
	g.any = true;
	g.hosts = 20;
	assert_true(compare(&g, true) >= 16);
}

static void networks_as_exhaustive(void **state)
{
	struct scan_gen g = base;

	(void)state;
	g.any = true;
	g.hosts = 20;
	assert_true(compare(&g, true) >= 4);
	g.kinds = 31;
	g.seed = 12;
	g.span = 500;
	g.blind = 2;
	(void)compare(&g, true);
	g.points = 2;
	g.copies = true;
	(void)compare(&g, true);
}

static void threads_do_not_matter(void **state)
{
	static struct links one, two;
	struct scan_gen g = base;
	struct scan_sum a, b;
	struct place p;

	(void)state;
	g.in = g.out = 600; /* some tasks */
	g.links = 30;
	g.seconds = g.span = 120;
	place_make(&p, &g);
	scan_of(&p, true, false, 1, &one, &a);
	assert_true(one.n >= 5);
	for (size_t n = 2; n <= 5; n += 3) {
		scan_of(&p, true, false, n, &two, &b);
		assert_int_equal(one.n, two.n);
		assert_memory_equal(one.l, two.l, one.n * sizeof(one.l[0])); /* the order too */
		assert_memory_equal(&a, &b, sizeof(a));
	}
	place_end(&p);
}

/* What was found until then stays; the share is said. */
static void stops_with_what_it_has(void **state)
{
	static struct links all;
	struct scan_gen g = base;
	struct scan_sum sum;
	struct place p;

	(void)state;
	g.hosts = 20;
	place_make(&p, &g);
	scan_of(&p, false, false, 2, &all, &sum);
	assert_false(sum.stopped);
	assert_true(all.n > 3);
	fast.stop_after = 2;
	scan_of(&p, false, false, 2, &fast, &sum);
	fast.stop_after = 0;
	assert_true(sum.stopped);
	assert_true(sum.searched <= sum.pairs);
	assert_true(fast.n >= 2 && fast.n <= all.n);
	size_t k = 0; /* in the same order; a task that was cut short may lack some */
	for (size_t i = 0; i < all.n && k < fast.n; i++)
		k += link_order(&fast.l[k], &all.l[i]) == 0 && fast.l[k].log10_e == all.l[i].log10_e;
	assert_int_equal(k, fast.n);
	place_end(&p);
}

/* Listing everything is the exhaustive search, and finds the same. */
static void all_finds_the_same(void **state)
{
	struct scan_gen g = base;
	struct scan_sum a, b;
	struct place p;

	(void)state;
	place_make(&p, &g);
	scan_of(&p, false, false, 2, &fast, &a);
	scan_of(&p, false, true, 2, &slow, &b);
	assert_int_equal(a.pairs, b.pairs);
	assert_int_equal(b.tested, b.pairs);
	links_equal(&fast, &slow);
	place_end(&p);
}

/* ---- rivals ---- */

static bool has_link(const struct link_of *l, size_t n, const struct flow *in, const struct flow *out)
{
	for (size_t i = 0; i < n; i++)
		if (id_order(&l[i].in, &in->head.id) == 0 && id_order(&l[i].out, &out->head.id) == 0)
			return true;
	return false;
}

/* How many of l are links of that OUT. */
static size_t links_of(const struct link_of *l, size_t n, const struct flow *out)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += id_order(&l[i].out, &out->head.id) == 0;
	return k;
}

struct rivals_told {
	size_t named, along, withheld; /* out-legs: one in-leg; one beside one that goes along; nobody */
};

/* What scan says of one out-leg against what trace says, asked about it. */
static void as_trace(struct place *p, const struct flow *out, struct rivals_told *to)
{
	struct view *v;
	struct hop hop;
	struct err e = {0};
	size_t proven = links_of(fast.l, fast.n, out), rival = links_of(fast.rival, fast.n_rival, out);

	assert_int_equal(view_get(p->t, &out->head.end[0].ip, &v, &e), STATUS_OK);
	assert_int_equal(search_hop(p->t, v, out, &hop, &e), STATUS_OK);
	if (hop.best.link.reason == LINK_REASON_RIVAL) {
		assert_int_equal(proven, 0);
		assert_true(rival >= 2);
		to->withheld++;
	} else if (hop.best.link.verdict == LINK_PROVEN) {
		assert_true(has_link(fast.l, fast.n, hop.best.flow, out));
		to->named += rival == 0;
		to->along += rival > 0;
	} else {
		assert_int_equal(proven, 0);
	}
}

/* Of each out-leg scan names whom trace names and nobody where it names nobody. */
static void rivals_as_trace(void **state)
{
	struct rivals_told told = {0};
	struct scan_gen g = base;
	struct scan_sum sum, any;
	struct recording rec;
	struct place p;
	struct err e = {0};
	struct store_query q = {
		.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = BURST_GAP_RECORDED_US};

	(void)state;
	g.links = g.rivals = 30;
	g.kinds = 1 << TRAFFIC_TYPED;
	place_make(&p, &g);
	scan_of(&p, true, true, 2, &fast, &any);
	assert_int_equal(fast.n_rival, any.rivals);
	scan_of(&p, false, false, 2, &slow, &sum); /* not told, but counted */
	assert_int_equal(slow.n_rival, 0);
	assert_true(sum.rivals > 0 && sum.undecidable >= sum.rivals);
	assert_int_equal(slow.n, sum.proven);
	scan_of(&p, false, true, 2, &fast, &sum);
	assert_int_equal(fast.n_rival, sum.rivals);
	assert_int_equal(fast.n, sum.proven);
	links_equal(&fast, &slow);
	assert_int_equal(recording_read(&rec, &world_real, p.dir, &q, &e), STATUS_OK);
	for (size_t i = 0; i < rec.n_flow; i++)
		if (config_owns(&p.cfg, &rec.flow[i].head.end[0].ip))
			as_trace(&p, &rec.flow[i], &told);
	print_message("# out-legs: %zu of one peer, %zu beside one that goes along, %zu withheld\n",
		told.named, told.along, told.withheld);
	assert_true(told.named >= 6 && told.along >= 4 && told.withheld >= 6);
	recording_free(&rec);
	place_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_as_exhaustive),
		cmocka_unit_test(points_as_exhaustive),
		cmocka_unit_test(clocks_as_exhaustive),
		cmocka_unit_test(networks_as_exhaustive),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(stops_with_what_it_has),
		cmocka_unit_test(all_finds_the_same),
		cmocka_unit_test(rivals_as_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
