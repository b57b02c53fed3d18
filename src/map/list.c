/* The list of sheets: see list.h. */
#include "map/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/grow.h"
#include "base/sandbox.h"
#include "map/inferred.h"

#define LINE_MAX_BYTES 512
#define SUM_WORD       "sum "
#define SUM_TEXT       48
#define LOAD_AGAIN     "remove it and load the tables again (weir map load FILE...)"

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

static void sum_text(char to[SUM_TEXT], size_t n, uint32_t crc)
{
	(void)snprintf(to, SUM_TEXT, SUM_WORD "%zu %08" PRIx32, n, crc);
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

/* As load writes it: not too long, and printable. */
static bool name_good(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] <= '~')
		n++;
	return n < SHEET_NAME && s[n] == '\0';
}

/* Does the name go on with another line?  A newline that was damaged joins two. */
static bool holds_line(const char *name)
{
	enum sheet_kind kind;
	char text[16];

	for (const char *at = name; (at = strchr(at, ' ')) != NULL;) {
		size_t before = (size_t)(at++ - name), n = strcspn(at, " ");
		if (before < SHEET_ID - 1 || n >= sizeof(text))
			continue;
		(void)snprintf(text, sizeof(text), "%.*s", (int)n, at);
		if (strspn(at - SHEET_ID, "0123456789abcdef") == SHEET_ID - 1 && kind_read(&kind, text))
			return true;
	}
	return false;
}

