/* weir answer: what one says to a request: accepted, doubted because, refused because; with what was found in
 * one's own recording as far as one discloses it, as one signed file. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/inspect.h"
#include "cli/send.h"
#include "cli/told_block.h"

/* ---- in the reading process: what was found here ---- */

static enum status put(json_t *to, enum status s, struct told *t, struct err *e)
{
	if (s == STATUS_OK)
		s = told_put(to, t, e);
	told_free(t);
	return s;
}

/* As much of an address as "network" tells: an own network that has it, but never less than the covering /24
 * or /48, which is what it is as long as no routing table says better. */
static const char *network_of(const struct config *cfg, const struct ip *ip, struct prefix *to)
{
	uint8_t most = ip->v == 4 ? 24 : 48;

	*to = prefix_of(ip, most);
	for (size_t i = 0; i < cfg->n_own; i++) {
		if (!prefix_has(&cfg->own[i], ip) || cfg->own[i].len > most)
			continue;
		*to = cfg->own[i];
		return "one of the sender's own networks";
	}
	return "the covering prefix; no routing table was loaded";
}

/* Hops as they are, with their addresses. */
static enum status tell_hops(const struct chain *c, json_t *to, struct err *e)
{
	struct told t;
	enum status s = STATUS_OK;

	for (size_t i = 0; i < c->n_proven && s == STATUS_OK; i++)
		s = put(to, tell_hop(&t, &c->hop[i], c->alpha, 0, WEIR_CODE, e), &t, e);
	return s;
}

/* The text of a link's IN as its body has it; in the arena. */
static const char *in_of(const struct told *link, struct arena *arena, struct err *e)
{
	struct statement said;

	return statement_read(&said, link->kind, link->body, strlen(link->body), arena, e) == STATUS_OK
		       ? said.in_flow
		       : NULL;
}

/* The first hop with its far end hidden, and the network that the last one came out of: of the hops between,
 * that are in the own networks, nothing but their number. */
static enum status tell_networks(
	const struct app *a, const struct chain *c, struct arena *arena, json_t *to, struct err *e)
{
	const struct hop *first = &c->hop[0], *last = &c->hop[c->n_proven - 1];
	struct prefix near, far;
	struct told link, origin;
	const char *basis, *in;
	enum status s;

	(void)network_of(&a->cfg, flow_peer(first->best.flow, &first->relay), &near);
	basis = network_of(&a->cfg, flow_peer(last->best.flow, &last->relay), &far);
	s = tell_hop(&link, first, c->alpha, near.len, WEIR_CODE, e);
	in = s == STATUS_OK ? in_of(&link, arena, e) : NULL;
	if (s == STATUS_OK)
		s = in ? tell_origin(&origin, &link, in, c->n_proven - 1, &far, basis, WEIR_CODE, e)
		       : e->status;
	if (s == STATUS_OK)
		s = told_put(to, &link, e);
	told_free(&link);
	return in ? put(to, s, &origin, e) : s;
}

static enum status tell_found(const struct app *a, const struct inspect *i, const struct here *h,
	bool asks_confirm, struct arena *arena, json_t *to, struct err *e)
{
	struct told t;
	enum status s;

	if (h->r.seen != SEEN_CONFIRMED || i->disclose == DISCLOSE_NOTHING)
		return STATUS_OK;
	s = put(to, tell_seen(&t, h->r.flow, WEIR_CODE, e), &t, e);
	if (s != STATUS_OK || !h->traced || h->chain.n_proven == 0 || (i->confirm_only && asks_confirm))
		return s;
	return i->disclose == DISCLOSE_ADDRESS ? tell_hops(&h->chain, to, e)
					       : tell_networks(a, &h->chain, arena, to, e);
}

/* The flow of a request that was recognised, as a sighting of the case that is opened for it here. */
static json_t *sighting_of(const struct here *h)
{
	char id[ID_TEXT], text[FLOW_TEXT];
	const struct flow *f = h->r.flow;

	return json_pack("{s:s, s:s, s:I}", "flow", flow_text(text, &f->head), "id", id_text(id, &f->head.id),
		"at", (json_int_t)f->head.first_us);
}

