/* What no set of actions can do better: a bound by the dual of the linear program.
 *
 * max sum of w_p y_p  where  y_p <= 1, y_p <= sum of x_c over the sets c that stop p, x_c <= z_e for each e
 * that c costs, sum of z_e <= B.  For any price L >= 0 of an element of collateral, share the price of each
 * element among the sets that cost it, so that set c has an allowance T_c; take from the allowances of all
 * sets that stop p a value v_p <= w_p.  Then no set of cost B stops more than  sum of (w_p - v_p) + L B.
 * Any prices and shares give a bound; the best of those that were tried is taken. */
#include <stdlib.h>

#include "plan/front_in.h"

#define ROUNDS 8 /* in which sets hand on what they have left */

struct bound {
	const double *price;
	double *rest; /* for each price: sum of (w_p - v_p) */
	size_t n;
};

/* What the sharing of one price works with. */
struct share {
	const struct reduced *r;
	double *allowance; /* of each set: what is not taken yet */
	double *of;        /* of each set and element that it costs: its share; same order as set[].cost */
	size_t *first;     /* of each set in `of` */
	double *v;         /* of each gain element */
};

static bool share_make(struct share *s, const struct reduced *r, struct arena *a)
{
	size_t n = 0;

	*s = (struct share){.r = r,
		.allowance = arena_array(a, r->n + 1, sizeof(double)),
		.first = arena_array(a, r->n + 1, sizeof(size_t)),
		.v = arena_array(a, r->n_gain + 1, sizeof(double))};
	for (size_t c = 0; s->first && c < r->n; c++) {
		s->first[c] = n;
		n += r->set[c].n_cost;
	}
	s->of = arena_array(a, n + 1, sizeof(double));
	return s->allowance && s->first && s->v && s->of;
}

/* Each element's price in equal parts among those that cost it. */
static void share_equal(struct share *s, double price)
{
	for (size_t c = 0; c < s->r->n; c++) {
		const struct front_set *set = &s->r->set[c];
		s->allowance[c] = 0;
		for (size_t i = 0; i < set->n_cost; i++) {
			uint32_t x = set->cost[i];
			double part = price / (s->r->cost.first[x + 1] - s->r->cost.first[x]);
			s->of[s->first[c] + i] = part;
			s->allowance[c] += part;
		}
	}
	for (size_t p = 0; p < s->r->n_gain; p++)
		s->v[p] = 0;
}

/* Takes what can be taken: the allowances of all that stop p bound it. */
static void take(struct share *s)
{
	const struct owners *o = &s->r->gain;

	for (size_t p = 0; p < s->r->n_gain; p++) {
		double most = (double)s->r->weight[p] - s->v[p];
		for (uint32_t k = o->first[p]; k < o->first[p + 1] && most > 0; k++)
			most = s->allowance[o->set[k]] < most ? s->allowance[o->set[k]] : most;
		if (most <= 0 || o->first[p] == o->first[p + 1])
			continue;
		s->v[p] += most;
		for (uint32_t k = o->first[p]; k < o->first[p + 1]; k++)
			s->allowance[o->set[k]] -= most;
	}
}

/* Does the set hold back what could still be taken? */
static bool is_short(const struct share *s, size_t c)
{
	const struct front_set *set = &s->r->set[c];

	if (s->allowance[c] > 0)
		return false;
	for (size_t i = 0; i < set->n_gain; i++)
		if (s->v[set->gain[i]] < (double)s->r->weight[set->gain[i]])
			return true;
	return false;
}

/* What a set has left goes, for each element that it costs, to those that are short and cost it too. */
static void hand_on(struct share *s, bool *in_need)
{
	const struct owners *o = &s->r->cost;

	for (size_t c = 0; c < s->r->n; c++)
		in_need[c] = is_short(s, c);
	for (size_t c = 0; c < s->r->n; c++) {
		const struct front_set *set = &s->r->set[c];
		for (size_t i = 0; i < set->n_cost && s->allowance[c] > 0; i++) {
			uint32_t x = set->cost[i], n = 0;
			double *mine = &s->of[s->first[c] + i];
			double give = *mine < s->allowance[c] ? *mine : s->allowance[c];
			for (uint32_t k = o->first[x]; k < o->first[x + 1]; k++)
				n += in_need[o->set[k]];
			if (n == 0 || in_need[c])
				continue;
			*mine -= give;
			s->allowance[c] -= give;
			for (uint32_t k = o->first[x]; k < o->first[x + 1]; k++)
				if (in_need[o->set[k]])
					s->allowance[o->set[k]] += give / n;
		}
	}
}

static double rest_at(struct share *s, double price, bool *in_need)
{
	double rest = 0;

	share_equal(s, price);
	take(s);
	for (int i = 0; i < ROUNDS; i++) {
		hand_on(s, in_need);
		take(s);
	}
	for (size_t p = 0; p < s->r->n_gain; p++)
		if (s->r->gain.first[p + 1] > s->r->gain.first[p])
			rest += (double)s->r->weight[p] - s->v[p];
	return rest;
}

enum status bound_make(struct bound **to, const struct reduced *r, const double *price, size_t n,
	struct arena *a, struct err *e)
{
	struct share s;
	struct arena work = {0};
	bool *in_need = arena_array(&work, r->n + 1, sizeof(*in_need));
	struct bound *b = arena_alloc(a, sizeof(*b));

	if (b)
		*b = (struct bound){price, arena_array(a, n + 1, sizeof(double)), n};
	bool good = in_need && b && b->rest && share_make(&s, r, &work);
	for (size_t i = 0; i < n && good; i++)
		b->rest[i] = rest_at(&s, price[i], in_need);
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
