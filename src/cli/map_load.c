/* weir map load, list and forget: the tables that the map is made of.
 *
 * Tables come from outside, so DIR/map is made first; then the process gives up what it does not need, and
 * only then looks at the first byte. */
#include "cli/map_load.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "cli/map_ask.h"
#include "map/list.h"
#include "map/load.h"

#define THREADS_MOST 64

/* ---- progress ---- */

struct watch {
	struct mono began, shown;
	const char *path;
};

/* "loading rib.bz2 (12 s left)" and how much of the file is read. */
static bool progress(void *self, const char *path, const struct input_at *at)
{
	struct watch *t = self;
	struct mono now = world_real.mono(NULL);
	char what[160];

	if (t->path != path) {
		t->began = now;
		t->path = path;
	}
	if (now.us - t->shown.us < SECOND_US / 10)
		return !stop_requested;
	t->shown = now;
	const char *name = strrchr(path, '/');
	int n = snprintf(what, sizeof(what), "loading %.80s", name ? name + 1 : path);
	if (at->in && at->in_total > at->in && n > 0)
		(void)snprintf(what + n, sizeof(what) - (size_t)n, " (%lld s left)",
			(long long)((double)(now.us - t->began.us) / SECOND_US *
					    ((double)at->in_total / (double)at->in - 1) +
				    1));
	progress_show(what, at->in, at->in_total);
	return !stop_requested;
}

/* ---- what was read ---- */

struct count_row {
	const char *name;
	uint64_t n;
};

/* What was left out and why, by name: rows whose number is above 0 are shown. */
static size_t skipped_of(struct count_row row[], const struct load_file *f)
{
	size_t n = 0;

	if (f->is_text) {
		row[n++] = (struct count_row){"lines not understood", f->text.bad};
		row[n++] = (struct count_row){"said before", f->text.twice};
		row[n++] = (struct count_row){"links in both directions", f->text.both_ways};
		return n;
	}
	for (int i = 0; i < MRT_DROPS; i++)
		row[n++] = (struct count_row){mrt_drop_text[i], f->mrt.dropped[i]};
	row[n++] = (struct count_row){"paths with a loop", f->mrt.loop};
	row[n++] = (struct count_row){"paths that are too long", f->mrt.long_path};
	row[n++] = (struct count_row){"sets in paths, not followed", f->mrt.as_set};
	row[n++] = (struct count_row){"updates older than their table", f->mrt.aged};
	return n;
}
#define SKIPPED_ROWS (MRT_DROPS + 8)

static json_t *file_json(const struct load_file *f)
{
	struct count_row row[SKIPPED_ROWS];
	size_t n = skipped_of(row, f);
	json_t *skipped = json_object();

	for (size_t i = 0; i < n; i++)
		if (row[i].n)
			(void)json_object_set_new(skipped, row[i].name, json_integer((json_int_t)row[i].n));
	json_t *path = json_string(f->path);
	char name[256];

	if (!path) /* no UTF-8 */
		path = json_string(printable(name, sizeof(name), f->path));
	json_t *j = json_pack("{s:o, s:s, s:s, s:I, s:s?, s:b, s:o}", "file", path, "id", f->id, "format",
		f->format, "bytes", (json_int_t)f->at.out, "broken", f->damage[0] ? f->damage : NULL, "again",
		(int)f->again, "skipped", skipped);
	if (j && f->is_text)
		(void)json_object_update_new(j, json_pack("{s:I, s:I}", "lines", (json_int_t)f->text.line,
							"kept", (json_int_t)f->text.kept));
	else if (j)
		(void)json_object_update_new(
			j, json_pack("{s:I, s:I, s:I}", "records", (json_int_t)f->mrt.record, "routes",
				   (json_int_t)f->mrt.route, "withdrawals", (json_int_t)f->mrt.withdrawal));
	return j;
}

