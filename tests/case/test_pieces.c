/* A sensor's file in pieces gives what the file gives in one, however it is cut; a batch comes back as it was
 * written, and bytes that are none are refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "case/pieces.h"

#define FILE_MAX ((size_t)3 << 20)

static char text[FILE_MAX];
static size_t n_text;

static void add(const char *s)
{
	size_t n = strlen(s);

	assert_true(n_text + n < FILE_MAX);
	memcpy(text + n_text, s, n);
	n_text += n;
}

static void add_alert(unsigned flow, const char *end)
{
	char line[512];

	(void)snprintf(line, sizeof(line),
		"{\"timestamp\":\"2026-11-22T15:44:11.%06u+0000\",\"event_type\":\"alert\",\"src_ip\":"
		"\"198.51.100.7\",\"src_port\":%u,\"dest_ip\":\"192.0.2.10\",\"dest_port\":22,\"proto\":"
		"\"TCP\",\"alert\":{\"signature\":\"sig %u\"}}%s",
		flow, 1024 + flow, flow, end);
	add(line);
}

static void add_bad(void)
{
	static const char *const bad[] = {"{", "[]\n", "{\"event_type\":\"dns\"}\n", "\n", "\r\n",
		"{\"a\":1,\"a\":2}\n", "{\"event_type\":\"alert\"}\n", "garbage\n", "\xff\xfe\n", "}\n"};

	add(bad[kit_rnd(sizeof(bad) / sizeof(bad[0]))]);
}

static void add_long(void)
{
	size_t n = SENSOR_LINE_MAX - 10 + kit_rnd(20);

	assert_true(n_text + n < FILE_MAX);
	memset(text + n_text, ' ', n);
	n_text += n;
	add("\n");
}

static void story_make(bool longest)
{
	n_text = 0;
	if (kit_rnd(2))
		add("\xef\xbb\xbf");
	for (int i = 0; i < 200; i++) {
		if (kit_rnd(3))
			add_alert((unsigned)kit_rnd(50), kit_rnd(2) ? "\n" : "\r\n");
		else
			add_bad();
		if (longest && i == 100)
			add_long();
	}
	add("\n");
}

/* ---- the file at once ---- */

struct sum {
	uint64_t alerts, skipped, other;
	uint64_t count[64]; /* of each flow */
	bool foreign;       /* the first line is none of a sensor's: the rest says nothing */
};

static void whole(struct sum *to)
{
	FILE *f = fmemopen(text, n_text, "r");
	int said = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
	struct arena a = {0};
	struct sighting *s;
	struct err e;
	size_t n = 0;

	assert_non_null(f);
	memset(to, 0, sizeof(*to));
	(void)dup2(nowhere, STDERR_FILENO);
	enum status st = sensor_read(&sensor_eve, f, "f", &a, &s, &n, &to->skipped, &e);
	(void)dup2(said, STDERR_FILENO);
	(void)close(nowhere);
	(void)close(said);
	to->foreign = st == STATUS_BAD && strstr(e.text, "JSON over several lines");
	if (!to->foreign)
		assert_int_equal(st, STATUS_OK);
	for (size_t i = 0; i < n; i++) {
		to->alerts += s[i].count;
		to->count[s[i].end[0].port - 1024] += s[i].count;
	}
	arena_free(&a);
	(void)fclose(f);
}

/* ---- and in pieces ---- */

static void same_batch(const struct batch *a, const struct batch *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->kept, b->kept);
	assert_int_equal(a->other, b->other);
	assert_string_equal(a->foreign, b->foreign);
	assert_memory_equal(a->skipped, b->skipped, sizeof(a->skipped));
	for (size_t i = 0; i < a->n; i++) {
		const struct batch_alert *x = &a->alert[i], *y = &b->alert[i];
		assert_int_equal(id_order(&x->key, &y->key), 0);
		assert_int_equal(x->sure, y->sure);
		assert_int_equal(x->s.count, y->s.count);
		assert_int_equal(x->s.at.us, y->s.at.us);
		assert_int_equal(x->s.proto, y->s.proto);
		assert_string_equal(x->s.text, y->s.text);
		assert_string_equal(x->s.source, y->s.source);
		for (int k = 0; k < 2; k++)
			assert_true(endpoint_equal(&x->s.end[k], &y->s.end[k]));
	}
}

