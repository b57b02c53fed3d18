/* The limit: up to which jitter and which chaff a relay of this in-leg would have been proven. */
#ifndef WEIR_TRACE_LIMIT_H
#define WEIR_TRACE_LIMIT_H

#include "trace/relink.h"

struct limit {
	bool known;       /* false where not even a relay without delay would have been proven */
	double jitter_ms; /* the largest tried U(0, jitter) per direction, without chaff, that is still proven
			   */
	double chaff; /* the largest tried share of OUT's forward packets that were chaff, at the least jitter
		       */
};

/* Makes an out-leg of p->in as a relay would, adds jitter or chaff drawn from a source seeded by the flow's
 * id, and tests; a pure function of p.  Costs some ten tests. */
enum status limit_find(struct relink_room *room, const struct relink *p, struct limit *to, struct err *e);

#endif
