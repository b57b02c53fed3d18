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
	r->part = 0;
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

unsigned rng_part(struct rng *r)
{
	return r->part++ % REAL_PARTS;
}

size_t real_place(size_t n, unsigned part, size_t i)
{
	size_t each = n / REAL_PARTS;

	return part * each + i % each;
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
	unsigned part = rng_part(r);
	size_t i = n_gaps >= REAL_PARTS ? (size_t)(rng_unit(r) * (double)n_gaps) : 0;
	for (;; i++) {
		double g = n_gaps >= REAL_PARTS ? gaps[real_place(n_gaps, part, i)] : fitted_gap(r);
		t += g * scale;
		if (t >= seconds || e->n > 200000)
			return;
		events_add_sized(e, t, size_at(r, SIZE_SENT, part, i));
		events_add_sized(replies, t, size_at(r, SIZE_RECEIVED, part, i));
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

int64_t zoo_us(double t)
{
	return (int64_t)((EPOCH_S + t) * 1e6);
}

/* A packet's time as the recorder's clock tells it. */
static int64_t stamp(const struct zoo_pair *p, int lane, double t)
{
	if (p->step_at > 0 && t >= p->step_at)
		t += p->step_by[lane >= OUT_FWD];
	if (p->resolution_s > 0)
		t = p->resolution_s * floor(t / p->resolution_s);
	return zoo_us(t);
}

static void lane_room(struct zoo_pair *p, int lane, size_t n)
{
	if (n <= p->cap[lane])
		return;
	p->cap[lane] = n;
	p->b[lane] = realloc(p->b[lane], n * sizeof(struct burst));
	if (p->b[lane] == NULL)
		abort();
}

static void lane_bursts(struct zoo_pair *p, int lane, int64_t gap)
{
	struct events *e = &p->ev[lane];
	size_t n = 0, blind = 0;
	int64_t last = 0;
	events_sort(e);
	lane_room(p, lane, e->n);
	struct burst *b = p->b[lane];
	for (size_t i = 0; i < e->n; i++) {
		int64_t t = stamp(p, lane, e->t[i]);
		while (blind < p->n_blind && p->blind[blind].to_us <= t)
			blind++;
		if (blind < p->n_blind && p->blind[blind].from_us <= t)
			continue;
		if (n > 0 && t >= last && t - last < gap) {
			b[n - 1].dur_us = (uint32_t)(t - b[n - 1].start_us);
			b[n - 1].packets++;
			b[n - 1].bytes += e->bytes[i];
		} else {
			b[n++] = (struct burst){.start_us = t, .packets = 1, .bytes = e->bytes[i]};
		}
		last = t;
	}
	p->n[lane] = n;
}

static struct link_train train_of(const struct zoo_pair *p, int lane)
{
	return (struct link_train){p->b[lane], p->n[lane]};
}

static struct link_leg leg_of(const struct zoo_pair *p, int fwd)
{
	double coarse = p->resolution_s * 1e6;
	return (struct link_leg){.fwd = train_of(p, fwd),
		.back = train_of(p, fwd + 1),
		.resolution_us = coarse > 1 ? (uint32_t)coarse : 1,
		.sampling = 1,
		.fwd_derived = p->derived[fwd],
		.back_derived = p->derived[fwd + 1]};
}

void zoo_bursts(struct zoo_pair *p, double gap_s)
{
	for (int i = 0; i < LANES; i++)
		lane_bursts(p, i, (int64_t)(gap_s * 1e6));
	p->in = leg_of(p, IN_FWD);
	p->out = leg_of(p, OUT_FWD);
}

/* All four trains become the one of OUT's way. */
static void mangle_identical(struct zoo_pair *p)
{
	size_t n = p->n[OUT_FWD];
	for (int lane = 0; lane < LANES; lane++) {
		lane_room(p, lane, n + 1);
		for (size_t i = 0; i < n; i++)
			p->b[lane][i] = p->b[OUT_FWD][i];
		p->n[lane] = n;
	}
}

static void mangle_burst(struct rng *r, enum mangle m, struct burst *b, const struct burst *first)
{
	if (m == MANGLE_ONE_TIME)
		b->start_us = first->start_us;
	if (m == MANGLE_DISORDER && rng_next(r) % 3 == 0)
		b->start_us -= (int64_t)(rng_unit(r) * 3e6);
	if (m != MANGLE_EXTREMES || rng_next(r) % 4 != 0)
		return;
	static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
	b->start_us = ends[rng_next(r) % 6];
	b->dur_us = UINT32_MAX;
	b->packets = UINT32_MAX;
	b->bytes = UINT64_MAX;
}

static void mangled(struct rng *r, struct zoo_pair *p)
{
	for (int lane = 0; lane < LANES; lane++) {
		if (p->mangle == MANGLE_ONE_BURST && p->n[lane] > 1)
			p->n[lane] = 1;
		for (size_t i = 0; i < p->n[lane]; i++)
			mangle_burst(r, p->mangle, &p->b[lane][i], p->b[lane]);
	}
	if (p->mangle == MANGLE_IDENTICAL)
		mangle_identical(p);
	p->in = leg_of(p, IN_FWD);
	p->out = leg_of(p, OUT_FWD);
}

void zoo_make(const struct zoo_class *c, struct rng *r, struct zoo_pair *p)
{
	for (int i = 0; i < LANES; i++) {
		events_clear(&p->ev[i]);
		p->derived[i] = 0;
	}
	p->n_blind = 0;
	p->in_opened = p->out_answered = 0;
	p->every_way = c->kind != ZOO_RELAY;
	p->step_at = p->resolution_s = 0;
	p->mangle = MANGLE_NONE;
	c->make(r, p, c->seconds, c->arg);
	zoo_bursts(p, BURST_GAP_RECORDED_US * 1e-6);
	if (p->mangle != MANGLE_NONE)
		mangled(r, p);
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
	struct link_param param = {.needed = needed,
		.in_opened = p->in_opened,
		.out_answered = p->out_answered,
		.every_way = p->every_way};
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
