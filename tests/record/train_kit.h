/* What the tests of trains share: a slow second writer, random trains, and reading with a look at what comes
 * back. */
#ifndef TRAIN_KIT_H
#define TRAIN_KIT_H

#include "store_kit.h"

#include "record/train.h"

#define T0 INT64_C(1792772541123456)

/* ---- the slow second implementation ---- */

static inline void slow_end(FILE *f, const struct train *t, int k)
{
	const struct flow_head *h = &t->flow.head;
	char text[PREFIX_TEXT + 8];
	bool ports = h->proto == PROTO_TCP || h->proto == PROTO_UDP || h->proto == PROTO_SCTP ||
		     h->proto == PROTO_DCCP || h->proto == PROTO_UDPLITE || h->end[0].port || h->end[1].port;

	if (t->hidden[k])
		(void)fprintf(f, "%s/%d", ip_text(text, &h->end[k].ip), t->hidden[k] - 1);
	else if (ports)
		(void)fprintf(f, h->end[k].ip.v == 6 ? "[%s]:%u" : "%s:%u", ip_text(text, &h->end[k].ip),
			h->end[k].port);
	else
		(void)fprintf(f, h->end[k].ip.v == 6 ? "[%s]" : "%s", ip_text(text, &h->end[k].ip));
}

static inline void slow_head(FILE *f, const struct train *t)
{
	static const char *const names[] = {
		" assumed", " syn", " synack", " closed", " derived0", " derived1"};
	const struct flow_head *h = &t->flow.head;
	char proto[8];

	(void)fprintf(f, "weir-train/v1\nflow %s ", proto_name(proto, h->proto));
	slow_end(f, t, 0);
	(void)fprintf(f, " > ");
	slow_end(f, t, 1);
	(void)fprintf(f, "\npoint %s\nfirst %lld\nlast %lld\n", h->point, (long long)h->first_us,
		(long long)t->flow.last_us);
	(void)fprintf(f, "seen %s resolution %u error %u sampling %u gap %u\nflags",
		h->source.kind == SOURCE_PACKETS ? "packets" : "flow-records", h->source.resolution_us,
		h->source.clock_error_us, h->source.sampling, h->source.gap_us);
	for (unsigned i = 0; i < 6; i++)
		(void)fprintf(f, "%s", h->flags >> i & 1 ? names[i] : "");
	(void)fprintf(f, "%s\nisn", h->flags ? "" : " -");
	for (unsigned k = 0; k < 2; k++)
		(void)fprintf(f, h->flags & (k ? FLOW_SYNACK : FLOW_SYN) ? " %u" : " -", h->isn[k]);
}

/* The text of a train that keeps every rule; freed by the caller. */
static inline char *slow_text(const struct train *t, size_t *n)
{
	char *text;
	FILE *f = open_memstream(&text, n);

	assert_non_null(f);
	slow_head(f, t);
	for (int d = 0; d < 2; d++) {
		const struct flow_count *c = &t->flow.count[d];
		(void)fprintf(f, "\ntotal %d packets %llu frame %llu payload %llu", d,
			(unsigned long long)c->packets, (unsigned long long)c->frame_bytes,
			(unsigned long long)c->payload_bytes);
	}
	for (int d = 0; d < 2; d++) {
		(void)fprintf(f, "\nbursts %d %zu", d, t->flow.n_burst[d]);
		for (size_t i = 0; i < t->flow.n_burst[d]; i++) {
			const struct burst *b = &t->flow.burst[d][i];
			(void)fprintf(f, "\n%lld %u %llu %u",
				(long long)(b->start_us - (i ? b[-1].start_us : t->flow.head.first_us)),
				b->dur_us, (unsigned long long)b->bytes, b->packets);
		}
	}
	(void)fprintf(f, "\nend\n");
	assert_int_equal(fclose(f), 0);
	return text;
}

/* ---- helpers ---- */

/* What train_read() promises of bursts, looked at plainly. */
static inline void bounds_check(const struct flow *f)
{
	assert_true(f->head.first_us >= 0 && f->head.first_us <= f->last_us &&
		    f->last_us <= INT64_C(7258118400000000));
	for (int d = 0; d < 2; d++) {
		uint64_t packets = 0, bytes = 0;
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *b = &f->burst[d][i];
			int64_t end = b->start_us + b->dur_us;
			assert_true(b->start_us >= f->head.first_us && end <= f->last_us);
			if (i > 0 && b->start_us < b[-1].start_us + b[-1].dur_us + f->head.source.gap_us)
				assert_true(end - b[-1].start_us > UINT32_MAX);
			packets += b->packets;
			bytes += b->bytes;
		}
		assert_true(bytes <= f->count[d].payload_bytes);
		assert_true(packets <= f->count[d].packets ||
			    f->head.flags & (d ? FLOW_DERIVED_1 : FLOW_DERIVED_0));
	}
}

static inline enum status try_read(const char *text, size_t n, struct err *e)
{
	struct arena a = {0};
	struct train t;
	/* Moved to the end of a block of its own, so that a checker sees a read beyond the end. */
	char *exact = malloc(n ? n : 1);
	assert_non_null(exact);
	memcpy(exact, text, n);
	enum status s = train_read(&t, exact, n, &a, e);

	if (s == STATUS_OK) {
		struct buf b = {0};
		bounds_check(&t.flow);
		train_write(&b, &t);
		assert_false(b.failed);
		assert_int_equal(b.n, n);
		assert_memory_equal(b.p, text, n);
		buf_free(&b);
	} else {
		assert_int_equal(s, STATUS_BAD);
		assert_int_equal(e->status, STATUS_BAD);
		assert_null(strchr(e->text, '\n'));
	}
	free(exact);
	arena_free(&a);
	return s;
}

