/* B's sizes against its own past.
 *
 * In go B's stretches, out comes an upper limit of how often its own sizes lay in a range, in all that is
 * remembered and in each likeness of the past to now: after a stretch of such a size, after two such, after
 * such a pause, of such a duration, after so long; where sizes grow with the pause, the duration, the size
 * before; and after as many stretches as B takes to repeat itself.  What B would choose by itself (a key is
 * always as long as a key; a beacon's third report is the long one) then has a price near one.
 *
 * Most tickets are asked for and few are staked on, so what is cheap is
 * asked first, and an answer that suffices ends the asking. */
#include "trace/link_habit.h"

#define REPEATS_MIN 4 /* stretches that a period is judged by */

void habit_init(struct habit *h, struct null_limits *limits)
{
	h->limits = limits;
	past_sizes_init(&h->size);
	past_times_init(&h->pause);
	past_times_init(&h->span);
	past_times_init(&h->window);
	for (int i = 0; i < PAST; i++)
		h->same[i] = 0;
	for (int k = 0; k < PERS; k++)
		past_rates_init(&h->rate[k]);
}

/* The sizes alike v, v >= 0: those no further from it than 16 and an eighth of the smaller one. */
static void alike(int64_t v, int64_t *lo, int64_t *hi)
{
	int64_t y = v - 16;
	*lo = y > 0 ? y - y / 9 : 0; /* the least x with x + x/8 >= y */
	*hi = v + 16 + v / 8;
}

/* Those that came `lag` after one of the mask's, none of which is among the newest lag. */
static uint64_t after(uint64_t m, int lag)
{
	return m << lag | m >> (PAST - lag);
}

/* The stretches that came `lag` after one with a size alike that of the stretch which is lag before now. */
static uint64_t mask_alike(const struct past_sizes *p, int lag)
{
	uint64_t newer = 0;
	int64_t lo, hi;
	for (int k = 1; k <= lag; k++)
		newer |= UINT64_C(1) << (p->n - (size_t)k) % PAST;
	alike(*(past_sizes_newest(p) - (lag - 1)), &lo, &hi);
	return after(past_sizes_mask(p, lo, hi) & ~newer, lag);
}

static void look_back(const struct habit *h, struct habit_now *now)
{
	size_t known = past_sizes_known(&h->size);
	now->looked = 1;
	now->like[0] = mask_alike(&h->size, 1);
	now->like[1] = known > 1 ? now->like[0] & mask_alike(&h->size, 2) : 0;
	now->like[2] = past_times_nearest(&h->pause, known, now->pause);
	now->like[3] = past_times_nearest(&h->span, known, now->span);
	now->like[4] = past_times_nearest(&h->window, known, now->pause + now->span);
	for (int i = 0; i < LIKENESSES; i++)
		now->n_like[i] = past_bits(now->like[i]);
}

/* What the next size would be proportional to. */
static void pers(const struct habit *h, int64_t pause, int64_t span, int64_t per[PERS])
{
	per[PER_PAUSE] = pause;
	per[PER_SPAN] = span;
	per[PER_WINDOW] = pause + span;
	per[PER_SIZE] = h->size.n > 0 ? *past_sizes_newest(&h->size) : 0;
}

/* Which of the sizes before are alike this one? */
static void learn_repeats(struct habit *h, int64_t bytes)
{
	const int32_t *v = past_sizes_brief(&h->size);
	int64_t lo, hi;
	alike(bytes, &lo, &hi);
	if (hi >= INT32_MAX) {
		for (size_t lag = 1; lag < PAST && lag <= h->size.n; lag++) {
			int64_t x = *(past_sizes_newest(&h->size) - (lag - 1));
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
	int64_t per[PERS], span = s->end - s->start;
	size_t place = h->size.n % PAST;
	pers(h, pause, span, per);
	for (int k = 0; k < PERS; k++)
		past_rates_put(&h->rate[k], place, per[k] > 0 ? (double)s->bytes / (double)per[k] : 0);
	learn_repeats(h, s->bytes);
	past_times_put(&h->pause, place, pause);
	past_times_put(&h->span, place, span);
	past_times_put(&h->window, place, pause + span);
	past_sizes_add(&h->size, s->bytes);
}

void habit_ask(struct habit_now *now, const struct stretch *s, int64_t pause)
{
	now->pause = pause;
	now->span = s->end - s->start;
	now->repeats = -1;
	now->looked = 0;
}

/* Every how many stretches does B repeat itself, half of the time or more? */
static void find_lags(const struct habit *h, struct habit_now *now)
{
	int n = 0;
	for (size_t lag = 1; lag < PAST && lag + REPEATS_MIN <= h->size.n; lag++) {
		now->lag[n] = (uint8_t)lag;
		n += 2 * (size_t)h->same[PAST - lag] >= h->size.n - lag;
	}
	now->repeats = n;
}

/* And would it now end up there? */
static double repeats(const struct habit *h, struct habit_now *now, int64_t lo, int64_t hi, double enough)
{
	double most = 0;
	lo -= lo / 8 + 16;
	hi += hi / 8 + 16;
	if (now->repeats < 0)
		find_lags(h, now);
	for (int i = 0; i < now->repeats && most < enough; i++) {
		size_t lag = now->lag[i];
		int64_t v = *(past_sizes_newest(&h->size) - (lag - 1));
		if (v < lo || v > hi)
			continue;
		double u = null_upper(h->same[PAST - lag], (double)(h->size.n - lag));
		if (u > most)
			most = u;
	}
	return most;
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
		double by = (double)per[k];
		uint32_t hits = past_rates_between(&h->rate[k], (double)lo / by, (double)hi / by);
		double u = null_limit(h->limits, hits, h->rate[k].n);
		if (u > most)
			most = u;
	}
	return most;
}

static double likenesses(struct habit *h, struct habit_now *now, int64_t lo, int64_t hi)
{
	double most = 0;
	uint64_t inside = past_sizes_mask(&h->size, lo, hi);
	if (!now->looked)
		look_back(h, now);
	for (int i = 0; i < LIKENESSES; i++) {
		double u = null_limit(h->limits, past_bits(now->like[i] & inside), now->n_like[i]);
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
	double q = null_limit(h->limits, past_sizes_between(&h->size, lo, hi), past_sizes_known(&h->size));
	if (q < enough)
		q = larger(q, repeats(h, now, lo, hi, enough));
	if (q < enough)
		q = larger(q, proportional(h, now, lo, hi, enough));
	if (q < enough)
		q = larger(q, likenesses(h, now, lo, hi));
	return q;
}
