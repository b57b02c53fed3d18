/* Orders against the safety rules: guard_fuzz N.
 *
 * Made are N orders that are good or nearly so: each is one that a plan allows, with up to three mutations
 * (another address in and around what is protected, a wider or narrower prefix, another port, a longer life,
 * another option, no reason for an override, one name twice, an IPv4 address in an IPv6 form ...).  A slow
 * second implementation, which shares no code with the guard and looks at addresses bit by bit, says what may
 * reach the kernel.  Both directions are counted; one order that one of them takes and the other does not
 * fails, and so does a run in which few were taken, or a mutation had never any effect.
 *
 * The orders travel as text, as they do to the enforcing process. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../lib/rnd.h"
#include "guard_scene.h"

enum { SHORT_RUN = 50000 };

/* ---- the scene ---- */

static void guard_make(struct scene *s)
{
	static const struct {
		const char *prefix;
		enum protection why;
	} list[PROTECTED] = {{"198.51.100.0/28", PROTECT_NEVER}, {"2001:db8:5::/56", PROTECT_NEVER},
		{"192.0.2.10/32", PROTECT_OWN}, {"2001:db8:1::10/128", PROTECT_OWN},
		{"192.0.2.1/32", PROTECT_GATEWAY}, {"2001:db8:1::1/128", PROTECT_GATEWAY},
		{"198.18.0.53/32", PROTECT_RESOLVER}, {"203.0.113.128/26", PROTECT_PARTNER},
		{"2001:db8:7::/48", PROTECT_PARTNER}};

	for (size_t i = 0; i < PROTECTED; i++)
		s->protected[i] = (struct protected){net(list[i].prefix), list[i].why};
	s->own[0] = net("192.0.2.0/24");
	s->own[1] = net("2001:db8:1::/48");
	s->own[2] = net("198.18.0.0/25");
	s->guard = (struct guard){.protected = s->protected,
		.n_protected = PROTECTED,
		.own = s->own,
		.n_own = kit_rnd(8) ? OWN : 0,
		.widest = {24, 48},
		.confirm = {28, 64},
		.max_rules = kit_rnd(50) ? 100 : RULES - 1,
		.max_for_us = 24 * HOUR,
		.skew_us = MINUTE};
}

/* ---- addresses near what matters ---- */

static void flip_from(struct ip *ip, unsigned bit)
{
	for (unsigned i = bit; i < ip_bits(ip); i++)
		if (kit_rnd(2))
			ip->b[i / 8] ^= (uint8_t)(0x80U >> i % 8);
}

/* Every address that the guard has an opinion of, and some of others. */
static const char *const places[] = {"203.0.113.10/32", "203.0.113.64/26", "198.51.100.32/27",
	"198.18.9.0/24", "203.0.113.127/32", "198.51.100.16/28", "192.0.2.128/25", "0.0.0.0/8",
	"127.0.0.1/32", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "223.255.255.0/24",
	"255.255.255.255/32", "1.0.0.0/24", "198.51.100.0/28", "192.0.2.10/32", "192.0.2.1/32",
	"198.18.0.53/32", "203.0.113.128/26"};
static const char *const places6[] = {"2001:db8:9::/48", "2001:db8:9:1::/64", "2001:db8:1:1::/64",
	"2001:db8:5:100::/56", "2001:1::/48", "2003::/48", "65:ff9b::/48", "100::/48", "fec0::/48", "::/64",
	"::1/128", "::ffff:192.0.2.10/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b::c000:20a/128",
	"64:ff9b:1::/48", "2002:c000:20a::/48", "2001:0:c000:20a::/64", "fe80::/64", "febf::/48", "ff02::/64",
	"2001:db8:5::/56", "2001:db8:1::10/128", "2001:db8:1::1/128", "2001:db8:7::/48"};

static struct prefix random_place(uint8_t v)
{
	struct prefix p = net(v == 4 ? places[kit_rnd(N_OF(places))] : places6[kit_rnd(N_OF(places6))]);
	uint8_t bits = ip_bits(&p.ip);

	if (kit_rnd(2))
		flip_from(&p.ip, p.len);
	if (kit_rnd(4) == 0)
		p.ip.b[kit_rnd(bits / 8)] ^= (uint8_t)(1U << kit_rnd(8));
	if (kit_rnd(2))
		p.len = (uint8_t)kit_rnd(bits + 1U);
	else if (kit_rnd(2))
		p.len = v == 4 ? 32 : 64;
	return prefix_of(&p.ip, p.len);
}

/* One that a plan could hold, harmless mostly. */
static struct rule random_rule(void)
{
	uint8_t v = kit_rnd(3) ? 4 : 6;
	struct rule r = {.from = net(v == 4 ? "203.0.113.0/32" : "2001:db8:9::/64"),
		.to = net(v == 4 ? "192.0.2.10/32" : "2001:db8:1::10/128")};

