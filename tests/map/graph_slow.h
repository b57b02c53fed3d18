/* Small random topologies as tables, and what they mean by brute force: the slow second implementation that
 * the graph's answers are held against. */
#ifndef WEIR_TESTS_MAP_GRAPH_SLOW_H
#define WEIR_TESTS_MAP_GRAPH_SLOW_H

#include "base/arena.h"
#include "map/graph.h"
#include "map/whatif.h"

#define SLOW_MOST 15 /* networks: sets of them are bits */

struct slow {
	uint32_t n;
	uint32_t asn[SLOW_MOST]; /* ascending */
	uint32_t up[SLOW_MOST];  /* bits: providers */
	uint32_t peer[SLOW_MOST];
	uint32_t core; /* bits; 0: none named */
};

/* Random by the seed: 3 to `most` networks.  Without cycles of providers, unless cyclic. */
void slow_make(struct slow *s, uint64_t seed, uint32_t most, bool cyclic);
/* As relationships. */
void slow_links(const struct slow *s, struct links *to, struct arena *a);

/* Is there a way up from `source` (bits) to the core that meets nothing of `removed`? first: bits of who may
 * be the first step. */
bool slow_way(const struct slow *s, uint32_t source, uint32_t removed, uint32_t first);

/* What every network chooses when routes are told and chosen one by one until nothing changes. */
struct slow_route {
	enum route_class class;
	uint32_t n, path[SLOW_MOST]; /* itself first, the target last */
};
void slow_routes(const struct slow *s, uint32_t target, uint32_t shut, struct slow_route to[SLOW_MOST]);

#endif
