/* The flow table: what becomes of packets, one behaviour a test. */
#include "table_util.h"

#define T0 (INT64_C(1416832224) * 1000000)
#define MS INT64_C(1000)
#define S  INT64_C(1000000)

static const char *const A = "198.51.100.7:41234", *const B = "192.0.2.10:22";

/* SYN, SYN-ACK, ACK with initial sequence numbers 1000 and 5000. */
static void shake(struct table *t, int64_t time_us)
{
	(void)feed(t, tcp(time_us, A, B, TCP_SYN, 1000, 0, 0));
	(void)feed(t, tcp(time_us + 10, B, A, TCP_SYN | TCP_ACK, 5000, 1001, 0));
	(void)feed(t, tcp(time_us + 20, A, B, TCP_ACK, 1001, 5001, 0));
}

static void test_initiator(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	shake(t, T0);
	/* Only the SYN-ACK was seen: its receiver is the initiator. */
	(void)feed(t, tcp(T0, "192.0.2.1:80", "192.0.2.2:999", TCP_SYN | TCP_ACK, 7, 8, 0));
	/* No SYN: the first sender, and that is said. */
	(void)feed(t, tcp(T0, "192.0.2.3:80", "192.0.2.4:999", TCP_ACK, 7, 8, 100));
	(void)feed(t, packet(T0, 17, "[2001:db8::1]:53", "[2001:db8::2]:999", 50));
	finish(t, &k);
	assert_int_equal(k.n, 4);
	for (size_t i = 0; i < k.n; i++) {
		char text[FLOW_TEXT];
		const struct flow_head *h = &k.got[i].head;
		flow_text(text, h);
		if (h->end[1].port == 22) {
			assert_string_equal(text, "tcp 198.51.100.7:41234 > 192.0.2.10:22");
			assert_int_equal(h->flags, FLOW_SYN | FLOW_SYNACK);
			assert_int_equal(h->isn[0], 1000);
			assert_int_equal(h->isn[1], 5000);
		} else if (h->end[1].port == 80 && h->end[0].port == 999) {
			assert_string_equal(text, "tcp 192.0.2.2:999 > 192.0.2.1:80");
			assert_int_equal(h->flags, FLOW_SYN | FLOW_SYNACK);
			assert_int_equal(h->isn[0], 7);
			assert_int_equal(k.got[i].count[1].packets, 1);
		} else if (h->proto == 6) {
			assert_string_equal(text, "tcp 192.0.2.3:80 > 192.0.2.4:999");
			assert_int_equal(h->flags, FLOW_ASSUMED);
		} else {
			assert_string_equal(text, "udp [2001:db8::1]:53 > [2001:db8::2]:999");
			assert_int_equal(h->flags, FLOW_ASSUMED);
		}
	}
	sink_free(&k);
}

static void test_bursts(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	shake(t, T0);
	(void)feed(t, tcp(T0 + 100 * MS, A, B, TCP_ACK, 1001, 5001, 10));
	(void)feed(t, tcp(T0 + 119 * MS, A, B, TCP_ACK, 1011, 5001, 10)); /* 19 ms: the same burst */
	(void)feed(t, tcp(T0 + 120 * MS, B, A, TCP_ACK, 5001, 1021, 0));  /* a pure ACK is none */
	(void)feed(t, tcp(T0 + 139 * MS, A, B, TCP_ACK, 1021, 5001, 10)); /* 20 ms: another */
	(void)feed(t, tcp(T0 + 200 * MS, A, B, TCP_ACK, 1001, 5001, 30)); /* all seen before */
	(void)feed(t, tcp(T0 + 300 * MS, A, B, TCP_ACK, 1030, 5001, 1));  /* keep-alive probe */
	(void)feed(t, tcp(T0 + 301 * MS, A, B, TCP_ACK, 1030, 5001, 0));
	(void)feed(t, tcp(T0 + 400 * MS, A, B, TCP_ACK, 1021, 5001, 15)); /* 10 old bytes, 5 new */
	finish(t, &k);
	assert_int_equal(k.n, 1);
	const struct got *g = &k.got[0];
	assert_int_equal(g->n_burst[0], 3);
	assert_int_equal(g->n_burst[1], 0);
	assert_int_equal(g->burst[0][0].start_us, T0 + 100 * MS);
	assert_int_equal(g->burst[0][0].dur_us, 19 * MS);
	assert_int_equal(g->burst[0][0].packets, 2);
	assert_int_equal(g->burst[0][0].bytes, 20);
	assert_int_equal(g->burst[0][1].bytes, 10);
	assert_int_equal(g->burst[0][2].start_us, T0 + 400 * MS);
	assert_int_equal(g->burst[0][2].bytes, 5);
	assert_int_equal(g->count[0].payload_bytes, 35);
	assert_int_equal(g->count[0].packets, 9);
	sink_free(&k);
}

