/* What a random test of this folder begins with: a seed that is printed, and WEIR_SEED to repeat a run. */
#ifndef WEIR_TESTS_LEDGER_RANDOM_H
#define WEIR_TESTS_LEDGER_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t seed_take(void)
{
	const char *given = getenv("WEIR_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	(void)printf("# seed %llu\n", (unsigned long long)seed);
	return seed;
}

static inline uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

#endif
