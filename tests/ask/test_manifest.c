/* MANIFEST: one manifest has one text, one text is one manifest, no byte of it is without meaning; what may
 * not stand is neither written nor read.  The text is compared with a slow second writer's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "ask/manifest.h"
#include "ask/tar.h"
#include "base/utf8.h"

/* The key of the examples in c2sp.org/signed-note. */
#define LOG "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

static void hex64(char to[65])
{
	for (int i = 0; i < 64; i++)
		to[i] = "0123456789abcdef"[kit_rnd(16)];
	to[64] = '\0';
}

enum { FILES = 6 };

static void random_manifest(struct manifest *m, struct manifest_file file[FILES])
{
	static const char *const names[] = {"victim.example/operator", "a", "b.example/~x!", "\"quoted\""};
	static const char *const whys[] = {"", "x", " ", "we saw no such flow: a \"NAT\"?",
		"caf\xc3\xa9 \xe2\x80\x94 \xf0\x9f\x98\x80", "code weir 0.1.0"};
	struct err e;

	memset(m, 0, sizeof(*m));
	m->type = kit_rnd(2) ? BUNDLE_REQUEST : BUNDLE_ANSWER;
	strcpy(m->from, names[kit_rnd(4)]);
	strcpy(m->to, kit_rnd(3) ? names[kit_rnd(4)] : "*");
	m->made.us = (int64_t)kit_rnd(INT64_C(7258118400000000));
	m->not_after.us = m->made.us + (int64_t)kit_rnd((uint64_t)(INT64_C(7258118400000001) - m->made.us));
	assert_int_equal(vkey_parse(&m->log, LOG, &e), STATUS_OK);
	if (m->type == BUNDLE_REQUEST) {
		m->ask = (enum bundle_ask)kit_rnd(3);
	} else {
		for (size_t i = 0; i < sizeof(m->reply_to.b); i++)
			m->reply_to.b[i] = (uint8_t)kit_rnd(256);
		hex64(m->reply_sha256);
		m->verdict = (enum bundle_verdict)kit_rnd(3);
	}
	strcpy(m->why, whys[kit_rnd(6)]);
	strcpy(m->code, "weir 0.1.0");
	m->n_file = 1 + kit_rnd(FILES);
	m->file = file;
	for (size_t i = 0; i < m->n_file; i++) {
		hex64(file[i].sha256);
		(void)snprintf(
			file[i].path, sizeof(file[i].path), "%s/%zu.json", kit_rnd(2) ? "claims" : "x/y", i);
	}
}

/* The id of a text's body: without the view's line. */
static struct id slow_id(const char *body)
{
	const char *end = strstr(body, "  stix.json\n"), *line = end;
	char *rest;
	struct id id;

	while (line && line > body && line[-1] != '\n')
		line--;
	int n = end ? asprintf(&rest, "%.*s%s", (int)(line - body), body, end + strlen("  stix.json\n"))
		    : asprintf(&rest, "%s", body);
	assert_true(n >= 0);
	assert_true(id_of(&id, rest, (size_t)n));
	free(rest);
	return id;
}

/* The slow second implementation.  Freed by the caller. */
static char *slow_text(const struct manifest *m, size_t *n)
{
	static const char *const asks[] = {"confirm", "trace", "block"};
	static const char *const verdicts[] = {"accepted", "doubted", "refused"};
	char *body, *text, t[WALL_TEXT], u[WALL_TEXT], hex[ID_TEXT];
	size_t n_body;
	FILE *f = open_memstream(&body, &n_body);

	assert_non_null(f);
	(void)fprintf(f, "type %s\nfrom %s\nto %s\nmade %s\nnot-after %s\nlog " LOG "\n",
		m->type == BUNDLE_REQUEST ? "request" : "answer", m->from, m->to, wall_text(t, m->made),
		wall_text(u, m->not_after));
	if (m->type == BUNDLE_REQUEST)
		(void)fprintf(f, "ask %s\n", asks[m->ask]);
	else
		(void)fprintf(f, "reply-to %s\nreply-sha256 %s\nverdict %s\n", id_text(hex, &m->reply_to),
			m->reply_sha256, verdicts[m->verdict]);
	if (*m->why)
		(void)fprintf(f, "why %s\n", m->why);
	(void)fprintf(f, "code %s\n", m->code);
	for (size_t i = 0; i < m->n_file; i++)
		(void)fprintf(f, "%s  %s\n", m->file[i].sha256, m->file[i].path);
	assert_int_equal(fclose(f), 0);
	struct id id = slow_id(body);
	int k = asprintf(&text, "weir-bundle/v1\nid %s\n%s", id_text(hex, &id), body);
	assert_true(k > 0);
	*n = (size_t)k;
	free(body);
	return text;
}

