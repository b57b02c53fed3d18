/* Byte strings kept once; see intern.h.  Open addressing, linear probes, at most three quarters full.  The
 * slot holds the hash: a probe that misses does not look at the key, and twice the slots need no new hashes.
 */
#include "map/intern.h"

#include <sys/random.h>

#include "map/big.h"

enum { SLOTS_FIRST = 1 << 12, POOL_FIRST = 1 << 14, KEY_WORDS = sizeof(struct intern_key) / 8 };

bool intern_init(struct intern *t, uint64_t seed)
{
	*t = (struct intern){.mask = SLOTS_FIRST - 1, .used = 1, .seed = seed};
	t->slot = big_zero(SLOTS_FIRST, sizeof(*t->slot));
	return t->slot && big_grow(&t->pool, &t->cap, 0, POOL_FIRST, sizeof(*t->pool));
}

void intern_free(struct intern *t)
{
	big_free(t->slot, t->mask + 1, sizeof(*t->slot));
	big_free(t->pool, t->cap, sizeof(*t->pool));
	*t = (struct intern){0};
}

uint64_t hash_seed(void)
{
	uint64_t seed = 0;

	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK); /* none: a file can be slow, not wrong */
	return seed;
}

uint32_t intern_hash(const struct intern *t, const uint8_t *p, uint32_t size)
{
	size_t n = size & INTERN_SIZE_MAX, i = 0;
	uint64_t h = t->seed ^ (size * UINT64_C(0x9e3779b97f4a7c15)), a, b = 0;

	for (; i + 16 <= n; i += 16) {
		memcpy(&a, p + i, 8);
		memcpy(&b, p + i + 8, 8);
		h = hash_mix(a ^ h, b ^ UINT64_C(0xe7037ed1a0b428db));
	}
	a = b = 0;
	if (n >= 8) { /* the last 16 (8) bytes, partly over again */
		memcpy(&a, p + (n >= 16 ? n - 16 : 0), 8);
		memcpy(&b, p + n - 8, 8);
	} else if (n) {
		memcpy(&a, p, n);
	}
	h = hash_mix(a ^ h, b ^ UINT64_C(0x8ebc6af09c88c6e3));
	return (uint32_t)hash_mix(h, t->seed ^ UINT64_C(0x589965cc75374cc3));
}

static bool slots_grow(struct intern *t)
{
	size_t mask = 2 * t->mask + 1;
	uint64_t *slot = big_zero(mask + 1, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i <= t->mask; i++) {
		if (!t->slot[i])
			continue;
		size_t at = (t->slot[i] >> 32) & mask;
		while (slot[at])
			at = (at + 1) & mask;
		slot[at] = t->slot[i];
	}
	big_free(t->slot, t->mask + 1, sizeof(*t->slot));
	t->slot = slot;
	t->mask = mask;
	return true;
}

static uint32_t key_add(struct intern *t, size_t slot, uint32_t hash, const uint8_t *p, uint32_t size)
{
	size_t n = size & INTERN_SIZE_MAX, words = KEY_WORDS + (n + 7) / 8;

	if (t->used + words > UINT32_MAX || !big_grow(&t->pool, &t->cap, t->used, words, sizeof(*t->pool)))
		return 0;
	uint32_t place = (uint32_t)t->used;
	t->used += words;
	t->pool[t->used - 1] = 0; /* what the last bytes do not fill */
	struct intern_key *k = intern_at(t, place);
	*k = (struct intern_key){.size = size};
	memcpy(k + 1, p, n);
	t->slot[slot] = (uint64_t)hash << 32 | place;
	t->n++;
	return place;
}

uint32_t intern_put(struct intern *t, uint32_t hash, const uint8_t *p, uint32_t size)
{
	if (t->n > t->mask / 4 * 3 && !slots_grow(t))
		return 0;
	size_t at = hash & t->mask;
	while (t->slot[at]) {
		uint64_t s = t->slot[at];
		if (s >> 32 == hash && intern_is(t, (uint32_t)s, p, size))
			return (uint32_t)s;
		at = (at + 1) & t->mask;
	}
	return key_add(t, at, hash, p, size);
}
