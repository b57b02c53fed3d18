/* The limit: what it says of made relays against what becomes of such relays; few bursts, hidden keys, legs
 * that make no sense. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/limit.h"
#include "trace/trace.h"
#include "zoo_gen.h"
#include "zoo_parts.h"

#define NEEDED 8.5
#define PAIRS  40

static struct relink_room room;

/* A pair of the zoo as two flows. */
struct made {
	struct zoo_pair zoo;
	struct flow in, out;
	struct relink p;
};

static void life(struct flow *f)
{
	f->head.first_us = INT64_MAX;
	f->last_us = INT64_MIN;
	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			int64_t t = f->burst[d][i].start_us;
			f->head.first_us = t < f->head.first_us ? t : f->head.first_us;
			f->last_us = t > f->last_us ? t : f->last_us;
		}
	}
}

static void pair_up(struct made *m)
{
	struct flow *f[2] = {&m->in, &m->out};

	for (int k = 0; k < 2; k++) {
		f[k]->head.source.resolution_us = 1;
		f[k]->head.source.sampling = 1;
		life(f[k]);
	}
	m->p = (struct relink){.in = &m->in, .out = &m->out, .needed = NEEDED};
}

/* delay, jitter and chaff, hidden as relay_session() takes them */
static void relay_make(
	struct made *m, struct rng *r, double seconds, double jitter, double chaff, double hidden)
{
	const struct zoo_class c = {.name = "relay",
		.kind = ZOO_RELAY,
		.seconds = seconds,
		.make = relay_session,
		.arg = {0.001, jitter, chaff, hidden}};

	zoo_make(&c, r, &m->zoo);
	zoo_bursts(&m->zoo, 0.02);
	m->in = (struct flow){.burst = {m->zoo.b[IN_FWD], m->zoo.b[IN_BACK]},
		.n_burst = {m->zoo.n[IN_FWD], m->zoo.n[IN_BACK]}};
	m->out = (struct flow){.burst = {m->zoo.b[OUT_FWD], m->zoo.b[OUT_BACK]},
		.n_burst = {m->zoo.n[OUT_FWD], m->zoo.n[OUT_BACK]}};
	pair_up(m);
}

static struct limit limit_of(const struct made *m)
{
	struct limit l;
	struct err e = {0};
	char text[LIMIT_TEXT];

	assert_int_equal(limit_find(&room, &m->p, &l, &e), STATUS_OK);
	(void)limit_text(text, sizeof(text), &l, m->p.needed);
	assert_true(strlen(text) > 20);
	assert_true(l.jitter_ms >= 0 && l.jitter_ms <= 1000 && l.chaff >= 0 && l.chaff <= 10);
	assert_true(l.known || (l.jitter_ms == 0 && l.chaff == 0));
	assert_int_equal(l.jitter_most, l.jitter_ms == 1000);
	assert_int_equal(l.chaff_most, l.chaff == 10);
	return l;
}

static bool is_proven(const struct made *m)
{
	struct link_result r;
	struct err e = {0};

	assert_int_equal(relink_test(&room, &m->p, &r, &e), STATUS_OK);
	return r.verdict == LINK_PROVEN;
}

/* So many of PAIRS relays with this jitter, and this chaff, are proven. */
static int truth(double seconds, double jitter, double chaff, double hidden)
{
	static struct made m;
	struct rng r;
	int n = 0;

	rng_seed(&r, 9);
	for (int i = 0; i < PAIRS; i++) {
		relay_make(&m, &r, seconds, jitter, chaff, hidden);
		n += is_proven(&m);
	}
	return n;
}

