/* A closed segment comes in, and a choice of what is to stay; a new file with that takes its place: written
 * beside it, synced, renamed over it, directory synced.  A crash leaves the old or the new, never both and
 * never half.  Blocks of which everything stays are copied as they are.
 *
 * A segment that a recorder still writes is locked and left alone; the caller is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/segment_filter.h"

enum status segment_lock(int *fd, const struct world *w, const char *path, struct err *e)
{
	struct stat st;

	*fd = w->open(w->self, path, O_RDONLY, 0);
	if (*fd < 0)
		return errno == ENOENT ? STATUS_NO : err_errno(e, "%s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		enum status s = errno == EWOULDBLOCK ? STATUS_BAD : err_errno(e, "%s: not locked", path);
		(void)w->close(w->self, *fd);
		return s;
	}
	if (fstat(*fd, &st) == 0 && st.st_nlink > 0)
		return STATUS_OK;
	(void)w->close(w->self, *fd); /* replaced or removed since it was opened */
	return STATUS_NO;
}

/* One rewriting. */
struct job {
	struct segment in;
	struct segment_out out;
	struct parts parts;
	struct stash stash;
	struct arena scratch;
	struct buf block;
	const struct segment_choice *choice;
	struct segment_change *change;
};

/* The bytes of a block as they are. */
static enum status block_copy(struct job *j, const struct block_head *h, struct err *e)
{
	size_t n = (size_t)block_size(h);

	j->block.n = 0;
	j->block.failed = false;
	uint8_t *p = malloc(n);
	if (!p)
		return err_nomem(e);
	ssize_t k = pread(j->in.fd, p, n, (off_t)h->offset);
	if (k != (ssize_t)n) {
		free(p);
		return err_errno(e, "%s: offset %llu", j->in.path, (unsigned long long)h->offset);
	}
	buf_put(&j->block, p, n);
	free(p);
	return j->block.failed ? err_nomem(e) : out_put(&j->out, &j->block, e);
}

static enum status part_stash(struct job *j, const struct part *p, struct err *e)
{
	struct chunk c = {.head = p->head};

	for (int d = 0; d < 2; d++) {
		c.count[d] = p->count[d];
		c.burst[d] = p->burst[d];
		c.n_burst[d] = p->n_burst[d];
	}
	return stash_chunk(&j->stash, &c, e);
}

/* The chunks of a block that stay, and its coverage, as a new block. */
static enum status block_filter(struct job *j, const struct block_head *h, const struct block_tables *t,
	struct rd body, struct err *e)
{
	const struct part_filter all = {.since_us = INT64_MIN, .until_us = INT64_MAX};
	enum status st = STATUS_OK;

	j->parts.n = 0;
	if (!block_read(&j->parts, &j->scratch, h, t, body, &all, j->in.writer)) {
		segment_damage(&j->in, h->offset, "a block whose contents lie", h->chunks);
		return STATUS_OK;
	}
	for (size_t i = 0; i < j->parts.n && st == STATUS_OK; i++) {
		if (j->choice->stays(j->choice->self, &j->parts.part[i].head))
			st = part_stash(j, &j->parts.part[i], e);
		else
			st = segment_gone(j->change, &j->parts.part[i], e);
	}
	for (size_t i = 0; i < t->n_cover && st == STATUS_OK; i++)
		st = stash_cover(&j->stash, &t->cover[i], e);
	if (st == STATUS_OK && !stash_empty(&j->stash)) {
		j->block.n = 0;
		j->block.failed = false;
		st = block_write(&j->block, &j->stash, e);
		if (st == STATUS_OK)
			st = out_put(&j->out, &j->block, e);
	}
	stash_reset(&j->stash);
	arena_free(&j->parts.arena);
	return st;
}

/* One block: copied, filtered, or (where it does not check) left out. */
static enum status block_pass(struct job *j, const struct block_head *h, struct err *e)
{
	struct block_tables t;
	struct rd body;

	if (!block_tables_read(&t, &j->parts, &j->scratch, h)) {
		segment_damage(&j->in, h->offset, "a block whose summary lies", h->chunks);
		return STATUS_OK;
	}
	if (h->chunks == 0 || !j->choice->touches(j->choice->self, &t))
		return block_copy(j, h, e);
	enum status st = segment_body(&j->in, h, &body, e);
	return st == STATUS_OK ? block_filter(j, h, &t, body, e) : st == STATUS_BAD ? STATUS_OK : st;
}

static enum status blocks_pass(struct job *j, struct err *e)
{
	struct block_head h;
	enum status st;

