/* Names of networks: CAIDA as2org, in which lines of two kinds follow their "# format:" lines,
 *
 *	# format:org_id|changed|org_name|country|source
 *	EXAMPLE-ORG|20200101|Example Organisation|KP|APNIC
 *	# format:aut|changed|aut_name|org_id|opaque_id|source		(opaque_id: in newer files)
 *	64500|20200101|EXAMPLE-AS|EXAMPLE-ORG|...|APNIC
 *
 * and RIPE's asn.txt, "64500 EXAMPLE-AS Example Organisation, KP".  Networks of one org_id are siblings; of
 * asn.txt there are none, for it has no ids. */
#include "map/text_in.h"

#include <stdlib.h>

#include "base/grow.h"
#include "map/registry.h"
#include "map/text_pool.h"

/* What a column holds, by its name in the format line. */
enum column { C_ASN, C_AS_NAME, C_ORG, C_ORG_NAME, C_COUNTRY, COLUMNS };
static const char *const column_text[COLUMNS] = {"aut", "aut_name", "org_id", "org_name", "country"};
#define FIELDS_MAX 12
#define NO_COLUMN  FIELDS_MAX

struct org {
	uint32_t id, name;
	char cc[2];
};
struct names {
	struct holder *of;
	size_t n, cap;
	struct org *org;
	size_t n_org, cap_org;
	struct text_pool text;
	bool told; /* a format line was read */
	size_t column[COLUMNS];
	size_t n_column;
};

static bool holder_add(struct names *s, const struct holder *h)
{
	if (!grow(&s->of, &s->cap, s->n, 1, sizeof(*s->of)))
		return false;
	s->of[s->n++] = *h;
	return true;
}

static const char format_mark[] = "# format:";

/* ---- as2org ---- */

static void format_line(struct names *s, struct rd line)
{
	struct rd f[FIELDS_MAX];

	rd_skip(&line, sizeof(format_mark) - 1);
	s->n_column = fields_cut(line, '|', f, FIELDS_MAX);
	s->told = true;
	for (int c = 0; c < COLUMNS; c++) {
		size_t i = 0;
		while (i < s->n_column && !field_is(field_trim(f[i]), column_text[c]))
			i++;
		s->column[c] = i < s->n_column ? i : NO_COLUMN;
	}
}

/* The field of a column, empty where the format has none. */
static struct rd field_of(const struct names *s, const struct rd *f, enum column c)
{
	return s->column[c] == NO_COLUMN ? rd_of(NULL, 0) : field_trim(f[s->column[c]]);
}

static void country_read(struct rd f, char cc[2])
{
	if (!field_country(f, cc) || memcmp(cc, "ZZ", 2) == 0)
		cc[0] = cc[1] = '\0';
}

static enum text_line network_line(struct names *s, const struct rd *f)
{
	struct holder h = {0};

	if (!field_number(field_of(s, f, C_ASN), &h.asn) || !asn_usable(h.asn))
		return LINE_BAD;
	if (!text_pool_append(&s->text, field_of(s, f, C_AS_NAME), &h.name) ||
		!text_pool_add(&s->text, field_of(s, f, C_ORG), &h.org) || !holder_add(s, &h))
		return LINE_NO_MEMORY;
	return LINE_KEPT;
}

static enum text_line org_line(struct names *s, const struct rd *f)
{
	struct org o = {0};
	struct rd id = field_of(s, f, C_ORG);

	if (rd_left(&id) == 0)
		return LINE_BAD;
	country_read(field_of(s, f, C_COUNTRY), o.cc);
	if (!text_pool_add(&s->text, id, &o.id) ||
		!text_pool_append(&s->text, field_of(s, f, C_ORG_NAME), &o.name) ||
		!grow(&s->org, &s->cap_org, s->n_org, 1, sizeof(*s->org)))
		return LINE_NO_MEMORY;
	s->org[s->n_org++] = o;
	return LINE_KEPT;
}

static enum text_line as_org_line(void *state, struct rd line)
{
	struct names *s = state;
	struct rd f[FIELDS_MAX];

	if (field_begins(line, format_mark)) {
		format_line(s, line);
		return LINE_OTHER;
	}
	if (*line.p == '#')
		return LINE_OTHER;
	size_t n = fields_cut(line, '|', f, FIELDS_MAX);
	if (!s->told || n != s->n_column)
		return LINE_BAD;
	if (s->column[C_ASN] != NO_COLUMN)
		return network_line(s, f);
	return s->column[C_ORG] != NO_COLUMN ? org_line(s, f) : LINE_BAD;
}

