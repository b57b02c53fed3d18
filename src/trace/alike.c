/* Two trains of what may be one flow: the claimed one is laid on ours at the offsets that its bursts vote
 * for, the best of them is kept, its stretches are counted and the evidence that this is no chance is
 * computed.
 *
 * Bounded: bursts are merged at 20 ms or more, of ours only those that can be meant are read, at most
 * BURSTS_MAX a direction; the votes and the bets are bounded too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/alike.h"

#define BURSTS_MAX ((size_t)1 << 18)
#define GOOD_SHARE 0.9 /* of the stretches, laid opening on opening: no other place is looked for */
#define GOOD_MIN   3
#define STEP_SHARE 0.04 /* of the stretches differ: perhaps a step of the clock */
#define STEP_MIN   4    /* stretches of a piece */

static const uint8_t derived[2] = {FLOW_DERIVED_0, FLOW_DERIVED_1};

static bool seen(const struct flow *f, int d)
{
	return f->n_burst[d] > 0 && !(f->head.flags & derived[d]);
}

/* A copy of the bursts of a direction that start in `in`, merged at the gap. */
static bool lane_copy(struct side *to, int d, const struct flow *f, int from_d, struct span in, int64_t gap)
{
	const struct burst *b = f->burst[from_d];
	size_t i = bursts_before(b, f->n_burst[from_d], in.from_us);
	size_t n = bursts_before(b, f->n_burst[from_d], in.to_us) - i;

	n = n < BURSTS_MAX ? n : BURSTS_MAX;
	to->b[d] = calloc(n + 1, sizeof(*b));
	if (!to->b[d])
		return false;
	if (n)
		memcpy(to->b[d], b + i, n * sizeof(*b));
	to->n[d] = bursts_merge(to->b[d], n, gap);
	return true;
}

static void couple_free(struct couple *c)
{
	for (int d = 0; d < 2; d++) {
		free(c->a.b[d]);
		free(c->b.b[d]);
	}
}

static struct span span_join(struct span x, struct span y)
{
	return (struct span){
		x.from_us < y.from_us ? x.from_us : y.from_us, x.to_us > y.to_us ? x.to_us : y.to_us};
}

/* First and last packet of a direction, as far as they are known. */
static struct span way_life(const struct flow *f, int d)
{
	const struct flow_count *k = &f->count[d];
	struct span s = {INT64_MAX, INT64_MIN};

	if (f->n_burst[d])
		s = (struct span){f->burst[d][0].start_us, burst_end(&f->burst[d][f->n_burst[d] - 1])};
	return k->first_us > 0 && k->last_us >= k->first_us
		       ? span_join(s, (struct span){k->first_us, k->last_us})
		       : s;
}

static bool couple_load(struct couple *c, const struct flow *a, const struct flow *b, bool turned)
{
	int64_t gap = BURST_GAP_RECORDED_US;
	struct span all = {INT64_MIN, INT64_MAX}, near = {a->head.first_us - c->skew_us - ALIKE_LAG_US,
							  a->last_us + c->skew_us + ALIKE_LAG_US};

	gap = a->head.source.gap_us > gap ? a->head.source.gap_us : gap;
	gap = b->head.source.gap_us > gap ? b->head.source.gap_us : gap;
	for (int d = 0; d < 2; d++) {
		c->ways |= seen(a, d) && seen(b, d ^ turned) ? 1u << d : 0;
		c->b_way[d] = way_life(b, d ^ turned);
		if (!lane_copy(&c->a, d, a, d, all, gap) || !lane_copy(&c->b, d, b, d ^ turned, near, gap))
			return false;
	}
	c->gap = gap;
	c->a_life = (struct span){a->head.first_us, a->last_us};
	c->b_life = (struct span){b->head.first_us, b->last_us};
	c->a_opened = a->head.flags & FLOW_SYN;
	c->b_opened = b->head.flags & FLOW_SYN;
	c->a_closed = a->head.flags & FLOW_CLOSED;
	c->b_closed = b->head.flags & FLOW_CLOSED;
	return true;
}

/* Do the ends say that a's direction 0 is b's direction 1? */
static bool is_turned(const struct flow *a, const struct flow *b)
{
	const struct endpoint *x = a->head.end, *y = b->head.end;
	bool straight = endpoint_equal(&x[0], &y[0]) || endpoint_equal(&x[1], &y[1]);

	return !straight && (endpoint_equal(&x[0], &y[1]) || endpoint_equal(&x[1], &y[0]));
}

/* Both saw the same first packet. */
static bool same_opening(const struct flow *a, const struct flow *b, bool turned)
{
	return !turned && (a->head.flags & FLOW_SYN) && (b->head.flags & FLOW_SYN) &&
	       a->head.isn[0] == b->head.isn[0] && a->head.isn[0] != 0;
}

/* Places at which a could have been laid; each would have had a chance to agree. */
static double places(const struct couple *c, bool anchored)
{
	double jitter = ALIKE_JITTER_US, length = (double)(c->a_life.to_us - c->a_life.from_us);
	double ways = 1 + 2 * (double)ALIKE_LAG_US / jitter;

	if (anchored)
		return ways;
	return ways * (1 + 2 * (double)c->skew_us / jitter) * (1 + 2 * ALIKE_DRIFT * length / jitter);
}

static int64_t score(const struct alike *k)
{
	return (int64_t)k->equal - (int64_t)k->other - (int64_t)k->more - (int64_t)k->beyond;
}

