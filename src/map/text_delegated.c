/* Delegations as the registries publish them (RIR Statistics Exchange Format, version 2 and extended):
 *
 *	2.3|apnic|20160131|73407||20160130|+1000			header: the last but one is the day it
 *ends
 *with apnic|*|ipv4|*|33141|summary apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated|A9183010	the last field
 *names the holder, by no name apnic|KP|asn|131279|1|20091221|allocated|A9183010
 *
 * IPv4 counts addresses (any number of them), IPv6 has a prefix length.  What is available or reserved is
 * delegated to nobody: understood, counted apart and not taken. */
#include "map/text_in.h"

#include <stdlib.h>

#include "base/grow.h"
#include "map/registry.h"
#include "map/text_pool.h"

enum field { F_REGISTRY, F_COUNTRY, F_KIND, F_FIRST, F_COUNT, F_DATE, F_STATUS, F_HOLDER, F_MORE, FIELDS };
enum header { H_VERSION, H_REGISTRY, H_SERIAL, H_RECORDS, H_BEGIN, H_END, H_FIELDS };
#define NAME_MAX_LENGTH 64 /* of a registry or a holder */

struct delegated {
	struct delegation *of;
	size_t n, cap;
	struct text_pool text;
	uint32_t day;
	uint32_t rirs; /* whose lines there were, bits by enum rir */
};

static const char *const kind_text[NUMBER_KINDS] = {"asn", "ipv4", "ipv6"};
#define STATUSES (DELEGATION_RESERVED + 1)
static const char *const status_text[STATUSES] = {"assigned", "allocated", "available", "reserved"};

/* The place of f in a table; n where it is not there. */
static size_t one_of(struct rd f, const char *const *table, size_t n)
{
	size_t i = 0;

	while (i < n && (rd_left(&f) == 0 || *f.p != (uint8_t)table[i][0] || !field_is(f, table[i])))
		i++;
	return i;
}

/* ---- what is delegated ---- */

static bool asn_read(const struct rd *f, struct delegation *d)
{
	return field_number(f[F_FIRST], &d->first) && field_number(f[F_COUNT], &d->n) && d->n > 0 &&
	       (uint64_t)d->first + d->n <= UINT64_C(1) << 32;
}

static bool ipv4_read(const struct rd *f, struct delegation *d)
{
	struct ip ip;

	if (!field_ip(f[F_FIRST], &ip) || ip.v != 4 || !field_number(f[F_COUNT], &d->n) || d->n == 0)
		return false;
	struct rd b = rd_of(ip.b, 4);
	d->first = rd_be32(&b);
	return (uint64_t)d->first + d->n <= UINT64_C(1) << 32;
}

static bool ipv6_read(const struct rd *f, struct delegation *d)
{
	struct ip ip;

	if (!field_ip(f[F_FIRST], &ip) || ip.v != 6 || !field_number(f[F_COUNT], &d->n) || d->n > 64)
		return false;
	struct prefix p = prefix_of(&ip, (uint8_t)d->n);
	struct rd b = rd_of(ip.b, 8);
	d->hi = (uint64_t)rd_be32(&b) << 32;
	d->hi |= rd_be32(&b);
	return ip_equal(&p.ip, &ip);
}

static bool (*const number_read[NUMBER_KINDS])(const struct rd *f, struct delegation *d) = {
	asn_read, ipv4_read, ipv6_read};

/* A single network's number must be one that a network can have; a block may have such numbers in it. */
static bool range_usable(const struct delegation *d)
{
	return d->kind != NUMBER_ASN || d->n > 1 || asn_usable(d->first);
}

/* ---- lines ---- */

static bool name_sound(struct rd f)
{
	if (rd_left(&f) > NAME_MAX_LENGTH)
		return false;
	for (; f.p < f.end; f.p++)
		if (*f.p <= ' ' || *f.p >= 0x7f)
			return false;
	return true;
}

