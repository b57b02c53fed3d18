/* Copies behind a NAT or a balancer are marked, relays never: random sessions, seen as a device or a relay
 * makes them. */
#include "store_kit.h"

/* What stands between the two sightings. */
enum between { SNAT, DNAT, FULL_NAT, BALANCER, RELAY };

struct session {
	struct true_flow in, out;
};

static uint8_t ttl_initial(void)
{
	static const uint8_t initial[4] = {64, 64, 128, 255};

	return initial[kit_rnd(4)];
}

static uint16_t ip_id_random(bool known)
{
	return known ? (uint16_t)(1 + kit_rnd(65535)) : 0;
}

/* The second sighting of f after `hops` routers and a delay: later in direction 0, earlier in direction 1. */
static void copy_of(struct true_flow *g, const struct true_flow *f, int hops, int64_t delay)
{
	*g = *f;
	for (size_t i = 0; i < sizeof(g->head.id.b); i++)
		g->head.id.b[i] = (uint8_t)kit_rnd(256);
	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < g->n[d]; i++)
			g->burst[d][i].start_us += d ? -delay : delay;
		g->head.ttl[d] = (uint8_t)(g->head.ttl[d] + (d ? hops : -hops));
	}
	g->head.first_us += delay;
}

static void translate(struct true_flow *g, enum between b, uint64_t number)
{
	if (b == SNAT || b == FULL_NAT)
		g->head.end[0] = (struct endpoint){kit_ip(100 + number % 50), (uint16_t)(10000 + number)};
	if (b == DNAT || b == FULL_NAT || b == BALANCER)
		g->head.end[1].ip = kit_ip(160 + number % 50);
}

/* proto 6 or 17; handshake: which sides' sequence numbers were seen. */
static void session_make(
	struct session *s, enum between b, uint64_t number, uint8_t proto, uint8_t handshake, bool ids)
{
	struct flow_head *h = &s->in.head;

	do
		kit_flow(&s->in, number);
	while (s->in.n[0] < 5 || s->in.n[1] < 5);
	h->point = "edge";
	h->vlan = 0;
	h->proto = proto;
	h->flags = handshake ? handshake : FLOW_ASSUMED;
	s->in.acks[0] = s->in.acks[1] = 0;
	for (int d = 0; d < 2; d++) {
		h->isn[d] = h->flags & (d ? FLOW_SYNACK : FLOW_SYN) ? (uint32_t)kit_rnd(UINT32_MAX) : 0;
		h->ttl[d] = (uint8_t)(ttl_initial() - 5 - kit_rnd(20));
		h->ip_id[d] = ip_id_random(ids);
		s->in.burst[d][0].start_us = h->first_us + 100000; /* the first bursts of both ends */
		for (size_t i = 1; i < s->in.n[d]; i++)
			if (s->in.burst[d][i].start_us < burst_end(&s->in.burst[d][i - 1]) + 20000)
				s->in.burst[d][i].start_us = burst_end(&s->in.burst[d][i - 1]) + 20000;
	}
	copy_of(&s->out, &s->in, b == BALANCER ? 0 : 1 + (int)kit_rnd(2), (int64_t)(20 + kit_rnd(2000)));
	translate(&s->out, b, number);
	if (b != RELAY)
		return;
	/* A relay: the same bytes at nearly the same times, but connections of its own. */
	h->end[1] = (struct endpoint){kit_ip(90), 1080};
	s->out.head.end[0] = (struct endpoint){kit_ip(90), (uint16_t)(30000 + number)};
	s->out.head.end[1] = (struct endpoint){kit_ip(91 + number % 5), 22};
	uint8_t own =
		(uint8_t)(64 -
			  kit_rnd(3)); /* the relay's packets, near the observation point or some hops off */
	h->ttl[1] = own;
	s->out.head.ttl[0] = own;
	s->out.head.ttl[1] = (uint8_t)(ttl_initial() - 5 - kit_rnd(20));
	for (int d = 0; d < 2; d++) {
		s->out.head.ip_id[d] = ip_id_random(ids);
		if (h->flags & (d ? FLOW_SYNACK : FLOW_SYN))
			s->out.head.isn[d] = (uint32_t)kit_rnd(UINT32_MAX);
	}
}

