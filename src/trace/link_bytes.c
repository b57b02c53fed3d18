/* Bets on sizes: what a relay passes on is as long as what it was given, whenever it passes it on.
 *
 * In go two trains, out comes the wealth of somebody who, at each stretch of B (link_stretch.c), bets that
 * its bytes are those that A brought since B's last stretch ended, give or take a tolerance and so many bytes
 * of framing a packet of A's as earlier stretches showed.  This does not ask when: delays that vary up to the
 * gap and would drown the bets on starts (link_bet.c) leave it as it is.
 *
 * The null: given B's times, and **either** B's past **or** which sizes its next STRETCH_BLOCK stretches will
 * have, this one included, B's sizes do not depend on A.  The ticket on [x - tol, x + tol] is priced by the
 * larger of two bounds: the share of the next sizes that lie there, with a margin; and the upper limit of how
 * often B's own sizes lay there (link_habit.c).  Stakes, cells and average are those of link_bet.c. */
#include "trace/link_bytes.h"

#include "trace/link_habit.h"

#define BLOCK STRETCH_BLOCK

struct size_cell {
	double wealth, seen, hit;
};

struct size_run {
	struct stretch_reader reader;
	struct stretch ahead[BLOCK];
	size_t first, n_ahead; /* the ring of stretches that are read but not bet on */
	struct habit past;
	struct framing framing;
	int64_t last_end;
	struct size_cell cell[TOLERANCES];
};

/* A ticket: that the stretch's bytes lie in [lo, hi]. */
struct ticket {
	int64_t lo, hi;
};

/* The ticket's price by the sizes to come. */
static double local(const struct size_run *x, const struct ticket *t)
{
	size_t n = x->n_ahead, in = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t y = x->ahead[(x->first + i) % BLOCK].bytes;
		in += y >= t->lo && y <= t->hi;
	}
	return BET_SAFETY * (double)in / (double)(n > BLOCK / 2 ? n : BLOCK / 2);
}

/* The cell's wealth after the ticket, at a share r of hits so far. */
static void stake(struct size_run *x, struct size_cell *c, struct habit_now *now, const struct ticket *t,
	double r, int won)
{
	double enough = r < BET_MOST ? r : BET_MOST; /* at such a price nothing is staked */
	double q = habit_price(&x->past, now, t->lo, t->hi, enough);
	if (q < STRETCH_LEAST)
		q = STRETCH_LEAST;
	if (q >= enough)
		return;
	double paid = won ? local(x, t) : q;
	c->wealth = bet_wealth(c->wealth, r, q, paid > q ? paid : q, won);
}

static int bet(struct size_run *x, int i, struct habit_now *now, int64_t expected)
{
	struct size_cell *c = &x->cell[i];
	int64_t tol = tolerance_of(i, expected), bytes = x->ahead[x->first].bytes;
	struct ticket t = {expected - tol, expected + tol};
	int won = bytes >= t.lo && bytes <= t.hi;
	double r = (c->hit + 1.0) / (c->seen + 2.0);
	c->seen += 1.0;
	c->hit += won;
	if (r > STRETCH_LEAST)
		stake(x, c, now, &t, r, won);
	return won;
}

static void size_bets(struct size_run *x, const struct stretch *s, int64_t pause, struct bet_result *r)
{
	struct habit_now now;
	int64_t expected = framing_expect(&x->framing, s);
	int won = 0;
	habit_ask(&now, s, pause);
	for (int i = 0; i < TOLERANCES; i++)
		won = bet(x, i, &now, expected);
	r->bets++;
	r->hits += (uint32_t)won; /* of the widest tolerance */
}

static void refill(struct size_run *x)
{
	while (x->n_ahead < BLOCK && stretch_read(&x->reader, &x->ahead[(x->first + x->n_ahead) % BLOCK]))
		x->n_ahead++;
}

/* Bets on the next stretch; 0 at the end. */
static int size_step(struct size_run *x, struct bet_result *r, int64_t *when)
{
	refill(x);
	if (x->n_ahead == 0)
		return 0;
	const struct stretch *s = &x->ahead[x->first];
	int64_t pause = s->start - x->last_end;
	*when = s->end;
	if (s->brought > 0 && !s->blind && x->past.size.n > 0)
		size_bets(x, s, pause, r);
	if (s->brought > 0)
		framing_learn(&x->framing, s);
	if (!s->blind)
		habit_learn(&x->past, s, pause);
	x->last_end = s->end;
	x->first = (x->first + 1) % BLOCK;
	x->n_ahead--;
	return 1;
}

static void size_init(struct size_run *x, const struct sized_pair *p, struct null_limits *limits)
{
	stretch_open(&x->reader, p);
	habit_init(&x->past, limits);
	framing_init(&x->framing);
	x->first = x->n_ahead = 0;
	x->last_end = INT64_MIN / 2;
	for (int i = 0; i < TOLERANCES; i++) {
		struct size_cell *c = &x->cell[i];
		c->wealth = 1.0;
		c->seen = c->hit = 0;
	}
}

static double average(const struct size_run *x)
{
	double sum = 0;
	for (int i = 0; i < TOLERANCES; i++)
		sum += x->cell[i].wealth;
	return sum / TOLERANCES;
}

void bytes_run(const struct sized_pair *p, struct null_limits *limits, double target, struct bet_result *r)
{
	struct size_run x;
	struct bet_account account;
	int64_t when;
	size_init(&x, p, limits);
	account_open(&account, target, r);
	while (size_step(&x, r, &when))
		if (account_enter(&account, average(&x), when))
			for (int i = 0; i < TOLERANCES; i++)
				x.cell[i].wealth /= BET_SCALE_UP;
	account_close(&account, average(&x));
}
