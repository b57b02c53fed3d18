/* Reading statements: a claim's JSON body, as another operator wrote it, to values that were looked at.
 *
 * Each field is a row of a table with its kind of value and its bounds; a body with a field missing, of
 * another type or out of bounds is STATUS_BAD and names it.  Fields that are not in the table are for people
 * (points, times, rivals) and are not read. */
#include "ask/statement.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "trace/recognise.h"

#define YEAR_US   (366 * 24 * 3600 * SECOND_US)
#define SKEW_MAX  RECOGNISE_SKEW_US /* two points of one operator are no further apart than two operators */
#define DRIFT_MAX 1e-3

static const char *const kind_names[] = {[STATES_ATTACK] = "attack",
	[STATES_SEEN] = "seen",
	[STATES_LINK] = "link",
	[STATES_SEARCH] = "search",
	[STATES_ORIGIN] = "origin",
	[STATES_BLOCK] = "block"};

const char *statement_kind_name(enum statement_kind k)
{
	return kind_names[k];
}

bool statement_kind_parse(enum statement_kind *to, const char *s)
{
	for (size_t k = 0; k < sizeof(kind_names) / sizeof(kind_names[0]); k++) {
		if (strcmp(kind_names[k], s) != 0)
			continue;
		*to = (enum statement_kind)k;
		return true;
	}
	return false;
}

/* ---- fields ---- */

enum field_kind {
	FIELD_TEXT,
	FIELD_TRAIN,
	FIELD_ID,
	FIELD_ADDRESS,
	FIELD_PREFIX,
	FIELD_TIME,
	FIELD_BOOL,
	FIELD_REAL,
	FIELD_WHOLE
};

struct field {
	const char *object, *key; /* object NULL: of the body itself */
	enum field_kind kind;
	size_t at;
	double least, most; /* of a number */
};

#define AT(member) offsetof(struct statement, member)

static const struct field one_flow[] = {{"flow", "train", FIELD_TRAIN, AT(out), 0, 0},
	{"flow", "flow", FIELD_TEXT, AT(out_flow), 0, 0}, {NULL, "code", FIELD_TEXT, AT(code), 0, 0}};
static const struct field link[] = {{"in", "train", FIELD_TRAIN, AT(in), 0, 0},
	{"in", "flow", FIELD_TEXT, AT(in_flow), 0, 0}, {"out", "train", FIELD_TRAIN, AT(out), 0, 0},
	{"out", "flow", FIELD_TEXT, AT(out_flow), 0, 0}, {NULL, "relay", FIELD_ADDRESS, AT(relay), 0, 0},
	{NULL, "in_opened", FIELD_BOOL, AT(in_opened), 0, 0},
	{NULL, "alpha", FIELD_REAL, AT(alpha), 1e-300, 0.5},
	{NULL, "log10_e", FIELD_REAL, AT(log10_e), -1e9, 1e9},
	{NULL, "needed", FIELD_REAL, AT(needed), 0, 1e6},
	{NULL, "searched", FIELD_WHOLE, AT(searched), 1, 1e15}, {NULL, "code", FIELD_TEXT, AT(code), 0, 0}};
static const struct field search[] = {
	{NULL, "relay", FIELD_ADDRESS, AT(relay), 0, 0}, {"out", "flow", FIELD_TEXT, AT(out_flow), 0, 0}};
static const struct field clock_fields[] = {{"clock", "at_us", FIELD_WHOLE, AT(clock.at_us), 0, 8e15},
	{"clock", "offset_us", FIELD_WHOLE, AT(clock.offset_us), -(double)SKEW_MAX, (double)SKEW_MAX},
	{"clock", "error_us", FIELD_WHOLE, AT(clock.error_us), 0, (double)SKEW_MAX},
	{"clock", "drift", FIELD_REAL, AT(clock.drift), -DRIFT_MAX, DRIFT_MAX}};
static const struct field origin[] = {{NULL, "link", FIELD_ID, AT(link), 0, 0},
	{NULL, "flow", FIELD_TEXT, AT(in_flow), 0, 0}, {NULL, "hops", FIELD_WHOLE, AT(hops), 0, TRACE_HOPS},
	{NULL, "network", FIELD_PREFIX, AT(network), 0, 0}, {NULL, "basis", FIELD_TEXT, AT(basis), 0, 0},
	{NULL, "code", FIELD_TEXT, AT(code), 0, 0}};
