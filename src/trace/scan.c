/* Scan: which of my hosts relay now?  Every pair of flows that were alive together at an own host is tested,
 * and M is the number of all those pairs over all hosts, since all were searched.
 *
 * The pair's orientation: the leg that the host answered is IN and the one it opened is OUT; where it opened
 * both (reverse tunnel) or neither (rendezvous), the older one is IN.  The link test mixes both ways of the
 * session, so a pair is tested once. */
#include "trace/tracer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct tracer *t;
	const struct scan_param *p;
	struct scan_sum *sum;
	struct recording rec;
	struct view *view; /* own hosts with at least two flows */
	size_t n_view;
	uint64_t pairs, done;
	double needed;
};

/* One end of a flow. */
struct end_of {
	struct ip ip;
	struct flow *flow;
};

static int by_ip(const void *a, const void *b)
{
	const struct end_of *x = a, *y = b;
	int c = ip_compare(&x->ip, &y->ip);

	return c ? c : (x->flow > y->flow) - (x->flow < y->flow);
}

static bool view_make(struct scan *sc, const struct end_of *end, size_t n)
{
	struct view *v = &sc->view[sc->n_view++];

	*v = (struct view){.host = end->ip, .rec = &sc->rec};
	v->by_tuple = arena_array(&sc->rec.arena, n, sizeof(*v->by_tuple));
	for (size_t i = 0; v->by_tuple && i < n; i++)
		v->by_tuple[v->n++] = end[i].flow;
	if (v->by_tuple)
		view_sort(v);
	return v->by_tuple != NULL;
}

/* A view for each own host, all on the one recording. */
static enum status views(struct scan *sc, struct err *e)
{
	struct arena *a = &sc->rec.arena;
	struct end_of *end = arena_array(a, 2 * sc->rec.n_flow + 1, sizeof(*end));
	size_t n = 0;

	sc->view = arena_array(a, 2 * sc->rec.n_flow + 1, sizeof(*sc->view));
	if (!end || !sc->view)
		return err_nomem(e);
	for (size_t i = 0; i < sc->rec.n_flow; i++) {
		struct flow *f = &sc->rec.flow[i];
		for (int side = 0; side < 2; side++)
			if (config_owns(sc->t->cfg, &f->head.end[side].ip) &&
				!(side && ip_equal(&f->head.end[0].ip, &f->head.end[1].ip)))
				end[n++] = (struct end_of){f->head.end[side].ip, f};
	}
	qsort(end, n, sizeof(*end), by_ip);
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && ip_equal(&end[i].ip, &end[j].ip); j++)
			;
		if (j - i > 1 && !view_make(sc, &end[i], j - i))
			return err_nomem(e);
	}
	return STATUS_OK;
}

/* A pair's slack: clocks of two points may differ. */
static bool is_pair(const struct scan *sc, const struct flow *a, const struct flow *b)
{
	int64_t skew = sc->t->cfg->clock_skew_us;
	int64_t slack = strcmp(a->head.point, b->head.point) == 0 ? 0 : skew;

	return flow_carries(a) && flow_carries(b) && flow_overlap(a, b, slack) && !flow_same(a, b, skew) &&
	       !flow_rewritten(a, b);
}

typedef enum status (*pair_fn)(
	struct scan *sc, struct view *v, const struct flow *a, const struct flow *b, struct err *e);

static bool stopped(const struct scan *sc)
{
	return sc->p->stop && *sc->p->stop;
}

/* Calls fn for every pair at v's host; flows are sorted by first packet, so the inner loop ends where
 * overlap does. */
static enum status pairs(struct scan *sc, struct view *v, pair_fn fn, struct err *e)
{
	const struct flow **f;
	size_t n;
	enum status s = view_flows(v, "", sc->t->cfg->clock_skew_us, &f, &n, e);

	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		for (size_t k = i + 1; k < n && s == STATUS_OK && !stopped(sc); k++) {
			if (f[k]->head.first_us > f[i]->last_us + sc->t->cfg->clock_skew_us)
				break;
			if (is_pair(sc, f[i], f[k]))
				s = fn(sc, v, f[i], f[k], e);
		}
	}
	return s;
}

static enum status count_pair(
	struct scan *sc, struct view *v, const struct flow *a, const struct flow *b, struct err *e)
{
	(void)v;
	(void)a;
	(void)b;
	(void)e;
	sc->pairs++;
	return STATUS_OK;
}

/* Did host open f? */
static bool opened(const struct flow *f, const struct ip *host)
{
	return flow_side(f, host) == flow_opener(f);
}

static int by_host(const void *host, const void *view)
{
	return ip_compare(host, &((const struct view *)view)->host);
}

