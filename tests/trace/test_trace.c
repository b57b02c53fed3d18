/* Tracing on recordings that the test writes itself through the store: one relay among many flows, three
 * relays at three observation points with clocks apart, legs at different points, reverse tunnels,
 * translation, ends of every kind, the charge for searching, scan. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/trace.h"

#define T0   INT64_C(1795000000000000)
#define MAXB 4000

static uint64_t rng;

static double uniform(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (double)(rng >> 11) / 9007199254740992.0;
}

/* A typed session: keys and answers. */
struct session {
	int64_t key[MAXB], answer[MAXB];
	uint64_t size[MAXB];
	size_t n;
};

static void type_session(struct session *s, int64_t from, double seconds)
{
	double t = 0;

	s->n = 0;
	while (t < seconds && s->n < MAXB) {
		double pause = uniform() < 0.1 ? 1 + 4 * uniform() : 0.13 + 0.25 * uniform() * uniform();
		t += pause;
		s->key[s->n] = from + (int64_t)(t * 1e6);
		s->answer[s->n] = s->key[s->n] + 30000 + (int64_t)(uniform() * 20000);
		s->size[s->n] = uniform() < 0.1 ? (uint64_t)(100 + 4000 * uniform()) : 36;
		s->n++;
	}
}

/* A clock of an observation point. */
struct skew {
	int64_t offset;
	double drift;
};

static int64_t on_clock(const struct skew *k, int64_t t)
{
	return k ? t + k->offset + (int64_t)(k->drift * (double)(t - T0)) : t;
}

struct world_of {
	char dir[64];
	struct store_writer *w;
	uint32_t isn;
	uint8_t flags; /* of the flows that are written */
	struct config cfg;
};

static void setup_world(struct world_of *o)
{
	struct err e = {0};

	memset(o, 0, sizeof(*o));
	strcpy(o->dir, "/tmp/weir-test-trace-XXXXXX");
	assert_non_null(mkdtemp(o->dir));
	assert_int_equal(config_load(&o->cfg, o->dir, &e), STATUS_OK);
	assert_int_equal(store_prepare(&world_real, o->dir, &e), STATUS_OK);
	assert_int_equal(store_writer_open(&o->w, &world_real, o->dir, &e), STATUS_OK);
	o->isn = 1000;
	o->flags = FLOW_SYN | FLOW_SYNACK;
}

static void sealed(struct world_of *o)
{
	struct err e = {0};

	assert_int_equal(store_writer_close(o->w, &e), STATUS_OK);
	o->w = NULL;
}

static void teardown_world(struct world_of *o)
{
	char cmd[128];

	config_free(&o->cfg);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", o->dir);
	assert_int_equal(system(cmd), 0);
}

static void cover(struct world_of *o, const char *point, const struct skew *k, double seconds)
{
	struct err e = {0};
	struct coverage c = {.point = point,
		.span = {on_clock(k, T0) - 5000000, on_clock(k, T0) + (int64_t)(seconds * 1e6) + 5000000}};

	assert_int_equal(store_cover(o->w, &c, &e), STATUS_OK);
}

static struct burst burst[2][MAXB];

/* Writes the first n[d] bursts of each direction as a flow a > b. */
static void bursts_write(
	struct world_of *o, const char *point, const char *a, const char *b, const size_t n[2], uint32_t isn)
{
	struct chunk c = {.head = {.point = point,
				  .proto = 6,
				  .flags = o->flags,
				  .source = {.kind = SOURCE_PACKETS,
					  .resolution_us = 1,
					  .sampling = 1,
					  .gap_us = BURST_GAP_RECORDED_US}}};
	struct err e = {0};

