/* The part of weir case show that tells what was planned and blocked for a case. */
#ifndef WEIR_CLI_CASE_PLANS_H
#define WEIR_CLI_CASE_PLANS_H

#include "cli/app.h"

/* Plans, blocks and their effect into the object j (`plans`, `blocks`, `effect`), or, where j is NULL,
 * printed. */
enum status case_plans(struct app *a, struct tracer *t, struct case_db *db, const struct attack_case *c,
	json_t *j, struct err *e);

#endif
