/* The front's frame: sets that others beat are left out, then few are tried in every combination and many are
 * put together one by one. */
#include "plan/front_in.h"

#include <stdlib.h>

#define RIVALS 256 /* sets that are compared with one; more beat it only in cases that nobody made yet */

int element_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* ---- who has an element ---- */

static const uint32_t *elements(const struct front_set *s, bool cost, size_t *n)
{
	*n = cost ? s->n_cost : s->n_gain;
	return cost ? s->cost : s->gain;
}

bool owners_make(struct owners *to, const struct front_set *set, size_t n, size_t n_element, bool cost,
	struct arena *a)
{
	size_t all = 0, k;

	to->first = arena_array(a, n_element + 2, sizeof(*to->first));
	if (!to->first)
		return false;
	for (size_t i = 0; i < n; i++) {
		const uint32_t *id = elements(&set[i], cost, &k);
		all += k;
		for (size_t j = 0; j < k; j++)
			to->first[id[j] + 2]++;
	}
	for (size_t i = 2; i < n_element + 2; i++)
		to->first[i] += to->first[i - 1];
	to->set = arena_array(a, all + 1, sizeof(*to->set));
	if (!to->set || all > UINT32_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *id = elements(&set[i], cost, &k);
		for (size_t j = 0; j < k; j++)
			to->set[to->first[id[j] + 1]++] = i;
	}
	return true; /* first[x] is where x begins: the filling moved it up by one */
}

/* ---- sets that another beats ---- */

/* Small ones are looked up in large ones, others walked beside each other. */
#define MUCH_LARGER 16

static bool looked_up(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
	for (size_t i = 0; i < n; i++)
		if (!bsearch(&a[i], b, m, sizeof(*b), element_order))
			return false;
	return true;
}

bool elements_within(const uint32_t *a, size_t n, const uint32_t *b, size_t m)
{
	size_t k = 0;

	if (n > m)
		return false;
	if (n * MUCH_LARGER < m)
		return looked_up(a, n, b, m);
	for (size_t i = 0; i < n; i++) {
		while (k < m && b[k] < a[i])
			k++;
		if (k == m || b[k] != a[i])
			return false;
	}
	return true;
}

/* Does b stop all that a does, for no more than a costs, without help that a does not need?  Of equal ones
 * the first beats the other. */
static bool beats(const struct front_set *b, const struct front_set *a, bool first)
{
	if (b->helper && b->helper != a->helper)
		return false;
	if (!elements_within(a->gain, a->n_gain, b->gain, b->n_gain) ||
		!elements_within(b->cost, b->n_cost, a->cost, a->n_cost))
		return false;
	return first || a->n_gain != b->n_gain || a->n_cost != b->n_cost || a->helper != b->helper;
}

/* The element of s that the fewest others have: whoever beats s has it. */
static uint32_t rarest(const struct owners *o, const struct front_set *s)
{
	uint32_t best = s->gain[0];

	for (size_t i = 1; i < s->n_gain; i++) {
		uint32_t x = s->gain[i];
		if (o->first[x + 1] - o->first[x] < o->first[best + 1] - o->first[best])
			best = x;
	}
	return best;
}

static bool beaten(const struct front_problem *p, const struct owners *o, uint32_t i)
{
	const struct front_set *s = &p->set[i];
	uint32_t x = rarest(o, s), n = o->first[x + 1] - o->first[x];

	for (uint32_t k = 0; k < n && k < RIVALS; k++) {
		uint32_t j = o->set[o->first[x] + k];
		if (j != i && beats(&p->set[j], s, j < i))
			return true;
	}
	return false;
}

static int64_t worth(const struct front_problem *p, const struct front_set *s)
{
	int64_t w = 0;

	for (size_t i = 0; i < s->n_gain; i++)
		w += p->weight[s->gain[i]];
	return w;
}

enum status front_reduce(struct reduced *to, const struct front_problem *p, struct arena *a, struct err *e)
{
	struct owners o;

	*to = (struct reduced){.weight = p->weight,
		.n_gain = p->n_gain,
		.n_cost = p->n_cost,
		.budget = p->budget,
		.last = p->last,
		.set = arena_array(a, p->n_set + 1, sizeof(*to->set)),
		.of = arena_array(a, p->n_set + 1, sizeof(*to->of))};
	if (!to->set || !to->of || !owners_make(&o, p->set, p->n_set, p->n_gain, false, a))
		return err_nomem(e);
	for (uint32_t i = 0; i < p->n_set; i++) {
		const struct front_set *s = &p->set[i];
		bool dear = p->budget >= 0 && s->n_cost > (uint64_t)p->budget;
		if (s->n_gain == 0 || dear || worth(p, s) == 0 || beaten(p, &o, i))
			continue;
		to->of[to->n] = i;
		to->set[to->n++] = *s;
	}
	if (!owners_make(&to->gain, to->set, to->n, to->n_gain, false, a) ||
		!owners_make(&to->cost, to->set, to->n, to->n_cost, true, a))
		return err_nomem(e);
	return STATUS_OK;
}

/* ---- points ---- */

enum status point_make(struct front_point *to, const struct reduced *r, const uint32_t *set, size_t n,
	int64_t stops, uint64_t cost, struct arena *a, struct err *e)
{
	*to = (struct front_point){
		.stops = stops, .cost = cost, .set = arena_array(a, n + 1, sizeof(*to->set)), .n = n};
	if (!to->set)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		to->set[i] = r->of[set[i]];
	qsort(to->set, n, sizeof(*to->set), element_order);
	return STATUS_OK;
}

enum status front_make(struct front *to, const struct front_problem *p, struct arena *a, struct err *e)
{
	struct arena work = {0};
	struct reduced r;
	enum status s = front_reduce(&r, p, &work, e);

	*to = (struct front){.exact = true};
	if (s == STATUS_OK && r.n)
		s = r.n <= p->exact && r.n <= FRONT_EXACT ? front_exact(to, &r, a, e)
							  : front_greedy(to, &r, a, e);
	arena_free(&work);
	return s;
}
