/* weir why: what its parts share. */
#ifndef WEIR_CLI_WHY_H
#define WEIR_CLI_WHY_H

#include "case/logged.h"
#include "case/order.h"
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

/* A sighting of a case, on one line. */
enum status why_sighting(struct app *a, const struct sighting *g, const char *case_id, struct err *e);
/* From a block to its plan and option, and with it to what it rests on. */
enum status why_block(struct why *y, const struct order_row *row, struct err *e);
/* From a plan to all its options, and to what they rest on. */
enum status why_plan(struct why *y, const struct plan_row *row, struct err *e);

/* Each entry of our ledger about the object, {kind, entry, proven}, proven on the spot; and in plain words.
 */
enum status logged_json(struct why *y, const struct id *object, json_t **to, struct err *e);
void print_logged(struct why *y, const json_t *list);

#endif
