/* The manifest's part of verification: signature, recipient, time, replay; then claim by claim
 * (verify_claim.c), the forwarded answers' too. */
#include "ask/verify_in.h"
#include "ask/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the first reason. */
static void no(struct verified *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void no(struct verified *to, const char *fmt, ...)
{
	char text[sizeof(to->why)];
	va_list ap;

	if (to->good) {
		va_start(ap, fmt);
		(void)vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		(void)printable(to->why, sizeof(to->why), text);
	}
	to->good = false;
}

/* *known: by a trusted key.  STATUS_NO: a trusted key's signature is bad. */
static enum status signature(const struct bundle *b, const struct trust *t, bool *known, struct err *e)
{
	bool by[TRUST_KEYS] = {false};
	enum status s;

	*known = false;
	if (t->n_key > TRUST_KEYS)
		return err_set(e, STATUS_BAD, "more than %d trusted keys", TRUST_KEYS);
	if (t->n_key == 0)
		return STATUS_OK;
	s = note_verify(&b->note, t->key, t->n_key, by, NULL, e);
	for (size_t i = 0; i < t->n_key && s == STATUS_OK; i++)
		*known = *known ||
			 (by[i] && t->key[i].type == KEY_ED25519 && strcmp(t->key[i].name, b->m.from) == 0);
	if (s != STATUS_NO)
		return s;
	/* a trusted key of this name and id that did not sign is a forgery; none at all is a stranger */
	for (size_t i = 0; i < t->n_key; i++)
		if (strcmp(t->key[i].name, b->m.from) == 0 &&
			memcmp(t->key[i].id, b->note.sig[0].id, sizeof(t->key[i].id)) == 0)
			return STATUS_NO;
	return STATUS_OK;
}

static void addressed(struct verified *to, const struct manifest *m, const struct trust *t)
{
	char a[WALL_TEXT], id[ID_TEXT];

	if (t->self && strcmp(m->to, "*") != 0 && strcmp(m->to, t->self) != 0)
		no(to, "it is for %s, not for %s", m->to, t->self);
	if (m->made.us > t->now.us + VERIFY_AHEAD_US)
		no(to, "it is from the future: made %s", wall_text(a, m->made));
	if (m->not_after.us < t->now.us)
		no(to, "it expired at %s", wall_text(a, m->not_after));
	if (t->n_seen && bsearch(&m->id, t->seen, t->n_seen, sizeof(*t->seen), id_order))
		no(to, "bundle %.12s came before, and is not taken again: it is a replay (weir why %.12s)",
			id_text(id, &m->id), id);
}

/* A log of this name that one was told of is this log, or somebody shows another. */
static void log_known(struct verified *to, const struct manifest *m, const struct trust *t)
{
	for (size_t i = 0; i < t->n_key; i++)
		if (strcmp(t->key[i].name, m->log.name) == 0 && !vkey_equal(&t->key[i], &m->log))
			no(to, "the log %s is known by another key than the one that it names", m->log.name);
}

static bool is_train(const struct tar_file *f)
{
	return strncmp(f->name, "trains/", strlen("trains/")) == 0;
}

static int by_train(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A train that no claim names is nobody's business, and nothing that was asked.  n claims c. */
static enum status trains_named(struct verified *to, const struct view *v, const struct checked_claim *c,
	size_t n, struct arena *a, struct err *e)
{
	const char **name = arena_array(a, 2 * n + 1, sizeof(*name));
	size_t k = 0;

	if (!name)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		name[k++] = c[i].s.in;
		name[k++] = c[i].s.out;
	}
	qsort(name, k, sizeof(*name), by_train);
	for (size_t i = 0; i < v->n_train; i++) {
		char text[BLOB_NAME];
		const char *p = text;
		(void)snprintf(text, sizeof(text), "%s", v->train[i]->name + strlen("trains/"));
		if (!bsearch(&p, name, k, sizeof(*name), by_train))
			no(to, "%s: a train that no claim names", v->train[i]->name);
	}
	return STATUS_OK;
}

/* Is the file what view_write() gives?  *same says. */
static enum status view_same(const struct view *v, const struct tar_file *f, bool *same, struct err *e)
{
	struct buf again = {0};
	enum status s = view_write(&again, v, e);

	*same = s == STATUS_OK && again.n == f->n && memcmp(again.p, f->p, f->n) == 0;
	buf_free(&again);
	return s == STATUS_MACHINE ? s : STATUS_OK;
}

/* The STIX view of b, whose n claims c are, says what they say. */
static enum status view_checked(struct verified *to, const struct bundle *b, const struct checked_claim *c,
	struct arena *a, struct err *e)
{
	const struct tar_file *f = bundle_find(b, MANIFEST_VIEW);
	struct view_claim *claim = arena_array(a, b->n_claim + 1, sizeof(*claim));
	const struct tar_file **train = arena_array(a, b->n_file + 1, sizeof(*train));
	struct view v = {&b->m, claim, b->n_claim, train, 0, false};
	bool same = false;
	enum status s = claim && train ? STATUS_OK : err_nomem(e);

	if (s != STATUS_OK)
		return s;
	for (size_t i = 0; i < b->n_claim; i++)
		claim[i] = (struct view_claim){b->claim[i].id, b->claim[i].kind, &c[i].s};
	for (size_t i = 0; i < b->n_file; i++)
		if (is_train(b->sorted[i]))
			train[v.n_train++] = b->sorted[i];
	s = trains_named(to, &v, c, b->n_claim, a, e);
	if (s == STATUS_OK && f)
		s = view_same(&v, f, &same, e);
	if (s == STATUS_OK && f && !same && b->m.type == BUNDLE_ANSWER) {
		v.looked_and_saw_nothing = true;
		s = view_same(&v, f, &same, e);
	}
	if (s == STATUS_OK && !same)
		no(to, "its %s is not there, or does not say what its claims say", MANIFEST_VIEW);
	return s;
}

/* An answer tells what was found, and asks nothing. */
static bool belongs(enum statement_kind k, enum bundle_type t)
{
	return t == BUNDLE_ANSWER ? k != STATES_ATTACK : k != STATES_SEEN;
}

static enum status claims_of(struct verified *to, const struct bundle *b, bool known, const struct trust *t,
	struct verify_work *work, struct arena *a, struct err *e)
{
	const struct checked_claim *first = &to->claim[to->n_claim];
	enum status s = STATUS_OK;

	for (size_t i = 0; i < b->n_claim && s == STATUS_OK; i++) {
		struct checked_claim *c = &to->claim[to->n_claim++];
		char id[ID_TEXT];
		*c = (struct checked_claim){.claim = &b->claim[i], .in = b, .by_known = known};
		s = verify_claim(c, t, work, a, e);
		if (s == STATUS_BAD)
			(void)err_wrap(e, "claim %.12s", id_text(id, &b->claim[i].id));
		if (s == STATUS_OK && !belongs(c->s.kind, b->m.type))
			no(to, "claim %.12s: a claim of kind %s has no place in it",
				id_text(id, &b->claim[i].id), b->claim[i].kind);
		if (s == STATUS_OK && c->why[0])
			no(to, "claim %.12s: %s", id_text(id, &b->claim[i].id), c->why);
	}
	return s == STATUS_OK ? view_checked(to, b, first, a, e) : s;
}

/* An answer that was forwarded: it was made for the sender, and who signed it may be a stranger; then its
 * claims are the sender's word. */
static enum status forwarded(struct verified *to, const struct bundle *outer, const struct bundle *b,
	const struct trust *t, struct verify_work *work, struct arena *a, struct err *e)
{
	bool known;
	enum status s = signature(b, t, &known, e);

	if (s == STATUS_NO) {
		no(to, "the answer of %s in it: %s", b->m.from, e->text);
		s = STATUS_OK;
	}
	if (strcmp(b->m.to, outer->m.from) != 0 && strcmp(b->m.to, "*") != 0)
		no(to, "the answer of %s in it was for %s, not for the sender", b->m.from, b->m.to);
	log_known(to, &b->m, t);
	return s == STATUS_OK ? claims_of(to, b, known, t, work, a, e) : s;
}

static void stranger(struct verified *to, const struct bundle *b, const struct trust *t)
{
	const struct note_sig *g = &b->note.sig[0];
	const char *why = "whom you were not told to trust: --key, with the line that `weir key` shows there "
			  "as operator";

	for (size_t i = 0; i < t->n_key; i++) {
		if (strcmp(t->key[i].name, b->m.log.name) == 0)
			why = "and what you were given is the key of its log: the operator's is wanted";
		if (strcmp(t->key[i].name, g->name) == 0)
			why = "which is not the key that you trust under this name: it was replaced, or "
			      "somebody else "
			      "writes";
	}
	no(to, "signed by %s with key %02x%02x%02x%02x, %s", g->name, g->id[0], g->id[1], g->id[2], g->id[3],
		why);
}

enum status verify_bundle(
	struct verified *to, const struct bundle *b, const struct trust *t, struct arena *a, struct err *e)
{
	struct verify_work work = {0};
	size_t n = b->n_claim;
	enum status s;

	*to = (struct verified){.good = true, .named = t->self != NULL};
	for (size_t i = 0; i < b->n_answer; i++)
		n += b->answer[i].n_claim;
	to->claim = arena_array(a, n + 1, sizeof(*to->claim));
	if (!to->claim)
		return err_nomem(e);
	s = signature(b, t, &to->known, e);
	if (s == STATUS_NO) {
		no(to, "MANIFEST: %s", e->text);
		return STATUS_OK;
	}
	if (s == STATUS_OK && !to->known)
		stranger(to, b, t);
	addressed(to, &b->m, t);
	to->genuine = to->good;
	log_known(to, &b->m, t);
	if (s == STATUS_OK)
		s = claims_of(to, b, to->known, t, &work, a, e);
	for (size_t i = 0; i < b->n_answer && s == STATUS_OK; i++)
		s = forwarded(to, b, &b->answer[i], t, &work, a, e);
	relink_free(&work.room);
	return s;
}
