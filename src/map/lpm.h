/* Longest prefix match over a sorted list of prefixes: the address space as ranges, each with the index of
 * its longest prefix, found in less than 100 ns.  Made once (lpm_build), stored as sections, used where it
 * lies. */
#ifndef WEIR_MAP_LPM_H
#define WEIR_MAP_LPM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"
#include "map/sheet.h"

#define LPM_NONE UINT32_MAX
#define LPM_ROWS 12

struct map_prefix;
struct lpm {
	const uint32_t *begin4, *value4,
		*top4; /* ranges by their first address; top4: 65537 places in them */
	size_t n4;
	const uint64_t *begin6; /* the layout is lpm.c's */
	const uint32_t *value6;
	size_t n6;
	const void *more6;
	size_t n_more6;
	uint32_t first6[LPM_ROWS], node6[LPM_ROWS], rows6; /* the tree's rows, lowest first */
};

/* prefix: sorted as paths.h says, each once.  Writes the sections of the lpm. */
enum status lpm_write(struct sheet_out *o, const struct map_prefix *prefix, size_t n, struct err *e);
/* False where the sections do not fit together. */
bool lpm_view(struct lpm *l, const struct sheet *s);
/* Index into the list it was made of, or LPM_NONE. */
uint32_t lpm_find(const struct lpm *l, const struct ip *ip);

#endif
