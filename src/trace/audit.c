/* The link test on pairs of the own recording that cannot be links.
 *
 * Four urns: ordered pairs of the flows with many bursts, and of all that are drawn from, to be moved by
 * whole minutes or by anything.  Draws go round them, so that each gives as many while it has any; each is in
 * an order of its own that the seed decides (a Feistel network that walks through all numbers below any n,
 * Black & Rogaway 2002), so no pair comes twice and nothing is kept of those that came.  What a pair is and
 * what of it is counted: audit.h. */
#include "trace/audit_in.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS        4
#define MISSES_MAX    2000000             /* draws without a pair after which an urn counts as empty */
#define WORK_DEFAULT  UINT64_C(600000000) /* bursts read: about a minute, at 0.1 us each */
#define WORK_PAIR     100                 /* what a pair costs beside its bursts, in bursts */
#define PROGRESS_EACH 256
#define WAYS          4

#define URNS 4

struct urn {
	size_t flows; /* of the pool, from its first on */
	enum audit_moved kind;
	bool rest; /* less the pairs of active flows, which another urn has */
	bool empty;
	uint64_t n, next;
	unsigned half; /* bits of half a number */
	uint64_t key;
};

struct running {
	struct tracer *t;
	const struct audit_param *p;
	struct audit *to;
	struct scan scan; /* its views, where aggregates are made */
	struct pool pool;
	struct urn urn[URNS];
	struct span *blind;
	uint64_t work, pairs;
};

/* ---- draws ---- */

static void urn_make(struct urn *u, size_t flows, enum audit_moved kind, bool rest, uint64_t seed)
{
	*u = (struct urn){.flows = flows,
		.kind = kind,
		.rest = rest,
		.n = (uint64_t)flows * flows,
		.half = 1,
		.key = audit_mix(audit_mix(seed) + 2 * (uint64_t)kind + rest)};
	while (u->half < 31 && u->n >> 2 * u->half)
		u->half++;
}

/* A permutation of all numbers of 2 * half bits. */
static uint64_t turned(const struct urn *u, uint64_t v)
{
	uint64_t mask = (UINT64_C(1) << u->half) - 1, l = v >> u->half, r = v & mask;

	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t f = audit_mix(u->key + (r << 3 | i)) & mask, keep = r;
		r = l ^ f;
		l = keep;
	}
	return l << u->half | r;
}

static bool urn_draw(struct urn *u, uint64_t *to)
{
	if (u->next >= u->n)
		return false;
	uint64_t v = turned(u, u->next++);
	while (v >= u->n)
		v = turned(u, v);
	*to = v;
	return true;
}

struct draw {
	const struct drawn *in, *out;
	enum audit_moved kind;
	int64_t move_us;
	uint64_t random;
};

/* Whose ends the relay would have: it answered IN and opened OUT; it opened both; it answered both. */
static const struct {
	int in_way, out_way;
	bool in_opened;
} ways[WAYS] = {{0, 0, false}, {0, 0, false}, {1, 0, true}, {0, 1, false}};

/* Is the v-th pair of the urn one, and where is OUT moved to? */
static bool pair_find(const struct running *r, const struct urn *u, uint64_t v, struct draw *d)
{
	const struct pool *p = &r->pool;
	uint64_t a = v / u->flows, b = v % u->flows;

	*d = (struct draw){.in = &p->flow[a],
		.out = &p->flow[b],
		.kind = u->kind,
		.random = audit_mix(u->key ^ audit_mix(v))};
	if (u->rest && a < p->n_active && b < p->n_active)
		return false;
	if (a == b || flow_same(d->in->flow, d->out->flow, r->t->cfg->clock_skew_us) ||
		flow_rewritten(d->in->flow, d->out->flow))
		return false;
	/* the least move first: nobody need be asked who they are where not even that can be made */
	uint64_t random = audit_mix(d->random);
	if (!move_find(&d->move_us, d->in, d->out, true, d->kind, random))
		return false;
	return pool_strangers(p, d->in, d->out) ||
	       move_find(&d->move_us, d->in, d->out, false, d->kind, random);
}

