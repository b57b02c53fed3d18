/* Inside the cut (cut*.c): what is above the target, as a small graph of its own, and flows in it. */
#ifndef WEIR_MAP_CUT_IN_H
#define WEIR_MAP_CUT_IN_H

#include "map/cut.h"

/* The networks on ways up, numbered 0 .. n - 1 (the target's own are not among them, together they are the
 * place where ways begin). */
struct above {
	uint32_t n;
	const uint32_t *node;     /* of each, as the whole graph numbers it; ascending */
	const uint32_t *row, *to; /* steps up: n + 1 places in to[] */
	const uint32_t *down_row, *down;
	const uint32_t *first; /* first steps, ascending */
	size_t n_first;
	const uint8_t *is_end; /* in the core: a way ends here */
	const uint8_t *fixed;  /* unwilling */
};
/* STATUS_BAD: a node that is none. */
enum status above_make(
	struct above *to, const struct graph *g, const struct cut_ask *q, struct arena *a, struct err *e);

/* A flow network: each network v as an arc from FLOW_IN(v) to FLOW_OUT(v) that holds what it costs to take
 * it out, all other arcs without limit; arcs stand in pairs, a ^ 1 is a turned around. */
#define FLOW_SOURCE   0U
#define FLOW_SINK     1U
#define FLOW_IN(v)    (2U * (v) + 2U)
#define FLOW_OUT(v)   (2U * (v) + 3U)
#define FLOW_ARC(v)   (2U * (v)) /* the arc of network v */
#define FLOW_NO_LIMIT (UINT64_C(1) << 62)
struct flow {
	uint32_t n, n_arc;      /* vertices, arcs with those turned around */
	uint32_t *row, *arc;    /* n + 1 places in arc[] */
	uint32_t *head;         /* by arc: where it leads */
	uint64_t *cap;          /* by arc: what is left */
	uint32_t *level, *next; /* by vertex: of the phase */
	uint32_t *queue, *way;
	uint32_t *touched; /* arcs whose cap was changed, to be undone; n_touched may not exceed n_arc */
	uint64_t *before;  /* their caps */
	uint8_t *is_touched;
	size_t n_touched;
	uint64_t work; /* arcs looked at so far */
};
enum status flow_make(struct flow *f, const struct above *up, struct arena *a, struct err *e);
/* Sends what goes from source to sink (Dinic 1970), but stops where it is above `limit`. */
uint64_t flow_send(struct flow *f, uint64_t limit);
/* Takes back all sending since flow_make() or the last flow_undo(). */
void flow_undo(struct flow *f);
/* After flow_send() without reaching its limit: is v of the cut that is nearest to the source? */
bool flow_cuts(const struct flow *f, uint32_t v);

/* All inclusion-minimal sets of at most q->size, unsorted, into to->set. */
enum status sets_find(struct cut_answer *to, const struct above *up, struct flow *f, const struct cut_ask *q,
	struct arena *a, struct err *e);

#endif