static void test_wrap_and_holes(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);
	uint32_t isn = 0xffffff00U;

	(void)state;
	(void)feed(t, tcp(T0, A, B, TCP_SYN, isn, 0, 0));
	(void)feed(t, tcp(T0 + MS, B, A, TCP_SYN | TCP_ACK, 5000, isn + 1, 0));
	(void)feed(t, tcp(T0 + 2 * MS, A, B, TCP_ACK, isn + 1, 5001, 200));
	(void)feed(
		t, tcp(T0 + 3 * MS, A, B, TCP_ACK, isn + 401, 5001, 200)); /* passes 200 over, across 2^32 */
	(void)feed(t, tcp(T0 + 4 * MS, A, B, TCP_ACK, isn + 401, 5001, 200)); /* again */
	(void)feed(t, tcp(T0 + 5 * MS, A, B, TCP_ACK, isn + 251, 5001, 50));  /* the middle of the hole */
	(void)feed(t, tcp(T0 + 6 * MS, A, B, TCP_ACK, isn + 201, 5001, 200)); /* the whole: 150 are new */
	(void)feed(t, tcp(T0 + 7 * MS, A, B, TCP_ACK, isn + 1, 5001, 600));   /* nothing is */
	(void)feed(t, tcp(T0 + 8 * MS, A, B, TCP_ACK, isn + 601, 5001, 1));
	finish(t, &k);
	assert_int_equal(k.got[0].count[0].payload_bytes, 601);
	assert_int_equal(k.got[0].n_burst[0], 1);
	assert_int_equal(k.got[0].burst[0][0].packets, 5);
	sink_free(&k);
}

static void test_new_syn(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	shake(t, T0);
	(void)feed(t, tcp(T0 + 5 * MS, A, B, TCP_SYN, 1000, 0, 0)); /* repeated SYN: the same flow */
	(void)feed(t, tcp(T0 + S, A, B, TCP_ACK, 1001, 5001, 10));
	(void)feed(t, tcp(T0 + S, A, B, TCP_SYN, 777, 0, 0));            /* a forged SYN on an open flow */
	(void)feed(t, tcp(T0 + S, B, A, TCP_SYN | TCP_ACK, 9, 4711, 0)); /* and a forged answer */
	(void)feed(t, tcp(T0 + S + 1, A, B, TCP_FIN | TCP_ACK, 1011, 5001, 0));
	(void)feed(t, tcp(T0 + S + 2, B, A, TCP_FIN | TCP_ACK, 5001, 1012, 0));
	(void)feed(t, tcp(T0 + S + 3, A, B, TCP_ACK, 1012, 5002, 0));
	assert_int_equal(table_stat(t)->flows, 1);
	/* Closed: the same ports again are another flow. */
	(void)feed(t, tcp(T0 + 2 * S, A, B, TCP_SYN, 123456, 0, 0));
	assert_int_equal(table_stat(t)->flows, 2);
	(void)feed(t, tcp(T0 + 2 * S + 1, B, A, TCP_SYN | TCP_ACK, 5, 123457, 0));
	(void)feed(t, tcp(T0 + 2 * S + 2, A, B, TCP_ACK, 123457, 6, 20));
	/* Open, but the far end answers another SYN: it knows. */
	(void)feed(t, tcp(T0 + 3 * S, A, B, TCP_SYN, 222222, 0, 0));
	assert_int_equal(table_stat(t)->flows, 2);
	(void)feed(t, tcp(T0 + 3 * S + 1, B, A, TCP_SYN | TCP_ACK, 5, 222223, 0));
	assert_int_equal(table_stat(t)->flows, 3);
	/* Old: silent for a minute. */
	(void)feed(t, tcp(T0 + 65 * S, A, B, TCP_SYN, 333333, 0, 0));
	assert_int_equal(table_stat(t)->flows, 4);
	finish(t, &k);
	assert_int_equal(k.n, 4);
	assert_true(k.got[0].head.flags & FLOW_CLOSED);
	assert_false(k.got[1].head.flags & FLOW_CLOSED);
	sink_free(&k);
}

