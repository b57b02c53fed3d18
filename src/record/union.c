/* Bursts of the parts of one flow come in, one sorted train per direction goes out.
 *
 * One recorder cuts a burst at any flush: its pieces add up.  Two recorders that saw the same packets
 * (overlapping files, two processes on one wire) give bursts that overlap in time: the union of their time,
 * the larger of their counts.  What that takes away from the bursts is taken away from the packet and byte
 * counts in proportion. */
#include <stdlib.h>
#include <string.h>

#include "record/join.h"

struct tagged {
	struct burst b;
	uint64_t writer;
};

static int by_writer(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;

	if (x->writer != y->writer)
		return x->writer < y->writer ? -1 : 1;
	return (x->b.start_us > y->b.start_us) - (x->b.start_us < y->b.start_us);
}

static int by_start(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;
	int c = (x->b.start_us > y->b.start_us) - (x->b.start_us < y->b.start_us);

	return c ? c : (x->writer > y->writer) - (x->writer < y->writer);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Puts b behind the last of `to`, or into it where the pause is shorter than the gap.  A burst that is longer
 * than its field holds (71 minutes) is not joined further. */
static size_t burst_push(struct burst *to, size_t n, const struct burst *b, int64_t gap_us)
{
	struct burst *last = n ? &to[n - 1] : NULL;

	if (last && b->start_us - burst_end(last) < gap_us) {
		int64_t dur = later(burst_end(last), burst_end(b)) - last->start_us;
		if (dur <= (int64_t)UINT32_MAX) {
			last->dur_us = (uint32_t)dur;
			last->packets += b->packets;
			last->bytes += b->bytes;
			return n;
		}
	}
	to[n] = *b;
	return n + 1;
}

static uint64_t packets_of(const struct tagged *t, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += t[i].b.packets;
	return sum;
}

/* The pieces of each writer put together at its own gap: sorted by writer, then time. */
static size_t pieces_join(struct tagged *t, size_t n, int64_t gap_us)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		struct burst pair[2];
		if (k == 0 || t[k - 1].writer != t[i].writer) {
			t[k++] = t[i];
			continue;
		}
		pair[0] = t[k - 1].b;
		if (burst_push(pair, 1, &t[i].b, gap_us) == 1)
			t[k - 1].b = pair[0];
		else
			t[k++] = t[i];
	}
	return k;
}

/* Bursts of different writers that overlap become one: sorted by start. */
static size_t copies_join(struct tagged *t, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		struct tagged *last = k ? &t[k - 1] : NULL;
		bool over = last && last->writer != t[i].writer &&
			    (t[i].b.start_us < burst_end(&last->b) || t[i].b.start_us == last->b.start_us);
		int64_t end = over ? later(burst_end(&last->b), burst_end(&t[i].b)) : 0;
		if (!over || end - last->b.start_us > (int64_t)UINT32_MAX) {
			t[k++] = t[i];
			continue;
		}
		if (burst_end(&t[i].b) > burst_end(&last->b))
			last->writer = t[i].writer;
		last->b.dur_us = (uint32_t)(end - last->b.start_us);
		last->b.packets = t[i].b.packets > last->b.packets ? t[i].b.packets : last->b.packets;
		last->b.bytes = t[i].b.bytes > last->b.bytes ? t[i].b.bytes : last->b.bytes;
	}
	return k;
}

/* All bursts of direction d of the flow, with their writers, in the order of the parts. */
static size_t gather(struct union_work *u, const struct build *b, const struct place *place,
	const struct part *part, int d)
{
	size_t n = 0;

	for (uint32_t i = b->first; i != NONE; i = place[i].next) {
		const struct part *p = &part[place[i].part];
		int from = place[i].swapped ? 1 - d : d;
		for (uint32_t k = 0; k < p->n_burst[from]; k++)
			u->tagged[n++] = (struct tagged){.b = p->burst[from][k], .writer = p->writer};
	}
	return n;
}

static uint64_t scale(uint64_t v, uint64_t num, uint64_t den)
{
	return (uint64_t)((unsigned __int128)v * num / den);
}

static void count_scale(struct flow_count *c, uint64_t num, uint64_t den)
{
	c->packets = scale(c->packets, num, den);
	c->frame_bytes = scale(c->frame_bytes, num, den);
	c->payload_bytes = scale(c->payload_bytes, num, den);
}

