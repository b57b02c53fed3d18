/* What a stored link says now: whether the audit still allows it, how far it is from its edge, and what its
 * relay is besides.
 *
 * A claim stays as it was written, and so does its entry; what is shown beside it is settled at the moment
 * when it is shown. */
#ifndef WEIR_CLI_LINK_NOW_H
#define WEIR_CLI_LINK_NOW_H

#include "ask/statement.h"
#include "cli/app.h"
#include "trace/role.h"

#define LINK_NOW_WHY 320

struct link_now {
	bool withheld; /* proven when made, and undecidable now */
	char why[LINK_NOW_WHY];
	bool computed; /* its trains are kept here */
	struct recomputed again;
	char differs[200]; /* why it is not the same when it is computed again; "" where it is */
	bool has_limit, has_role;
	struct limit limit;
	struct role role;
};

/* Of a claim whose body reads as a link; t is of the alpha in use.  What cannot be found is left out. */
void link_now(struct link_now *to, const struct app *a, struct tracer *t, const struct claim *c,
	const struct statement *said);

/* Just whether an own link is withheld; why may be NULL. */
bool link_withheld(
	const struct tracer *t, const struct claim *c, const struct statement *said, char why[LINK_NOW_WHY]);

/* "verdict", "reason", "limit", "role" and "role_why" into a claim's object. */
void link_now_json(json_t *to, const struct link_now *l, const struct statement *said);

/* A claim as an object, and of a link what it says now. */
json_t *claim_now_json(const struct app *a, struct tracer *t, const struct claim *c);
/* A case whole, its claims so. */
json_t *case_now_json(const struct app *a, struct tracer *t, const struct attack_case *c);

/* The lines for people under a link that was named: what withholds it, its limit, its relay's role. */
void link_now_print(FILE *o, const struct link_now *l, const struct statement *said);

#endif
