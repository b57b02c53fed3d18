/* Making plans of what others claim, of several open cases, of many attackers, and what counts as
 * evidence. */
#include "plan_kit.h"

#include "../lib/rnd.h"
#include "trace/audit.h"

/* ---- partners ---- */

#define LINK                                                                                                 \
	"{\"v\":1,\"relay\":\"%s\",\"in\":{\"flow\":\"%s\"},\"out\":{\"flow\":\"%s\"},\"in_opened\":%s,"     \
	"\"log10_e\":%g,\"searched\":%d,\"verdict\":\"%s\"}"

static void claim_put(struct scene *s, const char *id, const char *origin, const char *body)
{
	struct claim c = {.kind = "link", .body = body, .origin = origin};
	struct id of;
	struct err e = {0};

	assert_true(id_parse(&of, id));
	assert_int_equal(claim_write(s->db, &of, &c, NULL, &e), STATUS_OK);
}

static void link_put(struct scene *s, const char *id, const char *by, const char *in, double e, int m)
{
	char body[1024];

	(void)snprintf(body, sizeof(body), LINK, "203.0.113.10", in, ATTACK, "false", e, m, "proven");
	claim_put(s, id, by, body);
}

static void test_partner(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "own_networks = {\"192.0.2.0/24\"}\n", id);

	(void)state;
	assert_null(only(&p, "drop from 198.51.100.7/32 to 203.0.113.10/32 tcp 22", "example.com/foo"));
	link_put(&s, id, "example.com/foo", "tcp 198.51.100.7:5000 > 203.0.113.10:22", 9, 10);
	p = plan_good(&s, id);
	assert_string_equal(p.ends, "198.51.100.0/24");
	bool asked = false;
	for (size_t i = 0; i < p.n_option; i++) {
		const struct option *o = &p.option[i];
		if (!has_rule(o, "drop from 198.51.100.7/32 to 203.0.113.10/32 tcp 22", "example.com/foo"))
			continue;
		asked = true;
		assert_true(o->sufficient && o->n_needs == 1 && o->needed > 2.99 && o->log10_e > 7.99 &&
			    o->log10_e < 8.01);
		assert_string_equal(o->needs[0], "example.com/foo");
		assert_non_null(strstr(o->cost_partner, "example.com/foo: 1 rule for 1h"));
	}
	assert_true(asked);
	assert_true(marked(&p)->n_needs == 0 && marked(&p)->sufficient);
	scene_close(&s);
}

/* The best of ten flows of one relay was searched for among the candidates of all ten; the same flow told of
 * twice is one. */
static void test_searched(void **state)
{
	enum { N = 10 };
	char text[N][FLOW_TEXT], id[ID_TEXT];
	const char *attack[N + 1] = {ATTACK};
	struct scene s;

	(void)state;
	scene_open(&s, "own_networks = {\"192.0.2.0/24\"}\n");
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "tcp 203.0.113.10:%u > 192.0.2.10:22", 40000 + i);
		attack[i] = text[i];
		scene_talk(&s, text[i], T0 + i);
	}
	attack[N] = text[N - 1];
	scene_sealed(&s);
	scene_case(&s, "operator", attack, N + 1, T0, id);
	link_put(&s, id, "example.com/foo", "tcp 198.51.100.7:5000 > 203.0.113.10:22", 4.5, 10);
	struct plan p = plan_good(&s, id);
	const struct option *o =
		only(&p, "drop from 198.51.100.7/32 to 203.0.113.10/32 tcp 22", "example.com/foo");
	assert_int_equal(p.attacks, N);
	assert_non_null(o);
	assert_true(o->log10_e > 2.49 && o->log10_e < 2.51); /* 3.5 for one of them alone */
	assert_true(!o->sufficient && o->needed > 2.99);
	scene_close(&s);
}

/* A host that the partner does not name: he can stop it, on his own word; never more than asked for. */
static void test_hidden(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	static const char *const no[] = {"203.0.113.0/24"};
	struct plan p = simple(&s, "own_networks = {\"192.0.2.0/24\"}\n", id);
	struct plan_param q = scene_param(&s);
	struct err e = {0};
	bool asked = false;

	(void)state;
	link_put(&s, id, "example.com/foo", "tcp 198.51.100.0/24 > 203.0.113.10:22", 9, 1);
	q.unwilling = no;
	q.n_unwilling = 1;
	assert_int_equal(scene_plan(&s, &q, id, &p, &e), STATUS_OK);
	for (size_t i = 0; i < p.n_option; i++)
		for (size_t k = 0; k < p.option[i].n_action; k++) {
			const struct action *a = &p.option[i].action[k];
			if (a->rule.from.ip.b[0] != 198)
				continue;
			asked = true;
			assert_string_equal(a->place, "example.com/foo");
			assert_false(p.option[i].sufficient);
			assert_non_null(strstr(p.option[i].missing, "not disclosed"));
		}
	assert_true(asked);
	scene_close(&s);
}

