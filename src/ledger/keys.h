/* The keys in DIR/keys: the operator's, which signs bundles, and the log's, which signs checkpoints.
 *
 * Files (0600, the directory 0700): operator.key, log.key (secret, skey_text()), operator.vkey, log.vkey
 * (public, vkey_text()), retired.vkeys (public keys that were replaced, newest last), and log.head, the
 * newest checkpoint that the log's key signed (written by the ledger): one key, one last head.  The log's
 * name is the operator's with "/log" behind it. */
#ifndef WEIR_LEDGER_KEYS_H
#define WEIR_LEDGER_KEYS_H

#include "ledger/note.h"

enum key_role { KEY_OPERATOR, KEY_LOG };
#define KEY_ROLES 2

/* "operator", "log" */
const char *key_role_name(enum key_role role);

/* Makes both keys.  name NULL: "weir.invalid/" and 8 random letters.  STATUS_NO: keys are there already
 * (under the name in e). A crash at any step leaves either no keys or whole ones. */
enum status keys_init(const struct world *w, const char *dir, const char *name, struct err *e);

/* STATUS_NO: there are none.  Reads the public file only: no secret comes into the process. */
enum status keys_public(const char *dir, enum key_role role, struct vkey *to, struct err *e);
/* STATUS_BAD where a file is damaged, or open to others (any group or other permission). */
enum status keys_secret(const char *dir, enum key_role role, struct skey *to, struct err *e);
/* Those that were replaced and have the name of today's, oldest first; *n 0: none. */
enum status keys_retired(
	const char *dir, enum key_role role, struct arena *a, struct vkey **to, size_t *n, struct err *e);

/* A new key of the same name in place of the old one, in three steps, so that the ledger knows of it before
 * anybody sees it (ledger_rotate() does all three): keys_next() makes it as ROLE.key.next, or finds the one
 * that a crash left; the caller logs it; keys_rotate() puts it in place, keys_drop() throws it away.
 * STATUS_NO of keys_pending(), keys_rotate(): none was made. */
enum status keys_next(
	const struct world *w, const char *dir, enum key_role role, struct vkey *to, struct err *e);
enum status keys_pending(const char *dir, enum key_role role, struct vkey *to, struct err *e);
enum status keys_rotate(const struct world *w, const char *dir, enum key_role role, struct err *e);
enum status keys_drop(const struct world *w, const char *dir, enum key_role role, struct err *e);

#endif
