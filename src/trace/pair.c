/* A pair of flows as the link test takes it: which way each goes, on which clock, and when the observation
 * points were blind. */
#include "trace/tracer.h"

#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

size_t spans_join(struct span *s, size_t n)
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
	m->n_blind = spans_join(both, na + nb);
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

void pair_between(struct relink *to, const struct ip *in_host, const struct ip *out_host,
	const struct meeting *m, const struct flow *in, const struct flow *out, double needed)
{
	int in_way = !flow_side(in, in_host);

	*to = (struct relink){.in = in,
		.out = out,
		.in_way = in_way,
		.out_way = flow_side(out, out_host),
		.in_opened = flow_opener(in) != in_way,
		.apart = m->apart,
		.clock = m->clock,
		.blind = m->blind,
		.n_blind = m->n_blind,
		.needed = needed};
}

void pair_of(struct relink *to, const struct view *v, const struct meeting *m, const struct flow *in,
	const struct flow *out, double needed)
{
	pair_between(to, &v->host, &v->host, m, in, out, needed);
}
