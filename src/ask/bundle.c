/* Reading a bundle file: tar, MANIFEST, hashes, and the files by what their paths say they are. */
#include "ask/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case/blob.h"
#include "case/case.h"

/* ---- files by path ---- */

static int by_name(const void *a, const void *b)
{
	const struct tar_file *x = *(const struct tar_file *const *)a,
			      *y = *(const struct tar_file *const *)b;

	return strcmp(x->name, y->name);
}

const struct tar_file *bundle_find(const struct bundle *b, const char *name)
{
	struct tar_file key, *k = &key, **at;

	if (strlen(name) >= sizeof(key.name))
		return NULL;
	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	at = bsearch(&k, b->sorted, b->n_file, sizeof(*b->sorted), by_name);
	return at ? *at : NULL;
}

static enum status sort_files(struct bundle *to, struct arena *a, struct err *e)
{
	to->sorted = arena_array(a, to->n_file + 1, sizeof(*to->sorted));
	if (!to->sorted)
		return err_nomem(e);
	for (size_t i = 0; i < to->n_file; i++)
		to->sorted[i] = &to->file[i];
	qsort(to->sorted, to->n_file, sizeof(*to->sorted), by_name);
	return STATUS_OK;
}

const struct tar_file *bundle_train(const struct bundle *b, const char *name)
{
	char path[TAR_NAME];

	(void)snprintf(path, sizeof(path), "trains/%s.train", name);
	return bundle_find(b, path);
}

const char *bundle_sha256(const struct bundle *b, const struct tar_file *f)
{
	return b->m.file[f - b->file - 1].sha256; /* in the list's order, behind MANIFEST */
}

/* ---- the manifest ---- */

static enum status manifest_of(struct bundle *to, struct arena *a, struct err *e)
{
	enum status s;

	if (to->n_file == 0 || strcmp(to->file[0].name, "MANIFEST") != 0)
		return err_set(e, STATUS_BAD, "its first file is not MANIFEST");
	if (to->file[0].n > NOTE_MAX)
		return err_set(e, STATUS_BAD, "its MANIFEST is too long");
	s = note_parse(&to->note, (const char *)to->file[0].p, to->file[0].n, a, e);
	if (s == STATUS_OK && to->note.n_sig != 1)
		s = err_set(e, STATUS_BAD, "%zu signatures, not one", to->note.n_sig);
	if (s == STATUS_OK)
		s = manifest_read(&to->m, to->note.text, to->note.n_text, a, e);
	if (s == STATUS_OK && strcmp(to->note.sig[0].name, to->m.from) != 0)
		s = err_set(e, STATUS_BAD, "it is not signed by whom it says it is from");
	return s == STATUS_OK ? s : err_wrap(e, "MANIFEST");
}

/* Every other file in the list's order, each of its hash. */
static enum status files_listed(const struct bundle *b, struct err *e)
{
	char name[BLOB_NAME];

	if (b->m.n_file != b->n_file - 1)
		return err_set(e, STATUS_BAD, "MANIFEST lists %zu files, the bundle has %zu", b->m.n_file,
			b->n_file - 1);
	for (size_t i = 0; i < b->m.n_file; i++) {
		const struct tar_file *f = &b->file[i + 1];
		if (strcmp(f->name, b->m.file[i].path) != 0)
			return err_set(e, STATUS_BAD, "%s: stands where MANIFEST lists %s", f->name,
				b->m.file[i].path);
		if (!blob_name(name, f->p, f->n))
			return err_nomem(e);
		if (strcmp(name, b->m.file[i].sha256) != 0)
			return err_set(
				e, STATUS_BAD, "%s: its SHA-256 is not the one that MANIFEST lists", f->name);
	}
	return STATUS_OK;
}

/* ---- what the paths mean ---- */

/* "claims/<kind>-<32 hex digits>.json": a claim's file names its kind, for kind and body make its id. */
static bool claim_path(const char *name, char *kind, size_t n_kind, char id[ID_TEXT])
{
	const char *dash, *p = name + strlen("claims/");
	size_t n;

	dash = strchr(p, '-');
	if (!dash || (n = (size_t)(dash - p)) == 0 || n >= n_kind ||
		strlen(dash) != strlen("-.json") + ID_TEXT - 1 || strcmp(dash + ID_TEXT, ".json") != 0)
		return false;
	memcpy(kind, p, n);
	kind[n] = '\0';
	memcpy(id, dash + 1, ID_TEXT - 1);
	id[ID_TEXT - 1] = '\0';
	return true;
}

static enum status claim_of(struct bundle *b, const struct tar_file *f, struct arena *a, struct err *e)
{
	struct bundle_claim *c = &b->claim[b->n_claim];
	char kind[32], id[ID_TEXT], again[ID_TEXT], path[TAR_NAME];

	if (b->n_claim == BUNDLE_CLAIMS || !claim_path(f->name, kind, sizeof(kind), id))
		return err_set(e, STATUS_BAD, "%s: not the name of a claim, or too many", f->name);
	char *body = arena_alloc(a, f->n + 1);
	*c = (struct bundle_claim){.kind = arena_str(a, kind), .body = body, .n_body = f->n};
	if (!body || !c->kind)
		return err_nomem(e);
	memcpy(body, f->p, f->n);
	body[f->n] = '\0';
	if (strlen(body) != f->n)
		return err_set(e, STATUS_BAD, "%s: a zero byte", f->name);
	struct claim made = {.kind = c->kind, .body = body};
	if (!claim_make_id(&made))
		return err_nomem(e);
	c->id = made.id;
	if (strcmp(id_text(again, &c->id), id) != 0)
		return err_set(e, STATUS_BAD, "%s: its bytes make another id", f->name);
	(void)snprintf(path, sizeof(path), "entries/%s.json", id);
	c->entry = bundle_find(b, path);
	(void)snprintf(path, sizeof(path), "proofs/%s.tlog-proof", id);
	c->proof = bundle_find(b, path);
	b->n_claim++;
	return STATUS_OK;
}

