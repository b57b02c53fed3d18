/* A set-associative cache of first fragments: see fragment.h.  No allocation, no list: a flood of first
 * fragments pushes out others of the same set, and costs only ports of fragments. */
#include "record/fragment.h"

#define LIFE_US INT64_C(30000000)

static uint32_t key_hash(const struct fragment_key *k)
{
	uint32_t h = 2166136261U ^ k->id ^ (uint32_t)k->proto << 24;

	for (size_t i = 0; i < sizeof(k->src.b); i++)
		h = (h ^ k->src.b[i] ^ (uint32_t)k->dst.b[i] << 8) * 16777619U;
	return h ^ h >> 15;
}

static bool key_equal(const struct fragment_key *a, const struct fragment_key *b)
{
	return a->id == b->id && a->proto == b->proto && ip_equal(&a->src, &b->src) &&
	       ip_equal(&a->dst, &b->dst);
}

void fragment_put(struct fragments *s, const struct fragment *first)
{
	struct fragment *way = s->way[key_hash(&first->key) % FRAGMENT_SETS], *to = way;

	for (size_t i = 0; i < FRAGMENT_WAYS; i++) {
		if (!way[i].used || key_equal(&way[i].key, &first->key)) {
			to = &way[i];
			break;
		}
		if (way[i].time_us < to->time_us)
			to = &way[i];
	}
	*to = *first;
	to->used = true;
}

const struct fragment *fragment_get(
	const struct fragments *s, const struct fragment_key *key, int64_t time_us)
{
	const struct fragment *way = s->way[key_hash(key) % FRAGMENT_SETS];

	for (size_t i = 0; i < FRAGMENT_WAYS; i++) {
		if (!way[i].used || !key_equal(&way[i].key, key))
			continue;
		int64_t age = time_us - way[i].time_us;
		return age <= LIFE_US && age >= -LIFE_US ? &way[i] : NULL;
	}
	return NULL;
}
