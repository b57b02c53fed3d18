/* What no set of actions can do better: a bound by prices.
 *
 * Take any price L of an element of collateral, and share the price of each element e among the elements p of
 * the attack: parts t[p][e], together at most L.  Let v[p] be at most w[p], and at most what the parts of p
 * sum up to over the cost of each action c that stops p.  Now whoever stops a set P of elements pays the cost
 * of some actions; of each p in P one of them stops it, whose cost holds at least v[p] of p's parts, and all
 * parts of the elements that are paid are L times their number at most.  So with a cost of B
 *
 *     what is stopped  =  sum over P of v[p] + (w[p] - v[p])  <=  L B + sum over all p of (w[p] - v[p]).
 *
 * Any prices and parts give a bound.  Parts start equal, and go from where there is more than enough to where
 * there is too little, a few times over; the best of the prices that were tried is taken.  Of the actions
 * that stop p those can be left out whose cost contains another's. */
#include <stdlib.h>
#include <string.h>

#include "plan/front_in.h"

#define ROUNDS 8
#define NEARLY 1e-9

struct bound {
	const double *price;
	double *rest; /* for each price: sum of (w - v) */
	size_t n;
};

/* A part t[p][e] is an entry; a cost of p is one action that stops it, as the entries of its elements. */
struct cost_of {
	size_t first, n; /* in at[] */
	double sum;
};

struct parts {
	const struct reduced *r;
	size_t *cost_first, *entry_first; /* of each p; n_gain + 1 */
	struct cost_of *cost;
	size_t *at;
	uint32_t *element;   /* of each entry */
	double *part;        /* of each entry */
	double *keep;        /* of each entry: the share of it that is needed where it is */
	bool *needy;         /* of each entry */
	double *pool, *need; /* of each element */
	double *v;           /* of each p */
};

/* ---- which costs p has ---- */

/* Is the cost of c at least that of another set that stops p?  Of equal ones the first stays. */
static bool left_out(const struct reduced *r, size_t p, uint32_t c)
{
	const struct front_set *s = &r->set[c];

	for (uint32_t k = r->gain.first[p]; k < r->gain.first[p + 1]; k++) {
		uint32_t o = r->gain.set[k];
		const struct front_set *t = &r->set[o];
		if (o != c && (t->n_cost < s->n_cost || (t->n_cost == s->n_cost && o < c)) &&
			elements_within(t->cost, t->n_cost, s->cost, s->n_cost))
			return true;
	}
	return false;
}

/* Entries of p: the elements of its costs, sorted, each once; then where each cost has them. */
static void entries_make(struct parts *s, size_t p, size_t *n_at)
{
	size_t first = s->entry_first[p], n = 0, k = 0;
	uint32_t *e = s->element + first;

	for (size_t c = s->cost_first[p]; c < s->cost_first[p + 1]; c++) {
		const struct front_set *set = &s->r->set[s->cost[c].first];
		memcpy(e + n, set->cost, set->n_cost * sizeof(*e));
		n += set->n_cost;
	}
	if (n)
		qsort(e, n, sizeof(*e), element_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || e[i] != e[i - 1])
			e[k++] = e[i];
	for (size_t c = s->cost_first[p]; c < s->cost_first[p + 1]; c++) {
		const struct front_set *set = &s->r->set[s->cost[c].first];
		s->cost[c] = (struct cost_of){*n_at, set->n_cost, 0};
		for (size_t i = 0; i < set->n_cost; i++) {
			const uint32_t *found = bsearch(&set->cost[i], e, k, sizeof(*e), element_order);
			s->at[(*n_at)++] = first + (size_t)(found - e);
		}
	}
	s->entry_first[p + 1] = first + k;
}

static bool parts_alloc(struct parts *s, size_t n_at, struct arena *a)
{
	const struct reduced *r = s->r;

	s->entry_first = arena_array(a, r->n_gain + 1, sizeof(size_t));
	s->at = arena_array(a, n_at + 1, sizeof(size_t));
	s->element = arena_array(a, n_at + 1, sizeof(uint32_t));
	s->part = arena_array(a, n_at + 1, sizeof(double));
	s->keep = arena_array(a, n_at + 1, sizeof(double));
	s->needy = arena_array(a, n_at + 1, sizeof(bool));
	s->pool = arena_array(a, r->n_cost + 1, sizeof(double));
	s->need = arena_array(a, r->n_cost + 1, sizeof(double));
	s->v = arena_array(a, r->n_gain + 1, sizeof(double));
	return s->entry_first && s->at && s->element && s->part && s->keep && s->needy && s->pool &&
	       s->need && s->v;
}

static bool parts_make(struct parts *s, const struct reduced *r, struct arena *a)
{
	size_t all = r->gain.first[r->n_gain], n = 0, n_at = 0;

	*s = (struct parts){.r = r,
		.cost_first = arena_array(a, r->n_gain + 1, sizeof(size_t)),
		.cost = arena_array(a, all + 1, sizeof(*s->cost))};
	if (!s->cost_first || !s->cost)
		return false;
	for (size_t p = 0; p < r->n_gain; p++) {
		for (uint32_t k = r->gain.first[p]; k < r->gain.first[p + 1]; k++) {
			if (left_out(r, p, r->gain.set[k]))
				continue;
			s->cost[n++].first = r->gain.set[k]; /* the set, until its entries are made */
			n_at += r->set[r->gain.set[k]].n_cost;
		}
		s->cost_first[p + 1] = n;
	}
	if (!parts_alloc(s, n_at, a))
		return false;
	n_at = 0;
	for (size_t p = 0; p < r->n_gain; p++)
		entries_make(s, p, &n_at);
	return true;
}

