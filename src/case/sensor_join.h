/* Alerts of one flow become one sighting: see sensor_join.c. */
#ifndef WEIR_CASE_SENSOR_JOIN_H
#define WEIR_CASE_SENSOR_JOIN_H

#include "case/sensor.h"

/* A sighting in the making. */
struct entry {
	struct id key; /* of the flow, whoever opened it */
	struct sighting s;
	bool sure, word;
};

/* The sightings so far, and a hash table of their indices (plus one; 0 is free) by key. */
struct joined {
	struct entry *entry;
	size_t n, cap;
	uint32_t *slot;
	size_t slots; /* a power of two, at least twice n */
};

/* Takes an alert; LINE_FLOWS where there are too many flows already.  The text is copied to the arena.
 * *memory false: it ran out. */
enum line alert_join(
	struct joined *j, const struct sensor *k, const struct alert *al, struct arena *a, bool *memory);
void joined_free(struct joined *j);

#endif
