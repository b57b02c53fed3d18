/* Making statements: out of a flow or a hop of a chain comes a claim's JSON body with the texts of the trains
 * that it names.
 *
 * What a body says of other flows is numbers only: how many were searched (M), and how near the best of them
 * came.  Their addresses, times and sizes stay at home. */
#include "ask/statement.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "record/flow.h"

/* How far before and after a pair's life the link test asks for blind spans: its guard, horizon and slots
 * (trace/link_*.h) are each below that. */
#define BLIND_BESIDE_US SECOND_US

void told_free(struct told *t)
{
	free(t->body);
	buf_free(&t->train[0]);
	buf_free(&t->train[1]);
	*t = (struct told){0};
}

static json_t *time_of(int64_t us)
{
	char t[WALL_TEXT];

	return json_string(wall_text(t, (struct wall){us}));
}

/* The train's text and name as number k of *to, and what a body says of it.  NULL: no memory. */
static json_t *put_train(struct told *to, int k, const struct train *t)
{
	char text[FLOW_TEXT], id[ID_TEXT];
	bool hidden = t->hidden[0] || t->hidden[1];

	train_write(&to->train[k], t);
	if (to->train[k].failed || !blob_name(to->name[k], to->train[k].p, to->train[k].n))
		return NULL;
	json_t *j = json_pack("{s:s, s:s, s:s, s:o, s:o}", "flow", train_text(text, t), "train", to->name[k],
		"point", t->flow.head.point, "first", time_of(t->flow.head.first_us), "last",
		time_of(t->flow.last_us));
	uint32_t members = train_members((const char *)to->train[k].p, to->train[k].n);
	if (j && members)
		(void)json_object_set_new(j, "members", json_integer(members));
	/* the id is a hash over the addresses: with it a hidden one could be guessed */
	if (!hidden)
		(void)json_object_set_new(j, "id", json_string(id_text(id, &t->flow.head.id)));
	return j;
}

/* Takes the reference; j NULL: no memory. */
static enum status body_set(struct told *to, const char *kind, json_t *j, const char *code, struct err *e)
{
	if (j && json_object_set_new(j, "v", json_integer(STATEMENT_VERSION)) == 0 &&
		json_object_set_new(j, "code", json_string(code)) == 0)
		to->body = json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(17));
	json_decref(j);
	to->kind = kind;
	return to->body ? STATUS_OK : err_nomem(e);
}

/* A signature's name is its maker's; other sensors' and people's words may speak of other hosts. */
static json_t *said_list(const struct sighting *said, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		bool signature = strcmp(said[i].source, "eve") == 0;
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:I}", "source", said[i].source, "text",
				      signature ? said[i].text : "", "at", time_of(said[i].at.us), "count",
				      (json_int_t)said[i].count));
	}
	return list;
}

enum status tell_attack(struct told *to, const struct flow *f, const struct sighting *said, size_t n,
	const char *code, struct err *e)
{
	struct train t = {.flow = *f};

	*to = (struct told){0};
	json_t *train = put_train(to, 0, &t);
	json_t *j = train ? json_pack("{s:o, s:o}", "flow", train, "said", said_list(said, n)) : NULL;
	return body_set(to, statement_kind_name(STATES_ATTACK), j, code, e);
}

enum status tell_seen(struct told *to, const struct flow *f, const char *code, struct err *e)
{
	struct train t = {.flow = *f};

	*to = (struct told){0};
	json_t *train = put_train(to, 0, &t);
	return body_set(to, statement_kind_name(STATES_SEEN),
		train ? json_pack("{s:o}", "flow", train) : NULL, code, e);
}

/* ---- a hop ---- */

#define IN_MARGIN_US (60 * SECOND_US) /* of IN's life before and after OUT's that travels */

/* Only what one direction has in [from, until]; whether anything was left out. */
static bool lane_cut(struct flow *f, int d, int64_t from, int64_t until)
{
	size_t n = f->n_burst[d], first = 0, end = n;
	struct flow_count *c = &f->count[d];

	while (first < n && f->burst[d][first].start_us < from)
		first++;
	while (end > first && burst_end(&f->burst[d][end - 1]) > until)
		end--;
	if (end - first == n)
		return false;
	f->burst[d] += first;
	f->n_burst[d] = end - first;
	*c = (struct flow_count){.last_us = -1};
	for (size_t i = 0; i < f->n_burst[d]; i++) {
		c->packets += f->burst[d][i].packets;
		c->payload_bytes += f->burst[d][i].bytes;
	}
	c->frame_bytes = c->payload_bytes; /* of the rest nothing is known for this stretch */
	return true;
}

