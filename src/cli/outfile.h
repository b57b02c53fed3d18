/* A file that a command was told to write: whole, under its name, or not at all. */
#ifndef WEIR_CLI_OUTFILE_H
#define WEIR_CLI_OUTFILE_H

#include <limits.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/world.h"

struct outfile {
	const struct world *w;
	const char *path;
	char tmp[PATH_MAX]; /* "" where there is nothing to undo */
};

/* Writes the bytes beside path and syncs them; outfile_commit() gives them the name, outfile_drop() takes
 * them away (also after a failure; again is harmless). */
enum status outfile_write(
	struct outfile *to, const struct world *w, const char *path, const struct buf *b, struct err *e);
enum status outfile_commit(struct outfile *o, struct err *e);
void outfile_drop(struct outfile *o);
/* All three: a file that is not tied to another one's fate. */
enum status outfile_put(const struct world *w, const char *path, const struct buf *b, struct err *e);

#endif
