/* Statements: each kind is written and read back; a body with a field missing, of another type or out of
 * bounds is refused by the field's name. */
#include "told_kit.h"

#include <jansson.h>

/* ---- helpers ---- */

static enum status read_body(struct fixture *f, const char *kind, const char *body)
{
	/* In a block of its own, so that a checker sees a read beyond the end. */
	size_t n = strlen(body);
	char *exact = malloc(n ? n : 1);

	assert_non_null(exact);
	memcpy(exact, body, n);
	enum status s = statement_read(&f->s, kind, exact, n, &f->a, &err);
	free(exact);
	return s;
}

static void read_told(struct fixture *f)
{
	if (read_body(f, f->t.kind, f->t.body) != STATUS_OK)
		fail_msg("%s: %s", f->t.body, err.text);
}

/* ---- reading and writing ---- */

static void one_flow_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;
	struct sighting said = {.source = "eve", .text = "ET \"SCAN\" \xc3\xa9", .at = {KIT_T0}, .count = 3};

	kit_pair_make(&p, &f->a, 30);
	for (int k = 0; k < 3; k++) {
		told_free(&f->t);
		if (k == 2)
			ok(tell_seen(&f->t, &p.out, KIT_CODE, &err));
		else
			ok(tell_attack(&f->t, &p.out, &said, (size_t)k, KIT_CODE, &err));
		read_told(f);
		assert_int_equal(f->s.kind, k == 2 ? STATES_SEEN : STATES_ATTACK);
		assert_string_equal(f->s.out, f->t.name[0]);
		assert_string_equal(f->s.out_flow, "tcp 203.0.113.10:50001 > 192.0.2.10:22");
		assert_string_equal(f->s.code, KIT_CODE);
		assert_string_equal(f->s.in, "");
		assert_string_equal(f->t.name[1], "");
	}
}

static void link_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;

	kit_pair_make(&p, &f->a, 200);
	ok(tell_hop(&f->t, &p.hop, 1e-6, 0, KIT_CODE, &err));
	read_told(f);
	const struct statement *s = &f->s;
	const struct link_result *l = &p.hop.best.link;
	assert_int_equal(s->kind, STATES_LINK);
	assert_string_equal(s->in, f->t.name[0]);
	assert_string_equal(s->out, f->t.name[1]);
	assert_string_equal(s->in_flow, "tcp 198.51.100.7:41234 > 203.0.113.10:22");
	assert_true(ip_equal(&s->relay, &p.hop.relay) && s->proven && !s->apart && !s->in_opened);
	assert_true(s->n_blind == 0 && s->searched == 31 && s->lag_us == l->lag_us && s->bursts == l->bursts);
	assert_memory_equal(&s->log10_e, &l->max_log10_e, sizeof(double));
	assert_memory_equal(&s->needed, &p.hop.needed, sizeof(double));
}

/* The network of what fed a link, further up: nothing but the link and the network is told. */
static void origin_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p;
	struct told link;
	struct prefix net;

	kit_pair_make(&p, &f->a, 120);
	assert_true(prefix_parse(&net, "198.51.100.0/24"));
	ok(tell_hop(&link, &p.hop, 1e-6, 24, KIT_CODE, &err));
	struct claim c = {.kind = link.kind, .body = link.body};
	assert_true(claim_make_id(&c));
	ok(tell_origin(&f->t, &link, "tcp 198.51.100.0/24 > 203.0.113.10:22", 2, &net, "its registry",
		KIT_CODE, &err));
	read_told(f);
	assert_int_equal(f->s.kind, STATES_ORIGIN);
	assert_int_equal(id_order(&f->s.link, &c.id), 0);
	assert_int_equal(f->s.hops, 2);
	assert_string_equal(f->s.in_flow, "tcp 198.51.100.0/24 > 203.0.113.10:22");
	assert_memory_equal(&f->s.network, &net, sizeof(net));
	assert_string_equal(f->s.basis, "its registry");
	assert_true(!f->t.name[0][0] && !f->t.name[1][0] && !f->s.in[0] && !f->s.out[0]);
	assert_null(strstr(link.body, "198.51.100.7"));
	assert_null(memmem(link.train[0].p, link.train[0].n, "198.51.100.7", 12));
	told_free(&link);
}

static void block_is_read(void **state)
{
	struct fixture *f = *state;

	f->t = kit_block("drop tcp 203.0.113.10/32");
	read_told(f);
	assert_int_equal(f->s.kind, STATES_BLOCK);
	assert_string_equal(f->s.rule, "drop tcp 203.0.113.10/32");
	assert_int_equal(f->s.until.us - f->s.from.us, 3600 * SECOND_US);
}

