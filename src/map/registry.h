/* Who holds a number: delegations by the RIRs (delegated-extended: country, opaque id of the holder) and
 * names of networks and organisations (CAIDA as2org, RIPE asn.txt).  Registration is not ownership, and not
 * where a machine stands. */
#ifndef WEIR_MAP_REGISTRY_H
#define WEIR_MAP_REGISTRY_H

#include "base/ip.h"
#include "map/sheet.h"

struct delegation {
	uint32_t first, n; /* AS numbers, or IPv4 addresses (host order) */
	uint64_t hi;       /* IPv6: the top 64 bits of the prefix, n its length */
	char cc[2];        /* "ZZ" where the file has none */
	uint8_t kind;      /* enum number_kind */
	uint8_t status;    /* enum delegation_status */
	uint32_t holder;   /* offset in the strings: "apnic/A918EB29"; 0: none */
	uint32_t date;     /* yyyymmdd, 0 unknown */
	uint32_t pad;
};
enum number_kind { NUMBER_ASN, NUMBER_IPV4, NUMBER_IPV6, NUMBER_KINDS };
enum delegation_status {
	DELEGATION_ASSIGNED,
	DELEGATION_ALLOCATED,
	DELEGATION_AVAILABLE,
	DELEGATION_RESERVED
};

/* Sorted by kind, first (hi). */
struct registry {
	const struct delegation *of[NUMBER_KINDS];
	size_t n[NUMBER_KINDS];
	const char *text;
	size_t n_text; /* zero-ended strings */
};
enum status registry_view(struct registry *r, const struct sheet *s, struct err *e);
const struct delegation *registry_asn(const struct registry *r, uint32_t asn);
const struct delegation *registry_ip(const struct registry *r, const struct ip *ip);
const char *registry_text(const struct registry *r, uint32_t at); /* "" where damaged or none */

struct holder {
	uint32_t asn;
	uint32_t name; /* of the network: "STAR-KP" */
	uint32_t org;  /* id of the organisation; siblings have the same; 0: none */
	uint32_t org_name;
	char cc[2]; /* of the organisation; 0 0: none */
	uint16_t pad;
};
struct holders {
	const struct holder *of;
	size_t n; /* by asn */
	const char *text;
	size_t n_text;
};
enum status holders_view(struct holders *h, const struct sheet *s, struct err *e);
const struct holder *holders_find(const struct holders *h, uint32_t asn);

#endif