static void test_late_syn(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	/* The mirror delivers the responder's packets first. */
	(void)feed(t, tcp(T0 + 20, B, A, TCP_ACK, 5001, 1011, 30));
	(void)feed(t, tcp(T0, A, B, TCP_SYN, 1000, 0, 0));
	(void)feed(t, tcp(T0 + 10, B, A, TCP_SYN | TCP_ACK, 5000, 1001, 0));
	(void)feed(t, tcp(T0 + 15, A, B, TCP_ACK, 1001, 5001, 10));
	finish(t, &k);
	assert_int_equal(k.n, 1);
	char text[FLOW_TEXT];
	assert_string_equal(flow_text(text, &k.got[0].head), "tcp 198.51.100.7:41234 > 192.0.2.10:22");
	assert_int_equal(k.got[0].head.flags, FLOW_SYN | FLOW_SYNACK);
	assert_int_equal(k.got[0].head.first_us, T0);
	assert_int_equal(k.got[0].count[0].packets, 2);
	assert_int_equal(k.got[0].count[1].payload_bytes, 30);
	sink_free(&k);
}

static void test_reset(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	shake(t, T0);
	(void)feed(t, tcp(T0 + S, A, B, TCP_RST, 0x70000000, 0, 0)); /* far out of the window: forged */
	(void)feed(t, tcp(T0 + S, A, B, TCP_SYN, 5, 0, 0));
	assert_int_equal(table_stat(t)->flows, 1);
	(void)feed(t, tcp(T0 + S, A, B, TCP_RST, 1001, 0, 0));
	(void)feed(t, tcp(T0 + 2 * S, A, B, TCP_SYN, 6, 0, 0));
	assert_int_equal(table_stat(t)->flows, 2);
	finish(t, &k);
	sink_free(&k);
}

static void expect_open(struct table *t, int64_t now_us, uint64_t n)
{
	struct err e = {0};

	assert_int_equal(table_expire(t, now_us, &e), STATUS_OK);
	assert_int_equal(table_stat(t)->open, n);
}

static void test_lifetimes(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	shake(t, T0);
	(void)feed(t, tcp(T0, "192.0.2.1:1", "192.0.2.2:2", TCP_SYN, 1, 0, 0));
	(void)feed(t, packet(T0, 17, "192.0.2.1:1", "192.0.2.2:2", 5));
	(void)feed(t, packet(T0, 1, "192.0.2.1:1", "192.0.2.2:1", 5));
	(void)feed(t, tcp(T0, "192.0.2.1:1", "192.0.2.2:3", TCP_RST, 1, 0, 0));
	expect_open(t, T0 + 29 * S, 5);
	expect_open(t, T0 + 32 * S, 4); /* closed */
	expect_open(t, T0 + 119 * S, 4);
	expect_open(t, T0 + 122 * S, 3); /* never answered */
	expect_open(t, T0 + 599 * S, 3);
	expect_open(t, T0 + 602 * S, 1); /* UDP and ICMP */
	expect_open(t, T0 + 3500 * S, 1);
	(void)feed(t, tcp(T0 + 3500 * S, B, A, TCP_ACK, 5001, 1001, 1));
	expect_open(t, T0 + 7099 * S, 1);
	expect_open(t, T0 + 7102 * S, 0);
	assert_int_equal(k.n, 5);
	finish(t, &k);
	sink_free(&k);
}

