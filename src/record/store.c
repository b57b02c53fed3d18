/* The directory of a recording: DIR/FORMAT with the version, DIR/trains with the segments.  Prepared here,
 * listed here; what stands in a segment is segment_write.c's and segment_read.c's.  See
 * doc/record-format.md, "Directory". */
#include "record/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "record/segment.h"

#define FORMAT_TEXT "weir trains "

enum status store_check(const char *dir, struct err *e)
{
	char path[PATH_MAX], text[64] = {0};
	char *end;

	if (snprintf(path, sizeof(path), "%s/FORMAT", dir) >= (int)sizeof(path))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
	if (fd < 0 && errno == ENOENT)
		return STATUS_NO;
	if (fd < 0)
		return err_errno(e, "%s", path);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n < 0)
		return err_errno(e, "%s", path);
	if (strncmp(text, FORMAT_TEXT, strlen(FORMAT_TEXT)) != 0)
		return err_set(
			e, STATUS_BAD, "%s: offset 0: not a data directory of weir; nothing was read", path);
	unsigned long v = strtoul(text + strlen(FORMAT_TEXT), &end, 10);
	if (v == 0 || *end != '\n')
		return err_set(e, STATUS_BAD, "%s: offset %zu: no version; nothing was read", path,
			strlen(FORMAT_TEXT));
	if (v > STORE_FORMAT)
		return err_set(e, STATUS_BAD,
			"%s: offset %zu: format %lu is of a newer weir (this one knows %d); nothing was read "
			"or written",
			path, strlen(FORMAT_TEXT), v, STORE_FORMAT);
	return STATUS_OK;
}

/* A directory that may exist, for its owner alone: it says who talked to whom.  Its parent is synced when it
 * was made. */
static enum status dir_make(const struct world *w, const char *path, struct err *e)
{
	if (w->mkdir(w->self, path, 0700) == 0)
		return world_sync_dir(w, path) == 0 ? STATUS_OK : err_errno(e, "%s", path);
	return errno == EEXIST ? STATUS_OK : err_errno(e, "%s", path);
}

/* Writes DIR/FORMAT beside and renames it, so that it is whole or not there. */
static enum status format_write(const struct world *w, const char *dir, struct err *e)
{
	char path[PATH_MAX], tmp[PATH_MAX], text[32];
	enum status s = STATUS_OK;

	if (snprintf(tmp, sizeof(tmp), "%s/FORMAT.%ld.tmp", dir, (long)getpid()) >= (int)sizeof(tmp) ||
		snprintf(path, sizeof(path), "%s/FORMAT", dir) >= (int)sizeof(path))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	int n = snprintf(text, sizeof(text), FORMAT_TEXT "%d\n", STORE_FORMAT);
	int fd = w->open(w->self, tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return err_errno(e, "%s", tmp);
	if (world_write_all(w, fd, text, (size_t)n) != 0 || w->fsync(w->self, fd) != 0)
		s = err_errno(e, "%s", tmp);
	(void)w->close(w->self, fd);
	if (s == STATUS_OK && (w->rename(w->self, tmp, path) != 0 || world_sync_dir(w, path) != 0))
		s = err_errno(e, "%s", path);
	if (s != STATUS_OK)
		(void)w->unlink(w->self, tmp);
	return s;
}

enum status store_prepare(const struct world *w, const char *dir, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/trains", dir) >= (int)sizeof(path))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	enum status s = dir_make(w, dir, e);
	if (s == STATUS_OK)
		s = store_check(dir, e);
	if (s == STATUS_NO)
		s = format_write(w, dir, e);
	return s == STATUS_OK ? dir_make(w, path, e) : s;
}

static int path_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

static enum status path_add(struct paths *to, const char *dir, const char *name, struct err *e)
{
	char *path = NULL;

	if (!grow(&to->path, &to->cap, to->n, 1, sizeof(*to->path)) ||
		asprintf(&path, "%s/%s", dir, name) < 0)
		return err_nomem(e);
	to->path[to->n++] = path;
	return STATUS_OK;
}

enum status segments_list(struct paths *to, const char *dir, const char *suffix, struct err *e)
{
	char trains[PATH_MAX];
	enum status s = STATUS_OK;
	struct dirent *d;

	if (snprintf(trains, sizeof(trains), "%s/trains", dir) >= (int)sizeof(trains))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	DIR *at = opendir(trains);
	if (!at)
		return errno == ENOENT ? STATUS_OK : err_errno(e, "%s", trains);
	errno = 0;
	while (s == STATUS_OK && (d = readdir(at)) != NULL) {
		if (ends_with(d->d_name, suffix))
			s = path_add(to, trains, d->d_name, e);
		errno = 0;
	}
	if (s == STATUS_OK && errno != 0)
		s = err_errno(e, "%s", trains);
	(void)closedir(at);
	if (to->n > 1)
		qsort(to->path, to->n, sizeof(*to->path), path_order);
	return s;
}

void paths_free(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->path[i]);
	free(p->path);
	*p = (struct paths){0};
}

/* First and last time of one segment. */
static enum status segment_times(struct store_stat *to, struct segment *s, struct err *e)
{
	struct block_head h;
	enum status st = STATUS_OK;

	if (s->closed)
		h = (struct block_head){.first_us = s->first_us, .last_us = s->last_us};
	else
		st = segment_next(s, &h, e);
	while (st == STATUS_OK) {
		to->span.from_us = h.first_us < to->span.from_us ? h.first_us : to->span.from_us;
		to->span.to_us = h.last_us > to->span.to_us ? h.last_us : to->span.to_us;
		st = s->closed ? STATUS_NO : segment_next(s, &h, e);
	}
	return st == STATUS_NO ? STATUS_OK : st;
}

enum status store_stat_read(struct store_stat *to, const struct world *w, const char *dir, struct err *e)
{
	struct paths p = {0};
	struct segment *s = calloc(1, sizeof(*s));
	enum status st = s ? segments_list(&p, dir, ".seg", e) : err_nomem(e);

	*to = (struct store_stat){.span = {INT64_MAX, INT64_MIN}};
	for (size_t i = 0; st == STATUS_OK && i < p.n; i++) {
		st = segment_open(s, w, p.path[i], e);
		if (st == STATUS_OK) {
			to->segments++;
			to->bytes += s->size;
			st = segment_times(to, s, e);
			segment_close(s, w);
		} else if (st == STATUS_BAD || st == STATUS_NO) {
			st = STATUS_OK;
		}
	}
	paths_free(&p);
	free(s);
	return st;
}
