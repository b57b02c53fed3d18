/* Path attributes and AS paths: hand-made ones of each kind, and random ones against a second, slow reading.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "map/attr.h"
#include "mrt_kit.h"

struct unit { /* what counts as one in a path's length: an AS of a sequence, or a whole set */
	bool set;
	uint32_t as[255];
	size_t n;
};

static enum path_fault list_of(
	const struct buf *path, const struct buf *as4, bool two, uint64_t as[AS_PATH_MAX], size_t *n)
{
	return attr_path_list(
		as, n, rd_of(path->p, path->n), as4 ? rd_of(as4->p, as4->n) : (struct rd){0}, two);
}

static void segment(struct buf *b, unsigned type, bool two, size_t n, const uint32_t *as)
{
	buf_u8(b, (uint8_t)type);
	buf_u8(b, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		put_as(b, as[i], two);
}
#define SEGMENT(b, type, two, ...)                                                                           \
	segment(b, type, two, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static void expect_fault(struct buf *path, struct buf *as4, bool two, enum path_fault fault, size_t n, ...)
{
	uint64_t as[AS_PATH_MAX];
	size_t got;
	va_list ap;

	assert_int_equal(list_of(path, as4, two, as, &got), fault);
	assert_int_equal(got, n);
	va_start(ap, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(as[i], va_arg(ap, uint64_t));
	va_end(ap);
	buf_free(path);
	if (as4)
		buf_free(as4);
}

static void test_paths(void **state)
{
	struct buf b = {0};

	(void)state;
	SEGMENT(&b, 2, false, 64500, 131279, 131279, 131279, 64502);
	expect_fault(&b, NULL, false, PATH_OK, 3, (uint64_t)64500, (uint64_t)131279, (uint64_t)64502);
	SEGMENT(&b, 2, false, 64500);
	SEGMENT(&b, 1, false, 1, 2);
	expect_fault(&b, NULL, false, PATH_OK, 3, (uint64_t)64500, 1 | AS_IN_SET, 2 | AS_IN_SET);
	SEGMENT(&b, 3, false, 65001, 65002);
	SEGMENT(&b, 4, false, 65003);
	SEGMENT(&b, 2, false, 64500);
	expect_fault(&b, NULL, false, PATH_OK, 1, (uint64_t)64500);
	/* prepended over a confederation, and over two segments */
	SEGMENT(&b, 2, false, 64500);
	SEGMENT(&b, 3, false, 65001);
	SEGMENT(&b, 2, false, 64500, 1);
	expect_fault(&b, NULL, false, PATH_OK, 2, (uint64_t)64500, (uint64_t)1);
	expect_fault(&b, NULL, false, PATH_EMPTY, 0);
	SEGMENT(&b, 3, false, 65001);
	expect_fault(&b, NULL, false, PATH_EMPTY, 0);
}

static void test_faults(void **state)
{
	struct buf b = {0};

	(void)state;
	SEGMENT(&b, 2, false, 1, 2, 1);
	expect_fault(&b, NULL, false, PATH_LOOP, 3, (uint64_t)1, (uint64_t)2, (uint64_t)1);
	SEGMENT(&b, 2, false, 1, 2);
	SEGMENT(&b, 1, false, 1); /* a set's members may stand before it */
	expect_fault(&b, NULL, false, PATH_OK, 3, (uint64_t)1, (uint64_t)2, 1 | AS_IN_SET);
	SEGMENT(&b, 2, false, 1, 0);
	expect_fault(&b, NULL, false, PATH_AS_ZERO, 1, (uint64_t)1);
	SEGMENT(&b, 5, false, 1);
	expect_fault(&b, NULL, false, PATH_BAD, 0);
	SEGMENT(&b, 0, false, 1);
	expect_fault(&b, NULL, false, PATH_BAD, 0);
	segment(&b, 2, false, 0, NULL);
	expect_fault(&b, NULL, false, PATH_BAD, 0);
	SEGMENT(&b, 2, false, 1, 2);
	b.n--;
	expect_fault(&b, NULL, false, PATH_BAD, 0);
	SEGMENT(&b, 2, true, 1, 2, 3); /* of two octets, read as of four */
	expect_fault(&b, NULL, false, PATH_BAD, 0);
}

static void test_long(void **state)
{
	struct buf b = {0};
	uint64_t as[AS_PATH_MAX];
	size_t n;

	(void)state;
	for (uint32_t i = 0; i < AS_PATH_MAX / 128; i++) {
		uint32_t many[128];
		for (uint32_t k = 0; k < 128; k++)
			many[k] = 1 + i * 128 + k;
		segment(&b, 2, false, 128, many);
	}
	assert_int_equal(list_of(&b, NULL, false, as, &n), PATH_OK);
	assert_int_equal(n, AS_PATH_MAX);
	SEGMENT(&b, 2, false, 5000);
	assert_int_equal(list_of(&b, NULL, false, as, &n), PATH_LONG);
	b.n -= 6;
	set32(&b, b.n - 4, 7); /* the last is the seventh again */
	assert_int_equal(list_of(&b, NULL, false, as, &n), PATH_LOOP);
	buf_free(&b);
}

static void test_as4(void **state)
{
	struct buf b = {0}, a = {0};

	(void)state;
	SEGMENT(&b, 2, true, 64500, AS_TRANS, AS_TRANS);
	SEGMENT(&a, 2, false, 131279, 131280);
	expect_fault(&b, &a, true, PATH_OK, 3, (uint64_t)64500, (uint64_t)131279, (uint64_t)131280);
	/* longer than the path: as none (RFC 6793, 4.2.3) */
	SEGMENT(&b, 2, true, 64500, AS_TRANS);
	SEGMENT(&a, 2, false, 1, 2, 3);
	expect_fault(&b, &a, true, PATH_OK, 2, (uint64_t)64500, (uint64_t)AS_TRANS);
	/* as long: the path is the AS4_PATH */
	SEGMENT(&b, 2, true, AS_TRANS, AS_TRANS);
	SEGMENT(&a, 2, false, 131279, 131280);
	expect_fault(&b, &a, true, PATH_OK, 2, (uint64_t)131279, (uint64_t)131280);
	/* malformed: as none (RFC 6793, 6) */
	SEGMENT(&b, 2, true, 64500, AS_TRANS);
	SEGMENT(&a, 9, false, 131279);
	expect_fault(&b, &a, true, PATH_OK, 2, (uint64_t)64500, (uint64_t)AS_TRANS);
	/* not looked at where numbers are of 4 octets */
	SEGMENT(&b, 2, false, 64500, 131279);
	SEGMENT(&a, 2, false, 1);
	expect_fault(&b, &a, false, PATH_OK, 2, (uint64_t)64500, (uint64_t)131279);
}

static void test_attrs(void **state)
{
	struct buf b = {0};
	struct attrs a;
	struct rd path, as4;

	(void)state;
	put_attr(&b, 1, "", 1);
	put_attr(&b, 200, "unknown", 7);
	size_t before = b.n;
	put_path(&b, 1, false);
	put_path(&b, 2, false); /* the second is not looked at */
	put_attr(&b, 8, "\0\1\0\2", 4);
	assert_true(attrs_read(&a, rd_of(b.p, b.n)));
	assert_int_equal(a.present, 1U << 1 | 1U << 2 | 1U << 8);
	assert_int_equal(rd_left(&a.at[2]), 10);
	assert_int_equal(a.at[2].p[9], 1);
	assert_true(attr_path(&path, NULL, rd_of(b.p, b.n)));
	assert_ptr_equal(path.p, a.at[2].p);
	assert_true(attr_path(&path, &as4, rd_of(b.p, b.n)));
	assert_int_equal(rd_left(&as4), 0);
	for (size_t n = 0; n < b.n; n++) { /* cut anywhere: no path that is not there */
		bool whole = attrs_read(&a, rd_of(b.p, n));
		bool has = attr_path(&path, NULL, rd_of(b.p, n));
		assert_int_equal(has, n >= before + 13);
		assert_int_equal(has, a.present >> 2 & 1);
		assert_false(whole && n > before && n < before + 13);
	}
	b.p[before + 2] = 200; /* its length lies */
	assert_false(attr_path(&path, NULL, rd_of(b.p, b.n)));
	assert_false(attrs_read(&a, rd_of(b.p, b.n)));
	buf_free(&b);
}

static void test_as4_stale(void **state)
{
	struct rd path, as4;

	(void)state;
	for (int stale = 0; stale < 2; stale++) {
		struct buf b = {0}, v = {0};
		SEGMENT(&v, 2, false, 131279);
		put_attr(&b, 17, v.p, v.n);
		put_path(&b, AS_TRANS, true);
		put_attr(&b, 7, stale ? "\x12\x34\1\2\3\4" : "\x5b\xa0\1\2\3\4", 6);
		assert_true(attr_path(&path, &as4, rd_of(b.p, b.n)));
		assert_int_equal(rd_left(&as4), stale ? 0 : 6);
		buf_free(&b);
		buf_free(&v);
	}
}

/* ---- a second reading ---- */

static size_t random_units(struct unit *u, size_t most)
{
	size_t n = (size_t)kit_rnd(most) + 1;

	for (size_t i = 0; i < n; i++) {
		u[i].set = kit_rnd(6) == 0;
		u[i].n = u[i].set ? (size_t)kit_rnd(4) + 1 : 1;
		for (size_t k = 0; k < u[i].n; k++)
			u[i].as[k] = 1 + (uint32_t)kit_rnd(40);
	}
	return n;
}

/* Sequences are cut where it pleases, with confederations between. */
static void units_put(struct buf *b, const struct unit *u, size_t n, bool two)
{
	for (size_t i = 0; i < n;) {
		if (kit_rnd(8) == 0)
			SEGMENT(b, 3 + (unsigned)kit_rnd(2), two, 65001, 65002);
		if (u[i].set) {
			segment(b, 1, two, u[i].n, u[i].as);
			i++;
			continue;
		}
		uint32_t as[255];
		size_t k = 0;
		while (i < n && !u[i].set && (k == 0 || kit_rnd(5)))
			as[k++] = u[i++].as[0];
		segment(b, 2, two, k, as);
	}
}

static size_t slow_list(uint64_t *as, const struct unit *u, size_t n, const struct unit *u4, size_t n4)
{
	size_t got = 0;

	for (size_t i = 0; i < n; i++) {
		const struct unit *x = i < n - n4 ? &u[i] : &u4[i - (n - n4)];
		for (size_t k = 0; k < x->n; k++) {
			uint64_t v = x->as[k] | (x->set ? AS_IN_SET : 0);
			if (got == 0 || as[got - 1] != v)
				as[got++] = v;
		}
	}
	return got;
}

static bool slow_loop(const uint64_t *as, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (as[i] == as[k] && !(as[i] & AS_IN_SET))
				return true;
	return false;
}

static void test_random(void **state)
{
	static struct unit u[60], u4[60];
	uint64_t as[AS_PATH_MAX], want[AS_PATH_MAX];
	size_t got;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct buf b = {0}, a = {0};
		bool two = kit_rnd(2);
		size_t n = random_units(u, 60), n4 = two && kit_rnd(2) ? random_units(u4, 60) : 0;
		units_put(&b, u, n, two);
		units_put(&a, u4, n4, false);
		n4 = n4 > n ? 0 : n4;
		size_t n_want = slow_list(want, u, n, u4, n4);
		enum path_fault fault = list_of(&b, &a, two, as, &got);
		assert_int_equal(fault, slow_loop(want, n_want) ? PATH_LOOP : PATH_OK);
		assert_int_equal(got, n_want);
		assert_memory_equal(as, want, n_want * sizeof(*as));
		buf_free(&b);
		buf_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_as4),
		cmocka_unit_test(test_attrs),
		cmocka_unit_test(test_as4_stale),
		cmocka_unit_test(test_random),
	};

	kit_seed("attr");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
