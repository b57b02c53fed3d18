/* The link test once more, plainly: libm, no cursors, no scaling tricks, every quantity searched for from
 * scratch. */
#ifndef WEIR_TESTS_LINK_SLOW_H
#define WEIR_TESTS_LINK_SLOW_H

#include "trace/link.h"

struct slow_result {
	double log10_e, max_log10_e;
};

void slow_test(const struct link_leg *in, const struct link_leg *out, const struct span *blind,
	size_t n_blind, const struct link_param *p, struct slow_result *r);

#endif
