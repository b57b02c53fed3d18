/* Plans and orders into the register: text as a blob, a row, and an entry that waits for the ledger, in this
 * order, so that a crash leaves at most what nobody refers to. */
#ifndef WEIR_BLOCK_KEEP_H
#define WEIR_BLOCK_KEEP_H

#include "block/order.h"
#include "case/order.h"

/* Fills in the id of the plan (of its text's SHA-256). */
enum status plan_store(const struct world *w, const char *dir, struct case_db *db, const struct plan *p,
	struct id *id, struct err *e);
/* The plan of a row, from its blob.  STATUS_NO: forgotten. */
enum status plan_load(
	const char *dir, const struct plan_row *row, struct arena *a, struct plan *to, struct err *e);

/* plan: the row whose text o->plan names.  waits: for a second confirmation, so that no enforcer takes it. */
enum status order_store(const struct world *w, const char *dir, struct case_db *db, const struct order *o,
	const struct plan_row *plan, bool waits, struct id *id, struct err *e);
enum status order_load(
	const char *dir, const struct order_row *row, struct arena *a, struct order *to, struct err *e);
/* The order is in force no more: row and ledger entry.  by, why: who and why, "" for nothing. */
enum status order_undo(const struct world *w, struct case_db *db, const struct order_row *row, const char *by,
	const char *why, struct err *e);

#endif
