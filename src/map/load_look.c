/* What a file is, before it is read: its beginning tells the format, and of MRT whether it is a table or
 * updates, when it begins and which peers it has; then updates are put to the table that they continue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map/load_in.h"

/* ---- its beginning ---- */

enum status job_open(const struct loading *l, struct job *j, struct err *e)
{
	return j->in ? STATUS_OK : input_open(&j->in, j->f->path, l->threads, e);
}

void job_close(struct job *j)
{
	input_close(j->in);
	j->in = NULL;
}

static enum status peers_keep(struct job *j, const struct mrt *m, struct err *e)
{
	const struct mrt_peer *p = mrt_peers(m, &j->n_peer);

	j->peer = malloc((j->n_peer + 1) * sizeof(*p));
	if (!j->peer)
		return err_nomem(e);
	if (j->n_peer)
		memcpy(j->peer, p, j->n_peer * sizeof(*p));
	return STATUS_OK;
}

/* The whole records of the beginning. */
static enum status mrt_begin(struct job *j, const uint8_t *p, size_t n, struct err *e)
{
	struct mrt *m = mrt_new();
	const struct mrt_route *route;
	size_t n_route, size;
	enum status st = m ? STATUS_OK : err_nomem(e);

	for (size_t at = 0; st == STATUS_OK; at += size) {
		size = mrt_size(p + at, n - at);
		if (size == 0 || size > n - at)
			break;
		st = mrt_record(m, p + at, size, &route, &n_route, e);
		if (at == 0)
			j->first = mrt_time(m);
	}
	if (st == STATUS_OK) {
		j->is_table = mrt_is_table(m);
		st = peers_keep(j, m, e);
	}
	mrt_free(m);
	return st;
}

static enum status nothing_known(const struct job *j, size_t n, struct err *e)
{
	const char *damage = input_damage(j->in);

	if (n == 0 && damage)
		return err_set(e, STATUS_BAD, "%s", damage);
	return err_set(e, STATUS_BAD, "%s", n == 0 ? "empty" : "none of the formats that can be loaded");
}

static enum status beginning(struct job *j, struct err *e)
{
	const uint8_t *p;
	size_t n;
	enum status st = input_peek(j->in, LOAD_PIECE, &p, &n, e);

	if (st != STATUS_OK)
		return st;
	n = n < LOAD_PIECE ? n : LOAD_PIECE;
	if (mrt_looks(p, n)) {
		st = mrt_begin(j, p, n, e);
		j->f->format = j->is_table ? "MRT table" : "MRT updates";
		return st;
	}
	j->text = text_looks(p, n);
	if (j->text == TEXT_NONE)
		return nothing_known(j, n, e);
	j->f->format = text_kind_text[j->text];
	j->f->is_text = true;
	return STATUS_OK;
}

static void job_name(struct job *j)
{
	const char *slash = strrchr(j->f->path, '/');
	bool is_stdin = strcmp(j->f->path, "-") == 0;

	(void)printable(j->name, sizeof(j->name),
		is_stdin ? "standard input"
		: slash  ? slash + 1
			 : j->f->path);
	if (!j->name[0])
		(void)snprintf(j->name, sizeof(j->name), "?");
}

/* What is no plain file can be read only once. */
static bool is_pipe(const char *path)
{
	struct stat st;

	return strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode);
}

static enum status job_look(const struct loading *l, struct job *j, struct err *e)
{
	job_name(j);
	j->is_pipe = is_pipe(j->f->path);
	enum status st = job_open(l, j, e);
	if (st != STATUS_OK)
		return st; /* names the file */
	st = beginning(j, e);
	if (l->n > 1 && !j->is_pipe)
		job_close(j);
	return st == STATUS_OK ? st : err_wrap(e, "%s", j->name);
}

/* ---- which belong together ---- */

static bool same_peer(const struct mrt_peer *a, const struct mrt_peer *b)
{
	return a->asn == b->asn && ip_equal(&a->ip, &b->ip);
}

static bool share_peer(const struct job *a, const struct job *b)
{
	for (size_t i = 0; i < a->n_peer; i++)
		for (size_t k = 0; k < b->n_peer; k++)
			if (same_peer(&a->peer[i], &b->peer[k]))
				return true;
	return false;
}

static bool is_updates(const struct job *j)
{
	return j->text == TEXT_NONE && !j->is_table;
}

/* Tables before updates of the same time. */
static int by_time(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	if (x->first.us != y->first.us)
		return x->first.us < y->first.us ? -1 : 1;
	return (int)y->is_table - (int)x->is_table;
}

/* Of the groups before job `at`, the last begun that shares a peer with it; else its own. */
static size_t group_of(const struct loading *l, size_t at)
{
	const struct job *j = &l->job[at];
	size_t best = at;

	for (size_t i = 0; is_updates(j) && i < at; i++) {
		const struct job *k = &l->job[i];
		bool later = best == at || k->group > best;
		if (k->text == TEXT_NONE && later && share_peer(j, k))
			best = k->group;
	}
	return best;
}

enum status load_look(struct loading *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		enum status st = job_look(l, &l->job[i], e);
		if (st != STATUS_OK)
			return st;
	}
	qsort(l->job, l->n, sizeof(*l->job), by_time);
	for (size_t i = 0; i < l->n; i++)
		l->job[i].group = group_of(l, i);
	return STATUS_OK;
}
