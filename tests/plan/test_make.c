/* Making plans: on runs of lab/set, whose truth is known, and on recordings that the test writes: what is
 * offered where, what is marked, what is never offered, what counts as evidence. */
#include <jansson.h>

#include "plan_kit.h"

/* ---- laboratory ---- */

static json_t *truth_of(const char *run)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/lab/set/%s/truth.json", getenv("WEIR_SOURCE"), run);
	json_t *j = json_load_file(path, 0, NULL);
	assert_non_null(j);
	return j;
}

static bool hits_text(const struct option *o, const char *flow)
{
	struct endpoint end[2];
	uint8_t proto;
	bool hit = false;

	assert_true(flow_parse(&proto, end, flow));
	for (size_t i = 0; i < o->n_action; i++)
		hit = hit || rule_hits(&o->action[i].rule, proto, &end[0], &end[1]) ||
		      rule_hits(&o->action[i].rule, proto, &end[1], &end[0]);
	return hit;
}

/* Is the flow the attack, or a leg of its chain, by the truth? */
static bool of_attack(const json_t *truth, const char *flow)
{
	json_t *attack = json_array_get(json_object_get(truth, "attacks"), 0);
	json_t *hop;
	size_t i;
	bool is = strcmp(json_string_value(json_object_get(attack, "flow")), flow) == 0;

	json_array_foreach(json_object_get(attack, "hops"), i, hop) is =
		is || strcmp(json_string_value(json_object_get(hop, "in")), flow) == 0;
	return is;
}

/* Bystanders that the option hits, counted over the whole recording by the truth: each 5-tuple once. */
static uint64_t bystanders(const struct scene *s, const json_t *truth, const struct option *o)
{
	struct recording r;
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1};
	struct err e;
	uint64_t n = 0;

	assert_int_equal(recording_read(&r, &world_real, s->dir, &q, &e), STATUS_OK);
	for (size_t i = 0; i < r.n_flow; i++) {
		char text[FLOW_TEXT], other[FLOW_TEXT];
		bool again = false;
		(void)flow_text(text, &r.flow[i].head);
		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(flow_text(other, &r.flow[k].head), text) == 0;
		n += !again && !of_attack(truth, text) && hits_text(o, text);
	}
	recording_free(&r);
	return n;
}

static void lab_run(const char *run, bool count)
{
	struct scene s;
	char id[ID_TEXT];
	json_t *truth = truth_of(run);
	json_t *attack = json_array_get(json_object_get(truth, "attacks"), 0);
	const char *flow = json_string_value(json_object_get(attack, "flow"));

	scene_open(&s, "");
	scene_sealed(&s);
	scene_lab(&s, run, id);
	struct plan p = plan_good(&s, id);
	const struct option *m = marked(&p);
	assert_true(m->sufficient && m->n_needs == 0 && m->stops > 0.999);
	if (!hits_text(m, flow))
		fail_msg("%s: the marked option lets %s pass", run, flow);
	assert_true(p.exact && p.n_option >= 2);
	for (size_t i = 0; i < p.n_option && count; i++)
		assert_int_equal(p.option[i].hit.flows, bystanders(&s, truth, &p.option[i]));
	scene_close(&s);
	json_decref(truth);
}

static void test_lab(void **state)
{
	(void)state;
	lab_run("nested", true);
	lab_run("socks", true);
	lab_run("chain3", true);
	lab_run("ipv6", true);
	lab_run("reverse", true);
	lab_run("nat", false); /* copies before and after translation have other 5-tuples */
	lab_run("clocks", false);
}

/* The relay opened the in-leg: what comes back to it goes to a port of the moment, which no rule may name. */
static void test_reverse(void **state)
{
	struct scene s;
	char id[ID_TEXT];

	(void)state;
	scene_open(&s, "");
	scene_sealed(&s);
	scene_lab(&s, "reverse", id);
	struct plan p = plan_good(&s, id);
	const struct option *o = only(&p, "drop from 198.51.100.9/32 to 203.0.113.10/32 tcp any", "");
	assert_non_null(o);
	assert_true(o->sufficient && o->needed > 0);
	assert_string_equal(p.ends, "198.51.100.0/24");
	scene_close(&s);
}

