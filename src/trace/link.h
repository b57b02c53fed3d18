/* The link test: does leg OUT carry what leg IN carried?
 *
 * An e-value against "no link" (doc/evidence.md): P(max_log10_e >= k) <= 10^-k when, given OUT's own past and
 * its number of starts in the next quarter of a second, OUT's starts do not depend on IN (and IN's answers
 * not on OUT's).  Freestanding: no libc, no libm, no allocator, integer microseconds, own log and exp; gcc,
 * clang and wasm32 give the same bits (-ffp-contract=off -fno-math-errno).  A pure function of the two legs,
 * the blind intervals and the parameters. */
#ifndef WEIR_TRACE_LINK_H
#define WEIR_TRACE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"

/* One direction of a leg: bursts sorted by start, as recorded (gap of 20 ms): the test merges to 100 ms
 * itself and needs the recorded ones to see the ticks of hidden keystrokes. */
struct link_train {
	const struct burst *b;
	size_t n;
};

/* A leg as the relay sees it.  fwd is the way of the attack (in: towards the relay; out: away from it), back
 * the answer.  A direction that was not seen or was derived has n = 0 / derived set. */
struct link_leg {
	struct link_train fwd, back;
	uint32_t resolution_us;        /* clock resolution of the recording, 1 for microseconds */
	uint32_t sampling;             /* 1 of N packets were seen; 1 = all */
	int fwd_derived, back_derived; /* bursts derived from ACK numbers (half flow) */
};

struct link_param {
	int in_opened;     /* the relay opened IN (reverse tunnel): it may say nothing there on its own */
	int out_answered;  /* V opened OUT: what R says there may be an answer */
	int every_way;     /* ask sizes even where times or order have settled it: for the tables of
			      doc/evidence.md */
	double needed;     /* log10(1/alpha) + log10(M): what log10_e must reach for "proven" */
	int64_t offset_us; /* add to OUT's clock to get IN's; estimated from other flows, 0 at one point */
	int64_t offset_error_us; /* half width of what is not known about it, 0 at one point */
};

enum link_verdict { LINK_INSUFFICIENT, LINK_PROVEN, LINK_UNDECIDABLE };

enum link_reason {
	LINK_REASON_NONE,         /* proven */
	LINK_REASON_FEW_BURSTS,   /* not enough bursts to ever suffice */
	LINK_REASON_NO_OVERLAP,   /* the legs share no observed time */
	LINK_REASON_WEAK,         /* enough bursts, but the evidence does not reach what is needed */
	LINK_REASON_PREDICTABLE,  /* both trains predict themselves: the bets abstain */
	LINK_REASON_SHARED_CAUSE, /* cannot tell a relay from a shared cause: needs an experiment */
	LINK_REASON_RESOLUTION,   /* clock resolution or sampling does not suffice */
	LINK_REASON_RIVAL,  /* another flow explains OUT as well: said by the search, never by link_test */
	LINK_REASON_AUDIT,  /* the null does not hold on this recording at this alpha: likewise */
	LINK_REASON_MEMORY, /* mem was too small: see link_memory() */
	LINK_REASON_MEMBER  /* proven of many flows together, without the one asked about: likewise */
};

struct link_result {
	double log10_e;              /* final wealth's logarithm (the mixture's), never NaN or infinite */
	double max_log10_e;          /* its supremum over time: this is what Ville's inequality bounds */
	int64_t lag_us;              /* typical lag of OUT's burst behind IN's (median over matched bursts) */
	int64_t lag_spread_us;       /* interquartile range of the lag */
	int64_t first_sufficient_us; /* time from the first burst of the pair to log10_e >= needed; -1 never
				      */
	uint32_t bursts;             /* bursts of IN that were bet on */
	uint32_t hits;
	enum link_verdict verdict;
	enum link_reason reason;
};

/* How many offsets of the clocks link_test tries where so much is not known about them; it takes that many
 * times as long. */
size_t link_offsets(int64_t offset_error_us);

/* Bytes of working memory that link_test needs for legs of these sizes. */
size_t link_memory(const struct link_leg *in, const struct link_leg *out);

/* Fills *r.  blind: sorted, disjoint; no bet spans one.  mem: at least link_memory() bytes, 16-aligned, owned
 * by the caller, contents before and after are meaningless.  Never fails otherwise; unusable input gives a
 * verdict. */
void link_test(const struct link_leg *in, const struct link_leg *out, const struct span *blind,
	size_t n_blind, const struct link_param *p, void *mem, size_t mem_size, struct link_result *r);

#endif
