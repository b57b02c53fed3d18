/* weir trace: follow an attack upstream, hop by hop, from a case's sightings or one flow. */
#include "cli/claims.h"
#include "cli/report.h"
#include "cli/same_chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FAR_OFF_US (60 * SECOND_US) /* a sighting this far from its flow is worth a warning */

/* ---- what other networks answered ---- */

/* A link that another network claims, read; false where c is none. */
static bool reported_read(const struct claim *c, struct statement *to, struct arena *arena)
{
	struct err e;

	return *c->origin && strcmp(c->kind, statement_kind_name(STATES_LINK)) == 0 &&
	       statement_read(to, c->kind, c->body, strlen(c->body), arena, &e) == STATUS_OK;
}

/* The hops that other networks' answers added to the case; each was computed again when it came in. */
static json_t *json_reported(const struct attack_case *c)
{
	json_t *list = json_array();
	char id[ID_TEXT], relay[IP_TEXT];
	struct arena arena = {0};

	for (size_t i = 0; i < c->n_claim; i++) {
		struct statement l;
		if (reported_read(&c->claim[i], &l, &arena))
			(void)json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:{s:s#, s:s}, s:{s:s#, s:s}, s:s, s:f, s:f, s:I}",
					"id", id_text(id, &c->claim[i].id), "by", c->claim[i].origin, "relay",
					ip_text(relay, &l.relay), "in", "id", l.in, ID_TEXT - 1, "flow",
					l.in_flow, "out", "id", l.out, ID_TEXT - 1, "flow", l.out_flow,
					"verdict", link_verdict_name(LINK_PROVEN), "log10_e", l.log10_e,
					"needed", l.needed, "searched", (json_int_t)l.searched));
	}
	arena_free(&arena);
	return list;
}

static void print_reported(FILE *o, const struct attack_case *c)
{
	char id[ID_TEXT], text[512];
	struct arena arena = {0};

	for (size_t i = 0; i < c->n_claim; i++) {
		struct statement l;
		if (reported_read(&c->claim[i], &l, &arena))
			(void)fprintf(o,
				"by the recording and the word of %s: %s   PROVEN\n  log10 e %.1f, needed "
				"%.1f; claim %.12s\n",
				c->claim[i].origin, statement_text(text, sizeof(text), &l), l.log10_e,
				l.needed, id_text(id, &c->claim[i].id));
	}
	arena_free(&arena);
}

/* ---- one flow ---- */

/* of, g, before: the case, and its sighting, that f is traced for, and what was printed of it; NULL for none.
 */
static enum status trace_one(struct app *a, struct tracer *t, const struct place *p,
	const struct attack_case *of, const struct flow *f, const struct sighting *g,
	struct same_chains *before, struct err *e)
{
	struct chain c;
	char id[TRACE_HOPS + 1][ID_TEXT] = {{0}};
	bool known = false;
	enum status s = trace_chain(t, f, sighting_opener(g), &c, e);

	if (s == STATUS_OK)
		s = claim_chain(p, of ? &of->id : NULL, &c, g, id, e);
	if (s == STATUS_OK && before && !a->json)
		s = same_chain_known(before, &c, &known, e);
	if (s != STATUS_OK)
		return s;
	if (a->json) {
		json_t *j = json_chain(a, &c, id);
		(void)json_object_set_new(j, "reported", of ? json_reported(of) : json_array());
		s = json_out(a, j, e);
	} else if (!known) {
		if (before && before->printed++)
			(void)fputc('\n', a->out);
		print_chain(a, &c, id);
	}
	if (s == STATUS_OK && c.n_proven == 0) {
		e->text[0] = '\0';
		s = STATUS_NO;
	}
	return s;
}

/* A sighting whose flow was not recorded here: said so, in the shape of a chain without hops. */
static enum status not_recorded(
	struct app *a, const char *flow, const char *host, double alpha, struct err *e)
{
	static const char why[] = "the attack itself is not in this recording";

	if (a->json)
		return json_out(a,
			json_pack("{s:{s:n, s:s}, s:f, s:i, s:[], s:{s:s, s:s, s:s}}", "attack", "id", "flow",
				flow, "alpha", alpha, "searched", 0, "hops", "ends", "host", host, "kind",
				"not-recorded", "why", why),
			e);
	(void)fprintf(a->out, "attack %s\nends at %s: %s.\n", flow, host, why);
	return STATUS_OK;
}

