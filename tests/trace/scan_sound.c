/* The index loses nothing: a pair that order_conserves() lets pass at any offset of the clocks passes the
 * index, and every pair that the link test calls proven does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trace/index.h"
#include "trace/link_most.h"
#include "trace/link_order.h"
#include "trace/link_tick.h"
#include "zoo_gen.h"

#define MOST   400
#define NEEDED 3
#define TINY   1e-6

struct side {
	struct burst b[MOST];
	int64_t at[2 * MOST];
	struct lane lane;
	size_t n;
};

static void lane_of(struct side *s, int64_t offset, const struct blinds *blind)
{
	struct link_train t = {s->b, s->n};

	s->lane = (struct lane){s->at, s->at + MOST, 0};
	lane_fill(&s->lane, &t, offset, blind);
}

/* Answers at random, and IN's after most of them: about as many lost as may be. */
static void draw_pair(struct rng *r, struct side *out, struct side *in, int64_t shift)
{
	double kept = rng_between(r, 0.65, 0.9), t = 0, gap = rng_between(r, 0.1, 2);
	size_t n = (size_t)rng_between(r, 4, MOST / 2);

	out->n = in->n = 0;
	for (size_t i = 0; i < n; i++) {
		t += rng_unit(r) < 0.2 ? 0.4 + rng_between(r, -0.001, 0.001) : 0.02 + rng_exp(r, gap);
		int64_t at = (int64_t)(t * 1e6);
		out->b[out->n++] = (struct burst){.start_us = at, .dur_us = (uint32_t)(rng_unit(r) * 3e4)};
		if (rng_unit(r) > kept)
			continue;
		/* often at the very edge of what follows */
		double lag = rng_unit(r) < 0.3 ? 0.4 + rng_between(r, -2e-6, 2e-6) : rng_unit(r) * 0.45;
		in->b[in->n].start_us = at + shift + (int64_t)(lag * 1e6);
		in->b[in->n++].dur_us = rng_unit(r) < 0.1 ? (uint32_t)(rng_unit(r) * 3e6) : 0;
	}
}

static size_t draw_blinds(struct rng *r, struct span *s, size_t most)
{
	int64_t t = 0;
	size_t n = (size_t)(rng_unit(r) * (double)(most + 1));

	for (size_t i = 0; i < n; i++) {
		s[i].from_us = t += (int64_t)(rng_exp(r, 20) * 1e6) + 1;
		s[i].to_us = t += (int64_t)(rng_exp(r, 1) * 1e6) + 1;
	}
	return n;
}

static bool passes(struct index *x, const struct side *in, struct side *out, const struct blinds *blind,
	int64_t error, size_t column)
{
	static struct lane lanes[INDEX_COLUMNS];
	struct link_train t = {out->b, out->n};
	uint64_t may[INDEX_WORDS];
	struct answers a;

	for (size_t i = 0; i <= column; i++)
		lanes[i] = i == column ? in->lane : (struct lane){0};
	assert_true(index_fill(x, lanes, column + 1, error));
	out->lane = (struct lane){out->at, out->at + MOST, 0};
	index_answers(&a, &out->lane, &t, blind, error);
	return index_find(x, &a, may) && (may[column / 64] >> column % 64 & 1);
}

static void what_conserves_passes(void **state)
{
	static struct side in, out;
	struct index x = {0};
	struct rng r;
	size_t conserved = 0, passed = 0;

	(void)state;
	rng_seed(&r, 2718);
	for (int i = 0; i < 40000; i++) {
		int64_t scratch[MOST], error = i % 3 ? 0 : (int64_t)(rng_unit(&r) * 6e5);
		int64_t offset = (int64_t)(rng_between(&r, -1, 1) * (double)error);
		struct span span[8];
		struct blinds blind = {span, i % 2 ? 0 : draw_blinds(&r, span, 8)};
		struct order o;
		draw_pair(&r, &out, &in, offset);
		lane_of(&in, 0, &blind);
		bool pass = passes(&x, &in, &out, &blind, error, (size_t)(rng_unit(&r) * INDEX_COLUMNS));
		lane_of(&out, offset, &blind);
		order_measure(&out.lane, &in.lane, scratch, &o);
		bool exact = order_conserves(&o);
		assert_true(pass || !exact);
		assert_int_equal(index_conserves(&out.lane, &in.lane), exact);
		conserved += exact;
		passed += pass;
	}
	print_message("# of 40000: %zu conserve, %zu pass\n", conserved, passed);
	assert_true(conserved > 4000 && passed < 36000);
	index_free(&x);
}

static int64_t *lane_at(struct lane *l, const struct link_train *t, const struct blinds *blind, int64_t *at)
{
	*l = (struct lane){at, at + t->n, 0};
	lane_fill(l, t, 0, blind);
	return at + 2 * t->n;
}

