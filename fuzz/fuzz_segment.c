/* The fuzzer's bytes are a segment file; checksums are put right first, so that it gets behind them.  It is
 * read whole and joined to flows, then once more without bursts and with a filter. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void le32_put(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t le32_get(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Rights the sums of a block at p, with n bytes to the end. */
static void block_right(uint8_t *p, size_t n)
{
	size_t summary = le32_get(p + 12), body = le32_get(p + 16);

	if (summary <= n - BLOCK_HEADER) {
		le32_put(p + 52, crc32c(p + BLOCK_HEADER, summary));
		if (body <= n - BLOCK_HEADER - summary)
			le32_put(p + 48, crc32c(p + BLOCK_HEADER + summary, body));
	}
	le32_put(p + 56, crc32c(p, 56));
}

/* From the back, so that blocks inside the index are right before the index is summed up. */
static void sums_right(uint8_t *p, size_t n)
{
	if (n >= SEGMENT_HEADER)
		le32_put(p + 28, crc32c(p, 28));
	if (n >= SEGMENT_TRAILER)
		le32_put(p + n - 8, crc32c(p + n - 32, 24));
	for (size_t at = n >= BLOCK_HEADER ? n - BLOCK_HEADER + 1 : 0; at-- > 0;)
		if (memcmp(p + at, block_marker, BLOCK_MARKER) == 0)
			block_right(p + at, n - at);
}

static int segment_fd(const uint8_t *p, size_t n)
{
	int fd = memfd_create("segment", 0);

	if (fd >= 0 && write(fd, p, n) != (ssize_t)n)
		abort();
	return fd;
}

static void read_all(int fd, const struct part_filter *f)
{
	struct segment *s = calloc(1, sizeof(*s));
	struct recording r = {0};
	struct parts p = {0};
	struct err e;

	if (s && segment_open_fd(s, fd, "fuzz", &e) == STATUS_OK) {
		s->quiet = true;
		if (parts_collect(&p, s, f, &e) == STATUS_OK) {
			struct store_query q = {.heads_only = f->heads_only};
			if (join_parts(&r, &p, &q, &e) == STATUS_OK &&
				coverage_merge(&r, p.cover, p.n_cover, &e) == STATUS_OK)
				(void)rewrite_mark(&r, &e);
			size_t n;
			(void)recording_blind(&r, "", (struct span){-1000, 1000}, &n);
		}
		segment_close(s, &world_real);
	}
	recording_free(&r);
	parts_free(&p);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct part_filter all = {.since_us = INT64_MIN, .until_us = INT64_MAX};
	const struct part_filter heads = {
		.since_us = 0, .until_us = INT64_MAX, .heads_only = true, .port = 22};
	uint8_t *p = malloc(size + 1);

	if (!p || size > 1 << 20) {
		free(p);
		return 0;
	}
	memcpy(p, data, size);
	if (size > 0 && (data[size - 1] & 1)) /* the other half of the inputs: as they are */
		sums_right(p, size);
	read_all(segment_fd(p, size), &all);
	read_all(segment_fd(p, size), &heads);
	free(p);
	return 0;
}
