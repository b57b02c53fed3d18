/* weir why: from any id back to the evidence, in plain words: a block to its plan, a claim to its legs and
 * numbers, a flow to its stored trains, a case to its sightings. */
#include "cli/link_now.h"
#include "cli/why.h"

#include <string.h>

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

enum status why_sighting(struct app *a, const struct sighting *g, const char *case_id, struct err *e)
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

static enum status why_case(struct why *y, const struct attack_case *c, struct err *e)
{
	struct app *a = y->a;
	char id[ID_TEXT], words[128];
	enum status s = STATUS_OK;

	(void)id_text(id, &c->id);
	if (a->json)
		return json_out(a, case_now_json(a, y->t, c), e);
	(void)fprintf(a->out, "case %.12s: %s\n", id, printable(words, sizeof(words), c->title));
	for (size_t i = 0; i < c->n_sighting && s == STATUS_OK; i++)
		s = why_sighting(a, &c->sighting[i], id, e);
	for (size_t i = 0; i < c->n_claim && s == STATUS_OK; i++) {
		(void)fputc('\n', a->out);
		s = why_claim(y, &c->claim[i], id, e);
	}
	return s;
}

/* A block or a plan: STATUS_NO where the id is neither. */
static enum status why_ordered(struct why *y, const char *id, struct err *e)
{
	struct order_row order;
	struct plan_row plan;
	enum status s = order_row_read(y->db, id, &y->arena, &order, e);

	if (s == STATUS_OK)
		return why_block(y, &order, e);
	if (s == STATUS_NO)
		s = plan_row_read(y->db, id, &plan, e);
	return s == STATUS_OK ? why_plan(y, &plan, e) : s;
}

/* Any of these, or a claim, a bundle that went or came, a sighting, a case: STATUS_NO where the id is none.
 */
static enum status why_stored(struct why *y, const char *id, struct err *e)
{
	char case_id[ID_TEXT] = "";
	struct claim claim;
	struct exchange x;
	struct sighting g;
	struct attack_case c;
	enum status s = why_ordered(y, id, e);

	if (s != STATUS_NO)
		return s;
	s = claim_read(y->db, id, &y->arena, &claim, case_id, e);
	if (s == STATUS_OK)
		return why_claim(y, &claim, case_id, e);
	for (int received = 0; received < 2 && s == STATUS_NO; received++) {
		s = exchange_read(y->db, id, received, &y->arena, &x, e);
		if (s == STATUS_OK)
			return why_exchange(y, &x, e);
	}
	if (s == STATUS_NO)
		s = sighting_read(y->db, id, &y->arena, &g, case_id, e);
	if (s == STATUS_OK)
		return why_sighting(y->a, &g, case_id, e);
	if (s == STATUS_NO)
		s = case_read(y->db, id, &y->arena, &c, e);
	return s == STATUS_OK ? why_case(y, &c, e) : s;
}

static enum status why_recorded(struct why *y, const char *id, struct err *e)
{
	const struct flow *f;
	enum status s = tracer_flow(y->t, id, WALL_END, &f, e);

	if (s == STATUS_OK)
		return why_flow(y->a, f, e);
	if (s != STATUS_NO)
		return s;
	say_unrecorded(y->a);
	return err_set(
		e, STATUS_NO, "%s: no such block, plan, claim, bundle, case, sighting or flow here", id);
}

static enum status why(struct app *a, const char *id, struct err *e)
{
	struct why y = {.a = a};
	struct err late;
	enum status s = tracer_open(&y.t, a->w, a->dir, &a->cfg, a->cfg.alpha, e);

	if (s == STATUS_OK)
		s = id_like(id) ? case_db_open(&y.db, a->w, a->dir, e) : STATUS_NO;
	if (s == STATUS_OK) {
		s = ledger_open(&y.ledger, a->w, a->dir, LEDGER_READ, e);
		s = s == STATUS_NO ? STATUS_OK : s;
	}
	if (s == STATUS_OK)
		s = why_stored(&y, id, e);
	if (s == STATUS_NO)
		s = why_recorded(&y, id, e);
	(void)ledger_close(y.ledger, &late);
	tracer_close(y.t);
	case_db_close(y.db);
	arena_free(&y.arena);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	int first;
	enum status s = options_parse(a, NULL, 0, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD,
			"why: one id (of a block, plan, claim, bundle, case, sighting or flow)");
	if (s == STATUS_OK)
		s = app_config(a, e);
	if (s == STATUS_OK)
		s = store_prepare(a->w, a->dir, e);
	return s == STATUS_OK ? why(a, argv[first], e) : s;
}

const struct command command_why = {"why", "ID",
	"from any block, plan, claim, bundle, case or flow back to the evidence, in plain words", run, true};
