/* Natural logarithm and exponential with the same bits everywhere: integer bit work, +, -, *, / only. */
#ifndef WEIR_TRACE_LINK_LOG_H
#define WEIR_TRACE_LINK_LOG_H

/* ln x, relative error below 1e-14; x <= 0 or NaN gives -745 (the smallest logarithm of a double), infinity
 * 710. */
double link_log(double x);

/* e^x, relative error below 1e-13; saturates at the smallest and largest normal double; NaN gives 0. */
double link_exp(double x);

static inline double link_log10(double x)
{
	return link_log(x) * 0.43429448190325182765;
}

#endif
