/* What the hand is shown: each order in force with its text, its entry of the ledger and the proof that it
 * stands there, and the same of its plan.  All of it is read from DIR; nothing of it is believed by the hand
 * but what verifies. */
#include <stdlib.h>

#include "block/enforce_in.h"

/* A plan that several orders name is read once. */
struct plan_text {
	struct id id;
	struct proven_text text;
	const char *why;
};

struct gathering {
	struct enforcer *f;
	struct arena *a;
	struct ledger *ledger; /* opened with the first order that has to be shown */
	struct plan_text *plan;
	size_t n_plan;
};

enum status enforce_keys(struct enforcer *f, struct err *e)
{
	struct arena a = {0};
	struct vkey *old = NULL;
	size_t n = 0;
	enum status s = keys_public(f->dir, KEY_LOG, &f->log[0], e);

	f->n_log = s == STATUS_OK;
	if (s == STATUS_OK)
		s = keys_retired(f->dir, KEY_LOG, &a, &old, &n, e);
	while (s == STATUS_OK && n && f->n_log < ENFORCE_LOGS)
		f->log[f->n_log++] = old[--n];
	arena_free(&a);
	return s == STATUS_NO ? STATUS_OK : s;
}

static enum status keep(struct gathering *g, struct buf *b, const char **to, size_t *n, struct err *e)
{
	char *p = b->failed ? NULL : arena_alloc(g->a, b->n + 1);

	if (!p)
		return err_nomem(e);
	if (b->n)
		memcpy(p, b->p, b->n);
	*to = p;
	*n = b->n;
	b->n = 0;
	return STATUS_OK;
}

/* Where the entry of this kind stands.  STATUS_NO: not yet. */
static enum status entry_of(
	struct gathering *g, const struct id *object, const char *kind, uint64_t *index, struct err *e)
{
	struct logged *row;
	size_t n;
	enum status s = logged_of(g->f->db, object, g->a, &row, &n, e);

	if (s != STATUS_OK)
		return s;
	while (n--)
		if (strcmp(row[n].kind, kind) == 0 && row[n].entry >= 0) {
			*index = (uint64_t)row[n].entry;
			return STATUS_OK;
		}
	return err_set(e, STATUS_NO, "the %s does not stand in the ledger yet", kind);
}

static enum status entry_read(struct gathering *g, uint64_t index, struct proven_text *to, struct err *e)
{
	struct buf b = {0};
	enum status s = STATUS_OK;

	if (!g->ledger)
		s = ledger_open(&g->ledger, g->f->w, g->f->dir, LEDGER_READ, e);
	if (s == STATUS_OK)
		s = ledger_entry(g->ledger, index, &b, e);
	if (s == STATUS_OK)
		s = keep(g, &b, &to->entry, &to->n_entry, e);
	if (s == STATUS_OK)
		s = ledger_proof(g->ledger, index, &b, e);
	if (s == STATUS_OK)
		s = keep(g, &b, &to->proof, &to->n_proof, e);
	buf_free(&b);
	return s;
}

static enum status text_read(struct gathering *g, const char *kind, const struct id *id, const char *blob,
	struct proven_text *to, struct err *e)
{
	struct buf b = {0};
	const char *text = NULL;
	uint64_t index = 0;
	enum status s = entry_of(g, id, kind, &index, e);

	if (s == STATUS_OK)
		s = blob_read(g->f->dir, blob, &b, e);
	if (s == STATUS_OK)
		s = keep(g, &b, &text, &to->n, e);
	if (s == STATUS_OK)
		s = entry_read(g, index, to, e);
	if (s == STATUS_OK)
		to->text = text;
	buf_free(&b);
	return s;
}

/* What cannot be shown is said of the order, and is no failure of the round; a broken machine is. */
static enum status excuse(struct gathering *g, enum status s, const char **why, struct err *e)
{
	if (s == STATUS_OK || s == STATUS_MACHINE)
		return s;
	*why = arena_str(g->a, e->text);
	return *why ? STATUS_OK : err_nomem(e);
}

static enum status plan_text(
	struct gathering *g, const struct id *id, const struct plan_text **to, struct err *e)
{
	struct plan_text *p = &g->plan[g->n_plan];
	struct plan_row row;
	char text[ID_TEXT];
	enum status s;

	for (size_t i = 0; i < g->n_plan; i++)
		if (id_order(&g->plan[i].id, id) == 0) {
			*to = &g->plan[i];
			return STATUS_OK;
		}
	*p = (struct plan_text){.id = *id};
	*to = p;
	g->n_plan++;
	s = plan_row_read(g->f->db, id_text(text, id), &row, e);
	if (s == STATUS_OK)
		s = text_read(g, "plan", id, row.blob, &p->text, e);
	return excuse(g, s, &p->why, e);
}

static enum status order_show(struct gathering *g, const struct order_row *row, struct hand_order *to,
	const char **why, struct err *e)
{
	const struct plan_text *plan;
	enum status s;

	to->id = row->id;
	if (hand_knows(g->f->hand, &row->id))
		return STATUS_OK;
	s = plan_text(g, &row->plan, &plan, e);
	if (s != STATUS_OK)
		return s;
	*why = plan->why;
	to->plan = plan->text;
	if (*why)
		return STATUS_OK;
	s = excuse(g, text_read(g, "order", &row->id, row->blob, &to->order, e), why, e);
	if (*why)
		to->order.text = NULL;
	return s;
}

enum status enforce_gather(struct enforcer *f, struct arena *a, struct gathered *to, struct err *e)
{
	struct gathering g = {.f = f, .a = a};
	struct err late;
	enum status s = order_row_list(f->db, NULL, true, f->w->now(f->w->self), a, &to->row, &to->n, e);

	if (s != STATUS_OK)
		return s;
	to->order = arena_array(a, to->n + 1, sizeof(*to->order));
	to->why = arena_array(a, to->n + 1, sizeof(*to->why));
	g.plan = arena_array(a, to->n + 1, sizeof(*g.plan));
	if (!to->order || !to->why || !g.plan)
		return err_nomem(e);
	for (size_t i = 0; i < to->n && s == STATUS_OK; i++)
		s = order_show(&g, &to->row[i], &to->order[i], &to->why[i], e);
	if (g.ledger)
		(void)ledger_close(g.ledger, &late);
	return s;
}