static bool pair_passes(struct index *x, const struct zoo_pair *p, const struct blinds *blind, int64_t error,
	const char *name)
{
	size_t n = p->in.fwd.n + p->in.back.n + p->out.fwd.n + 3 * p->out.back.n;
	int64_t *mem = malloc((2 * n + 1) * sizeof(*mem)), *at = mem;
	struct lane in, in_fwd, out, out_fwd;
	struct index_pair pair = {&in_fwd, &in, &out_fwd, &out, &p->in, &p->out, blind, NEEDED};
	struct null_limits limits;
	uint64_t may[INDEX_WORDS];
	struct answers a;

	null_limits_init(&limits);
	at = lane_at(&in, &p->in.back, blind, at);
	at = lane_at(&in_fwd, &p->in.fwd, blind, at);
	at = lane_at(&out_fwd, &p->out.fwd, blind, at);
	assert_true(index_fill(x, &in, 1, error));
	out = (struct lane){at, at + p->out.back.n, 0};
	index_answers(&a, &out, &p->out.back, blind, error);
	bool pass = index_find(x, &a, may) && (may[0] & 1);
	if (!error)
		pass = pass && index_conserves(&out, &in) &&
		       index_shaped(&pair, &limits, at + 2 * p->out.back.n);
	if (!pass)
		print_message("# lost: %s\n", name);
	free(mem);
	return pass;
}

/* Every class of the zoo, with what is not known of the clocks. */
static void what_is_proven_passes(void **state)
{
	struct index x = {0};
	struct zoo_pair p = {0};
	struct rng r;
	size_t proven = 0;

	(void)state;
	(void)zoo_load_gaps("");
	rng_seed(&r, 3141);
	for (size_t c = 0; c < zoo_n_classes; c++)
		for (int i = 0; i < (zoo_classes[c].kind == ZOO_NULL ? 2 : 8); i++) {
			struct link_result l;
			struct link_param q = {.needed = NEEDED, .offset_error_us = i % 4 == 3 ? 45000 : 0};
			zoo_make(&zoo_classes[c], &r, &p);
			size_t need = link_memory(&p.in, &p.out);
			void *mem = aligned_alloc(16, (need + 15) & ~(size_t)15);
			link_test(&p.in, &p.out, p.blind, p.n_blind, &q, mem, need, &l);
			free(mem);
			if (l.verdict != LINK_PROVEN)
				continue;
			proven++;
			struct blinds blind = {p.blind, p.n_blind};
			assert_true(pair_passes(&x, &p, &blind, q.offset_error_us, zoo_classes[c].name));
		}
	print_message("# %zu proven\n", proven);
	assert_true(proven > 50);
	index_free(&x);
	zoo_free(&p);
	zoo_unload();
}

static bool sizes_bound(
	const struct link_train *a, const struct link_train *b, const struct blinds *blind, size_t *strong)
{
	struct sized_pair pair = {a, b, 0, 0, blind};
	struct null_limits limits;
	struct bet_result r;

	null_limits_init(&limits);
	bytes_run(&pair, &limits, 0, &r);
	*strong += r.log10_sup >= SIZES_SPEAK;
	double most = most_sizes(a, b, blind, &limits, 1e9),
	       some = most_sizes(a, b, blind, &limits, SIZES_SPEAK);
	if (most < 199)
		assert_true(most >= r.log10_sup - TINY);
	return some >= r.log10_sup - TINY || some >= SIZES_SPEAK;
}

static bool ticks_bound(const struct link_train *a, const struct link_train *b, const struct blinds *blind)
{
	int64_t *mem = malloc((2 * b->n + 1) * sizeof(*mem));
	struct bet_result r;
	struct lane lane;

	(void)lane_at(&lane, b, blind, mem);
	tick_run(a, &lane, blind, 0, &r);
	bool bound = most_ticks(a, &lane) >= r.log10_sup - TINY;
	free(mem);
	return bound;
}

/* In every class of the zoo, whatever the verdict. */
static void what_sizes_and_ticks_find_is_bounded(void **state)
{
	struct zoo_pair p = {0};
	struct rng r;
	size_t strong = 0;

	(void)state;
	(void)zoo_load_gaps("");
	rng_seed(&r, 1618);
	for (size_t c = 0; c < zoo_n_classes; c++)
		for (int i = 0; i < 4; i++) {
			zoo_make(&zoo_classes[c], &r, &p);
			struct blinds blind = {p.blind, p.n_blind};
			bool bound = sizes_bound(&p.in.fwd, &p.out.fwd, &blind, &strong) &&
				     sizes_bound(&p.out.back, &p.in.back, &blind, &strong) &&
				     ticks_bound(&p.in.fwd, &p.out.fwd, &blind);
			if (!bound)
				print_message("# not bounded: %s\n", zoo_classes[c].name);
			assert_true(bound);
		}
	print_message("# sizes reach 10^%g in %zu\n", SIZES_SPEAK, strong);
	assert_true(strong > 20);
	zoo_free(&p);
	zoo_unload();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_sizes_and_ticks_find_is_bounded),
		cmocka_unit_test(what_conserves_passes),
		cmocka_unit_test(what_is_proven_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
