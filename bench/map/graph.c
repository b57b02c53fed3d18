/* How long the graph's answers take: usage map_graph [FILE], a CAIDA relationship file below
 * $WEIR_SHARED_DATA/map; without one (or without the data) a made-up Internet of 60,000 networks and 260,000
 * links.
 *
 * Each figure is the worst of many targets, not the mean: one asks about a network because it is odd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../tests/lib/rnd.h"
#include "../../tests/map/links_kit.h"
#include "map/cut.h"
#include "map/whatif.h"

#define NETWORKS  60000
#define LINKS     260000
#define CLIQUE    19
#define TARGETS   2000
#define COUNTRY   500
#define CONTINENT 15000
#define WIDE      6
#define DEEP      12
#define LIMIT_MS  100.0

/* ---- an Internet ---- */

/* Each network has some providers among those before it, mostly large ones; the rest of the links are
 * peerings. */
static void made_up(struct links *to, struct arena *a)
{
	struct link_line *line = calloc(LINKS + NETWORKS * 4, sizeof(*line));
	uint32_t clique[CLIQUE];
	size_t n = 0;

	if (!line)
		abort();
	for (uint32_t v = 0; v < NETWORKS; v++) {
		uint32_t many = v < CLIQUE ? 0 : 1 + (uint32_t)kit_rnd(3), last = 0;
		for (uint32_t k = 0; k < many; k++) {
			uint64_t r = kit_rnd(v < 6000 ? v : 6000);
			uint32_t up = (uint32_t)(r * kit_rnd(1000) / 1000 * kit_rnd(1000) / 1000);
			if (k == 0 || up > last)
				line[n++] = (struct link_line){up + 1, v + 1, -1};
			last = k == 0 || up > last ? up : last;
		}
		if (v < CLIQUE)
			clique[v] = v + 1;
	}
	for (uint32_t v = 0; v < CLIQUE; v++)
		for (uint32_t w = 0; w < v; w++)
			line[n++] = (struct link_line){w + 1, v + 1, 0};
	for (uint32_t v = 0, step = 1; n < LINKS; step += 1 + (uint32_t)kit_rnd(3))
		for (v = 6000; v + step < 12000 && n < LINKS; v++)
			line[n++] = (struct link_line){v + 1, v + step + 1, 0};
	links_kit_make(to, a, line, n, clique, CLIQUE);
	free(line);
}

/* ---- measuring ---- */

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct figure {
	const char *what;
	double most, sum;
	size_t n, no_all; /* no_all: answers that say there may be more sets */
	uint32_t asn;     /* of the slowest */
};

static void figure_add(struct figure *f, double ms, uint32_t asn)
{
	if (ms > f->most) {
		f->most = ms;
		f->asn = asn;
	}
	f->sum += ms;
	f->n++;
}

/* Was the limit met? */
static bool figure_print(const struct figure *f, double limit)
{
	(void)printf("%s: %.1f ms at most (AS%u), %.2f ms in the mean of %zu", f->what, f->most, f->asn,
		f->sum / (double)f->n, f->n);
	if (f->no_all)
		(void)printf(", %zu of them stopped early", f->no_all);
	(void)printf("; limit %.0f ms: %s\n", limit, f->most < limit ? "met" : "NOT MET");
	return f->most < limit;
}

struct measured {
	struct graph g;
	struct links l;
	uint64_t *weight;
};

static void cut_one(struct figure *f, const struct measured *m, const uint32_t *source, size_t n, size_t size)
{
	struct cut_ask q = {.source = source, .n_source = n, .weight = m->weight, .size = size};
	struct arena a = {0};
	struct cut_answer c;
	struct err e;
	double start = now_ms();

	if (cut_find(&c, &m->g, &q, &a, &e) != STATUS_OK)
		abort();
	figure_add(f, now_ms() - start, m->g.asn[source[0]]);
	f->no_all += c.more;
	arena_free(&a);
}

/* Networks drawn together. */
static void cut_many(struct figure *f, const struct measured *m, size_t n, size_t size)
{
	static uint32_t source[CONTINENT];

	for (size_t k = 0; k < n; k++)
		source[k] = (uint32_t)kit_rnd(m->g.n);
	cut_one(f, m, source, n, size);
}

static bool cuts(const struct measured *m, size_t size)
{
	char what[4][64];
	struct figure any = {.what = what[0]}, core = {.what = what[1]}, country = {.what = what[2]},
		      continent = {.what = what[3]};

	(void)snprintf(what[0], sizeof(what[0]), "cut, any network, sets of %zu", size);
	(void)snprintf(what[1], sizeof(what[1]), "cut, a core network, sets of %zu", size);
	(void)snprintf(what[2], sizeof(what[2]), "cut, a country of %d networks, sets of %zu", COUNTRY, size);
	(void)snprintf(what[3], sizeof(what[3]), "cut, %d networks, sets of %zu", CONTINENT, size);
	for (size_t i = 0; i < TARGETS; i++)
		cut_many(&any, m, 1, size);
	for (size_t i = 0; i < m->g.n_core; i++)
		cut_one(&core, m, &m->g.core[i], 1, size);
	for (size_t i = 0; i < 20; i++) {
		cut_many(&country, m, COUNTRY, size);
		cut_many(&continent, m, CONTINENT, size);
	}
	bool met = figure_print(&any, LIMIT_MS);
	met &= figure_print(&core, LIMIT_MS);
	met &= figure_print(&country, LIMIT_MS);
	return figure_print(&continent, LIMIT_MS) && met;
}

