/* UTF-8: every sequence of up to three bytes, and all that begin one of four, against the grammar of RFC 3629
 * section 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

/* The grammar, as it stands there: bounds of each byte. */
static const struct {
	size_t n;
	uint8_t from[4], to[4];
} grammar[] = {
	{1, {0x00}, {0x7f}},
	{2, {0xc2, 0x80}, {0xdf, 0xbf}},
	{3, {0xe0, 0xa0, 0x80}, {0xe0, 0xbf, 0xbf}},
	{3, {0xe1, 0x80, 0x80}, {0xec, 0xbf, 0xbf}},
	{3, {0xed, 0x80, 0x80}, {0xed, 0x9f, 0xbf}},
	{3, {0xee, 0x80, 0x80}, {0xef, 0xbf, 0xbf}},
	{4, {0xf0, 0x90, 0x80, 0x80}, {0xf0, 0xbf, 0xbf, 0xbf}},
	{4, {0xf1, 0x80, 0x80, 0x80}, {0xf3, 0xbf, 0xbf, 0xbf}},
	{4, {0xf4, 0x80, 0x80, 0x80}, {0xf4, 0x8f, 0xbf, 0xbf}},
};

/* Bytes of the character that p begins with, 0 for none. */
static size_t slow(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(grammar) / sizeof(grammar[0]); i++) {
		size_t k = 0;
		while (k < grammar[i].n && k < n && p[k] >= grammar[i].from[k] && p[k] <= grammar[i].to[k])
			k++;
		if (k == grammar[i].n)
			return k;
	}
	return 0;
}

static void compare(const uint8_t *p, size_t n)
{
	struct rd r = rd_of(p, n);
	uint32_t c;
	bool good = utf8_next(&r, &c);
	size_t want = slow(p, n);

	if (good != (want > 0) || (good && (size_t)(r.p - p) != want))
		fail_msg("%02x %02x %02x %02x, %zu bytes", p[0], p[1], p[2], p[3], n);
}

static void by_the_grammar(void **state)
{
	static const uint8_t last[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};

	(void)state;
	for (uint32_t v = 0; v < 1 << 24; v++) {
		uint8_t p[4] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v, last[v % sizeof(last)]};
		compare(p, v % 4 + 1);
		if (p[0] >= 0xf0)
			compare(p, 4);
	}
}

static void values(void **state)
{
	static const struct {
		const char *text;
		uint32_t c;
	} some[] = {{"\x7f", 0x7f}, {"\xc2\x80", 0x80}, {"\xdf\xbf", 0x7ff}, {"\xe0\xa0\x80", 0x800},
		{"\xe2\x80\xae", 0x202e}, {"\xef\xbf\xbf", 0xffff}, {"\xf0\x90\x80\x80", 0x10000},
		{"\xf4\x8f\xbf\xbf", 0x10ffff}};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct rd r = rd_of(some[i].text, strlen(some[i].text));
		uint32_t c;
		assert_true(utf8_next(&r, &c));
		assert_int_equal(c, some[i].c);
		assert_int_equal(rd_left(&r), 0);
	}
}

/* The edges of what no line has. */
static void lines(void **state)
{
	static const char *const good[] = {"", " ~", "\xc2\xa0", "\xe2\x80\xa7", "\xe2\x80\xaf",
		"\xe2\x81\xa5", "\xe2\x81\xaa", "\xf0\x9f\x98\x80"};
	static const char *const bad[] = {"\x01", "a\n", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f",
		"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", "a\xff", "\xe2\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_line_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_line_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_grammar),
		cmocka_unit_test(values),
		cmocka_unit_test(lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
