/* The canonical tar: one list of files has one tar, GNU tar makes the same and reads ours, and whatever
 * differs outside the contents of files is refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "ask/tar.h"

#define BLOCK 512

static const struct {
	const char *name, *text;
} sample[] = {
	{"MANIFEST", "weir-bundle/v1\n"},
	{"claims/00112233445566778899aabbccddeeff.json", "{}\n"},
	{"empty", ""},
	{"trains/0.train", "weir-train/v1\nend\n"},
};

enum { SAMPLES = sizeof(sample) / sizeof(sample[0]) };

static struct buf sample_tar(void)
{
	struct buf b = {0};

	for (size_t i = 0; i < SAMPLES; i++)
		tar_put(&b, sample[i].name, sample[i].text, strlen(sample[i].text));
	tar_end(&b);
	assert_false(b.failed);
	return b;
}

/* Reads n bytes, and where that succeeds writes what was read again: it must be the same. */
static enum status try_read(const uint8_t *p, size_t n, struct err *e)
{
	struct tar_file *f;
	struct arena a = {0};
	size_t k;
	uint8_t *exact = malloc(n ? n : 1); /* so that a checker sees a read beyond the end */
	assert_non_null(exact);
	memcpy(exact, p, n);
	enum status s = tar_read(&f, &k, exact, n, &a, e);

	if (s == STATUS_OK) {
		struct buf b = {0};
		for (size_t i = 0; i < k; i++)
			tar_put(&b, f[i].name, f[i].p, f[i].n);
		tar_end(&b);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, p, n);
		buf_free(&b);
	} else {
		assert_int_equal(s, STATUS_BAD);
		assert_null(strchr(e->text, '\n'));
	}
	free(exact);
	arena_free(&a);
	return s;
}

static void there_and_back(void **state)
{
	(void)state;
	kit_seed("tar");
	for (int round = 0; round < 200; round++) {
		static uint8_t bytes[3 * BLOCK];
		struct buf b = {0};
		struct arena a = {0};
		struct tar_file *f;
		struct err e = {0};
		size_t n[12], at[12], files = kit_rnd(12), k;
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)kit_rnd(256);
		for (size_t i = 0; i < files; i++) {
			char name[TAR_NAME];
			n[i] = kit_rnd(4) ? kit_rnd(2 * BLOCK + 1) : BLOCK * kit_rnd(3);
			at[i] = kit_rnd(BLOCK);
			(void)snprintf(name, sizeof(name), "%s/%zu", kit_rnd(2) ? "a" : "b.c/d", i);
			tar_put(&b, name, bytes + at[i], n[i]);
		}
		tar_end(&b);
		assert_int_equal(b.n % BLOCK, 0);
		assert_int_equal(tar_read(&f, &k, b.p, b.n, &a, &e), STATUS_OK);
		assert_int_equal(k, files);
		for (size_t i = 0; i < k; i++) {
			assert_int_equal(f[i].n, n[i]);
			assert_memory_equal(f[i].p, bytes + at[i], n[i]);
		}
		assert_int_equal(try_read(b.p, b.n, &e), STATUS_OK);
		buf_free(&b);
		arena_free(&a);
	}
}

/* Is byte `at` of the sample's tar one of a file's contents? */
static bool in_contents(size_t at)
{
	size_t begin = BLOCK;

	for (size_t i = 0; i < SAMPLES; i++) {
		size_t n = strlen(sample[i].text);
		if (at >= begin && at < begin + n)
			return true;
		begin += (n + BLOCK - 1) / BLOCK * BLOCK + BLOCK;
	}
	return false;
}

/* All positions, all other values. */
static void every_byte_counts(void **state)
{
	struct buf b = sample_tar();
	struct err e;

	(void)state;
	for (size_t at = 0; at < b.n; at++) {
		uint8_t was = b.p[at];
		for (unsigned v = 1; v < 256; v++) {
			b.p[at] = (uint8_t)(was ^ v);
			enum status s = try_read(b.p, b.n, &e);
			if ((s == STATUS_OK) != in_contents(at))
				fail_msg("byte %zu, %02x for %02x: status %d", at, b.p[at], was, s);
		}
		b.p[at] = was;
	}
	buf_free(&b);
}

static void every_length(void **state)
{
	struct buf b = sample_tar();
	struct err e;

	(void)state;
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(try_read(b.p, n, &e), STATUS_BAD);
	for (size_t more = 0; more < 2 * BLOCK; more += 1 + more / 3) {
		size_t n = b.n;
		buf_u8(&b, 0);
		for (size_t i = 0; i < more; i++)
			buf_u8(&b, 0);
		assert_int_equal(try_read(b.p, b.n, &e), STATUS_BAD);
		assert_non_null(strstr(e.text, "follow the end"));
		b.n = n;
	}
	buf_free(&b);
}

/* ---- headers that others write ---- */

