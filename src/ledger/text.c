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

/* The alphabet, and the value of each run's first character. */
static const struct {
	uint8_t first, last, value;
} base64[] = {
	{'A', 'Z', 0},
	{'a', 'z', 26},
	{'0', '9', 52},
	{'+', '+', 62},
	{'/', '/', 63},
};

static bool sextet(uint8_t c, uint32_t *v)
{
	for (size_t i = 0; i < sizeof(base64) / sizeof(base64[0]); i++) {
		if (c >= base64[i].first && c <= base64[i].last) {
			*v = *v << 6 | (uint32_t)(c - base64[i].first + base64[i].value);
			return true;
		}
	}
	return false;
}

/* Four characters, the last `pad` of them '='; 3 - pad bytes. */
static bool quad_get(uint8_t to[3], const uint8_t quad[4], unsigned pad)
{
	uint32_t v = 0;

	for (unsigned k = 0; k < 4 - pad; k++)
		if (!sextet(quad[k], &v))
			return false;
	v <<= 6 * pad;
	for (unsigned k = 0; k < 3; k++)
		to[k] = (uint8_t)(v >> (16 - 8 * k));
	return (v & ((1U << 8 * pad) - 1)) == 0; /* unused bits */
}

/* Not libsodium's: sodium_base642bin() of 1.0.18 takes some bytes above 0x7f for letters. */
bool base64_get(uint8_t *to, size_t cap, size_t *n, const char *text, size_t n_text)
{
	struct rd r = rd_of(text, n_text);

	*n = 0;
	while (rd_left(&r) > 0) {
		const uint8_t *quad = rd_take(&r, 4);
		uint8_t bytes[3];
		unsigned pad = 0;
		while (quad && rd_left(&r) == 0 && pad < 2 && quad[3 - pad] == '=')
			pad++;
		if (!quad || !quad_get(bytes, quad, pad) || cap - *n < 3 - pad)
			return false;
		memcpy(to + *n, bytes, 3 - pad);
		*n += 3 - pad;
	}
	return true;
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
