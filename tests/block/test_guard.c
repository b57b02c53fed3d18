/* The guard: what no rule may touch, what no order may exceed, each said by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "block/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define NOW     INT64_C(1795362120000000)
#define HOUR    WIDTH_HOUR_US
#define HEX64   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct prefix net(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(&p, s));
	return p;
}

static struct rule rule(const char *s)
{
	struct rule r;

	if (!rule_parse(&r, s))
		fail_msg("\"%s\" is no rule", s);
	return r;
}

/* ---- one guard for all tests ---- */

static struct protected list[8];
static struct prefix own[2];
static struct guard guard;

static int make_guard(void **state)
{
	(void)state;
	list[0] = (struct protected){net("198.51.100.0/28"), PROTECT_NEVER};
	list[1] = (struct protected){net("192.0.2.10/32"), PROTECT_OWN};
	list[2] = (struct protected){net("2001:db8:1::10/128"), PROTECT_OWN};
	list[3] = (struct protected){net("192.0.2.1/32"), PROTECT_GATEWAY};
	list[4] = (struct protected){net("198.18.0.53/32"), PROTECT_RESOLVER};
	list[5] = (struct protected){net("198.19.0.0/16"), PROTECT_PARTNER};
	own[0] = net("192.0.2.0/24");
	own[1] = net("2001:db8:1::/48");
	guard = (struct guard){.protected = list,
		.n_protected = 6,
		.own = own,
		.n_own = 2,
		.widest = {24, 48},
		.confirm = {28, 64},
		.max_rules = 5,
		.max_for_us = 24 * HOUR,
		.skew_us = 60 * SECOND_US};
	return 0;
}

/* ---- rules ---- */

static void rules(void **state)
{
	static const struct {
		const char *rule, *why; /* "": may be installed */
	} table[] = {
		{"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", ""},
		{"drop from 203.0.113.0/24 to any any any", ""},
		{"rate 5 from 203.0.113.10/32 to any any any", ""},
		{"drop from 2001:db8:9::/48 to any any any", ""},
		{"drop from 2001:db8:9:1::/64 to 2001:db8:1::10/128 tcp 22", ""},
		/* too wide, too narrow, a wildcard */
		{"drop from any to 192.0.2.10/32 any any", "from any"},
		{"drop from 203.0.112.0/23 to any any any", "wider than a /24"},
		{"drop from 2001:db8:8::/47 to any any any", "wider than a /48"},
		{"drop from 2001:db8:9::/65 to any any any", "by prefix"},
		{"drop from 2001:db8:9::1/128 to any any any", "by prefix"},
		/* the source touches what is protected: is it, has it, is in it */
		{"drop from 198.51.100.3/32 to any any any", "never-block"},
		{"drop from 198.51.100.0/28 to any any any", "never-block"},
		{"drop from 198.51.100.0/24 to any any any", "never-block"},
		{"drop from 198.51.100.16/32 to any any any", ""},
		{"drop from 192.0.2.10/32 to any any any", "this machine"},
		{"rate 1 from 192.0.2.0/24 to 203.0.113.1/32 any any", "touches"},
		{"drop from 192.0.2.1/32 to 203.0.113.1/32 any any", "gateway"},
		{"drop from 198.18.0.53/32 to 192.0.2.10/32 udp 9", "resolver"},
		{"drop from 198.18.0.52/32 to 192.0.2.10/32 udp 9", ""},
		{"drop from 198.19.255.255/32 to 192.0.2.10/32 any any", "partner"},
		{"drop from 2001:db8:1::/64 to any any any", "this machine"},
		{"drop from 2001:db8:1:1::/64 to 2001:db8:9::/64 any any", ""},
		/* always, whatever the configuration says */
		{"drop from 0.0.0.0/32 to any any any", "unspecified"},
		{"drop from 0.1.2.3/32 to any any any", "unspecified"},
		{"drop from 127.0.0.1/32 to any any any", "loopback"},
		{"drop from 169.254.169.254/32 to any any any", "link-local"},
		{"drop from 224.0.0.1/32 to any any any", "multicast"},
		{"drop from 240.0.0.0/24 to any any any", "multicast"},
		{"drop from 255.255.255.255/32 to any any any", "broadcast"},
		{"drop from ::/64 to any any any", "unspecified"},
		{"drop from ff02::/64 to any any any", "multicast"},
		{"drop from fe80::/64 to any any any", "link-local"},
		{"drop from febf:ffff::/64 to any any any", "link-local"},
		{"drop from 64:ff9b::/64 to any any any", "NAT64"},
		{"drop from 64:ff9b:1:2::/64 to any any any", "NAT64"},
		{"drop from 2002:c000:20a::/48 to any any any", "6to4"},
		{"drop from 2001:0:c000:20a::/64 to any any any", "Teredo"},
		{"drop from 2001:1::/64 to any any any", ""},
		{"drop from 100::/64 to any any any", ""},
		/* what leaves: the destination must not be protected either */
		{"drop from 192.0.2.77/32 to 203.0.113.1/32 tcp 22", ""},
		{"drop from 192.0.2.77/32 to any tcp 22", "to any touches"},
		{"drop from 192.0.2.77/32 to 192.0.2.10/32 tcp 22", "this machine"},
		{"drop from 192.0.2.77/32 to 198.18.0.53/32 udp 53", "resolver"},
		{"drop from 192.0.2.77/32 to 198.18.0.0/24 udp 53", "resolver"},
		{"drop from 192.0.2.77/32 to 224.0.0.251/32 udp 5353", "multicast"},
		{"drop from 192.0.2.64/26 to 198.19.1.0/24 any any", "partner"},
		{"drop from 2001:db8:1:1::/64 to fe80::1/128 any any", "link-local"},
		/* what comes in may name one: that is what is defended */
		{"drop from 203.0.113.10/32 to 192.0.2.1/32 any any", ""},
		{"drop from 203.0.113.10/32 to 198.18.0.53/32 udp 53", ""},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < N_OF(table); i++) {
		struct rule r = rule(table[i].rule);
		enum status s = guard_rule(&guard, &r, &e), want = *table[i].why ? STATUS_NO : STATUS_OK;
		if (s != want)
			fail_msg("%s: %s", table[i].rule, s == STATUS_OK ? "taken" : e.text);
		if (s != STATUS_OK && !strstr(e.text, table[i].why))
			fail_msg("%s: %s", table[i].rule, e.text);
	}
}

