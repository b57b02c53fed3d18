/* What aggregates are made of, and what of a host is held against one: each clause by itself.
 *
 * The flows are few and made by hand, so that every count can be told without the search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spray.h"

#define SEC   INT64_C(1000000)
#define RELAY "203.0.113.10"

/* n bursts a way, a second apart, from `at` on; the answers 50 ms later. */
static struct flow *flow_add(
	struct spray *s, const char *a, const char *b, int64_t at, size_t n, const char *point)
{
	int64_t fwd[200], back[200];

	assert_true(n <= 200);
	for (size_t i = 0; i < n; i++) {
		fwd[i] = SPRAY_T0 + at + (int64_t)i * SEC;
		back[i] = fwd[i] + 50000;
	}
	return spray_flow(s, a, b, fwd, back, n, point, (uint64_t)at);
}

/* The i-th of some logins of a client at the relay, or of the relay elsewhere. */
static struct flow *login_add(struct spray *s, const char *from, const char *to, int i, const char *point)
{
	char a[64];

	(void)snprintf(a, sizeof(a), "%s:%d", from, 5000 + i);
	return flow_add(s, a, to, i * 13 * SEC / 10, 3, point); /* each overlaps the next ones */
}

static void logins_add(struct spray *s, const char *from, const char *to, int n)
{
	for (int i = 0; i < n; i++)
		(void)login_add(s, from, to, i, "border");
}

static const struct together *together(struct spray *s)
{
	const struct together *g;
	struct err e = {0};

	assert_int_equal(together_get(s->view, "border", s->cfg.clock_skew_us, &g, &e), STATUS_OK);
	return g;
}

static void hop_of(struct spray *s, const struct flow *out, struct hop *hop)
{
	struct err e = {0};

	assert_int_equal(search_hop(&s->t, s->view, out, hop, &e), STATUS_OK);
}

/* ---- what a group is told by ---- */

/* Four logins are one aggregate; with one of them changed, three are, and that one is alone. */
static void one_changed(void (*change)(struct flow *f))
{
	struct spray s;

	spray_begin(&s, RELAY);
	logins_add(&s, "198.51.100.7", RELAY ":22", 4);
	change(&s.flow[3]);
	spray_ready(&s);
	const struct together *g = together(&s);
	assert_int_equal(g->n_aggregate, 1);
	assert_int_equal(g->leg[0]->members, 3);
	assert_int_equal(g->n_leg, 2);
	assert_ptr_equal(g->leg[1], &s.flow[3]);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(aggregate_has(g->leg[0], &s.flow[i], 0), i < 3);
	spray_end(&s);
}

static void other_vlan(struct flow *f)
{
	f->head.vlan = 7;
}

static void other_proto(struct flow *f)
{
	f->head.proto = PROTO_UDP;
}

static void other_peer(struct flow *f)
{
	f->head.end[0].ip.b[3]++;
}

static void other_service(struct flow *f)
{
	f->head.end[1].port++;
}

static void without_port(struct flow *f)
{
	f->head.end[0].port = 0;
}

static void turned(struct flow *f)
{
	struct endpoint x = f->head.end[0];

	f->head.end[0] = f->head.end[1];
	f->head.end[1] = x;
}

/* The same two hosts and port, the other way round. */
static void opened_by_relay(struct flow *f)
{
	struct ip peer = f->head.end[0].ip;

	f->head.end[0].ip = f->head.end[1].ip;
	f->head.end[1].ip = peer;
}

static void after_long(struct flow *f)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++)
			f->burst[d][i].start_us += 700 * SEC;
	f->head.first_us += 700 * SEC;
	f->last_us += 700 * SEC;
}

static void members_share_it_all(void **state)
{
	(void)state;
	one_changed(other_vlan);
	one_changed(other_proto);
	one_changed(other_peer);
	one_changed(other_service);
	one_changed(without_port);
	one_changed(turned);
	one_changed(opened_by_relay);
	one_changed(after_long);
}

/* What carried nothing is in no train, and no candidate. */
static void an_empty_flow_is_no_member(void **state)
{
	struct spray s;

	(void)state;
	spray_begin(&s, RELAY);
	logins_add(&s, "198.51.100.7", RELAY ":22", 4);
	s.flow[3].n_burst[0] = s.flow[3].n_burst[1] = 0;
	spray_ready(&s);
	const struct together *g = together(&s);
	assert_int_equal(g->n_leg, 1);
	assert_int_equal(g->leg[0]->members, 3);
	assert_false(aggregate_has(g->leg[0], &s.flow[3], 0));
	spray_end(&s);
}

