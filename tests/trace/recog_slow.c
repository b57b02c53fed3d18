/* Stretches counted the slow way: all bursts of both in one list, each looked at beside all of ours. */
#include "recog_slow.h"

#include <stdlib.h>

#define QUIET 100000

struct one {
	int64_t start, end;
	uint64_t bytes;
	int side, d;
};

static int by_start(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return 2 * x->side + x->d - 2 * y->side - y->d;
}

static size_t list_of(struct one *to, const struct flow *f, int side)
{
	size_t n = 0;

	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *b = &f->burst[d][i];
			to[n++] = (struct one){b->start_us, burst_end(b), b->bytes, side, d};
		}
	return n;
}

/* Which third of our pause burst k begins in, if that is a wide one: 0 the first half-width, 2 the last. */
static int third(const struct one *v, size_t n, size_t k, int64_t wide)
{
	int64_t last = INT64_MIN, next = INT64_MAX;

	for (size_t i = 0; i < n; i++) {
		if (v[i].side == 1 && i < k && v[i].end > last)
			last = v[i].end;
		if (v[i].side == 1 && i >= k && v[i].start < next)
			next = v[i].start;
	}
	if (last != INT64_MIN && next != INT64_MAX && next - last < wide)
		return 0;
	if (next != INT64_MAX && v[k].start >= next - wide / 2)
		return 2;
	return last != INT64_MIN && v[k].start < last + wide / 2 ? 0 : 1;
}

struct slow slow_count(const struct flow *a, const struct flow *b, int64_t gap)
{
	size_t n = a->n_burst[0] + a->n_burst[1] + b->n_burst[0] + b->n_burst[1], k = 0;
	struct one *v = calloc(n + 1, sizeof(*v));
	struct slow s = {0};
	int64_t wide = gap + 120000;

	if (!v)
		abort();
	k = list_of(v, a, 0);
	(void)list_of(v + k, b, 1);
	qsort(v, n, sizeof(*v), by_start);
	for (size_t i = 0, j; i < n; i = j) {
		uint64_t bytes[2][2] = {{0}};
		int64_t end = v[i].end;
		int at = third(v, n, i, wide);
		for (j = i; j < n && v[j].start - end < QUIET && third(v, n, j, wide) <= at; j++) {
			bytes[v[j].side][v[j].d] += v[j].bytes;
			end = v[j].end > end ? v[j].end : end;
			at = v[j].side == 1 ? 0 : third(v, n, j, wide);
		}
		bool same = bytes[0][0] == bytes[1][0] && bytes[0][1] == bytes[1][1];
		s.compared++;
		s.absent += bytes[0][0] + bytes[0][1] == 0;
		s.equal += same && bytes[0][0] + bytes[0][1] > 0;
	}
	free(v);
	return s;
}
