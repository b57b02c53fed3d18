/* Betting: the e-process of one direction.
 *
 * In go two lanes, out comes the wealth of somebody who, at each burst of A, buys a ticket on a window of
 * time in which B is to start a burst.  The stake s is fixed by what is known when the window opens; the
 * ticket pays s/q, q the larger of two bounds: B's own past (link_null.c) and B's number of starts in the
 * LOCAL_US that follow, spread evenly over them. Where either bounds the truth the ticket is unfavourable, so
 * the wealth is a non-negative supermartingale and reaches 1/a with probability at most a (Ville 1939; Shafer
 * & Vovk 2019, ch. 2).  s = (r - q)/(1 - q) is Kelly's stake (1956) for the share r of this cell's settled
 * bets that were won and the q known so far; s = 0 while r <= q.
 *
 * Each window is a cell with its own wealth and one open bet at a time; the average of the cells' wealths is
 * the result.  A bet is settled, and its cell's wealth changed, when B starts or the window has passed; the
 * average is looked at only at A's bursts, with every bet settled until then and no other. */
#include "trace/link_bet.h"

#include "trace/link_log.h"
#include "trace/link_null.h"

#define CELLS       12
#define LOCAL_US    INT64_C(256000) /* B's number of starts in so much time is conditioned on */
#define Q_FLOOR     0.04            /* no probability is taken to be smaller */
#define Q_BET       0.90            /* and none above this is bet on */
#define RATE_SAFETY 1.25            /* on the uniform density within LOCAL_US */
#define TAME        0.70            /* B predicts itself */
#define KELLY       0.9             /* share of the optimal stake */
#define WINS        6               /* so many past wins are looked at for a beat */
#define BEAT_US     10000           /* how exactly a beat is kept, plus half the window */
#define BEAT_MIN_US 400000          /* faster beats show in B's pauses */
#define SCALE_BITS  512
#define SCALE_UP    1.3407807929942597e154 /* 2^512 */
#define LN2         0.69314718055994530942
#define LN10        2.30258509299404568402
#define LOG10_2     0.30102999566398119521

struct window {
	int64_t lo_us, w_us;
};

/* Sorted by lo: windows of the same lo share what is known of B at t + lo. */
static const struct window WINDOWS[CELLS] = {
	{0, 10000},
	{0, 20000},
	{0, 50000},
	{0, 100000},
	{10000, 20000},
	{10000, 50000},
	{20000, 20000},
	{30000, 30000},
	{50000, 50000},
	{50000, 100000},
	{100000, 50000},
	{150000, 100000},
};

struct cell {
	double wealth, factor; /* factor waits for settle_us */
	double seen, hit;      /* settled opportunities */
	double price;          /* sum of q over the won ones */
	double q;              /* of the open bet */
	int64_t settle_us;
	int64_t win[WINS]; /* the last wins' times, newest first */
	int open, won, wins;
	int tame; /* the open bet met a B that predicted itself */
};

struct run {
	const struct lane *a, *b;
	const struct blinds *blind;
	struct cell cell[CELLS];
	struct null_past past;
	size_t known; /* pauses of B up to this burst are in past */
	size_t pause_cursor;
	int scale;          /* all wealths are to be multiplied by 2^(SCALE_BITS * scale) */
	double sup, target; /* in the scale's units */
	double target_ln;
	int64_t settled_us;
	struct bet_result *r;
};

/* What is known of B at the moment a window opens, and the outcome. */
struct outlook {
	int64_t now_us;     /* t: B is known up to here */
	int64_t open_us;    /* t + lo */
	int64_t tau_us;     /* silence so far */
	int64_t next_us;    /* the next start, INT64_MAX if none: the outcome */
	size_t next;        /* its index */
	double local;       /* starts in the LOCAL_US to come: conditioned on */
	uint32_t survivors; /* pauses of B as long as tau_us, once counted */
	int usable, counted;
};

