/* What a test of one claim works on: the claim as it was told, and the statement that was read from it. */
#ifndef TOLD_KIT_H
#define TOLD_KIT_H

#include "ask_kit.h"

struct fixture {
	struct arena a;
	struct told t;
	struct statement s;
};

static inline int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	told_free(&f->t);
	arena_free(&f->a);
	free(f);
	return 0;
}

#endif
