/* The ledger: a transparency log of one writer in DIR/ledger (doc/ledger-format.md; c2sp.org/tlog-tiles).
 *
 * An entry is a short text (no zero byte, at most 65,535 bytes) that names blobs by SHA-256.
 * ledger_append() buffers; ledger_commit() makes all that was appended durable with one write and one
 * fdatasync, and only then moves the head: what it returned OK for is never lost, and two heads that this
 * code signs never disagree.  Opening for signing takes the lock, checks every stored byte against its
 * checksum and the right edge against the signed checkpoint: a flipped bit is found before anything is
 * signed. */
#ifndef WEIR_LEDGER_LEDGER_H
#define WEIR_LEDGER_LEDGER_H

#include "ledger/keys.h"
#include "ledger/proof.h"

struct ledger;

enum ledger_mode {
	LEDGER_READ, /* no lock, no key; sees the last published checkpoint */
	LEDGER_SIGN, /* one process at a time; waits up to 10 s for the other */
};

#define LEDGER_ENTRY_MAX 65535

/* STATUS_NO: there is no ledger in dir (no keys were made).  STATUS_BAD: it is damaged, and says where;
 * nothing is signed then.  For LEDGER_SIGN an unpublished tail (a crash) is replayed, a torn one cut. */
enum status ledger_open(
	struct ledger **to, const struct world *w, const char *dir, enum ledger_mode mode, struct err *e);
/* Commits nothing: what was appended and not committed is dropped.  Publishes (ledger_publish()) what was
 * committed.  l may be NULL. */
enum status ledger_close(struct ledger *l, struct err *e);

/* *index: where it will stand.  STATUS_BAD: too long, empty, or with a zero byte. */
enum status ledger_append(struct ledger *l, const void *entry, size_t n, uint64_t *index, struct err *e);
/* After a failure the handle commits nothing more (the disk's state is not known): close, open, go on. */
enum status ledger_commit(struct ledger *l, struct err *e);
/* Writes tiles and the signed checkpoint, so that others read and serve the files as they are. */
enum status ledger_publish(struct ledger *l, struct err *e);

/* The head: what was committed (LEDGER_SIGN) or published (LEDGER_READ). */
const struct checkpoint *ledger_head(const struct ledger *l);
const struct vkey *ledger_key(const struct ledger *l);
/* The head as a signed note; LEDGER_READ: as published, with the cosignatures kept for it. */
enum status ledger_checkpoint(struct ledger *l, struct buf *to, struct err *e);
/* STATUS_NO where index is not below the head's size.  The entry is checked against its leaf hash. */
enum status ledger_entry(struct ledger *l, uint64_t index, struct buf *to, struct err *e);
enum status ledger_prove(
	struct ledger *l, uint64_t index, uint64_t size, struct hash *proof, size_t *n, struct err *e);
enum status ledger_prove_consistent(
	struct ledger *l, uint64_t old_size, uint64_t size, struct hash *proof, size_t *n, struct err *e);
/* A .tlog-proof against the newest checkpoint that has cosignatures and covers index, else the head. */
enum status ledger_proof(struct ledger *l, uint64_t index, struct buf *to, struct err *e);

/* Keeps the cosignature lines of a checkpoint of this log that a witness gave back.  The text must be that of
 * a head that this log had (consistency is recomputed); STATUS_NO where it is not. */
enum status ledger_keep_cosignatures(struct ledger *l, const char *note, size_t n, struct err *e);

/* A new key of this role: made, logged (old and new, signed by the old one), committed, put in place; the
 * head is then published, by the new key where it is the log's.  A crash in between is made good by the next
 * ledger_open() for signing. */
enum status ledger_rotate(struct ledger *l, enum key_role role, struct vkey *new, struct err *e);

/* Rebuilds the root from the stored entries and compares every stored hash, and the checkpoint's signature,
 * under the lock.  STATUS_BAD with the first thing that is wrong; the counts say how far it got.  mend: where
 * all else is whole, the file of sums is written anew.  STATUS_NO as for ledger_open(). */
struct ledger_report {
	uint64_t entries, tiles, bytes, bad;
	struct checkpoint head;
	char first_bad[256];
};
enum status ledger_check(
	struct ledger_report *to, const struct world *w, const char *dir, bool mend, struct err *e);

#endif
