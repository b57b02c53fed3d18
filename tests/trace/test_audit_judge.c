/* What the counts of an audit say: verdict, decay, the alpha that is left, which of two audits stands, and
 * what was proven before.  Each rule is tried on both sides of its edge. */
#include "audit_kit.h"

#include <math.h>

#include "base/binomial.h"
#include "trace/audit.h"
#include "trace/tracer.h"

static void few_pairs_are_too_few(void **state)
{
	struct audit a = {.alpha = 1e-6};

	(void)state;
	a.part[AUDIT_FREE] = (struct audit_part){.pairs = 500, .able = AUDIT_ABLE_MIN - 1};
	audit_judge(&a);
	assert_int_equal(a.verdict, AUDIT_TOO_LITTLE);
	assert_true(a.part[AUDIT_ALL].row[2].upper > 0.01);
	a.part[AUDIT_FREE].able++;
	audit_judge(&a);
	assert_int_equal(a.verdict, AUDIT_HOLDS);
	assert_true(a.part[AUDIT_ALL].row[2].upper <= 0.01);
	/* but what is wrong is wrong in few, too */
	a.part[AUDIT_FREE] = (struct audit_part){.pairs = 20, .able = 20, .reached = {0, 9}};
	audit_judge(&a);
	assert_int_equal(a.verdict, AUDIT_FLAWED);
}

/* ---- the formula ---- */

static void alpha_most_by_the_formula(void **state)
{
	struct audit a = mild(), hard = mild(), one = {.alpha = 1e-6, .max_log10_e = 40};

	(void)state;
	assert_true(a.decay > 0.7 && a.decay < 0.8);
	/* a search of M pairs at alpha_most asks for x, and errs M 10^(-b x): that is alpha */
	double m = 3, x = -log10(a.alpha_most) + m;
	assert_true(fabs(m - a.decay * x + 6) < 1e-9);
	/* no share is above the line of the decay */
	for (int p = 0; p < AUDIT_PARTS; p++)
		for (int k = 1; k <= AUDIT_TENS; k++)
			assert_true(a.part[p].row[k].upper <= pow(10, -a.decay * k) * (1 + 1e-9));
	hard.searchable = 1000000;
	audit_judge(&hard);
	assert_true(hard.decay == a.decay && hard.alpha_most < a.alpha_most);
	/* one pair in 1000 that reaches 10^40 */
	one.part[AUDIT_FREE] = (struct audit_part){.pairs = 1000, .able = 1000};
	for (int k = 1; k <= AUDIT_LEVELS; k++)
		one.part[AUDIT_FREE].reached[k] = 1;
	audit_judge(&one);
	assert_int_equal(one.verdict, AUDIT_FLAWED);
	assert_true(one.alpha_most == 0 && one.decay < 0.1);
}

/* One part of so many pairs, of which reached[k] reached 10^(k + 1); the largest of them. */
static struct audit counted_so(uint64_t able, const uint64_t *reached, int levels, double largest)
{
	struct audit a = {.alpha = 1e-6, .searchable = 1000, .max_log10_e = largest};

	a.part[AUDIT_FREE] = (struct audit_part){.pairs = able, .able = able};
	for (int k = 1; k <= levels; k++)
		a.part[AUDIT_FREE].reached[k] = reached[k - 1];
	audit_judge(&a);
	return a;
}

