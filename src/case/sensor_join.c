/* Joining alerts: one sighting for each flow, with the number of its alerts.
 *
 * In comes one alert after the other, out come sightings.  Memory is bounded by the number of flows, not by
 * that of alerts. */
#include "case/sensor_join.h"

#include <stdlib.h>
#include <string.h>

void joined_free(struct joined *j)
{
	free(j->entry);
	free(j->slot);
}

static size_t slot_of(const struct joined *j, const struct id *key)
{
	uint64_t h;

	memcpy(&h, key->b, sizeof(h));
	size_t i = (size_t)h & (j->slots - 1);
	while (j->slot[i] && memcmp(&j->entry[j->slot[i] - 1].key, key, sizeof(*key)) != 0)
		i = (i + 1) & (j->slots - 1);
	return i;
}

static bool joined_grow(struct joined *j)
{
	size_t cap = j->cap ? 2 * j->cap : 64;
	struct entry *entry = realloc(j->entry, cap * sizeof(*entry));
	uint32_t *slot = calloc(4 * cap, sizeof(*slot));

	if (entry)
		j->entry = entry;
	if (!entry || !slot) {
		free(slot);
		return false;
	}
	free(j->slot);
	j->slot = slot;
	j->cap = cap;
	j->slots = 4 * cap;
	for (size_t i = 0; i < j->n; i++)
		j->slot[slot_of(j, &j->entry[i].key)] = (uint32_t)(i + 1);
	return true;
}

/* The key of an alert's flow: SHA-256, so that no sender of alerts can make them collide.  The direction is
 * no part of it: half of the alerts may come from answers. */
static bool alert_key(struct id *key, const struct alert *al)
{
	struct {
		struct endpoint end[2];
		char ident[SENSOR_IDENT_MAX];
		uint8_t proto;
	} k;
	int first = memcmp(&al->end[0].ip, &al->end[1].ip, sizeof(struct ip));

	if (first == 0)
		first = (int)al->end[0].port - (int)al->end[1].port;
	memset(&k, 0, sizeof(k));
	for (int i = 0; i < 2; i++) {
		const struct endpoint *from = &al->end[first <= 0 ? i : 1 - i];
		k.end[i].ip = from->ip;
		k.end[i].port = from->port;
	}
	memcpy(k.ident, al->ident, strnlen(al->ident, sizeof(k.ident)));
	k.proto = al->proto;
	return id_of(key, &k, sizeof(k));
}

/* At most SENSOR_TEXT_MAX - 1 bytes, cut between characters. */
static const char *text_keep(struct arena *a, const char *s)
{
	size_t n = strnlen(s, SENSOR_TEXT_MAX);

	if (n == SENSOR_TEXT_MAX)
		for (n--; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
			;
	char *to = arena_alloc(a, n + 1);
	if (to)
		memcpy(to, s, n);
	return to;
}

/* What a later alert of the same flow adds: who began it, and somebody's word where there was none. */
static bool entry_add(struct entry *en, const struct alert *al, struct arena *a)
{
	en->s.count++;
	if (al->sure && !en->sure) {
		memcpy(en->s.end, al->end, sizeof(al->end));
		en->sure = true;
	}
	if (al->word && !en->word) {
		en->word = true;
		en->s.at = al->at;
		en->s.text = text_keep(a, al->text);
	}
	return en->s.text != NULL;
}

enum line alert_join(
	struct joined *j, const struct sensor *k, const struct alert *al, struct arena *a, bool *memory)
{
	struct id key;
	size_t i;

	*memory = alert_key(&key, al) && (j->n < j->cap || joined_grow(j));
	if (!*memory)
		return LINE_FLOWS;
	i = slot_of(j, &key);
	if (j->slot[i]) {
		*memory = entry_add(&j->entry[j->slot[i] - 1], al, a);
		return LINE_TAKEN;
	}
	if (j->n == SENSOR_FLOWS_MAX)
		return LINE_FLOWS;
	j->entry[j->n] = (struct entry){.key = key,
		.sure = al->sure,
		.word = al->word,
		.s = {.source = k->source,
			.proto = al->proto,
			.end = {al->end[0], al->end[1]},
			.at = al->at,
			.text = text_keep(a, al->text),
			.count = 1}};
	*memory = j->entry[j->n].s.text != NULL;
	j->slot[i] = (uint32_t)++j->n;
	return LINE_TAKEN;
}
