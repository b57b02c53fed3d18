/* Delegations that do not overlap, equal to a slow second implementation (every number painted) on random
 * files; names and siblings; a damaged sheet is refused; the real file. */
#include "text_kit.h"

#include "map/registry.h"

#define SPACE 300 /* numbers, or addresses, or /64s, that a random file is about */
#define ROWS  30

struct painted {
	uint32_t width, date, row; /* row + 1; 0: nobody's */
};

static bool over(struct painted a, struct painted b)
{
	if (b.row == 0 || a.width != b.width)
		return b.row == 0 || a.width < b.width;
	return a.date != b.date ? a.date > b.date : a.row > b.row;
}

static const char base4[] = "192.0.";
/* 2001:db8:: and the place in the last 16 bits of the top half. */
static void number_text(char to[64], int kind, uint32_t i)
{
	if (kind == NUMBER_ASN)
		(void)sprintf(to, "%u", 4200000000U + i);
	else if (kind == NUMBER_IPV4)
		(void)sprintf(to, "%s%u.%u", base4, i / 256, i % 256);
	else
		(void)sprintf(to, "2001:db8:0:%x::", i);
}

/* The row that counts for a number by what is in the sheet; 0 for none. Its date tells. */
static uint32_t row_of(const struct registry *r, int kind, uint32_t i)
{
	char text[64];
	struct ip ip;
	const struct delegation *d;

	if (kind == NUMBER_ASN) {
		d = registry_asn(r, 4200000000U + i);
	} else {
		number_text(text, kind, i);
		assert_true(ip_parse(&ip, text));
		d = registry_ip(r, &ip);
	}
	return d ? (uint32_t)atoi(strrchr(registry_text(r, d->holder), '/') + 2) : 0;
}

static void random_file(int kind)
{
	static const char *const kinds[] = {"asn", "ipv4", "ipv6"};
	static struct painted paint[SPACE];
	static char text[ROWS * 100];
	bool left[ROWS + 1] = {false};
	struct kit_sheet k;
	struct registry r;
	size_t n = 1 + kit_rnd(ROWS), at = 0, lost = 0;

	memset(paint, 0, sizeof(paint));
	for (uint32_t i = 1; i <= n; i++) {
		char first_text[64];
		uint32_t len = 64 - (uint32_t)kit_rnd(9), first, width;
		if (kind == NUMBER_IPV6) {
			width = 1U << (64 - len);
			first = (uint32_t)kit_rnd(SPACE / width) * width;
		} else {
			first = (uint32_t)kit_rnd(SPACE);
			width = 1 + (uint32_t)kit_rnd(kit_rnd(2) ? 8 : SPACE - first);
			width = width > SPACE - first ? SPACE - first : width;
		}
		uint32_t date = 20100101 + (uint32_t)kit_rnd(3);
		number_text(first_text, kind, first);
		at += (size_t)sprintf(text + at, "rir|KP|%s|%s|%u|%u|allocated|H%u\n", kinds[kind],
			first_text, kind == NUMBER_IPV6 ? len : width, date, i);
		for (uint32_t j = first; j < first + width; j++)
			if (over((struct painted){width, date, i}, paint[j]))
				paint[j] = (struct painted){width, date, i};
	}
	for (uint32_t i = 0; i < SPACE; i++)
		left[paint[i].row] = true;
	for (uint32_t i = 1; i <= n; i++)
		lost += !left[i];
	kit_sheet_make(&k, TEXT_DELEGATED, text, at, 0, true);
	assert_int_equal(k.status, STATUS_OK);
	assert_int_equal(k.counts.twice, lost);
	assert_int_equal(k.counts.kept, n - lost);
	assert_int_equal(registry_view(&r, &k.sheet, &k.err), STATUS_OK);
	for (uint32_t i = 0; i < SPACE; i++)
		if (row_of(&r, kind, i) != paint[i].row)
			fail_msg("%s %u: row %u, not %u\n%s", kinds[kind], i, row_of(&r, kind, i),
				paint[i].row, text);
	kit_sheet_free(&k);
}

