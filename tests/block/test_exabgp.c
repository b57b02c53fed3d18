/* What is said to ExaBGP and what its answers mean, against a model of it (exabgp_kit.h), with the time
 * handed in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/rnd.h"
#include "block/exabgp.h"
#include "exabgp_kit.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct exabgp_way flowspec = {.announce = ANNOUNCE_FLOWSPEC};

static struct exabgp_way rtbh(void)
{
	struct exabgp_way way = {.announce = ANNOUNCE_RTBH};

	assert_true(ip_parse(&way.next_hop[0], "192.0.2.66"));
	assert_true(ip_parse(&way.next_hop[1], "100::66"));
	return way;
}

static struct rule rule_of(const char *text)
{
	struct rule r;

	assert_true(rule_parse(&r, text));
	return r;
}

/* ---- text ---- */

static void commands(void **state)
{
	static const struct {
		const char *rule, *announce, *withdraw;
	} flow[] = {
		{"drop from 203.0.113.10/32 to 192.0.2.10/32 tcp 22",
			"announce flow route source 203.0.113.10/32 destination 192.0.2.10/32 protocol =6 "
			"destination-port =22 community [no-export] discard\n",
			"withdraw flow route source 203.0.113.10/32 destination 192.0.2.10/32 protocol =6 "
			"destination-port =22\n"},
		{"drop from 203.0.113.0/24 to any any any",
			"announce flow route source 203.0.113.0/24 community [no-export] discard\n",
			"withdraw flow route source 203.0.113.0/24\n"},
		{"rate 50 from 2001:db8:1:2::/64 to any udp any",
			"announce flow route source 2001:db8:1:2::/64 next-header =17 community [no-export] "
			"rate-limit 75000\n",
			"withdraw flow route source 2001:db8:1:2::/64 next-header =17\n"},
	};
	static const struct {
		const char *rule, *announce, *withdraw;
	} hole[] = {
		{"drop from 203.0.113.10/32 to any any any",
			"announce route 203.0.113.10/32 next-hop 192.0.2.66 community [65535:666 "
			"no-export]\n",
			"withdraw route 203.0.113.10/32 next-hop 192.0.2.66\n"},
		{"drop from 2001:db8:1:2::/64 to any any any",
			"announce route 2001:db8:1:2::/64 next-hop 100::66 community [65535:666 no-export]\n",
			"withdraw route 2001:db8:1:2::/64 next-hop 100::66\n"},
	};
	struct exabgp_way way = rtbh();

	(void)state;
	for (size_t i = 0; i < N_OF(flow) + N_OF(hole); i++) {
		bool is_flow = i < N_OF(flow);
		const struct exabgp_way *w = is_flow ? &flowspec : &way;
		struct rule r = rule_of(is_flow ? flow[i].rule : hole[i - N_OF(flow)].rule);
		struct buf b = {0};
		assert_null(exabgp_cannot(w, &r));
		exabgp_announce(&b, w, &r);
		exabgp_withdraw(&b, w, &r);
		buf_u8(&b, 0);
		char both[600];
		(void)snprintf(both, sizeof(both), "%s%s",
			is_flow ? flow[i].announce : hole[i - N_OF(flow)].announce,
			is_flow ? flow[i].withdraw : hole[i - N_OF(flow)].withdraw);
		assert_string_equal((char *)b.p, both);
		buf_free(&b);
	}
}

static void cannot_be_announced(void **state)
{
	static const char *const hole[] = {"rate 50 from 203.0.113.10/32 to any any any",
		"drop from 203.0.113.10/32 to 192.0.2.10/32 any any",
		"drop from 203.0.113.10/32 to any tcp any", "drop from 203.0.113.10/32 to any tcp 22"};
	struct exabgp_way way = rtbh(), no_hop = {.announce = ANNOUNCE_RTBH};
	struct rule any = rule_of("drop from any to 192.0.2.10/32 tcp 22");
	struct rule host = rule_of("drop from 203.0.113.10/32 to any any any");

	(void)state;
	assert_non_null(exabgp_cannot(&flowspec, &any));
	assert_non_null(exabgp_cannot(&way, &any));
	for (size_t i = 0; i < N_OF(hole); i++) {
		struct rule r = rule_of(hole[i]);
		assert_null(exabgp_cannot(&flowspec, &r));
		assert_non_null(exabgp_cannot(&way, &r));
	}
	assert_null(exabgp_cannot(&way, &host));
	assert_non_null(exabgp_cannot(&no_hop, &host));
	assert_non_null(exabgp_cannot(&flowspec, &(struct rule){0}));
}

#define SESSION                                                                                              \
	"neighbor 198.18.1.2 local-ip 198.18.1.1 local-as 65000 peer-as 65000 router-id 198.18.0.1 "         \
	"family-allowed in-open "
#define OUR " community no-export extended-community rate-limit:0"

