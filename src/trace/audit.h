/* The audit: the link test on pairs of the own recording that cannot be links.
 *
 * A pair that cannot be a link: one flow is moved in time, so that they meet, by an hour or more (nothing
 * carries what another flow carried an hour before); or, where the two have no address, no network (/16, IPv6
 * /32) and no peer in common, by a minute or more.  Never by less than the longest pause of either.  Half of
 * the pairs are moved by whole minutes (of these, half by whole hours where they can be), so that what is set
 * off by the clock stays together as it is among flows that nobody moved; the other half by anything.
 *
 * Under the null at most 10^-k of the pairs reach 10^k.  The share is of the pairs that could reach 10 at
 * all: the others, that link_test() calls FEW_BURSTS or the like, placed no bet and prove nothing.  The
 * limits are those of independent pairs; pairs share flows, so they are a little too narrow, on either side.
 *
 * The null does not hold on this traffic where
 *
 *     the lower limit of a share that at least two pairs make is above 10^-k, for any k; or
 *     the largest log10 e of all N able pairs is above log10(N) + 2
 *
 * for one pair alone is no share, and the largest of many may be large: by Markov's inequality P(e >= x) <=
 * 1/x for each, so P(any of N >= x) <= N/x, which is 1 % at x = 100 N.  Each is wrong in at most one of 100
 * audits. "Proven" is then withheld at the alpha that was meant:
 *
 *     b = min over k of -log10(upper limit at k) / k, at most 1
 *         over every k, also beyond 5, whose share is flawed or rests on at least 10 pairs; and, where the
 *         largest is flawed, over k = that largest, which one pair reached
 *     so P(log10 e >= x) <= 10^(-b x), as far as was measured
 *     a search of M pairs asks for x = log10(1/a) + log10(M), and errs at most M 10^(-b x) = a^b M^(1-b)
 *     alpha_most = the a at which that is alpha: (alpha / M^(1-b))^(1/b)
 *
 * with M = all pairs of flows that were alive together in this recording, the most that a search here can
 * charge.  With b below AUDIT_DECAY_MIN alpha_most is 0: nothing is proven here.  Beyond what was reached the
 * decay is an extrapolation.
 *
 * Which audit stands.  The finding is kept in DIR/audit.  One that fails stands until a whole one (that was
 * not stopped) of at least as many able pairs allows more; a smaller or a stopped one lifts nothing, however
 * well it finds it.  One that allows no more takes its place whatever its size, and then asks for as many
 * pairs as the larger of the two.  Where none failed the newest whole one stands. */
#ifndef WEIR_TRACE_AUDIT_H
#define WEIR_TRACE_AUDIT_H

#include "base/bytes.h"
#include "trace/trace.h"

#define AUDIT_TENS   5  /* k = 1 .. AUDIT_TENS are shown */
#define AUDIT_LEVELS 40 /* counted; what is above counts here */

/* With fewer pairs that were able the upper limit of the share that reaches 10^2 is above 10^-2 even if none
 * does. */
#define AUDIT_ABLE_MIN 459

#define AUDIT_DECAY_MIN 0.2
#define AUDIT_PORTS     5 /* services named */
#define AUDIT_WORST     5 /* pairs named */
#define AUDIT_POINT     64

struct audit_row {
	double share, lower, upper; /* of the able pairs; one-sided 99 % limits (Clopper & Pearson 1934) */
	bool flawed;                /* lower > 10^-k, by two pairs at least */
};

/* Pairs of one kind. */
struct audit_part {
	uint64_t pairs, able;               /* tested; of them those that could reach 10 */
	uint64_t reached[AUDIT_LEVELS + 1]; /* [k]: with log10 e >= k; [0] unused */
	struct audit_row row[AUDIT_TENS + 1];
	bool flawed; /* at any level */
};

enum audit_moved { AUDIT_MINUTES, AUDIT_FREE, AUDIT_ALL, AUDIT_PARTS };

/* A service and how many able pairs, with a leg of it, there were and reached 10^k. */
struct audit_port {
	uint8_t proto;
	uint16_t port;
	uint64_t able, reached[AUDIT_TENS + 1];
};

