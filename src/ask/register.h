/* Into the register: a claim or an exchange becomes blobs, a database row, and a short entry of the ledger,
 * in this order, so that a crash leaves at most what nobody refers to. */
#ifndef WEIR_ASK_REGISTER_H
#define WEIR_ASK_REGISTER_H

#include "ask/statement.h"
#include "case/logged.h"
#include "ledger/ledger.h"

/* Where things are kept. */
struct place {
	const struct world *w;
	const char *dir;
	struct case_db *db;
};

/* Stores trains and claim and lets its entry wait for the ledger.  by, bundle: who claims it and in which
 * bundle it came; "" and "" for our own.  case_id may be NULL. */
enum status told_store(const struct place *p, const struct told *t, const struct id *case_id, const char *by,
	const char *bundle, struct id *id, struct err *e);

/* Stores a bundle's file and that it went or came, and lets its entry wait.  x->blob is filled in by this.
 * STATUS_NO: it is there already (a replay). */
enum status exchange_store(
	const struct place *p, struct exchange *x, const void *file, size_t n, struct err *e);

/* Appends what waits to the ledger, in one commit, and publishes.  OK also where no keys were made yet: it
 * goes on waiting. */
enum status register_flush(const struct place *p, struct err *e);

#endif
