/* The links of a NET to its providers and peers: what the relationships say, which tables show them, at which
 * dates. A link that one peer network alone shows, or that one date alone has, may be a forged path or a
 * misread one. */
#include <stdlib.h>

#include "map/hold.h"

struct hold *hold_find(struct hold *h, size_t n, uint32_t node)
{
	for (size_t i = 0; i < n; i++)
		if (h[i].node == node)
			return &h[i];
	return NULL;
}

bool hold_is_doubtful(const struct hold *h, uint32_t n_peer_as_seeing)
{
	bool one_peer = h->in_paths && h->n_peer_as == 1 && n_peer_as_seeing > 2;
	bool one_date = h->in_graph && h->n_date == 1 && h->n_dates > 1;

	return one_peer || one_date;
}

/* Neighbours in the graph, each once; a provider of one of NET's networks and peer of another is a provider.
 */
static enum status from_graph(struct isolate *to, const struct graph *g, struct arena *a, struct err *e)
{
	size_t most = 0;

	for (size_t i = 0; i < to->n_source; i++)
		for (int role = LINK_PROVIDERS; role <= LINK_PEERS; role++)
			most += g->row[role][to->source[i] + 1] - g->row[role][to->source[i]];
	to->hold = arena_array(a, most + 1, sizeof(*to->hold));
	uint8_t *seen = arena_array(a, (size_t)g->n + 1, 1);
	if (!to->hold || !seen)
		return err_nomem(e);
	for (size_t i = 0; i < to->n_source; i++)
		seen[to->source[i]] = 1;
	for (int role = LINK_PROVIDERS; role <= LINK_PEERS; role++)
		for (size_t i = 0; i < to->n_source; i++)
			for (uint32_t k = g->row[role][to->source[i]]; k < g->row[role][to->source[i] + 1];
				k++) {
				uint32_t node = g->to[role][k];
				if (seen[node])
					continue;
				seen[node] = 1;
				to->hold[to->n_hold++] = (struct hold){
					.node = node, .role = (enum link_role)role, .in_graph = true};
			}
	return STATUS_OK;
}

static bool is_customer(const struct isolate *to, const struct graph *g, uint32_t node)
{
	const uint32_t *row = g->row[LINK_CUSTOMERS];

	for (size_t i = 0; i < to->n_source; i++)
		for (uint32_t k = row[to->source[i]]; k < row[to->source[i] + 1]; k++)
			if (g->to[LINK_CUSTOMERS][k] == node)
				return true;
	return false;
}

/* What the tables show of them, and whom else they show. */
static enum status from_paths(struct isolate *to, const struct chart *c, const struct atlas *at,
	const struct net *net, struct arena *a, struct err *e)
{
	struct upstream_ask ask = {.asn = net->own, .n_asn = net->n_own};
	struct upstream *u;
	size_t n;
	enum status st = depend_upstreams(&u, &n, at->paths, at->n_paths, &ask, a, e);

	to->unrelated = st == STATUS_OK ? arena_array(a, n + 1, sizeof(*to->unrelated)) : NULL;
	if (st == STATUS_OK && !to->unrelated)
		st = err_nomem(e);
	for (size_t k = 0; st == STATUS_OK && k < n; k++) {
		uint32_t node = graph_node(&c->graph, u[k].asn);
		struct hold *h = node == NO_NODE ? NULL : hold_find(to->hold, to->n_hold, node);
		to->n_seeing = u[k].n_peer_as > to->n_seeing ? u[k].n_peer_as : to->n_seeing;
		if (h) {
			h->in_paths = true;
			h->n_peer_as = u[k].n_peer_as;
		} else if (node == NO_NODE || !is_customer(to, &c->graph, node)) {
			to->unrelated[to->n_unrelated++] = u[k];
		}
	}
	return st;
}

static bool linked(const struct links *l, uint32_t a, uint32_t b)
{
	for (int role = LINK_PROVIDERS; role <= LINK_PEERS; role++)
		for (uint32_t k = l->row[role][a]; k < l->row[role][a + 1]; k++)
			if (l->to[role][k] == b)
				return true;
	return false;
}

/* In how many of all relationship sheets, whatever their time, the link is, of those that know NET at all. */
static void from_dates(struct isolate *to, const struct chart *c, const struct links *l)
{
	bool knows = false;

	for (size_t i = 0; i < to->n_source; i++)
		knows = knows || links_as(l, c->graph.asn[to->source[i]]) != NO_LINK;
	for (size_t h = 0; knows && h < to->n_hold; h++) {
		uint32_t b = links_as(l, c->graph.asn[to->hold[h].node]);
		bool is = false;
		to->hold[h].n_dates++;
		for (size_t i = 0; b != NO_LINK && i < to->n_source && !is; i++) {
			uint32_t x = links_as(l, c->graph.asn[to->source[i]]);
			is = x != NO_LINK && linked(l, x, b);
		}
		to->hold[h].n_date += is;
	}
}

/* One that was forgotten meanwhile says nothing. */
static enum status from_sheet(
	struct isolate *to, const struct chart *c, const struct atlas *at, size_t i, struct err *e)
{
	struct sheet sheet;
	struct links l;
	enum status st = atlas_sheet(&sheet, at, i, e);

	if (st != STATUS_OK)
		return st == STATUS_NO ? STATUS_OK : st;
	st = links_view(&l, &sheet, e);
	if (st == STATUS_OK)
		from_dates(to, c, &l);
	else
		(void)err_wrap(e, "%s/map/%s.sheet", at->dir, at->entry[i].id);
	sheet_close(&sheet);
	return st;
}

enum status holds_make(struct isolate *to, const struct chart *c, const struct atlas *at,
	const struct net *net, struct arena *a, struct err *e)
{
	enum status st = from_graph(to, &c->graph, a, e);

	if (st == STATUS_OK)
		st = from_paths(to, c, at, net, a, e);
	for (size_t i = 0; i < at->n && st == STATUS_OK; i++)
		if (at->entry[i].sheet.kind == SHEET_LINKS && (at->entry[i].in_use || !at->entry[i].future))
			st = from_sheet(to, c, at, i, e);
	return st;
}