static void read_sessions(struct recording *r, char *dir, struct session *s, size_t n)
{
	struct store_writer *w = kit_writer(dir);

	for (size_t i = 0; i < n; i++) {
		kit_append(w, &s[i].in, 0, 1);
		kit_append(w, &s[i].out, 0, 1);
	}
	kit_close(w);
	kit_read(r, dir, &(struct store_query){0});
	assert_int_equal(r->n_flow, 2 * n);
}

static void test_copies(void **state)
{
	enum { N = 200 };
	static const struct {
		enum between b;
		uint8_t proto, handshake;
		bool ids;
	} kind[] = {
		{SNAT, 6, FLOW_SYN | FLOW_SYNACK, true},
		{SNAT, 6, FLOW_SYN, false},
		{DNAT, 6, FLOW_SYNACK, true},
		{FULL_NAT, 6, FLOW_SYN | FLOW_SYNACK, false},
		{BALANCER, 6, FLOW_SYN | FLOW_SYNACK, false},
		{SNAT, 6, 0, true},
		{BALANCER, 6, 0, true},
		{DNAT, 17, 0, true},
		{SNAT, 17, 0, false},
		{FULL_NAT, 17, 0, false},
	};
	struct session *s = calloc(N, sizeof(*s));

	(void)state;
	kit_seed("copies");
	assert_non_null(s);
	for (size_t k = 0; k < sizeof(kind) / sizeof(kind[0]); k++) {
		char *dir = kit_dir();
		struct recording r;
		for (size_t i = 0; i < N; i++)
			session_make(&s[i], kind[k].b, i, kind[k].proto, kind[k].handshake, kind[k].ids);
		read_sessions(&r, dir, s, N);
		for (size_t i = 0; i < N; i++) {
			const struct flow *in = kit_find(&r, &s[i].in.head.id),
					  *out = kit_find(&r, &s[i].out.head.id);
			assert_null(in->rewrite_of);
			if (out->rewrite_of != in)
				fail_msg("kind %zu: a copy was not found", k);
		}
		recording_free(&r);
		kit_dir_free(dir);
	}
	free(s);
}

static void test_relays(void **state)
{
	enum { N = 500 };
	static const uint8_t handshake[] = {FLOW_SYN | FLOW_SYNACK, FLOW_SYN, FLOW_SYNACK, 0};
	struct session *s = calloc(N, sizeof(*s));

	(void)state;
	kit_seed("relays");
	assert_non_null(s);
	for (int round = 0; round < 24; round++) {
		char *dir = kit_dir();
		struct recording r;
		for (size_t i = 0; i < N; i++)
			session_make(&s[i], RELAY, i, round % 3 ? 6 : 17,
				round % 3 ? handshake[round % 4] : 0, kit_rnd(3) > 0);
		read_sessions(&r, dir, s, N);
		for (size_t i = 0; i < r.n_flow; i++)
			assert_null(r.flow[i].rewrite_of);
		recording_free(&r);
		kit_dir_free(dir);
	}
	free(s);
}

/* One flow at two points, and its NAT copy at both: two flows that are originals, two that are copies. */
static void test_points(void **state)
{
	struct session s;
	struct true_flow f[4];
	char *dir = kit_dir();
	struct store_writer *w = kit_writer(dir);
	struct recording r;

	(void)state;
	kit_seed("points");
	session_make(&s, SNAT, 1, 6, FLOW_SYN | FLOW_SYNACK, true);
	f[0] = s.in;
	f[1] = s.out;
	copy_of(&f[2], &s.in, 0, 150);
	copy_of(&f[3], &s.out, 0, 150);
	f[2].head.point = f[3].head.point = "core";
	for (size_t i = 0; i < 4; i++)
		kit_append(w, &f[i], 0, 1);
	kit_close(w);
	kit_read(&r, dir, &(struct store_query){0});
	for (size_t i = 0; i < 4; i++) {
		const struct flow *g = kit_find(&r, &f[i].head.id);
		assert_non_null(g);
		assert_int_equal(g->rewrite_of != NULL, i % 2);
		if (g->rewrite_of)
			assert_memory_equal(&g->rewrite_of->head.id, &f[0].head.id, sizeof(struct id));
	}
	recording_free(&r);
	kit_dir_free(dir);
}

