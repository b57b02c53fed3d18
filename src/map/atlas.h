/* The atlas: every sheet that was loaded into DIR/map, and what a question takes from them.
 *
 * DIR/map/tables is the list, one line a sheet, replaced by one rename: a load that fails leaves the atlas as
 * it was.  Sheets of a kind add up while they are of one time: those within `within` days before the newest
 * one not after `at` (relationships count from their first day).  BGP tables of IPv4 and of IPv6 are two
 * kinds here (a sheet with both is of both). Older ones are history: "the same at other dates" is computed
 * from them (atlas_dates).  Delegations and names change slowly: where none is as old as `at`, the oldest one
 * is used.
 *
 * A sheet that is dated after now and a day of grace is of no time yet: a wrong date would make all others
 * history.  It is in use where `at` is not before it.  Where all of a kind are such, it is rather the clock
 * that is wrong: then the newest are in use, as they have nothing to displace.
 */
#ifndef WEIR_MAP_ATLAS_H
#define WEIR_MAP_ATLAS_H

#include "base/arena.h"
#include "base/world.h"
#include "map/links.h"
#include "map/paths.h"
#include "map/registry.h"

#define ATLAS_WITHIN_DAYS 31

struct atlas_entry {
	struct sheet sheet; /* mapped where it is in use */
	char id[SHEET_ID];  /* hex digits: sheet_id() of its content */
	char name[128];     /* the file's name as it was given, printable */
	bool in_use;        /* inside the window: the views below have it */
	bool future;        /* dated after now and a day */
};
struct atlas {
	struct arena arena;
	const char *dir;
	const struct world *w;
	struct atlas_entry *entry;
	size_t n;
	/* What is in use (see at, within): views. */
	const struct paths **paths;
	size_t n_paths; /* SHEET_PATHS */
	const struct paths **origins;
	size_t n_origins; /* SHEET_ORIGINS and SHEET_PATHS, newest first */
	const struct links **links;
	size_t n_links; /* newest first */
	const struct registry **registry;
	size_t n_registry;
	const struct holders **holders;
	size_t n_holders;
};
struct atlas_ask {
	struct wall at;        /* 0: now and a day */
	int within_days;       /* 0: ATLAS_WITHIN_DAYS */
	const struct world *w; /* clock, and where what is inferred is kept; NULL: the real one */
};

/* STATUS_NO: nothing was ever loaded (atlas is empty and usable).  STATUS_BAD: a sheet is damaged. */
enum status atlas_open(struct atlas *a, const char *dir, const struct atlas_ask *q, struct err *e);
void atlas_close(struct atlas *a);
/* Maps the sheet of entry i, also of history (entry[i].sheet is mapped only where it is in use); the caller
 * closes it.  STATUS_NO: it was forgotten meanwhile.  STATUS_BAD: damaged. */
enum status atlas_sheet(struct sheet *to, const struct atlas *a, size_t i, struct err *e);
/* The other times at which there are sheets of that kind, newest first, for "the same at other dates"; none
 * of the future. */
enum status atlas_dates(const struct atlas *a, enum sheet_kind k, const struct wall **at, size_t *n,
	struct arena *m, struct err *e);

/* ---- what a number is called ---- */
struct network {
	uint32_t asn;      /* origin AS by longest match; 0: no prefix covers the address */
	uint32_t n_origin; /* how many different origins were seen of that prefix */
	struct prefix prefix;
	char cc[3];       /* country of delegation of the address, else of the AS, else the one that a table
			   * of names gives its organisation; "" unknown */
	const char *name; /* of the network ("STAR-KP"), else of its organisation, else the registry's id; ""
			     unknown */
	const char *holder; /* id that siblings share; "" unknown */
};
/* False where nothing is known of the address. */
bool atlas_network(const struct atlas *a, const struct ip *ip, struct network *to);
bool atlas_asn(const struct atlas *a, uint32_t asn, struct network *to); /* prefix is empty */
#define NETWORK_TEXT 160
/* "AS131279 STAR-KP, KP"; returns to. */
char *network_text(char to[NETWORK_TEXT], const struct network *n);

/* ---- what a question means ---- */
enum net_kind { NET_ASN, NET_PREFIX, NET_COUNTRY };
struct net {
	enum net_kind kind;
	char text[PREFIX_TEXT]; /* as it is printed: AS131279, 192.0.2.0/24, KP */
	uint32_t *asn;          /* ascending */
	size_t n_asn;           /* its networks: itself; a prefix's origins; a country's delegated and
				 * those that originate what is delegated to it */
	/* Of these, ascending: networks that are not delegated to the country and originate space that is.
	 * They belong to the question for those prefixes only; all else that they do is not the country's. */
	uint32_t *foreign;
	size_t n_foreign;
	uint32_t *own; /* the others: whose ways up, and all of whose prefixes, the question is about */
	size_t n_own;
	struct prefix *prefix; /* in the order of a paths sheet: family, address, length */
	size_t n_prefix; /* prefixes seen: of the AS; the prefix (and its more specifics), or where neither is
			  * seen the longest one around it; what of the country's delegated space is
			  * announced, whoever originates it (a prefix that reaches beyond that space is not)
			  */
};
/* NET is "AS131279" (any case; without AS it is none), a prefix or an address, or a country's two letters
 * (any case): by delegation, not by where machines stand.  STATUS_BAD: not a NET; STATUS_NO: unknown to every
 * sheet
 * ("AS64500: no table has it"). */
enum status atlas_net(
	struct net *to, const struct atlas *a, const char *text, struct arena *m, struct err *e);
/* What was perhaps meant by a text that is no NET: "; did you mean AS64500?", or "". */
#define NET_MEANT (PREFIX_TEXT + 24)
const char *net_meant(char to[NET_MEANT], const char *text);

/* Address space of networks, each address once, and the countries of its delegation.  A network is counted in
 * each family by the best that is in use: by routes (BGP tables and lists of origins together) where one
 * shows a prefix of it, else by what is delegated to its holder and in no route at all; where neither has
 * any, it is unknown, which is not 0.  A more specific prefix is its own origin's; an announcement wider than
 * a /8 (IPv6: /16) is a default route and no address space, one longer than an IPv6 /64 is in none of the
 * counts. */
enum space_by { SPACE_ROUTED, SPACE_DELEGATED, SPACE_UNKNOWN, SPACE_WAYS };
enum { SPACE_V4, SPACE_V6, SPACE_FAMILIES };
struct space_count {
	uint64_t size;      /* IPv4 addresses; IPv6 /48s, what is left of one is one */
	uint32_t n_network; /* that are counted so */
};
struct space {
	struct space_count of[SPACE_FAMILIES][SPACE_WAYS];
	uint32_t n_country;
	char (*cc)[3]; /* ascending */
};
enum status atlas_space(struct space *to, const struct atlas *a, const uint32_t *asn, size_t n,
	struct arena *m, struct err *e);

#endif
