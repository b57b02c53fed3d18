/* What the orders in force want together: each match once, the harsher action (a drop, else the lower rate)
 * and, of those that want it so, the later end.  A softer rule of the match that ends later follows when the
 * orders are merged again after that end: who merges does so whenever an order expires. */
#ifndef WEIR_BLOCK_WANT_H
#define WEIR_BLOCK_WANT_H

#include "block/order.h"

#define WANT_MAX 4000000 /* rules of all orders, merged or not */

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
