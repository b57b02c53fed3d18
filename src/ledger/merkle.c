/* The Merkle tree: see merkle.h.  Hashes come in, roots, proofs and answers come out.  The checks are the
 * loops of RFC 9162 sections 2.1.3.2 and 2.1.4.2; the proofs are made by walking down the recursions of
 * sections 2.1.3.1 and 2.1.4.1. */
#include "ledger/merkle.h"

#include <string.h>

#include "base/hash.h"

#define LEAF 0x00
#define NODE 0x01
/* Sizes are below 2^63, so that every other implementation's int64_t holds them. */
#define SIZE_LIMIT ((uint64_t)INT64_MAX)

bool merkle_leaf(struct hash *to, const void *entry, size_t n)
{
	return sha256_behind(to->b, LEAF, entry, n);
}

bool merkle_node(struct hash *to, const struct hash *left, const struct hash *right)
{
	uint8_t text[1 + 2 * sizeof(*left)] = {NODE};

	memcpy(text + 1, left, sizeof(*left));
	memcpy(text + 1 + sizeof(*left), right, sizeof(*right));
	return sha256(to->b, text, sizeof(text));
}

bool merkle_empty(struct hash *to)
{
	return sha256(to->b, "", 0);
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* ---- a tree that grows ---- */

bool merkle_add(struct merkle *m, const struct hash *leaf)
{
	struct hash h = *leaf;
	unsigned level = 0;

	if (m->size >= SIZE_LIMIT)
		return false;
	for (; m->size >> level & 1; level++)
		if (!merkle_node(&h, &m->edge[level], &h))
			return false;
	m->edge[level] = h;
	m->size++;
	return true;
}

bool merkle_root(const struct merkle *m, struct hash *root)
{
	struct hash h;
	bool any = false;

	if (m->size == 0)
		return merkle_empty(root);
	for (unsigned level = 0; level < 64; level++) {
		if (!(m->size >> level & 1))
			continue;
		if (!any)
			h = m->edge[level];
		else if (!merkle_node(&h, &m->edge[level], &h))
			return false;
		any = true;
	}
	*root = h;
	return true;
}

/* ---- checking ---- */

/* What both checks walk: the node number `fn` that is looked for at a level, and the last one, `sn`. */
struct climb {
	uint64_t fn, sn;
};

static void climb_up(struct climb *c)
{
	c->fn >>= 1;
	c->sn >>= 1;
}

/* Does the next hash of the proof stand to the left?  Skips the levels at which the last node has no sibling.
 */
static bool climb_left(struct climb *c)
{
	if (!(c->fn & 1) && c->fn != c->sn)
		return false;
	while (!(c->fn & 1) && c->fn != 0)
		climb_up(c);
	return true;
}

bool merkle_included(uint64_t index, uint64_t size, const struct hash *leaf, const struct hash *proof,
	size_t n, const struct hash *root)
{
	struct climb c = {index, size - 1};
	struct hash r = *leaf;

	if (size > SIZE_LIMIT || index >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (c.sn == 0)
			return false;
		bool left = climb_left(&c);
		if (!merkle_node(&r, left ? &proof[i] : &r, left ? &r : &proof[i]))
			return false;
		climb_up(&c);
	}
	return c.sn == 0 && hash_equal(&r, root);
}

/* 0 < old_size < size.  The old root itself is the first node where the old tree is complete; else the proof
 * begins with the first node. */
static bool grown(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
	const struct hash *proof, size_t n)
{
	struct climb c = {old_size - 1, size - 1};
	bool complete = (old_size & (old_size - 1)) == 0;
	struct hash old, new;

	if (n == 0)
		return false;
	while (c.fn & 1)
		climb_up(&c);
	old = new = complete ? *old_root : proof[0];
	for (size_t i = complete ? 0 : 1; i < n; i++) {
		if (c.sn == 0)
			return false;
		bool left = climb_left(&c);
		if (left && !merkle_node(&old, &proof[i], &old))
			return false;
		if (!merkle_node(&new, left ? &proof[i] : &new, left ? &new : &proof[i]))
			return false;
		climb_up(&c);
	}
	return c.sn == 0 && hash_equal(&old, old_root) && hash_equal(&new, root);
}

bool merkle_consistent(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
	const struct hash *proof, size_t n)
{
	struct hash empty;

	if (size > SIZE_LIMIT || old_size > size)
		return false;
	if (old_size > 0 && old_size < size)
		return grown(old_size, old_root, size, root, proof, n);
	/* RFC 9162 section 2.1.4 leaves both out: nothing is to be proven but that the roots are right. */
	if (n != 0 || (old_size == size && !hash_equal(old_root, root)))
		return false;
	return old_size > 0 || (merkle_empty(&empty) && hash_equal(old_root, &empty));
}

/* ---- proving ---- */

/* The largest power of two below n (n > 1). */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The root of the n > 0 leaves from `at` on, which is a multiple of the largest power of two in n. */
static enum status range_root(
	const struct merkle_source *s, uint64_t at, uint64_t n, struct hash *to, struct err *e)
{
	uint64_t end = at + n;
	bool any = false;

	for (unsigned level = 0; level < 63; level++) {
		struct hash left;
		if (!(n >> level & 1))
			continue;
		end -= UINT64_C(1) << level;
		enum status st = s->subtree(s->self, level, end >> level, &left, e);
		if (st != STATUS_OK)
			return st;
		if (!any)
			*to = left;
		else if (!merkle_node(to, &left, to))
			return err_nomem(e);
		any = true;
	}
	return STATUS_OK;
}

enum status merkle_root_of(const struct merkle_source *s, uint64_t size, struct hash *root, struct err *e)
{
	if (size > SIZE_LIMIT)
		return err_set(e, STATUS_BAD, "a tree of 2^63 leaves or more");
	if (size == 0)
		return merkle_empty(root) ? STATUS_OK : err_nomem(e);
	return range_root(s, 0, size, root, e);
}

/* A subtree of n leaves from `at` on, of which the first `old` are looked at. */
struct descent {
	uint64_t at, n, old;
};

/* One step down, into the half in which the last of the old leaves is; gives the other half's root. */
static enum status step_down(const struct merkle_source *s, struct descent *d, struct hash *to, struct err *e)
{
	uint64_t k = split(d->n);
	struct descent from = *d;

	if (d->old <= k) {
		d->n = k;
		return range_root(s, from.at + k, from.n - k, to, e);
	}
	*d = (struct descent){from.at + k, from.n - k, from.old - k};
	return range_root(s, from.at, k, to, e);
}

static void reverse(struct hash *h, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct hash t = h[i];
		h[i] = h[n - 1 - i];
		h[n - 1 - i] = t;
	}
}

