/* Following a file, as tail -F does, without losing or doubling a line.
 *
 * In comes a path, out come bytes in order.  Sensors' logs are rotated in two manners (logrotate(8)):
 * renamed, with a new file under the old name, while the writer may go on in the renamed one for a while; or
 * copied and cut to nothing.  So the open file is read to its end before its successor is begun, a line that
 * has begun is waited for, and of a file that is shorter than it was, or has other bytes where we stood, we
 * begin anew.
 *
 * inotify(7) tells when to look; whoever has none, or a file system that tells nothing, looks now and then.
 * Nothing in here looks at what the bytes say. */
#include "case/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define HALF_WAIT_US  (2 * SECOND_US) /* for the rest of a line in a file that was rotated away */
#define QUIET_WAIT_US (2 * SECOND_US) /* for a writer that has not seen yet that its file was renamed */

struct follow {
	const struct world *w;
	char *path, *dir; /* dir: of path, "." for none */
	const char *name; /* in path */
	int fd;           /* -1: none open */
	int notify, watch_dir, watch_file;
	uint64_t inode, offset;
	struct timespec changed;     /* mtime of the open file when it was looked at last */
	uint8_t tail[FOLLOW_BEFORE]; /* the bytes before the offset */
	size_t n_tail;
	bool lost;    /* what an earlier process read last is gone */
	bool start;   /* a file that is found is read from its first byte */
	bool waiting; /* a successor is there since: */
	struct mono since;
};

/* ---- the bytes before the offset ---- */

static void tail_put(struct follow *f, const uint8_t *p, size_t n)
{
	size_t keep;

	if (n >= FOLLOW_BEFORE) {
		memcpy(f->tail, p + n - FOLLOW_BEFORE, FOLLOW_BEFORE);
		f->n_tail = FOLLOW_BEFORE;
		return;
	}
	keep = f->n_tail < FOLLOW_BEFORE - n ? f->n_tail : FOLLOW_BEFORE - n;
	memmove(f->tail, f->tail + f->n_tail - keep, keep);
	memcpy(f->tail + keep, p, n);
	f->n_tail = keep + n;
}

/* Reads the bytes before an offset; false where they are not there. */
static bool before_read(int fd, uint64_t offset, uint8_t to[FOLLOW_BEFORE], size_t *n)
{
	size_t want = offset < FOLLOW_BEFORE ? (size_t)offset : FOLLOW_BEFORE;
	ssize_t got;

	*n = want;
	if (offset > INT64_MAX)
		return false;
	do
		got = pread(fd, to, want, (off_t)(offset - want));
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)want;
}

/* Does the open file still hold what was read of it? */
static bool tail_holds(const struct follow *f)
{
	uint8_t now[FOLLOW_BEFORE];
	size_t n;

	return before_read(f->fd, f->offset, now, &n) && n >= f->n_tail &&
	       memcmp(now + n - f->n_tail, f->tail, f->n_tail) == 0;
}

bool follow_where(const struct follow *f, size_t kept, struct follow_at *to)
{
	uint8_t before[FOLLOW_BEFORE];
	size_t n;

	if (f->fd < 0 || kept > f->offset)
		return false;
	*to = (struct follow_at){.inode = f->inode, .offset = f->offset - kept};
	if (!before_read(f->fd, to->offset, before, &n))
		return false;
	to->before = crc32c(before, n);
	return true;
}

/* ---- opening ---- */

static void file_close(struct follow *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->notify >= 0 && f->watch_file >= 0)
		(void)inotify_rm_watch(f->notify, f->watch_file);
	f->fd = f->watch_file = -1;
	f->waiting = false;
}

/* By its descriptor, so that no other file is meant that has the name by now. */
static void file_watch(struct follow *f)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	if (f->notify >= 0)
		f->watch_file = inotify_add_watch(f->notify, self, IN_MODIFY);
}

/* STATUS_NO: no such file.  A device or a pipe is not waited for, nor read without an end. */
static enum status file_open(
	const struct follow *f, const char *path, int *fd, struct stat *st, struct err *e)
{
	char text[PATH_MAX];

	*fd = f->w->open(f->w->self, path, O_RDONLY | O_NOCTTY, 0);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, STATUS_NO, "%s: no such file", printable(text, sizeof(text), path));
	if (*fd < 0)
		return err_errno(e, "%s", printable(text, sizeof(text), path));
	if (fstat(*fd, st) == 0 && S_ISREG(st->st_mode))
		return STATUS_OK;
	(void)close(*fd);
	*fd = -1;
	return err_set(e, STATUS_BAD, "%s: is no regular file: only a file that grows can be followed",
		printable(text, sizeof(text), path));
}

/* Makes fd the open file, read from its first byte. */
static void file_take(struct follow *f, int fd, const struct stat *st)
{
	file_close(f);
	f->fd = fd;
	f->inode = (uint64_t)st->st_ino;
	f->changed = st->st_mtim;
	f->offset = 0;
	f->n_tail = 0;
	file_watch(f);
}

