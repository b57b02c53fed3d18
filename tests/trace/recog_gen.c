/* Honest deviations and lies, made from a flow's train; synthetic sessions of keys of one size. */
#include "recog_gen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_time(const void *a, const void *b)
{
	const struct one_packet *x = a, *y = b;

	return (x->t > y->t) - (x->t < y->t);
}

static int by_start(const void *a, const void *b)
{
	const struct burst *x = a, *y = b;

	return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

static void *need(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p)
		abort();
	return p;
}

void packets_of(struct packets *to, const struct flow *f)
{
	size_t n = 0;

	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++)
			n += f->burst[d][i].packets;
	*to = (struct packets){
		.p = need(n, sizeof(*to->p)), .life = {f->head.first_us, f->last_us}, .flags = f->head.flags};
	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < f->n_burst[d]; i++) {
			const struct burst *b = &f->burst[d][i];
			for (uint32_t k = 0; k < b->packets; k++) {
				uint64_t each = b->bytes / b->packets;
				int64_t at = b->packets > 1 ? (int64_t)b->dur_us * k / (b->packets - 1) : 0;
				to->p[to->n++] = (struct one_packet){
					b->start_us + at, d, each + (k == 0 ? b->bytes % b->packets : 0)};
			}
		}
	}
	qsort(to->p, to->n, sizeof(*to->p), by_time);
}

void packets_free(struct packets *p)
{
	free(p->p);
}

void packets_clock(struct packets *p, int64_t offset_us, double drift)
{
	int64_t origin = p->life.from_us;

	for (size_t i = 0; i < p->n; i++)
		p->p[i].t += offset_us + (int64_t)(drift * (double)(p->p[i].t - origin));
	p->life.from_us += offset_us;
	p->life.to_us += offset_us + (int64_t)(drift * (double)(p->life.to_us - origin));
}

void packets_jitter(struct packets *p, struct rng *r, int64_t most_us)
{
	int64_t last[2] = {INT64_MIN, INT64_MIN};

	for (size_t i = 0; i < p->n; i++) {
		struct one_packet *x = &p->p[i];
		x->t += (int64_t)(rng_unit(r) * (double)most_us);
		x->t = x->t < last[x->dir] ? last[x->dir] : x->t;
		last[x->dir] = x->t;
		p->life.to_us = x->t > p->life.to_us ? x->t : p->life.to_us;
	}
	qsort(p->p, p->n, sizeof(*p->p), by_time);
}

void packets_lose(struct packets *p, struct rng *r, double share)
{
	size_t k = 0;

	for (size_t i = 0; i < p->n; i++)
		if (rng_unit(r) >= share)
			p->p[k++] = p->p[i];
	p->n = k;
}

static void without(struct packets *p, int64_t from, int64_t to)
{
	size_t k = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->p[i].t < from || p->p[i].t >= to)
			p->p[k++] = p->p[i];
	p->n = k;
}

void packets_gap(struct packets *p, struct rng *r, double share)
{
	double length = (double)(p->life.to_us - p->life.from_us);
	int64_t from = p->life.from_us + (int64_t)(rng_unit(r) * (1 - share) * length);

	without(p, from, from + (int64_t)(share * length));
}

void packets_cut(struct packets *p, double head, double tail)
{
	double length = (double)(p->life.to_us - p->life.from_us);
	int64_t from = p->life.from_us + (int64_t)(head * length);
	int64_t to = p->life.to_us - (int64_t)(tail * length);

	without(p, INT64_MIN, from);
	without(p, to, INT64_MAX);
	if (head > 0)
		p->flags &= (uint8_t) ~(FLOW_SYN | FLOW_SYNACK);
	if (tail > 0)
		p->flags &= (uint8_t)~FLOW_CLOSED;
	p->life = (struct span){from, to};
	if (head > 0 && p->n)
		p->life.from_us = p->p[0].t;
	if (tail > 0 && p->n)
		p->life.to_us = p->p[p->n - 1].t;
}

void packets_step(struct packets *p, double at, int64_t by_us)
{
	int64_t from = p->life.from_us + (int64_t)(at * (double)(p->life.to_us - p->life.from_us));

	for (size_t i = 0; i < p->n; i++)
		p->p[i].t += p->p[i].t >= from ? by_us : 0;
	p->life.to_us += by_us;
}

static void burst_put(struct flow *f, int d, const struct one_packet *x, int64_t gap)
{
	struct burst *last = f->n_burst[d] ? &f->burst[d][f->n_burst[d] - 1] : NULL;

	if (last && x->t - burst_end(last) < gap) {
		last->dur_us = (uint32_t)(x->t - last->start_us);
		last->bytes += x->bytes;
		last->packets++;
	} else {
		f->burst[d][f->n_burst[d]++] =
			(struct burst){.start_us = x->t, .packets = 1, .bytes = x->bytes};
	}
	f->count[d].packets++;
	f->count[d].payload_bytes += x->bytes;
}

void packets_flow(struct flow *to, const struct packets *p, const struct flow *like, uint32_t gap_us)
{
	*to = (struct flow){.head = like->head, .last_us = p->life.to_us};
	to->head.first_us = p->life.from_us;
	to->head.flags = p->flags;
	to->head.source.gap_us = gap_us;
	for (int d = 0; d < 2; d++)
		to->burst[d] = need(p->n, sizeof(struct burst));
	for (size_t i = 0; i < p->n; i++)
		burst_put(to, p->p[i].dir, &p->p[i], gap_us);
}

