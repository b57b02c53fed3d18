/* The second implementation of alike_count(). */
#ifndef WEIR_TESTS_RECOG_SLOW_H
#define WEIR_TESTS_RECOG_SLOW_H

#include "record/flow.h"

struct slow {
	size_t compared, equal, absent;
};

/* Both flows on one clock, merged at gap_us. */
struct slow slow_count(const struct flow *a, const struct flow *b, int64_t gap_us);

#endif
