/* weir block: an option of a case's newest plan is enforced, or shown as it would be. */
#include <inttypes.h>
#include <string.h>

#include "cli/blocking.h"

/* ---- the exact change ---- */

/* The lines that a back end would run for the order; NULL where it holds no such rules. */
static json_t *lines_of(
	const struct app *a, const struct backend *b, const struct order *o, struct arena *arena)
{
	struct backend_param p = {.max_rules = a->cfg.max_rules, .cfg = &a->cfg};
	struct want *want = arena_array(arena, o->n_rule + 1, sizeof(*want));
	struct buf text = {0};
	struct err e;
	json_t *j = NULL;
	size_t n = 0;

	if (!want || !b->lines)
		return json_null();
	for (size_t i = 0; i < o->n_rule; i++)
		if (!b->cannot || !b->cannot(&p, &o->rule[i]))
			want[n++] = (struct want){o->rule[i], o->expires};
	if (n && b->lines(&text, &p, want, n, o->made, false, &e) == STATUS_OK && !text.failed)
		j = json_stringn((const char *)text.p, text.n);
	buf_free(&text);
	return j ? j : json_null();
}

static void print_lines(FILE *o, const char *title, const json_t *text)
{
	const char *p = json_string_value(text);

	if (!p)
		return;
	(void)fprintf(o, "%s\n", title);
	while (*p) {
		size_t n = strcspn(p, "\n");
		(void)fprintf(o, "  %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static json_t *json_rules(const struct order *o)
{
	json_t *list = json_array();
	char text[RULE_TEXT];

	for (size_t i = 0; i < o->n_rule; i++)
		(void)json_array_append_new(list, json_string(rule_text(text, &o->rule[i])));
	return list;
}

/* What is said of an order before and after it is given. */
static json_t *json_order(const struct block_order *b, const struct id *id)
{
	char text[ID_TEXT], case_id[ID_TEXT], plan[ID_TEXT];
	const struct order *o = &b->order;

	return json_pack("{s:o, s:s, s:s, s:i, s:o, s:o, s:o, s:f, s:I, s:s, s:s}", "id",
		id ? json_string(id_text(text, id)) : json_null(), "case", id_text(case_id, &o->case_id),
		"plan", id_text(plan, &b->plan_row.id), "option", (int)o->option, "made",
		json_time(o->made.us), "expires", json_time(o->expires.us), "rules", json_rules(o), "stops",
		b->option->stops, "collateral", (json_int_t)b->option->collateral, "override",
		o->override_why, "by", o->by[0]);
}

static void print_collateral(FILE *o, const struct option *p)
{
	char words[PLAN_TEXT_MAX + 1];

	(void)fprintf(o, "stops %.0f %% of this case's recorded attack; collateral %" PRIu64 ": %s\n",
		100 * p->stops, p->collateral, printable(words, sizeof(words), p->cost_bystanders));
}

static enum status dry_run(struct app *a, const struct block_order *b, struct arena *arena, struct err *e)
{
	json_t *nft = lines_of(a, &backend_nft, &b->order, arena),
	       *bgp = lines_of(a, &backend_exabgp, &b->order, arena);
	char when[WALL_TEXT], text[RULE_TEXT];
	FILE *o = a->out;

	if (a->json) {
		json_t *j = json_order(b, NULL);
		(void)json_object_update_new(j, json_pack("{s:b, s:b, s:{s:o, s:o}}", "dry_run", 1, "waits",
							b->waits, "change", "nft", nft, "exabgp", bgp));
		return json_out(a, j, e);
	}
	(void)fprintf(o, "dry run: nothing is changed.  Option %" PRIu32 ", until %s%s\n", b->order.option,
		wall_text(when, b->order.expires), b->waits ? ", once a second person has confirmed" : "");
	print_collateral(o, b->option);
	if (*b->order.override_why)
		(void)fprintf(o, "NOT SUFFICIENT, overridden: %s\n",
			printable(text, sizeof(text), b->order.override_why));
	for (size_t i = 0; i < b->order.n_rule && i < 10; i++)
		(void)fprintf(o, "rule  %s\n", rule_text(text, &b->order.rule[i]));
	if (b->order.n_rule > 10)
		(void)fprintf(o, "      ... %zu more\n", b->order.n_rule - 10);
	print_lines(o, "this machine (nft):", nft);
	print_lines(o, "own routers (ExaBGP, where weir enforce --exabgp runs):", bgp);
	json_decref(nft);
	json_decref(bgp);
	return STATUS_OK;
}

/* ---- the real thing ---- */

static enum status given_out(struct app *a, const struct block_order *b, const struct id *id, struct err *e)
{
	char text[ID_TEXT], when[WALL_TEXT], n[COUNT_TEXT];
	const struct order *o = &b->order;

	(void)id_text(text, id);
	if (a->json) {
		json_t *j = json_order(b, id);
		(void)json_object_update_new(
			j, json_pack("{s:b, s:b}", "waits", b->waits, "installed", !b->waits));
		return json_out(a, j, e);
	}
	if (b->waits) {
		(void)fprintf(a->out,
			"block %.12s waits: it is wider than /28 or /64, so somebody else has to confirm:\n"
			"  weir block %.12s --option %" PRIu32 " --confirm %.12s --by NAME%s\n",
			text, id_text((char[ID_TEXT]){0}, &o->case_id), o->option, text,
			*o->override_why ? " --override WHY   (the same WHY)" : "");
		return STATUS_OK;
	}
	(void)fprintf(a->out, "block %.12s: %s installed, until %s; undo: weir unblock %.12s\n", text,
		counted(n, o->n_rule, "rule"), wall_text(when, o->expires), text);
	if (b->option->n_needs)
		(void)fprintf(a->out, "the rest of option %" PRIu32 " takes the help of %s\n", o->option,
			printable(n, sizeof(n), b->option->needs[0]));
	return STATUS_OK;
}

static enum status block(struct app *a, const struct block_request *r, bool dry, struct err *e)
{
	struct arena arena = {0};
	struct block_order b;
	struct enforced done;
	struct place p = {0};
	struct id id;
	enum status s = place_open(a, &p, e);

	if (s == STATUS_OK)
		s = block_prepare(a, &p, r, &arena, &b, e);
	if (s == STATUS_OK && dry) {
		s = dry_run(a, &b, &arena, e);
	} else if (s == STATUS_OK) {
		s = block_give(a, &p, &b, &arena, &id, &done, e);
		if (s == STATUS_OK)
			s = given_out(a, &b, &id, e);
	}
	case_db_close(p.db);
	arena_free(&arena);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	struct block_request r = {0};
	int64_t option = 0;
	bool dry = false;
	int first;
	struct option_row row[] = {{"option", 0, OPTION_COUNT, &option}, {"for", 0, OPTION_SPAN, &r.for_us},
		{"dry-run", 'n', OPTION_FLAG, &dry}, {"override", 0, OPTION_TEXT, &r.override_why},
		{"by", 0, OPTION_TEXT, &r.by}, {"confirm", 0, OPTION_TEXT, &r.confirm}};
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s == STATUS_OK && argc - first == 1 && option > UINT32_MAX)
		option = UINT32_MAX; /* no plan has it, and that is said */
	if (s == STATUS_OK && (argc - first != 1 || option < 1))
		s = err_set(e, STATUS_BAD,
			"block: one CASE, and --option K, a number of its plan (weir plan CASE)");
	if (s != STATUS_OK)
		return s;
	r.case_id = argv[first];
	r.option = (uint32_t)option;
	s = app_config(a, e);
	return s == STATUS_OK ? block(a, &r, dry, e) : s;
}

const struct command command_block = {"block",
	"CASE --option K [--for 1h] [--dry-run] [--override WHY] [--confirm ID] [--by NAME]",
	"enforce an option of the case's plan; it expires by itself", run};
