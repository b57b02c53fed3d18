/* What was blocked here, as claims: see told_block.h. */
#include "cli/told_block.h"

#include <string.h>

/* Does the rule hit one of the flows, in either direction? */
static bool about(const struct told_blocks *t, const struct rule *r)
{
	for (size_t i = 0; i < t->n_about; i++) {
		const struct sighting *g = &t->about[i];
		if (rule_hits(r, g->proto, &g->end[0], &g->end[1]) ||
			rule_hits(r, g->proto, &g->end[1], &g->end[0]))
			return true;
	}
	return false;
}

static enum status claim_rule(const struct place *p, const struct order *o, const struct rule *r,
	struct wall until, struct arena *arena, struct claim *to, struct err *e)
{
	struct told t;
	char text[RULE_TEXT];
	enum status s = tell_block(&t, rule_text(text, r), o->made, until, WEIR_CODE, e);

	if (s == STATUS_OK)
		s = told_store(p, &t, &o->case_id, "", "", &to->id, e);
	to->kind = t.kind;
	to->body = s == STATUS_OK ? arena_str(arena, t.body) : NULL;
	told_free(&t);
	return s == STATUS_OK && !to->body ? err_nomem(e) : s;
}

enum status claim_blocks(const struct place *p, const struct told_blocks *t, struct arena *arena,
	struct claim *to, size_t *n, struct err *e)
{
	struct order o;
	struct wall until = t->row->undone.us ? t->row->undone : t->row->expires;
	enum status s = order_load(p->dir, t->row, arena, &o, e);

	for (size_t i = 0; s == STATUS_OK && i < o.n_rule && *n < TOLD_BLOCKS; i++)
		if (t->all || about(t, &o.rule[i]))
			s = claim_rule(p, &o, &o.rule[i], until, arena, &to[(*n)++], e);
	return s;
}
