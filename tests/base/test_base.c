/* The base layer: bytes, addresses, times.  Known answers; random values there and back; hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/count.h"
#include "base/err.h"
#include "base/ip.h"

#define ROUNDS 20000

/* WEIR_SEED repeats a run. */
static void seed_random(void)
{
	const char *s = getenv("WEIR_SEED");
	unsigned seed = s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)time(NULL);

	print_message("# seed %u\n", seed);
	srandom(seed);
}

/* Of all magnitudes alike. */
static uint64_t random_u64(void)
{
	uint64_t v = (uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^ (uint64_t)random();

	return v >> (random() % 64);
}

static void test_reader_bounds(void **state)
{
	static const uint8_t b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct rd r = rd_of(b, sizeof(b)), s;

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_be16(&r), 0x0203);
	assert_int_equal(rd_le16(&r), 0x0504);
	assert_int_equal(rd_left(&r), 3);
	s = rd_cut(&r, 2);
	assert_int_equal(rd_be16(&s), 0x0607);
	assert_false(s.bad);
	assert_int_equal(rd_u8(&s), 0);
	assert_true(s.bad);
	assert_false(r.bad);
	assert_int_equal(rd_be32(&r), 0); /* one byte is left: nothing is read, and nothing is left */
	assert_true(r.bad);
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0);

	r = rd_of(b, sizeof(b));
	assert_int_equal(rd_be32(&r), 0x01020304);
	assert_int_equal(rd_le32(&r), 0x08070605);
	assert_false(r.bad);
	r = rd_of(b, sizeof(b));
	assert_true(rd_le64(&r) == UINT64_C(0x0807060504030201));
	r = rd_of(b, sizeof(b));
	s = rd_cut(&r, 9);
	assert_true(r.bad && s.bad);
	assert_int_equal(rd_left(&s), 8);
	r = rd_of(b, 0);
	assert_null(rd_take(&r, 1));
	assert_true(r.bad);
}

static void test_varint(void **state)
{
	static const struct {
		uint8_t b[11];
		size_t n;
		uint64_t v;
		bool bad;
	} known[] = {
		{{0x00}, 1, 0, false},
		{{0x7f}, 1, 127, false},
		{{0x80, 0x01}, 2, 128, false},
		{{0xe5, 0x8e, 0x26}, 3, 624485, false},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 10, UINT64_MAX, false},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 10, 0, true},
		{{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, 11, 0, true},
		{{0x80}, 1, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct rd r = rd_of(known[i].b, known[i].n);
		assert_true(rd_varint(&r) == known[i].v);
		assert_int_equal(r.bad, known[i].bad);
	}
	seed_random();
	for (int i = 0; i < ROUNDS; i++) {
		struct buf b = {0};
		uint64_t u = random_u64();
		int64_t v = (int64_t)random_u64() * (random() % 2 ? 1 : -1);
		buf_varint(&b, u);
		buf_svarint(&b, v);
		buf_svarint(&b, INT64_MIN);
		struct rd r = rd_of(b.p, b.n);
		assert_true(rd_varint(&r) == u);
		assert_true(rd_svarint(&r) == v);
		assert_true(rd_svarint(&r) == INT64_MIN);
		assert_false(r.bad);
		assert_int_equal(rd_left(&r), 0);
		buf_free(&b);
	}
}

static void test_buf(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_u8(&b, 1);
	buf_le16(&b, 0x0302);
	buf_le32(&b, 0x07060504);
	buf_le64(&b, UINT64_C(0x0f0e0d0c0b0a0908));
	buf_put(&b, NULL, 0);
	assert_int_equal(b.n, 15);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.p[i], i + 1);
	buf_put(&b, b.p, SIZE_MAX / 2); /* cannot be had: noted, and nothing more is written */
	assert_true(b.failed);
	buf_u8(&b, 9);
	assert_int_equal(b.n, 15);
	buf_free(&b);
}

/* The definition, bit by bit. */
static uint32_t crc32c_slow(const uint8_t *p, size_t n)
{
	uint32_t c = 0xffffffffU;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78U : c >> 1;
	}
	return ~c;
}

static void test_crc32c(void **state)
{
	uint8_t b[300];

	(void)state;
	assert_int_equal(crc32c("123456789", 9), 0xe3069283U);
	memset(b, 0, 32);
	assert_int_equal(crc32c(b, 32), 0x8a9136aaU); /* RFC 3720 appendix B.4 */
	memset(b, 0xff, 32);
	assert_int_equal(crc32c(b, 32), 0x62a8ab43U);
	for (uint8_t i = 0; i < 32; i++)
		b[i] = i;
	assert_int_equal(crc32c(b, 32), 0x46dd794eU);
	seed_random();
	for (int i = 0; i < 2000; i++) {
		size_t n = (size_t)random() % sizeof(b), at = (size_t)random() % (sizeof(b) - n);
		for (size_t k = 0; k < sizeof(b); k++)
			b[k] = (uint8_t)random();
		assert_int_equal(crc32c(b + at, n), crc32c_slow(b + at, n));
		assert_int_equal(crc32c_portable(0, b + at, n), crc32c_slow(b + at, n));
	}
}

