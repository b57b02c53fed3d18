/* Tunnels whose inner packet is the one that counts: GRE (RFC 2784, RFC 2890) with IP, Ethernet, MPLS or
 * ERSPAN I, II and III (draft-foschiano-erspan-03) inside, VXLAN (RFC 7348), EtherIP (RFC 3378). */
#include "record/dissect.h"

enum {
	TYPE_IP4 = 0x0800,
	TYPE_IP6 = 0x86dd,
	TYPE_TEB = 0x6558,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_ERSPAN = 0x88be,
	TYPE_ERSPAN3 = 0x22eb
};

enum drop decode_etherip(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 2);

	if (!h)
		return dissect_short(x, 2, DROP_BAD_TRANSPORT);
	return h[0] >> 4 == 3 ? decode_ethernet(x) : DROP_BAD_TRANSPORT;
}

/* Type I has no header of its own, and no GRE sequence number; type II has both. */
static enum drop erspan2(struct dissect *x, bool sequence)
{
	const uint8_t *h;

	if (sequence) {
		h = dissect_take(x, 8);
		if (!h)
			return dissect_short(x, 8, DROP_BAD_TRANSPORT);
		x->partial = x->partial || (h[2] & 0x04); /* T: the mirrored frame was cut to fit */
	}
	return decode_ethernet(x);
}

static enum drop erspan3(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 12);

	if (!h)
		return dissect_short(x, 12, DROP_BAD_TRANSPORT);
	x->partial = x->partial || (h[2] & 0x04);
	if ((h[11] & 1) && !dissect_take(x, 8)) /* O: a platform's subheader follows */
		return dissect_short(x, 8, DROP_BAD_TRANSPORT);
	return (h[10] & 0x7c) >> 2 == 2 ? decode_ip(x) : decode_ethernet(x); /* FT: 0 Ethernet, 2 IP */
}

static enum drop gre_inside(struct dissect *x, uint16_t type, bool sequence)
{
	switch (type) {
	case TYPE_TEB:
		return decode_ethernet(x);
	case TYPE_ERSPAN:
		return erspan2(x, sequence);
	case TYPE_ERSPAN3:
		return erspan3(x);
	default:
		return decode_ethertype(x, type);
	}
}

static bool gre_known(uint16_t type)
{
	static const uint16_t known[] = {
		TYPE_IP4, TYPE_IP6, TYPE_TEB, TYPE_MPLS, TYPE_MPLS_MULTICAST, TYPE_ERSPAN, TYPE_ERSPAN3};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == type)
			return true;
	return false;
}

bool decode_gre(struct dissect *x, enum drop *drop)
{
	enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, VERSION = 7 };
	const uint8_t *h = x->r.p;

	if (rd_left(&x->r) < 4) {
		*drop = dissect_short(x, 4, DROP_BAD_TRANSPORT);
		return true;
	}
	uint16_t flags = be16(h), type = be16(h + 2);
	if ((flags & (ROUTING | VERSION)) || !gre_known(type))
		return false;
	uint32_t n = 4U + (flags & CHECKSUM ? 4U : 0) + (flags & KEY ? 4U : 0) + (flags & SEQUENCE ? 4U : 0);
	if (!dissect_take(x, n))
		*drop = dissect_short(x, n, DROP_BAD_TRANSPORT);
	else if (!dissect_deeper(x))
		*drop = DROP_DEPTH;
	else
		*drop = gre_inside(x, type, flags & SEQUENCE);
	return true;
}

bool decode_vxlan(struct dissect *x, enum drop *drop)
{
	enum { HEADER = 8, VALID = 0x08 };
	struct dissect before = *x;
	struct packet outer = *x->p;

	if (x->wire < HEADER + 14)
		return false;
	const uint8_t *h = dissect_take(x, HEADER);
	if (!h) {
		*drop = DROP_SNAPPED;
		return true;
	}
	if ((h[0] & VALID) && h[7] == 0) {
		*drop = dissect_deeper(x) ? decode_ethernet(x) : DROP_DEPTH;
		if (*drop != DROP_BAD_IP && *drop != DROP_BAD_TRANSPORT)
			return true;
	}
	*x = before;
	*x->p = outer;
	return false;
}
