/* What the tests of the database share: a directory of its own with the database in it, sightings, files. */
#ifndef WEIR_TESTS_CASE_KIT_H
#define WEIR_TESTS_CASE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "case/case.h"

struct fixture {
	char dir[32];
	struct arena arena;
	struct err e;
	struct case_db *db;
};

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	memcpy(f->dir, "/tmp/weir-case-XXXXXX", 22);
	*state = f;
	return mkdtemp(f->dir) ? 0 : -1;
}

static inline void files_remove(const struct fixture *f)
{
	static const char *const names[] = {"weir.db", "weir.db-wal", "weir.db-shm", "weir.db-journal"};
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		(void)unlink(path);
	}
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	case_db_close(f->db);
	files_remove(f);
	(void)rmdir(f->dir);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static inline void ok(struct fixture *f, enum status s)
{
	if (s != STATUS_OK)
		fail_msg("status %d: %s", s, f->e.text);
}

static inline void open_db(struct fixture *f)
{
	case_db_close(f->db);
	f->db = NULL;
	ok(f, case_db_open(&f->db, &world_real, f->dir, &f->e));
}

/* The i-th of many different sightings. */
static inline struct sighting sighting_of(unsigned i)
{
	struct sighting s = {.source = "eve", .proto = 6, .text = "ET SCAN", .count = 1};

	assert_true(endpoint_parse(&s.end[0], "198.51.100.7:41234"));
	assert_true(endpoint_parse(&s.end[1], "192.0.2.10:22"));
	s.end[0].port = (uint16_t)(1024 + i % 50000);
	s.at.us = INT64_C(1416820353000000) + i;
	return s;
}

static inline void raw_sql(struct fixture *f, const char *sql)
{
	char path[64];
	sqlite3 *raw;

	(void)snprintf(path, sizeof(path), "%s/weir.db", f->dir);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	if (sqlite3_exec(raw, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(raw));
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

/* WEIR_SEED repeats a run. */
static inline uint64_t seed_take(void)
{
	const char *given = getenv("WEIR_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("# seed %llu\n", (unsigned long long)seed);
	return seed;
}

static inline uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

static inline size_t file_get(const char *path, uint8_t *to, size_t max)
{
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(to, 1, max, f);
	(void)fclose(f);
	return n;
}

static inline void file_put(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
