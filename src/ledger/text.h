/* What the formats of a transparency log are written in: lines, decimals, hashes. */
#ifndef WEIR_LEDGER_TEXT_H
#define WEIR_LEDGER_TEXT_H

#include "base/bytes.h"
#include "ledger/merkle.h"

#define HASH_BASE64 44 /* characters of a hash */

/* Cuts the next line from r, without its newline.  False where none ends before the end of r. */
bool line_take(struct rd *r, struct rd *line);
/* Is what is left of line exactly s? */
bool line_is(const struct rd *line, const char *s);
/* Takes s from the line's beginning; false, and nothing taken, where it begins otherwise. */
bool line_skip(struct rd *line, const char *s);

/* All of line as a decimal without leading zero or sign, below 2^63. */
bool line_decimal(const struct rd *line, uint64_t *to);
void decimal_put(struct buf *b, uint64_t v);

/* All of line as a hash in base64. */
bool line_hash(const struct rd *line, struct hash *to);
void hash_put(struct buf *b, const struct hash *h);

void text_put(struct buf *b, const char *s);

#endif
