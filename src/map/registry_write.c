/* Delegations to a sheet: sorted, and cut where they overlap (see registry.h for who counts there).
 *
 * A sweep over their ends: at each place where one begins or has ended, the one that counts among those that
 * are open is on top of a heap.  What counts from one such place to the next is written as one range. */
#include <stdlib.h>

#include "base/grow.h"
#include "map/registry_in.h"

struct open {
	struct number_range r;
	size_t at; /* in d */
};
struct sweep {
	const struct delegation *d;
	struct open *in;   /* all of one kind, by first */
	struct open *heap; /* those that are open, the one that counts on top */
	size_t n, n_heap;
	struct delegation *out;
	size_t n_out, cap;
	bool *used;       /* by place in d: is anything of it left? */
	struct open wait; /* the range that is being written */
	bool waiting;
};

/* ---- who counts ---- */

static bool counts_over(const struct sweep *s, const struct open *a, const struct open *b)
{
	uint64_t wide_a = a->r.last - a->r.first, wide_b = b->r.last - b->r.first;

	if (wide_a != wide_b)
		return wide_a < wide_b;
	if (s->d[a->at].date != s->d[b->at].date)
		return s->d[a->at].date > s->d[b->at].date;
	return a->at > b->at;
}

static void heap_add(struct sweep *s, struct open o)
{
	size_t i = s->n_heap++;

	while (i > 0 && counts_over(s, &o, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = o;
}

static void heap_drop(struct sweep *s)
{
	struct open o = s->heap[--s->n_heap];
	size_t i = 0;

	for (size_t c = 1; c < s->n_heap; c = 2 * i + 1) {
		if (c + 1 < s->n_heap && counts_over(s, &s->heap[c + 1], &s->heap[c]))
			c++;
		if (!counts_over(s, &s->heap[c], &o))
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	s->heap[i] = o;
}

/* ---- what is written ---- */

static bool put(struct sweep *s, const struct delegation *d)
{
	if (!grow(&s->out, &s->cap, s->n_out, 1, sizeof(*s->out)))
		return false;
	s->out[s->n_out++] = *d;
	return true;
}

static uint64_t host_bits(unsigned len)
{
	return len == 0 ? UINT64_MAX : len >= 64 ? 0 : UINT64_MAX >> len;
}

/* IPv6: as the prefixes that the range is made of, each the widest that begins there and ends in it. */
static bool put_prefixes(struct sweep *s, struct delegation d, struct number_range r)
{
	for (;;) {
		unsigned len = 64;
		while (len > 0 && (r.first & host_bits(len - 1)) == 0 &&
			r.last - r.first >= host_bits(len - 1))
			len--;
		d.hi = r.first;
		d.n = len;
		if (!put(s, &d))
			return false;
		if (r.last - r.first == host_bits(len))
			return true;
		r.first += host_bits(len) + 1;
	}
}

/* Writes the range that was waiting for its end. */
static bool flush(struct sweep *s)
{
	struct open o = s->wait;

	if (!s->waiting)
		return true;
	s->waiting = false;
	struct delegation d = s->d[o.at];
	s->used[o.at] = true;
	if (d.kind == NUMBER_IPV6)
		return put_prefixes(s, d, o.r);
	d.first = (uint32_t)o.r.first;
	d.n = (uint32_t)(o.r.last - o.r.first + 1);
	return put(s, &d);
}

/* What goes on with the same delegation is one range. */
static bool put_range(struct sweep *s, const struct open *o, uint64_t first, uint64_t last)
{
	if (s->waiting && s->wait.at == o->at && s->wait.r.last + 1 == first) {
		s->wait.r.last = last;
		return true;
	}
	if (!flush(s))
		return false;
	s->wait = (struct open){{first, last}, o->at};
	s->waiting = true;
	return true;
}

/* From `at` up to the next place where something begins, or where what counts ends. */
static bool stretch(struct sweep *s, uint64_t at, size_t next, uint64_t *end)
{
	const struct open *top = &s->heap[0];

	*end = top->r.last;
	if (next < s->n && s->in[next].r.first <= *end)
		*end = s->in[next].r.first - 1;
	return put_range(s, top, at, *end);
}

static bool sweep_run(struct sweep *s)
{
	size_t next = 0;

	while (next < s->n) {
		uint64_t at = s->in[next].r.first, end = 0;
		do {
			while (next < s->n && s->in[next].r.first == at)
				heap_add(s, s->in[next++]);
			if (!stretch(s, at, next, &end))
				return false;
			while (s->n_heap && s->heap[0].r.last <= end)
				heap_drop(s);
			at = end + 1;
		} while (s->n_heap);
	}
	return true;
}

/* ---- one kind of number after the other ---- */

static int by_first(const void *a, const void *b)
{
	const struct open *x = a, *y = b;

	if (x->r.first != y->r.first)
		return x->r.first < y->r.first ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static enum status kind_write(
	struct sweep *s, struct sheet_out *o, enum number_kind k, size_t n, struct err *e)
{
	s->n = s->n_heap = s->n_out = 0;
	for (size_t i = 0; i < n; i++)
		if (s->d[i].kind == k)
			s->in[s->n++] = (struct open){delegation_range(&s->d[i]), i};
	qsort(s->in, s->n, sizeof(*s->in), by_first);
	if (!sweep_run(s) || !flush(s))
		return err_nomem(e);
	return sheet_put(o, tag_numbers[k], s->out, s->n_out * sizeof(*s->out), e);
}

enum status registry_write(struct sheet_out *o, const struct delegation *d, size_t n, const char *text,
	size_t n_text, uint64_t *twice, struct err *e)
{
	struct sweep s = {.d = d,
		.in = calloc(n + 1, sizeof(*s.in)),
		.heap = calloc(n + 1, sizeof(*s.heap)),
		.used = calloc(n + 1, sizeof(*s.used))};
	enum status st = s.in && s.heap && s.used ? STATUS_OK : err_nomem(e);

	*twice = 0;
	for (int k = 0; k < NUMBER_KINDS && st == STATUS_OK; k++)
		st = kind_write(&s, o, (enum number_kind)k, n, e);
	for (size_t i = 0; i < n && st == STATUS_OK; i++)
		*twice += !s.used[i];
	if (st == STATUS_OK)
		st = sheet_put(o, TAG_STRINGS, text, n_text, e);
	free(s.in);
	free(s.heap);
	free(s.used);
	free(s.out);
	return st;
}

enum status registry_write_rirs(struct sheet_out *o, uint32_t rirs, struct err *e)
{
	return sheet_put(o, TAG_RIRS, &rirs, sizeof(rirs), e);
}

/* ---- names ---- */

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

enum status holders_write(struct sheet_out *o, const struct holder *of, size_t n, const char *text,
	size_t n_text, uint64_t *twice, struct err *e)
{
	uint64_t *key = calloc(n + 1, sizeof(*key)); /* AS number << 32 | place */
	struct holder *sorted = calloc(n + 1, sizeof(*sorted));
	enum status st = key && sorted && n < UINT32_MAX ? STATUS_OK : err_nomem(e);
	size_t kept = 0;

	for (size_t i = 0; i < n && st == STATUS_OK; i++)
		key[i] = (uint64_t)of[i].asn << 32 | i;
	if (st == STATUS_OK)
		qsort(key, n, sizeof(*key), by_number);
	for (size_t i = 0; i < n && st == STATUS_OK; i++)
		if (i == 0 || key[i - 1] >> 32 != key[i] >> 32)
			sorted[kept++] = of[(uint32_t)key[i]];
	*twice = n - kept;
	if (st == STATUS_OK)
		st = sheet_put(o, TAG_HOLDERS, sorted, kept * sizeof(*sorted), e);
	if (st == STATUS_OK)
		st = sheet_put(o, TAG_STRINGS, text, n_text, e);
	free(key);
	free(sorted);
	return st;
}