/* Hands that never wrote a rule's text give no rule either. */
static void not_a_rule(void **state)
{
	struct rule good = rule("drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22"), r;
	struct err e;

	(void)state;
	r = good, r.from.ip.v = 6, r.to.ip.v = 6, r.from.len = 200;
	assert_int_equal(guard_rule(&guard, &r, &e), STATUS_NO);
	r = good, r.proto = 0;
	assert_int_equal(guard_rule(&guard, &r, &e), STATUS_NO);
	r = good, r.from = net("127.0.0.0/8"), r.from.ip.v = 9;
	assert_int_equal(guard_rule(&guard, &r, &e), STATUS_NO);
	struct guard open = guard;
	open.widest[0] = open.widest[1] = 0;
	r = good, r.from.len = 0, memset(r.from.ip.b, 0, 16);
	assert_int_equal(guard_rule(&open, &r, &e), STATUS_NO);
	r = rule("drop from 128.0.0.0/1 to any any any");
	assert_int_equal(guard_rule(&open, &r, &e), STATUS_NO); /* has multicast */
}

/* ---- orders ---- */

struct scene {
	struct rule rule[6];
	struct action action[6];
	struct option option[2];
	struct plan plan;
	struct order order;
};

static void scene(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->action[0] = (struct action){rule("drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22"), ""};
	s->action[1] = (struct action){rule("drop from 203.0.113.0/27 to any any any"), ""};
	s->action[2] = (struct action){rule("drop from 203.0.112.10/32 to any any any"), "a partner"};
	s->action[3] = (struct action){rule("rate 50 from 203.0.113.77/32 to any any any"), ""};
	s->action[4] = (struct action){rule("drop from 203.0.113.78/32 to any any any"), ""};
	s->option[0] = (struct option){
		.k = 1, .action = s->action, .n_action = 5, .for_us = HOUR, .sufficient = true};
	s->option[1] = (struct option){.k = 2, .action = s->action + 3, .n_action = 1, .for_us = 2 * HOUR};
	s->plan = (struct plan){.sha256 = HEX64, .option = s->option, .n_option = 2};
	s->rule[0] = s->action[0].rule;
	s->order = (struct order){.plan = HEX64,
		.option = 1,
		.made = {NOW},
		.expires = {NOW + HOUR},
		.override_why = "",
		.by = {"alice", ""},
		.rule = s->rule,
		.n_rule = 1};
}

