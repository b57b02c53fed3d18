/* What was built becomes a sheet: AS numbers in their order, paths in them, the origins of each prefix and
 * the prefixes of each origin, the longest match. */
#include <stdlib.h>

#include "base/grow.h"
#include "base/order.h"
#include "map/big.h"
#include "map/paths_in.h"

struct writing {
	struct paths_build *b;
	uint32_t *as;          /* AS numbers, ascending */
	uint32_t *index_of;    /* provisional number -> place in as */
	uint32_t *path_origin; /* by path */
	struct paths_origin *origin;
	struct origin_pair { /* in the order of the prefixes */
		uint32_t as, prefix;
	} * pair;
	size_t n_pair, cap_pair;
	uint32_t *origin_at, *origin_prefix;
	uint32_t *different; /* origins of one prefix */
	size_t cap_different;
};

static int by_number(const void *a, const void *b, void *self)
{
	const uint32_t *asn = self;
	uint32_t x = asn[*(const uint32_t *)a], y = asn[*(const uint32_t *)b];

	return x < y ? -1 : x > y;
}

/* ---- AS numbers and paths ---- */

static bool as_sort(struct writing *w)
{
	struct path_store *s = &w->b->store;
	size_t n = s->n_asn;
	uint32_t *place = malloc((n + 1) * sizeof(*place));

	w->as = malloc((n + 1) * sizeof(*w->as));
	w->index_of = malloc((n + 1) * sizeof(*w->index_of));
	if (place && w->as && w->index_of) {
		for (uint32_t i = 0; i < n; i++)
			place[i] = i;
		qsort_r(place, n, sizeof(*place), by_number, s->asn);
		for (uint32_t i = 0; i < n; i++) {
			w->as[i] = s->asn[place[i]];
			w->index_of[place[i]] = i;
		}
	}
	free(place);
	return place && w->as && w->index_of;
}

static bool paths_number(struct writing *w)
{
	struct path_store *s = &w->b->store;

	for (size_t i = 0; i < s->n_as; i++)
		s->path_as[i] = w->index_of[s->path_as[i]];
	w->path_origin = malloc((s->n_path + 1) * sizeof(*w->path_origin));
	for (size_t i = 0; w->path_origin && i < s->n_path; i++)
		w->path_origin[i] = s->path_as[s->path_at[i + 1] - 1];
	return w->path_origin != NULL;
}

/* ---- origins ---- */

static bool pair_put(struct writing *w, uint32_t as, uint32_t prefix)
{
	if (!big_grow(&w->pair, &w->cap_pair, w->n_pair, 1, sizeof(*w->pair)))
		return false;
	w->pair[w->n_pair++] = (struct origin_pair){as, prefix};
	return true;
}

/* Several origins of a prefix, n words about them. */
static bool origins_count(struct writing *w, uint32_t prefix, uint32_t *as, size_t n)
{
	struct paths_origin *o = &w->origin[prefix];
	size_t most = 0;

	qsort(as, n, sizeof(*as), u32_order);
	*o = (struct paths_origin){NO_INDEX32, 0};
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && as[end] == as[i]; end++)
			;
		if (end - i > most) {
			most = end - i;
			o->as = as[i];
		}
		o->n++;
		if (!pair_put(w, as[i], prefix))
			return false;
	}
	return true;
}

/* The origins of prefix k; also counts its routes for their sessions. */
static bool prefix_origins(struct writing *w, uint32_t k)
{
	const struct columns *c = &w->b->base;
	uint64_t from = c->route_at[k], to = c->route_at[k + 1];
	size_t family = c->prefix[k].v == 6;
	uint32_t first = w->path_origin[c->path[from]];
	bool one = true;

	for (uint64_t i = from; i < to; i++) {
		w->b->session[c->session[i]].s.n_route[family]++;
		one = one && w->path_origin[c->path[i]] == first;
	}
	if (one) {
		w->origin[k] = (struct paths_origin){first, 1};
		return pair_put(w, first, k);
	}
	if (!grow(&w->different, &w->cap_different, 0, to - from, sizeof(*w->different)))
		return false;
	for (uint64_t i = from; i < to; i++)
		w->different[i - from] = w->path_origin[c->path[i]];
	return origins_count(w, k, w->different, to - from);
}

static bool routes_origins(struct writing *w)
{
	const struct columns *c = &w->b->base;

	for (uint32_t k = 0; k < c->n_prefix; k++)
		if (!prefix_origins(w, k))
			return false;
	return true;
}

/* By AS, each one's prefixes ascending: counted, then dealt out. */
static bool origins_deal(struct writing *w)
{
	size_t n_as = w->b->store.n_asn;

	w->origin_at = calloc(n_as + 2, sizeof(*w->origin_at));
	w->origin_prefix = malloc((w->n_pair + 1) * sizeof(*w->origin_prefix));
	if (!w->origin_at || !w->origin_prefix)
		return false;
	uint32_t *next =
		w->origin_at + 1; /* next[as]: where its next prefix goes; in the end, where it ends */
	for (size_t i = 0; i < w->n_pair; i++)
		if (w->pair[i].as + 1 < n_as)
			next[w->pair[i].as + 1]++;
	for (size_t i = 1; i < n_as; i++)
		next[i] += next[i - 1];
	for (size_t i = 0; i < w->n_pair; i++)
		w->origin_prefix[next[w->pair[i].as]++] = w->pair[i].prefix;
	return true;
}

/* ---- prefixes with origins only ---- */

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = map_prefix_order(&x->p, &y->p);

	return order ? order : x->as < y->as ? -1 : x->as > y->as;
}

