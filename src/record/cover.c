/* Coverage: from when to when the observation point saw, and the blind stretches inside (packets lost, damage
 * in the file, steps of the clock), so that no bet of the link test spans what was not seen.  Written with
 * the flushes, so that what is readable is covered. */
#include "record/record_in.h"

#define JOIN_US   INT64_C(100000)           /* blind stretches closer than this become one */
#define EDGE_US   INT64_C(1000000)          /* a step of the clock blinds so much on either side */
#define DOUBLE_US (INT64_C(3600) * 1000000) /* a step back by less blinds what was seen twice */

static enum status put(struct run *r, struct span span, bool blind, uint64_t lost, struct err *e)
{
	struct coverage c = {.point = r->p->point, .span = span, .blind = blind, .lost = lost};

	return span.from_us < span.to_us ? store_cover(r->store, &c, e) : STATUS_OK;
}

static enum status put_blind(struct run *r, struct err *e)
{
	if (!r->cover.is_blind)
		return STATUS_OK;
	r->cover.is_blind = false;
	return put(r, r->cover.blind, true, r->cover.lost, e);
}

enum status cover_begin(struct run *r, int64_t time_us, struct err *e)
{
	(void)e;
	r->cover.open = true;
	r->cover.from_us = time_us;
	return STATUS_OK;
}

enum status cover_to(struct run *r, int64_t time_us, struct err *e)
{
	enum status st = put_blind(r, e);

	if (st != STATUS_OK || !r->cover.open || time_us <= r->cover.from_us)
		return st;
	st = put(r, (struct span){r->cover.from_us, time_us}, false, 0, e);
	r->cover.from_us = time_us;
	return st;
}

enum status cover_blind(struct run *r, struct span span, uint64_t lost, struct err *e)
{
	struct cover *c = &r->cover;
	enum status st = STATUS_OK;

	if (span.to_us <= span.from_us)
		span.to_us = span.from_us + 1;
	if (c->is_blind &&
		(span.from_us > c->blind.to_us + JOIN_US || span.to_us < c->blind.from_us - JOIN_US))
		st = put_blind(r, e);
	if (!c->is_blind) {
		c->blind = span;
		c->lost = 0;
		c->is_blind = true;
	}
	c->blind.from_us = span.from_us < c->blind.from_us ? span.from_us : c->blind.from_us;
	c->blind.to_us = span.to_us > c->blind.to_us ? span.to_us : c->blind.to_us;
	c->lost += lost;
	return st;
}

/* The clock jumped from from_us to to_us.  What lies between is not covered (forwards), or was seen under two
 * clocks (backwards). */
enum status cover_step(struct run *r, int64_t from_us, int64_t to_us, struct err *e)
{
	enum status st = cover_to(r, from_us + 1, e);

	r->cover.from_us = to_us;
	if (st == STATUS_OK && to_us < from_us && from_us - to_us < DOUBLE_US)
		return cover_blind(r, (struct span){to_us - EDGE_US, from_us + EDGE_US}, 0, e);
	if (st == STATUS_OK)
		st = cover_blind(r, (struct span){from_us + 1, from_us + EDGE_US}, 0, e);
	return st == STATUS_OK ? cover_blind(r, (struct span){to_us - EDGE_US, to_us}, 0, e) : st;
}

enum status cover_end(struct run *r, int64_t time_us, struct err *e)
{
	enum status st = cover_to(r, time_us, e);

	r->cover.open = false;
	return st;
}
