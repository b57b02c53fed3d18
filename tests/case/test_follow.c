/* Following a file through every manner of rotation.  The time is the test's own, so nothing is waited for;
 * the random test compares what was read with what was written, byte for byte. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "case/follow.h"
#include "../lib/rnd.h"

#define ROOM 4096

struct fixture {
	char dir[32], path[64];
	struct world w;
	struct mono now;
	struct follow *f;
	struct err e;
	int64_t stamp; /* of the files, in seconds: each change is a second later */
};

static struct mono test_mono(void *self)
{
	return ((struct fixture *)self)->now;
}

static int test_open(void *self, const char *path, int flags, mode_t mode)
{
	(void)self;
	return world_real.open(NULL, path, flags, mode);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	memcpy(f->dir, "/tmp/weir-follow-XXXXXX", 24);
	*state = f;
	f->w = (struct world){.self = f, .mono = test_mono, .open = test_open};
	f->now.us = SECOND_US;
	f->stamp = 1000000000;
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/eve.json", f->dir);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char line[64];

	follow_close(f->f);
	(void)snprintf(line, sizeof(line), "rm -rf '%s'", f->dir);
	int r = system(line);
	free(f);
	return r;
}

/* ---- the writer ---- */

static void stamp(struct fixture *f, int fd)
{
	struct timespec t[2] = {{.tv_sec = f->stamp}, {.tv_sec = f->stamp}};

	f->stamp++;
	assert_int_equal(futimens(fd, t), 0);
}

static int writer_open(struct fixture *f)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void put_n(struct fixture *f, int fd, const char *s, size_t n)
{
	assert_int_equal(write(fd, s, n), (ssize_t)n);
	stamp(f, fd);
}

static void put(struct fixture *f, int fd, const char *s)
{
	put_n(f, fd, s, strlen(s));
}

static void put_file(struct fixture *f, const char *s)
{
	int fd = writer_open(f);

	put(f, fd, s);
	(void)close(fd);
}

static void away(const struct fixture *f, const char *suffix)
{
	char to[80];

	(void)snprintf(to, sizeof(to), "%s%s", f->path, suffix);
	assert_int_equal(rename(f->path, to), 0);
}

/* ---- the reader ---- */

static void begin(struct fixture *f, const struct follow_at *from, bool start)
{
	follow_close(f->f);
	f->f = NULL;
	if (follow_open(&f->f, &f->w, f->path, from, start, false, &f->e) != STATUS_OK)
		fail_msg("%s", f->e.text);
}

static enum follow_got next(struct fixture *f, char *to, size_t max, bool half, struct follow_bytes *b)
{
	enum follow_got got;

	if (follow_read(f->f, to, max, half, false, &got, b, &f->e) != STATUS_OK)
		fail_msg("%s", f->e.text);
	return got;
}

/* All that is there now is this; half: the caller holds a line's beginning. */
static void reads(struct fixture *f, bool half, const char *expected)
{
	char room[ROOM], all[ROOM] = "";
	struct follow_bytes b;
	enum follow_got got;

	while ((got = next(f, room, 7, half, &b)) != FOLLOW_NONE)
		if (got == FOLLOW_BYTES)
			strncat(all, room, b.n);
	assert_string_equal(all, expected);
}

static void again(struct fixture *f, bool half, enum follow_why why)
{
	char room[ROOM];
	struct follow_bytes b;

	assert_int_equal(next(f, room, ROOM, half, &b), FOLLOW_AGAIN);
	assert_int_equal(b.why, why);
}

static void grows(void **state)
{
	struct fixture *f = *state;

	begin(f, NULL, true);
	reads(f, false, "");
	put_file(f, "one\n");
	again(f, false, FOLLOW_FIRST);
	reads(f, false, "one\n");
	put_file(f, "tw");
	reads(f, false, "tw");
	put_file(f, "o\n");
	reads(f, true, "o\n");
	begin(f, NULL, false);
	put_file(f, "three\n");
	reads(f, false, "three\n");
}

/* The writer goes on in the renamed file until it opens the new one. */
static void renamed_and_made(void **state)
{
	struct fixture *f = *state;
	int old = writer_open(f);

	put(f, old, "one\n");
	begin(f, NULL, true);
	reads(f, false, "one\n");
	away(f, ".1");
	put(f, old, "two\n");
	reads(f, false, "two\n");
	put_file(f, "");
	put(f, old, "three\n");
	reads(f, false, "three\n");
	put(f, old, "four\n");
	put_file(f, "five\n");
	reads(f, false, "four\nfive\n");
	(void)close(old);
}

