/* What the back end counted, into the database as differences.
 *
 * The kernel's counters go on over renewals and over enforcers, and an order may share a rule with another
 * that was given before; so what was read last for each order is kept in DIR/enforce/NAME.counted: a line for
 * each, "ID PACKETS BYTES".  It is written before the database: a crash in between loses a count, and makes
 * none up.  It is only a memory: damaged or gone, counting begins again from what is there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case/db.h"

#include "block/enforce_in.h"

#define COUNTED_END   ".counted"
#define COUNTED_BYTES (16 << 20)
#define STALE_US      (60 * SECOND_US) /* a row is written anew after this, though nothing has changed */

static bool line_parse(struct counted *to, const char *line)
{
	char id[ID_TEXT];

	return sscanf(line, "%32[0-9a-f] %" SCNu64 " %" SCNu64, id, &to->packets, &to->bytes) == 3 &&
	       id_parse(&to->id, id);
}

/* Whoever owns DIR may have put anything there: only a file is read, and only one that we could have made. */
static FILE *counted_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *in = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= COUNTED_BYTES)
		in = fdopen(fd, "r");
	if (!in && fd >= 0)
		(void)close(fd);
	return in;
}

/* A new file, never one that is there, or that a link leads to. */
static FILE *counted_create(const char *path)
{
	int fd;
	FILE *out;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out && fd >= 0)
		(void)close(fd);
	return out;
}

enum status enforce_counted(struct enforcer *f, struct err *e)
{
	char path[PATH_MAX], line[128];
	enum status s = enforce_path(path, f->dir, f->backend->name, COUNTED_END, e);
	size_t cap = 0;
	FILE *in;

	in = s == STATUS_OK ? counted_open(path) : NULL;
	while (in && s == STATUS_OK && fgets(line, sizeof(line), in)) {
		struct counted c;
		if (!line_parse(&c, line))
			continue;
		if (f->n_counted == cap) {
			struct counted *more = reallocarray(f->counted, cap ? cap * 2 : 64, sizeof(c));
			if (!more) {
				s = err_nomem(e);
				break;
			}
			f->counted = more;
			cap = cap ? cap * 2 : 64;
		}
		f->counted[f->n_counted++] = c;
	}
	if (in)
		(void)fclose(in);
	if (f->n_counted)
		qsort(f->counted, f->n_counted, sizeof(*f->counted), id_order);
	return s;
}

static enum status counted_write(struct enforcer *f, struct err *e)
{
	char path[PATH_MAX], fresh[PATH_MAX], id[ID_TEXT];
	enum status s = enforce_path(path, f->dir, f->backend->name, COUNTED_END, e);
	FILE *out;
	bool ok;

	if (s == STATUS_OK)
		s = enforce_path(fresh, f->dir, f->backend->name, COUNTED_END ".new", e);
	if (s != STATUS_OK)
		return s;
	out = counted_create(fresh);
	if (!out)
		return err_errno(e, "%s", fresh);
	for (size_t i = 0; i < f->n_counted; i++)
		(void)fprintf(out, "%s %" PRIu64 " %" PRIu64 "\n", id_text(id, &f->counted[i].id),
			f->counted[i].packets, f->counted[i].bytes);
	ok = !ferror(out);
	ok = fclose(out) == 0 && ok;
	return ok && rename(fresh, path) == 0 ? STATUS_OK : err_errno(e, "%s", path);
}

/* What is new of a count: where it is less than it was, counting has begun again. */
static uint64_t more(uint64_t is, uint64_t was)
{
	return is >= was ? is - was : is;
}

struct difference {
	uint64_t packets, bytes;
};

/* The new memory, of the orders of this round; *diff (r->n of them) what came since the last.  An order that
 * is met for the first time has counted nothing yet. */
static enum status count(
	struct enforcer *f, const struct hand_reply *r, struct difference *diff, bool *changed, struct err *e)
{
	struct counted *new = calloc(r->n + 1, sizeof(*new));
	size_t n = 0;

	if (!new)
		return err_nomem(e);
	for (size_t i = 0; i < r->n; i++) {
		const struct hand_result *x = &r->result[i];
		const struct counted *was =
			f->n_counted ? bsearch(&x->id, f->counted, f->n_counted, sizeof(*was), id_order)
				     : NULL;
		if (!x->taken)
			continue;
		if (was)
			diff[i] = (struct difference){
				more(x->packets, was->packets), more(x->bytes, was->bytes)};
		*changed = *changed || !was || diff[i].packets || diff[i].bytes;
		new[n++] = (struct counted){x->id, x->packets, x->bytes};
	}
	*changed = *changed || n != f->n_counted;
	qsort(new, n, sizeof(*new), id_order);
	free(f->counted);
	f->counted = new;
	f->n_counted = n;
	return STATUS_OK;
}

/* One back end says what is installed here, the other what is announced to routers. */
static enum status row_write(struct enforcer *f, const struct order_row *row, const struct hand_result *x,
	const struct difference *d, struct wall now, bool *begun, struct err *e)
{
	bool here = f->backend->net_admin;
	bool installed = here ? x->installed : row->installed;
	bool announced = here ? row->announced : x->installed;
	enum status s = STATUS_OK;

	if (!d->packets && !d->bytes && installed == row->installed && announced == row->announced &&
		strcmp(x->why, row->note) == 0 && now.us - row->measured.us < STALE_US)
		return s;
	if (!*begun)
		s = db_begin(f->db, true, e);
	*begun = *begun || s == STATUS_OK;
	if (s == STATUS_OK)
		s = order_row_measure(
			f->db, &row->id, now, installed, announced, d->packets, d->bytes, x->why, e);
	return s;
}

enum status enforce_measure(
	struct enforcer *f, const struct gathered *g, const struct hand_reply *r, struct err *e)
{
	struct difference *diff = calloc(r->n + 1, sizeof(*diff));
	struct wall now = f->w->now(f->w->self);
	bool changed = false, begun = false;
	enum status s = diff ? count(f, r, diff, &changed, e) : err_nomem(e);

	if (s == STATUS_OK && changed)
		s = counted_write(f, e);
	for (size_t i = 0; i < r->n && s == STATUS_OK; i++)
		s = row_write(f, &g->row[i], &r->result[i], &diff[i], now, &begun, e);
	if (begun)
		s = db_end(f->db, s, e);
	free(diff);
	return s;
}
