/* A segment file comes in, its blocks of trains go out one after the other: by the index where the segment
 * was closed, else by walking from header to header.  What does not check is named in a log line and passed
 * over; a torn tail is cut by its size.  Never more memory than BLOCK_PART_MAX per part.  See
 * doc/record-format.md, "Reading". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/log.h"
#include "record/segment.h"

#define WINDOW    ((size_t)256 << 10)
#define LOG_LINES 8 /* for one segment; the rest is counted */

/* At most n bytes from `at`.  -1 with errno; 0 at the end. */
static ssize_t read_at(const struct segment *s, void *to, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t k = pread(s->fd, (uint8_t *)to + have, n - have, (off_t)(at + have));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		have += (size_t)k;
	}
	return (ssize_t)have;
}

static bool buf_size(struct buf *b, size_t n)
{
	if (b->cap < n) {
		buf_free(b);
		b->p = malloc(n);
		b->cap = b->p ? n : 0;
	}
	b->n = b->p ? n : 0;
	return b->p != NULL;
}

/* A reader of the bytes from `at`, at least n of them where the file has so many. */
static enum status window_at(struct segment *s, uint64_t at, size_t n, struct rd *r, struct err *e)
{
	uint64_t end = s->window_at + s->window.n;

	if (at < s->window_at || at + n > end) {
		size_t want = n > WINDOW ? n : WINDOW;
		if (s->size - at < want)
			want = (size_t)(s->size - at);
		if (!buf_size(&s->window, want ? want : 1))
			return err_nomem(e);
		ssize_t k = read_at(s, s->window.p, want, at);
		if (k < 0)
			return err_errno(e, "%s: offset %llu", s->path, (unsigned long long)at);
		s->window.n = (size_t)k;
		s->window_at = at;
		end = at + (uint64_t)k;
	}
	*r = rd_of(s->window.p + (at - s->window_at), (size_t)(end - at));
	return STATUS_OK;
}

void segment_damage(struct segment *s, uint64_t offset, const char *what, uint64_t chunks)
{
	s->damaged++;
	if (!s->quiet && s->logged++ < LOG_LINES)
		log_line("%s: offset %llu: %s; skipped, %llu parts of flows are lost", s->path,
			(unsigned long long)offset, what, (unsigned long long)chunks);
}

/* Reads the trailer and the index it names.  Where they do not check the segment is walked. */
static enum status trailer_read(struct segment *s, struct err *e)
{
	uint8_t t[SEGMENT_TRAILER];

	if (s->size < SEGMENT_HEADER + SEGMENT_TRAILER)
		return STATUS_OK;
	if (read_at(s, t, sizeof(t), s->size - sizeof(t)) != (ssize_t)sizeof(t))
		return err_errno(e, "%s", s->path);
	struct rd r = rd_of(t, sizeof(t));
	s->index_at = rd_le64(&r);
	s->first_us = (int64_t)rd_le64(&r);
	s->last_us = (int64_t)rd_le64(&r);
	uint32_t crc = rd_le32(&r);
	if (memcmp(r.p, segment_trailer_mark, sizeof(segment_trailer_mark)) != 0)
		return STATUS_OK;
	if (crc32c(t, 24) != crc)
		return STATUS_OK;
	s->closed = s->index_at >= SEGMENT_HEADER && s->index_at <= s->size - SEGMENT_TRAILER;
	s->end -= s->closed ? SEGMENT_TRAILER : 0;
	return STATUS_OK;
}

/* Reads the header.  One that does not check is passed over, for blocks stand for themselves. */
static enum status header_read(struct segment *s, const uint8_t *p, size_t n, struct err *e)
{
	struct rd r = rd_of(p, n);
	int v = segment_header_read(&s->writer, &r);

	if (v > 0)
		return err_set(e, STATUS_BAD, "%s: offset 0: a segment of a newer weir; the file was skipped",
			s->path);
	s->at = s->whole = SEGMENT_HEADER;
	if (v == 0)
		return STATUS_OK;
	s->at = s->whole = 0;
	s->writer = crc32c(s->path, strlen(s->path)); /* nobody else's, for all we know */
	s->headless = true;
	return STATUS_OK;
}

