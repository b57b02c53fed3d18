/* The relay zoo: a person types at X, R passes it on to V, V answers, R passes the answer back.  In goes the
 * random source, out come the packets of both legs as seen at R. */
#include <math.h>
#include <stddef.h>

#include "zoo_parts.h"

#define TICK_S 0.02

#define TICK_BYTES 36

/* What a relay does to times. */
struct lag {
	double delay, jitter, slow; /* slow: share of packets that wait up to a second more */
};

/* from's packets come out of a program that keeps their order, in the same sizes. */
static void pass_on(struct rng *r, const struct events *from, struct events *to, const struct lag *lag)
{
	double last = -1;
	for (size_t i = 0; i < from->n; i++) {
		double t = from->t[i] + lag->delay + lag->jitter * rng_unit(r);
		if (lag->slow > 0 && rng_unit(r) < lag->slow)
			t += rng_unit(r);
		last = t > last ? t : last + 0.00001;
		events_add_sized(to, last, from->bytes[i]);
	}
}

/* OpenSSH 9.5: keys wait for the next of the 20 ms ticks, which go on for 1.0 to 3.1 s after the last key.
 * wire: all packets; keys: replaced by when the far side has them. */
static void hide_keys(struct rng *r, struct events *keys, struct events *wire)
{
	size_t i = 0;
	while (i < keys->n) {
		double tick = keys->t[i];
		double stop = tick + rng_between(r, 1.024, 3.072);
		for (; tick < stop; tick += TICK_S + 0.002 * rng_unit(r)) {
			int key = 0;
			while (i < keys->n && keys->t[i] <= tick) {
				keys->t[i++] = tick;
				key = 1;
			}
			if (key)
				stop = tick + rng_between(r, 1.024, 3.072);
			events_add_sized(wire, tick, TICK_BYTES);
		}
	}
}

/* Hidden typing in, something unrelated out.  arg: 0 a typist / 1 another hidden typist / 2 a clock of 20 ms
 * that starts and stops; 1: IN's ticks are exact */
void null_hidden(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct events keys = {0}, said = {0};
	typist(r, &keys, &said, 0, seconds);
	hide_keys(r, &keys, &p->ev[IN_FWD]);
	if (arg[1] > 0)
		for (size_t i = 0; i < p->ev[IN_FWD].n; i++)
			p->ev[IN_FWD].t[i] = TICK_S * floor(p->ev[IN_FWD].t[i] / TICK_S);
	respond(r, &p->ev[IN_FWD], &p->ev[IN_BACK], 0.0002, 0.0005, 1.0);
	events_clear(&keys);
	events_clear(&said);
	typist(r, &keys, &said, 0, seconds);
	if (arg[0] == 3)
		for (double t = rng_unit(r); t < seconds; t += 0.105 + 0.002 * rng_normal(r))
			events_add_sized(&p->ev[OUT_FWD], t, TICK_BYTES);
	else if (arg[0] == 1)
		hide_keys(r, &keys, &p->ev[OUT_FWD]);
	else
		respond(r, &keys, &p->ev[OUT_FWD], 0, 0, 1.0);
	double phase = rng_unit(r) * TICK_S;
	if (arg[0] == 2)
		for (size_t i = 0; i < p->ev[OUT_FWD].n; i++)
			p->ev[OUT_FWD].t[i] = phase + TICK_S * floor(p->ev[OUT_FWD].t[i] / TICK_S);
	respond(r, &p->ev[OUT_FWD], &p->ev[OUT_BACK], rng_between(r, 0.002, 0.12), 0.003, 1.0);
	events_free(&keys);
	events_free(&said);
}

/* V says what it says when it has the key: each of said's times moves as the last key before it did. */
static void answer_late(const struct events *typed, const struct events *arrived, struct events *said)
{
	size_t k = 0;
	for (size_t i = 0; i < said->n; i++) {
		while (k + 1 < typed->n && typed->t[k + 1] <= said->t[i])
			k++;
		if (typed->n > 0)
			said->t[i] += arrived->t[k] - typed->t[k];
	}
	events_sort(said);
}

static void wrap_all(struct events *e, const struct wrap *w)
{
	for (size_t i = 0; i < e->n; i++)
		e->bytes[i] = wrap_size(w, e->bytes[i]);
}

/* One leg carries the bare payload, the other one what the carrier makes of it; both are encrypted anew where
 * it is padded. */
