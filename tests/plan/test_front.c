/* The front against brute force: small problems must come out exactly as when every set is tried by hand;
 * those put together one by one must lack no more than they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "plan/front.h"

#define SETS_MOST 14
#define ELEMENTS  40
#define ROUNDS    400
#define MANY      12000

struct problem {
	struct front_problem p;
	struct front_set set[SETS_MOST];
	uint32_t gain[SETS_MOST][ELEMENTS], cost[SETS_MOST][ELEMENTS];
	int64_t weight[ELEMENTS];
};

static size_t some(uint32_t *to, size_t of, uint64_t percent)
{
	size_t n = 0;

	for (uint32_t i = 0; i < of; i++)
		if (kit_rnd(100) < percent)
			to[n++] = i;
	return n;
}

static void make(struct problem *r, size_t exact)
{
	uint64_t dense = 5 + kit_rnd(50), dear = kit_rnd(60);

	memset(r, 0, sizeof(*r));
	r->p = (struct front_problem){.set = r->set,
		.n_set = 1 + kit_rnd(SETS_MOST),
		.weight = r->weight,
		.n_gain = 1 + kit_rnd(ELEMENTS / 2),
		.n_cost = kit_rnd(ELEMENTS),
		.budget = kit_rnd(3) ? -1 : (int64_t)kit_rnd(ELEMENTS),
		.exact = exact};
	for (size_t i = 0; i < r->p.n_gain; i++)
		r->weight[i] = kit_rnd(8) ? (int64_t)kit_rnd(kit_rnd(2) ? 3 : 1000) : 0;
	for (size_t i = 0; i < r->p.n_set; i++) {
		r->set[i] = (struct front_set){.gain = r->gain[i], .cost = r->cost[i]};
		r->set[i].n_gain = some(r->gain[i], r->p.n_gain, dense);
		r->set[i].n_cost = some(r->cost[i], r->p.n_cost, dear);
		r->set[i].helper = kit_rnd(2) ? 0 : (uint32_t)kit_rnd(3);
	}
}

struct value {
	int64_t stops;
	uint64_t cost;
	size_t n, helpers;
};

/* Of a set of sets, counted element by element. */
static struct value value_of(const struct front_problem *p, uint32_t mask)
{
	struct value v = {.n = (size_t)__builtin_popcount(mask)};
	bool gain[ELEMENTS] = {false}, cost[ELEMENTS] = {false}, helper[4] = {false};

	for (size_t i = 0; i < p->n_set; i++) {
		if (!(mask >> i & 1))
			continue;
		for (size_t k = 0; k < p->set[i].n_gain; k++)
			gain[p->set[i].gain[k]] = true;
		for (size_t k = 0; k < p->set[i].n_cost; k++)
			cost[p->set[i].cost[k]] = true;
		helper[p->set[i].helper] = true;
	}
	for (size_t i = 0; i < p->n_gain; i++)
		v.stops += gain[i] ? p->weight[i] : 0;
	for (size_t i = 0; i < p->n_cost; i++)
		v.cost += cost[i];
	for (size_t i = 1; i < 4; i++)
		v.helpers += helper[i];
	return v;
}

static uint32_t mask_of(const struct front_point *t)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < t->n; i++) {
		assert_true(i == 0 || t->set[i - 1] < t->set[i]);
		mask |= UINT32_C(1) << t->set[i];
	}
	return mask;
}

/* The most that can be stopped for at most this; of the sets that do so the cheapest, the shortest, the one
 * with the fewest helpers. */
static struct value best_of(const struct front_problem *p, uint64_t cost)
{
	struct value best = {0};

	for (uint32_t m = 1; m < UINT32_C(1) << p->n_set; m++) {
		struct value v = value_of(p, m);
		if (v.cost > cost || v.stops < best.stops || v.stops == 0)
			continue;
		bool better = v.stops > best.stops || v.cost < best.cost ||
			      (v.cost == best.cost &&
				      (v.n < best.n || (v.n == best.n && v.helpers < best.helpers)));
		if (better)
			best = v;
	}
	return best;
}

static void test_exact(void **state)
{
	struct problem r;
	struct err e;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct front f;
		size_t k = 0;
		make(&r, FRONT_EXACT);
		r.p.n_set = r.p.n_set > 9 ? 9 : r.p.n_set; /* brute force for each cost */
		assert_int_equal(front_make(&f, &r.p, &a, &e), STATUS_OK);
		assert_true(f.exact && f.gap == 0);
		int64_t last = 0;
		for (uint64_t cost = 0; cost <= ELEMENTS; cost++) {
			struct value v = best_of(&r.p, cost);
			if (v.stops <= last || (r.p.budget >= 0 && cost > (uint64_t)r.p.budget))
				continue;
			last = v.stops;
			assert_true(k < f.n);
			struct value is = value_of(&r.p, mask_of(&f.point[k]));
			assert_int_equal(f.point[k].stops, v.stops);
			assert_int_equal(f.point[k].cost, v.cost);
			assert_int_equal(is.stops, v.stops);
			assert_int_equal(is.cost, v.cost);
			assert_int_equal(is.n, v.n);
			assert_int_equal(is.helpers, v.helpers);
			k++;
		}
		assert_int_equal(k, f.n);
		arena_free(&a);
	}
}

