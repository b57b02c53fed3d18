/* Gains: which paths each candidate stops, and on what evidence; and the rate limits, as far as they stop
 * anything. */
#include <stdlib.h>
#include <string.h>

#include "plan/make_in.h"

/* Candidates that a rate limit would stop less of are not made ones. */
#define SHARE_LEAST (GAIN_UNIT / 100)

static uint32_t source_find(const struct making *m, const struct prefix *p)
{
	size_t lo = 0, hi = m->n_source;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (memcmp(&m->source[mid].from, p, sizeof(*p)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->n_source && memcmp(&m->source[lo].from, p, sizeof(*p)) == 0 ? (uint32_t)lo : NO_INDEX;
}

size_t sources_of(const struct making *m, const struct ip *ip, uint8_t longest, uint32_t to[SOURCES_OF])
{
	int v = ip->v == 6;
	size_t n = 0;

	for (size_t i = 0; i < m->n_len[v] && m->len[v][i] <= longest; i++) {
		struct prefix p = prefix_of(ip, m->len[v][i]);
		uint32_t k = source_find(m, &p);
		if (k != NO_INDEX)
			to[n++] = k;
	}
	return n;
}

/* The first of the source's matches whose destination is not before p: they are sorted by it. */
static uint32_t match_first(const struct making *m, const struct origin *s, const struct prefix *p)
{
	uint32_t lo = s->match, hi = s->match + s->n_match;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct prefix *to = &m->match[mid].rule.to;
		int c = ip_compare(&to->ip, &p->ip);
		if (c < 0 || (c == 0 && to->len < p->len))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void matches_to(const struct making *m, const struct origin *s, const struct ip *to, struct run run[RUNS_TO])
{
	const struct prefix of[RUNS_TO] = {{.ip = {.v = to->v}}, rule_host(to)};

	for (int i = 0; i < RUNS_TO; i++) {
		uint32_t end = match_first(m, s, &of[i]);
		run[i].first = end;
		while (end < s->match + s->n_match && m->match[end].rule.to.len == of[i].len &&
			ip_equal(&m->match[end].rule.to.ip, &of[i].ip))
			end++;
		run[i].end = end;
	}
}

struct rule choice_rule(const struct making *m, const struct choice *c)
{
	struct rule r = m->match[c->match].rule;

	if (c->rate) {
		r.action = RULE_RATE;
		r.rate = c->rate;
	}
	return r;
}

enum width choice_width(const struct making *m, const struct choice *c)
{
	struct rule r = choice_rule(m, c);

	return rule_width(&r, m->for_us);
}

/* ---- evidence ---- */

/* The better of the ground that is there and step k of path i. */
static void ground_better(const struct making *m, struct ground *g, uint32_t i, uint32_t k, enum width w)
{
	struct sufficiency s;

	sufficient(&s, &m->paths.path[i], k, w, &m->alphas);
	struct ground now = {s.ok, s.log10_e, s.needed, i, k};
	bool better = g->path == NO_INDEX || (now.ok && !g->ok) ||
		      (now.ok == g->ok && now.log10_e - now.needed > g->log10_e - g->needed);
	if (better)
		*g = now;
}

/* Here only prefixes that were made of hosts are blocked; what a partner disclosed of a host, at his place.
 */
bool choice_is_prefix(const struct making *m, const struct choice *c)
{
	return c->place == 0 && !rule_is_host(&m->match[c->match].rule.from);
}

static void ground_add(struct making *m, struct choice *c, uint32_t path, uint32_t step)
{
	if (choice_is_prefix(m, c))
		return;
	ground_better(m, &c->ground, path, step, choice_width(m, c));
	if (rule_is_host(&m->match[c->match].rule.from))
		ground_better(m, &c->as_rate, path, step, WIDTH_RATE);
}

/* ---- who stops what ---- */

static bool gain_add(struct making *m, struct choice *c, uint32_t path, const struct step *s)
{
	bool first = c->n_gain == 0;

	if (!first && c->gain[c->n_gain - 1].path == path)
		return true;
	if (c->n_gain == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 2;
		struct gain *room = arena_array(&m->arena, cap, sizeof(*room));
		if (!room)
			return false;
		if (!first)
			memcpy(room, c->gain, c->n_gain * sizeof(*room));
		c->gain = room;
		c->cap = cap;
	}
	c->gain[c->n_gain++] = (struct gain){path, GAIN_UNIT};
	c->unmeasured = c->unmeasured || !s->packets;
	if (s->packets) {
		c->first_us = c->packets && c->first_us < s->first_us ? c->first_us : s->first_us;
		c->last_us = c->packets && c->last_us > s->last_us ? c->last_us : s->last_us;
		c->packets += s->packets;
	}
	return true;
}

static bool at_place(const struct choice *c, const struct reach *r)
{
	return c->place == 0 ? r->here : c->place == r->by || c->place == r->network;
}

/* The step and a match: those choices of it gain that are made where the step passes. */
static bool match_gains(struct making *m, const struct match *t, uint32_t path, uint32_t k)
{
	const struct path *p = &m->paths.path[path];
	const struct step *s = &p->step[k];
	struct reach r = reach_of(m, p, k);

	if (!rule_hits(&t->rule, s->proto, &s->end[0], &s->end[1]) || (s->translated && t->rule.to.len))
		return true;
	for (uint32_t x = t->choice; x < t->choice + t->n_choice; x++) {
		if (!at_place(&m->choice[x], &r))
			continue;
		if (!gain_add(m, &m->choice[x], path, s))
			return false;
		if (p->this_case)
			ground_add(m, &m->choice[x], path, k);
	}
	return true;
}

static bool step_gains(struct making *m, uint32_t path, uint32_t k)
{
	const struct step *s = &m->paths.path[path].step[k];
	uint32_t in[SOURCES_OF];
	struct run run[RUNS_TO];
	size_t n = sources_of(m, &s->end[0].ip, s->hidden ? (uint8_t)(s->hidden - 1) : UINT8_MAX, in);

	for (size_t i = 0; i < n; i++) {
		matches_to(m, &m->source[in[i]], &s->end[1].ip, run);
		for (int r = 0; r < RUNS_TO; r++)
			for (uint32_t j = run[r].first; j < run[r].end; j++)
				if (!match_gains(m, &m->match[j], path, k))
					return false;
	}
	return true;
}

/* ---- rate limits ---- */

/* Of what came, on average over the time in which it came, the share that does not pass. */
static uint32_t share_stopped(const struct choice *c, uint64_t rate)
{
	int64_t us = c->last_us - c->first_us > SECOND_US ? c->last_us - c->first_us : SECOND_US;
	double per_second = (double)c->packets * (double)SECOND_US / (double)us;

	return per_second > (double)rate ? (uint32_t)(GAIN_UNIT * (1 - (double)rate / per_second)) : 0;
}

static enum status rate_add(struct making *m, const struct choice *drop, struct err *e)
{
	uint64_t rate = m->p->cfg->rate_limit;
	uint32_t share = share_stopped(drop, rate);
	struct choice *c = &m->choice[m->n_choice];

	if (drop->place != 0 || drop->unmeasured || share < SHARE_LEAST ||
		!rule_is_host(&m->match[drop->match].rule.from))
		return STATUS_OK;
	*c = *drop;
	c->rate = (uint32_t)rate;
	c->ground = drop->as_rate;
	c->gain = arena_array(&m->arena, drop->n_gain + 1, sizeof(*c->gain));
	if (!c->gain)
		return err_nomem(e);
	for (size_t i = 0; i < drop->n_gain; i++)
		c->gain[i] = (struct gain){drop->gain[i].path, share};
	m->n_choice++;
	return STATUS_OK;
}

enum status gains_find(struct making *m, struct err *e)
{
	enum status s = STATUS_OK;
	size_t drops = m->n_choice;

	for (uint32_t i = 0; i < m->paths.n; i++)
		for (uint32_t k = 0; m->paths.path[i].same_end && k < m->paths.path[i].n_step; k++)
			if (!step_gains(m, i, k))
				return err_nomem(e);
	for (size_t i = 0; i < drops; i++) {
		struct choice *c = &m->choice[i];
		struct sufficiency whole;
		if (!choice_is_prefix(m, c))
			continue;
		sufficient_prefix(&whole, &m->match[c->match].rule.from,
			m->source[m->match[c->match].source].evident, &m->alphas);
		c->ground.ok = whole.ok;
	}
	for (size_t i = 0; i < drops && s == STATUS_OK; i++)
		s = rate_add(m, &m->choice[i], e);
	return s;
}
