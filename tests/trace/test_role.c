/* Roles: made hosts of each kind, and attackers' sessions at hosts that look like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "trace/role.h"

#define T0    INT64_C(1795000000000000)
#define HOUR  (3600 * SECOND_US)
#define DAYS  5
#define HOURS (24 * DAYS)
#define HOST  "203.0.113.10"

/* A host under construction. */
struct made {
	struct view v;
	struct tracer t;
	struct config cfg;
	size_t room;
	char host[IP_TEXT];
};

static void made_begin(struct made *m, size_t room)
{
	struct err e = {0};

	memset(m, 0, sizeof(*m));
	assert_int_equal(config_load(&m->cfg, "/nonexistent", &e), STATUS_OK);
	m->t.cfg = &m->cfg;
	m->t.alpha_most = 1;
	m->room = room;
	assert_true(ip_parse(&m->v.host, HOST));
	m->v.rec = &m->v.own;
	m->v.own.flow = arena_array(&m->v.own.arena, room, sizeof(*m->v.own.flow));
	m->v.by_tuple = arena_array(&m->v.own.arena, room, sizeof(struct flow *));
	assert_non_null(m->v.own.flow);
	assert_non_null(m->v.by_tuple);
}

static void made_end(struct made *m)
{
	arena_free(&m->v.own.arena);
	config_free(&m->cfg);
}

static struct endpoint at(unsigned net, size_t i, unsigned port)
{
	struct endpoint e;
	char text[64];

	(void)snprintf(text, sizeof(text), "198.%u.%zu.%zu:%u", net, i / 250, 1 + i % 250, port);
	assert_true(endpoint_parse(&e, text));
	return e;
}

#define CLIENT 18U
#define SERVER 19U

static struct endpoint here(unsigned port)
{
	char text[64];
	struct endpoint e;

	(void)snprintf(text, sizeof(text), HOST ":%u", port);
	assert_true(endpoint_parse(&e, text));
	return e;
}

/* A flow a > b of a minute with a burst each way at its start and end; ways: 1, both without the other's. */
static struct flow *flow_add(struct made *m, uint8_t proto, struct endpoint a, struct endpoint b,
	int64_t from, int64_t life, bool answered)
{
	struct arena *mem = &m->v.own.arena;
	assert_true(m->v.n < m->room);
	struct flow *f = &m->v.own.flow[m->v.n];

	m->v.by_tuple[m->v.n++] = f;
	m->v.own.n_flow = m->v.n;
	f->head = (struct flow_head){.point = "border", .proto = proto, .end = {a, b}, .first_us = from};
	f->last_us = from + life;
	for (int d = 0; d < 2; d++) {
		if (d && !answered)
			break;
		f->burst[d] = arena_array(mem, 2, sizeof(struct burst));
		f->burst[d][0] = (struct burst){from, 0, 1, 100};
		f->burst[d][1] = (struct burst){from + life, 0, 1, 100};
		f->n_burst[d] = 2;
		f->count[d].payload_bytes = 200;
	}
	return f;
}

static int64_t some_time(void)
{
	return T0 + (int64_t)kit_rnd((uint64_t)(HOURS * HOUR));
}

/* n flows at times over the days between the host's port and `clients` clients; the first stands for all. */
static struct flow *served(struct made *m, uint8_t proto, unsigned port, size_t clients, size_t n)
{
	struct flow *first = NULL;

	for (size_t i = 0; i < n; i++) {
		struct flow *f =
			flow_add(m, proto, at(CLIENT, i % clients, (unsigned)(1024 + kit_rnd(60000))),
				here(port), some_time(), 60 * SECOND_US, true);
		first = first ? first : f;
	}
	return first;
}

static struct flow *used(struct made *m, uint8_t proto, unsigned port, size_t servers, size_t n)
{
	struct flow *first = NULL;

	for (size_t i = 0; i < n; i++) {
		struct flow *f = flow_add(m, proto, here((unsigned)(1024 + kit_rnd(60000))),
			at(SERVER, i % servers, port), some_time(), 60 * SECOND_US, true);
		first = first ? first : f;
	}
	return first;
}

