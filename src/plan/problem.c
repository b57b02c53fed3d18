/* The problem that the front solves: choices become sets of what they stop and what they cost.
 *
 * An action that stops a part of a flow (a rate limit) and one that stops all of it stop together what the
 * better one does.  So each path is cut into layers at the shares that occur: the first is stopped by whoever
 * stops at least the smallest share, the last only by whoever stops all. */
#include <stdlib.h>
#include <string.h>

#include "plan/make_in.h"

/* ---- layers ---- */

static int layer_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t layer_key(const struct gain *g)
{
	return (uint64_t)g->path << 32 | g->share;
}

struct layers {
	uint64_t *key; /* path and share; sorted, each once */
	size_t n;
};

static enum status layers_make(struct layers *l, struct problem *p, struct making *m, struct err *e)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < m->n_choice; i++)
		n += m->choice[i].n_gain;
	l->key = arena_array(&m->arena, n + 1, sizeof(*l->key));
	p->weight = arena_array(&m->arena, n + 1, sizeof(*p->weight));
	if (!l->key || !p->weight)
		return err_nomem(e);
	n = 0;
	for (size_t i = 0; i < m->n_choice; i++)
		for (size_t j = 0; j < m->choice[i].n_gain; j++)
			l->key[n++] = layer_key(&m->choice[i].gain[j]);
	qsort(l->key, n, sizeof(*l->key), layer_order);
	for (size_t i = 0; i < n; i++) {
		if (k && l->key[k - 1] == l->key[i])
			continue;
		bool first = k == 0 || l->key[k - 1] >> 32 != l->key[i] >> 32;
		uint64_t below = first ? 0 : l->key[k - 1] & UINT32_MAX;
		double weight = m->paths.path[l->key[i] >> 32].weight;
		p->weight[k] = (int64_t)(weight * (double)((l->key[i] & UINT32_MAX) - below));
		l->key[k++] = l->key[i];
	}
	l->n = k;
	return STATUS_OK;
}

/* The layers that a gain stops: from the path's first to its own. */
static bool layers_add(struct ids *to, const struct layers *l, const struct gain *g, struct arena *a)
{
	uint64_t key = layer_key(g), *at = bsearch(&key, l->key, l->n, sizeof(key), layer_order);
	size_t end = (size_t)(at - l->key), i = end;
	bool good = true;

	while (i > 0 && l->key[i - 1] >> 32 == g->path)
		i--;
	for (; i <= end && good; i++)
		good = ids_add(to, (uint32_t)i, a);
	return good;
}

/* ---- order of preference ---- */

static int prefer(const void *a, const void *b, void *making)
{
	const struct making *m = making;
	const struct choice *x = &m->choice[*(const uint32_t *)a], *y = &m->choice[*(const uint32_t *)b];
	const struct rule *r = &m->match[x->match].rule, *s = &m->match[y->match].rule;
	const int by[] = {y->ground.ok - x->ground.ok, (x->place > 0) - (y->place > 0),
		(x->ground.step > 0) - (y->ground.step > 0), s->from.len - r->from.len, s->to.len - r->to.len,
		(s->port > 0) - (r->port > 0), (s->proto > 0) - (r->proto > 0), (x->rate > 0) - (y->rate > 0),
		rule_compare(r, s)};

	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
		if (by[i])
			return by[i];
	return (x->place > y->place) - (x->place < y->place);
}

/* What was erased costs already, whatever is done: below 0 nothing may be done, where there is a budget. */
static int64_t budget_left(const struct making *m)
{
	return m->p->budget - (int64_t)m->seen.erased;
}

enum status problem_make(struct problem *to, struct making *m, struct err *e)
{
	struct layers l = {0};
	struct front_set *set = arena_array(&m->arena, m->n_choice + 1, sizeof(*set));
	enum status s = layers_make(&l, to, m, e);

	to->choice = arena_array(&m->arena, m->n_choice + 1, sizeof(*to->choice));
	if (s != STATUS_OK || !set || !to->choice)
		return s != STATUS_OK ? s : err_nomem(e);
	for (uint32_t i = 0; i < m->n_choice; i++)
		to->choice[i] = i;
	qsort_r(to->choice, m->n_choice, sizeof(*to->choice), prefer, m);
	for (size_t i = 0; i < m->n_choice; i++) {
		const struct choice *c = &m->choice[to->choice[i]];
		const struct ids *cost = &m->match[c->match].cost;
		struct ids gain = {0};
		for (size_t k = 0; k < c->n_gain; k++)
			if (!layers_add(&gain, &l, &c->gain[k], &m->arena))
				return err_nomem(e);
		set[i] = (struct front_set){gain.id, cost->id, gain.n, cost->n, c->place};
	}
	to->front = (struct front_problem){.set = set,
		.n_set = m->p->budget < 0 || budget_left(m) >= 0 ? m->n_choice : 0,
		.weight = to->weight,
		.n_gain = l.n,
		.n_cost = m->seen.n_talk + m->n_source,
		.budget = m->p->budget < 0 ? -1 : budget_left(m),
		.exact = FRONT_EXACT};
	return STATUS_OK;
}

enum status problem_solve(struct front *to, const struct problem *p, struct making *m, choice_filter takes,
	bool last, struct err *e)
{
	struct front_problem some = p->front;
	struct arena a = {0};
	uint32_t *of = arena_array(&a, p->front.n_set + 1, sizeof(*of));
	struct front_set *set = arena_array(&a, p->front.n_set + 1, sizeof(*set));
	enum status s = of && set ? STATUS_OK : err_nomem(e);

	some.n_set = 0;
	some.last = last;
	for (size_t i = 0; i < p->front.n_set && s == STATUS_OK; i++) {
		if (!takes(m, &m->choice[p->choice[i]]))
			continue;
		of[some.n_set] = p->choice[i];
		set[some.n_set++] = p->front.set[i];
	}
	some.set = set;
	if (s == STATUS_OK)
		s = front_make(to, &some, &m->arena, e);
	for (size_t i = 0; s == STATUS_OK && i < to->n; i++)
		for (size_t k = 0; k < to->point[i].n; k++)
			to->point[i].set[k] = of[to->point[i].set[k]];
	arena_free(&a);
	return s;
}
