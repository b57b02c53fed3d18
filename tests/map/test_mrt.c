/* MRT records of each subtype, made by hand: what they give, and what is counted where they lie.  A record
 * with any length shortened gives nothing; random damage is never an error and never a route of a peer that
 * is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "map/mrt.h"
#include "mrt_kit.h"

struct fix {
	struct mrt *m;
	struct buf b;
	const struct mrt_route *r;
	size_t n;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	f->m = mrt_new();
	*state = f;
	return f->m ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	mrt_free(f->m);
	buf_free(&f->b);
	free(f);
	return 0;
}

/* All that is in the buffer, record by record; the last one's routes. */
static void run(struct fix *f)
{
	struct err e;

	for (size_t at = 0; at < f->b.n;) {
		size_t size = mrt_size(f->b.p + at, f->b.n - at);
		assert_true(size > 0 && size <= f->b.n - at);
		assert_int_equal(mrt_record(f->m, f->b.p + at, size, &f->r, &f->n, &e), STATUS_OK);
		at += size;
	}
	f->b.n = 0;
}

static uint64_t dropped(const struct fix *f, enum mrt_drop why)
{
	return mrt_dropped(f->m)[why];
}

/* Exactly this was counted since the last time; begins anew. */
static void expect_dropped(struct fix *f, enum mrt_drop why, uint64_t n)
{
	for (enum mrt_drop i = 0; i < MRT_DROPS; i++)
		assert_int_equal(dropped(f, i), i == why ? n : 0);
	mrt_free(f->m);
	f->m = mrt_new();
	assert_non_null(f->m);
	put_index(&f->b);
	run(f);
}

static void expect_route(const struct fix *f, size_t i, const char *peer, uint32_t asn, const char *prefix)
{
	char text[PREFIX_TEXT];
	size_t n;
	const struct mrt_peer *p = mrt_peers(f->m, &n);

	assert_true(i < f->n && f->r[i].peer < n);
	assert_string_equal(ip_text(text, &p[f->r[i].peer].ip), peer);
	assert_int_equal(p[f->r[i].peer].asn, asn);
	assert_string_equal(prefix_text(text, &f->r[i].prefix), prefix);
}

static void expect_path(const struct fix *f, size_t i, uint64_t origin)
{
	uint64_t as[AS_PATH_MAX];
	struct rd path, as4 = {0};
	size_t n;
	bool two = f->r[i].two_octet;

	assert_true(attr_path(&path, two ? &as4 : NULL, f->r[i].attr));
	assert_int_equal(attr_path_list(as, &n, path, as4, two), PATH_OK);
	assert_int_equal(as[n - 1], origin);
}

/* ---- tables ---- */

static void rib_begin(
	struct buf *b, size_t *at, unsigned subtype, const uint8_t *nlri, size_t n, unsigned count)
{
	*at = record_begin(b, 13, subtype);
	put32(b, 9);
	if (subtype == 6 || subtype == 12) {
		put16(b, n == 4 ? 1 : 2);
		buf_u8(b, 1);
	}
	buf_put(b, nlri, n);
	put16(b, count);
}

static void test_rib(void **state)
{
	struct fix *f = *state;
	size_t at;

	put_index(&f->b);
	rib_begin(&f->b, &at, 2, kit_nlri4, 4, 3);
	put_entry(&f->b, 0, false, 131279);
	put_entry(&f->b, 1, false, 2);
	put_entry(&f->b, 2, false, 3);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(f->n, 3);
	expect_route(f, 0, "192.0.2.1", 64500, "198.51.100.0/24");
	expect_route(f, 1, "2001:db8::1", 64501, "198.51.100.0/24");
	expect_route(f, 2, "192.0.2.1", 64502, "198.51.100.0/24");
	expect_path(f, 0, 131279);
	assert_true(f->r[0].table_dump_v2 && !f->r[0].two_octet && !f->r[0].withdrawn);
	assert_int_equal(f->r[0].at.us, INT64_C(1390000000) * SECOND_US);
	assert_int_equal(mrt_time(f->m).us, INT64_C(1400000000) * SECOND_US);
	assert_true(mrt_is_table(f->m));
	rib_begin(&f->b, &at, 4, kit_nlri6, 5, 1);
	put_entry(&f->b, 1, false, 2);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(f->n, 1);
	expect_route(f, 0, "2001:db8::1", 64501, "2001:db8::/32");
	expect_dropped(f, MRT_DROPS, 0);
}

