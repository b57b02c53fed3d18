/* weir why: what its parts share. */
#ifndef WEIR_CLI_WHY_H
#define WEIR_CLI_WHY_H

#include "case/logged.h"
#include "cli/app.h"
#include "ledger/ledger.h"

struct why {
	struct app *a;
	struct tracer *t;
	struct case_db *db;
	struct ledger *ledger; /* NULL: no keys were made here */
	struct arena arena;
};

/* A stored thing as JSON, with the case that it belongs to; takes the reference. */
enum status stored_out(struct app *a, json_t *j, const char *case_id, struct err *e);

/* From a claim to its numbers, the trains that it rests on, and its place in the ledger. */
enum status why_claim(struct why *y, const struct claim *c, const char *case_id, struct err *e);
/* The same of a bundle that went or came. */
enum status why_exchange(struct why *y, const struct exchange *x, struct err *e);

#endif
