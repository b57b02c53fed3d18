/* weir case: open, list, show, close. */
#include "cli/case_plans.h"
#include "cli/cmd_import.h"

#include <string.h>

#include "base/log.h"
#include "cli/link_now.h"
#include "cli/report.h"

/* What the operator names: the recorded flow, or, where it was not recorded, the notation as it stands. */
static enum status operator_sighting(struct app *a, const char *flow, struct wall at, struct arena *arena,
	struct sighting *g, struct err *e)
{
	struct tracer *t;
	const struct flow *f;
	char id[ID_TEXT];
	enum status s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);

	if (s != STATUS_OK)
		return s;
	*g = (struct sighting){.source = "operator", .at = at, .text = "", .count = 1};
	s = tracer_flow(t, flow, at, &f, e);
	if (s == STATUS_OK) {
		g->proto = f->head.proto;
		memcpy(g->end, f->head.end, sizeof(g->end));
		g->flow_id = arena_str(arena, id_text(id, &f->head.id));
		g->at.us = at.us == INT64_MAX ? f->head.first_us : at.us;
	} else if (s == STATUS_NO && flow_parse(&g->proto, g->end, flow)) {
		log_line("%s: not recorded here; the case is opened all the same", flow);
		g->at = at.us == INT64_MAX ? a->w->now(a->w->self) : at;
		s = STATUS_OK;
	}
	tracer_close(t);
	return s;
}

static enum status sightings(struct app *a, const char *flow, struct wall at, const char *eve,
	const char *zeek, struct arena *arena, struct sighting **g, size_t *n, struct err *e)
{
	uint64_t skipped = 0;
	char count[COUNT_TEXT];
	enum status s;

	if (flow) {
		*n = 1;
		*g = arena_alloc(arena, sizeof(**g));
		return *g ? operator_sighting(a, flow, at, arena, *g, e) : err_nomem(e);
	}
	s = eve ? eve_read(eve, arena, g, n, &skipped, e) : zeek_read(zeek, arena, g, n, &skipped, e);
	if (skipped && s == STATUS_OK)
		log_line("%s: %s skipped", eve ? eve : zeek, counted(count, skipped, "line"));
	return s;
}

static enum status print_opened(struct app *a, const struct id *id, size_t n, struct err *e)
{
	char text[ID_TEXT], count[COUNT_TEXT];

	(void)id_text(text, id);
	if (a->json)
		return json_out(a, json_pack("{s:s, s:I}", "id", text, "sightings", (json_int_t)n), e);
	(void)fprintf(a->out, "case %.12s, %s; next: weir trace %.12s\n", text, counted(count, n, "sighting"),
		text);
	return STATUS_OK;
}

/* Loads the configuration and opens the database of DIR, which the options have settled by now. */
static enum status cases_open(struct app *a, struct case_db **db, struct err *e)
{
	enum status s = app_config(a, e);

	*db = NULL;
	if (s == STATUS_OK)
		s = store_prepare(a->w, a->dir, e);
	return s == STATUS_OK ? case_db_open(db, a->w, a->dir, e) : s;
}

static enum status run_open(struct app *a, int argc, char **argv, struct err *e)
{
	struct case_db *db = NULL;
	const char *flow = NULL, *eve = NULL, *zeek = NULL, *title = NULL;
	struct wall at = WALL_END;
	struct option_row row[] = {{"flow", 0, OPTION_TEXT, &flow}, {"at", 0, OPTION_TIME, &at},
		{"eve", 0, OPTION_TEXT, &eve}, {"zeek", 0, OPTION_TEXT, &zeek},
		{"title", 0, OPTION_TEXT, &title}};
	struct arena arena = {0};
	struct sighting *g = NULL;
	struct id id;
	size_t n = 0;
	int first;
	enum status s = options_parse(a, row, 5, argc, argv, &first, e);

