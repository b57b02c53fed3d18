/* The guard: see guard.h.
 *
 * It believes nothing: a rule that another part could never make is refused here all the same.  An address is
 * touched by a prefix as soon as the two have one address in common. */
#include "block/guard.h"

#include <stdlib.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static const char *const why_words[] = {
	[PROTECT_NEVER] = "on the never-block list",
	[PROTECT_OWN] = "an address of this machine",
	[PROTECT_GATEWAY] = "the default gateway",
	[PROTECT_RESOLVER] = "a resolver",
	[PROTECT_PARTNER] = "a partner's",
};

/* ---- a rule ---- */

static unsigned family(const struct prefix *p)
{
	return p->ip.v == 6;
}

static const char *end_text(char to[PREFIX_TEXT], const struct prefix *p)
{
	return p->len ? prefix_text(to, p) : "any";
}

/* What of the protected the prefix touches; NULL: nothing.  *with: its prefix. */
static const char *touched(const struct guard *g, const struct prefix *p, const struct prefix **with)
{
	const char *what = prefix_nobodys(p, with);

	if (what)
		return what;
	for (size_t i = 0; i < g->n_protected; i++) {
		*with = &g->protected[i].prefix;
		if (prefix_touches(p, *with))
			return why_words[g->protected[i].why];
	}
	return NULL;
}

/* Does what comes from there come from outside?  This machine's own addresses are looked at before. */
static bool inbound(const struct guard *g, const struct prefix *from)
{
	for (size_t i = 0; i < g->n_own; i++)
		if (prefix_touches(from, &g->own[i]))
			return false;
	return true;
}

/* One end of the rule against the protected. */
static enum status end_check(
	const struct guard *g, const struct prefix *end, const char *field, struct err *e)
{
	char text[PREFIX_TEXT], other[PREFIX_TEXT];
	const struct prefix *with;
	const char *what = touched(g, end, &with);

	if (!what)
		return STATUS_OK;
	return err_set(e, STATUS_NO, "%s %s touches %s, which is %s", field, end_text(text, end),
		prefix_text(other, with), what);
}

static enum status from_check(const struct guard *g, const struct prefix *from, struct err *e)
{
	char text[PREFIX_TEXT];

	if (from->len == 0)
		return err_set(e, STATUS_NO, "from any: a block names whom it is for");
	if (from->len < g->widest[family(from)])
		return err_set(e, STATUS_NO, "from %s is wider than a /%u, the widest that may be blocked",
			prefix_text(text, from), g->widest[family(from)]);
	if (from->ip.v == 6 && from->len > RULE_HOST6)
		return err_set(e, STATUS_NO, "from %s: IPv6 is blocked by prefix, of /%d at most",
			prefix_text(text, from), RULE_HOST6);
	return end_check(g, from, "from", e);
}

enum status guard_rule(const struct guard *g, const struct rule *r, struct err *e)
{
	if (!rule_valid(r))
		return err_set(e, STATUS_NO, "not a rule");
	if (from_check(g, &r->from, e) != STATUS_OK)
		return e->status;
	return inbound(g, &r->from) ? STATUS_OK : end_check(g, &r->to, "to", e);
}

/* ---- an order's time ---- */

/* Is `a` later than `b` by more than d (not below 0)?  For any values. */
static bool later_by_more(struct wall a, struct wall b, int64_t d)
{
	return a.us > b.us && (uint64_t)a.us - (uint64_t)b.us > (uint64_t)d;
}

static enum status time_check(const struct guard *g, const struct order *o, const struct option *option,
	struct wall now, struct err *e)
{
	const struct {
		bool wrong;
		const char *what;
	} rule[] = {
		{later_by_more(o->made, now, g->skew_us > 0 ? g->skew_us : 0),
			"is of the future: the clock was set back, or is wrong"},
		{o->expires.us <= now.us, "has expired"},
		{o->expires.us <= o->made.us, "ends before it begins"},
		{later_by_more(o->expires, o->made, g->max_for_us > 0 ? g->max_for_us : 0),
			"lasts longer than max_block"},
		{later_by_more(o->expires, o->made, option->for_us > 0 ? option->for_us : 0),
			"lasts longer than its plan"},
	};

	for (size_t i = 0; i < N_OF(rule); i++)
		if (rule[i].wrong)
			return err_set(e, STATUS_NO, "the order %s", rule[i].what);
	return STATUS_OK;
}

/* ---- an order within its plan ---- */

