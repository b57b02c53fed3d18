/* B's sizes against its own past.
 *
 * In go B's stretches, out comes an upper limit of how often its own sizes lay in a range, in all that is
 * remembered and in each likeness of the past to now: after a stretch of such a size, after two such, after
 * such a pause, of such a duration, after so long; where sizes grow with the pause, the duration, the size
 * before; and after as many stretches as B takes to repeat itself.  What B would choose by itself (a key is
 * always as long as a key; a beacon's third report is the long one) then has a price near one.
 *
 * Most tickets are asked for and few are staked on, so what is cheap is asked first, and an answer that
 * suffices ends the asking. */
#include "trace/link_habit.h"

#define PAST        STRETCH_PAST
#define NEAREST     12
#define REPEATS_MIN 4      /* stretches that a period is judged by */
#define TINY        1e-300 /* less than any size by any time */

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

/* The last one; what came `lag` before it is at [-lag]. */
static const int64_t *newest(const struct past_sizes *p)
{
	return &p->v[(p->n - 1) % PAST + PAST];
}

/* The last PAST in a row, the oldest first. */
static const int32_t *briefs(const struct past_sizes *p)
{
	return &p->brief[(p->n - 1) % PAST + 1];
}

static uint32_t bits(uint64_t v)
{
	v = v - ((v >> 1) & UINT64_C(0x5555555555555555));
	v = (v & UINT64_C(0x3333333333333333)) + ((v >> 2) & UINT64_C(0x3333333333333333));
	v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)((v * UINT64_C(0x0101010101010101)) >> 56);
}

/* Masks have a bit for each remembered stretch, the last one's lowest.  Whose sizes are between lo and hi? */
static uint64_t mask_between(const struct past_sizes *p, int64_t lo, int64_t hi)
{
	const int64_t *last = newest(p);
	uint64_t m = 0;
	for (size_t i = 0; i < past_sizes_known(p); i++)
		m |= (uint64_t)((*(last - i) >= lo) & (*(last - i) <= hi)) << i;
	return m;
}

uint32_t past_sizes_between(const struct past_sizes *p, int64_t lo, int64_t hi)
{
	if (hi < 0 || hi >= INT32_MAX)
		return bits(mask_between(p, lo, hi));
	const int32_t *v = briefs(p);
	int32_t from = lo > 0 ? (int32_t)lo : 0, to = (int32_t)hi;
	uint32_t n = 0;
	for (int i = 0; i < PAST; i++)
		n += (uint32_t)(v[i] >= from) & (uint32_t)(v[i] <= to);
	return n;
}

void habit_init(struct habit *h)
{
	null_limits_init(&h->limits);
	past_sizes_init(&h->size);
	for (int i = 0; i < PAST; i++)
		h->same[i] = 0;
	for (int k = 0; k < PERS; k++) {
		h->rates[k] = 0;
		for (int i = 0; i < PAST; i++)
			h->rate[k][i] = 0;
	}
}

/* The sizes alike v, v >= 0: those no further from it than 16 and an eighth of the smaller one. */
static void alike(int64_t v, int64_t *lo, int64_t *hi)
{
	int64_t y = v - 16;
	*lo = y > 0 ? y - y / 9 : 0; /* the least x with x + x/8 >= y */
	*hi = v + 16 + v / 8;
}

