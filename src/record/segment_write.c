/* One writer's segments: chunks come in, are buffered, and go out as blocks to a file of its own in
 * DIR/trains, which is closed with an index when it is large or old enough, or when somebody who wants to
 * rewrite it asks (rotate.h).
 *
 * What a durable flush acknowledged is on disk.  After a failure the chunks stay buffered for the next try;
 * what was written twice that way counts once for the reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/rotate.h"
#include "record/segment.h"

struct store_writer {
	const struct world *w;
	char dir[PATH_MAX - 128]; /* DIR/trains */
	uint64_t id;              /* of this writer, in each of its segments */
	struct stash stash;
	struct buf block;       /* the one that is being made */
	struct segment_out out; /* fd -1: no segment */
	struct mono opened;
	struct rotate_stamp stamp;
};

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
	s->out.fd = -1;
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

/* "20141124T151024Z-0123456789abcdef.seg": when its data begins, and a random number. */
static enum status segment_name(struct store_writer *s, int64_t first_us, char path[PATH_MAX], struct err *e)
{
	uint64_t r = 0;
	char when[32];
	struct tm tm;
	time_t t = (time_t)(first_us / SECOND_US);

	if (s->w->random(s->w->self, &r, sizeof(r)) != 0)
		return err_errno(e, "no random number");
	if (first_us < 0 || t > INT64_C(253402300799) || !gmtime_r(&t, &tm) ||
		strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0)
		(void)snprintf(when, sizeof(when), "00000000T000000Z");
	(void)snprintf(path, PATH_MAX, "%s/%s-%016llx.seg", s->dir, when, (unsigned long long)r);
	return STATUS_OK;
}

/* Begins a segment; the name is tried again where somebody who cleans up has just taken it. */
static enum status segment_begin(struct store_writer *s, int64_t first_us, struct err *e)
{
	char path[PATH_MAX];
	enum status st = STATUS_NO;

	s->stamp = rotate_stamp_read(s->dir);
	for (int i = 0; i < 3 && st == STATUS_NO; i++) {
		st = segment_name(s, first_us, path, e);
		if (st == STATUS_OK)
			st = out_begin(&s->out, s->w, path, s->id, e);
	}
	s->opened = s->w->mono(s->w->self);
	if (st == STATUS_NO)
		e->status = st = STATUS_MACHINE;
	return st;
}

static enum status segment_end(struct store_writer *s, struct err *e)
{
	if (s->out.fd < 0)
		return STATUS_OK;
	enum status st = out_index(&s->out, e);
	if (st == STATUS_OK && s->out.dirty)
		st = out_sync(&s->out, e);
	if (st == STATUS_OK)
		st = out_sync_dir(&s->out, e);
	out_leave(&s->out);
	return st;
}

static enum status segment_sync(struct store_writer *s, struct err *e)
{
	enum status st = STATUS_OK;

	if (s->out.fd < 0)
		return st;
	if (s->out.dirty)
		st = out_sync(&s->out, e);
	if (st == STATUS_OK)
		st = out_sync_dir(&s->out, e);
	if (st != STATUS_OK)
		out_leave(&s->out); /* what the kernel kept of it is not known: nothing more goes into this
				       file */
	return st;
}

static bool segment_full(const struct store_writer *s)
{
	if (s->out.fd < 0)
		return false;
	return s->out.length >= SEGMENT_BYTES || s->w->mono(s->w->self).us - s->opened.us >= SEGMENT_AGE_US ||
	       rotate_asked(s->dir, &s->stamp);
}

/* Makes a block of what is buffered and writes it; the first one gives the segment its name. */
static enum status stash_put(struct store_writer *s, struct err *e)
{
	struct block_head h;

	s->block.n = 0;
	s->block.failed = false;
	enum status st = block_write(&s->block, &s->stash, e);
	struct rd r = rd_of(s->block.p, s->block.n);
	if (st == STATUS_OK && !block_head_read(&h, &r))
		st = err_set(e, STATUS_BAD, "a block that cannot be read again");
	if (st == STATUS_OK && s->out.fd < 0)
		st = segment_begin(s, h.first_us, e);
	if (st == STATUS_OK)
		st = out_put(&s->out, &s->block, e);
	if (st == STATUS_OK && !s->out.named) {
		st = out_name(&s->out, e);
		if (st != STATUS_OK)
			out_drop(&s->out);
	}
	if (st == STATUS_OK)
		stash_reset(&s->stash);
	return st;
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
	out_drop(&s->out);
	stash_free(&s->stash);
	buf_free(&s->block);
	free(s);
	return st;
}
