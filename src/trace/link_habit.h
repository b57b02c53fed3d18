/* Habit: what B's own past says of its next size.  As link_null.h does for starts, every figure is an upper
 * limit that uses only B's past, and B's times up to the end of the stretch asked about. */
#ifndef WEIR_TRACE_LINK_HABIT_H
#define WEIR_TRACE_LINK_HABIT_H

#include "trace/link_past.h"
#include "trace/link_stretch.h"

/* What a size may be proportional to: a pause, a duration, both, the size before. */
enum { PER_PAUSE, PER_SPAN, PER_WINDOW, PER_SIZE, PERS };

#define LIKENESSES 5

struct habit {
	struct null_limits *limits;
	struct past_sizes size;
	struct past_times pause, span, window; /* window: pause and span */
	struct past_rates rate[PERS];
	uint32_t same[PAST]; /* [PAST - lag]: sizes that were that of lag before */
};

/* The stretch whose size is asked about, and what has been looked up for it. */
struct habit_now {
	int64_t pause, span;
	int repeats;               /* how many lags; -1: not looked up */
	uint8_t lag[PAST];         /* at which B repeats itself */
	int looked;                /* for likenesses */
	uint64_t like[LIKENESSES]; /* masks of stretches: a bit for each, by its place */
	uint32_t n_like[LIKENESSES];
};

void habit_init(struct habit *h, struct null_limits *limits);
void habit_learn(struct habit *h, const struct stretch *s, int64_t pause);

/* pause: between the stretch before and s. */
void habit_ask(struct habit_now *now, const struct stretch *s, int64_t pause);

/* Upper limit of how often B alone has such a size in [lo, hi]; where that is `enough` or more, some number
 * that is. */
double habit_price(struct habit *h, struct habit_now *now, int64_t lo, int64_t hi, double enough);

#endif
