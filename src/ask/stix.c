/* In: what a bundle says, as far as its claims disclose it.  Out: a STIX 2.1 bundle (stix.h has the mapping).
 * The claims tell their flows (stix_claim.c, stix_flow.c), the request or answer what it wants (stix_ask.c);
 * here is what all objects have, who says it, and the grouping that holds them. */
#include "ask/stix.h"

#include <stdio.h>
#include <string.h>

#include "ask/stix_in.h"
#include "base/utf8.h"
#include "ledger/note.h"

/* STIX 2.1 section 7.2.1.4: predefined, the same everywhere. */
#define AMBER_ID   "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
#define AMBER_MADE "2017-01-20T00:00:00.000Z"

/* The identity never changes: it has one version, made at no time in particular. */
#define IDENTITY_MADE "1970-01-01T00:00:00.000Z"

void stix_set(struct stix_out *o, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		o->failed = true;
}

void stix_id_of(
	struct stix_out *o, char id[STIX_ID], const char *type, const struct id *bundle, const char *what)
{
	char b[ID_TEXT], name[ID_TEXT + STIX_ID];

	(void)snprintf(name, sizeof(name), what ? "%s/%s" : "%s", id_text(b, bundle), what);
	if (!stix_id_named(id, type, name))
		o->failed = true;
}

/* The properties of everything, in the order in which readers look for them. */
static json_t *begin(struct stix_out *o, const char *type, const char *id, const char *made, bool marked)
{
	json_t *j = json_pack("{s:s, s:s, s:s}", "type", type, "spec_version", "2.1", "id", id);

	if (made) {
		stix_set(o, j, "created", json_string(made));
		stix_set(o, j, "modified", json_string(made));
	}
	if (marked && strcmp(o->v->to, "*") != 0)
		stix_set(o, j, "object_marking_refs", json_pack("[s]", AMBER_ID));
	return j;
}

json_t *stix_object(struct stix_out *o, char id[STIX_ID], const char *type, const char *what)
{
	stix_id_of(o, id, type, &o->v->bundle, what);
	json_t *j = begin(o, type, id, o->made, true);
	stix_set(o, j, "created_by_ref", json_string(o->sender));
	return j;
}

json_t *stix_observable(struct stix_out *o, char id[STIX_ID], const char *type, json_t *properties)
{
	*id = '\0';
	if (!properties || !stix_id_observable(id, type, properties))
		o->failed = true;
	json_t *j = begin(o, type, id, NULL, true);
	if (json_object_update(j, properties) != 0)
		o->failed = true;
	json_decref(properties);
	return j;
}

void stix_add(struct stix_out *o, json_t *object)
{
	json_t *id = json_object_get(object, "id");

	if (!id || o->failed)
		o->failed = true;
	else if (!json_object_get(o->known, json_string_value(id))) {
		stix_set(o, o->known, json_string_value(id), json_true());
		if (json_array_append(o->refs, id) != 0 || json_array_append(o->objects, object) != 0)
			o->failed = true;
	}
	json_decref(object);
}

json_t *stix_relationship(
	struct stix_out *o, const char *type, const char *source, const char *target, const char *what)
{
	char id[STIX_ID];
	json_t *j = stix_object(o, id, "relationship", what);

	stix_set(o, j, "relationship_type", json_string(type));
	stix_set(o, j, "source_ref", json_string(source));
	stix_set(o, j, "target_ref", json_string(target));
	return j;
}

void stix_reference(struct stix_out *o, json_t *object, const char *source, const struct id *id)
{
	char text[ID_TEXT];

	stix_set(o, object, "external_references",
		json_pack("[{s:s, s:s}]", "source_name", source, "external_id", id_text(text, id)));
}

static void identity_add(struct stix_out *o)
{
	char name[KEY_NAME_MAX + 16];

	(void)snprintf(name, sizeof(name), "identity/%s", o->v->from);
	if (!stix_id_named(o->sender, "identity", name))
		o->failed = true;
	json_t *j = begin(o, "identity", o->sender, IDENTITY_MADE, false);
	stix_set(o, j, "name", json_string(o->v->from));
	stix_set(o, j, "identity_class", json_string("organization"));
	stix_add(o, j);
}

