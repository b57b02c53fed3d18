/* The AS graph of a question, from the rows of one links sheet or of several, and its transit-free core.
 *
 * One sheet is used where it lies.  Several are merged row by row: a network's neighbours of all sheets are
 * marked, the first sheet that knows a link decides what it is, and the network is then appended to the rows
 * of its neighbours; since networks come in ascending order every row comes out sorted without a sort.
 * Rows come from a file: what points outside of its table makes the sheet damaged. */
#include "base/order.h"
#include "map/graph.h"

#include <stdlib.h>
#include <string.h>

const char *const core_source_text[] = {
	"the clique that the relationship file names",
	"providerless networks that peer with one another, largest customer cone first",
};

/* What b is to a, when a is this to b. */
static const enum link_role role_back[LINK_ROLES] = {LINK_CUSTOMERS, LINK_PEERS, LINK_PROVIDERS};

uint32_t graph_node(const struct graph *g, uint32_t asn)
{
	return u32_find(g->asn, g->n, asn);
}

bool graph_has(const struct graph *g, uint32_t a, enum link_role role, uint32_t b)
{
	const uint32_t *row = g->row[role];

	return u32_has(g->to[role] + row[a], row[a + 1] - row[a], b);
}

/* ---- is a sheet what it should be? ---- */

static bool rows_fit(const struct links *l, enum link_role r)
{
	const uint32_t *row = l->row[r];

	if (!row || row[0] != 0 || row[l->n_as] != l->n_to[r])
		return false;
	for (size_t i = 0; i < l->n_as; i++)
		if (row[i] > row[i + 1])
			return false;
	for (size_t i = 0; i < l->n_to[r]; i++)
		if (l->to[r][i] >= l->n_as)
			return false;
	return true;
}

static bool links_fit(const struct links *l)
{
	if (l->n_as >= NO_NODE)
		return false;
	for (size_t i = 1; i < l->n_as; i++)
		if (l->as[i - 1] >= l->as[i])
			return false;
	for (int r = 0; r < LINK_ROLES; r++)
		if (!rows_fit(l, (enum link_role)r))
			return false;
	return true;
}

/* ---- several sheets ---- */

struct merge {
	const struct links *const *l;
	size_t n_l;
	uint32_t **node;  /* of each sheet: AS index -> node */
	uint32_t **index; /* of each sheet: node -> AS index, or NO_NODE */
	uint32_t *seen;   /* by node: the last network + 1 whose neighbour it was marked as */
	uint32_t *fill[LINK_ROLES], *to[LINK_ROLES];
};

/* All AS numbers, once, ascending. */
static enum status merge_nodes(struct graph *g, const struct merge *m, struct arena *a, struct err *e)
{
	size_t all = 0, n = 0, kept = 0;

	for (size_t i = 0; i < m->n_l; i++)
		all += m->l[i]->n_as;
	uint32_t *asn = arena_array(a, all + 1, sizeof(*asn));
	if (!asn)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_l; n += m->l[i]->n_as, i++)
		if (m->l[i]->n_as)
			memcpy(&asn[n], m->l[i]->as, m->l[i]->n_as * sizeof(*asn));
	qsort(asn, n, sizeof(*asn), u32_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || asn[kept - 1] != asn[i])
			asn[kept++] = asn[i];
	if (kept >= NO_NODE)
		return err_set(e, STATUS_BAD, "more networks than can be numbered");
	g->asn = asn;
	g->n = (uint32_t)kept;
	return STATUS_OK;
}

static enum status merge_index(struct merge *m, const struct graph *g, struct arena *a, struct err *e)
{
	m->node = arena_array(a, m->n_l, sizeof(*m->node));
	m->index = arena_array(a, m->n_l, sizeof(*m->index));
	m->seen = arena_array(a, (size_t)g->n + 1, sizeof(*m->seen));
	if (!m->node || !m->index || !m->seen)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_l; i++) {
		m->node[i] = arena_array(a, m->l[i]->n_as + 1, sizeof(**m->node));
		m->index[i] = arena_array(a, (size_t)g->n + 1, sizeof(**m->index));
		if (!m->node[i] || !m->index[i])
			return err_nomem(e);
		uint32_t k = 0;
		for (uint32_t v = 0; v < g->n; v++) {
			bool here = k < m->l[i]->n_as && m->l[i]->as[k] == g->asn[v];
			m->index[i][v] = here ? k : NO_NODE;
			if (here)
				m->node[i][k++] = v;
		}
	}
	return STATUS_OK;
}

