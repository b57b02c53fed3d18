/* Parts to flows: what is joined, what is not, and that nothing counts twice; coverage and blind spans
 * against a bitmap. */
#include "store_kit.h"

#define T0 INT64_C(1416441600000000)

/* A chunk of n bursts, one every 200 ms from `from` on, in direction 0; one packet of 100 bytes each. */
struct made {
	struct burst burst[64];
	struct chunk c;
};

static void make(
	struct made *m, uint8_t id, uint8_t proto, uint8_t flags, uint32_t isn0, int64_t from, size_t n)
{
	memset(m, 0, sizeof(*m));
	memset(&m->c.head.id, id, sizeof(m->c.head.id));
	m->c.head.point = "edge";
	m->c.head.proto = proto;
	m->c.head.flags = flags;
	m->c.head.isn[0] = isn0;
	m->c.head.end[0] = (struct endpoint){kit_ip(1), 40000};
	m->c.head.end[1] = (struct endpoint){kit_ip(2), 22};
	m->c.head.first_us = from;
	m->c.head.source = (struct source){.resolution_us = 1, .sampling = 1, .gap_us = 20000};
	for (size_t i = 0; i < n; i++)
		m->burst[i] = (struct burst){from + (int64_t)i * 200000, 0, 1, 100};
	m->c.burst[0] = m->burst;
	m->c.n_burst[0] = n;
	m->c.count[0] = (struct flow_count){n, 166 * n, 100 * n, from, from + (int64_t)(n - 1) * 200000};
	m->c.count[1] = (struct flow_count){.first_us = 0, .last_us = -1};
}

static void swap(struct chunk *c)
{
	struct endpoint e = c->head.end[0];

	c->head.end[0] = c->head.end[1];
	c->head.end[1] = e;
	c->burst[1] = c->burst[0];
	c->n_burst[1] = c->n_burst[0];
	c->count[1] = c->count[0];
	c->burst[0] = NULL;
	c->n_burst[0] = 0;
	c->count[0] = (struct flow_count){.first_us = 0, .last_us = -1};
}

/* Writes each chunk by a writer of its own and reads what became of them. */
static void store_and_read(struct recording *r, char *dir, struct made *m, size_t n)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		struct store_writer *s = kit_writer(dir);
		assert_int_equal(store_append(s, &m[i].c, &e), STATUS_OK);
		kit_close(s);
	}
	kit_read(r, dir, &(struct store_query){.gap_us = 20000});
}

struct join_case {
	const char *what;
	uint8_t proto, flags[2];
	uint32_t isn[2];
	int64_t pause_s;
	bool swapped;
	size_t flows; /* expected */
};

static const struct join_case cases[] = {
	{"tcp goes on without a SYN of its own", 6, {FLOW_SYN, FLOW_ASSUMED}, {5, 0}, 100, false, 1},
	{"both assumed", 6, {FLOW_ASSUMED, FLOW_ASSUMED}, {0, 0}, 100, false, 1},
	{"the other end speaks first after the cut", 6, {FLOW_SYN, FLOW_ASSUMED}, {5, 0}, 100, true, 1},
	{"a pause of an hour", 6, {FLOW_SYN, FLOW_ASSUMED}, {5, 0}, 3600, false, 2},
	{"a pause just below", 6, {FLOW_SYN, FLOW_ASSUMED}, {5, 0}, 3598, false, 1},
	{"a SYN of its own", 6, {FLOW_SYN, FLOW_SYN}, {5, 6}, 10, false, 2},
	{"the same SYN again", 6, {FLOW_SYN, FLOW_SYN}, {5, 5}, 10, false, 1},
	{"a SYN after a flow whose beginning was not seen", 6, {FLOW_ASSUMED, FLOW_SYN}, {0, 6}, 10, false,
		2},
	{"stray packets after the end", 6, {FLOW_SYN | FLOW_CLOSED, FLOW_ASSUMED}, {5, 0}, 60, false, 1},
	{"the ports are used again", 6, {FLOW_SYN | FLOW_CLOSED, FLOW_ASSUMED}, {5, 0}, 300, false, 2},
	{"cut between SYN and SYN+ACK", 6, {FLOW_SYN, FLOW_SYNACK}, {5, 0}, 1, false, 1},
	{"udp goes on", 17, {FLOW_ASSUMED, FLOW_ASSUMED}, {0, 0}, 590, false, 1},
	{"udp after ten minutes", 17, {FLOW_ASSUMED, FLOW_ASSUMED}, {0, 0}, 600, false, 2},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct join_case *k = &cases[i];
		struct made m[2];
		struct recording r;
		for (int order = 0; order < 2; order++) { /* the files come in any order */
			char *dir = kit_dir();
			int first = order, second = 1 - order;
			make(&m[first], 1, k->proto, k->flags[0], k->isn[0], T0, 5);
			make(&m[second], 2, k->proto, k->flags[1], k->isn[1],
				T0 + 800000 + k->pause_s * SECOND_US, 5);
			if (k->swapped)
				swap(&m[second].c);
			store_and_read(&r, dir, m, 2);
			if (r.n_flow != k->flows)
				fail_msg("%s: %zu flows", k->what, r.n_flow);
			if (k->flows == 1) {
				assert_int_equal(r.flow[0].head.id.b[0], 1); /* the earliest wins */
				assert_int_equal(r.flow[0].n_alias, 1);
				assert_int_equal(r.flow[0].alias[0].b[0], 2);
				assert_int_equal(r.flow[0].n_burst[0], 10);
				assert_int_equal(r.flow[0].count[0].packets, 10);
				assert_int_equal(r.flow[0].count[0].first_us, T0);
			}
			recording_free(&r);
			kit_dir_free(dir);
		}
	}
}

