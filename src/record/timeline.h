/* The capture's clock: which time stamps belong to it, which are stray, and when it jumped.
 *
 * A record fits when its time is less than a second before the latest one and at most a day after it.  One
 * that does not is held back until what follows decides: records that fit again make it a stray (dropped);
 * two in a row that fit each other (TIMELINE_NEAR), or three that do not run backwards however far they are
 * apart (TIMELINE_RISING), are a step of the clock.  The first records of a capture are held in the same way,
 * so that a stray first one is found. */
#ifndef WEIR_RECORD_TIMELINE_H
#define WEIR_RECORD_TIMELINE_H

#include "record/packet.h"

#define TIMELINE_BACK_US  INT64_C(1000000)     /* how late a record may come */
#define TIMELINE_AHEAD_US INT64_C(86400000000) /* how long a capture may be silent */

enum { TIMELINE_HELD = 8, TIMELINE_NEAR = 2, TIMELINE_RISING = 3 };

struct timeline_entry {
	struct packet packet;
	uint64_t offset; /* of its record, for messages */
};

struct timeline {
	bool set;        /* last_us is known */
	int64_t last_us; /* latest time */
	size_t n_held;
	struct timeline_entry held[TIMELINE_HELD];
};

/* What became of the held entries: the first `drop` are strays, the next `pass` go on; step: the clock jumped
 * before those, from from_us. */
struct timeline_fate {
	size_t drop, pass;
	bool step;
	int64_t from_us;
};

/* May the packet go on at once? */
static inline bool timeline_fits(const struct timeline *t, int64_t time_us)
{
	return t->set && t->n_held == 0 && time_us > t->last_us - TIMELINE_BACK_US &&
	       time_us <= t->last_us + TIMELINE_AHEAD_US;
}

/* It went on. */
static inline void timeline_went(struct timeline *t, int64_t time_us)
{
	if (time_us > t->last_us)
		t->last_us = time_us;
}

/* A packet that does not fit at once; it is held, and decided with the others.  The caller does what the fate
 * says to the entries, then calls timeline_done(). */
struct timeline_fate timeline_hold(struct timeline *t, const struct packet *p, uint64_t offset);

/* Nothing will follow (trust: or the clock that gave the times is known to be good): decides what is held. */
struct timeline_fate timeline_end(struct timeline *t, bool trust);

void timeline_done(struct timeline *t, const struct timeline_fate *fate);

#endif