static void test_add_path_and_generic(void **state)
{
	static const struct {
		unsigned subtype;
		bool v6, id;
	} kinds[] = {
		{8, false, true}, {10, true, true}, {6, false, false}, {6, true, false}, {12, true, true}};
	struct fix *f = *state;
	size_t at;

	put_index(&f->b);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool v6 = kinds[i].v6;
		rib_begin(&f->b, &at, kinds[i].subtype, v6 ? kit_nlri6 : kit_nlri4, v6 ? 5 : 4, 2);
		put_entry(&f->b, 0, kinds[i].id, 131279);
		put_entry(&f->b, 1, kinds[i].id, 131280);
		record_end(&f->b, at);
		run(f);
		assert_int_equal(f->n, 2);
		assert_int_equal(f->r[1].path_id, kinds[i].id ? 77 : 0);
		expect_route(f, 1, "2001:db8::1", 64501, v6 ? "2001:db8::/32" : "198.51.100.0/24");
		expect_path(f, 1, 131280);
	}
	/* RFC 8050, 4.2: the identifier in the NLRI */
	at = record_begin(&f->b, 13, 12);
	put32(&f->b, 9);
	put16(&f->b, 1);
	buf_u8(&f->b, 1);
	put32(&f->b, 88);
	buf_put(&f->b, kit_nlri4, 4);
	put16(&f->b, 1);
	put_entry(&f->b, 0, false, 131279);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->r[0].path_id, 88);
	expect_path(f, 0, 131279);
	expect_dropped(f, MRT_DROPS, 0);
}

static void put_table_dump(struct buf *b, bool v6)
{
	size_t at = record_begin(b, 12, v6 ? 2 : 1);
	struct buf a = {0};

	put_attr(&a, 1, "", 1);
	put_path(&a, 3, true);
	put32(b, 1);
	buf_put(b, v6 ? kit_v6 : kit_v4, v6 ? 16 : 4);
	buf_u8(b, 24);
	buf_u8(b, 1);
	put32(b, 1390000000);
	buf_put(b, v6 ? kit_v6 : kit_v4, v6 ? 16 : 4);
	put16(b, 64500);
	put16(b, (unsigned)a.n);
	buf_put(b, a.p, a.n);
	record_end(b, at);
	buf_free(&a);
}

static void test_table_dump(void **state)
{
	struct fix *f = *state;

	put_table_dump(&f->b, false);
	run(f);
	assert_int_equal(f->n, 1);
	expect_route(f, 0, "192.0.2.1", 64500, "192.0.2.0/24");
	expect_path(f, 0, 3);
	assert_true(f->r[0].two_octet && mrt_is_table(f->m));
	put_table_dump(&f->b, true);
	run(f);
	expect_route(f, 0, "2001:db8::1", 64500, "2001:d00::/24"); /* the rest of the address is host bits */
	expect_dropped(f, MRT_HOST_BITS, 2);
}

/* ---- updates ---- */

