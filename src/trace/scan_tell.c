/* What the search found, told: what the audit withholds, each link's role, the copies of translated flows. */
#include <stdlib.h>
#include <string.h>

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

static enum status tell_one(const struct scan *sc, const struct scan_found *r, struct err *e)
{
	struct scan_link l = {.relay = r->in->view->host,
		.relay_out = r->out->view->host,
		.in = r->in->flow,
		.out = r->out->flow,
		.link = r->link,
		.needed = sc->needed};
	struct role role;

	tracer_settle(sc->t, &l.link);
	bool proven = l.link.verdict == LINK_PROVEN;
	bool withheld = l.link.verdict == LINK_UNDECIDABLE && r->link.verdict == LINK_PROVEN;
	sc->sum->undecidable += withheld;
	sc->sum->withheld += withheld;
	if ((!proven && !sc->p->all) || (proven && r->in->view != r->out->view && told_at_home(r)))
		return STATUS_OK;
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

/* Translated copies at v's host: told apart from relays, and listed only where everything is. */
static enum status rewritten(struct scan *sc, const struct view *v, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < v->n && s == STATUS_OK; i++) {
		const struct flow *f = v->by_tuple[i];
		if (!f->rewrite_of || flow_same(f, f->rewrite_of, sc->t->cfg->clock_skew_us))
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
		s = tell_one(sc, &k->found[i], e);
	free(k->found);
	k->found = NULL;
	k->n_found = 0;
	sc->sum->tested += k->tested;
	sc->sum->undecidable += k->undecidable;
	if (s == STATUS_OK && last && !k->set->apart && !scan_stopped(sc))
		s = rewritten(sc, k->set->view, e);
	return s;
}
