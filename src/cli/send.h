/* The last steps of a bundle that is made here, the same for a request and an answer: sealed, written to its
 * file, kept, entered into the register. */
#ifndef WEIR_CLI_SEND_H
#define WEIR_CLI_SEND_H

#include "ask/pack.h"
#include "cli/claims.h"

#define SEND_EXPIRES_US (30 * 24 * 3600 * SECOND_US) /* unless told otherwise */

/* from, made, not-after (by text, "" for 30 days: a span or a time) and code of a manifest. STATUS_NO: no
 * keys were made here. */
enum status send_head(struct app *a, struct manifest *m, const char *expires, struct err *e);

/* k->claim have to be stored (told_store()).  peer: the name that it is for, or the verifier key, where an
 * answer must come from that very key.  Fills in k->m.id; sha256 has 65 bytes. */
enum status send_bundle(struct app *a, const struct place *p, struct pack *k, const char *peer,
	const char *case_id, const char *path, char *sha256, struct err *e);

#endif
