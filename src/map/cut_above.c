/* What is above a target: the networks that ways up from it can pass, cut out of the whole graph and numbered
 * anew, so that a search costs what the target's surroundings cost and not the Internet. */
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "map/cut_in.h"

/* By node of the whole graph. */
enum place { PLACE_NONE, PLACE_SOURCE, PLACE_ABOVE };
struct making {
	const struct graph *g;
	const struct cut_ask *q;
	uint8_t *place;
	uint8_t *may_first; /* in q->first */
	uint8_t *is_first;
	uint32_t *found; /* the networks above, ascending at the end */
	uint32_t n;
	uint32_t *local; /* node -> number */
};

static bool nodes_fit(const struct graph *g, const uint32_t *node, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (node[i] >= g->n)
			return false;
	return true;
}

static enum status making_begin(
	struct making *m, const struct graph *g, const struct cut_ask *q, struct arena *a, struct err *e)
{
	*m = (struct making){.g = g, .q = q};
	if (!nodes_fit(g, q->source, q->n_source) || !nodes_fit(g, q->unwilling, q->n_unwilling) ||
		!nodes_fit(g, q->first, q->n_first))
		return err_set(e, STATUS_BAD, "no such network in the graph");
	m->place = arena_array(a, (size_t)g->n + 1, sizeof(*m->place));
	m->may_first = arena_array(a, (size_t)g->n + 1, sizeof(*m->may_first));
	m->is_first = arena_array(a, (size_t)g->n + 1, sizeof(*m->is_first));
	m->found = arena_array(a, (size_t)g->n + 1, sizeof(*m->found));
	m->local = arena_array(a, (size_t)g->n + 1, sizeof(*m->local));
	if (!m->place || !m->may_first || !m->is_first || !m->found || !m->local)
		return err_nomem(e);
	for (size_t i = 0; i < q->n_source; i++)
		m->place[q->source[i]] = PLACE_SOURCE;
	for (size_t i = 0; i < q->n_first; i++)
		m->may_first[q->first[i]] = 1;
	return STATUS_OK;
}

/* ---- who is above ---- */

static void found_add(struct making *m, uint32_t v)
{
	if (m->place[v] == PLACE_NONE) {
		m->place[v] = PLACE_ABOVE;
		m->found[m->n++] = v;
	}
}

static void first_add(struct making *m, uint32_t v)
{
	if (m->place[v] != PLACE_SOURCE && (!m->q->has_first || m->may_first[v])) {
		m->is_first[v] = 1;
		found_add(m, v);
	}
}

/* Has the graph a link between v and a network of the target? */
static bool linked_to_source(const struct making *m, uint32_t v)
{
	for (int r = 0; r < LINK_ROLES; r++)
		for (uint32_t k = m->g->row[r][v]; k < m->g->row[r][v + 1]; k++)
			if (m->place[m->g->to[r][k]] == PLACE_SOURCE)
				return true;
	return false;
}

static void first_steps(struct making *m)
{
	const struct graph *g = m->g;

	for (size_t i = 0; i < m->q->n_source; i++) {
		uint32_t v = m->q->source[i];
		for (uint32_t k = g->row[LINK_PROVIDERS][v]; k < g->row[LINK_PROVIDERS][v + 1]; k++)
			first_add(m, g->to[LINK_PROVIDERS][k]);
		for (uint32_t k = g->row[LINK_PEERS][v]; k < g->row[LINK_PEERS][v + 1]; k++)
			if (g->is_core[g->to[LINK_PEERS][k]])
				first_add(m, g->to[LINK_PEERS][k]);
	}
	for (size_t i = 0; m->q->has_first && m->q->n_source && i < m->q->n_first; i++)
		if (!linked_to_source(m, m->q->first[i]))
			first_add(m, m->q->first[i]);
}

/* Calls what(m, to) for each step up from v: to its providers and, by peering, into the core.  The core is
 * the end. */
static void steps_up(struct making *m, uint32_t v, void (*what)(struct making *, uint32_t))
{
	const struct graph *g = m->g;

	if (g->is_core[v])
		return;
	for (uint32_t k = g->row[LINK_PROVIDERS][v]; k < g->row[LINK_PROVIDERS][v + 1]; k++)
		what(m, g->to[LINK_PROVIDERS][k]);
	for (uint32_t k = g->row[LINK_PEERS][v]; k < g->row[LINK_PEERS][v + 1]; k++)
		if (g->is_core[g->to[LINK_PEERS][k]])
			what(m, g->to[LINK_PEERS][k]);
}