/* IN as it travels: about OUT's life, for what else it carried is nobody's business.  Of an aggregate it is
 * not known which members are cut off: `members` stays what it was made of. */
static void cut_in(struct flow *in, const struct relink *p)
{
	const struct flow *out = p->out;
	int64_t from =
		(p->apart ? clock_in(&p->clock, out->head.first_us) : out->head.first_us) - IN_MARGIN_US;
	int64_t until = (p->apart ? clock_in(&p->clock, out->last_us) : out->last_us) + IN_MARGIN_US;
	bool cut = lane_cut(in, 0, from, until);

	cut = lane_cut(in, 1, from, until) || cut;
	if (!cut)
		return;
	in->head.flags &= (uint8_t) ~(FLOW_SYN | FLOW_SYNACK | FLOW_CLOSED);
	memset(in->head.isn, 0, sizeof(in->head.isn));
	in->head.first_us = in->head.first_us > from ? in->head.first_us : from;
	in->last_us = in->last_us < until ? in->last_us : until;
}

/* The train of h's IN, with its far end hidden down to a prefix where hide is not 0. */
static struct train in_train(const struct hop *h, const struct relink *p, uint8_t hide)
{
	struct train t = {.flow = *h->best.flow};

	cut_in(&t.flow, p);
	if (hide)
		train_hide(&t, !flow_side(&t.flow, &h->relay), hide);
	return t;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Blind spans that the pair's life meets, on IN's clock, or that the test looks at beside it: others would
 * tell of times that are nobody's business. */
static enum status blind_near(struct relink *p, struct arena *a, struct err *e)
{
	const struct flow *in = p->in, *out = p->out;
	struct clock_fit clock = p->apart ? p->clock : (struct clock_fit){0};
	int64_t beside = clock.error_us + BLIND_BESIDE_US;
	int64_t from = least(in->head.first_us, clock_in(&clock, out->head.first_us)) - beside;
	int64_t until = most(in->last_us, clock_in(&clock, out->last_us)) + beside;
	struct span *near = arena_array(a, p->n_blind + 1, sizeof(*near));
	size_t n = 0;

	if (!near)
		return err_nomem(e);
	for (size_t i = 0; i < p->n_blind && n < STATEMENT_BLIND; i++)
		if (p->blind[i].to_us >= from && p->blind[i].from_us <= until)
			near[n++] = p->blind[i];
	p->blind = near;
	p->n_blind = n;
	return STATUS_OK;
}

/* The test on the trains as they were written: a flow that was too long to travel whole was cut. */
static enum status test_written(
	const struct told *t, const struct relink *pair, struct link_result *to, struct err *e)
{
	struct relink p = *pair;
	struct relink_room room = {0};
	struct arena arena = {0};
	struct train in, out;
	enum status s = train_read(&in, (const char *)t->train[0].p, t->train[0].n, &arena, e);

	if (s == STATUS_OK)
		s = train_read(&out, (const char *)t->train[1].p, t->train[1].n, &arena, e);
	p.in = &in.flow;
	p.out = &out.flow;
	if (s == STATUS_OK)
		s = relink_test(&room, &p, to, e);
	relink_free(&room);
	arena_free(&arena);
	return s;
}

static json_t *blind_list(const struct relink *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_blind; i++)
		(void)json_array_append_new(list,
			json_pack("[I, I]", (json_int_t)p->blind[i].from_us, (json_int_t)p->blind[i].to_us));
	return list;
}

static json_t *clock_of(const struct clock_fit *c)
{
	return json_pack("{s:I, s:I, s:f, s:I, s:I}", "at_us", (json_int_t)c->at_us, "offset_us",
		(json_int_t)c->offset_us, "drift", c->drift, "error_us", (json_int_t)c->error_us, "flows",
		(json_int_t)c->flows);
}

static json_t *rivals_of(const struct hop *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_rival; i++)
		(void)json_array_append_new(
			list, json_pack("{s:f, s:s}", "log10_e", h->rival[i].link.max_log10_e, "verdict",
				      link_verdict_name(h->rival[i].link.verdict)));
	return list;
}

