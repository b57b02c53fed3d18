/* The outbox between the database and the ledger.
 *
 * Statements come in with what they are about, in its transaction, and go out in that order to whoever holds
 * the ledger; the entry number that comes back says that the statement stands there. */
#include "base/utf8.h"
#include "case/logged.h"

#include "case/db.h"

enum status logged_put(struct case_db *db, const struct id *object, const struct logged *l, struct err *e)
{
	sqlite3_stmt *st;
	enum status s;

	if (!utf8_valid(l->kind) || !utf8_valid(l->text))
		return err_set(e, STATUS_BAD, "a statement for the ledger is not UTF-8");
	s = db_query(db, DB_LOGGED_ADD, &st, e);
	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, object);
	db_bind_text(st, 2, l->kind);
	db_bind_text(st, 3, l->text);
	return db_run(db, st, e);
}

enum status logged_add(struct case_db *db, const struct logged *l, struct err *e)
{
	enum status s = db_begin(db, true, e);

	return s == STATUS_OK ? db_end(db, logged_put(db, &l->object, l, e), e) : s;
}

enum status logged_done(struct case_db *db, int64_t row, int64_t entry, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_begin(db, true, e);

	if (s != STATUS_OK)
		return s;
	s = db_query(db, DB_LOGGED_DONE, &st, e);
	if (s == STATUS_OK) {
		db_bind_int(st, 1, row);
		db_bind_int(st, 2, entry);
		s = db_run(db, st, e);
		if (s == STATUS_OK && sqlite3_changes(db->sql) == 0)
			s = err_set(e, STATUS_BAD, "no statement %lld waits for the ledger", (long long)row);
	}
	return db_end(db, s, e);
}

static enum status logged_row(struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct logged *to = row;

	to->row = sqlite3_column_int64(st, 0);
	to->kind = db_text(st, 2, a);
	to->text = db_text(st, 3, a);
	to->entry = sqlite3_column_int64(st, 4);
	if (!to->kind || !to->text)
		return err_nomem(e);
	return db_id(&to->object, st, 1) ? STATUS_OK
					 : db_damaged(db, "the object of a statement for the ledger", e);
}

static enum status rows_read(
	struct case_db *db, sqlite3_stmt *st, struct arena *a, struct logged **to, size_t *n, struct err *e)
{
	void *rows;
	enum status s = db_rows(db, st, logged_row, sizeof(**to), a, &rows, n, e);

	*to = rows;
	return s;
}

enum status logged_waiting(struct case_db *db, struct arena *a, struct logged **to, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_LOGGED_WAITING, &st, e);

	*to = NULL;
	*n = 0;
	return s == STATUS_OK ? rows_read(db, st, a, to, n, e) : s;
}

enum status logged_of(struct case_db *db, const struct id *object, struct arena *a, struct logged **to,
	size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_LOGGED_OF, &st, e);

	*to = NULL;
	*n = 0;
	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, object);
	return rows_read(db, st, a, to, n, e);
}

enum status logged_last(struct case_db *db, struct arena *a, struct logged **to, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_LOGGED_LAST, &st, e);

	*to = NULL;
	*n = 0;
	return s == STATUS_OK ? rows_read(db, st, a, to, n, e) : s;
}
