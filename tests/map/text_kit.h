/* What the tests of texts and their sheets share: text into a sheet of a temporary directory, and the real
 * files where they are. */
#ifndef WEIR_TESTS_MAP_TEXT_KIT_H
#define WEIR_TESTS_MAP_TEXT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "map/text_in.h"

struct kit_sheet {
	char dir[64], path[80];
	struct sheet sheet;
	struct text_counts counts;
	struct err err;
	enum status status;
};

/* Hands n bytes over in pieces of at most `piece` (0: all at once), each from memory of its own length, so
 * that a checker sees a read beyond its end. */
static inline bool kit_feed(struct text_reader *t, const char *text, size_t n, size_t piece, bool whole)
{
	size_t at = 0, give = piece && piece < n ? piece : n, taken;

	for (;;) {
		bool last = at + give == n;
		uint8_t *exact = malloc(give ? give : 1);
		assert_non_null(exact);
		if (give)
			memcpy(exact, text + at, give);
		bool ok = text_feed(t, exact, give, last && whole, &taken);
		free(exact);
		if (!ok || last)
			return ok;
		at += taken;
		give = taken ? (piece < n - at ? piece : n - at) : (give + 1 < n - at ? give + 1 : n - at);
	}
}

static inline void kit_sheet_make(
	struct kit_sheet *k, enum text_kind kind, const char *text, size_t n, size_t piece, bool whole)
{
	memset(k, 0, sizeof(*k));
	(void)snprintf(k->dir, sizeof(k->dir), "/tmp/weir-text-XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	(void)snprintf(k->path, sizeof(k->path), "%s/sheet", k->dir);
	struct sheet_out *o = sheet_begin(&world_real, k->path, text_sheet(kind), &k->err);
	struct text_reader *t = text_new(kind);
	assert_non_null(o);
	assert_non_null(t);
	assert_true(kit_feed(t, text, n, piece, whole));
	k->status = text_finish(t, o, &k->counts, &k->err);
	text_free(t);
	if (k->status != STATUS_OK) {
		sheet_drop(o);
		return;
	}
	assert_int_equal(sheet_finish(o, &k->err), STATUS_OK);
	assert_int_equal(sheet_open(&k->sheet, k->path, &k->err), STATUS_OK);
	assert_int_equal(sheet_check(&k->sheet, &k->err), STATUS_OK);
	assert_int_equal(k->sheet.kind, text_sheet(kind));
}

static inline void kit_sheet_text(struct kit_sheet *k, enum text_kind kind, const char *text)
{
	kit_sheet_make(k, kind, text, strlen(text), 0, true);
}

static inline void kit_sheet_free(struct kit_sheet *k)
{
	sheet_close(&k->sheet);
	(void)unlink(k->path);
	(void)rmdir(k->dir);
}

/* The path of a real file; false, and said, where it is not there. */
static inline bool kit_shared(char to[4096], const char *name)
{
	const char *data = getenv("WEIR_SHARED_DATA"), *source = getenv("WEIR_SOURCE");

	if (data)
		(void)snprintf(to, 4096, "%s/map/%s", data, name);
	else
		(void)snprintf(to, 4096, "%s/../shared/data/map/%s", source ? source : ".", name);
	if (access(to, R_OK) == 0)
		return true;
	(void)printf("# %s is not there\n", to);
	return false;
}

/* A real file into a sheet, as `map load` does it. */
static inline bool kit_sheet_file(struct kit_sheet *k, const char *name)
{
	char path[4096];
	struct input *in;
	const uint8_t *p;
	size_t n;

	memset(k, 0, sizeof(*k));
	if (!kit_shared(path, name))
		return false;
	assert_int_equal(input_open(&in, path, 2, &k->err), STATUS_OK);
	assert_int_equal(input_peek(in, 65536, &p, &n, &k->err), STATUS_OK);
	enum text_kind kind = text_looks(p, n < 65536 ? n : 65536);
	assert_int_not_equal(kind, TEXT_NONE);
	(void)snprintf(k->dir, sizeof(k->dir), "/tmp/weir-text-XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	(void)snprintf(k->path, sizeof(k->path), "%s/sheet", k->dir);
	struct sheet_out *o = sheet_begin(&world_real, k->path, text_sheet(kind), &k->err);
	assert_non_null(o);
	k->status = text_load(o, kind, in, &k->counts, NULL, NULL, &k->err);
	assert_int_equal(k->status, STATUS_OK);
	input_close(in);
	assert_int_equal(sheet_finish(o, &k->err), STATUS_OK);
	assert_int_equal(sheet_open(&k->sheet, k->path, &k->err), STATUS_OK);
	return true;
}

#endif
