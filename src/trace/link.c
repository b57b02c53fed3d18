/* The verdict on a pair of legs.
 *
 * In go the four trains (forward and back of IN and OUT), out come the evidence and what may be said.  The
 * evidence is bet on in two directions, IN's forward bursts to OUT's and OUT's answers to IN's, and for each
 * offset of the clocks on a grid; these are separate e-processes and alpha is split evenly over them: the
 * largest counts, divided by their number.  A sufficient number is not enough for "proven": the order and the
 * lag must be a relay's in both directions (link_shape.c), else a shared cause cannot be told from a relay
 * and the verdict is "undecidable". */
#include "trace/link.h"

#include "trace/link_bet.h"
#include "trace/link_bytes.h"
#include "trace/link_log.h"
#include "trace/link_legs.h"
#include "trace/link_shape.h"
#include "trace/link_tick.h"

#define OFFSET_STEP_US 20000
#define OFFSET_MAX_US  (INT64_C(1) << 50) /* a clock that is 35 years wrong */
#define OFFSETS_MAX    201
#define RESOLUTION_MAX 10000 /* coarser clocks cannot tell what came first */

#define LN10          2.30258509299404568402
#define CEILING_SLACK 0.3
#define TURNED_MAX    0.5 /* share of it that the sizes may reach backwards in time */

size_t link_memory(const struct link_leg *in, const struct link_leg *out)
{
	return legs_memory(in, out);
}

static void nothing(struct link_result *r, enum link_verdict verdict, enum link_reason reason)
{
	r->log10_e = r->max_log10_e = 0;
	r->lag_us = r->lag_spread_us = 0;
	r->first_sufficient_us = -1;
	r->bursts = r->hits = 0;
	r->verdict = verdict;
	r->reason = reason;
}

static int64_t clamp(int64_t v, int64_t most)
{
	if (v > most)
		return most;
	return v < -most ? -most : v;
}

static int64_t first_of(const struct link_train *t)
{
	return lane_time(t->b[0].start_us);
}

static int64_t last_of(const struct link_train *t)
{
	return lane_time(t->b[t->n - 1].start_us);
}

/* Bursts of a train that start in [from, to], an upper bound of what the lane will hold there. */
static size_t count_in(const struct link_train *t, int64_t from, int64_t to)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->b[mid].start_us < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	size_t first = lo;
	hi = t->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->b[mid].start_us <= to)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - first;
}

/* The most that bets on a, inside the time that b spans, can bring. */
static double ceiling_of(const struct link_train *a, const struct link_train *b, int64_t shift)
{
	if (a->n == 0 || b->n == 0)
		return 0;
	int64_t margin = 2 * BET_HORIZON_US + shift;
	int64_t from = first_of(b) - margin, to = last_of(b) + margin;
	size_t n = count_in(a, from, to);
	return bet_ceiling(n < b->n ? n : b->n);
}

static int has_overlap(const struct link_train *a, const struct link_train *b, int64_t margin)
{
	return a->n > 0 && b->n > 0 && first_of(a) <= last_of(b) + margin &&
	       first_of(b) <= last_of(a) + margin;
}

/* 1 if the pair need not be read: the verdict is in r. */
static int settle_early(const struct link_leg *in, const struct link_leg *out, const struct link_param *p,
	struct link_result *r)
{
	int64_t shift = (p->offset_us < 0 ? -p->offset_us : p->offset_us) + p->offset_error_us;
	int64_t margin = 2 * BET_HORIZON_US + shift;
	double most = ceiling_of(&in->fwd, &out->fwd, shift);
	double back = ceiling_of(&out->back, &in->back, shift);
	if (back > most)
		most = back;
	if (!has_overlap(&in->fwd, &out->fwd, margin) && !has_overlap(&out->back, &in->back, margin)) {
		nothing(r, LINK_INSUFFICIENT, LINK_REASON_NO_OVERLAP);
		return 1;
	}
	if (most < p->needed + CEILING_SLACK) {
		nothing(r, LINK_INSUFFICIENT, LINK_REASON_FEW_BURSTS);
		return 1;
	}
	if (in->sampling > 1 || out->sampling > 1 || in->resolution_us > RESOLUTION_MAX ||
		out->resolution_us > RESOLUTION_MAX) {
		nothing(r, LINK_UNDECIDABLE, LINK_REASON_RESOLUTION);
		return 1;
	}
	return 0;
}

/* On either side of 0. */
static int64_t offset_steps(int64_t error_us)
{
	int64_t steps = (error_us + OFFSET_STEP_US - 1) / OFFSET_STEP_US;
	return steps > OFFSETS_MAX / 2 ? OFFSETS_MAX / 2 : steps;
}

