/* Strays and steps of a capture's clock: see timeline.h. */
#include "record/timeline.h"

#include <string.h>

static bool fits_clock(const struct timeline *t, int64_t time_us)
{
	return t->set && time_us > t->last_us - TIMELINE_BACK_US && time_us <= t->last_us + TIMELINE_AHEAD_US;
}

/* How many of the newest entries follow on one another, by at most ahead_us each. */
static size_t agreeing(const struct timeline *t, int64_t ahead_us)
{
	size_t n = 1;

	while (n < t->n_held) {
		const struct timeline_entry *e = &t->held[t->n_held - n];
		int64_t since = e->packet.time_us - e[-1].packet.time_us;
		if (since <= -TIMELINE_BACK_US || since > ahead_us)
			break;
		n++;
	}
	return n;
}

/* The newest n entries are the clock from now on. */
static struct timeline_fate accept(struct timeline *t, size_t n)
{
	struct timeline_fate f = {.drop = t->n_held - n, .pass = n, .from_us = t->last_us};
	int64_t first = t->held[f.drop].packet.time_us, last = first;

	for (size_t i = f.drop; i < t->n_held; i++)
		last = t->held[i].packet.time_us > last ? t->held[i].packet.time_us : last;
	f.step = t->set && !fits_clock(t, first);
	t->last_us = t->set && !f.step && t->last_us > last ? t->last_us : last;
	t->set = true;
	return f;
}

struct timeline_fate timeline_hold(struct timeline *t, const struct packet *p, uint64_t offset)
{
	t->held[t->n_held++] = (struct timeline_entry){*p, offset};
	if (fits_clock(t, p->time_us))
		return accept(t, 1);
	size_t near = agreeing(t, TIMELINE_AHEAD_US), n = agreeing(t, INT64_MAX);
	if (near >= TIMELINE_NEAR || n >= TIMELINE_RISING)
		return accept(t, near >= TIMELINE_NEAR ? near : n);
	return (struct timeline_fate){.drop = t->n_held == TIMELINE_HELD ? t->n_held - n : 0};
}

struct timeline_fate timeline_end(struct timeline *t, bool trust)
{
	if (t->n_held == 0)
		return (struct timeline_fate){0};
	if (!t->set)
		return accept(t, t->n_held);
	return trust ? accept(t, agreeing(t, INT64_MAX)) : (struct timeline_fate){.drop = t->n_held};
}

void timeline_done(struct timeline *t, const struct timeline_fate *fate)
{
	size_t gone = fate->drop + fate->pass;

	t->n_held -= gone;
	if (gone && t->n_held)
		memmove(t->held, t->held + gone, t->n_held * sizeof(t->held[0]));
}
