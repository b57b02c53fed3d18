/* What a pair's two trains do not show, and other flows do.  It may only withhold "proven": log10 e stays a
 * pure function of the pair (requirement 7 of the link test).
 *
 * Rivals.  Two flows from different peers are both proven to have fed OUT: two people who type the same, an
 * outer tunnel and what is in it, one cause behind both.  Naming the wrong one would be a wrong block.  Where
 * one is the cause and the other only goes along with it, what goes along is further from OUT: its lag has
 * the jitter of both ways.  So the better one is named only if it has clearly more evidence and clearly the
 * steadier lag.  Flows of one peer are channels of one session and no rivals: the network that is named is
 * the same.  Of aggregates none beats another: two clients of a proxy do feed it both, each its share.
 *
 * Members.  An aggregate's proof is of all members together.  For the one that is asked about it counts only
 * if that one's bursts fall where the in-leg is active, as a relay's would. */
#include <string.h>

#include "trace/search.h"

#define CLEARLY_LOG10_E 2.0
#define SPREAD_TIMES    2
#define SPREAD_LEAST_US 1000 /* spreads that differ by less tell nothing */

#define NEAR_US    400000 /* as far as the link test's gates let a copy be behind (link_order.c) */
#define MISSED_MAX 0.25   /* the share that they let be lost */

/* ---- members ---- */

/* Is any burst of a lane running in [from, to]?  *at: where to begin, for callers whose times rise. */
static bool active(const struct flow *f, int d, int64_t from, int64_t to, size_t *at)
{
	while (*at < f->n_burst[d] && burst_end(&f->burst[d][*at]) < from)
		++*at;
	return *at < f->n_burst[d] && f->burst[d][*at].start_us <= to;
}

/* How many bursts of OUT's direction `way` have nothing of IN's direction in_way around them: before where
 * they go on what IN brought, after where IN takes on what they bring. */
static size_t missed(const struct relink *p, const struct flow *out, int way, int in_way, bool before)
{
	struct clock_fit clock = p->apart ? p->clock : (struct clock_fit){0};
	size_t n = 0, at = 0;

	for (size_t i = 0; i < out->n_burst[way]; i++) {
		int64_t from = clock_in(&clock, out->burst[way][i].start_us);
		int64_t to = clock_in(&clock, burst_end(&out->burst[way][i]));
		if (before)
			from -= NEAR_US;
		else
			to += NEAR_US;
		n += !active(p->in, in_way, from - clock.error_us, to + clock.error_us, &at);
	}
	return n;
}

void member_settle(struct candidate *c, const struct flow *out, const struct ip *host)
{
	const struct relink *p = &c->pair;
	int way = flow_side(out, host);

	if (c->link.verdict != LINK_PROVEN)
		return;
	size_t fwd = missed(p, out, way, p->in_way, true);
	size_t back = missed(p, out, !way, !p->in_way, false);
	if ((double)fwd <= MISSED_MAX * (double)out->n_burst[way] &&
		(double)back <= MISSED_MAX * (double)out->n_burst[!way])
		return;
	c->link.verdict = LINK_UNDECIDABLE;
	c->link.reason = LINK_REASON_MEMBER;
}

/* ---- rivals ---- */

static bool explains_as_well(const struct candidate *best, const struct candidate *c)
{
	return is_aggregate(best->pair.out) ||
	       c->link.max_log10_e > best->link.max_log10_e - CLEARLY_LOG10_E ||
	       c->link.lag_spread_us <= SPREAD_TIMES * best->link.lag_spread_us + SPREAD_LEAST_US;
}

/* The strongest of them; NULL: none. */
static const struct candidate *rival_find(const struct search *s)
{
	const struct candidate *best = &s->hop->best, *found = NULL;
	const struct ip *host = &s->v->host, *peer = best->flow ? flow_peer(best->flow, host) : NULL;

	for (size_t i = 0; i < s->n_proven; i++) {
		const struct candidate *c = &s->proven[i];
		if (!ip_equal(flow_peer(c->flow, host), peer) && explains_as_well(best, c) &&
			(!found || c->link.max_log10_e > found->link.max_log10_e))
			found = c;
	}
	return found;
}

static void withhold(struct candidate *c)
{
	if (c->link.verdict != LINK_PROVEN)
		return;
	c->link.verdict = LINK_UNDECIDABLE;
	c->link.reason = LINK_REASON_RIVAL;
}

/* The rival is named first among the runners-up, though more flows of the best one's peer were proven than
 * are named. */
static void name_first(struct hop *hop, const struct candidate *c)
{
	size_t i = 0;

	while (i < hop->n_rival && hop->rival[i].flow != c->flow)
		i++;
	if (i == hop->n_rival)
		i = hop->n_rival < TRACE_RIVALS ? hop->n_rival++ : TRACE_RIVALS - 1;
	memmove(&hop->rival[1], &hop->rival[0], i * sizeof(hop->rival[0]));
	hop->rival[0] = *c;
}

void rivals_settle(struct search *s)
{
	struct hop *hop = s->hop;
	const struct candidate *c = rival_find(s);

	if (!c)
		return;
	name_first(hop, c);
	withhold(&hop->best);
	for (size_t i = 0; i < hop->n_rival; i++)
		withhold(&hop->rival[i]);
}
