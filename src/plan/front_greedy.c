/* Many sets: the one that stops most for what it costs more, again and again; some points of that walk are
 * then improved, and each is held against a bound that no set can pass. */
#include <stdlib.h>
#include <string.h>

#include "plan/front_in.h"

#define POINTS 24 /* of the walk that are kept */
#define PRICES 24 /* at which the bound is computed */

/* A set of sets as it grows. */
struct grown {
	const struct reduced *r;
	uint32_t *gain_by, *cost_by; /* how many of the taken have each element */
	int64_t *more;               /* of each set: what it would stop besides */
	uint32_t *dearer;            /* and cost besides */
	bool *taken;
	uint32_t *heap,
		*at; /* sets by what they stop for what they cost; where each stands, UINT32_MAX: not */
	size_t n_heap;
	int64_t stops;
	uint64_t cost;
	uint32_t *order; /* those taken, n of them */
	size_t n;
};

/* ---- the heap ---- */

/* Is a the better next one?  Ratios are compared across; that a double rounds them puts the order at stake,
 * not what a set stops or costs. */
static bool better(const struct grown *g, uint32_t a, uint32_t b)
{
	double x = (double)g->more[a] * g->dearer[b], y = (double)g->more[b] * g->dearer[a];

	if (x < y || x > y)
		return x > y;
	if (g->dearer[a] != g->dearer[b] && (g->dearer[a] == 0 || g->dearer[b] == 0))
		return g->dearer[a] == 0;
	if (g->more[a] != g->more[b])
		return g->more[a] > g->more[b];
	return a < b;
}

static void put(struct grown *g, size_t i, uint32_t set)
{
	g->heap[i] = set;
	g->at[set] = (uint32_t)i;
}

