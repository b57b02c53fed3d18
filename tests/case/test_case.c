/* The database of cases: what was acknowledged is there, also after kill -9, with two writers, on a full
 * disk; what is not ours, newer or damaged is refused and left as it is. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "case_kit.h"
#include "failing_vfs.h"

static void open_and_read(void **state)
{
	struct fixture *f = *state;
	struct sighting s[3] = {sighting_of(1), sighting_of(2), sighting_of(3)};
	struct attack_case c;
	struct id id, again;
	char text[ID_TEXT], of[ID_TEXT];
	struct sighting one;

	s[1].flow_id = "00112233445566778899aabbccddeeff";
	s[2].end[0].ip = (struct ip){0};
	s[2].text = NULL;
	open_db(f);
	ok(f, case_open(f->db, "the \xc3\xa9 case", s, 3, &id, &f->e));
	ok(f, case_read(f->db, id_text(text, &id), &f->arena, &c, &f->e));
	assert_string_equal(c.title, "the \xc3\xa9 case");
	assert_int_equal(c.closed.us, 0);
	assert_true(c.opened.us > INT64_C(1700000000000000));
	assert_int_equal(c.n_sighting, 3);
	assert_int_equal(c.n_claim, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_memory_equal(&c.sighting[i].id, &s[i].id, sizeof(struct id));
		assert_true(endpoint_equal(&c.sighting[i].end[0], &s[i].end[0]));
		assert_true(endpoint_equal(&c.sighting[i].end[1], &s[i].end[1]));
		assert_int_equal(c.sighting[i].at.us, s[i].at.us);
		assert_int_equal(c.sighting[i].proto, 6);
	}
	assert_string_equal(c.sighting[1].flow_id, s[1].flow_id);
	assert_null(c.sighting[0].flow_id);
	assert_string_equal(c.sighting[2].text, "");
	/* by six digits, and its sightings */
	text[6] = '\0';
	ok(f, case_read(f->db, text, &f->arena, &c, &f->e));
	ok(f, sighting_read(f->db, id_text(text, &s[0].id), &f->arena, &one, of, &f->e));
	assert_string_equal(one.text, "ET SCAN");
	assert_string_equal(of, id_text(text, &id));
	/* again, in another order, over a new handle: the same case, its title kept */
	open_db(f);
	struct sighting mixed[4] = {s[2], s[0], s[1], s[0]};
	ok(f, case_open(f->db, NULL, mixed, 4, &again, &f->e));
	assert_memory_equal(&id, &again, sizeof(id));
	ok(f, case_read(f->db, id_text(text, &id), &f->arena, &c, &f->e));
	assert_string_equal(c.title, "the \xc3\xa9 case");
	assert_int_equal(c.n_sighting, 3);
}

/* What is learned later goes to the sighting that is there. */
static void learned_later(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1), turned;
	struct attack_case c;
	struct id id, again;
	char text[ID_TEXT];

	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	turned = sighting_of(1);
	turned.end[0] = s.end[1];
	turned.end[1] = s.end[0];
	turned.flow_id = "00112233445566778899aabbccddeeff";
	turned.count = 7;
	ok(f, case_open(f->db, "title", &turned, 1, &again, &f->e));
	assert_memory_equal(&id, &again, sizeof(id));
	ok(f, case_open(f->db, NULL, &s, 1, &again, &f->e));
	ok(f, case_read(f->db, id_text(text, &id), &f->arena, &c, &f->e));
	assert_string_equal(c.title, "title");
	assert_int_equal(c.n_sighting, 1);
	assert_int_equal(c.sighting[0].count, 7);
	assert_string_equal(c.sighting[0].flow_id, turned.flow_id);
}

static void close_and_reopen(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	struct attack_case c;
	struct id id, closed;
	char text[ID_TEXT];
	int64_t when;

	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	(void)id_text(text, &id);
	ok(f, case_close(f->db, text, &closed, &f->e));
	assert_memory_equal(&id, &closed, sizeof(id));
	ok(f, case_read(f->db, text, &f->arena, &c, &f->e));
	assert_string_equal(c.title, "ET SCAN");
	when = c.closed.us;
	assert_true(when >= c.opened.us);
	ok(f, case_close(f->db, text, &closed, &f->e));
	ok(f, case_read(f->db, text, &f->arena, &c, &f->e));
	assert_int_equal(c.closed.us, when);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	ok(f, case_read(f->db, text, &f->arena, &c, &f->e));
	assert_int_equal(c.closed.us, 0);
}

