/* Making a bundle file.  Files are gathered in the order in which they will stand in the tar, then the
 * manifest that lists them is written and signed, then the tar. */
#include "ask/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/view.h"
#include "ledger/keys.h"

/* What is in the tar so far; names and bytes in the arena. */
struct load {
	struct arena arena;
	struct tar_file *file;
	size_t n, cap;
	size_t first_train, n_train;
	struct statement *statement; /* of each claim */
};

static enum status load_put(struct load *l, const char *name, const void *p, size_t n, struct err *e)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct tar_file *more = realloc(l->file, cap * sizeof(*more));
		if (!more)
			return err_nomem(e);
		l->file = more;
		l->cap = cap;
	}
	uint8_t *copy = arena_alloc(&l->arena, n + 1);
	if (!copy)
		return err_nomem(e);
	if (n)
		memcpy(copy, p, n);
	struct tar_file *f = &l->file[l->n++];
	*f = (struct tar_file){.p = copy, .n = n};
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return STATUS_OK;
}

static void load_free(struct load *l)
{
	arena_free(&l->arena);
	free(l->file);
}

/* ---- claims and trains ---- */

static enum status put_claims(struct load *l, const struct pack *k, struct err *e)
{
	char name[TAR_NAME], id[ID_TEXT];
	enum status s = STATUS_OK;

	l->statement = arena_array(&l->arena, k->n_claim + 1, sizeof(*l->statement));
	if (!l->statement)
		return err_nomem(e);
	for (size_t i = 0; i < k->n_claim && s == STATUS_OK; i++) {
		const struct claim *c = &k->claim[i];
		s = statement_read(&l->statement[i], c->kind, c->body, strlen(c->body), &l->arena, e);
		if (s != STATUS_OK)
			return err_wrap(e, "claim %.12s", id_text(id, &c->id));
		(void)snprintf(name, sizeof(name), "claims/%s-%s.json", c->kind, id_text(id, &c->id));
		s = load_put(l, name, c->body, strlen(c->body), e);
	}
	return s;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status put_train(struct load *l, const struct place *p, const char *train, struct err *e)
{
	char name[TAR_NAME];
	struct buf b = {0};
	enum status s = blob_read(p->dir, train, &b, e);

	if (s == STATUS_NO)
		s = err_set(e, STATUS_NO, "train %.12s, that a claim rests on, was forgotten here", train);
	(void)snprintf(name, sizeof(name), "trains/%s.train", train);
	if (s == STATUS_OK)
		s = load_put(l, name, b.p, b.n, e);
	buf_free(&b);
	return s;
}

/* Each train once, by name. */
static enum status put_trains(struct load *l, const struct place *p, const struct pack *k, struct err *e)
{
	const char **name = arena_array(&l->arena, 2 * k->n_claim + 1, sizeof(*name));
	size_t n = 0;
	enum status s = STATUS_OK;

	if (!name)
		return err_nomem(e);
	for (size_t i = 0; i < k->n_claim; i++) {
		if (l->statement[i].in[0])
			name[n++] = l->statement[i].in;
		if (l->statement[i].out[0])
			name[n++] = l->statement[i].out;
	}
	qsort(name, n, sizeof(*name), by_text);
	l->first_train = l->n;
	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		if (i == 0 || strcmp(name[i], name[i - 1]) != 0)
			s = put_train(l, p, name[i], e);
	l->n_train = l->n - l->first_train;
	return s;
}

/* ---- the ledger's part ---- */

/* Where a claim stands: -1 nowhere yet. */
static enum status entry_of(
	const struct place *p, const struct claim *c, struct arena *a, int64_t *to, struct err *e)
{
	struct logged *row;
	size_t n;
	enum status s = logged_of(p->db, &c->id, a, &row, &n, e);

	*to = -1;
	for (size_t i = 0; s == STATUS_OK && i < n; i++)
		if (strcmp(row[i].kind, "claim") == 0)
			*to = row[i].entry;
	return s;
}

static enum status put_logged(struct load *l, const struct place *p, struct ledger *log,
	const struct claim *c, bool proof, struct err *e)
{
	char name[TAR_NAME], id[ID_TEXT];
	struct buf b = {0};
	int64_t at = -1;
	enum status s = entry_of(p, c, &l->arena, &at, e);

	(void)id_text(id, &c->id);
	if (s == STATUS_OK && at < 0)
		s = err_set(e, STATUS_BAD, "claim %.12s does not stand in the ledger", id);
	if (s == STATUS_OK)
		s = proof ? ledger_proof(log, (uint64_t)at, &b, e) : ledger_entry(log, (uint64_t)at, &b, e);
	(void)snprintf(name, sizeof(name), proof ? "proofs/%s.tlog-proof" : "entries/%s.json", id);
	if (s == STATUS_OK)
		s = load_put(l, name, b.p, b.n, e);
	buf_free(&b);
	return s;
}

static enum status put_ledger(struct load *l, const struct place *p, struct pack *k, struct err *e)
{
	struct ledger *log = NULL;
	enum status s = ledger_open(&log, p->w, p->dir, LEDGER_READ, e);
	struct err late;

