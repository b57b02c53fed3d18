/* The neutral rule: its notation there and back, and no other text; which packets it matches and which rule
 * does what another does, against slow second implementations over bits and packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "plan/rule.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- made rules ---- */

static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_GRE, PROTO_ICMP};
static const uint16_t ports[] = {22, 80, 443, 65535};

/* Few bits differ, so that prefixes meet. */
static struct prefix random_prefix(uint8_t v)
{
	static const uint8_t base[2][16] = {
		{198, 18, 1, 1}, {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1}};
	struct ip ip = v == 4 ? ip_v4(base[0]) : ip_v6(base[1]);
	size_t bytes = v == 4 ? 4 : 16;
	uint8_t bits = ip_bits(&ip), len = (uint8_t)kit_rnd(bits + 1U);

	if (kit_rnd(3) == 0)
		ip.b[kit_rnd(bytes)] ^= (uint8_t)(1U << kit_rnd(8));
	if (kit_rnd(4) == 0)
		len = kit_rnd(2) ? bits : 0;
	return prefix_of(&ip, len);
}

static struct rule random_rule(uint8_t v)
{
	struct rule r = {.from = random_prefix(v), .to = random_prefix(v)};

	if (r.from.len == 0 && r.to.len == 0)
		r.from = prefix_of(&r.from.ip, 1);
	if (kit_rnd(3))
		r.proto = protos[kit_rnd(N_OF(protos))];
	if (kit_rnd(2) && (r.proto == PROTO_TCP || r.proto == PROTO_UDP || r.proto == PROTO_SCTP))
		r.port = ports[kit_rnd(N_OF(ports))];
	if (kit_rnd(2)) {
		r.action = RULE_RATE;
		r.rate = kit_rnd(2) ? 1 + (uint32_t)kit_rnd(3) : (uint32_t)kit_rnd(RULE_RATE_MAX) + 1;
	}
	return r;
}

static uint8_t random_family(void)
{
	return kit_rnd(2) ? 4 : 6;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
	return memcmp(&a->from, &b->from, sizeof(a->from)) == 0 &&
	       memcmp(&a->to, &b->to, sizeof(a->to)) == 0 && a->proto == b->proto && a->port == b->port &&
	       a->action == b->action && a->rate == b->rate;
}

/* ---- notation ---- */

static void there_and_back(void **state)
{
	(void)state;
	kit_seed("rule");
	for (int i = 0; i < 20000; i++) {
		struct rule r = random_rule(random_family()), back;
		char text[RULE_TEXT];
		assert_true(rule_valid(&r));
		(void)rule_text(text, &r);
		if (!rule_parse(&back, text))
			fail_msg("\"%s\" was not read", text);
		if (!same_rule(&r, &back))
			fail_msg("\"%s\" came back as another rule", text);
	}
}

/* Whatever is taken is what would be written. */
static void one_form(void **state)
{
	size_t taken = 0;

	(void)state;
	kit_seed("rule");
	for (int i = 0; i < 200000; i++) {
		struct rule r = random_rule(random_family());
		char text[RULE_TEXT], again[RULE_TEXT];
		size_t n = strlen(rule_text(text, &r)), at = kit_rnd(n);
		if (kit_rnd(2))
			text[at] = (char)(text[at] ^ (1 << kit_rnd(7)));
		else
			memmove(text + at, text + at + 1, n - at);
		if (!rule_parse(&r, text))
			continue;
		taken++;
		assert_true(rule_valid(&r));
		assert_string_equal(rule_text(again, &r), text);
	}
	assert_in_range(taken, 1000, 199000);
}

