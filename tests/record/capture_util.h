/* Capture files for tests: builders of pcap and pcapng, and everything that comes out of a capture, for
 * comparing. */
#ifndef WEIR_TESTS_CAPTURE_UTIL_H
#define WEIR_TESTS_CAPTURE_UTIL_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "record/reader.h"

#define T0 1416441600U /* seconds: a day in November 2014 */

static bool big;     /* byte order of what is made */
static bool mangled; /* frames need not be all of one byte */

/* WEIR_SEED repeats a run. */
static inline unsigned random_seed(void)
{
	const char *s = getenv("WEIR_SEED");

	return s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)time(NULL);
}

static inline void put16(struct buf *b, uint32_t v)
{
	buf_le16(b, big ? __builtin_bswap16((uint16_t)v) : (uint16_t)v);
}

static inline void put32(struct buf *b, uint32_t v)
{
	buf_le32(b, big ? __builtin_bswap32(v) : v);
}

static inline void put64(struct buf *b, uint64_t v)
{
	buf_le64(b, big ? __builtin_bswap64(v) : v);
}

static inline void put_bytes(struct buf *b, size_t n, uint8_t v)
{
	while (n--)
		buf_u8(b, v);
}

static inline void set32(struct buf *b, size_t at, uint32_t v)
{
	if (big)
		v = __builtin_bswap32(v);
	for (size_t i = 0; i < 4; i++)
		b->p[at + i] = (uint8_t)(v >> (8 * i));
}

static inline void pcap_header(
	struct buf *b, uint32_t magic, uint32_t minor, uint32_t snaplen, uint32_t linktype)
{
	put32(b, magic);
	put16(b, 2);
	put16(b, minor);
	put64(b, 0);
	put32(b, snaplen);
	put32(b, linktype);
}

static inline void pcap_record(struct buf *b, uint32_t sec, uint32_t fraction, uint32_t n, uint8_t v)
{
	put32(b, sec);
	put32(b, fraction);
	put32(b, n);
	put32(b, n + 10);
	put_bytes(b, n, v);
}

static inline size_t block_begin(struct buf *b, uint32_t type)
{
	put32(b, type);
	put32(b, 0);
	return b->n - 8;
}

static inline void block_end(struct buf *b, size_t at)
{
	while (b->n % 4)
		buf_u8(b, 0);
	uint32_t n = (uint32_t)(b->n - at + 4);
	put32(b, n);
	set32(b, at + 4, n);
}

static inline void section(struct buf *b)
{
	size_t at = block_begin(b, 0x0a0d0d0a);

	put32(b, 0x1a2b3c4d);
	put16(b, 1);
	put16(b, 0);
	put64(b, UINT64_MAX);
	block_end(b, at);
}

/* resolution: if_tsresol or -1 for none; offset_s: if_tsoffset, 0 for none */
static inline void interface(struct buf *b, uint32_t linktype, int resolution, int64_t offset_s)
{
	size_t at = block_begin(b, 1);

	put16(b, linktype);
	put16(b, 0);
	put32(b, 0);
	if (resolution >= 0) {
		put16(b, 9);
		put16(b, 1);
		buf_le32(b, (uint32_t)resolution);
	}
	if (offset_s) {
		put16(b, 14);
		put16(b, 8);
		put64(b, (uint64_t)offset_s);
	}
	put32(b, 0);
	block_end(b, at);
}

static inline void enhanced(
	struct buf *b, uint32_t iface, uint64_t t, uint32_t n, uint8_t v, uint64_t dropped)
{
	size_t at = block_begin(b, 6);

	put32(b, iface);
	put32(b, (uint32_t)(t >> 32));
	put32(b, (uint32_t)t);
	put32(b, n);
	put32(b, n + 10);
	put_bytes(b, n, v);
	while (b->n % 4)
		buf_u8(b, 0);
	if (dropped) {
		put16(b, 2); /* flags, to be passed over */
		put16(b, 4);
		put32(b, 1);
		put16(b, 4);
		put16(b, 8);
		put64(b, dropped);
		put32(b, 0);
	}
	block_end(b, at);
}

static inline void statistics(struct buf *b, uint32_t iface, uint64_t dropped)
{
	size_t at = block_begin(b, 5);

	put32(b, iface);
	put64(b, 0);
	put16(b, 5);
	put16(b, 8);
	put64(b, dropped);
	put32(b, 0);
	block_end(b, at);
}

/* What came out of a capture, for comparing. */
struct seen {
	size_t frames, skipped[DROP_COUNT];
	uint64_t lost, bytes;
	int64_t time_us[64];
	uint32_t wire[64], linktype[64];
	uint8_t first[64]; /* byte of each frame */
	char line[512];    /* of the last skipped */
	uint32_t resolution_us;
};

static inline void read_all(struct capture *c, struct seen *s)
{
	enum capture_got got = CAPTURE_IDLE;
	struct frame f;
	enum drop why;
	struct err e;

	memset(s, 0, sizeof(*s));
	while (got != CAPTURE_END) {
		got = capture_next(c, &f, &why, &e);
		assert_int_not_equal(got, CAPTURE_FAILED);
		if (got == CAPTURE_SKIPPED) {
			s->skipped[why]++;
			memcpy(s->line, e.text, sizeof(s->line));
		}
		if (got == CAPTURE_END || got == CAPTURE_FRAME)
			s->lost += f.lost;
		if (got != CAPTURE_FRAME)
			continue;
		if (s->frames < 64) {
			s->time_us[s->frames] = f.time_us;
			s->wire[s->frames] = f.wire;
			s->linktype[s->frames] = f.linktype;
			s->first[s->frames] = f.captured ? f.data[0] : 0;
		}
		for (uint32_t i = 0; !mangled && i < f.captured; i++)
			assert_int_equal(f.data[i], f.data[0]);
		s->frames++;
		s->bytes += f.captured;
	}
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_END);
	assert_int_equal(f.lost, 0);
	s->resolution_us = capture_resolution_us(c);
	capture_close(c);
}

static inline enum status open_memory(struct capture **c, const void *p, size_t n, struct err *e)
{
	struct stream *s;
	enum status st = stream_open_memory(&s, p, n, e);

	return st == STATUS_OK ? capture_open_stream(c, s, "FILE", e) : st;
}

static inline void read_buf(const struct buf *b, struct seen *s)
{
	struct capture *c;
	struct err e;

	if (open_memory(&c, b->p, b->n, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	read_all(c, s);
}

#endif
