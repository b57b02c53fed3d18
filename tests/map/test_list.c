/* The list of sheets, damaged: every bit of it flipped, every beginning of it, a pipe in its place.  It is
 * refused in a line that says what to do, and where it is in doubt no sheet is swept away. */
#include "load_kit.h"

#include "map/list.h"

enum { TABLES = 3 };

struct made {
	char *dir, path[4200], map[4200];
	char id[TABLES][SHEET_ID];
	uint8_t *text;
	size_t n;
};

static void make(struct made *m)
{
	char path[4200], name[16];
	struct err e = {0};

	m->dir = kit_dir();
	for (unsigned i = 0; i < TABLES; i++) {
		(void)snprintf(name, sizeof(name), "rib.%u", i);
		table_file(m->dir, name, T0 + i, 64601 + i, path);
		struct load_file f = {.path = path};
		if (load(m->dir, &f, 1, &e) != STATUS_OK)
			fail_msg("%s", e.text);
		memcpy(m->id[i], f.id, SHEET_ID);
	}
	kit_file(m->path, m->dir, "map/tables");
	kit_file(m->map, m->dir, "map");
	m->text = kit_slurp(m->path, &m->n);
}

static void made_free(struct made *m)
{
	free(m->text);
	kit_dir_free(m->dir);
}

static enum status read_and_sweep(const struct made *m, struct err *e)
{
	struct list l;
	enum status st = list_read(&l, m->dir, e);

	if (st == STATUS_OK)
		list_sweep(&l, m->dir, &world_real);
	list_free(&l);
	return st;
}

static void refused_so(const struct made *m)
{
	struct err e = {0};

	assert_int_equal(read_and_sweep(m, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "map/tables: "));
	assert_non_null(strstr(e.text, "weir map load FILE"));
	assert_null(strchr(e.text, '\n'));
}

