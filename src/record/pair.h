/* Keys of flows: a set of endpoint pairs, regardless of their order, and hashes that files of the
 * store share. */
#ifndef WEIR_RECORD_PAIR_H
#define WEIR_RECORD_PAIR_H

#include "record/flow.h"

/* 64 bits of n bytes, for hash tables inside one process only. */
uint64_t mix_bytes(uint64_t seed, const void *p, size_t n);
static inline uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 29);
}

/* Hash of point, VLAN, protocol and both ends; the same for both orders of the ends. */
uint64_t pair_hash(const struct flow_head *h);
/* The same flow key: 1 in the same order, -1 with the ends swapped, 0 not. */
int pair_same(const struct flow_head *a, const struct flow_head *b);

/* A set of such keys, by their hash alone (64 bits: a false hit costs one chunk read for nothing). */
struct key_set {
	uint64_t *slot;
	size_t mask, n;
};

struct pair_set {
	struct key_set key, host;
	bool loop; /* some flow has the same host at both ends */
};

bool pair_add(struct pair_set *s, const struct flow_head *h);
bool pair_has(const struct pair_set *s, const struct flow_head *h);
/* May a flow of the set be among these hosts? */
bool pair_among(const struct pair_set *s, const struct ip *host, size_t n);
void pair_free(struct pair_set *s);

#endif
