/* Bounds of two ways, by the bets that could be won.
 *
 * Sizes.  Which of B's stretches are as long as what A brought, and so each cell's share r of hits, are told
 * by bytes and order alone; only the price is dear.  It is never below LEAST, nor below the upper limit of
 * how often B's own sizes lay in the ticket's range, in all that is remembered of its past: q' is the larger
 * of the two.  The stake is 0.9 (r - q)/(1 - q) for some q >= q' and the ticket pays 1/q at most, so a hit
 * multiplies the cell's wealth by at most 1 + 0.9 (r - q')/q', which falls as q' grows, and by nothing where
 * r <= q'; a miss never adds.  The product over the hits is at least the cell's wealth at any time, and the
 * largest of the cells at least their average.  Stretches, framing and tolerances are those of link_bytes.c,
 * and so must be the order in which they are learned.
 *
 * Ticks.  A bet needs a start of B in one of A's slots, and each win pays 1/BET_FLOOR at most, as bets on
 * starts do. */
#include "trace/link_most.h"

#include "trace/link_log.h"
#include "trace/link_past.h"
#include "trace/link_tick.h"

#define ROUNDING (1.0 + 1e-12)
#define GROWN    1e200
#define LN10     2.30258509299404568402

struct most_cell {
	double product, seen, hit;
};

struct most {
	struct null_limits *limits;
	struct past_sizes past;
	struct framing framing;
	struct most_cell cell[TOLERANCES];
};

/* The price by the sizes that B had, which is part of the test's. */
static double price(const struct most *m, int64_t lo, int64_t hi)
{
	double q = null_limit(m->limits, past_sizes_between(&m->past, lo, hi), past_sizes_known(&m->past));
	return q > STRETCH_LEAST ? q : STRETCH_LEAST;
}

static void bet(struct most *m, int i, const struct stretch *s, int64_t expected)
{
	struct most_cell *c = &m->cell[i];
	int64_t tol = tolerance_of(i, expected), lo = expected - tol, hi = expected + tol;
	double hit = c->hit, seen = c->seen;
	c->seen += 1.0;
	if (s->bytes < lo || s->bytes > hi)
		return;
	c->hit += 1.0;
	if (hit + 1.0 < STRETCH_LEAST * (seen + 2.0))
		return;
	double r = (hit + 1.0) / (seen + 2.0), q = price(m, lo, hi);
	if (r > q)
		c->product *= (1.0 + BET_KELLY * (r - q) / q) * ROUNDING;
}

static double largest(const struct most *m)
{
	double most = 1.0;
	for (int i = 0; i < TOLERANCES; i++)
		most = m->cell[i].product > most ? m->cell[i].product : most;
	return most;
}

static void most_init(struct most *m, struct null_limits *limits)
{
	m->limits = limits;
	past_sizes_init(&m->past);
	framing_init(&m->framing);
	for (int i = 0; i < TOLERANCES; i++) {
		m->cell[i].product = 1.0;
		m->cell[i].seen = m->cell[i].hit = 0;
	}
}

static void most_step(struct most *m, const struct stretch *s)
{
	if (s->brought > 0 && !s->blind && m->past.n > 0) {
		int64_t expected = framing_expect(&m->framing, s);
		for (int i = 0; i < TOLERANCES; i++)
			bet(m, i, s, expected);
	}
	if (s->brought > 0)
		framing_learn(&m->framing, s);
	if (!s->blind)
		past_sizes_add(&m->past, s->bytes);
}

double most_sizes(const struct link_train *a, const struct link_train *b, const struct blinds *blind,
	struct null_limits *limits, double enough)
{
	struct sized_pair pair = {a, b, 0, 0, blind};
	struct stretch_reader reader;
	struct stretch s;
	struct most m;
	double most = 1.0, stop = link_exp(enough * LN10) * 1.001;
	most_init(&m, limits);
	stretch_open(&reader, &pair);
	while (most < GROWN && most < stop && stretch_read(&reader, &s)) {
		most_step(&m, &s);
		most = largest(&m);
	}
	return link_log10(most);
}

double most_ticks(const struct link_train *a, const struct lane *b)
{
	size_t n = 0, j = 0;
	for (size_t k = 1; k < a->n; k++) {
		int64_t tick = lane_time(a->b[k - 1].start_us), next = lane_time(a->b[k].start_us);
		if (next < tick)
			return bet_ceiling(b->n); /* a clock that stepped back */
		if (next - tick < TICK_MIN_US || next - tick > TICK_MAX_US)
			continue;
		while (j < b->n && b->start[j] < tick)
			j++;
		n += j < b->n && b->start[j] <= next && b->start[j] - tick < TICK_WINDOWS_US;
	}
	return bet_ceiling(n);
}
