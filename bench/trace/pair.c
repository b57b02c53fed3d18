/* One pair tested exhaustively: the time that link_test() takes on legs of BURSTS bursts a side.
 *
 *   trace_pair [BURSTS [ROUNDS [KIND]]]       KIND: only that one, from 0
 *
 * Prints, per kind of pair: its name, microseconds a test (the least of the rounds' means, since other
 * processes share the machine), and a word folded from the results of all its pairs, which must not change
 * when the test is made faster.  The pairs are made with integers only, the same every time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "trace/link.h"

#define PAIRS 16
#define T0    INT64_C(1795000000000000)

enum { IN_FWD, OUT_FWD, OUT_BACK, IN_BACK, TRAINS };

static uint64_t state;

static uint64_t draw(uint64_t n) /* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

/* Pauses of a person who types, of requests, of a beacon, of ticks; all at least 130 ms but the ticks, so
 * that none are merged. */
static int64_t typed(void)
{
	return 130000 + (int64_t)draw(350000) + (draw(12) == 0 ? (int64_t)draw(5000000) : 0);
}

static int64_t request(void)
{
	int64_t t = 130000;
	for (int i = 0; i < 20 && draw(8); i++)
		t += (int64_t)draw(200000);
	return t;
}

static int64_t beacon(void)
{
	return 990000 + (int64_t)draw(20000);
}

static int64_t tick(void)
{
	return draw(40) ? 20000 + (int64_t)draw(2000) : 1000000 + (int64_t)draw(2000000);
}

static const struct kind {
	const char *name;
	int64_t (*in)(void), (*out)(void); /* no out: OUT carries what IN does */
	uint64_t jitter;
} KINDS[] = {
	{"typed, a link of 20 ms jitter", typed, NULL, 20000},
	{"requests, a link of 5 ms jitter", request, NULL, 5000},
	{"typed, a link of 100 ms jitter", typed, NULL, 100000},
	{"beacon of 1 s, a link of 5 ms jitter", beacon, NULL, 5000},
	{"hidden keys, a link of 5 ms jitter", tick, NULL, 5000},
	{"typed, unrelated", typed, typed, 0},
	{"requests, unrelated", request, request, 0},
	{"beacons of 1 s", beacon, beacon, 0},
};

#define N_KINDS (sizeof(KINDS) / sizeof(KINDS[0]))

struct pair {
	struct burst *b[TRAINS];
	struct link_leg in, out;
};

static void train_make(struct burst *b, size_t n, int64_t (*pause)(void))
{
	int64_t t = T0 + (int64_t)draw(1000000);
	for (size_t i = 0; i < n; i++) {
		t += pause();
		b[i] = (struct burst){t, (uint32_t)draw(5000), 1, 36 + draw(400)};
	}
}

/* to carries from, delay later and never out of order. */
static void train_carry(const struct burst *from, struct burst *to, size_t n, uint64_t delay, uint64_t jitter)
{
	int64_t last = 0;
	for (size_t i = 0; i < n; i++) {
		to[i] = from[i];
		to[i].start_us += (int64_t)(delay + draw(jitter));
		if (to[i].start_us <= last)
			to[i].start_us = last + 1;
		last = to[i].start_us;
	}
}

static int pair_make(struct pair *p, const struct kind *k, size_t n)
{
	for (int i = 0; i < TRAINS; i++) {
		p->b[i] = malloc(n * sizeof(struct burst));
		if (!p->b[i])
			return 0;
	}
	train_make(p->b[IN_FWD], n, k->in);
	if (k->out)
		train_make(p->b[OUT_FWD], n, k->out);
	else
		train_carry(p->b[IN_FWD], p->b[OUT_FWD], n, 1000, k->jitter);
	train_carry(p->b[OUT_FWD], p->b[OUT_BACK], n, 10000, 80000);
	if (k->out)
		train_carry(p->b[IN_FWD], p->b[IN_BACK], n, 10000, 80000);
	else
		train_carry(p->b[OUT_BACK], p->b[IN_BACK], n, 1000, k->jitter);
	p->in = (struct link_leg){{p->b[IN_FWD], n}, {p->b[IN_BACK], n}, 1, 1, 0, 0};
	p->out = (struct link_leg){{p->b[OUT_FWD], n}, {p->b[OUT_BACK], n}, 1, 1, 0, 0};
	return 1;
}

static uint64_t fold(uint64_t h, const struct link_result *r)
{
	union {
		double d;
		uint64_t u;
	} e = {.d = r->log10_e}, m = {.d = r->max_log10_e};
	const uint64_t word[] = {e.u, m.u, (uint64_t)r->lag_us, (uint64_t)r->lag_spread_us,
		(uint64_t)r->first_sufficient_us, r->bursts, r->hits, (uint64_t)r->verdict,
		(uint64_t)r->reason};
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		h = (h ^ word[i]) * UINT64_C(0x100000001b3);
	return h;
}

static double now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int kind_run(const struct kind *k, size_t n, int rounds)
{
	struct pair p[PAIRS];
	struct link_result r = {0};
	struct link_param param = {.needed = 10};
	double best = 1e300;
	uint64_t h = 0;

	for (int i = 0; i < PAIRS; i++) {
		state = (uint64_t)i + 1;
		if (!pair_make(&p[i], k, n))
			return 0;
	}
	size_t size = (link_memory(&p[0].in, &p[0].out) + 15) & ~(size_t)15;
	void *mem = aligned_alloc(16, size);
	for (int round = 0; mem && round < rounds; round++) {
		double from = now_us();
		h = UINT64_C(0xcbf29ce484222325);
		for (int i = 0; i < PAIRS; i++) {
			link_test(&p[i].in, &p[i].out, NULL, 0, &param, mem, size, &r);
			h = fold(h, &r);
		}
		double took = (now_us() - from) / PAIRS;
		best = took < best ? took : best;
	}
	printf("%-40s %9.1f us  %016llx  log10 e %.1f\n", k->name, best, (unsigned long long)h,
		r.max_log10_e);
	free(mem);
	for (int i = 0; i < PAIRS; i++)
		for (int d = 0; d < TRAINS; d++)
			free(p[i].b[d]);
	return mem != NULL;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	int rounds = argc > 2 ? atoi(argv[2]) : 10;

	size_t only = argc > 3 ? strtoul(argv[3], NULL, 10) : N_KINDS;
	for (size_t i = 0; i < N_KINDS && n > 0; i++)
		if ((only == N_KINDS || only == i) && !kind_run(&KINDS[i], n, rounds))
			return 3;
	return 0;
}
