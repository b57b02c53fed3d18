/* Signed notes: see note.h.  Bytes come in, the text and who signed it come out, and the other way round
 * (c2sp.org/signed-note, "Format" and "Signatures"; c2sp.org/tlog-cosignature, "Format" and "Ed25519 signed
 * message"). */
#include "ledger/note.h"

#include <sodium.h>

#include "base/utf8.h"
#include "ledger/text.h"

#define SIG_PREFIX    "\xe2\x80\x94 " /* em dash, blank */
#define COSIGN_HEADER "cosignature/v1\ntime "
#define STAMP         8 /* bytes of a cosignature's time */
#define STAMP_MAX     ((uint64_t)(INT64_MAX / SECOND_US))

/* ---- characters ---- */

/* "Signed notes MUST be valid UTF-8 and MUST NOT contain any ASCII control characters (those below U+0020)
 * other than newline." */
static bool text_valid(const char *p, size_t n)
{
	struct rd r = rd_of(p, n);
	uint32_t c;

	while (rd_left(&r) > 0)
		if (!utf8_next(&r, &c) || (c < ' ' && c != '\n'))
			return false;
	return true;
}

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

/* Names of keys that are not ours may be more than key_name_valid() allows. */
static bool foreign_name_valid(struct rd r)
{
	uint32_t c;

	if (rd_left(&r) == 0)
		return false;
	while (rd_left(&r) > 0)
		if (!utf8_next(&r, &c) || is_space(c) || c == '+')
			return false;
	return true;
}

/* ---- reading ---- */

/* Where the last empty line begins: the text may have such lines too. */
static bool last_empty_line(const char *p, size_t n, size_t *at)
{
	for (size_t i = n; i >= 2; i--) {
		if (p[i - 1] == '\n' && p[i - 2] == '\n') {
			*at = i - 1;
			return true;
		}
	}
	return false;
}

static enum status sig_parse(struct note_sig *to, struct rd line, struct arena *a, struct err *e)
{
	size_t cap = rd_left(&line) / 4 * 3, n = 0;
	const uint8_t *blank;
	uint8_t *bytes;
	struct rd name;

	if (!line_skip(&line, SIG_PREFIX))
		return err_set(e, STATUS_BAD, "does not begin with a dash and a blank");
	blank = rd_left(&line) ? memchr(line.p, ' ', rd_left(&line)) : NULL;
	name = rd_cut(&line, blank ? (size_t)(blank - line.p) : 0);
	if (!foreign_name_valid(name))
		return err_set(e, STATUS_BAD, "has no valid name of a key");
	rd_skip(&line, 1);
	bytes = arena_alloc(a, cap);
	char *copy = arena_alloc(a, rd_left(&name) + 1);
	if (!bytes || !copy)
		return err_nomem(e);
	if (!base64_get(bytes, cap, &n, (const char *)line.p, rd_left(&line)) || n <= sizeof(to->id))
		return err_set(e, STATUS_BAD, "does not end in base64 of a key id and a signature");
	memcpy(copy, name.p, rd_left(&name));
	memcpy(to->id, bytes, sizeof(to->id));
	to->name = copy;
	to->sig = bytes + sizeof(to->id);
	to->n = n - sizeof(to->id);
	return STATUS_OK;
}

static enum status sigs_parse(struct note *to, struct rd r, struct arena *a, struct err *e)
{
	struct rd line;

	to->sig = arena_array(a, NOTE_SIGS, sizeof(*to->sig));
	if (!to->sig)
		return err_nomem(e);
	while (rd_left(&r) > 0) {
		if (!line_take(&r, &line))
			return err_set(e, STATUS_BAD, "no note: the last line does not end");
		if (to->n_sig == NOTE_SIGS)
			return err_set(e, STATUS_BAD, "no note: more than %d signatures", NOTE_SIGS);
		enum status s = sig_parse(&to->sig[to->n_sig++], line, a, e);
		if (s != STATUS_OK)
			return err_wrap(e, "no note: signature line %zu", to->n_sig);
	}
	return to->n_sig ? STATUS_OK : err_set(e, STATUS_BAD, "no note: no signature");
}

enum status note_parse(struct note *to, const char *bytes, size_t n, struct arena *a, struct err *e)
{
	size_t at;

	*to = (struct note){0};
	if (n > NOTE_MAX)
		return err_set(e, STATUS_BAD, "no note: longer than %d bytes", NOTE_MAX);
	if (!text_valid(bytes, n))
		return err_set(e, STATUS_BAD, "no note: not UTF-8, or with a control character");
	if (!last_empty_line(bytes, n, &at))
		return err_set(e, STATUS_BAD, "no note: no empty line before the signatures");
	to->text = bytes;
	to->n_text = at;
	return sigs_parse(to, rd_of(bytes + at + 1, n - at - 1), a, e);
}

/* ---- what is signed ---- */

/* The message of a cosignature: header, time, the note's text. */
static bool cosign_message(struct buf *b, uint64_t seconds, const char *text, size_t n)
{
	text_put(b, COSIGN_HEADER);
	decimal_put(b, seconds);
	buf_u8(b, '\n');
	buf_put(b, text, n);
	return !b->failed;
}

static bool ed25519_verify(const uint8_t *sig, const void *p, size_t n, const struct vkey *key)
{
	return crypto_sign_verify_detached(sig, p, n, key->key) == 0;
}

