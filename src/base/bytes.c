/* Bounded readers and growing writers: see bytes.h.  Integers on disk are little-endian or LEB128. */
#include "base/bytes.h"

#include <stdlib.h>

#define VARINT_MAX 10 /* bytes that 64 bits take in LEB128 */

uint64_t rd_varint(struct rd *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t c = rd_u8(r);
		uint64_t bits = c & 0x7fU;
		if (shift == 63 && bits > 1)
			break;
		v |= bits << shift;
		if (!(c & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

static bool buf_room(struct buf *b, size_t n)
{
	if (b->failed || n > SIZE_MAX / 4 - b->n) {
		b->failed = true;
		return false;
	}
	if (b->n + n <= b->cap)
		return true;
	size_t cap = (b->n + n) * 2 + 64;
	uint8_t *p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !buf_room(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_u8(struct buf *b, uint8_t v)
{
	if (buf_room(b, 1))
		b->p[b->n++] = v;
}

static void buf_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t t[8];

	for (size_t i = 0; i < n; i++)
		t[i] = (uint8_t)(v >> (8 * i));
	buf_put(b, t, n);
}

void buf_le16(struct buf *b, uint16_t v)
{
	buf_le(b, v, 2);
}

void buf_le32(struct buf *b, uint32_t v)
{
	buf_le(b, v, 4);
}

void buf_le64(struct buf *b, uint64_t v)
{
	buf_le(b, v, 8);
}

void buf_varint(struct buf *b, uint64_t v)
{
	if (!buf_room(b, VARINT_MAX))
		return;
	uint8_t *p = b->p + b->n;
	for (; v > 0x7f; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	b->n = (size_t)(p - b->p);
}

void buf_svarint(struct buf *b, int64_t v)
{
	buf_varint(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}
