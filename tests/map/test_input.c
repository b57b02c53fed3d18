/* The bytes of files of each kind, from a file and from a pipe, asked for in pieces of any size; bzip2
 * streams of each level, several of them, with magic numbers inside of blocks; cut off and damaged anywhere,
 * where what is given is exactly what is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <bzlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "../lib/rnd.h"
#include "base/bytes.h"
#include "map/input.h"
#include "map/input_bits.h"

#define LEVEL1_BLOCK 99981 /* bytes without runs in a block of level 1: 100000 - 19 */

/* ---- making ---- */

static void random_bytes(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_u8(b, (uint8_t)kit_rnd(256));
}

/* No two neighbours are equal, so that a byte is a byte for bzip2; all of `set` occur often. */
static void no_runs(struct buf *b, size_t n, const uint8_t *set, size_t n_set)
{
	for (size_t i = 0, last = n_set; i < n; i++) {
		size_t k = (size_t)kit_rnd(n_set);
		if (k == last)
			k = (k + 1) % n_set;
		last = k;
		buf_u8(b, set[k]);
	}
}

static void all_bytes(struct buf *b, size_t n)
{
	uint8_t set[256];

	for (unsigned i = 0; i < 256; i++)
		set[i] = (uint8_t)i;
	no_runs(b, n, set, 256);
}

/* A block's head has a map of the bytes that occur, 16 bits for each 16 values; so bytes can be chosen such
 * that a magic number stands in it. */
static void magic_bytes(struct buf *b, size_t n, uint64_t magic)
{
	uint8_t set[48];
	size_t n_set = 0;

	for (unsigned i = 0; i < 48; i++)
		if (magic >> (47 - i) & 1)
			set[n_set++] = (uint8_t)i;
	no_runs(b, n, set, n_set);
}

static void to_bzip2(struct buf *b, const struct buf *plain, int level)
{
	unsigned n = (unsigned)(plain->n + plain->n / 50 + 1000);
	uint8_t *p = malloc(n);

	assert_int_equal(
		BZ2_bzBuffToBuffCompress((char *)p, &n, (char *)plain->p, (unsigned)plain->n, level, 0, 0),
		BZ_OK);
	buf_put(b, p, n);
	free(p);
}

static void to_gzip(struct buf *b, const struct buf *plain, int level)
{
	z_stream z = {0};
	size_t n = plain->n + plain->n / 50 + 1000;
	uint8_t *p = malloc(n);

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain->p;
	z.avail_in = (unsigned)plain->n;
	z.next_out = p;
	z.avail_out = (unsigned)n;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(b, p, n - z.avail_out);
	(void)deflateEnd(&z);
	free(p);
}

static void to_zstd(struct buf *b, const struct buf *plain, int level)
{
	size_t n = ZSTD_compressBound(plain->n);
	uint8_t *p = malloc(n);

	n = ZSTD_compress(p, n, plain->p, plain->n, level);
	assert_false(ZSTD_isError(n));
	buf_put(b, p, n);
	free(p);
}

static void to_plain(struct buf *b, const struct buf *plain, int level)
{
	(void)level;
	buf_put(b, plain->p, plain->n);
}

static void (*const makers[])(struct buf *, const struct buf *, int) = {to_plain, to_gzip, to_bzip2, to_zstd};
#define MAKERS 4

/* ---- reading ---- */

struct feed {
	int fd;
	const struct buf *b;
};

static void *feeder(void *arg)
{
	const struct feed *f = arg;

	for (size_t at = 0; at < f->b->n;) {
		size_t n = (size_t)kit_rnd(3) ? f->b->n - at : 1 + (f->b->n - at) / 3;
		ssize_t k = write(f->fd, f->b->p + at, n);
		if (k <= 0)
			break;
		at += (size_t)k;
	}
	(void)close(f->fd);
	return NULL;
}

