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
 * Members.  An aggregate's proof is of all members together, and up to a quarter of what goes out may be
 * others' doing (the gates of link_order.c): at a busy proxy a client who never did the one thing that is
 * asked about.  So for that one flow it counts only if its own bursts stand where the in-leg's do, by the lag
 * that all members together have, so many of them that a flow of somebody else's would have it by chance at
 * most once in ten thousand: P(X >= hits) for as many tries as it has bursts, each lucky with the share of
 * the time around it that lies so near to a burst of the in-leg. */
#include <stdlib.h>
#include <string.h>

#include "base/binomial.h"
#include "trace/link_gates.h"
#include "trace/link_lane.h"
#include "trace/search.h"

#define CLEARLY_LOG10_E 2.0
#define SPREAD_TIMES    2
#define SPREAD_LEAST_US 1000 /* spreads that differ by less tell nothing */

#define LAG_LEAST     6 /* copies that a lag is taken from */
#define SPREADS       2 /* around the lag that count as on it, in interquartile ranges */
#define SPREAD_ADD_US 2000
#define AROUND_US     (30 * SECOND_US) /* beside the flow's life, where the in-leg's bursts are counted */
#define CHANCE_MOST   1e-4

/* ---- members ---- */

/* Starts of one direction of a flow, on IN's clock. */
struct starts {
	const struct burst *b;
	size_t n;
	struct clock_fit clock;
};

static struct starts starts_of(const struct relink *p, const struct flow *f, int d, bool out)
{
	struct starts s = {.b = f->burst[d], .n = f->n_burst[d]};

	if (out && p->apart)
		s.clock = p->clock;
	return s;
}

static int64_t start_at(const struct starts *s, size_t i)
{
	return clock_in(&s->clock, lane_time(s->b[i].start_us));
}

/* The first start at or after t. */
static size_t first_from(const struct starts *s, int64_t t)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (start_at(s, mid) < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* How far behind `of` its copies come, and how much that varies.  STATUS_NO: too few copies. */
static enum status lag_find(
	const struct starts *of, const struct starts *copy, int64_t *lag, int64_t *near, struct err *e)
{
	int64_t *v = calloc(of->n + 1, sizeof(*v));
	size_t n = 0;

	if (!v)
		return err_nomem(e);
	for (size_t i = 0; i < of->n; i++) {
		int64_t t = start_at(of, i);
		size_t k = first_from(copy, t);
		int64_t behind = k < copy->n ? start_at(copy, k) - t : -1;
		if (behind >= 0 && behind <= FOLLOW_US) /* less than 0 where starts are in no order */
			v[n++] = behind;
	}
	if (n >= LAG_LEAST) {
		*lag = median_of(v, n);
		*near = SPREADS * (v[n - 1 - n / 4] - v[n / 4]) + SPREAD_ADD_US;
	}
	free(v);
	return n >= LAG_LEAST ? STATUS_OK : STATUS_NO;
}

/* Bursts of the member in one direction: how many, how many stand by the in-leg's, and how likely one does by
 * chance. */
struct stands {
	int64_t n, hits;
	double chance;
};

/* shift: where the in-leg's burst is, seen from the member's. */
static struct stands stand(const struct starts *one, const struct starts *in, int64_t shift, int64_t near)
{
	struct stands s = {.n = (int64_t)one->n};

	if (one->n == 0)
		return s;
	for (size_t i = 0; i < one->n; i++) {
		int64_t t = start_at(one, i) + shift;
		size_t k = first_from(in, t - near);
		s.hits += k < in->n && start_at(in, k) <= t + near;
	}
	int64_t from = start_at(one, 0) - AROUND_US, to = start_at(one, one->n - 1) + AROUND_US;
	double starts = (double)(first_from(in, to) - first_from(in, from));
	double share = to > from ? starts * 2 * (double)near / (double)(to - from) : 1;
	s.chance = share >= 0 && share < 1 ? share : 1; /* starts in no order tell nothing */
	return s;
}

/* STATUS_NO: it does not, or that cannot be told. */
static enum status takes_part(const struct relink *p, const struct flow *one, int way, struct err *e)
{
	struct starts in[2] = {starts_of(p, p->in, p->in_way, false), starts_of(p, p->in, !p->in_way, false)};
	struct starts all[2] = {
		starts_of(p, p->out, p->out_way, true), starts_of(p, p->out, !p->out_way, true)};
	struct starts own[2] = {starts_of(p, one, way, true), starts_of(p, one, !way, true)};
	struct stands sum = {0};
	int64_t lag, near;

	for (int d = 0; d < 2; d++) {
		enum status st = d == 0 ? lag_find(&in[0], &all[0], &lag, &near, e)
					: lag_find(&all[1], &in[1], &lag, &near, e);
		if (st != STATUS_OK)
			return st;
		struct stands s = stand(&own[d], &in[d], d == 0 ? -lag : lag, near);
		sum.n += s.n;
		sum.hits += s.hits;
		sum.chance = s.chance > sum.chance ? s.chance : sum.chance;
	}
	return sum.n > 0 && binomial_tail(sum.hits, sum.n, sum.chance) <= CHANCE_MOST ? STATUS_OK : STATUS_NO;
}

enum status member_settle(struct candidate *c, const struct flow *out, const struct ip *host, struct err *e)
{
	if (c->link.verdict != LINK_PROVEN)
		return STATUS_OK;
	enum status st = takes_part(&c->pair, out, flow_side(out, host), e);
	if (st != STATUS_NO)
		return st;
	c->link.verdict = LINK_UNDECIDABLE;
	c->link.reason = LINK_REASON_MEMBER;
	return STATUS_OK;
}

/* ---- rivals ---- */

bool rival_explains(const struct candidate *best, const struct candidate *c)
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
		if (!ip_equal(flow_peer(c->flow, host), peer) && rival_explains(best, c) &&
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
