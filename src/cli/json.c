/* The JSON of flows, links, hops, chains, claims and cases (a contract: doc/weir.1).  In all of it a flow is
 * an object with at least `id` and `flow`. */
#include "cli/app.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "cli/networks.h"
#include "trace/limit.h"

enum status json_out(struct app *a, json_t *j, struct err *e)
{
	networks_into(a, j);
	/* 12 significant digits: what doubters compare is 1e-9 */
	int r = j ? json_dumpf(j, a->out, JSON_COMPACT | JSON_REAL_PRECISION(12)) : -1;

	json_decref(j);
	if (r == 0 && fputc('\n', a->out) == EOF)
		r = -1;
	a->unwritten = ferror(a->out) != 0;
	if (a->unwritten)
		return err_errno(e, "standard output");
	if (r != 0)
		return err_nomem(e);
	return STATUS_OK;
}

const char *json_text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "?";
}

double json_number(const json_t *j, const char *key)
{
	return json_number_value(json_object_get(j, key));
}

json_t *json_time(int64_t us)
{
	char t[WALL_TEXT];

	return json_string(wall_text(t, (struct wall){us}));
}

static void flags_into(json_t *j, const struct flow *f)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = {{FLOW_ASSUMED, "initiator_assumed"}, {FLOW_CLOSED, "closed"},
		{FLOW_DERIVED_0, "derived_to_responder"}, {FLOW_DERIVED_1, "derived_to_initiator"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (f->head.flags & names[i].flag)
			(void)json_object_set_new(j, names[i].name, json_true());
	if (f->count[0].packets == 0 || f->count[1].packets == 0)
		(void)json_object_set_new(j, "half", json_true());
}

static json_t *two(uint64_t a, uint64_t b)
{
	return json_pack("[I, I]", (json_int_t)a, (json_int_t)b);
}

json_t *json_flow(const struct app *a, const struct flow *f)
{
	char id[ID_TEXT], other[ID_TEXT], text[FLOW_TEXT], point[POINT_TEXT];
	int64_t gap = a->cfg.burst_gap_us;

	if (!f)
		return json_null();
	json_t *j = json_pack("{s:s, s:s, s:s}", "id", id_text(id, &f->head.id), "flow",
		flow_text(text, &f->head), "point", printable(point, sizeof(point), f->head.point));
	if (!j)
		return NULL;
	if (f->head.vlan)
		(void)json_object_set_new(j, "vlan", json_integer(f->head.vlan));
	(void)json_object_set_new(j, "first", json_time(f->head.first_us));
	(void)json_object_set_new(j, "last", json_time(f->last_us));
	(void)json_object_set_new(j, "packets", two(f->count[0].packets, f->count[1].packets));
	(void)json_object_set_new(j, "frame_bytes", two(f->count[0].frame_bytes, f->count[1].frame_bytes));
	(void)json_object_set_new(
		j, "payload_bytes", two(f->count[0].payload_bytes, f->count[1].payload_bytes));
	(void)json_object_set_new(j, "bursts",
		two(bursts_count(f->burst[0], f->n_burst[0], gap),
			bursts_count(f->burst[1], f->n_burst[1], gap)));
	flags_into(j, f);
	if (f->members > 1)
		(void)json_object_set_new(j, "members", json_integer(f->members));
	if (f->rewrite_of)
		(void)json_object_set_new(
			j, "rewrite_of", json_string(id_text(other, &f->rewrite_of->head.id)));
	return j;
}

/* log10_e is the supremum of the wealth, for that is what is held against `needed` and what Ville's
 * inequality bounds. */
void json_link(json_t *to, const struct link_result *l, double needed)
{
	(void)json_object_set_new(to, "log10_e", json_real(l->max_log10_e));
	(void)json_object_set_new(to, "needed", json_real(needed));
	(void)json_object_set_new(to, "lag_ms", json_real((double)l->lag_us / 1000));
	(void)json_object_set_new(to, "bursts", json_integer(l->bursts));
	(void)json_object_set_new(to, "first_sufficient_s",
		l->first_sufficient_us < 0 ? json_null() : json_real((double)l->first_sufficient_us / 1e6));
	(void)json_object_set_new(to, "verdict", json_string(link_verdict_name(l->verdict)));
	char why[LIMIT_TEXT];
	if (l->verdict != LINK_PROVEN)
		(void)json_object_set_new(
			to, "reason", json_string(link_reason_say(why, sizeof(why), l, needed)));
}

/* How many bursts there are, where so few are that the test did not read them. */
static void json_candidate(json_t *to, const struct candidate *c, double needed)
{
	char why[LIMIT_TEXT];
	struct link_result l = c->link;

	json_link(to, &l, needed);
	if (!c->flow || l.reason != LINK_REASON_FEW_BURSTS || l.bursts)
		return;
	l.bursts = (uint32_t)relink_bursts(&c->pair);
	(void)json_object_set_new(to, "reason", json_string(link_reason_say(why, sizeof(why), &l, needed)));
}

json_t *json_limit_of(const struct limit *l)
{
	if (!l->known)
		return json_null();
	return json_pack("{s:s, s:f, s:f}", "of", l->own ? "pair" : "in", "jitter_ms", l->jitter_ms, "chaff",
		l->chaff);
}

void json_limit(json_t *to, const struct relink *p)
{
	struct relink_room room = {0};
	struct limit l;
	struct err e;
	bool good = limit_find(&room, p, &l, &e) == STATUS_OK;

	relink_free(&room);
	(void)json_object_set_new(to, "limit", good ? json_limit_of(&l) : json_null());
}

static json_t *json_clock(const struct clock_fit *c)
{
	return json_pack("{s:I, s:I, s:f, s:I, s:I}", "at_us", (json_int_t)c->at_us, "offset_us",
		(json_int_t)c->offset_us, "drift_ppm", c->drift * 1e6, "error_us", (json_int_t)c->error_us,
		"flows", (json_int_t)c->flows);
}

static void rival_into(const struct app *a, json_t *list, const struct candidate *c, double needed)
{
	json_t *j = json_flow(a, c->flow);

	json_candidate(j, c, needed);
	(void)json_array_append_new(list, j);
}

/* Where nothing is proven nobody is named as the in-leg, and the best is only the first of the rivals. */
static json_t *json_rivals(const struct app *a, const struct hop *h)
{
	json_t *list = json_array();

	if (h->best.flow && h->best.link.verdict != LINK_PROVEN)
		rival_into(a, list, &h->best, h->needed);
	for (size_t i = 0; i < h->n_rival; i++)
		rival_into(a, list, &h->rival[i], h->needed);
	return list;
}

json_t *json_hop(const struct app *a, const struct hop *h, const char *claim_id)
{
	char relay[IP_TEXT];
	bool named = h->best.link.verdict == LINK_PROVEN;
	json_t *j = json_object();

	if (claim_id)
		(void)json_object_set_new(j, "id", json_string(claim_id));
	(void)json_object_set_new(j, "relay", json_string(ip_text(relay, &h->relay)));
	(void)json_object_set_new(j, "in", named ? json_flow(a, h->best.flow) : json_null());
	(void)json_object_set_new(j, "out", json_flow(a, h->out));
	if (h->translated)
		(void)json_object_set_new(j, "translated_from", json_flow(a, h->translated));
	(void)json_object_set_new(j, "searched", json_integer((json_int_t)h->searched));
	json_candidate(j, &h->best, h->needed);
	if (h->best.flow)
		json_limit(j, &h->best.pair);
	if (h->role) {
		(void)json_object_set_new(j, "role", json_string(h->role));
		(void)json_object_set_new(j, "role_why", json_string(h->role_why));
	}
	if (named && strcmp(h->best.flow->head.point, h->out->head.point) != 0)
		(void)json_object_set_new(j, "clock", json_clock(&h->best.pair.clock));
	if (h->declared)
		(void)json_object_set_new(j, "declared", json_true());
	(void)json_object_set_new(j, "rivals", json_rivals(a, h));
	return j;
}

json_t *json_chain(const struct app *a, const struct chain *c, char (*claim_id)[ID_TEXT])
{
	static const char *const end[] = {[END_NOT_RECORDED] = "not-recorded",
		[END_INSUFFICIENT] = "insufficient",
		[END_UNDECIDABLE] = "undecidable",
		[END_OUTSIDE] = "outside",
		[END_LOOP] = "loop",
		[END_DEPTH] = "depth",
		[END_ONE_HOST] = "one-host"};
	char why[256], host[IP_TEXT];
	json_t *j = json_object(), *hops = json_array();

	(void)json_object_set_new(j, "attack", json_flow(a, c->attack));
	(void)json_object_set_new(j, "alpha", json_real(c->alpha));
	(void)json_object_set_new(j, "searched", json_integer((json_int_t)c->searched));
	for (size_t i = 0; i < c->n_hop; i++)
		(void)json_array_append_new(hops, json_hop(a, &c->hop[i], claim_id ? claim_id[i] : NULL));
	(void)json_object_set_new(j, "hops", hops);
	json_t *ends = json_pack("{s:s, s:s, s:s}", "host", ip_text(host, &c->end_host), "kind", end[c->end],
		"why", chain_end_text(why, sizeof(why), c));
	if (a->networks)
		(void)json_object_set_new(ends, "network", networks_json(a, &c->end_host));
	(void)json_object_set_new(j, "ends", ends);
	return j;
}

json_t *json_claim(const struct claim *c)
{
	char id[ID_TEXT];
	json_t *body = json_loads(c->body, 0, NULL);

	return json_pack("{s:s, s:s, s:o, s:s, s:o}", "id", id_text(id, &c->id), "kind", c->kind, "made",
		json_time(c->made.us), "by", c->origin, "body", body ? body : json_null());
}

json_t *json_exchange(const struct exchange *x)
{
	char id[ID_TEXT], reply[ID_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:o}", "id", id_text(id, &x->id),
		"type", x->answer ? "answer" : "request", "way", x->received ? "received" : "sent", "peer",
		x->peer, "made", json_time(x->made.us), "not_after", json_time(x->not_after.us), "sha256",
		x->blob, "ask", x->ask, "verdict", x->verdict, "reason", x->why, "reply_to",
		x->answer ? json_string(id_text(reply, &x->reply_to)) : json_null());
}

json_t *json_sighting(const struct sighting *g)
{
	char id[ID_TEXT], text[FLOW_TEXT];
	struct flow_head head = {.proto = g->proto, .end = {g->end[0], g->end[1]}};

	return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:s?, s:I}", "id", id_text(id, &g->id), "source",
		g->source, "flow", flow_text(text, &head), "flow_id", g->flow_id, "at", json_time(g->at.us),
		"text", g->text, "count", (json_int_t)g->count);
}

json_t *json_case(const struct attack_case *c)
{
	char id[ID_TEXT];
	json_t *s = json_array(), *k = json_array();

	for (size_t i = 0; i < c->n_sighting; i++)
		(void)json_array_append_new(s, json_sighting(&c->sighting[i]));
	for (size_t i = 0; i < c->n_claim; i++)
		(void)json_array_append_new(k, json_claim(&c->claim[i]));
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", id_text(id, &c->id), "title", c->title,
		"state", c->closed.us ? "closed" : "open", "opened", json_time(c->opened.us), "closed",
		c->closed.us ? json_time(c->closed.us) : json_null(), "sightings", s, "claims", k);
}
