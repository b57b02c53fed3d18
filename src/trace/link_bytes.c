/* Bets on sizes: what a relay passes on is as long as what it was given, whenever it passes it on.
 *
 * In go two trains, out comes the wealth of somebody who, at each stretch of B (bursts less than a gap
 * apart), bets that its bytes are those that A brought since B's last stretch ended, give or take a tolerance
 * and so many bytes of framing a packet of A's as earlier stretches showed.  This does not ask when: delays
 * that vary up to the gap and would drown the bets on starts (link_bet.c) leave it as it is.
 *
 * The null: given B's times, and **either** B's past **or** which sizes its next BLOCK stretches will have,
 * this one included, B's sizes do not depend on A.  The ticket on [x - tol, x + tol] is priced by the larger
 * of two bounds: the share of the next BLOCK sizes that lie there, with a margin; and the upper limit of how
 * often B's own sizes lay there, in all its past and in each likeness of the past to now: after a stretch of
 * such a size, after two such, after such a pause, of such a duration, after so long; and after as many
 * stretches as B takes to repeat itself.  What B would choose by itself (a key is always as long as a key; a
 * beacon's third report is the long one) earns nothing.  Stakes, cells and average are those of link_bet.c.
 */
#include "trace/link_bytes.h"

#include "trace/link_log.h"
#include "trace/link_null.h"

#define TOLERANCES  3
#define PAST        64 /* stretches of B that are remembered: the bits of a mask */
#define BLOCK       8  /* sizes of so many stretches are given */
#define SAFETY      1.25
#define LEAST       (SAFETY / BLOCK) /* no price is lower, for the size itself is among the next */
#define Q_BET       0.90
#define KELLY       0.9
#define NEAREST     12
#define BYTES_MAX   ((uint64_t)1 << 40) /* of a burst */
#define SUM_MAX     ((int64_t)1 << 60)  /* of a stretch */
#define PACKETS_MAX ((int64_t)1 << 40)
#define REPEATS_MIN 4  /* stretches that a period is judged by */
#define FRAMINGS    16 /* of so many stretches the median framing is taken */
#define FRAMING_MAX 100
#define LOG10_2     0.30102999566398119521
#define SCALE_BITS  512
#define SCALE_UP    1.3407807929942597e154 /* 2^512 */

/* Half width of what counts as equal: bytes, and a share of the size. */
static const struct {
	int64_t bytes, share;
} TOLERANCE[TOLERANCES] = {{8, 0}, {24, 64}, {64, 12}};

/* A stretch of bursts less than GAP apart. */
struct stretch {
	int64_t start, end, bytes, packets;
	int64_t brought, brought_packets; /* by the other train since the last one's end */
	int blind; /* a blind interval lies between the last one's end and this one's */
};

/* Reads a train stretch by stretch, and what another brought meanwhile. */
struct reader {
	const struct link_train *t, *other;
	int64_t offset, other_offset, gap;
	size_t at, other_at;
	int64_t last, end; /* the latest start seen, for clocks that stepped back; the last end */
	size_t blind_at;
	const struct blinds *blind;
};

static int64_t time_of(const struct burst *b, int64_t offset)
{
	int64_t t = b->start_us;
	if (t > LANE_TIME_MAX)
		t = LANE_TIME_MAX;
	if (t < -LANE_TIME_MAX)
		t = -LANE_TIME_MAX;
	return t + offset;
}

/* Adds a burst's bytes and packets; what is beyond counting stays there. */
static void count(const struct burst *b, int64_t *bytes, int64_t *packets)
{
	*bytes += (int64_t)(b->bytes < BYTES_MAX ? b->bytes : BYTES_MAX);
	*packets += b->packets;
	if (*bytes > SUM_MAX)
		*bytes = SUM_MAX;
	if (*packets > PACKETS_MAX)
		*packets = PACKETS_MAX;
}

