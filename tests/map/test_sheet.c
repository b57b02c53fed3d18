/* Sheets: what is written is read again; what fails or dies before the rename leaves nothing; a flipped bit
 * is found. */
#include "sheet_kit.h"

#include "map/sheet_in.h"

#define TAG_A SHEET_TAG('A', 'A', 'A', 'A')
#define TAG_B SHEET_TAG('B', 'B', 'B', 'B')
#define TAG_C SHEET_TAG('C', 'C', 'C', 'C')

static const uint32_t some[5] = {1, 2, 3, 5, 8};
static const char text[] = "a text of 29 bytes, and zero";

static enum status make(const struct world *w, const char *path, struct err *e)
{
	struct sheet_out *o = sheet_begin(w, path, SHEET_LINKS, e);

	if (!o)
		return e->status;
	sheet_time(o, (struct wall){11}, (struct wall){22});
	if (sheet_put(o, TAG_A, some, sizeof(some), e) != STATUS_OK ||
		sheet_put(o, TAG_B, text, sizeof(text), e) != STATUS_OK ||
		sheet_put(o, TAG_C, NULL, 0, e) != STATUS_OK) {
		sheet_drop(o);
		return e->status;
	}
	return sheet_finish(o, e);
}

static void test_round(void **state)
{
	char *dir = kit_dir(), path[4200];
	struct err e = {0};
	struct sheet s;
	size_t n;

	(void)state;
	kit_file(path, dir, "a.sheet");
	assert_int_equal(make(&world_real, path, &e), STATUS_OK);
	assert_int_equal(sheet_open(&s, path, &e), STATUS_OK);
	assert_int_equal(s.kind, SHEET_LINKS);
	assert_int_equal(s.from.us, 11);
	assert_int_equal(s.to.us, 22);
	const void *p = sheet_section(&s, TAG_A, 4, &n);
	assert_int_equal(n, 5);
	assert_memory_equal(p, some, sizeof(some));
	assert_int_equal((uintptr_t)p % 64, 0);
	p = sheet_section(&s, TAG_B, 1, &n);
	assert_string_equal(p, text);
	assert_int_equal((uintptr_t)p % 64, 0);
	assert_null(sheet_section(&s, TAG_A, 3, &n)); /* no multiple */
	assert_int_equal(n, 0);
	assert_null(sheet_section(&s, TAG_C, 1, &n));
	assert_null(sheet_section(&s, SHEET_TAG('X', 'X', 'X', 'X'), 1, &n));
	assert_int_equal(sheet_check(&s, &e), STATUS_OK);
	sheet_close(&s);
	kit_dir_free(dir);
}

static struct id id_made(
	const char *dir, enum sheet_kind kind, int64_t to_us, uint32_t tag, size_t n, bool index)
{
	char path[4200];
	struct err e = {0};
	struct id id;
	struct sheet s;

	kit_file(path, dir, "first");
	struct sheet_out *o = sheet_begin(&world_real, path, kind, &e);
	assert_non_null(o);
	sheet_time(o, (struct wall){11}, (struct wall){to_us});
	assert_int_equal(sheet_put(o, TAG_A, text, n, &e), STATUS_OK);
	assert_int_equal(sheet_put(o, tag, text + n, sizeof(text) - n, &e), STATUS_OK);
	if (index)
		assert_int_equal(sheet_put_index(o, TAG_C, some, sizeof(some), &e), STATUS_OK);
	assert_int_equal(sheet_id(o, &id, &e), STATUS_OK);
	sheet_time(o, (struct wall){1}, (struct wall){1}); /* is no part of it any more */
	kit_file(path, dir, "place");
	assert_int_equal(sheet_place(o, path, &e), STATUS_OK);
	assert_int_equal(sheet_finish(o, &e), STATUS_OK);
	assert_int_equal(sheet_open(&s, path, &e), STATUS_OK);
	assert_int_equal(s.to.us, 1);
	assert_int_equal(id_order(&s.id, &id), 0);
	sheet_close(&s);
	assert_int_equal(kit_count(dir, "place"), 1);
	assert_int_equal(kit_count(dir, "first.*"), 0);
	return id;
}

