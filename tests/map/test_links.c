/* Relationships: lines to rows equal to a slow second implementation (a matrix, filled line by line) on
 * random files; what is counted; a damaged sheet is refused; the real files of 2015 and 2018. */
#include "text_kit.h"

#include "base/arena.h"
#include "map/links.h"

#define NETWORKS 40
#define LINES    400

/* role[a][b]: what b is to a, or -1. */
struct matrix {
	int role[NETWORKS][NETWORKS];
	bool there[NETWORKS];
	uint64_t link, twice, both_ways, bad;
};

/* Numbers that do not follow one another, so that a place is no number. */
static uint32_t number_of(uint32_t i)
{
	return i % 3 == 0 ? 4200000000U + 7 * i : 64500 + 11 * i % 997 + 13 * (i % 3);
}

static void slow(struct matrix *m, const uint32_t (*line)[2], const int *rel, size_t n)
{
	memset(m, 0, sizeof(*m));
	memset(m->role, -1, sizeof(m->role));
	for (size_t i = 0; i < n; i++) {
		uint32_t a = line[i][0], b = line[i][1];
		int role = rel[i] == 0 ? LINK_PEERS : LINK_CUSTOMERS;
		if (a == b) {
			m->bad++;
			continue;
		}
		m->there[a] = m->there[b] = true;
		if (m->role[a][b] == role) {
			m->twice++;
		} else if (m->role[a][b] >= 0) {
			m->both_ways++;
		} else {
			m->link++;
			m->role[a][b] = role;
			m->role[b][a] = rel[i] == 0 ? LINK_PEERS : LINK_PROVIDERS;
		}
	}
}

static size_t row_is(const struct links *l, const struct matrix *m, uint32_t i, int role)
{
	uint32_t as = links_as(l, number_of(i));
	size_t n = 0;

	assert_int_not_equal(as, NO_LINK);
	for (uint32_t at = l->row[role][as]; at < l->row[role][as + 1]; at++, n++) {
		uint32_t j = 0, asn = l->as[l->to[role][at]];
		while (j < NETWORKS && number_of(j) != asn)
			j++;
		assert_true(j < NETWORKS);
		assert_int_equal(m->role[i][j], role);
	}
	return n;
}

static void same(const struct links *l, const struct matrix *m)
{
	size_t n_there = 0;

	for (uint32_t i = 0; i < NETWORKS; i++) {
		n_there += m->there[i];
		if (!m->there[i]) {
			assert_int_equal(links_as(l, number_of(i)), NO_LINK);
			continue;
		}
		for (int r = 0; r < LINK_ROLES; r++) {
			size_t n = 0;
			for (uint32_t j = 0; j < NETWORKS; j++)
				n += m->role[i][j] == r;
			assert_int_equal(row_is(l, m, i, r), n);
		}
	}
	assert_int_equal(l->n_as, n_there);
}

static void random_file(void)
{
	static uint32_t line[LINES][2];
	static int rel[LINES];
	static char text[LINES * 40];
	struct matrix m;
	struct kit_sheet k;
	struct links l;
	size_t lines = 1 + kit_rnd(LINES - 1), at = 0, networks = 2 + kit_rnd(NETWORKS - 2);

	for (size_t i = 0; i < lines; i++) {
		line[i][0] = (uint32_t)kit_rnd(networks);
		line[i][1] = (uint32_t)kit_rnd(networks);
		rel[i] = -(int)kit_rnd(2);
		at += (size_t)sprintf(text + at, "%u|%u|%d%s%s", number_of(line[i][0]), number_of(line[i][1]),
			rel[i], kit_rnd(4) ? "" : "|bgp", kit_rnd(3) ? "\n" : "\r\n");
	}
	slow(&m, (const uint32_t(*)[2])line, rel, lines);
	kit_sheet_make(&k, TEXT_AS_REL, text, at, 1 + kit_rnd(64), true);
	assert_int_equal(k.status, m.link ? STATUS_OK : STATUS_BAD);
	assert_int_equal(k.counts.line, lines);
	assert_int_equal(k.counts.bad, m.bad);
	if (m.link) {
		assert_int_equal(links_view(&l, &k.sheet, &k.err), STATUS_OK);
		same(&l, &m);
		assert_int_equal(k.counts.kept, m.link);
		assert_int_equal(k.counts.twice, m.twice);
		assert_int_equal(k.counts.both_ways, m.both_ways);
	}
	kit_sheet_free(&k);
}

static void random_files(void **state)
{
	(void)state;
	kit_seed("random relationship files");
	for (int i = 0; i < 500; i++)
		random_file();
}

