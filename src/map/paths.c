/* A paths sheet as a view: offsets are looked at once, when it is opened, and an index only by who follows
 * it. */
#include "base/order.h"
#include "map/paths.h"

#include "map/paths_in.h"

/* Host bits are cut off here too: a prefix has one form. */
struct map_prefix map_prefix_of(const struct prefix *p)
{
	struct map_prefix m = {.len = p->len, .v = p->ip.v};

	memcpy(&m.hi, p->ip.b, 8);
	memcpy(&m.lo, p->ip.b + 8, 8);
	m.hi = __builtin_bswap64(m.hi);
	m.lo = __builtin_bswap64(m.lo);
	if (p->ip.v == 4)
		m.hi &= UINT64_C(0xffffffff) << 32;
	if (p->len < 64) {
		m.hi &= p->len ? ~UINT64_C(0) << (64 - p->len) : 0;
		m.lo = 0;
	} else if (p->len < 128) {
		m.lo &= p->len > 64 ? ~UINT64_C(0) << (128 - p->len) : 0;
	}
	return m;
}

struct prefix map_prefix_ip(const struct map_prefix *m)
{
	struct prefix p = {.ip = {.v = m->v}, .len = m->len};
	uint64_t hi = __builtin_bswap64(m->hi), lo = __builtin_bswap64(m->lo);

	memcpy(p.ip.b, &hi, 8);
	memcpy(p.ip.b + 8, &lo, 8);
	return p;
}

/* ---- opening ---- */

/* n + 1 places of which none is before the one before it, into something of `of` elements. */
static bool places32(const uint32_t *at, size_t n_at, size_t n, size_t of)
{
	if (!at || n_at != n + 1 || at[0] != 0 || at[n] != of)
		return false;
	bool good = true;
	for (size_t i = 0; i < n; i++)
		good = good & (at[i] <= at[i + 1]);
	return good;
}

static bool places64(const uint64_t *at, size_t n_at, size_t n, size_t of)
{
	if (!at || n_at != n + 1 || at[0] != 0 || at[n] != of)
		return false;
	bool good = true;
	for (size_t i = 0; i < n; i++)
		good = good & (at[i] <= at[i + 1]);
	return good;
}

static bool ascending(const uint32_t *v, size_t n)
{
	bool good = true;

	for (size_t i = 1; i < n; i++)
		good = good & (v[i - 1] < v[i]);
	return good;
}

static bool below(const uint32_t *v, size_t n, size_t limit)
{
	bool good = true;

	for (size_t i = 0; i < n; i++)
		good = good & (v[i] < limit);
	return good;
}

static bool origins_good(const struct paths *p)
{
	bool good = true;

	for (size_t i = 0; i < p->n_prefix; i++)
		good = good & ((p->origin[i].n == 0) | (p->origin[i].as < p->n_as));
	return good && below(p->origin_prefix, p->n_origin, p->n_prefix);
}

