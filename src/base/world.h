/* The handed-in world: clock, randomness and the file operations that change something.  The same core runs
 * live, in replay and in tests, and a test can fail the Nth write. */
#ifndef WEIR_BASE_WORLD_H
#define WEIR_BASE_WORLD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

struct world {
	void *self; /* handed to each function; NULL for the real world */
	struct wall (*now)(void *self);
	struct mono (*mono)(void *self);
	int (*random)(void *self, void *to, size_t n); /* 0, or -1 with errno */
	/* As the system calls of their names: -1 with errno on failure. */
	int (*open)(void *self, const char *path, int flags, mode_t mode);
	ssize_t (*write)(void *self, int fd, const void *p, size_t n);
	int (*fsync)(void *self, int fd);
	int (*ftruncate)(void *self, int fd, off_t n);
	int (*rename)(void *self, const char *from, const char *to);
	int (*unlink)(void *self, const char *path);
	int (*mkdir)(void *self, const char *path, mode_t mode);
	int (*close)(void *self, int fd);
};

extern const struct world world_real;

/* Writes all n bytes; -1 with errno where the world gives up. */
int world_write_all(const struct world *w, int fd, const void *p, size_t n);

/* Opens for writing a file that was not there: what stands under that name is removed first, so that no link
 * that somebody left there leads to another file.  As open(2). */
int world_open_new(const struct world *w, const char *path, mode_t mode);

/* fsync of the directory that holds path, so that a rename or a new file survives. */
int world_sync_dir(const struct world *w, const char *path);

#endif
