/* The capture readers: every kind of file, damage of every kind, cut-off ends, packed files, pipes, and
 * random files compared with libpcap's reading of them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "capture_util.h"

static void test_pcap_kinds(void **state)
{
	static const struct {
		uint32_t magic, extra;
		uint32_t fraction;
	} kinds[] = {{0xa1b2c3d4, 0, 123456}, {0xa1b23c4d, 0, 123456789}, {0xa1b2cd34, 8, 123456}};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct buf b = {0};
		struct seen s;
		big = i % 2;
		pcap_header(&b, kinds[i / 2].magic, 4, 0, 113);
		for (uint8_t k = 1; k <= 3; k++) {
			put32(&b, T0 + k);
			put32(&b, kinds[i / 2].fraction);
			put32(&b, 60);
			put32(&b, 1500);
			put_bytes(&b, kinds[i / 2].extra, 0);
			put_bytes(&b, 60, k);
		}
		read_buf(&b, &s);
		assert_int_equal(s.frames, 3);
		for (uint32_t k = 0; k < 3; k++) {
			assert_int_equal(s.time_us[k], (int64_t)(T0 + k + 1) * 1000000 + 123456);
			assert_int_equal(s.wire[k], 1500);
			assert_int_equal(s.first[k], k + 1);
			assert_int_equal(s.linktype[k], 113);
		}
		buf_free(&b);
	}
	big = false;
}

/* Before version 2.3 the two lengths stood the other way round. */
static void test_pcap_old(void **state)
{
	(void)state;
	for (uint32_t minor = 2; minor <= 3; minor++) {
		struct buf b = {0};
		struct seen s;
		pcap_header(&b, 0xa1b2c3d4, minor, 65535, 1);
		for (uint32_t k = 0; k < 2; k++) {
			put32(&b, T0);
			put32(&b, 0);
			put32(&b, 1500);
			put32(&b, 60);
			put_bytes(&b, 60, 9);
		}
		read_buf(&b, &s);
		assert_int_equal(s.frames, 2);
		assert_int_equal(s.wire[1], 1500);
		buf_free(&b);
	}
}

static void good_pcap(struct buf *b, uint32_t n)
{
	pcap_header(b, 0xa1b2c3d4, 4, 65535, 1);
	for (uint32_t i = 0; i < n; i++)
		pcap_record(b, T0 + i, 5, 60 + i, (uint8_t)(i + 1));
}

/* Offset of the i-th record of good_pcap(). */
static size_t record_at(uint32_t i)
{
	size_t at = 24;

	for (uint32_t k = 0; k < i; k++)
		at += 16 + 60 + k;
	return at;
}

/* One record of ten lies; the others come out. */
static void test_pcap_lies(void **state)
{
	static const struct {
		const char *what;
		size_t field;
		uint32_t value;
	} lies[] = {{"claims 4294967295 captured", 8, 0xffffffff}, {"claims 300000 captured", 8, 300000},
		{"claims 60000 captured", 8, 60000}, {"but the next one begins after 64", 8, 200},
		{"claims 4000000000 us", 4, 4000000000}, {"record of no bytes", 12, 0},
		{"claims 100000000 bytes on the wire", 12, 100000000}};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct buf b = {0};
		struct seen s;
		char offset[40];
		good_pcap(&b, 10);
		set32(&b, record_at(4) + lies[i].field, lies[i].value);
		read_buf(&b, &s);
		assert_int_equal(s.skipped[DROP_RECORD], 1);
		assert_int_equal(s.frames, 9);
		assert_int_equal(s.first[3], 4);
		assert_int_equal(s.first[4], 6);
		if (!strstr(s.line, lies[i].what))
			fail_msg("\"%s\" is not in \"%s\"", lies[i].what, s.line);
		(void)snprintf(offset, sizeof(offset), "FILE: offset %zu: ", record_at(4));
		assert_memory_equal(s.line, offset, strlen(offset));
		assert_int_equal(s.skipped[DROP_TRUNCATED], 0);
		buf_free(&b);
	}
}

/* A length that is too short: what follows looks like no record. */
static void test_pcap_short_lie(void **state)
{
	struct buf b = {0};
	struct seen s;

	(void)state;
	good_pcap(&b, 10);
	set32(&b, record_at(4) + 8, 20);
	read_buf(&b, &s);
	assert_int_equal(s.skipped[DROP_RECORD], 1);
	assert_true(s.frames >= 9); /* the liar's first 20 bytes are honest */
	assert_int_equal(s.first[s.frames - 5], 6);
	buf_free(&b);
}

