/* A sheet is written: sections one behind the other into a temporary file beside its place, head and table
 * last, then synced and renamed.  What fails or is killed before the rename leaves nothing under its name. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map/sheet_in.h"

struct sheet_out {
	const struct world *w;
	char path[PATH_MAX], part[PATH_MAX];
	int fd;
	struct sheet_head head;
	struct sheet_section_at table[SHEET_SECTIONS];
	uint64_t at;           /* where the next byte goes */
	struct hash_run *hash; /* of the content; NULL when its id is made */
};

/* Blanks: head, table, and what brings a section to a multiple of 64. */
static enum status pad_to(struct sheet_out *o, uint64_t to, struct err *e)
{
	static const uint8_t zero[SHEET_BEGIN];

	if (to > o->at && world_write_all(o->w, o->fd, zero, to - o->at) != 0)
		return err_errno(e, "%s: cannot be written", o->part);
	o->at = to;
	return STATUS_OK;
}

struct sheet_out *sheet_begin(const struct world *w, const char *path, enum sheet_kind kind, struct err *e)
{
	struct sheet_out *o = calloc(1, sizeof(*o));

	if (!o) {
		(void)err_nomem(e);
		return NULL;
	}
	o->w = w;
	o->fd = -1;
	o->hash = hash_begin();
	memcpy(o->head.magic, SHEET_MAGIC, sizeof(o->head.magic));
	o->head.kind = kind;
	if (!o->hash)
		(void)err_nomem(e);
	else if (snprintf(o->path, sizeof(o->path), "%s", path) >= (int)sizeof(o->path) ||
		 snprintf(o->part, sizeof(o->part), "%s.part", path) >= (int)sizeof(o->part))
		(void)err_set(e, STATUS_BAD, "%s: the name is too long", path);
	else if ((o->fd = world_open_new(w, o->part, 0666)) < 0)
		(void)err_errno(e, "%s: cannot be made", o->part);
	else if (pad_to(o, SHEET_BEGIN, e) == STATUS_OK)
		return o;
	sheet_drop(o);
	return NULL;
}

void sheet_time(struct sheet_out *o, struct wall from, struct wall to)
{
	o->head.from_us = from.us;
	o->head.to_us = to.us;
}

void sheet_times(const struct sheet_out *o, struct wall *from, struct wall *to)
{
	from->us = o->head.from_us;
	to->us = o->head.to_us;
}

enum status sheet_place(struct sheet_out *o, const char *path, struct err *e)
{
	if (snprintf(o->path, sizeof(o->path), "%s", path) >= (int)sizeof(o->path))
		return err_set(e, STATUS_BAD, "%s: the name is too long", path);
	return STATUS_OK;
}

enum status sheet_put_index(struct sheet_out *o, uint32_t tag, const void *p, size_t n, struct err *e)
{
	if (o->head.n_section == SHEET_SECTIONS)
		return err_set(e, STATUS_MACHINE, "%s: more sections than a sheet has room for", o->part);
	struct sheet_section_at *t = &o->table[o->head.n_section++];
	*t = (struct sheet_section_at){.tag = tag, .crc = crc32c(p, n), .at = o->at, .n = n};
	if (n && world_write_all(o->w, o->fd, p, n) != 0)
		return err_errno(e, "%s: cannot be written", o->part);
	o->at += n;
	return pad_to(o, (o->at + SHEET_ALIGN - 1) & ~(uint64_t)(SHEET_ALIGN - 1), e);
}

/* Lengths are hashed, too: bytes do not move from one section to the next unseen. */
static void content_add(struct sheet_out *o, uint32_t tag, const void *p, size_t n)
{
	const struct content_part {
		uint32_t tag, zero;
		uint64_t n;
	} part = {.tag = tag, .n = n};

	(void)hash_more(o->hash, &part, sizeof(part)); /* a failure is kept until the end */
	if (n)
		(void)hash_more(o->hash, p, n);
}

enum status sheet_put(struct sheet_out *o, uint32_t tag, const void *p, size_t n, struct err *e)
{
	content_add(o, tag, p, n);
	return sheet_put_index(o, tag, p, n, e);
}

enum status sheet_id(struct sheet_out *o, struct id *to, struct err *e)
{
	const int64_t time[] = {o->head.from_us, o->head.to_us};
	uint8_t sum[32];

	content_add(o, o->head.kind, time, sizeof(time));
	bool good = hash_end(o->hash, sum);
	o->hash = NULL;
	if (!good)
		return err_set(e, STATUS_MACHINE, "no hash can be made");
	memcpy(o->head.id.b, sum, sizeof(o->head.id.b));
	*to = o->head.id;
	return STATUS_OK;
}

static enum status head_put(struct sheet_out *o, struct err *e)
{
	o->head.bytes = o->at;
	o->head.crc = sheet_head_sum(&o->head, o->table);
	if (lseek(o->fd, 0, SEEK_SET) != 0 || world_write_all(o->w, o->fd, &o->head, sizeof(o->head)) != 0 ||
		world_write_all(o->w, o->fd, o->table, o->head.n_section * sizeof(o->table[0])) != 0)
		return err_errno(e, "%s: cannot be written", o->part);
	return STATUS_OK;
}

enum status sheet_finish(struct sheet_out *o, struct err *e)
{
	const struct world *w = o->w;
	struct id id;
	enum status st = o->hash ? sheet_id(o, &id, e) : STATUS_OK;

	if (st == STATUS_OK)
		st = head_put(o, e);
	if (st == STATUS_OK && w->fsync(w->self, o->fd) != 0)
		st = err_errno(e, "%s: cannot be synced", o->part);
	if (st == STATUS_OK) {
		int fd = o->fd;
		o->fd = -1;
		if (w->close(w->self, fd) != 0 || w->rename(w->self, o->part, o->path) != 0)
			st = err_errno(e, "%s: cannot be put in its place", o->path);
	}
	if (st != STATUS_OK) {
		sheet_drop(o);
		return st;
	}
	if (world_sync_dir(w, o->path) != 0) {
		st = err_errno(e, "%s: its directory cannot be synced", o->path);
		(void)w->unlink(w->self, o->path);
	}
	free(o);
	return st;
}

void sheet_drop(struct sheet_out *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		(void)o->w->close(o->w->self, o->fd);
	if (o->part[0])
		(void)o->w->unlink(o->w->self, o->part);
	(void)hash_end(o->hash, NULL);
	free(o);
}
