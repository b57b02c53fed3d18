/* AS paths while a table is built: the bytes of each path are decoded once, the lists that come out are kept
 * once (paths that differ in prepends only are the same list).  RFC 4271, 4.3; what is left out and counted
 * is paths.h's. */
#include <stdlib.h>

#include "base/grow.h"
#include "map/big.h"
#include "map/paths_in.h"

bool store_init(struct path_store *s, uint64_t seed)
{
	*s = (struct path_store){0};
	if (!intern_init(&s->raw, seed) || !intern_init(&s->as, seed) ||
		!big_grow(&s->path_at, &s->cap_at, 0, 1, sizeof(*s->path_at)))
		return false;
	s->path_at[0] = 0;
	s->low = calloc(STORED_LOW, sizeof(*s->low));
	return s->low != NULL;
}

void store_close(struct path_store *s)
{
	intern_free(&s->raw);
	intern_free(&s->as);
	free(s->low);
	free(s->both);
	s->low = NULL;
	s->both = NULL;
}

void store_free(struct path_store *s)
{
	store_close(s);
	free(s->asn);
	big_free(s->path_at, s->cap_at, sizeof(*s->path_at));
	big_free(s->path_as, s->cap_as, sizeof(*s->path_as));
}

static uint32_t *number_of(struct path_store *s, uint32_t asn)
{
	const uint8_t *p = (const uint8_t *)&asn;
	uint32_t size = intern_size(sizeof(asn), 0);

	if (asn < STORED_LOW)
		return &s->low[asn];
	uint32_t place = intern_put(&s->as, intern_hash(&s->as, p, size), p, size);
	return place ? &intern_at(&s->as, place)->value : NULL;
}

uint32_t store_as(struct path_store *s, uint32_t asn)
{
	uint32_t *number = number_of(s, asn);

	if (number && *number)
		return *number - 1;
	if (!number || !grow(&s->asn, &s->cap_asn, s->n_asn, 1, sizeof(*s->asn)))
		return NO_INDEX32;
	s->asn[s->n_asn++] = asn;
	*number = (uint32_t)s->n_asn;
	return *number - 1;
}

/* The number + 1 of a list that was not there before; 0: no memory. */
static uint32_t list_add(struct path_store *s, const uint32_t *as, size_t n)
{
	if (s->n_path >= STORED_FAULT - 1 || s->n_as + n > UINT32_MAX ||
		!big_grow(&s->path_as, &s->cap_as, s->n_as, n, sizeof(*as)) ||
		!big_grow(&s->path_at, &s->cap_at, s->n_path + 1, 1, sizeof(*s->path_at)))
		return 0;
	memcpy(s->path_as + s->n_as, as, n * sizeof(*as));
	s->n_as += n;
	s->path_at[++s->n_path] = (uint32_t)s->n_as;
	return (uint32_t)s->n_path;
}

enum { SEQUENCE = 2, SEQUENCE_MAX = 255 };

/* The form in which a list of numbers is kept; returns its size with its kind. */
static uint32_t list_form(
	const struct path_store *s, uint8_t to[4 * AS_PATH_MAX], const uint32_t *as, size_t n)
{
	size_t at = 0;
	bool fits = n <= SEQUENCE_MAX;

	if (fits) {
		to[at++] = SEQUENCE;
		to[at++] = (uint8_t)n;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t asn = __builtin_bswap32(s->asn[as[i]]);
		memcpy(to + at, &asn, sizeof(asn));
		at += sizeof(asn);
	}
	return intern_size(at, fits ? STORED_PATH : STORED_LIST);
}

/* The value of the list that bytes came to which are not its form; 0: no memory. */
static uint32_t list_value(struct path_store *s, const uint32_t *as, size_t n)
{
	uint8_t form[4 * AS_PATH_MAX];
	uint32_t size = list_form(s, form, as, n);
	uint32_t place = intern_put(&s->raw, intern_hash(&s->raw, form, size), form, size);

	if (!place)
		return 0;
	struct intern_key *k = intern_at(&s->raw, place);
	if (!k->value)
		k->value = list_add(s, as, n);
	return k->value;
}

/* One AS_SEQUENCE of n networks: its form already? (nothing was left out of it then) */
static bool is_form(const struct rd *path, size_t n)
{
	return rd_left(path) == 2 + 4 * n && path->p[0] == SEQUENCE && path->p[1] == n;
}

