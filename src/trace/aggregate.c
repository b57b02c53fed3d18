/* The flows between two hosts at one service port as one train.
 *
 * In go a host's flows, out come aggregates.  The merged train is a train like any other: what the other
 * members do is part of its own past, so a tool that loops through short flows predicts itself, and the null
 * of the link test needs no change.  What is proven of it is proven of all members together and of none
 * alone.
 *
 * A group is split where none of its flows was alive for ten minutes: a host's logins of last week and those
 * of today are not one doing, a claim would carry both to where only one was asked about, and what a flow's
 * aggregate is would hang on how far back the recording reaches.  Ten minutes is what ends a flow without
 * connection, too (FLOW_IDLE_OTHER_US).
 *
 * What dominates: one interactive session beside two hundred logins would be most of the merged train, and
 * what it does alone would hide what the logins do.  It has bursts enough to be proven alone, so it is left
 * to that.  How long is too long is a fixed number and not a share of the group, so that a flow's being a
 * member does not change as others come. */
#include "trace/aggregate.h"

#include <stdlib.h>
#include <string.h>

/* A flow and what its group is told by. */
struct item {
	const struct flow *f;
	const struct ip *peer;
	uint16_t port; /* service port */
	uint8_t opener;
	bool by_peer; /* the peer opened it */
	size_t at;    /* its place in the list that came in */
};

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

static bool is_short(const struct flow *f)
{
	for (int d = 0; d < 2; d++)
		if (f->n_burst[d] >= AGGREGATE_BURSTS &&
			bursts_count(f->burst[d], f->n_burst[d], BURST_GAP_READ_US) >= AGGREGATE_BURSTS)
			return false;
	return true;
}

/* Can it be a member at all? */
static bool joins(const struct flow *f)
{
	return has_ports(f->head.proto) && f->head.end[0].port && f->head.end[1].port && !is_aggregate(f) &&
	       flow_carries(f) && is_short(f);
}

bool aggregate_has(const struct flow *agg, const struct flow *f, int64_t skew_us)
{
	const struct endpoint *x = agg->head.end, *y = f->head.end;
	int o = flow_opener(f);

	return agg->head.proto == f->head.proto && agg->head.vlan == f->head.vlan &&
	       ip_equal(&x[0].ip, &y[o].ip) && endpoint_equal(&x[1], &y[!o]) &&
	       flow_overlap(agg, f, skew_us) && joins(f);
}

/* ---- groups ---- */

static int group_order(const struct item *x, const struct item *y)
{
	const struct flow_head *a = &x->f->head, *b = &y->f->head;
	int c = a->point == b->point ? 0 : strcmp(a->point, b->point);

	c = c ? c : (int)a->vlan - (int)b->vlan;
	c = c ? c : (int)a->proto - (int)b->proto;
	c = c ? c : (int)x->by_peer - (int)y->by_peer;
	c = c ? c : (int)x->port - (int)y->port;
	return c ? c : ip_compare(x->peer, y->peer);
}

static int item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = group_order(x, y);

	c = c ? c : (x->f->head.first_us > y->f->head.first_us) - (x->f->head.first_us < y->f->head.first_us);
	return c ? c : id_order(&x->f->head.id, &y->f->head.id);
}

static int by_start(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;
	int c = (x->start_us > y->start_us) - (x->start_us < y->start_us);

	return c ? c : (x->dur_us > y->dur_us) - (x->dur_us < y->dur_us);
}

/* ---- one aggregate ---- */

static uint32_t most32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The worst of both: the train is no better than its worst member. */
static void source_add(struct source *to, const struct source *s)
{
	to->kind = s->kind == SOURCE_FLOW_RECORDS ? s->kind : to->kind;
	to->resolution_us = most32(to->resolution_us, s->resolution_us);
	to->clock_error_us = most32(to->clock_error_us, s->clock_error_us);
	to->sampling = most32(to->sampling, s->sampling);
	to->gap_us = most32(to->gap_us, s->gap_us);
}

