/* A prefix may be told to fewer providers than its origin has.  Which ones, the tables show; peers and
 * customers are taken to be told always, since hardly any collector sees those links: nothing is called cut
 * off that may not be. */
#include "base/order.h"
#include "map/isolate.h"

static bool has_role(
	const struct graph *g, const uint32_t *source, size_t n, uint32_t node, enum link_role role)
{
	for (size_t i = 0; i < n; i++)
		if (graph_has(g, source[i], role, node))
			return true;
	return false;
}

static bool is_neighbour(const struct graph *g, const uint32_t *source, size_t n, uint32_t node)
{
	for (int role = 0; role < LINK_ROLES; role++)
		if (has_role(g, source, n, node, (enum link_role)role))
			return true;
	return false;
}

/* The graph without the sources' links to providers that are not among the n told. */
static enum status graph_told(struct graph *to, const struct graph *g, const uint32_t *source,
	size_t n_source, const uint32_t *told, size_t n, struct arena *a, struct err *e)
{
	const uint32_t *row = g->row[LINK_PROVIDERS], *all = g->to[LINK_PROVIDERS];
	uint32_t *at = arena_array(a, (size_t)g->n + 1, sizeof(*at));
	uint32_t *kept = arena_array(a, (size_t)row[g->n] + 1, sizeof(*kept));
	uint32_t k = 0;

	if (!at || !kept)
		return err_nomem(e);
	for (uint32_t v = 0; v < g->n; v++) {
		bool is = u32_has(source, n_source, v);
		at[v] = k;
		for (uint32_t i = row[v]; i < row[v + 1]; i++)
			if (!is || u32_has(told, n, all[i]))
				kept[k++] = all[i];
	}
	at[g->n] = k;
	*to = *g;
	to->row[LINK_PROVIDERS] = at;
	to->to[LINK_PROVIDERS] = kept;
	return STATUS_OK;
}

enum status chart_told(struct graph *to, bool *limited, const struct chart *c, const struct atlas *at,
	const struct net *net, const uint32_t *source, size_t n_source, struct arena *a, struct err *e)
{
	struct upstream *u;
	size_t n_u, n = 0;

	*to = c->graph;
	*limited = false;
	if (net->kind != NET_PREFIX || net->n_prefix == 0 || net->n_own != 1)
		return STATUS_OK; /* of several origins each has links of its own: nobody is left out */
	struct upstream_ask ask = {
		net->own, net->n_own, &net->prefix[0]}; /* itself: the shortest comes first */
	enum status st = depend_upstreams(&u, &n_u, at->paths, at->n_paths, &ask, a, e);
	uint32_t *told = st == STATUS_OK ? arena_array(a, n_u + 1, sizeof(*told)) : NULL;
	if (!told)
		return st == STATUS_OK ? err_nomem(e) : st;
	for (size_t i = 0; i < n_u; i++) {
		uint32_t node = graph_node(&c->graph, u[i].asn);
		if (node == NO_NODE || !is_neighbour(&c->graph, source, n_source, node))
			return STATUS_OK; /* a way that the relationships do not know: it may be one up */
		if (has_role(&c->graph, source, n_source, node, LINK_PROVIDERS))
			told[n++] = node;
	}
	if (n == 0)
		return STATUS_OK; /* no provider is seen: nothing is known of whom it is told to */
	*limited = true;
	return graph_told(to, &c->graph, source, n_source, told, n, a, e);
}