size_t link_offsets(int64_t offset_error_us)
{
	int64_t error = offset_error_us > 0 ? clamp(offset_error_us, OFFSET_MAX_US) : 0;
	return (size_t)(2 * offset_steps(error) + 1);
}

/* The ways that look at times. */
static void bet_times(struct legs *l, const struct link_leg *in, const struct link_leg *out, int64_t offset,
	double target, struct bet_result r[WAYS])
{
	legs_at(l, out, offset);
	bet_run(&l->in_fwd, &l->out_fwd, &l->blind, l->limits, target, &r[WAY_FORWARD]);
	bet_run(&l->out_back, &l->in_back, &l->blind, l->limits, target, &r[WAY_ANSWERS]);
	tick_run(&in->fwd, &l->out_fwd, &l->blind, target, &r[WAY_TICKS]);
}

/* The ways that look at sizes. */
static void bet_sizes(struct legs *l, const struct link_leg *in, const struct link_leg *out, int64_t offset,
	double target, struct bet_result r[WAYS])
{
	struct sized_pair there = {&in->fwd, &out->fwd, 0, offset, &l->blind},
			  back = {&out->back, &in->back, offset, 0, &l->blind};
	bytes_run(&there, l->limits, target, &r[WAY_SIZES]);
	bytes_run(&back, l->limits, target, &r[WAY_SIZES_BACK]);
}

/* Takes the ways [from, to) at an offset into the account. */
static void consider(struct best *best, const struct bet_result r[WAYS], int from, int to, int64_t offset)
{
	int keep = best->offset == offset;
	for (int d = from; d < to; d++) {
		double e = r[d].log10_end;
		if (e > best->top) {
			best->sum *= link_exp((best->top - e) * LN10);
			best->top = e;
		}
		best->sum += link_exp((e - best->top) * LN10);
		if (r[d].reached_us != INT64_MIN &&
			(best->reached_us == INT64_MIN || r[d].reached_us < best->reached_us))
			best->reached_us = r[d].reached_us;
		if (r[d].log10_sup <= best->sup)
			continue;
		best->sup = r[d].log10_sup;
		best->offset = offset;
		best->way = (enum way)d;
		keep = 1;
	}
	for (int d = from; keep && d < to; d++)
		best->r[d] = r[d];
}

static void best_init(struct best *best, const struct link_param *p)
{
	best->charge = link_log10((double)(WAYS * (2 * offset_steps(p->offset_error_us) + 1)));
	best->sup = best->top = -1e9;
	best->sum = 0;
	best->way = WAY_FORWARD;
	best->offset = p->offset_us;
	best->reached_us = INT64_MIN;
	for (int d = 0; d < WAYS; d++)
		bet_result_init(&best->r[d]);
}

typedef void (*bet_fn)(struct legs *l, const struct link_leg *in, const struct link_leg *out, int64_t offset,
	double target, struct bet_result r[WAYS]);

/* The ways [from, to), which fn bets, at every offset. */
static void bet_offsets(struct legs *l, const struct link_leg *in, const struct link_leg *out,
	const struct link_param *p, bet_fn fn, int from, int to, struct best *best)
{
	int64_t error = p->offset_error_us, steps = offset_steps(error);
	for (int64_t i = -steps; i <= steps; i++) {
		struct bet_result r[WAYS];
		int64_t offset = p->offset_us + (steps > 0 ? i * error / steps : 0);
		fn(l, in, out, offset, p->needed + best->charge, r);
		consider(best, r, from, to, offset);
	}
}

/* Do sizes match forwards in time and not backwards?  A relay passes on what it was given, and was not given
 * what it will pass on; a common cause (one page that two poll) matches either way.  turned: the pair the
 * wrong way round. */
static int is_matched(const struct bet_result *sizes, double charge, const struct sized_pair *turned,
	struct null_limits *limits)
{
	struct bet_result r;
	if (sizes->log10_sup - charge < SIZES_SPEAK)
		return 0;
	bytes_run(turned, limits, 0, &r);
	return r.log10_sup <= TURNED_MAX * sizes->log10_sup;
}

static void match_sizes(const struct legs *l, const struct link_leg *in, const struct link_leg *out,
	const struct best *best, struct likeness *to)
{
	struct sized_pair there = {&out->fwd, &in->fwd, best->offset, 0, &l->blind},
			  back = {&in->back, &out->back, 0, best->offset, &l->blind};
	to->there = is_matched(&best->r[WAY_SIZES], best->charge, &there, l->limits);
	to->volume = best->r[WAY_SIZES_BACK].log10_sup - best->charge >= SIZES_SPEAK;
	to->back = is_matched(&best->r[WAY_SIZES_BACK], best->charge, &back, l->limits);
}

