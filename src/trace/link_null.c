/* OUT against its own past: the chance that a pause which has lasted tau ends within the next w.
 *
 * In go the pauses OUT has made so far, out comes an upper limit of the proportion of those pauses, among all
 * that were as long, which ended in the window (a renewal hazard read off the last NULL_PAUSES pauses).  The
 * limit is Wilson's score limit (Wilson 1927, JASA 22:209, eq. 4) at z = 2.  A train that predicts itself, a
 * beacon, meets limits near one exactly where it is about to fire. */
#include "trace/link_null.h"

#define Z        2.0
#define NONE_MIN 20.0 /* "none of n" counts as none of so many where n is smaller */
#define WIDEN_US 5000 /* the window is widened by a quarter of itself and this much, on both sides */
#define REPLAYS  32   /* bursts from which B's past is replayed */

void null_past_init(struct null_past *p)
{
	p->n = 0;
	p->next = 0;
}

/* Number of remembered pauses below x. */
static uint32_t below(const struct null_past *p, int64_t x)
{
	uint32_t lo = 0, n = p->n;
	while (n > 0) {
		uint32_t half = n / 2;
		if (p->sorted[lo + half] < x) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

void null_past_add(struct null_past *p, int64_t pause_us)
{
	uint32_t i;
	if (p->n == NULL_PAUSES) { /* close the hole that the oldest leaves */
		i = below(p, p->ring[p->next]);
		p->n--;
		for (; i < p->n; i++)
			p->sorted[i] = p->sorted[i + 1];
	}
	for (i = p->n; i > 0 && p->sorted[i - 1] > pause_us; i--)
		p->sorted[i] = p->sorted[i - 1];
	p->sorted[i] = pause_us;
	p->n++;
	p->ring[p->next] = pause_us;
	p->next = (p->next + 1) % NULL_PAUSES;
}

double null_upper(double h, double n)
{
	double z2 = Z * Z;
	double p = h / n;
	double root = __builtin_sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
	double u = (p + z2 / (2.0 * n) + Z * root) / (1.0 + z2 / n);
	return u < 1.0 ? u : 1.0;
}

/* What never happened in few trials is given the benefit of more; what happened is not. */
static double limit(double h, double n)
{
	if (h <= 0)
		return null_upper(0, n < NONE_MIN ? NONE_MIN : n);
	return null_upper(h < n ? h : n, h < n ? n : h);
}

double null_self(const struct null_past *p, uint32_t survivors, int64_t tau_us, int64_t w_us)
{
	int64_t widen = w_us / 4 + WIDEN_US;
	uint32_t before = below(p, tau_us - widen);
	uint32_t until = below(p, tau_us + w_us + widen);
	return limit((double)(until - before), (double)survivors);
}

uint32_t null_survivors(const struct null_past *p, int64_t tau_us)
{
	return p->n - below(p, tau_us);
}

double null_echo(const struct lane *b, size_t last, int64_t open_us, int64_t w_us, int64_t now_us)
{
	int64_t widen = w_us / 4 + WIDEN_US;
	int64_t ahead = open_us - b->start[last];
	uint32_t n = 0, h = 0;
	size_t j = last; /* the first burst at or after the window's begin, walking down */
	for (size_t k = last; k > 0 && n < REPLAYS; k--) {
		int64_t from = b->start[k - 1] + ahead - widen;
		int64_t to = from + w_us + 2 * widen;
		if (to > now_us)
			continue;
		while (j > k && b->start[j - 1] >= from)
			j--;
		n++;
		h += j <= last && b->start[j] >= from && b->start[j] < to;
	}
	if (n == 0)
		return 0;
	return limit((double)h, (double)n);
}
