/* Lines of the text formats: what is taken, what is counted and which line is named; files in pieces of any
 * size and cut off anywhere; what a file looks like. */
#include "text_kit.h"

#include "map/links.h"
#include "map/paths.h"

/* What becomes of one line, behind one that is good. */
static void one_line(enum text_kind k, const char *before, const char *line, enum text_line want)
{
	struct text_reader *t = text_new(k);
	char text[512];
	int n = snprintf(text, sizeof(text), "%s%s\n", before, line);

	assert_non_null(t);
	assert_true(kit_feed(t, before, strlen(before), 0, true));
	uint64_t kept = text_counted(t)->kept;
	text_free(t);
	t = text_new(k);
	assert_non_null(t);
	assert_true(kit_feed(t, text, (size_t)n, 0, true));
	const struct text_counts *c = text_counted(t);
	if (c->kept - kept != (want == LINE_KEPT) || c->bad != (want == LINE_BAD) ||
		c->nobodys != (want == LINE_NOBODYS))
		fail_msg("\"%s\": kept %d, bad %d", line, (int)(c->kept - kept), (int)c->bad);
	text_free(t);
}

struct row {
	const char *line;
	enum text_line want;
};

static void each(enum text_kind k, const char *before, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		one_line(k, before, row[i].line, row[i].want);
}
#define EACH(kind, before, rows) each(kind, before, rows, sizeof(rows) / sizeof((rows)[0]))

static void as_rel_lines(void **state)
{
	static const struct row rows[] = {{"64500|64501|-1", LINE_KEPT}, {"64500|64501|0|bgp", LINE_KEPT},
		{"64500|64501|0\r", LINE_KEPT}, {"4200000000|64501|-1|mlp", LINE_KEPT},
		{"# a comment", LINE_OTHER}, {"", LINE_OTHER}, {"\r", LINE_OTHER},
		{"64500|64501|1", LINE_BAD}, {"64500|64501|2", LINE_BAD}, {"64500|64501|-0", LINE_BAD},
		{"64500|64501|-1x", LINE_BAD}, {"64500|64501|", LINE_BAD}, {"64500|64501", LINE_BAD},
		{"64500||0", LINE_BAD}, {"|64500|0", LINE_BAD}, {"0|64501|0", LINE_BAD},
		{"64500|0|-1", LINE_BAD}, {"23456|64501|0", LINE_BAD}, {"65535|64501|0", LINE_BAD},
		{"65552|64501|0", LINE_BAD}, {"131071|64501|0", LINE_BAD}, {"131072|64501|0", LINE_KEPT},
		{"4294967295|64501|0", LINE_BAD}, {"4294967294|64501|0", LINE_KEPT},
		{"4294967296|64501|0", LINE_BAD}, {"99999999999999999999|64501|0", LINE_BAD},
		{"64500|64500|0", LINE_BAD}, {" 64500|64501|0", LINE_BAD}, {"-64500|64501|0", LINE_BAD},
		{"AS64500|64501|0", LINE_BAD}, {"64500 64501 0", LINE_BAD}};

	(void)state;
	EACH(TEXT_AS_REL, "", rows);
}

