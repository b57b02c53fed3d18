/* nftables: what is wanted is what the kernel does, told by packets between two namespaces and not by our own
 * word; and nothing is left.  Needs root for the namespaces. */
#include "net_kit.h"

#include "block/nft_in.h"

#include "../lib/rnd.h"

#define HOUR_US (INT64_C(3600) * SECOND_US)
#define TICK_US 20000 /* of the kernel's clock, and more: its timers begin at the tick before */

static struct err err;
static void *be;

#define ok(call)                                                                                             \
	do {                                                                                                 \
		if ((call) != STATUS_OK)                                                                     \
			fail_msg("%s", err.text);                                                            \
	} while (0)

static struct wall now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (struct wall){(int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000};
}

static struct want want_of(const char *text, int64_t for_us)
{
	struct want w = {.until = {now().us + for_us}};

	if (!rule_parse(&w.rule, text))
		fail_msg("%s", text);
	return w;
}

static struct drift sync_to(const struct want *w, size_t n, struct have *have)
{
	struct drift d;

	ok(backend_nft.sync(be, w, n, now(), false, have, &d, &err));
	return d;
}

static struct drift looked(const struct want *w, size_t n, struct have *have)
{
	struct drift d;

	ok(backend_nft.sync(be, w, n, now(), true, have, &d, &err));
	return d;
}

/* Is the text anywhere in the rule set? */
static bool ruleset_has(const char *text)
{
	char line[1 << 16];
	FILE *f = popen("nft list ruleset", "re");
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		found = found || strstr(line, text);
	(void)pclose(f);
	return found;
}

static int set_up(void **state)
{
	const struct backend_param p = {0};

	(void)state;
	ok(backend_nft.open(&be, &p, &err));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)sync_to(NULL, 0, NULL);
	assert_false(ruleset_has("table"));
	backend_nft.close(be);
	return 0;
}

/* ---- what is dropped ---- */

/* Rules, a sender, a port, and whether its packets (UDP) arrive. */
static const struct {
	const char *rule, *from;
	uint16_t port;
	bool arrives;
} cases[] = {
	{"drop from 203.0.113.10/32 to any any any", "203.0.113.10", 9000, false},
	{"drop from 203.0.113.10/32 to any any any", "203.0.113.11", 9000, true},
	{"drop from 203.0.113.10/32 to 192.0.2.1/32 any any", "203.0.113.10", 9000, false},
	{"drop from 203.0.113.10/32 to 192.0.2.9/32 any any", "203.0.113.10", 9000, true},
	{"drop from 203.0.113.10/32 to 192.0.2.1/32 udp 9000", "203.0.113.10", 9000, false},
	{"drop from 203.0.113.10/32 to 192.0.2.1/32 udp 9000", "203.0.113.10", 9001, true},
	{"drop from 203.0.113.10/32 to 192.0.2.1/32 tcp 9000", "203.0.113.10", 9000, true},
	{"drop from 203.0.113.10/32 to any udp any", "203.0.113.10", 9001, false},
	{"drop from 203.0.113.10/32 to any tcp any", "203.0.113.10", 9001, true},
	{"drop from 203.0.113.0/24 to any any any", "203.0.113.77", 9000, false},
	{"drop from 203.0.113.0/24 to any any any", "203.0.114.77", 9000, true},
	{"drop from 203.0.113.64/27 to 192.0.2.0/25 udp 9000", "203.0.113.95", 9000, false},
	{"drop from 203.0.113.64/27 to 192.0.2.0/25 udp 9000", "203.0.113.96", 9000, true},
	{"drop from any to 192.0.2.1/32 udp 9001", "203.0.113.96", 9000, true},
	{"drop from 2001:db8:1:2::/64 to any any any", "2001:db8:1:2:3:4:5:6", 9000, false},
	{"drop from 2001:db8:1:2::/64 to any any any", "2001:db8:1:3::1", 9000, true},
	{"drop from 2001:db8:1::/48 to 2001:db8::1/128 udp 9000", "2001:db8:1:ffff::9", 9000, false},
	{"drop from 2001:db8:1::/48 to 2001:db8::1/128 udp 9000", "2001:db8:2:ffff::9", 9000, true},
	{"drop from 2001:db8:2::/47 to 2001:db8::/32 udp any", "2001:db8:1:ffff::9", 9001, true},
	{"drop from 2001:db8::/47 to 2001:db8::/32 udp any", "2001:db8:1:ffff::9", 9001, false},
};