void flow_copy(struct flow *to, const struct flow *f)
{
	*to = *f;
	to->alias = NULL;
	to->n_alias = 0;
	to->rewrite_of = NULL;
	for (int d = 0; d < 2; d++) {
		to->burst[d] = need(f->n_burst[d], sizeof(struct burst));
		if (f->n_burst[d])
			memcpy(to->burst[d], f->burst[d], f->n_burst[d] * sizeof(struct burst));
	}
}

void flow_drop(struct flow *f)
{
	free(f->burst[0]);
	free(f->burst[1]);
}

static void tidy(struct flow *f)
{
	for (int d = 0; d < 2; d++) {
		struct burst *b = f->burst[d];
		size_t n = f->n_burst[d];
		qsort(b, n, sizeof(*b), by_start);
		f->n_burst[d] = bursts_merge(b, n, f->head.source.gap_us);
		n = f->n_burst[d];
		if (n && b[0].start_us < f->head.first_us)
			f->head.first_us = b[0].start_us;
		if (n && burst_end(&b[n - 1]) > f->last_us)
			f->last_us = burst_end(&b[n - 1]);
	}
}

void lie_sizes(struct flow *f, struct rng *r, double share)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++)
			if (rng_unit(r) < share)
				f->burst[d][i].bytes += 4 * (1 + rng_next(r) % 16);
}

void lie_move(struct flow *f, struct rng *r, double share, int64_t least_us, int64_t most_us)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++)
			if (rng_unit(r) < share)
				f->burst[d][i].start_us +=
					(int64_t)rng_between(r, (double)least_us, (double)most_us);
	tidy(f);
}

void lie_stretch(struct flow *f, double factor)
{
	int64_t from = f->head.first_us;

	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++)
			f->burst[d][i].start_us =
				from + (int64_t)(factor * (double)(f->burst[d][i].start_us - from));
	f->last_us = from + (int64_t)(factor * (double)(f->last_us - from));
	tidy(f);
}

void lie_splice(struct flow *f, const struct flow *other, double from_share)
{
	int64_t cut = (int64_t)(from_share * (double)(f->last_us - f->head.first_us));
	int64_t end = f->last_us;

	for (int d = 0; d < 2; d++) {
		size_t n = 0, m = 0;
		struct burst *b = need(f->n_burst[d] + other->n_burst[d], sizeof(*b));
		while (n < f->n_burst[d] && f->burst[d][n].start_us < f->head.first_us + cut) {
			b[n] = f->burst[d][n];
			n++;
		}
		for (; m < other->n_burst[d]; m++) {
			struct burst x = other->burst[d][m];
			int64_t at = x.start_us - other->head.first_us;
			x.start_us = f->head.first_us + at;
			if (at >= cut && burst_end(&x) <= end)
				b[n++] = x;
		}
		free(f->burst[d]);
		f->burst[d] = b;
		f->n_burst[d] = n;
	}
	tidy(f);
}

void lie_shift_tail(struct flow *f, double from_share, int64_t by_us)
{
	int64_t cut = f->head.first_us + (int64_t)(from_share * (double)(f->last_us - f->head.first_us));

	for (int d = 0; d < 2; d++)
		for (size_t i = 0; i < f->n_burst[d]; i++)
			if (f->burst[d][i].start_us >= cut)
				f->burst[d][i].start_us += by_us;
	f->last_us += by_us;
	tidy(f);
}

static void flow_begin(struct flow *to, struct rng *r, size_t n, int64_t from_us)
{
	*to = (struct flow){.head = {.point = "made",
				    .proto = PROTO_TCP,
				    .flags = FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED,
				    .first_us = from_us,
				    .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}}};
	for (int d = 0; d < 2; d++) {
		to->head.isn[d] = (uint32_t)rng_next(r);
		to->burst[d] = need(n, sizeof(struct burst));
	}
}

static void step(struct flow *f, size_t i, int64_t at, uint64_t there, uint64_t back, int64_t wait)
{
	f->burst[0][i] = (struct burst){.start_us = at, .packets = 1, .bytes = there};
	f->burst[1][i] = (struct burst){.start_us = at + wait, .packets = 1, .bytes = back};
	f->n_burst[0] = f->n_burst[1] = i + 1;
	f->last_us = at + wait;
}

void keys_flow(struct flow *to, struct rng *r, size_t n, int64_t from_us)
{
	double t = (double)from_us;

	flow_begin(to, r, n, from_us);
	for (size_t i = 0; i < n; i++) {
		double pause = 0.18 * exp(0.45 * rng_normal(r));
		if (rng_unit(r) < 0.12)
			pause = rng_between(r, 0.6, 6);
		t += 1e6 * fmax(pause, 0.07);
		step(to, i, (int64_t)t, 36, 36, (int64_t)rng_between(r, 800, 3000));
	}
}

void loop_flow(struct flow *to, struct rng *r, size_t n, int64_t from_us, size_t steps, int64_t jitter_us)
{
	int64_t t = from_us;

	flow_begin(to, r, n, from_us);
	for (size_t i = 0; i < n; i++) {
		size_t k = i % steps;
		t += 400000 + (int64_t)(k * k * 130000) + (int64_t)(rng_unit(r) * (double)jitter_us);
		step(to, i, t, 36 + 16 * k, 100 + 48 * (k * 7 % steps),
			20000 + (int64_t)(rng_unit(r) * 5000));
	}
}
