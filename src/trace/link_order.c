/* Order, lag and conservation of one direction, A to B.
 *
 * In go two lanes, out come counts.  A relay can send only what it has received: B's copy comes after A's
 * burst, by a lag that hardly changes, and what A carried comes out of B.  Two flows with a common cause have
 * no such order: which of them is first, and by how much, is drawn anew by the network at each event.  These
 * figures give no evidence for a link; they can only withhold a verdict. */
#include "trace/link_order.h"

#define FOLLOW_US   400000 /* how far a copy may be behind */
#define NEAR_US	    150000 /* what counts as the same event, before or after */
#define LONELY_US   400000 /* distance from A's previous burst */
#define LONELY_MIN  8	   /* with fewer lonely bursts all are used */
#define BEFORE_MAX  0.20   /* share of bursts that may come in the wrong order */
#define LOST_MAX    0.25   /* share of A's bursts that nothing need follow */
#define SOURCES_MIN 6
#define SPREAD_US   60000 /* of the lag, interquartile */

static void sift(int64_t *v, size_t root, size_t n)
{
	for (;;) {
		size_t child = 2 * root + 1;
		if (child >= n)
			return;
		if (child + 1 < n && v[child] < v[child + 1])
			child++;
		if (v[root] >= v[child])
			return;
		int64_t t = v[root];
		v[root] = v[child];
		v[child] = t;
		root = child;
	}
}

static void heap_sort(int64_t *v, size_t n)
{
	for (size_t i = n / 2; i > 0; i--)
		sift(v, i - 1, n);
	for (size_t i = n; i > 1; i--) {
		int64_t t = v[0];
		v[0] = v[i - 1];
		v[i - 1] = t;
		sift(v, 0, i - 1);
	}
}

static void measure_lags(const struct lane *a, const struct lane *b, int64_t *lags, struct order *o)
{
	size_t n = 0, j = 0;
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
	heap_sort(lags, n);
	o->lags = (uint32_t)n;
	if (n > 0) {
		o->lag_us = lags[n / 2];
		o->spread_us = lags[n - 1 - n / 4] - lags[n / 4];
	}
}

static void measure_order(const struct lane *a, const struct lane *b, int64_t lonely_us, struct order *o)
{
	size_t j = 0;
	o->before = o->after = 0;
	for (size_t i = 0; i < a->n; i++) {
		int64_t t = a->start[i];
		while (j < b->n && b->start[j] <= t)
			j++;
		if (i > 0 && t - a->start[i - 1] < lonely_us)
			continue;
		int64_t behind = j > 0 ? t - b->start[j - 1] : INT64_MAX;
		int64_t ahead = j < b->n ? b->start[j] - t : INT64_MAX;
		if (ahead < behind)
			o->after += ahead <= NEAR_US;
		else
			o->before += behind <= NEAR_US;
	}
}

void order_measure(const struct lane *a, const struct lane *b, int64_t *scratch, struct order *o)
{
	o->lag_us = o->spread_us = 0;
	o->lags = o->sources = o->lost = 0;
	measure_lags(a, b, scratch, o);
	measure_order(a, b, LONELY_US, o);
	if (o->before + o->after < LONELY_MIN)
		measure_order(a, b, 0, o);
}

int order_follows(const struct order *o)
{
	double all = (double)o->before + (double)o->after;
	return (double)o->before <= BEFORE_MAX * all && o->spread_us <= SPREAD_US;
}

int order_conserves(const struct order *o)
{
	return o->sources >= SOURCES_MIN && (double)o->lost <= LOST_MAX * (double)o->sources;
}