static enum status read_one(
	struct bundle *to, const void *p, size_t n, bool inner, struct arena *a, struct err *e);

static enum status answer_of(struct bundle *b, const struct tar_file *f, struct arena *a, struct err *e)
{
	struct bundle *to = &b->answer[b->n_answer];
	char path[TAR_NAME], id[ID_TEXT];
	enum status s;

	if (b->n_answer == BUNDLE_ANSWERS)
		return err_set(e, STATUS_BAD, "more than %d answers in it", BUNDLE_ANSWERS);
	s = read_one(to, f->p, f->n, true, a, e);
	(void)snprintf(path, sizeof(path), "answers/%s.tar", id_text(id, &to->m.id));
	if (s == STATUS_OK && to->m.type != BUNDLE_ANSWER)
		s = err_set(e, STATUS_BAD, "not an answer");
	if (s == STATUS_OK && strcmp(f->name, path) != 0)
		s = err_set(e, STATUS_BAD, "it has another id than its name says");
	b->n_told += to->n_claim;
	if (s == STATUS_OK && b->n_told > BUNDLE_TOLD)
		s = err_set(e, STATUS_BAD, "the answers in it have more than %d claims", BUNDLE_TOLD);
	if (s != STATUS_OK)
		return err_wrap(e, "%s", f->name);
	b->n_answer++;
	return STATUS_OK;
}

static enum status train_of(struct bundle *b, const struct tar_file *f, struct arena *a, struct err *e)
{
	const char *name = f->name + strlen("trains/");

	(void)b, (void)a;
	return strspn(name, "0123456789abcdef") == BLOB_NAME - 1 &&
			       strcmp(name + BLOB_NAME - 1, ".train") == 0
		       ? STATUS_OK
		       : err_set(e, STATUS_BAD, "%s: not the name of a train", f->name);
}

static enum status view_of(struct bundle *b, const struct tar_file *f, struct arena *a, struct err *e)
{
	(void)b, (void)a;
	return strcmp(f->name, MANIFEST_VIEW) == 0
		       ? STATUS_OK
		       : err_set(e, STATUS_BAD, "%s: no file of a bundle has this name", f->name);
}

/* Entries and proofs are found by the claims that they belong to: all_belong(). */
static enum status by_claim(struct bundle *b, const struct tar_file *f, struct arena *a, struct err *e)
{
	(void)b, (void)f, (void)a, (void)e;
	return STATUS_OK;
}

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static enum status all_belong(const struct bundle *b, struct err *e)
{
	size_t there = 0, claimed = 0;

	for (size_t i = 1; i < b->n_file; i++)
		there += begins(b->file[i].name, "entries/") || begins(b->file[i].name, "proofs/");
	for (size_t i = 0; i < b->n_claim; i++)
		claimed += (b->claim[i].entry != NULL) + (size_t)(b->claim[i].proof != NULL);
	return there == claimed ? STATUS_OK
				: err_set(e, STATUS_BAD, "an entry or a proof in it belongs to no claim");
}

static enum status sort_out(struct bundle *b, struct arena *a, struct err *e)
{
	static const struct {
		const char *path;
		enum status (*take)(
			struct bundle *b, const struct tar_file *f, struct arena *a, struct err *e);
	} table[] = {{"claims/", claim_of}, {"trains/", train_of}, {"entries/", by_claim},
		{"proofs/", by_claim}, {"answers/", answer_of}, {MANIFEST_VIEW, view_of}};
	size_t n_claim = 0, n_answer = 0;
	enum status s = STATUS_OK;

	for (size_t i = 1; i < b->n_file; i++) {
		n_claim += begins(b->file[i].name, "claims/");
		n_answer += begins(b->file[i].name, "answers/");
	}
	if (b->inner && n_answer)
		return err_set(e, STATUS_BAD, "an answer with other answers in it");
	b->claim = arena_array(a, n_claim + 1, sizeof(*b->claim));
	b->answer = arena_array(a, n_answer + 1, sizeof(*b->answer));
	if (!b->claim || !b->answer)
		return err_nomem(e);
	for (size_t i = 1; i < b->n_file && s == STATUS_OK; i++) {
		size_t k = 0;
		while (k < sizeof(table) / sizeof(table[0]) && !begins(b->file[i].name, table[k].path))
			k++;
		s = k < sizeof(table) / sizeof(table[0])
			    ? table[k].take(b, &b->file[i], a, e)
			    : err_set(e, STATUS_BAD, "%s: no file of a bundle has this name",
				      b->file[i].name);
	}
	return s == STATUS_OK ? all_belong(b, e) : s;
}

static enum status read_one(
	struct bundle *to, const void *p, size_t n, bool inner, struct arena *a, struct err *e)
{
	enum status s;

	*to = (struct bundle){.inner = inner};
	if (!blob_name(to->sha256, p, n))
		return err_nomem(e);
	s = tar_read(&to->file, &to->n_file, p, n, a, e);
	if (s == STATUS_BAD)
		(void)err_wrap(e, "not a bundle");
	if (s == STATUS_OK)
		s = manifest_of(to, a, e);
	if (s == STATUS_OK)
		s = files_listed(to, e);
	if (s == STATUS_OK)
		s = sort_files(to, a, e);
	return s == STATUS_OK ? sort_out(to, a, e) : s;
}

enum status bundle_read(struct bundle *to, const void *p, size_t n, struct arena *a, struct err *e)
{
	return read_one(to, p, n, false, a, e);
}
