/* weir why: from any id back to the evidence, in plain words: a claim to its legs and numbers, a flow to its
 * stored trains, a case to its sightings. */
#include "cli/app.h"

#include <math.h>
#include <string.h>

static void why_leg(FILE *o, const char *name, const json_t *leg)
{
	(void)fprintf(o, "  %s  %s  flow %.12s at point %s, %s .. %s\n", name, json_text(leg, "flow"),
		json_text(leg, "id"), json_text(leg, "point"), json_text(leg, "first"),
		json_text(leg, "last"));
}

static uint64_t count_of(const json_t *j, const char *key)
{
	double v = json_number(j, key);

	return v > 0 && v < 1e15 ? (uint64_t)v : 0;
}

static void why_numbers(FILE *o, const json_t *j, bool proven)
{
	char flows[COUNT_TEXT], bursts[COUNT_TEXT];

	(void)fprintf(o, "verdict: %s\n", json_text(j, "verdict"));
	(void)fprintf(o, "  log10 e %.2f, needed %.2f = log10(1/%g) + log10(%s searched)\n",
		json_number(j, "log10_e"), json_number(j, "needed"), json_number(j, "alpha"),
		counted(flows, count_of(j, "searched"), "flow"));
	(void)fprintf(o, "  lag %.1f ms, %s, bursts merged at %.0f ms\n", json_number(j, "lag_ms"),
		counted(bursts, count_of(j, "bursts"), "burst"), json_number(j, "burst_gap_us") / 1000);
	if (proven)
		(void)fprintf(o,
			"means: were there no link, a number this high would be seen at most once in 10^%.1f "
			"such "
			"searches\n",
			json_number(j, "log10_e") - log10(json_number(j, "searched")));
}

/* A leg's trains may have been forgotten, or gone with the caps.  What cannot be read is not said to be gone.
 */
static bool leg_gone(struct tracer *t, const json_t *leg)
{
	const char *id = json_text(leg, "id");
	const struct flow *f;
	struct err e;

	return id_like(id) && tracer_flow(t, id, WALL_END, &f, &e) == STATUS_NO;
}

static void why_rests(FILE *o, struct tracer *t, const json_t *j)
{
	bool in = leg_gone(t, json_object_get(j, "in")), out = leg_gone(t, json_object_get(j, "out"));

	(void)fprintf(o, "rests on: the trains of the flows named (weir why FLOW)\n");
	if (in || out)
		(void)fprintf(o, "its trains are no longer recorded here%s: it cannot be computed again\n",
			in && out ? ""
			: in      ? " (the in-leg's)"
				  : " (the out-leg's)");
	(void)fprintf(o, "how it is computed: evidence.md, in %s or in doc/ of the source\n", WEIR_DOC);
}

static void why_claim(FILE *o, struct tracer *t, const struct claim *c, const char *case_id)
{
	char id[ID_TEXT], when[WALL_TEXT];
	json_t *j = json_loads(c->body, 0, NULL);
	bool proven = strcmp(json_text(j, "verdict"), "proven") == 0;

	(void)fprintf(o, "claim %.12s, made %s by %s%s%.12s\n", id_text(id, &c->id), wall_text(when, c->made),
		json_text(j, "code"), *case_id ? " in case " : "", case_id);
	if (proven)
		(void)fprintf(
			o, "says: host %s relayed the out-leg from the in-leg\n", json_text(j, "relay"));
	else
		(void)fprintf(o,
			"says: of the flows of host %s none is proven to have fed the out-leg: nobody is "
			"named, "
			"nor is it said that the host relayed anything\n",
			json_text(j, "relay"));
	if (proven)
		why_leg(o, "in ", json_object_get(j, "in"));
	why_leg(o, "out", json_object_get(j, "out"));
	why_numbers(o, j, proven);
	why_rests(o, t, j);
	json_decref(j);
}

static void why_train(FILE *o, const struct flow *f, int d)
{
	char b[32], n[COUNT_TEXT], u[COUNT_TEXT];

	(void)fprintf(o, "  %s  %s, %s payload, %s%s\n", d ? "back   " : "forward",
		counted(n, f->count[d].packets, "packet"), amount(b, f->count[d].payload_bytes),
		counted(u, f->n_burst[d], "burst"),
		f->head.flags & (d ? FLOW_DERIVED_1 : FLOW_DERIVED_0) ? " (derived from ACK numbers)" : "");
	for (size_t i = 0; i < f->n_burst[d] && i < 3; i++) {
		char when[WALL_TEXT];
		(void)fprintf(o, "           %s  %7.1f ms  %s  %s\n",
			wall_text(when, (struct wall){f->burst[d][i].start_us}),
			(double)f->burst[d][i].dur_us / 1000, counted(n, f->burst[d][i].packets, "packet"),
			counted(u, f->burst[d][i].bytes, "byte"));
	}
	if (f->n_burst[d] > 3)
		(void)fprintf(o, "           ... %s more\n", thousands(n, f->n_burst[d] - 3));
}

static enum status why_flow(struct app *a, const struct flow *f, struct err *e)
{
	char id[ID_TEXT], text[FLOW_TEXT], from[WALL_TEXT], to[WALL_TEXT], point[POINT_TEXT];
	FILE *o = a->out;

