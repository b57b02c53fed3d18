/* The chain: from the attack at the victim upstream, a hop at each relay, until no further leg was recorded,
 * the evidence does not suffice, or the host is outside the own networks.
 *
 * A translation (NAT, balancer) on the way is no relay: the chain goes on at the inner side of the
 * same flow. */
#include "trace/aggregate.h"
#include "trace/role.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"

/* Where g, a copy of f, comes from if it is the one before translation, else NULL.  Copies have their ends
 * the same way round.  f left host: g goes to where f goes (its source was translated) or to host itself
 * (both ends were), and comes from elsewhere.  A copy that goes on from f's other end is what became of f. */
static const struct ip *origin_of(const struct flow *g, const struct flow *f, const struct ip *host)
{
	int down = flow_side(f, host) == 0 ? 1 : 0;
	const struct ip *from = &g->head.end[!down].ip, *to = &g->head.end[down].ip;
	bool meets = ip_equal(to, &f->head.end[down].ip) || ip_equal(to, host);

	return meets && !ip_equal(from, host) ? from : NULL;
}

/* The copy of f before translation: where f really comes from.  NULL: none.  The copies share one end with f,
 * so they stand in the view of one of f's ends. */
static enum status before_translation(
	struct tracer *t, const struct flow *f, const struct ip *host, const struct flow **to, struct err *e)
{
	*to = NULL;
	for (int side = 0; side < 2 && !*to; side++) {
		struct view *v;
		const struct flow *self = NULL;
		enum status s = view_get(t, &f->head.end[side].ip, &v, e);
		if (s != STATUS_OK)
			return s;
		for (size_t i = 0; i < v->n && !self; i++)
			if (id_order(&v->by_tuple[i]->head.id, &f->head.id) == 0)
				self = v->by_tuple[i];
		for (size_t i = 0; i < v->n && self && !*to; i++) {
			const struct flow *g = v->by_tuple[i];
			if (flow_rewritten(self, g) && origin_of(g, f, host))
				*to = g;
		}
	}
	return STATUS_OK;
}

/* The copy of f to work with at host: the observation point that saw the most other flows of the host. */
static const struct flow *best_copy(const struct view *v, const struct flow *f, int64_t skew)
{
	const struct flow *best = f;
	size_t most = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct flow *g = v->by_tuple[i];
		size_t n = 0;
		if (!flow_same(g, f, skew))
			continue;
		for (size_t k = 0; k < v->n; k++)
			n += strcmp(v->by_tuple[k]->head.point, g->head.point) == 0 &&
			     flow_overlap(v->by_tuple[k], g, 0);
		if (n > most) {
			most = n;
			best = g;
		}
	}
	return best;
}

#define POINTS 16 /* of one host that are looked at */

/* How many flows of the host each point saw while f was alive; those that saw of f itself count. */
struct watch {
	const char *point;
	size_t flows;
	bool itself;
};

static size_t watches_find(struct watch to[POINTS], const struct view *v, const struct flow *f, int64_t skew)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct flow *g = v->by_tuple[i];
		size_t k = 0;
		while (k < n && strcmp(to[k].point, g->head.point) != 0)
			k++;
		if (k == POINTS || !flow_overlap(g, f, skew))
			continue;
		if (k == n)
			to[n++] = (struct watch){.point = g->head.point};
		to[k].flows++;
		to[k].itself = to[k].itself || aggregate_has(f, g, skew);
	}
	return n;
}

static int64_t common(const struct flow *a, const struct flow *b)
{
	int64_t from = a->head.first_us > b->head.first_us ? a->head.first_us : b->head.first_us;

	return (a->last_us < b->last_us ? a->last_us : b->last_us) - from;
}

/* The same of an aggregate: the one that the best point's copies of its members make. */
static enum status best_aggregate(
	struct view *v, const struct flow *f, int64_t skew, const struct flow **to, struct err *e)
{
	struct watch w[POINTS], *best = NULL;
	size_t n = watches_find(w, v, f, skew);
	const struct together *g;

	*to = f;
	for (size_t k = 0; k < n; k++)
		if (w[k].itself && (!best || w[k].flows > best->flows))
			best = &w[k];
	if (!best || strcmp(best->point, f->head.point) == 0)
		return STATUS_OK;
	enum status s = together_get(v, best->point, skew, &g, e);
	const struct flow *same = NULL;
	for (size_t i = 0; s == STATUS_OK && i < g->n_aggregate; i++)
		if (strcmp(g->leg[i]->head.point, best->point) == 0 && flow_same(g->leg[i], f, skew) &&
			(!same || common(g->leg[i], f) > common(same, f)))
			same = g->leg[i];
	*to = same ? same : f;
	return s;
}

static enum status out_at(
	struct view *v, const struct flow *f, int64_t skew, const struct flow **to, struct err *e)
{
	if (is_aggregate(f))
		return best_aggregate(v, f, skew, to, e);
	*to = best_copy(v, f, skew);
	return STATUS_OK;
}

