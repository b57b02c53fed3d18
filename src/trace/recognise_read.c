/* What recognise() reads of a recording.  Takes the time of a claimed train and flows that may be it, gives
 * the heads of all that was alive then, and the bursts of those few.
 *
 * Bounded whatever is claimed: of the recording only heads are held, once for all claims; bursts are read of
 * a host at a time, or of a flow by its id, and dropped after the claim.  What is handed out is copied. */
#include "trace/recognise_in.h"

#include <stdlib.h>
#include <string.h>

#include "trace/tracer.h"

#define HULL_MAX  (90 * 24 * 3600 * SECOND_US) /* heads of so much time are held to serve several claims */
#define BY_ID     2                            /* flows that are read one by one, where they are few, */
#define BY_ID_MAX 4                            /* or the likest where their end has too many bursts: */
#define LOT_MAX   ((uint64_t)1 << 19)

/* Flows of an end with their bursts, kept for the next claim. */
struct lot {
	struct endpoint end;
	struct span around;
	struct recording rec;
	bool read;
};

struct reach {
	struct recording heads;
	struct span around;              /* of heads; empty: none yet */
	struct lot lot[2];               /* a claim has two ends */
	struct recording one[BY_ID_MAX]; /* flows that were read by id, for this claim */
	size_t n_one;
};

static bool inside(struct span x, struct span in)
{
	return in.from_us <= x.from_us && x.to_us <= in.to_us;
}

static void ones_drop(struct reach *r)
{
	for (size_t i = 0; i < r->n_one; i++)
		recording_free(&r->one[i]);
	r->n_one = 0;
}

void reach_free(struct reach *r)
{
	if (!r)
		return;
	ones_drop(r);
	recording_free(&r->lot[0].rec);
	recording_free(&r->lot[1].rec);
	recording_free(&r->heads);
	free(r);
}

static struct store_query query_of(struct span around)
{
	return (struct store_query){.since = {around.from_us},
		.until = {around.to_us},
		.port = -1,
		.gap_us = BURST_GAP_RECORDED_US};
}

/* What to read for `around`: with what is held already, and half as much again on either side, so that claims
 * that each want a little more are not each read for. */
static struct span hull(const struct reach *r, struct span around)
{
	struct span all = around;

	if (r->around.to_us <= r->around.from_us)
		return around;
	all.from_us = all.from_us < r->around.from_us ? all.from_us : r->around.from_us;
	all.to_us = all.to_us > r->around.to_us ? all.to_us : r->around.to_us;
	int64_t half = (all.to_us - all.from_us) / 2;
	return 4 * half <= HULL_MAX ? (struct span){all.from_us - half, all.to_us + half} : around;
}

enum status reach_open(struct tracer *t, struct span around, struct recording **heads, struct err *e)
{
	if (!t->reach)
		t->reach = calloc(1, sizeof(*t->reach));
	struct reach *r = t->reach;
	if (!r)
		return err_nomem(e);
	ones_drop(r);
	*heads = &r->heads;
	if (r->around.to_us > r->around.from_us && inside(around, r->around))
		return STATUS_OK;
	struct span all = hull(r, around);
	struct store_query q = query_of(all);
	q.heads_only = true;
	recording_free(&r->heads);
	r->around = (struct span){0, 0};
	enum status s = recording_read(&r->heads, t->w, t->dir, &q, e);
	if (s == STATUS_OK)
		r->around = all;
	return s;
}

static int by_first(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int c = (x->head.first_us > y->head.first_us) - (x->head.first_us < y->head.first_us);

	return c ? c : id_order(&x->head.id, &y->head.id);
}

static const struct flow *find(const struct recording *r, const struct flow *head)
{
	return r->n_flow ? bsearch(head, r->flow, r->n_flow, sizeof(*r->flow), by_first) : NULL;
}

/* A burst has a packet and a pause after it. */
static uint64_t bursts_at_most(const struct flow *f)
{
	uint64_t packets = f->count[0].packets + f->count[1].packets;
	uint64_t pauses = 2 * (uint64_t)((f->last_us - f->head.first_us) / BURST_GAP_RECORDED_US + 1);

	return packets < pauses ? packets : pauses;
}

static bool has_end(const struct flow *f, const struct endpoint *end)
{
	return endpoint_equal(&f->head.end[0], end) || endpoint_equal(&f->head.end[1], end);
}

/* Bursts of the flows of an end, or more. */
static uint64_t bursts_of_end(const struct reach *r, const struct endpoint *end)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->heads.n_flow; i++)
		if (has_end(&r->heads.flow[i], end))
			n += bursts_at_most(&r->heads.flow[i]);
	return n;
}

