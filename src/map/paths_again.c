/* A session's further routes to the same prefix: another path identifier (RFC 7911), or in the place of the
 * first.  Only where a session says a prefix again are the routes of the prefix put into a table by session
 * and path identifier, each once: a file that repeats one prefix without end costs its length, not its
 * square. */
#include <stdlib.h>

#include "map/paths_in.h"

enum { SLOTS_LEAST = 64 };

static uint64_t key_of(const struct columns *c, uint64_t route)
{
	return (uint64_t)c->session[route] << 32 | (c->path_id ? c->path_id[route] : 0);
}

/* The slot of that key in the run of routes at hand, or the free one where it belongs. */
static struct again_slot *slot_of(const struct paths_build *b, uint64_t key)
{
	const struct again *t = &b->again;
	const uint8_t *bytes = (const uint8_t *)&key;
	size_t at = intern_hash(&b->store.raw, bytes, intern_size(sizeof(key), 0)) & t->mask;

	while (t->slot[at].run == t->run && t->slot[at].key != key)
		at = (at + 1) & t->mask;
	return &t->slot[at];
}

/* At most half full with `routes`; what was in it has to come again. */
static bool room(struct again *t, uint64_t routes)
{
	size_t n = t->slot ? t->mask + 1 : SLOTS_LEAST;

	if (t->slot && 2 * routes <= n)
		return true;
	while (n < 2 * routes)
		n *= 2;
	free(t->slot);
	t->slot = calloc(n, sizeof(*t->slot));
	t->mask = n - 1;
	t->run = 0;
	return t->slot != NULL;
}

/* The routes of the last prefix that are not in the table yet. */
static bool fill(struct paths_build *b)
{
	const struct columns *c = &b->base;
	struct again *t = &b->again;
	uint64_t first = c->route_at[c->n_prefix - 1];

	if (!room(t, c->n_route - first))
		return false;
	if (t->run != c->n_prefix) {
		t->run = (uint32_t)c->n_prefix;
		t->filled = first;
	}
	for (; t->filled < c->n_route; t->filled++) {
		uint64_t key = key_of(c, t->filled);
		*slot_of(b, key) = (struct again_slot){key, t->filled, t->run, 0};
	}
	return true;
}

bool again_find(struct paths_build *b, uint32_t session, uint32_t path_id, uint64_t *route)
{
	*route = NO_ROUTE;
	if (!fill(b))
		return false;
	const struct again_slot *s = slot_of(b, (uint64_t)session << 32 | path_id);
	if (s->run == b->again.run)
		*route = s->route;
	return true;
}