/* Ports are used again: a flow of another time may be another session. */
static void warn_far_off(const struct flow *f, struct wall at)
{
	char text[FLOW_TEXT], from[WALL_TEXT], when[WALL_TEXT];

	if (at.us == INT64_MAX ||
		(at.us >= f->head.first_us - FAR_OFF_US && at.us <= f->last_us + FAR_OFF_US))
		return;
	log_line("%s: recorded from %s, but asked for at %s: it may be another session of the same ports",
		flow_text(text, &f->head), wall_text(from, (struct wall){f->head.first_us}),
		wall_text(when, at));
}

static enum status trace_sighting(struct app *a, struct tracer *t, const struct place *p,
	const struct attack_case *of, const struct sighting *g, double alpha, struct same_chains *before,
	struct err *e)
{
	char text[FLOW_TEXT], host[IP_TEXT];
	struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};
	const struct flow *f = NULL;
	enum status s = sighting_flow(t, g, &f, e);

	if (s == STATUS_NO) {
		if (before->printed++ && !a->json)
			(void)fputc('\n', a->out);
		s = not_recorded(a, flow_text(text, &head), ip_text(host, &g->end[0].ip), alpha, e);
		e->text[0] = '\0';
		return s == STATUS_OK ? STATUS_NO : s;
	}
	if (s != STATUS_OK)
		return s;
	warn_far_off(f, g->at);
	return trace_one(a, t, p, of, f, g, before, e);
}

/* Yes where any sighting led to a proven hop. */
static enum status trace_case(
	struct app *a, struct tracer *t, const struct place *p, const char *id, double alpha, struct err *e)
{
	struct arena arena = {0};
	struct same_chains before = {0};
	struct attack_case c = {0};
	enum status s = case_read(p->db, id, &arena, &c, e), all = STATUS_NO;

	for (size_t i = 0; i < c.n_sighting && s <= STATUS_NO; i++) {
		s = trace_sighting(a, t, p, &c, &c.sighting[i], alpha, &before, e);
		all = s == STATUS_OK ? STATUS_OK : all;
	}
	if (s <= STATUS_NO && !a->json) {
		same_chains_print(a->out, &before);
		print_reported(a->out, &c);
	}
	same_chains_free(&before);
	arena_free(&arena);
	return s > STATUS_NO ? s : all;
}

static enum status with_tracer(
	struct app *a, const char *case_id, const char *flow, struct wall at, double alpha, struct err *e)
{
	struct tracer *t = NULL;
	struct place p = {0};
	const struct flow *f;
	enum status s;

	say_unrecorded(a);
	s = place_open(a, &p, e);
	if (s == STATUS_OK)
		s = tracer_open(&t, a->w, a->dir, &a->cfg, alpha, e);
	if (s == STATUS_OK && case_id) {
		s = trace_case(a, t, &p, case_id, alpha, e);
	} else if (s == STATUS_OK) {
		s = tracer_flow(t, flow, at, &f, e);
		if (s == STATUS_OK)
			warn_far_off(f, at);
		if (s == STATUS_OK)
			s = trace_one(a, t, &p, NULL, f, NULL, NULL, e);
	}
	tracer_close(t);
	case_db_close(p.db);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	const char *flow = NULL;
	struct wall at = WALL_END;
	double alpha = 0;
	struct option_row row[] = {{"flow", 0, OPTION_TEXT, &flow}, {"at", 0, OPTION_TIME, &at},
		{"alpha", 0, OPTION_ALPHA, &alpha}};
	int first;
	enum status s = options_parse(a, row, 3, argc, argv, &first, e);

	if (s != STATUS_OK)
		return s;
	if ((flow != NULL) == (first < argc) || argc - first > 1)
		return err_set(e, STATUS_BAD, "trace: one CASE, or --flow FLOW");
	s = app_config(a, e);
	if (s != STATUS_OK)
		return s;
	return with_tracer(a, flow ? NULL : argv[first], flow, at, alpha > 0 ? alpha : a->cfg.alpha, e);
}

const struct command command_trace = {"trace", "CASE | --flow FLOW [--at TIME] [--alpha A]",
	"follow the attack upstream hop by hop", run, true};
