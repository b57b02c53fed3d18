/* Aggregates: the flows between two hosts at one service port as one train.
 *
 * A proxy that carries many short flows, a login attempt each, shows in no single pair.  An aggregate is a
 * flow whose ephemeral port is 0 and whose bursts are those of its members, in time order and merged;
 * everything that takes a flow takes it.  members > 1 tells it apart. */
#ifndef WEIR_TRACE_AGGREGATE_H
#define WEIR_TRACE_AGGREGATE_H

#include "trace/tracer.h"

#define AGGREGATE_MIN 3 /* fewer flows are looked at one by one */

/* The aggregates of v's host among n flows (view_flows()): same point, protocol, peer, opener and service
 * port. Owned by the view's arena. */
enum status aggregates_make(struct view *v, const struct flow *const *flow, size_t n, const struct flow ***to,
	size_t *n_to, struct err *e);

/* Is f one of agg's members (same ends but for the ephemeral port, alive meanwhile)? */
bool aggregate_has(const struct flow *agg, const struct flow *f);

static inline bool is_aggregate(const struct flow *f)
{
	return f->members > 1;
}

#endif
