/* Which tables there are: the same one once, whatever file it comes in; which are in use at a time, which are
 * history, and which are not of this day yet. */
#include "load_kit.h"

static void test_again(void **state)
{
	char *dir = kit_dir(), table[4200], copy[4200];
	struct err e = {0};
	struct atlas a;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	table_file(dir, "copy", T0, 64601, copy);
	struct load_file f[] = {{.path = table}, {.path = copy}};
	assert_int_equal(load(dir, f, 2, &e), STATUS_OK);
	assert_int_equal(f[0].again + f[1].again, 1);
	assert_int_equal(load(dir, f, 1, &e), STATUS_OK);
	assert_true(f[0].again);
	open_map(&a, dir);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.entry[0].id, f[0].id);
	assert_int_equal(map_forget(dir, &world_real, "000000000000", &e), STATUS_NO);
	assert_int_equal(map_forget(dir, &world_real, f[0].id, &e), STATUS_OK);
	atlas_close(&a);
	assert_int_equal(atlas_open(&a, dir, NULL, &e), STATUS_NO);
	atlas_close(&a);
	kit_dir_free(dir);
}

static void id_of_load(const char *dir, const char *path, unsigned threads, char id[SHEET_ID])
{
	struct load_file f = {.path = path};
	struct err e = {0};

	if (map_load(dir, &world_real, &f, 1, threads, NULL, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	memcpy(id, f.id, SHEET_ID);
}

/* The same table however it is compressed, named and read; another one where an origin, a time or a peer is
 * another. */
static void test_id(void **state)
{
	static const char *const tool[] = {"gzip", "bzip2", "zstd"};
	char *dir = kit_dir(), path[4200], cmd[9000], id[SHEET_ID], other[SHEET_ID];

	(void)state;
	table_file(dir, "rib", T0, 64601, path);
	id_of_load(dir, path, 1, id);
	assert_int_equal(strlen(id), SHEET_ID - 1);
	for (size_t i = 0; i < sizeof(tool) / sizeof(tool[0]); i++)
		for (unsigned threads = 1; threads <= 3; threads++) {
			(void)snprintf(cmd, sizeof(cmd), "%s -c < %s > %s.%s 2>/dev/null", tool[i], path,
				path, tool[i]);
			if (system(cmd) != 0) /* NOLINT(cert-env33-c) */
				continue;     /* no such program here */
			(void)snprintf(cmd, sizeof(cmd), "%s.%s", path, tool[i]);
			id_of_load(dir, cmd, threads, other);
			assert_string_equal(id, other);
		}
	table_file(dir, "origin", T0, 64602, path);
	id_of_load(dir, path, 1, other);
	assert_string_not_equal(id, other);
	table_file(dir, "time", T0 + 1, 64601, path);
	id_of_load(dir, path, 1, other);
	assert_string_not_equal(id, other);
	kit_file(path, dir, "map");
	assert_int_equal(kit_count(path, "sheet.*"), 3);
	kit_dir_free(dir);
}

/* The day that a file's name says is no content: a copy of another name is the same table. */
static void test_copy_of_text(void **state)
{
	static const char *const name[] = {"20141201.as-rel.txt", "20150101.as-rel.txt"};
	char *dir = kit_dir(), path[4200], id[2][SHEET_ID];
	struct atlas a;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		kit_file(path, dir, name[i]);
		kit_spill(path, (const uint8_t *)"64500|64501|-1\n", 15);
		id_of_load(dir, path, 1, id[i]);
	}
	assert_string_equal(id[0], id[1]);
	open_map(&a, dir);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.entry[0].sheet.to.us / SECOND_US, 1417392000);
	atlas_close(&a);
	kit_dir_free(dir);
}

/* The beginning of an id names a table where it is one's alone. */
static void test_forget(void **state)
{
	char *dir = kit_dir(), path[4200], id[SHEET_ID], line[256];
	struct err e = {0};

	(void)state;
	table_file(dir, "rib", T0, 64601, path);
	id_of_load(dir, path, 1, id);
	id[6] ^= 1;
	assert_int_equal(map_forget(dir, &world_real, id, &e), STATUS_NO);
	id[6] ^= 1;
	id[5] = '\0';
	assert_int_equal(map_forget(dir, &world_real, id, &e), STATUS_NO);
	id_of_load(dir, path, 1, id);
	kit_file(path, dir, "map/tables");
	(void)snprintf(line, sizeof(line), "%.6s%026d paths 4 0 0 x\n%s paths 4 0 0 x\n", id, 0, id);
	kit_spill(path, (const uint8_t *)line, strlen(line));
	id[6] = '\0';
	assert_int_equal(map_forget(dir, &world_real, id, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "several"));
	(void)snprintf(line, sizeof(line), "%.6s%026d", id, 0);
	assert_int_equal(map_forget(dir, &world_real, line, &e), STATUS_OK);
	assert_int_equal(map_forget(dir, &world_real, id, &e), STATUS_OK);
	kit_dir_free(dir);
}

