/* Dependence: local AS hegemony (Fontugne, Shah, Aben 2017; shared formulas in doc/map.md) from observed
 * paths. Per session a prefix weighs the IPv4 addresses it has and no more specific one seen by that session
 * has (IPv6: 1 each); each network on its path, once, gets that weight, the origin apart; divided by the
 * session's weight of the scope. Averaged over a peer network's sessions; over the peer networks with zeros
 * where they do not have it, floor(10 %) cut off at both ends, mean. */
#ifndef WEIR_MAP_DEPEND_H
#define WEIR_MAP_DEPEND_H

#include "base/arena.h"
#include "map/paths.h"

#define HEGEMONY_TRIM 0.1

struct depend_row {
	uint32_t asn;
	double share;       /* 0..1 */
	uint32_t n_peer_as; /* peer networks that have it on a path to the scope */
	uint32_t n_seeing;  /* peer networks that see the scope at all (depend_from: this origin) */
	uint32_t n_sheet;   /* tables in which it is there */
	uint32_t distance;  /* fewest links from it to the origin on any of the paths; 0: not kept */
};
/* The scope of a question: AS numbers (all that they originate) and prefixes (exactly these, whoever
 * originates them), of one family. */
struct depend_ask {
	const uint32_t *asn;
	size_t n_asn;
	const struct prefix *prefix;
	size_t n_prefix;
	uint8_t family; /* 4 or 6 */
	/* Where given, networks of one group (a holder, a country) count as one: a path through two of them
	 * counts once.  Groups are numbered from 1 on, as they are met;
	 * row.asn is the number; 0: of no group, left out. */
	uint32_t (*group)(void *self, uint32_t asn);
	void *self;
};
struct depend {
	struct depend_row *row;
	size_t n;                      /* by share, then AS number */
	uint32_t n_peer_as, n_session; /* that see anything of the scope */
	uint32_t n_peer_as_all;        /* in the tables at all, for "no data is not unreachable" */
	uint64_t n_prefix;             /* of the scope that are seen */
};
/* Over n paths sheets together (their sessions add up).  Memory of the arena. */
enum status depend_on(struct depend *to, const struct paths *const *p, size_t n, const struct depend_ask *q,
	struct arena *a, struct err *e);

/* The same for n_q asks that differ in `group` and `self` only, by one walk over the routes: to[0 .. n_q -
 * 1]. */
enum status depend_groups(struct depend *to, const struct depend_ask *q, size_t n_q,
	const struct paths *const *p, size_t n, struct arena *a, struct err *e);

/* The other direction: which origins depend on asn, and by how much; rows with a share of at least `least`.
 */
enum status depend_from(struct depend *to, const struct paths *const *p, size_t n, uint32_t asn,
	uint8_t family, double least, struct arena *a, struct err *e);

/* The neighbours of these origins on the paths to one prefix (or, prefix NULL, to all that they originate),
 * with how many peer networks and tables see each: upstreams, and confidence of a link. */
struct upstream_ask {
	const uint32_t *asn; /* ascending */
	size_t n_asn;
	const struct prefix *prefix;
};
struct upstream {
	uint32_t asn, n_peer_as, n_sheet;
};
enum status depend_upstreams(struct upstream **to, size_t *n_to, const struct paths *const *p, size_t n,
	const struct upstream_ask *q, struct arena *a, struct err *e);

/* How many peer networks and tables see a and b as neighbours on a path. */
struct link_seen {
	uint32_t n_peer_as, n_sheet;
};
enum status depend_link_seen(
	struct link_seen *to, const struct paths *const *p, size_t n, uint32_t a, uint32_t b, struct err *e);

#endif
