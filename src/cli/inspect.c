/* Reading a bundle in a process without rights: see inspect.h. */
#include "cli/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/confine.h"

#define DOCUMENT_BYTES (192 << 20) /* of what the reading process may hand back */

/* ---- claims there and back ---- */

enum status told_put(json_t *list, const struct told *t, struct err *e)
{
	json_t *trains = json_array();
	json_t *j = json_pack("{s:s, s:s, s:o}", "kind", t->kind, "body", t->body, "trains", trains);

	for (int k = 0; k < 2 && j; k++)
		if (t->name[k][0])
			(void)json_array_append_new(
				trains, json_stringn((const char *)t->train[k].p, t->train[k].n));
	return json_array_append_new(list, j) == 0 ? STATUS_OK : err_nomem(e);
}

enum status told_take(struct told *to, const json_t *j, struct err *e)
{
	enum statement_kind kind;
	const json_t *trains = json_object_get(j, "trains");

	*to = (struct told){0};
	if (!statement_kind_parse(&kind, json_text(j, "kind")) || json_array_size(trains) > 2)
		return err_set(e, STATUS_BAD, "the reading process handed back no claim");
	to->kind = statement_kind_name(kind);
	to->body = strdup(json_text(j, "body"));
	for (size_t k = 0; k < json_array_size(trains); k++) {
		const json_t *v = json_array_get(trains, k);
		buf_put(&to->train[k], json_string_value(v), json_string_length(v));
		if (to->train[k].failed || !blob_name(to->name[k], to->train[k].p, to->train[k].n))
			return err_nomem(e);
	}
	return to->body ? STATUS_OK : err_nomem(e);
}

/* ---- the reading process ---- */

static enum status read_here(struct app *a, const struct inspect *i, struct tracer **t, struct report *r,
	struct here_list *here, struct arena *arena, struct err *e)
{
	double alpha = i->trusted->trust.alpha;
	enum status s = tracer_open(t, a->w, a->dir, &a->cfg, alpha, e);

	if (s == STATUS_OK)
		s = here_look(here, *t, r->b, r->v, arena, e);
	r->here = here;
	return s;
}

static enum status fill(struct app *a, const struct inspect *i, const struct report *r, struct arena *arena,
	json_t *to, struct err *e)
{
	(void)json_object_set_new(to, "genuine", json_boolean(r->v->genuine));
	(void)json_object_set_new(to, "verified", json_boolean(r->v->good));
	(void)json_object_set_new(to, "contradicted", json_boolean(r->here && r->here->contradicted));
	(void)json_object_set_new(to, "why", json_string(report_why(r)));
	(void)json_object_set_new(to, "report", json_report(a, r));
	return i->act(a, i, r, arena, to, e);
}

static enum status read_bundle(
	struct app *a, const struct inspect *i, const struct buf *file, json_t *to, struct err *e)
{
	struct arena arena = {0};
	struct tracer *t = NULL;
	struct bundle b;
	struct verified v;
	struct here_list here = {0};
	struct report r = {&b, &v, NULL};
	enum status s = confine_reader(a, true, e);

	if (s == STATUS_OK)
		s = bundle_read(&b, file->p, file->n, &arena, e);
	if (s == STATUS_OK)
		s = verify_bundle(&v, &b, &i->trusted->trust, &arena, e);
	if (s == STATUS_OK && i->here && v.genuine)
		s = read_here(a, i, &t, &r, &here, &arena, e);
	if (s == STATUS_OK)
		s = fill(a, i, &r, &arena, to, e);
	tracer_close(t);
	arena_free(&arena);
	return s;
}

static void hand_back(struct app *a, const struct inspect *i, const struct buf *file, int fd)
{
	struct err e = {0};
	json_t *doc = json_object();
	FILE *to = fdopen(fd, "w");
	enum status s = read_bundle(a, i, file, doc, &e);

	(void)json_object_set_new(doc, "status", json_integer((json_int_t)s));
	(void)json_object_set_new(doc, "error", json_string(e.text));
	int r = to ? json_dumpf(doc, to, JSON_COMPACT | JSON_REAL_PRECISION(17)) : -1;
	json_decref(doc);
	_exit(r == 0 && fclose(to) == 0 ? 0 : 3);
}

/* ---- the process that acts ---- */

static enum status take_all(struct buf *to, int fd, struct err *e)
{
	uint8_t piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "the reading process");
		if (to->n + (size_t)n > DOCUMENT_BYTES)
			return err_set(e, STATUS_BAD, "there is more in it than is taken");
		buf_put(to, piece, (size_t)n);
	}
	return to->failed ? err_nomem(e) : STATUS_OK;
}

static enum status document(json_t **to, const struct buf *b, int how, const char *path, struct err *e)
{
	if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
		return err_set(e, STATUS_BAD, "%s: the process that read it ended without an answer", path);
	*to = json_loadb((const char *)b->p, b->n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(*to))
		return err_set(e, STATUS_BAD, "%s: the process that read it handed back no document", path);
	json_int_t status = json_integer_value(json_object_get(*to, "status"));
	if (status == STATUS_OK)
		return STATUS_OK;
	return err_set(e, status == STATUS_MACHINE ? STATUS_MACHINE : STATUS_BAD, "%s: %s", path,
		json_text(*to, "error"));
}

enum status inspect_file(struct app *a, const struct inspect *i, const char *path, struct buf *file,
	json_t **to, struct err *e)
{
	int ends[2], how = 0;
	struct buf b = {0};
	pid_t child;
	enum status s = bundle_file(file, path, e);

	*to = NULL;
	if (s != STATUS_OK)
		return s;
	if (pipe(ends) < 0)
		return err_errno(e, "a pipe");
	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		hand_back(a, i, file, ends[1]);
	}
	(void)close(ends[1]);
	if (child < 0)
		s = err_errno(e, "a process to read it with");
	if (s == STATUS_OK)
		s = take_all(&b, ends[0], e);
	(void)close(ends[0]);
	while (child > 0 && waitpid(child, &how, 0) < 0 && errno == EINTR)
		;
	if (s == STATUS_OK)
		s = document(to, &b, how, path, e);
	buf_free(&b);
	if (s != STATUS_OK) {
		json_decref(*to);
		*to = NULL;
	}
	return s;
}