/* All bytes into `to`; pieces of at most `most` are asked for. */
static void drain(struct buf *to, struct input *in, size_t most, char *damage, size_t n_damage)
{
	struct err e;
	const uint8_t *p;
	size_t n;

	for (;;) {
		size_t want = 1 + (size_t)kit_rnd(most);
		assert_int_equal(input_peek(in, want, &p, &n, &e), STATUS_OK);
		if (n == 0)
			break;
		bool last = n < want;
		size_t take = 1 + (size_t)kit_rnd(n);
		buf_put(to, p, take);
		input_skip(in, take);
		if (last) { /* what is left is given again, and nothing behind it */
			size_t rest = n - take;
			assert_int_equal(input_peek(in, want, &p, &n, &e), STATUS_OK);
			assert_int_equal(n, rest);
		}
	}
	assert_int_equal(input_where(in).out, to->n);
	(void)snprintf(damage, n_damage, "%s", input_damage(in) ? input_damage(in) : "");
}

#define DAMAGE 200
static void read_file(
	struct buf *to, const struct buf *file, unsigned threads, size_t most, char damage[DAMAGE])
{
	char path[] = "/tmp/weir-input-XXXXXX";
	int fd = mkstemp(path);
	struct input *in;
	struct err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->p, file->n), (ssize_t)file->n);
	(void)close(fd);
	assert_int_equal(input_open(&in, path, threads, &e), STATUS_OK);
	(void)unlink(path);
	assert_int_equal(input_where(in).in_total, file->n);
	drain(to, in, most, damage, DAMAGE);
	input_close(in);
}

static void read_pipe(
	struct buf *to, const struct buf *file, unsigned threads, size_t most, char damage[DAMAGE])
{
	char path[32];
	int fd[2];
	pthread_t t;
	struct input *in;
	struct err e;

	assert_int_equal(pipe(fd), 0);
	struct feed f = {fd[1], file};
	assert_int_equal(pthread_create(&t, NULL, feeder, &f), 0);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd[0]);
	assert_int_equal(input_open(&in, path, threads, &e), STATUS_OK);
	(void)close(fd[0]);
	drain(to, in, most, damage, DAMAGE);
	input_close(in);
	(void)pthread_join(t, NULL);
}

static void expect(const struct buf *file, const struct buf *plain, const char *damage)
{
	for (int pipe = 0; pipe < 2; pipe++) {
		struct buf got = {0};
		char said[DAMAGE];
		unsigned threads = 1 + (unsigned)kit_rnd(4);
		size_t most = kit_rnd(2) ? 100 : 3000000;
		(pipe ? read_pipe : read_file)(&got, file, threads, most, said);
		assert_string_equal(said, damage);
		assert_int_equal(got.n, plain->n);
		if (plain->n)
			assert_memory_equal(got.p, plain->p, plain->n);
		buf_free(&got);
	}
}

static void test_kinds(void **state)
{
	static const size_t size[] = {1, 5, 1000, 200000, 1500000};

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		for (size_t k = 0; k < MAKERS; k++) {
			struct buf plain = {0}, file = {0};
			random_bytes(&plain, size[i]);
			plain.p[0] = 'x'; /* no magic number of ours */
			makers[k](&file, &plain, 1 + (int)kit_rnd(9));
			expect(&file, &plain, "");
			buf_free(&plain);
			buf_free(&file);
		}
}

/* A mapped file whose memory is given back as it is passed over. */
static void test_large(void **state)
{
	struct buf plain = {0}, got = {0};
	char said[DAMAGE];

	(void)state;
	for (uint32_t i = 0; i < 10000000; i++)
		buf_le32(&plain, i * 0x9e3779b1U);
	read_file(&got, &plain, 1, 3000000, said);
	assert_int_equal(got.n, plain.n);
	assert_memory_equal(got.p, plain.p, plain.n);
	buf_free(&plain);
	buf_free(&got);
}

