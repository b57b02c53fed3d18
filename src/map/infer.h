/* Relationships from paths, for an atlas that has tables and no relationship file (Gao 2001, with the clique
 * of the largest transit degrees): what an own collector sees is enough to ask for cuts.  Weaker than a
 * relationship file; every answer from it says "inferred". */
#ifndef WEIR_MAP_INFER_H
#define WEIR_MAP_INFER_H

#include "base/arena.h"
#include "map/links.h"
#include "map/paths.h"

/* The links that the paths show, as a view that graph_make() takes; clique: what it takes for the core.
 * Memory of the arena. */
enum status infer_links(
	struct links *to, const struct paths *const *p, size_t n, struct arena *a, struct err *e);

#endif