	assert_true(endpoint_parse(&c.head.end[0], a));
	assert_true(endpoint_parse(&c.head.end[1], b));
	c.head.isn[0] = isn ? isn : o->isn++;
	c.head.isn[1] = c.head.isn[0] ^ 0x5a5a5a5a;
	for (int d = 0; d < 2; d++) {
		c.burst[d] = burst[d];
		c.n_burst[d] = n[d];
		c.count[d] = (struct flow_count){
			n[d], n[d] * 100, n[d] * 36, burst[d][0].start_us, burst[d][n[d] - 1].start_us};
	}
	c.head.first_us =
		burst[0][0].start_us < burst[1][0].start_us ? burst[0][0].start_us : burst[1][0].start_us;
	assert_true(flow_make_id(&c.head));
	assert_int_equal(store_append(o->w, &c, &e), STATUS_OK);
}

/* Writes session s as a flow a > b; its keys travel in direction `way` (0: a to b), delayed by lag. */
static void flow_write(struct world_of *o, const char *point, const struct skew *k, const char *a,
	const char *b, const struct session *s, int way, int64_t lag, double jitter, uint32_t isn)
{
	for (size_t i = 0; i < s->n; i++) {
		int64_t j = (int64_t)(jitter * uniform() * 1e6);
		/* the answer comes back through the out-leg first, so it has the lag the other way round */
		burst[way][i] = (struct burst){on_clock(k, s->key[i] + lag + j), 0, 1, 36};
		burst[!way][i] = (struct burst){on_clock(k, s->answer[i] + 30000 - lag), 0, 1, s->size[i]};
	}
	bursts_write(o, point, a, b, (const size_t[2]){s->n, s->n}, isn);
}

/* Flows of relay that have nothing to do with the attack: half come in, half go out. */
static void bystanders(
	struct world_of *o, const char *point, const struct skew *k, const char *relay, int n, double seconds)
{
	static struct session s;
	char a[64], b[64];

	for (int i = 0; i < n; i++) {
		type_session(&s, T0 + (int64_t)(uniform() * 2e6), seconds);
		if (i % 2) {
			(void)snprintf(a, sizeof(a), "198.18.10.%d:%d", 1 + i % 200, 30000 + i);
			(void)snprintf(b, sizeof(b), "%s:22", relay);
		} else {
			(void)snprintf(a, sizeof(a), "%s:%d", relay, 40000 + i);
			(void)snprintf(b, sizeof(b), "198.18.20.%d:22", 1 + i % 200);
		}
		flow_write(o, point, k, a, b, &s, 0, 0, 0, 0);
	}
}

