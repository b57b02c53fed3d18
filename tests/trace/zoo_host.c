/* What programs on one host do side by side: browsers, downloads, proxies with many clients, control servers,
 * the host's own lookups.  In goes the random source, out come the packets of two flows of which, as a rule,
 * neither carries the other; the table says of each class what is common to both. */
#include <math.h>

#include "zoo_parts.h"

/* Two flows of one client. */
struct two_flows {
	struct events asked[2], said[2];
};

static void swap_events(struct events *x, struct events *y)
{
	struct events z = *x;
	*x = *y;
	*y = z;
}

static void seat(struct zoo_pair *p, struct two_flows *f, int view)
{
	static const int seats[3][LANES] = {/* lanes of asked 0, said 0, asked 1, said 1 */
		{IN_FWD, IN_BACK, OUT_FWD, OUT_BACK}, {IN_BACK, IN_FWD, OUT_FWD, OUT_BACK},
		{IN_FWD, IN_BACK, OUT_BACK, OUT_FWD}};
	p->in_opened = view == VIEW_CLIENT;
	p->out_answered = view == VIEW_SERVER;
	for (int k = 0; k < 2; k++) {
		swap_events(&p->ev[seats[view][2 * k]], &f->asked[k]);
		swap_events(&p->ev[seats[view][2 * k + 1]], &f->said[k]);
		events_free(&f->asked[k]);
		events_free(&f->said[k]);
	}
}

/* A page's objects come in groups: what a script or a style names is fetched at once, over either flow.
 * arg: rate of pages, mean number of objects, 1: a flow asks only when it was answered, where R stands */
void shared_browser(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct two_flows f = {0};
	struct size_law object = size_lognormal(6000, 1.5);
	double rtt[2] = {rng_between(r, 0.005, 0.1), rng_between(r, 0.005, 0.1)}, free_at[2] = {0, 0};
	for (double t = 0; (t += rng_exp(r, 1.0 / arg[0])) < seconds;) {
		int left = 1 + (int)rng_exp(r, arg[1]);
		for (double at = t; left > 0; at += rng_exp(r, 0.25)) {
			double start = at;
			for (int group = 1 + (int)rng_exp(r, 3); group > 0 && left > 0; group--, left--) {
				int k = rng_unit(r) < 0.5;
				start += rng_exp(r, 0.002);
				double asked = arg[2] > 0 && free_at[k] > start ? free_at[k] : start;
				double said = asked + rtt[k] + lognormal(r, 0.02, 0.8);
				events_add_sized(&f.asked[k], asked, 300 + (uint32_t)rng_exp(r, 200));
				events_add_output(r, &f.said[k], said, size_draw(r, &object));
				free_at[k] = said + rng_exp(r, 0.003);
			}
		}
	}
	seat(p, &f, (int)arg[3]);
}

/* Two people, each with a browser.  arg: rate of pages, mean number of objects */
void null_browsers(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		int fwd = leg == 0 ? IN_FWD : OUT_FWD;
		struct size_law object = size_lognormal(6000, 1.5);
		double rtt = rng_between(r, 0.005, 0.1);
		for (double t = 0; (t += rng_exp(r, 1.0 / arg[0])) < seconds;) {
			double at = t;
			for (int left = 1 + (int)rng_exp(r, arg[1]); left > 0; left--) {
				events_add_sized(&p->ev[fwd], at, 300 + (uint32_t)rng_exp(r, 200));
				at += rtt + lognormal(r, 0.02, 0.8);
				events_add_output(r, &p->ev[fwd + 1], at, size_draw(r, &object));
				at += rng_unit(r) < 0.7 ? rng_exp(r, 0.003) : rng_exp(r, 0.3);
			}
		}
	}
}

/* curl --parallel: two flows that start together and share a link; each asks for the next file when it has
 * one.  arg: mean time between calls, files of a call, link in bytes per second, where R stands */
void shared_downloads(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct two_flows f = {0};
	double rtt[2] = {rng_between(r, 0.005, 0.1), rng_between(r, 0.005, 0.1)};
	for (double t = 0; (t += rng_exp(r, arg[0])) < seconds;) {
		double left[2] = {0, 0}, begin[2] = {0, 0};
		int files = (int)arg[1];
		for (double now = t; files > 0 || left[0] > 0 || left[1] > 0;) {
			int k = left[0] <= 0 ? 0 : left[1] <= 0 ? 1 : rng_unit(r) < 0.5;
			if (left[k] <= 0 && files == 0)
				k = 1 - k;
			if (left[k] <= 0) {
				files--;
				left[k] = lognormal(r, 100000, 1.2);
				events_add_sized(&f.asked[k], now + rng_exp(r, 0.0005), 120);
				begin[k] = now + rtt[k];
			}
			double chunk = left[k] < 20 * SEGMENT ? left[k] : 20 * SEGMENT;
			now = (now > begin[k] ? now : begin[k]) + chunk / arg[2];
			events_add_sized(&f.said[k], now, (uint32_t)chunk + 1);
			left[k] -= chunk;
		}
	}
	seat(p, &f, (int)arg[3]);
}