/* The id is its content's: kind, times, tags, and where one section ends and the next begins. */
static void test_id(void **state)
{
	char *dir = kit_dir();
	struct id id[5], again = id_made(dir, SHEET_LINKS, 22, TAG_B, 7, true);

	(void)state;
	id[0] = id_made(dir, SHEET_LINKS, 22, TAG_B, 7, false);
	id[1] = id_made(dir, SHEET_PATHS, 22, TAG_B, 7, false);
	id[2] = id_made(dir, SHEET_LINKS, 23, TAG_B, 7, false);
	id[3] = id_made(dir, SHEET_LINKS, 22, TAG_C, 7, false);
	id[4] = id_made(dir, SHEET_LINKS, 22, TAG_B, 8, false);
	assert_int_equal(id_order(&id[0], &again), 0);
	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(id_order(&id[i], &id[k]), 0);
	kit_dir_free(dir);
}

/* Each bit of the file: of head and table it is found when opening, of a section by the check. */
static void test_bits(void **state)
{
	char *dir = kit_dir(), path[4200];
	struct err e = {0};
	struct sheet s;
	size_t n, found = 0;

	(void)state;
	kit_file(path, dir, "a.sheet");
	assert_int_equal(make(&world_real, path, &e), STATUS_OK);
	uint8_t *p = kit_slurp(path, &n);
	for (size_t i = 0; i < n * 8; i++) {
		p[i / 8] ^= (uint8_t)(1 << i % 8);
		bool table = i / 8 < SHEET_HEAD + 3 * sizeof(struct sheet_section_at);
		bool inside = (i / 8 >= SHEET_BEGIN && i / 8 < SHEET_BEGIN + sizeof(some)) ||
			      (i / 8 >= SHEET_BEGIN + 64 && i / 8 < SHEET_BEGIN + 64 + sizeof(text));
		enum status st = sheet_of(&s, p, n, &e);
		assert_int_equal(st, table ? STATUS_BAD : STATUS_OK);
		if (st == STATUS_OK) {
			st = sheet_check(&s, &e);
			assert_int_equal(st, inside ? STATUS_BAD : STATUS_OK);
		}
		if (st == STATUS_BAD && i / 8 >= 8)
			assert_non_null(strstr(e.text, "damaged"));
		found += st == STATUS_BAD;
		p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_true(found > 8 * (SHEET_HEAD + sizeof(some) + sizeof(text)));
	for (size_t k = 0; k < n; k++) /* every beginning of it */
		assert_int_equal(sheet_of(&s, p, k, &e), STATUS_BAD);
	free(p);
	kit_dir_free(dir);
}

static void test_none(void **state)
{
	char *dir = kit_dir(), path[4200];
	struct err e = {0};
	struct sheet s;

	(void)state;
	kit_file(path, dir, "a.sheet");
	assert_int_equal(sheet_open(&s, path, &e), STATUS_MACHINE);
	assert_non_null(strstr(e.text, "a.sheet"));
	kit_spill(path, (const uint8_t *)"not a sheet", 11);
	assert_int_equal(sheet_open(&s, path, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "a.sheet"));
	kit_dir_free(dir);
}

static void test_broken_world(void **state)
{
	char *dir = kit_dir(), path[4200];
	struct err e = {0};
	struct sheet s;
	struct kit_world k = {0};
	struct world w = kit_world_of(&k);

	(void)state;
	kit_file(path, dir, "a.sheet");
	assert_int_equal(make(&w, path, &e), STATUS_OK);
	uint64_t all = k.count;
	assert_true(all >= 8);
	assert_int_equal(k.early, 0);
	assert_int_equal(k.unlinked, 0);
	for (uint64_t at = 1; at <= all; at++) {
		k = (struct kit_world){.at = at, .half = at % 2};
		assert_int_equal(unlink(path), 0);
		assert_int_equal(make(&w, path, &e), STATUS_MACHINE);
		assert_true(e.text[0]);
		assert_int_equal(kit_count(dir, "sheet.*"), 0);
		k = (struct kit_world){0};
		assert_int_equal(make(&w, path, &e), STATUS_OK);
	}
	for (uint64_t at = 1; at <= all; at++) { /* killed: under its name the old one or the whole new one */
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			k = (struct kit_world){.at = at, .die = true};
			_exit(make(&w, path, &e) == STATUS_OK ? 0 : 1);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), 42);
		assert_int_equal(sheet_open(&s, path, &e), STATUS_OK);
		assert_int_equal(sheet_check(&s, &e), STATUS_OK);
		sheet_close(&s);
	}
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_broken_world),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