/* What is not word for word as we announce it is never taken for ours: it would be withdrawn. */
static void not_ours(void **state)
{
	static const char *const lines[] = {
		SESSION "ipv4 flow flow destination-ipv4 192.0.2.10/32" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 extended-community rate-limit:0",
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 community [ no-export 65000:1 ] "
			"extended-community rate-limit:0",
		SESSION
		"ipv4 flow flow source-ipv4 203.0.113.10/32 community no-advertise extended-community "
		"rate-limit:0",
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 community no-export extended-community "
			"rate-limit:9600",
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 community no-export extended-community "
			"redirect:65000:1",
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 protocol >=6" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 protocol [ =tcp =udp ]" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 destination-port =22" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 protocol =tcp destination-port =0" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 protocol =tcp source-port =22" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32 fragment is-fragment" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/24" OUR,
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32" OUR " more",
		SESSION "ipv6 flow flow source-ipv6 2001:db8::/64/8" OUR,
		SESSION "ipv6 flow flow source-ipv6 2001:db8::/64" OUR,
		SESSION "ipv6 flow flow source-ipv4 203.0.113.10/32" OUR,
		SESSION "ipv4 unicast 203.0.113.10/32 next-hop 192.0.2.66 community [ blackhole no-export ]",
		SESSION "ipv4 unicast 198.51.100.0/24 next-hop 192.0.2.66",
		SESSION "ipv4 flow",
	};
	struct exabgp_route route;

	(void)state;
	for (size_t i = 0; i < N_OF(lines); i++)
		if (exabgp_route_read(&route, &flowspec, lines[i]) != LINE_ROUTE)
			fail_msg("taken: %s", lines[i]);
	assert_int_equal(exabgp_route_read(
				 &route, &flowspec, SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32" OUR),
		LINE_OURS);
	assert_int_equal(exabgp_route_read(&route, &flowspec, "neighbor 198.18.1.2 up"), LINE_OTHER);
	assert_int_equal(exabgp_route_read(&route, &flowspec, ""), LINE_OTHER);
}

static void not_our_blackholes(void **state)
{
	static const char *const lines[] = {
		SESSION "ipv4 unicast 203.0.113.10/32 next-hop 192.0.2.67 community [ blackhole no-export ]",
		SESSION "ipv4 unicast 203.0.113.10/32 next-hop 192.0.2.66 community blackhole",
		SESSION "ipv4 unicast 203.0.113.10/32 next-hop 192.0.2.66",
		SESSION
		"ipv4 unicast 203.0.113.10/32 next-hop 192.0.2.66 community [ blackhole no-export ] med 5",
		SESSION "ipv4 unicast 0.0.0.0/0 next-hop 192.0.2.66 community [ blackhole no-export ]",
		SESSION "ipv4 flow flow source-ipv4 203.0.113.10/32" OUR,
	};
	struct exabgp_way way = rtbh();
	struct exabgp_route route;

	(void)state;
	for (size_t i = 0; i < N_OF(lines); i++)
		if (exabgp_route_read(&route, &way, lines[i]) != LINE_ROUTE)
			fail_msg("taken: %s", lines[i]);
	assert_int_equal(exabgp_route_read(&route, &way,
				 SESSION "ipv4 unicast 203.0.113.10/32 next-hop 192.0.2.66 community [ "
					 "blackhole no-export ]"),
		LINE_OURS);
}

/* ---- a conversation ---- */

struct scene {
	struct talk talk;
	struct model model;
	int64_t now_us;
	char said[200][MODEL_LINE]; /* the first commands since said_none() */
	size_t n_said;
};

static void scene_start(struct scene *s, const struct exabgp_way *way)
{
	memset(s, 0, sizeof(*s));
	talk_init(&s->talk, way);
	model_init(&s->model);
	s->now_us = 1000 * SECOND_US;
}

static void scene_end(struct scene *s)
{
	talk_free(&s->talk);
	model_free(&s->model);
}

/* The model's answers reach us. */
static void scene_hear(struct scene *s)
{
	talk_heard(&s->talk, s->model.out, s->model.n_out, s->now_us);
	s->model.n_out = 0;
}

/* Command for command; answers come in lots, as they do over a pipe. */
static void scene_talk(struct scene *s)
{
	struct buf b = {0};
	int without = 0;

	while (without < 2) {
		b.n = 0;
		if (talk_next(&s->talk, &b, s->now_us)) {
			assert_int_equal(b.p[b.n - 1], '\n');
			b.p[b.n - 1] = '\0';
			if (s->n_said < N_OF(s->said))
				(void)snprintf(s->said[s->n_said++], MODEL_LINE, "%s", (char *)b.p);
			model_hear(&s->model, (char *)b.p);
			without = 0;
		} else {
			scene_hear(s);
			without++;
		}
	}
	buf_free(&b);
}

static int by_want(const void *a, const void *b)
{
	return rule_compare(&((const struct want *)a)->rule, &((const struct want *)b)->rule);
}

static void scene_want(struct scene *s, size_t n, const char *const *rules)
{
	struct want want[16] = {0};
	struct err e;

	assert_true(n <= N_OF(want));
	for (size_t i = 0; i < n; i++)
		want[i] = (struct want){rule_of(rules[i]), WALL_END};
	qsort(want, n, sizeof(*want), by_want);
	assert_int_equal(talk_want(&s->talk, want, n, &e), STATUS_OK);
}

static void scene_round(struct scene *s)
{
	s->now_us += SECOND_US;
	s->n_said = 0;
	talk_round(&s->talk, s->now_us);
	scene_talk(s);
}

static struct have have_of(const struct scene *s, const char *rule)
{
	struct rule r = rule_of(rule);
	struct have h;

	talk_have(&s->talk, &r, &h);
	return h;
}

static struct drift drift_of(struct scene *s)
{
	struct drift d;

	talk_drift(&s->talk, &d);
	return d;
}

static bool said(const struct scene *s, const char *start)
{
	for (size_t i = 0; i < s->n_said; i++)
		if (strncmp(s->said[i], start, strlen(start)) == 0)
			return true;
	return false;
}

static const char a[] = "drop from 203.0.113.10/32 to any any any",
		  b_[] = "drop from 203.0.113.11/32 to 192.0.2.1/32 tcp 22",
		  c[] = "rate 50 from 203.0.113.12/32 to any any any",
		  c_faster[] = "rate 80 from 203.0.113.12/32 to any any any",
		  six[] = "drop from 2001:db8:1:2::/64 to any any any";
static const char *const abc6[] = {a, b_, c, six};

static void announced_and_withdrawn(void **state)
{
	struct scene s;
	struct drift d;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 4, abc6);
	scene_round(&s);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(have_of(&s, abc6[i]).state, INSTALL_ANNOUNCED);
	assert_int_equal(s.model.n, 4);
	d = drift_of(&s);
	assert_int_equal(d.added, 4);
	assert_int_equal(d.missing + d.foreign + d.removed + d.renewed, 0);
	assert_string_equal(d.why, "");
	scene_want(&s, 1, abc6);
	scene_round(&s);
	assert_int_equal(s.model.n, 1);
	assert_int_equal(drift_of(&s).removed, 3);
	assert_int_equal(have_of(&s, six).state, INSTALL_NOT);
	scene_want(&s, 0, abc6);
	scene_round(&s);
	assert_int_equal(s.model.n, 0);
	scene_round(&s); /* read back: gone */
	scene_want(&s, 0, abc6);
	assert_int_equal(s.talk.table.n, 0);
	scene_end(&s);
}

