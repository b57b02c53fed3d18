/* The effect of a case's blocks: how much of the attack really stopped, and what came by another way. */
#ifndef WEIR_CLI_EFFECT_H
#define WEIR_CLI_EFFECT_H

#include "block/keep.h"
#include "cli/claims.h"

struct effect {
	struct wall since; /* the first order; us 0: none was given, and the rest is empty */
	uint64_t dropped;  /* packets, by the enforcers' counters */
	uint64_t passed; /* packets of the case's attack flows, recorded since, that no rule in force hit; and
			    of those that one hit what the counters do not have */
	double share;    /* dropped / (dropped + passed); -1: nothing was measured */
	const struct flow **other; /* attack flows that came since by another way, in the arena */
	size_t n_other;
};

/* t: for the flows of the case's sightings, which live as long as it does. */
enum status effect_of(struct effect *to, const struct place *p, struct tracer *t, const struct attack_case *c,
	struct arena *arena, struct err *e);
json_t *json_effect(const struct app *a, const struct effect *f);
/* One or a few lines; nothing where no order was given. */
void print_effect(FILE *to, const struct effect *f);

#endif