static void two_are_no_aggregate(void **state)
{
	struct spray s;

	(void)state;
	spray_begin(&s, RELAY);
	logins_add(&s, "198.51.100.7", RELAY ":22", AGGREGATE_MIN - 1);
	logins_add(&s, "198.51.100.8", RELAY ":22", AGGREGATE_MIN);
	spray_ready(&s);
	const struct together *g = together(&s);
	assert_int_equal(g->n_aggregate, 1);
	assert_int_equal(g->n_leg, 1 + AGGREGATE_MIN - 1);
	assert_int_equal(g->leg[0]->members, AGGREGATE_MIN);
	assert_int_equal(g->leg[0]->head.end[0].ip.b[3], 8);
	spray_end(&s);
}

/* Two points that saw logins of one service: what one clock has seen is no train with another's. */
static void each_point_has_its_own(void **state)
{
	struct spray s;

	(void)state;
	spray_begin(&s, RELAY);
	for (int i = 0; i < 6; i++)
		(void)login_add(&s, "198.51.100.7", RELAY ":22", i, i % 2 ? "border" : "core");
	spray_ready(&s);
	const struct together *g = together(&s);
	const struct together *core;
	struct err e = {0};
	assert_int_equal(together_get(s.view, "core", s.cfg.clock_skew_us, &core, &e), STATUS_OK);
	assert_ptr_not_equal(core, g);
	assert_string_equal(core->point, "core");
	assert_ptr_equal(together(&s), g);
	assert_int_equal(g->n_aggregate, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(g->leg[i]->members, 3);
		for (size_t k = 0; k < s.n; k++) /* but whichever point saw it, a login is one of them */
			assert_int_equal(aggregate_has(g->leg[i], &s.flow[k], 0),
				flow_overlap(g->leg[i], &s.flow[k], 0));
	}
	spray_end(&s);
}

/* Alive at the same time, give or take the slack. */
static void members_are_alive_meanwhile(void **state)
{
	struct spray s;

	(void)state;
	spray_begin(&s, RELAY);
	logins_add(&s, "198.51.100.7", RELAY ":22", 3);
	spray_ready(&s);
	const struct flow *g = together(&s)->leg[0];
	struct flow late = s.flow[0], early = s.flow[0];
	late.head.first_us = g->last_us + 2 * SEC;
	late.last_us = late.head.first_us + SEC;
	early.last_us = g->head.first_us - 2 * SEC;
	early.head.first_us = early.last_us - SEC;
	for (int64_t slack = 0; slack < 4 * SEC; slack += SEC) {
		assert_int_equal(aggregate_has(g, &late, slack), slack >= 2 * SEC);
		assert_int_equal(aggregate_has(g, &early, slack), slack >= 2 * SEC);
	}
	assert_false(aggregate_has(g, g, 0)); /* nor is it one of its own */
	spray_end(&s);
}

/* ---- what an aggregate says of itself ---- */

/* No better than its worst member, whichever of them that is. */
static void the_worst_of_its_members(void **state)
{
	static const struct source bad = {SOURCE_FLOW_RECORDS, 1000, 250, 64, 70000};

	(void)state;
	for (size_t at = 0; at < 3; at++) {
		for (int field = 0; field < 5; field++) {
			struct spray s;
			spray_begin(&s, RELAY);
			logins_add(&s, "198.51.100.7", RELAY ":22", 3);
			struct source *x = &s.flow[at].head.source, good = *x;
			x->kind = field == 0 ? bad.kind : x->kind;
			x->resolution_us = field == 1 ? bad.resolution_us : x->resolution_us;
			x->clock_error_us = field == 2 ? bad.clock_error_us : x->clock_error_us;
			x->sampling = field == 3 ? bad.sampling : x->sampling;
			x->gap_us = field == 4 ? bad.gap_us : x->gap_us;
			spray_ready(&s);
			const struct source *g = &together(&s)->leg[0]->head.source;
			assert_int_equal(g->kind, field == 0 ? bad.kind : good.kind);
			assert_int_equal(
				g->resolution_us, field == 1 ? bad.resolution_us : good.resolution_us);
			assert_int_equal(
				g->clock_error_us, field == 2 ? bad.clock_error_us : good.clock_error_us);
			assert_int_equal(g->sampling, field == 3 ? bad.sampling : good.sampling);
			assert_int_equal(g->gap_us, field == 4 ? bad.gap_us : good.gap_us);
			spray_end(&s);
		}
	}
}

