/* Generators of pairs of legs: unrelated ones of many kinds (the null zoo), shared causes, and relays. */
#ifndef WEIR_TESTS_ZOO_GEN_H
#define WEIR_TESTS_ZOO_GEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"
#include "trace/link.h"

struct rng {
	uint64_t s[2];
	unsigned part; /* of real lists, that the next flow is drawn from */
};

void rng_seed(struct rng *r, uint64_t seed);
/* Real lists are cut into parts, which flows draw from in turn: two flows of a pair never walk over the same
 * stretch of them, which would be one session twice and no null. */
#define REAL_PARTS 4
unsigned rng_part(struct rng *r);
/* Place of the i-th of a part in a list of n >= REAL_PARTS. */
size_t real_place(size_t n, unsigned part, size_t i);
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

#define ZOO_BLIND 1024

/* What befalls the bursts after they were recorded. */
enum mangle {
	MANGLE_NONE,
	MANGLE_ONE_BURST,
	MANGLE_ONE_TIME,  /* all start together */
	MANGLE_DISORDER,  /* a third of the gaps are negative */
	MANGLE_IDENTICAL, /* all four trains are one */
	MANGLE_EXTREMES   /* times, lengths and sizes at the ends of their ranges */
};

/* A pair under construction and as the test takes it. */
struct zoo_pair {
	struct events ev[LANES];
	struct burst *b[LANES];
	size_t n[LANES], cap[LANES];
	struct span blind[ZOO_BLIND];
	size_t n_blind;
	int in_opened;      /* the relay opened IN */
	int out_answered;   /* V opened OUT */
	int every_way;      /* of the test: what is no relay is tried in every way */
	int derived[LANES]; /* told by ACK numbers */
	double step_at,
		step_by[2];  /* the clock is set: what a leg's packets after step_at move by, seconds */
	double resolution_s; /* 0: microseconds */
	enum mangle mangle;
	struct link_leg in, out;
	void *mem;
	size_t mem_size;
};

enum zoo_kind {
	ZOO_NULL,   /* unrelated: the bar is on the wealth */
	ZOO_SHARED, /* a common cause: the bar is on the verdict */
	ZOO_REACTS, /* R reacts to X by traffic of its own to V: a relay in the sense of the test, no bar */
	ZOO_OPEN,   /* no link, and nothing here excludes it: published, no bar */
	ZOO_RELAY   /* a true relay: the bar is on power */
};

struct zoo_class {
	const char *name;
	enum zoo_kind kind;
	double seconds;
	void (*make)(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
	double arg[8];
	const char *why; /* null: why nothing is carried; shared: what the common cause is */
	double bar;      /* relay: the share that is to be proven, 0 for none */
	int goal;        /* the bar is a goal: it is published, not required */
	int rare;        /* long by nature: one pair in so many is made; 0 as 1 */
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
