/* IPv4 (RFC 791) and IPv6 (RFC 8200): addresses and identification to the packet, then extension headers,
 * fragments and on to the transport.  Lengths are the header's, so that Ethernet padding is no payload; where
 * a header says 0 (a frame taken before segmentation offload, RFC 2675 jumbograms) it is what is left of the
 * frame, or the jumbo option. */
#include "record/dissect.h"

#define IP4_HEADER 20U
#define IP6_HEADER 40U
#define MORE       0x2000U /* IPv4: more fragments */
#define OFFSET     0x1fffU

enum header {
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTHENTICATION = 51,
	OPTIONS = 60,
	MOBILITY = 135,
	HIP = 139,
	SHIM6 = 140
};

/* The whole endpoint at once, its padding too: whoever hashes it may take the bytes as they are. */
static inline void put4(struct endpoint *e, const uint8_t *b)
{
	memset(e, 0, sizeof(*e));
	e->ip.v = 4;
	memcpy(e->ip.b, b, 4);
}

static inline void put6(struct endpoint *e, const uint8_t *b)
{
	memset(e, 0, sizeof(*e));
	e->ip.v = 6;
	memcpy(e->ip.b, b, 16);
}

/* A first fragment: its transport header is read, and kept for the others. */
static enum drop first_fragment(struct dissect *x, const struct fragment_key *key, uint8_t proto)
{
	uint32_t depth = x->depth, length = x->wire;
	struct packet *p = x->p;

	x->partial = true;
	enum drop drop = decode_transport(x, proto);
	if (drop != DROP_NONE)
		return drop;
	struct fragment first = {.tunnel = x->depth != depth,
		.key = *key,
		.time_us = p->time_us,
		.proto = p->proto,
		.tcp_flags = p->tcp_flags,
		.sport = p->src.port,
		.dport = p->dst.port,
		.seq = p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0),
		.ack = p->ack,
		.header = length - p->payload};
	fragment_put(&x->decoder->fragments, &first);
	return DROP_NONE;
}

/* A later fragment, offset bytes into the packet's payload: all of it is payload. */
static enum drop later_fragment(struct dissect *x, const struct fragment_key *key, uint32_t offset)
{
	const struct fragment *first = fragment_get(&x->decoder->fragments, key, x->p->time_us);
	struct packet *p = x->p;

	if (!first || first->tunnel || offset < first->header)
		return DROP_FRAGMENT;
	p->proto = first->proto;
	p->src.port = first->sport;
	p->dst.port = first->dport;
	p->payload = x->wire;
	p->tcp_flags = first->tcp_flags & (TCP_ACK | TCP_PSH);
	p->seq = first->proto == PROTO_TCP ? first->seq + offset - first->header : 0;
	p->ack = first->ack;
	p->digest = (uint32_t)x->hash;
	return DROP_NONE;
}

static enum drop fragment4(struct dissect *x, const uint8_t *h)
{
	struct fragment_key key = {
		.src = x->p->src.ip, .dst = x->p->dst.ip, .id = be16(h + 4), .proto = h[9]};
	uint32_t offset = (be16(h + 6) & OFFSET) * 8U;

	return offset ? later_fragment(x, &key, offset) : first_fragment(x, &key, h[9]);
}

enum drop decode_ip4(struct dissect *x)
{
	struct packet *p = x->p;
	const uint8_t *h = x->r.p;

	if (rd_left(&x->r) < IP4_HEADER)
		return dissect_short(x, IP4_HEADER, DROP_BAD_IP);
	uint32_t header = (h[0] & 15U) * 4, total = be16(h + 2);
	if (total == 0)
		total = x->wire;
	if (h[0] >> 4 != 4 || header < IP4_HEADER || total < header || (total > x->wire && !x->partial))
		return DROP_BAD_IP;
	if (total > x->wire)
		x->wire = total;
	dissect_limit(x, total);
	if (!dissect_take(x, header))
		return DROP_SNAPPED;
	uint16_t fragment = be16(h + 6);
	put4(&p->src, h + 12);
	put4(&p->dst, h + 16);
	p->ttl = h[8];
	p->ip_id = be16(h + 4);
	p->ip_id_known = p->ip_id != 0;
	x->hash = mix(0, any64(h + 12),
		(uint64_t)total << 40 | (uint64_t)(fragment & (MORE | OFFSET)) << 24 |
			(uint64_t)p->ip_id << 8 | h[9]);
	if (fragment & (MORE | OFFSET))
		return fragment4(x, h);
	return decode_transport(x, h[9]);
}

