/* Could A lie on B like this by chance?  Takes both flows and the line between the clocks, gives log10 of an
 * e-value: under the null its mean is at most 1.
 *
 * The null: given A, and given which items B has (an item: a pause of ITEM_QUIET_US or more, what follows it,
 * how long, how many bytes each way), their order says nothing of A; nor does it given the bytes of the item
 * before.  Then the share of the items still to come that would hit A, if they were next, is the chance that
 * the next one does.  A bet on that at a stake that is fixed beforehand is fair (doc/recognise.md). */
#include <math.h>
#include <stdlib.h>

#include "trace/alike.h"

#define ITEMS         2048 /* bets at most */
#define BLOCK         128  /* items of which the next one is taken to be a random one */
#define ITEM_QUIET_US 300000
#define CLEAR_US      50000 /* A is quiet before a hit, beyond the jitter */
#define AFTER_MIN     4     /* items after the same bytes from which a share is estimated */
#define FLOOR         0.04
#define EXPECTED      0.9 /* share of hits that the stake is best for */

struct item {
	int64_t pause, start, length;
	uint64_t bytes[2];
};

/* A's bursts on B's clock: sum[i] is of the bytes before burst i. */
struct track {
	int64_t *start;
	uint64_t *sum;
	size_t n;
};

struct bets {
	struct item *item;
	size_t n;
	struct track lane[2];
};

static bool track_load(struct track *t, const struct couple *c, const struct pose *p, int d, bool used)
{
	t->n = used ? c->a.n[d] : 0;
	t->start = calloc(t->n + 1, sizeof(*t->start));
	t->sum = calloc(t->n + 1, sizeof(*t->sum));
	if (!t->start || !t->sum)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		t->start[i] = pose_in(p, d, c->a.b[d][i].start_us);
		t->sum[i + 1] = t->sum[i] + c->a.b[d][i].bytes;
	}
	return true;
}

static size_t track_from(const struct track *t, int64_t at)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->start[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* B's items inside its common time with A, from the directions in ways. */
static void items_load(struct bets *k, const struct couple *c, const struct pose *p, unsigned ways)
{
	struct span in = alike_common(c, p);
	size_t i[2], blind = 0;
	int64_t end = INT64_MIN;
	struct item *last = NULL;

	for (int d = 0; d < 2; d++)
		i[d] = ways & 1u << d ? lane_from(c->b.b[d], c->b.n[d], in.from_us) : c->b.n[d];
	for (;;) {
		bool more[2] = {i[0] < c->b.n[0], i[1] < c->b.n[1]};
		if (!more[0] && !more[1])
			return;
		int d = !more[0] || (more[1] && c->b.b[1][i[1]].start_us < c->b.b[0][i[0]].start_us);
		const struct burst *b = &c->b.b[d][i[d]++];
		if (end != INT64_MIN && b->start_us - end >= ITEM_QUIET_US) {
			if (k->n == ITEMS || b->start_us > in.to_us)
				return;
			bool dark = alike_blind(c, &blind, end, burst_end(b));
			last = dark ? NULL : &k->item[k->n++];
			if (last)
				*last = (struct item){.pause = b->start_us - end, .start = b->start_us};
		}
		end = burst_end(b) > end ? burst_end(b) : end;
		if (last) {
			last->bytes[d] += b->bytes;
			last->length = end - last->start;
		}
	}
}

/* Would item x, if it began at `start`, be what A has there? */
static bool hits(const struct bets *k, const struct item *x, int64_t start)
{
	int64_t from = start - ALIKE_JITTER_US, to = start + x->length + ALIKE_JITTER_US;
	int64_t first = INT64_MAX;

	for (int d = 0; d < 2; d++) {
		const struct track *t = &k->lane[d];
		size_t i = track_from(t, from), j = track_from(t, to + 1);
		if (t->sum[j] - t->sum[i] != x->bytes[d])
			return false;
		if (i < j && t->start[i] < first)
			first = t->start[i];
		if (i > 0 && t->start[i - 1] >= from - CLEAR_US)
			return false;
	}
	return first <= start + ALIKE_JITTER_US;
}

/* The chance of a hit at item i's place under the null: the larger of what the items to come give and what
 * those of them give that follow the same bytes. */
static double chance(const struct bets *k, size_t i, bool *hit)
{
	const struct item *x = k->item;
	int64_t end = x[i].start - x[i].pause;
	size_t h = 0, m = 0, after_h = 0, after_m = 0;

	*hit = hits(k, &x[i], x[i].start);
	for (size_t j = i; j < k->n && j < i + BLOCK; j++) {
		bool would = j == i ? *hit : hits(k, &x[j], end + x[j].pause);
		m++;
		h += would;
		if (i > 0 && j > i && x[j - 1].bytes[0] == x[i - 1].bytes[0] &&
			x[j - 1].bytes[1] == x[i - 1].bytes[1]) {
			after_m++;
			after_h += would;
		}
	}
	double q = (double)h / (double)m;
	if (after_m >= AFTER_MIN)
		q = fmax(q, ((double)after_h + 0.5) / ((double)after_m + 1));
	return fmax(q, FLOOR);
}

/* The best run of bets: wealth begins anew at each, so the average over the beginnings is what is bounded. */
static void play(const struct bets *k, double *log10_e, double *most)
{
	double run = 0, best = 0;

	*most = 0;
	for (size_t i = 0; i < k->n; i++) {
		bool hit;
		double q = chance(k, i, &hit), s = q < EXPECTED ? (EXPECTED - q) / (1 - q) : 0;
		double win = log10(1 - s + s / q);
		*most += win;
		run += hit ? win : log10(1 - s);
		run = run > 0 ? run : 0;
		best = run > best ? run : best;
	}
	double starts = k->n ? log10((double)k->n) : 0;
	*log10_e = best - starts;
	*most -= starts;
}

enum status alike_bet(const struct couple *c, const struct pose *p, unsigned ways, double *log10_e,
	double *most, size_t *items, struct err *e)
{
	struct bets k = {.item = calloc(ITEMS, sizeof(*k.item))};
	bool ok = k.item;

	for (int d = 0; d < 2; d++)
		ok = ok && track_load(&k.lane[d], c, p, d, (ways & c->ways & 1u << d) != 0);
	if (ok) {
		items_load(&k, c, p, ways & c->ways);
		play(&k, log10_e, most);
		*items = k.n;
	}
	for (int d = 0; d < 2; d++) {
		free(k.lane[d].sum);
		free(k.lane[d].start);
	}
	free(k.item);
	return ok ? STATUS_OK : err_nomem(e);
}
