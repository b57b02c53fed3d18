/* Sightings that lead to one chain: see same_chain.h. */
#include "cli/same_chain.h"

#include "trace/aggregate.h"

#define NAMED 3 /* of the others, by their flows */

/* What is the same: at each hop the relay, both legs and the verdict.  M is not: other flows were alive while
 * another login was. */
struct hop_key {
	struct ip relay;
	struct id in, out;
	enum link_verdict verdict;
};

struct same_chain {
	struct same_chain *next;
	const struct flow *attack, *together; /* the one that was printed; what it is one of */
	struct hop_key hop[TRACE_HOPS + 1];
	size_t n_hop;
	const struct flow *other[NAMED];
	size_t n_other;
	double needed_most;
};

static struct hop_key key_of(const struct hop *h)
{
	struct hop_key k = {.relay = h->relay, .out = h->out->head.id, .verdict = h->best.link.verdict};

	if (h->best.flow)
		k.in = h->best.flow->head.id;
	return k;
}

static bool key_equal(const struct hop_key *a, const struct hop_key *b)
{
	return ip_equal(&a->relay, &b->relay) && id_order(&a->in, &b->in) == 0 &&
	       id_order(&a->out, &b->out) == 0 && a->verdict == b->verdict;
}

static struct same_chain *chain_find(const struct same_chains *l, const struct hop_key *key, size_t n)
{
	for (struct same_chain *s = l->first; s; s = s->next) {
		size_t i = 0;
		while (i < n && s->n_hop == n && key_equal(&key[i], &s->hop[i]))
			i++;
		if (i == n)
			return s;
	}
	return NULL;
}

static double needed_most(const struct chain *c)
{
	double most = 0;

	for (size_t i = 0; i < c->n_hop; i++)
		most = c->hop[i].needed > most ? c->hop[i].needed : most;
	return most;
}

enum status same_chain_known(struct same_chains *l, const struct chain *c, bool *is, struct err *e)
{
	struct hop_key key[TRACE_HOPS + 1];

	*is = false;
	if (c->n_hop == 0 || c->n_hop > TRACE_HOPS || !is_aggregate(c->hop[0].out))
		return STATUS_OK;
	for (size_t i = 0; i < c->n_hop; i++)
		key[i] = key_of(&c->hop[i]);
	struct same_chain *s = chain_find(l, key, c->n_hop);
	*is = s != NULL;
	if (!s) {
		s = arena_alloc(&l->arena, sizeof(*s));
		if (!s)
			return err_nomem(e);
		*s = (struct same_chain){.attack = c->attack, .together = c->hop[0].out, .n_hop = c->n_hop};
		for (size_t i = 0; i < c->n_hop; i++)
			s->hop[i] = key[i];
		*(l->first ? &l->last->next : &l->first) = s;
		l->last = s;
		return STATUS_OK;
	}
	if (s->n_other < NAMED)
		s->other[s->n_other] = c->attack;
	s->n_other++;
	s->needed_most = needed_most(c) > s->needed_most ? needed_most(c) : s->needed_most;
	return STATUS_OK;
}

void same_chains_print(FILE *o, struct same_chains *l)
{
	char text[FLOW_WORDS], n[COUNT_TEXT];

	for (const struct same_chain *s = l->first; s; s = s->next) {
		if (s->n_other == 0)
			continue;
		(void)fprintf(o, "\nthe same for %s, part of %s:\n", counted(n, s->n_other, "more sighting"),
			flow_words(text, s->together));
		for (size_t i = 0; i < s->n_other && i < NAMED; i++)
			(void)fprintf(o, "  attack %s\n", flow_words(text, s->other[i]));
		if (s->n_other > NAMED)
			(void)fprintf(o, "  ... and %s (--json has a document for each)\n",
				thousands(n, s->n_other - NAMED));
		(void)fprintf(o,
			"  same hops, legs and verdicts as of %s; needed, by how many were searched then, "
			"%.1f at most\n",
			flow_words(text, s->attack), s->needed_most);
	}
}

void same_chains_free(struct same_chains *l)
{
	arena_free(&l->arena);
	*l = (struct same_chains){0};
}
