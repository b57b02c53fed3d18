/* Random numbers of a test: seeded by WEIR_SEED, else by the time, and the seed is printed. */
#ifndef WEIR_TESTS_LIB_RND_H
#define WEIR_TESTS_LIB_RND_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t kit_state;

static inline uint64_t kit_rnd(uint64_t below)
{
	kit_state ^= kit_state << 13;
	kit_state ^= kit_state >> 7;
	kit_state ^= kit_state << 17;
	return below ? (kit_state >> 11) % below : 0;
}

static inline void kit_seed(const char *what)
{
	const char *given = getenv("WEIR_SEED");
	uint64_t seed =
		given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003U + (uint64_t)getpid();

	kit_state = seed * 2 + 1;
	for (int i = 0; i < 8; i++)
		(void)kit_rnd(2);
	(void)printf("# %s: WEIR_SEED=%llu\n", what, (unsigned long long)seed);
}

#endif
