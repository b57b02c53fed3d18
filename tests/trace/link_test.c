/* The link test: against its slow second implementation, on every class of the zoo, on hostile and degenerate
 * input, and its own logarithm and exponential against libm. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "link_slow.h"
#include "trace/link_log.h"
#include "trace/link_null.h"
#include "zoo_gen.h"
#include "base/binomial.h"

#define NEEDED 8.5

static uint64_t seed;

static const struct zoo_class *class_named(const char *name)
{
	for (size_t i = 0; i < zoo_n_classes; i++)
		if (strcmp(zoo_classes[i].name, name) == 0)
			return &zoo_classes[i];
	fail_msg("no class %s", name);
	return NULL;
}

static void log_and_exp_agree_with_libm(void **state)
{
	struct rng r;
	(void)state;
	rng_seed(&r, seed);
	for (int i = 0; i < 200000; i++) {
		double x = rng_between(&r, -700, 700);
		double e = exp(x);
		assert_true(fabs(link_exp(x) / e - 1) < 1e-13);
		assert_true(fabs(link_log(e) - log(e)) <= 1e-13 * fmax(1, fabs(log(e))));
		double near = rng_between(&r, 0.9, 1.1);
		assert_true(fabs(link_log(near) - log(near)) < 1e-15);
	}
	assert_true(link_log(1) == 0 && link_exp(0) == 1);
	assert_true(link_log(0) == -745 && link_log(-1) == -745 && link_log(NAN) == -745 &&
		    link_log(INFINITY) == 710);
	assert_true(fabs(link_log(5e-324) - log(5e-324)) < 1e-11);
	assert_true(isfinite(link_exp(1e300)) && link_exp(-1e300) >= 0 && link_exp(NAN) == 0);
}

static void limits_are_upper_limits(void **state)
{
	(void)state;
	for (int n = 1; n <= 100; n++)
		for (int h = 0; h <= n; h++) {
			double u = null_upper(h, n);
			assert_true(u >= (double)h / n - 1e-12 && u <= 1 && u > 0);
			assert_true(h == 0 || u >= null_upper(h - 1, n) - 1e-12);
		}
	assert_true(fabs(limit_lower(10, 100, 0.01) - 0.0423521) < 1e-6); /* Clopper & Pearson */
	assert_true(fabs(limit_lower(1, 1000, 0.01) - 1.005e-5) < 1e-7);
}

/* Recorded trains as they come: mixed rates, merged or not, equal times, now and then a blind interval. */
static void random_train(struct rng *r, struct zoo_pair *p, int from, int to, double seconds)
{
	double scale = rng_between(r, 0.2, 3);
	double t = rng_unit(r);
	if (from < 0 || rng_unit(r) < 0.3)
		while ((t += rng_exp(r, scale) * (rng_unit(r) < 0.2 ? 0.02 : 1)) < seconds)
			events_add(&p->ev[to], t);
	if (from >= 0)
		for (size_t i = 0; i < p->ev[from].n; i++)
			if (rng_unit(r) < 0.9)
				events_add(&p->ev[to],
					p->ev[from].t[i] + (rng_unit(r) < 0.02 ? 0 : 0.03 * rng_unit(r)));
}

static void make_random(struct rng *r, struct zoo_pair *p)
{
	double seconds = rng_between(r, 20, 150);
	for (int i = 0; i < LANES; i++)
		events_clear(&p->ev[i]);
	p->n_blind = 0;
	random_train(r, p, -1, IN_FWD, seconds);
	if (rng_unit(r) < 0.3) /* ticks */
		for (double t = 3; t < seconds;
			t += 0.02 + 0.003 * rng_unit(r) + (rng_unit(r) < 0.01 ? 2 : 0))
			events_add(&p->ev[IN_FWD], t);
	random_train(r, p, rng_unit(r) < 0.6 ? IN_FWD : -1, OUT_FWD, seconds);
	random_train(r, p, -1, OUT_BACK, seconds);
	random_train(r, p, rng_unit(r) < 0.6 ? OUT_BACK : -1, IN_BACK, seconds);
	for (double t = 5; rng_unit(r) < 0.3; t += 10) {
		int64_t at = (int64_t)((1416614400.0 + t) * 1e6);
		p->blind[p->n_blind++] = (struct span){at, at + 1500000};
	}
	zoo_bursts(p, 0.02);
}

