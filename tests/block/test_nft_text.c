/* What nftables would be told, and what is said where it is not there: takes no rights. */
#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "block/nft_in.h"

#define HOUR_US (INT64_C(3600) * SECOND_US)

static struct err err;

#define ok(call)                                                                                             \
	do {                                                                                                 \
		if ((call) != STATUS_OK)                                                                     \
			fail_msg("%s", err.text);                                                            \
	} while (0)

static struct want want_of(const char *text, int64_t until_us)
{
	struct want w = {.until = {until_us}};

	if (!rule_parse(&w.rule, text))
		fail_msg("%s", text);
	return w;
}

static void lines_without_rights(void **state)
{
	struct want w[] = {want_of("drop from 203.0.113.10/32 to 192.0.2.1/32 tcp 22", HOUR_US),
		want_of("rate 50 from 2001:db8:1:2::/64 to any any any", HOUR_US)};
	const struct backend_param p = {0};
	struct buf b = {0};
	struct wall t = {w[0].until.us - HOUR_US};
	static const char want_text[] =
		"add table inet weir\n"
		"add chain inet weir match\n"
		"add chain inet weir in { type filter hook prerouting priority -310; policy accept; }\n"
		"add rule inet weir in jump match\n"
		"add chain inet weir out { type filter hook output priority -310; policy accept; }\n"
		"add rule inet weir out jump match\n"
		"add set inet weir drop4_32_32_port { type ipv4_addr . ipv4_addr . inet_proto . "
		"inet_service; flags timeout; counter; }\n"
		"add rule inet weir match ip saddr . ip daddr . meta l4proto . th dport @drop4_32_32_port "
		"drop\n"
		"add set inet weir rate6_64_0_any { type ipv6_addr; flags timeout; limit rate over 1/second "
		"burst 1 packets; counter; }\n"
		"add rule inet weir match ip6 saddr & ffff:ffff:ffff:ffff:: @rate6_64_0_any drop\n"
		"add element inet weir drop4_32_32_port { 203.0.113.10 . 192.0.2.1 . 6 . 22 counter timeout "
		"3600000ms }\n"
		"add element inet weir rate6_64_0_any { 2001:db8:1:2:: limit rate over 50/second burst 5 "
		"packets counter timeout 3600000ms }\n";

	(void)state;
	w[1].until = w[0].until;
	ok(backend_nft.lines(&b, &p, w, 2, t, false, &err));
	buf_u8(&b, 0);
	assert_string_equal((char *)b.p, want_text);
	b.n = 0;
	ok(backend_nft.lines(&b, &p, w, 1, t, true, &err));
	buf_u8(&b, 0);
	assert_string_equal((char *)b.p,
		"delete element inet weir drop4_32_32_port { 203.0.113.10 . 192.0.2.1 . 6 . 22 }\n");
	buf_free(&b);
}

/* A kernel that was built without it. */
static void no_nf_tables(void **state)
{
	const struct backend_param p = {0};
	pid_t pid = fork();
	int st;

	(void)state;
	if (pid == 0) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
		void *self;
		if (!ctx ||
			seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 1,
				SCMP_A2(SCMP_CMP_EQ, NETLINK_NETFILTER)) != 0 ||
			seccomp_load(ctx) != 0)
			_exit(2);
		_exit(backend_nft.open(&self, &p, &err) != STATUS_MACHINE ||
			!strstr(err.text, "this kernel has no nftables"));
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_without_rights),
		cmocka_unit_test(no_nf_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
