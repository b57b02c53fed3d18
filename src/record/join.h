/* Between join.c and union.c: a flow that is being put together from its parts. */
#ifndef WEIR_RECORD_JOIN_H
#define WEIR_RECORD_JOIN_H

#include "record/segment.h"

#define NONE UINT32_MAX

/* A part in its place: sorted by key of the flow, then time. */
struct place {
	uint64_t key; /* pair_hash() */
	int64_t first_us;
	uint32_t part; /* index */
	uint32_t next; /* next place of the same flow, NONE at the end */
	bool swapped;  /* the part's initiator is the flow's responder */
};

struct build {
	struct flow_head head;
	struct flow_count count[2];
	int64_t last_us;
	uint32_t first, last; /* places */
	uint32_t alias;       /* entry of the newest alias, NONE */
	uint32_t n_alias;
	bool many_writers;
};

/* union.c: bursts of one direction of a flow from all its parts, apart by at least the gap.  Where recorders
 * overlapped, counts are brought down by what was there twice. */
struct union_work {
	struct tagged *tagged;
	size_t cap_tagged;
	struct burst *burst;
	size_t cap_burst;
	bool in_place; /* the parts' bursts are kept: a flow of one part needs no copy */
};
bool union_bursts(struct flow *to, struct arena *a, const struct build *b, const struct place *place,
	const struct part *part, int64_t gap_us, struct union_work *u);
void union_free(struct union_work *u);

#endif
