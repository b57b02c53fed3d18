/* Speed of the text tables: each format's lines from memory (decompression apart), CPU time of one core; then
 * the naming of addresses from sheets of 500,000 prefixes, 65,000 delegations and 60,000 names.  The texts
 * are made up, of lines as real files have them; argument: a directory to write the sheets to.  Exit status 1
 * where a limit is not met. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "map/atlas.h"
#include "map/text_in.h"

#define PIECE     ((size_t)1 << 20)
#define TEXT_SIZE ((size_t)48 << 20)
#define LEAST     200.0  /* MB/s */
#define MOST      1000.0 /* ns for a name */
#define RUNS      3
#define ASKED     1000000
#define ASNS      60000U

static uint64_t state = 88172645463325252U;

static uint64_t rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static double cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int told(const char *what, double figure, const char *unit, double limit, bool met)
{
	(void)printf("%s: %.0f %s; limit %.0f: %s\n", what, figure, unit, limit, met ? "MET" : "NOT MET");
	return !met;
}

/* ---- lines ---- */

static unsigned asn_of(uint64_t i)
{
	return (unsigned)(i % ASNS) + 1 < 23456 ? (unsigned)(i % ASNS) + 1 : (unsigned)(i % ASNS) + 131072;
}

static int rel_line(char *to, uint64_t i)
{
	return sprintf(to, "%u|%u|%d\n", asn_of(i), asn_of(i + 1 + rnd(1000)), i % 3 ? -1 : 0);
}

static int delegated_line(char *to, uint64_t i)
{
	unsigned a = (unsigned)(i * 1024);

	return sprintf(to, "apnic|KP|ipv4|%u.%u.%u.%u|1024|20091221|allocated|A9%06u\n", 1 + (a >> 24) % 220,
		a >> 16 & 255, a >> 8 & 255, a & 255, (unsigned)rnd(20000));
}

static int origins_line(char *to, uint64_t i)
{
	unsigned a = (unsigned)(i << 12) + 0x01000000U;

	return sprintf(to, "%u.%u.%u.0/%u\t%u\n", a >> 24 & 255, a >> 16 & 255, a >> 8 & 255,
		i % 3 ? 24U : 22U, asn_of(rnd(ASNS)));
}

static int as_org_line(char *to, uint64_t i)
{
	return sprintf(to,
		"%u|20200101|EXAMPLE-AS-%u|ORG-%u-RIPE|52f0fcfca8e0bd3ee25b7b1c07e6d1d1_APNIC|APNIC\n",
		asn_of(i), (unsigned)i, (unsigned)rnd(ASNS));
}

static int as_names_line(char *to, uint64_t i)
{
	return sprintf(to, "%u EXAMPLE-AS-%u Example Organisation of Somewhere, KP\n", asn_of(i),
		(unsigned)(i % ASNS));
}

static const struct {
	const char *head;
	int (*line)(char *to, uint64_t i);
	uint64_t lookup_lines; /* for the sheets that names are looked up in */
} formats[TEXT_KINDS] = {
	[TEXT_AS_REL] = {"# inferred clique: 1 2 3\n", rel_line, 0},
	[TEXT_DELEGATED] = {"2.3|apnic|20160131|1||20160130|+1000\n", delegated_line, 65000},
	[TEXT_ORIGINS] = {"; IP-ASN32-DAT file\n", origins_line, 500000},
	[TEXT_AS_ORG] = {"# format:aut|changed|aut_name|org_id|opaque_id|source\n", as_org_line, 60000},
	[TEXT_AS_NAMES] = {"", as_names_line, 0},
};

static size_t text_make(char *to, enum text_kind k, size_t size, uint64_t lines)
{
	size_t n = (size_t)sprintf(to, "%s", formats[k].head);

	for (uint64_t i = 0; i < lines && n + 256 < size; i++)
		n += (size_t)formats[k].line(to + n, i);
	return n;
}

/* ---- measures ---- */

static struct text_reader *read_all(enum text_kind k, const char *text, size_t n)
{
	struct text_reader *t = text_new(k);
	const uint8_t *p = (const uint8_t *)text;

	for (size_t at = 0, taken; t && at < n; at += taken) {
		size_t give = n - at < PIECE ? n - at : PIECE;
		if (!text_feed(t, p + at, give, at + give == n, &taken))
			exit(3);
	}
	return t;
}