/* A marking-definition has no `modified`, and the grouping does not hold it. */
static void amber_add(struct stix_out *o)
{
	if (strcmp(o->v->to, "*") == 0)
		return;
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "type", "marking-definition",
		"spec_version", "2.1", "id", AMBER_ID, "created", AMBER_MADE, "definition_type", "tlp",
		"name", "TLP:AMBER", "definition", "tlp", "amber");
	if (json_array_append_new(o->objects, j) != 0)
		o->failed = true;
}

static void grouping_add(struct stix_out *o)
{
	const struct stix_view *v = o->v;
	const char *why = !v->answer && v->why ? v->why : "",
		   *to = strcmp(v->to, "*") == 0 ? "anyone" : v->to;
	char id[STIX_ID], until[WALL_TEXT];
	json_t *j = stix_object(o, id, "grouping", NULL);

	stix_set(o, j, "name",
		v->answer ? json_sprintf("Answer of %s: %s", v->from, v->verdict)
			  : json_sprintf("Request of %s: %s", v->from, v->ask));
	stix_set(o, j, "description",
		json_sprintf("For %s, until %s. What binds is the signed bundle in which this view lies.%s%s",
			to, wall_text(until, v->not_after), *why ? " " : "", why));
	stix_set(o, j, "context", json_string("suspicious-activity"));
	stix_set(o, j, "object_refs", json_incref(o->refs));
	stix_reference(o, j, "weir-view", &v->bundle);
	if (json_array_append_new(o->objects, j) != 0)
		o->failed = true;
}

static enum status view_check(const struct stix_view *v, struct err *e)
{
	if (!key_name_valid(v->from) || (strcmp(v->to, "*") != 0 && !key_name_valid(v->to)))
		return err_set(e, STATUS_BAD, "the bundle's sender or recipient has no name of a key");
	if (v->why && !utf8_line_valid(v->why))
		return err_set(e, STATUS_BAD, "the bundle's reason is not one line of UTF-8");
	if (!stix_time_valid(v->made) || !stix_time_valid(v->not_after))
		return err_set(e, STATUS_BAD, "the bundle's time is outside the years 1 to 9999");
	if (v->not_after.us <= v->made.us)
		return err_set(e, STATUS_BAD, "the bundle expires before it is made");
	if (stix_ask_check(v, e) != STATUS_OK)
		return e->status;
	for (size_t i = 0; i < v->n_claim; i++)
		if (stix_claim_check(&v->claim[i], e) != STATUS_OK)
			return e->status;
	return STATUS_OK;
}

static void objects_add(struct stix_out *o)
{
	amber_add(o);
	identity_add(o);
	stix_claims(o);
	if (o->v->answer)
		stix_answer(o);
	else
		stix_request(o);
	grouping_add(o);
}

static void text_put(struct buf *to, struct stix_out *o)
{
	char id[STIX_ID];

	stix_id_of(o, id, "bundle", &o->v->bundle, NULL);
	json_t *j = json_pack("{s:s, s:s, s:O}", "type", "bundle", "id", id, "objects", o->objects);
	if (!o->failed && !stix_dump(to, j, JSON_INDENT(1) | JSON_ENSURE_ASCII))
		o->failed = true;
	json_decref(j);
	buf_u8(to, '\n');
	o->failed = o->failed || to->failed;
}

enum status stix_write(struct buf *to, const struct stix_view *v, struct err *e)
{
	size_t before = to->n;

	if (view_check(v, e) != STATUS_OK)
		return e->status;
	struct stix_out o = {.v = v, .objects = json_array(), .refs = json_array(), .known = json_object()};
	(void)wall_text(o.made, v->made);
	/* section 3.2: `created` has exactly three digits of a second */
	memcpy(strchr(o.made, '.') + 4, "Z", 2);
	objects_add(&o);
	text_put(to, &o);
	json_decref(o.objects);
	json_decref(o.refs);
	json_decref(o.known);
	if (!o.failed)
		return STATUS_OK;
	to->n = before;
	return err_nomem(e);
}
