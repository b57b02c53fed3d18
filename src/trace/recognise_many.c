/* Are the claimed flows, taken together, in our recording?  Takes the merged train of an aggregate, makes our
 * own aggregates of the same two hosts at the same service port, each observation point for itself, and lays
 * the one on the others.
 *
 * The ephemeral ports are not in the claim, so only the addresses lead to the flows: behind a translation
 * they are not found.  And what one recorder took together another may have seen in part.  So it is
 * "confirmed", or it is "cannot tell"; that nothing like it is here is never said. */
#include "trace/recognise_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/aggregate.h"

#define PACKETS_MOST ((uint64_t)1 << 22) /* of the flows that are read for one claim */
#define POINTS_MOST  16

static bool alive_in(const struct flow *f, struct span around)
{
	return f->head.first_us <= around.to_us && f->last_us >= around.from_us;
}

/* Is any head (no bursts) a flow between the claimed ends? */
static bool any_between(const struct recording *heads, const struct flow *claimed, struct span around)
{
	const struct endpoint *x = claimed->head.end;

	for (size_t i = 0; i < heads->n_flow; i++) {
		const struct flow *f = &heads->flow[i];
		int o = flow_opener(f);
		if (f->head.proto == claimed->head.proto && ip_equal(&f->head.end[o].ip, &x[0].ip) &&
			endpoint_equal(&f->head.end[!o], &x[1]) && alive_in(f, around))
			return true;
	}
	return false;
}

/* Packets of what is read for a host and the claimed port. */
static uint64_t packets_of(
	const struct recording *heads, const struct ip *host, uint16_t port, struct span around)
{
	uint64_t n = 0;

	for (size_t i = 0; i < heads->n_flow; i++) {
		const struct flow *f = &heads->flow[i];
		bool there = f->head.end[0].port == port || f->head.end[1].port == port;
		if (there && flow_side(f, host) >= 0 && alive_in(f, around))
			n += f->count[0].packets + f->count[1].packets;
	}
	return n;
}

/* Everything of the view's host at the claimed service port around that time. */
static enum status many_read(
	struct view *v, struct tracer *t, const struct flow *claimed, struct span around, struct err *e)
{
	struct store_query q = {.since = {around.from_us},
		.until = {around.to_us},
		.host = &v->host,
		.port = claimed->head.end[1].port,
		.gap_us = BURST_GAP_RECORDED_US};
	enum status s = recording_read(&v->own, t->w, t->dir, &q, e);

	if (s != STATUS_OK)
		return s;
	v->rec = &v->own;
	v->n = v->own.n_flow;
	v->by_tuple = arena_array(&v->own.arena, v->n + 1, sizeof(*v->by_tuple));
	if (!v->by_tuple)
		return err_nomem(e);
	for (size_t i = 0; i < v->n; i++)
		v->by_tuple[i] = &v->own.flow[i];
	if (v->n)
		view_sort(v);
	return s;
}

/* Lays the claim on one of our aggregates; keeps the best in *to, and which it is in *found. */
static enum status lay(struct view *v, const struct flow *claimed, const struct flow *ours, double alpha,
	struct recognised *to, const struct flow **found, struct err *e)
{
	struct candidate_flow c = {.flow = ours, .ship = kinship_of(claimed, ours)};
	struct span near = {
		ours->head.first_us - 2 * RECOGNISE_SKEW_US, ours->last_us + 2 * RECOGNISE_SKEW_US};
	double needed = recognise_needed(alpha, ++to->searched, &c.ship);
	struct finding f;
	struct alike k;
	size_t n;
	const struct span *blind = recording_blind(&v->own, ours->head.point, near, &n);
	enum status s = blind ? flows_alike(claimed, ours, blind, n, RECOGNISE_SKEW_US, &k, e) : err_nomem(e);

	if (s != STATUS_OK || (*found && k.log10_e <= to->alike.log10_e))
		return s;
	recognise_judge(claimed, &c, &k, needed, &f);
	to->seen = f.ruling == RULED_CONFIRMED ? SEEN_CONFIRMED : SEEN_CANNOT_TELL;
	to->alike = k;
	to->needed = needed;
	*found = ours;
	if (f.ruling == RULED_CONFIRMED || f.ruling == RULED_OPEN)
		(void)snprintf(to->why, sizeof(to->why), "%s", f.why);
	else
		(void)snprintf(to->why, sizeof(to->why),
			"%u flows between these ends here make another train than the %u claimed: which were "
			"taken together need not be the same",
			ours->members, claimed->members);
	return s;
}

/* Each point that saw such flows makes its own aggregates. */
static enum status lay_all(struct view *v, const struct flow *claimed, double alpha, struct recognised *to,
	const struct flow **found, struct err *e)
{
	const char *point[POINTS_MOST];
	size_t n = 0;
	enum status s = STATUS_OK;

	for (size_t i = 0; i < v->n && n < POINTS_MOST; i++) {
		size_t k = 0;
		while (k < n && strcmp(point[k], v->by_tuple[i]->head.point) != 0)
			k++;
		if (k == n)
			point[n++] = v->by_tuple[i]->head.point;
	}
	for (size_t k = 0; k < n && s == STATUS_OK; k++) {
		const struct together *g;
		s = together_get(v, point[k], RECOGNISE_SKEW_US, &g, e);
		for (size_t i = 0; s == STATUS_OK && i < g->n_aggregate; i++)
			if (strcmp(g->leg[i]->head.point, point[k]) == 0 &&
				flow_same(g->leg[i], claimed, RECOGNISE_SKEW_US))
				s = lay(v, claimed, g->leg[i], alpha, to, found, e);
	}
	return s;
}

static enum status look(struct view *v, struct tracer *t, const struct flow *claimed, struct span around,
	struct recognised *to, struct err *e)
{
	const struct flow *found = NULL;
	enum status s = many_read(v, t, claimed, around, e);

	if (s == STATUS_OK)
		s = lay_all(v, claimed, t->alpha, to, &found, e);
	if (s == STATUS_OK && found)
		s = reach_keep(t, found, found, &to->flow, e);
	else if (s == STATUS_OK)
		(void)snprintf(to->why, sizeof(to->why),
			"flows between these ends are here, but too few or too long to be taken together");
	return s;
}

enum status recognise_many(struct tracer *t, const struct flow *claimed, struct span around,
	struct recognised *to, struct err *e)
{
	const struct endpoint *x = claimed->head.end;
	struct recording *heads;
	enum status s = reach_open(t, around, &heads, e);

	*to = (struct recognised){.seen = SEEN_CANNOT_TELL};
	if (s != STATUS_OK)
		return s;
	uint64_t packets[2] = {packets_of(heads, &x[0].ip, x[1].port, around),
		packets_of(heads, &x[1].ip, x[1].port, around)};
	int less = packets[1] < packets[0];
	bool any = any_between(heads, claimed, around);
	if (!any || packets[less] > PACKETS_MOST) {
		(void)snprintf(to->why, sizeof(to->why),
			any ? "cannot be looked up: too many flows at that service here"
			    : "cannot be looked up: flows together are looked for by their addresses, and "
			      "none "
			      "has these here");
		return STATUS_OK;
	}
	struct view *v = calloc(1, sizeof(*v));
	if (!v)
		return err_nomem(e);
	v->host = x[less].ip;
	s = look(v, t, claimed, around, to, e);
	recording_free(&v->own);
	free(v);
	return s;
}
