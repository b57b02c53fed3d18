/* Inside the front: what its parts share. */
#ifndef WEIR_PLAN_FRONT_IN_H
#define WEIR_PLAN_FRONT_IN_H

#include "plan/front.h"

/* Which sets have an element: CSR. */
struct owners {
	uint32_t *first; /* n_element + 1 */
	uint32_t *set;
};

/* The problem without the sets that another beats. */
struct reduced {
	struct front_set *set;
	uint32_t *of; /* each set's number in the problem */
	size_t n;
	const int64_t *weight;
	size_t n_gain, n_cost;
	int64_t budget;
	bool last; /* as in the problem */
	struct owners gain, cost;
};

/* Order of two elements, as qsort and bsearch want it. */
int element_order(const void *a, const void *b);
/* Is every element of a in b?  Both sorted, each once. */
bool elements_within(const uint32_t *a, size_t n, const uint32_t *b, size_t m);
/* All that have an element.  False: no memory. */
bool owners_make(struct owners *to, const struct front_set *set, size_t n, size_t n_element, bool cost,
	struct arena *a);
enum status front_reduce(struct reduced *to, const struct front_problem *p, struct arena *a, struct err *e);
/* Every set of them: n at most FRONT_EXACT. */
enum status front_exact(struct front *to, const struct reduced *r, struct arena *a, struct err *e);
/* One after the other, improved; with the gap to a bound that is proven. */
enum status front_greedy(struct front *to, const struct reduced *r, struct arena *a, struct err *e);

/* No set that costs at most `cost` stops more than front_bound(): see front_bound.c. */
struct bound;
enum status bound_make(struct bound **to, const struct reduced *r, const double *price, size_t n,
	struct arena *a, struct err *e);
double front_bound(const struct bound *b, uint64_t cost);

/* A point of the sets, numbers as in the problem. */
enum status point_make(struct front_point *to, const struct reduced *r, const uint32_t *set, size_t n,
	int64_t stops, uint64_t cost, struct arena *a, struct err *e);

#endif
