/* The two legs of a pair in lanes, on IN's clock, and what their order shows, measured once. */
#ifndef WEIR_TRACE_LINK_LEGS_H
#define WEIR_TRACE_LINK_LEGS_H

#include "trace/link_lane.h"
#include "trace/link_null.h"
#include "trace/link_order.h"

/* What the gates look at, found when first asked for and kept while OUT's clock stays. */
struct view {
	struct order fwd, back;
	struct echo echo;
	int has_orders, has_echo;
	int follow; /* IN's answers change their size as OUT's do; -1 unknown */
};

struct legs {
	struct lane in_fwd, in_back, out_fwd, out_back;
	int64_t *scratch;
	struct blinds blind;
	struct null_limits *limits;
	int64_t offset; /* of OUT's lanes, once filled */
	int filled;
	struct view view;
};

/* Bytes that legs_place() needs. */
size_t legs_memory(const struct link_leg *in, const struct link_leg *out);
/* Lays the lanes and the scratch (two elements for each of the longest lane) into mem; nothing is filled. */
void legs_place(struct legs *l, const struct link_leg *in, const struct link_leg *out, void *mem);
/* OUT's lanes on IN's clock, `offset` behind. */
void legs_at(struct legs *l, const struct link_leg *out, int64_t offset);

/* Valid until legs_at() is given another offset. */
const struct view *legs_orders(struct legs *l);
const struct echo *legs_echo(struct legs *l);
/* 1 if IN's answers change their size as OUT's do. */
int legs_follow(struct legs *l, const struct link_leg *in, const struct link_leg *out);

#endif
