/* Is the claimed flow in our recording?  Takes its train, reads what was recorded around that time
 * (recognise_read.c), gives the answer with the flow.
 *
 * Candidates are the flows of its protocol that were alive between its first and last burst, give or take the
 * skew, and have something in common with its head (enum kin).  At most COMPARED_MAX of them are compared,
 * those with like totals first where only one end is the same; all are charged for. */
#include "trace/recognise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/recognise_in.h"
#include "trace/tracer.h"

#define COMPARED_MAX    256
#define BURSTS_COMPARED ((size_t)1 << 19)
#define BURSTS_LEAST    8   /* below which a flow under other addresses is not worth comparing */
#define COVERED         0.9 /* of the claimed time, for "not seen" */
#define TIME_MAX_US     (INT64_C(253402300800) * SECOND_US) /* the year 10000 */
#define SPAN_MAX_US     (30 * 24 * 3600 * SECOND_US) /* between the bursts of a claim that is looked for */

struct search {
	struct recording *rec;
	struct tracer *t; /* NULL: the flows of rec have their bursts */
	struct reach_want want;
	struct span span; /* of the claimed bursts */
	double alpha;
	const struct flow *claimed;
	struct candidate_flow *c;
	size_t n, left;           /* left: candidates that were not compared */
	const char *point;        /* whose blind intervals are .. */
	const struct span *blind; /* .. these */
	size_t n_blind;
	struct arena arena; /* theirs */
	struct recognised *to;
	const struct flow *head; /* to->flow as it stands in rec */
	enum ruling best;        /* of what stands in to */
	enum kin best_kin;
	bool several; /* confirmed by flows that are not one */
};

const char *seen_here_name(enum seen_here s)
{
	static const char *const name[] = {[SEEN_CONFIRMED] = "confirmed",
		[SEEN_NOT] = "not-seen",
		[SEEN_CONTRADICTED] = "contradicted",
		[SEEN_CANNOT_TELL] = "cannot-tell"};

	return name[s];
}

static bool lane_sane(const struct flow *f, int d)
{
	const struct burst *b = f->burst[d];

	for (size_t i = 0; i < f->n_burst[d]; i++)
		if (b[i].start_us < f->head.first_us || b[i].start_us > f->last_us ||
			(i > 0 && b[i].start_us < b[i - 1].start_us))
			return false;
	return true;
}

static bool is_sane(const struct flow *f)
{
	return f->head.first_us >= 0 && f->last_us >= f->head.first_us && f->last_us <= TIME_MAX_US &&
	       lane_sane(f, 0) && lane_sane(f, 1);
}

static double unlike(const struct flow *a, const struct flow *b)
{
	double sum = 0;

	for (int d = 0; d < 2; d++)
		sum += fabs(
			log1p((double)a->count[d].payload_bytes) - log1p((double)b->count[d].payload_bytes));
	return sum;
}

static size_t bursts_of(const struct flow *f)
{
	return f->n_burst[0] + f->n_burst[1];
}

/* As far as its head tells, if its bursts are not read yet. */
static bool worth(const struct flow *f, enum kin kin)
{
	const struct flow_count *k = f->count;
	bool derived = f->head.flags & (FLOW_DERIVED_0 | FLOW_DERIVED_1);

	if (flow_carries(f))
		return kin != KIN_END || bursts_of(f) >= BURSTS_LEAST;
	return (k[0].payload_bytes + k[1].payload_bytes > 0 || derived) &&
	       (kin != KIN_END || k[0].packets + k[1].packets >= BURSTS_LEAST);
}