/* Of an empty new file nobody can tell when the writer comes. */
static void quiet(void **state)
{
	struct fixture *f = *state;
	struct follow_bytes b;
	char room[ROOM];

	put_file(f, "one\n");
	begin(f, NULL, true);
	reads(f, false, "one\n");
	away(f, ".1");
	put_file(f, "");
	assert_int_equal(next(f, room, ROOM, false, &b), FOLLOW_NONE);
	f->now.us += SECOND_US;
	assert_int_equal(next(f, room, ROOM, false, &b), FOLLOW_NONE);
	f->now.us += 2 * SECOND_US;
	again(f, false, FOLLOW_ROTATED);
}

static void half_a_line_in_the_old_file(void **state)
{
	struct fixture *f = *state;
	int old = writer_open(f);

	put(f, old, "one\ntw");
	begin(f, NULL, true);
	reads(f, false, "one\ntw");
	away(f, ".1");
	put_file(f, "three\n");
	reads(f, true, "");
	put(f, old, "o\n");
	reads(f, true, "o\n");
	again(f, false, FOLLOW_ROTATED);
	reads(f, false, "three\n");
	(void)close(old);
}

static void half_a_line_that_never_ends(void **state)
{
	struct fixture *f = *state;

	put_file(f, "one\ntw");
	begin(f, NULL, true);
	reads(f, false, "one\ntw");
	away(f, ".1");
	put_file(f, "three\n");
	reads(f, true, "");
	f->now.us += 3 * SECOND_US;
	again(f, true, FOLLOW_ROTATED);
	reads(f, false, "three\n");
}

static void cut(void **state)
{
	struct fixture *f = *state;

	put_file(f, "one\ntwo\n");
	begin(f, NULL, true);
	reads(f, false, "one\ntwo\n");
	assert_int_equal(truncate(f->path, 0), 0);
	put_file(f, "3\n");
	again(f, false, FOLLOW_CUT);
	reads(f, false, "3\n");
	/* cut, and longer than before when it is looked at */
	assert_int_equal(truncate(f->path, 0), 0);
	put_file(f, "four\nfive\nsix\n");
	again(f, false, FOLLOW_CUT);
	reads(f, false, "four\nfive\nsix\n");
	/* in the middle of a line */
	assert_int_equal(truncate(f->path, 7), 0);
	again(f, false, FOLLOW_CUT);
	reads(f, false, "four\nfi");
}

static struct follow_at where(struct fixture *f, size_t kept)
{
	struct follow_at at;

	assert_true(follow_where(f->f, kept, &at));
	return at;
}

static void goes_on(void **state)
{
	struct fixture *f = *state;
	struct follow_at at;

	put_file(f, "one\ntw");
	begin(f, NULL, true);
	reads(f, false, "one\ntw");
	at = where(f, 2);
	put_file(f, "o\nthree\n");
	begin(f, &at, false);
	assert_false(follow_lost(f->f));
	reads(f, false, "two\nthree\n");
	/* rotated twice meanwhile */
	at = where(f, 0);
	put_file(f, "four\n");
	away(f, ".2");
	put_file(f, "five\n");
	away(f, ".1");
	put_file(f, "six\n");
	begin(f, &at, false);
	assert_false(follow_lost(f->f));
	reads(f, false, "four\nfive\nsix\n");
}

static void gone(void **state)
{
	struct fixture *f = *state;
	struct follow_at at;

	put_file(f, "one\n");
	begin(f, NULL, true);
	reads(f, false, "one\n");
	at = where(f, 0);
	assert_int_equal(unlink(f->path), 0);
	put_file(f, "two!\nthree\n");
	begin(f, &at, false);
	assert_true(follow_lost(f->f));
	reads(f, false, "two!\nthree\n");
	/* the same inode with other bytes, as after a number was used again */
	at = where(f, 0);
	assert_int_equal(truncate(f->path, 0), 0);
	put_file(f, "four\nfive\nsix\nseven\n");
	begin(f, &at, false);
	assert_true(follow_lost(f->f));
	reads(f, false, "four\nfive\nsix\nseven\n");
}

