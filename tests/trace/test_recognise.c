/* Recognising a claimed flow in a recording: through clocks apart, translation, losses, gaps; not where only
 * another flow of its kind is there; contradicted where a true train was changed; and the counts of stretches
 * against a slow second implementation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recog_lab.h"
#include "recog_scene.h"
#include "recog_slow.h"
#include "trace/alike.h"
#include "trace/recognise_in.h"
#include "trace/tracer.h"

static void confirms_with_the_clock_that_is_true(void **state)
{
	static const double drift[] = {0, 200e-6, -290e-6};
	struct scene s;

	(void)state;
	for (int i = 0; i < 12; i++) {
		int64_t offset = (int64_t)(rng_between(&rng, -595, 595) * 1e6);
		scene_begin(&s, 500);
		change(&s.claim, offset, drift[i % 3], 0, 0);
		if (i % 2)
			forget_numbers(&s.claim);
		assert_int_equal(scene_ask(&s), SEEN_CONFIRMED);
		assert_ptr_equal(s.r.flow, &s.ours[0]);
		assert_false(s.r.translated);
		/* b's time of a's middle is what it was before the clock was changed */
		int64_t middle = T0 + 60 * SECOND_US;
		int64_t there = middle + offset + (int64_t)(drift[i % 3] * 60e6);
		assert_true(llabs(clock_in(&s.r.alike.clock, there) - middle) < 5000);
		scene_end(&s);
	}
}

static void confirms_through_translation_by_numbers(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 300);
	ends(&s.ours[0], "198.19.1.10:50000", "192.0.2.10:22");
	change(&s.claim, 300 * SECOND_US, 0, 20000, 0);
	assert_int_equal(scene_ask(&s), SEEN_CONFIRMED);
	assert_true(s.r.translated);
	/* both ends others: the numbers still speak */
	ends(&s.ours[0], "198.19.1.10:50000", "198.19.1.11:2222");
	assert_int_equal(scene_ask(&s), SEEN_CONFIRMED);
	/* and where they say otherwise it is the other leg of a relay */
	s.ours[0].head.isn[1]++;
	assert_int_equal(scene_ask(&s), SEEN_NOT);
	ends(&s.ours[0], "198.19.1.10:50000", "192.0.2.10:22");
	assert_int_equal(scene_ask(&s), SEEN_NOT);
	scene_end(&s);
}

static void the_other_leg_is_not_the_flow(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 300);
	ends(&s.ours[0], "198.51.100.7:33000", "203.0.113.10:8022");
	s.ours[0].head.isn[0]++;
	s.ours[0].head.isn[1]++;
	assert_int_equal(scene_ask(&s), SEEN_NOT);
	forget_numbers(&s.ours[0]);
	forget_numbers(&s.claim);
	assert_int_equal(scene_ask(&s), SEEN_NOT);
	assert_null(s.r.flow);
	scene_end(&s);
}

/* Without the numbers, behind one translated end: only where the clocks need not be far apart. */
static void a_program_that_ran_again_is_not_the_flow(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 400);
	ends(&s.ours[0], "198.19.1.10:50000", "192.0.2.10:22");
	forget_numbers(&s.ours[0]);
	change(&s.claim, SECOND_US, 0, 0, 0);
	assert_int_equal(scene_ask(&s), SEEN_CONFIRMED);
	change(&s.claim, 240 * SECOND_US, 0, 0, 0);
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	/* the same ends, but numbers of another connection */
	change(&s.ours[0], 0, 0, 0, 0);
	ends(&s.ours[0], "203.0.113.10:40000", "192.0.2.10:22");
	s.ours[0].head.flags = s.claim.head.flags;
	s.ours[0].head.isn[0]++;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	scene_end(&s);
}

static void several_flows_of_one_train(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 400);
	forget_numbers(&s.claim);
	ends(&s.ours[0], "198.19.1.10:50000", "192.0.2.10:22");
	flow_copy(&s.ours[1], &s.ours[0]);
	ends(&s.ours[1], "198.19.1.11:50000", "192.0.2.10:22");
	s.n = 2;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	assert_non_null(strstr(s.r.why, "several"));
	scene_end(&s);
}

static void says_whether_it_could_have_seen_it(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 100);
	s.ours[0].head.isn[0]++;
	s.ours[0].head.isn[1]++;
	ends(&s.ours[0], "198.19.9.9:1", "198.19.9.8:2");
	assert_int_equal(scene_ask(&s), SEEN_NOT);
	s.ours[0].head.source.sampling = 16;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	s.ours[0].head.source.sampling = 1;
	s.cover.span.from_us = s.claim.head.first_us + (s.claim.last_us - s.claim.head.first_us) / 4;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	s.cover.point = NULL;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	scene_end(&s);
}