	if (a->json)
		return json_out(a, json_flow(a, f), e);
	(void)fprintf(o, "flow %.12s  %s\n", id_text(id, &f->head.id), flow_text(text, &f->head));
	(void)fprintf(o, "seen at point %s from %s to %s\n", printable(point, sizeof(point), f->head.point),
		wall_text(from, (struct wall){f->head.first_us}), wall_text(to, (struct wall){f->last_us}));
	(void)fprintf(o, "initiator: %s\n",
		f->head.flags & FLOW_ASSUMED ? "assumed from the first packet" : "from its SYN");
	(void)fprintf(o, "source: %s, resolution %u us, sampling 1:%u, recorded gap %u ms\n",
		f->head.source.kind == SOURCE_PACKETS ? "packets" : "flow records",
		f->head.source.resolution_us, f->head.source.sampling, f->head.source.gap_us / 1000);
	why_train(o, f, 0);
	why_train(o, f, 1);
	if (f->rewrite_of)
		(void)fprintf(
			o, "the same flow before translation: %s\n", flow_text(text, &f->rewrite_of->head));
	(void)fprintf(o, "stored in %s/trains (doc/record-format.md); no payload is stored\n", a->dir);
	return STATUS_OK;
}

/* A stored thing and the case that it belongs to. */
static enum status stored_out(struct app *a, json_t *j, const char *case_id, struct err *e)
{
	(void)json_object_set_new(j, "case", *case_id ? json_string(case_id) : json_null());
	return json_out(a, j, e);
}

static enum status why_sighting(struct app *a, const struct sighting *g, const char *case_id, struct err *e)
{
	char id[ID_TEXT], text[FLOW_TEXT], when[WALL_TEXT], words[128];
	struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};

	(void)flow_text(text, &head);
	(void)id_text(id, &g->id);
	if (a->json)
		return stored_out(a, json_sighting(g), case_id, e);
	(void)fprintf(a->out, "sighting %.12s of case %.12s: %s reported %s at %s: %s\n", id, case_id,
		g->source, text, wall_text(when, g->at),
		*g->text ? printable(words, sizeof(words), g->text) : "an attack");
	return STATUS_OK;
}

static enum status why_case(struct app *a, struct tracer *t, const struct attack_case *c, struct err *e)
{
	char id[ID_TEXT], words[128];
	enum status s = STATUS_OK;

	(void)id_text(id, &c->id);
	if (a->json)
		return json_out(a, json_case(c), e);
	(void)fprintf(a->out, "case %.12s: %s\n", id, printable(words, sizeof(words), c->title));
	for (size_t i = 0; i < c->n_sighting && s == STATUS_OK; i++)
		s = why_sighting(a, &c->sighting[i], id, e);
	for (size_t i = 0; i < c->n_claim; i++) {
		(void)fputc('\n', a->out);
		why_claim(a->out, t, &c->claim[i], id);
	}
	return s;
}

static enum status why_stored(struct app *a, struct case_db *db, struct tracer *t, const char *id,
	struct arena *arena, struct err *e)
{
	char case_id[ID_TEXT] = "";
	struct claim claim;
	struct sighting g;
	struct attack_case c;
	enum status s = claim_read(db, id, arena, &claim, case_id, e);

	if (s == STATUS_OK && a->json)
		return stored_out(a, json_claim(&claim), case_id, e);
	if (s == STATUS_OK)
		why_claim(a->out, t, &claim, case_id);
	if (s != STATUS_NO)
		return s;
	s = sighting_read(db, id, arena, &g, case_id, e);
	if (s == STATUS_OK)
		return why_sighting(a, &g, case_id, e);
	if (s == STATUS_NO)
		s = case_read(db, id, arena, &c, e);
	return s == STATUS_OK ? why_case(a, t, &c, e) : s;
}

static enum status why_recorded(struct app *a, struct tracer *t, const char *id, struct err *e)
{
	const struct flow *f;
	enum status s = tracer_flow(t, id, WALL_END, &f, e);

	if (s == STATUS_OK)
		return why_flow(a, f, e);
	if (s != STATUS_NO)
		return s;
	say_unrecorded(a);
	return err_set(e, STATUS_NO, "%s: no such claim, case, sighting or flow here", id);
}

static enum status why(struct app *a, const char *id, struct err *e)
{
	struct arena arena = {0};
	struct case_db *db = NULL;
	struct tracer *t = NULL;
	enum status s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);

	if (s == STATUS_OK)
		s = id_like(id) ? case_db_open(&db, a->w, a->dir, e) : STATUS_NO;
	if (s == STATUS_OK)
		s = why_stored(a, db, t, id, &arena, e);
	if (s == STATUS_NO)
		s = why_recorded(a, t, id, e);
	tracer_close(t);
	case_db_close(db);
	arena_free(&arena);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "why: one id (of a claim, case, sighting or flow)");
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK)
		s = store_prepare(a->w, a->dir, e);
	return s == STATUS_OK ? why(a, argv[first], e) : s;
}

const struct command command_why = {
	"why", "ID", "from any claim, case or flow back to the evidence, in plain words", run};
