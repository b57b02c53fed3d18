/* Relationships from paths, for an atlas that has tables and no relationship file (Gao 2001, with the clique
 * of the largest transit degrees): what an own collector sees is enough to ask for cuts.  Weaker than a
 * relationship file; every answer from it says "inferred". */
#ifndef WEIR_MAP_INFER_H
#define WEIR_MAP_INFER_H

#include "map/links.h"
#include "map/paths.h"

/* Lines as links_write() takes them, by a then b; malloc'ed, the caller frees.  clique: AS numbers. */
enum status infer_links(struct link_line **line, size_t *n_line, uint32_t **clique, size_t *n_clique,
	const struct paths *const *p, size_t n, struct err *e);

#endif