/* The jumbo payload option (RFC 2675 section 2) among hop-by-hop options; 0 where there is none. */
static uint32_t jumbo_length(struct rd options)
{
	enum { PAD1 = 0, JUMBO = 0xc2 };

	while (rd_left(&options) > 0) {
		uint8_t type = rd_u8(&options);
		if (type == PAD1)
			continue;
		struct rd value = rd_cut(&options, rd_u8(&options));
		if (type == JUMBO && rd_left(&value) == 4)
			return rd_be32(&value);
	}
	return 0;
}

/* Sets the packet's length from the IPv6 header, x standing behind it. */
static bool length6(struct dissect *x, uint32_t length, uint8_t next)
{
	const uint8_t *p = x->r.p;

	if (length == 0 && next == HOP_BY_HOP && rd_left(&x->r) >= 8) {
		size_t n = p[1] * 8U + 8U;
		length = jumbo_length(rd_of(p + 2, (n < rd_left(&x->r) ? n : rd_left(&x->r)) - 2));
	}
	if (length == 0 && next != 59)
		return true; /* before segmentation offload: what is left of the frame */
	if (length > x->wire) {
		x->wire = x->partial ? length : x->wire;
		return x->partial;
	}
	dissect_limit(x, length);
	return true;
}

/* Takes extension headers off until another header stands in front; *fragment: the fragment header, if one
 * ended it. */
static enum drop extensions(struct dissect *x, uint8_t *next, const uint8_t **fragment)
{
	const uint8_t *h;

	for (int i = 0; i < TAGS_MAX; i++) {
		uint32_t n;
		switch (*next) {
		case FRAGMENT:
			h = dissect_take(x, 8);
			if (!h)
				return dissect_short(x, 8, DROP_BAD_IP);
			*next = h[0];
			if ((be16(h + 2) & 0xfff9U) == 0)
				continue; /* atomic, RFC 6946 */
			*fragment = h;
			return DROP_NONE;
		case HOP_BY_HOP:
		case ROUTING:
		case AUTHENTICATION:
		case OPTIONS:
		case MOBILITY:
		case HIP:
		case SHIM6:
			if (rd_left(&x->r) < 8)
				return dissect_short(x, 8, DROP_BAD_IP);
			h = x->r.p;
			n = *next == AUTHENTICATION ? (h[1] + 2U) * 4 : (h[1] + 1U) * 8;
			if (h[0] == 59 && *next >= MOBILITY)
				return DROP_NONE; /* nothing behind it: its own message is the payload */
			if (!dissect_take(x, n))
				return dissect_short(x, n, DROP_BAD_IP);
			*next = h[0];
			continue;
		default:
			return DROP_NONE;
		}
	}
	return DROP_DEPTH;
}

enum drop decode_ip6(struct dissect *x)
{
	struct packet *p = x->p;
	const uint8_t *h = dissect_take(x, IP6_HEADER), *fragment = NULL;

	if (!h)
		return dissect_short(x, IP6_HEADER, DROP_BAD_IP);
	uint8_t next = h[6];
	if (h[0] >> 4 != 6 || !length6(x, be16(h + 4), next))
		return DROP_BAD_IP;
	put6(&p->src, h + 8);
	put6(&p->dst, h + 24);
	p->ttl = h[7];
	p->ip_id = 0;
	p->ip_id_known = false;
	x->hash = mix(x->wire, any64(h + 8), any64(h + 16));
	x->hash = mix(x->hash, any64(h + 24), any64(h + 32) ^ (be32(h) & 0xfffffU));
	enum drop drop = extensions(x, &next, &fragment);
	if (drop != DROP_NONE)
		return drop;
	if (!fragment)
		return decode_transport(x, next);
	struct fragment_key key = {
		.src = p->src.ip, .dst = p->dst.ip, .id = be32(fragment + 4), .proto = FRAGMENT};
	uint32_t offset = be16(fragment + 2) & 0xfff8U;
	x->hash = mix(x->hash, key.id, offset);
	return offset ? later_fragment(x, &key, offset) : first_fragment(x, &key, next);
}

enum drop decode_ip(struct dissect *x)
{
	if (rd_left(&x->r) == 0)
		return dissect_short(x, 1, DROP_BAD_IP);
	switch (x->r.p[0] >> 4) {
	case 4:
		return decode_ip4(x);
	case 6:
		return decode_ip6(x);
	default:
		return DROP_NOT_IP;
	}
}
