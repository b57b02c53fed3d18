/* One-sided lower confidence limit of a proportion (Clopper & Pearson 1934): the p at which x or more of n
 * successes have probability a. */
#ifndef WEIR_TESTS_ZOO_LIMIT_H
#define WEIR_TESTS_ZOO_LIMIT_H

double limit_lower(long x, long n, double a);

#endif
