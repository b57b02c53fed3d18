/* Candidates: on each step of this case's paths the rules that would stop it, at several widths, at each
 * place that could enforce them.
 *
 *     the host to the host that it attacked, protocol and port      nobody else is hit
 *     the host to anybody, protocol and port                        where an address is shared
 *     the host to anybody                                           all that it does
 *     a prefix in which several attackers are, the same two ways    short lists
 *
 * What the enforcing process would refuse anyhow is not offered here: what the configuration protects, and
 * what is wider than it allows.  (The guard knows more: addresses of this machine, gateways, resolvers.) */
#include <stdlib.h>
#include <string.h>

#include "plan/place.h"

/* Prefixes are tried from the narrowest, and down to the widest that the configuration allows. */
#define NARROW4 28
#define WIDE4   24
#define NARROW6 56
#define WIDE6   48

/* A rule at a place, before they are put in order. */
struct draft {
	struct rule rule;
	uint32_t place;
};

struct drafts {
	struct making *m;
	struct draft *draft;
	size_t n, cap;
	bool memory; /* false: it ran out */
};

/* An attacking host of this case. */
struct attacker {
	struct prefix host;
	uint8_t proto; /* of one of its flows */
	uint16_t port;
	bool evident; /* at the alpha of a prefix */
	bool spared;
};

static void draft_add(struct drafts *d, const struct rule *r, uint32_t place)
{
	if (d->memory && d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 256;
		struct draft *room = realloc(d->draft, cap * sizeof(*room));
		d->memory = room != NULL;
		if (room) {
			d->draft = room;
			d->cap = cap;
		}
	}
	if (d->memory && place != NO_INDEX)
		d->draft[d->n++] = (struct draft){*r, place};
	d->memory = d->memory && place != NO_INDEX;
}

/* ---- what may not be offered ---- */

static bool among(const struct prefix *list, size_t n, const struct prefix *p)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_touches(&list[i], p))
			return true;
	return false;
}

static bool never(const struct config *cfg, const struct prefix *p)
{
	const struct prefix *with;

	return p->ip.v == 0 || prefix_nobodys(p, &with) || among(cfg->never_block, cfg->n_never_block, p);
}

/* May a rule from these addresses stand here? */
static bool may_here(const struct config *cfg, const struct prefix *from)
{
	uint64_t widest = from->ip.v == 4 ? cfg->widest_v4 : cfg->widest_v6;

	return !never(cfg, from) && from->len >= widest &&
	       !among(cfg->partner_networks, cfg->n_partner_networks, from);
}

/* And to those?  From inside nothing is protected by being the destination: only a rule to one host that is
 * not protected itself may stand. */
static bool may_to(const struct config *cfg, const struct rule *r)
{
	bool inside = cfg->n_own && among(cfg->own, cfg->n_own, &r->from);

	return !inside || (r->to.len > 0 && !never(cfg, &r->to) &&
				  !among(cfg->partner_networks, cfg->n_partner_networks, &r->to));
}

/* ---- the rules of one step ---- */

#define RULES_OF 3

static struct prefix anybody(const struct ip *family)
{
	return (struct prefix){.ip = {.v = family->v}};
}

static size_t rules_of(struct rule to[RULES_OF], const struct step *s)
{
	struct rule r = {.from = s->hidden ? prefix_of(&s->end[0].ip, (uint8_t)(s->hidden - 1))
					   : rule_host(&s->end[0].ip),
		.to = rule_host(&s->end[1].ip),
		.proto = s->proto,
		.port = s->reverse ? 0 : s->end[1].port};
	size_t n = 0;

	if (!rule_valid(&r))
		r.port = 0; /* a protocol without ports */
	if (!s->translated && rule_valid(&r))
		to[n++] = r;
	r.to = anybody(&r.from.ip);
	if (r.port && rule_valid(&r))
		to[n++] = r;
	r.port = 0;
	r.proto = 0;
	if (rule_valid(&r))
		to[n++] = r;
	return n;
}

