/* Could A lie on B like this by chance?  Takes both flows and the line between the clocks, gives log10 of an
 * e-value: under the null its mean is at most 1.
 *
 * The null: given A, and given which items B has (an item: a pause of ITEM_QUIET_US or more, what follows it,
 * how long, how many bytes each way), their order says nothing of A; nor does it given the bytes of the item
 * before, nor given what B did some items ago, where B repeats itself.  Then the share of the items still to
 * come that would begin where A has a beginning, if they were next, is the chance that the next one does; and
 * of those, the share with A's bytes is the chance that it has them.  A bet on either at a stake that is
 * fixed beforehand is fair (doc/recognise.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/alike.h"

#define ITEMS         1024 /* bets at most */
#define BLOCK         128  /* items of which the next one is taken to be a random one */
#define ITEM_QUIET_US 200000
#define CLEAR_US      50000 /* A is quiet before a beginning, beyond the tolerance */
#define FINE_US       20000 /* tolerance where nearly all bursts lie .. */
#define FINE_ERROR_US 6000  /* .. this near to the line; else it is the jitter */
#define LAGS          256
#define AFTER_MIN     4 /* cases from which a share is estimated */
#define FLOOR         0.04
#define HITS_BEFORE   4.5 /* share of hits that is expected at first: so many of .. */
#define BETS_BEFORE   5.0
#define STAKE_MAX     0.95

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

/* How often B did what it had done so many items before. */
struct habit {
	size_t tries, begin, equal;
};

struct bets {
	struct habit habit[LAGS + 1];
	struct item *item;
	size_t n;
	struct track lane[2];
	int64_t tolerance;
};

enum hit { MISS, BEGINS, EQUAL };

/* How many items there are, how many of them begin where A does, and have its bytes. */
struct share {
	size_t of, begin, equal;
};

/* A kind of bet and how it went so far. */
struct luck {
	double hits, bets;
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
		i[d] = ways & 1u << d ? bursts_before(c->b.b[d], c->b.n[d], in.from_us) : c->b.n[d];
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

/* What would item x be on A, if it began at `start`? */
static enum hit lies_on(const struct bets *k, const struct item *x, int64_t start)
{
	int64_t from = start - k->tolerance, to = start + x->length + k->tolerance, first = INT64_MAX;
	bool equal = true;

	for (int d = 0; d < 2; d++) {
		const struct track *t = &k->lane[d];
		size_t i = track_from(t, from), j = track_from(t, to + 1);
		if (i > 0 && t->start[i - 1] >= from - CLEAR_US)
			return MISS;
		if (i < j && t->start[i] < first)
			first = t->start[i];
		equal = equal && t->sum[j] - t->sum[i] == x->bytes[d];
	}
	if (first > start + k->tolerance)
		return MISS;
	return equal ? EQUAL : BEGINS;
}

static void share_add(struct share *s, enum hit h)
{
	s->of++;
	s->begin += h != MISS;
	s->equal += h == EQUAL;
}

/* Item i's hit; what the items to come would be in its place, itself among them, and those of the others that
 * follow the same bytes. */
static enum hit shares(const struct bets *k, size_t i, struct share *all, struct share *after)
{
	const struct item *x = k->item;
	int64_t end = x[i].start - x[i].pause;
	enum hit mine = lies_on(k, &x[i], x[i].start);

	*all = *after = (struct share){0};
	share_add(all, mine);
	for (size_t j = i + 1; j < k->n && j < i + BLOCK; j++) {
		enum hit h = lies_on(k, &x[j], end + x[j].pause);
		share_add(all, h);
		if (i > 0 && memcmp(x[j - 1].bytes, x[i - 1].bytes, sizeof(x[i].bytes)) == 0)
			share_add(after, h);
	}
	return mine;
}

static double share_of(size_t hits, size_t of)
{
	return of < AFTER_MIN ? 0 : ((double)hits + 0.5) / ((double)of + 1);
}

/* What B's habits say of item i's place: the share of the times that B did again what it had done so many
 * items before, over the habits that would hit here. */
static void foretell(const struct bets *k, size_t i, double *begin, double *equal)
{
	const struct item *x = k->item;
	int64_t end = x[i].start - x[i].pause;

	*begin = *equal = 0;
	for (size_t lag = 1; lag <= LAGS && lag <= i; lag++) {
		const struct habit *b = &k->habit[lag];
		double again = share_of(b->begin, b->tries), same = share_of(b->equal, b->begin);
		if (again <= *begin && same <= *equal)
			continue;
		enum hit h = lies_on(k, &x[i - lag], end + x[i - lag].pause);
		if (h != MISS)
			*begin = fmax(*begin, again);
		if (h == EQUAL)
			*equal = fmax(*equal, same);
	}
}

static void habits_learn(struct bets *k, size_t i)
{
	const struct item *x = &k->item[i];

	for (size_t lag = 1; lag <= LAGS && lag <= i; lag++) {
		const struct item *y = &k->item[i - lag];
		bool begin = llabs(x->pause - y->pause) <= k->tolerance;
		k->habit[lag].tries++;
		k->habit[lag].begin += begin;
		k->habit[lag].equal += begin && memcmp(x->bytes, y->bytes, sizeof(x->bytes)) == 0;
	}
}

/* The chance under the null: the largest of what the items to come, those after the same bytes, and the
 * habits say. */
static double chance(size_t hits, size_t of, double after, double habit)
{
	return fmax(fmax((double)hits / (double)of, FLOOR), fmax(after, habit));
}

/* One bet: what it brings, and what it would have brought if won. */
static double bet(struct luck *l, double q, bool hit, double *win)
{
	double r = (l->hits + HITS_BEFORE) / (l->bets + BETS_BEFORE);
	double s = q < r ? fmin((r - q) / (1 - q), STAKE_MAX) : 0;

	l->bets++;
	l->hits += hit;
	*win = log10(1 - s + s / q);
	return hit ? *win : log10(1 - s);
}

/* The best run of bets: wealth begins anew at each, so the average over the beginnings is what is bounded. */
static void play(struct bets *k, double *log10_e, double *most)
{
	struct luck begins = {0}, equals = {0};
	double run = 0, best = 0, win;

	*most = 0;
	for (size_t i = 0; i < k->n; i++) {
		struct share all, after;
		enum hit h = shares(k, i, &all, &after);
		double begin, equal;
		foretell(k, i, &begin, &equal);
		habits_learn(k, i);
		double q = chance(all.begin, all.of, share_of(after.begin, after.of), begin);
		run += bet(&begins, q, h != MISS, &win);
		*most += win;
		if (h != MISS) {
			q = chance(all.equal, all.begin, share_of(after.equal, after.begin), equal);
			run += bet(&equals, q, h == EQUAL, &win);
			*most += win;
		}
		run = run > 0 ? run : 0;
		best = run > best ? run : best;
	}
	double charge = log10(2) + (k->n ? log10((double)k->n) : 0);
	*log10_e = best - charge;
	*most -= charge;
}

enum status alike_bet(const struct couple *c, const struct pose *p, unsigned ways, double *log10_e,
	double *most, size_t *items, struct err *e)
{
	struct bets k = {.item = calloc(ITEMS, sizeof(*k.item)),
		.tolerance = p->clock.error_us <= FINE_ERROR_US ? FINE_US : ALIKE_JITTER_US};
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