static bool is_here(const struct action *a)
{
	return !a->place || !*a->place;
}

/* Is the rule within an action that is placed here? */
static bool in_option(const struct rule *r, const struct option *option)
{
	for (size_t i = 0; i < option->n_action; i++)
		if (is_here(&option->action[i]) && rule_within(r, &option->action[i].rule))
			return true;
	return false;
}

/* The order's rule of this match (they are sorted by it); n_rule: none. */
static size_t rule_find(const struct order *o, const struct rule *match)
{
	size_t from = 0, to = o->n_rule;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (rule_same_match(&o->rule[mid], match))
			return mid;
		if (rule_compare(&o->rule[mid], match) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return o->n_rule;
}

/* As a rule an order takes the option's rules as they are: those are found by their match, and only what is
 * left is held against every action. */
static enum status within_check(const struct order *o, const struct option *option, struct err *e)
{
	bool *found = calloc(o->n_rule, sizeof(*found));
	enum status s = STATUS_OK;
	char text[RULE_TEXT];

	if (!found)
		return err_nomem(e);
	for (size_t i = 0; i < option->n_action; i++) {
		const struct action *a = &option->action[i];
		size_t at = is_here(a) ? rule_find(o, &a->rule) : o->n_rule;
		if (at < o->n_rule && rule_within(&o->rule[at], &a->rule))
			found[at] = true;
	}
	for (size_t i = 0; i < o->n_rule && s == STATUS_OK; i++)
		if (!found[i] && !in_option(&o->rule[i], option))
			s = err_set(e, STATUS_NO, "\"%s\" is not in option %u of the plan, to be placed here",
				rule_text(text, &o->rule[i]), option->k);
	free(found);
	return s;
}

/* ---- an order ---- */

static bool said(const char *s)
{
	return s && *s;
}

/* Two people, not one who writes his name in two ways. */
static bool two_names(const struct order *o)
{
	return said(o->by[0]) && said(o->by[1]) && strcasecmp(o->by[0], o->by[1]) != 0;
}

static enum status rules_check(const struct guard *g, const struct order *o, struct err *e)
{
	char text[RULE_TEXT];

	for (size_t i = 0; i < o->n_rule; i++) {
		const struct prefix *from = &o->rule[i].from;
		if (guard_rule(g, &o->rule[i], e) != STATUS_OK)
			return e->status;
		if (from->len < g->confirm[family(from)] && !two_names(o))
			return err_set(e, STATUS_NO,
				"\"%s\" is wider than a /%u: two people have to order it",
				rule_text(text, &o->rule[i]), g->confirm[family(from)]);
	}
	return STATUS_OK;
}

static enum status option_check(
	const struct order *o, const struct plan *plan, const struct option **option, struct err *e)
{
	*option = plan_option(plan, o->option);
	if (!said(plan->sha256) || strncmp(plan->sha256, o->plan, sizeof(o->plan)) != 0)
		return err_set(e, STATUS_NO, "the order is not of this plan");
	if (memcmp(&plan->case_id, &o->case_id, sizeof(o->case_id)) != 0)
		return err_set(e, STATUS_NO, "the order is of another case than its plan");
	if (!*option)
		return err_set(e, STATUS_NO, "the plan has no option %u", o->option);
	if (!(*option)->sufficient && !said(o->override_why))
		return err_set(e, STATUS_NO, "option %u is not sufficient, and the order does not say why",
			o->option);
	return STATUS_OK;
}

enum status guard_order(
	const struct guard *g, const struct order *o, const struct plan *plan, struct wall now, struct err *e)
{
	const struct option *option;
	enum status s;

	if (order_valid(o, e) != STATUS_OK) {
		e->status = STATUS_NO;
		return STATUS_NO;
	}
	s = option_check(o, plan, &option, e);
	if (s == STATUS_OK)
		s = time_check(g, o, option, now, e);
	if (s == STATUS_OK)
		s = guard_room(g, 0, o, e);
	if (s == STATUS_OK)
		s = rules_check(g, o, e);
	return s == STATUS_OK ? within_check(o, option, e) : s;
}

enum status guard_room(const struct guard *g, size_t n_in_force, const struct order *o, struct err *e)
{
	if (n_in_force <= g->max_rules && o->n_rule <= g->max_rules - n_in_force)
		return STATUS_OK;
	return err_set(e, STATUS_NO, "%zu rules beside %zu in force are more than max_rules, %zu", o->n_rule,
		n_in_force, g->max_rules);
}