	if (v == 4)
		r.from.ip.b[3] = (uint8_t)kit_rnd(128);
	else
		r.from.ip.b[7] = (uint8_t)kit_rnd(256);
	if (kit_rnd(4) == 0)
		r.from = prefix_of(&r.from.ip, (uint8_t)((v == 4 ? 24 : 48) + kit_rnd(v == 4 ? 9 : 17)));
	if (kit_rnd(3) == 0)
		r.to = prefix_of(&r.to.ip, 0);
	if (kit_rnd(2)) {
		r.proto = kit_rnd(2) ? PROTO_TCP : PROTO_UDP;
		r.port = kit_rnd(2) ? (uint16_t)(20 + kit_rnd(5)) : 0;
	}
	if (kit_rnd(3) == 0) {
		r.action = RULE_RATE;
		r.rate = 1 + (uint32_t)kit_rnd(5);
	}
	return r;
}

/* ---- a good order ---- */

static int match_order(const void *a, const void *b)
{
	return rule_compare(a, b);
}

static void rules_sort(struct scene *s)
{
	size_t n = 0;

	qsort(s->rule, s->order.n_rule, sizeof(*s->rule), match_order);
	for (size_t i = 0; i < s->order.n_rule; i++)
		if (n == 0 || !rule_same_match(&s->rule[n - 1], &s->rule[i]))
			s->rule[n++] = s->rule[i];
	s->order.n_rule = n;
}

static void plan_make(struct scene *s)
{
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < ACTIONS; i++)
			s->action[k][i] = (struct action){random_rule(), kit_rnd(6) ? "" : "a partner"};
		s->action[k][0].place = "";
		s->option[k] = (struct option){.k = (uint32_t)k + 1,
			.action = s->action[k],
			.n_action = ACTIONS,
			.for_us = HOUR * (1 + (int64_t)kit_rnd(30)),
			.sufficient = kit_rnd(4) != 0};
	}
	s->plan = (struct plan){.option = s->option, .n_option = 2};
	s->plan.case_id.b[0] = 7;
	for (int i = 0; i < 64; i++)
		s->plan.sha256[i] = "0123456789abcdef"[kit_rnd(16)];
}

static void scene_make(struct scene *s)
{
	size_t k = kit_rnd(2);

	memset(s, 0, sizeof(*s));
	guard_make(s);
	plan_make(s);
	s->now.us = NOW;
	s->order = (struct order){.case_id = s->plan.case_id,
		.option = (uint32_t)k + 1,
		.made = {NOW - (int64_t)kit_rnd(2 * (uint64_t)MINUTE)},
		.override_why = s->option[k].sufficient ? "" : "it goes on",
		.by = {"alice", "bob"},
		.rule = s->rule};
	memcpy(s->order.plan, s->plan.sha256, sizeof(s->order.plan));
	s->order.expires.us = s->order.made.us +
			      (s->option[k].for_us < s->guard.max_for_us ? s->option[k].for_us : 24 * HOUR);
	for (size_t i = 0; i < ACTIONS && s->order.n_rule < RULES; i++)
		if (!*s->action[k][i].place)
			s->rule[s->order.n_rule++] = s->action[k][i].rule;
	rules_sort(s);
}

/* ---- mutations ---- */

static struct rule *any_rule(struct scene *s)
{
	return &s->rule[kit_rnd(s->order.n_rule)];
}

/* In the plan too, as a plan that should never have been made. */
static void both(struct scene *s, const struct rule *was, const struct rule *is)
{
	struct action *a = s->action[s->order.option == 2];

	for (size_t i = 0; i < ACTIONS && kit_rnd(8); i++)
		if (rule_compare(&a[i].rule, was) == 0)
			a[i].rule = *is;
}

static void change(struct scene *s, struct rule *r, struct rule is)
{
	struct rule was = *r;

	if (!rule_valid(&is))
		return;
	both(s, &was, &is);
	*r = is;
}

static void from_place(struct scene *s)
{
	struct rule *r = any_rule(s), is = *r;

	is.from = random_place(is.from.ip.v);
	change(s, r, is);
}

static void to_place(struct scene *s)
{
	struct rule *r = any_rule(s), is = *r;

	is.to = random_place(is.to.ip.v);
	change(s, r, is);
}

static void outbound(struct scene *s)
{
	struct rule *r = any_rule(s), is = *r;

	is.from = is.from.ip.v == 4 ? net("192.0.2.0/24") : net("2001:db8:1::/48");
	flip_from(&is.from.ip, is.from.len);
	is.from = prefix_of(&is.from.ip, is.from.ip.v == 4 ? 32 : 64);
	is.to = random_place(is.from.ip.v);
	change(s, r, is);
}

