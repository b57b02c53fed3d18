/* Cuts against brute force: on small topologies every set of networks is tried. */
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
#include "map/cut.h"

#define ROUNDS 500
#define MOST   13
#define BIT(v) (UINT32_C(1) << (v))

struct question {
	struct slow s;
	uint32_t source, unwilling, first, extra; /* bits; extra: first steps that no link leads to */
	uint64_t weight[SLOW_MOST];
	struct cut_ask ask;
	uint32_t list[3][SLOW_MOST];
};

static uint32_t some(uint32_t n, uint64_t percent)
{
	uint32_t bits = 0;

	for (uint32_t v = 0; v < n; v++)
		bits |= kit_rnd(100) < percent ? BIT(v) : 0;
	return bits;
}

static size_t listed(uint32_t *to, uint32_t bits)
{
	size_t n = 0;

	for (uint32_t v = SLOW_MOST; v-- > 0;)
		if (bits & BIT(v))
			to[n++] = v;
	return n;
}

/* Without links between the two: what a path shows and the file does not. */
static uint32_t unlinked(const struct slow *s, uint32_t source)
{
	uint32_t linked = 0;

	for (uint32_t v = 0; v < s->n; v++)
		for (uint32_t w = 0; w < s->n; w++)
			if ((source & BIT(v)) && ((s->up[v] | s->peer[v]) & BIT(w) || s->up[w] & BIT(v)))
				linked |= BIT(w);
	return (BIT(s->n) - 1) & ~linked & ~source;
}

static void question_make(struct question *q, struct graph *g, struct links *l, struct arena *a, int round)
{
	const struct links *one = l;
	struct err e;

	memset(q, 0, sizeof(*q));
	slow_make(&q->s, kit_rnd(0xffffffff), MOST, round % 4 == 3);
	slow_links(&q->s, l, a);
	assert_int_equal(graph_make(g, &one, 1, a, &e), STATUS_OK);
	for (size_t i = 0; i < g->n_core; i++)
		q->s.core |= BIT(g->core[i]);
	q->source = kit_rnd(3) ? BIT(kit_rnd(q->s.n)) : some(q->s.n, 25);
	q->unwilling = kit_rnd(2) ? some(q->s.n, 20) : 0;
	q->first = UINT32_MAX;
	for (uint32_t v = 0; v < q->s.n; v++)
		q->weight[v] = 1 + kit_rnd(kit_rnd(2) ? 3 : 1000);
	q->ask = (struct cut_ask){.source = q->list[0],
		.unwilling = q->list[1],
		.weight = q->weight,
		.size = 1 + kit_rnd(CUT_SIZE_MAX)};
	q->ask.n_source = listed(q->list[0], q->source);
	q->ask.n_unwilling = listed(q->list[1], q->unwilling);
	if (kit_rnd(3) == 0) {
		q->first = some(q->s.n, 60);
		q->extra = q->first & unlinked(&q->s, q->source);
		q->ask.has_first = true;
		q->ask.first = q->list[2];
		q->ask.n_first = listed(q->list[2], q->first);
		for (uint32_t v = 0; v < q->s.n; v++) /* as if the file named them as its providers */
			if (q->source & BIT(v))
				q->s.up[v] |= q->extra;
	}
}

static bool way(const struct question *q, uint32_t removed)
{
	return slow_way(&q->s, q->source, removed, q->first);
}

static bool minimal(const struct question *q, uint32_t set)
{
	if (way(q, set))
		return false;
	for (uint32_t v = 0; v < q->s.n; v++)
		if ((set & BIT(v)) && !way(q, set & ~BIT(v)))
			return false;
	return true;
}

static uint64_t weight_of(const struct question *q, uint32_t set)
{
	uint64_t sum = 0;

	for (uint32_t v = 0; v < q->s.n; v++)
		sum += set & BIT(v) ? q->weight[v] : 0;
	return sum;
}

static uint32_t set_bits(const uint32_t *node, size_t n)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || node[i - 1] < node[i]);
		bits |= BIT(node[i]);
	}
	return bits;
}

static bool has_set(const struct cut_answer *c, uint32_t set)
{
	for (size_t i = 0; i < c->n; i++)
		if (set_bits(c->set[i].node, c->set[i].n) == set)
			return true;
	return false;
}

static void check_sets(const struct question *q, const struct cut_answer *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct cut_set *t = &c->set[i], *b = i ? t - 1 : NULL;
		uint32_t bits = set_bits(t->node, t->n);
		assert_true(t->n <= q->ask.size && !(bits & (q->source | q->unwilling)));
		assert_true(minimal(q, bits));
		assert_int_equal(t->weight, weight_of(q, bits));
		assert_true(!b || b->weight < t->weight || (b->weight == t->weight && b->n <= t->n));
	}
}

/* Returns how many sets there are. */
static size_t check_question(const struct question *q, const struct cut_answer *c)
{
	uint64_t least = UINT64_MAX;
	size_t n = 0;
	bool connected = way(q, 0);

	assert_int_equal(c->connected, connected);
	assert_false(c->more);
	assert_int_equal(c->whole, q->ask.size);
	check_sets(q, c);
	for (uint32_t set = 1; set < BIT(q->s.n) && connected; set++) {
		if ((set & (q->source | q->unwilling)) || !minimal(q, set))
			continue;
		least = weight_of(q, set) < least ? weight_of(q, set) : least;
		if ((size_t)__builtin_popcount(set) <= q->ask.size) {
			assert_true(has_set(c, set));
			n++;
		}
	}
	assert_int_equal(n, c->n); /* all of them, none twice */
	assert_int_equal(c->has_cheapest, least != UINT64_MAX);
	if (c->has_cheapest) {
		uint32_t bits = set_bits(c->cheapest, c->n_cheapest);
		assert_int_equal(c->cheapest_weight, least);
		assert_int_equal(weight_of(q, bits), least);
		assert_false(way(q, bits) || (bits & (q->source | q->unwilling)));
		assert_true(
			!c->n || c->set[0].weight != least || bits == set_bits(c->set[0].node, c->set[0].n));
	}
	return n;
}

