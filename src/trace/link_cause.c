/* Who waits for whom.
 *
 * In go the lanes, out come figures that can only withhold a verdict.  A relay's copy waits for the original:
 * what R says to V for what X said, what R says to X for what V said.  Two flows with a common cause wait for
 * something else: each for what comes on its own leg, or both for one decision of R's.  What a thing waits
 * for it follows at the steadier time, for every step between adds to the spread. */
#include "trace/link_cause.h"

#include "trace/link_gates.h"
#include "trace/link_order.h"
#include "trace/link_sort.h"

#define CAUSE_MIN    12    /* with fewer bursts it cannot be told */
#define CAUSE_STEPS  10000 /* in ECHO_US */
#define CAUSE_WINDOW 4     /* steps in the spread behind c */
#define CAUSE_LATEST 64    /* of the bursts before one that are looked at */
#define LATER_MIN    0.4   /* share of B's bursts before which C was the later one */
#define LATER_TIMES  3     /* so much steadier is B's lag behind C there */

int cause_waits(const struct lane *a, const struct lane *c, const struct lane *b, int64_t *scratch)
{
	int64_t *behind_c = scratch, *behind_a = scratch + b->n;
	size_t n = 0, i = 0, j = 0;
	for (size_t k = 0; k < b->n; k++) {
		int64_t t = b->start[k];
		while (i < a->n && a->start[i] <= t)
			i++;
		while (j < c->n && c->start[j] <= t)
			j++;
		if (i == 0 || j == 0)
			continue;
		int64_t done = c->end[j - 1] <= t ? c->end[j - 1] : c->start[j - 1];
		if (done <= a->end[i - 1] || t - done > FOLLOW_US)
			continue;
		behind_c[n] = t - done;
		behind_a[n++] = t - a->start[i - 1];
	}
	if (n < SOURCES_MIN || (double)n < LATER_MIN * (double)b->n)
		return 0;
	int64_t steady = link_spread(behind_c, n, NULL);
	return steady <= SPREAD_US && LATER_TIMES * steady < link_spread(behind_a, n, NULL);
}

/* The spread of s behind the latest of c; -1 of too few. */
static int64_t behind_spread(const struct lane *s, const struct lane *c, int64_t *scratch)
{
	size_t n = 0, i = 0;
	for (size_t k = 0; k < s->n; k++) {
		while (i < c->n && c->start[i] < s->start[k])
			i++;
		if (i > 0 && s->start[k] - c->start[i - 1] <= FOLLOW_US)
			scratch[n++] = s->start[k] - c->start[i - 1];
	}
	return n >= CAUSE_MIN ? link_spread(scratch, n, NULL) : -1;
}

/* How many of s's bursts are behind one of c's by one and the same time, within CAUSE_WINDOW steps, more than
 * would be behind it by any. */
static double steady_behind(const struct lane *s, const struct lane *c, int64_t step)
{
	uint32_t count[CAUSE_STEPS + 1]; /* one more for what is rounded up */
	size_t steps = (size_t)(ECHO_US / step), i = 0;
	int64_t reach = (int64_t)steps * step;
	double per = 1 / (double)step;
	double all = 0;
	for (size_t k = 0; k <= steps; k++)
		count[k] = 0;
	for (size_t k = 0; k < s->n; k++) {
		while (i < c->n && c->start[i] < s->start[k])
			i++;
		for (size_t j = i; j > 0 && i - j < CAUSE_LATEST && s->start[k] - c->start[j - 1] < reach;
			j--) {
			count[(size_t)((double)(s->start[k] - c->start[j - 1]) * per)]++;
			all++;
		}
	}
	uint32_t here = 0, most = 0;
	for (size_t k = 0; k < steps; k++) {
		here += count[k] - (k >= CAUSE_WINDOW ? count[k - CAUSE_WINDOW] : 0);
		most = here > most ? here : most;
	}
	return (double)most - all * CAUSE_WINDOW / (double)steps;
}

/* The steps of a window as wide as the steadier of the two spreads behind the latest. */
static int64_t step_of(int64_t spread, int64_t other)
{
	int64_t step = (other >= 0 && other < spread ? other : spread) / CAUSE_WINDOW;
	return step < ECHO_US / CAUSE_STEPS ? ECHO_US / CAUSE_STEPS : step;
}

double cause_favours(const struct lane *s, const struct lane *c, const struct lane *d, int64_t *scratch)
{
	int64_t spread = behind_spread(s, c, scratch);
	if (spread < 0)
		return 0;
	int64_t step = step_of(spread, behind_spread(s, d, scratch));
	return (steady_behind(s, c, step) - steady_behind(s, d, step)) / __builtin_sqrt((double)s->n);
}

double cause_asks(const struct lane *a, const struct lane *b, int64_t *scratch)
{
	int64_t behind_a = behind_spread(b, a, scratch), behind_b = behind_spread(a, b, scratch);
	if (behind_a < 0 && behind_b < 0)
		return 0;
	int64_t step = behind_a < 0 ? step_of(behind_b, -1) : step_of(behind_a, behind_b);
	double n = (double)(a->n < b->n ? a->n : b->n);
	return (steady_behind(b, a, step) - steady_behind(a, b, step)) / __builtin_sqrt(n);
}

/* The spread of what is between a's starts and the nearest of b's, of at least half of them; -1 of fewer. */
static int64_t near_spread(const struct lane *a, const struct lane *b, int64_t *scratch)
{
	size_t n = 0, j = 0;
	for (size_t i = 0; i < a->n; i++) {
		int64_t z = lane_nearest(b, a->start[i], NEAR_US, &j);
		if (z != INT64_MIN)
			scratch[n++] = z - a->start[i];
	}
	return n >= SOURCES_MIN && 2 * n >= a->n ? link_spread(scratch, n, NULL) : -1;
}

int cause_at_once(const struct four_lanes *l, int64_t *scratch)
{
	int64_t once = near_spread(l->out_fwd, l->in_back, scratch);
	if (once < 0)
		return 0;
	int64_t there = near_spread(l->in_fwd, l->out_fwd, scratch);
	if (there >= 0 && LATER_TIMES * once >= there)
		return 0;
	int64_t back = near_spread(l->out_back, l->in_back, scratch);
	return back < 0 || LATER_TIMES * once < back;
}
