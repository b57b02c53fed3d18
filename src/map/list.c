/* The list of sheets: see list.h. */
#include "map/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/grow.h"
#include "map/inferred.h"

#define LINE_MAX_BYTES 512

static const char *const kind_word[] = {[SHEET_PATHS] = "paths",
	[SHEET_LINKS] = "links",
	[SHEET_REGISTRY] = "registry",
	[SHEET_ORIGINS] = "origins",
	[SHEET_HOLDERS] = "holders"};
enum { KIND_WORDS = sizeof(kind_word) / sizeof(kind_word[0]) };

bool list_sheet_path(char to[PATH_MAX], const char *dir, const char *id)
{
	return snprintf(to, PATH_MAX, "%s/map/%s.sheet", dir, id) < PATH_MAX;
}

static bool list_path(char to[PATH_MAX], const char *dir, const char *suffix)
{
	return snprintf(to, PATH_MAX, "%s/map/tables%s", dir, suffix) < PATH_MAX;
}

void list_free(struct list *l)
{
	free(l->line);
	*l = (struct list){0};
}

enum status list_add(struct list *l, const struct list_line *line, struct err *e)
{
	if (!grow(&l->line, &l->cap, l->n, 1, sizeof(*l->line)))
		return err_nomem(e);
	l->line[l->n++] = *line;
	return STATUS_OK;
}

struct list_line *list_find(const struct list *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->line[i].id, id) == 0)
			return &l->line[i];
	return NULL;
}

/* ---- reading ---- */

/* Cuts the next word off *s; "" where none is left. */
static char *word(char **s)
{
	char *at = *s;
	size_t n = strcspn(at, " ");

	*s = at[n] ? at + n + 1 : at + n;
	at[n] = '\0';
	return at;
}

static bool number(struct wall *to, const char *s)
{
	char *end;

	errno = 0;
	long long v = strtoll(s, &end, 10);
	to->us = v;
	return *s && !*end && errno == 0;
}

static bool kind_read(enum sheet_kind *to, const char *s)
{
	for (unsigned k = 1; k < KIND_WORDS; k++)
		if (strcmp(kind_word[k], s) == 0) {
			*to = (enum sheet_kind)k;
			return true;
		}
	return false;
}

static bool line_read(struct list_line *to, char *s)
{
	*to = (struct list_line){0};
	const char *id = word(&s), *kind = word(&s), *family = word(&s), *from = word(&s), *until = word(&s);

	if (!id_like(id) || !kind_read(&to->kind, kind) || !number(&to->from, from) ||
		!number(&to->to, until))
		return false;
	memcpy(to->id, id, SHEET_ID);
	to->v4 = strchr(family, '4') != NULL;
	to->v6 = strchr(family, '6') != NULL;
	(void)printable(to->name, sizeof(to->name), s);
	return true;
}

static enum status lines_read(struct list *l, FILE *f, const char *path, struct err *e)
{
	char s[LINE_MAX_BYTES];
	struct list_line line;
	enum status st = STATUS_OK;

	while (st == STATUS_OK && fgets(s, sizeof(s), f)) {
		size_t n = strcspn(s, "\n");
		bool whole = s[n] == '\n';
		s[n] = '\0';
		if (!whole || !line_read(&line, s))
			return err_set(e, STATUS_BAD, "%s: line %zu is damaged", path, l->n + 1);
		st = list_add(l, &line, e);
	}
	return st == STATUS_OK && ferror(f) ? err_errno(e, "%s", path) : st;
}

enum status list_read(struct list *l, const char *dir, struct err *e)
{
	char path[PATH_MAX];

	*l = (struct list){0};
	if (!list_path(path, dir, ""))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	FILE *f = fopen(path, "re");
	if (!f)
		return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : err_errno(e, "%s", path);
	enum status st = lines_read(l, f, path, e);
	(void)fclose(f);
	if (st != STATUS_OK)
		list_free(l);
	return st;
}

/* ---- writing ---- */