static void from_length(struct scene *s)
{
	struct rule *r = any_rule(s), is = *r;

	is.from = prefix_of(&is.from.ip, (uint8_t)kit_rnd(ip_bits(&is.from.ip) + 1U));
	change(s, r, is);
}

/* Beyond its plan; that is left as it is. */
static void beyond(struct scene *s)
{
	struct rule *r = any_rule(s), is = *r;

	switch (kit_rnd(5)) {
	case 0:
		is.from = prefix_of(&is.from.ip, (uint8_t)(is.from.len - (is.from.len > 0)));
		break;
	case 1:
		is.to = prefix_of(&is.to.ip, (uint8_t)(is.to.len - (is.to.len > 0)));
		break;
	case 2:
		is.proto = (uint8_t[]){0, PROTO_TCP, PROTO_UDP}[kit_rnd(3)];
		is.port = is.proto ? is.port : 0;
		break;
	case 3:
		is.port = (uint16_t)(is.proto ? 20 + kit_rnd(5) : 0);
		break;
	default:
		is.action = kit_rnd(2) ? RULE_DROP : RULE_RATE;
		is.rate = is.action == RULE_RATE ? 1 + (uint32_t)kit_rnd(5) : 0;
		break;
	}
	if (rule_valid(&is))
		*r = is;
}

/* Less than the plan allows, which is allowed. */
static void less(struct scene *s)
{
	struct rule *r = any_rule(s), is = *r;

	if (kit_rnd(2)) {
		flip_from(&is.from.ip, is.from.len);
		is.from = prefix_of(&is.from.ip, is.from.ip.v == 4 ? 32 : 64);
	}
	if (kit_rnd(2) && is.action == RULE_RATE)
		is.rate += (uint32_t)kit_rnd(3);
	if (kit_rnd(2) && is.to.len == 0)
		is.to = is.to.ip.v == 4 ? net("192.0.2.10/32") : net("2001:db8:1::10/128");
	if (rule_valid(&is))
		*r = is;
}

static void another_option(struct scene *s)
{
	s->order.option = (uint32_t)kit_rnd(4);
}

static void another_plan(struct scene *s)
{
	size_t at = kit_rnd(64);

	s->plan.sha256[at] = s->plan.sha256[at] == '0' ? '1' : '0';
}

static void another_case(struct scene *s)
{
	s->order.case_id.b[kit_rnd(16)] ^= (uint8_t)(1U << kit_rnd(8));
}

static void no_override(struct scene *s)
{
	s->order.override_why = "";
}

static void not_sufficient(struct scene *s)
{
	s->option[kit_rnd(2)].sufficient = false;
}

static void some_names(struct scene *s)
{
	static const char *const names[] = {"alice", "bob", "", "Alice", "ALICE", "alice x"};

	s->order.by[0] = names[kit_rnd(N_OF(names))];
	s->order.by[1] = names[kit_rnd(N_OF(names))];
}

/* Times may be at the ends of what there is: sums go round, as no signed sum in C may. */
static int64_t round_sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void made(struct scene *s)
{
	int64_t by = MINUTE - 2 + (int64_t)kit_rnd(5);
	int64_t life = (int64_t)((uint64_t)s->order.expires.us - (uint64_t)s->order.made.us);

	s->order.made.us = NOW + (kit_rnd(2) ? by : (int64_t)kit_rnd(3 * (uint64_t)HOUR));
	if (kit_rnd(2))
		s->order.expires.us = round_sum(s->order.made.us, life);
}

static void longer(struct scene *s)
{
	static const int64_t by[] = {-2, -1, 0, 1, 2, MINUTE, 24 * HOUR, 24000 * HOUR};
	int64_t most[] = {s->option[s->order.option == 2].for_us, s->guard.max_for_us, 0};

	s->order.expires.us = round_sum(round_sum(s->order.made.us, most[kit_rnd(3)]), by[kit_rnd(N_OF(by))]);
}

static void clock_jumps(struct scene *s)
{
	int64_t at[] = {s->order.expires.us, s->order.made.us, round_sum(s->order.made.us, -MINUTE),
		INT64_MIN, INT64_MAX, 0};

	s->now.us = at[kit_rnd(6)];
	if (s->now.us > INT64_MIN && s->now.us < INT64_MAX)
		s->now.us += (int64_t)kit_rnd(3) - 1;
}

