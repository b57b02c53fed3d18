/* The effect of a case's blocks: see effect.h.
 *
 * What was dropped is counted by the kernel.  What passed is what was recorded of the case's attack flows
 * while no rule in force hit them.  A recorder may sit before the drop, and sees then what is dropped, or
 * behind it: of flows that a rule did hit, only what exceeds the counters is said to have passed. */
#include "cli/effect.h"

#include <inttypes.h>
#include <stdlib.h>

struct orders {
	struct order_row *row;
	struct order *order;
	size_t n;
};

static enum status orders_read(
	struct orders *to, const struct place *p, const struct id *case_id, struct arena *a, struct err *e)
{
	size_t n = 0, kept = 0;
	enum status s = order_row_list(p->db, case_id, false, p->w->now(p->w->self), a, &to->row, &n, e);

	if (s == STATUS_OK && !(to->order = arena_array(a, n + 1, sizeof(*to->order))))
		s = err_nomem(e);
	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		if (to->row[i].waits)
			continue;
		s = order_load(p->dir, &to->row[i], a, &to->order[kept], e);
		to->row[kept] = to->row[i];
		if (s == STATUS_OK)
			kept++;
		else if (s == STATUS_NO) /* forgotten: its rules are not known any more */
			s = STATUS_OK;
	}
	to->n = kept;
	return s;
}

/* Did a rule that held at this time hit packets of the flow's opener? */
static bool covered(const struct orders *o, const struct flow *f, int opener, int64_t at_us)
{
	for (size_t i = 0; i < o->n; i++) {
		int64_t until = o->row[i].undone.us ? o->row[i].undone.us : o->row[i].expires.us;
		if (at_us < o->row[i].made.us || at_us >= until)
			continue;
		for (size_t r = 0; r < o->order[i].n_rule; r++)
			if (rule_hits(&o->order[i].rule[r], f->head.proto, &f->head.end[opener],
				    &f->head.end[!opener]))
				return true;
	}
	return false;
}

/* Packets of the flow since then, by whether a rule hit them. */
static void count_flow(
	const struct orders *o, const struct flow *f, struct wall since, uint64_t *hit, uint64_t *missed)
{
	int opener = flow_opener(f);

	for (size_t i = 0; i < f->n_burst[opener]; i++) {
		const struct burst *b = &f->burst[opener][i];
		if (b->start_us < since.us)
			continue;
		if (covered(o, f, opener, b->start_us))
			*hit += b->packets;
		else
			*missed += b->packets;
	}
}

static void first_order(const struct orders *o, struct effect *to)
{
	for (size_t i = 0; i < o->n; i++) {
		to->dropped += o->row[i].packets;
		if (to->since.us == 0 || o->row[i].made.us < to->since.us)
			to->since = o->row[i].made;
	}
}

enum status effect_of(struct effect *to, const struct place *p, struct tracer *t, const struct attack_case *c,
	struct arena *arena, struct err *e)
{
	struct orders o = {0};
	uint64_t hit = 0;
	enum status s = orders_read(&o, p, &c->id, arena, e);

	*to = (struct effect){.share = -1};
	if (s == STATUS_OK && !(to->other = arena_array(arena, c->n_sighting + 1, sizeof(struct flow *))))
		s = err_nomem(e);
	first_order(&o, to);
	for (size_t i = 0; s == STATUS_OK && to->since.us && i < c->n_sighting; i++) {
		const struct flow *f;
		uint64_t missed = 0;
		s = sighting_flow(t, &c->sighting[i], &f, e);
		if (s == STATUS_NO) {
			s = STATUS_OK;
			continue;
		}
		if (s == STATUS_OK)
			count_flow(&o, f, to->since, &hit, &missed);
		if (missed)
			to->other[to->n_other++] = f;
		to->passed += missed;
	}
	to->passed += hit > to->dropped ? hit - to->dropped : 0;
	if (to->dropped + to->passed > 0)
		to->share = (double)to->dropped / (double)(to->dropped + to->passed);
	return s;
}

json_t *json_effect(const struct app *a, const struct effect *f)
{
	json_t *list = json_array();

	if (f->since.us == 0) {
		json_decref(list);
		return json_null();
	}
	for (size_t i = 0; i < f->n_other; i++)
		(void)json_array_append_new(list, json_flow(a, f->other[i]));
	return json_pack("{s:o, s:I, s:I, s:o, s:o}", "since", json_time(f->since.us), "dropped_packets",
		(json_int_t)f->dropped, "passed_packets", (json_int_t)f->passed, "share",
		f->share < 0 ? json_null() : json_real(f->share), "came_back_by", list);
}

void print_effect(FILE *to, const struct effect *f)
{
	char text[FLOW_TEXT], when[WALL_TEXT], n[COUNT_TEXT], m[COUNT_TEXT];

	if (f->since.us == 0)
		return;
	if (f->share < 0)
		(void)fprintf(to, "effect since %s: no packet of the attack was seen or dropped\n",
			wall_text(when, f->since));
	else
		(void)fprintf(to, "effect since %s: %.1f %% of the attack stopped (%s dropped, %s passed)\n",
			wall_text(when, f->since), 100 * f->share, counted(n, f->dropped, "packet"),
			thousands(m, f->passed));
	for (size_t i = 0; i < f->n_other && i < 5; i++)
		(void)fprintf(to, "  came by another way: %s\n", flow_text(text, &f->other[i]->head));
	if (f->n_other > 5)
		(void)fprintf(to, "  ... and by %zu more flows\n", f->n_other - 5);
	if (f->n_other)
		(void)fprintf(to, "  next option: weir plan\n");
}