static void checksum(uint8_t *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += h[i];
	(void)snprintf((char *)h + 148, 8, "%06o", sum);
	h[155] = ' ';
}

/* The first header of the sample with some bytes replaced and its checksum put right. */
static void other_headers(void **state)
{
	static const struct {
		size_t at, n;
		const char *bytes, *told;
	} bad[] = {
		{156, 1, "1", "type"}, /* hard link */
		{156, 1, "2", "type"}, /* symbolic link */
		{156, 1, "3", "type"}, /* character device */
		{156, 1, "4", "type"},
		{156, 1, "5", "type"}, /* folder */
		{156, 1, "6", "type"}, /* fifo */
		{156, 1, "7", "type"},
		{156, 1, "x", "type"}, /* pax header */
		{156, 1, "g", "type"},
		{156, 1, "L", "type"},  /* GNU long name */
		{156, 1, "S", "type"},  /* GNU sparse */
		{156, 1, "\0", "type"}, /* before POSIX */
		{157, 11, "/etc/passwd", "link name"},
		{257, 8, "ustar  \0", "magic"}, /* GNU */
		{257, 8, "\0\0\0\0\0\0\0\0", "magic"},
		{263, 2, "01", "version"},
		{100, 8, "0000755\0", "mode"},
		{100, 8, "0100644\0", "mode"},
		{100, 8, "   644 \0", "mode"},
		{108, 8, "0001750\0", "owner"},
		{116, 8, "0001750\0", "group"},
		{124, 12, "000000000170", "size"}, /* no zero behind the digits */
		{124, 12, "00000000017 ", "size"},
		{124, 12, "         17\0", "size"},
		{124, 12, "17\0\0\0\0\0\0\0\0\0\0", "size"},
		{124, 12, "\x80\0\0\0\0\0\0\0\0\0\0\x0f", "size"}, /* base 256 */
		{124, 12, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "size"},
		{124, 12, "00000000019\0", "size"},
		{136, 12, "14462400000\0", "time"},
		{265, 4, "root", "owner name"},
		{297, 4, "root", "group name"},
		{329, 8, "\0\0\0\0\0\0\0\0", "device number"},
		{345, 3, "tmp", "prefix"},
		{500, 1, "x", "padding"},
		{9, 1, "x", "name"}, /* behind the name's end */
		{124, 12, "77777777777\0", "ends within"},
		{124, 12, "00000000016\0", "padding"},
	};
	struct buf b = sample_tar();
	uint8_t was[BLOCK];
	struct err e;

	(void)state;
	memcpy(was, b.p, BLOCK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(b.p, was, BLOCK);
		memcpy(b.p + bad[i].at, bad[i].bytes, bad[i].n);
		checksum(b.p);
		if (try_read(b.p, b.n, &e) != STATUS_BAD || !strstr(e.text, bad[i].told))
			fail_msg("case %zu: %s", i, e.text);
	}
	/* the checksum alone: wrong, and right in other digits */
	static const char *const sums[] = {"000000\0 ", "0012345\0", " 12345\0 "};
	for (size_t i = 0; i < 3; i++) {
		memcpy(b.p, was, BLOCK);
		memcpy(b.p + 148, sums[i], 8);
		assert_int_equal(try_read(b.p, b.n, &e), STATUS_BAD);
		assert_non_null(strstr(e.text, "checksum"));
	}
	memcpy(b.p, was, BLOCK);
	assert_int_equal(try_read(b.p, b.n, &e), STATUS_OK);
	buf_free(&b);
}

static void names(void **state)
{
	static const char hundred[] = "a234567890b234567890c234567890d234567890e234567890"
				      "f234567890g234567890h234567890i234567890j234567890";
	static const char hundred_one[] = "a234567890b234567890c234567890d234567890e234567890"
					  "f234567890g234567890h234567890i234567890j2345678901";
	static const char *const good[] = {"a", "a/b", "...", "..a/b..", "-", "A_b.c-d/0", hundred};
	static const char *const bad[] = {"", ".", "..", "/", "/a", "a/", "a//b", "./a", "a/.", "a/..",
		"a/../b", "../a", "a b", "a\\b", "a:b", "a\nb", "\xc3\xa9", "a\x7f", "~", "*", "%2e",
		hundred_one};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf b = {0};
		assert_true(tar_name_valid(good[i]));
		tar_put(&b, good[i], "x", 1);
		tar_end(&b);
		assert_int_equal(try_read(b.p, b.n, &e), STATUS_OK);
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = {0};
		assert_false(tar_name_valid(bad[i]));
		tar_put(&b, bad[i], "x", 1);
		assert_true(b.failed);
		buf_free(&b);
		/* and by force */
		b = sample_tar();
		memset(b.p, 0, 100);
		memcpy(b.p, bad[i], strnlen(bad[i], 100));
		checksum(b.p);
		if (strlen(bad[i]) <= 100)
			assert_int_equal(try_read(b.p, b.n, &e), STATUS_BAD);
		buf_free(&b);
	}
}

