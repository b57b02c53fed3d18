/* Links sheet: AS relationships as CAIDA's serial-1 and serial-2 files say them (or inferred from paths,
 * infer.h): A is provider of B (-1), A and B are peers (0).  Adjacency in compressed rows. */
#ifndef WEIR_MAP_LINKS_H
#define WEIR_MAP_LINKS_H

#include "base/arena.h"
#include "map/sheet.h"

enum link_role { LINK_PROVIDERS, LINK_PEERS, LINK_CUSTOMERS, LINK_ROLES };
extern const char *const link_role_text[LINK_ROLES]; /* "provider", "peer", "customer" */

/* Places are AS indices. row[role][as] .. row[role][as + 1] in to[role]; ascending. */
struct links {
	const uint32_t *as;
	size_t n_as; /* AS numbers, ascending */
	const uint32_t *row[LINK_ROLES];
	const uint32_t *to[LINK_ROLES];
	size_t n_to[LINK_ROLES];
	const uint32_t *clique;
	size_t n_clique; /* AS indices of the transit-free core, ascending; 0: the file names none */
	const uint32_t *ixp;
	size_t n_ixp; /* AS numbers of exchange points, as the file names them */
};
/* Checks all of it: the rows and what stands in them.  STATUS_BAD: damaged. */
enum status links_view(struct links *l, const struct sheet *s, struct err *e);

struct link_line {
	uint32_t a, b; /* AS numbers */
	int8_t rel;    /* -1: a is provider of b; 0: peers */
};
struct links_counts {
	uint64_t line, link, bad_line, twice, /* bad_line: of a network with itself */
		both_ways; /* both_ways: provider of each other, or peer and provider: the first counts */
};
/* Lines to rows in memory; the arena's.  *counts is filled.  A member of the clique without a link is left
 * out.  STATUS_BAD: not one link in it. */
enum status links_make(struct links *to, const struct link_line *line, size_t n, const uint32_t *clique,
	size_t n_clique, const uint32_t *ixp, size_t n_ixp, struct links_counts *counts, struct arena *a,
	struct err *e);
/* The same to a sheet. */
enum status links_write(struct sheet_out *o, const struct link_line *line, size_t n, const uint32_t *clique,
	size_t n_clique, const uint32_t *ixp, size_t n_ixp, struct links_counts *counts, struct err *e);

/* Rows in memory to a sheet. */
enum status links_put(struct sheet_out *o, const struct links *l, struct err *e);

#define NO_LINK UINT32_MAX
uint32_t links_as(const struct links *l, uint32_t asn); /* AS index or NO_LINK */

#endif