	if (s != STATUS_OK)
		return s;
	if (first < argc || !flow + !eve + !zeek != 2)
		return err_set(
			e, STATUS_BAD, "case open: one of --flow FLOW [--at TIME], --eve FILE, --zeek FILE");
	s = cases_open(a, &db, e);
	if (s == STATUS_OK)
		s = sightings(a, flow, at, eve, zeek, &arena, &g, &n, e);
	if (s == STATUS_OK)
		s = case_open(db, title, g, n, &id, e);
	if (s == STATUS_OK)
		s = print_opened(a, &id, n, e);
	case_db_close(db);
	arena_free(&arena);
	return s;
}

static void print_listed(FILE *o, const struct attack_case *c)
{
	char id[ID_TEXT], when[WALL_TEXT], title[80], count[COUNT_TEXT];

	(void)fprintf(o, "%.12s  %-6s  %.19sZ  %13s  %s\n", id_text(id, &c->id),
		c->closed.us ? "closed" : "open", wall_text(when, c->opened),
		counted(count, c->n_sighting, "sighting"), printable(title, sizeof(title), c->title));
}

static enum status run_list(struct app *a, int argc, char **argv, struct err *e)
{
	struct case_db *db = NULL;
	struct wall since = WALL_BEGIN, until = WALL_END;
	struct option_row row[] = {{"since", 0, OPTION_TIME, &since}, {"until", 0, OPTION_TIME, &until}};
	struct arena arena = {0};
	struct attack_case *c = NULL;
	size_t n = 0;
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e);

	if (s == STATUS_OK && first < argc)
		s = err_set(
			e, STATUS_BAD, "case list: %s: takes options only (--since, --until)", argv[first]);
	if (s == STATUS_OK)
		s = cases_open(a, &db, e);
	if (s == STATUS_OK)
		s = case_list(db, since, until, &arena, &c, &n, e);
	if (s == STATUS_OK && n == 0)
		say_unrecorded(a);
	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		if (a->json)
			s = json_out(a, json_case(&c[i]), e);
		else
			print_listed(a->out, &c[i]);
	}
	case_db_close(db);
	arena_free(&arena);
	return s;
}

/* What a claim claims, on one line; of a link what it says now under it. */
static void print_claim(struct app *a, struct tracer *t, const struct claim *c)
{
	char id[ID_TEXT], text[512];
	FILE *o = a->out;
	struct arena arena = {0};
	struct statement said = {0};
	struct link_now now = {0};
	struct err e;
	bool good = statement_read(&said, c->kind, c->body, strlen(c->body), &arena, &e) == STATUS_OK;
	bool link = good && said.kind == STATES_LINK;

	if (link)
		link_now(&now, a, t, c, &said);
	(void)fprintf(o, "claim %.12s  %s", id_text(id, &c->id), c->kind);
	if (good)
		(void)fprintf(o, "%s: %s",
			!link || !said.proven ? ""
			: now.withheld        ? ", proven when made"
					      : " proven",
			statement_text(text, sizeof(text), &said));
	(void)fprintf(o, "%s%s\n", *c->origin ? ", says " : "", c->origin);
	if (link)
		link_now_print(o, &now, &said);
	arena_free(&arena);
}

static void print_case(struct app *a, struct tracer *t, const struct attack_case *c)
{
	FILE *o = a->out;
	char id[ID_TEXT], when[WALL_TEXT], text[FLOW_TEXT], words[128], count[COUNT_TEXT];

	(void)fprintf(o, "case %.12s  %s  %s\nopened %s\n", id_text(id, &c->id),
		c->closed.us ? "closed" : "open", printable(words, sizeof(words), c->title),
		wall_text(when, c->opened));
	for (size_t i = 0; i < c->n_sighting; i++) {
		const struct sighting *g = &c->sighting[i];
		struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};
		(void)fprintf(o, "sighting %.12s  %s  %s  %s%s%s (%s)\n", id_text(id, &g->id), g->source,
			wall_text(when, g->at), flow_text(text, &head), *g->text ? ": " : "",
			printable(words, sizeof(words), g->text), counted(count, g->count, "time"));
	}
	for (size_t i = 0; i < c->n_claim; i++)
		print_claim(a, t, &c->claim[i]);
}