static enum status try_read(const char *text, size_t n, struct err *e)
{
	struct arena a = {0};
	struct manifest m;
	char *exact = malloc(n ? n : 1); /* so that a checker sees a read beyond the end */
	assert_non_null(exact);
	memcpy(exact, text, n);
	enum status s = manifest_read(&m, exact, n, &a, e);

	if (s == STATUS_OK) {
		struct buf b = {0};
		assert_int_equal(manifest_write(&b, &m, e), STATUS_OK);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, text, n);
		buf_free(&b);
	} else {
		assert_int_equal(s, STATUS_BAD);
		assert_null(strchr(e->text, '\n'));
	}
	free(exact);
	arena_free(&a);
	return s;
}

/* All that the text has; what the other type's lines would say is zero. */
static void same(const struct manifest *a, const struct manifest *b)
{
	assert_memory_equal(&a->id, &b->id, sizeof(a->id));
	assert_int_equal(a->type, b->type);
	assert_string_equal(a->from, b->from);
	assert_string_equal(a->to, b->to);
	assert_int_equal(a->made.us, b->made.us);
	assert_int_equal(a->not_after.us, b->not_after.us);
	assert_true(vkey_equal(&a->log, &b->log));
	assert_int_equal(a->ask, b->ask);
	assert_memory_equal(&a->reply_to, &b->reply_to, sizeof(a->reply_to));
	assert_string_equal(a->reply_sha256, b->reply_sha256);
	assert_int_equal(a->verdict, b->verdict);
	assert_string_equal(a->why, b->why);
	assert_string_equal(a->code, b->code);
	assert_int_equal(a->n_file, b->n_file);
	for (size_t i = 0; i < a->n_file; i++) {
		assert_string_equal(a->file[i].path, b->file[i].path);
		assert_string_equal(a->file[i].sha256, b->file[i].sha256);
	}
}

static void there_and_back(void **state)
{
	(void)state;
	kit_seed("manifest");
	for (int i = 0; i < 500; i++) {
		struct manifest_file file[FILES];
		struct manifest m, back;
		struct arena a = {0};
		struct buf b = {0};
		struct err e = {0};
		size_t n;
		random_manifest(&m, file);
		char *slow = slow_text(&m, &n);
		if (manifest_write(&b, &m, &e) != STATUS_OK)
			fail_msg("%s", e.text);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, slow, n);
		if (manifest_read(&back, slow, n, &a, &e) != STATUS_OK)
			fail_msg("%s in\n%s", e.text, slow);
		same(&m, &back);
		free(slow);
		buf_free(&b);
		arena_free(&a);
	}
}

/* Is byte `at` one of the hash in the view's line, the one place that the id does not cover? */
static bool in_view_hash(const char *text, size_t at)
{
	const char *view = strstr(text, "  stix.json\n");

	return view && text + at < view && text + at >= view - 64;
}

static bool lower_hex(char c)
{
	return c != '\0' && strchr("0123456789abcdef", c) != NULL;
}

/* The id is a hash of what follows but the view's line: nothing can be changed, taken out or doubled alone
 * but the view's hash, which is then another view's. */
static void every_byte_counts(void **state)
{
	(void)state;
	kit_seed("manifest");
	for (int round = 0; round < 4; round++) {
		struct manifest_file file[FILES];
		struct manifest m;
		struct err e;
		size_t n;
		random_manifest(&m, file);
		m.type = round % 2 ? BUNDLE_REQUEST : BUNDLE_ANSWER;
		if (m.type == BUNDLE_ANSWER && !*m.reply_sha256)
			hex64(m.reply_sha256);
		strcpy(file[0].path, round < 2 ? "claims/0" : MANIFEST_VIEW);
		char *text = slow_text(&m, &n), *longer = malloc(n + 1);
		assert_non_null(longer);
		assert_int_equal(try_read(text, n, &e), STATUS_OK);
		for (size_t at = 0; at < n; at++) {
			char was = text[at];
			bool free_place = in_view_hash(text, at);
			for (unsigned v = 1; v < 256; v++) {
				text[at] = (char)(was ^ (char)v);
				assert_int_equal(try_read(text, n, &e),
					free_place && lower_hex(text[at]) ? STATUS_OK : STATUS_BAD);
			}
			text[at] = was;
			assert_int_equal(try_read(text, at, &e), STATUS_BAD);
			memcpy(longer, text, at);
			memcpy(longer + at, text + at + 1, n - at - 1);
			assert_int_equal(try_read(longer, n - 1, &e), STATUS_BAD);
			memcpy(longer + at + 1, text + at, n - at);
			longer[at] = was;
			assert_int_equal(try_read(longer, n + 1, &e), STATUS_BAD);
		}
		free(text);
		free(longer);
	}
}

