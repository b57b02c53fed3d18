/* A bundle beside one's own recording: see here.h. */
#include "ask/here.h"

#include <stdio.h>
#include <string.h>

/* A train that a claim brings to be looked for. */
struct brought {
	const struct checked_claim *claim;
	const char *train, *flow; /* name, notation */
};

/* Of a link both legs, of an answer's only what was asked about; returns how many. */
static size_t brings(struct brought to[2], const struct checked_claim *c, bool answer)
{
	size_t n = 0;

	switch (c->s.kind) {
	case STATES_LINK:
		if (!answer)
			to[n++] = (struct brought){c, c->s.in, c->s.in_flow};
		to[n++] = (struct brought){c, c->s.out, c->s.out_flow};
		break;
	case STATES_ATTACK:
	case STATES_SEEN:
		to[n++] = (struct brought){c, c->s.out, c->s.out_flow};
		break;
	case STATES_ORIGIN:
	case STATES_SEARCH:
	case STATES_BLOCK:
		break;
	}
	return n;
}

/* A link whose IN is not disclosed (a prefix stands there) leads nowhere.  Does a link go on from this flow?
 * Then it is no end of the chain, and is not traced. */
static bool goes_on(const struct verified *v, const char *flow)
{
	for (size_t i = 0; i < v->n_claim; i++)
		if (v->claim[i].s.kind == STATES_LINK && strcmp(v->claim[i].s.out_flow, flow) == 0 &&
			!strchr(v->claim[i].s.in_flow, '/'))
			return true;
	return false;
}

static bool looked_for(const struct here_list *l, const char *train)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->one[i].train, train) == 0)
			return true;
	return false;
}

/* ends: what is confirmed and an end of these is traced; NULL: nothing is. */
static enum status look_one(struct here_list *l, struct tracer *t, const struct brought *b,
	const struct verified *ends, struct arena *a, struct err *e)
{
	struct here *h = &l->one[l->n];
	struct train said;
	enum status s = claim_train(&said, b->claim, b->train, a, e);

	if (s != STATUS_OK)
		return s;
	if (said.hidden[0] || said.hidden[1]) {
		l->hidden++;
		return STATUS_OK;
	}
	*h = (struct here){.claim = b->claim, .train = b->train};
	(void)train_text(h->flow, &said);
	s = recognise(t, &said.flow, &h->r, e);
	h->traced = s == STATUS_OK && h->r.seen == SEEN_CONFIRMED && ends && !goes_on(ends, b->flow);
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
	struct brought brought[2];
	enum status s = STATUS_OK;

	*to = (struct here_list){.one = arena_array(a, HERE_FLOWS, sizeof(*to->one))};
	if (!to->one)
		return err_nomem(e);
	for (size_t i = 0; i < v->n_claim && s == STATUS_OK; i++) {
		size_t n = brings(brought, &v->claim[i], answer);
		for (size_t k = 0; k < n && s == STATUS_OK; k++) {
			if (looked_for(to, brought[k].train))
				continue;
			if (to->n == HERE_FLOWS)
				to->left_off++;
			else
				s = look_one(to, t, &brought[k], answer ? NULL : v, a, e);
		}
	}
	return s;
}