/* The urn's next pair; false, and the urn is empty, where there is none. */
static bool urn_next(const struct running *r, struct urn *u, struct draw *d)
{
	uint64_t v;

	for (long misses = 0; misses < MISSES_MAX && urn_draw(u, &v); misses++)
		if (pair_find(r, u, v, d))
			return true;
	u->empty = true;
	return false;
}

/* ---- the test ---- */

static void count_reached(struct audit_part *part, const struct running *r, const struct draw *d, double e)
{
	struct audit_port *port[2] = {&r->pool.port[d->in->port], &r->pool.port[d->out->port]};
	int n = port[0] == port[1] ? 1 : 2, top = e >= AUDIT_LEVELS ? AUDIT_LEVELS : (int)floor(e);

	part->able++;
	for (int i = 0; i < n; i++)
		port[i]->able++;
	for (int k = 1; k <= top; k++) {
		part->reached[k]++;
		for (int i = 0; i < n && k <= AUDIT_TENS; i++)
			port[i]->reached[k]++;
	}
}

static struct audit_leg leg_of(const struct flow *f)
{
	struct audit_leg l = {.id = f->head.id,
		.proto = f->head.proto,
		.end = {f->head.end[0], f->head.end[1]},
		.members = f->members,
		.first_us = f->head.first_us};

	(void)snprintf(l.point, sizeof(l.point), "%s", f->head.point);
	return l;
}

/* Among the worst, where it is one of them; of equals the one that was drawn first is before the other. */
static void worst_keep(struct audit *to, const struct draw *d, double e)
{
	size_t at = to->n_worst;

	while (at > 0 && to->worst[at - 1].log10_e < e)
		at--;
	if (e < 1 || at == AUDIT_WORST)
		return;
	to->n_worst += to->n_worst < AUDIT_WORST;
	memmove(&to->worst[at + 1], &to->worst[at], (to->n_worst - at - 1) * sizeof(to->worst[0]));
	to->worst[at] = (struct audit_pair){leg_of(d->in->flow), leg_of(d->out->flow), d->move_us, e};
}

static enum status pair_test(struct running *r, const struct draw *d, struct err *e)
{
	const struct flow *in = d->in->flow, *out = d->out->flow;
	size_t way = d->random % WAYS;
	struct relink pair = {.in = in,
		.out = out,
		.in_way = ways[way].in_way,
		.out_way = ways[way].out_way,
		.in_opened = ways[way].in_opened,
		.apart = true,
		.clock = {.offset_us = d->move_us},
		.blind = r->blind,
		.n_blind = move_blind(r->blind, &r->pool, d->in, d->out, d->move_us),
		.needed = 1};
	struct audit_part *part = &r->to->part[d->kind];
	double proof = -log10(r->to->alpha);
	struct link_result l;
	enum status s = relink_test(&r->t->room, &pair, &l, e);

	if (s != STATUS_OK)
		return s;
	part->pairs++;
	r->work += WORK_PAIR;
	bool reached = l.max_log10_e >= 1;
	if (!reached && (l.reason == LINK_REASON_FEW_BURSTS || l.reason == LINK_REASON_NO_OVERLAP ||
				l.reason == LINK_REASON_RESOLUTION))
		return STATUS_OK;
	r->work += in->n_burst[0] + in->n_burst[1] + out->n_burst[0] + out->n_burst[1];
	r->to->max_log10_e = fmax(r->to->max_log10_e, l.max_log10_e);
	count_reached(part, r, d, l.max_log10_e);
	worst_keep(r->to, d, l.max_log10_e);
	if (l.max_log10_e < proof)
		return STATUS_OK;
	pair.needed = proof;
	s = relink_test(&r->t->room, &pair, &l, e);
	r->to->proven += s == STATUS_OK && l.verdict == LINK_PROVEN;
	return s;
}

static bool stopped(const struct running *r)
{
	return r->p->stop && *r->p->stop;
}

static bool enough(const struct running *r)
{
	return r->p->pairs ? r->pairs >= r->p->pairs : r->work >= WORK_DEFAULT;
}

static void show(const struct running *r)
{
	if (!r->p->progress || r->pairs % PROGRESS_EACH != 0)
		return;
	if (r->p->pairs)
		r->p->progress(r->p->self, r->pairs, r->p->pairs);
	else
		r->p->progress(r->p->self, r->work, WORK_DEFAULT);
}

