/* Lists of networks and prefixes, and which of them stand in a sheet. */
#include <stdlib.h>

#include "base/grow.h"
#include "base/order.h"
#include "map/net_in.h"

/* ---- lists ---- */

bool numbers_add(struct number_list *l, uint32_t v)
{
	if (!grow(&l->of, &l->cap, l->n, 1, sizeof(*l->of)))
		return false;
	l->of[l->n++] = v;
	return true;
}

void numbers_sort(struct number_list *l)
{
	size_t kept = 0;

	if (l->n)
		qsort(l->of, l->n, sizeof(*l->of), u32_order);
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || l->of[kept - 1] != l->of[i])
			l->of[kept++] = l->of[i];
	l->n = kept;
}

bool numbers_have(const struct number_list *l, uint32_t v)
{
	return l->n && bsearch(&v, l->of, l->n, sizeof(v), u32_order);
}

bool prefixes_add(struct prefix_list *l, const struct map_prefix *p)
{
	if (!grow(&l->of, &l->cap, l->n, 1, sizeof(*l->of)))
		return false;
	l->of[l->n++] = *p;
	return true;
}

int net_prefix_order(const void *a, const void *b)
{
	const struct map_prefix *x = a, *y = b;

	if (x->v != y->v)
		return x->v < y->v ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return (int)x->len - (int)y->len;
}

void prefixes_sort(struct prefix_list *l)
{
	size_t kept = 0;

	if (l->n)
		qsort(l->of, l->n, sizeof(*l->of), net_prefix_order);
	for (size_t i = 0; i < l->n; i++)
		if (kept == 0 || net_prefix_order(&l->of[kept - 1], &l->of[i]) != 0)
			l->of[kept++] = l->of[i];
	l->n = kept;
}

/* ---- a sheet's prefixes ---- */

size_t prefixes_from(const struct paths *p, const struct map_prefix *at)
{
	size_t lo = 0, hi = p->n_prefix;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (net_prefix_order(&p->prefix[mid], at) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool net_prefix_has(const struct map_prefix *a, const struct map_prefix *b)
{
	uint64_t hi = a->len == 0 ? 0 : a->len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> a->len);
	uint64_t lo = a->len <= 64 ? 0 : a->len >= 128 ? UINT64_MAX : ~(UINT64_MAX >> (a->len - 64));

	return a->v == b->v && a->len <= b->len && ((a->hi ^ b->hi) & hi) == 0 && ((a->lo ^ b->lo) & lo) == 0;
}

const uint32_t *originated(const struct paths *p, uint32_t as, size_t *n)
{
	*n = 0;
	if (as >= p->n_as || p->origin_at[as + 1] > p->n_origin || p->origin_at[as] >= p->origin_at[as + 1])
		return NULL;
	*n = p->origin_at[as + 1] - p->origin_at[as];
	return p->origin_prefix + p->origin_at[as];
}

bool originated_add(struct prefix_list *to, const struct paths *p, uint32_t asn)
{
	size_t n;
	uint32_t as = paths_as(p, asn);
	const uint32_t *at = as == NO_INDEX32 ? NULL : originated(p, as, &n);

	for (size_t i = 0; at && i < n; i++)
		if (at[i] < p->n_prefix && is_space(&p->prefix[at[i]]) &&
			!prefixes_add(to, &p->prefix[at[i]]))
			return false;
	return true;
}

/* Does the AS originate one of the prefixes [from, to)?  Its list is ascending. */
static bool originates_of(const struct paths *p, uint32_t as, size_t from, size_t to)
{
	size_t n, lo = 0;
	const uint32_t *at = originated(p, as, &n);

	for (size_t hi = n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		if (at[mid] < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return at && lo < n && at[lo] < to;
}

/* All that any peer names as origin of one of these prefixes. */
bool origins_add(struct number_list *asn, const struct paths *p, size_t from, size_t to)
{
	for (uint32_t as = 0; from < to && as < p->n_as; as++)
		if (originates_of(p, as, from, to) && !numbers_add(asn, p->as[as]))
			return false;
	return true;
}