static enum status act(struct app *a, const struct inspect *i, const struct report *r, struct arena *arena,
	json_t *to, struct err *e)
{
	json_t *seen = json_array();
	bool nothing = r->here && r->here->n > 0 && i->disclose != DISCLOSE_NOTHING;
	enum status s = STATUS_OK;

	for (size_t k = 0; r->here && k < r->here->n && s == STATUS_OK; k++) {
		const struct here *h = &r->here->one[k];
		s = tell_found(a, i, h, r->b->m.ask == ASK_CONFIRM, arena, to, e);
		if (h->r.flow && h->r.seen == SEEN_CONFIRMED)
			(void)json_array_append_new(seen, sighting_of(h));
		nothing = nothing && h->r.seen == SEEN_NOT;
	}
	(void)json_object_set_new(to, "seen", seen);
	(void)json_object_set_new(to, "saw_nothing", json_boolean(nothing));
	return s;
}

/* ---- in the process that signs ---- */

struct answer {
	struct pack k;
	const char *path, *blocked; /* an order's id prefix, NULL: none */
	bool addresses;             /* are disclosed */
	struct buf request;
	json_t *doc;
};

/* May this answer be given to that request? */
static enum status allowed(const struct answer *n, const char *path, struct err *e)
{
	const json_t *d = n->doc;
	bool accept = n->k.m.verdict == ANSWER_ACCEPTED;

	if (strcmp(json_text(json_object_get(d, "report"), "type"), "request") != 0)
		return err_set(e, STATUS_BAD, "%s: an answer, not a request: weir case import", path);
	if (!json_is_true(json_object_get(d, "genuine")) ||
		(accept && !json_is_true(json_object_get(d, "verified"))))
		return err_set(e, STATUS_NO, "not verified, and not answered: %s", json_text(d, "why"));
	if (accept && json_is_true(json_object_get(d, "contradicted")))
		return err_set(e, STATUS_NO,
			"the own recording contradicts it: it cannot be accepted, but doubted or refused");
	return STATUS_OK;
}

/* A case of our own, with the flow that was recognised as its sighting; "" where none was. */
static enum status case_here(const struct place *p, const struct answer *n, char to[ID_TEXT], struct err *e)
{
	const json_t *seen = json_object_get(n->doc, "seen"), *r = json_object_get(n->doc, "report");
	struct sighting g[HERE_FLOWS];
	char title[KEY_NAME_MAX + 64];
	size_t k = 0;
	struct id id;
	enum status s;

	to[0] = '\0';
	for (; k < json_array_size(seen) && k < HERE_FLOWS; k++) {
		const json_t *v = json_array_get(seen, k);
		g[k] = (struct sighting){.source = "partner",
			.at = {json_integer_value(json_object_get(v, "at"))},
			.text = json_text(r, "from"),
			.flow_id = json_text(v, "id"),
			.count = 1};
		if (!flow_parse(&g[k].proto, g[k].end, json_text(v, "flow")))
			return err_set(e, STATUS_BAD, "the reading process handed back no flow");
	}
	if (k == 0)
		return STATUS_OK;
	(void)snprintf(title, sizeof(title), "request of %s", json_text(r, "from"));
	s = case_open(p->db, title, g, k, &id, e);
	(void)id_text(to, &id);
	return s;
}

static enum status store_told(
	const struct place *p, struct answer *n, const char *case_id, struct arena *arena, struct err *e)
{
	const json_t *list = json_object_get(n->doc, "told");
	size_t count = json_array_size(list);
	struct claim *c = arena_array(arena, count + TOLD_BLOCKS + 1, sizeof(*c));
	struct id of;
	enum status s = c ? STATUS_OK : err_nomem(e);

	n->k.claim = c;
	for (size_t i = 0; i < count && s == STATUS_OK; i++) {
		struct told t;
		s = told_take(&t, n->doc, i, e);
		if (s == STATUS_OK)
			s = told_store(p, &t, id_parse(&of, case_id) ? &of : NULL, "", "", &c[i].id, e);
		c[i].kind = t.kind;
		c[i].body = s == STATUS_OK ? arena_str(arena, t.body) : NULL;
		told_free(&t);
		if (s == STATUS_OK && !c[i].body)
			s = err_nomem(e);
	}
	n->k.n_claim = count;
	return s;
}

/* What was done: the rules of the order that it names, of what is disclosed. */
static enum status add_blocked(const struct place *p, struct answer *n, const struct attack_case *c,
	struct arena *arena, struct err *e)
{
	struct order_row row;
	struct told_blocks t = {
		.row = &row, .about = c->sighting, .n_about = c->n_sighting, .all = n->addresses};
	size_t more = 0;
	struct claim *to = n->k.claim + n->k.n_claim; /* room: store_told() */
	enum status s = order_row_read(p->db, n->blocked, arena, &row, e);

