/* MRT records (RFC 6396, RFC 8050 add-path, RFC 6397 ignored): TABLE_DUMP_V2, TABLE_DUMP, BGP4MP, BGP4MP_ET,
 * as batches of routes.  One batch is one record: a prefix of a table with its entries, or one UPDATE.
 * Nothing is copied: all pointers are into the record, valid until the next call. */
#ifndef WEIR_MAP_MRT_H
#define WEIR_MAP_MRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/ip.h"
#include "map/attr.h"

/* What was left out, and why; each is counted and shown (style: drop reasons have names). */
enum mrt_drop {
	MRT_UNKNOWN,    /* a type or subtype that is no route: state changes, keep-alives, other families */
	MRT_BAD_LENGTH, /* a length that leaves the record or the message */
	MRT_BAD_PREFIX, /* longer than its family has bits */
	MRT_NO_PEER,    /* an entry of a peer that no index table names */
	MRT_BAD_PATH,   /* an AS path whose segments do not fit, or with AS 0 */
	MRT_NO_PATH,    /* a route without AS path */
	MRT_HOST_BITS,  /* a prefix with host bits: kept, the bits cleared (counted only) */
	MRT_DROPS
};
extern const char *const mrt_drop_text[MRT_DROPS];

struct mrt_peer {
	uint32_t asn;
	struct ip ip;
};

/* One route, or (in an UPDATE) one withdrawal: attr.n == 0 and withdrawn. */
struct mrt_route {
	uint32_t peer;    /* index into mrt->peer */
	uint32_t path_id; /* add-path identifier, 0 without */
	struct prefix prefix;
	struct wall at;     /* of a table entry: "originated"; of an update: the record's time */
	struct rd attr;     /* the path attributes, attr_read() takes them */
	bool two_octet;     /* AS numbers in AS_PATH are of 2 octets (RFC 6793) */
	bool table_dump_v2; /* MP_REACH_NLRI is abbreviated to the next hop (RFC 6396, 4.3.4) */
	bool withdrawn;
};

struct mrt; /* the state of one file: index table, peers, counts, the batch */

struct mrt *mrt_new(void); /* NULL: no memory */
void mrt_free(struct mrt *m);

/* The size of the record that begins at p (n bytes are there), or 0 where fewer than its head are; SIZE_MAX
 * where its length is beyond MRT_RECORD_MAX. */
size_t mrt_size(const uint8_t *p, size_t n);
/* Decodes one whole record.  *route, *n: its routes, none where it has none.  Hostile bytes are counted,
 * never an error; STATUS_MACHINE: no memory. */
enum status mrt_record(struct mrt *m, const uint8_t *p, size_t n, const struct mrt_route **route,
	size_t *n_route, struct err *e);

/* All peers met so far; a peer of an index table and of a BGP4MP session with the same address and AS is one.
 */
const struct mrt_peer *mrt_peers(const struct mrt *m, size_t *n);
const uint64_t *mrt_dropped(const struct mrt *m); /* MRT_DROPS counts */
struct wall mrt_time(const struct mrt *m);        /* of the last record */
bool mrt_is_table(const struct mrt *m); /* did it hold a TABLE_DUMP(_V2) record? else updates only */

/* Is this the beginning of an MRT file? (type, subtype and a length that can be) */
bool mrt_looks(const uint8_t *p, size_t n);

#define MRT_RECORD_MAX ((size_t)32 << 20)

#endif
