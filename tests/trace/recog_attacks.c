/* Claims that were made to be confirmed though they are not true: each hides what it forged where a
 * comparison might not look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recog_scene.h"

/* A claim's one long burst, or a chain of small ones, lies over what was forged beneath it. */
static void bridge(struct flow *f, int way, double from_share, bool chain)
{
	struct burst *a = f->burst[way], *b = f->burst[!way];
	size_t k = (size_t)(from_share * (double)f->n_burst[way]), n = f->n_burst[way], j = 0;
	int64_t cut = a[k].start_us, end = f->last_us;
	struct burst all = {.start_us = cut, .dur_us = (uint32_t)(end - cut)};

	for (size_t i = k; i < n; i++) {
		all.bytes += a[i].bytes;
		all.packets += a[i].packets;
	}
	while (b[j].start_us < cut)
		j++;
	int64_t step = (end - cut) / (int64_t)(f->n_burst[!way] - j + 1);
	for (size_t i = j; i < f->n_burst[!way]; i++)
		b[i].start_us = cut + step * (int64_t)(i - j + 1);
	f->n_burst[way] = k + 1;
	if (!chain) {
		a[k] = all;
		return;
	}
	size_t links = (size_t)((end - cut) / 90000);
	f->burst[way] = realloc(a, (k + links + 1) * sizeof(*a));
	assert_non_null(f->burst[way]);
	for (size_t i = 0; i <= links; i++) {
		uint64_t one =
			i < links ? all.bytes / (links + 1) : all.bytes - links * (all.bytes / (links + 1));
		f->burst[way][k + i] = (struct burst){
			.start_us = cut + 90000 * (int64_t)i, .dur_us = 0, .packets = 1, .bytes = one};
	}
	f->n_burst[way] = k + links + 1;
}

static void a_long_burst_hides_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		struct scene s;
		scene_begin(&s, 400);
		bridge(&s.claim, i % 2, 0.2 + 0.3 * (i / 2 % 3), i >= 6);
		if (scene_ask(&s) == SEEN_CONFIRMED)
			fail_msg("%d: %s", i, s.r.why);
		scene_end(&s);
	}
}

/* Keys that the claim draws out over our pauses, with the bytes that they have: back to what was before, or
 * on to what comes. */
static void draw_out(struct flow *f, bool back)
{
	struct burst *b = f->burst[0];

	for (size_t i = 1; i + 1 < f->n_burst[0]; i++) {
		int64_t pause =
			back ? b[i].start_us - burst_end(&b[i - 1]) : b[i + 1].start_us - b[i].start_us;
		if (pause < 600000)
			continue;
		b[i].start_us -= back ? pause - 300000 : 0;
		b[i].dur_us = (uint32_t)(pause - 300000);
	}
}

static void a_burst_drawn_out_is_another(void **state)
{
	(void)state;
	for (int back = 0; back < 2; back++) {
		struct scene s;
		scene_begin(&s, 400);
		draw_out(&s.claim, back);
		assert_int_not_equal(scene_ask(&s), SEEN_CONFIRMED);
		assert_true(s.r.alike.other + s.r.alike.more > 10);
		scene_end(&s);
	}
}

/* Bytes and packets that change in opposite ways are no offload where they are few. */
static void sizes_of_opposite_sense_are_others(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct scene s;
		scene_begin(&s, 272);
		for (int k = 0; k < 80; k++) {
			size_t i = 3 * (size_t)k;
			struct burst *b = &s.claim.burst[k % 2][i], *ours = &s.ours[0].burst[k % 2][i];
			b->packets = ours->packets = 3;
			b->packets = kind == 1 ? 2 : 4;
			b->bytes = kind == 1 ? 1000 * ours->bytes : kind ? ours->bytes - 10 : 1;
		}
		assert_int_not_equal(scene_ask(&s), SEEN_CONFIRMED);
		assert_int_equal(s.r.alike.close, 0);
		scene_end(&s);
	}
}

/* Offload leaves nearly the same bytes of a long stretch, and only of few stretches. */
static void near_bytes_are_few(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct scene s;
		scene_begin(&s, 300);
		for (size_t i = 0; i < 300; i += kind == 3 ? 3 : 10) {
			struct burst *b = &s.claim.burst[1][i], *ours = &s.ours[0].burst[1][i];
			ours->bytes = 28960;
			ours->packets = 20;
			b->packets = 4;
			b->bytes = kind == 0   ? ours->bytes
				   : kind == 1 ? ours->bytes + 300
					       : ours->bytes + 2800;
			if (kind == 3)
				b->bytes = ours->bytes + 300;
		}
		assert_int_equal(scene_ask(&s), kind < 2 ? SEEN_CONFIRMED : SEEN_CANNOT_TELL);
		scene_end(&s);
	}
}

