/* Sightings of a case that lead to one chain: each login of a spray is one of many flows together, and what
 * is said of one of them is said of all.  For people they are one block with the others named under it; JSON
 * has a document for each. */
#ifndef WEIR_CLI_SAME_CHAIN_H
#define WEIR_CLI_SAME_CHAIN_H

#include "cli/app.h"

struct same_chain;

struct same_chains {
	struct arena arena;
	struct same_chain *first, *last;
	size_t printed; /* the caller's: blocks until now */
};

/* Was a chain with these hops, of flows together, printed before?  *is; if not it is from now on. */
enum status same_chain_known(struct same_chains *l, const struct chain *c, bool *is, struct err *e);

/* For people, those that were known. */
void same_chains_print(FILE *o, struct same_chains *l);
void same_chains_free(struct same_chains *l);

#endif