/* A reverse proxy's client and one of its pooled connections, which serves others: their pages are of one
 * site.  arg: rate of IN, rate of OUT, number of pages, 1: the load comes and goes for both */
void null_haproxy(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	enum { PAGES = 64 };
	double size[PAGES], takes[PAGES];
	int n = (int)arg[2];
	for (int i = 0; i < n; i++) {
		size[i] = lognormal(r, 4000, 1.5);
		takes[i] = lognormal(r, 0.015, 1.0);
	}
	double period = rng_between(r, 20, 60);
	for (int leg = 0; leg < 2; leg++) {
		double rtt = rng_between(r, 0.0005, 0.05);
		int fwd = leg == 0 ? IN_FWD : OUT_FWD;
		for (double t = 0; (t += rng_exp(r, 1.0 / arg[leg])) < seconds;) {
			if (arg[3] > 0 && rng_unit(r) < 0.5 + 0.5 * sin(6.283185307 * t / period))
				continue;
			int page = (int)((double)n * pow(rng_unit(r), 3)); /* some are asked for often */
			events_add_sized(&p->ev[fwd], t, 400 + (uint32_t)page * 3);
			events_add_output(r, &p->ev[fwd + 1],
				t + rtt + takes[page] * rng_between(r, 0.9, 1.3), (uint32_t)size[page] + 200);
		}
	}
}

/* A server that looks up its clients: of IN's requests a share sets off a query on OUT, beside those for
 * other clients.  arg: rate of IN, rate of other queries, share, 1: IN is answered only then */
void reacts_lookup(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	struct size_law asked = size_lognormal(500, 0.3), page = size_lognormal(3000, 1.2);
	double rtt = rng_between(r, 0.0005, 0.03);
	for (double t = 0; (t += rng_exp(r, 1.0 / arg[0])) < seconds;) {
		double done = t + lognormal(r, 0.01, 0.8);
		events_add_sized(&p->ev[IN_FWD], t, size_draw(r, &asked));
		if (rng_unit(r) < arg[2]) {
			double query = t + rng_between(r, 0.0002, 0.002),
			       got = query + rtt + rng_exp(r, 0.01);
			events_add_sized(&p->ev[OUT_FWD], query, 45);
			events_add_sized(&p->ev[OUT_BACK], got, 80 + (uint32_t)rng_exp(r, 60));
			if (arg[3] > 0 && got > done)
				done = got + rng_exp(r, 0.002);
		}
		events_add_output(r, &p->ev[IN_BACK], done, size_draw(r, &page));
	}
	struct size_law law = size_lognormal(45, 0.1), answers = size_lognormal(120, 0.4);
	struct events of_others = {0};
	poisson(r, &of_others, 0, seconds, arg[1], &law);
	respond(r, &of_others, &p->ev[OUT_FWD], 0, 0, 1);
	answer(r, &of_others, &p->ev[OUT_BACK], rtt, 0.02, 1, &answers);
	events_free(&of_others);
}

/* ntpd: one timer, once a second, sends to each server that is due; polls of 64 s spread by a few. */
void null_ntp(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	double phase = rng_unit(r);
	for (int leg = 0; leg < 2; leg++) {
		int fwd = leg == 0 ? IN_FWD : OUT_FWD;
		double rtt = rng_between(r, 0.005, 0.15);
		double t = phase + floor(rng_between(r, 0, arg[0]));
		while (t < seconds) {
			double sent = t + 0.0002 * rng_unit(r) + 0.0001 * leg;
			events_add_sized(&p->ev[fwd], sent, 48);
			events_add_sized(&p->ev[fwd + 1], sent + rtt + 0.002 * rng_unit(r), 48);
			t += floor(arg[0] + rng_between(r, -arg[1], arg[1]));
		}
	}
}

/* Frames at a fixed rate whose sizes vary: a large one every so many, lognormal ones between; reports go
 * back. arg: frames per second (0: 25 or 30), frames of a group */
