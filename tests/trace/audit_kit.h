/* Recordings for the audit's tests: hours of typed sessions between hosts of many networks, with something
 * planted among them. */
#ifndef WEIR_TESTS_AUDIT_KIT_H
#define WEIR_TESTS_AUDIT_KIT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "record/store.h"
#include "trace/audit.h"
#include "trace/trace.h"

#define T0    INT64_C(1795000020000000) /* a whole minute */
#define HOUR  (3600 * SECOND_US)
#define MAXB  8000
#define POINT "border"

struct place_of {
	char dir[64];
	struct store_writer *w;
	struct config cfg;
	uint32_t isn;
};

static struct burst bursts[2][MAXB];

static inline double rnd_unit(void)
{
	return ((double)kit_rnd(1 << 30) + 0.5) / (1 << 30);
}

static inline void place_begin(struct place_of *o, int hours)
{
	struct err e = {0};
	struct coverage c = {.point = POINT, .span = {T0 - HOUR, T0 + (hours + 1) * HOUR}};

	memset(o, 0, sizeof(*o));
	strcpy(o->dir, "/tmp/weir-test-audit-XXXXXX");
	assert_non_null(mkdtemp(o->dir));
	assert_int_equal(config_load(&o->cfg, o->dir, &e), STATUS_OK);
	assert_int_equal(store_prepare(&world_real, o->dir, &e), STATUS_OK);
	assert_int_equal(store_writer_open(&o->w, &world_real, o->dir, &e), STATUS_OK);
	assert_int_equal(store_cover(o->w, &c, &e), STATUS_OK);
}

static inline void place_seal(struct place_of *o)
{
	struct err e = {0};

	assert_int_equal(store_writer_close(o->w, &e), STATUS_OK);
	o->w = NULL;
}

static inline void place_end(struct place_of *o)
{
	char cmd[128];

	config_free(&o->cfg);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", o->dir);
	assert_int_equal(system(cmd), 0);
}

static inline void flow_put(struct place_of *o, const char *a, const char *b, size_t n)
{
	struct chunk c = {.head = {.point = POINT,
				  .proto = PROTO_TCP,
				  .flags = FLOW_SYN | FLOW_SYNACK,
				  .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}},
		.burst = {bursts[0], bursts[1]},
		.n_burst = {n, n}};
	struct err e = {0};

	assert_true(endpoint_parse(&c.head.end[0], a) && endpoint_parse(&c.head.end[1], b));
	c.head.isn[0] = ++o->isn;
	c.head.isn[1] = ~o->isn;
	for (int d = 0; d < 2; d++)
		c.count[d] = (struct flow_count){
			n, n * 100, n * 36, bursts[d][0].start_us, bursts[d][n - 1].start_us};
	c.head.first_us = bursts[0][0].start_us;
	assert_true(flow_make_id(&c.head));
	if (store_append(o->w, &c, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

/* Keys from `from` on for so many seconds, each answered after 40 to 70 ms. */
static inline size_t type_keys(int64_t from, double seconds)
{
	double t = 0;
	size_t n = 0;

	while (n < MAXB) {
		t += rnd_unit() < 0.1 ? 1 + 4 * rnd_unit() : 0.13 + 0.25 * rnd_unit() * rnd_unit();
		if (t > seconds)
			break;
		int64_t at = from + (int64_t)(t * 1e6);
		bursts[0][n] = (struct burst){at, 0, 1, 36};
		bursts[1][n++] =
			(struct burst){at + 40000 + (int64_t)kit_rnd(30000), 0, 1, 36 + kit_rnd(200)};
	}
	return n;
}

/* The i-th pair of hosts, each pair in networks of its own. */
static inline void ends_of(char a[64], char b[64], unsigned i, unsigned port)
{
	(void)snprintf(a, 64, "%u.%u.0.1:%u", 20 + i / 200, 1 + i % 200, 20000 + i);
	(void)snprintf(b, 64, "%u.%u.0.1:%u", 120 + i / 200, 1 + i % 200, port);
}

/* n sessions of 5 to 15 minutes, anywhere in so many hours. */
static inline void sessions_put(struct place_of *o, unsigned n, int hours, unsigned port)
{
	char a[64], b[64];

	for (unsigned i = 0; i < n; i++) {
		int64_t from = T0 + (int64_t)kit_rnd((uint64_t)(hours * HOUR - 900 * SECOND_US));
		size_t k = type_keys(from, 300 + 600 * rnd_unit());
		ends_of(a, b, i, port);
		flow_put(o, a, b, k);
	}
}

/* Session [n] as a relay passes it on: keys 6 ms later, answers 6 ms earlier. */
static inline void relay_put(struct place_of *o, const char *in_from, const char *relay_port,
	const char *out_from, const char *out_to, int64_t from)
{
	size_t n = type_keys(from, 200);

	flow_put(o, in_from, relay_port, n);
	for (size_t i = 0; i < n; i++) {
		bursts[0][i].start_us += 6000 + (int64_t)kit_rnd(3000);
		bursts[1][i].start_us -= 3000 + (int64_t)kit_rnd(3000);
	}
	flow_put(o, out_from, out_to, n);
}

#define RELAY_IN  "198.51.100.7:41000"
#define RELAY     "203.0.113.10:22"
#define RELAY_OUT "203.0.113.10:42000"
#define VICTIM    "192.0.2.10:22"

static inline void planted_relay(struct place_of *o)
{
	relay_put(o, RELAY_IN, RELAY, RELAY_OUT, VICTIM, T0 + HOUR / 2);
}

/* A finding that an alpha mends: shares that fall by 10^-0.8 instead of 10^-1. */
static inline struct audit mild(void)
{
	struct audit a = {.alpha = 1e-6, .flows = 100, .hosts = 50, .searchable = 1000, .max_log10_e = 7};

	for (int m = 0; m < AUDIT_ALL; m++) {
		a.part[m].pairs = a.part[m].able = 1000000;
		for (int k = 1; k <= 7; k++)
			a.part[m].reached[k] = (uint64_t)(1e6 * pow(10, -0.8 * k));
	}
	audit_judge(&a);
	return a;
}

#endif
