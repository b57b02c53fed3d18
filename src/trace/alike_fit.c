/* From a guess of the offset to a line.  Takes bursts of equal bytes that lie near each other under the
 * guess, gives offset and drift of the clocks and what each direction adds.
 *
 * As in clock.c: the medians of the earlier and the later half (Tukey's resistant line), here of both
 * directions after each one's median is taken off.  It begins with the piece in which the offset was found,
 * and the piece then grows to twice its length until it is the whole flow. */
#include <stdlib.h>

#include "trace/alike.h"
#include "trace/tracer.h"

#define SAMPLES    2048 /* a direction */
#define ENOUGH     4    /* in a direction, below which its offset stays as guessed */
#define NEAR_US    150000
#define NEARER_US  90000
#define DRIFT_SPAN (20 * SECOND_US)

struct sample {
	int64_t t, r; /* A's time; how much later B's burst is than the pose says */
};

struct fitting {
	struct sample *s[2];
	size_t n[2];
	int64_t *v;
};

/* B's burst of these bytes nearest to t, within the window; false where there is none. */
static bool nearest(const struct burst *b, size_t n, uint64_t bytes, int64_t t, int64_t within, int64_t *at)
{
	int64_t best = within + 1;

	for (size_t i = bursts_before(b, n, t - within); i < n && b[i].start_us <= t + within; i++) {
		int64_t off = llabs(b[i].start_us - t);
		if (b[i].bytes == bytes && off < best) {
			best = off;
			*at = b[i].start_us;
		}
	}
	return best <= within;
}

static void collect(
	struct fitting *f, const struct couple *c, const struct pose *p, struct span part, int64_t within)
{
	for (int d = 0; d < 2; d++) {
		const struct burst *a = c->a.b[d];
		size_t from = bursts_before(a, c->a.n[d], part.from_us);
		size_t to = bursts_before(a, c->a.n[d], part.to_us + 1), step = (to - from) / SAMPLES + 1;
		f->n[d] = 0;
		for (size_t i = from; i < to && (c->ways & 1u << d); i += step) {
			int64_t t = pose_in(p, d, a[i].start_us), at = t;
			if (nearest(c->b.b[d], c->b.n[d], a[i].bytes, t, within, &at))
				f->s[d][f->n[d]++] = (struct sample){a[i].start_us, at - t};
		}
	}
}

/* Moves each direction by its median; what both have in common is the clock's. */
static void centre(struct fitting *f, struct pose *p)
{
	int64_t m[2] = {0, 0};
	bool known[2];

	for (int d = 0; d < 2; d++) {
		known[d] = f->n[d] >= ENOUGH;
		for (size_t i = 0; i < f->n[d]; i++)
			f->v[i] = f->s[d][i].r;
		if (known[d])
			m[d] = median_of(f->v, f->n[d]);
	}
	for (int d = 0; d < 2; d++) {
		if (!known[d])
			m[d] = m[!d];
		for (size_t i = 0; i < f->n[d]; i++)
			f->s[d][i].r -= m[d];
		p->lag_us[d] += m[d];
	}
	int64_t both = (p->lag_us[0] + p->lag_us[1]) / 2;
	p->clock.offset_us += both;
	p->lag_us[0] -= both;
	p->lag_us[1] -= both;
}

/* Median of what is left over before or after the middle. */
static bool half(struct fitting *f, int64_t middle, bool late, int64_t *r, int64_t *t)
{
	size_t n = 0, k = 0;

	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n[d]; i++)
			if ((f->s[d][i].t >= middle) == late)
				f->v[n++] = f->s[d][i].r;
	if (n < ENOUGH)
		return false;
	*r = median_of(f->v, n);
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n[d]; i++)
			if ((f->s[d][i].t >= middle) == late)
				f->v[k++] = f->s[d][i].t;
	*t = median_of(f->v, k);
	return true;
}

static void tilt(struct fitting *f, struct pose *p)
{
	int64_t r[2], t[2], low = INT64_MAX, high = INT64_MIN;
	size_t n = 0;

	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < f->n[d]; i++) {
			int64_t at = f->s[d][i].t;
			f->v[n++] = at;
			low = at < low ? at : low;
			high = at > high ? at : high;
		}
	}
	if (n < 4 * ENOUGH || high - low < DRIFT_SPAN)
		return;
	int64_t middle = median_of(f->v, n);
	if (!half(f, middle, false, &r[0], &t[0]) || !half(f, middle, true, &r[1], &t[1]) || t[1] <= t[0])
		return;
	double more = (double)(r[1] - r[0]) / (double)(t[1] - t[0]), drift = p->clock.drift + more;
	drift = drift > ALIKE_DRIFT ? ALIKE_DRIFT : drift < -ALIKE_DRIFT ? -ALIKE_DRIFT : drift;
	more = drift - p->clock.drift;
	p->clock.offset_us += r[0] - (int64_t)(more * (double)(t[0] - p->clock.at_us));
	p->clock.drift = drift;
}

static void measure(struct fitting *f, struct pose *p)
{
	size_t n = 0;

	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n[d]; i++)
			f->v[n++] = llabs(f->s[d][i].r);
	p->clock.flows = n >= ENOUGH;
	p->clock.error_us = n ? most_of(f->v, n) : 0;
}

static void refine(
	struct fitting *f, const struct couple *c, struct pose *p, struct span part, int64_t within)
{
	collect(f, c, p, part, within);
	centre(f, p);
	tilt(f, p);
}

static int64_t lane_begin(const struct couple *c, int d)
{
	return c->a.n[d] ? c->a.b[d][0].start_us : INT64_MAX;
}

static int64_t lane_end(const struct couple *c, int d)
{
	return c->a.n[d] ? c->a.b[d][c->a.n[d] - 1].start_us : INT64_MIN;
}

static void fit(struct fitting *f, const struct couple *c, struct pose *p, struct span part)
{
	int64_t length = part.to_us - part.from_us;
	int64_t from = lane_begin(c, 0) < lane_begin(c, 1) ? lane_begin(c, 0) : lane_begin(c, 1);
	int64_t to = lane_end(c, 0) > lane_end(c, 1) ? lane_end(c, 0) : lane_end(c, 1);

	refine(f, c, p, part, NEAR_US + (int64_t)(ALIKE_DRIFT * (double)length));
	refine(f, c, p, part, NEARER_US);
	while (part.from_us > from || part.to_us < to) {
		length = length > SECOND_US ? length : SECOND_US;
		part = (struct span){part.from_us - length, part.to_us + length};
		length *= 2;
		refine(f, c, p, part, NEARER_US);
	}
	refine(f, c, p, part, NEARER_US);
	measure(f, p);
}

enum status alike_fit(const struct couple *c, const struct guess *g, struct pose *to, struct err *e)
{
	struct fitting f = {0};
	int64_t middle = g->offset_us[0] / 2 + g->offset_us[1] / 2;

	*to = (struct pose){.clock = {.at_us = g->part.from_us + (g->part.to_us - g->part.from_us) / 2,
				    .offset_us = middle},
		.lag_us = {g->offset_us[0] - middle, g->offset_us[1] - middle}};
	f.s[0] = calloc(SAMPLES + 1, sizeof(*f.s[0]));
	f.s[1] = calloc(SAMPLES + 1, sizeof(*f.s[1]));
	f.v = calloc(2 * (SAMPLES + 1), sizeof(*f.v));
	bool ok = f.s[0] && f.s[1] && f.v;
	if (ok)
		fit(&f, c, to, g->part);
	free(f.v);
	free(f.s[1]);
	free(f.s[0]);
	return ok ? STATUS_OK : err_nomem(e);
}