static void delegated_lines(void **state)
{
	static const struct row rows[] = {{"2.3|apnic|20160131|73407||20160130|+1000", LINE_OTHER},
		{"apnic|*|asn|*|7283|summary", LINE_OTHER},
		{"2|apnic|20160131|73407|19830613|20160130|+1000", LINE_OTHER},
		{"apnic|KP|ipv4|192.0.2.0|256|20091221|allocated|A9183010", LINE_KEPT},
		{"apnic|KP|ipv4|192.0.2.0|256|20091221|assigned", LINE_KEPT},
		{"apnic|kp|ipv4|192.0.2.0|768||assigned|", LINE_KEPT},
		{"apnic||ipv4|192.0.2.0|768||available|", LINE_NOBODYS},
		{"apnic|ZZ|asn|0|1||reserved|", LINE_NOBODYS},
		{"apnic|KP|asn|64500|1|20091221|allocated|A9183010|e-stats", LINE_KEPT},
		{"apnic|KP|ipv6|2001:db8::|32|20091221|allocated|A9183010", LINE_KEPT},
		{"apnic|KP|ipv6|2001:db8::|65|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv6|2001:db8::1|32|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv6|192.0.2.0|32|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|2001:db8::|256|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|255.255.255.0|257|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|255.255.255.0|256|20091221|allocated|A9183010", LINE_KEPT},
		{"apnic|KP|ipv4|192.0.2.0|0|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|192.0.2.0|-1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|192.0.2.256|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|192.0.2|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|192.0.2.0001|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KPX|ipv4|192.0.2.0|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|K1|ipv4|192.0.2.0|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|asn|4294967295|2|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|asn|0|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|asn|23456|1|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv5|192.0.2.0|256|20091221|allocated|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|192.0.2.0|256|20091221|taken|A9183010", LINE_BAD},
		{"apnic|KP|ipv4|192.0.2.0|256|20091221", LINE_BAD}, {"apnic", LINE_BAD},
		{"|||||||", LINE_BAD}};

	(void)state;
	EACH(TEXT_DELEGATED, "", rows);
}

static void origins_lines(void **state)
{
	static const struct row rows[] = {{"192.0.2.0/24\t64500", LINE_KEPT},
		{"192.0.2.0\t24\t64500", LINE_KEPT}, {"192.0.2.0/24 64500", LINE_KEPT},
		{"192.0.2.0\t24\t64500_64501", LINE_KEPT}, {"192.0.2.0\t24\t64500,64501_64502", LINE_KEPT},
		{"2001:db8::/32\t64500", LINE_KEPT}, {"2001:db8::\t32\t64500\r", LINE_KEPT},
		{"0.0.0.0/0\t64500", LINE_KEPT}, {"; IP-ASN32-DAT file", LINE_OTHER},
		{"192.0.2.1/24\t64500", LINE_BAD}, {"192.0.2.0/33\t64500", LINE_BAD},
		{"2001:db8::/129\t64500", LINE_BAD}, {"2001:db8::1/32\t64500", LINE_BAD},
		{"192.0.2.0/24\t0", LINE_BAD}, {"192.0.2.0/24\t23456_0", LINE_BAD},
		{"192.0.2.0/24\t0_64500", LINE_KEPT}, {"192.0.2.0/24\t64500_", LINE_BAD},
		{"192.0.2.0/24\t", LINE_BAD}, {"192.0.2.0/24", LINE_BAD}, {"192.0.2.0\t\t64500", LINE_BAD},
		{"192.0.2.0/24\t64500 x", LINE_BAD}, {"192.0.2.0/24\tAS64500", LINE_BAD},
		{"192.0.2.0/24\t{64500,64501}", LINE_BAD}, {"192.0.2/24\t64500", LINE_BAD},
		{"x/24\t64500", LINE_BAD}, {"/24\t64500", LINE_BAD}, {"192.0.2.0/24\t4294967296", LINE_BAD}};

	(void)state;
	EACH(TEXT_ORIGINS, "", rows);
}

#define ORG_FORMAT "# format:org_id|changed|org_name|country|source\n"
#define AUT_FORMAT "# format:aut|changed|aut_name|org_id|opaque_id|source\n"
#define AUT_OLD    "# format:aut|changed|aut_name|org_id|source\n"