/* Two minutes short of evidence: the in-leg is offered, if at all, with what is missing. */
static void test_short(void **state)
{
	struct scene s;
	char id[ID_TEXT];

	(void)state;
	scene_open(&s, "");
	scene_sealed(&s);
	scene_lab(&s, "short", id);
	struct plan p = plan_good(&s, id);
	for (size_t i = 0; i < p.n_option; i++)
		assert_true(p.option[i].sufficient == (p.option[i].missing[0] == '\0'));
	assert_true(marked(&p)->sufficient);
	scene_close(&s);
}

/* ---- what is offered ---- */

static void test_simple(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "own_networks = {\"192.0.2.0/24\"}\n", id);

	(void)state;
	assert_true(has_rule(marked(&p), "drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", ""));
	assert_non_null(only(&p, "drop from 203.0.113.10/32 to any tcp 22", ""));
	assert_non_null(only(&p, "drop from 203.0.113.10/32 to any any any", ""));
	assert_non_null(only(&p, "drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", "203.0.113.0/24"));
	assert_int_equal(p.attacks, 1);
	assert_int_equal(p.cases, 1);
	assert_string_equal(p.ends, "203.0.113.0/24");
	assert_int_equal(marked(&p)->for_us, HOUR);
	for (uint32_t k = 0; k < p.n_option; k++)
		assert_true(p.option[k].n_way == 0); /* none was seen: none is made up */
	scene_close(&s);
}

static void test_unwilling(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "", id);
	static const char *const no[][1] = {{"203.0.113.0/24"}, {"203.0.0.0/16"}, {"198.51.100.0/24"}};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct plan_param q = scene_param(&s);
		bool asked = false;
		q.unwilling = no[i];
		q.n_unwilling = 1;
		assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
		for (size_t k = 0; k < p.n_option; k++)
			asked = asked || p.option[k].n_needs > 0;
		assert_int_equal(asked, i == 2);
	}
	scene_close(&s);
}

/* Longer than an hour is wide: a sighting does not carry that far; nothing is marked as if it did. */
static void test_longer(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "", id);
	struct plan_param q = scene_param(&s);
	struct err e = {0};

	(void)state;
	q.for_us = 2 * HOUR;
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	assert_false(marked(&p)->sufficient);
	assert_non_null(strstr(marked(&p)->missing, "an hour at most"));
	assert_int_equal(marked(&p)->for_us, 2 * HOUR);
	q.for_us = 1000 * HOUR; /* no longer than max_block */
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	assert_int_equal(marked(&p)->for_us, s.cfg.max_block_us);
	scene_close(&s);
}

static void test_protected(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p;
	struct err e = {0};
	static const char *const attack[] = {ATTACK, "tcp 198.51.100.7:1000 > 192.0.2.10:22"};

	(void)state;
	scene_open(&s, "never_block = {\"203.0.113.8/29\"}\n");
	scene_talk(&s, attack[0], T0);
	scene_sealed(&s);
	scene_case(&s, "operator", attack, 1, T0, id);
	assert_int_equal(plan_of(&s, id, &p, &e), STATUS_NO);
	assert_non_null(strstr(e.text, "never_block"));
	scene_close(&s);

	/* a partner's: not here, but he can be asked; and the others' share is what stops */
	scene_open(&s, "partner_networks = {\"203.0.113.0/24\"}\n");
	scene_talk(&s, attack[0], T0);
	scene_talk(&s, attack[1], T0);
	scene_sealed(&s);
	scene_case(&s, "operator", attack, 2, T0, id);
	p = plan_good(&s, id);
	for (size_t i = 0; i < p.n_option; i++)
		for (size_t k = 0; k < p.option[i].n_action; k++) {
			const struct action *a = &p.option[i].action[k];
			bool partners = a->rule.from.ip.b[0] == 203;
			assert_true(!partners || strcmp(a->place, "203.0.113.0/24") == 0);
		}
	assert_true(marked(&p)->n_needs == 0 && marked(&p)->stops > 0.49 && marked(&p)->stops < 0.51);
	assert_non_null(strstr(marked(&p)->cost_us, "1 attacking host protected"));
	scene_close(&s);
}

