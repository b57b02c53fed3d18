/* A link that is computed again from the trains as they travel gives the number that tracing found, to the
 * bit: on relays of the zoo, on the laboratory's captures, with ends hidden, clocks apart, blind spans, and
 * flows too long to travel whole.  What was changed on the way is found, or changes nothing. */
#include "told_kit.h"

#include <glob.h>
#include <limits.h>
#include <jansson.h>

#include "../trace/zoo_gen.h"
#include "record/record.h"

static enum status again(struct fixture *f, const struct statement *s, struct recomputed *r)
{
	struct relink_room room = {0};
	struct train in, out;

	ok(train_read(&in, (const char *)f->t.train[0].p, f->t.train[0].n, &f->a, &err));
	ok(train_read(&out, (const char *)f->t.train[1].p, f->t.train[1].n, &f->a, &err));
	enum status st = statement_recompute(&room, s, &in, &out, r, &err);
	relink_free(&room);
	return st;
}

static void read_told(struct fixture *f)
{
	if (statement_read(&f->s, f->t.kind, f->t.body, strlen(f->t.body), &f->a, &err) != STATUS_OK)
		fail_msg("%s: %s", f->t.body, err.text);
}

/* Tells the hop, reads it, computes it again: the same to the bit; and, where nothing was cut, the number
 * that tracing found. */
static void same_number(struct fixture *f, const struct hop *h, uint8_t hide, bool whole)
{
	struct recomputed r;

	told_free(&f->t);
	ok(tell_hop(&f->t, h, 1e-6, hide, KIT_CODE, &err));
	assert_string_equal(f->t.kind, "link");
	read_told(f);
	if (again(f, &f->s, &r) != STATUS_OK)
		fail_msg("%s: %s", f->t.body, err.text);
	if (!r.same)
		fail_msg("%s: %s", f->t.body, r.why);
	assert_memory_equal(&r.link.max_log10_e, &f->s.log10_e, sizeof(double));
	if (whole)
		assert_memory_equal(&r.link.max_log10_e, &h->best.link.max_log10_e, sizeof(double));
}

static void no_trace_of(const struct fixture *f, const struct ip *ip)
{
	char text[IP_TEXT];

	(void)ip_text(text, ip);
	assert_null(strstr(f->t.body, text));
	assert_null(memmem(f->t.train[0].p, f->t.train[0].n, text, strlen(text)));
	assert_null(memmem(f->t.train[1].p, f->t.train[1].n, text, strlen(text)));
}

/* As it is, and with IN's far end hidden by a network, by half, and wholly. */
static void same_however_hidden(struct fixture *f, const struct hop *h)
{
	static const uint8_t hide[] = {0, 8, 24, 48};
	const struct ip *far = flow_peer(h->best.flow, &h->relay);

	for (size_t i = 0; i < sizeof(hide); i++) {
		if (hide[i] > 32 && far->v == 4)
			continue;
		same_number(f, h, hide[i], true);
		if (hide[i])
			no_trace_of(f, far);
	}
}

/* ---- synthetic relays ---- */

static void flow_of_legs(struct flow *to, const char *from, const char *until, const struct link_leg *leg,
	int fwd, struct arena *a)
{
	const struct link_train *way[2] = {fwd ? &leg->back : &leg->fwd, fwd ? &leg->fwd : &leg->back};
	int64_t first = INT64_MAX;

	kit_head(to, "zoo", from, until, 0);
	for (int d = 0; d < 2; d++) {
		to->n_burst[d] = way[d]->n;
		to->burst[d] = arena_array(a, way[d]->n + 1, sizeof(struct burst));
		assert_non_null(to->burst[d]);
		for (size_t i = 0; i < way[d]->n; i++)
			to->burst[d][i] = way[d]->b[i];
		if (way[d]->n && way[d]->b[0].start_us < first)
			first = way[d]->b[0].start_us;
	}
	to->head.first_us = first;
	to->head.source.sampling = leg->sampling;
	to->head.source.resolution_us = leg->resolution_us;
	kit_totals(to);
}

