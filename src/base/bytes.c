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

/* What a nibble at each of the eight places of a 32-bit word becomes after 32 steps of the polynomial
 * 0x82f63b78 (bits reflected): eight independent look-ups for four bytes. */
static const uint32_t crc_nibble[8][16] = {
	{0x00000000, 0xdd45aab8, 0xbf672381, 0x62228939, 0x7b2231f3, 0xa6679b4b, 0xc4451272, 0x1900b8ca,
		0xf64463e6, 0x2b01c95e, 0x49234067, 0x9466eadf, 0x8d665215, 0x5023f8ad, 0x32017194,
		0xef44db2c},
	{0x00000000, 0xe964b13d, 0xd725148b, 0x3e41a5b6, 0xaba65fe7, 0x42c2eeda, 0x7c834b6c, 0x95e7fa51,
		0x52a0c93f, 0xbbc47802, 0x8585ddb4, 0x6ce16c89, 0xf90696d8, 0x106227e5, 0x2e238253,
		0xc747336e},
	{0x00000000, 0xa541927e, 0x4f6f520d, 0xea2ec073, 0x9edea41a, 0x3b9f3664, 0xd1b1f617, 0x74f06469,
		0x38513ec5, 0x9d10acbb, 0x773e6cc8, 0xd27ffeb6, 0xa68f9adf, 0x03ce08a1, 0xe9e0c8d2,
		0x4ca15aac},
	{0x00000000, 0x70a27d8a, 0xe144fb14, 0x91e6869e, 0xc76580d9, 0xb7c7fd53, 0x26217bcd, 0x56830647,
		0x8b277743, 0xfb850ac9, 0x6a638c57, 0x1ac1f1dd, 0x4c42f79a, 0x3ce08a10, 0xad060c8e,
		0xdda47104},
	{0x00000000, 0x13a29877, 0x274530ee, 0x34e7a899, 0x4e8a61dc, 0x5d28f9ab, 0x69cf5132, 0x7a6dc945,
		0x9d14c3b8, 0x8eb65bcf, 0xba51f356, 0xa9f36b21, 0xd39ea264, 0xc03c3a13, 0xf4db928a,
		0xe7790afd},
	{0x00000000, 0x3fc5f181, 0x7f8be302, 0x404e1283, 0xff17c604, 0xc0d23785, 0x809c2506, 0xbf59d487,
		0xfbc3faf9, 0xc4060b78, 0x844819fb, 0xbb8de87a, 0x04d43cfd, 0x3b11cd7c, 0x7b5fdfff,
		0x449a2e7e},
	{0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
		0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b, 0x4d43cfd0, 0xbf284cd3, 0xac78bf27,
		0x5e133c24},
	{0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a,
		0xf36e6f75},
};

static uint32_t crc_word(uint32_t c)
{
	uint32_t v = 0;

	for (unsigned k = 0; k < 8; k++)
		v ^= crc_nibble[k][(c >> (4 * k)) & 15];
	return v;
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t n)
{
	struct rd r = rd_of(data, n);
	uint32_t c = ~crc;

	while (rd_left(&r) >= 4)
		c = crc_word(c ^ rd_le32(&r));
	while (rd_left(&r) > 0) {
		c ^= rd_u8(&r);
		c = crc_nibble[6][c & 15] ^ crc_nibble[7][(c >> 4) & 15] ^ (c >> 8);
	}
	return ~c;
}

#if defined(__x86_64__)
/* The instruction of SSE 4.2, eight bytes at a time. */
__attribute__((target("sse4.2"))) static uint32_t crc_sse(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = (uint32_t)~crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, sizeof(v));
		c = __builtin_ia32_crc32di(c, v);
	}
	for (; n > 0; n--, p++)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p);
	return ~(uint32_t)c;
}
#endif

uint32_t crc32c_more(uint32_t crc, const void *p, size_t n)
{
	if (n == 0)
		return crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc_sse(crc, p, n);
#endif
	return crc32c_portable(crc, p, n);
}

uint32_t crc32c(const void *p, size_t n)
{
	return crc32c_more(0, p, n);
}
