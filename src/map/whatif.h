/* Who has a valley-free route to a target (Gao, Rexford 2001): customers' routes are told to everybody,
 * routes of peers and providers to customers only.  Whether a network has any route does not depend on which
 * of equal ones it prefers, so no tie is broken here; the route class (customer, peer, provider) and length
 * are the best ones. */
#ifndef WEIR_MAP_WHATIF_H
#define WEIR_MAP_WHATIF_H

#include "map/graph.h"

enum route_class { ROUTE_NONE, ROUTE_SELF, ROUTE_CUSTOMER, ROUTE_PEER, ROUTE_PROVIDER };

struct reach {
	uint8_t *route;   /* by node: enum route_class */
	uint16_t *length; /* by node: links to the target */
	size_t n_reached; /* networks with a route, the target's own apart */
};
/* `without` (n of them): networks that neither take nor give the route; the targets still exist.  Memory of
 * the arena. */
enum status reach_make(struct reach *to, const struct graph *g, const uint32_t *target, size_t n_target,
	const uint32_t *without, size_t n_without, struct arena *a, struct err *e);

struct whatif {
	size_t n_all;            /* networks in the graph */
	size_t before, refusing; /* reach the target now; when the blocks refuse its routes (only its) */
	const uint32_t *losing;
	size_t n_losing; /* nodes that reach it before and not after, the blocks apart */
	/* When the blocks are gone altogether: who has no way up to the core any more (wholly dependent),
	 * target apart. */
	const uint32_t *stranded;
	size_t n_stranded;
};
/* n_target may be 0: only what is stranded.  Several blocks together: a network is stranded where every way
 * up meets one of them. */
enum status whatif_make(struct whatif *to, const struct graph *g, const uint32_t *target, size_t n_target,
	const uint32_t *block, size_t n_block, struct arena *a, struct err *e);

#endif
