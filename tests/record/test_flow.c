/* Flows as text and back, ids, merging of bursts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "record/flow.h"

static struct endpoint at(const char *s)
{
	struct endpoint e;

	assert_true(endpoint_parse(&e, s));
	return e;
}

static struct flow_head head_of(uint8_t proto, const char *a, const char *b)
{
	return (struct flow_head){
		.point = "here", .proto = proto, .end = {at(a), at(b)}, .first_us = 1416832224123456};
}

static void test_text(void **state)
{
	static const struct {
		uint8_t proto;
		const char *a, *b, *text;
	} c[] = {
		{6, "198.51.100.7:41234", "192.0.2.10:22", "tcp 198.51.100.7:41234 > 192.0.2.10:22"},
		{17, "[2001:db8::1]:53", "[2001:db8::2]:5353", "udp [2001:db8::1]:53 > [2001:db8::2]:5353"},
		{1, "192.0.2.1:7", "192.0.2.2:7", "icmp 192.0.2.1:7 > 192.0.2.2:7"},
		{58, "[::1]:0", "[::2]:0", "icmp6 [::1] > [::2]"},
		{47, "192.0.2.1:0", "192.0.2.2:0", "ip-47 192.0.2.1 > 192.0.2.2"},
		{1, "192.0.2.1:0", "192.0.2.2:3", "icmp 192.0.2.1:0 > 192.0.2.2:3"},
		{17, "192.0.2.1:0", "192.0.2.2:0", "udp 192.0.2.1:0 > 192.0.2.2:0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct flow_head h = head_of(c[i].proto, c[i].a, c[i].b);
		struct endpoint end[2];
		char text[FLOW_TEXT];
		uint8_t proto;
		assert_string_equal(flow_text(text, &h), c[i].text);
		assert_true(flow_parse(&proto, end, text));
		assert_int_equal(proto, c[i].proto);
		for (int d = 0; d < 2; d++)
			assert_true(endpoint_equal(&end[d], &h.end[d]));
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {"", "tcp", "tcp 1.2.3.4:5", "tcp 1.2.3.4:5 >",
		"tcp 1.2.3.4:5 > 1.2.3", "tcp 1.2.3.4:5 < 1.2.3.4:6", "xyz 1.2.3.4:5 > 1.2.3.4:6",
		"ip-256 1.2.3.4:5 > 1.2.3.4:6", "ip- 1.2.3.4:5 > 1.2.3.4:6", "ip--1 1.2.3.4:5 > 1.2.3.4:6",
		"tcp 1.2.3.4:65536 > 1.2.3.4:6", "tcp 1.2.3.4:5 > 1.2.3.4:6 x", "tcp [::1:5 > [::2]:6",
		"tcp 1.2.3.4:555555555555555555555555555555555555555555555555555555555555555555 > 1.2.3.4:6"};
	static const char *const good[] = {"TCP 1.2.3.4:5 > 1.2.3.4:6", "  udp\t1.2.3.4 >  [::1]:6 \n",
		"ip-255 ::1 > ::2", "icmp6 [::1] > [::2]"};
	struct endpoint end[2];
	uint8_t proto;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (flow_parse(&proto, end, bad[i]))
			fail_msg("taken: %s", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!flow_parse(&proto, end, good[i]))
			fail_msg("refused: %s", good[i]);
}

/* The id is part of the format: other programs write it.  The bytes stand at flow_make_id(). */
static void test_id(void **state)
{
	struct flow_head h = head_of(6, "198.51.100.7:41234", "192.0.2.10:22"), g;
	char a[ID_TEXT], b[ID_TEXT];

	(void)state;
	h.flags = FLOW_SYN;
	h.isn[0] = 1000;
	assert_true(flow_make_id(&h));
	assert_string_equal(id_text(a, &h.id), "87fa5ad4b6284c809496ea776e75edaf");
	g = h;
	g.flags |= FLOW_CLOSED | FLOW_SYNACK; /* what is learned later is not in it */
	g.isn[1] = 5;
	g.ttl[0] = 9;
	assert_true(flow_make_id(&g));
	assert_string_equal(id_text(b, &g.id), a);
	for (int what = 0; what < 6; what++) {
		g = h;
		g.point = what == 0 ? "there" : g.point;
		g.vlan = what == 1;
		g.proto = what == 2 ? 17 : 6;
		g.first_us += what == 3;
		g.isn[0] += what == 4;
		g.end[0].port = (uint16_t)(g.end[0].port + (what == 5));
		assert_true(flow_make_id(&g));
		assert_string_not_equal(id_text(b, &g.id), a);
	}
}

static void test_side(void **state)
{
	struct flow f = {.head = head_of(6, "198.51.100.7:41234", "192.0.2.10:22")};

	struct endpoint other = at("192.0.2.11:22");

	(void)state;
	assert_int_equal(flow_side(&f, &f.head.end[0].ip), 0);
	assert_int_equal(flow_side(&f, &f.head.end[1].ip), 1);
	assert_int_equal(flow_side(&f, &other.ip), -1);
}

/* Against the definition: sort all packets' times, cut where a pause is at least the gap. */
static void test_merge(void **state)
{
	uint64_t seed = (uint64_t)time(NULL), s = seed | 1;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 2000; round++) {
		struct burst b[40], whole[40];
		size_t n = 0, k = 0;
		int64_t now = 1000;
		for (size_t count = s % 40; n < count; n++) {
			s ^= s << 13, s ^= s >> 7, s ^= s << 17;
			now += (int64_t)(s % 60);
			b[n] = (struct burst){
				now, (uint32_t)(s >> 8) % 50, 1 + (uint32_t)(s >> 20) % 3, 1 + (s >> 30) % 9};
		}
		for (size_t i = 0; i < n; i++) {
			struct burst *last = k ? &whole[k - 1] : NULL;
			int64_t end = last ? burst_end(last) : 0;
			if (!last || b[i].start_us - end >= 30) {
				whole[k++] = b[i];
				continue;
			}
			end = end > burst_end(&b[i]) ? end : burst_end(&b[i]);
			last->dur_us = (uint32_t)(end - last->start_us);
			last->packets += b[i].packets;
			last->bytes += b[i].bytes;
		}
		assert_int_equal(bursts_merge(b, n, 30), k);
		assert_memory_equal(b, whole, k * sizeof(b[0]));
		assert_int_equal(bursts_merge(b, k, 30), k); /* once is enough */
	}
}

static void test_merge_long(void **state)
{
	/* Together longer than 32 bits of microseconds: stays two. */
	struct burst b[2] = {{0, 4000000000U, 5, 50}, {4000000001, 400000000U, 5, 50}};

	(void)state;
	assert_int_equal(bursts_merge(b, 2, 100000), 2);
	assert_int_equal(bursts_merge(b, 0, 100000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_side),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_long),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
