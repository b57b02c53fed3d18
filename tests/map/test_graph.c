/* The graph: several sheets merged, the core, and dominators against taking each network out. */
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

#define ROUNDS 500
#define SHEETS 3
#define CHAIN  100000

/* ---- dominators ---- */

static uint32_t core_bits(const struct graph *g)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < g->n_core; i++)
		bits |= UINT32_C(1) << g->core[i];
	return bits;
}

/* x has a way up, and none without y. */
static bool depends(const struct slow *s, uint32_t x, uint32_t y)
{
	uint32_t is = UINT32_C(1) << x, without = UINT32_C(1) << y;

	if (x == y || (s->core & is))
		return false;
	return slow_way(s, is, 0, UINT32_MAX) && !slow_way(s, is, without, UINT32_MAX);
}

static void check_dependents(const struct slow *s, const struct dominators *d, uint32_t y)
{
	size_t n = 0;

	for (uint32_t x = 0; x < s->n; x++) {
		bool is = depends(s, x, y);
		assert_int_equal(is, d->enter[y] < d->enter[x] && d->leave[x] <= d->leave[y]);
		n += is;
	}
	assert_int_equal(n, d->dependents[y]);
}

/* The nearest of those that x depends on: the one that depends on all others. */
static void check_idom(const struct slow *s, const struct dominators *d, uint32_t x)
{
	uint32_t up = d->idom[x];
	bool way = (s->core >> x & 1) || slow_way(s, UINT32_C(1) << x, 0, UINT32_MAX);

	assert_int_equal(way, up != NO_NODE);
	for (uint32_t y = 0; y < s->n && way; y++)
		if (depends(s, x, y))
			assert_true(y == up || depends(s, up, y));
	assert_true(!way || up == x || depends(s, x, up));
}

static void test_dominators(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct links l;
		const struct links *one = &l;
		struct graph g;
		struct dominators d;
		struct slow s;
		struct err e;
		slow_make(&s, kit_rnd(0xffffffff), SLOW_MOST, i % 2);
		slow_links(&s, &l, &a);
		assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_OK);
		assert_int_equal(g.core_source, s.core ? CORE_NAMED : CORE_PROVIDERLESS);
		assert_true(!s.core || s.core == core_bits(&g));
		s.core = core_bits(&g);
		assert_int_equal(dominators_make(&d, &g, &a, &e), STATUS_OK);
		for (uint32_t y = 0; y < s.n; y++) {
			check_dependents(&s, &d, y);
			check_idom(&s, &d, y);
		}
		arena_free(&a);
	}
}

/* ---- several sheets ---- */

/* What w is to v in a sheet, by AS number: LINK_ROLES where it knows no link. */
static enum link_role role_of(const struct links *l, uint32_t v, uint32_t w)
{
	for (int r = 0; r < LINK_ROLES; r++)
		for (size_t i = 0; i < l->n_as; i++)
			for (uint32_t k = l->row[r][i]; l->as[i] == v && k < l->row[r][i + 1]; k++)
				if (l->as[l->to[r][k]] == w)
					return (enum link_role)r;
	return LINK_ROLES;
}

static void check_pair(const struct graph *g, const struct links *const *l, size_t n, uint32_t v, uint32_t w)
{
	enum link_role want = LINK_ROLES;

	for (size_t i = 0; i < n && want == LINK_ROLES; i++)
		want = role_of(l[i], g->asn[v], g->asn[w]);
	for (int r = 0; r < LINK_ROLES; r++) {
		size_t found = 0;
		for (uint32_t k = g->row[r][v]; k < g->row[r][v + 1]; k++) {
			assert_true(k == g->row[r][v] || g->to[r][k - 1] < g->to[r][k]);
			found += g->to[r][k] == w;
		}
		assert_int_equal(found, r == (int)want);
	}
}