enum status segment_open_fd(struct segment *s, int fd, const char *path, struct err *e)
{
	uint8_t h[SEGMENT_HEADER];
	struct stat st;

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	(void)snprintf(s->path, sizeof(s->path), "%s", path);
	ssize_t n = fstat(fd, &st) == 0 ? read_at(s, h, sizeof(h), 0) : -1;
	enum status status = n < 0 ? err_errno(e, "%s", path) : STATUS_OK;
	if (n >= 0)
		s->size = s->end = (uint64_t)st.st_size;
	if (status == STATUS_OK)
		status = header_read(s, h, (size_t)n, e);
	if (status == STATUS_OK)
		status = trailer_read(s, e);
	if (status != STATUS_OK)
		(void)close(fd);
	return status;
}

enum status segment_open(struct segment *s, const struct world *w, const char *path, struct err *e)
{
	int fd = w->open(w->self, path, O_RDONLY, 0);

	if (fd < 0)
		return errno == ENOENT ? STATUS_NO : err_errno(e, "%s", path);
	return segment_open_fd(s, fd, path, e);
}

void segment_close(struct segment *s, const struct world *w)
{
	if (s->logged > LOG_LINES)
		log_line(
			"%s: %llu more damaged places", s->path, (unsigned long long)(s->logged - LOG_LINES));
	(void)w->close(w->self, s->fd);
	buf_free(&s->index);
	buf_free(&s->window);
	buf_free(&s->body);
	buf_free(&s->raw);
	s->fd = -1;
}

/* Header at `at`.  STATUS_NO: none there. */
static enum status head_at(struct segment *s, uint64_t at, struct block_head *h, struct err *e)
{
	struct rd r;
	enum status st = window_at(s, at, BLOCK_HEADER, &r, e);

	if (st == STATUS_OK && !block_head_read(h, &r))
		st = STATUS_NO;
	h->offset = at;
	return st;
}

/* Summary of h.  STATUS_NO: does not check. */
static enum status summary_at(struct segment *s, struct block_head *h, struct err *e)
{
	struct rd r;
	enum status st = window_at(s, h->offset + BLOCK_HEADER, h->summary_len, &r, e);

	return st == STATUS_OK && !block_summary_read(h, &r) ? STATUS_NO : st;
}

/* The next place from `at` on where a block begins.  STATUS_NO: none up to the end. */
static enum status resync(struct segment *s, uint64_t at, struct block_head *h, struct err *e)
{
	struct rd r;

	while (at + BLOCK_HEADER <= s->end) {
		enum status st = window_at(s, at, BLOCK_HEADER, &r, e);
		if (st != STATUS_OK)
			return st;
		if (rd_left(&r) < BLOCK_HEADER)
			break;
		const uint8_t *hit = memmem(r.p, rd_left(&r), block_marker, BLOCK_MARKER);
		if (!hit) {
			at += rd_left(&r) - BLOCK_MARKER + 1;
			continue;
		}
		at += (uint64_t)(hit - r.p);
		st = head_at(s, at, h, e);
		if (st != STATUS_NO)
			return st;
		at++;
	}
	return STATUS_NO;
}

/* Is what follows `at`, and holds no whole header, only a torn tail: the beginning of a header, or bytes that
 * were never written? */
static bool tail_torn(struct segment *s, uint64_t at)
{
	struct err e;
	struct rd r;

	if (window_at(s, at, BLOCK_HEADER, &r, &e) != STATUS_OK)
		return false;
	if (s->end - at < BLOCK_HEADER) {
		size_t n = rd_left(&r) < BLOCK_MARKER ? rd_left(&r) : BLOCK_MARKER;
		if (memcmp(r.p, block_marker, n) == 0)
			return true;
	}
	for (size_t i = 0; i < rd_left(&r); i++)
		if (r.p[i] != 0)
			return false;
	return true;
}

/* Walks to the next header; a block that is not whole is a torn tail and ends the segment. */
static enum status walk(struct segment *s, struct block_head *h, struct err *e)
{
	if (s->at >= s->end)
		return STATUS_NO;
	enum status st = head_at(s, s->at, h, e);
	if (st == STATUS_NO) {
		uint64_t bad = s->at;
		st = resync(s, s->at + 1, h, e);
		if (st == STATUS_OK && bad > 0) /* at 0 the header has been named */
			segment_damage(s, bad, "no block begins here", 0);
		else if (st == STATUS_NO && !tail_torn(s, bad))
			segment_damage(s, bad, "no block from here to the end", 0);
	}
	if (st != STATUS_OK)
		return st;
	s->at = h->offset + block_size(h);
	if (s->at > s->end)
		return STATUS_NO;
	s->whole = s->at;
	return STATUS_OK;
}

