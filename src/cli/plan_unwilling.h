/* Whose help a plan must not count on, as --unwilling names them: networks and addresses, AS numbers,
 * partners.
 */
#ifndef WEIR_CLI_PLAN_UNWILLING_H
#define WEIR_CLI_PLAN_UNWILLING_H

#include "cli/blocking.h"

struct unwilling;

/* "AS64500,203.0.113.0/24", given once or several times, into `how`.  Nothing is taken that would be without
 * effect unseen: STATUS_BAD where a word is none of these, STATUS_NO where an AS number is given and no map
 * says whose addresses are whose.  A partner is whoever has one of partner_keys, was asked or answered, or
 * has a claim in the case.  *to (NULL where nothing is given) lives as long as `how` is used. */
enum status unwilling_take(struct unwilling **to, struct planning *how, struct app *a, const struct place *p,
	const char *case_id, const struct texts *given, struct err *e);
/* After a plan: those that changed nothing, in a line each.  NULL: none were given. */
void unwilling_say(const struct unwilling *u);
void unwilling_free(struct unwilling *u);

#endif
