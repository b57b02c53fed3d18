/* What several commands do with claims: where they are kept, that of an attack, those of a chain. */
#ifndef WEIR_CLI_CLAIMS_H
#define WEIR_CLI_CLAIMS_H

#include "ask/register.h"
#include "cli/app.h"

#define WEIR_CODE "weir " WEIR_VERSION /* program and version that a claim names */

/* DIR, made where absent, with its database; case_db_close(p->db) at the end. */
enum status place_open(const struct app *a, struct place *p, struct err *e);

/* "Flow f hit us", as a sighting of the case says. */
enum status claim_attack(const struct place *p, const struct id *case_id, const struct flow *f,
	const struct sighting *g, struct err *e);

/* Stores what the chain says, also where nobody could be named, and that its flow was an attack where a
 * sighting g says so (NULL: none), ledger included.  The claims' ids go to id[], one a hop: room for
 * TRACE_HOPS + 1, empty where absent. */
enum status claim_chain(const struct place *p, const struct id *case_id, const struct chain *c,
	const struct sighting *g, char (*id)[ID_TEXT], struct err *e);

/* Who a sensor says opened the flow; an operator names it either way round: NULL. */
const struct endpoint *sighting_opener(const struct sighting *g);
/* The recorded flow that a sighting means.  STATUS_NO: it was not recorded here. */
enum status sighting_flow(struct tracer *t, const struct sighting *g, const struct flow **to, struct err *e);

/* The keys and the ledger's first entry.  name NULL: one is made up.  STATUS_NO: they are there already. */
enum status keys_begin(struct app *a, const char *name, struct err *e);

#endif