static void sift_up(struct grown *g, size_t i)
{
	uint32_t set = g->heap[i];

	while (i > 0 && better(g, set, g->heap[(i - 1) / 2])) {
		put(g, i, g->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(g, i, set);
}

static void sift_down(struct grown *g, size_t i)
{
	uint32_t set = g->heap[i];

	for (size_t k = 2 * i + 1; k < g->n_heap; k = 2 * i + 1) {
		if (k + 1 < g->n_heap && better(g, g->heap[k + 1], g->heap[k]))
			k++;
		if (!better(g, g->heap[k], set))
			break;
		put(g, i, g->heap[k]);
		i = k;
	}
	put(g, i, set);
}

static void heap_remove(struct grown *g, uint32_t set)
{
	size_t i = g->at[set];
	uint32_t last = g->heap[--g->n_heap];

	g->at[set] = UINT32_MAX;
	if (last == set)
		return;
	put(g, i, last);
	sift_up(g, i);
	sift_down(g, g->at[last]);
}

static void moved(struct grown *g, uint32_t set)
{
	if (g->at[set] == UINT32_MAX)
		return;
	sift_up(g, g->at[set]);
	sift_down(g, g->at[set]);
}

/* ---- taking and leaving ---- */

static void gain_changed(struct grown *g, uint32_t x, int64_t by)
{
	const struct owners *o = &g->r->gain;

	for (uint32_t k = o->first[x]; k < o->first[x + 1]; k++) {
		g->more[o->set[k]] += by;
		moved(g, o->set[k]);
	}
}

static void cost_changed(struct grown *g, uint32_t x, bool paid)
{
	const struct owners *o = &g->r->cost;

	for (uint32_t k = o->first[x]; k < o->first[x + 1]; k++) {
		g->dearer[o->set[k]] += paid ? UINT32_MAX : 1; /* one less, or one more */
		moved(g, o->set[k]);
	}
}

static void take(struct grown *g, uint32_t c)
{
	const struct front_set *s = &g->r->set[c];

	g->taken[c] = true;
	g->stops += g->more[c];
	g->cost += g->dearer[c];
	for (size_t i = 0; i < s->n_gain; i++)
		if (g->gain_by[s->gain[i]]++ == 0)
			gain_changed(g, s->gain[i], -g->r->weight[s->gain[i]]);
	for (size_t i = 0; i < s->n_cost; i++)
		if (g->cost_by[s->cost[i]]++ == 0)
			cost_changed(g, s->cost[i], true);
}

static void leave(struct grown *g, uint32_t c)
{
	const struct front_set *s = &g->r->set[c];

	g->taken[c] = false;
	for (size_t i = 0; i < s->n_gain; i++)
		if (--g->gain_by[s->gain[i]] == 0)
			gain_changed(g, s->gain[i], g->r->weight[s->gain[i]]);
	for (size_t i = 0; i < s->n_cost; i++)
		if (--g->cost_by[s->cost[i]] == 0)
			cost_changed(g, s->cost[i], false);
	g->stops -= g->more[c];
	g->cost -= g->dearer[c];
}

static bool grown_make(struct grown *g, const struct reduced *r, struct arena *a)
{
	size_t n = r->n + 1;

	*g = (struct grown){.r = r,
		.gain_by = arena_array(a, r->n_gain + 1, sizeof(uint32_t)),
		.cost_by = arena_array(a, r->n_cost + 1, sizeof(uint32_t)),
		.more = arena_array(a, n, sizeof(int64_t)),
		.dearer = arena_array(a, n, sizeof(uint32_t)),
		.taken = arena_array(a, n, sizeof(bool)),
		.heap = arena_array(a, n, sizeof(uint32_t)),
		.at = arena_array(a, n, sizeof(uint32_t)),
		.order = arena_array(a, n, sizeof(uint32_t))};
	return g->gain_by && g->cost_by && g->more && g->dearer && g->taken && g->heap && g->at && g->order;
}

/* Nothing is taken. */
static void grown_empty(struct grown *g)
{
	const struct reduced *r = g->r;

	memset(g->gain_by, 0, r->n_gain * sizeof(*g->gain_by));
	memset(g->cost_by, 0, r->n_cost * sizeof(*g->cost_by));
	g->n = g->n_heap = 0;
	g->stops = 0;
	g->cost = 0;
	for (uint32_t c = 0; c < r->n; c++) {
		g->taken[c] = false;
		g->at[c] = UINT32_MAX;
		g->more[c] = 0;
		for (size_t i = 0; i < r->set[c].n_gain; i++)
			g->more[c] += r->weight[r->set[c].gain[i]];
		g->dearer[c] = (uint32_t)r->set[c].n_cost;
	}
}

static void heap_all(struct grown *g)
{
	for (uint32_t c = 0; c < g->r->n; c++) {
		if (g->taken[c] || g->more[c] == 0)
			continue;
		put(g, g->n_heap, c);
		sift_up(g, g->n_heap++);
	}
}

static bool fits(const struct grown *g, uint32_t c, int64_t budget)
{
	return budget < 0 || g->cost + g->dearer[c] <= (uint64_t)budget;
}

/* Takes the best that fits until nothing does. */
static void walk(struct grown *g, int64_t budget)
{
	while (g->n_heap) {
		uint32_t c = g->heap[0];
		heap_remove(g, c);
		if (g->more[c] == 0 || !fits(g, c, budget))
			continue;
		take(g, c);
		g->order[g->n++] = c;
	}
}

/* ---- improving ---- */

/* Leaves what stops nothing that the others do not; the first taken are looked at first. */
static void prune(struct grown *g)
{
	size_t k = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct front_set *s = &g->r->set[g->order[i]];
		bool needed = false;
		for (size_t j = 0; j < s->n_gain && !needed; j++)
			needed = g->gain_by[s->gain[j]] == 1 && g->r->weight[s->gain[j]] > 0;
		if (needed)
			g->order[k++] = g->order[i];
		else
			leave(g, g->order[i]);
	}
	g->n = k;
}

/* The walk's first n sets, without what is superfluous, and what still fits below their cost. */
static void improve(struct grown *g, const uint32_t *order, size_t n, int64_t budget)
{
	grown_empty(g);
	for (size_t i = 0; i < n; i++) {
		take(g, order[i]);
		g->order[g->n++] = order[i];
	}
	prune(g);
	heap_all(g);
	walk(g, budget);
	prune(g);
}

/* ---- points and their gap ---- */

/* Where the walk stood: after each step. */
struct walked {
	uint32_t *order;
	uint64_t *cost;
	int64_t *stops;
	size_t n;
};

static bool walked_make(struct walked *w, struct grown *g, struct arena *a)
{
	uint32_t *order = arena_array(a, g->n + 1, sizeof(*order));

	*w = (struct walked){.order = order,
		.cost = arena_array(a, g->n + 1, sizeof(*w->cost)),
		.stops = arena_array(a, g->n + 1, sizeof(*w->stops)),
		.n = g->n};
	if (!w->order || !w->cost || !w->stops)
		return false;
	memcpy(order, g->order, g->n * sizeof(*order));
	grown_empty(g);
	for (size_t i = 0; i < w->n; i++) {
		take(g, order[i]);
		w->cost[i] = g->cost;
		w->stops[i] = g->stops;
	}
	return true;
}

/* Prices of an element of collateral: what the walk paid, from its dearest step to its cheapest. */
static size_t prices_of(const struct walked *w, double *price)
{
	size_t n = 0;

	price[n++] = 0;
	for (size_t k = 0; k < PRICES; k++) {
		size_t i = w->n * k / PRICES;
		double cost = (double)(w->cost[i] - (i ? w->cost[i - 1] : 0));
		double stops = (double)(w->stops[i] - (i ? w->stops[i - 1] : 0));
		if (cost > 0)
			price[n++] = stops / cost;
	}
	return n;
}

/* The k-th of the points that are kept: the last one of its cost, evenly over the costs of the walk. */
static size_t kept(const struct walked *w, size_t k)
{
	uint64_t first = w->cost[0], last = w->cost[w->n - 1];
	double want = (double)first + (double)(last - first) * (double)k / (POINTS - 1);
	size_t i = 0;

	while (i + 1 < w->n && ((double)w->cost[i + 1] <= want || w->cost[i + 1] == w->cost[i]))
		i++;
	return i;
}

static void point_keep(struct front *to, struct front_point p)
{
	if (to->n && to->point[to->n - 1].stops >= p.stops)
		return;
	while (to->n && to->point[to->n - 1].cost >= p.cost)
		to->n--;
	to->point[to->n++] = p;
}

static enum status points_make(
	struct front *to, struct grown *g, const struct walked *w, struct arena *a, struct err *e)
{
	enum status s = STATUS_OK;
	size_t last = SIZE_MAX;

	to->point = arena_array(a, POINTS + 1, sizeof(*to->point));
	if (!to->point)
		return err_nomem(e);
	for (size_t k = g->r->last ? POINTS - 1 : 0; k < POINTS && s == STATUS_OK; k++) {
		size_t i = kept(w, k);
		struct front_point p;
		if (i == last)
			continue;
		last = i;
		improve(g, w->order, i + 1, (int64_t)w->cost[i]);
		s = point_make(&p, g->r, g->order, g->n, g->stops, g->cost, a, e);
		if (s == STATUS_OK)
			point_keep(to, p);
	}
	return s;
}

static enum status gap_find(
	struct front *to, const struct reduced *r, const struct walked *w, struct arena *work, struct err *e)
{
	double price[PRICES + 1];
	size_t n = prices_of(w, price);
	struct bound *b;
	enum status s = bound_make(&b, r, price, n, work, e);

	for (size_t i = 0; i < to->n && s == STATUS_OK; i++) {
		double over = front_bound(b, to->point[i].cost) - (double)to->point[i].stops;
		if (over > (double)to->gap)
			to->gap = (int64_t)over + 1;
	}
	return s;
}

enum status front_greedy(struct front *to, const struct reduced *r, struct arena *a, struct err *e)
{
	struct arena work = {0};
	struct grown g;
	struct walked w = {0};
	enum status s = STATUS_OK;

	*to = (struct front){0};
	if (!grown_make(&g, r, &work))
		s = err_nomem(e);
	if (s == STATUS_OK) {
		grown_empty(&g);
		heap_all(&g);
		walk(&g, r->budget);
		s = walked_make(&w, &g, &work) ? STATUS_OK : err_nomem(e);
	}
	if (s == STATUS_OK && w.n)
		s = points_make(to, &g, &w, a, e);
	if (s == STATUS_OK && w.n && !r->last)
		s = gap_find(to, r, &w, &work, e);
	arena_free(&work);
	return s;
}
