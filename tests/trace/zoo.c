/* zoo PAIRS [SEED [WHICH [NEEDED]]]: the validity and the power table of doc/evidence.md.
 *
 * WHICH: a kind (null, shared, reacts, open, relay) or a part of classes' names; what a pair is does not
 * depend on which others are run.
 * For each null class: pairs, the largest log10 e, how many pairs reached 10^k for k = 1..5, FLAW where the
 * one-sided 99 % lower limit of that share (Clopper & Pearson 1934) is above 10^-k, the upper limit at k = 1,
 * and how many were called proven.  For shared causes only the last is the bar.  For relays: the share proven
 * with its lower limit, quantiles of log10 e, and the bar: met where the share reaches it.  Ends with 1 if a
 * row of unrelated pairs is flawed, a pair that is no link is proven or a bar (not a goal) is not met.
 * ZOO_TIMES=1 adds the time a pair takes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/binomial.h"
#include "zoo_gen.h"
#include "zoo_run.h"

#define TAIL 0.01

struct tally {
	long pairs, reach[6], verdict[3], wild;
	double *e;
	double us;  /* a pair, on all processors */
	long first; /* pair that is called proven */
};

static const char *const kind_name[] = {"null", "shared", "reacts", "open", "relay"};

/* What the whole run comes to. */
struct total {
	long pairs, proven; /* proven: that are no links */
	int rows, flaws, missed, goals;
};

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static double seconds_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_class(const struct zoo_class *c, long pairs, uint64_t seed, double needed, struct tally *t)
{
	struct zoo_one *v;
	double begin = seconds_now();
	memset(t, 0, sizeof *t);
	t->pairs = zoo_pairs(c, pairs);
	t->e = calloc((size_t)t->pairs, sizeof *t->e);
	if (t->e == NULL)
		abort();
	zoo_run(c, t->pairs, seed, needed, &v);
	for (long i = 0; i < t->pairs; i++) {
		t->e[i] = v[i].e;
		t->wild += !v[i].finite;
		for (int k = 1; k <= 5; k++)
			t->reach[k] += v[i].e >= k;
		if (v[i].verdict == LINK_PROVEN && t->verdict[LINK_PROVEN] == 0)
			t->first = i;
		t->verdict[v[i].verdict]++;
	}
	zoo_run_free(v, t->pairs);
	qsort(t->e, (size_t)t->pairs, sizeof *t->e, by_value);
	t->us = 1e6 * (seconds_now() - begin) / (double)t->pairs;
}

static void print_relay(const struct zoo_class *c, const struct tally *t, struct total *sum)
{
	long n = t->pairs, proven = t->verdict[LINK_PROVEN];
	double share = (double)proven / (double)n;
	printf(" proven %.3f (>= %.3f) e p10 %6.1f p50 %6.1f p90 %6.1f undecidable %ld", share,
		limit_lower(proven, n, TAIL), t->e[n / 10], t->e[n / 2], t->e[n * 9 / 10],
		t->verdict[LINK_UNDECIDABLE]);
	if (c->bar <= 0)
		return;
	int met = share >= c->bar;
	printf(" %s %.2f %s", c->goal ? "goal" : "bar", c->bar,
		met       ? "met"
		: c->goal ? "not reached"
			  : "NOT MET");
	sum->missed += !met && !c->goal;
	sum->goals += !met && c->goal;
}

static void print_other(const struct zoo_class *c, const struct tally *t, struct total *sum)
{
	int flaw = 0;
	printf(" max %5.1f reach", t->e[t->pairs - 1]);
	for (int k = 1; k <= 5; k++) {
		printf(" %ld", t->reach[k]);
		flaw |= limit_lower(t->reach[k], t->pairs, TAIL) > pow(10, -k);
	}
	if (c->kind == ZOO_NULL)
		printf(" (<= %.5f)", limit_upper(t->reach[1], t->pairs, TAIL));
	flaw &= c->kind == ZOO_NULL;
	printf(" proven %ld undecidable %ld", t->verdict[LINK_PROVEN], t->verdict[LINK_UNDECIDABLE]);
	sum->flaws += flaw;
	if (c->kind == ZOO_REACTS || c->kind == ZOO_OPEN)
		return;
	sum->proven += t->verdict[LINK_PROVEN];
	printf(" %s", flaw || t->verdict[LINK_PROVEN] > 0 ? "FLAW" : "ok");
	if (t->verdict[LINK_PROVEN] > 0)
		printf(", the first is pair %ld", t->first);
}

static void print_row(const struct zoo_class *c, const struct tally *t, struct total *sum)
{
	printf("%-6s %-44s %7ld", kind_name[c->kind], c->name, t->pairs);
	if (c->kind == ZOO_RELAY)
		print_relay(c, t, sum);
	else
		print_other(c, t, sum);
	if (t->wild > 0)
		printf(" NOT FINITE %ld", t->wild);
	if (getenv("ZOO_TIMES") != NULL)
		printf(" %.0f us", t->us);
	printf("\n");
	sum->flaws += t->wild > 0;
	sum->pairs += t->pairs;
	sum->rows++;
	fflush(stdout);
}

static int print_total(const struct total *sum, double seconds)
{
	printf("%ld pairs in %d classes, %.0f s: %d flaws, %ld proven that are no links, %d bars not met, "
	       "%d goals not reached\n",
		sum->pairs, sum->rows, seconds, sum->flaws, sum->proven, sum->missed, sum->goals);
	return sum->rows == 0 || sum->flaws > 0 || sum->proven > 0 || sum->missed > 0;
}

static int wanted(const struct zoo_class *c, const char *which)
{
	for (int k = ZOO_NULL; k <= ZOO_RELAY; k++)
		if (strcmp(which, kind_name[k]) == 0)
			return strcmp(kind_name[c->kind], which) == 0;
	return strstr(c->name, which) != NULL;
}

int main(int argc, char **argv)
{
	long pairs = argc > 1 ? atol(argv[1]) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const char *which = argc > 3 ? argv[3] : "";
	double needed = argc > 4 ? atof(argv[4]) : 8.5;
	const char *data = getenv("WEIR_SHARED_DATA");
	struct total sum = {0};
	double begin = seconds_now();
	if (pairs < 1)
		return 2;
	size_t gaps = zoo_load_gaps(data != NULL ? data : "../shared/data");
	printf("seed %llu, %ld pairs a class, needed %.2f, %zu real gaps%s\n", (unsigned long long)seed,
		pairs, needed, gaps, gaps == 0 ? " (fitted ones instead)" : "");
	for (size_t i = 0; i < zoo_n_classes; i++) {
		struct tally t;
		if (!wanted(&zoo_classes[i], which))
			continue;
		run_class(&zoo_classes[i], pairs, seed + 7919 * i, needed, &t);
		print_row(&zoo_classes[i], &t, &sum);
		free(t.e);
	}
	zoo_unload();
	return print_total(&sum, seconds_now() - begin);
}
