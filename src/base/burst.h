/* A burst: payload-carrying packets of one direction of a flow without a pause of the train's gap or more.
 * Freestanding on purpose: the link test, which is also built for wasm32, shares it with the recorder. */
#ifndef WEIR_BASE_BURST_H
#define WEIR_BASE_BURST_H

#include <stdint.h>

#define BURST_GAP_RECORDED_US 20000  /* pause that ends a burst in a recording */
#define BURST_GAP_READ_US     100000 /* readers merge up to this unless told otherwise */

struct burst {
	int64_t start_us; /* first packet, UTC microseconds since 1970 */
	uint32_t dur_us;  /* last packet - first packet */
	uint32_t packets; /* payload-carrying packets */
	uint64_t bytes;   /* transport payload bytes, retransmissions once */
};

static inline int64_t burst_end(const struct burst *b)
{
	return b->start_us + (int64_t)b->dur_us;
}

/* An interval of time, [from, to): for instance when an observation point was blind. */
struct span {
	int64_t from_us, to_us;
};

#endif