static void put_update(struct buf *b, unsigned type, unsigned subtype, bool as4, bool id)
{
	size_t at = record_begin(b, type, subtype);
	struct buf mp = {0}, attr = {0};

	if (type == 17)
		put32(b, 123456);
	size_t msg = put_message(b, as4, 2);
	put16(b, id ? 8 : 4);
	for (int i = 0; i < 2; i++) {
		struct buf *to = i ? &mp : b;
		if (i) {
			put16(to, 2);
			buf_u8(to, 1);
		}
		if (id)
			put32(to, 5);
		buf_put(to, i ? kit_nlri6 : kit_nlri4, i ? 5 : 4);
	}
	put_path(&attr, 65000, !as4);
	put_attr(&attr, 15, mp.p, mp.n);
	buf_free(&mp);
	put16(&mp, 2);
	buf_u8(&mp, 1);
	buf_u8(&mp, 16);
	buf_put(&mp, kit_v6, 16);
	buf_u8(&mp, 0);
	if (id)
		put32(&mp, 6);
	buf_put(&mp, kit_nlri6, 5);
	put_attr(&attr, 14, mp.p, mp.n);
	put16(b, (unsigned)attr.n);
	buf_put(b, attr.p, attr.n);
	if (id)
		put32(b, 7);
	buf_put(b, kit_nlri4, 4);
	message_end(b, msg);
	record_end(b, at);
	buf_free(&mp);
	buf_free(&attr);
}

static void test_update(void **state)
{
	static const struct {
		unsigned type, subtype;
		bool as4, id, local;
	} kinds[] = {{16, 1, false, false, false}, {16, 4, true, false, false}, {16, 6, false, false, true},
		{16, 7, true, false, true}, {16, 8, false, true, false}, {16, 9, true, true, false},
		{16, 10, false, true, true}, {16, 11, true, true, true}, {17, 4, true, false, false}};
	static const char *const prefix[] = {
		"198.51.100.0/24", "2001:db8::/32", "198.51.100.0/24", "2001:db8::/32"};
	static const uint32_t id[] = {5, 5, 7, 6};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		put_update(&f->b, kinds[i].type, kinds[i].subtype, kinds[i].as4, kinds[i].id);
		run(f);
		assert_int_equal(f->n, 4);
		for (size_t k = 0; k < 4; k++) {
			bool local = kinds[i].local;
			expect_route(
				f, k, local ? "192.0.2.2" : "192.0.2.1", local ? 64999 : 64500, prefix[k]);
			assert_int_equal(f->r[k].path_id, kinds[i].id ? id[k] : 0);
			assert_int_equal(f->r[k].withdrawn, k < 2);
			assert_int_equal(f->r[k].at.us % SECOND_US, kinds[i].type == 17 ? 123456 : 0);
			if (k >= 2)
				expect_path(f, k, 65000);
			else
				assert_int_equal(rd_left(&f->r[k].attr), 0);
		}
	}
	assert_false(mrt_is_table(f->m));
	size_t n;
	(void)mrt_peers(f->m, &n);
	assert_int_equal(n, 2); /* one session, whatever the subtype */
	expect_dropped(f, MRT_DROPS, 0);
}

static void test_peer_is_one(void **state)
{
	struct fix *f = *state;
	size_t n;

	put_index(&f->b);
	put_update(&f->b, 16, 4, true, false);
	put_table_dump(&f->b, false);
	run(f);
	(void)mrt_peers(f->m, &n);
	assert_int_equal(n, 3);
	for (uint32_t i = 0; i < 3000; i++) { /* many: the table grows */
		size_t at = record_begin(&f->b, 16, 4), msg = put_message(&f->b, true, 2);
		set32(&f->b, at + 12, 100000 + i % 1500);
		put32(&f->b, 0);
		message_end(&f->b, msg);
		record_end(&f->b, at);
	}
	run(f);
	(void)mrt_peers(f->m, &n);
	assert_int_equal(n, 1503);
}

/* ---- what lies ---- */

