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

#define CELLS       12
#define LOCAL_US    INT64_C(256000) /* B's number of starts in so much time is conditioned on */
#define TAME        0.70            /* B predicts itself */
#define WINS        6               /* so many past wins are looked at for a beat */
#define BEATS       (WINS * (WINS - 1) / 2)
#define NEVER       (-(INT64_C(1) << 61))
#define BEAT_US     10000  /* how exactly a beat is kept, plus half the window */
#define BEAT_MIN_US 400000 /* faster beats show in B's pauses */
#define NEARLY      (1.0 - 1e-9)
#define SCALE_BITS  512
#define LN2         0.69314718055994530942
#define LN10        2.30258509299404568402
#define LOG10_2     0.30102999566398119521

#define LOCAL_MAX 3 /* starts there can be in LOCAL_US: lanes have them BURST_GAP_READ_US apart */

struct window {
	int64_t lo_us, w_us;
	double local[LOCAL_MAX + 1]; /* q_local by the number of starts */
};

#define LOCAL(n, w) (BET_SAFETY * (double)(n) * (double)(w) / (double)LOCAL_US)
#define WINDOW(lo, w)                                                                                        \
	{                                                                                                    \
		lo, w,                                                                                       \
		{                                                                                            \
			LOCAL(0, w), LOCAL(1, w), LOCAL(2, w), LOCAL(3, w)                                   \
		}                                                                                            \
	}

/* Sorted by lo: windows of the same lo share what is known of B at t + lo. */
static const struct window WINDOWS[CELLS] = {
	WINDOW(0, 10000),
	WINDOW(0, 20000),
	WINDOW(0, 50000),
	WINDOW(0, 100000),
	WINDOW(10000, 20000),
	WINDOW(10000, 50000),
	WINDOW(20000, 20000),
	WINDOW(30000, 30000),
	WINDOW(50000, 50000),
	WINDOW(50000, 100000),
	WINDOW(100000, 50000),
	WINDOW(150000, 100000),
};

/* A bet is entered in the cell's books when it opens: nobody reads them before it is settled, since until
 * then the cell is busy.  Only the wealth waits. */
struct cell {
	double wealth, factor;
	double seen, hit;  /* opportunities */
	double price;      /* sum of q over the won ones */
	double least;      /* mean of q over them, but BET_FLOOR at least: no stake unless r is above */
	int64_t settle_us; /* of the last bet; the cell is busy until then */
	int64_t before_us; /* and of the one before */
	int64_t win[WINS]; /* the last wins' times, newest first; NEVER before */
	int64_t beat[BEATS];
};

struct run {
	const struct lane *a, *b;
	const struct blinds *blind;
	struct cell cell[CELLS];
	struct null_past past;
	struct null_limits *limits;
	struct null_replay replay;
	size_t known; /* pauses of B up to this burst are in past */
	size_t pause_cursor;
	uint32_t waiting;            /* cells, a bit each, whose wealth waits for settle_us */
	int stale;                   /* average is to be taken again */
	int scale;                   /* all wealths are to be multiplied by 2^(SCALE_BITS * scale) */
	double average, sup, target; /* in the scale's units */
	double target_ln;
	struct bet_result *r;
};

/* What is known of B at the moment a window opens, and the outcome. */
struct outlook {
	int64_t now_us;     /* t: B is known up to here */
	int64_t open_us;    /* t + lo */
	int64_t tau_us;     /* silence so far */
	int64_t next_us;    /* the next start, INT64_MAX if none: the outcome */
	size_t next;        /* its index */
	uint32_t survivors; /* pauses of B as long as tau_us, once counted */
	int usable, counted;
};

/* B's pauses that ended at or before t become known.  Without blind intervals only the last NULL_PAUSES need
 * be read. */
