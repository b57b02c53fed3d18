/* Tables and updates of one sheet brought together: prefix after prefix in order, of each session and path
 * identifier the last word.  Not called for a table in order without updates, whose columns are right as they
 * are. */
#include <stdlib.h>

#include "base/grow.h"
#include "map/paths_in.h"

static int order_of(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int map_prefix_order(const struct map_prefix *a, const struct map_prefix *b)
{
	if (a->v != b->v)
		return a->v < b->v ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return (int)a->len - (int)b->len;
}

/* ---- updates ---- */

static int key_order(const struct update *a, const struct update *b)
{
	int order = map_prefix_order(&a->p, &b->p);

	if (order == 0)
		order = (int)a->session - (int)b->session;
	return order ? order : order_of(a->path_id, b->path_id);
}

static int by_key_and_time(const void *a, const void *b)
{
	const struct update *x = a, *y = b;
	int order = key_order(x, y);

	if (order == 0)
		order = x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
	return order ? order : order_of(x->number, y->number);
}

void updates_tidy(struct paths_build *b)
{
	size_t kept = 0;

	if (b->n_update)
		qsort(b->update, b->n_update, sizeof(*b->update), by_key_and_time);
	for (size_t i = 0; i < b->n_update; i++)
		if (i + 1 == b->n_update || key_order(&b->update[i], &b->update[i + 1]) != 0)
			b->update[kept++] = b->update[i];
	b->n_update = kept;
}

/* ---- runs of the tables, by prefix ---- */

static int by_prefix(const void *a, const void *b, void *self)
{
	const struct map_prefix *p = self;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = map_prefix_order(&p[x], &p[y]);

	return order ? order : order_of(x, y);
}

static uint32_t *runs_in_order(const struct paths_build *b)
{
	size_t n = b->base.n_prefix;
	uint32_t *run = malloc((n + 1) * sizeof(*run));

	for (size_t i = 0; run && i < n; i++)
		run[i] = (uint32_t)i;
	if (run && b->disordered)
		qsort_r(run, n, sizeof(*run), by_prefix, b->base.prefix);
	return run;
}

/* ---- one prefix ---- */

struct word { /* what is said about one route */
	uint32_t session, path_id, path, number;
};
struct words {
	struct word *w;
	size_t n, cap;
	bool failed;
};

static void word_add(struct words *to, uint32_t session, uint32_t path_id, uint32_t path)
{
	if (!grow(&to->w, &to->cap, to->n, 1, sizeof(*to->w))) {
		to->failed = true;
		return;
	}
	to->w[to->n] = (struct word){session, path_id, path, (uint32_t)to->n};
	to->n++;
}

static int by_route(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	int order = order_of(x->session, y->session);

	if (order == 0)
		order = order_of(x->path_id, y->path_id);
	return order ? order : order_of(x->number, y->number);
}

static bool same_route(const struct word *a, const struct word *b)
{
	return a->session == b->session && a->path_id == b->path_id;
}

/* The last word about each route goes to the columns; a prefix without a route does not. */
static bool words_put(struct columns *to, const struct map_prefix *p, struct words *w)
{
	size_t before = to->n_route;

	if (w->failed || !columns_room(to, 1, w->n))
		return false;
	if (w->n > 1)
		qsort(w->w, w->n, sizeof(*w->w), by_route);
	for (size_t i = 0; i < w->n; i++) {
		bool last = i + 1 == w->n || !same_route(&w->w[i], &w->w[i + 1]);
		if (!last || w->w[i].path == NO_INDEX32)
			continue;
		to->session[to->n_route] = (uint16_t)w->w[i].session;
		to->path[to->n_route++] = w->w[i].path;
	}
	if (to->n_route > before) {
		to->prefix[to->n_prefix] = *p;
		to->route_at[to->n_prefix++] = before;
	}
	return true;
}

static uint64_t run_end(const struct columns *c, uint32_t run)
{
	return run + 1 < c->n_prefix ? c->route_at[run + 1] : c->n_route;
}

static void run_words(struct words *to, const struct columns *c, uint32_t run)
{
	for (uint64_t i = c->route_at[run]; i < run_end(c, run); i++)
		word_add(to, c->session[i], c->path_id ? c->path_id[i] : 0, c->path[i]);
}

/* ---- all ---- */

struct merge {
	const struct paths_build *b;
	const uint32_t *run; /* in order */
	size_t at_run, at_update;
	struct words words;
};

/* The next prefix of either side. */
static bool next_prefix(const struct merge *m, struct map_prefix *p)
{
	const struct columns *c = &m->b->base;
	bool run = m->at_run < c->n_prefix, update = m->at_update < m->b->n_update;

	if (run)
		*p = c->prefix[m->run[m->at_run]];
	if (update && (!run || map_prefix_order(&m->b->update[m->at_update].p, p) < 0))
		*p = m->b->update[m->at_update].p;
	return run || update;
}

static bool prefix_merge(struct merge *m, const struct map_prefix *p, struct columns *to)
{
	const struct columns *c = &m->b->base;

	m->words.n = 0;
	for (; m->at_run < c->n_prefix && map_prefix_order(&c->prefix[m->run[m->at_run]], p) == 0;
		m->at_run++)
		run_words(&m->words, c, m->run[m->at_run]);
	for (; m->at_update < m->b->n_update && map_prefix_order(&m->b->update[m->at_update].p, p) == 0;
		m->at_update++) {
		const struct update *u = &m->b->update[m->at_update];
		word_add(&m->words, u->session, u->path_id, u->path);
	}
	return words_put(to, p, &m->words);
}

enum status build_merge(struct paths_build *b, struct err *e)
{
	struct columns to = {0};
	struct map_prefix p;

	updates_tidy(b);
	uint32_t *run = runs_in_order(b);
	struct merge m = {.b = b, .run = run};
	bool good = run != NULL;
	while (good && next_prefix(&m, &p))
		good = prefix_merge(&m, &p, &to);
	free(run);
	free(m.words.w);
	if (!good) {
		columns_free(&to);
		return err_nomem(e);
	}
	columns_free(&b->base);
	b->base = to;
	b->disordered = false;
	b->n_update = 0;
	return STATUS_OK;
}