static void what_cannot_be_compared(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 400);
	s.claim.head.source.sampling = 100;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	s.claim.head.source.sampling = 1;
	s.claim.head.source.kind = SOURCE_FLOW_RECORDS;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	s.claim.head.source.kind = SOURCE_PACKETS;
	s.ours[0].head.flags |= FLOW_DERIVED_0 | FLOW_DERIVED_1;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	s.ours[0].head.flags &= (uint8_t)~FLOW_DERIVED_1;
	assert_int_equal(scene_ask(&s), SEEN_CONFIRMED); /* one direction is left */
	assert_int_equal(s.r.alike.ways, 2);
	s.cover.blind = true; /* as if the whole time were lost */
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	scene_end(&s);
}

static void too_few_stretches(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 4);
	forget_numbers(&s.claim);
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	assert_ptr_equal(s.r.flow, &s.ours[0]);
	assert_non_null(strstr(s.r.why, "stretches more"));
	scene_end(&s);
}

enum lie { SIZES, MOVED, SPLICED, STRETCHED, OTHERS };

static void lies_are_contradicted(void **state)
{
	(void)state;
	for (enum lie lie = SIZES; lie <= OTHERS; lie++) {
		struct flow other;
		struct scene s;
		scene_begin(&s, 500);
		keys_flow(&other, &rng, 500, T0);
		switch (lie) {
		case SIZES:
			lie_sizes(&s.claim, &rng, 0.2);
			break;
		case MOVED:
			lie_move(&s.claim, &rng, 0.5, 200000, 600000);
			break;
		case SPLICED:
			lie_splice(&s.claim, &other, 0.5);
			break;
		case STRETCHED:
			lie_stretch(&s.claim, 1.05);
			break;
		case OTHERS:
			lie_splice(&s.claim, &other, 0);
			break;
		}
		if (scene_ask(&s) != SEEN_CONTRADICTED)
			fail_msg("lie %d: %s: %s", (int)lie, seen_here_name(s.r.seen), s.r.why);
		assert_true(s.r.alike.first_other_us >= s.claim.head.first_us);
		flow_drop(&other);
		scene_end(&s);
	}
}

/* One of the two recorders has nothing for 8 s; whose own gap it is knows of it. */
static enum seen_here with_gap(bool ours)
{
	struct scene s;
	struct packets p;
	enum seen_here seen;

	scene_begin(&s, 600);
	struct flow *f = ours ? &s.ours[0] : &s.claim, was = *f;
	int64_t from = s.claim.head.first_us + 60 * SECOND_US;
	packets_of(&p, f);
	size_t k = 0;
	for (size_t i = 0; i < p.n; i++)
		if (p.p[i].t < from || p.p[i].t > from + 8 * SECOND_US)
			p.p[k++] = p.p[i];
	p.n = k;
	packets_flow(f, &p, &was, BURST_GAP_RECORDED_US);
	packets_free(&p);
	flow_drop(&was);
	struct coverage c[2] = {s.cover, s.cover};
	c[1].blind = true;
	c[1].span = (struct span){from, from + 8 * SECOND_US};
	struct recording r = {.flow = s.ours, .n_flow = 1, .coverage = c, .n_coverage = ours ? 2 : 1};
	struct err e = {0};
	assert_int_equal(recognise_in(&r, 1e-6, &s.claim, &s.r, &e), STATUS_OK);
	seen = s.r.seen;
	arena_free(&r.arena);
	scene_end(&s);
	return seen;
}

/* Never contradicted; and confirmed but where chance took too much of it (nine in ten: doc/recognise.md). */
static void gaps_are_no_contradiction(void **state)
{
	(void)state;
	for (int ours = 0; ours < 2; ours++) {
		int confirmed = 0;
		for (int i = 0; i < 12; i++) {
			enum seen_here seen = with_gap(ours);
			assert_int_not_equal(seen, SEEN_CONTRADICTED);
			confirmed += seen == SEEN_CONFIRMED;
		}
		assert_true(confirmed >= 6);
	}
}

/* One step of the claimant's clock is not called a lie. */
static void a_clock_that_was_set(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 500);
	lie_shift_tail(&s.claim, 0.5, 700000);
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	assert_true(llabs(s.r.alike.step_us - 700000) < 5000);
	scene_end(&s);
}

