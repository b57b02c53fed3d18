/* Blobs: files named by the SHA-256 of their bytes.
 *
 * A blob is written to DIR/blobs/new under a lock, synced, and renamed to its name; so whatever has a name is
 * whole, one writer is in there at a time, and what a crash leaves is one file that the next one replaces.
 * Readers take no lock: a name's bytes do not change, and each read computes the hash again.
 *
 * Forgetting a host looks at the bytes and not at the format: a blob may be a train, a bundle of another
 * version, or damaged, and shall go in any case where the host stands in it. */
#include "case/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "case/address.h"

/* ---- names ---- */

bool blob_name(char name[BLOB_NAME], const void *p, size_t n)
{
	uint8_t h[32];

	if (!sha256(h, p, n))
		return false;
	for (size_t i = 0; i < sizeof(h); i++)
		(void)snprintf(name + 2 * i, 3, "%02x", h[i]);
	return true;
}

bool blob_name_valid(const char *name)
{
	return strlen(name) == BLOB_NAME - 1 && strspn(name, "0123456789abcdef") == BLOB_NAME - 1;
}

/* DIR/blobs, with what stands behind it. */
__attribute__((format(printf, 4, 5))) static enum status blob_path(
	char to[PATH_MAX], const char *dir, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(to, PATH_MAX, "%s/blobs", dir), k;

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	va_start(ap, fmt);
	k = vsnprintf(to + n, (size_t)(PATH_MAX - n), fmt, ap);
	va_end(ap);
	return k >= 0 && k < PATH_MAX - n ? STATUS_OK
					  : err_set(e, STATUS_BAD, "%s: the name is too long", dir);
}

/* ---- reading ---- */

/* At most BLOB_MAX bytes of an open file.  STATUS_BAD: no file, or a larger one. */
static enum status file_bytes(int fd, const char *path, struct buf *to, struct err *e)
{
	struct stat st;
	uint8_t piece[1 << 16];
	ssize_t k;
	size_t n = to->n;

	if (fstat(fd, &st) != 0)
		return err_errno(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, STATUS_BAD, "%s: is no file", path);
	while ((k = read(fd, piece, sizeof(piece))) != 0) {
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, "%s", path);
		buf_put(to, piece, (size_t)k);
		if (to->n - n > BLOB_MAX)
			return err_set(e, STATUS_BAD, "%s: is larger than %d bytes", path, BLOB_MAX);
	}
	return to->failed ? err_nomem(e) : STATUS_OK;
}

/* STATUS_NO: there is none. */
static enum status file_read(const char *path, struct buf *to, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t n = to->n;
	enum status s;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, STATUS_NO, "%s: is not there", path);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, STATUS_BAD, "%s: is a link", path);
	if (fd < 0)
		return err_errno(e, "%s", path);
	s = file_bytes(fd, path, to, e);
	(void)close(fd);
	if (s != STATUS_OK)
		to->n = n;
	return s;
}

enum status blob_read(const char *dir, const char *name, struct buf *to, struct err *e)
{
	char path[PATH_MAX], safe[80], is[BLOB_NAME];
	size_t n = to->n;
	enum status s;

	if (!blob_name_valid(name))
		return err_set(e, STATUS_BAD, "\"%s\": a blob's name has 64 hex digits, in lower case",
			printable(safe, sizeof(safe), name));
	s = blob_path(path, dir, e, "/%.2s/%s", name, name);
	if (s == STATUS_OK)
		s = file_read(path, to, e);
	if (s != STATUS_OK)
		return s;
	if (!blob_name(is, to->p + n, to->n - n))
		s = err_nomem(e);
	else if (strcmp(is, name) != 0)
		s = err_set(e, STATUS_BAD, "%s: damaged: its bytes are not those that it is named by", path);
	if (s != STATUS_OK)
		to->n = n;
	return s;
}

/* ---- writing ---- */

/* Also the name of a directory that is there is synced: who made it may have died before he did.  Not so that
 * of DIR, whose parent may be closed to us. */
