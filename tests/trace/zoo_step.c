/* Pairs in which neither flow carries the other and that yet look like relays for long: a controller that
 * gives two hosts their tasks in step, two bots of one script, a page and a host of one hand, one level that
 * both report, links that are full both ways.  In go the random source and a class's figures, out come the
 * packets of both legs. */
#include <math.h>

#include "zoo_parts.h"

#define FULL_STEP 0.01 /* between packets of a flow that is full */
#define STEPS_MAX 512
#define TAU       6.283185307179586

static int fwd_of(int leg)
{
	return leg == 0 ? IN_FWD : OUT_FWD;
}

/* R gives X and V a task each, and the next when both are done.  arg: median time of a task, spread of each
 * one's own (log), how much slower V is: from, to; R's own time between, how far apart R sends (0: 0.1 to 1
 * ms) */
void shared_lockstep(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double factor = rng_between(r, arg[2], arg[3]),
	       sends = arg[5] > 0 ? arg[5] : rng_between(r, 0.0001, 0.001);
	double far[2] = {rng_between(r, 0.001, 0.02), rng_between(r, 0.001, 0.02)};
	struct size_law said[2] = {size_any(r), size_any(r)};
	p->in_opened = rng_unit(r) < 0.5;
	for (double t = 1; t < seconds;) {
		uint32_t task = (uint32_t)lognormal(r, 4000, 1);
		double takes = lognormal(r, arg[0], 0.5);
		double x = far[0] + lognormal(r, takes, arg[1]);
		double v = far[1] + lognormal(r, factor * takes, arg[1]);
		double to_x = t + sends * rng_unit(r);
		events_add_output(r, &p->ev[IN_BACK], to_x, task);
		uint32_t same = task + (uint32_t)(8 * rng_unit(r));
		double to_v = t + sends * (1 + rng_unit(r));
		events_add_output(r, &p->ev[OUT_FWD], to_v, same);
		x += arg[5] > 0 ? to_x : t;
		v += arg[5] > 0 ? to_v : t;
		events_add_output(r, &p->ev[IN_FWD], x, size_draw(r, &said[0]));
		events_add_output(r, &p->ev[OUT_BACK], v, size_draw(r, &said[1]));
		t = fmax(x, v) + arg[4] * (0.5 + rng_exp(r, 0.5));
	}
}

/* All four ways are full; one bottleneck stalls them, and they come back in no order.  arg: mean time between
 * stalls, shortest stall, how much longer one may be, spread of the order, most that OUT is behind */
void shared_full(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double behind = rng_between(r, 0, arg[4]);
	for (double t = 0; t < seconds;) {
		double end = t + 1 + rng_exp(r, arg[0]);
		for (int lane = 0; lane < LANES; lane++) {
			double at = t + arg[3] * rng_unit(r) + (lane >= OUT_FWD ? behind : 0);
			for (; at < end && at < seconds; at += FULL_STEP)
				events_add_sized(&p->ev[lane], at, SEGMENT);
		}
		t = end + arg[1] + rng_between(r, 0, arg[2]);
	}
}

static void stream(struct rng *r, struct events *e, double seconds, double period, double jitter)
{
	for (double t = rng_unit(r) * period; t < seconds; t += period * (1 + jitter * (2 * rng_unit(r) - 1)))
		events_add_sized(e, t, 1000 + (uint32_t)(400 * rng_unit(r)));
}

/* A click sets off IN and, always a little later, OUT; what R sends to X is a stream.  arg: rate, longest
 * lag, its jitter, the stream's period (0: R answers X at once), its jitter */
void shared_stream(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double lag = rng_between(r, 0.002, arg[1]), rtt = rng_between(r, 0.02, 0.08);
	struct size_law law[3] = {size_any(r), size_any(r), size_any(r)};
	for (double t = 0; (t += rng_exp(r, 1 / arg[0])) < seconds;) {
		double x = t + 0.001 * rng_unit(r), v = t + lag + arg[2] * rng_unit(r);
		events_add_sized(&p->ev[IN_FWD], x, size_draw(r, &law[0]));
		events_add_sized(&p->ev[OUT_FWD], v, size_draw(r, &law[1]));
		events_add_sized(&p->ev[OUT_BACK], v + rtt + lognormal(r, 0.05, 0.8), size_draw(r, &law[2]));
		if (arg[3] <= 0)
			events_add_sized(&p->ev[IN_BACK], x + 0.01 + lognormal(r, 0.01, 0.8), 200);
	}
	if (arg[3] > 0)
		stream(r, &p->ev[IN_BACK], seconds, arg[3], arg[4]);
}

/* Two bots of one script, its sleeps and its sizes, started by one command.  arg: mean sleep, most that they
 * are apart, a step's jitter, nearest and farthest server of IN, farthest of OUT, 1: the same answers */