/* What the other train brought from where it was read to until `to`. */
static void bring(struct reader *r, struct stretch *s)
{
	s->brought = s->brought_packets = 0;
	while (r->other_at < r->other->n) {
		const struct burst *b = &r->other->b[r->other_at];
		if (time_of(b, r->other_offset) > s->end)
			return;
		count(b, &s->brought, &s->brought_packets);
		r->other_at++;
	}
}

static int spans_blind(struct reader *r, int64_t from, int64_t to)
{
	while (r->blind_at < r->blind->n && r->blind->s[r->blind_at].to_us < from - LANE_GUARD_US)
		r->blind_at++;
	return r->blind_at < r->blind->n && r->blind->s[r->blind_at].from_us <= to;
}

/* The next stretch; 0 at the end. */
static int stretch_read(struct reader *r, struct stretch *s)
{
	const struct link_train *t = r->t;
	int64_t before = r->end;
	if (r->at >= t->n)
		return 0;
	s->start = time_of(&t->b[r->at], r->offset);
	if (s->start < r->last)
		s->start = r->last; /* a clock that stepped back */
	s->end = s->start;
	s->bytes = s->packets = 0;
	for (; r->at < t->n; r->at++) {
		const struct burst *b = &t->b[r->at];
		int64_t start = time_of(b, r->offset);
		if (start - s->end >= r->gap)
			break;
		if (start < r->last)
			start = r->last;
		r->last = start;
		if (start + (int64_t)b->dur_us > s->end)
			s->end = start + (int64_t)b->dur_us;
		count(b, &s->bytes, &s->packets);
	}
	bring(r, s);
	s->blind = spans_blind(r, before, s->end);
	r->end = s->end;
	return 1;
}

struct size_cell {
	double wealth, seen, hit;
};

/* One figure of B's remembered stretches, twice, so that the last PAST stand in a row whatever was
 * overwritten. */
struct column {
	int64_t v[2 * PAST];
	int64_t sorted[PAST];
};

/* What a size may be proportional to: a pause, a duration, both, the size before. */
enum { PER_PAUSE, PER_SPAN, PER_WINDOW, PER_SIZE, PERS };

struct sizes {
	struct column size, pause, span, window; /* window: pause and span */
	double rate[PERS][PAST]; /* size by each of them; 0 where there was none; in no order */
	size_t n;                /* remembered so far */
	uint32_t same[PAST];     /* by lag: sizes that were that of so many stretches before */
};

struct size_run {
	struct reader reader;
	struct stretch ahead[BLOCK];
	size_t first, n_ahead; /* the ring of stretches that are read but not bet on */
	struct sizes past;
	struct null_limits limits;
	int64_t last_end;
	int64_t framing[FRAMINGS];
	size_t n_framing;
	struct size_cell cell[TOLERANCES];
};

static size_t remembered(const struct sizes *p)
{
	return p->n < PAST ? p->n : PAST;
}

/* The last one's; what came `lag` before it is at [-lag]. */
static const int64_t *newest(const struct sizes *p, const struct column *c)
{
	return &c->v[(p->n - 1) % PAST + PAST];
}

