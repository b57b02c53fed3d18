/* Collateral against a slow second implementation: a recording of random flows, some of them attacks; each
 * option's bystanders are counted again, flow by flow and rule by rule, from the list that the test wrote. */
#include "plan_kit.h"

#include "../lib/rnd.h"

#define FLOWS   400
#define ATTACKS 6
#define SCENES  12

struct made {
	struct flow_head head;
	char text[FLOW_TEXT];
	bool attack, twice; /* twice: a second point saw it too */
	uint32_t packets[2];
};

static struct made made[FLOWS];

static void host_text(char to[32], uint64_t hosts, bool v6, bool inside)
{
	unsigned k = (unsigned)kit_rnd(hosts);

	if (v6 && inside)
		(void)snprintf(to, 32, "[2001:db8:5::%x]", k);
	else if (v6)
		(void)snprintf(to, 32, "[2001:db8:2:%x::1]", k);
	else
		(void)snprintf(to, 32, inside ? "192.0.2.%u" : "203.0.113.%u", k);
}

static void flow_make(struct made *f, size_t i, uint64_t hosts, bool v6)
{
	static const unsigned port[] = {22, 22, 80, 443, 8080};
	char a[32], b[32];
	bool out = kit_rnd(4) == 0; /* from inside */

	host_text(a, hosts, v6, out);
	host_text(b, 8, v6, !out);
	(void)snprintf(f->text, sizeof(f->text), "%s %s:%zu > %s:%u", kit_rnd(5) ? "tcp" : "udp", a,
		20000 + i, b, port[kit_rnd(5)]);
	assert_true(flow_parse(&f->head.proto, f->head.end, f->text));
	f->packets[0] = 1 + (uint32_t)kit_rnd(50);
	f->packets[1] = (uint32_t)kit_rnd(50);
	f->twice = kit_rnd(5) == 0;
	f->attack = false;
}

static void flow_put(struct scene *s, const struct made *f, size_t i)
{
	struct scene_flow x = {.flow = f->text,
		.from = T0 + (int64_t)i * SECOND_US,
		.us = SECOND_US,
		.packets = {f->packets[0], f->packets[1]}};

	scene_flow_put(s, &x);
	x.point = "core";
	x.from += 300;
	if (f->twice)
		scene_flow_put(s, &x);
}

/* What the option hits, by looking at everything. */
static void count_slow(const struct option *o, struct bystanders *to)
{
	struct ip peer[2 * FLOWS];
	size_t n = 0;

	*to = (struct bystanders){0};
	for (size_t i = 0; i < FLOWS; i++) {
		const struct made *f = &made[i];
		const struct endpoint *end = f->head.end;
		bool hit = false;
		for (size_t k = 0; k < o->n_action && !f->attack; k++)
			for (int d = 0; d < 2; d++) {
				const struct rule *r = &o->action[k].rule;
				if (!rule_hits(r, f->head.proto, &end[d], &end[!d]))
					continue;
				hit = true;
				bool known = false;
				for (size_t j = 0; j < n; j++)
					known = known || ip_equal(&peer[j], &end[!d].ip);
				if (!known)
					peer[n++] = end[!d].ip;
			}
		to->flows += hit;
		to->bytes += hit ? (f->packets[0] + f->packets[1]) * 100 : 0;
	}
	to->peers = n;
}

/* Addresses with other flows, or that the recording did not see long enough: all of them here. */
static uint64_t addresses(const struct option *o)
{
	uint64_t n = 0;

	for (size_t k = 0; k < o->n_action; k++) {
		bool again = false;
		for (size_t j = 0; j < k; j++)
			again = again || memcmp(&o->action[j].rule.from, &o->action[k].rule.from,
						 sizeof(struct prefix)) == 0;
		n += !again;
	}
	return n;
}

static bool hosts_only(const struct option *o)
{
	bool only_hosts = true;

	for (size_t k = 0; k < o->n_action; k++)
		only_hosts = only_hosts && rule_is_host(&o->action[k].rule.from);
	return only_hosts;
}