static void print_exchange(FILE *o, const struct exchange *x)
{
	char text[ID_TEXT], when[WALL_TEXT], why[512];

	(void)fprintf(o, "%s %.12s  %s %.*s, %s: %s%s%s%s\n", x->answer ? "answer" : "request",
		id_text(text, &x->id), x->received ? "from" : "to", (int)strcspn(x->peer, "+"), x->peer,
		wall_text(when, x->made), x->ask, x->verdict, *x->why ? ", " : "",
		printable(why, sizeof(why), x->why));
}

/* A case with what was planned and blocked, and the bundles that went and came. */
static enum status show_case(
	struct app *a, struct tracer *t, struct case_db *db, const struct attack_case *c, struct err *e)
{
	struct arena arena = {0};
	struct exchange *x = NULL;
	size_t n = 0;
	enum status s = exchange_list(db, &c->id, &arena, &x, &n, e);

	if (s == STATUS_OK && a->json) {
		json_t *j = case_now_json(a, t, c), *list = json_array();
		for (size_t i = 0; i < n; i++)
			(void)json_array_append_new(list, json_exchange(&x[i]));
		(void)json_object_set_new(j, "exchanges", list);
		s = case_plans(a, t, db, c, j, e);
		if (s == STATUS_OK)
			s = json_out(a, j, e);
		else
			json_decref(j);
	} else if (s == STATUS_OK) {
		print_case(a, t, c);
		s = case_plans(a, t, db, c, NULL, e);
		for (size_t i = 0; i < n && s == STATUS_OK; i++)
			print_exchange(a->out, &x[i]);
	}
	arena_free(&arena);
	return s;
}

static enum status run_show(struct app *a, int argc, char **argv, struct err *e)
{
	struct case_db *db = NULL;
	struct tracer *t = NULL;
	struct arena arena = {0};
	struct attack_case c;
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "case show: one case id");
	if (s == STATUS_OK)
		s = cases_open(a, &db, e);
	if (s == STATUS_OK)
		s = case_read(db, argv[first], &arena, &c, e);
	if (s == STATUS_OK)
		s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);
	if (s == STATUS_OK)
		s = show_case(a, t, db, &c, e);
	tracer_close(t);
	case_db_close(db);
	arena_free(&arena);
	return s;
}

static enum status run_close(struct app *a, int argc, char **argv, struct err *e)
{
	struct case_db *db = NULL;
	struct id id;
	char text[ID_TEXT];
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "case close: one case id");
	if (s == STATUS_OK)
		s = cases_open(a, &db, e);
	if (s == STATUS_OK)
		s = case_close(db, argv[first], &id, e);
	case_db_close(db);
	if (s != STATUS_OK)
		return s;
	if (a->json)
		return json_out(a, json_pack("{s:s}", "id", id_text(text, &id)), e);
	(void)fprintf(a->out, "case %.12s closed\n", id_text(text, &id));
	return STATUS_OK;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	static const struct {
		const char *name;
		enum status (*run)(struct app *a, int argc, char **argv, struct err *e);
	} verbs[] = {{"open", run_open}, {"list", run_list}, {"show", run_show}, {"close", run_close},
		{"import", case_import}};

	for (size_t v = 0; argc > 1 && v < sizeof(verbs) / sizeof(verbs[0]); v++)
		if (strcmp(argv[1], verbs[v].name) == 0)
			return verbs[v].run(a, argc - 1, argv + 1, e);
	return err_set(e, STATUS_BAD, "case: open, list, show ID, close ID or import FILE");
}

const struct command command_case = {"case",
	"open (--flow FLOW [--at T] | --eve FILE | --zeek FILE) [--title T] | list [--since T] [--until T] "
	"|\n"
	"            show ID | close ID | import FILE [--key VKEY]... [--policy FILE]",
	"what belongs together about one attack", run, true};
