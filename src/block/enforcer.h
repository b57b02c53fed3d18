/* The enforcer: reads the orders in force from DIR with their proofs, hands them to the hand, writes down
 * what it measured.  One at a time for each back end: a lock in DIR/enforce decides, and a socket beside it
 * lets the others ask the one that runs. */
#ifndef WEIR_BLOCK_ENFORCER_H
#define WEIR_BLOCK_ENFORCER_H

#include "block/hand.h"
#include "case/order.h"

struct enforcer;

struct enforced {
	struct hand_reply reply;
	bool remote; /* the long-lived one did it */
};

/* Takes the lock and starts the hand.  STATUS_NO: another enforcer of this back end runs (its pid in e). */
enum status enforcer_open(struct enforcer **to, const struct world *w, const char *dir, struct case_db *db,
	const struct config *cfg, const struct backend *b, struct err *e);
/* One round: orders in force -> hand -> what was measured into the database. */
enum status enforcer_round(
	struct enforcer *f, bool look, struct arena *a, struct hand_reply *to, struct err *e);
/* Rounds until *stop: every tick_us, at once when somebody asks over the socket, and when an order expires.
 * Says on the log what drifted and was mended. */
enum status enforcer_run(struct enforcer *f, int64_t tick_us, const volatile int *stop, struct err *e);
void enforcer_close(struct enforcer *f);

/* One round by whoever can: by the long-lived one where one runs, else by a short-lived one.  The reply is in
 * the arena.  STATUS_MACHINE: no permission, no nftables. */
enum status enforce_once(struct enforced *to, const struct world *w, const char *dir, struct case_db *db,
	const struct config *cfg, const struct backend *b, bool look, struct arena *a, struct err *e);

#endif
