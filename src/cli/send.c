/* Sending a bundle: see send.h.  The file gets its name last, when both the database and the ledger know of
 * it: nothing leaves that was not entered. */
#include "cli/send.h"

#include <string.h>

#include "cli/outfile.h"
#include "ledger/keys.h"

static enum status not_after(struct manifest *m, const char *expires, struct err *e)
{
	int64_t span;

	m->not_after.us = m->made.us + SEND_EXPIRES_US;
	if (!expires)
		return STATUS_OK;
	if (span_parse(&span, expires))
		m->not_after.us = m->made.us + span;
	else if (!wall_parse(&m->not_after, expires))
		return err_set(e, STATUS_BAD, "--expires %s: it takes a span (7d, 12h) or a time", expires);
	if (m->not_after.us <= m->made.us)
		return err_set(e, STATUS_BAD, "--expires %s: that is over already", expires);
	return STATUS_OK;
}

enum status send_head(struct app *a, struct manifest *m, const char *expires, struct err *e)
{
	struct vkey own;
	enum status s = keys_public(a->dir, KEY_OPERATOR, &own, e);

	if (s == STATUS_NO)
		return err_set(e, STATUS_NO, "%s: there are no keys here to sign with: weir init", a->dir);
	if (s != STATUS_OK)
		return s;
	m->made = a->w->now(a->w->self);
	(void)strcpy(m->from, own.name);
	(void)strcpy(m->code, WEIR_CODE);
	return not_after(m, expires, e);
}

static enum status enter(const struct place *p, const struct pack *k, const char *peer, const char *case_id,
	const struct buf *file, char *sha256, struct err *e)
{
	const struct manifest *m = &k->m;
	bool answer = m->type == BUNDLE_ANSWER;
	struct exchange x = {.id = m->id,
		.answer = answer,
		.peer = peer,
		.case_id = case_id,
		.made = m->made,
		.not_after = m->not_after,
		.ask = answer ? "" : bundle_ask_name(m->ask),
		.verdict = answer ? bundle_verdict_name(m->verdict) : "",
		.why = m->why,
		.reply_to = m->reply_to};
	enum status s = exchange_store(p, &x, file->p, file->n, e);

	if (s == STATUS_OK && !blob_name(sha256, file->p, file->n))
		s = err_nomem(e);
	return s == STATUS_OK ? register_flush(p, e) : s;
}

enum status send_bundle(struct app *a, const struct place *p, struct pack *k, const char *peer,
	const char *case_id, const char *path, char *sha256, struct err *e)
{
	struct skey operator;
	struct buf file = {0};
	struct outfile out = {0};
	enum status s = register_flush(p, e);

	if (s == STATUS_OK)
		s = keys_secret(a->dir, KEY_OPERATOR, &operator, e);
	if (s != STATUS_OK)
		return s;
	s = pack_write(p, k, &operator, & file, e);
	skey_wipe(&operator);
	if (s == STATUS_OK)
		s = outfile_write(&out, a->w, path, &file, e);
	if (s == STATUS_OK)
		s = enter(p, k, peer, case_id, &file, sha256, e);
	if (s == STATUS_OK)
		s = outfile_commit(&out, e);
	outfile_drop(&out);
	buf_free(&file);
	return s;
}