/* What goes is withdrawn before anything new; what only changes is never withdrawn. */
static void order_of_commands(void **state)
{
	static const char *const before[] = {a, c}, *const after[] = {b_, c_faster};
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 2, before);
	scene_round(&s);
	scene_want(&s, 2, after);
	scene_round(&s);
	assert_true(s.n_said >= 3);
	assert_string_equal(s.said[0], "withdraw flow route source 203.0.113.10/32");
	assert_true(strncmp(s.said[1], "announce ", 9) == 0 && strncmp(s.said[2], "announce ", 9) == 0);
	assert_true(said(
		&s, "announce flow route source 203.0.113.12/32 community [no-export] rate-limit 120000"));
	assert_false(said(&s, "withdraw flow route source 203.0.113.12/32"));
	assert_int_equal(s.model.n, 2);
	assert_int_equal(have_of(&s, c_faster).state, INSTALL_ANNOUNCED);
	assert_int_equal(drift_of(&s).renewed, 1);
	scene_end(&s);
}

static bool has_a(void *self, const char *command)
{
	return *(bool *)self && strstr(command, "203.0.113.10/32") && strncmp(command, "announce", 8) == 0;
}

static void error_is_refused_and_tried_again(void **state)
{
	struct scene s;
	bool refuse = true;
	unsigned tries = 0;

	(void)state;
	scene_start(&s, &flowspec);
	s.model.refuses = has_a;
	s.model.self = &refuse;
	scene_want(&s, 4, abc6);
	scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_REFUSED);
	assert_string_equal(have_of(&s, a).why, trouble_text(TROUBLE_ERROR));
	assert_int_equal(have_of(&s, b_).state, INSTALL_ANNOUNCED);
	assert_non_null(strstr(drift_of(&s).why, "1 rule: ExaBGP answered error"));
	for (int second = 1; second <= 300; second++) {
		scene_round(&s);
		tries += said(&s, "announce");
	}
	/* after 1, 2, 4 ... 64 seconds, then every 64: at 1 3 7 15 31 63 127 191 255 */
	assert_int_equal(tries, 9);
	refuse = false;
	for (int second = 1; second <= 64; second++)
		scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	assert_string_equal(drift_of(&s).why, "");
	/* what went well starts anew: after 2, 6 and 14 seconds */
	refuse = true;
	s.model.n = 0;
	tries = 0;
	for (int second = 0; second <= 14; second++) {
		scene_round(&s);
		tries += said(&s, "announce flow route source 203.0.113.10/32");
	}
	assert_in_range(tries, 3, 5);
	scene_end(&s);
}

