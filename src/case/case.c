/* Cases: opened with sightings, listed, closed, opened again.
 *
 * A case's id is the hash of the ids of the sightings that it was opened with, so that the same sightings, in
 * any order, give the same case.  Each function is one transaction: what it answers is on the disk, or
 * nothing is. */
#include "case/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "case/db.h"

/* Fills in the ids of the sightings and makes that of the case. */
static enum status ids_make(struct sighting *s, size_t n, struct id *to, struct err *e)
{
	static const char mark[] = "weir case 1";
	struct buf b = {0};
	struct id *ids = calloc(n, sizeof(*ids));
	bool good = ids != NULL;

	for (size_t i = 0; i < n && good; i++) {
		good = sighting_make_id(&s[i]);
		ids[i] = s[i].id;
	}
	if (good) {
		qsort(ids, n, sizeof(*ids), id_order);
		buf_put(&b, mark, sizeof(mark));
		for (size_t i = 0; i < n; i++)
			if (i == 0 || id_order(&ids[i - 1], &ids[i]) != 0)
				buf_put(&b, &ids[i], sizeof(ids[i]));
		good = !b.failed && id_of(to, b.p, b.n);
	}
	buf_free(&b);
	free(ids);
	return good ? STATUS_OK : err_nomem(e);
}

/* The title of who gave none: what the first sighting says, else its flow. */
static void title_make(char *to, size_t n, const struct sighting *s)
{
	char from[ENDPOINT_TEXT], at[ENDPOINT_TEXT];

	if (s->text && *s->text && strlen(s->text) < n)
		(void)snprintf(to, n, "%s", s->text);
	else
		(void)snprintf(
			to, n, "%s > %s", endpoint_text(from, &s->end[0]), endpoint_text(at, &s->end[1]));
}

static enum status case_row_write(struct case_db *db, const char *title, const struct sighting *first,
	const struct id *id, struct err *e)
{
	char made[640];
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_CASE_OPEN_AGAIN, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	db_bind_text(st, 2, title);
	s = db_run(db, st, e);
	if (s != STATUS_OK || sqlite3_changes(db->sql) > 0)
		return s;
	s = db_query(db, DB_CASE_ADD, &st, e);
	if (s != STATUS_OK)
		return s;
	title_make(made, sizeof(made), first);
	db_bind_id(st, 1, id);
	db_bind_text(st, 2, title ? title : made);
	db_bind_int(st, 3, db->world->now(db->world->self).us);
	return db_run(db, st, e);
}

static enum status texts_checked(const char *title, const struct sighting *s, size_t n, struct err *e)
{
	if (n == 0)
		return err_set(e, STATUS_BAD, "a case needs a sighting");
	if (title && !utf8_valid(title))
		return err_set(e, STATUS_BAD, "the title is not UTF-8");
	for (size_t i = 0; i < n; i++)
		if (!utf8_valid(s[i].source) || (s[i].text && !utf8_valid(s[i].text)))
			return err_set(e, STATUS_BAD, "the text of a sighting is not UTF-8");
	return STATUS_OK;
}

enum status case_open(
	struct case_db *db, const char *title, struct sighting *s, size_t n, struct id *id, struct err *e)
{
	enum status r;

	if (title && !*title)
		title = NULL;
	r = texts_checked(title, s, n, e);
	if (r == STATUS_OK)
		r = ids_make(s, n, id, e);
	if (r == STATUS_OK)
		r = db_begin(db, true, e);
	if (r != STATUS_OK)
		return r;
	r = case_row_write(db, title, &s[0], id, e);
	for (size_t i = 0; i < n && r == STATUS_OK; i++)
		r = sighting_write(db, id, &s[i], e);
	return db_end(db, r, e);
}

