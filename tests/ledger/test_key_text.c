/* Keys as text, and base64: the known keys are read and written as golang.org/x/mod/sumdb/note has them,
 * every changed bit of them is refused; base64 against a slow writer, on all short texts. */
#include <errno.h>

#include "ledger/note.h"
#include "random.h"
#include "verdict.h"

#define FOO_VKEY   "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SKEY "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define ENOCH_VKEY "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"

static int no_random(void *self, void *to, size_t n)
{
	(void)self;
	(void)to;
	(void)n;
	errno = EIO;
	return -1;
}

/* ---- keys ---- */

static struct vkey vkey_of(const char *text)
{
	struct vkey v;
	struct err e;

	ok(&e, vkey_parse(&v, text, &e));
	return v;
}

static void known_keys(void **state)
{
	static const char *const texts[] = {FOO_VKEY, PETER_VKEY, ENOCH_VKEY};
	struct err e;
	char vtext[VKEY_TEXT], stext[SKEY_TEXT];
	struct vkey v;
	struct skey k;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		v = vkey_of(texts[i]);
		assert_int_equal(v.type, KEY_ED25519);
		assert_string_equal(vkey_text(vtext, &v), texts[i]);
	}
	ok(&e, skey_parse(&k, PETER_SKEY, &e));
	v = vkey_of(PETER_VKEY);
	assert_true(vkey_equal(&v, &k.pub));
	assert_string_equal(skey_text(stext, &k), PETER_SKEY);
	skey_wipe(&k);
	assert_memory_equal(k.secret, (uint8_t[64]){0}, 64);
}

static void vkey_bits(void **state)
{
	struct err e;
	char text[] = FOO_VKEY;
	struct vkey v;

	(void)state;
	for (size_t bit = 0; bit < 8 * (sizeof(text) - 1); bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(vkey_parse(&v, text, &e), STATUS_BAD);
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char cut[sizeof(text)] = {0};
		memcpy(cut, text, n);
		assert_int_equal(vkey_parse(&v, cut, &e), STATUS_BAD);
	}
}