/* One pair of the zoo as two flows; either leg may have been opened by either side. */
static bool zoo_hop(
	struct fixture *f, struct hop *h, struct flow leg[2], const struct zoo_class *c, struct rng *r)
{
	struct zoo_pair p = {0};
	int in_opened = (int)kit_rnd(2), out_opened = (int)kit_rnd(2);

	zoo_make(c, r, &p);
	flow_of_legs(&leg[0], in_opened ? KIT_RELAY ":1080" : "198.51.100.7:41234",
		in_opened ? "198.51.100.7:443" : KIT_RELAY ":22", &p.in, in_opened, &f->a);
	flow_of_legs(&leg[1], out_opened ? "192.0.2.10:7777" : KIT_RELAY ":50001",
		out_opened ? KIT_RELAY ":81" : "192.0.2.10:22", &p.out, out_opened, &f->a);
	kit_hop(h, &leg[0], &leg[1], KIT_RELAY, 1 + (size_t)kit_rnd(1000));
	assert_int_equal(h->best.pair.in_opened, in_opened);
	zoo_free(&p);
	return h->best.link.verdict == LINK_PROVEN;
}

static void relays_of_the_zoo(void **state)
{
	struct fixture *f = *state;
	struct flow leg[2];
	size_t told = 0;
	struct rng r;
	struct hop h;

	kit_seed("relays of the zoo");
	rng_seed(&r, kit_rnd(0) + kit_rnd(UINT64_C(1) << 40));
	for (size_t i = 0; i < zoo_n_classes; i++) {
		for (int k = 0; k < 4 && zoo_classes[i].kind == ZOO_RELAY; k++) {
			if (zoo_hop(f, &h, leg, &zoo_classes[i], &r)) {
				same_however_hidden(f, &h);
				told++;
			}
		}
		arena_free(&f->a);
	}
	print_message("# %zu relays of the zoo told\n", told);
	assert_true(told >= 10);
}

/* Two observation points: OUT's clock is off and drifts, of which the fit knows but for an error. */
static void clocks_apart(void **state)
{
	struct fixture *f = *state;
	struct session s = kit_type(&f->a, 400);
	struct flow in, out;
	struct hop h;

	kit_leg(&in, &f->a, &s, "near", KIT_IN, 0, 0, 0);
	kit_leg(&out, &f->a, &s, "far", KIT_OUT, 9000, -1700000, 80e-6);
	kit_hop(&h, &in, &out, KIT_RELAY, 12);
	assert_int_not_equal(h.best.link.verdict, LINK_PROVEN);
	h.best.pair.apart = true;
	h.best.pair.clock = (struct clock_fit){KIT_T0 + 1234567, 1700000, 1500, -80e-6, 7};
	kit_hop_test(&h);
	assert_int_equal(h.best.link.verdict, LINK_PROVEN);
	same_however_hidden(f, &h);
	assert_true(f->s.apart);
	assert_memory_equal(&f->s.clock.drift, &h.best.pair.clock.drift, sizeof(double));
}

/* Of a recording's blind spans those travel that the pair's life meets; the number stays. */
static void blind_spans(void **state)
{
	enum { SPANS = 6000 };
	struct fixture *f = *state;
	struct kit_pair p;
	struct span *blind = arena_array(&f->a, SPANS, sizeof(*blind));

	assert_non_null(blind);
	kit_pair_make(&p, &f->a, 400);
	for (int i = 0; i < SPANS; i++) {
		int64_t at = p.in.head.first_us + (i - 100) * INT64_C(5000000);
		blind[i] = (struct span){at, at + 30000};
	}
	p.hop.best.pair.blind = blind;
	p.hop.best.pair.n_blind = SPANS;
	kit_hop_test(&p.hop);
	same_number(f, &p.hop, 0, true);
	assert_true(f->s.n_blind > 10 && f->s.n_blind < 1000);
	for (size_t i = 0; i < f->s.n_blind; i++) /* nobody's business otherwise */
		assert_true(f->s.blind[i].to_us > p.in.head.first_us - 1000000 &&
			    f->s.blind[i].from_us < p.out.last_us + 1000000);
}

