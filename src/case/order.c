/* Plans and orders in the database: rows that name blobs.  What an enforcer measures is added to a row;
 * nothing else of it ever changes but that an order is undone. */
#include "case/order.h"

#include <string.h>

#include "base/utf8.h"
#include "case/db.h"

/* Runs a statement with its ledger row in one transaction. */
static enum status write_logged(
	struct case_db *db, sqlite3_stmt *st, const struct id *object, const struct logged *l, struct err *e)
{
	enum status s = db_run(db, st, e);

	return s == STATUS_OK && l ? logged_put(db, object, l, e) : s;
}

/* ---- plans ---- */

enum status plan_row_write(
	struct case_db *db, const struct plan_row *p, const struct logged *l, struct err *e)
{
	sqlite3_stmt *st;
	enum status s;

	if (!blob_name_valid(p->blob))
		return err_set(e, STATUS_BAD, "the text of a plan is not named by 64 hex digits");
	s = db_begin(db, true, e);
	if (s != STATUS_OK)
		return s;
	s = db_query(db, DB_PLAN_ADD, &st, e);
	if (s == STATUS_OK) {
		db_bind_id(st, 1, &p->id);
		db_bind_id(st, 2, &p->case_id);
		db_bind_id(st, 3, &p->evidence);
		db_bind_int(st, 4, p->made.us);
		db_bind_text(st, 5, p->blob);
		s = write_logged(db, st, &p->id, l, e);
	}
	return db_end(db, s, e);
}

static enum status plan_row_take(
	struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct plan_row *to = row;
	const char *blob = db_text(st, 4, a);

	if (!blob)
		return err_nomem(e);
	to->made.us = sqlite3_column_int64(st, 3);
	if (!blob_name_valid(blob) || !db_id(&to->id, st, 0) || !db_id(&to->case_id, st, 1) ||
		!db_id(&to->evidence, st, 2))
		return db_damaged(db, "a plan's row", e);
	memcpy(to->blob, blob, BLOB_NAME);
	return STATUS_OK;
}

/* The one row of a query by this id. */
static enum status plan_row_by(
	struct case_db *db, enum db_query q, const struct id *id, struct plan_row *to, struct err *e)
{
	struct arena arena = {0};
	sqlite3_stmt *st;
	enum status s = db_query(db, q, &st, e);

	if (s == STATUS_OK) {
		db_bind_id(st, 1, id);
		s = db_one(db, st, plan_row_take, "plan", &arena, to, e);
	}
	arena_free(&arena);
	return s;
}

enum status plan_row_last(struct case_db *db, const struct id *case_id, struct plan_row *to, struct err *e)
{
	return plan_row_by(db, DB_PLAN_LAST, case_id, to, e);
}

enum status plan_row_list(struct case_db *db, const struct id *case_id, struct arena *a, struct plan_row **to,
	size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	void *rows = NULL;
	enum status s = db_query(db, DB_PLAN_LIST, &st, e);

	*n = 0;
	if (s == STATUS_OK) {
		db_bind_id(st, 1, case_id);
		s = db_rows(db, st, plan_row_take, sizeof(**to), a, &rows, n, e);
	}
	*to = rows;
	return s;
}

enum status plan_row_read(struct case_db *db, const char *id_prefix, struct plan_row *to, struct err *e)
{
	struct id id;
	enum status s = db_find(db, DB_PLAN_FIND, "plan", id_prefix, &id, e);

	return s == STATUS_OK ? plan_row_by(db, DB_PLAN_READ, &id, to, e) : s;
}

/* ---- orders ---- */

static void order_bind(sqlite3_stmt *st, const struct order_row *o)
{
	db_bind_id(st, 1, &o->id);
	db_bind_id(st, 2, &o->case_id);
	db_bind_id(st, 3, &o->plan);
	db_bind_int(st, 4, o->option);
	db_bind_int(st, 5, o->made.us);
	db_bind_int(st, 6, o->expires.us);
	db_bind_int(st, 7, o->waits);
	db_bind_text(st, 8, o->why ? o->why : "");
	db_bind_text(st, 9, o->by ? o->by : "");
	db_bind_text(st, 10, o->blob);
}

