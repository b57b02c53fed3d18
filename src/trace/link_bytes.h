/* The wealth of one direction, bet on sizes: that B's next stretch carries as many bytes as A brought. */
#ifndef WEIR_TRACE_LINK_BYTES_H
#define WEIR_TRACE_LINK_BYTES_H

#include "trace/link_stretch.h"

#define SIZES_SPEAK 3.0 /* log10 wealth below which sizes speak for nothing */

/* Bets on all of B's stretches in order.  limits, target: as of bet_run().  Fills *r: hits are the stretches
 * as long as what A had brought, within the widest tolerance. */
void bytes_run(const struct sized_pair *p, struct null_limits *limits, double target, struct bet_result *r);

#endif