/* The largest of N may reach 10^(log10 N + 2): P(any >= x) <= N/x.  One pair is no share. */
static void the_largest_of_many_may_be_large(void **state)
{
	static const uint64_t one[] = {1, 1, 1, 1, 1, 1, 1, 1}, two[] = {2, 2, 2, 2, 2, 2, 2, 2};
	struct audit a = counted_so(1000, one, 5, 5);

	(void)state;
	assert_true(fabs(a.largest_fair - 5) < 1e-12 && !a.largest_flawed);
	assert_int_equal(a.verdict, AUDIT_HOLDS);
	a = counted_so(1000, one, 5, 5.001);
	assert_true(a.largest_flawed && a.verdict == AUDIT_FLAWED);
	/* b is of one pair in 1000 at that largest */
	assert_true(fabs(a.decay + log10(limit_upper(1, 1000, 0.01)) / 5.001) < 1e-12);
	assert_true(a.alpha_most > 0 && a.alpha_most < 1e-6);
	a = counted_so(1000000, one, 7, 7.9); /* of a million one more in a thousand */
	assert_int_equal(a.verdict, AUDIT_HOLDS);
	a = counted_so(1000000, one, 8, 8.1);
	assert_int_equal(a.verdict, AUDIT_FLAWED);
	/* the largest is of all pairs, not of those of its kind */
	a.part[AUDIT_MINUTES] = (struct audit_part){.pairs = 1000000, .able = 1000000};
	audit_judge(&a);
	assert_int_equal(a.verdict, AUDIT_HOLDS);
	/* two are a share: 2 of 1000 at 10^4 are too many (P = 0.0047), 2 of 10000 are not */
	assert_int_equal(counted_so(1000, two, 4, 4.5).verdict, AUDIT_FLAWED);
	assert_false(counted_so(1000, two, 4, 4.5).largest_flawed);
	assert_int_equal(counted_so(10000, two, 4, 4.5).verdict, AUDIT_HOLDS);
	assert_true(counted_so(1000, two, 4, 4.5).part[AUDIT_FREE].row[4].flawed);
	/* and a flawed share counts for the decay however few they are */
	assert_true(
		fabs(counted_so(1000, two, 4, 4.5).decay + log10(limit_upper(2, 1000, 0.01)) / 4) < 1e-12);
	assert_true(fabs(counted_so(1000, two, 4, 4.5).part[AUDIT_ALL].row[4].lower -
			    limit_lower(2, 1000, 0.01)) < 1e-15);
	assert_false(counted_so(1000, one, 4, 4.5).part[AUDIT_FREE].row[4].flawed);
	/* beyond the table, too */
	a = counted_so(1000000, two, 7, 7.5);
	assert_true(a.verdict == AUDIT_FLAWED && !a.largest_flawed);
	assert_true(
		audit_level_flawed(&a.part[AUDIT_FREE], 7) && !audit_level_flawed(&a.part[AUDIT_FREE], 6));
}

/* A level counts for the decay where it is flawed or rests on ten pairs, and nowhere else. */
static void the_decay_is_of_what_was_measured(void **state)
{
	static const uint64_t nine[] = {400, 9}, ten[] = {400, 10};
	struct audit a = counted_so(1000, nine, 2, 2.5), b = counted_so(1000, ten, 2, 2.5);

	(void)state;
	assert_int_equal(a.verdict, AUDIT_FLAWED); /* by 400 at 10 */
	assert_true(fabs(a.decay + log10(limit_upper(400, 1000, 0.01))) < 1e-12);
	assert_true(fabs(b.decay + log10(limit_upper(400, 1000, 0.01))) < 1e-12);
	static const uint64_t flat9[] = {9, 9, 9}, flat10[] = {200, 10, 10};
	a = counted_so(10000, flat9, 3, 3.5); /* 9 of 10000 at 10^3: 10 may */
	assert_int_equal(a.verdict, AUDIT_HOLDS);
	assert_true(a.decay == 1 && a.alpha_most == 1 && a.lift == 0);
	b = counted_so(
		1000, flat10, 3, 3.5); /* 200 at 10, 10 at 10^3: flawed; 10 at 10^2: not, but counted */
	assert_true(fabs(b.decay + log10(limit_upper(10, 1000, 0.01)) / 3) < 1e-12);
	assert_int_equal(b.worst_k, 3);
	assert_int_equal(counted_so(1000, nine, 2, 2.5).worst_k, 1);
	/* below AUDIT_DECAY_MIN no alpha mends it; the table has where */
	static const uint64_t steep[] = {900, 800, 700, 700, 700, 700};
	b = counted_so(1000, steep, 6, 6.5);
	assert_true(b.decay > 0 && b.decay < AUDIT_DECAY_MIN && b.alpha_most == 0);
	/* nine say nothing of the decay, ten do */
	static const uint64_t few[] = {1075, 60, 9}, enough[] = {1075, 60, 10};
	a = counted_so(10000, few, 3, 3.5);
	b = counted_so(10000, enough, 3, 3.5);
	assert_true(
		!audit_level_flawed(&a.part[AUDIT_FREE], 3) && !audit_level_flawed(&b.part[AUDIT_FREE], 3));
	assert_true(fabs(a.decay + log10(limit_upper(1075, 10000, 0.01))) < 1e-12);
	assert_true(fabs(b.decay + log10(limit_upper(10, 10000, 0.01)) / 3) < 1e-12);
	/* nor where it could not be written */
	a = mild();
	a.alpha = 1e-290;
	audit_judge(&a);
	assert_true(a.decay > AUDIT_DECAY_MIN && a.alpha_most == 0);
	a.alpha = 1e-60;
	audit_judge(&a);
	assert_true(a.alpha_most > 0 && a.alpha_most < 1e-60);
	/* and never more than was meant */
	a = counted_so(1000, nine, 2, 2.5);
	assert_true(a.alpha_most < 1e-6);
}