/* More blind spans than travel: what is told is what the spans that travel give. */
static void more_blind_spans_than_travel(void **state)
{
	enum { SPANS = STATEMENT_BLIND + 500 };
	struct fixture *f = *state;
	struct kit_pair p;
	struct span *blind = arena_array(&f->a, SPANS, sizeof(*blind));

	assert_non_null(blind);
	kit_pair_make(&p, &f->a, 400);
	for (int i = 0; i < SPANS; i++) {
		int64_t at = p.in.head.first_us + i * INT64_C(20000);
		blind[i] = (struct span){at, at + 10};
	}
	p.hop.best.pair.blind = blind;
	p.hop.best.pair.n_blind = SPANS;
	kit_hop_test(&p.hop);
	same_number(f, &p.hop, 0, false);
	assert_int_equal(f->s.n_blind, STATEMENT_BLIND);
}

/* Flows that are cut when they are written: the number is that of what travels. */
static void longer_than_a_train(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;

	kit_pair_make(&p, &f->a, TRAIN_BURSTS / 2 + 9000);
	same_number(f, &p.hop, 24, false);
	assert_true(f->s.bursts > TRAIN_BURSTS / 4 && f->s.bursts < p.hop.best.link.bursts);
	assert_true(f->s.proven);
}

/* ---- the laboratory's captures ---- */

static void record_run(const char *run, const char *dir)
{
	const char *source = getenv("WEIR_SOURCE");
	char path[PATH_MAX], point[64];
	struct record_sum sum = {0};
	glob_t g;

	(void)snprintf(path, sizeof(path), "%s/lab/set/%s/*.pcap.zst", source ? source : ".", run);
	assert_int_equal(glob(path, 0, NULL, &g), 0);
	ok(store_prepare(&world_real, dir, &err));
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *name = strrchr(g.gl_pathv[i], '/') + 1;
		struct record_param param = {.dir = dir, .point = point};
		(void)snprintf(point, sizeof(point), "%.*s", (int)strcspn(name, "."), name);
		ok(record_file(&world_real, &param, g.gl_pathv[i], &sum, &err));
	}
	globfree(&g);
}

static json_t *truth_of(const char *run)
{
	const char *source = getenv("WEIR_SOURCE");
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/lab/set/%s/truth.json", source ? source : ".", run);
	json_t *j = json_load_file(path, 0, NULL);
	assert_non_null(j);
	return j;
}

/* Traces the attack of a run in all its captures together, and tells each hop.  How many there were. */
static size_t run_told(struct fixture *f, const char *run, size_t *apart)
{
	json_t *truth = truth_of(run);
	const char *attack = json_string_value(json_object_get(truth, "attack"));
	char *dir = kit_dir();
	const struct flow *flow;
	struct config cfg = {0};
	struct tracer *t;
	struct chain c;

	assert_non_null(attack);
	record_run(run, dir);
	ok(config_load(&cfg, dir, &err));
	ok(tracer_open(&t, &world_real, dir, &cfg, 1e-6, &err));
	ok(tracer_flow(t, attack, WALL_END, &flow, &err));
	ok(trace_chain(t, flow, NULL, &c, &err));
	for (size_t i = 0; i < c.n_proven; i++) {
		same_however_hidden(f, &c.hop[i]);
		*apart += f->s.apart;
	}
	if (c.n_hop > c.n_proven) {
		told_free(&f->t);
		ok(tell_hop(&f->t, &c.hop[c.n_proven], 1e-6, 0, KIT_CODE, &err));
		assert_string_equal(f->t.kind, "search");
	}
	tracer_close(t);
	config_free(&cfg);
	kit_dir_free(dir);
	json_decref(truth);
	return c.n_proven;
}

static void laboratory(void **state)
{
	static const char *const run[] = {"chain3", "clocks", "hidden", "ipv6", "nat", "reverse", "socks"};
	size_t told = 0, apart = 0;

	for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++)
		told += run_told(*state, run[i], &apart);
	print_message("# %zu hops of the laboratory told, %zu of legs at two points\n", told, apart);
	assert_true(told >= 9);
}

/* ---- what was changed on the way ---- */

