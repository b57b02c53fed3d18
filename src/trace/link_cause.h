/* Who waits for whom: the cause of what a leg carries, among all that R receives and sends. */
#ifndef WEIR_TRACE_LINK_CAUSE_H
#define WEIR_TRACE_LINK_CAUSE_H

#include "trace/link_lane.h"

/* Whom do s's bursts wait for, c or d?  What a thing waits for it follows by one and the same time: how many
 * more of s's bursts follow c so than follow d, in standard errors; above 0 for c, below for d, 0 if it
 * cannot be told.  scratch: s->n elements. */
double cause_favours(const struct lane *s, const struct lane *c, const struct lane *d, int64_t *scratch);

/* 1 if B's bursts wait for C: where C was active later than A before B's burst, B comes a steady time after C
 * and at no steady time after A.  scratch: 2 * b->n elements. */
int cause_waits(const struct lane *a, const struct lane *c, const struct lane *b, int64_t *scratch);

/* The four lanes of a pair. */
struct four_lanes {
	const struct lane *in_fwd, *in_back, *out_fwd, *out_back;
};

/* 1 if one decision of R's sends to X and to V: what it sends to both starts at once, far more steadily than
 * either follows what came.  scratch: as many elements as the longest lane has. */
int cause_at_once(const struct four_lanes *l, int64_t *scratch);

#endif
