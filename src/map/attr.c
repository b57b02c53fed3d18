/* Path attributes of one route: see attr.h.  RFC 4271 4.3: flags, type, length of one octet or (flag 0x10) of
 * two, value. attr_path() is called once for each of millions of entries and reads nothing twice; all else
 * may be slow. */
#include "map/attr.h"

#define FLAG_LONG 0x10 /* "extended length" */

#define AS4_OCTETS        4
#define AS2_OCTETS        2
#define AGGREGATOR_OCTETS 6 /* of a session of 2 octets: AS and IPv4 address */

/* RFC 4271 5.1.2, RFC 5065 3. */
enum segment { AS_SET = 1, AS_SEQUENCE = 2, CONFED_SEQUENCE = 3, CONFED_SET = 4 };

/* One attribute's value; false where none is left or its length lies. */
static inline bool attr_next(struct rd *r, uint8_t *type, struct rd *value)
{
	size_t left = rd_left(r), head = 3;

	if (left < head)
		return false;
	size_t n = r->p[2];
	*type = r->p[1];
	if (r->p[0] & FLAG_LONG) {
		head = 4;
		if (left < head)
			return false;
		n = n << 8 | r->p[3];
	}
	if (left - head < n)
		return false;
	value->p = r->p + head;
	value->end = value->p + n;
	value->bad = false;
	r->p = value->end;
	return true;
}

bool attrs_read(struct attrs *a, struct rd bytes)
{
	uint8_t type;
	struct rd value;

	*a = (struct attrs){0};
	while (attr_next(&bytes, &type, &value)) {
		if (type >= ATTR_TYPES || (a->present >> type & 1))
			continue;
		a->at[type] = value;
		a->present |= UINT64_C(1) << type;
	}
	return rd_left(&bytes) == 0;
}

/* RFC 6793, 4.2.3: an AGGREGATOR that is not AS_TRANS was made by one who did not know AS4_PATH. */
static bool as4_stale(struct rd aggregator)
{
	return rd_left(&aggregator) == AGGREGATOR_OCTETS && rd_be16(&aggregator) != AS_TRANS;
}

static bool path_and_as4(struct rd *path, struct rd *as4, struct rd bytes)
{
	struct attrs a;
	bool whole = attrs_read(&a, bytes);

	*path = a.at[ATTR_AS_PATH];
	*as4 = a.at[ATTR_AS4_PATH];
	if (as4_stale(a.at[ATTR_AGGREGATOR]))
		*as4 = (struct rd){0};
	return whole && path->p;
}

bool attr_path(struct rd *path, struct rd *as4, struct rd bytes)
{
	uint8_t type;

	if (as4)
		return path_and_as4(path, as4, bytes);
	while (attr_next(&bytes, &type, path))
		if (type == ATTR_AS_PATH)
			return true;
	return false;
}

/* ---- the path as a list ---- */

/* A segment's members; false at the end, and with path->bad where it does not fit, is of no known type, or is
 * empty (RFC 7606, 7.2). */
static bool segment_next(struct rd *path, size_t octets, enum segment *type, struct rd *members)
{
	if (rd_left(path) == 0)
		return false;
	uint8_t t = rd_u8(path), n = rd_u8(path);
	*members = rd_cut(path, n * octets);
	if (t < AS_SET || t > CONFED_SET || n == 0)
		path->bad = true;
	*type = (enum segment)t;
	return !path->bad;
}

/* RFC 4271 9.1.2.2 a, RFC 5065 5.3: a set counts as one, confederations not at all. */
static size_t segment_length(enum segment t, const struct rd *members, size_t octets)
{
	if (t == AS_SEQUENCE)
		return rd_left(members) / octets;
	return t == AS_SET;
}

/* False where the segments do not fit. */
static bool path_length(size_t *n, struct rd path, size_t octets)
{
	enum segment t;
	struct rd members;

	*n = 0;
	while (segment_next(&path, octets, &t, &members))
		*n += segment_length(t, &members, octets);
	return !path.bad;
}

struct list {
	uint64_t *as;
	size_t n;
	enum path_fault fault; /* the first that makes it useless */
};

static void list_put(struct list *l, uint32_t as, uint64_t mark)
{
	if (as == 0) /* RFC 7607 */
		l->fault = PATH_AS_ZERO;
	else if (l->n > 0 && l->as[l->n - 1] == (as | mark))
		return; /* prepended */
	else if (l->n == AS_PATH_MAX)
		l->fault = PATH_LONG;
	else
		l->as[l->n++] = as | mark;
}

/* At most `most` of the path's length (see segment_length). */
static void list_path(struct list *l, struct rd path, size_t octets, size_t most)
{
	enum segment t;
	struct rd members;

	while (most > 0 && l->fault == PATH_OK && segment_next(&path, octets, &t, &members)) {
		if (t != AS_SEQUENCE && t != AS_SET)
			continue;
		uint64_t mark = t == AS_SET ? AS_IN_SET : 0;
		most -= t == AS_SET;
		while (rd_left(&members) > 0 && l->fault == PATH_OK && (mark || most > 0)) {
			uint32_t as = octets == AS4_OCTETS ? rd_be32(&members) : rd_be16(&members);
			list_put(l, as, mark);
			most -= !mark;
		}
	}
}

#define LOOP_SLOTS ((size_t)4096) /* four times the longest path */
#define LOOP_SHORT 24             /* up to here comparing all with all is faster than a table */

static bool loops_short(const uint64_t *as, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (as[i] == as[j] && as[i] < AS_IN_SET)
				return true;
	return false;
}

static bool loops_long(const uint64_t *as, size_t n)
{
	uint32_t seen[LOOP_SLOTS] = {0}; /* AS 0 is in no path */

	for (size_t i = 0; i < n; i++) {
		if (as[i] >= AS_IN_SET)
			continue;
		size_t at = (uint32_t)as[i] * 0x9e3779b1U % LOOP_SLOTS;
		while (seen[at] && seen[at] != as[i])
			at = (at + 1) % LOOP_SLOTS;
		if (seen[at])
			return true;
		seen[at] = (uint32_t)as[i];
	}
	return false;
}

enum path_fault attr_path_list(
	uint64_t as[AS_PATH_MAX], size_t *n, struct rd path, struct rd as4, bool two_octet)
{
	struct list l = {.as = as};
	size_t octets = two_octet ? AS2_OCTETS : AS4_OCTETS, length, length4 = 0;

	*n = 0;
	if (!path_length(&length, path, octets))
		return PATH_BAD;
	/* RFC 6793, 4.2.3 and 6: a malformed AS4_PATH is as none, and so is one longer than the path. */
	if (!two_octet || !path_length(&length4, as4, AS4_OCTETS) || length4 > length)
		length4 = 0;
	list_path(&l, path, octets, length - length4);
	if (length4 > 0)
		list_path(&l, as4, AS4_OCTETS, length4);
	*n = l.n;
	if (l.fault != PATH_OK)
		return l.fault;
	if (l.n == 0)
		return PATH_EMPTY;
	bool loops = l.n <= LOOP_SHORT ? loops_short(as, l.n) : loops_long(as, l.n);
	return loops ? PATH_LOOP : PATH_OK;
}
