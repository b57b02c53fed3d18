/* One hop: which of a host's flows fed the flow that left it.
 *
 * First flow by flow: a candidate is every other flow of the host that carried payload and was alive while
 * OUT was.  A flow seen at two points is one candidate, tested where OUT was seen if it was seen there too.
 * The copies of OUT before and after translation are OUT, not candidates.
 *
 * Then taken together, where OUT is one of several short flows to one service: everything else that is an
 * aggregate, or is in none, against OUT's aggregate.  A proxy's client whose flows are as short, and a tunnel
 * that carries them all, are found here.
 *
 * M is the number of all these pairs, whatever the test says of each (requirement 6 of the link test), and
 * `needed` the same for all of them, fixed before the first is tested. */
#include "trace/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

/* Proven first; then what has the number but not the order of a relay; then what is merely weak; last what
 * cannot be told from timing at all.  So a hop is undecidable only where its best evidence is, or where every
 * candidate is. */
static double rank(const struct candidate *c, double needed)
{
	double e = c->link.max_log10_e;

	switch (c->link.verdict) {
	case LINK_PROVEN:
		return 2e6 + e;
	case LINK_UNDECIDABLE:
		return e >= needed ? 1e6 + e : -1e6 + e;
	case LINK_INSUFFICIENT:
		break;
	}
	return e;
}

/* Keeps the best and, in order, the runners-up. */
static void keep(struct hop *hop, const struct candidate *c)
{
	struct candidate down = *c;

	if (!hop->best.flow || rank(c, hop->needed) > rank(&hop->best, hop->needed)) {
		down = hop->best;
		hop->best = *c;
	}
	for (size_t i = 0; down.flow && i < TRACE_RIVALS; i++) {
		if (i == hop->n_rival) {
			hop->rival[hop->n_rival++] = down;
			return;
		}
		if (rank(&down, hop->needed) > rank(&hop->rival[i], hop->needed)) {
			struct candidate c2 = hop->rival[i];
			hop->rival[i] = down;
			down = c2;
		}
	}
}

static enum status proven_add(struct search *s, const struct candidate *c, struct err *e)
{
	if (!grow(&s->proven, &s->cap, s->n_proven, 1, sizeof(*s->proven)))
		return err_nomem(e);
	s->proven[s->n_proven++] = *c;
	return STATUS_OK;
}

/* Tests in as the in-leg of out and keeps it where it belongs. */
static enum status test_one(struct search *s, const struct flow *in, const struct flow *out, struct err *e)
{
	struct candidate c = {.flow = in};
	const struct meeting *m;
	enum status st = meeting_get(s->v, in->head.point, out->head.point, s->t->cfg->clock_skew_us, &m, e);

	if (st != STATUS_OK)
		return st;
	pair_of(&c.pair, s->v, m, in, out, s->hop->needed);
	st = relink_test(&s->t->room, &c.pair, &c.link, e);
	if (st != STATUS_OK)
		return st;
	tracer_settle(s->t, &c.link);
	if (is_aggregate(out) && out != s->out)
		st = member_settle(&c, s->out, &s->v->host, e);
	if (st == STATUS_OK && c.link.verdict == LINK_PROVEN)
		st = proven_add(s, &c, e);
	keep(s->hop, &c);
	return st;
}

/* ---- candidates ---- */

static int64_t slack(const struct flow *in, const struct flow *out, int64_t skew)
{
	return strcmp(in->head.point, out->head.point) == 0 ? 0 : skew;
}

static bool is_candidate(const struct flow *f, const struct flow *out, int64_t skew)
{
	return flow_carries(f) && flow_overlap(f, out, slack(f, out, skew)) && !flow_same(f, out, skew) &&
	       !flow_rewritten(f, out);
}

static enum status flows_find(struct search *s, const struct together *g, struct err *e)
{
	int64_t skew = s->t->cfg->clock_skew_us;

	s->flow = calloc(g->n + 1, sizeof(*s->flow));
	if (!s->flow)
		return err_nomem(e);
	for (size_t i = 0; i < g->n && !is_aggregate(s->out); i++)
		if (is_candidate(g->flow[i], s->out, skew))
			s->flow[s->n_flow++] = g->flow[i];
	return STATUS_OK;
}

