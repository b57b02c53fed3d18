/* Keys and their text (c2sp.org/signed-note, "Signatures" and "Verifier keys"; the secret key's form is that
 * of golang.org/x/mod/sumdb/note).  A key has one text: what is read would be written the same. */
#include <sodium.h>
#include <stdio.h>

#include "base/hash.h"
#include "ledger/note.h"
#include "ledger/text.h"

#define SKEY_PREFIX "PRIVATE+KEY+"
#define MATERIAL    33 /* type, and public key or seed */

static bool type_known(uint8_t type)
{
	return type == KEY_ED25519 || type == KEY_COSIGN;
}

bool key_name_valid(const char *s)
{
	size_t n = strnlen(s, KEY_NAME_MAX + 1);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '+')
			return false;
	return n > 0 && n <= KEY_NAME_MAX;
}

/* "Signature types": SHA-256(name || 0x0A || type || public key)[:4]. */
static bool key_id(uint8_t id[4], const struct vkey *v)
{
	uint8_t text[KEY_NAME_MAX + 1 + MATERIAL], h[32];
	size_t n = strlen(v->name);

	memcpy(text, v->name, n);
	text[n] = '\n';
	text[n + 1] = v->type;
	memcpy(text + n + 2, v->key, sizeof(v->key));
	if (!sha256(h, text, n + 1 + MATERIAL))
		return false;
	memcpy(id, h, 4);
	return true;
}

/* ---- reading ---- */

/* Takes what stands before the next plus, and the plus. */
static bool part_take(struct rd *r, struct rd *part)
{
	const uint8_t *plus = rd_left(r) ? memchr(r->p, '+', rd_left(r)) : NULL;

	if (!plus)
		return false;
	*part = rd_cut(r, (size_t)(plus - r->p));
	rd_skip(r, 1);
	return true;
}

/* Eight lower-case hex digits. */
static bool id_read(uint8_t id[4], const struct rd *hex)
{
	static const char digits[] = "0123456789abcdef";

	if (rd_left(hex) != 8)
		return false;
	memset(id, 0, 4);
	for (size_t i = 0; i < 8; i++) {
		const char *d = hex->p[i] ? strchr(digits, hex->p[i]) : NULL;
		if (!d)
			return false;
		id[i / 2] = (uint8_t)(id[i / 2] << 4 | (d - digits));
	}
	return true;
}

/* name+hex8(id)+base64(type || 32 bytes), for both kinds; name, id and type go to v, the 32 bytes to bytes.
 */
static enum status parts_read(struct vkey *v, uint8_t bytes[32], struct rd r, const char *what, struct err *e)
{
	uint8_t material[MATERIAL];
	struct rd name, hex;
	enum status s = STATUS_OK;
	size_t n = 0;

	*v = (struct vkey){0};
	if (!part_take(&r, &name) || !part_take(&r, &hex))
		return err_set(e, STATUS_BAD, "%s is not NAME+ID+KEY", what);
	if (rd_left(&name) <= KEY_NAME_MAX)
		memcpy(v->name, name.p, rd_left(&name));
	if (!key_name_valid(v->name))
		return err_set(e, STATUS_BAD, "%s has a name that no key may have", what);
	if (!id_read(v->id, &hex))
		return err_set(e, STATUS_BAD, "%s has an id that is not 8 hex digits", what);
	if (!base64_get(material, sizeof(material), &n, (const char *)r.p, rd_left(&r)) || n == 0)
		s = err_set(e, STATUS_BAD, "%s does not end in base64 of 33 bytes", what);
	else if (!type_known(material[0]))
		s = err_set(e, STATUS_BAD, "%s is of type 0x%02x, which is not supported", what, material[0]);
	else if (n != MATERIAL)
		s = err_set(e, STATUS_BAD, "%s does not end in base64 of 33 bytes", what);
	v->type = material[0];
	memcpy(bytes, material + 1, 32);
	sodium_memzero(material, sizeof(material));
	return s;
}