static void test_mirror_copies(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);
	struct packet p, q;

	(void)state;
	shake(t, T0);
	/* Numbered packets: a copy within 100 ms, also behind others. */
	p = tcp(T0 + S, A, B, TCP_ACK, 1001, 5001, 10);
	q = tcp(T0 + S + 5, A, B, TCP_ACK, 1011, 5001, 10);
	assert_int_equal(feed(t, p), DROP_NONE);
	assert_int_equal(feed(t, q), DROP_NONE);
	p.time_us += 20 * MS;
	q.time_us += 20 * MS;
	assert_int_equal(feed(t, p), DROP_DUPLICATE);
	assert_int_equal(feed(t, q), DROP_DUPLICATE);
	p.time_us += 200 * MS;
	assert_int_equal(feed(t, p), DROP_NONE); /* a fifth of a second later it is another packet */
	/* The copy may carry the earlier time. */
	p = tcp(T0 + 2 * S, B, A, TCP_ACK, 5001, 1021, 10);
	assert_int_equal(feed(t, p), DROP_NONE);
	p.time_us -= 300;
	assert_int_equal(feed(t, p), DROP_DUPLICATE);
	finish(t, &k);
	assert_int_equal(k.got[0].count[0].packets, 5);
	assert_int_equal(k.got[0].count[1].packets, 2);
	assert_int_equal(k.got[0].count[1].payload_bytes, 10);
	sink_free(&k);
}

static void test_identical_datagrams(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);
	struct packet p = packet(T0, 17, "192.0.2.1:514", "192.0.2.2:514", 50);

	(void)state;
	p.ip_id = 0;
	/* The same datagram, sent again and again without a number: each counts. */
	for (int i = 0; i < 10; i++, p.time_us += 200)
		assert_int_equal(feed(t, p), DROP_NONE);
	/* A number that never changes is none. */
	p.src.port++;
	p.digest++;
	p.ip_id = 4711;
	for (int i = 0; i < 10; i++, p.time_us += 200)
		assert_int_equal(feed(t, p), DROP_NONE);
	/* Seen again with another TTL: behind a router. */
	p.time_us += S;
	assert_int_equal(feed(t, p), DROP_NONE);
	p.ttl--;
	p.time_us += 10;
	assert_int_equal(feed(t, p), DROP_DUPLICATE);
	/* Pure ACKs of IPv6 may be repeated (duplicate ACKs), data may not. */
	struct packet a = tcp(T0, "[2001:db8::1]:1", "[2001:db8::2]:2", TCP_ACK, 1, 1, 0);
	a.ip_id_known = false;
	a.ip_id = 0;
	for (int i = 0; i < 4; i++, a.time_us += 100)
		assert_int_equal(feed(t, a), DROP_NONE);
	a.payload = 10;
	a.digest++;
	assert_int_equal(feed(t, a), DROP_NONE);
	a.time_us += 500;
	assert_int_equal(feed(t, a), DROP_DUPLICATE);
	a.time_us += 50 * MS;
	assert_int_equal(feed(t, a), DROP_NONE); /* a retransmission */
	/* A mirror that is known to double makes copies of those, too. */
	for (int i = 0; i < 8; i++) {
		struct packet x = tcp(T0 + S + i, A, B, TCP_ACK, 1001 + (uint32_t)i, 1, 1);
		(void)feed(t, x);
		x.time_us += 30;
		assert_int_equal(feed(t, x), i ? DROP_DUPLICATE : DROP_DUPLICATE);
	}
	p.time_us = T0 + 2 * S;
	assert_int_equal(feed(t, p), DROP_NONE);
	p.time_us += 30;
	assert_int_equal(feed(t, p), DROP_DUPLICATE);
	finish(t, &k);
	sink_free(&k);
}

