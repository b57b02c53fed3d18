/* Other ways by which the attack can come back, as far as they were seen: attacks of the case that an option
 * leaves, relays that other cases know, hosts beside the attacker that reach the same target, and hosts of
 * ours that the origin talks to.  What was not seen is not guessed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "plan/make_in.h"

#define WAYS_MOST   256 /* that are collected for all options */
#define LOOKED_MOST 64  /* origins, targets and networks that are looked at */

static bool way_add(struct ways *w, struct making *m, uint8_t proto, const struct endpoint *from,
	const struct endpoint *to, const char *text)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->way[i].text, text) == 0)
			return true;
	if (w->n == WAYS_MOST)
		return true;
	struct way *k = &w->way[w->n];
	*k = (struct way){proto, {*from, *to}, arena_str(&m->arena, text)};
	w->n += k->text != NULL;
	return k->text != NULL;
}

/* "192.0.2.10 tcp 22" */
static char *target_text(char to[FLOW_TEXT], uint8_t proto, const struct endpoint *end)
{
	char ip[IP_TEXT], name[8];

	if (end->port)
		(void)snprintf(
			to, FLOW_TEXT, "%s %s %u", ip_text(ip, &end->ip), proto_name(name, proto), end->port);
	else
		(void)snprintf(to, FLOW_TEXT, "%s %s", ip_text(ip, &end->ip), proto_name(name, proto));
	return to;
}

/* ---- addresses of this case ---- */

struct look {
	struct ip *ip;
	size_t n;
};

static int ip_sort(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static bool look_has(const struct look *l, const struct ip *ip)
{
	return bsearch(ip, l->ip, l->n, sizeof(*ip), ip_sort) != NULL;
}

/* Addresses of this case: of a step's end, or origins (end -1); sorted, each once. */
static bool look_make(struct look *l, struct making *m, int end)
{
	size_t k = 0;

	l->n = m->paths.n_this;
	l->ip = arena_array(&m->arena, l->n + 1, sizeof(*l->ip));
	if (!l->ip)
		return false;
	for (size_t i = 0; i < l->n; i++)
		l->ip[i] = end < 0 ? m->paths.path[i].origin : m->paths.path[i].step[0].end[end].ip;
	qsort(l->ip, l->n, sizeof(*l->ip), ip_sort);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || !ip_equal(&l->ip[i], &l->ip[i - 1]))
			l->ip[k++] = l->ip[i];
	l->n = k;
	return true;
}

/* ---- other cases ---- */

static bool by_cases(struct ways *w, struct making *m, const struct look *target)
{
	char text[PLAN_TEXT_MAX + 1], from[IP_TEXT], to[FLOW_TEXT], id[ID_TEXT];

	for (size_t i = m->paths.n_this; i < m->paths.n; i++) {
		const struct path *p = &m->paths.path[i];
		const struct step *s = &p->step[0];
		bool same_target = look_has(target, &s->end[1].ip);
		if (!same_target && !p->same_end)
			continue;
		(void)snprintf(text, sizeof(text), "%s attacked %s in case %.12s%s",
			ip_text(from, &s->end[0].ip), target_text(to, s->proto, &s->end[1]),
			id_text(id, &p->case_id), p->same_end ? ", which ends in the same network" : "");
		if (!way_add(w, m, s->proto, &s->end[0], &s->end[1], text))
			return false;
	}
	return true;
}

/* ---- the recording ---- */

/* Others in the network of an attacker that reach the port that he attacked. */
static bool beside(struct ways *w, struct making *m, const struct path *p)
{
	const struct step *s = &p->step[0];
	struct prefix n = network_of(&s->end[0].ip);
	char text[PLAN_TEXT_MAX + 1], from[IP_TEXT], to[FLOW_TEXT];
	size_t first, i;

	(void)seen_of_host(&m->seen, &n.ip, &first);
	for (i = first; i < 2 * m->seen.rec.n_flow && prefix_has(&n, &m->seen.by_host[i].ip); i++) {
		const struct host_flow *h = &m->seen.by_host[i];
		const struct flow_head *f = &m->seen.rec.flow[h->flow].head;
		struct endpoint end[2] = {f->end[h->end], f->end[!h->end]};
		if (m->seen.talk[m->seen.talk_of[h->flow]].attack || f->proto != s->proto ||
			!endpoint_equal(&end[1], &s->end[1]) || ip_equal(&end[0].ip, &s->end[0].ip))
			continue;
		(void)snprintf(text, sizeof(text), "%s, in the attacker's network, reaches %s too",
			ip_text(from, &end[0].ip), target_text(to, s->proto, &end[1]));
		if (!way_add(w, m, s->proto, &end[0], &end[1], text))
			return false;
	}
	return true;
}