/* The bursts of several writers without what was seen twice; *before and *after count their packets. */
static size_t copies_drop(struct tagged *t, size_t n, uint32_t gap_us, uint64_t *before, uint64_t *after)
{
	*before = packets_of(t, n);
	qsort(t, n, sizeof(*t), by_writer);
	n = pieces_join(t, n, gap_us);
	qsort(t, n, sizeof(*t), by_start);
	n = copies_join(t, n);
	*after = packets_of(t, n);
	return n;
}

/* A flow of one part keeps its bursts where the part has them, if that memory is kept: they only get fewer.
 */
static struct burst *train_room(struct arena *a, const struct build *b, const struct place *place,
	const struct part *part, int d, size_t n, const struct union_work *u)
{
	const struct place *only = &place[b->first];

	if (u->in_place && b->first == b->last)
		return part[only->part].burst[only->swapped ? 1 - d : d];
	return arena_array(a, n, sizeof(struct burst));
}

static size_t burst_total(const struct build *b, const struct place *place, const struct part *part)
{
	size_t n = 0;

	for (uint32_t i = b->first; i != NONE; i = place[i].next)
		n += (size_t)part[place[i].part].n_burst[0] + part[place[i].part].n_burst[1];
	return n;
}

/* The common case: one recorder's parts, whose bursts follow each other.  False where they do not. */
static bool in_order(size_t *n, const struct build *b, const struct place *place, const struct part *part,
	int d, int64_t gap_us, struct union_work *u)
{
	int64_t before = INT64_MIN;

	*n = 0;
	for (uint32_t i = b->first; i != NONE; i = place[i].next) {
		const struct part *p = &part[place[i].part];
		int from = place[i].swapped ? 1 - d : d;
		for (uint32_t k = 0; k < p->n_burst[from]; k++) {
			if (p->burst[from][k].start_us < before)
				return false;
			before = p->burst[from][k].start_us;
			*n = burst_push(u->burst, *n, &p->burst[from][k], gap_us);
		}
	}
	return true;
}

/* The same for parts that overlap in time, or come from several recorders. */
static bool overlapping(size_t *n, const struct build *b, const struct place *place, const struct part *part,
	int d, int64_t gap_us, struct union_work *u, uint64_t seen[2])
{
	if (!grow(&u->tagged, &u->cap_tagged, 0, burst_total(b, place, part), sizeof(*u->tagged)))
		return false;
	size_t m = gather(u, b, place, part, d);
	if (b->many_writers)
		m = copies_drop(u->tagged, m, b->head.source.gap_us, &seen[0], &seen[1]);
	else
		qsort(u->tagged, m, sizeof(*u->tagged), by_start);
	*n = 0;
	for (size_t i = 0; i < m; i++)
		*n = burst_push(u->burst, *n, &u->tagged[i].b, gap_us);
	return true;
}

bool union_bursts(struct flow *to, struct arena *a, const struct build *b, const struct place *place,
	const struct part *part, int64_t gap_us, struct union_work *u)
{
	uint64_t seen[2][2] = {0}; /* packets with and without what is there twice */
	size_t n;

	if (!grow(&u->burst, &u->cap_burst, 0, burst_total(b, place, part), sizeof(*u->burst)))
		return false;
	for (int d = 0; d < 2; d++) {
		bool ok = !b->many_writers && in_order(&n, b, place, part, d, gap_us, u);
		if (!ok && !overlapping(&n, b, place, part, d, gap_us, u, seen[d]))
			return false;
		to->n_burst[d] = n;
		to->burst[d] = n ? train_room(a, b, place, part, d, n, u) : NULL;
		if (n && !to->burst[d])
			return false;
		if (n)
			memcpy(to->burst[d], u->burst, n * sizeof(struct burst));
	}
	for (int d = 0; d < 2; d++) {
		int by = seen[d][0] ? d : 1 - d; /* a direction of mere ACKs goes by the other */
		if (seen[by][1] < seen[by][0])
			count_scale(&to->count[d], seen[by][1], seen[by][0]);
	}
	return true;
}

void union_free(struct union_work *u)
{
	free(u->tagged);
	free(u->burst);
	*u = (struct union_work){0};
}