static const struct field block[] = {{NULL, "rule", FIELD_TEXT, AT(rule), 0, 0},
	{NULL, "from", FIELD_TIME, AT(from), 0, 0}, {NULL, "until", FIELD_TIME, AT(until), 0, 0},
	{NULL, "code", FIELD_TEXT, AT(code), 0, 0}};

static bool train_name(char to[BLOB_NAME], const char *s)
{
	if (!blob_name_valid(s))
		return false;
	memcpy(to, s, BLOB_NAME);
	return true;
}

/* false: not of its kind, or out of bounds. */
static bool field_set(const struct field *f, const json_t *v, void *to, struct arena *a)
{
	const char *s = json_string_value(v);
	double d = json_number_value(v);

	switch (f->kind) {
	case FIELD_TEXT:
		return s && (*(const char **)to = arena_str(a, s)) != NULL;
	case FIELD_TRAIN:
		return s && train_name(to, s);
	case FIELD_ID:
		return s && id_parse(to, s);
	case FIELD_PREFIX:
		return s && prefix_parse(to, s);
	case FIELD_ADDRESS:
		return s && ip_parse(to, s);
	case FIELD_TIME:
		return s && wall_parse(to, s);
	case FIELD_BOOL:
		*(bool *)to = json_is_true(v);
		return json_is_boolean(v);
	case FIELD_REAL:
		*(double *)to = d;
		return json_is_number(v) && isfinite(d) && d >= f->least && d <= f->most;
	case FIELD_WHOLE:
		*(int64_t *)to = json_integer_value(v);
		return json_is_integer(v) && d >= f->least && d <= f->most;
	}
	return false;
}

static enum status fields_read(struct statement *to, const json_t *body, const struct field *f, size_t n,
	struct arena *a, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *in = f[i].object ? json_object_get(body, f[i].object) : body;
		const json_t *v = json_object_get(in, f[i].key);
		if (!field_set(&f[i], v, (char *)to + f[i].at, a))
			return err_set(e, STATUS_BAD, "%s%s%s: %s", f[i].object ? f[i].object : "",
				f[i].object ? "." : "", f[i].key,
				v ? "not a value that it can have" : "missing");
	}
	return STATUS_OK;
}

/* Optional: of a flow that is one. */
static enum status members_read(uint32_t *to, const json_t *body, const char *object, struct err *e)
{
	const json_t *v = json_object_get(json_object_get(body, object), "members");

	*to = 0;
	if (!v)
		return STATUS_OK;
	if (!json_is_integer(v) || json_integer_value(v) < TRAIN_MEMBERS ||
		json_integer_value(v) > UINT32_MAX)
		return err_set(e, STATUS_BAD, "%s.members: not a value that it can have", object);
	*to = (uint32_t)json_integer_value(v);
	return STATUS_OK;
}

static enum status all_members_read(struct statement *to, const json_t *body, struct err *e)
{
	bool legs = to->kind == STATES_LINK || to->kind == STATES_SEARCH;
	enum status s = members_read(&to->out_members, body, legs ? "out" : "flow", e);

	return s == STATUS_OK && legs ? members_read(&to->in_members, body, "in", e) : s;
}

/* ---- a link's own ---- */

static enum status blind_read(struct statement *to, const json_t *list, struct arena *a, struct err *e)
{
	size_t n = json_array_size(list);
	int64_t last = 0;

	if (!json_is_array(list) || n > STATEMENT_BLIND)
		return err_set(e, STATUS_BAD, "blind: not a list of at most %d spans", STATEMENT_BLIND);
	to->blind = arena_array(a, n + 1, sizeof(*to->blind));
	if (!to->blind)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		const json_t *from = json_array_get(v, 0), *until = json_array_get(v, 1);
		struct span s = {json_integer_value(from), json_integer_value(until)};
		if (json_array_size(v) != 2 || !json_is_integer(from) || !json_is_integer(until) ||
			s.from_us < last || s.to_us <= s.from_us || s.to_us > 300 * YEAR_US)
			return err_set(e, STATUS_BAD, "blind: span %zu is out of order, or none", i);
		to->blind[to->n_blind++] = s;
		last = s.to_us;
	}
	return STATUS_OK;
}