/* A flow is found by the id of a part of it, and by a time in which only one part lies, and always comes
 * whole. */
static void test_whole(void **state)
{
	char *dir = kit_dir();
	struct made m[3];
	struct recording r;
	char id[ID_TEXT];

	(void)state;
	for (int i = 0; i < 3; i++)
		make(&m[i], (uint8_t)(i + 1), 6, i ? FLOW_ASSUMED : FLOW_SYN, 5, T0 + i * 100 * SECOND_US, 5);
	store_and_read(&r, dir, m, 3);
	recording_free(&r);
	for (int i = 0; i < 3; i++) {
		kit_read(&r, dir, &(struct store_query){.id = id_text(id, &m[i].c.head.id)});
		assert_int_equal(r.n_flow, 1);
		assert_int_equal(r.flow[0].head.id.b[0], 1);
		assert_int_equal(r.flow[0].n_burst[0], 15);
		recording_free(&r);
		int64_t at = T0 + i * 100 * SECOND_US;
		kit_read(&r, dir, &(struct store_query){.since = {at}, .until = {at + 1000}});
		assert_int_equal(r.n_flow, 1);
		assert_int_equal(r.flow[0].n_burst[0], 15);
		assert_int_equal(r.flow[0].count[0].packets, 15);
		recording_free(&r);
	}
	kit_read(&r, dir, &(struct store_query){.since = {T0 + 300 * SECOND_US}, .until = WALL_END});
	assert_int_equal(r.n_flow, 0);
	recording_free(&r);
	kit_dir_free(dir);
}

/* A flow that was recorded twice, cut at other places by the two recorders: nothing is there twice. */
static void test_overlap(void **state)
{
	(void)state;
	kit_seed("overlap");
	for (int round = 0; round < 200; round++) {
		char *dir = kit_dir();
		struct true_flow f;
		struct recording r;
		struct store_query q = {.gap_us = (int64_t)(20000 + kit_rnd(200000))};
		do
			kit_flow(&f, 1);
		while (f.n[0] + f.n[1] == 0);
		for (int w = 0; w < 2 + round % 2; w++) {
			struct store_writer *s = kit_writer(dir);
			size_t parts = 1 + kit_rnd(5);
			for (size_t i = 0; i < parts; i++)
				kit_append(s, &f, i, parts);
			kit_close(s);
		}
		kit_read(&r, dir, &q);
		assert_int_equal(r.n_flow, 1);
		for (int d = 0; d < 2; d++) {
			struct burst merged[TRUE_BURSTS];
			size_t n = kit_merged(merged, &f, d, q.gap_us);
			assert_int_equal(r.flow[0].n_burst[d], n);
			for (size_t i = 0; i < n; i++)
				assert_memory_equal(&merged[i], &r.flow[0].burst[d][i], sizeof(merged[i]));
		}
		recording_free(&r);
		kit_dir_free(dir);
	}
}

