/* Files of the ledger and its keys: read whole and bounded; replaced so that a crash leaves the old file or
 * the new one.  Nobody outside this folder includes this. */
#ifndef WEIR_LEDGER_FILES_H
#define WEIR_LEDGER_FILES_H

#include <limits.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/world.h"

/* STATUS_BAD where the path does not fit. */
enum status path_of(char to[PATH_MAX], struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends the file's bytes; STATUS_NO where it is not there, STATUS_BAD where it is longer than max or no
 * regular file. */
enum status file_read(struct buf *to, const char *path, size_t max, struct err *e);
/* n bytes of fd from offset at; STATUS_BAD where they are not there. */
enum status file_read_at(int fd, void *to, size_t n, uint64_t at, const char *path, struct err *e);

/* Does fd hold these bytes at offset at?  STATUS_MACHINE where it does not. */
enum status file_same(int fd, const void *p, size_t n, uint64_t at, const char *path, struct err *e);

/* Writes path.tmp, syncs it, reads it back, renames it to path, syncs the directory. */
enum status file_replace(
	const struct world *w, const char *path, mode_t mode, const void *p, size_t n, struct err *e);

/* Makes a directory that may exist; its parent is synced where it was made. */
enum status dir_make(const struct world *w, const char *path, mode_t mode, struct err *e);

#endif