/* Sums over its members, by direction; the first and the last packet; which directions were derived. */
static void the_sums_of_its_members(void **state)
{
	struct spray s;

	(void)state;
	spray_begin(&s, RELAY);
	logins_add(&s, "198.51.100.7", RELAY ":22", 4);
	struct flow_count sum[2] = {{.first_us = INT64_MAX}, {.first_us = INT64_MAX}};
	s.flow[1].count[1] = (struct flow_count){.last_us = -1}; /* never answered */
	s.flow[1].n_burst[1] = 0;
	s.flow[2].head.flags |= FLOW_DERIVED_1;
	s.flow[2].count[0].payload_bytes = 12345;
	for (size_t i = 0; i < 4; i++)
		for (int d = 0; d < 2; d++) {
			const struct flow_count *c = &s.flow[i].count[d];
			sum[d].packets += c->packets;
			sum[d].frame_bytes += c->frame_bytes;
			sum[d].payload_bytes += c->payload_bytes;
			if (c->packets && c->first_us < sum[d].first_us)
				sum[d].first_us = c->first_us;
			if (c->packets && c->last_us > sum[d].last_us)
				sum[d].last_us = c->last_us;
		}
	spray_ready(&s);
	const struct flow *g = together(&s)->leg[0];
	for (int d = 0; d < 2; d++) {
		assert_int_equal(g->count[d].packets, sum[d].packets);
		assert_int_equal(g->count[d].frame_bytes, sum[d].frame_bytes);
		assert_int_equal(g->count[d].payload_bytes, sum[d].payload_bytes);
		assert_true(g->count[d].first_us == sum[d].first_us && g->count[d].last_us == sum[d].last_us);
		assert_int_equal(g->n_burst[d], d ? 9 : 12);
	}
	assert_int_equal(g->head.flags, FLOW_DERIVED_1);
	assert_int_equal(g->head.isn[0] | g->head.isn[1], 0);
	assert_true(g->head.first_us == s.flow[0].head.first_us && g->last_us == s.flow[3].last_us);
	spray_end(&s);
}

/* A member that ends after all that began later: the aggregate lives as long. */
static void the_longest_member_ends_it(void **state)
{
	struct spray s;

	(void)state;
	spray_begin(&s, RELAY);
	(void)flow_add(&s, "198.51.100.7:4000", RELAY ":22", 0, 60, "border");
	for (int i = 1; i < 4; i++)
		(void)login_add(&s, "198.51.100.7", RELAY ":22", i, "border");
	spray_ready(&s);
	const struct flow *g = together(&s)->leg[0];
	assert_int_equal(g->members, 4);
	assert_true(g->last_us == s.flow[0].last_us && g->last_us > s.flow[3].last_us);
	spray_end(&s);
}

/* ---- what is held against one ---- */

#define VICTIM "192.0.2.10"

/* The relay's logins at the victim, and a client with as many at the relay. */
static void proxied(struct spray *s, int n)
{
	spray_begin(s, RELAY);
	logins_add(s, RELAY, VICTIM ":22", n);
	logins_add(s, "198.51.100.7", RELAY ":1080", n);
}

/* Flows of a hop that are alive with `out`, but it; another point's clock may be off. */
static size_t alive_with(const struct spray *s, const struct flow *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct flow *f = &s->flow[i];
		int64_t slack = strcmp(f->head.point, out->head.point) == 0 ? 0 : s->cfg.clock_skew_us;
		n += f != out && f->head.first_us <= out->last_us + slack &&
		     out->head.first_us <= f->last_us + slack;
	}
	return n;
}

static void an_aggregate_is_asked_about(void **state)
{
	struct spray s;
	struct hop hop;

	(void)state;
	proxied(&s, 5);
	logins_add(&s, "198.51.100.8", RELAY ":1080", 4);
	(void)flow_add(&s, "198.51.100.9:4000", RELAY ":22", 0, 100, "border");
	spray_ready(&s);
	const struct together *g = together(&s);
	for (size_t i = 0; i < g->n_aggregate; i++)
		if (flow_opener(g->leg[i]) == flow_side(g->leg[i], &s.view->host)) {
			hop_of(&s, g->leg[i], &hop);
			assert_int_equal(hop.searched, 3); /* two clients' and the long one; no single flow */
			assert_ptr_equal(hop.out, g->leg[i]);
		}
	spray_end(&s);
}