static void step_drafts(struct drafts *d, const struct path *p, size_t k)
{
	struct making *m = d->m;
	const struct step *s = &p->step[k];
	char network[PREFIX_TEXT];
	struct rule rule[RULES_OF];
	size_t n = rules_of(rule, s);

	if (n == 0 || never(m->p->cfg, &rule[0].from))
		return;
	bool here = step_here(m, p, k) && !s->hidden && may_here(m->p->cfg, &rule[0].from);
	bool by = *s->by && place_willing(m, s->by);
	bool there = !s->hidden && step_network(m, s, network) && place_willing(m, network);
	for (size_t i = 0; i < n; i++) {
		if (here && may_to(m->p->cfg, &rule[i]))
			draft_add(d, &rule[i], 0);
		if (by)
			draft_add(d, &rule[i], place_add(m, s->by));
		if (there)
			draft_add(d, &rule[i], place_add(m, network));
	}
}

/* ---- prefixes ---- */

static int attacker_order(const void *a, const void *b)
{
	const struct attacker *x = a, *y = b;
	int c = memcmp(&x->host, &y->host, sizeof(x->host));

	return c ? c : y->evident - x->evident;
}

static struct attacker attacker_of(const struct making *m, const struct path *p, size_t k)
{
	const struct step *s = &p->step[k];
	struct sufficiency wide;
	struct attacker t = {
		.host = rule_host(&s->end[0].ip), .proto = s->proto, .port = s->reverse ? 0 : s->end[1].port};

	sufficient(&wide, p, k, WIDTH_WIDE, &m->alphas);
	t.evident = wide.ok;
	t.spared = step_here(m, p, k) && !may_here(m->p->cfg, &t.host);
	return t;
}

/* Attacking hosts of this case that can be blocked here, each once, those with the best evidence. */
static enum status attackers_find(struct making *m, struct attacker **to, size_t *n, struct err *e)
{
	size_t most = 0, k = 0;

	for (size_t i = 0; i < m->paths.n_this; i++)
		most += m->paths.path[i].n_step;
	struct attacker *list = arena_array(&m->arena, most + 1, sizeof(*list));
	if (!list)
		return err_nomem(e);
	*n = 0;
	for (size_t i = 0; i < m->paths.n_this; i++)
		for (size_t j = 0; j < m->paths.path[i].n_step; j++)
			if (!m->paths.path[i].step[j].hidden && step_here(m, &m->paths.path[i], j))
				list[k++] = attacker_of(m, &m->paths.path[i], j);
	qsort(list, k, sizeof(*list), attacker_order);
	for (size_t i = 0; i < k; i++) {
		if (i && memcmp(&list[i].host, &list[i - 1].host, sizeof(list[i].host)) == 0)
			continue;
		m->spared += list[i].spared;
		list[(*n)++] = list[i];
	}
	*to = list;
	return STATUS_OK;
}

/* Of hosts that stand in one prefix of this length: the rules, unless a narrower prefix holds them all. */
static void prefix_drafts(struct drafts *d, const struct attacker *t, size_t n, uint8_t len, uint8_t narrow)
{
	struct prefix p = prefix_of(&t->host.ip, len), half = prefix_of(&t->host.ip, (uint8_t)(len + 1));
	struct rule r = {.from = p, .to = anybody(&p.ip), .proto = t->proto, .port = t->port};

	if (n < 2 || (len < narrow && prefix_has(&half, &t[n - 1].host.ip)))
		return;
	for (size_t i = 1; i < n; i++)
		if (t[i].proto != r.proto || t[i].port != r.port)
			r.port = 0;
	if (!may_here(d->m->p->cfg, &p) || !may_to(d->m->p->cfg, &r))
		return;
	if (r.port && rule_valid(&r))
		draft_add(d, &r, 0);
	r.proto = 0;
	r.port = 0;
	draft_add(d, &r, 0);
}

static void prefixes_drafts(struct drafts *d, const struct attacker *t, size_t n, uint8_t len, uint8_t v)
{
	for (size_t i = 0, k; i < n; i = k) {
		struct prefix p = prefix_of(&t[i].host.ip, len);
		for (k = i + 1; k < n && prefix_has(&p, &t[k].host.ip); k++)
			;
		if (t[i].host.ip.v == v)
			prefix_drafts(d, &t[i], k - i, len, v == 4 ? NARROW4 : NARROW6);
	}
}

