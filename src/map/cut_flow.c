/* Maximal flow through what is above a target: how many networks (or what weight of them) must be taken out
 * to cut it off is the most that can flow when each network lets through what it counts (Menger; Ford and
 * Fulkerson).  Phases of shortest ways, each blocked before the next (Dinic 1970).  Nothing recurses: a chain
 * in a hostile file may be as long as the file. */
#include <string.h>

#include "map/cut_in.h"

#define NO_LEVEL UINT32_MAX

/* ---- the network ---- */

struct arcs {
	struct flow *f;
	uint32_t *tail;
	uint32_t n;
};

static void arc_add(struct arcs *s, uint32_t from, uint32_t to, uint64_t cap)
{
	struct flow *f = s->f;

	s->tail[s->n] = from;
	f->head[s->n] = to;
	f->cap[s->n++] = cap;
	s->tail[s->n] = to;
	f->head[s->n] = from;
	f->cap[s->n++] = 0;
}

static void arcs_add(struct arcs *s, const struct above *up)
{
	for (uint32_t v = 0; v < up->n; v++) /* first, so that FLOW_ARC() finds them */
		arc_add(s, FLOW_IN(v), FLOW_OUT(v), up->fixed[v] ? FLOW_NO_LIMIT : 1);
	for (size_t i = 0; i < up->n_first; i++)
		arc_add(s, FLOW_SOURCE, FLOW_IN(up->first[i]), FLOW_NO_LIMIT);
	for (uint32_t v = 0; v < up->n; v++) {
		if (up->is_end[v])
			arc_add(s, FLOW_OUT(v), FLOW_SINK, FLOW_NO_LIMIT);
		for (uint32_t k = up->row[v]; k < up->row[v + 1]; k++)
			arc_add(s, FLOW_OUT(v), FLOW_IN(up->to[k]), FLOW_NO_LIMIT);
	}
}

static void rows_fill(struct flow *f, const uint32_t *tail)
{
	for (uint32_t a = 0; a < f->n_arc; a++)
		f->row[tail[a] + 1]++;
	for (uint32_t u = 0; u < f->n; u++)
		f->row[u + 1] += f->row[u];
	for (uint32_t a = 0; a < f->n_arc; a++)
		f->arc[f->row[tail[a]] + f->next[tail[a]]++] = a;
}

static bool flow_memory(struct flow *f, struct arena *a)
{
	size_t n = f->n, m = (size_t)f->n_arc + 1;
	uint32_t **by_vertex[] = {&f->level, &f->next, &f->queue, &f->way, &f->row};
	uint32_t **by_arc[] = {&f->arc, &f->head, &f->touched};

	for (size_t i = 0; i < sizeof(by_vertex) / sizeof(*by_vertex); i++)
		if (!(*by_vertex[i] = arena_array(a, n + 1, sizeof(uint32_t))))
			return false;
	for (size_t i = 0; i < sizeof(by_arc) / sizeof(*by_arc); i++)
		if (!(*by_arc[i] = arena_array(a, m, sizeof(uint32_t))))
			return false;
	f->cap = arena_array(a, m, sizeof(*f->cap));
	f->before = arena_array(a, m, sizeof(*f->before));
	f->is_touched = arena_array(a, m, sizeof(*f->is_touched));
	return f->cap && f->before && f->is_touched;
}

enum status flow_make(struct flow *f, const struct above *up, struct arena *a, struct err *e)
{
	uint64_t n_arc = (uint64_t)up->n + up->n_first + up->row[up->n];

	for (uint32_t v = 0; v < up->n; v++)
		n_arc += up->is_end[v];
	*f = (struct flow){0};
	if (2 * n_arc >= UINT32_MAX || up->n > UINT32_MAX / 2 - 4)
		return err_set(e, STATUS_BAD, "more links above the target than can be numbered");
	f->n = 2 * up->n + 2;
	f->n_arc = (uint32_t)(2 * n_arc);
	struct arcs s = {f, arena_array(a, (size_t)f->n_arc + 1, sizeof(uint32_t)), 0};
	if (!s.tail || !flow_memory(f, a))
		return err_nomem(e);
	arcs_add(&s, up);
	rows_fill(f, s.tail);
	return STATUS_OK;
}

