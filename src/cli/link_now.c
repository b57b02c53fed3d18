/* What a stored link says now: see link_now.h.  The limit and the number come from the trains that were kept
 * with the claim, the role from the recording; either may have been forgotten since. */
#include "cli/link_now.h"

#include <string.h>

#include "case/blob.h"
#include "trace/aggregate.h"
#include "trace/audit.h"

bool link_withheld(
	const struct tracer *t, const struct claim *c, const struct statement *said, char why[LINK_NOW_WHY])
{
	struct link_told told = {said->alpha, said->log10_e, said->searched};
	bool own = !*c->origin, withheld = own && said->proven && tracer_withholds(t, &told);

	if (why)
		why[0] = '\0';
	if (why && withheld)
		(void)tracer_withheld_say(why, LINK_NOW_WHY, t, &told);
	return withheld;
}

/* ---- the trains ---- */

static enum status kept_train(
	const struct app *a, const char *name, struct arena *arena, struct train *to, struct err *e)
{
	struct buf b = {0};
	enum status s = blob_read(a->dir, name, &b, e);

	if (s == STATUS_OK)
		s = train_read(to, (const char *)b.p, b.n, arena, e);
	buf_free(&b);
	return s;
}

/* The test run again on the trains that were kept, and how far from its edge it is. */
static void compute_again(
	struct link_now *to, const struct app *a, const struct statement *said, struct arena *arena)
{
	struct relink_room room = {0};
	struct train in, out;
	struct err e;

	if (kept_train(a, said->in, arena, &in, &e) != STATUS_OK ||
		kept_train(a, said->out, arena, &out, &e) != STATUS_OK)
		return;
	to->computed = true;
	if (statement_recompute(&room, said, &in, &out, &to->again, &e) != STATUS_OK)
		(void)snprintf(to->differs, sizeof(to->differs), "%.199s", e.text);
	else if (!to->again.same)
		(void)snprintf(to->differs, sizeof(to->differs), "%s", to->again.why);
	to->has_limit = statement_limit(&room, said, &in, &out, &to->limit, &e) == STATUS_OK;
	to->limit.unproven = to->withheld;
	relink_free(&room);
}

/* ---- the relay ---- */

/* The name as the view's flows have it, which lives as long as the view; NULL where none was seen there. */
static const char *point_here(const struct view *v, const char *point)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->by_tuple[i]->head.point, point) == 0)
			return v->by_tuple[i]->head.point;
	return NULL;
}

/* Of flows together: as they are put together here, where they still are what the claim is of. */
static const struct flow *together_here(
	const struct app *a, struct view *v, const struct id *id, const char *told_point)
{
	const char *point = point_here(v, told_point);
	const struct together *k;
	struct err e;

	if (!point || together_get(v, point, a->cfg.clock_skew_us, &k, &e) != STATUS_OK)
		return NULL;
	for (size_t i = 0; i < k->n_aggregate; i++)
		if (id_order(&k->leg[i]->head.id, id) == 0)
			return k->leg[i];
	return NULL;
}

/* A leg that the claim names, as it is recorded here; NULL where it is not. */
static const struct flow *leg_here(const struct app *a, struct view *v, const json_t *leg)
{
	struct id id;

	if (!id_parse(&id, json_text(leg, "id")))
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		if (id_order(&v->by_tuple[i]->head.id, &id) == 0)
			return v->by_tuple[i];
	return json_object_get(leg, "members") ? together_here(a, v, &id, json_text(leg, "point")) : NULL;
}

static void role_now(struct link_now *to, const struct app *a, struct tracer *t, const struct claim *c,
	const struct statement *said)
{
	json_t *body = json_loads(c->body, 0, NULL);
	struct view *v;
	struct err e;

	if (view_get(t, &said->relay, &v, &e) == STATUS_OK) {
		const struct flow *in = leg_here(a, v, json_object_get(body, "in"));
		const struct flow *out = leg_here(a, v, json_object_get(body, "out"));
		to->has_role = in && out && role_of(t, v, in, out, &to->role, &e) == STATUS_OK;
	}
	json_decref(body);
}

void link_now(struct link_now *to, const struct app *a, struct tracer *t, const struct claim *c,
	const struct statement *said)
{
	struct arena arena = {0};

	*to = (struct link_now){0};
	to->withheld = link_withheld(t, c, said, to->why);
	compute_again(to, a, said, &arena);
	role_now(to, a, t, c, said);
	arena_free(&arena);
}

/* ---- JSON ---- */

void link_now_json(json_t *to, const struct link_now *l, const struct statement *said)
{
	enum link_verdict v = !said->proven ? LINK_INSUFFICIENT
			      : l->withheld ? LINK_UNDECIDABLE
					    : LINK_PROVEN;

	(void)json_object_set_new(to, "verdict", json_string(link_verdict_name(v)));
	if (l->withheld)
		(void)json_object_set_new(to, "reason", json_string(l->why));
	if (l->has_limit)
		(void)json_object_set_new(to, "limit", json_limit_of(&l->limit));
	if (l->has_role) {
		(void)json_object_set_new(to, "role", json_string(l->role.name));
		(void)json_object_set_new(to, "role_why", json_string(l->role.why));
	}
}

json_t *claim_now_json(const struct app *a, struct tracer *t, const struct claim *c)
{
	json_t *j = json_claim(c);
	struct arena arena = {0};
	struct statement said;
	struct link_now now;
	struct err e;

	if (j && statement_read(&said, c->kind, c->body, strlen(c->body), &arena, &e) == STATUS_OK &&
		said.kind == STATES_LINK) {
		link_now(&now, a, t, c, &said);
		link_now_json(j, &now, &said);
	}
	arena_free(&arena);
	return j;
}

json_t *case_now_json(const struct app *a, struct tracer *t, const struct attack_case *c)
{
	json_t *j = json_case(c), *claims = json_array();

	for (size_t i = 0; i < c->n_claim; i++)
		(void)json_array_append_new(claims, claim_now_json(a, t, &c->claim[i]));
	(void)json_object_set_new(j, "claims", claims);
	return j;
}

/* ---- for people ---- */

void link_now_print(FILE *o, const struct link_now *l, const struct statement *said)
{
	char text[LIMIT_TEXT];

	if (l->withheld)
		(void)fprintf(o, "  NOW UNDECIDABLE: %s\n", l->why);
	if (l->has_limit)
		(void)fprintf(o, "  limit  %s\n", limit_text(text, sizeof(text), &l->limit, said->needed));
	if (l->has_role && *l->role.why)
		(void)fprintf(o, "  role   %s: %s\n", l->role.name, l->role.why);
}
