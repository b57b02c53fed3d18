/* Files into the atlas: tables with the updates that continue them, what is no table, two at once, a machine
 * that fails or dies at any step, and sheets that are damaged afterwards. */
#include "load_kit.h"

#include "map/depend.h"
#include "map/infer.h"

static void test_table_and_updates(void **state)
{
	char *dir = kit_dir(), table[4200], first[4200], second[4200], other[4200];
	struct buf b = {0};
	struct err e = {0};
	struct atlas a;
	uint32_t origin;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	update(&b, T0 + 20, 1, 0, 0);
	update(&b, T0 + 10, 1, 1, 64602); /* replaced by the later file */
	update(&b, T0 - 10, 1, 2, 64609); /* before the table: aged */
	spill(dir, "updates.1", &b, first);
	update(&b, T0 + 30, 1, 1, 64603);
	update(&b, T0 + 40, 2, 1, 64603);
	update(&b, T0 + 40, 2, 9, 64603);
	spill(dir, "updates.2", &b, second);
	update(&b, T0 + 15, 77, 4, 64608); /* a peer of no table */
	spill(dir, "updates.other", &b, other);
	struct load_file f[] = {{.path = other}, {.path = second}, {.path = table}, {.path = first}};
	if (load(dir, f, 4, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_string_equal(f[2].format, "MRT table");
	assert_string_equal(f[3].format, "MRT updates");
	assert_string_equal(f[1].id, f[2].id);
	assert_string_equal(f[3].id, f[2].id);
	assert_string_not_equal(f[0].id, f[2].id);
	assert_int_equal(f[2].mrt.route, 15);
	assert_int_equal(f[3].mrt.route, 2);
	assert_int_equal(f[3].mrt.withdrawal, 1);
	assert_int_equal(f[3].mrt.aged, 1);
	open_map(&a, dir);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.n_paths, 2);
	const struct paths *p = a.paths[0]->n_session == 3 ? a.paths[0] : a.paths[1];
	assert_int_equal(p->n_session, 3);
	assert_int_equal(p->sheet->from.us / SECOND_US, T0 - 10);
	assert_int_equal(p->sheet->to.us / SECOND_US, T0 + 40);
	assert_int_equal(peers_of(p, "198.18.0.0/24", &origin), 2);
	assert_int_equal(peers_of(p, "198.18.1.0/24", &origin), 3);
	assert_int_equal(origin, 64603);
	assert_int_equal(peers_of(p, "198.18.2.0/24", &origin), 3);
	assert_int_equal(origin, 64601);
	assert_int_equal(peers_of(p, "198.18.9.0/24", &origin), 1);
	atlas_close(&a);
	kit_dir_free(dir);
}

/* Peers from `first` on: a table with an index of them, or updates, as many as fit into what is looked at. */
static void many_peers(
	const char *dir, const char *name, uint32_t time, bool index, uint32_t first, char path[4200])
{
	enum { INDEX = 15000, UPDATES = 13000 };
	struct buf b = {0};

	if (index) {
		index_table(&b, time, first, INDEX);
		rib(&b, time, 1, 1, 64601);
	} else {
		for (uint32_t i = 0; i < UPDATES; i++)
			update(&b, time, first + i, i % 250, 0);
		update(&b, time, first, 1, 64601);
	}
	spill(dir, name, &b, path);
}

/* Files with thousands of peers each, none in common but the last: whose updates are whose is not found by
 * looking at each pair. */
static void test_many_peers(void **state)
{
	enum { FILES = 60 };
	char *dir = kit_dir(), name[16];
	static char path[FILES][4200];
	static struct load_file f[FILES];
	struct err e = {0};

	(void)state;
	for (uint32_t i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "file%u", i);
		many_peers(dir, name, T0 + i, i % 2 == 0, i == FILES - 1 ? 14999 : 40000 * i, path[i]);
		f[i] = (struct load_file){.path = path[i]};
	}
	if (load(dir, f, FILES, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	for (size_t i = 1; i < FILES - 1; i++)
		assert_string_not_equal(f[i].id, f[0].id);
	assert_string_equal(f[FILES - 1].id, f[0].id);
	kit_dir_free(dir);
}

/* What is cut off gives what is whole, and says where. */
static void test_cut(void **state)
{
	char *dir = kit_dir(), table[4200], cut[4200];
	struct err e = {0};
	size_t n;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	uint8_t *p = kit_slurp(table, &n);
	kit_file(cut, dir, "cut");
	kit_spill(cut, p, n - 1);
	struct load_file f = {.path = cut};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	assert_int_equal(f.mrt.route, 12);
	assert_non_null(strstr(f.damage, "cut off"));
	p[n - 140] = 0xff; /* whatever lies where: no crash, and nothing or something whole */
	for (size_t k = 0; k < n; k++) {
		kit_spill(cut, p, k);
		enum status st = load(dir, &f, 1, &e);
		assert_true(st == STATUS_OK || (st == STATUS_BAD && strstr(e.text, "cut")));
	}
	free(p);
	kit_dir_free(dir);
}

static void test_bad(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} bad[] = {{"empty", "", "empty"}, {"noise", "hello\nworld\n", "none of the formats"},
		{"missing", NULL, "missing"}};
	char *dir = kit_dir(), table[4200], path[4200];
	struct err e = {0};
	struct atlas a;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kit_file(path, dir, bad[i].name);
		if (bad[i].text)
			kit_spill(path, (const uint8_t *)bad[i].text, strlen(bad[i].text));
		struct load_file f[] = {{.path = table}, {.path = path}};
		assert_int_equal(load(dir, f, 2, &e), STATUS_BAD);
		assert_non_null(strstr(e.text, bad[i].name));
		assert_non_null(strstr(e.text, bad[i].says));
		assert_int_equal(atlas_open(&a, dir, NULL, &e), STATUS_NO);
		atlas_close(&a);
	}
	/* MRT without a route */
	struct buf b = {0};
	index_table(&b, T0, 0, 3);
	spill(dir, "index", &b, path);
	struct load_file f = {.path = path};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "index"));
	kit_file(path, dir, "map");
	assert_int_equal(kit_count(path, ".*sheet.*"), 0);
	kit_dir_free(dir);
}

