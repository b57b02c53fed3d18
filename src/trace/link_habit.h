/* Habit: what B's own past says of its next size.  As link_null.h does for starts, every figure is an upper
 * limit that uses only B's past, and B's times up to the end of the stretch asked about. */
#ifndef WEIR_TRACE_LINK_HABIT_H
#define WEIR_TRACE_LINK_HABIT_H

#include "trace/link_null.h"
#include "trace/link_stretch.h"

/* What a size may be proportional to: a pause, a duration, both, the size before. */
enum { PER_PAUSE, PER_SPAN, PER_WINDOW, PER_SIZE, PERS };

#define LIKENESSES 5

/* B's last sizes; twice, so that they stand in a row whatever was overwritten. */
struct past_sizes {
	int64_t v[2 * STRETCH_PAST];
	int32_t brief[2 *
		      STRETCH_PAST]; /* the same, INT32_MAX for larger ones; -1 where there were none yet */
	size_t n;
};

void past_sizes_init(struct past_sizes *p);
void past_sizes_add(struct past_sizes *p, int64_t bytes);

/* How many of the last STRETCH_PAST there are; and how many of them are in [lo, hi]. */
uint32_t past_sizes_known(const struct past_sizes *p);
uint32_t past_sizes_between(const struct past_sizes *p, int64_t lo, int64_t hi);

struct habit {
	struct null_limits limits;
	struct past_sizes size;
	int64_t pause[STRETCH_PAST], span[STRETCH_PAST]; /* of the same, a ring */
	double rate[PERS][STRETCH_PAST]; /* size by each of them; 0 where there was none; a ring */
	uint32_t rates[PERS];            /* how many there are */
	uint32_t same[STRETCH_PAST];     /* [STRETCH_PAST - lag]: sizes that were that of lag before */
};

/* The stretch whose size is asked about, and what has been looked up for it. */
struct habit_now {
	int64_t pause, span;
	int looked;
	uint64_t like[LIKENESSES]; /* masks of stretches: a bit for each, the last one's lowest */
	uint32_t n_like[LIKENESSES];
};

void habit_init(struct habit *h);
void habit_learn(struct habit *h, const struct stretch *s, int64_t pause);

/* pause: between the stretch before and s. */
void habit_ask(struct habit_now *now, const struct stretch *s, int64_t pause);

/* Upper limit of how often B alone has such a size in [lo, hi]; where that is `enough` or more, some number
 * that is. */
double habit_price(struct habit *h, struct habit_now *now, int64_t lo, int64_t hi, double enough);

#endif