static void test_merge(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct slow s[SHEETS];
		struct links l[SHEETS];
		const struct links *at[SHEETS];
		struct graph g;
		struct err e;
		for (size_t k = 0; k < SHEETS; k++) {
			slow_make(&s[k], kit_rnd(0xffffffff), 8, true);
			for (uint32_t v = 0; v < s[k].n; v++) /* numbers that meet those of the others */
				s[k].asn[v] = (v ? s[k].asn[v - 1] : 0) + 1 + (uint32_t)kit_rnd(2);
			slow_links(&s[k], &l[k], &a);
			at[k] = &l[k];
		}
		assert_int_equal(graph_make(&g, at, SHEETS, &a, &e), STATUS_OK);
		for (uint32_t v = 0; v < g.n; v++) {
			assert_true(v == 0 || g.asn[v - 1] < g.asn[v]);
			assert_int_equal(graph_node(&g, g.asn[v]), v);
			for (uint32_t w = 0; w < g.n; w++)
				check_pair(&g, at, SHEETS, v, w);
		}
		for (size_t k = 0; k < SHEETS; k++)
			for (uint32_t v = 0; v < s[k].n; v++)
				assert_true(graph_node(&g, s[k].asn[v]) != NO_NODE);
		assert_int_equal(graph_node(&g, 4000000000U), NO_NODE);
		for (size_t k = 0; k < SHEETS; k++)
			if (s[k].core) {
				assert_int_equal(g.n_core, __builtin_popcount(s[k].core));
				break;
			}
		arena_free(&a);
	}
}

/* ---- the core ---- */

/*  64500 ===== 64501 ===== 64502    64509 has more customers than 64502, and peers with
 *    |  \========|===========/      nobody; 64508 has a provider. */
static void test_core_found(void **state)
{
	static const struct link_line line[] = {{64500, 64501, 0}, {64501, 64502, 0}, {64500, 64502, 0},
		{64500, 64510, -1}, {64500, 64511, -1}, {64510, 64512, -1}, {64501, 64511, -1},
		{64501, 64513, -1}, {64502, 64514, -1}, {64509, 64515, -1}, {64509, 64516, -1},
		{64500, 64508, -1}, {64508, 64517, -1}, {64508, 64501, 0}, {64508, 64502, 0}};
	struct arena a = {0};
	struct links l;
	const struct links *one = &l;
	struct graph g;
	struct err e;

	(void)state;
	links_kit_make(&l, &a, line, sizeof(line) / sizeof(*line), NULL, 0);
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_OK);
	assert_int_equal(g.core_source, CORE_PROVIDERLESS);
	assert_int_equal(g.n_core, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(g.asn[g.core[i]], 64500 + i);
	arena_free(&a);
}

/* ---- what a file may do ---- */

static void test_damaged(void **state)
{
	static const struct link_line line[] = {{1, 2, -1}, {2, 3, 0}, {1, 3, -1}};
	struct arena a = {0};
	struct links l, bad;
	const struct links *one = &bad;
	uint32_t beyond[2] = {0, 3}, falls[] = {0, 2, 1, 2}, twice[] = {1, 1, 3}, outside[] = {7};
	struct graph g;
	struct err e;

	(void)state;
	links_kit_make(&l, &a, line, 3, NULL, 0);
	bad = l;
	bad.to[LINK_CUSTOMERS] = beyond;
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_BAD);
	bad = l;
	bad.row[LINK_PROVIDERS] = falls;
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_BAD);
	bad = l;
	bad.n_to[LINK_PEERS] = 1;
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_BAD);
	bad = l;
	bad.as = twice;
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_BAD);
	bad = l;
	bad.clique = outside;
	bad.n_clique = 1;
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_BAD);
	assert_int_equal(graph_make(&g, NULL, 0, &a, &e), STATUS_NO);
	bad = l;
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_OK);
	arena_free(&a);
}

/* A chain as long as a file may be, with a link from each network to the top too: no recursion, no square. */
static void test_long_chain(void **state)
{
	struct arena a = {0};
	struct link_line *line = calloc(2 * CHAIN, sizeof(*line));
	uint32_t top = 1, n = 0;
	struct links l;
	const struct links *one = &l;
	struct graph g;
	struct dominators d;
	struct err e;

	(void)state;
	assert_non_null(line);
	for (uint32_t i = 2; i <= CHAIN; i++) {
		line[n++] = (struct link_line){i - 1, i, -1};
		if (i > CHAIN / 2 + 1)
			line[n++] = (struct link_line){CHAIN / 2, i, -1};
	}
	links_kit_make(&l, &a, line, n, &top, 1);
	assert_int_equal(graph_make(&g, &one, 1, &a, &e), STATUS_OK);
	assert_int_equal(dominators_make(&d, &g, &a, &e), STATUS_OK);
	assert_int_equal(d.dependents[0], CHAIN - 1);
	assert_int_equal(d.dependents[CHAIN / 2 - 1], CHAIN / 2);
	assert_int_equal(d.dependents[CHAIN / 2], 0);
	assert_int_equal(d.idom[CHAIN - 1], CHAIN / 2 - 1);
	free(line);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dominators),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_core_found),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_long_chain),
	};

	kit_seed("test_graph");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
