/* The same pairs for every compiler: seeded trains made with integers only, tested, and the result's bits
 * folded into a word.  Freestanding; tests/trace/link-bits builds it natively and for wasm32 and compares. */
#include <stdint.h>

#include "trace/link.h"

#define BURSTS 400

uint64_t link_bits(uint32_t pair);
uint32_t link_bits_high(uint32_t pair);
uint32_t link_bits_low(uint32_t pair);

static struct burst trains[4][BURSTS];
static _Alignas(16) unsigned char memory[4 * BURSTS * 4 * 16];

static uint64_t draw(uint64_t *s) /* splitmix64 */
{
	uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void fill(uint64_t *s, struct burst *b, uint64_t most)
{
	int64_t t = INT64_C(1416614400000000);
	for (int i = 0; i < BURSTS; i++) {
		uint64_t u = draw(s) % most;
		t += (int64_t)(20000 + u * u / most);
		b[i].start_us = t;
		b[i].dur_us = (uint32_t)(draw(s) % 15000);
		b[i].packets = 1;
		b[i].bytes = 64;
	}
}

/* b carries a, later by a little. */
static void copy(uint64_t *s, const struct burst *a, struct burst *b, uint64_t jitter)
{
	for (int i = 0; i < BURSTS; i++) {
		b[i].start_us = a[i].start_us + 500 + (int64_t)(draw(s) % jitter);
		b[i].dur_us = a[i].dur_us;
		b[i].packets = 1;
		b[i].bytes = 64;
	}
}

static uint64_t fold(uint64_t h, uint64_t v)
{
	return (h ^ v) * UINT64_C(0x100000001b3);
}

static uint64_t bits_of(double d)
{
	union {
		double d;
		uint64_t u;
	} b = {.d = d};
	return b.u;
}

uint64_t link_bits(uint32_t pair)
{
	uint64_t s = pair, h = UINT64_C(0xcbf29ce484222325);
	struct link_result r;
	struct link_param p = {.needed = 3};
	fill(&s, trains[0], pair % 3 == 0 ? 30000 : 1500000);
	fill(&s, trains[3], 1200000);
	fill(&s, trains[1], 2000000);
	fill(&s, trains[2], 2000000);
	if (pair % 2 == 0)
		copy(&s, trains[0], trains[1], 30000);
	if (pair % 4 == 0)
		copy(&s, trains[2], trains[3], 40000);
	p.offset_error_us = pair % 5 == 0 ? 30000 : 0;
	struct link_leg in = {
		.fwd = {trains[0], BURSTS}, .back = {trains[3], BURSTS}, .resolution_us = 1, .sampling = 1};
	struct link_leg out = {
		.fwd = {trains[1], BURSTS}, .back = {trains[2], BURSTS}, .resolution_us = 1, .sampling = 1};
	link_test(&in, &out, (const struct span *)0, 0, &p, memory, sizeof memory, &r);
	h = fold(h, bits_of(r.log10_e));
	h = fold(h, bits_of(r.max_log10_e));
	h = fold(h, (uint64_t)r.lag_us);
	h = fold(h, (uint64_t)r.lag_spread_us);
	h = fold(h, (uint64_t)r.first_sufficient_us);
	h = fold(h, r.bursts);
	h = fold(h, r.hits);
	h = fold(h, (uint64_t)r.verdict);
	return fold(h, (uint64_t)r.reason);
}

uint32_t link_bits_high(uint32_t pair)
{
	return (uint32_t)(link_bits(pair) >> 32);
}

uint32_t link_bits_low(uint32_t pair)
{
	return (uint32_t)link_bits(pair);
}

#ifdef LINK_BITS_MAIN
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 300;
	for (uint32_t i = 0; i < n; i++)
		printf("%016llx\n", (unsigned long long)link_bits(i));
	return 0;
}
#endif