/* Each bit, of the newlines, too. */
static void test_flipped(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	assert_memory_equal(m.text, "sum 3 ", 6);
	for (size_t bit = 0; bit < 8 * m.n; bit++) {
		m.text[bit / 8] ^= (uint8_t)(1U << bit % 8);
		kit_spill(m.path, m.text, m.n);
		refused_so(&m);
		m.text[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	made_free(&m);
}

/* Every beginning of it.  The empty file is an older weir's list of nothing, and sweeps nothing away. */
static void test_cut(void **state)
{
	struct made m;
	struct err e = {0};

	(void)state;
	make(&m);
	for (size_t n = 1; n < m.n; n++) {
		kit_spill(m.path, m.text, n);
		refused_so(&m);
	}
	kit_spill(m.path, m.text, 0);
	assert_int_equal(read_and_sweep(&m, &e), STATUS_OK);
	assert_int_equal(kit_count(m.map, ".sheet"), TABLES);
	made_free(&m);
}

/* A load finds the damage before it changes anything. */
static void test_load_refuses(void **state)
{
	struct made m;
	char path[4200];
	struct err e = {0};
	size_t n;

	(void)state;
	make(&m);
	uint8_t *nl = memchr(m.text + 20, '\n', m.n - 20);
	assert_non_null(nl);
	*nl = 0x0e;
	kit_spill(m.path, m.text, m.n);
	table_file(m.dir, "more", T0 + 9, 64609, path);
	struct load_file f = {.path = path};
	assert_int_equal(load(m.dir, &f, 1, &e), STATUS_BAD);
	assert_int_equal(map_forget(m.dir, &world_real, m.id[0], &e), STATUS_BAD);
	assert_int_equal(kit_count(m.map, ".sheet"), TABLES);
	uint8_t *now = kit_slurp(m.path, &n);
	assert_int_equal(n, m.n);
	assert_memory_equal(now, m.text, n);
	free(now);
	made_free(&m);
}

/* An older weir's list, which has no sum, is read and written with one; damaged it is refused, or no sheet is
 * swept by it. */
static void test_older(void **state)
{
	struct made m;
	struct err e = {0};
	struct list l;

	(void)state;
	make(&m);
	uint8_t *old = (uint8_t *)memchr(m.text, '\n', m.n) + 1;
	size_t n = m.n - (size_t)(old - m.text);
	kit_spill(m.path, old, n);
	assert_int_equal(list_read(&l, m.dir, &e), STATUS_OK);
	assert_int_equal(l.n, TABLES);
	assert_false(l.sure);
	assert_int_equal(list_write(&l, m.dir, &world_real, &e), STATUS_OK);
	list_free(&l);
	size_t k;
	uint8_t *again = kit_slurp(m.path, &k);
	assert_int_equal(k, m.n);
	assert_memory_equal(again, m.text, k);
	free(again);
	for (size_t at = 0; at < n; at++) {
		bool newline = old[at] == '\n' && at + 1 < n;
		for (unsigned bit = 0; bit < 8 && (newline || at % 3 == 0); bit++) {
			old[at] ^= (uint8_t)(1U << bit);
			kit_spill(m.path, old, n);
			bool bad = read_and_sweep(&m, &e) != STATUS_OK;
			assert_true(bad || !newline); /* no line is lost in the name before it */
			old[at] ^= (uint8_t)(1U << bit);
		}
	}
	assert_int_equal(kit_count(m.map, ".sheet"), TABLES);
	made_free(&m);
}

/* A list that names what is not there is in doubt as well. */
static void test_missing_sheet(void **state)
{
	struct made m;
	char path[4200], name[64];
	struct err e = {0};
	struct list l;

	(void)state;
	make(&m);
	assert_int_equal(list_read(&l, m.dir, &e), STATUS_OK);
	assert_true(l.sure);
	(void)snprintf(name, sizeof(name), "map/%s.sheet", m.id[0]);
	kit_file(path, m.dir, name);
	l.line[0].id[0] = l.line[0].id[0] == '0' ? '1' : '0';
	list_sweep(&l, m.dir, &world_real);
	assert_int_equal(kit_count(m.map, ".sheet"), TABLES);
	l.line[0] = l.line[--l.n]; /* it is not named any more: gone */
	list_sweep(&l, m.dir, &world_real);
	assert_int_equal(kit_count(m.map, ".sheet"), TABLES - 1);
	assert_int_not_equal(access(path, F_OK), 0);
	list_free(&l);
	made_free(&m);
}

/* Not waited for. */
static void test_no_file(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	assert_int_equal(unlink(m.path), 0);
	assert_int_equal(mkfifo(m.path, 0600), 0);
	(void)alarm(60);
	refused_so(&m);
	assert_int_equal(unlink(m.path), 0);
	assert_int_equal(mkdir(m.path, 0700), 0);
	refused_so(&m);
	(void)alarm(0);
	assert_int_equal(rmdir(m.path), 0);
	made_free(&m);
}

/* A sheet of the same kind in another's place, and a list that tells another time. */
static void test_exchanged(void **state)
{
	struct made m;
	char path[2][4200], name[64];
	struct err e = {0};
	struct atlas a;
	struct list l;

	(void)state;
	make(&m);
	assert_int_equal(list_read(&l, m.dir, &e), STATUS_OK);
	l.line[1].to.us += SECOND_US;
	assert_int_equal(list_write(&l, m.dir, &world_real, &e), STATUS_OK);
	list_free(&l);
	assert_int_equal(atlas_open(&a, m.dir, NULL, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "not of the time"));
	kit_spill(m.path, m.text, m.n);
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "map/%s.sheet", m.id[i]);
		kit_file(path[i], m.dir, name);
	}
	size_t n;
	uint8_t *other = kit_slurp(path[1], &n);
	assert_int_equal(unlink(path[0]), 0);
	kit_spill(path[0], other, n);
	free(other);
	assert_int_equal(atlas_open(&a, m.dir, NULL, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "another table"));
	assert_non_null(strstr(e.text, m.id[0]));
	assert_int_equal(map_forget(m.dir, &world_real, m.id[0], &e), STATUS_OK); /* as the line says */
	open_map(&a, m.dir);
	assert_int_equal(a.n, TABLES - 1);
	atlas_close(&a);
	made_free(&m);
}

/* What somebody put where a part is written is replaced, not followed. */
static void test_planted(void **state)
{
	static const char *const part[] = {"map/tables.part", "map/new.sheet.part"};
	struct made m;
	char path[4200], victim[4200];
	struct err e = {0};
	size_t n;

	(void)state;
	make(&m);
	kit_file(victim, m.dir, "victim");
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		kit_spill(victim, (const uint8_t *)"mine", 4);
		kit_file(path, m.dir, part[i]);
		assert_int_equal(symlink(victim, path), 0);
		table_file(m.dir, "more", T0 + 90 + (unsigned)i, 64609, path);
		struct load_file f = {.path = path};
		assert_int_equal(load(m.dir, &f, 1, &e), STATUS_OK);
		uint8_t *p = kit_slurp(victim, &n);
		assert_int_equal(n, 4);
		assert_memory_equal(p, "mine", 4);
		free(p);
	}
	made_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_load_refuses),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_missing_sheet),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_planted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