static enum status link_read(struct statement *to, const json_t *body, struct arena *a, struct err *e)
{
	const char *verdict = json_string_value(json_object_get(body, "verdict"));
	const json_t *lag = json_object_get(body, "lag_us"), *bursts = json_object_get(body, "bursts");
	enum status s = STATUS_OK;

	if (!verdict || !json_is_integer(lag) || !json_is_integer(bursts) || json_integer_value(bursts) < 0 ||
		json_integer_value(bursts) > TRAIN_BURSTS)
		return err_set(
			e, STATUS_BAD, "verdict, lag_us or bursts: missing, or not a value that it can have");
	to->proven = strcmp(verdict, link_verdict_name(LINK_PROVEN)) == 0;
	to->lag_us = json_integer_value(lag);
	to->bursts = (uint32_t)json_integer_value(bursts);
	to->apart = json_object_get(body, "clock") != NULL;
	if (to->apart)
		s = fields_read(to, body, clock_fields, sizeof(clock_fields) / sizeof(*clock_fields), a, e);
	return s == STATUS_OK ? blind_read(to, json_object_get(body, "blind"), a, e) : s;
}

enum status statement_read(
	struct statement *to, const char *kind, const char *body, size_t n, struct arena *a, struct err *e)
{
	static const struct {
		const struct field *field;
		size_t n;
	} table[] = {[STATES_ATTACK] = {one_flow, sizeof(one_flow) / sizeof(*one_flow)},
		[STATES_SEEN] = {one_flow, sizeof(one_flow) / sizeof(*one_flow)},
		[STATES_LINK] = {link, sizeof(link) / sizeof(*link)},
		[STATES_SEARCH] = {search, sizeof(search) / sizeof(*search)},
		[STATES_ORIGIN] = {origin, sizeof(origin) / sizeof(*origin)},
		[STATES_BLOCK] = {block, sizeof(block) / sizeof(*block)}};
	json_error_t je;
	enum status s;

	*to = (struct statement){.in_flow = "", .out_flow = "", .code = ""};
	if (!statement_kind_parse(&to->kind, kind))
		return err_set(e, STATUS_BAD, "no kind of claim that this version knows");
	if (n > STATEMENT_BYTES)
		return err_set(e, STATUS_BAD, "%zu bytes: no claim is that long", n);
	json_t *j = json_loadb(body, n, JSON_REJECT_DUPLICATES, &je);
	if (!json_is_object(j)) {
		s = err_set(e, STATUS_BAD, "not a JSON object: %s", j ? "another value" : je.text);
	} else {
		if (json_integer_value(json_object_get(j, "v")) != STATEMENT_VERSION)
			s = err_set(e, STATUS_BAD, "v: not a version that is known here");
		else
			s = fields_read(to, j, table[to->kind].field, table[to->kind].n, a, e);
		if (s == STATUS_OK)
			s = all_members_read(to, j, e);
		if (s == STATUS_OK && to->kind == STATES_LINK)
			s = link_read(to, j, a, e);
		if (s == STATUS_OK && to->kind == STATES_BLOCK && to->until.us <= to->from.us)
			s = err_set(e, STATUS_BAD, "until: not after from");
	}
	json_decref(j);
	return s;
}

/* ---- computing a link again ---- */

bool statement_names(const char *flow, uint32_t members, const struct train *t)
{
	char text[FLOW_TEXT];

	return members == t->flow.members && strcmp(flow, train_text(text, t)) == 0;
}

/* Blind spans hide what disagrees: of the time that both legs were alive they are the smaller part. */
static bool blind_too_long(const struct statement *s, const struct flow *in, const struct flow *out)
{
	int64_t shift = s->apart ? clock_in(&s->clock, out->head.first_us) - out->head.first_us : 0;
	int64_t from = out->head.first_us + shift, until = out->last_us + shift, unseen = 0;

	from = in->head.first_us > from ? in->head.first_us : from;
	until = in->last_us < until ? in->last_us : until;
	for (size_t i = 0; i < s->n_blind; i++) {
		int64_t a = s->blind[i].from_us > from ? s->blind[i].from_us : from;
		int64_t b = s->blind[i].to_us < until ? s->blind[i].to_us : until;
		unseen += b > a ? b - a : 0;
	}
	return unseen > 0 && unseen > (until - from) / 2;
}

