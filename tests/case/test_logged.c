/* What the database's later versions added: a file of an earlier one is brought up whole or left whole; a
 * claim and its statement for the ledger are there together or not at all; a bundle is taken once. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "case/logged.h"
#include "case_kit.h"
#include "failing_vfs.h"

/* ---- versions 1 and 2 ---- */

static const char *in_dir(char to[64], const struct fixture *f, const char *name)
{
	(void)snprintf(to, 64, "%s/%s", f->dir, name);
	return to;
}

static size_t fixture_get(uint8_t *to, size_t max, unsigned version, const char *name)
{
	const char *root = getenv("WEIR_SOURCE");
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/case-%u/%s", root ? root : ".", version, name);
	return file_get(path, to, max);
}

/* The database as that version wrote it. */
static void fixture_put(const struct fixture *f, unsigned version)
{
	static uint8_t bytes[1 << 17];
	char path[64];
	size_t n = fixture_get(bytes, sizeof(bytes), version, "weir.db");

	files_remove(f);
	file_put(in_dir(path, f, "weir.db"), bytes, n);
}

static int text_collect(void *to, int n, char **text, char **name)
{
	(void)name;
	for (int i = 0; i < n; i++)
		(void)strncat(to, text[i] ? text[i] : "-", 8191 - strlen(to));
	(void)strncat(to, "\n", 8191 - strlen(to));
	return 0;
}

