/* Inferred relationships are kept beside the tables: to infer them takes a walk over all paths, more than a
 * second of a large table, and `cut` and `whatif` ask for them each time.
 *
 * A paths sheet's id is its content's, so the ids in use, in their order, say what the outcome is.  It is
 * written as every sheet is, to a temporary file and renamed; who writes holds the lock of DIR/map, without
 * waiting for it. */
#include "map/inferred.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map/infer.h"

#define TAG_FROM SHEET_TAG('F', 'R', 'O', 'M') /* ids of the tables */

/* Part of the key: to be counted up where infer*.c or links.c come to another outcome. */
static const char how[] = "weir inferred 1";

struct source {
	struct id *id; /* of the tables in use, in the order in which they are asked */
	size_t n;
	char path[PATH_MAX];
};

/* ---- its name ---- */

static bool key_make(char to[ID_TEXT], const struct source *s)
{
	struct hash_run *h = hash_begin();
	uint8_t sum[32];
	struct id id;

	if (h) {
		(void)hash_more(h, how, sizeof(how));
		(void)hash_more(h, s->id, s->n * sizeof(*s->id));
	}
	if (!hash_end(h, sum))
		return false;
	memcpy(id.b, sum, sizeof(id.b));
	(void)id_text(to, &id);
	return true;
}

/* False where there is nothing to keep it by: an older weir's table has no id. */
static bool source_of(struct source *s, const struct atlas *at, struct arena *a)
{
	static const struct id none;
	char key[ID_TEXT];

	s->id = arena_array(a, at->n_paths, sizeof(*s->id));
	s->n = at->n_paths;
	for (size_t i = 0; s->id && i < s->n; i++) {
		s->id[i] = at->paths[i]->sheet->id;
		if (id_order(&s->id[i], &none) == 0)
			return false;
	}
	if (!s->id || !at->dir || !key_make(key, s))
		return false;
	int n = snprintf(s->path, sizeof(s->path), "%s/map/%s" INFERRED_SUFFIX, at->dir, key);
	return n > 0 && (size_t)n < sizeof(s->path);
}

/* ---- reading ---- */

static bool is_from(const struct sheet *sheet, const struct source *s)
{
	size_t n;
	const struct id *id = sheet_section(sheet, TAG_FROM, sizeof(*id), &n);

	return id && n == s->n && memcmp(id, s->id, n * sizeof(*id)) == 0;
}

/* A sheet's bytes as the arena's own: who asks closes nothing. */
static bool sheet_copy(struct sheet *to, const struct sheet *s, struct arena *a)
{
	struct err e;
	void *p = arena_alloc(a, s->n);

	if (!p)
		return false;
	memcpy(p, s->map, s->n);
	return sheet_of(to, p, s->n, &e) == STATUS_OK;
}

static bool kept_read(struct links *to, const struct source *s, struct arena *a)
{
	struct sheet sheet, copy;
	struct err e;

	if (sheet_open(&sheet, s->path, &e) != STATUS_OK)
		return false;
	bool good = sheet.kind == SHEET_LINKS && sheet_copy(&copy, &sheet, a) &&
		    sheet_check(&copy, &e) == STATUS_OK && is_from(&copy, s) &&
		    links_view(to, &copy, &e) == STATUS_OK;
	sheet_close(&sheet);
	return good;
}

bool inferred_wanted(const char *path, const struct list *l)
{
	struct sheet s;
	struct err e;
	char text[ID_TEXT];
	size_t n = 0;

	if (sheet_open(&s, path, &e) != STATUS_OK)
		return false;
	const struct id *id = sheet_section(&s, TAG_FROM, sizeof(*id), &n);
	bool all = n > 0;
	for (size_t i = 0; i < n; i++)
		all = all && list_find(l, id_text(text, &id[i])) != NULL;
	sheet_close(&s);
	return all;
}

/* ---- writing ---- */

static void kept_write(
	const struct links *l, const struct source *s, const struct world *w, struct wall at, struct err *e)
{
	struct sheet_out *o = sheet_begin(w, s->path, SHEET_LINKS, e);

	if (!o)
		return;
	sheet_time(o, at, at);
	if (links_put(o, l, e) == STATUS_OK &&
		sheet_put(o, TAG_FROM, s->id, s->n * sizeof(*s->id), e) == STATUS_OK)
		(void)sheet_finish(o, e);
	else
		sheet_drop(o);
}

/* A limit on a file's size is a disk that is full, not the end of the question. */
static void keep(const struct links *l, const struct source *s, const struct atlas *at)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;
	struct err e; /* nobody's: the answer is there */
	int lock = list_lock_now(at->dir);

	if (lock < 0)
		return;
	if (sigaction(SIGXFSZ, &ignore, &before) == 0) {
		kept_write(l, s, at->w, at->paths[0]->sheet->to, &e);
		(void)sigaction(SIGXFSZ, &before, NULL);
	}
	(void)close(lock);
}

/* Root does not write into a directory of somebody else's: a child becomes that user and does, so that root
 * can still write what else was asked for (--svg). */
static void keep_as_owner(const struct links *l, const struct source *s, const struct atlas *at)
{
	struct err e;
	pid_t child = fork();

	if (child == 0) {
		if (list_become_owner(at->dir, &e) == STATUS_OK)
			keep(l, s, at);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

enum status inferred_links(struct links *to, const struct atlas *at, struct arena *a, struct err *e)
{
	struct source s;
	bool named = source_of(&s, at, a);

	if (named && kept_read(to, &s, a))
		return STATUS_OK;
	enum status st = infer_links(to, at->paths, at->n_paths, a, e);
	if (st != STATUS_OK || !named)
		return st;
	if (list_is_others(at->dir))
		keep_as_owner(to, &s, at);
	else
		keep(to, &s, at);
	return st;
}