static void count_add(struct flow_count *to, const struct flow_count *c)
{
	if (c->last_us >= c->first_us) {
		bool none = to->last_us < to->first_us;
		to->first_us = none || c->first_us < to->first_us ? c->first_us : to->first_us;
		to->last_us = none || c->last_us > to->last_us ? c->last_us : to->last_us;
	}
	to->packets += c->packets;
	to->frame_bytes += c->frame_bytes;
	to->payload_bytes += c->payload_bytes;
}

/* Direction 0 of the aggregate is its initiator's, whichever end a member's recorder took for that. */
static void member_add(struct flow *to, const struct item *x)
{
	static const uint8_t derived[2] = {FLOW_DERIVED_0, FLOW_DERIVED_1};
	const struct flow *f = x->f;

	to->members++;
	to->last_us = f->last_us > to->last_us ? f->last_us : to->last_us;
	to->head.flags |= f->head.flags & FLOW_ASSUMED;
	source_add(&to->head.source, &f->head.source);
	for (int d = 0; d < 2; d++) {
		int from = d ^ x->opener;
		if (f->head.flags & derived[from])
			to->head.flags |= derived[d];
		count_add(&to->count[d], &f->count[from]);
		if (f->n_burst[from])
			memcpy(to->burst[d] + to->n_burst[d], f->burst[from],
				f->n_burst[from] * sizeof(struct burst));
		to->n_burst[d] += f->n_burst[from];
	}
}

/* Numbers and counters of single connections say nothing of many. */
static void head_begin(struct flow *to, const struct item *x)
{
	const struct flow_head *h = &x->f->head;

	*to = (struct flow){.head = {.point = h->point,
				    .vlan = h->vlan,
				    .proto = h->proto,
				    .first_us = h->first_us,
				    .end = {h->end[x->opener], h->end[!x->opener]},
				    .source = h->source},
		.count = {{.last_us = -1}, {.last_us = -1}},
		.last_us = x->f->last_us};
	to->head.end[0].port = 0;
}

static enum status aggregate_make(
	struct arena *a, const struct item *x, size_t n, struct flow **to, struct err *e)
{
	struct flow *f = arena_alloc(a, sizeof(*f));
	size_t most[2] = {0, 0};

	if (!f)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		for (int d = 0; d < 2; d++)
			most[d] += x[i].f->n_burst[d ^ x[i].opener];
	head_begin(f, x);
	for (int d = 0; d < 2; d++)
		if (!(f->burst[d] = arena_array(a, most[d] + 1, sizeof(struct burst))))
			return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		member_add(f, &x[i]);
	for (int d = 0; d < 2; d++) {
		qsort(f->burst[d], f->n_burst[d], sizeof(struct burst), by_start);
		f->n_burst[d] = bursts_merge(f->burst[d], f->n_burst[d], f->head.source.gap_us);
	}
	*to = f;
	return flow_make_id(&f->head) ? STATUS_OK : err_nomem(e);
}

/* ---- all of a list ---- */

/* How many of the sorted items, from the first on, are one aggregate's. */
static size_t run_of(const struct item *x, size_t n)
{
	int64_t alive = x[0].f->last_us;
	size_t k = 1;

	for (; k < n && group_order(&x[0], &x[k]) == 0 && x[k].f->head.first_us - alive < FLOW_IDLE_OTHER_US;
		k++)
		alive = x[k].f->last_us > alive ? x[k].f->last_us : alive;
	return k;
}

static size_t items_fill(struct item *to, const struct view *v, const struct flow *const *flow, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		const struct flow *f = flow[i];
		if (!joins(f))
			continue;
		int o = flow_opener(f), peer = ip_equal(&f->head.end[0].ip, &v->host);
		to[k++] = (struct item){.f = f,
			.peer = &f->head.end[peer].ip,
			.port = f->head.end[!o].port,
			.opener = (uint8_t)o,
			.by_peer = o == peer,
			.at = i};
	}
	return k;
}

