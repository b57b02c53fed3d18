/* Is this flow, of which somebody else recorded a train, in our recording?
 *
 * A claim says "flow F, with this train".  A doubter has a recording of his own, a clock of his own (offset
 * and drift unknown), and perhaps stands on the other side of a translation (NAT, balancer), so that the
 * addresses are others.  What both sides saw alike is the payload: how many bytes went each way between two
 * pauses, and when.  doc/recognise.md has the reasons and the measurements. */
#ifndef WEIR_TRACE_RECOGNISE_H
#define WEIR_TRACE_RECOGNISE_H

#include "trace/trace.h"

/* A time of a's, and how many stretches of more or other lie on the side that agrees. */
struct turn {
	int64_t at_us;
	size_t bad_outside;
};

/* Two trains of what may be one flow, a claimed and b ours. */
struct alike {
	struct clock_fit clock; /* b's time = clock_in(a's time); valid where compared > 0 */
	size_t compared; /* stretches between pauses common to both, with payload, where neither was blind */
	size_t equal;    /* of those, with the same payload bytes in both directions */
	size_t absent;   /* a has nothing at all: its recorder may have had a gap */
	size_t less;     /* a has less, with fewer packets: its capture may have lost some */
	size_t close;    /* many packets or many bytes, and nearly the same bytes */
	size_t more;     /* a has more, with more packets: what b did not see */
	size_t other;  /* as many packets with other bytes, far more than b's capture can have lost, or other
			  pauses inside */
	size_t beyond; /* not among compared: a goes on in a direction of which b's point, watching, saw no
			  packet any more, or not yet, and not that it closed or opened */
	uint64_t packets[2], bytes[2]; /* in those where a has something: a's, b's */
	uint64_t near_bytes;           /* by so many the close ones differ */
	double agreed[3]; /* share of b's bursts, bytes, time (of a burst, at least 1 ms) in those that are
			     equal or close */
	int64_t claimed_us, within_us; /* a's time from first to last burst, and what of it was compared */
	double covered;                /* the least of that share, a's bursts' and bytes' */
	uint64_t lacks[2], lacks_bytes[2]; /* what each is short of beside the other */
	int64_t first_other_us;      /* a's time of the first stretch of more or other; INT64_MAX: none */
	struct turn late, early;     /* what differs lies mostly after, or mostly before */
	int64_t step_us, step_at_us; /* all agrees if a's clock was set forward by step_us there; 0: not so */
	bool turned;                 /* a's direction 0 is b's direction 1 */
	bool anchored;               /* laid opening on opening, and the offset not searched */
	unsigned ways;               /* directions compared: bit 0, bit 1 (of a) */
	double log10_e;              /* evidence against chance agreement, alignments tried already charged */
	double way_log10_e[2];       /* the same from one direction alone */
	double most_log10_e;         /* what b could give at most */
};

/* skew_us: how far the clocks may be apart at most.  blind: when b's point was not watching, on b's clock,
 * sorted, disjoint; NULL where that is not known: then it was only while b lived.  Memory from calloc;
 * STATUS_MACHINE without. */
enum status flows_alike(const struct flow *a, const struct flow *b, const struct span *blind, size_t n_blind,
	int64_t skew_us, struct alike *to, struct err *e);

enum seen_here { SEEN_CONFIRMED, SEEN_NOT, SEEN_CONTRADICTED, SEEN_CANNOT_TELL };

struct recognised {
	enum seen_here seen;
	const struct flow *flow; /* ours, owned by the tracer; NULL where none was taken for it */
	struct alike alike;
	double needed;   /* log10 of the evidence that "confirmed" takes here */
	bool translated; /* under other addresses than claimed */
	size_t searched; /* flows it was compared with */
	char why[200];   /* in plain words, printable */
};

#define RECOGNISE_SKEW_US (600 * SECOND_US) /* clocks of two organisations may be this far apart */

/* Looks for claimed (its id is not used) in the tracer's recording.  An end with port 0 (TCP, UDP) is one
 * that is not disclosed.
 * confirmed: one flow agrees in (nearly) all stretches.  contradicted: the same endpoints at that time, well
 * seen, and other stretches.  not seen: none such, though the time was covered.  cannot tell: too few
 * stretches, sampling, a derived direction, a blind interval, or no recording of that time.  Of flows
 * together (members > 1) confirmed or cannot tell. */
enum status recognise(struct tracer *t, const struct flow *claimed, struct recognised *to, struct err *e);

/* The same of one flow that another network recorded: to->flow is `other` where it was taken for it. */
enum status recognise_pair(const struct flow *claimed, const struct flow *other, double alpha,
	struct recognised *to, struct err *e);

const char *seen_here_name(enum seen_here s); /* "confirmed", "not-seen", "contradicted", "cannot-tell" */

#endif