/* Several units one after another, empty ones too. */
static void test_units(void **state)
{
	(void)state;
	for (size_t k = 1; k < MAKERS; k++) {
		struct buf plain = {0}, file = {0};
		for (int i = 0; i < 6; i++) {
			struct buf part = {0};
			buf_u8(&part, 0); /* a buffer, of no bytes */
			part.n = 0;
			random_bytes(&part, i == 2 ? 0 : 1 + (size_t)kit_rnd(250000));
			makers[k](&file, &part, 1 + i);
			buf_put(&plain, part.p, part.n);
			buf_free(&part);
		}
		expect(&file, &plain, "");
		size_t end = file.n;
		char want[DAMAGE];
		buf_put(&file, "garbage", 7);
		if (makers[k] == to_zstd)
			(void)snprintf(want, sizeof(want),
				"damaged zstd frame (Unknown frame descriptor) at byte %zu", end);
		else
			(void)snprintf(want, sizeof(want), "something else than %s follows at byte %zu",
				makers[k] == to_gzip ? "gzip" : "bzip2", end);
		expect(&file, &plain, want);
		buf_free(&plain);
		buf_free(&file);
	}
}

static void test_padding(void **state)
{
	struct buf plain = {0}, file = {0};

	(void)state;
	random_bytes(&plain, 5000);
	to_gzip(&file, &plain, 5);
	for (int i = 0; i < 700000; i++)
		buf_u8(&file, 0);
	expect(&file, &plain, "");
	buf_free(&plain);
	buf_free(&file);
}

static void test_levels(void **state)
{
	struct buf plain = {0};

	(void)state;
	all_bytes(&plain, 950000);
	for (int level = 1; level <= 9; level++) {
		struct buf file = {0};
		to_bzip2(&file, &plain, level);
		expect(&file, &plain, "");
		buf_free(&file);
	}
	buf_free(&plain);
}

/* A block of long runs gives fifty times its size. */
static void test_runs(void **state)
{
	struct buf plain = {0}, file = {0};

	(void)state;
	for (size_t i = 0; i < 12000000; i++)
		buf_u8(&plain, (uint8_t)(i / 259));
	to_bzip2(&file, &plain, 9);
	expect(&file, &plain, "");
	buf_free(&plain);
	buf_free(&file);
}

static void test_magic_inside(void **state)
{
	static const uint64_t magic[] = {MAGIC_BLOCK, MAGIC_END};
	struct bits_finder *f = malloc(sizeof(*f));

	(void)state;
	bits_finder_make(f);
	for (size_t k = 0; k < 2; k++) {
		struct buf plain = {0}, file = {0};
		magic_bytes(&plain, 6 * LEVEL1_BLOCK + 5000, magic[k]);
		to_bzip2(&file, &plain, 1);
		uint64_t at, n = 0;
		for (uint64_t from = 0; bits_find(f, &at, file.p, file.n, from); from = at + 1)
			n++;
		assert_int_equal(n, 7 + 7 + 1); /* blocks, as many by chance, the end */
		expect(&file, &plain, "");
		buf_free(&plain);
		buf_free(&file);
	}
	free(f);
}

/* ---- cut off and damaged ---- */

/* Where the blocks of a file end: the magic numbers but the first (there are none by chance). */
static size_t block_ends(const struct buf *file, uint64_t *end, size_t most)
{
	struct bits_finder *f = malloc(sizeof(*f));
	uint64_t at;
	size_t n = 0;

	bits_finder_make(f);
	assert_true(bits_find(f, &at, file->p, file->n, 0));
	while (bits_find(f, &at, file->p, file->n, at + 1)) {
		assert_true(n < most);
		end[n++] = at;
	}
	free(f);
	return n;
}