/* A burst that one writer cut at a flush is one burst; of two writers that cut it elsewhere, too. */
static void test_cut(void **state)
{
	char *dir = kit_dir();
	struct recording r;
	struct made m[2];
	struct err e;

	(void)state;
	for (int w = 0; w < 2;
		w++) { /* a second of packets 10 ms apart, cut at another place by each writer */
		struct store_writer *s = kit_writer(dir);
		size_t cut = w ? 30 : 64;
		for (size_t from = 0; from < 100; from += cut) {
			size_t n = from + cut < 100 ? cut : 100 - from;
			make(&m[0], 1, 6, FLOW_SYN, 5, T0 + (int64_t)from * 10000, 1);
			m[0].burst[0].dur_us = (uint32_t)(n - 1) * 10000;
			m[0].burst[0].packets = (uint32_t)n;
			m[0].burst[0].bytes = 100 * n;
			m[0].c.count[0] = (struct flow_count){n, 166 * n, 100 * n, T0 + (int64_t)from * 10000,
				T0 + (int64_t)(from + n - 1) * 10000};
			m[0].c.head.first_us = T0;
			assert_int_equal(store_append(s, &m[0].c, &e), STATUS_OK);
		}
		kit_close(s);
		kit_read(&r, dir, &(struct store_query){.gap_us = 20000});
		assert_int_equal(r.n_flow, 1);
		assert_int_equal(r.flow[0].n_burst[0], 1);
		assert_int_equal(r.flow[0].burst[0][0].dur_us, 990000);
		assert_int_equal(r.flow[0].burst[0][0].packets, 100);
		assert_int_equal(r.flow[0].burst[0][0].bytes, 10000);
		assert_int_equal(r.flow[0].count[0].packets, 100);
		assert_int_equal(r.flow[0].count[0].payload_bytes, 10000);
		recording_free(&r);
	}
	kit_dir_free(dir);
}

/* A burst of more than 71 minutes does not fit its field: it is not made. */
static void test_long(void **state)
{
	char *dir = kit_dir();
	struct store_writer *s = kit_writer(dir);
	struct recording r;
	struct made m;
	struct err e;

	(void)state;
	for (int i = 0; i < 3; i++) {
		make(&m, 1, 17, FLOW_ASSUMED, 0, T0 + i * 3000 * SECOND_US, 1);
		m.burst[0].dur_us = 3000000000U - 1000;
		m.c.count[0].last_us = burst_end(&m.burst[0]);
		assert_int_equal(store_append(s, &m.c, &e), STATUS_OK);
	}
	kit_close(s);
	kit_read(&r, dir, &(struct store_query){0});
	assert_int_equal(r.n_flow, 1);
	assert_int_equal(r.flow[0].n_burst[0], 3);
	assert_int_equal(r.flow[0].count[0].packets, 3);
	recording_free(&r);
	kit_dir_free(dir);
}

/* ---- coverage ---- */

enum { TICKS = 300 };

static void test_coverage(void **state)
{
	(void)state;
	kit_seed("coverage");
	for (int round = 0; round < 300; round++) {
		char *dir = kit_dir();
		bool covered[2][TICKS] = {{false}}, blind[2][TICKS] = {{false}};
		struct recording r;
		struct err e;
		for (int w = 0; w < 2; w++) {
			struct store_writer *s = kit_writer(dir);
			for (uint64_t n = kit_rnd(8); n > 0; n--) {
				size_t p = kit_rnd(2), from = kit_rnd(TICKS),
				       to = from + kit_rnd(TICKS - from) + 1;
				struct coverage c = {p ? "core" : "edge",
					{T0 + (int64_t)from, T0 + (int64_t)to}, kit_rnd(3) == 0, 0};
				assert_int_equal(store_cover(s, &c, &e), STATUS_OK);
				if (kit_rnd(3) == 0)
					assert_int_equal(store_flush(s, false, &e), STATUS_OK);
				for (size_t i = from; i < to; i++)
					(c.blind ? blind : covered)[p][i] = true;
			}
			kit_close(s);
		}
		kit_read(&r, dir, &(struct store_query){0});
		for (size_t i = 1; i < r.n_coverage; i++)
			assert_true(strcmp(r.coverage[i - 1].point, r.coverage[i].point) <= 0);
		for (size_t i = 0; i < r.n_coverage; i++)
			for (size_t k = i + 1; k < r.n_coverage; k++)
				if (!r.coverage[i].blind && !r.coverage[k].blind &&
					strcmp(r.coverage[i].point, r.coverage[k].point) == 0)
					assert_true(r.coverage[i].span.to_us < r.coverage[k].span.from_us);
		for (size_t p = 0; p < 2; p++) {
			size_t from = kit_rnd(TICKS), to = from + kit_rnd(TICKS - from) + 1, n;
			struct span *s = recording_blind(&r, p ? "core" : "edge",
				(struct span){T0 + (int64_t)from, T0 + (int64_t)to}, &n);
			assert_non_null(s);
			for (size_t i = from; i < to; i++) {
				bool in = false;
				for (size_t k = 0; k < n; k++)
					in = in || (s[k].from_us <= T0 + (int64_t)i &&
							   T0 + (int64_t)i < s[k].to_us);
				assert_int_equal(in, !covered[p][i] || blind[p][i]);
			}
			for (size_t k = 1; k < n; k++)
				assert_true(s[k - 1].to_us < s[k].from_us);
		}
		recording_free(&r);
		kit_dir_free(dir);
	}
}

