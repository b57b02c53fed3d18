/* Parts that the classes of the zoo share. */
#ifndef WEIR_TESTS_ZOO_PARTS_H
#define WEIR_TESTS_ZOO_PARTS_H

#include "zoo_gen.h"
#include "zoo_size.h"

/* Consecutive gaps of real sessions, times scale, with the bytes that were sent; replies: the same times with
 * those that came back. */
void gap_train(struct rng *r, struct events *e, struct events *replies, double seconds, double scale);
void poisson(struct rng *r, struct events *e, double from, double to, double rate, struct size_law *law);
/* to gets a copy of a share of from's events, after delay + U(0, jitter). */
void respond(struct rng *r, const struct events *from, struct events *to, double delay, double jitter,
	double share);
/* The same, but with sizes of its own. */
void answer(struct rng *r, const struct events *from, struct events *to, double delay, double jitter,
	double share, struct size_law *law);
/* A person at a shell: keys, return, output, thought. */
void typist(struct rng *r, struct events *keys, struct events *output, double from, double to);
int64_t zoo_us(double t);

void null_poisson(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_gaps(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_typists(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_beacons(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_cron(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_onoff(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_keepalive(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_voip(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_bulk(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_reconnect(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_bastion(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_restarts(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_segments(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_steps(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_clicks(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_fanout(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_hidden(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void relay_session(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);

#endif
