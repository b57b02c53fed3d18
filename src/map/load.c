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

enum status load_id(const struct loading *l, struct job *const *job, size_t n, struct sheet_out *o,
	bool *known, struct err *e)
{
	struct id id;
	enum status st = sheet_id(o, &id, e);

	if (st != STATUS_OK)
		return st;
	(void)id_text(job[0]->f->id, &id);
	*known = list_find(&l->list, job[0]->f->id) != NULL;
	for (size_t i = 0; i < n; i++) {
		memcpy(job[i]->f->id, job[0]->f->id, sizeof(job[i]->f->id));
		job[i]->f->again = *known;
	}
	return STATUS_OK;
}

struct sheet_out *load_begin(const struct loading *l, enum sheet_kind kind, struct err *e)
{
	char path[PATH_MAX];

	if (!list_sheet_path(path, l->dir, "new")) {
		(void)err_set(e, STATUS_BAD, "%s: the name is too long", l->dir);
		return NULL;
	}
	return sheet_begin(l->w, path, kind, e);
}

enum status load_keep(struct loading *l, const struct job *j, struct sheet_out *o,
	const struct list_line *line, struct err *e)
{
	struct list_line to = *line;
	char path[PATH_MAX];

	memcpy(to.id, j->f->id, sizeof(to.id));
	memcpy(to.name, j->name, sizeof(to.name));
	enum status st = list_sheet_path(path, l->dir, to.id)
				 ? sheet_place(o, path, e)
				 : err_set(e, STATUS_BAD, "%s: the name is too long", l->dir);
	if (st == STATUS_OK)
		return (st = sheet_finish(o, e)) == STATUS_OK ? list_add(&l->list, &to, e) : st;
	sheet_drop(o);
	return st;
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

/* The one line that the id names, all of it or its beginning. */
static enum status line_named(struct list_line **to, const struct list *l, const char *id, struct err *e)
{
	*to = list_find(l, id);
	for (size_t i = 0; !*to && id_like(id) && i < l->n; i++) {
		if (strncmp(l->line[i].id, id, strlen(id)) != 0)
			continue;
		for (size_t k = i + 1; k < l->n; k++)
			if (strncmp(l->line[k].id, id, strlen(id)) == 0)
				return err_set(e, STATUS_BAD, "%s: several tables' ids begin so", id);
		*to = &l->line[i];
	}
	return *to ? STATUS_OK : err_set(e, STATUS_NO, "%s: no table of the map has that id", id);
}

static enum status forget_locked(const char *dir, const struct world *w, const char *id, struct err *e)
{
	struct list l;
	struct list_line *line;
	enum status st = list_read(&l, dir, e);

	if (st != STATUS_OK)
		return st;
	st = line_named(&line, &l, id, e);
	if (st == STATUS_OK) {
		size_t at = (size_t)(line - l.line);
		memmove(line, line + 1, (l.n - at - 1) * sizeof(*line));
		l.n--;
		st = list_write(&l, dir, w, e);
	}
	if (st == STATUS_OK)
		list_sweep(&l, dir, w);
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
