/* The flow table under load: random traffic against a slow second implementation, a flood of one-packet flows
 * beside long sessions, a million flows at once. */
#include "table_util.h"

#include <time.h>
#include <unistd.h>

#define T0 (INT64_C(1416832224) * 1000000)
#define S  INT64_C(1000000)

/* ---- random traffic against a slow second implementation ---- */

enum { RFLOWS = 24, RBYTES = 40000, RPACKETS = 3000 };

struct event {
	int64_t time_us;
	uint32_t bytes;
};

struct slow {
	bool tcp;
	char a[40], b[40];
	uint32_t isn[2];
	uint8_t seen[2][RBYTES]; /* payload bytes that came */
	uint32_t next[2];        /* where the next new data begins */
	uint64_t packets[2], frame_bytes[2], payload[2];
	struct event *event[2];
	size_t n_event[2];
};

static uint64_t rng_state;

static uint32_t rnd(uint32_t n)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (uint32_t)((rng_state >> 32) * n >> 32);
}

static void slow_event(struct slow *f, int d, int64_t time_us, uint32_t bytes)
{
	if (bytes == 0)
		return;
	f->event[d] = realloc(f->event[d], (f->n_event[d] + 1) * sizeof(struct event));
	f->event[d][f->n_event[d]++] = (struct event){time_us, bytes};
	f->payload[d] += bytes;
}

/* Stretches below the edge that never came.  The table remembers 15 of them. */
static uint32_t slow_holes(const struct slow *f, int d)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < f->next[d]; i++)
		n += f->seen[d][i - 1] && !f->seen[d][i];
	return n + (f->next[d] && !f->seen[d][0]);
}

static struct packet slow_packet(struct slow *f, int d, int64_t now)
{
	uint32_t len = rnd(4) ? 1 + rnd(300) : 0, from, fresh = 0;
	struct packet p;

	if (!f->tcp) {
		p = packet(now, 17, d ? f->b : f->a, d ? f->a : f->b, len);
		slow_event(f, d, now, len);
	} else {
		uint32_t kind = slow_holes(f, d) < 12 ? rnd(10) : 0;
		if (kind < 6)
			from = f->next[d]; /* new */
		else if (kind < 8)
			from = rnd(f->next[d] + 1); /* anything old, or across the edge */
		else if (kind < 9 && f->next[d] > 0)
			from = f->next[d] - 1, len = 1; /* keep-alive */
		else
			from = f->next[d] +
			       (slow_holes(f, d) < 12 ? rnd(400) : 0); /* passes something over */
		if (from + len > RBYTES)
			from = 0;
		for (uint32_t i = from; i < from + len; i++) {
			fresh += !f->seen[d][i];
			f->seen[d][i] = 1;
		}
		if (len && from + len > f->next[d])
			f->next[d] = from + len;
		p = tcp(now, d ? f->b : f->a, d ? f->a : f->b, TCP_ACK, f->isn[d] + 1 + from, f->isn[!d] + 1,
			len);
		slow_event(f, d, now, fresh);
	}
	f->packets[d]++;
	f->frame_bytes[d] += p.frame_len;
	return p;
}

