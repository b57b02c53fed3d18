/* The atlas is opened: the list is read, what is of one time is chosen (atlas.h), and that is mapped. */
#include "map/atlas.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map/list.h"

#define DAY_US (86400 * SECOND_US)
enum { OPEN_TRIES = 3 };

/* ---- what is in use ---- */

/* What adds up: sheets of one class.  A table with both address families is of two. */
enum class { CLASS_PATHS4, CLASS_PATHS6, CLASS_LINKS, CLASS_REGISTRY, CLASS_ORIGINS, CLASS_HOLDERS, CLASSES };

static bool is_class(const struct list_line *l, enum class c)
{
	static const enum sheet_kind kind[CLASSES] = {
		SHEET_PATHS, SHEET_PATHS, SHEET_LINKS, SHEET_REGISTRY, SHEET_ORIGINS, SHEET_HOLDERS};

	return l->kind == kind[c] && (c != CLASS_PATHS4 || l->v4 || !l->v6) && (c != CLASS_PATHS6 || l->v6);
}

struct time {
	struct wall at;
	int64_t within_us;
	struct wall limit; /* what is dated after it is of the future */
	bool now;          /* nobody said `at` */
};

/* From when on it is known.  Relationships are gathered over some days and named for the first of them, and a
 * month passes until the next; a BGP table that updates continue is what it was behind the last of them. */
static struct wall since(const struct list_line *l)
{
	return l->kind == SHEET_LINKS && l->from.us ? l->from : l->to;
}

/* The list is newest first.  False: none is as old as `at`. */
static bool window_choose(const struct list *l, enum class c, struct wall at, int64_t within_us, bool *in_use)
{
	const struct list_line *newest = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct list_line *one = &l->line[i];
		if (!is_class(one, c) || since(one).us > at.us)
			continue;
		newest = newest ? newest : one;
		in_use[i] = in_use[i] || newest->to.us - one->to.us <= within_us;
	}
	return newest != NULL;
}

/* The last (or first) line of a class: the oldest (or newest) sheet. */
static const struct list_line *class_end(const struct list *l, enum class c, bool oldest)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct list_line *one = &l->line[oldest ? l->n - 1 - i : i];
		if (is_class(one, c))
			return one;
	}
	return NULL;
}

static void class_choose(const struct list *l, enum class c, const struct time *t, bool *in_use)
{
	bool slow = c == CLASS_REGISTRY || c == CLASS_HOLDERS;

	if (window_choose(l, c, t->at, t->within_us, in_use) || !(t->now || slow))
		return;
	const struct list_line *instead = class_end(l, c, !t->now);
	if (instead)
		(void)window_choose(l, c, instead->to, t->within_us, in_use);
}

struct place {
	const struct list_line *line;
	size_t at;
};

static int newest_first(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->line->to.us != y->line->to.us)
		return x->line->to.us > y->line->to.us ? -1 : 1;
	return x->at > y->at ? -1 : x->at < y->at;
}

/* Of one time, the one that was loaded last comes first. */
static enum status list_order(struct list *l, struct err *e)
{
	struct place *p = malloc((l->n + 1) * sizeof(*p));
	struct list_line *to = malloc((l->n + 1) * sizeof(*to));

	if (p && to) {
		for (size_t i = 0; i < l->n; i++)
			p[i] = (struct place){&l->line[i], i};
		qsort(p, l->n, sizeof(*p), newest_first);
		for (size_t i = 0; i < l->n; i++)
			to[i] = *p[i].line;
		free(l->line);
		l->line = to;
		l->cap = l->n + 1;
	} else {
		free(to);
	}
	bool good = p && to;
	free(p);
	return good ? STATUS_OK : err_nomem(e);
}

/* ---- views ---- */

struct views {
	const struct paths **paths, **origins;
	const struct links **links;
	const struct registry **registry;
	const struct holders **holders;
};

static bool views_room(struct views *v, struct arena *m, size_t n)
{
	v->paths = arena_array(m, n, sizeof(struct paths *));
	v->origins = arena_array(m, n, sizeof(struct paths *));
	v->links = arena_array(m, n, sizeof(struct links *));
	v->registry = arena_array(m, n, sizeof(struct registry *));
	v->holders = arena_array(m, n, sizeof(struct holders *));
	return v->paths && v->origins && v->links && v->registry && v->holders;
}

static bool sums_make(struct paths *p, struct atlas *a, const char *path)
{
	p->sums = arena_alloc(&a->arena, sizeof(*p->sums));
	if (p->sums)
		p->sums->path = arena_str(&a->arena, path);
	return p->sums && p->sums->path;
}

