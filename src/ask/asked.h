/* An answer held against the request that it answers: did we ask, whom, and about these flows? */
#ifndef WEIR_ASK_ASKED_H
#define WEIR_ASK_ASKED_H

#include "ask/verify.h"
#include "case/logged.h"
#include "trace/recognise.h"

#define ASKED_ABOUT 64 /* flows of any answer that are held against the request: more are refused */

/* The flows that a request spoke of, each with its train: of a link the in-leg, which is what one asks on. */
struct asked_flow {
	struct train train;
	int up; /* the end that it comes from: a relay of it has to be there */
};
struct asked {
	struct asked_flow *flow;
	size_t n, cap;
	size_t compared; /* flows of the answer so far */
};

/* Why b answers no request of ours (x, NULL where there is none of that id); NULL where it does. */
const char *asked_not(const struct exchange *x, const struct bundle *b);

/* From the request's file, which was kept (case/blob.h); everything in the arena. */
enum status asked_read(
	struct asked *to, const char *dir, const struct exchange *x, struct arena *a, struct err *e);

/* Is the flow that claim c is about one of those, and a link's relay the end that it comes from?  *to: what
 * came nearest; SEEN_CONFIRMED where it is. */
enum status asked_about(struct asked *k, const struct checked_claim *c, double alpha, struct recognised *to,
	struct arena *a, struct err *e);

/* A link that was taken: the answer may go on from its IN. */
enum status asked_further(struct asked *k, const struct checked_claim *link, struct arena *a, struct err *e);

#endif