static enum text_line record_line(struct delegated *s, const struct rd *f, size_t n)
{
	size_t kind = one_of(f[F_KIND], kind_text, NUMBER_KINDS);
	size_t status = n > F_STATUS ? one_of(f[F_STATUS], status_text, STATUSES) : STATUSES;
	struct delegation d = {.kind = (uint8_t)kind, .status = (uint8_t)status};

	if (kind == NUMBER_KINDS || status == STATUSES || !field_country(f[F_COUNTRY], d.cc) ||
		!number_read[kind](f, &d) || !name_sound(f[F_REGISTRY]))
		return LINE_BAD;
	size_t rir = one_of(f[F_REGISTRY], rir_text, RIRS);
	s->rirs |= rir < RIRS ? UINT32_C(1) << rir : 0;
	if (status > DELEGATION_ALLOCATED)
		return LINE_NOBODYS;
	if (!range_usable(&d) || (n > F_HOLDER && !name_sound(f[F_HOLDER])))
		return LINE_BAD;
	d.date = field_date(f[F_DATE]);
	if (n > F_HOLDER && rd_left(&f[F_HOLDER]) &&
		!text_pool_add_pair(&s->text, f[F_REGISTRY], f[F_HOLDER], &d.holder))
		return LINE_NO_MEMORY;
	if (!grow(&s->of, &s->cap, s->n, 1, sizeof(*s->of)))
		return LINE_NO_MEMORY;
	s->of[s->n++] = d;
	return LINE_KEPT;
}

/* "2" or "2.3" in front. */
static bool is_header(const struct rd *f, size_t n)
{
	struct rd v = f[H_VERSION];

	if (rd_left(&v) == 0 || *v.p < '1' || *v.p > '9')
		return false;
	return n >= H_FIELDS && rd_left(&v) <= 4 && name_sound(f[H_REGISTRY]) &&
	       rd_left(&f[H_REGISTRY]) > 0 && *f[H_REGISTRY].p >= 'a' && *f[H_REGISTRY].p <= 'z';
}

static bool is_summary(const struct rd *f, size_t n)
{
	return n == F_DATE + 1 && field_is(f[F_DATE], "summary");
}

static enum text_line delegated_line(void *state, struct rd line)
{
	struct delegated *s = state;
	struct rd f[FIELDS];

	if (*line.p == '#')
		return LINE_OTHER;
	size_t n = fields_cut(line, '|', f, FIELDS);
	if (is_header(f, n)) {
		uint32_t end = field_date(f[H_END]);
		s->day = end ? end : field_date(f[H_SERIAL]);
		return LINE_OTHER;
	}
	if (is_summary(f, n))
		return LINE_OTHER;
	return n > F_STATUS ? record_line(s, f, n) : LINE_BAD;
}

static bool delegated_looks(struct rd line)
{
	struct rd f[FIELDS];
	size_t n = fields_cut(line, '|', f, FIELDS);

	return is_header(f, n) || is_summary(f, n) ||
	       (n > F_STATUS && one_of(f[F_KIND], kind_text, NUMBER_KINDS) < NUMBER_KINDS &&
		       one_of(f[F_STATUS], status_text, STATUSES) < STATUSES);
}

static enum status delegated_finish(void *state, struct sheet_out *o, struct text_counts *c,
	struct wall *from, struct wall *to, struct err *e)
{
	const struct delegated *s = state;
	size_t n_text;
	const char *text = text_pool_text(&s->text, &n_text);
	enum status st = registry_write(o, s->of, s->n, text, n_text, &c->twice, e);

	if (st == STATUS_OK)
		st = registry_write_rirs(o, s->rirs, e);
	c->kept = s->n - c->twice;
	*from = *to = date_wall(s->day);
	return st;
}

static void delegated_free(void *state)
{
	struct delegated *s = state;

	free(s->of);
	text_pool_free(&s->text);
}

const struct text_format text_delegated = {"delegations", SHEET_REGISTRY, sizeof(struct delegated),
	delegated_looks, delegated_line, delegated_finish, delegated_free};