static void file_print(FILE *o, const struct load_file *f)
{
	struct count_row row[SKIPPED_ROWS];
	size_t n = f->again ? 0 : skipped_of(row, f);
	char a[32], b[32], c[32], name[256];

	(void)fprintf(o, "%.12s  %s: %s", f->id, printable(name, sizeof(name), f->path), f->format);
	if (f->again)
		(void)fputs(", loaded before", o);
	else if (f->is_text)
		(void)fprintf(
			o, ", %s lines, %s kept", thousands(a, f->text.line), thousands(b, f->text.kept));
	else
		(void)fprintf(o, ", %s records, %s routes, %s withdrawals", thousands(a, f->mrt.record),
			thousands(b, f->mrt.route), thousands(c, f->mrt.withdrawal));
	(void)fputc('\n', o);
	for (size_t i = 0; i < n; i++)
		if (row[i].n)
			(void)fprintf(
				o, "              skipped %s: %s\n", row[i].name, thousands(a, row[i].n));
	if (!f->again && f->is_text && f->text.first_bad)
		(void)fprintf(o, "              the first line not understood is line %s\n",
			thousands(a, f->text.first_bad));
	if (f->damage[0])
		(void)fprintf(o, "              %s; what is whole before that is loaded\n", f->damage);
}

/* ---- the commands ---- */

/* Who writes below DIR/map is DIR's owner, also where root asks for it; a limit on a file's size is an error
 * then, not the end. */
static enum status become_writer(const struct app *a, struct err *e)
{
	(void)signal(SIGXFSZ, SIG_IGN);
	return list_become_owner(a->dir, e);
}

/* DIR and DIR/map, so that the process needs no other right than to write below the latter. */
static enum status prepare(const struct app *a, char *dir, size_t n, struct err *e)
{
	int k = snprintf(dir, n, "%s/map", a->dir);

	if (k < 0 || (size_t)k >= n)
		return err_set(e, STATUS_BAD, "%s: the name is too long", a->dir);
	if (mkdir(a->dir, 0700) != 0 && access(a->dir, W_OK) != 0)
		return err_errno(e, "%s", a->dir);
	if (become_writer(a, e) != STATUS_OK)
		return e->status;
	if (mkdir(dir, 0700) != 0 && access(dir, W_OK) != 0)
		return err_errno(e, "%s", dir);
	return STATUS_OK;
}

static enum status confine(const char *dir, char **path, int n, struct arena *arena, struct err *e)
{
	const char **read = arena_array(arena, (size_t)n + 1, sizeof(*read));
	struct sandbox_held held;
	int k = 0;

	if (!read)
		return err_nomem(e);
	for (int i = 0; i < n; i++) {
		if (strcmp(path[i], "-") == 0)
			continue;
		if (access(path[i], R_OK) != 0)
			return err_set(e, STATUS_BAD, "%s: %s", path[i], strerror(errno));
		read[k++] = path[i];
	}
	enum status s = sandbox_become_owner(dir, e);
	if (s == STATUS_OK)
		s = sandbox_enter(
			&(struct sandbox){.profile = SANDBOX_RECORD, .write_below = dir, .read_below = read},
			&held, e);
	return s;
}

static const char *use_text(const struct atlas_entry *t)
{
	return t->in_use ? "in use" : t->future ? "after today, not in use but with --at" : "history";
}

/* A wrong date is the file's, its name's or the clock's; who loaded it shall know. */
static void future_warn(const struct atlas_entry *t, const struct load_file *f, size_t n)
{
	char day[WALL_TEXT], name[sizeof(t->name)];
	bool loaded = false;

	for (size_t i = 0; i < n; i++)
		loaded = loaded || strcmp(f[i].id, t->id) == 0;
	if (loaded && t->future)
		log_line("%s is dated %s, after today: it does not count as the newest table (--at TIME "
			 "takes it)",
			printable(name, sizeof(name), t->name), wall_day(day, t->sheet.to));
}

/* What the tables are dated, and what is history beside them. */
static void entry_date_print(FILE *o, const struct atlas_entry *t)
{
	char day[WALL_TEXT], name[sizeof(t->name)];

	(void)fprintf(o, "%.12s  of %s, %s: %s\n", t->id, wall_day(day, t->sheet.to), use_text(t),
		printable(name, sizeof(name), t->name));
}