/* A command that gets no answer: the one behind it must not be taken for done by its own. */
static void swallowed(void **state)
{
	struct scene s;
	bool swallow = true;

	(void)state;
	scene_start(&s, &flowspec);
	s.model.swallows = has_a;
	s.model.self = &swallow;
	scene_want(&s, 4, abc6);
	scene_round(&s);
	assert_true(talk_quiet(&s.talk));
	assert_int_not_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	assert_int_equal(s.model.n, 3);
	for (int i = 0; i < 3; i++)
		scene_round(&s);
	assert_int_not_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(have_of(&s, abc6[i]).state, INSTALL_ANNOUNCED);
	swallow = false;
	for (int i = 0; i < 64; i++)
		scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	assert_int_equal(s.model.n, 4);
	scene_end(&s);
}

/* The next command without an answer; "" for none. */
static const char *scene_say(struct scene *s)
{
	static char line[MODEL_LINE];
	struct buf b = {0};

	line[0] = '\0';
	if (talk_next(&s->talk, &b, s->now_us)) {
		b.p[b.n - 1] = '\0';
		(void)snprintf(line, sizeof(line), "%s", (char *)b.p);
		model_hear(&s->model, line);
	}
	buf_free(&b);
	return line;
}

/* Another wish while a command waits: no second one for the same rule, and then the right one. */
static void another_wish_meanwhile(void **state)
{
	static const char *const one[] = {c}, *const other[] = {c_faster};
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	scene_round(&s);
	scene_want(&s, 1, one);
	assert_true(strstr(scene_say(&s), "rate-limit 75000") != NULL);
	scene_want(&s, 1, other);
	assert_string_equal(scene_say(&s), "");
	scene_hear(&s); /* done, for the old form */
	assert_int_not_equal(have_of(&s, c_faster).state, INSTALL_ANNOUNCED);
	assert_true(strstr(scene_say(&s), "rate-limit 120000") != NULL);
	scene_want(&s, 0, one);
	assert_string_equal(scene_say(&s), "");
	scene_hear(&s);
	assert_string_equal(scene_say(&s), "withdraw flow route source 203.0.113.12/32");
	scene_want(&s, 1, other);
	scene_hear(&s);
	assert_true(strstr(scene_say(&s), "rate-limit 120000") != NULL);
	scene_hear(&s);
	scene_round(&s);
	assert_int_equal(have_of(&s, c_faster).state, INSTALL_ANNOUNCED);
	scene_end(&s);
}

/* ExaBGP's tables, asked for before a rule was announced, do not say that it is missing. */
static void said_behind_the_question(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	model_session(&s.model, 0, true);
	scene_hear(&s);
	scene_round(&s);
	s.now_us += SECOND_US;
	talk_round(&s.talk, s.now_us);
	assert_string_equal(scene_say(&s), "show neighbor extensive");
	assert_string_equal(scene_say(&s), "show adj-rib out extensive");
	scene_want(&s, 1, abc6);
	assert_true(strncmp(scene_say(&s), "announce", 8) == 0);
	scene_hear(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	assert_string_equal(scene_say(&s), "");
	assert_int_equal(drift_of(&s).missing, 0);
	scene_end(&s);
}

static bool is_faster(void *self, const char *command)
{
	(void)self;
	return strstr(command, "rate-limit 120000") != NULL;
}

/* The old form is with the routers, the new one is refused: not announced. */
static void old_form_does_not_count(void **state)
{
	static const char *const one[] = {c}, *const other[] = {c_faster};
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 1, one);
	scene_round(&s);
	assert_int_equal(have_of(&s, c).state, INSTALL_ANNOUNCED);
	s.model.refuses = is_faster;
	scene_want(&s, 1, other);
	assert_int_equal(have_of(&s, c_faster).state, INSTALL_NOT);
	scene_round(&s);
	assert_int_equal(have_of(&s, c_faster).state, INSTALL_REFUSED);
	scene_round(&s);
	assert_int_equal(have_of(&s, c_faster).state, INSTALL_REFUSED);
	s.model.refuses = NULL;
	for (int i = 0; i < 5; i++)
		scene_round(&s);
	assert_int_equal(have_of(&s, c_faster).state, INSTALL_ANNOUNCED);
	scene_end(&s);
}

/* ---- what is not as it should be ---- */

