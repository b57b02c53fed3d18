/* Whose cooperation isolates a target: the inclusion-minimal sets of networks without which no way up leads
 * from the target's networks to the transit-free core, cheapest first (weighted vertex cuts).  A way up: from
 * customer to provider, and at its end at most one peering into the core.  A core network itself can be in a
 * set. */
#ifndef WEIR_MAP_CUT_H
#define WEIR_MAP_CUT_H

#include "map/graph.h"

struct cut_ask {
	const uint32_t *source;
	size_t n_source; /* nodes of the target; never in a set */
	const uint32_t *unwilling;
	size_t n_unwilling; /* nodes that will not help */
	const uint64_t
		*weight; /* by node, >= 1: what its refusing everything would cost others (collateral) */
	/* Where given: only these may be the first step from the source (neighbours seen in the paths of a
	 * prefix). */
	const uint32_t *first;
	size_t n_first;
	bool has_first;
	size_t size; /* sets of at most this many */
};
#define CUT_SIZE_MAX 6
struct cut_set {
	uint32_t node[CUT_SIZE_MAX]; /* ascending */
	uint32_t n;
	uint64_t weight;
};
struct cut_answer {
	struct cut_set *set;
	size_t n;       /* by weight, then number, then nodes */
	bool connected; /* is there any way up at all? */
	bool more;      /* the search was stopped at CUT_SETS_MAX sets: there are more */
	/* The cheapest set of any size (maximal flow, vertices split): its weight, networks; none where only
	 * unwilling networks are in the way. */
	bool has_cheapest;
	uint64_t cheapest_weight;
	uint32_t *cheapest;
	size_t n_cheapest;
};
#define CUT_SETS_MAX 10000
/* Memory of the arena.  STATUS_BAD: size beyond CUT_SIZE_MAX. */
enum status cut_find(struct cut_answer *to, const struct graph *g, const struct cut_ask *q, struct arena *a,
	struct err *e);

#endif
