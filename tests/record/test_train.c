/* Flows as text: one flow has one text and one text is one flow; no byte of a text is without meaning.  The
 * text is compared with a slow second writer's. */
#include "train_kit.h"

/* The example of doc/bundle-format.md. */
static const char example[] = "weir-train/v1\n"
			      "flow tcp 203.0.113.10:54928 > 192.0.2.10:22\n"
			      "point victim\n"
			      "first 1792772541123456\n"
			      "last 1792772543000000\n"
			      "seen packets resolution 1 error 0 sampling 1 gap 20000\n"
			      "flags syn synack closed\n"
			      "isn 123456 789012\n"
			      "total 0 packets 9 frame 714 payload 120\n"
			      "total 1 packets 7 frame 1090 payload 628\n"
			      "bursts 0 3\n"
			      "1200 0 21 1\n"
			      "350000 150 63 2\n"
			      "1000000 0 36 1\n"
			      "bursts 1 2\n"
			      "2400 0 21 1\n"
			      "351000 40000 607 3\n"
			      "end\n";

/* ---- tests ---- */

static void the_example(void **state)
{
	struct arena a = {0};
	struct train t;
	struct err e = {0};
	char text[FLOW_TEXT];

	(void)state;
	assert_int_equal(try_read(example, sizeof(example) - 1, &e), STATUS_OK);
	assert_int_equal(train_read(&t, example, sizeof(example) - 1, &a, &e), STATUS_OK);
	assert_string_equal(train_text(text, &t), "tcp 203.0.113.10:54928 > 192.0.2.10:22");
	assert_string_equal(t.flow.head.point, "victim");
	assert_int_equal(t.flow.head.first_us, T0);
	assert_int_equal(t.flow.head.isn[1], 789012);
	assert_int_equal(t.flow.head.flags, FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED);
	assert_int_equal(t.flow.n_burst[0], 3);
	assert_int_equal(t.flow.burst[0][1].start_us, T0 + 351200);
	assert_int_equal(t.flow.burst[0][1].dur_us, 150);
	assert_int_equal(t.flow.burst[0][1].bytes, 63);
	assert_int_equal(t.flow.burst[0][1].packets, 2);
	assert_int_equal(t.flow.burst[1][0].start_us, T0 + 2400);
	assert_int_equal(t.flow.count[1].first_us, T0 + 2400);
	assert_int_equal(t.flow.count[1].last_us, T0 + 393400);
	arena_free(&a);
}

static void random_there_and_back(void **state)
{
	struct burst room[2][BURSTS];
	struct train t;

	(void)state;
	kit_seed("trains there and back");
	for (int i = 0; i < 3000; i++) {
		random_train(&t, room);
		round_trip(&t);
	}
}

/* Each byte changed to several others, taken out, and doubled. */
static void every_byte_counts(void **state)
{
	static const char often[] = "0129 -\n\r.:/>azA\t\x80";
	size_t n = sizeof(example) - 1, good = 0;
	char text[sizeof(example) + 1];
	struct err e;

	(void)state;
	for (size_t at = 0; at < n; at++) {
		for (size_t k = 0; k < sizeof(often) + 8; k++) { /* its zero too, and each bit turned */
			memcpy(text, example, n);
			if (k < sizeof(often))
				text[at] = often[k];
			else
				text[at] = (char)(text[at] ^ (1 << (k - sizeof(often))));
			good += text[at] != example[at] && try_read(text, n, &e) == STATUS_OK;
		}
		memmove(text + at, example + at + 1, n - at);
		(void)try_read(text, n - 1, &e);
		memcpy(text, example, at + 1);
		memcpy(text + at + 1, example + at, n - at);
		(void)try_read(text, n + 1, &e);
	}
	assert_true(good > 100); /* another port, another time: another flow */
	for (size_t k = 0; k < n; k++)
		assert_int_equal(try_read(example, k, &e), STATUS_BAD);
	for (size_t k = 0; k < sizeof(often); k++) {
		memcpy(text, example, n);
		text[n] = often[k];
		assert_int_equal(try_read(text, n + 1, &e), STATUS_BAD);
	}
}

