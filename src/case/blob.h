/* Blobs: what a ledger entry names by SHA-256, in DIR/blobs/ab/<64 hex digits>: trains of claims, bundles
 * that were sent or received.  Written once (tmp, fsync, rename), checked against the name when read.  A blob
 * may be deleted (`weir forget`); that it existed stays in the ledger. */
#ifndef WEIR_CASE_BLOB_H
#define WEIR_CASE_BLOB_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/world.h"

#define BLOB_NAME 65         /* 64 hex digits and the zero */
#define BLOB_MAX  (64 << 20) /* bytes */

/* Fills in the name.  There already, undamaged: OK and nothing is written. */
enum status blob_write(
	const struct world *w, const char *dir, const void *p, size_t n, char name[BLOB_NAME], struct err *e);
/* Puts the bytes behind those in `to`.  STATUS_NO: not there (deleted, or never here); STATUS_BAD: its bytes
 * are not those of its name, or the name is none. */
enum status blob_read(const char *dir, const char *name, struct buf *to, struct err *e);
/* Deletes every blob in which the host's address stands (case/address.h): its trains, the
 * bundles in which they travel, and those in which a claim names it.  *n: how many.  Interrupted, or on a
 * machine that fails, it is done again.  STATUS_NO: something in DIR/blobs is too large to be looked at, and
 * was left. */
enum status blob_forget(
	const struct world *w, const char *dir, const struct ip *host, uint64_t *n, struct err *e);
/* The name of bytes, without writing them.  False where libcrypto fails. */
bool blob_name(char name[BLOB_NAME], const void *p, size_t n);
/* 64 hex digits in lower case? */
bool blob_name_valid(const char *name);

#endif