/* What a changed field must lead to. */
enum changed {
	NOTHING,  /* for people: no verdict hangs on it */
	DIFFERS,  /* computed again, and another number */
	REFUSED,  /* statement and trains do not fit together */
	UNWANTED, /* refused when it is read */
	EITHER,   /* another number, or by chance the same: then nothing was gained */
};

struct change {
	const char *object, *key, *value; /* value NULL: removed */
	enum changed leads;
};

static const struct change changes[] = {
	{"in", "point", "\"other\"", NOTHING},
	{"in", "first", "\"2020-01-01T00:00:00Z\"", NOTHING},
	{"in", "last", NULL, NOTHING},
	{"in", "id", "\"00\"", NOTHING},
	{"in", "flow", "\"tcp 198.51.100.8:41234 > 203.0.113.10:22\"", REFUSED},
	{"in", "flow", "\"tcp 198.51.100.7:41234 > 203.0.113.10:22 \"", REFUSED},
	{"out", "flow", "\"\"", REFUSED},
	{"out", "flow", "\"tcp 198.51.100.7:41234 > 203.0.113.10:22\"", REFUSED},
	{NULL, "relay", "\"198.51.100.7\"", REFUSED},
	{NULL, "relay", "\"192.0.2.10\"", REFUSED},
	{NULL, "relay", "\"2001:db8::1\"", REFUSED},
	{NULL, "in_opened", "true", REFUSED},
	{NULL, "blind", "[[0,9000000000000000]]", REFUSED},
	{NULL, "blind", "[[0,1795000010000000]]", DIFFERS},
	{NULL, "blind", "[[0,9000000000000001],[1,2]]", UNWANTED},
	{NULL, "searched", "30", DIFFERS},
	{NULL, "searched", "1000000", DIFFERS},
	{NULL, "log10_e", "300", DIFFERS},
	{NULL, "log10_e", "-1", DIFFERS},
	{NULL, "needed", "1", DIFFERS},
	{NULL, "needed", "1e6", DIFFERS},
	{NULL, "lag_us", "7999", DIFFERS},
	{NULL, "lag_us", "9223372036854775807", DIFFERS},
	{NULL, "bursts", "0", DIFFERS},
	{NULL, "bursts", "65536", DIFFERS},
	{NULL, "verdict", "\"insufficient\"", DIFFERS},
	{NULL, "verdict", "\"certain\"", DIFFERS},
	{NULL, "alpha", "0.5", DIFFERS},
	{NULL, "alpha", "1e-300", DIFFERS},
	{NULL, "clock", NULL, NOTHING}, /* it was all zero */
	{"clock", "flows", "99", NOTHING},
	{NULL, "clock", "{\"at_us\":0,\"offset_us\":60000000,\"error_us\":0,\"drift\":0}", DIFFERS},
	{NULL, "clock", "{\"at_us\":0,\"offset_us\":0,\"error_us\":2000000,\"drift\":0}", DIFFERS},
	{NULL, "clock", "{\"at_us\":0,\"offset_us\":0,\"error_us\":0,\"drift\":0.001}", DIFFERS},
	{NULL, "clock", "{\"at_us\":0,\"offset_us\":600000000,\"error_us\":600000000,\"drift\":-0.001}",
		DIFFERS},
	{NULL, "clock", "null", UNWANTED},
	{NULL, "lag_ms", "1", NOTHING},
	{NULL, "rivals", "[{\"log10_e\":99}]", NOTHING},
	{NULL, "burst_gap_us", "1", NOTHING},
	{NULL, "declared", "true", NOTHING},
	{NULL, "code", "\"other 9.9\"", NOTHING},
	{NULL, "more", "{}", NOTHING},
};

static enum changed after(struct fixture *f, const char *body)
{
	struct statement s;
	struct recomputed r;

	if (statement_read(&s, "link", body, strlen(body), &f->a, &err) != STATUS_OK)
		return UNWANTED;
	if (again(f, &s, &r) != STATUS_OK)
		return REFUSED;
	assert_int_equal(r.same, r.why[0] == '\0');
	return r.same ? NOTHING : DIFFERS;
}