/* ---- sending ---- */

static void touch(struct flow *f, uint32_t a)
{
	if (f->is_touched[a])
		return;
	f->is_touched[a] = 1;
	f->before[f->n_touched] = f->cap[a];
	f->touched[f->n_touched++] = a;
}

void flow_undo(struct flow *f)
{
	for (size_t i = 0; i < f->n_touched; i++) {
		f->cap[f->touched[i]] = f->before[i];
		f->is_touched[f->touched[i]] = 0;
	}
	f->n_touched = 0;
}

/* How far each vertex is from the source; false where the sink is out of reach. */
static bool levels(struct flow *f)
{
	uint32_t n = 0;

	memset(f->level, 0xff, (size_t)f->n * sizeof(*f->level));
	f->queue[n++] = FLOW_SOURCE;
	f->level[FLOW_SOURCE] = 0;
	for (uint32_t i = 0; i < n && f->level[FLOW_SINK] == NO_LEVEL; i++) {
		uint32_t u = f->queue[i];
		f->work += f->row[u + 1] - f->row[u];
		for (uint32_t k = f->row[u]; k < f->row[u + 1]; k++) {
			uint32_t w = f->head[f->arc[k]];
			if (f->cap[f->arc[k]] && f->level[w] == NO_LEVEL) {
				f->level[w] = f->level[u] + 1;
				f->queue[n++] = w;
			}
		}
	}
	return f->level[FLOW_SINK] != NO_LEVEL;
}

/* Sends along way[0 .. depth - 1] what fits; *back: its first arc that is full now. */
static uint64_t way_send(struct flow *f, uint32_t depth, uint32_t *back)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < depth; i++)
		least = f->cap[f->way[i]] < least ? f->cap[f->way[i]] : least;
	*back = depth;
	for (uint32_t i = depth; i-- > 0;) {
		uint32_t a = f->way[i];
		touch(f, a);
		touch(f, a ^ 1);
		f->cap[a] -= least;
		f->cap[a ^ 1] += least;
		if (!f->cap[a])
			*back = i;
	}
	return least;
}

/* The next arc from u that leads one level on and is not full; false: none. */
static bool step(struct flow *f, uint32_t u, uint32_t *a)
{
	for (; f->next[u] < f->row[u + 1]; f->next[u]++) {
		f->work++;
		*a = f->arc[f->next[u]];
		if (f->cap[*a] && f->level[f->head[*a]] == f->level[u] + 1)
			return true;
	}
	return false;
}

/* All ways of the phase, until the sum is above the limit. */
static uint64_t block(struct flow *f, uint64_t sum, uint64_t limit)
{
	uint32_t depth = 0, u = FLOW_SOURCE, a = 0;

	memcpy(f->next, f->row, (size_t)f->n * sizeof(*f->next));
	while (sum <= limit) {
		if (u == FLOW_SINK) {
			sum += way_send(f, depth, &depth);
			u = f->head[f->way[depth] ^ 1];
		} else if (step(f, u, &a)) {
			f->way[depth++] = a;
			u = f->head[a];
		} else if (depth) {
			u = f->head[f->way[--depth] ^ 1];
			f->next[u]++;
		} else {
			break;
		}
	}
	return sum;
}

uint64_t flow_send(struct flow *f, uint64_t limit)
{
	uint64_t sum = 0;

	while (sum <= limit && levels(f))
		sum = block(f, sum, limit);
	return sum;
}

bool flow_cuts(const struct flow *f, uint32_t v)
{
	return f->level[FLOW_IN(v)] != NO_LEVEL && f->level[FLOW_OUT(v)] == NO_LEVEL;
}
