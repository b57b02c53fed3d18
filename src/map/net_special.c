/* Which routes say anything of an address.  A route wider than /8 (IPv6: /16) is a default route: whoever
 * announces it says where the rest is sent to, not whose it is.  Addresses that the IANA special-purpose
 * registries (RFC 6890; as of RFC 9637 and RFC 9780) call not globally reachable, and multicast, belong to no
 * network of the Internet: a route of theirs is a leak, one around them says nothing of them.  Documentation
 * and benchmark addresses are what examples and laboratories are made of: a route that lies within such a
 * block, made by hand, names them; one around it does not. */
#include "map/net_in.h"

#define V4_WIDEST 8
#define V6_WIDEST 16 /* the shortest that a registry delegates is longer */

enum purpose { NOBODYS, EXAMPLE, GLOBAL };

#define V4(a, b, c, n)                                                                                       \
	{                                                                                                    \
		.hi = (uint64_t)(a) << 56 | (uint64_t)(b) << 48 | (uint64_t)(c) << 40, .len = (n), .v = 4    \
	}
#define V6(high, low, n)                                                                                     \
	{                                                                                                    \
		.hi = UINT64_C(high), .lo = UINT64_C(low), .len = (n), .v = 6                                \
	}

static const struct block {
	struct map_prefix of;
	enum purpose is;
} block[] = {
	{V4(0, 0, 0, 8), NOBODYS},                /* "this network" */
	{V4(10, 0, 0, 8), NOBODYS},               /* private use */
	{V4(100, 64, 0, 10), NOBODYS},            /* shared, behind a carrier's NAT */
	{V4(127, 0, 0, 8), NOBODYS},              /* loopback */
	{V4(169, 254, 0, 16), NOBODYS},           /* link-local */
	{V4(172, 16, 0, 12), NOBODYS},            /* private use */
	{V4(192, 0, 0, 24), NOBODYS},             /* IETF protocol assignments */
	{V4(192, 0, 2, 24), EXAMPLE},             /* TEST-NET-1 */
	{V4(192, 168, 0, 16), NOBODYS},           /* private use */
	{V4(198, 18, 0, 15), EXAMPLE},            /* benchmarks */
	{V4(198, 51, 100, 24), EXAMPLE},          /* TEST-NET-2 */
	{V4(203, 0, 113, 24), EXAMPLE},           /* TEST-NET-3 */
	{V4(224, 0, 0, 4), NOBODYS},              /* multicast */
	{V4(240, 0, 0, 4), NOBODYS},              /* reserved, and limited broadcast */
	{V6(0, 0, 8), NOBODYS},                   /* unspecified, loopback, IPv4-mapped; reserved */
	{V6(0x0064ff9b00000000, 0, 96), GLOBAL},  /* IPv4 translated */
	{V6(0x0064ff9b00010000, 0, 48), NOBODYS}, /* the same, local use */
	{V6(0x0100000000000000, 0, 64), NOBODYS}, /* discard only */
	{V6(0x0100000000000001, 0, 64), NOBODYS}, /* dummy */
	{V6(0x2001000000000000, 0, 23), NOBODYS}, /* IETF protocol assignments, but for */
	{V6(0x2001000000000000, 0, 32), GLOBAL},  /* Teredo */
	{V6(0x2001000100000000, 1, 128), GLOBAL}, /* port control */
	{V6(0x2001000100000000, 2, 128), GLOBAL}, /* TURN */
	{V6(0x2001000100000000, 3, 128), GLOBAL}, /* DNS-SD */
	{V6(0x2001000200000000, 0, 48), EXAMPLE}, /* benchmarks */
	{V6(0x2001000300000000, 0, 32), GLOBAL},  /* AMT */
	{V6(0x2001000401120000, 0, 48), GLOBAL},  /* AS112 */
	{V6(0x2001002000000000, 0, 28), GLOBAL},  /* ORCHIDv2 */
	{V6(0x2001003000000000, 0, 28), GLOBAL},  /* drone remote ids */
	{V6(0x20010db800000000, 0, 32), EXAMPLE}, /* documentation */
	{V6(0x3fff000000000000, 0, 20), EXAMPLE}, /* documentation */
	{V6(0x5f00000000000000, 0, 16), NOBODYS}, /* SRv6 segments */
	{V6(0xfc00000000000000, 0, 7), NOBODYS},  /* unique local */
	{V6(0xfe80000000000000, 0, 10), NOBODYS}, /* link-local */
	{V6(0xfec0000000000000, 0, 10), NOBODYS}, /* site-local, as was */
	{V6(0xff00000000000000, 0, 8), NOBODYS},  /* multicast */
};
enum { BLOCKS = sizeof(block) / sizeof(block[0]) };

/* The narrowest block that all of it is in; NULL: it is nothing special. */
static const struct block *block_of(const struct map_prefix *p)
{
	const struct block *best = NULL;

	for (size_t i = 0; i < BLOCKS; i++)
		if (net_prefix_has(&block[i].of, p) && (!best || block[i].of.len > best->of.len))
			best = &block[i];
	return best;
}

bool is_default(const struct map_prefix *p)
{
	return p->len < (p->v == 4 ? V4_WIDEST : V6_WIDEST);
}

bool is_nobodys(const struct map_prefix *p)
{
	const struct block *b = block_of(p);

	return b && b->is == NOBODYS;
}

bool is_space(const struct map_prefix *p)
{
	return !is_default(p) && !is_nobodys(p);
}

uint32_t longest_space(const struct paths *p, const struct ip *ip)
{
	uint32_t at = paths_longest(p, ip); /* where that says nothing, no shorter one does */

	if (at == NO_INDEX32)
		return at;
	struct prefix one = {*ip, ip->v == 4 ? 32 : 128};
	struct map_prefix address = map_prefix_of(&one);
	const struct map_prefix *route = &p->prefix[at];
	const struct block *b = block_of(&address);
	bool says = !is_default(route) &&
		    (!b || b->is == GLOBAL || (b->is == EXAMPLE && net_prefix_has(&b->of, route)));
	return says ? at : NO_INDEX32;
}