	while ((st = segment_next(&j->in, &h, e)) == STATUS_OK) {
		struct rd kept = h.summary; /* the window moves on; the summary must not */
		uint8_t *copy = arena_alloc(&j->scratch, h.summary_len + 1);
		if (!copy)
			return err_nomem(e);
		memcpy(copy, kept.p, h.summary_len);
		h.summary = rd_of(copy, h.summary_len);
		st = block_pass(j, &h, e);
		arena_free(&j->scratch);
		if (st != STATUS_OK)
			return st;
	}
	return st == STATUS_NO ? STATUS_OK : st;
}

/* Puts the new file in place of the old one; an empty one is not put there at all. */
static enum status replace(struct job *j, const struct world *w, struct err *e)
{
	struct stat before;
	enum status st = STATUS_OK;

	if (j->out.blocks == 0) {
		out_drop(&j->out);
		if (w->unlink(w->self, j->in.path) != 0)
			return err_errno(e, "%s: not removed", j->in.path);
		return world_sync_dir(w, j->in.path) == 0 ? STATUS_OK : err_errno(e, "%s", j->in.path);
	}
	st = out_index(&j->out, e);
	if (st == STATUS_OK && fstat(j->in.fd, &before) == 0) {
		struct timespec t[2] = {before.st_atim, before.st_mtim};
		(void)futimens(j->out.fd, t); /* its age is that of the data */
	}
	if (st == STATUS_OK)
		st = out_sync(&j->out, e);
	if (st == STATUS_OK)
		st = out_name(&j->out, e);
	if (st == STATUS_OK)
		st = out_sync_dir(&j->out, e);
	j->change->bytes_after = j->out.length;
	return st;
}

enum status segment_filter(const struct world *w, int fd, const char *path,
	const struct segment_choice *choice, struct segment_change *change, struct err *e)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j) {
		(void)w->close(w->self, fd);
		return err_nomem(e);
	}
	j->choice = choice;
	j->change = change;
	j->out.fd = -1;
	enum status st = segment_open_fd(&j->in, fd, path, e);
	if (st != STATUS_OK) {
		free(j);
		return st;
	}
	change->bytes_before = j->in.size;
	st = out_begin(&j->out, w, path, j->in.writer, e);
	if (st == STATUS_NO)
		e->status = st = STATUS_MACHINE;
	if (st == STATUS_OK)
		st = blocks_pass(j, e);
	if (st == STATUS_OK)
		st = replace(j, w, e);
	out_drop(&j->out);
	change->damaged += j->in.damaged;
	segment_close(&j->in, w);
	parts_free(&j->parts);
	stash_free(&j->stash);
	arena_free(&j->scratch);
	buf_free(&j->block);
	free(j);
	return st;
}

static void span_widen(struct span *s, bool first, int64_t from, int64_t to)
{
	if (first || from < s->from_us)
		s->from_us = from;
	if (first || to > s->to_us)
		s->to_us = to;
}

enum status segment_gone(struct segment_change *c, const struct part *p, struct err *e)
{
	const struct id *id = &p->head.id;

	span_widen(&c->gone_span, c->n_gone == 0, p->head.first_us, p->head.first_us);
	for (int d = 0; d < 2; d++)
		if (p->count[d].first_us <= p->count[d].last_us)
			span_widen(&c->gone_span, false, p->count[d].first_us, p->count[d].last_us);
	if (c->n_gone && id_order(&c->gone[c->n_gone - 1], id) == 0)
		return STATUS_OK;
	if (!grow(&c->gone, &c->cap_gone, c->n_gone, 1, sizeof(*c->gone)))
		return err_nomem(e);
	c->gone[c->n_gone++] = *id;
	return STATUS_OK;
}

uint64_t segment_gone_count(struct segment_change *c)
{
	uint64_t n = 0;

	if (c->n_gone > 1)
		qsort(c->gone, c->n_gone, sizeof(*c->gone), id_order);
	for (size_t i = 0; i < c->n_gone; i++)
		n += i == 0 || id_order(&c->gone[i - 1], &c->gone[i]) != 0;
	return n;
}

void segment_change_free(struct segment_change *c)
{
	free(c->gone);
	*c = (struct segment_change){0};
}

enum status temporaries_remove(const struct world *w, const char *dir, struct err *e)
{
	struct paths p = {0};
	enum status st = segments_list(&p, dir, ".seg.tmp", e);
	int fd;

	for (size_t i = 0; i < p.n && st == STATUS_OK; i++) {
		st = segment_lock(&fd, w, p.path[i], e);
		if (st == STATUS_OK) {
			if (w->unlink(w->self, p.path[i]) != 0 && errno != ENOENT)
				st = err_errno(e, "%s: not removed", p.path[i]);
			(void)w->close(w->self, fd);
		} else if (st == STATUS_NO || st == STATUS_BAD) {
			st = STATUS_OK; /* gone, or somebody writes it */
		}
	}
	paths_free(&p);
	return st;
}
