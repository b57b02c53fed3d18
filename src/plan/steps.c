/* Steps of a path: of a recorded flow, of a sighting, of a traced chain, and upstream of that by links that
 * are claimed.  Upstream of the last known leg is nothing: nothing is invented. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/make_in.h"

#define NETWORK4 24
#define NETWORK6 48

struct prefix network_of(const struct ip *ip)
{
	return prefix_of(ip, ip->v == 4 ? NETWORK4 : NETWORK6);
}

/* ---- one step ---- */

/* Who sends payload over a connection that the other side answers with payload has got what went to his
 * address.  One datagram answers another that is forged, too. */
bool flow_answered(const struct flow *f)
{
	bool connects = f->head.proto == PROTO_TCP || f->head.proto == PROTO_SCTP;

	return connects && f->count[0].packets && f->count[1].packets && f->count[0].payload_bytes &&
	       f->count[1].payload_bytes;
}

void step_of_flow(struct step *to, const struct flow *f, int from, uint8_t moved)
{
	*to = (struct step){.proto = f->head.proto,
		.end = {f->head.end[from], f->head.end[!from]},
		.reverse = flow_opener(f) != from,
		.translated = moved >> !from & 1,
		.recorded = true,
		.answered = flow_answered(f),
		.members = f->members,
		.bytes = f->count[0].frame_bytes + f->count[1].frame_bytes,
		.packets = f->count[from].packets,
		.first_us = f->head.first_us,
		.last_us = f->last_us,
		.flow = f->head.id,
		.by = ""};
}

void step_of_sighting(struct step *to, const struct sighting *g)
{
	*to = (struct step){.proto = g->proto,
		.end = {g->end[0], g->end[1]},
		.first_us = g->at.us,
		.last_us = g->at.us,
		.by = ""};
}

static uint8_t moved_in(const struct seen *s, const struct flow *f)
{
	uint32_t i = seen_find(s, f->head.proto, f->head.end, NULL, (struct wall){f->head.first_us});

	return i != NO_INDEX ? s->moved[i] : 0;
}

/* A flow's, or that of all of an aggregate's members; of those the talks become the attack's where mark. */
static enum status moved_of(uint8_t *moved, struct seen *s, struct tracer *t, const struct ip *relay,
	const struct flow *f, bool mark, struct err *e)
{
	const struct flow **member;
	size_t n;
	enum status st = trace_members(t, relay, f, &member, &n, e);

	*moved = f->members ? 0 : moved_in(s, f);
	for (size_t i = 0; st == STATUS_OK && i < n; i++) {
		uint32_t k = seen_find(s, member[i]->head.proto, member[i]->head.end, NULL,
			(struct wall){member[i]->head.first_us});
		if (k == NO_INDEX || s->rec.flow[k].head.first_us > member[i]->last_us ||
			s->rec.flow[k].last_us < member[i]->head.first_us)
			continue;
		*moved |= s->moved[k];
		s->talk[s->talk_of[k]].attack = s->talk[s->talk_of[k]].attack || mark;
	}
	return st;
}

/* A candidate that is not proven is worth a step only where it is more than a guess: better than the best of
 * M by chance. */
static bool hop_counts(const struct hop *h, bool proven)
{
	return h->best.flow && (proven || h->best.link.max_log10_e > log10((double)h->searched));
}

/* flawed: the audit found numbers here to be too high, and what is not proven was not held against the alpha
 * that allows for it. */
static void decided(struct step *k, const struct link_result *l, bool flawed)
{
	bool audit = flawed && !k->proven && l->verdict != LINK_UNDECIDABLE;

	k->undecidable = audit || l->verdict == LINK_UNDECIDABLE;
	k->why_not = audit ? LINK_REASON_AUDIT : l->reason;
}

enum status path_of_chain(
	struct path *to, const struct chain *c, int from, struct seen *s, struct tracer *t, struct err *e)
{
	enum status st = STATUS_OK;

	step_of_flow(&to->step[0], c->attack, from, moved_in(s, c->attack));
	to->n_step = 1;
	to->origin = c->end_host;
	for (size_t i = 0; i < c->n_hop && to->n_step < PATH_STEPS; i++) {
		const struct hop *h = &c->hop[i];
		int side = h->best.flow ? flow_side(h->best.flow, &h->relay) : -1;
		struct step *k = &to->step[to->n_step];
		uint8_t moved;
		if (side < 0 || !hop_counts(h, i < c->n_proven))
			break;
		st = moved_of(&moved, s, t, &h->relay, h->best.flow, i < c->n_proven, e);
		if (st != STATUS_OK)
			break;
		step_of_flow(k, h->best.flow, !side, moved);
		k->log10_e = h->best.link.max_log10_e;
		k->searched = h->searched;
		k->proven = i < c->n_proven;
		decided(k, &h->best.link, tracer_flawed(t));
		to->n_step++;
	}
	return st;
}

/* ---- by claims ---- */

static int link_order(const void *a, const void *b)
{
	const struct told_link *x = a, *y = b;
	int c = ip_compare(&x->relay, &y->relay);

	if (c == 0)
		c = x->withheld - y->withheld;
	if (c == 0)
		c = (x->made.us < y->made.us) - (x->made.us > y->made.us);
	if (c == 0)
		c = strcmp(x->in_text, y->in_text);
	return c ? c : strcmp(x->by, y->by);
}

