/* Claims in the database: checkable statements with the numbers that they rest on, and the flows that open
 * cases hold.
 *
 * A claim's id is the hash of its kind and its body, so a claim that is made twice is one row.  The body is
 * JSON and is stored as it was written.  Every text of 32 hex digits in it is taken for the id of a
 * recorded flow. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "case/db.h"

bool claim_make_id(struct claim *c)
{
	static const char mark[] = "weir claim 1";
	struct buf b = {0};
	const char *const part[] = {mark, c->kind, c->body};
	bool good;

	for (size_t i = 0; i < 3; i++) {
		buf_le64(&b, strlen(part[i]));
		buf_put(&b, part[i], strlen(part[i]));
	}
	good = !b.failed && id_of(&c->id, b.p, b.n);
	buf_free(&b);
	return good;
}

static enum status claim_row(struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct claim *to = row;
	struct id id;

	to->kind = db_text(st, 1, a);
	to->body = db_text(st, 2, a);
	to->made.us = sqlite3_column_int64(st, 3);
	to->origin = db_text(st, 4, a);
	to->bundle = db_text(st, 5, a);
	if (!to->kind || !to->body || !to->origin || !to->bundle || !claim_make_id(to))
		return err_nomem(e);
	if (!db_id(&id, st, 0) || id_order(&id, &to->id) != 0)
		return db_damaged(db, "a claim that does not match its id", e);
	return STATUS_OK;
}

static enum status claim_add(struct case_db *db, struct claim *c, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_CLAIM_ADD, &st, e);

	if (s != STATUS_OK)
		return s;
	if (c->made.us == 0)
		c->made = db->world->now(db->world->self);
	db_bind_id(st, 1, &c->id);
	db_bind_text(st, 2, c->kind);
	db_bind_text(st, 3, c->body);
	db_bind_int(st, 4, c->made.us);
	db_bind_text(st, 5, c->origin ? c->origin : "");
	db_bind_text(st, 6, c->bundle ? c->bundle : "");
	return db_run(db, st, e);
}

/* A case that is not there breaks the foreign key: that is no damage but an answer. */
static enum status claim_tie(
	struct case_db *db, const struct id *case_id, const struct claim *c, struct err *e)
{
	char text[ID_TEXT];
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_CLAIM_TIE, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, case_id);
	db_bind_id(st, 2, &c->id);
	s = db_run(db, st, e);
	if (s != STATUS_OK && sqlite3_extended_errcode(db->sql) == SQLITE_CONSTRAINT_FOREIGNKEY)
		s = err_set(e, STATUS_NO, "%s: no such case here", id_text(text, case_id));
	return s;
}

static enum status claim_checked(struct claim *c, struct err *e)
{
	if ((c->origin && !utf8_valid(c->origin)) || (c->bundle && !utf8_valid(c->bundle)))
		return err_set(e, STATUS_BAD, "the origin of a claim is not UTF-8");

	json_error_t je;
	json_t *o = json_loads(c->body, JSON_REJECT_DUPLICATES, &je);
	bool good = o != NULL;

	json_decref(o);
	if (!good)
		return err_set(e, STATUS_BAD, "the body of a claim is not JSON: %s, at byte %d", je.text,
			je.position);
	return claim_make_id(c) ? STATUS_OK : err_nomem(e);
}

enum status claim_write(
	struct case_db *db, const struct id *case_id, struct claim *c, const struct logged *l, struct err *e)
{
	enum status s = claim_checked(c, e);

	if (s == STATUS_OK)
		s = db_begin(db, true, e);
	if (s != STATUS_OK)
		return s;
	s = claim_add(db, c, e);
	if (s == STATUS_OK && case_id)
		s = claim_tie(db, case_id, c, e);
	if (s == STATUS_OK && l)
		s = logged_put(db, &c->id, l, e);
	return db_end(db, s, e);
}