static void agrees_with_the_slow_one(void **state)
{
	struct zoo_pair p;
	struct rng r;
	int big = 0;
	(void)state;
	memset(&p, 0, sizeof p);
	rng_seed(&r, seed);
	for (int i = 0; i < 400; i++) {
		struct link_param param = {.needed = 3,
			.every_way = 1,
			.offset_us = i % 5 == 0 ? 12345 : 0,
			.offset_error_us = i % 10 == 0 ? 50001 : 0};
		struct link_result fast;
		struct slow_result slow;
		make_random(&r, &p);
		void *mem = malloc(link_memory(&p.in, &p.out));
		param.needed = 0.1; /* no early exit unless a train is empty */
		link_test(&p.in, &p.out, p.blind, p.n_blind, &param, mem, link_memory(&p.in, &p.out), &fast);
		slow_test(&p.in, &p.out, p.blind, p.n_blind, &param, &slow);
		free(mem);
		if (fabs(fast.log10_e - slow.log10_e) > 1e-9 ||
			fabs(fast.max_log10_e - slow.max_log10_e) > 1e-9)
			fail_msg("pair %d: fast %.12f %.12f slow %.12f %.12f", i, fast.log10_e,
				fast.max_log10_e, slow.log10_e, slow.max_log10_e);
		big += slow.max_log10_e > 5;
	}
	assert_true(big > 50); /* the comparison was about something */
	zoo_free(&p);
}

/* Budget of each class in CPU seconds, so that a slow machine tests fewer pairs, not longer. */
#define CLASS_SECONDS 0.3
#define CLASS_PAIRS   400

static void check_null(const struct zoo_class *c, size_t index)
{
	struct zoo_pair p;
	struct rng r;
	long pairs = 0, reach[6] = {0};
	clock_t until = clock() + (clock_t)(CLASS_SECONDS * CLOCKS_PER_SEC);
	memset(&p, 0, sizeof p);
	for (; pairs < CLASS_PAIRS && (pairs < 20 || clock() < until); pairs++) {
		struct link_result res;
		rng_seed(&r, seed + index * 1000003 + (uint64_t)pairs);
		zoo_make(c, &r, &p);
		zoo_test(&p, NEEDED, &res);
		if (res.verdict == LINK_PROVEN && c->kind != ZOO_OPEN)
			fail_msg("%s: pair %ld is called proven, log10 e %.1f", c->name, pairs,
				res.max_log10_e);
		for (int k = 1; k <= 5; k++)
			reach[k] += res.max_log10_e >= k;
	}
	for (int k = 1; k <= 5 && c->kind == ZOO_NULL; k++)
		if (limit_lower(reach[k], pairs, 0.01) > pow(10, -k))
			fail_msg("%s: %ld of %ld pairs reach 1e%d", c->name, reach[k], pairs, k);
	zoo_free(&p);
}

static void null_classes_are_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < zoo_n_classes; i++)
		if (zoo_classes[i].kind != ZOO_RELAY)
			check_null(&zoo_classes[i], i);
}

static void check_power(const char *name, int least_of_40)
{
	const struct zoo_class *c = class_named(name);
	struct zoo_pair p;
	struct rng r;
	int proven = 0;
	memset(&p, 0, sizeof p);
	for (int i = 0; i < 40; i++) {
		struct link_result res;
		rng_seed(&r, seed + (uint64_t)i);
		zoo_make(c, &r, &p);
		zoo_test(&p, NEEDED, &res);
		proven += res.verdict == LINK_PROVEN;
	}
	if (proven < least_of_40)
		fail_msg("%s: %d of 40 proven", name, proven);
	zoo_free(&p);
}

static void relays_are_proven(void **state)
{
	(void)state;
	check_power("typist 60 s, 1 ms", 36);
	check_power("typist 120 s, 10-50 ms", 36);
	check_power("typist 120 s, hidden keys", 36);
	check_power("typist 120 s, hidden and pongs", 36);
	check_power("gaps x5 300 s, 20 ms, chaff 100 %", 34);
}

static void a_relay_says_how(void **state)
{
	struct zoo_pair p;
	struct rng r;
	struct link_result res;
	(void)state;
	memset(&p, 0, sizeof p);
	rng_seed(&r, 7);
	zoo_make(class_named("typist 120 s, 10-50 ms"), &r, &p);
	zoo_test(&p, NEEDED, &res);
	assert_int_equal(res.verdict, LINK_PROVEN);
	assert_int_equal(res.reason, LINK_REASON_NONE);
	assert_in_range((uint64_t)res.lag_us, 20000, 45000);
	assert_in_range((uint64_t)res.lag_spread_us, 5000, 40000);
	assert_in_range((uint64_t)res.first_sufficient_us, 5000000, 120000000);
	assert_true(res.hits <= res.bursts && res.hits > 50);
	zoo_test(&p, 1000, &res); /* more is asked than there is */
	assert_int_equal(res.verdict, LINK_INSUFFICIENT);
	assert_true(res.first_sufficient_us == -1);
	struct link_leg swapped = p.in; /* the answer to the wrong question */
	p.in = p.out;
	p.out = swapped;
	zoo_test(&p, NEEDED, &res);
	assert_int_not_equal(res.verdict, LINK_PROVEN);
	zoo_free(&p);
}

