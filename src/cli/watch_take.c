/* Alerts into cases.
 *
 * In comes a batch, out come sightings in an open case that knows the flow or the attacker, or in a new one.
 * A flood is bounded: so many new cases a minute, so many flows of a case; beyond that alerts are counted,
 * onto a sighting of the same attacker where there is one, else as dropped, and both are said. */
#include <string.h>

#include "cli/watch.h"

#define COUNTS_US (10 * SECOND_US) /* between two writings of a sighting's count */
#define MINUTE_US (60 * SECOND_US)

static bool minute_over(const struct minute *m, struct mono now)
{
	return m->since.us == 0 || now.us - m->since.us >= MINUTE_US;
}

bool minute_room(const struct minute *m, struct mono now, unsigned most)
{
	return (minute_over(m, now) ? 0 : m->n) < most;
}

bool minute_takes(struct minute *m, struct mono now, unsigned most)
{
	if (!minute_room(m, now, most))
		return false;
	if (minute_over(m, now))
		*m = (struct minute){.since = now};
	m->n++;
	return true;
}

/* ---- cases that are kept in mind ---- */

static bool concern_free(const struct concern *c)
{
	static const struct id none;

	return id_order(&c->case_id, &none) == 0;
}

/* The case's own, else a free one, else the one that nothing happened to for longest. */
struct concern *watch_concern(struct watch *w, const struct id *case_id)
{
	struct concern *best = NULL;

	for (size_t i = 0; i < WATCH_CASES; i++) {
		struct concern *c = &w->concern[i];
		if (id_order(&c->case_id, case_id) == 0)
			return c;
		if (!best || (!concern_free(best) && (concern_free(c) || c->touched.us < best->touched.us)))
			best = c;
	}
	*best = (struct concern){.case_id = *case_id, .touched = watch_mono(w)};
	for (const struct recall_flow *f = recall_next(w->recall, NULL); f; f = recall_next(w->recall, f))
		best->n_flows += id_order(&f->case_id, case_id) == 0;
	return best;
}

/* ---- counts ---- */

/* A case that was closed meanwhile takes no more counts, which is no harm. */
enum status watch_counts(struct watch *w, bool now, struct err *e)
{
	struct mono at = watch_mono(w);
	enum status s = STATUS_OK;

	if (!now && at.us - w->counted.us < COUNTS_US)
		return STATUS_OK;
	w->counted = at;
	for (struct recall_flow *f = recall_next(w->recall, NULL); f && s <= STATUS_NO;
		f = recall_next(w->recall, f)) {
		if (f->s.count <= f->stored)
			continue;
		s = case_join(w->p.db, &f->case_id, &f->s, 1, e);
		f->stored = f->s.count;
	}
	return s <= STATUS_NO ? STATUS_OK : s;
}

/* ---- one alert ---- */

static const char *flow_of(char to[FLOW_TEXT], const struct sighting *s)
{
	struct flow_head head = {.proto = s->proto, .end = {s->end[0], s->end[1]}};

	return flow_text(to, &head);
}

/* What follows from a new sighting in a case. */
static enum status sighted(struct watch *w, const struct id *case_id, const struct sighting *s, struct err *e)
{
	struct concern *c = watch_concern(w, case_id);

	c->touched = watch_mono(w);
	c->n_flows++;
	c->seen.us = s->at.us > c->seen.us ? s->at.us : c->seen.us;
	c->fresh = *s;
	c->fresh.text = c->fresh.flow_id = NULL; /* they live no longer than the batch */
	c->fresh.source = w->kind->source;
	c->due = true;
	if (c->next.us > c->touched.us + SECOND_US) /* however often this case was planned for lately */
		c->next.us = c->touched.us + SECOND_US;
	hunt_add(w, case_id, s);
	return recall_add(w->recall, case_id, s) ? STATUS_OK : err_nomem(e);
}

static enum status open_case(struct watch *w, struct sighting *s, struct err *e)
{
	char flow[FLOW_TEXT];
	struct id id;
	enum status r;

