/* The wealth of one direction: bets that "B starts a burst within [t + lo, t + lo + w) of A's burst at t". */
#ifndef WEIR_TRACE_LINK_BET_H
#define WEIR_TRACE_LINK_BET_H

#include "trace/link_null.h"

struct bet_result {
	double log10_end;   /* final wealth */
	double log10_sup;   /* largest wealth over time, at least 0 */
	int64_t reached_us; /* when the wealth first reached the target, INT64_MIN if never */
	uint32_t bets;      /* bursts of A on which at least one window was bet or could have been */
	uint32_t hits;      /* of those, followed by a burst of B within BET_HORIZON_US */
	uint32_t tame;      /* of those, where B's own past predicted B with a limit of one half or more */
};

#define BET_HORIZON_US 400000

/* Common to all ways of betting. */
#define BET_FLOOR    0.04                   /* no probability is taken to be smaller */
#define BET_MOST     0.90                   /* and none above this is bet on */
#define BET_SAFETY   1.25                   /* on a density that is even given what is conditioned on */
#define BET_KELLY    0.9                    /* share of the optimal stake */
#define BET_FLUSH    1e-200                 /* less is nothing */
#define BET_SCALE_UP 1.3407807929942597e154 /* wealths are divided by 2^512 where they get that large */

void bet_result_init(struct bet_result *r);

/* The wealth after a bet at odds 1/paid, staked as a share r of wins and a price q < r say. */
static inline double bet_wealth(double wealth, double r, double q, double paid, int won)
{
	double stake = BET_KELLY * (r - q) / (1.0 - q);
	wealth *= won ? 1.0 - stake + stake / paid : 1.0 - stake;
	return wealth < BET_FLUSH ? 0 : wealth;
}

/* The account of a way whose cells' average is looked at after each bet. */
struct bet_account {
	double target, best, scale; /* best: the largest average; scale: log10 of what that was divided by */
	struct bet_result *r;
};

/* Clears *r. */
void account_open(struct bet_account *a, double target, struct bet_result *r);

/* 1 if the cells' wealths are to be divided by BET_SCALE_UP. */
int account_enter(struct bet_account *a, double average, int64_t when);

void account_close(struct bet_account *a, double average);

/* Bets on all of A's bursts in order.  limits: begun by null_limits_init(), for any number of runs.  target:
 * log10 wealth whose time is wanted.  Fills *r. */
void bet_run(const struct lane *a, const struct lane *b, const struct blinds *blind,
	struct null_limits *limits, double target, struct bet_result *r);

/* The most that n bets can win, as log10. */
double bet_ceiling(size_t n);

#endif
