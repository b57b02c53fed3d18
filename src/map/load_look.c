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

/* The peers of all files with a number each, the same one the same. */
struct known {
	struct ref {
		const struct mrt_peer *peer;
		size_t at; /* in number[]: all of the first job, then of the second, ... */
	} * ref;
	uint32_t *number;
	size_t n;
	size_t *latest; /* by number: the last begun group that has the peer, + 1 */
};

static int by_peer(const void *a, const void *b)
{
	const struct mrt_peer *x = ((const struct ref *)a)->peer, *y = ((const struct ref *)b)->peer;

	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	return ip_compare(&x->ip, &y->ip);
}

static void known_number(struct known *k)
{
	uint32_t number = 0;

	qsort(k->ref, k->n, sizeof(*k->ref), by_peer);
	for (size_t i = 0; i < k->n; i++) {
		number += i && by_peer(&k->ref[i - 1], &k->ref[i]) != 0;
		k->number[k->ref[i].at] = number;
	}
}

static bool known_make(struct known *k, const struct loading *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->job[i].n_peer;
	k->ref = calloc(n + 1, sizeof(*k->ref));
	k->number = calloc(n + 1, sizeof(*k->number));
	k->latest = calloc(n + 1, sizeof(*k->latest));
	if (!k->ref || !k->number || !k->latest)
		return false;
	for (size_t i = 0; i < l->n; i++)
		for (size_t p = 0; p < l->job[i].n_peer; p++, k->n++)
			k->ref[k->n] = (struct ref){&l->job[i].peer[p], k->n};
	known_number(k);
	return true;
}

/* Updates go to the last begun of the groups before them that has a peer of theirs; what has none begins its
 * own. */
static void groups_make(struct loading *l, const struct known *k)
{
	const uint32_t *number = k->number;

	for (size_t i = 0; i < l->n; number += l->job[i++].n_peer) {
		struct job *j = &l->job[i];
		size_t best = 0;
		for (size_t p = 0; is_updates(j) && p < j->n_peer; p++)
			best = k->latest[number[p]] > best ? k->latest[number[p]] : best;
		j->group = best ? best - 1 : i;
		for (size_t p = 0; p < j->n_peer; p++)
			if (k->latest[number[p]] <= j->group)
				k->latest[number[p]] = j->group + 1;
	}
}

enum status load_look(struct loading *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		enum status st = job_look(l, &l->job[i], e);
		if (st != STATUS_OK)
			return st;
	}
	qsort(l->job, l->n, sizeof(*l->job), by_time);
	struct known k = {0};
	bool good = known_make(&k, l);
	if (good)
		groups_make(l, &k);
	free(k.ref);
	free(k.number);
	free(k.latest);
	return good ? STATUS_OK : err_nomem(e);
}
