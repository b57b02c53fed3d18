/* The front: sets of actions that stop most of an attack for what they cost others.
 *
 * Pure.  An action stops elements of the attack, each with a weight, and costs elements of collateral, each
 * of which counts one.  A set stops (and costs) the union of what its actions do.  A point of the front is a
 * set of which no other stops as much for less, or more for as much; of equal ones the shortest, then the one
 * that needs the fewest helpers, then what stands first in order of preference. */
#ifndef WEIR_PLAN_FRONT_H
#define WEIR_PLAN_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define FRONT_EXACT 20 /* actions, after those that others beat, of which every set is tried */

struct front_set {
	const uint32_t *gain, *cost; /* elements; sorted, each once */
	size_t n_gain, n_cost;
	uint32_t helper; /* whose help it needs; 0: nobody's */
};

struct front_problem {
	const struct front_set *set; /* in order of preference */
	size_t n_set;
	const int64_t *weight; /* of each gain element, at least 0; their sum is below 2^53 */
	size_t n_gain, n_cost;
	int64_t budget; /* a point costs no more; -1: no bound */
	bool last;      /* only the point that stops most is wanted, and no gap */
	size_t exact;   /* FRONT_EXACT; less for tests */
};

struct front_point {
	int64_t stops;
	uint64_t cost;
	uint32_t *set; /* indices, ascending */
	size_t n;
};

struct front {
	struct front_point *point; /* by cost; stops rises with it */
	size_t n;
	bool exact;
	int64_t gap; /* not exact: no set of a point's cost stops more than this above the point */
};

/* In the arena.  Nothing that stops anything within the budget: no points. */
enum status front_make(struct front *to, const struct front_problem *p, struct arena *a, struct err *e);

#endif