static void names_lines(void **state)
{
	static const struct row aut[] = {{"64500|20200101|EXAMPLE|ORG-1|x|APNIC", LINE_KEPT},
		{"64500|||||", LINE_KEPT}, {"64500|20200101|EXAMPLE|ORG-1|APNIC", LINE_BAD},
		{"64500|20200101|EXAMPLE|ORG-1|x|APNIC|more", LINE_BAD},
		{"0|20200101|EXAMPLE|ORG-1|x|APNIC", LINE_BAD},
		{"x|20200101|EXAMPLE|ORG-1|x|APNIC", LINE_BAD}, {"# program start time|1", LINE_OTHER}};
	static const struct row old[] = {{"64500|20200101|EXAMPLE|ORG-1|APNIC", LINE_KEPT}};
	static const struct row org[] = {{"ORG-1|20200101|Example|KP|APNIC", LINE_KEPT},
		{"ORG-1|20200101|Example||APNIC", LINE_KEPT}, {"|20200101|Example|KP|APNIC", LINE_BAD},
		{"ORG-1|20200101|Example|KP", LINE_BAD}};
	static const struct row none[] = {{"64500|20200101|EXAMPLE|ORG-1|x|APNIC", LINE_BAD}};
	static const struct row txt[] = {{"64500 EXAMPLE Example, KP", LINE_KEPT},
		{"64500 EXAMPLE", LINE_KEPT}, {"64500", LINE_BAD}, {"64500 ", LINE_BAD},
		{"0 -Reserved AS-, ZZ", LINE_BAD}, {"EXAMPLE", LINE_BAD}};

	(void)state;
	EACH(TEXT_AS_ORG, AUT_FORMAT, aut);
	EACH(TEXT_AS_ORG, AUT_OLD, old);
	EACH(TEXT_AS_ORG, ORG_FORMAT, org);
	EACH(TEXT_AS_ORG, "", none);
	EACH(TEXT_AS_NAMES, "", txt);
}

/* ---- bytes ---- */

static const char sample[] = "\xef\xbb\xbf# inferred clique: "
			     "64500\r\n64500|64501|-1\r\nbad\n\n64501|64502|0\nworse\n64500|64502|-1";

/* In pieces of every size: the same counts, and the first bad line's number. */
static void any_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(sample); piece++) {
		struct text_reader *t = text_new(TEXT_AS_REL);
		assert_non_null(t);
		assert_true(kit_feed(t, sample, sizeof(sample) - 1, piece, true));
		const struct text_counts *c = text_counted(t);
		assert_int_equal(c->line, 7);
		assert_int_equal(c->kept, 3);
		assert_int_equal(c->bad, 2);
		assert_int_equal(c->first_bad, 3);
		text_free(t);
	}
}

/* Cut off anywhere: what stands behind the last line feed is not taken. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(sample); n++) {
		size_t lines = 0;
		struct text_reader *t = text_new(TEXT_AS_REL);
		for (size_t i = 0; i < n; i++)
			lines += sample[i] == '\n';
		assert_non_null(t);
		assert_true(kit_feed(t, sample, n, 1 + n / 3, false));
		assert_int_equal(text_counted(t)->line, lines);
		text_free(t);
	}
}

/* A line beyond the bound is one bad line, in whatever pieces it comes, and what follows is read. */
static void long_lines(void **state)
{
	size_t n = 3 * TEXT_LINE_MAX, at = 0;
	char *text = malloc(n + 64);

	(void)state;
	assert_non_null(text);
	at = (size_t)sprintf(text, "64500|64501|0\n64500|64502|0|");
	memset(text + at, 'x', n);
	at += n;
	at += (size_t)sprintf(text + at, "\n64500|64503|0\n");
	for (size_t piece = 1000; piece <= at; piece *= 3) {
		struct text_reader *t = text_new(TEXT_AS_REL);
		assert_non_null(t);
		assert_true(kit_feed(t, text, at, piece, true));
		assert_int_equal(text_counted(t)->line, 3);
		assert_int_equal(text_counted(t)->kept, 2);
		assert_int_equal(text_counted(t)->bad, 1);
		assert_int_equal(text_counted(t)->first_bad, 2);
		text_free(t);
	}
	free(text);
}