static void drops_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct want w = want_of(cases[i].rule, HOUR_US);
		struct have have;
		(void)sync_to(&w, 1, NULL);
		if (net_arrive(cases[i].from, cases[i].port, 20) != (cases[i].arrives ? 20 : 0))
			fail_msg("%s: %s port %u", cases[i].rule, cases[i].from, cases[i].port);
		(void)looked(&w, 1, &have);
		assert_int_equal(have.state, INSTALL_OK);
		assert_int_equal(have.packets, cases[i].arrives ? 0 : 20);
		(void)sync_to(NULL, 0, NULL);
		assert_int_equal(net_arrive(cases[i].from, cases[i].port, 20), 20);
		assert_false(ruleset_has("weir"));
	}
}

/* Random rules of every shape at once against the rule's own meaning (rule_hits()). */
static void as_rule_hits(void **state)
{
	enum { RULES = 40, SHOTS = 150 };
	struct want w[RULES];
	size_t n = 0;

	(void)state;
	kit_seed("as_rule_hits");
	while (n < RULES) {
		char text[RULE_TEXT];
		struct ip from = ip_v4((uint8_t[4]){203, 0, 113, (uint8_t)kit_rnd(64)});
		struct prefix p = prefix_of(&from, (uint8_t)(26 + kit_rnd(7)));
		static const char *const rest[] = {
			"any any", "udp any", "udp 9000", "udp 9001", "tcp any", "tcp 9000", "icmp any"};
		static const char *const to[] = {"any", "192.0.2.1/32", "192.0.2.0/24", "192.0.2.2/32"};
		char prefix[PREFIX_TEXT];
		bool twice = false;
		(void)snprintf(text, sizeof(text), "drop from %s to %s %s", prefix_text(prefix, &p),
			to[kit_rnd(4)], rest[kit_rnd(7)]);
		w[n] = want_of(text, HOUR_US);
		for (size_t i = 0; i < n; i++)
			twice = twice || rule_same_match(&w[i].rule, &w[n].rule);
		n += !twice;
	}
	(void)sync_to(w, n, NULL);
	for (int k = 0; k < SHOTS; k++) {
		struct endpoint src = {.ip = ip_v4((uint8_t[4]){203, 0, 113, (uint8_t)kit_rnd(80)})}, dst;
		char text[IP_TEXT];
		bool hit = false;
		assert_true(endpoint_parse(&dst, NET_HERE4 ":9000"));
		dst.port = (uint16_t)(9000 + kit_rnd(2));
		for (size_t i = 0; i < n; i++)
			hit = hit || rule_hits(&w[i].rule, PROTO_UDP, &src, &dst);
		if (net_arrive(ip_text(text, &src.ip), dst.port, 1) != !hit)
			fail_msg("%s to port %u: %s", text, dst.port, hit ? "passed" : "dropped");
	}
	assert_int_equal(looked(w, n, NULL).missing, 0);
}

/* Datagrams in fragments: `any` has all of them, a port those whose first fragment has it. */
static void fragments(void **state)
{
	static const struct {
		const char *rule, *from;
		bool arrives;
	} frag[] = {{"drop from 203.0.113.10/32 to any any any", "203.0.113.10", false},
		{"drop from 203.0.113.10/32 to any udp any", "203.0.113.10", false},
		{"drop from 203.0.113.10/32 to any udp 9000", "203.0.113.10", false},
		{"drop from 203.0.113.10/32 to any udp 9001", "203.0.113.10", true},
		{"drop from 203.0.113.10/32 to any tcp any", "203.0.113.10", true},
		{"drop from 2001:db8:7:7::/64 to any any any", "2001:db8:7:7::1", false},
		{"drop from 2001:db8:7:7::/64 to any udp 9000", "2001:db8:7:7::1", false},
		{"drop from 2001:db8:7:7::/64 to any udp 9001", "2001:db8:7:7::1", true}};

	(void)state;
	for (size_t i = 0; i < sizeof(frag) / sizeof(frag[0]); i++) {
		struct want w = want_of(frag[i].rule, HOUR_US);
		struct net_volley v = {.port = 9000, .n = 5, .bytes = NET_BIG};
		(void)snprintf(v.from, sizeof(v.from), "%s", frag[i].from);
		(void)sync_to(&w, 1, NULL);
		if (net_arrive_of(&v) != (frag[i].arrives ? 5 : 0))
			fail_msg("%s", frag[i].rule);
	}
}

