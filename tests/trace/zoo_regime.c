/* Unrelated flows whose sizes invite a false proof: both change what they do together, both repeat one
 * pattern, both grow with the hour, both wander.  Times are as unrelated as elsewhere; that sizes agree says
 * nothing here. */
#include <math.h>

#include "zoo_parts.h"

#define TAU 6.283185307179586

static int fwd_of(int leg)
{
	return leg == 0 ? IN_FWD : OUT_FWD;
}

/* Both type or both copy.  arg: mean time of typing, of copying, largest delay of a leg's change */
void null_regime(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law typed = size_constant(36), echo = size_lognormal(100, 0.8);
	struct size_law copied = size_lognormal(20000, 0.7), ack = size_constant(52);
	double rtt[2] = {rng_between(r, 0.002, 0.12), rng_between(r, 0.002, 0.12)};
	int copies = rng_unit(r) < 0.5;
	for (double t = 0; t < seconds; copies = !copies) {
		double length = rng_exp(r, arg[copies]);
		double end = t + length < seconds ? t + length : seconds;
		for (int leg = 0; leg < 2; leg++) {
			struct events now = {0};
			double late = arg[2] * rng_unit(r);
			poisson(r, &now, t + late, end, 3, copies ? &copied : &typed);
			respond(r, &now, &p->ev[fwd_of(leg)], 0, 0, 1);
			answer(r, &now, &p->ev[fwd_of(leg) + 1], rtt[leg], 0.01, 0.97, copies ? &ack : &echo);
			events_free(&now);
		}
		t = end;
	}
}

/* Both repeat one cycle of sizes.  arg: period (0: at random times), jitter, most that one is behind the
 * other in time (0: any phase), 1: cycles of different lengths, 1: in step, too */
void null_cycle(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law law = {.kind = SIZE_CYCLE, .n = 2 + rng_next(r) % 4}, say;
	for (size_t i = 0; i < law.n; i++)
		law.v[i] = i + 1 < law.n ? 100 : 5000;
	say = law;
	double phase = rng_unit(r) * arg[0];
	for (int leg = 0; leg < 2; leg++) {
		struct size_law own = law, back = say;
		struct events *e = &p->ev[fwd_of(leg)];
		if (arg[3] > 0 && leg == 1)
			own.n = law.n > 2 ? law.n - 1 : 2;
		own.at = arg[4] > 0 ? 0 : rng_next(r) % own.n;
		double at = arg[2] > 0 ? phase + leg * arg[2] * rng_unit(r) : rng_unit(r) * arg[0];
		if (arg[0] > 0)
			beacon(r, e, at, seconds, arg[0], arg[1], &own);
		else
			poisson(r, e, 0, seconds, 1, &own);
		answer(r, e, &p->ev[fwd_of(leg) + 1], rng_between(r, 0.002, 0.15), 0.01, 0.97, &back);
	}
}

/* Segments whose sizes follow one slowly changing rate.  arg: mean time between segments, how fast the rate
 * wanders (log per sqrt second), its trend (log per second), a segment's own spread */
void null_growth(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double rate[2048];
	size_t n = (size_t)seconds + 2 < 2048 ? (size_t)seconds + 2 : 2048;
	rate[0] = log(20000);
	for (size_t i = 1; i < n; i++)
		rate[i] = 0.97 * (rate[i - 1] - log(20000)) + log(20000) + arg[1] * rng_normal(r);
	for (int leg = 0; leg < 2; leg++) {
		int fwd = fwd_of(leg), busy = rng_unit(r) < 0.5 ? fwd : fwd + 1;
		double rtt = rng_between(r, 0.002, 0.1);
		for (double t = rng_unit(r) * arg[0]; t < seconds; t += arg[0] * rng_between(r, 0.6, 1.4)) {
			double size = exp(rate[(size_t)t % n] + arg[2] * t + arg[3] * rng_normal(r));
			events_add_output(r, &p->ev[busy], busy == fwd ? t : t + rtt,
				(uint32_t)(size < 1e6 ? size : 1e6));
			events_add_sized(&p->ev[busy == fwd ? fwd + 1 : fwd], busy == fwd ? t + rtt : t, 300);
		}
	}
}