/* What is said of relays without jitter is what becomes of others that have it. */
static void says_what_happens(void **state)
{
	static struct made m;
	static const double jitter[] = {0.005, 0.02, 0.05, 0.2}, chaff[] = {0.5, 2, 5};
	int at[4] = {0}, with[3] = {0};
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	for (int i = 0; i < PAIRS; i++) {
		relay_make(&m, &r, 60, 0, 0, 0);
		struct limit l = limit_of(&m);
		for (int k = 0; k < 4; k++)
			at[k] += l.known && l.jitter_ms >= 1000 * jitter[k] - 1e-9;
		for (int k = 0; k < 3; k++)
			with[k] += l.known && l.chaff >= chaff[k] - 1e-9;
	}
	for (int k = 0; k < 4; k++) {
		int t = truth(60, jitter[k], 0, 0);
		print_message("# jitter %3.0f ms: said %d of %d, so %d\n", 1000 * jitter[k], at[k], PAIRS, t);
		assert_in_range(at[k] - t + PAIRS / 4, 0, PAIRS / 2);
	}
	for (int k = 0; k < 3; k++) {
		int t = truth(60, 0, chaff[k], 0);
		print_message("# chaff %3.0f %%: said %d of %d, so %d\n", 100 * chaff[k], with[k], PAIRS, t);
		assert_in_range(with[k] - t + PAIRS / 4, 0, PAIRS / 2);
	}
}

/* Of a leg whose relay is another flow, or none: said of the relay that it would have had. */
static void of_an_in_leg_alone(void **state)
{
	static struct made m, other;
	struct rng r;
	int known = 0, own = 0;

	(void)state;
	rng_seed(&r, 11);
	for (int i = 0; i < PAIRS; i++) {
		relay_make(&m, &r, 60, 0, 0, 0);
		relay_make(&other, &r, 60, 0, 0, 0);
		m.out = other.out;
		m.p.out = &m.out;
		struct limit l = limit_of(&m);
		known += l.known;
		own += l.own;
	}
	print_message("# a relay of it would be proven: %d of %d\n", known, PAIRS);
	assert_int_equal(own, 0);
	assert_true(known >= PAIRS * 3 / 4);
}

/* Ids are told to nobody who gets trains without addresses; more evidence needed, less jitter borne. */
static void a_function_of_the_trains(void **state)
{
	static struct made m;
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	for (int i = 0; i < 5; i++) {
		relay_make(&m, &r, 60, 0, 0, 0);
		struct limit a = limit_of(&m), b;
		memset(&m.in.head.id, 0x55, sizeof(m.in.head.id));
		memset(&m.out.head.id, 0xaa, sizeof(m.out.head.id));
		b = limit_of(&m);
		assert_true(a.jitter_ms == b.jitter_ms && a.chaff == b.chaff && a.known == b.known);
		m.p.needed = 4 * NEEDED;
		b = limit_of(&m);
		assert_true(b.jitter_ms <= a.jitter_ms && b.chaff <= a.chaff);
		m.p.needed = 100 * NEEDED;
		b = limit_of(&m);
		assert_false(b.known);
	}
}

static void hidden_keys(void **state)
{
	static struct made m;
	struct rng r;
	char text[LIMIT_TEXT];

	(void)state;
	rng_seed(&r, 5);
	relay_make(&m, &r, 120, 0, 0, 1);
	struct limit l = limit_of(&m);
	assert_true(l.known && l.own && l.jitter_ms >= 5);
	relay_make(&m, &r, 120, 0.1, 0, 2);
	assert_false(is_proven(&m));
	l = limit_of(&m);
	assert_true(!l.known && l.hidden);
	assert_non_null(strstr(limit_text(text, sizeof(text), &l, NEEDED), "hides among ticks"));
}

static struct burst lane[4][400];

/* n questions a second and a half apart, answered at once, passed on by a relay. */
static void plain_make(struct made *m, size_t n)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < n; i++) {
		int64_t t = 1000000000 + (int64_t)i * 1500000 + (int64_t)(i * i * 7919 % 700000);
		lane[0][i] = (struct burst){t, 0, 1, 36};
		lane[1][i] = (struct burst){t + 20000, 0, 1, 36};
		lane[2][i] = (struct burst){t + 1000, 0, 1, 36};
		lane[3][i] = (struct burst){t + 19000, 0, 1, 36};
	}
	m->in = (struct flow){.burst = {lane[0], lane[1]}, .n_burst = {n, n}};
	m->out = (struct flow){.burst = {lane[2], lane[3]}, .n_burst = {n, n}};
	pair_up(m);
}

