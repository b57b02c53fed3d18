/* weir case: open, list, show, close. */
#include "cli/app.h"

#include <string.h>

#include "base/log.h"

static json_t *sighting_json(const struct sighting *g)
{
	char id[ID_TEXT], text[FLOW_TEXT];
	struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};

	return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:s?, s:I}", "id", id_text(id, &g->id), "source",
		g->source, "flow", flow_text(text, &head), "flow_id", g->flow_id, "at", json_time(g->at.us),
		"text", g->text, "count", (json_int_t)g->count);
}

static json_t *case_json(const struct attack_case *c)
{
	char id[ID_TEXT];
	json_t *s = json_array(), *k = json_array();

	for (size_t i = 0; i < c->n_sighting; i++)
		(void)json_array_append_new(s, sighting_json(&c->sighting[i]));
	for (size_t i = 0; i < c->n_claim; i++) {
		json_t *body = json_loads(c->claim[i].body, 0, NULL);
		(void)json_array_append_new(
			k, json_pack("{s:s, s:s, s:o, s:o}", "id", id_text(id, &c->claim[i].id), "kind",
				   c->claim[i].kind, "made", json_time(c->claim[i].made.us), "body",
				   body ? body : json_null()));
	}
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", id_text(id, &c->id), "title", c->title,
		"state", c->closed.us ? "closed" : "open", "opened", json_time(c->opened.us), "closed",
		c->closed.us ? json_time(c->closed.us) : json_null(), "sightings", s, "claims", k);
}

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
	enum status s;

	if (flow) {
		*n = 1;
		*g = arena_alloc(arena, sizeof(**g));
		return *g ? operator_sighting(a, flow, at, arena, *g, e) : err_nomem(e);
	}
	s = eve ? eve_read(eve, arena, g, n, &skipped, e) : zeek_read(zeek, arena, g, n, &skipped, e);
	if (skipped)
		log_line("%s: %llu lines skipped", eve ? eve : zeek, (unsigned long long)skipped);
	return s;
}

static enum status print_opened(struct app *a, const struct id *id, size_t n, struct err *e)
{
	char text[ID_TEXT];

	(void)id_text(text, id);
	if (a->json)
		return json_out(a, json_pack("{s:s, s:I}", "id", text, "sightings", (json_int_t)n), e);
	(void)fprintf(a->out, "case %.12s, %zu sighting%s; next: weir trace %.12s\n", text, n,
		n == 1 ? "" : "s", text);
	return STATUS_OK;
}

static enum status run_open(struct app *a, struct case_db *db, int argc, char **argv, struct err *e)
{
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
	s = sightings(a, flow, at, eve, zeek, &arena, &g, &n, e);
	if (s == STATUS_OK)
		s = case_open(db, title ? title : n && g[0].text[0] ? g[0].text : "attack", g, n, &id, e);
	if (s == STATUS_OK)
		s = print_opened(a, &id, n, e);
	arena_free(&arena);
	return s;
}

static enum status run_list(struct app *a, struct case_db *db, int argc, char **argv, struct err *e)
{
	struct wall since = WALL_BEGIN, until = WALL_END;
	struct option_row row[] = {{"since", 0, OPTION_TIME, &since}, {"until", 0, OPTION_TIME, &until}};
	struct arena arena = {0};
	struct attack_case *c = NULL;
	size_t n = 0;
	char id[ID_TEXT], when[WALL_TEXT], title[80];
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e);

	if (s == STATUS_OK)
		s = case_list(db, since, until, &arena, &c, &n, e);
	for (size_t i = 0; i < n && s == STATUS_OK; i++) {
		if (a->json)
			s = json_out(a, case_json(&c[i]), e);
		else
			(void)fprintf(a->out, "%.12s  %-6s  %.19sZ  %3zu sightings  %s\n",
				id_text(id, &c[i].id), c[i].closed.us ? "closed" : "open",
				wall_text(when, c[i].opened), c[i].n_sighting,
				printable(title, sizeof(title), c[i].title));
	}
	arena_free(&arena);
	return s;
}

static void print_case(FILE *o, const struct attack_case *c)
{
	char id[ID_TEXT], when[WALL_TEXT], text[FLOW_TEXT], words[128];

	(void)fprintf(o, "case %.12s  %s  %s\nopened %s\n", id_text(id, &c->id),
		c->closed.us ? "closed" : "open", printable(words, sizeof(words), c->title),
		wall_text(when, c->opened));
	for (size_t i = 0; i < c->n_sighting; i++) {
		const struct sighting *g = &c->sighting[i];
		struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};
		(void)fprintf(o, "sighting %.12s  %s  %s  %s: %s (%llu times)\n", id_text(id, &g->id),
			g->source, wall_text(when, g->at), flow_text(text, &head),
			printable(words, sizeof(words), g->text), (unsigned long long)g->count);
	}
	for (size_t i = 0; i < c->n_claim; i++)
		(void)fprintf(o, "claim %.12s  %s, made %s\n", id_text(id, &c->claim[i].id), c->claim[i].kind,
			wall_text(when, c->claim[i].made));
}

static enum status run_show(struct app *a, struct case_db *db, int argc, char **argv, struct err *e)
{
	struct arena arena = {0};
	struct attack_case c;
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "case show: one case id");
	if (s == STATUS_OK)
		s = case_read(db, argv[first], &arena, &c, e);
	if (s == STATUS_OK && a->json)
		s = json_out(a, case_json(&c), e);
	else if (s == STATUS_OK)
		print_case(a->out, &c);
	arena_free(&arena);
	return s;
}

static enum status run_close(struct app *a, struct case_db *db, int argc, char **argv, struct err *e)
{
	struct id id;
	char text[ID_TEXT];
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "case close: one case id");
	if (s == STATUS_OK)
		s = case_close(db, argv[first], &id, e);
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
		enum status (*run)(struct app *a, struct case_db *db, int argc, char **argv, struct err *e);
	} verbs[] = {{"open", run_open}, {"list", run_list}, {"show", run_show}, {"close", run_close}};
	struct case_db *db = NULL;
	size_t v = 0;

	while (argc > 1 && v < 4 && strcmp(argv[1], verbs[v].name) != 0)
		v++;
	if (argc < 2 || v == 4)
		return err_set(e, STATUS_BAD, "case: open, list, show ID or close ID");
	for (int i = 2; i + 1 < argc; i++) /* -C decides which database is opened */
		if (strcmp(argv[i], "-C") == 0)
			a->dir = argv[i + 1];
	enum status s = app_config(a, e);
	if (s == STATUS_OK)
		s = store_prepare(a->w, a->dir, e);
	if (s == STATUS_OK)
		s = case_db_open(&db, a->w, a->dir, e);
	if (s == STATUS_OK)
		s = verbs[v].run(a, db, argc - 1, argv + 1, e);
	case_db_close(db);
	return s;
}

const struct command command_case = {"case",
	"open (--flow FLOW [--at T] | --eve FILE | --zeek FILE) | list | show ID | close ID",
	"what belongs together about one attack", run};