/* Lays a on b at a guess; keeps it where it is better than what is kept. */
static enum status try_guess(const struct couple *c, const struct guess *g, bool anchored, struct alike *best,
	struct pose *best_pose, struct err *e)
{
	struct alike k = *best;
	struct pose p;
	enum status s = alike_fit(c, g, &p, e);

	if (s != STATUS_OK)
		return s;
	alike_count(c, &p, &k);
	k.anchored = anchored;
	if (best->compared == 0 || score(&k) > score(best)) {
		*best = k;
		*best_pose = p;
	}
	return STATUS_OK;
}

static enum status lay(
	const struct couple *c, bool opening, struct alike *best, struct pose *pose, struct err *e)
{
	struct guess g[ALIKE_GUESSES];
	enum status s = STATUS_OK;
	size_t n = 0;

	if (opening) {
		int64_t off = c->b_life.from_us - c->a_life.from_us;
		int64_t to = c->a_life.from_us + ALIKE_PART_US;
		to = to < c->a_life.to_us ? to : c->a_life.to_us;
		g[0] = (struct guess){.offset_us = {off, off}, .part = {c->a_life.from_us, to}};
		s = llabs(off) <= c->skew_us ? try_guess(c, &g[0], true, best, pose, e) : STATUS_OK;
		if (best->compared >= GOOD_MIN && (double)best->equal >= GOOD_SHARE * (double)best->compared)
			return s;
	}
	if (s == STATUS_OK)
		s = alike_vote(c, g, &n, e);
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = try_guess(c, &g[i], false, best, pose, e);
	return s;
}

/* Lays the piece of a in [from, to) on b by itself; *good: nearly all of it agrees then. */
static enum status lay_piece(
	const struct couple *c, struct span piece, struct alike *k, bool *good, struct err *e)
{
	struct couple part = *c;
	struct pose p = {0};

	*k = (struct alike){.ways = c->ways};
	part.a_opened = part.a_closed = false;
	part.a_life = piece;
	for (int d = 0; d < 2; d++) {
		size_t i = bursts_before(c->a.b[d], c->a.n[d], piece.from_us);
		part.a.n[d] = bursts_before(c->a.b[d], c->a.n[d], piece.to_us) - i;
		part.a.b[d] += i;
	}
	enum status s = lay(&part, false, k, &p, e);
	size_t shown = k->compared - k->absent;
	*good = k->equal >= STEP_MIN && (double)k->equal >= GOOD_SHARE * (double)shown;
	return s;
}

/* Would one step of a's clock at the edge of this piece explain what differs?  Nearly all of the piece
 * agrees, laid on b by itself, and outside of it nearly nothing differs. */
static enum status try_step(
	const struct couple *c, struct span piece, const struct turn *at, struct alike *k, struct err *e)
{
	bool good = false, late = piece.to_us == c->a_life.to_us;
	struct alike part;
	enum status s = STATUS_OK;

	if (k->step_us == 0 && piece.from_us < piece.to_us &&
		(double)at->bad_outside <= 1 + STEP_SHARE * (double)k->compared)
		s = lay_piece(c, piece, &part, &good, e);
	if (s != STATUS_OK || !good)
		return s;
	int64_t now = clock_in(&k->clock, at->at_us), then = clock_in(&part.clock, at->at_us);
	if (llabs(now - then) > ALIKE_JITTER_US) {
		k->step_at_us = at->at_us;
		k->step_us = late ? now - then : then - now;
	}
	return s;
}

/* Is what differs one step of a's clock? */
static enum status look_for_step(const struct couple *c, bool opening, struct alike *k, struct err *e)
{
	struct span late = {k->late.at_us, c->a_life.to_us}, early = {c->a_life.from_us, k->early.at_us};

	if ((k->log10_e <= 0 && !opening) || (double)(k->more + k->other) < STEP_SHARE * (double)k->compared)
		return STATUS_OK; /* a is not on b at all, or has nothing to explain */
	enum status s = try_step(c, late, &k->late, k, e);
	return s == STATUS_OK ? try_step(c, early, &k->early, k, e) : s;
}

static enum status weigh(const struct couple *c, const struct pose *p, struct alike *to, struct err *e)
{
	double charge = log10(places(c, to->anchored)), most;
	size_t items;
	enum status s = alike_bet(c, p, 3, &to->log10_e, &to->most_log10_e, &items, e);

	for (int d = 0; d < 2 && s == STATUS_OK; d++) {
		if (c->ways == 3)
			s = alike_bet(c, p, 1u << d, &to->way_log10_e[d], &most, &items, e);
		to->way_log10_e[d] -= charge;
	}
	to->log10_e -= charge;
	to->most_log10_e -= charge;
	return s;
}

enum status flows_alike(const struct flow *a, const struct flow *b, const struct span *blind, size_t n_blind,
	int64_t skew_us, struct alike *to, struct err *e)
{
	struct couple c = {.blind = blind, .n_blind = n_blind, .skew_us = skew_us};
	struct pose p = {0};
	enum status s = STATUS_OK;

	*to = (struct alike){.first_other_us = INT64_MAX, .turned = is_turned(a, b)};
	if (!couple_load(&c, a, b, to->turned))
		s = err_nomem(e);
	to->ways = c.ways;
	bool opening = same_opening(a, b, to->turned);
	if (s == STATUS_OK && c.ways)
		s = lay(&c, opening, to, &p, e);
	if (s == STATUS_OK && to->compared)
		s = weigh(&c, &p, to, e);
	if (s == STATUS_OK && to->compared)
		s = look_for_step(&c, opening, to, e);
	couple_free(&c);
	return s;
}
