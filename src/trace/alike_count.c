/* How much of A, laid on B, is what B has.  Takes both flows and the line between the clocks, gives counts of
 * stretches.
 *
 * A stretch lies between two instants at which neither flow had a burst, in either direction, for
 * ALIKE_QUIET_US: jitter below that cannot carry a packet from one stretch into the next.  So the bytes of a
 * stretch are the same at both points unless a packet was lost, by the network between them (then it comes
 * again, later), by a capture (then there are fewer packets), or unless somebody changed the train. */
#include <string.h>

#include "trace/alike.h"

#define BLIND_MARGIN_US 200000 /* around a blind interval */
#define MANY_PACKETS    20     /* in a stretch of so many a loss leaves nearly the same bytes */

enum differs { SAME, CLOSE, LESS, MORE, OTHER };

/* One lane on its way: side 0 is A, 1 is B. */
struct head {
	const struct burst *b;
	size_t n, i;
	int64_t start, end; /* of b[i], on B's clock */
};

struct stretch {
	int64_t from, to;                    /* on B's clock */
	int64_t a_from;                      /* A's time of A's first burst in it, INT64_MAX: none */
	uint64_t bytes[2][2], packets[2][2]; /* side, direction */
};

struct walk {
	const struct couple *c;
	const struct pose *p;
	struct head head[2][2];
};

