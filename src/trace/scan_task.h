/* Inside scan's search: a task, what a thread looks at it with (scan_look.c), and what becomes of what was
 * found (scan_rival.c, scan_tell.c). */
#ifndef WEIR_TRACE_SCAN_TASK_H
#define WEIR_TRACE_SCAN_TASK_H

#include "trace/scan_in.h"

/* A pair that was tested. */
struct scan_found {
	const struct scan_leg *in, *out;
	const struct meeting *meeting;
	struct link_result link;
};

/* A group of in-legs, at most INDEX_COLUMNS of one point, against a stretch of out-legs of one point. */
struct scan_task {
	const struct scan_set *set;
	const struct meeting *meeting; /* of the two points */
	const struct scan_leg *in, *out;
	size_t n_in, n_out;
	struct scan_found *found; /* what is proven; everything where everything is asked for */
	size_t n_found, cap_found;
	uint64_t tested, undecidable;
	bool done;
};

/* The pair as it is tested. */
static inline void scan_pair(const struct scan *sc, const struct meeting *m, const struct scan_leg *in,
	const struct scan_leg *out, struct relink *to)
{
	pair_between(to, &in->view->host, &out->view->host, m, in->flow, out->flow, sc->needed);
}

/* One thread's own; NULL where memory is out. */
struct scan_look;
struct scan_look *scan_look_new(const struct scan *sc);
void scan_look_free(struct scan_look *w);
/* Lays out the task's in-legs. */
enum status scan_look_begin(struct scan_look *w, const struct scan_task *k, struct err *e);
/* Holds one of its out-legs against them all. */
enum status scan_look_row(
	struct scan_look *w, struct scan_task *k, const struct scan_leg *out, struct err *e);

/* Tells what a task found, and frees it; what is proven is told with its host's last task. */
enum status scan_tell(struct scan *sc, struct scan_task *k, bool last, struct err *e);
/* Tells what is proven and was not told yet. */
enum status scan_tell_held(struct scan *sc, struct err *e);

struct scan_held {
	struct scan_found found;
	bool rival; /* another flow explains OUT as well, or better */
};

/* Withholds what has rivals among what is held (scan_rival.c). */
enum status scan_rivals(struct scan *sc, struct err *e);

#endif