uint64_t segment_tail(const struct segment *s)
{
	return s->closed ? 0 : s->end - s->whole;
}

/* Walks to the next block of trains whose summary checks. */
static enum status by_walking(struct segment *s, struct block_head *h, struct err *e)
{
	for (;;) {
		enum status st = walk(s, h, e);
		if (st != STATUS_OK)
			return st;
		if (h->kind != BLOCK_TRAINS)
			continue;
		st = summary_at(s, h, e);
		if (st != STATUS_NO)
			return st;
		segment_damage(s, h->offset, "a block whose summary is damaged", h->chunks);
	}
}

/* The index of a closed segment, unpacked; on any doubt the segment counts as not closed and is walked. */
static void index_load(struct segment *s)
{
	struct block_head h;
	struct rd r;
	struct err e;
	uint64_t damaged = s->damaged, logged = s->logged;

	s->closed = head_at(s, s->index_at, &h, &e) == STATUS_OK && h.kind == BLOCK_INDEX &&
		    s->index_at + block_size(&h) == s->end && segment_body(s, &h, &r, &e) == STATUS_OK;
	if (!s->closed) {
		s->damaged = damaged;
		s->logged = logged;
		return;
	}
	s->index = s->raw; /* the body stays ours while other bodies are read */
	s->raw = (struct buf){0};
	s->index_left = rd_of(s->index.p, s->index.n);
	s->at = 0;
}

static enum status by_index(struct segment *s, struct block_head *h)
{
	if (rd_left(&s->index_left) == 0)
		return STATUS_NO;
	s->at += rd_varint(&s->index_left);
	if (!block_head_read(h, &s->index_left) || !block_summary_read(h, &s->index_left) ||
		s->at > s->index_at || block_size(h) > s->index_at - s->at)
		return STATUS_BAD;
	h->offset = s->at;
	return STATUS_OK;
}

enum status segment_next(struct segment *s, struct block_head *h, struct err *e)
{
	enum status st;

	if (s->headless && s->size > 0)
		segment_damage(s, 0, "not the header of a segment; its blocks are looked for", 0);
	s->headless = false;
	if (s->closed && !s->index.p)
		index_load(s);
	if (!s->closed)
		return by_walking(s, h, e);
	st = by_index(s, h);
	if (st == STATUS_BAD) {
		segment_damage(s, s->index_at, "an index that lies", 0);
		st = STATUS_NO;
	}
	return st;
}

static bool unpack(struct segment *s, const struct block_head *h)
{
	if (h->codec == CODEC_STORED && h->raw_len == h->body_len) {
		struct buf t = s->raw;
		s->raw = s->body;
		s->body = t;
		return true;
	}
	if (h->codec != CODEC_ZSTD || !buf_size(&s->raw, h->raw_len ? h->raw_len : 1))
		return false;
	size_t n = ZSTD_decompress(s->raw.p, h->raw_len, s->body.p, s->body.n);
	s->raw.n = h->raw_len;
	return !ZSTD_isError(n) && n == h->raw_len;
}

enum status segment_body(struct segment *s, const struct block_head *h, struct rd *body, struct err *e)
{
	if (!buf_size(&s->body, h->body_len ? h->body_len : 1))
		return err_nomem(e);
	ssize_t n = read_at(s, s->body.p, h->body_len, h->offset + BLOCK_HEADER + h->summary_len);
	if (n < 0)
		return err_errno(e, "%s: offset %llu", s->path, (unsigned long long)h->offset);
	s->body.n = h->body_len;
	bool ok = (size_t)n == h->body_len;
	ok = ok && crc32c(s->body.p, s->body.n) == h->body_crc;
	if (!ok || !unpack(s, h)) {
		segment_damage(s, h->offset,
			ok ? "a block that cannot be unpacked" : "a block whose checksum is wrong",
			h->chunks);
		return STATUS_BAD;
	}
	*body = rd_of(s->raw.p, h->raw_len);
	return STATUS_OK;
}
