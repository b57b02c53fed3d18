/* Ticks: hidden keystrokes leave at the ticks of a clock, and so do their copies. */
#ifndef WEIR_TRACE_LINK_TICK_H
#define WEIR_TRACE_LINK_TICK_H

#include "trace/link_bet.h"

/* Bursts so far apart are ticks; and no window of a slot between two ends later. */
#define TICK_MIN_US     10000
#define TICK_MAX_US     64000
#define TICK_WINDOWS_US 20000

/* Bets, at each burst of B that starts between two of A's recorded bursts close to each other (ticks), on
 * where between them.  a: bursts as recorded, not merged.  Fills *r as bet_run does. */
void tick_run(const struct link_train *a, const struct lane *b, const struct blinds *blind, double target,
	struct bet_result *r);

#endif