static void run_trace(struct world_of *o, const char *flow, struct tracer **t, struct chain *c)
{
	struct err e = {0};
	const struct flow *f;

	assert_int_equal(tracer_open(t, &world_real, o->dir, &o->cfg, 1e-6, &e), STATUS_OK);
	if (tracer_flow(*t, flow, WALL_END, &f, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	if (trace_chain(*t, f, NULL, c, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

static void assert_leg(const struct flow *f, const char *text)
{
	char have[FLOW_TEXT];

	assert_non_null(f);
	assert_string_equal(flow_text(have, &f->head), text);
}

/* What most tests share: one observation point, a typed session of 100 s, a chain in the end. */
struct scene {
	struct world_of o;
	struct session s;
	struct tracer *t;
	struct chain c;
};

static void scene_begin(struct scene *x, const char *point)
{
	setup_world(&x->o);
	cover(&x->o, point, NULL, 120);
	type_session(&x->s, T0, 100);
}

static void scene_trace(struct scene *x, const char *flow)
{
	if (x->o.w)
		sealed(&x->o);
	run_trace(&x->o, flow, &x->t, &x->c);
}

static void scene_end(struct scene *x)
{
	tracer_close(x->t);
	teardown_world(&x->o);
}

static void one_relay_among_many(void **state)
{
	struct scene x;

	(void)state;
	scene_begin(&x, "border");
	flow_write(&x.o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &x.s, 0, 0, 0, 0);
	flow_write(&x.o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &x.s, 0, 8000, 0.005, 0);
	bystanders(&x.o, "border", NULL, "203.0.113.10", 30, 100);
	scene_trace(&x, "tcp 192.0.2.10:22 > 203.0.113.10:6000");
	assert_int_equal(x.c.n_proven, 1);
	assert_leg(x.c.hop[0].best.flow, "tcp 198.51.100.7:5000 > 203.0.113.10:22");
	assert_int_equal(x.c.hop[0].searched, 31);
	assert_true(fabs(x.c.hop[0].needed - (6 + log10(31))) < 1e-9);
	assert_true(x.c.hop[0].n_rival > 0);
	for (size_t i = 0; i < x.c.hop[0].n_rival; i++)
		assert_int_not_equal(x.c.hop[0].rival[i].link.verdict, LINK_PROVEN);
	assert_int_equal(x.c.end, END_NOT_RECORDED);
	scene_end(&x);
}

static void true_leg_missing_names_nobody(void **state)
{
	struct scene x;

	(void)state;
	scene_begin(&x, "border");
	flow_write(&x.o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &x.s, 0, 8000, 0.005, 0);
	bystanders(&x.o, "border", NULL, "203.0.113.10", 60, 100);
	scene_trace(&x, "tcp 203.0.113.10:6000 > 192.0.2.10:22");
	assert_int_equal(x.c.n_proven, 0);
	assert_int_equal(x.c.n_hop, 1);
	assert_int_equal(x.c.hop[0].searched, 60);
	assert_int_equal(x.c.end, END_INSUFFICIENT);
	scene_end(&x);
}

static void nothing_else_recorded(void **state)
{
	static struct session s;
	struct world_of o;
	struct tracer *t;
	struct chain c;

	(void)state;
	setup_world(&o);
	cover(&o, "victim", NULL, 120);
	type_session(&s, T0, 50);
	flow_write(&o, "victim", NULL, "203.0.113.10:6000", "192.0.2.10:22", &s, 0, 0, 0, 0);
	sealed(&o);
	run_trace(&o, "tcp 203.0.113.10:6000 > 192.0.2.10:22", &t, &c);
	assert_int_equal(c.n_hop, 0);
	assert_int_equal(c.end, END_NOT_RECORDED);
	tracer_close(t);
	teardown_world(&o);
}

/* Three networks, each with its own clock, each seeing both legs of its relay. */
static void chain_of_three(void **state)
{
	static struct session s;
	static const struct skew k1 = {0, 0}, k2 = {1900000, 90e-6}, k3 = {-1500000, -100e-6};
	struct world_of o;
	struct tracer *t;
	struct chain c;

	(void)state;
	setup_world(&o);
	cover(&o, "net1", &k1, 120);
	cover(&o, "net2", &k2, 120);
	cover(&o, "net3", &k3, 120);
	type_session(&s, T0, 100);
	flow_write(&o, "net1", &k1, "203.0.113.10:1111", "192.0.2.10:22", &s, 0, 30000, 0, 71);
	flow_write(&o, "net1", &k1, "198.18.2.10:2222", "203.0.113.10:22", &s, 0, 20000, 0, 72);
	flow_write(&o, "net2", &k2, "198.18.2.10:2222", "203.0.113.10:22", &s, 0, 20000, 0, 72);
	flow_write(&o, "net2", &k2, "198.18.3.10:3333", "198.18.2.10:22", &s, 0, 10000, 0, 73);
	flow_write(&o, "net3", &k3, "198.18.3.10:3333", "198.18.2.10:22", &s, 0, 10000, 0, 73);
	flow_write(&o, "net3", &k3, "198.51.100.7:4444", "198.18.3.10:22", &s, 0, 0, 0, 74);
	bystanders(&o, "net1", &k1, "203.0.113.10", 20, 100);
	bystanders(&o, "net2", &k2, "198.18.2.10", 20, 100);
	bystanders(&o, "net3", &k3, "198.18.3.10", 20, 100);
	sealed(&o);
	run_trace(&o, "tcp 203.0.113.10:1111 > 192.0.2.10:22", &t, &c);
	assert_int_equal(c.n_proven, 3);
	assert_leg(c.hop[0].best.flow, "tcp 198.18.2.10:2222 > 203.0.113.10:22");
	assert_leg(c.hop[1].best.flow, "tcp 198.18.3.10:3333 > 198.18.2.10:22");
	assert_leg(c.hop[2].best.flow, "tcp 198.51.100.7:4444 > 198.18.3.10:22");
	/* each flow counts once, though two points saw it */
	assert_int_equal(c.hop[1].searched, 21);
	tracer_close(t);
	teardown_world(&o);
}

/* The in-leg was seen at one point, the out-leg at another whose clock is 1.9 s off; a third flow was seen
 * at both. */
static void legs_at_two_points(void **state)
{
	static struct session s, common;
	static const struct skew k1 = {0, 0}, k2 = {1900000, 90e-6};
	struct world_of o;
	struct tracer *t;
	struct chain c;

	(void)state;
	setup_world(&o);
	cover(&o, "net1", &k1, 120);
	cover(&o, "net2", &k2, 120);
	type_session(&s, T0, 100);
	type_session(&common, T0, 100);
	flow_write(&o, "net1", &k1, "198.51.100.7:5000", "203.0.113.10:22", &s, 0, 0, 0, 0);
	flow_write(&o, "net2", &k2, "203.0.113.10:6000", "192.0.2.10:22", &s, 0, 8000, 0.005, 0);
	flow_write(&o, "net1", &k1, "203.0.113.10:7000", "192.0.2.11:22", &common, 0, 0, 0, 55);
	flow_write(&o, "net2", &k2, "203.0.113.10:7000", "192.0.2.11:22", &common, 0, 300, 0, 55);
	bystanders(&o, "net1", &k1, "203.0.113.10", 20, 100);
	sealed(&o);
	run_trace(&o, "tcp 203.0.113.10:6000 > 192.0.2.10:22", &t, &c);
	assert_int_equal(c.n_proven, 1);
	assert_leg(c.hop[0].best.flow, "tcp 198.51.100.7:5000 > 203.0.113.10:22");
	assert_int_equal(c.hop[0].best.pair.clock.flows, 1);
	assert_true(llabs(c.hop[0].best.pair.clock.offset_us + 1900000) < 20000);
	assert_true(fabs(c.hop[0].best.pair.clock.drift + 90e-6) < 20e-6);
	tracer_close(t);
	teardown_world(&o);
}

/* Both legs opened by the relay: it called out to the attacker's server, whose commands come back
 * through that. */
static void reverse_tunnel(void **state)
{
	struct scene x;

	(void)state;
	scene_begin(&x, "border");
	flow_write(&x.o, "border", NULL, "203.0.113.10:5000", "198.51.100.9:22", &x.s, 1, 0, 0, 0);
	flow_write(&x.o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &x.s, 0, 8000, 0.005, 0);
	bystanders(&x.o, "border", NULL, "203.0.113.10", 20, 100);
	scene_trace(&x, "tcp 203.0.113.10:6000 > 192.0.2.10:22");
	assert_int_equal(x.c.n_proven, 1);
	assert_leg(x.c.hop[0].best.flow, "tcp 203.0.113.10:5000 > 198.51.100.9:22");
	scene_end(&x);
}

/* Relay 198.19.1.10 behind NAT as 203.0.113.10, and a mirror that shows both sides. */
static void scene_behind_nat(struct scene *x)
{
	scene_begin(x, "border");
	flow_write(&x->o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &x->s, 0, 0, 0, 81);
	flow_write(&x->o, "border", NULL, "198.51.100.7:5000", "198.19.1.10:22", &x->s, 0, 50, 0, 81);
	flow_write(&x->o, "border", NULL, "198.19.1.10:6000", "192.0.2.10:22", &x->s, 0, 8000, 0, 82);
	flow_write(&x->o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &x->s, 0, 8050, 0, 82);
}

/* The relay stands behind NAT and the mirror shows both sides: one flow, and the chain goes on inside. */
static void through_translation(void **state)
{
	struct scene x;

	(void)state;
	scene_behind_nat(&x);
	bystanders(&x.o, "border", NULL, "198.19.1.10", 20, 100);
	scene_trace(&x, "tcp 203.0.113.10:6000 > 192.0.2.10:22");
	assert_int_equal(x.c.n_proven, 1);
	assert_leg(x.c.hop[0].translated, "tcp 203.0.113.10:6000 > 192.0.2.10:22");
	assert_leg(x.c.hop[0].out, "tcp 198.19.1.10:6000 > 192.0.2.10:22");
	assert_leg(x.c.hop[0].best.flow, "tcp 198.51.100.7:5000 > 198.19.1.10:22");
	assert_int_equal(x.c.hop[0].searched, 21);
	scene_end(&x);
}

static enum status keep_relay(void *self, const struct scan_link *l, struct err *e)
{
	(void)e;
	*(struct ip *)self = l->relay;
	return STATUS_OK;
}

/* The gateway's address has both legs too, translated: the link is the host's behind it, and is told once. */
static void scan_tells_a_translated_link_once(void **state)
{
	struct scene x;
	struct ip relay = {0}, inner;
	struct scan_sum sum;
	struct err e = {0};
	struct scan_param p = {.since = WALL_BEGIN, .until = WALL_END, .found = keep_relay, .self = &relay};

	(void)state;
	scene_behind_nat(&x);
	sealed(&x.o);
	assert_int_equal(tracer_open(&x.t, &world_real, x.o.dir, &x.o.cfg, 1e-6, &e), STATUS_OK);
	assert_int_equal(trace_scan(x.t, &p, &sum, &e), STATUS_OK);
	assert_int_equal(sum.proven, 1);
	assert_true(ip_parse(&inner, "198.19.1.10"));
	assert_true(ip_equal(&relay, &inner));
	scene_end(&x);
}

/* A balancer translates both ends: what left it towards the victim is what came to it, and the chain goes on
 * from there.  Traced from its outer side, the inner one is not taken for where it came from. */
static void through_balancer(void **state)
{
	struct scene x;

	(void)state;
	scene_begin(&x, "border");
	flow_write(&x.o, "border", NULL, "198.51.100.7:5000", "198.19.1.10:22", &x.s, 0, 0, 0, 0);
	flow_write(&x.o, "border", NULL, "198.19.1.10:6000", "203.0.113.10:443", &x.s, 0, 8000, 0.005, 82);
	flow_write(&x.o, "border", NULL, "203.0.113.10:7000", "192.0.2.10:22", &x.s, 0, 8050, 0.005, 82);
	bystanders(&x.o, "border", NULL, "198.19.1.10", 20, 100);
	scene_trace(&x, "tcp 203.0.113.10:7000 > 192.0.2.10:22");
	assert_int_equal(x.c.n_proven, 1);
	assert_leg(x.c.hop[0].translated, "tcp 203.0.113.10:7000 > 192.0.2.10:22");
	assert_leg(x.c.hop[0].out, "tcp 198.19.1.10:6000 > 203.0.113.10:443");
	assert_leg(x.c.hop[0].best.flow, "tcp 198.51.100.7:5000 > 198.19.1.10:22");
	tracer_close(x.t);
	run_trace(&x.o, "tcp 198.19.1.10:6000 > 203.0.113.10:443", &x.t, &x.c);
	assert_int_equal(x.c.n_proven, 1);
	assert_null(x.c.hop[0].translated);
	assert_leg(x.c.hop[0].best.flow, "tcp 198.51.100.7:5000 > 198.19.1.10:22");
	scene_end(&x);
}

/* A server that always takes equally long: time cannot tell whose answers the relay gives.  Where their sizes
 * vary they tell; where those are all alike too, nobody is named. */
static void steady_answers(void **state)
{
	for (int alike = 0; alike < 2; alike++) {
		struct scene x;

		(void)state;
		scene_begin(&x, "border");
		for (size_t i = 0; i < x.s.n; i++) {
			x.s.answer[i] = x.s.key[i] + 30000;
			x.s.size[i] = alike ? 36 : uniform() < 0.6 ? 36 : (uint64_t)(150 + 3000 * uniform());
		}
		flow_write(&x.o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &x.s, 0, 0, 0, 0);
		flow_write(&x.o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &x.s, 0, 8000, 0, 0);
		bystanders(&x.o, "border", NULL, "203.0.113.10", 20, 100);
		scene_trace(&x, "tcp 203.0.113.10:6000 > 192.0.2.10:22");
		assert_int_equal(x.c.n_proven, !alike);
		assert_int_equal(x.c.hop[0].best.link.verdict, alike ? LINK_UNDECIDABLE : LINK_PROVEN);
		scene_end(&x);
	}
}

/* A browser: what server A answers makes the host ask B, and B's answer makes it tell A.  Cause and effect
 * run through the host, but nobody works through it: it speaks first, on both. */
static void a_browser_is_no_relay(void **state)
{
	struct world_of o;
	struct tracer *t;
	struct chain c;
	size_t n[2][2] = {{0}};
	static struct burst flow[2][2][MAXB];

	(void)state;
	setup_world(&o);
	cover(&o, "border", NULL, 400);
	for (int64_t at = T0, k = 0; k < 60; k++) {
		at += 900000 + (int64_t)(8e6 * uniform());
		int64_t answer = at + 20000 + (int64_t)(80000 * uniform());
		int64_t ask = answer + 4000 + (int64_t)(6000 * uniform());
		int64_t told = ask + 15000 + (int64_t)(90000 * uniform());
		int64_t beacon = told + 5000 + (int64_t)(9000 * uniform());
		flow[0][0][n[0][0]++] = (struct burst){at, 0, 1, 600};
		flow[0][1][n[0][1]++] = (struct burst){answer, 0, 4, 5000};
		flow[1][0][n[1][0]++] = (struct burst){ask, 0, 1, 500};
		flow[1][1][n[1][1]++] = (struct burst){told, 0, 3, 4000};
		flow[0][0][n[0][0]++] = (struct burst){beacon, 0, 1, 400};
		flow[0][1][n[0][1]++] = (struct burst){beacon + 20000, 0, 1, 200};
		at = beacon;
	}
	for (int f = 0; f < 2; f++) {
		memcpy(burst, flow[f], sizeof(burst));
		bursts_write(&o, "border", f ? "203.0.113.10:5001" : "203.0.113.10:5000",
			f ? "192.0.2.44:443" : "192.0.2.80:443", n[f], 0);
	}
	sealed(&o);
	run_trace(&o, "tcp 203.0.113.10:5001 > 192.0.2.44:443", &t, &c);
	assert_int_equal(c.n_proven, 0);
	tracer_close(t);
	teardown_world(&o);
}

/* The recorder started in the middle and saw the server speak first: the service port tells who opened the
 * flow, and a sensor's word does where no port can. */
static void opened_before_the_recording(void **state)
{
	struct scene x;
	struct endpoint said;
	struct err e = {0};
	const struct flow *f;

	(void)state;
	scene_begin(&x, "border");
	x.o.flags = FLOW_ASSUMED;
	flow_write(&x.o, "border", NULL, "203.0.113.10:22", "198.51.100.7:5000", &x.s, 1, 0, 0, 0);
	flow_write(&x.o, "border", NULL, "192.0.2.10:22", "203.0.113.10:6000", &x.s, 1, 8000, 0.005, 0);
	bystanders(&x.o, "border", NULL, "203.0.113.10", 20, 100);
	scene_trace(&x, "tcp 192.0.2.10:22 > 203.0.113.10:6000");
	assert_int_equal(x.c.n_proven, 1);
	assert_leg(x.c.hop[0].best.flow, "tcp 203.0.113.10:22 > 198.51.100.7:5000");
	assert_true(endpoint_parse(&said, "192.0.2.10:22"));
	assert_int_equal(
		tracer_flow(x.t, "tcp 192.0.2.10:22 > 203.0.113.10:6000", WALL_END, &f, &e), STATUS_OK);
	assert_int_equal(trace_chain(x.t, f, &said, &x.c, &e), STATUS_OK);
	assert_true(ip_equal(&x.c.end_host, &said.ip));
	scene_end(&x);
}

static void ends_outside_own_networks(void **state)
{
	static struct session s;
	struct world_of o;
	struct tracer *t;
	struct chain c;
	struct prefix own;

	(void)state;
	setup_world(&o);
	cover(&o, "border", NULL, 120);
	type_session(&s, T0, 100);
	flow_write(&o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &s, 0, 0, 0, 0);
	flow_write(&o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &s, 0, 8000, 0.005, 0);
	sealed(&o);
	assert_true(prefix_parse(&own, "203.0.113.0/24"));
	o.cfg.own = &own;
	o.cfg.n_own = 1;
	run_trace(&o, "tcp 203.0.113.10:6000 > 192.0.2.10:22", &t, &c);
	assert_int_equal(c.n_proven, 1);
	assert_int_equal(c.end, END_OUTSIDE);
	tracer_close(t);
	assert_true(prefix_parse(&own, "192.0.2.0/24"));
	run_trace(&o, "tcp 203.0.113.10:6000 > 192.0.2.10:22", &t, &c);
	assert_int_equal(c.n_hop, 0);
	assert_int_equal(c.end, END_OUTSIDE);
	tracer_close(t);
	teardown_world(&o);
}

/* A relay that is declared with a port is declared for what comes in there, and for nothing else. */
static void declared_with_a_port(void **state)
{
	struct config_host relay[2] = {{.port = 22}, {.port = 443}};
	struct scene x;

	(void)state;
	for (int i = 0; i < 2; i++) {
		scene_begin(&x, "border");
		flow_write(&x.o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &x.s, 0, 0, 0, 0);
		flow_write(
			&x.o, "border", NULL, "203.0.113.10:6000", "192.0.2.10:22", &x.s, 0, 8000, 0.005, 0);
		assert_true(prefix_parse(&relay[i].prefix, "203.0.113.10"));
		x.o.cfg.relays = &relay[i];
		x.o.cfg.n_relays = 1;
		scene_trace(&x, "tcp 203.0.113.10:6000 > 192.0.2.10:22");
		assert_int_equal(x.c.n_proven, 1);
		assert_int_equal(x.c.hop[0].declared, relay[i].port == 22);
		scene_end(&x);
	}
}

struct found {
	size_t proven, rewritten, declared, wrong;
};

static enum status on_link(void *self, const struct scan_link *l, struct err *e)
{
	struct found *f = self;

	(void)e;
	f->rewritten += strcmp(l->role, "rewritten") == 0;
	f->declared += strcmp(l->role, "declared") == 0 && l->link.verdict == LINK_PROVEN;
	if (l->link.verdict != LINK_PROVEN)
		return STATUS_OK;
	f->proven++;
	/* planted links have ports that differ by 1000 */
	f->wrong += l->in->head.end[0].port + 1000 != l->out->head.end[0].port;
	return STATUS_OK;
}

static void scan_finds_planted_links_only(void **state)
{
	static struct session s;
	struct config_host declared;
	struct world_of o;
	struct tracer *t;
	struct err e = {0};
	struct found f = {0};
	struct scan_sum sum;
	char a[64], b[64];
	struct scan_param p = {
		.since = WALL_BEGIN, .until = WALL_END, .all = true, .found = on_link, .self = &f};

	(void)state;
	setup_world(&o);
	cover(&o, "border", NULL, 150);
	for (int i = 0; i < 6; i++) {
		const char *relay = i < 3 ? "203.0.113.10" : "203.0.113.11";
		type_session(&s, T0, 120);
		(void)snprintf(a, sizeof(a), "198.51.100.%d:%d", 10 + i, 5000 + i);
		(void)snprintf(b, sizeof(b), "%s:22", relay);
		flow_write(&o, "border", NULL, a, b, &s, 0, 0, 0, 0);
		(void)snprintf(a, sizeof(a), "%s:%d", relay, 6000 + i);
		(void)snprintf(b, sizeof(b), "192.0.2.%d:22", 10 + i);
		flow_write(&o, "border", NULL, a, b, &s, 0, 9000, 0.004, (uint32_t)(900 + i));
		if (i == 0) /* its translated copy */
			flow_write(&o, "border", NULL, "203.0.113.99:6000", b, &s, 0, 9040, 0.004, 900);
	}
	bystanders(&o, "border", NULL, "203.0.113.10", 20, 120);
	sealed(&o);
	assert_true(prefix_parse(&declared.prefix, "203.0.113.11"));
	declared.port = 0;
	o.cfg.relays = &declared;
	o.cfg.n_relays = 1;
	assert_int_equal(tracer_open(&t, &world_real, o.dir, &o.cfg, 1e-6, &e), STATUS_OK);
	assert_int_equal(trace_scan(t, &p, &sum, &e), STATUS_OK);
	assert_int_equal(f.wrong, 0);
	assert_int_equal(f.proven, 6);
	assert_int_equal(f.declared, 3);
	assert_int_equal(sum.proven, 6);
	assert_true(f.rewritten >= 1);
	tracer_close(t);
	teardown_world(&o);
}

static void flows_by_id_and_notation(void **state)
{
	static struct session s;
	struct world_of o;
	struct tracer *t;
	struct err e = {0};
	const struct flow *f, *g;
	char id[ID_TEXT];

	(void)state;
	setup_world(&o);
	cover(&o, "border", NULL, 400);
	type_session(&s, T0, 20);
	flow_write(&o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &s, 0, 0, 0, 0);
	type_session(&s, T0 + 300 * SECOND_US, 20);
	flow_write(&o, "border", NULL, "198.51.100.7:5000", "203.0.113.10:22", &s, 0, 0, 0, 0);
	sealed(&o);
	assert_int_equal(tracer_open(&t, &world_real, o.dir, &o.cfg, 1e-6, &e), STATUS_OK);
	assert_int_equal(
		tracer_flow(t, "tcp 198.51.100.7:5000 > 203.0.113.10:22", WALL_END, &f, &e), STATUS_OK);
	assert_true(f->head.first_us > T0 + 250 * SECOND_US);
	struct wall early = {T0 + 5 * SECOND_US};
	assert_int_equal(tracer_flow(t, "tcp 203.0.113.10:22 > 198.51.100.7:5000", early, &g, &e), STATUS_OK);
	assert_true(g->head.first_us < T0 + 250 * SECOND_US);
	(void)id_text(id, &g->head.id);
	id[12] = '\0';
	assert_int_equal(tracer_flow(t, id, WALL_END, &f, &e), STATUS_OK);
	assert_memory_equal(&f->head.id, &g->head.id, sizeof(f->head.id));
	assert_int_equal(
		tracer_flow(t, "tcp 198.51.100.7:5001 > 203.0.113.10:22", WALL_END, &f, &e), STATUS_NO);
	assert_int_equal(tracer_flow(t, "nonsense", WALL_END, &f, &e), STATUS_BAD);
	tracer_close(t);
	teardown_world(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_relay_among_many),
		cmocka_unit_test(true_leg_missing_names_nobody),
		cmocka_unit_test(nothing_else_recorded),
		cmocka_unit_test(chain_of_three),
		cmocka_unit_test(legs_at_two_points),
		cmocka_unit_test(reverse_tunnel),
		cmocka_unit_test(through_translation),
		cmocka_unit_test(scan_tells_a_translated_link_once),
		cmocka_unit_test(through_balancer),
		cmocka_unit_test(steady_answers),
		cmocka_unit_test(a_browser_is_no_relay),
		cmocka_unit_test(opened_before_the_recording),
		cmocka_unit_test(ends_outside_own_networks),
		cmocka_unit_test(declared_with_a_port),
		cmocka_unit_test(scan_finds_planted_links_only),
		cmocka_unit_test(flows_by_id_and_notation),
	};
	const char *seed = getenv("WEIR_SEED");

	rng = seed ? strtoull(seed, NULL, 0) : 0x9e3779b97f4a7c15U;
	print_message("# seed %llu (WEIR_SEED)\n", (unsigned long long)rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