/* Of translated copies the first. */
static const struct flow *root_of(const struct flow *f)
{
	return f->rewrite_of ? f->rewrite_of : f;
}

static int by_address(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;

	return (x > y) - (x < y);
}

static bool among(const struct flow *const *list, size_t n, const struct flow *f)
{
	return n && bsearch(&f, list, n, sizeof(*list), by_address);
}

/* The translated copies, under other addresses, of what agg has: they are OUT, too. */
static enum status copies_find(struct search *s, const struct flow *agg, struct err *e)
{
	const struct view *v = s->v;
	int64_t skew = s->t->cfg->clock_skew_us;
	size_t n = 0;
	const struct flow **root = calloc(v->n + 1, sizeof(*root));

	s->copy = calloc(v->n + 1, sizeof(*s->copy));
	for (size_t i = 0; root && i < v->n; i++) {
		const struct flow *f = v->by_tuple[i], *r = root_of(f);
		if (f != r && (aggregate_has(agg, f, skew) || aggregate_has(agg, r, skew)))
			root[n++] = r;
	}
	if (n)
		qsort(root, n, sizeof(*root), by_address);
	for (size_t i = 0; s->copy && n && i < v->n; i++)
		if (among(root, n, root_of(v->by_tuple[i])) && !aggregate_has(agg, v->by_tuple[i], skew))
			s->copy[s->n_copy++] = v->by_tuple[i];
	free(root);
	return root && s->copy ? STATUS_OK : err_nomem(e);
}

static bool is_copy(const struct search *s, const struct flow *leg)
{
	for (size_t i = 0; i < s->n_copy; i++)
		if (s->copy[i] == leg || (is_aggregate(leg) && aggregate_has(leg, s->copy[i], 0)))
			return true;
	return false;
}

/* What stands against OUT's aggregate. */
static enum status legs_find(struct search *s, const struct together *g, struct err *e)
{
	int64_t skew = s->t->cfg->clock_skew_us;
	const struct flow *out = s->out;

	s->leg = calloc(g->n_leg + 1, sizeof(*s->leg));
	if (!s->leg)
		return err_nomem(e);
	for (size_t i = 0; i < g->n_aggregate && !is_aggregate(out) && !s->all; i++)
		if (strcmp(g->leg[i]->head.point, out->head.point) == 0 && aggregate_has(g->leg[i], out, 0))
			s->all = g->leg[i];
	if (is_aggregate(out))
		s->all = out;
	if (!s->all)
		return STATUS_OK;
	enum status st = copies_find(s, s->all, e);
	for (size_t i = 0; i < g->n_leg && st == STATUS_OK; i++) {
		const struct flow *f = g->leg[i];
		if (is_candidate(f, s->all, skew) && !aggregate_has(s->all, f, skew) && !is_copy(s, f))
			s->leg[s->n_leg++] = f;
	}
	return st;
}

/* ---- the hop ---- */

/* What is proven of the flow itself says more than what is proven of many: then the legs need no test. */
static enum status test_all(struct search *s, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < s->n_flow && st == STATUS_OK; i++)
		st = test_one(s, s->flow[i], s->out, e);
	if (s->n_proven)
		return st;
	for (size_t i = 0; i < s->n_leg && st == STATUS_OK; i++)
		st = test_one(s, s->leg[i], s->all, e);
	return st;
}

enum status search_hop(
	struct tracer *t, struct view *v, const struct flow *out, struct hop *hop, struct err *e)
{
	struct search s = {.t = t, .v = v, .hop = hop, .out = out};
	const struct together *g;
	enum status st = together_get(v, out->head.point, t->cfg->clock_skew_us, &g, e);

	*hop = (struct hop){.relay = v->host, .out = out};
	if (st == STATUS_OK)
		st = flows_find(&s, g, e);
	if (st == STATUS_OK)
		st = legs_find(&s, g, e);
	hop->searched = s.n_flow + s.n_leg;
	hop->needed = -log10(t->alpha) + (hop->searched ? log10((double)hop->searched) : 0);
	if (st == STATUS_OK)
		st = test_all(&s, e);
	if (st == STATUS_OK)
		rivals_settle(&s);
	if (hop->best.flow)
		hop->out = hop->best.pair.out;
	free(s.flow);
	free(s.leg);
	free(s.copy);
	free(s.proven);
	return st;
}