static int event_order(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

static void slow_compare(struct slow *f, const struct got *g, int d)
{
	size_t n = 0, i = 0;

	assert_int_equal(g->count[d].packets, f->packets[d]);
	assert_int_equal(g->count[d].frame_bytes, f->frame_bytes[d]);
	assert_int_equal(g->count[d].payload_bytes, f->payload[d]);
	if (f->n_event[d])
		qsort(f->event[d], f->n_event[d], sizeof(struct event), event_order);
	while (i < f->n_event[d]) {
		uint64_t bytes = 0;
		size_t first = i;
		do
			bytes += f->event[d][i++].bytes;
		while (i < f->n_event[d] &&
			f->event[d][i].time_us - f->event[d][i - 1].time_us < BURST_GAP_RECORDED_US);
		assert_true(n < g->n_burst[d]);
		const struct burst *b = &g->burst[d][n++];
		assert_int_equal(b->start_us, f->event[d][first].time_us);
		assert_int_equal(burst_end(b), f->event[d][i - 1].time_us);
		assert_int_equal(b->packets, i - first);
		assert_int_equal(b->bytes, bytes);
	}
	assert_int_equal(n, g->n_burst[d]);
}

static void slow_begin(struct slow *f, struct table *t, size_t i)
{
	bool six = i % 3 == 0;

	f->tcp = i % 2;
	(void)snprintf(f->a, sizeof(f->a), six ? "[2001:db8::%zx]:%zu" : "10.0.%zu.1:%zu", i, 1000 + i % 3);
	(void)snprintf(f->b, sizeof(f->b), six ? "[2001:db8::ffff]:22" : "10.9.0.1:22");
	f->isn[0] = rnd(3) ? rnd(UINT32_MAX) : UINT32_MAX - rnd(1000);
	f->isn[1] = rnd(3) ? rnd(UINT32_MAX) : UINT32_MAX - rnd(1000);
	if (!f->tcp)
		return;
	for (int d = 0; d < 2; d++) {
		struct packet p = tcp(T0, d ? f->b : f->a, d ? f->a : f->b, d ? TCP_SYN | TCP_ACK : TCP_SYN,
			f->isn[d], d ? f->isn[0] + 1 : 0, 0);
		(void)feed(t, p);
		f->packets[d]++;
		f->frame_bytes[d] += p.frame_len;
	}
}

static const struct got *sink_find(const struct sink *k, const struct slow *f)
{
	struct endpoint a = at(f->a), b = at(f->b);

	for (size_t i = 0; i < k->n; i++)
		for (int d = 0; d < 2; d++)
			if (endpoint_equal(&k->got[i].head.end[d], &a) &&
				endpoint_equal(&k->got[i].head.end[1 - d], &b) &&
				(k->got[i].head.proto == 6) == f->tcp)
				return &k->got[i];
	return NULL;
}

static void run_random(uint64_t seed)
{
	struct sink k = {0};
	struct table *t;
	struct err e = {0};
	struct slow *f = calloc(RFLOWS, sizeof(*f));
	struct packet batch[TABLE_BATCH];
	enum drop why[TABLE_BATCH];
	int64_t now = T0 + S;
	size_t n = 0, used = 0;

	rng_state = seed * 0x9e3779b97f4a7c15U | 1;
	t = table_for(&k, rnd(2) ? 40 : 0);
	for (size_t i = 0; i < RFLOWS; i++)
		slow_begin(&f[i], t, i);
	for (int i = 0; i < RPACKETS; i++) {
		static const uint32_t step[] = {10, 1000, 5000, 30000, 400000};
		now += rnd(step[rnd(5)]);
		int64_t late = rnd(4) ? 0 : rnd(rnd(2) ? 30000 : 900000);
		batch[n++] =
			slow_packet(&f[rnd(RFLOWS)], (int)rnd(2), now - (late < now - T0 - S ? late : 0));
		if (n == TABLE_BATCH || rnd(9) == 0) {
			assert_int_equal(table_packets(t, batch, n, why, &e), STATUS_OK);
			for (size_t j = 0; j < n; j++)
				assert_int_equal(why[j], DROP_NONE);
			n = 0;
		}
		if (rnd(50) == 0)
			assert_int_equal(
				rnd(2) ? table_flush(t, now, &e) : table_expire(t, now, &e), STATUS_OK);
	}
	assert_int_equal(table_packets(t, batch, n, why, &e), STATUS_OK);
	finish(t, &k);
	for (size_t i = 0; i < RFLOWS; i++) {
		const struct got *g = sink_find(&k, &f[i]);
		used += f[i].packets[0] + f[i].packets[1] > 0;
		for (int d = 0; d < 2 && g; d++) {
			struct endpoint a = at(f[i].a);
			int mine = endpoint_equal(&g->head.end[0], &a) ? d : 1 - d;
			slow_compare(&f[i],
				&(struct got){.count = {g->count[mine], g->count[mine]},
					.burst = {g->burst[mine], g->burst[mine]},
					.n_burst = {g->n_burst[mine], g->n_burst[mine]}},
				d);
		}
		free(f[i].event[0]);
		free(f[i].event[1]);
	}
	assert_int_equal(k.n, used);
	free(f);
	sink_free(&k);
}

static void test_random(void **state)
{
	const char *fixed = getenv("WEIR_SEED");
	uint64_t seed = fixed ? strtoull(fixed, NULL, 10) : (uint64_t)time(NULL) * 1000;

	(void)state;
	print_message("# random traffic: WEIR_SEED=%llu and the next\n", (unsigned long long)seed);
	for (uint64_t i = 0; i < 40; i++)
		run_random(seed + i);
}

/* ---- flood ---- */

/* Sanitizers keep freed memory: what is resident says nothing there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static size_t resident_kb(void)
{
	long pages = 0, all = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%ld %ld", &all, &pages) != 2)
		pages = 0;
	(void)fclose(f);
	return (size_t)(pages * (sysconf(_SC_PAGESIZE) / 1024));
}

struct flood_sink {
	uint64_t chunks, session_packets, session_chunks;
	struct id first[1000]; /* id of each session */
	bool split;
};

static enum status flood_emit(void *self, const struct chunk *c, struct err *e)
{
	struct flood_sink *k = self;