/* WIDE ways up side by side, each of DEEP networks: DEEP^WIDE minimal sets of WIDE, where the search is
 * stopped by its bound; and layers of DEEP networks, each with all of the next as providers. */
static bool hard(bool layers)
{
	static uint64_t weight[WIDE * DEEP + 2]; /* networks, top and foot */
	struct figure f = {.what = layers ? "cut, layers that are all linked, sets of 6"
					  : "cut, six chains of twelve, sets of 6"};
	struct link_line line[WIDE * DEEP * DEEP + DEEP];
	uint32_t top = 1, foot = 1000, source;
	struct measured m = {.weight = weight};
	const struct links *one = &m.l;
	struct arena a = {0};
	struct err e;
	size_t n = 0;

	for (uint32_t w = 0; w < WIDE; w++)
		for (uint32_t d = 0; d < DEEP; d++)
			for (uint32_t k = 0; k < (layers && d ? WIDE : 1); k++)
				line[n++] = (struct link_line){
					d ? 10 + (w + k) % WIDE * DEEP + d - 1 : top, 10 + w * DEEP + d, -1};
	for (uint32_t w = 0; w < WIDE; w++)
		line[n++] = (struct link_line){10 + w * DEEP + DEEP - 1, foot, -1};
	for (size_t i = 0; i < sizeof(weight) / sizeof(*weight); i++)
		weight[i] = 2;
	links_kit_make(&m.l, &a, line, n, &top, 1);
	if (graph_make(&m.g, &one, 1, &a, &e) != STATUS_OK)
		abort();
	source = graph_node(&m.g, foot);
	cut_one(&f, &m, &source, 1, CUT_SIZE_MAX);
	arena_free(&a);
	return figure_print(&f, LIMIT_MS);
}

static bool whatifs(const struct measured *m)
{
	struct figure f = {.what = "whatif, one block"};

	for (size_t i = 0; i < TARGETS / 20; i++) {
		uint32_t target = (uint32_t)kit_rnd(m->g.n), block = (uint32_t)kit_rnd(m->g.n);
		struct arena a = {0};
		struct whatif w;
		struct err e;
		double start = now_ms();
		if (i % 2)
			block = m->g.core[kit_rnd(m->g.n_core)];
		if (whatif_make(&w, &m->g, &target, 1, &block, 1, &a, &e) != STATUS_OK)
			abort();
		figure_add(&f, now_ms() - start, m->g.asn[target]);
		arena_free(&a);
	}
	return figure_print(&f, LIMIT_MS);
}

static bool graphs(struct measured *m, struct arena *a)
{
	struct figure one = {.what = "graph of one sheet"}, two = {.what = "graph of two sheets merged"},
		      tree = {.what = "wholly dependent sets of all networks"},
		      core = {.what = "core where none is named"};
	const struct links *both[2] = {&m->l, &m->l};
	struct dominators d;
	struct graph g;
	struct err e;

	for (int i = 0; i < 5; i++) {
		double start = now_ms();
		if (graph_make(&g, both, 2, a, &e) != STATUS_OK)
			abort();
		figure_add(&two, now_ms() - start, 0);
		start = now_ms();
		if (graph_make(&m->g, both, 1, a, &e) != STATUS_OK)
			abort();
		figure_add(&one, now_ms() - start, 0);
		start = now_ms();
		if (dominators_make(&d, &m->g, a, &e) != STATUS_OK)
			abort();
		figure_add(&tree, now_ms() - start, 0);
		start = now_ms();
		if (graph_core_find(&g, a, &e) != STATUS_OK)
			abort();
		figure_add(&core, now_ms() - start, 0);
	}
	bool met = figure_print(&one, LIMIT_MS);
	met &= figure_print(&two, LIMIT_MS);
	met &= figure_print(&tree, LIMIT_MS);
	met &= figure_print(&core, LIMIT_MS);
	m->weight = arena_array(a, m->g.n, sizeof(*m->weight));
	for (uint32_t v = 0; v < m->g.n && m->weight; v++)
		m->weight[v] = 1 + d.dependents[v];
	return met;
}

int main(int argc, char **argv)
{
	struct arena a = {0};
	struct measured m;
	bool real = argc > 1 && links_kit_file(&m.l, &a, argv[1]);

	kit_seed("map_graph");
	if (!real)
		made_up(&m.l, &a);
	(void)printf("== %s: %zu networks, %zu links (CPU time)\n", real ? argv[1] : "made up", m.l.n_as,
		m.l.n_to[LINK_CUSTOMERS] + m.l.n_to[LINK_PEERS] / 2);
	bool met = graphs(&m, &a);
	met &= cuts(&m, 3);
	met &= cuts(&m, CUT_SIZE_MAX);
	met &= hard(false);
	met &= hard(true);
	met &= whatifs(&m);
	arena_free(&a);
	return met ? 0 : 1;
}