/* The best of some runs. */
static int lines_measure(enum text_kind k, const char *what, const char *text, size_t n)
{
	double best = 1e9;

	for (int i = 0; i < RUNS; i++) {
		double from = cpu();
		struct text_reader *t = read_all(k, text, n);
		double took = cpu() - from;
		if (!t || text_counted(t)->kept == 0)
			exit(3);
		best = took < best ? took : best;
		text_free(t);
	}
	double speed = (double)n / 1e6 / best;
	(void)printf("%s, %.1f MB: ", what, (double)n / 1e6);
	return told(text_kind_text[k], speed, "MB/s", LEAST, speed >= LEAST);
}

/* A file from its first byte to its last; what it is. */
static enum text_kind file_measure(const char *path, char *text, int *missed)
{
	struct err e = {0};
	struct input *in;
	const uint8_t *p;
	size_t n = 0, have;

	if (input_open(&in, path, 2, &e) != STATUS_OK)
		exit(3);
	while (input_peek(in, PIECE, &p, &have, &e) == STATUS_OK && have && n < TEXT_SIZE) {
		have = have < PIECE ? have : PIECE;
		memcpy(text + n, p, have);
		n += have;
		input_skip(in, have);
	}
	input_close(in);
	enum text_kind k = text_looks((const uint8_t *)text, n);
	if (k != TEXT_NONE)
		*missed += lines_measure(k, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, text, n);
	return k;
}

static void sheet_make(const char *dir, enum text_kind k, char *text, struct sheet *s)
{
	char path[4096];
	struct err e = {0};
	struct text_counts c;
	size_t n = text_make(text, k, TEXT_SIZE, formats[k].lookup_lines);

	(void)snprintf(path, sizeof(path), "%s/texts-%d", dir, (int)k);
	struct sheet_out *o = sheet_begin(&world_real, path, text_sheet(k), &e);
	struct text_reader *t = read_all(k, text, n);
	double from = cpu();
	if (!o || !t || text_finish(t, o, &c, &e) != STATUS_OK || sheet_finish(o, &e) != STATUS_OK ||
		sheet_open(s, path, &e) != STATUS_OK) {
		(void)fprintf(stderr, "texts: %s\n", e.text);
		exit(3);
	}
	(void)printf("sheet of %s, %llu lines: %.0f ms\n", text_kind_text[k], (unsigned long long)c.kept,
		(cpu() - from) * 1e3);
	text_free(t);
	(void)unlink(path);
}

static int names_measure(const char *dir, char *text)
{
	struct sheet s[3];
	struct paths p;
	struct registry r;
	struct holders h;
	const struct paths *pp[] = {&p};
	const struct registry *rr[] = {&r};
	const struct holders *hh[] = {&h};
	struct atlas a = {.origins = pp,
		.n_origins = 1,
		.registry = rr,
		.n_registry = 1,
		.holders = hh,
		.n_holders = 1};
	struct err e = {0};
	uint64_t known = 0;

	sheet_make(dir, TEXT_ORIGINS, text, &s[0]);
	sheet_make(dir, TEXT_DELEGATED, text, &s[1]);
	sheet_make(dir, TEXT_AS_ORG, text, &s[2]);
	if (paths_view(&p, &s[0], &e) != STATUS_OK || registry_view(&r, &s[1], &e) != STATUS_OK ||
		holders_view(&h, &s[2], &e) != STATUS_OK) {
		(void)fprintf(stderr, "texts: %s\n", e.text);
		exit(3);
	}
	double from = cpu();
	for (int i = 0; i < ASKED; i++) {
		uint64_t x = rnd(UINT64_C(1) << 32);
		struct ip ip = ip_v4((const uint8_t[]){
			(uint8_t)(1 + (x >> 24) % 122), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x});
		struct network n;
		known += atlas_network(&a, &ip, &n);
	}
	double ns = (cpu() - from) * 1e9 / ASKED;
	(void)printf("names: %llu of %d addresses are known\n", (unsigned long long)known, ASKED);
	for (int i = 0; i < 3; i++)
		sheet_close(&s[i]);
	return told("name of an address", ns, "ns", MOST, ns <= MOST);
}

int main(int argc, char **argv)
{
	char *text = malloc(TEXT_SIZE + 2 * PIECE);
	bool done[TEXT_KINDS] = {false};
	int missed = 0;

	if (argc < 2 || !text)
		return 2;
	for (int i = 2; i < argc; i++)
		done[file_measure(argv[i], text, &missed)] = true;
	for (int k = TEXT_NONE + 1; k < TEXT_KINDS; k++)
		if (!done[k])
			missed += lines_measure((enum text_kind)k, "made up", text,
				text_make(text, (enum text_kind)k, TEXT_SIZE, UINT64_MAX));
	missed += names_measure(argv[1], text);
	free(text);
	return missed > 0;
}
