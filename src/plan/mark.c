/* Which option is marked.
 *
 * Of those that are sufficient and can be enforced here alone, where there are any; else of the sufficient
 * ones; else of those that can be enforced here alone; else of all.  Among them:
 *   - with a budget, the operator has said what bystanders may lose: what stops most.
 *   - without, one begins with what costs bystanders least, and goes on to a dearer one where what it stops
 *     besides is worth it: at least MARK_SHARE of the attack, and for each attack flow that it stops more at
 *     most MARK_PRICE of collateral more.
 * Of equal ones: least collateral, what stops more of the other cases', the shortest, the narrowest: what its
 * rules match beyond the attack was not seen, which does not mean that it is not there. */
#include <float.h>

#include "plan/make_in.h"

#define MARK_SHARE 0.05 /* of the attack */
#define MARK_PRICE 10.0 /* bystanders' flows for one flow of the attack */

static bool same(double a, double b)
{
	return a - b < DBL_EPSILON && b - a < DBL_EPSILON;
}

static int class_of(const struct option *o)
{
	return (o->sufficient ? 0 : 2) + (o->n_needs ? 1 : 0);
}

/* How much the rules leave open: bits of addresses, and fields that match anything. */
static size_t openness(const struct option *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_action; i++) {
		const struct rule *r = &o->action[i].rule;
		size_t bits = ip_bits(&r->from.ip);
		n += 2 * bits - r->from.len - r->to.len + (r->proto ? 0 : 8) + (r->port ? 0 : 16);
	}
	return n;
}

/* Better than the other where both stop the same for as much. */
static bool nicer(const struct option *a, const struct option *b)
{
	if (!same(a->stops_all, b->stops_all))
		return a->stops_all > b->stops_all;
	if (a->n_action != b->n_action)
		return a->n_action < b->n_action;
	return openness(a) < openness(b);
}

static bool most(const struct option *a, const struct option *b)
{
	if (!same(a->stops, b->stops))
		return a->stops > b->stops;
	if (a->collateral != b->collateral)
		return a->collateral < b->collateral;
	return nicer(a, b);
}

/* Of those that cost least, what stops most. */
static bool least(const struct option *a, const struct option *b)
{
	if ((a->stops > 0) != (b->stops > 0))
		return a->stops > 0;
	if (a->collateral != b->collateral)
		return a->collateral < b->collateral;
	return most(a, b);
}

static bool worth_it(const struct option *dear, const struct option *cheap, uint64_t attacks)
{
	double more = dear->stops - cheap->stops;

	return more >= MARK_SHARE &&
	       (double)(dear->collateral - cheap->collateral) <= MARK_PRICE * more * (double)attacks;
}

size_t option_best(const struct option *o, size_t n, uint64_t attacks, bool bound)
{
	size_t best = 0;
	int class = class_of(&o[0]);

	for (size_t i = 1; i < n; i++)
		class = class_of(&o[i]) < class ? class_of(&o[i]) : class;
	while (class_of(&o[best]) != class)
		best++;
	for (size_t i = best + 1; i < n; i++)
		if (class_of(&o[i]) == class && (bound ? most(&o[i], &o[best]) : least(&o[i], &o[best])))
			best = i;
	for (bool again = !bound; again;) {
		size_t from = best;
		for (size_t i = 0; i < n; i++) {
			const struct option *b = &o[best];
			bool dearer = class_of(&o[i]) == class && o[i].collateral > o[from].collateral;
			if (dearer && worth_it(&o[i], &o[from], attacks) && (best == from || most(&o[i], b)))
				best = i;
		}
		again = best != from;
	}
	return best;
}
