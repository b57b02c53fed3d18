/* zoo PAIRS [SEED [CLASS-SUBSTRING [NEEDED]]]: the validity and the power table of doc/evidence.md.
 *
 * For each null class: pairs, the largest log10 e, how many pairs reached 10^k for k = 1..5, FLAW where the
 * one-sided 99 % lower limit of that share (Clopper & Pearson 1934) is above 10^-k, and how many were called
 * proven.  For shared causes only the last is the bar.  For relays: shares proven and sufficient, quantiles
 * of log10 e.  Ends with 1 if any row fails. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "zoo_gen.h"
#include "base/binomial.h"

struct tally {
	long pairs, reach[6], verdict[3];
	double max, *e;
	long last_bursts;
};

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static void run_class(const struct zoo_class *c, long pairs, uint64_t seed, double needed, struct tally *t)
{
	struct zoo_pair p;
	struct rng r;
	memset(&p, 0, sizeof p);
	memset(t, 0, sizeof *t);
	t->max = -1e9;
	t->e = calloc((size_t)pairs, sizeof *t->e);
	if (t->e == NULL)
		abort();
	for (long i = 0; i < pairs; i++) {
		struct link_result res;
		rng_seed(&r, seed * UINT64_C(1000003) + (uint64_t)i);
		zoo_make(c, &r, &p);
		zoo_test(&p, needed, &res);
		t->e[t->pairs++] = res.max_log10_e;
		for (int k = 1; k <= 5; k++)
			t->reach[k] += res.max_log10_e >= k;
		if (res.max_log10_e > t->max)
			t->max = res.max_log10_e;
		t->verdict[res.verdict]++;
	}
	qsort(t->e, (size_t)t->pairs, sizeof *t->e, by_value);
	zoo_free(&p);
}

/* 1 if the row is as it must be. */
static int print_row(const struct zoo_class *c, const struct tally *t)
{
	int flaw = 0;
	printf("%-38s %8ld", c->name, t->pairs);
	if (c->kind == ZOO_RELAY) {
		long q = t->pairs;
		printf(" proven %.3f (>= %.3f) e p10 %6.1f p50 %6.1f p90 %6.1f undecidable %ld\n",
			(double)t->verdict[LINK_PROVEN] / (double)q,
			limit_lower(t->verdict[LINK_PROVEN], q, 0.01), t->e[q / 10], t->e[q / 2],
			t->e[q * 9 / 10], t->verdict[LINK_UNDECIDABLE]);
		return 1;
	}
	printf(" max %5.1f reach", t->max);
	for (int k = 1; k <= 5; k++) {
		printf(" %ld", t->reach[k]);
		flaw |= limit_lower(t->reach[k], t->pairs, 0.01) > pow(10, -k);
	}
	int bad = t->verdict[LINK_PROVEN] > 0 || (flaw && c->kind == ZOO_NULL);
	printf(" proven %ld undecidable %ld %s\n", t->verdict[LINK_PROVEN], t->verdict[LINK_UNDECIDABLE],
		bad ? "FLAW" : "ok");
	return !bad;
}

int main(int argc, char **argv)
{
	long pairs = argc > 1 ? atol(argv[1]) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const char *only = argc > 3 ? argv[3] : "";
	double needed = argc > 4 ? atof(argv[4]) : 8.5;
	const char *data = getenv("WEIR_SHARED_DATA");
	int good = 1;
	if (pairs < 1)
		return 2;
	size_t gaps = zoo_load_gaps(data != NULL ? data : "../shared/data");
	printf("seed %llu, %ld pairs a class, needed %.2f, %zu real gaps%s\n", (unsigned long long)seed,
		pairs, needed, gaps, gaps == 0 ? " (fitted ones instead)" : "");
	for (size_t i = 0; i < zoo_n_classes; i++) {
		struct tally t;
		if (strstr(zoo_classes[i].name, only) == NULL)
			continue;
		run_class(&zoo_classes[i], pairs, seed + 7919 * i, needed, &t);
		good &= print_row(&zoo_classes[i], &t);
		fflush(stdout);
		free(t.e);
	}
	zoo_unload();
	return good ? 0 : 1;
}
