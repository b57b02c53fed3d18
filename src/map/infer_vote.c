/* Which way each link is, by the votes of the paths that have it.
 *
 * Of a path two places are looked for: everything before the first is a way up (each network the next one's
 * customer), everything behind the second a way down.  Two neighbours in the core are the top; with one
 * member of it, one of the two links beside it may be a peering; a link that is settled settles all on its
 * outer side.  So rounds of votes follow each other until nothing changes.  What is then left open lies
 * between the two places: there the network with the largest transit degree is taken for the top (Gao 2001),
 * and what stays open still is a peering, unless a network would be left without a provider. */
#include "map/infer_in.h"

#define ROUNDS 8

struct top {
	size_t left, right; /* places in the path, left <= right */
};

/* ---- one link as a path meets it ---- */

/* Is the left one (of the path) provider of the right one? */
static bool is_down(const struct inferring *f, uint32_t ref)
{
	return f->link[ref / 2].rel == (ref & 1 ? REL_B : REL_A);
}

static bool is_up(const struct inferring *f, uint32_t ref)
{
	return f->link[ref / 2].rel == (ref & 1 ? REL_A : REL_B);
}

static void vote(struct inferring *f, uint32_t ref, bool down)
{
	f->link[ref / 2].vote[down == (ref & 1)]++;
}

/* ---- where a path's top is ---- */

/* By the core's members on it; false where they are apart: a forged or leaked path says nothing. */
static bool top_core(const struct inferring *f, size_t first, size_t last, struct top *t)
{
	size_t n = 0, from = 0, to = 0;

	for (size_t i = first; i <= last; i++)
		if (f->in_clique[f->node[i]]) {
			from = n++ ? from : i;
			to = i;
		}
	*t = (struct top){first, last};
	if (n == 1) {
		t->left = from > first ? from - 1 : from;
		t->right = to < last ? to + 1 : to;
	} else if (n) {
		*t = (struct top){from, to};
	}
	return n < 2 || (n == 2 && to == from + 1);
}

/* By the links that are settled too; false where they contradict each other. */
static bool top_find(const struct inferring *f, size_t path, struct top *t)
{
	size_t first = f->at[path], last = f->at[path + 1] - 1;

	if (!top_core(f, first, last, t))
		return false;
	for (size_t i = first; i < last; i++) {
		bool peers = f->link[f->ref[i] / 2].rel == REL_PEERS;
		if (is_up(f, f->ref[i]) || peers)
			t->left = t->left > i + !peers ? t->left : i + !peers;
		if (is_down(f, f->ref[i]) || peers)
			t->right = t->right < i + peers ? t->right : i + peers;
	}
	return t->left <= t->right;
}

/* ---- rounds ---- */

static void votes_clear(struct inferring *f)
{
	for (size_t i = 0; i < f->n_link; i++)
		f->link[i].vote[0] = f->link[i].vote[1] = 0;
}

static void votes_cast(struct inferring *f)
{
	struct top t;

	for (size_t p = 0; p < f->n_path; p++) {
		if (!top_find(f, p, &t))
			continue;
		for (size_t i = f->at[p]; i < t.left; i++)
			vote(f, f->ref[i], false);
		for (size_t i = t.right; i + 1 < f->at[p + 1]; i++)
			vote(f, f->ref[i], true);
	}
}

/* By the majority; returns how many changed.  Two members of the core are peers, whatever is said. */
static size_t votes_count(struct inferring *f, bool open_only)
{
	size_t changed = 0;

	for (size_t i = 0; i < f->n_link; i++) {
		struct seen_link *l = &f->link[i];
		uint8_t rel = l->rel;
		if (f->in_clique[l->a] && f->in_clique[l->b])
			rel = REL_PEERS;
		else if (l->vote[0] != l->vote[1] && !(open_only && rel != REL_NONE))
			rel = l->vote[0] > l->vote[1] ? REL_A : REL_B;
		changed += rel != l->rel;
		l->rel = rel;
	}
	return changed;
}

/* ---- what is left open ---- */

/* The largest of the open part is its top; of the two links beside it the one to the larger neighbour may be
 * a peering, the other is none. */
static void votes_by_degree(struct inferring *f)
{
	struct top t;

	for (size_t p = 0; p < f->n_path; p++) {
		if (!top_find(f, p, &t) || t.right - t.left < 2)
			continue;
		size_t top = t.left;
		for (size_t i = t.left; i <= t.right; i++)
			top = f->degree[f->node[i]] > f->degree[f->node[top]] ? i : top;
		uint32_t before = top > t.left ? f->degree[f->node[top - 1]] : 0,
			 behind = top < t.right ? f->degree[f->node[top + 1]] : 0;
		for (size_t i = t.left; i < top; i++)
			if (i + 1 < top || before < behind)
				vote(f, f->ref[i], false);
		for (size_t i = top; i < t.right; i++)
			if (i > top || behind < before)
				vote(f, f->ref[i], true);
	}
}

static bool provider_a(const struct inferring *f, const struct seen_link *l)
{
	return f->degree[l->a] != f->degree[l->b] ? f->degree[l->a] > f->degree[l->b] : l->a < l->b;
}

/* Who passes nothing on does not peer with the core. */
static void stubs_of_core(struct inferring *f)
{
	for (size_t i = 0; i < f->n_link; i++) {
		struct seen_link *l = &f->link[i];
		bool a = f->in_clique[l->a] && !f->degree[l->b], b = f->in_clique[l->b] && !f->degree[l->a];
		if (l->rel == REL_NONE && a != b)
			l->rel = a ? REL_A : REL_B;
	}
}

/* The rest are peerings, but nobody outside of the core is without a provider while a larger network is its
 * neighbour. */
#define HAS_PROVIDER 2 /* beside the 1 in in_clique[], while rest() runs */

static void rest(struct inferring *f)
{
	for (size_t i = 0; i < f->n_link; i++)
		if (f->link[i].rel == REL_A || f->link[i].rel == REL_B)
			f->in_clique[f->link[i].rel == REL_A ? f->link[i].b : f->link[i].a] |= HAS_PROVIDER;
	for (size_t i = 0; i < f->n_link; i++) {
		struct seen_link *l = &f->link[i];
		bool a = provider_a(f, l);
		if (l->rel == REL_NONE)
			l->rel = f->in_clique[a ? l->b : l->a] ? REL_PEERS : a ? REL_A : REL_B;
	}
	for (uint32_t v = 0; v < f->n; v++)
		f->in_clique[v] &= 1;
}

void infer_vote(struct inferring *f)
{
	size_t changed = 1;

	for (int round = 0; round < ROUNDS && changed; round++) {
		votes_clear(f);
		votes_cast(f);
		changed = votes_count(f, false);
	}
	votes_clear(f);
	votes_by_degree(f);
	(void)votes_count(f, true);
	stubs_of_core(f);
	rest(f);
}