static void test_not_routes(void **state)
{
	static const unsigned other[][2] = {{16, 0}, {16, 5}, {13, 3}, {13, 5}, {13, 9}, {13, 7}, {11, 0},
		{48, 1}, {13, 200}, {16, 12}, {12, 3}};
	struct fix *f = *state;
	uint64_t n = 0;
	size_t at;

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++, n++) {
		at = record_begin(&f->b, other[i][0], other[i][1]);
		put32(&f->b, 0);
		record_end(&f->b, at);
		run(f);
		assert_int_equal(f->n, 0);
	}
	for (unsigned type = 1; type <= 5; type++) { /* BGP messages; 2 is UPDATE, here an empty one */
		at = record_begin(&f->b, 16, 4);
		size_t msg = put_message(&f->b, true, type);
		put32(&f->b, 0);
		message_end(&f->b, msg);
		record_end(&f->b, at);
		run(f);
		n += type != 2;
	}
	rib_begin(&f->b, &at, 6, kit_nlri4, 4, 0);
	f->b.p[at + 18] = 2; /* SAFI multicast */
	record_end(&f->b, at);
	run(f);
	expect_dropped(f, MRT_UNKNOWN, n + 1);
}

static void test_no_index(void **state)
{
	struct fix *f = *state;
	size_t at;

	rib_begin(&f->b, &at, 2, kit_nlri4, 4, 2);
	put_entry(&f->b, 0, false, 1);
	put_entry(&f->b, 1, false, 1);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(f->n, 0);
	expect_dropped(f, MRT_NO_PEER, 2);
	rib_begin(&f->b, &at, 2, kit_nlri4, 4, 3);
	put_entry(&f->b, 3, false, 1); /* there are three */
	put_entry(&f->b, 2, false, 1);
	put_entry(&f->b, 65535, false, 1);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(f->n, 1);
	expect_route(f, 0, "192.0.2.1", 64502, "198.51.100.0/24");
	expect_dropped(f, MRT_NO_PEER, 2);
	/* a table whose length lies names nobody, and takes the one before it away */
	at = record_begin(&f->b, 13, 1);
	put32(&f->b, 0);
	put16(&f->b, 0);
	put16(&f->b, 2);
	record_end(&f->b, at);
	rib_begin(&f->b, &at, 2, kit_nlri4, 4, 1);
	put_entry(&f->b, 0, false, 1);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(dropped(f, MRT_NO_PEER), 1);
	assert_int_equal(dropped(f, MRT_BAD_LENGTH), 1);
}

static void test_prefixes(void **state)
{
	static const uint8_t host[4] = {20, 198, 51, 0xff}, longer[6] = {33, 198, 51, 100, 1, 1};
	static const uint8_t all[17] = {128, 0x20, 1, 0x0d, 0xb8, [16] = 1}, none[1] = {0};
	struct fix *f = *state;
	size_t at;

	put_index(&f->b);
	rib_begin(&f->b, &at, 2, host, 4, 1);
	put_entry(&f->b, 0, false, 1);
	record_end(&f->b, at);
	run(f);
	expect_route(f, 0, "192.0.2.1", 64500, "198.51.240.0/20");
	expect_dropped(f, MRT_HOST_BITS, 1);
	rib_begin(&f->b, &at, 2, longer, 6, 1);
	put_entry(&f->b, 0, false, 1);
	record_end(&f->b, at);
	run(f);
	assert_int_equal(f->n, 0);
	expect_dropped(f, MRT_BAD_PREFIX, 1);
	rib_begin(&f->b, &at, 4, all, 17, 1);
	put_entry(&f->b, 0, false, 1);
	record_end(&f->b, at);
	run(f);
	expect_route(f, 0, "192.0.2.1", 64500, "2001:db8::1/128");
	rib_begin(&f->b, &at, 2, none, 1, 1);
	put_entry(&f->b, 0, false, 1);
	record_end(&f->b, at);
	run(f);
	expect_route(f, 0, "192.0.2.1", 64500, "0.0.0.0/0");
	expect_dropped(f, MRT_DROPS, 0);
}

static void record_of(struct buf *b, int i)
{
	size_t at;

	switch (i) {
	case 0:
		put_index(b);
		break;
	case 1:
		rib_begin(b, &at, 2, kit_nlri4, 4, 2);
		put_entry(b, 0, false, 131279);
		put_entry(b, 1, false, 131279);
		record_end(b, at);
		break;
	case 2:
		rib_begin(b, &at, 10, kit_nlri6, 5, 2);
		put_entry(b, 0, true, 131279);
		put_entry(b, 1, true, 131279);
		record_end(b, at);
		break;
	case 3:
		put_table_dump(b, false);
		break;
	case 4:
		put_update(b, 17, 4, true, false);
		break;
	default:
		put_update(b, 16, 8, false, true);
		break;
	}
}
#define RECORDS 6

