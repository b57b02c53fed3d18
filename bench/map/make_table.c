/* A large TABLE_DUMP_V2 file for the benchmarks of loading.
 *
 *     make_table repeat SAMPLE TIMES OUT             a real table's beginning, TIMES over, each time with its
 *                                                    prefixes moved on, and every second time
 *                                                    with other origins behind the paths
 *     make_table invent PREFIXES4 PREFIXES6 PEERS OUT  no sample: prefixes in order, neighbours often of one
 *                                                    origin, paths that follow from peer and origin */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { INDEX_TABLE = 1, RIB4 = 2, RIB6 = 4, V2 = 13, TIME = 1400824800 };

static void put16(struct buf *b, uint32_t v)
{
	buf_u8(b, (uint8_t)(v >> 8));
	buf_u8(b, (uint8_t)v);
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

static size_t record_begin(struct buf *b, uint32_t subtype)
{
	put32(b, TIME);
	put16(b, V2);
	put16(b, subtype);
	put32(b, 0);
	return b->n;
}

static void record_end(struct buf *b, size_t at)
{
	uint32_t n = (uint32_t)(b->n - at);

	for (int i = 0; i < 4; i++)
		b->p[at - 4 + (size_t)i] = (uint8_t)(n >> (24 - 8 * i));
}

static void flush(struct buf *b, FILE *to)
{
	if (b->failed || fwrite(b->p, 1, b->n, to) != b->n) {
		perror("make_table");
		exit(1);
	}
	b->n = 0;
}

/* ---- repeated ---- */

/* The last AS of the entry's AS_PATH (4 octets) becomes another one. */
static void origin_change(uint8_t *attr, size_t n, uint32_t by)
{
	for (size_t i = 0; i + 4 <= n;) {
		bool wide = attr[i] & 0x10;
		size_t size = wide ? (size_t)(attr[i + 2] << 8 | attr[i + 3]) : attr[i + 2];
		size_t at = i + (wide ? 4 : 3);
		if (at + size > n)
			return;
		if (attr[i + 1] == 2 && size >= 6 && attr[at] == 2) {
			uint8_t *last = attr + at + size - 4;
			uint32_t as = (uint32_t)(last[0] << 24 | last[1] << 16 | last[2] << 8 | last[3]);
			as = (as + by * 7919) % 400000 + 1;
			for (int k = 0; k < 4; k++)
				last[k] = (uint8_t)(as >> (24 - 8 * k));
		}
		i = at + size;
	}
}

/* A RIB record of IPv4: its first octet moved on; false where that leaves the address space. */
static bool record_move(uint8_t *p, size_t n, uint32_t by, uint32_t time, uint64_t *entries)
{
	size_t len = p[4], at = 5 + (len + 7) / 8;

	if (len == 0 || p[5] + by > 223)
		return false;
	p[5] = (uint8_t)(p[5] + by);
	size_t many = (size_t)(p[at] << 8 | p[at + 1]);
	at += 2;
	for (size_t i = 0; i < many && at + 8 <= n; i++) {
		size_t size = (size_t)(p[at + 6] << 8 | p[at + 7]);
		if (at + 8 + size > n)
			break;
		if (time % 2)
			origin_change(p + at + 8, size, time);
		at += 8 + size;
		++*entries;
	}
	return true;
}

static void repeat(const struct buf *sample, uint32_t times, FILE *out)
{
	struct buf b = {0};
	uint64_t entries = 0, prefixes = 0;
	uint32_t span = 0;

	for (uint32_t t = 0; t < times; t++)
		for (size_t at = 0; at + 12 <= sample->n;) {
			struct rd r = rd_of(sample->p + at, sample->n - at);
			rd_skip(&r, 4);
			uint32_t type = rd_be16(&r), subtype = rd_be16(&r), n = rd_be32(&r);
			if (n > rd_left(&r) || type != V2)
				break;
			size_t begin = b.n;
			buf_put(&b, sample->p + at, 12 + (size_t)n);
			if (t == 0 && subtype == RIB4 && r.p[4] >= 8 && r.p[5] > span)
				span = r.p[5];
			bool take = subtype == INDEX_TABLE
					    ? t == 0
					    : subtype == RIB4 &&
						      record_move(b.p + begin + 12, n, t * span, t, &entries);
			prefixes += take && subtype == RIB4;
			if (!take)
				b.n = begin;
			if (b.n > 1 << 20)
				flush(&b, out);
			at += 12 + (size_t)n;
		}
	flush(&b, out);
	buf_free(&b);
	(void)printf("%" PRIu64 " prefixes, %" PRIu64 " entries\n", prefixes, entries);
}

/* ---- invented ---- */

static uint64_t hash(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static void index_table(struct buf *b, uint32_t peers)
{
	size_t at = record_begin(b, INDEX_TABLE);

	put32(b, 0xc0000201);
	put16(b, 0);
	put16(b, peers);
	for (uint32_t i = 0; i < peers; i++) {
		buf_u8(b, 2); /* IPv4 address, AS of 4 octets */
		put32(b, 0xc6336401 + i);
		put32(b, 0xc6336401 + i);
		put32(b, 64500 + i);
	}
	record_end(b, at);
}

static void entry(struct buf *b, uint32_t peer, uint32_t origin, bool v6)
{
	uint64_t h = hash((uint64_t)peer << 32 | origin);
	uint32_t n = 3 + (uint32_t)(h % 3);
	static const uint8_t hop6[17] = {16, 0x20, 1, 0xd, 0xb8};

	put16(b, peer);
	put32(b, TIME - (uint32_t)(h >> 40) % 100000);
	put16(b, 4 + 5 + 4 * n + (v6 ? 20 : 7));
	buf_put(b, "\x40\x01\x01\x00\x40\x02", 6);
	buf_u8(b, (uint8_t)(2 + 4 * n));
	buf_u8(b, 2);
	buf_u8(b, (uint8_t)n);
	put32(b, 64500 + peer);
	for (uint32_t i = 1; i + 1 < n; i++)
		put32(b, 1000 + (uint32_t)(hash(h + i) % (i == 1 ? 60 : 8000)));
	put32(b, 10000 + origin);
	if (v6) {
		buf_put(b, "\x80\x0e\x11", 3);
		buf_put(b, hop6, sizeof(hop6));
	} else {
		buf_put(b, "\x40\x03\x04\xc6\x33\x64\x01", 7);
	}
}

/* Prefix i of n, ascending over the space that is in use; returns its length. */
static uint8_t prefix(uint8_t to[8], uint32_t i, uint32_t n, bool v6)
{
	uint64_t step = (v6 ? UINT64_C(1) << 61 : UINT64_C(222) << 56) / n,
		 at = (v6 ? UINT64_C(1) << 61 : UINT64_C(1) << 56);
	uint8_t len = v6 ? (hash(i) % 3 ? 48 : 32) : (uint8_t)(hash(i) % 3 ? 24 : 22);

	at = (at + step * i) & ~UINT64_C(0) << (64 - len);
	for (int k = 0; k < 8; k++)
		to[k] = (uint8_t)(at >> (56 - 8 * k));
	return len;
}

static void invent(uint32_t n, bool v6, uint32_t peers, FILE *out)
{
	struct buf b = {0};
	uint32_t origin = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t at[8];
		size_t begin = record_begin(&b, v6 ? RIB6 : RIB4);
		uint8_t len = prefix(at, i, n, v6);
		origin = hash(i ^ 0x5555) % 5 < 2 ? (uint32_t)(hash(i) % 60000) : origin;
		put32(&b, i);
		buf_u8(&b, len);
		buf_put(&b, at, (len + 7U) / 8);
		put16(&b, peers);
		for (uint32_t k = 0; k < peers; k++)
			entry(&b, k, origin, v6);
		record_end(&b, begin);
		if (b.n > 1 << 20)
			flush(&b, out);
	}
	flush(&b, out);
	buf_free(&b);
}

static struct buf slurp(const char *path)
{
	struct buf b = {0};
	uint8_t piece[65536];
	FILE *f = fopen(path, "rbe");
	size_t n;

	while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&b, piece, n);
	if (f)
		(void)fclose(f);
	return b;
}

int main(int argc, char **argv)
{
	FILE *out = argc > 4 ? fopen(argv[argc - 1], "wbe") : NULL;

	if (!out) {
		(void)fprintf(stderr,
			"make_table repeat SAMPLE TIMES OUT | invent PREFIXES4 PREFIXES6 PEERS OUT\n");
		return 2;
	}
	if (strcmp(argv[1], "repeat") == 0) {
		struct buf sample = slurp(argv[2]);
		repeat(&sample, (uint32_t)atoi(argv[3]), out);
		buf_free(&sample);
	} else {
		struct buf b = {0};
		index_table(&b, (uint32_t)atoi(argv[4]));
		flush(&b, out);
		buf_free(&b);
		invent((uint32_t)atoi(argv[2]), false, (uint32_t)atoi(argv[4]), out);
		invent((uint32_t)atoi(argv[3]), true, (uint32_t)atoi(argv[4]), out);
		(void)printf("%s + %s prefixes, %s peers\n", argv[2], argv[3], argv[4]);
	}
	return fclose(out) ? 1 : 0;
}