/* What does not suffice is told as a search, which names nobody who could have fed OUT. */
static void search_names_nobody(void **state)
{
	struct fixture *f = *state;
	struct kit_pair p, q;

	kit_pair_make(&p, &f->a, 60);
	kit_pair_make(&q, &f->a, 60); /* another session */
	kit_hop(&p.hop, &q.in, &p.out, KIT_RELAY, 31);
	assert_int_not_equal(p.hop.best.link.verdict, LINK_PROVEN);
	p.hop.rival[0] = (struct candidate){.flow = &q.in, .link = p.hop.best.link};
	p.hop.n_rival = 1;
	ok(tell_hop(&f->t, &p.hop, 1e-6, 0, KIT_CODE, &err));
	read_told(f);
	assert_int_equal(f->s.kind, STATES_SEARCH);
	assert_string_equal(f->t.name[0], "");
	assert_null(strstr(f->t.body, "198.51.100.7"));
}

/* ---- fields ---- */

/* Types of JSON that a field may have. */
enum { NUL = 1, YES = 2, WHOLE = 4, REAL = 8, TEXT = 16, LIST = 32, OBJECT = 64 };

static const char *const other[][4] = {
	/* values of each type that may be none of the field's; the bit is the type's */
	{"null"}, {"true", "false"}, {"-9007199254740993", "9223372036854775807"}, {"1e300", "-1e300"},
	{"\"\"", "\"zz\""}, {"[]", "[1,2]"}, {"{}"}};

struct row {
	const char *kind, *object, *key;
	int any;                 /* types of which every value is taken */
	const char *refused[10]; /* and values of its own type that are not */
};

static const struct row rows[] = {
	{"attack", NULL, "v", 0, {"0", "2", "1.0", "\"1\""}},
	{"block", NULL, "v", 0, {"2"}},
	{"attack", "flow", "train", 0,
		{"\"00112233\"", "\"0011223344556677889900112233445566778899001122334455667788990011a\"",
			"\"001122334455667788990011223344556677889900112233445566778899001A\""}},
	{"attack", "flow", "flow", TEXT, {0}},
	{"attack", NULL, "code", TEXT, {0}},
	{"seen", "flow", "train", 0, {0}},
	{"seen", NULL, "code", TEXT, {0}},
	{"link", "in", "train", 0, {0}},
	{"link", "in", "flow", TEXT, {0}},
	{"link", "out", "train", 0, {0}},
	{"link", "out", "flow", TEXT, {0}},
	{"link", NULL, "relay", 0, {"\"203.0.113.010\"", "\"203.0.113.10/32\"", "\"::g\""}},
	{"link", NULL, "in_opened", YES, {0}},
	{"link", NULL, "alpha", 0, {"0", "0.51", "-1e-6", "1e-301"}},
	{"link", NULL, "log10_e", 0, {"1.1e9", "-1.1e9"}},
	{"link", NULL, "needed", 0, {"-1e-9", "1000001"}},
	{"link", NULL, "searched", 0, {"0", "-1", "1000000000000001", "31.0"}},
	{"link", NULL, "code", TEXT, {0}},
	{"link", NULL, "verdict", TEXT, {0}},
	{"link", NULL, "lag_us", WHOLE, {"1.5"}},
	{"link", NULL, "bursts", 0, {"-1", "65537", "1.0"}},
	{"link", NULL, "blind", LIST,
		{"[1,2]", "[[1]]", "[[1,2,3]]", "[[2,1]]", "[[2,2]]", "[[1,3],[2,4]]", "[[-1,1]]",
			"[[1.0,2]]", "[{\"0\":1}]"}},
	{"link", "clock", "at_us", 0, {"-1", "8000000000000001"}},
	{"link", "clock", "offset_us", 0, {"600000001", "-600000001", "0.0"}},
	{"link", "clock", "error_us", 0, {"-1", "600000001"}},
	{"link", "clock", "drift", 0, {"1.1e-3", "-1.1e-3"}},
	{"origin", NULL, "link", 0, {"\"00112233\"", "\"00112233445566778899AABBCCDDEEFF\""}},
	{"origin", NULL, "flow", TEXT, {0}},
	{"origin", NULL, "hops", 0, {"-1", "17", "1.0"}},
	{"origin", NULL, "network", 0, {"\"198.51.100.7/24\"", "\"198.51.100.0/33\""}},
	{"origin", NULL, "basis", TEXT, {0}},
	{"origin", NULL, "code", TEXT, {0}},
	{"block", NULL, "rule", TEXT, {0}},
	{"block", NULL, "from", 0, {"\"yesterday\"", "\"2026-13-01\""}},
	{"block", NULL, "until", 0, {"\"2026-11-22T25:00:00Z\""}},
	{"block", NULL, "code", TEXT, {0}},
};

/* A good body of each kind. */
static struct told good_body(struct fixture *f, const char *kind)
{
	struct told t = {0}, link;
	struct prefix net;
	struct kit_pair p;

	kit_pair_make(&p, &f->a, 120);
	p.hop.best.pair.apart = true;
	assert_true(prefix_parse(&net, "198.51.100.0/24"));
	if (strcmp(kind, "attack") == 0)
		ok(tell_attack(&t, &p.out, NULL, 0, KIT_CODE, &err));
	else if (strcmp(kind, "seen") == 0)
		ok(tell_seen(&t, &p.out, KIT_CODE, &err));
	else if (strcmp(kind, "link") == 0)
		ok(tell_hop(&t, &p.hop, 1e-6, 0, KIT_CODE, &err));
	else if (strcmp(kind, "block") == 0)
		t = kit_block("drop");
	else {
		ok(tell_hop(&link, &p.hop, 1e-6, 0, KIT_CODE, &err));
		ok(tell_origin(&t, &link, "", 0, &net, "its registry", KIT_CODE, &err));
		told_free(&link);
	}
	return t;
}