enum status merkle_prove(const struct merkle_source *s, uint64_t index, uint64_t size, struct hash *proof,
	size_t *n, struct err *e)
{
	struct descent d = {0, size, index + 1};
	enum status st = STATUS_OK;

	*n = 0;
	if (size > SIZE_LIMIT || index >= size)
		return err_set(e, STATUS_BAD, "entry %llu is not in a tree of %llu",
			(unsigned long long)index, (unsigned long long)size);
	for (; st == STATUS_OK && d.n > 1; ++*n)
		st = step_down(s, &d, &proof[*n], e);
	reverse(proof, *n);
	return st;
}

enum status merkle_prove_consistent(const struct merkle_source *s, uint64_t old_size, uint64_t size,
	struct hash *proof, size_t *n, struct err *e)
{
	struct descent d = {0, size, old_size};
	enum status st = STATUS_OK;

	*n = 0;
	if (size > SIZE_LIMIT || old_size > size)
		return err_set(e, STATUS_BAD, "a tree of %llu does not begin one of %llu",
			(unsigned long long)old_size, (unsigned long long)size);
	if (old_size == 0)
		return STATUS_OK;
	for (; st == STATUS_OK && d.old < d.n; ++*n)
		st = step_down(s, &d, &proof[*n], e);
	/* The verifier has the old root, but no root of a part of the old tree. */
	if (st == STATUS_OK && d.at > 0)
		st = range_root(s, d.at, d.n, &proof[(*n)++], e);
	reverse(proof, *n);
	return st;
}