/* A stretch of the example, what stands there instead, and the line that is wrong then. */
static const struct {
	const char *from, *to;
	int line;
} bad[] = {
	{"weir-train/v1", "weir-train/v2", 1},
	{"weir-train/v1\n", "weir-train/v1\r\n", 1},
	{"tcp", "TCP", 2},
	{"tcp", "ip-6", 2},
	{"tcp", "ip-256", 2},
	{"203.0.113.10", "203.0.113.010", 2},
	{"203.0.113.10:54928", "203.0.113.10:65536", 2},
	{"203.0.113.10:54928", "203.0.113.10", 2},
	{"203.0.113.10:54928", "[2001:DB8::1]:54928", 2},
	{"203.0.113.10:54928", "[2001:db8:0::1]:54928", 2},
	{"203.0.113.10:54928", "203.0.113.10/24", 2},
	{"203.0.113.10:54928", "203.0.113.0/33", 2},
	{"203.0.113.10:54928", "203.0.113.0/024", 2},
	{"203.0.113.10:54928", "203.0.113.0/24:54928", 2},
	{"203.0.113.10:54928", "203.0.113.0/24", 7}, /* hidden: and yet its numbers are told */
	{" > ", " >  ", 2},
	{" > ", " < ", 2},
	{"192.0.2.10:22", "192.0.2.10:22 ", 2},
	{"point victim", "point vic tim", 3},
	{"point victim", "point vic\xc3\xa9tim", 3},
	{"point victim", "point ", 3},
	{"first 1792772541123456", "first 01792772541123456", 4},
	{"first 1792772541123456", "first -1", 4},
	{"first 1792772541123456", "first 7258118400000001", 4},
	{"first 1792772541123456", "first 18446744073709551616", 4},
	{"first 1792772541123456", "first 1792772543000001", 5}, /* after the last */
	{"last 1792772543000000", "last 1792772541123455", 5},
	{"last 1792772543000000", "last 1792772542474655", 5}, /* a burst goes on behind it */
	{"packets resolution", "records resolution", 6},
	{"resolution 1", "resolution 0", 6},
	{"sampling 1", "sampling 0", 6},
	{"sampling 1", "sampling 4294967297", 6},
	{"gap 20000", "gap 20000 ", 6},
	{"flags syn synack", "flags synack syn", 7},
	{"flags syn synack", "flags syn syn synack", 7},
	{"flags syn synack closed", "flags syn synack lost", 7},
	{"flags syn synack closed\nisn 123456 789012", "flags\nisn - -", 7},
	{"flags syn", "flags - syn", 7},
	{"isn 123456", "isn -", 8},
	{"isn 123456", "isn 4294967296", 8},
	{"flags syn synack", "flags synack", 8},
	{"total 0", "total 1", 9},
	{"packets 9", "packets 3", 9}, /* fewer than its bursts have */
	{"payload 120", "payload 119", 9},
	{"payload 628", "payload 627", 10},
	{"payload 628", "payload 4611686018427387905", 10},
	{"bursts 0 3", "bursts 0 4", 15},
	{"bursts 0 3", "bursts 0 2", 14},
	{"bursts 0 3", "bursts 0 65537", 11},
	{"1200 0 21 1", "1200 0 21", 12},
	{"1200 0 21 1", "1200 0 21 1 ", 12},
	{"1200 0 21 1", "+1200 0 21 1", 12},
	{"350000 150", "19999 150", 11}, /* nearer than the gap: one burst */
	{"350000 150", "-1 150", 13},
	{"351000 40000", "351000 4294967296", 17},
	{"351000", "7258118400000000", 17},
	{"63 2", "70368744177665 2", 13},
	{"end\n", "end", 18},
	{"end\n", "\nend\n", 18},
	{"end\n", "end\nend\n", 19},
};

/* The example with one stretch replaced is refused, and the message names the line. */
static void refused(void **state)
{
	char want[32];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *at = strstr(example, bad[i].from);
		char *text = NULL;
		assert_non_null(at);
		int n = asprintf(
			&text, "%.*s%s%s", (int)(at - example), example, bad[i].to, at + strlen(bad[i].from));
		assert_true(n > 0);
		if (try_read(text, (size_t)n, &e) != STATUS_BAD)
			fail_msg("\"%s\" for \"%s\" was taken", bad[i].to, bad[i].from);
		(void)snprintf(want, sizeof(want), "line %d of", bad[i].line);
		if (!strstr(e.text, want))
			fail_msg("\"%s\" for \"%s\": %s", bad[i].to, bad[i].from, e.text);
		free(text);
	}
}

static void hidden_ends(void **state)
{
	static const struct {
		const char *flow, *told;
		int end, len;
	} cases[] = {
		{"tcp 198.51.100.7:41234 > 192.0.2.10:22", "tcp 198.51.100.0/24 > 192.0.2.10:22", 0, 24},
		{"tcp 198.51.100.7:41234 > 192.0.2.10:22", "tcp 198.51.100.7:41234 > 0.0.0.0/0", 1, 0},
		{"tcp 198.51.100.7:41234 > 192.0.2.10:22", "tcp 198.51.100.7/32 > 192.0.2.10:22", 0, 64},
		{"udp [2001:db8:1:2:3::4]:5 > [2001:db8::9]:53", "udp 2001:db8:1::/48 > [2001:db8::9]:53", 0,
			48},
		{"icmp 198.51.100.7:77 > 192.0.2.10:77", "icmp 198.51.100.0/23 > 192.0.2.10", 0, 23},
	};
	char text[FLOW_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct train t = {.flow.head = {.point = "here",
					  .flags = FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED,
					  .isn = {1, 2},
					  .ttl = {3, 4},
					  .ip_id = {5, 6},
					  .first_us = T0,
					  .source = {SOURCE_PACKETS, 1, 0, 1, 20000}}};
		struct flow_head *h = &t.flow.head;
		static const struct id none;
		memset(&h->id, 7, sizeof(h->id));
		assert_true(flow_parse(&h->proto, h->end, cases[i].flow));
		t.flow.last_us = T0;
		train_hide(&t, cases[i].end, (uint8_t)cases[i].len);
		assert_string_equal(train_text(text, &t), cases[i].told);
		assert_memory_equal(&h->id, &none, sizeof(none));
		assert_int_equal(h->flags, FLOW_CLOSED);
		assert_int_equal(h->isn[0] | h->isn[1], 0);
		assert_int_equal(h->ip_id[0] | h->ip_id[1] | h->ttl[0] | h->ttl[1], 0);
		round_trip(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example),
		cmocka_unit_test(random_there_and_back),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(refused),
		cmocka_unit_test(hidden_ends),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
