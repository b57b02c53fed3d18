/* Rivals among what scan has proven at a host, by the rule that trace has (rival.c).
 *
 * Proven links come in, those of one out-leg are held against each other: where a flow of another peer
 * explains it as well as the best one does, none of them is told as proven.  Where the best one is clearly
 * better, only what comes from its peer is: whoever goes along with a cause is not the cause.  It costs a
 * look at what is proven, not at the pairs.
 *
 * Of two legs that a host opened, or that it answered, scan tests the older one as IN and no more; trace,
 * asked about the older one, has the younger as a candidate.  So that one is tested here, turned.
 *
 * Across hosts the legs of one chain explain its last one all: X -> R1, R1 -> R2 and R2 -> V.  Of two that
 * are proven to carry the same neither is the other's rival. */
#include <stdlib.h>

#include "base/grow.h"
#include "trace/scan_task.h"
#include "trace/search.h"

/* A held link, seen from one of its flows as OUT. */
struct entry {
	const struct flow *out;
	size_t at;   /* among the held */
	bool turned; /* out is its in-leg */
};

/* What explains one OUT. */
struct group {
	struct candidate *c;
	const struct scan_leg **in; /* of each candidate */
	size_t *at;                 /* of the link that it is told as; SIZE_MAX: none */
	size_t n, best;
};

static int by_out(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = (x->out > y->out) - (x->out < y->out);

	c = c ? c : (int)x->turned - (int)y->turned;
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* ---- twins ---- */

static struct scan_twins twins_of(const struct flow *a, const struct flow *b)
{
	return a < b ? (struct scan_twins){a, b} : (struct scan_twins){b, a};
}

static int by_pair(const void *a, const void *b)
{
	const struct scan_twins *x = a, *y = b;
	int c = (x->a > y->a) - (x->a < y->a);

	return c ? c : (x->b > y->b) - (x->b < y->b);
}

static enum status twins_add(struct scan *sc, struct err *e)
{
	if (!sc->p->any_host)
		return STATUS_OK;
	if (!grow(&sc->twins, &sc->cap_twins, sc->n_twins, sc->n_held, sizeof(*sc->twins)))
		return err_nomem(e);
	for (size_t i = 0; i < sc->n_held; i++) {
		const struct scan_found *f = &sc->held[i].found;
		if (!f->in->opened && f->out->opened)
			sc->twins[sc->n_twins++] = twins_of(f->in->flow, f->out->flow);
	}
	return STATUS_OK;
}

static bool are_twins(const struct scan *sc, const struct flow *a, const struct flow *b)
{
	struct scan_twins key = twins_of(a, b);

	return sc->n_twins && bsearch(&key, sc->twins, sc->n_twins, sizeof(key), by_pair);
}

/* ---- one OUT ---- */

/* The link of e as a candidate; its verdict is PROVEN if it is one. */
static enum status candidate_of(struct scan *sc, const struct entry *x, struct candidate *c,
	const struct scan_leg **to, struct err *e)
{
	const struct scan_found *f = &sc->held[x->at].found;
	const struct scan_leg *in = x->turned ? f->out : f->in, *out = x->turned ? f->in : f->out;
	const struct meeting *m = f->meeting;
	enum status s = STATUS_OK;

	if (x->turned)
		s = meeting_get(in->view, in->flow->head.point, out->flow->head.point,
			sc->t->cfg->clock_skew_us, &m, e);
	if (s != STATUS_OK)
		return s;
	*c = (struct candidate){.flow = in->flow, .link = f->link};
	*to = in;
	scan_pair(sc, m, in, out, &c->pair);
	return x->turned ? relink_test(&sc->t->room, &c->pair, &c->link, e) : STATUS_OK;
}

static const struct ip *peer_of(const struct scan_leg *l)
{
	return flow_peer(l->flow, &l->view->host);
}

/* Is the i-th another peer's than the best one, and no other part of its chain? */
static bool is_other(const struct scan *sc, const struct group *g, size_t i)
{
	const struct scan_leg *x = g->in[i], *best = g->in[g->best];

	return !ip_equal(peer_of(x), peer_of(best)) &&
	       (x->view == best->view || !are_twins(sc, x->flow, best->flow));
}

static void group_judge(struct scan *sc, const struct group *g)
{
	bool any = false;

	for (size_t i = 0; i < g->n; i++)
		any = any || (is_other(sc, g, i) && rival_explains(&g->c[g->best], &g->c[i]));
	for (size_t i = 0; i < g->n; i++)
		if (g->at[i] != SIZE_MAX)
			sc->held[g->at[i]].rival = any || is_other(sc, g, i);
}

/* x: n links of one OUT, those that it is told of first. */
static enum status group_settle(
	struct scan *sc, const struct entry *x, size_t n, struct group *g, struct err *e)
{
	enum status s = STATUS_OK;

	g->n = g->best = 0;
	for (size_t i = 0; i < n && n > 1 && !x[0].turned && s == STATUS_OK; i++) {
		struct candidate *c = &g->c[g->n];
		s = candidate_of(sc, &x[i], c, &g->in[g->n], e);
		if (s != STATUS_OK || c->link.verdict != LINK_PROVEN)
			continue;
		g->at[g->n] = x[i].turned ? SIZE_MAX : x[i].at;
		g->best = c->link.max_log10_e > g->c[g->best].link.max_log10_e ? g->n : g->best;
		g->n++;
	}
	if (s == STATUS_OK)
		group_judge(sc, g);
	return s;
}

/* ---- all that is held ---- */

static size_t entries_fill(const struct scan *sc, struct entry *to)
{
	size_t n = 0;

	for (size_t i = 0; i < sc->n_held; i++) {
		const struct scan_found *f = &sc->held[i].found;
		to[n++] = (struct entry){f->out->flow, i, false};
		if (f->in->view == f->out->view && f->in->opened == f->out->opened)
			to[n++] = (struct entry){f->in->flow, i, true};
	}
	qsort(to, n, sizeof(*to), by_out);
	return n;
}

static enum status settle_all(struct scan *sc, struct entry *x, struct group *g, struct err *e)
{
	size_t n = entries_fill(sc, x);
	enum status s = STATUS_OK;

	for (size_t i = 0, j; i < n && s == STATUS_OK; i = j) {
		for (j = i + 1; j < n && x[j].out == x[i].out; j++)
			;
		s = group_settle(sc, &x[i], j - i, g, e);
	}
	return s;
}

/* Is what is held of two hosts each? */
static bool across(const struct scan *sc)
{
	return sc->held[0].found.in->view != sc->held[0].found.out->view;
}

enum status scan_rivals(struct scan *sc, struct err *e)
{
	size_t n = 2 * sc->n_held;
	enum status s = sc->n_held ? twins_add(sc, e) : STATUS_OK;

	if (s != STATUS_OK || sc->n_held < 2)
		return s;
	if (sc->n_twins && across(sc))
		qsort(sc->twins, sc->n_twins, sizeof(*sc->twins), by_pair);
	struct entry *x = calloc(n, sizeof(*x));
	struct group g = {
		.c = calloc(n, sizeof(*g.c)), .in = calloc(n, sizeof(*g.in)), .at = calloc(n, sizeof(*g.at))};
	s = x && g.c && g.in && g.at ? settle_all(sc, x, &g, e) : err_nomem(e);
	free(x);
	free(g.c);
	free(g.in);
	free(g.at);
	return s;
}
