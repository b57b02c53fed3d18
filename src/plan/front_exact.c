/* Few sets: every combination of them, 2^n at once.
 *
 * A combination is a mask.  What it does not stop is what belongs to sets outside of it alone; so with
 * f(T) = the weight of the elements whose owners are all in T (summed over subsets by one pass a bit, the
 * zeta transform), a mask S stops all - f(complement of S).  The same for cost. */
#include <stdlib.h>
#include <string.h>

#include "plan/front_in.h"

struct tried {
	uint32_t mask;
	int64_t stops;
	uint64_t cost;
};

struct best {
	struct tried *t; /* by cost, stops rises */
	size_t n, cap;
	const struct reduced *r;
};

/* ---- how much each mask stops and costs ---- */

static uint32_t owners_mask(const struct owners *o, size_t x)
{
	uint32_t mask = 0;

	for (uint32_t k = o->first[x]; k < o->first[x + 1]; k++)
		mask |= UINT32_C(1) << o->set[k];
	return mask;
}

/* v[T] becomes the sum of v over all subsets of T. */
static void subset_sums(int64_t *v, size_t n)
{
	for (size_t bit = 0; bit < n; bit++)
		for (size_t t = 0; t < (size_t)1 << n; t++)
			if (t >> bit & 1)
				v[t] += v[t ^ (size_t)1 << bit];
}

/* ---- the front as it grows ---- */

/* Helpers of a mask, each once. */
static size_t helpers(const struct reduced *r, uint32_t mask)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		bool again = r->set[i].helper == 0 || !(mask >> i & 1);
		for (size_t k = 0; k < i && !again; k++)
			again = (mask >> k & 1) && r->set[k].helper == r->set[i].helper;
		n += !again;
	}
	return n;
}

/* Of two masks that stop and cost the same: the shorter, the one that needs fewer, the one that has what is
 * preferred and the other has not. */
static bool liked(const struct reduced *r, uint32_t a, uint32_t b)
{
	int na = __builtin_popcount(a), nb = __builtin_popcount(b);
	size_t ha, hb;

	if (na != nb)
		return na < nb;
	ha = helpers(r, a);
	hb = helpers(r, b);
	if (ha != hb)
		return ha < hb;
	uint32_t differ = a ^ b;
	return (a & (differ & -differ)) != 0;
}

/* How many points cost at most this. */
static size_t upto(const struct best *b, uint64_t cost)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (b->t[mid].cost <= cost)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool room(struct best *b)
{
	if (b->n < b->cap)
		return true;
	size_t cap = b->cap ? 2 * b->cap : 64;
	struct tried *t = realloc(b->t, cap * sizeof(*t));
	if (!t)
		return false;
	b->t = t;
	b->cap = cap;
	return true;
}

static bool offer(struct best *b, struct tried now)
{
	size_t at = upto(b, now.cost), end;
	struct tried *before = at ? &b->t[at - 1] : NULL;

	if (before && before->stops >= now.stops) {
		if (before->stops == now.stops && before->cost == now.cost &&
			liked(b->r, now.mask, before->mask))
			*before = now;
		return true;
	}
	if (before && before->cost == now.cost)
		at--;
	for (end = at; end < b->n && b->t[end].stops <= now.stops; end++)
		;
	if (end == at && !room(b))
		return false;
	size_t keep = end == at ? at : end;
	memmove(&b->t[at + 1], &b->t[keep], (b->n - keep) * sizeof(*b->t));
	b->n = b->n - keep + at + 1;
	b->t[at] = now;
	return true;
}

static bool try_all(struct best *b, const int64_t *stop, const int64_t *cost)
{
	const struct reduced *r = b->r;
	uint32_t full = (UINT32_C(1) << r->n) - 1;

	for (uint32_t s = 1; s <= full; s++) {
		struct tried now = {
			s, stop[full] - stop[full & ~s], (uint64_t)(cost[full] - cost[full & ~s])};
		if (r->budget >= 0 && now.cost > (uint64_t)r->budget)
			continue;
		if (!offer(b, now))
			return false;
	}
	return true;
}

static enum status points(struct front *to, const struct best *b, struct arena *a, struct err *e)
{
	enum status s = STATUS_OK;

	to->point = arena_array(a, b->n + 1, sizeof(*to->point));
	if (!to->point)
		return err_nomem(e);
	for (size_t i = 0; i < b->n && s == STATUS_OK; i++) {
		uint32_t set[FRONT_EXACT];
		size_t n = 0;
		for (uint32_t k = 0; k < b->r->n; k++)
			if (b->t[i].mask >> k & 1)
				set[n++] = k;
		s = point_make(&to->point[to->n++], b->r, set, n, b->t[i].stops, b->t[i].cost, a, e);
	}
	return s;
}

enum status front_exact(struct front *to, const struct reduced *r, struct arena *a, struct err *e)
{
	size_t masks = (size_t)1 << r->n;
	int64_t *stop = calloc(masks, sizeof(*stop)), *cost = calloc(masks, sizeof(*cost));
	struct best b = {.r = r};
	enum status s = STATUS_MACHINE;

	*to = (struct front){.exact = true};
	if (stop && cost) {
		for (size_t x = 0; x < r->n_gain; x++)
			stop[owners_mask(&r->gain, x)] += r->weight[x];
		for (size_t x = 0; x < r->n_cost; x++)
			cost[owners_mask(&r->cost, x)]++;
		stop[0] = cost[0] = 0; /* what nobody owns */
		subset_sums(stop, r->n);
		subset_sums(cost, r->n);
		s = try_all(&b, stop, cost) ? points(to, &b, a, e) : err_nomem(e);
	} else {
		s = err_nomem(e);
	}
	free(stop);
	free(cost);
	free(b.t);
	return s;
}
