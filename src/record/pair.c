/* Keys of flows, hashed: see pair.h. */
#include "record/pair.h"

#include <stdlib.h>
#include <string.h>

uint64_t mix_bytes(uint64_t seed, const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t h = seed, v;

	for (; n >= 8; n -= 8, at += 8) {
		memcpy(&v, at, 8);
		h = mix(h, v);
	}
	v = n;
	for (; n > 0; n--, at++)
		v = v << 8 | *at;
	return mix(h, v);
}

static uint64_t endpoint_hash(const struct endpoint *e)
{
	return mix(mix_bytes(1, &e->ip, sizeof(e->ip)), e->port);
}

uint64_t pair_hash(const struct flow_head *h)
{
	uint64_t a = endpoint_hash(&h->end[0]), b = endpoint_hash(&h->end[1]);
	uint64_t both = mix(a < b ? a : b, a < b ? b : a);

	both = mix(both, (uint64_t)h->vlan << 8 | h->proto);
	return mix_bytes(both, h->point, strlen(h->point));
}

int pair_same(const struct flow_head *a, const struct flow_head *b)
{
	if (a->proto != b->proto || a->vlan != b->vlan ||
		(a->point != b->point && strcmp(a->point, b->point) != 0))
		return 0;
	if (endpoint_equal(&a->end[0], &b->end[0]) && endpoint_equal(&a->end[1], &b->end[1]))
		return 1;
	return endpoint_equal(&a->end[0], &b->end[1]) && endpoint_equal(&a->end[1], &b->end[0]) ? -1 : 0;
}

static void slot_put(struct key_set *s, uint64_t key)
{
	size_t i = (size_t)key & s->mask;

	while (s->slot[i] && s->slot[i] != key)
		i = (i + 1) & s->mask;
	s->n += s->slot[i] == 0;
	s->slot[i] = key;
}

static bool set_grow(struct key_set *s)
{
	struct key_set big = {.mask = s->slot ? s->mask * 2 + 1 : 255};

	big.slot = calloc(big.mask + 1, sizeof(*big.slot));
	if (!big.slot)
		return false;
	for (size_t i = 0; s->slot && i <= s->mask; i++)
		if (s->slot[i])
			slot_put(&big, s->slot[i]);
	free(s->slot);
	*s = big;
	return true;
}

static bool key_add(struct key_set *s, uint64_t key)
{
	if ((!s->slot || s->n * 2 > s->mask) && !set_grow(s))
		return false;
	slot_put(s, key | 1);
	return true;
}

static bool key_has(const struct key_set *s, uint64_t key)
{
	if (!s->slot)
		return false;
	key |= 1;
	for (size_t i = (size_t)key & s->mask; s->slot[i]; i = (i + 1) & s->mask)
		if (s->slot[i] == key)
			return true;
	return false;
}

static uint64_t host_hash(const struct ip *ip)
{
	return mix_bytes(2, ip, sizeof(*ip));
}

bool pair_add(struct pair_set *s, const struct flow_head *h)
{
	s->loop = s->loop || ip_equal(&h->end[0].ip, &h->end[1].ip);
	return key_add(&s->key, pair_hash(h)) && key_add(&s->host, host_hash(&h->end[0].ip)) &&
	       key_add(&s->host, host_hash(&h->end[1].ip));
}

bool pair_has(const struct pair_set *s, const struct flow_head *h)
{
	return key_has(&s->key, pair_hash(h));
}

bool pair_among(const struct pair_set *s, const struct ip *host, size_t n)
{
	size_t found = 0, need = s->loop ? 1 : 2;

	for (size_t i = 0; i < n && found < need; i++)
		found += key_has(&s->host, host_hash(&host[i]));
	return found >= need;
}

void pair_free(struct pair_set *s)
{
	free(s->key.slot);
	free(s->host.slot);
	*s = (struct pair_set){0};
}
