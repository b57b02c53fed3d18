/* Cuts of a NET as a whole and of its prefixes.  Prefixes with the same neighbours hang by the same links:
 * one search a group of them. */
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "map/isolate.h"
#include "map/hold.h"

/* Prefixes whose paths show the same neighbours of the origin. */
struct group {
	uint32_t *first; /* nodes, ascending */
	size_t n_first;
	uint32_t *prefix; /* of net.prefix */
	size_t n_prefix;
	struct cut_answer answer;
};

struct job {
	const struct chart *c;
	const struct atlas *at;
	const struct isolate_ask *q;
	struct arena *a;
	struct isolate *to;
	uint32_t *unwilling;
	size_t n_unwilling;
	struct group *group;
	size_t n_group;
};

static enum status find(struct cut_answer *to, const struct job *j, const struct graph *g,
	const uint32_t *first, size_t n_first, bool has_first, struct err *e)
{
	struct cut_ask ask = {.source = j->to->source,
		.n_source = j->to->n_source,
		.unwilling = j->unwilling,
		.n_unwilling = j->n_unwilling,
		.weight = j->c->weight,
		.first = first,
		.n_first = n_first,
		.has_first = has_first,
		.size = j->q->size};

	return cut_find(to, g, &ask, j->a, e);
}

/* ---- prefixes in groups ---- */

/* Has any table more than one origin of the prefix?  Each has links of its own then. */
static bool many_origins(const struct atlas *at, const struct prefix *p)
{
	for (size_t i = 0; i < at->n_paths; i++) {
		uint32_t k = paths_prefix(at->paths[i], p);
		size_t n = 0;
		if (k != NO_INDEX32 && paths_origin(at->paths[i], k, &n) != NO_INDEX32 && n > 1)
			return true;
	}
	return false;
}

static bool is_customer(const struct job *j, uint32_t node)
{
	for (size_t i = 0; node != NO_NODE && i < j->to->n_source; i++)
		if (graph_has(&j->c->graph, j->to->source[i], LINK_CUSTOMERS, node))
			return true;
	return false;
}

/* The providers of NET's networks on the paths to a prefix, as nodes, and all its peers; none where the paths
 * do not tell all of its ways up. */
static enum status first_of(
	struct job *j, const struct prefix *p, uint32_t **first, size_t *n_first, struct err *e)
{
	struct upstream_ask ask = {j->q->net->own, j->q->net->n_own, p};
	struct upstream *u;
	size_t n;

	*n_first = 0;
	*first = arena_array(j->a, j->to->n_hold + 1, sizeof(**first));
	if (!*first)
		return err_nomem(e);
	enum status st = depend_upstreams(&u, &n, j->at->paths, j->at->n_paths, &ask, j->a, e);
	bool known = !many_origins(j->at, p);
	for (size_t k = 0; st == STATUS_OK && k < n; k++) {
		uint32_t node = graph_node(&j->c->graph, u[k].asn);
		const struct hold *h = node == NO_NODE ? NULL : hold_find(j->to->hold, j->to->n_hold, node);
		known = known && (h || is_customer(j, node));
		if (h && h->role == LINK_PROVIDERS)
			(*first)[(*n_first)++] = node;
	}
	*n_first = known ? *n_first : 0; /* a way that the relationships do not know may be one up */
	for (size_t i = 0; *n_first && i < j->to->n_hold; i++)
		if (j->to->hold[i].role == LINK_PEERS) /* told always, as far as anybody can tell (told.c) */
			(*first)[(*n_first)++] = j->to->hold[i].node;
	if (*n_first)
		qsort(*first, *n_first, sizeof(**first), u32_order);
	return st;
}

static struct group *group_of(struct job *j, const uint32_t *first, size_t n)
{
	for (size_t i = 0; i < j->n_group; i++)
		if (j->group[i].n_first == n && memcmp(j->group[i].first, first, n * sizeof(*first)) == 0)
			return &j->group[i];
	return NULL;
}

