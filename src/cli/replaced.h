/* Orders that a newer one of the same case makes idle. */
#ifndef WEIR_CLI_REPLACED_H
#define WEIR_CLI_REPLACED_H

#include "block/keep.h"
#include "cli/claims.h"

/* Undoes the orders of the case in force of which every rule stands in the new one too, with the same action,
 * and that end no later: they would change nothing any more, but count what it counts a second time.  To be
 * called when the new one is installed, so that nothing is let through meanwhile; the ledger is the caller's
 * to flush. */
enum status orders_replaced(const struct place *p, const struct order *by, const struct id *by_id,
	struct arena *arena, struct err *e);

#endif