/* Each neighbour of v once, with what it is to v by the first sheet that knows the link: counted in, or (to
 * filled) v appended to, the neighbour's row. */
static void merge_row(struct merge *m, uint32_t v, bool count)
{
	for (size_t i = 0; i < m->n_l; i++) {
		uint32_t k = m->index[i][v];
		for (int r = 0; r < LINK_ROLES && k != NO_NODE; r++) {
			const uint32_t *row = m->l[i]->row[r], *to = m->l[i]->to[r];
			enum link_role back = role_back[r];
			for (uint32_t at = row[k]; at < row[k + 1]; at++) {
				uint32_t w = m->node[i][to[at]];
				if (m->seen[w] == v + 1)
					continue;
				m->seen[w] = v + 1;
				uint32_t place = m->fill[back][w + !count]++;
				if (!count)
					m->to[back][place] = v;
			}
		}
	}
}

/* fill[w] is where w's row begins after counting, and where its next neighbour goes while filling. */
static enum status merge_rows(struct graph *g, struct merge *m, struct arena *a, struct err *e)
{
	for (int r = 0; r < LINK_ROLES; r++)
		if (!(m->fill[r] = arena_array(a, (size_t)g->n + 2, sizeof(**m->fill))))
			return err_nomem(e);
	for (uint32_t v = 0; v < g->n; v++)
		merge_row(m, v, true);
	for (int r = 0; r < LINK_ROLES; r++) {
		uint32_t before = 0;
		for (uint32_t v = 0; v <= g->n; v++) {
			uint32_t n = m->fill[r][v];
			m->fill[r][v] = before;
			before += n;
		}
		/* Shifted by one: filling moves the beginning of v's row to its end, the next one's
		 * beginning. */
		memmove(m->fill[r] + 1, m->fill[r], ((size_t)g->n + 1) * sizeof(**m->fill));
		m->to[r] = arena_array(a, (size_t)before + 1, sizeof(**m->to));
		if (!m->to[r])
			return err_nomem(e);
	}
	memset(m->seen, 0, ((size_t)g->n + 1) * sizeof(*m->seen));
	for (uint32_t v = 0; v < g->n; v++)
		merge_row(m, v, false);
	for (int r = 0; r < LINK_ROLES; r++) {
		g->row[r] = m->fill[r];
		g->to[r] = m->to[r];
	}
	return STATUS_OK;
}

static enum status merge_make(
	struct graph *g, const struct links *const *l, size_t n, struct arena *a, struct err *e)
{
	struct merge m = {.l = l, .n_l = n};
	enum status s = merge_nodes(g, &m, a, e);

	if (s == STATUS_OK)
		s = merge_index(&m, g, a, e);
	return s == STATUS_OK ? merge_rows(g, &m, a, e) : s;
}

/* ---- the core ---- */

/* g->core from g->is_core. */
static enum status core_list(struct graph *g, struct arena *a, struct err *e)
{
	uint32_t *core = arena_array(a, (size_t)g->n + 1, sizeof(*core));

	if (!core)
		return err_nomem(e);
	g->n_core = 0;
	for (uint32_t v = 0; v < g->n; v++)
		if (g->is_core[v])
			core[g->n_core++] = v;
	g->core = core;
	return STATUS_OK;
}

/* The clique of the first sheet that names one (links sheets come newest first); no clique: none is marked.
 */
static enum status core_named(
	struct graph *g, const struct links *const *l, size_t n, struct arena *a, struct err *e)
{
	uint8_t *is = arena_array(a, (size_t)g->n + 1, sizeof(*is));
	bool any = false;

	if (!is)
		return err_nomem(e);
	for (size_t i = 0; i < n && !any; i++)
		for (size_t k = 0; k < l[i]->n_clique; k++) {
			uint32_t at = l[i]->clique[k];
			uint32_t v = at < l[i]->n_as ? graph_node(g, l[i]->as[at]) : NO_NODE;
			if (v == NO_NODE)
				return err_set(e, STATUS_BAD, "the clique of a links sheet is damaged");
			is[v] = 1;
			any = true;
		}
	g->is_core = is;
	g->core_source = CORE_NAMED;
	return core_list(g, a, e);
}

struct candidate {
	uint32_t node, customers, cone;
};