/* Does the view of a host behind translation have this pair too?  What the translator's address opened, the
 * host behind it opened first: the link is that host's, and is told once. */
static bool told_inside(
	const struct scan *sc, const struct view *v, const struct flow *a, const struct flow *b)
{
	for (int turn = 0; turn < 2; turn++) {
		const struct flow *out = turn ? b : a, *in = turn ? a : b, *inner = out->rewrite_of;
		if (!inner || !opened(out, &v->host) || flow_side(inner, &v->host) >= 0)
			continue;
		const struct view *w = bsearch(&inner->head.end[flow_opener(inner)].ip, sc->view, sc->n_view,
			sizeof(*sc->view), by_host);
		for (size_t i = 0; w && i < w->n; i++)
			if (flow_rewritten(w->by_tuple[i], in))
				return true;
	}
	return false;
}

static const char *role_of(const struct scan *sc, const struct scan_link *l)
{
	bool in = opened(l->in, &l->relay), out = opened(l->out, &l->relay);

	if (relay_declared(sc->t->cfg, l->in, &l->relay))
		return "declared";
	if (!in && out)
		return "relay";
	return in ? "reverse" : "rendezvous";
}

static enum status test_pair(
	struct scan *sc, struct view *v, const struct flow *a, const struct flow *b, struct err *e)
{
	/* a is the older one */
	bool turn = opened(a, &v->host) && !opened(b, &v->host);
	struct scan_link l = {
		.relay = v->host, .in = turn ? b : a, .out = turn ? a : b, .needed = sc->needed};
	const struct meeting *m;
	struct relink p;
	if (told_inside(sc, v, a, b))
		return STATUS_OK;
	enum status s = meeting_get(v, l.in->head.point, l.out->head.point, sc->t->cfg->clock_skew_us, &m, e);
	if (s != STATUS_OK)
		return s;
	pair_of(&p, v, m, l.in, l.out, l.needed);
	s = relink_test(&sc->t->room, &p, &l.link, e);
	if (s != STATUS_OK)
		return s;
	if (sc->p->progress && ++sc->done % 64 == 0)
		sc->p->progress(sc->p->self, sc->done, sc->pairs);
	l.role = role_of(sc, &l);
	sc->sum->proven += l.link.verdict == LINK_PROVEN;
	sc->sum->undecidable += l.link.verdict == LINK_UNDECIDABLE;
	sc->sum->declared += l.link.verdict == LINK_PROVEN && strcmp(l.role, "declared") == 0;
	if (l.link.verdict != LINK_PROVEN && !sc->p->all)
		return STATUS_OK;
	return sc->p->found(sc->p->self, &l, e);
}

/* Translated copies at this host: told apart from relays, and listed only where everything is. */
static enum status rewritten(struct scan *sc, struct view *v, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < v->n && s == STATUS_OK; i++) {
		const struct flow *f = v->by_tuple[i];
		if (!f->rewrite_of || flow_same(f, f->rewrite_of, sc->t->cfg->clock_skew_us))
			continue;
		struct scan_link l = {.relay = v->host,
			.in = f->rewrite_of,
			.out = f,
			.needed = sc->needed,
			.role = "rewritten"};
		l.link.verdict = LINK_UNDECIDABLE;
		l.link.first_sufficient_us = -1;
		sc->sum->rewritten++;
		if (sc->p->all)
			s = sc->p->found(sc->p->self, &l, e);
	}
	return s;
}

static enum status each_host(struct scan *sc, pair_fn fn, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < sc->n_view && s == STATUS_OK && !stopped(sc); i++) {
		struct view *v = &sc->view[i];
		s = pairs(sc, v, fn, e);
		if (s == STATUS_OK && fn == test_pair)
			s = rewritten(sc, v, e);
	}
	return s;
}

enum status trace_scan(struct tracer *t, const struct scan_param *p, struct scan_sum *sum, struct err *e)
{
	struct scan sc = {.t = t, .p = p, .sum = sum};
	struct store_query q = {
		.since = p->since, .until = p->until, .port = -1, .gap_us = BURST_GAP_RECORDED_US};

	*sum = (struct scan_sum){0};
	enum status s = recording_read(&sc.rec, t->w, t->dir, &q, e);
	if (s != STATUS_OK)
		return s;
	s = views(&sc, e);
	if (s == STATUS_OK)
		s = each_host(&sc, count_pair, e);
	sum->flows = sc.rec.n_flow;
	sum->hosts = sc.n_view;
	sum->pairs = sc.pairs;
	sc.needed = -log10(t->alpha) + (sc.pairs ? log10((double)sc.pairs) : 0);
	if (s == STATUS_OK)
		s = each_host(&sc, test_pair, e);
	sum->stopped = stopped(&sc);
	recording_free(&sc.rec);
	return s;
}
