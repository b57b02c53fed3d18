/* The second implementation of alike_count(). */
#ifndef WEIR_TESTS_RECOG_SLOW_H
#define WEIR_TESTS_RECOG_SLOW_H

#include "record/flow.h"

struct slow {
	size_t compared, equal, absent;
};

/* n milliseconds from `from` on; both flows on one clock, their times whole milliseconds. */
struct slow slow_count(const struct flow *a, const struct flow *b, int64_t from, size_t n);

#endif
