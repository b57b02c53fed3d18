/* The JSON of plans (a contract: doc/weir.1). */
#include "cli/plan_print.h"

#include <string.h>

#include <inttypes.h>

#include "block/backend.h"

/* ---- rules ---- */

/* What installing the rule gives to the back end's outside, without what is set up once for all rules (weir
 * block
 * --dry-run shows that too); null where it cannot hold such a rule. */
static json_t *json_lines(
	const struct app *a, const struct backend *b, const struct want *want, struct wall now)
{
	const struct backend_param p = {.max_rules = a->cfg.max_rules, .cfg = &a->cfg};
	static const char element[] = "add element ";
	struct buf text = {0};
	json_t *j = NULL;
	struct err e;

	if (b->lines && !(b->cannot && b->cannot(&p, &want->rule)) &&
		b->lines(&text, &p, want, 1, now, false, &e) == STATUS_OK && !text.failed) {
		while (text.n && text.p[text.n - 1] == '\n')
			text.n--;
		const char *own = text.n ? memmem(text.p, text.n, element, sizeof(element) - 1) : NULL;
		const char *from = own ? own : (const char *)text.p;
		j = json_stringn(from, (size_t)((const char *)text.p + text.n - from));
	}
	buf_free(&text);
	return j ? j : json_null();
}

static json_t *json_side(const struct prefix *p)
{
	char text[PREFIX_TEXT];

	return json_string(p->len ? prefix_text(text, p) : "any");
}

static json_t *json_number_or_null(unsigned v)
{
	return v ? json_integer(v) : json_null();
}

json_t *json_rule(
	const struct app *a, const struct rule *r, const char *place, struct wall now, struct wall until)
{
	const struct want want = {.rule = *r, .until = until};
	char text[RULE_TEXT];

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "rule", rule_text(text, r),
		"action", r->action == RULE_RATE ? "rate" : "drop", "rate", json_number_or_null(r->rate),
		"from", json_side(&r->from), "to", json_side(&r->to), "proto", json_number_or_null(r->proto),
		"port", json_number_or_null(r->port), "place", *place ? place : "here", "nft",
		json_lines(a, &backend_nft, &want, now), "flowspec",
		json_lines(a, &backend_exabgp, &want, now));
}

/* ---- options ---- */

static json_t *json_texts(const char *const *text, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(text[i]));
	return list;
}

static json_t *json_hit(const struct bystanders *b)
{
	static const char *const shared[] = {
		[SHARED_NO] = "no", [SHARED_YES] = "yes", [SHARED_UNKNOWN] = "unknown"};

	return json_pack("{s:I, s:I, s:I, s:I, s:s}", "flows", (json_int_t)b->flows, "peers",
		(json_int_t)b->peers, "bytes", (json_int_t)b->bytes, "own_hosts", (json_int_t)b->own,
		"shared", shared[b->shared]);
}

static json_t *json_rules(const struct app *a, const struct plan *p, const struct option *x)
{
	struct wall until = {p->made.us + x->for_us};
	json_t *list = json_array();

	for (size_t i = 0; i < x->n_action; i++)
		(void)json_array_append_new(
			list, json_rule(a, &x->action[i].rule, x->action[i].place, p->made, until));
	return list;
}

/* "1h30m", as --for takes it. */
static json_t *json_span(int64_t us)
{
	static const struct {
		int64_t s;
		const char *name;
	} unit[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
	char text[SPAN_TEXT] = "0s";
	int64_t left = us / SECOND_US;
	int n = 0;

	for (size_t u = 0; u < sizeof(unit) / sizeof(unit[0]); u++) {
		if (left >= unit[u].s)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%" PRId64 "%s", left / unit[u].s,
				unit[u].name);
		left %= unit[u].s;
	}
	return json_string(text);
}

json_t *json_option(const struct app *a, const struct plan *p, const struct option *x)
{
	json_t *j = json_pack("{s:i, s:b, s:f, s:f, s:f, s:I, s:o}", "option", (int)x->k, "marked", x->marked,
		"stops", x->stops, "stops_all", x->stops_all, "stops_bytes", x->stops_bytes, "collateral",
		(json_int_t)x->collateral, "bystanders", json_hit(&x->hit));
	json_t *rest = json_pack("{s:o, s:b, s:o, s:f, s:f, s:{s:s, s:s, s:s}, s:o, s:f, s:o, s:o}", "needs",
		json_texts(x->needs, x->n_needs), "sufficient", x->sufficient, "missing",
		x->sufficient ? json_null() : json_string(x->missing), "log10_e", x->log10_e, "needed",
		x->needed, "cost", "us", x->cost_us, "partner", x->cost_partner, "bystanders",
		x->cost_bystanders, "returns_by", json_texts(x->way, x->n_way), "for_s",
		(double)x->for_us / 1e6, "expires_after", json_span(x->for_us), "rules", json_rules(a, p, x));

	(void)json_object_update_new(j, rest);
	return j;
}

/* ---- the plan ---- */

json_t *json_plan(const struct app *a, const struct plan *p, const struct id *id)
{
	char text[ID_TEXT], case_id[ID_TEXT];
	bool recorded = p->from.us <= p->to.us;
	json_t *options = json_array();

	for (size_t i = 0; i < p->n_option; i++)
		(void)json_array_append_new(options, json_option(a, p, &p->option[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:i, s:I, s:I, s:{s:o, s:o}, s:I, s:o, s:b, s:f, s:o}", "id",
		id_text(text, id), "case", id_text(case_id, &p->case_id), "made", json_time(p->made.us),
		"ends", *p->ends ? json_string(p->ends) : json_null(), "cases", (int)p->cases, "attacks",
		(json_int_t)p->attacks, "attacks_all", (json_int_t)p->attacks_all, "window", "from",
		recorded ? json_time(p->from.us) : json_null(), "to",
		recorded ? json_time(p->to.us) : json_null(), "erased", (json_int_t)p->erased, "unwilling",
		json_texts(p->unwilling, p->n_unwilling), "exact", p->exact, "gap", p->gap, "options",
		options);
}
