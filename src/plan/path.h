/* The path of one attack flow as it is known: the flow that hit us, and the in-legs upstream of it. */
#ifndef WEIR_PLAN_PATH_H
#define WEIR_PLAN_PATH_H

#include "case/case.h"
#include "trace/trace.h"

#define PATH_STEPS (TRACE_HOPS + 1)

/* One flow of the path.  end[0] is who is to be blocked: the end that the attack comes from, whoever opened
 * the flow. */
struct step {
	uint8_t proto;
	struct endpoint end[2];
	bool reverse;    /* end[1] opened it: what comes from end[0] goes to a port of the moment */
	bool translated; /* copies of it with another end[1] were recorded: no rule can name them all */
	uint8_t hidden;  /* end[0] is known to be in a prefix only: its length + 1; 0: the address is known */
	bool recorded;   /* it passed here */
	bool gone;       /* so an own claim says, and what it was computed from is not recorded any more */
	bool answered;   /* recorded, and flow_answered(): the address is not forged */
	uint32_t
		members; /* of flows together (trace/aggregate.h), else 0: the port of who opened them is 0 */
	uint64_t bytes;  /* frame bytes, both directions; 0 where not recorded */
	uint64_t packets; /* that end[0] sent */
	int64_t first_us, last_us;
	struct id flow; /* recorded: its id */
	/* the link that led here (step 0: none) */
	double log10_e;           /* evidence of the link */
	uint64_t searched;        /* M, of all flows of the case at that relay together */
	bool undecidable;         /* the test cannot tell here: never sufficient, whatever log10_e */
	enum link_reason why_not; /* of an undecidable one */
	bool proven;              /* at the alpha of the trace */
	const char *by;           /* "" computed here; else the partner whose recording has it */
};

/* Of TCP or SCTP, and both sides sent payload. */
bool flow_answered(const struct flow *f);

struct path {
	struct id case_id;
	bool this_case; /* of the case that is planned for */
	bool same_end;  /* it ends in a network that this case's paths end in: counts for stops_all */
	double weight;  /* of the attack; 1 for each attack flow */
	struct step step[PATH_STEPS];
	size_t n_step;    /* at least 1 */
	struct ip origin; /* the host that the proven part ends at */
};

#endif