/* The text with a line replaced and the id put right.  Freed by the caller. */
static char *with(const char *text, const char *from, const char *to, size_t *n)
{
	const char *body = strchr(strchr(text, '\n') + 1, '\n') + 1, *at = strstr(body, from);
	char *changed, *all, hex[ID_TEXT];

	assert_non_null(at);
	int k = asprintf(&changed, "%.*s%s%s", (int)(at - body), body, to, at + strlen(from));
	assert_true(k > 0);
	struct id id = slow_id(changed);
	k = asprintf(&all, "weir-bundle/v1\nid %s\n%s", id_text(hex, &id), changed);
	assert_true(k > 0);
	*n = (size_t)k;
	free(changed);
	return all;
}

#define FIFTY "a234567890b234567890c234567890d234567890e234567890"
#define H0    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define REQUEST                                                                                              \
	"type request\nfrom victim.example/op\nto relay.example/op\nmade 2026-11-22T15:42:00.123456Z\n"      \
	"not-after 2026-12-22T15:42:00.123456Z\nlog " LOG "\nask trace\nwhy pick up\ncode weir 0.1.0\n" H0   \
	"  claims/0.json\n" H0 "  stix.json\n"

static void refused(void **state)
{
	static const struct {
		const char *from, *to;
	} bad[] = {
		{"type request", "type question"},
		{"type request", "type answer"},
		{"from victim.example/op", "from "},
		{"from victim.example/op", "from victim op"},
		{"from victim.example/op", "from victim+op"},
		{"from victim.example/op", "from *"},
		{"from victim.example/op", "from vict\xc3\xafm"},
		{"from victim.example/op\n", ""},
		{"to relay.example/op", "to relay.example/op "},
		{"made 2026-11-22T15:42:00.123456Z", "made 2026-11-22T15:42:00.1234560Z"},
		{"made 2026-11-22T15:42:00.123456Z", "made 2026-11-22T15:42:00.123456+00:00"},
		{"made 2026-11-22T15:42:00.123456Z", "made 2026-11-22 15:42:00.123456Z"},
		{"made 2026-11-22T15:42:00.123456Z", "made 2026-11-22T15:41:60.123456Z"},
		{"made 2026-11-22T15:42:00.123456Z", "made @1795362120.123456"},
		{"made 2026-11-22T15:42:00.123456Z", "made 1969-12-31T23:59:59.999999Z"},
		{"made 2026-11-22T15:42:00.123456Z", "made 2026-12-22T15:42:00.123457Z"},
		{"not-after 2026-12-22T15:42:00.123456Z", "not-after 2200-01-01T00:00:00.000001Z"},
		{"not-after 2026", "not-after 9999"},
		{"530d903a", "530D903A"},
		{"530d903a", "530d903b"},
		{"3U2k\n", "3U2l\n"},
		{"ask trace", "ask Trace"},
		{"ask trace", "ask trace\nask trace"},
		{"ask trace", "verdict refused"},
		{"ask trace\nwhy pick up", "why pick up\nask trace"},
		{"why pick up", "why "},
		{"why pick up", "why"},
		{"why pick up", "why \tup"},
		{"why pick up", "why \x1b[31m"},
		{"why pick up", "why \x7f"},
		{"why pick up", "why \xc2\x85"},
		{"why pick up", "why \xc2\x9f"},
		{"why pick up", "why \xe2\x80\xa8"},
		{"why pick up", "why \xe2\x80\xae gnp.exe"},
		{"why pick up", "why \xe2\x81\xa9"},
		{"why pick up", "why \xc0\xaf"},
		{"why pick up", "why \xed\xa0\x80"},
		{"why pick up", "why \xf4\x90\x80\x80"},
		{"why pick up", "why \xe2\x82"},
		{"code weir 0.1.0", "code "},
		{"code weir 0.1.0", "code weir \xc3\xa9"},
		{"  claims/0.json", " *claims/0.json"},
		{"  claims/0.json", " claims/0.json"},
		{"  claims/0.json", "  /claims/0.json"},
		{"  claims/0.json", "  claims/../0.json"},
		{"  claims/0.json", "  stix.json"},
		{"  claims/0.json", "  stix.json/0"},
		{"  claims/0.json", "  MANIFEST"},
		{"  claims/0.json", "  MANIFEST/0"},
		{"  claims/0.json", "  "},
		{"  claims/0.json", "  " FIFTY FIFTY "1"},
		{H0 "  claims", "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  claims"},
		{"e3b0c", "3b0c"},
		{H0 "  claims/0.json\n" H0 "  stix.json\n", ""},
		{"  stix.json\n", "  stix.json"},
		{"  stix.json\n", "  stix.json\n\n"},
		{"  stix.json\n", "  stix.json\r\n"},
	};
	static const char base[] = "weir-bundle/v1\nid 0\n" REQUEST;
	struct err e;
	size_t n;

	(void)state;
	char *text = with(base, "ask", "ask", &n);
	assert_int_equal(try_read(text, n, &e), STATUS_OK);
	free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text = with(base, bad[i].from, bad[i].to, &n);
		if (try_read(text, n, &e) != STATUS_BAD)
			fail_msg("\"%s\" for \"%s\" was taken", bad[i].to, bad[i].from);
		assert_non_null(strstr(e.text, "manifest"));
		free(text);
	}
}

