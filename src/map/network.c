/* What an address or a network number is called: origin by the longest match over all tables and lists in
 * use, country by delegation, name and siblings by whoever names them.  A few halvings each, no allocation.
 */
#include <stdio.h>
#include <string.h>

#include "map/net_in.h"

#define NAME_TEXT 96 /* of a name in a line */

const struct delegation *asn_delegation(const struct atlas *a, uint32_t asn, const struct registry **of)
{
	for (size_t i = 0; i < a->n_registry; i++) {
		const struct delegation *d = registry_asn(a->registry[i], asn);
		if (d && of)
			*of = a->registry[i];
		if (d)
			return d;
	}
	return NULL;
}

const struct delegation *ip_delegation(const struct atlas *a, const struct ip *ip, const struct registry **of)
{
	for (size_t i = 0; i < a->n_registry; i++) {
		const struct delegation *d = registry_ip(a->registry[i], ip);
		if (d && of)
			*of = a->registry[i];
		if (d)
			return d;
	}
	return NULL;
}

static void country_set(struct network *to, const char cc[2])
{
	if (to->cc[0] || !cc[0] || memcmp(cc, "ZZ", 2) == 0)
		return;
	to->cc[0] = cc[0];
	to->cc[1] = cc[1];
}

/* Of sheets that name the same network, the first says what it says, the others what it does not; cc: the
 * country of its organisation. */
static bool named(const struct atlas *a, struct network *to, char cc[2])
{
	const char *org_name = "";
	bool known = false;

	for (size_t i = 0; i < a->n_holders; i++) {
		const struct holders *h = a->holders[i];
		const struct holder *o = holders_find(h, to->asn);
		if (!o)
			continue;
		known = true;
		if (!to->name[0])
			to->name = holders_text(h, o->name);
		if (!to->holder[0])
			to->holder = holders_text(h, o->org);
		if (!org_name[0])
			org_name = holders_text(h, o->org_name);
		if (!cc[0])
			memcpy(cc, o->cc, sizeof(o->cc));
	}
	if (!to->name[0])
		to->name = org_name;
	return known;
}

/* All but the country of an address, which stands already. */
static bool asn_named(const struct atlas *a, struct network *to)
{
	const struct registry *r;
	char cc[2] = {0};
	bool known = named(a, to, cc);
	const struct delegation *d = asn_delegation(a, to->asn, &r);

	if (d) {
		country_set(to, d->cc);
		if (!to->holder[0])
			to->holder = registry_text(r, d->holder);
		if (!to->name[0])
			to->name = registry_text(r, d->holder);
	}
	country_set(to, cc);
	return known || d;
}

static bool seen(const struct atlas *a, uint32_t asn)
{
	for (size_t i = 0; i < a->n_links; i++)
		if (links_as(a->links[i], asn) != NO_LINK)
			return true;
	for (size_t i = 0; i < a->n_origins; i++)
		if (paths_as(a->origins[i], asn) != NO_INDEX32)
			return true;
	return false;
}

bool atlas_asn(const struct atlas *a, uint32_t asn, struct network *to)
{
	*to = (struct network){.asn = asn, .name = "", .holder = ""};
	return asn_named(a, to) || seen(a, asn);
}

/* The longest match of all tables, default routes apart; of equal ones the newest table's. */
static bool origin_find(const struct atlas *a, const struct ip *ip, struct network *to)
{
	bool found = false;

	for (size_t i = 0; i < a->n_origins; i++) {
		const struct paths *p = a->origins[i];
		uint32_t at = longest_space(p, ip);
		if (at == NO_INDEX32 || (found && p->prefix[at].len <= to->prefix.len))
			continue;
		size_t n;
		uint32_t as = paths_origin(p, at, &n);
		if (as == NO_INDEX32 || as >= p->n_as)
			continue;
		found = true;
		to->asn = p->as[as];
		to->n_origin = (uint32_t)n;
		to->prefix = map_prefix_ip(&p->prefix[at]);
	}
	return found;
}

bool atlas_network(const struct atlas *a, const struct ip *ip, struct network *to)
{
	const struct registry *r;
	struct prefix one = prefix_of(ip, ip_bits(ip));
	struct map_prefix address = map_prefix_of(&one);

	*to = (struct network){.name = "", .holder = ""};
	if (is_nobodys(&address))
		return false;
	const struct delegation *d = ip_delegation(a, ip, &r);
	bool found = origin_find(a, ip, to);
	if (d)
		country_set(to, d->cc);
	if (found)
		(void)asn_named(a, to);
	if (d && !found)
		to->name = to->holder = registry_text(r, d->holder);
	return found || d;
}

char *network_text(char to[NETWORK_TEXT], const struct network *n)
{
	char name[NAME_TEXT] = "", who[32] = "origin not known,", origins[48] = "", cc[3] = "";

	if (n->asn)
		(void)snprintf(who, sizeof(who), "AS%u", n->asn);
	if (n->name)
		(void)printable(name, sizeof(name), n->name);
	(void)printable(cc, sizeof(cc), n->cc);
	if (n->n_origin > 1)
		(void)snprintf(origins, sizeof(origins), " (one of %u origins)", n->n_origin);
	(void)snprintf(to, NETWORK_TEXT, "%s%s%s%s%s%s", who, name[0] ? " " : "", name, cc[0] ? ", " : "", cc,
		origins);
	return to;
}
