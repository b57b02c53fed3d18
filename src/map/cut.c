/* Whose cooperation isolates a target: the small graph above it (cut_above.c), all minimal sets of a few
 * networks in it (cut_sets.c), and the cheapest set of any size (cut_flow.c). */
#include "map/cut.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map/cut_in.h"

static int set_order(const void *a, const void *b)
{
	const struct cut_set *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	for (uint32_t i = 0; i < x->n; i++)
		if (x->node[i] != y->node[i])
			return x->node[i] < y->node[i] ? -1 : 1;
	return 0;
}

static enum status ask_check(const struct graph *g, const struct cut_ask *q, struct err *e)
{
	if (q->size > CUT_SIZE_MAX)
		return err_set(e, STATUS_BAD, "sets of at most %d networks can be searched, not of %zu",
			CUT_SIZE_MAX, q->size);
	for (uint32_t v = 0; v < g->n; v++)
		if (q->weight[v] == 0 || q->weight[v] > CUT_WEIGHT_MAX)
			return err_set(e, STATUS_BAD, "AS%" PRIu32 " has a weight of %" PRIu64, g->asn[v],
				q->weight[v]);
	return STATUS_OK;
}

static enum status nodes_copy(
	struct cut_answer *to, const uint32_t *node, size_t n, struct arena *a, struct err *e)
{
	to->cheapest = arena_array(a, n + 1, sizeof(*to->cheapest));
	if (!to->cheapest)
		return err_nomem(e);
	memcpy(to->cheapest, node, n * sizeof(*node));
	to->n_cheapest = n;
	return STATUS_OK;
}

/* The cut of the flow that is nearest to the target. */
static enum status nodes_cut(
	struct cut_answer *to, const struct above *up, const struct flow *f, struct arena *a, struct err *e)
{
	to->cheapest = arena_array(a, (size_t)up->n + 1, sizeof(*to->cheapest));
	if (!to->cheapest)
		return err_nomem(e);
	for (uint32_t v = 0; v < up->n; v++)
		if (flow_cuts(f, v))
			to->cheapest[to->n_cheapest++] = up->node[v];
	return STATUS_OK;
}

static enum status cheapest_find(struct cut_answer *to, const struct above *up, struct flow *f,
	const struct cut_ask *q, struct arena *a, struct err *e)
{
	for (uint32_t v = 0; v < up->n; v++)
		f->cap[FLOW_ARC(v)] = up->fixed[v] ? FLOW_NO_LIMIT : q->weight[up->node[v]];
	to->cheapest_weight = flow_send(f, FLOW_NO_LIMIT - 1);
	to->has_cheapest = to->connected && to->cheapest_weight < FLOW_NO_LIMIT;
	if (!to->has_cheapest) {
		to->cheapest_weight = 0;
		return STATUS_OK;
	}
	if (to->n && to->set[0].weight == to->cheapest_weight)
		return nodes_copy(to, to->set[0].node, to->set[0].n, a, e);
	return nodes_cut(to, up, f, a, e);
}

enum status cut_find(
	struct cut_answer *to, const struct graph *g, const struct cut_ask *q, struct arena *a, struct err *e)
{
	struct above up;
	struct flow f;
	enum status s = ask_check(g, q, e);

	*to = (struct cut_answer){0};
	if (s == STATUS_OK)
		s = above_make(&up, g, q, a, e);
	if (s == STATUS_OK)
		s = flow_make(&f, &up, a, e);
	if (s == STATUS_OK)
		s = sets_find(to, &up, &f, q, a, e);
	if (s != STATUS_OK)
		return s;
	qsort(to->set, to->n, sizeof(*to->set), set_order);
	return cheapest_find(to, &up, &f, q, a, e);
}