/* Two people typing keys of one size each, for one the head of the other's flow. */
static void strangers_are_not_confirmed(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {
		struct scene s;
		scene_begin(&s, 60);
		flow_drop(&s.ours[0]);
		struct flow_head head = s.claim.head;
		keys_flow(&s.ours[0], &rng, 60 + rng_next(&rng) % 600, T0 + (int64_t)(rng_unit(&rng) * 1e8));
		s.ours[0].head.end[0] = head.end[0];
		s.ours[0].head.end[1] = head.end[1];
		s.ours[0].head.point = "here";
		forget_numbers(&s.ours[0]);
		assert_int_not_equal(scene_ask(&s), SEEN_CONFIRMED);
		assert_int_not_equal(s.r.seen, SEEN_CONTRADICTED);
		scene_end(&s);
	}
}

/* A train that is no train is refused before anything is read. */
static void nonsense_is_refused(void **state)
{
	struct scene s;
	struct err e = {0};

	(void)state;
	scene_begin(&s, 20);
	s.claim.burst[0][3].start_us = INT64_MAX - 5;
	assert_int_equal(recognise(NULL, &s.claim, &s.r, &e), STATUS_BAD);
	s.claim.burst[0][3].start_us = 5;
	assert_int_equal(recognise(NULL, &s.claim, &s.r, &e), STATUS_BAD);
	s.claim.n_burst[0] = s.claim.n_burst[1] = 0;
	s.claim.head.first_us = -1;
	assert_int_equal(recognise(NULL, &s.claim, &s.r, &e), STATUS_BAD);
	s.claim.head.first_us = INT64_MAX - 1;
	s.claim.last_us = INT64_MAX;
	assert_int_equal(recognise(NULL, &s.claim, &s.r, &e), STATUS_BAD);
	scene_end(&s);
}

/* Times are whole milliseconds here, so that the slow way is exact. */
static void round_times(struct flow *f)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			f->burst[d][i].start_us -= f->burst[d][i].start_us % 1000;
			f->burst[d][i].dur_us -= f->burst[d][i].dur_us % 1000;
		}
}

static void counts_as_the_slow_way(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		struct scene s;
		scene_begin(&s, 150);
		change(&s.claim, 0, 0, 40000, 0.02 * (i % 4));
		change(&s.ours[0], 0, 0, 40000, 0.02 * (i % 3));
		round_times(&s.claim);
		round_times(&s.ours[0]);
		struct couple c = {.ways = 3,
			.a_opened = true,
			.b_opened = true,
			.a_closed = true,
			.b_closed = true,
			.gap = BURST_GAP_RECORDED_US,
			.skew_us = SECOND_US};
		for (int d = 0; d < 2; d++) {
			c.a.b[d] = s.claim.burst[d];
			c.a.n[d] = s.claim.n_burst[d];
			c.b.b[d] = s.ours[0].burst[d];
			c.b.n[d] = s.ours[0].n_burst[d];
		}
		c.a_life = c.b_life = (struct span){T0, s.claim.last_us};
		struct pose p = {.clock = {.at_us = T0}};
		struct alike k = {0};
		alike_count(&c, &p, &k);
		struct slow slow = slow_count(&s.claim, &s.ours[0], c.gap);
		assert_int_equal(k.compared, slow.compared);
		assert_int_equal(k.equal, slow.equal);
		assert_int_equal(k.absent, slow.absent);
		assert_int_equal(k.equal + k.absent + k.less + k.close + k.more + k.other, k.compared);
		scene_end(&s);
	}
}

/* The laboratory: what the victim claims is recognised at the relay, behind its NAT and with its clock. */
static void the_laboratory(void **state)
{
	static const char *const run[] = {"nat", "clocks"};
	char set[512];

	(void)state;
	(void)snprintf(set, sizeof(set), "%s/lab/set", getenv("WEIR_SOURCE"));
	for (size_t i = 0; i < 2; i++) {
		struct lab lab;
		size_t pairs = 0;
		lab_load(&lab, set, run[i]);
		for (size_t x = 0; x < lab.n; x++)
			for (size_t k = 0; k < lab.point[x].rec.n_flow; k++)
				for (size_t y = 0; y < lab.n; y++) {
					const struct flow *f = &lab.point[x].rec.flow[k];
					const struct flow *g = x == y ? NULL : lab_same(&lab.point[y], f);
					struct recognised r;
					struct err e = {0};
					if (!g || f->n_burst[0] < 20)
						continue;
					assert_int_equal(
						recognise_in(&lab.point[y].rec, 1e-6, f, &r, &e), STATUS_OK);
					assert_int_equal(r.seen, SEEN_CONFIRMED);
					assert_ptr_equal(r.flow, g);
					pairs++;
				}
		assert_true(pairs >= 2);
		lab_free(&lab);
	}
}

/* What is read for many claims gives what the whole recording gives; what is handed out stays, and what was
 * not found keeps nothing. */