static void sessions(void **state)
{
	struct scene s;
	struct drift d;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 4, abc6);
	scene_round(&s);
	model_session(&s.model, 1, false);
	scene_hear(&s);
	assert_string_equal(drift_of(&s).why, "BGP session to 198.18.2.2 is down");
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	model_session(&s.model, 0, false);
	model_session(&s.model, 2, false);
	scene_hear(&s);
	assert_string_equal(drift_of(&s).why, "3 times: BGP session to 198.18.1.2 is down");
	assert_int_equal(have_of(&s, a).state, INSTALL_NOT);
	assert_string_equal(have_of(&s, six).why, "no BGP session for IPv6 FlowSpec is up");
	scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_NOT);
	for (int i = 0; i < 3; i++)
		model_session(&s.model, i, true);
	scene_hear(&s);
	s.n_said = 0;
	scene_talk(&s); /* asks at once, without a round */
	assert_true(said(&s, "show adj-rib out") && said(&s, "show neighbor"));
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	d = drift_of(&s);
	assert_true(d.rebuilt);
	assert_non_null(strstr(d.why, "was lost and is back"));
	d = drift_of(&s);
	assert_false(d.rebuilt);
	assert_string_equal(d.why, "");
	scene_end(&s);
}

/* A session without an event: the question finds it. */
static void session_lost_in_silence(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 4, abc6);
	scene_round(&s);
	s.model.peer[2].up = false;
	scene_round(&s);
	assert_string_equal(drift_of(&s).why, "BGP session to 198.18.3.2 is down");
	scene_end(&s);
}

/* ExaBGP answers done for what it will never send. */
static void family_not_taken(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	for (int i = 0; i < MODEL_PEERS; i++)
		s.model.peer[i].flow6_agreed = false;
	scene_want(&s, 4, abc6);
	scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	assert_int_equal(have_of(&s, six).state, INSTALL_NOT);
	assert_non_null(strstr(drift_of(&s).why, "198.18.1.2 takes no IPv6 FlowSpec"));
	scene_end(&s);
}

static void no_neighbor_holds_it(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	for (int i = 0; i < MODEL_PEERS; i++)
		s.model.peer[i].configured = false;
	scene_want(&s, 1, abc6);
	scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_REFUSED);
	assert_string_equal(have_of(&s, a).why, trouble_text(TROUBLE_NOT_HELD));
	scene_end(&s);
}

static void taken_away_is_put_back(void **state)
{
	struct scene s;
	struct drift d;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 4, abc6);
	scene_round(&s);
	(void)drift_of(&s);
	s.model.n = 1;             /* three gone */
	s.model.route[0].held = 1; /* and one for all neighbors but the first */
	scene_round(&s);
	d = drift_of(&s);
	assert_int_equal(d.missing, 4);
	assert_int_equal(d.renewed, 4);
	assert_int_equal(s.model.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(s.model.route[i].held, model_holders(&s.model));
	scene_round(&s);
	assert_int_equal(drift_of(&s).missing, 0);
	scene_end(&s);
}

static bool announces(void *self, const char *command)
{
	(void)self;
	return strncmp(command, "announce", 8) == 0;
}

/* Only one neighbor has it, and only his session counts. */
static void held_by_one(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 2, abc6);
	scene_round(&s);
	model_find(&s.model, "ipv4 flow flow source-ipv4 203.0.113.10/32")->held = 1;
	s.model.refuses = announces;
	scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	model_session(&s.model, 0, false);
	scene_hear(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_REFUSED);
	assert_int_equal(have_of(&s, b_).state, INSTALL_ANNOUNCED);
	scene_end(&s);
}

/* A process before us was killed; what is not ours by its form stays. */
static void leftovers(void **state)
{
	struct scene s;
	struct drift d;

	(void)state;
	scene_start(&s, &flowspec);
	model_put(&s.model, "ipv4 flow flow source-ipv4 203.0.113.10/32", OUR);
	model_put(&s.model, "ipv4 flow flow source-ipv4 203.0.113.99/32", OUR);
	model_put(&s.model, "ipv4 flow flow source-ipv4 203.0.113.98/32",
		" community [ no-export 65000:7 ] extended-community rate-limit:0");
	model_put(&s.model, "ipv4 unicast 198.51.100.0/24", " next-hop 192.0.2.1");
	scene_want(&s, 1, abc6);
	scene_round(&s);
	d = drift_of(&s);
	assert_int_equal(d.foreign, 1);
	assert_int_equal(d.removed, 1);
	assert_int_equal(s.model.n, 3);
	assert_null(model_find(&s.model, "ipv4 flow flow source-ipv4 203.0.113.99/32"));
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	scene_end(&s);
}

static bool withdraws(void *self, const char *command)
{
	(void)self;
	return strncmp(command, "withdraw", 8) == 0;
}