size_t lane_from(const struct burst *b, size_t n, int64_t t)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (b[mid].start_us < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct span alike_common(const struct couple *c, const struct pose *p)
{
	struct span a = {clock_in(&p->clock, c->a_life.from_us), clock_in(&p->clock, c->a_life.to_us)};

	if (!c->b_opened && c->b_life.from_us > a.from_us)
		a.from_us = c->b_life.from_us;
	if (!c->b_closed && c->b_life.to_us < a.to_us)
		a.to_us = c->b_life.to_us;
	return a;
}

bool alike_blind(const struct couple *c, size_t *at, int64_t from, int64_t to)
{
	while (*at < c->n_blind && c->blind[*at].to_us < from - BLIND_MARGIN_US)
		++*at;
	return *at < c->n_blind && c->blind[*at].from_us <= to + BLIND_MARGIN_US;
}

static void head_load(struct walk *w, int side, int d)
{
	struct head *h = &w->head[side][d];

	if (h->i >= h->n) {
		h->start = INT64_MAX;
		return;
	}
	int64_t t = h->b[h->i].start_us;
	h->start = side == 0 ? pose_in(w->p, d, t) : t;
	h->end = h->start + (int64_t)h->b[h->i].dur_us;
}

static void walk_begin(struct walk *w, const struct couple *c, const struct pose *p, struct span in)
{
	*w = (struct walk){.c = c, .p = p};
	for (int d = 0; d < 2; d++) {
		if (!(c->ways & 1u << d)) {
			head_load(w, 0, d);
			head_load(w, 1, d);
			continue;
		}
		w->head[0][d] = (struct head){.b = c->a.b[d], .n = c->a.n[d]};
		w->head[1][d] = (struct head){.b = c->b.b[d], .n = c->b.n[d]};
		w->head[1][d].i = lane_from(c->b.b[d], c->b.n[d], in.from_us - ALIKE_LAG_US);
		head_load(w, 0, d);
		head_load(w, 1, d);
	}
}

/* The lane whose burst starts next; NULL where all are at their end. */
static struct head *walk_first(struct walk *w, int *side, int *d)
{
	struct head *best = NULL;

	for (int i = 0; i < 4; i++) {
		struct head *h = &w->head[i / 2][i % 2];
		if (h->start == INT64_MAX || (best && best->start <= h->start))
			continue;
		best = h;
		*side = i / 2;
		*d = i % 2;
	}
	return best;
}

static bool walk_next(struct walk *w, struct stretch *s)
{
	int side = 0, d = 0;
	struct head *h = walk_first(w, &side, &d);

	*s = (struct stretch){.a_from = INT64_MAX};
	if (!h)
		return false;
	s->from = h->start;
	s->to = h->end;
	for (; h && h->start - s->to < ALIKE_QUIET_US; h = walk_first(w, &side, &d)) {
		const struct burst *b = &h->b[h->i];
		s->bytes[side][d] += b->bytes;
		s->packets[side][d] += b->packets;
		s->to = h->end > s->to ? h->end : s->to;
		if (side == 0 && b->start_us < s->a_from)
			s->a_from = b->start_us;
		h->i++;
		head_load(w, side, d);
	}
	return true;
}

/* More than a capture loses by chance: at least two packets, a quarter of the packets and of the bytes. */
static bool too_much(uint64_t p, uint64_t q, uint64_t x, uint64_t y)
{
	return p >= q + 2 && 4 * (p - q) > p && 4 * (x - y) > x;
}

static enum differs differs(const struct stretch *s, int d)
{
	uint64_t x = s->bytes[0][d], y = s->bytes[1][d], p = s->packets[0][d], q = s->packets[1][d];
	uint64_t most = x > y ? x : y, apart = x > y ? x - y : y - x;

	if (x == y)
		return SAME;
	if ((p >= MANY_PACKETS || q >= MANY_PACKETS) && apart <= most / 20)
		return CLOSE;
	if (p == q)
		return OTHER;
	if ((x < y) != (p < q))
		return CLOSE;
	if (x < y)
		return LESS;
	return too_much(p, q, x, y) ? OTHER : MORE;
}

/* Ours is silent, in both directions: a loss of one packet can be that. */
static bool alone(const struct stretch *s)
{
	return s->bytes[1][0] + s->bytes[1][1] == 0 && s->packets[0][0] + s->packets[0][1] >= 2;
}

static int64_t a_time(const struct pose *p, int64_t t)
{
	int64_t near = t - p->clock.offset_us;

	return near - (int64_t)(p->clock.drift * (double)(near - p->clock.at_us));
}

/* What each side has, and is short of where the other one has more packets and more bytes. */
static void tally_packets(struct alike *to, const struct stretch *s, int d)
{
	for (int side = 0; side < 2; side++) {
		uint64_t p = s->packets[side][d], q = s->packets[!side][d];
		uint64_t x = s->bytes[side][d], y = s->bytes[!side][d];
		to->packets[side] += p;
		to->bytes[side] += x;
		if (p < q && x < y) {
			to->lacks[side] += q - p;
			to->lacks_bytes[side] += y - x;
		}
	}
}

static void tally(struct alike *to, const struct pose *p, const struct stretch *s)
{
	enum differs x = differs(s, 0), y = differs(s, 1), worst = alone(s) ? OTHER : x > y ? x : y;
	size_t *const count[] = {&to->equal, &to->close, &to->less, &to->more, &to->other};

	to->compared++;
	if (s->bytes[0][0] + s->bytes[0][1] == 0) {
		to->absent++;
		return;
	}
	++*count[worst];
	for (int d = 0; d < 2; d++)
		tally_packets(to, s, d);
	if (worst >= MORE) {
		int64_t at = s->a_from != INT64_MAX ? s->a_from : a_time(p, s->from);
		to->first_other_us = at < to->first_other_us ? at : to->first_other_us;
		to->last_other_us = at + 1;
	}
}

void alike_count(const struct couple *c, const struct pose *p, struct alike *to)
{
	struct span in = alike_common(c, p);
	bool head = c->a_opened && c->b_opened, tail = c->a_closed && c->b_closed;
	size_t blind = 0;
	struct walk w;
	struct stretch s;

	*to = (struct alike){.clock = p->clock,
		.first_other_us = INT64_MAX,
		.last_other_us = INT64_MIN,
		.turned = to->turned,
		.ways = to->ways};
	walk_begin(&w, c, p, in);
	while (walk_next(&w, &s)) {
		bool early = head ? s.to < in.from_us - ALIKE_LAG_US : s.from <= in.from_us + ALIKE_JITTER_US;
		bool late = tail ? s.from > in.to_us + ALIKE_LAG_US : s.to >= in.to_us - ALIKE_JITTER_US;
		if (s.from > in.to_us + ALIKE_LAG_US)
			break;
		if (!early && !late && !alike_blind(c, &blind, s.from, s.to))
			tally(to, p, &s);
	}
}
