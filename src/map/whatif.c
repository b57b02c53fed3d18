/* Who reaches a target when some refuse, and who else is stranded.
 *
 * Routes spread in three phases (Gao, Rexford 2001): up, from customer to provider, as far as it goes; over
 * one peering; and down, from provider to customer.  A network prefers a customer's route to a peer's and
 * that to a provider's, then the shorter one, so its route is settled in the first phase that brings one:
 * the first by breadth, the third by rising length, since what comes down is the route its provider chose,
 * long or not. */
#include "map/whatif.h"

#include <stdlib.h>
#include <string.h>

/* ---- routes ---- */

struct spread {
	const struct graph *g;
	struct reach *to;
	uint8_t *shut;   /* networks that take no part */
	uint32_t *queue; /* networks with a route, in the order in which they got it */
	uint32_t n;
};

static bool nodes_fit(const struct graph *g, const uint32_t *node, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (node[i] >= g->n)
			return false;
	return true;
}

static void take(struct spread *s, uint32_t v, enum route_class c, uint32_t length)
{
	if (s->to->route[v] != ROUTE_NONE || s->shut[v])
		return;
	s->to->route[v] = (uint8_t)c;
	s->to->length[v] = length > UINT16_MAX ? UINT16_MAX : (uint16_t)length;
	s->queue[s->n++] = v;
}

/* v tells its route to its neighbours of that role. */
static void tell(struct spread *s, uint32_t v, enum link_role r, enum route_class c)
{
	const uint32_t *row = s->g->row[r], *to = s->g->to[r];

	for (uint32_t k = row[v]; k < row[v + 1]; k++)
		take(s, to[k], c, s->to->length[v] + 1U);
}

static void spread_up(struct spread *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		tell(s, s->queue[i], LINK_PROVIDERS, ROUTE_CUSTOMER);
}

/* The queue is by rising length, so that each peer hears of the shortest first. */
static void spread_across(struct spread *s)
{
	for (uint32_t i = 0, n = s->n; i < n; i++)
		tell(s, s->queue[i], LINK_PEERS, ROUTE_PEER);
}

/* The queue so far is two runs of rising length (customers' routes, peers' routes); what is added is a third.
 * The shortest of the three fronts tells first, so lengths never fall. */
static void spread_down(struct spread *s, uint32_t n_customer)
{
	uint32_t at[3] = {0, n_customer, s->n}, end[2] = {n_customer, s->n};
	const uint16_t *length = s->to->length;

	for (;;) {
		int best = -1;
		for (int k = 0; k < 3; k++) {
			bool left = at[k] < (k < 2 ? end[k] : s->n);
			if (left && (best < 0 || length[s->queue[at[k]]] < length[s->queue[at[best]]]))
				best = k;
		}
		if (best < 0)
			return;
		tell(s, s->queue[at[best]++], LINK_CUSTOMERS, ROUTE_PROVIDER);
	}
}

static enum status spread_begin(
	struct spread *s, struct reach *to, const struct graph *g, struct arena *a, struct err *e)
{
	*to = (struct reach){arena_array(a, (size_t)g->n + 1, sizeof(*to->route)),
		arena_array(a, (size_t)g->n + 1, sizeof(*to->length)), 0};
	*s = (struct spread){g, to, arena_array(a, (size_t)g->n + 1, sizeof(*s->shut)),
		arena_array(a, (size_t)g->n + 1, sizeof(*s->queue)), 0};
	return to->route && to->length && s->shut && s->queue ? STATUS_OK : err_nomem(e);
}

enum status reach_make(struct reach *to, const struct graph *g, const uint32_t *target, size_t n_target,
	const uint32_t *without, size_t n_without, struct arena *a, struct err *e)
{
	struct spread s;
	enum status st = spread_begin(&s, to, g, a, e);

	if (st != STATUS_OK)
		return st;
	if (!nodes_fit(g, target, n_target) || !nodes_fit(g, without, n_without))
		return err_set(e, STATUS_BAD, "no such network in the graph");
	for (size_t i = 0; i < n_without; i++)
		s.shut[without[i]] = 1;
	for (size_t i = 0; i < n_target; i++) {
		s.shut[target[i]] = 0;
		take(&s, target[i], ROUTE_SELF, 0);
	}
	uint32_t n_self = s.n;
	spread_up(&s);
	uint32_t n_customer = s.n;
	spread_across(&s);
	spread_down(&s, n_customer);
	to->n_reached = s.n - n_self;
	return STATUS_OK;
}

