/* Lines to rows, by counting sorts: AS numbers to places, lines to pairs (smaller place, larger place), pairs
 * sorted by both so that those who speak of the same two networks stand together in the order of the file,
 * the first of them counts, and two passes over the pairs write each row in ascending order. */
#include <string.h>

#include "map/links.h"

#define DIGIT_BITS 11
#define DIGITS     (1U << DIGIT_BITS)

/* A link between the networks at places lo < hi. */
struct pair {
	uint32_t lo, hi;
	uint32_t role; /* of hi, as lo sees it */
};
struct making {
	struct links *to;
	struct arena *a;
	uint32_t *place; /* two a line: of a, of b */
	struct pair *pair, *other;
	size_t n;
};

/* ---- AS numbers to places ---- */

/* One pass of a radix sort of AS number << 32 | where it stands. */
static void digit_sort(uint64_t *to, const uint64_t *from, size_t n, unsigned shift)
{
	size_t at[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < n; i++)
		at[from[i] >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		size_t here = at[d];
		at[d] = sum;
		sum += here;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

static bool places_make(struct making *m, const struct link_line *line, size_t n)
{
	uint64_t *key = arena_array(m->a, 2 * n, sizeof(*key));
	uint64_t *other = arena_array(m->a, 2 * n, sizeof(*other));
	uint32_t *as = arena_array(m->a, 2 * n, sizeof(*as));
	size_t n_as = 0;

	m->place = arena_array(m->a, 2 * n, sizeof(*m->place));
	if (!key || !other || !as || !m->place)
		return false;
	for (size_t i = 0; i < n; i++) {
		key[2 * i] = (uint64_t)line[i].a << 32 | 2 * i;
		key[2 * i + 1] = (uint64_t)line[i].b << 32 | (2 * i + 1);
	}
	digit_sort(other, key, 2 * n, 32);
	digit_sort(key, other, 2 * n, 32 + DIGIT_BITS);
	digit_sort(other, key, 2 * n, 32 + 2 * DIGIT_BITS);
	for (size_t i = 0; i < 2 * n; i++) {
		uint32_t asn = (uint32_t)(other[i] >> 32);
		if (n_as == 0 || as[n_as - 1] != asn)
			as[n_as++] = asn;
		m->place[(uint32_t)other[i]] = (uint32_t)n_as - 1;
	}
	m->to->as = as;
	m->to->n_as = n_as;
	return true;
}

/* ---- lines to pairs ---- */

static struct pair pair_of(uint32_t a, uint32_t b, int8_t rel)
{
	bool up = a < b; /* lo is a */
	enum link_role role = rel == 0 ? LINK_PEERS : up ? LINK_CUSTOMERS : LINK_PROVIDERS;

	return (struct pair){.lo = up ? a : b, .hi = up ? b : a, .role = role};
}

static void count_sort(
	struct pair *to, const struct pair *from, size_t n, bool by_hi, uint32_t *at, size_t n_as)
{
	size_t sum = 0;

	memset(at, 0, n_as * sizeof(*at));
	for (size_t i = 0; i < n; i++)
		at[by_hi ? from[i].hi : from[i].lo]++;
	for (size_t i = 0; i < n_as; i++) {
		uint32_t here = at[i];
		at[i] = (uint32_t)sum;
		sum += here;
	}
	for (size_t i = 0; i < n; i++)
		to[at[by_hi ? from[i].hi : from[i].lo]++] = from[i];
}

/* Of pairs of the same two the first stays. */
static void pairs_once(struct making *m, struct links_counts *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct pair *p = &m->pair[i], *q = kept ? &m->pair[kept - 1] : NULL;
		if (!q || q->lo != p->lo || q->hi != p->hi)
			m->pair[kept++] = *p;
		else if (q->role == p->role)
			c->twice++;
		else
			c->both_ways++;
	}
	m->n = kept;
	c->link = kept;
}

static bool pairs_make(struct making *m, const struct link_line *line, size_t n, struct links_counts *c)
{
	uint32_t *at = arena_array(m->a, m->to->n_as + 1, sizeof(*at));

	m->pair = arena_array(m->a, n, sizeof(*m->pair));
	m->other = arena_array(m->a, n, sizeof(*m->other));
	if (!at || !m->pair || !m->other)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (line[i].a == line[i].b)
			c->bad_line++;
		else
			m->pair[m->n++] = pair_of(m->place[2 * i], m->place[2 * i + 1], line[i].rel);
	}
	count_sort(m->other, m->pair, m->n, true, at, m->to->n_as);
	count_sort(m->pair, m->other, m->n, false, at, m->to->n_as);
	pairs_once(m, c);
	return true;
}