static int by_first(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;
	int c = (x->head.first_us > y->head.first_us) - (x->head.first_us < y->head.first_us);

	return c ? c : id_order(&x->head.id, &y->head.id);
}

/* to has room for n.  alone (NULL, or n of them): left true where no aggregate has the flow. */
static enum status make_all(struct view *v, const struct flow *const *flow, size_t n, const struct flow **to,
	size_t *n_to, bool *alone, struct err *e)
{
	struct item *x = calloc(n + 1, sizeof(*x));
	enum status s = x ? STATUS_OK : err_nomem(e);
	size_t k = x ? items_fill(x, v, flow, n) : 0;

	*n_to = 0;
	if (k)
		qsort(x, k, sizeof(*x), item_order);
	for (size_t i = 0, run; i < k && s == STATUS_OK; i += run) {
		struct flow *f = NULL;
		run = run_of(&x[i], k - i);
		if (run < AGGREGATE_MIN)
			continue;
		s = aggregate_make(&v->rec->arena, &x[i], run, &f, e);
		if (s == STATUS_OK)
			to[(*n_to)++] = f;
		for (size_t j = i; alone && j < i + run; j++)
			alone[x[j].at] = false;
	}
	free(x);
	if (s == STATUS_OK && *n_to)
		qsort(to, *n_to, sizeof(*to), by_first);
	return s;
}

enum status aggregates_make(struct view *v, const struct flow *const *flow, size_t n, const struct flow ***to,
	size_t *n_to, struct err *e)
{
	*to = arena_array(&v->rec->arena, n / AGGREGATE_MIN + 1, sizeof(**to));
	return *to ? make_all(v, flow, n, *to, n_to, NULL, e) : err_nomem(e);
}

enum status trace_members(struct tracer *t, const struct ip *relay, const struct flow *f,
	const struct flow ***to, size_t *n, struct err *e)
{
	struct view *v;
	enum status s = view_get(t, relay, &v, e);

	*n = 0;
	*to = NULL;
	if (s != STATUS_OK || !is_aggregate(f))
		return s;
	*to = arena_array(&v->rec->arena, v->n + 1, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->by_tuple[i]->head.point, f->head.point) == 0 &&
			aggregate_has(f, v->by_tuple[i], 0))
			(*to)[(*n)++] = v->by_tuple[i];
	return s;
}

/* ---- as seen from a point ---- */

static enum status together_make(struct view *v, struct together *g, bool *alone, struct err *e)
{
	memset(alone, true, g->n * sizeof(*alone));
	enum status s = make_all(v, g->flow, g->n, g->leg, &g->n_aggregate, alone, e);

	g->n_leg = g->n_aggregate;
	for (size_t i = 0; i < g->n && s == STATUS_OK; i++)
		if (alone[i] && flow_carries(g->flow[i]))
			g->leg[g->n_leg++] = g->flow[i];
	return s;
}

enum status together_get(
	struct view *v, const char *point, int64_t skew_us, const struct together **to, struct err *e)
{
	for (*to = v->together; *to; *to = (*to)->next)
		if (strcmp((*to)->point, point) == 0)
			return STATUS_OK;
	struct together *g = arena_alloc(&v->rec->arena, sizeof(*g));
	if (!g)
		return err_nomem(e);
	enum status s = view_flows(v, point, skew_us, &g->flow, &g->n, e);
	if (s != STATUS_OK)
		return s;
	bool *alone = calloc(g->n + 1, sizeof(*alone));
	g->point = point;
	g->leg = arena_array(&v->rec->arena, g->n + 1, sizeof(*g->leg));
	s = alone && g->leg ? together_make(v, g, alone, e) : err_nomem(e);
	free(alone);
	if (s == STATUS_OK) {
		g->next = v->together;
		v->together = g;
		*to = g;
	}
	return s;
}
