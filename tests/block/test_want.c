/* What orders want together, against a slow second merge that looks at every rule for every rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "block/want.h"

enum { ORDERS = 12, RULES = 8 };

static int compare(const void *a, const void *b)
{
	return rule_compare(a, b);
}

/* Few matches, so that orders meet; sorted, each match once. */
static size_t random_rules(struct rule r[RULES])
{
	size_t n = 0;

	for (size_t i = 0; i < RULES; i++) {
		if (kit_rnd(2))
			continue;
		r[n] = (struct rule){
			.from = {{4, {203, 0, 113, (uint8_t)i}}, 32}, .to = {{4, {192, 0, 2, 1}}, 32}};
		if (kit_rnd(2))
			r[n].action = RULE_RATE, r[n].rate = 1 + (uint32_t)kit_rnd(3);
		n++;
	}
	qsort(r, n, sizeof(*r), compare);
	return n;
}

/* Is the wish harsher, or as harsh and of a later end? */
static bool beats(const struct rule *a, struct wall a_until, const struct rule *b, struct wall b_until)
{
	uint32_t pass_a = a->action == RULE_DROP ? 0 : a->rate, pass_b = b->action == RULE_DROP ? 0 : b->rate;

	return pass_a < pass_b || (pass_a == pass_b && a_until.us > b_until.us);
}

/* What the rule's match is to be; false: no order in force has it. */
static bool slow_want(
	const struct order *o, size_t n, struct wall now, const struct rule *match, struct want *to)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; o[i].expires.us > now.us && k < o[i].n_rule; k++) {
			const struct rule *r = &o[i].rule[k];
			if (memcmp(&r->from, &match->from, sizeof(r->from)) != 0)
				continue;
			if (!any || beats(r, o[i].expires, &to->rule, to->until))
				*to = (struct want){*r, o[i].expires};
			any = true;
		}
	return any;
}

static void as_slow(void **state)
{
	size_t merged = 0;

	(void)state;
	kit_seed("want");
	for (int round = 0; round < 20000; round++) {
		struct rule rule[ORDERS][RULES], match = {.to = {{4, {192, 0, 2, 1}}, 32}};
		struct order o[ORDERS];
		struct wish wish[ORDERS];
		struct wall now = {100};
		struct arena a = {0};
		struct want *want, slow;
		size_t n = kit_rnd(ORDERS + 1), n_want, n_slow = 0;
		struct err e;
		for (size_t i = 0; i < n; i++) {
			o[i] = (struct order){.rule = rule[i], .n_rule = random_rules(rule[i])};
			o[i].expires.us = 95 + (int64_t)kit_rnd(15);
			wish[i] = (struct wish){&o[i], NULL};
		}
		assert_int_equal(want_merge(wish, n, now, &want, &n_want, &a, &e), STATUS_OK);
		for (uint8_t k = 0; k < RULES; k++) {
			match.from = (struct prefix){{4, {203, 0, 113, k}}, 32};
			n_slow += slow_want(o, n, now, &match, &slow);
		}
		assert_int_equal(n_want, n_slow);
		for (size_t i = 0; i < n_want; i++) {
			assert_true(slow_want(o, n, now, &want[i].rule, &slow));
			assert_int_equal(rule_compare(&want[i].rule, &slow.rule), 0);
			assert_int_equal(want[i].until.us, slow.until.us);
			assert_true(i == 0 || rule_compare(&want[i - 1].rule, &want[i].rule) < 0);
		}
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(wish[i].at == NULL, o[i].expires.us <= now.us);
			for (size_t k = 0; wish[i].at && k < o[i].n_rule; k++) {
				assert_true(wish[i].at[k] < n_want);
				assert_true(rule_same_match(&want[wish[i].at[k]].rule, &o[i].rule[k]));
				merged++;
			}
		}
		arena_free(&a);
	}
	assert_true(merged > 1000);
}

/* 1,000 orders of 20 rules, half of them wanted twice. */
static void many(void **state)
{
	enum { MANY = 1000, EACH = 20 };
	struct rule(*rule)[EACH] = calloc(MANY, sizeof(*rule));
	struct order *o = calloc(MANY, sizeof(*o));
	struct wish *wish = calloc(MANY, sizeof(*wish));
	struct arena a = {0};
	struct want *want;
	struct err e;
	size_t n;

	(void)state;
	assert_true(rule && o && wish);
	for (size_t i = 0; i < MANY; i++) {
		for (size_t k = 0; k < EACH; k++) {
			size_t host = (i / 2) * EACH + k;
			rule[i][k] = (struct rule){
				.from = {{4, {198, 18, (uint8_t)(host >> 8), (uint8_t)host}}, 32},
				.to = {{4, {192, 0, 2, 1}}, 32}};
		}
		o[i] = (struct order){.rule = rule[i], .n_rule = EACH, .expires = {1 + (int64_t)i}};
		wish[MANY - 1 - i] = (struct wish){&o[i], NULL};
	}
	assert_int_equal(want_merge(wish, MANY, (struct wall){0}, &want, &n, &a, &e), STATUS_OK);
	assert_int_equal(n, MANY * EACH / 2);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(want[i].until.us, 2 * (int64_t)(i / EACH) + 2);
	arena_free(&a);
	free(rule);
	free(o);
	free(wish);
}

static void nothing(void **state)
{
	struct rule r = {.from = {{4, {203, 0, 113, 1}}, 32}, .to = {{4, {192, 0, 2, 1}}, 32}};
	struct order o = {.rule = &r, .n_rule = 1, .expires = {INT64_MIN}};
	struct wish wish = {&o, (uint32_t *)&r};
	struct arena a = {0};
	struct want *want;
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(want_merge(NULL, 0, (struct wall){0}, &want, &n, &a, &e), STATUS_OK);
	assert_int_equal(n, 0);
	assert_int_equal(want_merge(&wish, 1, (struct wall){0}, &want, &n, &a, &e), STATUS_OK);
	assert_int_equal(n, 0);
	assert_null(wish.at);
	o.expires = WALL_END;
	o.n_rule = WANT_MAX + 1; /* not looked at */
	assert_int_equal(want_merge(&wish, 1, (struct wall){0}, &want, &n, &a, &e), STATUS_BAD);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_slow),
		cmocka_unit_test(many),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests_name("want", tests, NULL, NULL);
}
