/* One writer's segments: chunks come in, are buffered, and go out as blocks to a file of its own in
 * DIR/trains, which is locked (flock) as long as it grows, and closed with an index when it is large or old
 * enough.
 *
 * What a durable flush acknowledged is on disk.  A write that fails is taken back by cutting the file to the
 * last whole block; the chunks stay buffered for the next try.  See doc/record-format.md, "Segment". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/segment.h"

static const uint8_t segment_magic[8] = {'w', 'e', 'i', 'r', 's', 'e', 'g', '\n'};
const uint8_t segment_trailer_mark[4] = {'W', 'E', 'N', 'D'};

struct store_writer {
	const struct world *w;
	char dir[PATH_MAX - 128];
	char path[PATH_MAX]; /* of the segment, "" while there is none */
	uint64_t id;         /* of this writer, in each of its segments */
	struct stash stash;
	struct buf out;  /* the block that is being made */
	int fd;          /* -1: no segment */
	bool named;      /* renamed to *.seg */
	bool linked;     /* and the directory synced since */
	bool dirty;      /* written since the last fsync */
	uint64_t length; /* bytes of whole blocks in the file */
	struct mono opened;
	int64_t first_us, last_us; /* of all its blocks */
	struct buf index;          /* body of the index so far */
	uint32_t n_index;
	uint64_t last_offset; /* of the last block in the index */
};

void segment_header_put(struct buf *to, uint64_t writer)
{
	size_t at = to->n;

	buf_put(to, segment_magic, sizeof(segment_magic));
	buf_le32(to, STORE_FORMAT);
	buf_le32(to, 0);
	buf_le64(to, writer);
	buf_le32(to, 0);
	if (!to->failed)
		buf_le32(to, crc32c(to->p + at, to->n - at));
}

int segment_header_read(uint64_t *writer, struct rd *r)
{
	const uint8_t *p = rd_take(r, SEGMENT_HEADER);

	if (!p || memcmp(p, segment_magic, sizeof(segment_magic)) != 0)
		return -1;
	struct rd h = rd_of(p, SEGMENT_HEADER);
	rd_skip(&h, sizeof(segment_magic));
	uint32_t version = rd_le32(&h);
	uint32_t flags = rd_le32(&h);
	*writer = rd_le64(&h);
	rd_skip(&h, 4);
	uint32_t crc = rd_le32(&h);
#ifndef WEIR_FUZZ_NO_CRC
	if (crc32c(p, SEGMENT_HEADER - 4) != crc)
		return -1;
#else
	(void)crc;
#endif
	return version != STORE_FORMAT || flags != 0 ? 1 : 0;
}

enum status store_writer_open(struct store_writer **to, const struct world *w, const char *dir, struct err *e)
{
	*to = NULL;
	enum status st = store_prepare(w, dir, e);
	if (st != STATUS_OK)
		return st;
	struct store_writer *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(e);
	s->w = w;
	s->fd = -1;
	if (snprintf(s->dir, sizeof(s->dir), "%s/trains", dir) >= (int)sizeof(s->dir))
		st = err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	else if (w->random(w->self, &s->id, sizeof(s->id)) != 0)
		st = err_errno(e, "no random number");
	if (st != STATUS_OK) {
		free(s);
		return st;
	}
	*to = s;
	return STATUS_OK;
}

/* "20141124T151024Z-0123456789abcdef": when its data begins, and a random number. */
static enum status segment_name(struct store_writer *s, struct err *e)
{
	uint64_t r = 0;
	char when[32];
	struct tm tm;
	time_t t = (time_t)(s->first_us / SECOND_US);

	if (s->w->random(s->w->self, &r, sizeof(r)) != 0)
		return err_errno(e, "no random number");
	if (s->first_us < 0 || s->first_us / SECOND_US > INT64_C(253402300799) || !gmtime_r(&t, &tm) ||
		strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0)
		(void)snprintf(when, sizeof(when), "00000000T000000Z");
	(void)snprintf(s->path, sizeof(s->path), "%s/%s-%016llx.seg", s->dir, when, (unsigned long long)r);
	return STATUS_OK;
}

