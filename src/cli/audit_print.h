/* An audit for people and as JSON. */
#ifndef WEIR_CLI_AUDIT_PRINT_H
#define WEIR_CLI_AUDIT_PRINT_H

#include "cli/app.h"
#include "trace/audit.h"

/* The share that reached 10^k against what is allowed, with its limits, in 80 columns; utf8: with more than
 * ASCII. */
void audit_plot(FILE *o, const struct audit *a, bool utf8);

/* What was measured, the verdict and what to do. */
void audit_print(FILE *o, const struct audit *a, double alpha, bool utf8);

/* Below that: an older finding that withholds stands, for `fresh` was stopped or is smaller. */
void audit_print_stands(FILE *o, const struct audit *fresh, const struct audit *old, double alpha);

json_t *audit_json(const struct audit *a);
/* The finding that counts; NULL: there is none. */
json_t *audit_stands_json(const struct audit *a);

#endif
