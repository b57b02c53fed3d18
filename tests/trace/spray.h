/* Views made in memory of a proxy that carries many short flows: clients that log in through it, each
 * elsewhere. */
#ifndef WEIR_TESTS_SPRAY_H
#define WEIR_TESTS_SPRAY_H

#include "trace/search.h"

#define SPRAY_T0 INT64_C(1795000000000000)

struct spray {
	struct tracer t;
	struct config cfg;
	struct view *view;
	struct flow *flow;
	size_t n, cap;
};

/* The relay's view, empty. */
void spray_begin(struct spray *s, const char *relay);
/* Flows are in: makes the view whole. */
void spray_ready(struct spray *s);
void spray_end(struct spray *s);

/* How a client goes about its logins. */
struct sprayer {
	const char *client, *relay, *victim; /* addresses */
	uint16_t relay_port, victim_port;
	unsigned logins, workers, bursts;
	double pause_s; /* between logins of a worker, exponential; or exact where beat */
	bool beat;      /* a tool that loops on the clock */
	bool only_in;   /* the out-leg is not there */
	double from_s;
	const char *point;
};

void spray_add(struct spray *s, const struct sprayer *p);

/* One flow a > b with n bursts a way, at the times given.  Sizes are those of one tool: the k-th burst of
 * every flow is alike, but for a word of its own, which `word` draws: legs of one login have the same. */
struct flow *spray_flow(struct spray *s, const char *a, const char *b, const int64_t *fwd,
	const int64_t *back, size_t n, const char *point, uint64_t word);

void spray_seed(uint64_t seed);
/* In [0, 1). */
double spray_unit(void);
double spray_exp(double mean);

#endif
