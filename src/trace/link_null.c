/* OUT against its own past: the chance that a pause which has lasted tau ends within the next w.
 *
 * In go the pauses OUT has made so far, out comes an upper limit of the proportion of those pauses, among all
 * that were as long, which ended in the window (a renewal hazard read off the last NULL_PAUSES pauses).  The
 * limit is Wilson's score limit (Wilson 1927, JASA 22:209, eq. 4) at z = 2.  A train that predicts itself, a
 * beacon, meets limits near one exactly where it is about to fire. */
#include "trace/link_null.h"

#define Z        2.0
#define NONE_MIN 20.0  /* "none of n" counts as none of so many where n is smaller */
#define WIDEN_US 5000  /* the window is widened by a quarter of itself and this much, on both sides */
#define EARLY_US 30000 /* no widened window begins earlier, against now */
#define ROUND    (UINT32_C(1) << 31)

void null_past_init(struct null_past *p)
{
	p->n = p->next = 0;
	for (int i = 0; i < NULL_PAUSES; i++) {
		p->ring[i] = INT64_MAX;
		p->brief[i] = INT32_MAX;
	}
}

void null_past_add(struct null_past *p, int64_t pause_us)
{
	p->ring[p->next] = pause_us;
	p->brief[p->next] = pause_us < INT32_MAX ? (int32_t)pause_us : INT32_MAX;
	p->next = (p->next + 1) % NULL_PAUSES;
	if (p->n < NULL_PAUSES)
		p->n++;
}

static int is_brief(int64_t x)
{
	return x > INT32_MIN && x < INT32_MAX;
}

/* Number of remembered pauses below x.  Counting all is faster than searching sorted ones: compilers make
 * vector instructions of it, and nothing need be sorted. */
static uint32_t below(const struct null_past *p, int64_t x)
{
	uint32_t n = 0;
	if (!is_brief(x)) {
		for (int i = 0; i < NULL_PAUSES; i++)
			n += p->ring[i] < x;
		return n;
	}
	int32_t brief = (int32_t)x;
	for (int i = 0; i < NULL_PAUSES; i++)
		n += p->brief[i] < brief;
	return n;
}

/* Is v from x on and below y, y not below x?  One comparison tells, where x is the least of numbers that go
 * round: zero is x + ROUND, most y less that. */
static inline int in_range(int32_t v, uint32_t zero, int32_t most)
{
	return (int32_t)((uint32_t)v - zero) < most;
}

/* Number of remembered pauses in [x, y), y not below x. */
static uint32_t between(const struct null_past *p, int64_t x, int64_t y)
{
	if (!is_brief(x) || !is_brief(y))
		return below(p, y) - below(p, x);
	uint32_t zero = (uint32_t)x + ROUND, n = 0;
	int32_t most = (int32_t)((uint32_t)y - zero);
	for (int i = 0; i < NULL_PAUSES; i++)
		n += (uint32_t)in_range(p->brief[i], zero, most);
	return n;
}

void null_limits_init(struct null_limits *l)
{
	for (size_t i = 0; i < sizeof(l->u) / sizeof(l->u[0]); i++)
		l->u[i] = 0;
}

static inline double upper(double h, double n)
{
	double z2 = Z * Z;
	double p = h / n;
	double root = __builtin_sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
	double u = (p + z2 / (2.0 * n) + Z * root) / (1.0 + z2 / n);
	return u < 1.0 ? u : 1.0;
}

double null_upper(double h, double n)
{
	return upper(h, n);
}

/* What never happened in few trials is given the benefit of more; what happened is not. */
double null_limit_of(uint32_t h, uint32_t n)
{
	if (h == 0)
		return null_upper(0, n < NONE_MIN ? NONE_MIN : (double)n);
	return null_upper((double)(h < n ? h : n), (double)(h < n ? n : h));
}

void null_limits_row(struct null_limits *l, uint32_t n)
{
	double *u = &l->u[n * (n + 1) / 2 - 1];
	u[0] = null_limit_of(0, n);
	for (uint32_t h = 1; h <= n; h++)
		u[h] = upper((double)(int32_t)h, (double)(int32_t)n);
}

double null_self(
	const struct null_past *p, struct null_limits *l, uint32_t survivors, int64_t tau_us, int64_t w_us)
{
	int64_t widen = w_us / 4 + WIDEN_US;
	return null_limit(l, between(p, tau_us - widen, tau_us + w_us + widen), survivors);
}

uint32_t null_survivors(const struct null_past *p, int64_t tau_us)
{
	return p->n - below(p, tau_us);
}

static int32_t brief_of(int64_t v)
{
	if (v > INT32_MAX)
		return INT32_MAX;
	return v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

/* All windows ask about the same few starts, so that the past is walked through once for all of them. */
void null_replay(struct null_replay *r, const struct lane *b, size_t last, int64_t now_us)
{
	size_t most = REPLAYS + REPLAY_RECENT, n = last < most ? last : most;
	size_t j = last; /* the first start that any window has, walking down */
	int64_t ahead = now_us - b->start[last];
	r->b = b;
	r->last = last;
	r->now_us = now_us;
	for (size_t i = 0; i < n; i++) {
		size_t k = last - i;
		int64_t then = b->start[k - 1] + ahead;
		while (j > k && b->start[j - 1] >= then - EARLY_US)
			j--;
		for (size_t m = 0; m < REPLAY_STARTS; m++)
			r->start[m][i] = j + m <= last ? brief_of(b->start[j + m] - then) : INT32_MAX;
	}
	for (size_t m = 0; m < REPLAY_STARTS; m++)
		for (size_t i = n; i < most; i++)
			r->start[m][i] = INT32_MAX;
}

double null_echo(const struct null_replay *r, struct null_limits *l, int64_t lo_us, int64_t w_us)
{
	int64_t widen = w_us / 4 + WIDEN_US;
	int32_t from = (int32_t)(lo_us - widen), to = (int32_t)(lo_us + w_us + widen);
	uint32_t zero = (uint32_t)from + ROUND;
	int32_t most = (int32_t)((uint32_t)to - zero);
	const int64_t *start = r->b->start;
	size_t recent = 0;
	uint32_t h = 0;
	while (recent < REPLAY_RECENT && recent < r->last &&
		start[r->last] - start[r->last - 1 - recent] < to)
		recent++;
	size_t n = r->last - recent < REPLAYS ? r->last - recent : REPLAYS;
	const int32_t *a = &r->start[0][recent], *b = &r->start[1][recent];
	const int32_t *c = &r->start[2][recent], *d = &r->start[3][recent];
	for (int i = 0; i < REPLAYS; i++)
		h += (uint32_t)(in_range(a[i], zero, most) | in_range(b[i], zero, most) |
				in_range(c[i], zero, most) | in_range(d[i], zero, most));
	return n > 0 ? null_limit(l, h, (uint32_t)n) : 0;
}
