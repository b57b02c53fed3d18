/* Private to the text formats: a line and its fields, and what a format is.  Bytes come in by struct rd and
 * are never read beyond its end. */
#ifndef WEIR_MAP_TEXT_IN_H
#define WEIR_MAP_TEXT_IN_H

#include "base/bytes.h"
#include "base/ip.h"
#include "map/text.h"

/* What became of a line. */
enum text_line {
	LINE_KEPT,
	LINE_OTHER,   /* a comment, a header, a sum: nothing to take */
	LINE_BAD,     /* not understood, or a number that no network has */
	LINE_NOBODYS, /* a delegation to nobody: available, reserved */
	LINE_NO_MEMORY,
};

struct text_format {
	const char *name;
	enum sheet_kind sheet;
	size_t size;                   /* of its state, which begins as zeros */
	bool (*looks)(struct rd line); /* could this line be one of it? */
	enum text_line (*line)(void *state, struct rd line);
	enum status (*finish)(void *state, struct sheet_out *o, struct text_counts *c, struct wall *from,
		struct wall *to, struct err *e);
	void (*free)(void *state);
};
extern const struct text_format text_as_rel, text_delegated, text_origins, text_as_org, text_as_names;

/* ---- one file, its bytes handed in ---- */
struct text_reader;
struct text_reader *text_new(enum text_kind k); /* NULL: no memory */
/* Takes the whole lines at p; how many bytes that were.  last: what stands behind the last line feed is a
 * line as well.  False: no memory. */
bool text_feed(struct text_reader *t, const uint8_t *p, size_t n, bool last, size_t *taken);
/* Into the sheet.  STATUS_BAD: nothing in it could be used. */
enum status text_finish(struct text_reader *t, struct sheet_out *o, struct text_counts *c, struct err *e);
void text_free(struct text_reader *t);
const struct text_counts *text_counted(const struct text_reader *t);
void *text_state(struct text_reader *t); /* of the format; for tests */

#define TEXT_LINE_MAX ((size_t)64 << 10) /* a longer line is one bad line */
/* More lines that say something are a bomb (a file of 137 kB can unpack to 100 million, which are all held
 * until they are sorted): the largest real table, of origins, has below two million. */
#define TEXT_KEPT_MAX UINT64_C(10000000)

/* ---- fields ---- */
/* At most max fields between separators; the last one is all that is left.  How many. */
size_t fields_cut(struct rd line, uint8_t separator, struct rd *f, size_t max);
bool field_is(struct rd f, const char *s);
bool field_begins(struct rd f, const char *s);
struct rd field_trim(struct rd f); /* without blanks and tabs at both ends */
bool field_number(struct rd f, uint32_t *v);
bool field_ip(struct rd f, struct ip *ip);
/* Takes dotted decimals in front, by hand: most lines of a list of prefixes are IPv4. */
bool ip4_take(struct rd *r, uint32_t *v);
struct ip ip4_of(uint32_t v);
/* yyyymmdd, a date that there is; 0 otherwise. */
uint32_t field_date(struct rd f);
struct wall date_wall(uint32_t yyyymmdd);
/* Two letters, in upper case; false where f is none.  "" and "ZZ" (nobody's) give "ZZ". */
bool field_country(struct rd f, char cc[2]);

/* Takes the digits in front; false where none stand there or the number does not fit. */
static inline bool number_take(struct rd *r, uint32_t *v)
{
	uint64_t x = 0;
	const uint8_t *p = r->p;

	for (; p < r->end && *p >= '0' && *p <= '9' && x <= UINT32_MAX; p++)
		x = x * 10 + (uint64_t)(*p - '0');
	bool any = p != r->p;
	r->p = p;
	*v = (uint32_t)x;
	return any && x <= UINT32_MAX;
}

static inline bool byte_take(struct rd *r, uint8_t c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* A number that a network can have.  Not: 0 (RFC 7607), 23456 (stands for another one, RFC 6793), 65535 and
 * the last (RFC 7300), 65552 to 131071 (IANA: reserved).  Private and documentation numbers are taken: they
 * are what laboratories and confederations have. */
static inline bool asn_usable(uint32_t asn)
{
	return asn != 0 && asn != 23456 && asn != UINT16_MAX && asn != UINT32_MAX &&
	       (asn < 65552 || asn > 131071);
}

#endif