static void clique_and_points(void **state)
{
	struct kit_sheet k;
	struct links l;

	(void)state;
	kit_sheet_text(&k, TEXT_AS_REL,
		"# source:topology|BGP|20150103|ripe|rrc00\n# source:topology|BGP|20150101|ripe|rrc01\n"
		"# inferred clique: 64502 64500 64509 64500\n# IXP ASes: 64510 64511\n"
		"64500|64501|-1\n64500|64502|0\n64501|64500|-1\n64502|64500|0\n");
	assert_int_equal(k.status, STATUS_OK);
	assert_int_equal(links_view(&l, &k.sheet, &k.err), STATUS_OK);
	assert_int_equal(l.n_clique, 2); /* 64509 has no link */
	assert_int_equal(l.as[l.clique[0]], 64500);
	assert_int_equal(l.as[l.clique[1]], 64502);
	assert_int_equal(l.n_ixp, 2);
	assert_int_equal(l.ixp[1], 64511);
	assert_int_equal(k.counts.kept, 2);
	assert_int_equal(k.counts.twice, 1);
	assert_int_equal(k.counts.both_ways, 1);
	assert_int_equal(k.sheet.from.us, 1420070400 * SECOND_US);
	assert_int_equal(k.sheet.to.us, (1420070400 + 2 * 86400) * SECOND_US);
	kit_sheet_free(&k);
}

/* Every byte of a sheet turned, where the sums of sections are not looked at: refused, or read without harm.
 */
static void damaged(void **state)
{
	struct kit_sheet k;
	struct links l;
	size_t refused = 0;

	(void)state;
	kit_sheet_text(
		&k, TEXT_AS_REL, "# inferred clique: 64500\n64500|64501|-1\n64500|64502|0\n64502|64503|-1\n");
	size_t n = k.sheet.n;
	uint64_t *copy = malloc(n);
	assert_non_null(copy);
	for (size_t i = 0; i < n; i++) {
		struct sheet s = k.sheet;
		memcpy(copy, k.sheet.map, n);
		((uint8_t *)copy)[i] ^= 0xff;
		s.map = (const uint8_t *)copy;
		if (i < 1024)
			continue; /* the head has a sum: sheet_open() refuses it */
		refused += links_view(&l, &s, &k.err) != STATUS_OK;
	}
	free(copy);
	assert_true(refused > 60);
	kit_sheet_free(&k);
}

static void providers_are(const struct links *l, uint32_t asn, const uint32_t *of, size_t n)
{
	uint32_t as = links_as(l, asn);

	assert_int_not_equal(as, NO_LINK);
	const uint32_t *row = l->row[LINK_PROVIDERS];
	assert_int_equal(row[as + 1] - row[as], n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(l->as[l->to[LINK_PROVIDERS][row[as] + i]], of[i]);
}

static void real_files(void **state)
{
	static const struct {
		const char *name;
		size_t lines, twice, n_as, n_clique;
		uint32_t provider[2];
		size_t n_provider;
	} file[] = {
		{"20150101.as-rel.txt.bz2", 177129, 6, 46172, 16, {4837}, 1},
		{"20180101.as-rel.txt.bz2", 261464, 0, 60006, 19, {4837, 20485}, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		struct kit_sheet k;
		struct links l;
		if (!kit_sheet_file(&k, file[i].name))
			skip();
		assert_int_equal(links_view(&l, &k.sheet, &k.err), STATUS_OK);
		assert_int_equal(k.counts.line, file[i].lines);
		assert_int_equal(k.counts.bad + k.counts.both_ways, 0);
		assert_int_equal(k.counts.twice, file[i].twice);
		assert_int_equal(l.n_as, file[i].n_as); /* with AS131279 itself */
		assert_int_equal(l.n_clique, file[i].n_clique);
		providers_are(&l, 131279, file[i].provider, file[i].n_provider);
		kit_sheet_free(&k);
	}
}

/* A hostile file: a million networks, all of them named as the core, the last first.  To put each in its
 * place among those before it would be 10^12 steps. */
static void large_clique(void **state)
{
	enum { MANY = 1000000 };
	struct link_line *line = calloc(MANY, sizeof(*line));
	uint32_t *clique = calloc(MANY, sizeof(*clique));
	struct links_counts counts;
	struct arena a = {0};
	struct links l;
	struct err e;

	(void)state;
	assert_true(line && clique);
	for (uint32_t i = 0; i < MANY; i++) {
		line[i] = (struct link_line){i + 1, i + 2, 0};
		clique[i] = MANY - i;
	}
	clique[7] = clique[3]; /* twice */
	assert_int_equal(links_make(&l, line, MANY, clique, MANY, NULL, 0, &counts, &a, &e), STATUS_OK);
	assert_int_equal(l.n_clique, MANY - 1);
	for (size_t i = 1; i < l.n_clique; i++)
		assert_true(l.clique[i - 1] < l.clique[i]);
	free(line);
	free(clique);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_files),
		cmocka_unit_test(clique_and_points),
		cmocka_unit_test(large_clique),
		cmocka_unit_test(damaged),
		cmocka_unit_test(real_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
