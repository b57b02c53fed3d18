/* The register: see register.h.  An entry names what it is about by id and SHA-256 and holds no address, for
 * the ledger may be shown to anybody. */
#include "ask/register.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum status trains_store(const struct place *p, const struct told *t, struct err *e)
{
	enum status s = STATUS_OK;
	char name[BLOB_NAME];

	for (int k = 0; k < 2 && s == STATUS_OK; k++)
		if (t->name[k][0])
			s = blob_write(p->w, p->dir, t->train[k].p, t->train[k].n, name, e);
	return s;
}

enum status told_store(const struct place *p, const struct told *t, const struct id *case_id, const char *by,
	const char *bundle, struct id *id, struct err *e)
{
	struct claim c = {.kind = t->kind, .body = t->body, .origin = by, .bundle = bundle};
	struct logged l = {.kind = *by ? "claim-received" : "claim"};
	char sha[BLOB_NAME];
	enum status s = trains_store(p, t, e);

	if (s != STATUS_OK)
		return s;
	if (!claim_make_id(&c) || !blob_name(sha, t->body, strlen(t->body)))
		return err_nomem(e);
	char *text =
		logged_text(p->w, l.kind, &c.id, json_pack("{s:s, s:s}", "claim", t->kind, "sha256", sha));
	if (!text)
		return err_nomem(e);
	l.object = c.id;
	l.text = text;
	s = claim_write(p->db, case_id, &c, &l, e);
	free(text);
	*id = c.id;
	return s;
}

enum status exchange_store(
	const struct place *p, struct exchange *x, const void *file, size_t n, struct err *e)
{
	static const char *const kinds[2][2] = {
		{"request-sent", "answer-sent"}, {"request-received", "answer-received"}};
	struct logged l = {.object = x->id, .kind = kinds[x->received][x->answer]};
	char name[BLOB_NAME];
	enum status s = blob_write(p->w, p->dir, file, n, name, e);

	if (s != STATUS_OK)
		return s;
	json_t *more = json_pack("{s:s, s:s}", "sha256", name, "peer", x->peer);
	if (more && *x->verdict)
		(void)json_object_set_new(more, "verdict", json_string(x->verdict));
	char *text = logged_text(p->w, l.kind, &x->id, more);
	if (!text)
		return err_nomem(e);
	x->blob = name;
	l.text = text;
	s = exchange_write(p->db, x, &l, e);
	x->blob = NULL;
	free(text);
	return s;
}

/* ---- into the ledger ---- */

/* Published too: what is marked as done is read back by its number. */
static enum status append_all(
	struct ledger *l, const struct logged *row, size_t n, uint64_t *index, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = ledger_append(l, row[i].text, strlen(row[i].text), &index[i], e);
	if (s == STATUS_OK)
		s = ledger_commit(l, e);
	return s == STATUS_OK ? ledger_publish(l, e) : s;
}

static enum status flush_rows(const struct place *p, struct ledger *l, const struct logged *row, size_t n,
	struct arena *a, struct err *e)
{
	uint64_t *index = arena_array(a, n, sizeof(*index));
	enum status s = index ? append_all(l, row, n, index, e) : err_nomem(e);

	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		s = logged_done(p->db, row[i].row, (int64_t)index[i], e);
	return s;
}

/* The ledger still holds what was entered last: a ledger that was restored from an older backup, keys and
 * all, would sign another head of a size that it had. */
static enum status last_kept(const struct place *p, struct ledger *l, struct arena *a, struct err *e)
{
	struct logged *row;
	struct buf entry = {0};
	size_t n = 0;
	enum status s = logged_last(p->db, a, &row, &n, e);

	if (s != STATUS_OK || n == 0)
		return s;
	s = ledger_entry(l, (uint64_t)row->entry, &entry, e);
	if (s == STATUS_NO || (s == STATUS_OK && (entry.n != strlen(row->text) ||
							 memcmp(entry.p, row->text, entry.n) != 0)))
		s = err_set(e, STATUS_BAD,
			"%s/ledger does not hold entry %lld as it was acknowledged: it is older than "
			"weir.db, or of "
			"another directory; nothing is signed, restore a newer backup",
			p->dir, (long long)row->entry);
	buf_free(&entry);
	return s;
}

/* With the ledger's lock held the rows are read (again): another process may have appended them meanwhile. */
static enum status flush_locked(const struct place *p, struct ledger *l, struct arena *a, struct err *e)
{
	struct logged *row;
	size_t n = 0;
	enum status s = last_kept(p, l, a, e);

	if (s == STATUS_OK)
		s = logged_waiting(p->db, a, &row, &n, e);
	return s == STATUS_OK && n ? flush_rows(p, l, row, n, a, e) : s;
}

enum status register_flush(const struct place *p, struct err *e)
{
	struct arena arena = {0};
	struct logged *row;
	struct ledger *l = NULL;
	struct err late;
	size_t n = 0;
	enum status s = logged_waiting(p->db, &arena, &row, &n, e), closed;

	if (s == STATUS_OK && n) {
		s = ledger_open(&l, p->w, p->dir, LEDGER_SIGN, e);
		if (s == STATUS_OK)
			s = flush_locked(p, l, &arena, e);
		else if (s == STATUS_NO)
			s = STATUS_OK;
		closed = ledger_close(l, &late);
		if (s == STATUS_OK && closed != STATUS_OK) {
			*e = late;
			s = closed;
		}
	}
	arena_free(&arena);
	return s;
}
