/* The tree a second time, slowly: the recursions of RFC 6962 section 2.1 written down as they stand there,
 * and the same recursions to judge a proof. */
#ifndef WEIR_TESTS_LEDGER_SLOW_TREE_H
#define WEIR_TESTS_LEDGER_SLOW_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "ledger/merkle.h"

static inline struct hash slow_hash(uint8_t type, const void *a, size_t n_a, const void *b, size_t n_b)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	struct hash h;

	assert_non_null(c);
	assert_int_equal(EVP_DigestInit(c, EVP_sha256()), 1);
	assert_int_equal(EVP_DigestUpdate(c, &type, 1), 1);
	assert_int_equal(EVP_DigestUpdate(c, a, n_a), 1);
	assert_int_equal(EVP_DigestUpdate(c, b, n_b), 1);
	assert_int_equal(EVP_DigestFinal(c, h.b, NULL), 1);
	EVP_MD_CTX_free(c);
	return h;
}

static inline struct hash slow_node(struct hash l, struct hash r)
{
	return slow_hash(1, l.b, sizeof(l.b), r.b, sizeof(r.b));
}

static inline size_t slow_split(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static inline struct hash slow_root(const struct hash *leaf, size_t n)
{
	size_t k = slow_split(n);

	return n == 1 ? leaf[0] : slow_node(slow_root(leaf, k), slow_root(leaf + k, n - k));
}

/* PATH(m, D[n]) of section 2.1.1. */
static inline size_t slow_path(size_t m, const struct hash *leaf, size_t n, struct hash *to)
{
	size_t k = slow_split(n), at;

	if (n == 1)
		return 0;
	at = m < k ? slow_path(m, leaf, k, to) : slow_path(m - k, leaf + k, n - k, to);
	to[at] = m < k ? slow_root(leaf + k, n - k) : slow_root(leaf, k);
	return at + 1;
}

/* SUBPROOF(m, D[n], whole) of section 2.1.2. */
static inline size_t slow_proof(size_t m, const struct hash *leaf, size_t n, bool whole, struct hash *to)
{
	size_t k = slow_split(n), at;

	if (m == n) {
		if (!whole)
			to[0] = slow_root(leaf, n);
		return whole ? 0 : 1;
	}
	at = m <= k ? slow_proof(m, leaf, k, whole, to) : slow_proof(m - k, leaf + k, n - k, false, to);
	to[at] = m <= k ? slow_root(leaf + k, n - k) : slow_root(leaf, k);
	return at + 1;
}

/* The root that PATH(m, D[n]) leads to; *left hashes are taken from the end. */
static inline bool slow_climb(
	size_t m, size_t n, struct hash leaf, const struct hash *p, size_t *left, struct hash *to)
{
	size_t k = slow_split(n);

	if (n == 1) {
		*to = leaf;
		return *left == 0;
	}
	if ((*left)-- == 0)
		return false;
	struct hash sibling = p[*left];
	if (!slow_climb(m < k ? m : m - k, m < k ? k : n - k, leaf, p, left, to))
		return false;
	*to = m < k ? slow_node(*to, sibling) : slow_node(sibling, *to);
	return true;
}

static inline bool slow_included(
	size_t m, size_t n, struct hash leaf, const struct hash *p, size_t n_p, const struct hash *root)
{
	struct hash r;

	return m < n && slow_climb(m, n, leaf, p, &n_p, &r) && hash_equal(&r, root);
}

/* Both roots that SUBPROOF(m, D[n], whole) leads to; o is the old root that is claimed. */
static inline bool slow_grow(size_t m, size_t n, bool whole, const struct hash *o, const struct hash *p,
	size_t *left, struct hash *old, struct hash *new)
{
	size_t k = slow_split(n);

	if (m == n) {
		if (*left != (whole ? 0 : 1))
			return false;
		*old = *new = whole ? *o : p[0];
		return true;
	}
	if ((*left)-- == 0)
		return false;
	struct hash sibling = p[*left];
	if (!slow_grow(m <= k ? m : m - k, m <= k ? k : n - k, whole && m <= k, o, p, left, old, new))
		return false;
	if (m > k)
		*old = slow_node(sibling, *old);
	*new = m <= k ? slow_node(*new, sibling) : slow_node(sibling, *new);
	return true;
}

static inline bool slow_consistent(
	size_t m, const struct hash *o, size_t n, const struct hash *r, const struct hash *p, size_t n_p)
{
	struct hash old, new;

	if (m == 0 || m >= n)
		return m == n && n_p == 0 && hash_equal(o, r);
	return slow_grow(m, n, true, o, p, &n_p, &old, &new) && hash_equal(&old, o) && hash_equal(&new, r);
}

#endif
