/* Lanes: a train made ready for betting.  Bursts merged at the reading gap, in time order, on IN's clock, and
 * without those whose start is an artefact of a blind interval. */
#ifndef WEIR_TRACE_LINK_LANE_H
#define WEIR_TRACE_LINK_LANE_H

#include "trace/link.h"

#define LANE_TIME_MAX (INT64_C(1) << 60) /* bursts beyond are no times and are left out */
#define LANE_GUARD_US 200000 /* after a blind interval running transfers look like starting ones */

struct lane {
	int64_t *start, *end; /* microseconds; start[k+1] - end[k] >= BURST_GAP_READ_US */
	size_t n;
};

struct blinds {
	const struct span *s;
	size_t n;
};

/* A time as recorded, within what can be reckoned with. */
static inline int64_t lane_time(int64_t t)
{
	if (t > LANE_TIME_MAX)
		return LANE_TIME_MAX;
	return t < -LANE_TIME_MAX ? -LANE_TIME_MAX : t;
}

/* Does a blind interval touch [from, to]?  *cursor, 0 at first, walks up with from. */
static inline int blinds_touch(const struct blinds *blind, size_t *cursor, int64_t from, int64_t to)
{
	while (*cursor < blind->n && blind->s[*cursor].to_us < from)
		(*cursor)++;
	return *cursor < blind->n && blind->s[*cursor].from_us <= to;
}

/* Fills lane (its arrays hold t->n elements) from a train whose clock is offset_us behind.  Bursts that start
 * before their predecessor (a clock that stepped back) are dropped. */
void lane_fill(struct lane *lane, const struct link_train *t, int64_t offset_us, const struct blinds *blind);

/* First index with start >= t, lane->n if there is none. */
size_t lane_find(const struct lane *lane, int64_t t);

/* The start of b nearest to t within reach, or INT64_MIN.  *j, 0 at first, walks up with t. */
int64_t lane_nearest(const struct lane *b, int64_t t, int64_t reach, size_t *j);

#endif
