/* Prefix-to-origin lists: "192.0.2.0/24<tab>64500" (pyasn; comments begin with ';'), and
 * "192.0.2.0<tab>24<tab>64500_64501,64502" (CAIDA pfx2as): several origins are joined by '_', the one seen
 * most in front, the members of an AS set by ','.  Each of them is an origin.  A prefix with host bits is a
 * bad line: such a list is made by a program, and then it was not whole. */
#include "map/text_in.h"

#include "map/paths.h"

#define ORIGINS_MAX 256 /* of one prefix */

struct origins {
	struct paths_build *build;
	uint32_t day;
	struct err err; /* of building */
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* At least one blank or tab. */
static bool blanks_take(struct rd *r)
{
	const uint8_t *from = r->p;

	while (r->p < r->end && is_blank(*r->p))
		r->p++;
	return r->p != from;
}

/* A '/' or blanks, and the length. */
static bool length_take(struct rd *r, uint32_t bits, uint8_t *len)
{
	uint32_t v;

	if ((!byte_take(r, '/') && !blanks_take(r)) || !number_take(r, &v) || v > bits)
		return false;
	*len = (uint8_t)v;
	return true;
}

static bool prefix4_take(struct rd *r, struct prefix *p)
{
	uint32_t v;

	if (!ip4_take(r, &v) || !length_take(r, 32, &p->len))
		return false;
	p->ip = ip4_of(v);
	return (uint32_t)((uint64_t)v << p->len) == 0;
}

static bool prefix6_take(struct rd *r, struct prefix *p)
{
	struct rd word = *r;

	while (r->p < r->end && !is_blank(*r->p) && *r->p != '/')
		r->p++;
	word.end = r->p;
	if (!field_ip(word, &p->ip) || p->ip.v != 6 || !length_take(r, 128, &p->len))
		return false;
	struct prefix bare = prefix_of(&p->ip, p->len);
	return ip_equal(&bare.ip, &p->ip);
}

static bool prefix_take(struct rd *r, struct prefix *p)
{
	struct rd again = *r;

	if (prefix4_take(r, p))
		return true;
	*r = again;
	return prefix6_take(r, p);
}

/* All numbers of the list; of these, those that a network can have. */
static bool origins_take(struct rd *r, uint32_t asn[ORIGINS_MAX], size_t *n)
{
	*n = 0;
	do {
		uint32_t v;
		if (!number_take(r, &v) || *n == ORIGINS_MAX)
			return false;
		if (asn_usable(v))
			asn[(*n)++] = v;
	} while (byte_take(r, '_') || byte_take(r, ','));
	return true;
}

static bool origins_read(struct rd r, struct prefix *p, uint32_t asn[ORIGINS_MAX], size_t *n)
{
	(void)blanks_take(&r);
	if (!prefix_take(&r, p) || !blanks_take(&r) || !origins_take(&r, asn, n))
		return false;
	(void)blanks_take(&r);
	return r.p == r.end;
}

/* "; Original file : data/rib.20140513.0600.bz2": the day of the table that it was made of. */
static void comment(struct origins *s, struct rd r)
{
	const uint8_t *at = rd_left(&r) ? memmem(r.p, rd_left(&r), "rib.", 4) : NULL;

	if (!at)
		return;
	rd_skip(&r, (size_t)(at - r.p) + 4);
	uint32_t day = field_date(rd_cut(&r, 8));
	if (day)
		s->day = day;
}

static enum text_line origins_line(void *state, struct rd line)
{
	struct origins *s = state;
	struct prefix p = {0};
	uint32_t asn[ORIGINS_MAX];
	size_t n;

	if (*line.p == ';' || *line.p == '#') {
		comment(s, line);
		return LINE_OTHER;
	}
	if (!origins_read(line, &p, asn, &n) || n == 0)
		return LINE_BAD;
	if (!s->build && !(s->build = paths_build_new()))
		return LINE_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		if (paths_build_origin(s->build, &p, asn[i], &s->err) != STATUS_OK)
			return LINE_NO_MEMORY;
	return LINE_KEPT;
}

static bool origins_looks(struct rd line)
{
	struct prefix p = {0};
	uint32_t asn[ORIGINS_MAX];
	size_t n;

	return origins_read(line, &p, asn, &n);
}

static enum status origins_finish(void *state, struct sheet_out *o, struct text_counts *c, struct wall *from,
	struct wall *to, struct err *e)
{
	struct origins *s = state;

	(void)c;
	*from = *to = date_wall(s->day);
	return paths_build_write(s->build, o, e);
}

static void origins_free(void *state)
{
	struct origins *s = state;

	if (s->build)
		paths_build_free(s->build);
}

const struct text_format text_origins = {"origins of prefixes", SHEET_ORIGINS, sizeof(struct origins),
	origins_looks, origins_line, origins_finish, origins_free};
