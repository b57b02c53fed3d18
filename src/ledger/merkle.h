/* The Merkle tree of RFC 9162 section 2.1 (the same as RFC 6962's): leaf hash H(0x00 || entry), node hash
 * H(0x01 || left || right), SHA-256, the empty tree's H(""), split at the largest power of two below n.
 *
 * Pure: no I/O, no allocation.  Plain RFC proofs only. */
#ifndef WEIR_LEDGER_MERKLE_H
#define WEIR_LEDGER_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hash {
	uint8_t b[32];
};

#define MERKLE_PROOF_MAX 64 /* hashes in any proof: the tree has less than 2^63 leaves */

/* False where libcrypto fails (no memory). */
bool merkle_leaf(struct hash *to, const void *entry, size_t n);
bool merkle_node(struct hash *to, const struct hash *left, const struct hash *right);
bool merkle_empty(struct hash *to);
bool hash_equal(const struct hash *a, const struct hash *b);

/* A tree that only grows, as the roots of its complete subtrees: edge[k] is that of 2^k leaves where bit k of
 * size is set.  All zero is the empty tree. */
struct merkle {
	uint64_t size;
	struct hash edge[64];
};

bool merkle_add(struct merkle *m, const struct hash *leaf);
bool merkle_root(const struct merkle *m, struct hash *root);

/* Is leaf the entry at index of the tree (size, root)?  RFC 9162 section 2.1.3.2. */
bool merkle_included(uint64_t index, uint64_t size, const struct hash *leaf, const struct hash *proof,
	size_t n, const struct hash *root);
/* Is the tree (old_size, old_root) the beginning of (size, root)?  Section 2.1.4.2; old_size 0 begins every
 * tree and 0 hashes prove it, provided that old_root is the empty tree's. */
bool merkle_consistent(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
	const struct hash *proof, size_t n);

/* Where proofs are made from: the root of the complete subtree of 2^level leaves that begins at leaf
 * at << level. */
struct merkle_source {
	void *self;
	enum status (*subtree)(void *self, unsigned level, uint64_t at, struct hash *to, struct err *e);
};

/* proof has room for MERKLE_PROOF_MAX; *n hashes are written.  STATUS_BAD: index >= size, old_size > size. */
enum status merkle_prove(const struct merkle_source *s, uint64_t index, uint64_t size, struct hash *proof,
	size_t *n, struct err *e);
enum status merkle_prove_consistent(const struct merkle_source *s, uint64_t old_size, uint64_t size,
	struct hash *proof, size_t *n, struct err *e);
/* The root of the first size leaves. */
enum status merkle_root_of(const struct merkle_source *s, uint64_t size, struct hash *root, struct err *e);

#endif
