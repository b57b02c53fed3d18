/* The canonical text of a plan: see plan.h.
 *
 *     weir-plan/v1
 *     case, made ... options N           fields of the plan
 *     erased N, unwilling N              only above 0: flows, and words that follow ("refuses")
 *     option 1 ... actions N             fields of an option; needs and ways are lists
 *     action RULE                        placed here
 *     action RULE at PLACE               it needs somebody's help
 *     end
 */
#include <float.h>
#include <stddef.h>

#include "case/blob.h"
#include "ledger/text.h"
#include "plan/fields.h"
#include "plan/plan.h"

#define FORMAT   "weir-plan/v1"
#define PLACE_AT " at " /* no rule has it in its notation */
#define N_OF(a)  (sizeof(a) / sizeof((a)[0]))

static const char *const shared_names[] = {
	[SHARED_NO] = "no", [SHARED_YES] = "yes", [SHARED_UNKNOWN] = "unknown"};

#define P(member) offsetof(struct plan, member)
#define O(member) offsetof(struct option, member)

static const struct field head[] = {
	{"case", FIELD_ID, P(case_id)},
	{"made", FIELD_TIME, P(made)},
	{"evidence", FIELD_ID, P(evidence)},
	{"ends", FIELD_TEXT, P(ends), .max = PLAN_TEXT_MAX},
	{"cases", FIELD_U32, P(cases), .max = UINT32_MAX},
	{"attacks", FIELD_U64, P(attacks), .max = INT64_MAX},
	{"attacks-all", FIELD_U64, P(attacks_all), .max = INT64_MAX},
	{"window", FIELD_SPAN, P(window_us)},
};
/* Instead of these, where nothing was recorded: */
static const char unrecorded[] = "recorded nothing";
static const struct field recorded[] = {
	{"from", FIELD_TIME, P(from)},
	{"to", FIELD_TIME, P(to)},
};
/* Only where there is something to say: */
static const struct field erased[] = {{"erased", FIELD_U64, P(erased), .max = INT64_MAX}};
static const struct field unwilling[] = {{"unwilling", FIELD_SIZE, P(n_unwilling), .max = PLAN_REFUSING}};
static const struct field front[] = {
	{"exact", FIELD_BOOL, P(exact)},
	{"gap", FIELD_REAL, P(gap), .least = 0, .most = DBL_MAX},
	{"options", FIELD_SIZE, P(n_option), .max = PLAN_OPTIONS},
};

static const struct field option_head[] = {
	{"option", FIELD_U32, O(k), .max = PLAN_OPTIONS},
	{"marked", FIELD_BOOL, O(marked)},
	{"stops", FIELD_REAL, O(stops), .least = 0, .most = 1},
	{"stops-all", FIELD_REAL, O(stops_all), .least = 0, .most = 1},
	{"stops-bytes", FIELD_REAL, O(stops_bytes), .least = 0, .most = 1},
	{"hit-flows", FIELD_U64, O(hit.flows), .max = INT64_MAX},
	{"hit-peers", FIELD_U64, O(hit.peers), .max = INT64_MAX},
	{"hit-bytes", FIELD_U64, O(hit.bytes), .max = INT64_MAX},
	{"hit-own", FIELD_U64, O(hit.own), .max = INT64_MAX},
	{"shared", FIELD_NAME, O(hit.shared), .name = shared_names, .max = N_OF(shared_names)},
	{"collateral", FIELD_U64, O(collateral), .max = INT64_MAX},
	{"cost-us", FIELD_TEXT, O(cost_us), .max = PLAN_TEXT_MAX},
	{"cost-partner", FIELD_TEXT, O(cost_partner), .max = PLAN_TEXT_MAX},
	{"cost-bystanders", FIELD_TEXT, O(cost_bystanders), .max = PLAN_TEXT_MAX},
	{"for", FIELD_SPAN, O(for_us)},
	{"sufficient", FIELD_BOOL, O(sufficient)},
	{"missing", FIELD_TEXT, O(missing), .max = PLAN_TEXT_MAX},
	{"log10-e", FIELD_REAL, O(log10_e), .least = -DBL_MAX, .most = DBL_MAX},
	{"needed", FIELD_REAL, O(needed), .least = -DBL_MAX, .most = DBL_MAX},
};
static const struct field option_needs[] = {{"needs", FIELD_SIZE, O(n_needs), .max = PLAN_ACTIONS}};
static const struct field option_ways[] = {{"ways", FIELD_SIZE, O(n_way), .max = PLAN_WAYS}};
static const struct field option_actions[] = {{"actions", FIELD_SIZE, O(n_action), .max = PLAN_ACTIONS}};

const struct option *plan_option(const struct plan *p, uint32_t k)
{
	for (size_t i = 0; i < p->n_option; i++)
		if (p->option[i].k == k)
			return &p->option[i];
	return NULL;
}

/* ---- what may stand ---- */

static bool is_recorded(const struct plan *p)
{
	return p->from.us <= p->to.us;
}

static const struct field one_line = {.kind = FIELD_TEXT, .max = PLAN_TEXT_MAX};