/* Compressed ones, and other logs with names like this one's, are left alone. */
static void others(void **state)
{
	struct fixture *f = *state;

	put_file(f, "one\n");
	begin(f, NULL, true);
	reads(f, false, "one\n");
	put_file(f, "two\n");
	away(f, ".1.gz");
	put_file(f, "x\n");
	away(f, "x");
	put_file(f, "three\n");
	reads(f, false, "two\nthree\n");
}

static void no_file(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"/dev/zero", "/tmp", "/dev/null"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(follow_open(&f->f, &f->w, bad[i], NULL, true, false, &f->e), STATUS_BAD);
		assert_non_null(strstr(f->e.text, "is no regular file"));
		assert_null(f->f);
	}
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(follow_open(&f->f, &f->w, f->path, NULL, true, false, &f->e), STATUS_BAD);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(follow_open(&f->f, &f->w, f->path, NULL, true, true, &f->e), STATUS_BAD);
	assert_non_null(strstr(f->e.text, "no such file"));
}

/* ---- at random ---- */

#define STORY 65536

struct story {
	char written[STORY], got[STORY];
	size_t n_written, n_got, half;
	int fd;
	unsigned rotated;
};

static void story_put(struct fixture *f, struct story *s, size_t n)
{
	char text[40];

	for (size_t i = 0; i < n; i++)
		text[i] = "abcdefghijklmnopqrstuvwxyz0123456789\n\n"[(unsigned)kit_rnd(38)];
	put_n(f, s->fd, text, n);
	memcpy(s->written + s->n_written, text, n);
	s->n_written += n;
}

static void story_rotate(struct fixture *f, struct story *s)
{
	char suffix[16];
	int old = s->fd;

	(void)snprintf(suffix, sizeof(suffix), ".%u", 1000 - s->rotated++);
	away(f, suffix);
	if ((unsigned)kit_rnd(2))
		story_put(f, s, 1 + (unsigned)kit_rnd(30));
	put_n(f, s->fd, "\n", 1); /* a writer ends its line before it opens another file */
	s->written[s->n_written++] = '\n';
	s->fd = writer_open(f);
	(void)close(old);
}

static void story_read(struct fixture *f, struct story *s)
{
	struct follow_bytes b;
	enum follow_got got = next(f, s->got + s->n_got, 1 + (unsigned)kit_rnd(50), s->half > 0, &b);

	if (got == FOLLOW_AGAIN)
		assert_int_equal(s->half, 0);
	s->n_got += b.n;
	s->half = 0;
	while (s->half < s->n_got && s->got[s->n_got - 1 - s->half] != '\n')
		s->half++;
}

/* The reader ends and another one goes on at the line that was not complete. */
static void story_restart(struct fixture *f, struct story *s)
{
	struct follow_at at;

	if (!follow_where(f->f, s->half, &at))
		return;
	begin(f, &at, false);
	assert_false(follow_lost(f->f));
	s->n_got -= s->half;
	s->half = 0;
}

static void one_story(struct fixture *f)
{
	static struct story s;

	s = (struct story){.fd = writer_open(f)};
	begin(f, NULL, true);
	for (int i = 0; i < 400; i++) {
		unsigned what = (unsigned)kit_rnd(100);
		if (what < 40)
			story_put(f, &s, 1 + (unsigned)kit_rnd(39));
		else if (what < 45)
			story_rotate(f, &s);
		else if (what < 50)
			story_restart(f, &s);
		else
			story_read(f, &s);
	}
	put_n(f, s.fd, "\n", 1);
	s.written[s.n_written++] = '\n';
	for (int i = 0; i < 4000 && s.n_got < s.n_written; i++) {
		f->now.us += SECOND_US;
		story_read(f, &s);
	}
	(void)close(s.fd);
	assert_int_equal(s.n_got, s.n_written);
	assert_memory_equal(s.got, s.written, s.n_written);
}

static void at_random(void **state)
{
	kit_seed("follow");
	for (int i = 0; i < 40; i++) {
		void *again_state;
		one_story(*state);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(&again_state), 0);
		*state = again_state;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(grows), TEST(renamed_and_made), TEST(quiet),
		TEST(half_a_line_in_the_old_file), TEST(half_a_line_that_never_ends), TEST(cut),
		TEST(goes_on), TEST(gone), TEST(others), TEST(no_file), TEST(at_random)};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