static enum status directory_make(const struct world *w, const char *path, bool data, struct err *e)
{
	bool made = w->mkdir(w->self, path, 0700) == 0;

	if (!made && errno != EEXIST)
		return err_errno(e, "making %s", path);
	if ((made || !data) && world_sync_dir(w, path) != 0)
		return err_errno(e, "making %s", path);
	return STATUS_OK;
}

/* The lock on DIR/blobs, held until the file is closed; waits for who has it. */
static enum status lock_take(int *fd, const struct world *w, const char *dir, struct err *e)
{
	char path[PATH_MAX];
	int r;
	enum status s = blob_path(path, dir, e, "/lock");

	*fd = -1;
	if (s != STATUS_OK)
		return s;
	*fd = w->open(w->self, path, O_RDWR | O_CREAT, 0600);
	if (*fd < 0)
		return err_errno(e, "%s", path);
	do
		r = flock(*fd, LOCK_EX);
	while (r != 0 && errno == EINTR);
	if (r == 0)
		return STATUS_OK;
	s = err_errno(e, "%s: not locked", path);
	(void)w->close(w->self, *fd);
	return s;
}

static enum status new_write(const struct world *w, const char *path, const void *p, size_t n, struct err *e)
{
	int fd = w->open(w->self, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	enum status s = STATUS_OK;

	if (fd < 0)
		return err_errno(e, "%s", path);
	if (world_write_all(w, fd, p, n) != 0 || w->fsync(w->self, fd) != 0)
		s = err_errno(e, "writing %s", path);
	if (w->close(w->self, fd) != 0 && s == STATUS_OK)
		s = err_errno(e, "writing %s", path);
	return s;
}

/* With the lock held.  A damaged one is replaced: we have the bytes. */
static enum status named_write(
	const struct world *w, const char *dir, const void *p, size_t n, const char *name, struct err *e)
{
	char fresh[PATH_MAX], path[PATH_MAX];
	struct err none;
	struct buf there = {0};
	enum status s = blob_path(path, dir, e, "/%.2s", name);

	if (s == STATUS_OK)
		s = directory_make(w, path, false, e);
	if (s == STATUS_OK)
		s = blob_path(path, dir, e, "/%.2s/%s", name, name);
	if (s == STATUS_OK)
		s = blob_path(fresh, dir, e, "/new");
	if (s != STATUS_OK)
		return s;
	if (blob_read(dir, name, &there, &none) != STATUS_OK) {
		s = new_write(w, fresh, p, n, e);
		if (s == STATUS_OK && w->rename(w->self, fresh, path) != 0)
			s = err_errno(e, "writing %s", path);
		if (s != STATUS_OK)
			(void)w->unlink(w->self, fresh);
	}
	buf_free(&there);
	if (s == STATUS_OK && world_sync_dir(w, path) != 0)
		s = err_errno(e, "writing %s", path);
	return s;
}

enum status blob_write(
	const struct world *w, const char *dir, const void *p, size_t n, char name[BLOB_NAME], struct err *e)
{
	char path[PATH_MAX];
	int lock;
	enum status s;

	if (n > BLOB_MAX)
		return err_set(e, STATUS_BAD, "a blob of %zu bytes is larger than %d", n, BLOB_MAX);
	if (!blob_name(name, p, n))
		return err_nomem(e);
	s = directory_make(w, dir, true, e);
	if (s == STATUS_OK)
		s = blob_path(path, dir, e, "%s", "");
	if (s == STATUS_OK)
		s = directory_make(w, path, false, e);
	if (s == STATUS_OK)
		s = lock_take(&lock, w, dir, e);
	if (s != STATUS_OK)
		return s;
	s = named_write(w, dir, p, n, name, e);
	(void)w->close(w->self, lock);
	return s;
}

/* ---- forgetting ---- */

struct forgetting {
	const struct world *w;
	const char *dir;
	const struct ip *host;
	uint64_t gone;
	uint64_t left; /* not looked at */
};

/* One file of DIR/blobs/ab. */
static enum status file_forget(struct forgetting *f, const char *name, struct err *e)
{
	char path[PATH_MAX];
	struct buf b = {0};
	bool goes;
	enum status s = blob_path(path, f->dir, e, "/%.2s/%s", name, name);