/* The body with the row's field as `value`, or without it. */
static char *body_with(const char *body, const struct row *r, const char *value)
{
	json_t *j = json_loads(body, 0, NULL), *in = r->object ? json_object_get(j, r->object) : j;

	assert_non_null(json_object_get(in, r->key));
	if (value)
		(void)json_object_set_new(
			in, r->key, json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
	else
		(void)json_object_del(in, r->key);
	char *s = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	assert_non_null(s);
	return s;
}

static void refused_by_name(struct fixture *f, const struct row *r, const char *body, const char *value)
{
	char *s = body_with(body, r, value);

	if (read_body(f, r->kind, s) != STATUS_BAD)
		fail_msg("%s %s = %s was taken", r->kind, r->key, value ? value : "nothing");
	if (!strstr(err.text, r->key) || strchr(err.text, '\n'))
		fail_msg("%s = %s: \"%s\"", r->key, value ? value : "nothing", err.text);
	free(s);
}

static void every_field_counts(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct told t = good_body(f, r->kind);
		refused_by_name(f, r, t.body, NULL);
		for (size_t k = 0; k < sizeof(other) / sizeof(other[0]); k++)
			for (size_t v = 0; v < 4 && other[k][v] && !(r->any >> k & 1); v++)
				refused_by_name(f, r, t.body, other[k][v]);
		for (size_t k = 0; k < 10 && r->refused[k]; k++)
			refused_by_name(f, r, t.body, r->refused[k]);
		told_free(&t);
	}
}

static void not_a_statement(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[][2] = {{"attack", ""}, {"attack", "[]"}, {"attack", "1"},
		{"attack", "{"}, {"attack", "{}x"}, {"attack", "{\"flow\":1,\"flow\":1}"}, {"", "{}"},
		{"Attack", "{}"}, {"links", "{}"}, {"attack", "\xff"}, {"block", "{\"rule\":\"\\u0000\"}"},
		{"block", "{\"rule\":\"\xff\"}"}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_body(f, bad[i][0], bad[i][1]) != STATUS_BAD)
			fail_msg("%s %s was taken", bad[i][0], bad[i][1]);
}

/* Depth that would end a recursive reader. */
static void deep_json(void **state)
{
	enum { DEPTH = 1000000 };
	struct fixture *f = *state;
	char *body = malloc(6 * DEPTH + 1);

	assert_non_null(body);
	for (size_t i = 0; i < DEPTH; i++)
		body[i] = '[';
	body[DEPTH] = '\0';
	assert_int_equal(read_body(f, "attack", body), STATUS_BAD);
	for (size_t i = 0; i < DEPTH; i++)
		memcpy(body + 5 * i, "{\"a\":", 5);
	body[5 * DEPTH] = '\0';
	assert_int_equal(read_body(f, "attack", body), STATUS_BAD);
	assert_null(strchr(err.text, '\n'));
	free(body);
}

/* What would be small in a file and large in memory. */
static void too_long(void **state)
{
	struct fixture *f = *state;
	char *body = malloc(STATEMENT_BYTES + 3), *block = kit_block("drop").body;
	size_t n = strlen(block);

	assert_non_null(body);
	memset(body, ' ', STATEMENT_BYTES + 2);
	memcpy(body, block, n);
	body[STATEMENT_BYTES] = '\0';
	assert_int_equal(read_body(f, "block", body), STATUS_OK);
	body[STATEMENT_BYTES] = ' ';
	body[STATEMENT_BYTES + 1] = '\0';
	assert_int_equal(read_body(f, "block", body), STATUS_BAD);
	free(block);
	free(body);
}

static void too_many_blind_spans(void **state)
{
	struct fixture *f = *state;
	static const struct row blind = {"link", NULL, "blind", 0, {0}};
	char *value = malloc(16 * (STATEMENT_BLIND + 1) + 8), *p = value;
	struct told t = good_body(f, "link");

	assert_non_null(value);
	for (int i = 0; i <= STATEMENT_BLIND; i++)
		p += sprintf(p, "%c[%d,%d]", i ? ',' : '[', 2 * i, 2 * i + 1);
	(void)strcpy(p, "]");
	refused_by_name(f, &blind, t.body, value);
	told_free(&t);
	free(value);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(one_flow_there_and_back), TEST(link_there_and_back),
		TEST(origin_there_and_back), TEST(block_is_read), TEST(search_names_nobody),
		TEST(every_field_counts), TEST(not_a_statement), TEST(deep_json), TEST(too_long),
		TEST(too_many_blind_spans)};

	kit_seed("sessions");
	return cmocka_run_group_tests_name("statement", tests, NULL, NULL);
}