void shared_bots(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double apart = rng_between(r, 0, arg[1]), framing = rng_between(r, 0, 30);
	double rtt[2] = {rng_between(r, arg[3], arg[4]), rng_between(r, 0.002, arg[5])};
	struct size_law said[2] = {size_lognormal(900, 1), size_lognormal(900, 1)};
	for (double t = 1; t < seconds; t += 0.05 + rng_exp(r, arg[0])) {
		uint32_t asked = (uint32_t)lognormal(r, 500, 1.2) + 1, answer = size_draw(r, &said[0]);
		for (int leg = 0; leg < 2; leg++) {
			double at = t + leg * apart + arg[2] * rng_exp(r, 1);
			if (leg == 1 && arg[6] <= 0)
				answer = size_draw(r, &said[1]);
			events_add_output(r, &p->ev[fwd_of(leg)], at, asked + (uint32_t)(leg * framing));
			events_add_output(
				r, &p->ev[fwd_of(leg) + 1], at + rtt[leg] + 0.003 * rng_exp(r, 1), answer);
		}
	}
}

/* Both go through one long script of sizes, over and over.  arg: period, jitter, steps, most that OUT is
 * behind (0: any step and phase), the stream that R sends to X instead of answers: its period */
void shared_script(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	size_t steps = (size_t)arg[2];
	uint32_t asked[STEPS_MAX], said[STEPS_MAX];
	for (size_t i = 0; i < steps && i < STEPS_MAX; i++) {
		asked[i] = (uint32_t)lognormal(r, 600, 1.2) + 1;
		said[i] = (uint32_t)lognormal(r, 1500, 1.2) + 1;
	}
	for (int leg = 0; leg < 2; leg++) {
		int fwd = fwd_of(leg);
		double rtt = rng_between(r, 0.005, 0.1),
		       t = rng_unit(r) * (arg[3] > 0 ? leg * arg[3] : arg[0]);
		size_t i = arg[3] > 0 ? 0 : (size_t)(rng_unit(r) * arg[2]);
		for (; t < seconds; t += arg[0], i++) {
			double at = t + arg[1] * rng_normal(r);
			events_add_output(r, &p->ev[fwd], at, asked[i % steps]);
			if (leg == 1 || arg[4] <= 0)
				events_add_output(
					r, &p->ev[fwd + 1], at + rtt + 0.03 * rng_exp(r, 1), said[i % steps]);
		}
	}
	if (arg[4] > 0)
		stream(r, &p->ev[IN_BACK], seconds, arg[4], 0.3);
}

/* Log of the level at a time: a walk, or slow waves. */
static double level_at(const double *walk, double t, double period, const double wave[2])
{
	if (wave[1] <= 0)
		return walk[(size_t)(t > 0 ? t / period : 0)];
	return log(3000) + wave[1] * (sin(TAU * t / wave[0]) + 0.3 * sin(TAU * 2.618 * t / wave[0]));
}

/* Both report one level, a size, at a time of their own.  arg: period, jitter, step of the walk a period (0:
 * waves), most that OUT is behind (0: any phase), 1: in the answers, the stream's period as above */
void shared_level(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	enum { WALK = 8192, FINE = 4 };
	double walk[WALK], wave[2] = {rng_between(r, 60, 600), arg[2] > 0 ? 0 : rng_between(r, 0.3, 1.5)};
	double phase = rng_unit(r) * arg[0], fine = fmax(arg[0] / FINE, (seconds + 30) / WALK);
	walk[0] = log(3000);
	for (int i = 1; i < WALK; i++)
		walk[i] = fmin(fmax(walk[i - 1] + arg[2] / sqrt(FINE) * rng_normal(r), log(200)), log(60000));
	for (int leg = 0; leg < 2; leg++) {
		int fwd = fwd_of(leg);
		double t = arg[3] > 0 ? phase + leg * arg[3] * rng_unit(r) : rng_unit(r) * arg[0];
		double rtt = rng_between(r, 0.01, 0.1);
		for (; t < seconds; t += arg[0]) {
			double at = t + arg[1] * rng_normal(r);
			double size = exp(level_at(walk, at, fine, wave)) + 3 * rng_normal(r);
			uint32_t told = (uint32_t)fmin(fmax(size, 20), 1e6), other = 120;
			events_add_output(r, &p->ev[fwd], at, arg[4] > 0 ? other : told);
			events_add_output(r, &p->ev[fwd + 1], at + rtt + 0.01 * rng_exp(r, 1),
				arg[4] > 0 ? told : other);
		}
	}
	if (arg[5] <= 0)
		return;
	events_clear(&p->ev[IN_BACK]);
	stream(r, &p->ev[IN_BACK], seconds, arg[5], 0.3);
}

