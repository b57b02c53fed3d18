/* weir case import: an answer that came back.  It is verified, held against the request that it answers, and
 * put into the case: accepted, the chain goes one hop on, with a number that was computed again here; doubted
 * or refused, it is shown what is asked for. */
#include "cli/cmd_import.h"

#include <stdlib.h>
#include <string.h>

#include "ask/asked.h"
#include "cli/inspect.h"
#include "cli/send.h"

/* ---- in the reading process: is it an answer to what was asked? ---- */

static const struct exchange *asked_of(const struct inspect *i, const struct manifest *m)
{
	for (size_t k = 0; k < i->trusted->n_sent; k++)
		if (id_order(&i->trusted->sent[k].id, &m->reply_to) == 0)
			return &i->trusted->sent[k];
	return NULL;
}

/* Where IN came from: a host, or the network as far as it is disclosed.  to has PREFIX_TEXT bytes. */
static char *far_end(char *to, const struct train *in, int end)
{
	const struct ip *ip = &in->flow.head.end[end].ip;
	struct prefix p = {*ip, (uint8_t)(in->hidden[end] - 1)};

	return in->hidden[end] ? prefix_text(to, &p) : ip_text(to, ip);
}

/* A flow of another network's recording: its id is that of the train that tells of it. */
static json_t *flow_told(const char *train, const char *flow)
{
	return json_pack("{s:s#, s:s}", "id", train, ID_TEXT - 1, "flow", flow);
}

static json_t *hop_of(const struct checked_claim *c, const struct train *in, const struct recognised *r)
{
	char id[ID_TEXT], relay[IP_TEXT], far[PREFIX_TEXT], why[256];
	int end = !flow_side(&in->flow, &c->s.relay);
	json_t *j = json_pack("{s:s, s:s, s:o, s:o, s:s, s:b, s:s, s:s, s:[]}", "id",
		id_text(id, &c->claim->id), "relay", ip_text(relay, &c->s.relay), "in",
		flow_told(c->s.in, c->s.in_flow), "out", flow_told(c->s.out, c->s.out_flow), "from",
		far_end(far, in, end), "hidden", in->hidden[end] != 0, "agreement",
		printable(why, sizeof(why), r->why), "verdict", link_verdict_name(LINK_PROVEN), "rivals");

	(void)json_object_set_new(j, "translated", json_boolean(r->translated));
	(void)json_object_set_new(j, "log10_e", json_real(c->again));
	(void)json_object_set_new(j, "needed", json_real(c->needed));
	(void)json_object_set_new(j, "searched", json_integer((json_int_t)c->s.searched));
	(void)json_object_set_new(j, "lag_ms", json_real((double)c->s.lag_us / 1000));
	(void)json_object_set_new(j, "bursts", json_integer(c->s.bursts));
	return j;
}

/* A claim with its trains as they came. */
static enum status take_claim(json_t *doc, const struct checked_claim *c, struct err *e)
{
	struct told t = {.kind = c->claim->kind, .body = strdup(c->claim->body)};
	const char *name[2] = {c->s.in, c->s.out};
	enum status s = t.body ? STATUS_OK : err_nomem(e);

	for (int k = 0; k < 2; k++) {
		const struct tar_file *f = *name[k] ? bundle_train(c->in, name[k]) : NULL;
		if (!f)
			continue;
		buf_put(&t.train[k], f->p, f->n);
		memcpy(t.name[k], name[k], BLOB_NAME);
	}
	if (s == STATUS_OK)
		s = told_put(doc, &t, e);
	told_free(&t);
	return s;
}

struct taken {
	json_t *doc, *hops, *origins;
	const char *why; /* why nothing is taken; NULL: it is */
	char text[512];
};

/* A link whose OUT was asked about: a hop, and the answer may go on from its IN. */
static enum status take_link(struct taken *to, const struct checked_claim *c, const struct recognised *r,
	struct asked *asked, struct arena *arena, struct err *e)
{
	struct train in;
	enum status s = claim_train(&in, c, c->s.in, arena, e);

