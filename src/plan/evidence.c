/* What a case rests on: its sightings, and the links that are claimed of it.
 *
 * The body of a link claim is JSON (src/ask/statement.h has its fields); of a partner's claim it is his
 * text. Only what a plan needs is read here, bounded and checked; what does not read is no link. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "plan/make_in.h"
#include "record/train.h"
#include "trace/audit.h"

#define BODY_BYTES  ((size_t)256 << 10) /* as ask/statement.h bounds it */
#define E_MOST      1e9
#define SEARCH_MOST 1000000000000000 /* candidates */
#define WORD        64               /* bytes of an end of a flow */

/* ---- a link's body ---- */

/* "198.51.100.7:41234", "[2001:db8::1]:22", or "198.51.100.0/24" where the host is not disclosed. */
static bool end_read(struct told_end *to, const char *s)
{
	struct prefix p;

	*to = (struct told_end){0};
	if (!strchr(s, '/'))
		return endpoint_parse(&to->end, s);
	if (!prefix_parse(&p, s))
		return false;
	to->end.ip = p.ip;
	to->hidden = (uint8_t)(p.len + 1);
	return true;
}

static bool flow_read(uint8_t *proto, struct told_end end[2], const char *s)
{
	char name[16], a[WORD], b[WORD], rest;

	return sscanf(s, "%15s %63s > %63s%c", name, a, b, &rest) == 3 && proto_parse(proto, name) &&
	       end_read(&end[0], a) && end_read(&end[1], b) && end[0].end.ip.v == end[1].end.ip.v;
}

static const char *text_at(const json_t *j, const char *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(j, object), key));
}

static bool numbers_read(struct told_link *to, const json_t *j)
{
	const json_t *e = json_object_get(j, "log10_e"), *m = json_object_get(j, "searched");
	const json_t *alpha = json_object_get(j, "alpha");
	json_int_t searched = json_integer_value(m);

	/* by nothing smaller than any: an audit that allows less than all withholds it */
	to->alpha = json_is_number(alpha) ? json_number_value(alpha) : 1;

	to->log10_e = json_number_value(e);
	to->searched = (uint64_t)searched;
	to->in_opened = json_is_true(json_object_get(j, "in_opened"));
	return json_is_number(e) && isfinite(to->log10_e) && fabs(to->log10_e) <= E_MOST &&
	       json_is_integer(m) && searched >= 1 && searched <= SEARCH_MOST;
}

static bool time_at(int64_t *to, const json_t *j, const char *object, const char *key)
{
	const char *s = text_at(j, object, key);
	struct wall t;

	if (!s || !wall_parse(&t, s))
		return false;
	*to = t.us;
	return true;
}

/* How many flows one leg is of, and when: without its time a leg without port could be any day's. */
static bool members_read(
	uint32_t *members, struct span *life, const struct told_end end[2], const json_t *j, const char *leg)
{
	const json_t *v = json_object_get(json_object_get(j, leg), "members");
	json_int_t n = json_integer_value(v);

	*members = 0;
	*life = (struct span){0, -1};
	if (!v)
		return true;
	if (!json_is_integer(v) || n < TRAIN_MEMBERS || n > UINT32_MAX || end[0].end.port != 0)
		return false;
	*members = (uint32_t)n;
	return time_at(&life->from_us, j, leg, "first") && time_at(&life->to_us, j, leg, "last") &&
	       life->from_us <= life->to_us;
}

static bool flows_read(struct told_link *to, const json_t *j, struct arena *a)
{
	const char *in = text_at(j, "in", "flow"), *out = text_at(j, "out", "flow");
	const char *relay = json_string_value(json_object_get(j, "relay"));
	uint8_t proto;

	if (!in || !out || !relay || !ip_parse(&to->relay, relay) || !flow_read(&to->proto, to->in, in) ||
		!flow_read(&proto, to->out, out))
		return false;
	to->in_text = arena_str(a, in);
	to->out_text = arena_str(a, out);
	return to->in_text && to->out_text && members_read(&to->in_members, &to->in_life, to->in, j, "in") &&
	       members_read(&to->out_members, &to->out_life, to->out, j, "out");
}

bool told_link_read(struct told_link *to, const struct claim *c, struct arena *a)
{
	size_t n = strlen(c->body);

	*to = (struct told_link){.made = c->made};
	if (strcmp(c->kind, "link") != 0 || n > BODY_BYTES)
		return false;
	json_t *j = json_loadb(c->body, n, JSON_REJECT_DUPLICATES, NULL);
	const char *verdict = json_string_value(json_object_get(j, "verdict"));
	bool good = verdict && strcmp(verdict, "proven") == 0 && flows_read(to, j, a) && numbers_read(to, j);

	json_decref(j);
	to->by = arena_str(a, c->origin ? c->origin : "");
	return good && to->by;
}

/* ---- the hash ---- */

struct lines {
	char **line;
	size_t n;
};

static bool line_add(struct lines *l, struct arena *a, const char *text)
{
	l->line[l->n] = arena_str(a, text);
	return l->line[l->n++] != NULL;
}

static int line_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool sighting_line(struct lines *l, struct arena *a, const struct sighting *g)
{
	char id[ID_TEXT], line[ID_TEXT + 16];

	(void)snprintf(line, sizeof(line), "sighting %s\n", id_text(id, &g->id));
	return line_add(l, a, line);
}

bool told_link_withheld(const struct told_link *l, const struct tracer *t)
{
	return !*l->by && tracer_withholds(t, &(struct link_told){l->alpha, l->log10_e, l->searched});
}

static bool claim_line(struct lines *l, struct arena *a, const struct claim *c, const struct tracer *t)
{
	struct told_link k;
	char relay[IP_TEXT], line[4 * FLOW_TEXT];

	if (!told_link_read(&k, c, a))
		return true;
	(void)snprintf(line, sizeof(line), "link%s %s %s %s\n", told_link_withheld(&k, t) ? " withheld" : "",
		ip_text(relay, &k.relay), k.in_text, k.out_text);
	return line_add(l, a, line);
}

/* Each line once, in order. */
static bool lines_hash(struct lines *l, struct id *to)
{
	struct buf b = {0};

	qsort(l->line, l->n, sizeof(*l->line), line_order);
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || strcmp(l->line[i - 1], l->line[i]) != 0)
			buf_put(&b, l->line[i], strlen(l->line[i]));
	bool good = !b.failed && id_of(to, b.p, b.n);
	buf_free(&b);
	return good;
}

enum status case_evidence(const struct attack_case *c, const struct tracer *t, struct id *to, struct err *e)
{
	struct arena a = {0};
	struct lines l = {.line = arena_array(&a, c->n_sighting + c->n_claim + 1, sizeof(*l.line))};
	bool good = l.line && line_add(&l, &a, "evidence 1\n");

	for (size_t i = 0; i < c->n_sighting && good; i++)
		good = sighting_line(&l, &a, &c->sighting[i]);
	for (size_t i = 0; i < c->n_claim && good; i++)
		good = claim_line(&l, &a, &c->claim[i], t);
	good = good && lines_hash(&l, to);
	arena_free(&a);
	return good ? STATUS_OK : err_nomem(e);
}
