/* Paths sheet: which peer sees which prefix by which AS path.  Columns, sorted, with an index by origin and a
 * longest match; made by paths_build.c, read where it lies. */
#ifndef WEIR_MAP_PATHS_H
#define WEIR_MAP_PATHS_H

#include "base/ip.h"
#include "map/lpm.h"
#include "map/mrt.h"
#include "map/sheet.h"

/* A prefix as the sheet holds it; sorted by family, address, length: the more specific ones of a prefix
 * follow it. */
struct map_prefix {
	uint64_t hi, lo; /* the address' bits, first bit highest; IPv4 in the top 32 of hi; host bits zero */
	uint8_t len, v;  /* v: 4 or 6 */
	uint8_t pad[6];
};
struct map_prefix map_prefix_of(const struct prefix *p);
struct prefix map_prefix_ip(const struct map_prefix *p);

struct paths_session {
	uint32_t asn;
	uint8_t v, ip[16], pad[3];
	uint32_t n_route[2]; /* IPv4, IPv6: a session with few is no full table */
};

/* Of a prefix: the AS index that most routes name as origin (of equal ones the smallest), and how many
 * different ones; NO_INDEX32 and 0 where none is known. */
struct paths_origin {
	uint32_t as, n;
};

/* Views into the sheet; indices are checked when it is opened as a view (one pass over offsets, not over
 * entries) and by the accessors below. */
struct paths {
	const struct sheet *sheet;
	const uint32_t *as;
	size_t n_as; /* AS numbers, ascending: "AS index" is a place here */
	const struct paths_session *session;
	size_t n_session;
	const uint32_t *path_at;
	size_t n_path; /* n_path + 1 places in path_as */
	const uint32_t *path_as;
	size_t n_path_as; /* AS indices, peer first, origin last; no prepends */
	const struct map_prefix *prefix;
	size_t n_prefix;
	const uint64_t *route_at; /* n_prefix + 1 places in route_* */
	const uint16_t *route_session;
	size_t n_route;
	const uint32_t *route_path;
	const uint32_t *origin_at; /* n_as + 1 places in origin_prefix */
	const uint32_t *origin_prefix;
	size_t n_origin;                   /* prefixes (ascending) that the AS originates, any peer's word */
	const struct paths_origin *origin; /* of each prefix; NULL in a damaged sheet */
	struct lpm lpm;                    /* address -> prefix index */
	struct paths_sums *sums;           /* NULL: the routes' sums are not compared */
};
struct paths_sums {
	bool good;        /* they were compared */
	const char *path; /* of the sheet, for the message */
};
/* An origins sheet is a view of this kind with n_session, n_path and n_route 0. */
enum status paths_view(struct paths *p, const struct sheet *s, struct err *e);
/* Compares the sums of what names networks and addresses: of all but the routes and their paths. */
enum status paths_check_names(const struct sheet *s, struct err *e);
/* For whoever is about to read routes or paths of n views: their sums are compared, the first time.
 * STATUS_BAD: damaged. */
enum status paths_routes(const struct paths *const *p, size_t n, struct err *e);

#define NO_INDEX32 UINT32_MAX
uint32_t paths_as(const struct paths *p, uint32_t asn);               /* AS index or NO_INDEX32 */
uint32_t paths_prefix(const struct paths *p, const struct prefix *q); /* exact, or NO_INDEX32 */
uint32_t paths_longest(const struct paths *p, const struct ip *ip);   /* longest match, or NO_INDEX32 */
/* The AS indices of a path; n 0 where the sheet is damaged there. */
const uint32_t *paths_path(const struct paths *p, uint32_t path, size_t *n);
/* The origin of a prefix: the AS that most peers name last; NO_INDEX32 where none. *n: how many different
 * ones. */
uint32_t paths_origin(const struct paths *p, uint32_t prefix, size_t *n);

/* ---- building ---- */
struct paths_build;
struct paths_counts {
	uint64_t record, route, withdrawal;
	uint64_t dropped[MRT_DROPS];
	uint64_t loop, long_path,
		as_set; /* routes whose path was left out: loops, too long; with a set (kept without it) */
	uint64_t aged;  /* updates older than the table they were applied to */
};
struct paths_build *paths_build_new(void);
/* A further file begins: its peers are another array. */
void paths_build_file(struct paths_build *b);
/* The routes that follow are of a record of this time: a table's, which says what its peers had then (updates
 * of theirs before it are aged), or an update's.  Without such a call entries of TABLE_DUMP_V2 are a table of
 * an unknown time, all others updates. */
void paths_build_record(struct paths_build *b, bool table, struct wall at);
/* Routes of one record, in the order of the file; peers as mrt_peers() gave them.  What stands later in time
 * about the same session, prefix and path identifier counts. */
enum status paths_build_add(struct paths_build *b, const struct mrt_route *r, size_t n,
	const struct mrt_peer *peer, size_t n_peer, struct err *e);
/* prefix -> origin without paths (origins sheets); not together with routes. */
enum status paths_build_origin(struct paths_build *b, const struct prefix *p, uint32_t asn, struct err *e);
/* The last thing to do with it but counts and free. */
enum status paths_build_write(struct paths_build *b, struct sheet_out *o, struct err *e);
/* Then: has it routes of these families? */
void paths_build_families(const struct paths_build *b, bool *v4, bool *v6);
const struct paths_counts *paths_build_counts(const struct paths_build *b);
void paths_build_free(struct paths_build *b);

#endif
