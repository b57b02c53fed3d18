/* What the tests of claims and bundles share: a typed session as the two legs of a relay, the hop that
 * tracing would make of them, a directory with keys, database and ledger, and a bundle packed in it. */
#ifndef ASK_KIT_H
#define ASK_KIT_H

#include "../record/store_kit.h"

#include <math.h>

#include "ask/pack.h"
#include "ask/verify.h"

#define KIT_T0   INT64_C(1795000000000000)
#define KIT_CODE "weir 0.0.0"
#define KIT_NOW  (KIT_T0 + 3600 * SECOND_US)

static struct err err; /* of the last call that failed */

#define ok(what)                                                                                             \
	do {                                                                                                 \
		if ((what) != STATUS_OK)                                                                     \
			fail_msg("%s: %s", #what, err.text);                                                 \
	} while (0)

static inline double kit_unit(void)
{
	return (double)kit_rnd(UINT64_C(1) << 32) / 4294967296.0;
}

/* ---- flows ---- */

/* Keys and answers of a person at a shell. */
struct session {
	int64_t *key, *answer;
	size_t n;
};

static inline struct session kit_type(struct arena *a, size_t n)
{
	struct session s = {arena_array(a, n, sizeof(int64_t)), arena_array(a, n, sizeof(int64_t)), n};
	double t = 0;

	assert_true(s.key && s.answer);
	for (size_t i = 0; i < n; i++) {
		t += kit_unit() < 0.1 ? 1 + 4 * kit_unit() : 0.13 + 0.25 * kit_unit() * kit_unit();
		s.key[i] = KIT_T0 + (int64_t)(t * 1e6);
		s.answer[i] = s.key[i] + 60000 + (int64_t)(kit_unit() * 20000);
	}
	return s;
}

static inline void kit_head(
	struct flow *to, const char *point, const char *from, const char *until, int64_t first)
{
	struct flow_head *h = &to->head;

	*to = (struct flow){.head = {.point = point,
				    .proto = PROTO_TCP,
				    .flags = FLOW_SYN | FLOW_SYNACK,
				    .isn = {(uint32_t)kit_rnd(1000000), 77},
				    .first_us = first,
				    .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}}};
	assert_true(endpoint_parse(&h->end[0], from) && endpoint_parse(&h->end[1], until));
	assert_true(flow_make_id(h));
}

/* Counts and times that the bursts of both directions make. */
static inline void kit_totals(struct flow *f)
{
	f->last_us = f->head.first_us;
	for (int d = 0; d < 2; d++) {
		struct flow_count *c = &f->count[d];
		*c = (struct flow_count){.last_us = -1};
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *b = &f->burst[d][i];
			c->packets += b->packets;
			c->payload_bytes += b->bytes;
			c->frame_bytes += b->bytes + 66 * b->packets;
			c->first_us = i ? c->first_us : b->start_us;
			c->last_us = burst_end(b);
			f->last_us = c->last_us > f->last_us ? c->last_us : f->last_us;
		}
	}
}

/* A leg of the session, opened by `from`; keys come `lag` later than typed, answers as much sooner; all on a
 * clock that is `off` and drifts. */
static inline void kit_leg(struct flow *to, struct arena *a, const struct session *s, const char *point,
	const char *from, const char *until, int64_t lag, int64_t off, double drift)
{
	kit_head(to, point, from, until, 0);
	for (int d = 0; d < 2; d++) {
		to->burst[d] = arena_array(a, s->n, sizeof(struct burst));
		assert_non_null(to->burst[d]);
		to->n_burst[d] = s->n;
		for (size_t i = 0; i < s->n; i++) {
			int64_t t = d ? s->answer[i] - lag : s->key[i] + lag;
			to->burst[d][i] = (struct burst){t + off + (int64_t)(drift * (double)(t - KIT_T0)), 0,
				1, 36 + i % 97 * (size_t)d};
		}
	}
	to->head.first_us = to->burst[0][0].start_us - 1000;
	assert_true(flow_make_id(&to->head));
	kit_totals(to);
}

/* The hop "relay relayed OUT from IN" as tracing would find it among m others. */
static inline void kit_hop(
	struct hop *to, const struct flow *in, const struct flow *out, const char *relay, size_t m)
{
	struct relink_room room = {0};
	struct relink *p = &to->best.pair;

	*to = (struct hop){.out = out, .searched = m, .needed = -log10(1e-6) + log10((double)m)};
	assert_true(ip_parse(&to->relay, relay));
	to->best.flow = in;
	*p = (struct relink){.in = in,
		.out = out,
		.in_way = !flow_side(in, &to->relay),
		.out_way = flow_side(out, &to->relay),
		.needed = to->needed};
	p->in_opened = flow_opener(in) == flow_side(in, &to->relay);
	ok(relink_test(&room, p, &to->best.link, &err));
	relink_free(&room);
}

/* The same again, where pair was changed. */
static inline void kit_hop_test(struct hop *h)
{
	struct relink_room room = {0};

	ok(relink_test(&room, &h->best.pair, &h->best.link, &err));
	relink_free(&room);
}

#define KIT_RELAY "203.0.113.10"
#define KIT_IN    "198.51.100.7:41234", KIT_RELAY ":22"
#define KIT_OUT   KIT_RELAY ":50001", "192.0.2.10:22"

struct kit_pair {
	struct flow in, out;
	struct hop hop;
};

/* A relayed session of n keys at one point. */
static inline void kit_pair_make(struct kit_pair *p, struct arena *a, size_t n)
{
	struct session s = kit_type(a, n);

	kit_leg(&p->in, a, &s, "border", KIT_IN, 0, 0, 0);
	kit_leg(&p->out, a, &s, "border", KIT_OUT, 8000, 0, 0);
	kit_hop(&p->hop, &p->in, &p->out, KIT_RELAY, 31);
}

/* ---- claims ---- */

static inline struct told kit_block(const char *rule)
{
	struct told t = {.kind = "block"};

	assert_true(asprintf(&t.body,
			    "{\"v\":1,\"rule\":\"%s\",\"from\":\"2026-11-22T15:00:00Z\","
			    "\"until\":\"2026-11-22T16:00:00Z\",\"code\":\"" KIT_CODE "\"}",
			    rule) > 0);
	return t;
}

#endif