void null_video(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		int fwd = leg == 0 ? IN_FWD : OUT_FWD;
		double step = 1.0 / (arg[0] > 0 ? arg[0] : rng_unit(r) < 0.5 ? 25 : 30), spread = rng_unit(r);
		double t = rng_unit(r) * step;
		for (int i = (int)(rng_unit(r) * arg[1]); t < seconds; i++, t += step) {
			int whole = i % (int)arg[1] == 0;
			events_add_sized(&p->ev[fwd], t + 0.001 * rng_unit(r),
				(uint32_t)lognormal(r, whole ? 30000 : 4000, spread));
		}
		struct size_law report = size_constant(60);
		beacon(r, &p->ev[fwd + 1], rng_unit(r), seconds, 1.0, 0.1, &report);
	}
}

/* All of R's packets leave through one queue that the other 300 sessions fill now and then. */
void null_queue(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	static const int leaves[2] = {IN_BACK, OUT_FWD};
	null_typists(r, p, seconds, arg);
	events_sort(&p->ev[IN_BACK]);
	double next = rng_exp(r, arg[0]), peak = 0, from = 0;
	size_t at[2] = {0, 0};
	for (;; from = next, peak = rng_exp(r, arg[1]), next += rng_exp(r, arg[0])) {
		for (int k = 0; k < 2; k++)
			for (struct events *e = &p->ev[leaves[k]]; at[k] < e->n && e->t[at[k]] < next;
				at[k]++) {
				double wait = peak - (e->t[at[k]] - from); /* it drains as time goes */
				e->t[at[k]] += wait > 0 ? wait : 0;
			}
		if (next > seconds + 60)
			return;
	}
}

/* A host that asks a control server for work, as a program does: at one period and always alike; the other
 * flow is anything.  arg: shortest and longest period, jitter as a share of it, rate of commands */
void null_control(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	int leg = rng_unit(r) < 0.5, fwd = leg == 0 ? IN_FWD : OUT_FWD;
	double period = exp(rng_between(r, log(arg[0]), log(arg[1]))), rtt = rng_between(r, 0.01, 0.2);
	double command = arg[3] > 0 ? rng_exp(r, 1 / arg[3]) : 2 * seconds;
	uint32_t ask = 40 + (uint32_t)rng_exp(r, 200), none = 20 + (uint32_t)rng_exp(r, 100);
	for (double t = rng_unit(r) * period; t < seconds; t += period * (1 + arg[2] * (rng_unit(r) - 0.5))) {
		double said = t + rtt + 0.002 * rng_unit(r);
		events_add_sized(&p->ev[fwd], t, ask);
		if (t < command) {
			events_add_sized(&p->ev[fwd + 1], said, none);
			continue;
		}
		events_add_output(r, &p->ev[fwd + 1], said, none + (uint32_t)rng_exp(r, 300));
		events_add_output(
			r, &p->ev[fwd], said + lognormal(r, 0.1, 1), (uint32_t)lognormal(r, 3000, 1.3));
		command = t + rng_exp(r, 1 / arg[3]);
	}
	int other = leg == 0 ? OUT_FWD : IN_FWD;
	any_leg(r, p, other, other + 1, seconds);
}

/* Logins, a flow each, merged into one train a leg: R is sprayed by X and sprays V with other work.
 * arg: logins a leg, 1: at a fixed period, both work and rest for so long (0: no rest) */
void null_logins(struct rng *r, struct zoo_pair *p, double seconds, const double *arg)
{
	for (int leg = 0; leg < 2; leg++) {
		int fwd = leg == 0 ? IN_FWD : OUT_FWD;
		double rtt = rng_between(r, 0.005, 0.12), every = seconds / arg[0], t = rng_unit(r) * every;
		for (int i = 0; i < (int)arg[0] && t < seconds; i++) {
			if (arg[2] > 0 && fmod(t, 2 * arg[2]) > arg[2])
				t += 2 * arg[2] - fmod(t, 2 * arg[2]) + rng_exp(r, every);
			login(r, &p->ev[fwd], &p->ev[fwd + 1], t, rtt);
			t += arg[1] > 0 ? every : rng_exp(r, every);
		}
	}
}

/* A login: three times the client says something and is answered. */
void login(struct rng *r, struct events *fwd, struct events *back, double t, double rtt)
{
	static const double asked[3] = {40, 1500, 140}, said[3] = {60, 1100, 80};
	for (int i = 0; i < 3; i++) {
		double got = t + rtt + lognormal(r, i == 2 ? 0.15 : 0.01, 0.7);
		events_add_sized(fwd, t, (uint32_t)(asked[i] * rng_between(r, 0.9, 1.2)));
		events_add_sized(back, got, (uint32_t)(said[i] * rng_between(r, 0.9, 1.2)));
		t = got + lognormal(r, 0.15, 0.6);
	}
}