/* ---- what a path says ---- */

enum { SHORT = 16 };

/* The usual path by a shorter way: one AS_SEQUENCE of few numbers, none 0, none again but right behind
 * itself. Its networks, prepends once; 0: not such a path, attr_path_list() says what it is. */
static size_t short_list(uint32_t as[SHORT], const struct rd *path)
{
	const uint8_t *p = path->p;
	size_t n = 0;

	if (rd_left(path) < 6 || p[0] != SEQUENCE || p[1] > SHORT || rd_left(path) != 2 + 4 * (size_t)p[1])
		return 0;
	for (const uint8_t *at = p + 2; at < path->end; at += 4) {
		uint32_t asn;
		memcpy(&asn, at, sizeof(asn));
		asn = __builtin_bswap32(asn);
		if (n && as[n - 1] == asn)
			continue;
		bool again = asn == 0;
		for (size_t i = 0; i < n; i++)
			again = again | (as[i] == asn);
		if (again)
			return 0;
		as[n++] = asn;
	}
	return n;
}

/* The value of a list of AS numbers; 0: no memory. */
static uint32_t listed(struct path_store *s, uint32_t *as, size_t n, bool form)
{
	for (size_t i = 0; i < n; i++)
		if ((as[i] = store_as(s, as[i])) == NO_INDEX32)
			return 0;
	return form ? list_add(s, as, n) : list_value(s, as, n);
}

/* Any path: with sets, confederations, of 2-octet numbers. */
static uint32_t any_path(struct path_store *s, struct rd path, struct rd as4, bool two_octet)
{
	uint64_t said[AS_PATH_MAX];
	uint32_t as[AS_PATH_MAX], set = 0;
	size_t n = 0, kept = 0;
	enum path_fault fault = attr_path_list(said, &n, path, as4, two_octet);

	if (fault != PATH_OK)
		return STORED_FAULT + (uint32_t)fault;
	for (size_t i = 0; i < n; i++) {
		if (said[i] & AS_IN_SET)
			set = STORED_SET;
		else if (kept == 0 || as[kept - 1] != said[i]) /* a set can stand between prepends */
			as[kept++] = (uint32_t)said[i];
	}
	if (kept == 0)
		return (STORED_FAULT + PATH_EMPTY) | set;
	uint32_t v = listed(s, as, kept, !two_octet && !set && is_form(&path, kept));
	return v ? v | set : 0;
}

/* The value of a path that was not met before; 0: no memory. */
static uint32_t path_decode(struct path_store *s, struct rd path, struct rd as4, bool two_octet)
{
	uint32_t as[SHORT];
	size_t n = two_octet ? 0 : short_list(as, &path);

	return n ? listed(s, as, n, n == path.p[1]) : any_path(s, path, as4, two_octet);
}

uint32_t store_path(struct path_store *s, uint32_t hash, struct rd path)
{
	uint32_t place = intern_put(&s->raw, hash, path.p, intern_size(rd_left(&path), STORED_PATH));

	if (!place || intern_at(&s->raw, place)->value)
		return place;
	uint32_t v = path_decode(s, path, rd_of(NULL, 0), false);
	intern_at(&s->raw, place)->value = v;
	return v ? place : 0;
}

uint32_t store_path2(struct path_store *s, struct rd path, struct rd as4)
{
	size_t n = rd_left(&path), n4 = rd_left(&as4), all = sizeof(n) + n + n4;

	if (!grow(&s->both, &s->cap_both, 0, all, 1))
		return 0;
	memcpy(s->both, &n, sizeof(n)); /* where one ends and the other begins */
	if (n)
		memcpy(s->both + sizeof(n), path.p, n);
	if (n4)
		memcpy(s->both + sizeof(n) + n, as4.p, n4);
	uint32_t size = intern_size(all, STORED_BOTH);
	uint32_t place = intern_put(&s->raw, intern_hash(&s->raw, s->both, size), s->both, size);
	if (!place || intern_at(&s->raw, place)->value)
		return place;
	uint32_t v = path_decode(s, path, as4, true);
	intern_at(&s->raw, place)->value = v;
	return v ? place : 0;
}
