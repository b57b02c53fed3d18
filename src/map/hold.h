/* The links by which a NET hangs, and how sure each is. */
#ifndef WEIR_MAP_HOLD_H
#define WEIR_MAP_HOLD_H

#include "map/isolate.h"

/* Fills to->hold, to->n_hold, to->n_seeing; to->source is there. */
enum status holds_make(struct isolate *to, const struct chart *c, const struct atlas *at,
	const struct net *net, struct arena *a, struct err *e);
struct hold *hold_find(struct hold *h, size_t n, uint32_t node);

#endif
