/* A closer look at the pairs that the table lets pass, for a small part of what the link test costs.
 *
 * Whatever way brought the evidence, "proven" asks for the shape of a relay (relay_shaped() of link.c): OUT's
 * bursts come after IN's, and either IN's answers come after OUT's and when OUT's do, or they are hidden in a
 * stream, or OUT follows IN closely, or IN's answers are as long as OUT's.  Where that depends on more than
 * order (sizes decide where all answers take the same time or where it cannot be told; the spread of the
 * lag), the pair passes.  The questions are those of link_order.c itself; they need both legs on one clock.
 */
#include "trace/index.h"

#include "trace/link_order.h"
#include "trace/link_size.h"

bool index_shaped(const struct index_pair *p, int64_t *scratch)
{
	struct order fwd = {0}, back = {0}; /* the spread 0: not asked for */
	struct echo echo;

	order_side(p->in_fwd, p->out_fwd, &fwd);
	if (!order_leans(&fwd))
		return false;
	if (order_follows(&fwd))
		return true;
	order_side(p->out_back, p->in_back, &back);
	order_echo(p->in_fwd, p->out_back, p->in_back, scratch, &echo);
	if (order_leans(&back) && (order_echoes(&echo) || order_steady(&echo) || order_vague(&echo)))
		return true;
	if (order_hidden(p->in_fwd, &echo) || !p->in_answers.b || !p->out_answers.b)
		return true;
	return size_follows(&(struct sized){p->out_back, &p->out_answers, 0},
		&(struct sized){p->in_back, &p->in_answers, 0});
}
