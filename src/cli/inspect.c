/* Reading a bundle in a process without rights: see inspect.h. */
#include "cli/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/confine.h"

#define DOCUMENT_BYTES (80 << 20) /* of what the reading process may hand back */

/* ---- claims there and back ---- */

/* Each train's text once, by its name. */
static enum status train_put(json_t *trains, const struct told *t, int k, struct err *e)
{
	if (!t->name[k][0] || json_object_get(trains, t->name[k]))
		return STATUS_OK;
	return json_object_set_new(
		       trains, t->name[k], json_stringn((const char *)t->train[k].p, t->train[k].n)) == 0
		       ? STATUS_OK
		       : err_nomem(e);
}

static json_t *part(json_t *doc, const char *key, json_t *empty)
{
	json_t *there = json_object_get(doc, key);

	if (there)
		json_decref(empty);
	else if (json_object_set_new(doc, key, empty) == 0)
		there = empty;
	return there;
}

/* One claim, though two flows of the bundle lead to it. */
static bool told_already(const json_t *list, const struct told *t)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		if (strcmp(json_text(j, "kind"), t->kind) == 0 && strcmp(json_text(j, "body"), t->body) == 0)
			return true;
	}
	return false;
}

enum status told_put(json_t *doc, const struct told *t, struct err *e)
{
	json_t *list = part(doc, "told", json_array()), *trains = part(doc, "trains", json_object());
	enum status s = list && trains ? STATUS_OK : err_nomem(e);

	if (told_already(list, t))
		return STATUS_OK;
	json_t *names = json_array();

	for (int k = 0; k < 2 && s == STATUS_OK; k++) {
		s = train_put(trains, t, k, e);
		(void)json_array_append_new(names, json_string(t->name[k]));
	}
	if (json_array_append_new(list,
		    json_pack("{s:s, s:s, s:o}", "kind", t->kind, "body", t->body, "trains", names)) != 0 &&
		s == STATUS_OK)
		s = err_nomem(e);
	return s;
}

static enum status train_take(struct told *to, int k, const json_t *doc, const char *name, struct err *e)
{
	const json_t *v = json_object_get(json_object_get(doc, "trains"), name);

	if (!*name)
		return STATUS_OK;
	buf_put(&to->train[k], json_string_value(v), json_string_length(v));
	if (to->train[k].failed || !blob_name(to->name[k], to->train[k].p, to->train[k].n))
		return err_nomem(e);
	return STATUS_OK;
}

enum status told_take(struct told *to, const json_t *doc, size_t at, struct err *e)
{
	const json_t *j = json_array_get(json_object_get(doc, "told"), at);
	enum statement_kind kind;
	enum status s = STATUS_OK;

	*to = (struct told){0};
	if (!statement_kind_parse(&kind, json_text(j, "kind")))
		return err_set(e, STATUS_BAD, "the reading process handed back no claim");
	to->kind = statement_kind_name(kind);
	to->body = strdup(json_text(j, "body"));
	for (int k = 0; k < 2 && s == STATUS_OK; k++) {
		const char *name = json_string_value(json_array_get(json_object_get(j, "trains"), (size_t)k));
		s = train_take(to, k, doc, name ? name : "", e);
	}
	return s == STATUS_OK && !to->body ? err_nomem(e) : s;
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
		trusted_pin(i->trusted, &b.m);
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
	return err_set(e, status == STATUS_NO || status == STATUS_MACHINE ? (enum status)status : STATUS_BAD,
		"%s: %s", path, json_text(*to, "error"));
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
