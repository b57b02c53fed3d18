/* What this machine protects: the configuration's lists, resolvers, and addresses and gateways, asked of the
 * kernel in a network namespace of its own (root; else skipped). */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "block/guard_here.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct prefix net(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(&p, s));
	return p;
}

static bool protects(const struct guard *g, const char *s, enum protection why)
{
	struct prefix p = net(s);

	for (size_t i = 0; i < g->n_protected; i++)
		if (memcmp(&g->protected[i].prefix, &p, sizeof(p)) == 0 && g->protected[i].why == why)
			return true;
	return false;
}

static void resolvers(void **state)
{
	static const char text[] = "# nameserver 192.0.2.99\nsearch example\nnameserver 192.0.2.53\n"
				   "nameserver\t2001:db8::53 # x\r\n nameserver fe80::1%eth0\nnameserver x\n"
				   "nameserver\nnameserverx 192.0.2.98\noptions edns0\nnameserver 192.0.2.54";
	static const char *const found[] = {"192.0.2.53", "2001:db8::53", "fe80::1", "192.0.2.54"};
	char name[] = "/tmp/weir-resolv-XXXXXX", line[IP_TEXT];
	int fd = mkstemp(name);
	struct ip ip[GUARD_RESOLVERS];
	struct err e;
	size_t n = 0;

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(guard_resolv_conf(ip, &n, name, &e), STATUS_OK);
	assert_int_equal(n, N_OF(found));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(ip_text(line, &ip[i]), found[i]);
	assert_int_equal(guard_resolv_conf(ip, &n, "/nonexistent/resolv.conf", &e), STATUS_OK);
	assert_int_equal(n, N_OF(found));
	assert_int_equal(ftruncate(fd, 0), 0);
	for (int i = 0; i < 2 * GUARD_RESOLVERS; i++)
		assert_true(dprintf(fd, "nameserver 192.0.2.1\n%0600d\n", 7) > 0);
	n = 0;
	assert_int_equal(guard_resolv_conf(ip, &n, name, &e), STATUS_OK);
	assert_int_equal(n, GUARD_RESOLVERS);
	assert_int_equal(
		guard_resolv_conf(ip, &n, "/", &e), n < GUARD_RESOLVERS ? STATUS_MACHINE : STATUS_OK);
	(void)close(fd);
	(void)unlink(name);
}

