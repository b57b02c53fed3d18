/* Inside recognition (alike*.c): two trains of what may be one flow, A claimed and B ours, laid on top of
 * each other. */
#ifndef WEIR_TRACE_ALIKE_H
#define WEIR_TRACE_ALIKE_H

#include "trace/recognise.h"

#define ALIKE_QUIET_US  100000    /* quiet in both flows: a stretch ends */
#define ALIKE_JITTER_US 60000     /* a packet may be this much off its place on the other clock */
#define ALIKE_LAG_US    SECOND_US /* the two directions' offsets differ by the way between the points */
#define ALIKE_DRIFT     300e-6    /* clocks drift apart by this much at most */
#define ALIKE_PART_US   (600 * SECOND_US) /* of a long flow, the piece in which an offset is looked for */
#define ALIKE_GUESSES   4

/* One flow's bursts, merged at the gap that both have; direction 0 is A's direction 0. */
struct side {
	struct burst *b[2];
	size_t n[2];
};

/* A and B, and which directions both show (bit d). */
struct couple {
	struct side a, b;
	unsigned ways;
	const struct span *blind; /* on B's clock; NULL: nothing is known but B's own life */
	size_t n_blind;
	struct span a_life, b_life; /* first and last packet, each on its own clock */
	struct span b_way[2];       /* the same of each direction of B */
	int64_t gap;                /* at which both are merged */
	bool a_opened, b_opened;    /* saw the flow open; */
	bool a_closed, b_closed;    /* saw it close: what is beyond is not for want of a recording */
	int64_t skew_us;
};

/* A's clock on B's, and what each direction adds to it. */
struct pose {
	struct clock_fit clock;
	int64_t lag_us[2];
};

static inline int64_t pose_in(const struct pose *p, int d, int64_t t)
{
	return clock_in(&p->clock, t) + p->lag_us[d];
}

/* A place to begin with: B's time less A's, for each direction, near the piece of A. */
struct guess {
	int64_t offset_us[2];
	double weight;
	struct span part;
};

/* Offsets that many bursts of equal bytes agree on, best first; returns how many (at most ALIKE_GUESSES). */
enum status alike_vote(const struct couple *c, struct guess to[ALIKE_GUESSES], size_t *n, struct err *e);

/* The line through the bursts that match near a guess. */
enum status alike_fit(const struct couple *c, const struct guess *g, struct pose *to, struct err *e);

/* When A recorded the flow and B's point was watching, blind intervals aside, on B's clock. */
struct span alike_common(const struct couple *c, const struct pose *p);

/* Does [from, to] touch a blind interval?  *at: where to begin, for callers whose times rise; 0 at first. */
bool alike_blind(const struct couple *c, size_t *at, int64_t from, int64_t to);

/* Counts stretches; sets what struct alike says of them. */
void alike_count(const struct couple *c, const struct pose *p, struct alike *to);

/* log10 of the evidence that A, so placed, is no stranger to B, from the directions in ways; *most: what it
 * would be if every bet were won. */
enum status alike_bet(const struct couple *c, const struct pose *p, unsigned ways, double *log10_e,
	double *most, size_t *items, struct err *e);

#endif