static void one_piece(struct pieces *p, size_t at, size_t n, struct sum *to)
{
	struct arena a = {0};
	struct batch b = {0}, back;
	struct buf bytes = {0};
	struct err e;

	assert_int_equal(pieces_take(p, text + at, n, &a, &b, &e), STATUS_OK);
	batch_write(&bytes, &b);
	assert_false(bytes.failed);
	assert_true(bytes.n <= PIECES_BATCH_BYTES);
	if (batch_read(&back, &sensor_eve, bytes.p, bytes.n, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	same_batch(&b, &back);
	for (size_t i = 0; i < b.n; i++) {
		to->alerts += b.alert[i].s.count;
		to->count[b.alert[i].s.end[0].port - 1024] += b.alert[i].s.count;
	}
	for (size_t i = 0; i < LINE_COUNT; i++)
		to->skipped += b.skipped[i];
	to->other += b.other;
	to->foreign = to->foreign || *b.foreign;
	buf_free(&bytes);
	arena_free(&a);
}

static void cut_anywhere(void **state)
{
	struct sum expected, got;

	(void)state;
	kit_seed("pieces");
	for (int i = 0; i < 60; i++) {
		struct pieces p;
		struct err e;
		story_make(i % 20 == 0);
		whole(&expected);
		memset(&got, 0, sizeof(got));
		assert_int_equal(pieces_open(&p, &sensor_eve, &e), STATUS_OK);
		for (size_t at = 0; at < n_text;) {
			size_t n = 1 + kit_rnd(kit_rnd(10) ? 300 : PIECES_ONE);
			n = n < n_text - at ? n : n_text - at;
			one_piece(&p, at, n, &got);
			at += n;
		}
		assert_int_equal(p.n, 0);
		pieces_close(&p);
		assert_int_equal(got.foreign, expected.foreign);
		if (expected.foreign)
			continue;
		assert_int_equal(got.alerts, expected.alerts);
		assert_int_equal(got.skipped, expected.skipped);
		assert_memory_equal(got.count, expected.count, sizeof(got.count));
	}
}

static void take(struct pieces *p, const char *s, struct batch *b, struct arena *a)
{
	struct err e;

	*b = (struct batch){0};
	assert_int_equal(pieces_take(p, s, strlen(s), a, b, &e), STATUS_OK);
}

/* What was begun in a file that was cut is no part of the next one. */
static void another_file(void **state)
{
	struct arena a = {0};
	struct pieces p;
	struct batch b;
	struct err e;

	(void)state;
	assert_int_equal(pieces_open(&p, &sensor_zeek, &e), STATUS_OK);
	const char *begun = "{\"ts\":1,\"note\":\"N\",\"id.orig_h\":\"192.0.2.1\",\"id.ori";
	take(&p, begun, &b, &a);
	assert_int_equal(b.kept, strlen(begun));
	b = (struct batch){0};
	pieces_again(&p, &b);
	assert_int_equal(b.skipped[LINE_TAIL], 1);
	take(&p, "#separator \\x09\n", &b, &a);
	assert_non_null(strstr(b.foreign, "a Zeek log in TSV"));
	/* a connection is nobody's word that there is an attack */
	take(&p,
		"{\"ts\":1,\"uid\":\"C1\",\"id.orig_h\":\"192.0.2.1\",\"id.orig_p\":1,\"id.resp_h\":\"192.0."
		"2.2\","
		"\"id.resp_p\":2,\"proto\":\"tcp\"}\n",
		&b, &a);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.unsaid, 1);
	pieces_close(&p);
	arena_free(&a);
}

/* ---- bytes that are no batch ---- */

static void mangled(void **state)
{
	struct arena a = {0};
	struct pieces p;
	struct batch b = {0}, back;
	struct buf bytes = {0};
	struct err e;
	unsigned refused = 0;

	(void)state;
	kit_seed("mangled");
	n_text = 0;
	for (unsigned i = 0; i < 20; i++)
		add_alert(i, "\n");
	assert_int_equal(pieces_open(&p, &sensor_eve, &e), STATUS_OK);
	assert_int_equal(pieces_take(&p, text, n_text, &a, &b, &e), STATUS_OK);
	assert_int_equal(b.n, 20);
	batch_write(&bytes, &b);
	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(batch_read(&back, &sensor_eve, bytes.p, n, &a, &e), STATUS_BAD);
	for (int i = 0; i < 20000; i++) {
		struct arena own = {0};
		size_t at = kit_rnd(bytes.n);
		uint8_t was = bytes.p[at];
		bytes.p[at] = (uint8_t)kit_rnd(256);
		if (batch_read(&back, &sensor_eve, bytes.p, bytes.n, &own, &e) == STATUS_OK)
			for (size_t k = 0; k < back.n; k++) {
				assert_true(back.alert[k].s.count > 0 && back.alert[k].s.at.us >= 0);
				assert_int_equal(back.alert[k].s.end[0].ip.v, back.alert[k].s.end[1].ip.v);
			}
		else
			refused++;
		bytes.p[at] = was;
		arena_free(&own);
	}
	print_message("# %u of 20000 refused\n", refused);
	assert_true(refused > 1000);
	buf_free(&bytes);
	pieces_close(&p);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere), cmocka_unit_test(another_file), cmocka_unit_test(mangled)};

	return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
