/* Whose cooperation isolates a target: the inclusion-minimal sets of networks without which no way up leads
 * from the target's networks to the transit-free core, cheapest first (weighted vertex cuts).
 *
 * A way up: from customer to provider, and at its end at most one peering into the core.  A core network
 * itself can be in a set, the target's own cannot; a way never comes back to the target.  The core of a
 * question is the core without the target's own networks: what a target in the core needs is one of the
 * others, by a peering; one that peers with many of the core needs them all in a set, and mostly has none
 * that is small.  Isolated means: from the core and all that is reached through it.  Networks that peer
 * with the target or stand below it still reach it; whatif.h counts them. */
#ifndef WEIR_MAP_CUT_H
#define WEIR_MAP_CUT_H

#include "map/graph.h"

struct cut_ask {
	const uint32_t *source;
	size_t n_source; /* nodes of the target; never in a set */
	const uint32_t *unwilling;
	size_t n_unwilling;     /* nodes that will not help */
	const uint64_t *weight; /* by node, 1..CUT_WEIGHT_MAX: what its refusing everything would cost others
				   (collateral) */
	/* Where given: only these may be the first step from the source (neighbours seen in the paths of a
	 * prefix).  One that the graph knows no link of to the source counts as its provider: a path showed
	 * that it carries the prefix, and leaving it out would call isolated what is not. */
	const uint32_t *first;
	size_t n_first;
	bool has_first;
	size_t size; /* sets of at most this many */
};
#define CUT_SIZE_MAX   6
#define CUT_WEIGHT_MAX (UINT64_C(1) << 40)
struct cut_set {
	uint32_t node[CUT_SIZE_MAX]; /* ascending */
	uint32_t n;
	uint64_t weight;
};
struct cut_answer {
	struct cut_set *set;
	size_t n;       /* by weight, then number, then nodes */
	bool connected; /* is there any way up at all? */
	bool more;      /* the search was stopped by CUT_SETS_MAX or CUT_WORK_MAX: there may be more */
	size_t whole;   /* all sets of at most this many networks are here; size, unless more */
	/* The cheapest set of any size (maximal flow, vertices split): its weight, networks (of equal ones
	 * set[0], else those nearest to the target); none where only unwilling networks are in the way. Exact
	 * even where `more`. */
	bool has_cheapest;
	uint64_t cheapest_weight;
	uint32_t *cheapest;
	size_t n_cheapest;
};
#define CUT_SETS_MAX 10000
#define CUT_WORK_MAX ((uint64_t)12000000) /* arcs looked at by the search for sets */
/* Memory of the arena.  STATUS_BAD: size beyond CUT_SIZE_MAX, a node that is none, a weight out of range. */
enum status cut_find(struct cut_answer *to, const struct graph *g, const struct cut_ask *q, struct arena *a,
	struct err *e);

#endif
