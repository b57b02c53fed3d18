/* A bundle beside one's own recording: is the flow that it speaks of in it, and where did it come from there?
 *
 * Looked for are all flows that it brings a train of; of an answer those that it answers about.  Followed
 * upstream are, of a request, those that no link of it goes on from: the ends of its chain. */
#ifndef WEIR_ASK_HERE_H
#define WEIR_ASK_HERE_H

#include "ask/verify.h"
#include "trace/recognise.h"

#define HERE_FLOWS 64 /* flows of any bundle that are looked for: more are not */

struct here {
	const struct checked_claim *claim; /* that speaks of it */
	const char *train;                 /* name of the train that was looked for */
	char flow[FLOW_TEXT];              /* as claimed */
	struct recognised r;
	bool traced; /* it was confirmed, and followed upstream: */
	struct chain chain;
};

struct here_list {
	struct here *one;
	size_t n;
	size_t left_off;   /* more than HERE_FLOWS */
	size_t hidden;     /* ends that are not disclosed: they cannot be looked for */
	bool contradicted; /* one of them is */
};

/* Everything in the arena or the tracer. */
enum status here_look(struct here_list *to, struct tracer *t, const struct bundle *b,
	const struct verified *v, struct arena *a, struct err *e);

#endif
