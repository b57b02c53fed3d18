/* Making a plan: from a case, the recording and the policy to options.
 *
 *     paths of the case, and of the open cases that end in the same network          paths.c
 *     -> candidate actions on each of their steps, at several widths                  candidate.c
 *     -> whom each of them hits besides                                               collateral.c
 *     -> sets of them on the front of stopped against collateral                      front.c
 *     -> options with words                                                           make.c
 */
#ifndef WEIR_PLAN_MAKE_H
#define WEIR_PLAN_MAKE_H

#include "case/case.h"
#include "plan/plan.h"
#include "plan/sufficient.h"
#include "trace/trace.h"

#define PLAN_TRACED 256 /* flows of a case that are traced anew for its plan */

struct plan_param {
	const struct world *w;
	const char *dir;
	const struct config *cfg;
	struct case_db *db;
	struct tracer *tracer;
	int64_t budget;               /* bystander flows that an option may cost at most; -1: no bound */
	const char *const *unwilling; /* places whose help must not be counted on */
	size_t n_unwilling;
	bool *met; /* of each: set where it is somebody whose help could have been counted on; NULL */
	const char *const *refusing; /* the same and AS numbers, as they were given: the plan names them */
	size_t n_refusing;
	/* Is a place that is a network unwilling, too, as whose it is (a map knows)?  NULL: none is. */
	bool (*refuses)(void *self, const struct prefix *network);
	void *self;
	int64_t for_us; /* 0: the configuration's block_for */
};

/* What the case rests on: a hash over its sightings and over the links that are claimed of it (not over their
 * numbers, which grow with the recording), and which of these the audit withholds now (t: the tracer of the
 * alpha in use).  A plan of another evidence is older than its evidence. */
enum status case_evidence(const struct attack_case *c, const struct tracer *t, struct id *to, struct err *e);

/* Options for the case (id prefix); everything is in the arena.  STATUS_NO: there is no such case, or nothing
 * that can be blocked (e says why).  Chains are traced anew for this case's sightings, and taken from the
 * claims for other cases. */
enum status plan_make(
	struct plan *to, const struct plan_param *p, const char *case_id, struct arena *a, struct err *e);

#endif
