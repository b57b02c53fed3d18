/* Private to the decoder: what is left of a frame on its way through the layers, and the layers' entries.
 * Each takes its header off the front and calls the next one; the last fills the packet.  Headers are cut
 * with dissect_take(), which looks at the length once; only the cut header is then read, at offsets below
 * its length. */
#ifndef WEIR_RECORD_DISSECT_H
#define WEIR_RECORD_DISSECT_H

#include <arpa/inet.h>

#include "base/bytes.h"
#include "record/capture.h"
#include "record/fragment.h"

#define DEPTH_MAX 8 /* IP headers and tunnels inside each other */
#define TAGS_MAX  8 /* VLAN tags in a row; also MPLS labels, IPv6 extension headers */

struct decoder {
	struct fragments fragments;
};

struct dissect {
	struct rd r;    /* captured bytes from here on */
	uint32_t wire;  /* bytes on the wire from here on, by the lengths so far; never less than r has */
	uint32_t depth; /* IP headers and tunnels so far */
	bool partial;   /* inside a first fragment or a copy cut by its maker: inner lengths may say more than
			   there is */
	uint64_t hash;  /* for packet.digest */
	struct decoder *decoder;
	struct packet *p;
};

/* Link layers (link.c) */
enum drop decode_link(struct dissect *x, uint32_t linktype);
enum drop decode_ethernet(struct dissect *x);
/* What stands behind an EtherType; below 0x600 an IEEE 802.3 length. */
enum drop decode_ethertype(struct dissect *x, uint16_t type);

/* IP (network.c) */
enum drop decode_ip4(struct dissect *x);
enum drop decode_ip6(struct dissect *x);
/* Either, by the version. */
enum drop decode_ip(struct dissect *x);

/* What stands behind an IP header (transport.c): x holds the IP payload. */
enum drop decode_transport(struct dissect *x, uint8_t proto);

/* MPLS label stacks (link.c) */
enum drop decode_mpls(struct dissect *x);

/* Tunnels (tunnel.c), behind their IP or UDP header.  Where they give a bool: false means that nothing inside
 * can be followed, and *x is as before: the tunnel itself is the flow. */
enum drop decode_etherip(struct dissect *x);
bool decode_gre(struct dissect *x, enum drop *drop);
bool decode_vxlan(struct dissect *x, enum drop *drop);

/* One more level; false where that is too deep. */
static inline bool dissect_deeper(struct dissect *x)
{
	return ++x->depth <= DEPTH_MAX;
}

/* The next n bytes, or NULL: dissect_short() says why. */
static inline const uint8_t *dissect_take(struct dissect *x, uint32_t n)
{
	const uint8_t *p = x->r.p;

	if (rd_left(&x->r) < n)
		return NULL;
	x->r.p += n;
	x->wire -= n;
	return p;
}

/* Why n bytes could not be taken: the packet is too short (then it lies: `bad`), or only its copy is. */
static inline enum drop dissect_short(const struct dissect *x, uint32_t n, enum drop bad)
{
	return x->wire < n && !x->partial ? bad : DROP_SNAPPED;
}

/* Only n bytes from here on belong to the packet; what follows is padding or a trailer. */
static inline void dissect_limit(struct dissect *x, uint32_t n)
{
	if (n >= x->wire)
		return;
	x->wire = n;
	if (rd_left(&x->r) > n)
		x->r.end = x->r.p + n;
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static inline uint64_t any64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* 16 bytes more into a hash (the multiply and fold of wyhash, https://github.com/wangyi-fudan/wyhash). */
static inline uint64_t mix(uint64_t hash, uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ UINT64_C(0xa0761d6478bd642f)) *
			      (b ^ hash ^ UINT64_C(0xe7037ed1a0b428db));

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

#endif
