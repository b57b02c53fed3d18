/* How much of A, laid on B, is what B has.  Takes both flows and the line between the clocks, gives counts of
 * stretches.
 *
 * A stretch lies between two instants at which neither flow had a burst, in either direction, for
 * ALIKE_QUIET_US: jitter below that cannot carry a packet from one stretch into the next.  So the bytes of a
 * stretch are the same at both points unless a packet was lost, by the network between them (then it comes
 * again, later), by a capture (then there are fewer packets), or unless somebody changed the train.
 *
 * A is hearsay, so it must not decide how long a stretch is: one burst of it, or many close together, could
 * lie over all of B.  Where B is quiet for longer than jitter and merging can make of a burst's inside
 * (wide), what A has there is cut into what belongs to B's bursts before, to those after, and what lies
 * between. */
#include <string.h>

#include "trace/alike.h"

#define BLIND_MARGIN_US 200000 /* around a blind interval */
#define MANY_PACKETS    20     /* in a stretch of so many a loss leaves nearly the same bytes .. */
#define SEGMENT         1460   /* .. and in one of so many segments, whatever the packets (offload) */
#define MANY_BYTES      (UINT64_C(10) * SEGMENT)
#define NEAR_PART       20   /* nearly: all but this part of the bytes */
#define TICK_US         1000 /* a burst counts for at least so much time */

enum differs { SAME, CLOSE, LESS, MORE, OTHER };

/* Where a burst of A lies in a wide pause of B. */
enum zone { WITH_LAST, BETWEEN, WITH_NEXT };

/* One lane on its way: side 0 is A, 1 is B. */
struct head {
	const struct burst *b;
	size_t n, i;
	int64_t start, end; /* of b[i], on B's clock */
};

/* What a stretch, or many, hold of one side. */
struct weight {
	uint64_t bursts, bytes, time;
};

struct stretch {
	int64_t from, to;                    /* on B's clock */
	int64_t a_from;                      /* A's time of A's first burst in it, INT64_MAX: none */
	uint64_t bytes[2][2], packets[2][2]; /* side, direction */
	struct weight weight[2];
	enum zone zone; /* of its last burst */
	bool spans;     /* a burst of A in it lies over a wide pause of B in the same direction */
};

struct walk {
	const struct couple *c;
	const struct pose *p;
	struct head head[2][2];
	int64_t wide; /* a pause of B that no jitter fills */
	int64_t ours; /* end of B's last burst so far; INT64_MIN: none */
};

/* What was counted, beside what struct alike has. */
struct sums {
	struct weight all[2], agreed[2];
	int64_t differs, least, most; /* stretches that differ less those that agree, and its extremes */
};

struct span alike_common(const struct couple *c, const struct pose *p)
{
	struct span a = {clock_in(&p->clock, c->a_life.from_us), clock_in(&p->clock, c->a_life.to_us)};