/* All rows of a statement on the file itself. */
static const char *raw_text(const struct fixture *f, char to[8192], const char *sql)
{
	char path[64];
	sqlite3 *raw;

	*to = '\0';
	assert_int_equal(sqlite3_open(in_dir(path, f, "weir.db"), &raw), SQLITE_OK);
	if (sqlite3_exec(raw, sql, text_collect, to, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(raw));
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	return to;
}

static void assert_raw(const struct fixture *f, const char *sql, const char *says)
{
	char text[8192];

	assert_string_equal(raw_text(f, text, sql), says);
}

/* Everything of the fixture of version 1 reads as it was written. */
static void assert_survived(struct fixture *f)
{
	char text[4096] = "", kind[16], id[40], of[ID_TEXT];
	const char *at = text;
	int taken;
	unsigned n = 0;

	text[fixture_get((uint8_t *)text, sizeof(text) - 1, 1, "expected.txt")] = '\0';
	for (; sscanf(at, "%15s %39s%n", kind, id, &taken) == 2; at += taken, n++) {
		struct attack_case c;
		struct sighting s;
		struct claim k;
		if (strcmp(kind, "case") == 0) {
			ok(f, case_read(f->db, id, &f->arena, &c, &f->e));
			assert_int_equal(c.n_sighting + c.n_claim, n == 0 ? 3 : 2);
			assert_int_equal(c.closed.us != 0, n == 1);
		} else if (strcmp(kind, "sighting") == 0) {
			ok(f, sighting_read(f->db, id, &f->arena, &s, of, &f->e));
		} else {
			ok(f, claim_read(f->db, id, &f->arena, &k, of, &f->e));
			assert_string_equal(k.origin, "");
			assert_string_equal(k.bundle, "");
		}
	}
	assert_int_equal(n, 8);
}

static void brought_up(void **state)
{
	struct fixture *f = *state;
	char fresh[8192], grown[8192];
	struct logged *l;
	struct id *held;
	size_t n;

	open_db(f);
	(void)raw_text(f, fresh, "SELECT name, sql FROM sqlite_schema ORDER BY name");
	case_db_close(f->db);
	f->db = NULL;
	fixture_put(f, 1);
	assert_raw(f, "PRAGMA user_version", "1\n");
	open_db(f);
	assert_survived(f);
	assert_raw(f, "PRAGMA user_version", "3\n");
	assert_string_equal(fresh, raw_text(f, grown, "SELECT name, sql FROM sqlite_schema ORDER BY name"));
	ok(f, logged_waiting(f->db, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, 0);
	ok(f, case_held(f->db, &f->arena, &held, &n, &f->e)); /* the sighting's and the in-leg's */
	assert_int_equal(n, 2);
	open_db(f);
	assert_survived(f);
}

/* Claims with their origin, entries with their index, and the bundles of version 2 are all there. */
static void assert_survived_2(struct fixture *f)
{
	char text[4096] = "", kind[16], id[40], rest[40], of[ID_TEXT], line[128];
	char *at = text, *save = NULL;
	unsigned n = 0;

	text[fixture_get((uint8_t *)text, sizeof(text) - 1, 2, "expected.txt")] = '\0';
	for (; (at = strtok_r(n ? NULL : text, "\n", &save)) != NULL; n++) {
		struct attack_case c;
		struct claim k;
		struct exchange x;
		struct sighting g;
		(void)snprintf(line, sizeof(line), "%s -", at);
		assert_int_equal(sscanf(line, "%15s %39s %39s", kind, id, rest), 3);
		if (strcmp(kind, "case") == 0) {
			ok(f, case_read(f->db, id, &f->arena, &c, &f->e));
			assert_int_equal(c.n_sighting, 1);
			assert_int_equal(c.n_claim, 3);
		} else if (strcmp(kind, "sighting") == 0) {
			ok(f, sighting_read(f->db, id, &f->arena, &g, of, &f->e));
		} else if (strcmp(kind, "claim") == 0) {
			ok(f, claim_read(f->db, id, &f->arena, &k, of, &f->e));
			assert_string_equal(k.origin, strcmp(rest, "-") == 0 ? "" : rest);
		} else if (strcmp(kind, "entry") == 0) {
			struct id object;
			struct logged *l;
			size_t rows;
			assert_true(id_parse(&object, id));
			ok(f, logged_of(f->db, &object, &f->arena, &l, &rows, &f->e));
			assert_int_equal(rows, 1);
			assert_int_equal(l[0].entry, atoi(rest));
		} else {
			ok(f, exchange_read(f->db, id, strcmp(kind, "received") == 0, &f->arena, &x, &f->e));
		}
	}
	assert_int_equal(n, 12);
}

static void brought_up_from_2(void **state)
{
	struct fixture *f = *state;
	char fresh[8192], grown[8192];

	open_db(f);
	(void)raw_text(f, fresh, "SELECT name, sql FROM sqlite_schema ORDER BY name");
	case_db_close(f->db);
	f->db = NULL;
	fixture_put(f, 2);
	assert_raw(f, "PRAGMA user_version", "2\n");
	open_db(f);
	assert_survived_2(f);
	assert_raw(f, "PRAGMA user_version", "3\n");
	assert_string_equal(fresh, raw_text(f, grown, "SELECT name, sql FROM sqlite_schema ORDER BY name"));
}

/* A handle of version 1 that is open meanwhile goes on: its statements name their columns. */
static void beside_version_1(void **state)
{
	static const char old[] = "INSERT OR IGNORE INTO claims (id, kind, body, made)"
				  " VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'link', '{}', 1)";
	struct fixture *f = *state;
	char path[64];
	sqlite3_stmt *st;
	sqlite3 *raw;

	fixture_put(f, 1);
	assert_int_equal(sqlite3_open(in_dir(path, f, "weir.db"), &raw), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v3(raw, old, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL), SQLITE_OK);
	open_db(f);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(raw), SQLITE_OK);
	assert_raw(f, "SELECT origin, bundle FROM claims WHERE made = 1", "\n");
}

/* What stands in the file after a try that did not come to its end: the one version or the other. */
static bool assert_one_version(const struct fixture *f)
{
	char version[8192], tables[8192], columns[8192];
	bool ours = strcmp(raw_text(f, version, "PRAGMA user_version"), "3\n") == 0;

	assert_raw(f, "PRAGMA integrity_check", "ok\n");
	assert_string_equal(version, ours ? "3\n" : "1\n");
	assert_string_equal(raw_text(f, tables,
				    "SELECT count(*) FROM sqlite_schema WHERE name IN ('logged', "
				    "'exchanges', 'plans', 'orders')"),
		ours ? "4\n" : "0\n");
	assert_string_equal(raw_text(f, columns, "SELECT count(*) FROM pragma_table_info('claims')"),
		ours ? "6\n" : "4\n");
	return ours;
}

/* The N-th write or sync fails (or the process dies there), for each N until a run needs fewer. */
static void bring_up_broken(struct fixture *f, bool die)
{
	static sqlite3_vfs v;
	unsigned whole[2] = {0};
	bool all = false;

	assert_true(vfs_wrap(&v));
	for (int at = 1; !all && at < 200; at++) {
		int how = 0;
		fixture_put(f, 1);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct case_db *db;
			writes_kill = die;
			writes_left = at;
			enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
			all = writes_left > 0;
			writes_left = -1;
			case_db_close(db);
			_exit(all && s == STATUS_OK ? 0 : s == STATUS_MACHINE ? 1 : s == STATUS_OK ? 2 : 3);
		}
		assert_int_equal(waitpid(pid, &how, 0), pid);
		assert_true(WIFEXITED(how));
		how = WEXITSTATUS(how);
		all = how == 0;
		assert_true(all || (die ? how == 42 : how == 1 || how == 2));
		bool ours = assert_one_version(f);
		if (how == 0 || how == 2)
			assert_true(ours);
		whole[ours]++;
		open_db(f);
		assert_survived(f);
		case_db_close(f->db);
		f->db = NULL;
	}
	assert_int_equal(sqlite3_vfs_unregister(&v), SQLITE_OK);
	print_message("# left at version 1: %u, at version 3: %u\n", whole[0], whole[1]);
	assert_true(all);
	assert_true(whole[0] > 2);
}

