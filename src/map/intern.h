/* Byte strings kept once: each gets a place, the same bytes the same one.  Made for many look-ups a record:
 * first the hashes of all, then the prefetches, then the probes, so that the memory's delays overlap. */
#ifndef WEIR_MAP_INTERN_H
#define WEIR_MAP_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A number that strangers do not know, for hashes of what they say: so that they cannot make all equal. */
uint64_t hash_seed(void);

/* The two halves of a 128-bit product, folded (as wyhash and others mix). */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* A string as it is kept; its bytes follow, and zeros to a multiple of 8. */
struct intern_key {
	uint32_t value; /* the user's; 0 when new */
	uint32_t size;  /* bytes, and the kind above INTERN_SIZE_BITS */
};
struct intern {
	uint64_t *slot; /* hash << 32 | place; 0: free */
	size_t mask, n;
	uint64_t *pool; /* keys, one after another; place 0 is none */
	size_t used, cap;
	uint64_t seed;
};
#define INTERN_SIZE_BITS 28
#define INTERN_SIZE_MAX  (((uint32_t)1 << INTERN_SIZE_BITS) - 1)

/* seed: random where the bytes come from strangers, who could else make all hashes equal. */
bool intern_init(struct intern *t, uint64_t seed);
void intern_free(struct intern *t);

/* Two keys of different kinds (0..15) are different although their bytes are the same. */
static inline uint32_t intern_size(size_t n, unsigned kind)
{
	return (uint32_t)n | (uint32_t)kind << INTERN_SIZE_BITS;
}

static inline struct intern_key *intern_at(const struct intern *t, uint32_t place)
{
	void *p = t->pool + place;

	return p;
}

/* Are n bytes the same? Eight at a time, the last eight over again: shorter than a call of memcmp() for the
 * 14 to 40 bytes of an AS path. */
static inline bool bytes_same(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t x, y;

	if (n < 8)
		return memcmp(a, b, n) == 0;
	for (size_t i = 0; i + 8 < n; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y)
			return false;
	}
	memcpy(&x, a + n - 8, 8);
	memcpy(&y, b + n - 8, 8);
	return x == y;
}

static inline bool intern_is(const struct intern *t, uint32_t place, const uint8_t *p, uint32_t size)
{
	const struct intern_key *k = intern_at(t, place);
	const uint8_t *bytes = (const uint8_t *)(k + 1);

	return k->size == size && bytes_same(bytes, p, size & INTERN_SIZE_MAX);
}

uint32_t intern_hash(const struct intern *t, const uint8_t *p, uint32_t size);

static inline void intern_fetch_slot(const struct intern *t, uint32_t hash)
{
	__builtin_prefetch(&t->slot[hash & t->mask]);
}

/* After the slot has come: its key. */
static inline void intern_fetch_key(const struct intern *t, uint32_t hash)
{
	uint64_t s = t->slot[hash & t->mask];

	if (s >> 32 == hash)
		__builtin_prefetch(t->pool + (uint32_t)s);
}

/* The place of the key; its value is 0 where it was not there before, and is to be set then.  0: no memory
 * (or 32 GB of keys). */
uint32_t intern_put(struct intern *t, uint32_t hash, const uint8_t *p, uint32_t size);

#endif