static void bad_arguments(void **state)
{
	static const char *const no_ids[] = {
		"", "abc", "ABCDEF", "xyzxyz", "'; DROP", "0123456789abcdef0123456789abcdef0"};
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	struct attack_case c;
	struct claim claim;
	struct id id;
	char of[ID_TEXT];

	open_db(f);
	assert_int_equal(case_open(f->db, "x", &s, 0, &id, &f->e), STATUS_BAD);
	assert_int_equal(case_open(f->db, "\xff", &s, 1, &id, &f->e), STATUS_BAD);
	s.text = "\xc3";
	assert_int_equal(case_open(f->db, "x", &s, 1, &id, &f->e), STATUS_BAD);
	for (size_t i = 0; i < sizeof(no_ids) / sizeof(no_ids[0]); i++) {
		assert_int_equal(case_read(f->db, no_ids[i], &f->arena, &c, &f->e), STATUS_BAD);
		assert_int_equal(claim_read(f->db, no_ids[i], &f->arena, &claim, of, &f->e), STATUS_BAD);
	}
	assert_int_equal(case_read(f->db, "abcdef", &f->arena, &c, &f->e), STATUS_NO);
	assert_string_equal(f->e.text, "abcdef: no such case here");
	assert_int_equal(case_close(f->db, "abcdef", &id, &f->e), STATUS_NO);
	assert_int_equal(sighting_read(f->db, "abcdef", &f->arena, &s, of, &f->e), STATUS_NO);
	assert_string_equal(of, "");
}

/* Ids are compared with what a plain look at all of them says. */
static void prefixes(void **state)
{
	enum { N = 3000 };
	struct fixture *f = *state;
	unsigned several = 0;

	open_db(f);
	struct sighting *s = calloc(N, sizeof(*s));
	struct id of;
	assert_non_null(s);
	for (unsigned i = 0; i < N; i++)
		s[i] = sighting_of(i);
	ok(f, case_open(f->db, NULL, s, N, &of,
		      &f->e)); /* 3000 sightings share 6 digits by chance: 1 in 4 runs */
	for (unsigned i = 0; i < N; i += 7) {
		char text[ID_TEXT], of_text[ID_TEXT];
		struct sighting one;
		unsigned match = 0;
		(void)id_text(text, &s[i].id);
		text[6 + i % 20] = '\0';
		for (unsigned k = 0; k < N; k++)
			match += id_match(&s[k].id, text);
		enum status r = sighting_read(f->db, text, &f->arena, &one, of_text, &f->e);
		assert_int_equal(r, match == 1 ? STATUS_OK : STATUS_BAD);
		if (r == STATUS_OK)
			assert_memory_equal(&one.id, &s[i].id, sizeof(one.id));
		several += match > 1;
	}
	print_message("# %u prefixes of several ids\n", several);
	free(s);
}

static void ambiguous(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	char path[64], of[ID_TEXT];
	struct id id;
	sqlite3 *raw;

	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	(void)snprintf(path, sizeof(path), "%s/weir.db", f->dir);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw,
				 "INSERT INTO claims (id, kind, body, made) VALUES "
				 "('abcdef00000000000000000000000000', 'link', '{}', 1),"
				 "('abcdef10000000000000000000000000', 'link', '{}', 1)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	struct claim c;
	assert_int_equal(claim_read(f->db, "abcdef", &f->arena, &c, of, &f->e), STATUS_BAD);
	assert_string_equal(f->e.text, "several ids of a claim begin with abcdef: give more digits");
	/* and neither hashes to its id */
	assert_int_equal(claim_read(f->db, "abcdef0", &f->arena, &c, of, &f->e), STATUS_BAD);
	assert_non_null(strstr(f->e.text, "a claim that does not match its id"));
}

static int64_t clock_us;

static struct wall clock_now(void *self)
{
	(void)self;
	return (struct wall){clock_us};
}

static void list(void **state)
{
	struct fixture *f = *state;
	struct world w = world_real;
	struct attack_case *c;
	struct id id;
	size_t n;

	w.now = clock_now;
	ok(f, case_db_open(&f->db, &w, f->dir, &f->e));
	ok(f, case_list(f->db, WALL_BEGIN, WALL_END, &f->arena, &c, &n, &f->e));
	assert_int_equal(n, 0);
	for (unsigned i = 0; i < 40; i++) {
		struct sighting s[2] = {sighting_of(2 * i), sighting_of(2 * i + 1)};
		clock_us = 1000 + i;
		ok(f, case_open(f->db, NULL, s, 2, &id, &f->e));
	}
	ok(f, case_list(f->db, WALL_BEGIN, WALL_END, &f->arena, &c, &n, &f->e));
	assert_int_equal(n, 40);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(c[i].opened.us, 1039 - i);
		assert_int_equal(c[i].n_sighting, 2);
		assert_int_equal(c[i].sighting[0].at.us, sighting_of((unsigned)(2 * (39 - i))).at.us);
	}
	ok(f, case_list(f->db, (struct wall){1010}, (struct wall){1020}, &f->arena, &c, &n, &f->e));
	assert_int_equal(n, 10);
	assert_int_equal(c[0].opened.us, 1019);
}