static enum status paths_add(
	struct atlas *a, struct views *v, const struct sheet *s, const char *path, struct err *e)
{
	struct paths *p = arena_alloc(&a->arena, sizeof(*p));
	enum status st = p ? paths_view(p, s, e) : err_nomem(e);

	if (st == STATUS_OK && s->kind == SHEET_PATHS) {
		v->paths[a->n_paths++] = p;
		if (!sums_make(p, a, path))
			st = err_nomem(e);
	}
	if (st == STATUS_OK)
		v->origins[a->n_origins++] = p;
	return st;
}

static enum status links_add(struct atlas *a, struct views *v, const struct sheet *s, struct err *e)
{
	struct links *l = arena_alloc(&a->arena, sizeof(*l));
	enum status st = l ? links_view(l, s, e) : err_nomem(e);

	if (st == STATUS_OK)
		v->links[a->n_links++] = l;
	return st;
}

static enum status registry_add(struct atlas *a, struct views *v, const struct sheet *s, struct err *e)
{
	struct registry *r = arena_alloc(&a->arena, sizeof(*r));
	enum status st = r ? registry_view(r, s, e) : err_nomem(e);

	if (st == STATUS_OK)
		v->registry[a->n_registry++] = r;
	return st;
}

static enum status holders_add(struct atlas *a, struct views *v, const struct sheet *s, struct err *e)
{
	struct holders *h = arena_alloc(&a->arena, sizeof(*h));
	enum status st = h ? holders_view(h, s, e) : err_nomem(e);

	if (st == STATUS_OK)
		v->holders[a->n_holders++] = h;
	return st;
}

static enum status view_add(
	struct atlas *a, struct views *v, const struct sheet *s, const char *path, struct err *e)
{
	switch (s->kind) {
	case SHEET_PATHS:
	case SHEET_ORIGINS:
		return paths_add(a, v, s, path, e);
	case SHEET_LINKS:
		return links_add(a, v, s, e);
	case SHEET_REGISTRY:
		return registry_add(a, v, s, e);
	case SHEET_HOLDERS:
		return holders_add(a, v, s, e);
	}
	return err_set(e, STATUS_BAD, "a sheet of a kind that is not known");
}

/* ---- opening ---- */

/* Is it the one that the list names?  An older weir's sheet has no id, and its name is what it is. */
static enum status sheet_named(const struct sheet *s, const struct atlas_entry *one, struct err *e)
{
	static const struct id none;
	char text[ID_TEXT];

	if (id_order(&s->id, &none) == 0)
		return STATUS_OK;
	if (strcmp(id_text(text, &s->id), one->id) != 0)
		return err_set(e, STATUS_BAD,
			"another table lies here (%.12s); weir map forget %.12s, and load it again", text,
			one->id);
	if (s->from.us != one->sheet.from.us || s->to.us != one->sheet.to.us)
		return err_set(e, STATUS_BAD,
			"not of the time that the list says; weir map forget %.12s, and load it again",
			one->id);
	return STATUS_OK;
}

/* Is it what the list says, and as it was written?  A flipped bit would be a name, a country, an origin or a
 * relationship that nobody wrote, and the sums cost a few milliseconds.  Those of a whole table's routes
 * would cost a second start, and most questions ask for none: paths_routes(). */
static enum status sheet_sound(const struct sheet *s, const struct atlas_entry *one, struct err *e)
{
	enum sheet_kind kind = one->sheet.kind;

	if (s->kind != kind)
		return err_set(e, STATUS_BAD, "damaged: not the kind of sheet that the list says");
	if (sheet_named(s, one, e) != STATUS_OK)
		return STATUS_BAD;
	return kind == SHEET_PATHS ? paths_check_names(s, e) : sheet_check(s, e);
}

enum status atlas_sheet(struct sheet *to, const struct atlas *a, size_t i, struct err *e)
{
	const struct atlas_entry *one = &a->entry[i];
	char path[PATH_MAX];
	struct sheet s;

	if (!list_sheet_path(path, a->dir, one->id))
		return err_set(e, STATUS_BAD, "%s: the name is too long", a->dir);
	enum status st = sheet_open(&s, path, e);
	if (st != STATUS_OK)
		return st == STATUS_MACHINE && access(path, F_OK) != 0 ? STATUS_NO : st;
	st = sheet_sound(&s, one, e);
	if (st != STATUS_OK) {
		sheet_close(&s);
		return err_wrap(e, "%s", path);
	}
	*to = s;
	return STATUS_OK;
}

/* What the list says of it, and its size; not mapped. */
static void entry_of(struct atlas_entry *to, const char *dir, const struct list_line *l, bool in_use)
{
	char path[PATH_MAX];
	struct stat st;

	*to = (struct atlas_entry){
		.sheet = {.kind = l->kind, .from = l->from, .to = l->to}, .in_use = in_use};
	memcpy(to->id, l->id, sizeof(to->id));
	memcpy(to->name, l->name, sizeof(to->name));
	if (list_sheet_path(path, dir, l->id) && stat(path, &st) == 0)
		to->sheet.n = (size_t)st.st_size;
}

