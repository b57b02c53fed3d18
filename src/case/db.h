/* The database below cases, sightings and claims: see db.c.  Only src/case includes this. */
#ifndef WEIR_CASE_DB_H
#define WEIR_CASE_DB_H

#include <sqlite3.h>

#include "case/logged.h"

/* Every statement there is; the texts are in db_schema.c. */
enum db_query {
	DB_CASE_FIND,
	DB_CASE_READ,
	DB_CASE_ADD,
	DB_CASE_OPEN_AGAIN,
	DB_CASE_CLOSE,
	DB_CASE_LIST,
	DB_CASE_SIGHTINGS,
	DB_CASE_CLAIMS,
	DB_OPEN_SIGHTINGS,
	DB_OPEN_LINKS,
	DB_CHANGES,
	DB_CASE_COUNTS,
	DB_SIGHTING_ADD,
	DB_SIGHTING_TIE,
	DB_SIGHTING_FIND,
	DB_SIGHTING_READ,
	DB_SIGHTING_CASE,
	DB_CLAIM_ADD,
	DB_CLAIM_TIE,
	DB_CLAIM_FIND,
	DB_CLAIM_READ,
	DB_CLAIM_CASE,
	DB_HELD_SIGHTINGS,
	DB_HELD_CLAIMS,
	DB_LOGGED_ADD,
	DB_LOGGED_DONE,
	DB_LOGGED_WAITING,
	DB_LOGGED_OF,
	DB_LOGGED_LAST,
	DB_EXCHANGE_ADD,
	DB_SENT_FIND,
	DB_RECEIVED_FIND,
	DB_EXCHANGE_READ,
	DB_EXCHANGE_LIST,
	DB_PLAN_ADD,
	DB_PLAN_LAST,
	DB_PLAN_LIST,
	DB_PLAN_FIND,
	DB_PLAN_READ,
	DB_ORDER_ADD,
	DB_ORDER_FIND,
	DB_ORDER_READ,
	DB_ORDER_LIST,
	DB_ORDER_UNDO,
	DB_ORDER_MEASURE,
	DB_QUERIES,
};

#define DB_VERSION     3          /* PRAGMA user_version: of the schema */
#define DB_APPLICATION 0x77656972 /* PRAGMA application_id: "weir" */

extern const char *const db_steps[DB_VERSION]; /* from version N to N + 1; 0 is an empty file */
extern const char *const db_texts[DB_QUERIES];

struct case_db {
	sqlite3 *sql;
	const struct world *world;
	char *path;
	sqlite3_stmt *prepared[DB_QUERIES]; /* made at first use */
};

/* The status and message of the error that the database reports now; what was being done stands before it. */
enum status db_error(struct case_db *db, const char *what, struct err *e);
/* Something read back is not what was written. */
enum status db_damaged(const struct case_db *db, const char *what, struct err *e);

/* A statement, reset and without values; each text that is bound must live until db_done(). */
enum status db_query(struct case_db *db, enum db_query q, sqlite3_stmt **to, struct err *e);
void db_bind_text(sqlite3_stmt *st, int at, const char *text); /* NULL is NULL */
void db_bind_int(sqlite3_stmt *st, int at, int64_t v);
void db_bind_id(sqlite3_stmt *st, int at, const struct id *id);
/* *row says whether there is one. */
enum status db_step(struct case_db *db, sqlite3_stmt *st, bool *row, struct err *e);
/* Runs a statement that gives no row. */
enum status db_run(struct case_db *db, sqlite3_stmt *st, struct err *e);
void db_done(sqlite3_stmt *st);

/* A text column copied into the arena, "" for NULL. */
const char *db_text(sqlite3_stmt *st, int column, struct arena *a);
bool db_id(struct id *to, sqlite3_stmt *st, int column);

/* All or nothing: begin, then end with what came of it, which commits or takes back; gives the status. */
enum status db_begin(struct case_db *db, bool write, struct err *e);
enum status db_end(struct case_db *db, enum status s, struct err *e);

/* The id that begins with a prefix, by a query that gives at most two ids.  STATUS_NO: none; STATUS_BAD: no
 * prefix, or several.  what: "case". */
enum status db_find(struct case_db *db, enum db_query q, const char *what, const char *prefix, struct id *to,
	struct err *e);
/* The newest case that a sighting or claim belongs to, "" for none. */
enum status db_case_of(
	struct case_db *db, enum db_query q, const struct id *id, char to[ID_TEXT], struct err *e);

/* Room for one more element in an array of n in the arena; NULL when memory is out. */
void *db_room(struct arena *a, void *array, size_t n, size_t *cap, size_t size);

/* Takes the row that a statement stands at into an object; its texts go to the arena. */
typedef enum status (*db_row)(struct case_db *db, sqlite3_stmt *st, struct arena *a, void *to, struct err *e);

/* All rows of a statement whose values are bound, as an array of objects of that size in the arena (NULL: no
 * row, or the status says what went wrong); the statement is done then. */
enum status db_rows(struct case_db *db, sqlite3_stmt *st, db_row take, size_t size, struct arena *a,
	void **to, size_t *n, struct err *e);
/* The one row of such a statement.  STATUS_NO: there is none; what: "case". */
enum status db_one(struct case_db *db, sqlite3_stmt *st, db_row take, const char *what, struct arena *a,
	void *to, struct err *e);

/* sighting.c */
bool sighting_make_id(struct sighting *s);
enum status sighting_write(
	struct case_db *db, const struct id *case_id, const struct sighting *s, struct err *e);
/* A row of DB_OPEN_SIGHTINGS or another one of SIGHTING_COLUMNS, for db_rows(). */
enum status sighting_row(struct case_db *db, sqlite3_stmt *st, struct arena *a, void *row, struct err *e);
enum status sightings_of_case(struct case_db *db, const struct id *case_id, struct arena *a,
	struct sighting **to, size_t *n, struct err *e);
/* logged.c; inside a transaction. */
enum status logged_put(struct case_db *db, const struct id *object, const struct logged *l, struct err *e);
/* claim.c */
enum status claims_of_case(struct case_db *db, const struct id *case_id, struct arena *a, struct claim **to,
	size_t *n, struct err *e);

#endif
