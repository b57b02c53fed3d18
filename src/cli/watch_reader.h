/* The process that parses a sensor's lines for `weir watch`: it has no rights, no file and no key, is given
 * pieces of a file and answers with batches (case/pieces.h).  The process that acts parses none of it. */
#ifndef WEIR_CLI_WATCH_READER_H
#define WEIR_CLI_WATCH_READER_H

#include "case/pieces.h"
#include "cli/app.h"

struct reader;
enum status reader_start(struct reader **to, struct app *a, const struct sensor *k, struct err *e);
/* again: another file begins, or this one from its start.  n may be 0.  The batch is in the arena.
 * STATUS_NO: the process ended, hung or answered nonsense over this piece; another one was started, which
 * knows nothing of what came before. */
enum status reader_ask(struct reader *r, const void *p, size_t n, bool again, struct arena *arena,
	struct batch *to, struct err *e);
void reader_stop(struct reader *r);

#endif
