/* Views made in memory of a proxy that carries many short flows: see spray.h.
 *
 * A login: the client asks, the proxy passes it on after a lag, the victim answers after a while, the proxy
 * passes that back; the tool asks on at once. */
#include "spray.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BURSTS_MOST  200
#define SECONDS_MOST 100000

static uint64_t state;

void spray_seed(uint64_t seed)
{
	state = seed * 2 + 1;
	for (int i = 0; i < 8; i++)
		(void)spray_unit();
}

double spray_unit(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

double spray_exp(double mean)
{
	return -mean * log(1 - spray_unit());
}

void spray_begin(struct spray *s, const char *relay)
{
	*s = (struct spray){.t = {.alpha = 1e-6, .alpha_most = 1}, .cfg = {.clock_skew_us = 2 * SECOND_US}};
	s->t.cfg = &s->cfg;
	s->view = calloc(1, sizeof(*s->view));
	assert_non_null(s->view);
	assert_true(ip_parse(&s->view->host, relay));
	s->view->rec = &s->view->own;
}

void spray_ready(struct spray *s)
{
	static struct coverage seen[2] = {{.point = "border"}, {.point = "core"}};
	struct view *v = s->view;

	for (int i = 0; i < 2; i++)
		seen[i].span =
			(struct span){SPRAY_T0 - SECOND_US, SPRAY_T0 + SECONDS_MOST * INT64_C(1000000)};
	v->own.coverage = seen;
	v->own.n_coverage = 2;
	v->own.flow = s->flow;
	v->own.n_flow = v->n = s->n;
	v->by_tuple = arena_array(&v->own.arena, v->n + 1, sizeof(*v->by_tuple));
	assert_non_null(v->by_tuple);
	for (size_t i = 0; i < v->n; i++)
		v->by_tuple[i] = &s->flow[i];
	if (v->n)
		view_sort(v);
}

void spray_end(struct spray *s)
{
	arena_free(&s->view->own.arena);
	relink_free(&s->t.room);
	free(s->view);
	free(s->flow);
}

/* ---- flows ---- */

static uint64_t size_of(int d, size_t i, uint64_t word)
{
	static const uint64_t base[2][4] = {{36, 84, 52, 68}, {40, 300, 84, 148}};
	uint64_t h = (word + i + 1000003 * (uint64_t)d) * UINT64_C(0x9e3779b97f4a7c15);

	return base[d][i % 4] + (h >> 40) % 24;
}

static void lane_set(struct spray *s, struct flow *f, int d, const int64_t *at, size_t n, uint64_t word)
{
	struct burst *b = arena_array(&s->view->own.arena, n + 1, sizeof(*b));

	assert_non_null(b);
	for (size_t i = 0; i < n; i++)
		b[i] = (struct burst){at[i], 0, 1, size_of(d, i, word)};
	f->burst[d] = b;
	f->n_burst[d] = bursts_merge(b, n, BURST_GAP_RECORDED_US);
	f->count[d] = (struct flow_count){n, n * 120, n * 70, n ? at[0] : 0, n ? at[n - 1] : -1};
	for (size_t i = 0; i < n; i++) {
		f->head.first_us = at[i] < f->head.first_us ? at[i] : f->head.first_us;
		f->last_us = at[i] > f->last_us ? at[i] : f->last_us;
	}
}

struct flow *spray_flow(struct spray *s, const char *a, const char *b, const int64_t *fwd,
	const int64_t *back, size_t n, const char *point, uint64_t word)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 1024;
		s->flow = realloc(s->flow, s->cap * sizeof(*s->flow));
		assert_non_null(s->flow);
	}
	struct flow *f = &s->flow[s->n++];
	*f = (struct flow){.head = {.point = point,
				   .proto = 6,
				   .flags = FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED,
				   .first_us = INT64_MAX,
				   .isn = {(uint32_t)s->n * 7919, (uint32_t)s->n * 104729},
				   .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}}};
	assert_true(endpoint_parse(&f->head.end[0], a));
	assert_true(endpoint_parse(&f->head.end[1], b));
	lane_set(s, f, 0, fwd, n, word);
	lane_set(s, f, 1, back, n, word);
	assert_true(flow_make_id(&f->head));
	return f;
}

static int64_t us(double seconds)
{
	return (int64_t)(seconds * 1e6);
}

/* One login at t; returns when it is over. */
static int64_t login(struct spray *s, const struct sprayer *p, int64_t t, uint16_t port)
{
	int64_t in[2][BURSTS_MOST], out[2][BURSTS_MOST];
	char a[64], b[64];
	uint64_t word = (uint64_t)(1e15 * spray_unit());

	for (unsigned k = 0; k < p->bursts; k++) {
		int64_t lag = us(0.001 + 0.004 * spray_unit());
		in[0][k] = t;
		out[0][k] = t + lag;
		out[1][k] = out[0][k] + us(0.12 + spray_exp(0.25));
		in[1][k] = out[1][k] + us(0.001 + 0.004 * spray_unit());
		t = in[1][k] + us(0.01 + 0.05 * spray_unit());
	}
	(void)snprintf(a, sizeof(a), "%s:%u", p->client, port);
	(void)snprintf(b, sizeof(b), "%s:%u", p->relay, p->relay_port);
	(void)spray_flow(s, a, b, in[0], in[1], p->bursts, p->point ? p->point : "border", word);
	(void)snprintf(a, sizeof(a), "%s:%u", p->relay, port);
	(void)snprintf(b, sizeof(b), "%s:%u", p->victim, p->victim_port);
	if (!p->only_in)
		(void)spray_flow(s, a, b, out[0], out[1], p->bursts, p->point ? p->point : "border", word);
	return t;
}

void spray_add(struct spray *s, const struct sprayer *p)
{
	uint16_t port = (uint16_t)(20000 + 20000 * spray_unit());
	unsigned of = p->workers ? p->workers : 1;

	for (unsigned w = 0; w < of; w++) {
		int64_t t = SPRAY_T0 + us(p->from_s + 2 * spray_unit()), beat = t;
		for (unsigned i = w; i < p->logins; i += of) {
			int64_t end = login(s, p, t, port++);
			beat += us(p->pause_s);
			t = p->beat ? beat : end + us(spray_exp(p->pause_s));
		}
	}
}