	if (s == STATUS_OK)
		(void)json_array_append_new(to->hops, hop_of(c, &in, r));
	return s == STATUS_OK ? asked_further(asked, c, arena, e) : s;
}

/* The network that fed a link which was taken; false where the claim speaks of none of those. */
static bool take_origin(struct taken *to, const struct checked_claim *c)
{
	char link[ID_TEXT], network[PREFIX_TEXT], basis[200];

	(void)id_text(link, &c->s.link);
	for (size_t i = 0; i < json_array_size(to->hops); i++) {
		if (strcmp(json_text(json_array_get(to->hops, i), "id"), link) != 0)
			continue;
		(void)json_array_append_new(to->origins,
			json_pack("{s:s, s:s, s:I}", "network", prefix_text(network, &c->s.network), "basis",
				printable(basis, sizeof(basis), c->s.basis), "hops", (json_int_t)c->s.hops));
		return true;
	}
	return false;
}

static void refuse(struct taken *to, const char *flow, const char *why)
{
	(void)snprintf(to->text, sizeof(to->text), "%.128s: %s", flow, why);
	to->why = to->text;
}

static enum status take_one(struct taken *to, const struct inspect *i, const struct checked_claim *c,
	struct asked *asked, struct arena *arena, struct err *e)
{
	struct recognised r;
	enum status s;

	if (c->s.kind == STATES_ORIGIN) {
		if (!take_origin(to, c))
			refuse(to, c->s.in_flow, "its network is told of no link that was taken");
		return to->why ? STATUS_OK : take_claim(to->doc, c, e);
	}
	if (c->s.kind == STATES_BLOCK) /* what they did: it names no flow that was asked about */
		return take_claim(to->doc, c, e);
	s = asked_about(asked, c, i->trusted->trust.alpha, &r, arena, e);
	if (s == STATUS_OK && r.seen != SEEN_CONFIRMED)
		refuse(to, c->s.out_flow, *r.why ? r.why : "not shown to be a flow that was asked about");
	else if (s == STATUS_OK && c->s.kind == STATES_LINK)
		s = take_link(to, c, &r, asked, arena, e);
	return s == STATUS_OK && !to->why ? take_claim(to->doc, c, e) : s;
}

/* Only of an answer that accepts: what somebody shows beside a doubt is in its file. */
static enum status take_all(struct taken *to, struct app *a, const struct inspect *i, const struct report *r,
	const struct exchange *x, struct arena *arena, struct err *e)
{
	struct asked asked;
	enum status s = asked_read(&asked, a->dir, x, arena, e);

	for (size_t k = 0; k < r->v->n_claim && s == STATUS_OK && !to->why; k++)
		s = take_one(to, i, &r->v->claim[k], &asked, arena, e);
	return s;
}

static enum status act(struct app *a, const struct inspect *i, const struct report *r, struct arena *arena,
	json_t *to, struct err *e)
{
	const struct manifest *m = &r->b->m;
	const struct exchange *x = asked_of(i, m);
	struct taken t = {.doc = to, .hops = json_array(), .origins = json_array()};
	enum status s = STATUS_OK;

	if (m->type != BUNDLE_ANSWER)
		t.why = "it is a request, not an answer: weir verify, weir answer";
	else if (r->v->good)
		t.why = asked_not(x, r->b);
	if (r->v->good && !t.why && m->verdict == ANSWER_ACCEPTED)
		s = take_all(&t, a, i, r, x, arena, e);
	(void)json_object_set_new(to, "hops", t.hops);
	(void)json_object_set_new(to, "origins", t.origins);
	(void)json_object_set_new(to, "why_not", t.why ? json_string(t.why) : json_null());
	(void)json_object_set_new(to, "case", json_string(x ? x->case_id : ""));
	(void)json_object_set_new(to, "asked", json_string(x ? x->ask : ""));
	return s;
}

/* ---- in the process that writes ---- */

