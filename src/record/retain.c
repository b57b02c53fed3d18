/* Keeping to the caps: the oldest segments go until what is left is small and young enough.  The age of a
 * segment is the time since it was last written, so that an old capture that is read today is not thrown away
 * at once.  Flows that are held (an open case refers to them) are carried over: their segment is rewritten
 * with nothing else.
 *
 * Segments that a recorder writes are left alone; they come next time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "record/pair.h"
#include "record/segment_filter.h"

struct aged {
	const char *path;
	uint64_t bytes;
	int64_t written_us;
};

struct trimming {
	const struct world *w;
	const struct store_keep *keep;
	struct paths paths;
	struct aged *aged;
	size_t n;
	uint64_t total;       /* bytes of all segments */
	uint64_t less;        /* segments that went, or lost flows */
	struct pair_set held; /* keys of the held flows */
	bool held_known;
};

static int aged_order(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;
	int c = (x->written_us > y->written_us) - (x->written_us < y->written_us);

	return c ? c : strcmp(x->path, y->path);
}

static enum status ages_read(struct trimming *t, const char *dir, struct err *e)
{
	struct stat s;
	enum status st = segments_list(&t->paths, dir, ".seg", e);

	if (st != STATUS_OK)
		return st;
	t->aged = calloc(t->paths.n + 1, sizeof(*t->aged));
	if (!t->aged)
		return err_nomem(e);
	for (size_t i = 0; i < t->paths.n; i++) {
		if (stat(t->paths.path[i], &s) != 0)
			continue;
		t->aged[t->n++] = (struct aged){.path = t->paths.path[i],
			.bytes = (uint64_t)s.st_size,
			.written_us = s.st_mtim.tv_sec * SECOND_US + s.st_mtim.tv_nsec / 1000};
		t->total += (uint64_t)s.st_size;
	}
	if (t->n > 1)
		qsort(t->aged, t->n, sizeof(*t->aged), aged_order);
	return STATUS_OK;
}

/* Keys of the chunks whose ids are held (sorted in ids), out of one segment. */
static enum status held_find(struct trimming *t, const char *path, const struct id *ids, struct err *e)
{
	const struct part_filter all = {.since_us = INT64_MIN, .until_us = INT64_MAX, .heads_only = true};
	struct segment *s = malloc(sizeof(*s));
	struct parts p = {0};
	enum status st = s ? segment_open(s, t->w, path, e) : err_nomem(e);

	if (st == STATUS_OK) {
		s->quiet = true;
		st = parts_collect(&p, s, &all, e);
		segment_close(s, t->w);
	}
	for (size_t i = 0; st == STATUS_OK && i < p.n; i++)
		if (bsearch(&p.part[i].head.id, ids, t->keep->n_held, sizeof(*ids), id_order) &&
			!pair_add(&t->held, &p.part[i].head))
			st = err_nomem(e);
	parts_free(&p);
	free(s);
	return st == STATUS_NO || st == STATUS_BAD ? STATUS_OK : st;
}

/* Flows are held by their keys: a part that the reader joins to a held flow has another id, but the same
 * key. */
static enum status held_know(struct trimming *t, struct err *e)
{
	size_t n = t->keep->n_held;
	enum status st = STATUS_OK;

	if (t->held_known || n == 0)
		return STATUS_OK;
	struct id *ids = malloc(n * sizeof(*ids));
	if (!ids)
		return err_nomem(e);
	memcpy(ids, t->keep->held, n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), id_order);
	for (size_t i = 0; i < t->n && st == STATUS_OK; i++)
		st = held_find(t, t->aged[i].path, ids, e);
	free(ids);
	t->held_known = st == STATUS_OK;
	return st;
}

static bool held_touches(void *self, const struct block_tables *t)
{
	(void)self;
	(void)t;
	return true;
}

static bool held_stays(void *self, const struct flow_head *h)
{
	return pair_has(self, h);
}

/* How many chunks a segment has, and how many of them are held. */
static enum status held_count(
	struct trimming *t, const char *path, uint64_t *held, uint64_t *all, struct err *e)
{
	const struct part_filter any = {.since_us = INT64_MIN, .until_us = INT64_MAX, .heads_only = true};
	struct segment *s = malloc(sizeof(*s));
	struct parts p = {0};
	enum status st = s ? segment_open(s, t->w, path, e) : err_nomem(e);

	*held = *all = 0;
	if (st == STATUS_OK) {
		s->quiet = true;
		st = parts_collect(&p, s, &any, e);
		segment_close(s, t->w);
	}
	for (size_t i = 0; i < p.n; i++)
		*held += pair_has(&t->held, &p.part[i].head);
	*all = p.n;
	parts_free(&p);
	free(s);
	return st;
}

