/* An order's text: every field travels, one order has one text and no other is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "block/order.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
enum { RULES = 6 };

static const char *const names[] = {"", "root", "alice b", "caf\xc3\xa9", "weir watch"};
static const char *const whys[] = {"", "x", " x", "the attack goes on", "rules 1", "end"};

static int match_order(const void *a, const void *b)
{
	return rule_compare(a, b);
}

/* Sorted, each match once: the ports differ. */
static void random_rules(struct rule r[RULES], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		r[i] = (struct rule){.from = {{4, {203, 0, 113, (uint8_t)kit_rnd(256)}}, 32},
			.to = {{4, {192, 0, 2, 0}}, 24},
			.proto = PROTO_TCP,
			.port = (uint16_t)(1 + i)};
		if (kit_rnd(3) == 0)
			r[i].from = (struct prefix){{6, {0x20, 1, 0x0d, 0xb8, (uint8_t)kit_rnd(256)}}, 64};
		if (r[i].from.ip.v == 6)
			r[i].to = (struct prefix){{6, {0}}, 0};
		if (kit_rnd(2))
			r[i].action = RULE_RATE, r[i].rate = 1 + (uint32_t)kit_rnd(RULE_RATE_MAX);
	}
	qsort(r, n, sizeof(*r), match_order);
}

static void random_order(struct order *o, struct rule r[RULES])
{
	*o = (struct order){.option = (uint32_t)kit_rnd(PLAN_OPTIONS + 1),
		.made = {(int64_t)kit_rnd(UINT64_C(7258118400000001))},
		.expires = {(int64_t)kit_rnd(UINT64_C(7258118400000001))},
		.override_why = whys[kit_rnd(N_OF(whys))],
		.by = {names[kit_rnd(N_OF(names))], names[kit_rnd(N_OF(names))]},
		.rule = r,
		.n_rule = 1 + kit_rnd(RULES)};
	for (size_t i = 0; i < sizeof(o->case_id.b); i++)
		o->case_id.b[i] = (uint8_t)kit_rnd(256);
	for (int i = 0; i < 64; i++)
		o->plan[i] = "0123456789abcdef"[kit_rnd(16)];
	random_rules(r, o->n_rule);
}

/* The slow second writer.  Freed by the caller. */
static char *slow_order(const struct order *o, size_t *n)
{
	char *text, t[WALL_TEXT], u[WALL_TEXT], rule[RULE_TEXT];
	FILE *f = open_memstream(&text, n);

	assert_non_null(f);
	(void)fprintf(f, "weir-order/v1\ncase ");
	for (size_t i = 0; i < sizeof(o->case_id.b); i++)
		(void)fprintf(f, "%02x", o->case_id.b[i]);
	(void)fprintf(f, "\nplan %s\noption %u\nmade %s\nexpires %s\noverride%s%s\nby%s%s\n", o->plan,
		o->option, wall_text(t, o->made), wall_text(u, o->expires), *o->override_why ? " " : "",
		o->override_why, *o->by[0] ? " " : "", o->by[0]);
	(void)fprintf(f, "confirmed-by%s%s\nrules %zu\n", *o->by[1] ? " " : "", o->by[1], o->n_rule);
	for (size_t i = 0; i < o->n_rule; i++)
		(void)fprintf(f, "rule %s\n", rule_text(rule, &o->rule[i]));
	(void)fprintf(f, "end\n");
	assert_int_equal(fclose(f), 0);
	return text;
}

/* Reads bytes of which nothing stands behind; what is taken is written to the same bytes. */
static enum status try_read(const char *text, size_t n, struct order *to, struct arena *a, struct err *e)
{
	char *exact = malloc(n ? n : 1);
	struct buf b = {0};

	assert_non_null(exact);
	memcpy(exact, text, n);
	enum status s = order_read(to, exact, n, a, e);
	free(exact);
	if (s == STATUS_OK) {
		order_write(&b, to);
		assert_false(b.failed);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, text, n);
	} else {
		assert_int_equal(s, STATUS_BAD);
		assert_null(strchr(e->text, '\n'));
	}
	buf_free(&b);
	return s;
}

