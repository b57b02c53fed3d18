/* The own hosts and what may relay there: a view for each host on the one recording, its flows as legs, the
 * sets of pairs that are searched at it.
 *
 * The pair's orientation: the leg that the host answered is IN and the one it opened is OUT; where it opened
 * both (reverse tunnel) or neither (rendezvous), the older one is IN.  The link test mixes both ways of the
 * session, so a pair is tested once.  Aggregates are paired among themselves, in with out. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "trace/aggregate.h"
#include "trace/scan_in.h"

/* One end of a flow. */
struct end_of {
	struct ip ip;
	struct flow *flow;
};

static int by_ip(const void *a, const void *b)
{
	const struct end_of *x = a, *y = b;
	int c = ip_compare(&x->ip, &y->ip);

	return c ? c : (x->flow > y->flow) - (x->flow < y->flow);
}

static bool view_make(struct scan *sc, const struct end_of *end, size_t n)
{
	struct view *v = &sc->view[sc->n_view++];

	*v = (struct view){.host = end->ip, .rec = &sc->rec};
	v->by_tuple = arena_array(&sc->rec.arena, n, sizeof(*v->by_tuple));
	for (size_t i = 0; v->by_tuple && i < n; i++)
		v->by_tuple[v->n++] = end[i].flow;
	if (v->by_tuple)
		view_sort(v);
	return v->by_tuple != NULL;
}

static size_t ends_of(const struct scan *sc, struct end_of *end)
{
	size_t n = 0;

	for (size_t i = 0; i < sc->rec.n_flow; i++) {
		struct flow *f = &sc->rec.flow[i];
		for (int side = 0; side < 2; side++)
			if (config_owns(sc->t->cfg, &f->head.end[side].ip) &&
				!(side && ip_equal(&f->head.end[0].ip, &f->head.end[1].ip)))
				end[n++] = (struct end_of){f->head.end[side].ip, f};
	}
	qsort(end, n, sizeof(*end), by_ip);
	return n;
}

static size_t run_of(const struct end_of *end, size_t n, size_t i)
{
	size_t j = i + 1;

	while (j < n && ip_equal(&end[i].ip, &end[j].ip))
		j++;
	return j;
}

/* One flow is no pair; with any_host it has a partner elsewhere. */
enum status scan_views(struct scan *sc, struct err *e)
{
	struct end_of *end = malloc((2 * sc->rec.n_flow + 1) * sizeof(*end));
	size_t least = sc->p->any_host ? 1 : 2, hosts = 0;

	if (!end)
		return err_nomem(e);
	size_t n = ends_of(sc, end);
	for (size_t i = 0, j; i < n; i = j) {
		j = run_of(end, n, i);
		hosts += j - i >= least;
	}
	sc->view = arena_array(&sc->rec.arena, hosts + 1, sizeof(*sc->view));
	bool ok = sc->view != NULL;
	for (size_t i = 0, j; i < n && ok; i = j) {
		j = run_of(end, n, i);
		if (j - i >= least)
			ok = view_make(sc, &end[i], j - i);
	}
	free(end);
	return ok ? STATUS_OK : err_nomem(e);
}

static uint32_t point_of(const struct scan *sc, const char *name)
{
	uint32_t i = 0;

	while (i < sc->n_point && sc->point[i] != name && strcmp(sc->point[i], name) != 0)
		i++;
	return i;
}

/* How long a flow lives, in powers of four of a second: legs of one length share a table of the index. */
static int length_of(const struct flow *f)
{
	int64_t s = (f->last_us - f->head.first_us) / SECOND_US;
	int n = 0;

	for (; s > 0; s /= 4)
		n++;
	return n;
}

static int by_point(const void *a, const void *b)
{
	const struct scan_leg *x = a, *y = b;
	int c = (x->point > y->point) - (x->point < y->point);

	c = c ? c : length_of(x->flow) - length_of(y->flow);
	c = c ? c
	      : (x->flow->head.first_us > y->flow->head.first_us) -
			    (x->flow->head.first_us < y->flow->head.first_us);
	return c ? c : (x->age > y->age) - (x->age < y->age);
}

