/* A segment and a filter come in, the chunks that the filter wants and the coverage records go out: header by
 * header, and only the bodies of blocks that hold the host and overlap the time. */
#include <string.h>

#include "record/pair.h"
#include "record/segment.h"

static enum status cover_collect(struct parts *to, const struct block_tables *t, struct err *e)
{
	if (!grow(&to->cover, &to->cap_cover, to->n_cover, t->n_cover, sizeof(*to->cover)))
		return err_nomem(e);
	if (t->n_cover)
		memcpy(to->cover + to->n_cover, t->cover, t->n_cover * sizeof(*t->cover));
	to->n_cover += t->n_cover;
	return STATUS_OK;
}

/* One block.  STATUS_BAD: it does not check; it was named. */
static enum status block_collect(struct parts *to, struct segment *s, const struct part_filter *f,
	const struct block_head *h, struct arena *scratch, struct err *e)
{
	struct block_tables t;
	struct rd body;

	if (!block_tables_read(&t, to, scratch, h)) {
		segment_damage(s, h->offset, "a block whose summary lies", h->chunks);
		return STATUS_BAD;
	}
	enum status st = cover_collect(to, &t, e);
	if (st != STATUS_OK || h->chunks == 0 || h->last_us < f->since_us || h->first_us > f->until_us)
		return st;
	if ((f->host && !block_has_host(&t, f->host)) || (f->pair && !pair_among(f->pair, t.host, t.n_host)))
		return STATUS_OK;
	st = segment_body(s, h, &body, e);
	if (st != STATUS_OK)
		return st;
	if (!block_read(to, scratch, h, &t, body, f, s->writer)) {
		segment_damage(s, h->offset, "a block whose contents lie", h->chunks);
		return STATUS_BAD;
	}
	return STATUS_OK;
}

enum status parts_collect(struct parts *to, struct segment *s, const struct part_filter *f, struct err *e)
{
	struct arena scratch = {0};
	struct block_head h;
	enum status st = STATUS_OK;

	if (s->closed && (s->last_us < f->since_us || s->first_us > f->until_us))
		return STATUS_OK;
	while ((st = segment_next(s, &h, e)) == STATUS_OK) {
		st = block_collect(to, s, f, &h, &scratch, e);
		arena_free(&scratch);
		if (st == STATUS_MACHINE)
			break;
	}
	return st == STATUS_NO ? STATUS_OK : st;
}
