/* One walk over the routes of a scope in a paths sheet, each with its weight: the addresses of a prefix
 * without those of more specific ones that the same session has (IPv6: 1 each). */
#ifndef WEIR_MAP_WALK_H
#define WEIR_MAP_WALK_H

#include "base/arena.h"
#include "map/paths.h"

struct walk_route {
	uint32_t session, prefix, path;
	const uint32_t *as; /* AS indices of the path, peer first */
	size_t n_as;        /* >= 1 */
	double weight;
};

struct walk {
	const struct paths *paths;
	const uint8_t *origin_in; /* by AS index: its routes are of the scope */
	const uint8_t *prefix_in; /* by prefix index, whoever originates it; NULL: none */
	uint8_t family;
	void *self;
	bool (*visit)(void *self, const struct walk_route *r); /* false: out of memory, the walk ends */
};

/* STATUS_MACHINE: no memory. */
enum status walk_scope(const struct walk *w, struct err *e);

#endif