static void line_write(struct buf *to, const struct list_line *l)
{
	char s[LINE_MAX_BYTES];
	int n = snprintf(s, sizeof(s), "%s %s %s %lld %lld %s\n", l->id, kind_word[l->kind],
		l->v4 && l->v6 ? "46"
		: l->v4        ? "4"
		: l->v6        ? "6"
			       : "-",
		(long long)l->from.us, (long long)l->to.us, l->name);

	buf_put(to, s, n > 0 ? (size_t)n : 0);
}

static enum status part_write(const struct buf *b, const char *part, const struct world *w, struct err *e)
{
	int fd = w->open(w->self, part, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0)
		return err_errno(e, "%s: cannot be made", part);
	bool good = world_write_all(w, fd, b->p, b->n) == 0 && w->fsync(w->self, fd) == 0;
	enum status st = good ? STATUS_OK : err_errno(e, "%s: cannot be written", part);
	if (w->close(w->self, fd) != 0 && st == STATUS_OK)
		st = err_errno(e, "%s: cannot be written", part);
	return st;
}

enum status list_write(const struct list *l, const char *dir, const struct world *w, struct err *e)
{
	char path[PATH_MAX], part[PATH_MAX];
	struct buf b = {0};

	if (!list_path(path, dir, "") || !list_path(part, dir, ".part"))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	for (size_t i = 0; i < l->n; i++)
		line_write(&b, &l->line[i]);
	enum status st = b.failed ? err_nomem(e) : part_write(&b, part, w, e);
	buf_free(&b);
	if (st == STATUS_OK && w->rename(w->self, part, path) != 0)
		st = err_errno(e, "%s: cannot be put in its place", path);
	if (st != STATUS_OK) {
		(void)w->unlink(w->self, part);
		return st;
	}
	/* From here on the new list is what is read; only a power cut could still bring the old one back. */
	return world_sync_dir(w, path) == 0 ? st : err_errno(e, "%s: its directory cannot be synced", path);
}

/* ---- the lock ---- */

static bool made(const struct world *w, const char *path)
{
	return w->mkdir(w->self, path, 0777) == 0 || errno == EEXIST;
}

int list_lock(const char *dir, const struct world *w, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/map", dir) >= (int)sizeof(path)) {
		(void)err_set(e, STATUS_BAD, "%s: the name is too long", dir);
		return -1;
	}
	if (!made(w, dir) || !made(w, path)) {
		(void)err_errno(e, "%s: cannot be made", path);
		return -1;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		(void)err_errno(e, "%s", path);
		return -1;
	}
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR) {
			(void)err_errno(e, "%s: cannot be locked", path);
			(void)close(fd);
			return -1;
		}
	return fd;
}

int list_lock_now(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/map", dir) >= (int)sizeof(path))
		return -1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* ---- what is left over ---- */

static bool ends_so(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n >= k && strcmp(name + n - k, suffix) == 0;
}

/* Of a name without its suffix: is it no line's id? */
static bool is_nobodys(const struct list *l, const char *name, size_t n)
{
	char id[SHEET_ID];

	if (n >= sizeof(id))
		return false;
	memcpy(id, name, n);
	id[n] = '\0';
	return id_like(id) && !list_find(l, id);
}

/* The beginning of a file, a sheet that is not the list's, or what was inferred from such a one. */
static bool is_left_over(const struct list *l, const char *name, const char *path)
{
	if (ends_so(name, ".sheet.part") || ends_so(name, INFERRED_SUFFIX ".part"))
		return true;
	if (ends_so(name, ".sheet"))
		return is_nobodys(l, name, strlen(name) - strlen(".sheet"));
	return ends_so(name, INFERRED_SUFFIX) && !inferred_wanted(path, l);
}

void list_sweep(const struct list *l, const char *dir, const struct world *w)
{
	char path[PATH_MAX];
	const struct dirent *at;

	if (snprintf(path, sizeof(path), "%s/map", dir) >= (int)sizeof(path))
		return;
	DIR *d = opendir(path);
	while (d && (at = readdir(d)) != NULL)
		if (snprintf(path, sizeof(path), "%s/map/%s", dir, at->d_name) < (int)sizeof(path) &&
			is_left_over(l, at->d_name, path))
			(void)w->unlink(w->self, path);
	if (d)
		(void)closedir(d);
}