/* ---- in order ---- */

static int draft_order(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;
	int c = memcmp(&x->rule.from, &y->rule.from, sizeof(x->rule.from));

	if (c == 0)
		c = rule_compare(&x->rule, &y->rule);
	return c ? c : (x->place > y->place) - (x->place < y->place);
}

/* Sources, matches and choices out of drafts in order. */
static void settle(struct making *m, const struct draft *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct draft *b = i ? &d[i - 1] : NULL;
		bool source = !b || memcmp(&b->rule.from, &d[i].rule.from, sizeof(b->rule.from)) != 0;
		bool match = source || rule_compare(&b->rule, &d[i].rule) != 0;
		if (source)
			m->source[m->n_source++] =
				(struct origin){.from = d[i].rule.from, .match = (uint32_t)m->n_match};
		if (match) {
			m->match[m->n_match++] = (struct match){.rule = d[i].rule,
				.source = (uint32_t)m->n_source - 1,
				.choice = (uint32_t)m->n_choice};
			m->source[m->n_source - 1].n_match++;
		}
		if (match || b->place != d[i].place) {
			m->choice[m->n_choice++] = (struct choice){.match = (uint32_t)m->n_match - 1,
				.place = d[i].place,
				.ground = {.path = NO_INDEX},
				.as_rate = {.path = NO_INDEX}};
			m->match[m->n_match - 1].n_choice++;
		}
	}
}

/* The prefix lengths that sources have, the widest first. */
static void lengths_find(struct making *m)
{
	bool used[2][129] = {{false}};

	for (size_t i = 0; i < m->n_source; i++)
		used[m->source[i].from.ip.v == 6][m->source[i].from.len] = true;
	for (int v = 0; v < 2; v++)
		for (unsigned len = 0; len < 129; len++)
			if (used[v][len])
				m->len[v][m->n_len[v]++] = (uint8_t)len;
}

/* Twice as many choices: each may get a rate limit beside it. */
static enum status arrays_make(struct making *m, const struct drafts *d, struct err *e)
{
	m->source = arena_array(&m->arena, d->n + 1, sizeof(*m->source));
	m->match = arena_array(&m->arena, d->n + 1, sizeof(*m->match));
	m->choice = arena_array(&m->arena, 2 * d->n + 1, sizeof(*m->choice));
	if (!d->memory || !m->source || !m->match || !m->choice)
		return err_nomem(e);
	if (d->n)
		qsort(d->draft, d->n, sizeof(*d->draft), draft_order);
	settle(m, d->draft, d->n);
	lengths_find(m);
	return STATUS_OK;
}

/* How many hosts of each prefix are attackers beyond doubt. */
static void evident_count(struct making *m, const struct attacker *t, size_t n)
{
	uint32_t in[SOURCES_OF];

	for (size_t i = 0; i < n; i++) {
		size_t k = t[i].evident ? sources_of(m, &t[i].host.ip, t[i].host.len, in) : 0;
		while (k-- > 0)
			m->source[in[k]].evident++;
	}
}

enum status choices_make(struct making *m, struct err *e)
{
	struct drafts d = {.m = m, .memory = place_add(m, "") == 0};
	struct attacker *t = NULL;
	size_t n = 0;
	enum status s = attackers_find(m, &t, &n, e);

	for (size_t i = 0; i < m->paths.n_this && s == STATUS_OK; i++)
		for (size_t k = 0; k < m->paths.path[i].n_step; k++)
			step_drafts(&d, &m->paths.path[i], k);
	for (uint8_t len = WIDE4; len <= NARROW4 && s == STATUS_OK; len++)
		prefixes_drafts(&d, t, n, len, 4);
	for (uint8_t len = WIDE6; len <= NARROW6 && s == STATUS_OK; len++)
		prefixes_drafts(&d, t, n, len, 6);
	if (s == STATUS_OK)
		s = arrays_make(m, &d, e);
	if (s == STATUS_OK)
		evident_count(m, t, n);
	free(d.draft);
	return s;
}