/* Not empty, as items of a list are not. */
static bool line_good(const char *s)
{
	const char *key;

	return s && *s && !fields_bad(&one_line, 1, &s, &key);
}

static bool list_good(const char *const *list, size_t n, bool sorted)
{
	for (size_t i = 0; i < n; i++)
		if (!line_good(list[i]) || (sorted && i > 0 && strcmp(list[i - 1], list[i]) >= 0))
			return false;
	return true;
}

static bool action_good(const struct action *a)
{
	return rule_valid(&a->rule) && (!a->place || !*a->place || line_good(a->place));
}

static bool has_text(const char *s)
{
	return s && *s;
}

static enum status option_valid(const struct option *o, size_t i, struct err *e)
{
	const char *key, *why = fields_bad(option_head, N_OF(option_head), o, &key);

	if (!why)
		why = fields_bad(option_needs, 1, o, &key);
	if (!why)
		why = fields_bad(option_ways, 1, o, &key);
	if (!why)
		why = fields_bad(option_actions, 1, o, &key);
	if (why)
		return err_set(e, STATUS_BAD, "option %zu of the plan: %s: %s", i + 1, key, why);
	if (o->k != i + 1)
		return err_set(e, STATUS_BAD, "option %zu of the plan has number %u", i + 1, o->k);
	if (o->sufficient && has_text(o->missing))
		return err_set(
			e, STATUS_BAD, "option %zu of the plan suffices, and something is missing", i + 1);
	if (!list_good(o->needs, o->n_needs, true))
		return err_set(e, STATUS_BAD, "option %zu of the plan: needs: not sorted lines", i + 1);
	if (!list_good(o->way, o->n_way, false))
		return err_set(
			e, STATUS_BAD, "option %zu of the plan: way: not a line of plain UTF-8", i + 1);
	for (size_t k = 0; k < o->n_action; k++)
		if (!action_good(&o->action[k]))
			return err_set(e, STATUS_BAD,
				"option %zu of the plan: action %zu is no rule at a place", i + 1, k + 1);
	return STATUS_OK;
}

enum status plan_valid(const struct plan *p, struct err *e)
{
	const char *key, *why = fields_bad(head, N_OF(head), p, &key);
	size_t marked = 0;

	if (!why && is_recorded(p))
		why = fields_bad(recorded, N_OF(recorded), p, &key);
	if (!why)
		why = fields_bad(erased, 1, p, &key);
	if (!why)
		why = fields_bad(unwilling, 1, p, &key);
	if (!why)
		why = fields_bad(front, N_OF(front), p, &key);
	if (why)
		return err_set(e, STATUS_BAD, "the plan: %s: %s", key, why);
	if (!list_good(p->unwilling, p->n_unwilling, false))
		return err_set(e, STATUS_BAD, "the plan: refuses: not a line of plain UTF-8");
	for (size_t i = 0; i < p->n_option; i++) {
		if (option_valid(&p->option[i], i, e) != STATUS_OK)
			return e->status;
		marked += p->option[i].marked;
	}
	if (marked > 1)
		return err_set(e, STATUS_BAD, "the plan marks %zu options", marked);
	return STATUS_OK;
}

/* ---- writing ---- */

static void list_write(struct buf *to, const char *key, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_put(to, key);
		text_put(to, " ");
		text_put(to, list[i]);
		text_put(to, "\n");
	}
}

static void action_write(struct buf *to, const struct action *a)
{
	char rule[RULE_TEXT];

	text_put(to, "action ");
	text_put(to, rule_text(rule, &a->rule));
	if (has_text(a->place)) {
		text_put(to, PLACE_AT);
		text_put(to, a->place);
	}
	text_put(to, "\n");
}

static void option_write(struct buf *to, const struct option *o)
{
	fields_write(to, option_head, N_OF(option_head), o);
	fields_write(to, option_needs, 1, o);
	list_write(to, "need", o->needs, o->n_needs);
	fields_write(to, option_ways, 1, o);
	list_write(to, "way", o->way, o->n_way);
	fields_write(to, option_actions, 1, o);
	for (size_t i = 0; i < o->n_action; i++)
		action_write(to, &o->action[i]);
}

static void text_write(struct buf *to, const struct plan *p)
{
	size_t before = to->n;

	text_put(to, FORMAT "\n");
	fields_write(to, head, N_OF(head), p);
	if (is_recorded(p)) {
		fields_write(to, recorded, N_OF(recorded), p);
	} else {
		text_put(to, unrecorded);
		text_put(to, "\n");
	}
	if (p->erased)
		fields_write(to, erased, 1, p);
	if (p->n_unwilling)
		fields_write(to, unwilling, 1, p);
	list_write(to, "refuses", p->unwilling, p->n_unwilling);
	fields_write(to, front, N_OF(front), p);
	for (size_t i = 0; i < p->n_option; i++)
		option_write(to, &p->option[i]);
	text_put(to, "end\n");
	to->failed = to->failed || to->n - before > PLAN_BYTES;
}

