/* The pipeline from a capture file to the store: nothing twice, the capture's clock, blind stretches,
 * filters, bad files, and a disk that fails at the Nth write. */
#include "store_kit.h"

#include "record/record.h"

#define T0 (INT64_C(1416832224) * 1000000)
#define MS INT64_C(1000)
#define S  INT64_C(1000000)

/* ---- captures by hand: raw IPv4, UDP ---- */

struct cap {
	uint8_t *p;
	size_t n;
	uint16_t ip_id;
};

static void cap_put(struct cap *c, const void *p, size_t n)
{
	c->p = realloc(c->p, c->n + n);
	assert_non_null(c->p);
	memcpy(c->p + c->n, p, n);
	c->n += n;
}

static void cap_begin(struct cap *c)
{
	const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 101};

	*c = (struct cap){0};
	cap_put(c, head, sizeof(head));
}

/* 10.0.0.host:port > 192.0.2.1:53, or back. */
static void cap_udp(struct cap *c, int64_t time_us, uint8_t host, bool back, uint16_t payload)
{
	uint8_t f[28 + 1500] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0};
	const uint8_t a[4] = {10, 0, 0, host}, b[4] = {192, 0, 2, 1};
	uint32_t total = 28U + payload;
	uint32_t head[4] = {(uint32_t)(time_us / S), (uint32_t)(time_us % S), total, total};

	f[2] = (uint8_t)(total >> 8), f[3] = (uint8_t)total;
	c->ip_id++;
	f[4] = (uint8_t)(c->ip_id >> 8), f[5] = (uint8_t)c->ip_id;
	memcpy(f + (back ? 16 : 12), a, 4);
	memcpy(f + (back ? 12 : 16), b, 4);
	f[back ? 22 : 20] = 0x10, f[back ? 23 : 21] = host;
	f[back ? 21 : 23] = 53;
	f[24] = (uint8_t)((8U + payload) >> 8), f[25] = (uint8_t)(8U + payload);
	cap_put(c, head, sizeof(head));
	cap_put(c, f, total);
}

static char *cap_save(struct cap *c, const char *dir, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	kit_spill(path, c->p, c->n);
	free(c->p);
	*c = (struct cap){0};
	return path;
}

/* ---- running ---- */

struct bed {
	char *dir, *data;
	struct record_param p;
};

static void bed_make(struct bed *b)
{
	b->dir = kit_dir();
	assert_true(asprintf(&b->data, "%s/data", b->dir) > 0);
	b->p = (struct record_param){.dir = b->data, .point = "here"};
}

static void bed_free(struct bed *b)
{
	free(b->data);
	kit_dir_free(b->dir);
}

static enum status record_to(struct bed *b, const struct world *w, const char *path, struct record_sum *sum)
{
	struct err e = {0};

	*sum = (struct record_sum){0};
	kit_quiet();
	enum status st = record_file(w, &b->p, path, sum, &e);
	kit_loud();
	if (st != STATUS_OK)
		assert_true(e.text[0] != '\0');
	return st;
}

static struct record_sum record(struct bed *b, struct cap *c)
{
	struct record_sum sum;
	char *path = cap_save(c, b->dir, "x.pcap");

	assert_int_equal(record_to(b, &world_real, path, &sum), STATUS_OK);
	free(path);
	return sum;
}

struct total {
	uint64_t flows, packets, bytes, bursts;
};

static struct total totals(const char *dir)
{
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1, .gap_us = 20000};
	struct total t = {0};
	struct recording r;

	kit_read(&r, dir, &q);
	t.flows = r.n_flow;
	for (size_t i = 0; i < r.n_flow; i++)
		for (int d = 0; d < 2; d++) {
			t.packets += r.flow[i].count[d].packets;
			t.bytes += r.flow[i].count[d].frame_bytes;
			t.bursts += r.flow[i].n_burst[d];
		}
	recording_free(&r);
	return t;
}

