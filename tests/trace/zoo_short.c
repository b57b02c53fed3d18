/* The zoo in short: of every class some pairs; nothing that is no link is called proven, every number is
 * finite, and the result does not depend on how many work at it.  Seeded by WEIR_TEST_SEED. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "zoo_gen.h"
#include "zoo_run.h"

#define NEEDED 8.5
#define PAIRS  200

static uint64_t seed;

static void check_class(const struct zoo_class *c, uint64_t class_seed)
{
	long pairs = zoo_pairs(c, PAIRS);
	struct zoo_one *v;
	zoo_run(c, pairs, class_seed, NEEDED, &v);
	for (long i = 0; i < pairs; i++) {
		if (!v[i].finite)
			fail_msg("%s: pair %ld has a number that is not finite", c->name, i);
		if (v[i].verdict == LINK_PROVEN && (c->kind == ZOO_NULL || c->kind == ZOO_SHARED))
			fail_msg("%s: pair %ld is called proven, log10 e %.1f", c->name, i, v[i].e);
	}
	zoo_run_free(v, pairs);
}

static void check_kind(enum zoo_kind kind)
{
	for (size_t i = 0; i < zoo_n_classes; i++)
		if (zoo_classes[i].kind == kind)
			check_class(&zoo_classes[i], seed + 7919 * i);
}

static void unrelated_pairs_are_not_proven(void **state)
{
	(void)state;
	check_kind(ZOO_NULL);
}

static void shared_causes_are_not_proven(void **state)
{
	(void)state;
	check_kind(ZOO_SHARED);
}

static void relays_have_finite_numbers(void **state)
{
	(void)state;
	check_kind(ZOO_REACTS);
	check_kind(ZOO_OPEN);
	check_kind(ZOO_RELAY);
}

static void workers_do_not_matter(void **state)
{
	const struct zoo_class *c = &zoo_classes[0];
	struct zoo_one *one, *many;
	(void)state;
	setenv("ZOO_WORKERS", "1", 1);
	zoo_run(c, PAIRS, seed, NEEDED, &one);
	setenv("ZOO_WORKERS", "5", 1);
	zoo_run(c, PAIRS, seed, NEEDED, &many);
	unsetenv("ZOO_WORKERS");
	for (long i = 0; i < PAIRS; i++) {
		assert_true(one[i].e == many[i].e);
		assert_int_equal(one[i].verdict, many[i].verdict);
	}
	zoo_run_free(one, PAIRS);
	zoo_run_free(many, PAIRS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unrelated_pairs_are_not_proven),
		cmocka_unit_test(shared_causes_are_not_proven),
		cmocka_unit_test(relays_have_finite_numbers),
		cmocka_unit_test(workers_do_not_matter),
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