static void expect(const struct scene *s, const char *why)
{
	struct err e = {0};
	enum status st = guard_order(&guard, &s->order, &s->plan, (struct wall){NOW}, &e);

	if (st != (*why ? STATUS_NO : STATUS_OK))
		fail_msg("\"%s\" expected, but: %s", why, st == STATUS_OK ? "taken" : e.text);
	if (*why && !strstr(e.text, why))
		fail_msg("\"%s\" expected, but: %s", why, e.text);
	assert_null(strchr(e.text, '\n'));
}

static void of_its_plan(void **state)
{
	struct scene s;

	(void)state;
	scene(&s), expect(&s, "");
	scene(&s), s.plan.sha256[3] = '9', expect(&s, "not of this plan");
	scene(&s), s.plan.sha256[0] = '\0', expect(&s, "not of this plan");
	scene(&s), s.order.plan[63] = '0', expect(&s, "not of this plan");
	scene(&s), s.order.case_id.b[15] = 1, expect(&s, "another case");
	scene(&s), s.order.option = 3, expect(&s, "no option 3");
	scene(&s), s.order.option = 0, expect(&s, "no option 0");
	/* only what is in the option, and placed here */
	scene(&s), s.rule[0] = s.action[2].rule, expect(&s, "not in option 1");
	scene(&s), s.order.option = 2, s.order.override_why = "x", expect(&s, "not in option 2");
	scene(&s), s.rule[0] = rule("drop from 203.0.113.40/32 to any any any"), expect(&s, "not in option");
	scene(&s), s.rule[0] = rule("drop from 203.0.113.10/32 to 192.0.2.10/32 tcp any");
	expect(&s, ""); /* in the /27 */
	scene(&s), s.rule[0] = rule("drop from 203.0.113.31/32 to any any any"), expect(&s, "");
	scene(&s), s.rule[0] = rule("drop from 203.0.113.32/32 to any any any"), expect(&s, "not in option");
	scene(&s), s.rule[0] = rule("drop from 203.0.113.77/32 to any any any"), expect(&s, "not in option");
	scene(&s), s.rule[0] = rule("rate 49 from 203.0.113.77/32 to any any any"), expect(&s, "not in");
	scene(&s), s.rule[0] = rule("rate 51 from 203.0.113.77/32 to any any any"), expect(&s, "");
	/* one good rule does not carry a bad one */
	scene(&s), s.rule[1] = rule("drop from 203.0.113.79/32 to any any any"), s.order.n_rule = 2;
	expect(&s, "not in option");
}

static void enough(void **state)
{
	struct scene s;

	(void)state;
	scene(&s), s.option[0].sufficient = false, expect(&s, "not sufficient");
	s.order.override_why = "the attack goes on", expect(&s, "");
	s.order.override_why = NULL, expect(&s, "not sufficient");
}

static void two_people(void **state)
{
	struct scene s;

	(void)state;
	scene(&s), s.rule[0] = s.action[1].rule, expect(&s, "two people");
	s.order.by[1] = "bob", expect(&s, "");
	s.order.by[1] = "alice", expect(&s, "two people");
	s.order.by[1] = "Alice", expect(&s, "two people");
	s.order.by[1] = "alice ", expect(&s, "blanks");
	s.order.by[0] = "", s.order.by[1] = "bob", expect(&s, "two people");
	s.order.by[0] = NULL, s.order.by[1] = NULL, expect(&s, "two people");
	/* the bound itself takes one */
	scene(&s), s.rule[0] = rule("drop from 203.0.113.16/28 to any any any"), expect(&s, "");
	scene(&s), s.action[0].rule = s.rule[0] = rule("drop from 2001:db8:9::/64 to any any any"),
		   expect(&s, "");
	scene(&s), s.action[0].rule = s.rule[0] = rule("drop from 2001:db8:8::/63 to any any any");
	expect(&s, "two people");
}

static void times(void **state)
{
	struct scene s;

	(void)state;
	scene(&s), s.order.made.us += 60 * SECOND_US, s.order.expires.us += 60 * SECOND_US, expect(&s, "");
	s.order.made.us++, expect(&s, "future");
	scene(&s), s.order.expires.us = NOW, s.order.made.us = NOW - HOUR, expect(&s, "expired");
	s.order.expires.us++, s.order.made.us++, expect(&s, "");
	scene(&s), s.order.expires.us++, expect(&s, "longer than its plan");
	scene(&s), s.option[0].for_us = 1000 * HOUR, s.order.expires.us = NOW + 24 * HOUR, expect(&s, "");
	s.order.expires.us++, expect(&s, "max_block");
	scene(&s), s.order.made.us = NOW + 30 * SECOND_US, s.order.expires.us = NOW + 1, expect(&s, "begins");
	scene(&s), s.option[0].for_us = -1, expect(&s, "longer than its plan");
	scene(&s), s.option[0].for_us = INT64_MIN, expect(&s, "longer than its plan");
	scene(&s), s.order.made = WALL_BEGIN, s.order.expires = WALL_END, expect(&s, "made");
	scene(&s), s.order.made.us = 0, s.order.expires.us = INT64_C(7258118400000000), expect(&s, "longer");
}