static void test_half_flow(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	/* Only the initiator's packets are seen. */
	(void)feed(t, tcp(T0, A, B, TCP_SYN, 1000, 0, 0));
	(void)feed(t, tcp(T0 + MS, A, B, TCP_ACK, 1001, 5001, 0));
	(void)feed(t, tcp(T0 + 100 * MS, A, B, TCP_ACK, 1001, 5001, 10));
	(void)feed(t, tcp(T0 + 150 * MS, A, B, TCP_ACK, 1011, 5101, 0)); /* 100 bytes came */
	(void)feed(t, tcp(T0 + 155 * MS, A, B, TCP_ACK, 1011, 5151, 0));
	(void)feed(t, tcp(T0 + 160 * MS, A, B, TCP_ACK, 1011, 5101, 0)); /* old ACK */
	(void)feed(t, tcp(T0 + 300 * MS, A, B, TCP_ACK, 1011, 5161, 0));
	/* The other direction shows up: what was acknowledged does not count again. */
	(void)feed(t, tcp(T0 + 400 * MS, B, A, TCP_ACK, 5141, 1011, 40));
	(void)feed(t, tcp(T0 + 450 * MS, A, B, TCP_ACK, 1011, 5181, 0));
	(void)feed(t, tcp(T0 + 500 * MS, B, A, TCP_ACK, 5181, 1011, 30));
	finish(t, &k);
	assert_int_equal(k.n, 1);
	const struct got *g = &k.got[0];
	assert_int_equal(g->chunks, 2);
	assert_int_equal(g->head.flags & (FLOW_DERIVED_0 | FLOW_DERIVED_1), FLOW_DERIVED_1);
	assert_int_equal(g->n_burst[0], 1);
	assert_int_equal(g->n_burst[1], 4);
	assert_int_equal(g->burst[1][0].start_us, T0 + 150 * MS);
	assert_int_equal(g->burst[1][0].bytes, 150);
	assert_int_equal(g->burst[1][0].packets, 2);
	assert_int_equal(g->burst[1][1].bytes, 10);
	assert_int_equal(g->burst[1][2].bytes, 20);
	assert_int_equal(g->burst[1][3].bytes, 30);
	assert_int_equal(g->count[1].packets, 2);
	sink_free(&k);
}

static void test_half_flow_fin(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);

	(void)state;
	/* Only the responder is seen; the ACK of the initiator's FIN is no byte. */
	(void)feed(t, tcp(T0, B, A, TCP_SYN | TCP_ACK, 5000, 1001, 0));
	(void)feed(t, tcp(T0 + 50 * MS, B, A, TCP_ACK, 5001, 1021, 0));
	(void)feed(t, tcp(T0 + 90 * MS, B, A, TCP_FIN | TCP_ACK, 5001, 1022, 0));
	finish(t, &k);
	assert_int_equal(k.got[0].head.flags & (FLOW_DERIVED_0 | FLOW_DERIVED_1), FLOW_DERIVED_0);
	assert_int_equal(k.got[0].n_burst[0], 1);
	assert_int_equal(k.got[0].burst[0][0].bytes, 20);
	sink_free(&k);
}

static void test_rewrite_fields(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);
	struct packet p = tcp(T0, A, B, TCP_SYN, 1000, 0, 0),
		      q = tcp(T0 + 9, B, A, TCP_SYN | TCP_ACK, 5000, 1001, 0);

	(void)state;
	p.ttl = 61;
	p.ip_id = 77;
	q.ttl = 55;
	q.ip_id = 88;
	(void)feed(t, p);
	(void)feed(t, q);
	p.ttl = 62;
	p.seq = 1001;
	p.tcp_flags = TCP_ACK;
	p.digest++;
	p.ip_id = 78;
	(void)feed(t, p);
	finish(t, &k);
	assert_int_equal(k.got[0].head.ttl[0], 61);
	assert_int_equal(k.got[0].head.ttl[1], 55);
	assert_int_equal(k.got[0].head.ip_id[0], 77);
	assert_int_equal(k.got[0].head.ip_id[1], 88);
	sink_free(&k);
}

