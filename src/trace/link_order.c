/* Order, lag and conservation of one direction, A to B.
 *
 * In go two lanes, out come counts.  A relay can send only what it has received: B's copy comes after A's
 * burst, by a lag that hardly changes, and what A carried comes out of B.  Two flows with a common cause have
 * no such order: which of them is first, and by how much, is drawn anew by the network at each event.  These
 * figures give no evidence for a link; they can only withhold a verdict. */
#include "trace/link_order.h"

#include "trace/link_gates.h"
#include "trace/link_sort.h"

#define LONELY_US     400000 /* distance from A's previous burst */
#define LONELY_MIN    8      /* with fewer lonely bursts all are used */
#define BEFORE_MAX    0.20   /* share of bursts that may come in the wrong order */
#define EXPLAINED_MIN 0.8    /* share of B's bursts that A explains */
#define ECHO_MIN      9
#define REACH_US      100 /* answers that differ by less than this cannot tell */
#define SLOPE_ERROR                                                                                          \
	1.31 /* sqrt(2) * 1.2533 (median) / 1.349 (interquartile range), in standard deviations              \
	      */
#define SLOPE_MAX 1.6
#define EXACT_OFF                                                                                            \
	0.02 /* polled tunnels of the zoo are within it; shared causes that nest by chance are not */
#define EXACT_ERROR 0.003 /* likewise */
#define EXACT_MASKED                                                                                         \
	0.05 /* of all answers come during words of R's, or there is no reason to doubt the order */
#define VAGUE_SIGMAS 3.0
#define HIDDEN_US    1000000 /* chaff lasts a second at least after each key */
#define COVERED_MIN  0.25    /* share of answers in R's own words that makes their order no witness */
#define SLOPE_MIN    0.5     /* half way between a shared cause (0) and a relay (1) */

void order_lag(const struct lane *a, const struct lane *b, int64_t *lags, struct order *o)
{
	size_t n = 0, j = 0;
	o->lag_us = o->spread_us = 0;
	o->sources = o->lost = 0;
	for (size_t i = 0; i < a->n; i++) {
		int64_t t = a->start[i];
		while (j < b->n && b->start[j] <= t)
			j++;
		int busy = j > 0 && b->end[j - 1] > t;
		o->sources++;
		if (j < b->n && b->start[j] - t <= FOLLOW_US)
			lags[n++] = b->start[j] - t;
		else if (!busy)
			o->lost++;
	}
	o->lags = (uint32_t)n;
	if (n > 0)
		o->spread_us = link_spread(lags, n, &o->lag_us);
}

static void measure_order(const struct lane *a, const struct lane *b, int64_t lonely_us, struct order *o)
{
	size_t j = 0;
	o->before = o->after = o->lonely = 0;
	for (size_t i = 0; i < a->n; i++) {
		int64_t t = a->start[i];
		while (j < b->n && b->start[j] <= t)
			j++;
		if (i > 0 && t - a->start[i - 1] < lonely_us)
			continue;
		o->lonely++;
		int64_t behind = j > 0 ? t - b->start[j - 1] : INT64_MAX;
		int64_t ahead = j < b->n ? b->start[j] - t : INT64_MAX;
		if (ahead < behind)
			o->after += ahead <= NEAR_US;
		else
			o->before += behind <= NEAR_US;
	}
}

void order_side(const struct lane *a, const struct lane *b, struct order *o)
{
	measure_order(a, b, LONELY_US, o);
	if (o->before + o->after < LONELY_MIN)
		measure_order(a, b, 0, o);
}

void order_measure(const struct lane *a, const struct lane *b, int64_t *scratch, struct order *o)
{
	order_lag(a, b, scratch, o);
	order_side(a, b, o);
}

/* Wald's grouping estimate of a slope (1940, Ann. Math. Stat. 11:284) with the medians of the outer thirds
 * (Nair & Shrivastava 1942) and its error from the spread of the residuals.  d and e sorted by d on return.
 */
static void group_slope(int64_t *d, int64_t *e, size_t n, double spread, struct echo *echo)
{
	size_t third = n / 3;
	link_sort(d, e, n);
	echo->reach_us = d[n - 1 - third / 2] - d[third / 2];
	link_select(e, third, third / 2);
	link_select(e + n - third, third, third - 1 - third / 2);
	double rise = (double)(e[n - 1 - third / 2] - e[third / 2]);
	if (echo->reach_us < REACH_US)
		return;
	echo->slope = rise / (double)echo->reach_us;
	echo->error = SLOPE_ERROR * spread / __builtin_sqrt((double)third) / (double)echo->reach_us;
}

/* Bursts that were split on one side only have wild lags; what lies beyond the quartiles by more than their
 * distance is left out (Tukey 1977).  lag and d sorted by lag on return; the rest is [*from, result). */
static size_t trim(int64_t *lag, int64_t *d, size_t n, size_t *from, double *spread)
{
	link_sort(lag, d, n);
	int64_t low = lag[n / 4], high = lag[n - 1 - n / 4];
	int64_t width = high - low;
	size_t to = n;
	*from = 0;
	while (lag[*from] < low - width)
		(*from)++;
	while (lag[to - 1] > high + width)
		to--;
	*spread = (double)width;
	return to;
}

