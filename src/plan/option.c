/* One option: choices come in, an option with its figures goes out. */
#include <stdlib.h>
#include <string.h>

#include "plan/make_in.h"

/* ---- what it stops ---- */

static void shares_find(struct making *m, const struct draw *d)
{
	memset(d->share, 0, m->paths.n * sizeof(*d->share));
	for (size_t i = 0; i < d->n; i++) {
		const struct choice *c = &m->choice[d->choice[i]];
		for (size_t k = 0; k < c->n_gain; k++) {
			uint32_t *s = &d->share[c->gain[k].path];
			*s = c->gain[k].share > *s ? c->gain[k].share : *s;
		}
	}
}

static double part_of(double a, double all)
{
	double part = all > 0 ? a / all : 0;

	return part > 1 ? 1 : part;
}

static void stops_count(struct option *o, const struct making *m, const struct draw *d)
{
	double here = 0, here_all = 0, any = 0, any_all = 0, bytes = 0, bytes_all = 0;

	for (size_t i = 0; i < m->paths.n; i++) {
		const struct path *p = &m->paths.path[i];
		double part = p->weight * d->share[i] / GAIN_UNIT;
		any += p->same_end ? part : 0;
		any_all += p->same_end ? p->weight : 0;
		if (!p->this_case)
			continue;
		here += part;
		here_all += p->weight;
		bytes += (double)p->step[0].bytes * d->share[i] / GAIN_UNIT;
		bytes_all += (double)p->step[0].bytes;
	}
	o->stops = part_of(here, here_all);
	o->stops_all = part_of(any, any_all);
	o->stops_bytes = part_of(bytes, bytes_all);
}

/* ---- whom it hits ---- */

/* Far ends of what is lost. */
struct far {
	struct ip *ip;
	size_t n;
};

static int ip_sort(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static size_t once(struct far *f)
{
	size_t k = 0;

	qsort(f->ip, f->n, sizeof(*f->ip), ip_sort);
	for (size_t i = 0; i < f->n; i++)
		if (i == 0 || !ip_equal(&f->ip[i], &f->ip[i - 1]))
			f->ip[k++] = f->ip[i];
	return k;
}

static enum status peers_count(struct option *o, struct making *m, const struct draw *d, struct err *e)
{
	size_t n = 0;
	struct far f = {0};

	for (size_t i = 0; i < d->n; i++)
		n += m->match[m->choice[d->choice[i]].match].talks.n;
	f.ip = calloc(n + 1, sizeof(*f.ip));
	if (!f.ip)
		return err_nomem(e);
	for (size_t i = 0; i < d->n; i++) {
		const struct match *t = &m->match[m->choice[d->choice[i]].match];
		for (size_t k = 0; k < t->talks.n; k++) {
			const struct flow *g = &m->seen.rec.flow[m->seen.talk[t->talks.id[k]].flow];
			f.ip[f.n++] = g->head.end[prefix_has(&t->rule.from, &g->head.end[0].ip)].ip;
		}
	}
	o->hit.peers = once(&f);
	for (size_t i = 0; i < o->hit.peers && m->p->cfg->n_own; i++) /* without, nobody knows what is ours */
		o->hit.own += config_owns(m->p->cfg, &f.ip[i]);
	free(f.ip);
	return STATUS_OK;
}

/* The worst of what is known of the addresses. */
static void shared_worse(struct bystanders *b, enum shared s)
{
	if (s == SHARED_YES || b->shared == SHARED_NO)
		b->shared = s;
}

/* Every flow that was erased may be a bystander's, of whatever rule. */
static enum status hit_count(struct option *o, struct making *m, const struct draw *d, struct err *e)
{
	struct arena a = {0};
	struct ids cost = {0};
	bool good = true;

	for (size_t i = 0; i < d->n; i++) {
		const struct match *t = &m->match[m->choice[d->choice[i]].match];
		shared_worse(&o->hit, m->source[t->source].shared);
		for (size_t k = 0; k < t->cost.n && good; k++)
			good = ids_add(&cost, t->cost.id[k], &a);
	}
	if (good && cost.n)
		ids_settle(&cost);
	o->collateral = cost.n;
	for (size_t i = 0; i < cost.n && cost.id[i] < m->seen.n_talk; i++) {
		o->hit.flows++;
		o->hit.bytes += m->seen.talk[cost.id[i]].bytes;
	}
	o->collateral += m->seen.erased;
	o->hit.flows += m->seen.erased;
	arena_free(&a);
	return good ? peers_count(o, m, d, e) : err_nomem(e);
}

/* ---- its rules, and whose help they need ---- */

static int action_order(const void *a, const void *b)
{
	const struct action *x = a, *y = b;
	int c = rule_compare(&x->rule, &y->rule);

	return c ? c : strcmp(x->place, y->place);
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void needs_find(struct option *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_action; i++)
		if (*o->action[i].place)
			o->needs[n++] = o->action[i].place;
	qsort(o->needs, n, sizeof(*o->needs), name_order);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(o->needs[i], o->needs[o->n_needs - 1]) != 0)
			o->needs[o->n_needs++] = o->needs[i];
}

static enum status actions_make(struct option *o, struct making *m, const struct draw *d, struct err *e)
{
	uint64_t here = 0;

	o->n_action = d->n;
	o->action = arena_array(m->out, d->n + 1, sizeof(*o->action));
	o->needs = arena_array(m->out, d->n + 1, sizeof(*o->needs));
	if (!o->action || !o->needs)
		return err_nomem(e);
	for (size_t i = 0; i < d->n; i++) {
		const struct choice *c = &m->choice[d->choice[i]];
		o->action[i] = (struct action){choice_rule(m, c), ""};
		here += c->place == 0;
		if (c->place)
			o->action[i].place = arena_str(m->out, m->places.name[c->place]);
		if (!o->action[i].place)
			return err_nomem(e);
	}
	if (here > m->p->cfg->max_rules)
		return STATUS_NO;
	qsort(o->action, o->n_action, sizeof(*o->action), action_order);
	needs_find(o);
	return STATUS_OK;
}

enum status option_make(struct option *to, struct making *m, const struct draw *d, struct err *e)
{
	*to = (struct option){.for_us = m->for_us};
	if (d->n == 0 || d->n > PLAN_ACTIONS)
		return STATUS_NO;
	enum status s = actions_make(to, m, d, e);
	if (s != STATUS_OK)
		return s;
	shares_find(m, d);
	stops_count(to, m, d);
	s = hit_count(to, m, d, e);
	return s == STATUS_OK ? option_words(to, m, d, e) : s;
}