static void find_above(struct making *m)
{
	first_steps(m);
	for (uint32_t i = 0; i < m->n; i++)
		steps_up(m, m->found[i], found_add);
	qsort(m->found, m->n, sizeof(*m->found), u32_order);
	for (uint32_t i = 0; i < m->n; i++)
		m->local[m->found[i]] = i;
}

/* ---- as a graph of its own ---- */

struct rows {
	uint32_t *row, *to, *down_row, *down;
};

static enum status rows_memory(
	struct rows *r, const struct making *m, size_t n_step, struct arena *a, struct err *e)
{
	r->row = arena_array(a, (size_t)m->n + 1, sizeof(*r->row));
	r->down_row = arena_array(a, (size_t)m->n + 2, sizeof(*r->down_row));
	r->to = arena_array(a, n_step + 1, sizeof(*r->to));
	r->down = arena_array(a, n_step + 1, sizeof(*r->down));
	return r->row && r->to && r->down_row && r->down ? STATUS_OK : err_nomem(e);
}

static size_t steps_most(const struct making *m)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->n; i++)
		for (int r = LINK_PROVIDERS; r <= LINK_PEERS; r++)
			n += m->g->row[r][m->found[i] + 1] - m->g->row[r][m->found[i]];
	return n;
}

/* The steps up of i behind *at; back to the target is no step. */
static void row_put(const struct making *m, struct rows *r, uint32_t i, uint32_t *at)
{
	const struct graph *g = m->g;
	uint32_t v = m->found[i];

	for (int role = LINK_PROVIDERS; role <= LINK_PEERS && !g->is_core[v]; role++)
		for (uint32_t k = g->row[role][v]; k < g->row[role][v + 1]; k++) {
			uint32_t w = g->to[role][k];
			if (m->place[w] == PLACE_ABOVE && (role == LINK_PROVIDERS || g->is_core[w]))
				r->to[(*at)++] = m->local[w];
		}
}

static void rows_turn(struct rows *r, uint32_t n)
{
	for (uint32_t k = 0; k < r->row[n]; k++)
		r->down_row[r->to[k] + 2]++;
	for (uint32_t v = 2; v <= n; v++)
		r->down_row[v] += r->down_row[v - 1];
	for (uint32_t v = 0; v < n; v++)
		for (uint32_t k = r->row[v]; k < r->row[v + 1]; k++)
			r->down[r->down_row[r->to[k] + 1]++] = v;
}

static enum status marks_make(struct above *to, const struct making *m, struct arena *a, struct err *e)
{
	uint8_t *end = arena_array(a, (size_t)m->n + 1, 1), *fixed = arena_array(a, (size_t)m->n + 1, 1);
	uint32_t *first = arena_array(a, (size_t)m->n + 1, sizeof(*first));

	if (!end || !fixed || !first)
		return err_nomem(e);
	for (uint32_t i = 0; i < m->n; i++) {
		end[i] = m->g->is_core[m->found[i]];
		if (m->is_first[m->found[i]])
			first[to->n_first++] = i;
	}
	for (size_t i = 0; i < m->q->n_unwilling; i++)
		if (m->place[m->q->unwilling[i]] == PLACE_ABOVE)
			fixed[m->local[m->q->unwilling[i]]] = 1;
	to->is_end = end;
	to->fixed = fixed;
	to->first = first;
	return STATUS_OK;
}

enum status above_make(
	struct above *to, const struct graph *g, const struct cut_ask *q, struct arena *a, struct err *e)
{
	struct making m;
	struct rows r;
	enum status s = making_begin(&m, g, q, a, e);

	*to = (struct above){0};
	if (s != STATUS_OK)
		return s;
	find_above(&m);
	s = rows_memory(&r, &m, steps_most(&m), a, e);
	if (s != STATUS_OK)
		return s;
	uint32_t at = 0;
	for (uint32_t i = 0; i < m.n; i++) {
		row_put(&m, &r, i, &at);
		r.row[i + 1] = at;
	}
	rows_turn(&r, m.n);
	to->n = m.n;
	to->node = m.found;
	to->row = r.row;
	to->to = r.to;
	to->down_row = r.down_row;
	to->down = r.down;
	return marks_make(to, &m, a, e);
}