static bool holds(const struct id *id, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (id_match(&id[i], text))
			return true;
	return false;
}

static void claims(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	struct claim c = {.kind = "link",
			     .body = "{\"in\":{\"id\":\"11111111111111111111111111111111\"},"
				     "\"rivals\":[\"22222222222222222222222222222222\","
				     "\"11111111111111111111111111111111\"],"
				     "\"log10_e\":7.5,\"note\":\"3333\"}"},
		     read, loose = {.kind = "link", .body = "{\"id\":\"44444444444444444444444444444444\"}"};
	struct attack_case kase;
	struct id id, none = {{1}}, *held;
	char text[ID_TEXT], of[ID_TEXT], claim_text[ID_TEXT];
	size_t n;

	s.flow_id = "00112233445566778899aabbccddeeff";
	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	ok(f, claim_write(f->db, &id, &c, NULL, &f->e));
	assert_true(c.made.us != 0);
	ok(f, claim_write(f->db, &id, &c, NULL, &f->e));
	ok(f, claim_write(f->db, NULL, &loose, NULL, &f->e));
	assert_int_equal(claim_write(f->db, &none, &c, NULL, &f->e), STATUS_NO);
	assert_non_null(strstr(f->e.text, ": no such case here"));
	ok(f, claim_read(f->db, id_text(claim_text, &c.id), &f->arena, &read, of, &f->e));
	assert_string_equal(read.body, c.body);
	assert_string_equal(read.kind, "link");
	assert_int_equal(read.made.us, c.made.us);
	assert_string_equal(of, id_text(text, &id));
	ok(f, claim_read(f->db, id_text(claim_text, &loose.id), &f->arena, &read, of, &f->e));
	assert_string_equal(of, "");
	ok(f, case_read(f->db, text, &f->arena, &kase, &f->e));
	assert_int_equal(kase.n_claim, 1);
	ok(f, case_held(f->db, &f->arena, &held, &n, &f->e));
	assert_int_equal(n, 3);
	assert_true(holds(held, n, "11111111111111111111111111111111"));
	assert_true(holds(held, n, "22222222222222222222222222222222"));
	assert_true(holds(held, n, "00112233445566778899aabbccddeeff"));
	ok(f, case_close(f->db, text, &id, &f->e));
	ok(f, case_held(f->db, &f->arena, &held, &n, &f->e));
	assert_int_equal(n, 0);
	c.body = "{\"a\":1,\"a\":2}";
	assert_int_equal(claim_write(f->db, &id, &c, NULL, &f->e), STATUS_BAD);
	c.body = "none";
	assert_int_equal(claim_write(f->db, &id, &c, NULL, &f->e), STATUS_BAD);
}

/* ---- what is not ours ---- */

static void refuses(struct fixture *f, enum status want, const char *says)
{
	struct case_db *db;

	assert_int_equal(case_db_open(&db, &world_real, f->dir, &f->e), want);
	assert_null(db);
	if (!strstr(f->e.text, says))
		fail_msg("says: %s", f->e.text);
}

static void not_ours(void **state)
{
	struct fixture *f = *state;
	char path[64];

	raw_sql(f, "CREATE TABLE t (x)");
	refuses(f, STATUS_BAD, "is a database of another program");
	(void)snprintf(path, sizeof(path), "%s/weir.db", f->dir);
	assert_int_equal(unlink(path), 0);
	open_db(f);
	case_db_close(f->db);
	f->db = NULL;
	raw_sql(f, "PRAGMA user_version = 4");
	refuses(f, STATUS_BAD, "written by a newer weir (schema 4, this one knows 3)");
	raw_sql(f, "PRAGMA user_version = 3");
	open_db(f);
}

