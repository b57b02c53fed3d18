/* The real world: system calls.  See world.h. */
#include "base/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

static struct wall real_now(void *self)
{
	(void)self;
	return (struct wall){clock_us(CLOCK_REALTIME)};
}

static struct mono real_mono(void *self)
{
	(void)self;
	return (struct mono){clock_us(CLOCK_MONOTONIC)};
}

static int real_random(void *self, void *to, size_t n)
{
	(void)self;
	return getentropy(to, n);
}

static int real_open(void *self, const char *path, int flags, mode_t mode)
{
	(void)self;
	/* A FIFO that stands where a file should is not waited for; of files O_NONBLOCK says nothing. */
	return open(path, flags | O_CLOEXEC | O_NONBLOCK, mode);
}

static ssize_t real_write(void *self, int fd, const void *p, size_t n)
{
	(void)self;
	return write(fd, p, n);
}

static int real_fsync(void *self, int fd)
{
	(void)self;
	return fsync(fd);
}

static int real_ftruncate(void *self, int fd, off_t n)
{
	(void)self;
	return ftruncate(fd, n);
}

static int real_rename(void *self, const char *from, const char *to)
{
	(void)self;
	return rename(from, to);
}

static int real_unlink(void *self, const char *path)
{
	(void)self;
	return unlink(path);
}

static int real_mkdir(void *self, const char *path, mode_t mode)
{
	(void)self;
	return mkdir(path, mode);
}

static int real_close(void *self, int fd)
{
	(void)self;
	return close(fd);
}

const struct world world_real = {.now = real_now,
	.mono = real_mono,
	.random = real_random,
	.open = real_open,
	.write = real_write,
	.fsync = real_fsync,
	.ftruncate = real_ftruncate,
	.rename = real_rename,
	.unlink = real_unlink,
	.mkdir = real_mkdir,
	.close = real_close};

int world_write_all(const struct world *w, int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t k = w->write(w->self, fd, at, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			errno = k == 0 ? ENOSPC : errno;
			return -1;
		}
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

int world_open_new(const struct world *w, const char *path, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	int fd = w->open(w->self, path, flags, mode);

	if (fd >= 0 || errno != EEXIST || w->unlink(w->self, path) != 0)
		return fd;
	return w->open(w->self, path, flags, mode);
}

int world_sync_dir(const struct world *w, const char *path)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path)
		      : snprintf(dir, sizeof(dir), ".");

	if (n < 0 || (size_t)n >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = w->open(w->self, dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return -1;
	int r = w->fsync(w->self, fd);
	(void)w->close(w->self, fd);
	return r;
}
