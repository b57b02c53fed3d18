/* The difference between what is wanted and what is there, as the commands of one transaction. */
#include <inttypes.h>
#include <stdlib.h>

#include "block/nft_in.h"

static bool shape_in(const struct shape *s, const struct shape *of, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (shape_compare(s, &of[i]) == 0)
			return true;
	return false;
}

static bool same(const struct element *want, const struct element *is)
{
	int64_t late = is->left_ms == INT64_MAX ? INT64_MAX : want->left_ms - is->left_ms;

	return late >= -RENEW_MS && late <= RENEW_MS && want->rate == is->rate && want->burst == is->burst &&
	       is->packets >= want->packets; /* fewer: somebody put it in anew */
}

/* Elements in two lists: those to be put in, and those to be taken out. */
struct change {
	struct elements in, out;
};

static bool change_init(struct change *c, const struct nft_round *r)
{
	*c = (struct change){0};
	c->in.x = calloc(r->want.n + 1, sizeof(*c->in.x));
	c->out.x = calloc(r->is.n + 1, sizeof(*c->out.x));
	return c->in.x && c->out.x;
}

/* Elements of a shape that goes as a whole need not be taken out one by one. */
static void take_out(struct nft_round *r, struct change *c, const struct element *is)
{
	if (shape_in(&is->shape, r->shape, r->n_shape))
		c->out.x[c->out.n++] = *is;
}

static void difference(struct nft_round *r, struct change *c)
{
	size_t i = 0, k = 0;

	while (i < r->want.n || k < r->is.n) {
		int order = i == r->want.n ? 1
			    : k == r->is.n ? -1
					   : element_compare(&r->want.x[i], &r->is.x[k]);
		if (order == 0)
			r->want.x[i].there = true;
		if (order == 0 && !same(&r->want.x[i], &r->is.x[k])) {
			r->d->renewed++;
			take_out(r, c, &r->is.x[k]);
			c->in.x[c->in.n++] = r->want.x[i];
		}
		if (order < 0) {
			r->d->missing++;
			c->in.x[c->in.n++] = r->want.x[i];
		}
		if (order > 0) {
			r->d->foreign++;
			take_out(r, c, &r->is.x[k]);
		}
		i += order <= 0;
		k += order >= 0;
	}
	r->d->added = r->d->missing;
	r->d->removed = r->d->foreign;
}

static void text_shapes(struct nft_round *r)
{
	const struct skeleton *is = &r->self->is;
	char name[SHAPE_NAME];

	for (size_t i = 0; i < r->n_shape; i++)
		if (!shape_in(&r->shape[i], is->shape, is->n_shape))
			text_shape(&r->text, &r->shape[i]);
	for (size_t i = 0; i < is->n_shape; i++) {
		if (shape_in(&is->shape[i], r->shape, r->n_shape))
			continue;
		nft_put(&r->text, "delete rule inet " NFT_TABLE " " NFT_MATCH " handle %" PRIu64 "\n",
			is->handle[i]);
		nft_put(&r->text, "delete set inet " NFT_TABLE " %s\n", shape_name(name, &is->shape[i]));
	}
}

static void text_anew(struct nft_round *r)
{
	nft_put(&r->text, "add table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n");
	text_table(&r->text);
	for (size_t i = 0; i < r->n_shape; i++)
		text_shape(&r->text, &r->shape[i]);
	text_elements(&r->text, r->want.x, r->want.n, TEXT_ADD, false);
}

enum status nft_change(struct nft_round *r, bool *shapes, struct err *e)
{
	struct change c;
	enum status s = STATUS_OK;

	*shapes = r->rebuild || r->want.n == 0;
	if (!change_init(&c, r))
		s = err_nomem(e);
	if (s == STATUS_OK)
		difference(r, &c);
	if (s == STATUS_OK && r->want.n == 0) {
		if (r->self->is.there)
			nft_put(&r->text, "delete table inet " NFT_TABLE "\n");
	} else if (s == STATUS_OK && r->rebuild) {
		text_anew(r);
	} else if (s == STATUS_OK) {
		text_shapes(r);
		*shapes = r->text.n > 0;
		text_elements(&r->text, c.out.x, c.out.n, TEXT_DELETE, false);
		text_elements(&r->text, c.in.x, c.in.n, TEXT_ADD, false);
	}
	free(c.in.x);
	free(c.out.x);
	return s;
}