/* The load is done; where another table is damaged that is said, too, and is no failure of this one. */
static void dates_say(struct app *a, const struct load_file *f, size_t n)
{
	struct atlas atlas;
	struct err e;

	if (atlas_open(&atlas, a->dir, &(struct atlas_ask){.w = a->w}, &e) != STATUS_OK)
		log_line("%s", e.text);
	for (size_t i = 0; i < atlas.n; i++) {
		future_warn(&atlas.entry[i], f, n);
		if (!a->json)
			entry_date_print(a->out, &atlas.entry[i]);
	}
	atlas_close(&atlas);
}

static enum status say(struct app *a, const struct load_file *f, size_t n, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (a->json)
			(void)json_array_append_new(list, file_json(&f[i]));
		else
			file_print(a->out, &f[i]);
	enum status s = a->json ? json_out(a, json_pack("{s:o}", "files", list), e) : STATUS_OK;
	if (!a->json)
		json_decref(list);
	if (s == STATUS_OK)
		dates_say(a, f, n);
	return s;
}

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MOST ? THREADS_MOST : (unsigned)n;
}

enum status map_load_run(struct app *a, int argc, char **argv, struct err *e)
{
	int64_t threads = processors();
	struct option_row row[] = {{"threads", 0, OPTION_COUNT, &threads}};
	struct watch watching = {0};
	struct load_watch watch = {&watching, progress};
	struct arena arena = {0};
	char dir[PATH_MAX];
	int first;
	enum status s = options_parse(a, row, 1, argc, argv, &first, e);

	if (s == STATUS_OK && first == argc)
		s = err_set(e, STATUS_BAD, "map load: no file (- is standard input)");
	if (s == STATUS_OK && (threads < 1 || threads > THREADS_MOST))
		s = err_set(e, STATUS_BAD, "--threads: 1 to %d", THREADS_MOST);
	if (s == STATUS_OK)
		s = prepare(a, dir, sizeof(dir), e);
	if (s == STATUS_OK)
		s = confine(dir, argv + first, argc - first, &arena, e);
	size_t n = s == STATUS_OK ? (size_t)(argc - first) : 0;
	struct load_file *file = arena_array(&arena, n + 1, sizeof(*file));
	if (s == STATUS_OK && !file)
		s = err_nomem(e);
	for (size_t i = 0; file && i < n; i++)
		file[i].path = argv[first + (int)i];
	if (s == STATUS_OK) {
		catch_signals();
		s = map_load(a->dir, a->w, file, n, (unsigned)threads, &watch, e);
		progress_end();
	}
	if (s == STATUS_OK)
		s = say(a, file, n, e);
	arena_free(&arena);
	return s;
}

static void entry_print(FILE *o, const struct atlas_entry *t)
{
	char from[WALL_TEXT], to[WALL_TEXT], name[sizeof(t->name)];

	(void)fprintf(
		o, "%.12s  %-16s  %s", t->id, map_kind_text[t->sheet.kind], wall_text(from, t->sheet.from));
	if (t->sheet.to.us != t->sheet.from.us)
		(void)fprintf(o, " .. %s", wall_text(to, t->sheet.to));
	(void)fprintf(o, "  %s%s\n", printable(name, sizeof(name), t->name),
		t->in_use   ? ""
		: t->future ? "  (after today)"
			    : "  (history)");
}

enum status map_list_run(struct app *a, int argc, char **argv, struct err *e)
{
	struct map_ask q = {0};
	struct option_row row[] = {MAP_OPTIONS(&q)};
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e); /* --at, --within */

	if (s == STATUS_OK && first != argc)
		s = err_set(e, STATUS_BAD, "map list: no further word");
	if (s == STATUS_OK)
		s = map_ask_open(&q, a, e);
	for (size_t i = 0; s == STATUS_OK && i < q.atlas.n; i++) {
		const struct atlas_entry *t = &q.atlas.entry[i];
		if (a->json)
			s = json_out(a,
				json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:I}", "id", t->id, "name",
					t->name, "kind", map_kind_text[t->sheet.kind], "from",
					json_time(t->sheet.from.us), "to", json_time(t->sheet.to.us),
					"in_use", (int)t->in_use, "future", (int)t->future, "bytes",
					(json_int_t)t->sheet.n),
				e);
		else
			entry_print(a->out, t);
	}
	map_ask_close(&q);
	return s;
}

/* ---- forgetting ---- */

#define ID_LEAST 6 /* digits that name a table */

