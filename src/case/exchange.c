/* Bundles that were sent and received: one row each, by the id of the bundle and the direction, so that one
 * that comes a second time is known.  The file itself is a blob (blob.c). */
#include <string.h>

#include "base/utf8.h"
#include "case/blob.h"
#include "case/db.h"

static const char *text_or_none(const char *s)
{
	return s ? s : "";
}

static enum status exchange_checked(const struct exchange *x, struct err *e)
{
	const char *const text[] = {x->peer, x->ask, x->verdict, x->why};
	struct id id;

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (text[i] && !utf8_valid(text[i]))
			return err_set(e, STATUS_BAD, "a text of a bundle is not UTF-8");
	if (x->case_id && *x->case_id && !id_parse(&id, x->case_id))
		return err_set(e, STATUS_BAD, "the case of a bundle is no id of 32 hex digits");
	if (!x->blob || !blob_name_valid(x->blob))
		return err_set(e, STATUS_BAD, "the file of a bundle is not named by 64 hex digits");
	return STATUS_OK;
}

static enum status exchange_add(struct case_db *db, const struct exchange *x, struct err *e)
{
	bool own_answer = x->answer && !x->received;
	char id[ID_TEXT];
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_EXCHANGE_ADD, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, &x->id);
	db_bind_int(st, 2, x->received);
	db_bind_int(st, 3, x->answer);
	db_bind_text(st, 4, text_or_none(x->peer));
	db_bind_text(st, 5, text_or_none(x->case_id));
	db_bind_int(st, 6, x->made.us);
	db_bind_int(st, 7, x->not_after.us);
	db_bind_text(st, 8, x->blob);
	db_bind_text(st, 9, text_or_none(x->ask));
	db_bind_text(st, 10, text_or_none(x->verdict));
	db_bind_text(st, 11, text_or_none(x->why));
	db_bind_id(st, 12, &x->reply_to);
	s = db_run(db, st, e);
	if (s == STATUS_OK && sqlite3_changes(db->sql) == 0)
		s = own_answer
			    ? err_set(e, STATUS_NO, "request %s: answered before", id_text(id, &x->reply_to))
			    : err_set(e, STATUS_NO, "bundle %s: %s before", id_text(id, &x->id),
				      x->received ? "received" : "sent");
	return s;
}

enum status exchange_write(
	struct case_db *db, const struct exchange *x, const struct logged *l, struct err *e)
{
	enum status s = exchange_checked(x, e);

	if (s == STATUS_OK)
		s = db_begin(db, true, e);
	if (s != STATUS_OK)
		return s;
	s = exchange_add(db, x, e);
	if (s == STATUS_OK && l)
		s = logged_put(db, &x->id, l, e);
	return db_end(db, s, e);
}

static enum status exchange_row(
	struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct exchange *to = row;
	const struct {
		const char **text;
		int column;
	} texts[] = {{&to->peer, 3}, {&to->case_id, 4}, {&to->blob, 7}, {&to->ask, 8}, {&to->verdict, 9},
		{&to->why, 10}};

	memset(to, 0, sizeof(*to));
	to->received = sqlite3_column_int(st, 1) != 0;
	to->answer = sqlite3_column_int(st, 2) != 0;
	to->made.us = sqlite3_column_int64(st, 5);
	to->not_after.us = sqlite3_column_int64(st, 6);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!(*texts[i].text = db_text(st, texts[i].column, a)))
			return err_nomem(e);
	if (!db_id(&to->id, st, 0) || !db_id(&to->reply_to, st, 11) || !blob_name_valid(to->blob))
		return db_damaged(db, "a bundle's row", e);
	return STATUS_OK;
}

enum status exchange_read(struct case_db *db, const char *id_prefix, bool received, struct arena *a,
	struct exchange *to, struct err *e)
{
	struct id id;
	sqlite3_stmt *st;
	enum status s = db_find(db, received ? DB_RECEIVED_FIND : DB_SENT_FIND, "bundle", id_prefix, &id, e);

	if (s == STATUS_OK)
		s = db_query(db, DB_EXCHANGE_READ, &st, e);
	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, &id);
	db_bind_int(st, 2, received);
	return db_one(db, st, exchange_row, "bundle", a, to, e);
}

enum status exchange_list(struct case_db *db, const struct id *case_id, struct arena *a, struct exchange **to,
	size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	void *rows = NULL;
	enum status s = db_query(db, DB_EXCHANGE_LIST, &st, e);

	*n = 0;
	if (s == STATUS_OK) {
		if (case_id)
			db_bind_id(st, 1, case_id);
		s = db_rows(db, st, exchange_row, sizeof(**to), a, &rows, n, e);
	}
	*to = rows;
	return s;
}
