/* Bets on the phase within a tick.
 *
 * OpenSSH from 9.5 on sends keystrokes at ticks of 20 ms and goes on ticking for seconds after the last one,
 * so A's merged bursts say little about when a key was pressed.  But the copies leave right after a tick.  In
 * go A's bursts as recorded and B's lane; for each start of B the slot between A's ticks is given, and the
 * bet is on the place in it: that B starts in [tick + lo, tick + lo + w).  Given the slot, a B that knows
 * nothing of A's clock is spread over it evenly (BET_SAFETY allows for less); a B with a clock of its own
 * would keep its place only while A's ticks keep that clock's beat, and on the beat nothing is staked; nor is
 * it where B's own pauses would end in this slot more often than in others (a loop, not a person). Stakes,
 * cells and average are those of link_bet.c. */
#include "trace/link_tick.h"

#define CELLS      6
#define WINS       2
#define BEAT_US    1000 /* how exactly a beat is kept, plus half the window */
#define PAUSES_MIN 10   /* B's pauses must be known ... */
#define SHARE_MAX  0.4  /* ... and no more of them may end in the slot, widened on both sides */
#define WIDEN_US   5000
#define HIT_US     5000  /* a copy leaves so soon after its tick */
#define MEDIA_US   20000 /* the packet interval of telephony, and of hidden keystrokes */

static const struct {
	int64_t lo_us, w_us;
} WINDOWS[CELLS] = {{0, 2000}, {0, 5000}, {2000, 5000}, {5000, 5000}, {10000, 5000}, {15000, 5000}};

struct tick_cell {
	double wealth, seen, hit;
	int64_t win[WINS]; /* ticks of the last wins, newest first */
	int wins;
};

struct ticks {
	const struct link_train *a;
	size_t k;          /* the last burst of A that is read */
	int64_t span_us;   /* of the intervals counted */
	int64_t periods;   /* in them */
	int64_t period_us; /* the estimate, 0 if none yet */
};

/* A's k-th tick; what is no time is far away. */
static int64_t tick_at(const struct link_train *a, size_t k)
{
	return lane_time(a->b[k].start_us);
}

/* Reads A up to its last burst before x; 1 if there is one. */
static int ticks_until(struct ticks *c, int64_t x)
{
	if (c->a->n == 0 || tick_at(c->a, 0) >= x)
		return 0;
	while (c->k + 1 < c->a->n && tick_at(c->a, c->k + 1) < x) {
		int64_t d = tick_at(c->a, c->k + 1) - tick_at(c->a, c->k);
		c->k++;
		if (d < TICK_MIN_US || d > TICK_MAX_US)
			continue;
		if (c->period_us == 0 || 4 * d < 3 * c->period_us)
			c->span_us = c->periods = 0;
		int64_t n = c->periods > 0 ? (d + c->period_us / 2) / c->period_us : 1;
		c->span_us += d;
		c->periods += n > 0 ? n : 1;
		c->period_us = c->span_us / c->periods;
	}
	return 1;
}

static int keeps(int64_t distance, int64_t period, int64_t slack)
{
	int64_t off = distance % period;
	return off <= slack || period - off <= slack;
}

static int on_beat(const struct tick_cell *c, const struct ticks *ticks, int64_t tick, int64_t w)
{
	int64_t slack = w / 2 + BEAT_US;
	for (int i = 0; i < c->wins; i++) {
		int64_t distance = tick - c->win[i];
		if (keeps(distance, MEDIA_US, slack) ||
			(ticks->period_us > 0 && keeps(distance, ticks->period_us, slack)))
			return 1;
	}
	return 0;
}

static void tick_bet(
	struct tick_cell *c, int i, const struct ticks *ticks, int64_t tick, int64_t slot, int64_t phase)
{
	int64_t lo = WINDOWS[i].lo_us, w = WINDOWS[i].w_us;
	if (lo + w > slot)
		return;
	int won = phase >= lo && phase < lo + w;
	double q = BET_SAFETY * (double)w / (double)slot;
	double r = (c->hit + 1.0) / (c->seen + 2.0);
	if (q < BET_FLOOR)
		q = BET_FLOOR;
	if (r > q && !on_beat(c, ticks, tick, w))
		c->wealth = bet_wealth(c->wealth, r, q, q, won);
	c->seen += 1.0;
	if (!won)
		return;
	c->hit += 1.0;
	c->win[1] = c->win[0];
	c->win[0] = tick;
	if (c->wins < WINS)
		c->wins++;
}

/* B's pauses before its start j, known when it starts; *known are in past already.  Only the last NULL_PAUSES
 * need be read. */
static void learn_pauses(struct null_past *past, size_t *known, const struct lane *b, size_t j)
{
	if (*known + NULL_PAUSES < j - 1)
		*known = j - 1 - NULL_PAUSES;
	for (; *known < j - 1; (*known)++)
		null_past_add(past, b->start[*known + 1] - b->end[*known]);
}

/* 1 if the slot is one that B would not choose by itself. */
static int is_free(const struct null_past *past, const struct lane *b, size_t j, int64_t tick, int64_t slot)
{
	int64_t tau = tick - b->end[j - 1] - WIDEN_US;
	uint32_t inside = null_survivors(past, tau) - null_survivors(past, tau + slot + 2 * WIDEN_US);
	return past->n >= PAUSES_MIN && (double)inside <= SHARE_MAX * (double)past->n;
}

static double average(const struct tick_cell cell[CELLS])
{
	double sum = 0;
	for (int i = 0; i < CELLS; i++)
		sum += cell[i].wealth;
	return sum / CELLS;
}

/* The slot that x lies in; 0 if A does not tick there. */
static int64_t slot_of(const struct ticks *c, int64_t x, int64_t *tick)
{
	if (c->k + 1 >= c->a->n || tick_at(c->a, c->k + 1) <= x)
		return 0;
	*tick = tick_at(c->a, c->k);
	int64_t slot = tick_at(c->a, c->k + 1) - *tick;
	return slot >= TICK_MIN_US && slot <= TICK_MAX_US ? slot : 0;
}

static void cells_init(struct tick_cell cell[CELLS])
{
	for (int i = 0; i < CELLS; i++) {
		cell[i].wealth = 1.0;
		cell[i].seen = cell[i].hit = 0;
		cell[i].wins = 0;
	}
}

void tick_run(const struct link_train *a, const struct lane *b, const struct blinds *blind, double target,
	struct bet_result *r)
{
	struct tick_cell cell[CELLS];
	struct ticks ticks = {.a = a};
	struct null_past past;
	struct bet_account account;
	size_t cursor = 0, known = 0;
	cells_init(cell);
	account_open(&account, target, r);
	null_past_init(&past);
	for (size_t j = 1; j < b->n && a->n > 1; j++) {
		int64_t x = b->start[j], tick, slot;
		if (!ticks_until(&ticks, x) || (slot = slot_of(&ticks, x, &tick)) == 0 ||
			blinds_touch(blind, &cursor, tick - LANE_GUARD_US, tick + slot))
			continue;
		learn_pauses(&past, &known, b, j);
		if (!is_free(&past, b, j, tick, slot))
			continue;
		for (int i = 0; i < CELLS; i++)
			tick_bet(&cell[i], i, &ticks, tick, slot, x - tick);
		r->bets++;
		r->hits += x - tick < HIT_US;
		if (account_enter(&account, average(cell), x))
			for (int i = 0; i < CELLS; i++)
				cell[i].wealth /= BET_SCALE_UP;
	}
	account_close(&account, average(cell));
}