	if (!minute_takes(&w->cases, watch_mono(w), WATCH_NEW_CASES)) {
		w->tally.dropped += s->count;
		w->tally.dropped_flows++;
		return STATUS_OK;
	}
	r = case_open(w->p.db, NULL, s, 1, &id, e);
	if (r == STATUS_OK)
		r = watch_say(w, "opened", &id, s, NULL, e, "%s: %s", flow_of(flow, s), s->text);
	if (r == STATUS_OK)
		watch_concern(w, &id)->ours = true;
	return r == STATUS_OK ? sighted(w, &id, s, e) : r;
}

static enum status say_known(
	struct watch *w, const struct recall_host *h, const struct sighting *s, struct err *e)
{
	char host[IP_TEXT], flow[FLOW_TEXT];
	const char *role = recall_role_name(h->role);
	enum status r;

	(void)ip_text(host, &recall_attacker(w->recall, s)->ip);
	r = watch_say(w, "joined", &h->case_id, s, json_pack("{s:s, s:s}", "host", host, "role", role), e,
		"%s: %s %s again: %s", flow_of(flow, s), role, host, s->text);
	if (r == STATUS_OK && h->role != RECALL_ATTACKER)
		r = watch_say(w, "recognised", &h->case_id, s,
			json_pack("{s:s, s:s}", "host", host, "role", role), e,
			"recognised: %s %s of this case again, now as attacker: %s", role, host,
			flow_of(flow, s));
	return r;
}

/* The attacker is known: his flow is one more of the case, or, in a flood, a count. */
static enum status join_case(struct watch *w, const struct recall_host *h, struct sighting *s, struct err *e)
{
	struct concern *c = watch_concern(w, &h->case_id);
	struct recall_flow *last = recall_last(w->recall, &h->case_id, s);
	enum status r;

	if (last && (c->n_flows >= WATCH_CASE_FLOWS ||
			    !minute_takes(&c->flows, watch_mono(w), WATCH_NEW_FLOWS))) {
		last->s.count += s->count;
		w->tally.folded += s->count;
		c->seen.us = s->at.us > c->seen.us ? s->at.us : c->seen.us;
		return STATUS_OK;
	}
	r = case_join(w->p.db, &h->case_id, s, 1, e);
	if (r == STATUS_NO) { /* closed just now by somebody else */
		recall_stale(w->recall);
		return open_case(w, s, e);
	}
	if (r == STATUS_OK)
		r = say_known(w, h, s, e);
	return r == STATUS_OK ? sighted(w, &h->case_id, s, e) : r;
}

/* An alert that is no later than the first one is that one, read again. */
static void count_again(struct watch *w, struct recall_flow *f, const struct sighting *s)
{
	struct concern *c = watch_concern(w, &f->case_id);

	if (s->at.us > f->s.at.us)
		f->s.count += s->count;
	else if (s->count > f->s.count)
		f->s.count = s->count;
	f->seen.us = s->at.us > f->seen.us ? s->at.us : f->seen.us;
	c->seen.us = s->at.us > c->seen.us ? s->at.us : c->seen.us;
	c->touched = watch_mono(w);
}

static enum status take_one(struct watch *w, struct sighting *s, struct err *e)
{
	struct recall_flow *f = recall_flow(w->recall, s);
	struct recall_host h;

	if (f) {
		count_again(w, f, s);
		return STATUS_OK;
	}
	if (recall_host(w->recall, &recall_attacker(w->recall, s)->ip, NULL, &h))
		return join_case(w, &h, s, e);
	return open_case(w, s, e);
}

/* Another process may have opened or closed cases. */
static enum status refresh(struct watch *w, struct err *e)
{
	bool due;
	enum status s = recall_due(w->recall, w->p.db, &due, e);

	if (s == STATUS_OK && due)
		s = watch_counts(w, true, e);
	return s == STATUS_OK && due ? recall_read(w->recall, w->p.db, e) : s;
}

enum status watch_take(struct watch *w, const struct batch *b, struct err *e)
{
	enum status s = b->n ? refresh(w, e) : STATUS_OK;

	for (size_t i = 0; i < LINE_COUNT; i++)
		w->tally.skipped[i] += b->skipped[i];
	w->tally.unsaid += b->unsaid;
	for (size_t i = 0; i < b->n && s == STATUS_OK; i++)
		s = take_one(w, &b->alert[i].s, e);
	return s;
}
