/* One hop: which of a host's flows fed the flow that left it.
 *
 * A candidate is every other flow of the host that carried payload and was alive while OUT was; M is their
 * number, whatever the test says of each (requirement 6 of the link test).  A flow seen at two points is one
 * candidate, tested where OUT was seen if it was seen there too.  The copies of OUT before and after
 * translation are OUT, not candidates. */
#include "trace/tracer.h"

#include <math.h>
#include <string.h>

static bool is_candidate(const struct flow *f, const struct flow *out, int64_t skew)
{
	int64_t slack = strcmp(f->head.point, out->head.point) == 0 ? 0 : skew;

	return flow_carries(f) && flow_overlap(f, out, slack) && !flow_same(f, out, skew) &&
	       !flow_rewritten(f, out);
}

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

/* Tests flow as OUT's in-leg and keeps it where it belongs. */
static enum status search_one(
	struct tracer *t, struct view *v, const struct flow *f, struct hop *hop, struct err *e)
{
	struct candidate c = {.flow = f};
	const struct meeting *m;
	enum status s = meeting_get(v, f->head.point, hop->out->head.point, t->cfg->clock_skew_us, &m, e);

	if (s != STATUS_OK)
		return s;
	pair_of(&c.pair, v, m, f, hop->out, hop->needed);
	s = relink_test(&t->room, &c.pair, &c.link, e);
	if (s != STATUS_OK)
		return s;
	keep(hop, &c);
	return STATUS_OK;
}

enum status search_hop(
	struct tracer *t, struct view *v, const struct flow *out, struct hop *hop, struct err *e)
{
	int64_t skew = t->cfg->clock_skew_us;
	const struct flow **all;
	size_t n_all, n = 0;
	enum status s = view_flows(v, out->head.point, skew, &all, &n_all, e);

	if (s != STATUS_OK)
		return s;
	for (size_t i = 0; i < n_all; i++)
		if (is_candidate(all[i], out, skew))
			all[n++] = all[i];
	*hop = (struct hop){.relay = v->host, .out = out, .searched = n};
	hop->needed = -log10(t->alpha) + (n ? log10((double)n) : 0);
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = search_one(t, v, all[i], hop, e);
	return s;
}