enum status told_links_read(struct told_links *to, const struct attack_case *c, const struct tracer *t,
	struct arena *a, struct err *e)
{
	*to = (struct told_links){.link = arena_array(a, c->n_claim + 1, sizeof(*to->link))};
	if (!to->link)
		return err_nomem(e);
	for (size_t i = 0; i < c->n_claim; i++) {
		struct told_link *l = &to->link[to->n];
		if (!told_link_read(l, &c->claim[i], a))
			continue;
		l->withheld = told_link_withheld(l, t);
		to->n++;
	}
	if (to->n)
		qsort(to->link, to->n, sizeof(*to->link), link_order);
	return STATUS_OK;
}

static size_t links_first(const struct told_links *l, const struct ip *relay)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (ip_compare(&l->link[mid].relay, relay) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Is the step's flow one of those that are OUT together? */
static bool link_feeds_one(const struct told_link *l, const struct step *s)
{
	const struct endpoint *opener = &s->end[s->reverse], *other = &s->end[!s->reverse];

	return !l->out[0].hidden && !l->out[1].hidden && l->proto == s->proto && s->last_us > 0 &&
	       s->first_us <= l->out_life.to_us && l->out_life.from_us <= s->last_us &&
	       ip_equal(&l->out[0].end.ip, &opener->ip) && endpoint_equal(&l->out[1].end, other);
}

/* Is OUT of the link this step's flow, whichever end is named first? */
static bool link_feeds(const struct told_link *l, const struct step *s)
{
	if (l->out_members)
		return link_feeds_one(l, s);
	for (int k = 0; k < 2; k++)
		if (!l->out[0].hidden && !l->out[1].hidden && l->proto == s->proto &&
			endpoint_equal(&l->out[k].end, &s->end[0]) &&
			endpoint_equal(&l->out[!k].end, &s->end[1]))
			return true;
	return false;
}

static const struct told_link *link_into(const struct told_links *l, const struct step *s, bool own)
{
	const struct ip *relay = &s->end[0].ip;

	for (size_t i = links_first(l, relay); i < l->n && ip_equal(&l->link[i].relay, relay); i++)
		if ((own || *l->link[i].by) && link_feeds(&l->link[i], s))
			return &l->link[i];
	return NULL;
}

/* The end of IN that is not the relay; -1: neither is. */
static int far_end(const struct told_link *l)
{
	for (int k = 0; k < 2; k++)
		if (!l->in[k].hidden && ip_equal(&l->in[k].end.ip, &l->relay))
			return !k;
	return -1;
}

/* Is anything left of the leg?  i: the flow as it was found, of those together NO_INDEX. */
static bool leg_left(const struct told_link *l, int far, uint32_t i, const struct seen *s)
{
	size_t first;

	if (l->in_members && !l->in[far].hidden)
		return seen_of_host(s, &l->in[far].end.ip, &first) > 0;
	return i != NO_INDEX;
}

/* A leg that a partner names may have passed here too; an own one did, if long ago. */
static void step_of_link(
	struct step *to, const struct told_link *l, int far, const struct step *out, const struct seen *s)
{
	struct endpoint end[2] = {l->in[far].end, l->in[!far].end};
	uint32_t i = l->in[far].hidden || l->in_members
			     ? NO_INDEX
			     : seen_find(s, l->proto, end, NULL, (struct wall){out->first_us});

	*to = (struct step){.proto = l->proto, .end = {end[0], end[1]}};
	if (i != NO_INDEX) {
		const struct flow *f = &s->rec.flow[i];
		step_of_flow(to, f, flow_side(f, &end[0].ip), s->moved[i]);
	}
	if (l->in_members) {
		to->members = l->in_members;
		to->first_us = l->in_life.from_us;
		to->last_us = l->in_life.to_us;
	}
	to->recorded = i != NO_INDEX || !*l->by;
	to->gone = !*l->by && (!out->recorded || out->gone || !leg_left(l, far, i, s));
	to->hidden = l->in[far].hidden;
	to->reverse = l->in_opened;
	to->log10_e = l->log10_e;
	to->searched = l->searched;
	to->proven = !l->withheld;
	to->undecidable = l->withheld;
	to->why_not = l->withheld ? LINK_REASON_AUDIT : LINK_REASON_NONE;
	to->by = l->by;
}

static bool in_path(const struct path *p, const struct ip *host)
{
	for (size_t i = 0; i < p->n_step; i++)
		if (ip_equal(&p->step[i].end[0].ip, host))
			return true;
	return false;
}

static size_t proven_steps(const struct path *p)
{
	size_t n = 1;

	while (n < p->n_step && p->step[n].proven)
		n++;
	return n;
}

void path_extend(struct path *p, const struct told_links *l, const struct seen *s, bool own)
{
	size_t n = proven_steps(p);

	while (n < PATH_STEPS && !p->step[n - 1].hidden) {
		const struct told_link *k = link_into(l, &p->step[n - 1], own);
		int far = k ? far_end(k) : -1;
		if (far < 0 || in_path(p, &k->in[far].end.ip))
			break;
		step_of_link(&p->step[n], k, far, &p->step[n - 1], s);
		p->origin = p->step[n].end[0].ip;
		p->n_step = ++n; /* what was merely likely makes room for what is proven */
	}
}