static void numbers(json_t *j, const struct hop *h, const struct link_result *l, double alpha)
{
	(void)json_object_set_new(j, "searched", json_integer((json_int_t)h->searched));
	(void)json_object_set_new(j, "log10_e", json_real(l->max_log10_e));
	(void)json_object_set_new(j, "needed", json_real(h->needed));
	(void)json_object_set_new(j, "lag_ms", json_real((double)l->lag_us / 1000));
	(void)json_object_set_new(j, "lag_us", json_integer(l->lag_us));
	(void)json_object_set_new(j, "bursts", json_integer(l->bursts));
	(void)json_object_set_new(j, "verdict", json_string(link_verdict_name(l->verdict)));
	if (l->verdict != LINK_PROVEN)
		(void)json_object_set_new(j, "reason", json_string(link_reason_text(l->reason)));
	(void)json_object_set_new(j, "alpha", json_real(alpha));
	(void)json_object_set_new(j, "burst_gap_us", json_integer(BURST_GAP_READ_US));
	(void)json_object_set_new(j, "rivals", rivals_of(h));
}

/* "None of the relay's flows is proven to have fed OUT." */
static enum status tell_search(struct told *to, const struct hop *h, const char *relay, double alpha,
	const char *code, struct err *e)
{
	struct train t = {.flow = *h->out};
	json_t *out = put_train(to, 1, &t);
	json_t *j = out ? json_pack("{s:s, s:n, s:o}", "relay", relay, "in", "out", out) : NULL;

	if (j)
		numbers(j, h, &h->best.link, alpha);
	return body_set(to, statement_kind_name(STATES_SEARCH), j, code, e);
}

/* "The relay relayed OUT from IN", p being how the two were tested. */
static enum status tell_link(struct told *to, const struct hop *h, const struct relink *p, double alpha,
	uint8_t hide, const char *relay, const char *code, struct err *e)
{
	struct train in = in_train(h, p, hide), out = {.flow = *h->out};
	struct link_result l;
	json_t *a = put_train(to, 0, &in), *b = put_train(to, 1, &out);
	json_t *j = a && b ? json_pack("{s:s, s:o, s:o, s:b, s:o}", "relay", relay, "in", a, "out", b,
				     "in_opened", p->in_opened, "blind", blind_list(p))
			   : NULL;
	enum status s = j ? test_written(to, p, &l, e) : err_nomem(e);

	if (s != STATUS_OK) {
		json_decref(j);
		return s;
	}
	numbers(j, h, &l, alpha);
	if (p->apart)
		(void)json_object_set_new(j, "clock", clock_of(&p->clock));
	if (h->declared)
		(void)json_object_set_new(j, "declared", json_true());
	return body_set(to, statement_kind_name(STATES_LINK), j, code, e);
}

enum status tell_hop(
	struct told *to, const struct hop *h, double alpha, uint8_t hide, const char *code, struct err *e)
{
	struct relink p = h->best.pair;
	struct arena arena = {0};
	char relay[IP_TEXT];
	enum status s;

	*to = (struct told){0};
	(void)ip_text(relay, &h->relay);
	if (h->best.link.verdict != LINK_PROVEN)
		return tell_search(to, h, relay, alpha, code, e);
	s = blind_near(&p, &arena, e);
	if (s == STATUS_OK)
		s = tell_link(to, h, &p, alpha, hide, relay, code, e);
	arena_free(&arena);
	return s;
}

enum status tell_origin(struct told *to, const struct told *link, const char *in_flow, size_t hops,
	const struct prefix *network, const char *basis, const char *code, struct err *e)
{
	struct claim c = {.kind = link->kind, .body = link->body};
	char text[PREFIX_TEXT], id[ID_TEXT];

	*to = (struct told){0};
	if (!claim_make_id(&c))
		return err_nomem(e);
	return body_set(to, statement_kind_name(STATES_ORIGIN),
		json_pack("{s:s, s:s, s:I, s:s, s:s}", "link", id_text(id, &c.id), "flow", in_flow, "hops",
			(json_int_t)hops, "network", prefix_text(text, network), "basis", basis),
		code, e);
}

enum status tell_block(struct told *to, const char *rule, struct wall from, struct wall until,
	const char *code, struct err *e)
{
	*to = (struct told){0};
	return body_set(to, statement_kind_name(STATES_BLOCK),
		json_pack("{s:s, s:o, s:o}", "rule", rule, "from", time_of(from.us), "until",
			time_of(until.us)),
		code, e);
}

bool disclose_parse(enum disclose *to, const char *s)
{
	static const char *const name[] = {[DISCLOSE_NOTHING] = "nothing",
		[DISCLOSE_NETWORK] = "network",
		[DISCLOSE_ADDRESS] = "address"};

	for (size_t k = 0; k < sizeof(name) / sizeof(name[0]); k++) {
		if (strcmp(name[k], s) != 0)
			continue;
		*to = (enum disclose)k;
		return true;
	}
	return false;
}
