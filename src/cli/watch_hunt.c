/* Traces as evidence arrives.
 *
 * In come new sightings, out come proven hops, as claims and as lines, and the case that a chain leads to
 * where that is another one.  A sighting is traced at once, and then, with growing pauses and while the
 * recording grows, until its chain has come to an end that more recording does not move, for an hour at most.
 * An alert is often quicker than the recorder: a flow that is not there yet, or only by its first packets,
 * is looked at again soon.
 * All that is due about the same time is traced with one reading of the recording, and looking again takes a
 * tenth of the time at most, however many sightings there are: only a new one is not waited with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/watch.h"

#define PAUSE_FIRST_US SECOND_US
#define PAUSE_LAST_US  (60 * SECOND_US)
#define SOON_US        (SECOND_US / 20) /* to the second look at a flow that is not all there yet; then doubled */
#define LOOK_SHARE     10               /* looking again takes one part in so many of the time, at most */
#define GRID_PART      8                /* what is looked at after a pause waits for others, so much longer */
#define LOOK_US        (2 * SECOND_US) /* between two looks at a recording that does not grow */
#define HUNT_US        (3600 * SECOND_US)
#define OVER_US        (60 * SECOND_US) /* recorded behind a closed flow: what fed it has come by then */

void hunt_add(struct watch *w, const struct id *case_id, const struct sighting *s)
{
	struct mono now = watch_mono(w);
	struct hunt *h;
	char id[ID_TEXT];

	if (w->n_hunt == WATCH_HUNTS) {
		log_line("%d sightings are being traced, so a new one of case %.12s is not: weir trace %.12s",
			WATCH_HUNTS, id_text(id, case_id), id);
		return;
	}
	h = &w->hunt[w->n_hunt++];
	*h = (struct hunt){.case_id = *case_id,
		.s = *s,
		.next = now,
		.begun = now,
		.until = {now.us + HUNT_US},
		.soon_us = SOON_US};
	(void)snprintf(h->text, sizeof(h->text), "%s", s->text ? s->text : "");
	h->s.text = NULL; /* set where it is used: the queue moves */
	h->s.flow_id = NULL;
	h->s.source = w->kind->source;
}

void hunt_again(struct watch *w)
{
	int64_t since = w->app->w->now(w->app->w->self).us - HUNT_US;

	for (struct recall_flow *f = recall_next(w->recall, NULL); f; f = recall_next(w->recall, f)) {
		if (f->s.at.us < since || strcmp(f->s.source, w->kind->source) != 0 ||
			w->n_hunt == WATCH_HUNTS)
			continue;
		hunt_add(w, &f->case_id, &f->s);
		struct concern *c = watch_concern(w, &f->case_id);
		c->due = true;
		c->seen.us = f->seen.us > c->seen.us ? f->seen.us : c->seen.us;
	}
}

static void hunt_remove(struct watch *w, size_t at)
{
	w->n_hunt--;
	memmove(&w->hunt[at], &w->hunt[at + 1], (w->n_hunt - at) * sizeof(w->hunt[0]));
}

/* Is the flow recorded as far as a plan asks for it? */
static bool all_there(const struct hunt *h)
{
	return h->found && h->answered;
}

/* pause_us from now, or a little later, when others are due too: such times are far fewer than sightings. */
static struct mono meeting(int64_t now, int64_t pause_us)
{
	int64_t apart = SOON_US;

	while (apart < pause_us / GRID_PART)
		apart *= 2; /* so the times of a longer pause are times of a shorter one too */
	return (struct mono){(now + pause_us + apart - 1) / apart * apart};
}

/* The next look, pause_us after this one; soon, where the flow is not all there yet.  now: when the look
 * began, which is the same for all that were looked at with it. */
static void next_look(struct hunt *h, int64_t now, int64_t pause_us)
{
	int64_t soon_us = h->soon_us;

	if (all_there(h) || soon_us >= pause_us) {
		h->next = meeting(now, pause_us);
		return;
	}
	h->soon_us *= 2;
	h->next = meeting(now, soon_us);
}

