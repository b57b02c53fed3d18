/* Inside the search of one hop (search.c, rival.c): its candidates, and what was proven of them. */
#ifndef WEIR_TRACE_SEARCH_H
#define WEIR_TRACE_SEARCH_H

#include "trace/aggregate.h"

struct search {
	struct tracer *t;
	struct view *v;
	struct hop *hop;
	const struct flow *out; /* that is asked about */
	const struct flow *all; /* OUT's aggregate, or OUT where it is one; NULL: it is in none */
	const struct flow **flow;
	size_t n_flow; /* tested against out */
	const struct flow **leg;
	size_t n_leg; /* tested against all */
	const struct flow **copy;
	size_t n_copy; /* translated copies of what all has */
	struct candidate *proven;
	size_t n_proven, cap;
};

/* Withholds what is proven of OUT's aggregate if `out`, the flow that is asked about, shows no part in it. */
enum status member_settle(struct candidate *c, const struct flow *out, const struct ip *host, struct err *e);

/* Both are proven of one OUT, best with the larger number, and their peers differ: does c explain OUT as
 * well?
 */
bool rival_explains(const struct candidate *best, const struct candidate *c);

/* Withholds the hop's best where another peer's flow explains OUT as well. */
void rivals_settle(struct search *s);

#endif
