/* Order and lag: what a relay shows and a shared cause seldom does. */
#ifndef WEIR_TRACE_LINK_ORDER_H
#define WEIR_TRACE_LINK_ORDER_H

#include "trace/link_lane.h"

struct order {
	int64_t lag_us,
		spread_us; /* median and interquartile range of the lag of B's next start; 0 without any */
	uint32_t lags;	   /* how many lags that is */
	uint32_t before, after; /* A's lonely bursts whose nearest burst of B came before, after */
	uint32_t sources, lost; /* A's bursts, and those that no activity of B followed */
};

/* scratch: a->n elements.  Fills *o. */
void order_measure(const struct lane *a, const struct lane *b, int64_t *scratch, struct order *o);

/* 1 if B's bursts follow A's as a relay's do: in order, with one lag. */
int order_follows(const struct order *o);

/* 1 if there are enough of A's bursts and B was active after nearly all. */
int order_conserves(const struct order *o);

#endif
