/* Reach against routes that are told and chosen one by one, and who is stranded against taking out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "graph_slow.h"
#include "links_kit.h"
#include "map/whatif.h"

#define ROUNDS 500
#define BIT(v) (UINT32_C(1) << (v))

static size_t listed(uint32_t *to, uint32_t bits)
{
	size_t n = 0;

	for (uint32_t v = 0; v < SLOW_MOST; v++)
		if (bits & BIT(v))
			to[n++] = v;
	return n;
}

static void graph_of(struct graph *g, struct slow *s, struct links *l, struct arena *a)
{
	const struct links *one = l;
	struct err e;

	slow_links(s, l, a);
	assert_int_equal(graph_make(g, &one, 1, a, &e), STATUS_OK);
	s->core = 0;
	for (size_t i = 0; i < g->n_core; i++)
		s->core |= BIT(g->core[i]);
}

static void check_reach(const struct slow *s, const struct reach *r, uint32_t target, uint32_t shut)
{
	struct slow_route want[SLOW_MOST];
	size_t n = 0;

	slow_routes(s, target, shut & ~BIT(target), want);
	for (uint32_t v = 0; v < s->n; v++) {
		assert_int_equal(r->route[v], want[v].class);
		assert_true(want[v].class == ROUTE_NONE || r->length[v] == want[v].n - 1);
		n += want[v].class > ROUTE_SELF;
	}
	assert_int_equal(r->n_reached, n);
}

static bool has(const uint32_t *node, size_t n, uint32_t v)
{
	for (size_t i = 0; i < n; i++)
		if (node[i] == v)
			return true;
	return false;
}

/* A core network's way up has no step: it has one while it is there. */
static bool up(const struct slow *s, uint32_t v, uint32_t removed)
{
	if (s->core & ~removed & BIT(v))
		return true;
	return slow_way(s, BIT(v), removed, UINT32_MAX);
}

static void check_whatif(
	const struct slow *s, const struct whatif *w, uint32_t target, bool has_target, uint32_t block)
{
	struct slow_route now[SLOW_MOST], then[SLOW_MOST];
	uint32_t apart = block | (has_target ? BIT(target) : 0);
	size_t n_now = 0, n_then = 0, n_losing = 0, n_stranded = 0;

	memset(now, 0, sizeof(now));
	memset(then, 0, sizeof(then));
	if (has_target) {
		slow_routes(s, target, 0, now);
		slow_routes(s, target, block & ~BIT(target), then);
	}
	for (uint32_t v = 0; v < s->n; v++) {
		bool lost = now[v].class && !then[v].class && !(apart & BIT(v));
		bool stranded = up(s, v, 0) && !up(s, v, block) && !(apart & BIT(v));
		n_now += now[v].class > ROUTE_SELF;
		n_then += then[v].class > ROUTE_SELF;
		n_losing += lost;
		n_stranded += stranded;
		assert_int_equal(has(w->losing, w->n_losing, v), lost);
		assert_int_equal(has(w->stranded, w->n_stranded, v), stranded);
	}
	assert_int_equal(w->n_all, s->n);
	assert_int_equal(w->before, n_now);
	assert_int_equal(w->refusing, n_then);
	assert_int_equal(w->n_losing, n_losing);
	assert_int_equal(w->n_stranded, n_stranded);
}

static void test_random(void **state)
{
	size_t lost = 0, stranded = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct slow s;
		struct links l;
		struct graph g;
		struct reach r;
		struct whatif w;
		struct err e;
		uint32_t block[SLOW_MOST], bits = 0, target;
		slow_make(&s, kit_rnd(0xffffffff), SLOW_MOST, false);
		graph_of(&g, &s, &l, &a);
		target = (uint32_t)kit_rnd(s.n);
		for (uint64_t k = kit_rnd(4); k > 0; k--)
			bits |= BIT(kit_rnd(s.n));
		if (kit_rnd(2))
			bits |= s.up[target];
		size_t n = listed(block, bits);
		assert_int_equal(reach_make(&r, &g, &target, 1, block, n, &a, &e), STATUS_OK);
		check_reach(&s, &r, target, bits);
		bool has_target = kit_rnd(8) > 0;
		assert_int_equal(whatif_make(&w, &g, &target, has_target, block, n, &a, &e), STATUS_OK);
		check_whatif(&s, &w, target, has_target, bits);
		lost += w.n_losing;
		stranded += w.n_stranded;
		arena_free(&a);
	}
	(void)printf(
		"# %d topologies: %zu networks lose the target, %zu are stranded\n", ROUNDS, lost, stranded);
	assert_true(lost > ROUNDS / 2 && stranded > ROUNDS / 4);
}

/* Several targets: whoever reaches one reaches the target. */
static void test_several(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS / 5; i++) {
		struct arena a = {0};
		struct slow s;
		struct links l;
		struct graph g;
		struct reach r;
		struct slow_route want[2][SLOW_MOST];
		struct err e;
		slow_make(&s, kit_rnd(0xffffffff), SLOW_MOST, false);
		graph_of(&g, &s, &l, &a);
		uint32_t target[2] = {0, 1 + (uint32_t)kit_rnd(s.n - 1)};
		assert_int_equal(reach_make(&r, &g, target, 2, NULL, 0, &a, &e), STATUS_OK);
		slow_routes(&s, target[0], 0, want[0]);
		slow_routes(&s, target[1], 0, want[1]);
		for (uint32_t v = 0; v < s.n; v++)
			assert_int_equal(r.route[v] != ROUTE_NONE, want[0][v].class || want[1][v].class);
		arena_free(&a);
	}
}

#define CHAIN 100000

/* Longer than a length can say, with providers in a circle: it ends, and counts everybody. */
static void test_long_chain(void **state)
{
	struct link_line *line = calloc(CHAIN, sizeof(*line));
	uint32_t top = 1, second = 1, target = CHAIN - 1;
	struct arena a = {0};
	struct links l;
	const struct links *one = &l;
	struct graph g;
	struct whatif w;
	struct err e;

	(void)state;
	assert_non_null(line);
	for (uint32_t i = 1; i < CHAIN; i++)
		line[i - 1] = (struct link_line){i, i + 1, -1};
	line[CHAIN - 1] = (struct link_line){CHAIN, 1, -1};
	links_kit_make(&l, &a, line, CHAIN, &top, 1);
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_OK);
	assert_int_equal(whatif_make(&w, &g, &target, 1, &second, 1, &a, &e), STATUS_OK);
	assert_int_equal(w.before, CHAIN - 1);
	assert_int_equal(w.n_stranded, CHAIN - 3); /* the core, the block and the target apart */
	uint32_t outside = CHAIN;
	assert_int_equal(whatif_make(&w, &g, &outside, 1, &second, 1, &a, &e), STATUS_BAD);
	assert_int_equal(whatif_make(&w, &g, &target, 1, &outside, 1, &a, &e), STATUS_BAD);
	free(line);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_long_chain),
	};

	kit_seed("test_whatif");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
