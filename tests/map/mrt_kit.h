/* Bytes of MRT records and BGP messages, made by hand for tests; big-endian as on the wire. */
#ifndef WEIR_TESTS_MAP_MRT_KIT_H
#define WEIR_TESTS_MAP_MRT_KIT_H

#include "base/bytes.h"

static inline void put16(struct buf *b, unsigned v)
{
	buf_u8(b, (uint8_t)(v >> 8));
	buf_u8(b, (uint8_t)v);
}

static inline void put32(struct buf *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

static inline void put_as(struct buf *b, uint32_t as, bool two_octet)
{
	if (two_octet)
		put16(b, as);
	else
		put32(b, as);
}

/* A head whose length record_end() sets. */
static inline size_t record_begin(struct buf *b, unsigned type, unsigned subtype)
{
	size_t at = b->n;

	put32(b, 1400000000);
	put16(b, type);
	put16(b, subtype);
	put32(b, 0);
	return at;
}

static inline void set32(struct buf *b, size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b->p[at + (size_t)i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline void set16(struct buf *b, size_t at, unsigned v)
{
	b->p[at] = (uint8_t)(v >> 8);
	b->p[at + 1] = (uint8_t)v;
}

static inline void record_end(struct buf *b, size_t at)
{
	set32(b, at + 8, (uint32_t)(b->n - at - 12));
}

static inline void put_attr(struct buf *b, unsigned type, const void *p, size_t n)
{
	buf_u8(b, n > 255 ? 0x50 : 0x40);
	buf_u8(b, (uint8_t)type);
	if (n > 255)
		put16(b, (unsigned)n);
	else
		buf_u8(b, (uint8_t)n);
	buf_put(b, p, n);
}

/* AS_PATH with one sequence 64500 `as`. */
static inline void put_path(struct buf *b, uint32_t as, bool two_octet)
{
	struct buf path = {0};

	buf_u8(&path, 2);
	buf_u8(&path, 2);
	put_as(&path, 64500, two_octet);
	put_as(&path, as, two_octet);
	put_attr(b, 2, path.p, path.n);
	buf_free(&path);
}

static const uint8_t kit_v4[4] = {192, 0, 2, 1}, kit_v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
static const uint8_t kit_nlri4[4] = {24, 198, 51, 100}, kit_nlri6[5] = {32, 0x20, 1, 0x0d, 0xb8};

/* Peers 0 (192.0.2.1 AS64500, 4 octets), 1 (2001:db8::1 AS64501), 2 (192.0.2.1 AS64502, 2 octets). */
static inline void put_index(struct buf *b)
{
	size_t at = record_begin(b, 13, 1);

	buf_put(b, kit_v4, 4);
	put16(b, 4);
	buf_put(b, "view", 4);
	put16(b, 3);
	for (unsigned i = 0; i < 3; i++) {
		buf_u8(b, (uint8_t)(i == 0 ? 2 : i == 1 ? 3 : 0));
		buf_put(b, kit_v4, 4);
		buf_put(b, i == 1 ? kit_v6 : kit_v4, i == 1 ? 16 : 4);
		put_as(b, 64500 + i, i == 2);
	}
	record_end(b, at);
}

static inline void put_entry(struct buf *b, unsigned peer, bool add_path, uint32_t as)
{
	put16(b, peer);
	put32(b, 1390000000);
	if (add_path)
		put32(b, 77);
	size_t at = b->n;
	put16(b, 0);
	put_attr(b, 1, "", 1);
	put_path(b, as, false);
	set16(b, at, (unsigned)(b->n - at - 2));
}

/* A BGP4MP head of 192.0.2.1 (AS64500) and 192.0.2.2 (AS64999), and a message's head of that type; returns
 * where the message begins. */
static inline size_t put_message(struct buf *b, bool as4, unsigned type)
{
	put_as(b, 64500, !as4);
	put_as(b, 64999, !as4);
	put16(b, 0);
	put16(b, 1);
	buf_put(b, kit_v4, 4);
	buf_put(b, "\xc0\0\2\2", 4);
	size_t at = b->n;
	for (int i = 0; i < 16; i++)
		buf_u8(b, 0xff);
	put16(b, 0);
	buf_u8(b, (uint8_t)type);
	return at;
}

static inline void message_end(struct buf *b, size_t at)
{
	set16(b, at + 16, (unsigned)(b->n - at));
}

#endif
