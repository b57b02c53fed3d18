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
/* Where R stands beside two flows of one client: one comes to it and the other leaves it (a proxy of many),
 * it is the client of both, or the server of both, to which V is but another connection of the client. */
enum view { VIEW_BETWEEN, VIEW_CLIENT, VIEW_SERVER };
/* A person at a shell: keys, return, output, thought. */
void typist(struct rng *r, struct events *keys, struct events *output, double from, double to);
int64_t zoo_us(double t);
double lognormal(struct rng *r, double median, double sigma);
/* A leg whose far side answers everything after a round trip of its own, in sizes of its own. */
void answered(struct rng *r, struct zoo_pair *p, int fwd, int back);
void both_answered(struct rng *r, struct zoo_pair *p);
/* Bursts of both legs, at each one's rate and in sizes of its own. */
void others(struct rng *r, struct zoo_pair *p, double from, double to, const double rate[2]);
void typed_leg(struct rng *r, struct zoo_pair *p, int fwd, int back, double seconds);
/* Gaps and sizes of real sessions. */
void real_leg(struct rng *r, struct zoo_pair *p, int fwd, int back, double seconds, double scale);
void beacon(struct rng *r, struct events *e, double phase, double seconds, double period, double jitter,
	struct size_law *law);
/* One of: a person at a shell, gaps of a real session, a beacon, requests at random. */
void any_leg(struct rng *r, struct zoo_pair *p, int fwd, int back, double seconds);
/* Three questions and answers. */
void login(struct rng *r, struct events *fwd, struct events *back, double t, double rtt);
/* A direction becomes what ACK numbers tell of it; far: how far away its receiver is, there and back. */
void derive(struct rng *r, struct zoo_pair *p, int lane, double far);

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
void shared_browser(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_downloads(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_haproxy(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void reacts_lookup(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_ntp(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_video(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_queue(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_control(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_logins(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_regime(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_cycle(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_growth(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_gathered(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_walk(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_few(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_page(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_flap(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_loss(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_set_clock(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_half(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_coarse(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_mangled(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_rates(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void null_browsers(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_lockstep(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_full(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_stream(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_bots(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_script(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_level(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_feed(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_bots_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_lockstep_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_stream_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_lockstep_apart(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_feed_any(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void open_framed(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void relay_session(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);

void relay_half(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void relay_polled(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void shared_tunnel(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);
void relay_logins(struct rng *r, struct zoo_pair *p, double seconds, const double *arg);

#endif