static void random_files(void **state)
{
	(void)state;
	kit_seed("random delegations");
	for (int i = 0; i < 600; i++)
		random_file(i % NUMBER_KINDS);
}

/* The ends of the number spaces. */
static void ends(void **state)
{
	struct kit_sheet k;
	struct registry r;
	struct ip ip;

	(void)state;
	kit_sheet_text(&k, TEXT_DELEGATED,
		"rir|KP|ipv4|255.255.255.0|256|20100101|allocated|a\nrir|CN|ipv4|0.0.0.0|1|20100101|"
		"allocated|a\n"
		"rir|KP|ipv6|::|0|20100101|allocated|a\nrir|CN|ipv6|ffff:ffff:ffff:ffff::|64|20100101|"
		"allocated|b\n"
		"rir|CN|ipv6|::|64|20100101|allocated|b\n"
		"rir|KP|asn|4294967294|2|20100101|allocated|a\nrir||asn|1|1|20100101|available|\n");
	assert_int_equal(k.status, STATUS_OK);
	assert_int_equal(k.counts.nobodys, 1);
	assert_int_equal(registry_view(&r, &k.sheet, &k.err), STATUS_OK);
	assert_memory_equal(registry_asn(&r, UINT32_MAX)->cc, "KP", 2);
	assert_null(registry_asn(&r, 1));
	assert_null(registry_asn(&r, 0));
	static const struct {
		const char *ip, *cc;
	} row[] = {{"255.255.255.255", "KP"}, {"255.255.254.255", NULL}, {"0.0.0.0", "CN"}, {"0.0.0.1", NULL},
		{"::1", "CN"}, {"0:0:0:1::", "KP"}, {"7fff::", "KP"}, {"8000::", "KP"},
		{"ffff:ffff:ffff:fffe::", "KP"}, {"ffff:ffff:ffff:ffff::1", "CN"}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_true(ip_parse(&ip, row[i].ip));
		const struct delegation *d = registry_ip(&r, &ip);
		if (!row[i].cc != !d || (d && memcmp(d->cc, row[i].cc, 2) != 0))
			fail_msg("%s", row[i].ip);
	}
	kit_sheet_free(&k);
}

static void names(void **state)
{
	struct kit_sheet k;
	struct holders h;

	(void)state;
	kit_sheet_text(&k, TEXT_AS_ORG,
		"# "
		"format:aut|changed|aut_name|org_id|opaque_id|source\n64501|1|TWO|ORG-1|x|RIPE\n64500|1|ONE|"
		"ORG-1|x|RIPE\n"
		"64500|2|AGAIN|ORG-2|x|RIPE\n64502|1|T\xc3\xa9l\x1b[31m|ORG-3|x|RIPE\n"
		"# format:org_id|changed|org_name|country|source\nORG-1|1|The "
		"One|KP|RIPE\nORG-2|1|Other|CN|RIPE\n");
	assert_int_equal(k.status, STATUS_OK);
	assert_int_equal(k.counts.twice, 1);
	assert_int_equal(k.counts.kept, 5);
	assert_int_equal(holders_view(&h, &k.sheet, &k.err), STATUS_OK);
	assert_int_equal(h.n, 3);
	const struct holder *a = holders_find(&h, 64500), *b = holders_find(&h, 64501),
			    *c = holders_find(&h, 64502);
	assert_string_equal(holders_text(&h, a->name), "ONE");
	assert_string_equal(holders_text(&h, a->org_name), "The One");
	assert_string_equal(holders_text(&h, a->org), "ORG-1");
	assert_int_equal(a->org, b->org);
	assert_memory_equal(a->cc, "KP", 2);
	assert_string_equal(holders_text(&h, c->name), "T??l?[31m"); /* never as it came */
	assert_string_equal(holders_text(&h, c->org_name), "");
	assert_string_equal(holders_text(&h, UINT32_MAX), "");
	assert_null(holders_find(&h, 64503));
	kit_sheet_free(&k);
	kit_sheet_text(&k, TEXT_AS_NAMES,
		"64500 STAR-KP - Star Joint Venture, Co Ltd, KP\n64501 BARE\n64502 BARE, ZZ\n");
	assert_int_equal(holders_view(&h, &k.sheet, &k.err), STATUS_OK);
	a = holders_find(&h, 64500);
	assert_string_equal(holders_text(&h, a->name), "STAR-KP");
	assert_string_equal(holders_text(&h, a->org_name), "Star Joint Venture, Co Ltd");
	assert_memory_equal(a->cc, "KP", 2);
	assert_int_equal(a->org, 0);
	assert_string_equal(holders_text(&h, holders_find(&h, 64502)->name), "BARE");
	assert_int_equal(holders_find(&h, 64502)->cc[0], 0);
	kit_sheet_free(&k);
}

