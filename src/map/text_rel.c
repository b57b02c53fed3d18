/* AS relationships as CAIDA writes them: "a|b|-1" (a is provider of b), "a|b|0" (peers), in serial-2 with a
 * fourth field that says from what it was inferred.  Comments name the transit-free core ("# inferred
 * clique:", "# input clique:"), the exchange points ("# IXP ASes:"), and the tables that it was made of,
 * with their days ("# source:topology|BGP|20150101|ripe|rrc00"). */
#include "map/text_in.h"

#include <stdlib.h>

#include "base/grow.h"
#include "map/links.h"

#define SOURCE_FIELDS 4

struct numbers {
	uint32_t *of;
	size_t n, cap;
};
struct as_rel {
	struct link_line *line;
	size_t n, cap;
	struct numbers clique, ixp;
	uint32_t first_day, last_day;
};

static bool rel_take(struct rd *r, int8_t *rel)
{
	bool below = byte_take(r, '-');
	uint32_t v;

	if (!number_take(r, &v) || v != (below ? 1 : 0))
		return false;
	*rel = below ? -1 : 0;
	return r->p == r->end || *r->p == '|';
}

static bool rel_read(struct rd r, struct link_line *to)
{
	return number_take(&r, &to->a) && byte_take(&r, '|') && number_take(&r, &to->b) &&
	       byte_take(&r, '|') && rel_take(&r, &to->rel);
}

/* A list of numbers; what is none ends it. */
static bool numbers_read(struct numbers *to, struct rd r)
{
	uint32_t v;

	for (r = field_trim(r); number_take(&r, &v); r = field_trim(r)) {
		if (!grow(&to->of, &to->cap, to->n, 1, sizeof(*to->of)))
			return false;
		if (asn_usable(v))
			to->of[to->n++] = v;
	}
	return true;
}

static void source_read(struct as_rel *s, struct rd r)
{
	struct rd f[SOURCE_FIELDS];
	uint32_t day = fields_cut(r, '|', f, SOURCE_FIELDS) == SOURCE_FIELDS ? field_date(f[2]) : 0;

	if (day && (!s->first_day || day < s->first_day))
		s->first_day = day;
	if (day > s->last_day)
		s->last_day = day;
}

/* Behind a mark at the beginning of a comment, else NULL. */
static bool behind(struct rd *r, const char *mark)
{
	if (!field_begins(*r, mark))
		return false;
	rd_skip(r, strlen(mark));
	return true;
}

static enum text_line comment(struct as_rel *s, struct rd r)
{
	bool ok = true;

	rd_skip(&r, 1);
	r = field_trim(r);
	if (behind(&r, "inferred clique:") || behind(&r, "input clique:"))
		ok = numbers_read(&s->clique, r);
	else if (behind(&r, "IXP ASes:"))
		ok = numbers_read(&s->ixp, r);
	else if (behind(&r, "source:"))
		source_read(s, r);
	return ok ? LINE_OTHER : LINE_NO_MEMORY;
}

static enum text_line as_rel_line(void *state, struct rd line)
{
	struct as_rel *s = state;
	struct link_line l = {0};

	if (*line.p == '#')
		return comment(s, line);
	if (!rel_read(line, &l) || l.a == l.b || !asn_usable(l.a) || !asn_usable(l.b))
		return LINE_BAD;
	if (!grow(&s->line, &s->cap, s->n, 1, sizeof(*s->line)))
		return LINE_NO_MEMORY;
	s->line[s->n++] = l;
	return LINE_KEPT;
}

static bool as_rel_looks(struct rd line)
{
	struct link_line l;

	return rel_read(line, &l) || field_begins(line, "# inferred clique:") ||
	       field_begins(line, "# input clique:") || field_begins(line, "# IXP ASes:");
}

static enum status as_rel_finish(void *state, struct sheet_out *o, struct text_counts *c, struct wall *from,
	struct wall *to, struct err *e)
{
	const struct as_rel *s = state;
	struct links_counts n;
	enum status st = links_write(o, s->line, s->n, s->clique.of, s->clique.n, s->ixp.of, s->ixp.n, &n, e);

	c->twice = n.twice;
	c->both_ways = n.both_ways;
	c->kept = n.link;
	*from = date_wall(s->first_day);
	*to = date_wall(s->last_day);
	return st;
}

static void as_rel_free(void *state)
{
	struct as_rel *s = state;

	free(s->line);
	free(s->clique.of);
	free(s->ixp.of);
}

const struct text_format text_as_rel = {"AS relationships", SHEET_LINKS, sizeof(struct as_rel), as_rel_looks,
	as_rel_line, as_rel_finish, as_rel_free};
