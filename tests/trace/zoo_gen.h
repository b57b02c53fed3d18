/* Generators of pairs of legs: unrelated ones of many kinds (the null zoo), shared causes, and relays. */
#ifndef WEIR_TESTS_ZOO_GEN_H
#define WEIR_TESTS_ZOO_GEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"
#include "trace/link.h"

struct rng {
	uint64_t s[2];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
double rng_unit(struct rng *r); /* in (0, 1) */
double rng_between(struct rng *r, double lo, double hi);
double rng_exp(struct rng *r, double mean);
double rng_normal(struct rng *r);

/* Packets of one direction, times in seconds; unsorted until events_sort. */
struct events {
	double *t;
	uint32_t *bytes;
	size_t n, cap;
};

void events_add(struct events *e, double t); /* of 64 bytes */
void events_add_sized(struct events *e, double t, uint32_t bytes);
void events_clear(struct events *e);
void events_free(struct events *e);
void events_sort(struct events *e);

enum { IN_FWD, IN_BACK, OUT_FWD, OUT_BACK, LANES };

/* A pair under construction and as the test takes it. */
struct zoo_pair {
	struct events ev[LANES];
	struct burst *b[LANES];
	size_t n[LANES], cap[LANES];
	struct span blind[256];
	size_t n_blind;
	struct link_leg in, out;
	void *mem;
	size_t mem_size;
};

enum zoo_kind {
	ZOO_NULL,   /* unrelated: the bar is on the wealth */
	ZOO_SHARED, /* a common cause: the bar is on the verdict */
	ZOO_RELAY   /* a true relay: the bar is on power */
};

struct zoo_class {
	const char *name;
	enum zoo_kind kind;
	double seconds;
	void (*make)(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
	double arg[8];
};

extern const struct zoo_class zoo_classes[];
extern const size_t zoo_n_classes;

/* Reads the real gaps and sizes of SSH sessions if there are any; fitted ones serve otherwise.  Returns how
 * many were read. */
size_t zoo_load_gaps(const char *data_dir);
void zoo_unload(void);

void zoo_make(const struct zoo_class *c, struct rng *r, struct zoo_pair *p);
void zoo_bursts(struct zoo_pair *p, double gap_s); /* events -> bursts and legs */
void zoo_free(struct zoo_pair *p);
void zoo_test(struct zoo_pair *p, double needed, struct link_result *r);

#endif