static struct role role_in(struct made *m, const struct flow *in, const struct flow *out)
{
	struct role r;
	struct err e = {0};

	view_sort(&m->v);
	assert_int_equal(role_of(&m->t, &m->v, in, out, &r, &e), STATUS_OK);
	return r;
}

static void expect(struct made *m, const struct flow *in, const struct flow *out, const char *name)
{
	struct role r = role_in(m, in, out);

	assert_string_equal(r.name, name);
	assert_true(*r.why);
	print_message("# %s: %s\n", r.name, r.why);
	made_end(m);
}

/* ---- each role ---- */

struct scene {
	const char *role;
	unsigned in, out; /* ports */
	uint8_t in_proto;
	size_t clients, in_flows, servers, out_flows;
};

static const struct scene scenes[] = {
	{"mail-relay", 25, 25, 6, 60, 2000, 30, 1500},
	{"mail-relay", 587, 25, 6, 8, 900, 3, 900},
	{"bastion", 22, 22, 6, 12, 800, 40, 800},
	{"forward-proxy", 3128, 443, 6, 25, 3000, 200, 4000},
	{"forward-proxy", 8080, 443, 6, 25, 3000, 200, 4000},
	{"forward-proxy", 1080, 22, 6, 6, 900, 21, 900},
	{"vpn-gateway", 51820, 443, 17, 4, 200, 300, 4000},
	{"vpn-gateway", 4500, 80, 17, 1, 200, 20, 400},
	{"reverse-proxy", 443, 8080, 6, 412, 4000, 1, 4000},
	{"reverse-proxy", 443, 3000, 17, 412, 4000, 1, 4000},
	{"load-balancer", 443, 8080, 6, 412, 4000, 3, 4000},
	{"load-balancer", 80, 9000, 6, 40, 4000, 10, 4000},
	/* too few of something */
	{"relay", 22, 22, 6, 4, 800, 40, 800},
	{"relay", 22, 22, 6, 12, 800, 4, 800},
	{"relay", 22, 22, 6, 12, 20, 40, 800},
	{"relay", 443, 8080, 6, 19, 4000, 1, 4000},
	{"relay", 443, 8080, 6, 412, 4000, 1, 40},
	{"relay", 443, 8080, 6, 40, 4000, 12, 4000},
	{"relay", 443, 22, 6, 412, 4000, 1, 4000},
	{"relay", 443, 25, 6, 412, 4000, 3, 4000},
	{"relay", 3128, 443, 6, 25, 3000, 19, 4000},
	{"relay", 51820, 443, 17, 4, 200, 19, 4000},
	{"relay", 51820, 443, 6, 4, 200, 300, 4000},
	{"relay", 25, 22, 6, 60, 2000, 30, 1500},
	{"relay", 4444, 22, 6, 60, 2000, 30, 1500},
};

static void each_role(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		const struct scene *x = &scenes[i];
		struct made m;
		made_begin(&m, x->in_flows + x->out_flows);
		const struct flow *in = served(&m, x->in_proto, x->in, x->clients, x->in_flows);
		expect(&m, in, used(&m, 6, x->out, x->servers, x->out_flows), x->role);
	}
}

static void chat_server(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, 1000);
	const struct flow *a = served(&m, 6, 6697, 30, 500), *b = served(&m, 6, 6667, 30, 500);
	expect(&m, a, b, "chat-server");
	made_begin(&m, 1000);
	a = served(&m, 6, 6697, 4, 500);
	b = served(&m, 6, 6667, 4, 500);
	expect(&m, a, b, "rendezvous");
	made_begin(&m, 1000);
	a = served(&m, 6, 443, 400, 500);
	b = served(&m, 6, 443, 400, 500);
	expect(&m, a, b, "rendezvous");
}

/* Peers that are reached at one of so many ports each. */
static struct flow *swarm(struct made *m, size_t peers, size_t ports, size_t n)
{
	struct flow *first = NULL;

	for (size_t i = 0; i < n; i++) {
		struct flow *f = flow_add(m, 17, here(51413),
			at(SERVER, i % peers, 20000 + (unsigned)(i % peers % ports)), some_time(),
			60 * SECOND_US, true);
		first = first ? first : f;
	}
	return first;
}