	if (s == STATUS_OK)
		s = file_read(path, &b, e);
	goes = s == STATUS_OK && address_in_text(b.p, b.n, f->host);
	buf_free(&b);
	if (s == STATUS_BAD) {
		log_line("%s", e->text);
		f->left++;
	}
	if (goes && f->w->unlink(f->w->self, path) != 0)
		return err_errno(e, "%s: not removed", path);
	f->gone += goes;
	return s == STATUS_MACHINE ? s : STATUS_OK;
}

/* Calls `each` with the name of each entry of a directory; none where it is not there. */
static enum status entries(struct forgetting *f, const char *path,
	enum status (*each)(struct forgetting *f, const char *name, struct err *e), struct err *e)
{
	DIR *d = opendir(path);
	struct dirent *entry = NULL;
	enum status s = STATUS_OK;

	if (!d)
		return errno == ENOENT ? STATUS_OK : err_errno(e, "%s", path);
	while (s == STATUS_OK && (errno = 0, entry = readdir(d)) != NULL)
		s = each(f, entry->d_name, e);
	if (s == STATUS_OK && errno != 0)
		s = err_errno(e, "%s", path);
	(void)closedir(d);
	return s;
}

static enum status blob_entry(struct forgetting *f, const char *name, struct err *e)
{
	return blob_name_valid(name) ? file_forget(f, name, e) : STATUS_OK;
}

/* DIR/blobs/ab; synced also where nothing went now: an earlier run may have died before it did. */
static enum status directory_entry(struct forgetting *f, const char *name, struct err *e)
{
	char path[PATH_MAX], inside[PATH_MAX];
	enum status s;

	if (strlen(name) != 2 || strspn(name, "0123456789abcdef") != 2)
		return STATUS_OK;
	s = blob_path(path, f->dir, e, "/%s", name);
	if (s == STATUS_OK)
		s = blob_path(inside, f->dir, e, "/%s/x", name);
	if (s == STATUS_OK)
		s = entries(f, path, blob_entry, e);
	if (s == STATUS_OK && world_sync_dir(f->w, inside) != 0)
		s = err_errno(e, "%s", path);
	return s;
}

/* With the lock held, so that "new" is nobody's any more. */
static enum status all_forget(struct forgetting *f, const char *blobs, struct err *e)
{
	char fresh[PATH_MAX];
	enum status s = blob_path(fresh, f->dir, e, "/new");

	if (s == STATUS_OK && f->w->unlink(f->w->self, fresh) != 0 && errno != ENOENT)
		s = err_errno(e, "%s: not removed", fresh);
	return s == STATUS_OK ? entries(f, blobs, directory_entry, e) : s;
}

enum status blob_forget(
	const struct world *w, const char *dir, const struct ip *host, uint64_t *n, struct err *e)
{
	struct forgetting f = {.w = w, .dir = dir, .host = host};
	char blobs[PATH_MAX];
	int lock;
	enum status s = blob_path(blobs, dir, e, "%s", "");

	*n = 0;
	if (s == STATUS_OK && access(blobs, F_OK) != 0)
		return errno == ENOENT ? STATUS_OK : err_errno(e, "%s", blobs);
	if (s == STATUS_OK)
		s = lock_take(&lock, w, dir, e);
	if (s != STATUS_OK)
		return s;
	s = all_forget(&f, blobs, e);
	(void)w->close(w->self, lock);
	*n = f.gone;
	if (s == STATUS_OK && f.left > 0)
		s = err_set(e, STATUS_NO, "%llu files in %s could not be looked at, and were left",
			(unsigned long long)f.left, blobs);
	return s;
}
