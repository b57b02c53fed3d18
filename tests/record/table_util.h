/* What the tests of the flow table share: packets made by hand, and a sink that joins the chunks to flows
 * again. */
#ifndef WEIR_TESTS_TABLE_UTIL_H
#define WEIR_TESTS_TABLE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/table.h"

/* A flow as the sink has it. */
struct got {
	struct flow_head head;
	struct flow_count count[2];
	struct burst *burst[2];
	size_t n_burst[2];
	size_t chunks;
};

struct sink {
	struct got *got;
	size_t n, cap;
	size_t chunks;
	size_t *bucket; /* by the first bytes of the id: index + 1 */
	int64_t gap_us;
	size_t fail_at; /* the chunk that is refused; 0: none */
};

enum { BUCKETS = 1 << 16 };

static inline struct got *sink_slot(struct sink *k, const struct flow_head *h)
{
	size_t i = ((size_t)h->id.b[0] << 8 | h->id.b[1]) % BUCKETS;

	if (!k->bucket)
		k->bucket = calloc(BUCKETS, sizeof(*k->bucket));
	for (; k->bucket[i]; i = (i + 1) % BUCKETS)
		if (memcmp(&k->got[k->bucket[i] - 1].head.id, &h->id, sizeof(h->id)) == 0)
			return &k->got[k->bucket[i] - 1];
	if (k->n == k->cap) {
		k->cap = k->cap * 2 + 64;
		k->got = realloc(k->got, k->cap * sizeof(*k->got));
	}
	assert_true(k->n < BUCKETS / 2);
	k->bucket[i] = ++k->n;
	k->got[k->n - 1] = (struct got){.head = *h};
	k->got[k->n - 1].head.flags = 0;
	return &k->got[k->n - 1];
}

static inline void count_add(struct flow_count *to, const struct flow_count *c)
{
	if (c->packets == 0)
		return;
	if (to->packets == 0 || c->first_us < to->first_us)
		to->first_us = c->first_us;
	if (to->packets == 0 || c->last_us > to->last_us)
		to->last_us = c->last_us;
	to->packets += c->packets;
	to->frame_bytes += c->frame_bytes;
}

static inline enum status sink_emit(void *self, const struct chunk *c, struct err *e)
{
	struct sink *k = self;

	if (++k->chunks == k->fail_at)
		return err_set(e, STATUS_MACHINE, "no room");
	struct got *g = sink_slot(k, &c->head);
	g->chunks++;
	g->head.flags |= c->head.flags;
	for (int d = 0; d < 2; d++) {
		uint64_t payload = 0;
		count_add(&g->count[d], &c->count[d]);
		g->count[d].payload_bytes += c->count[d].payload_bytes;
		g->burst[d] =
			realloc(g->burst[d], (g->n_burst[d] + c->n_burst[d] + 1) * sizeof(struct burst));
		for (size_t i = 0; i < c->n_burst[d]; i++) {
			payload += c->burst[d][i].bytes;
			assert_true(c->burst[d][i].packets > 0 && c->burst[d][i].bytes > 0);
			if (i > 0)
				assert_true(c->burst[d][i].start_us - burst_end(&c->burst[d][i - 1]) >=
					    (int64_t)c->head.source.gap_us);
			g->burst[d][g->n_burst[d]++] = c->burst[d][i];
		}
		assert_int_equal(payload, c->count[d].payload_bytes);
	}
	return STATUS_OK;
}

static inline int burst_by_start(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;

	return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

/* Joins what the chunks cut apart. */
static inline void sink_join(struct sink *k)
{
	for (size_t i = 0; i < k->n; i++)
		for (int d = 0; d < 2; d++) {
			struct got *g = &k->got[i];
			if (g->n_burst[d] > 1)
				qsort(g->burst[d], g->n_burst[d], sizeof(struct burst), burst_by_start);
			g->n_burst[d] = bursts_merge(g->burst[d], g->n_burst[d], k->gap_us);
		}
}

static inline void sink_free(struct sink *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->got[i].burst[0]);
		free(k->got[i].burst[1]);
	}
	free(k->got);
	free(k->bucket);
	*k = (struct sink){0};
}

static inline struct endpoint at(const char *s)
{
	struct endpoint e;

	assert_true(endpoint_parse(&e, s));
	return e;
}

/* A packet; digests and IP ids are all different unless a test sets them. */
static inline struct packet packet(
	int64_t time_us, uint8_t proto, const char *src, const char *dst, uint32_t payload)
{
	static uint32_t n = 0;
	struct packet p = {.time_us = time_us,
		.frame_len = payload + 54,
		.payload = payload,
		.src = at(src),
		.dst = at(dst),
		.proto = proto,
		.ttl = 64,
		.ip_id_known = true};

	p.digest = ++n * 0x9e3779b1U;
	p.ip_id = (uint16_t)n;
	return p;
}

static inline struct packet tcp(int64_t time_us, const char *src, const char *dst, uint8_t flags,
	uint32_t seq, uint32_t ack, uint32_t payload)
{
	struct packet p = packet(time_us, 6, src, dst, payload);

	p.tcp_flags = flags;
	p.seq = seq;
	p.ack = ack;
	return p;
}

static inline struct table *table_for(struct sink *k, size_t max_flows)
{
	struct table_param p = {.point = "here",
		.source = {.resolution_us = 1, .sampling = 1, .gap_us = BURST_GAP_RECORDED_US},
		.max_flows = max_flows,
		.seed = 0x123456789abcdef1U,
		.emit = sink_emit,
		.self = k};
	struct table *t = NULL;
	struct err e = {0};

	k->gap_us = BURST_GAP_RECORDED_US;
	assert_int_equal(table_new(&t, &p, &e), STATUS_OK);
	return t;
}

static inline enum drop feed(struct table *t, struct packet p)
{
	enum drop why = DROP_NONE;
	struct err e = {0};

	assert_int_equal(table_packet(t, &p, &why, &e), STATUS_OK);
	return why;
}

static inline void finish(struct table *t, struct sink *k)
{
	struct err e = {0};

	assert_int_equal(table_close(t, &e), STATUS_OK);
	sink_join(k);
}

#endif
