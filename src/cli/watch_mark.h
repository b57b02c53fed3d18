/* Where `weir watch` stands in a file, in DIR/watch, so that it goes on there the next time. */
#ifndef WEIR_CLI_WATCH_MARK_H
#define WEIR_CLI_WATCH_MARK_H

#include <limits.h>

#include "case/follow.h"
#include "case/sensor.h"

struct mark {
	const struct world *w;
	char path[PATH_MAX]; /* of the mark */
	char *file;          /* absolute, of what is watched */
	const char *sensor;
	int lock; /* held while it is watched; -1: none */
	struct follow_at saved;
	bool any; /* saved is one */
};

/* STATUS_NO: another process watches this file for this DIR. */
enum status mark_open(struct mark *to, const struct world *w, const char *dir, const struct sensor *k,
	const char *file, struct err *e);
/* Writes it down, where it is another one than is there. */
enum status mark_save(struct mark *m, const struct follow_at *at, struct err *e);
void mark_close(struct mark *m);

#endif
