/* weir why: from any id back to the evidence, in plain words: a claim to its legs and numbers, a flow to its
 * stored trains, a case to its sightings. */
#include "cli/app.h"

#include <math.h>
#include <string.h>

static const char *text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "?";
}

static double number_of(const json_t *j, const char *key)
{
	return json_number_value(json_object_get(j, key));
}

static void why_leg(FILE *o, const char *name, const json_t *leg)
{
	(void)fprintf(o, "  %s  %s  flow %.12s at point %s, %s .. %s\n", name, text_of(leg, "flow"),
		text_of(leg, "id"), text_of(leg, "point"), text_of(leg, "first"), text_of(leg, "last"));
}

static void why_claim(FILE *o, const struct claim *c, const char *case_id)
{
	char id[ID_TEXT], when[WALL_TEXT];
	json_t *j = json_loads(c->body, 0, NULL);
	bool proven = strcmp(text_of(j, "verdict"), "proven") == 0;

	(void)fprintf(o, "claim %.12s, made %s by %s%s%.12s\n", id_text(id, &c->id), wall_text(when, c->made),
		text_of(j, "code"), *case_id ? " in case " : "", case_id);
	if (proven)
		(void)fprintf(o, "says: host %s relayed the out-leg from the in-leg\n", text_of(j, "relay"));
	else
		(void)fprintf(o,
			"says: of the flows of host %s none is proven to have fed the out-leg: nobody is "
			"named, nor is it "
			"said that the host relayed anything\n",
			text_of(j, "relay"));
	if (proven)
		why_leg(o, "in ", json_object_get(j, "in"));
	why_leg(o, "out", json_object_get(j, "out"));
	(void)fprintf(o, "verdict: %s\n", text_of(j, "verdict"));
	(void)fprintf(o, "  log10 e %.2f, needed %.2f = log10(1/%g) + log10(%.0f flows searched)\n",
		number_of(j, "log10_e"), number_of(j, "needed"), number_of(j, "alpha"),
		number_of(j, "searched"));
	(void)fprintf(o, "  lag %.1f ms, %.0f bursts, bursts merged at %.0f ms\n", number_of(j, "lag_ms"),
		number_of(j, "bursts"), number_of(j, "burst_gap_us") / 1000);
	if (proven)
		(void)fprintf(o,
			"means: were there no link, a number this high would be seen at most once in 10^%.1f "
			"such "
			"searches\n",
			number_of(j, "log10_e") - log10(number_of(j, "searched")));
	(void)fprintf(o, "rests on: the trains of the flows named (weir why FLOW); how it is computed: "
			 "doc/evidence.md\n");
	json_decref(j);
}

static void why_train(FILE *o, const struct flow *f, int d)
{
	char b[32], n[32];

	(void)fprintf(o, "  %s  %s packets, %s payload, %zu bursts%s\n", d ? "back   " : "forward",
		thousands(n, f->count[d].packets), amount(b, f->count[d].payload_bytes), f->n_burst[d],
		f->head.flags & (d ? FLOW_DERIVED_1 : FLOW_DERIVED_0) ? " (derived from ACK numbers)" : "");
	for (size_t i = 0; i < f->n_burst[d] && i < 3; i++) {
		char when[WALL_TEXT];
		(void)fprintf(o, "           %s  %7.1f ms  %u packets  %llu bytes\n",
			wall_text(when, (struct wall){f->burst[d][i].start_us}),
			(double)f->burst[d][i].dur_us / 1000, f->burst[d][i].packets,
			(unsigned long long)f->burst[d][i].bytes);
	}
	if (f->n_burst[d] > 3)
		(void)fprintf(o, "           ... %zu more\n", f->n_burst[d] - 3);
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

static enum status why_case(struct app *a, const struct attack_case *c, struct err *e)
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
		why_claim(a->out, &c->claim[i], id);
	}
	return s;
}

static enum status why_stored(
	struct app *a, struct case_db *db, const char *id, struct arena *arena, struct err *e)
{
	char case_id[ID_TEXT] = "";
	struct claim claim;
	struct sighting g;
	struct attack_case c;
	enum status s = claim_read(db, id, arena, &claim, case_id, e);

	if (s == STATUS_OK && a->json)
		return stored_out(a, json_claim(&claim), case_id, e);
	if (s == STATUS_OK)
		why_claim(a->out, &claim, case_id);
	if (s != STATUS_NO)
		return s;
	s = sighting_read(db, id, arena, &g, case_id, e);
	if (s == STATUS_OK)
		return why_sighting(a, &g, case_id, e);
	if (s == STATUS_NO)
		s = case_read(db, id, arena, &c, e);
	return s == STATUS_OK ? why_case(a, &c, e) : s;
}

static enum status why(struct app *a, const char *id, struct err *e)
{
	struct arena arena = {0};
	struct case_db *db = NULL;
	struct tracer *t = NULL;
	const struct flow *f;
	enum status s = STATUS_NO;

	if (id_like(id)) {
		s = case_db_open(&db, a->w, a->dir, e);
		if (s == STATUS_OK)
			s = why_stored(a, db, id, &arena, e);
	}
	if (s == STATUS_NO)
		s = tracer_open(&t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);
	if (s == STATUS_OK && t) {
		s = tracer_flow(t, id, WALL_END, &f, e);
		if (s == STATUS_OK)
			s = why_flow(a, f, e);
		else if (s == STATUS_NO)
			s = err_set(e, STATUS_NO, "%s: no claim, case, sighting or flow of this id here", id);
	}
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