static void one_scene(bool v6, uint64_t hosts)
{
	struct scene s;
	struct plan p;
	struct err e = {0};
	char id[ID_TEXT];
	const char *attack[ATTACKS];
	size_t n = 0;

	scene_open(&s, "own_networks = {\"192.0.2.0/24\", \"2001:db8:5::/48\"}\n");
	scene_cover(&s, "edge", T0 - SECOND_US, T0 + FLOWS * SECOND_US);
	for (size_t i = 0; i < FLOWS; i++) {
		flow_make(&made[i], i, hosts, v6);
		bool from_outside = !config_owns(&s.cfg, &made[i].head.end[0].ip);
		if (n < ATTACKS && from_outside && made[i].head.proto == PROTO_TCP && kit_rnd(10) == 0) {
			made[i].attack = true;
			attack[n++] = made[i].text;
		}
		flow_put(&s, &made[i], i);
	}
	scene_sealed(&s);
	assert_true(n > 0);
	scene_case(&s, "operator", attack, n, T0, id);
	struct plan_param q = scene_param(&s);
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	assert_true(p.n_option >= 3);
	for (size_t i = 0; i < p.n_option; i++) {
		const struct option *o = &p.option[i];
		struct bystanders slow;
		count_slow(o, &slow);
		assert_int_equal(o->hit.flows, slow.flows);
		assert_int_equal(o->hit.bytes, slow.bytes);
		assert_int_equal(o->hit.peers, slow.peers);
		assert_int_equal(o->hit.own, slow.peers); /* in these scenes inside talks with outside */
		if (hosts_only(o))
			assert_int_equal(o->collateral, slow.flows + addresses(o));
		assert_true(o->hit.shared != SHARED_NO);
	}
	scene_close(&s);
}

static void test_random(void **state)
{
	(void)state;
	for (int i = 0; i < SCENES; i++)
		one_scene(i % 3 == 2, 3 + kit_rnd(40));
}

/* Nobody else behind an address is only known where a whole day of it was seen. */
static void test_shared(void **state)
{
	static const struct {
		int64_t covered, blind;
		bool other;
		enum shared shared;
	} row[] = {{25 * HOUR, 0, false, SHARED_NO}, {25 * HOUR, 0, true, SHARED_YES},
		{23 * HOUR, 0, false, SHARED_UNKNOWN}, {25 * HOUR, 2 * HOUR, false, SHARED_UNKNOWN},
		{25 * HOUR, 30 * MINUTE, false, SHARED_NO}};
	static const char *const attack[] = {"tcp 203.0.113.10:40000 > 192.0.2.10:22"};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct scene s;
		struct plan p;
		struct err e = {0};
		char id[ID_TEXT];
		scene_open(&s, "look_back = \"48h\"\nown_networks = {\"192.0.2.0/24\"}\n");
		scene_cover(&s, "edge", T0 - row[i].covered, T0 + 2 * SECOND_US);
		if (row[i].blind) {
			struct coverage c = {.point = "edge",
				.span = {T0 - 10 * HOUR, T0 - 10 * HOUR + row[i].blind},
				.blind = true};
			assert_int_equal(store_cover(s.w, &c, &e), STATUS_OK);
		}
		scene_talk(&s, "tcp 198.51.100.1:1000 > 192.0.2.9:25", T0 - row[i].covered);
		scene_talk(&s, attack[0], T0);
		if (row[i].other)
			scene_talk(&s, "tcp 203.0.113.10:40001 > 192.0.2.11:80", T0 - HOUR);
		scene_sealed(&s);
		scene_case(&s, "operator", attack, 1, T0, id);
		struct plan_param q = scene_param(&s);
		assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
		const struct option *o = only(&p, "drop from 203.0.113.10/32 to any any any", "");
		assert_non_null(o);
		assert_int_equal(o->hit.shared, row[i].shared);
		assert_int_equal(o->collateral, (row[i].shared != SHARED_NO) + row[i].other);
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_shared)};

	kit_seed("collateral");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