/* Forgets the segment that is open; the next block begins another. */
static void segment_leave(struct store_writer *s)
{
	if (s->fd >= 0)
		(void)s->w->close(s->w->self, s->fd);
	s->fd = -1;
	s->path[0] = '\0';
	s->named = false;
	s->linked = false;
	s->dirty = false;
	s->length = 0;
	s->index.n = 0;
	s->n_index = 0;
	s->last_offset = 0;
}

/* Begins a segment under a temporary name, locked before anybody can see it. */
static enum status segment_begin(struct store_writer *s, int64_t first_us, struct err *e)
{
	char tmp[PATH_MAX + 8];
	struct buf b = {0};

	s->first_us = first_us;
	s->last_us = INT64_MIN;
	enum status st = segment_name(s, e);
	if (st != STATUS_OK)
		return st;
	(void)snprintf(tmp, sizeof(tmp), "%s.tmp", s->path);
	s->fd = s->w->open(s->w->self, tmp, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0640);
	if (s->fd < 0) {
		st = err_errno(e, "%s", tmp);
		segment_leave(s);
		return st;
	}
	segment_header_put(&b, s->id);
	if (b.failed)
		st = err_nomem(e);
	else if (flock(s->fd, LOCK_EX | LOCK_NB) != 0 || world_write_all(s->w, s->fd, b.p, b.n) != 0)
		st = err_errno(e, "%s", tmp);
	s->length = b.n;
	buf_free(&b);
	if (st != STATUS_OK) {
		(void)s->w->unlink(s->w->self, tmp);
		segment_leave(s);
	}
	s->opened = s->w->mono(s->w->self);
	return st;
}

/* Gives the segment its name.  Until then readers do not see it. */
static enum status segment_show(struct store_writer *s, struct err *e)
{
	char tmp[PATH_MAX + 8];

	(void)snprintf(tmp, sizeof(tmp), "%s.tmp", s->path);
	if (s->w->rename(s->w->self, tmp, s->path) != 0)
		return err_errno(e, "%s", s->path);
	s->named = true;
	return STATUS_OK;
}

/* Writes s->out behind what is there; on failure the file is as before, or is left behind for good. */
static enum status block_put(struct store_writer *s, struct err *e)
{
	if (world_write_all(s->w, s->fd, s->out.p, s->out.n) == 0) {
		s->length += s->out.n;
		s->dirty = true;
		return s->named ? STATUS_OK : segment_show(s, e);
	}
	enum status st = err_errno(e, "%s: offset %llu: a block of %zu bytes was not written and taken back",
		s->path, (unsigned long long)s->length, s->out.n);
	if (s->w->ftruncate(s->w->self, s->fd, (off_t)s->length) != 0)
		segment_leave(s); /* readers cut the torn tail by its size */
	return st;
}

/* The index entry of the block that stands in s->out: distance, header, summary. */
static void index_add(struct store_writer *s, uint64_t offset)
{
	struct rd r = rd_of(s->out.p, s->out.n);
	struct block_head h;

	if (!block_head_read(&h, &r) || !block_summary_read(&h, &r))
		return;
	buf_varint(&s->index, offset - s->last_offset);
	buf_put(&s->index, s->out.p, (size_t)(r.p - s->out.p));
	s->last_offset = offset;
	s->n_index++;
	s->first_us = h.first_us < s->first_us ? h.first_us : s->first_us;
	s->last_us = h.last_us > s->last_us ? h.last_us : s->last_us;
}

/* Index and trailer.  A segment without them is as good, only slower to read: a failure here loses nothing.
 */
static enum status index_put(struct store_writer *s, struct err *e)
{
	struct block_head h = {
		.kind = BLOCK_INDEX, .chunks = s->n_index, .first_us = s->first_us, .last_us = s->last_us};
	struct buf none = {0};
	uint64_t at = s->length;

