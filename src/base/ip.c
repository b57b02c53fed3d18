/* Addresses, prefixes, endpoints: see ip.h. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

struct ip ip_v4(const uint8_t b[4])
{
	struct ip ip = {.v = 4};

	memcpy(ip.b, b, 4);
	return ip;
}

struct ip ip_v6(const uint8_t b[16])
{
	struct ip ip = {.v = 6};

	memcpy(ip.b, b, 16);
	return ip;
}

bool ip_parse(struct ip *ip, const char *s)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, s, b) == 1)
		*ip = ip_v4(b);
	else if (inet_pton(AF_INET6, s, b) == 1)
		*ip = ip_v6(b);
	else
		return false;
	return true;
}

/* A decimal number of 1 to 5 digits without sign, at most max. */
static bool number_parse(unsigned *to, const char *s, unsigned max)
{
	unsigned v = 0;
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 5 || s[n])
		return false;
	for (; *s; s++)
		v = v * 10 + (unsigned)(*s - '0');
	*to = v;
	return v <= max;
}

uint8_t ip_bits(const struct ip *ip)
{
	return ip->v == 4 ? 32 : 128;
}

static bool host_bits_zero(const struct prefix *p)
{
	for (unsigned i = p->len; i < ip_bits(&p->ip); i++)
		if (p->ip.b[i / 8] & (0x80U >> (i % 8)))
			return false;
	return true;
}

bool prefix_parse(struct prefix *p, const char *s)
{
	char addr[IP_TEXT];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	unsigned len;

	if (n >= sizeof(addr))
		return false;
	memcpy(addr, s, n);
	addr[n] = '\0';
	if (!ip_parse(&p->ip, addr))
		return false;
	len = ip_bits(&p->ip);
	if (slash && !number_parse(&len, slash + 1, len))
		return false;
	p->len = (uint8_t)len;
	return host_bits_zero(p);
}

bool endpoint_parse(struct endpoint *e, const char *s)
{
	char addr[IP_TEXT];
	const char *end = NULL, *port = NULL;
	unsigned n = 0;

	memset(e, 0, sizeof(*e));
	if (*s == '[') {
		s++;
		end = strchr(s, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		port = end[1] ? end + 2 : NULL;
	} else if (strchr(s, ':') && strchr(s, ':') == strrchr(s, ':')) {
		end = strchr(s, ':');
		port = end + 1;
	} else {
		end = s + strlen(s);
	}
	if ((size_t)(end - s) >= sizeof(addr))
		return false;
	memcpy(addr, s, (size_t)(end - s));
	addr[end - s] = '\0';
	if (!ip_parse(&e->ip, addr) || (port && !number_parse(&n, port, 65535)))
		return false;
	e->port = (uint16_t)n;
	return true;
}

char *ip_text(char to[IP_TEXT], const struct ip *ip)
{
	if (ip->v == 0 || !inet_ntop(ip->v == 4 ? AF_INET : AF_INET6, ip->b, to, IP_TEXT))
		memcpy(to, "-", 2);
	return to;
}

char *prefix_text(char to[PREFIX_TEXT], const struct prefix *p)
{
	char ip[IP_TEXT];

	(void)snprintf(to, PREFIX_TEXT, "%s/%u", ip_text(ip, &p->ip), p->len);
	return to;
}

char *endpoint_text(char to[ENDPOINT_TEXT], const struct endpoint *e)
{
	char ip[IP_TEXT];

	(void)snprintf(to, ENDPOINT_TEXT, e->ip.v == 6 ? "[%s]:%u" : "%s:%u", ip_text(ip, &e->ip), e->port);
	return to;
}

bool prefix_has(const struct prefix *p, const struct ip *ip)
{
	size_t whole = p->len / 8;
	unsigned rest = p->len % 8;

	if (p->ip.v != ip->v || memcmp(p->ip.b, ip->b, whole) != 0)
		return false;
	return rest == 0 || ((p->ip.b[whole] ^ ip->b[whole]) >> (8 - rest)) == 0;
}

bool prefix_touches(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_has(a, &b->ip) : prefix_has(b, &a->ip);
}

struct prefix prefix_of(const struct ip *ip, uint8_t len)
{
	struct prefix p = {*ip, len};

	for (unsigned i = len; i < 8 * sizeof(p.ip.b); i++)
		p.ip.b[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
	return p;
}
