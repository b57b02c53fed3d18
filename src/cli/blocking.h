/* What `weir block`, `weir plan` and `weir watch` share: a plan of a case into the register, and an order out
 * of a plan. */
#ifndef WEIR_CLI_BLOCKING_H
#define WEIR_CLI_BLOCKING_H

#include "block/enforcer.h"
#include "block/keep.h"
#include "cli/claims.h"
#include "plan/make.h"

/* Traces the case anew (its claims are written), makes the plan and enters it; *id names it.  The plan is in
 * the arena. */
struct planning {
	int64_t budget;               /* -1: no bound */
	const char *const *unwilling; /* and what follows to self: plan/make.h */
	size_t n_unwilling;
	bool *met;
	const char *const *refusing;
	size_t n_refusing;
	bool (*refuses)(void *self, const struct prefix *network);
	void *self;
	int64_t for_us; /* 0: as configured */
};
enum status planning_run(struct app *a, const struct place *p, struct tracer *t, const char *case_id,
	const struct planning *how, struct arena *arena, struct plan *plan, struct id *id, struct err *e);

/* An order that is asked for. */
struct block_request {
	const char *case_id;      /* id prefix */
	uint32_t option;          /* 0: the marked one */
	int64_t for_us;           /* 0: as the option says */
	const char *override_why; /* NULL: none */
	const char *by;           /* NULL: the login name */
	const char *confirm;      /* id prefix of the waiting order that this one confirms, NULL: none */
};

struct block_order {
	struct plan_row plan_row;
	struct plan plan;
	const struct option *option;
	struct order order;        /* rules that are placed here */
	bool waits;                /* a second person has to confirm */
	struct order_row confirms; /* the waiting one that this one confirms, where order.by[1] is not "" */
};

/* The case's newest plan, checked against the case's evidence, and the order made of it, checked by the
 * guard; writes nothing.  STATUS_NO: not sufficient (what is missing), older than its evidence, or refused by
 * the guard. */
enum status block_prepare(struct app *a, const struct place *p, const struct block_request *r,
	struct arena *arena, struct block_order *to, struct err *e);
/* An order is a ledger entry: where there are no keys they are made, and said. */
enum status block_keys(struct app *a, struct err *e);
/* Enters it, ledger included, and has it enforced at once (unless it waits).  *done says what came of it;
 * where the machine could not (no permission, no nftables) the order is undone again: nothing is left in
 * force. */
enum status block_give(struct app *a, const struct place *p, const struct block_order *o, struct arena *arena,
	struct id *id, struct enforced *done, struct err *e);
/* Undoes these orders, all or none of what the enforcer holds.  STATUS_MACHINE: without permission nothing
 * was undone; else they are undone, and e says what is left to do (the kernel, or the ledger's entry, which
 * the next command makes).  by NULL: the login name. */
enum status block_end(struct app *a, const struct place *p, const struct order_row *row, size_t n,
	const char *by, const char *why, struct arena *arena, struct enforced *done, struct err *e);
/* The order's result, NULL: it is not there. */
const struct hand_result *enforced_of(const struct enforced *done, const struct id *id);

/* ---- a block as it is shown (cmd_blocks.c) ---- */

/* "in force", "not installed", "waits", "expired", "undone" */
const char *order_state(const struct order_row *o, struct wall now);
json_t *json_block(const struct order_row *o, struct wall now);
void print_block(FILE *to, const struct order_row *o, struct wall now);

#endif
