/* What was planned and blocked for a case, and what came of it: see case_plans.h.
 *
 * A plan is shown by its id (weir why has all of it) and by whether sightings or links came since, or an
 * audit withholds a link, for then it is of no more use. */
#include "cli/case_plans.h"

#include "cli/blocking.h"
#include "cli/effect.h"

#define PLANS_SHOWN 3 /* for people; JSON has all */

struct planned {
	struct plan_row *plan;
	struct order_row *block;
	size_t n_plan, n_block;
	struct id evidence; /* of the case as it is now */
	struct effect effect;
};

static bool current(const struct planned *p, size_t i)
{
	return i == 0 && id_order(&p->evidence, &p->plan[i].evidence) == 0;
}

static void print_planned(FILE *o, const struct planned *p, struct wall now)
{
	char id[ID_TEXT], made[WALL_TEXT], n[COUNT_TEXT];

	for (size_t i = 0; i < p->n_plan && i < PLANS_SHOWN; i++)
		(void)fprintf(o, "plan %.12s  made %.19sZ%s\n", id_text(id, &p->plan[i].id),
			wall_text(made, p->plan[i].made),
			current(p, i) ? ""
			: i           ? ", replaced by a newer one"
				      : ", OLDER than the case's evidence: weir plan makes a new one");
	if (p->n_plan > PLANS_SHOWN)
		(void)fprintf(o, "... and %s\n", counted(n, p->n_plan - PLANS_SHOWN, "older plan"));
	for (size_t i = 0; i < p->n_block; i++) {
		(void)fprintf(o, "block ");
		print_block(o, &p->block[i], now);
	}
	print_effect(o, &p->effect);
}

static void planned_into(const struct app *a, json_t *j, const struct planned *p, struct wall now)
{
	json_t *plans = json_array(), *blocks = json_array();
	char id[ID_TEXT];

	for (size_t i = 0; i < p->n_plan; i++)
		(void)json_array_append_new(
			plans, json_pack("{s:s, s:o, s:b}", "id", id_text(id, &p->plan[i].id), "made",
				       json_time(p->plan[i].made.us), "current", current(p, i)));
	for (size_t i = 0; i < p->n_block; i++)
		(void)json_array_append_new(blocks, json_block(&p->block[i], now));
	(void)json_object_set_new(j, "plans", plans);
	(void)json_object_set_new(j, "blocks", blocks);
	(void)json_object_set_new(j, "effect", json_effect(a, &p->effect));
}

/* The effect is read out of the recording; without blocks there is none. */
static enum status effect_read(struct app *a, struct case_db *db, struct tracer *t,
	const struct attack_case *c, struct arena *arena, struct effect *to, struct err *e)
{
	const struct place p = {.w = a->w, .dir = a->dir, .db = db};

	return effect_of(to, &p, t, c, arena, e);
}

enum status case_plans(struct app *a, struct tracer *t, struct case_db *db, const struct attack_case *c,
	json_t *j, struct err *e)
{
	struct wall now = a->w->now(a->w->self);
	struct arena arena = {0};
	struct planned p = {0};
	enum status s = plan_row_list(db, &c->id, &arena, &p.plan, &p.n_plan, e);

	if (s == STATUS_OK)
		s = order_row_list(db, &c->id, false, now, &arena, &p.block, &p.n_block, e);
	if (s == STATUS_OK && p.n_plan)
		s = case_evidence(c, t, &p.evidence, e);
	if (s == STATUS_OK && p.n_block)
		s = effect_read(a, db, t, c, &arena, &p.effect, e);
	if (s == STATUS_OK && j)
		planned_into(a, j, &p, now);
	else if (s == STATUS_OK)
		print_planned(a->out, &p, now);
	arena_free(&arena);
	return s;
}
