/* Notes: the known one is read and written as golang.org/x/mod/sumdb/note has it; of a note of ours, every
 * changed bit is refused; what the specification leaves open is fixed here. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/note.h"
#include "verdict.h"

#define FOO_VKEY   "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SKEY "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define ENOCH_VKEY "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
#define TEXT                                                                                                 \
	"If you think cryptography is the answer to your problem,\n"                                         \
	"then you don't know what your problem is.\n"
#define DASH "\xe2\x80\x94 "
#define PETER_LINE                                                                                           \
	DASH "PeterNeumann "                                                                                 \
	     "x08go/ZJkuBS9UG/"                                                                              \
	     "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define ENOCH_LINE                                                                                           \
	DASH "EnochRoot "                                                                                    \
	     "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/"                                                  \
	     "5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

struct fixture {
	struct arena arena;
	struct err e;
	struct skey log, witness;
};

/* Keys that are the same in every run: bytes counted up. */
static int counted(void *self, void *to, size_t n)
{
	uint8_t *next = self, *p = to;

	for (size_t i = 0; i < n; i++)
		p[i] = (*next)++;
	return 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct world w = world_real;
	uint8_t next = 7;

	if (!f)
		return -1;
	w.self = &next;
	w.random = counted;
	*state = f;
	return skey_make(&f->log, &w, "log.example/a", KEY_ED25519, &f->e) != STATUS_OK ||
			       skey_make(&f->witness, &w, "witness.example/w", KEY_COSIGN, &f->e) != STATUS_OK
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->arena);
	free(f);
	return 0;
}

static struct vkey vkey_of(struct fixture *f, const char *text)
{
	struct vkey v;

	ok(&f->e, vkey_parse(&v, text, &f->e));
	return v;
}

/* ---- known notes ---- */

static enum status verify(struct fixture *f, const char *bytes, size_t n, const struct vkey *known, size_t k,
	bool *by, struct wall *when)
{
	struct note note;
	enum status s = note_parse(&note, bytes, n, &f->arena, &f->e);

	return s == STATUS_OK ? note_verify(&note, known, k, by, when, &f->e) : s;
}

static void known_note(void **state)
{
	static const char both[] = TEXT "\n" PETER_LINE ENOCH_LINE;
	struct fixture *f = *state;
	struct vkey known[3] = {vkey_of(f, FOO_VKEY), vkey_of(f, PETER_VKEY), vkey_of(f, ENOCH_VKEY)};
	struct wall when[3];
	struct buf b = {0};
	struct skey peter;
	bool by[3];

	ok(&f->e, verify(f, both, sizeof(both) - 1, known, 3, by, when));
	assert_false(by[0]);
	assert_true(by[1] && by[2]);
	assert_int_equal(when[1].us, 0);
	ok(&f->e, verify(f, both, sizeof(both) - 1, known + 2, 1, by, NULL));
	assert_true(by[0]);
	refused(&f->e, verify(f, both, sizeof(both) - 1, known, 1, by, when), STATUS_NO,
		"not signed by any key");
	refused(&f->e, verify(f, both, sizeof(both) - 1, NULL, 0, by, when), STATUS_NO,
		"not signed by any key");
	ok(&f->e, skey_parse(&peter, PETER_SKEY, &f->e));
	ok(&f->e, note_sign(&b, TEXT, strlen(TEXT), &peter, &f->e));
	buf_put(&b, ENOCH_LINE, strlen(ENOCH_LINE));
	assert_int_equal(b.n, sizeof(both) - 1);
	assert_memory_equal(b.p, both, b.n);
	buf_free(&b);
}

/* ---- what is a note ---- */