/* A quarter of the time that it has taken already: what is proven is known soon after, early and late. */
static void hunt_later(struct hunt *h, int64_t now)
{
	int64_t pause = (now - h->begun.us) / 4;

	pause = pause > PAUSE_FIRST_US ? pause : PAUSE_FIRST_US;
	next_look(h, now, pause < PAUSE_LAST_US ? pause : PAUSE_LAST_US);
}

struct mono hunt_time(const struct watch *w, const struct hunt *h)
{
	return h->tried && h->next.us < w->rest.us ? w->rest : h->next;
}

/* ---- a case that a chain leads to ---- */

/* Is anything in force for the case?  What cannot be found out counts as yes. */
static bool has_blocks(struct watch *w, const struct id *case_id)
{
	struct arena arena = {0};
	struct order_row *row;
	struct err e;
	size_t n = 0;
	enum status s =
		order_row_list(w->p.db, case_id, true, w->app->w->now(w->app->w->self), &arena, &row, &n, &e);

	arena_free(&arena);
	return s != STATUS_OK || n > 0;
}

/* A case that this watch opened a moment ago goes on as the one that was recognised: its sightings go there,
 * and it is closed. */
static enum status case_goes_on(struct watch *w, const struct id *from, const struct id *to, struct err *e)
{
	char id[ID_TEXT];
	struct attack_case c;
	struct arena arena = {0};
	struct id closed;
	enum status s = case_read(w->p.db, id_text(id, from), &arena, &c, e);

	if (s == STATUS_OK)
		s = case_join(w->p.db, to, c.sighting, c.n_sighting, e);
	if (s == STATUS_OK)
		s = case_close(w->p.db, id, &closed, e);
	if (s == STATUS_OK)
		s = watch_say(w, "closed", from, NULL, json_pack("{s:s}", "into", id_text(id, to)), e,
			"goes on as case %.12s", id_text(id, to));
	for (size_t i = 0; i < w->n_hunt && s == STATUS_OK; i++)
		if (id_order(&w->hunt[i].case_id, from) == 0)
			w->hunt[i].case_id = *to;
	if (s == STATUS_OK) {
		watch_concern(w, to)->due = true;
		*watch_concern(w, from) = (struct concern){0};
		recall_stale(w->recall);
	}
	arena_free(&arena);
	return s;
}

static enum status recognised(
	struct watch *w, struct hunt *h, const struct ip *ip, const struct recall_host *known, struct err *e)
{
	const char *role = recall_role_name(known->role);
	struct id from = h->case_id;
	char host[IP_TEXT], id[ID_TEXT];
	struct sighting s = h->s;
	enum status r;

	s.text = h->text;
	r = case_join(w->p.db, &known->case_id, &s, 1, e);
	if (r == STATUS_NO) { /* it was closed meanwhile */
		recall_stale(w->recall);
		return STATUS_OK;
	}
	if (r == STATUS_OK)
		r = watch_say(w, "recognised", &known->case_id, &s,
			json_pack("{s:s, s:s, s:s}", "host", ip_text(host, ip), "role", role, "from",
				id_text(id, &from)),
			e, "recognised: %s %s of case %.12s again, in the chain of case %.12s", role,
			ip_text(host, ip), id_text((char[ID_TEXT]){0}, &known->case_id), id_text(id, &from));
	if (r != STATUS_OK)
		return r;
	h->case_id = known->case_id;
	if (watch_concern(w, &from)->ours && !has_blocks(w, &from))
		return case_goes_on(w, &from, &known->case_id, e);
	return STATUS_OK;
}

/* ---- a chain ---- */

/* The far end of the flow that fed a hop. */
static const struct ip *far_end(const struct hop *h)
{
	return flow_peer(h->best.flow, &h->relay);
}

