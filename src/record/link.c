/* Link layers, by LINKTYPE_ value (https://www.tcpdump.org/linktypes.html), and what may stand between them
 * and IP: Ethernet (IEEE 802.3 with LLC and SNAP), VLAN tags (802.1Q, 802.1ad), PPPoE sessions (RFC 2516),
 * PPP (RFC 1661), MPLS (RFC 3032, pseudowires RFC 4385 and 4448), Linux cooked, BSD loopback, raw IP. */
#include "record/dissect.h"

enum ethertype {
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLDER = 0x9200,
	LENGTHS = 0x0600, /* smaller values are IEEE 802.3 lengths */
};

static enum drop ppp_protocol(struct dissect *x, uint16_t protocol)
{
	switch (protocol) {
	case 0x0021:
		return decode_ip4(x);
	case 0x0057:
		return decode_ip6(x);
	case 0x0281:
	case 0x0283:
		return decode_mpls(x);
	default:
		return DROP_NOT_IP;
	}
}

/* PPP, with or without address and control, with or without the protocol field compressed (RFC 1661
 * section 6.5). */
static enum drop decode_ppp(struct dissect *x)
{
	if (rd_left(&x->r) >= 2 && x->r.p[0] == 0xff && x->r.p[1] == 0x03)
		(void)dissect_take(x, 2);
	if (rd_left(&x->r) < 2)
		return dissect_short(x, 2, DROP_NOT_IP);
	if (x->r.p[0] & 1)
		return ppp_protocol(x, *dissect_take(x, 1));
	return ppp_protocol(x, be16(dissect_take(x, 2)));
}

static enum drop decode_pppoe(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 6);

	if (!h)
		return dissect_short(x, 6, DROP_NOT_IP);
	if (h[0] != 0x11 || h[1] != 0)
		return DROP_NOT_IP;
	dissect_limit(x, be16(h + 4));
	return decode_ppp(x);
}

/* LLC: only SNAP with an EtherType inside goes on to IP (RFC 1042). */
static enum drop decode_llc(struct dissect *x)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	const uint8_t *h = dissect_take(x, 8);

	if (!h)
		return dissect_short(x, 8, DROP_NOT_IP);
	if (memcmp(h, snap, sizeof(snap)) != 0 || be16(h + 6) < LENGTHS)
		return DROP_NOT_IP;
	return decode_ethertype(x, be16(h + 6));
}

static bool is_tag(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD || type == TYPE_QINQ_OLDER;
}

static enum drop decode_tags(struct dissect *x)
{
	uint16_t type = TYPE_VLAN;

	for (int i = 0; is_tag(type); i++) {
		const uint8_t *h = dissect_take(x, 4);
		if (!h)
			return dissect_short(x, 4, DROP_NOT_IP);
		if (i == TAGS_MAX)
			return DROP_DEPTH;
		if (x->p->vlan == 0)
			x->p->vlan = be16(h) & 0x0fff;
		type = be16(h + 2);
	}
	return decode_ethertype(x, type);
}

enum drop decode_ethertype(struct dissect *x, uint16_t type)
{
	switch (type) {
	case TYPE_IP4:
		return decode_ip4(x);
	case TYPE_IP6:
		return decode_ip6(x);
	case TYPE_VLAN:
	case TYPE_QINQ:
	case TYPE_QINQ_OLD:
	case TYPE_QINQ_OLDER:
		return decode_tags(x);
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		return decode_mpls(x);
	case TYPE_PPPOE:
		return decode_pppoe(x);
	default:
		if (type >= LENGTHS)
			return DROP_NOT_IP;
		dissect_limit(x, type);
		return decode_llc(x);
	}
}

enum drop decode_ethernet(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 14);

	if (!h)
		return dissect_short(x, 14, DROP_NOT_IP);
	uint16_t type = be16(h + 12);
	return type == TYPE_IP4 ? decode_ip4(x) : decode_ethertype(x, type);
}

/* Would Ethernet that begins n bytes on have a type that goes on to IP, or ARP? */
static bool ethernet_at(const struct dissect *x, size_t n)
{
	static const uint16_t known[] = {
		TYPE_IP4, TYPE_IP6, TYPE_VLAN, TYPE_QINQ, TYPE_MPLS, TYPE_PPPOE, TYPE_ARP};

	if (rd_left(&x->r) < n + 14)
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (be16(x->r.p + n + 12) == known[i])
			return true;
	return false;
}