static void no_directory(void **state)
{
	struct fixture *f = *state;
	char path[64];
	struct case_db *db;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/weir.db", f->dir);
	assert_int_equal(case_db_open(&db, &world_real, "/nonexistent/a/b", &f->e), STATUS_MACHINE);
	assert_int_equal(case_db_open(&db, &world_real, "/dev/null", &f->e), STATUS_MACHINE);
	assert_int_equal(mkdir(path, 0700), 0);
	refuses(f, STATUS_MACHINE, "weir.db");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(f->dir), 0);
	open_db(f); /* makes it */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* Everything is read; a status and a line come out, or all is as it was. */
static enum status read_all(struct fixture *f)
{
	struct arena a = {0};
	struct attack_case *c, one;
	struct case_db *db;
	struct id *held;
	size_t n = 0;
	char text[ID_TEXT];
	enum status s = case_db_open(&db, &world_real, f->dir, &f->e);

	if (s == STATUS_OK)
		s = case_list(db, WALL_BEGIN, WALL_END, &a, &c, &n, &f->e);
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = case_read(db, id_text(text, &c[i].id), &a, &one, &f->e);
	if (s == STATUS_OK)
		s = case_held(db, &a, &held, &n, &f->e);
	case_db_close(db);
	arena_free(&a);
	return s;
}

static void damaged(void **state)
{
	enum { MAX = 1 << 20 };
	struct fixture *f = *state;
	uint8_t *good = malloc(MAX), *bad = malloc(MAX);
	uint64_t seed = seed_take();
	unsigned count[4] = {0};
	char path[64], wal[64];
	struct id id;
	size_t n;

	assert_true(good && bad);
	(void)snprintf(path, sizeof(path), "%s/weir.db", f->dir);
	(void)snprintf(wal, sizeof(wal), "%s/weir.db-wal", f->dir);
	open_db(f);
	for (unsigned i = 0; i < 50; i++) {
		struct sighting s[2] = {sighting_of(2 * i), sighting_of(2 * i + 1)};
		ok(f, case_open(f->db, NULL, s, 2, &id, &f->e));
	}
	case_db_close(f->db);
	f->db = NULL;
	n = file_get(path, good, MAX);
	for (unsigned round = 0; round < 300; round++) {
		size_t cut = round % 3 == 0 ? next_random(&seed) % n : n;
		memcpy(bad, good, n);
		for (unsigned k = 0; cut == n && k <= round % 8; k++)
			bad[next_random(&seed) % n] = (uint8_t)next_random(&seed);
		file_put(path, bad, cut);
		(void)unlink(wal);
		enum status s = read_all(f);
		count[s]++;
		if (s != STATUS_OK && s != STATUS_BAD)
			fail_msg("status %d: %s", s, f->e.text);
		if (s != STATUS_OK && !strstr(f->e.text, "weir.db") && !strstr(f->e.text, "no such case"))
			fail_msg("%s", f->e.text);
	}
	print_message("# %u read, %u refused\n", count[STATUS_OK], count[STATUS_BAD]);
	assert_true(count[STATUS_BAD] > 50);
	memset(bad, 'x', 4096);
	file_put(path, bad, 4096);
	assert_int_equal(read_all(f), STATUS_BAD);
	assert_non_null(strstr(f->e.text, "is not a database"));
	free(good);
	free(bad);
}

/* A row that was changed by hand is not believed. */
static void forged(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	struct attack_case c;
	struct id id;
	char text[ID_TEXT];

	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	raw_sql(f, "UPDATE sightings SET to_ip = '192.0.2.11'");
	assert_int_equal(case_read(f->db, id_text(text, &id), &f->arena, &c, &f->e), STATUS_BAD);
	assert_non_null(strstr(f->e.text, "a sighting that does not match its id"));
	raw_sql(f, "UPDATE sightings SET to_ip = 'x'");
	assert_int_equal(case_read(f->db, text, &f->arena, &c, &f->e), STATUS_BAD);
	raw_sql(f, "UPDATE sightings SET to_ip = '192.0.2.10'");
	ok(f, case_read(f->db, text, &f->arena, &c, &f->e));
}

/* ---- several processes, kills, a full disk ---- */

/* In a child: opens cases from..., writes the index of each that was acknowledged to fd. */
static void writer(const char *dir, unsigned from, unsigned n, int fd)
{
	struct case_db *db;
	struct err e;

	if (case_db_open(&db, &world_real, dir, &e) != STATUS_OK) {
		print_message("# %s\n", e.text);
		_exit(1);
	}
	for (unsigned i = from; i < from + n; i++) {
		struct sighting s = sighting_of(i);
		struct id id;
		if (case_open(db, NULL, &s, 1, &id, &e) != STATUS_OK || write(fd, &i, sizeof(i)) != sizeof(i))
			_exit(2);
	}
	case_db_close(db);
	_exit(0);
}