/* A leg of a pair that was drawn, as it was recorded. */
struct audit_leg {
	struct id id;
	uint8_t proto;
	struct endpoint end[2];
	uint32_t members;        /* of so many flows together; 0: of one */
	char point[AUDIT_POINT]; /* where it was seen; cut where it is longer */
	int64_t first_us;
};

struct audit_pair {
	struct audit_leg in, out;
	int64_t move_us; /* OUT was moved by so much */
	double log10_e;
};

enum audit_verdict { AUDIT_TOO_LITTLE, AUDIT_HOLDS, AUDIT_FLAWED };

struct audit {
	struct wall made;
	uint64_t seed, wanted; /* wanted: pairs asked for, 0 the default */
	double alpha;          /* that is meant to hold */
	uint64_t flows, hosts; /* drawn from */
	uint64_t searchable;   /* M above */
	uint64_t proven;       /* would have been called proven at alpha with M = 1 */
	double max_log10_e;
	struct audit_part part[AUDIT_PARTS];
	uint64_t lift; /* of a flawed one: able pairs that it takes to lift it; at least its own */

	/* audit_judge() */
	enum audit_verdict verdict;
	double decay;        /* b above; 1 where the null holds */
	double alpha_most;   /* "proven" is said only at this alpha or less; 1 where the null holds */
	double largest_fair; /* log10(N) + 2 */
	bool largest_flawed; /* max_log10_e is above it */

	/* not kept in DIR/audit */
	bool stopped;
	struct audit_port port[AUDIT_PORTS]; /* where most of the excess is, most first */
	size_t n_port;
	struct audit_pair worst[AUDIT_WORST]; /* the highest log10 e of at least 1, highest first */
	size_t n_worst;
	int worst_k; /* of 1 .. AUDIT_TENS, where share * 10^k is largest */
};

struct audit_param {
	uint64_t pairs; /* 0: what takes about a minute */
	uint64_t seed;
	double alpha; /* that is meant to hold */
	struct wall since, until;
	const volatile int *stop;
	void (*progress)(void *self, uint64_t done, uint64_t total);
	void *self;
};

/* Draws and tests; the result depends on the recording, the parameters and nothing else.  STATUS_BAD where no
 * pair can be drawn. */
enum status audit_run(struct tracer *t, const struct audit_param *p, struct audit *to, struct err *e);

/* Fills what follows from the counts. */
void audit_judge(struct audit *a);

/* Is the share that two pairs or more make of level k (1 .. AUDIT_LEVELS) above what is allowed? */
bool audit_level_flawed(const struct audit_part *p, int k);

/* Does `fresh` take the place of `old` (NULL: of none), by the rule above?  Where it does, its lift is what
 * it takes from then on.  Never where there was too little traffic for a verdict. */
bool audit_replaces(struct audit *fresh, const struct audit *old);

/* At most alpha, in two digits: what is typed from the screen must be enough. */
double alpha_floor(double alpha);

const char *audit_verdict_name(enum audit_verdict v);

/* ---- what it says of what was proven before ---- */

/* A link of this recording that was called proven before, as its claim has it. */
struct link_told {
	double alpha, log10_e;
	uint64_t searched;
};
/* Does the audit withhold that now?  Not where it allows the claim's alpha, nor where it allows the tracer's
 * and the number suffices for that.  To be asked wherever a claim is shown or relied on: the claim stays as
 * it was written. */
bool tracer_withholds(const struct tracer *t, const struct link_told *l);
/* "the audit of 2026-... withholds it at alpha 1e-06: ..."; to has n bytes; returns it. */
char *tracer_withheld_say(char *to, size_t n, const struct tracer *t, const struct link_told *l);

/* ---- the file ---- */

/* DIR/audit: written whole or not at all.  Reading: STATUS_NO where there is none; STATUS_BAD where it is
 * damaged or of a newer version, and then *newer says which. */
enum status audit_write(const struct world *w, const char *dir, const struct audit *a, struct err *e);
enum status audit_read(const struct world *w, const char *dir, struct audit *a, bool *newer, struct err *e);

/* The text of DIR/audit and back; the same audit gives the same bytes. */
void audit_text_write(struct buf *to, const struct audit *a);
enum status audit_text_read(struct audit *a, const void *p, size_t n, bool *newer, struct err *e);

#endif