static void not_notes(void **state)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{"", "no empty line"},
		{"\n", "no empty line"},
		{"a\n", "no empty line"},
		{"a\n\n", "no signature"},
		{PETER_LINE, "no empty line"},
		{"\n" PETER_LINE, "no empty line"},
		{"a\n" PETER_LINE, "no empty line"},
		{"a\r\n\n" PETER_LINE, "control character"},
		{"a\t\n\n" PETER_LINE, "control character"},
		{"\xff\n\n" PETER_LINE, "not UTF-8"},
		{"a\n\n" PETER_LINE "x", "does not end"},
		{"a\n\n" PETER_LINE "x\n", "line 2: does not begin"},
		{"a\n\n" PETER_LINE "\n", "no signature"},
		{"a\n\n- PeterNeumann x08go/ZJkuA=\n", "line 1: does not begin"},
		{"a\n\n" DASH "\n", "no valid name"},
		{"a\n\n" DASH " x08go/ZJkuA=\n", "no valid name"},
		{"a\n\n" DASH "x08go/ZJkuA=\n", "no valid name"},
		{"a\n\n" DASH "a+b x08go/ZJkuA=\n", "no valid name"},
		{"a\n\n" DASH "a\xc2\xa0 x08go/ZJkuA=\n", "no valid name"},
		{"a\n\n" DASH "a\xe2\x80\xa8z x08go/ZJkuA=\n", "no valid name"},
		{"a\n\n" DASH "a \n", "base64"},
		{"a\n\n" DASH "a x08goA==\n", "base64"},      /* an id and nothing */
		{"a\n\n" DASH "a x08go/ZJkuB=\n", "base64"},  /* unused bits */
		{"a\n\n" DASH "a x08go/ZJkuA\n", "base64"},   /* no padding */
		{"a\n\n" DASH "a x08go/ZJkuA= \n", "base64"}, /* something behind it */
		{"a\n\n" DASH "a  x08go/ZJkuA=\n", "base64"}, /* two blanks */
		{"a\n\n" DASH "a x08go_ZJkuA=\n", "base64"},  /* another alphabet */
		{"a\n\n" DASH "a x08go/ZJkuA==\n", "base64"},
	};
	struct fixture *f = *state;
	struct note n;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		refused(&f->e, note_parse(&n, t[i].text, strlen(t[i].text), &f->arena, &f->e), STATUS_BAD,
			t[i].says);
	refused(&f->e, note_parse(&n, "a\0\n\n" PETER_LINE, 4 + strlen(PETER_LINE), &f->arena, &f->e),
		STATUS_BAD, "control character");
}

static void odd_notes(void **state)
{
	static const char odd[] = "\n\n a \xc3\xa9 \x7f\n\n" DASH "\xc3\xa9/\xe2\x80\x94 x08go/ZJkuA=\n";
	struct fixture *f = *state;
	struct note n;

	ok(&f->e, note_parse(&n, odd, sizeof(odd) - 1, &f->arena, &f->e));
	assert_int_equal(n.n_text, 10);
	assert_memory_equal(n.text, "\n\n a \xc3\xa9 \x7f\n", 10);
	assert_int_equal(n.n_sig, 1);
	assert_string_equal(n.sig[0].name, "\xc3\xa9/\xe2\x80\x94");
	assert_memory_equal(n.sig[0].id, "\xc7\x4f\x20\xa3", 4);
	assert_int_equal(n.sig[0].n, 4);
	assert_memory_equal(n.sig[0].sig, "\xf6\x49\x92\xe0", 4);
	/* the text may be one empty line */
	ok(&f->e, note_parse(&n, "\n\n" PETER_LINE, 2 + strlen(PETER_LINE), &f->arena, &f->e));
	assert_int_equal(n.n_text, 1);
}

/* Unicode's White_Space (PropList.txt), and what stands beside it. */
static void spaces(void **state)
{
	static const char *const space[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
		"\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
		"\xe3\x80\x80"};
	static const char *const none[] = {"\xc2\x84", "\xc2\xa1", "\xe1\x9a\x81", "\xe2\x80\x8b",
		"\xe2\x80\xa7", "\xe2\x80\xae", "\xe2\x80\xb0", "\xe2\x81\xa0", "\xe3\x80\x81"};
	struct fixture *f = *state;
	char text[64];
	struct note n;

	for (size_t i = 0; i < sizeof(space) / sizeof(space[0]); i++) {
		int k = snprintf(text, sizeof(text), "a\n\n" DASH "a%sb x08go/ZJkuA=\n", space[i]);
		refused(&f->e, note_parse(&n, text, (size_t)k, &f->arena, &f->e), STATUS_BAD,
			"no valid name");
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		int k = snprintf(text, sizeof(text), "a\n\n" DASH "a%sb x08go/ZJkuA=\n", none[i]);
		ok(&f->e, note_parse(&n, text, (size_t)k, &f->arena, &f->e));
	}
}