static bool as_org_looks(struct rd line)
{
	return field_begins(line, "# format:aut|") || field_begins(line, "# format:org_id|");
}

/* ---- asn.txt ---- */

/* ", KP" at the end, taken off. */
static void country_take(struct rd *r, char cc[2])
{
	struct rd tail = *r;

	cc[0] = cc[1] = '\0';
	if (rd_left(r) < 3)
		return;
	rd_skip(&tail, rd_left(r) - 3);
	if (*tail.p != ' ' || rd_left(r) < 4 || tail.p[-1] != ',')
		return;
	rd_skip(&tail, 1);
	if (tail.p[0] < 'A' || tail.p[0] > 'Z')
		return;
	country_read(tail, cc);
	r->end -= 4;
}

/* "NAME Description" or "NAME - Description". */
static struct rd name_take(struct rd *r)
{
	struct rd w = field_trim(*r);
	const uint8_t *blank = rd_left(&w) ? memchr(w.p, ' ', rd_left(&w)) : NULL;

	r->p = blank ? blank : w.end;
	w.end = r->p;
	*r = field_trim(*r);
	if (field_begins(*r, "- "))
		rd_skip(r, 2);
	return w;
}

static bool as_name_read(struct rd *line, uint32_t *asn)
{
	return number_take(line, asn) && byte_take(line, ' ') && rd_left(line) > 0;
}

static enum text_line as_names_line(void *state, struct rd line)
{
	struct names *s = state;
	struct holder h = {0};

	if (*line.p == '#')
		return LINE_OTHER;
	if (!as_name_read(&line, &h.asn) || !asn_usable(h.asn))
		return LINE_BAD;
	line = field_trim(line);
	country_take(&line, h.cc);
	struct rd name = name_take(&line);
	if (!text_pool_append(&s->text, name, &h.name) || !text_pool_append(&s->text, line, &h.org_name) ||
		!holder_add(s, &h))
		return LINE_NO_MEMORY;
	return LINE_KEPT;
}

/* Of any line that begins with a number and a blank: asked last.  A letter must follow somewhere. */
static bool as_names_looks(struct rd line)
{
	uint32_t asn;

	if (!as_name_read(&line, &asn))
		return false;
	for (; line.p < line.end; line.p++)
		if ((*line.p >= 'A' && *line.p <= 'Z') || (*line.p >= 'a' && *line.p <= 'z'))
			return true;
	return false;
}

/* ---- together ---- */

static int by_id(const void *a, const void *b)
{
	const struct org *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Networks get the name and the country of their organisation, whichever stood first in the file. */
static void join(struct names *s)
{
	qsort(s->org, s->n_org, sizeof(*s->org), by_id);
	for (size_t i = 0; i < s->n; i++) {
		struct org key = {.id = s->of[i].org};
		const struct org *o =
			s->n_org ? bsearch(&key, s->org, s->n_org, sizeof(*s->org), by_id) : NULL;
		if (!o || key.id == 0)
			continue;
		s->of[i].org_name = o->name;
		memcpy(s->of[i].cc, o->cc, sizeof(o->cc));
	}
}

static enum status names_finish(void *state, struct sheet_out *o, struct text_counts *c, struct wall *from,
	struct wall *to, struct err *e)
{
	struct names *s = state;
	size_t n_text;
	const char *text = text_pool_text(&s->text, &n_text);

	if (s->n == 0)
		return err_set(e, STATUS_BAD, "names organisations, and not one network");
	if (s->n_org)
		join(s);
	*from = *to = (struct wall){0}; /* neither format says its day */
	enum status st = holders_write(o, s->of, s->n, text, n_text, &c->twice, e);
	c->kept = s->n + s->n_org - c->twice;
	return st;
}

static void names_free(void *state)
{
	struct names *s = state;

	free(s->of);
	free(s->org);
	text_pool_free(&s->text);
}

const struct text_format text_as_org = {"networks and organisations", SHEET_HOLDERS, sizeof(struct names),
	as_org_looks, as_org_line, names_finish, names_free};
const struct text_format text_as_names = {"names of networks", SHEET_HOLDERS, sizeof(struct names),
	as_names_looks, as_names_line, names_finish, names_free};
