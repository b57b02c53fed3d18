/* BGP path attributes (RFC 4271, 4.3) of one route, found and not copied, and the AS path as a list (RFC
 * 4271 5.1.2, RFC 5065 confederations, RFC 6793 4.2.3 AS4_PATH). */
#ifndef WEIR_MAP_ATTR_H
#define WEIR_MAP_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum attr_type {
	ATTR_ORIGIN = 1,
	ATTR_AS_PATH = 2,
	ATTR_NEXT_HOP = 3,
	ATTR_MED = 4,
	ATTR_LOCAL_PREF = 5,
	ATTR_ATOMIC_AGGREGATE = 6,
	ATTR_AGGREGATOR = 7,
	ATTR_COMMUNITIES = 8,
	ATTR_MP_REACH = 14,
	ATTR_MP_UNREACH = 15,
	ATTR_AS4_PATH = 17,
	ATTR_AS4_AGGREGATOR = 18,
	ATTR_LARGE_COMMUNITIES = 32,
	ATTR_TYPES = 33, /* types at and above are skipped */
};

/* p == NULL: absent.  Of an attribute that stands twice the first counts (RFC 7606, 3.g). */
struct attrs {
	struct rd at[ATTR_TYPES];
	uint64_t present; /* bit per type */
};

/* False where a length leaves the attributes; what stood before it is there. */
bool attrs_read(struct attrs *a, struct rd bytes);

/* Only the AS path's bytes, by the shortest way (the hot path of loading); false where there is none before
 * the attributes end or a length lies.  *as4: AS4_PATH's bytes, empty where absent or where AGGREGATOR says
 * that it is stale (RFC 6793, 4.2.3); NULL where AS numbers are of 4 octets, for then AS4_PATH means nothing
 * and the walk ends at the path. */
bool attr_path(struct rd *path, struct rd *as4, struct rd bytes);

/* The path as networks: prepends once, confederation segments left out, the members of a set marked by
 * AS_IN_SET. */
#define AS_PATH_MAX 1024
#define AS_IN_SET   UINT64_C(0x100000000)
#define AS_TRANS    23456 /* RFC 6793, 9: stands for a number that 2 octets cannot hold */
enum path_fault { PATH_OK, PATH_BAD, PATH_EMPTY, PATH_LOOP, PATH_AS_ZERO, PATH_LONG };
/* Nearest to the peer first, origin last.  PATH_LOOP: an AS stands twice with others between (a poisoned or
 * broken path; members of a set do not count); *n and as[] are then filled too.  as4 is looked at only where
 * two_octet. */
enum path_fault attr_path_list(
	uint64_t as[AS_PATH_MAX], size_t *n, struct rd path, struct rd as4, bool two_octet);

#endif