/* As big as they get. */
static void wild_times(struct scene *s)
{
	static const int64_t hard[] = {INT64_MIN, -1, 0, 1, NOW, INT64_C(7258118400000000), INT64_MAX};

	s->order.made.us = hard[kit_rnd(N_OF(hard))];
	s->order.expires.us = hard[kit_rnd(N_OF(hard))];
	if (kit_rnd(2))
		s->option[0].for_us = s->option[1].for_us = s->guard.max_for_us = INT64_C(7258118400000000);
}

static void elsewhere(struct scene *s)
{
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < ACTIONS; i++)
			if (kit_rnd(3) == 0)
				s->action[k][i].place = "203.0.113.0/24";
}

static const struct {
	const char *name;
	void (*f)(struct scene *s);
} mutations[] = {
	{"from-place", from_place},
	{"to-place", to_place},
	{"outbound", outbound},
	{"from-length", from_length},
	{"beyond-plan", beyond},
	{"less", less},
	{"option", another_option},
	{"plan", another_plan},
	{"case", another_case},
	{"override", no_override},
	{"sufficient", not_sufficient},
	{"names", some_names},
	{"made", made},
	{"life", longer},
	{"clock", clock_jumps},
	{"wild-times", wild_times},
	{"place", elsewhere},
};

/* ---- the run ---- */

struct count {
	uint64_t taken, wrong_taken, wrong_refused, no_text;
	uint64_t tried[N_OF(mutations)], good[N_OF(mutations)]; /* alone; with taken orders */
};

/* What the enforcing process makes of the order's text.  Only an order that has one is read. */
static bool guarded(struct scene *s, struct count *c, char why[512])
{
	struct order back;
	struct arena a = {0};
	struct buf text = {0};
	struct err e = {0};
	bool taken = false;

	order_write(&text, &s->order);
	if (text.failed)
		c->no_text++; /* as its times are */
	if (text.failed ? guard_order(&s->guard, &s->order, &s->plan, s->now, &e) == STATUS_OK
			: order_read(&back, text.p, text.n, &a, &e) == STATUS_OK &&
				  guard_order(&s->guard, &back, &s->plan, s->now, &e) == STATUS_OK)
		taken = true;
	if (!taken && e.status == STATUS_MACHINE)
		abort();
	(void)snprintf(why, sizeof(e.text), "%s", taken ? "taken" : e.text);
	buf_free(&text);
	arena_free(&a);
	return taken;
}

static void show(const struct scene *s, const char *why)
{
	struct buf text = {0};

	order_write(&text, &s->order);
	(void)printf("# now %" PRId64 ": %s\n", s->now.us, why);
	if (!text.failed)
		(void)printf("%.*s", (int)text.n, (const char *)text.p);
	buf_free(&text);
}

static void one(struct count *c)
{
	struct scene s;
	char why[512];
	size_t n = kit_rnd(4), last = 0;

	scene_make(&s);
	for (size_t i = 0; i < n; i++)
		mutations[last = kit_rnd(N_OF(mutations))].f(&s);
	rules_sort(&s);
	bool slow = slow_order(&s), taken = guarded(&s, c, why);
	c->taken += taken;
	c->wrong_taken += taken && !slow;
	c->wrong_refused += slow && !taken;
	if (n == 1) {
		c->tried[last]++;
		c->good[last] += taken;
	}
	if (taken != slow && c->wrong_taken + c->wrong_refused < 5)
		show(&s, why);
}

/* Each mutation alone was refused now and then. */
static bool all_bite(const struct count *c)
{
	bool good = true;

	for (size_t i = 0; i < N_OF(mutations); i++) {
		(void)printf("# %-12s alone: %" PRIu64 " tried, %" PRIu64 " taken\n", mutations[i].name,
			c->tried[i], c->good[i]);
		good = good && (c->good[i] < c->tried[i] || mutations[i].f == less);
	}
	return good;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : SHORT_RUN;
	struct count c = {0};

	kit_seed("guard_fuzz");
	for (uint64_t i = 0; i < n; i++)
		one(&c);
	bool bite = all_bite(&c);
	(void)printf("# %" PRIu64 " orders: %" PRIu64 " taken, %" PRIu64 " wrongly taken, %" PRIu64
		     " wrongly refused, %" PRIu64 " without a text\n",
		n, c.taken, c.wrong_taken, c.wrong_refused, c.no_text);
	(void)printf("1..3\n%s 1 - no wrong order is taken\n%s 2 - no good order is refused\n",
		c.wrong_taken ? "not ok" : "ok", c.wrong_refused ? "not ok" : "ok");
	bool share = c.taken > n / 10 && c.taken < n - n / 10;
	(void)printf(
		"%s 3 - a good share is taken, and every mutation bites\n", share && bite ? "ok" : "not ok");
	return c.wrong_taken || c.wrong_refused || !share || !bite;
}
