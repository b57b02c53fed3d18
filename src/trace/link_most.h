/* The most that sizes and ticks can bring, for a small part of what asking them costs: bounds of what
 * bytes_run() and tick_run() find, for one offset of the clocks.  tests/trace/scan_sound.c fails where they
 * are none. */
#ifndef WEIR_TRACE_LINK_MOST_H
#define WEIR_TRACE_LINK_MOST_H

#include "trace/link_bytes.h"

/* At least what bytes_run() calls log10_sup; where that is `enough` or more, at least `enough`.  Both trains
 * are on one clock. */
double most_sizes(const struct link_train *a, const struct link_train *b, const struct blinds *blind,
	struct null_limits *limits, double enough);

/* At least what tick_run() calls log10_sup. */
double most_ticks(const struct link_train *a, const struct lane *b);

#endif