	if (s == STATUS_OK)
		s = claim_blocks(p, &t, arena, to, &more, e);
	if (s == STATUS_OK && more == 0)
		s = err_set(e, STATUS_NO,
			"block %s has no rule that hits what was asked about; --disclose address tells its "
			"others",
			n->blocked);
	n->k.n_claim += more;
	return s;
}

static enum status blocked_told(
	const struct place *p, struct answer *n, const char *case_id, struct arena *arena, struct err *e)
{
	struct attack_case c = {0};
	enum status s = n->blocked && *case_id ? case_read(p->db, case_id, arena, &c, e) : STATUS_OK;

	return s == STATUS_OK && n->blocked ? add_blocked(p, n, &c, arena, e) : s;
}

static enum status enter_request(
	const struct place *p, const struct answer *n, const char *case_id, struct err *e)
{
	const json_t *r = json_object_get(n->doc, "report");
	struct exchange x = {.received = true,
		.peer = json_text(r, "from"),
		.case_id = case_id,
		.ask = json_text(r, "ask"),
		.verdict = "",
		.why = ""};

	if (!id_parse(&x.id, json_text(r, "id")) || !wall_parse(&x.made, json_text(r, "made")) ||
		!wall_parse(&x.not_after, json_text(r, "not_after")))
		return err_set(e, STATUS_BAD, "the reading process handed back no request");
	enum status s = exchange_store(p, &x, n->request.p, n->request.n, e);
	return s == STATUS_NO ? STATUS_OK : s; /* entered by an answer that failed later on */
}

static enum status say_answered(struct app *a, const struct answer *n, const char *case_id, struct err *e)
{
	const struct manifest *m = &n->k.m;
	char id[ID_TEXT], request[ID_TEXT], count[COUNT_TEXT];

	(void)id_text(id, &m->id);
	(void)id_text(request, &m->reply_to);
	if (a->json)
		return json_out(a,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s?}", "id", id, "file", n->path,
				"reply_to", request, "to", m->to, "verdict", bundle_verdict_name(m->verdict),
				"claims", (json_int_t)n->k.n_claim, "case", *case_id ? case_id : NULL),
			e);
	(void)fprintf(a->out, "answer %.12s to %s on request %.12s: %s%s%s, %s disclosed; written to %s\n",
		id, m->to, request, bundle_verdict_name(m->verdict), *m->why ? ": " : "", m->why,
		counted(count, n->k.n_claim, "claim"), n->path);
	return STATUS_OK;
}

static enum status give(struct app *a, struct answer *n, struct err *e)
{
	const json_t *r = json_object_get(n->doc, "report");
	struct arena arena = {0};
	struct place p = {0};
	char case_id[ID_TEXT], sha[BLOB_NAME];
	enum status s = place_open(a, &p, e);

	(void)snprintf(n->k.m.to, sizeof(n->k.m.to), "%s", json_text(r, "from"));
	(void)snprintf(n->k.m.reply_sha256, sizeof(n->k.m.reply_sha256), "%s", json_text(r, "sha256"));
	n->k.looked_and_saw_nothing = json_is_true(json_object_get(n->doc, "saw_nothing"));
	if (s == STATUS_OK && !id_parse(&n->k.m.reply_to, json_text(r, "id")))
		s = err_set(e, STATUS_BAD, "the reading process handed back no request");
	if (s == STATUS_OK)
		s = case_here(&p, n, case_id, e);
	if (s == STATUS_OK)
		s = store_told(&p, n, case_id, &arena, e);
	if (s == STATUS_OK)
		s = blocked_told(&p, n, case_id, &arena, e);
	if (s == STATUS_OK)
		s = enter_request(&p, n, case_id, e);
	if (s == STATUS_OK)
		s = send_bundle(a, &p, &n->k, n->k.m.to, case_id, n->path, sha, e);
	if (s == STATUS_OK)
		s = say_answered(a, n, case_id, e);
	case_db_close(p.db);
	arena_free(&arena);
	return s;
}

/* ---- options ---- */

/* Exactly one of the three. */
static enum status verdict_of(
	struct manifest *m, bool accept, const char *doubt, const char *refuse, struct err *e)
{
	const char *why = doubt ? doubt : refuse;

