/* Bounded readers and writers for bytes from outside.  A reader never runs past its end: a read beyond it
 * gives 0 and sets `bad`, so that a parser reads a whole header and looks once.  Sub-readers are cut,
 * never indexed. */
#ifndef WEIR_BASE_BYTES_H
#define WEIR_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p, *end;
	bool bad; /* something was read beyond the end */
};

static inline struct rd rd_of(const void *p, size_t n)
{
	/* NULL + 0 is undefined in C17 (6.5.6) */
	return (struct rd){.p = p, .end = n ? (const uint8_t *)p + n : p, .bad = false};
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* n bytes, or NULL (and bad, and empty) where fewer are left. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (rd_left(r) < n) {
		r->bad = true;
		r->p = r->end;
		return NULL;
	}
	if (n) /* NULL + 0 is undefined in C17 (6.5.6) */
		r->p += n;
	return p;
}

static inline void rd_skip(struct rd *r, size_t n)
{
	(void)rd_take(r, n);
}

/* A reader of the next n bytes (of what is left, and bad, where fewer are). */
static inline struct rd rd_cut(struct rd *r, size_t n)
{
	size_t have = rd_left(r) < n ? rd_left(r) : n;
	struct rd s = rd_of(r->p, have);

	s.bad = have < n;
	r->bad = r->bad || s.bad;
	(void)rd_take(r, have);
	return s;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rd_be16(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);

	return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : (uint16_t)0;
}

static inline uint32_t rd_be32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint16_t rd_le16(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);

	return p ? (uint16_t)((unsigned)p[1] << 8 | p[0]) : (uint16_t)0;
}

static inline uint32_t rd_le32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);

	return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t rd_le64(struct rd *r)
{
	uint64_t lo = rd_le32(r);

	return lo | (uint64_t)rd_le32(r) << 32;
}

/* LEB128, at most 10 bytes; bad where it does not end or overflows 64 bits. */
uint64_t rd_varint(struct rd *r);

/* Zigzag over rd_varint: signed values. */
static inline int64_t rd_svarint(struct rd *r)
{
	uint64_t v = rd_varint(r);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* A growing buffer.  `failed` is set when memory ran out; later writes are then no-ops. */
struct buf {
	uint8_t *p;
	size_t n, cap;
	bool failed;
};

void buf_free(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_u8(struct buf *b, uint8_t v);
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);
void buf_svarint(struct buf *b, int64_t v);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4). */
uint32_t crc32c(const void *p, size_t n);
/* Goes on from the sum of what came before: crc32c_more(crc32c(a), b) is the sum of a and b together. */
uint32_t crc32c_more(uint32_t crc, const void *p, size_t n);
/* The same without the processor's instruction (which is taken where there is one); for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);

#endif
