/* The other direction: which origins depend on a network.  Only origins that have a path through it can; they
 * are taken in batches, so that the table of what each session says of each origin stays small. */
#include <stdlib.h>

#include "base/order.h"
#include "map/depend.h"
#include "map/hegemony.h"
#include "map/walk.h"

#define CELLS ((size_t)2 << 20) /* origins times sessions at a time: 32 MiB */

struct cell {
	double total, via;
};

struct from {
	const struct paths *const *p;
	size_t n;
	uint32_t asn;
	uint8_t family;
	uint8_t **through; /* by sheet, by path: it leads through asn to another origin */
	uint32_t *origin;  /* candidates, ascending AS numbers */
	size_t n_origin;
	size_t *base, n_cell; /* first column of each sheet's sessions; columns */
	/* the batch */
	struct cell *cell;
	size_t first, many; /* of origin[] */
	uint32_t *place;    /* by AS index of the sheet at hand: row of the batch */
	size_t sheet;
};

/* Marks the paths of one sheet that lead through f->asn, and their origins in mark. */
static bool mark_through(struct from *f, size_t sheet, uint8_t *mark)
{
	const struct paths *p = f->p[sheet];
	uint32_t x = paths_as(p, f->asn);
	uint8_t *through = f->through[sheet] = calloc(p->n_path + 1, 1);

	if (!through)
		return false;
	for (uint32_t i = 0; x != NO_INDEX32 && i < p->n_path; i++) {
		size_t n;
		const uint32_t *as = paths_path(p, i, &n);
		for (size_t k = 0; k + 1 < n; k++)
			through[i] |= as[k] == x;
		if (through[i])
			mark[as[n - 1]] = 1;
	}
	return true;
}

/* The candidates of one sheet, added to f->origin. */
static bool candidates_add(struct from *f, size_t sheet)
{
	const struct paths *p = f->p[sheet];
	uint8_t *mark = calloc(p->n_as + 1, 1);
	uint32_t *more = realloc(f->origin, (f->n_origin + p->n_as + 1) * sizeof(*more));

	if (more)
		f->origin = more;
	bool ok = mark && more && mark_through(f, sheet, mark);
	for (size_t as = 0; ok && as < p->n_as; as++)
		if (mark[as])
			f->origin[f->n_origin++] = p->as[as];
	free(mark);
	return ok;
}

static void candidates_once(struct from *f)
{
	size_t n = 0;

	if (f->n_origin)
		qsort(f->origin, f->n_origin, sizeof(*f->origin), u32_order);
	for (size_t i = 0; i < f->n_origin; i++)
		if (n == 0 || f->origin[n - 1] != f->origin[i])
			f->origin[n++] = f->origin[i];
	f->n_origin = n;
}

static bool cell_add(void *self, const struct walk_route *r)
{
	struct from *f = self;
	uint32_t row = f->place[r->as[r->n_as - 1]];
	struct cell *c = &f->cell[row * f->n_cell + f->base[f->sheet] + r->session];

	c->total += r->weight;
	if (f->through[f->sheet][r->path])
		c->via += r->weight;
	return true;
}

/* One sheet's routes to the origins of the batch. */
static enum status batch_sheet(struct from *f, size_t sheet, struct err *e)
{
	const struct paths *p = f->p[sheet];
	uint8_t *origin_in = calloc(p->n_as + 1, 1);
	struct walk w = {p, origin_in, NULL, f->family, f, cell_add};

	f->sheet = sheet;
	f->place = calloc(p->n_as + 1, sizeof(*f->place));
	bool ok = origin_in && f->place;
	for (size_t i = 0; ok && i < f->many; i++) {
		uint32_t as = paths_as(p, f->origin[f->first + i]);
		if (as == NO_INDEX32)
			continue;
		origin_in[as] = 1;
		f->place[as] = (uint32_t)i;
	}
	enum status st = ok ? walk_scope(&w, e) : err_nomem(e);
	free(origin_in);
	free(f->place);
	return st;
}

/* The row of one origin; *is: is there any? */
static bool origin_row(struct depend_row *to, bool *is, struct hegemony *h, const struct from *f, size_t row)
{
	bool ok = true;

	hegemony_reset(h);
	for (size_t i = 0; i < f->n && ok; i++)
		for (size_t s = 0; s < f->p[i]->n_session && ok; s++) {
			const struct cell *c = &f->cell[row * f->n_cell + f->base[i] + s];
			uint32_t peer = f->p[i]->session[s].asn;
			if (c->total > 0)
				ok = hegemony_session(h, peer);
			if (c->via > 0)
				ok = ok && hegemony_share(h, (struct share){f->origin[f->first + row], peer,
								     (uint32_t)i, 0, c->via / c->total});
		}
	*is = h->n > 0;
	return ok && hegemony_row(to, h);
}

static enum status batch(struct depend *to, struct from *f, struct hegemony *h, double least, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; i < f->many * f->n_cell; i++)
		f->cell[i] = (struct cell){0};
	for (size_t i = 0; i < f->n && st == STATUS_OK; i++)
		st = batch_sheet(f, i, e);
	for (size_t i = 0; i < f->many && st == STATUS_OK; i++) {
		struct depend_row *r = &to->row[to->n];
		bool is = false;
		if (!origin_row(r, &is, h, f, i))
			st = err_nomem(e);
		to->n += is && r->share >= least;
	}
	return st;
}

static bool from_make(struct from *f, const struct paths *const *p, size_t n)
{
	bool ok = true;

	f->through = calloc(n + 1, sizeof(*f->through));
	f->base = calloc(n + 1, sizeof(*f->base));
	if (!f->through || !f->base)
		return false;
	for (size_t i = 0; i < n && ok; i++) {
		f->base[i] = f->n_cell;
		f->n_cell += p[i]->n_session;
		ok = candidates_add(f, i);
	}
	candidates_once(f);
	return ok;
}

static void from_free(struct from *f)
{
	for (size_t i = 0; f->through && i < f->n; i++)
		free(f->through[i]);
	free(f->through);
	free(f->base);
	free(f->origin);
	free(f->cell);
}

enum status depend_from(struct depend *to, const struct paths *const *p, size_t n, uint32_t asn,
	uint8_t family, double least, struct arena *a, struct err *e)
{
	struct from f = {.p = p, .n = n, .asn = asn, .family = family};
	struct hegemony h = {0};
	enum status st = paths_routes(p, n, e);
	if (st == STATUS_OK && !from_make(&f, p, n))
		st = err_nomem(e);
	size_t most = f.n_cell ? CELLS / f.n_cell + 1 : 1;

	*to = (struct depend){.row = arena_array(a, f.n_origin + 1, sizeof(*to->row))};
	most = most < f.n_origin ? most : f.n_origin;
	f.cell = calloc(most * f.n_cell + 1, sizeof(*f.cell));
	if (st == STATUS_OK && (!to->row || !f.cell))
		st = err_nomem(e);
	for (; f.first < f.n_origin && st == STATUS_OK; f.first += f.many) {
		f.many = f.n_origin - f.first < most ? f.n_origin - f.first : most;
		st = batch(to, &f, &h, least, e);
	}
	if (st == STATUS_OK)
		depend_sort(to);
	hegemony_free(&h);
	from_free(&f);
	return st;
}
