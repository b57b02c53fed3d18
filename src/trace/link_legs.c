/* The two legs of a pair, laid into the caller's memory.
 *
 * In go the trains, out come four lanes on one clock and what is measured on them: at most once for each
 * offset of the clocks, and only when it is asked for. */
#include "trace/link_legs.h"

#include "trace/link_size.h"

static size_t longest(const struct link_leg *in, const struct link_leg *out)
{
	size_t n = in->fwd.n > in->back.n ? in->fwd.n : in->back.n;
	if (out->fwd.n > n)
		n = out->fwd.n;
	return out->back.n > n ? out->back.n : n;
}

size_t legs_memory(const struct link_leg *in, const struct link_leg *out)
{
	size_t n = in->fwd.n + in->back.n + out->fwd.n + out->back.n;
	return (2 * n + 2 * longest(in, out)) * sizeof(int64_t) + 16;
}

static void lane_place(struct lane *lane, size_t n, int64_t **at)
{
	lane->start = *at;
	lane->end = *at + n;
	lane->n = 0;
	*at += 2 * n;
}

void legs_place(struct legs *l, const struct link_leg *in, const struct link_leg *out, void *mem)
{
	int64_t *at = mem;
	lane_place(&l->in_fwd, in->fwd.n, &at);
	lane_place(&l->in_back, in->back.n, &at);
	lane_place(&l->out_fwd, out->fwd.n, &at);
	lane_place(&l->out_back, out->back.n, &at);
	l->scratch = at;
	l->filled = 0;
}

void legs_at(struct legs *l, const struct link_leg *out, int64_t offset)
{
	if (l->filled && l->offset == offset)
		return;
	lane_fill(&l->out_fwd, &out->fwd, offset, &l->blind);
	lane_fill(&l->out_back, &out->back, offset, &l->blind);
	l->offset = offset;
	l->filled = 1;
	l->view.has_orders = l->view.has_echo = 0;
	l->view.follow = -1;
}

const struct view *legs_orders(struct legs *l)
{
	struct view *v = &l->view;
	if (!v->has_orders) {
		order_measure(&l->in_fwd, &l->out_fwd, l->scratch, &v->fwd);
		order_measure(&l->out_back, &l->in_back, l->scratch, &v->back);
	}
	v->has_orders = 1;
	return v;
}

const struct echo *legs_echo(struct legs *l)
{
	struct view *v = &l->view;
	if (!v->has_echo)
		order_echo(&l->in_fwd, &l->out_back, &l->in_back, l->scratch, &v->echo);
	v->has_echo = 1;
	return &v->echo;
}

int legs_follow(struct legs *l, const struct link_leg *in, const struct link_leg *out)
{
	struct sized answered = {&l->out_back, &out->back, l->offset},
		     passed_on = {&l->in_back, &in->back, 0};
	if (l->view.follow < 0)
		l->view.follow = size_follows(&answered, &passed_on);
	return l->view.follow;
}