/* A table as the map has it; what cannot be read of the map is left out. */
struct forgotten {
	char id[SHEET_ID], name[sizeof(((struct atlas_entry *)0)->name)];
	enum sheet_kind kind;
	bool found, in_use;
};

static void forgotten_find(struct forgotten *to, const struct app *a, const char *id)
{
	struct atlas atlas;
	struct err e;

	*to = (struct forgotten){0};
	(void)atlas_open(&atlas, a->dir, &(struct atlas_ask){.w = a->w}, &e);
	for (size_t i = 0; i < atlas.n && !to->found; i++) {
		const struct atlas_entry *t = &atlas.entry[i];
		if (strncmp(t->id, id, strlen(id)) != 0)
			continue;
		to->found = true;
		to->in_use = t->in_use;
		to->kind = t->sheet.kind;
		(void)snprintf(to->id, sizeof(to->id), "%s", t->id);
		(void)snprintf(to->name, sizeof(to->name), "%s", t->name);
	}
	atlas_close(&atlas);
}

/* What of its kind is in use now. */
static bool serves(const struct forgotten *f, const struct atlas_entry *t)
{
	return f->in_use && t->in_use && t->sheet.kind == f->kind;
}

static void forgotten_print(FILE *o, const struct forgotten *f, const struct atlas *atlas)
{
	char name[sizeof(f->name)], day[WALL_TEXT];
	size_t n = 0;

	(void)fprintf(o, "%.12s  %s: forgotten\n", f->id, printable(name, sizeof(name), f->name));
	for (size_t i = 0; i < atlas->n; i++) {
		const struct atlas_entry *t = &atlas->entry[i];
		if (!serves(f, t))
			continue;
		(void)fprintf(o, "%.12s  of %s, in use: %s\n", t->id, wall_day(day, t->sheet.to),
			printable(name, sizeof(name), t->name));
		n++;
	}
	if (f->in_use && n == 0)
		(void)fprintf(o, "of its kind (%s) nothing is in use now\n", map_kind_text[f->kind]);
}

static json_t *forgotten_json(const struct forgotten *f, const struct atlas *atlas)
{
	json_t *now = json_array();

	for (size_t i = 0; i < atlas->n; i++) {
		const struct atlas_entry *t = &atlas->entry[i];
		if (serves(f, t))
			(void)json_array_append_new(
				now, json_pack("{s:s, s:s, s:o, s:o}", "id", t->id, "name", t->name, "from",
					     json_time(t->sheet.from.us), "to", json_time(t->sheet.to.us)));
	}
	return json_pack("{s:s, s:s, s:s, s:b, s:o}", "id", f->id, "name", f->name, "kind",
		map_kind_text[f->kind], "was_in_use", (int)f->in_use, "in_use_now", now);
}

static enum status forgotten_say(struct app *a, const struct forgotten *f, struct err *e)
{
	struct atlas atlas;
	struct err ignored;
	enum status s = STATUS_OK;

	(void)atlas_open(&atlas, a->dir, &(struct atlas_ask){.w = a->w}, &ignored);
	if (a->json)
		s = json_out(a, forgotten_json(f, &atlas), e);
	else
		forgotten_print(a->out, f, &atlas);
	atlas_close(&atlas);
	return s;
}

enum status map_forget_run(struct app *a, int argc, char **argv, struct err *e)
{
	struct forgotten f = {0};
	char safe[80];
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "map forget: one ID (weir map list)");
	if (s == STATUS_OK && strlen(argv[first]) < ID_LEAST)
		s = err_set(e, STATUS_BAD, "map forget %s: at least %d digits of the id (weir map list)",
			printable(safe, sizeof(safe), argv[first]), ID_LEAST);
	if (s != STATUS_OK)
		return s;
	s = become_writer(a, e);
	if (s != STATUS_OK)
		return s;
	forgotten_find(&f, a, argv[first]);
	s = map_forget(a->dir, a->w, argv[first], e);
	if (s == STATUS_OK && !f.found) /* it came meanwhile: all that is known of it is what was given */
		(void)snprintf(f.id, sizeof(f.id), "%s", argv[first]);
	return s == STATUS_OK ? forgotten_say(a, &f, e) : s;
}
