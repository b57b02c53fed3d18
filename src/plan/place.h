/* Places where something can be done: here, a partner, a network. */
#ifndef WEIR_PLAN_PLACE_H
#define WEIR_PLAN_PLACE_H

#include "plan/make_in.h"

/* Its number, made where it is new; NO_INDEX: no memory. */
uint32_t place_add(struct making *m, const char *name);
/* May its help be counted on? */
bool place_willing(const struct making *m, const char *name);
/* Can the step be stopped here? */
bool step_here(const struct making *m, const struct path *p, size_t step);
/* Name of the network that the step's end[0] is in; false where that is ours. */
bool step_network(const struct making *m, const struct step *s, char to[PREFIX_TEXT]);

#endif