/* How many of the n sorted ones are below x. */
static size_t below(const int64_t *sorted, size_t n, int64_t x)
{
	size_t lo = 0;
	while (n > 0) {
		size_t half = n / 2;
		if (sorted[lo + half] < x) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

/* The n-th figure, from 0 on; with PAST of them the oldest goes. */
static void put(struct column *c, size_t n, int64_t value)
{
	size_t full = n < PAST ? n : PAST, hole = full;
	if (full == PAST)
		hole = below(c->sorted, PAST, c->v[n % PAST]);
	for (; hole > 0 && c->sorted[hole - 1] > value; hole--)
		c->sorted[hole] = c->sorted[hole - 1];
	for (; hole + 1 < full && c->sorted[hole + 1] < value; hole++)
		c->sorted[hole] = c->sorted[hole + 1];
	c->sorted[hole] = value;
	c->v[n % PAST] = c->v[n % PAST + PAST] = value;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

static int alike(int64_t a, int64_t b)
{
	return distance(a, b) <= 16 + (a < b ? a : b) / 8;
}

static uint32_t bits(uint64_t v)
{
	v = v - ((v >> 1) & UINT64_C(0x5555555555555555));
	v = (v & UINT64_C(0x3333333333333333)) + ((v >> 2) & UINT64_C(0x3333333333333333));
	v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)((v * UINT64_C(0x0101010101010101)) >> 56);
}

/* Masks have a bit for each remembered stretch, the last one's lowest.  Which are between lo and hi? */
static uint64_t mask_between(const int64_t *last, size_t n, int64_t lo, int64_t hi)
{
	uint64_t m = 0;
	for (size_t i = 0; i < n; i++)
		m |= (uint64_t)(*(last - i) >= lo && *(last - i) <= hi) << i;
	return m;
}

static uint64_t mask_alike(const int64_t *last, size_t n, int64_t what)
{
	uint64_t m = 0;
	for (size_t i = 0; i < n; i++)
		m |= (uint64_t)alike(*(last - i), what) << i;
	return m;
}

/* The NEAREST ones, and whatever is as near: what B did when it was most like now. */
static uint64_t mask_nearest(const struct sizes *p, const struct column *c, int64_t what)
{
	size_t n = remembered(p), hi = below(c->sorted, n, what), lo = hi;
	int64_t far = 0;
	for (size_t k = 0; k < NEAREST && (lo > 0 || hi < n); k++) {
		if (hi == n || (lo > 0 && what - c->sorted[lo - 1] <= c->sorted[hi] - what))
			far = what - c->sorted[--lo];
		else
			far = c->sorted[hi++] - what;
	}
	return mask_between(newest(p, c), n, what - far, what + far);
}

#define LIKENESSES 5

/* The likenesses of B's past to now: after one such size, after two such, after such a pause, of such a
 * duration, after so long. */
static void look_back(
	const struct sizes *p, const struct stretch *s, int64_t pause, uint64_t like[LIKENESSES])
{
	size_t n = remembered(p);
	const int64_t *size = newest(p, &p->size);
	int64_t span = s->end - s->start;
	like[0] = mask_alike(size, n, *size) >> 1;
	like[1] = n > 1 ? like[0] & (mask_alike(size, n, *(size - 1)) >> 2) : 0;
	like[2] = mask_nearest(p, &p->pause, pause);
	like[3] = mask_nearest(p, &p->span, span);
	like[4] = mask_nearest(p, &p->window, pause + span);
}

/* What the next size would be proportional to. */
static void pers(const struct sizes *p, const struct stretch *s, int64_t pause, int64_t per[PERS])
{
	per[PER_PAUSE] = pause;
	per[PER_SPAN] = s->end - s->start;
	per[PER_WINDOW] = pause + per[PER_SPAN];
	per[PER_SIZE] = p->n > 0 ? *newest(p, &p->size) : 0;
}

static void remember(struct sizes *p, const struct stretch *s, int64_t pause)
{
	int64_t span = s->end - s->start, per[PERS];
	pers(p, s, pause, per);
	for (int k = 0; k < PERS; k++)
		p->rate[k][p->n % PAST] = per[k] > 0 ? (double)s->bytes / (double)per[k] : 0;
	for (size_t lag = 1; p->n > 0 && lag < PAST && lag <= p->n; lag++)
		p->same[lag] += (uint32_t)alike(*(newest(p, &p->size) - (lag - 1)), s->bytes);
	put(&p->size, p->n, s->bytes);
	put(&p->pause, p->n, pause);
	put(&p->span, p->n, span);
	put(&p->window, p->n, pause + span);
	p->n++;
}

/* Does B repeat itself every so many stretches, half of the time or more, and would it now end up there? */
static double repeats(const struct sizes *p, int64_t lo, int64_t hi)
{
	double most = 0;
	lo -= lo / 8 + 16;
	hi += hi / 8 + 16;
	for (size_t lag = 1; lag < PAST && lag + REPEATS_MIN <= p->n; lag++) {
		int64_t v = *(newest(p, &p->size) - (lag - 1));
		size_t tries = p->n - lag;
		if (v < lo || v > hi || 2 * (size_t)p->same[lag] < tries)
			continue;
		double u = null_upper(p->same[lag], (double)tries);
		if (u > most)
			most = u;
	}
	return most;
}

/* B sends so much a second, or as much as before: how often would that have led into the ticket's range? */
static double proportional(struct size_run *x, const struct stretch *s, int64_t pause, int64_t lo, int64_t hi)
{
	const struct sizes *p = &x->past;
	double most = 0;
	int64_t per[PERS];
	pers(p, s, pause, per);
	for (int k = 0; k < PERS; k++) {
		uint32_t n = 0, h = 0;
		if (per[k] <= 0)
			continue;
		double from = (double)lo / (double)per[k], to = (double)hi / (double)per[k];
		for (size_t i = 0; i < remembered(p); i++) {
			n += p->rate[k][i] > 0;
			h += p->rate[k][i] > 0 && p->rate[k][i] >= from && p->rate[k][i] <= to;
		}
		double u = null_limit(&x->limits, h, n);
		if (u > most)
			most = u;
	}
	return most;
}

/* The stretch that is bet on, and what is looked up for it once a stake is thinkable. */
struct table {
	const struct stretch *s;
	int64_t pause, expected;
	int looked;
	uint64_t like[LIKENESSES];
};

/* The ticket's price by B's past, or less where it is at least r: nothing will be staked. */
static double own(struct size_run *x, struct table *t, int64_t lo, int64_t hi, double r)
{
	const struct sizes *p = &x->past;
	size_t n = remembered(p);
	uint64_t inside = mask_between(newest(p, &p->size), n, lo, hi);
	double q = null_limit(&x->limits, bits(inside), (uint32_t)n);
	if (q >= r)
		return q;
	double again = repeats(p, lo, hi), steady = proportional(x, t->s, t->pause, lo, hi);
	if (again > q)
		q = again;
	if (steady > q)
		q = steady;
	if (q >= r)
		return q;
	if (!t->looked)
		look_back(p, t->s, t->pause, t->like);
	t->looked = 1;
	for (int i = 0; i < LIKENESSES; i++) {
		double u = null_limit(&x->limits, bits(t->like[i] & inside), bits(t->like[i]));
		if (u > q)
			q = u;
	}
	return q;
}

/* Framing that earlier stretches had, in bytes a packet of A's: the median. */
static int64_t framing(const struct size_run *x)
{
	int64_t v[FRAMINGS];
	size_t n = x->n_framing < FRAMINGS ? x->n_framing : FRAMINGS;
	for (size_t i = 0; i < n; i++) {
		size_t k = i;
		for (; k > 0 && v[k - 1] > x->framing[i]; k--)
			v[k] = v[k - 1];
		v[k] = x->framing[i];
	}
	return n > 0 ? v[n / 2] : 0;
}

static void learn_framing(struct size_run *x, const struct stretch *s)
{
	int64_t f = (s->bytes - s->brought) / (s->brought_packets > 0 ? s->brought_packets : 1);
	if (f >= -FRAMING_MAX && f <= FRAMING_MAX)
		x->framing[x->n_framing++ % FRAMINGS] = f;
}

/* The ticket's price by the sizes to come. */
static double local(const struct size_run *x, int64_t lo, int64_t hi)
{
	size_t n = x->n_ahead, in = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t y = x->ahead[(x->first + i) % BLOCK].bytes;
		in += y >= lo && y <= hi;
	}
	return SAFETY * (double)in / (double)(n > BLOCK / 2 ? n : BLOCK / 2);
}

static int bet(struct size_run *x, int i, struct table *t)
{
	struct size_cell *c = &x->cell[i];
	int64_t tol = TOLERANCE[i].bytes + (TOLERANCE[i].share ? t->expected / TOLERANCE[i].share : 0);
	int64_t lo = t->expected - tol, hi = t->expected + tol;
	int won = t->s->bytes >= lo && t->s->bytes <= hi;
	double r = (c->hit + 1.0) / (c->seen + 2.0);
	c->seen += 1.0;
	c->hit += won;
	if (r <= LEAST)
		return won;
	double q = own(x, t, lo, hi, r);
	if (q < LEAST)
		q = LEAST;
	if (r <= q || q >= Q_BET)
		return won;
	double paid = won ? local(x, lo, hi) : q, stake = KELLY * (r - q) / (1.0 - q);
	if (paid < q)
		paid = q;
	c->wealth *= won ? 1.0 - stake + stake / paid : 1.0 - stake;
	if (c->wealth < 1e-200)
		c->wealth = 0;
	return won;
}

static void refill(struct size_run *x)
{
	while (x->n_ahead < BLOCK && stretch_read(&x->reader, &x->ahead[(x->first + x->n_ahead) % BLOCK]))
		x->n_ahead++;
}

static void size_bets(struct size_run *x, const struct stretch *s, int64_t pause, struct bet_result *r)
{
	struct table t;
	int won = 0;
	t.s = s;
	t.pause = pause;
	t.expected = s->brought + framing(x) * s->brought_packets;
	if (t.expected < 0)
		t.expected = 0;
	t.looked = 0;
	for (int i = 0; i < TOLERANCES; i++)
		won = bet(x, i, &t);
	r->bets++;
	r->hits += (uint32_t)won; /* of the widest tolerance */
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
	if (s->brought > 0 && !s->blind && x->past.n > 0)
		size_bets(x, s, pause, r);
	if (s->brought > 0)
		learn_framing(x, s);
	if (!s->blind)
		remember(&x->past, s, pause);
	x->last_end = s->end;
	x->first = (x->first + 1) % BLOCK;
	x->n_ahead--;
	return 1;
}

static void size_init(struct size_run *x, const struct sized_pair *p, int64_t gap)
{
	x->reader.t = p->b;
	x->reader.other = p->a;
	x->reader.offset = p->offset_b_us;
	x->reader.other_offset = p->offset_a_us;
	x->reader.gap = gap;
	x->reader.at = x->reader.other_at = x->reader.blind_at = 0;
	x->reader.last = x->reader.end = INT64_MIN / 2;
	x->reader.blind = p->blind;
	x->first = x->n_ahead = x->past.n = x->n_framing = 0;
	x->last_end = INT64_MIN / 2;
	null_limits_init(&x->limits);
	for (int i = 0; i < PAST; i++)
		x->past.same[i] = 0;
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

void bytes_run(const struct sized_pair *p, int64_t gap_us, double target, struct bet_result *r)
{
	struct size_run x;
	int64_t when;
	double sum = 1.0, best = 1.0, scale = 0; /* best: the largest sum, at the scale */
	size_init(&x, p, gap_us);
	r->log10_sup = 0;
	r->reached_us = INT64_MIN;
	r->bets = r->hits = r->tame = 0;
	while (size_step(&x, r, &when)) {
		sum = average(&x);
		if (sum <= best)
			continue;
		best = sum;
		double now = link_log10(sum) + scale;
		if (now > r->log10_sup)
			r->log10_sup = now;
		if (now >= target && r->reached_us == INT64_MIN)
			r->reached_us = when;
		if (sum < SCALE_UP)
			continue;
		for (int i = 0; i < TOLERANCES; i++)
			x.cell[i].wealth /= SCALE_UP;
		best /= SCALE_UP;
		scale += SCALE_BITS * LOG10_2;
	}
	r->log10_end = link_log10(average(&x)) + scale;
}
