/* The decoder: every encapsulation with exact results, each frame cut at every byte, random stacks of
 * headers, packet digests, fragments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "frame_kinds.h"
#include "record/capture.h"

static struct decoder *decoder;
/* WEIR_SEED repeats a run. */
static unsigned random_seed(void)
{
	const char *s = getenv("WEIR_SEED");

	return s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)time(NULL);
}

/* Decodes the maker's frame, captured bytes of it, from a block that ends with it. */
static enum drop run(uint32_t linktype, size_t captured, size_t wire, int64_t time_us, struct packet *p)
{
	uint8_t *copy = malloc(captured + 1);

	assert_non_null(copy);
	memcpy(copy + 1, m->room + m->at, captured);
	struct frame f = {.data = copy + 1,
		.captured = (uint32_t)captured,
		.wire = (uint32_t)wire,
		.time_us = time_us,
		.linktype = linktype};
	memset(p, 0xaa, sizeof(*p));
	enum drop drop = decode(decoder, &f, p);
	free(copy);
	return drop;
}

static void same_as_row(const struct row *r, const struct packet *p, const char *what, size_t k)
{
	const uint8_t *src = r->v == 4 ? SRC4 : SRC6, *dst = r->v == 4 ? DST4 : DST6;
	size_t n = r->v == 4 ? 4 : 16;

	if (p->src.ip.v != r->v || p->dst.ip.v != r->v || memcmp(p->src.ip.b, src, n) != 0 ||
		memcmp(p->dst.ip.b, dst, n) != 0)
		fail_msg("%s (%s %zu): addresses", r->name, what, k);
	if (p->proto != r->proto || p->src.port != r->sport || p->dst.port != r->dport)
		fail_msg("%s (%s %zu): %u %u %u", r->name, what, k, p->proto, p->src.port, p->dst.port);
	if (p->payload != r->payload)
		fail_msg("%s (%s %zu): payload %u, not %u", r->name, what, k, p->payload, r->payload);
	if (p->vlan != r->vlan)
		fail_msg("%s (%s %zu): vlan %u", r->name, what, k, p->vlan);
	if (r->proto == 6 && (p->seq != 1000 || p->ack != 2000 || (p->tcp_flags & TCP_ACK) == 0))
		fail_msg("%s (%s %zu): seq %u ack %u flags %u", r->name, what, k, p->seq, p->ack,
			p->tcp_flags);
	if (r->proto != 6 && (p->seq || p->ack || p->tcp_flags))
		fail_msg("%s (%s %zu): TCP fields are set", r->name, what, k);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct packet p;
		rows[i].make();
		size_t n = make_length(m);
		enum drop drop = run(rows[i].linktype, n, n, 1416441600000001, &p);
		if (drop != rows[i].drop)
			fail_msg("%s: %s, not %s", rows[i].name, drop_name(drop), drop_name(rows[i].drop));
		assert_int_equal(p.time_us, 1416441600000001);
		assert_int_equal(p.frame_len, n);
		if (drop == DROP_NONE)
			same_as_row(&rows[i], &p, "whole", n);
	}
}

/* A copy cut short says the same or that it is too short; nothing is read beyond it (under ASan). */
static void test_snapped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		rows[i].make();
		size_t n = make_length(m), enough = 0;
		for (size_t k = 0; k < n && k < 600; k++) {
			struct packet p;
			enum drop drop = run(rows[i].linktype, k, n, 0, &p);
			if (drop == DROP_NONE) {
				same_as_row(&rows[i], &p, "captured", k);
				enough++;
			} else if (drop != DROP_SNAPPED && drop != rows[i].drop) {
				fail_msg("%s (captured %zu): %s", rows[i].name, k, drop_name(drop));
			}
		}
		/* Bytes of payload are never needed. */
		if (rows[i].drop == DROP_NONE && n < 600 && rows[i].proto == 6 && enough < rows[i].payload)
			fail_msg("%s: needs payload bytes", rows[i].name);
	}
}

/* A frame that really ends early lies somewhere, unless its lengths are left to the frame (segmentation
 * offload). */
static void test_cut_on_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		rows[i].make();
		size_t n = make_length(m);
		if (rows[i].make == padded || rows[i].make == offloaded || rows[i].make == offloaded6 ||
			rows[i].make == udp_shorter || rows[i].make == jumbo)
			continue;
		for (size_t k = 0; k < n; k++) {
			struct packet p;
			enum drop drop = run(rows[i].linktype, k, k, 0, &p);
			if (drop == DROP_NONE && p.src.port != 50000) /* cut VXLAN is UDP */
				fail_msg("%s (cut to %zu of %zu): taken", rows[i].name, k, n);
		}
	}
}

static enum drop flip(const struct row *r, unsigned seed)
{
	struct packet p;

