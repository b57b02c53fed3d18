/* The graph of a question with its weights: relationships where a file gives them, else inferred from the
 * paths. */
#include "map/inferred.h"
#include "map/isolate.h"

static enum status graph_of(struct chart *c, const struct atlas *at, struct arena *a, struct err *e)
{
	struct links inferred;
	const struct links *one = &inferred;

	if (at->n_links)
		return graph_make(&c->graph, at->links, at->n_links, a, e);
	if (!at->n_paths)
		return err_set(e, STATUS_NO,
			"no relationships and no BGP table are in use (weir map list, weir map load "
			"FILE...)");
	c->inferred = true;
	enum status st = inferred_links(&inferred, at, a, e);
	return st == STATUS_OK ? graph_make(&c->graph, &one, 1, a, e) : st;
}

enum status chart_make(struct chart *c, const struct atlas *at, struct arena *a, struct err *e)
{
	*c = (struct chart){0};
	enum status st = graph_of(c, at, a, e);
	if (st == STATUS_OK)
		st = dominators_make(&c->dom, &c->graph, a, e);
	if (st != STATUS_OK)
		return st;
	c->weight = arena_array(a, (size_t)c->graph.n + 1, sizeof(*c->weight));
	if (!c->weight)
		return err_nomem(e);
	for (uint32_t i = 0; i < c->graph.n; i++)
		c->weight[i] = 1 + (uint64_t)c->dom.dependents[i];
	return STATUS_OK;
}

enum status chart_nodes(const struct chart *c, const uint32_t *asn, size_t n, uint32_t **node, size_t *n_node,
	struct arena *a, struct err *e)
{
	*n_node = 0;
	*node = arena_array(a, n + 1, sizeof(**node));
	if (!*node)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		uint32_t at = graph_node(&c->graph, asn[i]);
		if (at != NO_NODE)
			(*node)[(*n_node)++] = at;
	}
	return STATUS_OK;
}