/* Tables a month apart add up, older ones are history; `at` chooses. */
static void test_dates(void **state)
{
	static const uint32_t day[] = {T0, T0 - 20 * 86400, T0 - 32 * 86400, T0 - 400 * 86400U};
	char *dir = kit_dir(), path[4200], name[16];
	struct err e = {0};
	struct atlas a;
	struct arena m = {0};
	const struct wall *at;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "rib%zu", i);
		table_file(dir, name, day[i], 64601, path);
		struct load_file f = {.path = path};
		assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	}
	kit_file(path, dir, "20141201.as-rel.txt");
	kit_spill(path, (const uint8_t *)"64500|64501|-1\n", 15);
	struct load_file f = {.path = path};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	open_map(&a, dir);
	assert_int_equal(a.n, 5);
	assert_int_equal(a.n_paths, 2);
	assert_int_equal(a.n_links, 1);
	assert_int_equal(a.n_origins, 2);
	assert_int_equal(a.paths[0]->sheet->to.us / SECOND_US, T0);
	assert_int_equal(atlas_dates(&a, SHEET_PATHS, &at, &n, &m, &e), STATUS_OK);
	assert_int_equal(n, 2);
	assert_int_equal(at[0].us / SECOND_US, day[2]);
	assert_int_equal(at[1].us / SECOND_US, day[3]);
	for (size_t i = 0; i < a.n; i++)
		if (a.entry[i].sheet.kind == SHEET_LINKS)
			assert_int_equal(a.entry[i].sheet.to.us / SECOND_US, 1417392000);
	atlas_close(&a);
	struct atlas_ask q = {.at = {(int64_t)(T0 - 1) * SECOND_US}, .within_days = 12};
	assert_int_equal(atlas_open(&a, dir, &q, &e), STATUS_OK);
	assert_int_equal(a.n_paths, 2); /* 20 and 32 days before */
	assert_int_equal(a.paths[0]->sheet->to.us / SECOND_US, day[1]);
	atlas_close(&a);
	arena_free(&m);
	kit_dir_free(dir);
}

/* The kit's world with another clock. */
static struct wall now_is;
static struct wall then(void *self)
{
	(void)self;
	return now_is;
}

static size_t in_use(const struct atlas *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->entry[i].name, name) == 0)
			return a->entry[i].in_use;
	fail_msg("%s is not there", name);
	return 0;
}

static void open_at(struct atlas *a, const char *dir, const struct world *w, int64_t at, int64_t now)
{
	struct atlas_ask q = {.at = {at * SECOND_US}, .w = w};
	struct err e = {0};

	now_is.us = now * SECOND_US;
	if (atlas_open(a, dir, &q, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

/* What is dated after now and a day displaces nothing, unless there is nothing else or it is asked for. */
static void test_future(void **state)
{
	static const char rel[] = "64500|64501|-1\n64500|64502|-1\n";
	char *dir = kit_dir(), path[4200];
	struct err e = {0};
	struct world w = world_real;
	struct arena m = {0};
	struct atlas a;
	const struct wall *at;
	size_t n;

	(void)state;
	w.now = then;
	table_file(dir, "rib", T0, 64601, path);
	struct load_file f = {.path = path};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	table_file(dir, "later", T0 + 40 * 86400, 64602, path);
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	kit_file(path, dir, "20990101.as-rel.txt");
	kit_spill(path, (const uint8_t *)rel, sizeof(rel) - 1);
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);

	open_at(&a, dir, &w, 0, T0 + 3600); /* the only relationships are in use, whatever their day */
	assert_true(in_use(&a, "rib") && !in_use(&a, "later") && in_use(&a, "20990101.as-rel.txt"));
	assert_true(a.entry[0].future && a.entry[1].future && !a.entry[2].future);
	assert_int_equal(atlas_dates(&a, SHEET_PATHS, &at, &n, &m, &e), STATUS_OK);
	assert_int_equal(n, 0); /* no date to compare with */
	atlas_close(&a);
	kit_file(path, dir, "20141201.as-rel.txt");
	kit_spill(path, (const uint8_t *)rel, 15);
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	open_at(&a, dir, &w, 0, T0 + 3600);
	assert_true(in_use(&a, "20141201.as-rel.txt") && !in_use(&a, "20990101.as-rel.txt"));
	atlas_close(&a);
	open_at(&a, dir, &w, 0, T0 + 39 * 86400); /* a day of grace */
	assert_true(in_use(&a, "later") && !in_use(&a, "rib"));
	atlas_close(&a);
	open_at(&a, dir, &w, 0, T0 + 39 * 86400 - 1);
	assert_true(!in_use(&a, "later") && in_use(&a, "rib"));
	atlas_close(&a);
	open_at(&a, dir, &w, INT64_C(4102444800), T0); /* asked for */
	assert_true(in_use(&a, "later") && in_use(&a, "20990101.as-rel.txt"));
	assert_true(!in_use(&a, "20141201.as-rel.txt"));
	atlas_close(&a);
	open_at(&a, dir, &w, 0, 1000); /* a clock that was never set: as if there were none */
	assert_true(in_use(&a, "later") && in_use(&a, "20990101.as-rel.txt") && !in_use(&a, "rib"));
	atlas_close(&a);
	arena_free(&m);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_copy_of_text),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_future),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
