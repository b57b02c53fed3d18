/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of bytes in memory: see bytes.h.
 *
 * Everywhere by tables of nibbles; with the processor's instruction where there is one.  That instruction
 * gives its result after three cycles but can be begun in each, so a long run of bytes is read as three
 * streams at once, which are then laid end to end: the sum of a before b is the sum of a with as many zeros
 * as b is long, xor the sum of b.  Zeros behind a sum are a multiplication by a power of x modulo the
 * polynomial (V. Gopal and others, Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction, Intel,
 * 2011). */
#include "base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

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
__attribute__((target("sse4.2"))) static uint32_t crc_one(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, sizeof(v));
		c = _mm_crc32_u64(c, v);
	}
	for (; n > 0; n--, p++)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return (uint32_t)c;
}

/* Three streams of so many bytes each, and x^(8 bytes - 33) and x^(16 bytes - 33) modulo the polynomial, bits
 * reflected: the product of two reflected words is one place off, the instruction itself multiplies by x^32,
 * and these 33 are taken off here. */
struct stride {
	size_t bytes;
	uint32_t one, two;
};

static const struct stride strides[] = {
	{1360, 0x3f70cc6f, 0x5aa1f3cf}, /* three are a page, nearly */
	{128, 0x0d3b6092, 0xb9e02b86},
};

/* crc with the zeros behind it that k stands for. */
__attribute__((target("sse4.2,pclmul"))) static uint64_t crc_shift(uint64_t crc, uint32_t k)
{
	__m128i a = _mm_cvtsi64_si128((int64_t)crc), b = _mm_cvtsi64_si128((int64_t)k);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(a, b, 0)));
}

/* 3 * s->bytes bytes. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t crc_three(
	uint32_t crc, const uint8_t *p, const struct stride *s)
{
	uint64_t a = crc, b = 0, c = 0;

	for (const uint8_t *end = p + s->bytes; p < end; p += 8) {
		uint64_t v[3];
		memcpy(&v[0], p, 8);
		memcpy(&v[1], p + s->bytes, 8);
		memcpy(&v[2], p + 2 * s->bytes, 8);
		a = _mm_crc32_u64(a, v[0]);
		b = _mm_crc32_u64(b, v[1]);
		c = _mm_crc32_u64(c, v[2]);
	}
	return (uint32_t)(crc_shift(a, s->two) ^ crc_shift(b, s->one) ^ c);
}

static uint32_t crc_sse(uint32_t crc, const uint8_t *p, size_t n)
{
	uint32_t c = ~crc;

	if (__builtin_cpu_supports("pclmul")) {
		for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
			size_t step = 3 * strides[i].bytes;
			for (; n >= step; n -= step, p += step)
				c = crc_three(c, p, &strides[i]);
		}
	}
	return ~crc_one(c, p, n);
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
