/* When an observation point saw: coverage records come in, disjoint covered spans and blind spans per point
 * go out. */
#include <stdlib.h>
#include <string.h>

#include "record/segment.h"

static int cover_order(const void *a, const void *b)
{
	const struct coverage *x = a, *y = b;
	int c = strcmp(x->point, y->point);

	if (c == 0)
		c = (x->blind > y->blind) - (x->blind < y->blind);
	if (c == 0)
		c = (x->span.from_us > y->span.from_us) - (x->span.from_us < y->span.from_us);
	if (c == 0)
		c = (x->span.to_us > y->span.to_us) - (x->span.to_us < y->span.to_us);
	return c;
}

static int cover_time_order(const void *a, const void *b)
{
	const struct coverage *x = a, *y = b;
	int c = strcmp(x->point, y->point);

	if (c == 0)
		c = (x->span.from_us > y->span.from_us) - (x->span.from_us < y->span.from_us);
	if (c == 0)
		c = (x->blind > y->blind) - (x->blind < y->blind);
	return c;
}

/* May b be put into a?  Both of one point and kind, b not before a: covered spans that touch are one; blind
 * spans are one where they overlap. */
static bool cover_joins(const struct coverage *a, const struct coverage *b)
{
	return a->blind == b->blind && strcmp(a->point, b->point) == 0 &&
	       (b->span.from_us < a->span.to_us || (b->span.from_us == a->span.to_us && !a->blind));
}

static bool cover_equal(const struct coverage *a, const struct coverage *b)
{
	return a->span.from_us == b->span.from_us && a->span.to_us == b->span.to_us && a->lost == b->lost;
}

/* Sorts c and joins what overlaps; what is lost in blind spans adds up, the same record twice counts once. */
enum status coverage_merge(struct recording *r, struct coverage *c, size_t n, struct err *e)
{
	size_t k = 0;

	if (n == 0)
		return STATUS_OK;
	qsort(c, n, sizeof(*c), cover_order);
	struct coverage last = c[0];
	for (size_t i = 1; i < n; i++) {
		struct coverage now = c[i];
		if (!cover_joins(&c[k], &now)) {
			c[++k] = now;
		} else {
			if (now.span.to_us > c[k].span.to_us)
				c[k].span.to_us = now.span.to_us;
			if (!cover_equal(&now, &last))
				c[k].lost += now.lost;
		}
		last = now;
	}
	n = k + 1;
	qsort(c, n, sizeof(*c), cover_time_order);
	r->coverage = arena_array(&r->arena, n, sizeof(*c));
	if (!r->coverage)
		return err_nomem(e);
	memcpy(r->coverage, c, n * sizeof(*c));
	r->n_coverage = n;
	for (size_t i = 0; i < n; i++) {
		bool same = i > 0 && strcmp(r->coverage[i].point, r->coverage[i - 1].point) == 0;
		r->coverage[i].point =
			same ? r->coverage[i - 1].point : arena_str(&r->arena, r->coverage[i].point);
		if (!r->coverage[i].point)
			return err_nomem(e);
	}
	return STATUS_OK;
}

static int span_order(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

/* Adds [from, to) cut to `within`. */
static size_t span_add(struct span *s, size_t n, struct span within, int64_t from, int64_t to)
{
	from = from > within.from_us ? from : within.from_us;
	to = to < within.to_us ? to : within.to_us;
	if (from < to)
		s[n++] = (struct span){from, to};
	return n;
}

struct span *recording_blind(struct recording *r, const char *point, struct span within, size_t *n)
{
	struct span *s = arena_array(&r->arena, r->n_coverage + 1, sizeof(*s));
	int64_t seen = within.from_us;
	size_t k = 0, m = 0;

	*n = 0;
	if (!s)
		return NULL;
	for (size_t i = 0; i < r->n_coverage; i++) {
		const struct coverage *c = &r->coverage[i];
		if (strcmp(c->point, point) != 0)
			continue;
		if (c->blind) {
			k = span_add(s, k, within, c->span.from_us, c->span.to_us);
		} else {
			k = span_add(s, k, within, seen, c->span.from_us);
			seen = c->span.to_us > seen ? c->span.to_us : seen;
		}
	}
	k = span_add(s, k, within, seen, within.to_us);
	qsort(s, k, sizeof(*s), span_order);
	for (size_t i = 0; i < k; i++) {
		if (m > 0 && s[i].from_us <= s[m - 1].to_us)
			s[m - 1].to_us = s[i].to_us > s[m - 1].to_us ? s[i].to_us : s[m - 1].to_us;
		else
			s[m++] = s[i];
	}
	*n = m;
	return s;
}