static void bring_up_failing(void **state)
{
	bring_up_broken(*state, false);
}

static void bring_up_killed(void **state)
{
	bring_up_broken(*state, true);
}

/* Several find version 1 at once. */
static void bring_up_together(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 20; round++) {
		pid_t pid[3];
		fixture_put(f, 1);
		for (size_t i = 0; i < 3; i++) {
			pid[i] = fork();
			assert_true(pid[i] >= 0);
			if (pid[i] == 0) {
				struct case_db *db;
				enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
				case_db_close(db);
				_exit((int)s);
			}
		}
		for (size_t i = 0; i < 3; i++) {
			int how;
			assert_int_equal(waitpid(pid[i], &how, 0), pid[i]);
			assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
		}
		assert_true(assert_one_version(f));
	}
	open_db(f);
	assert_survived(f);
}

static void existing_only(void **state)
{
	struct fixture *f = *state;
	char path[64], none[64];
	struct sighting one = sighting_of(1);
	struct id id;
	struct stat st;

	assert_int_equal(case_db_open_existing(&f->db, &world_real, f->dir, &f->e), STATUS_NO);
	assert_null(f->db);
	assert_int_equal(rmdir(f->dir), 0); /* nothing was made in it */
	assert_int_equal(case_db_open_existing(&f->db, &world_real, f->dir, &f->e), STATUS_NO);
	assert_int_equal(access(f->dir, F_OK), -1);
	assert_int_equal(case_db_open_existing(&f->db, &world_real, "/dev/null", &f->e), STATUS_NO);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	file_put(in_dir(path, f, "weir.db"), (const uint8_t *)"",
		0); /* its maker died before the tables were made */
	assert_int_equal(case_db_open_existing(&f->db, &world_real, f->dir, &f->e), STATUS_NO);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(access(in_dir(none, f, "weir.db-wal"), F_OK), -1);
	fixture_put(f, 1); /* of version 1, to which no bundle came: it is left as it is */
	assert_int_equal(case_db_open_existing(&f->db, &world_real, f->dir, &f->e), STATUS_NO);
	assert_raw(f, "PRAGMA user_version", "1\n");
	open_db(f);
	case_db_close(f->db);
	ok(f, case_db_open_existing(&f->db, &world_real, f->dir, &f->e));
	assert_survived(f);
	assert_int_equal(case_open(f->db, NULL, &one, 1, &id, &f->e), STATUS_MACHINE); /* to read only */
}

/* ---- statements that wait ---- */

static struct id object_of(unsigned i)
{
	struct id id = {{(uint8_t)(i >> 8), (uint8_t)i, 7}};

	return id;
}

/* One entry of the slow second implementation: a list. */
struct noted {
	unsigned object, kind;
	int64_t entry;
};

enum { OBJECTS = 12, NOTED_MAX = OBJECTS * 3 };