static void p2p(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, 1000);
	const struct flow *a = served(&m, 17, 51413, 80, 500), *b = swarm(&m, 60, 60, 500);
	expect(&m, a, b, "p2p");
	/* both reached by the host */
	made_begin(&m, 1000);
	a = served(&m, 17, 51413, 80, 500);
	b = swarm(&m, 60, 60, 500);
	(void)a;
	expect(&m, b, b + 1, "p2p");
	made_begin(&m, 1000);
	a = served(&m, 17, 51413, 19, 500);
	b = swarm(&m, 60, 60, 500);
	expect(&m, a, b, "relay");
	made_begin(&m, 1000);
	a = served(&m, 17, 51413, 80, 500);
	b = swarm(&m, 9, 9, 500);
	expect(&m, a, b, "relay");
	/* all at a few ports: a service of some other kind */
	made_begin(&m, 1000);
	a = served(&m, 17, 51413, 80, 500);
	b = swarm(&m, 60, 9, 500);
	expect(&m, a, b, "relay");
}

/* The same flow as another point saw it. */
static void seen_again(struct made *m, const struct flow *f)
{
	struct flow *copy = &m->v.own.flow[m->v.n];

	assert_true(m->v.n < m->room);
	m->v.by_tuple[m->v.n++] = copy;
	m->v.own.n_flow = m->v.n;
	*copy = *f;
	copy->head.point = "inside";
}

/* One fat tunnel over TLS with many behind it, seen at one point or at two; the same port with many clients
 * is no tunnel, nor is a flow like all others there. */
static void vpn_over_tls(void **state)
{
	static const struct {
		size_t clients;
		uint64_t bytes;
		bool twice;
		const char *role;
	} is[] = {{1, 1000000000, false, "vpn-gateway"}, {1, 1000000000, true, "vpn-gateway"},
		{5, 1000000000, false, "relay"}, {1, 200, false, "relay"}};
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		made_begin(&m, 4001);
		struct flow *in = served(&m, 6, 443, is[i].clients, 1000);
		in->count[0].payload_bytes = is[i].bytes;
		if (is[i].twice)
			seen_again(&m, in);
		expect(&m, in, used(&m, 6, 80, 300, 3000), is[i].role);
	}
}

/* Clients behind a translation are not counted again under the address that they had before it. */
static void a_translated_crowd_counts_once(void **state)
{
	(void)state;
	for (int translated = 0; translated < 2; translated++) {
		struct made m;
		made_begin(&m, 1700);
		struct flow *in = served(&m, 6, 22, 4, 800), *twin = served(&m, 6, 22, 8, 8);
		for (int i = 0; i < 8; i++)
			twin[i].rewrite_of = translated ? &in[i] : NULL;
		expect(&m, in, used(&m, 6, 22, 40, 800), translated ? "relay" : "bastion");
	}
}

/* A bastion for five days of a recording of 25, or of 26. */
static void steady_is_a_share_of_the_recording(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		struct made m;
		struct coverage c = {
			.point = "border", .span = {T0, T0 + (5 * HOURS - 1 + 24 * more) * HOUR}};
		const struct flow *in = NULL, *out = NULL;
		made_begin(&m, 2 * HOURS);
		m.v.own.coverage = &c;
		m.v.own.n_coverage = 1;
		for (int64_t h = 0; h < HOURS; h++) {
			in = flow_add(&m, 6, at(CLIENT, (size_t)h % 50, 40000), here(22), T0 + h * HOUR,
				SECOND_US, true);
			out = flow_add(&m, 6, here(50000), at(SERVER, (size_t)h % 50, 22), T0 + h * HOUR,
				SECOND_US, true);
		}
		expect(&m, in, out, more ? "relay" : "bastion");
	}
}

/* ---- attackers ---- */

static struct made web; /* a host that is a busy reverse proxy */

static void web_begin(size_t more)
{
	made_begin(&web, 8000 + more);
	(void)served(&web, 6, 443, 400, 4000);
	(void)used(&web, 6, 8080, 3, 4000);
}

static struct flow *attacker_in(unsigned port)
{
	return flow_add(&web, 6, at(CLIENT, 9000, 40000), here(port), T0 + HOUR, HOUR, true);
}

