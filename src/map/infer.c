/* Relationships from the paths of tables: which network pays which.
 *
 * Paths are valley-free as long as nobody gives transit for nothing: up from customer to provider, over one
 * peering at most, down again (Gao 2001).  So it is enough to know where a path's top is.  The core is found
 * first, by transit degree, as CAIDA does (Luckie, Huffaker, Dhamdhere, Giotsas, claffy 2013):
 * infer_clique.c; what is left and right of it is then settled by votes: infer_vote.c.  Here: the paths of
 * all sheets as one list, and their links, each once. */
#include "base/order.h"
#include "map/infer.h"

#include <stdlib.h>
#include <string.h>

#include "map/infer_in.h"
#include "map/intern.h"

/* ---- nodes ---- */

static enum status nodes_make(
	struct inferring *f, const struct paths *const *p, size_t n, struct arena *a, struct err *e)
{
	size_t all = 0, kept = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		all += p[i]->n_as;
	uint32_t *asn = arena_array(a, all + 1, sizeof(*asn));
	if (!asn)
		return err_nomem(e);
	for (size_t i = 0; i < n; at += p[i]->n_as, i++)
		if (p[i]->n_as)
			memcpy(&asn[at], p[i]->as, p[i]->n_as * sizeof(*asn));
	qsort(asn, all, sizeof(*asn), u32_order);
	for (size_t i = 0; i < all; i++)
		if (!kept || asn[kept - 1] != asn[i])
			asn[kept++] = asn[i];
	if (kept >= UINT32_MAX)
		return err_set(e, STATUS_BAD, "more networks than can be numbered");
	f->asn = asn;
	f->n = (uint32_t)kept;
	f->degree = arena_array(a, kept + 1, sizeof(*f->degree));
	f->in_clique = arena_array(a, kept + 1, sizeof(*f->in_clique));
	return f->degree && f->in_clique ? STATUS_OK : err_nomem(e);
}

/* ---- links, by hash ---- */

struct link_table {
	uint32_t *slot; /* link + 1; 0: free */
	size_t mask;
	uint64_t seed;
};

static size_t slot_of(const struct link_table *t, uint32_t a, uint32_t b)
{
	uint64_t key = (uint64_t)a << 32 | b;

	return (size_t)hash_mix(key ^ t->seed, UINT64_C(0x9e3779b97f4a7c15)) & t->mask;
}

static void slot_put(struct link_table *t, const struct seen_link *link, uint32_t i)
{
	size_t at = slot_of(t, link[i].a, link[i].b);

	while (t->slot[at])
		at = (at + 1) & t->mask;
	t->slot[at] = i + 1;
}

#define SLOTS_FIRST ((size_t)1 << 12)

/* Room for one more link: in the list, and at most half of the slots in use.  Memory of old ones stays in the
 * arena until the end, a half of the newest in all. */
static bool link_room(struct inferring *f, struct link_table *t, struct arena *a)
{
	if (t->slot && 2 * (f->n_link + 1) <= t->mask)
		return true;
	size_t slots = t->slot ? 2 * (t->mask + 1) : SLOTS_FIRST;
	struct seen_link *link = arena_array(a, slots / 2 + 1, sizeof(*link));
	uint32_t *slot = arena_array(a, slots, sizeof(*slot));
	if (!link || !slot || f->n_link >= UINT32_MAX / 4)
		return false;
	if (f->n_link)
		memcpy(link, f->link, f->n_link * sizeof(*link));
	f->link = link;
	*t = (struct link_table){slot, slots - 1, t->seed};
	for (uint32_t i = 0; i < f->n_link; i++)
		slot_put(t, link, i);
	return true;
}

/* The link between x and y as a reference (see infer_in.h); false: no memory. */
static bool link_ref(
	struct inferring *f, struct link_table *t, uint32_t x, uint32_t y, uint32_t *ref, struct arena *arena)
{
	uint32_t a = x < y ? x : y, b = x < y ? y : x;

	if (!link_room(f, t, arena))
		return false;
	size_t at = slot_of(t, a, b);
	while (t->slot[at] && (f->link[t->slot[at] - 1].a != a || f->link[t->slot[at] - 1].b != b))
		at = (at + 1) & t->mask;
	if (!t->slot[at]) {
		f->link[f->n_link] = (struct seen_link){.a = a, .b = b};
		t->slot[at] = (uint32_t)++f->n_link;
	}
	*ref = 2 * (t->slot[at] - 1) + (x == b);
	return true;
}

/* ---- paths ---- */

