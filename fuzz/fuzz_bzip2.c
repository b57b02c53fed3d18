/* Any bytes as a bzip2 file: the search for magic numbers and the shifting of bits equal slow ones, and what
 * the parallel reader gives is what libbz2 gives, read from the beginning to the end. */
#include <bzlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "map/input.h"
#include "map/input_bits.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define OUT_MAX ((size_t)4 << 20) /* a few bytes can stand for many */

static bool bit_at(const uint8_t *p, uint64_t i)
{
	return p[i / 8] >> (7 - i % 8) & 1;
}

static void bits_check(const uint8_t *p, size_t n)
{
	static struct bits_finder f;
	uint64_t v = 0, next = 0, at;

	bits_finder_make(&f);
	bool found = bits_find(&f, &next, p, n, 0);
	for (uint64_t i = 0; i < (uint64_t)n * 8; i++) {
		v = (v << 1 | bit_at(p, i)) & ((UINT64_C(1) << MAGIC_BITS) - 1);
		if (i + 1 < MAGIC_BITS || (v != MAGIC_BLOCK && v != MAGIC_END))
			continue;
		if (!found || next != i + 1 - MAGIC_BITS)
			abort();
		found = bits_find(&f, &at, p, n, next + 1);
		next = at;
	}
	if (found)
		abort();
}

static void copy_check(const uint8_t *p, size_t n)
{
	uint64_t from = p[0] % 64 < n * 8 ? p[0] % 64 : 0, count = (uint64_t)n * 8 - from;
	uint8_t *to = malloc(n + 1);

	if (!to)
		return;
	count -= p[n - 1] % 8 < count ? p[n - 1] % 8 : 0;
	bits_copy(to, p, from, count);
	for (uint64_t i = 0; i < count; i++)
		if (bit_at(to, i) != bit_at(p, from + i))
			abort();
	free(to);
}

/* What libbz2 gives of all streams; *whole: to the end, without a fault. */
static void slow_read(struct buf *out, uint8_t *p, size_t n, bool *whole)
{
	char piece[4096];
	int r = BZ_STREAM_END;
	bz_stream z = {.next_in = (char *)p, .avail_in = (unsigned)n};

	while (r == BZ_STREAM_END && z.avail_in > 0 && out->n < OUT_MAX) {
		bz_stream s = {.next_in = z.next_in, .avail_in = z.avail_in};
		if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK)
			abort();
		do {
			s.next_out = piece;
			s.avail_out = sizeof(piece);
			r = BZ2_bzDecompress(&s);
			buf_put(out, piece, sizeof(piece) - s.avail_out);
		} while (r == BZ_OK && s.avail_out == 0 && out->n < OUT_MAX);
		z.next_in = s.next_in;
		z.avail_in = s.avail_in;
		(void)BZ2_bzDecompressEnd(&s);
	}
	*whole = r == BZ_STREAM_END && z.avail_in == 0;
}

static void fast_read(struct buf *out, const uint8_t *p, size_t n, bool *whole)
{
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct input *in;
	struct err e;
	const uint8_t *q;
	size_t k;

	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (input_open(&in, path, 2, &e) != STATUS_OK)
		abort();
	while (input_peek(in, 1, &q, &k, &e) == STATUS_OK && k > 0 && out->n < OUT_MAX) {
		buf_put(out, q, k);
		input_skip(in, k);
	}
	*whole = !input_damage(in);
	input_close(in);
	(void)close(fd);
}

/* A fault that libbz2 meets inside a block it tells before that block's bytes; level and sum are looked at by
 * one side earlier than by the other: so one begins as the other. */
static void file_check(uint8_t *p, size_t n)
{
	struct buf slow = {0}, fast = {0};
	bool slow_whole, fast_whole;

	slow_read(&slow, p, n, &slow_whole);
	fast_read(&fast, p, n, &fast_whole);
	size_t less = slow.n < fast.n ? slow.n : fast.n;
	if (less && memcmp(slow.p, fast.p, less) != 0)
		abort();
	if (slow_whole && less < OUT_MAX && (slow.n != fast.n || !fast_whole))
		abort();
	buf_free(&slow);
	buf_free(&fast);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	bits_check(p, n);
	copy_check(p, n);
	uint8_t *file = malloc(n + 4);
	if (!file)
		return 0;
	memcpy(file, "BZh1", 4); /* as bytes of a first stream, whatever they are */
	memcpy(file + 4, p, n);
	file_check(file, n + 4);
	free(file);
	return 0;
}