/* As the machine is: what the configuration says comes through, and loopback's own addresses are seen. */
static void here(void **state)
{
	static const char text[] = "own_networks = {\"192.0.2.0/24\"}\nnever_block = {\"198.51.100.0/28\"}\n"
				   "partner_networks = {\"198.19.0.0/16\", \"2001:db8:7::/48\"}\n"
				   "widest_v4 = 20\nmax_rules = 7\nmax_block = \"3h\"\n";
	struct config cfg;
	struct arena a = {0};
	struct guard g;
	struct err e;

	(void)state;
	if (config_parse(&cfg, "test", text, sizeof(text) - 1, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	if (guard_here(&g, &cfg, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_true(protects(&g, "198.51.100.0/28", PROTECT_NEVER));
	assert_true(protects(&g, "198.19.0.0/16", PROTECT_PARTNER));
	assert_true(protects(&g, "2001:db8:7::/48", PROTECT_PARTNER));
	assert_int_equal(g.n_own, 1);
	assert_int_equal(g.widest[0], 20);
	assert_int_equal(g.widest[1], 48);
	assert_int_equal(g.confirm[0], 28);
	assert_int_equal(g.confirm[1], 64);
	assert_int_equal(g.max_rules, 7);
	assert_int_equal(g.max_for_us, 3 * WIDTH_HOUR_US);
	assert_int_equal(g.skew_us, 60 * SECOND_US);
	arena_free(&a);
	config_free(&cfg);
}

/* A namespace that ends with this process.  False where it may make none. */
static bool make_namespace(void)
{
	static const char *const lines[] = {
		"link set lo up", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
		"addr add 192.0.2.10/24 dev v0", "addr add 198.18.9.1 peer 198.18.9.2/32 dev v0",
		"-6 addr add 2001:db8:1::10/64 dev v0 nodad", "route add default via 192.0.2.1",
		"-6 route add default via 2001:db8:1::1", "route add default via 192.0.2.7 table 77",
		"-6 route add default via 2001:db8:1::7 table 77",
		"route add default metric 200 nexthop via 192.0.2.8 dev v0 nexthop via 192.0.2.9 dev v0",
		"route add default via inet6 2001:db8:1::8 dev v0 metric 300",
		"route add 0.0.0.0/1 via 192.0.2.12", /* halves of one, as VPNs make them */
		"-6 route add 2000::/3 via 2001:db8:1::9",
		"route add 203.0.113.0/24 via 192.0.2.66", /* none */
	};
	char cmd[256];

	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		return false;
	for (size_t i = 0; i < N_OF(lines); i++) {
		(void)snprintf(cmd, sizeof(cmd), "timeout 10 ip %s", lines[i]);
		if (system(cmd) != 0)
			fail_msg("%s", cmd);
	}
	return true;
}

/* Gateways that hang on nexthop objects, and a kernel that names them no other way. */
static bool only_objects(void)
{
	int fd = open("/proc/sys/net/ipv4/nexthop_compat_mode", O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, "0", 1) == 1 &&
		    system("timeout 10 ip nexthop add id 5 via 192.0.2.11 dev v0 &&"
			   "timeout 10 ip route add default nhid 5 table 78") == 0;

	if (fd >= 0)
		(void)close(fd);
	return good;
}

static void in_namespace(void **state)
{
	static const struct {
		const char *prefix;
		enum protection why;
	} found[] = {
		{"127.0.0.1/32", PROTECT_OWN},
		{"::1/128", PROTECT_OWN},
		{"192.0.2.10/32", PROTECT_OWN},
		{"198.18.9.1/32", PROTECT_OWN},
		{"2001:db8:1::10/128", PROTECT_OWN},
		{"192.0.2.1/32", PROTECT_GATEWAY},
		{"192.0.2.7/32", PROTECT_GATEWAY},
		{"192.0.2.8/32", PROTECT_GATEWAY},
		{"192.0.2.9/32", PROTECT_GATEWAY},
		{"192.0.2.12/32", PROTECT_GATEWAY},
		{"2001:db8:1::9/128", PROTECT_GATEWAY},
		{"2001:db8:1::1/128", PROTECT_GATEWAY},
		{"2001:db8:1::7/128", PROTECT_GATEWAY},
		{"2001:db8:1::8/128", PROTECT_GATEWAY},
		{"192.0.2.53/32", PROTECT_RESOLVER},
	};
	struct ip resolver;
	struct config cfg;
	struct arena a = {0};
	struct guard g;
	struct err e;

	(void)state;
	if (!make_namespace()) {
		print_message("# no root, or no namespaces: skipped\n");
		skip();
	}
	assert_true(ip_parse(&resolver, "192.0.2.53"));
	assert_int_equal(config_parse(&cfg, "test", "", 0, &e), STATUS_OK);
	if (guard_kernel(&g, &cfg, &resolver, 1, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < N_OF(found); i++)
		if (!protects(&g, found[i].prefix, found[i].why))
			fail_msg("%s is not protected", found[i].prefix);
	assert_false(protects(&g, "192.0.2.66/32", PROTECT_GATEWAY));
	assert_false(protects(&g, "198.18.9.2/32", PROTECT_OWN));
	assert_false(protects(&g, "192.0.2.11/32", PROTECT_GATEWAY));
	if (only_objects()) {
		assert_int_equal(guard_kernel(&g, &cfg, NULL, 0, &a, &e), STATUS_OK);
		assert_true(protects(&g, "192.0.2.11/32", PROTECT_GATEWAY));
		assert_false(protects(&g, "192.0.2.53/32", PROTECT_RESOLVER));
	} else {
		print_message("# this kernel has no nexthop objects\n");
	}
	arena_free(&a);
	config_free(&cfg);
}

/* More addresses than one datagram holds. */
static void many_addresses(void **state)
{
	enum { ADDRESSES = 3000 };
	struct config cfg;
	struct arena a = {0};
	struct guard g;
	struct err e;
	char text[PREFIX_TEXT];

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		skip();
	FILE *ip = popen("timeout 60 ip -batch -", "w");
	assert_non_null(ip);
	for (int i = 0; i < ADDRESSES; i++)
		(void)fprintf(ip, "addr add 198.18.%d.%d/32 dev lo\n", i / 250, i % 250 + 1);
	assert_int_equal(pclose(ip), 0);
	assert_int_equal(config_parse(&cfg, "test", "", 0, &e), STATUS_OK);
	assert_int_equal(guard_kernel(&g, &cfg, NULL, 0, &a, &e), STATUS_OK);
	assert_in_range(g.n_protected, ADDRESSES, ADDRESSES + 2);
	for (int i = 0; i < ADDRESSES; i++) {
		(void)snprintf(text, sizeof(text), "198.18.%d.%d/32", i / 250, i % 250 + 1);
		assert_true(protects(&g, text, PROTECT_OWN));
	}
	arena_free(&a);
	config_free(&cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolvers),
		cmocka_unit_test(here),
		cmocka_unit_test(in_namespace),
		cmocka_unit_test(many_addresses),
	};

	return cmocka_run_group_tests_name("guard-here", tests, NULL, NULL);
}