enum status order_row_write(
	struct case_db *db, const struct order_row *o, const struct logged *l, struct err *e)
{
	sqlite3_stmt *st;
	enum status s;

	if (!blob_name_valid(o->blob))
		return err_set(e, STATUS_BAD, "the text of an order is not named by 64 hex digits");
	if ((o->why && !utf8_valid(o->why)) || (o->by && !utf8_valid(o->by)))
		return err_set(e, STATUS_BAD, "a text of an order is not UTF-8");
	s = db_begin(db, true, e);
	if (s != STATUS_OK)
		return s;
	s = db_query(db, DB_ORDER_ADD, &st, e);
	if (s == STATUS_OK) {
		order_bind(st, o);
		s = write_logged(db, st, &o->id, l, e);
	}
	return db_end(db, s, e);
}

static enum status order_row_take(
	struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct order_row *to = row;
	const char *blob = db_text(st, 10, a);

	memset(to, 0, sizeof(*to));
	to->option = (uint32_t)sqlite3_column_int64(st, 3);
	to->made.us = sqlite3_column_int64(st, 4);
	to->expires.us = sqlite3_column_int64(st, 5);
	to->undone.us = sqlite3_column_int64(st, 6);
	to->waits = sqlite3_column_int(st, 7) != 0;
	to->why = db_text(st, 8, a);
	to->by = db_text(st, 9, a);
	to->measured.us = sqlite3_column_int64(st, 11);
	to->installed = sqlite3_column_int(st, 12) != 0;
	to->announced = sqlite3_column_int(st, 13) != 0;
	to->packets = (uint64_t)sqlite3_column_int64(st, 14);
	to->bytes = (uint64_t)sqlite3_column_int64(st, 15);
	to->note = db_text(st, 16, a);
	if (!blob || !to->why || !to->by || !to->note)
		return err_nomem(e);
	if (!blob_name_valid(blob) || !db_id(&to->id, st, 0) || !db_id(&to->case_id, st, 1) ||
		!db_id(&to->plan, st, 2))
		return db_damaged(db, "an order's row", e);
	memcpy(to->blob, blob, BLOB_NAME);
	return STATUS_OK;
}

enum status order_row_read(
	struct case_db *db, const char *id_prefix, struct arena *a, struct order_row *to, struct err *e)
{
	struct id id;
	sqlite3_stmt *st;
	enum status s = db_find(db, DB_ORDER_FIND, "block", id_prefix, &id, e);

	if (s == STATUS_OK)
		s = db_query(db, DB_ORDER_READ, &st, e);
	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, &id);
	return db_one(db, st, order_row_take, "block", a, to, e);
}

enum status order_row_list(struct case_db *db, const struct id *case_id, bool in_force, struct wall now,
	struct arena *a, struct order_row **to, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	void *rows = NULL;
	enum status s = db_query(db, DB_ORDER_LIST, &st, e);

	*n = 0;
	if (s == STATUS_OK) {
		if (case_id)
			db_bind_id(st, 1, case_id);
		db_bind_int(st, 2, in_force);
		db_bind_int(st, 3, now.us);
		s = db_rows(db, st, order_row_take, sizeof(**to), a, &rows, n, e);
	}
	*to = rows;
	return s;
}

enum status order_row_undo(
	struct case_db *db, const struct id *id, struct wall at, const struct logged *l, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_begin(db, true, e);

	if (s != STATUS_OK)
		return s;
	s = db_query(db, DB_ORDER_UNDO, &st, e);
	if (s == STATUS_OK) {
		db_bind_id(st, 1, id);
		db_bind_int(st, 2, at.us);
		s = write_logged(db, st, id, l, e);
	}
	return db_end(db, s, e);
}

enum status order_row_measure(struct case_db *db, const struct id *id, struct wall at, bool installed,
	bool announced, uint64_t more_packets, uint64_t more_bytes, const char *note, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_ORDER_MEASURE, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	db_bind_int(st, 2, at.us);
	db_bind_int(st, 3, installed);
	db_bind_int(st, 4, announced);
	db_bind_int(st, 5, (int64_t)more_packets);
	db_bind_int(st, 6, (int64_t)more_bytes);
	db_bind_text(st, 7, note);
	return db_run(db, st, e);
}
