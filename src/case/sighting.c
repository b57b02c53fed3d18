/* Sightings in the database: somebody's word that a flow is an attack.
 *
 * A sighting's id is the hash of what was said (source, flow, time, text), so that the same alert read
 * twice is one row; the count of joined alerts and the id of the recorded flow are what is learned later,
 * and are no part of it.  The ends of the flow go in in order of their bytes: who began it may be learned
 * later, too. */
#include <string.h>

#include "base/bytes.h"
#include "case/db.h"

static void put_text(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	buf_le64(b, n);
	buf_put(b, s, n);
}

static void put_end(struct buf *b, const struct endpoint *end)
{
	buf_u8(b, end->ip.v);
	buf_put(b, end->ip.b, sizeof(end->ip.b));
	buf_le16(b, end->port);
}

static bool end_less(const struct endpoint *a, const struct endpoint *b)
{
	int order = ip_compare(&a->ip, &b->ip);

	return order < 0 || (order == 0 && a->port < b->port);
}

bool sighting_make_id(struct sighting *s)
{
	struct buf b = {0};
	int first = end_less(&s->end[1], &s->end[0]) ? 1 : 0;
	bool good;

	put_text(&b, "weir sighting 1");
	put_text(&b, s->source);
	buf_u8(&b, s->proto);
	put_end(&b, &s->end[first]);
	put_end(&b, &s->end[1 - first]);
	buf_le64(&b, (uint64_t)s->at.us);
	put_text(&b, s->text ? s->text : "");
	good = !b.failed && id_of(&s->id, b.p, b.n);
	buf_free(&b);
	return good;
}

static int64_t count_bounded(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : n == 0 ? 1 : (int64_t)n;
}

enum status sighting_write(
	struct case_db *db, const struct id *case_id, const struct sighting *s, struct err *e)
{
	char from[IP_TEXT], to[IP_TEXT];
	sqlite3_stmt *st;
	enum status r = db_query(db, DB_SIGHTING_ADD, &st, e);

	if (r != STATUS_OK)
		return r;
	db_bind_id(st, 1, &s->id);
	db_bind_text(st, 2, s->source);
	db_bind_int(st, 3, s->proto);
	db_bind_text(st, 4, ip_text(from, &s->end[0].ip));
	db_bind_int(st, 5, s->end[0].port);
	db_bind_text(st, 6, ip_text(to, &s->end[1].ip));
	db_bind_int(st, 7, s->end[1].port);
	db_bind_int(st, 8, s->at.us);
	db_bind_text(st, 9, s->text ? s->text : "");
	db_bind_text(st, 10, s->flow_id);
	db_bind_int(st, 11, count_bounded(s->count));
	r = db_run(db, st, e);
	if (r == STATUS_OK)
		r = db_query(db, DB_SIGHTING_TIE, &st, e);
	if (r != STATUS_OK)
		return r;
	db_bind_id(st, 1, case_id);
	db_bind_id(st, 2, &s->id);
	return db_run(db, st, e);
}

/* "-" is how ip_text() writes no address. */
static bool column_ip(struct ip *ip, sqlite3_stmt *st, int column)
{
	const char *s = (const char *)sqlite3_column_text(st, column);

	memset(ip, 0, sizeof(*ip));
	return s && (strcmp(s, "-") == 0 || ip_parse(ip, s));
}

/* A row is checked against its id: a sighting that does not hash to it was changed behind our back. */
enum status sighting_row(struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e)
{
	struct sighting *to = row;
	struct id id;

	memset(to, 0, sizeof(*to));
	to->source = db_text(st, 1, a);
	to->proto = (uint8_t)sqlite3_column_int(st, 2);
	to->end[0].port = (uint16_t)sqlite3_column_int(st, 4);
	to->end[1].port = (uint16_t)sqlite3_column_int(st, 6);
	to->at.us = sqlite3_column_int64(st, 7);
	to->text = db_text(st, 8, a);
	to->flow_id = sqlite3_column_type(st, 9) == SQLITE_NULL ? NULL : db_text(st, 9, a);
	to->count = (uint64_t)sqlite3_column_int64(st, 10);
	if (!to->source || !to->text || (!to->flow_id && sqlite3_column_type(st, 9) != SQLITE_NULL))
		return err_nomem(e);
	if (!db_id(&id, st, 0) || !column_ip(&to->end[0].ip, st, 3) || !column_ip(&to->end[1].ip, st, 5))
		return db_damaged(db, "a sighting", e);
	if (!sighting_make_id(to))
		return err_nomem(e);
	return id_order(&id, &to->id) == 0 ? STATUS_OK
					   : db_damaged(db, "a sighting that does not match its id", e);
}

enum status sightings_of_case(struct case_db *db, const struct id *case_id, struct arena *a,
	struct sighting **to, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	void *rows = NULL;
	enum status s = db_query(db, DB_CASE_SIGHTINGS, &st, e);

	*n = 0;
	if (s == STATUS_OK) {
		db_bind_id(st, 1, case_id);
		s = db_rows(db, st, sighting_row, sizeof(**to), a, &rows, n, e);
	}
	*to = rows;
	return s;
}

static enum status sighting_read_id(
	struct case_db *db, const struct id *id, struct arena *a, struct sighting *to, struct err *e)
{
	sqlite3_stmt *st;
	enum status s = db_query(db, DB_SIGHTING_READ, &st, e);

	if (s != STATUS_OK)
		return s;
	db_bind_id(st, 1, id);
	return db_one(db, st, sighting_row, "sighting", a, to, e);
}

enum status sighting_read(struct case_db *db, const char *id_prefix, struct arena *a, struct sighting *to,
	char case_id[ID_TEXT], struct err *e)
{
	struct id id;
	enum status s = db_find(db, DB_SIGHTING_FIND, "sighting", id_prefix, &id, e);

	case_id[0] = '\0';
	if (s == STATUS_OK)
		s = sighting_read_id(db, &id, a, to, e);
	if (s == STATUS_OK)
		s = db_case_of(db, DB_SIGHTING_CASE, &id, case_id, e);
	return s;
}