	if (s->index.failed || s->index.n > BLOCK_PART_MAX)
		return STATUS_OK;
	s->out.n = 0;
	enum status st = block_wrap(&s->out, &h, &none, &s->index, e);
	size_t tail = s->out.n;
	buf_le64(&s->out, at);
	buf_le64(&s->out, (uint64_t)s->first_us);
	buf_le64(&s->out, (uint64_t)s->last_us);
	if (!s->out.failed)
		buf_le32(&s->out, crc32c(s->out.p + tail, s->out.n - tail));
	buf_put(&s->out, segment_trailer_mark, sizeof(segment_trailer_mark));
	if (st == STATUS_OK && s->out.failed)
		st = err_nomem(e);
	return st == STATUS_OK ? block_put(s, e) : st;
}

static enum status segment_sync(struct store_writer *s, struct err *e)
{
	if (s->fd < 0 || !s->dirty)
		return STATUS_OK;
	if (s->w->fsync(s->w->self, s->fd) != 0 || (!s->linked && world_sync_dir(s->w, s->path) != 0)) {
		/* What the kernel kept of it is not known: nothing more goes into this file. */
		enum status st = err_errno(e, "%s: not synced", s->path);
		segment_leave(s);
		return st;
	}
	s->dirty = false;
	s->linked = true;
	return STATUS_OK;
}

static enum status segment_end(struct store_writer *s, struct err *e)
{
	if (s->fd < 0)
		return STATUS_OK;
	enum status st = index_put(s, e);
	if (st == STATUS_OK)
		st = segment_sync(s, e);
	segment_leave(s);
	return st;
}

static bool segment_full(const struct store_writer *s)
{
	return s->fd >= 0 &&
	       (s->length >= SEGMENT_BYTES || s->w->mono(s->w->self).us - s->opened.us >= SEGMENT_AGE_US);
}

/* Makes a block of what is buffered and writes it. */
static enum status stash_put(struct store_writer *s, struct err *e)
{
	struct block_head h;
	enum status st;

	s->out.n = 0;
	s->out.failed = false;
	st = block_write(&s->out, &s->stash, e);
	struct rd r = rd_of(s->out.p, s->out.n);
	if (st == STATUS_OK && !block_head_read(&h, &r))
		st = err_set(e, STATUS_BAD, "a block that cannot be read again");
	if (st == STATUS_OK && s->fd < 0)
		st = segment_begin(s, h.first_us, e);
	if (st != STATUS_OK)
		return st;
	uint64_t at = s->length;
	st = block_put(s, e);
	if (st != STATUS_OK)
		return st;
	index_add(s, at);
	stash_reset(&s->stash);
	return STATUS_OK;
}

enum status store_flush(struct store_writer *s, bool durable, struct err *e)
{
	enum status st = STATUS_OK;

	if (!stash_empty(&s->stash))
		st = stash_put(s, e);
	if (st == STATUS_OK && durable)
		st = segment_sync(s, e);
	if (st == STATUS_OK && segment_full(s))
		st = segment_end(s, e);
	return st == STATUS_OK ? st : err_wrap(e, "store");
}

/* Flushes when a block is full; where that fails the buffer does not grow. */
static enum status room_make(struct store_writer *s, struct err *e)
{
	if (stash_size(&s->stash) < BLOCK_RAW_TARGET)
		return STATUS_OK;
	return store_flush(s, false, e);
}

enum status store_append(struct store_writer *s, const struct chunk *c, struct err *e)
{
	enum status st = room_make(s, e);

	return st == STATUS_OK ? stash_chunk(&s->stash, c, e) : st;
}

enum status store_cover(struct store_writer *s, const struct coverage *c, struct err *e)
{
	enum status st = room_make(s, e);

	return st == STATUS_OK ? stash_cover(&s->stash, c, e) : st;
}

enum status store_writer_close(struct store_writer *s, struct err *e)
{
	if (!s)
		return STATUS_OK;
	enum status st = store_flush(s, true, e);
	if (st == STATUS_OK)
		st = segment_end(s, e);
	segment_leave(s);
	stash_free(&s->stash);
	buf_free(&s->out);
	buf_free(&s->index);
	free(s);
	return st;
}
