/* The verdict on a pair of legs.
 *
 * In go the four trains (forward and back of IN and OUT), out come the evidence and what may be said.  The
 * evidence is bet on in two directions, IN's forward bursts to OUT's and OUT's answers to IN's, and for each
 * offset of the clocks on a grid; these are separate e-processes and alpha is split evenly over them: the
 * largest counts, divided by their number.  A sufficient number is not enough for "proven": the order and the
 * lag must be a relay's in both directions (link_order.c), else a shared cause cannot be told from a relay
 * and the verdict is "undecidable". */
#include "trace/link.h"

#include "trace/link_bet.h"
#include "trace/link_bytes.h"
#include "trace/link_cause.h"
#include "trace/link_log.h"
#include "trace/link_order.h"
#include "trace/link_size.h"
#include "trace/link_tick.h"

#define WAYS           5 /* forward, answers, ticks, sizes forward, sizes of answers */
#define OFFSET_STEP_US 20000
#define OFFSET_MAX_US  (INT64_C(1) << 50) /* a clock that is 35 years wrong */
#define OFFSETS_MAX    201
#define RESOLUTION_MAX 10000 /* coarser clocks cannot tell what came first */
enum way { WAY_FORWARD, WAY_ANSWERS, WAY_TICKS, WAY_SIZES, WAY_SIZES_BACK };

#define LN10          2.30258509299404568402
#define CEILING_SLACK 0.3
#define OWN_SIGMAS    2   /* standard errors in which another cause than a relay's must be the steadier */
#define DOUBT_SIGMAS  1   /* the same where the answers' times cannot tell */
#define DRIVEN_SIGMAS 4   /* the same of what R says to V */
#define FAR_SIGMAS    2.8 /* OUT after IN and not before, where times are sufficient evidence */
#define TOLD_SIGMAS   3   /* so clear it need not be asked in another way */
#define STREAM_SIGMAS 8   /* the same in streams: hidden keys make up to 6 */
#define TURNED_MAX    0.5 /* share of it that the sizes may reach backwards in time */

/* What the gates look at, found when first asked for and kept while OUT's clock stays. */
struct view {
	struct order fwd, back;
	struct echo echo;
	int has_orders, has_echo;
	int follow; /* IN's answers change their size as OUT's do; -1 unknown */
};

struct legs {
	struct lane in_fwd, in_back, out_fwd, out_back;
	int64_t *scratch;
	struct blinds blind;
	struct null_limits *limits;
	int64_t offset; /* of OUT's lanes, once filled */
	int filled;
	struct view view;
};

static size_t longest(const struct link_leg *in, const struct link_leg *out)
{
	size_t n = in->fwd.n > in->back.n ? in->fwd.n : in->back.n;
	if (out->fwd.n > n)
		n = out->fwd.n;
	return out->back.n > n ? out->back.n : n;
}

size_t link_memory(const struct link_leg *in, const struct link_leg *out)
{
	size_t n = in->fwd.n + in->back.n + out->fwd.n + out->back.n;
	return (2 * n + 2 * longest(in, out)) * sizeof(int64_t) + 16;
}

static void lane_place(struct lane *lane, size_t n, int64_t **at)
{
	lane->start = *at;
	lane->end = *at + n;
	lane->n = 0;
	*at += 2 * n;
}

static void legs_place(struct legs *l, const struct link_leg *in, const struct link_leg *out, void *mem)
{
	int64_t *at = mem;
	lane_place(&l->in_fwd, in->fwd.n, &at);
	lane_place(&l->in_back, in->back.n, &at);
	lane_place(&l->out_fwd, out->fwd.n, &at);
	lane_place(&l->out_back, out->back.n, &at);
	l->scratch = at;
	l->filled = 0;
}

/* OUT's lanes on IN's clock, `offset` behind. */
static void legs_at(struct legs *l, const struct link_leg *out, int64_t offset)
{
	if (l->filled && l->offset == offset)
		return;
	lane_fill(&l->out_fwd, &out->fwd, offset, &l->blind);
	lane_fill(&l->out_back, &out->back, offset, &l->blind);
	l->offset = offset;
	l->filled = 1;
	l->view.has_orders = l->view.has_echo = 0;
	l->view.follow = -1;
}

static const struct view *orders(struct legs *l)
{
	struct view *v = &l->view;
	if (!v->has_orders) {
		order_measure(&l->in_fwd, &l->out_fwd, l->scratch, &v->fwd);
		order_measure(&l->out_back, &l->in_back, l->scratch, &v->back);
	}
	v->has_orders = 1;
	return v;
}

static const struct echo *echo_of(struct legs *l)
{
	struct view *v = &l->view;
	if (!v->has_echo)
		order_echo(&l->in_fwd, &l->out_back, &l->in_back, l->scratch, &v->echo);
	v->has_echo = 1;
	return &v->echo;
}

