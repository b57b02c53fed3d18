/* Whom a network cannot do without: dominators of the ways up, turned around.
 *
 * The root stands for the core as a whole; below it the core's networks; below each network its customers,
 * and below a core network those that peer with it too (a peering into the core is the last step of a way
 * up).  X dominates Y there exactly if every way up of Y leads through X.  Dominators by Lengauer and Tarjan
 * 1979, the simple version with path compression, O(m log n): a hostile file's long chains cost no more than
 * a real one.  Everything works on numbers of a depth-first walk; 0 is the root. */
#include <stdlib.h>

#include "map/graph.h"

struct walk {
	const struct graph *g;
	uint32_t n;                              /* numbered: the root and what it reaches */
	uint32_t *number;                        /* by node; 0: not reached (no node is the root) */
	uint32_t *node;                          /* by number */
	uint32_t *parent;                        /* by number, in the walk's tree */
	uint32_t *semi, *label, *ancestor, *dom; /* by number; ancestor 0: not linked yet, see link */
	uint32_t *bucket, *next;                 /* by number: whose semidominator it is, a list; 0 ends it */
	uint32_t *stack;
};

static enum status walk_memory(struct walk *w, const struct graph *g, struct arena *a, struct err *e)
{
	uint32_t **of[] = {&w->number, &w->node, &w->parent, &w->semi, &w->label, &w->ancestor, &w->dom,
		&w->bucket, &w->next, &w->stack};

	*w = (struct walk){.g = g, .n = 1};
	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		if (!(*of[i] = arena_array(a, (size_t)g->n + 2, sizeof(**of[i]))))
			return err_nomem(e);
	return STATUS_OK;
}

/* ---- the walk from the core down ---- */

static void walk_number(struct walk *w, uint32_t v, uint32_t parent)
{
	uint32_t i = w->n++;

	w->number[v] = i;
	w->node[i] = v;
	w->parent[i] = parent;
	w->semi[i] = w->label[i] = i;
}

/* The k-th network below v: its customers, then, of a core network, those that peer with it; NO_NODE behind
 * the last. */
static uint32_t below(const struct graph *g, uint32_t v, uint32_t k)
{
	uint32_t customers = g->row[LINK_CUSTOMERS][v + 1] - g->row[LINK_CUSTOMERS][v];
	uint32_t peers = g->is_core[v] ? g->row[LINK_PEERS][v + 1] - g->row[LINK_PEERS][v] : 0;

	if (k < customers)
		return g->to[LINK_CUSTOMERS][g->row[LINK_CUSTOMERS][v] + k];
	return k - customers < peers ? g->to[LINK_PEERS][g->row[LINK_PEERS][v] + k - customers] : NO_NODE;
}

/* Depth first; bucket[] holds how far each network's list was walked, and is zero again at the end. */
static void walk_from(struct walk *w, uint32_t top)
{
	size_t depth = 0;

	walk_number(w, top, 0);
	w->stack[depth++] = w->number[top];
	while (depth) {
		uint32_t i = w->stack[depth - 1];
		uint32_t v = below(w->g, w->node[i], w->bucket[i]++);
		if (v == NO_NODE) {
			w->bucket[i] = 0;
			depth--;
		} else if (!w->number[v] && !w->g->is_core[v]) {
			walk_number(w, v, i);
			w->stack[depth++] = w->number[v];
		}
	}
}

/* ---- the forest with path compression ---- */

/* The number with the least semidominator on the way from v to its tree's root, the root apart. */
static uint32_t eval(struct walk *w, uint32_t v)
{
	size_t depth = 0;
	uint32_t at = v;

	if (!w->ancestor[v])
		return v;
	for (; w->ancestor[w->ancestor[at] - 1]; at = w->ancestor[at] - 1)
		w->stack[depth++] = at;
	while (depth) { /* from the top down, so that each finds its ancestor done */
		uint32_t i = w->stack[--depth], up = w->ancestor[i] - 1;
		if (w->semi[w->label[up]] < w->semi[w->label[i]])
			w->label[i] = w->label[up];
		w->ancestor[i] = w->ancestor[up];
	}
	return w->label[v];
}