/* *good, and *when, of one signature by one key.  False where memory is out. */
static bool sig_verify(
	bool *good, struct wall *when, const struct note *n, const struct note_sig *s, const struct vkey *key)
{
	struct rd r = rd_of(s->sig, s->n);
	uint64_t seconds = 0;
	struct buf b = {0};
	bool done = true;

	*when = (struct wall){0};
	*good = false;
	if (key->type == KEY_ED25519) {
		*good = s->n == crypto_sign_BYTES && ed25519_verify(s->sig, n->text, n->n_text, key);
		return true;
	}
	if (s->n != STAMP + crypto_sign_BYTES)
		return true;
	seconds = (uint64_t)rd_be32(&r) << 32;
	seconds |= rd_be32(&r);
	if (seconds > STAMP_MAX) /* "verifiers MAY reject cosignatures with timestamps in the future" */
		return true;
	done = cosign_message(&b, seconds, n->text, n->n_text);
	*good = done && ed25519_verify(r.p, b.p, b.n, key);
	when->us = (int64_t)seconds * SECOND_US;
	buf_free(&b);
	return done;
}

static bool sig_is_of(const struct note_sig *s, const struct vkey *key)
{
	return memcmp(s->id, key->id, sizeof(s->id)) == 0 && strcmp(s->name, key->name) == 0;
}

/* All signatures of one key.  "If the key name and ID match a known key, verifiers MUST verify the
 * signature": so also a second one of the same key, which golang.org/x/mod/sumdb/note passes over.  Of
 * several cosignatures the earliest time counts: by then the witness had seen the text. */
static enum status key_verify(
	const struct note *n, const struct vkey *key, bool *by, struct wall *when, struct err *e)
{
	*when = (struct wall){0};
	for (size_t i = 0; i < n->n_sig; i++) {
		struct wall at;
		bool good;
		if (!sig_is_of(&n->sig[i], key))
			continue;
		if (!sig_verify(&good, &at, n, &n->sig[i], key))
			return err_nomem(e);
		if (!good)
			return err_set(e, STATUS_NO, "the signature of %s is bad", key->name);
		if (!*by || at.us < when->us)
			*when = at;
		*by = true;
	}
	return STATUS_OK;
}

enum status note_verify(const struct note *n, const struct vkey *known, size_t n_known, bool *by,
	struct wall *when, struct err *e)
{
	size_t signers = 0;

	if (sodium_init() < 0)
		return err_set(e, STATUS_MACHINE, "libsodium does not start");
	for (size_t k = 0; k < n_known; k++)
		by[k] = false;
	for (size_t k = 0; k < n_known; k++) {
		struct wall at;
		enum status s = key_verify(n, &known[k], &by[k], &at, e);
		if (s != STATUS_OK)
			return s;
		if (when)
			when[k] = at;
		signers += by[k];
	}
	return signers ? STATUS_OK : err_set(e, STATUS_NO, "not signed by any key that is known here");
}

/* ---- writing ---- */

static enum status sign_check(
	const char *text, size_t n, const struct skey *k, enum key_type type, struct err *e)
{
	if (sodium_init() < 0)
		return err_set(e, STATUS_MACHINE, "libsodium does not start");
	if (k->pub.type != type)
		return err_set(e, STATUS_BAD, "the key of %s is not for this kind of signature", k->pub.name);
	if (n == 0 || text[n - 1] != '\n' || !text_valid(text, n))
		return err_set(
			e, STATUS_BAD, "nothing to sign: a note's text is UTF-8 and ends in a newline");
	return STATUS_OK;
}

static enum status sig_put(struct buf *b, const struct vkey *v, const uint8_t *sig, size_t n, struct err *e)
{
	uint8_t payload[4 + STAMP + crypto_sign_BYTES];

	memcpy(payload, v->id, 4);
	memcpy(payload + 4, sig, n);
	text_put(b, SIG_PREFIX);
	text_put(b, v->name);
	buf_u8(b, ' ');
	base64_put(b, payload, 4 + n);
	buf_u8(b, '\n');
	return b->failed ? err_nomem(e) : STATUS_OK;
}

enum status note_sign_line(struct buf *b, const char *text, size_t n, const struct skey *k, struct err *e)
{
	uint8_t sig[crypto_sign_BYTES];

	if (sign_check(text, n, k, KEY_ED25519, e) != STATUS_OK)
		return e->status;
	(void)crypto_sign_detached(sig, NULL, (const uint8_t *)text, n, k->secret);
	return sig_put(b, &k->pub, sig, sizeof(sig), e);
}

enum status note_sign(struct buf *b, const char *text, size_t n, const struct skey *k, struct err *e)
{
	buf_put(b, text, n);
	buf_u8(b, '\n');
	return note_sign_line(b, text, n, k, e);
}

enum status note_cosign_line(
	struct buf *b, const char *text, size_t n, const struct skey *k, struct wall at, struct err *e)
{
	uint64_t seconds = (uint64_t)(at.us / SECOND_US);
	uint8_t sig[STAMP + crypto_sign_BYTES];
	struct buf message = {0};
	enum status s = sign_check(text, n, k, KEY_COSIGN, e);

	if (s == STATUS_OK && at.us < 0)
		s = err_set(e, STATUS_BAD, "a cosignature's time is not before 1970");
	if (s != STATUS_OK)
		return s;
	for (size_t i = 0; i < STAMP; i++)
		sig[i] = (uint8_t)(seconds >> (56 - 8 * i));
	if (!cosign_message(&message, seconds, text, n))
		s = err_nomem(e);
	else
		(void)crypto_sign_detached(sig + STAMP, NULL, message.p, message.n, k->secret);
	buf_free(&message);
	return s == STATUS_OK ? sig_put(b, &k->pub, sig, sizeof(sig), e) : s;
}