/* Packets from..to-1 of a traffic of several hosts over some minutes. */
static void traffic(struct cap *c, int from, int to)
{
	cap_begin(c);
	for (int i = 0; i < to; i++) {
		size_t n = c->n;
		cap_udp(c, T0 + i * 37 * MS, (uint8_t)(1 + i % 7), i % 3 == 0, (uint16_t)(20 + i % 100));
		if (i < from)
			c->n = n;
	}
}

static void test_nothing_twice(void **state)
{
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	traffic(&c, 0, 3000);
	struct record_sum s = record(&b, &c);
	assert_int_equal(s.packets, 3000);
	assert_int_equal(s.flows, 7);
	assert_int_equal(s.from_us, T0);
	assert_int_equal(s.to_us, T0 + 2999 * 37 * MS);
	struct total one = totals(b.data), two;
	assert_int_equal(one.packets, 3000);
	assert_int_equal(one.bytes, s.bytes);
	assert_int_equal(one.bursts, s.bursts);
	/* The same again. */
	traffic(&c, 0, 3000);
	s = record(&b, &c);
	assert_int_equal(s.packets, 0);
	assert_int_equal(s.flows, 0);
	assert_true(s.from_us > s.to_us);
	assert_int_equal(s.skipped[DROP_RECORDED], 3000);
	two = totals(b.data);
	assert_memory_equal(&one, &two, sizeof(one));
	bed_free(&b);
}

static void test_overlap(void **state)
{
	struct bed b;
	struct cap c;
	struct total whole, parts;

	(void)state;
	bed_make(&b);
	traffic(&c, 0, 3000);
	(void)record(&b, &c);
	whole = totals(b.data);
	bed_free(&b);
	/* The middle first, then what reaches over both its ends. */
	bed_make(&b);
	traffic(&c, 1000, 2000);
	assert_int_equal(record(&b, &c).packets, 1000);
	traffic(&c, 0, 1500);
	assert_int_equal(record(&b, &c).packets, 1000);
	traffic(&c, 900, 3000);
	struct record_sum s = record(&b, &c);
	assert_int_equal(s.packets, 1000);
	assert_int_equal(s.skipped[DROP_RECORDED], 1100);
	parts = totals(b.data);
	assert_int_equal(parts.packets, whole.packets);
	assert_int_equal(parts.bytes, whole.bytes);
	bed_free(&b);
}

static void test_stray_times(void **state)
{
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	cap_begin(&c);
	cap_udp(&c, 5, 1, false, 10); /* the first of all, of 1970 */
	for (int i = 0; i < 10; i++)
		cap_udp(&c, T0 + i * MS, 1, false, 10);
	cap_udp(&c, T0 + 20 * 366 * 86400 * S, 1, false, 10); /* ahead */
	for (int i = 0; i < 10; i++)
		cap_udp(&c, T0 + S + i * MS, 1, false, 10);
	cap_udp(&c, 7 * S, 1, false, 10); /* and back */
	cap_udp(&c, T0 + 2 * S, 1, false, 10);
	cap_udp(&c, T0 + 2 * S - 900 * MS, 1, false, 10); /* late, but not by much */
	cap_udp(&c, T0 + 3 * 86400 * S, 1, false, 10);    /* the last of all */
	struct record_sum s = record(&b, &c);
	assert_int_equal(s.packets, 22);
	assert_int_equal(s.skipped[DROP_TIME], 4);
	assert_int_equal(s.clock_steps, 0);
	assert_int_equal(totals(b.data).flows, 1);
	bed_free(&b);
}

static void test_few_records(void **state)
{
	for (int n = 1; n <= 3; n++) {
		struct bed b;
		struct cap c;

		(void)state;
		bed_make(&b);
		cap_begin(&c);
		for (int i = 0; i < n; i++)
			cap_udp(&c, T0 + i * 2 * 86400 * S, 1, false, 10); /* two days apart */
		struct record_sum s = record(&b, &c);
		assert_int_equal(s.packets, n);
		assert_int_equal(s.skipped[DROP_TIME], 0);
		bed_free(&b);
	}
}

