/* When flows end: idle and closed ones by a wheel of seconds, and under a flood by the bound.
 *
 * Each flow stands in the list of the second in which it could end first.  A packet does not move it; when
 * its second comes, the flow ends, or moves to the second that its last packet gives (a lazy timing wheel,
 * after Varghese and Lauck 1987).  New flows are on probation: when the table is full the oldest of those
 * goes first.  Only where they hold less than an eighth of the table does another flow go: of a few drawn at
 * random the closed one, else the one that was silent longest. */
#include "record/table_in.h"

#define LIFE_TCP    (INT64_C(3600) * 1000000)
#define LIFE_CLOSED (INT64_C(30) * 1000000)
#define LIFE_OTHER  (INT64_C(600) * 1000000)

enum { DRAWN = 8, DRAWS = 64 };

static int64_t lifetime(const struct slot *s)
{
	if (s->bits & SLOT_CLOSED)
		return LIFE_CLOSED;
	if (s->proto != PROTO_TCP)
		return LIFE_OTHER;
	if (!((s->half[0].bits | s->half[1].bits) & HALF_PAYLOAD) &&
		!(s->half[0].bits & s->half[1].bits & HALF_SEEN))
		return LIFE_UNANSWERED;
	return LIFE_TCP;
}

static int64_t seconds(int64_t us)
{
	return us >= 0 ? us / 1000000 : -((999999 - us) / 1000000);
}

/* deadline_us: the flow is looked at in the second after it. */
void wheel_add(struct table *t, uint32_t i, int64_t deadline_us)
{
	struct slot *s = &t->slot[i];
	int64_t second = seconds(deadline_us) + 1;
	uint32_t at = (uint32_t)((uint64_t)(second > t->wheel_s ? second : t->wheel_s + 1) % WHEEL);

	s->wheel_at = at;
	s->wheel_prev = 0;
	s->wheel_next = t->wheel[at];
	if (s->wheel_next)
		t->slot[s->wheel_next].wheel_prev = i;
	t->wheel[at] = i;
}

void wheel_remove(struct table *t, uint32_t i)
{
	struct slot *s = &t->slot[i];

	if (s->wheel_prev)
		t->slot[s->wheel_prev].wheel_next = s->wheel_next;
	else
		t->wheel[s->wheel_at] = s->wheel_next;
	if (s->wheel_next)
		t->slot[s->wheel_next].wheel_prev = s->wheel_prev;
}

void slot_close(struct table *t, uint32_t i)
{
	struct slot *s = &t->slot[i];

	if (s->bits & SLOT_CLOSED)
		return;
	s->bits |= SLOT_CLOSED;
	s->flags |= FLOW_CLOSED;
	wheel_remove(t, i);
	wheel_add(t, i, slot_last(s) + LIFE_CLOSED);
}

void probation_add(struct table *t, uint32_t i)
{
	struct slot *s = &t->slot[i];

	s->bits |= SLOT_PROBATION;
	s->fifo_prev = t->fifo_last;
	s->fifo_next = 0;
	if (t->fifo_last)
		t->slot[t->fifo_last].fifo_next = i;
	else
		t->fifo_first = i;
	t->fifo_last = i;
	t->probation++;
}

void probation_end(struct table *t, uint32_t i)
{
	struct slot *s = &t->slot[i];

	if (!(s->bits & SLOT_PROBATION))
		return;
	s->bits &= (uint8_t)~SLOT_PROBATION;
	if (s->fifo_prev)
		t->slot[s->fifo_prev].fifo_next = s->fifo_next;
	else
		t->fifo_first = s->fifo_next;
	if (s->fifo_next)
		t->slot[s->fifo_next].fifo_prev = s->fifo_prev;
	else
		t->fifo_last = s->fifo_prev;
	t->probation--;
}

enum status slot_end(struct table *t, uint32_t i, struct err *e)
{
	enum status st = slot_emit(t, &t->slot[i], e);

	slot_free(t, i);
	return st;
}

/* xorshift64 (Marsaglia 2003). */
static uint32_t draw(struct table *t, uint32_t n)
{
	t->rng ^= t->rng << 13;
	t->rng ^= t->rng >> 7;
	t->rng ^= t->rng << 17;
	return (uint32_t)((t->rng >> 32) * n >> 32);
}

/* A flow past its probation that is missed least; 0 where none was drawn. */
static uint32_t draw_victim(struct table *t)
{
	uint32_t best = 0;
	int64_t oldest = 0;

	for (int tries = 0, found = 0; tries < DRAWS && found < DRAWN; tries++) {
		uint32_t i = 1 + draw(t, t->fresh_slot - 1);
		const struct slot *s = &t->slot[i];
		if ((s->bits & (SLOT_USED | SLOT_PROBATION)) != SLOT_USED)
			continue;
		found++;
		if (s->bits & SLOT_CLOSED)
			return i;
		if (!best || slot_last(s) < oldest) {
			best = i;
			oldest = slot_last(s);
		}
	}
	return best;
}

enum status slot_make_room(struct table *t, struct err *e)
{
	uint32_t victim = 0;

	if (t->probation < t->n_slots / 8 || t->probation == 0)
		victim = draw_victim(t);
	if (!victim)
		victim = t->fifo_first;
	for (uint32_t i = 1; !victim; i++)
		victim = t->slot[i].bits & SLOT_USED ? i : 0;
	t->stat.given_up++;
	return slot_end(t, victim, e);
}

/* Every flow in one list of the wheel ends or moves on. */
static enum status wheel_turn(struct table *t, uint32_t at, int64_t now_us, struct err *e)
{
	enum status st = STATUS_OK;
	uint32_t i = t->wheel[at];

	t->wheel[at] = 0;
	while (i && st == STATUS_OK) {
		struct slot *s = &t->slot[i];
		uint32_t next = s->wheel_next;
		int64_t deadline = slot_last(s) + lifetime(s);
		wheel_add(t, i, deadline > now_us ? deadline : now_us);
		if (deadline <= now_us)
			st = slot_end(t, i, e);
		i = next;
	}
	return st;
}

enum status table_expire(struct table *t, int64_t now_us, struct err *e)
{
	int64_t now = seconds(now_us);
	enum status st = STATUS_OK;

	if (t->wheel_s == 0 || now - t->wheel_s > WHEEL)
		t->wheel_s = now - WHEEL;
	while (st == STATUS_OK && t->wheel_s < now) {
		t->wheel_s++;
		st = wheel_turn(t, (uint32_t)((uint64_t)t->wheel_s % WHEEL), now_us, e);
	}
	return st;
}

enum status table_flush(struct table *t, int64_t now_us, struct err *e)
{
	enum status st = table_expire(t, now_us, e);

	return st == STATUS_OK ? emit_dirty(t, e) : st;
}
