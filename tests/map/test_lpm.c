/* The longest match against a walk over all prefixes, on random tables: nested, dense, longer than /64, with
 * and without a default route. */
#include "sheet_kit.h"

#include "map/paths.h"

enum { TABLES = 120, PREFIXES = 400, ASKED = 3000 };

static int in_order(const void *a, const void *b)
{
	const struct map_prefix *x = a, *y = b;

	if (x->v != y->v)
		return x->v < y->v ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (int)x->len - (int)y->len;
}

/* Few bits differ, so that they nest and touch. */
static struct ip random_ip(uint8_t v, unsigned spread)
{
	uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8};

	for (int i = v == 4 ? 0 : 4; i < 16; i++)
		if (kit_rnd(16) < spread)
			b[i] = (uint8_t)(kit_rnd(3) ? kit_rnd(2) * 255 : kit_rnd(256));
	if (kit_rnd(20) == 0)
		memset(b, kit_rnd(2) ? 255 : 0, sizeof(b));
	return v == 4 ? ip_v4(b) : ip_v6(b);
}

static size_t random_table(struct map_prefix *to, unsigned spread)
{
	size_t n = 1 + kit_rnd(PREFIXES), kept = 0;
	bool families[2] = {kit_rnd(8) != 0, true};

	families[1] = !families[0] || kit_rnd(8) != 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t v = families[0] && (!families[1] || kit_rnd(2)) ? 4 : 6;
		struct ip ip = random_ip(v, spread);
		uint8_t len = (uint8_t)(kit_rnd(40) ? kit_rnd(ip_bits(&ip) + 1U) : 0);
		if (v == 6 && kit_rnd(2))
			len = (uint8_t)(60 + kit_rnd(9)); /* around /64 */
		struct prefix p = prefix_of(&ip, len);
		to[i] = map_prefix_of(&p);
	}
	qsort(to, n, sizeof(*to), in_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || in_order(&to[i - 1], &to[i]) != 0)
			to[kept++] = to[i];
	return kept;
}

static uint32_t slow(const struct map_prefix *p, size_t n, const struct ip *ip)
{
	uint32_t best = LPM_NONE;

	for (size_t i = 0; i < n; i++) {
		struct prefix is = map_prefix_ip(&p[i]);
		if (is.ip.v == ip->v && prefix_has(&is, ip) && (best == LPM_NONE || p[i].len >= p[best].len))
			best = (uint32_t)i;
	}
	return best;
}

/* A random address, or the first or last one of a prefix or beside it. */
static struct ip ask(const struct map_prefix *p, size_t n, unsigned spread)
{
	if (kit_rnd(3) == 0)
		return random_ip(kit_rnd(2) ? 4 : 6, spread);
	struct prefix is = map_prefix_ip(&p[kit_rnd(n)]);
	struct ip ip = is.ip;
	unsigned bits = ip_bits(&ip);
	bool last = kit_rnd(2);
	for (unsigned i = is.len; last && i < bits; i++)
		ip.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	int step = (int)kit_rnd(3) - 1; /* one before, itself, one behind; the address space is a ring */
	for (int i = (int)bits / 8 - 1; step && i >= 0; i--) {
		ip.b[i] = (uint8_t)(ip.b[i] + step);
		if (ip.b[i] != (step > 0 ? 0 : 255))
			break;
	}
	return ip;
}

static void test_random(void **state)
{
	char *dir = kit_dir(), path[4200];
	static struct map_prefix p[PREFIXES];
	struct err e = {0};
	size_t found = 0, longer = 0;

	(void)state;
	kit_file(path, dir, "lpm");
	for (int t = 0; t < TABLES; t++) {
		unsigned spread = 1 + (unsigned)kit_rnd(8);
		size_t n = random_table(p, spread);
		struct sheet s;
		struct lpm l;
		struct sheet_out *o = sheet_begin(&world_real, path, SHEET_PATHS, &e);
		assert_non_null(o);
		assert_int_equal(lpm_write(o, p, n, &e), STATUS_OK);
		assert_int_equal(sheet_finish(o, &e), STATUS_OK);
		assert_int_equal(sheet_open(&s, path, &e), STATUS_OK);
		assert_true(lpm_view(&l, &s));
		for (int i = 0; i < ASKED; i++) {
			struct ip ip = ask(p, n, spread);
			uint32_t got = lpm_find(&l, &ip), want = slow(p, n, &ip);
			if (got != want) {
				char a[IP_TEXT];
				fail_msg("%s: prefix %u, not %u", ip_text(a, &ip), got, want);
			}
			found += got != LPM_NONE;
			longer += got != LPM_NONE && p[got].len > 64;
		}
		sheet_close(&s);
	}
	assert_true(found > TABLES * ASKED / 4);
	assert_true(longer > TABLES * ASKED / 50);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	kit_seed("longest match");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
