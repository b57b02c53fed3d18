/* How much address space some networks have, each address once, and in which countries it is registered.
 *
 * A prefix is its origin's but for the more specific ones inside it, whoever originates those: they count for
 * their own origin.  Of several sheets that have the same prefix the newest names the origin.  Of a network
 * that no route of a family shows: what is delegated to its holder (net_held.c). */
#include <stdlib.h>
#include <string.h>

#include "map/net_in.h"

#define V6_LONGEST 64
#define SITE_BITS  (V6_LONGEST - 48) /* of a /48, in /64s */
#define LETTERS    26

struct counting {
	const struct atlas *a;
	struct space *to;
	struct number_list asn;    /* the networks */
	struct prefix_list prefix; /* that they originate */
	size_t *cursor;            /* by sheet */
	bool cc[LETTERS][LETTERS];
};

/* IPv4 addresses, or IPv6 /64s; 0 where it is no address space. */
static uint64_t size_of(const struct map_prefix *p)
{
	if (!is_space(p) || (p->v == 6 && p->len > V6_LONGEST))
		return 0;
	return UINT64_C(1) << ((p->v == 4 ? 32 : V6_LONGEST) - p->len);
}

/* /48s of so many /64s. */
static uint64_t sites(uint64_t n)
{
	return (n + (1U << SITE_BITS) - 1) >> SITE_BITS;
}

static void country_add(struct counting *c, const struct delegation *d)
{
	if (d && memcmp(d->cc, "ZZ", 2) != 0 && d->cc[0] >= 'A' && d->cc[0] <= 'Z' && d->cc[1] >= 'A' &&
		d->cc[1] <= 'Z')
		c->cc[d->cc[0] - 'A'][d->cc[1] - 'A'] = true;
}

/* ---- by origin ---- */

/* The place of a prefix in a sheet, or NO_INDEX32. */
static uint32_t place_of(const struct paths *p, const struct map_prefix *m)
{
	size_t at = prefixes_from(p, m);

	return at < p->n_prefix && net_prefix_order(&p->prefix[at], m) == 0 ? (uint32_t)at : NO_INDEX32;
}

/* Is its origin one of the networks?  The first sheet that has it and an origin counts. */
static bool is_theirs(const struct counting *c, const struct map_prefix *m)
{
	for (size_t i = 0; i < c->a->n_origins; i++) {
		const struct paths *p = c->a->origins[i];
		uint32_t at = place_of(p, m);
		size_t n;
		uint32_t as = at == NO_INDEX32 ? NO_INDEX32 : paths_origin(p, at, &n);
		if (as != NO_INDEX32 && as < p->n_as)
			return numbers_have(&c->asn, p->as[as]);
	}
	return false;
}

/* The next more specific one over all sheets, in order; NULL where none is left. */
static const struct map_prefix *inner_next(struct counting *c, const struct map_prefix *of)
{
	const struct map_prefix *best = NULL;
	size_t *from = NULL;

	for (size_t i = 0; i < c->a->n_origins; i++) {
		const struct paths *p = c->a->origins[i];
		const struct map_prefix *q = c->cursor[i] < p->n_prefix ? &p->prefix[c->cursor[i]] : NULL;
		if (q && net_prefix_has(of, q) && (!best || net_prefix_order(q, best) < 0)) {
			best = q;
			from = &c->cursor[i];
		}
	}
	if (from)
		++*from;
	return best;
}

/* What is left of it without its more specifics. */
static uint64_t own_size(struct counting *c, const struct map_prefix *of)
{
	uint64_t left = size_of(of);
	const struct map_prefix *last = NULL, *in;

	for (size_t i = 0; i < c->a->n_origins; i++)
		c->cursor[i] = prefixes_from(c->a->origins[i], of);
	while ((in = inner_next(c, of)) != NULL) {
		if (net_prefix_order(in, of) == 0 || (last && net_prefix_has(last, in)) || size_of(in) == 0)
			continue;
		left -= size_of(in);
		last = in;
	}
	return left;
}

