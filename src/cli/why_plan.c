/* From a block back to the plan and the option that it enforces, and from a plan to what it rests on: the
 * case's sightings, its links with their numbers, and the entries of the ledger. */
#include "cli/why.h"

#include <string.h>

#include "cli/blocking.h"
#include "cli/link_now.h"
#include "cli/plan_print.h"
#include "cli/report.h"

/* ---- what a plan rests on ---- */

static bool is_link(const struct claim *c)
{
	return strcmp(c->kind, statement_kind_name(STATES_LINK)) == 0;
}

static void print_link_of(struct why *y, const struct claim *c)
{
	char id[ID_TEXT], text[512], why[LINK_NOW_WHY];
	struct statement said;
	struct err e;

	if (statement_read(&said, c->kind, c->body, strlen(c->body), &y->arena, &e) != STATUS_OK)
		return;
	(void)fprintf(y->a->out, "link %.12s: %s%s%s\n  log10 e %.2f, needed %.2f (weir why %.12s)\n",
		id_text(id, &c->id), statement_text(text, sizeof(text), &said), *c->origin ? ", says " : "",
		c->origin, said.log10_e, said.needed, id);
	if (said.kind == STATES_LINK && link_withheld(y->t, c, &said, why))
		(void)fprintf(y->a->out, "  NOW UNDECIDABLE: %s\n", why);
}

static enum status print_rests(struct why *y, const struct attack_case *c, struct err *e)
{
	char id[ID_TEXT];
	enum status s = STATUS_OK;

	(void)fprintf(y->a->out, "\nwhat the case has:\n");
	for (size_t i = 0; i < c->n_sighting && s == STATUS_OK; i++)
		s = why_sighting(y->a, &c->sighting[i], id_text(id, &c->id), e);
	for (size_t i = 0; i < c->n_claim; i++)
		if (is_link(&c->claim[i]))
			print_link_of(y, &c->claim[i]);
	return s;
}

static void rests_into(struct why *y, json_t *j, const struct attack_case *c)
{
	json_t *sightings = json_array(), *links = json_array();

	for (size_t i = 0; i < c->n_sighting; i++)
		(void)json_array_append_new(sightings, json_sighting(&c->sighting[i]));
	for (size_t i = 0; i < c->n_claim; i++)
		if (is_link(&c->claim[i]))
			(void)json_array_append_new(links, claim_now_json(y->a, y->t, &c->claim[i]));
	(void)json_object_set_new(j, "sightings", sightings);
	(void)json_object_set_new(j, "links", links);
}

static enum status case_of(struct why *y, const struct id *id, struct attack_case *to, struct err *e)
{
	char text[ID_TEXT];

	return case_read(y->db, id_text(text, id), &y->arena, to, e);
}

/* ---- a plan ---- */

/* A plan as it is kept; *is is false where weir forget took its text. */
static enum status plan_kept(
	struct why *y, const struct plan_row *row, struct plan *to, bool *is, struct err *e)
{
	enum status s = plan_load(y->a->dir, row, &y->arena, to, e);

	*is = s == STATUS_OK;
	return s == STATUS_NO ? STATUS_OK : s;
}

static enum status plan_out(struct why *y, const struct plan_row *row, const struct plan *p,
	const struct attack_case *c, json_t *logged, struct err *e)
{
	json_t *j = json_plan(y->a, p, &row->id);
	struct id now;
	enum status s = case_evidence(c, y->t, &now, e);

	if (s == STATUS_OK) {
		(void)json_object_set_new(j, "current", json_boolean(id_order(&now, &row->evidence) == 0));
		(void)json_object_set(j, "logged", logged);
		rests_into(y, j, c);
		return json_out(y->a, j, e);
	}
	json_decref(j);
	return s;
}

static enum status plan_told(struct why *y, const struct plan_row *row, const struct plan *p,
	const struct attack_case *c, json_t *logged, struct err *e)
{
	FILE *o = y->a->out;
	struct id now;
	enum status s = case_evidence(c, y->t, &now, e);

	if (s != STATUS_OK)
		return s;
	print_plan(o, p, &row->id, true);
	if (id_order(&now, &row->evidence) != 0)
		(void)fprintf(o,
			"\nOLDER than the case's evidence: sightings or links came since, or an audit "
			"withholds a link (weir plan)\n");
	s = print_rests(y, c, e);
	(void)fprintf(o, "text %s/blobs/%.2s/%s\n", y->a->dir, row->blob, row->blob);
	print_logged(y, logged);
	return s;
}

/* weir forget took the text, for a forgotten address stood in it: what is left is that there was a plan. */
static enum status plan_gone(
	struct why *y, const struct plan_row *row, const struct attack_case *c, json_t *logged, struct err *e)
{
	char id[ID_TEXT], case_id[ID_TEXT], made[WALL_TEXT];
	json_t *j;

	(void)id_text(id, &row->id);
	(void)id_text(case_id, &row->case_id);
	if (!y->a->json) {
		(void)fprintf(y->a->out,
			"plan %.12s of case %.12s, made %s: its text was erased (weir forget)\n", id, case_id,
			wall_text(made, row->made));
		print_logged(y, logged);
		return STATUS_OK;
	}
	j = json_pack("{s:s, s:s, s:o, s:n, s:b, s:O}", "id", id, "case", case_id, "made",
		json_time(row->made.us), "options", "current", 0, "logged", logged);
	rests_into(y, j, c);
	return json_out(y->a, j, e);
}