/* What may take the place of what, by the rule of audit.h, row by row. */
static void which_audit_stands(void **state)
{
	static const uint64_t bad[] = {400}, worse[] = {950};
	struct audit big = counted_so(1000, bad, 1, 1.5), small = counted_so(500, worse, 1, 1.5);
	struct audit well = counted_so(800, NULL, 0, 0.5), large = counted_so(1000, NULL, 0, 0.5);
	struct audit little = counted_so(100, NULL, 0, 0.5);

	(void)state;
	assert_true(big.verdict == AUDIT_FLAWED && small.verdict == AUDIT_FLAWED &&
		    small.alpha_most < big.alpha_most);
	assert_int_equal(big.lift, 1000);
	assert_int_equal(little.verdict, AUDIT_TOO_LITTLE);
	assert_false(audit_replaces(&little, NULL));
	assert_true(audit_replaces(&well, NULL));
	assert_true(audit_replaces(&well, &large)); /* nothing is lifted: the newest */
	well.stopped = large.stopped = true;
	assert_false(audit_replaces(&well, NULL)); /* a stopped one is no finding, unless it fails */
	assert_false(audit_replaces(&large, &big));
	well.stopped = large.stopped = false;
	assert_false(audit_replaces(&well, &big)); /* smaller */
	assert_true(audit_replaces(&large, &big)); /* as large */
	/* a smaller one that fails worse stands at once, stopped or not, and asks for as many as both */
	small.stopped = true;
	assert_true(audit_replaces(&small, &well));
	assert_int_equal(small.lift, 500);
	assert_true(audit_replaces(&small, &big));
	assert_int_equal(small.lift, 1000);
	struct audit again =
		counted_so(500, worse, 1, 1.5); /* that allows as little, though smaller: the newest */
	assert_true(again.alpha_most == small.alpha_most && audit_replaces(&again, &small));
	assert_int_equal(again.lift, 1000);
	assert_false(audit_replaces(&well, &small));
	assert_true(audit_replaces(&large, &small));
	/* one that fails, but allows more, lifts as little as one that holds */

	struct audit milder = mild();
	assert_true(milder.alpha_most > big.alpha_most);
	milder.lift = 10;
	milder.part[AUDIT_ALL].able = 999;
	assert_false(audit_replaces(&milder, &big));
	milder.part[AUDIT_ALL].able = 1000;
	milder.stopped = true;
	assert_false(audit_replaces(&milder, &big));
	milder.stopped = false;
	assert_true(audit_replaces(&milder, &big));
	assert_int_equal(milder.lift, 1000);
}

static void alphas_are_rounded_down(void **state)
{
	static const double v[] = {1e-6, 1.2345e-9, 9.99e-300, 0.5, 2.5e-7, 1.0000001e-12};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char text[32];
		double to = alpha_floor(v[i]);
		assert_true(to <= v[i] && to > v[i] * 0.89);
		(void)snprintf(text, sizeof(text), "%.2g", to);
		assert_true(fabs(strtod(text, NULL) / to - 1) < 1e-9); /* as it is shown */
	}
}

