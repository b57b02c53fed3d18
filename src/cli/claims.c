/* What several commands do with claims: see claims.h. */
#include "cli/claims.h"

#include <string.h>

enum status place_open(const struct app *a, struct place *p, struct err *e)
{
	enum status s = store_prepare(a->w, a->dir, e);

	*p = (struct place){.w = a->w, .dir = a->dir};
	return s == STATUS_OK ? case_db_open(&p->db, a->w, a->dir, e) : s;
}

enum status claim_attack(const struct place *p, const struct id *case_id, const struct flow *f,
	const struct sighting *g, struct err *e)
{
	struct told t;
	struct id id;
	enum status s = tell_attack(&t, f, g, 1, WEIR_CODE, e);

	if (s == STATUS_OK)
		s = told_store(p, &t, case_id, "", "", &id, e);
	told_free(&t);
	return s;
}

enum status claim_chain(const struct place *p, const struct id *case_id, const struct chain *c,
	const struct sighting *g, char (*id)[ID_TEXT], struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < c->n_hop && s == STATUS_OK; i++) {
		struct told t;
		struct id made;
		s = tell_hop(&t, &c->hop[i], c->alpha, 0, WEIR_CODE, e);
		if (s == STATUS_OK)
			s = told_store(p, &t, case_id, "", "", &made, e);
		told_free(&t);
		if (s == STATUS_OK)
			(void)id_text(id[i], &made);
	}
	if (s == STATUS_OK && g)
		s = claim_attack(p, case_id, c->attack, g, e);
	return s == STATUS_OK ? register_flush(p, e) : s;
}

const struct endpoint *sighting_opener(const struct sighting *g)
{
	return g && strcmp(g->source, "operator") != 0 ? &g->end[0] : NULL;
}

enum status sighting_flow(struct tracer *t, const struct sighting *g, const struct flow **to, struct err *e)
{
	char text[FLOW_TEXT];
	struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};
	enum status s = STATUS_NO;

	if (g->flow_id)
		s = tracer_flow(t, g->flow_id, g->at, to, e);
	return s == STATUS_NO ? tracer_flow(t, flow_text(text, &head), g->at, to, e) : s;
}