static enum status segment_remove(struct trimming *t, const char *path, struct err *e)
{
	if (t->w->unlink(t->w->self, path) != 0)
		return errno == ENOENT ? STATUS_OK : err_errno(e, "%s: not removed", path);
	return STATUS_OK;
}

/* Takes one segment away but for what is held.  *freed: bytes. */
static enum status segment_trim(struct trimming *t, const struct aged *a, uint64_t *freed, struct err *e)
{
	const struct segment_choice choice = {&t->held, held_touches, held_stays};
	struct segment_change change = {0};
	uint64_t held = 0, all = 0;
	int fd;

	*freed = 0;
	enum status st = segment_lock(&fd, t->w, a->path, e);
	if (st == STATUS_NO || st == STATUS_BAD)
		return STATUS_OK; /* gone, or being written */
	if (st != STATUS_OK)
		return st;
	if (t->held.key.n > 0)
		st = held_count(t, a->path, &held, &all, e);
	if (st == STATUS_BAD) /* no segment of ours: left alone */
		st = STATUS_OK;
	else if (st == STATUS_OK && held == 0 && (st = segment_remove(t, a->path, e)) == STATUS_OK)
		*freed = a->bytes;
	else if (st == STATUS_OK && held < all) {
		st = segment_filter(t->w, fd, a->path, &choice, &change, e);
		*freed = st == STATUS_OK && a->bytes > change.bytes_after ? a->bytes - change.bytes_after : 0;
		segment_change_free(&change);
		return st;
	}
	(void)t->w->close(t->w->self, fd);
	return st;
}

static bool too_old(const struct trimming *t, const struct aged *a, int64_t now_us)
{
	return t->keep->max_age_us > 0 && now_us - a->written_us > t->keep->max_age_us;
}

static bool too_many(const struct trimming *t)
{
	return t->keep->max_bytes > 0 && t->total > t->keep->max_bytes;
}

static enum status trim(struct trimming *t, uint64_t *bytes_freed, struct err *e)
{
	int64_t now = t->w->now(t->w->self).us;
	size_t n = t->keep->newest_stays && t->n > 0 ? t->n - 1 : t->n;
	enum status st = STATUS_OK;
	uint64_t freed;

	for (size_t i = 0; i < n && st == STATUS_OK; i++) {
		if (!too_old(t, &t->aged[i], now) && !too_many(t))
			break; /* those that follow are younger */
		st = held_know(t, e);
		if (st == STATUS_OK)
			st = segment_trim(t, &t->aged[i], &freed, e);
		if (st == STATUS_OK) {
			t->total -= freed;
			t->less += freed > 0;
			*bytes_freed += freed;
		}
	}
	if (*bytes_freed > 0 && world_sync_dir(t->w, t->aged[0].path) != 0 && st == STATUS_OK)
		st = err_errno(e, "%s: its directory was not synced", t->aged[0].path);
	return st;
}

static void say_removed(const struct trimming *t, const char *dir, uint64_t bytes)
{
	char size[48] = "", age[48] = "";

	if (t->keep->max_bytes > 0)
		(void)snprintf(size, sizeof(size), " %llu bytes", (unsigned long long)t->keep->max_bytes);
	if (t->keep->max_age_us > 0)
		(void)snprintf(age, sizeof(age), "%s %lld s", size[0] ? " and" : "",
			(long long)(t->keep->max_age_us / SECOND_US));
	log_line("%s: removed the oldest of the recording, %llu %s, %llu bytes, to keep to%s%s", dir,
		(unsigned long long)t->less, t->less == 1 ? "segment" : "segments", (unsigned long long)bytes,
		size, age);
}

enum status store_trim(const struct world *w, const char *dir, const struct store_keep *k,
	uint64_t *bytes_freed, struct err *e)
{
	struct trimming t = {.w = w, .keep = k};

	*bytes_freed = 0;
	if (k->max_bytes == 0 && k->max_age_us == 0)
		return STATUS_OK;
	enum status st = store_check(dir, e);
	if (st == STATUS_NO)
		return STATUS_OK;
	if (st == STATUS_OK)
		st = temporaries_remove(w, dir, e);
	if (st == STATUS_OK)
		st = ages_read(&t, dir, e);
	if (st == STATUS_OK)
		st = trim(&t, bytes_freed, e);
	if (*bytes_freed > 0)
		say_removed(&t, dir, *bytes_freed);
	paths_free(&t.paths);
	free(t.aged);
	pair_free(&t.held);
	return st == STATUS_OK ? st : err_wrap(e, "trim %s", dir);
}
