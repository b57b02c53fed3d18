/* Names as numbers. */
#include <string.h>

#include "map/group.h"

#define GROUPS_FIRST 256

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619U;
	return h;
}

static uint32_t *slot_of(struct groups *g, const char *name)
{
	size_t i = hash_of(name) & (g->n_slot - 1);

	while (g->slot[i] && strcmp(g->name[g->slot[i] - 1], name) != 0)
		i = (i + 1) & (g->n_slot - 1);
	return &g->slot[i];
}

static bool grow(struct groups *g)
{
	size_t cap = g->cap ? 2 * g->cap : GROUPS_FIRST;
	const char **name = arena_array(g->arena, cap, sizeof(*name));
	uint32_t *asn = arena_array(g->arena, cap, sizeof(*asn));

	g->slot = arena_array(g->arena, 2 * cap, sizeof(*g->slot));
	if (!name || !asn || !g->slot)
		return false;
	if (g->n) {
		memcpy(name, g->name, g->n * sizeof(*name));
		memcpy(asn, g->asn, g->n * sizeof(*asn));
	}
	g->name = name;
	g->asn = asn;
	g->cap = cap;
	g->n_slot = 2 * cap;
	for (uint32_t i = 0; i < g->n; i++)
		*slot_of(g, name[i]) = i + 1;
	return true;
}

static uint32_t number_of(struct groups *g, const char *name, uint32_t asn)
{
	if (!name[0] || g->failed)
		return 0;
	g->failed = g->n == g->cap && !grow(g);
	if (g->failed)
		return 0;
	uint32_t *slot = slot_of(g, name);
	uint32_t number = *slot;
	if (number)
		return number;
	const char *copy = arena_str(g->arena, name);
	g->failed = !copy;
	if (!copy)
		return 0;
	g->name[g->n] = copy;
	g->asn[g->n] = asn;
	number = (uint32_t)++g->n;
	*slot = number;
	return number;
}

uint32_t group_holder(void *self, uint32_t asn)
{
	struct groups *g = self;
	struct network net;

	return atlas_asn(g->atlas, asn, &net) ? number_of(g, net.holder, asn) : 0;
}

uint32_t group_country(void *self, uint32_t asn)
{
	struct groups *g = self;
	struct network net;

	return atlas_asn(g->atlas, asn, &net) ? number_of(g, net.cc, asn) : 0;
}
