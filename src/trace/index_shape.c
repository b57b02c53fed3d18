/* A closer look at the pairs that the table lets pass, for a small part of what the link test costs.
 *
 * Whatever way brought the evidence, "proven" asks for the shape of a relay (shape_is_relays() of
 * link_shape.c): OUT's bursts come after IN's, and either IN's answers come after OUT's and when OUT's do, or
 * they are hidden in a stream, or OUT follows IN closely.  Where that depends on more than order (sizes
 * decide where all answers take the same time or where it cannot be told; the spread of the lag), the pair
 * passes.  The questions are those of link_order.c itself; they need both legs on one clock.
 *
 * Starts prove nothing unless they follow closely in the direction that brought the evidence or sizes match
 * in one, and sizes match only with evidence of their own; without either only ticks are left.  Of busy
 * streams, whose answers follow anything, few follow closely, so what sizes and ticks can bring at most
 * (link_most.c) is asked before whose answers they are, and what sizes bring before the rest. */
#include "trace/index.h"

#include "trace/link_most.h"
#include "trace/link_order.h"
#include "trace/link_size.h"

/* Could sizes match, in one direction or the other? */
static bool may_match(const struct index_pair *p, struct null_limits *limits)
{
	return most_sizes(&p->in->fwd, &p->out->fwd, p->blind, limits, SIZES_SPEAK) >= SIZES_SPEAK ||
	       most_sizes(&p->out->back, &p->in->back, p->blind, limits, SIZES_SPEAK) >= SIZES_SPEAK;
}

static bool matches(const struct link_train *a, const struct link_train *b, const struct blinds *blind,
	struct null_limits *limits)
{
	struct bet_result r;

	bytes_run(&(struct sized_pair){a, b, 0, 0, blind}, limits, SIZES_SPEAK, &r);
	return r.log10_sup >= SIZES_SPEAK;
}

/* Do they, as the link test itself asks? */
static bool do_match(const struct index_pair *p, struct null_limits *limits)
{
	return matches(&p->in->fwd, &p->out->fwd, p->blind, limits) ||
	       matches(&p->out->back, &p->in->back, p->blind, limits);
}

/* May IN's answers be OUT's? */
static bool may_answer(const struct index_pair *p, const struct order *back, int64_t *scratch)
{
	struct echo echo;

	order_echo(p->in_fwd, p->out_back, p->in_back, scratch, &echo);
	if (order_leans(back) &&
		(order_echoes(&echo, ECHO_SIGMAS) || order_steady(&echo) || order_vague(&echo)))
		return true;
	if (order_hidden(p->in_fwd, p->out_back, &echo, HIDDEN_CLEAR) || !p->in)
		return true;
	return size_follows(
		&(struct sized){p->out_back, &p->out->back, 0}, &(struct sized){p->in_back, &p->in->back, 0});
}

bool index_shaped(const struct index_pair *p, struct null_limits *limits, int64_t *scratch)
{
	struct order fwd = {0}, back = {0}; /* the spread 0: not asked for */

	order_side(p->in_fwd, p->out_fwd, &fwd);
	if (!order_leans(&fwd))
		return false;
	if (order_follows(&fwd))
		return true;
	order_side(p->out_back, p->in_back, &back);
	bool timed = !p->in || order_follows(&back) || most_ticks(&p->in->fwd, p->out_fwd) >= p->needed;
	if (!timed && !may_match(p, limits))
		return false;
	return may_answer(p, &back, scratch) && (timed || do_match(p, limits));
}
