/* What the orders in force want together: see want.h.
 *
 * Every rule of every order is sorted by its match, harsher before softer, later before earlier: the first of
 * a match is what is wanted.  A softer rule of a later end is merged anew when the harsher has expired. */
#include "block/want.h"

#include <stdlib.h>

/* One rule of one order. */
struct rule_of {
	const struct rule *rule;
	struct wall until;
	uint32_t *at; /* where its index goes */
};

static int rule_of_compare(const void *a, const void *b)
{
	const struct rule_of *x = a, *y = b;
	int c = rule_compare(x->rule, y->rule); /* of one match a drop comes first, then the lower rate */

	return c ? c : (y->until.us > x->until.us) - (y->until.us < x->until.us);
}

static bool in_force(const struct order *o, struct wall now)
{
	return o->expires.us > now.us;
}

/* Rules of the orders in force; those of a wish that has expired are not looked at. */
static size_t rules_count(const struct wish *wish, size_t n, struct wall now)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += in_force(wish[i].order, now) ? wish[i].order->n_rule : 0;
	return sum;
}

/* False where memory is out. */
static bool rules_gather(struct rule_of *to, struct wish *wish, size_t n, struct wall now, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		const struct order *o = wish[i].order;
		wish[i].at = NULL;
		if (!in_force(o, now))
			continue;
		wish[i].at = arena_array(a, o->n_rule, sizeof(*wish[i].at));
		if (!wish[i].at)
			return false;
		for (size_t k = 0; k < o->n_rule; k++)
			*to++ = (struct rule_of){&o->rule[k], o->expires, &wish[i].at[k]};
	}
	return true;
}

/* Into to[], which has room for n; how many are wanted. */
static size_t rules_unite(struct want *to, struct rule_of *rule, size_t n)
{
	size_t wanted = 0;

	qsort(rule, n, sizeof(*rule), rule_of_compare);
	for (size_t i = 0; i < n; i++) {
		if (wanted == 0 || !rule_same_match(&to[wanted - 1].rule, rule[i].rule))
			to[wanted++] = (struct want){*rule[i].rule, rule[i].until};
		*rule[i].at = (uint32_t)(wanted - 1);
	}
	return wanted;
}

enum status want_merge(struct wish *wish, size_t n, struct wall now, struct want **to, size_t *n_want,
	struct arena *a, struct err *e)
{
	size_t n_rule = rules_count(wish, n, now);
	struct rule_of *rule;
	enum status s = STATUS_OK;

	*n_want = 0;
	if (n_rule > WANT_MAX)
		return err_set(e, STATUS_BAD, "%zu rules; at most %d are looked at", n_rule, WANT_MAX);
	rule = malloc((n_rule + 1) * sizeof(*rule)); /* so that no rule is no case of its own */
	*to = arena_array(a, n_rule, sizeof(**to));
	if (rule && *to && rules_gather(rule, wish, n, now, a))
		*n_want = rules_unite(*to, rule, n_rule);
	else
		s = err_nomem(e);
	free(rule);
	return s;
}