static void looks(void **state)
{
	static const struct {
		const char *text;
		enum text_kind want;
	} row[] = {
		{"# source:topology|BGP|20150101|ripe|rrc00\n# inferred clique: 64500\n", TEXT_AS_REL},
		{"64500|64501|-1\n", TEXT_AS_REL},
		{"garbage\n64500|64501|0|bgp\n", TEXT_AS_REL},
		{"#\n# conditions\n2.3|apnic|20160131|73407||20160130|+1000\n", TEXT_DELEGATED},
		{"2|ripencc|1448838000|101|19830705|20151129|+0100\n", TEXT_DELEGATED},
		{"apnic|KP|ipv4|192.0.2.0|256|20091221|allocated|A9183010", TEXT_DELEGATED},
		{"; IP-ASN32-DAT file\n;\n192.0.2.0/24\t64500\n", TEXT_ORIGINS},
		{"\xef\xbb\xbf"
		 "192.0.2.0\t24\t64500_64501\r\n",
			TEXT_ORIGINS},
		{"# name: AS Org\n# some\n" ORG_FORMAT, TEXT_AS_ORG},
		{AUT_OLD, TEXT_AS_ORG},
		{"64500 EXAMPLE Example, KP\n", TEXT_AS_NAMES},
		{"", TEXT_NONE},
		{"\n\n\n", TEXT_NONE},
		{"# nothing but this\n", TEXT_NONE},
		{"hello world\n", TEXT_NONE},
		{"64500 64501\n", TEXT_NONE},
		{"{\"a\":1}\n", TEXT_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (text_looks((const uint8_t *)row[i].text, strlen(row[i].text)) != row[i].want)
			fail_msg("%s", row[i].text);
	static const uint8_t mrt[] = "\x53\x7f\x00\x00\x00\x0d\x00\x01\x00\x00\x00\x10";
	assert_int_equal(text_looks(mrt, sizeof(mrt)), TEXT_NONE);
}

static void nothing_of_use(void **state)
{
	static const char *const text[] = {"", "# only\n", "bad\nworse\n", "64500|64500|0\n"};
	struct kit_sheet k;

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		kit_sheet_text(&k, TEXT_AS_REL, text[i]);
		assert_int_equal(k.status, STATUS_BAD);
		assert_null(strchr(k.err.text, '\n'));
		kit_sheet_free(&k);
	}
	kit_sheet_text(&k, TEXT_AS_REL, "# x\nbad\n");
	assert_string_equal(k.err.text, "no AS relationships in 2 lines; line 2 is the first not understood");
	kit_sheet_free(&k);
	kit_sheet_text(&k, TEXT_AS_ORG, ORG_FORMAT "ORG-1|20200101|Example|KP|APNIC\n");
	assert_int_equal(k.status, STATUS_BAD);
	kit_sheet_free(&k);
}

/* ---- origins into a sheet ---- */

static void origins_sheet(void **state)
{
	struct kit_sheet k;
	struct paths p;
	struct prefix q;
	size_t n;

	(void)state;
	kit_sheet_text(&k, TEXT_ORIGINS,
		"; Original file : data/rib.20140513.0600.bz2.skip\n"
		"198.51.100.0/24\t64500\n192.0.2.0\t24\t64502_64501\n2001:db8::/32\t64500\n");
	assert_int_equal(k.status, STATUS_OK);
	assert_int_equal(k.sheet.to.us, 1399939200 * SECOND_US);
	assert_int_equal(paths_view(&p, &k.sheet, &k.err), STATUS_OK);
	assert_int_equal(p.n_prefix, 3);
	assert_true(prefix_parse(&q, "192.0.2.0/24"));
	uint32_t as = paths_origin(&p, paths_prefix(&p, &q), &n);
	assert_int_equal(n, 2);
	assert_true(p.as[as] == 64501 || p.as[as] == 64502);
	assert_true(prefix_parse(&q, "2001:db8::/32"));
	as = paths_origin(&p, paths_prefix(&p, &q), &n);
	assert_int_equal(p.as[as], 64500);
	assert_int_equal(n, 1);
	kit_sheet_free(&k);
}

static void real_origins(void **state)
{
	struct kit_sheet k;
	struct paths p;
	struct ip ip;
	size_t n;

	(void)state;
	if (!kit_sheet_file(&k, "pyasn.ipasn_20140513.dat.gz"))
		skip();
	assert_int_equal(k.counts.line, 512626);
	assert_int_equal(k.counts.kept + k.counts.bad + 5, k.counts.line);
	/* of numbers that no network has: 20 of AS23456, AS65535, 4 of AS65559 and AS65600 */
	assert_int_equal(k.counts.bad, 25);
	assert_int_equal(paths_view(&p, &k.sheet, &k.err), STATUS_OK);
	assert_int_equal(p.n_prefix, k.counts.kept);
	assert_true(ip_parse(&ip, "175.45.176.1"));
	uint32_t at = paths_longest(&p, &ip);
	assert_int_not_equal(at, NO_INDEX32);
	assert_int_equal(p.prefix[at].len, 24);
	assert_int_equal(p.as[paths_origin(&p, at, &n)], 131279);
	kit_sheet_free(&k);
}

/* A compressed file that was cut off: whole lines are taken, the line it ends in is not, and that is said. */
static void cut_off_file(void **state)
{
	char dir[] = "/tmp/weir-text-XXXXXX", path[64], line[512];
	struct kit_sheet k;
	struct input *in;
	struct links l;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/cut.gz", dir);
	(void)snprintf(line, sizeof(line),
		"i=64500; while [ $i -lt 65500 ]; do echo \"$i|$((i + 4200000000 - 64500))|-1\"; i=$((i + "
		"1)); done | "
		"gzip -1 >%s && truncate -s -300 %s",
		path, path);
	if (system(line) != 0)
		skip();
	memset(&k, 0, sizeof(k));
	(void)snprintf(k.path, sizeof(k.path), "%s/sheet", dir);
	(void)snprintf(k.dir, sizeof(k.dir), "%s", dir);
	assert_int_equal(input_open(&in, path, 1, &k.err), STATUS_OK);
	struct sheet_out *o = sheet_begin(&world_real, k.path, SHEET_LINKS, &k.err);
	assert_non_null(o);
	assert_int_equal(text_load(o, TEXT_AS_REL, in, &k.counts, NULL, NULL, &k.err), STATUS_OK);
	assert_non_null(input_damage(in));
	input_close(in);
	assert_int_equal(sheet_finish(o, &k.err), STATUS_OK);
	assert_int_equal(sheet_open(&k.sheet, k.path, &k.err), STATUS_OK);
	assert_int_equal(links_view(&l, &k.sheet, &k.err), STATUS_OK);
	assert_int_equal(k.counts.bad, 0);
	assert_int_equal(k.counts.kept, k.counts.line);
	assert_true(k.counts.kept > 500 && k.counts.kept < 1000);
	for (uint32_t i = 0; i < l.n_as / 2; i++) /* no number is a part of another */
		assert_int_equal(l.as[l.n_as / 2 + i], 4200000000U + i);
	(void)unlink(path);
	kit_sheet_free(&k);
}

static bool stop(void *self)
{
	(void)self;
	return false;
}

/* Told to stop, it stops. */
static void stopped(void **state)
{
	char path[] = "/tmp/weir-text-XXXXXX";
	struct text_counts c;
	struct input *in;
	struct err e;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 200000; i++)
		(void)fprintf(f, "64500|64501|-1\n");
	assert_int_equal(fclose(f), 0);
	assert_int_equal(input_open(&in, path, 1, &e), STATUS_OK);
	assert_int_equal(text_load(NULL, TEXT_AS_REL, in, &c, stop, NULL, &e), STATUS_NO);
	input_close(in);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_rel_lines),
		cmocka_unit_test(delegated_lines),
		cmocka_unit_test(origins_lines),
		cmocka_unit_test(names_lines),
		cmocka_unit_test(any_pieces),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(looks),
		cmocka_unit_test(nothing_of_use),
		cmocka_unit_test(origins_sheet),
		cmocka_unit_test(real_origins),
		cmocka_unit_test(cut_off_file),
		cmocka_unit_test(stopped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