	if (c->blind)
		return a;
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
	*w = (struct walk){.c = c, .p = p, .wide = c->gap + 2 * ALIKE_JITTER_US, .ours = INT64_MIN};
	for (int d = 0; d < 2; d++) {
		if (!(c->ways & 1u << d)) {
			head_load(w, 0, d);
			head_load(w, 1, d);
			continue;
		}
		w->head[0][d] = (struct head){.b = c->a.b[d], .n = c->a.n[d]};
		w->head[1][d] = (struct head){.b = c->b.b[d], .n = c->b.n[d]};
		w->head[1][d].i = bursts_before(c->b.b[d], c->b.n[d], in.from_us - ALIKE_LAG_US);
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

static enum zone zone_of(const struct walk *w, int64_t t)
{
	int64_t x = w->head[1][0].start, y = w->head[1][1].start, next = x < y ? x : y;
	bool before = w->ours != INT64_MIN, after = next != INT64_MAX;

	if (before && after && next - w->ours < w->wide)
		return WITH_LAST;
	if (after && t >= next - w->wide / 2)
		return WITH_NEXT;
	return before && t < w->ours + w->wide / 2 ? WITH_LAST : BETWEEN;
}

/* Is B quiet in this direction for a wide pause inside [from, to]? */
static bool pauses(const struct walk *w, int d, int64_t from, int64_t to)
{
	const struct burst *b = w->c->b.b[d];
	size_t n = w->c->b.n[d], i = bursts_before(b, n, from);
	int64_t last = i > 0 && burst_end(&b[i - 1]) > from ? burst_end(&b[i - 1]) : from;

	for (; i < n && b[i].start_us < to; i++) {
		if (b[i].start_us - last >= w->wide)
			return true;
		last = burst_end(&b[i]);
	}
	return to - last >= w->wide;
}

/* Takes the burst that a lane is at into the stretch. */
static void stretch_take(struct walk *w, struct stretch *s, struct head *h, int side, int d)
{
	const struct burst *b = &h->b[h->i];

	s->bytes[side][d] += b->bytes;
	s->packets[side][d] += b->packets;
	s->weight[side].bursts++;
	s->weight[side].bytes += b->bytes;
	s->weight[side].time += b->dur_us + TICK_US;
	s->to = h->end > s->to ? h->end : s->to;
	if (side == 0) {
		s->a_from = b->start_us < s->a_from ? b->start_us : s->a_from;
		s->spans = s->spans || (h->end - h->start >= w->wide && pauses(w, d, h->start, h->end));
		s->zone = zone_of(w, h->start);
	} else {
		w->ours = h->end > w->ours ? h->end : w->ours;
		s->zone = WITH_LAST;
	}
	h->i++;
	head_load(w, side, d);
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
	s->zone = zone_of(w, h->start);
	while (h && h->start - s->to < ALIKE_QUIET_US && zone_of(w, h->start) <= s->zone) {
		stretch_take(w, s, h, side, d);
		h = walk_first(w, &side, &d);
	}
	return true;
}

/* More than a capture loses by chance: at least two packets, a quarter of the packets and of the bytes. */
static bool too_much(uint64_t p, uint64_t q, uint64_t x, uint64_t y)
{
	return p >= q + 2 && 4 * (p - q) > p && 4 * (x - y) > x;
}

/* As near as a loss in a long stretch leaves the bytes, or offload that one of the captures lies behind. */
static bool is_near(uint64_t p, uint64_t q, uint64_t x, uint64_t y)
{
	uint64_t most = x > y ? x : y, apart = x > y ? x - y : y - x, spare = most / NEAR_PART;

	if ((p >= MANY_PACKETS || q >= MANY_PACKETS) && apart <= spare)
		return true;
	return (x < y) != (p < q) && most >= MANY_BYTES && apart <= spare + SEGMENT;
}

static enum differs differs(const struct stretch *s, int d)
{
	uint64_t x = s->bytes[0][d], y = s->bytes[1][d], p = s->packets[0][d], q = s->packets[1][d];

	if (x == y)
		return SAME;
	if (is_near(p, q, x, y))
		return CLOSE;
	if (p == q || (x < y) != (p < q))
		return OTHER;
	if (x < y)
		return LESS;
	return too_much(p, q, x, y) ? OTHER : MORE;
}

/* Ours is silent, in both directions: a loss of one packet can be that. */
static bool alone(const struct stretch *s)
{
	return s->bytes[1][0] + s->bytes[1][1] == 0 && s->packets[0][0] + s->packets[0][1] >= 2;
}

static enum differs stretch_differs(const struct stretch *s)
{
	enum differs x = differs(s, 0), y = differs(s, 1);

	if (s->spans || alone(s))
		return OTHER;
	return x > y ? x : y;
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

static void weight_add(struct weight *to, const struct weight *w)
{
	to->bursts += w->bursts;
	to->bytes += w->bytes;
	to->time += w->time;
}

static void tally_near(struct alike *to, const struct stretch *s)
{
	for (int d = 0; d < 2; d++) {
		uint64_t x = s->bytes[0][d], y = s->bytes[1][d];
		to->near_bytes += x > y ? x - y : y - x;
	}
}

static void tally(struct alike *to, struct sums *sums, const struct pose *p, const struct stretch *s)
{
	enum differs worst = stretch_differs(s);
	size_t *const count[] = {&to->equal, &to->close, &to->less, &to->more, &to->other};

	to->compared++;
	if (s->bytes[0][0] + s->bytes[0][1] == 0) {
		to->absent++;
		return;
	}
	++*count[worst];
	for (int side = 0; side < 2; side++) {
		weight_add(&sums->all[side], &s->weight[side]);
		if (worst <= CLOSE)
			weight_add(&sums->agreed[side], &s->weight[side]);
	}
	if (worst == CLOSE)
		tally_near(to, s);
	for (int d = 0; d < 2; d++)
		tally_packets(to, s, d);
	if (worst >= MORE) {
		int64_t at = s->a_from != INT64_MAX ? s->a_from : a_time(p, s->from);
		to->first_other_us = at < to->first_other_us ? at : to->first_other_us;
	}
}

/* Where does what differs begin, if it is all at the end, or end, if it is all at the beginning? */
static void tally_turn(struct alike *to, struct sums *sums, const struct pose *p, const struct stretch *s)
{
	struct turn here = {a_time(p, s->to) + 1, to->more + to->other};

	sums->differs = (int64_t)(to->less + to->more + to->other) - (int64_t)(to->equal + to->close);
	if (sums->differs < sums->least) {
		sums->least = sums->differs;
		to->late = here;
	}
	if (sums->differs > sums->most) {
		sums->most = sums->differs;
		to->early = here;
	}
}

/* A goes on in a direction of which B's point has seen no packet any more, or not yet: B's recorder may have
 * lost the flow (its way may have changed), unless it saw it close or open. */
static bool beyond(const struct couple *c, const struct stretch *s)
{
	for (int d = 0; d < 2; d++) {
		bool after = !c->b_closed && s->from > c->b_way[d].to_us + ALIKE_JITTER_US;
		bool before = !c->b_opened && s->to < c->b_way[d].from_us - ALIKE_JITTER_US;
		if (s->bytes[0][d] > 0 && s->bytes[1][d] == 0 && (after || before))
			return true;
	}
	return false;
}

static void tally_all(struct alike *to, struct sums *sums, const struct couple *c, const struct pose *p)
{
	struct span in = alike_common(c, p);
	bool head = c->a_opened && c->b_opened, tail = c->a_closed && c->b_closed;
	size_t blind = 0;
	struct walk w;
	struct stretch s;

	walk_begin(&w, c, p, in);
	while (walk_next(&w, &s)) {
		bool early = head ? s.to < in.from_us - ALIKE_LAG_US : s.from <= in.from_us + ALIKE_JITTER_US;
		bool late = tail ? s.from > in.to_us + ALIKE_LAG_US : s.to >= in.to_us - ALIKE_JITTER_US;
		if (s.from > in.to_us + ALIKE_LAG_US)
			break;
		/* where one of them may have only a part: where that is equal it is the whole */
		bool part = early || late || alike_blind(c, &blind, s.from, s.to);
		bool equal = s.weight[0].bursts && s.weight[1].bursts && stretch_differs(&s) == SAME;
		if (part && !equal)
			continue;
		if (beyond(c, &s)) {
			to->beyond++;
		} else {
			tally(to, sums, p, &s);
			tally_turn(to, sums, p, &s);
		}
	}
}

static double part_of(uint64_t x, uint64_t of)
{
	return of ? (double)x / (double)of : 1;
}

static double least(double x, double y)
{
	return x < y ? x : y;
}

static void agreed_set(struct alike *to, const struct sums *sums)
{
	const struct weight *x = sums->agreed, *of = sums->all;

	to->agreed[0] = least(part_of(x[0].bursts, of[0].bursts), part_of(x[1].bursts, of[1].bursts));
	to->agreed[1] = least(part_of(x[0].bytes, of[0].bytes), part_of(x[1].bytes, of[1].bytes));
	to->agreed[2] = least(part_of(x[0].time, of[0].time), part_of(x[1].time, of[1].time));
}

/* How much of `in` B's point was watching. */
static int64_t watched(const struct couple *c, struct span in)
{
	int64_t sum = in.to_us > in.from_us ? in.to_us - in.from_us : 0;

	for (size_t i = 0; i < c->n_blind; i++) {
		int64_t from = c->blind[i].from_us > in.from_us ? c->blind[i].from_us : in.from_us;
		int64_t to = c->blind[i].to_us < in.to_us ? c->blind[i].to_us : in.to_us;
		sum -= to > from ? to - from : 0;
	}
	return sum;
}

/* How much of A was compared: of its time between first and last burst, its bursts, its bytes. */
static void covered_set(
	struct alike *to, const struct sums *sums, const struct couple *c, const struct pose *p)
{
	struct span all = {INT64_MAX, INT64_MIN};
	struct weight a = {0};

	for (int d = 0; d < 2; d++) {
		size_t n = c->ways & 1u << d ? c->a.n[d] : 0;
		for (size_t i = 0; i < n; i++) {
			int64_t from = pose_in(p, d, c->a.b[d][i].start_us);
			int64_t end = from + (int64_t)c->a.b[d][i].dur_us;
			all.from_us = from < all.from_us ? from : all.from_us;
			all.to_us = end > all.to_us ? end : all.to_us;
			a.bytes += c->a.b[d][i].bytes;
		}
		a.bursts += n;
	}
	if (a.bursts == 0)
		return;
	to->claimed_us = all.to_us - all.from_us;
	if (!c->b_opened && c->b_life.from_us - ALIKE_JITTER_US > all.from_us)
		all.from_us = c->b_life.from_us;
	if (!c->b_closed && c->b_life.to_us + ALIKE_JITTER_US < all.to_us)
		all.to_us = c->b_life.to_us;
	to->within_us = watched(c, all);
	to->covered = least(part_of((uint64_t)to->within_us, (uint64_t)to->claimed_us),
		least(part_of(sums->all[0].bursts, a.bursts), part_of(sums->all[0].bytes, a.bytes)));
}

void alike_count(const struct couple *c, const struct pose *p, struct alike *to)
{
	struct sums sums = {0};

	*to = (struct alike){.clock = p->clock,
		.first_other_us = INT64_MAX,
		.late = {c->a_life.from_us, 0},
		.early = {c->a_life.from_us, 0},
		.turned = to->turned,
		.ways = to->ways};
	tally_all(to, &sums, c, p);
	to->early.bad_outside = to->more + to->other - to->early.bad_outside;
	agreed_set(to, &sums);
	covered_set(to, &sums, c, p);
}