void plan_write(struct buf *to, const struct plan *p)
{
	struct err ignored;

	if (plan_valid(p, &ignored) == STATUS_OK)
		text_write(to, p);
	else
		to->failed = true;
}

/* ---- reading ---- */

static enum status list_read(
	struct field_reader *r, const char *key, const char ***to, size_t n, struct err *e)
{
	enum status s = STATUS_OK;
	char *line;

	*to = arena_array(r->arena, n, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		s = field_rest(r, key, &line);
		(*to)[i] = line;
	}
	return s;
}

/* last: the place of the action before, which most have too. */
static enum status action_read(struct field_reader *r, struct action *to, const char *last)
{
	char line[RULE_TEXT + sizeof(PLACE_AT) + PLAN_TEXT_MAX], *place;
	enum status s = field_word(r, "action", line, sizeof(line));

	if (s != STATUS_OK)
		return s;
	place = strstr(line, PLACE_AT);
	if (place) {
		*place = '\0';
		place += strlen(PLACE_AT);
	}
	if (!rule_parse(&to->rule, line))
		return field_bad(r, "action RULE at PLACE");
	if (!place)
		to->place = "";
	else
		to->place = last && strcmp(last, place) == 0 ? last : arena_str(r->arena, place);
	return to->place ? STATUS_OK : err_nomem(r->e);
}

static enum status actions_read(struct field_reader *r, struct option *o)
{
	enum status s = STATUS_OK;

	o->action = arena_array(r->arena, o->n_action, sizeof(*o->action));
	if (!o->action)
		return err_nomem(r->e);
	for (size_t i = 0; i < o->n_action && s == STATUS_OK; i++)
		s = action_read(r, &o->action[i], i ? o->action[i - 1].place : NULL);
	return s;
}

static enum status option_read(struct field_reader *r, struct option *o)
{
	enum status s = fields_read(r, option_head, N_OF(option_head), o);

	if (s == STATUS_OK)
		s = fields_read(r, option_needs, 1, o);
	if (s == STATUS_OK)
		s = list_read(r, "need", &o->needs, o->n_needs, r->e);
	if (s == STATUS_OK)
		s = fields_read(r, option_ways, 1, o);
	if (s == STATUS_OK)
		s = list_read(r, "way", &o->way, o->n_way, r->e);
	if (s == STATUS_OK)
		s = fields_read(r, option_actions, 1, o);
	return s == STATUS_OK ? actions_read(r, o) : s;
}

static enum status recorded_read(struct field_reader *r, struct plan *p)
{
	struct rd ahead = r->text, line;

	p->from = WALL_END;
	p->to = WALL_BEGIN;
	if (line_take(&ahead, &line) && line_is(&line, unrecorded))
		return field_line(r, unrecorded);
	return fields_read(r, recorded, N_OF(recorded), p);
}

static bool comes(const struct field_reader *r, const char *key)
{
	size_t n = strlen(key);

	return rd_left(&r->text) >= n && memcmp(r->text.p, key, n) == 0;
}

/* What stands there only where there is something to say; what is 0 all the same is not what would be
 * written. */
static enum status said_read(struct field_reader *r, struct plan *p)
{
	enum status s = STATUS_OK;

	if (comes(r, "erased "))
		s = fields_read(r, erased, 1, p);
	if (s == STATUS_OK && comes(r, "unwilling "))
		s = fields_read(r, unwilling, 1, p);
	return s == STATUS_OK ? list_read(r, "refuses", &p->unwilling, p->n_unwilling, r->e) : s;
}

static enum status text_read(struct field_reader *r, struct plan *p)
{
	enum status s = field_line(r, FORMAT);

	if (s == STATUS_OK)
		s = fields_read(r, head, N_OF(head), p);
	if (s == STATUS_OK)
		s = recorded_read(r, p);
	if (s == STATUS_OK)
		s = said_read(r, p);
	if (s == STATUS_OK)
		s = fields_read(r, front, N_OF(front), p);
	if (s != STATUS_OK)
		return s;
	p->option = arena_array(r->arena, p->n_option, sizeof(*p->option));
	if (!p->option)
		return err_nomem(r->e);
	for (size_t i = 0; i < p->n_option && s == STATUS_OK; i++)
		s = option_read(r, &p->option[i]);
	return s == STATUS_OK ? field_line(r, "end") : s;
}

enum status plan_read(struct plan *to, const void *text, size_t n, struct arena *a, struct err *e)
{
	struct field_reader r;
	struct buf again = {0};
	enum status s = fields_open(&r, "plan", text, n, PLAN_BYTES, a, e);

	memset(to, 0, sizeof(*to));
	if (s == STATUS_OK)
		s = text_read(&r, to);
	if (s == STATUS_OK)
		s = plan_valid(to, e);
	if (s == STATUS_OK) {
		text_write(&again, to);
		s = again.failed ? err_nomem(e) : fields_same(&r, text, n, &again, e);
	}
	buf_free(&again);
	return s == STATUS_OK && !blob_name(to->sha256, text, n) ? err_nomem(e) : s;
}