/* What does not go is not tried without end. */
static void leftover_that_stays(void **state)
{
	struct scene s;
	unsigned tries = 0;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 1, abc6);
	scene_round(&s);
	s.model.refuses = withdraws;
	scene_want(&s, 0, abc6);
	for (int i = 0; i < 60; i++) {
		scene_round(&s);
		tries += said(&s, "withdraw");
	}
	assert_in_range(tries, 5, 7);
	assert_non_null(strstr(drift_of(&s).why, "1 rule: ExaBGP answered error"));
	scene_end(&s);
}

/* Withdrawn, answered with done, and still there: not tried every round, and said. */
static void leftover_that_is_sticky(void **state)
{
	struct scene s;
	unsigned tries = 0;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 1, abc6);
	scene_round(&s);
	s.model.sticky = true;
	for (int i = 0; i < 60; i++) {
		scene_want(&s, 0, abc6);
		scene_round(&s);
		tries += said(&s, "withdraw");
	}
	assert_in_range(tries, 5, 7);
	assert_non_null(strstr(drift_of(&s).why, trouble_text(TROUBLE_STAYS)));
	s.model.sticky = false;
	for (int i = 0; i < 64; i++)
		scene_round(&s);
	assert_int_equal(s.model.n, 0);
	scene_end(&s);
}

/* A neighbor that is configured no more is not one whose session is down. */
static void neighbor_is_removed(void **state)
{
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	for (int i = 0; i < MODEL_PEERS; i++)
		model_session(&s.model, i, true);
	scene_hear(&s);
	scene_want(&s, 4, abc6);
	scene_round(&s);
	model_session(&s.model, 1, false);
	scene_hear(&s);
	assert_string_equal(drift_of(&s).why, "BGP session to 198.18.2.2 is down");
	s.model.peer[1] = (struct model_peer){.ip = "198.18.2.2", .gone = true};
	for (size_t i = 0; i < s.model.n; i++)
		s.model.route[i].held &= ~2U;
	scene_round(&s);
	scene_round(&s);
	assert_string_equal(drift_of(&s).why, "");
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	scene_end(&s);
}

/* A session falls while its neighbor is being described: what happened last counts. */
static void down_while_described(void **state)
{
	static const char down[] = "neighbor 198.18.1.2 down - peer reset\n";
	struct scene s;
	char *all;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 1, abc6);
	scene_round(&s);
	talk_round(&s.talk, s.now_us);
	assert_string_equal(scene_say(&s), "show neighbor extensive");
	s.model.out[s.model.n_out - 1] = '\0';
	all = strstr(s.model.out, "Neighbor 198.18.2.2");
	assert_non_null(all);
	talk_heard(&s.talk, s.model.out, (size_t)(all - s.model.out), s.now_us);
	talk_heard(&s.talk, down, sizeof(down) - 1, s.now_us);
	talk_heard(&s.talk, all, strlen(all), s.now_us);
	talk_heard(&s.talk, "\n", 1, s.now_us);
	s.model.n_out = 0;
	assert_string_equal(drift_of(&s).why, "BGP session to 198.18.1.2 is down");
	scene_end(&s);
}

static void blackholes(void **state)
{
	static const char *const rules[] = {a, six, c};
	struct exabgp_way way = rtbh();
	struct scene s;

	(void)state;
	scene_start(&s, &way);
	model_put(&s.model, "ipv4 unicast 203.0.113.77/32",
		" next-hop 192.0.2.66 community [ blackhole no-export ]");
	model_put(&s.model, "ipv4 unicast 203.0.113.78/32",
		" next-hop 192.0.2.9 community [ blackhole no-export ]");
	scene_want(&s, 3, rules);
	scene_round(&s);
	assert_int_equal(have_of(&s, a).state, INSTALL_ANNOUNCED);
	assert_int_equal(have_of(&s, six).state, INSTALL_ANNOUNCED);
	assert_int_equal(have_of(&s, c).state, INSTALL_REFUSED);
	assert_int_equal(s.model.n, 3);
	assert_null(model_find(&s.model, "ipv4 unicast 203.0.113.77/32"));
	assert_non_null(model_find(&s.model, "ipv4 unicast 203.0.113.78/32"));
	scene_end(&s);
}

/* ---- hostile bytes ---- */

static void pieces_and_garbage(void **state)
{
	static const char noise[] =
		"\n\ndone\nerror\nneighbor\nneighbor x up\nNeighbor 1.2.3.4\nneighbor 198.18.1.2 sideways\n"
		"{ \"exabgp\": \"4.0.1\" }\n\x01\xff\n";
	char zero[] = "do\0ne\n", *longest = malloc(3 * EXABGP_LINE);
	struct scene s;

	(void)state;
	assert_non_null(longest);
	memset(longest, 'x', 3 * EXABGP_LINE);
	scene_start(&s, &flowspec);
	talk_heard(&s.talk, noise, sizeof(noise) - 1, s.now_us);
	talk_heard(&s.talk, longest, 3 * EXABGP_LINE, s.now_us);
	talk_heard(&s.talk, "\ndone\n", 6, s.now_us);
	talk_heard(&s.talk, zero, sizeof(zero) - 1, s.now_us);
	assert_int_equal(s.talk.stray, 3);
	assert_true(s.talk.junk >= 4);
	scene_want(&s, 4, abc6);
	talk_round(&s.talk, s.now_us);
	struct buf b = {0};
	while (talk_next(&s.talk, &b, s.now_us)) {
		b.p[b.n - 1] = '\0';
		model_hear(&s.model, (char *)b.p);
		b.n = 0;
	}
	buf_free(&b);
	for (size_t i = 0; i < s.model.n_out; i++) /* a byte at a time */
		talk_heard(&s.talk, s.model.out + i, 1, s.now_us);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(have_of(&s, abc6[i]).state, INSTALL_ANNOUNCED);
	free(longest);
	scene_end(&s);
}