static void test_random(void **state)
{
	size_t n = 0, connected = 0, cheapest = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct question q;
		struct cut_answer c;
		struct links l;
		struct graph g;
		struct err e;
		question_make(&q, &g, &l, &a, i);
		assert_int_equal(cut_find(&c, &g, &q.ask, &a, &e), STATUS_OK);
		n += check_question(&q, &c);
		connected += c.connected;
		cheapest += c.has_cheapest;
		arena_free(&a);
	}
	(void)printf("# %d questions: %zu with a way up, %zu that can be cut, %zu sets\n", ROUNDS, connected,
		cheapest, n);
	assert_true(connected > ROUNDS / 3 && cheapest > ROUNDS / 4 && n > ROUNDS / 2);
}

/* ---- what is asked wrong, and what is too much ---- */

static void test_refused(void **state)
{
	static const struct link_line line[] = {{1, 2, -1}};
	uint32_t one = 1, two = 2, top = 1;
	uint64_t weight[] = {1, 1};
	struct cut_ask q = {.source = &one, .n_source = 1, .weight = weight, .size = CUT_SIZE_MAX + 1};
	struct arena a = {0};
	struct links l;
	const struct links *of = &l;
	struct cut_answer c;
	struct graph g;
	struct err e;

	(void)state;
	links_kit_make(&l, &a, line, 1, &top, 1);
	assert_int_equal(graph_make(&g, &of, 1, &a, &e), STATUS_OK);
	assert_int_equal(cut_find(&c, &g, &q, &a, &e), STATUS_BAD);
	q.size = 1;
	assert_int_equal(cut_find(&c, &g, &q, &a, &e), STATUS_OK);
	assert_true(c.n == 1 && c.set[0].node[0] == 0 && c.n_cheapest == 1 && c.cheapest[0] == 0);
	weight[0] = 0;
	assert_int_equal(cut_find(&c, &g, &q, &a, &e), STATUS_BAD);
	weight[0] = 1;
	q.source = &two;
	assert_int_equal(cut_find(&c, &g, &q, &a, &e), STATUS_BAD);
	arena_free(&a);
}

#define WIDE 6
#define DEEP 12
#define FOOT 1000

/* WIDE ways side by side, DEEP networks each: DEEP^WIDE sets of WIDE. */
static void test_too_many(void **state)
{
	struct link_line line[WIDE * DEEP + 1];
	uint64_t weight[WIDE * DEEP + 2];
	uint32_t top = 1, source;
	size_t n = 0;
	struct arena a = {0};
	struct links l;
	const struct links *of = &l;
	struct cut_answer c;
	struct graph g;
	struct err e;

	(void)state;
	for (uint32_t w = 0; w < WIDE; w++)
		for (uint32_t d = 0; d < DEEP; d++)
			line[n++] = (struct link_line){
				d ? 10 + w * DEEP + d - 1 : top, d < DEEP - 1 ? 10 + w * DEEP + d : FOOT, -1};
	for (size_t i = 0; i < sizeof(weight) / sizeof(*weight); i++)
		weight[i] = 2;
	links_kit_make(&l, &a, line, n, &top, 1);
	assert_int_equal(graph_make(&g, &of, 1, &a, &e), STATUS_OK);
	source = graph_node(&g, FOOT);
	weight[graph_node(&g, top)] = 1000;
	struct cut_ask q = {.source = &source, .n_source = 1, .weight = weight, .size = CUT_SIZE_MAX};
	assert_int_equal(cut_find(&c, &g, &q, &a, &e), STATUS_OK);
	assert_true(c.more && c.n > 1 && c.n <= CUT_SETS_MAX);
	assert_int_equal(c.whole, CUT_SIZE_MAX - 1); /* of at most 5 there is {top} alone */
	assert_true(c.has_cheapest);
	assert_int_equal(c.cheapest_weight, 2 * WIDE);
	arena_free(&a);
}

#define CHAIN 30000

/* A way as long as a file: nothing recurses along it. */
static void test_long_chain(void **state)
{
	struct link_line *line = calloc(CHAIN, sizeof(*line));
	uint64_t *weight = calloc(CHAIN, sizeof(*weight));
	uint32_t top = 1, source = CHAIN - 1;
	struct arena a = {0};
	struct links l;
	const struct links *of = &l;
	struct cut_answer c;
	struct graph g;
	struct err e;

	(void)state;
	assert_true(line && weight);
	for (uint32_t i = 1; i < CHAIN; i++)
		line[i - 1] = (struct link_line){i, i + 1, -1};
	for (uint32_t i = 0; i < CHAIN; i++)
		weight[i] = CHAIN - i;
	links_kit_make(&l, &a, line, CHAIN - 1, &top, 1);
	assert_int_equal(graph_make(&g, &of, 1, &a, &e), STATUS_OK);
	struct cut_ask q = {.source = &source, .n_source = 1, .weight = weight, .size = 3};
	assert_int_equal(cut_find(&c, &g, &q, &a, &e), STATUS_OK);
	assert_true(c.more && c.whole == 0); /* 29,999 sets of one */
	assert_true(c.has_cheapest && c.cheapest_weight == 2 && c.n_cheapest == 1);
	assert_int_equal(c.cheapest[0], CHAIN - 2);
	free(line);
	free(weight);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_long_chain),
	};

	kit_seed("test_cut");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