static void assert_there(struct fixture *f, unsigned i)
{
	struct sighting s = sighting_of(i);
	struct attack_case c;
	struct id id;
	size_t before, after;
	struct attack_case *all;
	char text[ID_TEXT];

	ok(f, case_list(f->db, WALL_BEGIN, WALL_END, &f->arena, &all, &before, &f->e));
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e)); /* makes no new one */
	ok(f, case_list(f->db, WALL_BEGIN, WALL_END, &f->arena, &all, &after, &f->e));
	assert_int_equal(before, after);
	ok(f, case_read(f->db, id_text(text, &id), &f->arena, &c, &f->e));
	assert_int_equal(c.n_sighting, 1);
}

static void killed(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = seed_take();
	unsigned done = 0, last = 0;

	for (unsigned round = 0; round < 20; round++) {
		unsigned stop = 1 + next_random(&seed) % 12, i, seen = 0;
		int fd[2];
		assert_int_equal(pipe(fd), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			writer(f->dir, 1000 * round, 1000, fd[1]);
		(void)close(fd[1]);
		while (seen < stop && read(fd[0], &i, sizeof(i)) == sizeof(i)) {
			seen++;
			last = i;
		}
		(void)kill(pid, SIGKILL);
		while (read(fd[0], &i, sizeof(i)) == sizeof(i)) /* acknowledged before the kill */
			last = i;
		(void)close(fd[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(seen, stop);
		open_db(f);
		for (i = 1000 * round; i <= last; i++, done++)
			assert_there(f, i);
		case_db_close(f->db);
		f->db = NULL;
	}
	print_message("# %u cases acknowledged and there\n", done);
}

enum { WRITERS = 3, EACH = 60 };

/* All meet at an empty directory; half of what they write is the same. */
static void writers_meet(struct fixture *f)
{
	pid_t pid[WRITERS];
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), how;

	assert_true(fd >= 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			writer(f->dir, i * EACH / 2, EACH, fd);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(pid[i], &how, 0), pid[i]);
		assert_true(WIFEXITED(how));
		assert_int_equal(WEXITSTATUS(how), 0);
	}
	(void)close(fd);
}

static void two_writers(void **state)
{
	struct fixture *f = *state;
	struct attack_case *c;
	size_t n;

	for (int round = 0; round < 8; round++) {
		writers_meet(f);
		open_db(f);
		ok(f, case_list(f->db, WALL_BEGIN, WALL_END, &f->arena, &c, &n, &f->e));
		assert_int_equal(n, EACH + (WRITERS - 1) * EACH / 2);
		case_db_close(f->db);
		f->db = NULL;
		files_remove(f);
	}
}

/* The N-th write or sync fails, for each N until a run needs fewer: a clear status comes out, what was
 * acknowledged before is there, and the same step succeeds once there is room. */
static void failing_disk(void **state)
{
	struct fixture *f = *state;
	static sqlite3_vfs v;
	unsigned made = 0, failed = 0;
	bool all = false;

	assert_true(vfs_wrap(&v));
	for (int at = 1; !all && at < 200; at++) {
		struct sighting s = sighting_of(made);
		struct case_db *db = NULL;
		struct id id;
		writes_left = at;
		enum status r = case_db_open(&db, &world_real, f->dir, &f->e);
		if (r == STATUS_OK)
			r = case_open(db, NULL, &s, 1, &id, &f->e);
		all = writes_left > 0;
		writes_left = -1;
		case_db_close(db);
		assert_true(r == STATUS_OK || r == STATUS_MACHINE);
		failed += r == STATUS_MACHINE;
		open_db(f);
		if (r == STATUS_OK)
			assert_there(f, made);
		ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
		made++;
		for (unsigned i = 0; i < made; i++)
			assert_there(f, i);
		case_db_close(f->db);
		f->db = NULL;
	}
	assert_int_equal(sqlite3_vfs_unregister(&v), SQLITE_OK);
	print_message("# %u steps failed, %u cases there\n", failed, made);
	assert_true(all);
	assert_true(failed > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(open_and_read), TEST(learned_later), TEST(close_and_reopen),
		TEST(bad_arguments), TEST(prefixes), TEST(ambiguous), TEST(list), TEST(claims),
		TEST(not_ours), TEST(no_directory), TEST(damaged), TEST(forged), TEST(killed),
		TEST(two_writers), TEST(failing_disk)};

	return cmocka_run_group_tests_name("case", tests, NULL, NULL);
}