/* A scanner that uses one sequence number for all its targets has no copies, and does not take quadratic
 * time. */
static void test_scanner(void **state)
{
	enum { N = 20000 };
	char *dir = kit_dir();
	struct store_writer *w = kit_writer(dir);
	struct recording r;

	(void)state;
	kit_seed("scanner");
	for (size_t i = 0; i < N; i++) {
		struct true_flow f;
		kit_flow(&f, i);
		f.n[0] = f.n[1] = 0;
		f.acks[0] = 1;
		f.acks[1] = 0;
		f.head.point = "edge";
		f.head.proto = 6;
		f.head.flags = FLOW_SYN;
		f.head.isn[0] = 4711;
		f.head.isn[1] = 0;
		f.head.ttl[0] = 50;
		f.head.end[0] = (struct endpoint){kit_ip(1), 40000};
		f.head.end[1] = (struct endpoint){kit_ip(i % 250), (uint16_t)(i / 250)};
		f.head.first_us = INT64_C(1416441600000000) + (int64_t)i * 10;
		kit_append(w, &f, 0, 1);
	}
	kit_close(w);
	kit_read(&r, dir, &(struct store_query){0});
	for (size_t i = 0; i < r.n_flow; i++)
		assert_null(r.flow[i].rewrite_of);
	recording_free(&r);
	kit_dir_free(dir);
}

/* One packet of the initiator, an answer without payload where `answered`. */
static void probe_make(struct true_flow *f, uint64_t i, uint8_t proto, bool answered)
{
	struct flow_head *h = &f->head;

	kit_flow(f, i);
	f->n[0] = f->n[1] = 0;
	f->acks[0] = 1;
	f->acks[1] = answered;
	h->point = "edge";
	h->vlan = 0;
	h->proto = proto;
	h->flags = proto == 6 ? FLOW_SYN : FLOW_ASSUMED;
	h->isn[0] = h->isn[1] = 0;
	h->ttl[0] = (uint8_t)(37 + kit_rnd(23)); /* as nmap does */
	h->ttl[1] = answered ? 64 : 0;
	for (int d = 0; d < 2; d++)
		h->ip_id[d] = d == 0 || answered ? ip_id_random(true) : 0;
	h->end[0] = (struct endpoint){kit_ip(1), (uint16_t)(40000 + i % 2)};
	h->end[1] = (struct endpoint){kit_ip(2), (uint16_t)(1 + i)};
	h->first_us = INT64_C(1416441600000000) + (int64_t)i * 10;
}

static void payload_add(struct true_flow *f)
{
	f->n[0] = 1;
	f->acks[0] = 0;
	f->burst[0][0] = (struct burst){.start_us = f->head.first_us, .packets = 1, .bytes = 40};
}

enum unrelated {
	SCAN,            /* one number for all, closed ports answer without one */
	SCAN_OPEN,       /* ports that answer with a number of their own */
	SCAN_TARPIT,     /* all ports answer with one number */
	SCAN_FEW,        /* three probes */
	SCAN_ZERO,       /* SYN with data, number 0, three probes from three addresses */
	FLOOD_SYN_DATA,  /* spoofed SYN with data, one number, addresses by chance */
	SCAN_UDP,        /* one datagram to each port, identification and TTL by chance */
	FLOOD_UDP,       /* spoofed datagrams with one identification */
	FLOOD_UDP_REPLY, /* the same, answered with one identification */
	UNRELATED
};