static enum status store(struct app *a, const json_t *doc, const struct buf *file, struct err *e)
{
	const json_t *r = json_object_get(doc, "report"), *list = json_object_get(doc, "told");
	struct place p = {0};
	const char *why = json_string_value(json_object_get(r, "reason"));
	struct exchange x = {.received = true,
		.answer = true,
		.peer = json_text(r, "from"),
		.case_id = json_text(doc, "case"),
		.ask = "",
		.verdict = json_text(r, "verdict"),
		.why = why ? why : ""};
	struct id case_id, id;
	enum status s = place_open(a, &p, e);

	if (s == STATUS_OK &&
		(!id_parse(&x.id, json_text(r, "id")) || !id_parse(&x.reply_to, json_text(r, "reply_to")) ||
			!wall_parse(&x.made, json_text(r, "made")) ||
			!wall_parse(&x.not_after, json_text(r, "not_after")) ||
			!id_parse(&case_id, x.case_id)))
		s = err_set(e, STATUS_BAD, "the reading process handed back no answer");
	for (size_t k = 0; k < json_array_size(list) && s == STATUS_OK; k++) {
		struct told t;
		s = told_take(&t, doc, k, e);
		if (s == STATUS_OK)
			s = told_store(&p, &t, &case_id, x.peer, json_text(r, "id"), &id, e);
		told_free(&t);
	}
	/* last: what is known to have come is not taken again, and a claim that is there already is no harm
	 */
	if (s == STATUS_OK)
		s = exchange_store(&p, &x, file->p, file->n, e);
	if (s == STATUS_OK)
		s = register_flush(&p, e);
	case_db_close(p.db);
	return s;
}

/* ---- what is said of it ---- */

static void say_hop(FILE *o, const json_t *h, const char *from)
{
	char n[COUNT_TEXT];

	(void)fprintf(o, "hop  relay %s, by the recording of %s\n", json_text(h, "relay"), from);
	(void)fprintf(o, "  in     %s   PROVEN if that was on the wire, which is their word\n",
		json_text(json_object_get(h, "in"), "flow"));
	(void)fprintf(o, "  out    %s   the flow that was asked about%s\n",
		json_text(json_object_get(h, "out"), "flow"),
		json_is_true(json_object_get(h, "translated")) ? ", under other addresses" : "");
	(void)fprintf(o, "  out    %s\n", json_text(h, "agreement"));
	(void)fprintf(o, "  log10 e %.1f, computed again here; needed %.1f (%s, by their word)\n",
		json_number(h, "log10_e"), json_number(h, "needed"),
		counted(n, (uint64_t)json_number(h, "searched"), "candidate"));
}

/* Where the chain ends now: NULL where no hop was told. */
static json_t *ends_of(const json_t *doc)
{
	const json_t *hops = json_object_get(doc, "hops"), *origins = json_object_get(doc, "origins");
	const json_t *hop = json_array_get(hops, json_array_size(hops) - 1);
	const json_t *origin = json_array_get(origins, json_array_size(origins) - 1);

	if (!hop)
		return NULL;
	if (origin)
		return json_pack("{s:s, s:s, s:s, s:I}", "network", json_text(origin, "network"), "kind",
			"disclosed", "why", json_text(origin, "basis"), "hops",
			json_integer_value(json_object_get(origin, "hops")));
	return json_pack("{s:s, s:s, s:s}", json_is_true(json_object_get(hop, "hidden")) ? "network" : "host",
		json_text(hop, "from"), "kind", "disclosed", "why", "only its own network can look further");
}

static void say_next(FILE *o, const json_t *doc, const char *case_id)
{
	json_t *ends = ends_of(doc);
	const char *network = json_string_value(json_object_get(ends, "network"));
	const char *from = json_text(json_object_get(doc, "report"), "from");
	json_int_t more = json_integer_value(json_object_get(ends, "hops"));
	char n[COUNT_TEXT];

	if (!ends) {
		(void)fprintf(o, "it tells no hop: the chain stands where it was\n");
		return;
	}
	(void)fprintf(
		o, "ends at %s%s", network ? "network " : "", network ? network : json_text(ends, "host"));
	if (more > 0)
		(void)fprintf(o, ", %s further up", counted(n, (uint64_t)more, "relay"));
	(void)fprintf(o, ", by the word of %s (%s)\n", from, json_text(ends, "why"));
	if (network)
		(void)fprintf(o,
			"next: nobody finds the flow without its address: ask %s for it (weir bundle %.12s "
			"--to %s -o FILE)\n",
			from, case_id, from);
	else
		(void)fprintf(o,
			"next: ask its network: weir bundle %.12s --ask trace --to ITS-KEY -o FILE\n",
			case_id);
	json_decref(ends);
}

