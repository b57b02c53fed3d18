/* See graph_slow.h. */
#include "graph_slow.h"

#include <string.h>

#include "../lib/rnd.h"
#include "links_kit.h"

#define BIT(v) (UINT32_C(1) << (v))

/* ---- random topologies ---- */

static void core_choose(struct slow *s)
{
	uint32_t few = 1 + (uint32_t)kit_rnd(4);

	switch (kit_rnd(4)) {
	case 0: /* none named */
		break;
	case 1: /* anybody, with providers too */
		for (uint32_t i = 0; i < few; i++)
			s->core |= BIT(kit_rnd(s->n));
		break;
	default: /* the providerless */
		for (uint32_t v = 0; v < s->n; v++)
			if (!s->up[v] && kit_rnd(8))
				s->core |= BIT(v);
	}
}

/* By chance alone: dense or thin, many peers or none. */
static void link_any(struct slow *s, bool cyclic)
{
	uint64_t link = 5 + kit_rnd(40), across = kit_rnd(60);
	uint32_t rank[SLOW_MOST];

	for (uint32_t v = 0; v < s->n; v++)
		rank[v] = (uint32_t)kit_rnd(5);
	for (uint32_t v = 0; v < s->n; v++)
		for (uint32_t w = 0; w < v; w++) {
			bool below = rank[v] != rank[w] ? rank[v] < rank[w] : v < w;
			if (kit_rnd(100) >= link)
				continue;
			if (kit_rnd(100) < across) {
				s->peer[v] |= BIT(w);
				s->peer[w] |= BIT(v);
			} else if (cyclic ? kit_rnd(2) == 0 : below) {
				s->up[v] |= BIT(w);
			} else {
				s->up[w] |= BIT(v);
			}
		}
}

/* As the Internet is: a few at the top that peer with one another, everybody else with one to three providers
 * above it, and now and then a peer. */
static void link_tiers(struct slow *s)
{
	uint32_t top = 1 + (uint32_t)kit_rnd(3), order[SLOW_MOST];

	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t k = (uint32_t)kit_rnd(i + 1);
		order[i] = order[k];
		order[k] = i;
	}
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t k = i < top ? i : 1 + (uint32_t)kit_rnd(3), at = 0; k > 0; k--, at++) {
			uint32_t v = order[i], w = order[i < top ? at : kit_rnd(i)];
			bool across = i < top || kit_rnd(6) == 0;
			if (((s->up[v] | s->peer[v]) & BIT(w)))
				continue;
			*(across ? &s->peer[v] : &s->up[v]) |= BIT(w);
			s->peer[w] |= across ? BIT(v) : 0;
		}
}

void slow_make(struct slow *s, uint64_t seed, uint32_t most, bool cyclic)
{
	kit_state = 2 * seed + 1; /* each file that includes rnd.h has a state of its own */
	for (int i = 0; i < 8; i++)
		(void)kit_rnd(2);
	*s = (struct slow){.n = most - (uint32_t)kit_rnd(1 + kit_rnd(most - 2))}; /* rather many */
	for (uint32_t v = 0; v < s->n; v++)
		s->asn[v] = (v ? s->asn[v - 1] : 0) + 1 + (uint32_t)kit_rnd(90000);
	if (cyclic || kit_rnd(2))
		link_any(s, cyclic);
	else
		link_tiers(s);
	core_choose(s);
}

void slow_links(const struct slow *s, struct links *to, struct arena *a)
{
	struct link_line line[SLOW_MOST * SLOW_MOST];
	uint32_t clique[2 * SLOW_MOST]; /* all networks would be named, links or not */
	size_t n = 0, n_clique = 0;

	for (uint32_t v = 0; v < s->n; v++) {
		for (uint32_t w = 0; w < s->n; w++) {
			if (s->up[v] & BIT(w))
				line[n++] = (struct link_line){s->asn[w], s->asn[v], -1};
			if (w < v && s->peer[v] & BIT(w))
				line[n++] = (struct link_line){s->asn[v], s->asn[w], 0};
		}
		clique[n_clique++] = s->asn[v];
	}
	links_kit_make(to, a, line, n, clique, n_clique);
	uint32_t *core = arena_array(a, SLOW_MOST, sizeof(*core));
	to->n_clique = 0;
	for (uint32_t v = s->n; v-- > 0 && core;)
		if (s->core & BIT(v))
			core[to->n_clique++] = v;
	to->clique = core;
}

/* ---- ways up ---- */

static uint32_t steps(const struct slow *s, uint32_t v)
{
	return s->up[v] | (s->peer[v] & s->core);
}

bool slow_way(const struct slow *s, uint32_t source, uint32_t removed, uint32_t first)
{
	uint32_t at = 0, before = 0;

	for (uint32_t v = 0; v < s->n; v++)
		if (source & BIT(v))
			at |= steps(s, v) & first & ~source & ~removed;
	while (at != before) {
		before = at;
		for (uint32_t v = 0; v < s->n; v++)
			if (at & ~s->core & BIT(v))
				at |= steps(s, v) & ~source & ~removed;
	}
	return (at & s->core) != 0;
}

/* ---- routes ---- */

static enum route_class class_from(const struct slow *s, uint32_t v, uint32_t teller)
{
	if (s->up[teller] & BIT(v))
		return ROUTE_CUSTOMER;
	return s->peer[v] & BIT(teller) ? ROUTE_PEER : ROUTE_PROVIDER;
}

/* Does the teller tell v?  Own and customers' routes to everybody, others to customers. */
static bool tells(const struct slow *s, uint32_t teller, uint32_t v, const struct slow_route *r)
{
	bool linked = ((s->up[v] | s->peer[v]) & BIT(teller)) || (s->up[teller] & BIT(v));

	if (!linked || r->class == ROUTE_NONE)
		return false;
	for (uint32_t i = 0; i < r->n; i++)
		if (r->path[i] == v)
			return false;
	return r->class <= ROUTE_CUSTOMER || (s->up[v] & BIT(teller));
}

static bool better(const struct slow_route *a, const struct slow_route *b)
{
	if (b->class == ROUTE_NONE || a->class != b->class)
		return b->class == ROUTE_NONE || a->class < b->class;
	return a->n != b->n ? a->n < b->n : a->path[1] < b->path[1];
}

static void choose(const struct slow *s, uint32_t v, const struct slow_route *now, struct slow_route *to)
{
	*to = (struct slow_route){0};
	for (uint32_t w = 0; w < s->n; w++) {
		struct slow_route r = {class_from(s, v, w), now[w].n + 1, {v}};
		if (!tells(s, w, v, &now[w]))
			continue;
		memcpy(r.path + 1, now[w].path, now[w].n * sizeof(*r.path));
		if (better(&r, to))
			*to = r;
	}
}

void slow_routes(const struct slow *s, uint32_t target, uint32_t shut, struct slow_route to[SLOW_MOST])
{
	bool changed = true;

	memset(to, 0, SLOW_MOST * sizeof(*to));
	to[target] = (struct slow_route){ROUTE_SELF, 1, {target}};
	for (int round = 0; changed && round < 1000; round++) {
		changed = false;
		for (uint32_t v = 0; v < s->n; v++) {
			struct slow_route r;
			if (v == target || (shut & BIT(v)))
				continue;
			choose(s, v, to, &r);
			changed = changed || memcmp(&r, &to[v], sizeof(r)) != 0;
			to[v] = r;
		}
	}
}