static int by_customers(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->customers != y->customers)
		return x->customers < y->customers ? 1 : -1;
	return (x->node > y->node) - (x->node < y->node);
}

static int by_cone(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->cone != y->cone)
		return x->cone < y->cone ? 1 : -1;
	return by_customers(a, b);
}

/* Networks below v: its customers, theirs, and so on.  seen[] is marked with v + 1. */
static uint32_t cone_size(const struct graph *g, uint32_t v, uint32_t *seen, uint32_t *queue)
{
	const uint32_t *row = g->row[LINK_CUSTOMERS], *to = g->to[LINK_CUSTOMERS];
	uint32_t n = 0;

	queue[n++] = v;
	seen[v] = v + 1;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = row[queue[i]]; k < row[queue[i] + 1]; k++)
			if (seen[to[k]] != v + 1) {
				seen[to[k]] = v + 1;
				queue[n++] = to[k];
			}
	return n - 1;
}

static size_t core_candidates(const struct graph *g, struct candidate *c)
{
	size_t n = 0;

	for (uint32_t v = 0; v < g->n; v++) {
		uint32_t up = g->row[LINK_PROVIDERS][v + 1] - g->row[LINK_PROVIDERS][v];
		uint32_t down = g->row[LINK_CUSTOMERS][v + 1] - g->row[LINK_CUSTOMERS][v];
		if (up == 0 && down > 0)
			c[n++] = (struct candidate){.node = v, .customers = down};
	}
	return n;
}

/* Does v peer with more than half of the core as it is so far?  Asking for all of them would let one link
 * that no collector saw keep a network out; the first needs none. */
static bool peers_with_core(const struct graph *g, uint32_t v, size_t n_core)
{
	size_t n = 0;

	for (uint32_t k = g->row[LINK_PEERS][v]; k < g->row[LINK_PEERS][v + 1]; k++)
		n += g->is_core[g->to[LINK_PEERS][k]];
	return 2 * n > n_core || n_core == 0;
}

/* Of providerless networks only so many, those with the most customers, have their cone counted: a cone
 * costs a walk over the graph, and a core of hundreds would be none. */
#define CORE_CANDIDATES ((size_t)256)

enum status graph_core_find(struct graph *g, struct arena *a, struct err *e)
{
	struct candidate *c = arena_array(a, (size_t)g->n + 1, sizeof(*c));
	uint32_t *seen = arena_array(a, (size_t)g->n + 1, sizeof(*seen));
	uint32_t *queue = arena_array(a, (size_t)g->n + 1, sizeof(*queue));
	uint8_t *is = arena_array(a, (size_t)g->n + 1, sizeof(*is));
	size_t n_core = 0;

	if (!c || !seen || !queue || !is)
		return err_nomem(e);
	size_t n = core_candidates(g, c);
	qsort(c, n, sizeof(*c), by_customers);
	n = n < CORE_CANDIDATES ? n : CORE_CANDIDATES;
	for (size_t i = 0; i < n; i++)
		c[i].cone = cone_size(g, c[i].node, seen, queue);
	qsort(c, n, sizeof(*c), by_cone);
	g->is_core = is;
	for (size_t i = 0; i < n; i++)
		if (peers_with_core(g, c[i].node, n_core)) {
			is[c[i].node] = 1;
			n_core++;
		}
	g->core_source = CORE_PROVIDERLESS;
	return core_list(g, a, e);
}

/* ---- the whole ---- */

static void graph_view(struct graph *g, const struct links *l)
{
	g->n = (uint32_t)l->n_as;
	g->asn = l->as;
	for (int r = 0; r < LINK_ROLES; r++) {
		g->row[r] = l->row[r];
		g->to[r] = l->to[r];
	}
}

enum status graph_make(
	struct graph *g, const struct links *const *l, size_t n, struct arena *a, struct err *e)
{
	enum status s = STATUS_OK;

	*g = (struct graph){0};
	if (n == 0)
		return err_set(e, STATUS_NO, "no relationships are loaded");
	for (size_t i = 0; i < n; i++)
		if (!links_fit(l[i]))
			return err_set(
				e, STATUS_BAD, "a links sheet is damaged: its rows point outside of it");
	if (n == 1)
		graph_view(g, l[0]);
	else
		s = merge_make(g, l, n, a, e);
	if (s == STATUS_OK)
		s = core_named(g, l, n, a, e);
	return s == STATUS_OK && g->n_core == 0 ? graph_core_find(g, a, e) : s;
}
