/* A frame of every kind that the decoder knows, good and lying, with what must come out: rows[]. */
#ifndef WEIR_TESTS_FRAME_KINDS_H
#define WEIR_TESTS_FRAME_KINDS_H

#include "frame_util.h"
#include "record/capture.h"

static struct maker maker, *m = &maker;

static void tcp4(void)
{
	make_start(m);
	make_hex(m, "68656c6c6f");
	make_tcp(m, 0x18, 0);
	make_ip4(m, 6, 7, 0x4000, 0);
}

static void tcp6(void)
{
	make_start(m);
	make_hex(m, "68656c6c6f");
	make_tcp(m, 0x18, 0);
	make_ip6(m, 6);
}

static void ether_tcp4(void)
{
	tcp4();
	make_ethernet(m, 0x0800);
}

static void options(void)
{
	make_start(m);
	make_hex(m, "68656c6c6f");
	make_tcp(m, 0x18, 12);
	make_ip4(m, 6, 7, 0, 24);
	make_ethernet(m, 0x0800);
}

static void udp4(void)
{
	make_start(m);
	make_hex(m, "0102030405");
	make_udp(m, 40000, 22);
	make_ip4(m, 17, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void echo4(void)
{
	make_start(m);
	make_hex(m, "0800 0000 004d 0001 0102030405");
	make_ip4(m, 1, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void echo6(void)
{
	make_start(m);
	make_hex(m, "8100 0000 004d 0001 0102030405");
	make_ip6(m, 58);
	make_ethernet(m, 0x86dd);
}

static void unreachable(void)
{
	tcp4();
	make_hex(m, "0303 0000 0000 0000");
	make_ip4(m, 1, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void esp(void)
{
	make_start(m);
	make_hex(m, "00000001 00000002 0102030405");
	make_ip4(m, 50, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void ah4(void)
{
	make_start(m);
	make_hex(m, "68656c6c6f");
	make_tcp(m, 0x18, 0);
	make_hex(m, "06040000 00000001 00000002 000000000000000000000000");
	make_ip4(m, 51, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void padded(void)
{
	make_start(m);
	make_hex(m, "000000000000");
	uint8_t *h;
	make_tcp(m, 0x10, 0);
	make_ip4(m, 6, 7, 0, 0);
	h = m->room + m->at;
	put_be16(h + 2, 40); /* the padding is not the packet's */
	make_ethernet(m, 0x0800);
}

static void offloaded(void)
{
	tcp4();
	put_be16(m->room + m->at + 2, 0);
	make_ethernet(m, 0x0800);
}

static void offloaded6(void)
{
	tcp6();
	put_be16(m->room + m->at + 4, 0);
	make_ethernet(m, 0x86dd);
}

static void jumbo(void)
{
	make_start(m);
	memset(make_front(m, 65600), 7, 65600);
	make_tcp(m, 0x18, 0);
	make_hex(m, "0600 c204 0001005c"); /* 8 + 20 + 65600 = 0x1005c */
	make_ip6(m, 0);
	put_be16(m->room + m->at + 4, 0);
	make_ethernet(m, 0x86dd);
}

static void extensions6(void)
{
	make_start(m);
	make_hex(m, "68656c6c6f");
	make_tcp(m, 0x18, 0);
	make_hex(m, "0602 0000 00000001 00000002 00000000"); /* AH, next TCP */
	make_hex(m, "3300 0000 00000009");                   /* atomic fragment, next AH */
	make_hex(m, "2c00 0104 00000000");                   /* destination options, next fragment */
	make_hex(m, "3c02 0000 00000000 00000000000000000000000000000000"); /* routing */
	make_hex(m, "2b00 0502 00000100");                                  /* hop by hop, next routing */
	make_ip6(m, 0);
	make_ethernet(m, 0x86dd);
}

static void no_next(void)
{
	make_start(m);
	make_ip6(m, 59);
	make_ethernet(m, 0x86dd);
}

static void vlan(void)
{
	tcp4();
	make_tag(m, 100, 0x0800);
	make_ethernet(m, 0x8100);
}

static void qinq(void)
{
	tcp4();
	make_tag(m, 200, 0x0800);
	make_tag(m, 100, 0x8100);
	make_ethernet(m, 0x88a8);
}

static void qinq_old(void)
{
	tcp6();
	make_tag(m, 200, 0x86dd);
	make_tag(m, 100, 0x8100);
	make_ethernet(m, 0x9100);
}

static void mpls(void)
{
	tcp4();
	make_mpls(m, 1);
	make_mpls(m, 0);
	make_mpls(m, 0);
	make_ethernet(m, 0x8847);
}

static void pseudowire(void)
{
	ether_tcp4();
	make_hex(m, "00000000");
	make_mpls(m, 1);
	make_ethernet(m, 0x8848);
}

static void pseudowire_bare(void)
{
	ether_tcp4();
	m->room[m->at] = 0;
	make_mpls(m, 1);
	make_ethernet(m, 0x8847);
}

static void pppoe(void)
{
	tcp4();
	make_pppoe(m, 0x0021);
	make_ethernet(m, 0x8864);
}

static void pppoe6_vlan(void)
{
	tcp6();
	make_pppoe(m, 0x0057);
	make_tag(m, 100, 0x8864);
	make_ethernet(m, 0x8100);
}

static void snap(void)
{
	size_t n;

	tcp4();
	make_hex(m, "aaaa03 000000 0800");
	n = make_length(m);
	make_ethernet(m, (unsigned)n);
}

static void gre(void)
{
	tcp4();
	make_hex(m, "0000 0800");
	make_ip4(m, 47, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void gre_all(void)
{
	ether_tcp4();
	make_hex(m, "b000 6558 11110000 00000005 00000006");
	make_ip4(m, 47, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void gre6(void)
{
	tcp6();
	make_hex(m, "2000 86dd 00000005");
	make_ip6(m, 47);
	make_ethernet(m, 0x86dd);
}

static void erspan1(void)
{
	ether_tcp4();
	make_hex(m, "0000 88be");
	make_ip4(m, 47, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void erspan2(void)
{
	ether_tcp4();
	make_hex(m, "1000 88be 00000001 10640001 00000000");
	make_ip4(m, 47, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void erspan3(void)
{
	ether_tcp4();
	make_hex(m, "1000 22eb 00000001 20640001 00000000 00000000");
	make_ip4(m, 47, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void erspan3_sub(void)
{
	ether_tcp4();
	make_hex(m, "1000 22eb 00000001 20640001 00000000 00000001 0000000000000000");
	make_ip4(m, 47, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void pptp(void)
{
	make_start(m);
	make_hex(m, "3001 880b 0005 0001 00000001 0102030405");
	make_ip4(m, 47, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void vxlan(void)
{
	ether_tcp4();
	make_hex(m, "08000000 00006400");
	make_udp(m, 50000, 4789);
	make_ip4(m, 17, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void vxlan_linux6(void)
{
	ether_tcp4();
	make_hex(m, "08000000 00006400");
	make_udp(m, 50000, 8472);
	make_ip6(m, 17);
	make_ethernet(m, 0x86dd);
}

static void vxlan_not(void)
{
	make_start(m);
	make_hex(m, "07000000 00006400 000000000000000000000000000000000000");
	make_udp(m, 50000, 4789);
	make_ip4(m, 17, 7, 0, 0);
	make_ethernet(m, 0x0800);
}

static void ipip(void)
{
	tcp4();
	make_ip4(m, 4, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void sixinfour(void)
{
	tcp6();
	make_ip4(m, 41, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void fourinsix(void)
{
	tcp4();
	make_ip6(m, 4);
	make_ethernet(m, 0x86dd);
}

static void etherip(void)
{
	ether_tcp4();
	make_hex(m, "3000");
	make_ip4(m, 97, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void mpls_in_ip(void)
{
	tcp4();
	make_mpls(m, 1);
	make_ip4(m, 137, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void cooked1(void)
{
	tcp4();
	make_hex(m, "0000 0001 0006 02000000000a0000 0800");
}

static void cooked2(void)
{
	tcp6();
	make_hex(m, "86dd 0000 00000002 0001 00 06 02000000000a0000");
}

static void cooked_vlan(void)
{
	tcp4();
	make_tag(m, 100, 0x0800);
	make_hex(m, "0000 0001 0006 02000000000a0000 8100");
}

static void netlink(void)
{
	tcp4();
	make_hex(m, "0000 0338 0006 02000000000a0000 0800");
}

static void null_little(void)
{
	tcp4();
	make_hex(m, "02000000");
}

static void null_big(void)
{
	tcp6();
	make_hex(m, "0000001e");
}

static void null_freebsd(void)
{
	tcp6();
	make_hex(m, "1c000000");
}

static void loop_openbsd(void)
{
	tcp6();
	make_hex(m, "00000018");
}

static void ppp(void)
{
	tcp4();
	make_hex(m, "ff03 0021");
}

static void ppp_short(void)
{
	tcp4();
	make_hex(m, "21");
}

static void chdlc(void)
{
	tcp4();
	make_hex(m, "0f00 0800");
}

static void arp(void)
{
	make_start(m);
	make_hex(m, "0001 0800 06 04 0001 02000000000a c0000201 000000000000 c6336407");
	make_ethernet(m, 0x0806);
}

static void deep(int levels)
{
	tcp4();
	for (int i = 1; i < levels; i++)
		make_ip4(m, 4, 9, 0, 0);
	make_ethernet(m, 0x0800);
}

static void deep_enough(void)
{
	deep(9);
}

static void too_deep(void)
{
	deep(10);
}

static void bad_version(void)
{
	tcp4();
	m->room[m->at] = 0x55;
	make_ethernet(m, 0x0800);
}

static void short_header(void)
{
	tcp4();
	m->room[m->at] = 0x44;
	make_ethernet(m, 0x0800);
}

static void length_lies(void)
{
	tcp4();
	put_be16(m->room + m->at + 2, 46);
	make_ethernet(m, 0x0800);
}

static void length6_lies(void)
{
	tcp6();
	put_be16(m->room + m->at + 4, 26);
	make_ethernet(m, 0x86dd);
}

static void tcp_header_lies(void)
{
	tcp4();
	m->room[m->at + 20 + 12] = 0xf0;
	make_ethernet(m, 0x0800);
}

static void udp_length_lies(void)
{
	udp4();
	put_be16(m->room + m->at + 14 + 20 + 4, 14);
}

static void udp_shorter(void)
{
	udp4();
	put_be16(m->room + m->at + 14 + 20 + 4, 10); /* the rest is surplus, RFC 9868 */
}

static const struct row {
	const char *name;
	void (*make)(void);
	uint32_t linktype;
	enum drop drop;
	uint8_t v, proto;
	uint16_t sport, dport;
	uint32_t payload;
	uint16_t vlan;
} rows[] = {
	{"tcp", ether_tcp4, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"options", options, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"udp", udp4, 1, DROP_NONE, 4, 17, 40000, 22, 5, 0},
	{"icmp echo", echo4, 1, DROP_NONE, 4, 1, 77, 77, 5, 0},
	{"icmp6 echo", echo6, 1, DROP_NONE, 6, 58, 77, 77, 5, 0},
	{"icmp unreachable", unreachable, 1, DROP_NONE, 4, 1, 0, 0, 45, 0},
	{"esp", esp, 1, DROP_NONE, 4, 50, 0, 0, 13, 0},
	{"ah", ah4, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"padding", padded, 1, DROP_NONE, 4, 6, 40000, 22, 0, 0},
	{"tso", offloaded, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"tso 6", offloaded6, 1, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"jumbogram", jumbo, 1, DROP_NONE, 6, 6, 40000, 22, 65600, 0},
	{"extension headers", extensions6, 1, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"no next header", no_next, 1, DROP_NONE, 6, 59, 0, 0, 0, 0},
	{"vlan", vlan, 1, DROP_NONE, 4, 6, 40000, 22, 5, 100},
	{"qinq", qinq, 1, DROP_NONE, 4, 6, 40000, 22, 5, 100},
	{"qinq 9100", qinq_old, 1, DROP_NONE, 6, 6, 40000, 22, 5, 100},
	{"mpls", mpls, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"pseudowire", pseudowire, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"pseudowire without control word", pseudowire_bare, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"pppoe", pppoe, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"vlan pppoe 6", pppoe6_vlan, 1, DROP_NONE, 6, 6, 40000, 22, 5, 100},
	{"802.3 snap", snap, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"gre", gre, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"gre checksum key seq ethernet", gre_all, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"gre over 6", gre6, 1, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"erspan i", erspan1, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"erspan ii", erspan2, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"erspan iii", erspan3, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"erspan iii subheader", erspan3_sub, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"pptp is a host pair", pptp, 1, DROP_NONE, 4, 47, 0, 0, 17, 0},
	{"vxlan", vxlan, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"vxlan 8472 over 6", vxlan_linux6, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"4789 without vxlan", vxlan_not, 1, DROP_NONE, 4, 17, 50000, 4789, 26, 0},
	{"ip in ip", ipip, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"6in4", sixinfour, 1, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"4in6", fourinsix, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"etherip", etherip, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"mpls in ip", mpls_in_ip, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"cooked v1", cooked1, 113, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"cooked v1 vlan", cooked_vlan, 113, DROP_NONE, 4, 6, 40000, 22, 5, 100},
	{"cooked v2", cooked2, 276, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"cooked netlink", netlink, 113, DROP_NOT_IP, .v = 0},
	{"raw 101", tcp4, 101, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"raw 12", tcp6, 12, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"raw 14", tcp6, 14, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"raw 228", tcp4, 228, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"raw 229", tcp6, 229, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"raw 228 with 6", tcp6, 228, DROP_BAD_IP, .v = 0},
	{"loopback little", null_little, 0, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"loopback big", null_big, 0, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"loopback FreeBSD", null_freebsd, 0, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"loopback OpenBSD", loop_openbsd, 108, DROP_NONE, 6, 6, 40000, 22, 5, 0},
	{"ppp", ppp, 9, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"ppp compressed", ppp_short, 50, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"cisco hdlc", chdlc, 104, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"arp", arp, 1, DROP_NOT_IP, .v = 0},
	{"802.11", ether_tcp4, 105, DROP_LINKTYPE, .v = 0},
	{"nine levels", deep_enough, 1, DROP_NONE, 4, 6, 40000, 22, 5, 0},
	{"ten levels", too_deep, 1, DROP_DEPTH, .v = 0},
	{"ip version 5", bad_version, 1, DROP_BAD_IP, .v = 0},
	{"ip header of 16 bytes", short_header, 1, DROP_BAD_IP, .v = 0},
	{"ip length lies", length_lies, 1, DROP_BAD_IP, .v = 0},
	{"ip6 length lies", length6_lies, 1, DROP_BAD_IP, .v = 0},
	{"tcp header lies", tcp_header_lies, 1, DROP_BAD_TRANSPORT, .v = 0},
	{"udp length lies", udp_length_lies, 1, DROP_BAD_TRANSPORT, .v = 0},
	{"udp shorter than ip", udp_shorter, 1, DROP_NONE, 4, 17, 40000, 22, 2, 0},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

#endif
