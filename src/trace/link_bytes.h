/* The wealth of one direction, bet on sizes: that B's next stretch carries as many bytes as A brought. */
#ifndef WEIR_TRACE_LINK_BYTES_H
#define WEIR_TRACE_LINK_BYTES_H

#include "trace/link_bet.h"

/* Two trains as recorded; B's clock is offset_us behind A's (or A's offset_a_us: one of them is 0). */
struct sized_pair {
	const struct link_train *a, *b;
	int64_t offset_a_us, offset_b_us;
	const struct blinds *blind;
};

/* Bets on all of B's stretches in order.  gap_us: the pause that ends a stretch.  target: log10 wealth whose
 * time is wanted.  Fills *r: hits are the stretches as long as what A had brought, within the widest
 * tolerance. */
void bytes_run(const struct sized_pair *p, int64_t gap_us, double target, struct bet_result *r);

#endif
