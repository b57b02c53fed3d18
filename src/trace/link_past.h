/* The past of a train in stretches: figures of the last PAST of them, and which of them lie in a range or
 * near something. */
#ifndef WEIR_TRACE_LINK_PAST_H
#define WEIR_TRACE_LINK_PAST_H

#include <stddef.h>
#include <stdint.h>

#define PAST 64 /* stretches that are remembered: the bits of a mask */

/* B's last sizes: that of the n-th stretch at n % PAST, and again so much further on, so that the
 * last ones stand in a row whatever was overwritten. */
struct past_sizes {
	int64_t v[2 * PAST];
	int32_t brief[2 * PAST]; /* the same, INT32_MAX for larger ones; -1 where there were none yet */
	size_t n;
};

void past_sizes_init(struct past_sizes *p);
void past_sizes_add(struct past_sizes *p, int64_t bytes);

/* How many of the last PAST there are; and how many of them are in [lo, hi]. */
uint32_t past_sizes_known(const struct past_sizes *p);
uint32_t past_sizes_between(const struct past_sizes *p, int64_t lo, int64_t hi);

/* One of their times, at the same places; never negative. */
struct past_times {
	int64_t v[PAST];
	int32_t brief[PAST]; /* the same, INT32_MAX for longer ones and where there were none yet */
};

/* What sizes were by one of the times, at the same places; 0 where there was none. */
struct past_rates {
	double v[PAST];
	int32_t brief[PAST]; /* its upper bits, which order as v does */
	uint32_t n;          /* how many are not 0 */
};

void past_times_init(struct past_times *p);
void past_times_put(struct past_times *p, size_t place, int64_t v);
void past_rates_init(struct past_rates *p);
void past_rates_put(struct past_rates *p, size_t place, double v);

/* How many are above 0 and between from and to. */
uint32_t past_rates_between(const struct past_rates *p, double from, double to);

/* Masks have a bit for each stretch, by its place.  Whose sizes are in [lo, hi]? */
uint64_t past_sizes_mask(const struct past_sizes *p, int64_t lo, int64_t hi);

/* Of `known` stretches, one at least, those that came nearest to `what` in one of their times, a dozen, and
 * whatever is as near. */
uint64_t past_times_nearest(const struct past_times *p, size_t known, int64_t what);

uint32_t past_bits(uint64_t mask);

/* The last size; what came `lag` before it is at [-lag]. */
static inline const int64_t *past_sizes_newest(const struct past_sizes *p)
{
	return &p->v[(p->n - 1) % PAST + PAST];
}

/* The last PAST in a row, the oldest first. */
static inline const int32_t *past_sizes_brief(const struct past_sizes *p)
{
	return &p->brief[(p->n - 1) % PAST + 1];
}

#endif