static enum status pair_stated(struct relink *to, const struct statement *s, const struct train *in,
	const struct train *out, struct err *e)
{
	int in_end = flow_side(&in->flow, &s->relay), out_end = flow_side(&out->flow, &s->relay);

	if (!statement_names(s->in_flow, s->in_members, in) ||
		!statement_names(s->out_flow, s->out_members, out))
		return err_set(e, STATUS_BAD, "its trains are of other flows than it names");
	if (in_end < 0 || out_end < 0 || in->hidden[in_end] || out->hidden[out_end] ||
		strcmp(s->in, s->out) == 0)
		return err_set(e, STATUS_BAD, "the relay that it names is not an end of both flows");
	if (in->flow.head.source.gap_us < BURST_GAP_RECORDED_US ||
		out->flow.head.source.gap_us < BURST_GAP_RECORDED_US)
		return err_set(e, STATUS_BAD,
			"its trains have bursts nearer than %d ms: no recording of weir has",
			BURST_GAP_RECORDED_US / 1000);
	*to = (struct relink){.in = &in->flow,
		.out = &out->flow,
		.in_way = !in_end,
		.out_way = out_end,
		.in_opened = s->in_opened,
		.apart = s->apart,
		.clock = s->clock,
		.blind = s->blind,
		.n_blind = s->n_blind,
		.needed = s->needed};
	if (s->apart && strcmp(in->flow.head.point, out->flow.head.point) == 0)
		return err_set(e, STATUS_BAD, "one observation point has one clock");
	if (blind_too_long(s, &in->flow, &out->flow))
		return err_set(e, STATUS_BAD, "more than half of the legs' time is said to be unseen");
	/* who opened it may hang on a port that is not disclosed; else it is seen */
	if (!in->hidden[!in_end] && s->in_opened != (flow_opener(&in->flow) == in_end))
		return err_set(e, STATUS_BAD, "in_opened is not what the train shows");
	return STATUS_OK;
}

static void compare(struct recomputed *to, const struct statement *s)
{
	const struct link_result *l = &to->link;
	double needed = -log10(s->alpha) + log10((double)s->searched);

	to->same = false;
	if (!(fabs(needed - s->needed) <= 1e-9))
		(void)snprintf(to->why, sizeof(to->why),
			"needed is %.9f by its alpha and M, not the %.9f stated", needed, s->needed);
	else if (!(fabs(l->max_log10_e - s->log10_e) <= 1e-9))
		(void)snprintf(to->why, sizeof(to->why), "log10 e is %.9f by its trains, not the %.9f stated",
			l->max_log10_e, s->log10_e);
	else if (l->bursts != s->bursts || l->lag_us != s->lag_us)
		(void)snprintf(to->why, sizeof(to->why), "lag or number of bursts are not as stated");
	else if ((l->verdict == LINK_PROVEN) != s->proven)
		(void)snprintf(to->why, sizeof(to->why), "its trains do not give the verdict stated: %s",
			link_verdict_name(l->verdict));
	else
		to->same = true;
}

enum status statement_recompute(struct relink_room *room, const struct statement *s, const struct train *in,
	const struct train *out, struct recomputed *to, struct err *e)
{
	struct relink p;
	enum status st = pair_stated(&p, s, in, out, e);

	*to = (struct recomputed){0};
	if (st == STATUS_OK)
		st = relink_test(room, &p, &to->link, e);
	if (st == STATUS_OK)
		compare(to, s);
	return st;
}

enum status statement_limit(struct relink_room *room, const struct statement *s, const struct train *in,
	const struct train *out, struct limit *to, struct err *e)
{
	struct relink p;
	enum status st = pair_stated(&p, s, in, out, e);

	return st == STATUS_OK ? limit_find(room, &p, to, e) : st;
}
