/* Flows as text and back, their content-hash ids, and small operations on bursts: see flow.h. */
#include "record/flow.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static const struct {
	uint8_t proto;
	const char *name;
} protocols[] = {{6, "tcp"}, {17, "udp"}, {1, "icmp"}, {58, "icmp6"}, {132, "sctp"}};

enum { N_PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

const char *proto_name(char to[8], uint8_t proto)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].proto == proto)
			return protocols[i].name;
	(void)snprintf(to, 8, "ip-%u", proto);
	return to;
}

bool proto_parse(uint8_t *proto, const char *s)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (strcmp(protocols[i].name, s) == 0) {
			*proto = protocols[i].proto;
			return true;
		}
	size_t n = strlen(s);
	if (n < 4 || n > 6 || strncmp(s, "ip-", 3) != 0 || strspn(s + 3, "0123456789") != n - 3)
		return false;
	unsigned long v = strtoul(s + 3, NULL, 10);
	*proto = (uint8_t)v;
	return v <= 255;
}

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP || proto == PROTO_DCCP ||
	       proto == PROTO_UDPLITE;
}

char *flow_text(char to[FLOW_TEXT], const struct flow_head *h)
{
	char proto[8], end[2][ENDPOINT_TEXT];
	bool ports = has_ports(h->proto) || h->end[0].port || h->end[1].port;

	for (int d = 0; d < 2; d++) {
		(void)endpoint_text(end[d], &h->end[d]);
		if (!ports)
			*strrchr(end[d], ':') = '\0';
	}
	(void)snprintf(to, FLOW_TEXT, "%s %s > %s", proto_name(proto, h->proto), end[0], end[1]);
	return to;
}

/* The next word of *s into to (n bytes); false where there is none or it is too long. */
static bool word(char *to, size_t n, const char **s)
{
	const char *p = *s + strspn(*s, " \t");
	size_t k = strcspn(p, " \t");

	if (k == 0 || k >= n)
		return false;
	memcpy(to, p, k);
	to[k] = '\0';
	*s = p + k;
	return true;
}

bool flow_parse(uint8_t *proto, struct endpoint end[2], const char *s)
{
	char p[16], a[ENDPOINT_TEXT], arrow[4], b[ENDPOINT_TEXT];

	if (!word(p, sizeof(p), &s) || !word(a, sizeof(a), &s) || !word(arrow, sizeof(arrow), &s) ||
		!word(b, sizeof(b), &s))
		return false;
	for (char *c = p; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return s[strspn(s, " \t\n")] == '\0' && strcmp(arrow, ">") == 0 && proto_parse(proto, p) &&
	       endpoint_parse(&end[0], a) && endpoint_parse(&end[1], b);
}

/* The hashed bytes: "weir flow 1" and a zero byte; the point's name and a zero byte; vlan (2 bytes); proto
 * (1); then for initiator and responder IP version (1), address (16, an IPv4 address first and 12 zeros),
 * port (2); the first packet's time in microseconds (8); isn[0] where it is known, else 0 (4).  Integers
 * little-endian.  The id is the first 16 bytes of the SHA-256. */
bool flow_make_id(struct flow_head *h)
{
	struct buf b = {0};
	bool ok;

	buf_put(&b, "weir flow 1", 12);
	buf_put(&b, h->point, strlen(h->point) + 1);
	buf_le16(&b, h->vlan);
	buf_u8(&b, h->proto);
	for (int i = 0; i < 2; i++) {
		buf_u8(&b, h->end[i].ip.v);
		buf_put(&b, h->end[i].ip.b, 16);
		buf_le16(&b, h->end[i].port);
	}
	buf_le64(&b, (uint64_t)h->first_us);
	buf_le32(&b, h->flags & FLOW_SYN ? h->isn[0] : 0);
	ok = !b.failed && id_of(&h->id, b.p, b.n);
	buf_free(&b);
	return ok;
}

int flow_side(const struct flow *f, const struct ip *ip)
{
	for (int d = 0; d < 2; d++)
		if (ip_equal(&f->head.end[d].ip, ip))
			return d;
	return -1;
}

size_t bursts_count(const struct burst *b, size_t n, int64_t gap_us)
{
	size_t k = 0;
	int64_t end = 0;

	for (size_t i = 0; i < n; i++) {
		k += i == 0 || b[i].start_us - end >= gap_us;
		end = i && end > burst_end(&b[i]) ? end : burst_end(&b[i]);
	}
	return k;
}

size_t bursts_before(const struct burst *b, size_t n, int64_t t)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (b[mid].start_us < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t bursts_merge(struct burst *b, size_t n, int64_t gap_us)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		struct burst *last = &b[k - (k > 0)];
		int64_t end = burst_end(&b[i]) > burst_end(last) ? burst_end(&b[i]) : burst_end(last);
		/* A burst longer than 32 bits of microseconds (71 minutes) is cut: its length must stay
		 * true. */
		if (k == 0 || b[i].start_us - burst_end(last) >= gap_us ||
			end - last->start_us > UINT32_MAX) {
			b[k++] = b[i];
			continue;
		}
		last->dur_us = (uint32_t)(end - last->start_us);
		last->packets += b[i].packets;
		last->bytes += b[i].bytes;
	}
	return k;
}