/* Until there are enough pairs, or no more. */
static enum status draw_all(struct running *r, struct err *e)
{
	enum status s = STATUS_OK;
	size_t empty = 0;

	for (size_t k = 0; s == STATUS_OK && empty < URNS && !enough(r) && !stopped(r); k = (k + 1) % URNS) {
		struct urn *u = &r->urn[k];
		struct draw d;
		empty = u->empty ? empty + 1 : 0;
		if (u->empty || !urn_next(r, u, &d))
			continue;
		s = pair_test(r, &d, e);
		r->pairs++;
		show(r);
	}
	return s;
}

/* ---- the services that stand out ---- */

static double excess(const struct audit_port *p, int k)
{
	return (double)p->reached[k] - (double)p->able * pow(10, -k);
}

static void ports_name(struct audit *to, const struct pool *p)
{
	int k = to->worst_k;

	to->n_port = 0;
	for (size_t i = 0; i < p->n_port; i++) {
		struct audit_port down = p->port[i];
		if (!(excess(&down, k) > 0))
			continue;
		for (size_t j = 0; j < AUDIT_PORTS; j++) {
			if (j == to->n_port) {
				to->port[to->n_port++] = down;
				break;
			}
			if (excess(&down, k) > excess(&to->port[j], k)) {
				struct audit_port over = to->port[j];
				to->port[j] = down;
				down = over;
			}
		}
	}
}

/* ---- the whole ---- */

static enum status draws_make(struct running *r, struct err *e)
{
	enum status s = pool_make(&r->pool, &r->scan, e);

	if (s != STATUS_OK)
		return s;
	r->to->flows = r->pool.n;
	r->to->searchable = r->pool.searchable;
	urn_make(&r->urn[0], r->pool.n_active, AUDIT_MINUTES, false, r->p->seed);
	urn_make(&r->urn[1], r->pool.n_active, AUDIT_FREE, false, r->p->seed);
	urn_make(&r->urn[2], r->pool.n, AUDIT_MINUTES, true, r->p->seed);
	urn_make(&r->urn[3], r->pool.n, AUDIT_FREE, true, r->p->seed);
	r->blind = arena_array(&r->pool.arena, move_blind_most(&r->pool) + 1, sizeof(*r->blind));
	return r->blind ? STATUS_OK : err_nomem(e);
}

static enum status measured(struct running *r, struct err *e)
{
	struct audit *to = r->to;
	enum status s = draws_make(r, e);

	if (s == STATUS_OK)
		s = draw_all(r, e);
	if (s != STATUS_OK)
		return s;
	to->hosts = pool_hosts(&r->pool);
	if (to->max_log10_e < -DBL_MAX) /* no pair was able */
		to->max_log10_e = 0;
	to->stopped = stopped(r);
	audit_judge(to);
	ports_name(to, &r->pool);
	if (to->part[AUDIT_ALL].pairs > 0 || to->stopped)
		return STATUS_OK;
	return err_set(e, STATUS_BAD,
		"audit: no pair to draw: of %zu flows that carried enough no two can be moved so that they "
		"meet (hours of traffic, or hosts that have nothing in common, are needed)",
		r->pool.n);
}

enum status audit_run(struct tracer *t, const struct audit_param *p, struct audit *to, struct err *e)
{
	const struct scan_param one_host = {0};
	struct running r = {.t = t, .p = p, .to = to, .scan = {.t = t, .p = &one_host}};
	struct store_query q = {
		.since = p->since, .until = p->until, .port = -1, .gap_us = BURST_GAP_RECORDED_US};

	*to = (struct audit){.made = t->w->now(t->w->self),
		.seed = p->seed,
		.wanted = p->pairs,
		.alpha = p->alpha,
		.max_log10_e = -INFINITY};
	enum status s = recording_read(&r.scan.rec, t->w, t->dir, &q, e);
	if (s != STATUS_OK)
		return s;
	s = measured(&r, e);
	pool_free(&r.pool);
	recording_free(&r.scan.rec);
	return s;
}
