/* Dependence from observed paths: local AS hegemony (depend.h has the formula).  What one session says is a
 * share; shares are brought together by network and by peer network, in the order of the peer networks'
 * numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/order.h"
#include "map/depend.h"
#include "map/hegemony.h"
#include "map/walk.h"

/* Different AS numbers among n. */
static uint32_t distinct(uint32_t *asn, size_t n)
{
	uint32_t many = 0;

	if (n)
		qsort(asn, n, sizeof(*asn), u32_order);
	for (size_t i = 0; i < n; i++)
		many += i == 0 || asn[i] != asn[i - 1];
	return many;
}

/* Peer networks of all sheets together that have routes of the family; 0 where memory is out, too: it is a
 * figure for the reader only. */
static uint32_t peer_networks(const struct paths *const *p, size_t n, uint8_t family)
{
	size_t all = 0, k = 0;

	for (size_t i = 0; i < n; i++)
		all += p[i]->n_session;
	uint32_t *asn = calloc(all + 1, sizeof(*asn));
	for (size_t i = 0; asn && i < n; i++)
		for (size_t s = 0; s < p[i]->n_session; s++)
			if (p[i]->session[s].n_route[family == 6])
				asn[k++] = p[i]->session[s].asn;
	uint32_t many = asn ? distinct(asn, k) : 0;
	free(asn);
	return many;
}

/* ---- on whom a scope depends ---- */

struct event { /* a route of the scope */
	const uint32_t *as;
	uint32_t n_as, session;
	double weight;
};
struct events {
	struct event *v;
	size_t n, cap;
	double *total; /* by session: weight of the scope */
	uint8_t *seen; /* by prefix */
	size_t n_seen;
};

static bool event_add(void *self, const struct walk_route *r)
{
	struct events *to = self;

	if (!grow(&to->v, &to->cap, to->n, 1, sizeof(*to->v)))
		return false;
	to->n_seen += !to->seen[r->prefix];
	to->seen[r->prefix] = 1;
	to->v[to->n++] = (struct event){r->as, (uint32_t)r->n_as, r->session, r->weight};
	to->total[r->session] += r->weight;
	return true;
}

static int by_session(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return x->session < y->session ? -1 : x->session > y->session;
}

/* What networks count as: each for itself, or those of a group together.  A slot is a network's AS index, or
 * its group's number; a network's group is asked for when it is first met. */
struct slots {
	const struct paths *p;
	const struct depend_ask *q;
	uint32_t *of; /* by AS index: slot + 1 of its group, NO_INDEX32 where it has none, 0 not asked yet */
	double *acc;  /* by slot: weight in the session at hand */
	uint32_t *stamp; /* by slot: the last route on whose path it was met */
	uint32_t *far;   /* by slot: fewest links to the origin in the session at hand */
	uint32_t *touched;
	size_t n_touched;
};

/* room: more than any slot. */
static bool slots_make(struct slots *s, const struct paths *p, const struct depend_ask *q, size_t room)
{
	s->p = p;
	s->q = q;
	s->of = calloc(p->n_as + 1, sizeof(*s->of));
	s->acc = calloc(room, sizeof(*s->acc));
	s->stamp = calloc(room, sizeof(*s->stamp));
	s->far = calloc(room, sizeof(*s->far));
	s->touched = calloc(room, sizeof(*s->touched));
	return s->far && s->of && s->acc && s->stamp && s->touched;
}

static uint32_t slot_of(struct slots *s, uint32_t as)
{
	if (!s->q->group)
		return as;
	if (s->of[as] == 0) {
		uint32_t number = s->q->group(s->q->self, s->p->as[as]);
		s->of[as] = number ? number + 1 : NO_INDEX32;
	}
	return s->of[as] == NO_INDEX32 ? NO_INDEX32 : s->of[as] - 1;
}

static void slots_free(struct slots *s)
{
	free(s->of);
	free(s->acc);
	free(s->stamp);
	free(s->far);
	free(s->touched);
}

/* Adds one route's weight to each slot on its path, once; `stamp` is the route's own number, above 0. */
static void weigh(struct slots *s, const struct event *v, uint32_t stamp)
{
	for (size_t k = 0; k + 1 < v->n_as; k++) { /* the origin apart */
		uint32_t slot = slot_of(s, v->as[k]);
		if (slot == NO_INDEX32 || s->stamp[slot] == stamp)
			continue;
		uint32_t far = v->n_as - 1 - (uint32_t)k;
		s->stamp[slot] = stamp;
		if (s->acc[slot] == 0) { /* weights are above 0 */
			s->touched[s->n_touched++] = slot;
			s->far[slot] = far;
		}
		s->far[slot] = far < s->far[slot] ? far : s->far[slot];
		s->acc[slot] += v->weight;
	}
}

/* The weights of one session's routes as shares. */
static bool session_shares(struct hegemony *h, struct slots *s, uint32_t peer, uint32_t sheet, double total)
{
	bool ok = hegemony_session(h, peer);

	for (size_t k = 0; k < s->n_touched; k++) {
		uint32_t slot = s->touched[k];
		uint32_t name = s->q->group ? slot : s->p->as[slot];
		ok = ok &&
		     hegemony_share(h, (struct share){name, peer, sheet, s->far[slot], s->acc[slot] / total});
		s->acc[slot] = 0;
	}
	s->n_touched = 0;
	return ok;
}