/* Every byte behind the head turned: refused, or read without harm. */
static void damaged(void **state)
{
	struct kit_sheet k;
	struct registry r;
	size_t refused = 0;

	(void)state;
	kit_sheet_text(&k, TEXT_DELEGATED,
		"rir|KP|ipv4|192.0.2.0|256|20100101|allocated|a\nrir|CN|ipv4|192.0.3.0|256|20100101|"
		"allocated|b\n"
		"rir|KP|ipv6|2001:db8::|32|20100101|allocated|a\nrir|KP|asn|64500|2|20100101|allocated|a\n");
	uint64_t *copy = malloc(k.sheet.n);
	assert_non_null(copy);
	for (size_t i = 1024; i < k.sheet.n; i++) {
		struct sheet s = k.sheet;
		struct ip ip;
		memcpy(copy, k.sheet.map, k.sheet.n);
		((uint8_t *)copy)[i] ^= 0xff;
		s.map = (const uint8_t *)copy;
		if (registry_view(&r, &s, &k.err) != STATUS_OK) {
			refused++;
			continue;
		}
		assert_true(ip_parse(&ip, "192.0.2.1"));
		const struct delegation *d = registry_ip(&r, &ip);
		assert_true(!d || strlen(registry_text(&r, d->holder)) < 16);
	}
	free(copy);
	assert_true(refused > 20);
	kit_sheet_free(&k);
}

static void real_file(void **state)
{
	struct kit_sheet k;
	struct registry r;
	struct ip ip;

	(void)state;
	if (!kit_sheet_file(&k, "delegated-apnic-extended-2016.bz2"))
		skip();
	assert_int_equal(k.counts.bad, 0);
	assert_int_equal(k.counts.twice, 0);
	assert_int_equal(k.counts.kept, 6683 + 22340 + 9965 + 3387 + 1096);
	assert_int_equal(k.counts.nobodys, 600 + 103 + 733 + 28145 + 355);
	assert_int_equal(k.sheet.to.us, 1454112000 * SECOND_US); /* 2016-01-30 */
	assert_int_equal(registry_view(&r, &k.sheet, &k.err), STATUS_OK);
	size_t kp = 0;
	for (size_t i = 0; i < r.n[NUMBER_IPV4]; i++)
		kp += memcmp(r.of[NUMBER_IPV4][i].cc, "KP", 2) == 0;
	assert_int_equal(kp, 1);
	assert_true(ip_parse(&ip, "175.45.179.255"));
	const struct delegation *d = registry_ip(&r, &ip), *as = registry_asn(&r, 131279);
	assert_non_null(d);
	assert_non_null(as);
	assert_int_equal(d->first, 0xaf2db000U); /* 175.45.176.0 */
	assert_int_equal(d->n, 1024);
	assert_memory_equal(as->cc, "KP", 2);
	assert_string_equal(registry_text(&r, as->holder), "apnic/A9183010");
	assert_int_equal(as->holder, d->holder);
	kit_sheet_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_files),
		cmocka_unit_test(ends),
		cmocka_unit_test(names),
		cmocka_unit_test(damaged),
		cmocka_unit_test(real_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
