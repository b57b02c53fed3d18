/* The null models: how likely OUT starts a burst in a window by itself.  Every figure is an upper bound that
 * uses only OUT's own past and OUT's number of bursts in the current block. */
#ifndef WEIR_TRACE_LINK_NULL_H
#define WEIR_TRACE_LINK_NULL_H

#include "trace/link_lane.h"

#define NULL_PAUSES 64 /* how many of the last pauses are remembered */

/* The last pauses (end of a burst to the start of the next); INT64_MAX where there were none yet. */
struct null_past {
	int64_t ring[NULL_PAUSES];
	int32_t brief[NULL_PAUSES]; /* the same, INT32_MAX for longer ones */
	uint32_t n, next;
};

void null_past_init(struct null_past *p);
void null_past_add(struct null_past *p, int64_t pause_us);

/* Wilson's upper limit (two standard errors) of a proportion, h of n, n >= 1. */
double null_upper(double h, double n);

/* Upper limits by numerator and denominator, those of a denominator kept once worked out.  Pure figures: for
 * any number of pairs.
 */
struct null_limits {
	double u[NULL_PAUSES * (NULL_PAUSES + 3) / 2]; /* row n, from 1 on, has n + 1; 0: not known yet */
};

void null_limits_init(struct null_limits *l);

/* Upper limit of a proportion, h of n: null_upper(), but "none of few" counts as none of 20.  1 for n = 0
 * with h > 0. */
double null_limit_of(uint32_t h, uint32_t n);

/* All limits of n trials, n from 1 to NULL_PAUSES: at once, since divisions that do not wait for each other
 * cost a fraction. */
void null_limits_row(struct null_limits *l, uint32_t n);

/* The same for h and n of at most NULL_PAUSES. */
static inline double null_limit(struct null_limits *l, uint32_t h, uint32_t n)
{
	if (n == 0 || h > n)
		return null_limit_of(h, n);
	double *u = &l->u[n * (n + 1) / 2 - 1 + h];
	if (*u == 0)
		null_limits_row(l, n);
	return *u;
}

/* Upper limit of P(the pause ends within [tau, tau + w) | it lasts tau already), from the remembered pauses,
 * the window widened on both sides.  In [0, 1]. */
double null_self(
	const struct null_past *p, struct null_limits *l, uint32_t survivors, int64_t tau_us, int64_t w_us);

/* Pauses that lasted tau or more. */
uint32_t null_survivors(const struct null_past *p, int64_t tau_us);

/* With fewer survivors than this the echo is asked as well. */
#define ECHO_BELOW 16

#define REPLAYS       32 /* bursts from which B's past is replayed */
#define REPLAY_RECENT 2  /* and so many more, of which it is not known yet what came of them */
#define REPLAY_STARTS 4  /* starts there can be in the windows of a replay: lanes have them apart */

/* B's past replayed from its last bursts, as long after each as now is after burst `last`: the starts that
 * came about then, against now. */
struct null_replay {
	const struct lane *b;
	size_t last;
	int64_t now_us;
	int32_t start[REPLAY_STARTS][REPLAYS + REPLAY_RECENT]; /* the newest replay first; INT32_MAX: none */
};

void null_replay(struct null_replay *r, const struct lane *b, size_t last, int64_t now_us);

/* Upper limit from replays: how often B started a burst in such a window, lo_us from now, whatever it did in
 * between.  Only starts up to now are used.  0 without a replay.  Widened, the window begins 30 ms before now
 * at the earliest and ends 280 ms after it at the latest. */
double null_echo(const struct null_replay *r, struct null_limits *l, int64_t lo_us, int64_t w_us);

#endif
