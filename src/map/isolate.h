/* The cut of a NET from what the atlas has: the graph with its weights, the whole NET and each of its
 * prefixes, and how sure the links are that it hangs by. */
#ifndef WEIR_MAP_ISOLATE_H
#define WEIR_MAP_ISOLATE_H

#include "map/atlas.h"
#include "map/cut.h"
#include "map/depend.h"

/* The graph that a question runs on; lives as long as the arena. */
struct chart {
	struct graph graph;
	struct dominators dom;
	uint64_t *weight; /* by node: 1 for itself and 1 for each network that is wholly dependent on it */
	bool inferred;    /* from paths: there is no relationship file */
};
/* STATUS_NO: neither relationships nor paths are loaded. */
enum status chart_make(struct chart *c, const struct atlas *at, struct arena *a, struct err *e);
/* AS numbers as nodes; those that the graph does not have are left out. */
enum status chart_nodes(const struct chart *c, const uint32_t *asn, size_t n, uint32_t **node, size_t *n_node,
	struct arena *a, struct err *e);

/* The graph as a prefix meets it: its networks' links to providers that no table shows on a path to it are
 * left out. *limited: some table shows a provider of it at all; else, and for other NETs, *to is the chart's
 * own. */
enum status chart_told(struct graph *to, bool *limited, const struct chart *c, const struct atlas *at,
	const struct net *net, const uint32_t *source, size_t n_source, struct arena *a, struct err *e);

/* A link by which NET hangs: to a provider or peer of one of its networks. */
struct hold {
	uint32_t node;            /* the neighbour */
	enum link_role role;      /* what it is to NET; LINK_PROVIDERS or LINK_PEERS */
	bool in_graph, in_paths;  /* who says so: relationships, tables */
	uint32_t n_peer_as;       /* peer networks whose tables show it */
	uint32_t n_date, n_dates; /* relationship sheets of other times that have it, and how many there are
				     with NET */
};
/* Seen by one peer or at one date only, where more could have seen it. */
bool hold_is_doubtful(const struct hold *h, uint32_t n_peer_as_seeing);

struct isolate_cut {
	struct cut_set set;
	bool whole; /* isolates all of NET */
	const uint32_t *prefix;
	size_t n_prefix; /* of net.prefix, that it isolates */
};
#define ISOLATE_PREFIXES 4096
struct isolate {
	uint32_t *source;
	size_t n_source;  /* nodes of NET */
	size_t n_unknown; /* networks of NET that the graph does not have */
	bool connected, more;
	size_t all_of; /* all sets of at most so many networks that isolate all of NET or of a prefix are
			  there, even if `more` */
	struct isolate_cut *cut;
	size_t n_cut; /* whole ones first, cheapest first */
	bool has_cheapest;
	uint64_t cheapest_weight;
	uint32_t *cheapest;
	size_t n_cheapest;
	struct hold *hold;
	size_t n_hold;
	/* Neighbours that tables show on paths to NET and no relationship in use has: they are in no way up
	 * of the search, so a set may isolate less than it says. */
	struct upstream *unrelated;
	size_t n_unrelated;
	uint32_t n_seeing; /* peer networks that see anything of NET */
	/* Without the links that are doubtful: the cheapest whole set then; n 0: the same, or none is. */
	struct cut_set surer;
	bool prefixes_left_out; /* more than ISOLATE_PREFIXES: not looked at one by one */
	size_t n_prefix_apart;  /* prefixes with fewer upstreams than NET as a whole */
};
struct isolate_ask {
	const struct net *net;
	const uint32_t *unwilling;
	size_t n_unwilling; /* AS numbers */
	size_t size;
};
enum status isolate_make(struct isolate *to, const struct chart *c, const struct atlas *at,
	const struct isolate_ask *q, struct arena *a, struct err *e);

#endif
