/* Who waits for whom: the cause of what a leg carries, among all that R receives and sends. */
#ifndef WEIR_TRACE_LINK_CAUSE_H
#define WEIR_TRACE_LINK_CAUSE_H

#include "trace/link_lane.h"

/* Whom do s's bursts wait for, c or d?  A burst keeps a steadier distance from what it waits for than from
 * anything else: how many more of s's bursts keep one distance behind c than behind d, those that would by
 * chance taken off, in units of the square root of s's bursts.  Above 0 for c, below for d; 0 if fewer than
 * 12 follow c, whatever follows d.  scratch: s->n elements.  doc/evidence.md, gate 7. */
double cause_favours(const struct lane *s, const struct lane *c, const struct lane *d, int64_t *scratch);

/* A is whom a relay's B would wait for, C the rival.  1 if B's bursts wait for C: where C was active later
 * than A before B's burst, B comes a steady time after C and at no steady time after A.  scratch: 2 * b->n
 * elements. */
int cause_waits(const struct lane *a, const struct lane *c, const struct lane *b, int64_t *scratch);

/* The four lanes of a pair. */
struct four_lanes {
	const struct lane *in_fwd, *in_back, *out_fwd, *out_back;
};

/* 1 if one decision of R's sends to X and to V: what it sends to both starts at once, far more steadily than
 * either follows what came.  scratch: as many elements as the longest lane has. */
int cause_at_once(const struct four_lanes *l, int64_t *scratch);

/* How much more b's bursts wait for a's than a's for b's, in roots of the fewer of them: above 0 where a asks
 * and b answers, below it where b speaks first; 0 if it cannot be told.  scratch: an element for each of the
 * more of them. */
double cause_asks(const struct lane *a, const struct lane *b, int64_t *scratch);

#endif
