/* A bundle beside one's own recording: see here.h. */
#include "ask/here.h"

#include <stdio.h>
#include <string.h>

/* The train that a claim brings to be looked for: "" for none. */
static const char *brings(const struct checked_claim *c, bool answer)
{
	switch (c->s.kind) {
	case STATES_ATTACK:
	case STATES_SEEN:
		return c->s.out;
	case STATES_LINK:
		return answer ? c->s.out : c->s.in;
	case STATES_ORIGIN:
	case STATES_SEARCH:
	case STATES_BLOCK:
		break;
	}
	return "";
}

static const char *flow_named(const struct checked_claim *c, bool answer)
{
	return c->s.kind == STATES_LINK && !answer ? c->s.in_flow : c->s.out_flow;
}

/* Does another link go on from this flow?  Then it is no end of the chain. */
static bool goes_on(const struct verified *v, const char *flow)
{
	for (size_t i = 0; i < v->n_claim; i++)
		if (v->claim[i].s.kind == STATES_LINK && strcmp(v->claim[i].s.out_flow, flow) == 0)
			return true;
	return false;
}

static bool looked_for(const struct here_list *l, const char *flow)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->one[i].flow, flow) == 0)
			return true;
	return false;
}

static enum status look_one(struct here_list *l, struct tracer *t, const struct checked_claim *c,
	const char *train, bool request, struct arena *a, struct err *e)
{
	struct here *h = &l->one[l->n];
	struct train said;
	enum status s = claim_train(&said, c, train, a, e);

	if (s != STATUS_OK)
		return s;
	if (said.hidden[0] || said.hidden[1]) {
		l->hidden++;
		return STATUS_OK;
	}
	*h = (struct here){.claim = c};
	(void)train_text(h->flow, &said);
	s = recognise(t, &said.flow, &h->r, e);
	h->traced = s == STATUS_OK && request && h->r.seen == SEEN_CONFIRMED;
	if (h->traced)
		s = trace_chain(t, h->r.flow, NULL, &h->chain, e);
	l->contradicted = l->contradicted || (s == STATUS_OK && h->r.seen == SEEN_CONTRADICTED);
	l->n++;
	return s;
}

enum status here_look(struct here_list *to, struct tracer *t, const struct bundle *b,
	const struct verified *v, struct arena *a, struct err *e)
{
	bool answer = b->m.type == BUNDLE_ANSWER;
	enum status s = STATUS_OK;

	*to = (struct here_list){.one = arena_array(a, HERE_FLOWS, sizeof(*to->one))};
	if (!to->one)
		return err_nomem(e);
	for (size_t i = 0; i < v->n_claim && s == STATUS_OK; i++) {
		const struct checked_claim *c = &v->claim[i];
		const char *train = brings(c, answer), *flow = flow_named(c, answer);
		if (!*train || (!answer && goes_on(v, flow)) || looked_for(to, flow))
			continue;
		if (to->n == HERE_FLOWS)
			to->left_off++;
		else
			s = look_one(to, t, c, train, !answer, a, e);
	}
	return s;
}
