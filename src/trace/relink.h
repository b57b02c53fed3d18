/* The link test on two flows and what it needs to know of the place, without a recording: so that a doubter
 * runs the very test that a claim reports. */
#ifndef WEIR_TRACE_RELINK_H
#define WEIR_TRACE_RELINK_H

#include "base/err.h"
#include "record/flow.h"
#include "trace/link.h"

/* Clock of point OUT against point IN, from flows that both saw: IN = OUT + offset + drift * (t - at). */
struct clock_fit {
	int64_t at_us, offset_us, error_us;
	double drift; /* seconds per second */
	size_t flows; /* that it rests on; 0: nothing is known but the configured skew (error_us) */
};

/* OUT's time t on IN's clock; an all-zero fit changes nothing. */
static inline int64_t clock_in(const struct clock_fit *c, int64_t t)
{
	return t + c->offset_us + (int64_t)(c->drift * (double)(t - c->at_us));
}

/* A pair as it is tested, and as a claim states it. */
struct relink {
	const struct flow *in, *out;
	int in_way, out_way; /* direction of each flow that is the attack's way: 0 initiator to responder */
	bool in_opened;      /* the relay opened IN */
	bool apart;          /* of two observation points: OUT is put on IN's clock */
	struct clock_fit clock;   /* all zero where both are of one observation point */
	const struct span *blind; /* on IN's clock, sorted, disjoint */
	size_t n_blind;
	double needed;
};

/* A flow as a leg whose attack's way is direction fwd. */
struct link_leg relink_leg(const struct flow *f, int fwd);

/* Working memory, grown on demand; all zero to begin, relink_free() at the end. */
struct relink_room {
	void *mem;
	size_t mem_size;
	struct burst *shifted;
	size_t n_shifted;
};
void relink_free(struct relink_room *r);

/* Puts both trains of OUT on IN's clock: copies, which the room has until it is used again.  False where
 * memory is out. */
bool relink_shift(struct relink_room *r, struct link_leg *out, const struct clock_fit *c);

enum status relink_test(
	struct relink_room *room, const struct relink *p, struct link_result *to, struct err *e);

#endif