/* Every length up to some pages, at any place, in one piece and in two, with and without the instruction. */
static void test_crc32c_lengths(void **state)
{
	enum { MOST = 20000, PLACES = 64 };
	uint8_t *b = malloc(MOST + PLACES);

	(void)state;
	assert_non_null(b);
	seed_random();
	for (size_t i = 0; i < MOST + PLACES; i++)
		b[i] = (uint8_t)random();
	for (size_t n = 0; n <= MOST; n++) {
		const uint8_t *p = b + random() % PLACES;
		size_t cut = (size_t)random() % (n + 1);
		uint32_t before = (uint32_t)random_u64(), want = crc32c_portable(before, p, n);
		if (crc32c_more(before, p, n) != want ||
			crc32c_more(crc32c_more(before, p, cut), p + cut, n - cut) != want)
			fail_msg("%zu bytes, cut at %zu, at %zu", n, cut, (size_t)(p - b));
		b[random() % MOST] ^= (uint8_t)random();
	}
	free(b);
}

static void test_ip(void **state)
{
	static const char *const good[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
		"2001:db8::1", "2001:db8:0:1:1:1:1:1", "fe80::1", "2001:db8::2:0:0:1"};
	static const char *const bad[] = {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ",
		" 1.2.3.4", "2001:db8::1::2", "2001:db8", "fe80::1%eth0", "g::", "1.2.3.4/32", "[::1]"};
	char text[IP_TEXT];
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(ip_parse(&ip, good[i]));
		assert_string_equal(ip_text(text, &ip), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ip_parse(&ip, bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_true(ip_parse(&ip, "2001:DB8:0:0:0:0:0:1")); /* RFC 5952: written in one way */
	assert_string_equal(ip_text(text, &ip), "2001:db8::1");
	memset(&ip, 0, sizeof(ip));
	assert_string_equal(ip_text(text, &ip), "-");
}

static struct ip random_ip(void)
{
	uint8_t b[16];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = random() % 3 ? 0 : (uint8_t)random();
	return random() % 2 ? ip_v4(b) : ip_v6(b);
}

static void test_ip_round_trip(void **state)
{
	(void)state;
	seed_random();
	for (int i = 0; i < ROUNDS; i++) {
		struct ip a = random_ip(), b;
		struct endpoint e = {.ip = a, .port = (uint16_t)random()}, f;
		char text[IP_TEXT], end[ENDPOINT_TEXT];
		assert_true(ip_parse(&b, ip_text(text, &a)));
		assert_true(ip_equal(&a, &b));
		assert_int_equal(ip_compare(&a, &b), 0);
		assert_true(endpoint_parse(&f, endpoint_text(end, &e)));
		assert_true(endpoint_equal(&e, &f));
	}
}

static void test_endpoint(void **state)
{
	static const char *const bad[] = {"", ":22", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1",
		"1.2.3.4:22x", "[::1", "[::1]22", "[::1]:", "[]:22", "::1]:22", "1.2.3.4:22:23",
		"[2001:db8::1]:99999999999999999999",
		"[1111111111111111111111111111111111111111111111111111111111111111111]:1"};
	struct endpoint e;

	(void)state;
	assert_true(endpoint_parse(&e, "192.0.2.1:22"));
	assert_int_equal(e.port, 22);
	assert_true(endpoint_parse(&e, "[2001:db8::1]:65535"));
	assert_int_equal(e.port, 65535);
	assert_true(endpoint_parse(&e, "2001:db8::1"));
	assert_int_equal(e.port, 0);
	assert_true(endpoint_parse(&e, "192.0.2.1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (endpoint_parse(&e, bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
}

/* Bit by bit. */
static bool prefix_has_slow(const struct prefix *p, const struct ip *ip)
{
	for (unsigned i = 0; i < p->len; i++)
		if (((p->ip.b[i / 8] ^ ip->b[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return p->ip.v == ip->v;
}

static void test_prefix(void **state)
{
	static const char *const good[] = {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/25", "192.0.2.1/32", "::/0",
		"2001:db8::/32", "2001:db8::1/128", "8000::/1"};
	static const char *const bad[] = {"10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/08x",
		"10.0.0.0/-1", "/8", "2001:db8::/129", "2001:db8::1/64", "10.0.0.0/8/8", ""};
	struct prefix p;
	char text[PREFIX_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(prefix_parse(&p, good[i]));
		assert_string_equal(prefix_text(text, &p), good[i]);
	}
	assert_true(prefix_parse(&p, "192.0.2.1"));
	assert_int_equal(p.len, 32);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (prefix_parse(&p, bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
	seed_random();
	for (int i = 0; i < ROUNDS; i++) {
		struct ip a = random_ip(), b = random() % 2 ? random_ip() : a;
		struct prefix q = {.ip = a, .len = (uint8_t)(random() % (a.v == 4 ? 33 : 129))};
		b.b[random() % (b.v == 4 ? 4 : 16)] ^= (uint8_t)(1 << random() % 8);
		assert_int_equal(prefix_has(&q, &b), prefix_has_slow(&q, &b));
		assert_true(prefix_has(&q, &a));
	}
}

static void test_wall(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} known[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01", 0},
		{"1969-12-31T23:59:59.999999Z", -1},
		{"2014-11-24T15:00:00Z", INT64_C(1416841200000000)},
		{"2014-11-24T15:00:00.5Z", INT64_C(1416841200500000)},
		{"2014-11-24T17:00:00.123456789+02:00", INT64_C(1416841200123456)},
		{"2014-11-24T10:00:00.000001-0500", INT64_C(1416841200000001)},
		{"2014-11-24 15:00:00z", INT64_C(1416841200000000)},
		{"2014-11-24T15:00:00", INT64_C(1416841200000000)},
		{"2014-11-24 15:00:00.5", INT64_C(1416841200500000)},
		{"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
		{"2100-01-01T00:00:00Z", INT64_C(4102444800000000)},
		{"@1416841200.25", INT64_C(1416841200250000)},
		{"1416841200", INT64_C(1416841200000000)},
	};
	static const char *const bad[] = {"", "yesterday", "2014-13-01", "2014-00-10", "2014-11-32",
		"2014-11-24T", "2014-11-24T15:00", "2014-11-24T15:00Z", "2014-11-24T24:00:00Z",
		"2014-11-24T15:60:00Z", "2014-11-24T15:00:00Zx", "2014-11-24T15:00:00+2",
		"2014-11-24T15:00:00+24:00", "@", "@-1", "@1.5x", "99999999999999999999", "2014-1-1"};
	struct wall t;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!wall_parse(&t, known[i].text))
			fail_msg("\"%s\" is refused", known[i].text);
		if (t.us != known[i].us)
			fail_msg("\"%s\": %lld", known[i].text, (long long)t.us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (wall_parse(&t, bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void test_counted(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} table[] = {{0, "0 flows"}, {1, "1 flow"}, {2, "2 flows"}, {999, "999 flows"}, {1000, "1,000 flows"},
		{UINT64_MAX, "18,446,744,073,709,551,615 flows"}};
	char to[COUNT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(counted(to, table[i].n, "flow"), table[i].text);
}

/* Against the C library's calendar. */
static void test_wall_round_trip(void **state)
{
	(void)state;
	seed_random();
	for (int i = 0; i < ROUNDS; i++) {
		/* years 1000 to 9999 */
		int64_t span = INT64_C(284000000000000000), us = (int64_t)(random_u64() % (uint64_t)span);
		struct wall t = {us - INT64_C(30610224000000000)}, back;
		char text[WALL_TEXT], peer[80];
		int64_t sec = t.us / 1000000 - (t.us % 1000000 < 0);
		time_t s = (time_t)sec;
		struct tm tm;
		assert_true(wall_parse(&back, wall_text(text, t)));
		assert_true(back.us == t.us);
		assert_non_null(gmtime_r(&s, &tm));
		(void)snprintf(peer, sizeof(peer), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(t.us - sec * 1000000));
		assert_string_equal(text, peer);
	}
	/* Texts of any time fit. */
	char text[WALL_TEXT];
	assert_true(strlen(wall_text(text, WALL_BEGIN)) < WALL_TEXT);
	assert_true(strlen(wall_text(text, WALL_END)) < WALL_TEXT);
}

static void test_span(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} known[] = {{"10m", 600000000}, {"1h30m", INT64_C(5400000000)}, {"45s", 45000000},
		{"2d", INT64_C(172800000000)}, {"500ms", 500000}, {"7us", 7}, {"1w", INT64_C(604800000000)},
		{"0s", 0}, {"1s500ms", 1500000}};
	static const char *const bad[] = {"", "10", "m", "-1s", "1.5s", "10 m", "1y", "s10", "9999999999s",
		"1s-", "5000000w", "4000000w4000000w4000000w4000000w"};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(span_parse(&us, known[i].text));
		assert_true(us == known[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (span_parse(&us, bad[i]))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void test_err(void **state)
{
	char big[2000], text[8];
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, STATUS_BAD, "offset %d", 7), STATUS_BAD);
	assert_int_equal(err_wrap(&e, "%s", "x.pcap"), STATUS_BAD);
	assert_string_equal(e.text, "x.pcap: offset 7");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(err_wrap(&e, "%s", big), STATUS_BAD);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_string_equal(printable(text, sizeof(text), "a\x1b[2J\n\xc3"), "a?[2J??");
	assert_string_equal(printable(text, 3, "abcdef"), "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_bounds),
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_crc32c_lengths),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_ip_round_trip),
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_wall),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_wall_round_trip),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_err),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
