/* Inside recognition (recognise*.c): a flow of ours that may be the claimed one, and what is said of it. */
#ifndef WEIR_TRACE_RECOGNISE_IN_H
#define WEIR_TRACE_RECOGNISE_IN_H

#include "trace/recognise.h"

/* What the heads of two flows have in common, the strongest first. */
enum kin {
	KIN_TUPLE,   /* both ends */
	KIN_NUMBERS, /* the initial sequence numbers that both know */
	KIN_END,     /* one end, in the same role, and no number that differs */
	KIN_NONE,
};

struct kinship {
	enum kin kin;
	bool numbers;      /* both directions' initial sequence numbers are known and equal */
	bool other_number; /* one that both know differs */
	bool translated;   /* an end that the claim discloses is another here */
};

struct candidate_flow {
	const struct flow *flow;
	struct kinship ship;
	double rank;
};

/* What is said of one candidate. */
enum ruling {
	RULED_CONFIRMED,
	RULED_CONTRADICTED,
	RULED_OPEN,  /* it may be the claimed flow: cannot tell */
	RULED_APART, /* it is another flow */
};

struct finding {
	enum ruling ruling;
	char why[200];
};

/* recognise() on a recording that was read already (around the claimed time, at the recorded gap). */
enum status recognise_in(
	struct recording *r, double alpha, const struct flow *claimed, struct recognised *to, struct err *e);

/* The same of flows together (claimed->members > 1), in what t has around the claimed time: among the
 * aggregates here of the same ends.  Never "not seen" nor "contradicted": which flows a recorder took
 * together hangs on which it saw. */
enum status recognise_many(struct tracer *t, const struct flow *claimed, struct span around,
	struct recognised *to, struct err *e);

/* What of a recording is read for one claim. */
struct reach_want {
	const struct flow *claimed;
	struct span around;
	bool at_once[2]; /* the flows of this end of it are read together, else one by one */
};

struct reach; /* held by the tracer: what was read for claims before */

/* The heads (no bursts) of what was recorded in `around`, and perhaps of more; they live until the next
 * call. */
enum status reach_open(struct tracer *t, struct span around, struct recording **heads, struct err *e);

/* How n of these are to be read; w->around is set. */
void reach_plan(const struct tracer *t, struct reach_want *w, const struct flow *claimed, size_t n);

/* The flow of this head with its bursts, until the next reach_open(); NULL where it is not to be had. */
enum status reach_flow(struct tracer *t, const struct reach_want *w, const struct flow *head,
	const struct flow **to, struct err *e);

/* A copy of full, which is the flow of this head, that lives as long as the tracer. */
enum status reach_keep(struct tracer *t, const struct flow *head, const struct flow *full,
	const struct flow **to, struct err *e);

void reach_free(struct reach *r);

struct kinship kinship_of(const struct flow *claimed, const struct flow *ours);

/* log10 of the evidence that "confirmed" takes of this candidate, of m that were compared. */
double recognise_needed(double alpha, size_t m, const struct kinship *ship);

void recognise_judge(const struct flow *claimed, const struct candidate_flow *c, const struct alike *k,
	double needed, struct finding *to);

#endif