static void few_bursts(void **state)
{
	static struct made m;
	char text[LIMIT_TEXT];

	(void)state;
	plain_make(&m, 5);
	m.out.last_us += 1000000;
	m.in.last_us += 1000000;
	struct limit l = limit_of(&m);
	assert_false(l.known);
	assert_int_equal(l.bursts, 5);
	assert_int_equal(relink_bursts(&m.p), 5);
	(void)limit_text(text, sizeof(text), &l, NEEDED);
	assert_string_equal(text, "even a relay of this in-leg without jitter: 5 bursts, at least 7 needed");
}

static void reasons_with_numbers(void **state)
{
	char text[LIMIT_TEXT];
	struct link_result r = {.reason = LINK_REASON_FEW_BURSTS, .bursts = 5};

	(void)state;
	assert_string_equal(link_reason_say(text, sizeof(text), &r, 16), "5 bursts, at least 12 needed");
	assert_string_equal(link_reason_say(text, sizeof(text), &r, 6), "5 bursts, at least 6 needed");
	assert_string_equal(link_reason_say(text, sizeof(text), &r, 1e300), "5 bursts, at least 6 needed");
	assert_string_equal(link_reason_say(text, sizeof(text), &r, -3), "5 bursts, at least 6 needed");
	r.bursts = 0;
	assert_string_equal(
		link_reason_say(text, sizeof(text), &r, 16), "too few bursts: at least 12 needed");
	r = (struct link_result){.reason = LINK_REASON_WEAK, .max_log10_e = 3.14};
	assert_string_equal(link_reason_say(text, sizeof(text), &r, 7.7),
		"the evidence does not reach what is needed: log10 e 3.1 of 7.7");
	r.reason = LINK_REASON_PREDICTABLE;
	assert_string_equal(link_reason_say(text, sizeof(text), &r, 7.7), "both trains predict themselves");
	assert_int_equal(link_bursts_needed(16), 12);
	/* what the test itself says of a pair of so few */
	static struct made m;
	struct err e = {0};
	for (size_t n = 1; n < 7; n++) {
		plain_make(&m, n);
		assert_int_equal(relink_test(&room, &m.p, &r, &e), STATUS_OK);
		assert_int_equal(r.verdict, LINK_INSUFFICIENT);
		assert_int_equal(r.reason, LINK_REASON_FEW_BURSTS);
		assert_true(n < link_bursts_needed(NEEDED));
	}
}

/* Of one way the train with fewer bursts, merged as the test does; of the two ways the one with more. */
static void bursts_that_can_be_bet_on(void **state)
{
	static struct made m;

	(void)state;
	plain_make(&m, 10);
	m.out.head.first_us = m.in.head.first_us;
	m.out.last_us = m.in.last_us;
	m.out.n_burst[0] = 7;
	assert_int_equal(relink_bursts(&m.p), 10); /* the answers are all there */
	m.out.n_burst[1] = 6;
	assert_int_equal(relink_bursts(&m.p), 7);
	m.in.n_burst[0] = 4;
	assert_int_equal(relink_bursts(&m.p), 6);
	plain_make(&m, 10);
	m.in.n_burst[1] = m.out.n_burst[1] = 0;
	lane[2][0] = lane[0][0];
	for (int i = 1; i < 10; i++) /* after 100 ms another one, before that the same */
		lane[0][i].start_us = lane[2][i].start_us =
			lane[0][i - 1].start_us + (i % 2 ? BURST_GAP_READ_US : BURST_GAP_READ_US - 1);
	life(&m.in);
	life(&m.out);
	assert_int_equal(relink_bursts(&m.p), 6);
	for (int i = 0; i < 10; i++) /* from its end, and a long one's end is not that of a short one in it */
		lane[0][i].dur_us = lane[2][i].dur_us = i ? 0 : 500000;
	assert_int_equal(relink_bursts(&m.p), 3);
	m.in.last_us = m.out.head.first_us - 1; /* no time in common */
	assert_int_equal(relink_bursts(&m.p), 0);
}

