/* Private to the meaning of a question: lists, and what stands in a sheet's prefixes. */
#ifndef WEIR_MAP_NET_IN_H
#define WEIR_MAP_NET_IN_H

#include "map/atlas.h"

struct number_list {
	uint32_t *of;
	size_t n, cap;
};
bool numbers_add(struct number_list *l, uint32_t v);
void numbers_sort(struct number_list *l); /* and each once */
bool numbers_have(const struct number_list *l, uint32_t v);

struct prefix_list {
	struct map_prefix *of;
	size_t n, cap;
};
bool prefixes_add(struct prefix_list *l, const struct map_prefix *p);
void prefixes_sort(struct prefix_list *l); /* as a sheet's, and each once */

/* Order of two, as qsort and bsearch want it. */
int net_prefix_order(const void *a, const void *b);
/* Is b in a, or a itself? */
bool net_prefix_has(const struct map_prefix *a, const struct map_prefix *b);
/* The first place of a sheet's prefixes that is not before `at`. */
size_t prefixes_from(const struct paths *p, const struct map_prefix *at);
/* The places of origin_prefix that the AS at that index has; NULL and 0 where none. */
const uint32_t *originated(const struct paths *p, uint32_t as, size_t *n);
/* Adds all that any peer names as origin of one of the prefixes at [from, to). */
bool origins_add(struct number_list *asn, const struct paths *p, size_t from, size_t to);
/* Adds what the network originates there, in any peer's word; false: no memory. */
bool originated_add(struct prefix_list *to, const struct paths *p, uint32_t asn);

/* ---- what a route says of addresses: net_special.c ---- */

/* Wider than /8 (IPv6: /16): a default route, and no address space. */
bool is_default(const struct map_prefix *p);
/* All of it is of addresses that are not globally reachable, or multicast; documentation and benchmark
 * addresses are not meant, as examples and laboratories use them. */
bool is_nobodys(const struct map_prefix *p);
/* Neither of the two: its origin has these addresses. */
bool is_space(const struct map_prefix *p);
/* The longest match that says whose the address is, or NO_INDEX32: of documentation and benchmark addresses
 * only a route that lies within their block. */
uint32_t longest_space(const struct paths *p, const struct ip *ip);

/* The delegation that counts for the address or the number, and the sheet that has it (where given). */
const struct delegation *ip_delegation(
	const struct atlas *a, const struct ip *ip, const struct registry **of);
const struct delegation *asn_delegation(const struct atlas *a, uint32_t asn, const struct registry **of);

/* ---- what is delegated to the holders of networks: net_held.c ---- */

struct held {
	const struct delegation **of; /* each that counts; to be freed */
	size_t n, cap;
	uint64_t size;    /* IPv4 addresses, or IPv6 /64s, that no route in use is about; each once */
	uint32_t n_known; /* of the networks, those whose holder has any delegation of that family */
};
/* False: no memory. */
bool held_count(struct held *to, const struct atlas *a, const struct number_list *asn, enum number_kind k);

/* A question that is being answered. */
struct asked {
	const struct atlas *a;
	struct net *to;
	struct number_list asn, foreign;
	struct prefix_list prefix;
};

/* Fills the lists; cc in upper case. */
enum status country_net(struct asked *q, const char cc[3], struct err *e);

#endif
