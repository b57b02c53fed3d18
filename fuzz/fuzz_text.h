/* Any bytes as a text table: whole and in pieces the same counts; the sheet that is made of them opens, and
 * its own view takes it.  Sheets are written to memory. */
#ifndef WEIR_FUZZ_TEXT_H
#define WEIR_FUZZ_TEXT_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "map/text_in.h"

struct fuzz_memory {
	int fd; /* of the sheet; stays open when it is finished */
};

static int fuzz_open(void *self, const char *path, int flags, mode_t mode)
{
	struct fuzz_memory *m = self;

	(void)path;
	(void)mode;
	if ((flags & O_ACCMODE) == O_RDONLY)
		return open("/", O_RDONLY | O_DIRECTORY);
	m->fd = memfd_create("sheet", MFD_CLOEXEC);
	return m->fd < 0 ? -1 : dup(m->fd);
}

static ssize_t fuzz_write(void *self, int fd, const void *p, size_t n)
{
	(void)self;
	return write(fd, p, n);
}

static int fuzz_fsync(void *self, int fd)
{
	(void)self;
	(void)fd;
	return 0;
}

static int fuzz_rename(void *self, const char *from, const char *to)
{
	(void)self;
	(void)from;
	(void)to;
	return 0;
}

static int fuzz_unlink(void *self, const char *path)
{
	(void)self;
	(void)path;
	return 0;
}

static int fuzz_close(void *self, int fd)
{
	(void)self;
	return close(fd);
}

/* All of it, or in pieces of `piece` bytes. */
static void fuzz_feed(struct text_reader *t, const uint8_t *p, size_t n, size_t piece)
{
	size_t at = 0, give = piece < n ? piece : n, taken;

	for (;;) {
		bool last = at + give == n;
		if (!text_feed(t, p + at, give, last, &taken))
			abort();
		if (last)
			return;
		at += taken;
		give = taken ? (piece < n - at ? piece : n - at) : (2 * give < n - at ? 2 * give : n - at);
	}
}

/* What view and checks make of a sheet; aborts where they find fault. */
typedef void fuzz_view(const struct sheet *s, const struct text_counts *c);

static void fuzz_sheet(int fd, fuzz_view *view, const struct text_counts *c)
{
	off_t n = lseek(fd, 0, SEEK_END);
	struct sheet s;
	struct err e;
	void *map = n > 0 ? mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;

	if (map == MAP_FAILED || sheet_of(&s, map, (size_t)n, &e) != STATUS_OK ||
		sheet_check(&s, &e) != STATUS_OK)
		abort();
	view(&s, c);
	(void)munmap(map, (size_t)n);
}

static int fuzz_text(enum text_kind k, fuzz_view *view, const uint8_t *p, size_t n)
{
	struct fuzz_memory m = {.fd = -1};
	struct world w = world_real;
	struct text_reader *whole = text_new(k), *parts = text_new(k);
	struct text_counts c;
	struct err e;

	w.self = &m;
	w.open = fuzz_open;
	w.write = fuzz_write;
	w.fsync = fuzz_fsync;
	w.rename = fuzz_rename;
	w.unlink = fuzz_unlink;
	w.close = fuzz_close;
	if (!whole || !parts)
		abort();
	(void)text_looks(p, n);
	fuzz_feed(whole, p, n, n);
	fuzz_feed(parts, p, n, n ? 1 + p[0] % 16 : 1);
	if (memcmp(text_counted(whole), text_counted(parts), sizeof(c)) != 0)
		abort();
	struct sheet_out *o = sheet_begin(&w, "/sheet", text_sheet(k), &e);
	if (!o)
		abort();
	enum status st = text_finish(whole, o, &c, &e);
	if (st == STATUS_MACHINE || c.bad + c.kept + c.nobodys > c.line)
		abort();
	if (st != STATUS_OK)
		sheet_drop(o);
	else if (sheet_finish(o, &e) != STATUS_OK)
		abort();
	else
		fuzz_sheet(m.fd, view, &c);
	(void)close(m.fd);
	text_free(whole);
	text_free(parts);
	return 0;
}

#endif
