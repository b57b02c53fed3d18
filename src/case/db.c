/* DIR/weir.db: opening, statements, transactions, errors.
 *
 * SQLite in WAL mode with synchronous FULL: what a commit has acknowledged survives a crash of the process
 * and of the machine, and a reader never waits for a writer.  Two processes may work on one directory; each
 * write is one immediate transaction, and waits up to BUSY_MS for the other.  A file of a newer version, or
 * of another program, is refused and left as it is; a damaged one is bad input (STATUS_BAD), a full disk or a
 * missing permission is the machine's. */
#include "case/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define BUSY_MS   10000
#define WAL_TRIES 200

/* ---- errors ---- */

enum status db_damaged(const struct case_db *db, const char *what, struct err *e)
{
	return err_set(e, STATUS_BAD, "%s: damaged: %s; nothing was changed", db->path, what);
}

enum status db_error(struct case_db *db, const char *what, struct err *e)
{
	int code = db->sql ? sqlite3_errcode(db->sql) : SQLITE_NOMEM;
	const char *text = db->sql ? sqlite3_errmsg(db->sql) : "out of memory";

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return err_nomem(e);
	case SQLITE_NOTADB:
		return err_set(e, STATUS_BAD, "%s: is not a database, or its beginning is damaged", db->path);
	case SQLITE_CORRUPT:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* our statements are fixed: a table that is not there is damage */
		return err_set(e, STATUS_BAD, "%s: damaged: %s, while %s", db->path, text, what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, STATUS_MACHINE, "%s: another process has held it for %d s, while %s",
			db->path, BUSY_MS / 1000, what);
	default:
		return err_set(e, STATUS_MACHINE, "%s: %s, while %s", db->path, text, what);
	}
}

/* ---- statements ---- */

enum status db_query(struct case_db *db, enum db_query q, sqlite3_stmt **to, struct err *e)
{
	sqlite3_stmt **st = &db->prepared[q];

	if (!*st && sqlite3_prepare_v3(db->sql, db_texts[q], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) !=
			    SQLITE_OK)
		return db_error(db, "preparing a statement", e);
	*to = *st;
	return STATUS_OK;
}

/* A bind fails only without memory, or where a text is too long for SQLite (10^9 bytes); the value is then
 * NULL, which no column of ours takes, so that the statement fails by itself. */
void db_bind_text(sqlite3_stmt *st, int at, const char *text)
{
	(void)sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

void db_bind_int(sqlite3_stmt *st, int at, int64_t v)
{
	(void)sqlite3_bind_int64(st, at, v);
}

void db_bind_id(sqlite3_stmt *st, int at, const struct id *id)
{
	char text[ID_TEXT];

	(void)sqlite3_bind_text(st, at, id_text(text, id), -1, SQLITE_TRANSIENT);
}

enum status db_step(struct case_db *db, sqlite3_stmt *st, bool *row, struct err *e)
{
	int r = sqlite3_step(st);

	*row = r == SQLITE_ROW;
	if (r == SQLITE_ROW || r == SQLITE_DONE)
		return STATUS_OK;
	return db_error(db, sqlite3_stmt_readonly(st) ? "reading" : "writing", e);
}

void db_done(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
}

enum status db_run(struct case_db *db, sqlite3_stmt *st, struct err *e)
{
	bool row;
	enum status s = db_step(db, st, &row, e);

	db_done(st);
	return s;
}

const char *db_text(sqlite3_stmt *st, int column, struct arena *a)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	return arena_str(a, s ? (const char *)s : "");
}

bool db_id(struct id *to, sqlite3_stmt *st, int column)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	return s && id_parse(to, (const char *)s);
}

/* ---- transactions ---- */

