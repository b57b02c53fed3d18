/* What happens to a train on its way to another observation point, and what a liar does to one. */
#ifndef WEIR_TESTS_RECOG_GEN_H
#define WEIR_TESTS_RECOG_GEN_H

#include "record/flow.h"
#include "zoo_gen.h"

struct one_packet {
	int64_t t;
	int dir;
	uint64_t bytes;
};

/* A flow taken apart into packets (a burst's bytes spread evenly over its packets and its time). */
struct packets {
	struct one_packet *p;
	size_t n;
	struct span life;
	uint8_t flags;
};

void packets_of(struct packets *to, const struct flow *f);
void packets_free(struct packets *p);
void packets_clock(struct packets *p, int64_t offset_us, double drift);
void packets_jitter(struct packets *p, struct rng *r, int64_t most_us); /* packets keep their order */
void packets_lose(struct packets *p, struct rng *r, double share);
void packets_gap(
	struct packets *p, struct rng *r, double share); /* a recorder's gap of that share of the time */
void packets_cut(struct packets *p, double head, double tail);  /* shares of the time that are not recorded */
void packets_step(struct packets *p, double at, int64_t by_us); /* the clock is set forward */
/* The packets as a recorder makes a flow of them; head as like's.  Freed by flow_drop(). */
void packets_flow(struct flow *to, const struct packets *p, const struct flow *like, uint32_t gap_us);
void flow_copy(struct flow *to, const struct flow *f);
void flow_drop(struct flow *f);

/* Lies; each keeps the bursts sorted and apart. */
void lie_sizes(struct flow *f, struct rng *r, double share);
void lie_move(struct flow *f, struct rng *r, double share, int64_t least_us, int64_t most_us);
void lie_stretch(struct flow *f, double factor);
void lie_splice(struct flow *f, const struct flow *other, double from_share);
void lie_shift_tail(struct flow *f, double from_share, int64_t by_us);

/* A session of single keys and their echoes of one size, as a person types, of about n keys. */
void keys_flow(struct flow *to, struct rng *r, size_t n, int64_t from_us);
/* A program's loop: the same n steps with fixed pauses and sizes, times jittered. */
void loop_flow(struct flow *to, struct rng *r, size_t n, int64_t from_us, size_t steps, int64_t jitter_us);

#endif
