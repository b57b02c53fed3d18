/* What the orders in force want together: each match once, the harsher action and the later end. */
#ifndef WEIR_BLOCK_WANT_H
#define WEIR_BLOCK_WANT_H

#include "block/order.h"

struct want {
	struct rule rule;
	struct wall until;
};

/* One order's wish, and the index of its rules among the wanted. */
struct wish {
	const struct order *order;
	uint32_t *at; /* n_rule indices into want[]; filled in, in the arena */
};

/* Merges orders (those that expired at `now` are left out: at NULL).  Sorted by rule_compare() of the match.
 */
enum status want_merge(struct wish *wish, size_t n, struct wall now, struct want **to, size_t *n_want,
	struct arena *a, struct err *e);

#endif
