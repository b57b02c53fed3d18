/* What a thread does with a task: the in-legs' answers become a table of bits, each out-leg's are held
 * against it, and the pairs that pass are tested.
 *
 * The test is a pure function of the pair, so it does not matter in which order and by whom pairs are tested.
 * Lanes are filled when first needed: few pairs ask for those of the forward direction. */
#include "trace/scan_task.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "trace/index.h"

#define ERROR_MAX (INT64_C(1) << 50)

/* Memory that lanes are in. */
struct room {
	int64_t *mem;
	size_t cap;
};

struct scan_look {
	const struct scan *sc;
	struct relink_room room, clocked; /* of the test; of the out-leg's bursts on IN's clock */
	struct index index;
	struct link_leg leg; /* the out-leg, on IN's clock */
	struct lane in[INDEX_COLUMNS], in_fwd[INDEX_COLUMNS], out, out_fwd;
	bool have_in_fwd[INDEX_COLUMNS], have_out_fwd; /* filled when first asked for */
	struct null_limits limits;
	struct room in_room, out_room, fwd_room, scratch;
};

struct scan_look *scan_look_new(const struct scan *sc)
{
	struct scan_look *w = calloc(1, sizeof(*w));

	if (w) {
		w->sc = sc;
		null_limits_init(&w->limits);
	}
	return w;
}

void scan_look_free(struct scan_look *w)
{
	relink_free(&w->room);
	relink_free(&w->clocked);
	index_free(&w->index);
	free(w->in_room.mem);
	free(w->out_room.mem);
	free(w->fwd_room.mem);
	free(w->scratch.mem);
	free(w);
}

static bool room_for(struct room *r, size_t need)
{
	return grow(&r->mem, &r->cap, 0, need, sizeof(*r->mem));
}

static struct blinds blinds_of(const struct scan_task *k)
{
	return (struct blinds){k->meeting->blind, k->meeting->n_blind};
}

static int64_t clock_error(const struct scan_task *k)
{
	int64_t e = k->meeting->clock.error_us;

	if (!k->meeting->apart || e < 0)
		return 0;
	return e < ERROR_MAX ? e : ERROR_MAX;
}

/* IN's way of the attack is towards its host, OUT's away from it. */
static struct link_leg leg_of(const struct scan_leg *l, bool in)
{
	return relink_leg(l->flow, flow_side(l->flow, &l->view->host) ^ in);
}

/* Room for a lane of n bursts at `at`, which moves on. */
static struct lane lane_at(int64_t **at, size_t n)
{
	struct lane l = {.start = *at, .end = *at + n};

	*at += 2 * n;
	return l;
}

static bool in_lanes(struct scan_look *w, const struct scan_task *k)
{
	struct blinds blind = blinds_of(k);
	size_t need = 0;

	for (size_t i = 0; i < k->n_in; i++)
		need += 2 * (k->in[i].flow->n_burst[0] + k->in[i].flow->n_burst[1]);
	if (!room_for(&w->in_room, need + 1))
		return false;
	int64_t *at = w->in_room.mem;
	for (size_t i = 0; i < k->n_in; i++) {
		struct link_leg in = leg_of(&k->in[i], true);
		w->in[i] = lane_at(&at, in.back.n);
		lane_fill(&w->in[i], &in.back, 0, &blind);
		w->in_fwd[i] = lane_at(&at, in.fwd.n);
		w->have_in_fwd[i] = false;
	}
	return true;
}

enum status scan_look_begin(struct scan_look *w, const struct scan_task *k, struct err *e)
{
	if (w->sc->p->all)
		return STATUS_OK;
	if (!in_lanes(w, k) || !index_fill(&w->index, w->in, k->n_in, clock_error(k)))
		return err_nomem(e);
	return STATUS_OK;
}

/* OUT and its answers, on IN's clock. */
static bool out_begin(
	struct scan_look *w, const struct scan_task *k, const struct scan_leg *out, struct answers *a)
{
	struct blinds blind = blinds_of(k);

