/* Files of the ledger and its keys: see files.h.  What changes something goes through the world, so that a
 * test can fail or kill each step; reading does not. */
#include "ledger/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum status path_of(char to[PATH_MAX], struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(to, PATH_MAX, fmt, ap);
	va_end(ap);
	return n >= 0 && n < PATH_MAX ? STATUS_OK
				      : err_set(e, STATUS_BAD, "%.200s...: the name is too long", to);
}

static enum status read_all(struct buf *to, int fd, const char *path, size_t max, struct err *e)
{
	uint8_t part[16384];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "%s", path);
		total += (size_t)n;
		if (total > max)
			return err_set(e, STATUS_BAD, "%s: longer than %zu bytes", path, max);
		buf_put(to, part, (size_t)n);
	}
	return to->failed ? err_nomem(e) : STATUS_OK;
}

enum status file_read(struct buf *to, const char *path, size_t max, struct err *e)
{
	struct stat st;
	enum status s;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */

	if (fd < 0) {
		bool absent = errno == ENOENT;
		(void)err_errno(e, "%s", path);
		return absent ? STATUS_NO : STATUS_MACHINE;
	}
	if (fstat(fd, &st) != 0)
		s = err_errno(e, "%s", path);
	else if (!S_ISREG(st.st_mode))
		s = err_set(e, STATUS_BAD, "%s: not a file", path);
	else
		s = read_all(to, fd, path, max, e);
	(void)close(fd);
	return s;
}

enum status file_read_at(int fd, void *to, size_t n, uint64_t at, const char *path, struct err *e)
{
	uint8_t *p = to;

	while (n > 0) {
		ssize_t k = pread(fd, p, n, (off_t)at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "%s", path);
		if (k == 0)
			return err_set(e, STATUS_BAD, "%s: ends at offset %llu, %zu bytes are missing", path,
				(unsigned long long)at, n);
		p += k;
		n -= (size_t)k;
		at += (uint64_t)k;
	}
	return STATUS_OK;
}

enum status file_same(int fd, const void *p, size_t n, uint64_t at, const char *path, struct err *e)
{
	uint8_t part[16384];
	enum status s = STATUS_OK;

	for (size_t done = 0; done < n && s == STATUS_OK; done += sizeof(part)) {
		size_t k = n - done < sizeof(part) ? n - done : sizeof(part);
		s = file_read_at(fd, part, k, at + done, path, e);
		if (s == STATUS_OK && memcmp(part, (const uint8_t *)p + done, k) != 0)
			s = err_set(
				e, STATUS_MACHINE, "%s: what was read back is not what was written", path);
	}
	explicit_bzero(part, sizeof(part)); /* it may have been a key */
	return s;
}

/* A left-over of a crash may have another mode: tmp is made anew. */
static enum status written(
	const struct world *w, const char *tmp, mode_t mode, const void *p, size_t n, struct err *e)
{
	enum status s = STATUS_OK;

	if (w->unlink(w->self, tmp) != 0 && errno != ENOENT)
		return err_errno(e, "%s", tmp);
	int fd = w->open(w->self, tmp, O_RDWR | O_CREAT | O_EXCL, mode);
	if (fd < 0)
		return err_errno(e, "%s", tmp);
	if (world_write_all(w, fd, p, n) != 0 || w->fsync(w->self, fd) != 0)
		s = err_errno(e, "%s", tmp);
	if (s == STATUS_OK)
		s = file_same(fd, p, n, 0, tmp, e);
	if (w->close(w->self, fd) != 0 && s == STATUS_OK)
		s = err_errno(e, "%s", tmp);
	return s;
}

enum status file_replace(
	const struct world *w, const char *path, mode_t mode, const void *p, size_t n, struct err *e)
{
	char tmp[PATH_MAX];
	enum status s = path_of(tmp, e, "%s.tmp", path);

	if (s == STATUS_OK)
		s = written(w, tmp, mode, p, n, e);
	if (s == STATUS_OK && (w->rename(w->self, tmp, path) != 0 || world_sync_dir(w, path) != 0))
		s = err_errno(e, "%s", path);
	return s;
}

enum status dir_make(const struct world *w, const char *path, mode_t mode, struct err *e)
{
	if (w->mkdir(w->self, path, mode) == 0)
		return world_sync_dir(w, path) == 0 ? STATUS_OK : err_errno(e, "%s", path);
	return errno == EEXIST ? STATUS_OK : err_errno(e, "%s", path);
}