/* A login of OUT's aggregate that only another point saw stands alone there, but is OUT. */
static void a_member_seen_elsewhere_is_no_candidate(void **state)
{
	struct spray s;
	struct hop hop;

	(void)state;
	for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
		proxied(&s, 5);
		if (elsewhere)
			(void)login_add(&s, RELAY, VICTIM ":22", 5, "core");
		spray_ready(&s);
		assert_int_equal(together(&s)->n_leg, 2 + elsewhere);
		hop_of(&s, &s.flow[2], &hop);
		assert_int_equal(
			hop.searched, alive_with(&s, &s.flow[2]) + 1); /* and the client's together */
		spray_end(&s);
	}
}

/* The relay's logins as another host has them, translated to two addresses: `copies` of the second one's were
 * seen.  They are OUT, too. */
static void translated(struct spray *s, struct flow *root, int n, int copies)
{
	spray_begin(s, RELAY);
	logins_add(s, RELAY, VICTIM ":22", n);
	logins_add(s, RELAY, "192.0.2.99:22", copies);
	logins_add(s, "198.51.100.7", RELAY ":1080", n);
	for (int i = 0; i < n; i++) {
		root[i] = s->flow[i];
		root[i].head.end[0].ip.b[0] = 10; /* at no end of which the relay is */
		s->flow[i].rewrite_of = &root[i];
		if (i < copies)
			s->flow[n + i].rewrite_of = &root[i];
	}
	spray_ready(s);
}

static void translated_copies_are_no_candidates(void **state)
{
	static const struct {
		int copies, legs;
	} is[] = {{0, 2}, {1, 3}, {2, 4}, {3, 3}, {5, 3}}; /* alone, or together */
	struct flow root[5];
	struct spray s;
	struct hop hop;

	(void)state;
	for (size_t k = 0; k < sizeof(is) / sizeof(is[0]); k++) {
		translated(&s, root, 5, is[k].copies);
		assert_int_equal(together(&s)->n_leg, is[k].legs);
		hop_of(&s, &s.flow[0], &hop);
		/* of the flows alive with it not its own copy; of what is together the client's alone */
		size_t own = is[k].copies > 0;
		assert_int_equal(hop.searched, alive_with(&s, &s.flow[0]) - own + 1);
		spray_end(&s);
	}
}

/* What is proven of the flow itself is what counts, though of all together there is more. */
static void the_flow_itself_first(void **state)
{
	static const struct sprayer p = {.client = "198.51.100.7",
		.relay = RELAY,
		.victim = VICTIM,
		.relay_port = 1080,
		.victim_port = 22,
		.logins = 8,
		.bursts = 60,
		.pause_s = 2};
	size_t alone = 0;

	(void)state;
	for (uint64_t k = 0; k < 10; k++) {
		struct spray s;
		struct hop hop;
		spray_seed(77 + k);
		spray_begin(&s, RELAY);
		spray_add(&s, &p);
		spray_ready(&s);
		const struct flow *out = &s.flow[2 * (k % p.logins) + 1];
		assert_true(aggregate_has(together(&s)->leg[0], out, 0) ||
			    aggregate_has(together(&s)->leg[1], out, 0));
		hop_of(&s, out, &hop);
		if (hop.best.link.verdict == LINK_PROVEN) {
			alone += hop.out == out;
			assert_int_equal(is_aggregate(hop.out), is_aggregate(hop.best.flow));
		}
		spray_end(&s);
	}
	print_message("# %zu of 10 proven by themselves\n", alone);
	assert_true(alone >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_share_it_all),
		cmocka_unit_test(an_empty_flow_is_no_member),
		cmocka_unit_test(two_are_no_aggregate),
		cmocka_unit_test(each_point_has_its_own),
		cmocka_unit_test(members_are_alive_meanwhile),
		cmocka_unit_test(the_worst_of_its_members),
		cmocka_unit_test(the_sums_of_its_members),
		cmocka_unit_test(the_longest_member_ends_it),
		cmocka_unit_test(an_aggregate_is_asked_about),
		cmocka_unit_test(a_member_seen_elsewhere_is_no_candidate),
		cmocka_unit_test(translated_copies_are_no_candidates),
		cmocka_unit_test(the_flow_itself_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
