/* The wealth of one direction: bets that "B starts a burst within [t + lo, t + lo + w) of A's burst at t". */
#ifndef WEIR_TRACE_LINK_BET_H
#define WEIR_TRACE_LINK_BET_H

#include "trace/link_lane.h"

struct bet_result {
	double log10_end;   /* final wealth */
	double log10_sup;   /* largest wealth over time, at least 0 */
	int64_t reached_us; /* when the wealth first reached the target, INT64_MIN if never */
	uint32_t bets;      /* bursts of A on which at least one window was bet or could have been */
	uint32_t hits;      /* of those, followed by a burst of B within BET_HORIZON_US */
	uint32_t tame;      /* of those, where B's own past predicted B with a limit of one half or more */
};

#define BET_HORIZON_US 400000

/* Bets on all of A's bursts in order.  target: log10 wealth whose time is wanted.  Fills *r. */
void bet_run(const struct lane *a, const struct lane *b, const struct blinds *blind, double target,
	struct bet_result *r);

/* The most that n bets can win, as log10. */
double bet_ceiling(size_t n);

#endif
