/* DIR/audit: what the last audit counted, as lines of text.
 *
 *     weir-audit/v1
 *     made MICROSECONDS
 *     seed N
 *     wanted N
 *     alpha A
 *     flows N
 *     hosts N
 *     searchable N
 *     proven N
 *     max LOG10_E
 *     minutes PAIRS ABLE REACHED_1 REACHED_2 ...     (moved by whole minutes; up to the last that is not 0)
 *     free PAIRS ABLE REACHED_1 ...
 *     lift N                                         (only where it takes more pairs than these)
 *     crc32c 8 hex digits over all lines before
 *
 * Only counts are kept; what follows from them is computed when it is read.  The reader writes what it took
 * again and wants the same bytes, so there is one text of an audit and nothing that is half understood. */
#include "trace/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       "weir-audit/v"
#define VERSION     "1\n"
#define TEXT_MAX    8192
#define LINE        64
#define LIFT        "lift"
#define COUNT_MOST  UINT64_C(1000000000) /* whose limits are still computed in no time */
#define LOG10_E_MAX 1e6

/* ---- writing ---- */

static void put(struct buf *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct buf *to, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_put(to, line, n > 0 ? (size_t)n : 0);
}

static void put_part(struct buf *to, const char *name, const struct audit_part *p)
{
	int top = AUDIT_LEVELS;

	while (top > 0 && p->reached[top] == 0)
		top--;
	put(to, "%s %" PRIu64 " %" PRIu64, name, p->pairs, p->able);
	for (int k = 1; k <= top; k++)
		put(to, " %" PRIu64, p->reached[k]);
	put(to, "\n");
}

void audit_text_write(struct buf *to, const struct audit *a)
{
	size_t from = to->n;

	put(to, MAGIC VERSION "made %" PRId64 "\n", a->made.us);
	put(to, "seed %" PRIu64 "\nwanted %" PRIu64 "\n", a->seed, a->wanted);
	put(to, "alpha %.17g\n", a->alpha);
	put(to, "flows %" PRIu64 "\nhosts %" PRIu64 "\n", a->flows, a->hosts);
	put(to, "searchable %" PRIu64 "\n", a->searchable);
	put(to, "proven %" PRIu64 "\n", a->proven);
	put(to, "max %.17g\n", a->max_log10_e);
	put_part(to, "minutes", &a->part[AUDIT_MINUTES]);
	put_part(to, "free", &a->part[AUDIT_FREE]);
	if (a->lift > a->part[AUDIT_MINUTES].able + a->part[AUDIT_FREE].able)
		put(to, LIFT " %" PRIu64 "\n", a->lift);
	if (!to->failed)
		put(to, "crc32c %08" PRIx32 "\n", crc32c(to->p + from, to->n - from));
}

/* ---- reading ---- */

/* The rest of a line behind "NAME "; false where the next line is another. */
static bool line_of(struct rd *r, const char *name, char to[TEXT_MAX])
{
	size_t n = 0, skip = strlen(name);

	while (n < rd_left(r) && r->p[n] != '\n' && r->p[n] != '\0')
		n++;
	if (n == rd_left(r) || r->p[n] != '\n' || n <= skip || n >= TEXT_MAX)
		return false;
	const uint8_t *p = rd_take(r, n + 1);
	if (memcmp(p, name, skip) != 0 || p[skip] != ' ')
		return false;
	memcpy(to, p + skip + 1, n - skip - 1);
	to[n - skip - 1] = '\0';
	return true;
}

/* A number, and the blank behind it where more may follow. */
static bool number_next(const char **s, uint64_t most, uint64_t *to)
{
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	errno = 0;
	*to = strtoull(*s, &end, 10);
	if (errno != 0 || *to > most || (*end && (*end != ' ' || !end[1])))
		return false;
	*s = *end ? end + 1 : end;
	return true;
}

static bool take_number(struct rd *r, const char *name, uint64_t most, uint64_t *to)
{
	char line[TEXT_MAX];
	const char *s = line;

	return line_of(r, name, line) && number_next(&s, most, to) && !*s;
}

static bool take_real(struct rd *r, const char *name, double least, double most, double *to)
{
	char line[TEXT_MAX], *end;

	if (!line_of(r, name, line))
		return false;
	*to = strtod(line, &end);
	return end != line && !*end && *to >= least && *to <= most;
}

/* Counts that can be: no more reach a level than the one below. */
static bool take_part(struct rd *r, const char *name, struct audit_part *p)
{
	char line[TEXT_MAX];
	const char *s = line;

	if (!line_of(r, name, line) || !number_next(&s, COUNT_MOST, &p->pairs) ||
		!number_next(&s, p->pairs, &p->able))
		return false;
	uint64_t most = p->able;
	for (int k = 1; *s; k++) {
		if (k > AUDIT_LEVELS || !number_next(&s, most, &p->reached[k]))
			return false;
		most = p->reached[k];
	}
	return true;
}

