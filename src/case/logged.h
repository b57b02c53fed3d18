/* What is to stand in the ledger, and where it stands: the outbox between the database and the log, and the
 * bundles that went and came.
 *
 * A row is written together with what it is about, without an entry number; whoever holds the ledger appends
 * the waiting rows, commits, and fills the numbers in.  After a crash between the two a row may be appended
 * twice, which does no harm; none is lost. */
#ifndef WEIR_CASE_LOGGED_H
#define WEIR_CASE_LOGGED_H

#include "case/case.h"

/* One statement for the ledger.  text is the entry: one line of JSON without addresses. */
struct logged {
	int64_t row;      /* filled in by the reader */
	struct id object; /* of the claim, bundle, ... that it is about */
	const char *kind; /* "claim", "request-sent", "answer-received", "key", ... */
	const char *text;
	int64_t entry; /* index in the ledger; -1: waiting */
};

/* The entry of the ledger for an object: one line of JSON, {"v","kind","id","at"} and the members of `more`
 * (whose reference is taken; NULL: none).  To be freed; NULL: no memory. */
struct json_t;
char *logged_text(const struct world *w, const char *kind, const struct id *id, struct json_t *more);

/* Adds a waiting row; the same object and kind again is OK and changes nothing. */
enum status logged_add(struct case_db *db, const struct logged *l, struct err *e);
/* All that wait, oldest first. */
enum status logged_waiting(struct case_db *db, struct arena *a, struct logged **to, size_t *n, struct err *e);
/* The row stands in the ledger, at this index.  Again is OK. */
enum status logged_done(struct case_db *db, int64_t row, int64_t entry, struct err *e);
/* Where an object stands, by its id: its rows, oldest first. */
enum status logged_of(struct case_db *db, const struct id *object, struct arena *a, struct logged **to,
	size_t *n, struct err *e);

/* The row that was entered last; *n is 1, or 0 where none was. */
enum status logged_last(struct case_db *db, struct arena *a, struct logged **to, size_t *n, struct err *e);

/* A bundle that was sent or received. */
struct exchange {
	struct id id; /* the bundle's */
	bool received;
	bool answer;         /* else a request */
	const char *peer;    /* key name of the other side, "*" for anybody */
	const char *case_id; /* 32 hex digits, "" for none */
	struct wall made, not_after;
	const char *blob;    /* SHA-256 of the file (case/blob.h) */
	const char *ask;     /* "confirm", "trace", "block"; "" in an answer */
	const char *verdict; /* "accepted", "doubted", "refused"; "" in a request */
	const char *why;     /* "" for none */
	struct id reply_to;  /* an answer's request; all zero in a request */
};

/* Writes the exchange and its waiting ledger row (NULL: none; its object is the bundle, whatever stands
 * there) in one transaction.  A text of NULL is "".  STATUS_NO: an exchange of this id and direction is there
 * already (a replay), or x is an answer from here to a request that has one, and nothing is written.
 * STATUS_BAD: a text is not UTF-8, or case or blob are not named as they should be. */
enum status exchange_write(
	struct case_db *db, const struct exchange *x, const struct logged *l, struct err *e);
/* By id prefix and direction; STATUS_NO: none, STATUS_BAD: several, or no prefix. */
enum status exchange_read(struct case_db *db, const char *id_prefix, bool received, struct arena *a,
	struct exchange *to, struct err *e);
/* Those of a case (case_id NULL: all), in the order in which they were written here. */
enum status exchange_list(struct case_db *db, const struct id *case_id, struct arena *a, struct exchange **to,
	size_t *n, struct err *e);

#endif