static enum status id_check(const struct vkey *v, const char *what, struct err *e)
{
	uint8_t id[4];

	if (!key_id(id, v))
		return err_nomem(e);
	if (memcmp(id, v->id, sizeof(id)) != 0)
		return err_set(e, STATUS_BAD, "%s has an id that does not belong to its name and key", what);
	return STATUS_OK;
}

enum status vkey_parse(struct vkey *to, const char *text, struct err *e)
{
	static const char what[] = "the verifier key";
	enum status s = parts_read(to, to->key, rd_of(text, strlen(text)), what, e);

	return s == STATUS_OK ? id_check(to, what, e) : s;
}

enum status skey_parse(struct skey *to, const char *text, struct err *e)
{
	static const char what[] = "the secret key";
	struct rd r = rd_of(text, strlen(text));
	uint8_t seed[32] = {0};
	enum status s;

	*to = (struct skey){0};
	if (!line_skip(&r, SKEY_PREFIX))
		return err_set(e, STATUS_BAD, "%s does not begin with " SKEY_PREFIX, what);
	s = parts_read(&to->pub, seed, r, what, e);
	(void)crypto_sign_seed_keypair(to->pub.key, to->secret, seed);
	sodium_memzero(seed, sizeof(seed));
	if (s == STATUS_OK)
		s = id_check(&to->pub, what, e);
	if (s != STATUS_OK)
		skey_wipe(to);
	return s;
}

/* ---- writing ---- */

/* name+hex8(id)+base64(type || bytes) behind what stands in `to` already. */
static void parts_write(char *to, size_t size, const struct vkey *v, const uint8_t bytes[32])
{
	size_t at = strlen(to);
	uint8_t material[MATERIAL] = {v->type};
	char text[HASH_BASE64 + 1]; /* 33 bytes take as many characters as 32 */

	memcpy(material + 1, bytes, 32);
	(void)sodium_bin2base64(text, sizeof(text), material, MATERIAL, sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(to + at, size - at, "%s+%02x%02x%02x%02x+%s", v->name, v->id[0], v->id[1], v->id[2],
		v->id[3], text);
	sodium_memzero(material, sizeof(material));
	sodium_memzero(text, sizeof(text));
}

char *vkey_text(char to[VKEY_TEXT], const struct vkey *v)
{
	to[0] = '\0';
	parts_write(to, VKEY_TEXT, v, v->key);
	return to;
}

char *skey_text(char to[SKEY_TEXT], const struct skey *k)
{
	(void)snprintf(to, SKEY_TEXT, "%s", SKEY_PREFIX);
	parts_write(to, SKEY_TEXT, &k->pub, k->secret); /* the seed is the first half */
	return to;
}

bool vkey_equal(const struct vkey *a, const struct vkey *b)
{
	return a->type == b->type && strcmp(a->name, b->name) == 0 &&
	       memcmp(a->id, b->id, sizeof(a->id)) == 0 && memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

/* ---- making ---- */

enum status skey_make(
	struct skey *to, const struct world *w, const char *name, enum key_type type, struct err *e)
{
	uint8_t seed[32];
	enum status s = STATUS_OK;

	*to = (struct skey){0};
	if (!key_name_valid(name))
		return err_set(e, STATUS_BAD,
			"a key's name is 1 to %d printable ASCII characters without blank and plus",
			KEY_NAME_MAX);
	if (w->random(w->self, seed, sizeof(seed)) != 0)
		return err_errno(e, "making a key");
	(void)snprintf(to->pub.name, sizeof(to->pub.name), "%s", name);
	to->pub.type = (uint8_t)type;
	(void)crypto_sign_seed_keypair(to->pub.key, to->secret, seed);
	if (!key_id(to->pub.id, &to->pub)) {
		s = err_nomem(e);
		skey_wipe(to);
	}
	sodium_memzero(seed, sizeof(seed));
	return s;
}

void skey_wipe(struct skey *k)
{
	sodium_memzero(k->secret, sizeof(k->secret));
}
