/* Frames for tests, made from the inside out: each function puts one header in front of what is there.
 * Written apart from the decoder, from the RFCs' figures, so that the two can disagree. */
#ifndef WEIR_TESTS_FRAME_UTIL_H
#define WEIR_TESTS_FRAME_UTIL_H

#include <stdint.h>
#include <string.h>

struct maker {
	uint8_t room[65536 + 4096];
	size_t at; /* the frame is room[at ...] */
};

static const uint8_t SRC4[4] = {192, 0, 2, 1}, DST4[4] = {198, 51, 100, 7};
static const uint8_t SRC6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
		     DST6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};

static inline void make_start(struct maker *m)
{
	m->at = sizeof(m->room);
}

static inline size_t make_length(const struct maker *m)
{
	return sizeof(m->room) - m->at;
}

static inline uint8_t *make_front(struct maker *m, size_t n)
{
	m->at -= n;
	memset(m->room + m->at, 0, n);
	return m->room + m->at;
}

static inline void make_hex(struct maker *m, const char *hex)
{
	uint8_t b[256];
	size_t n = 0;

	for (unsigned half = 0, v = 0; *hex; hex++) {
		if (*hex == ' ')
			continue;
		v = v << 4 | (unsigned)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		if (half++ & 1)
			b[n++] = (uint8_t)v;
	}
	memcpy(make_front(m, n), b, n);
}

static inline void put_be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void make_be16(struct maker *m, size_t v)
{
	put_be16(make_front(m, 2), v);
}

/* sport 40000, dport 22, seq 1000, ack 2000; options: bytes, a multiple of 4 */
static inline void make_tcp(struct maker *m, uint8_t flags, size_t options)
{
	uint8_t *h = make_front(m, 20 + options);

	put_be16(h, 40000);
	put_be16(h + 2, 22);
	put_be16(h + 6, 1000);
	put_be16(h + 10, 2000);
	h[12] = (uint8_t)((20 + options) / 4 << 4);
	h[13] = flags;
	put_be16(h + 14, 512);
	memset(h + 20, 1, options);
}

static inline void make_udp(struct maker *m, unsigned sport, unsigned dport)
{
	size_t n = make_length(m) + 8;
	uint8_t *h = make_front(m, 8);

	put_be16(h, sport);
	put_be16(h + 2, dport);
	put_be16(h + 4, n);
	put_be16(h + 6, 0xbeef);
}

/* fragment: the flags and offset field; options: bytes, a multiple of 4 */
static inline void make_ip4(struct maker *m, uint8_t proto, unsigned id, unsigned fragment, size_t options)
{
	size_t n = make_length(m) + 20 + options;
	uint8_t *h = make_front(m, 20 + options);

	h[0] = (uint8_t)(0x40 | (20 + options) / 4);
	put_be16(h + 2, n);
	put_be16(h + 4, id);
	put_be16(h + 6, fragment);
	h[8] = 64;
	h[9] = proto;
	put_be16(h + 10, 0x1234);
	memcpy(h + 12, SRC4, 4);
	memcpy(h + 16, DST4, 4);
	memset(h + 20, 1, options);
}

static inline void make_ip6(struct maker *m, uint8_t next)
{
	size_t n = make_length(m);
	uint8_t *h = make_front(m, 40);

	h[0] = 0x60;
	put_be16(h + 4, n);
	h[6] = next;
	h[7] = 64;
	memcpy(h + 8, SRC6, 16);
	memcpy(h + 24, DST6, 16);
}

static inline void make_ethernet(struct maker *m, unsigned type)
{
	make_be16(m, type);
	make_hex(m, "020000000001 02000000000a");
}

/* A tag in front of the EtherType that follows it: to be called with the type of what is there. */
static inline void make_tag(struct maker *m, unsigned vlan, unsigned type)
{
	make_be16(m, type);
	make_be16(m, 0xe000 | vlan);
}

static inline void make_mpls(struct maker *m, int bottom)
{
	make_hex(m, bottom ? "00064140" : "00065040");
}

static inline void make_pppoe(struct maker *m, unsigned protocol)
{
	make_be16(m, protocol);
	make_be16(m, make_length(m));
	make_hex(m, "1100 0011");
}

#endif
