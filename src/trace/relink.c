/* Two flows as two legs of one relay, and the link test on them.
 *
 * The forward direction is the attack's: towards the relay in IN, away from it in OUT.  OUT is put on IN's
 * clock first where the legs come from two observation points. */
#include "trace/relink.h"

#include <stdlib.h>

#include "base/grow.h"
#include "trace/trace.h"

static struct link_train train(const struct flow *f, int dir)
{
	return (struct link_train){f->burst[dir], f->n_burst[dir]};
}

struct link_leg relink_leg(const struct flow *f, int fwd)
{
	static const int derived[2] = {FLOW_DERIVED_0, FLOW_DERIVED_1};

	return (struct link_leg){.fwd = train(f, fwd),
		.back = train(f, !fwd),
		.resolution_us = f->head.source.resolution_us,
		.sampling = f->head.source.sampling,
		.fwd_derived = (f->head.flags & derived[fwd]) != 0,
		.back_derived = (f->head.flags & derived[!fwd]) != 0};
}

bool relink_shift(struct relink_room *r, struct link_leg *out, const struct clock_fit *c)
{
	if (!grow(&r->shifted, &r->n_shifted, out->fwd.n, out->back.n, sizeof(*r->shifted)))
		return false;
	struct link_train *way[2] = {&out->fwd, &out->back};
	struct burst *to = r->shifted;
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

static bool mem_grow(struct relink_room *r, size_t need)
{
	size_t size = (need + need / 2 + 63) & ~(size_t)63;

	if (need <= r->mem_size)
		return true;
	void *p = aligned_alloc(64, size);
	if (!p)
		return false;
	free(r->mem);
	r->mem = p;
	r->mem_size = size;
	return true;
}

void relink_free(struct relink_room *r)
{
	free(r->mem);
	free(r->shifted);
	*r = (struct relink_room){0};
}

enum status relink_test(
	struct relink_room *room, const struct relink *p, struct link_result *to, struct err *e)
{
	struct link_leg in = relink_leg(p->in, p->in_way), out = relink_leg(p->out, p->out_way);
	struct link_param param = {.needed = p->needed,
		.in_opened = p->in_opened,
		.out_answered = flow_opener(p->out) != p->out_way,
		.offset_error_us = p->clock.error_us};

	if (p->apart && !relink_shift(room, &out, &p->clock))
		return err_nomem(e);
	if (!mem_grow(room, link_memory(&in, &out)))
		return err_nomem(e);
	link_test(&in, &out, p->blind, p->n_blind, &param, room->mem, room->mem_size, to);
	return STATUS_OK;
}
