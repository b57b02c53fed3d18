/* The flows of one host, each once: a flow that two observation points saw, or that was seen before and after
 * translation, is one flow. */
#include "trace/tracer.h"

#include <stdlib.h>
#include <string.h>

/* The lower end first, so that both directions of writing a flow compare equal. */
static void ordered(const struct flow *f, const struct endpoint *to[2])
{
	const struct endpoint *x = f->head.end;
	int c = ip_compare(&x[0].ip, &x[1].ip);
	bool turn = c > 0 || (c == 0 && x[0].port > x[1].port);

	to[0] = &x[turn];
	to[1] = &x[!turn];
}

int tuple_compare(const struct flow *a, const struct flow *b)
{
	const struct endpoint *x[2], *y[2];
	int c = (int)a->head.proto - (int)b->head.proto;

	ordered(a, x);
	ordered(b, y);
	for (int i = 0; i < 2 && c == 0; i++) {
		c = ip_compare(&x[i]->ip, &y[i]->ip);
		c = c ? c : (int)x[i]->port - (int)y[i]->port;
	}
	return c;
}

static int by_tuple(const void *a, const void *b)
{
	const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;
	int c = tuple_compare(x, y);

	c = c ? c : strcmp(x->head.point, y->head.point);
	return c ? c : (x->head.first_us > y->head.first_us) - (x->head.first_us < y->head.first_us);
}

static int by_first(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;
	int c = (x->head.first_us > y->head.first_us) - (x->head.first_us < y->head.first_us);

	return c ? c : id_order(&x->head.id, &y->head.id);
}

void view_sort(struct view *v)
{
	qsort(v->by_tuple, v->n, sizeof(*v->by_tuple), by_tuple);
}

/* Does f stand for the flow that [run, run + n), flows of one 5-tuple, has it in? */
static bool stands(struct flow *const *run, size_t n, size_t at, const char *point, int64_t skew)
{
	const struct flow *f = run[at];
	bool here = strcmp(f->head.point, point) == 0;

	for (size_t k = 0; k < n; k++) {
		if (k == at || strcmp(run[k]->head.point, f->head.point) == 0 ||
			!flow_overlap(f, run[k], skew))
			continue;
		bool there = strcmp(run[k]->head.point, point) == 0;
		if (there == here ? k < at : there)
			return false;
	}
	return true;
}

/* Of translated copies the first stands for all; one that another point's copy already stands for does
 * not count. */
static bool first_copy(const struct flow *f, const struct ip *host)
{
	return !f->rewrite_of || flow_side(f->rewrite_of, host) < 0 ||
	       flow_same(f, f->rewrite_of, INT64_MAX / 4);
}

enum status view_flows(
	struct view *v, const char *point, int64_t skew_us, const struct flow ***to, size_t *n, struct err *e)
{
	size_t all = v->n;
	const struct flow **list = arena_array(&v->rec->arena, all + 1, sizeof(const struct flow *));

	if (!list)
		return err_nomem(e);
	*n = 0;
	for (size_t i = 0, j; i < all; i = j) {
		for (j = i + 1; j < all && tuple_compare(v->by_tuple[i], v->by_tuple[j]) == 0; j++)
			;
		for (size_t k = i; k < j; k++) {
			const struct flow *f = v->by_tuple[k];
			if (!ip_equal(&f->head.end[0].ip, &f->head.end[1].ip) && first_copy(f, &v->host) &&
				stands(&v->by_tuple[i], j - i, k - i, point, skew_us))
				list[(*n)++] = f;
		}
	}
	qsort(list, *n, sizeof(*list), by_first);
	*to = list;
	return STATUS_OK;
}
