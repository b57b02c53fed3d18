/* An answer held against the request that it answers: see asked.h. */
#include "ask/asked.h"

#include <stdio.h>
#include <string.h>

/* Was it asked by name, by key, or anybody? */
static bool was_asked(const struct exchange *x, const struct bundle *b)
{
	struct vkey key;
	struct err e;

	if (strchr(x->peer, '+'))
		return vkey_parse(&key, x->peer, &e) == STATUS_OK && strcmp(key.name, b->m.from) == 0 &&
		       memcmp(key.id, b->note.sig[0].id, sizeof(key.id)) == 0;
	return strcmp(x->peer, "*") == 0 || strcmp(x->peer, b->m.from) == 0;
}

const char *asked_not(const struct exchange *x, const struct bundle *b)
{
	if (!x)
		return "it answers a request that was never made here";
	if (strcmp(x->blob, b->m.reply_sha256) != 0)
		return "it answers another file than the one that was sent";
	return was_asked(x, b) ? NULL : "somebody else was asked";
}

static enum status flow_add(
	struct asked *to, const struct checked_claim *c, const char *train, struct arena *a, struct err *e)
{
	struct asked_flow *f = &to->flow[to->n];
	enum status s;

	if (to->n == to->cap)
		return err_set(e, STATUS_BAD, "more than %zu flows", to->cap);
	s = claim_train(&f->train, c, train, a, e);
	if (s != STATUS_OK)
		return s;
	f->up = c->s.kind == STATES_LINK ? !flow_side(&f->train.flow, &c->s.relay)
					 : flow_opener(&f->train.flow);
	to->n++;
	return s;
}

static enum status flows_of(struct asked *to, const struct bundle *b, struct arena *a, struct err *e)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < b->n_claim && s == STATUS_OK; i++) {
		struct checked_claim c = {.claim = &b->claim[i], .in = b};
		s = statement_read(&c.s, b->claim[i].kind, b->claim[i].body, b->claim[i].n_body, a, e);
		const char *train = c.s.kind == STATES_LINK ? c.s.in : c.s.out;
		if (s == STATUS_OK && *train)
			s = flow_add(to, &c, train, a, e);
	}
	return s;
}

enum status asked_further(struct asked *k, const struct checked_claim *link, struct arena *a, struct err *e)
{
	return flow_add(k, link, link->s.in, a, e);
}

enum status asked_read(
	struct asked *to, const char *dir, const struct exchange *x, struct arena *a, struct err *e)
{
	struct buf file = {0};
	struct bundle b = {0};
	size_t most;
	enum status s = blob_read(dir, x->blob, &file, e);

	*to = (struct asked){0};
	if (s == STATUS_NO)
		s = err_set(e, STATUS_NO, "the request that it answers was forgotten here");
	if (s == STATUS_OK)
		s = bundle_read(&b, file.p, file.n, a, e);
	most = b.n_claim;
	for (size_t i = 0; s == STATUS_OK && i < b.n_answer; i++)
		most += b.answer[i].n_claim;
	to->cap = most + ASKED_ABOUT;
	to->flow = arena_array(a, to->cap, sizeof(*to->flow));
	if (s == STATUS_OK)
		s = to->flow ? flows_of(to, &b, a, e) : err_nomem(e);
	for (size_t i = 0; s == STATUS_OK && i < b.n_answer; i++)
		s = flows_of(to, &b.answer[i], a, e);
	buf_free(&file);
	return s;
}

/* A link's relay stands where the flow comes from, not where it goes. */
static bool relay_upstream(
	const struct checked_claim *c, const struct train *answered, const struct recognised *r, int up)
{
	return c->s.kind != STATES_LINK ||
	       flow_side(&answered->flow, &c->s.relay) == (r->alike.turned ? !up : up);
}

enum status asked_about(struct asked *k, const struct checked_claim *c, double alpha, struct recognised *to,
	struct arena *a, struct err *e)
{
	struct train t;
	enum status s = claim_train(&t, c, c->s.out, a, e);

	*to = (struct recognised){.seen = SEEN_NOT};
	if (s == STATUS_OK && ++k->compared > ASKED_ABOUT)
		return err_set(e, STATUS_BAD, "it answers about more than %d flows", ASKED_ABOUT);
	for (size_t i = 0; i < k->n && s == STATUS_OK && to->seen != SEEN_CONFIRMED; i++) {
		struct recognised r;
		s = recognise_pair(&t.flow, &k->flow[i].train.flow, alpha / (double)k->n, &r, e);
		if (s == STATUS_OK && r.seen == SEEN_CONFIRMED && !relay_upstream(c, &t, &r, k->flow[i].up)) {
			r.seen = SEEN_CANNOT_TELL;
			(void)snprintf(
				r.why, sizeof(r.why), "the relay that is named is not where it came from");
		}
		if (s == STATUS_OK && (r.seen == SEEN_CONFIRMED || r.flow || i == 0))
			*to = r;
	}
	return s;
}
