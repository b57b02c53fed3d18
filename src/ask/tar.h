/* A canonical tar: POSIX ustar, regular files only, in the order they were added, mode 0644, owner, group and
 * time zero, names of at most 100 bytes, padding zero, exactly two zero blocks at the end and nothing after.
 * There is one tar for one list of files: the reader refuses whatever the writer would not have written, byte
 * for byte, so that no byte of the file is without meaning. */
#ifndef WEIR_ASK_TAR_H
#define WEIR_ASK_TAR_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define TAR_NAME  101   /* bytes of a name, with the zero */
#define TAR_FILES 16384 /* files in any tar that is read */
#define TAR_BYTES (64 << 20)

struct tar_file {
	char name[TAR_NAME]; /* [a-z0-9A-Z._-] and '/', no empty, "." or ".." part, not absolute */
	const uint8_t *p;    /* into the bytes that were read */
	size_t n;
};

/* Is s a name that a file of such a tar may have? */
bool tar_name_valid(const char *s);
/* A name that cannot stand beside another: it is there twice, or one is a folder of the other; NULL for none.
 * Sorts the n names. */
const char *tar_name_clash(const char **name, size_t n);

/* Appends one file; tar_end() the end.  b->failed tells of memory; a bad name and a tar of more than
 * TAR_BYTES are the caller's fault and set it too.  b holds nothing but the tar; that names do not clash is
 * the caller's to know. */
void tar_put(struct buf *b, const char *name, const void *p, size_t n);
void tar_end(struct buf *b);

/* The files in their order, names without a clash.  STATUS_BAD says what, with the offset. */
enum status tar_read(
	struct tar_file **to, size_t *n, const void *p, size_t size, struct arena *a, struct err *e);

#endif