static void test_bzip2_cut(void **state)
{
	struct buf plain = {0}, file = {0};
	uint64_t end[16];
	char want[DAMAGE];

	(void)state;
	all_bytes(&plain, 3 * LEVEL1_BLOCK + 5000);
	to_bzip2(&file, &plain, 1);
	size_t n = block_ends(&file, end, 16);
	assert_int_equal(n, 4);
	for (int round = 0; round < 60; round++) {
		/* around a block's end, or anywhere */
		size_t cut = kit_rnd(2) ? (size_t)(end[kit_rnd(4)] / 8) - 6 + (size_t)kit_rnd(24)
					: 4 + (size_t)kit_rnd(file.n - 4);
		if (cut >= file.n)
			cut = file.n - 1;
		size_t whole = 0;
		while (whole < n && end[whole] <= (uint64_t)cut * 8)
			whole++;
		struct buf part = {file.p, cut, cut, false}, give = plain;
		give.n = whole == n ? plain.n : whole * LEVEL1_BLOCK;
		bool magic = whole == 0 ? cut >= 10 : end[whole - 1] + MAGIC_BITS <= (uint64_t)cut * 8;
		const char *what = whole == n && magic ? "bzip2 stream's end"
				   : magic             ? "bzip2 block"
						       : "bzip2 stream";
		if (whole > 0 && !magic) /* seen as what the block before runs into */
			what = "bzip2 block";
		(void)snprintf(want, sizeof(want), "cut off in the middle of a %s at byte %zu", what, cut);
		expect(&part, &give, want);
	}
	buf_free(&plain);
	buf_free(&file);
}

static void test_bzip2_damage(void **state)
{
	struct buf plain = {0}, file = {0};
	uint64_t end[16];

	(void)state;
	all_bytes(&plain, 5 * LEVEL1_BLOCK);
	to_bzip2(&file, &plain, 1);
	size_t n = block_ends(&file, end, 16);
	assert_int_equal(n, 5);
	for (int round = 0; round < 30; round++) {
		struct buf bad = {0}, got = {0};
		char said[DAMAGE];
		size_t at = 12 + (size_t)kit_rnd(file.n - 12 - 12), whole = 0;
		buf_put(&bad, file.p, file.n);
		bad.p[at] ^= (uint8_t)(1 + kit_rnd(255));
		while (whole < n && end[whole] <= (uint64_t)at * 8)
			whole++;
		read_file(&got, &bad, 3, 1000000, said);
		assert_true(got.n >= whole * LEVEL1_BLOCK); /* what is before is given */
		assert_true(got.n <= (whole + 1) * LEVEL1_BLOCK && got.n % LEVEL1_BLOCK == 0);
		assert_memory_equal(got.p, plain.p, got.n);
		assert_true(said[0]);
		buf_free(&bad);
		buf_free(&got);
	}
	buf_free(&plain);
	buf_free(&file);
}

/* All bytes that the library gives of what is there. */
static void test_stream_cut(void **state)
{
	static const char *const unit[] = {[1] = "gzip member", [3] = "zstd frame"};
	struct buf plain = {0};

	(void)state;
	for (int i = 0; i < 60000; i++)
		buf_put(&plain, &"some text that can be compressed\n"[kit_rnd(20)], 10);
	for (size_t k = 1; k < MAKERS; k += 2) {
		struct buf file = {0};
		size_t least = 0;
		makers[k](&file, &plain, 3);
		for (size_t i = 1; i < 40; i++) {
			struct buf part = {0}, got = {0};
			char said[DAMAGE], want[DAMAGE];
			buf_put(&part, file.p, file.n * i / 40);
			(void)snprintf(want, sizeof(want), "cut off in the middle of a %s at byte %zu",
				unit[k], part.n);
			read_pipe(&got, &part, 1, 4000, said);
			assert_string_equal(said, want);
			assert_true(got.n >= least && got.n < plain.n);
			if (got.n)
				assert_memory_equal(got.p, plain.p, got.n);
			least = got.n;
			buf_free(&part);
			buf_free(&got);
		}
		assert_true(least > plain.n / 2);
		buf_free(&file);
	}
	buf_free(&plain);
}

static void test_stream_damage(void **state)
{
	struct buf plain = {0}, file = {0}, got = {0};
	char said[DAMAGE];

	(void)state;
	random_bytes(&plain, 100000);
	to_gzip(&file, &plain, 6);
	file.p[file.n - 6] ^= 1; /* the sum */
	read_file(&got, &file, 1, 1000, said);
	assert_int_equal(got.n, plain.n);
	assert_non_null(strstr(said, "damaged gzip member (incorrect data check) at byte "));
	buf_free(&got);
	buf_free(&file);
	buf_free(&plain);
}