/* A hole of zeros, as a crashed machine leaves one. */
static void test_pcap_hole(void **state)
{
	struct buf b = {0};
	struct seen s;

	(void)state;
	good_pcap(&b, 10);
	put_bytes(&b, 3000000, 0);
	for (uint32_t i = 0; i < 5; i++)
		pcap_record(&b, T0 + 100 + i, 5, 60, 77);
	read_buf(&b, &s);
	assert_int_equal(s.frames, 15);
	assert_int_equal(s.skipped[DROP_RECORD], 1);
	assert_non_null(strstr(s.line, "3000000 bytes passed over"));
	buf_free(&b);
}

static void test_pcap_only_garbage(void **state)
{
	struct buf b = {0};
	struct seen s;

	(void)state;
	good_pcap(&b, 0);
	put_bytes(&b, 2000000, 0xee);
	read_buf(&b, &s);
	assert_int_equal(s.frames, 0);
	assert_int_equal(s.skipped[DROP_RECORD], 1);
	assert_non_null(strstr(s.line, "no further record"));
	buf_free(&b);
}

static void cut_everywhere(const struct buf *b, size_t begin, size_t frames)
{
	size_t before = 0;

	for (size_t n = begin; n <= b->n; n++) {
		struct buf exact = {.p = malloc(n), .n = n};
		struct seen s;
		assert_non_null(exact.p);
		memcpy(exact.p, b->p, n);
		read_buf(&exact, &s);
		assert_int_equal(s.skipped[DROP_RECORD], 0);
		assert_true(s.skipped[DROP_TRUNCATED] <= 1);
		assert_true(s.frames == before || s.frames == before + 1);
		before = s.frames;
		buf_free(&exact);
	}
	assert_int_equal(before, frames);
}

static void test_pcap_cut(void **state)
{
	struct buf b = {0};
	struct seen s;

	(void)state;
	good_pcap(&b, 6);
	cut_everywhere(&b, 24, 6);
	b.n -= 7;
	read_buf(&b, &s);
	assert_int_equal(s.skipped[DROP_TRUNCATED], 1);
	assert_int_equal(s.frames, 5);
	assert_non_null(strstr(s.line, "ends inside a record; its last 74 bytes"));
	buf_free(&b);
}

static void test_times(void **state)
{
	struct buf b = {0};
	struct seen s;

	(void)state;
	pcap_header(&b, 0xa1b2c3d4, 4, 65535, 1);
	pcap_record(&b, 4102444800U, 0, 60, 1); /* 2100 */
	pcap_record(&b, 0, 0, 60, 2);
	pcap_record(&b, T0, 0, 60, 3);
	read_buf(&b, &s);
	assert_int_equal(s.frames, 3);
	assert_int_equal(s.time_us[0], INT64_C(4102444800000000));
	assert_int_equal(s.time_us[1], 0);
	buf_free(&b);
}

static void mixed_pcapng(struct buf *b)
{
	uint64_t us = (uint64_t)T0 * 1000000;
	size_t at;

	section(b);
	interface(b, 1, -1, 0);
	interface(b, 113, 9, 0);
	interface(b, 101, 0x80 | 10, T0);
	interface(b, 276, 3, 0);
	enhanced(b, 0, us + 7, 60, 1, 0);
	enhanced(b, 1, us * 1000 + 7999, 61, 2, 5);
	enhanced(b, 2, 1024 + 512, 62, 3, 0);
	enhanced(b, 3, us / 1000 + 9, 63, 4, 0);
	at = block_begin(b, 0xbad);
	put_bytes(b, 17, 0xcc);
	block_end(b, at);
	statistics(b, 0, 4);
	at = block_begin(b, 2); /* obsolete packet block, 3 drops */
	put16(b, 0);
	put16(b, 3);
	put32(b, (uint32_t)(us >> 32));
	put32(b, (uint32_t)us);
	put32(b, 10);
	put32(b, 1000);
	put_bytes(b, 10, 5);
	block_end(b, at);
	at = block_begin(b, 3);
	put32(b, 60);
	put_bytes(b, 60, 6);
	block_end(b, at);
	big = !big;
	section(b);
	interface(b, 12, -1, 0);
	enhanced(b, 0, us, 20, 7, 0);
	statistics(b, 0, 11);
	big = !big;
}