/* Cut at any byte, its head saying so or not: no route at all, one count. */
static void test_cut(void **state)
{
	struct fix *f = *state;
	struct err e;

	for (int i = 0; i < RECORDS; i++) {
		struct buf b = {0};
		record_of(&b, i);
		for (size_t n = 12; n < b.n; n++) {
			put_index(&f->b);
			run(f);
			uint64_t before = dropped(f, MRT_BAD_LENGTH);
			assert_int_equal(mrt_record(f->m, b.p, n, &f->r, &f->n, &e), STATUS_OK);
			assert_int_equal(f->n, 0);
			assert_int_equal(dropped(f, MRT_BAD_LENGTH), before + 1);
			struct buf c = {0}; /* on the heap by itself: a read beyond is seen */
			buf_put(&c, b.p, n);
			set32(&c, 8, (uint32_t)(n - 12));
			assert_int_equal(mrt_record(f->m, c.p, n, &f->r, &f->n, &e), STATUS_OK);
			assert_int_equal(f->n, 0);
			assert_int_equal(dropped(f, MRT_BAD_LENGTH), before + 2);
			buf_free(&c);
		}
		buf_free(&b);
	}
}

static void test_damage(void **state)
{
	struct fix *f = *state;
	struct err e;

	for (int round = 0; round < 100000; round++) {
		struct buf b = {0};
		record_of(&b, (int)kit_rnd(RECORDS));
		for (uint64_t k = kit_rnd(4) + 1; k > 0; k--)
			b.p[12 + kit_rnd(b.n - 12)] = (uint8_t)kit_rnd(256);
		assert_int_equal(mrt_record(f->m, b.p, b.n, &f->r, &f->n, &e), STATUS_OK);
		size_t n_peer;
		(void)mrt_peers(f->m, &n_peer);
		for (size_t i = 0; i < f->n; i++) {
			const struct mrt_route *r = &f->r[i];
			struct prefix p = prefix_of(&r->prefix.ip, r->prefix.len);
			assert_true(r->peer < n_peer);
			assert_true(ip_equal(&p.ip, &r->prefix.ip)); /* no host bits */
			assert_true(rd_left(&r->attr) == 0 || (r->attr.p >= b.p && r->attr.end <= b.p + b.n));
		}
		buf_free(&b);
	}
}

static void test_looks(void **state)
{
	struct fix *f = *state;

	put_update(&f->b, 16, 4, true, false);
	assert_true(mrt_looks(f->b.p, f->b.n));
	assert_true(mrt_looks(f->b.p, 12));
	assert_false(mrt_looks(f->b.p, 11));
	assert_int_equal(mrt_size(f->b.p, 11), 0);
	assert_int_equal(mrt_size(f->b.p, 12), f->b.n);
	set32(&f->b, 8, UINT32_MAX);
	assert_true(mrt_size(f->b.p, 12) == SIZE_MAX);
	assert_false(mrt_looks(f->b.p, f->b.n));
	assert_false(mrt_looks((const uint8_t *)"# format: aut|changed|", 22));
	assert_false(mrt_looks((const uint8_t *)"174|2914|0\n174|3356|0\n", 22));
	assert_false(mrt_looks((const uint8_t[32]){0}, 32));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rib),
		TEST(test_add_path_and_generic),
		TEST(test_table_dump),
		TEST(test_update),
		TEST(test_peer_is_one),
		TEST(test_not_routes),
		TEST(test_no_index),
		TEST(test_prefixes),
		TEST(test_cut),
		TEST(test_damage),
		TEST(test_looks),
	};

	kit_seed("mrt");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
