/* Routes of a scope with their weights.  Prefixes are sorted so that the more specific ones of a prefix
 * follow it; each session has a stack of the prefixes that the walk stands in.  A prefix is done when the
 * walk leaves it: what its direct more specifics did not take away is its weight. */
#include <stdlib.h>

#include "map/net_in.h"
#include "map/walk.h"

#define DEEPEST 129 /* prefixes that can contain each other: one a length */

struct open_prefix {
	uint32_t prefix, path;
	double left; /* addresses that no more specific one has taken */
};
struct open_stack {
	struct open_prefix at[DEEPEST];
	uint8_t n;
	bool listed; /* in walking.busy */
};

struct walking {
	const struct walk *w;
	struct open_stack *stack; /* by session */
	uint32_t *busy;           /* sessions whose stack is perhaps not empty */
	size_t n_busy;
	bool failed;
};

static uint64_t mask(unsigned len)
{
	return len == 0 ? 0 : len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
}

static bool covers(const struct map_prefix *a, const struct map_prefix *b)
{
	return a->v == b->v && a->len <= b->len && ((a->hi ^ b->hi) & mask(a->len)) == 0 &&
	       (a->len <= 64 || ((a->lo ^ b->lo) & mask(a->len - 64U)) == 0);
}

static double size_of(const struct map_prefix *p)
{
	return p->v == 4 && p->len <= 32 ? (double)(UINT64_C(1) << (32 - p->len)) : 1.0;
}

/* Is a route with that path, to that prefix, of the scope?  *r has its path. */
static bool in_scope(struct walk_route *r, const struct walk *w, const struct open_prefix *o)
{
	r->as = paths_path(w->paths, o->path, &r->n_as);
	if (r->n_as == 0)
		return false;
	return w->origin_in[r->as[r->n_as - 1]] || (w->prefix_in && w->prefix_in[o->prefix]);
}

static void close_top(struct walking *g, uint32_t session)
{
	const struct open_prefix *o = &g->stack[session].at[--g->stack[session].n];
	struct walk_route r = {.session = session, .prefix = o->prefix, .path = o->path, .weight = o->left};

	if (o->left > 0 && !g->failed && in_scope(&r, g->w, o))
		g->failed = !g->w->visit(g->w->self, &r);
}

static void open_route(struct walking *g, uint32_t prefix, size_t route)
{
	const struct paths *p = g->w->paths;
	uint32_t session = p->route_session[route];

	if (session >= p->n_session)
		return; /* damaged */
	struct open_stack *s = &g->stack[session];
	while (s->n && !covers(&p->prefix[s->at[s->n - 1].prefix], &p->prefix[prefix]))
		close_top(g, session);
	if (s->n && s->at[s->n - 1].prefix == prefix)
		return; /* add-path: the first of several is the best one as far as anybody can tell */
	if (s->n == DEEPEST)
		return; /* damaged: not sorted */
	double size = size_of(&p->prefix[prefix]);
	if (s->n && p->prefix[prefix].v == 4)
		s->at[s->n - 1].left -= size;
	if (!s->listed)
		g->busy[g->n_busy++] = session;
	s->listed = true;
	s->at[s->n++] = (struct open_prefix){prefix, p->route_path[route], size};
}

static void close_all(struct walking *g)
{
	for (size_t i = 0; i < g->n_busy; i++) {
		while (g->stack[g->busy[i]].n)
			close_top(g, g->busy[i]);
		g->stack[g->busy[i]].listed = false;
	}
	g->n_busy = 0;
}

/* The prefix `first` and all that are more specific; returns the place behind them. */
static uint32_t walk_below(struct walking *g, uint32_t first)
{
	const struct paths *p = g->w->paths;
	uint32_t i = first;

	for (; i < p->n_prefix && covers(&p->prefix[first], &p->prefix[i]); i++) {
		uint64_t from = p->route_at[i], to = p->route_at[i + 1];
		for (uint64_t k = from; k < to && to <= p->n_route; k++)
			open_route(g, i, k);
	}
	close_all(g);
	return i > first ? i : first + 1;
}

/* The prefixes of the scope by index: 1 in *mark. */
static void mark_scope(uint8_t *mark, const struct walk *w)
{
	const struct paths *p = w->paths;

	for (size_t as = 0; as < p->n_as; as++) {
		if (!w->origin_in[as])
			continue;
		for (uint32_t k = p->origin_at[as]; k < p->origin_at[as + 1] && k < p->n_origin; k++)
			if (p->origin_prefix[k] < p->n_prefix)
				mark[p->origin_prefix[k]] = 1;
	}
	for (size_t i = 0; w->prefix_in && i < p->n_prefix; i++)
		mark[i] |= w->prefix_in[i];
}

enum status walk_scope(const struct walk *w, struct err *e)
{
	const struct paths *p = w->paths;
	struct walking g = {.w = w};
	uint8_t *mark = calloc(p->n_prefix + 1, 1);

	g.stack = malloc((p->n_session + 1) * sizeof(*g.stack));
	g.busy = calloc(p->n_session + 1, sizeof(*g.busy));
	g.failed = !mark || !g.stack || !g.busy;
	if (!g.failed) {
		for (size_t i = 0; i < p->n_session; i++) {
			g.stack[i].n = 0; /* the rest is written before it is read */
			g.stack[i].listed = false;
		}
		mark_scope(mark, w);
		for (uint32_t i = 0; i < p->n_prefix && !g.failed;)
			i = mark[i] && p->prefix[i].v == w->family && is_space(&p->prefix[i])
				    ? walk_below(&g, i)
				    : i + 1;
	}
	free(mark);
	free(g.stack);
	free(g.busy);
	return g.failed ? err_nomem(e) : STATUS_OK;
}
