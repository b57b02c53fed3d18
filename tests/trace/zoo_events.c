/* Packets of one direction: their times and sizes, side by side.  Generators append several trains, each of
 * them in order or nearly so; sorting merges the runs that are there. */
#include <stdlib.h>

#include "zoo_gen.h"

#define BYTES_USUAL 64

static void *grown(void *old, size_t n, size_t each)
{
	void *p = realloc(old, n * each);
	if (p == NULL)
		abort();
	return p;
}

void events_add_sized(struct events *e, double t, uint32_t bytes)
{
	if (e->n == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 256;
		e->t = grown(e->t, e->cap, sizeof *e->t);
		e->bytes = grown(e->bytes, e->cap, sizeof *e->bytes);
	}
	e->bytes[e->n] = bytes;
	e->t[e->n++] = t;
}

void events_add(struct events *e, double t)
{
	events_add_sized(e, t, BYTES_USUAL);
}

void events_clear(struct events *e)
{
	e->n = 0;
}

void events_free(struct events *e)
{
	free(e->t);
	free(e->bytes);
	*e = (struct events){0};
}

static size_t run_end(const struct events *e, size_t i)
{
	if (i < e->n)
		i++;
	while (i < e->n && e->t[i - 1] <= e->t[i])
		i++;
	return i;
}

static void take(struct events *to, const struct events *from, size_t i)
{
	to->t[to->n] = from->t[i];
	to->bytes[to->n++] = from->bytes[i];
}

/* Merges the runs [i, mid) and [mid, end). */
static void merge(struct events *to, const struct events *from, size_t i, size_t mid, size_t end)
{
	size_t j = mid;
	while (i < mid && j < end)
		take(to, from, from->t[j] < from->t[i] ? j++ : i++);
	while (i < mid)
		take(to, from, i++);
	while (j < end)
		take(to, from, j++);
}

void events_sort(struct events *e)
{
	struct events to = {0};
	while (run_end(e, 0) < e->n) {
		if (to.cap < e->n) {
			to.cap = e->cap;
			to.t = grown(NULL, to.cap, sizeof *to.t);
			to.bytes = grown(NULL, to.cap, sizeof *to.bytes);
		}
		to.n = 0;
		for (size_t i = 0, mid, end; i < e->n; i = end) {
			mid = run_end(e, i);
			end = run_end(e, mid);
			merge(&to, e, i, mid, end);
		}
		struct events swap = *e;
		*e = to;
		to = swap;
	}
	events_free(&to);
}
