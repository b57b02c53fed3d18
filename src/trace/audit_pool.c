/* The flows that the audit draws from, and what is known of each before any pair is made.
 *
 * A recording comes in.  A flow, or an aggregate of flows, is drawn where it has bursts enough that a pair of
 * such could reach 10^5; those with many are a pool of their own, since a pair that can reach nothing proves
 * nothing.  Of every host its peers are noted: two flows are strangers where no host of one has any peer, or
 * the network of one, in common with a host of the other. */
#include "trace/aggregate.h"
#include "trace/audit_in.h"

#include <stdlib.h>
#include <string.h>

#define BURSTS_MIN    6 /* in one direction, merged: fewer cannot reach 10^5 */
#define BURSTS_ACTIVE 24
#define NET_V4        16
#define NET_V6        32
#define PEERS_LOOK    1000               /* where both hosts have more, they count as having one in common */
#define TIME_MAX      (INT64_C(1) << 58) /* nothing later, nor before its negative, is drawn: sums fit */

/* ---- hosts and their peers ---- */

static int by_ip(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static uint32_t host_index(const struct pool *p, const struct ip *ip)
{
	const struct ip *at = bsearch(ip, p->host, p->n_host, sizeof(*p->host), by_ip);

	return (uint32_t)(at - p->host);
}

static bool hosts_list(struct pool *p)
{
	size_t n = 0, k = 0;

	p->host = arena_array(&p->arena, 2 * p->rec->n_flow + 1, sizeof(*p->host));
	if (!p->host)
		return false;
	for (size_t i = 0; i < p->rec->n_flow; i++)
		for (int side = 0; side < 2; side++)
			p->host[n++] = p->rec->flow[i].head.end[side].ip;
	qsort(p->host, n, sizeof(*p->host), by_ip);
	for (size_t i = 0; i < n; i++)
		if (!k || !ip_equal(&p->host[i], &p->host[k - 1]))
			p->host[k++] = p->host[i];
	p->n_host = k;
	return true;
}

/* Host and peer in one number, so that sorting groups and orders them. */
static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool peers_list(struct pool *p)
{
	size_t n = 0, k = 0;
	uint64_t *all = calloc(2 * p->rec->n_flow + 1, sizeof(*all));

	p->peer = arena_array(&p->arena, 2 * p->rec->n_flow + 1, sizeof(*p->peer));
	p->peers_at = arena_array(&p->arena, p->n_host + 2, sizeof(*p->peers_at));
	for (size_t i = 0; all && i < p->rec->n_flow; i++) {
		const struct endpoint *end = p->rec->flow[i].head.end;
		uint64_t a = host_index(p, &end[0].ip), b = host_index(p, &end[1].ip);
		all[n++] = a << 32 | b;
		all[n++] = b << 32 | a;
	}
	if (all)
		qsort(all, n, sizeof(*all), by_number);
	for (size_t i = 0, h = 0; all && p->peer && p->peers_at && i < n; i++) {
		if (i && all[i] == all[i - 1])
			continue;
		for (; h < all[i] >> 32; h++)
			p->peers_at[h + 1] = (uint32_t)k;
		p->peer[k++] = (uint32_t)all[i];
		p->peers_at[h + 1] = (uint32_t)k;
	}
	bool good = all && p->peer && p->peers_at;
	free(all);
	return good;
}

static int by_index(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_peer(const struct pool *p, uint32_t h, uint32_t of)
{
	return bsearch(&h, &p->peer[p->peers_at[of]], p->peers_at[of + 1] - p->peers_at[of], sizeof(*p->peer),
		       by_index) != NULL;
}

static bool common_peer(const struct pool *p, uint32_t x, uint32_t y)
{
	uint32_t n = p->peers_at[x + 1] - p->peers_at[x], m = p->peers_at[y + 1] - p->peers_at[y];

	if (n > m)
		return common_peer(p, y, x);
	for (uint32_t i = 0; i < n && n <= PEERS_LOOK; i++)
		if (is_peer(p, p->peer[p->peers_at[x] + i], y))
			return true;
	return n > PEERS_LOOK;
}

static bool one_network(const struct ip *a, const struct ip *b)
{
	struct prefix net = prefix_of(a, a->v == 4 ? NET_V4 : NET_V6);

	return prefix_has(&net, b);
}

bool pool_strangers(const struct pool *p, const struct drawn *a, const struct drawn *b)
{
	if (a->translated || b->translated)
		return false;
	for (int i = 0; i < 4; i++) {
		uint32_t x = a->host[i & 1], y = b->host[i >> 1];
		if (x == y || one_network(&p->host[x], &p->host[y]) || is_peer(p, x, y) ||
			common_peer(p, x, y))
			return false;
	}
	return true;
}

/* ---- observation points ---- */

static bool point_add(struct pool *p, const char *point, uint32_t *index)
{
	struct span all = {-TIME_MAX, TIME_MAX};

	for (*index = 0; *index < p->n_point; ++*index)
		if (strcmp(p->point[*index], point) == 0)
			return true;
	p->point[*index] = point;
	p->blind[*index] = recording_blind(p->rec, point, all, &p->n_blind[*index]);
	p->n_point++;
	return p->blind[*index] != NULL;
}

static bool points_room(struct pool *p)
{
	size_t n = p->rec->n_coverage + p->rec->n_flow + 1;

	p->point = arena_array(&p->arena, n, sizeof(*p->point));
	p->blind = arena_array(&p->arena, n, sizeof(*p->blind));
	p->n_blind = arena_array(&p->arena, n, sizeof(*p->n_blind));
	return p->point && p->blind && p->n_blind;
}

/* ---- flows ---- */

static int64_t pause_of(const struct burst *b, size_t n, int64_t pause)
{
	for (size_t i = 1; i < n; i++)
		if (b[i].start_us - b[i - 1].start_us > pause)
			pause = b[i].start_us - b[i - 1].start_us;
	return pause;
}

/* False where f cannot be drawn. */
static bool drawn_of(struct drawn *to, const struct flow *f)
{
	size_t n[2];

	*to = (struct drawn){.flow = f, .from_us = INT64_MAX, .to_us = INT64_MIN};
	for (int d = 0; d < 2; d++) {
		const struct burst *b = f->burst[d];
		n[d] = bursts_count(b, f->n_burst[d], BURST_GAP_READ_US);
		if (f->n_burst[d] == 0)
			continue;
		to->from_us = b[0].start_us < to->from_us ? b[0].start_us : to->from_us;
		to->to_us =
			b[f->n_burst[d] - 1].start_us > to->to_us ? b[f->n_burst[d] - 1].start_us : to->to_us;
		to->pause_us = pause_of(b, f->n_burst[d], to->pause_us);
	}
	size_t most = n[0] > n[1] ? n[0] : n[1];
	to->bursts = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
	to->translated = f->rewrite_of != NULL;
	return most >= BURSTS_MIN && to->from_us > -TIME_MAX && to->to_us < TIME_MAX;
}

static int by_bursts(const void *a, const void *b)
{
	const struct drawn *x = a, *y = b;
	int c = (x->bursts < y->bursts) - (x->bursts > y->bursts);

	c = c ? c : (x->from_us > y->from_us) - (x->from_us < y->from_us);
	return c ? c : id_order(&x->flow->head.id, &y->flow->head.id);
}

static int by_service(const void *a, const void *b)
{
	const struct audit_port *x = a, *y = b;
	int c = (int)x->proto - (int)y->proto;

	return c ? c : (int)x->port - (int)y->port;
}

static struct audit_port service_of(const struct flow *f)
{
	return (struct audit_port){.proto = f->head.proto, .port = f->head.end[!flow_opener(f)].port};
}

static bool services(struct pool *p)
{
	size_t k = 0;

	p->port = arena_array(&p->arena, p->n + 1, sizeof(*p->port));
	if (!p->port)
		return false;
	for (size_t i = 0; i < p->n; i++)
		p->port[i] = service_of(p->flow[i].flow);
	qsort(p->port, p->n, sizeof(*p->port), by_service);
	for (size_t i = 0; i < p->n; i++)
		if (!k || by_service(&p->port[i], &p->port[k - 1]) != 0)
			p->port[k++] = p->port[i];
	p->n_port = k;
	for (size_t i = 0; i < p->n; i++) {
		struct audit_port s = service_of(p->flow[i].flow);
		const struct audit_port *at = bsearch(&s, p->port, k, sizeof(*p->port), by_service);
		p->flow[i].port = (uint32_t)(at - p->port);
	}
	return true;
}

static bool flow_take(struct pool *p, const struct flow *f)
{
	struct drawn *d = &p->flow[p->n];

	if (!drawn_of(d, f))
		return true;
	for (int side = 0; side < 2; side++)
		d->host[side] = host_index(p, &f->head.end[side].ip);
	p->n++;
	return point_add(p, f->head.point, &d->point);
}

/* Flows between two hosts at one port are tested as one train, too (aggregate.h).  An aggregate is the same
 * from both ends: it is taken at the end that opened it, where that has a view. */
static enum status aggregates_take(struct pool *p, struct scan *sc, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < sc->n_view && s == STATUS_OK; i++) {
		struct view *v = &sc->view[i];
		const struct together *g;
		s = together_get(v, "", sc->t->cfg->clock_skew_us, &g, e);
		for (size_t k = 0; s == STATUS_OK && k < g->n_aggregate; k++) {
			const struct flow *f = g->leg[k];
			bool here = ip_equal(&f->head.end[0].ip, &v->host);
			if ((here || !config_owns(sc->t->cfg, &f->head.end[0].ip)) && !flow_take(p, f))
				s = err_nomem(e);
		}
	}
	return s;
}

/* An aggregate has three members at least, and a flow is in at most one at either end. */
static enum status flows_take(struct pool *p, struct scan *sc, struct err *e)
{
	bool good = true;

	p->flow = arena_array(&p->arena, 2 * p->rec->n_flow + 1, sizeof(*p->flow));
	for (size_t i = 0; p->flow && good && i < p->rec->n_flow; i++)
		good = flow_take(p, &p->rec->flow[i]);
	if (!p->flow || !good)
		return err_nomem(e);
	enum status s = scan_views(sc, e);
	if (s == STATUS_OK)
		s = aggregates_take(p, sc, e);
	qsort(p->flow, p->n, sizeof(*p->flow), by_bursts);
	while (p->n_active < p->n && p->flow[p->n_active].bursts >= BURSTS_ACTIVE)
		p->n_active++;
	return s;
}

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Pairs of flows with payload that were alive together: of each the flows that began before its end, less
 * those that began before it, or with it and stand before it. */
static bool searchable_count(struct pool *p)
{
	int64_t *first = calloc(2 * p->rec->n_flow + 1, sizeof(*first));
	size_t n = 0, j = 0;

	if (!first)
		return false;
	int64_t *last = first + p->rec->n_flow;
	for (size_t i = 0; i < p->rec->n_flow; i++) {
		const struct flow *f = &p->rec->flow[i];
		if (!flow_carries(f))
			continue;
		first[n] = f->head.first_us;
		last[n++] = f->last_us > f->head.first_us ? f->last_us : f->head.first_us;
	}
	qsort(first, n, sizeof(*first), by_time);
	qsort(last, n, sizeof(*last), by_time);
	/* those that end in order: the k-th to end meets whoever began by then, but for the k that ended */
	for (size_t k = 0; k < n; k++) {
		while (j < n && first[j] <= last[k])
			j++;
		p->searchable += j - 1 - k;
	}
	free(first);
	return true;
}

enum status pool_make(struct pool *p, struct scan *sc, struct err *e)
{
	*p = (struct pool){.rec = &sc->rec};
	if (!hosts_list(p) || !peers_list(p) || !points_room(p))
		return err_nomem(e);
	enum status s = flows_take(p, sc, e);
	if (s == STATUS_OK && (!services(p) || !searchable_count(p)))
		s = err_nomem(e);
	return s;
}

uint64_t pool_hosts(const struct pool *p)
{
	uint64_t n = 0;
	bool *seen = calloc(p->n_host + 1, sizeof(*seen));

	for (size_t i = 0; seen && i < p->n; i++) {
		for (int side = 0; side < 2; side++) {
			n += !seen[p->flow[i].host[side]];
			seen[p->flow[i].host[side]] = true;
		}
	}
	free(seen);
	return n;
}

void pool_free(struct pool *p)
{
	arena_free(&p->arena);
}
