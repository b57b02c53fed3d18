/* Inside inference (infer*.c): all paths in one list of nodes, and the links between them. */
#ifndef WEIR_MAP_INFER_IN_H
#define WEIR_MAP_INFER_IN_H

#include "map/infer.h"

enum rel { REL_NONE, REL_PEERS, REL_A, REL_B }; /* REL_A: a is provider of b */
struct seen_link {
	uint32_t a, b;    /* nodes, a < b */
	uint32_t vote[2]; /* a is provider of b; b of a */
	uint8_t rel;      /* enum rel */
	uint8_t transit;  /* bit 0: a passed on what it had over this link or told over it, bit 1: b */
};
struct inferring {
	uint32_t n; /* nodes: AS numbers, ascending */
	const uint32_t *asn;
	const uint32_t *node; /* of all paths, one after another, peer first */
	const uint32_t *ref;  /* beside each node: the link to the next one, twice its place, plus one where
			       * this node is its b; nothing at a path's last node */
	const size_t *at;     /* n_path + 1 places in these */
	size_t n_path;
	struct seen_link *link;
	size_t n_link;
	uint32_t *degree;   /* transit degree: neighbours between which the node was seen to pass routes on */
	uint8_t *in_clique; /* by node */
};

/* Fills degree[] and in_clique[]. */
enum status infer_clique(struct inferring *f, struct arena *a, struct err *e);
/* Settles every link's rel. */
void infer_vote(struct inferring *f);

#endif
