/* Whole flows that the classes are put together from: a person at a shell, requests and answers, beacons,
 * gaps of real sessions, and any of them. */
#include <math.h>

#include "zoo_parts.h"

double lognormal(struct rng *r, double median, double sigma)
{
	return median * exp(sigma * rng_normal(r));
}

/* A leg whose far side answers everything after a round trip of its own, in sizes of its own. */
void answered(struct rng *r, struct zoo_pair *p, int fwd, int back)
{
	struct size_law law = size_any(r);
	answer(r, &p->ev[fwd], &p->ev[back], rng_between(r, 0.002, 0.15), rng_between(r, 0.0005, 0.02), 0.97,
		&law);
}

void both_answered(struct rng *r, struct zoo_pair *p)
{
	answered(r, p, IN_FWD, IN_BACK);
	answered(r, p, OUT_FWD, OUT_BACK);
}

/* Bursts of both legs, at each one's rate and in sizes of its own. */
void others(struct rng *r, struct zoo_pair *p, double from, double to, const double rate[2])
{
	for (int leg = 0; leg < 2; leg++) {
		struct size_law law = size_any(r);
		poisson(r, &p->ev[leg == 0 ? IN_FWD : OUT_FWD], from, to, rate[leg], &law);
	}
}

void typist(struct rng *r, struct events *keys, struct events *output, double from, double to)
{
	double t = from + rng_exp(r, 1.0);
	double median = rng_between(r, 0.11, 0.22);
	uint32_t key = rng_unit(r) < 0.7 ? 36 : 52;
	struct size_law line = size_lognormal(150, 1.4);
	while (t < to) {
		int n = 2 + (int)rng_exp(r, 9.0);
		for (int i = 0; i < n && t < to; i++) {
			events_add_sized(keys, t, key);
			events_add_sized(output, t + 0.0005 + 0.001 * rng_unit(r), key);
			t += lognormal(r, median, 0.5);
		}
		events_add_sized(keys, t, key); /* return */
		double o = t + lognormal(r, 0.006, 1.0);
		int lines = 1 + (int)rng_exp(r, 4.0);
		for (int i = 0; i < lines; i++) {
			events_add_output(r, output, o, key + size_draw(r, &line));
			o += rng_unit(r) < 0.8 ? 0.0004 : lognormal(r, 0.08, 1.0);
		}
		t = (o > t ? o : t) + lognormal(r, 1.8, 1.0);
	}
}

void typed_leg(struct rng *r, struct zoo_pair *p, int fwd, int back, double seconds)
{
	struct events out = {0};
	typist(r, &p->ev[fwd], &out, 0, seconds);
	respond(r, &out, &p->ev[back], rng_between(r, 0.001, 0.12), 0.003, 1.0);
	events_free(&out);
}

void real_leg(struct rng *r, struct zoo_pair *p, int fwd, int back, double seconds, double scale)
{
	struct events replies = {0};
	gap_train(r, &p->ev[fwd], &replies, seconds, scale);
	respond(r, &replies, &p->ev[back], rng_between(r, 0.002, 0.15), rng_between(r, 0.0005, 0.02), 0.97);
	events_free(&replies);
}

void beacon(struct rng *r, struct events *e, double phase, double seconds, double period, double jitter,
	struct size_law *law)
{
	for (double t = phase; t < seconds; t += period)
		events_add_sized(e, t + jitter * rng_normal(r), size_draw(r, law));
}

void any_leg(struct rng *r, struct zoo_pair *p, int fwd, int back, double seconds)
{
	struct size_law law = size_any(r);
	switch (rng_next(r) % 4) {
	case 0:
		typed_leg(r, p, fwd, back, seconds);
		return;
	case 1:
		real_leg(r, p, fwd, back, seconds, rng_between(r, 1, 8));
		return;
	case 2: {
		double period = rng_between(r, 0.5, 15);
		beacon(r, &p->ev[fwd], rng_unit(r) * period, seconds, period, 0.002, &law);
		break;
	}
	default:
		poisson(r, &p->ev[fwd], 0, seconds, exp(rng_between(r, log(0.1), log(5))), &law);
	}
	answered(r, p, fwd, back);
}
