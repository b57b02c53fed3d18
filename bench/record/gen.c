/* Makes a capture of mixed traffic, the same for the same arguments:
 *
 *   record_gen PACKETS SNAP small|mixed > FILE.pcap
 *   record_gen PACKETS SNAP flows N > FILE.pcap        N typed sessions at once, each in its turn
 *
 * Sessions begin at random and take turns: typing (small packets both ways), bulk transfers (full segments
 * and ACKs, now and then a retransmission), request and answer, DNS-like exchanges of two datagrams, RTP-like
 * streams, and scans of one packet.  mixed: full-size payloads; small: nothing beyond 40 bytes of payload. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TYPING, BULK, REQUEST, DNS, STREAM, SCAN, KINDS };

struct session {
	enum kind kind;
	uint32_t a, b;
	uint16_t pa, pb;
	uint32_t seq[2];
	uint16_t id[2];
	uint32_t step, left;
};

enum { OPEN = 4000 };

static struct session open_session[OPEN];
static uint64_t rng = 0x9e3779b97f4a7c15U;
static int small;
static uint32_t snap;
static uint64_t bytes_out;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 32) * n >> 32);
}

static void be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void be32(uint8_t *p, uint32_t v)
{
	be16(p, v >> 16);
	be16(p + 2, v & 0xffff);
}

static void emit(uint64_t us, const uint8_t *f, uint32_t n)
{
	uint32_t kept = n < snap ? n : snap;
	uint32_t head[4] = {(uint32_t)(us / 1000000), (uint32_t)(us % 1000000), kept, n};

	if (fwrite(head, sizeof(head), 1, stdout) != 1 || fwrite(f, kept, 1, stdout) != 1)
		exit(3);
	bytes_out += kept;
}

static void packet(uint64_t us, struct session *s, int d, uint8_t flags, uint32_t payload)
{
	static uint8_t f[2048];
	int tcp = s->kind < DNS || s->kind == SCAN;
	uint32_t head = tcp ? 32 : 8, total = 20 + head + payload;
	uint8_t *ip = f + 14, *t = ip + 20;

	memset(f, 0, 14 + 20 + head);
	f[12] = 8;
	ip[0] = 0x45;
	be16(ip + 2, total);
	be16(ip + 4, ++s->id[d]);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = tcp ? 6 : 17;
	be32(ip + 12, d ? s->b : s->a);
	be32(ip + 16, d ? s->a : s->b);
	be16(t, d ? s->pb : s->pa);
	be16(t + 2, d ? s->pa : s->pb);
	if (tcp) {
		be32(t + 4, s->seq[d]);
		be32(t + 8, flags & 16 ? s->seq[!d] : 0);
		t[12] = 0x80;
		t[13] = flags;
		be16(t + 14, 65535);
		be32(t + 20, 0x0101080a);
		be32(t + 24, (uint32_t)(us / 1000));
		s->seq[d] += payload + ((flags & 3) != 0);
	} else {
		be16(t + 4, 8 + payload);
		be16(t + 6, rnd(65536));
	}
	emit(us, f, 14 + total);
}

static void begin(struct session *s)
{
	static const enum kind often[] = {TYPING, TYPING, BULK, BULK, REQUEST, REQUEST, REQUEST, DNS, DNS,
		DNS, DNS, DNS, STREAM, SCAN, SCAN};

	memset(s, 0, sizeof(*s));
	s->kind = often[rnd(sizeof(often) / sizeof(often[0]))];
	s->a = 0x0a000000U + rnd(1 << 16);
	s->b = s->kind == DNS ? 0xc0000201U + rnd(4) : 0xc6336400U + rnd(1 << 12);
	s->pa = (uint16_t)(1024 + rnd(64000));
	s->pb = s->kind == TYPING   ? 22
		: s->kind == DNS    ? 53
		: s->kind == STREAM ? 5004
		: s->kind == SCAN   ? 23
				    : 443;
	s->seq[0] = rnd(UINT32_MAX);
	s->seq[1] = rnd(UINT32_MAX);
	s->left = s->kind == TYPING    ? 50 + rnd(400)
		  : s->kind == BULK    ? 100 + rnd(2000)
		  : s->kind == REQUEST ? 10 + rnd(30)
		  : s->kind == DNS     ? 2
		  : s->kind == STREAM  ? 100 + rnd(1000)
				       : 1;
}

/* One packet of a session; true when it was the last. */
static int turn(uint64_t us, struct session *s)
{
	uint32_t n = s->step++, big = small ? 40 : 1448;

	if (s->kind == DNS)
		packet(us, s, n & 1, 0, n & 1 ? (small ? 40 : 80 + rnd(300)) : 32 + rnd(9));
	else if (s->kind == STREAM)
		packet(us, s, (int)rnd(2), 0, small ? 40 : 172);
	else if (n == 0)
		packet(us, s, 0, 2, 0);
	else if (n == 1)
		packet(us, s, 1, 18, 0);
	else if (n == 2)
		packet(us, s, 0, 16, 0);
	else if (s->step >= s->left)
		packet(us, s, n & 1, 17, 0);
	else if (s->kind == TYPING)
		packet(us, s, n & 1, 24, 36);
	else if (s->kind == BULK && n % 3 == 0)
		packet(us, s, 0, 16, 0);
	else if (s->kind == BULK) {
		if (rnd(100) == 0)
			s->seq[1] -= big;
		packet(us, s, 1, 16, big);
	} else {
		packet(us, s, n % 4 != 3, 24,
			n % 4 == 3 ? (small ? 40 : 200) : (small ? 40 : 600 + rnd(848)));
	}
	return s->step > s->left;
}

/* All are open from the first round on; none ends. */
static int all_at_once(uint64_t packets, uint32_t flows, uint64_t us)
{
	struct session *s = calloc(flows, sizeof(*s));

	for (uint32_t i = 0; s && i < flows; i++)
		s[i] = (struct session){.kind = TYPING,
			.a = 0x0a000000U + i,
			.b = 0xc6336400U + rnd(1 << 12),
			.pa = (uint16_t)(1024 + rnd(64000)),
			.pb = 22,
			.seq = {rnd(UINT32_MAX), rnd(UINT32_MAX)},
			.left = UINT32_MAX};
	for (uint64_t i = 0; s && i < packets; i++) {
		us += rnd(40);
		(void)turn(us, &s[i % flows]);
	}
	free(s);
	return s && fflush(stdout) == 0 ? 0 : 3;
}

int main(int argc, char **argv)
{
	uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, us = 1416832224000000U;
	uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};

	snap = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 65535;
	small = argc > 3 && strcmp(argv[3], "small") == 0;
	head[4] = snap;
	for (int i = 0; i < OPEN; i++)
		begin(&open_session[i]);
	if (fwrite(head, sizeof(head), 1, stdout) != 1)
		return 3;
	if (argc > 4 && strcmp(argv[3], "flows") == 0)
		return all_at_once(packets, (uint32_t)strtoul(argv[4], NULL, 10), us);
	for (uint64_t i = 0; i < packets; i++) {
		/* Bulk transfers and streams take most turns, as they do on a wire. */
		struct session *s = &open_session[rnd(OPEN)];
		for (int k = 0; k < 2 && s->kind != BULK && s->kind != STREAM; k++)
			s = &open_session[rnd(OPEN)];
		us += rnd(20);
		if (turn(us, s))
			begin(s);
	}
	fprintf(stderr, "%llu packets, mean stored size %.0f bytes\n", (unsigned long long)packets,
		(double)bytes_out / (double)packets);
	return fflush(stdout) == 0 ? 0 : 3;
}
