/* Private to the builder of a paths sheet: what it holds while routes come in, and what it hands to the
 * writer.
 */
#ifndef WEIR_MAP_PATHS_IN_H
#define WEIR_MAP_PATHS_IN_H

#include "map/intern.h"
#include "map/paths.h"

#define TAG_AS            SHEET_TAG('A', 'S', ' ', ' ')
#define TAG_SESSION       SHEET_TAG('S', 'E', 'S', 'S')
#define TAG_PATH_AT       SHEET_TAG('P', 'A', 'A', 'T')
#define TAG_PATH_AS       SHEET_TAG('P', 'A', 'A', 'S')
#define TAG_PREFIX        SHEET_TAG('P', 'R', 'E', 'F')
#define TAG_ROUTE_AT      SHEET_TAG('R', 'O', 'A', 'T')
#define TAG_ROUTE_SESSION SHEET_TAG('R', 'O', 'S', 'E')
#define TAG_ROUTE_PATH    SHEET_TAG('R', 'O', 'P', 'A')
#define TAG_ORIGIN_AT     SHEET_TAG('O', 'R', 'A', 'T')
#define TAG_ORIGIN_PREFIX SHEET_TAG('O', 'R', 'P', 'R')
#define TAG_ORIGIN        SHEET_TAG('O', 'R', 'I', 'G')

/* ---- AS paths, each once: paths_store.c ---- */

/* What a path's bytes came to: the number of its list + 1, with STORED_SET where a set was left out of it, or
 * STORED_FAULT + why there is none. */
#define STORED_SET   UINT32_C(0x80000000)
#define STORED_FAULT UINT32_C(0x7fffff00)

static inline bool stored_good(uint32_t v)
{
	return (v & ~STORED_SET) < STORED_FAULT;
}

static inline uint32_t stored_path(uint32_t v)
{
	return (v & ~STORED_SET) - 1;
}

/* A list of networks has one form in which it is kept, that of an AS_PATH of one AS_SEQUENCE where it fits
 * into one: most paths are that already, the others' values come from there. */
enum stored_kind {
	STORED_PATH, /* AS_PATH, 4-octet numbers */
	STORED_BOTH, /* AS_PATH of 2-octet numbers and AS4_PATH */
	STORED_LIST, /* a list longer than an AS_SEQUENCE */
};

#define STORED_LOW ((uint32_t)1 << 19)

struct path_store {
	struct intern raw; /* bytes of AS_PATHs: see enum stored_kind */
	uint32_t *low; /* provisional number + 1 of the AS numbers below STORED_LOW, where nearly all are */
	struct intern as; /* of the others */
	uint32_t *asn;    /* by provisional number */
	size_t n_asn, cap_asn;
	uint32_t *path_at;
	size_t n_path, cap_at;
	uint32_t *path_as; /* provisional numbers */
	size_t n_as, cap_as;
	uint8_t *both; /* an AS_PATH and an AS4_PATH as one key */
	size_t cap_both;
};

bool store_init(struct path_store *s, uint64_t seed);
/* No path comes any more: what was only for looking up is given back. */
void store_close(struct path_store *s);
void store_free(struct path_store *s);
/* The place of the bytes in s->raw, with its value set; 0: no memory. */
uint32_t store_path(struct path_store *s, uint32_t hash, struct rd path);
/* The same of a path of 2-octet numbers. */
uint32_t store_path2(struct path_store *s, struct rd path, struct rd as4);
/* The provisional number of an AS, from 0; NO_INDEX32: no memory. */
uint32_t store_as(struct path_store *s, uint32_t asn);

/* ---- the builder ---- */

#define SESSIONS_MAX 65535

struct session_now {
	struct paths_session s;
	uint32_t last;    /* place of the path that it said last; 0: none */
	uint32_t run;     /* of prefixes in which it last had a route, from 1 */
	bool in_table;    /* some table has it */
	int64_t table_us; /* when that was dumped */
};

/* An update, the last one about its key: after updates_tidy(), sorted by prefix, session, path identifier. */
struct update {
	struct map_prefix p;
	int64_t at_us;
	uint32_t number; /* in the order of reading */
	uint32_t path;   /* NO_INDEX32: withdrawn */
	uint32_t path_id;
	uint16_t session, zero;
};

struct pair { /* prefix and origin without path */
	struct map_prefix p;
	uint32_t as;
};

/* Routes in columns: of prefix k those from route_at[k] to route_at[k + 1]. */
struct columns {
	struct map_prefix *prefix;
	uint64_t *route_at;
	size_t n_prefix, cap_prefix, cap_at;
	uint16_t *session;
	uint32_t *path;
	uint32_t *path_id; /* NULL: all are 0 */
	size_t n_route, cap_session, cap_path, cap_id;
};
bool columns_room(struct columns *c, size_t prefixes, size_t routes);
void columns_free(struct columns *c);

/* The routes of the last prefix by session and path identifier: paths_again.c. */
struct again_slot {
	uint64_t key, route;
	uint32_t run, zero; /* 0, or of an older run: free */
};
struct again {
	struct again_slot *slot;
	size_t mask;
	uint32_t run;    /* the number of the prefix, from 1, whose routes it has; 0: none */
	uint64_t filled; /* routes before that are in it */
};
#define NO_ROUTE UINT64_MAX

struct paths_build {
	struct paths_counts counts;
	struct path_store store;
	struct intern sessions; /* AS number and address -> number + 1 */
	struct session_now *session;
	size_t n_session, cap_session;
	uint32_t *peer; /* of the file: session, or NO_INDEX32 */
	size_t n_peer, cap_peer;
	bool told, table; /* what paths_build_record() said */
	int64_t record_us;
	struct columns base; /* entries of tables, as they came */
	struct again again;
	bool disordered; /* the prefixes of base do not ascend */
	struct update *update;
	size_t n_update, cap_update, tidy_at;
	uint32_t update_number;
	struct pair *pair;
	size_t n_pair, cap_pair;
};

/* The session's route with that path identifier to the last prefix of base, or NO_ROUTE; false: no memory. */
bool again_find(struct paths_build *b, uint32_t session, uint32_t path_id, uint64_t *route);

int map_prefix_order(const struct map_prefix *a, const struct map_prefix *b);
/* Of each key the last update stays. */
void updates_tidy(struct paths_build *b);
/* Tables and updates together, in the order of the prefixes; b->base is then that, b->update empty. */
enum status build_merge(struct paths_build *b, struct err *e);

#endif