/* Whom else the origin talks to: a relay that the case does not know yet may be among them. */
static bool by_origin(struct ways *w, struct making *m, const struct ip *origin)
{
	char text[PLAN_TEXT_MAX + 1], from[IP_TEXT], to[FLOW_TEXT];
	size_t first, n = seen_of_host(&m->seen, origin, &first);

	for (size_t i = first; i < first + n; i++) {
		const struct host_flow *h = &m->seen.by_host[i];
		const struct flow *g = &m->seen.rec.flow[h->flow];
		struct endpoint end[2] = {g->head.end[h->end], g->head.end[!h->end]};
		bool opened = flow_opener(g) == h->end;
		if (m->seen.talk[m->seen.talk_of[h->flow]].attack)
			continue;
		struct endpoint named = end[1];
		named.port = opened ? named.port : 0; /* a port of the moment says nothing */
		(void)snprintf(text, sizeof(text), "%s, where the attack comes from, talks with %s too",
			ip_text(from, origin), target_text(to, g->head.proto, &named));
		if (!way_add(w, m, g->head.proto, &end[0], &end[1], text))
			return false;
	}
	return true;
}

enum status ways_find(struct ways *to, struct making *m, struct err *e)
{
	struct look target, origin;
	bool good;

	*to = (struct ways){.way = arena_array(&m->arena, WAYS_MOST, sizeof(*to->way))};
	good = to->way && look_make(&target, m, 1) && look_make(&origin, m, -1) && by_cases(to, m, &target);
	for (size_t i = 0; i < m->paths.n_this && i < LOOKED_MOST && good; i++)
		good = beside(to, m, &m->paths.path[i]);
	for (size_t i = 0; i < origin.n && i < LOOKED_MOST && good; i++)
		good = by_origin(to, m, &origin.ip[i]);
	return good ? STATUS_OK : err_nomem(e);
}

/* ---- of one option ---- */

static bool closed_by(const struct match *t, const struct draw *d, const struct way *w)
{
	if (!rule_hits(&t->rule, w->proto, &w->end[0], &w->end[1]))
		return false;
	for (uint32_t c = t->choice; c < t->choice + t->n_choice; c++)
		if (d->taken[c])
			return true;
	return false;
}

/* Does an action of the option hit it?  A rate limit closes no way. */
static bool closed(const struct making *m, const struct draw *d, const struct way *w)
{
	uint32_t in[SOURCES_OF];
	struct run run[RUNS_TO];
	size_t n = sources_of(m, &w->end[0].ip, UINT8_MAX, in);

	for (size_t i = 0; i < n; i++) {
		matches_to(m, &m->source[in[i]], &w->end[1].ip, run);
		for (int r = 0; r < RUNS_TO; r++)
			for (uint32_t k = run[r].first; k < run[r].end; k++)
				if (closed_by(&m->match[k], d, w))
					return true;
	}
	return false;
}

static size_t attacks_left(const struct making *m, const struct draw *d)
{
	size_t n = 0;

	for (size_t i = 0; i < m->paths.n_this; i++)
		n += d->share[i] < GAIN_UNIT;
	return n;
}

enum status ways_left(
	struct option *o, const struct ways *w, struct making *m, const struct draw *d, struct err *e)
{
	char text[PLAN_TEXT_MAX + 1], count[COUNT_TEXT];
	size_t left = attacks_left(m, d), more = 0;

	o->way = arena_array(m->out, PLAN_WAYS, sizeof(*o->way));
	if (!o->way)
		return err_nomem(e);
	(void)snprintf(text, sizeof(text), "%s of this case %s not, or not wholly, stopped",
		counted(count, left, "attack flow"), left == 1 ? "is" : "are");
	if (left && !(o->way[o->n_way++] = arena_str(m->out, text)))
		return err_nomem(e);
	for (size_t i = 0; i < w->n; i++) {
		if (closed(m, d, &w->way[i]))
			continue;
		if (o->n_way == PLAN_WAYS - 1 && ++more)
			continue;
		if (!(o->way[o->n_way++] = arena_str(m->out, w->way[i].text)))
			return err_nomem(e);
	}
	(void)snprintf(text, sizeof(text), "and %s more", counted(count, more, "way"));
	if (more && !(o->way[o->n_way++] = arena_str(m->out, text)))
		return err_nomem(e);
	return STATUS_OK;
}
