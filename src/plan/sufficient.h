/* Is the evidence enough for an action this wide?  The one function that decides; weighing will add to it. */
#ifndef WEIR_PLAN_SUFFICIENT_H
#define WEIR_PLAN_SUFFICIENT_H

#include "base/config.h"
#include "plan/path.h"
#include "plan/rule.h"

/* How often an action of each width may be wrong. */
struct alphas {
	double alpha[WIDTHS];
};
struct alphas alphas_of(const struct config *cfg);

struct sufficiency {
	bool ok;
	double log10_e;    /* of the weakest link, less log10 M; 0 where there is no link */
	double needed;     /* log10(1/alpha) of the width; 0 where there is no link */
	char missing[400]; /* "" where ok */
};

/* May an action of this width be taken against the flow at `step` of the path (0: the attack flow itself, k:
 * the in-leg of the k-th hop)?  A step stands on every link before it: the weakest counts.  Step 0 stands on
 * no link, but on the sighting: that suffices for a rate limit where the flow was recorded, for one host for
 * an hour where it was answered too (a sender's address alone can be forged), never for a prefix or longer.
 * What could be stopped here does not rest on a partner's word alone: where he tells of a link whose out-leg
 * was not recorded here, only what is upstream of it and does not pass here is for him to stop.
 */
void sufficient(
	struct sufficiency *to, const struct path *p, size_t step, enum width w, const struct alphas *a);

/* May a whole prefix be taken of which only so many hosts are attackers with evidence at its alpha?  Every
 * host in it has to be one. */
void sufficient_prefix(
	struct sufficiency *to, const struct prefix *p, uint64_t hosts, const struct alphas *a);

#endif