static struct flow *attacker_out(unsigned port)
{
	return flow_add(&web, 6, here(50000), at(SERVER, 9000, port), T0 + HOUR, HOUR, true);
}

static void an_attacker_at_a_web_server(void **state)
{
	(void)state;
	web_begin(2); /* came in at SSH */
	const struct flow *in = attacker_in(22);
	expect(&web, in, attacker_out(22), "relay");
	web_begin(2); /* at a back door */
	in = attacker_in(4444);
	expect(&web, in, attacker_out(8080), "relay");
	web_begin(2); /* at the web's port (a web shell), goes on to somebody whom the web never asks */
	in = attacker_in(443);
	expect(&web, in, attacker_out(22), "relay");
	web_begin(2);
	in = attacker_in(443);
	expect(&web, in, attacker_out(8080), "relay");
	web_begin(2); /* a reverse tunnel */
	in = flow_add(&web, 6, here(45000), at(SERVER, 9001, 443), T0 + HOUR, HOUR, true);
	expect(&web, in, attacker_out(22), "reverse");
}

/* A crowd that only knocks, or whose senders are forged, is none. */
static void a_crowd_without_answers(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, 5000);
	const struct flow *in = served(&m, 6, 22, 4, 400);
	for (size_t i = 0; i < 3000; i++)
		(void)flow_add(&m, 6, at(CLIENT, 300 + i, 40000), here(22), some_time(), SECOND_US, false);
	expect(&m, in, used(&m, 6, 22, 40, 800), "relay");
}

/* A mesh of equals that all log in to each other is no bastion. */
static void a_mesh(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, 3000);
	const struct flow *in = served(&m, 6, 22, 30, 800), *out = NULL;
	for (size_t i = 0; i < 800; i++)
		out = flow_add(&m, 6, here(50000), at(CLIENT, i % 30, 22), some_time(), 60 * SECOND_US, true);
	expect(&m, in, out, "relay");
}

/* A bastion of one afternoon, in a recording of five days or of that afternoon alone. */
static void an_afternoon(void **state)
{
	(void)state;
	for (int covered = 0; covered < 2; covered++) {
		struct made m;
		const struct flow *in = NULL, *out = NULL;
		struct coverage c = {.point = "border", .span = {T0, T0 + HOURS * HOUR}};
		made_begin(&m, 800);
		if (covered) {
			m.v.own.coverage = &c;
			m.v.own.n_coverage = 1;
		}
		for (size_t i = 0; i < 400; i++) {
			int64_t t = T0 + (int64_t)kit_rnd((uint64_t)(5 * HOUR));
			in = flow_add(&m, 6, at(CLIENT, i % 50, 40000), here(22), t, SECOND_US, true);
			out = flow_add(&m, 6, here(50000), at(SERVER, i % 50, 22), t, SECOND_US, true);
		}
		expect(&m, in, out, "relay");
	}
}

static void declared_wins(void **state)
{
	struct made m;
	struct config_host relay = {.prefix.len = 32};

	(void)state;
	made_begin(&m, 1700);
	const struct flow *in = served(&m, 6, 22, 12, 800);
	const struct flow *out = used(&m, 6, 22, 40, 800);
	assert_true(ip_parse(&relay.prefix.ip, HOST));
	m.cfg.relays = &relay;
	m.cfg.n_relays = 1;
	struct role r = role_in(&m, in, out);
	assert_string_equal(r.name, "declared");
	assert_non_null(strstr(r.why, "12 clients at tcp 22, 40 servers at tcp 22"));
	m.cfg.relays = NULL;
	m.cfg.n_relays = 0;
	made_end(&m);
}

/* ---- the counts, against a slow second implementation ---- */

static bool both(const struct flow *f)
{
	return f->n_burst[0] && f->n_burst[1];
}