enum status why_plan(struct why *y, const struct plan_row *row, struct err *e)
{
	struct attack_case c;
	struct plan p;
	bool kept = false;
	json_t *logged;
	enum status s = logged_json(y, &row->id, &logged, e);

	if (s == STATUS_OK)
		s = case_of(y, &row->case_id, &c, e);
	if (s == STATUS_OK)
		s = plan_kept(y, row, &p, &kept, e);
	if (s == STATUS_OK && !kept)
		s = plan_gone(y, row, &c, logged, e);
	else if (s == STATUS_OK)
		s = y->a->json ? plan_out(y, row, &p, &c, logged, e) : plan_told(y, row, &p, &c, logged, e);
	json_decref(logged);
	return s;
}

/* ---- a block ---- */

struct block_past {
	const struct order_row *row;
	struct plan_row plan_row;
	struct attack_case of;
	struct order order;
	struct plan plan;
	bool order_kept, plan_kept;
	json_t *logged, *plan_logged;
};

static enum status past_read(struct why *y, struct block_past *b, struct err *e)
{
	char id[ID_TEXT];
	enum status s = plan_row_read(y->db, id_text(id, &b->row->plan), &b->plan_row, e);

	if (s == STATUS_OK)
		s = case_of(y, &b->row->case_id, &b->of, e);
	if (s == STATUS_OK) {
		s = order_load(y->a->dir, b->row, &y->arena, &b->order, e);
		b->order_kept = s == STATUS_OK;
		s = s == STATUS_NO ? STATUS_OK : s;
	}
	if (s == STATUS_OK)
		s = plan_kept(y, &b->plan_row, &b->plan, &b->plan_kept, e);
	if (s == STATUS_OK)
		s = logged_json(y, &b->row->id, &b->logged, e);
	if (s == STATUS_OK)
		s = logged_json(y, &b->plan_row.id, &b->plan_logged, e);
	return s;
}

static const struct option *past_option(const struct block_past *b)
{
	return b->plan_kept ? plan_option(&b->plan, b->row->option) : NULL;
}

static enum status block_out(struct why *y, const struct block_past *b, struct wall now, struct err *e)
{
	const struct option *x = past_option(b);
	json_t *j = json_block(b->row, now), *rules = json_array();

	for (size_t i = 0; b->order_kept && i < b->order.n_rule; i++)
		(void)json_array_append_new(
			rules, json_rule(y->a, &b->order.rule[i], "", b->row->made, b->row->expires));
	(void)json_object_set_new(j, "rules", rules);
	(void)json_object_set_new(j, "confirmed_by",
		b->order_kept && *b->order.by[1] ? json_string(b->order.by[1]) : json_null());
	(void)json_object_set_new(j, "enforces", x ? json_option(y->a, &b->plan, x) : json_null());
	(void)json_object_set(j, "logged", b->logged);
	(void)json_object_set(j, "plan_logged", b->plan_logged);
	rests_into(y, j, &b->of);
	return json_out(y->a, j, e);
}

static void print_given(struct why *y, const struct block_past *b)
{
	FILE *o = y->a->out;
	char made[WALL_TEXT], until[WALL_TEXT], by[ORDER_BY + 1], second[ORDER_BY + 1];
	char text[RULE_TEXT], n[32];

	(void)fprintf(o, "ordered %s by %s, to hold until %s\n", wall_text(made, b->row->made),
		printable(by, sizeof(by), b->order_kept ? b->order.by[0] : b->row->by),
		wall_text(until, b->row->expires));
	if (b->order_kept && *b->order.by[1])
		(void)fprintf(o, "confirmed by %s\n", printable(second, sizeof(second), b->order.by[1]));
	if (!b->order_kept)
		(void)fprintf(o, "its rules were erased (weir forget)\n");
	for (size_t i = 0; b->order_kept && i < b->order.n_rule && i < RULES_SHOWN; i++)
		(void)fprintf(o, "  %s\n", rule_text(text, &b->order.rule[i]));
	if (b->order_kept && b->order.n_rule > RULES_SHOWN)
		(void)fprintf(
			o, "  ... %s more (--json has all)\n", thousands(n, b->order.n_rule - RULES_SHOWN));
	print_logged(y, b->logged);
}

static enum status block_told(struct why *y, const struct block_past *b, struct wall now, struct err *e)
{
	const struct option *x = past_option(b);
	FILE *o = y->a->out;
	char id[ID_TEXT], made[WALL_TEXT];

	if (*b->row->why)
		(void)fprintf(
			o, "*** ENFORCED AGAINST THE EVIDENCE: it did not suffice and was overridden ***\n");
	(void)fprintf(o, "block ");
	print_block(o, b->row, now);
	print_given(y, b);
	(void)fprintf(o, "\nof plan %.12s, made %s (weir why %.12s)\n", id_text(id, &b->plan_row.id),
		wall_text(made, b->plan_row.made), id);
	if (x)
		print_option(o, &b->plan, x);
	else
		(void)fprintf(o, "its text was erased (weir forget)\n");
	print_logged(y, b->plan_logged);
	return print_rests(y, &b->of, e);
}

enum status why_block(struct why *y, const struct order_row *row, struct err *e)
{
	struct wall now = y->a->w->now(y->a->w->self);
	struct block_past b = {.row = row};
	enum status s = past_read(y, &b, e);

	if (s == STATUS_OK)
		s = y->a->json ? block_out(y, &b, now, e) : block_told(y, &b, now, e);
	json_decref(b.logged);
	json_decref(b.plan_logged);
	return s;
}
