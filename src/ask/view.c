/* From statements and trains to the STIX view. */
#include "ask/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/stix.h"

enum status view_id(struct id *to, const struct manifest *m, struct err *e)
{
	struct manifest without = *m;
	struct buf text = {0};
	enum status s;

	if (without.n_file && strcmp(m->file[m->n_file - 1].path, VIEW_FILE) == 0)
		without.n_file--;
	s = manifest_write(&text, &without, e);
	*to = without.id;
	buf_free(&text);
	return s;
}

static struct prefix end_of(const struct train *t, int end)
{
	const struct ip *ip = &t->flow.head.end[end].ip;
	uint8_t whole = ip->v == 4 ? 32 : 128;

	return (struct prefix){*ip, t->hidden[end] ? (uint8_t)(t->hidden[end] - 1) : whole};
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

/* The flow of a train by its name, NULL for "". */
static const struct stix_flow *flow_of(
	const char *name, const struct tar_file *train, const struct stix_flow *flow, size_t n)
{
	for (size_t lo = 0, hi = n; *name && lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strncmp(name, train[mid].name + strlen("trains/"), BLOB_NAME - 1);
		if (c == 0)
			return &flow[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static void claim_view(struct stix_claim *to, const struct claim *c, const struct statement *s)
{
	bool link = s->kind == STATES_LINK;

	*to = (struct stix_claim){.id = c->id, .kind = c->kind, .made = c->made};
	if (s->kind == STATES_ORIGIN)
		(void)prefix_parse(&to->relay, s->network);
	if (!link)
		return;
	to->relay = (struct prefix){s->relay, s->relay.v == 4 ? 32 : 128};
	to->log10_e = s->log10_e;
	to->needed = s->needed;
	to->alpha = s->alpha;
	to->searched = s->searched;
	to->verdict = link_verdict_name(s->proven ? LINK_PROVEN : LINK_INSUFFICIENT);
}

enum status view_write(struct buf *to, const struct pack *k, const struct id *id,
	const struct statement *statement, const struct tar_file *train, size_t n_train, struct err *e)
{
	const struct manifest *m = &k->m;
	struct arena a = {0};
	struct stix_flow *flow = arena_array(&a, n_train + 1, sizeof(*flow));
	struct stix_claim *claim = arena_array(&a, k->n_claim + 1, sizeof(*claim));
	struct stix_view v = {.bundle = *id,
		.from = m->from,
		.to = m->to,
		.made = m->made,
		.not_after = m->not_after,
		.answer = m->type == BUNDLE_ANSWER,
		.ask = bundle_ask_name(m->ask),
		.reply_to = k->reply_view,
		.verdict = bundle_verdict_name(m->verdict),
		.looked_and_saw_nothing = k->looked_and_saw_nothing,
		.why = m->why,
		.claim = claim,
		.n_claim = k->n_claim};
	enum status s = flow && claim ? STATUS_OK : err_nomem(e);

	for (size_t i = 0; i < n_train && s == STATUS_OK; i++)
		s = flow_view(&flow[i], &train[i], &a, e);
	for (size_t i = 0; i < k->n_claim && s == STATUS_OK; i++) {
		claim_view(&claim[i], &k->claim[i], &statement[i]);
		claim[i].out = flow_of(statement[i].out, train, flow, n_train);
		claim[i].in = flow_of(statement[i].in, train, flow, n_train);
	}
	if (s == STATUS_OK)
		s = stix_write(to, &v, e);
	arena_free(&a);
	return s;
}