/* Bodies of claims are a partner's text: what is not a link is none, and nothing else happens. */
static void test_hostile_claims(void **state)
{
	static const char *const body[] = {"{}", "[]", "{\"verdict\":\"proven\"}",
		"{\"verdict\":\"proven\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp 1 > 2\"},"
		"\"out\":{\"flow\":\"" ATTACK "\"},\"log10_e\":9,\"searched\":1}",
		"{\"verdict\":\"proven\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp 198.51.100.7:1 > "
		"203.0.113.10:22\"},\"out\":{\"flow\":\"" ATTACK "\"},\"log10_e\":1e300,\"searched\":1}",
		"{\"verdict\":\"proven\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp 198.51.100.7:1 > "
		"203.0.113.10:22\"},\"out\":{\"flow\":\"" ATTACK "\"},\"log10_e\":9,\"searched\":-1}",
		"{\"verdict\":\"proven\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp [2001:db8::1]:1 > "
		"203.0.113.10:22\"},\"out\":{\"flow\":\"" ATTACK "\"},\"log10_e\":9,\"searched\":1}",
		"{\"verdict\":\"insufficient\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp "
		"198.51.100.7:1 > 203.0.113.10:22\"},\"out\":{\"flow\":\"" ATTACK
		"\"},\"log10_e\":9,\"searched\":1}",
		/* a loop, and a link that feeds another flow */
		"{\"verdict\":\"proven\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp 203.0.113.10:1 > "
		"203.0.113.10:22\"},\"out\":{\"flow\":\"" ATTACK "\"},\"log10_e\":9,\"searched\":1}",
		"{\"verdict\":\"proven\",\"relay\":\"203.0.113.10\",\"in\":{\"flow\":\"tcp 198.51.100.7:1 > "
		"203.0.113.10:22\"},\"out\":{\"flow\":\"tcp 203.0.113.10:40001 > "
		"192.0.2.10:22\"},\"log10_e\":9,\"searched\":1}"};
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "", id);
	size_t n = p.n_option;

	(void)state;
	for (size_t i = 0; i < sizeof(body) / sizeof(body[0]); i++)
		claim_put(&s, id, "example.com/foo", body[i]);
	p = plan_good(&s, id);
	assert_int_equal(p.n_option, n);
	assert_string_equal(p.ends, "203.0.113.0/24");
	scene_close(&s);
}

static void test_evidence(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct attack_case c;
	struct err e = {0};
	struct id was, is;
	struct plan p = simple(&s, "", id);
	struct tracer *t;
	static const char *const in = "tcp 198.51.100.7:5000 > 203.0.113.10:22";

	(void)state;
	assert_int_equal(tracer_open(&t, &world_real, s.dir, &s.cfg, s.cfg.alpha, &e), STATUS_OK);
	for (int i = 0; i < 4; i++) {
		if (i)
			link_put(&s, id, i == 1 ? "example.com/foo" : "example.net/bar", i < 3 ? in : ATTACK,
				5 + i, i);
		assert_int_equal(case_read(s.db, id, &s.arena, &c, &e), STATUS_OK);
		assert_int_equal(case_evidence(&c, t, &is, &e), STATUS_OK);
		assert_true(i || id_order(&is, &p.evidence) == 0);
		if (i) /* the first link is new; the same with other numbers is not; another one is */
			assert_int_equal(id_order(&was, &is) == 0, i == 2);
		was = is;
	}
	tracer_close(t);
	scene_close(&s);
}

/* An own link of a flow that is no longer recorded is taken from its claim; audited
 * or not, it is not relied on: nothing it was computed from is left.  A partner's link was computed from his
 * traffic: the own audit says nothing of it. */