enum status scan_legs(struct scan *sc, struct view *v, const struct flow *const *flow, size_t n,
	struct scan_leg **to, size_t *n_to, struct err *e)
{
	*n_to = 0;
	*to = arena_array(&sc->rec.arena, n + 1, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (!flow_carries(flow[i]))
			continue;
		(*to)[(*n_to)++] = (struct scan_leg){.flow = flow[i],
			.view = v,
			.point = point_of(sc, flow[i]->head.point),
			.age = (uint32_t)i,
			.opened = flow_side(flow[i], &v->host) == flow_opener(flow[i])};
	}
	qsort(*to, *n_to, sizeof(**to), by_point);
	return STATUS_OK;
}

enum status scan_set_add(struct scan *sc, const struct scan_set *s, struct err *e)
{
	if (s->n_in == 0 || s->n_out == 0)
		return STATUS_OK;
	if (!grow(&sc->set, &sc->cap_set, sc->n_set, 1, sizeof(*sc->set)))
		return err_nomem(e);
	sc->set[sc->n_set] = *s;
	enum status st = scan_count(sc, &sc->set[sc->n_set], e);
	sc->pairs += sc->set[sc->n_set].pairs;
	sc->n_set++;
	return st;
}

/* Legs in the order they have, those that the host opened after the others. */
static size_t part_opened(struct scan_leg *leg, size_t n, struct scan_leg *room)
{
	size_t in = 0, out = 0;

	for (size_t i = 0; i < n; i++) {
		if (leg[i].opened)
			room[out++] = leg[i];
		else
			leg[in++] = leg[i];
	}
	if (out)
		memcpy(leg + in, room, out * sizeof(*leg));
	return in;
}

static enum status aggregate_set(
	struct scan *sc, struct view *v, const struct flow *const *flow, size_t n, struct err *e)
{
	const struct flow **agg = NULL;
	struct scan_leg *leg;
	size_t n_agg = 0, n_leg;
	enum status s = aggregates_make(v, flow, n, &agg, &n_agg, e);

	if (s != STATUS_OK || n_agg < 2)
		return s;
	s = scan_legs(sc, v, agg, n_agg, &leg, &n_leg, e);
	if (s != STATUS_OK)
		return s;
	struct scan_leg *room = malloc((n_leg + 1) * sizeof(*room));
	if (!room)
		return err_nomem(e);
	size_t in = part_opened(leg, n_leg, room);
	free(room);
	return scan_set_add(sc,
		&(struct scan_set){.view = v, .in = leg, .n_in = in, .out = leg + in, .n_out = n_leg - in},
		e);
}

enum status scan_host_sets(struct scan *sc, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < sc->n_view && s == STATUS_OK && !scan_stopped(sc); i++) {
		struct view *v = &sc->view[i];
		struct scan_set set = {.view = v, .one_list = true};
		const struct flow **f;
		size_t n;
		if (v->n < 2)
			continue;
		s = view_flows(v, "", sc->t->cfg->clock_skew_us, &f, &n, e);
		if (s == STATUS_OK)
			s = scan_legs(sc, v, f, n, &set.in, &set.n_in, e);
		set.out = set.in;
		set.n_out = set.n_in;
		if (s == STATUS_OK)
			s = scan_set_add(sc, &set, e);
		if (s == STATUS_OK)
			s = aggregate_set(sc, v, f, n, e);
	}
	return s;
}

static int by_host(const void *host, const void *view)
{
	return ip_compare(host, &((const struct view *)view)->host);
}

struct view *scan_view_of(const struct scan *sc, const struct ip *host)
{
	return bsearch(host, sc->view, sc->n_view, sizeof(*sc->view), by_host);
}

/* What the translator's address opened, the host behind it opened first: the link is that host's, and is told
 * once. */
bool scan_told_inside(const struct scan *sc, const struct scan_leg *a, const struct scan_leg *b)
{
	for (int turn = 0; turn < 2; turn++) {
		const struct scan_leg *out = turn ? b : a, *in = turn ? a : b;
		const struct flow *inner = out->flow->rewrite_of;
		if (!inner || !out->opened || flow_side(inner, &out->view->host) >= 0)
			continue;
		const struct view *w = scan_view_of(sc, &inner->head.end[flow_opener(inner)].ip);
		for (size_t i = 0; w && i < w->n; i++)
			if (flow_rewritten(w->by_tuple[i], in->flow))
				return true;
	}
	return false;
}