static const char *const kinds[3] = {"claim", "request-sent", "key"};

static void assert_same_rows(
	const struct logged *l, size_t n, const struct noted *m, size_t n_m, int object /* -1: waiting */)
{
	size_t k = 0;

	for (size_t i = 0; i < n_m; i++) {
		struct id id = object_of(m[i].object);
		if (object >= 0 ? m[i].object != (unsigned)object : m[i].entry >= 0)
			continue;
		assert_true(k < n);
		assert_memory_equal(&l[k].object, &id, sizeof(id));
		assert_string_equal(l[k].kind, kinds[m[i].kind]);
		assert_int_equal(l[k].entry, m[i].entry);
		k++;
	}
	assert_int_equal(k, n);
}

static size_t noted_add(struct noted *m, size_t n, unsigned object, unsigned kind)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].object == object && m[i].kind == kind)
			return n;
	m[n] = (struct noted){object, kind, -1};
	return n + 1;
}

/* Random adding, again and again the same, and numbers that come back. */
static void outbox(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = seed_take();
	struct noted m[NOTED_MAX];
	size_t n_m = 0, n;
	struct logged *l;

	open_db(f);
	for (unsigned round = 0; round < 400; round++) {
		unsigned object = next_random(&seed) % OBJECTS, kind = next_random(&seed) % 3;
		struct logged one = {.object = object_of(object), .kind = kinds[kind], .text = "{\"a\":1}"};
		ok(f, logged_add(f->db, &one, &f->e));
		n_m = noted_add(m, n_m, object, kind);
		ok(f, logged_waiting(f->db, &f->arena, &l, &n, &f->e));
		assert_same_rows(l, n, m, n_m, -1);
		if (n > 0 && next_random(&seed) % 8 == 0) {
			const struct logged *done = &l[next_random(&seed) % n];
			for (size_t i = 0; i < n_m; i++) {
				struct id id = object_of(m[i].object);
				if (id_order(&id, &done->object) == 0 &&
					strcmp(kinds[m[i].kind], done->kind) == 0)
					m[i].entry = round;
			}
			ok(f, logged_done(f->db, done->row, round, &f->e));
		}
		struct id of = object_of(object);
		ok(f, logged_of(f->db, &of, &f->arena, &l, &n, &f->e));
		assert_same_rows(l, n, m, n_m, (int)object);
	}
	assert_int_equal(logged_done(f->db, 999999, 1, &f->e), STATUS_BAD);
	struct logged bad = {.kind = "claim", .text = "\xff"};
	assert_int_equal(logged_add(f->db, &bad, &f->e), STATUS_BAD);
	bad = (struct logged){.kind = "\xc3", .text = "{}"};
	assert_int_equal(logged_add(f->db, &bad, &f->e), STATUS_BAD);
}

static struct claim claim_of(unsigned i, char body[64])
{
	(void)snprintf(body, 64, "{\"n\":%u,\"flow\":\"%032x\"}", i, i + 1);
	return (struct claim){.kind = "attack", .body = body};
}

/* Either the claim and its statement, or neither. */
static bool claim_whole(struct fixture *f, unsigned i)
{
	char body[64], text[ID_TEXT], of[ID_TEXT];
	struct claim c = claim_of(i, body), got;
	struct logged *l;
	size_t n;

	assert_true(claim_make_id(&c));
	enum status s = claim_read(f->db, id_text(text, &c.id), &f->arena, &got, of, &f->e);
	ok(f, logged_of(f->db, &c.id, &f->arena, &l, &n, &f->e));
	assert_true(s == STATUS_OK || s == STATUS_NO);
	assert_int_equal(n, s == STATUS_OK ? 1 : 0);
	return n == 1;
}

static enum status claim_put(struct case_db *db, unsigned i, struct err *e)
{
	char body[64];
	struct claim c = claim_of(i, body);
	const struct logged l = {.kind = "claim", .text = "{\"claim\":1}"};

	return claim_write(db, NULL, &c, &l, e);
}