static void test_withheld(void **state)
{
	static const char *const attack[] = {ATTACK};
	struct audit a = {.alpha = 1e-6, .max_log10_e = 40, .searchable = 1};
	struct scene s;
	char id[ID_TEXT];
	struct err e = {0};

	(void)state;
	a.part[AUDIT_FREE] = (struct audit_part){.pairs = 1000, .able = 1000, .reached = {0, 1, 1, 1}};
	audit_judge(&a);
	assert_true(a.alpha_most == 0);
	for (int own = 0; own < 2; own++) {
		struct id before, after;
		scene_open(&s, own ? "" : "own_networks = {\"192.0.2.0/24\"}\n");
		scene_talk(&s, own ? "tcp 198.18.0.1:1000 > 192.0.2.10:22" : ATTACK, T0);
		scene_sealed(&s);
		scene_case(&s, "operator", attack, 1, T0, id);
		link_put(&s, id, own ? "" : "example.com/foo", "tcp 198.51.100.7:5000 > 203.0.113.10:22", 9,
			10);
		for (int audited = 0; audited < 2; audited++) {
			struct plan p = plan_good(&s, id);
			size_t suffice = 0, withheld = 0;
			for (size_t i = 0; i < p.n_option; i++) {
				const struct option *o = &p.option[i];
				bool far = false;
				for (size_t k = 0; k < o->n_action; k++)
					far = far || o->action[k].rule.from.ip.b[0] == 198;
				suffice += far && o->sufficient;
				withheld += far && !o->sufficient &&
					    strstr(o->missing, "not recorded here any more");
			}
			bool stands = !own;
			assert_int_equal(suffice > 0, stands);
			assert_int_equal(withheld > 0, !stands);
			*(audited ? &after : &before) = p.evidence;
			assert_int_equal(audit_write(&world_real, s.dir, &a, &e), STATUS_OK);
		}
		/* a plan that rested on it is of another evidence than the next */
		assert_int_equal(id_order(&before, &after) != 0, own);
		scene_close(&s);
	}
}

/* ---- other cases ---- */

static void test_cases(void **state)
{
	static const char *const first[] = {ATTACK},
				 *const same[] = {"tcp 203.0.113.10:41000 > 192.0.2.77:22"},
				 *const beside[] = {"tcp 203.0.113.99:41000 > 192.0.2.10:22"},
				 *const away[] = {"tcp 198.51.100.7:1 > 192.0.2.99:22"};
	struct scene s;
	char id[ID_TEXT], other[4][ID_TEXT];
	struct id closed;
	struct err e = {0};

	(void)state;
	scene_open(&s, "");
	scene_talk(&s, first[0], T0);
	scene_talk(&s, same[0], T0);
	scene_talk(&s, beside[0], T0);
	scene_talk(&s, away[0], T0);
	scene_sealed(&s);
	scene_case(&s, "operator", first, 1, T0, id);
	scene_case(&s, "operator", same, 1, T0, other[0]);
	scene_case(&s, "operator", beside, 1, T0, other[1]);
	scene_case(&s, "operator", away, 1, T0, other[2]);
	struct plan p = plan_good(&s, id);
	assert_int_equal(p.cases, 3);
	assert_int_equal(p.attacks, 1);
	assert_int_equal(p.attacks_all, 3);
	const struct option *pair = only(&p, "drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", "");
	const struct option *port = only(&p, "drop from 203.0.113.10/32 to any tcp 22", "");
	assert_true(pair && pair->stops > 0.999 && pair->stops_all < 0.34);
	assert_true(port && port->stops > 0.999 && port->stops_all > 0.66 && port->stops_all < 0.67);
	assert_ptr_equal(marked(&p), port); /* as much of this case, more of all, at the same cost */
	assert_true(pair->n_way == 2 && port->n_way == 1);
	assert_non_null(strstr(port->way[0], "203.0.113.99 attacked 192.0.2.10 tcp 22"));
	assert_int_equal(case_close(s.db, other[0], &closed, &e), STATUS_OK);
	p = plan_good(&s, id);
	assert_int_equal(p.attacks_all, 2);
	scene_close(&s);
}

/* ---- many ---- */

