/* weir plan: options for a case, on the front of attack stopped against collateral. */
#include "cli/outfile.h"
#include "cli/plan_print.h"
#include "cli/plan_unwilling.h"

static enum status picture(
	struct app *a, const char *path, const struct plan *p, const struct id *id, struct err *e)
{
	struct buf b = {0};

	plan_svg(&b, p, id);
	enum status s = b.failed ? err_nomem(e) : outfile_put(a->w, path, &b, e);
	buf_free(&b);
	return s;
}

static enum status plan(struct app *a, const char *case_id, struct planning *how,
	const struct texts *unwilling, const char *svg, struct arena *arena, struct err *e)
{
	struct place p = {0};
	struct unwilling *u = NULL;
	struct tracer *t = NULL;
	struct plan made;
	struct id id;
	enum status s = place_open(a, &p, e);

	if (s == STATUS_OK)
		s = unwilling_take(&u, how, a, &p, case_id, unwilling, e);
	if (s == STATUS_OK)
		s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);
	if (s == STATUS_OK)
		s = planning_run(a, &p, t, case_id, how, arena, &made, &id, e);
	if (s == STATUS_OK)
		unwilling_say(u);
	if (s == STATUS_OK && a->json)
		s = json_out(a, json_plan(a, &made, &id), e);
	else if (s == STATUS_OK)
		print_plan(a->out, &made, &id, false);
	if (s == STATUS_OK && svg) /* last: what stands in the register has been seen */
		s = picture(a, svg, &made, &id, e);
	tracer_close(t);
	unwilling_free(u);
	case_db_close(p.db);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	const char *svg = NULL;
	struct planning how = {.budget = -1};
	struct texts unwilling = {0};
	struct option_row row[] = {{"budget", 0, OPTION_COUNT, &how.budget},
		{"unwilling", 0, OPTION_LIST, &unwilling}, {"for", 0, OPTION_SPAN, &how.for_us},
		{"svg", 0, OPTION_TEXT, &svg}};
	struct arena arena = {0};
	char longest[SPAN_TEXT];
	int first;
	enum status s = options_parse(a, row, 4, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "plan: one CASE (weir case list)");
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK && how.for_us > a->cfg.max_block_us)
		s = err_set(e, STATUS_BAD, "--for: longer than max_block, %s (see weir config)",
			span_text(longest, a->cfg.max_block_us));
	if (s == STATUS_OK)
		s = plan(a, argv[first], &how, &unwilling, svg, &arena, e);
	arena_free(&arena);
	return s;
}

const struct command command_plan = {"plan",
	"CASE [--budget N] [--unwilling WHO,...] [--for TIME] [--svg FILE]",
	"options that stop the attack at least cost to others", run, true};