static void offset_of_the_clocks(void **state)
{
	struct zoo_pair p;
	struct rng r;
	struct link_result res;
	struct link_param param = {.needed = NEEDED, .offset_us = 1500000 + 30000, .offset_error_us = 80000};
	(void)state;
	memset(&p, 0, sizeof p);
	rng_seed(&r, 11);
	zoo_make(class_named("typist 120 s, 10-50 ms"), &r, &p);
	for (size_t i = 0; i < p.out.fwd.n; i++)
		p.b[OUT_FWD][i].start_us -= 1500000;
	for (size_t i = 0; i < p.out.back.n; i++)
		p.b[OUT_BACK][i].start_us -= 1500000;
	size_t size = link_memory(&p.in, &p.out);
	void *mem = malloc(size);
	link_test(&p.in, &p.out, NULL, 0, &param, mem, size, &res);
	assert_int_equal(res.verdict, LINK_PROVEN);
	param.offset_us = 0;
	link_test(&p.in, &p.out, NULL, 0, &param, mem, size, &res);
	assert_int_not_equal(res.verdict, LINK_PROVEN);
	free(mem);
	zoo_free(&p);
}

static void sane(const struct link_result *r)
{
	assert_true(isfinite(r->log10_e) && isfinite(r->max_log10_e));
	assert_true(r->hits <= r->bursts && r->lag_spread_us >= 0);
	assert_true(r->verdict <= LINK_UNDECIDABLE && r->reason <= LINK_REASON_MEMORY);
	assert_int_equal(r->verdict == LINK_PROVEN, r->reason == LINK_REASON_NONE);
}

static struct link_result test_trains(const struct burst *a, size_t n_a, const struct burst *b, size_t n_b)
{
	struct link_leg in = {.fwd = {a, n_a}, .back = {b, n_b}, .resolution_us = 1, .sampling = 1};
	struct link_leg out = {.fwd = {b, n_b}, .back = {a, n_a}, .resolution_us = 1, .sampling = 1};
	struct link_param param = {.needed = 0.1};
	struct link_result r;
	size_t size = link_memory(&in, &out);
	void *mem = malloc(size);
	link_test(&in, &out, NULL, 0, &param, mem, size, &r);
	free(mem);
	sane(&r);
	return r;
}

static void degenerate_trains(void **state)
{
	struct burst same[64], back[64], wild[64], one = {.start_us = 5};
	(void)state;
	for (int i = 0; i < 64; i++) {
		same[i] = (struct burst){.start_us = 1000};
		back[i] = (struct burst){.start_us = (64 - i) * INT64_C(1000000), .dur_us = 5};
		wild[i] = (struct burst){
			.start_us = i % 2 ? INT64_MAX - i : INT64_MIN + i, .dur_us = UINT32_MAX};
	}
	const struct burst *t[] = {same, back, wild, &one, NULL};
	size_t n[] = {64, 64, 64, 1, 0};
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < 5; j++)
			assert_int_not_equal(test_trains(t[i], n[i], t[j], n[j]).verdict, LINK_PROVEN);
}

/* What the recorder never writes: starts at the ends of time, bursts of 2^32 us, sizes beyond counting, in
 * any order. */
static void wild_train(struct rng *r, struct burst *b, size_t n)
{
	static const int64_t edge[] = {INT64_MIN, -(INT64_C(1) << 60), 0, INT64_C(1) << 60, INT64_MAX};
	int64_t t = edge[rng_next(r) % 5];
	for (size_t i = 0; i < n; i++) {
		uint64_t step = rng_next(r) >> (rng_next(r) % 2 ? 40 : rng_next(r) % 64);
		t = (int64_t)((uint64_t)t + (rng_next(r) % 10 ? step : -step));
		b[i] = (struct burst){.start_us = t,
			.dur_us = rng_next(r) % 4 ? (uint32_t)(rng_next(r) % 30000) : UINT32_MAX,
			.packets = (uint32_t)rng_next(r),
			.bytes = rng_next(r) >> rng_next(r) % 64};
	}
}

