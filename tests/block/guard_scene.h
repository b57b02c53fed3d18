/* What guard_fuzz makes, and what its slow second implementation looks at: a guard, a plan, an order, a
 * clock. */
#ifndef WEIR_TESTS_BLOCK_GUARD_SCENE_H
#define WEIR_TESTS_BLOCK_GUARD_SCENE_H

#include <stdlib.h>

#include "block/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NOW     INT64_C(1795362120000000)
#define MINUTE  (60 * SECOND_US)
#define HOUR    (60 * MINUTE)
enum { RULES = 4, ACTIONS = 6, PROTECTED = 9, OWN = 3 };

struct scene {
	struct protected protected[PROTECTED];
	struct prefix own[OWN];
	struct guard guard;
	struct action action[2][ACTIONS];
	struct option option[2];
	struct plan plan;
	struct rule rule[RULES];
	struct order order;
	struct wall now;
};

static inline struct prefix net(const char *s)
{
	struct prefix p;

	if (!prefix_parse(&p, s))
		abort();
	return p;
}

/* May the order reach the kernel? */
bool slow_order(const struct scene *s);

#endif
