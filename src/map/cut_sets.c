/* All inclusion-minimal cuts of at most so many networks, by a bounded search tree.
 *
 * Every cut has a network of each way up.  So: take a way with the fewest networks to choose from that avoids
 * those chosen; one of them must be in the set; try each.  The k-th try keeps the k - 1 before it out of the
 * set for good, which parts the sets that are still to come: none is found twice.  A try is given up
 * - where more ways that share no network are left than may still be chosen (a flow decides; a network that
 *   is kept or unwilling lets any number through);
 * - where a chosen network is of no more use: no way leads from the target to it, or from it to the core,
 * that avoids the others.  Choosing more never mends that, and a set with such a one is not minimal. Sets are
 * looked for by size, 1, 2, ...: what a stopped search has is all of the smaller sizes. */
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "map/cut_in.h"

enum choice { CHOICE_FREE, CHOICE_KEPT, CHOICE_TAKEN };

struct search {
	const struct above *up;
	struct flow *f;
	const struct cut_ask *q;
	struct cut_answer *to;
	size_t size; /* of the sets looked for now */
	uint32_t taken[CUT_SIZE_MAX];
	size_t n_taken;
	uint8_t *choice;             /* by network */
	uint32_t *cost;              /* of the cheapest way to here: free networks on it, itself with them */
	uint32_t *from;              /* the network before, on that way */
	uint32_t *line;              /* a queue with room on both sides */
	uint8_t *touched;            /* can be reached: from the target, and from the core */
	uint32_t *way[CUT_SIZE_MAX]; /* of each depth: the free networks of the way that is tried */
	uint64_t work;
	bool stopped;
};

#define FAR         UINT32_MAX
#define TOUCH_BELOW 1
#define TOUCH_ABOVE 2

/* ---- what is left ---- */

struct line {
	uint32_t *at;
	size_t head, tail;
};

static void reach_one(struct search *s, struct line *l, uint32_t v, uint32_t cost, uint32_t from)
{
	s->touched[v] |= TOUCH_BELOW;
	if (s->choice[v] == CHOICE_TAKEN)
		return;
	cost += s->choice[v] == CHOICE_FREE;
	if (cost >= s->cost[v])
		return;
	s->cost[v] = cost;
	s->from[v] = from;
	if (s->choice[v] == CHOICE_FREE)
		l->at[l->tail++] = v;
	else
		l->at[--l->head] = v;
}

/* Everything that can be reached from the target; the end with the fewest free networks on the way, or
 * NO_NODE.  Networks leave the line by rising cost, so each enters it once, before or behind. */
static uint32_t look_up(struct search *s)
{
	const struct above *up = s->up;
	struct line l = {s->line, up->n, up->n};
	uint32_t end = NO_NODE;

	s->work += up->n;
	memset(s->cost, 0xff, (size_t)up->n * sizeof(*s->cost));
	memset(s->touched, 0, up->n);
	for (size_t i = 0; i < up->n_first; i++)
		reach_one(s, &l, up->first[i], 0, NO_NODE);
	while (l.head < l.tail) {
		uint32_t v = l.at[l.head++];
		if (up->is_end[v] && (end == NO_NODE || s->cost[v] < s->cost[end]))
			end = v;
		s->work += up->row[v + 1] - up->row[v];
		for (uint32_t k = up->row[v]; k < up->row[v + 1]; k++)
			reach_one(s, &l, up->to[k], s->cost[v], v);
	}
	return end;
}

/* Marks what leads to the core without a taken network. */
static void look_down(struct search *s)
{
	const struct above *up = s->up;
	size_t n = 0;

	for (uint32_t v = 0; v < up->n; v++)
		if (up->is_end[v]) {
			s->touched[v] |= TOUCH_ABOVE;
			if (s->choice[v] != CHOICE_TAKEN)
				s->line[n++] = v;
		}
	for (size_t i = 0; i < n; i++) {
		uint32_t v = s->line[i];
		s->work += up->down_row[v + 1] - up->down_row[v];
		for (uint32_t k = up->down_row[v]; k < up->down_row[v + 1]; k++) {
			uint32_t w = up->down[k];
			if (!(s->touched[w] & TOUCH_ABOVE) && s->choice[w] != CHOICE_TAKEN)
				s->line[n++] = w;
			s->touched[w] |= TOUCH_ABOVE;
		}
	}
}

