/* Relationships in memory for tests and benches: rows as links.h describes them, made of lines without a
 * sheet, and CAIDA's files read line by line. */
#ifndef WEIR_TESTS_MAP_LINKS_KIT_H
#define WEIR_TESTS_MAP_LINKS_KIT_H

#include "base/arena.h"
#include "map/links.h"

/* clique: AS numbers.  Every link once, in one direction; exits where memory is out. */
void links_kit_make(struct links *to, struct arena *a, const struct link_line *line, size_t n,
	const uint32_t *clique, size_t n_clique);

/* False where $WEIR_SHARED_DATA/map/NAME (else ../shared/data/map/NAME beside the source) is not there. */
bool links_kit_file(struct links *to, struct arena *a, const char *name);

#endif
