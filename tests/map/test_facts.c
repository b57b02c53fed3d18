/* The seed case, from CAIDA's relationships of 1 January 2015 and 2018 (design: the map): who carries
 * AS131279, who reaches it, whose help would have been enough.  The files are others' property and are not in
 * the repository; without them this skips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "links_kit.h"
#include "map/cut.h"
#include "map/whatif.h"

#define TARGET  131279
#define CARRIER 4837
#define MOST    3

/* Counts are exact: who has a route does not depend on which of equal ones is preferred, so there is no tie
 * to break and no half per cent to explain. */
struct fact {
	const char *file;
	uint32_t provider[MOST], n_provider;
	size_t others, before, refusing; /* networks but the target; reach it; when AS4837 refuses */
	uint32_t dependents;             /* of AS4837, wholly */
	size_t core;
};
static const struct fact fact[] = {
	{"20150101.as-rel.txt.bz2", {4837}, 1, 46171, 45872, 0, 11, 16},
	{"20180101.as-rel.txt.bz2", {4837, 20485}, 2, 60005, 59652, 59574, 21, 19},
};

struct loaded {
	struct arena a;
	struct links l;
	struct graph g;
	struct dominators d;
	uint64_t *weight;
};

static void load(struct loaded *f, const char *name)
{
	const struct links *one = &f->l;
	struct err e;

	memset(f, 0, sizeof(*f));
	if (!links_kit_file(&f->l, &f->a, name)) {
		(void)printf("# no %s (set WEIR_SHARED_DATA)\n", name);
		skip();
	}
	assert_int_equal(graph_make(&f->g, &one, 1, &f->a, &e), STATUS_OK);
	assert_int_equal(dominators_make(&f->d, &f->g, &f->a, &e), STATUS_OK);
	f->weight = arena_array(&f->a, f->g.n, sizeof(*f->weight));
	assert_non_null(f->weight);
	for (uint32_t v = 0; v < f->g.n; v++)
		f->weight[v] = 1 + f->d.dependents[v];
}

static void check_cut(struct loaded *f, const struct fact *t)
{
	uint32_t target = graph_node(&f->g, TARGET);
	struct cut_ask q = {.source = &target, .n_source = 1, .weight = f->weight, .size = MOST};
	struct cut_answer c;
	struct err e;
	size_t small = 0;

	assert_int_equal(cut_find(&c, &f->g, &q, &f->a, &e), STATUS_OK);
	assert_true(c.connected && !c.more && c.n > 0);
	for (size_t i = 0; i < c.n; i++) { /* the only one of so many networks, and none has fewer */
		assert_true(c.set[i].n >= t->n_provider);
		if (c.set[i].n > t->n_provider)
			continue;
		small++;
		for (uint32_t k = 0; k < t->n_provider; k++)
			assert_int_equal(f->g.asn[c.set[i].node[k]], t->provider[k]);
	}
	assert_int_equal(small, 1);
	assert_int_equal(c.set[0].n, t->n_provider); /* and the cheapest */
	assert_true(c.has_cheapest && c.cheapest_weight == c.set[0].weight);
}

static void check(const struct fact *t)
{
	struct loaded f;
	struct whatif w;
	struct err e;

	load(&f, t->file);
	uint32_t target = graph_node(&f.g, TARGET), block = graph_node(&f.g, CARRIER);
	assert_int_equal(f.g.n - 1, t->others);
	assert_int_equal(f.g.core_source, CORE_NAMED);
	assert_int_equal(f.g.n_core, t->core);
	const uint32_t *row = f.g.row[LINK_PROVIDERS];
	assert_int_equal(row[target + 1] - row[target], t->n_provider);
	for (uint32_t k = 0; k < t->n_provider; k++)
		assert_int_equal(f.g.asn[f.g.to[LINK_PROVIDERS][row[target] + k]], t->provider[k]);
	assert_int_equal(whatif_make(&w, &f.g, &target, 1, &block, 1, &f.a, &e), STATUS_OK);
	assert_int_equal(w.before, t->before);
	assert_int_equal(w.refusing, t->refusing);
	assert_int_equal(f.d.dependents[block], t->dependents);
	assert_int_equal(w.n_stranded + (t->n_provider == 1), t->dependents); /* the target is not counted */
	check_cut(&f, t);
	arena_free(&f.a);
}

static void test_2015(void **state)
{
	(void)state;
	check(&fact[0]);
}

static void test_2018(void **state)
{
	(void)state;
	check(&fact[1]);
}

/* Where a file names no clique the providerless networks are taken: here they are that clique. */
static void test_core_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fact) / sizeof(*fact); i++) {
		struct loaded f;
		struct graph g;
		struct err e;
		load(&f, fact[i].file);
		g = f.g;
		assert_int_equal(graph_core_find(&g, &f.a, &e), STATUS_OK);
		assert_int_equal(g.core_source, CORE_PROVIDERLESS);
		assert_int_equal(g.n_core, f.g.n_core);
		assert_memory_equal(g.core, f.g.core, g.n_core * sizeof(*g.core));
		arena_free(&f.a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_2015),
		cmocka_unit_test(test_2018),
		cmocka_unit_test(test_core_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
