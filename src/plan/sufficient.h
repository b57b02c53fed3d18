/* Is the evidence enough for an action this wide?  The one function that decides; weighing will add to it. */
#ifndef WEIR_PLAN_SUFFICIENT_H
#define WEIR_PLAN_SUFFICIENT_H

#include "plan/path.h"
#include "plan/rule.h"

/* log10(1/alpha) that each width of action needs, from the configuration. */
struct alphas {
	double alpha[WIDTHS];
};

struct sufficiency {
	bool ok;
	double log10_e; /* of the weakest link, less log10 M; 0 where there is no link */
	double needed;
	char missing[400]; /* "" where ok */
};

/* May an action of this width be taken against the flow at `step` of the path (0: the attack flow itself, k:
 * the in-leg of the k-th hop)?  A step stands on every link before it: the weakest counts.  Step 0 stands on
 * no link, but on the sighting: that suffices for one host, where the flow was recorded and answered (both
 * sides sent: a sender's address alone can be forged), never for a prefix. */
void sufficient(
	struct sufficiency *to, const struct path *p, size_t step, enum width w, const struct alphas *a);

#endif
