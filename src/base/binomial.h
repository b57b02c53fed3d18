/* Tails of the binomial distribution, and one-sided confidence limits of a share (Clopper & Pearson 1934,
 * Biometrika 26:404): x of n were seen. */
#ifndef WEIR_BASE_BINOMIAL_H
#define WEIR_BASE_BINOMIAL_H

#include <stdint.h>

/* P(X >= x), X of n trials of probability p in [0, 1].  x is significantly more than p allows, at a, exactly
 * where this is below a: limit_lower(x, n, a) > p. */
double binomial_tail(int64_t x, int64_t n, double p);

/* The share p at which x or more of n have probability a; 0 where x is 0.  The true share is below it with
 * probability at most a.  0 <= x <= n, 0 < a < 1; without trials (n = 0) 0. */
double limit_lower(int64_t x, int64_t n, double a);

/* The share p at which x or fewer of n have probability a; 1 where x is n or there were no trials. */
double limit_upper(int64_t x, int64_t n, double a);

#endif
