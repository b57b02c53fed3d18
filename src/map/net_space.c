/* How much address space some networks originate, each address once, and in which countries it is registered.
 *
 * A prefix is its origin's but for the more specific ones inside it, whoever originates those: they count for
 * their own origin.  Of several sheets that have the same prefix the newest names the origin.  Without any
 * table: what is delegated to the holders of the networks' numbers. */
#include <stdlib.h>
#include <string.h>

#include "map/net_in.h"

#define V4_WIDEST  8  /* shorter: a default route */
#define V6_WIDEST  16 /* the shortest that a registry delegates */
#define V6_LONGEST 64
#define SITE_BITS  (V6_LONGEST - 48) /* of a /48, in /64s */
#define LETTERS    26

struct counting {
	const struct atlas *a;
	struct number_list asn;    /* the networks */
	struct prefix_list prefix; /* that they originate */
	size_t *cursor;            /* by sheet */
	uint64_t v4, v6_48;
	bool cc[LETTERS][LETTERS];
};

/* IPv4 addresses, or IPv6 /64s; 0 where it is no address space. */
static uint64_t size_of(const struct map_prefix *p)
{
	if (p->v == 4)
		return p->len < V4_WIDEST ? 0 : UINT64_C(1) << (32 - p->len);
	return p->len < V6_WIDEST || p->len > V6_LONGEST ? 0 : UINT64_C(1) << (V6_LONGEST - p->len);
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

static bool originated_find(struct counting *c)
{
	for (size_t i = 0; i < c->a->n_origins; i++)
		for (size_t j = 0; j < c->asn.n; j++)
			if (!originated_add(&c->prefix, c->a->origins[i], c->asn.of[j]))
				return false;
	prefixes_sort(&c->prefix);
	return true;
}

static bool by_origin(struct counting *c)
{
	c->cursor = calloc(c->a->n_origins + 1, sizeof(*c->cursor));
	if (!c->cursor || !originated_find(c))
		return false;
	for (size_t i = 0; i < c->prefix.n; i++) {
		const struct map_prefix *m = &c->prefix.of[i];
		if (size_of(m) == 0 || !is_theirs(c, m))
			continue;
		uint64_t own = own_size(c, m);
		if (own == 0)
			continue;
		if (m->v == 4)
			c->v4 += own;
		else
			c->v6_48 += (own + (1U << SITE_BITS) - 1) >> SITE_BITS;
		struct prefix p = map_prefix_ip(m);
		country_add(c, ip_delegation(c->a, &p.ip, NULL));
	}
	return true;
}

/* ---- by delegation ---- */

/* Who holds the networks' numbers, as this sheet names them. */
static bool holders_of(const struct counting *c, const struct registry *r, struct number_list *to)
{
	for (size_t i = 0; i < c->asn.n; i++) {
		const struct registry *said;
		const struct delegation *d = asn_delegation(c->a, c->asn.of[i], &said);
		if (d && said == r && d->holder && !numbers_add(to, d->holder))
			return false;
	}
	numbers_sort(to);
	return true;
}

static void held_add(
	struct counting *c, const struct registry *r, enum number_kind k, const struct number_list *holder)
{
	for (size_t i = 0; i < r->n[k]; i++) {
		const struct delegation *d = &r->of[k][i];
		if (!numbers_have(holder, d->holder))
			continue;
		if (k == NUMBER_IPV4)
			c->v4 += d->n;
		else
			c->v6_48 += d->n > 48 ? 1 : d->n < V6_WIDEST ? 0 : UINT64_C(1) << (48 - d->n);
		country_add(c, d);
	}
}

static bool by_holder(struct counting *c)
{
	bool ok = true;

	for (size_t i = 0; i < c->a->n_registry && ok; i++) {
		struct number_list holder = {0};
		ok = holders_of(c, c->a->registry[i], &holder);
		if (ok && holder.n) {
			held_add(c, c->a->registry[i], NUMBER_IPV4, &holder);
			held_add(c, c->a->registry[i], NUMBER_IPV6, &holder);
		}
		free(holder.of);
	}
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
	struct counting c = {.a = a};
	bool ok = true;

	*to = (struct space){.by_delegation = a->n_origins == 0};
	for (size_t i = 0; i < n && ok; i++)
		ok = numbers_add(&c.asn, asn[i]);
	numbers_sort(&c.asn);
	ok = ok && (to->by_delegation ? by_holder(&c) : by_origin(&c)) && countries_out(&c, to, m);
	to->v4 = c.v4;
	to->v6_48 = c.v6_48;
	free(c.asn.of);
	free(c.prefix.of);
	free(c.cursor);
	return ok ? STATUS_OK : err_nomem(e);
}