/* A claim that was proven at an alpha, by what the audit allows and by the alpha in use. */
static void what_was_proven_before(void **state)
{
	static const struct {
		double used, allowed, made, log10_e;
		uint64_t searched;
		bool withheld;
	} row[] = {
		{1e-6, 1, 1e-6, 9, 100, false}, /* no audit, or one that holds */
		{1e-6, 1e-9, 1e-6, 9, 100, true},
		{1e-6, 1e-9, 1e-6, 40, 100, true},  /* as trace does: the alpha in use is not allowed */
		{1e-9, 1e-9, 1e-6, 40, 100, false}, /* corrected, and it suffices */
		{1e-9, 1e-9, 1e-6, 11.01, 100, false},
		{1e-9, 1e-9, 1e-6, 10.99, 100, true}, /* corrected, and it does not */
		{1e-9, 1e-9, 1e-6, 10.99, 10, false},
		{1e-9, 1e-9, 1e-6, 9.01, 0, false},
		{1e-6, 1e-9, 1e-9, 11.01, 100, false}, /* made at an alpha that is allowed */
		{1e-6, 1e-9, 1.1e-9, 11.01, 100, true},
		{1e-6, 0, 1e-300, 900, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct tracer t = {.alpha = row[i].used, .alpha_most = row[i].allowed, .audited = {T0}};
		struct link_told l = {row[i].made, row[i].log10_e, row[i].searched};
		char text[400];
		if (tracer_withholds(&t, &l) != row[i].withheld)
			fail_msg("row %zu", i);
		(void)tracer_withheld_say(text, sizeof(text), &t, &l);
		assert_int_equal(strstr(text, "at any alpha") != NULL, row[i].allowed == 0);
	}
	struct tracer t = {.alpha = 1e-6, .alpha_most = 1e-9, .audited = {T0}};
	char text[400];
	assert_non_null(strstr(tracer_withheld_say(text, sizeof(text), &t, &(struct link_told){1e-6, 40, 1}),
		"would suffice"));
	assert_non_null(strstr(
		tracer_withheld_say(text, sizeof(text), &t, &(struct link_told){1e-6, 8, 1}), "too small"));
	t.audited.us = 0;
	assert_non_null(strstr(tracer_withheld_say(text, sizeof(text), &t, &(struct link_told){1e-6, 8, 1}),
		"cannot be read"));
}

static void lifted_only_by_as_many(void **state)
{
	struct audit bad = mild(), well = {.alpha = 1e-6};

	(void)state;
	well.part[AUDIT_FREE] = (struct audit_part){.pairs = 1999999, .able = 1999999};
	audit_judge(&well);
	assert_int_equal(well.verdict, AUDIT_HOLDS);
	assert_false(audit_replaces(&well, &bad));
	assert_true(audit_replaces(&bad, &well));
	well.part[AUDIT_FREE].able = well.part[AUDIT_FREE].pairs = 2000000;
	audit_judge(&well);
	assert_true(audit_replaces(&well, &bad));
	well.part[AUDIT_FREE].able = 10;
	audit_judge(&well);
	assert_false(audit_replaces(&well, &bad));
}

/* No more reach a level than the one below, and none that was not able: such a text is damage. */
static void counts_that_cannot_be(void **state)
{
	static const uint64_t up[] = {1, 5}, most[] = {1001}, good[] = {5, 5, 1};
	const struct audit row[] = {
		counted_so(1000, good, 3, 3.5), counted_so(1000, up, 2, 2.5), counted_so(1000, most, 1, 1.5)};
	struct audit b;
	struct err e = {0};
	bool newer;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct buf text = {0};
		audit_text_write(&text, &row[i]);
		assert_int_equal(audit_text_read(&b, text.p, text.n, &newer, &e), i ? STATUS_BAD : STATUS_OK);
		buf_free(&text);
	}
}

/* What it takes to lift it is kept where it is more than its own pairs, and only there. */
static void lift_there_and_back(void **state)
{
	static const uint64_t more[] = {0, 2000000, 2000001, 2000000000, 2000000001};
	static const uint64_t read_as[] = {2000000, 2000000, 2000001, 2000000000, 0};
	struct audit a = mild(), b;
	struct err e = {0};
	bool newer;

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		struct buf text = {0};
		a.lift = more[i];
		audit_text_write(&text, &a);
		enum status s = audit_text_read(&b, text.p, text.n, &newer, &e);
		assert_int_equal(s, read_as[i] ? STATUS_OK : STATUS_BAD);
		if (s == STATUS_OK)
			assert_int_equal(b.lift, read_as[i]);
		assert_int_equal(memmem(text.p, text.n, "\nlift ", 6) != NULL, more[i] > 2000000);
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_pairs_are_too_few),
		cmocka_unit_test(alpha_most_by_the_formula),
		cmocka_unit_test(the_largest_of_many_may_be_large),
		cmocka_unit_test(the_decay_is_of_what_was_measured),
		cmocka_unit_test(which_audit_stands),
		cmocka_unit_test(alphas_are_rounded_down),
		cmocka_unit_test(what_was_proven_before),
		cmocka_unit_test(lifted_only_by_as_many),
		cmocka_unit_test(counts_that_cannot_be),
		cmocka_unit_test(lift_there_and_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("audit_judge", tests, NULL, NULL);
}