static enum status entry_open(struct atlas *a, size_t i, struct views *v, struct err *e)
{
	struct sheet *sheet = &a->entry[i].sheet;
	char path[PATH_MAX];
	enum status st = atlas_sheet(sheet, a, i, e);

	if (st != STATUS_OK)
		return st;
	(void)list_sheet_path(path, a->dir, a->entry[i].id); /* was short enough to be opened */
	st = view_add(a, v, sheet, path, e);
	return st == STATUS_OK ? st : err_wrap(e, "%s", path);
}

static enum status entries_open(
	struct atlas *a, const struct list *l, const bool *in_use, const char *dir, struct err *e)
{
	struct views v;
	enum status st = STATUS_OK;

	a->dir = arena_str(&a->arena, dir);
	a->entry = arena_array(&a->arena, l->n, sizeof(*a->entry));
	if (!a->dir || !a->entry || !views_room(&v, &a->arena, l->n))
		return err_nomem(e);
	a->n = l->n;
	for (size_t i = 0; i < l->n; i++)
		entry_of(&a->entry[i], dir, &l->line[i], in_use[i]);
	for (size_t i = 0; i < l->n && st == STATUS_OK; i++)
		if (in_use[i])
			st = entry_open(a, i, &v, e);
	a->paths = v.paths;
	a->origins = v.origins;
	a->links = v.links;
	a->registry = v.registry;
	a->holders = v.holders;
	return st;
}

static struct time time_of(const struct atlas_ask *q, const struct world *w)
{
	int days = q->within_days > 0 ? q->within_days : ATLAS_WITHIN_DAYS;
	struct time t = {.at = q->at, .within_us = days * DAY_US, .now = q->at.us == 0};

	t.limit.us = w->now(w->self).us + DAY_US;
	if (t.now)
		t.at = t.limit;
	return t;
}

static enum status open_once(struct atlas *a, const char *dir, const struct atlas_ask *q, struct err *e)
{
	struct list l;
	struct time t = time_of(q, a->w);
	enum status st = list_read(&l, dir, e);

	if (st == STATUS_OK)
		st = list_order(&l, e);
	bool *in_use = st == STATUS_OK ? calloc(l.n + 1, sizeof(*in_use)) : NULL;
	if (st == STATUS_OK && !in_use)
		st = err_nomem(e);
	for (int c = 0; c < CLASSES && st == STATUS_OK; c++)
		class_choose(&l, (enum class)c, &t, in_use);
	if (st == STATUS_OK)
		st = entries_open(a, &l, in_use, dir, e);
	for (size_t i = 0; i < a->n && st == STATUS_OK; i++)
		a->entry[i].future = a->entry[i].sheet.to.us > t.limit.us;
	free(in_use);
	list_free(&l);
	return st;
}

enum status atlas_open(struct atlas *a, const char *dir, const struct atlas_ask *q, struct err *e)
{
	static const struct atlas_ask newest;
	enum status st = STATUS_NO;

	for (int i = 0; i < OPEN_TRIES && st == STATUS_NO; i++) {
		*a = (struct atlas){.w = q && q->w ? q->w : &world_real};
		st = open_once(a, dir, q ? q : &newest, e);
		if (st != STATUS_OK)
			atlas_close(a);
	}
	if (st == STATUS_NO)
		return err_set(e, STATUS_BAD, "%s: sheets that its list names are not there", dir);
	if (st == STATUS_OK && a->n == 0)
		return err_set(e, STATUS_NO, "%s: nothing was loaded into its map yet", dir);
	return st;
}

void atlas_close(struct atlas *a)
{
	for (size_t i = 0; i < a->n; i++)
		sheet_close(&a->entry[i].sheet);
	arena_free(&a->arena);
	*a = (struct atlas){.n = 0};
}

enum status atlas_dates(const struct atlas *a, enum sheet_kind k, const struct wall **at, size_t *n,
	struct arena *m, struct err *e)
{
	struct wall *to = arena_array(m, a->n + 1, sizeof(*to));

	*n = 0;
	if (!to)
		return err_nomem(e);
	for (size_t i = 0; i < a->n; i++) {
		const struct atlas_entry *one = &a->entry[i];
		if (one->in_use || one->future || one->sheet.kind != k ||
			(*n && to[*n - 1].us == one->sheet.to.us))
			continue;
		to[(*n)++] = one->sheet.to;
	}
	*at = to;
	return STATUS_OK;
}