/* Times of any value, and a clock of any. */
static void overflow(void **state)
{
	static const int64_t hard[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, NOW, INT64_MAX - 1, INT64_MAX};
	struct scene s;
	struct err e;
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < N_OF(hard) * N_OF(hard) * N_OF(hard) * N_OF(hard); i++) {
		scene(&s);
		s.order.made.us = hard[i % 8];
		s.order.expires.us = hard[i / 8 % 8];
		guard.skew_us = hard[i / 512 % 8];
		guard.max_for_us = s.option[0].for_us = INT64_MAX;
		struct wall now = {hard[i / 64 % 8]};
		/* what can be said with 128 bits */
		__int128 made = s.order.made.us, expires = s.order.expires.us;
		__int128 skew = guard.skew_us > 0 ? guard.skew_us : 0;
		bool good = made >= 0 && made <= NOW && expires >= 0 && expires <= NOW &&
			    made <= now.us + skew && expires > now.us && expires > made &&
			    expires - made <= INT64_MAX;
		enum status st = guard_order(&guard, &s.order, &s.plan, now, &e);
		assert_int_equal(st, good ? STATUS_OK : STATUS_NO);
		taken += good;
	}
	assert_true(taken > 10);
}

static void caps(void **state)
{
	struct scene s;
	struct err e;

	(void)state;
	scene(&s), s.order.n_rule = 0, expect(&s, "no rule");
	scene(&s);
	for (uint16_t i = 0; i < 6; i++)
		s.rule[i] = s.action[0].rule, s.rule[i].port = (uint16_t)(i + 1);
	s.order.n_rule = 6, expect(&s, "max_rules");
	s.order.n_rule = 5, expect(&s, "");
	assert_int_equal(guard_room(&guard, 0, &s.order, &e), STATUS_OK);
	assert_int_equal(guard_room(&guard, 1, &s.order, &e), STATUS_NO);
	assert_int_equal(guard_room(&guard, SIZE_MAX, &s.order, &e), STATUS_NO);
	s.order.n_rule = 1;
	assert_int_equal(guard_room(&guard, 4, &s.order, &e), STATUS_OK);
	assert_int_equal(guard_room(&guard, 5, &s.order, &e), STATUS_NO);
	/* sorted, each match once */
	struct rule t = s.rule[0];
	s.order.n_rule = 2, s.rule[0] = s.rule[1], s.rule[1] = t, expect(&s, "out of order");
	s.rule[1] = s.rule[0], expect(&s, "twice");
}

/* 20,000 rules in a plan of as many: also where each has to be looked for. */
static void many(void **state)
{
	enum { MANY = 20000 };
	struct action *action = calloc(MANY, sizeof(*action));
	struct rule *r = calloc(MANY, sizeof(*r));
	struct scene s;

	(void)state;
	assert_true(action && r);
	scene(&s);
	for (size_t i = 0; i < MANY; i++) {
		r[i] = rule("drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22");
		r[i].from.ip.b[1] = (uint8_t)(i >> 8);
		r[i].from.ip.b[3] = (uint8_t)i;
		action[MANY - 1 - i] = (struct action){r[i], ""};
	}
	s.option[0].action = action;
	s.option[0].n_action = s.order.n_rule = guard.max_rules = MANY;
	s.order.rule = r;
	expect(&s, "");
	r[MANY - 1].port = 23, expect(&s, "not in option");
	free(action);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rules, make_guard),
		cmocka_unit_test_setup(not_a_rule, make_guard),
		cmocka_unit_test_setup(of_its_plan, make_guard),
		cmocka_unit_test_setup(enough, make_guard),
		cmocka_unit_test_setup(two_people, make_guard),
		cmocka_unit_test_setup(times, make_guard),
		cmocka_unit_test_setup(overflow, make_guard),
		cmocka_unit_test_setup(caps, make_guard),
		cmocka_unit_test_setup(many, make_guard),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