/* What this host sends itself is held to the rules as well. */
static void sent_from_here(void **state)
{
	struct want w;
	struct sockaddr_storage a;
	socklen_t len;
	int fd;

	(void)state;
	w = want_of("drop from any to 198.51.100.7/32 udp 53", HOUR_US);
	fd = net_socket("198.51.100.7", 53, &a, &len);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len), 1);
	(void)sync_to(&w, 1, NULL);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len), -1);
	assert_int_equal(errno, EPERM);
	(void)close(fd);
}

/* ---- rates ---- */

static void rate_passes(void **state)
{
	struct want w[] = {want_of("rate 100 from 203.0.113.10/32 to any udp 9000", HOUR_US),
		want_of("rate 7 from 203.0.113.20/32 to any udp 9000", HOUR_US)};
	struct have have[2];
	int got;

	(void)state;
	(void)sync_to(w, 2, NULL);
	got = net_arrive(/* at once: a bucket of 10 */ "203.0.113.10", 9000, 1000);
	assert_in_range(got, 10, 100);
	(void)looked(w, 2, have);
	assert_int_equal(have[0].packets, 1000 - got);
	assert_int_equal(have[1].packets, 0);
	assert_in_range(net_arrive("203.0.113.20", 9000, 100), 1, 7);
	assert_int_equal(net_arrive("203.0.113.10", 9001, 100), 100);
	/* another rate is another element, and what was counted goes on */
	w[0] = want_of("rate 200 from 203.0.113.10/32 to any udp 9000", HOUR_US);
	assert_int_equal(sync_to(w, 2, have).renewed, 1);
	assert_int_equal(have[0].packets, 1000 - got);
	assert_int_equal(sync_to(w, 2, have).renewed, 0);
	assert_true(ruleset_has("limit rate over 200/second"));
}

/* ---- time ---- */

static void ends_by_itself(void **state)
{
	struct want w[] = {want_of("drop from 203.0.113.10/32 to any any any", SECOND_US / 2),
		want_of("drop from 203.0.113.11/32 to any any any", HOUR_US)};
	int arrived = 0;

	(void)state;
	(void)sync_to(w, 2, NULL);
	assert_int_equal(net_arrive("203.0.113.10", 9000, 5), 0);
	for (int i = 0; i < 10000 && arrived == 0; i++)
		arrived = net_arrive_slowly("203.0.113.10", 9000, 1, 1000);
	assert_int_equal(arrived, 1);
	assert_true(now().us >= w[0].until.us - TICK_US);
	assert_false(ruleset_has("203.0.113.10"));
	assert_int_equal(net_arrive("203.0.113.11", 9000, 5), 0);
	w[1].until.us += HOUR_US; /* longer */
	assert_int_equal(sync_to(&w[1], 1, NULL).renewed, 1);
	w[1].until.us -= HOUR_US + HOUR_US / 2; /* shorter */
	assert_int_equal(sync_to(&w[1], 1, NULL).renewed, 1);
	assert_int_equal(sync_to(&w[1], 1, NULL).renewed, 0);
	assert_true(ruleset_has("timeout 29m59s") || ruleset_has("timeout 30m"));
}

/* ---- what others do to the table ---- */