static void unrelated_make(struct true_flow *f, enum unrelated kind, uint64_t i)
{
	struct flow_head *h = &f->head;
	bool udp = kind >= SCAN_UDP;

	probe_make(f, i, udp ? 17 : 6, kind <= SCAN_TARPIT || kind == FLOOD_UDP_REPLY);
	if (kind >= SCAN_ZERO)
		payload_add(f);
	if (!udp)
		h->isn[0] = kind == SCAN_ZERO ? 0 : 4711;
	if (kind == SCAN_OPEN || kind == SCAN_TARPIT) {
		h->flags |= FLOW_SYNACK;
		h->isn[1] = kind == SCAN_OPEN ? (uint32_t)kit_rnd(UINT32_MAX) : 99;
	}
	if (kind == SCAN_ZERO || kind == FLOOD_SYN_DATA || kind >= FLOOD_UDP) {
		uint8_t any[4] = {10, (uint8_t)kit_rnd(256), (uint8_t)kit_rnd(256), (uint8_t)i};
		h->end[0].ip = ip_v4(any);
	}
	if (kind == FLOOD_UDP || kind == FLOOD_UDP_REPLY)
		h->ip_id[0] = 54321;
	if (kind == FLOOD_UDP_REPLY) {
		h->ip_id[1] = 12345;
		h->ttl[1] = (uint8_t)(60 + kit_rnd(4));
	}
}

/* Scans and floods share numbers, and none of their flows is a copy of another. */
static void test_unrelated(void **state)
{
	enum { N = 4000 };

	(void)state;
	kit_seed("unrelated");
	for (int kind = 0; kind < UNRELATED; kind++) {
		char *dir = kit_dir();
		struct store_writer *w = kit_writer(dir);
		struct recording r;
		size_t marked = 0;
		for (uint64_t i = 0; i < (kind == SCAN_FEW || kind == SCAN_ZERO ? 3 : N); i++) {
			struct true_flow f;
			unrelated_make(&f, (enum unrelated)kind, i);
			kit_append(w, &f, 0, 1);
		}
		kit_close(w);
		kit_read(&r, dir, &(struct store_query){0});
		for (size_t i = 0; i < r.n_flow; i++)
			marked += r.flow[i].rewrite_of != NULL;
		if (marked)
			fail_msg("kind %d: %zu of %zu flows are copies", kind, marked, r.n_flow);
		recording_free(&r);
		kit_dir_free(dir);
	}
}

/* A relay may choose the number of the SYN it sends, and take the one it got; where the answers are not seen
 * its TTL tells. */
static void test_relay_borrows(void **state)
{
	enum { N = 200 };
	struct session *s = calloc(N, sizeof(*s));
	char *dir = kit_dir();
	struct recording r;

	(void)state;
	kit_seed("relay borrows");
	assert_non_null(s);
	for (size_t i = 0; i < N; i++) {
		session_make(&s[i], RELAY, i, 6, FLOW_SYN, true);
		s[i].out.head.isn[0] = s[i].in.head.isn[0];
		s[i].in.head.ttl[0] = 50;
		s[i].out.head.ttl[0] = 64;
	}
	read_sessions(&r, dir, s, N);
	for (size_t i = 0; i < r.n_flow; i++)
		assert_null(r.flow[i].rewrite_of);
	recording_free(&r);
	kit_dir_free(dir);
	free(s);
}

/* A connection without payload (refused after the handshake) behind a NAT is found by both its numbers. */
static void test_silent_copy(void **state)
{
	struct session s;
	struct recording r;
	char *dir = kit_dir();

	(void)state;
	kit_seed("silent copy");
	session_make(&s, SNAT, 1, 6, FLOW_SYN | FLOW_SYNACK, true);
	s.in.n[0] = s.in.n[1] = s.out.n[0] = s.out.n[1] = 0;
	for (int d = 0; d < 2; d++)
		s.in.acks[d] = s.out.acks[d] = 2;
	read_sessions(&r, dir, &s, 1);
	assert_ptr_equal(kit_find(&r, &s.out.head.id)->rewrite_of, kit_find(&r, &s.in.head.id));
	recording_free(&r);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_relays),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_scanner),
		cmocka_unit_test(test_unrelated),
		cmocka_unit_test(test_relay_borrows),
		cmocka_unit_test(test_silent_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
