/* The null zoo: pairs of legs of which neither carries the other, and pairs with a common cause.  In goes the
 * random source, out come packet times in seconds.  Each class draws its own rates and phases for each pair,
 * so that a table row is an average over them. */
#include <math.h>
#include <stddef.h>

#include "zoo_parts.h"

/* arg: rate of IN, rate of OUT, bursts per second */
void null_poisson(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	others(r, p, 0, seconds, arg);
	both_answered(r, p);
}

/* arg: scale of the gaps of real sessions */
void null_gaps(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	real_leg(r, p, IN_FWD, IN_BACK, seconds, arg[0]);
	real_leg(r, p, OUT_FWD, OUT_BACK, seconds, arg[0]);
}

/* People at two unrelated shells. */
void null_typists(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	(void)arg;
	typed_leg(r, p, IN_FWD, IN_BACK, seconds);
	typed_leg(r, p, OUT_FWD, OUT_BACK, seconds);
}

/* arg: the two periods, the jitter (standard deviation), seconds, rate of other bursts; each leg has either
 * period */
void null_beacons(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		struct size_law law = size_any(r);
		double period = rng_unit(r) < 0.5 ? arg[0] : arg[1];
		beacon(r, &p->ev[leg == 0 ? IN_FWD : OUT_FWD], rng_unit(r) * period, seconds, period, arg[2],
			&law);
	}
	others(r, p, 0, seconds, (double[2]){arg[3], arg[3]});
	both_answered(r, p);
}

/* arg: period of the calendar, width of the start, rate of other bursts, second at which the period begins */
void null_cron(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		struct events *e = &p->ev[leg == 0 ? IN_FWD : OUT_FWD];
		struct size_law law = size_any(r);
		for (double t = arg[3]; t < seconds; t += arg[0])
			events_add_sized(e, t + arg[1] * rng_unit(r), size_draw(r, &law));
	}
	others(r, p, 0, seconds, (double[2]){arg[2], arg[2]});
	both_answered(r, p);
}

/* Both legs are on and off together.  arg: mean on, mean off, rate while on */
void null_onoff(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law law[2] = {size_any(r), size_any(r)};
	for (double t = 0; t < seconds;) {
		double on = rng_exp(r, arg[0]);
		double end = t + on < seconds ? t + on : seconds;
		poisson(r, &p->ev[IN_FWD], t, end, arg[2], &law[0]);
		poisson(r, &p->ev[OUT_FWD], t, end, arg[2], &law[1]);
		t += on + rng_exp(r, arg[1]);
	}
	both_answered(r, p);
}

/* Both are slow or fast together: what comes fast is recorded as larger bursts.  arg: slow and fast rate,
 * mean time of either */
void null_rates(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law law[2] = {size_any(r), size_any(r)};
	int fast = 0;
	for (double t = 0, end; t < seconds; t = end, fast = !fast) {
		end = t + rng_exp(r, arg[2]);
		end = end < seconds ? end : seconds;
		poisson(r, &p->ev[IN_FWD], t, end, arg[fast], &law[0]);
		poisson(r, &p->ev[OUT_FWD], t, end, arg[fast], &law[1]);
	}
	both_answered(r, p);
}

/* Two idle SSH sessions with keep-alives.  arg: interval, jitter, rate of typing */
void null_keepalive(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		struct events *e = &p->ev[leg == 0 ? IN_FWD : OUT_FWD];
		double t = rng_unit(r) * arg[0];
		while (t < seconds) { /* the timer restarts at each packet */
			events_add_sized(e, t, 36);
			double key = rng_exp(r, arg[2] > 0 ? 1.0 / arg[2] : 1e9);
			t += key < arg[0] ? key : arg[0] + arg[1] * rng_unit(r);
		}
	}
	both_answered(r, p);
}

