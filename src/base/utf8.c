/* Characters out of bytes: see utf8.h. */
#include "base/utf8.h"

/* What a first byte says (RFC 3629 section 3), and the least character that may be written so. */
static const struct {
	uint8_t mask, lead, more;
	uint32_t least;
} form[] = {
	{0x80, 0x00, 0, 0},
	{0xe0, 0xc0, 1, 0x80},
	{0xf0, 0xe0, 2, 0x800},
	{0xf8, 0xf0, 3, 0x10000},
};

enum { FORMS = sizeof(form) / sizeof(form[0]) };

bool utf8_next(struct rd *r, uint32_t *c)
{
	uint8_t first = rd_u8(r);
	size_t k = 0;

	while (k < FORMS && (first & form[k].mask) != form[k].lead)
		k++;
	if (k == FORMS)
		return false;
	*c = first & (uint8_t)~form[k].mask;
	for (unsigned i = 0; i < form[k].more; i++) {
		uint8_t b = rd_u8(r);
		if ((b & 0xc0) != 0x80) /* also where the bytes end */
			return false;
		*c = *c << 6 | (b & 0x3fU);
	}
	return !r->bad && *c >= form[k].least && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff);
}

bool utf8_valid(const char *s)
{
	struct rd r = rd_of(s, strlen(s));
	uint32_t c;

	while (rd_left(&r) > 0)
		if (!utf8_next(&r, &c))
			return false;
	return true;
}

bool utf8_line_valid(const char *s)
{
	static const struct {
		uint32_t from, to;
	} never[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
	struct rd r = rd_of(s, strlen(s));
	uint32_t c;

	while (rd_left(&r) > 0) {
		if (!utf8_next(&r, &c))
			return false;
		for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
			if (c >= never[i].from && c <= never[i].to)
				return false;
	}
	return true;
}