/* Do IN's answers change their size as OUT's do? */
static int follows(struct legs *l, const struct link_leg *in, const struct link_leg *out)
{
	struct sized answered = {&l->out_back, &out->back, l->offset},
		     passed_on = {&l->in_back, &in->back, 0};
	if (l->view.follow < 0)
		l->view.follow = size_follows(&answered, &passed_on);
	return l->view.follow;
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

/* What sizes say of a pair, beside the bets. */
struct likeness {
	int follow;      /* IN's answers change their size as OUT's do */
	int volume;      /* and by the bets on sizes they are as long, in whatever order */
	int there, back; /* stretches are as long as what was brought, and not the other way round */
};

struct best {
	struct bet_result r[WAYS]; /* at offset */
	double sup;                /* the largest, before the charge */
	double top, sum;           /* of the final wealths: the largest, and all in its units */
	double charge;
	int64_t offset, reached_us;
	enum way way; /* that sup is of */
};

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

/* Who speaks first where the other side opened the leg?  What R says to X on a leg that R opened is V's; what
 * V says on a leg that V opened is asked for. */
static int is_asked(const struct legs *l, const struct link_param *p)
{
	struct order asked;
	if (p->in_opened && !order_explains(&l->out_back, &l->in_back))
		return 0;
	if (!p->out_answered)
		return 1;
	order_side(&l->out_fwd, &l->out_back, &asked);
	return order_leans(&asked);
}

/* Does R speak to V because V spoke, rather than because X did?  Who drives both, a task at a time, does, and
 * who acknowledges what V told him. */
static int is_driven(struct legs *l, int ticks)
{
	const struct lane *rival[] = {&l->out_back, &l->in_back};
	double favour[2];
	struct echo asked;
	cause_compare(&l->out_fwd, &l->in_fwd, rival, 2, l->scratch, favour);
	if (favour[0] < (ticks ? -STREAM_SIGMAS : -DRIVEN_SIGMAS) || favour[1] < -STREAM_SIGMAS)
		return 1;
	if (favour[0] < TOLD_SIGMAS) {
		order_echo(&l->out_back, &l->in_fwd, &l->out_fwd, l->scratch, &asked);
		if (order_flat(&asked))
			return 1;
	}
	return cause_waits(&l->in_fwd, &l->out_back, &l->out_fwd, l->scratch);
}

/* Does one decision of R's give both their next task?  Then what it sends to X and to V starts at once, or it
 * speaks to X because X spoke. */
static int is_in_step(const struct legs *l)
{
	struct four_lanes o = {&l->in_fwd, &l->in_back, &l->out_fwd, &l->out_back};
	return cause_at_once(&o, l->scratch);
}

/* Are IN's answers R's own?  They wait for what X said, not for what V did, by so many standard errors. */
static double own_words(struct legs *l)
{
	const struct lane *rival = &l->in_fwd;
	double favour;
	cause_compare(&l->in_back, &l->out_back, &rival, 1, l->scratch, &favour);
	return order_exact(echo_of(l)) ? 0 : -favour;
}

/* Do times say that OUT follows IN, where the number is that of sizes? */
static int is_felt(const struct best *best, const struct order *fwd)
{
	return (order_leans_far(fwd, FAR_SIGMAS) && order_meets(fwd)) ||
	       best->r[WAY_FORWARD].log10_sup - best->charge >= SIZES_SPEAK ||
	       best->r[WAY_TICKS].log10_sup - best->charge >= SIZES_SPEAK;
}

/* What nothing excuses: OUT after IN, OUT's answers reach IN, who speaks first, who drives. */
static int may_be_relay(struct legs *l, const struct link_param *p, int ticks)
{
	const struct view *v = orders(l);
	return order_leans(&v->fwd) && order_conserves(&v->back) && is_asked(l, p) && !is_driven(l, ticks);
}

/* Is it a relay's order?  What OUT answers must reach IN, and when OUT answers decides when IN does, unless
 * IN's answers are hidden; and one of the ways that suffice must show a relay's order and lag, or sizes that
 * match. */
static int relay_shaped(
	struct legs *l, const struct best *best, const struct link_param *p, const struct likeness *sizes)
{
	int enough[WAYS];
	for (int k = 0; k < WAYS; k++)
		enough[k] = best->r[k].log10_sup - best->charge >= p->needed;
	if (!may_be_relay(l, p, enough[WAY_TICKS]))
		return 0;
	const struct order *fwd = &l->view.fwd, *back = &l->view.back;
	const struct echo *echo = echo_of(l);
	int timed = enough[WAY_FORWARD] || enough[WAY_ANSWERS];
	int match = sizes->there || sizes->back;
	double own = own_words(l);
	int told = order_steady(echo) || (order_vague(echo) && timed && match && own <= DOUBT_SIGMAS);
	int answers =
		order_keeps(back) && own <= OWN_SIGMAS && (order_echoes(echo) || (told && sizes->follow));
	int hidden = order_hidden(&l->in_fwd, &l->out_back, echo) && own <= OWN_SIGMAS;
	int far = order_leans_far(fwd, FAR_SIGMAS);
	int led = order_leads(fwd) || sizes->there || (enough[WAY_FORWARD] && far);
	if (!hidden && is_in_step(l))
		return 0;
	if (enough[WAY_FORWARD] && (order_follows(fwd) || (match && far)) && (answers || hidden))
		return 1;
	if (enough[WAY_ANSWERS] && (order_follows(back) || match) && answers && led)
		return 1;
	if ((enough[WAY_SIZES] || enough[WAY_SIZES_BACK]) && match && answers && (led || is_felt(best, fwd)))
		return 1;
	if (enough[WAY_ANSWERS] && sizes->follow && sizes->volume && led &&
		!order_denies(&l->out_back, echo, own > DOUBT_SIGMAS))
		return 1;
	return enough[WAY_TICKS] && (answers || hidden);
}

static void judge(struct legs *l, const struct link_param *p, const struct best *best,
	const struct likeness *sizes, struct link_result *r)
{
	const struct view *v = orders(l);
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
		int proven = relay_shaped(l, best, p, sizes);
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
		sizes.follow = follows(l, in, out);
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
	const struct view *v = orders(l);
	if (!order_leans(&v->fwd) || !order_conserves(&v->back) || !is_asked(l, p))
		return 1;
	double most = best->r[WAY_FORWARD].log10_sup;
	if (best->r[WAY_ANSWERS].log10_sup > most)
		most = best->r[WAY_ANSWERS].log10_sup;
	return !order_leans(&v->back) && most - best->charge < p->needed;
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