/* Room for a prefix in each group is one array that all share: a prefix is in one group. */
static enum status groups_make(struct job *j, struct err *e)
{
	const struct net *net = j->q->net;
	uint32_t *of = arena_array(j->a, net->n_prefix + 1, sizeof(*of));
	uint32_t *list = arena_array(j->a, net->n_prefix + 1, sizeof(*list));

	j->group = arena_array(j->a, net->n_prefix + 1, sizeof(*j->group));
	if (!of || !list || !j->group)
		return err_nomem(e);
	j->to->prefixes_left_out = net->n_prefix > ISOLATE_PREFIXES;
	if (j->to->prefixes_left_out)
		return STATUS_OK;
	for (size_t i = 0; i < net->n_prefix; i++) {
		struct group fresh = {0};
		enum status st = first_of(j, &net->prefix[i], &fresh.first, &fresh.n_first, e);
		if (st != STATUS_OK)
			return st;
		struct group *g = group_of(j, fresh.first, fresh.n_first);
		if (!g) {
			g = &j->group[j->n_group++];
			*g = fresh;
		}
		g->n_prefix++;
		of[i] = (uint32_t)(g - j->group);
	}
	for (size_t g = 0; g < j->n_group; g++) {
		j->group[g].prefix = list;
		list += j->group[g].n_prefix;
		j->group[g].n_prefix = 0;
	}
	for (uint32_t i = 0; i < net->n_prefix; i++)
		j->group[of[i]].prefix[j->group[of[i]].n_prefix++] = i;
	return STATUS_OK;
}

/* ---- answers joined ---- */

static bool subset(const struct cut_set *small, const struct cut_set *big)
{
	for (uint32_t i = 0; i < small->n; i++)
		if (!u32_has(big->node, big->n, small->node[i]))
			return false;
	return true;
}

/* Does the set isolate what the answer is of: has it one of its minimal sets? */
static bool isolates(const struct cut_set *set, const struct cut_answer *of)
{
	for (size_t i = 0; i < of->n; i++)
		if (subset(&of->set[i], set))
			return true;
	return false;
}

static enum status cut_add(struct job *j, size_t cap, const struct cut_set *set, bool whole, struct err *e)
{
	struct isolate *to = j->to;
	size_t n = 0;

	for (size_t i = 0; i < to->n_cut; i++)
		if (to->cut[i].set.n == set->n && subset(set, &to->cut[i].set))
			return STATUS_OK;
	if (to->n_cut == cap)
		return STATUS_OK;
	uint32_t *prefix = arena_array(j->a, j->q->net->n_prefix + 1, sizeof(*prefix));
	if (!prefix)
		return err_nomem(e);
	for (size_t g = 0; g < j->n_group; g++)
		if (whole || isolates(set, &j->group[g].answer))
			for (size_t i = 0; i < j->group[g].n_prefix; i++)
				prefix[n++] = j->group[g].prefix[i];
	if (n)
		qsort(prefix, n, sizeof(*prefix), u32_order);
	to->cut[to->n_cut++] =
		(struct isolate_cut){.set = *set, .whole = whole, .prefix = prefix, .n_prefix = n};
	return STATUS_OK;
}

static int by_cost(const void *a, const void *b)
{
	const struct isolate_cut *x = a, *y = b;

	if (x->whole != y->whole)
		return x->whole ? -1 : 1;
	if (x->set.weight != y->set.weight)
		return x->set.weight < y->set.weight ? -1 : 1;
	if (x->set.n != y->set.n)
		return x->set.n < y->set.n ? -1 : 1;
	return memcmp(x->set.node, y->set.node, x->set.n * sizeof(x->set.node[0]));
}

/* Sets of the whole and of the groups that hang by fewer links. */
static enum status answers_join(struct job *j, const struct cut_answer *whole, struct err *e)
{
	struct isolate *to = j->to;
	size_t most = whole->n;
	enum status st = STATUS_OK;

