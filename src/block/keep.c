/* Plans and orders into the register: see keep.h. */
#include "block/keep.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A text as a blob, with its id and the line for the ledger (to be freed). */
static enum status text_keep(const struct world *w, const char *dir, const char *kind, struct buf *text,
	json_t *more, char blob[BLOB_NAME], struct id *id, char **entry, struct err *e)
{
	enum status s = STATUS_OK;

	*entry = NULL;
	if (text->failed || !more || !id_of(id, text->p, text->n)) {
		json_decref(more);
		return err_nomem(e);
	}
	s = blob_write(w, dir, text->p, text->n, blob, e);
	if (s != STATUS_OK) {
		json_decref(more);
		return s;
	}
	(void)json_object_set_new(more, "sha256", json_string(blob));
	*entry = logged_text(w, kind, id, more);
	return *entry ? STATUS_OK : err_nomem(e);
}

enum status plan_store(const struct world *w, const char *dir, struct case_db *db, const struct plan *p,
	struct id *id, struct err *e)
{
	struct plan_row row = {.case_id = p->case_id, .evidence = p->evidence, .made = p->made};
	struct logged l = {.kind = "plan"};
	struct buf text = {0};
	char *entry, case_id[ID_TEXT];
	enum status s;

	plan_write(&text, p);
	s = text_keep(w, dir, l.kind, &text, json_pack("{s:s}", "case", id_text(case_id, &p->case_id)),
		row.blob, &row.id, &entry, e);
	l.object = *id = row.id;
	l.text = entry;
	if (s == STATUS_OK)
		s = plan_row_write(db, &row, &l, e);
	free(entry);
	buf_free(&text);
	return s;
}

enum status plan_load(
	const char *dir, const struct plan_row *row, struct arena *a, struct plan *to, struct err *e)
{
	struct buf text = {0};
	enum status s = blob_read(dir, row->blob, &text, e);

	if (s == STATUS_OK)
		s = plan_read(to, text.p, text.n, a, e);
	buf_free(&text);
	return s == STATUS_OK ? s : err_wrap(e, "the plan");
}

enum status order_store(const struct world *w, const char *dir, struct case_db *db, const struct order *o,
	const struct plan_row *plan, bool waits, struct id *id, struct err *e)
{
	struct order_row row = {.case_id = o->case_id,
		.plan = plan->id,
		.option = o->option,
		.made = o->made,
		.expires = o->expires,
		.waits = waits,
		.why = o->override_why,
		.by = *o->by[1] ? o->by[1] : o->by[0]};
	struct logged l = {.kind = waits ? "order-waiting" : "order"};
	struct buf text = {0};
	char *entry, case_id[ID_TEXT], plan_id[ID_TEXT];
	json_t *more = json_pack("{s:s, s:s, s:i, s:b}", "case", id_text(case_id, &o->case_id), "plan",
		id_text(plan_id, &plan->id), "option", (int)o->option, "override", *o->override_why != '\0');
	enum status s;

	order_write(&text, o);
	s = text_keep(w, dir, l.kind, &text, more, row.blob, &row.id, &entry, e);
	l.object = *id = row.id;
	l.text = entry;
	if (s == STATUS_OK)
		s = order_row_write(db, &row, &l, e);
	free(entry);
	buf_free(&text);
	return s;
}

enum status order_load(
	const char *dir, const struct order_row *row, struct arena *a, struct order *to, struct err *e)
{
	struct buf text = {0};
	enum status s = blob_read(dir, row->blob, &text, e);

	if (s == STATUS_OK)
		s = order_read(to, text.p, text.n, a, e);
	buf_free(&text);
	return s == STATUS_OK ? s : err_wrap(e, "the order");
}

enum status order_undo(const struct world *w, struct case_db *db, const struct order_row *row, const char *by,
	const char *why, struct err *e)
{
	struct logged l = {.object = row->id, .kind = "undo"};
	char *entry = logged_text(w, l.kind, &row->id, json_pack("{s:s, s:s}", "by", by, "why", why));
	enum status s;

	if (!entry)
		return err_nomem(e);
	l.text = entry;
	s = order_row_undo(db, &row->id, w->now(w->self), &l, e);
	free(entry);
	return s;
}