static enum status say_hop(struct watch *w, const struct hunt *h, const struct hop *hop, size_t number,
	const char *claim, struct err *e)
{
	char relay[IP_TEXT], in[FLOW_WORDS];
	struct sighting s = h->s;

	return watch_say(w, "traced", &h->case_id, &s,
		json_pack("{s:i, s:o}", "number", (int)number + 1, "hop", json_hop(w->app, hop, claim)), e,
		"hop %zu: %s relayed it from %s (log10 e %.1f, needed %.1f)", number + 1,
		ip_text(relay, &hop->relay), flow_words(in, hop->best.flow), hop->best.link.max_log10_e,
		hop->needed);
}

/* The hops that are proven now and were not before: claims, lines, and whom we know of them. */
static enum status hops_new(struct watch *w, struct hunt *h, const struct chain *c, struct err *e)
{
	struct chain proven = *c;
	char id[TRACE_HOPS + 1][ID_TEXT] = {{0}};
	struct id before = h->case_id;
	struct sighting s = h->s;
	enum status r;

	proven.n_hop = c->n_proven;
	s.text = h->text;
	r = claim_chain(&w->p, &h->case_id, &proven, &s, id, e);
	for (size_t i = h->proven; i < c->n_proven && r == STATUS_OK; i++) {
		const struct hop *hop = &c->hop[i];
		const struct ip *ip[2] = {&hop->relay, far_end(hop)};
		struct recall_host known;
		r = say_hop(w, h, hop, i, id[i], e);
		for (int k = 0; k < 2 && r == STATUS_OK; k++)
			if (recall_host(w->recall, ip[k], &h->case_id, &known))
				r = recognised(w, h, ip[k], &known, e);
		if (r == STATUS_OK && !recall_add_link(w->recall, &h->case_id, ip[0], ip[1]))
			r = err_nomem(e);
	}
	if (r == STATUS_OK && id_order(&before, &h->case_id) != 0) /* they are that case's, too */
		r = claim_chain(&w->p, &h->case_id, &proven, &s, id, e);
	h->proven = c->n_proven;
	h->enough = false;
	watch_concern(w, &h->case_id)->due = true;
	return r;
}

/* Is the hop that is not proven at the alpha of claims good enough for a block of one host? */
static bool enough_to_block(const struct watch *w, const struct chain *c)
{
	const struct config *cfg = &w->app->cfg;
	const struct hop *hop = &c->hop[c->n_proven];

	return c->n_hop > c->n_proven && hop->best.flow &&
	       hop->best.link.max_log10_e - hop->needed - log10(cfg->alpha) >= -log10(cfg->alpha_host);
}

/* Can more recording still move the end of the chain? */
static bool open_end(const struct watch *w, const struct chain *c)
{
	bool closed = c->attack->head.flags & FLOW_CLOSED;

	if (c->n_proven > 0 && c->n_proven == c->n_hop)
		return false;
	return !closed || w->grown.span.to_us < c->attack->last_us + OVER_US;
}

/* The last word on a sighting: what was not proven is claimed too, as `weir trace` does. */
static enum status say_end(struct watch *w, const struct hunt *h, const struct chain *c, struct err *e)
{
	char id[TRACE_HOPS + 1][ID_TEXT] = {{0}}, why[400];
	struct sighting s = h->s;
	enum status r;

	s.text = h->text;
	r = claim_chain(&w->p, &h->case_id, c, &s, id, e);
	if (r == STATUS_OK && c->n_proven == 0)
		r = watch_say(w, "traced", &h->case_id, &s, json_pack("{s:i}", "number", 0), e,
			"no hop proven: %s", chain_end_text(why, sizeof(why), c));
	return r;
}

/* *done: the sighting needs no more traces. */
static enum status hunt_flow(
	struct watch *w, struct tracer *t, struct hunt *h, const struct flow *f, bool *done, struct err *e)
{
	bool first = !h->found, news = first || (!h->answered && flow_answered(f));
	char why[400];
	struct chain c;
	enum status s = trace_chain(t, f, sighting_opener(&h->s), &c, e);