	r->make();
	size_t n = make_length(m) < 300 ? make_length(m) : 300;
	srand(seed);
	for (int k = 0; k < 4; k++)
		m->room[m->at + (size_t)rand() % n] = (uint8_t)rand();
	enum drop drop = run(r->linktype, n, make_length(m), 0, &p);
	assert_true((unsigned)drop < DROP_COUNT);
	if (drop == DROP_NONE)
		assert_true((p.src.ip.v == 4 || p.src.ip.v == 6) && p.src.ip.v == p.dst.ip.v);
	return drop;
}

static void test_flipped_bytes(void **state)
{
	unsigned seed = random_seed();

	(void)state;
	print_message("# seed %u\n", seed);
	for (unsigned i = 0; i < 20000; i++)
		(void)flip(&rows[i % ROWS], seed + i);
}

/* Random stacks: whatever stands around it, the innermost packet comes out. */
static unsigned wrap(unsigned kind, unsigned type)
{
	bool six = type == 0x86dd;

	switch (kind) {
	case 0:
		make_tag(m, 100, type);
		return 0x8100;
	case 1:
		make_mpls(m, 1);
		return type == 0x0800 || six ? 0x8847 : 0;
	case 2:
		make_be16(m, type);
		make_hex(m, "0000");
		make_ip4(m, 47, 1, 0, 0);
		return 0x0800;
	case 3:
		make_ip6(m, six ? 41 : 4);
		return type == 0x0800 || six ? 0x86dd : 0;
	case 4:
		make_ethernet(m, type);
		make_hex(m, "08000000 00006400");
		make_udp(m, 50000, 4789);
		make_ip4(m, 17, 1, 0, 0);
		return 0x0800;
	case 5:
		make_pppoe(m, six ? 0x0057 : 0x0021);
		return type == 0x0800 || six ? 0x8864 : 0;
	default:
		make_ethernet(m, type);
		make_hex(m, "1000 88be 00000001 10640001 00000000");
		make_ip6(m, 47);
		return 0x86dd;
	}
}

static void stack(unsigned seed)
{
	struct packet p;
	unsigned type;

	srand(seed);
	unsigned levels = (unsigned)rand() % 6;
	bool six = rand() % 2;
	(six ? tcp6 : tcp4)();
	type = six ? 0x86dd : 0x0800;
	for (unsigned i = 0; i < levels; i++) {
		size_t before = m->at;
		unsigned kind = (unsigned)rand() % 7, next = 0;
		/* GRE carries only what its protocol numbers can say. */
		if (kind != 2 || type == 0x0800 || type == 0x86dd || type == 0x8847)
			next = wrap(kind, type);
		if (next)
			type = next;
		else
			m->at = before;
	}
	make_ethernet(m, type);
	enum drop drop = run(1, make_length(m), make_length(m), 0, &p);
	struct row r = {"stack", NULL, 1, DROP_NONE, six ? 6 : 4, 6, 40000, 22, 5, p.vlan};
	if (drop != DROP_NONE)
		fail_msg("seed %u: %s", seed, drop_name(drop));
	same_as_row(&r, &p, "seed", seed);
}

static void test_stacks(void **state)
{
	unsigned seed = random_seed();

	(void)state;
	print_message("# seed %u\n", seed);
	for (unsigned i = 0; i < 20000; i++)
		stack(seed + i);
}

static uint32_t digest_of(uint32_t linktype)
{
	struct packet p;

	assert_int_equal(run(linktype, make_length(m), make_length(m), 0, &p), DROP_NONE);
	return p.digest;
}

/* Byte at of the IP packet becomes v; does the digest change? */
static bool changes(void (*make)(void), size_t at, uint8_t v)
{
	make();
	uint32_t before = digest_of(101);
	m->room[m->at + at] = v;
	return digest_of(101) != before;
}

static void test_digest(void **state)
{
	(void)state;
	ether_tcp4();
	uint32_t seen = digest_of(1);
	vlan();
	assert_int_equal(digest_of(1), seen);
	gre_all();
	assert_int_equal(digest_of(1), seen);

	assert_false(changes(tcp4, 1, 0xb8));  /* DSCP */
	assert_false(changes(tcp4, 8, 63));    /* TTL */
	assert_false(changes(tcp4, 10, 0xff)); /* IP checksum */
	assert_false(changes(tcp4, 20 + 16, 0xff));
	assert_true(changes(tcp4, 5, 8));       /* identification */
	assert_true(changes(tcp4, 15, 2));      /* source */
	assert_true(changes(tcp4, 19, 8));      /* destination */
	assert_true(changes(tcp4, 21, 1));      /* port */
	assert_true(changes(tcp4, 20 + 7, 1));  /* seq */
	assert_true(changes(tcp4, 20 + 11, 1)); /* ack */
	assert_true(changes(tcp4, 20 + 13, 0x19));
	assert_false(changes(tcp6, 1, 0x50)); /* low bits of the traffic class */
	assert_false(changes(tcp6, 7, 63));   /* hop limit */
	assert_true(changes(tcp6, 3, 1));     /* flow label: Linux changes it with a retransmission */
	for (size_t i = 8; i < 40; i++)
		assert_true(changes(tcp6, i, 0x77));
}