	if (s != STATUS_OK)
		return s;
	k->m.log = *ledger_key(log);
	for (int proof = 0; proof < 2; proof++)
		for (size_t i = 0; i < k->n_claim && s == STATUS_OK; i++)
			s = put_logged(l, p, log, &k->claim[i], proof, e);
	(void)ledger_close(log, &late);
	return s;
}

/* ---- the rest ---- */

static enum status put_answers(struct load *l, const struct pack *k, struct err *e)
{
	char name[TAR_NAME], id[ID_TEXT];
	enum status s = STATUS_OK;

	for (size_t i = 0; i < k->n_answer && s == STATUS_OK; i++) {
		(void)snprintf(name, sizeof(name), "answers/%s.tar", id_text(id, &k->answer[i].id));
		s = load_put(l, name, k->answer[i].file.p, k->answer[i].file.n, e);
	}
	return s;
}

static enum status list_files(struct load *l, struct pack *k, struct err *e)
{
	k->m.file = arena_array(&l->arena, l->n + 1, sizeof(*k->m.file));
	if (!k->m.file)
		return err_nomem(e);
	for (size_t i = 0; i < l->n; i++) {
		(void)snprintf(k->m.file[i].path, sizeof(k->m.file[i].path), "%s", l->file[i].name);
		if (!blob_name(k->m.file[i].sha256, l->file[i].p, l->file[i].n))
			return err_nomem(e);
	}
	k->m.n_file = l->n;
	return STATUS_OK;
}

/* Made last, for it names the bundle by an id that covers all other files. */
static enum status put_view(struct load *l, struct pack *k, struct err *e)
{
	struct view_claim *claim = arena_array(&l->arena, k->n_claim + 1, sizeof(*claim));
	const struct tar_file **train = arena_array(&l->arena, l->n_train + 1, sizeof(*train));
	struct view v = {&k->m, claim, k->n_claim, train, l->n_train, k->looked_and_saw_nothing};
	struct buf b = {0};
	enum status s = claim && train ? list_files(l, k, e) : err_nomem(e);

	if (s == STATUS_OK)
		s = manifest_id(&k->m, e);
	for (size_t i = 0; i < k->n_claim && s == STATUS_OK; i++)
		claim[i] = (struct view_claim){k->claim[i].id, k->claim[i].kind, &l->statement[i]};
	for (size_t i = 0; i < l->n_train && s == STATUS_OK; i++)
		train[i] = &l->file[l->first_train + i];
	if (s == STATUS_OK)
		s = view_write(&b, &v, e);
	if (s == STATUS_OK)
		s = load_put(l, MANIFEST_VIEW, b.p, b.n, e);
	buf_free(&b);
	return s;
}

static enum status seal(
	struct load *l, struct pack *k, const struct skey *operator, struct buf * to, struct err *e)
{
	struct buf text = {0}, note = {0};
	enum status s = list_files(l, k, e);

	if (s == STATUS_OK)
		s = manifest_write(&text, &k->m, e);
	if (s == STATUS_OK)
		s = note_sign(&note, (const char *)text.p, text.n, operator, e);
	if (s == STATUS_OK) {
		tar_put(to, "MANIFEST", note.p, note.n);
		for (size_t i = 0; i < l->n; i++)
			tar_put(to, l->file[i].name, l->file[i].p, l->file[i].n);
		tar_end(to);
		s = to->failed ? err_nomem(e) : STATUS_OK;
	}
	if (s == STATUS_OK && (to->n > TAR_BYTES || l->n + 1 > TAR_FILES))
		s = err_set(e, STATUS_BAD, "the bundle would have %zu files and %zu bytes: too many",
			l->n + 1, to->n);
	k->m.file = NULL;
	buf_free(&text);
	buf_free(&note);
	return s;
}

enum status pack_write(
	const struct place *p, struct pack *k, const struct skey *operator, struct buf * to, struct err *e)
{
	struct load l = {0};
	enum status s = put_claims(&l, k, e);

	if (s == STATUS_OK)
		s = put_trains(&l, p, k, e);
	if (s == STATUS_OK)
		s = put_ledger(&l, p, k, e);
	if (s == STATUS_OK)
		s = put_answers(&l, k, e);
	if (s == STATUS_OK)
		s = put_view(&l, k, e);
	if (s == STATUS_OK)
		s = seal(&l, k, operator, to, e);
	load_free(&l);
	return s;
}
