/* A pair of flows as two legs of one relay, and the link test on them.
 *
 * The forward direction is the attack's: towards the relay in IN, away from it in OUT.  OUT is put on IN's
 * clock first where the legs come from two observation points. */
#include "trace/tracer.h"

#include <stdlib.h>
#include <string.h>

static struct link_train train(const struct flow *f, int dir)
{
	return (struct link_train){f->burst[dir], f->n_burst[dir]};
}

static struct link_leg leg(const struct flow *f, int fwd)
{
	static const int derived[2] = {FLOW_DERIVED_0, FLOW_DERIVED_1};

	return (struct link_leg){.fwd = train(f, fwd),
		.back = train(f, !fwd),
		.resolution_us = f->head.source.resolution_us,
		.sampling = f->head.source.sampling,
		.fwd_derived = (f->head.flags & derived[fwd]) != 0,
		.back_derived = (f->head.flags & derived[!fwd]) != 0};
}

/* A copy of OUT's bursts on IN's clock. */
static bool shift(struct tracer *t, struct link_leg *out, const struct clock_fit *c)
{
	size_t n = out->fwd.n + out->back.n;

	if (n > t->n_shifted) {
		struct burst *b = realloc(t->shifted, n * sizeof(*b));
		if (!b)
			return false;
		t->shifted = b;
		t->n_shifted = n;
	}
	struct link_train *way[2] = {&out->fwd, &out->back};
	struct burst *to = t->shifted;
	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < way[d]->n; i++) {
			to[i] = way[d]->b[i];
			to[i].start_us = clock_in(c, to[i].start_us);
		}
		way[d]->b = to;
		to += way[d]->n;
	}
	return true;
}

static bool grow(struct tracer *t, size_t need)
{
	size_t size = (need + need / 2 + 63) & ~(size_t)63;

	if (need <= t->mem_size)
		return true;
	void *p = aligned_alloc(64, size);
	if (!p)
		return false;
	free(t->mem);
	t->mem = p;
	t->mem_size = size;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

static size_t join_spans(struct span *s, size_t n)
{
	size_t k = 0;

	qsort(s, n, sizeof(*s), by_start);
	for (size_t i = 0; i < n; i++) {
		if (k && s[i].from_us <= s[k - 1].to_us)
			s[k - 1].to_us = s[i].to_us > s[k - 1].to_us ? s[i].to_us : s[k - 1].to_us;
		else
			s[k++] = s[i];
	}
	return k;
}

/* The blind spans of both points over the whole view, on the first one's clock. */
static bool meeting_blind(struct view *v, struct meeting *m)
{
	struct recording *rec = v->rec;
	struct span all = {INT64_MAX, INT64_MIN};
	size_t na = 0, nb = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct flow *f = v->by_tuple[i];
		all.from_us = f->head.first_us < all.from_us ? f->head.first_us : all.from_us;
		all.to_us = f->last_us >= all.to_us ? f->last_us + 1 : all.to_us;
	}
	const struct span *a = recording_blind(rec, m->in_point, all, &na);
	m->blind = a;
	m->n_blind = na;
	if (!m->apart)
		return true;
	const struct span *b = recording_blind(rec, m->out_point, all, &nb);
	struct span *both = arena_array(&rec->arena, na + nb + 1, sizeof(*both));
	if (!both)
		return false;
	if (na)
		memcpy(both, a, na * sizeof(*a));
	for (size_t i = 0; i < nb; i++)
		both[na + i] =
			(struct span){clock_in(&m->clock, b[i].from_us), clock_in(&m->clock, b[i].to_us)};
	m->n_blind = join_spans(both, na + nb);
	m->blind = both;
	return true;
}

enum status meeting_get(struct view *v, const char *in_point, const char *out_point, int64_t skew_us,
	const struct meeting **to, struct err *e)
{
	for (struct meeting *m = v->meetings; m; m = m->next) {
		if (strcmp(m->in_point, in_point) == 0 && strcmp(m->out_point, out_point) == 0) {
			*to = m;
			return STATUS_OK;
		}
	}
	struct meeting *m = arena_alloc(&v->rec->arena, sizeof(*m));
	if (!m)
		return err_nomem(e);
	m->in_point = in_point;
	m->out_point = out_point;
	m->apart = strcmp(in_point, out_point) != 0;
	m->clock = clock_between(v, in_point, out_point, skew_us);
	if (!meeting_blind(v, m))
		return err_nomem(e);
	m->next = v->meetings;
	v->meetings = m;
	*to = m;
	return STATUS_OK;
}

enum status pair_test(struct tracer *t, const struct view *v, const struct meeting *m, const struct flow *in,
	const struct flow *out, double needed, struct link_result *r, struct err *e)
{
	struct link_leg a = leg(in, !flow_side(in, &v->host)), b = leg(out, flow_side(out, &v->host));
	struct link_param p = {.needed = needed,
		.in_opened = flow_side(in, &v->host) == flow_opener(in),
		.offset_error_us = m->clock.error_us};

	if (m->apart && !shift(t, &b, &m->clock))
		return err_nomem(e);
	if (!grow(t, link_memory(&a, &b)))
		return err_nomem(e);
	link_test(&a, &b, m->blind, m->n_blind, &p, t->mem, t->mem_size, r);
	return STATUS_OK;
}
