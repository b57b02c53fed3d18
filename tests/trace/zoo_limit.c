/* Exact binomial limits by bisection on the tail, which is summed in logarithms (lgamma). */
#include "zoo_limit.h"

#include <math.h>

/* P(X >= x) for X binomial (n, p) */
static double tail(long x, long n, double p)
{
	double sum = 0;
	for (long k = x; k <= n; k++) {
		double l = lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
			   (double)k * log(p) + (double)(n - k) * log1p(-p);
		double term = exp(l);
		sum += term;
		if ((double)k > (double)n * p && term < 1e-18)
			break;
	}
	return sum;
}

double limit_lower(long x, long n, double a)
{
	double lo = 0, hi = 1;
	if (x <= 0)
		return 0;
	for (int i = 0; i < 60; i++) {
		double mid = 0.5 * (lo + hi);
		if (tail(x, n, mid) < a)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}