/* The n-th fragment of a UDP datagram of 40 bytes of payload in two: 24 bytes of it in the first. */
static void fragment4(int n, unsigned id)
{
	make_start(m);
	if (n == 0) {
		memset(make_front(m, 24), 1, 24);
		make_udp(m, 5000, 53);
		put_be16(m->room + m->at + 4, 48);
		make_ip4(m, 17, id, 0x2000, 0);
	} else {
		memset(make_front(m, 16), 1, 16);
		make_ip4(m, 17, id, 4, 0);
	}
}

static void test_fragments4(void **state)
{
	struct packet p;

	(void)state;
	fragment4(1, 1);
	assert_int_equal(run(101, make_length(m), make_length(m), 0, &p), DROP_FRAGMENT);
	fragment4(0, 1);
	assert_int_equal(run(101, make_length(m), make_length(m), 1000, &p), DROP_NONE);
	assert_int_equal(p.payload, 24);
	assert_int_equal(p.src.port, 5000);
	fragment4(1, 1);
	assert_int_equal(run(101, make_length(m), make_length(m), 2000, &p), DROP_NONE);
	assert_int_equal(p.payload, 16);
	assert_int_equal(p.src.port, 5000);
	assert_int_equal(p.dst.port, 53);
	assert_int_equal(p.proto, 17);
	fragment4(1, 2); /* another packet */
	assert_int_equal(run(101, make_length(m), make_length(m), 2000, &p), DROP_FRAGMENT);
	fragment4(1, 1); /* too late */
	assert_int_equal(run(101, make_length(m), make_length(m), 31000000, &p), DROP_FRAGMENT);
}

static void test_fragments6(void **state)
{
	struct packet p;

	(void)state;
	make_start(m);
	memset(make_front(m, 24), 1, 24);
	make_tcp(m, 0x18, 12);
	make_hex(m, "0600 0001 00000063");
	make_ip6(m, 44);
	assert_int_equal(run(101, make_length(m), make_length(m), 0, &p), DROP_NONE);
	assert_int_equal(p.payload, 24);
	assert_int_equal(p.seq, 1000);
	make_start(m);
	memset(make_front(m, 16), 1, 16);
	make_hex(m, "0600 0038 00000063"); /* offset 56 = 32 of header, 24 of payload */
	make_ip6(m, 44);
	assert_int_equal(run(101, make_length(m), make_length(m), 0, &p), DROP_NONE);
	assert_int_equal(p.payload, 16);
	assert_int_equal(p.src.port, 40000);
	assert_int_equal(p.seq, 1024);
	assert_int_equal(p.ack, 2000);
}

/* The inner packet was counted whole with the tunnel's first fragment. */
static void test_fragmented_tunnel(void **state)
{
	struct packet p;

	(void)state;
	tcp4();
	put_be16(m->room + m->at + 2, 1000);
	make_ip4(m, 4, 77, 0x2000, 0);
	assert_int_equal(run(101, make_length(m), make_length(m), 0, &p), DROP_NONE);
	assert_int_equal(p.payload, 960);
	make_start(m);
	memset(make_front(m, 955), 1, 955);
	make_ip4(m, 4, 77, 5, 0);
	assert_int_equal(run(101, make_length(m), make_length(m), 0, &p), DROP_FRAGMENT);
}

/* A flood of first fragments makes nothing grow (the table is fixed) and leaves the newest known. */
static void test_fragment_flood(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned id = 0; id < 65536; id++) {
		fragment4(0, id);
		assert_int_equal(run(101, make_length(m), make_length(m), id, &p), DROP_NONE);
	}
	fragment4(1, 65535);
	assert_int_equal(run(101, make_length(m), make_length(m), 65536, &p), DROP_NONE);
}

static void test_drop_names(void **state)
{
	(void)state;
	for (int i = 0; i < DROP_COUNT; i++) {
		assert_string_not_equal(drop_name((enum drop)i), "unknown");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(drop_name((enum drop)i), drop_name((enum drop)k));
	}
}

static int setup(void **state)
{
	(void)state;
	decoder = decoder_new();
	return decoder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	decoder_free(decoder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_snapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_on_wire, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flipped_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_digest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragments4, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragments6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragmented_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragment_flood, setup, teardown),
		cmocka_unit_test(test_drop_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