static void shutdown_is_the_end(void **state)
{
	struct buf b = {0};
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	scene_want(&s, 4, abc6);
	talk_heard(&s.talk, "shutdown 12 1\n", 14, s.now_us);
	assert_true(s.talk.gone);
	assert_false(talk_next(&s.talk, &b, s.now_us));
	buf_free(&b);
	scene_end(&s);
}

static void more_neighbors_than_room(void **state)
{
	char line[64];
	struct scene s;

	(void)state;
	scene_start(&s, &flowspec);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(line, sizeof(line), "neighbor 198.18.200.%d up\n", i);
		talk_heard(&s.talk, line, strlen(line), s.now_us);
	}
	assert_int_equal(s.talk.peers.n, EXABGP_PEERS);
	assert_int_equal(s.talk.peers.too_many, 200 - EXABGP_PEERS);
	scene_end(&s);
}

/* ---- at random ---- */

static struct rule rule_random(void)
{
	static const uint8_t protos[] = {0, 1, 6, 17, 47, 132, 200, 255};
	struct rule r = {.proto = protos[kit_rnd(N_OF(protos))]};
	bool v6 = kit_rnd(2) == 1;
	struct ip ip[2];

	for (int i = 0; i < 2; i++) {
		char text[IP_TEXT];
		(void)snprintf(text, sizeof(text), v6 ? "2001:db8:%u:%u::" : "203.0.%u.%u",
			(unsigned)kit_rnd(2) + 112, (unsigned)kit_rnd(20));
		assert_true(ip_parse(&ip[i], text));
	}
	r.from = prefix_of(&ip[0], (uint8_t)(v6 ? 48 + 8 * kit_rnd(3) : 24 + 4 * kit_rnd(3)));
	r.to = prefix_of(&ip[1], (uint8_t)(kit_rnd(2) ? 0 : v6 ? 128 : 32));
	if (r.proto == PROTO_TCP || r.proto == PROTO_UDP || r.proto == PROTO_SCTP)
		r.port = (uint16_t)(kit_rnd(3) ? kit_rnd(65536) : 0);
	r.action = kit_rnd(3) ? RULE_DROP : RULE_RATE;
	r.rate = r.action == RULE_RATE ? (uint32_t)(1 + kit_rnd(RULE_RATE_MAX)) : 0;
	assert_true(rule_valid(&r));
	return r;
}

/* Each rule is what ExaBGP makes of its command, read back. */
static void there_and_back(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct rule r = rule_random();
		struct exabgp_route route;
		struct buf b = {0};
		struct model m;
		model_init(&m);
		exabgp_announce(&b, &flowspec, &r);
		b.p[b.n - 1] = '\0';
		model_hear(&m, (char *)b.p);
		assert_int_equal(m.n, 1);
		char line[MODEL_LINE];
		(void)snprintf(line, sizeof(line), "%s%s%s", SESSION, m.route[0].key, m.route[0].shown);
		if (exabgp_route_read(&route, &flowspec, line) != LINE_OURS ||
			rule_compare(&route.rule, &r) != 0)
			fail_msg("not read back: %s", line);
		b.n = 0;
		exabgp_withdraw(&b, &flowspec, &r);
		b.p[b.n - 1] = '\0';
		model_hear(&m, (char *)b.p);
		assert_int_equal(m.n, 0);
		buf_free(&b);
		model_free(&m);
	}
}

/* How often the model misbehaves, in a thousand. */
struct moods {
	unsigned refuse, swallow;
};

static bool refuses_some(void *self, const char *command)
{
	return strncmp(command, "show", 4) != 0 && kit_rnd(1000) < ((struct moods *)self)->refuse;
}

static bool swallows_some(void *self, const char *command)
{
	return strncmp(command, "show", 4) != 0 && kit_rnd(1000) < ((struct moods *)self)->swallow;
}

/* Drops double matches of a sorted list. */
static size_t want_unique(struct want *want, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (k == 0 || !rule_same_match(&want[k - 1].rule, &want[i].rule))
			want[k++] = want[i];
	return k;
}