static bool body_read(struct audit *a, struct rd r)
{
	uint64_t made;
	bool good = take_number(&r, "made", INT64_MAX, &made) &&
		    take_number(&r, "seed", UINT64_MAX, &a->seed) &&
		    take_number(&r, "wanted", UINT64_MAX, &a->wanted) &&
		    take_real(&r, "alpha", 1e-300, 0.5, &a->alpha) &&
		    take_number(&r, "flows", COUNT_MOST, &a->flows) &&
		    take_number(&r, "hosts", COUNT_MOST, &a->hosts) &&
		    take_number(&r, "searchable", UINT64_MAX, &a->searchable) &&
		    take_number(&r, "proven", COUNT_MOST, &a->proven) &&
		    take_real(&r, "max", -LOG10_E_MAX, LOG10_E_MAX, &a->max_log10_e) &&
		    take_part(&r, "minutes", &a->part[AUDIT_MINUTES]) &&
		    take_part(&r, "free", &a->part[AUDIT_FREE]);

	if (!good)
		return false;
	a->made.us = (int64_t)made;
	bool lift = rd_left(&r) > strlen(LIFT) && memcmp(r.p, LIFT " ", strlen(LIFT " ")) == 0;
	return !lift || take_number(&r, LIFT, 2 * COUNT_MOST, &a->lift);
}

/* Is what was read what the bytes say, all of it and in no other form? */
static enum status same_again(const struct audit *a, const void *p, size_t n, struct err *e)
{
	struct buf b = {0};

	audit_text_write(&b, a);
	bool failed = b.failed, same = !failed && b.n == n && memcmp(b.p, p, n) == 0;
	buf_free(&b);
	if (failed)
		return err_nomem(e);
	return same ? STATUS_OK : err_set(e, STATUS_BAD, "damaged");
}

enum status audit_text_read(struct audit *a, const void *p, size_t n, bool *newer, struct err *e)
{
	struct rd r = rd_of(p, n);
	size_t magic = strlen(MAGIC), head = strlen(MAGIC VERSION);

	*a = (struct audit){0};
	*newer = n > magic && memcmp(p, MAGIC, magic) == 0 &&
		 memcmp(p, MAGIC VERSION, n < head ? n : head) != 0;
	if (*newer)
		return err_set(e, STATUS_BAD, "of a newer version of weir");
	if (n < head || n > TEXT_MAX || memcmp(p, MAGIC VERSION, head) != 0)
		return err_set(e, STATUS_BAD, "damaged");
	rd_skip(&r, head);
	if (!body_read(a, r))
		return err_set(e, STATUS_BAD, "damaged");
	enum status s = same_again(a, p, n, e);
	if (s == STATUS_OK)
		audit_judge(a);
	return s;
}

/* ---- the file ---- */

static enum status name_of(char to[PATH_MAX], const char *dir, const char *end, struct err *e)
{
	if (snprintf(to, PATH_MAX, "%s/audit%s", dir, end) >= PATH_MAX)
		return err_set(e, STATUS_BAD, "%.200s...: the name is too long", dir);
	return STATUS_OK;
}

static enum status bytes_read(
	const struct world *w, const char *path, uint8_t to[TEXT_MAX + 1], size_t *n, struct err *e)
{
	/* a FIFO is not waited for */
	int fd = w->open(w->self, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	struct stat st;
	ssize_t k = 1;

	*n = 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, STATUS_NO, "%s: not there", path);
	if (fd < 0)
		return err_errno(e, "%s", path);
	bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	while (file && k != 0 && *n <= TEXT_MAX) {
		k = read(fd, to + *n, TEXT_MAX + 1 - *n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			break;
		*n += (size_t)k;
	}
	enum status s = k < 0 ? err_errno(e, "%s", path) : STATUS_OK;
	(void)w->close(w->self, fd);
	return file || s != STATUS_OK ? s : err_set(e, STATUS_BAD, "%s: not a file", path);
}

enum status audit_read(const struct world *w, const char *dir, struct audit *a, bool *newer, struct err *e)
{
	char path[PATH_MAX];
	uint8_t text[TEXT_MAX + 1];
	size_t n = 0;
	enum status s = name_of(path, dir, "", e);

	*a = (struct audit){0};
	*newer = false;
	if (s == STATUS_OK)
		s = bytes_read(w, path, text, &n, e);
	if (s != STATUS_OK)
		return s;
	s = audit_text_read(a, text, n, newer, e);
	return s == STATUS_OK ? s : err_wrap(e, "%s", path);
}

static enum status bytes_write(const struct world *w, const char *path, const struct buf *b, struct err *e)
{
	int fd = w->open(w->self, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, "%s", path);
	enum status s = world_write_all(w, fd, b->p, b->n) == 0 && w->fsync(w->self, fd) == 0
				? STATUS_OK
				: err_errno(e, "%s", path);
	if (w->close(w->self, fd) != 0 && s == STATUS_OK)
		s = err_errno(e, "%s", path);
	return s;
}

enum status audit_write(const struct world *w, const char *dir, const struct audit *a, struct err *e)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	struct buf b = {0};
	enum status s = name_of(path, dir, "", e);

	if (s == STATUS_OK)
		s = name_of(fresh, dir, ".new", e);
	if (s != STATUS_OK)
		return s;
	audit_text_write(&b, a);
	s = b.failed ? err_nomem(e) : bytes_write(w, fresh, &b, e);
	if (s == STATUS_OK && (w->rename(w->self, fresh, path) != 0 || world_sync_dir(w, path) != 0))
		s = err_errno(e, "%s", path);
	buf_free(&b);
	return s;
}
