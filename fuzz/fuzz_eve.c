/* Suricata EVE: any bytes give sightings or a status; what they give is well-formed. */
#include <stdlib.h>
#include <string.h>

#include "case/sensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	FILE *f = n ? fmemopen((void *)(uintptr_t)p, n, "r") : NULL;
	struct arena a = {0};
	struct sighting *s;
	uint64_t skipped;
	struct err e;
	size_t k;

	if (!f)
		return 0;
	if (sensor_read(&sensor_eve, f, "fuzz", &a, &s, &k, &skipped, &e) == STATUS_OK)
		for (size_t i = 0; i < k; i++)
			if (s[i].count == 0 || s[i].at.us < 0 || s[i].end[0].ip.v != s[i].end[1].ip.v ||
				strlen(s[i].text) >= SENSOR_TEXT_MAX)
				abort();
	arena_free(&a);
	(void)fclose(f);
	return 0;
}