static void test_gap_holds(void **state)
{
	struct problem r;
	struct err e;
	double lacks = 0, says = 0;
	size_t points = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct front f;
		make(&r, 0);
		assert_int_equal(front_make(&f, &r.p, &a, &e), STATUS_OK);
		int64_t all = value_of(&r.p, (UINT32_C(1) << r.p.n_set) - 1).stops;
		for (size_t k = 0; k < f.n; k++) {
			struct value is = value_of(&r.p, mask_of(&f.point[k]));
			int64_t best = best_of(&r.p, is.cost).stops;
			assert_int_equal(is.stops, f.point[k].stops);
			assert_int_equal(is.cost, f.point[k].cost);
			assert_true(r.p.budget < 0 || is.cost <= (uint64_t)r.p.budget);
			assert_true(k == 0 || (f.point[k].cost > f.point[k - 1].cost &&
						      f.point[k].stops > f.point[k - 1].stops));
			assert_true(best - is.stops <= f.gap);
			lacks += (double)(best - is.stops) / (double)all;
			says += (double)f.gap / (double)all;
			points++;
		}
		/* nothing to gain, nothing to show */
		assert_true(f.n > 0 || r.p.budget >= 0 || all == 0);
		arena_free(&a);
	}
	print_message("# %zu points: lack %.2f%% on average, say at most %.2f%%\n", points,
		100 * lacks / (double)points, 100 * says / (double)points);
}

/* Many attackers, each with bystanders of its own, and prefixes that hold eight of them. */
static void test_many(void **state)
{
	struct front_set *set = calloc(MANY + MANY / 8, sizeof(*set));
	uint32_t *gain = calloc(MANY, sizeof(*gain)), *cost = calloc(8 * MANY, sizeof(*cost));
	int64_t *weight = calloc(MANY, sizeof(*weight));
	struct arena a = {0};
	struct front f;
	struct err e;
	size_t n = 0, c = 0;

	(void)state;
	assert_true(set && gain && cost && weight);
	for (uint32_t i = 0; i < MANY; i++) {
		size_t from = c, own = kit_rnd(8);
		weight[i] = 1000000;
		gain[i] = i;
		for (size_t k = 0; k < own; k++, c++)
			cost[c] = (uint32_t)c;
		set[n++] = (struct front_set){&gain[i], &cost[from], 1, own, 0};
	}
	for (uint32_t i = 0; i < MANY / 8; i++) {
		const uint32_t *first = set[8 * i].cost, *end = set[8 * i + 7].cost + set[8 * i + 7].n_cost;
		set[n++] = (struct front_set){&gain[8 * i], first, 8, (size_t)(end - first), 0};
	}
	struct front_problem p = {.set = set,
		.n_set = n,
		.weight = weight,
		.n_gain = MANY,
		.n_cost = c,
		.budget = -1,
		.exact = FRONT_EXACT};
	assert_int_equal(front_make(&f, &p, &a, &e), STATUS_OK);
	assert_false(f.exact);
	assert_true(f.n >= 12);
	assert_int_equal(f.point[f.n - 1].stops, (int64_t)MANY * 1000000);
	print_message("# %zu sets: %zu points, gap %.3f%%\n", n, f.n, (double)f.gap / MANY / 10000);
	assert_true(f.gap <= (int64_t)MANY * 1000000 / 100);
	p.last = true;
	assert_int_equal(front_make(&f, &p, &a, &e), STATUS_OK);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.point[0].stops, (int64_t)MANY * 1000000);
	arena_free(&a);
	free(set);
	free(gain);
	free(cost);
	free(weight);
}

static void test_nothing(void **state)
{
	struct front_problem p = {.budget = -1, .exact = FRONT_EXACT};
	struct arena a = {0};
	struct front f;
	struct err e;

	(void)state;
	assert_int_equal(front_make(&f, &p, &a, &e), STATUS_OK);
	assert_int_equal(f.n, 0);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact), cmocka_unit_test(test_gap_holds),
		cmocka_unit_test(test_many), cmocka_unit_test(test_nothing)};

	kit_seed("front");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
