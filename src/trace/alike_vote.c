/* Where could A lie on B?  Takes the bursts of both, gives the offsets of the clocks that most bursts agree
 * on.
 *
 * Every pair of bursts of one direction with equal bytes votes for the difference of its times, with the
 * weight of how much that says: sizes that are rare speak louder.  Of sizes that are common (the keystrokes
 * of a session) only such pairs vote that have the same pause before them.  The number of votes is bounded,
 * whatever the trains: rare sizes and long pauses come first.  The two directions vote apart, since the way
 * between the points adds to one what it takes from the other. */
#include <math.h>
#include <stdlib.h>

#include "trace/alike.h"

#define VOTES       ((size_t)1 << 17) /* a direction */
#define GROUP_VISIT ((size_t)1 << 14) /* pairs of one size that are looked at */
#define PAIRS_RARE  16                /* pairs of one size: rare, */
#define PAIRS_FEW   1024              /* few; with more, the pause must be the same as well */
#define PAUSE_US    120000
#define WIDTH_US    150000 /* votes within this are for one offset, drift aside */
#define NARROW      5
#define APART_US    SECOND_US
#define PARTS       4

struct key {
	uint64_t bytes;
	int64_t pause_us, t;
};

struct vote {
	int64_t d;
	double w;
};

struct ballot {
	struct vote *v[2];
	size_t n[2];
	struct key *a, *b;
	size_t na, nb;
	int64_t skew, width;
};

static int by_key(const void *x, const void *y)
{
	const struct key *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	if (a->pause_us != b->pause_us)
		return a->pause_us < b->pause_us ? -1 : 1;
	return (a->t > b->t) - (a->t < b->t);
}

static int by_offset(const void *x, const void *y)
{
	const struct vote *a = x, *b = y;

	return (a->d > b->d) - (a->d < b->d);
}

static size_t keys_of(struct key *to, const struct burst *b, size_t n, struct span in)
{
	size_t from = bursts_before(b, n, in.from_us), k = 0;

	for (size_t i = from; i < n && b[i].start_us <= in.to_us; i++)
		to[k++] = (struct key){
			b[i].bytes, i ? b[i].start_us - burst_end(&b[i - 1]) : INT64_MAX / 4, b[i].start_us};
	qsort(to, k, sizeof(*to), by_key);
	return k;
}

static void vote(struct ballot *l, int d, const struct key *a, const struct key *b, size_t crowd)
{
	int64_t off = b->t - a->t;
	double places = 2 * (double)l->skew / (double)l->width;

	if (off >= -l->skew && off <= l->skew && l->n[d] < VOTES)
		l->v[d][l->n[d]++] = (struct vote){off, log1p(places / (double)crowd)};
}

/* Bursts of one size, few: all pairs. */
static void vote_all(struct ballot *l, int d, const struct key *a, size_t na, const struct key *b, size_t nb)
{
	for (size_t i = 0; i < na; i++)
		for (size_t j = 0; j < nb; j++)
			vote(l, d, &a[i], &b[j], na > nb ? na : nb);
}

/* Many: those with the same pause before them, the longest pauses first. */
static void vote_paused(
	struct ballot *l, int d, const struct key *a, size_t na, const struct key *b, size_t nb)
{
	size_t visits = 0, from = nb, to = nb;

	for (size_t i = na; i-- > 0 && visits < GROUP_VISIT;) {
		while (from > 0 && b[from - 1].pause_us >= a[i].pause_us - PAUSE_US)
			from--;
		while (to > 0 && b[to - 1].pause_us > a[i].pause_us + PAUSE_US)
			to--;
		for (size_t j = from; j < to && visits < GROUP_VISIT; j++, visits++)
			vote(l, d, &a[i], &b[j], to - from);
	}
}

/* Groups of equal bytes whose number of pairs is in (over, upto]. */
static void vote_groups(struct ballot *l, int d, size_t over, size_t upto)
{
	for (size_t i = 0, j = 0, ni, nj; i < l->na && j < l->nb; i += ni, j += nj) {
		uint64_t x = l->a[i].bytes, y = l->b[j].bytes;
		for (ni = 0; x <= y && i + ni < l->na && l->a[i + ni].bytes == x; ni++)
			;
		for (nj = 0; y <= x && j + nj < l->nb && l->b[j + nj].bytes == y; nj++)
			;
		size_t pairs = ni * nj;
		if (x != y || pairs <= over || pairs > upto)
			continue;
		if (pairs <= PAIRS_FEW)
			vote_all(l, d, &l->a[i], ni, &l->b[j], nj);
		else
			vote_paused(l, d, &l->a[i], ni, &l->b[j], nj);
	}
}

static void vote_way(struct ballot *l, const struct couple *c, int d, struct span part)
{
	struct span wide = {part.from_us - l->skew, part.to_us + l->skew};

	l->na = keys_of(l->a, c->a.b[d], c->a.n[d], part);
	l->nb = keys_of(l->b, c->b.b[d], c->b.n[d], wide);
	vote_groups(l, d, 0, PAIRS_RARE);
	vote_groups(l, d, PAIRS_RARE, PAIRS_FEW);
	vote_groups(l, d, PAIRS_FEW, SIZE_MAX);
	qsort(l->v[d], l->n[d], sizeof(*l->v[d]), by_offset);
}

