/* Workers take the next few pairs from a counter in shared memory and write the results beside it, each pair
 * from a seed of its own. */
#include "zoo_run.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define HAND        8

/* The results come first, so that their address frees all. */
static size_t table_size(long pairs)
{
	return (size_t)pairs * sizeof(struct zoo_one) + sizeof(atomic_long);
}

static atomic_long *counter_of(struct zoo_one *v, long pairs)
{
	void *end = v + pairs;
	return end;
}

long zoo_pairs(const struct zoo_class *c, long pairs)
{
	if (c->rare <= 1)
		return pairs;
	return pairs > c->rare ? pairs / c->rare : 1;
}

struct zoo_one zoo_one_pair(const struct zoo_class *c, uint64_t seed, double needed, struct zoo_pair *p)
{
	struct link_result res;
	struct rng r;
	rng_seed(&r, seed);
	zoo_make(c, &r, p);
	zoo_test(p, needed, &res);
	return (struct zoo_one){.e = res.max_log10_e,
		.verdict = res.verdict,
		.finite = isfinite(res.max_log10_e) && isfinite(res.log10_e)};
}

static void work(const struct zoo_class *c, long pairs, uint64_t seed, double needed, struct zoo_one *v)
{
	struct zoo_pair *p = calloc(1, sizeof *p);
	if (p == NULL)
		abort();
	for (long from; (from = atomic_fetch_add(counter_of(v, pairs), HAND)) < pairs;)
		for (long i = from; i < from + HAND && i < pairs; i++)
			v[i] = zoo_one_pair(c, seed * UINT64_C(1000003) + (uint64_t)i, needed, p);
	zoo_free(p);
	free(p);
}

static int worker_count(void)
{
	const char *said = getenv("ZOO_WORKERS");
	long n = said != NULL ? atol(said) : sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		return 1;
	return n < WORKERS_MAX ? (int)n : WORKERS_MAX;
}

void zoo_run(const struct zoo_class *c, long pairs, uint64_t seed, double needed, struct zoo_one **v)
{
	pid_t pid[WORKERS_MAX];
	int n = worker_count(), failed = 0;
	*v = mmap(NULL, table_size(pairs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (*v == MAP_FAILED)
		abort();
	fflush(NULL);
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			work(c, pairs, seed, needed, *v);
			_exit(0);
		}
	}
	for (int i = 0; i < n; i++) {
		int status = 1;
		failed |= pid[i] < 0 || waitpid(pid[i], &status, 0) != pid[i] || status != 0;
	}
	if (failed) {
		fprintf(stderr, "%s: a worker did not end well\n", c->name);
		exit(3);
	}
}

void zoo_run_free(struct zoo_one *v, long pairs)
{
	munmap(v, table_size(pairs));
}