	(void)e;
	k->chunks++;
	if (c->head.end[1].port != 22)
		return STATUS_OK;
	struct id *id = &k->first[c->head.end[0].port - 10000];
	if (memcmp(id, &(struct id){{0}}, sizeof(*id)) == 0)
		*id = c->head.id;
	k->split = k->split || memcmp(id, &c->head.id, sizeof(*id)) != 0;
	k->session_chunks++;
	k->session_packets += c->count[0].packets + c->count[1].packets;
	return STATUS_OK;
}

static void flood(uint64_t packets, size_t max_flows)
{
	struct flood_sink k = {0};
	struct table_param param = {
		.point = "x", .emit = flood_emit, .self = &k, .max_flows = max_flows, .seed = 5};
	struct packet p = packet(T0, 17, "192.0.2.1:1", "192.0.2.2:53", 40), s[2];
	struct table *t;
	struct err e = {0};
	size_t at_half = 0, at_end;
	enum drop why;

	s[0] = packet(T0, 17, "198.51.100.1:10000", "192.0.2.10:22", 30);
	s[1] = packet(T0, 17, "192.0.2.10:22", "198.51.100.1:10000", 30);
	assert_int_equal(table_new(&t, &param, &e), STATUS_OK);
	uint64_t sent = 0;
	for (uint64_t i = 0; i < packets; i++) {
		int64_t now = T0 + (int64_t)i;
		if (i % 100 == 0 || i < 8000) { /* a packet of a session */
			uint64_t who = sent % 1000, d = sent / 1000 % 2;
			s[d].time_us = now;
			s[d].digest++;
			s[d].ip_id++;
			s[0].src.port = s[1].dst.port = (uint16_t)(10000 + who);
			assert_int_equal(table_packet(t, &s[d], &why, &e), STATUS_OK);
			assert_int_equal(why, DROP_NONE);
			sent++;
		}
		p.time_us = now;
		p.src.ip.b[0] = 10;
		p.src.ip.b[1] = (uint8_t)(i >> 16);
		p.src.ip.b[2] = (uint8_t)(i >> 8);
		p.src.ip.b[3] = (uint8_t)i;
		p.src.port = (uint16_t)(1024 + (i >> 24));
		p.digest = (uint32_t)i;
		assert_int_equal(table_packet(t, &p, &why, &e), STATUS_OK);
		if (i % 500000 == 0)
			assert_int_equal(table_expire(t, now, &e), STATUS_OK);
		if (i == packets / 2)
			at_half = resident_kb();
	}
	at_end = resident_kb();
	assert_true(table_stat(t)->open <= max_flows);
	assert_true(table_stat(t)->given_up >= packets - max_flows);
	assert_int_equal(table_close(t, &e), STATUS_OK);
	assert_false(k.split);
	assert_int_equal(k.session_packets, sent);
	print_message("# %llu one-packet flows beside 1000 sessions, room for %zu: %llu chunks, resident %zu "
		      "kB at half, "
		      "%zu kB at the end\n",
		(unsigned long long)packets, max_flows, (unsigned long long)k.chunks, at_half, at_end);
	if (!SANITIZED)
		assert_true(at_end <= at_half + 2048);
}

static void test_flood(void **state)
{
	(void)state;
	flood(getenv("WEIR_SOAK") ? 10000000 : 1000000, 20000);
}

/* A million flows open at once, each with bursts that wait. */
static void test_memory(void **state)
{
	enum { FLOWS = 1000000 };
	struct flood_sink k = {0};
	struct table_param param = {.point = "x", .emit = flood_emit, .self = &k, .seed = 5};
	struct packet p = packet(T0, 17, "192.0.2.1:1", "192.0.2.2:53", 40);
	size_t before = resident_kb();
	struct table *t;
	struct err e = {0};
	enum drop why;

	(void)state;
	assert_int_equal(table_new(&t, &param, &e), STATUS_OK);
	for (int round = 0; round < 6; round++)
		for (uint32_t i = 0; i < FLOWS; i++) {
			p.time_us = T0 + round * S + i / 4;
			p.src.ip.b[1] = (uint8_t)(i >> 16);
			p.src.ip.b[2] = (uint8_t)(i >> 8);
			p.src.ip.b[3] = (uint8_t)i;
			p.digest++;
			assert_int_equal(table_packet(t, &p, &why, &e), STATUS_OK);
		}
	size_t each = (resident_kb() - before) * 1024 / FLOWS;
	assert_int_equal(table_stat(t)->open, FLOWS);
	assert_int_equal(table_stat(t)->given_up, 0);
	print_message("# a million flows with six bursts each: %zu bytes a flow\n", each);
	if (!SANITIZED)
		assert_true(each < 500);
	assert_int_equal(table_close(t, &e), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