enum status claims_of_case(struct case_db *db, const struct id *case_id, struct arena *a, struct claim **to,
	size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	void *rows = NULL;
	enum status s = db_query(db, DB_CASE_CLAIMS, &st, e);

	*n = 0;
	if (s == STATUS_OK) {
		db_bind_id(st, 1, case_id);
		s = db_rows(db, st, claim_row, sizeof(**to), a, &rows, n, e);
	}
	*to = rows;
	return s;
}

static enum status claim_read_id(
	struct case_db *db, const struct id *id, struct arena *a, struct claim *to, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_CLAIM_READ, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	return db_one(db, st, claim_row, "claim", a, to, e);
}

enum status claim_read(struct case_db *db, const char *id_prefix, struct arena *a, struct claim *to,
	char case_id[ID_TEXT], struct err *e)
{
	struct id id;
	enum status s = db_find(db, DB_CLAIM_FIND, "claim", id_prefix, &id, e);

	case_id[0] = '\0';
	if (s == STATUS_OK)
		s = claim_read_id(db, &id, a, to, e);
	if (s == STATUS_OK)
		s = db_case_of(db, DB_CLAIM_CASE, &id, case_id, e);
	return s;
}

/* ---- what is held ---- */

struct held {
	struct arena *arena;
	struct id *id;
	size_t n, cap;
	bool memory; /* false: it ran out */
};

static void held_add(struct held *h, const char *text)
{
	struct id id, *room;

	if (!h->memory || !id_parse(&id, text))
		return;
	room = db_room(h->arena, h->id, h->n, &h->cap, sizeof(*room));
	h->memory = room != NULL;
	if (!room)
		return;
	h->id = room;
	h->id[h->n++] = id;
}

/* All texts in a JSON value; its depth is bounded by the parser (2048). */
static void held_json(struct held *h, const json_t *v)
{
	if (json_is_string(v)) {
		held_add(h, json_string_value(v));
	} else if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++)
			held_json(h, json_array_get(v, i));
	} else if (json_is_object(v)) {
		for (void *it = json_object_iter((json_t *)(uintptr_t)v); it;
			it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
			held_add(h, json_object_iter_key(it));
			held_json(h, json_object_iter_value(it));
		}
	}
}

static void held_body(struct held *h, const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	held_json(h, o);
	json_decref(o);
}

static enum status held_rows(struct case_db *db, enum db_query q, struct held *h,
	void (*add)(struct held *h, const char *text), struct err *e)
{
	sqlite3_stmt *st;
	bool row;
	enum status s = db_query(db, q, &st, e);

	if (s != STATUS_OK)
		return s;
	while ((s = db_step(db, st, &row, e)) == STATUS_OK && row) {
		const unsigned char *text = sqlite3_column_text(st, 0);
		h->memory = h->memory && text;
		if (!h->memory)
			break;
		add(h, (const char *)text);
	}
	db_done(st);
	return s == STATUS_OK && !h->memory ? err_nomem(e) : s;
}

enum status case_held(struct case_db *db, struct arena *a, struct id **to, size_t *n, struct err *e)
{
	struct held h = {.arena = a, .memory = true};
	enum status s = db_begin(db, false, e);

	*to = NULL;
	*n = 0;
	if (s != STATUS_OK)
		return s;
	s = held_rows(db, DB_HELD_SIGHTINGS, &h, held_add, e);
	if (s == STATUS_OK)
		s = held_rows(db, DB_HELD_CLAIMS, &h, held_body, e);
	s = db_end(db, s, e);
	if (s != STATUS_OK || h.n == 0)
		return s;
	qsort(h.id, h.n, sizeof(*h.id), id_order);
	for (size_t i = 0; i < h.n; i++)
		if (i == 0 || id_order(&h.id[*n - 1], &h.id[i]) != 0)
			h.id[(*n)++] = h.id[i];
	*to = h.id;
	return STATUS_OK;
}
