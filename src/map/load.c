/* weir map load: all files of a call become sheets, and then the list is replaced, once.  Until that rename
 * nobody sees any of them; what a killed call leaves behind the next one removes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map/load_in.h"

enum status load_progress(const struct loading *l, const struct job *j, struct err *e)
{
	if (j->in)
		j->f->at = input_where(j->in);
	if (l->watch && l->watch->progress && !l->watch->progress(l->watch->self, j->f->path, &j->f->at))
		return err_set(e, STATUS_NO, "stopped; nothing is loaded");
	return STATUS_OK;
}

/* Of one file the beginning of its SHA-256, of several that of their SHA-256s in a row. */
static void id_make(struct job *const *job, size_t n, char id[SHEET_ID])
{
	struct hash_run *h = n > 1 ? hash_begin() : NULL;
	uint8_t sum[32];

	memcpy(sum, job[0]->sum, sizeof(sum));
	for (size_t i = 0; h && i < n; i++)
		(void)hash_more(h, job[i]->sum, sizeof(job[i]->sum));
	if (h)
		(void)hash_end(h, sum);
	for (size_t i = 0; i < (SHEET_ID - 1) / 2; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", sum[i]);
}

bool load_known(const struct loading *l, struct job *const *job, size_t n)
{
	char id[SHEET_ID];

	for (size_t i = 0; i < n; i++)
		if (!job[i]->has_sum)
			return false;
	id_make(job, n, id);
	bool known = list_find(&l->list, id) != NULL;
	for (size_t i = 0; i < n; i++) {
		memcpy(job[i]->f->id, id, sizeof(id));
		job[i]->f->again = known;
	}
	return known;
}

enum status load_keep(struct loading *l, const struct job *j, const struct list_line *line, struct err *e)
{
	struct list_line to = *line;

	memcpy(to.id, j->f->id, sizeof(to.id));
	memcpy(to.name, j->name, sizeof(to.name));
	return list_add(&l->list, &to, e);
}

/* The sheet of group g. */
static enum status group_load(struct loading *l, size_t g, struct job **job, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->job[i].group == g)
			job[n++] = &l->job[i];
	if (n == 0)
		return STATUS_OK;
	return job[0]->text == TEXT_NONE ? load_routes(l, job, n, e) : load_text(l, job[0], e);
}

static enum status load_all(struct loading *l, struct err *e)
{
	struct job **job = calloc(l->n + 1, sizeof(struct job *));
	size_t before = l->list.n;
	enum status st = job ? load_look(l, e) : err_nomem(e);

	for (size_t g = 0; g < l->n && st == STATUS_OK; g++)
		st = group_load(l, g, job, e);
	free(job);
	if (st == STATUS_OK && l->list.n > before)
		st = list_write(&l->list, l->dir, l->w, e);
	return st;
}

/* Removes what no list has: of a killed call before, of this one where it failed. */
static void sweep(const char *dir, const struct world *w)
{
	struct list l;
	struct err e;

	if (list_read(&l, dir, &e) != STATUS_OK)
		return; /* what a damaged list names is not known */
	list_sweep(&l, dir, w);
	list_free(&l);
}

static enum status load_locked(struct loading *l, struct err *e)
{
	enum status st = list_read(&l->list, l->dir, e);

	if (st != STATUS_OK)
		return st;
	list_sweep(&l->list, l->dir, l->w);
	st = load_all(l, e);
	if (st != STATUS_OK)
		sweep(l->dir, l->w);
	list_free(&l->list);
	return st;
}

static void file_reset(struct load_file *f)
{
	const char *path = f->path;

	*f = (struct load_file){.path = path, .format = ""};
}

enum status map_load(const char *dir, const struct world *w, struct load_file *file, size_t n,
	unsigned threads, const struct load_watch *watch, struct err *e)
{
	struct loading l = {.dir = dir, .w = w, .threads = threads, .watch = watch, .n = n};
	int lock = -1;
	enum status st = STATUS_OK;

	l.job = calloc(n + 1, sizeof(*l.job));
	if (!l.job)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		file_reset(&file[i]);
		l.job[i].f = &file[i];
	}
	lock = list_lock(dir, w, e);
	st = lock < 0 ? e->status : load_locked(&l, e);
	if (lock >= 0)
		(void)close(lock);
	for (size_t i = 0; i < n; i++) {
		job_close(&l.job[i]);
		free(l.job[i].peer);
	}
	free(l.job);
	return st;
}

static enum status forget_locked(const char *dir, const struct world *w, const char *id, struct err *e)
{
	struct list l;
	enum status st = list_read(&l, dir, e);

	if (st != STATUS_OK)
		return st;
	struct list_line *line = list_find(&l, id);
	if (line) {
		size_t at = (size_t)(line - l.line);
		memmove(line, line + 1, (l.n - at - 1) * sizeof(*line));
		l.n--;
		st = list_write(&l, dir, w, e);
		if (st == STATUS_OK)
			list_sweep(&l, dir, w);
	} else {
		st = err_set(e, STATUS_NO, "%s: no table of the map has that id", id);
	}
	list_free(&l);
	return st;
}

enum status map_forget(const char *dir, const struct world *w, const char *id, struct err *e)
{
	int lock = list_lock(dir, w, e);

	if (lock < 0)
		return e->status;
	enum status st = forget_locked(dir, w, id, e);
	(void)close(lock);
	return st;
}