static void carry(struct rng *r, struct zoo_pair *p, enum carrier kind)
{
	int wrapped = rng_unit(r) < 0.5 ? IN_FWD : OUT_FWD;
	for (int lane = IN_FWD; lane < LANES; lane += 2) {
		struct wrap w = wrap_draw(r, kind);
		if (lane != wrapped && kind != CARRIER_PADDED)
			continue;
		wrap_all(&p->ev[lane], &w);
		wrap_all(&p->ev[lane + 1], &w);
	}
}

/* Cover traffic looks like the keys or like what commands say. */
static void chaff(struct rng *r, struct events *to, double seconds, double rate, uint32_t key)
{
	struct size_law law = rng_unit(r) < 0.5 ? size_constant(key) : size_lognormal(150, 1.4);
	poisson(r, to, 0, seconds, rate, &law);
}

/* Nothing after the n-th burst, but at least `seconds`. */
static void cut(struct events *e, double seconds, double n)
{
	size_t i = 0;
	for (double last = -1; i < e->n; last = e->t[i++]) {
		n -= e->t[i] - last >= 0.1;
		if (e->t[i] >= seconds && n < 0)
			break;
	}
	e->n = i;
}

static void drop_after(struct events *e, double t)
{
	events_sort(e);
	while (e->n > 0 && e->t[e->n - 1] > t)
		e->n--;
}

/* What is typed, and what is said to it at V as if the key were there at once. */
static void session(
	struct rng *r, struct events *keys, struct events *said, double seconds, const double *arg)
{
	if (arg[4] > 0) {
		struct events replies = {0};
		gap_train(r, keys, &replies, seconds, 5.0);
		respond(r, &replies, said, 0.001, 0.002, 0.95);
		events_free(&replies);
	} else {
		typist(r, keys, said, 0, arg[7] > 0 ? 20 * seconds : seconds);
	}
	if (arg[7] > 0) {
		cut(keys, seconds, arg[7]);
		drop_after(said, keys->n > 0 ? keys->t[keys->n - 1] + 1 : 0);
	}
	events_sort(said);
}

static void hide_leg(struct rng *r, struct zoo_pair *p, struct events *keys, int hide)
{
	if (hide > 0)
		hide_keys(r, keys, &p->ev[IN_FWD]);
	else
		respond(r, keys, &p->ev[IN_FWD], 0, 0, 1.0);
}

/* arg: delay, jitter, chaff in OUT (share of its packets), 0 plain / 1 IN hides keys / 2 and its answers are
 * hidden by pongs, 0 typist / 1 real gaps x5, what the carrier does to sizes: an enum carrier or CARRIERS for
 * any, share of packets that wait up to a second, at least so many bursts */
void relay_session(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct events keys = {0}, said = {0}, typed = {0};
	struct lag lag = {arg[0], arg[1], arg[6]}, path = {rng_between(r, 0.002, 0.12), 0.002, 0};
	enum carrier kind = (enum carrier)arg[5];
	session(r, &keys, &said, seconds, arg);
	respond(r, &keys, &typed, 0, 0, 1.0);
	hide_leg(r, p, &keys, arg[3] > 0);
	pass_on(r, &keys, &p->ev[OUT_FWD], &lag);
	answer_late(&typed, &p->ev[OUT_FWD], &said);
	pass_on(r, &said, &p->ev[OUT_BACK], &path);
	pass_on(r, &p->ev[OUT_BACK], &p->ev[IN_BACK], &lag);
	carry(r, p, kind == CARRIERS ? (enum carrier)(rng_next(r) % CARRIERS) : kind);
	double life = keys.n > 0 ? keys.t[keys.n - 1] : seconds;
	chaff(r, &p->ev[OUT_FWD], life, arg[2] * (double)keys.n / life, keys.n > 0 ? keys.bytes[0] : 36);
	if (arg[3] > 1)
		respond(r, &p->ev[IN_FWD], &p->ev[IN_BACK], 0.0002, 0.0005, 1.0);
	events_free(&keys);
	events_free(&said);
	events_free(&typed);
}

/* A session of which one direction was told by ACK numbers.  arg: as relay_session, but 6: the lane */
void relay_half(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double plain[8] = {arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], 0, 0};
	relay_session(r, p, seconds, plain);
	derive(r, p, (int)arg[6], rng_between(r, 0.0005, 0.06));
}

/* The tunnel's wire: when the client asks and what each answer brings.  pending: queries that the server has
 * not answered. */
