/* The clocks of two observation points, compared by the flows that both saw.
 *
 * Takes the bursts of the same flow at two points, gives offset, drift and what is left over.  The flows used
 * are not the pair under test, and the numbers are fixed before the pair is read: they travel in the claim.
 *
 * Bursts are matched in order by equal bytes; d = t_in - t_out.  Offset and drift are the line through the
 * medians of the earlier and the later half (a robust fit in the manner of Tukey's resistant line); the error
 * is the largest residual but for one in twenty. */
#include "trace/tracer.h"

#include <stdlib.h>
#include <string.h>

#define FIT_MIN    6    /* matched bursts below which nothing is said */
#define FIT_MAX    4096 /* matched bursts that are enough */
#define DRIFT_MAX  300e-6
#define DRIFT_SPAN (20 * SECOND_US) /* shorter: no drift is estimated */

struct sample {
	int64_t t, d;
};

struct samples {
	struct sample *s;
	size_t n;
};

static int by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->t > y->t) - (x->t < y->t);
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int64_t median_of(int64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

int64_t most_of(int64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n - 1 - n / 20];
}

/* Bursts of one direction at both points: the next of equal size within the skew. */
static void match(struct samples *to, const struct flow *in, const struct flow *out, int dir_in, int dir_out,
	int64_t skew)
{
	size_t j = 0;

	for (size_t i = 0; i < out->n_burst[dir_out] && to->n < FIT_MAX; i++) {
		const struct burst *b = &out->burst[dir_out][i];
		while (j < in->n_burst[dir_in] && in->burst[dir_in][j].start_us < b->start_us - skew)
			j++;
		for (size_t k = j;
			k < in->n_burst[dir_in] && in->burst[dir_in][k].start_us <= b->start_us + skew; k++) {
			const struct burst *a = &in->burst[dir_in][k];
			if (a->bytes != b->bytes || a->packets != b->packets)
				continue;
			to->s[to->n++] = (struct sample){b->start_us, a->start_us - b->start_us};
			j = k + 1;
			break;
		}
	}
}

static int64_t half_median(const struct samples *s, size_t from, size_t n, int64_t *v)
{
	for (size_t i = 0; i < n; i++)
		v[i] = s->s[from + i].d;
	return median_of(v, n);
}

static void fit_line(struct clock_fit *f, struct samples *s, int64_t *v)
{
	size_t half = s->n / 2;

	qsort(s->s, s->n, sizeof(*s->s), by_time);
	int64_t t1 = s->s[half / 2].t, t2 = s->s[half + (s->n - half) / 2].t;
	int64_t d1 = half_median(s, 0, half, v), d2 = half_median(s, half, s->n - half, v);
	f->at_us = t1;
	f->offset_us = d1;
	if (s->s[s->n - 1].t - s->s[0].t >= DRIFT_SPAN && t2 > t1)
		f->drift = (double)(d2 - d1) / (double)(t2 - t1);
	if (f->drift > DRIFT_MAX || f->drift < -DRIFT_MAX)
		f->drift = 0;
	for (size_t i = 0; i < s->n; i++) {
		int64_t r = s->s[i].d - (clock_in(f, s->s[i].t) - s->s[i].t);
		v[i] = r < 0 ? -r : r;
	}
	f->error_us = most_of(v, s->n);
}

/* Flows of one 5-tuple, [run, run + n): each of OUT's point with the first of IN's that was alive with it. */
static void collect_run(struct samples *s, struct clock_fit *f, struct flow *const *run, size_t n,
	const char *in_point, const char *out_point, int64_t skew)
{
	for (size_t i = 0; i < n; i++) {
		const struct flow *out = run[i], *in = NULL;
		if (strcmp(out->head.point, out_point) != 0)
			continue;
		for (size_t k = 0; k < n && !in; k++)
			if (strcmp(run[k]->head.point, in_point) == 0 && flow_overlap(run[k], out, skew))
				in = run[k];
		if (!in)
			continue;
		int turn = !endpoint_equal(&in->head.end[0], &out->head.end[0]);
		match(s, in, out, turn, 0, skew);
		match(s, in, out, !turn, 1, skew);
		f->flows++;
	}
}

static void collect(struct samples *s, struct clock_fit *f, const struct view *v, const char *in_point,
	const char *out_point, int64_t skew)
{
	for (size_t i = 0, j; i < v->n && s->n < FIT_MAX; i = j) {
		for (j = i + 1; j < v->n && tuple_compare(v->by_tuple[i], v->by_tuple[j]) == 0; j++)
			;
		if (j - i > 1)
			collect_run(s, f, &v->by_tuple[i], j - i, in_point, out_point, skew);
	}
}

struct clock_fit clock_between(
	const struct view *v, const char *in_point, const char *out_point, int64_t skew)
{
	struct clock_fit f = {.error_us = skew};

	if (strcmp(in_point, out_point) == 0)
		return (struct clock_fit){0};
	struct samples s = {calloc(FIT_MAX, sizeof(*s.s)), 0};
	int64_t *scratch = calloc(FIT_MAX, sizeof(*scratch));
	if (s.s && scratch)
		collect(&s, &f, v, in_point, out_point, skew);
	if (s.n >= FIT_MIN)
		fit_line(&f, &s, scratch);
	else
		f.flows = 0;
	free(s.s);
	free(scratch);
	return f;
}
