/* A file's own bytes: mapped where it can be, else read as they are asked for and kept as long as they are
 * wanted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map/input_in.h"

#define READ_SIZE ((size_t)256 << 10)
#define FREE_SIZE ((uint64_t)16 << 20) /* of a mapped file, given back at a time: a multiple of any page */

static enum status cannot_open(const struct window *w, struct err *e)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG)
		return err_set(e, STATUS_BAD, "%s: no such file", w->name);
	return err_errno(e, "cannot open %s", w->name);
}

/* A file that cannot be mapped (of /proc, of some file systems) is read like a pipe. */
static void window_map(struct window *w, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_size <= 0 || lseek(w->fd, 0, SEEK_CUR) != 0)
		return;
	w->total = (uint64_t)st->st_size;
	void *p = mmap(NULL, (size_t)w->total, PROT_READ, MAP_PRIVATE, w->fd, 0);
	if (p == MAP_FAILED)
		return;
	(void)madvise(p, (size_t)w->total, MADV_SEQUENTIAL);
	w->p = p;
	w->n = (size_t)w->total;
	w->mapped = w->end = true;
}

enum status window_open(struct window *w, const char *path, struct err *e)
{
	struct stat st;
	bool is_stdin = strcmp(path, "-") == 0;

	*w = (struct window){.fd = STDIN_FILENO};
	(void)printable(w->name, sizeof(w->name), is_stdin ? "standard input" : path);
	if (!is_stdin)
		w->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		return cannot_open(w, e);
	if (fstat(w->fd, &st) != 0)
		return err_errno(e, "cannot read %s", w->name);
	if (S_ISDIR(st.st_mode))
		return err_set(e, STATUS_BAD, "%s: a directory", w->name);
	window_map(w, &st);
	return STATUS_OK;
}

/* What mmap() gave is const only for the readers. */
static uint8_t *window_bytes(const struct window *w)
{
	union {
		const uint8_t *p;
		uint8_t *q;
	} u = {.p = w->p};

	return u.q;
}

static bool window_room(struct window *w)
{
	if (w->cap - w->n >= READ_SIZE)
		return true;
	size_t cap = (w->n + READ_SIZE) * 2;
	uint8_t *buf = realloc(w->buf, cap);
	if (!buf)
		return false;
	w->p = w->buf = buf;
	w->cap = cap;
	return true;
}

enum status window_more(struct window *w, struct err *e)
{
	ssize_t n;

	if (w->end)
		return STATUS_OK;
	if (!window_room(w))
		return err_nomem(e);
	do
		n = read(w->fd, w->buf + w->n, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "cannot read %s", w->name);
	w->n += (size_t)n;
	w->end = n == 0;
	return STATUS_OK;
}

enum status window_until(struct window *w, uint64_t until, struct err *e)
{
	enum status st = STATUS_OK;

	while (st == STATUS_OK && !w->end && w->at + w->n < until)
		st = window_more(w, e);
	return st;
}

/* The pages of what is through count as this process's memory, and a table is as large as all of it. */
static void window_free(struct window *w, uint64_t from)
{
	if (from - w->freed < FREE_SIZE)
		return;
	uint64_t n = (from - w->freed) / FREE_SIZE * FREE_SIZE;
	(void)madvise(window_bytes(w) + w->freed, (size_t)n, MADV_DONTNEED);
	w->freed += n;
}

void window_keep(struct window *w, uint64_t from)
{
	if (w->mapped)
		window_free(w, from);
	if (w->mapped || from <= w->at)
		return;
	size_t dead = from - w->at < w->n ? (size_t)(from - w->at) : w->n;
	if (dead < w->n - dead) /* moving what is left must not cost more than reading did */
		return;
	memmove(w->buf, w->buf + dead, w->n - dead);
	w->n -= dead;
	w->at += dead;
}

void window_close(struct window *w)
{
	if (w->mapped)
		(void)munmap(window_bytes(w), (size_t)w->total);
	free(w->buf);
	if (w->fd > STDIN_FILENO)
		(void)close(w->fd);
}
