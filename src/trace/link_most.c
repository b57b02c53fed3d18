/* Bounds of two ways, by the bets that could be won.
 *
 * Sizes.  Which of B's stretches are as long as what A brought, and so each cell's share r of hits, are told
 * by bytes and order alone; only the price is dear.  It is never below LEAST, nor below the upper limit of
 * how often B's own sizes lay in the ticket's range, in all that is remembered of its past: q' is the larger
 * of the two.  The stake is 0.9 (r - q)/(1 - q) for some q >= q' and the ticket pays 1/q at most, so a hit
 * multiplies the cell's wealth by at most 1 + 0.9 (r - q')/q', which falls as q' grows, and by nothing where
 * r <= q'; a miss never adds.  The product over the hits is at least the cell's wealth at any time, and the
 * largest of the cells at least their average.  What is read here must be what link_bytes.c reads: stretches,
 * framing, tolerances, the order in which they are learned.
 *
 * Ticks.  A bet needs a start of B in one of A's slots, and each win pays 1/Q_FLOOR at most, as bets on
 * starts do. */
#include "trace/link_most.h"

#include "trace/link_log.h"

#define TOLERANCES  3
#define PAST        64
#define LEAST       (1.25 / 8)
#define KELLY       0.9
#define FRAMINGS    16
#define FRAMING_MAX 100
#define BYTES_MAX   ((uint64_t)1 << 40)
#define SUM_MAX     ((int64_t)1 << 60)
#define PACKETS_MAX ((int64_t)1 << 40)
#define SLOT_MIN_US 10000
#define SLOT_MAX_US 64000
#define PHASE_US    20000 /* no window of a slot ends later */
#define ROUNDING    (1.0 + 1e-12)
#define GROWN       1e200

static const struct {
	int64_t bytes, share;
} TOLERANCE[TOLERANCES] = {{8, 0}, {24, 64}, {64, 12}};

struct most_cell {
	double product, seen, hit;
};

struct most {
	const struct link_train *a, *b;
	const struct blinds *blind;
	struct null_limits *limits;
	size_t a_at, b_at, blind_at;
	int64_t last, end; /* the latest start; the last stretch's end */
	int64_t size[PAST];
	size_t n_size;
	int64_t framing[FRAMINGS], median; /* in the order learned; of all of them */
	size_t n_framing;
	struct most_cell cell[TOLERANCES];
};

struct piece {
	int64_t end, bytes, packets, brought, brought_packets;
	int blind;
};

static int64_t clamped(int64_t t)
{
	if (t > LANE_TIME_MAX)
		return LANE_TIME_MAX;
	return t < -LANE_TIME_MAX ? -LANE_TIME_MAX : t;
}

static void count(const struct burst *b, int64_t *bytes, int64_t *packets)
{
	*bytes += (int64_t)(b->bytes < BYTES_MAX ? b->bytes : BYTES_MAX);
	*packets += b->packets;
	if (*bytes > SUM_MAX)
		*bytes = SUM_MAX;
	if (*packets > PACKETS_MAX)
		*packets = PACKETS_MAX;
}

static int spans_blind(struct most *m, int64_t from, int64_t to)
{
	while (m->blind_at < m->blind->n && m->blind->s[m->blind_at].to_us < from - LANE_GUARD_US)
		m->blind_at++;
	return m->blind_at < m->blind->n && m->blind->s[m->blind_at].from_us <= to;
}

/* B's next stretch and what A brought meanwhile; 0 at the end. */
static int piece_read(struct most *m, struct piece *p)
{
	const struct link_train *a = m->a, *b = m->b;
	if (m->b_at >= b->n)
		return 0;
	int64_t start = clamped(b->b[m->b_at].start_us), before = m->end;
	p->end = start > m->last ? start : m->last;
	p->bytes = p->packets = p->brought = p->brought_packets = 0;
	for (; m->b_at < b->n; m->b_at++) {
		const struct burst *u = &b->b[m->b_at];
		start = clamped(u->start_us);
		if (start - p->end >= MOST_GAP_US)
			break;
		m->last = start > m->last ? start : m->last;
		if (m->last + (int64_t)u->dur_us > p->end)
			p->end = m->last + (int64_t)u->dur_us;
		count(u, &p->bytes, &p->packets);
	}
	for (; m->a_at < a->n && clamped(a->b[m->a_at].start_us) <= p->end; m->a_at++)
		count(&a->b[m->a_at], &p->brought, &p->brought_packets);
	p->blind = spans_blind(m, before, p->end);
	m->end = p->end;
	return 1;
}