/* Fixed packet rate with talk spurts.  arg: packet interval, mean spurt (0: never silent), mean silence */
void null_voip(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int lane = 0; lane < LANES; lane++) {
		double phase = rng_unit(r) * arg[0];
		double left = arg[1] > 0 ? rng_exp(r, arg[1]) : seconds;
		struct size_law law = rng_unit(r) < 0.5 ? size_constant(172) : size_lognormal(100, 0.3);
		for (double t = phase; t < seconds; t += arg[0]) {
			if (left <= 0) {
				t += arg[0] * floor(rng_exp(r, arg[2]) / arg[0]);
				left = rng_exp(r, arg[1]);
			}
			events_add_sized(&p->ev[lane], t + 0.0005 * rng_unit(r), size_draw(r, &law));
			left -= arg[0];
		}
	}
}

/* Transfers through one bottleneck: losses and stalls of the link hit both, each recovers on its own timer.
 * arg: mean time between stalls, stall length */
void null_bulk(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double rto[2] = {rng_between(r, 0.2, 0.4), rng_between(r, 0.2, 0.4)};
	double begin[2] = {0, 0};
	for (double t = 0; t < seconds;) {
		double stall = t + rng_exp(r, arg[0]);
		if (stall > seconds)
			stall = seconds;
		for (int leg = 0; leg < 2; leg++) {
			struct events *e = &p->ev[leg == 0 ? IN_FWD : OUT_FWD];
			for (double s = begin[leg]; s < stall; s += rng_between(r, 0.008, 0.019))
				events_add_sized(e, s, SEGMENT);
			double wait = rto[leg];
			while (wait < arg[1])
				wait *= 2;
			begin[leg] = stall + wait * rng_between(r, 1.0, 1.05);
		}
		t = stall + arg[1];
	}
	both_answered(r, p);
}

/* Outages seen by both; each client comes back with doubling waits.  arg: mean between outages, mean length
 */
void null_reconnect(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law law[2] = {size_any(r), size_any(r)};
	for (double t = 0; t < seconds;) {
		double down = t + rng_exp(r, arg[0]);
		double up = down + rng_exp(r, arg[1]);
		for (int leg = 0; leg < 2; leg++) {
			struct events *e = &p->ev[leg == 0 ? IN_FWD : OUT_FWD];
			poisson(r, e, t, down < seconds ? down : seconds, 0.3, &law[leg]);
			double wait = 1.0;
			for (double s = down + rng_unit(r); s < up && s < seconds;
				s += wait * rng_between(r, 0.9, 1.1)) {
				events_add(e, s);
				wait = wait < 32 ? 2 * wait : wait;
			}
		}
		t = up;
	}
	both_answered(r, p);
}

/* What of the lanes falls into [from, until) comes then.  Called with growing times; at: how far each lane
 * was read. */
static void hold(
	struct rng *r, struct zoo_pair *p, unsigned lanes, double from, double until, size_t at[LANES])
{
	for (int lane = 0; lane < LANES; lane++) {
		struct events *e = &p->ev[lane];
		size_t *i = &at[lane];
		if (!(lanes & 1U << lane))
			continue;
		while (*i < e->n && e->t[*i] < from)
			(*i)++;
		for (; *i < e->n && e->t[*i] < until; (*i)++)
			e->t[*i] = until + 0.00002 * rng_unit(r);
	}
}

/* One of many sessions in, another one out of the same busy host, which stalls now and then for all of them.
 * arg: rate of stalls, longest stall */
void null_bastion(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	size_t at[LANES] = {0};
	null_typists(r, p, seconds, arg);
	events_sort(&p->ev[IN_BACK]);
	events_sort(&p->ev[OUT_FWD]);
	for (double t = 0; (t += rng_exp(r, 1.0 / arg[0])) < seconds;) /* what the host sends waits */
		hold(r, p, 1U << IN_BACK | 1U << OUT_FWD, t, t + rng_unit(r) * arg[1], at);
}

/* Running transfers and typing under a recorder that restarts.  arg: mean between restarts, longest restart,
 * 1 bulk */