/* ancestor[] holds the number + 1, so that 0 is none; the root itself (number 0) is never linked. */
static void link_under(struct walk *w, uint32_t parent, uint32_t i)
{
	w->ancestor[i] = parent + 1;
}

/* ---- Lengauer and Tarjan ---- */

static void semi_try(struct walk *w, uint32_t i, uint32_t from)
{
	uint32_t u = eval(w, from);

	if (w->semi[u] < w->semi[i])
		w->semi[i] = w->semi[u];
}

/* Those right above i: its providers, and core networks that it peers with; the root above the core. */
static void semi_find(struct walk *w, uint32_t i)
{
	const struct graph *g = w->g;
	uint32_t v = w->node[i];

	if (g->is_core[v]) {
		w->semi[i] = 0;
		return;
	}
	for (uint32_t k = g->row[LINK_PROVIDERS][v]; k < g->row[LINK_PROVIDERS][v + 1]; k++)
		if (w->number[g->to[LINK_PROVIDERS][k]])
			semi_try(w, i, w->number[g->to[LINK_PROVIDERS][k]]);
	for (uint32_t k = g->row[LINK_PEERS][v]; k < g->row[LINK_PEERS][v + 1]; k++)
		if (g->is_core[g->to[LINK_PEERS][k]])
			semi_try(w, i, w->number[g->to[LINK_PEERS][k]]);
}

static void walk_dominators(struct walk *w)
{
	for (uint32_t i = w->n - 1; i > 0; i--) {
		uint32_t parent = w->parent[i];
		semi_find(w, i);
		w->next[i] = w->bucket[w->semi[i]];
		w->bucket[w->semi[i]] = i;
		link_under(w, parent, i);
		for (uint32_t v = w->bucket[parent]; v; v = w->next[v]) {
			uint32_t u = eval(w, v);
			w->dom[v] = w->semi[u] < w->semi[v] ? u : parent;
		}
		w->bucket[parent] = 0;
	}
	for (uint32_t i = 1; i < w->n; i++)
		if (w->dom[i] != w->semi[i])
			w->dom[i] = w->dom[w->dom[i]];
}

/* ---- the tree as ranges ---- */

struct ranges {
	uint32_t *idom, *enter, *leave, *dependents;
};

/* A dominator's number is below those of what it dominates: sizes from behind, places from the front. */
static void ranges_make(struct ranges *r, struct walk *w)
{
	uint32_t *size = w->semi, *place = w->label;

	for (uint32_t i = 0; i < w->n; i++)
		size[i] = 1;
	for (uint32_t i = w->n - 1; i > 0; i--)
		size[w->dom[i]] += size[i];
	place[0] = 1;
	for (uint32_t i = 1; i < w->n; i++) {
		uint32_t v = w->node[i], up = w->dom[i];
		r->enter[v] = place[up];
		r->leave[v] = place[up] + size[i];
		place[up] += size[i];
		place[i] = r->enter[v] + 1;
		r->idom[v] = up ? w->node[up] : v;
		r->dependents[v] = size[i] - 1;
	}
}

enum status dominators_make(struct dominators *d, const struct graph *g, struct arena *a, struct err *e)
{
	struct walk w;
	struct ranges r = {0};
	uint32_t **of[] = {&r.idom, &r.enter, &r.leave, &r.dependents};
	enum status s = walk_memory(&w, g, a, e);

	if (s != STATUS_OK)
		return s;
	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		if (!(*of[i] = arena_array(a, (size_t)g->n + 1, sizeof(**of[i]))))
			return err_nomem(e);
	for (uint32_t v = 0; v < g->n; v++)
		r.idom[v] = r.enter[v] = r.leave[v] = NO_NODE; /* no way up: in no range, holds none */
	for (size_t i = 0; i < g->n_core; i++)
		walk_from(&w, g->core[i]);
	walk_dominators(&w);
	ranges_make(&r, &w);
	*d = (struct dominators){g->n, r.idom, r.enter, r.leave, r.dependents};
	return STATUS_OK;
}
