/* How much is delegated to the holders of some networks and in no route in use: for networks that no table
 * shows, as it may be theirs.  What a route is about counts for its origin alone, whoever holds it, so
 * nothing is counted twice. */
#include <stdlib.h>

#include "base/grow.h"
#include "map/net_in.h"

#define V6_WIDEST  16 /* as net_special.c */
#define V6_LONGEST 64 /* what a range of top halves can say */

struct range_list {
	struct number_range *of;
	size_t n, cap;
};

static bool range_add(struct range_list *l, struct number_range r)
{
	if (!grow(&l->of, &l->cap, l->n, 1, sizeof(*l->of)))
		return false;
	l->of[l->n++] = r;
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct number_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorted, what overlaps as one. */
static void ranges_join(struct range_list *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->of, l->n, sizeof(*l->of), by_first);
	for (size_t i = 0; i < l->n; i++) {
		if (n == 0 || l->of[n - 1].last < l->of[i].first)
			l->of[n++] = l->of[i];
		else if (l->of[n - 1].last < l->of[i].last)
			l->of[n - 1].last = l->of[i].last;
	}
	l->n = n;
}

/* Numbers of a that are not in b; both joined. */
static uint64_t ranges_left(const struct range_list *a, const struct range_list *b)
{
	uint64_t left = 0;

	for (size_t i = 0, j = 0; i < a->n; i++) {
		struct number_range r = a->of[i];
		left += r.last - r.first + 1;
		while (j < b->n && b->of[j].last < r.first)
			j++;
		for (size_t k = j; k < b->n && b->of[k].first <= r.last; k++) {
			uint64_t from = b->of[k].first > r.first ? b->of[k].first : r.first;
			uint64_t to = b->of[k].last < r.last ? b->of[k].last : r.last;
			left -= to - from + 1;
		}
	}
	return left;
}

/* ---- what routes are about ---- */

static struct number_range prefix_range(const struct map_prefix *p)
{
	uint64_t last = p->hi | (p->len < 64 ? UINT64_MAX >> p->len : 0);

	return p->v == 4 ? (struct number_range){p->hi >> 32, last >> 32}
			 : (struct number_range){p->hi, last};
}

/* Routes that touch any of `of`, which is joined: a sheet's prefixes are sorted by where they begin. */
static bool routed(struct range_list *to, const struct atlas *a, const struct range_list *of, uint8_t v)
{
	for (size_t i = 0; i < a->n_origins; i++) {
		const struct paths *p = a->origins[i];
		const struct map_prefix *around = NULL;
		for (size_t j = 0, at = 0; j < p->n_prefix && at < of->n; j++) {
			const struct map_prefix *m = &p->prefix[j];
			if (m->v != v || m->len > V6_LONGEST)
				continue;
			struct number_range r = prefix_range(m);
			while (at < of->n && of->of[at].last < r.first)
				at++;
			if (at == of->n || of->of[at].first > r.last ||
				(around && net_prefix_has(around, m)) || !is_space(m))
				continue;
			if (!range_add(to, r))
				return false;
			around = m;
		}
	}
	ranges_join(to);
	return true;
}

/* ---- what is delegated ---- */

static bool is_counted(const struct delegation *d, enum number_kind k)
{
	return k == NUMBER_IPV4 ? d->n > 0 : d->n >= V6_WIDEST && d->n <= V6_LONGEST;
}

/* Whoever holds any addresses of the kind. */
static bool owners_of(struct number_list *to, const struct registry *r, enum number_kind k)
{
	for (size_t i = 0; i < r->n[k]; i++)
		if (r->of[k][i].holder && is_counted(&r->of[k][i], k) && !numbers_add(to, r->of[k][i].holder))
			return false;
	numbers_sort(to);
	return true;
}

/* Who holds the networks' numbers, as this sheet names them, and addresses of the kind. */
static bool holders_of(struct held *h, struct number_list *to, const struct atlas *a,
	const struct registry *r, const struct number_list *asn, enum number_kind k)
{
	struct number_list owner = {0};
	bool ok = owners_of(&owner, r, k);

	for (size_t i = 0; ok && i < asn->n; i++) {
		const struct registry *said;
		const struct delegation *d = asn_delegation(a, asn->of[i], &said);
		if (!d || said != r || !numbers_have(&owner, d->holder))
			continue;
		h->n_known++;
		ok = numbers_add(to, d->holder);
	}
	numbers_sort(to);
	free(owner.of);
	return ok;
}

static bool held_by(struct held *h, struct range_list *to, const struct registry *r,
	const struct number_list *holder, enum number_kind k)
{
	for (size_t i = 0; holder->n && i < r->n[k]; i++) {
		const struct delegation *d = &r->of[k][i];
		if (!is_counted(d, k) || !numbers_have(holder, d->holder))
			continue;
		if (!grow(&h->of, &h->cap, h->n, 1, sizeof(*h->of)) || !range_add(to, delegation_range(d)))
			return false;
		h->of[h->n++] = d;
	}
	return true;
}

bool held_count(struct held *to, const struct atlas *a, const struct number_list *asn, enum number_kind k)
{
	struct range_list all = {0}, announced = {0};
	bool ok = true;

	*to = (struct held){0};
	for (size_t i = 0; i < a->n_registry && ok; i++) {
		struct number_list holder = {0};
		ok = holders_of(to, &holder, a, a->registry[i], asn, k) &&
		     held_by(to, &all, a->registry[i], &holder, k);
		free(holder.of);
	}
	ranges_join(&all);
	ok = ok && routed(&announced, a, &all, k == NUMBER_IPV4 ? 4 : 6);
	to->size = ok ? ranges_left(&all, &announced) : 0;
	free(all.of);
	free(announced.of);
	return ok;
}
