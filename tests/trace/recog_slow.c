/* Stretches counted the slow way: every millisecond of both flows is busy or quiet. */
#include "recog_slow.h"

#include <stdlib.h>

static void busy(uint8_t *ms, int64_t from, const struct flow *f)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *b = &f->burst[d][i];
			int64_t x = (b->start_us - from) / 1000, y = (burst_end(b) - from) / 1000;
			for (int64_t t = x; t <= y; t++)
				ms[t] = 1;
		}
}

static uint64_t bytes_in(const struct flow *f, int d, int64_t from, int64_t to)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < f->n_burst[d]; i++)
		if (f->burst[d][i].start_us >= from && f->burst[d][i].start_us <= to)
			sum += f->burst[d][i].bytes;
	return sum;
}

struct slow slow_count(const struct flow *a, const struct flow *b, int64_t from, size_t n)
{
	uint8_t *ms = calloc(n, 1);
	struct slow s = {0};

	if (!ms)
		abort();
	busy(ms, from, a);
	busy(ms, from, b);
	for (size_t i = 0, j; i < n; i = j) {
		j = i + 1;
		if (!ms[i])
			continue;
		size_t last = i;
		for (; j < n && j - last < 100; j++)
			last = ms[j] ? j : last;
		int64_t x = from + (int64_t)i * 1000, y = from + (int64_t)last * 1000 + 999;
		uint64_t p = bytes_in(a, 0, x, y), q = bytes_in(a, 1, x, y);
		s.compared++;
		s.absent += p + q == 0;
		s.equal += p == bytes_in(b, 0, x, y) && q == bytes_in(b, 1, x, y) && p + q > 0;
	}
	free(ms);
	return s;
}
