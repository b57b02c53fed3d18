/* Plans and their rules for people, as JSON and as a picture: what weir plan, why and case show share. */
#ifndef WEIR_CLI_PLAN_PRINT_H
#define WEIR_CLI_PLAN_PRINT_H

#include "base/bytes.h"
#include "cli/app.h"
#include "plan/plan.h"

#define RULES_SHOWN 10 /* of an option, for people; JSON has all */

/* The rules of an option, one a line, with their place where it is not here: at most `most`, and how many
 * more there are. */
void print_rules(FILE *o, const struct option *x, size_t most, const char *indent);
/* One option in full: what it stops, how the attacker comes back, what it costs whom, whose help it needs,
 * expiry, evidence, rules. */
void print_option(FILE *o, const struct plan *p, const struct option *x);
/* The table of options, the marked one in full (all: each of them), and the next command. */
void print_plan(FILE *o, const struct plan *p, const struct id *id, bool all);

/* {rule, action, rate, from, to, proto, port, place, nft, flowspec}; place "": here.  nft and flowspec are
 * the lines that installing it gives to the outside, null where a back end, configured so, cannot hold it. */
json_t *json_rule(
	const struct app *a, const struct rule *r, const char *place, struct wall now, struct wall until);
json_t *json_option(const struct app *a, const struct plan *p, const struct option *x);
/* The whole document of weir plan --json. */
json_t *json_plan(const struct app *a, const struct plan *p, const struct id *id);

/* The front as SVG 1.1: attack stopped against collateral, every option a labelled point.  The same plan
 * gives the same bytes. */
void plan_svg(struct buf *to, const struct plan *p, const struct id *id);

/* "52 min", "1 h 30 min", "2 d 4 h", "45 s": at most two units, for people.  Returns to. */
#define SPAN_TEXT 48
char *span_text(char to[SPAN_TEXT], int64_t us);

#endif
