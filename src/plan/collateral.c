/* Collateral: whom each rule hits besides the attack, in the recording's last hours.
 *
 * One pass over the flows: each end's address finds the rules that come from it, by prefix.  A flow is lost
 * when its packets of either direction are.  What has an end at an address and is not of the attack shows
 * that others stand behind it; that nobody does is only known where a whole day of it was seen. */
#include "plan/make_in.h"

/* What flow `flow`, whose end k has an address of the source, means for it. */
static bool source_hit(struct making *m, struct origin *s, uint32_t flow, int k)
{
	const struct flow_head *h = &m->seen.rec.flow[flow].head;
	uint32_t talk = m->seen.talk_of[flow];
	struct run run[RUNS_TO];

	s->covered = (!s->seen || s->covered) && m->seen.covered[flow];
	s->seen = true;
	if (m->seen.talk[talk].attack)
		return true;
	if (!ids_add(&s->talks, talk, &m->arena))
		return false;
	matches_to(m, s, &h->end[!k].ip, run);
	for (int r = 0; r < RUNS_TO; r++)
		for (uint32_t i = run[r].first; i < run[r].end; i++)
			if (rule_hits(&m->match[i].rule, h->proto, &h->end[k], &h->end[!k]) &&
				!ids_add(&m->match[i].talks, talk, &m->arena))
				return false;
	return true;
}

static void shared_judge(struct origin *s)
{
	if (s->talks.n)
		s->shared = SHARED_YES;
	else if (s->seen && s->covered && rule_is_host(&s->from))
		s->shared = SHARED_NO;
	else
		s->shared = SHARED_UNKNOWN;
}

/* Sources are sorted by address: those inside of one stand behind it. */
static void hosts_find(struct making *m, uint32_t i)
{
	struct origin *s = &m->source[i];

	s->first_host = i;
	if (rule_is_host(&s->from)) {
		s->n_host = 1;
		return;
	}
	while (s->first_host > 0 && prefix_has(&s->from, &m->source[s->first_host - 1].from.ip))
		s->first_host--;
	for (uint32_t k = s->first_host; k < m->n_source && prefix_has(&s->from, &m->source[k].from.ip); k++)
		s->n_host = k - s->first_host + 1;
}

/* Flows, then (numbered behind all flows) the addresses that others stand behind, or may. */
static bool cost_make(struct making *m, struct match *t)
{
	const struct origin *s = &m->source[t->source];
	bool good = true;

	for (size_t i = 0; i < t->talks.n && good; i++)
		good = ids_add(&t->cost, t->talks.id[i], &m->arena);
	for (uint32_t k = s->first_host; k < s->first_host + s->n_host && good; k++)
		if (m->source[k].shared != SHARED_NO && (k == t->source || rule_is_host(&m->source[k].from)))
			good = ids_add(&t->cost, (uint32_t)m->seen.n_talk + k, &m->arena);
	return good;
}

enum status collateral_count(struct making *m, struct err *e)
{
	uint32_t in[SOURCES_OF];

	for (uint32_t i = 0; i < m->seen.rec.n_flow; i++)
		for (int k = 0; k < 2; k++) {
			size_t n = sources_of(m, &m->seen.rec.flow[i].head.end[k].ip, UINT8_MAX, in);
			for (size_t j = 0; j < n; j++)
				if (!source_hit(m, &m->source[in[j]], i, k))
					return err_nomem(e);
		}
	for (uint32_t i = 0; i < m->n_source; i++) {
		ids_settle(&m->source[i].talks);
		shared_judge(&m->source[i]);
		hosts_find(m, i);
	}
	for (size_t i = 0; i < m->n_match; i++) {
		ids_settle(&m->match[i].talks);
		if (!cost_make(m, &m->match[i]))
			return err_nomem(e);
	}
	return STATUS_OK;
}
