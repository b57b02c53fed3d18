#include "scan_gen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0   INT64_C(1795000000000000)
#define MAXB 65536

#define RIVAL_LAG    0.025 /* seconds, so that another in-leg may come late and still before OUT */
#define RIVAL_STEADY 0.0002
#define RIVAL_ALONG  0.012
#define RIVAL_SHARE  0.8 /* of a session, that goes along */

struct gen {
	const struct scan_gen *g;
	uint64_t rng;
	struct store_writer *w;
	struct burst b[2][MAXB], kept[2][MAXB], clocked[2][MAXB];
	size_t n[2], n_kept[2];
	int alike; /* which of the two in-legs of a session: 0 the first */
};

static double unit(struct gen *x)
{
	x->rng ^= x->rng << 13;
	x->rng ^= x->rng >> 7;
	x->rng ^= x->rng << 17;
	return ((double)(x->rng >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(struct gen *x, double mean)
{
	return -mean * log(unit(x));
}

static void put(struct gen *x, int d, double t, double dur, double bytes)
{
	size_t n = x->n[d];
	int64_t at = T0 + (int64_t)(t * 1e6);

	if (n == MAXB || (n && at < burst_end(&x->b[d][n - 1]) + BURST_GAP_RECORDED_US))
		return;
	x->b[d][x->n[d]++] =
		(struct burst){at, (uint32_t)(dur * 1e6), 1 + (uint32_t)(bytes / 1400), (uint64_t)bytes + 1};
}

/* A question and its answer. */
static void ask(struct gen *x, double t, double rtt, double dur, double bytes)
{
	put(x, 0, t, 0, 36 + 40 * unit(x));
	put(x, 1, t + rtt * (1 + 0.5 * unit(x)), dur, bytes);
}

static void typed(struct gen *x, double t, double end)
{
	double rtt = 0.01 + 0.05 * unit(x) + (x->g->rivals ? 3 * RIVAL_LAG : 0);

	while (t < end) {
		double busy = t + exponential(x, 8);
		for (; t < busy && t < end; t += 0.5 / x->g->rate + exponential(x, 0.5 / x->g->rate))
			ask(x, t, rtt, unit(x) < 0.1 ? 0.1 * unit(x) : 0,
				36 + (unit(x) < 0.1 ? 4000 * unit(x) : 0));
		t += exponential(x, 6);
	}
}

static void web(struct gen *x, double t, double end)
{
	double rtt = 0.02 + 0.1 * unit(x);

	while (t < end) {
		for (int i = 0, n = 3 + (int)(15 * unit(x)); i < n && t < end; i++, t += exponential(x, 0.15))
			ask(x, t, rtt, 0.3 * unit(x) * unit(x), 1e5 * unit(x) * unit(x));
		t += exponential(x, 20);
	}
}

static void beacon(struct gen *x, double t, double end)
{
	double period = 1 + 30 * unit(x) * unit(x), jitter = 0.05 * unit(x) * period,
	       rtt = 0.02 + 0.1 * unit(x);

	for (; t < end; t += period)
		ask(x, t + jitter * unit(x), rtt, 0, 200);
}

static void idle(struct gen *x, double t, double end)
{
	for (double period = 15 + 45 * unit(x); t < end; t += period)
		ask(x, t + 0.002 * unit(x), 0.03, 0, 36);
}

/* A server that sends of its own accord. */
static void stream(struct gen *x, double t, double end)
{
	for (; t < end; t += 0.12 + exponential(x, 0.5 / x->g->rate)) {
		if (unit(x) < 0.1)
			put(x, 0, t, 0, 50);
		put(x, 1, t + 0.03, 0.05 * unit(x), 2000);
	}
}

typedef void (*traffic_fn)(struct gen *x, double t, double end);
static const traffic_fn makers[TRAFFICS] = {typed, web, beacon, idle, stream};

static void session(struct gen *x, bool linked)
{
	const struct scan_gen *g = x->g;
	unsigned kinds = g->kinds ? g->kinds : 15;
	double life = g->seconds, from = 0;
	unsigned k = 0;

	if (g->span > g->seconds) {
		life = g->seconds * (0.1 + 0.9 * unit(x));
		from = (g->span - life) * unit(x);
	}
	x->n[0] = x->n[1] = 0;
	do
		k = (unsigned)(unit(x) * TRAFFICS);
	while (!(kinds >> k & 1) || (linked && k > TRAFFIC_WEB));
	makers[k](x, from + unit(x), from + life);
	if (x->n[0] == 0)
		ask(x, from, 0.03, 0, 36);
}

/* What a relay makes of it: later on the way, earlier on the way back. */
static void relayed(struct gen *x)
{
	static const double sign[2] = {1, -1};
	double lag = 0.001 + 0.004 * unit(x) + (x->g->rivals ? RIVAL_LAG : 0);
	double jitter = x->g->rivals ? RIVAL_STEADY : 0.004;

	for (int d = 0; d < 2; d++) {
		int64_t last = INT64_MIN;
		for (size_t i = 0; i < x->n[d]; i++) {
			int64_t t = x->b[d][i].start_us + (int64_t)(sign[d] * 1e6 * (lag + jitter * unit(x)));
			x->b[d][i].start_us = t > last ? t : last + 1;
			last = x->b[d][i].start_us;
		}
	}
}

/* The way of the second in-leg of a session, by turns. */
enum alike { ALIKE_RIVAL = 1, ALIKE_PEER, ALIKE_ALONG };

static void make_alike(struct gen *x)
{
	double jitter = x->alike == ALIKE_ALONG ? RIVAL_ALONG : RIVAL_STEADY;

	for (int d = 0; d < 2; d++) {
		int64_t last = INT64_MIN;
		if (x->alike == ALIKE_ALONG)
			x->n[d] = (size_t)(RIVAL_SHARE * (double)x->n[d]);
		for (size_t i = 0; i < x->n[d]; i++) {
			int64_t t = x->b[d][i].start_us + (int64_t)(1e6 * jitter * unit(x));
			x->b[d][i].start_us = t > last ? t : last + 1;
			last = x->b[d][i].start_us;
		}
	}
}

/* The bursts as a point's clock has them. */
static struct burst *on_clock(struct gen *x, int d, size_t point)
{
	memcpy(x->clocked[d], x->b[d], x->n[d] * sizeof(struct burst));
	for (size_t i = 0; i < x->n[d]; i++)
		x->clocked[d][i].start_us += (int64_t)point * x->g->clock_us;
	return x->clocked[d];
}

static enum status write_at(struct gen *x, size_t k, bool in, size_t point, struct err *e)
{
	static const char *const names[] = {"p0", "p1", "p2", "p3"};
	const struct scan_gen *g = x->g;
	size_t host = k % g->hosts + (!in && g->any ? g->hosts : 0);
	struct endpoint own = {
		ip_v4((const uint8_t[4]){10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host}),
		in ? 22 : (uint16_t)(20000 + k % 40000)};
	uint8_t net =
		(uint8_t)(18 + (in ? 0 : 1) + (x->alike == ALIKE_RIVAL || x->alike == ALIKE_ALONG ? 2 : 0));
	struct endpoint far = {ip_v4((const uint8_t[4]){198, net, (uint8_t)(k >> 8), (uint8_t)k}),
		in ? (uint16_t)(20000 + k % 40000 + (x->alike ? 5000 : 0)) : 22};
	struct chunk c = {.head = {.point = names[point],
				  .proto = 6,
				  .flags = FLOW_SYN | FLOW_SYNACK,
				  .isn = {(uint32_t)(2 * k + in) * 2654435761U + (uint32_t)x->alike,
					  (uint32_t)(2 * k + in) * 40503U + 77},
				  .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}}};

	c.head.end[0] = in ? far : own;
	c.head.end[1] = in ? own : far;
	c.head.first_us = INT64_MAX;
	for (int d = 0; d < 2; d++) {
		struct burst *b = on_clock(x, d, point);
		c.burst[d] = b;
		c.n_burst[d] = x->n[d];
		if (x->n[d] == 0)
			continue;
		c.count[d] = (struct flow_count){
			x->n[d], x->n[d] * 100, x->n[d] * 36, b[0].start_us, burst_end(&b[x->n[d] - 1])};
		if (b[0].start_us < c.head.first_us)
			c.head.first_us = b[0].start_us;
	}
	return flow_make_id(&c.head) ? store_append(x->w, &c, e) : err_nomem(e);
}

static enum status write_flow(struct gen *x, size_t k, bool in, struct err *e)
{
	size_t points = x->g->points ? x->g->points : 1, at = (k / 3 + !in) % points;
	enum status s = write_at(x, k, in, at, e);

	if (s == STATUS_OK && x->g->copies && k % 3 == 0 && points > 1)
		s = write_at(x, k, in, (at + 1) % points, e);
	return s;
}

/* Another in-leg of the session that is in hand. */
static enum status write_alike(struct gen *x, size_t k, struct err *e)
{
	memcpy(x->kept, x->b, sizeof(x->b));
	memcpy(x->n_kept, x->n, sizeof(x->n));
	x->alike = 1 + (int)(k % ALIKE_ALONG);
	make_alike(x);
	enum status s = write_flow(x, k, true, e);
	x->alike = 0;
	memcpy(x->b, x->kept, sizeof(x->b));
	memcpy(x->n, x->n_kept, sizeof(x->n));
	return s;
}

static enum status cover(struct gen *x, struct err *e)
{
	static const char *const names[] = {"p0", "p1", "p2", "p3"};
	enum status s = STATUS_OK;

	for (size_t p = 0; p < (x->g->points ? x->g->points : 1) && s == STATUS_OK; p++) {
		struct coverage c = {.point = names[p],
			.span = {T0 - 10 * SECOND_US, T0 + (int64_t)((x->g->span + 20) * 1e6)}};
		s = store_cover(x->w, &c, e);
		for (int i = 0; i < x->g->blind && s == STATUS_OK; i++) {
			int64_t at = T0 + (int64_t)(unit(x) * x->g->span * 1e6);
			struct coverage b = {.point = names[p],
				.blind = true,
				.span = {at, at + (int64_t)(unit(x) * 3e6)}};
			s = store_cover(x->w, &b, e);
		}
	}
	return s;
}

enum status scan_gen_write(const struct scan_gen *g, const char *dir, struct err *e)
{
	struct gen *x = calloc(1, sizeof(*x));
	enum status s = x ? store_prepare(&world_real, dir, e) : err_nomem(e);

	if (s == STATUS_OK) {
		x->g = g;
		x->rng = g->seed * 0x9e3779b97f4a7c15U + 1;
		s = store_writer_open(&x->w, &world_real, dir, e);
	}
	if (s == STATUS_OK)
		s = cover(x, e);
	for (size_t k = 0; k < g->in && s == STATUS_OK; k++) {
		bool linked = k < g->links;
		session(x, linked);
		s = write_flow(x, k, true, e);
		if (k < g->rivals && s == STATUS_OK)
			s = write_alike(x, k, e);
		if (linked && s == STATUS_OK) {
			relayed(x);
			s = write_flow(x, k, false, e);
		}
		if (s == STATUS_OK && k % 1000 == 999)
			s = store_flush(x->w, false, e);
	}
	for (size_t k = g->links; k < g->out && s == STATUS_OK; k++) {
		session(x, false);
		s = write_flow(x, k, false, e);
		if (s == STATUS_OK && k % 1000 == 999)
			s = store_flush(x->w, false, e);
	}
	if (s == STATUS_OK)
		s = store_writer_close(x->w, e);
	free(x);
	return s;
}