static inline void same_bursts(const struct burst *a, const struct burst *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].start_us != b[i].start_us || a[i].dur_us != b[i].dur_us ||
			a[i].packets != b[i].packets || a[i].bytes != b[i].bytes)
			fail_msg("burst %zu differs", i);
}

/* t to text, compared with the slow one, and back: everything that the text has must be the same. */
static inline void round_trip(const struct train *t)
{
	struct arena a = {0};
	struct buf b = {0};
	struct train back;
	struct err e = {0};
	size_t n;
	char *slow = slow_text(t, &n);

	train_write(&b, t);
	assert_false(b.failed);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.p, slow, n);
	if (train_read(&back, (const char *)b.p, b.n, &a, &e) != STATUS_OK)
		fail_msg("%s in\n%s", e.text, slow);
	const struct flow *f = &t->flow, *g = &back.flow;
	for (int d = 0; d < 2; d++) {
		assert_int_equal(back.hidden[d], t->hidden[d]);
		assert_true(endpoint_equal(&f->head.end[d], &g->head.end[d]));
		assert_int_equal(f->head.isn[d], g->head.isn[d]);
		assert_int_equal(f->count[d].packets, g->count[d].packets);
		assert_int_equal(f->count[d].frame_bytes, g->count[d].frame_bytes);
		assert_int_equal(f->count[d].payload_bytes, g->count[d].payload_bytes);
		assert_int_equal(f->n_burst[d], g->n_burst[d]);
		same_bursts(f->burst[d], g->burst[d], f->n_burst[d]);
	}
	assert_string_equal(f->head.point, g->head.point);
	assert_int_equal(f->head.proto, g->head.proto);
	assert_int_equal(f->head.flags, g->head.flags);
	assert_int_equal(f->head.first_us, g->head.first_us);
	assert_int_equal(f->last_us, g->last_us);
	assert_memory_equal(&f->head.source, &g->head.source, sizeof(f->head.source));
	buf_free(&b);
	free(slow);
	arena_free(&a);
}

static inline struct ip random_ip(bool v6)
{
	struct ip ip = {.v = v6 ? 6 : 4};

	for (size_t i = 0; i < (v6 ? 16U : 4U); i++)
		ip.b[i] = (uint8_t)(kit_rnd(3) ? kit_rnd(256) : 0);
	return ip;
}

enum { BURSTS = 40 };

/* A train that keeps every rule; its bursts stand in room. */
static inline void random_train(struct train *t, struct burst room[2][BURSTS])
{
	static const uint8_t protos[] = {1, 6, 6, 6, 17, 47, 58, 132, 255};
	struct flow_head *h = &t->flow.head;

	memset(t, 0, sizeof(*t));
	h->point = kit_point[kit_rnd(2)];
	h->proto = protos[kit_rnd(sizeof(protos))];
	h->flags = (uint8_t)kit_rnd(64);
	h->source = (struct source){kit_rnd(2) ? SOURCE_PACKETS : SOURCE_FLOW_RECORDS,
		(uint32_t)(1 + kit_rnd(1000)), (uint32_t)kit_rnd(5000), (uint32_t)(1 + kit_rnd(3)),
		kit_rnd(2) ? 20000 : (uint32_t)kit_rnd(100000)};
	h->first_us = kit_rnd(20) ? T0 + (int64_t)kit_rnd(1000000000) : (int64_t)kit_rnd(2);
	t->flow.last_us = h->first_us;
	for (int d = 0; d < 2; d++) {
		struct flow_count *c = &t->flow.count[d];
		int64_t at = h->first_us + (int64_t)kit_rnd(100000);
		h->end[d].ip = random_ip(kit_rnd(3) == 0);
		h->end[d].port = (uint16_t)(kit_rnd(5) ? kit_rnd(65536) : 0);
		if (h->flags & (d ? FLOW_SYNACK : FLOW_SYN))
			h->isn[d] = (uint32_t)kit_rnd(UINT64_C(1) << 32);
		c->frame_bytes = kit_rnd(100000);
		t->flow.burst[d] = room[d];
		t->flow.n_burst[d] = kit_rnd(BURSTS);
		for (size_t i = 0; i < t->flow.n_burst[d]; i++) {
			struct burst *b = &room[d][i];
			*b = (struct burst){at, (uint32_t)kit_rnd(300000), (uint32_t)(1 + kit_rnd(1000)),
				kit_rnd(1000000)};
			at = burst_end(b) + h->source.gap_us + (int64_t)kit_rnd(kit_rnd(4) ? 500000 : 1);
			if (!(h->flags & (d ? FLOW_DERIVED_1 : FLOW_DERIVED_0)))
				c->packets += b->packets;
			c->payload_bytes += b->bytes;
			t->flow.last_us = burst_end(b) > t->flow.last_us ? burst_end(b) : t->flow.last_us;
		}
		c->packets += kit_rnd(5);
		c->payload_bytes += kit_rnd(5);
	}
	t->flow.last_us += (int64_t)kit_rnd(100000);
	for (int k = 0; k < 2; k++)
		if (kit_rnd(4) == 0)
			train_hide(t, k, (uint8_t)kit_rnd(h->end[k].ip.v == 4 ? 33 : 129));
}

#endif