/* A relay of ours: what it sends may only be stopped to the one that it attacks. */
static void test_inside(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "own_networks = {\"192.0.2.0/24\", \"203.0.113.0/24\"}\n", id);

	(void)state;
	for (size_t i = 0; i < p.n_option; i++) {
		assert_true(p.option[i].n_needs == 0); /* it is our own network: nobody else is asked */
		assert_true(has_rule(&p.option[i], "drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", ""));
	}
	scene_close(&s);
}

/* What was not recorded, and what can be forged, suffices for nothing, and for a rate limit. */
static void test_forgeable(void **state)
{
	static const char *const attack[] = {"udp 203.0.113.10:53 > 192.0.2.10:53"};
	struct scene s;
	char id[ID_TEXT];
	struct plan p;

	(void)state;
	scene_open(&s, "");
	scene_talk(&s, "tcp 198.51.100.9:9 > 192.0.2.10:80", T0);
	scene_sealed(&s);
	scene_case(&s, "eve", attack, 1, T0, id);
	p = plan_good(&s, id);
	for (size_t i = 0; i < p.n_option; i++)
		assert_false(p.option[i].sufficient);
	assert_non_null(strstr(marked(&p)->missing, "not recorded"));
	scene_close(&s);

	scene_open(&s, "rate_limit = 50\n");
	scene_flow_put(
		&s, &(struct scene_flow){
			    .flow = attack[0], .from = T0, .us = 10 * SECOND_US, .packets = {5000, 10}});
	scene_sealed(&s);
	scene_case(&s, "eve", attack, 1, T0, id);
	p = plan_good(&s, id);
	const struct option *m = marked(&p); /* 500 a second came, 50 pass */
	assert_true(m->sufficient && m->stops > 0.899 && m->stops < 0.901);
	assert_true(has_rule(m, "rate 50 from 203.0.113.10/32 to 192.0.2.10/32 udp 53", ""));
	const struct option *drop = only(&p, "drop from 203.0.113.10/32 to 192.0.2.10/32 udp 53", "");
	assert_true(drop && !drop->sufficient && drop->stops > 0.999);
	assert_non_null(strstr(drop->missing, "forged"));
	scene_close(&s);
}

/* The ports of an alert, an hour off: another session. */
static void test_another_time(void **state)
{
	static const char *const attack[] = {ATTACK};
	struct scene s;
	char id[ID_TEXT];

	(void)state;
	for (int sensor = 0; sensor < 2; sensor++) {
		scene_open(&s, "");
		scene_talk(&s, ATTACK, T0);
		scene_sealed(&s);
		scene_case(&s, sensor ? "eve" : "operator", attack, 1, T0 + HOUR, id);
		struct plan p = plan_good(&s, id);
		assert_int_equal(marked(&p)->sufficient, !sensor);
		scene_close(&s);
	}
}

