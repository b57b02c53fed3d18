/* What the tests of the ledger share: random numbers with a printed seed, directories, entries that are known
 * by their index, a slow second tree (RFC 9162 section 2.1 as it is written, recursive), and the question
 * that is asked after every mishap: is all that was acknowledged there, and does every head that was ever
 * shown agree with today's? */
#ifndef LEDGER_KIT_H
#define LEDGER_KIT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "ledger/ledger_in.h"

#define KIT_NAME "example.com/test"

static struct err err; /* of the last call that failed */

/* ---- directories ---- */

/* In memory where there is such a place: what is tested is the order of steps, not the disk. */
static inline char *kit_dir(void) __attribute__((returns_nonnull));
static inline char *kit_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	if (!base)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	assert_true(asprintf(&path, "%s/weir-ledger-XXXXXX", base) > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline int kit_remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static inline void kit_empty(const char *path)
{
	(void)nftw(path, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void kit_dir_free(char *path)
{
	kit_empty(path);
	free(path);
}

/* A copy of the whole directory, in place of what stands there. */
static inline void kit_copy(const char *to, const char *from)
{
	char command[2 * PATH_MAX + 16];

	kit_empty(to);
	(void)snprintf(command, sizeof(command), "cp -a %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static inline uint8_t *kit_slurp(const char *path, size_t *n)
{
	struct buf b = {0};

	if (file_read(&b, path, SIZE_MAX / 2, &err) != STATUS_OK)
		fail_msg("%s", err.text);
	*n = b.n;
	buf_u8(&b, 0);
	return b.p;
}

static inline void kit_spill(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(close(fd), 0);
}

/* Log lines are wanted where damage is the test: they go away between these two. */
static int kit_stderr = -1;

static inline void kit_quiet(void)
{
	int null = open("/dev/null", O_WRONLY);

	(void)fflush(stderr);
	kit_stderr = dup(STDERR_FILENO);
	(void)dup2(null, STDERR_FILENO);
	(void)close(null);
}

static inline void kit_loud(void)
{
	(void)fflush(stderr);
	(void)dup2(kit_stderr, STDERR_FILENO);
	(void)close(kit_stderr);
}

/* ---- entries ---- */

#define KIT_ENTRY_MAX 420

/* Entry i is always the same text. */
static inline size_t kit_entry(char to[KIT_ENTRY_MAX], uint64_t i)
{
	int n = snprintf(to, KIT_ENTRY_MAX,
		"{\"v\":1,\"kind\":\"test\",\"id\":\"%032llx\",\"n\":%llu,\"fill\":\"",
		(unsigned long long)(i * 0x9e3779b97f4a7c15U), (unsigned long long)i);
	size_t fill = (size_t)(i * i * 2654435761U >> 7) % 300;

	memset(to + n, 'a' + (int)(i % 26), fill);
	(void)snprintf(to + n + fill, KIT_ENTRY_MAX - (size_t)n - fill, "\"}");
	return strlen(to);
}

#define ok(what)                                                                                             \
	do {                                                                                                 \
		if ((what) != STATUS_OK)                                                                     \
			fail_msg("%s: %s", #what, err.text);                                                 \
	} while (0)

static inline void kit_keys(const char *dir)
{
	ok(keys_init(&world_real, dir, KIT_NAME, &err));
}

static inline struct ledger *kit_open(const char *dir, enum ledger_mode mode)
{
	struct ledger *l;

	ok(ledger_open(&l, &world_real, dir, mode, &err));
	return l;
}

static inline void kit_close(struct ledger *l)
{
	ok(ledger_close(l, &err));
}

/* Appends the next n entries, without a commit. */
static inline enum status kit_append(struct ledger *l, uint64_t n)
{
	char text[KIT_ENTRY_MAX];
	uint64_t first = ledger_head(l)->size, index;
	enum status s = STATUS_OK;

	for (uint64_t i = first; i < first + n && s == STATUS_OK; i++) {
		s = ledger_append(l, text, kit_entry(text, i), &index, &err);
		assert_true(s != STATUS_OK || index == i);
	}
	return s;
}

static inline void kit_grow(struct ledger *l, uint64_t n)
{
	ok(kit_append(l, n));
	ok(ledger_commit(l, &err));
}

/* A ledger of n entries in a fresh directory. */
static inline char *kit_ledger(uint64_t n) __attribute__((returns_nonnull));
static inline char *kit_ledger(uint64_t n)
{
	char *dir = kit_dir();

	kit_keys(dir);
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	kit_grow(l, n);
	kit_close(l);
	return dir;
}

/* ---- the slow tree ---- */

static inline struct hash slow_root(const struct hash *leaf, uint64_t n)
{
	struct hash h;
	uint64_t k = 1;

	if (n == 0)
		assert_true(merkle_empty(&h));
	if (n <= 1)
		return n ? leaf[0] : h;
	while (2 * k < n)
		k *= 2;
	struct hash a = slow_root(leaf, k), b = slow_root(leaf + k, n - k);
	assert_true(merkle_node(&h, &a, &b));
	return h;
}

/* Leaf hashes of entries 0 to n - 1; the caller frees. */
static inline struct hash *slow_leaves(uint64_t n)
{
	char text[KIT_ENTRY_MAX];
	struct hash *leaf = calloc(n + 1, sizeof(*leaf));

	assert_non_null(leaf);
	for (uint64_t i = 0; i < n; i++)
		assert_true(merkle_leaf(&leaf[i], text, kit_entry(text, i)));
	return leaf;
}

/* ---- what was acknowledged ---- */

#define KIT_HEADS 4096

struct acked {
	uint64_t size;
	struct checkpoint head[KIT_HEADS]; /* each was shown to somebody */
	size_t n_head;
};

static inline void acked_add(struct acked *a, const struct checkpoint *c, bool shown)
{
	a->size = c->size > a->size ? c->size : a->size;
	if (shown && a->n_head < KIT_HEADS)
		a->head[a->n_head++] = *c;
}

static inline void kit_consistent(struct ledger *l, const struct checkpoint *old)
{
	const struct checkpoint *now = ledger_head(l);
	struct hash proof[MERKLE_PROOF_MAX];
	size_t n = 0;

	assert_true(old->size <= now->size);
	ok(ledger_prove_consistent(l, old->size, now->size, proof, &n, &err));
	assert_true(merkle_consistent(old->size, &old->root, now->size, &now->root, proof, n));
}

/* The entries that are there are the right ones, byte by byte, at least those that were acknowledged. */
static inline void kit_verify(const char *dir, const struct acked *a)
{
	struct ledger *l = kit_open(dir, LEDGER_SIGN);
	char text[KIT_ENTRY_MAX];
	struct buf entry = {0};
	struct ledger_report r;

	if (ledger_head(l)->size < a->size)
		fail_msg("%llu entries, but %llu were acknowledged", (unsigned long long)ledger_head(l)->size,
			(unsigned long long)a->size);
	for (uint64_t i = 0; i < ledger_head(l)->size; i++) {
		entry.n = 0;
		ok(ledger_entry(l, i, &entry, &err));
		assert_int_equal(entry.n, kit_entry(text, i));
		assert_memory_equal(entry.p, text, entry.n);
	}
	for (size_t i = 0; i < a->n_head; i++)
		kit_consistent(l, &a->head[i]);
	kit_grow(l, 3);
	kit_close(l);
	buf_free(&entry);
	ok(ledger_check(&r, &world_real, dir, false, &err));
}

#endif