static void clashes(void **state)
{
	static const struct {
		const char *name[3];
		bool clash;
	} cases[] = {
		{{"a", "b", "c"}, false},
		{{"a", "b", "a"}, true},
		{{"a", "a-b", "a/b"}, true}, /* a file and a folder: neighbours in no plain order */
		{{"a/b", "a-b", "a"}, true},
		{{"a.b", "a/b", "a0/b"}, false},
		{{"a/b/c", "a/b", "x"}, true},
		{{"a/b/c", "a/bb", "a/b-"}, false},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};
		for (int k = 0; k < 3; k++)
			tar_put(&b, cases[i].name[k], "x", 1);
		tar_end(&b);
		assert_int_equal(try_read(b.p, b.n, &e), cases[i].clash ? STATUS_BAD : STATUS_OK);
		buf_free(&b);
	}
}

static void bounds(void **state)
{
	struct buf b = {0};
	struct err e;
	char name[16];

	(void)state;
	for (int i = 0; i < TAR_FILES; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		tar_put(&b, name, NULL, 0);
	}
	size_t full = b.n;
	tar_end(&b);
	assert_int_equal(try_read(b.p, b.n, &e), STATUS_OK);
	b.n = full;
	tar_put(&b, "more", NULL, 0);
	tar_end(&b);
	assert_int_equal(try_read(b.p, b.n, &e), STATUS_BAD);
	buf_free(&b);
	/* the largest file, and one byte more */
	uint8_t *p = calloc(1, TAR_BYTES);
	assert_non_null(p);
	tar_put(&b, "big", p, TAR_BYTES - 3 * BLOCK);
	tar_end(&b);
	assert_false(b.failed);
	assert_int_equal(b.n, TAR_BYTES);
	assert_int_equal(try_read(b.p, b.n, &e), STATUS_OK);
	/* whole, but longer than may be */
	struct buf more = {0};
	tar_put(&more, "more", p, 1);
	b.n = TAR_BYTES - 2 * BLOCK;
	buf_put(&b, more.p, more.n);
	tar_end(&b);
	assert_int_equal(try_read(b.p, b.n, &e), STATUS_BAD);
	buf_free(&more);
	buf_free(&b);
	tar_put(&b, "big", p, TAR_BYTES - 3 * BLOCK + 1);
	assert_true(b.failed);
	buf_free(&b);
	tar_put(&b, "big", p, SIZE_MAX);
	assert_true(b.failed);
	buf_free(&b);
	free(p);
}

/* ---- GNU tar ---- */

static void shell(const char *dir, const char *line)
{
	char cmd[1024];

	(void)snprintf(cmd, sizeof(cmd), "cd '%s' && %s", dir, line);
	assert_int_equal(system(cmd), 0);
}

static void spill(const char *dir, const char *name, const void *p, size_t n)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Packs the sample's files with the peer and compares; unpacks ours and compares.  GNU tar fills its last
 * record up: to 10 KiB, or with -b 1 not at all. */
static void the_real_tar(void **state)
{
	char dir[] = "/tmp/weir-tar-XXXXXX", line[512];
	struct buf b = sample_tar();

	(void)state;
	if (system("tar --version 2>/dev/null | grep -q 'GNU tar'") != 0) {
		print_message("# no GNU tar\n");
		buf_free(&b);
		skip();
	}
	assert_non_null(mkdtemp(dir));
	shell(dir, "mkdir -p theirs/claims theirs/trains ours");
	for (size_t i = 0; i < SAMPLES; i++) {
		(void)snprintf(line, sizeof(line), "theirs/%s", sample[i].name);
		spill(dir, line, sample[i].text, strlen(sample[i].text));
	}
	spill(dir, "ours.tar", b.p, b.n);
	size_t n = (size_t)snprintf(line, sizeof(line),
		"cd theirs && tar --format=ustar --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=0644 "
		"-b1 -cf "
		"../theirs.tar");
	for (size_t i = 0; i < SAMPLES; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %s", sample[i].name);
	shell(dir, line);
	shell(dir, "cmp ours.tar theirs.tar");
	shell(dir,
		"tar tf ours.tar > list && [ \"$(wc -l < list)\" = 4 ] && sed -n 3p list | grep -qx empty");
	shell(dir, "tar -C ours -xf ours.tar && diff -r ours theirs");
	(void)snprintf(line, sizeof(line), "rm -r '%s'", dir);
	assert_int_equal(system(line), 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(every_length),
		cmocka_unit_test(other_headers),
		cmocka_unit_test(names),
		cmocka_unit_test(clashes),
		cmocka_unit_test(bounds),
		cmocka_unit_test(the_real_tar),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
