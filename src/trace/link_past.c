/* What is remembered of a train in stretches.
 *
 * In go figures one by one, out come counts and masks.  Figures are kept twice, as they are and in 32 bits,
 * of which compilers make vector instructions; where those cannot tell, the others do. */
#include "trace/link_past.h"

#define NEAREST 12
#define TINY    1e-300 /* less than any size by any time */
#define FAR     (INT32_C(1) << 30)

void past_sizes_init(struct past_sizes *p)
{
	p->n = 0;
	for (int i = 0; i < 2 * PAST; i++)
		p->brief[i] = -1;
}

void past_sizes_add(struct past_sizes *p, int64_t bytes)
{
	size_t slot = p->n++ % PAST;
	p->v[slot] = p->v[slot + PAST] = bytes;
	p->brief[slot] = p->brief[slot + PAST] = bytes < INT32_MAX ? (int32_t)bytes : INT32_MAX;
}

uint32_t past_sizes_known(const struct past_sizes *p)
{
	return (uint32_t)(p->n < PAST ? p->n : PAST);
}

uint32_t past_bits(uint64_t v)
{
	v = v - ((v >> 1) & UINT64_C(0x5555555555555555));
	v = (v & UINT64_C(0x3333333333333333)) + ((v >> 2) & UINT64_C(0x3333333333333333));
	v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)((v * UINT64_C(0x0101010101010101)) >> 56);
}

uint64_t past_sizes_mask(const struct past_sizes *p, int64_t lo, int64_t hi)
{
	uint64_t m = 0;
	for (size_t i = 0; i < past_sizes_known(p); i++)
		m |= (uint64_t)((p->v[i] >= lo) & (p->v[i] <= hi)) << i;
	return m;
}

uint32_t past_sizes_between(const struct past_sizes *p, int64_t lo, int64_t hi)
{
	if (hi < 0 || hi >= INT32_MAX)
		return past_bits(past_sizes_mask(p, lo, hi));
	const int32_t *v = past_sizes_brief(p);
	int32_t from = lo > 0 ? (int32_t)lo : 0, to = (int32_t)hi;
	uint32_t n = 0;
	for (int i = 0; i < PAST; i++)
		n += (uint32_t)(v[i] >= from) & (uint32_t)(v[i] <= to);
	return n;
}

void past_times_init(struct past_times *p)
{
	for (int i = 0; i < PAST; i++)
		p->brief[i] = INT32_MAX;
}

void past_times_put(struct past_times *p, size_t place, int64_t v)
{
	p->v[place] = v;
	p->brief[place] = v < INT32_MAX ? (int32_t)v : INT32_MAX;
}

/* The upper half of a positive double, which orders as it does. */
static int32_t upper(double v)
{
	union {
		double f;
		uint64_t u;
	} b = {.f = v};
	return (int32_t)(b.u >> 32);
}

void past_rates_init(struct past_rates *p)
{
	p->n = 0;
	for (int i = 0; i < PAST; i++) {
		p->v[i] = 0;
		p->brief[i] = 0;
	}
}

void past_rates_put(struct past_rates *p, size_t place, double v)
{
	p->n -= p->v[place] > 0;
	p->n += v > 0;
	p->v[place] = v;
	p->brief[place] = upper(v);
}

/* The upper bits tell, unless some are those of from or to. */
uint32_t past_rates_between(const struct past_rates *p, double from, double to)
{
	uint32_t in = 0, inside = 0, n = 0;
	if (from < TINY)
		from = TINY;
	int32_t lo = upper(from), hi = upper(to);
	for (int i = 0; i < PAST; i++) {
		int32_t v = p->brief[i];
		in += (uint32_t)(v >= lo) & (uint32_t)(v <= hi);
		inside += (uint32_t)(v > lo) & (uint32_t)(v < hi);
	}
	if (in == inside)
		return in;
	for (int i = 0; i < PAST; i++)
		n += (uint32_t)(p->v[i] >= from) & (uint32_t)(p->v[i] <= to);
	return n;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* The NEAREST-th distance in order, of so many; of fewer the last. */
static int64_t reach_of(const int64_t far[PAST], size_t known)
{
	int64_t near[NEAREST]; /* the least ones, in order */
	for (size_t k = 0; k < NEAREST; k++)
		near[k] = INT64_MAX;
	for (size_t i = 0; i < known; i++) {
		size_t k = NEAREST - 1;
		if (far[i] >= near[k])
			continue;
		for (; k > 0 && near[k - 1] > far[i]; k--)
			near[k] = near[k - 1];
		near[k] = far[i];
	}
	return near[known < NEAREST ? known - 1 : NEAREST - 1];
}

/* The same where it is below FAR, or else something that is not; of more than NEAREST.  Or anything that
 * parts NEAREST from the rest.  Halving counts all again and again, but without a branch that may be guessed
 * wrong. */
static int32_t reach_brief(const int32_t far[PAST])
{
	int32_t lo = -1, hi = 0; /* fewer are within lo, enough within hi, or it is FAR */
	for (int i = 0; i < NEAREST; i++)
		hi = far[i] > hi ? far[i] : hi;
	hi = hi < FAR ? hi : FAR;
	for (int32_t mid = 0; hi - lo > 1; mid = lo + (hi - lo) / 2) {
		uint32_t n = 0;
		for (int i = 0; i < PAST; i++)
			n += far[i] <= mid;
		if (n == NEAREST)
			return mid;
		if (n < NEAREST)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

uint64_t past_times_nearest(const struct past_times *p, size_t known, int64_t what)
{
	int32_t brief[PAST], reach = FAR;
	int64_t far[PAST], limit;
	uint64_t m = 0;
	if (what < FAR && known > NEAREST) {
		for (int i = 0; i < PAST; i++) {
			int32_t d = p->brief[i] - (int32_t)what;
			brief[i] = d < 0 ? -d : d;
		}
		reach = reach_brief(brief);
	}
	if (reach < FAR) {
		for (int i = 0; i < PAST; i++)
			m |= (uint64_t)(brief[i] <= reach) << i;
		return m;
	}
	for (size_t i = 0; i < known; i++)
		far[i] = distance(p->v[i], what);
	limit = reach_of(far, known);
	for (size_t i = 0; i < known; i++)
		m |= (uint64_t)(far[i] <= limit) << i;
	return m;
}