/* From `at` in the open file; false where that is not what was read. */
static bool file_resume(struct follow *f, const struct follow_at *at)
{
	uint8_t before[FOLLOW_BEFORE];
	size_t n;

	if (!before_read(f->fd, at->offset, before, &n) || crc32c(before, n) != at->before)
		return false;
	f->offset = at->offset;
	f->n_tail = 0;
	tail_put(f, before, n);
	return true;
}

/* ---- finding a file that was rotated away ---- */

/* Is it the path's name, and behind it a dot or dash and figures, as in eve.json.1 and eve.json-20261122? */
static bool rotated_name(const struct follow *f, const char *name)
{
	size_t n = strlen(f->name);

	return strncmp(name, f->name, n) == 0 && (name[n] == '.' || name[n] == '-') && name[n + 1] != '\0' &&
	       strspn(name + n + 1, "0123456789.-_T") == strlen(name + n + 1);
}

static bool newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* What is looked for among the rotated files: the one with an inode, or the first one after a time. */
struct wanted {
	uint64_t inode; /* 0: by time */
	struct timespec after;
	struct stat st; /* of what was found */
	int fd;
};

static void wanted_try(const struct follow *f, const char *name, struct wanted *to)
{
	char path[PATH_MAX];
	struct stat st;
	struct err e;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", f->dir, name) >= (int)sizeof(path) ||
		file_open(f, path, &fd, &st, &e) != STATUS_OK)
		return;
	bool good = to->inode ? (uint64_t)st.st_ino == to->inode
			      : newer(&st.st_mtim, &to->after) && (uint64_t)st.st_ino != f->inode &&
					(to->fd < 0 || newer(&to->st.st_mtim, &st.st_mtim));
	if (!good) {
		(void)close(fd);
		return;
	}
	if (to->fd >= 0)
		(void)close(to->fd);
	to->fd = fd;
	to->st = st;
}

static void wanted_find(const struct follow *f, struct wanted *to)
{
	DIR *d = opendir(f->dir);
	struct dirent *en;

	to->fd = -1;
	while (d && (en = readdir(d)) != NULL)
		if (rotated_name(f, en->d_name))
			wanted_try(f, en->d_name, to);
	if (d)
		(void)closedir(d);
}

/* ---- beginning ---- */

/* Goes on where an earlier process stopped, in the file that has the name or in one that had it. */
static bool resume(struct follow *f, const struct follow_at *at)
{
	struct wanted old = {.inode = at->inode};

	if (f->fd >= 0 && f->inode == at->inode && file_resume(f, at))
		return true;
	wanted_find(f, &old);
	if (old.fd < 0)
		return false;
	file_take(f, old.fd, &old.st);
	return file_resume(f, at);
}

/* Opens what has the name now.  STATUS_NO: nothing has. */
static enum status begin(struct follow *f, struct err *e)
{
	struct stat st;
	int fd;
	enum status s = file_open(f, f->path, &fd, &st, e);

	if (s == STATUS_OK)
		file_take(f, fd, &st);
	return s;
}

static enum status begin_at(struct follow *f, const struct follow_at *from, bool there, struct err *e)
{
	enum status s = begin(f, e);

	if (s == STATUS_NO && there)
		s = e->status = STATUS_BAD;
	if (s > STATUS_NO)
		return s;
	if (from && resume(f, from))
		return STATUS_OK;
	if (from) { /* that file is gone, and what else there is is new */
		f->lost = f->start = true;
		file_close(f);
		s = begin(f, e);
	}
	if (s == STATUS_OK && !f->start) {
		struct stat st;
		if (fstat(f->fd, &st) != 0)
			return err_errno(e, "%s", f->path);
		f->offset = (uint64_t)st.st_size;
		(void)before_read(f->fd, f->offset, f->tail, &f->n_tail);
	}
	f->start = true;
	return s == STATUS_NO ? STATUS_OK : s;
}

static enum status names_make(struct follow *f, const char *path, struct err *e)
{
	const char *slash;

	f->path = strdup(path);
	slash = f->path ? strrchr(f->path, '/') : NULL;
	f->dir = slash ? strndup(path, slash == f->path ? 1 : (size_t)(slash - f->path)) : strdup(".");
	f->name = slash ? slash + 1 : f->path;
	return f->path && f->dir ? STATUS_OK : err_nomem(e);
}