static void say_doubt(FILE *o, const json_t *r, const char *case_id)
{
	char why[512];

	(void)fprintf(
		o, "%s: %s\n", json_text(r, "verdict"), printable(why, sizeof(why), json_text(r, "reason")));
	if (json_array_size(json_object_get(r, "claims")))
		(void)fprintf(o, "what it shows besides is not taken: weir verify shows it\n");
	if (strcmp(json_text(r, "verdict"), "doubted") == 0)
		(void)fprintf(o,
			"next: record what is asked for, then\n"
			"  weir record FILE; weir trace %.12s; weir bundle %.12s --to %s -o FILE\n",
			case_id, case_id, json_text(r, "from"));
}

static enum status say(struct app *a, const json_t *doc, struct err *e)
{
	const json_t *r = json_object_get(doc, "report"), *hops = json_object_get(doc, "hops");
	const char *case_id = json_text(doc, "case");

	if (a->json)
		return json_out(a,
			json_pack("{s:O, s:s, s:O, s:O, s:O, s:O, s:O, s:o?}", "id", json_object_get(r, "id"),
				"case", case_id, "from", json_object_get(r, "from"), "verdict",
				json_object_get(r, "verdict"), "reason", json_object_get(r, "reason"),
				"reply_to", json_object_get(r, "reply_to"), "hops", hops, "ends",
				ends_of(doc)),
			e);
	(void)fprintf(a->out, "answer %.12s of %s, into case %.12s: %s\n", json_text(r, "id"),
		json_text(r, "from"), case_id, json_text(r, "verdict"));
	for (size_t i = 0; i < json_array_size(hops); i++)
		say_hop(a->out, json_array_get(hops, i), json_text(r, "from"));
	if (strcmp(json_text(r, "verdict"), "accepted") == 0)
		say_next(a->out, doc, case_id);
	else
		say_doubt(a->out, r, case_id);
	return STATUS_OK;
}

static enum status import(struct app *a, const struct inspect *i, const char *path, struct err *e)
{
	struct buf file = {0};
	json_t *doc = NULL;
	const char *why;
	enum status s = inspect_file(a, i, path, &file, &doc, e);

	if (s == STATUS_OK) {
		why = json_string_value(json_object_get(doc, "why_not"));
		if (!json_is_true(json_object_get(doc, "verified")))
			why = json_text(doc, "why");
		if (why)
			s = err_set(e, STATUS_NO, "%s: not taken: %s", path, why);
	}
	if (s == STATUS_OK)
		s = store(a, doc, &file, e);
	if (s == STATUS_OK)
		s = say(a, doc, e);
	json_decref(doc);
	buf_free(&file);
	return s;
}

enum status case_import(struct app *a, int argc, char **argv, struct err *e)
{
	struct texts key = {0};
	const char *policy = NULL;
	struct option_row row[] = {{"key", 0, OPTION_LIST, &key}, {"policy", 0, OPTION_TEXT, &policy}};
	struct trusted t = {0};
	struct inspect i = {.trusted = &t, .act = act};
	int first;
	enum status s = options_parse(a, row, 2, argc, argv, &first, e);

	if (s == STATUS_OK && argc - first != 1)
		s = err_set(e, STATUS_BAD, "case import: one FILE");
	if (s == STATUS_OK)
		s = trusted_load(&t, a, &key, policy, true, 0, e);
	if (s == STATUS_OK)
		s = import(a, &i, argv[first], e);
	trusted_free(&t);
	return s;
}