static void mended(void **state)
{
	static const struct {
		const char *command, *why;
	} harm[] = {
		{"nft flush ruleset", "was gone"},
		{"nft delete table inet weir", "was gone"},
		{"nft flush chain inet weir match", "missing"},
		{"nft flush chain inet weir in", "does not look"},
		{"nft flush chain inet weir in && nft delete chain inet weir in", "missing"},
		{"nft add rule inet weir match accept", "not as it was made"},
		{"nft insert rule inet weir in accept", "not as it was made"},
		{"nft 'add chain inet weir more'", "not ours"},
		{"nft 'add set inet weir more { type ipv4_addr; }'", "not ours"},
		{"nft 'add table inet weir { flags dormant; }'", "switched off"},
		{"nft 'flush set inet weir drop4_32_0_any'", "1 missing"},
		{"nft 'flush ruleset; add table inet weir; "
		 "add chain inet weir in { type filter hook prerouting priority 0; }'",
			"elsewhere"},
		{"nft 'add element inet weir drop4_32_0_any { 198.51.100.99 timeout 1h }'", "1 not ours"},
	};
	struct want w[] = {want_of("drop from 203.0.113.10/32 to any any any", HOUR_US),
		want_of("rate 9 from 203.0.113.11/32 to any any any", HOUR_US),
		want_of("drop from 2001:db8:7:7::/64 to any any any", HOUR_US)};
	struct have have[3];
	uint64_t dropped = 0;

	(void)state;
	(void)sync_to(w, 3, NULL);
	for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		struct drift d;
		assert_int_equal(net_arrive("203.0.113.10", 9000, 10), 0);
		dropped += 10;
		assert_int_equal(looked(w, 3, have).missing, 0);
		assert_int_equal(have[0].packets, dropped);
		net_run(harm[i].command);
		d = looked(w, 3, have);
		if (!strstr(d.why, harm[i].why))
			fail_msg("%s: \"%s\"", harm[i].command, d.why);
		d = sync_to(w, 3, have);
		assert_non_null(strstr(d.why, harm[i].why));
		assert_int_equal(have[0].state, INSTALL_OK);
		assert_true(have[0].packets >= dropped);
		assert_string_equal(sync_to(w, 3, have).why, "");
	}
	assert_int_equal(net_arrive("203.0.113.10", 9000, 10), 0);
	assert_int_equal(net_arrive("2001:db8:7:7::1", 9000, 10), 0);
}

/* Nobody else's packet is lost while rules come, go, are renewed and made anew. */
static void bystander(void **state)
{
	enum { ROUNDS = 60, EACH = 100 };
	struct want w[3];
	struct net_volley v = {.from = "198.51.100.50", .port = 9000, .n = ROUNDS * EACH, .pause_us = 100};
	int got;

	(void)state;
	assert_int_equal(write(net.ask, &v, sizeof(v)), sizeof(v));
	for (int i = 0; i < ROUNDS; i++) {
		w[0] = want_of("drop from 203.0.113.10/32 to any any any", HOUR_US + i * 10 * SECOND_US);
		w[1] = want_of("drop from 198.51.100.0/27 to any udp 9000", HOUR_US);
		w[2] = want_of("rate 5 from 198.51.100.51/32 to any any any", HOUR_US);
		(void)sync_to(w, 3, NULL);
		if (i % 3 == 0)
			net_run("nft flush chain inet weir match");
		if (i % 3 == 1)
			(void)sync_to(w, (size_t)(i % 2), NULL);
	}
	net_await();
	got = net_until_mark(net.heard[0]);
	assert_int_equal(got, ROUNDS * EACH);
}

/* ---- many ---- */

static void many(void **state)
{
	enum { MANY = 10000 };
	struct want *w = calloc(MANY, sizeof(*w));
	struct have *have = calloc(MANY, sizeof(*have));
	struct drift d;

	(void)state;
	assert_true(w && have);
	for (unsigned i = 0; i < MANY; i++) {
		w[i] = want_of("drop from 10.0.0.0/32 to any any any", HOUR_US);
		w[i].rule.from.ip.b[2] = (uint8_t)(i >> 8);
		w[i].rule.from.ip.b[3] = (uint8_t)i;
	}
	assert_int_equal(sync_to(w, MANY, have).added, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(have[i].state, INSTALL_OK);
	d = sync_to(w + 1, MANY - 1, have);
	assert_int_equal(d.removed, 1);
	assert_int_equal(d.added + d.renewed, 0);
	assert_int_equal(sync_to(w, 1, have).removed, MANY - 1);
	assert_int_equal(looked(w, 1, have).foreign, 0);
	free(w);
	free(have);
}

/* ---- rights ---- */

static void no_permission(void **state)
{
	const struct backend_param p = {0};
	pid_t pid;
	int st;

	(void)state;
	pid = fork();
	if (pid == 0) {
		void *self;
		_exit(setresuid(65534, 65534, 65534) != 0 ||
			backend_nft.open(&self, &p, &err) != STATUS_MACHINE ||
			!strstr(err.text, "permission"));
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(drops_exactly, set_up, tear_down),
		cmocka_unit_test_setup_teardown(as_rule_hits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fragments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sent_from_here, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rate_passes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_by_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bystander, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many, set_up, tear_down),
		cmocka_unit_test(no_permission),
	};
	int r;

	if (!net_open())
		return net_skip();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	net_close();
	return r;
}
