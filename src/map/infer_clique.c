/* Who needs nobody: transit degrees, and a clique of networks at the top (Luckie and others 2013, 4.3).
 *
 * Of the ten networks with the largest transit degree, the set of neighbours of one another with the largest
 * sum; then each further one, by degree, that is a neighbour of all of them.  A member does not carry between
 * two others: peers pass on only what their customers told them.  Who is seen doing that in more than a
 * fiftieth of the paths through it buys from them, and is none (a few are leaks and forged paths). */
#include <stdlib.h>
#include <string.h>

#include "map/infer_in.h"

#define TOP        10 /* of which the best set is taken */
#define CANDIDATES 48
#define LEAK_PART  50

struct ranking {
	struct inferring *f;
	uint32_t node[CANDIDATES]; /* by transit degree */
	size_t n;
	uint8_t *place; /* by node: its place + 1; 0: none of them */
	uint32_t through[CANDIDATES];
	bool linked[CANDIDATES][CANDIDATES];
	uint32_t between[CANDIDATES][CANDIDATES][CANDIDATES]; /* [y][x][z]: paths with x y z in a row */
};

/* ---- degrees ---- */

static void degrees(struct inferring *f)
{
	for (size_t p = 0; p < f->n_path; p++)
		for (size_t i = f->at[p] + 1; i + 1 < f->at[p + 1]; i++) {
			/* Node i passes on: it is at the end of the link before, at the beginning of the
			 * next. */
			f->link[f->ref[i - 1] / 2].transit |= f->ref[i - 1] & 1 ? 1 : 2;
			f->link[f->ref[i] / 2].transit |= f->ref[i] & 1 ? 2 : 1;
		}
	for (size_t i = 0; i < f->n_link; i++) {
		f->degree[f->link[i].a] += f->link[i].transit & 1;
		f->degree[f->link[i].b] += f->link[i].transit >> 1;
	}
}

/* Keeps the largest; of equal ones the smaller number. */
static void rank(struct ranking *r)
{
	const uint32_t *degree = r->f->degree;

	for (uint32_t v = 0; v < r->f->n; v++) {
		size_t at = r->n;
		while (at > 0 && degree[r->node[at - 1]] < degree[v])
			at--;
		if (!degree[v] || at == CANDIDATES)
			continue;
		r->n += r->n < CANDIDATES;
		memmove(&r->node[at + 1], &r->node[at], (r->n - at - 1) * sizeof(*r->node));
		r->node[at] = v;
	}
	for (size_t i = 0; i < r->n; i++)
		r->place[r->node[i]] = (uint8_t)(i + 1);
}

/* ---- who is between whom ---- */

static void betweens(struct ranking *r)
{
	const struct inferring *f = r->f;

	for (size_t p = 0; p < f->n_path; p++)
		for (size_t i = f->at[p] + 1; i + 1 < f->at[p + 1]; i++) {
			size_t y = r->place[f->node[i]], x = r->place[f->node[i - 1]],
			       z = r->place[f->node[i + 1]];
			if (!y)
				continue;
			r->through[y - 1]++;
			if (x && z)
				r->between[y - 1][x - 1][z - 1]++;
		}
	for (size_t i = 0; i < f->n_link; i++) {
		size_t a = r->place[f->link[i].a], b = r->place[f->link[i].b];
		if (a && b)
			r->linked[a - 1][b - 1] = r->linked[b - 1][a - 1] = true;
	}
}

/* Do these go together: all neighbours, none between two others? */
static bool together(const struct ranking *r, const size_t *m, size_t n)
{
	for (size_t y = 0; y < n; y++) {
		uint64_t carried = 0;
		for (size_t x = 0; x < n; x++) {
			if (x != y && !r->linked[m[x]][m[y]])
				return false;
			for (size_t z = 0; z < n; z++)
				carried += r->between[m[y]][m[x]][m[z]];
		}
		if (carried * LEAK_PART > r->through[m[y]])
			return false;
	}
	return true;
}

static size_t best_of_top(const struct ranking *r, size_t *member)
{
	size_t top = r->n < TOP ? r->n : TOP, n_best = 0;
	uint64_t best = 0;

	for (uint32_t set = 1; set < UINT32_C(1) << top; set++) {
		size_t m[TOP], n = 0;
		uint64_t sum = 0;
		for (size_t i = 0; i < top; i++)
			if (set >> i & 1) {
				m[n++] = i;
				sum += r->f->degree[r->node[i]];
			}
		if (sum > best && together(r, m, n)) {
			best = sum;
			n_best = n;
			memcpy(member, m, n * sizeof(*m));
		}
	}
	return n_best;
}

enum status infer_clique(struct inferring *f, struct arena *a, struct err *e)
{
	struct ranking *r = arena_alloc(a, sizeof(*r));
	size_t member[CANDIDATES + 1];

	if (!r || !(r->place = arena_array(a, (size_t)f->n + 1, sizeof(*r->place))))
		return err_nomem(e);
	r->f = f;
	degrees(f);
	rank(r);
	betweens(r);
	size_t n = best_of_top(r, member);
	for (size_t i = 0; i < r->n; i++) {
		bool in = false;
		for (size_t k = 0; k < n; k++)
			in = in || member[k] == i;
		member[n] = i;
		n += !in && together(r, member, n + 1);
	}
	for (size_t k = 0; k < n; k++)
		f->in_clique[r->node[member[k]]] = 1;
	return STATUS_OK;
}
