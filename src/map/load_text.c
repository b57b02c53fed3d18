/* A text table into its sheet, and when it is of: as its own head says, else its name, else the file. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "map/load_in.h"

enum { DATE_DIGITS = 8 };

struct telling {
	const struct loading *l;
	const struct job *j;
};

static bool progress(void *self)
{
	const struct telling *t = self;
	struct err e;

	return load_progress(t->l, t->j, &e) == STATUS_OK;
}

/* ---- when ---- */

/* Eight digits that are a day of 1980 or later, and no further digit beside them. */
static bool date_at(const char *s, struct wall *to)
{
	char day[16];

	if (strspn(s, "0123456789") != DATE_DIGITS)
		return false;
	(void)snprintf(day, sizeof(day), "%.4s-%.2s-%.2s", s, s + 4, s + 6);
	return strncmp(day, "1980", 4) >= 0 && strncmp(day, "2100", 4) < 0 && wall_parse(to, day);
}

static bool name_date(const char *name, struct wall *to)
{
	for (size_t i = 0; name[i]; i++)
		if ((i == 0 || !isdigit((unsigned char)name[i - 1])) && date_at(name + i, to))
			return true;
	return false;
}

static struct wall date_of(const struct loading *l, const struct job *j)
{
	struct wall at;
	struct stat st;

	if (name_date(j->name, &at))
		return at;
	if (!j->is_pipe && stat(j->f->path, &st) == 0)
		return (struct wall){(int64_t)st.st_mtime * SECOND_US};
	return l->w->now(l->w->self);
}

/* ---- the sheet ---- */

static enum status text_to(struct loading *l, struct job *j, struct sheet_out *o, struct err *e)
{
	struct telling t = {l, j};
	enum status st = text_load(o, j->text, j->in, &j->f->text, progress, &t, e);

	if (st != STATUS_OK)
		return st == STATUS_BAD ? err_wrap(e, "%s", j->name) : st;
	if (input_damage(j->in))
		(void)snprintf(j->f->damage, sizeof(j->f->damage), "%s", input_damage(j->in));
	return load_progress(l, j, e);
}

/* Behind the id: what only the file's name or the file system says of its day is no content, and a copy of it
 * is the same table. */
static void date_make(const struct loading *l, const struct job *j, struct sheet_out *o)
{
	struct wall from, to;

	sheet_times(o, &from, &to);
	if (to.us != 0)
		return;
	to = date_of(l, j);
	sheet_time(o, to, to);
}

static enum status text_write(struct loading *l, struct job *j, struct err *e)
{
	struct list_line line = {.kind = text_sheet(j->text)};
	struct sheet_out *o = load_begin(l, line.kind, e);
	bool known = false;

	if (!o)
		return e->status;
	enum status st = text_to(l, j, o, e);
	if (st == STATUS_OK)
		st = load_id(l, &j, 1, o, &known, e);
	if (st != STATUS_OK || known) {
		sheet_drop(o);
		return st;
	}
	date_make(l, j, o);
	sheet_times(o, &line.from, &line.to);
	return load_keep(l, j, o, &line, e);
}

enum status load_text(struct loading *l, struct job *j, struct err *e)
{
	enum status st = job_open(l, j, e);

	if (st == STATUS_OK)
		st = text_write(l, j, e);
	job_close(j);
	return st;
}
