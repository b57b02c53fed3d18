/* Signed notes (c2sp.org/signed-note), their keys, and witnesses' cosignatures (c2sp.org/tlog-cosignature).
 *
 * A note is a text that ends in a newline, an empty line, and signature lines
 *     U+2014 SPACE name SPACE base64(4-byte key id || signature) NEWLINE
 * Key id = SHA-256(name || 0x0A || type || public key)[:4].  Signatures are Ed25519 (libsodium).  Base64 is
 * strict: standard alphabet, padding as it must be, unused bits zero. */
#ifndef WEIR_LEDGER_NOTE_H
#define WEIR_LEDGER_NOTE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/world.h"

#define KEY_NAME_MAX 200                 /* bytes of a key's name that are accepted */
#define VKEY_TEXT    (KEY_NAME_MAX + 64) /* bytes of any verifier key's text, with the zero */
#define SKEY_TEXT    (KEY_NAME_MAX + 96)
#define NOTE_MAX     (1 << 20) /* bytes of any note that is looked at (a MANIFEST is the longest) */
#define NOTE_SIGS    64        /* signature lines that a note may have: more is no note (STATUS_BAD) */

enum key_type {
	KEY_ED25519 = 0x01, /* signs the note's text */
	KEY_COSIGN = 0x04,  /* witness: signs "cosignature/v1\ntime <unix>\n" and the note's text */
};

/* A verifier key: name+hex8(id)+base64(type || public key).  name is printable ASCII without blank and plus.
 */
struct vkey {
	char name[KEY_NAME_MAX + 1];
	uint8_t id[4];
	uint8_t type; /* enum key_type */
	uint8_t key[32];
};

struct skey {
	struct vkey pub;
	uint8_t secret[64]; /* libsodium's: seed || public key */
};

/* Is s a name that a key may have? */
bool key_name_valid(const char *s);

/* STATUS_BAD says what is wrong (also where the id does not belong to name and key). */
enum status vkey_parse(struct vkey *to, const char *text, struct err *e);
char *vkey_text(char to[VKEY_TEXT], const struct vkey *v);
bool vkey_equal(const struct vkey *a, const struct vkey *b);

/* A fresh key from the world's randomness; type KEY_ED25519 or KEY_COSIGN. */
enum status skey_make(
	struct skey *to, const struct world *w, const char *name, enum key_type type, struct err *e);
/* "PRIVATE+KEY+name+hex8(id)+base64(type || seed)", as golang.org/x/mod/sumdb/note has it. */
enum status skey_parse(struct skey *to, const char *text, struct err *e);
char *skey_text(char to[SKEY_TEXT], const struct skey *k);
/* Overwrites what is secret. */
void skey_wipe(struct skey *k);

struct note_sig {
	const char *name; /* in the arena, ends in zero */
	uint8_t id[4];
	const uint8_t *sig; /* what follows the id; in the arena */
	size_t n;
};

struct note {
	const char *text; /* into the bytes that were parsed; ends in '\n' */
	size_t n_text;
	struct note_sig *sig;
	size_t n_sig;
};

/* Whole input or STATUS_BAD: valid UTF-8, no control characters but newline, at least one signature line, no
 * more than NOTE_SIGS. */
enum status note_parse(struct note *to, const char *bytes, size_t n, struct arena *a, struct err *e);

/* by[k] says whether known[k] signed; when[k], where when is not NULL, the time that a cosignature names (0
 * for a log's signature; of several, the earliest).  Unknown keys are ignored, every signature of a known one
 * is checked.  STATUS_NO where one is bad (the key's name in e), or where none of the known keys signed. */
enum status note_verify(const struct note *n, const struct vkey *known, size_t n_known, bool *by,
	struct wall *when, struct err *e);

/* Appends the signature line of k (KEY_ED25519) over text to b; what stands in b before (text, empty line,
 * other signatures) is the caller's, and text may be in b.  note_sign() writes text (which is not in b),
 * empty line and the one signature.  STATUS_BAD: the key is of another type, or text is none that a note may
 * have. */
enum status note_sign_line(struct buf *b, const char *text, size_t n, const struct skey *k, struct err *e);
enum status note_sign(struct buf *b, const char *text, size_t n, const struct skey *k, struct err *e);
/* A witness's line (KEY_COSIGN) over text at a time (whole seconds). */
enum status note_cosign_line(
	struct buf *b, const char *text, size_t n, const struct skey *k, struct wall at, struct err *e);

/* Base64 (RFC 4648 section 4), strict.  Appends. */
void base64_put(struct buf *b, const void *p, size_t n);
/* Exactly n_text characters (0 of them are 0 bytes); *n bytes are written to `to`, which has room for cap.
 * False where it is not strict base64 or does not fit. */
bool base64_get(uint8_t *to, size_t cap, size_t *n, const char *text, size_t n_text);

#endif