static size_t wild_blind(struct rng *r, struct span *s, size_t most)
{
	size_t n = rng_next(r) % most;
	int64_t t = rng_next(r) % 2 ? INT64_MIN : -(INT64_C(1) << 60);
	for (size_t i = 0; i < n; i++) {
		s[i].from_us = t;
		t = i + 1 == n && rng_next(r) % 2 ? INT64_MAX : t + (int64_t)(rng_next(r) >> 8);
		s[i].to_us = t;
	}
	return n;
}

static void wild_input_is_defined(void **state)
{
	static const int64_t offset[] = {0, 0, 1, -70000, INT64_C(1) << 50, INT64_MIN, INT64_MAX};
	struct burst *b[LANES];
	struct span blind[16];
	struct rng r;
	(void)state;
	rng_seed(&r, seed);
	for (int i = 0; i < 3000; i++) {
		size_t n = 8 + rng_next(&r) % 200;
		for (int k = 0; k < LANES; k++) { /* no more than n, so that a look beyond is seen */
			b[k] = malloc(n * sizeof **b);
			wild_train(&r, b[k], n);
			if (k > 0 && rng_next(&r) % 2)
				memcpy(b[k], b[k - 1], n * sizeof **b);
		}
		struct link_leg in = {{b[0], n}, {b[3], n}, 1, 1, 0, 0};
		struct link_leg out = {{b[1], n}, {b[2], n}, 1, 1, 0, 0};
		struct link_param param = {.needed = rng_between(&r, -1, 3),
			.in_opened = i % 2,
			.offset_us = offset[rng_next(&r) % 7],
			.offset_error_us = i % 50 ? offset[rng_next(&r) % 4] : INT64_MAX};
		size_t n_blind = wild_blind(&r, blind, 16), size = link_memory(&in, &out);
		struct link_result res;
		void *mem = malloc(size);
		link_test(&in, &out, blind, n_blind, &param, mem, size, &res);
		sane(&res);
		free(mem);
		for (int k = 0; k < LANES; k++)
			free(b[k]);
	}
}

static void shift_all(struct zoo_pair *p, int64_t by)
{
	for (int lane = 0; lane < LANES; lane++)
		for (size_t k = 0; k < p->n[lane]; k++)
			p->b[lane][k].start_us += by;
}

/* Only differences of times matter, up to where times end; beyond, bursts are left out. */
static void a_pair_is_the_same_at_any_time(void **state)
{
	struct zoo_pair p;
	struct rng r;
	(void)state;
	memset(&p, 0, sizeof p);
	for (int i = 0; i < 20; i++) {
		struct link_result here, there;
		rng_seed(&r, seed + (uint64_t)i);
		zoo_make(class_named("typist 120 s, 10-50 ms"), &r, &p);
		zoo_test(&p, NEEDED, &here);
		int64_t first = p.b[IN_FWD][0].start_us, hour = INT64_C(3600000000);
		shift_all(&p, -(INT64_C(1) << 60) + hour - first);
		zoo_test(&p, NEEDED, &there);
		assert_memory_equal(&here.log10_e, &there.log10_e, sizeof here.log10_e);
		assert_memory_equal(&here.max_log10_e, &there.max_log10_e, sizeof here.max_log10_e);
		assert_int_equal(here.verdict, there.verdict);
		shift_all(&p, 2 * ((INT64_C(1) << 60) - hour));
		zoo_test(&p, NEEDED, &there);
		assert_memory_equal(&here.log10_e, &there.log10_e, sizeof here.log10_e);
		assert_int_equal(here.verdict, there.verdict);
		shift_all(&p, INT64_C(1) << 61);
		zoo_test(&p, 0.1, &there);
		sane(&there);
		assert_true(there.max_log10_e <= 0);
	}
	zoo_free(&p);
}

static void equal_times_have_no_order(void **state)
{
	struct zoo_pair p;
	struct rng r;
	struct link_result res;
	(void)state;
	memset(&p, 0, sizeof p);
	rng_seed(&r, 5);
	zoo_make(class_named("typist 120 s, 10-50 ms"), &r, &p);
	p.out.fwd = p.in.fwd; /* the same bytes at the same instant: a mirror, not a relay */
	p.in.back = p.out.back;
	zoo_test(&p, NEEDED, &res);
	assert_int_not_equal(res.verdict, LINK_PROVEN);
	zoo_free(&p);
}