static void test_pcapng_mixed(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		static const uint32_t linktype[] = {1, 113, 101, 276, 1, 12};
		struct buf b = {0};
		struct seen s;
		int64_t us = (int64_t)T0 * 1000000;
		big = i;
		mixed_pcapng(&b);
		read_buf(&b, &s);
		assert_int_equal(s.frames, 6);
		assert_memory_equal(s.linktype, linktype, sizeof(linktype));
		assert_int_equal(s.time_us[0], us + 7);
		assert_int_equal(s.time_us[1], us + 7);
		assert_int_equal(s.time_us[2], us + 1500000);
		assert_int_equal(s.time_us[3], us + 9000);
		assert_int_equal(s.wire[4], 1000);
		assert_int_equal(s.first[5], 7);
		assert_int_equal(s.lost, 5 + 4 + 3 + 11);
		assert_int_equal(s.resolution_us, 1000);
		assert_int_equal(s.skipped[DROP_TIME], 1);
		buf_free(&b);
	}
	big = false;
}

/* Statistics count from the start: only what is more than before was lost since; never twice with
 * epb_dropcount. */
static void test_pcapng_drops(void **state)
{
	struct buf b = {0};
	struct seen s;
	uint64_t us = (uint64_t)T0 * 1000000;

	(void)state;
	section(&b);
	interface(&b, 1, -1, 0);
	interface(&b, 1, -1, 0);
	statistics(&b, 0, 10);
	enhanced(&b, 0, us, 60, 1, 0);
	statistics(&b, 0, 25);
	statistics(&b, 0, 20); /* runs backwards: nothing */
	enhanced(&b, 1, us, 60, 1, 6);
	statistics(&b, 1, 6);
	read_buf(&b, &s);
	assert_int_equal(s.lost, 10 + 15 + 6);
	buf_free(&b);
}

static void good_pcapng(struct buf *b, size_t at[10])
{
	section(b);
	interface(b, 1, -1, 0);
	for (uint32_t i = 0; i < 10; i++) {
		at[i] = b->n;
		enhanced(b, 0, (uint64_t)T0 * 1000000 + i, 60 + i, (uint8_t)(i + 1), 0);
	}
}

static void test_pcapng_lies(void **state)
{
	static const struct {
		const char *what;
		size_t field;
		uint32_t value;
		size_t frames;
	} lies[] = {{"impossible length", 4, 0xfffffffc, 9}, {"impossible length", 4, 8, 9},
		{"impossible length", 4, 101, 9}, {"two lengths disagree", 4, 200, 9},
		{"beyond the file's end", 4, 100000, 9}, {"more bytes than its block", 20, 1000, 9},
		{"was not described", 8, 1, 9}, {"than any link carries", 24, 100000000, 9}};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct buf b = {0};
		struct seen s;
		size_t at[10];
		char offset[40];
		good_pcapng(&b, at);
		set32(&b, at[4] + lies[i].field, lies[i].value);
		read_buf(&b, &s);
		if (s.frames != lies[i].frames || s.skipped[DROP_RECORD] != 1 || s.skipped[DROP_TRUNCATED])
			fail_msg("%s: %zu frames, %zu bad", lies[i].what, s.frames, s.skipped[DROP_RECORD]);
		assert_int_equal(s.first[4], 6);
		if (!strstr(s.line, lies[i].what))
			fail_msg("\"%s\" is not in \"%s\"", lies[i].what, s.line);
		(void)snprintf(offset, sizeof(offset), "FILE: offset %zu: ", at[4]);
		assert_memory_equal(s.line, offset, strlen(offset));
		buf_free(&b);
	}
}

static void test_pcapng_cut(void **state)
{
	struct buf b = {0};
	size_t at[10];

	(void)state;
	good_pcapng(&b, at);
	cut_everywhere(&b, 28, 10);
	buf_free(&b);
}

static void test_pcapng_clock_lies(void **state)
{
	struct buf b = {0};
	struct seen s;

	(void)state;
	section(&b);
	interface(&b, 1, 77, 0);
	interface(&b, 1, -1, INT64_MAX);
	enhanced(&b, 0, 1, 60, 1, 0);
	enhanced(&b, 1, 1, 60, 1, 0);
	read_buf(&b, &s);
	assert_int_equal(s.frames, 0);
	assert_int_equal(s.skipped[DROP_RECORD], 3);
	buf_free(&b);
}

