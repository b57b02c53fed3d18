/* Orders that a newer one makes idle: see replaced.h. */
#include "cli/replaced.h"

#include <stdlib.h>

static int by_rule(const void *a, const void *b)
{
	return rule_compare(a, b);
}

/* Both are sorted by rule_compare(), each match once. */
static bool covered(const struct order *old, const struct order *new)
{
	bool all = old->expires.us <= new->expires.us;

	for (size_t i = 0; i < old->n_rule && all; i++)
		all = bsearch(&old->rule[i], new->rule, new->n_rule, sizeof(*new->rule), by_rule) != NULL;
	return all;
}

static enum status replace(const struct place *p, const struct order_row *row, const struct order *by,
	const struct id *by_id, struct arena *arena, struct err *e)
{
	char why[ID_TEXT + 16], id[ID_TEXT];
	struct order old;
	enum status s = order_load(p->dir, row, arena, &old, e);

	if (s == STATUS_NO) /* forgotten: what it holds is not known any more, and it ends by itself */
		return STATUS_OK;
	if (s != STATUS_OK || !covered(&old, by))
		return s;
	(void)snprintf(why, sizeof(why), "replaced by %s", id_text(id, by_id));
	return order_undo(p->w, p->db, row, by->by[0], why, e);
}

enum status orders_replaced(const struct place *p, const struct order *by, const struct id *by_id,
	struct arena *arena, struct err *e)
{
	struct order_row *row;
	size_t n;
	enum status s = order_row_list(p->db, &by->case_id, true, p->w->now(p->w->self), arena, &row, &n, e);

	for (size_t i = 0; i < n && s == STATUS_OK; i++)
		if (id_order(&row[i].id, by_id) != 0)
			s = replace(p, &row[i], by, by_id, arena, e);
	return s;
}