/* Is each taken network still of use?  After look_up(). */
static bool all_needed(struct search *s)
{
	for (size_t i = 0; i < s->n_taken; i++)
		if (!(s->touched[s->taken[i]] & TOUCH_BELOW))
			return false;
	look_down(s);
	for (size_t i = 0; i < s->n_taken; i++)
		if (!(s->touched[s->taken[i]] & TOUCH_ABOVE))
			return false;
	return true;
}

/* ---- the tree ---- */

static void choose(struct search *s, uint32_t v, enum choice c)
{
	static const uint64_t lets[] = {[CHOICE_FREE] = 1, [CHOICE_KEPT] = FLOW_NO_LIMIT, [CHOICE_TAKEN] = 0};

	s->choice[v] = (uint8_t)c;
	s->f->cap[FLOW_ARC(v)] = lets[c];
}

static bool can_be_cut(struct search *s)
{
	size_t left = s->size - s->n_taken;
	bool can = flow_send(s->f, left) <= left;

	flow_undo(s->f);
	return can;
}

static void set_add(struct search *s)
{
	struct cut_set *to = &s->to->set[s->to->n];

	if (s->to->n == CUT_SETS_MAX) {
		s->stopped = true;
		return;
	}
	s->to->n++;
	to->n = (uint32_t)s->n_taken;
	for (size_t i = 0; i < s->n_taken; i++) {
		to->node[i] = s->up->node[s->taken[i]];
		to->weight += s->q->weight[to->node[i]];
	}
	qsort(to->node, to->n, sizeof(*to->node), u32_order);
}

/* The free networks on the way to `end`, from it down. */
static size_t way_free(const struct search *s, uint32_t end, uint32_t *way)
{
	size_t n = 0;

	for (uint32_t v = end; v != NO_NODE; v = s->from[v])
		if (s->choice[v] == CHOICE_FREE)
			way[n++] = v;
	return n;
}

/* Depth: as many as are taken, CUT_SIZE_MAX at most. */
static void search_on(struct search *s)
{
	uint32_t end = look_up(s);

	s->stopped = s->stopped || s->work + s->f->work > CUT_WORK_MAX;
	if (s->stopped || (end != NO_NODE && (s->n_taken == s->size || s->cost[end] == 0)))
		return;
	if (!all_needed(s))
		return;
	if (end == NO_NODE) {
		if (s->n_taken == s->size)
			set_add(s);
		return;
	}
	if (!can_be_cut(s))
		return;
	uint32_t *way = s->way[s->n_taken];
	size_t n = way_free(s, end, way);
	for (size_t i = 0; i < n && !s->stopped; i++) {
		choose(s, way[i], CHOICE_TAKEN);
		s->taken[s->n_taken++] = way[i];
		search_on(s);
		s->n_taken--;
		choose(s, way[i], CHOICE_KEPT);
	}
	for (size_t i = 0; i < n; i++)
		choose(s, way[i], CHOICE_FREE);
}

/* ---- the whole ---- */

static bool search_memory(struct search *s, struct arena *a)
{
	size_t n = (size_t)s->up->n + 1;

	s->choice = arena_array(a, n, sizeof(*s->choice));
	s->cost = arena_array(a, n, sizeof(*s->cost));
	s->from = arena_array(a, n, sizeof(*s->from));
	s->line = arena_array(a, 2 * n, sizeof(*s->line));
	s->touched = arena_array(a, n, sizeof(*s->touched));
	for (size_t i = 0; i < s->q->size; i++)
		if (!(s->way[i] = arena_array(a, n, sizeof(**s->way))))
			return false;
	s->to->set = arena_array(a, CUT_SETS_MAX, sizeof(*s->to->set));
	return s->choice && s->cost && s->from && s->line && s->touched && s->to->set;
}

enum status sets_find(struct cut_answer *to, const struct above *up, struct flow *f, const struct cut_ask *q,
	struct arena *a, struct err *e)
{
	struct search s = {.up = up, .f = f, .q = q, .to = to};

	if (!search_memory(&s, a))
		return err_nomem(e);
	for (uint32_t v = 0; v < up->n; v++)
		choose(&s, v, up->fixed[v] ? CHOICE_KEPT : CHOICE_FREE);
	to->connected = look_up(&s) != NO_NODE;
	to->whole = q->size;
	for (s.size = 1; s.size <= q->size && to->connected && !s.stopped; s.size++) {
		search_on(&s);
		if (s.stopped)
			to->whole = s.size - 1;
	}
	to->more = s.stopped;
	return STATUS_OK;
}
