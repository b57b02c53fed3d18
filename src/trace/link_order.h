/* Order and lag: what a relay shows and a shared cause seldom does. */
#ifndef WEIR_TRACE_LINK_ORDER_H
#define WEIR_TRACE_LINK_ORDER_H

#include "trace/link_lane.h"

#define NEAR_US     150000  /* what counts as the same event, before or after */
#define ECHO_US     1000000 /* an answer this long after the question still belongs to it */
#define ECHO_SIGMAS 5       /* with less the slope may be 0 */
#define SPREAD_US   60000   /* of a lag that hardly changes, interquartile */

/* The share of OUT's answers that come during IN's and so cannot be seen in IN's order; and what is enough
 * where something else tells whose answers they are: a polled tunnel (iodine) covers 0.65 to 0.85. */
#define HIDDEN_SHARE 0.7
#define HIDDEN_CLEAR 0.5

struct order {
	int64_t lag_us,
		spread_us; /* median and interquartile range of the lag of B's next start; 0 without any */
	uint32_t lags;     /* how many lags that is */
	uint32_t before, after; /* A's lonely bursts whose nearest burst of B came before, after */
	uint32_t lonely;        /* those bursts of A, whether B had one near or not */
	uint32_t sources, lost; /* A's bursts, and those that no activity of B followed */
};

/* scratch: a->n elements.  Fills *o. */
void order_measure(const struct lane *a, const struct lane *b, int64_t *scratch, struct order *o);

/* Its lags, sources and lost alone. */
void order_lag(const struct lane *a, const struct lane *b, int64_t *scratch, struct order *o);

/* Its before and after alone, of which order_leans() speaks. */
void order_side(const struct lane *a, const struct lane *b, struct order *o);

/* Whose answers are they?  For each answer of OUT: how long after IN's question it came (d), and IN's answer
 * nearest to it (e after the question).  A relay's e follows d one for one; the answer of a flow that only
 * shares a cause with OUT comes when it comes. */
struct echo {
	double slope;      /* of e on d, by groups; 0 if it cannot be told */
	double error;      /* its standard error */
	int64_t reach_us;  /* difference of the medians of d in the groups */
	uint32_t n;        /* answers that were matched */
	uint32_t masked;   /* answers of OUT during a burst of IN's: their forwarding makes no start */
	uint32_t streamed; /* of those, while IN's forward direction was in a burst as well */
	uint32_t near;     /* answers of OUT that a start of IN's is near to */
	uint32_t all;      /* answers of OUT */
};

/* scratch: 2 * out_back->n elements.  Fills *e. */
void order_echo(const struct lane *in_fwd, const struct lane *out_back, const struct lane *in_back,
	int64_t *scratch, struct echo *e);

/* 1 if IN's answers come when OUT's do: the slope is a relay's, so many standard errors above 0; 0 if they do
 * not or it cannot be told. */
int order_echoes(const struct echo *e, double sigmas);

/* 1 if they do so one for one, within the error and a little. */
int order_exact(const struct echo *e);

/* 1 if half of the bursts, or more, last a second. */
int order_stream(const struct lane *lane);

/* 1 if A is a stream of long bursts, as keystrokes are hidden in (OpenSSH 9.5), or as busy as B's answers are
 * many, and so large a share of the answers comes during IN's. */
int order_hidden(const struct lane *in_fwd, const struct lane *out_back, const struct echo *e, double share);

/* 1 if B's bursts come after A's, with few exceptions. */
int order_keeps(const struct order *o);

/* 1 if B's bursts come after A's more often than before. */
int order_leans(const struct order *o);

/* 1 if so many more come after than before, in standard errors of a fair coin. */
int order_leans_far(const struct order *o, double sigmas);

/* 1 if B's bursts follow A's as a relay's do: in order, with one lag. */
int order_follows(const struct order *o);

/* 1 if half of A's bursts, or more, have one of B's near. */
int order_meets(const struct order *o);

/* 1 if B's follow, and have one near. */
int order_leads(const struct order *o);

/* 1 if there are enough of A's bursts and B was active after nearly all. */
int order_conserves(const struct order *o);

/* 1 if the slope is too uncertain to tell, a relay's among what it may be. */
int order_vague(const struct echo *e);

/* 1 if there are answers enough and they do not come when the others do: the slope is below `most`, and
 * clearly not a relay's. */
int order_flat(const struct echo *e, double most);

/* own: 1 if what R says to X waits for X's words.  1 if sizes say nothing of whose answers they are: V's are
 * a stream, as long as the pauses that something makes, or IN's clearly do not come when V's do, and R's own
 * words do not cover that. */
int order_denies(const struct lane *out_back, const struct echo *e, int own);

/* 1 if there are answers enough, but all take the same time: that cannot tell whose they are. */
int order_steady(const struct echo *e);

/* 1 if nearly all of B's bursts during A's life come while A is active or shortly after.  A host that opened
 * both legs and asks on IN of its own accord (a browser) is a client of both, not a tunnel's end. */
int order_explains(const struct lane *a, const struct lane *b);

#endif
