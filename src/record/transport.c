/* What stands behind an IP header: TCP (RFC 9293), UDP (RFC 768), ICMP echo (RFC 792, RFC 4443) give
 * ports; tunnels go on inside; everything else (ESP, OSPF, ...) is a host pair whose payload is all of the
 * IP payload. */
#include "record/dissect.h"

#define TCP_HEADER 20U
#define TCP_NEEDED 16U /* up to the window: a copy may be cut behind it */
#define UDP_HEADER 8U

static void no_tcp(struct packet *p)
{
	p->tcp_flags = 0;
	p->seq = 0;
	p->ack = 0;
}

static enum drop host_pair(struct dissect *x, uint8_t proto)
{
	struct packet *p = x->p;

	if (rd_left(&x->r) >= 8)
		x->hash = mix(x->hash, any64(x->r.p), proto);
	p->proto = proto;
	p->payload = x->wire;
	p->digest = (uint32_t)x->hash;
	no_tcp(p);
	return DROP_NONE;
}

static inline enum drop tcp(struct dissect *x)
{
	struct packet *p = x->p;
	const uint8_t *h = x->r.p;
	size_t have = rd_left(&x->r);

	if (have < TCP_NEEDED || x->wire < TCP_HEADER)
		return dissect_short(x, TCP_HEADER, DROP_BAD_TRANSPORT);
	uint32_t header = (h[12] >> 4) * 4U;
	if (header < TCP_HEADER || header > x->wire)
		return DROP_BAD_TRANSPORT;
	p->src.port = be16(h);
	p->dst.port = be16(h + 2);
	p->seq = be32(h + 4);
	p->ack = be32(h + 8);
	p->tcp_flags = h[13] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK);
	p->proto = PROTO_TCP;
	p->payload = x->wire - header;
	uint64_t hash = mix(x->hash, any64(h), any64(h + 8));
	if (header >= 32 && have >= 32)
		hash = mix(hash, any64(h + 20), be32(h + 28)); /* mostly the timestamp option, RFC 7323 */
	p->digest = (uint32_t)hash;
	return DROP_NONE;
}

static enum drop udp(struct dissect *x)
{
	enum { VXLAN = 4789, VXLAN_LINUX = 8472 };
	struct packet *p = x->p;
	enum drop drop;
	const uint8_t *h = dissect_take(x, UDP_HEADER);

	if (!h)
		return dissect_short(x, UDP_HEADER, DROP_BAD_TRANSPORT);
	uint32_t length = be16(h + 4);
	if (length == 0)
		length = x->wire + UDP_HEADER; /* RFC 2675 section 4 */
	if (length < UDP_HEADER || (length - UDP_HEADER > x->wire && !x->partial))
		return DROP_BAD_TRANSPORT;
	dissect_limit(x, length - UDP_HEADER);
	p->proto = PROTO_UDP;
	p->src.port = be16(h);
	p->dst.port = be16(h + 2);
	p->payload = x->wire;
	p->digest = (uint32_t)mix(x->hash, any64(h), PROTO_UDP);
	no_tcp(p);
	if ((p->dst.port == VXLAN || p->dst.port == VXLAN_LINUX) && decode_vxlan(x, &drop))
		return drop;
	return DROP_NONE;
}

static enum drop icmp(struct dissect *x, uint8_t proto)
{
	enum { HEADER = 8, ECHO_REPLY = 0, ECHO = 8, ECHO6 = 128, ECHO_REPLY6 = 129 };
	struct packet *p = x->p;
	const uint8_t *h = dissect_take(x, HEADER);

	if (!h)
		return dissect_short(x, HEADER, DROP_BAD_TRANSPORT);
	bool echo = proto == PROTO_ICMP ? h[0] == ECHO || h[0] == ECHO_REPLY
					: h[0] == ECHO6 || h[0] == ECHO_REPLY6;
	p->proto = proto;
	p->src.port = p->dst.port = echo ? be16(h + 4) : 0;
	p->payload = x->wire;
	p->digest = (uint32_t)mix(x->hash, any64(h), proto);
	no_tcp(p);
	return DROP_NONE;
}

/* The authentication header (RFC 4302): what it protects stands behind it. */
static enum drop authentication(struct dissect *x)
{
	const uint8_t *h = x->r.p;

	if (rd_left(&x->r) < 12)
		return dissect_short(x, 12, DROP_BAD_TRANSPORT);
	uint32_t n = (h[1] + 2U) * 4;
	if (n < 12)
		return DROP_BAD_TRANSPORT;
	if (!dissect_take(x, n))
		return dissect_short(x, n, DROP_BAD_TRANSPORT);
	return dissect_deeper(x) ? decode_transport(x, h[0]) : DROP_DEPTH;
}

static enum drop tunnel(struct dissect *x, enum drop (*inner)(struct dissect *x))
{
	return dissect_deeper(x) ? inner(x) : DROP_DEPTH;
}

enum drop decode_transport(struct dissect *x, uint8_t proto)
{
	enum drop drop;

	switch (proto) {
	case PROTO_TCP:
		return tcp(x);
	case PROTO_UDP:
		return udp(x);
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return icmp(x, proto);
	case PROTO_AH:
		return authentication(x);
	case PROTO_IP4:
		return tunnel(x, decode_ip4);
	case PROTO_IP6:
		return tunnel(x, decode_ip6);
	case PROTO_GRE:
		return decode_gre(x, &drop) ? drop : host_pair(x, proto);
	case PROTO_ETHERIP:
		return tunnel(x, decode_etherip);
	case PROTO_MPLS:
		return tunnel(x, decode_mpls);
	default:
		return host_pair(x, proto);
	}
}
