/* The index of scan: which pairs of a group of in-legs and an out-leg could be proven at all.
 *
 * Answers of OUT must reach IN's other end: of its n answers at most LOST_MAX may come while IN is silent
 * towards X and stays so for FOLLOW_US (order_conserves() of link_order.c, which the link test asks for
 * whatever else it finds).  The index answers that question for hundreds of in-legs at a time. */
#ifndef WEIR_TRACE_INDEX_H
#define WEIR_TRACE_INDEX_H

#include <stdbool.h>

#include "trace/link_null.h"

#define INDEX_WORDS   8
#define INDEX_COLUMNS (64 * INDEX_WORDS) /* in-legs in one table */

/* A table of time, a row a bin, a column an in-leg; all zero to begin, index_free() at the end. */
struct index {
	uint64_t *cell; /* n_bins rows of words words */
	size_t capacity;
	size_t n_bins, words;
	int64_t from_us; /* of bin 0 */
	int shift;       /* a bin is 2^shift microseconds */
};

/* What OUT's answers ask of an in-leg. */
struct answers {
	const int64_t *at; /* sorted; those that count under any offset of the clocks */
	size_t n;
	size_t lost_most; /* so many of them may be lost; SIZE_MAX: too few for any link */
};

/* Columns from n lanes (IN's answers); error_us: what is not known of OUT's clock against theirs.  False
 * where memory is out. */
bool index_fill(struct index *x, const struct lane *in_back, size_t n, int64_t error_us);
void index_free(struct index *x);

/* Sets the bit of each column that may pass; false where none does. */
bool index_find(const struct index *x, const struct answers *a, uint64_t may[INDEX_WORDS]);

/* OUT's answers from their train, on IN's clock give or take error_us; lane holds t->n elements and lives as
 * long as *a does. */
void index_answers(struct answers *a, struct lane *lane, const struct link_train *t,
	const struct blinds *blind, int64_t error_us);

/* The same question for one pair, exactly: for legs on one clock. */
bool index_conserves(const struct lane *out_back, const struct lane *in_back);

/* The four lanes of a pair on one clock, and the legs that they were made of; NULL where these stand on two.
 */
struct index_pair {
	const struct lane *in_fwd, *in_back, *out_fwd, *out_back;
	const struct link_leg *in, *out;
	const struct blinds *blind;
	double needed;
};

/* Could it be proven as far as order, answers, sizes and ticks go, whatever starts show?  scratch: 2 *
 * out_back->n elements; limits: begun by null_limits_init(), for any number of pairs. */
bool index_shaped(const struct index_pair *p, struct null_limits *limits, int64_t *scratch);

#endif
