/* A host's flows, counted by service.
 *
 * Only flows that carried data both ways count, so that neither a scan of ports nor a flood with forged
 * senders makes a crowd.  A flow that two points saw counts once, and so do the copies of a translated one.
 */
#include "trace/role_profile.h"

#include <stdlib.h>
#include <string.h>

#include "trace/role_port.h"

#define HOUR_US   (3600 * SECOND_US)
#define HOURS_MAX (20 * 366 * 24) /* a recording with more is not counted by hours */

struct role_entry {
	bool opened;
	uint8_t proto;
	uint16_t port;
	struct ip peer;
	const struct flow *flow;
	uint32_t run,
		hours; /* of a peer's first entry: how many it has, hours with data + 1; 0: not counted */
};

static int by_service(const struct role_entry *x, bool opened, uint8_t proto, uint16_t port)
{
	int c = (int)x->opened - (int)opened;

	c = c ? c : (int)x->proto - (int)proto;
	return c ? c : (int)x->port - (int)port;
}

static int by_entry(const void *a, const void *b)
{
	const struct role_entry *x = a, *y = b;
	int c = by_service(x, y->opened, y->proto, y->port);

	return c ? c : ip_compare(&x->peer, &y->peer);
}

/* ---- the entries ---- */

static bool both_ways(const struct flow *f)
{
	return f->n_burst[0] > 0 && f->n_burst[1] > 0;
}

/* Is f told already, by another point's copy (which stands beside it) or by the one before translation? */
static bool told(const struct view *v, size_t i)
{
	const struct flow *f = v->by_tuple[i], *g = i ? v->by_tuple[i - 1] : NULL;

	if (f->rewrite_of && flow_side(f->rewrite_of, &v->host) >= 0)
		return true;
	return g && tuple_compare(f, g) == 0 && strcmp(f->head.point, g->head.point) != 0;
}

static bool entries(struct role_profile *p, struct view *v)
{
	p->entry = arena_array(&v->rec->arena, v->n + 1, sizeof(*p->entry));
	for (size_t i = 0; p->entry && i < v->n; i++) {
		const struct flow *f = v->by_tuple[i];
		int side = flow_side(f, &v->host);
		if (side < 0 || !both_ways(f) || told(v, i))
			continue;
		bool opened = side == flow_opener(f);
		p->entry[p->n++] = (struct role_entry){.opened = opened,
			.proto = f->head.proto,
			.port = f->head.end[opened ? !side : side].port,
			.peer = f->head.end[!side].ip,
			.flow = f};
	}
	if (p->entry)
		qsort(p->entry, p->n, sizeof(*p->entry), by_entry);
	return p->entry != NULL;
}

/* ---- the services ---- */

static void service_fill(const struct role_profile *p, struct role_service *s)
{
	const struct role_entry *x = &p->entry[s->at];

	s->opened = x->opened;
	s->proto = x->proto;
	s->port = x->port;
	for (size_t i = 0; i < s->n; i++) {
		s->peers += i == 0 || !ip_equal(&x[i].peer, &x[i - 1].peer);
		s->bytes += x[i].flow->count[0].payload_bytes + x[i].flow->count[1].payload_bytes;
	}
}

static bool services(struct role_profile *p, struct arena *a)
{
	p->service = arena_array(a, p->n + 1, sizeof(*p->service));
	for (size_t i = 0, j; p->service && i < p->n; i = j) {
		const struct role_entry *x = &p->entry[i];
		for (j = i + 1; j < p->n && by_service(&p->entry[j], x->opened, x->proto, x->port) == 0; j++)
			;
		struct role_service *s = &p->service[p->n_service++];
		*s = (struct role_service){.at = i, .n = j - i};
		service_fill(p, s);
	}
	return p->service != NULL;
}

static int by_ip(const void *a, const void *b)
{
	return ip_compare(a, b);
}

/* Distinct peers that the host opened flows to; high: only at ports that no service has. */
static bool count_reached(const struct role_profile *p, bool high, struct arena *a, size_t *to)
{
	struct ip *ip = arena_array(a, p->n + 1, sizeof(*ip));
	size_t n = 0;

	for (size_t i = 0; ip && i < p->n; i++) {
		const struct role_entry *x = &p->entry[i];
		if (x->opened && (!high || role_port(x->proto, x->port) == PORT_HIGH))
			ip[n++] = x->peer;
	}
	if (!ip)
		return false;
	qsort(ip, n, sizeof(*ip), by_ip);
	for (size_t i = 0; i < n; i++)
		*to += i == 0 || !ip_equal(&ip[i], &ip[i - 1]);
	return true;
}

/* A host that many reach at one port that no service has, and that reaches many at such ports itself. */
static void find_swarm(struct role_profile *p)
{
	for (size_t i = 0; i < p->n_service; i++) {
		struct role_service *s = &p->service[i];
		if (role_port(s->proto, s->port) != PORT_HIGH)
			continue;
		p->ports_high += s->opened;
		if (!s->opened && (!p->swarm || s->peers > p->swarm->peers))
			p->swarm = s;
	}
}

/* ---- the hours ---- */

static int64_t hour_of(int64_t us)
{
	return us / HOUR_US - (us % HOUR_US < 0);
}

static void widen(struct span *all, int64_t from, int64_t to)
{
	all->from_us = from < all->from_us ? from : all->from_us;
	all->to_us = to > all->to_us ? to : all->to_us;
}

static void mark_hours(struct role_profile *p, int64_t from, int64_t to, size_t *n)
{
	for (int64_t h = hour_of(from); h <= hour_of(to); h++) {
		size_t k = (size_t)(h - p->hour0);
		*n += p->mark[k] != p->stamp;
		p->mark[k] = p->stamp;
	}
}

