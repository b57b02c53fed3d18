/* From statements and trains to the STIX view. */
#include "ask/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/stix.h"

static struct prefix end_of(const struct train *t, int end)
{
	const struct ip *ip = &t->flow.head.end[end].ip;

	return (struct prefix){*ip, t->hidden[end] ? (uint8_t)(t->hidden[end] - 1) : ip_bits(ip)};
}

static enum status flow_view(struct stix_flow *to, const struct tar_file *f, struct arena *a, struct err *e)
{
	struct arena scratch = {0};
	struct train t;
	char proto[8];
	enum status s = train_read(&t, (const char *)f->p, f->n, &scratch, e);

	if (s == STATUS_OK) {
		const struct flow_head *h = &t.flow.head;
		*to = (struct stix_flow){.proto = arena_str(a, proto_name(proto, h->proto)),
			.end = {end_of(&t, 0), end_of(&t, 1)},
			.port = {h->end[0].port, h->end[1].port},
			.first = {h->first_us},
			.last = {t.flow.last_us},
			.packets = {t.flow.count[0].packets, t.flow.count[1].packets},
			.bytes = {t.flow.count[0].frame_bytes, t.flow.count[1].frame_bytes}};
		s = to->proto ? STATUS_OK : err_nomem(e);
	}
	arena_free(&scratch);
	return s;
}

static int by_train(const void *name, const void *file)
{
	const struct tar_file *f = *(const struct tar_file *const *)file;

	return strncmp(name, f->name + strlen("trains/"), BLOB_NAME - 1);
}

/* The flow of a train by its name, NULL for "". */
static const struct stix_flow *flow_of(const char *name, const struct view *v, const struct stix_flow *flow)
{
	const struct tar_file *const *at =
		*name ? bsearch(name, v->train, v->n_train, sizeof(*v->train), by_train) : NULL;

	return at ? &flow[at - v->train] : NULL;
}

/* A claim's time is the bundle's: a reader of the file knows no other. */
static void claim_view(struct stix_claim *to, const struct view_claim *c, struct wall made)
{
	const struct statement *s = c->said;

	*to = (struct stix_claim){.id = c->id, .kind = c->kind, .made = made};
	if (s->kind == STATES_ORIGIN)
		to->relay = s->network;
	if (s->kind != STATES_LINK)
		return;
	to->relay = (struct prefix){s->relay, ip_bits(&s->relay)};
	to->log10_e = s->log10_e;
	to->needed = s->needed;
	to->alpha = s->alpha;
	to->searched = s->searched;
	to->verdict = link_verdict_name(s->proven ? LINK_PROVEN : LINK_INSUFFICIENT);
}

static struct stix_view head_of(const struct view *v)
{
	const struct manifest *m = v->m;

	return (struct stix_view){.bundle = m->id,
		.from = m->from,
		.to = m->to,
		.made = m->made,
		.not_after = m->not_after,
		.answer = m->type == BUNDLE_ANSWER,
		.ask = bundle_ask_name(m->ask),
		.reply_to = m->reply_to,
		.verdict = bundle_verdict_name(m->verdict),
		.looked_and_saw_nothing = v->looked_and_saw_nothing,
		.why = m->why};
}

enum status view_write(struct buf *to, const struct view *v, struct err *e)
{
	struct arena a = {0};
	struct stix_flow *flow = arena_array(&a, v->n_train + 1, sizeof(*flow));
	struct stix_claim *claim = arena_array(&a, v->n_claim + 1, sizeof(*claim));
	struct stix_view stix = head_of(v);
	enum status s = flow && claim ? STATUS_OK : err_nomem(e);

	for (size_t i = 0; i < v->n_train && s == STATUS_OK; i++)
		s = flow_view(&flow[i], v->train[i], &a, e);
	for (size_t i = 0; i < v->n_claim && s == STATUS_OK; i++) {
		claim_view(&claim[i], &v->claim[i], v->m->made);
		claim[i].out = flow_of(v->claim[i].said->out, v, flow);
		claim[i].in = flow_of(v->claim[i].said->in, v, flow);
	}
	stix.claim = claim;
	stix.n_claim = v->n_claim;
	if (s == STATUS_OK)
		s = stix_write(to, &stix, e);
	arena_free(&a);
	return s;
}
