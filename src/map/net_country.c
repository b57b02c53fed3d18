/* A country as networks and prefixes: what the registries delegate to it.
 *
 * Its networks are those whose numbers are delegated to it, and those that originate what is announced of its
 * address space: these are foreign where they are not delegated to it.  Its prefixes are those that lie in
 * its space.  Where registries contradict each other about a number, the first sheet of the atlas counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/net_in.h"

#define BLOCK_LISTED 256 /* of a block with more numbers only those are networks that something shows */

static struct ip range_ip(enum number_kind k, uint64_t first)
{
	uint8_t b[16] = {0};
	unsigned bytes = k == NUMBER_IPV4 ? 4 : 8;

	for (unsigned i = 0; i < bytes; i++)
		b[i] = (uint8_t)(first >> 8 * (bytes - 1 - i));
	return k == NUMBER_IPV4 ? ip_v4(b) : ip_v6(b);
}

/* Does an earlier sheet delegate this number, and so have its say? */
static bool said_before(const struct atlas *a, size_t sheet, enum number_kind k, uint64_t first)
{
	struct ip ip = range_ip(k, first);

	for (size_t i = 0; i < sheet; i++)
		if (k == NUMBER_ASN ? registry_asn(a->registry[i], (uint32_t)first) != NULL
				    : registry_ip(a->registry[i], &ip) != NULL)
			return true;
	return false;
}

static bool delegated_add(struct asked *q, size_t sheet, uint32_t asn)
{
	return said_before(q->a, sheet, NUMBER_ASN, asn) || numbers_add(&q->asn, asn);
}

/* Of an ascending list, those in the range. */
static bool block_seen(struct asked *q, size_t sheet, const uint32_t *as, size_t n, struct number_range r)
{
	for (size_t i = 0; i < n && as[i] <= r.last; i++)
		if (as[i] >= r.first && !delegated_add(q, sheet, as[i]))
			return false;
	return true;
}

static bool asns_delegated(struct asked *q, size_t sheet, const struct delegation *d)
{
	struct number_range r = delegation_range(d);
	bool ok = true;

	for (uint32_t i = 0; d->n <= BLOCK_LISTED && i < d->n && ok; i++)
		ok = delegated_add(q, sheet, d->first + i);
	if (d->n <= BLOCK_LISTED)
		return ok;
	for (size_t i = 0; i < q->a->n_links && ok; i++)
		ok = block_seen(q, sheet, q->a->links[i]->as, q->a->links[i]->n_as, r);
	for (size_t i = 0; i < q->a->n_origins && ok; i++)
		ok = block_seen(q, sheet, q->a->origins[i]->as, q->a->origins[i]->n_as, r);
	return ok;
}

/* The end of what is the country's from delegation i on: adjacent ones are one range. */
static size_t run_end(const struct registry *r, enum number_kind k, size_t i, const char *cc)
{
	const struct delegation *d = r->of[k];

	for (i++; i < r->n[k] && memcmp(d[i].cc, cc, 2) == 0; i++)
		if (delegation_range(&d[i - 1]).last + 1 != delegation_range(&d[i]).first)
			break;
	return i;
}

/* The last number of a prefix: IPv4 addresses, or top halves of IPv6 addresses. */
static uint64_t prefix_last(const struct map_prefix *p)
{
	uint64_t host = p->len == 0 ? UINT64_MAX : p->len >= 64 ? 0 : UINT64_MAX >> p->len;

	return p->v == 4 ? (p->hi | host) >> 32 : p->hi | host;
}

/* What is announced inside a range of the country's space. */
static bool space_seen(struct asked *q, size_t sheet, enum number_kind k, struct number_range r)
{
	struct map_prefix at = {
		.hi = k == NUMBER_IPV4 ? r.first << 32 : r.first, .v = k == NUMBER_IPV4 ? 4 : 6};

	for (size_t i = 0; i < q->a->n_origins; i++) {
		const struct paths *p = q->a->origins[i];
		for (size_t j = prefixes_from(p, &at); j < p->n_prefix && p->prefix[j].v == at.v; j++) {
			uint64_t first = k == NUMBER_IPV4 ? p->prefix[j].hi >> 32 : p->prefix[j].hi;
			if (first > r.last)
				break;
			if (prefix_last(&p->prefix[j]) > r.last || !is_space(&p->prefix[j]) ||
				said_before(q->a, sheet, k, first))
				continue;
			if (!prefixes_add(&q->prefix, &p->prefix[j]))
				return false;
		}
	}
	return true;
}

