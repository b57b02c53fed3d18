/* Limits of a share: closed forms, published values, and a slow sum of the tail, term by term. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "base/binomial.h"

/* P(X >= x) for X binomial (n, p) */
static double tail(int64_t x, int64_t n, double p)
{
	double sum = 0;

	for (int64_t k = x; k <= n; k++)
		sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
			   (double)k * log(p) + (double)(n - k) * log1p(-p));
	return sum;
}

static void near(double have, double want, double part)
{
	if (!(fabs(have - want) <= part * fabs(want)))
		fail_msg("%.15g, not %.15g", have, want);
}

static void nothing_seen(void **state)
{
	static const int64_t n[] = {1, 2, 10, 459, 1000, 1000000, 1000000000};

	(void)state;
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		double want = -expm1(log(0.01) / (double)n[i]); /* 1 - a^(1/n) */
		near(limit_upper(0, n[i], 0.01), want, 1e-12);
		near(limit_lower(n[i], n[i], 0.01), pow(0.01, 1 / (double)n[i]), 1e-12);
		assert_true(limit_lower(0, n[i], 0.01) == 0);
		assert_true(limit_upper(n[i], n[i], 0.01) == 1);
	}
	near(limit_upper(0, 1, 0.05), 0.95, 1e-12);
	assert_true(limit_lower(0, 0, 0.01) == 0 && limit_upper(0, 0, 0.01) == 1);
}

/* Clopper and Pearson's two-sided 95 % limits, that is one-sided 97.5 %; and one-sided 99 %. */
static void published(void **state)
{
	(void)state;
	near(limit_lower(10, 100, 0.025), 0.0490046892, 1e-8);
	near(limit_upper(10, 100, 0.025), 0.1762225977, 1e-8);
	near(limit_lower(4, 10, 0.025), 0.1215523, 1e-6);
	near(limit_upper(4, 10, 0.025), 0.7376219, 1e-6);
	near(limit_lower(10, 100, 0.01), 0.0423520924, 1e-8);
	near(limit_lower(1, 1000, 0.01), -expm1(log(0.99) / 1000), 1e-10); /* one or more: 1 - (1-p)^n */
}

/* At a limit the tail is a. */
static void by_the_slow_sum(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t n = 1 + (int64_t)kit_rnd(i % 2 ? 40 : 3000);
		int64_t x = (int64_t)kit_rnd((uint64_t)n + 1);
		double a = i % 3 ? 0.01 : 0.05;
		double lo = limit_lower(x, n, a), hi = limit_upper(x, n, a), share = (double)x / (double)n;
		assert_true(lo <= share && share <= hi && lo >= 0 && hi <= 1);
		double p = (double)(1 + kit_rnd(999)) / 1000;
		assert_true(fabs(binomial_tail(x, n, p) - tail(x, n, p)) < 1e-9);
		if (fabs(lo - p) > 1e-9)
			assert_int_equal(lo > p, binomial_tail(x, n, p) < a);
		if (x > 0)
			near(tail(x, n, lo), a, 1e-7);
		if (x < n)
			near(1 - tail(x + 1, n, hi), a, 1e-6);
	}
}

/* Two limits are one beta quantile read from either side: upper(x) of n is 1 - lower(n - x). */
static void mirrored_and_monotone_at_a_million(void **state)
{
	static const int64_t x[] = {1, 2, 10, 1000, 500000, 999000, 999999};
	const int64_t n = 1000000;
	double before = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		double lo = limit_lower(x[i], n, 0.01), hi = limit_upper(x[i], n, 0.01);
		near(1 - hi, limit_lower(n - x[i], n, 0.01), 1e-6);
		assert_true(lo > before && lo < (double)x[i] / 1e6 && hi > (double)x[i] / 1e6);
		before = lo;
	}
	/* Poisson's limits are near for few: 10 seen, 4.1302 .. 20.1447 */
	near(limit_lower(10, n, 0.01) * 1e6, 4.1302, 1e-3);
	near(limit_upper(10, n, 0.01) * 1e6, 20.1447, 1e-3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_seen),
		cmocka_unit_test(published),
		cmocka_unit_test(by_the_slow_sum),
		cmocka_unit_test(mirrored_and_monotone_at_a_million),
	};

	kit_seed("binomial");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("binomial", tests, NULL, NULL);
}
