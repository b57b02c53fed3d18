/* Frames to the flow table: filter, decoder, never_record, the capture's clock, then in batches to the
 * table.  What is not counted is counted by its reason; the first record of each kind of damage is named in
 * a log line. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "record/record_in.h"

/* Reasons that mean damage, and what the line says was wrong; the others are no news. */
static const char *const damage[DROP_COUNT] = {
	[DROP_SNAPPED] = "cut off by the snap length before the end of its headers",
	[DROP_BAD_IP] = "with an IP header that lies",
	[DROP_BAD_TRANSPORT] = "with a transport header that lies",
	[DROP_DEPTH] = "with headers nested too deep",
	[DROP_TIME] = "with a time stamp far from its neighbours",
};

void feed_drop(struct run *r, enum drop why, uint64_t offset, const char *line)
{
	r->sum->skipped[why]++;
	if (r->said[why])
		return;
	r->said[why] = true;
	if (line)
		log_line("%s", line);
	else if (damage[why] && r->live)
		log_line("interface %s: a packet %s: skipped (\"%s\"; further ones are only counted)",
			r->name, damage[why], drop_name(why));
	else if (damage[why])
		log_line("%s: offset %" PRIu64
			 ": a packet %s: skipped (\"%s\"; further ones are only counted)",
			r->name, offset, damage[why], drop_name(why));
}

static bool never(const struct record_param *p, const struct packet *k)
{
	for (size_t i = 0; i < p->n_never; i++)
		if (prefix_has(&p->never[i], &k->src.ip) || prefix_has(&p->never[i], &k->dst.ip))
			return true;
	return false;
}

enum status feed_batch(struct run *r, struct err *e)
{
	enum drop why[TABLE_BATCH];
	enum status st = table_packets(r->table, r->batch, r->n_batch, why, e);
	struct record_sum *sum = r->sum;

	for (size_t i = 0; st == STATUS_OK && i < r->n_batch; i++) {
		const struct packet *p = &r->batch[i];
		if (why[i] != DROP_NONE) {
			sum->skipped[why[i]]++;
			continue;
		}
		sum->packets++;
		sum->bytes += p->frame_len;
		sum->from_us = p->time_us < sum->from_us ? p->time_us : sum->from_us;
		sum->to_us = p->time_us > sum->to_us ? p->time_us : sum->to_us;
	}
	r->n_batch = 0;
	return st;
}

/* The capture's time has come to time_us: coverage begins, what was stored then is loaded, ticks are done. */
static enum status reach(struct run *r, int64_t time_us, struct err *e)
{
	enum status st = STATUS_OK;

	if (!r->cover.open)
		st = cover_begin(r, time_us, e);
	if (st == STATUS_OK && !r->live && (r->n_window == 0 || time_us < r->window[r->n_window - 1].from_us))
		st = run_window(r, time_us, e);
	if (st == STATUS_OK && time_us >= r->next_tick_us) {
		st = feed_batch(r, e);
		if (st == STATUS_OK && r->next_tick_us != INT64_MIN)
			st = run_tick(r, time_us, e);
		r->next_tick_us = time_us + TICK_US;
	}
	return st;
}

/* A packet whose time is settled; it may stand in the batch already, at the place where the next one goes. */
static enum status settled(struct run *r, const struct packet *p, struct err *e)
{
	enum status st = reach(r, p->time_us, e);
	struct packet *to = &r->batch[r->n_batch];

	if (st != STATUS_OK)
		return st;
	if (to != p)
		*to = *p;
	r->n_batch++;
	if (r->n_batch == TABLE_BATCH || (r->live && to->time_us - r->batch[0].time_us > BATCH_WAIT_US))
		st = feed_batch(r, e);
	return st;
}

static enum status step(struct run *r, int64_t from_us, int64_t to_us, struct err *e)
{
	char a[WALL_TEXT], b[WALL_TEXT];