static void test_many(void **state)
{
	enum { N = 10000 };
	struct scene s;
	char id[ID_TEXT];
	const char **attack = calloc(N, sizeof(*attack));
	struct arena a = {0};

	(void)state;
	assert_non_null(attack);
	scene_open(&s, "own_networks = {\"192.0.2.0/24\"}\n");
	for (unsigned i = 0; i < N; i++) {
		char text[FLOW_TEXT];
		(void)snprintf(text, sizeof(text), "tcp 198.%u.%u.%u:1000 > 192.0.2.10:22", 18 + i % 2,
			i / 200, i % 200);
		attack[i] = arena_str(&a, text);
		scene_talk(&s, text, T0 + i);
		for (uint64_t k = kit_rnd(20); k > 10; k--) { /* to others, at any port */
			(void)snprintf(text, sizeof(text), "tcp 198.%u.%u.%u:%u > 192.0.2.%u:%u", 18 + i % 2,
				i / 200, i % 200, 2000 + (unsigned)k, 11 + (unsigned)kit_rnd(20),
				kit_rnd(2) ? 22 : 443);
			scene_talk(&s, text, T0 + i);
		}
	}
	scene_sealed(&s);
	scene_case(&s, "eve", attack, N, T0, id);
	struct mono before = world_real.mono(NULL);
	struct plan p = plan_good(&s, id);
	double took = (double)(world_real.mono(NULL).us - before.us) / 1e6;
	const struct option *m = marked(&p);
	assert_int_equal(p.attacks, N);
	assert_true(m->sufficient && m->n_needs == 0 && m->stops > 0.999);
	assert_true(p.gap >= 0 && p.gap < 0.01);
	assert_true(p.n_option >= 3);
	print_message("# %d attackers: %zu options in %.2f s, exact %d, gap %.4f, marked has %zu rules\n", N,
		p.n_option, took, p.exact, p.gap, m->n_action);
	scene_close(&s);
	arena_free(&a);
	free(attack);
}

/* One host that tries every address of ours: each of its rules hits what goes to its own target and nothing
 * else, and one rule does for all of them. */
static void test_scanner(void **state)
{
	enum { N = 2000, OTHERS = 500 };
	struct scene s;
	char id[ID_TEXT];
	const char **attack = calloc(N, sizeof(*attack));
	struct arena a = {0};

	(void)state;
	assert_non_null(attack);
	scene_open(&s, "own_networks = {\"192.0.0.0/16\"}\n");
	for (unsigned i = 0; i < N; i++) {
		char text[FLOW_TEXT];
		(void)snprintf(text, sizeof(text), "tcp 203.0.113.10:%u > 192.0.%u.%u:22", 2000 + i, i / 200,
			1 + i % 200);
		attack[i] = arena_str(&a, text);
		scene_talk(&s, text, T0 + i);
	}
	for (unsigned i = 0; i < OTHERS; i++) { /* to the same targets, half of them at the same port */
		char text[FLOW_TEXT];
		(void)snprintf(text, sizeof(text), "tcp 203.0.113.10:%u > 192.0.0.%u:%u", 9000 + i,
			1 + i % 200, i % 2 ? 22 : 443);
		scene_talk(&s, text, T0 + i);
	}
	scene_sealed(&s);
	scene_case(&s, "eve", attack, N, T0, id);
	struct plan p = plan_good(&s, id);
	const struct option *port = only(&p, "drop from 203.0.113.10/32 to any tcp 22", ""),
			    *all = only(&p, "drop from 203.0.113.10/32 to any any any", "");
	assert_true(port && port->stops > 0.999 && port->hit.flows == OTHERS / 2);
	assert_true(all && all->stops > 0.999 && all->hit.flows == OTHERS);
	bool pairs = false;
	for (size_t i = 0; i < p.n_option; i++) {
		const struct option *o = &p.option[i];
		if (o->n_action < 2 || !has_rule(o, "drop from 203.0.113.10/32 to 192.0.9.200/32 tcp 22", ""))
			continue;
		pairs = true;
		assert_true(o->hit.flows <= OTHERS / 2); /* 100 of the targets have others at port 22 */
		assert_true(o->n_action < N || o->hit.flows == OTHERS / 2);
	}
	assert_true(pairs);
	scene_close(&s);
	arena_free(&a);
	free(attack);
}

static void test_none(void **state)
{
	struct scene s;
	struct plan p;
	struct err e = {0};

	(void)state;
	scene_open(&s, "");
	scene_sealed(&s);
	assert_int_equal(plan_of(&s, "abcdef", &p, &e), STATUS_NO);
	scene_close(&s);
}

/* Twice the same, but for when it was made. */
static void test_again(void **state)
{
	struct scene s;
	char id[ID_TEXT];
	struct plan p = simple(&s, "", id), q = plan_good(&s, id);
	struct buf a = {0}, b = {0};

	(void)state;
	q.made = p.made;
	plan_write(&a, &p);
	plan_write(&b, &q);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	buf_free(&a);
	buf_free(&b);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_partner), cmocka_unit_test(test_searched),
		cmocka_unit_test(test_hidden), cmocka_unit_test(test_hostile_claims),
		cmocka_unit_test(test_evidence), cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_cases), cmocka_unit_test(test_many), cmocka_unit_test(test_scanner),
		cmocka_unit_test(test_none), cmocka_unit_test(test_again)};

	kit_seed("many");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