static void test_odd_dates(void **state)
{
	static const int64_t when[] = {1000, INT64_C(4102444800) * 1000000};

	for (size_t k = 0; k < 2; k++) {
		struct bed b;
		struct cap c;

		(void)state;
		bed_make(&b);
		for (int twice = 0; twice < 2; twice++) {
			cap_begin(&c);
			for (int i = 0; i < 100; i++)
				cap_udp(&c, when[k] + i * 300 * MS, 1, false, 10);
			struct record_sum s = record(&b, &c);
			assert_int_equal(s.packets, twice ? 0 : 100);
			assert_int_equal(s.skipped[DROP_TIME], 0);
		}
		struct total t = totals(b.data);
		assert_int_equal(t.packets, 100);
		assert_int_equal(t.bursts, 100);
		bed_free(&b);
	}
}

static bool blind_at(struct recording *r, int64_t from_us, int64_t to_us)
{
	size_t n = 0;
	struct span *s = recording_blind(r, "here", (struct span){from_us, to_us}, &n);

	(void)s;
	return n > 0;
}

static void test_steps(void **state)
{
	/* A jump back of ten seconds; one of a year ahead; one of a year back. */
	static const int64_t begin[] = {0, -5 * 1000000, INT64_C(31536000) * 1000000, -60 * 1000000};
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1};
	struct recording r;
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	for (int twice = 0; twice < 2; twice++) {
		cap_begin(&c);
		for (size_t k = 0; k < 4; k++)
			for (int i = 0; i < 100; i++)
				cap_udp(&c, T0 + begin[k] + i * 50 * MS, (uint8_t)(k + 1), false, 10);
		struct record_sum s = record(&b, &c);
		assert_int_equal(s.packets, twice ? 0 : 400);
		assert_int_equal(s.clock_steps, 3);
		assert_int_equal(s.skipped[DROP_TIME], 0);
	}
	kit_read(&r, b.data, &q);
	assert_int_equal(r.n_flow, 4);
	assert_true(blind_at(&r, T0 - 5 * S, T0 + 5 * S));     /* seen under two clocks */
	assert_true(blind_at(&r, T0 + 100 * S, T0 + 200 * S)); /* not seen at all */
	assert_false(blind_at(&r, T0 - 59 * S, T0 - 57 * S));  /* seen once */
	assert_false(blind_at(&r, T0 + begin[2] + S, T0 + begin[2] + 3 * S));
	recording_free(&r);
	bed_free(&b);
}

static void test_covered(void **state)
{
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .port = -1};
	struct recording r;
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	traffic(&c, 0, 1000);
	(void)record(&b, &c);
	kit_read(&r, b.data, &q);
	assert_false(blind_at(&r, T0, T0 + 999 * 37 * MS + 1));
	assert_true(blind_at(&r, T0 - S, T0 + S));
	assert_true(blind_at(&r, T0 + 999 * 37 * MS, T0 + 1000 * 37 * MS));
	recording_free(&r);
	bed_free(&b);
}

static void test_filters(void **state)
{
	struct prefix never[2];
	struct record_sum s;
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	assert_true(prefix_parse(&never[0], "10.0.0.1"));
	assert_true(prefix_parse(&never[1], "2001:db8::/32"));
	b.p.never = never;
	b.p.n_never = 2;
	b.p.filter = "not host 10.0.0.2";
	traffic(&c, 0, 700);
	s = record(&b, &c);
	assert_int_equal(s.packets, 500);
	assert_int_equal(s.skipped[DROP_NEVER], 100);
	assert_int_equal(s.skipped[DROP_FILTER], 100);
	b.p.filter = "this is no filter";
	traffic(&c, 0, 7);
	char *path = cap_save(&c, b.dir, "y.pcap");
	assert_int_equal(record_to(&b, &world_real, path, &s), STATUS_BAD);
	free(path);
	bed_free(&b);
}