void null_restarts(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	if (arg[2] > 0) {
		for (int lane = 0; lane < LANES; lane++)
			for (double t = 0; t < seconds;
				t += rng_exp(r, 0.01) + (rng_unit(r) < 0.003 ? 0.4 : 0))
				events_add_sized(&p->ev[lane], t, SEGMENT);
	} else {
		null_typists(r, p, seconds, arg);
	}
	for (double t = 0; (t += 1.0 + rng_exp(r, arg[0])) < seconds && p->n_blind < ZOO_BLIND;) {
		double until = t + rng_unit(r) * arg[1];
		p->blind[p->n_blind++] = (struct span){.from_us = zoo_us(t), .to_us = zoo_us(until)};
		t = until;
	}
}

/* Video in segments: a request each period, drifting.  arg: period, jitter */
void null_segments(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		struct events *req = &p->ev[leg == 0 ? IN_FWD : OUT_FWD];
		struct events *ans = &p->ev[leg == 0 ? IN_BACK : OUT_BACK];
		for (double t = rng_unit(r) * arg[0]; t < seconds;
			t += arg[0] + arg[1] * (rng_unit(r) - 0.5)) {
			events_add_sized(req, t, 300 + (uint32_t)rng_exp(r, 100));
			double size = rng_between(r, 0.1, 0.8);
			for (double s = 0.02; s < size; s += 0.004)
				events_add_sized(ans, t + s, SEGMENT);
		}
	}
}

/* The recorder's clock stands still and then jumps: what it held back bears the time of the jump.
 * arg: mean between jumps, length */
void null_steps(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	size_t at[LANES] = {0};
	null_typists(r, p, seconds, arg);
	for (int lane = 0; lane < LANES; lane++)
		events_sort(&p->ev[lane]);
	for (double t = 0; (t += rng_exp(r, arg[0])) < seconds;)
		hold(r, p, (1U << LANES) - 1, t, t + arg[1], at);
}

/* One click opens both.  arg: rate of clicks, delays up to, share of clicks each takes part in, rate of own
 * bursts, 0 order and delay anew at each click / 1 both constant for the pair / 2 delays anew, IN always
 * first, 1 with answers */
void shared_clicks(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law law[2] = {size_any(r), size_any(r)};
	double fixed[2] = {rng_unit(r) * arg[1], rng_unit(r) * arg[1]};
	for (double t = 0; (t += rng_exp(r, 1.0 / arg[0])) < seconds;) {
		double d[2] = {rng_unit(r) * arg[1], rng_unit(r) * arg[1]};
		for (int leg = 0; leg < 2; leg++) {
			double delay = d[leg];
			if (arg[4] == 1)
				delay = fixed[leg] + 0.002 * rng_unit(r);
			if (arg[4] == 2)
				delay = leg == 0 ? 0 : d[1];
			if (rng_unit(r) < arg[2])
				events_add_sized(&p->ev[leg == 0 ? IN_FWD : OUT_FWD], t + delay,
					size_draw(r, &law[leg]));
		}
	}
	others(r, p, 0, seconds, (double[2]){arg[3], arg[3]});
	if (arg[5] > 0)
		both_answered(r, p);
}

/* A server sends each event to both far sides, which say little themselves.  arg: rate, spread, share heard
 */
void shared_fanout(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law said = size_any(r), own = size_any(r);
	struct wrap w[2] = {wrap_draw(r, CARRIER_TLS), wrap_draw(r, CARRIER_TLS)};
	for (double t = 0; (t += rng_exp(r, 1.0 / arg[0])) < seconds;) {
		uint32_t bytes = size_draw(r, &said); /* all hear the same */
		for (int leg = 0; leg < 2; leg++)
			if (rng_unit(r) < arg[2])
				events_add_sized(&p->ev[leg == 0 ? IN_BACK : OUT_FWD],
					t + arg[1] * rng_unit(r), wrap_size(&w[leg], bytes));
	}
	poisson(r, &p->ev[IN_FWD], 0, seconds, 0.05, &own);
	poisson(r, &p->ev[OUT_BACK], 0, seconds, 0.05, &own);
	answer(r, &p->ev[IN_BACK], &p->ev[IN_FWD], rng_between(r, 0.005, 0.1), 0.01, 0.8, &own);
	answer(r, &p->ev[OUT_FWD], &p->ev[OUT_BACK], rng_between(r, 0.005, 0.1), 0.01, 0.8, &own);
}
