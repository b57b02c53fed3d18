/* Pictures of the map (SVG 1.1): the target, its upstreams in tiers with their shares, and the cut. */
#ifndef WEIR_CLI_MAP_SVG_H
#define WEIR_CLI_MAP_SVG_H

#include "base/bytes.h"
#include "map/atlas.h"
#include "map/depend.h"
#include "map/isolate.h"

/* The networks that the target depends on, by their distance on the paths; b->failed: no memory. */
void svg_depend(struct buf *b, const struct atlas *a, const struct net *net, const struct depend *d);
/* The ways up from the target to the core, and the cheapest set across them. */
struct svg_cut_param {
	const struct atlas *atlas;
	const struct net *net;
	const struct chart *chart;
	const struct isolate *is;
	const uint32_t *unwilling; /* AS numbers that no set has in it: the picture says so */
	size_t n_unwilling;
};
void svg_cut(struct buf *b, const struct svg_cut_param *p);

#endif