/* OUT on another clock: the same limit, where the clock is known. */
static void on_another_clock(void **state)
{
	static struct made m;
	struct rng r;

	(void)state;
	rng_seed(&r, 7);
	relay_make(&m, &r, 60, 0, 0, 0);
	struct limit here = limit_of(&m);
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < m.out.n_burst[d]; i++)
			m.out.burst[d][i].start_us += 5000000000;
	life(&m.out);
	m.p.apart = true;
	m.p.clock.offset_us = -5000000000;
	struct limit there = limit_of(&m);
	assert_true(here.own && there.own);
	assert_true(here.jitter_ms == there.jitter_ms && here.chaff == there.chaff);
	assert_true(fabs(here.seconds - there.seconds) < 1e-9 && here.bursts == there.bursts);
}

/* So many of 40 bursts of IN, three seconds apart, last so long. */
static bool hidden_with(int longs, uint32_t dur_us)
{
	static struct made m;

	plain_make(&m, 40);
	for (int d = 0; d < 4; d++)
		for (int i = 0; i < 40; i++)
			lane[d][i] = (struct burst){1000000000 + i * 3000000, 0, 1, 36};
	for (int i = 0; i < longs; i++)
		lane[0][i].dur_us = dur_us;
	life(&m.in);
	life(&m.out);
	m.p.needed = 1e6; /* never proven: then OUT would show what the relay got */
	struct limit l = limit_of(&m);
	assert_false(l.own);
	return l.hidden;
}

/* Half of the bursts as long as ticks go on after the last key; with fewer the in-leg shows what it is. */
static void ticks_or_not(void **state)
{
	(void)state;
	assert_true(hidden_with(20, 1000000));
	assert_false(hidden_with(19, 1000000));
	assert_false(hidden_with(40, 999999));
	assert_true(hidden_with(40, 2500000));
	assert_false(hidden_with(0, 0));
}

/* The most that is tried and still proven is said to be that. */
static void beyond_the_grid(void **state)
{
	struct limit l = {.known = true,
		.own = true,
		.jitter_ms = 1000,
		.jitter_most = true,
		.chaff = 10,
		.chaff_most = true};
	char text[LIMIT_TEXT];
	static struct made m;

	(void)state;
	assert_string_equal(limit_text(text, sizeof(text), &l, 8),
		"still proven up to 1000 ms of jitter more and beyond, or up to 1000 % of chaff and beyond");
	/* what limit_of() asserts, where the grids end */
	size_t most[2] = {0}, next[2] = {0};
	struct rng r;
	rng_seed(&r, 11);
	for (int i = 0; i < 12; i++) {
		relay_make(&m, &r, 900, 0.001, 0, 0);
		m.p.needed = i % 2 ? 1 : 6;
		l = limit_of(&m);
		most[0] += l.jitter_ms == 1000;
		next[0] += l.jitter_ms == 500;
		most[1] += l.chaff == 10;
		next[1] += l.chaff == 5;
	}
	print_message("# at the end of the grids: %zu %zu of 12, before it %zu %zu\n", most[0], most[1],
		next[0], next[1]);
}

