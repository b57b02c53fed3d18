/* What befalls recordings: a link that goes down, a recorder that loses, a clock that is set, directions that
 * were not seen, and trains as no network makes them. */
#include <math.h>

#include "zoo_parts.h"

#define DELAYED_ACK_S 0.04

/* A link that both use goes down; what falls into the outage comes when it is up again.  arg: mean between
 * outages, mean length, 0: by each one's own timer / 1: at once, from a buffer */
void null_flap(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	any_leg(r, p, IN_FWD, IN_BACK, seconds);
	any_leg(r, p, OUT_FWD, OUT_BACK, seconds);
	for (double up = 0, down; (down = up + rng_exp(r, arg[0])) < seconds;) {
		up = down + rng_exp(r, arg[1]);
		for (int lane = 0; lane < LANES; lane++) {
			struct events *e = &p->ev[lane];
			double timer = rng_between(r, 0.2, 0.4), back = 0;
			for (size_t i = 0; i < e->n; i++) {
				if (e->t[i] < down || e->t[i] >= up)
					continue;
				for (double s = e->t[i]; back < up; timer *= 2)
					back = s + timer; /* the first one lost decides when */
				e->t[i] = (arg[2] > 0 ? up : back) + 0.0005 * rng_unit(r);
			}
		}
	}
}

/* Packets that the recorder did not get.  arg: share that is lost unsaid; mean between marked losses, their
 * longest */
void null_loss(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	any_leg(r, p, IN_FWD, IN_BACK, seconds);
	any_leg(r, p, OUT_FWD, OUT_BACK, seconds);
	for (int lane = 0; lane < LANES; lane++) {
		struct events *e = &p->ev[lane];
		size_t kept = 0;
		for (size_t i = 0; i < e->n; i++)
			if (rng_unit(r) >= arg[0]) {
				e->t[kept] = e->t[i];
				e->bytes[kept++] = e->bytes[i];
			}
		e->n = kept;
	}
	for (double t = 0; arg[1] > 0 && (t += rng_exp(r, arg[1])) < seconds && p->n_blind < ZOO_BLIND;) {
		double until = t + arg[2] * rng_unit(r);
		p->blind[p->n_blind++] = (struct span){.from_us = zoo_us(t), .to_us = zoo_us(until)};
		t = until;
	}
}

/* The clock is set in the middle.  arg: by so many seconds at most, 1: of one leg only */
void null_set_clock(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	any_leg(r, p, IN_FWD, IN_BACK, seconds);
	any_leg(r, p, OUT_FWD, OUT_BACK, seconds);
	double by = rng_between(r, -arg[0], arg[0]);
	p->step_at = seconds * rng_between(r, 0.2, 0.8);
	p->step_by[0] = p->step_by[1] = by;
	if (arg[1] > 0)
		p->step_by[rng_unit(r) < 0.5] = 0;
}

/* The lane as its other direction's ACK numbers tell it: what came is acknowledged by the next packet of the
 * other direction or after the delay of a delayed ACK, a second segment at once; far: to the far end and
 * back.
 */
void derive(struct rng *r, struct zoo_pair *p, int lane, double far)
{
	int other = lane ^ 1; /* the leg's other direction */
	struct events *e = &p->ev[lane], told = {0};
	const struct events *carrier = &p->ev[other];
	size_t next = 0;
	events_sort(e);
	events_sort(&p->ev[other]);
	for (size_t i = 0; i < e->n;) {
		double got = e->t[i] + far, when = got + DELAYED_ACK_S * rng_between(r, 0.9, 1.1);
		uint32_t bytes = 0;
		while (next < carrier->n && carrier->t[next] <= got)
			next++;
		if (next < carrier->n && carrier->t[next] < when)
			when = carrier->t[next];
		for (int segments = 0; i < e->n && e->t[i] + far <= when && segments < 2; i++) {
			bytes += e->bytes[i];
			segments += e->bytes[i] >= SEGMENT;
			if (segments == 2)
				when = e->t[i] + far + 0.0001;
		}
		events_add_sized(&told, when + 0.0002 * rng_unit(r), bytes);
	}
	events_free(e);
	*e = told;
	p->derived[lane] = 1;
}

/* Of each leg at most one direction was seen.  arg: share of legs that are so */
void null_half(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	any_leg(r, p, IN_FWD, IN_BACK, seconds);
	any_leg(r, p, OUT_FWD, OUT_BACK, seconds);
	for (int leg = 0; leg < 2; leg++)
		if (rng_unit(r) < arg[0])
			derive(r, p, (leg == 0 ? IN_FWD : OUT_FWD) + (rng_unit(r) < 0.5),
				rng_between(r, 0.0005, 0.1));
}

/* Clocks that tell no more than arg[2] seconds.  arg: rates */
void null_coarse(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	null_poisson(r, p, seconds, arg);
	p->resolution_s = arg[2];
}

/* arg: rates, an enum mangle */
void null_mangled(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	null_poisson(r, p, seconds, arg);
	p->mangle = (enum mangle)arg[2];
}