/* What one network originates; in which families it is silent, beyond that. */
static bool originated_by(struct counting *c, uint32_t asn, struct number_list silent[SPACE_FAMILIES])
{
	size_t from = c->prefix.n;
	bool ok = true, seen[SPACE_FAMILIES] = {false};

	for (size_t i = 0; i < c->a->n_origins && ok; i++)
		ok = originated_add(&c->prefix, c->a->origins[i], asn);
	for (size_t i = from; i < c->prefix.n; i++)
		seen[c->prefix.of[i].v == 4 ? SPACE_V4 : SPACE_V6] = true;
	for (int f = 0; f < SPACE_FAMILIES && ok; f++) {
		c->to->of[f][SPACE_ROUTED].n_network += seen[f];
		ok = seen[f] || numbers_add(&silent[f], asn);
	}
	return ok;
}

static bool originated_find(struct counting *c, struct number_list silent[SPACE_FAMILIES])
{
	for (size_t i = 0; i < c->asn.n; i++)
		if (!originated_by(c, c->asn.of[i], silent))
			return false;
	prefixes_sort(&c->prefix);
	return true;
}

static bool by_origin(struct counting *c, struct number_list silent[SPACE_FAMILIES])
{
	c->cursor = calloc(c->a->n_origins + 1, sizeof(*c->cursor));
	if (!c->cursor || !originated_find(c, silent))
		return false;
	for (size_t i = 0; i < c->prefix.n; i++) {
		const struct map_prefix *m = &c->prefix.of[i];
		if (size_of(m) == 0 || !is_theirs(c, m))
			continue;
		uint64_t own = own_size(c, m);
		if (own == 0)
			continue;
		c->to->of[m->v == 4 ? SPACE_V4 : SPACE_V6][SPACE_ROUTED].size += m->v == 4 ? own : sites(own);
		struct prefix p = map_prefix_ip(m);
		country_add(c, ip_delegation(c->a, &p.ip, NULL));
	}
	return true;
}

/* ---- by delegation ---- */

/* Of each family the networks that no route shows. */
static bool by_holder(struct counting *c, const struct number_list *silent, int family)
{
	static const enum number_kind kind[SPACE_FAMILIES] = {NUMBER_IPV4, NUMBER_IPV6};
	struct space_count *to = c->to->of[family];
	struct held held;
	bool ok = held_count(&held, c->a, silent, kind[family]);

	to[SPACE_DELEGATED].size = family == SPACE_V4 ? held.size : sites(held.size);
	to[SPACE_DELEGATED].n_network = held.n_known;
	to[SPACE_UNKNOWN].n_network = (uint32_t)silent->n - held.n_known;
	for (size_t i = 0; ok && i < held.n; i++)
		country_add(c, held.of[i]);
	free(held.of);
	return ok;
}

/* ---- the answer ---- */

static bool countries_out(const struct counting *c, struct space *to, struct arena *m)
{
	for (int i = 0; i < LETTERS * LETTERS; i++)
		to->n_country += c->cc[i / LETTERS][i % LETTERS];
	to->cc = arena_array(m, to->n_country + 1, sizeof(*to->cc));
	if (!to->cc)
		return false;
	for (int i = 0, n = 0; i < LETTERS * LETTERS; i++)
		if (c->cc[i / LETTERS][i % LETTERS]) {
			to->cc[n][0] = (char)('A' + i / LETTERS);
			to->cc[n++][1] = (char)('A' + i % LETTERS);
		}
	return true;
}

enum status atlas_space(struct space *to, const struct atlas *a, const uint32_t *asn, size_t n,
	struct arena *m, struct err *e)
{
	struct counting c = {.a = a, .to = to};
	struct number_list silent[SPACE_FAMILIES] = {{0}};
	bool ok = true;

	*to = (struct space){0};
	for (size_t i = 0; i < n && ok; i++)
		ok = numbers_add(&c.asn, asn[i]);
	numbers_sort(&c.asn);
	ok = ok && by_origin(&c, silent);
	for (int f = 0; f < SPACE_FAMILIES; f++) {
		ok = ok && by_holder(&c, &silent[f], f);
		free(silent[f].of);
	}
	ok = ok && countries_out(&c, to, m);
	free(c.asn.of);
	free(c.prefix.of);
	free(c.cursor);
	return ok ? STATUS_OK : err_nomem(e);
}