static bool stop(void *self, const char *path, const struct input_at *at)
{
	(void)path;
	assert_true(at->in_total == 0 || at->in <= at->in_total);
	return --*(int *)self > 0;
}

static void test_stopped(void **state)
{
	char *dir = kit_dir(), table[4200];
	int calls = 1;
	struct load_watch w = {&calls, stop};
	struct err e = {0};
	struct atlas a;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	struct load_file f = {.path = table};
	assert_int_equal(map_load(dir, &world_real, &f, 1, 1, &w, &e), STATUS_NO);
	assert_int_equal(atlas_open(&a, dir, NULL, &e), STATUS_NO);
	atlas_close(&a);
	kit_dir_free(dir);
}

/* The same from a pipe: the same id, once only; no file is needed to know it again. */
static void test_pipe(void **state)
{
	char *dir = kit_dir(), table[4200], cmd[4300];
	struct err e = {0};
	int in = dup(STDIN_FILENO);

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	struct load_file f = {.path = table}, pipe = {.path = "-"};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	(void)snprintf(cmd, sizeof(cmd), "cat %s", table);
	FILE *from = popen(cmd, "r");
	assert_non_null(from);
	assert_true(dup2(fileno(from), STDIN_FILENO) >= 0);
	assert_int_equal(load(dir, &pipe, 1, &e), STATUS_OK);
	assert_string_equal(f.id, pipe.id);
	assert_true(pipe.again);
	(void)dup2(in, STDIN_FILENO);
	(void)close(in);
	(void)pclose(from);
	kit_dir_free(dir);
}

/* How many sheets a load left: those before, or those with it; all can be used. */
static size_t usable(const char *dir)
{
	struct err e = {0};
	struct atlas a;
	enum status st = atlas_open(&a, dir, NULL, &e);
	size_t n = a.n;

	if (st != STATUS_OK && st != STATUS_NO)
		fail_msg("%s", e.text);
	for (size_t i = 0; st == STATUS_OK && i < a.n; i++)
		assert_int_equal(sheet_check(&a.entry[i].sheet, &e), STATUS_OK);
	atlas_close(&a);
	return n;
}

static void test_broken_world(void **state)
{
	char *dir = kit_dir(), one[4200], two[4200], three[4200], map[4200];
	struct err e = {0};
	struct kit_world k = {0};
	struct world w = kit_world_of(&k);

	(void)state;
	table_file(dir, "one", T0, 64601, one);
	table_file(dir, "two", T0 + 1, 64602, two);
	table_file(dir, "three", T0 + 2, 64603, three);
	kit_file(map, dir, "map");
	struct load_file first = {.path = one}, f[] = {{.path = two}, {.path = three}};
	assert_int_equal(load(dir, &first, 1, &e), STATUS_OK);
	assert_int_equal(map_load(dir, &w, f, 2, 1, NULL, &e), STATUS_OK);
	assert_int_equal(k.early, 0);
	assert_int_equal(k.unlinked, 0);
	uint64_t all = k.count;
	assert_true(all > 20);
	for (int dies = 0; dies < 2; dies++)
		for (uint64_t at = 1; at <= all; at++) {
			assert_int_equal(map_forget(dir, &world_real, f[0].id, &e), STATUS_OK);
			assert_int_equal(map_forget(dir, &world_real, f[1].id, &e), STATUS_OK);
			assert_int_equal(usable(dir), 1);
			pid_t pid = fork();
			assert_true(pid >= 0);
			k = (struct kit_world){.at = at, .die = dies, .half = at % 2};
			if (pid == 0)
				_exit(map_load(dir, &w, f, 2, 1, NULL, &e) == STATUS_MACHINE && e.text[0]
						? 41
						: 0);
			int status;
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(WEXITSTATUS(status), dies ? 42 : 41);
			size_t n = usable(dir);
			assert_true(n == 1 || (n == 3 && at >= all)); /* 3: only the last sync failed */
			if (!dies)
				assert_int_equal(kit_count(map, "sheet.*"), n);
			assert_int_equal(load(dir, f, 2, &e), STATUS_OK);
			assert_int_equal(usable(dir), 3);
			assert_int_equal(kit_count(map, "sheet.*"), 3); /* what the killed one left is gone */
		}
	kit_dir_free(dir);
}

