/* The hand: the process that alone may change the outside (CAP_NET_ADMIN for nft; the pipes to ExaBGP for
 * exabgp), holds no key and no file, and takes only orders that verify: entry and inclusion proof against the
 * log's key, SHA-256 of order and plan, guard_order().
 *
 * It is forked from a process that reads DIR, and talks with it over a socket pair, in frames. */
#ifndef WEIR_BLOCK_HAND_H
#define WEIR_BLOCK_HAND_H

#include "block/backend.h"
#include "block/guard.h"
#include "ledger/proof.h"

/* A text that stands in the ledger. */
struct proven_text {
	const void *text;
	size_t n;
	const char *entry; /* the leaf */
	size_t n_entry;
	const char *proof; /* .tlog-proof */
	size_t n_proof;
};

struct hand_order {
	struct id id;
	struct proven_text order, plan;
};

/* What became of an order. */
struct hand_result {
	struct id id;
	bool taken;     /* verified, passed the guard and is in force */
	bool installed; /* all of its rules are there */
	uint64_t packets, bytes;
	char why[300]; /* not taken, or not installed */
};

struct hand_reply {
	struct hand_result *result;
	size_t n;
	struct drift drift;
};

struct hand;
/* Forks it.  back end opened in the child before it gives up its rights; what failed there comes back in e.
 * logs: keys of the own log, newest first (today's and retired ones).  held: a descriptor that stays open in
 * it as long as it lives (the enforcer's lock: nobody begins while it still finishes), -1: none. */
enum status hand_start(struct hand **to, const struct backend *b, const struct config *cfg,
	const struct vkey *logs, size_t n_logs, int held, struct err *e);
/* Makes the outside agree with these orders and no others.  look: only reads.  The reply is in the arena.
 * A refused order is a result, not a failure; STATUS_MACHINE: the outside could not be changed (and is as
 * before). */
enum status hand_sync(struct hand *h, const struct hand_order *o, size_t n, bool look, struct arena *a,
	struct hand_reply *to, struct err *e);
/* Does it know the order from the round before?  Then its texts need not be given again (NULL). */
bool hand_knows(const struct hand *h, const struct id *id);
/* Readable, where nothing was asked: the hand has ended. */
int hand_fd(const struct hand *h);
/* The child ends; what is installed stays (it expires by itself). */
void hand_stop(struct hand *h);

#endif