static void test_bad_files(void **state)
{
	struct record_sum s;
	struct bed b;
	struct cap c;
	char *path;

	(void)state;
	bed_make(&b);
	assert_int_equal(record_to(&b, &world_real, "/nonexistent.pcap", &s), STATUS_BAD);
	c = (struct cap){0};
	cap_put(&c, "this is not a capture at all", 28);
	path = cap_save(&c, b.dir, "none");
	assert_int_equal(record_to(&b, &world_real, path, &s), STATUS_BAD);
	free(path);
	traffic(&c, 0, 100);
	c.n -= 10;
	s = record(&b, &c);
	assert_int_equal(s.packets, 99);
	assert_int_equal(s.skipped[DROP_TRUNCATED], 1);
	/* A link type that nobody knows: nothing counted, and that is said. */
	traffic(&c, 0, 5);
	c.p[20] = 0xe7, c.p[21] = 3;
	s = record(&b, &c);
	assert_int_equal(s.packets, 0);
	assert_int_equal(s.skipped[DROP_LINKTYPE], 5);
	assert_int_equal(totals(b.data).packets, 99);
	bed_free(&b);
}

static void test_bounded(void **state)
{
	struct record_sum s;
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	b.p.max_flows = 20;
	cap_begin(&c);
	for (int i = 0; i < 200; i++)
		cap_udp(&c, T0 + i * MS, (uint8_t)i, false, 10);
	s = record(&b, &c);
	assert_int_equal(s.packets, 200);
	assert_int_equal(s.flows, 200);
	assert_int_equal(s.skipped[DROP_TABLE], 180);
	assert_int_equal(totals(b.data).packets, 200); /* what was given up was handed out */
	bed_free(&b);
}

static void test_stop(void **state)
{
	volatile int stop = 1;
	struct record_sum s;
	struct bed b;
	struct cap c;

	(void)state;
	bed_make(&b);
	b.p.stop = &stop;
	traffic(&c, 0, 100);
	s = record(&b, &c);
	assert_int_equal(s.packets, 0);
	bed_free(&b);
}

/* ---- a disk that fails ---- */

struct failing {
	long left; /* operations until one fails; from then on all do */
};

static bool fails(void *self)
{
	struct failing *f = self;

	errno = ENOSPC;
	return f->left <= 0 || --f->left == 0;
}

static ssize_t fail_write(void *self, int fd, const void *p, size_t n)
{
	return fails(self) ? -1 : world_real.write(NULL, fd, p, n);
}

static int fail_open(void *self, const char *path, int flags, mode_t mode)
{
	return (flags & O_CREAT) && fails(self) ? -1 : world_real.open(NULL, path, flags, mode);
}

static int fail_fsync(void *self, int fd)
{
	return fails(self) ? -1 : world_real.fsync(NULL, fd);
}

static int fail_rename(void *self, const char *from, const char *to)
{
	return fails(self) ? -1 : world_real.rename(NULL, from, to);
}

/* Whichever operation fails first: one message, nothing stored before is lost, and the same file afterwards
 * completes the recording. */
static void test_nth_write_fails(void **state)
{
	int failed = 0;

	(void)state;
	for (long n = 1; n < 60; n++) {
		struct failing f = {n};
		struct world w = world_real;
		struct record_sum s;
		struct bed b;
		struct cap c;

		w.self = &f;
		w.write = fail_write;
		w.open = fail_open;
		w.fsync = fail_fsync;
		w.rename = fail_rename;
		bed_make(&b);
		traffic(&c, 0, 500);
		assert_int_equal(record(&b, &c).packets, 500);
		traffic(&c, 0, 4000);
		char *path = cap_save(&c, b.dir, "z.pcap");
		enum status st = record_to(&b, &w, path, &s);
		failed += st != STATUS_OK;
		if (st != STATUS_OK)
			assert_int_equal(st, STATUS_MACHINE);
		assert_true(totals(b.data).packets >= 500);
		assert_int_equal(record_to(&b, &world_real, path, &s), STATUS_OK);
		assert_int_equal(totals(b.data).packets, 4000);
		free(path);
		bed_free(&b);
		if (st == STATUS_OK)
			break;
	}
	assert_true(failed >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_twice),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_stray_times),
		cmocka_unit_test(test_few_records),
		cmocka_unit_test(test_odd_dates),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_covered),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_nth_write_fails),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