/* Several loads at once: each one's table is there. */
static void test_at_once(void **state)
{
	enum { MANY = 8 };
	char *dir = kit_dir(), path[4200], name[16];
	struct err e = {0};
	pid_t pid[MANY];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "rib%u", i);
		table_file(dir, name, T0 + i, 64601 + i, path);
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		struct load_file f = {.path = path};
		if (pid[i] == 0)
			_exit(load(dir, &f, 1, &e) == STATUS_OK ? 0 : 1);
	}
	for (size_t i = 0; i < MANY; i++) {
		int status;
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(usable(dir), MANY);
	kit_dir_free(dir);
}

static void test_damaged(void **state)
{
	char *dir = kit_dir(), path[4200], table[4200];
	struct err e = {0};
	struct atlas a;
	size_t n;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	struct load_file f = {.path = table};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	(void)snprintf(path, sizeof(path), "%s/map/%s.sheet", dir, f.id);
	uint8_t *p = kit_slurp(path, &n);
	p[20] ^= 1;
	kit_spill(path, p, n);
	assert_int_equal(atlas_open(&a, dir, NULL, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "damaged"));
	atlas_close(&a);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(atlas_open(&a, dir, NULL, &e), STATUS_BAD);
	atlas_close(&a);
	(void)snprintf(path, sizeof(path), "%s/map/tables", dir);
	kit_spill(path, (const uint8_t *)"this is no list\n", 16);
	assert_int_equal(atlas_open(&a, dir, NULL, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "line 1"));
	atlas_close(&a);
	assert_int_equal(load(dir, &f, 1, &e), STATUS_BAD);
	free(p);
	kit_dir_free(dir);
}

/* Asks for names, then for routes in each way there is; how many of the latter said that it is damaged. */
static unsigned routes_refused(const struct atlas *a)
{
	struct upstream_ask up = {0};
	struct depend_ask on = {.family = 4};
	struct arena m = {0};
	struct upstream *u;
	struct link_seen seen;
	struct depend d;
	struct links l;
	struct err e[5];
	size_t n;
	unsigned refused = 0;
	enum status st[5] = {depend_on(&d, a->paths, a->n_paths, &on, &m, &e[0]),
		depend_from(&d, a->paths, a->n_paths, 64601, 4, 0, &m, &e[1]),
		depend_upstreams(&u, &n, a->paths, a->n_paths, &up, &m, &e[2]),
		depend_link_seen(&seen, a->paths, a->n_paths, 65000, 64601, &e[3]),
		infer_links(&l, a->paths, a->n_paths, &m, &e[4])};

	for (size_t i = 0; i < 5; i++) {
		refused += st[i] == STATUS_BAD;
		assert_true(st[i] != STATUS_MACHINE);
		if (st[i] == STATUS_BAD)
			assert_true(strstr(e[i].text, ".sheet: damaged: the sum of section"));
	}
	arena_free(&m);
	return refused;
}

/* Each bit of a table of routes that says something: what names addresses is compared when the map is opened,
 * the routes when they are asked for, and then no question about them is answered. */
static void test_flipped(void **state)
{
	char *dir = kit_dir(), path[4200], table[4200];
	struct err e = {0};
	struct atlas a;
	struct sheet s;
	size_t n, names = 0, routes = 0;

	(void)state;
	table_file(dir, "rib", T0, 64601, table);
	struct load_file f = {.path = table};
	assert_int_equal(load(dir, &f, 1, &e), STATUS_OK);
	open_map(&a, dir);
	assert_int_equal(routes_refused(&a), 0);
	atlas_close(&a);
	(void)snprintf(path, sizeof(path), "%s/map/%s.sheet", dir, f.id);
	uint8_t *p = kit_slurp(path, &n);
	for (size_t at = 1024; at < n; at += at < 4096 ? 1 : 509) { /* a large index stands at the end */
		p[at] ^= (uint8_t)(1U << (at & 7));
		assert_int_equal(sheet_of(&s, p, n, &e), STATUS_OK);
		bool counts = sheet_check(&s, &e) != STATUS_OK; /* else between two sections */
		kit_spill(path, p, n);
		p[at] ^= (uint8_t)(1U << (at & 7));
		if (atlas_open(&a, dir, NULL, &e) != STATUS_OK) {
			assert_true(counts && strstr(e.text, "damaged"));
			names++;
			continue;
		}
		assert_int_equal(routes_refused(&a), counts ? 5 : 0);
		routes += counts;
		atlas_close(&a);
	}
	assert_true(names > 100 && routes > 50);
	free(p);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_and_updates),
		cmocka_unit_test(test_many_peers),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_broken_world),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_flipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