/* ---- ways up ---- */

/* Marks in has[] who has a way up to the core that meets no blocked network: from the core down. */
static void ways_up(const struct graph *g, const uint8_t *blocked, uint8_t *has, uint32_t *queue)
{
	uint32_t n = 0;

	memset(has, 0, g->n);
	for (size_t i = 0; i < g->n_core; i++)
		if (!blocked[g->core[i]]) {
			has[g->core[i]] = 1;
			queue[n++] = g->core[i];
		}
	for (uint32_t i = 0; i < n; i++)
		for (int r = LINK_PEERS; r <= LINK_CUSTOMERS; r++) {
			uint32_t v = queue[i];
			if (r == LINK_PEERS && !g->is_core[v])
				continue;
			for (uint32_t k = g->row[r][v]; k < g->row[r][v + 1]; k++) {
				uint32_t w = g->to[r][k];
				if (!has[w] && !blocked[w]) {
					has[w] = 1;
					queue[n++] = w;
				}
			}
		}
}

/* Whom pick() takes, ascending: in before, not in after, not apart. */
struct picked {
	const uint8_t *before, *after, *apart;
};

static enum status pick(const uint32_t **node, size_t *n, const struct graph *g, const struct picked *p,
	struct arena *a, struct err *e)
{
	uint32_t *to = arena_array(a, (size_t)g->n + 1, sizeof(*to));

	if (!to)
		return err_nomem(e);
	for (uint32_t v = 0; v < g->n; v++)
		if (p->before[v] && !p->after[v] && !p->apart[v])
			to[(*n)++] = v;
	*node = to;
	return STATUS_OK;
}

struct marks {
	uint8_t *blocked, *none, *apart; /* apart: blocks and targets */
};

static enum status marks_make(struct marks *m, const struct graph *g, const uint32_t *target, size_t n_target,
	const uint32_t *block, size_t n_block, struct arena *a, struct err *e)
{
	m->blocked = arena_array(a, (size_t)g->n + 1, 1);
	m->none = arena_array(a, (size_t)g->n + 1, 1);
	m->apart = arena_array(a, (size_t)g->n + 1, 1);
	if (!m->blocked || !m->none || !m->apart)
		return err_nomem(e);
	for (size_t i = 0; i < n_block; i++)
		m->blocked[block[i]] = m->apart[block[i]] = 1;
	for (size_t i = 0; i < n_target; i++)
		m->apart[target[i]] = 1;
	return STATUS_OK;
}

static enum status stranded_find(
	struct whatif *to, const struct graph *g, const struct marks *m, struct arena *a, struct err *e)
{
	uint8_t *before = arena_array(a, (size_t)g->n + 1, 1), *after = arena_array(a, (size_t)g->n + 1, 1);
	uint32_t *queue = arena_array(a, (size_t)g->n + 1, sizeof(*queue));

	if (!before || !after || !queue)
		return err_nomem(e);
	ways_up(g, m->none, before, queue);
	ways_up(g, m->blocked, after, queue);
	return pick(&to->stranded, &to->n_stranded, g, &(struct picked){before, after, m->apart}, a, e);
}

enum status whatif_make(struct whatif *to, const struct graph *g, const uint32_t *target, size_t n_target,
	const uint32_t *block, size_t n_block, struct arena *a, struct err *e)
{
	struct reach now, then;
	struct marks m;

	*to = (struct whatif){.n_all = g->n};
	if (!nodes_fit(g, block, n_block))
		return err_set(e, STATUS_BAD, "no such network in the graph");
	enum status s = reach_make(&now, g, target, n_target, NULL, 0, a, e);
	if (s == STATUS_OK)
		s = reach_make(&then, g, target, n_target, block, n_block, a, e);
	if (s == STATUS_OK)
		s = marks_make(&m, g, target, n_target, block, n_block, a, e);
	if (s != STATUS_OK)
		return s;
	to->before = now.n_reached;
	to->refusing = then.n_reached;
	s = pick(&to->losing, &to->n_losing, g, &(struct picked){now.route, then.route, m.apart}, a, e);
	return s == STATUS_OK ? stranded_find(to, g, &m, a, e) : s;
}