/* Few stretches that differ, and nearly all of the bytes in them. */
static void what_agrees_is_most_of_it(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 400);
	s.claim.burst[1][100].bytes = 10000000;
	s.claim.burst[1][200].bytes = 20000000;
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	assert_true(s.r.alike.agreed[1] < 0.1);
	scene_end(&s);
}

/* Equal sequence numbers are known to whoever stands at an end: they are no evidence. */
static void numbers_are_no_evidence(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct scene s;
		scene_begin(&s, 12);
		(void)scene_ask(&s);
		assert_true(s.r.needed >= 6);
		if (s.r.alike.log10_e < 6)
			assert_int_equal(s.r.seen, SEEN_CANNOT_TELL);
		scene_end(&s);
	}
}

static void cut_tail(struct flow *f, double share)
{
	struct packets p;
	struct flow was = *f;

	packets_of(&p, &was);
	packets_cut(&p, 0, share);
	packets_flow(f, &p, &was, BURST_GAP_RECORDED_US);
	packets_free(&p);
	flow_drop(&was);
}

/* The claim goes on where we were watching and saw nothing of it: no confirmation, whatever it has there; a
 * contradiction only where we saw the flow close. */
static void silence_of_ours_counts(void **state)
{
	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		struct scene s;
		scene_begin(&s, 500);
		cut_tail(&s.ours[0], 0.7);
		int64_t end = s.ours[0].last_us;
		for (int d = 0; d < 2 && kind == 1; d++)
			for (size_t i = s.ours[0].n_burst[d] + 2; i < s.claim.n_burst[d]; i++)
				s.claim.burst[d][i].bytes *= 1000;
		if (kind == 2)
			s.ours[0].head.flags |= FLOW_CLOSED;
		if (kind == 3) /* nobody was watching then */
			s.cover.span.to_us = end;
		if (kind == 4) { /* the rest is one burst of many bytes, soon after */
			s.claim.n_burst[0] = s.ours[0].n_burst[0];
			s.claim.n_burst[1] = s.ours[0].n_burst[1] + 1;
			s.claim.burst[1][s.claim.n_burst[1] - 1] = (struct burst){
				.start_us = end + 90000, .dur_us = 3000, .packets = 9000, .bytes = 9000000};
		}
		assert_int_equal(scene_ask(&s), kind == 2 ? SEEN_CONTRADICTED : SEEN_CANNOT_TELL);
		assert_non_null(strstr(s.r.why, "compared "));
		assert_true(kind == 2 || kind == 4 || s.r.alike.covered < 0.5);
		assert_true(kind == 3 || kind == 2 || s.r.alike.beyond > 0 || s.r.alike.agreed[1] < 0.5);
		scene_end(&s);
	}
}

/* So little of it that nine tenths were compared, and still more than one or two stretches. */
static void a_short_silence_of_ours_counts(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, 500);
	const struct burst *b = &s.claim.burst[0][460]; /* of 500 */
	cut_tail(&s.ours[0],
		(double)(s.claim.last_us - b->start_us) / (double)(s.claim.last_us - s.claim.head.first_us));
	assert_int_equal(scene_ask(&s), SEEN_CANNOT_TELL);
	assert_true(s.r.alike.beyond > 10);
	scene_end(&s);
}

/* Nearly all of the claim is what it takes. */
static void most_of_the_claim_is_compared(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene s;
		scene_begin(&s, 500);
		int64_t length = s.claim.last_us - s.claim.head.first_us;
		s.cover.span.to_us = s.claim.last_us - (i ? length / 6 : length / 20);
		assert_int_equal(scene_ask(&s), i ? SEEN_CANNOT_TELL : SEEN_CONFIRMED);
		assert_non_null(strstr(s.r.why, "compared "));
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_burst_hides_nothing),
		cmocka_unit_test(a_burst_drawn_out_is_another),
		cmocka_unit_test(sizes_of_opposite_sense_are_others),
		cmocka_unit_test(near_bytes_are_few),
		cmocka_unit_test(what_agrees_is_most_of_it),
		cmocka_unit_test(numbers_are_no_evidence),
		cmocka_unit_test(silence_of_ours_counts),
		cmocka_unit_test(a_short_silence_of_ours_counts),
		cmocka_unit_test(most_of_the_claim_is_compared),
	};

	scene_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
