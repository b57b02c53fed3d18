/* The keys in DIR/keys: the operator's, which signs bundles, and the log's, which signs checkpoints.
 *
 * Files (0600): operator.key, log.key (secret, skey_text()), operator.vkey, log.vkey (public, vkey_text()),
 * retired.vkeys (public keys that were replaced, newest last).  The log's name is the operator's with "/log"
 * behind it. */
#ifndef WEIR_LEDGER_KEYS_H
#define WEIR_LEDGER_KEYS_H

#include "ledger/note.h"

enum key_role { KEY_OPERATOR, KEY_LOG };

/* Makes what is missing.  name NULL: "weir.invalid/" and 8 random letters.  STATUS_NO: keys are there already
 * (under the name in e). A crash at any step leaves either no keys or whole ones. */
enum status keys_init(const struct world *w, const char *dir, const char *name, struct err *e);

/* STATUS_NO: there are none.  Reads the public file only: no secret comes into the process. */
enum status keys_public(const char *dir, enum key_role role, struct vkey *to, struct err *e);
/* STATUS_BAD where a file is damaged, or open to others (any group or other permission). */
enum status keys_secret(const char *dir, enum key_role role, struct skey *to, struct err *e);

/* A new key of the same name in place of the old one.  The caller logs both verifier keys first: see
 * keys_next(), which makes the new one as ROLE.key.next; keys_rotate() puts it in place. */
enum status keys_next(
	const struct world *w, const char *dir, enum key_role role, struct vkey *to, struct err *e);
enum status keys_rotate(const struct world *w, const char *dir, enum key_role role, struct err *e);

#endif
