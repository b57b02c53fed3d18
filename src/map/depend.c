/* Dependence from observed paths: local AS hegemony (depend.h has the formula).  What one session says is a
 * share; shares are brought together by network and by peer network, in the order of the peer networks'
 * numbers. */
#include <stdlib.h>
#include <string.h>

#include "map/depend.h"
#include "map/hegemony.h"
#include "map/walk.h"

static int by_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Different AS numbers among n. */
static uint32_t distinct(uint32_t *asn, size_t n)
{
	uint32_t many = 0;

	if (n)
		qsort(asn, n, sizeof(*asn), by_u32);
	for (size_t i = 0; i < n; i++)
		many += i == 0 || asn[i] != asn[i - 1];
	return many;
}

/* Peer networks of all sheets together; 0 where memory is out, too: it is a figure for the reader only. */
static uint32_t peer_networks(const struct paths *const *p, size_t n)
{
	size_t all = 0, k = 0;

	for (size_t i = 0; i < n; i++)
		all += p[i]->n_session;
	uint32_t *asn = calloc(all + 1, sizeof(*asn));
	for (size_t i = 0; asn && i < n; i++)
		for (size_t s = 0; s < p[i]->n_session; s++)
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

	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 1024;
		struct event *p = realloc(to->v, cap * sizeof(*p));
		if (!p)
			return false;
		to->v = p;
		to->cap = cap;
	}
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

/* Adds up the weights of one session's routes by network: acc[as], and which in touched. */
static size_t weigh(double *acc, uint32_t *touched, const struct event *v, size_t n)
{
	size_t n_touched = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k + 1 < v[i].n_as; k++) { /* the origin apart */
			uint32_t as = v[i].as[k];
			if (acc[as] == 0) /* weights are above 0 */
				touched[n_touched++] = as;
			acc[as] += v[i].weight;
		}
	return n_touched;
}

/* The events of one sheet as shares. */
static bool shares_of(struct hegemony *h, const struct paths *p, uint32_t sheet, struct events *ev)
{
	double *acc = calloc(p->n_as + 1, sizeof(*acc));
	uint32_t *touched = calloc(p->n_as + 1, sizeof(*touched));
	bool ok = acc && touched;

	if (ev->n)
		qsort(ev->v, ev->n, sizeof(*ev->v), by_session);
	for (size_t i = 0, end; ok && i < ev->n; i = end) {
		uint32_t session = ev->v[i].session;
		for (end = i; end < ev->n && ev->v[end].session == session;)
			end++;
		uint32_t peer = p->session[session].asn;
		ok = hegemony_session(h, peer);
		size_t n = weigh(acc, touched, ev->v + i, end - i);
		for (size_t k = 0; k < n; k++) {
			ok = ok && hegemony_share(h, (struct share){p->as[touched[k]], peer, sheet,
							     acc[touched[k]] / ev->total[session]});
			acc[touched[k]] = 0;
		}
	}
	free(acc);
	free(touched);
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

/* *n_prefix: of the scope, seen in this sheet, if that is more than it was. */
static enum status add_sheet(struct hegemony *h, uint64_t *n_prefix, const struct paths *p, uint32_t sheet,
	const struct depend_ask *q, struct err *e)
{
	struct events ev = {
		.total = calloc(p->n_session + 1, sizeof(double)), .seen = calloc(p->n_prefix + 1, 1)};
	uint8_t *origin_in = marks_of(p, q->asn, q->n_asn),
		*prefix_in = q->n_prefix ? prefixes_of(p, q) : NULL;
	struct walk w = {p, origin_in, prefix_in, q->family, &ev, event_add};
	bool ok = ev.total && ev.seen && origin_in && (prefix_in || !q->n_prefix);

	enum status st = ok ? walk_scope(&w, e) : err_nomem(e);
	if (st == STATUS_OK && !shares_of(h, p, sheet, &ev))
		st = err_nomem(e);
	free(ev.v);
	*n_prefix = ev.n_seen > *n_prefix ? ev.n_seen : *n_prefix;
	free(ev.total);
	free(ev.seen);
	free(origin_in);
	free(prefix_in);
	return st;
}

enum status depend_on(struct depend *to, const struct paths *const *p, size_t n, const struct depend_ask *q,
	struct arena *a, struct err *e)
{
	struct hegemony h = {0};
	enum status st = STATUS_OK;

	*to = (struct depend){.n_peer_as_all = peer_networks(p, n)};
	for (size_t i = 0; i < n && st == STATUS_OK; i++)
		st = add_sheet(&h, &to->n_prefix, p[i], (uint32_t)i, q, e);
	if (st == STATUS_OK)
		st = hegemony_rows(to, &h, a, e);
	hegemony_free(&h);
	return st;
}
