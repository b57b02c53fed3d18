/* Legs at two hosts: a relay with several addresses, or behind a pool of translated ones, answers at one and
 * opens from another.
 *
 * Any flow that an own host answered against any flow that another one opened.  Of a flow that was seen
 * several times, or before and after translation, the first copy stands for all: what a pool's addresses
 * opened was opened by the host behind it, where both were recorded. */
#include "trace/scan_in.h"

/* All flows as one view, whose host is none. */
static enum status network_view(struct scan *sc, struct err *e)
{
	struct view *v = &sc->network;

	*v = (struct view){.rec = &sc->rec, .n = sc->rec.n_flow};
	v->by_tuple = arena_array(&sc->rec.arena, v->n + 1, sizeof(*v->by_tuple));
	if (!v->by_tuple)
		return err_nomem(e);
	for (size_t i = 0; i < v->n; i++)
		v->by_tuple[i] = &sc->rec.flow[i];
	view_sort(v);
	return STATUS_OK;
}

/* A translated copy stands for itself only where the host that the first copy has at this end is no own one.
 */
static bool stands_in(const struct scan *sc, const struct flow *f, bool opener)
{
	const struct flow *first = f->rewrite_of;

	if (!first || flow_same(f, first, INT64_MAX / 4))
		return true;
	return !scan_view_of(sc, &first->head.end[flow_opener(first) ^ !opener].ip);
}

/* One leg a flow at the end that opened it (opener) or at the other, where that is an own host. */
static enum status side(struct scan *sc, const struct flow *const *flow, size_t n, bool opener,
	struct scan_leg **to, size_t *n_to, struct err *e)
{
	enum status s = scan_legs(sc, &sc->network, flow, n, to, n_to, e);
	size_t k = 0;

	for (size_t i = 0; i < *n_to && s == STATUS_OK; i++) {
		struct scan_leg *l = &(*to)[i];
		l->view = scan_view_of(sc, &l->flow->head.end[flow_opener(l->flow) ^ !opener].ip);
		l->opened = opener;
		if (l->view && stands_in(sc, l->flow, opener))
			(*to)[k++] = *l;
	}
	*n_to = k;
	return s;
}

enum status scan_any_sets(struct scan *sc, struct err *e)
{
	struct scan_set set = {.view = &sc->network, .apart = true};
	const struct flow **f;
	size_t n;
	enum status s = network_view(sc, e);

	if (s == STATUS_OK)
		s = view_flows(&sc->network, "", sc->t->cfg->clock_skew_us, &f, &n, e);
	if (s == STATUS_OK)
		s = side(sc, f, n, false, &set.in, &set.n_in, e);
	if (s == STATUS_OK)
		s = side(sc, f, n, true, &set.out, &set.n_out, e);
	return s == STATUS_OK ? scan_set_add(sc, &set, e) : s;
}