/* STATUS_NO: it is closed, or none. */
static enum status case_is_open(struct case_db *db, const struct id *id, struct err *e)
{
	char text[ID_TEXT];
	sqlite3_stmt *st;
	bool row, open = false;
	enum status s = db_query(db, DB_CASE_READ, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	s = db_step(db, st, &row, e);
	if (s == STATUS_OK && row)
		open = sqlite3_column_int64(st, 3) == 0;
	db_done(st);
	if (s == STATUS_OK && !open)
		s = err_set(
			e, STATUS_NO, "case %.12s is %s", id_text(text, id), row ? "closed" : "not there");
	return s;
}

enum status case_join(
	struct case_db *db, const struct id *case_id, struct sighting *s, size_t n, struct err *e)
{
	enum status r = texts_checked(NULL, s, n, e);

	for (size_t i = 0; i < n && r == STATUS_OK; i++)
		if (!sighting_make_id(&s[i]))
			r = err_nomem(e);
	if (r == STATUS_OK)
		r = db_begin(db, true, e);
	if (r != STATUS_OK)
		return r;
	r = case_is_open(db, case_id, e);
	for (size_t i = 0; i < n && r == STATUS_OK; i++)
		r = sighting_write(db, case_id, &s[i], e);
	return db_end(db, r, e);
}

enum status case_close(struct case_db *db, const char *id_prefix, struct id *id, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_begin(db, true, e);

	if (s != STATUS_OK)
		return s;
	s = db_find(db, DB_CASE_FIND, "case", id_prefix, id, e);
	if (s == STATUS_OK)
		s = db_query(db, DB_CASE_CLOSE, &st, e);
	if (s == STATUS_OK) {
		db_bind_id(st, 1, id);
		db_bind_int(st, 2, db->world->now(db->world->self).us);
		s = db_run(db, st, e);
	}
	return db_end(db, s, e);
}

static enum status case_row(struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct attack_case *to = row;

	memset(to, 0, sizeof(*to));
	to->title = db_text(st, 1, a);
	to->opened.us = sqlite3_column_int64(st, 2);
	to->closed.us = sqlite3_column_int64(st, 3);
	if (!to->title)
		return err_nomem(e);
	return db_id(&to->id, st, 0) ? STATUS_OK : db_damaged(db, "the id of a case", e);
}

static enum status case_read_id(
	struct case_db *db, const struct id *id, struct arena *a, struct attack_case *to, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_CASE_READ, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	return db_one(db, st, case_row, "case", a, to, e);
}

enum status case_read(
	struct case_db *db, const char *id_prefix, struct arena *a, struct attack_case *to, struct err *e)
{
	struct id id;
	enum status s = db_begin(db, false, e);

	memset(to, 0, sizeof(*to));
	if (s != STATUS_OK)
		return s;
	s = db_find(db, DB_CASE_FIND, "case", id_prefix, &id, e);
	if (s == STATUS_OK)
		s = case_read_id(db, &id, a, to, e);
	if (s == STATUS_OK)
		s = sightings_of_case(db, &id, a, &to->sighting, &to->n_sighting, e);
	if (s == STATUS_OK)
		s = claims_of_case(db, &id, a, &to->claim, &to->n_claim, e);
	return db_end(db, s, e);
}

static enum status case_rows(struct case_db *db, struct wall since, struct wall until, struct arena *a,
	struct attack_case **to, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	void *rows = NULL;
	enum status s = db_query(db, DB_CASE_LIST, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_int(st, 1, since.us);
	db_bind_int(st, 2, until.us);
	s = db_rows(db, st, case_row, sizeof(**to), a, &rows, n, e);
	*to = rows;
	return s;
}

enum status case_list(struct case_db *db, struct wall since, struct wall until, struct arena *a,
	struct attack_case **to, size_t *n, struct err *e)
{
	enum status s = db_begin(db, false, e);

	*to = NULL;
	*n = 0;
	if (s != STATUS_OK)
		return s;
	s = case_rows(db, since, until, a, to, n, e);
	for (size_t i = 0; i < *n && s == STATUS_OK; i++) {
		struct attack_case *c = &(*to)[i];
		s = sightings_of_case(db, &c->id, a, &c->sighting, &c->n_sighting, e);
	}
	return db_end(db, s, e);
}
