/* The zoo: seeded generators of traffic timing.  In goes a seed, out come packet times of the four directions
 * of two legs, made into bursts at the recording's gap.  The common parts are here; the classes are in
 * zoo_null.c and zoo_relay.c. */
#include "zoo_gen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "zoo_parts.h"

#define EPOCH_S 1416614400.0 /* 2014-11-22 00:00:00 UTC */

void rng_seed(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 2; i++) { /* splitmix64 */
		seed += UINT64_C(0x9e3779b97f4a7c15);
		uint64_t z = seed;
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		r->s[i] = z ^ (z >> 31);
	}
}

uint64_t rng_next(struct rng *r) /* xoroshiro128+, Blackman & Vigna 2018 */
{
	uint64_t a = r->s[0], b = r->s[1], sum = a + b;
	b ^= a;
	r->s[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
	r->s[1] = (b << 37) | (b >> 27);
	return sum;
}

double rng_unit(struct rng *r)
{
	return ((double)(rng_next(r) >> 11) + 0.5) / 9007199254740992.0;
}

double rng_between(struct rng *r, double lo, double hi)
{
	return lo + (hi - lo) * rng_unit(r);
}

double rng_exp(struct rng *r, double mean)
{
	return -mean * log(rng_unit(r));
}

double rng_normal(struct rng *r)
{
	double u = rng_unit(r), v = rng_unit(r);
	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* Real gaps between bursts of SSH sessions, seconds. */
static double *gaps;
static size_t n_gaps;

size_t zoo_load_gaps(const char *data_dir)
{
	char path[4096];
	double v;
	size_t cap = 0;
	zoo_unload();
	snprintf(path, sizeof path, "%s/timing/ssid-time_between_bursts.csv", data_dir);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fscanf(f, "%lf", &v) == 1) {
		if (n_gaps == cap) {
			cap = cap ? 2 * cap : 4096;
			gaps = realloc(gaps, cap * sizeof *gaps);
			if (gaps == NULL)
				abort();
		}
		gaps[n_gaps++] = v;
	}
	fclose(f);
	size_load(data_dir);
	return n_gaps;
}

void zoo_unload(void)
{
	size_unload();
	free(gaps);
	gaps = NULL;
	n_gaps = 0;
}

/* Without the real gaps: lognormal for nine of ten, Pareto for the tenth (fitted to the real ones'
 * quantiles). */
static double fitted_gap(struct rng *r)
{
	if (rng_unit(r) < 0.9)
		return exp(log(0.055) + 0.55 * rng_normal(r));
	return 0.15 * pow(rng_unit(r), -1.0 / 1.1);
}

void gap_train(struct rng *r, struct events *e, struct events *replies, double seconds, double scale)
{
	double t = 0;
	size_t i = n_gaps > 0 ? (size_t)(rng_unit(r) * (double)n_gaps) : 0;
	for (;;) {
		double g = n_gaps > 0 ? gaps[i] : fitted_gap(r);
		t += g * scale;
		if (t >= seconds || e->n > 200000)
			return;
		events_add_sized(e, t, size_at(r, SIZE_SENT, i));
		events_add_sized(replies, t, size_at(r, SIZE_RECEIVED, i));
		i = i + 1 < n_gaps ? i + 1 : 0;
	}
}

void poisson(struct rng *r, struct events *e, double from, double to, double rate, struct size_law *law)
{
	double t = from;
	while (rate > 0 && (t += rng_exp(r, 1.0 / rate)) < to)
		events_add_sized(e, t, size_draw(r, law));
}

void respond(struct rng *r, const struct events *from, struct events *to, double delay, double jitter,
	double share)
{
	for (size_t i = 0; i < from->n; i++)
		if (rng_unit(r) < share)
			events_add_sized(to, from->t[i] + delay + jitter * rng_unit(r), from->bytes[i]);
}

void answer(struct rng *r, const struct events *from, struct events *to, double delay, double jitter,
	double share, struct size_law *law)
{
	for (size_t i = 0; i < from->n; i++)
		if (rng_unit(r) < share)
			events_add_output(
				r, to, from->t[i] + delay + jitter * rng_unit(r), size_draw(r, law));
}

void zoo_make(const struct zoo_class *c, struct rng *r, struct zoo_pair *p)
{
	for (int i = 0; i < LANES; i++)
		events_clear(&p->ev[i]);
	p->n_blind = 0;
	c->make(r, p, c->seconds, c->arg);
	zoo_bursts(p, BURST_GAP_RECORDED_US * 1e-6);
}

static int is_blind(const struct zoo_pair *p, int64_t t)
{
	for (size_t i = 0; i < p->n_blind; i++)
		if (t >= p->blind[i].from_us && t < p->blind[i].to_us)
			return 1;
	return 0;
}

int64_t zoo_us(double t)
{
	return (int64_t)((EPOCH_S + t) * 1e6);
}

static void lane_bursts(struct zoo_pair *p, int lane, int64_t gap)
{
	struct events *e = &p->ev[lane];
	events_sort(e);
	if (e->n > p->cap[lane]) {
		p->cap[lane] = e->n;
		p->b[lane] = realloc(p->b[lane], e->n * sizeof(struct burst));
		if (p->b[lane] == NULL)
			abort();
	}
	size_t n = 0;
	int64_t last = 0;
	for (size_t i = 0; i < e->n; i++) {
		int64_t t = zoo_us(e->t[i]);
		if (is_blind(p, t))
			continue;
		if (n > 0 && t - last < gap) {
			p->b[lane][n - 1].dur_us = (uint32_t)(t - p->b[lane][n - 1].start_us);
			p->b[lane][n - 1].packets++;
			p->b[lane][n - 1].bytes += e->bytes[i];
		} else {
			p->b[lane][n++] = (struct burst){.start_us = t, .packets = 1, .bytes = e->bytes[i]};
		}
		last = t;
	}
	p->n[lane] = n;
}

void zoo_bursts(struct zoo_pair *p, double gap_s)
{
	for (int i = 0; i < LANES; i++)
		lane_bursts(p, i, (int64_t)(gap_s * 1e6));
	p->in = (struct link_leg){.fwd = {p->b[IN_FWD], p->n[IN_FWD]},
		.back = {p->b[IN_BACK], p->n[IN_BACK]},
		.resolution_us = 1,
		.sampling = 1};
	p->out = (struct link_leg){.fwd = {p->b[OUT_FWD], p->n[OUT_FWD]},
		.back = {p->b[OUT_BACK], p->n[OUT_BACK]},
		.resolution_us = 1,
		.sampling = 1};
}

void zoo_free(struct zoo_pair *p)
{
	for (int i = 0; i < LANES; i++) {
		events_free(&p->ev[i]);
		free(p->b[i]);
		p->b[i] = NULL;
	}
	free(p->mem);
	p->mem = NULL;
}

void zoo_test(struct zoo_pair *p, double needed, struct link_result *r)
{
	struct link_param param = {.needed = needed};
	size_t size = link_memory(&p->in, &p->out);
	if (size > p->mem_size) {
		free(p->mem);
		p->mem = malloc(size);
		p->mem_size = size;
		if (p->mem == NULL)
			abort();
	}
	link_test(&p->in, &p->out, p->blind, p->n_blind, &param, p->mem, p->mem_size, r);
}