	w->leg = leg_of(out, false);
	w->have_out_fwd = false;
	if (k->meeting->apart && !relink_shift(&w->clocked, &w->leg, &k->meeting->clock))
		return false;
	if (!room_for(&w->out_room, 2 * w->leg.back.n + 1))
		return false;
	int64_t *at = w->out_room.mem;
	w->out = lane_at(&at, w->leg.back.n);
	index_answers(a, &w->out, &w->leg.back, &blind, clock_error(k));
	return true;
}

/* The forward lanes, which few pairs need. */
static bool forward(struct scan_look *w, const struct scan_task *k, size_t in, const struct link_leg *leg)
{
	struct blinds blind = blinds_of(k);

	if (!w->have_in_fwd[in])
		lane_fill(&w->in_fwd[in], &leg->fwd, 0, &blind);
	w->have_in_fwd[in] = true;
	if (w->have_out_fwd)
		return true;
	if (!room_for(&w->fwd_room, 2 * w->leg.fwd.n + 1) || !room_for(&w->scratch, 2 * w->out.n + 1))
		return false;
	int64_t *at = w->fwd_room.mem;
	w->out_fwd = lane_at(&at, w->leg.fwd.n);
	lane_fill(&w->out_fwd, &w->leg.fwd, 0, &blind);
	w->have_out_fwd = true;
	return true;
}

/* Could the pair be proven?  Its legs are on one clock. */
static enum status could_be(
	struct scan_look *w, const struct scan_task *k, size_t in, bool *to, struct err *e)
{
	struct link_leg leg = leg_of(&k->in[in], true);
	struct blinds blind = blinds_of(k);

	*to = index_conserves(&w->out, &w->in[in]);
	if (!*to)
		return STATUS_OK;
	if (!forward(w, k, in, &leg))
		return err_nomem(e);
	struct index_pair p = {.in_fwd = &w->in_fwd[in],
		.in_back = &w->in[in],
		.out_fwd = &w->out_fwd,
		.out_back = &w->out,
		.in = k->meeting->apart ? NULL : &leg,
		.out = k->meeting->apart ? NULL : &w->leg,
		.blind = &blind,
		.needed = w->sc->needed};
	*to = index_shaped(&p, &w->limits, w->scratch.mem);
	return STATUS_OK;
}

static enum status test_pair(struct scan_look *w, struct scan_task *k, const struct scan_leg *in,
	const struct scan_leg *out, struct err *e)
{
	struct scan_found r = {.in = in, .out = out, .meeting = k->meeting};
	const struct scan *sc = w->sc;
	struct relink p;

	if (!scan_is_pair(sc, k->set, in, out) || (!k->set->apart && scan_told_inside(sc, in, out)))
		return STATUS_OK;
	scan_pair(sc, k->meeting, in, out, &p);
	enum status s = relink_test(&w->room, &p, &r.link, e);
	if (s != STATUS_OK)
		return s;
	k->tested++;
	k->undecidable += r.link.verdict == LINK_UNDECIDABLE;
	if (r.link.verdict != LINK_PROVEN && !sc->p->all)
		return STATUS_OK;
	if (!grow(&k->found, &k->cap_found, k->n_found, 1, sizeof(*k->found)))
		return err_nomem(e);
	k->found[k->n_found++] = r;
	return STATUS_OK;
}

enum status scan_look_row(struct scan_look *w, struct scan_task *k, const struct scan_leg *out, struct err *e)
{
	bool all = w->sc->p->all, exact = clock_error(k) == 0;
	uint64_t may[INDEX_WORDS];
	struct answers a;
	enum status s = STATUS_OK;

	if (!all && !out_begin(w, k, out, &a))
		return err_nomem(e);
	if (all)
		memset(may, 0xff, sizeof(may));
	else if (!index_find(&w->index, &a, may))
		return STATUS_OK;
	for (size_t i = 0; i < k->n_in && s == STATUS_OK; i++) {
		bool may_be = may[i / 64] >> i % 64 & 1;
		if (may_be && !all && exact)
			s = could_be(w, k, i, &may_be, e);
		if (s == STATUS_OK && may_be)
			s = test_pair(w, k, &k->in[i], out, e);
	}
	return s;
}
