/* The bytes of a file as they were before they were compressed: plain, gzip (RFC 1952, members one after
 * another), bzip2 (streams one after another, blocks by all threads), zstd (RFC 8878, frames one after
 * another); told apart by their first bytes; from a file or stdin ("-").  A plain file is mapped and handed
 * out whole. */
#ifndef WEIR_MAP_INPUT_H
#define WEIR_MAP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct input;

struct input_at {
	uint64_t in,
		in_total; /* bytes of the file taken so far, and of the whole file (0: unknown, a pipe) */
	uint64_t out;     /* bytes given */
};

/* threads: how many may decompress bzip2 (>= 1).  STATUS_BAD: no such file; STATUS_MACHINE: cannot be read.
 */
enum status input_open(struct input **to, const char *path, unsigned threads, struct err *e);

/* At least `want` further bytes in one piece where the file has them, else what is left: *n < want only at
 * its end. What was given before and is not passed over by input_skip() is given again, first.  The bytes are
 * valid until the next call.  STATUS_BAD: want is above INPUT_PIECE_MAX; STATUS_MACHINE: reading failed.
 * Damage does not fail: the bytes end there and input_damage() tells. */
enum status input_peek(struct input *in, size_t want, const uint8_t **p, size_t *n, struct err *e);
void input_skip(struct input *in, size_t n);

/* What ended the file before its end: "cut off in the middle of a bzip2 block at byte 1048576", or NULL. */
const char *input_damage(const struct input *in);
struct input_at input_where(const struct input *in);
void input_close(struct input *in);

#define INPUT_PIECE_MAX ((size_t)64 << 20)

#endif