static uint64_t mask_alike(const struct past_sizes *p, int64_t v)
{
	int64_t lo, hi;
	alike(v, &lo, &hi);
	return mask_between(p, lo, hi);
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* Those of the figures `of` that are the NEAREST to `what`, and whatever is as near: what B did when it was
 * most like now. */
static uint64_t mask_nearest(const struct habit *h, const int64_t of[PAST], int64_t what)
{
	int64_t near[NEAREST], far[PAST]; /* the least distances, sorted; all, the last one's first */
	size_t known = past_sizes_known(&h->size), found = 0;
	uint64_t m = 0;
	for (size_t i = 0; i < known; i++) {
		int64_t d = far[i] = distance(of[(h->size.n - 1 - i) % PAST], what);
		if (found == NEAREST && d >= near[NEAREST - 1])
			continue;
		size_t k = found < NEAREST ? found++ : NEAREST - 1;
		for (; k > 0 && near[k - 1] > d; k--)
			near[k] = near[k - 1];
		near[k] = d;
	}
	for (size_t i = 0; i < known; i++)
		m |= (uint64_t)(far[i] <= near[found - 1]) << i;
	return m;
}

static void look_back(const struct habit *h, struct habit_now *now)
{
	const int64_t *size = newest(&h->size);
	int64_t window[PAST];
	for (uint32_t i = 0; i < past_sizes_known(&h->size); i++)
		window[i] = h->pause[i] + h->span[i];
	now->looked = 1;
	now->like[0] = mask_alike(&h->size, *size) >> 1;
	now->like[1] = h->size.n > 1 ? now->like[0] & (mask_alike(&h->size, *(size - 1)) >> 2) : 0;
	now->like[2] = mask_nearest(h, h->pause, now->pause);
	now->like[3] = mask_nearest(h, h->span, now->span);
	now->like[4] = mask_nearest(h, window, now->pause + now->span);
	for (int i = 0; i < LIKENESSES; i++)
		now->n_like[i] = bits(now->like[i]);
}

/* What the next size would be proportional to. */
static void pers(const struct habit *h, int64_t pause, int64_t span, int64_t per[PERS])
{
	per[PER_PAUSE] = pause;
	per[PER_SPAN] = span;
	per[PER_WINDOW] = pause + span;
	per[PER_SIZE] = h->size.n > 0 ? *newest(&h->size) : 0;
}

static void learn_rates(struct habit *h, int64_t bytes, const int64_t per[PERS])
{
	size_t slot = h->size.n % PAST;
	for (int k = 0; k < PERS; k++) {
		double *rate = &h->rate[k][slot];
		h->rates[k] -= *rate > 0;
		*rate = per[k] > 0 ? (double)bytes / (double)per[k] : 0;
		h->rates[k] += *rate > 0;
	}
}

/* Which of the sizes before are alike this one? */
static void learn_repeats(struct habit *h, int64_t bytes)
{
	const int32_t *v = briefs(&h->size);
	int64_t lo, hi;
	alike(bytes, &lo, &hi);
	if (hi >= INT32_MAX) {
		for (size_t lag = 1; lag < PAST && lag <= h->size.n; lag++) {
			int64_t x = *(newest(&h->size) - (lag - 1));
			h->same[PAST - lag] += x >= lo && x <= hi;
		}
		return;
	}
	int32_t from = (int32_t)lo, to = (int32_t)hi;
	for (int i = 0; i < PAST; i++)
		h->same[i] += (uint32_t)(v[i] >= from) & (uint32_t)(v[i] <= to);
}

void habit_learn(struct habit *h, const struct stretch *s, int64_t pause)
{
	int64_t per[PERS];
	size_t slot = h->size.n % PAST;
	pers(h, pause, s->end - s->start, per);
	learn_rates(h, s->bytes, per);
	learn_repeats(h, s->bytes);
	h->pause[slot] = pause;
	h->span[slot] = s->end - s->start;
	past_sizes_add(&h->size, s->bytes);
}

void habit_ask(struct habit_now *now, const struct stretch *s, int64_t pause)
{
	now->pause = pause;
	now->span = s->end - s->start;
	now->looked = 0;
}

/* Does B repeat itself every so many stretches, half of the time or more, and would it now end up there? */
static double repeats(const struct habit *h, int64_t lo, int64_t hi, double enough)
{
	double most = 0;
	lo -= lo / 8 + 16;
	hi += hi / 8 + 16;
	for (size_t lag = 1; lag < PAST && lag + REPEATS_MIN <= h->size.n && most < enough; lag++) {
		int64_t v = *(newest(&h->size) - (lag - 1));
		size_t tries = h->size.n - lag;
		uint32_t same = h->same[PAST - lag];
		if (v < lo || v > hi || 2 * (size_t)same < tries)
			continue;
		double u = null_upper(same, (double)tries);
		if (u > most)
			most = u;
	}
	return most;
}

/* How many of the rates are above 0 and between from and to? */
static uint32_t count_rates(const double rate[PAST], double from, double to)
{
	uint64_t n = 0;
	if (from < TINY)
		from = TINY;
	for (int i = 0; i < PAST; i++)
		n += (uint64_t)(rate[i] >= from) & (uint64_t)(rate[i] <= to);
	return (uint32_t)n;
}

/* B sends so much a second, or as much as before: how often would that have led into the ticket's range? */
static double proportional(
	struct habit *h, const struct habit_now *now, int64_t lo, int64_t hi, double enough)
{
	double most = 0;
	int64_t per[PERS];
	pers(h, now->pause, now->span, per);
	for (int k = 0; k < PERS && most < enough; k++) {
		if (per[k] <= 0)
			continue;
		uint32_t hits =
			count_rates(h->rate[k], (double)lo / (double)per[k], (double)hi / (double)per[k]);
		double u = null_limit(&h->limits, hits, h->rates[k]);
		if (u > most)
			most = u;
	}
	return most;
}

static double likenesses(struct habit *h, struct habit_now *now, int64_t lo, int64_t hi)
{
	double most = 0;
	uint64_t inside = mask_between(&h->size, lo, hi);
	if (!now->looked)
		look_back(h, now);
	for (int i = 0; i < LIKENESSES; i++) {
		double u = null_limit(&h->limits, bits(now->like[i] & inside), now->n_like[i]);
		if (u > most)
			most = u;
	}
	return most;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

double habit_price(struct habit *h, struct habit_now *now, int64_t lo, int64_t hi, double enough)
{
	double q = null_limit(&h->limits, past_sizes_between(&h->size, lo, hi), past_sizes_known(&h->size));
	if (q < enough)
		q = larger(q, repeats(h, lo, hi, enough));
	if (q < enough)
		q = larger(q, proportional(h, now, lo, hi, enough));
	if (q < enough)
		q = larger(q, likenesses(h, now, lo, hi));
	return q;
}