/* Somebody else changes ExaBGP's table. */
static void meddle(struct model *m)
{
	if (m->n > 0 && kit_rnd(2))
		model_drop(m, m->route[kit_rnd(m->n)].key);
	if (m->n > 0 && kit_rnd(2))
		m->route[kit_rnd(m->n)].held &=
			1 + (unsigned)kit_rnd(7); /* the first neighbor's, or nobody's */
	for (size_t i = 0; i < m->n; i++)
		if (m->route[i].held == 0)
			model_drop(m, m->route[i--].key);
	if (kit_rnd(3) == 0)
		model_put(m, "ipv4 flow flow source-ipv4 198.51.100.7/32", OUR);
	if (kit_rnd(3) == 0) {
		int peer = (int)kit_rnd(MODEL_PEERS);
		model_session(m, peer, !m->peer[peer].up);
	}
}

/* A few commands, and a part of the answers: the next wish comes in the middle of it. */
static void scene_some(struct scene *s)
{
	size_t n = (size_t)kit_rnd(s->model.n_out + 1);

	s->now_us += (int64_t)kit_rnd(SECOND_US);
	if (kit_rnd(2))
		talk_round(&s->talk, s->now_us);
	talk_heard(&s->talk, s->model.out, n, s->now_us);
	if (n > 0)
		memmove(s->model.out, s->model.out + n, s->model.n_out - n);
	s->model.n_out -= n;
	for (uint64_t i = kit_rnd(40); i > 0 && *scene_say(s); i--)
		;
}

static void settled(struct scene *s, const struct want *want, size_t n)
{
	*(struct moods *)s->model.self = (struct moods){0};
	for (int i = 0; i < MODEL_PEERS; i++)
		if (!s->model.peer[i].up)
			model_session(&s->model, i, true);
	scene_hear(s);
	for (int i = 0; i < 140; i++) /* the longest wait twice */
		scene_round(s);
	assert_int_equal(s->model.n, n);
	for (size_t i = 0; i < n; i++) {
		struct have h;
		talk_have(&s->talk, &want[i].rule, &h);
		assert_int_equal(h.state, INSTALL_ANNOUNCED);
	}
	for (size_t i = 0; i < s->model.n; i++)
		assert_int_equal(s->model.route[i].held, model_holders(&s->model));
	(void)drift_of(s);
	scene_round(s);
	struct drift d = drift_of(s);
	assert_int_equal(d.missing + d.foreign + d.added + d.removed + d.renewed, 0);
	assert_string_equal(d.why, "");
}

/* Whatever happened on the way, in the end the model's table is what is wanted, attributes and all. */
static void ends_as_wanted(void **state)
{
	struct want want[60] = {0};
	struct err e;

	(void)state;
	for (int turn = 0; turn < 60; turn++) {
		struct moods moods = {(unsigned)kit_rnd(200), (unsigned)kit_rnd(100)};
		struct scene s;
		size_t n = 0;
		scene_start(&s, &flowspec);
		s.model.refuses = refuses_some;
		s.model.swallows = swallows_some;
		s.model.self = &moods;
		for (int round = 0; round < 30; round++) {
			for (n = 0; n < kit_rnd(N_OF(want)); n++)
				want[n] = (struct want){rule_random(), WALL_END};
			qsort(want, n, sizeof(*want), by_want);
			n = want_unique(want, n);
			assert_int_equal(talk_want(&s.talk, want, n, &e), STATUS_OK);
			meddle(&s.model);
			if (kit_rnd(2))
				scene_some(&s);
			else
				scene_round(&s);
		}
		settled(&s, want, n);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(cannot_be_announced),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(not_our_blackholes),
		cmocka_unit_test(announced_and_withdrawn),
		cmocka_unit_test(order_of_commands),
		cmocka_unit_test(error_is_refused_and_tried_again),
		cmocka_unit_test(swallowed),
		cmocka_unit_test(another_wish_meanwhile),
		cmocka_unit_test(said_behind_the_question),
		cmocka_unit_test(old_form_does_not_count),
		cmocka_unit_test(sessions),
		cmocka_unit_test(session_lost_in_silence),
		cmocka_unit_test(family_not_taken),
		cmocka_unit_test(no_neighbor_holds_it),
		cmocka_unit_test(taken_away_is_put_back),
		cmocka_unit_test(held_by_one),
		cmocka_unit_test(leftovers),
		cmocka_unit_test(leftover_that_stays),
		cmocka_unit_test(leftover_that_is_sticky),
		cmocka_unit_test(neighbor_is_removed),
		cmocka_unit_test(down_while_described),
		cmocka_unit_test(blackholes),
		cmocka_unit_test(pieces_and_garbage),
		cmocka_unit_test(shutdown_is_the_end),
		cmocka_unit_test(more_neighbors_than_room),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(ends_as_wanted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	kit_seed("exabgp");
	return cmocka_run_group_tests_name("exabgp", tests, NULL, NULL);
}