static void there_and_back(void **state)
{
	(void)state;
	kit_seed("order");
	for (int i = 0; i < 5000; i++) {
		struct rule r[RULES] = {0};
		struct order o, back;
		struct arena a = {0};
		struct buf b = {0};
		struct err e;
		size_t n;
		random_order(&o, r);
		char *slow = slow_order(&o, &n);
		order_write(&b, &o);
		if (b.failed)
			fail_msg("%s", order_valid(&o, &e) ? e.text : "out of memory?");
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, slow, n);
		if (try_read(slow, n, &back, &a, &e) != STATUS_OK)
			fail_msg("%s in\n%s", e.text, slow);
		assert_memory_equal(&o.case_id, &back.case_id, sizeof(o.case_id));
		assert_string_equal(o.plan, back.plan);
		assert_int_equal(o.option, back.option);
		assert_int_equal(o.made.us, back.made.us);
		assert_int_equal(o.expires.us, back.expires.us);
		assert_string_equal(o.override_why, back.override_why);
		assert_string_equal(o.by[0], back.by[0]);
		assert_string_equal(o.by[1], back.by[1]);
		assert_int_equal(o.n_rule, back.n_rule);
		for (size_t k = 0; k < o.n_rule; k++)
			assert_int_equal(rule_compare(&o.rule[k], &back.rule[k]), 0);
		free(slow);
		buf_free(&b);
		arena_free(&a);
	}
}