static bool seen(const struct chain *c, const struct ip *host)
{
	for (size_t i = 0; i < c->n_hop; i++)
		if (ip_equal(&c->hop[i].relay, host))
			return true;
	return false;
}

static enum chain_end end_of(const struct hop *h)
{
	if (h->searched == 0)
		return END_NOT_RECORDED;
	if (h->best.link.verdict == LINK_UNDECIDABLE)
		return END_UNDECIDABLE;
	return END_INSUFFICIENT;
}

/* One hop at c->end_host, which *out left.  *go: whether the chain goes on, with *out and c->end_host
 * moved up. */
static enum status step(struct tracer *t, struct chain *c, const struct flow **out, bool *go, struct err *e)
{
	struct hop *h = &c->hop[c->n_hop];
	const struct flow *inner = NULL, *outer = *out;
	struct view *v;
	enum status s = before_translation(t, *out, &c->end_host, &inner, e);

	*go = false;
	if (s != STATUS_OK)
		return s;
	const struct ip *origin = inner ? origin_of(inner, *out, &c->end_host) : NULL;
	if (origin && !seen(c, origin)) {
		*out = inner;
		c->end_host = *origin;
	}
	s = view_get(t, &c->end_host, &v, e);
	const struct flow *at = NULL;
	if (s == STATUS_OK)
		s = out_at(v, *out, t->cfg->clock_skew_us, &at, e);
	if (s == STATUS_OK)
		s = search_hop(t, v, at, h, e);
	if (s != STATUS_OK)
		return s;
	h->translated = *out == outer ? NULL : outer;
	h->declared = relay_declared(t->cfg, h->best.flow, &c->end_host);
	s = role_hop(t, v, h, e);
	if (s != STATUS_OK)
		return s;
	c->searched += h->searched;
	c->end = end_of(h);
	if (h->searched == 0)
		return STATUS_OK;
	c->n_hop++;
	if (h->best.link.verdict != LINK_PROVEN)
		return STATUS_OK;
	c->n_proven++;
	*out = h->best.flow;
	c->end_host = *flow_peer(*out, &h->relay);
	*go = true;
	return STATUS_OK;
}

/* The end of the attack that it comes from; a sensor's word counts where no SYN was seen. */
static int upstream_end(const struct flow *f, const struct endpoint *said)
{
	if ((f->head.flags & FLOW_ASSUMED) && said)
		return endpoint_equal(&f->head.end[1], said) ? 1 : 0;
	return flow_opener(f);
}

enum status trace_chain(struct tracer *t, const struct flow *attack, const struct endpoint *said,
	struct chain *to, struct err *e)
{
	const struct flow *out = attack;
	enum status s = STATUS_OK;
	bool go = true;

	*to = (struct chain){.attack = attack,
		.alpha = t->alpha,
		.end_host = attack->head.end[upstream_end(attack, said)].ip,
		.end = END_DEPTH};
	to->hop = arena_array(&t->arena, TRACE_HOPS + 1, sizeof(*to->hop));
	if (!to->hop)
		return err_nomem(e);
	while (go && s == STATUS_OK) {
		to->end = END_DEPTH;
		if (to->n_hop == TRACE_HOPS)
			break;
		to->end = END_LOOP;
		if (seen(to, &to->end_host))
			break;
		to->end = END_ONE_HOST;
		if (ip_equal(&out->head.end[0].ip, &out->head.end[1].ip))
			break;
		to->end = END_OUTSIDE;
		if (!config_owns(t->cfg, &to->end_host))
			break;
		s = step(t, to, &out, &go, e);
	}
	return s;
}

char *chain_end_text(char *to, size_t n, const struct chain *c)
{
	char host[IP_TEXT], count[COUNT_TEXT];
	const struct hop *last = c->n_hop ? &c->hop[c->n_hop - 1] : NULL;

	ip_text(host, &c->end_host);
	switch (c->end) {
	case END_NOT_RECORDED:
		(void)snprintf(to, n,
			"no other flow of it with data was recorded meanwhile: what fed it is not known "
			"here");
		break;
	case END_INSUFFICIENT:
		(void)snprintf(to, n,
			"insufficient: of %s of %s none is proven to have fed it (best %.1f, needed %.1f)",
			counted(count, last->searched, "flow"), host, last->best.link.max_log10_e,
			last->needed);
		break;
	case END_UNDECIDABLE:
		(void)snprintf(
			to, n, "undecidable at %s: %s", host, link_reason_text(last->best.link.reason));
		break;
	case END_OUTSIDE:
		(void)snprintf(
			to, n, "%s is outside the own networks: only its own network can look further", host);
		break;
	case END_LOOP:
		(void)snprintf(to, n, "%s is in the chain already", host);
		break;
	case END_ONE_HOST:
		(void)snprintf(
			to, n, "the flow begins and ends on this one host: which side relays cannot be seen");
		break;
	case END_DEPTH:
		(void)snprintf(to, n, "the chain has %d relays: it is followed no further", TRACE_HOPS);
		break;
	}
	return to;
}