	if (accept + (doubt != NULL) + (refuse != NULL) != 1)
		return err_set(e, STATUS_BAD, "answer: one of --accept, --doubt WHY, --refuse WHY");
	m->verdict = accept ? ANSWER_ACCEPTED : doubt ? ANSWER_DOUBTED : ANSWER_REFUSED;
	if (why && strlen(why) >= sizeof(m->why))
		return err_set(e, STATUS_BAD, "WHY is longer than %d bytes", MANIFEST_WHY);
	if (why && !utf8_line_valid(why))
		return err_set(e, STATUS_BAD, "WHY is not one line of plain UTF-8");
	(void)snprintf(m->why, sizeof(m->why), "%s", why ? why : "");
	return STATUS_OK;
}

/* Adds where the answer is that was given before: a crash may have kept its file from getting its name. */
static void say_given(const struct app *a, const struct answer *n, struct err *e)
{
	struct case_db *db = NULL;
	struct arena arena = {0};
	struct exchange *x;
	struct err other;
	struct id of;
	size_t count = 0;

	if (id_parse(&of, json_text(json_object_get(n->doc, "report"), "id")) &&
		case_db_open_existing(&db, a->w, a->dir, &other) == STATUS_OK &&
		exchange_list(db, NULL, &arena, &x, &count, &other) == STATUS_OK)
		for (size_t i = 0; i < count; i++)
			if (!x[i].received && x[i].answer && id_order(&x[i].reply_to, &of) == 0)
				(void)err_wrap(e, "it has an answer (blobs/%.2s/%s)", x[i].blob, x[i].blob);
	case_db_close(db);
	arena_free(&arena);
}

static enum status answer(
	struct app *a, struct answer *n, const struct inspect *i, const char *path, struct err *e)
{
	enum status s = inspect_file(a, i, path, &n->request, &n->doc, e);

	if (s == STATUS_OK)
		s = allowed(n, path, e);
	if (s == STATUS_NO)
		say_given(a, n, e);
	if (s == STATUS_OK)
		s = give(a, n, e);
	json_decref(n->doc);
	buf_free(&n->request);
	return s;
}

static enum status run(struct app *a, int argc, char **argv, struct err *e)
{
	bool accept = false;
	const char *doubt = NULL, *refuse = NULL, *disclose = NULL, *policy = NULL, *expires = NULL;
	struct texts key = {0};
	struct answer n = {.k.m.type = BUNDLE_ANSWER};
	struct option_row row[] = {{"accept", 0, OPTION_FLAG, &accept}, {"doubt", 0, OPTION_TEXT, &doubt},
		{"refuse", 0, OPTION_TEXT, &refuse}, {"disclose", 0, OPTION_TEXT, &disclose},
		{"output", 'o', OPTION_TEXT, &n.path}, {"key", 0, OPTION_LIST, &key},
		{"policy", 0, OPTION_TEXT, &policy}, {"expires", 0, OPTION_TEXT, &expires},
		{"blocked", 0, OPTION_TEXT, &n.blocked}};
	struct trusted t = {0};
	struct inspect i = {.trusted = &t, .act = act, .here = true};
	int first;
	enum status s = options_parse(a, row, sizeof(row) / sizeof(row[0]), argc, argv, &first, e);

	if (s == STATUS_OK && (argc - first != 1 || !n.path))
		s = err_set(e, STATUS_BAD, "answer: one FILE, and -o FILE");
	if (s == STATUS_OK)
		s = verdict_of(&n.k.m, accept, doubt, refuse, e);
	if (s == STATUS_OK && n.blocked && !accept)
		s = err_set(e, STATUS_BAD, "--blocked ID says what was done: it goes with --accept");
	i.confirm_only = !disclose;
	if (!disclose) /* who does not accept tells nothing unless he says so */
		disclose = accept ? "network" : "nothing";
	if (s == STATUS_OK && !disclose_parse(&i.disclose, disclose))
		s = err_set(e, STATUS_BAD, "--disclose %s: network, address or nothing", disclose);
	n.addresses = i.disclose == DISCLOSE_ADDRESS;
	if (s == STATUS_OK)
		s = trusted_load(&t, a, &key, policy, true, 0, e);
	if (s == STATUS_OK)
		s = send_head(a, &n.k.m, expires, e);
	if (s == STATUS_OK) {
		say_unrecorded(a); /* what is accepted then is believed, not found */
		s = answer(a, &n, &i, argv[first], e);
	}
	trusted_free(&t);
	return s;
}

const struct command command_answer = {"answer",
	"FILE (--accept | --doubt WHY | --refuse WHY) [--disclose network|address|nothing] [--blocked ID] -o "
	"FILE [--key "
	"VKEY]... [--policy FILE] [--expires T]",
	"answer a request, with what one's own recording shows", run};
