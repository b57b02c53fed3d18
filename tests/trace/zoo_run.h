/* Runs a class on every processor. */
#ifndef WEIR_TESTS_ZOO_RUN_H
#define WEIR_TESTS_ZOO_RUN_H

#include "zoo_gen.h"

struct zoo_one {
	double e; /* max_log10_e */
	enum link_verdict verdict;
	int finite; /* all numbers of the result are */
};

/* Makes and tests `pairs` pairs; *v is theirs in order, the same whatever the number of workers (the
 * processors, or the variable ZOO_WORKERS).  zoo_run_free() frees.  Ends the program where a worker dies. */
void zoo_run(const struct zoo_class *c, long pairs, uint64_t seed, double needed, struct zoo_one **v);
void zoo_run_free(struct zoo_one *v, long pairs);

/* One pair, drawn from the seed; p: zeros, or what an earlier one left; zoo_free() frees it. */
struct zoo_one zoo_one_pair(const struct zoo_class *c, uint64_t seed, double needed, struct zoo_pair *p);

/* How many pairs of this class are made where `pairs` are asked for. */
long zoo_pairs(const struct zoo_class *c, long pairs);

#endif