static void coarse_clocks_and_small_memory(void **state)
{
	struct zoo_pair p;
	struct rng r;
	struct link_result res;
	struct link_param param = {.needed = NEEDED};
	(void)state;
	memset(&p, 0, sizeof p);
	rng_seed(&r, 5);
	zoo_make(class_named("typist 120 s, 10-50 ms"), &r, &p);
	link_test(&p.in, &p.out, NULL, 0, &param, NULL, 0, &res);
	assert_int_equal(res.reason, LINK_REASON_MEMORY);
	p.in.sampling = 100;
	zoo_test(&p, NEEDED, &res);
	assert_int_equal(res.reason, LINK_REASON_RESOLUTION);
	p.in.sampling = 1;
	p.out.resolution_us = 1000000;
	zoo_test(&p, NEEDED, &res);
	assert_int_equal(res.reason, LINK_REASON_RESOLUTION);
	p.out.resolution_us = 1;
	p.in.fwd.n = p.out.back.n = 3;
	zoo_test(&p, NEEDED, &res);
	assert_int_equal(res.reason, LINK_REASON_FEW_BURSTS);
	zoo_free(&p);
}

static void a_step_of_the_clock_proves_nothing(void **state)
{
	struct zoo_pair p;
	struct rng r;
	(void)state;
	memset(&p, 0, sizeof p);
	for (int i = 0; i < 100; i++) {
		struct link_result res;
		rng_seed(&r, seed + (uint64_t)i);
		zoo_make(class_named("typists"), &r, &p);
		int64_t at = p.b[IN_FWD][0].start_us + 300000000,
			step = (i % 2 ? 1 : -1) * INT64_C(3600000000);
		for (int lane = 0; lane < LANES; lane++)
			for (size_t k = 0; k < p.n[lane]; k++)
				if (p.b[lane][k].start_us > at)
					p.b[lane][k].start_us += step;
		zoo_test(&p, 3, &res);
		sane(&res);
		assert_int_not_equal(res.verdict, LINK_PROVEN);
	}
	zoo_free(&p);
}

/* Linear but for sorting: the test's limit of time would tell. */
static void millions_of_bursts(void **state)
{
	size_t n = 2000000;
	struct burst *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b), *copy = calloc(n, sizeof *copy);
	struct rng r;
	int64_t ta = 0, tb = 0;
	(void)state;
	rng_seed(&r, seed);
	for (size_t i = 0; i < n; i++) {
		ta += 20000 + (int64_t)rng_exp(&r, 300000);
		tb += 20000 + (int64_t)rng_exp(&r, 300000);
		a[i] = (struct burst){.start_us = ta, .dur_us = 10};
		b[i] = (struct burst){.start_us = tb, .dur_us = 10};
		copy[i] = a[i];
		copy[i].start_us += 300;
	}
	assert_int_not_equal(test_trains(a, n, b, n).verdict, LINK_PROVEN);
	assert_true(test_trains(a, n, copy, n).max_log10_e > 1e5); /* the scale has no end */
	for (size_t i = 0; i < n; i++)
		b[i].start_us = 5; /* all at once */
	assert_int_not_equal(test_trains(a, n, b, n).verdict, LINK_PROVEN);
	assert_int_not_equal(test_trains(b, n, b, n).verdict, LINK_PROVEN);
	free(a);
	free(b);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_and_exp_agree_with_libm),
		cmocka_unit_test(limits_are_upper_limits),
		cmocka_unit_test(agrees_with_the_slow_one),
		cmocka_unit_test(null_classes_are_valid),
		cmocka_unit_test(relays_are_proven),
		cmocka_unit_test(a_relay_says_how),
		cmocka_unit_test(offset_of_the_clocks),
		cmocka_unit_test(degenerate_trains),
		cmocka_unit_test(wild_input_is_defined),
		cmocka_unit_test(a_pair_is_the_same_at_any_time),
		cmocka_unit_test(equal_times_have_no_order),
		cmocka_unit_test(coarse_clocks_and_small_memory),
		cmocka_unit_test(a_step_of_the_clock_proves_nothing),
		cmocka_unit_test(millions_of_bursts),
	};
	const char *given = getenv("WEIR_TEST_SEED"), *data = getenv("WEIR_SHARED_DATA");
	seed = given != NULL ? strtoull(given, NULL, 10) : 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	size_t gaps = zoo_load_gaps(data != NULL ? data : "../shared/data");
	printf("# seed %llu (WEIR_TEST_SEED), %zu real gaps%s\n", (unsigned long long)seed, gaps,
		gaps == 0 ? ": fitted ones instead" : "");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	zoo_unload();
	return failed;
}