/* Of the flows of ends only those are kept that this claim has, too. */
static void lots_drop(struct reach *r, const struct reach_want *w)
{
	const struct endpoint *end = w->claimed->head.end;

	for (int i = 0; i < 2; i++) {
		struct lot *l = &r->lot[i];
		bool of_it = endpoint_equal(&l->end, &end[0]) || endpoint_equal(&l->end, &end[1]);
		if (of_it && inside(w->around, l->around))
			continue;
		recording_free(&l->rec);
		l->read = false;
	}
}

void reach_plan(const struct tracer *t, struct reach_want *w, const struct flow *claimed, size_t n)
{
	uint64_t room = LOT_MAX;

	w->claimed = claimed;
	lots_drop(t->reach, w);
	for (int k = 0; k < 2 && n > BY_ID; k++) {
		uint64_t want = bursts_of_end(t->reach, &claimed->head.end[k]);
		w->at_once[k] = want <= room;
		room -= w->at_once[k] ? want : 0;
	}
}

/* The flows of the claim's end k, which may have been read for a claim before. */
static enum status read_end(
	struct tracer *t, const struct reach_want *w, int k, const struct recording **to, struct err *e)
{
	const struct endpoint *end = &w->claimed->head.end[k];
	struct store_query q = query_of(w->around);
	struct lot *l = t->reach->lot;

	for (int i = 0; i < 2; i++) {
		*to = &l[i].rec;
		if (l[i].read && endpoint_equal(&l[i].end, end))
			return STATUS_OK;
	}
	l += l->read;
	*l = (struct lot){.end = *end, .around = w->around};
	*to = &l->rec;
	q.host = &l->end.ip;
	q.port = end->port ? end->port : -1;
	enum status s = recording_read(&l->rec, t->w, t->dir, &q, e);
	l->read = s == STATUS_OK;
	return s;
}

static enum status read_id(
	struct tracer *t, const struct flow *head, const struct recording **to, struct err *e)
{
	struct reach *r = t->reach;
	struct store_query q = query_of((struct span){INT64_MIN, INT64_MAX});
	char id[ID_TEXT];

	*to = NULL;
	if (r->n_one == BY_ID_MAX)
		return STATUS_OK;
	q.id = id_text(id, &head->head.id);
	enum status s = recording_read(&r->one[r->n_one], t->w, t->dir, &q, e);
	if (s == STATUS_OK)
		*to = &r->one[r->n_one++];
	return s;
}

enum status reach_flow(struct tracer *t, const struct reach_want *w, const struct flow *head,
	const struct flow **to, struct err *e)
{
	const struct recording *rec = NULL;
	int k = 0;

	while (k < 2 && !(w->at_once[k] && has_end(head, &w->claimed->head.end[k])))
		k++;
	enum status s = k < 2 ? read_end(t, w, k, &rec, e) : read_id(t, head, &rec, e);
	*to = s == STATUS_OK && rec ? find(rec, head) : NULL;
	return s;
}

static bool flow_copy(struct flow *to, const struct flow *f, struct arena *a)
{
	*to = *f;
	to->rewrite_of = NULL;
	to->head.point = arena_str(a, f->head.point);
	to->alias = arena_array(a, f->n_alias + 1, sizeof(*to->alias));
	bool ok = to->head.point && to->alias;
	if (ok && f->n_alias)
		memcpy(to->alias, f->alias, f->n_alias * sizeof(*to->alias));
	for (int d = 0; d < 2 && ok; d++) {
		to->burst[d] = arena_array(a, f->n_burst[d] + 1, sizeof(*to->burst[d]));
		ok = to->burst[d] != NULL;
		if (ok && f->n_burst[d])
			memcpy(to->burst[d], f->burst[d], f->n_burst[d] * sizeof(*to->burst[d]));
	}
	return ok;
}

/* What was handed out before is handed out again. */
static const struct flow *kept(const struct tracer *t, const struct flow *head)
{
	for (const struct view *v = t->found; v; v = v->next)
		if (v->own.n_flow == 1 && id_order(&v->own.flow->head.id, &head->head.id) == 0)
			return v->own.flow;
	return NULL;
}

enum status reach_keep(struct tracer *t, const struct flow *head, const struct flow *full,
	const struct flow **to, struct err *e)
{
	struct view *v;

	*to = kept(t, head);
	if (*to)
		return STATUS_OK;
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_nomem(e);
	v->rec = &v->own;
	v->next = t->found;
	t->found = v;
	struct flow *f = arena_array(&v->own.arena, 2, sizeof(*f));
	if (!f || !flow_copy(&f[0], full, &v->own.arena) ||
		(head->rewrite_of && !flow_copy(&f[1], head->rewrite_of, &v->own.arena)))
		return err_nomem(e);
	f->rewrite_of = head->rewrite_of ? &f[1] : NULL;
	v->own.flow = f;
	v->own.n_flow = 1;
	*to = f;
	return STATUS_OK;
}