static void judge(struct legs *l, const struct link_param *p, const struct best *best,
	const struct likeness *sizes, struct link_result *r)
{
	const struct view *v = legs_orders(l);
	const struct bet_result *b = &best->r[best->way];
	r->log10_e = best->top + link_log10(best->sum) - best->charge;
	r->max_log10_e = best->sup - best->charge;
	r->bursts = b->bets;
	r->hits = b->hits;
	r->lag_us = v->fwd.lag_us;
	r->lag_spread_us = v->fwd.spread_us;
	r->verdict = LINK_INSUFFICIENT;
	r->reason = LINK_REASON_WEAK;
	if (r->max_log10_e >= p->needed) {
		int proven = shape_is_relays(l, best, p, sizes);
		r->verdict = proven ? LINK_PROVEN : LINK_UNDECIDABLE;
		r->reason = proven ? LINK_REASON_NONE : LINK_REASON_SHARED_CAUSE;
		int64_t first = l->in_fwd.n > 0 ? l->in_fwd.start[0] : l->out_back.start[0];
		r->first_sufficient_us = best->reached_us > first ? best->reached_us - first : 0;
	} else if (r->max_log10_e < 1.0 && best->r[WAY_FORWARD].tame * 2 > best->r[WAY_FORWARD].bets &&
		   best->r[WAY_ANSWERS].tame * 2 >= best->r[WAY_ANSWERS].bets) {
		r->verdict = LINK_UNDECIDABLE;
		r->reason = LINK_REASON_PREDICTABLE;
	} else if (bet_ceiling(b->bets) < p->needed) {
		r->reason = LINK_REASON_FEW_BURSTS;
	}
}

/* The verdict at the best offset; sized: with what sizes say. */
static void settle(struct legs *l, const struct link_leg *in, const struct link_leg *out,
	const struct link_param *p, const struct best *best, int sized, struct link_result *r)
{
	struct likeness sizes;
	sizes.follow = sizes.volume = sizes.there = sizes.back = 0;
	legs_at(l, out, best->offset);
	if (best->sup - best->charge >= p->needed) {
		sizes.follow = legs_follow(l, in, out);
		if (sized)
			match_sizes(l, in, out, best, &sizes);
	}
	judge(l, p, best, &sizes, r);
}

/* Whatever sizes say, can nothing be proven?  Asked where the clocks are one: the gates depend on the offset.
 */
static int never(struct legs *l, const struct link_param *p, const struct best *best)
{
	if (p->offset_error_us > 0)
		return 0;
	if (!shape_may_be(l, p))
		return 1;
	double most = best->r[WAY_FORWARD].log10_sup;
	if (best->r[WAY_ANSWERS].log10_sup > most)
		most = best->r[WAY_ANSWERS].log10_sup;
	return !order_leans(&legs_orders(l)->back) && most - best->charge < p->needed;
}

void link_test(const struct link_leg *in, const struct link_leg *out, const struct span *blind,
	size_t n_blind, const struct link_param *param, void *mem, size_t mem_size, struct link_result *r)
{
	struct link_param p = {.needed = param->needed,
		.in_opened = param->in_opened,
		.out_answered = param->out_answered,
		.every_way = param->every_way};
	p.offset_us = clamp(param->offset_us, OFFSET_MAX_US);
	p.offset_error_us = param->offset_error_us > 0 ? clamp(param->offset_error_us, OFFSET_MAX_US) : 0;
	if (settle_early(in, out, &p, r))
		return;
	nothing(r, LINK_UNDECIDABLE, LINK_REASON_MEMORY);
	if (mem == NULL || mem_size < link_memory(in, out))
		return;
	struct null_limits limits;
	struct legs l;
	struct best best;
	l.blind.s = blind;
	l.blind.n = n_blind;
	l.limits = &limits;
	null_limits_init(&limits);
	legs_place(&l, in, out, mem);
	lane_fill(&l.in_fwd, &in->fwd, 0, &l.blind);
	lane_fill(&l.in_back, &in->back, 0, &l.blind);
	best_init(&best, &p);
	bet_offsets(&l, in, out, &p, bet_times, WAY_FORWARD, WAY_SIZES, &best);
	settle(&l, in, out, &p, &best, 0, r);
	if (!p.every_way && (r->verdict == LINK_PROVEN || never(&l, &p, &best)))
		return;
	int64_t timed = best.offset;
	bet_offsets(&l, in, out, &p, bet_sizes, WAY_SIZES, WAYS, &best);
	if (best.offset != timed)
		bet_times(&l, in, out, best.offset, p.needed + best.charge, best.r);
	settle(&l, in, out, &p, &best, 1, r);
}