/* B's pauses that ended at or before t become known. */
static void learn_pauses(struct run *x, int64_t t)
{
	const struct lane *b = x->b;
	while (x->known < b->n && b->start[x->known] <= t) {
		size_t k = x->known++;
		if (k == 0)
			continue;
		while (x->pause_cursor < x->blind->n && x->blind->s[x->pause_cursor].to_us < b->end[k - 1])
			x->pause_cursor++;
		int blind =
			x->pause_cursor < x->blind->n && x->blind->s[x->pause_cursor].from_us <= b->start[k];
		if (!blind)
			null_past_add(&x->past, b->start[k] - b->end[k - 1]);
	}
}

/* Is there a blind interval, its guard included, between from and to? */
static int is_blind(const struct run *x, int64_t from, int64_t to)
{
	size_t lo = 0, hi = x->blind->n;
	while (lo < hi) { /* the first that ends late enough */
		size_t mid = lo + (hi - lo) / 2;
		if (x->blind->s[mid].to_us < from - LANE_GUARD_US)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < x->blind->n && x->blind->s[lo].from_us <= to;
}

static void look(const struct run *x, int64_t t, const struct window *w, size_t *cursor, struct outlook *o)
{
	const struct lane *b = x->b;
	o->now_us = t;
	o->open_us = t + w->lo_us;
	int64_t after = w->lo_us == 0 ? o->open_us + 1 : o->open_us; /* equal times have no order */
	while (*cursor < b->n && b->start[*cursor] < after)
		(*cursor)++;
	size_t i = *cursor;
	o->usable = o->counted = 0;
	if (i == 0 || b->end[i - 1] > o->open_us)
		return;
	o->next = i;
	o->next_us = i < b->n ? b->start[i] : INT64_MAX;
	o->tau_us = o->open_us - b->end[i - 1];
	size_t n = 0;
	while (i + n < b->n && b->start[i + n] < o->open_us + LOCAL_US)
		n++;
	o->local = (double)n;
	o->usable = !is_blind(x, b->end[i - 1], o->open_us + LOCAL_US);
}

/* Would a win now keep the beat of earlier wins?  What two metronomes do together proves nothing. */
static int on_beat(const struct cell *c, int64_t open_us, int64_t w_us)
{
	int64_t slack = w_us / 2 + BEAT_US;
	int64_t middle = open_us + w_us / 2;
	for (int i = 0; i + 1 < c->wins; i++)
		for (int j = i + 1; j < c->wins; j++) {
			int64_t beat = c->win[i] - c->win[j];
			int64_t off = middle - c->win[i] - beat;
			if (beat >= BEAT_MIN_US && off >= -slack && off <= slack)
				return 1;
		}
	return 0;
}

/* Upper bound of a start in the window from B's own past. */
static double bound(const struct run *x, struct outlook *o, int64_t w_us)
{
	if (!o->counted)
		o->survivors = null_survivors(&x->past, o->tau_us);
	o->counted = 1;
	double self = null_self(&x->past, o->survivors, o->tau_us, w_us);
	if (o->survivors < ECHO_BELOW) {
		double echo = null_echo(x->b, o->next - 1, o->open_us, w_us, o->now_us);
		if (echo > self)
			self = echo;
	}
	return self > Q_FLOOR ? self : Q_FLOOR;
}

/* The stake's share of the wealth, from what is known when the window opens; *self is B's own bound where
 * there is one. */
static double stake(const struct run *x, const struct cell *c, struct outlook *o, int64_t w_us, double *self)
{
	double r = (c->hit + 1.0) / (c->seen + 2.0);
	double q = c->hit > 0 ? c->price / c->hit : 0;
	*self = Q_FLOOR;
	if (r <= q || r <= Q_FLOOR) /* no need to ask B's past: abstain */
		return 0;
	*self = bound(x, o, w_us);
	if (q < *self)
		q = *self;
	if (q >= Q_BET || r <= q || on_beat(c, o->open_us, w_us))
		return 0;
	return KELLY * (r - q) / (1.0 - q);
}

static void open_bet(const struct run *x, struct cell *c, struct outlook *o, const struct window *w)
{
	int64_t last = o->open_us + w->w_us;
	double self;
	double s = stake(x, c, o, w->w_us, &self);
	double q = RATE_SAFETY * o->local * (double)w->w_us / (double)LOCAL_US;
	c->tame = self >= TAME;
	c->q = q > self ? q : self;
	c->won = o->next_us < last;
	c->settle_us = c->won ? o->next_us : last;
	c->open = 1;
	c->factor = c->won ? 1.0 - s + s / c->q : 1.0 - s;
}

static void close_bet(struct cell *c)
{
	c->open = 0;
	c->seen += 1.0;
	c->wealth *= c->factor;
	if (c->wealth < 1e-200)
		c->wealth = 0;
	if (!c->won)
		return;
	c->hit += 1.0;
	c->price += c->q;
	for (int i = WINS - 1; i > 0; i--)
		c->win[i] = c->win[i - 1];
	c->win[0] = c->settle_us;
	if (c->wins < WINS)
		c->wins++;
}

static void settle(struct run *x, int64_t now)
{
	double sum = 0;
	for (int i = 0; i < CELLS; i++) {
		struct cell *c = &x->cell[i];
		if (c->open && c->settle_us <= now) {
			close_bet(c);
			if (c->settle_us > x->settled_us)
				x->settled_us = c->settle_us;
		}
		sum += c->wealth;
	}
	sum /= CELLS;
	if (sum > x->sup)
		x->sup = sum;
	if (sum >= x->target && x->r->reached_us == INT64_MIN)
		x->r->reached_us = x->settled_us;
	if (sum < SCALE_UP)
		return;
	for (int i = 0; i < CELLS; i++)
		x->cell[i].wealth /= SCALE_UP;
	x->scale++;
	x->sup /= SCALE_UP;
	x->target = link_exp(x->target_ln - (double)x->scale * SCALE_BITS * LN2);
}

static void bet_burst(struct run *x, int64_t t, size_t cursor[CELLS])
{
	struct outlook o = {0};
	int could = 0, tame = 0;
	for (int i = 0; i < CELLS; i++) {
		const struct window *w = &WINDOWS[i];
		if (i == 0 || w->lo_us != WINDOWS[i - 1].lo_us)
			look(x, t, w, &cursor[i], &o);
		if (!o.usable || x->cell[i].open)
			continue;
		open_bet(x, &x->cell[i], &o, w);
		could = 1;
		tame |= x->cell[i].tame;
	}
	size_t next = cursor[0];
	x->r->bets += (uint32_t)could;
	x->r->hits += could && next < x->b->n && x->b->start[next] < t + BET_HORIZON_US;
	x->r->tame += (uint32_t)tame;
}

static void run_init(struct run *x)
{
	for (int i = 0; i < CELLS; i++) {
		struct cell *c = &x->cell[i];
		c->wealth = 1.0;
		c->factor = 1.0;
		c->seen = c->hit = c->price = c->q = 0;
		c->settle_us = 0;
		c->open = c->won = c->wins = c->tame = 0;
	}
	null_past_init(&x->past);
	x->known = x->pause_cursor = 0;
	x->scale = 0;
	x->sup = 1.0;
	x->settled_us = INT64_MIN;
	x->target = link_exp(x->target_ln);
}

void bet_run(const struct lane *a, const struct lane *b, const struct blinds *blind, double target,
	struct bet_result *r)
{
	struct run x;
	size_t cursor[CELLS];
	x.a = a;
	x.b = b;
	x.blind = blind;
	x.r = r;
	x.target_ln = target * LN10;
	run_init(&x);
	r->reached_us = INT64_MIN;
	r->bets = r->hits = r->tame = 0;
	for (int i = 0; i < CELLS; i++)
		cursor[i] = 0;
	for (size_t k = 0; k < a->n; k++) {
		learn_pauses(&x, a->start[k]);
		settle(&x, a->start[k]);
		bet_burst(&x, a->start[k], cursor);
	}
	settle(&x, INT64_MAX);
	double sum = 0;
	for (int i = 0; i < CELLS; i++)
		sum += x.cell[i].wealth;
	double shift = (double)x.scale * SCALE_BITS * LOG10_2;
	r->log10_end = link_log10(sum / CELLS) + shift;
	r->log10_sup = link_log10(x.sup) + shift;
}

double bet_ceiling(size_t n)
{
	return (double)n * -link_log10(Q_FLOOR);
}