static void test_vlan_key(void **state)
{
	for (int on = 0; on < 2; on++) {
		struct sink k = {.gap_us = BURST_GAP_RECORDED_US};
		struct table_param p = {.point = "x", .vlan_key = on, .emit = sink_emit, .self = &k};
		struct err e = {0};
		struct table *t;

		(void)state;
		assert_int_equal(table_new(&t, &p, &e), STATUS_OK);
		for (uint16_t vlan = 1; vlan <= 2; vlan++) {
			struct packet q = packet(T0, 17, "10.0.0.1:1", "10.0.0.2:2", 10);
			q.vlan = vlan;
			(void)feed(t, q);
		}
		finish(t, &k);
		assert_int_equal(k.n, on ? 2 : 1);
		assert_int_equal(k.got[0].head.vlan + (on ? k.got[1].head.vlan : 0), on ? 3 : 0);
		sink_free(&k);
	}
}

/* Extents of one direction that are stored already. */
static const struct span *known(void *self, uint16_t vlan, uint8_t proto, const struct endpoint *src,
	const struct endpoint *dst, int64_t time_us, size_t *n)
{
	static const struct span x[2] = {{T0 + 10 * S, T0 + 20 * S}, {T0 + 30 * S, T0 + 30 * S}};
	struct endpoint a = at(A);

	(void)self;
	(void)vlan;
	(void)proto;
	(void)dst;
	(void)time_us;
	*n = endpoint_equal(src, &a) ? 2 : 0;
	return *n ? x : NULL;
}

static void test_recorded(void **state)
{
	static const struct {
		int64_t at;
		enum drop why;
	} c[] = {{9 * S, DROP_NONE}, {10 * S, DROP_RECORDED}, {15 * S, DROP_RECORDED},
		{20 * S, DROP_RECORDED}, {20 * S + 1, DROP_NONE}, {30 * S - 1, DROP_NONE},
		{30 * S, DROP_RECORDED}, {31 * S, DROP_NONE}};
	struct sink k = {.gap_us = BURST_GAP_RECORDED_US};
	struct table_param p = {.point = "x", .emit = sink_emit, .self = &k, .known = known};
	struct err e = {0};
	struct table *t;
	uint32_t seq = 1;

	(void)state;
	assert_int_equal(table_new(&t, &p, &e), STATUS_OK);
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++, seq += 10) {
		assert_int_equal(feed(t, tcp(T0 + c[i].at, A, B, TCP_ACK, seq, 1, 10)), c[i].why);
		assert_int_equal(feed(t, tcp(T0 + c[i].at, B, A, TCP_ACK, seq, 1, 10)), DROP_NONE);
	}
	finish(t, &k);
	assert_int_equal(k.got[0].count[0].packets, 4);
	assert_int_equal(k.got[0].count[0].payload_bytes, 40);
	assert_int_equal(k.got[0].count[1].packets, 8);
	sink_free(&k);
	/* A flow that is stored whole makes no flow and no chunk. */
	assert_int_equal(table_new(&t, &p, &e), STATUS_OK);
	assert_int_equal(feed(t, tcp(T0 + 12 * S, A, B, TCP_SYN, 1, 1, 10)), DROP_RECORDED);
	assert_int_equal(table_stat(t)->flows, 0);
	k = (struct sink){0};
	finish(t, &k);
	assert_int_equal(k.chunks, 0);
}

