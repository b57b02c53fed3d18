/* AS relationships in rows: written to a sheet, and read where they lie.  How lines become rows is
 * links_make.c's business. */
#include "base/order.h"
#include "map/links.h"

const char *const link_role_text[LINK_ROLES] = {"provider", "peer", "customer"};

#define TAG_AS     SHEET_TAG('A', 'S', 'N', 'S')
#define TAG_CLIQUE SHEET_TAG('C', 'L', 'I', 'Q')
#define TAG_IXP    SHEET_TAG('I', 'X', 'P', 'S')
static const uint32_t tag_row[LINK_ROLES] = {
	SHEET_TAG('R', 'P', 'R', 'O'), SHEET_TAG('R', 'P', 'E', 'E'), SHEET_TAG('R', 'C', 'U', 'S')};
static const uint32_t tag_to[LINK_ROLES] = {
	SHEET_TAG('T', 'P', 'R', 'O'), SHEET_TAG('T', 'P', 'E', 'E'), SHEET_TAG('T', 'C', 'U', 'S')};

uint32_t links_as(const struct links *l, uint32_t asn)
{
	return u32_find(l->as, l->n_as, asn);
}

/* ---- writing ---- */

static enum status put(struct sheet_out *o, uint32_t tag, const uint32_t *p, size_t n, struct err *e)
{
	return sheet_put(o, tag, p, n * sizeof(*p), e);
}

enum status links_put(struct sheet_out *o, const struct links *l, struct err *e)
{
	enum status st = put(o, TAG_AS, l->as, l->n_as, e);

	for (int r = 0; r < LINK_ROLES && st == STATUS_OK; r++) {
		st = put(o, tag_row[r], l->row[r], l->n_as + 1, e);
		if (st == STATUS_OK)
			st = put(o, tag_to[r], l->to[r], l->n_to[r], e);
	}
	if (st == STATUS_OK)
		st = put(o, TAG_CLIQUE, l->clique, l->n_clique, e);
	if (st == STATUS_OK)
		st = put(o, TAG_IXP, l->ixp, l->n_ixp, e);
	return st;
}

enum status links_write(struct sheet_out *o, const struct link_line *line, size_t n, const uint32_t *clique,
	size_t n_clique, const uint32_t *ixp, size_t n_ixp, struct links_counts *counts, struct err *e)
{
	struct arena a = {0};
	struct links l;
	enum status st = links_make(&l, line, n, clique, n_clique, ixp, n_ixp, counts, &a, e);

	if (st == STATUS_OK)
		st = links_put(o, &l, e);
	arena_free(&a);
	return st;
}

/* ---- reading ---- */

/* n numbers below `below`, each above the one before. */
static bool ascending(const uint32_t *p, size_t n, uint64_t below)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= below || (i > 0 && p[i - 1] >= p[i]))
			return false;
	return true;
}

static bool rows_sound(const struct links *l, int role)
{
	const uint32_t *row = l->row[role];

	if (row[0] != 0 || row[l->n_as] != l->n_to[role])
		return false;
	for (size_t i = 0; i < l->n_as; i++)
		if (row[i] > row[i + 1] || row[i + 1] > l->n_to[role])
			return false;
	for (size_t i = 0; i < l->n_as; i++)
		if (row[i + 1] > row[i] && !ascending(l->to[role] + row[i], row[i + 1] - row[i], l->n_as))
			return false;
	return true;
}

enum status links_view(struct links *l, const struct sheet *s, struct err *e)
{
	bool sound = true;
	size_t n;

	*l = (struct links){0};
	l->as = sheet_section(s, TAG_AS, sizeof(*l->as), &l->n_as);
	l->clique = sheet_section(s, TAG_CLIQUE, sizeof(*l->clique), &l->n_clique);
	l->ixp = sheet_section(s, TAG_IXP, sizeof(*l->ixp), &l->n_ixp);
	for (int r = 0; r < LINK_ROLES; r++) {
		l->row[r] = sheet_section(s, tag_row[r], sizeof(*l->row[r]), &n);
		l->to[r] = sheet_section(s, tag_to[r], sizeof(*l->to[r]), &l->n_to[r]);
		sound = sound && l->row[r] && n == l->n_as + 1;
	}
	sound = sound && l->n_as && ascending(l->as, l->n_as, UINT64_C(1) << 32) &&
		ascending(l->clique, l->n_clique, l->n_as);
	for (int r = 0; r < LINK_ROLES && sound; r++)
		sound = rows_sound(l, r);
	return sound ? STATUS_OK : err_set(e, STATUS_BAD, "relationships: damaged");
}