/* A changed byte is another order's text, or none. */
static void every_byte_counts(void **state)
{
	size_t taken = 0, tried = 0;

	(void)state;
	kit_seed("order");
	for (int round = 0; round < 10; round++) {
		struct rule r[RULES] = {0};
		struct arena a = {0};
		struct order o;
		struct err e;
		size_t n;
		random_order(&o, r);
		char *text = slow_order(&o, &n), *longer = malloc(n + 1);
		assert_non_null(longer);
		for (size_t at = 0; at < n; at++) {
			char was = text[at];
			for (unsigned v = 1; v < 256; v++) {
				text[at] = (char)(was ^ (char)v);
				taken += try_read(text, n, &o, &a, &e) == STATUS_OK;
				tried++;
			}
			text[at] = was;
			assert_int_equal(try_read(text, at, &o, &a, &e), STATUS_BAD);
			memcpy(longer, text, at);
			memcpy(longer + at, text + at + 1, n - at - 1);
			(void)try_read(longer, n - 1, &o, &a, &e);
			memcpy(longer + at + 1, text + at, n - at);
			longer[at] = was;
			(void)try_read(longer, n + 1, &o, &a, &e);
		}
		free(text);
		free(longer);
		arena_free(&a);
	}
	(void)printf("# %zu of %zu changed texts are those of other orders\n", taken, tried);
	assert_in_range(taken, 1, tried - 1);
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define BASE                                                                                                 \
	"weir-order/v1\ncase 000102030405060708090a0b0c0d0e0f\nplan " HEX64                                  \
	"\noption 1\nmade 2026-11-22T15:42:00.000000Z\nexpires 2026-11-22T16:42:00.000000Z\noverride\n"      \
	"by alice\nconfirmed-by bob\nrules 2\nrule drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22\n"      \
	"rule rate 5 from 203.0.113.11/32 to any any any\nend\n"

static void refused(void **state)
{
	static const struct {
		const char *from, *to, *names;
	} bad[] = {
		{"weir-order/v1", "weir-order/v2", "line 1 "},
		{"weir-order/v1", "weir-plan/v1", "line 1 "},
		{"case 00", "case 0", "case"},
		{"plan 0011", "plan 011", "plan"},
		{"plan 0011", "plan 00011", "plan"},
		{"ccddeeff\n", "ccddeefF\n", "plan"},
		{"option 1", "option 65", "option"},
		{"option 1", "option 4294967297", "option"},
		{"option 1", "option one", "option"},
		{"made 2026-11-22T15:42:00.000000Z", "made 2026-11-22T15:42:00Z", "line 5"},
		{"made 2026-11-22T15:42", "made 2026-11-22T24:42", "made"},
		{"expires 2026", "expires 9999", "expires"},
		{"override\n", "override \n", "override"},
		{"override\n", "", "override"},
		{"override\n", "override \x1b[2J\n", "override"},
		{"override\n", "override   \xe2\x80\x8b \n", "override"},
		{"by alice", "by alice ", "by"},
		{"by alice", "by  alice", "by"},
		{"by alice", "by alice  b", "by"},
		{"by alice",
			"by al\xe2\x80\xae"
			"ice",
			"by"},
		{"confirmed-by bob", "confirmed-by bob\xe2\x80\x8b", "by"},
		{"confirmed-by bob",
			"confirmed-by b\xc2\xad"
			"ob",
			"by"},
		{"confirmed-by bob", "confirmed-by bob\xc2\xa0", "by"},
		{"confirmed-by bob",
			"confirmed-by \xef\xbb\xbf"
			"bob",
			"by"},
		{"confirmed-by bob\n", "", "confirmed-by"},
		{"rules 2", "rules 1", "end"},
		{"rules 2", "rules 3", "rule"},
		{"rules 2", "rules 20001", "rules"},
		{"rule drop from 203.0.113.10/32", "rule drop from 203.0.113.12/32", "rule 2"},
		{"rule rate 5 from 203.0.113.11/32 to any any any",
			"rule drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", "twice"},
		{"rule rate 5 from 203.0.113.11/32 to any any any",
			"rule rate 5 from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", "twice"},
		{"rule drop from 203.0.113.10/32", "rule drop from 203.0.113.10", "rule"},
		{"tcp 22", "tcp 22 at partner", "rule"},
		{"\nend\n", "\nend", "end"},
		{"\nend\n", "\nend\n\n", ""},
	};
	static const char base[] = BASE;
	static const char none[] = "rules 2\nrule drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22\n"
				   "rule rate 5 from 203.0.113.11/32 to any any any\n";
	struct arena a = {0};
	struct order o;
	struct err e;
	char *text;
	int n;

	(void)state;
	if (try_read(base, strlen(base), &o, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < N_OF(bad); i++) {
		const char *at = strstr(base, bad[i].from);
		assert_non_null(at);
		n = asprintf(&text, "%.*s%s%s", (int)(at - base), base, bad[i].to, at + strlen(bad[i].from));
		assert_true(n > 0);
		if (try_read(text, (size_t)n, &o, &a, &e) == STATUS_OK)
			fail_msg("\"%s\" for \"%s\" was taken", bad[i].to, bad[i].from);
		if (!strstr(e.text, bad[i].names))
			fail_msg("\"%s\" for \"%s\": %s", bad[i].to, bad[i].from, e.text);
		free(text);
	}
	n = asprintf(&text, "%.*srules 0\nend\n", (int)(strstr(base, none) - base), base);
	assert_true(n > 0);
	assert_int_equal(try_read(text, (size_t)n, &o, &a, &e), STATUS_BAD);
	free(text);
	arena_free(&a);
}

/* As many rules as an option may have; a text above the bound is not looked at. */
static void large(void **state)
{
	struct rule *r = calloc(PLAN_ACTIONS + 1, sizeof(*r));
	struct order o = {.plan = HEX64, .rule = r, .n_rule = PLAN_ACTIONS}, back;
	struct arena a = {0};
	struct buf b = {0};
	struct err e;
	char *zeros = calloc(ORDER_BYTES + 1, 1);

	(void)state;
	assert_non_null(r);
	assert_non_null(zeros);
	for (size_t i = 0; i <= PLAN_ACTIONS; i++) {
		r[i] = (struct rule){.from = {{6, {0x20, 0x01, 0x0d, 0xb8}}, 64},
			.to = {{6, {0x20, 0x01, 0x0d, 0xb8}}, 128},
			.proto = PROTO_TCP,
			.port = 65535,
			.action = RULE_RATE,
			.rate = RULE_RATE_MAX};
		r[i].from.ip.b[6] = (uint8_t)(i >> 8);
		r[i].from.ip.b[7] = (uint8_t)i;
		memset(r[i].to.ip.b + 4, 0xff, 12);
	}
	order_write(&b, &o);
	assert_false(b.failed);
	assert_true(b.n < ORDER_BYTES);
	assert_int_equal(order_read(&back, b.p, b.n, &a, &e), STATUS_OK);
	assert_int_equal(back.n_rule, PLAN_ACTIONS);
	o.n_rule++;
	buf_free(&b);
	order_write(&b, &o);
	assert_true(b.failed);
	assert_int_equal(order_read(&back, zeros, ORDER_BYTES + 1, &a, &e), STATUS_BAD);
	free(zeros);
	free(r);
	buf_free(&b);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(refused),
		cmocka_unit_test(large),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