/* The heaviest window of direction d's votes inside `in`, none of it within APART_US of what is taken
 * already; 0 where there is none. */
static double window(const struct ballot *l, int d, struct span in, int64_t width, const struct guess *taken,
	size_t n_taken, int64_t *at)
{
	double sum = 0, best = 0;
	const struct vote *v = l->v[d];

	for (size_t i = 0, j = 0; j < l->n[d]; j++) {
		bool out = v[j].d < in.from_us || v[j].d > in.to_us;
		for (size_t k = 0; k < n_taken && !out; k++)
			out = llabs(v[j].d - taken[k].offset_us[d]) < APART_US;
		if (out) {
			sum = 0;
			i = j + 1;
			continue;
		}
		for (sum += v[j].w; v[j].d - v[i].d > width; i++)
			sum -= v[i].w;
		if (sum > best) {
			best = sum;
			*at = v[i].d + (v[j].d - v[i].d) / 2;
		}
	}
	return best;
}

/* The heaviest window, and in it the heaviest narrow one: chance votes beside the true ones would pull the
 * middle of a wide one away. */
static double peak(
	const struct ballot *l, int d, struct span in, const struct guess *taken, size_t n_taken, int64_t *at)
{
	double w = window(l, d, in, l->width, taken, n_taken, at);

	if (w > 0)
		(void)window(l, d, (struct span){*at - l->width / 2 - 1, *at + l->width / 2 + 1},
			l->width / NARROW, NULL, 0, at);
	return w;
}

/* The next best guess: the heaviest window of either direction with the heaviest of the other one near it. */
static bool next_guess(
	const struct ballot *l, struct span part, const struct guess *taken, size_t n, struct guess *to)
{
	struct span all = {-l->skew, l->skew};

	*to = (struct guess){.part = part};
	for (int d = 0; d < 2; d++) {
		int64_t at = 0, other;
		double w = peak(l, d, all, taken, n, &at);
		other = at;
		w += peak(l, !d, (struct span){at - ALIKE_LAG_US, at + ALIKE_LAG_US}, NULL, 0, &other);
		if (w > to->weight) {
			to->weight = w;
			to->offset_us[d] = at;
			to->offset_us[!d] = other;
		}
	}
	return to->weight > 0;
}

static void keep_best(struct guess *to, size_t *n, struct guess g)
{
	for (size_t i = 0; i < *n; i++) {
		if (g.weight > to[i].weight) {
			struct guess down = to[i];
			to[i] = g;
			g = down;
		}
	}
	if (*n < ALIKE_GUESSES)
		to[(*n)++] = g;
}

static void vote_part(struct ballot *l, const struct couple *c, struct span part, struct guess *to, size_t *n)
{
	struct guess mine[ALIKE_GUESSES];
	size_t k = 0;

	l->n[0] = l->n[1] = 0;
	l->width = WIDTH_US + (int64_t)(ALIKE_DRIFT * (double)(part.to_us - part.from_us));
	for (int d = 0; d < 2; d++)
		if (c->ways & 1u << d)
			vote_way(l, c, d, part);
	while (k < ALIKE_GUESSES && next_guess(l, part, mine, k, &mine[k]))
		keep_best(to, n, mine[k++]);
}

static struct span side_span(const struct side *s)
{
	struct span all = {INT64_MAX, INT64_MIN};

	for (int d = 0; d < 2; d++) {
		if (s->n[d] == 0)
			continue;
		int64_t from = s->b[d][0].start_us, to = s->b[d][s->n[d] - 1].start_us;
		all.from_us = from < all.from_us ? from : all.from_us;
		all.to_us = to > all.to_us ? to : all.to_us;
	}
	return all;
}

/* Of a long flow some pieces, evenly spread. */
static void vote_parts(struct ballot *l, const struct couple *c, struct guess *to, size_t *n)
{
	struct span all = side_span(&c->a);
	int64_t length = all.to_us - all.from_us;
	int parts = length > ALIKE_PART_US ? PARTS : 1;

	for (int i = 0; i < parts; i++) {
		int64_t from = all.from_us;
		if (parts > 1)
			from += (length - ALIKE_PART_US) / (parts - 1) * i;
		int64_t to_us = parts > 1 ? from + ALIKE_PART_US : all.to_us;
		vote_part(l, c, (struct span){from, to_us}, to, n);
	}
}

enum status alike_vote(const struct couple *c, struct guess to[ALIKE_GUESSES], size_t *n, struct err *e)
{
	size_t na = c->a.n[0] > c->a.n[1] ? c->a.n[0] : c->a.n[1];
	size_t nb = c->b.n[0] > c->b.n[1] ? c->b.n[0] : c->b.n[1];
	struct ballot l = {.skew = c->skew_us};

	*n = 0;
	l.a = calloc(na + 1, sizeof(*l.a));
	l.b = calloc(nb + 1, sizeof(*l.b));
	for (int d = 0; d < 2; d++)
		l.v[d] = calloc(VOTES, sizeof(*l.v[d]));
	bool ok = l.a && l.b && l.v[0] && l.v[1];
	if (ok)
		vote_parts(&l, c, to, n);
	free(l.v[1]);
	free(l.v[0]);
	free(l.b);
	free(l.a);
	return ok ? STATUS_OK : err_nomem(e);
}