static void test_no_capture(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *what;
	} files[] = {{"", 0, "empty"}, {"abc", 3, "only 3 bytes"}, {"hello world", 11, "not a capture"},
		{"snoop\0\0\0\0\0\0\2", 12, "snoop"},
		{"\xd4\xc3\xb2\xa1\2\0\4\0", 8, "inside its header (8 of"},
		{"\xd4\xc3\xb2\xa1\3\0\4\0aaaaaaaaaaaaaaaa", 24, "version 3.4"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0", 8, "ends inside its first header"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0\1\2\3\4aaaaaaaaaaaaaaaa", 28, "without byte-order"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\2\0\0\0aaaaaaaaaaaa", 28, "version 2.0"},
		{"\x1f\x8b\x08\0rubbish", 11, "gzip data"}, {"\x28\xb5\x2f\xfdrubbish!", 12, "zstd data"},
		{"BZh9", 4, "bzip2"}};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct capture *c;
		struct err e;
		assert_int_equal(open_memory(&c, files[i].bytes, files[i].n, &e), STATUS_BAD);
		if (!strstr(e.text, files[i].what) || memcmp(e.text, "FILE: ", 6) != 0)
			fail_msg("\"%s\" is not in \"%s\"", files[i].what, e.text);
	}
}

static void test_paths(void **state)
{
	struct capture *c;
	struct err e;

	(void)state;
	assert_int_equal(capture_open_file(&c, "/nonexistent/x.pcap", &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "/nonexistent/x.pcap: cannot open: No such file"));
	assert_int_equal(capture_open_file(&c, "/tmp", &e), STATUS_BAD);
	assert_string_equal(e.text, "/tmp: a directory, not a capture");
	assert_int_equal(capture_open_file(&c, "/tmp/\x1b[31m\n", &e), STATUS_BAD);
	assert_null(strchr(e.text, '\n'));
	assert_null(strchr(e.text, '\x1b'));
	assert_int_equal(capture_open_file(&c, "/dev/null", &e), STATUS_BAD);
}

static void gzip(const struct buf *from, struct buf *to)
{
	z_stream z = {0};
	uLong bound;

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	bound = deflateBound(&z, from->n);
	uint8_t *out = malloc(bound);
	assert_non_null(out);
	z.next_in = from->p;
	z.avail_in = (uInt)from->n;
	z.next_out = out;
	z.avail_out = (uInt)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(to, out, z.total_out);
	free(out);
	(void)deflateEnd(&z);
}

static void zstd(const struct buf *from, struct buf *to)
{
	size_t bound = ZSTD_compressBound(from->n), n;
	uint8_t *out = malloc(bound);

	assert_non_null(out);
	n = ZSTD_compress(out, bound, from->p, from->n, 1);
	assert_false(ZSTD_isError(n));
	buf_put(to, out, n);
	free(out);
}

/* Packed, in one piece or in two; damaged; cut off. */
static void packed(void (*pack)(const struct buf *, struct buf *), const char *name)
{
	struct buf b = {0}, half = {0}, z = {0}, parts = {0};
	struct seen s;

	good_pcap(&b, 5);
	for (uint32_t i = 0; i < 5000; i++)
		pcap_record(&b, T0 + i, i, 300, (uint8_t)(i * 7));
	pack(&b, &z);
	read_buf(&z, &s);
	assert_int_equal(s.frames, 5005);
	half = (struct buf){.p = b.p, .n = 1000};
	pack(&half, &parts);
	half = (struct buf){.p = b.p + 1000, .n = b.n - 1000};
	pack(&half, &parts);
	read_buf(&parts, &s);
	assert_int_equal(s.frames, 5005);
	z.n -= 9;
	read_buf(&z, &s);
	assert_true(s.frames > 0);
	assert_int_equal(s.skipped[DROP_TRUNCATED], 1);
	assert_non_null(strstr(s.line, name));
	z.p[z.n / 2] ^= 0x55;
	z.p[z.n / 2 + 1] ^= 0x55;
	mangled = true;
	read_buf(&z, &s);
	mangled = false;
	assert_true(s.skipped[DROP_TRUNCATED] + s.skipped[DROP_RECORD] >= 1);
	buf_free(&b);
	buf_free(&z);
	buf_free(&parts);
}

static void test_gzip(void **state)
{
	(void)state;
	packed(gzip, "gzip data");
}

static void test_zstd(void **state)
{
	(void)state;
	packed(zstd, "zstd data");
}

