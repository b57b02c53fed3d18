/* Plans and orders as DIR/weir.db keeps them: rows that name blobs.  A row is never removed: an order that
 * was undone or has expired stays as what was done. */
#ifndef WEIR_CASE_ORDER_H
#define WEIR_CASE_ORDER_H

#include "case/blob.h"
#include "case/logged.h"

struct plan_row {
	struct id id; /* first 16 bytes of the text's SHA-256 */
	struct id case_id, evidence;
	struct wall made;
	char blob[BLOB_NAME];
};

struct order_row {
	struct id id, case_id, plan;
	uint32_t option;
	struct wall made, expires;
	struct wall undone; /* us 0: not */
	bool waits;         /* for a second confirmation: not in force */
	const char *why;    /* of an override, "" for none */
	const char *by;
	char blob[BLOB_NAME];
	/* measured last; at.us 0: never */
	struct wall measured;
	bool installed;
	uint64_t packets, bytes; /* since the order was given */
	const char *note;        /* why it is not installed, "" for nothing */
	bool announced;          /* by the back end for routers */
};

/* Each with the row that waits for the ledger, in one transaction; again is OK. */
enum status plan_row_write(
	struct case_db *db, const struct plan_row *p, const struct logged *l, struct err *e);
/* The newest of a case.  STATUS_NO: none. */
enum status plan_row_last(struct case_db *db, const struct id *case_id, struct plan_row *to, struct err *e);
/* Of a case, newest first. */
enum status plan_row_list(struct case_db *db, const struct id *case_id, struct arena *a, struct plan_row **to,
	size_t *n, struct err *e);
enum status plan_row_read(struct case_db *db, const char *id_prefix, struct plan_row *to, struct err *e);

enum status order_row_write(
	struct case_db *db, const struct order_row *o, const struct logged *l, struct err *e);
/* By id prefix.  STATUS_NO, STATUS_BAD as case_read(). */
enum status order_row_read(
	struct case_db *db, const char *id_prefix, struct arena *a, struct order_row *to, struct err *e);
/* Newest first.  case_id NULL: of all cases.  in_force: only what is neither undone nor expired at `now` nor
 * waiting. */
enum status order_row_list(struct case_db *db, const struct id *case_id, bool in_force, struct wall now,
	struct arena *a, struct order_row **to, size_t *n, struct err *e);
/* Undone at `at`; again keeps the first time.  A waiting one is confirmed by being written anew. */
enum status order_row_undo(
	struct case_db *db, const struct id *id, struct wall at, const struct logged *l, struct err *e);
/* What an enforcer found; packets and bytes are added to what was there. */
enum status order_row_measure(struct case_db *db, const struct id *id, struct wall at, bool installed,
	bool announced, uint64_t more_packets, uint64_t more_bytes, const char *note, struct err *e);

#endif