static void limits(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0};
	struct note n;

	buf_put(&b, "a\n\n", 3);
	for (unsigned i = 0; i < NOTE_SIGS; i++)
		buf_put(&b, PETER_LINE, strlen(PETER_LINE));
	ok(&f->e, note_parse(&n, (const char *)b.p, b.n, &f->arena, &f->e));
	assert_int_equal(n.n_sig, NOTE_SIGS);
	buf_put(&b, PETER_LINE, strlen(PETER_LINE));
	refused(&f->e, note_parse(&n, (const char *)b.p, b.n, &f->arena, &f->e), STATUS_BAD,
		"more than 64 signatures");
	b.n = 0;
	while (b.n < NOTE_MAX - 2 - strlen(PETER_LINE))
		buf_u8(&b, 'a');
	buf_put(&b, "\n\n" PETER_LINE, 2 + strlen(PETER_LINE));
	assert_int_equal(b.n, NOTE_MAX);
	ok(&f->e, note_parse(&n, (const char *)b.p, b.n, &f->arena, &f->e));
	buf_u8(&b, 'a');
	refused(&f->e, note_parse(&n, (const char *)b.p, b.n, &f->arena, &f->e), STATUS_BAD, "longer than");
	buf_free(&b);
}

/* RFC 3629 section 4, production by production. */
static size_t utf8_length(const uint8_t *p)
{
	static const struct {
		uint8_t lead[2], second[2];
		size_t n;
	} t[] = {
		{{0x00, 0x7f}, {0, 0}, 1},
		{{0xc2, 0xdf}, {0x80, 0xbf}, 2},
		{{0xe0, 0xe0}, {0xa0, 0xbf}, 3},
		{{0xe1, 0xec}, {0x80, 0xbf}, 3},
		{{0xed, 0xed}, {0x80, 0x9f}, 3},
		{{0xee, 0xef}, {0x80, 0xbf}, 3},
		{{0xf0, 0xf0}, {0x90, 0xbf}, 4},
		{{0xf1, 0xf3}, {0x80, 0xbf}, 4},
		{{0xf4, 0xf4}, {0x80, 0x8f}, 4},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (p[0] < t[i].lead[0] || p[0] > t[i].lead[1])
			continue;
		if (t[i].n > 1 && (p[1] < t[i].second[0] || p[1] > t[i].second[1]))
			return 0;
		for (size_t k = 2; k < t[i].n; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return t[i].n;
	}
	return 0;
}

static void utf8(void **state)
{
	static const uint8_t edge[] = {0x00, 0x1f, 'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0};
	enum { E = sizeof(edge) };
	struct fixture *f = *state;
	unsigned good = 0;

	for (unsigned i = 0; i < 256 * E * E * E; i++) {
		uint8_t p[4] = {
			(uint8_t)(i % 256), edge[i / 256 % E], edge[i / 256 / E % E], edge[i / 256 / E / E]};
		size_t at = 0, k = 1;
		struct note n;
		bool want = true;
		for (; at < 4 && want; at += k) {
			uint8_t rest[8] = {0};
			memcpy(rest, p + at, 4 - at);
			k = utf8_length(rest);
			want = k > 0 && at + k <= 4 && (k > 1 || rest[0] >= ' ' || rest[0] == '\n');
		}
		enum status s = note_parse(&n, (const char *)p, 4, &f->arena, &f->e);
		assert_int_equal(s, STATUS_BAD);
		if (want != !strstr(f->e.text, "not UTF-8"))
			fail_msg("%02x %02x %02x %02x: %s", p[0], p[1], p[2], p[3], f->e.text);
		good += want;
	}
	assert_true(good > 1000);
}

/* ---- signatures ---- */

/* A note that log and witness signed. */
static struct buf signed_note(struct fixture *f, const char *text, int64_t seconds)
{
	struct buf b = {0};

	ok(&f->e, note_sign(&b, text, strlen(text), &f->log, &f->e));
	ok(&f->e, note_cosign_line(&b, text, strlen(text), &f->witness,
			  (struct wall){seconds * SECOND_US + 7}, &f->e));
	return b;
}

static void cosigned(void **state)
{
	struct fixture *f = *state;
	struct vkey known[2] = {f->log.pub, f->witness.pub};
	struct buf b = signed_note(f, "log.example/a\n0\nx\n", 1416820353);
	struct wall when[2];
	bool by[2];

	ok(&f->e, verify(f, (const char *)b.p, b.n, known, 2, by, when));
	assert_true(by[0] && by[1]);
	assert_int_equal(when[0].us, 0);
	assert_int_equal(when[1].us, INT64_C(1416820353) * SECOND_US);
	/* a second time by the witness, before: by then it had seen the text */
	ok(&f->e, note_cosign_line(
			  &b, "log.example/a\n0\nx\n", 18, &f->witness, (struct wall){5 * SECOND_US}, &f->e));
	ok(&f->e, verify(f, (const char *)b.p, b.n, known, 2, by, when));
	assert_int_equal(when[1].us, 5 * SECOND_US);
	buf_free(&b);
}

/* The same text with any bit of the note changed: no key of ours signed that, and a log whose signature is
 * bad is not saved by the witness's. */
static void bits_refused(void **state)
{
	struct fixture *f = *state;
	struct vkey known[2] = {f->log.pub, f->witness.pub};
	struct buf b = signed_note(f, "log.example/a\n0\nx\n", 1416820353);
	bool by[2];

	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		enum status s = verify(f, (const char *)b.p, b.n, known, 2, by, NULL);
		/* a name or an id that nobody knows hides one signature: the other one still holds */
		if (s == STATUS_OK)
			assert_true(by[0] != by[1]);
		else
			assert_true(s == STATUS_BAD || s == STATUS_NO);
		s = verify(f, (const char *)b.p, b.n, known, 1, by, NULL);
		if (s == STATUS_OK) /* changed where the witness stands, whom this reader does not know */
			assert_true(bit / 8 >= 19 + 111);
		b.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	buf_free(&b);
}

/* Puts line (a signature of another text) behind, or before, the good one. */
static void bad_beside_good(void **state)
{
	struct fixture *f = *state;
	struct vkey known[2] = {f->log.pub, f->witness.pub};
	bool by[2];

	for (unsigned where = 0; where < 2; where++) {
		struct buf b = {0};
		buf_put(&b, "good\n\n", 6);
		ok(&f->e, note_sign_line(&b, where ? "other\n" : "good\n", where ? 6 : 5, &f->log, &f->e));
		ok(&f->e, note_cosign_line(&b, "good\n", 5, &f->witness, (struct wall){0}, &f->e));
		ok(&f->e, note_sign_line(&b, where ? "good\n" : "other\n", where ? 5 : 6, &f->log, &f->e));
		refused(&f->e, verify(f, (const char *)b.p, b.n, known, 2, by, NULL), STATUS_NO,
			"the signature of log.example/a is bad");
		ok(&f->e, verify(f, (const char *)b.p, b.n, known + 1, 1, by, NULL));
		buf_free(&b);
	}
}

/* The log's key, in the name of another; another key, in the name of the log: both are nobody. */
static void strangers(void **state)
{
	struct fixture *f = *state;
	struct vkey known = f->log.pub;
	struct buf b = {0};
	struct skey k;
	bool by;

	ok(&f->e, skey_make(&k, &world_real, f->log.pub.name, KEY_ED25519, &f->e));
	ok(&f->e, note_sign(&b, "a\n", 2, &k, &f->e));
	refused(&f->e, verify(f, (const char *)b.p, b.n, &known, 1, &by, NULL), STATUS_NO,
		"not signed by any");
	ok(&f->e, note_sign_line(&b, "a\n", 2, &f->log, &f->e));
	ok(&f->e, verify(f, (const char *)b.p, b.n, &known, 1, &by, NULL));
	b.n = 0;
	/* the log's id under a stranger's name is a stranger; under the log's name, it must hold */
	memcpy(k.pub.id, f->log.pub.id, sizeof(k.pub.id));
	ok(&f->e, note_sign(&b, "a\n", 2, &k, &f->e));
	refused(&f->e, verify(f, (const char *)b.p, b.n, &known, 1, &by, NULL), STATUS_NO, "is bad");
	b.n = 0;
	(void)snprintf(k.pub.name, sizeof(k.pub.name), "other.example");
	ok(&f->e, note_sign(&b, "a\n", 2, &k, &f->e));
	refused(&f->e, verify(f, (const char *)b.p, b.n, &known, 1, &by, NULL), STATUS_NO,
		"not signed by any");
	buf_free(&b);
}

/* A signature of the right id whose payload has another length, or a time that no clock of ours can show. */
static void odd_payloads(void **state)
{
	static const uint8_t late[] = {0x00, 0x20, 0, 0, 0, 0, 0, 0};
	struct fixture *f = *state;
	struct vkey known[2] = {f->log.pub, f->witness.pub};
	bool by[2];

	for (size_t k = 0; k < 2; k++) {
		for (size_t n = 1; n < 80; n++) {
			uint8_t payload[4 + 80] = {0};
			struct buf b = {0};
			memcpy(payload, known[k].id, 4);
			if (k == 1)
				memcpy(payload + 4, late, sizeof(late));
			buf_put(&b, "a\n\n" DASH, 3 + strlen(DASH));
			buf_put(&b, known[k].name, strlen(known[k].name));
			buf_u8(&b, ' ');
			base64_put(&b, payload, 4 + n);
			buf_u8(&b, '\n');
			refused(&f->e, verify(f, (const char *)b.p, b.n, known, 2, by, NULL), STATUS_NO,
				"is bad");
			buf_free(&b);
		}
	}
}

/* A line of the witness over "a\n" at any time of 64 bits, with more bytes of nothing behind the signature.
 */
static struct buf raw_cosigned(const struct fixture *f, uint64_t seconds, size_t more)
{
	uint8_t payload[4 + 8 + 64 + 8] = {0};
	char message[80];
	struct buf b = {0};
	int n = snprintf(
		message, sizeof(message), "cosignature/v1\ntime %llu\na\n", (unsigned long long)seconds);

	memcpy(payload, f->witness.pub.id, 4);
	for (size_t i = 0; i < 8; i++)
		payload[4 + i] = (uint8_t)(seconds >> (56 - 8 * i));
	assert_int_equal(crypto_sign_detached(payload + 12, NULL, (const uint8_t *)message,
				 (unsigned long long)n, f->witness.secret),
		0);
	buf_put(&b, "a\n\n" DASH, 3 + strlen(DASH));
	buf_put(&b, f->witness.pub.name, strlen(f->witness.pub.name));
	buf_u8(&b, ' ');
	base64_put(&b, payload, 4 + 8 + 64 + more);
	buf_u8(&b, '\n');
	return b;
}

static void odd_cosignatures(void **state)
{
	static const struct {
		uint64_t seconds;
		size_t more;
		enum status want;
	} t[] = {
		{0, 0, STATUS_OK},
		{0x0102030405, 0, STATUS_OK},
		{INT64_MAX / SECOND_US, 0, STATUS_OK},
		{INT64_MAX / SECOND_US + 1, 0, STATUS_NO},
		{INT64_MAX, 0, STATUS_NO},
		{UINT64_MAX, 0, STATUS_NO},
		{1, 1, STATUS_NO},
		{1, 8, STATUS_NO},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = raw_cosigned(f, t[i].seconds, t[i].more);
		struct wall when;
		bool by;
		assert_int_equal(
			verify(f, (const char *)b.p, b.n, &f->witness.pub, 1, &by, &when), t[i].want);
		if (t[i].want == STATUS_OK)
			assert_int_equal(when.us, (int64_t)t[i].seconds * SECOND_US);
		buf_free(&b);
	}
}

static void not_signed(void **state)
{
	static const char *const texts[] = {"", "a", "a\n\x01\n", "\xff\n", "a\tb\n"};
	struct fixture *f = *state;
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		refused(&f->e, note_sign(&b, texts[i], strlen(texts[i]), &f->log, &f->e), STATUS_BAD,
			"nothing to sign");
		b.n = 0;
	}
	refused(&f->e, note_sign_line(&b, "a\n", 2, &f->witness, &f->e), STATUS_BAD, "not for this kind");
	refused(&f->e, note_cosign_line(&b, "a\n", 2, &f->log, (struct wall){0}, &f->e), STATUS_BAD,
		"not for this kind");
	refused(&f->e, note_cosign_line(&b, "a\n", 2, &f->witness, (struct wall){-1}, &f->e), STATUS_BAD,
		"before 1970");
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_note),
		cmocka_unit_test(not_notes),
		cmocka_unit_test(odd_notes),
		cmocka_unit_test(spaces),
		cmocka_unit_test(limits),
		cmocka_unit_test(utf8),
		cmocka_unit_test(cosigned),
		cmocka_unit_test(bits_refused),
		cmocka_unit_test(bad_beside_good),
		cmocka_unit_test(strangers),
		cmocka_unit_test(odd_payloads),
		cmocka_unit_test(odd_cosignatures),
		cmocka_unit_test(not_signed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