/* Bytes that come one by one through a pipe: frames are handed out as soon as they are whole. */
static void test_pipe(void **state)
{
	struct buf b = {0};
	struct capture *c;
	struct frame f;
	enum drop why;
	struct err e;
	int fd[2];

	(void)state;
	good_pcap(&b, 2);
	assert_int_equal(pipe(fd), 0);
	size_t first = record_at(1);
	assert_int_equal(write(fd[1], b.p, first), first);
	assert_int_equal(capture_open_fd(&c, fd[0], "pipe", &e), STATUS_OK);
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_FRAME);
	assert_int_equal(f.captured, 60);
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_IDLE);
	assert_int_equal(write(fd[1], b.p + first, 20), 20);
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_IDLE);
	assert_int_equal(write(fd[1], b.p + first + 20, b.n - first - 20), b.n - first - 20);
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_FRAME);
	assert_int_equal(f.data[60], 2);
	(void)close(fd[1]);
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_END);
	capture_close(c);
	buf_free(&b);
}

/* Random frames, up to the largest, through a file; libpcap reads it too. */
static void random_file(struct buf *b, bool newer, size_t size)
{
	uint32_t sec = T0;

	if (newer) {
		section(b);
		interface(b, 1, rand() % 2 ? 9 : -1, 0);
	} else {
		pcap_header(b, rand() % 2 ? 0xa1b2c3d4 : 0xa1b23c4d, 4, 262144, 1);
	}
	while (b->n < size) {
		static const uint32_t most[] = {100, 1500, 1500, 65535, 262144};
		uint32_t n = 1 + (uint32_t)rand() % most[(size_t)rand() % 5];
		sec += (uint32_t)rand() % 100;
		if (newer)
			enhanced(b, 0, (uint64_t)sec * 1000000 + (uint64_t)(rand() % 1000000), n,
				(uint8_t)rand(), 0);
		else
			pcap_record(b, sec, (uint32_t)rand() % 1000000, n, (uint8_t)rand());
	}
}

static void compare_with_libpcap(struct capture *c, const char *path)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *peer = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct pcap_pkthdr *h;
	const uint8_t *data;
	struct frame f;
	enum drop why;
	struct err e;

	assert_non_null(peer);
	while (pcap_next_ex(peer, &h, &data) == 1) {
		assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_FRAME);
		assert_int_equal(f.captured, h->caplen);
		assert_int_equal(f.wire, h->len);
		assert_int_equal(f.time_us, (int64_t)h->ts.tv_sec * 1000000 + h->ts.tv_usec / 1000);
		assert_memory_equal(f.data, data, h->caplen);
	}
	assert_int_equal(capture_next(c, &f, &why, &e), CAPTURE_END);
	pcap_close(peer);
	capture_close(c);
}

static void test_against_libpcap(void **state)
{
	unsigned seed = random_seed();

	(void)state;
	print_message("# seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 12; i++) {
		char path[] = "/tmp/weir-capture-XXXXXX";
		struct buf b = {0}, z = {0};
		struct capture *c;
		struct err e;
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		big = i % 3 == 0;
		random_file(&b, i % 2, 3000000 + (size_t)rand() % 1000000);
		assert_false(b.failed);
		assert_int_equal(write(fd, b.p, b.n), b.n);
		(void)close(fd);
		assert_int_equal(capture_open_file(&c, path, &e), STATUS_OK);
		compare_with_libpcap(c, path);
		(i % 4 < 2 ? gzip : zstd)(&b, &z);
		assert_int_equal(open_memory(&c, z.p, z.n, &e), STATUS_OK);
		compare_with_libpcap(c, path);
		(void)unlink(path);
		buf_free(&b);
		buf_free(&z);
	}
	big = false;
}

/* Whatever is flipped, the run comes to its end and most of the rest is found again. */
static void test_flipped(void **state)
{
	unsigned seed = random_seed();

	(void)state;
	print_message("# seed %u\n", seed);
	for (unsigned i = 0; i < 2000; i++) {
		struct buf b = {0};
		struct capture *c;
		struct frame f;
		enum drop why;
		struct err e;
		char line[512] = "";
		enum capture_got got = CAPTURE_IDLE;
		size_t frames = 0, at[10];
		srand(seed + i);
		if (i % 2)
			good_pcapng(&b, at);
		else
			good_pcap(&b, 10);
		b.p[64 + (size_t)rand() % (b.n - 64)] ^= (uint8_t)(1 + rand() % 255);
		assert_int_equal(open_memory(&c, b.p, b.n, &e), STATUS_OK);
		while (got != CAPTURE_END) {
			got = capture_next(c, &f, &why, &e);
			frames += got == CAPTURE_FRAME;
			if (got == CAPTURE_SKIPPED)
				memcpy(line, e.text, sizeof(line));
		}
		if (frames < 8)
			fail_msg("seed %u: only %zu frames; %s", seed + i, frames, line);
		capture_close(c);
		buf_free(&b);
	}
}