static bool sheet_asns(struct asked *q, size_t sheet, const char *cc, size_t *found)
{
	const struct registry *r = q->a->registry[sheet];
	bool ok = true;

	for (size_t i = 0; i < r->n[NUMBER_ASN] && ok; i++) {
		const struct delegation *d = &r->of[NUMBER_ASN][i];
		if (memcmp(d->cc, cc, 2) != 0)
			continue;
		++*found;
		ok = asns_delegated(q, sheet, d);
	}
	return ok;
}

static bool sheet_space(struct asked *q, size_t sheet, enum number_kind k, const char *cc, size_t *found)
{
	const struct registry *r = q->a->registry[sheet];
	bool ok = true;

	for (size_t i = 0, end; i < r->n[k] && ok; i = end) {
		end = i + 1;
		if (memcmp(r->of[k][i].cc, cc, 2) != 0)
			continue;
		end = run_end(r, k, i, cc);
		*found += end - i;
		ok = space_seen(q, sheet, k,
			(struct number_range){delegation_range(&r->of[k][i]).first,
				delegation_range(&r->of[k][end - 1]).last});
	}
	return ok;
}

/* All that one sheet delegates to the country. */
static bool sheet_country(struct asked *q, size_t sheet, const char *cc, size_t *found)
{
	return sheet_asns(q, sheet, cc, found) && sheet_space(q, sheet, NUMBER_IPV4, cc, found) &&
	       sheet_space(q, sheet, NUMBER_IPV6, cc, found);
}

/* Is one of the question's prefixes originated by the AS at that index? */
static bool originates_asked(const struct asked *q, const struct paths *p, uint32_t as)
{
	size_t n;
	const uint32_t *at = originated(p, as, &n);

	for (size_t i = 0; at && i < n; i++)
		if (at[i] < p->n_prefix && bsearch(&p->prefix[at[i]], q->prefix.of, q->prefix.n,
						   sizeof(*q->prefix.of), net_prefix_order))
			return true;
	return false;
}

/* Who originates the prefixes and is not delegated to the country. */
static bool foreign_find(struct asked *q)
{
	bool ok = true;

	for (size_t i = 0; i < q->a->n_origins && ok; i++) {
		const struct paths *p = q->a->origins[i];
		for (uint32_t as = 0; as < p->n_as && ok; as++)
			if (!numbers_have(&q->asn, p->as[as]) && originates_asked(q, p, as))
				ok = numbers_add(&q->foreign, p->as[as]);
	}
	numbers_sort(&q->foreign);
	for (size_t i = 0; i < q->foreign.n && ok; i++)
		ok = numbers_add(&q->asn, q->foreign.of[i]);
	return ok;
}

enum status country_net(struct asked *q, const char cc[3], struct err *e)
{
	size_t found = 0;
	bool ok = true;
	char whose[RIRS_TEXT];

	q->to->kind = NET_COUNTRY;
	memcpy(q->to->text, cc, 3);
	if (q->a->n_registry == 0)
		return err_set(e, STATUS_NO, "%s: no delegations are loaded", cc);
	for (size_t i = 0; i < q->a->n_registry && ok; i++)
		ok = memcmp(cc, "ZZ", 2) == 0 || sheet_country(q, i, cc, &found);
	numbers_sort(&q->asn);
	prefixes_sort(&q->prefix);
	if (ok && q->prefix.n)
		ok = foreign_find(q);
	if (ok && found == 0)
		return err_set(e, STATUS_NO,
			"%s: nothing is delegated to it by the registries that are loaded (%s)", cc,
			rirs_words(whose, registries_rirs(q->a->registry, q->a->n_registry)));
	if (ok && q->asn.n == 0)
		return err_set(e, STATUS_NO,
			"%s: no network is delegated to it, and none originates its space (registries: %s)",
			cc, rirs_words(whose, registries_rirs(q->a->registry, q->a->n_registry)));
	return ok ? STATUS_OK : err_nomem(e);
}