static bool family_read(struct list_line *to, const char *s)
{
	static const char *const word[] = {"-", "4", "6", "46"};

	for (unsigned i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		if (strcmp(word[i], s) == 0) {
			to->v4 = i & 1;
			to->v6 = i & 2;
			return true;
		}
	return false;
}

static bool line_read(struct list_line *to, char *s)
{
	*to = (struct list_line){0};
	const char *id = word(&s), *kind = word(&s), *family = word(&s), *from = word(&s), *until = word(&s);

	if (strlen(id) != SHEET_ID - 1 || !id_like(id) || !kind_read(&to->kind, kind) ||
		!family_read(to, family) || !number(&to->from, from) || !number(&to->to, until) ||
		!name_good(s))
		return false;
	memcpy(to->id, id, SHEET_ID);
	memcpy(to->name, s, strlen(s) + 1);
	return true;
}

static enum status lines_read(struct list *l, FILE *f, const char *path, struct err *e)
{
	char s[LINE_MAX_BYTES], told[SUM_TEXT] = "", is[SUM_TEXT];
	struct list_line line;
	uint32_t crc = crc32c("", 0);
	enum status st = STATUS_OK;

	for (size_t at = 1; st == STATUS_OK && fgets(s, sizeof(s), f); at++) {
		size_t n = strcspn(s, "\n");
		bool whole = s[n] == '\n', is_sum = at == 1 && strncmp(s, SUM_WORD, strlen(SUM_WORD)) == 0;
		if (whole && !is_sum)
			crc = crc32c_more(crc, s, n + 1);
		s[n] = '\0';
		if (whole && is_sum) {
			(void)snprintf(told, sizeof(told), "%.*s", SUM_TEXT - 1, s);
			l->sure = true;
			continue;
		}
		if (!whole || !line_read(&line, s) || (!l->sure && holds_line(line.name)))
			return err_set(e, STATUS_BAD, "%s: line %zu is damaged; " LOAD_AGAIN, path, at);
		st = list_add(l, &line, e);
	}
	if (st == STATUS_OK && ferror(f))
		return err_errno(e, "%s", path);
	sum_text(is, l->n, crc);
	if (st == STATUS_OK && l->sure && strcmp(told, is) != 0)
		return err_set(e, STATUS_BAD, "%s: damaged, its sum is wrong; " LOAD_AGAIN, path);
	return st;
}

/* A pipe that stands there is not waited for. */
static enum status list_open(FILE **f, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat at;

	*f = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : err_errno(e, "%s", path);
	if (fstat(fd, &at) == 0 && !S_ISREG(at.st_mode)) {
		(void)close(fd);
		return err_set(e, STATUS_BAD, "%s: not a file; " LOAD_AGAIN, path);
	}
	*f = fdopen(fd, "r");
	if (*f)
		return STATUS_OK;
	(void)close(fd);
	return err_nomem(e);
}

enum status list_read(struct list *l, const char *dir, struct err *e)
{
	char path[PATH_MAX];

	*l = (struct list){0};
	if (!list_path(path, dir, ""))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	FILE *f;
	enum status st = list_open(&f, path, e);
	l->sure = !f;
	if (st == STATUS_OK && f)
		st = lines_read(l, f, path, e);
	if (f)
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
	int fd = world_open_new(w, part, 0666);

	if (fd < 0)
		return err_errno(e, "%s: cannot be made", part);
	bool good = world_write_all(w, fd, b->p, b->n) == 0 && w->fsync(w->self, fd) == 0;
	enum status st = good ? STATUS_OK : err_errno(e, "%s: cannot be written", part);
	if (w->close(w->self, fd) != 0 && st == STATUS_OK)
		st = err_errno(e, "%s: cannot be written", part);
	return st;
}

/* The sum, and what it is of. */
static void list_text(struct buf *to, const struct list *l)
{
	struct buf line = {0};
	char sum[SUM_TEXT];

	for (size_t i = 0; i < l->n; i++)
		line_write(&line, &l->line[i]);
	sum_text(sum, l->n, crc32c_more(crc32c("", 0), line.p, line.n));
	buf_put(to, sum, strlen(sum));
	buf_u8(to, '\n');
	if (line.n)
		buf_put(to, line.p, line.n);
	to->failed = to->failed || line.failed;
	buf_free(&line);
}

enum status list_write(const struct list *l, const char *dir, const struct world *w, struct err *e)
{
	char path[PATH_MAX], part[PATH_MAX];
	struct buf b = {0};

	if (!list_path(path, dir, "") || !list_path(part, dir, ".part"))
		return err_set(e, STATUS_BAD, "%s: the name is too long", dir);
	list_text(&b, l);
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

/* ---- whose directory it is ---- */

bool list_is_others(const char *dir)
{
	static const char *const below[] = {"", "/map"};
	char path[PATH_MAX];
	struct stat at;

	for (unsigned i = 0; geteuid() == 0 && i < sizeof(below) / sizeof(below[0]); i++)
		if (snprintf(path, sizeof(path), "%s%s", dir, below[i]) < (int)sizeof(path) &&
			stat(path, &at) == 0 && at.st_uid != 0)
			return true;
	return false;
}

enum status list_become_owner(const char *dir, struct err *e)
{
	char path[PATH_MAX];
	enum status st = access(dir, F_OK) == 0 ? sandbox_become_owner(dir, e) : STATUS_OK;

	if (st != STATUS_OK || snprintf(path, sizeof(path), "%s/map", dir) >= (int)sizeof(path) ||
		access(path, F_OK) != 0)
		return st;
	return sandbox_become_owner(path, e);
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

/* Only what is as it was written says which sheets are nobody's. */
static bool is_whole(const struct list *l, const char *dir)
{
	char path[PATH_MAX];

	for (size_t i = 0; l->sure && i < l->n; i++)
		if (!list_sheet_path(path, dir, l->line[i].id) || access(path, F_OK) != 0)
			return false;
	return l->sure;
}

/* The beginning of a file, a sheet that is not the list's, or what was inferred from such a one. */
static bool is_left_over(const struct list *l, bool whole, const char *name, const char *path)
{
	if (ends_so(name, ".sheet.part") || ends_so(name, INFERRED_SUFFIX ".part"))
		return true;
	if (ends_so(name, ".sheet"))
		return whole && is_nobodys(l, name, strlen(name) - strlen(".sheet"));
	return ends_so(name, INFERRED_SUFFIX) && !inferred_wanted(path, l);
}

void list_sweep(const struct list *l, const char *dir, const struct world *w)
{
	char path[PATH_MAX];
	const struct dirent *at;
	bool whole = is_whole(l, dir);

	if (snprintf(path, sizeof(path), "%s/map", dir) >= (int)sizeof(path))
		return;
	DIR *d = opendir(path);
	while (d && (at = readdir(d)) != NULL)
		if (snprintf(path, sizeof(path), "%s/map/%s", dir, at->d_name) < (int)sizeof(path) &&
			is_left_over(l, whole, at->d_name, path))
			(void)w->unlink(w->self, path);
	if (d)
		(void)closedir(d);
}