/* The recorded span: what the points covered, and where nothing is said of that, the host's own flows. */
static bool hours_find(struct role_profile *p, const struct view *v)
{
	struct span all = {INT64_MAX, INT64_MIN};
	const struct recording *r = v->rec;

	for (size_t i = 0; i < v->n; i++)
		widen(&all, v->by_tuple[i]->head.first_us, v->by_tuple[i]->last_us);
	for (size_t i = 0; i < r->n_coverage; i++)
		widen(&all, r->coverage[i].span.from_us, r->coverage[i].span.to_us);
	if (all.from_us > all.to_us || hour_of(all.to_us) - hour_of(all.from_us) >= HOURS_MAX)
		return true;
	p->hour0 = hour_of(all.from_us);
	p->hours = (size_t)(hour_of(all.to_us) - p->hour0) + 1;
	p->mark = arena_array(&v->rec->arena, p->hours, sizeof(*p->mark));
	if (!p->mark)
		return false;
	p->stamp++;
	for (size_t i = 0; i < r->n_coverage; i++)
		if (!r->coverage[i].blind && r->coverage[i].span.from_us < r->coverage[i].span.to_us)
			mark_hours(
				p, r->coverage[i].span.from_us, r->coverage[i].span.to_us - 1, &p->recorded);
	p->recorded = p->recorded ? p->recorded : p->hours;
	return true;
}

/* The hours in which f carried data; a step an hour, however many bursts there are. */
static void mark_flow(struct role_profile *p, const struct flow *f, size_t *n)
{
	for (int d = 0; d < 2; d++) {
		size_t i = 0;
		while (i < f->n_burst[d]) {
			int64_t t = f->burst[d][i].start_us, h = hour_of(t);
			if (h >= p->hour0 && h < p->hour0 + (int64_t)p->hours)
				mark_hours(p, t, t, n);
			i++;
			i += bursts_before(f->burst[d] + i, f->n_burst[d] - i, (h + 1) * HOUR_US);
		}
	}
}

/* Of the entries [at, at + n). */
static size_t hours_of(struct role_profile *p, size_t at, size_t n)
{
	size_t hours = 0;

	if (!p->hours)
		return 0;
	p->stamp++;
	for (size_t i = at; i < at + n; i++)
		mark_flow(p, p->entry[i].flow, &hours);
	return hours;
}

/* How many entries of s, from its peer's first one on, are of that peer. */
static size_t run_of(const struct role_profile *p, const struct role_service *s, size_t at)
{
	struct role_entry *x = &p->entry[at];

	if (x->run)
		return x->run;
	x->run = 1;
	while (at + x->run < s->at + s->n && x->run < UINT32_MAX && ip_equal(&x[x->run].peer, &x->peer))
		x->run++;
	return x->run;
}

/* The hours of the peer whose first entry this is. */
static size_t hours_of_run(struct role_profile *p, const struct role_service *s, size_t at)
{
	struct role_entry *x = &p->entry[at];

	if (!x->hours)
		x->hours = (uint32_t)hours_of(p, at, run_of(p, s, at)) + 1;
	return x->hours - 1;
}

/* With one peer. */
static size_t hours_with(struct role_profile *p, const struct role_service *s, const struct ip *peer)
{
	size_t at = s->at, to = s->at + s->n;
	while (at < to) {
		size_t mid = at + (to - at) / 2;
		if (ip_compare(&p->entry[mid].peer, peer) < 0)
			at = mid + 1;
		else
			to = mid;
	}
	if (at == s->at + s->n || !ip_equal(&p->entry[at].peer, peer))
		return 0;
	return hours_of_run(p, s, at);
}

size_t role_hours(struct role_profile *p, struct role_service *s, const struct ip *peer)
{
	if (peer)
		return hours_with(p, s, peer);
	if (!s->hours_known) {
		s->hours = hours_of(p, s->at, s->n);
		s->hours_known = true;
	}
	return s->hours;
}

size_t role_peers_kept(struct role_profile *p, struct role_service *s, size_t least)
{
	if (s->kept_least == least)
		return s->kept;
	s->kept = 0;
	for (size_t i = s->at, n; i < s->at + s->n; i += n) {
		n = run_of(p, s, i);
		s->kept += hours_of_run(p, s, i) >= least;
	}
	s->kept_least = least;
	return s->kept;
}

size_t role_peers_shared(const struct role_profile *p, struct role_service *a, const struct role_service *b)
{
	size_t i = a->at, k = b->at, shared = 0;

	if (a->shared_with == b)
		return a->shared;
	while (i < a->at + a->n && k < b->at + b->n) {
		int c = ip_compare(&p->entry[i].peer, &p->entry[k].peer);
		shared += c == 0;
		i += c <= 0 ? run_of(p, a, i) : 0;
		k += c >= 0 ? run_of(p, b, k) : 0;
	}
	a->shared_with = b;
	a->shared = shared;
	return shared;
}

struct role_service *role_service_at(const struct role_profile *p, bool opened, uint8_t proto, uint16_t port)
{
	size_t lo = 0, hi = p->n_service;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = by_service(&p->entry[p->service[mid].at], opened, proto, port);
		if (c == 0)
			return &p->service[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

enum status role_profile_get(struct view *v, struct role_profile **to, struct err *e)
{
	struct arena *a = &v->rec->arena;

	*to = v->profile;
	if (*to)
		return STATUS_OK;
	struct role_profile *p = arena_alloc(a, sizeof(*p));
	if (!p || !entries(p, v) || !services(p, a) || !count_reached(p, false, a, &p->reached) ||
		!count_reached(p, true, a, &p->reached_high) || !hours_find(p, v))
		return err_nomem(e);
	find_swarm(p);
	v->profile = p;
	*to = p;
	return STATUS_OK;
}
