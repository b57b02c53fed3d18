/* What a writer has buffered: chunks and coverage records come in and are copied, block_write() makes a block
 * of them. Nothing is kept by reference; names of observation points are kept once. */
#include <stdlib.h>
#include <string.h>

#include "record/segment.h"

static const char *point_intern(struct stash *s, const char *name, struct err *e)
{
	if (!name)
		name = "";
	for (size_t i = 0; i < s->n_point; i++)
		if (strcmp(s->point[i], name) == 0)
			return s->point[i];
	if (strlen(name) > POINT_NAME_MAX) {
		(void)err_set(e, STATUS_BAD, "the name of an observation point has more than %d bytes",
			POINT_NAME_MAX);
		return NULL;
	}
	char *copy = grow(&s->point, &s->cap_point, s->n_point, 1, sizeof(*s->point)) ? strdup(name) : NULL;
	if (!copy) {
		(void)err_nomem(e);
		return NULL;
	}
	s->point[s->n_point++] = copy;
	return copy;
}

static int burst_order(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;

	return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

static bool time_ok(int64_t t)
{
	return t > -TIME_LIMIT_US && t < TIME_LIMIT_US;
}

static bool chunk_ok(const struct chunk *c)
{
	bool ok = time_ok(c->head.first_us);

	for (int d = 0; d < 2; d++) {
		ok = ok && (c->head.end[d].ip.v == 4 || c->head.end[d].ip.v == 6);
		ok = ok && time_ok(c->count[d].first_us) && time_ok(c->count[d].last_us);
		for (size_t i = 0; i < c->n_burst[d]; i++)
			ok = ok && time_ok(c->burst[d][i].start_us);
	}
	return ok;
}

/* The bursts of one direction, sorted. */
static void stash_bursts(struct stash *s, const struct burst *b, size_t n)
{
	struct burst *to = s->burst + s->n_burst;
	bool sorted = true;

	if (n == 0)
		return;
	memcpy(to, b, n * sizeof(*b));
	for (size_t i = 1; i < n; i++)
		sorted = sorted && to[i - 1].start_us <= to[i].start_us;
	if (!sorted)
		qsort(to, n, sizeof(*to), burst_order);
	s->n_burst += n;
}

enum status stash_chunk(struct stash *s, const struct chunk *c, struct err *e)
{
	if (!chunk_ok(c))
		return err_set(e, STATUS_BAD, "a chunk without addresses or with a time out of range");
	size_t more = c->n_burst[0] + c->n_burst[1];
	const char *point = point_intern(s, c->head.point, e);
	if (!point)
		return e->status;
	if (!grow(&s->chunk, &s->cap_chunk, s->n_chunk, 1, sizeof(*s->chunk)) ||
		!grow(&s->burst, &s->cap_burst, s->n_burst, more, sizeof(*s->burst)))
		return err_nomem(e);
	struct chunk *to = &s->chunk[s->n_chunk++];
	*to = *c;
	to->head.point = point;
	for (int d = 0; d < 2; d++) {
		to->burst[d] = NULL;
		stash_bursts(s, c->burst[d], c->n_burst[d]);
	}
	return STATUS_OK;
}

enum status stash_cover(struct stash *s, const struct coverage *c, struct err *e)
{
	if (!time_ok(c->span.from_us) || !time_ok(c->span.to_us) || c->span.from_us > c->span.to_us)
		return err_set(e, STATUS_BAD, "a stretch of observation with times out of range");
	const char *point = point_intern(s, c->point, e);
	if (!point)
		return e->status;
	if (!grow(&s->cover, &s->cap_cover, s->n_cover, 1, sizeof(*s->cover)))
		return err_nomem(e);
	s->cover[s->n_cover] = *c;
	s->cover[s->n_cover++].point = point;
	return STATUS_OK;
}

size_t stash_size(const struct stash *s)
{
	return s->n_chunk * 72 + s->n_burst * 8 + s->n_cover * 16;
}

void stash_reset(struct stash *s)
{
	s->n_chunk = 0;
	s->n_burst = 0;
	s->n_cover = 0;
	for (size_t i = 0; i < s->n_point; i++)
		free(s->point[i]);
	s->n_point = 0;
}

void stash_free(struct stash *s)
{
	stash_reset(s);
	free(s->point);
	free(s->chunk);
	free(s->burst);
	free(s->cover);
	*s = (struct stash){0};
}
