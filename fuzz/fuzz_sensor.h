/* Any bytes give sightings or a status, whichever sensor is said to have written them; what they give is
 * well-formed. */
#ifndef WEIR_FUZZ_SENSOR_H
#define WEIR_FUZZ_SENSOR_H

#include <stdlib.h>
#include <string.h>

#include "case/sensor.h"

static inline int fuzz_sensor(const struct sensor *which, const uint8_t *p, size_t n)
{
	FILE *f = n ? fmemopen((void *)(uintptr_t)p, n, "r") : NULL;
	struct arena a = {0};
	struct sighting *s;
	uint64_t skipped;
	struct err e;
	size_t k;

	if (!f)
		return 0;
	if (sensor_read(which, f, "fuzz", &a, &s, &k, &skipped, &e) == STATUS_OK)
		for (size_t i = 0; i < k; i++)
			if (s[i].count == 0 || s[i].at.us < 0 || s[i].end[0].ip.v != s[i].end[1].ip.v ||
				strlen(s[i].text) >= SENSOR_TEXT_MAX)
				abort();
	arena_free(&a);
	(void)fclose(f);
	return 0;
}

#endif