	if (table_stat(r->table)->clock_steps == 0)
		log_line("%s: the clock of the capture jumps from %s to %s: open flows end here, and the "
			 "step is "
			 "recorded as a blind stretch (further ones are only counted)",
			r->name, wall_text(a, (struct wall){from_us}), wall_text(b, (struct wall){to_us}));
	enum status st = feed_batch(r, e);
	if (st == STATUS_OK)
		st = table_step(r->table, e);
	if (st == STATUS_OK)
		st = cover_step(r, from_us, to_us, e);
	r->next_tick_us = to_us + TICK_US;
	r->sum->clock_steps++;
	return st;
}

static enum status act(struct run *r, const struct timeline_fate *fate, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < fate->drop; i++)
		feed_drop(r, DROP_TIME, r->timeline.held[i].offset, NULL);
	if (fate->step)
		st = step(r, fate->from_us, r->timeline.held[fate->drop].packet.time_us, e);
	for (size_t i = fate->drop; st == STATUS_OK && i < fate->drop + fate->pass; i++)
		st = settled(r, &r->timeline.held[i].packet, e);
	timeline_done(&r->timeline, fate);
	return st;
}

/* Says once when a whole capture is dated before 1990 or after 2100: it is recorded as it stands. */
static void odd_date(struct run *r, const struct frame *f)
{
	char t[WALL_TEXT];

	r->said_old = true;
	if (f->time_us < INT64_C(631152000) * SECOND_US || f->time_us >= INT64_C(4102444800) * SECOND_US)
		log_line("%s: offset %" PRIu64 ": the first packet is dated %s: recorded as it stands",
			r->name, f->offset, wall_text(t, (struct wall){f->time_us}));
}

/* An unknown link type is named by its number: whoever reads the line may look it up. */
static void drop_frame(struct run *r, enum drop why, const struct frame *f)
{
	char line[512];

	if (why != DROP_LINKTYPE) {
		feed_drop(r, why, f->offset, NULL);
		return;
	}
	(void)snprintf(line, sizeof(line),
		"%s: offset %" PRIu64 ": link type %" PRIu32
		" is not one that is read: its packets are skipped (\"%s\")",
		r->name, f->offset, f->linktype, drop_name(why));
	feed_drop(r, why, f->offset, line);
}

enum status feed_frame(struct run *r, const struct frame *f, struct err *e)
{
	struct packet *p = &r->batch[r->n_batch]; /* there is always room for one */
	enum status st = STATUS_OK;

	if (f->lost)
		st = cover_blind(r,
			(struct span){r->timeline.set ? r->timeline.last_us : f->time_us, f->time_us},
			f->lost, e);
	if (st != STATUS_OK)
		return st;
	if (f->time_us < 0 || f->time_us >= TIME_MAX_US) {
		feed_drop(r, DROP_TIME, f->offset, NULL);
		return st;
	}
	if (r->filter && !bpf_filter_match(r->filter, f)) {
		r->sum->skipped[DROP_FILTER]++;
		return st;
	}
	enum drop why = decode(r->decoder, f, p);
	if (why == DROP_NONE && r->p->n_never && never(r->p, p))
		why = DROP_NEVER;
	if (why != DROP_NONE) {
		drop_frame(r, why, f);
		return st;
	}
	if (!r->said_old)
		odd_date(r, f);
	if (timeline_fits(&r->timeline, p->time_us)) {
		timeline_went(&r->timeline, p->time_us);
		return settled(r, p, e);
	}
	struct timeline_fate fate = timeline_hold(&r->timeline, p, f->offset);
	return act(r, &fate, e);
}

enum status feed_idle(struct run *r, struct err *e)
{
	enum status st = STATUS_OK;

	if (r->live) {
		struct timeline_fate fate = timeline_end(&r->timeline, true);
		st = act(r, &fate, e);
	}
	return st == STATUS_OK ? feed_batch(r, e) : st;
}

enum status feed_end(struct run *r, struct err *e)
{
	struct timeline_fate fate = timeline_end(&r->timeline, r->live);
	enum status st = act(r, &fate, e);

	return st == STATUS_OK ? feed_batch(r, e) : st;
}