static void changed_statements(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;

	kit_pair_make(&p, &f->a, 200);
	p.out.head.point = "core"; /* two points whose clocks agree */
	p.hop.best.pair.apart = true;
	same_number(f, &p.hop, 0, true);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];
		json_t *j = json_loads(f->t.body, 0, NULL),
		       *in = c->object ? json_object_get(j, c->object) : j;
		if (c->value)
			(void)json_object_set_new(in, c->key, json_loads(c->value, JSON_DECODE_ANY, NULL));
		else
			(void)json_object_del(in, c->key);
		char *body = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(17));
		if (after(f, body) != c->leads)
			fail_msg("%s = %s leads to %d: %s", c->key, c->value, (int)after(f, body), err.text);
		free(body);
		json_decref(j);
	}
}

/* One key and its answer moved by 30 ms: the number is another.  Both, for the number is that of the
 * direction with the stronger evidence; some carry no weight by chance, so most, not all, must show. */
static void changed_trains(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;
	struct recomputed r;
	size_t differ = 0, all = 0;

	kit_seed("changed trains");
	kit_pair_make(&p, &f->a, 200);
	same_number(f, &p.hop, 0, true);
	for (size_t i = 5; i < 195; i += 5) {
		struct relink_room room = {0};
		struct arena a = {0};
		struct train in, out;
		ok(train_read(&in, (const char *)f->t.train[0].p, f->t.train[0].n, &a, &err));
		ok(train_read(&out, (const char *)f->t.train[1].p, f->t.train[1].n, &a, &err));
		in.flow.burst[0][i].start_us += 30000;
		in.flow.burst[1][i].start_us += 30000;
		ok(statement_recompute(&room, &f->s, &in, &out, &r, &err));
		differ += !r.same;
		all++;
		relink_free(&room);
		arena_free(&a);
	}
	print_message("# %zu of %zu\n", differ, all);
	assert_true(differ > all * 9 / 10);
}

/* One observation point has one clock: there is none to be made fit. */
static void clock_of_one_point(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;
	struct recomputed r;

	kit_pair_make(&p, &f->a, 200);
	p.hop.best.pair.apart = true;
	ok(tell_hop(&f->t, &p.hop, 1e-6, 0, KIT_CODE, &err));
	read_told(f);
	assert_int_equal(again(f, &f->s, &r), STATUS_BAD);
}

/* IN and OUT changed for each other, and one train for both. */
static void trains_exchanged(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;
	struct recomputed r;
	struct relink_room room = {0};
	struct train in, out;

	kit_pair_make(&p, &f->a, 100);
	same_number(f, &p.hop, 0, true);
	ok(train_read(&in, (const char *)f->t.train[0].p, f->t.train[0].n, &f->a, &err));
	ok(train_read(&out, (const char *)f->t.train[1].p, f->t.train[1].n, &f->a, &err));
	assert_int_equal(statement_recompute(&room, &f->s, &out, &in, &r, &err), STATUS_BAD);
	assert_int_equal(statement_recompute(&room, &f->s, &in, &in, &r, &err), STATUS_BAD);
	struct statement both = f->s;
	memcpy(both.out, both.in, sizeof(both.out));
	both.out_flow = both.in_flow;
	assert_int_equal(statement_recompute(&room, &both, &in, &in, &r, &err), STATUS_BAD);
	train_hide(&in, 1, 24); /* the relay itself */
	char text[FLOW_TEXT];
	both = f->s;
	both.in_flow = train_text(text, &in);
	assert_int_equal(statement_recompute(&room, &both, &in, &out, &r, &err), STATUS_BAD);
	relink_free(&room);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(relays_of_the_zoo), TEST(clocks_apart), TEST(blind_spans),
		TEST(more_blind_spans_than_travel), TEST(longer_than_a_train), TEST(laboratory),
		TEST(changed_statements), TEST(changed_trains), TEST(clock_of_one_point),
		TEST(trains_exchanged)};

	kit_seed("sessions");
	return cmocka_run_group_tests_name("recompute", tests, NULL, NULL);
}
