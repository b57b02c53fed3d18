/* Loose files into a bundle that is correctly listed and signed, whatever is in them: for tests and the fuzz
 * target, which make what no honest program would. */
#ifndef WEIR_TESTS_ASK_SEAL_H
#define WEIR_TESTS_ASK_SEAL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/bundle.h"
#include "ask/view.h"

enum { LOOSE_MAX = 512 };

struct loose {
	struct tar_file file[LOOSE_MAX]; /* without MANIFEST; the bytes are the arena's */
	size_t n;
	struct arena *arena;
};

static inline struct tar_file *loose_find(struct loose *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->file[i].name, name) == 0)
			return &l->file[i];
	return NULL;
}

/* A copy of the bytes; what was there by this name before is replaced.  False: too many, or no memory. */
static inline bool loose_put(struct loose *l, const char *name, const void *p, size_t n)
{
	uint8_t *copy = arena_alloc(l->arena, n + 1);
	struct tar_file *f = loose_find(l, name);

	if (!copy || (!f && l->n == LOOSE_MAX) || strlen(name) >= sizeof(f->name))
		return false;
	if (n)
		memcpy(copy, p, n);
	if (!f)
		f = &l->file[l->n++];
	f->p = copy;
	f->n = n;
	memcpy(f->name, name, strlen(name) + 1);
	return true;
}

static inline void loose_drop(struct loose *l, const char *name)
{
	struct tar_file *f = loose_find(l, name);

	if (!f)
		return;
	l->n--;
	memmove(f, f + 1, (size_t)(l->file + l->n - f) * sizeof(*f));
}

/* Lists the files as they are now; the list is the arena's. */
static inline bool loose_list(const struct loose *l, struct manifest *m)
{
	m->file = arena_array(l->arena, l->n + 1, sizeof(*m->file));
	m->n_file = l->n;
	for (size_t i = 0; m->file && i < l->n; i++) {
		memcpy(m->file[i].path, l->file[i].name, sizeof(l->file[i].name));
		if (!blob_name(m->file[i].sha256, l->file[i].p, l->file[i].n))
			return false;
	}
	return m->file != NULL;
}

static inline int loose_by_name(const void *a, const void *b)
{
	return strcmp((*(const struct tar_file *const *)a)->name, (*(const struct tar_file *const *)b)->name);
}

/* The claim of a file, where it is one that can be read. */
static inline bool loose_claim(
	const struct tar_file *f, struct view_claim *to, struct statement *said, struct arena *a)
{
	char *kind = arena_str(a, f->name + strlen("claims/")), *dash = kind ? strchr(kind, '-') : NULL;
	char *body = arena_alloc(a, f->n + 1);
	struct err e;

	if (!dash || !body || strncmp(f->name, "claims/", strlen("claims/")) != 0)
		return false;
	*dash = '\0';
	memcpy(body, f->p, f->n);
	struct claim made = {.kind = kind, .body = body};
	if (statement_read(said, kind, body, f->n, a, &e) != STATUS_OK || !claim_make_id(&made))
		return false;
	*to = (struct view_claim){made.id, kind, said};
	return true;
}

/* The view that belongs to the files and the manifest, in place of the one that is there.  False where they
 * have none. */
static inline bool loose_view(struct loose *l, struct manifest *m, bool saw_nothing)
{
	const struct tar_file *train[LOOSE_MAX];
	struct view_claim *claim = arena_array(l->arena, l->n + 1, sizeof(*claim));
	struct statement *said = arena_array(l->arena, l->n + 1, sizeof(*said));
	struct view v = {m, claim, 0, train, 0, saw_nothing};
	struct buf b = {0};
	struct err e;

	loose_drop(l, MANIFEST_VIEW);
	if (!claim || !said || !loose_list(l, m) || manifest_id(m, &e) != STATUS_OK)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		if (strncmp(l->file[i].name, "trains/", strlen("trains/")) == 0)
			train[v.n_train++] = &l->file[i];
		else if (loose_claim(&l->file[i], &claim[v.n_claim], &said[v.n_claim], l->arena))
			v.n_claim++;
	}
	qsort(train, v.n_train, sizeof(*train), loose_by_name);
	bool good = view_write(&b, &v, &e) == STATUS_OK && loose_put(l, MANIFEST_VIEW, b.p, b.n);
	buf_free(&b);
	return good;
}

/* Listed, signed, in a tar.  False where there is no such bundle. */
static inline bool loose_seal(
	const struct loose *l, struct manifest *m, const struct skey *key, struct buf *to, struct err *e)
{
	struct buf text = {0}, note = {0};
	bool good = loose_list(l, m) && manifest_write(&text, m, e) == STATUS_OK &&
		    note_sign(&note, (const char *)text.p, text.n, key, e) == STATUS_OK;

	if (good) {
		tar_put(to, "MANIFEST", note.p, note.n);
		for (size_t i = 0; i < l->n; i++)
			tar_put(to, l->file[i].name, l->file[i].p, l->file[i].n);
		tar_end(to);
	}
	buf_free(&text);
	buf_free(&note);
	return good && !to->failed;
}

#endif