static enum status run_text(struct case_db *db, const char *text, const char *what, struct err *e)
{
	return sqlite3_exec(db->sql, text, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK : db_error(db, what, e);
}

enum status db_begin(struct case_db *db, bool write, struct err *e)
{
	return run_text(db, write ? "BEGIN IMMEDIATE" : "BEGIN", "beginning a transaction", e);
}

enum status db_end(struct case_db *db, enum status s, struct err *e)
{
	if (s == STATUS_OK)
		s = run_text(db, "COMMIT", "writing to disk", e);
	if (s != STATUS_OK && !sqlite3_get_autocommit(db->sql))
		(void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return s;
}

/* ---- what several objects need ---- */

/* A no is only given by a sound database: where its order is damaged, what is there may not be found. */
static enum status answer_no(struct case_db *db, const char *what, const char *prefix, struct err *e)
{
	sqlite3_stmt *st = NULL;
	enum status s = err_set(e, STATUS_NO, "%s: no such %s here", prefix, what);

	if (sqlite3_prepare_v2(db->sql, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK ||
		sqlite3_step(st) != SQLITE_ROW)
		s = db_error(db, "checking it", e);
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
		s = db_damaged(db, (const char *)sqlite3_column_text(st, 0), e);
	(void)sqlite3_finalize(st);
	return s;
}

enum status db_find(struct case_db *db, enum db_query q, const char *what, const char *prefix, struct id *to,
	struct err *e)
{
	sqlite3_stmt *st;
	char safe[48];
	bool row, more = false, good;
	enum status s;

	if (!id_like(prefix))
		return err_set(e, STATUS_BAD, "\"%s\": an id has 6 to 32 hex digits, in lower case",
			printable(safe, sizeof(safe), prefix));
	s = db_query(db, q, &st, e);
	if (s != STATUS_OK)
		return s;
	db_bind_text(st, 1, prefix);
	s = db_step(db, st, &row, e);
	good = s != STATUS_OK || !row || db_id(to, st, 0);
	if (s == STATUS_OK && row)
		s = db_step(db, st, &more, e);
	db_done(st);
	if (s != STATUS_OK)
		return s;
	if (!row)
		return answer_no(db, what, prefix, e);
	if (more && strlen(prefix) == ID_TEXT - 1)
		return db_damaged(db, "an id is there twice", e);
	if (more)
		return err_set(
			e, STATUS_BAD, "several ids of a %s begin with %s: give more digits", what, prefix);
	return good ? STATUS_OK : db_damaged(db, "an id", e);
}

enum status db_case_of(
	struct case_db *db, enum db_query q, const struct id *id, char to[ID_TEXT], struct err *e)
{
	sqlite3_stmt *st;
	struct id found;
	bool row;
	enum status s = db_query(db, q, &st, e);

	to[0] = '\0';
	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	s = db_step(db, st, &row, e);
	if (s == STATUS_OK && row) {
		if (db_id(&found, st, 0))
			(void)id_text(to, &found);
		else
			s = db_damaged(db, "the id of a case", e);
	}
	db_done(st);
	return s;
}

void *db_room(struct arena *a, void *array, size_t n, size_t *cap, size_t size)
{
	size_t larger = *cap ? 2 * *cap : 8;
	void *p;

	if (n < *cap)
		return array;
	p = arena_array(a, larger, size);
	if (!p)
		return NULL;
	if (n)
		memcpy(p, array, n * size);
	*cap = larger;
	return p;
}

enum status db_rows(struct case_db *db, sqlite3_stmt *st, db_row take, size_t size, struct arena *a,
	void **to, size_t *n, struct err *e)
{
	char *rows = NULL;
	size_t cap = 0, got = 0;
	bool row;
	enum status s;

	while ((s = db_step(db, st, &row, e)) == STATUS_OK && row) {
		char *room = db_room(a, rows, got, &cap, size);
		if (!room) {
			s = err_nomem(e);
			break;
		}
		rows = room;
		s = take(db, st, a, rows + got * size, e);
		if (s != STATUS_OK)
			break;
		got++;
	}
	db_done(st);
	*to = s == STATUS_OK ? rows : NULL;
	*n = s == STATUS_OK ? got : 0;
	return s;
}

enum status db_one(struct case_db *db, sqlite3_stmt *st, db_row take, const char *what, struct arena *a,
	void *to, struct err *e)
{
	bool row;
	enum status s = db_step(db, st, &row, e);

	if (s == STATUS_OK)
		s = row ? take(db, st, a, to, e) : err_set(e, STATUS_NO, "there is no such %s", what);
	db_done(st);
	return s;
}

/* ---- opening ---- */

/* The file is made here and not by SQLite, so that only its owner can read it: it says who is attacked.  An
 * existing file is not opened: closing it would drop the locks of another handle in this process (SQLite,
 * "How To Corrupt", 2.2). */
static enum status file_make(struct case_db *db, const char *dir, struct err *e)
{
	const struct world *w = db->world;
	int fd;