static void poll(struct rng *r, struct zoo_pair *p, const struct events *up, const struct events *down,
	double seconds, int lazy)
{
	struct events *asked = &p->ev[IN_FWD], *said = &p->ev[IN_BACK];
	double rtt = rng_between(r, 0.005, 0.08), period = lazy ? 4.0 : rng_between(r, 0.1, 1.0);
	double next = rng_unit(r) * period;
	size_t u = 0, d = 0;
	while (next < seconds || u < up->n) {
		double t = u < up->n && up->t[u] < next ? up->t[u] : next;
		uint32_t bytes = 0, got = 0;
		while (u < up->n && up->t[u] <= t)
			bytes += up->bytes[u++];
		events_add_sized(asked, t, 45 + bytes + bytes / 2); /* text in names */
		double held =
			t; /* lazily: until there is something, or the client says more, or 4 s are over */
		double more = u < up->n && up->t[u] < t + period ? up->t[u] : t + period;
		if (lazy && (d >= down->n || down->t[d] > t))
			held = d < down->n && down->t[d] < more ? down->t[d] : more;
		while (d < down->n && down->t[d] <= held && got < 1100)
			got += down->bytes[d++];
		events_add_sized(said, held + 0.0003 * rng_unit(r), 60 + got);
		next = lazy ? held + rtt + 0.001 * rng_unit(r) : next <= t ? next + period : next;
	}
}

/* What IN carries goes through a tunnel in which only the client may speak: what goes up is in its queries,
 * at once; what comes down in the answers to them, of which the server holds one back (lazy) or none. */
static void tunnel(struct rng *r, struct zoo_pair *p, double seconds, int lazy)
{
	struct events up = p->ev[IN_FWD], down = p->ev[IN_BACK];
	p->ev[IN_FWD] = p->ev[IN_BACK] = (struct events){0};
	events_sort(&up);
	events_sort(&down);
	poll(r, p, &up, &down, seconds, lazy);
	events_free(&up);
	events_free(&down);
}

/* IN is such a tunnel.  arg: delay, jitter, 0: lazy / 1: a query each period / 2: either */
void relay_polled(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct events said = {0}, typed = {0};
	struct lag lag = {arg[0], arg[1], 0}, path = {rng_between(r, 0.002, 0.12), 0.002, 0};
	int lazy = arg[2] < 1 || (arg[2] > 1 && rng_unit(r) < 0.5);
	typist(r, &p->ev[IN_FWD], &said, 0, seconds);
	events_sort(&said);
	respond(r, &p->ev[IN_FWD], &typed, 0, 0, 1.0);
	pass_on(r, &p->ev[IN_FWD], &p->ev[OUT_FWD], &lag);
	answer_late(&typed, &p->ev[OUT_FWD], &said);
	pass_on(r, &said, &p->ev[OUT_BACK], &path);
	pass_on(r, &p->ev[OUT_BACK], &p->ev[IN_BACK], &lag);
	tunnel(r, p, seconds, lazy);
	events_free(&said);
	events_free(&typed);
}

/* A common cause of which nothing is known, beside a tunnel that polls: X is in it.  arg: the cause */
void shared_tunnel(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	static void (*const cause[])(struct rng *, struct zoo_pair *, double, const double *) = {
		shared_bots_any, shared_feed_any, shared_lockstep_any, shared_stream_any,
		shared_lockstep_apart};
	cause[(int)arg[0]](r, p, seconds, arg);
	tunnel(r, p, seconds, rng_unit(r) < 0.5);
}

/* Logins of one program through R, a flow each on either leg, merged into a train a lane.  arg: delay,
 * jitter, number */
void relay_logins(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct lag lag = {arg[0], arg[1], 0};
	double rtt = rng_between(r, 0.005, 0.12), t = 0;
	for (int i = 0; i < (int)arg[2]; i++) {
		struct events asked = {0}, said = {0};
		t += rng_exp(r, seconds / arg[2]);
		login(r, &asked, &said, t, rtt + lag.delay + lag.jitter / 2);
		respond(r, &asked, &p->ev[IN_FWD], 0, 0, 1.0);
		pass_on(r, &asked, &p->ev[OUT_FWD], &lag);
		respond(r, &said, &p->ev[OUT_BACK], 0, 0, 1.0);
		pass_on(r, &said, &p->ev[IN_BACK], &lag);
		events_free(&asked);
		events_free(&said);
	}
	carry(r, p, (enum carrier)(rng_next(r) % CARRIERS));
}
