/* Lines, decimals, base64 (RFC 4648 section 4): see text.h and note.h.  Nothing that could be written in two
 * ways is read in more than one. */
#include "ledger/text.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "ledger/note.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL

bool line_take(struct rd *r, struct rd *line)
{
	const uint8_t *end = rd_left(r) ? memchr(r->p, '\n', rd_left(r)) : NULL;

	if (!end)
		return false;
	*line = rd_cut(r, (size_t)(end - r->p));
	rd_skip(r, 1);
	return true;
}

bool line_is(const struct rd *line, const char *s)
{
	struct rd l = *line;

	return line_skip(&l, s) && rd_left(&l) == 0;
}

bool line_skip(struct rd *line, const char *s)
{
	size_t n = strlen(s);

	if (rd_left(line) < n || memcmp(line->p, s, n) != 0)
		return false;
	rd_skip(line, n);
	return true;
}

bool line_decimal(const struct rd *line, uint64_t *to)
{
	struct rd l = *line;
	uint64_t v = 0;

	if (rd_left(&l) == 0 || rd_left(&l) > 19 || (l.p[0] == '0' && rd_left(&l) > 1))
		return false;
	while (rd_left(&l) > 0) {
		uint8_t c = rd_u8(&l);
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (uint64_t)(c - '0'); /* 19 digits are below 2^64 */
	}
	*to = v;
	return v <= INT64_MAX;
}

void text_put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void decimal_put(struct buf *b, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	text_put(b, text);
}

void base64_put(struct buf *b, const void *p, size_t n)
{
	struct rd r = rd_of(p, n);
	char text[4 * 64 + 1];

	while (rd_left(&r) > 0) {
		size_t k = rd_left(&r) < 3 * 64 ? rd_left(&r) : 3 * 64; /* no padding but at the end */
		(void)sodium_bin2base64(text, sizeof(text), rd_take(&r, k), k, BASE64);
		text_put(b, text);
	}
}

bool base64_get(uint8_t *to, size_t cap, size_t *n, const char *text, size_t n_text)
{
	/* libsodium wants padding as it must be and unused bits zero; without an end pointer, nothing more.
	 */
	return sodium_base642bin(to, cap, text, n_text, NULL, n, NULL, BASE64) == 0;
}

bool line_hash(const struct rd *line, struct hash *to)
{
	size_t n;

	return rd_left(line) == HASH_BASE64 &&
	       base64_get(to->b, sizeof(to->b), &n, (const char *)line->p, HASH_BASE64) && n == sizeof(to->b);
}

void hash_put(struct buf *b, const struct hash *h)
{
	base64_put(b, h->b, sizeof(h->b));
}