/* The events of one sheet, sorted by session, as shares. */
static bool shares_of(struct hegemony *h, const struct paths *p, uint32_t sheet, const struct depend_ask *q,
	const struct events *ev, size_t room)
{
	struct slots s = {0};
	bool ok = slots_make(&s, p, q, room);

	for (size_t i = 0; ok && i < ev->n; i++) {
		uint32_t session = ev->v[i].session;
		weigh(&s, &ev->v[i], (uint32_t)(i + 1));
		if (i + 1 == ev->n || ev->v[i + 1].session != session)
			ok = session_shares(h, &s, p->session[session].asn, sheet, ev->total[session]);
	}
	slots_free(&s);
	return ok;
}

/* By AS index: is it one of the n? */
static uint8_t *marks_of(const struct paths *p, const uint32_t *asn, size_t n)
{
	uint8_t *mark = calloc(p->n_as + 1, 1);

	for (size_t i = 0; mark && i < n; i++) {
		uint32_t as = paths_as(p, asn[i]);
		if (as != NO_INDEX32)
			mark[as] = 1;
	}
	return mark;
}

static uint8_t *prefixes_of(const struct paths *p, const struct depend_ask *q)
{
	uint8_t *mark = calloc(p->n_prefix + 1, 1);

	for (size_t i = 0; mark && i < q->n_prefix; i++) {
		uint32_t k = paths_prefix(p, &q->prefix[i]);
		if (k != NO_INDEX32)
			mark[k] = 1;
	}
	return mark;
}

/* A question that is asked of all sheets: one scope, several ways to group. */
struct asking {
	const struct depend_ask *q;
	struct hegemony *h; /* by way */
	size_t n, room;     /* room: more than any slot */
	uint64_t n_prefix;  /* of the scope, seen in a sheet: the most of all */
};

static bool events_share(struct asking *g, const struct paths *p, uint32_t sheet, struct events *ev)
{
	bool ok = true;

	if (ev->n)
		qsort(ev->v, ev->n, sizeof(*ev->v), by_session);
	for (size_t k = 0; ok && k < g->n; k++)
		ok = shares_of(&g->h[k], p, sheet, &g->q[k], ev, g->room);
	g->n_prefix = ev->n_seen > g->n_prefix ? ev->n_seen : g->n_prefix;
	return ok;
}

static enum status add_sheet(struct asking *g, const struct paths *p, uint32_t sheet, struct err *e)
{
	const struct depend_ask *q = g->q;
	struct events ev = {
		.total = calloc(p->n_session + 1, sizeof(double)), .seen = calloc(p->n_prefix + 1, 1)};
	uint8_t *origin_in = marks_of(p, q->asn, q->n_asn),
		*prefix_in = q->n_prefix ? prefixes_of(p, q) : NULL;
	struct walk w = {p, origin_in, prefix_in, q->family, &ev, event_add};
	bool ok = ev.total && ev.seen && origin_in && (prefix_in || !q->n_prefix);

	enum status st = ok ? walk_scope(&w, e) : err_nomem(e);
	if (st == STATUS_OK && !events_share(g, p, sheet, &ev))
		st = err_nomem(e);
	free(ev.v);
	free(ev.total);
	free(ev.seen);
	free(origin_in);
	free(prefix_in);
	return st;
}

static enum status rows_make(
	struct depend *to, struct asking *g, uint32_t n_peer_as, struct arena *a, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t k = 0; k < g->n && st == STATUS_OK; k++) {
		to[k] = (struct depend){.n_peer_as_all = n_peer_as, .n_prefix = g->n_prefix};
		st = hegemony_rows(&to[k], &g->h[k], a, e);
	}
	return st;
}

enum status depend_groups(struct depend *to, const struct depend_ask *q, size_t n_q,
	const struct paths *const *p, size_t n, struct arena *a, struct err *e)
{
	struct asking g = {.q = q, .n = n_q, .h = calloc(n_q + 1, sizeof(*g.h))};
	enum status st = g.h ? paths_routes(p, n, e) : err_nomem(e);

	g.room = 2; /* a group has at least one network that is in a sheet */
	for (size_t i = 0; i < n; i++)
		g.room += p[i]->n_as;
	for (size_t i = 0; i < n && st == STATUS_OK; i++)
		st = add_sheet(&g, p[i], (uint32_t)i, e);
	if (st == STATUS_OK)
		st = rows_make(to, &g, peer_networks(p, n, q->family), a, e);
	for (size_t k = 0; g.h && k < n_q; k++)
		hegemony_free(&g.h[k]);
	free(g.h);
	return st;
}

enum status depend_on(struct depend *to, const struct paths *const *p, size_t n, const struct depend_ask *q,
	struct arena *a, struct err *e)
{
	return depend_groups(to, q, 1, p, n, a, e);
}