static void known_texts(void **state)
{
	static const char *const good[] = {
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22",
		"rate 100 from 2001:db8:1:2::/64 to any any any",
		"drop from any to 192.0.2.0/24 any any",
		"drop from 198.18.0.0/15 to any ip-47 any",
		"drop from 2001:db8::/32 to 2001:db8:1::1/128 icmp6 any",
		"rate 1 from 0.0.0.0/1 to any udp 65535",
		"rate 1000000 from ::/1 to any ip-136 1",
		"drop from ::ffff:192.0.2.1/128 to any any any",
	};
	static const char *const bad[] = {
		"",
		"drop",
		"drop from any to any any any", /* of which family? */
		"drop from 203.0.113.10 to 192.0.2.10/32 tcp 22",
		"drop from 203.0.113.10/032 to 192.0.2.10/32 tcp 22",
		"drop from 203.0.113.10/33 to 192.0.2.10/32 tcp 22",
		"drop from 203.0.113.10/24 to 192.0.2.10/32 tcp 22",
		"drop from 203.0.113.010/32 to 192.0.2.10/32 tcp 22",
		"drop from 0.0.0.0/0 to 192.0.2.10/32 tcp 22",
		"drop from ::/0 to 2001:db8::/64 tcp 22",
		"drop from 2001:DB8::/64 to any tcp 22",
		"drop from 2001:db8:0::/64 to any tcp 22",
		"drop from 2001:db8::/64 to 192.0.2.0/24 tcp 22",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 0",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 65536",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 022",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22 ",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp  22",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22 any",
		" drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 any 22",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 icmp 22",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 ip-6 22",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 ip-0 any",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 ip-256 any",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 TCP 22",
		"drop 1 from 203.0.113.10/32 to any any any",
		"rate from 203.0.113.10/32 to any any any",
		"rate 0 from 203.0.113.10/32 to any any any",
		"rate 01 from 203.0.113.10/32 to any any any",
		"rate 1000001 from 203.0.113.10/32 to any any any",
		"rate 4294967297 from 203.0.113.10/32 to any any any",
		"rate 18446744073709551617 from 203.0.113.10/32 to any any any",
		"pass from 203.0.113.10/32 to any any any",
		"drop to any from 203.0.113.10/32 any any",
	};
	struct rule r;
	char text[RULE_TEXT], longer[4096];

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		if (!rule_parse(&r, good[i]))
			fail_msg("\"%s\" was refused", good[i]);
		assert_string_equal(rule_text(text, &r), good[i]);
	}
	for (size_t i = 0; i < N_OF(bad); i++)
		if (rule_parse(&r, bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	memset(longer, 'd', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(rule_parse(&r, longer));
}

static void not_well_formed(void **state)
{
	struct rule good, r;

	(void)state;
	assert_true(rule_parse(&good, "drop from 203.0.113.0/24 to 192.0.2.10/32 tcp 22"));
	r = good, r.rate = 1;
	assert_false(rule_valid(&r));
	r = good, r.action = RULE_RATE;
	assert_false(rule_valid(&r));
	r = good, r.action = (enum rule_action)2;
	assert_false(rule_valid(&r));
	r = good, r.proto = 0;
	assert_false(rule_valid(&r));
	r = good, r.from.ip.b[3] = 1;
	assert_false(rule_valid(&r));
	r = good, r.from.ip.b[9] = 1; /* behind an IPv4 address */
	assert_false(rule_valid(&r));
	r = good, r.from.len = 33;
	assert_false(rule_valid(&r));
	r = good, r.to.ip.v = 6;
	assert_false(rule_valid(&r));
	r = good, r.to.ip.v = r.from.ip.v = 0;
	assert_false(rule_valid(&r));
}

/* The longest of each field still fits. */
static void longest(void **state)
{
	struct rule r = {.action = RULE_RATE, .rate = RULE_RATE_MAX, .proto = PROTO_UDPLITE, .port = 65535};
	char text[RULE_TEXT];

	(void)state;
	r.from.len = r.to.len = 128;
	r.from.ip.v = r.to.ip.v = 6;
	memset(r.from.ip.b, 0xff, 16);
	memset(r.to.ip.b, 0xfe, 16);
	assert_true(rule_valid(&r));
	assert_true(strlen(rule_text(text, &r)) < sizeof(text) - 1);
	assert_true(rule_parse(&r, text));
}

/* ---- which packets, and which rule does what another does ---- */

static bool slow_bit(const struct ip *ip, unsigned i)
{
	return (ip->b[i / 8] >> (7 - i % 8)) & 1;
}

static bool slow_in(const struct prefix *p, const struct ip *ip)
{
	bool in = p->ip.v == ip->v;

	for (unsigned i = 0; i < p->len; i++)
		in = in && slow_bit(&p->ip, i) == slow_bit(ip, i);
	return in;
}

struct packet {
	uint8_t proto;
	struct endpoint src, dst;
};

static bool slow_hits(const struct rule *r, const struct packet *p)
{
	return slow_in(&r->from, &p->src.ip) && slow_in(&r->to, &p->dst.ip) &&
	       (!r->proto || r->proto == p->proto) && (!r->port || r->port == p->dst.port);
}

/* The k-th corner: the first or the last address. */
static struct ip corner(const struct prefix *p, int k)
{
	struct ip ip = p->ip;

	for (unsigned i = p->len; k && i < ip_bits(&ip); i++)
		ip.b[i / 8] |= (uint8_t)(0x80U >> i % 8);
	return ip;
}

/* Every kind of packet that could tell: corners of both, each protocol and port that a made rule may have,
 * and one that none has.  f(packet) for all; false as soon as it says false. */
static bool all_packets(const struct rule *a, const struct rule *b,
	bool (*f)(const struct rule *a, const struct rule *b, const struct packet *p))
{
	bool good = true;

	for (unsigned k = 0; k < 16; k++)
		for (size_t i = 0; i <= N_OF(protos); i++)
			for (size_t j = 0; j <= N_OF(ports); j++) {
				const struct rule *x = k & 8 ? a : b;
				struct packet p = {.proto = i < N_OF(protos) ? protos[i] : 99};
				p.src.ip = corner(&x->from, k & 1);
				p.dst.ip = corner(k & 4 ? &a->to : &b->to, k & 2);
				p.dst.port = j < N_OF(ports) ? ports[j] : 7;
				p.src.port = 22;
				good = good && f(a, b, &p);
			}
	return good;
}

static bool hits_as_slow(const struct rule *a, const struct rule *b, const struct packet *p)
{
	(void)b;
	return rule_hits(a, p->proto, &p->src, &p->dst) == slow_hits(a, p);
}

static bool also_hit(const struct rule *a, const struct rule *b, const struct packet *p)
{
	return !slow_hits(a, p) || slow_hits(b, p);
}

static uint64_t passes(const struct rule *r)
{
	return r->action == RULE_DROP ? 0 : r->rate;
}

static void within(void **state)
{
	size_t inside = 0;

	(void)state;
	kit_seed("rule");
	for (int i = 0; i < 20000; i++) {
		struct rule a = random_rule(random_family()), b = a;
		uint8_t v = kit_rnd(20) ? a.from.ip.v : random_family();
		struct rule other = random_rule(v);
		/* b is a with some fields of another */
		if (kit_rnd(2) || v != a.from.ip.v)
			b.from = other.from;
		if (kit_rnd(2) || v != a.from.ip.v)
			b.to = other.to;
		if (kit_rnd(3) == 0)
			b.proto = other.proto, b.port = other.port;
		if (kit_rnd(3) == 0)
			b.action = other.action, b.rate = other.rate;
		assert_true(all_packets(&a, &b, hits_as_slow));
		bool slow = all_packets(&a, &b, also_hit) && passes(&a) >= passes(&b);
		if (rule_within(&a, &b) != slow) {
			char t[2][RULE_TEXT];
			fail_msg("within: %s of %s", rule_text(t[0], &a), rule_text(t[1], &b));
		}
		inside += slow;
	}
	assert_in_range(inside, 500, 15000);
}

static void another_family(void **state)
{
	struct rule a, b;
	struct endpoint v4, v6;

	(void)state;
	assert_true(rule_parse(&a, "drop from any to 192.0.2.0/24 any any"));
	assert_true(rule_parse(&b, "drop from any to 2001:db8::/32 any any"));
	assert_true(endpoint_parse(&v4, "192.0.2.1"));
	assert_true(endpoint_parse(&v6, "2001:db8::1"));
	assert_false(rule_within(&a, &b));
	assert_true(rule_hits(&a, 6, &v4, &v4));
	assert_false(rule_hits(&a, 6, &v6, &v4));
	assert_false(rule_hits(&b, 6, &v6, &v4));
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void order(void **state)
{
	(void)state;
	kit_seed("rule");
	for (int i = 0; i < 20000; i++) {
		uint8_t v = random_family();
		struct rule r[3] = {0};
		for (int k = 0; k < 3; k++) {
			r[k] = k && kit_rnd(2) ? r[k - 1] : random_rule(kit_rnd(9) ? v : random_family());
			if (k && kit_rnd(2))
				r[k].action = RULE_DROP, r[k].rate = 0;
		}
		int ab = rule_compare(&r[0], &r[1]), bc = rule_compare(&r[1], &r[2]);
		int ac = rule_compare(&r[0], &r[2]);
		assert_int_equal(sign(ab), -sign(rule_compare(&r[1], &r[0])));
		assert_int_equal(ab == 0, same_rule(&r[0], &r[1]));
		assert_true(!(ab <= 0 && bc <= 0) || ac <= 0);
		/* the match decides before the action does */
		struct rule m = r[1];
		m.action = r[0].action, m.rate = r[0].rate;
		assert_int_equal(rule_same_match(&r[0], &r[1]), same_rule(&r[0], &m));
		if (!rule_same_match(&r[0], &r[1]))
			assert_int_equal(sign(ab), sign(rule_compare(&r[0], &m)));
	}
}

/* ---- how wide ---- */

static void widths(void **state)
{
	static const struct {
		const char *rule;
		int64_t for_us;
		enum width is;
	} table[] = {
		{"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22", 1, WIDTH_HOST},
		{"drop from 203.0.113.10/32 to any any any", WIDTH_HOUR_US, WIDTH_HOST},
		{"drop from 203.0.113.10/32 to any any any", WIDTH_HOUR_US + 1, WIDTH_WIDE},
		{"drop from 203.0.113.10/31 to 192.0.2.10/32 tcp 22", 1, WIDTH_WIDE},
		{"rate 1 from 203.0.113.10/31 to any any any", 1, WIDTH_WIDE},
		{"rate 1 from 203.0.113.10/32 to any any any", INT64_MAX, WIDTH_RATE},
		{"rate 1 from 2001:db8::/64 to any any any", WIDTH_HOUR_US, WIDTH_RATE},
		{"drop from 2001:db8::/64 to any any any", WIDTH_HOUR_US, WIDTH_HOST},
		{"drop from 2001:db8::/65 to any any any", WIDTH_HOUR_US, WIDTH_HOST},
		{"drop from 2001:db8::/63 to any any any", WIDTH_HOUR_US, WIDTH_WIDE},
		{"drop from any to 192.0.2.1/32 any any", 1, WIDTH_WIDE},
		{"rate 1 from any to 192.0.2.1/32 any any", 1, WIDTH_WIDE},
	};
	struct rule r;

	(void)state;
	for (size_t i = 0; i < N_OF(table); i++) {
		assert_true(rule_parse(&r, table[i].rule));
		if (rule_width(&r, table[i].for_us) != table[i].is)
			fail_msg("%s: %s", table[i].rule, width_name(rule_width(&r, table[i].for_us)));
	}
}

static void hosts(void **state)
{
	struct ip ip;
	struct prefix p;
	char text[PREFIX_TEXT];

	(void)state;
	assert_true(ip_parse(&ip, "192.0.2.77"));
	p = rule_host(&ip);
	assert_string_equal(prefix_text(text, &p), "192.0.2.77/32");
	assert_true(rule_is_host(&p));
	assert_true(ip_parse(&ip, "2001:db8:1:2:3:4:5:6"));
	p = rule_host(&ip);
	assert_string_equal(prefix_text(text, &p), "2001:db8:1:2::/64");
	assert_true(rule_is_host(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(one_form),
		cmocka_unit_test(known_texts),
		cmocka_unit_test(not_well_formed),
		cmocka_unit_test(longest),
		cmocka_unit_test(within),
		cmocka_unit_test(another_family),
		cmocka_unit_test(order),
		cmocka_unit_test(widths),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