/* ---- sharing one price ---- */

static void share_equal(struct parts *s, double price)
{
	size_t n = s->entry_first[s->r->n_gain];

	memset(s->need, 0, s->r->n_cost * sizeof(*s->need));
	for (size_t i = 0; i < n; i++)
		s->need[s->element[i]] += 1;
	for (size_t i = 0; i < n; i++)
		s->part[i] = price / s->need[s->element[i]];
}

/* v of p, by the sums of its costs. */
static void value(struct parts *s, size_t p)
{
	double v = (double)s->r->weight[p];

	for (size_t c = s->cost_first[p]; c < s->cost_first[p + 1]; c++) {
		struct cost_of *k = &s->cost[c];
		k->sum = 0;
		for (size_t i = k->first; i < k->first + k->n; i++)
			k->sum += s->part[s->at[i]];
		v = k->sum < v ? k->sum : v;
	}
	s->v[p] = v > 0 ? v : 0;
}

/* Which entries of p hold it back, and how much of the others is needed: an entry of several costs as much as
 * the one that needs most of it. */
static void judge(struct parts *s, size_t p)
{
	double w = (double)s->r->weight[p], v = s->v[p];
	bool is_short = v < w * (1 - NEARLY);

	for (size_t i = s->entry_first[p]; i < s->entry_first[p + 1]; i++) {
		s->keep[i] = 0;
		s->needy[i] = false;
	}
	for (size_t c = s->cost_first[p]; c < s->cost_first[p + 1]; c++) {
		const struct cost_of *k = &s->cost[c];
		double keep = k->sum > 0 ? v / k->sum : 1;
		bool tight = is_short && k->sum <= v + w * NEARLY;
		for (size_t i = k->first; i < k->first + k->n; i++) {
			size_t x = s->at[i];
			s->keep[x] = keep > s->keep[x] ? keep : s->keep[x];
			s->needy[x] = s->needy[x] || tight;
		}
	}
}

/* What is not needed goes to those that are held back, by how much they lack.  False: nothing went. */
static bool hand_on(struct parts *s)
{
	const struct reduced *r = s->r;
	bool went = false;

	memset(s->pool, 0, r->n_cost * sizeof(*s->pool));
	memset(s->need, 0, r->n_cost * sizeof(*s->need));
	for (size_t p = 0; p < r->n_gain; p++) {
		judge(s, p);
		for (size_t i = s->entry_first[p]; i < s->entry_first[p + 1]; i++) {
			double gives = s->part[i] * (1 - s->keep[i]);
			s->part[i] -= gives;
			s->pool[s->element[i]] += gives;
			s->need[s->element[i]] += s->needy[i] ? (double)r->weight[p] - s->v[p] : 0;
		}
	}
	for (size_t p = 0; p < r->n_gain; p++)
		for (size_t i = s->entry_first[p]; i < s->entry_first[p + 1]; i++)
			if (s->needy[i] && s->pool[s->element[i]] > 0) {
				went = true;
				s->part[i] += s->pool[s->element[i]] * ((double)r->weight[p] - s->v[p]) /
					      s->need[s->element[i]];
			}
	return went;
}

static double rest_at(struct parts *s, double price)
{
	const struct reduced *r = s->r;
	double rest = 0;

	share_equal(s, price);
	for (size_t p = 0; p < r->n_gain; p++)
		value(s, p);
	for (int i = 0; i < ROUNDS && hand_on(s); i++)
		for (size_t p = 0; p < r->n_gain; p++)
			value(s, p);
	for (size_t p = 0; p < r->n_gain; p++) /* what nobody stops is nobody's */
		if (r->gain.first[p + 1] > r->gain.first[p])
			rest += (double)r->weight[p] - s->v[p] * (1 - NEARLY); /* parts are rounded */
	return rest;
}

enum status bound_make(struct bound **to, const struct reduced *r, const double *price, size_t n,
	struct arena *a, struct err *e)
{
	struct parts s;
	struct arena work = {0};
	struct bound *b = arena_alloc(a, sizeof(*b));

	if (b)
		*b = (struct bound){price, arena_array(a, n + 1, sizeof(double)), n};
	bool good = b && b->rest && parts_make(&s, r, &work);
	for (size_t i = 0; i < n && good; i++)
		b->rest[i] = rest_at(&s, price[i]);
	arena_free(&work);
	*to = b;
	return good ? STATUS_OK : err_nomem(e);
}

double front_bound(const struct bound *b, uint64_t cost)
{
	double least = 0;

	for (size_t i = 0; i < b->n; i++) {
		double at = b->rest[i] + b->price[i] * (double)cost;
		least = i == 0 || at < least ? at : least;
	}
	return least;
}