static void test_flush(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);
	struct err e = {0};

	(void)state;
	shake(t, T0);
	(void)feed(t, tcp(T0 + 100 * MS, A, B, TCP_ACK, 1001, 5001, 10));
	assert_int_equal(table_flush(t, T0 + 100 * MS, &e), STATUS_OK);
	assert_int_equal(k.chunks, 1);
	assert_int_equal(k.got[0].n_burst[0], 1); /* also of the open burst */
	assert_int_equal(table_flush(t, T0 + 101 * MS, &e), STATUS_OK);
	assert_int_equal(k.chunks, 1); /* nothing new */
	(void)feed(t, tcp(T0 + 110 * MS, A, B, TCP_ACK, 1011, 5001, 10));
	(void)feed(t, tcp(T0 + 200 * MS, A, B, TCP_ACK, 1021, 5001, 10));
	assert_int_equal(table_stat(t)->bursts, 2);
	finish(t, &k);
	assert_int_equal(k.chunks, 2);
	assert_int_equal(k.n, 1); /* one id */
	assert_int_equal(k.got[0].n_burst[0], 2);
	assert_int_equal(k.got[0].burst[0][0].bytes, 20);
	sink_free(&k);
}

static void test_step(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 0);
	struct err e = {0};

	(void)state;
	(void)feed(t, packet(T0, 17, A, B, 10));
	assert_int_equal(table_step(t, &e), STATUS_OK);
	assert_int_equal(k.chunks, 1);
	assert_int_equal(table_stat(t)->open, 0);
	assert_int_equal(table_stat(t)->clock_steps, 1);
	(void)feed(t, packet(T0 - 100 * S, 17, A, B, 10));
	expect_open(t, T0 - 99 * S, 1);
	expect_open(t, T0 + 505 * S, 0);
	finish(t, &k);
	assert_int_equal(k.n, 2);
	sink_free(&k);
}

/* Many bursts of one flow, and more than the pool holds: handed out early, nothing lost. */
static void test_pool(void **state)
{
	struct sink k = {0};
	struct table *t = table_for(&k, 10);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		(void)feed(t, packet(T0 + i * 30 * MS, 17, A, B, 10));
		if (i % 3 == 0)
			(void)feed(t, packet(T0 + i * 30 * MS + 5, 17, B, A, 7));
	}
	finish(t, &k);
	assert_int_equal(k.n, 1);
	assert_int_equal(k.got[0].n_burst[0], 20000);
	assert_int_equal(k.got[0].n_burst[1], 6667);
	assert_int_equal(k.got[0].count[1].payload_bytes, 6667 * 7);
	sink_free(&k);
}

/* Wherever the hand-out falls, also at a flow's last packet, no burst is lost. */
static void test_pool_edge(void **state)
{
	(void)state;
	for (int n = 1; n < 600; n++) {
		struct sink k = {0};
		struct table *t = table_for(&k, n % 2 ? 1 : 0);
		for (int i = 0; i < n; i++)
			(void)feed(t, packet(T0 + i * 30 * MS, 17, A, B, 10));
		finish(t, &k);
		assert_int_equal(k.got[0].n_burst[0], n);
		assert_int_equal(k.got[0].count[0].payload_bytes, n * 10);
		sink_free(&k);
	}
}

static void test_emit_fails(void **state)
{
	struct sink k = {.fail_at = 3};
	struct table *t = table_for(&k, 0);
	struct err e = {0};
	char a[40];

	(void)state;
	for (int i = 1; i < 10; i++) {
		(void)snprintf(a, sizeof(a), "192.0.2.%d:1", i);
		(void)feed(t, packet(T0, 17, a, B, 10));
	}
	assert_int_equal(table_flush(t, T0, &e), STATUS_MACHINE);
	assert_string_equal(e.text, "no room");
	assert_int_equal(k.chunks, 3);
	assert_int_equal(table_close(t, &e), STATUS_OK); /* the rest, for a caller who goes on */
	assert_int_equal(k.chunks, 9);
	sink_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initiator),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_wrap_and_holes),
		cmocka_unit_test(test_new_syn),
		cmocka_unit_test(test_late_syn),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_lifetimes),
		cmocka_unit_test(test_mirror_copies),
		cmocka_unit_test(test_identical_datagrams),
		cmocka_unit_test(test_half_flow),
		cmocka_unit_test(test_half_flow_fin),
		cmocka_unit_test(test_rewrite_fields),
		cmocka_unit_test(test_vlan_key),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_pool_edge),
		cmocka_unit_test(test_emit_fails),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