static void reads_little_for_many_claims(void **state)
{
	static const struct config cfg = {.clock_skew_us = SECOND_US};
	struct err e = {0};
	struct lab lab;
	char set[512], dir[160];
	size_t found = 0;

	(void)state;
	(void)snprintf(set, sizeof(set), "%s/lab/set", getenv("WEIR_SOURCE"));
	lab_load(&lab, set, "nat");
	for (size_t x = 0; x < lab.n; x++) {
		const struct lab_point *p = &lab.point[x], *q = &lab.point[(x + 1) % lab.n];
		struct tracer *t;
		(void)snprintf(dir, sizeof(dir), "%s/%s-%s", lab.dir, p->run, p->name);
		assert_int_equal(tracer_open(&t, &world_real, dir, &cfg, 1e-6, &e), STATUS_OK);
		for (size_t i = 0; i < q->rec.n_flow; i++) {
			struct flow claim = q->rec.flow[i];
			struct recording all = p->rec;
			struct recognised r, whole, again;
			all.arena = (struct arena){0};
			assert_int_equal(recognise_in(&all, 1e-6, &claim, &whole, &e), STATUS_OK);
			arena_free(&all.arena);
			const struct view *before = t->found;
			assert_int_equal(recognise(t, &claim, &r, &e), STATUS_OK);
			assert_int_equal(r.seen, whole.seen);
			assert_int_equal(r.flow != NULL, whole.flow != NULL);
			if (!r.flow) {
				assert_ptr_equal(t->found, before);
				continue;
			}
			found += r.seen == SEEN_CONFIRMED;
			assert_true(fabs(r.alike.log10_e - whole.alike.log10_e) < 1e-9);
			assert_int_equal(id_order(&r.flow->head.id, &whole.flow->head.id), 0);
			assert_int_equal(r.flow->n_burst[0], whole.flow->n_burst[0]);
			assert_int_equal(recognise(t, &claim, &again, &e), STATUS_OK);
			assert_ptr_equal(again.flow, r.flow);
		}
		tracer_close(t);
	}
	assert_true(found >= 2);
	lab_free(&lab);
}

/* Bursts years apart are not looked for; a life of years around bursts that are not is no matter. */
static void a_life_of_years_is_not_read(void **state)
{
	static const struct config cfg = {.clock_skew_us = SECOND_US};
	struct err e = {0};
	struct lab lab;
	struct recognised r;
	struct tracer *t;
	char set[512], dir[160];

	(void)state;
	(void)snprintf(set, sizeof(set), "%s/lab/set", getenv("WEIR_SOURCE"));
	lab_load(&lab, set, "nested");
	const struct lab_point *p = &lab.point[0];
	(void)snprintf(dir, sizeof(dir), "%s/%s-%s", lab.dir, p->run, p->name);
	assert_int_equal(tracer_open(&t, &world_real, dir, &cfg, 1e-6, &e), STATUS_OK);
	for (size_t i = 0; i < p->rec.n_flow; i++) {
		struct flow claim;
		flow_copy(&claim, &p->rec.flow[i]);
		claim.head.first_us = 1000000;
		claim.last_us = INT64_C(7000000000) * SECOND_US;
		claim.head.flags &= (uint8_t)~FLOW_CLOSED;
		assert_int_equal(recognise(t, &claim, &r, &e), STATUS_OK);
		if (claim.n_burst[0] > 100)
			assert_int_equal(r.seen, SEEN_CONFIRMED);
		if (claim.n_burst[0] > 2) {
			claim.burst[0][0].start_us = 2000000;
			assert_int_equal(recognise(t, &claim, &r, &e), STATUS_OK);
			assert_int_equal(r.seen, SEEN_CANNOT_TELL);
			assert_non_null(strstr(r.why, "30 days"));
		}
		flow_drop(&claim);
	}
	tracer_close(t);
	lab_free(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(confirms_with_the_clock_that_is_true),
		cmocka_unit_test(confirms_through_translation_by_numbers),
		cmocka_unit_test(the_other_leg_is_not_the_flow),
		cmocka_unit_test(a_program_that_ran_again_is_not_the_flow),
		cmocka_unit_test(several_flows_of_one_train),
		cmocka_unit_test(says_whether_it_could_have_seen_it),
		cmocka_unit_test(what_cannot_be_compared),
		cmocka_unit_test(too_few_stretches),
		cmocka_unit_test(lies_are_contradicted),
		cmocka_unit_test(gaps_are_no_contradiction),
		cmocka_unit_test(a_clock_that_was_set),
		cmocka_unit_test(strangers_are_not_confirmed),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(counts_as_the_slow_way),
		cmocka_unit_test(the_laboratory),
		cmocka_unit_test(reads_little_for_many_claims),
		cmocka_unit_test(a_life_of_years_is_not_read),
	};
	scene_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
