/* Places: names by number, and where a step of a path can be stopped. */
#include <stdlib.h>
#include <string.h>

#include "plan/place.h"

#define SLOTS_FIRST 64

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619U;
	return h;
}

/* The slot of the name, or the free one where it belongs. */
static uint32_t *slot_of(const struct places *p, const char *name)
{
	size_t i = hash_of(name) & (p->n_slot - 1);

	while (p->slot[i] && strcmp(p->name[p->slot[i] - 1], name) != 0)
		i = (i + 1) & (p->n_slot - 1);
	return &p->slot[i];
}

static bool grow(struct places *p, struct arena *a)
{
	size_t n = p->n_slot ? 2 * p->n_slot : SLOTS_FIRST;
	const char **name = arena_array(a, n, sizeof(*name));

	p->slot = arena_array(a, n, sizeof(*p->slot));
	if (!name || !p->slot)
		return false;
	if (p->n)
		memcpy(name, p->name, p->n * sizeof(*name));
	p->name = name;
	p->n_slot = n;
	for (uint32_t i = 0; i < p->n; i++)
		*slot_of(p, name[i]) = i + 1;
	return true;
}

uint32_t place_add(struct making *m, const char *name)
{
	struct places *p = &m->places;

	if (2 * (p->n + 1) > p->n_slot && !grow(p, &m->arena))
		return NO_INDEX;
	uint32_t *slot = slot_of(p, name);
	if (*slot)
		return *slot - 1;
	const char *copy = arena_str(&m->arena, name);
	if (!copy)
		return NO_INDEX;
	p->name[p->n] = copy;
	*slot = (uint32_t)++p->n;
	return *slot - 1;
}

static uint32_t place_find(const struct making *m, const char *name)
{
	uint32_t slot = *slot_of(&m->places, name);

	return slot ? slot - 1 : NO_INDEX;
}

bool step_here(const struct making *m, const struct path *p, size_t step)
{
	const struct step *s = &p->step[step];

	/* a sensor of ours saw what hits us, recorded or not */
	return s->recorded || (step == 0 && config_owns(m->p->cfg, &s->end[1].ip));
}

bool step_network(const struct making *m, const struct step *s, char to[PREFIX_TEXT])
{
	const struct config *cfg = m->p->cfg;
	struct prefix n = network_of(&s->end[0].ip);

	if (cfg->n_own && config_owns(cfg, &s->end[0].ip))
		return false; /* ours */
	(void)prefix_text(to, &n);
	return true;
}

struct reach reach_of(const struct making *m, const struct path *p, size_t step)
{
	const struct step *s = &p->step[step];
	char network[PREFIX_TEXT];

	return (struct reach){.here = step_here(m, p, step),
		.by = *s->by ? place_find(m, s->by) : NO_INDEX,
		.network = step_network(m, s, network) ? place_find(m, network) : NO_INDEX};
}

/* Does the name that was given mean this place: itself, or a network that has an address in common with it?
 * How wide a place's network is, is a guess (network_of()). */
static bool means(const char *given, const char *place)
{
	struct prefix g, p;

	if (strcmp(given, place) == 0)
		return true;
	return prefix_parse(&g, given) && prefix_parse(&p, place) && prefix_touches(&g, &p);
}

bool place_willing(const struct making *m, const char *name)
{
	const struct plan_param *q = m->p;
	struct prefix network;

	bool willing = true;

	for (size_t i = 0; i < q->n_unwilling; i++) {
		if (!means(q->unwilling[i], name))
			continue;
		willing = false;
		if (q->met)
			q->met[i] = true;
	}
	if (q->refuses && prefix_parse(&network, name) && q->refuses(q->self, &network))
		willing = false;
	return willing;
}