static void learn_framing(struct most *m, const struct piece *p)
{
	int64_t f = (p->bytes - p->brought) / (p->brought_packets > 0 ? p->brought_packets : 1);
	if (f < -FRAMING_MAX || f > FRAMING_MAX)
		return;
	m->framing[m->n_framing++ % FRAMINGS] = f;
	size_t n = m->n_framing < FRAMINGS ? m->n_framing : FRAMINGS;
	for (size_t i = 0; i < n; i++) { /* whose place among them is the middle */
		size_t place = 0;
		for (size_t k = 0; k < n; k++)
			place += k < i ? m->framing[k] <= m->framing[i] : m->framing[k] < m->framing[i];
		if (place == n / 2)
			m->median = m->framing[i];
	}
}

/* The price by the sizes that B had, which is part of the test's. */
static double price(const struct most *m, int64_t lo, int64_t hi)
{
	size_t n = m->n_size < PAST ? m->n_size : PAST;
	uint32_t inside = 0;
	for (size_t i = 0; i < n; i++)
		inside += m->size[i] >= lo && m->size[i] <= hi;
	double q = null_limit(m->limits, inside, (uint32_t)n);
	return q > LEAST ? q : LEAST;
}

static void bet(struct most *m, int i, const struct piece *p, int64_t expected)
{
	struct most_cell *c = &m->cell[i];
	int64_t tol = TOLERANCE[i].bytes + (TOLERANCE[i].share ? expected / TOLERANCE[i].share : 0);
	int64_t lo = expected - tol, hi = expected + tol;
	double hit = c->hit, seen = c->seen;
	c->seen += 1.0;
	if (p->bytes < lo || p->bytes > hi)
		return;
	c->hit += 1.0;
	if (hit + 1.0 < LEAST * (seen + 2.0))
		return;
	double r = (hit + 1.0) / (seen + 2.0), q = price(m, lo, hi);
	if (r > q)
		c->product *= (1.0 + KELLY * (r - q) / q) * ROUNDING;
}

/* log10 of the largest product so far. */
static double largest(struct most *m)
{
	double most = 1.0;
	for (int i = 0; i < TOLERANCES; i++)
		most = m->cell[i].product > most ? m->cell[i].product : most;
	return link_log10(most);
}

static int can_grow(const struct most *m)
{
	return m->cell[0].product < GROWN && m->cell[1].product < GROWN && m->cell[2].product < GROWN;
}

double most_sizes(const struct link_train *a, const struct link_train *b, const struct blinds *blind,
	struct null_limits *limits, double enough)
{
	struct most m = {.a = a, .b = b, .blind = blind, .limits = limits};
	struct piece p;
	double stop = link_exp(enough * 2.302585092994045684) * 1.001;
	m.last = m.end = INT64_MIN / 2;
	for (int i = 0; i < TOLERANCES; i++)
		m.cell[i].product = 1.0;
	while (can_grow(&m) && m.cell[0].product < stop && m.cell[1].product < stop &&
		m.cell[2].product < stop && piece_read(&m, &p)) {
		int64_t expected = p.brought + m.median * p.brought_packets;
		for (int i = 0; i < TOLERANCES && p.brought > 0 && !p.blind && m.n_size > 0; i++)
			bet(&m, i, &p, expected > 0 ? expected : 0);
		if (p.brought > 0)
			learn_framing(&m, &p);
		if (!p.blind)
			m.size[m.n_size++ % PAST] = p.bytes;
	}
	return largest(&m);
}

double most_ticks(const struct link_train *a, const struct lane *b)
{
	size_t n = 0, j = 0;
	for (size_t k = 1; k < a->n; k++) {
		int64_t tick = clamped(a->b[k - 1].start_us), next = clamped(a->b[k].start_us);
		if (next < tick)
			return bet_ceiling(b->n); /* a clock that stepped back */
		if (next - tick < SLOT_MIN_US || next - tick > SLOT_MAX_US)
			continue;
		while (j < b->n && b->start[j] < tick)
			j++;
		n += j < b->n && b->start[j] <= next && b->start[j] - tick < PHASE_US;
	}
	return bet_ceiling(n);
}
