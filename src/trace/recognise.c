/* Is the claimed flow in our recording?  Takes its train, reads what was recorded around that time, gives the
 * answer with the flow.
 *
 * Candidates are the flows of its protocol that were alive when it was, give or take the skew, and have
 * something in common with its head (enum kin).  At most COMPARED_MAX of them are compared, those with like
 * totals first where only one end is the same; all are charged for. */
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

struct search {
	struct recording *rec;
	double alpha;
	const struct flow *claimed;
	struct candidate_flow *c;
	size_t n, left;           /* left: candidates that were not compared */
	const char *point;        /* whose blind intervals are .. */
	const struct span *blind; /* .. these */
	size_t n_blind;
	struct recognised *to;
	enum ruling best; /* of what stands in to */
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

static bool worth(const struct flow *f, enum kin kin)
{
	return kin != KIN_END || bursts_of(f) >= BURSTS_LEAST;
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate_flow *x = a, *y = b;

	if (x->ship.kin != y->ship.kin)
		return x->ship.kin < y->ship.kin ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* How many candidates are compared: the first always, more while the work is bounded. */
static size_t in_budget(const struct search *s)
{
	size_t n = 0, bursts = 0, mine = bursts_of(s->claimed);

	while (n < s->n && n < COMPARED_MAX && (n == 0 || bursts < BURSTS_COMPARED))
		bursts += mine + bursts_of(s->c[n++].flow);
	return n;
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
		if (ship.kin != KIN_NONE && flow_carries(f) && worth(f, ship.kin) &&
			flow_overlap(f, s->claimed, RECOGNISE_SKEW_US))
			s->c[s->n++] = (struct candidate_flow){f, ship, unlike(f, s->claimed)};
	}
	if (s->n > 1)
		qsort(s->c, s->n, sizeof(*s->c), by_rank);
	s->left = s->n - in_budget(s);
	return STATUS_OK;
}

static void blind_of(struct search *s, const char *point)
{
	struct span all = {s->claimed->head.first_us - 2 * RECOGNISE_SKEW_US,
		s->claimed->last_us + 2 * RECOGNISE_SKEW_US};

	if (s->point && strcmp(s->point, point) == 0)
		return;
	s->point = point;
	s->blind = recording_blind(s->rec, point, all, &s->n_blind);
}

/* One connection, seen at two points or before and after translation. */
static bool one_flow(const struct flow *a, const struct flow *b)
{
	return tuple_compare(a, b) == 0 || flow_rewritten(a, b);
}

/* Keeps what says most: the ruling first, then what the heads have in common, then the evidence. */
static void keep(struct search *s, const struct candidate_flow *c, const struct alike *k, double needed,
	const struct finding *f)
{
	struct recognised *to = s->to;

	if (to->flow && f->ruling == RULED_CONFIRMED && s->best == RULED_CONFIRMED &&
		c->ship.kin == s->best_kin && !one_flow(c->flow, to->flow))
		s->several = true;
	bool better = f->ruling < s->best || (f->ruling == s->best && c->ship.kin < s->best_kin);
	bool equal = f->ruling == s->best && c->ship.kin == s->best_kin;
	if (f->ruling == RULED_APART || (!better && !(equal && k->log10_e > to->alike.log10_e)))
		return;
	s->best = f->ruling;
	s->best_kin = c->ship.kin;
	to->flow = c->flow;
	to->alike = *k;
	to->needed = needed;
	to->translated = c->ship.translated;
	memcpy(to->why, f->why, sizeof(to->why));
}

static enum status compare(struct search *s, struct err *e)
{
	for (size_t i = 0; i < s->n - s->left; i++) {
		const struct candidate_flow *c = &s->c[i];
		double needed = recognise_needed(s->alpha, s->n, &c->ship);
		struct finding f;
		struct alike k;
		blind_of(s, c->flow->head.point);
		enum status st =
			flows_alike(s->claimed, c->flow, s->blind, s->n_blind, RECOGNISE_SKEW_US, &k, e);
		if (st != STATUS_OK)
			return st;
		s->to->searched++;
		recognise_judge(s->claimed, c, &k, needed, &f);
		keep(s, c, &k, needed, &f);
	}
	return STATUS_OK;
}

/* How much of `life` the point saw. */
static double share_seen(struct search *s, const char *point, struct span life)
{
	size_t n;
	int64_t dark = 0, length = life.to_us - life.from_us;
	const struct span *b = recording_blind(s->rec, point, life, &n);

	for (size_t i = 0; b && i < n; i++)
		dark += b[i].to_us - b[i].from_us;
	return b ? 1 - (double)dark / (double)length : 0;
}

/* Did a point see (nearly) all of the claimed time?  *spare_us: how far the clocks may be apart for that. */
static bool covered(struct search *s, int64_t *spare_us)
{
	struct recording *r = s->rec;
	struct span life = {s->claimed->head.first_us, s->claimed->last_us + 1};
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

static bool any_sampled(const struct recording *r)
{
	for (size_t i = 0; i < r->n_flow; i++)
		if (r->flow[i].head.source.sampling > 1 || r->flow[i].head.source.kind == SOURCE_FLOW_RECORDS)
			return true;
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
	else if (any_sampled(s->rec))
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

enum status recognise_in(
	struct recording *r, double alpha, const struct flow *claimed, struct recognised *to, struct err *e)
{
	struct search s = {.rec = r,
		.alpha = alpha,
		.claimed = claimed,
		.to = to,
		.best = RULED_APART,
		.best_kin = KIN_NONE};

	*to = (struct recognised){.seen = SEEN_CANNOT_TELL};
	enum status st = candidates(&s, e);
	if (st == STATUS_OK)
		st = compare(&s, e);
	if (st == STATUS_OK)
		conclude(&s);
	free(s.c);
	return st;
}

/* What was recorded around the claimed time, kept by the tracer. */
static enum status window_read(struct tracer *t, const struct flow *claimed, struct view **to, struct err *e)
{
	struct view *v = calloc(1, sizeof(*v));
	struct store_query q = {.since = {claimed->head.first_us - RECOGNISE_SKEW_US},
		.until = {claimed->last_us + RECOGNISE_SKEW_US},
		.port = -1,
		.gap_us = BURST_GAP_RECORDED_US};

	if (!v)
		return err_nomem(e);
	enum status st = recording_read(&v->own, t->w, t->dir, &q, e);
	if (st != STATUS_OK) {
		free(v);
		return st;
	}
	v->rec = &v->own;
	v->next = t->found;
	t->found = v;
	*to = v;
	return STATUS_OK;
}

enum status recognise(struct tracer *t, const struct flow *claimed, struct recognised *to, struct err *e)
{
	struct view *v = NULL;

	if (!is_sane(claimed))
		return err_set(e, STATUS_BAD, "the claimed train is not in order of time");
	enum status st = window_read(t, claimed, &v, e);
	return st == STATUS_OK ? recognise_in(v->rec, t->alpha, claimed, to, e) : st;
}
