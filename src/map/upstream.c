/* Links as the paths show them: the neighbours of an origin, and who sees two networks beside each other. */
#include <stdlib.h>

#include "base/grow.h"
#include "base/order.h"
#include "map/depend.h"
#include "map/net_in.h"

struct sight {
	uint32_t asn, peer, sheet;
};
struct sights {
	struct sight *v;
	size_t n, cap;
};

static bool sight_add(struct sights *to, struct sight s)
{
	if (to->n && to->v[to->n - 1].asn == s.asn && to->v[to->n - 1].peer == s.peer &&
		to->v[to->n - 1].sheet == s.sheet)
		return true;
	if (!grow(&to->v, &to->cap, to->n, 1, sizeof(*to->v)))
		return false;
	to->v[to->n++] = s;
	return true;
}

static int by_peer(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;

	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	return x->peer < y->peer ? -1 : x->peer > y->peer;
}

static int by_sheet(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;

	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	return x->sheet < y->sheet ? -1 : x->sheet > y->sheet;
}

static bool is_asked(const struct upstream_ask *q, uint32_t asn)
{
	return q->n_asn && bsearch(&asn, q->asn, q->n_asn, sizeof(asn), u32_order);
}

/* The neighbour before the origin, of each route to one prefix whose origin is asked for. */
static bool prefix_sights(struct sights *to, const struct paths *p, uint32_t sheet, uint32_t prefix,
	const struct upstream_ask *q)
{
	bool ok = true;

	if (prefix >= p->n_prefix)
		return true;
	for (uint64_t k = p->route_at[prefix]; ok && k < p->route_at[prefix + 1] && k < p->n_route; k++) {
		size_t n;
		const uint32_t *as = paths_path(p, p->route_path[k], &n);
		uint32_t session = p->route_session[k];
		if (n >= 2 && session < p->n_session && is_asked(q, p->as[as[n - 1]]))
			ok = sight_add(to, (struct sight){p->as[as[n - 2]], p->session[session].asn, sheet});
	}
	return ok;
}

static bool sheet_sights(
	struct sights *to, const struct paths *p, uint32_t sheet, const struct upstream_ask *q)
{
	bool ok = true;

	if (q->prefix)
		return prefix_sights(to, p, sheet, paths_prefix(p, q->prefix), q);
	for (size_t i = 0; ok && i < q->n_asn; i++) {
		uint32_t as = paths_as(p, q->asn[i]);
		if (as == NO_INDEX32)
			continue;
		for (uint32_t k = p->origin_at[as]; ok && k < p->origin_at[as + 1] && k < p->n_origin; k++)
			if (p->origin_prefix[k] < p->n_prefix && is_space(&p->prefix[p->origin_prefix[k]]))
				ok = prefix_sights(to, p, sheet, p->origin_prefix[k], q);
	}
	return ok;
}

static int by_seen(const void *a, const void *b)
{
	const struct upstream *x = a, *y = b;

	if (x->n_peer_as != y->n_peer_as)
		return x->n_peer_as > y->n_peer_as ? -1 : 1;
	return x->asn < y->asn ? -1 : x->asn > y->asn;
}

static struct upstream *upstream_at(struct upstream *u, size_t n, uint32_t asn)
{
	for (size_t i = 0; i < n; i++)
		if (u[i].asn == asn)
			return &u[i];
	return NULL;
}

/* Counts different peers and sheets of each neighbour. */
static size_t upstreams_count(struct upstream *u, struct sights *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_peer);
	for (size_t i = 0; i < s->n; i++) {
		if (i == 0 || s->v[i].asn != s->v[i - 1].asn)
			u[n++] = (struct upstream){.asn = s->v[i].asn};
		if (i == 0 || by_peer(&s->v[i], &s->v[i - 1]) != 0)
			u[n - 1].n_peer_as++;
	}
	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_sheet);
	for (size_t i = 0; i < s->n; i++)
		if (i == 0 || by_sheet(&s->v[i], &s->v[i - 1]) != 0)
			upstream_at(u, n, s->v[i].asn)->n_sheet++;
	if (n)
		qsort(u, n, sizeof(*u), by_seen);
	return n;
}

enum status depend_upstreams(struct upstream **to, size_t *n_to, const struct paths *const *p, size_t n,
	const struct upstream_ask *q, struct arena *a, struct err *e)
{
	struct sights s = {0};
	bool ok = true;

	*n_to = 0;
	if (paths_routes(p, n, e) != STATUS_OK)
		return e->status;
	for (size_t i = 0; i < n && ok; i++)
		ok = sheet_sights(&s, p[i], (uint32_t)i, q);
	*to = ok ? arena_array(a, s.n + 1, sizeof(**to)) : NULL;
	if (*to)
		*n_to = upstreams_count(*to, &s);
	free(s.v);
	return *to ? STATUS_OK : err_nomem(e);
}

/* The first networks of the sheet's paths on which x and y are neighbours: as they see it. */
static bool link_sights(struct sights *to, const struct paths *p, uint32_t sheet, uint32_t a, uint32_t b)
{
	uint32_t x = paths_as(p, a), y = paths_as(p, b);
	bool ok = true;

	for (uint32_t i = 0; x != NO_INDEX32 && y != NO_INDEX32 && i < p->n_path && ok; i++) {
		size_t n;
		const uint32_t *as = paths_path(p, i, &n);
		for (size_t k = 1; k < n; k++)
			if ((as[k] == x && as[k - 1] == y) || (as[k] == y && as[k - 1] == x))
				ok = sight_add(to, (struct sight){0, p->as[as[0]], sheet});
	}
	return ok;
}

enum status depend_link_seen(
	struct link_seen *to, const struct paths *const *p, size_t n, uint32_t a, uint32_t b, struct err *e)
{
	struct sights s = {0};
	struct upstream all = {0};
	bool ok = true;

	if (paths_routes(p, n, e) != STATUS_OK)
		return e->status;
	for (size_t i = 0; i < n && ok; i++)
		ok = link_sights(&s, p[i], (uint32_t)i, a, b);
	if (ok && s.n)
		(void)upstreams_count(&all, &s);
	*to = (struct link_seen){all.n_peer_as, all.n_sheet};
	free(s.v);
	return ok ? STATUS_OK : err_nomem(e);
}
