/* The AS graph of a question: the relationships of one or several links sheets joined, each network a node.
 * Built once per command; a single sheet is used where it lies, several are merged. */
#ifndef WEIR_MAP_GRAPH_H
#define WEIR_MAP_GRAPH_H

#include "base/arena.h"
#include "map/links.h"

#define NO_NODE UINT32_MAX

enum core_source { CORE_NAMED, CORE_PROVIDERLESS }; /* the file's clique, else providerless ASes by cone */
extern const char *const core_source_text[];

struct graph {
	uint32_t n;                      /* nodes */
	const uint32_t *asn;             /* of each node, ascending */
	const uint32_t *row[LINK_ROLES]; /* n + 1 places in to[] */
	const uint32_t *to[LINK_ROLES];
	const uint32_t *core;
	size_t n_core;          /* the transit-free core, ascending nodes */
	const uint8_t *is_core; /* by node */
	enum core_source core_source;
};

/* From n >= 1 sheets' links; memory of the arena.  Where two sheets contradict each other about a link, the
 * first named one counts.  STATUS_MACHINE: no memory. */
enum status graph_make(
	struct graph *g, const struct links *const *l, size_t n, struct arena *a, struct err *e);
uint32_t graph_node(const struct graph *g, uint32_t asn); /* NO_NODE where unknown */
/* Is b what role says to a (its provider, peer, customer)? */
bool graph_has(const struct graph *g, uint32_t a, enum link_role role, uint32_t b);

/* The core where no file names one, after CAIDA's inference (Luckie and others 2013, which begins with a
 * clique at the top and lets its members have no provider): of the networks that have customers and no
 * provider the one with the largest customer cone, then each further one, by cone, that peers with more than
 * half of those taken before.  On CAIDA's own files of 2015 and 2018 this is the clique that they name,
 * network by network. */
enum status graph_core_find(struct graph *g, struct arena *a, struct err *e);

/* Way up: from a node to its providers, and at its end over at most one peering into the core (cut.h).  A
 * core network is at the end of its own; it depends on nobody.  Whether that last peering counts, and whether
 * the core is the clique or all providerless networks, changes nothing for AS4837: 11 dependents in 2015, 21
 * in 2018, each way.  A network whose ways up all lead through X is wholly dependent on X: X dominates it in
 * the graph turned around, with the core as root.  One dominator tree answers for every X (Lengauer, Tarjan
 * 1979). */
struct dominators {
	uint32_t n;
	const uint32_t *idom; /* by node: the next network that all its ways up lead through; itself in the
			       * core and where there are several disjoint ways; NO_NODE: no way up at all */
	const uint32_t *enter, *leave; /* by node: x is wholly dependent on y iff enter[y] < enter[x] &&
					  leave[x] <= leave[y] */
	const uint32_t *dependents;    /* by node: how many are wholly dependent on it, itself apart */
};
enum status dominators_make(struct dominators *d, const struct graph *g, struct arena *a, struct err *e);

#endif