static void test_lost(void **state)
{
	char *dir = kit_dir();
	struct store_writer *s = kit_writer(dir);
	struct recording r;
	struct err e;
	const struct coverage c[] = {{"edge", {T0, T0 + 100}, false, 0},
		{"edge", {T0 + 10, T0 + 30}, true, 5}, {"edge", {T0 + 10, T0 + 30}, true, 5},
		{"edge", {T0 + 20, T0 + 40}, true, 3}};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(store_cover(s, &c[i], &e), STATUS_OK);
	kit_close(s);
	kit_read(&r, dir, &(struct store_query){0});
	assert_int_equal(r.n_coverage, 2);
	assert_true(r.coverage[1].blind);
	assert_int_equal(r.coverage[1].lost, 8); /* the same record twice counts once */
	assert_int_equal(r.coverage[1].span.to_us, T0 + 40);
	recording_free(&r);
	kit_dir_free(dir);
}

/* ---- what is known already ---- */

/* Against every chunk looked at one by one. */
static void test_known(void **state)
{
	enum { N = 60 };
	struct true_flow *f = calloc(N, sizeof(*f));

	(void)state;
	kit_seed("known");
	assert_non_null(f);
	for (int round = 0; round < 20; round++) {
		char *dir = kit_dir();
		struct store_writer *s = kit_writer(dir);
		struct store_known *k;
		struct err e;
		struct span within = {T0 + (int64_t)kit_rnd(3600) * SECOND_US, 0};
		within.to_us = within.from_us + (int64_t)kit_rnd(600) * SECOND_US;
		for (size_t i = 0; i < N; i++) {
			kit_flow(&f[i], i);
			kit_append(s, &f[i], 0, 1);
			if (kit_rnd(7) == 0)
				assert_int_equal(store_flush(s, false, &e), STATUS_OK);
		}
		kit_close(s);
		assert_int_equal(store_known_open(&k, &world_real, dir, "edge", within, &e), STATUS_OK);
		for (size_t i = 0; i < N; i++) {
			struct chunk c;
			kit_chunk(&c, &f[i], 0, 1);
			int64_t from = INT64_MAX, to = INT64_MIN;
			for (int d = 0; d < 2; d++) {
				if (c.count[d].first_us > c.count[d].last_us)
					continue;
				from = c.count[d].first_us < from ? c.count[d].first_us : from;
				to = c.count[d].last_us > to ? c.count[d].last_us : to;
			}
			bool there = strcmp(c.head.point, "edge") == 0 && from <= within.to_us &&
				     to >= within.from_us;
			for (int d = 0; d < 2; d++) {
				size_t n;
				const struct span *x = store_known_get(
					k, c.head.vlan, c.head.proto, &c.head.end[d], &c.head.end[1 - d], &n);
				if (!there || c.count[d].first_us > c.count[d].last_us) {
					assert_int_equal(n, 0);
					continue;
				}
				assert_int_equal(n, 1);
				assert_int_equal(x[0].from_us, c.count[d].first_us);
				assert_int_equal(x[0].to_us, c.count[d].last_us);
			}
		}
		store_known_free(k);
		kit_dir_free(dir);
	}
	free(f);
}

/* Extents of one direction that overlap or touch are one, others stay apart. */
static void test_known_runs(void **state)
{
	static const int64_t at[][2] = {{0, 100}, {100, 200}, {50, 60}, {300, 400}, {401, 500}};
	static const struct span expected[] = {{T0, T0 + 200}, {T0 + 300, T0 + 400}, {T0 + 401, T0 + 500}};
	char *dir = kit_dir();
	struct store_writer *s = kit_writer(dir);
	struct store_known *k;
	struct made m;
	struct err e;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		make(&m, 1, 6, FLOW_SYN, 5, T0, 1);
		m.c.n_burst[0] = 0;
		m.c.count[0].first_us = T0 + at[i][0];
		m.c.count[0].last_us = T0 + at[i][1];
		assert_int_equal(store_append(s, &m.c, &e), STATUS_OK);
	}
	kit_close(s);
	assert_int_equal(
		store_known_open(&k, &world_real, dir, "edge", (struct span){T0, T0 + 1000}, &e), STATUS_OK);
	const struct span *x = store_known_get(k, 0, 6, &m.c.head.end[0], &m.c.head.end[1], &n);
	assert_int_equal(n, 3);
	assert_memory_equal(x, expected, sizeof(expected));
	assert_null(store_known_get(k, 0, 6, &m.c.head.end[1], &m.c.head.end[0], &n));
	assert_int_equal(n, 0);
	assert_null(store_known_get(k, 1, 6, &m.c.head.end[0], &m.c.head.end[1], &n));
	store_known_free(k);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_known_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