static void skey_bits(void **state)
{
	struct err e;
	char text[] = PETER_SKEY;
	struct skey k;

	(void)state;
	for (size_t bit = 0; bit < 8 * (sizeof(text) - 1); bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(skey_parse(&k, text, &e), STATUS_BAD);
		assert_memory_equal(k.secret, (uint8_t[64]){0}, 64);
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	refused(&e, skey_parse(&k, PETER_VKEY, &e), STATUS_BAD, "PRIVATE+KEY+");
}

static void bad_vkeys(void **state)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{"", "is not NAME+ID+KEY"},
		{"a+b", "is not NAME+ID+KEY"},
		{"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "a name that no key"},
		{"a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "a name that no key"},
		{"\xc3\xa9+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "a name that no key"},
		{"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "8 hex digits"},
		{"example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "8 hex digits"},
		{"example.com/foo+530d903a0+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "8 hex digits"},
		{"example.com/foo+530d903a+", "base64 of 33 bytes"},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
			"base64 of 33 bytes"},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA==",
			"base64 of 33 bytes"},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
			"base64 of 33 bytes"},
		{"example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "type 0x06"},
		{"example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "does not belong"},
		{"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "does not belong"},
		{"example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "does not belong"},
	};
	struct err e;
	struct vkey v;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		refused(&e, vkey_parse(&v, t[i].text, &e), STATUS_BAD, t[i].says);
}

static void names(void **state)
{
	struct err e;
	char name[KEY_NAME_MAX + 2] = {0}, text[SKEY_TEXT], vtext[VKEY_TEXT];
	struct world broken = world_real;
	struct skey k, again;
	struct vkey v;

	(void)state;
	memset(name, '~', KEY_NAME_MAX);
	assert_true(key_name_valid(name));
	ok(&e, skey_make(&k, &world_real, name, KEY_COSIGN, &e));
	ok(&e, skey_parse(&again, skey_text(text, &k), &e));
	assert_memory_equal(k.secret, again.secret, sizeof(k.secret));
	ok(&e, vkey_parse(&v, vkey_text(vtext, &k.pub), &e));
	assert_true(vkey_equal(&v, &again.pub));
	name[KEY_NAME_MAX] = '~';
	assert_false(key_name_valid(name));
	refused(&e, skey_make(&k, &world_real, name, KEY_ED25519, &e), STATUS_BAD, "1 to 200 printable");
	assert_false(key_name_valid(""));
	assert_false(key_name_valid("a+b"));
	assert_false(key_name_valid("a b"));
	assert_false(key_name_valid("a\x7f"));
	assert_false(key_name_valid("\xe2\x80\x94"));
	broken.random = no_random;
	refused(&e, skey_make(&k, &broken, "a", KEY_ED25519, &e), STATUS_MACHINE, "making a key");
	ok(&e, skey_make(&k, &world_real, "a", KEY_ED25519, &e));
	ok(&e, skey_make(&again, &world_real, "a", KEY_ED25519, &e));
	assert_false(vkey_equal(&k.pub, &again.pub));
}

/* ---- base64 ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A text is base64 of p where it is what slow_put() writes of p. */
static void slow_put(char *to, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
			     (i + 2 < n ? p[i + 2] : 0);
		*to++ = alphabet[v >> 18];
		*to++ = alphabet[v >> 12 & 63];
		*to++ = '=';
		*to++ = '=';
		if (i + 1 < n)
			to[-2] = alphabet[v >> 6 & 63];
		if (i + 2 < n)
			to[-1] = alphabet[v & 63];
	}
	*to = '\0';
}

/* All texts of up to 5 characters of a few: what is read is what would be written. */
static void base64_short(void **state)
{
	static const char few[] = "AQgw/+=B \n-";
	enum { F = sizeof(few) };
	unsigned good = 0;

	(void)state;
	for (unsigned i = 0; i < 6 * F * F * F * F * F; i++) {
		char text[5], again[16];
		uint8_t p[6];
		size_t n, len = i % 6;
		unsigned v = i / 6;
		for (size_t k = 0; k < 5; k++, v /= F)
			text[k] = few[v % F];
		if (!base64_get(p, sizeof(p), &n, text, len))
			continue;
		slow_put(again, p, n);
		assert_int_equal(strlen(again), len);
		assert_memory_equal(text, again, len);
		good += len == 4;
	}
	/* each text of 4 comes F times: with any fifth character behind it, which is not looked at */
	assert_int_equal(good, F * (7 * 7 * 7 * 7 + 7 * 7 * 4 + 7 * 4));
}

/* Every byte at every place. */
static void base64_bytes(void **state)
{
	uint8_t p[6];
	size_t n;

	(void)state;
	assert_true(base64_get(p, sizeof(p), &n, "AAAAAA==", 8));
	assert_false(base64_get(p, sizeof(p), &n, "AA==AAAA", 8));
	for (unsigned i = 0; i < 4 * 256; i++) {
		char text[4] = {'A', 'A', 'A', 'A'};
		int c = (int)(i / 4);
		text[i % 4] = (char)c;
		bool want = (c && strchr(alphabet, c)) || (i % 4 == 3 && c == '=');
		assert_int_equal(base64_get(p, sizeof(p), &n, text, sizeof(text)), want);
	}
}

static void base64_long(void **state)
{
	uint8_t p[1000], back[1000];
	uint64_t seed = seed_take();

	(void)state;
	for (size_t len = 0; len < sizeof(p); len += len < 300 ? 1 : 61) {
		char slow[1400];
		struct buf b = {0};
		size_t n;
		for (size_t i = 0; i < len; i++)
			p[i] = (uint8_t)next_random(&seed);
		slow_put(slow, p, len);
		base64_put(&b, p, len);
		assert_int_equal(b.n, strlen(slow));
		if (len)
			assert_memory_equal(b.p, slow, b.n);
		assert_true(base64_get(back, len, &n, slow, strlen(slow)));
		assert_int_equal(n, len);
		assert_memory_equal(back, p, len);
		if (len)
			assert_false(base64_get(back, len - 1, &n, slow, strlen(slow)));
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_keys),
		cmocka_unit_test(vkey_bits),
		cmocka_unit_test(skey_bits),
		cmocka_unit_test(bad_vkeys),
		cmocka_unit_test(names),
		cmocka_unit_test(base64_short),
		cmocka_unit_test(base64_bytes),
		cmocka_unit_test(base64_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