void order_echo(const struct lane *in_fwd, const struct lane *out_back, const struct lane *in_back,
	int64_t *scratch, struct echo *echo)
{
	int64_t *d = scratch, *lag = scratch + out_back->n;
	size_t n = 0, q = 0, j = 0;
	echo->masked = echo->streamed = echo->near = 0;
	echo->all = (uint32_t)out_back->n;
	for (size_t i = 0; i < out_back->n; i++) {
		int64_t t = out_back->start[i];
		while (q < in_fwd->n && in_fwd->start[q] <= t)
			q++;
		int64_t z = lane_nearest(in_back, t, NEAR_US, &j);
		int masked = j > 0 && in_back->end[j - 1] > t;
		echo->masked += (uint32_t)masked;
		echo->streamed += masked && q > 0 && in_fwd->end[q - 1] > t;
		echo->near += z != INT64_MIN;
		if (q == 0 || z == INT64_MIN || t - in_fwd->start[q - 1] > ECHO_US)
			continue;
		if (in_fwd->start[q - 1] >= z || (q < in_fwd->n && in_fwd->start[q] <= z))
			continue; /* not one question's */
		d[n] = t - in_fwd->start[q - 1];
		lag[n++] = z - t;
	}
	echo->n = (uint32_t)n;
	echo->slope = echo->error = 0;
	echo->reach_us = 0;
	if (n < ECHO_MIN)
		return;
	size_t from;
	double spread;
	size_t to = trim(lag, d, n, &from, &spread);
	for (size_t i = from; i < to; i++)
		lag[i] += d[i]; /* now e */
	if (to - from < ECHO_MIN) {
		echo->n = 0; /* it cannot be told */
		return;
	}
	group_slope(d + from, lag + from, to - from, spread, echo);
}

int order_stream(const struct lane *lane)
{
	size_t longs = 0;
	for (size_t i = 0; i < lane->n; i++)
		longs += lane->end[i] - lane->start[i] >= HIDDEN_US;
	return 2 * longs >= lane->n;
}

int order_hidden(const struct lane *in_fwd, const struct lane *out_back, const struct echo *e, double share)
{
	if (order_stream(out_back))
		return 0;
	if ((double)e->streamed >= share * (double)e->all)
		return 1;
	return order_stream(in_fwd) && (double)e->masked >= share * (double)e->all;
}

/* How far the slope is from a relay's. */
static double slope_off(const struct echo *e)
{
	return e->slope > 1.0 ? e->slope - 1.0 : 1.0 - e->slope;
}

/* Half of the answers, of those that could be seen, are near one of IN's. */
static int is_near(const struct echo *e)
{
	return 2 * e->near >= e->all - e->masked;
}

int order_echoes(const struct echo *e, double sigmas)
{
	return is_near(e) && e->slope >= SLOPE_MIN && e->slope <= SLOPE_MAX && e->slope >= sigmas * e->error;
}

int order_exact(const struct echo *e)
{
	return is_near(e) && 2 * e->n >= e->all && (double)e->masked >= EXACT_MASKED * (double)e->all &&
	       e->error <= EXACT_ERROR && slope_off(e) <= EXACT_OFF;
}

int order_vague(const struct echo *e)
{
	return is_near(e) && e->n >= ECHO_MIN && e->error > 0 && slope_off(e) <= VAGUE_SIGMAS * e->error;
}

int order_steady(const struct echo *e)
{
	return e->n >= ECHO_MIN && e->reach_us < REACH_US;
}

int order_flat(const struct echo *e, double most)
{
	return e->n >= ECHO_MIN && e->reach_us >= REACH_US && e->slope < most &&
	       slope_off(e) > VAGUE_SIGMAS * e->error;
}

int order_denies(const struct lane *out_back, const struct echo *e, int own)
{
	return order_stream(out_back) ||
	       ((own || order_flat(e, SLOPE_MIN)) && (double)e->masked < COVERED_MIN * (double)e->all);
}

/* Few of A's bursts come after B's. */
static int few_before(const struct order *o)
{
	return (double)o->before <= BEFORE_MAX * ((double)o->before + (double)o->after);
}

int order_leans(const struct order *o)
{
	return o->before < o->after;
}

int order_leans_far(const struct order *o, double sigmas)
{
	double more = (double)o->after - (double)o->before, all = (double)o->after + (double)o->before;
	return more > 0 && more * more >= sigmas * sigmas * all;
}

int order_keeps(const struct order *o)
{
	return order_leans(o) && few_before(o);
}

int order_follows(const struct order *o)
{
	return few_before(o) && o->spread_us <= SPREAD_US;
}

int order_meets(const struct order *o)
{
	return 2 * ((size_t)o->before + o->after) >= o->lonely;
}

int order_leads(const struct order *o)
{
	return order_follows(o) && order_meets(o);
}

int order_conserves(const struct order *o)
{
	return o->sources >= SOURCES_MIN && (double)o->lost <= LOST_MAX * (double)o->sources;
}

int order_explains(const struct lane *a, const struct lane *b)
{
	size_t all = 0, explained = 0, j = 0;
	for (size_t i = 0; i < b->n; i++) {
		int64_t t = b->start[i];
		while (j < a->n && a->start[j] <= t)
			j++;
		if (j == 0 || (j == a->n && t - a->end[j - 1] > FOLLOW_US))
			continue; /* before A's life, or after it */
		all++;
		explained += t - a->end[j - 1] <= FOLLOW_US;
	}
	return all >= SOURCES_MIN && (double)explained >= EXPLAINED_MIN * (double)all;
}
