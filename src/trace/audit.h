/* The audit: the link test on pairs of the own recording that cannot be links.
 *
 * Where more of them reach 10^k than 10^-k, the null does not hold on this traffic; then "proven" is withheld
 * until alpha is as small as the audit says (or a later audit finds it well).  The finding is kept in
 * DIR/audit. */
#ifndef WEIR_TRACE_AUDIT_H
#define WEIR_TRACE_AUDIT_H

#include "trace/trace.h"

#define AUDIT_TENS 5 /* k = 1 .. AUDIT_TENS */

struct audit_row {
	uint64_t reached;    /* pairs with log10 e >= k */
	double lower, upper; /* one-sided 99 % limits of their share (Clopper & Pearson 1934) */
	bool flawed;         /* lower > 10^-k */
};

struct audit {
	struct wall made;
	uint64_t wanted, pairs, flows, hosts; /* pairs tested; of so many flows and hosts */
	uint64_t proven; /* would have been called proven at the configured alpha, M = 1 */
	double max_log10_e;
	struct audit_row row[AUDIT_TENS + 1]; /* [1] .. [AUDIT_TENS]; [0] unused */
	bool flawed;
	double alpha_most; /* "proven" is said only at this alpha or less; 1 where the null holds */
};

struct audit_param {
	uint64_t pairs;
	uint64_t seed;
	struct wall since, until;
	const volatile int *stop;
	void (*progress)(void *self, uint64_t done, uint64_t total);
	void *self;
};

/* Draws and tests; the result depends on the recording, pairs and seed alone. */
enum status audit_run(struct tracer *t, const struct audit_param *p, struct audit *to, struct err *e);

/* DIR/audit: written whole or not at all; STATUS_NO where there is none yet. */
enum status audit_write(const struct world *w, const char *dir, const struct audit *a, struct err *e);
enum status audit_read(const struct world *w, const char *dir, struct audit *a, struct err *e);

#endif