/* What is missing is estimated from what there is. */
static void what_is_missing(void **state)
{
	struct limit l = {
		.clear = {.reason = LINK_REASON_WEAK, .max_log10_e = 4}, .seconds = 30, .bursts = 20};
	char text[LIMIT_TEXT];

	(void)state;
	assert_string_equal(limit_text(text, sizeof(text), &l, 8),
		"even a relay of this in-leg without jitter: the evidence does not reach what is needed: "
		"log10 e 4.0 of 8.0 (some 20 bursts or 30 s more of the like would do)");
	l.clear.max_log10_e = -0.3;
	assert_null(strstr(limit_text(text, sizeof(text), &l, 8), "would do"));
	l = (struct limit){.known = true, .jitter_ms = 50, .chaff = 3};
	assert_string_equal(limit_text(text, sizeof(text), &l, 8),
		"a relay of this in-leg would have been proven up to "
		"50 ms of jitter, or up to 300 % of chaff");
	l = (struct limit){.known = true, .own = true};
	assert_string_equal(limit_text(text, sizeof(text), &l, 8),
		"still proven with less than 5 ms of jitter more, or with less than 25 % of chaff");
	l.unproven = true; /* a rival or the audit withholds the verdict */
	assert_string_equal(limit_text(text, sizeof(text), &l, 8),
		"its number alone would still suffice with less than 5 ms of jitter more, or with less than "
		"25 % of chaff");
}

static void senseless(void **state)
{
	static const int64_t t[] = {INT64_MIN, INT64_MIN / 2, -1, 0, 1, INT64_MAX / 2, INT64_MAX - 1};
	static struct made m;

	(void)state;
	plain_make(&m, 0);
	(void)limit_of(&m);
	for (size_t i = 0; i < 7; i++) {
		for (size_t k = 0; k < 7; k++) {
			plain_make(&m, 40);
			lane[0][0].start_us = lane[2][0].start_us = t[i];
			lane[1][39].start_us = lane[3][39].start_us = t[k];
			life(&m.in);
			life(&m.out);
			(void)limit_of(&m);
		}
	}
	plain_make(&m, 40); /* all at one time */
	for (int d = 0; d < 4; d++)
		for (size_t i = 0; i < 40; i++)
			lane[d][i] = (struct burst){1000, UINT32_MAX, UINT32_MAX, UINT64_MAX};
	life(&m.in);
	life(&m.out);
	(void)limit_of(&m);
}

/* Legs of hours take no longer than what is looked at of them. */
static void long_legs(void **state)
{
	enum { N = 300000 };
	static struct made m;
	struct burst *b = calloc(4 * (size_t)N, sizeof(*b));
	struct rng r;
	int64_t at = 1000000000;

	(void)state;
	assert_non_null(b);
	memset(&m, 0, sizeof(m));
	rng_seed(&r, 1);
	for (size_t i = 0; i < N; i++) {
		at += 150000 + (int64_t)(rng_exp(&r, 0.4) * 1e6);
		b[i] = (struct burst){at, 0, 1, 36};
		b[N + i] = (struct burst){at + 40000, 0, 1, 100 + i % 977};
		b[2 * N + i] = (struct burst){at + 1000, 0, 1, 36};
		b[3 * N + i] = (struct burst){at + 39000, 0, 1, 100 + i % 977};
	}
	m.in = (struct flow){.burst = {b, b + N}, .n_burst = {N, N}};
	m.out = (struct flow){.burst = {b + 2 * N, b + 3 * N}, .n_burst = {N, N}};
	pair_up(&m);
	m.out.burst[1] = b + N; /* not proven: its answers are X's */
	struct limit l = limit_of(&m);
	print_message("# %d bursts: known %d, own %d, %.0f ms\n", N, l.known, l.own, l.jitter_ms);
	free(b);
}

static int end(void **state)
{
	(void)state;
	relink_free(&room);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_happens),
		cmocka_unit_test(of_an_in_leg_alone),
		cmocka_unit_test(a_function_of_the_trains),
		cmocka_unit_test(hidden_keys),
		cmocka_unit_test(few_bursts),
		cmocka_unit_test(reasons_with_numbers),
		cmocka_unit_test(bursts_that_can_be_bet_on),
		cmocka_unit_test(on_another_clock),
		cmocka_unit_test(ticks_or_not),
		cmocka_unit_test(beyond_the_grid),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(senseless),
		cmocka_unit_test(long_legs),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