static bool view_good(struct paths *p, const struct sheet *s)
{
	size_t n_path_at, n_route_at, n_origin_at, n_path, n_origin;

	p->as = sheet_section(s, TAG_AS, sizeof(*p->as), &p->n_as);
	p->session = sheet_section(s, TAG_SESSION, sizeof(*p->session), &p->n_session);
	p->path_at = sheet_section(s, TAG_PATH_AT, sizeof(*p->path_at), &n_path_at);
	p->path_as = sheet_section(s, TAG_PATH_AS, sizeof(*p->path_as), &p->n_path_as);
	p->prefix = sheet_section(s, TAG_PREFIX, sizeof(*p->prefix), &p->n_prefix);
	p->route_at = sheet_section(s, TAG_ROUTE_AT, sizeof(*p->route_at), &n_route_at);
	p->route_session = sheet_section(s, TAG_ROUTE_SESSION, sizeof(*p->route_session), &p->n_route);
	p->route_path = sheet_section(s, TAG_ROUTE_PATH, sizeof(*p->route_path), &n_path);
	p->origin_at = sheet_section(s, TAG_ORIGIN_AT, sizeof(*p->origin_at), &n_origin_at);
	p->origin_prefix = sheet_section(s, TAG_ORIGIN_PREFIX, sizeof(*p->origin_prefix), &p->n_origin);
	p->origin = sheet_section(s, TAG_ORIGIN, sizeof(*p->origin), &n_origin);
	p->n_path = n_path_at ? n_path_at - 1 : 0;
	return p->n_prefix > 0 && p->n_as > 0 && n_path == p->n_route && n_origin == p->n_prefix &&
	       (p->n_route == 0 || p->n_session > 0) && ascending(p->as, p->n_as) &&
	       places32(p->path_at, n_path_at, p->n_path, p->n_path_as) &&
	       places64(p->route_at, n_route_at, p->n_prefix, p->n_route) &&
	       places32(p->origin_at, n_origin_at, p->n_as, p->n_origin) && origins_good(p) &&
	       lpm_view(&p->lpm, s);
}

enum status paths_view(struct paths *p, const struct sheet *s, struct err *e)
{
	*p = (struct paths){.sheet = s};
	if (s->kind != SHEET_PATHS && s->kind != SHEET_ORIGINS)
		return err_set(e, STATUS_BAD, "not a table of routes");
	if (!view_good(p, s)) {
		*p = (struct paths){.sheet = s};
		return err_set(e, STATUS_BAD, "damaged: its columns do not fit together");
	}
	return STATUS_OK;
}

/* ---- sums ---- */

static const uint32_t route_tags[] = {
	TAG_PATH_AT, TAG_PATH_AS, TAG_ROUTE_AT, TAG_ROUTE_SESSION, TAG_ROUTE_PATH};
enum { ROUTE_TAGS = sizeof(route_tags) / sizeof(route_tags[0]) };

enum status paths_check_names(const struct sheet *s, struct err *e)
{
	return sheet_check_but(s, route_tags, ROUTE_TAGS, e);
}

enum status paths_routes(const struct paths *const *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct paths_sums *sums = p[i]->sums;
		if (!sums || sums->good)
			continue;
		if (sheet_check_only(p[i]->sheet, route_tags, ROUTE_TAGS, e) != STATUS_OK)
			return err_wrap(e, "%s", sums->path);
		sums->good = true;
	}
	return STATUS_OK;
}

/* ---- questions ---- */

uint32_t paths_as(const struct paths *p, uint32_t asn)
{
	return u32_find(p->as, p->n_as, asn);
}

uint32_t paths_prefix(const struct paths *p, const struct prefix *q)
{
	struct map_prefix want = map_prefix_of(q);
	size_t from = 0, to = p->n_prefix;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (map_prefix_order(&p->prefix[mid], &want) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	bool found = from < p->n_prefix && map_prefix_order(&p->prefix[from], &want) == 0;
	return found ? (uint32_t)from : NO_INDEX32;
}

uint32_t paths_longest(const struct paths *p, const struct ip *ip)
{
	uint32_t i = p->n_prefix ? lpm_find(&p->lpm, ip) : LPM_NONE;

	return i < p->n_prefix ? i : NO_INDEX32;
}

const uint32_t *paths_path(const struct paths *p, uint32_t path, size_t *n)
{
	*n = 0;
	if (path >= p->n_path)
		return NULL;
	const uint32_t *as = p->path_as + p->path_at[path];
	size_t many = p->path_at[path + 1] - p->path_at[path];
	if (!below(as, many, p->n_as))
		return NULL;
	*n = many;
	return as;
}

uint32_t paths_origin(const struct paths *p, uint32_t prefix, size_t *n)
{
	*n = 0;
	if (prefix >= p->n_prefix || p->origin[prefix].n == 0)
		return NO_INDEX32;
	*n = p->origin[prefix].n;
	return p->origin[prefix].as;
}