/* Sizes follow the flow's own clock: what was gathered since the last request.  arg: rate, bytes a second,
 * mean on, mean off of both together (0: always on) */
void null_gathered(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law none = size_constant(1);
	double end = 0;
	for (double t = 0; t < seconds; t = end + (arg[3] > 0 ? rng_exp(r, arg[3]) : 0)) {
		end = arg[2] > 0 ? t + rng_exp(r, arg[2]) : seconds;
		for (int leg = 0; leg < 2; leg++)
			poisson(r, &p->ev[fwd_of(leg)], t, end < seconds ? end : seconds, arg[0], &none);
	}
	for (int leg = 0; leg < 2; leg++) {
		struct events *e = &p->ev[fwd_of(leg)];
		for (size_t i = 1; i < e->n; i++)
			e->bytes[i] = 40 + (uint32_t)((e->t[i] - e->t[i - 1]) * arg[1]);
	}
	both_answered(r, p);
}

/* Each leg's sizes wander for themselves.  arg: rate, step of the walk (log) */
void null_walk(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int lane = 0; lane < LANES; lane++) {
		struct size_law none = size_constant(1);
		double x = log(1000);
		if (lane == IN_FWD || lane == OUT_FWD)
			poisson(r, &p->ev[lane], 0, seconds, arg[0], &none);
		else
			respond(r, &p->ev[lane - 1], &p->ev[lane], rng_between(r, 0.002, 0.15), 0.01, 0.97);
		struct events *e = &p->ev[lane];
		for (size_t i = 0; i < e->n; i++) {
			x += arg[1] * rng_normal(r);
			x = x < log(20) ? 2 * log(20) - x : x > log(2e5) ? 2 * log(2e5) - x : x;
			e->bytes[i] = (uint32_t)exp(x);
		}
	}
}

/* Sizes of few values, the same few in both.  arg: rate, number of values, share of the first */
void null_few(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law asked = {.kind = SIZE_TWO, .v = {36, 1000}, .p = 1 - arg[2]}, said = asked;
	if (arg[1] < 2)
		asked = said = size_constant(100);
	for (int leg = 0; leg < 2; leg++) {
		int fwd = fwd_of(leg);
		poisson(r, &p->ev[fwd], 0, seconds, arg[0], &asked);
		answer(r, &p->ev[fwd], &p->ev[fwd + 1], rng_between(r, 0.002, 0.15), 0.01, 0.97, &said);
	}
}

/* Both fetch one page, which changes now and then.  arg: period, jitter, mean time between changes, most that
 * one is behind the other (0: any phase) */
void shared_page(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law get = size_constant(180);
	double phase = rng_unit(r) * arg[0],
	       rtt[2] = {rng_between(r, 0.005, 0.1), rng_between(r, 0.005, 0.1)};
	for (int leg = 0; leg < 2; leg++) {
		double at = arg[3] > 0 ? phase + leg * arg[3] * rng_unit(r) : rng_unit(r) * arg[0];
		beacon(r, &p->ev[fwd_of(leg)], at, seconds, arg[0], arg[1], &get);
		events_sort(&p->ev[fwd_of(leg)]);
	}
	double change = 0, size = 0;
	for (size_t i[2] = {0, 0};;) {
		const struct events *e[2] = {&p->ev[IN_FWD], &p->ev[OUT_FWD]};
		if (i[0] == e[0]->n && i[1] == e[1]->n)
			return;
		int leg = i[0] == e[0]->n || (i[1] < e[1]->n && e[1]->t[i[1]] < e[0]->t[i[0]]);
		double t = e[leg]->t[i[leg]++];
		while (t >= change) {
			change += rng_exp(r, arg[2]);
			size = lognormal(r, 3000, 1.0);
		}
		events_add_output(
			r, &p->ev[fwd_of(leg) + 1], t + rtt[leg] + 0.005 * rng_unit(r), (uint32_t)size + 200);
	}
}
