/* The null models: how likely OUT starts a burst in a window by itself.  Every figure is an upper bound that
 * uses only OUT's own past and OUT's number of bursts in the current block. */
#ifndef WEIR_TRACE_LINK_NULL_H
#define WEIR_TRACE_LINK_NULL_H

#include <stddef.h>
#include <stdint.h>

#define NULL_PAUSES 64 /* how many of the last pauses are remembered */

/* The last pauses (end of a burst to the start of the next), in order of arrival and sorted. */
struct null_past {
	int64_t ring[NULL_PAUSES];
	int64_t sorted[NULL_PAUSES];
	uint32_t n, next;
};

void null_past_init(struct null_past *p);
void null_past_add(struct null_past *p, int64_t pause_us);

/* Upper limit of P(the pause ends within [tau, tau + w) | it lasts tau already), from the remembered pauses,
 * the window widened on both sides.  In [0, 1]. */
double null_self(const struct null_past *p, int64_t tau_us, int64_t w_us);

/* Wilson's upper limit (two standard errors) of a proportion, h of n, n >= 1. */
double null_upper(double h, double n);

#endif