/* Pairs said twice are one: nobody's word counts twice here. */
static enum status pairs_sort(struct paths_build *b, struct err *e)
{
	struct columns *c = &b->base;

	qsort(b->pair, b->n_pair, sizeof(*b->pair), by_pair);
	if (!columns_room(c, b->n_pair, 0))
		return err_nomem(e);
	for (size_t i = 0; i < b->n_pair; i++)
		if (i == 0 || map_prefix_order(&b->pair[i - 1].p, &b->pair[i].p) != 0) {
			c->prefix[c->n_prefix] = b->pair[i].p;
			c->route_at[c->n_prefix++] = 0;
		}
	return STATUS_OK;
}

static bool pairs_origins(struct writing *w)
{
	struct paths_build *b = w->b;
	uint32_t k = 0;

	for (size_t i = 0, end; i < b->n_pair; i = end, k++) {
		size_t n = 0;
		for (end = i; end < b->n_pair && map_prefix_order(&b->pair[i].p, &b->pair[end].p) == 0;
			end++) {
			if (!grow(&w->different, &w->cap_different, n, 1, sizeof(*w->different)))
				return false;
			if (end == i || b->pair[end].as != b->pair[end - 1].as)
				w->different[n++] = w->index_of[b->pair[end].as];
		}
		if (!origins_count(w, k, w->different, n))
			return false;
	}
	return true;
}

/* ---- the sheet ---- */

static enum status sessions_put(const struct paths_build *b, struct sheet_out *o, struct err *e)
{
	struct paths_session *s = malloc((b->n_session + 1) * sizeof(*s));

	if (!s)
		return err_nomem(e);
	for (size_t i = 0; i < b->n_session; i++)
		s[i] = b->session[i].s;
	enum status st = sheet_put(o, TAG_SESSION, s, b->n_session * sizeof(*s), e);
	free(s);
	return st;
}

static enum status columns_put(const struct writing *w, struct sheet_out *o, struct err *e)
{
	const struct path_store *s = &w->b->store;
	const struct columns *c = &w->b->base;
	const struct {
		uint32_t tag;
		const void *p;
		size_t n, size;
	} put[] = {
		{TAG_AS, w->as, s->n_asn, sizeof(*w->as)},
		{TAG_PATH_AT, s->path_at, s->n_path + 1, sizeof(*s->path_at)},
		{TAG_PATH_AS, s->path_as, s->n_as, sizeof(*s->path_as)},
		{TAG_PREFIX, c->prefix, c->n_prefix, sizeof(*c->prefix)},
		{TAG_ROUTE_AT, c->route_at, c->n_prefix + 1, sizeof(*c->route_at)},
		{TAG_ROUTE_SESSION, c->session, c->n_route, sizeof(*c->session)},
		{TAG_ROUTE_PATH, c->path, c->n_route, sizeof(*c->path)},
		{TAG_ORIGIN_AT, w->origin_at, s->n_asn + 1, sizeof(*w->origin_at)},
		{TAG_ORIGIN_PREFIX, w->origin_prefix, w->n_pair, sizeof(*w->origin_prefix)},
		{TAG_ORIGIN, w->origin, c->n_prefix, sizeof(*w->origin)},
	};
	enum status st = sessions_put(w->b, o, e);

	for (size_t i = 0; i < sizeof(put) / sizeof(put[0]) && st == STATUS_OK; i++)
		st = sheet_put(o, put[i].tag, put[i].p, put[i].n * put[i].size, e);
	return st == STATUS_OK ? lpm_write(o, c->prefix, c->n_prefix, e) : st;
}

static bool writing_make(struct writing *w)
{
	struct paths_build *b = w->b;

	w->origin = malloc((b->base.n_prefix + 1) * sizeof(*w->origin));
	return w->origin && as_sort(w) && paths_number(w) &&
	       (b->n_pair ? pairs_origins(w) : routes_origins(w)) && origins_deal(w);
}

static void writing_free(struct writing *w)
{
	free(w->as);
	free(w->index_of);
	free(w->path_origin);
	free(w->origin);
	big_free(w->pair, w->cap_pair, sizeof(*w->pair));
	free(w->origin_at);
	free(w->origin_prefix);
	free(w->different);
}

void paths_build_families(const struct paths_build *b, bool *v4, bool *v6)
{
	const struct columns *c = &b->base; /* sorted: IPv4 before IPv6 */

	*v4 = c->n_prefix && c->prefix[0].v == 4;
	*v6 = c->n_prefix && c->prefix[c->n_prefix - 1].v == 6;
}

enum status paths_build_write(struct paths_build *b, struct sheet_out *o, struct err *e)
{
	struct writing w = {.b = b};
	enum status st = STATUS_OK;

	if (b->n_pair)
		st = pairs_sort(b, e);
	else if (b->disordered || b->n_update)
		st = build_merge(b, e);
	if (st == STATUS_OK && b->base.n_prefix == 0)
		return err_set(e, STATUS_BAD, "no route in it");
	if (st == STATUS_OK && b->base.n_prefix > UINT32_MAX - 2)
		return err_set(e, STATUS_BAD, "more prefixes than a sheet can hold");
	if (st == STATUS_OK && !columns_room(&b->base, 0, 0))
		st = err_nomem(e);
	if (st != STATUS_OK)
		return st;
	store_close(&b->store); /* its memory is what the file's pages can be made of */
	b->base.route_at[b->base.n_prefix] = b->base.n_route;
	st = writing_make(&w) ? columns_put(&w, o, e) : err_nomem(e);
	writing_free(&w);
	return st;
}
