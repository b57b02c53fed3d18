/* Private to the hand: the frames between it and the process that it was forked from.
 *
 *     u32 length of what follows, u8 kind, then
 *     PLAN    text, entry, proof                          (each: u32 length, bytes)
 *     ORDER   id, text, entry, proof
 *     SYNC    u8 look, u32 n, n ids                       answered by REPLY
 *     READY   u8 status, text                             the hand's first word
 *     REPLY   u8 status, text, drift, u32 n, n results
 *
 * Numbers are little-endian.  A plan and an order are shown once; then their ids name them. */
#ifndef WEIR_BLOCK_HAND_IN_H
#define WEIR_BLOCK_HAND_IN_H

#include "block/hand.h"

#define FRAME_MAX (PLAN_BYTES + NOTE_MAX + (1 << 17)) /* text, proof, entry */

enum frame { FRAME_PLAN = 1, FRAME_ORDER, FRAME_SYNC, FRAME_READY, FRAME_REPLY };

/* ---- hand_frame.c ---- */

/* Sends a frame of one kind.  STATUS_MACHINE: the other side is gone. */
enum status frame_send(int fd, enum frame kind, const struct buf *body, struct err *e);
/* Reads one into `to` (what was there is thrown away).  STATUS_NO: the other side has ended. */
enum status frame_read(int fd, enum frame *kind, struct buf *to, struct err *e);

void frame_put_bytes(struct buf *to, const void *p, size_t n);
void frame_put_text(struct buf *to, const char *s);
/* Bytes behind their length, cut from r. */
struct rd frame_cut(struct rd *r);
/* A copy that fits. */
void frame_text(char *to, size_t n, struct rd *r);
bool frame_id(struct id *to, struct rd *r);
void frame_put_proven(struct buf *to, const struct proven_text *t);
void frame_proven(struct proven_text *to, struct rd *r);

/* What a round gave, also over the socket of the enforcer: status, message, reply.  bit 1 << RESULT_KEPT of a
 * result's flags: the hand still knows the order. */
enum { RESULT_TAKEN, RESULT_INSTALLED, RESULT_KEPT };
void reply_put(
	struct buf *to, enum status s, const struct err *e, const struct hand_reply *r, const bool *kept);
/* The status that the other side met, its message in e; STATUS_MACHINE where the bytes are no reply.
 * kept (n results; in the arena) may be NULL. */
enum status reply_take(struct hand_reply *to, bool **kept, struct rd r, struct arena *a, struct err *e);

/* ---- hand_book.c: what was verified, and what becomes of it ---- */

struct book;
struct book *book_open(const struct backend *b, void *outside, const struct config *cfg,
	const struct vkey *logs, size_t n_logs);
void book_close(struct book *b);
/* The resolvers are read from files: once, before files are given up.  Whoever changes them starts the
 * enforcer again. */
enum status book_resolvers(struct book *b, struct err *e);
enum status book_plan(struct book *b, struct rd r, struct err *e);
enum status book_order(struct book *b, struct rd r, struct err *e);
/* Appends the body of the REPLY. */
void book_sync(struct book *b, struct rd r, struct buf *reply);

/* ---- hand_proof.c ---- */

/* The text is what an entry of this kind names, and the entry is in the log: SHA-256 of the text, as hex. */
enum status proof_check(const struct proven_text *t, const char *kind, const struct vkey *logs, size_t n_logs,
	char sha[65], struct err *e);

/* ---- hand_child.c ---- */

/* The child's life; does not return. */
_Noreturn void hand_live(int fd, int held, const struct backend *b, const struct config *cfg,
	const struct vkey *logs, size_t n_logs);

#endif
