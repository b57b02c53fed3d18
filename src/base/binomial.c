/* Exact limits of a share.
 *
 * The tail of a binomial is an incomplete beta function, P(X >= x | n, p) = I_p(x, n - x + 1) (Abramowitz &
 * Stegun 26.5.24), which Lentz's method sums as a continued fraction (A&S 26.5.8) in about sqrt(n) steps;
 * bisection, first of the exponent and then of the number, turns it round.  x = 0 has a closed form. */
#include "base/binomial.h"

#include <math.h>

#define STEPS_MAX  100000
#define CONVERGED  1e-15
#define TINY       1e-300
#define BISECTIONS 200

/* The continued fraction of I_p(a, b); converges fast for p < (a + 1) / (a + b + 2). */
static double fraction(double a, double b, double p)
{
	double c = 1, d = 1 - (a + b) * p / (a + 1);

	d = 1 / (fabs(d) < TINY ? TINY : d);
	double h = d;
	for (int i = 1; i < STEPS_MAX; i++) {
		double m = i;
		double step[2] = {m * (b - m) * p / ((a + 2 * m - 1) * (a + 2 * m)),
			-(a + m) * (a + b + m) * p / ((a + 2 * m) * (a + 2 * m + 1))};
		double change = 1;
		for (int k = 0; k < 2; k++) {
			d = 1 + step[k] * d;
			c = 1 + step[k] / c;
			d = 1 / (fabs(d) < TINY ? TINY : d);
			c = fabs(c) < TINY ? TINY : c;
			change = c * d;
			h *= change;
		}
		if (fabs(change - 1) < CONVERGED)
			break;
	}
	return h;
}

/* I_p(a, b), for a, b > 0 and 0 < p < 1. */
static double beta_part(double a, double b, double p)
{
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(p) + b * log1p(-p));

	if (p < (a + 1) / (a + b + 2))
		return front * fraction(a, b, p) / a;
	return 1 - front * fraction(b, a, 1 - p) / b;
}

/* The p at which I_p(a, b), which grows with p, is `is`. */
static double beta_turned(double a, double b, double is)
{
	double lo = 0, hi = 1;

	for (int i = 0; i < BISECTIONS; i++) {
		double mid = lo > 0 && hi > 4 * lo ? sqrt(lo * hi) : 0.5 * (lo + hi);
		if (mid <= lo || mid >= hi)
			break;
		if (beta_part(a, b, mid) < is)
			lo = mid;
		else
			hi = mid;
	}
	return 0.5 * (lo + hi);
}

double binomial_tail(int64_t x, int64_t n, double p)
{
	if (x <= 0)
		return 1;
	if (x > n || p <= 0)
		return 0;
	return p >= 1 ? 1 : beta_part((double)x, (double)(n - x) + 1, p);
}

double limit_lower(int64_t x, int64_t n, double a)
{
	if (x <= 0 || n <= 0)
		return 0;
	if (x >= n)
		return pow(a, 1 / (double)n);
	return beta_turned((double)x, (double)(n - x) + 1, a);
}

double limit_upper(int64_t x, int64_t n, double a)
{
	if (x >= n || n <= 0)
		return 1;
	if (x <= 0)
		return -expm1(log(a) / (double)n);
	return beta_turned((double)x + 1, (double)(n - x), 1 - a);
}
