/* The logarithm and the exponential that the link test uses.
 *
 * In goes a double, out comes a double; no table, no libm, no fused operation (the build says
 * -ffp-contract=off), so gcc, clang and wasm32 give the same bits.  The splitting x = 2^k * m with m in
 * [sqrt(1/2), sqrt(2)) and the series ln m = 2 atanh(s), s = (m-1)/(m+1), are Abramowitz & Stegun 4.1.27; |s|
 * <= 0.1716, so the term s^21/21 is below 1e-17. e^x is Taylor's series (A&S 4.2.1) after taking k ln 2 off,
 * ln 2 in two parts (Cody & Waite 1980). */
#include "trace/link_log.h"

#include <stdint.h>

#define LN2_HI   6.93147180369123816490e-01 /* the upper 33 bits of ln 2: k * LN2_HI is exact */
#define LN2_LO   1.90821492927058770002e-10
#define SQRT2    1.41421356237309504880
#define MANTISSA ((UINT64_C(1) << 52) - 1)
#define ONE_BITS (UINT64_C(1023) << 52)

union bits {
	double f;
	uint64_t u;
};

double link_log(double x)
{
	union bits b = {.f = x};
	if (!(x > 0))
		return -745.0;
	int k = 0;
	if (x < 2.2250738585072014e-308) { /* subnormal: scale into the normals first */
		b.f = x * 18014398509481984.0;
		k = -54;
	}
	int e = (int)(b.u >> 52);
	if (e == 2047)
		return 710.0;
	k += e - 1023;
	b.u = (b.u & MANTISSA) | ONE_BITS;
	double m = b.f;
	if (m > SQRT2) {
		m = m * 0.5;
		k++;
	}
	double s = (m - 1.0) / (m + 1.0);
	double z = s * s;
	double sum = 0;
	for (int i = 21; i >= 3; i -= 2)
		sum = (sum + 1.0 / (double)i) * z;
	return (double)k * LN2_HI + ((double)k * LN2_LO + 2.0 * s * (sum + 1.0));
}

double link_exp(double x)
{
	if (x != x)
		return 0;
	if (x > 709.0)
		x = 709.0;
	if (x < -708.0)
		x = -708.0;
	double scaled = x * 1.44269504088896340736;
	int k = (int)(scaled + (scaled < 0 ? -0.5 : 0.5));
	double r = (x - (double)k * LN2_HI) - (double)k * LN2_LO;
	double sum = 1.0;
	for (int i = 14; i >= 1; i--)
		sum = 1.0 + sum * r / (double)i;
	union bits b = {.u = (uint64_t)(k + 1023) << 52};
	return sum * b.f;
}