static void claims_and_rows(void **state)
{
	struct fixture *f = *state;
	static sqlite3_vfs v;
	unsigned made = 0, there = 0;
	bool all = false;

	open_db(f);
	case_db_close(f->db);
	f->db = NULL;
	assert_true(vfs_wrap(&v));
	for (int at = 1; !all && at < 200; at++, made++) {
		struct case_db *db;
		writes_left = at;
		enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
		if (s == STATUS_OK)
			s = claim_put(db, made, &f->e);
		all = writes_left > 0;
		writes_left = -1;
		case_db_close(db);
		assert_true(s == STATUS_OK || s == STATUS_MACHINE);
		open_db(f);
		bool is = claim_whole(f, made);
		assert_true(is || s == STATUS_MACHINE);
		there += is;
		case_db_close(f->db);
		f->db = NULL;
	}
	assert_int_equal(sqlite3_vfs_unregister(&v), SQLITE_OK);
	print_message("# %u tries, %u claims there, each with its statement\n", made, there);
	assert_true(all);
	assert_true(there < made);
}

static void killed_between(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = seed_take();
	unsigned there = 0;

	for (unsigned round = 0; round < 12; round++) {
		unsigned stop = 1 + next_random(&seed) % 10, last = 0;
		int fd[2];
		assert_int_equal(pipe(fd), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct case_db *db;
			enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
			for (unsigned i = 1000 * round; s == STATUS_OK; i++) {
				s = claim_put(db, i, &f->e);
				if (write(fd[1], &i, sizeof(i)) != sizeof(i))
					break;
			}
			_exit(1);
		}
		(void)close(fd[1]);
		for (unsigned seen = 0; seen < stop; seen++)
			assert_int_equal(read(fd[0], &last, sizeof(last)), sizeof(last));
		(void)kill(pid, SIGKILL);
		while (read(fd[0], &last, sizeof(last)) == sizeof(last)) /* acknowledged before the kill */
			;
		(void)close(fd[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		open_db(f);
		for (unsigned i = 1000 * round; i <= last; i++, there++)
			assert_true(claim_whole(f, i));
		(void)claim_whole(f, last + 1);
		case_db_close(f->db);
		f->db = NULL;
	}
	print_message("# %u claims acknowledged and there\n", there);
}

/* ---- whose a claim is ---- */

static void origins(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	char body[64], other[64], text[ID_TEXT], of[ID_TEXT];
	struct claim c = claim_of(1, body), ours = claim_of(2, other), got;
	struct id id, *held;
	size_t n;

	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	c.origin = "isp.example/weir";
	c.bundle = "0123456789abcdef0123456789abcdef";
	ok(f, claim_write(f->db, &id, &c, NULL, &f->e));
	ok(f, claim_read(f->db, id_text(text, &c.id), &f->arena, &got, of, &f->e));
	assert_string_equal(got.origin, c.origin);
	assert_string_equal(got.bundle, c.bundle);
	ok(f, case_held(f->db, &f->arena, &held, &n, &f->e)); /* a partner's claim holds nothing */
	assert_int_equal(n, 0);
	/* the same is claimed here too: it is ours, and stays so */
	c.origin = c.bundle = NULL;
	ok(f, claim_write(f->db, NULL, &c, NULL, &f->e));
	c.origin = "isp.example/weir";
	ok(f, claim_write(f->db, NULL, &c, NULL, &f->e));
	ok(f, claim_read(f->db, text, &f->arena, &got, of, &f->e));
	assert_string_equal(got.origin, "");
	assert_string_equal(got.bundle, "");
	ok(f, case_held(f->db, &f->arena, &held, &n, &f->e));
	assert_int_equal(n, 1);
	ours.origin = "\xff";
	assert_int_equal(claim_write(f->db, NULL, &ours, NULL, &f->e), STATUS_BAD);
	ours.origin = NULL;
	ours.body = "{\"a\":\"\xff\"}";
	assert_int_equal(claim_write(f->db, NULL, &ours, NULL, &f->e), STATUS_BAD);
	/* no row is written for a claim that is not */
	struct id none = {{9}};
	const struct logged l = {.kind = "claim", .text = "{}"};
	struct logged *rows;
	ours.body = other;
	assert_int_equal(claim_write(f->db, &none, &ours, &l, &f->e), STATUS_NO);
	ok(f, logged_waiting(f->db, &f->arena, &rows, &n, &f->e));
	assert_int_equal(n, 0);
}

/* ---- bundles ---- */

static struct exchange exchange_of(unsigned i)
{
	return (struct exchange){.id = object_of(i),
		.received = true,
		.peer = "isp.example/weir",
		.case_id = "",
		.made.us = 1000 + i,
		.not_after.us = 2000 + i,
		.blob = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.ask = "confirm",
		.verdict = "",
		.why = ""};
}

static const struct logged received_row = {.kind = "request-received", .text = "{\"bundle\":1}"};

static void assert_same_exchange(const struct exchange *a, const struct exchange *b)
{
	const char *const x[] = {a->peer, a->case_id, a->blob, a->ask, a->verdict, a->why};
	const char *const y[] = {b->peer, b->case_id, b->blob, b->ask, b->verdict, b->why};

	assert_memory_equal(&a->id, &b->id, sizeof(a->id));
	assert_memory_equal(&a->reply_to, &b->reply_to, sizeof(a->reply_to));
	assert_int_equal(a->received, b->received);
	assert_int_equal(a->answer, b->answer);
	assert_int_equal(a->made.us, b->made.us);
	assert_int_equal(a->not_after.us, b->not_after.us);
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		assert_string_equal(x[i], y[i]);
}

/* A second time: no, whatever else it says, and nothing changes. */
static void replayed(void **state)
{
	struct fixture *f = *state;
	struct exchange x = exchange_of(1), again = x, got;
	const struct logged other = {.kind = "answer-received", .text = "{}"};
	struct logged *l;
	char text[ID_TEXT];
	size_t n;

	open_db(f);
	ok(f, exchange_write(f->db, &x, &received_row, &f->e));
	again.why = "changed";
	assert_int_equal(exchange_write(f->db, &again, &other, &f->e), STATUS_NO);
	assert_non_null(strstr(f->e.text, "received before"));
	ok(f, logged_of(f->db, &x.id, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, 1);
	assert_string_equal(l[0].kind, "request-received");
	ok(f, exchange_read(f->db, id_text(text, &x.id), true, &f->arena, &got, &f->e));
	assert_same_exchange(&x, &got);
	assert_int_equal(exchange_read(f->db, text, false, &f->arena, &got, &f->e), STATUS_NO);
	assert_non_null(strstr(f->e.text, "no such bundle here"));
	/* the other direction is another matter: a bundle to oneself */
	again.received = false;
	ok(f, exchange_write(f->db, &again, NULL, &f->e));
}

/* One request has one answer from here, whatever that says; those that come from others are another matter.
 */
static void answered_once(void **state)
{
	struct fixture *f = *state;
	struct exchange one = exchange_of(1), two = exchange_of(2), other = exchange_of(3);

	open_db(f);
	one.answer = two.answer = other.answer = true;
	one.received = two.received = other.received = false;
	one.reply_to = two.reply_to = other.id;
	ok(f, exchange_write(f->db, &one, NULL, &f->e));
	assert_int_equal(exchange_write(f->db, &two, &received_row, &f->e), STATUS_NO);
	assert_non_null(strstr(f->e.text, "answered before"));
	other.reply_to = one.id;
	ok(f, exchange_write(f->db, &other, NULL, &f->e));
	two.received = true;
	ok(f, exchange_write(f->db, &two, NULL, &f->e));
}

static void exchanges(void **state)
{
	struct fixture *f = *state;
	struct sighting s = sighting_of(1);
	struct exchange x = exchange_of(1), y = exchange_of(2), got, *all;
	struct id id;
	char text[ID_TEXT], case_text[ID_TEXT];
	size_t n;

	open_db(f);
	ok(f, case_open(f->db, NULL, &s, 1, &id, &f->e));
	y.answer = true;
	y.received = false;
	y.reply_to = x.id;
	y.ask = NULL;
	y.verdict = "doubted";
	y.why = "not seen \xc3\xa9";
	y.case_id = id_text(case_text, &id);
	ok(f, exchange_write(f->db, &y, NULL, &f->e));
	ok(f, exchange_write(f->db, &x, NULL, &f->e));
	y.ask = "";
	ok(f, exchange_list(f->db, NULL, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, 2);
	assert_same_exchange(&all[0], &y);
	assert_same_exchange(&all[1], &x);
	ok(f, exchange_list(f->db, &id, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, 1);
	assert_same_exchange(&all[0], &y);
	(void)id_text(text, &x.id);
	text[6] = '\0';
	ok(f, exchange_read(f->db, text, true, &f->arena, &got, &f->e));
	x.id.b[15] = 1; /* begins as the other does */
	ok(f, exchange_write(f->db, &x, NULL, &f->e));
	assert_int_equal(exchange_read(f->db, text, true, &f->arena, &got, &f->e), STATUS_BAD);
	assert_int_equal(exchange_read(f->db, "xyz", true, &f->arena, &got, &f->e), STATUS_BAD);
}

static void hostile_bundles(void **state)
{
	static const char *const bad_blob[] = {"", "00", "../../../../etc/passwd",
		"00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeef/",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0"};
	struct fixture *f = *state;
	struct exchange *all, got;
	char text[ID_TEXT];
	size_t n;

	open_db(f);
	for (unsigned i = 0; i < 6; i++) {
		struct exchange x = exchange_of(1);
		const char **const at[] = {&x.peer, &x.ask, &x.verdict, &x.why, &x.case_id, &x.case_id};
		*at[i] = i == 4 ? "0123456789abcdef0123456789abcdeg" : "\xff";
		assert_int_equal(exchange_write(f->db, &x, &received_row, &f->e), STATUS_BAD);
		x = exchange_of(1);
		x.blob = bad_blob[i];
		assert_int_equal(exchange_write(f->db, &x, &received_row, &f->e), STATUS_BAD);
	}
	const struct logged bad = {.kind = "request-received", .text = "\xff"};
	struct exchange x = exchange_of(1);
	assert_int_equal(exchange_write(f->db, &x, &bad, &f->e), STATUS_BAD);
	ok(f, exchange_list(f->db, NULL, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, 0);
	ok(f, exchange_write(f->db, &x, &received_row, &f->e));
	raw_sql(f, "UPDATE exchanges SET blob = '../x'");
	assert_int_equal(
		exchange_read(f->db, id_text(text, &x.id), true, &f->arena, &got, &f->e), STATUS_BAD);
	assert_non_null(strstr(f->e.text, "damaged"));
}

/* Several take the same bundles: each is taken once. */
static void taken_once(void **state)
{
	enum { TAKERS = 3, BUNDLES = 60 };
	struct fixture *f = *state;
	pid_t pid[TAKERS];
	unsigned taken = 0;
	struct exchange *all;
	struct logged *l;
	size_t n;

	for (size_t i = 0; i < TAKERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			int mine = 0;
			struct case_db *db;
			enum status s = case_db_open(&db, &world_real, f->dir, &f->e);
			for (unsigned k = 0; k < BUNDLES && s <= STATUS_NO; k++) {
				struct exchange x = exchange_of(k);
				s = exchange_write(db, &x, &received_row, &f->e);
				mine += s == STATUS_OK;
			}
			case_db_close(db);
			_exit(s <= STATUS_NO ? mine : 255);
		}
	}
	for (size_t i = 0; i < TAKERS; i++) {
		int how;
		assert_int_equal(waitpid(pid[i], &how, 0), pid[i]);
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) != 255);
		taken += (unsigned)WEXITSTATUS(how);
	}
	assert_int_equal(taken, BUNDLES);
	open_db(f);
	ok(f, exchange_list(f->db, NULL, &f->arena, &all, &n, &f->e));
	assert_int_equal(n, BUNDLES);
	ok(f, logged_waiting(f->db, &f->arena, &l, &n, &f->e));
	assert_int_equal(n, BUNDLES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(brought_up), TEST(brought_up_from_2), TEST(beside_version_1),
		TEST(bring_up_failing), TEST(bring_up_killed), TEST(bring_up_together), TEST(existing_only),
		TEST(outbox), TEST(claims_and_rows), TEST(killed_between), TEST(origins), TEST(replayed),
		TEST(answered_once), TEST(exchanges), TEST(hostile_bundles), TEST(taken_once)};

	return cmocka_run_group_tests_name("logged", tests, NULL, NULL);
}