static void test_open(void **state)
{
	struct input *in;
	struct err e;
	struct buf none = {0};
	char said[DAMAGE];
	struct buf got = {0};
	const uint8_t *p;
	size_t n;

	(void)state;
	assert_int_equal(input_open(&in, "/nonexistent/file", 1, &e), STATUS_BAD);
	assert_string_equal(e.text, "/nonexistent/file: no such file");
	assert_int_equal(input_open(&in, "/tmp", 1, &e), STATUS_BAD);
	assert_string_equal(e.text, "/tmp: a directory");
	read_file(&got, &none, 1, 10, said);
	assert_int_equal(got.n, 0);
	read_pipe(&got, &none, 1, 10, said);
	assert_int_equal(got.n, 0);
	assert_int_equal(input_open(&in, "/dev/null", 1, &e), STATUS_OK);
	assert_int_equal(input_peek(in, INPUT_PIECE_MAX + 1, &p, &n, &e), STATUS_BAD);
	input_close(in);
}

/* ---- bits ---- */

static bool slow_find(uint64_t *at, const uint8_t *p, size_t n, uint64_t from)
{
	for (uint64_t b = from; b + MAGIC_BITS <= (uint64_t)n * 8; b++) {
		uint64_t v = 0;
		for (uint64_t i = b; i < b + MAGIC_BITS; i++)
			v = v << 1 | (p[i / 8] >> (7 - i % 8) & 1);
		if (v == MAGIC_BLOCK || v == MAGIC_END) {
			*at = b;
			return true;
		}
	}
	return false;
}

static void test_find(void **state)
{
	struct bits_finder *f = malloc(sizeof(*f));

	(void)state;
	bits_finder_make(f);
	for (int round = 0; round < 1000; round++) {
		struct buf b = {0};
		random_bytes(&b, 1 + (size_t)kit_rnd(80));
		for (uint64_t k = kit_rnd(4); k > 0 && b.n > 6; k--) { /* planted, over one another too */
			uint64_t at = kit_rnd(b.n * 8 - MAGIC_BITS),
				 magic = kit_rnd(2) ? MAGIC_BLOCK : MAGIC_END;
			for (uint64_t i = 0; i < MAGIC_BITS; i++) {
				uint8_t bit = (uint8_t)(0x80 >> (at + i) % 8);
				b.p[(at + i) / 8] &= (uint8_t)~bit;
				if (magic >> (47 - i) & 1)
					b.p[(at + i) / 8] |= bit;
			}
		}
		for (uint64_t from = 0; from < b.n * 8; from++) {
			uint64_t slow = 0, fast = 0;
			bool found = slow_find(&slow, b.p, b.n, from);
			assert_int_equal(bits_find(f, &fast, b.p, b.n, from), found);
			assert_int_equal(fast, slow);
		}
		buf_free(&b);
	}
	free(f);
}

static void test_copy(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct buf b = {0};
		random_bytes(&b, 1 + (size_t)kit_rnd(40));
		uint64_t from = kit_rnd(b.n * 8), n = kit_rnd(b.n * 8 - from + 1);
		uint8_t *to = malloc((size_t)(n / 8) + 1);
		bits_copy(to, b.p, from, n);
		for (uint64_t i = 0; i < (n / 8 + 1) * 8; i++) {
			bool want = i < n && (b.p[(from + i) / 8] >> (7 - (from + i) % 8) & 1);
			assert_int_equal(to[i / 8] >> (7 - i % 8) & 1, want);
		}
		free(to);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_magic_inside),
		cmocka_unit_test(test_bzip2_cut),
		cmocka_unit_test(test_bzip2_damage),
		cmocka_unit_test(test_stream_cut),
		cmocka_unit_test(test_stream_damage),
	};

	kit_seed("input");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
