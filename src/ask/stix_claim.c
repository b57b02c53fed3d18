/* In: a claim.  Out: a relationship where a link is proven, a note otherwise, on the objects that the claim
 * is about.  Nobody is to read "insufficient" as a low confidence: without proof there is no relationship. */
#include <stdio.h>
#include <string.h>

#include "ask/stix_in.h"
#include "base/utf8.h"

/* "almost certain", 90 to 100, in appendix A of STIX 2.1 */
#define CONFIDENCE       95
#define CONFIDENCE_ALPHA 0.05

/* What a claim says: before, the relay, after.  The first row that fits is taken. */
static const struct kind {
	const char *name;
	bool proof; /* only where it is proven */
	const char *before, *after;
	bool place;  /* the relay stands in between */
	bool tested; /* log10_e and what belongs to it mean something */
} kinds[] = {
	{"attack", false, "The sender was attacked by this flow.", "", false, false},
	{"seen", false, "This flow passed the sender's network.", "", false, false},
	{"link", true, "The second of these flows is the first, relayed at ", ".", true, true},
	{"link", false, "Whether the second of these flows is the first was tested: relayed at ", ".", true,
		true},
	{"origin", false, "The flow came out of ", "; who is behind it is not claimed.", true, false},
	{"block", false, "The sender had a block in force.", "", false, false},
};

static bool proven(const struct stix_claim *c)
{
	return c->verdict && strcmp(c->verdict, "proven") == 0 && c->log10_e >= c->needed;
}

static const struct kind *kind_of(const struct stix_claim *c)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (c->kind && strcmp(kinds[i].name, c->kind) == 0 && (!kinds[i].proof || proven(c)))
			return &kinds[i];
	return NULL;
}

enum status stix_claim_check(const struct stix_claim *c, struct err *e)
{
	if (!kind_of(c))
		return err_set(e, STATUS_BAD, "a claim's kind has no place in a STIX view");
	if (c->verdict && !utf8_line_valid(c->verdict))
		return err_set(e, STATUS_BAD, "a claim's verdict is not one line of UTF-8");
	if (!stix_address_valid(&c->relay))
		return err_set(e, STATUS_BAD, "a claim's address tells more than its network");
	if (!stix_time_valid(c->made))
		return err_set(e, STATUS_BAD, "a claim's time is outside the years 1 to 9999");
	if (stix_flow_check(c->out, e) != STATUS_OK || stix_flow_check(c->in, e) != STATUS_OK)
		return e->status;
	return STATUS_OK;
}

static void place(char *to, size_t n, const struct prefix *p)
{
	char text[PREFIX_TEXT];

	if (!stix_disclosed(p))
		(void)snprintf(to, n, "an address that is not disclosed");
	else
		(void)snprintf(to, n, stix_address_is_host(p) ? "host %s" : "network %s",
			stix_address_text(text, p));
}

static json_t *words(const struct stix_claim *c, const struct kind *k)
{
	char at[PREFIX_TEXT + 32] = "", made[WALL_TEXT], numbers[256] = "";
	const char *verdict = k->tested && c->verdict ? c->verdict : NULL;

	if (k->place)
		place(at, sizeof(at), &c->relay);
	if (k->tested)
		(void)snprintf(numbers, sizeof(numbers),
			" log10 e = %.6g against %.6g needed (alpha %.6g, %llu pairs searched): where "
			"nothing is "
			"relayed, a search reaches what is needed at most once in 1/alpha.",
			c->log10_e, c->needed, c->alpha, (unsigned long long)c->searched);
	return json_sprintf("%s%s%s%s%s%s%s Claimed %s.", k->before, at, k->after, numbers,
		verdict ? " Verdict: " : "", verdict ? verdict : "", verdict ? "." : "",
		wall_text(made, c->made));
}

static void link_add(struct stix_out *o, const struct stix_claim *c, const struct stix_flow_ids *in,
	const struct stix_flow_ids *out)
{
	char what[ID_TEXT];
	json_t *link = stix_relationship(o, "related-to", in->traffic, out->traffic, id_text(what, &c->id));

	stix_set(o, link, "description", words(c, kind_of(c)));
	if (c->alpha <= CONFIDENCE_ALPHA)
		stix_set(o, link, "confidence", json_integer(CONFIDENCE));
	stix_reference(o, link, "weir", &c->id);
	stix_add(o, link);
}

static void ref_append(struct stix_out *o, json_t *refs, const char *id)
{
	if (*id && json_array_append_new(refs, json_string(id)) != 0)
		o->failed = true;
}

/* A note has to be about something: the sender where nothing else is disclosed. */
static void note_add(struct stix_out *o, const struct stix_claim *c, const struct stix_flow_ids *in,
	const struct stix_flow_ids *out, const char *relay)
{
	char id[STIX_ID], what[ID_TEXT];
	json_t *note = stix_object(o, id, "note", id_text(what, &c->id)), *refs = json_array();

	ref_append(o, refs, in->traffic);
	ref_append(o, refs, out->traffic);
	ref_append(o, refs, relay);
	if (json_array_size(refs) == 0)
		ref_append(o, refs, o->sender);
	stix_set(o, note, "content", words(c, kind_of(c)));
	stix_set(o, note, "object_refs", refs);
	stix_reference(o, note, "weir", &c->id);
	stix_add(o, note);
}

static void claim_add(struct stix_out *o, const struct stix_claim *c)
{
	struct stix_flow_ids in, out;
	char relay[STIX_ID];
	bool both = stix_flow_add(o, &in, c->in);

	both = stix_flow_add(o, &out, c->out) && both && strcmp(in.traffic, out.traffic) != 0;
	(void)stix_address(o, relay, &c->relay);
	if (both && kind_of(c)->proof)
		link_add(o, c, &in, &out);
	else
		note_add(o, c, &in, &out, relay);
}

void stix_claims(struct stix_out *o)
{
	for (size_t i = 0; i < o->v->n_claim; i++)
		claim_add(o, &o->v->claim[i]);
}