enum status follow_open(struct follow **to, const struct world *w, const char *path,
	const struct follow_at *from, bool start, bool there, struct err *e)
{
	struct follow *f = calloc(1, sizeof(*f));
	enum status s;

	*to = f;
	if (!f)
		return err_nomem(e);
	*f = (struct follow){.w = w, .fd = -1, .watch_file = -1, .start = start};
	f->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	s = names_make(f, path, e);
	if (s == STATUS_OK && f->notify >= 0)
		f->watch_dir = inotify_add_watch(
			f->notify, f->dir, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR);
	if (s == STATUS_OK)
		s = begin_at(f, from, there, e);
	if (s != STATUS_OK) {
		follow_close(f);
		*to = NULL;
	}
	return s;
}

bool follow_lost(const struct follow *f)
{
	return f->lost;
}

void follow_close(struct follow *f)
{
	if (!f)
		return;
	file_close(f);
	if (f->notify >= 0)
		(void)close(f->notify);
	free(f->path);
	free(f->dir);
	free(f);
}

/* ---- reading ---- */

static enum status bytes_read(struct follow *f, uint8_t *to, size_t max, size_t *n, struct err *e)
{
	char text[PATH_MAX];
	ssize_t got;

	do
		got = pread(f->fd, to, max, (off_t)f->offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(e, "%s", printable(text, sizeof(text), f->path));
	*n = (size_t)got;
	f->offset += *n;
	tail_put(f, to, *n);
	return STATUS_OK;
}

/* Was the open file cut, or cut and written again? */
static bool was_cut(struct follow *f)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0)
		return false;
	f->changed = st.st_mtim;
	return (uint64_t)st.st_size < f->offset || !tail_holds(f);
}

static void from_start(struct follow *f)
{
	f->offset = 0;
	f->n_tail = 0;
}

/* Has the name gone to another file? */
static bool renamed(const struct follow *f, struct stat *now)
{
	return stat(f->path, now) == 0 && (uint64_t)now->st_ino != f->inode;
}

/* The writer may still be at the old file: its successor is begun when it has something itself and no line
 * here is half, or when nothing came for a while. */
static bool patience_ends(struct follow *f, const struct stat *next, bool half, bool last)
{
	struct mono now = f->w->mono(f->w->self);

	if (!f->waiting) {
		f->waiting = true;
		f->since = now;
	}
	if (last || (next->st_size > 0 && !half))
		return true;
	return now.us - f->since.us >= (half ? HALF_WAIT_US : QUIET_WAIT_US);
}

/* On to the next file: one that was rotated away meanwhile, too, or the one that has the name. */
static enum status go_on(struct follow *f, struct follow_bytes *b, enum follow_got *got, struct err *e)
{
	struct wanted next = {.after = f->changed};
	enum status s = STATUS_OK;

	wanted_find(f, &next);
	if (next.fd >= 0)
		file_take(f, next.fd, &next.st);
	else
		s = begin(f, e);
	if (s == STATUS_NO)
		return STATUS_OK; /* the name is gone again */
	b->why = FOLLOW_ROTATED;
	*got = FOLLOW_AGAIN;
	return s;
}

/* At the end of the open file, or there is none: what comes next?  *over: the open file is done with. */
static enum status at_end(struct follow *f, bool half, bool last, bool *over, enum follow_got *got,
	struct follow_bytes *b, struct err *e)
{
	struct stat next;
	enum status s;

	if (f->fd < 0) {
		s = begin(f, e);
		b->why = FOLLOW_FIRST;
		*got = s == STATUS_OK ? FOLLOW_AGAIN : FOLLOW_NONE;
		return s == STATUS_NO ? STATUS_OK : s;
	}
	if (was_cut(f)) {
		from_start(f);
		b->why = FOLLOW_CUT;
		*got = FOLLOW_AGAIN;
		return STATUS_OK;
	}
	*over = renamed(f, &next) && patience_ends(f, &next, half, last);
	return STATUS_OK;
}

enum status follow_read(struct follow *f, void *to, size_t max, bool half, bool last, enum follow_got *got,
	struct follow_bytes *b, struct err *e)
{
	enum status s = STATUS_OK;
	bool over = false;

	*b = (struct follow_bytes){0};
	*got = FOLLOW_NONE;
	/* a file that was cut and has grown beyond where we stood would go on in the middle of nothing */
	if (f->fd >= 0 && tail_holds(f))
		s = bytes_read(f, to, max, &b->n, e);
	if (s == STATUS_OK && b->n == 0)
		s = at_end(f, half, last, &over, got, b, e);
	/* what was written before the successor was seen, and after the end was */
	if (s == STATUS_OK && over)
		s = bytes_read(f, to, max, &b->n, e);
	if (s == STATUS_OK && b->n > 0)
		*got = FOLLOW_BYTES;
	else if (s == STATUS_OK && over)
		s = go_on(f, b, got, e);
	return s;
}

/* ---- when to look ---- */

int follow_fd(const struct follow *f)
{
	return f->notify;
}

void follow_heard(struct follow *f)
{
	uint8_t events[4096];

	while (f->notify >= 0 && read(f->notify, events, sizeof(events)) > 0)
		;
}
