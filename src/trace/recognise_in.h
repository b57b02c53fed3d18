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

struct kinship kinship_of(const struct flow *claimed, const struct flow *ours);

/* log10 of the evidence that "confirmed" takes of this candidate, of m that were compared. */
double recognise_needed(double alpha, size_t m, const struct kinship *ship);

void recognise_judge(const struct flow *claimed, const struct candidate_flow *c, const struct alike *k,
	double needed, struct finding *to);

#endif