static void learn_pauses(struct run *x, int64_t t)
{
	const struct lane *b = x->b;
	if (x->known >= b->n || b->start[x->known] > t)
		return;
	if (x->blind->n == 0 && b->n - x->known > NULL_PAUSES && b->start[x->known + NULL_PAUSES] <= t) {
		null_past_init(&x->past);
		x->known = lane_find(b, t + 1) - NULL_PAUSES;
	}
	while (x->known < b->n && b->start[x->known] <= t) {
		size_t k = x->known++;
		if (k == 0)
			continue;
		if (!blinds_touch(x->blind, &x->pause_cursor, b->end[k - 1], b->start[k]))
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

/* *cursor walks up with open_us. */
static void look(const struct run *x, int64_t t, const struct window *w, size_t *cursor, struct outlook *o)
{
	const struct lane *b = x->b;
	o->now_us = t;
	o->open_us = t + w->lo_us;
	int64_t after = w->lo_us == 0 ? o->open_us + 1 : o->open_us; /* equal times have no order */
	size_t i = *cursor;
	while (i < b->n && b->start[i] < after)
		i++;
	*cursor = i;
	o->usable = o->counted = 0;
	if (i == 0 || b->end[i - 1] > o->open_us)
		return;
	o->next = i;
	o->next_us = i < b->n ? b->start[i] : INT64_MAX;
	o->tau_us = o->open_us - b->end[i - 1];
	o->usable = x->blind->n == 0 || !is_blind(x, b->end[i - 1], o->open_us + LOCAL_US);
}

/* B's starts in the LOCAL_US to come, which are given. */
static int starts_local(const struct run *x, const struct outlook *o)
{
	const struct lane *b = x->b;
	int n = 0;
	while (n < LOCAL_MAX && o->next + (size_t)n < b->n &&
		b->start[o->next + (size_t)n] < o->open_us + LOCAL_US)
		n++;
	return n;
}

/* Would a win now keep the beat of earlier wins?  What two metronomes do together proves nothing.  All beats
 * are looked at without a branch, since each would be guessed wrong now and then. */
static int on_beat(const struct cell *c, int64_t open_us, int64_t w_us)
{
	int64_t slack = w_us / 2 + BEAT_US;
	int64_t early = open_us + w_us / 2 + slack;
	int found = 0;
	for (int i = 0; i < BEATS; i++)
		found |= (uint64_t)(early - c->beat[i]) <= (uint64_t)(2 * slack);
	return found;
}

/* The newest win, and when its beats with the ones before would have the next.  beat[] holds the last
 * WINS - d of the beats between wins d apart, for each d from 1 on, newest first: moved on as a whole, what
 * would come into the next d's place is overwritten. */
static void enter_beats(struct cell *c, int64_t t)
{
	for (int i = WINS - 1; i > 0; i--)
		c->win[i] = c->win[i - 1];
	for (int i = BEATS - 1; i > 0; i--)
		c->beat[i] = c->beat[i - 1];
	c->win[0] = t;
	for (int d = 1, at = 0; d < WINS; at += WINS - d, d++) {
		int64_t beat = t - c->win[d];
		c->beat[at] = beat >= BEAT_MIN_US && c->win[d] != NEVER ? t + beat : NEVER;
	}
}

/* Upper bound of a start in the window from B's own past. */
static double bound(struct run *x, struct outlook *o, int64_t w_us)
{
	if (!o->counted) {
		learn_pauses(x, o->now_us);
		o->survivors = null_survivors(&x->past, o->tau_us);
	}
	o->counted = 1;
	double self = null_self(&x->past, x->limits, o->survivors, o->tau_us, w_us);
	if (o->survivors < ECHO_BELOW) {
		if (x->replay.now_us != o->now_us || x->replay.last != o->next - 1)
			null_replay(&x->replay, x->b, o->next - 1, o->now_us);
		double echo = null_echo(&x->replay, x->limits, o->open_us - o->now_us, w_us);
		if (echo > self)
			self = echo;
	}
	return self > BET_FLOOR ? self : BET_FLOOR;
}

/* The stake's share of the wealth, from what is known when the window opens; *self is B's own bound where
 * there is one. */
static double stake(struct run *x, const struct cell *c, struct outlook *o, int64_t w_us, double *self)
{
	double q = c->least;
	*self = BET_FLOOR;
	if (c->hit + 1.0 < q * (c->seen + 2.0) * NEARLY) /* r < q, told without a division */
		return 0;
	double r = (c->hit + 1.0) / (c->seen + 2.0);
	if (r <= q) /* no need to ask B's past: abstain */
		return 0;
	*self = bound(x, o, w_us);
	if (q < *self)
		q = *self;
	if (q >= BET_MOST || r <= q || on_beat(c, o->open_us, w_us))
		return 0;
	return BET_KELLY * (r - q) / (1.0 - q);
}

static void enter_win(struct cell *c, double q)
{
	c->hit += 1.0;
	c->price += q;
	double mean = c->price / c->hit;
	c->least = mean > BET_FLOOR ? mean : BET_FLOOR;
	enter_beats(c, c->settle_us);
}

/* 1 if B predicted itself. */
static int open_bet(struct run *x, int i, struct outlook *o)
{
	struct cell *c = &x->cell[i];
	const struct window *w = &WINDOWS[i];
	int64_t last = o->open_us + w->w_us;
	double self, s = stake(x, c, o, w->w_us, &self);
	c->before_us = c->settle_us;
	c->settle_us = last;
	c->seen += 1.0;
	if (s > 0 || c->wealth < BET_FLUSH)
		x->waiting |= UINT32_C(1) << i;
	c->factor = 1.0 - s;
	if (o->next_us < last) {
		double q = w->local[starts_local(x, o)];
		q = q > self ? q : self;
		c->settle_us = o->next_us;
		c->factor = 1.0 - s + s / q;
		enter_win(c, q);
	}
	return self >= TAME;
}

/* The bets that are settled by now change their cells' wealths. */
static void close_bets(struct run *x, int64_t now)
{
	for (int i = 0; x->waiting >> i; i++) {
		struct cell *c = &x->cell[i];
		if (!(x->waiting >> i & 1) || c->settle_us > now)
			continue;
		x->waiting &= ~(UINT32_C(1) << i);
		c->wealth *= c->factor;
		if (c->wealth < BET_FLUSH)
			c->wealth = 0;
		x->stale = 1;
	}
}

static double average(const struct run *x)
{
	double sum = 0;
	for (int i = 0; i < CELLS; i++)
		sum += x->cell[i].wealth;
	return sum / CELLS;
}

/* When the last of the bets that are settled by now was. */
static int64_t settled_us(const struct run *x, int64_t now)
{
	int64_t last = INT64_MIN;
	for (int i = 0; i < CELLS; i++) {
		const struct cell *c = &x->cell[i];
		int64_t t = c->settle_us <= now ? c->settle_us : c->before_us;
		if (t > last)
			last = t;
	}
	return last;
}

static void settle(struct run *x, int64_t now)
{
	close_bets(x, now);
	if (x->stale)
		x->average = average(x);
	x->stale = 0;
	if (x->average > x->sup)
		x->sup = x->average;
	if (x->average >= x->target && x->r->reached_us == INT64_MIN)
		x->r->reached_us = settled_us(x, now);
	if (x->average < BET_SCALE_UP)
		return;
	for (int i = 0; i < CELLS; i++)
		x->cell[i].wealth /= BET_SCALE_UP;
	x->stale = 1;
	x->scale++;
	x->sup /= BET_SCALE_UP;
	x->target = link_exp(x->target_ln - (double)x->scale * SCALE_BITS * LN2);
}

/* *cursor: B's first start after t. */
static void bet_burst(struct run *x, int64_t t, size_t *cursor)
{
	struct outlook o = {0};
	size_t at = *cursor;
	int could = 0, tame = 0;
	for (int i = 0; i < CELLS; i++) {
		const struct window *w = &WINDOWS[i];
		if (i == 0 || w->lo_us != WINDOWS[i - 1].lo_us)
			look(x, t, w, i == 0 ? cursor : &at, &o);
		if (i == 0)
			at = *cursor;
		if (!o.usable || x->cell[i].settle_us > t)
			continue;
		tame |= open_bet(x, i, &o);
		could = 1;
	}
	x->r->bets += (uint32_t)could;
	x->r->hits += could && *cursor < x->b->n && x->b->start[*cursor] < t + BET_HORIZON_US;
	x->r->tame += (uint32_t)tame;
}

static void run_init(struct run *x)
{
	for (int i = 0; i < CELLS; i++) {
		struct cell *c = &x->cell[i];
		c->wealth = 1.0;
		c->factor = 1.0;
		c->seen = c->hit = c->price = 0;
		c->least = BET_FLOOR;
		c->settle_us = c->before_us = INT64_MIN;
		for (int k = 0; k < WINS; k++)
			c->win[k] = NEVER;
		for (int k = 0; k < BEATS; k++)
			c->beat[k] = NEVER;
	}
	null_past_init(&x->past);
	x->replay.now_us = INT64_MIN; /* none yet */
	x->replay.last = 0;
	x->known = x->pause_cursor = 0;
	x->waiting = 0;
	x->scale = x->stale = 0;
	x->average = x->sup = 1.0;
	x->target = link_exp(x->target_ln);
}

void bet_run(const struct lane *a, const struct lane *b, const struct blinds *blind,
	struct null_limits *limits, double target, struct bet_result *r)
{
	struct run x;
	size_t cursor = 0;
	x.a = a;
	x.b = b;
	x.blind = blind;
	x.limits = limits;
	x.r = r;
	x.target_ln = target * LN10;
	run_init(&x);
	bet_result_init(r);
	for (size_t k = 0; k < a->n; k++) {
		settle(&x, a->start[k]);
		bet_burst(&x, a->start[k], &cursor);
	}
	settle(&x, INT64_MAX);
	double shift = (double)x.scale * SCALE_BITS * LOG10_2;
	r->log10_end = link_log10(average(&x)) + shift;
	r->log10_sup = link_log10(x.sup) + shift;
}

void bet_result_init(struct bet_result *r)
{
	r->log10_end = r->log10_sup = 0;
	r->reached_us = INT64_MIN;
	r->bets = r->hits = r->tame = 0;
}

void account_open(struct bet_account *a, double target, struct bet_result *r)
{
	a->target = target;
	a->best = 1.0;
	a->scale = 0;
	a->r = r;
	bet_result_init(r);
}

int account_enter(struct bet_account *a, double average, int64_t when)
{
	if (average <= a->best)
		return 0;
	a->best = average;
	double now = link_log10(average) + a->scale;
	if (now > a->r->log10_sup)
		a->r->log10_sup = now;
	if (now >= a->target && a->r->reached_us == INT64_MIN)
		a->r->reached_us = when;
	if (average < BET_SCALE_UP)
		return 0;
	a->best /= BET_SCALE_UP;
	a->scale += SCALE_BITS * LOG10_2;
	return 1;
}

void account_close(struct bet_account *a, double average)
{
	a->r->log10_end = link_log10(average) + a->scale;
}

double bet_ceiling(size_t n)
{
	return (double)n * -link_log10(BET_FLOOR);
}
