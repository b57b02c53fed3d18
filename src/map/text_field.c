/* Fields of a line: cut, compared, read as numbers, addresses, dates and countries.  Nothing here allocates.
 */
#include "map/text_in.h"

#include <stdio.h>

/* By hand: fields are a few bytes long, and a call for each costs more than its bytes. */
size_t fields_cut(struct rd line, uint8_t separator, struct rd *f, size_t max)
{
	const uint8_t *p = line.p;
	size_t n = 0;

	while (n + 1 < max) {
		while (p < line.end && *p != separator)
			p++;
		if (p == line.end)
			break;
		f[n++] = rd_of(line.p, (size_t)(p - line.p));
		line.p = ++p;
	}
	f[n++] = line;
	return n;
}

bool field_is(struct rd f, const char *s)
{
	size_t n = strlen(s);

	return rd_left(&f) == n && memcmp(f.p, s, n) == 0;
}

bool field_begins(struct rd f, const char *s)
{
	size_t n = strlen(s);

	return rd_left(&f) >= n && memcmp(f.p, s, n) == 0;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct rd field_trim(struct rd f)
{
	while (f.p < f.end && blank(*f.p))
		f.p++;
	while (f.p < f.end && blank(f.end[-1]))
		f.end--;
	return f;
}

bool field_number(struct rd f, uint32_t *v)
{
	return number_take(&f, v) && f.p == f.end;
}

bool ip4_take(struct rd *r, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < 4; i++) {
		uint32_t part;
		if (i > 0 && !byte_take(r, '.'))
			return false;
		const uint8_t *from = r->p;
		if (!number_take(r, &part) || part > UINT8_MAX || r->p - from > 3)
			return false;
		*v = *v << 8 | part;
	}
	return true;
}

struct ip ip4_of(uint32_t v)
{
	return ip_v4(
		(const uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v});
}

bool field_ip(struct rd f, struct ip *ip)
{
	char text[IP_TEXT];
	size_t n = rd_left(&f);

	if (n == 0 || n >= sizeof(text))
		return false;
	if (!memchr(f.p, ':', n)) {
		uint32_t v;
		bool is = ip4_take(&f, &v) && f.p == f.end;
		*ip = is ? ip4_of(v) : (struct ip){0};
		return is;
	}
	memcpy(text, f.p, n);
	text[n] = '\0';
	return ip_parse(ip, text);
}

struct wall date_wall(uint32_t date)
{
	char text[32];
	struct wall w = {0};

	(void)snprintf(text, sizeof(text), "%04u-%02u-%02u", date / 10000, date / 100 % 100, date % 100);
	return date && wall_parse(&w, text) ? w : (struct wall){0};
}

uint32_t field_date(struct rd f)
{
	uint32_t v;

	if (rd_left(&f) != 8 || !field_number(f, &v))
		return 0;
	uint32_t month = v / 100 % 100, day = v % 100;
	return v >= 19700101 && month >= 1 && month <= 12 && day >= 1 && day <= 31 ? v : 0;
}

bool field_country(struct rd f, char cc[2])
{
	cc[0] = cc[1] = 'Z';
	if (rd_left(&f) == 0)
		return true;
	for (int i = 0; i < 2; i++) {
		uint8_t c = rd_u8(&f);
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (c < 'A' || c > 'Z')
			return false;
		cc[i] = (char)c;
	}
	return f.p == f.end && !f.bad;
}
