/* Are four lanes a relay's?  A sufficient number is not enough for "proven". */
#ifndef WEIR_TRACE_LINK_SHAPE_H
#define WEIR_TRACE_LINK_SHAPE_H

#include "trace/link_bet.h"
#include "trace/link_legs.h"

#define WAYS 5 /* forward, answers, ticks, sizes forward, sizes of answers */
enum way { WAY_FORWARD, WAY_ANSWERS, WAY_TICKS, WAY_SIZES, WAY_SIZES_BACK };

/* What sizes say of a pair, beside the bets. */
struct likeness {
	int follow;      /* IN's answers change their size as OUT's do */
	int volume;      /* and by the bets on sizes they are as long, in whatever order */
	int there, back; /* stretches are as long as what was brought, and not the other way round */
};

struct best {
	struct bet_result r[WAYS]; /* at offset */
	double sup;                /* the largest, before the charge */
	double top, sum;           /* of the final wealths: the largest, and all in its units */
	double charge;
	int64_t offset, reached_us;
	enum way way; /* that sup is of */
};

/* 0 if nothing can make it a relay's: OUT does not come after IN, its answers do not reach IN, or the other
 * side asks. */
int shape_may_be(struct legs *l, const struct link_param *p);

/* 1 if one of the ways that suffice shows a relay's order and lag, or sizes that match; what OUT answers
 * reaches IN; when OUT answers decides when IN does, unless IN's answers are hidden; and what R says waits
 * for what a relay's would (doc/evidence.md, gates 1 to 7).  l is at best->offset; its scratch is
 * overwritten. */
int shape_is_relays(
	struct legs *l, const struct best *best, const struct link_param *p, const struct likeness *sizes);

#endif