	if (s == STATUS_OK && c.n_proven > h->proven)
		s = hops_new(w, h, &c, e);
	*done = w->once || !open_end(w, &c) || watch_mono(w).us >= h->until.us;
	if (s == STATUS_OK && (news || (!h->enough && enough_to_block(w, &c)))) {
		/* a plan can say more now than when the alert came */
		h->enough = enough_to_block(w, &c);
		watch_concern(w, &h->case_id)->due = true;
	}
	if (s == STATUS_OK && news && h->tried)
		act_soon(w, watch_concern(w, &h->case_id));
	h->tried = h->found = true;
	h->answered = h->answered || flow_answered(f);
	if (s == STATUS_OK && *done)
		return say_end(w, h, &c, e);
	if (s == STATUS_OK && first && c.n_proven == 0)
		s = watch_say(w, "traced", &h->case_id, &h->s, json_pack("{s:i}", "number", 0), e,
			"no hop proven yet: %s", chain_end_text(why, sizeof(why), &c));
	return s;
}

static enum status hunt_one(struct watch *w, struct tracer *t, struct hunt *h, bool *done, struct err *e)
{
	const struct flow *f;
	enum status s = sighting_flow(t, &h->s, &f, e);
	bool first = !h->tried;

	if (s == STATUS_OK)
		return hunt_flow(w, t, h, f, done, e);
	h->tried = true;
	*done = w->once || watch_mono(w).us >= h->until.us;
	if (s == STATUS_NO && first)
		return watch_say(w, "traced", &h->case_id, &h->s, json_pack("{s:i}", "number", 0), e,
			"not in this recording%s", *done ? "" : " yet");
	return s == STATUS_NO ? STATUS_OK : s;
}

/* ---- all that is due ---- */

/* Has the recording changed since the sighting was traced last? */
static bool grown(const struct watch *w, const struct hunt *h)
{
	return h->bytes != w->grown.bytes || h->to_us != w->grown.span.to_us;
}

/* Is it time to look again, and is there something new to see? */
static bool is_due(const struct watch *w, const struct hunt *h, int64_t now)
{
	return h->next.us <= now && (!h->tried || grown(w, h) || h->until.us <= now);
}

static enum status hunt_due(struct watch *w, int64_t now, struct err *e)
{
	struct tracer *t = NULL;
	enum status s = tracer_open(&t, w->app->w, w->app->dir, &w->app->cfg, w->app->cfg.alpha, e);

	for (size_t i = 0; i < w->n_hunt && s == STATUS_OK && !stop_requested;) {
		struct hunt *h = &w->hunt[i];
		bool done = false;
		if (is_due(w, h, now)) {
			h->bytes = w->grown.bytes;
			h->to_us = w->grown.span.to_us;
			s = hunt_one(w, t, h, &done, e);
			hunt_later(h, now);
		}
		if (done)
			hunt_remove(w, i);
		else
			i++;
	}
	tracer_close(t);
	return s;
}

/* Is the time of any come?  And of any that has something new to see?  The others wait a little. */
static bool any_due(struct watch *w, int64_t now)
{
	bool any = false;

	for (size_t i = 0; i < w->n_hunt; i++) {
		struct hunt *h = &w->hunt[i];
		if (is_due(w, h, now))
			any = true;
		else if (h->next.us <= now)
			next_look(h, now, LOOK_US);
	}
	return any;
}

enum status watch_hunt(struct watch *w, struct err *e)
{
	int64_t now = watch_mono(w).us;
	bool time = false;
	enum status s;

	for (size_t i = 0; i < w->n_hunt && !time; i++)
		time = hunt_time(w, &w->hunt[i]).us <= now;
	if (!time)
		return STATUS_OK;
	s = store_stat_read(&w->grown, w->app->w, w->app->dir, e);
	if (s == STATUS_OK && any_due(w, now))
		s = hunt_due(w, now, e);
	now += LOOK_SHARE * (watch_mono(w).us - now);
	w->rest.us = w->rest.us > now ? w->rest.us : now;
	return s;
}
