/* Sizes: every flow of the zoo has a law of its own from which its sizes are drawn.  Those of real SSH
 * sessions are read beside their gaps where the third-party files are at hand, fitted ones serve otherwise
 * (lognormal: median 470 sent, 380 received, sigma 1.3). */
#include "zoo_size.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES_MOST 1e6

static struct {
	uint32_t *v;
	size_t n;
} real[2]; /* sent, received */

struct size_law size_constant(double bytes)
{
	return (struct size_law){.kind = SIZE_CONSTANT, .v = {bytes}};
}

struct size_law size_lognormal(double median, double sigma)
{
	return (struct size_law){.kind = SIZE_LOGNORMAL, .v = {median}, .p = sigma};
}

struct size_law size_real(struct rng *r, enum size_kind kind)
{
	return (struct size_law){
		.kind = kind, .n = rng_part(r), .at = (size_t)(rng_unit(r) * (double)(real[0].n + 1))};
}

static double log_between(struct rng *r, double lo, double hi)
{
	return exp(rng_between(r, log(lo), log(hi)));
}

struct size_law size_any(struct rng *r)
{
	double u = rng_unit(r);
	if (u < 0.25)
		return size_constant(log_between(r, 20, SEGMENT));
	if (u < 0.5) {
		struct size_law law = {.kind = u < 0.4 ? SIZE_TWO : SIZE_CYCLE, .p = rng_unit(r)};
		law.n = 2 + rng_next(r) % (CYCLE_MAX - 1);
		for (size_t i = 0; i < law.n; i++)
			law.v[i] = log_between(r, 20, 20000);
		return law;
	}
	if (u < 0.85)
		return size_lognormal(log_between(r, 40, 2000), rng_between(r, 0.2, 1.8));
	return size_real(r, u < 0.93 ? SIZE_SENT : SIZE_RECEIVED);
}

static uint32_t whole(double bytes)
{
	if (bytes < 1)
		return 1;
	return (uint32_t)(bytes < BYTES_MOST ? bytes : BYTES_MOST);
}

uint32_t size_at(struct rng *r, enum size_kind kind, unsigned part, size_t i)
{
	int k = kind == SIZE_RECEIVED;
	if (real[k].n >= REAL_PARTS)
		return whole(real[k].v[real_place(real[k].n, part, i)]);
	return whole((k ? 380 : 470) * exp(1.3 * rng_normal(r)));
}

uint32_t size_draw(struct rng *r, struct size_law *law)
{
	switch (law->kind) {
	case SIZE_CONSTANT:
		return whole(law->v[0]);
	case SIZE_TWO:
		return whole(law->v[rng_unit(r) < law->p]);
	case SIZE_CYCLE:
		return whole(law->v[law->at++ % law->n]);
	case SIZE_LOGNORMAL:
		return whole(law->v[0] * exp(law->p * rng_normal(r)));
	case SIZE_SENT:
	case SIZE_RECEIVED:
		break;
	}
	return size_at(r, law->kind, (unsigned)law->n, law->at++);
}

static size_t load(const char *data_dir, int k)
{
	static const char *const name[] = {"bytes_sent", "bytes_received"};
	char path[4096];
	size_t cap = 0;
	double v;
	snprintf(path, sizeof path, "%s/timing/ssid-%s.csv", data_dir, name[k]);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fscanf(f, "%lf", &v) == 1) {
		if (real[k].n == cap) {
			cap = cap ? 2 * cap : 4096;
			real[k].v = realloc(real[k].v, cap * sizeof *real[k].v);
			if (real[k].v == NULL)
				abort();
		}
		real[k].v[real[k].n++] = whole(v);
	}
	fclose(f);
	return real[k].n;
}

size_t size_load(const char *data_dir)
{
	size_unload();
	return load(data_dir, 0) + load(data_dir, 1);
}

void size_unload(void)
{
	for (int k = 0; k < 2; k++) {
		free(real[k].v);
		real[k].v = NULL;
		real[k].n = 0;
	}
}

/* ssh: a packet's length, padding of 4 to 19 and 16 of authentication, a channel's header; TLS 1.3: 5 of
 * header, 1 of type, 16 of tag; 1.2: 8 of nonce. */
struct wrap wrap_draw(struct rng *r, enum carrier kind)
{
	struct wrap w = {.kind = kind};
	if (kind == CARRIER_TUNNEL)
		w.each = 40 + (uint32_t)(rng_next(r) % 21);
	if (kind == CARRIER_TLS)
		w.each = rng_unit(r) < 0.7 ? 22 : 29;
	if (kind == CARRIER_PADDED)
		w.each = rng_unit(r) < 0.5 ? 20 : 28;
	return w;
}

uint32_t wrap_size(const struct wrap *w, uint32_t bytes)
{
	uint32_t packets = (bytes + SEGMENT - 1) / SEGMENT;
	if (w->kind == CARRIER_PADDED)
		return (bytes + 15) / 16 * 16 + packets * w->each;
	return bytes + packets * w->each;
}

void events_add_output(struct rng *r, struct events *e, double t, uint32_t bytes)
{
	while (bytes > SEGMENT && bytes < 64 * SEGMENT) {
		events_add_sized(e, t, SEGMENT);
		bytes -= SEGMENT;
		t += 0.0001 + 0.0004 * rng_unit(r);
	}
	events_add_sized(e, t, bytes);
}
