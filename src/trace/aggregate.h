/* Aggregates: the flows between two hosts at one service port as one train.
 *
 * A proxy that carries many short flows, a login attempt each, shows in no single pair.  An aggregate is a
 * flow whose ephemeral port is 0 and whose bursts are those of its members, in time order and merged;
 * everything that takes a flow takes it.  members > 1 tells it apart.  Its initiator is who opened the
 * members (flow_opener()), and direction 0 is his. */
#ifndef WEIR_TRACE_AGGREGATE_H
#define WEIR_TRACE_AGGREGATE_H

#include "trace/tracer.h"

#define AGGREGATE_MIN 3 /* fewer flows are looked at one by one */

/* A flow of so many bursts in its busier direction (merged at BURST_GAP_READ_US) is no member: it can be
 * proven by itself, and short ones would drown in it. */
#define AGGREGATE_BURSTS 64

/* The aggregates of v's host among n flows (view_flows()): same point, protocol, peer, opener and service
 * port, split where none was alive for FLOW_IDLE_OTHER_US.  In order of first packet; owned by the view's
 * arena. */
enum status aggregates_make(struct view *v, const struct flow *const *flow, size_t n, const struct flow ***to,
	size_t *n_to, struct err *e);

/* Is f one of agg's members (same ends but for the ephemeral port, short enough, alive meanwhile, whichever
 * point saw it)? */
bool aggregate_has(const struct flow *agg, const struct flow *f, int64_t skew_us);

/* The flows of a view as seen from a point, and taken together; made once. */
struct together {
	struct together *next;
	const char *point;
	const struct flow **flow; /* view_flows() */
	size_t n;
	const struct flow **leg; /* the aggregates, then the flows that carried payload and are in none */
	size_t n_aggregate, n_leg;
};
enum status together_get(
	struct view *v, const char *point, int64_t skew_us, const struct together **to, struct err *e);

static inline bool is_aggregate(const struct flow *f)
{
	return f->members > 1;
}

#endif