/* Nothing says what stands behind the last label.  A first nibble of 4 or 6 is IP (RFC 4928); 0 is a
 * pseudowire's control word with Ethernet behind it (RFC 4448), unless its type makes sense only without
 * one (many addresses begin with 00); 1 is its control channel; everything else begins like an Ethernet
 * address. */
static enum drop behind_labels(struct dissect *x)
{
	if (rd_left(&x->r) == 0)
		return dissect_short(x, 1, DROP_NOT_IP);
	switch (x->r.p[0] >> 4) {
	case 4:
		return decode_ip4(x);
	case 6:
		return decode_ip6(x);
	case 0:
		if (ethernet_at(x, 0) && !ethernet_at(x, 4))
			return decode_ethernet(x);
		return dissect_take(x, 4) ? decode_ethernet(x) : dissect_short(x, 4, DROP_NOT_IP);
	case 1:
		return DROP_NOT_IP;
	default:
		return decode_ethernet(x);
	}
}

enum drop decode_mpls(struct dissect *x)
{
	enum { BOTTOM = 1 };

	for (int i = 0; i < 2 * TAGS_MAX; i++) {
		const uint8_t *h = dissect_take(x, 4);
		if (!h)
			return dissect_short(x, 4, DROP_NOT_IP);
		if (h[2] & BOTTOM)
			return dissect_deeper(x) ? behind_labels(x) : DROP_DEPTH;
	}
	return DROP_DEPTH;
}

/* The protocol field of Linux cooked frames: an EtherType for most kinds of devices. */
static enum drop cooked(struct dissect *x, uint16_t device, uint16_t protocol)
{
	enum { NETLINK = 824, RADIOTAP = 803, FRELAY = 770, LLC = 4 };

	if (device == NETLINK || device == RADIOTAP || device == FRELAY)
		return DROP_NOT_IP;
	if (protocol == LLC)
		return decode_llc(x);
	return protocol < LENGTHS ? DROP_NOT_IP : decode_ethertype(x, protocol);
}

static enum drop decode_cooked1(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 16);

	return h ? cooked(x, be16(h + 2), be16(h + 14)) : dissect_short(x, 16, DROP_NOT_IP);
}

static enum drop decode_cooked2(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 20);

	return h ? cooked(x, be16(h + 8), be16(h)) : dissect_short(x, 20, DROP_NOT_IP);
}

/* BSD loopback: the address family of the machine that captured, in its byte order or (OpenBSD)
 * the network's. */
static enum drop decode_loopback(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 4);

	if (!h)
		return dissect_short(x, 4, DROP_NOT_IP);
	uint32_t family = be32(h);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return decode_ip4(x);
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return decode_ip6(x);
	default:
		return DROP_NOT_IP;
	}
}

/* Cisco's HDLC (LINKTYPE_C_HDLC): address, control, EtherType. */
static enum drop decode_chdlc(struct dissect *x)
{
	const uint8_t *h = dissect_take(x, 4);

	if (!h)
		return dissect_short(x, 4, DROP_NOT_IP);
	return be16(h + 2) < LENGTHS ? DROP_NOT_IP : decode_ethertype(x, be16(h + 2));
}

enum drop decode_link(struct dissect *x, uint32_t linktype)
{
	static const struct {
		uint32_t linktype;
		enum drop (*decode)(struct dissect *x);
	} known[] = {
		{113, decode_cooked1},
		{276, decode_cooked2},
		{101, decode_ip}, /* LINKTYPE_RAW, and what it is called inside libpcap: */
		{12, decode_ip},
		{14, decode_ip},
		{228, decode_ip4},
		{229, decode_ip6},
		{0, decode_loopback},
		{108, decode_loopback},
		{9, decode_ppp},
		{50, decode_ppp},
		{51, decode_pppoe},
		{104, decode_chdlc},
	};

	if (linktype == 1)
		return decode_ethernet(x);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].linktype == linktype)
			return known[i].decode(x);
	return DROP_LINKTYPE;
}