/* ---- pairs to rows ---- */

static const enum link_role turned[LINK_ROLES] = {LINK_CUSTOMERS, LINK_PEERS, LINK_PROVIDERS};

/* Sums of what was counted at [place + 1]; how many there are in all. */
static size_t row_sums(uint32_t *row, size_t n_as)
{
	for (size_t i = 0; i < n_as; i++)
		row[i + 1] += row[i];
	return row[n_as];
}

/* The smaller neighbours of all first, then the larger ones: so each row is ascending. */
static void rows_fill(const struct making *m, uint32_t *to[LINK_ROLES], uint32_t *next[LINK_ROLES])
{
	for (size_t i = 0; i < m->n; i++) {
		const struct pair *p = &m->pair[i];
		enum link_role r = turned[p->role];
		to[r][next[r][p->hi]++] = p->lo;
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct pair *p = &m->pair[i];
		to[p->role][next[p->role][p->lo]++] = p->hi;
	}
}

static bool rows_make(struct making *m)
{
	size_t n_as = m->to->n_as;
	uint32_t *row[LINK_ROLES], *next[LINK_ROLES], *to[LINK_ROLES];

	for (int r = 0; r < LINK_ROLES; r++) {
		row[r] = arena_array(m->a, n_as + 1, sizeof(*row[r]));
		next[r] = arena_array(m->a, n_as + 1, sizeof(*next[r]));
		if (!row[r] || !next[r])
			return false;
	}
	for (size_t i = 0; i < m->n; i++) {
		row[m->pair[i].role][m->pair[i].lo + 1]++;
		row[turned[m->pair[i].role]][m->pair[i].hi + 1]++;
	}
	for (int r = 0; r < LINK_ROLES; r++) {
		m->to->n_to[r] = row_sums(row[r], n_as);
		to[r] = arena_array(m->a, m->to->n_to[r] + 1, sizeof(*to[r]));
		if (!to[r])
			return false;
		memcpy(next[r], row[r], (n_as + 1) * sizeof(*row[r]));
		m->to->row[r] = row[r];
		m->to->to[r] = to[r];
	}
	rows_fill(m, to, next);
	return true;
}

/* ---- the core ---- */

/* Members as places, ascending, each once: the file may say a million in any order. */
static bool clique_make(struct making *m, const uint32_t *clique, size_t n)
{
	uint8_t *is = arena_array(m->a, m->to->n_as + 1, sizeof(*is));
	uint32_t *at = arena_array(m->a, (n < m->to->n_as ? n : m->to->n_as) + 1, sizeof(*at));
	size_t kept = 0;

	if (!at || !is)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t as = links_as(m->to, clique[i]);
		if (as != NO_LINK)
			is[as] = 1;
	}
	for (uint32_t as = 0; as < m->to->n_as; as++)
		if (is[as])
			at[kept++] = as;
	m->to->clique = at;
	m->to->n_clique = kept;
	return true;
}

enum status links_make(struct links *to, const struct link_line *line, size_t n, const uint32_t *clique,
	size_t n_clique, const uint32_t *ixp, size_t n_ixp, struct links_counts *counts, struct arena *a,
	struct err *e)
{
	struct making m = {.to = to, .a = a};
	uint32_t *points = arena_array(a, n_ixp + 1, sizeof(*points));

	*to = (struct links){0};
	*counts = (struct links_counts){.line = n};
	if (n > UINT32_MAX / 2)
		return err_set(e, STATUS_BAD, "more than %u relationships", UINT32_MAX / 2);
	if (!points || !places_make(&m, line, n) || !pairs_make(&m, line, n, counts) || !rows_make(&m) ||
		!clique_make(&m, clique, n_clique))
		return err_nomem(e);
	if (m.n == 0)
		return err_set(e, STATUS_BAD, "not one relationship between two networks");
	if (n_ixp)
		memcpy(points, ixp, n_ixp * sizeof(*points));
	to->ixp = points;
	to->n_ixp = n_ixp;
	return STATUS_OK;
}
