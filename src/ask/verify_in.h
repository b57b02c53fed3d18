/* Inside src/ask: what the parts of verification share. */
#ifndef WEIR_ASK_VERIFY_IN_H
#define WEIR_ASK_VERIFY_IN_H

#include "ask/verify.h"

/* Working memory, and how much was computed so far. */
struct verify_work {
	struct relink_room room;
	size_t bursts;  /* VERIFY_BURSTS */
	uint64_t tried; /* VERIFY_WORK */
};

/* Fills in *c, of which claim, in and by_known are given. */
enum status verify_claim(struct checked_claim *c, const struct trust *t, struct verify_work *work,
	struct arena *a, struct err *e);

#endif
