/* One segment file that grows: blocks come in and are appended, index and trailer close it.  The file is made
 * under a temporary name, locked (flock) before it has any other, and stays locked until it is left: who
 * finds it unlocked may rewrite or remove it.  A write that fails is taken back by cutting the file to its
 * last whole block.
 *
 * See doc/record-format.md, "Segment". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "record/segment.h"

static const uint8_t segment_magic[8] = {'w', 'e', 'i', 'r', 's', 'e', 'g', '\n'};
const uint8_t segment_trailer_mark[4] = {'W', 'E', 'N', 'D'};

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
	if (crc32c(p, SEGMENT_HEADER - 4) != crc)
		return -1;
	return version != STORE_FORMAT || flags != 0 ? 1 : 0;
}

static char *tmp_name(char to[PATH_MAX + 8], const struct segment_out *o)
{
	(void)snprintf(to, PATH_MAX + 8, "%s.tmp", o->path);
	return to;
}

void out_leave(struct segment_out *o)
{
	if (o->fd >= 0)
		(void)o->w->close(o->w->self, o->fd);
	o->fd = -1;
	buf_free(&o->index);
}

void out_drop(struct segment_out *o)
{
	char tmp[PATH_MAX + 8];

	if (o->fd >= 0 && !o->named)
		(void)o->w->unlink(o->w->self, tmp_name(tmp, o));
	out_leave(o);
}

/* Opens the temporary file and locks it.  Somebody who cleans up may have taken it in between (its link is
 * gone, or it is locked): STATUS_NO. */
static enum status tmp_open(struct segment_out *o, struct err *e)
{
	char tmp[PATH_MAX + 8];
	struct stat st;

	o->fd = o->w->open(o->w->self, tmp_name(tmp, o), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
	if (o->fd < 0)
		return errno == EEXIST ? STATUS_NO : err_errno(e, "%s", tmp);
	if (flock(o->fd, LOCK_EX | LOCK_NB) != 0 || fstat(o->fd, &st) != 0 || st.st_nlink == 0) {
		out_leave(o);
		return STATUS_NO;
	}
	return STATUS_OK;
}

enum status out_begin(
	struct segment_out *o, const struct world *w, const char *path, uint64_t writer, struct err *e)
{
	struct buf b = {0};

	*o = (struct segment_out){.w = w, .fd = -1, .first_us = INT64_MAX, .last_us = INT64_MIN};
	(void)snprintf(o->path, sizeof(o->path), "%s", path);
	enum status st = tmp_open(o, e);
	if (st != STATUS_OK)
		return st == STATUS_NO ? err_set(e, STATUS_NO, "%s.tmp: taken by another process", path) : st;
	segment_header_put(&b, writer);
	if (b.failed)
		st = err_nomem(e);
	else if (world_write_all(w, o->fd, b.p, b.n) != 0)
		st = err_errno(e, "%s.tmp", path);
	o->length = b.n;
	buf_free(&b);
	if (st != STATUS_OK)
		out_drop(o);
	return st;
}

/* The index entry of a block: distance to the one before, header, summary. */
static enum status index_add(struct segment_out *o, const struct buf *block, uint64_t offset, struct err *e)
{
	struct rd r = rd_of(block->p, block->n);
	struct block_head h;

	if (!block_head_read(&h, &r) || !block_summary_read(&h, &r) || block_size(&h) != block->n)
		return err_set(e, STATUS_BAD, "%s: a block that cannot be read again", o->path);
	buf_varint(&o->index, offset - o->last_offset);
	buf_put(&o->index, block->p, (size_t)(r.p - block->p));
	o->last_offset = offset;
	o->blocks++;
	o->first_us = h.first_us < o->first_us ? h.first_us : o->first_us;
	o->last_us = h.last_us > o->last_us ? h.last_us : o->last_us;
	return STATUS_OK;
}

static enum status bytes_put(struct segment_out *o, const struct buf *b, struct err *e)
{
	if (world_write_all(o->w, o->fd, b->p, b->n) == 0) {
		o->length += b->n;
		o->dirty = true;
		return STATUS_OK;
	}
	enum status st =
		err_errno(e, "%s: offset %llu: %zu bytes were not written; cut back to what was there",
			o->path, (unsigned long long)o->length, b->n);
	if (o->w->ftruncate(o->w->self, o->fd, (off_t)o->length) != 0)
		out_leave(o); /* readers cut the torn tail by its size */
	return st;
}

enum status out_put(struct segment_out *o, const struct buf *block, struct err *e)
{
	uint64_t at = o->length;
	enum status st = bytes_put(o, block, e);

	return st == STATUS_OK ? index_add(o, block, at, e) : st;
}

/* Index and trailer.  A segment without them is as good, only slower to read. */
enum status out_index(struct segment_out *o, struct err *e)
{
	struct block_head h = {
		.kind = BLOCK_INDEX, .chunks = o->blocks, .first_us = o->first_us, .last_us = o->last_us};
	struct buf none = {0}, b = {0};

	if (o->index.failed || o->index.n > BLOCK_PART_MAX || o->blocks == 0)
		return STATUS_OK;
	enum status st = block_wrap(&b, &h, &none, &o->index, e);
	size_t tail = b.n;
	buf_le64(&b, o->length);
	buf_le64(&b, (uint64_t)o->first_us);
	buf_le64(&b, (uint64_t)o->last_us);
	if (!b.failed)
		buf_le32(&b, crc32c(b.p + tail, b.n - tail));
	buf_put(&b, segment_trailer_mark, sizeof(segment_trailer_mark));
	if (st == STATUS_OK)
		st = b.failed ? err_nomem(e) : bytes_put(o, &b, e);
	buf_free(&b);
	return st;
}

enum status out_name(struct segment_out *o, struct err *e)
{
	char tmp[PATH_MAX + 8];

	if (o->w->rename(o->w->self, tmp_name(tmp, o), o->path) != 0)
		return err_errno(e, "%s", o->path);
	o->named = true;
	return STATUS_OK;
}

enum status out_sync(struct segment_out *o, struct err *e)
{
	if (o->w->fsync(o->w->self, o->fd) != 0)
		return err_errno(e, "%s: not synced", o->path);
	o->dirty = false;
	return STATUS_OK;
}

enum status out_sync_dir(struct segment_out *o, struct err *e)
{
	if (o->linked)
		return STATUS_OK;
	if (world_sync_dir(o->w, o->path) != 0)
		return err_errno(e, "%s: its directory was not synced", o->path);
	o->linked = true;
	return STATUS_OK;
}
