/* In: what a bundle asks or answers.  Out: for a request the indicator of the attack's traffic and, where a
 * block is asked for, the course of action; for an answer its opinion, and the sighting of nothing. */
#include <stdio.h>
#include <string.h>

#include "ask/stix_in.h"

static const char *const asks[] = {"confirm", "trace", "block"};

static const struct {
	const char *verdict, *opinion;
} opinions[] = {{"accepted", "agree"}, {"doubted", "disagree"}, {"refused", "neutral"}};

static const char *opinion_of(const char *verdict)
{
	for (size_t i = 0; i < sizeof(opinions) / sizeof(opinions[0]); i++)
		if (verdict && strcmp(opinions[i].verdict, verdict) == 0)
			return opinions[i].opinion;
	return NULL;
}

static bool is_ask(const char *ask)
{
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		if (ask && strcmp(asks[i], ask) == 0)
			return true;
	return false;
}

enum status stix_ask_check(const struct stix_view *v, struct err *e)
{
	if (v->answer && !opinion_of(v->verdict))
		return err_set(e, STATUS_BAD, "an answer's verdict is none of accepted, doubted, refused");
	if (!v->answer && !is_ask(v->ask))
		return err_set(e, STATUS_BAD, "a request asks for none of confirm, trace, block");
	return STATUS_OK;
}

/* The traffic of one flow in STIX patterning (section 9).  The source's port is that of one session and is
 * left out. */
static json_t *flow_pattern(const struct stix_flow *f)
{
	static const char *const side[] = {"src", "dst"};
	char value[PREFIX_TEXT], part[2][192] = {"", ""}, port[64] = "";

	for (size_t i = 0; i < 2; i++)
		if (stix_disclosed(&f->end[i]))
			(void)snprintf(part[i], sizeof(part[i]),
				"%snetwork-traffic:%s_ref.type = '%s' AND network-traffic:%s_ref.value %s "
				"'%s'",
				i ? " AND " : "", side[i], stix_address_type(&f->end[i]), side[i],
				stix_address_is_host(&f->end[i]) ? "=" : "ISSUBSET",
				stix_address_text(value, &f->end[i]));
	if (f->port[1])
		(void)snprintf(port, sizeof(port), " AND network-traffic:dst_port = %u", f->port[1]);
	return json_sprintf("[%s%s%s]", part[0], part[1], port);
}

/* An attack whose source is told: without one a pattern would hit everybody's traffic to the victim. */
static bool is_attack(const struct stix_claim *c)
{
	return strcmp(c->kind, "attack") == 0 && c->out && stix_disclosed(&c->out->end[0]);
}

/* The patterns of all attacks, each once; NULL where there is none, or no memory. */
static json_t *pattern(struct stix_out *o)
{
	struct buf all = {0};
	json_t *known = json_object();

	for (size_t i = 0; i < o->v->n_claim; i++) {
		if (!is_attack(&o->v->claim[i]))
			continue;
		json_t *one = flow_pattern(o->v->claim[i].out);
		if (!one)
			o->failed = true;
		else if (!json_object_get(known, json_string_value(one))) {
			stix_set(o, known, json_string_value(one), json_true());
			buf_put(&all, " OR ", all.n ? 4 : 0);
			buf_put(&all, json_string_value(one), json_string_length(one));
		}
		json_decref(one);
	}
	json_t *text = all.n ? json_stringn((const char *)all.p, all.n) : NULL;
	o->failed = o->failed || !known || all.failed || (all.n && !text);
	buf_free(&all);
	json_decref(known);
	return text;
}

/* indicator --based-on--> the observed-data of each attack. */
static void based_on(struct stix_out *o, const char *indicator)
{
	for (size_t i = 0; i < o->v->n_claim; i++) {
		const struct stix_claim *c = &o->v->claim[i];
		struct stix_flow_ids seen;

		if (is_attack(c) && stix_flow_add(o, &seen, c->out))
			stix_add(
				o, stix_relationship(o, "based-on", indicator, seen.observed, seen.observed));
	}
}

static void course_of_action(struct stix_out *o, const char *indicator)
{
	char id[STIX_ID], until[WALL_TEXT];
	json_t *block = stix_object(o, id, "course-of-action", NULL);

	stix_set(o, block, "name", json_string("Block the traffic that the indicator describes"));
	stix_set(o, block, "description",
		json_sprintf("Asked for until %s: that traffic and no other, to be undone then.",
			wall_text(until, o->v->not_after)));
	stix_add(o, block);
	stix_add(o, stix_relationship(o, "mitigates", id, indicator, "block"));
}

void stix_request(struct stix_out *o)
{
	char id[STIX_ID], until[WALL_TEXT];
	json_t *what = pattern(o);

	if (!what)
		return;
	json_t *indicator = stix_object(o, id, "indicator", NULL);
	stix_set(o, indicator, "name", json_string("Traffic of the attack"));
	stix_set(o, indicator, "indicator_types", json_pack("[s]", "malicious-activity"));
	stix_set(o, indicator, "pattern", what);
	stix_set(o, indicator, "pattern_type", json_string("stix"));
	stix_set(o, indicator, "valid_from", json_string(o->made));
	stix_set(o, indicator, "valid_until", json_string(wall_text(until, o->v->not_after)));
	stix_add(o, indicator);
	based_on(o, id);
	if (strcmp(o->v->ask, "block") == 0)
		course_of_action(o, id);
}

static void opinion_add(struct stix_out *o)
{
	char id[STIX_ID], request[STIX_ID];
	json_t *opinion = stix_object(o, id, "opinion", NULL);

	stix_id_of(o, request, "grouping", &o->v->reply_to, NULL);
	stix_set(o, opinion, "labels", json_pack("[s]", o->v->verdict));
	if (o->v->why && *o->v->why)
		stix_set(o, opinion, "explanation", json_string(o->v->why));
	stix_set(o, opinion, "opinion", json_string(opinion_of(o->v->verdict)));
	stix_set(o, opinion, "object_refs", json_pack("[s]", request));
	stix_reference(o, opinion, "weir-view", &o->v->reply_to);
	stix_add(o, opinion);
}

static void nothing_seen(struct stix_out *o)
{
	char id[STIX_ID], request[STIX_ID];
	json_t *sighting = stix_object(o, id, "sighting", NULL);

	stix_id_of(o, request, "indicator", &o->v->reply_to, NULL);
	stix_set(o, sighting, "description",
		json_string("Looked for in the sender's own records: not there."));
	stix_set(o, sighting, "count", json_integer(0));
	stix_set(o, sighting, "sighting_of_ref", json_string(request));
	stix_set(o, sighting, "where_sighted_refs", json_pack("[s]", o->sender));
	stix_add(o, sighting);
}

void stix_answer(struct stix_out *o)
{
	opinion_add(o);
	if (o->v->looked_and_saw_nothing)
		nothing_seen(o);
}