	if (w->mkdir(w->self, dir, 0700) != 0 && errno != EEXIST)
		return err_errno(e, "making %s", dir);
	if (access(db->path, F_OK) == 0)
		return STATUS_OK;
	fd = w->open(w->self, db->path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return errno == EEXIST ? STATUS_OK : err_errno(e, "making %s", db->path);
	(void)w->close(w->self, fd);
	return world_sync_dir(w, db->path) == 0 ? STATUS_OK : err_errno(e, "making %s", db->path);
}

/* The first column of the first row as a number. */
static enum status number_read(struct case_db *db, const char *text, int64_t *to, struct err *e)
{
	sqlite3_stmt *st = NULL;
	enum status s = STATUS_OK;

	if (sqlite3_prepare_v2(db->sql, text, -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
		s = db_error(db, "opening", e);
	else
		*to = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return s;
}

/* Is it ours, and of which version?  Nothing is written before this has said yes. */
static enum status version_check(struct case_db *db, int64_t *version, struct err *e)
{
	int64_t application = 0, tables = 0;
	enum status s = number_read(db, "PRAGMA application_id", &application, e);

	if (s == STATUS_OK)
		s = number_read(db, "PRAGMA user_version", version, e);
	if (s == STATUS_OK)
		s = number_read(db, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (s != STATUS_OK)
		return s;
	if (application != DB_APPLICATION && (application || *version || tables))
		return err_set(e, STATUS_BAD, "%s: is a database of another program", db->path);
	if (*version > DB_VERSION)
		return err_set(e, STATUS_BAD,
			"%s: written by a newer weir (schema %lld, this one knows %d); left as it is",
			db->path, (long long)*version, DB_VERSION);
	return STATUS_OK;
}

/* Turning a fresh file to WAL needs it alone, and SQLite does not wait for that where two processes do it
 * at once. */
static enum status wal_set(struct case_db *db, struct err *e)
{
	for (int i = 0;; i++) {
		int r = sqlite3_exec(db->sql, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if (r == SQLITE_OK)
			break;
		if ((r & 0xff) != SQLITE_BUSY || i == WAL_TRIES)
			return db_error(db, "turning on the write-ahead log", e);
		(void)sqlite3_sleep(25);
	}
	return run_text(db,
		"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
		"PRAGMA cell_size_check = ON",
		"opening", e);
}

/* From the version that is there to ours, in one transaction: a crash leaves the one or the other.  Two
 * processes may come here at once: the second finds the version set. */
static enum status schema_bring(struct case_db *db, struct err *e)
{
	char version[96];
	int64_t now = 0;
	enum status s = db_begin(db, true, e);

	if (s != STATUS_OK)
		return s;
	(void)snprintf(version, sizeof(version), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		DB_APPLICATION, DB_VERSION);
	s = version_check(db, &now, e);
	if (s == STATUS_OK && now < DB_VERSION) {
		for (; s == STATUS_OK && now < DB_VERSION; now++)
			s = run_text(db, db_steps[now], "making the tables", e);
		if (s == STATUS_OK)
			s = run_text(db, version, "making the tables", e);
	}
	return db_end(db, s, e);
}

/* Opens what name says and tells its version, in one look: another process may be making the tables. */
static enum status db_look(struct case_db *db, const char *name, int flags, int64_t *version, struct err *e)
{
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	if (sqlite3_open_v2(name, &db->sql, flags, NULL) != SQLITE_OK)
		return db_error(db, "opening", e);
	(void)sqlite3_busy_timeout(db->sql, BUSY_MS);
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	enum status s = db_begin(db, false, e);
	return s == STATUS_OK ? db_end(db, version_check(db, version, e), e) : s;
}

/* The file is there, and may be empty. */
static enum status db_prepare(struct case_db *db, struct err *e)
{
	int64_t version = 0;
	enum status s = db_look(db, db->path, SQLITE_OPEN_READWRITE, &version, e);

	if (s == STATUS_OK)
		s = wal_set(db, e);
	if (s == STATUS_OK && version < DB_VERSION)
		s = schema_bring(db, e);
	return s;
}

/* ---- opening to read ---- */

/* A file whose directory cannot be written, without a log of changes: nobody is writing it, and SQLite, which
 * makes a file beside it to read, has to be told. */
static bool is_still(const struct case_db *db, const char *dir)
{
	char wal[PATH_MAX];

	return access(dir, W_OK) != 0 && snprintf(wal, sizeof(wal), "%s-wal", db->path) < (int)sizeof(wal) &&
	       access(wal, F_OK) != 0;
}

/* The path as a URI (sqlite.org/uri.html) that says so. */
static enum status look_still(struct case_db *db, int64_t *version, struct err *e)
{
	struct buf uri = {0};
	char escape[4];

	buf_put(&uri, "file:", 5);
	for (const char *c = db->path; *c; c++) {
		(void)snprintf(escape, sizeof(escape), strchr("?#%", *c) ? "%%%02X" : "%c", *c);
		buf_put(&uri, escape, strlen(escape));
	}
	buf_put(&uri, "?immutable=1", sizeof("?immutable=1"));
	(void)sqlite3_close(db->sql);
	db->sql = NULL;
	enum status s = err_nomem(e);
	if (!uri.failed)
		s = db_look(db, (char *)uri.p, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, version, e);
	buf_free(&uri);
	return s;
}

static enum status db_prepare_read(struct case_db *db, const char *dir, struct err *e)
{
	static const char safe[] =
		"PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
	int64_t version = 0;
	enum status s = db_look(db, db->path, SQLITE_OPEN_READWRITE, &version, e);

	if (s == STATUS_MACHINE && is_still(db, dir))
		s = look_still(db, &version, e);
	if (s == STATUS_OK && version < DB_VERSION)
		s = err_set(e, STATUS_NO, "%s: is empty, or of an older version", db->path);
	return s == STATUS_OK ? run_text(db, safe, "opening", e) : s;
}

static enum status file_there(const struct case_db *db, struct err *e)
{
	if (access(db->path, F_OK) == 0)
		return STATUS_OK;
	if (errno == ENOENT || errno == ENOTDIR)
		return err_set(e, STATUS_NO, "%s: is not there", db->path);
	return err_errno(e, "%s", db->path);
}

static enum status open_db(
	struct case_db **to, const struct world *w, const char *dir, bool make, struct err *e)
{
	struct case_db *db = calloc(1, sizeof(*db));
	enum status s;

	*to = NULL;
	if (!db)
		return err_nomem(e);
	db->world = w;
	if (asprintf(&db->path, "%s/weir.db", dir) < 0) {
		free(db);
		return err_nomem(e);
	}
	s = make ? file_make(db, dir, e) : file_there(db, e);
	if (s == STATUS_OK)
		s = make ? db_prepare(db, e) : db_prepare_read(db, dir, e);
	if (s == STATUS_OK)
		*to = db;
	else
		case_db_close(db);
	return s;
}

enum status case_db_open(struct case_db **to, const struct world *w, const char *dir, struct err *e)
{
	return open_db(to, w, dir, true, e);
}

enum status case_db_open_existing(struct case_db **to, const struct world *w, const char *dir, struct err *e)
{
	return open_db(to, w, dir, false, e);
}

void case_db_close(struct case_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < DB_QUERIES; i++)
		(void)sqlite3_finalize(db->prepared[i]);
	(void)sqlite3_close(db->sql);
	free(db->path);
	free(db);
}