	for (size_t g = 0; g < j->n_group; g++)
		most += j->group[g].answer.n;
	to->cut = arena_array(j->a, most + 1, sizeof(*to->cut));
	if (!to->cut)
		return err_nomem(e);
	for (size_t i = 0; i < whole->n && st == STATUS_OK; i++)
		st = cut_add(j, most, &whole->set[i], true, e);
	for (size_t g = 0; g < j->n_group; g++)
		for (size_t i = 0; i < j->group[g].answer.n && st == STATUS_OK; i++)
			st = cut_add(j, most, &j->group[g].answer.set[i], false, e);
	if (to->n_cut)
		qsort(to->cut, to->n_cut, sizeof(*to->cut), by_cost);
	return st;
}

static enum status groups_find(struct job *j, const struct cut_answer *whole, struct err *e)
{
	enum status st = STATUS_OK;

	for (size_t g = 0; g < j->n_group && st == STATUS_OK; g++) {
		struct group *x = &j->group[g];
		bool fewer = x->n_first > 0 && x->n_first < j->to->n_hold;
		bool apart = fewer || (x->n_first > 0 && j->q->net->kind == NET_PREFIX);
		j->to->n_prefix_apart += fewer ? x->n_prefix : 0;
		if (apart)
			st = find(&x->answer, j, &j->c->graph, x->first, x->n_first, true, e);
		else
			x->answer = *whole;
		if (apart && st == STATUS_OK && x->answer.more) {
			j->to->more = true;
			j->to->all_of = x->answer.whole < j->to->all_of ? x->answer.whole : j->to->all_of;
		}
	}
	return st;
}

/* The cheapest whole set without the links that are doubtful, where that is another one. */
static enum status surer_find(struct job *j, const struct cut_answer *whole, struct err *e)
{
	struct isolate *to = j->to;
	struct cut_answer answer;
	uint32_t *first = arena_array(j->a, to->n_hold + 1, sizeof(*first));
	size_t n = 0;

	if (!first)
		return err_nomem(e);
	for (size_t i = 0; i < to->n_hold; i++)
		if (to->hold[i].in_graph && !hold_is_doubtful(&to->hold[i], to->n_seeing))
			first[n++] = to->hold[i].node;
	if (n == 0 || n == to->n_hold)
		return STATUS_OK;
	enum status st = find(&answer, j, &j->c->graph, first, n, true, e);
	if (st == STATUS_OK && answer.n && (!whole->n || !isolates(&answer.set[0], whole)))
		to->surer = answer.set[0];
	return st;
}

enum status isolate_make(struct isolate *to, const struct chart *c, const struct atlas *at,
	const struct isolate_ask *q, struct arena *a, struct err *e)
{
	struct job j = {.c = c, .at = at, .q = q, .a = a, .to = to};
	struct cut_answer whole;
	struct graph told; /* as NET as a whole meets it */
	bool limited;

	*to = (struct isolate){0};
	enum status st = chart_nodes(c, q->net->own, q->net->n_own, &to->source, &to->n_source, a, e);
	if (st == STATUS_OK)
		st = chart_nodes(c, q->unwilling, q->n_unwilling, &j.unwilling, &j.n_unwilling, a, e);
	if (st == STATUS_OK && to->n_source == 0)
		st = err_set(e, STATUS_NO, "%s: no relationship of it is known", q->net->text);
	if (st == STATUS_OK)
		st = holds_make(to, c, at, q->net, a, e);
	if (st == STATUS_OK)
		st = chart_told(&told, &limited, c, at, q->net, to->source, to->n_source, a, e);
	if (st == STATUS_OK)
		st = find(&whole, &j, &told, NULL, 0, false, e);
	if (st == STATUS_OK) {
		to->more = whole.more;
		to->all_of = whole.whole;
		st = groups_make(&j, e);
	}
	if (st == STATUS_OK)
		st = groups_find(&j, &whole, e);
	if (st == STATUS_OK)
		st = answers_join(&j, &whole, e);
	if (st == STATUS_OK)
		st = surer_find(&j, &whole, e);
	if (st != STATUS_OK)
		return st;
	to->n_unknown = q->net->n_own - to->n_source;
	to->connected = whole.connected;
	to->has_cheapest = whole.has_cheapest;
	to->cheapest_weight = whole.cheapest_weight;
	to->cheapest = whole.cheapest;
	to->n_cheapest = whole.n_cheapest;
	return STATUS_OK;
}