static size_t slow_peers(const struct made *m, bool opened, unsigned port)
{
	size_t n = 0;

	for (size_t i = 0; i < m->v.n; i++) {
		const struct flow *f = &m->v.own.flow[i];
		bool own = flow_side(f, &m->v.host) == 0, first = true;
		if (own != opened || f->head.end[1].port != port || !both(f))
			continue;
		for (size_t k = 0; k < i; k++) {
			const struct flow *g = &m->v.own.flow[k];
			first &= !(both(g) && flow_side(g, &m->v.host) == flow_side(f, &m->v.host) &&
				   g->head.end[1].port == port &&
				   ip_equal(&g->head.end[own].ip, &f->head.end[own].ip));
		}
		n += first;
	}
	return n;
}

static size_t slow_hours(const struct made *m, unsigned port)
{
	static bool on[HOURS + 2];
	size_t n = 0;

	memset(on, 0, sizeof(on));
	for (size_t i = 0; i < m->v.n; i++) {
		const struct flow *f = &m->v.own.flow[i];
		if (flow_side(f, &m->v.host) == 0 || f->head.end[1].port != port || !both(f))
			continue;
		for (int d = 0; d < 2; d++)
			for (size_t k = 0; k < f->n_burst[d]; k++)
				on[f->burst[d][k].start_us / HOUR - T0 / HOUR] = true;
	}
	for (size_t h = 0; h < HOURS + 2; h++)
		n += on[h];
	return n;
}

static void counts_agree(void **state)
{
	static const unsigned port[] = {22, 25, 443, 8080, 50000};

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct made m;
		size_t n = 2 + kit_rnd(200), hours = 1 + kit_rnd(HOURS);
		const struct flow *in = NULL, *out = NULL;
		unsigned in_port = 0, out_port = 0;
		made_begin(&m, n);
		for (size_t i = 0; i < n; i++) {
			bool own = i == 0 || (i > 1 && kit_rnd(2));
			unsigned p = port[kit_rnd(5)];
			struct endpoint peer = at(CLIENT, kit_rnd(40), own ? p : 40000),
					self = here(own ? 40000 : p);
			struct flow *f = flow_add(&m, 6, own ? self : peer, own ? peer : self,
				T0 + (int64_t)kit_rnd(hours * (uint64_t)HOUR),
				(int64_t)kit_rnd((uint64_t)HOUR), i < 2 || kit_rnd(4));
			if (i < 2)
				*(own ? &out : &in) = f, *(own ? &out_port : &in_port) = p;
		}
		struct role r = role_in(&m, in, out);
		char want[128];
		(void)snprintf(want, sizeof(want), "%zu client", slow_peers(&m, false, in_port));
		assert_ptr_equal(strstr(r.why, want), r.why);
		(void)snprintf(want, sizeof(want), ", %zu server", slow_peers(&m, true, out_port));
		assert_non_null(strstr(r.why, want));
		(void)snprintf(want, sizeof(want), "data in %zu of", slow_hours(&m, in_port));
		assert_non_null(strstr(r.why, want));
		made_end(&m);
	}
}

/* Times at the ends of what 64 bits hold, nothing recorded of the host but the two legs. */
static void senseless_times(void **state)
{
	static const int64_t t[] = {INT64_MIN, INT64_MIN / 2, -1, 0, T0, INT64_MAX - HOUR};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		for (size_t k = 0; k < 6; k++) {
			struct made m;
			made_begin(&m, 2);
			const struct flow *in =
				flow_add(&m, 6, at(CLIENT, 1, 40000), here(22), t[i], SECOND_US, true);
			const struct flow *out =
				flow_add(&m, 6, here(40000), at(SERVER, 1, 22), t[k], SECOND_US, true);
			assert_string_equal(role_in(&m, in, out).name, "relay");
			made_end(&m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role),
		cmocka_unit_test(chat_server),
		cmocka_unit_test(p2p),
		cmocka_unit_test(vpn_over_tls),
		cmocka_unit_test(a_translated_crowd_counts_once),
		cmocka_unit_test(steady_is_a_share_of_the_recording),
		cmocka_unit_test(an_attacker_at_a_web_server),
		cmocka_unit_test(a_crowd_without_answers),
		cmocka_unit_test(a_mesh),
		cmocka_unit_test(an_afternoon),
		cmocka_unit_test(declared_wins),
		cmocka_unit_test(counts_agree),
		cmocka_unit_test(senseless_times),
	};

	kit_seed("role");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