struct copying {
	uint32_t *node, *ref;
	size_t *at, n; /* n: nodes so far */
	struct link_table links;
};

/* A path's nodes without what stands twice in a row; too short ones say nothing. */
static bool path_add(struct inferring *f, struct copying *c, const struct paths *p, uint32_t path,
	const uint32_t *node_of, struct arena *a)
{
	size_t n, first = c->n;
	const uint32_t *as = paths_path(p, path, &n);

	for (size_t i = 0; i < n; i++) {
		uint32_t v = as[i] < p->n_as ? node_of[as[i]] : UINT32_MAX;
		if (v == UINT32_MAX || (c->n > first && c->node[c->n - 1] == v))
			continue;
		c->node[c->n] = v;
		if (c->n > first && !link_ref(f, &c->links, c->node[c->n - 1], v, &c->ref[c->n - 1], a))
			return false;
		c->n++;
	}
	if (c->n - first < 2)
		c->n = first;
	else
		c->at[++f->n_path] = c->n;
	return true;
}

static bool sheet_add(struct inferring *f, struct copying *c, const struct paths *p, struct arena *a)
{
	uint32_t *node_of = arena_array(a, p->n_as + 1, sizeof(*node_of));
	bool good = node_of != NULL;

	for (size_t i = 0, v = 0; i < p->n_as && good; i++) {
		while (f->asn[v] != p->as[i])
			v++;
		node_of[i] = (uint32_t)v;
	}
	for (size_t i = 0; i < p->n_path && good; i++)
		good = path_add(f, c, p, (uint32_t)i, node_of, a);
	return good;
}

static enum status paths_copy(
	struct inferring *f, const struct paths *const *p, size_t n, struct arena *a, struct err *e)
{
	size_t n_as = 0, n_path = 0;

	for (size_t i = 0; i < n; i++) {
		n_as += p[i]->n_path_as;
		n_path += p[i]->n_path;
	}
	struct copying c = {.node = arena_array(a, n_as + 1, sizeof(*c.node)),
		.ref = arena_array(a, n_as + 1, sizeof(*c.ref)),
		.at = arena_array(a, n_path + 1, sizeof(*c.at)),
		.links = {.seed = hash_seed()}};
	if (!c.node || !c.ref || !c.at)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (!sheet_add(f, &c, p[i], a))
			return err_nomem(e);
	f->node = c.node;
	f->ref = c.ref;
	f->at = c.at;
	return STATUS_OK;
}

/* ---- what comes out ---- */

static int line_order(const void *a, const void *b)
{
	const struct link_line *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return (x->b > y->b) - (x->b < y->b);
}

static enum status links_out(
	struct links *to, const struct inferring *f, struct arena *tmp, struct arena *a, struct err *e)
{
	struct link_line *line = arena_array(tmp, f->n_link + 1, sizeof(*line));
	uint32_t *clique = arena_array(tmp, (size_t)f->n + 1, sizeof(*clique));
	struct links_counts counts;
	size_t n_clique = 0;

	if (!line || !clique)
		return err_nomem(e);
	for (size_t i = 0; i < f->n_link; i++) {
		const struct seen_link *l = &f->link[i];
		bool turned = l->rel == REL_B;
		line[i] = (struct link_line){f->asn[turned ? l->b : l->a], f->asn[turned ? l->a : l->b],
			l->rel == REL_PEERS ? 0 : -1};
	}
	qsort(line, f->n_link, sizeof(*line), line_order);
	for (uint32_t v = 0; v < f->n; v++)
		if (f->in_clique[v])
			clique[n_clique++] = f->asn[v];
	return links_make(to, line, f->n_link, clique, n_clique, NULL, 0, &counts, a, e);
}

enum status infer_links(
	struct links *to, const struct paths *const *p, size_t n, struct arena *a, struct err *e)
{
	struct arena tmp = {0};
	struct inferring f = {0};
	enum status s = paths_routes(p, n, e);

	if (s == STATUS_OK)
		s = nodes_make(&f, p, n, &tmp, e);
	if (s == STATUS_OK)
		s = paths_copy(&f, p, n, &tmp, e);
	if (s == STATUS_OK && f.n_path == 0)
		s = err_set(e, STATUS_NO, "no table with AS paths is loaded, and no relationships");
	if (s == STATUS_OK)
		s = infer_clique(&f, &tmp, e);
	if (s == STATUS_OK) {
		infer_vote(&f);
		s = links_out(to, &f, &tmp, a, e);
	}
	arena_free(&tmp);
	return s;
}
