/* Private to the enforcer.
 *
 *     orders in force, with texts and proofs      enforce_gather.c
 *     one at a time, and how others ask it        enforce_lock.c
 *     what was measured                           enforce_measure.c
 *     rounds                                      enforcer.c */
#ifndef WEIR_BLOCK_ENFORCE_IN_H
#define WEIR_BLOCK_ENFORCE_IN_H

#include <limits.h>

#include "block/enforcer.h"
#include "block/hand_in.h"
#include "ledger/ledger.h"

#define ENFORCE_DIR  "enforce"
#define ENFORCE_LOGS 64 /* keys of the log that are known at once: today's and the newest retired */
#define ASK_SECONDS  60 /* how long one waits for the long-lived one's answer */
#define REQUEST_MS   2000

struct counted { /* what the back end said of an order last */
	struct id id;
	uint64_t packets, bytes;
};

struct said { /* why an order is not in force, for the log */
	struct id id;
	unsigned times; /* rounds, up to 2 */
	char why[sizeof(((struct hand_result *)0)->why)];
};

struct enforcer {
	const struct world *w;
	const char *dir;
	struct case_db *db;
	const struct config *cfg;
	const struct backend *backend;
	struct hand *hand;
	struct vkey log[ENFORCE_LOGS];
	size_t n_log;
	int lock, heard;         /* the socket; -1 */
	struct counted *counted; /* sorted by id */
	size_t n_counted;
	struct wall next;     /* when something expires next */
	uint8_t in_force[32]; /* SHA-256 of the ids that were taken in the round before */
	bool changed;         /* they were others in this round */
	struct said *said;    /* sorted by id */
	size_t n_said;
};

/* ---- enforce_gather.c ---- */

struct gathered {
	struct order_row *row;
	struct hand_order *order;
	const char **why; /* its texts cannot be shown: why; else NULL */
	size_t n;
};

/* The orders in force; of those that the hand does not know, texts and proofs.  All in the arena. */
enum status enforce_gather(struct enforcer *f, struct arena *a, struct gathered *to, struct err *e);
/* The keys of the own log into f->log; none is no error. */
enum status enforce_keys(struct enforcer *f, struct err *e);

/* ---- enforce_lock.c ---- */

/* STATUS_NO: another process has it; its pid stands in e. */
enum status enforce_lock(const char *dir, const char *name, int *fd, struct err *e);
/* Listens beside the lock that one holds. */
enum status enforce_listen(const char *dir, const char *name, int *fd, struct err *e);
void enforce_unlisten(const char *dir, const char *name);
/* STATUS_NO: nobody listens. */
enum status enforce_connect(const char *dir, const char *name, int *fd, struct err *e);
/* DIR/enforce/NAMEEND. */
enum status enforce_path(
	char to[PATH_MAX], const char *dir, const char *name, const char *end, struct err *e);

/* ---- enforce_measure.c ---- */

/* What was counted by the enforcers before: a damaged or missing file is an empty one. */
enum status enforce_counted(struct enforcer *f, struct err *e);
/* Results into the database, as differences.  g and r have the same orders in the same order. */
enum status enforce_measure(
	struct enforcer *f, const struct gathered *g, const struct hand_reply *r, struct err *e);

#endif
