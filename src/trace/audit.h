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
 * Where the lower limit of a share is above 10^-k the null does not hold on this traffic, and "proven" is
 * withheld at the alpha that was meant:
 *
 *     b = min over k of -log10(upper limit at k) / k, at most 1
 *         over every k, also beyond 5, whose share is flawed or rests on at least 10 pairs
 *     so P(log10 e >= x) <= 10^(-b x), as far as was measured
 *     a search of M pairs asks for x = log10(1/a) + log10(M), and errs at most M 10^(-b x) = a^b M^(1-b)
 *     alpha_most = the a at which that is alpha: (alpha / M^(1-b))^(1/b)
 *
 * with M = all pairs of flows that were alive together in this recording, the most that a search here can
 * charge.  With b below AUDIT_DECAY_MIN alpha_most is 0: nothing is proven here.  Beyond what was reached the
 * decay is an extrapolation.  The finding is kept in DIR/audit. */
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

struct audit_row {
	double share, lower, upper; /* of the able pairs; one-sided 99 % limits (Clopper & Pearson 1934) */
	bool flawed;                /* lower > 10^-k */
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

	/* audit_judge() */
	enum audit_verdict verdict;
	double decay;      /* b above; 1 where the null holds */
	double alpha_most; /* "proven" is said only at this alpha or less; 1 where the null holds */

	/* not kept in DIR/audit */
	bool stopped;
	struct audit_port port[AUDIT_PORTS]; /* where most of the excess is, most first */
	size_t n_port;
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

/* May `fresh` take the place of `old`?  Not where it would allow more on fewer pairs, and not where there was
 * too little traffic for any verdict. */
bool audit_replaces(const struct audit *fresh, const struct audit *old);

const char *audit_verdict_name(enum audit_verdict v);

/* DIR/audit: written whole or not at all.  Reading: STATUS_NO where there is none; STATUS_BAD where it is
 * damaged or of a newer version, and then *newer says which. */
enum status audit_write(const struct world *w, const char *dir, const struct audit *a, struct err *e);
enum status audit_read(const struct world *w, const char *dir, struct audit *a, bool *newer, struct err *e);

/* The text of DIR/audit and back; the same audit gives the same bytes. */
void audit_text_write(struct buf *to, const struct audit *a);
enum status audit_text_read(struct audit *a, const void *p, size_t n, bool *newer, struct err *e);

#endif