/* What lies before look_back is traced all the same, and counts no bystanders. */
static void test_long_ago(void **state)
{
	static const char *const attack[] = {ATTACK};
	struct scene s;
	char id[ID_TEXT];

	(void)state;
	scene_open(&s, "look_back = \"1h\"\n");
	scene_talk(&s, ATTACK, T0 - 30 * HOUR);
	scene_talk(&s, "tcp 203.0.113.10:40001 > 192.0.2.11:80", T0 - 29 * HOUR);
	scene_talk(&s, ATTACK, T0 - MINUTE); /* the ports again: a bystander */
	scene_talk(&s, "tcp 198.51.100.1:1 > 192.0.2.11:80", T0);
	scene_sealed(&s);
	scene_case(&s, "eve", attack, 1, T0 - 30 * HOUR, id);
	struct plan p = plan_good(&s, id);
	const struct option *o = only(&p, "drop from 203.0.113.10/32 to any any any", "");
	assert_true(marked(&p)->sufficient && o);
	assert_int_equal(o->hit.flows, 1);
	scene_close(&s);
}

static void test_budget(void **state)
{
	static const char *const attack[] = {ATTACK, "tcp 203.0.113.77:1 > 192.0.2.10:22"};
	struct scene s;
	char id[ID_TEXT], text[FLOW_TEXT];
	struct plan p;
	struct err e = {0};

	(void)state;
	scene_open(&s, "");
	for (unsigned i = 0; i < 2; i++)
		scene_talk(&s, attack[i], T0);
	for (unsigned i = 0; i < 30; i++) { /* others use the second address for the same */
		(void)snprintf(text, sizeof(text), "tcp 203.0.113.77:%u > 192.0.2.10:22", 100 + i);
		scene_talk(&s, text, T0 + i * MINUTE);
	}
	scene_sealed(&s);
	scene_case(&s, "operator", attack, 2, T0, id);
	struct plan_param q = scene_param(&s);
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	/* half of the attack for one address; the other half would cost 31 more */
	assert_true(marked(&p)->stops < 0.51 && marked(&p)->collateral == 1);
	q.budget = 32;
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	assert_true(marked(&p)->stops > 0.99 && marked(&p)->collateral == 32);
	q.budget = 5;
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	for (size_t i = 0; i < p.n_option; i++)
		assert_true(p.option[i].collateral <= 5);
	q.budget = 0;
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_NO);
	assert_non_null(strstr(e.text, "no option costs bystanders at most 0"));
	scene_close(&s);
}

/* Prefixes only where several attackers are, never wider than allowed, never sufficient while one host in
 * them is not an attacker. */
static void test_prefixes(void **state)
{
	struct scene s;
	char id[ID_TEXT], flow[6][FLOW_TEXT];
	const char *attack[6];

	(void)state;
	scene_open(&s, "widest_v4 = 26\n");
	for (unsigned i = 0; i < 6; i++) {
		static const unsigned host[] = {17, 18, 30, 33, 200, 250};
		(void)snprintf(flow[i], sizeof(flow[i]), "tcp 203.0.113.%u:1000 > 192.0.2.10:22", host[i]);
		attack[i] = flow[i];
		scene_talk(&s, flow[i], T0);
	}
	scene_sealed(&s);
	scene_case(&s, "operator", attack, 6, T0, id);
	struct plan p = plan_good(&s, id);
	bool seen[33] = {false};
	for (size_t i = 0; i < p.n_option; i++)
		for (size_t k = 0; k < p.option[i].n_action; k++) {
			const struct rule *r = &p.option[i].action[k].rule;
			assert_true(r->from.len >= 26);
			seen[r->from.len] = true;
			assert_true(r->from.len == 32 || !p.option[i].sufficient);
		}
	assert_true(seen[26] && seen[32]);
	assert_true(marked(&p)->sufficient && marked(&p)->n_action == 6 && marked(&p)->stops > 0.999);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lab), cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_short), cmocka_unit_test(test_simple), cmocka_unit_test(test_unwilling),
		cmocka_unit_test(test_longer), cmocka_unit_test(test_protected),
		cmocka_unit_test(test_inside), cmocka_unit_test(test_forgeable),
		cmocka_unit_test(test_another_time), cmocka_unit_test(test_long_ago),
		cmocka_unit_test(test_budget), cmocka_unit_test(test_prefixes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