static void test_filter(void **state)
{
	static const uint8_t arp[42] = {[12] = 0x08, 0x06};
	struct frame f = {.data = arp, .captured = sizeof(arp), .wire = sizeof(arp), .linktype = 1};
	struct err e;
	struct bpf_filter *filter = bpf_filter_new("arp", &e), *not = bpf_filter_new("tcp port 22", &e);

	(void)state;
	assert_non_null(filter);
	assert_non_null(not );
	assert_true(bpf_filter_match(filter, &f));
	assert_false(bpf_filter_match(not, &f));
	f.linktype = 101; /* has no ARP: the filter has no meaning */
	assert_false(bpf_filter_match(filter, &f));
	f.linktype = 1;
	assert_true(bpf_filter_match(filter, &f));
	bpf_filter_free(filter);
	bpf_filter_free(not );
	assert_null(bpf_filter_new("no such word", &e));
	assert_int_equal(e.status, STATUS_BAD);
	assert_non_null(strstr(e.text, "filter \"no such word\""));
}

static void test_live_names(void **state)
{
	static const char *const names[] = {
		"", "..", "../../x", "a b", "eth0\n", "\x1b[2J", "averyveryverylongname"};
	struct capture *c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(capture_open_live(&c, names[i], NULL, &e), STATUS_BAD);
		assert_non_null(strstr(e.text, "not a name that an interface can have"));
		assert_null(strpbrk(e.text, "\n\x1b"));
	}
}

/* Without CAP_NET_RAW the line says what is needed; an interface that is not there is the user's mistake. */
static void test_live_errors(void **state)
{
	struct capture *c;
	struct err e;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(9);
		enum status st = capture_open_live(&c, "lo", NULL, &e);
		_exit(st == STATUS_MACHINE && strstr(e.text, "CAP_NET_RAW") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(capture_open_live(&c, "weir-none0", NULL, &e), STATUS_BAD);
	assert_non_null(strstr(e.text, "weir-none0"));
	assert_int_equal(capture_open_live(&c, "lo", "no such word", &e), STATUS_BAD);
}

/* A datagram of our own, seen on the loopback interface; then nothing. */
static void test_live(void **state)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(48879), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct decoder *d = decoder_new();
	struct capture *c;
	struct packet p = {0};
	struct frame f;
	enum drop why;
	struct err e;
	int found = 0;

	(void)state;
	if (geteuid() != 0 || capture_open_live(&c, "lo", "udp port 48879", &e) != STATUS_OK) {
		decoder_free(d);
		print_message("# no right to capture: not tried\n");
		return;
	}
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(s >= 0);
	for (int i = 0; i < 100 && !found; i++) {
		assert_int_equal(sendto(s, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
		while (!found) {
			enum capture_got got = capture_next(c, &f, &why, &e);
			assert_true(got == CAPTURE_FRAME || got == CAPTURE_IDLE);
			if (got == CAPTURE_IDLE)
				break;
			found = decode(d, &f, &p) == DROP_NONE;
		}
	}
	assert_true(found);
	assert_int_equal(p.dst.port, 48879);
	assert_int_equal(p.payload, 5);
	assert_int_equal(capture_kernel_drops(c), 0);
	(void)close(s);
	capture_close(c);
	decoder_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_kinds),
		cmocka_unit_test(test_pcap_old),
		cmocka_unit_test(test_pcap_lies),
		cmocka_unit_test(test_pcap_short_lie),
		cmocka_unit_test(test_pcap_hole),
		cmocka_unit_test(test_pcap_only_garbage),
		cmocka_unit_test(test_pcap_cut),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_pcapng_mixed),
		cmocka_unit_test(test_pcapng_drops),
		cmocka_unit_test(test_pcapng_lies),
		cmocka_unit_test(test_pcapng_cut),
		cmocka_unit_test(test_pcapng_clock_lies),
		cmocka_unit_test(test_no_capture),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_zstd),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_against_libpcap),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_live_names),
		cmocka_unit_test(test_live_errors),
		cmocka_unit_test(test_live),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