/* A reason of as many bytes as may be, and one more. */
static void lengths(void **state)
{
	struct manifest_file file[FILES];
	struct manifest m;
	struct err e;
	size_t n;

	(void)state;
	kit_seed("manifest");
	random_manifest(&m, file);
	memset(m.why, 'x', MANIFEST_WHY);
	m.why[MANIFEST_WHY] = '\0';
	char *text = slow_text(&m, &n);
	assert_int_equal(try_read(text, n, &e), STATUS_OK);
	char *more = with(text, "why x", "why xx", &n);
	assert_int_equal(try_read(more, n, &e), STATUS_BAD);
	free(text);
	free(more);
}

/* Many files: up to what a note may hold; a text of newlines alone takes no memory. */
static void large(void **state)
{
	enum { MANY = 13000, TOO_MANY = 16000 };
	struct manifest_file file[FILES], *all = calloc(TOO_MANY, sizeof(*all));
	struct manifest m;
	struct buf b = {0};
	struct err e;

	(void)state;
	kit_seed("manifest");
	assert_non_null(all);
	random_manifest(&m, file);
	for (size_t i = 0; i < TOO_MANY; i++) {
		hex64(all[i].sha256);
		(void)snprintf(all[i].path, sizeof(all[i].path), "c/%zu", i);
	}
	m.file = all;
	m.n_file = MANY;
	assert_int_equal(manifest_write(&b, &m, &e), STATUS_OK);
	assert_int_equal(try_read((char *)b.p, b.n, &e), STATUS_OK);
	b.n = 0;
	m.n_file = TOO_MANY;
	assert_int_equal(manifest_write(&b, &m, &e), STATUS_BAD);
	assert_int_equal(b.n, 0);
	buf_free(&b);
	free(all);
}

/* What may not stand is not written either. */
static void not_written(void **state)
{
	struct manifest_file file[FILES];
	struct manifest m;
	struct buf b = {0};
	struct err e;

	(void)state;
	kit_seed("manifest");
#define WRITES(change, want)                                                                                 \
	do {                                                                                                 \
		random_manifest(&m, file);                                                                   \
		change;                                                                                      \
		assert_int_equal(manifest_write(&b, &m, &e), want);                                          \
		b.n = 0;                                                                                     \
	} while (0)
	WRITES((void)0, STATUS_OK);
	WRITES(strcpy(m.from, ""), STATUS_BAD);
	WRITES(strcpy(m.to, "a b"), STATUS_BAD);
	WRITES(m.made.us = -1, STATUS_BAD);
	WRITES(m.not_after.us = m.made.us - 1, STATUS_BAD);
	WRITES(m.log.id[0] ^= 1, STATUS_BAD);
	struct skey witness;
	assert_int_equal(skey_make(&witness, &world_real, "w.example", KEY_COSIGN, &e), STATUS_OK);
	WRITES(m.log = witness.pub, STATUS_BAD);
	WRITES(strcpy(m.why, "a\nb"), STATUS_BAD);
	WRITES(strcpy(m.code, ""), STATUS_BAD);
	WRITES(m.n_file = 0, STATUS_BAD);
	WRITES(strcpy(file[0].path, "../x"), STATUS_BAD);
	WRITES(file[0].sha256[63] = 'g', STATUS_BAD);
	WRITES((m.type = BUNDLE_ANSWER, m.reply_sha256[0] = '\0'), STATUS_BAD);
	WRITES((m.n_file = 2, file[1] = file[0]), STATUS_BAD);
#undef WRITES
	buf_free(&b);
}

static void ask_words(void **state)
{
	enum bundle_ask a;

	(void)state;
	for (int i = ASK_CONFIRM; i <= ASK_BLOCK; i++) {
		assert_true(bundle_ask_parse(&a, bundle_ask_name((enum bundle_ask)i)));
		assert_int_equal(a, i);
	}
	assert_false(bundle_ask_parse(&a, "accepted"));
	assert_string_equal(bundle_verdict_name(ANSWER_DOUBTED), "doubted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(refused),
		cmocka_unit_test(lengths),
		cmocka_unit_test(large),
		cmocka_unit_test(not_written),
		cmocka_unit_test(ask_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
