/* IP addresses, prefixes and endpoints, and their notation: 192.0.2.1, 2001:db8::1, 192.0.2.0/24,
 * 192.0.2.1:22, [2001:db8::1]:22 (RFC 5952). */
#ifndef WEIR_BASE_IP_H
#define WEIR_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* v is 4, 6, or 0 for "no address"; an IPv4 address stands in b[0..3], the rest is zero, so memcmp orders. */
struct ip {
	uint8_t v;
	uint8_t b[16];
};

struct prefix {
	struct ip ip; /* host bits zero */
	uint8_t len;
};

struct endpoint {
	struct ip ip;
	uint16_t port;
};

#define IP_TEXT       48 /* bytes that any address needs, with the zero */
#define PREFIX_TEXT   52
#define ENDPOINT_TEXT 56

/* Protocol numbers that mean something here (IANA, "Assigned Internet Protocol Numbers"). */
enum proto {
	PROTO_ICMP = 1,
	PROTO_IP4 = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_IP6 = 41,
	PROTO_GRE = 47,
	PROTO_AH = 51,
	PROTO_ICMP6 = 58,
	PROTO_ETHERIP = 97,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
	PROTO_MPLS = 137,
};

static inline bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline int ip_compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a));
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

struct ip ip_v4(const uint8_t b[4]);
struct ip ip_v6(const uint8_t b[16]);

/* False where s is not an address. */
bool ip_parse(struct ip *ip, const char *s);
/* An address alone is a host prefix.  False where s is neither, or where host bits are set. */
bool prefix_parse(struct prefix *p, const char *s);
/* ADDR:PORT, [V6]:PORT; an address alone has port 0. */
bool endpoint_parse(struct endpoint *e, const char *s);

/* Text of the value; all return `to`. */
char *ip_text(char to[IP_TEXT], const struct ip *ip);
char *prefix_text(char to[PREFIX_TEXT], const struct prefix *p);
char *endpoint_text(char to[ENDPOINT_TEXT], const struct endpoint *e);

/* 32 or 128: of an address, or of its host prefix. */
uint8_t ip_bits(const struct ip *ip);
/* The prefix of len bits (at most those of the address) that ip is in. */
struct prefix prefix_of(const struct ip *ip, uint8_t len);
bool prefix_has(const struct prefix *p, const struct ip *ip);
/* Have they an address in common?  Then the shorter has the longer. */
bool prefix_touches(const struct prefix *a, const struct prefix *b);

#endif
