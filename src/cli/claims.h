/* What several commands do with claims: where they are kept, and that of an attack. */
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

#endif
