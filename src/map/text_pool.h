/* Strings of a sheet: each once, zero-ended, one behind the other; a string is called by its offset, "" is 0.
 * What comes from outside is made printable on its way in (base/err.h), and cut at POOL_TEXT_MAX. */
#ifndef WEIR_MAP_TEXT_POOL_H
#define WEIR_MAP_TEXT_POOL_H

#include "base/bytes.h"

#define POOL_TEXT_MAX ((size_t)160)

struct text_pool {
	char *text;
	size_t n, cap;
	uint64_t *slot; /* hash << 32 | offset; 0: free */
	size_t n_slot, used;
};

/* False where memory is out, or the offsets are. */
bool text_pool_add(struct text_pool *p, struct rd s, uint32_t *at);
/* Without looking whether it is there: for what is said once. */
bool text_pool_append(struct text_pool *p, struct rd s, uint32_t *at);
/* "a/b" as one string. */
bool text_pool_add_pair(struct text_pool *p, struct rd a, struct rd b, uint32_t *at);
const char *text_pool_text(
	const struct text_pool *p, size_t *n); /* all of it; "" where nothing was added, *n >= 1 */
void text_pool_free(struct text_pool *p);

#endif