static bool alive_in(const struct flow *f, struct span in)
{
	return f->head.first_us <= in.to_us + RECOGNISE_SKEW_US &&
	       f->last_us >= in.from_us - RECOGNISE_SKEW_US;
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate_flow *x = a, *y = b;

	if (x->ship.kin != y->ship.kin)
		return x->ship.kin < y->ship.kin ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

static enum status candidates(struct search *s, struct err *e)
{
	struct recording *r = s->rec;

	s->c = calloc(r->n_flow + 1, sizeof(*s->c));
	if (!s->c)
		return err_nomem(e);
	for (size_t i = 0; i < r->n_flow; i++) {
		const struct flow *f = &r->flow[i];
		struct kinship ship = kinship_of(s->claimed, f);
		if (ship.kin != KIN_NONE && worth(f, ship.kin) && alive_in(f, s->span))
			s->c[s->n++] = (struct candidate_flow){f, ship, unlike(f, s->claimed)};
	}
	if (s->n > 1)
		qsort(s->c, s->n, sizeof(*s->c), by_rank);
	return STATUS_OK;
}

static enum status blind_of(struct search *s, const char *point, struct err *e)
{
	struct span all = {s->span.from_us - 2 * RECOGNISE_SKEW_US, s->span.to_us + 2 * RECOGNISE_SKEW_US};
	struct recording room = *s->rec;

	if (s->point && strcmp(s->point, point) == 0)
		return STATUS_OK;
	arena_free(&s->arena);
	room.arena = s->arena;
	s->blind = recording_blind(&room, point, all, &s->n_blind);
	s->arena = room.arena;
	s->point = s->blind ? point : NULL;
	return s->blind ? STATUS_OK : err_nomem(e);
}

/* One connection, seen at two points or before and after translation. */
static bool one_flow(const struct flow *a, const struct flow *b)
{
	return tuple_compare(a, b) == 0 || flow_rewritten(a, b);
}

/* Keeps what says most: the ruling first, then what the heads have in common, then the evidence. */
static void keep(struct search *s, const struct flow *head, const struct candidate_flow *c,
	const struct alike *k, double needed, const struct finding *f)
{
	struct recognised *to = s->to;

	if (to->flow && f->ruling == RULED_CONFIRMED && s->best == RULED_CONFIRMED &&
		c->ship.kin == s->best_kin && !one_flow(head, s->head))
		s->several = true;
	bool better = f->ruling < s->best || (f->ruling == s->best && c->ship.kin < s->best_kin);
	bool equal = f->ruling == s->best && c->ship.kin == s->best_kin;
	if (f->ruling == RULED_APART || (!better && !(equal && k->log10_e > to->alike.log10_e)))
		return;
	s->best = f->ruling;
	s->best_kin = c->ship.kin;
	to->flow = c->flow;
	s->head = head;
	to->alike = *k;
	to->needed = needed;
	to->translated = c->ship.translated;
	memcpy(to->why, f->why, sizeof(to->why));
}

static enum status compare_one(
	struct search *s, const struct flow *head, struct candidate_flow c, struct err *e)
{
	double needed = recognise_needed(s->alpha, s->n, &c.ship);
	struct finding f;
	struct alike k;
	enum status st = blind_of(s, head->head.point, e);

	if (st == STATUS_OK)
		st = flows_alike(s->claimed, c.flow, s->blind, s->n_blind, RECOGNISE_SKEW_US, &k, e);
	if (st != STATUS_OK)
		return st;
	s->to->searched++;
	recognise_judge(s->claimed, &c, &k, needed, &f);
	keep(s, head, &c, &k, needed, &f);
	return STATUS_OK;
}

/* The first always, more while the work is bounded. */
static enum status compare(struct search *s, struct err *e)
{
	size_t i = 0, bursts = 0;
	enum status st = STATUS_OK;

	if (s->t)
		reach_plan(s->t, &s->want, s->claimed, s->n);
	for (; i < s->n && i < COMPARED_MAX && bursts < BURSTS_COMPARED && st == STATUS_OK; i++) {
		const struct flow *head = s->c[i].flow;
		struct candidate_flow c = s->c[i];
		if (s->t)
			st = reach_flow(s->t, &s->want, head, &c.flow, e);
		if (st != STATUS_OK || !c.flow) {
			s->left++;
			continue;
		}
		bursts += bursts_of(s->claimed) + bursts_of(c.flow);
		if (flow_carries(c.flow) && worth(c.flow, c.ship.kin))
			st = compare_one(s, head, c, e);
	}
	s->left += s->n - i;
	return st;
}

/* How much of `life` the point saw. */
static double share_seen(struct search *s, const char *point, struct span life)
{
	size_t n;
	int64_t dark = 0, length = life.to_us - life.from_us;
	struct recording room = *s->rec;

	room.arena = (struct arena){0};
	const struct span *b = recording_blind(&room, point, life, &n);
	for (size_t i = 0; b && i < n; i++)
		dark += b[i].to_us - b[i].from_us;
	arena_free(&room.arena);
	return b ? 1 - (double)dark / (double)length : 0;
}

/* Did a point see (nearly) all of the claimed time?  *spare_us: how far the clocks may be apart for that. */
static bool covered(struct search *s, int64_t *spare_us)
{
	struct recording *r = s->rec;
	struct span life = {s->span.from_us, s->span.to_us + 1};
	bool any = false;

	*spare_us = 0;
	for (size_t i = 0; i < r->n_coverage; i++) {
		const struct coverage *c = &r->coverage[i];
		bool meets = c->span.from_us < life.to_us && c->span.to_us > life.from_us;
		if (c->blind || !meets || share_seen(s, c->point, life) < COVERED)
			continue;
		int64_t before = life.from_us - c->span.from_us, after = c->span.to_us - life.to_us;
		int64_t spare = before < after ? before : after;
		*spare_us = spare > *spare_us ? spare : *spare_us;
		any = true;
	}
	return any;
}

static bool any_sampled(const struct search *s)
{
	for (size_t i = 0; i < s->rec->n_flow; i++) {
		const struct flow *f = &s->rec->flow[i];
		if ((f->head.source.sampling > 1 || f->head.source.kind == SOURCE_FLOW_RECORDS) &&
			alive_in(f, s->span))
			return true;
	}
	return false;
}

/* Nothing was taken for it. */
static void absent(struct search *s)
{
	struct recognised *to = s->to;
	const char *why = NULL;
	int64_t spare;

	to->seen = SEEN_CANNOT_TELL;
	if (!covered(s, &spare))
		why = "this recording has no observation point that saw that time";
	else if (s->rec->damaged)
		why = "no such flow, but parts of this recording are damaged";
	else if (any_sampled(s))
		why = "no such flow, but this recording is sampled";
	if (why) {
		(void)snprintf(to->why, sizeof(to->why), "%s", why);
	} else if (s->left) {
		(void)snprintf(to->why, sizeof(to->why),
			"%zu flows have an end of it, of which the %zu likest were compared", s->n,
			s->n - s->left);
	} else {
		to->seen = SEEN_NOT;
		(void)snprintf(to->why, sizeof(to->why),
			"all of that time is recorded, with %lld s to spare for clocks apart, and no flow "
			"like it",
			(long long)(spare / SECOND_US));
	}
}

static void conclude(struct search *s)
{
	static const enum seen_here seen[] = {[RULED_CONFIRMED] = SEEN_CONFIRMED,
		[RULED_CONTRADICTED] = SEEN_CONTRADICTED,
		[RULED_OPEN] = SEEN_CANNOT_TELL};

	if (!s->to->flow) {
		absent(s);
		return;
	}
	s->to->seen = seen[s->best];
	if (s->several) {
		s->to->seen = SEEN_CANNOT_TELL;
		(void)snprintf(s->to->why, sizeof(s->to->why),
			"several flows here have this train: nothing tells which one is meant");
	}
}

/* From the first burst to the end of the last; the flow's life where it has none. */
static struct span span_of(const struct flow *f)
{
	struct span s = {INT64_MAX, INT64_MIN};

	for (int d = 0; d < 2; d++) {
		size_t n = f->n_burst[d];
		if (n == 0)
			continue;
		int64_t from = f->burst[d][0].start_us, to = burst_end(&f->burst[d][n - 1]);
		s.from_us = from < s.from_us ? from : s.from_us;
		s.to_us = to > s.to_us ? to : s.to_us;
	}
	return s.from_us <= s.to_us ? s : (struct span){f->head.first_us, f->last_us};
}

static enum status search(struct search *s, struct recognised *to, struct err *e)
{
	*to = (struct recognised){.seen = SEEN_CANNOT_TELL};
	s->to = to;
	s->span = span_of(s->claimed);
	s->best = RULED_APART;
	s->best_kin = KIN_NONE;
	enum status st = candidates(s, e);
	if (st == STATUS_OK)
		st = compare(s, e);
	if (st == STATUS_OK)
		conclude(s);
	arena_free(&s->arena);
	free(s->c);
	return st;
}

enum status recognise_in(
	struct recording *r, double alpha, const struct flow *claimed, struct recognised *to, struct err *e)
{
	struct search s = {.rec = r, .alpha = alpha, .claimed = claimed};

	return search(&s, to, e);
}

enum status recognise(struct tracer *t, const struct flow *claimed, struct recognised *to, struct err *e)
{
	struct search s = {.t = t, .claimed = claimed};

	*to = (struct recognised){.seen = SEEN_CANNOT_TELL};
	if (!is_sane(claimed))
		return err_set(e, STATUS_BAD, "the claimed train is not in order of time");
	struct span span = span_of(claimed);
	if (span.to_us - span.from_us > SPAN_MAX_US) {
		(void)snprintf(to->why, sizeof(to->why),
			"its bursts are more than 30 days apart: so long a flow is not looked for");
		return STATUS_OK;
	}
	if (claimed->members > 1)
		return recognise_many(t, claimed,
			(struct span){span.from_us - RECOGNISE_SKEW_US, span.to_us + RECOGNISE_SKEW_US}, to,
			e);
	s.alpha = t->alpha;
	s.want.around = (struct span){span.from_us - RECOGNISE_SKEW_US, span.to_us + RECOGNISE_SKEW_US};
	enum status st = reach_open(t, s.want.around, &s.rec, e);
	if (st == STATUS_OK)
		st = search(&s, to, e);
	if (st == STATUS_OK && to->flow)
		st = reach_keep(t, s.head, to->flow, &to->flow, e);
	return st;
}
