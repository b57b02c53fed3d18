/* Networks by holder or by country, as numbers from 1 on in the order in which they are met: groups of
 * depend_ask.  Registration is not ownership: siblings are those whose holder the tables call the same. */
#ifndef WEIR_MAP_GROUP_H
#define WEIR_MAP_GROUP_H

#include "map/atlas.h"

struct groups { /* zeroed but for atlas and arena */
	const struct atlas *atlas;
	struct arena *arena;
	const char **name; /* by number - 1: the holder's id, or a country code */
	uint32_t *asn;     /* by number - 1: the first network met of it */
	size_t n, cap;
	uint32_t *slot; /* numbers by hash of the name, 0: free */
	size_t n_slot;
	bool failed; /* no memory: later networks are of no group */
};
/* As depend_ask.group; self is the groups. */
uint32_t group_holder(void *self, uint32_t asn);
uint32_t group_country(void *self, uint32_t asn);

#endif