/* V tells R, and somebody else tells R the same, who passes it on to X.  arg: rate, longest lag, jitter, 1:
 * in the same size, 1: both acknowledge / 0: heartbeats of their own, how long acknowledging takes (0: 2 ms)
 */
void shared_feed(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double lag = rng_between(r, 0.001, arg[1]);
	double rtt[2] = {rng_between(r, 0.001, 0.05), rng_between(r, 0.001, 0.05)};
	struct size_law own = size_lognormal(900, 1), beat = size_constant(60);
	double read = arg[5] > 0 ? arg[5] : 0.002;
	for (double t = 1; (t += rng_exp(r, 1 / arg[0])) < seconds;) {
		uint32_t told = (uint32_t)lognormal(r, 500, 1.2) + 1;
		double v = t + arg[2] * rng_exp(r, 1), x = t + lag + arg[2] * rng_exp(r, 1);
		events_add_output(r, &p->ev[OUT_BACK], v, told);
		events_add_output(r, &p->ev[IN_BACK], x, arg[3] > 0 ? told + 12 : size_draw(r, &own));
		if (arg[4] <= 0)
			continue;
		events_add_sized(&p->ev[IN_FWD], x + rtt[0] + read * rng_exp(r, 1), 60);
		events_add_sized(&p->ev[OUT_FWD], v + rtt[1] + read * rng_exp(r, 1), 60);
	}
	for (int leg = 0; leg < 2 && arg[4] <= 0; leg++)
		beacon(r, &p->ev[fwd_of(leg)], rng_unit(r) * 10, seconds, 10, 0.5, &beat);
}

static double log_between(struct rng *r, double from, double to)
{
	return exp(rng_between(r, log(from), log(to)));
}

/* Two bots as above of which nothing is known: each figure is drawn anew for each pair. */
void shared_bots_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double near = log_between(r, 0.0005, 0.1);
	const double law[] = {log_between(r, 0.2, 5), log_between(r, 0.001, 1), log_between(r, 0.0003, 0.1),
		near, near * log_between(r, 1, 10), log_between(r, 0.002, 0.3), rng_unit(r) < 0.5};
	(void)arg;
	shared_bots(r, p, seconds, law);
}

/* One feed two ways, likewise. */
void shared_feed_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	const double law[] = {log_between(r, 0.3, 3), log_between(r, 0.002, 0.3),
		log_between(r, 0.0001, 0.03), rng_unit(r) < 0.5, rng_unit(r) < 0.8,
		log_between(r, 0.0003, 0.03)};
	(void)arg;
	shared_feed(r, p, seconds, law);
}

/* Tasks in step, likewise. */
void shared_lockstep_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double slower = log_between(r, 0.2, 5);
	const double law[] = {log_between(r, 0.02, 5), log_between(r, 0.01, 1), slower, slower,
		log_between(r, 0.0003, 0.1), 0};
	(void)arg;
	shared_lockstep(r, p, seconds, law);
}

/* Tasks in step, likewise, and what R sends to V comes a time after what it sends to X. */
void shared_lockstep_apart(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double slower = log_between(r, 0.2, 5);
	const double law[] = {log_between(r, 0.02, 5), log_between(r, 0.01, 1), slower, slower,
		log_between(r, 0.0003, 0.1), log_between(r, 0.002, 0.4)};
	(void)arg;
	shared_lockstep(r, p, seconds, law);
}

/* One click, IN first, likewise. */
void shared_stream_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	const double law[] = {log_between(r, 0.2, 3), log_between(r, 0.003, 0.3), log_between(r, 0.0003, 0.1),
		rng_unit(r) < 0.5 ? 0 : log_between(r, 0.05, 2), rng_unit(r)};
	(void)arg;
	shared_stream(r, p, seconds, law);
}

/* A page in X's browser and V are of one hand: the page asks R, and R is made to ask V, in the same sizes,
 * and V answers when R does.  arg: rate, jitter of the network, how long before R asks V, spread of how long
 * an answer takes (log) */
void open_framed(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double far = rng_between(r, 0.005, 0.03);
	p->out_answered = rng_unit(r) < 0.5;
	for (double t = 1; (t += 0.3 + rng_exp(r, 1 / arg[0])) < seconds;) {
		uint32_t asked = (uint32_t)lognormal(r, 800, 1.2), said = (uint32_t)lognormal(r, 2000, 1.2);
		double done = t + far + lognormal(r, 0.12, arg[3]);
		events_add_output(r, &p->ev[IN_FWD], t + far + arg[1] * rng_exp(r, 1), asked);
		events_add_output(r, &p->ev[OUT_FWD], t + far + arg[2] + arg[1] * rng_exp(r, 1), asked);
		events_add_output(r, &p->ev[OUT_BACK], done + arg[1] * rng_exp(r, 1), said);
		events_add_output(r, &p->ev[IN_BACK], done + arg[2] + arg[1] * rng_exp(r, 1), said);
	}
}
