/* What the search found, told: what the audit and rivals withhold, each link's role, the copies of translated
 * flows.
 *
 * What is not proven is told task by task.  What is proven waits until its host was searched whole, for a
 * rival may be found by the last task (scan_rival.c); that is little, where everything is not. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "trace/role.h"
#include "trace/scan_task.h"

/* Is this link of two hosts told at one of them, where a copy of the other leg is? */
static bool told_at_home(const struct scan_found *r)
{
	const struct view *at[2] = {r->out->view, r->in->view};
	const struct flow *leg[2] = {r->in->flow, r->out->flow};

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < at[k]->n; i++)
			if (flow_rewritten(at[k]->by_tuple[i], leg[k]))
				return true;
	return false;
}

static enum status role_for(const struct scan *sc, const struct scan_found *r, struct role *to, struct err *e)
{
	const struct ip *host = &r->in->view->host;

	if (r->in->view == r->out->view)
		return role_of(sc->t, r->in->view, r->in->flow, r->out->flow, to, e);
	to->why[0] = '\0';
	to->name = relay_declared(sc->t->cfg, r->in->flow, host) ? "declared" : "relay";
	return STATUS_OK;
}

/* r as it is to be told: what the tracer knows besides has been asked. */
static enum status tell_one(const struct scan *sc, const struct scan_found *r, struct err *e)
{
	struct relink pair;
	struct scan_link l = {.relay = r->in->view->host,
		.relay_out = r->out->view->host,
		.in = r->in->flow,
		.out = r->out->flow,
		.link = r->link,
		.needed = sc->needed,
		.pair = &pair};
	bool proven = l.link.verdict == LINK_PROVEN;
	struct role role;

	if (!proven && !sc->p->all)
		return STATUS_OK;
	scan_pair(sc, r->meeting, r->in, r->out, &pair);
	enum status s = role_for(sc, r, &role, e);
	if (s != STATUS_OK)
		return s;
	l.role = role.name;
	l.role_why = role.why;
	bool declared = proven && strcmp(role.name, "declared") == 0;
	sc->sum->proven += proven;
	sc->sum->declared += declared;
	if (declared && sc->p->undeclared)
		return STATUS_OK;
	return sc->p->found(sc->p->self, &l, e);
}

/* What is proven waits for its rivals. */
static enum status hold(struct scan *sc, const struct scan_found *r, struct err *e)
{
	if (r->in->view != r->out->view && told_at_home(r))
		return STATUS_OK;
	if (!grow(&sc->held, &sc->cap_held, sc->n_held, 1, sizeof(*sc->held)))
		return err_nomem(e);
	sc->held[sc->n_held++] = (struct scan_held){.found = *r};
	return STATUS_OK;
}

static enum status hold_or_tell(struct scan *sc, struct scan_found *r, struct err *e)
{
	bool proven = r->link.verdict == LINK_PROVEN;

	tracer_settle(sc->t, &r->link);
	bool withheld = proven && r->link.verdict != LINK_PROVEN;
	sc->sum->undecidable += withheld;
	sc->sum->withheld += withheld;
	return r->link.verdict == LINK_PROVEN ? hold(sc, r, e) : tell_one(sc, r, e);
}

enum status scan_tell_held(struct scan *sc, struct err *e)
{
	enum status s = scan_rivals(sc, e);

	for (size_t i = 0; i < sc->n_held && s == STATUS_OK; i++) {
		struct scan_found *r = &sc->held[i].found;
		if (sc->held[i].rival) {
			r->link.verdict = LINK_UNDECIDABLE;
			r->link.reason = LINK_REASON_RIVAL;
			sc->sum->undecidable++;
			sc->sum->rivals++;
		}
		s = tell_one(sc, r, e);
	}
	sc->n_held = 0;
	return s;
}

/* Not seen at another host yet. */
static bool first_told(struct scan *sc, const struct flow *f)
{
	bool *told = &sc->told[f - sc->rec.flow], first = !*told;

	*told = true;
	return first;
}

/* Translated copies at v's host, each at one of its ends: told apart from relays, and listed only where
 * everything is. */
static enum status rewritten(struct scan *sc, const struct view *v, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < v->n && s == STATUS_OK; i++) {
		const struct flow *f = v->by_tuple[i];
		if (!f->rewrite_of || flow_same(f, f->rewrite_of, sc->t->cfg->clock_skew_us) ||
			!first_told(sc, f))
			continue;
		struct scan_link l = {.relay = v->host,
			.relay_out = v->host,
			.in = f->rewrite_of,
			.out = f,
			.needed = sc->needed,
			.role = "rewritten",
			.role_why = ""};
		l.link.verdict = LINK_UNDECIDABLE;
		l.link.first_sufficient_us = -1;
		sc->sum->rewritten++;
		if (sc->p->all)
			s = sc->p->found(sc->p->self, &l, e);
	}
	return s;
}

enum status scan_tell(struct scan *sc, struct scan_task *k, bool last, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < k->n_found && s == STATUS_OK; i++)
		s = hold_or_tell(sc, &k->found[i], e);
	free(k->found);
	k->found = NULL;
	k->n_found = 0;
	sc->sum->tested += k->tested;
	sc->sum->undecidable += k->undecidable;
	if (s == STATUS_OK && last)
		s = scan_tell_held(sc, e);
	if (s == STATUS_OK && last && !k->set->apart && !scan_stopped(sc))
		s = rewritten(sc, k->set->view, e);
	return s;
}
