/* What verification found: one line a claim, what is proven, by what, and what is only asserted. */
#include "cli/report.h"

#include <string.h>

#define SENTENCE 1024 /* bytes of what is said of a claim */

bool report_good(const struct report *r)
{
	return r->v->good && !(r->here && r->here->contradicted);
}

const char *report_why(const struct report *r)
{
	if (!r->v->good)
		return r->v->why;
	return report_good(r) ? "" : "the own recording contradicts it";
}

/* ---- words ---- */

char *statement_text(char *to, size_t n, const struct statement *s)
{
	char relay[IP_TEXT], network[PREFIX_TEXT], from[WALL_TEXT], until[WALL_TEXT], text[1024];
	char in[FLOW_WORDS], out[FLOW_WORDS];

	switch (s->kind) {
	case STATES_ATTACK:
		(void)snprintf(text, sizeof(text), "flow %s hit us",
			told_flow_words(out, s->out_flow, s->out_members));
		break;
	case STATES_SEEN:
		(void)snprintf(text, sizeof(text), "flow %s passed there",
			told_flow_words(out, s->out_flow, s->out_members));
		break;
	case STATES_LINK:
		(void)snprintf(text, sizeof(text), "%s relayed %s from %s", ip_text(relay, &s->relay),
			told_flow_words(out, s->out_flow, s->out_members),
			told_flow_words(in, s->in_flow, s->in_members));
		break;
	case STATES_ORIGIN:
		(void)snprintf(text, sizeof(text), "%s, %llu relays further up, came out of network %s",
			s->in_flow, (unsigned long long)s->hops, prefix_text(network, &s->network));
		break;
	case STATES_BLOCK:
		(void)snprintf(text, sizeof(text), "blocked from %s to %s: %s", wall_text(from, s->from),
			wall_text(until, s->until), s->rule);
		break;
	case STATES_SEARCH:
		(void)snprintf(text, sizeof(text), "nobody named at %s, for %s", ip_text(relay, &s->relay),
			told_flow_words(out, s->out_flow, s->out_members));
		break;
	}
	return printable(to, n, text);
}

static void proven_text(char *to, size_t n, const struct checked_claim *c)
{
	*to = '\0';
	if (c->state == CLAIM_RECOMPUTED)
		(void)snprintf(to, n, "%s: log10 e %.2f, computed again here from its trains; needed %.2f",
			c->s.in_members || c->s.out_members ? "both legs, taken together, carry one doing"
							    : "both legs carry one session",
			c->again, c->needed);
	else if (c->state == CLAIM_INSUFFICIENT)
		(void)snprintf(to, n, "nothing: log10 e %.2f, needed %.2f", c->again, c->needed);
	else if (c->state == CLAIM_DIFFERS)
		(void)snprintf(to, n, "nothing: %s", c->why);
}

/* Besides the trains and M: what the claimant says of his clocks and of when he was blind. */
static void link_asserted(char *to, size_t n, const struct checked_claim *c, const char *by)
{
	char more[160] = "";
	int64_t unseen = 0;

	for (size_t i = 0; i < c->s.n_blind; i++)
		unseen += c->s.blind[i].to_us - c->s.blind[i].from_us;
	if (c->s.apart)
		(void)snprintf(more, sizeof(more), ", that the legs' clocks are %+.3f s apart",
			(double)c->s.clock.offset_us / 1e6);
	if (unseen)
		(void)snprintf(more + strlen(more), sizeof(more) - strlen(more),
			", that %.1f s were not seen", (double)unseen / 1e6);
	(void)snprintf(to, n, "that the trains were on the wire, that %llu were searched%s: word of %s",
		(unsigned long long)c->s.searched, more, by);
}

/* What has to be taken on trust. */
static void asserted_text(char *to, size_t n, const struct checked_claim *c)
{
	const char *by = c->in->m.from;
	char basis[200];

	switch (c->s.kind) {
	case STATES_ATTACK:
		(void)snprintf(
			to, n, "that it was an attack, and that this train was on the wire: word of %s", by);
		break;
	case STATES_SEEN:
		(void)snprintf(to, n, "that this train was on the wire: word of %s", by);
		break;
	case STATES_LINK:
		link_asserted(to, n, c, by);
		break;
	case STATES_ORIGIN:
		(void)snprintf(to, n, "the network (%s): word of %s",
			printable(basis, sizeof(basis), c->s.basis), by);
		break;
	case STATES_BLOCK:
		(void)snprintf(to, n, "that it held: word of %s", by);
		break;
	case STATES_SEARCH:
		*to = '\0';
		break;
	}
}

/* ---- JSON ---- */

static json_t *json_checked(const struct checked_claim *c)
{
	char id[ID_TEXT], says[512], proven[SENTENCE], asserted[SENTENCE];
	json_t *j = json_object();

	proven_text(proven, sizeof(proven), c);
	asserted_text(asserted, sizeof(asserted), c);
	(void)json_object_set_new(j, "id", json_string(id_text(id, &c->claim->id)));
	(void)json_object_set_new(j, "kind", json_string(c->claim->kind));
	(void)json_object_set_new(j, "by", json_string(c->in->m.from));
	(void)json_object_set_new(j, "by_known", json_boolean(c->by_known));
	(void)json_object_set_new(j, "forwarded", json_boolean(c->in->inner));
	(void)json_object_set_new(j, "says", json_string(statement_text(says, sizeof(says), &c->s)));
	(void)json_object_set_new(j, "state", json_string(claim_state_name(c->state)));
	(void)json_object_set_new(j, "proven", *proven ? json_string(proven) : json_null());
	(void)json_object_set_new(j, "asserted", json_string(asserted));
	if (c->s.kind == STATES_LINK) {
		(void)json_object_set_new(j, "log10_e", json_real(c->s.log10_e));
		(void)json_object_set_new(j, "again", json_real(c->again));
		(void)json_object_set_new(j, "needed", json_real(c->needed));
		(void)json_object_set_new(j, "alpha", json_real(c->s.alpha));
		(void)json_object_set_new(j, "searched", json_integer((json_int_t)c->s.searched));
	}
	(void)json_object_set_new(j, "logged",
		c->logged ? json_pack("{s:s, s:I, s:I}", "origin", c->head.origin, "index",
				    (json_int_t)c->index, "size", (json_int_t)c->head.size)
			  : json_null());
	(void)json_object_set_new(j, "why", c->why[0] ? json_string(c->why) : json_null());
	return j;
}

static json_t *json_here(const struct app *a, const struct here *h)
{
	char id[ID_TEXT];
	const struct recognised *r = &h->r;
	json_t *j = json_pack("{s:{s:s#, s:s}, s:s, s:s, s:s}", "flow", "id", h->train, ID_TEXT - 1, "flow",
		h->flow, "claim", id_text(id, &h->claim->claim->id), "seen", seen_here_name(r->seen), "why",
		r->why);

	(void)json_object_set_new(j, "as", json_flow(a, r->flow));
	(void)json_object_set_new(j, "translated", json_boolean(r->translated));
	(void)json_object_set_new(j, "searched", json_integer((json_int_t)r->searched));
	(void)json_object_set_new(j, "compared", json_integer((json_int_t)r->alike.compared));
	(void)json_object_set_new(j, "equal", json_integer((json_int_t)r->alike.equal));
	(void)json_object_set_new(j, "log10_e", json_real(r->alike.log10_e));
	(void)json_object_set_new(j, "needed", json_real(r->needed));
	if (r->flow && r->alike.compared) {
		(void)json_object_set_new(j, "offset_us", json_integer(r->alike.clock.offset_us));
		(void)json_object_set_new(j, "drift_ppm", json_real(r->alike.clock.drift * 1e6));
	}
	(void)json_object_set_new(j, "trace", h->traced ? json_chain(a, &h->chain, NULL) : json_null());
	return j;
}

static json_t *json_signer(const struct report *r)
{
	const struct note_sig *g = &r->b->note.sig[0];
	char id[9];

	(void)snprintf(id, sizeof(id), "%02x%02x%02x%02x", g->id[0], g->id[1], g->id[2], g->id[3]);
	return json_pack("{s:s, s:s, s:b}", "name", g->name, "key", id, "known", r->v->known);
}

json_t *json_report(const struct app *a, const struct report *r)
{
	const struct manifest *m = &r->b->m;
	char id[ID_TEXT];
	json_t *j = json_object(), *claims = json_array(), *here = r->here ? json_array() : json_null();

	(void)json_object_set_new(j, "id", json_string(id_text(id, &m->id)));
	(void)json_object_set_new(j, "type", json_string(m->type == BUNDLE_ANSWER ? "answer" : "request"));
	(void)json_object_set_new(j, "from", json_string(m->from));
	(void)json_object_set_new(j, "to", json_string(m->to));
	(void)json_object_set_new(j, "made", json_time(m->made.us));
	(void)json_object_set_new(j, "not_after", json_time(m->not_after.us));
	(void)json_object_set_new(j, "sha256", json_string(r->b->sha256));
	if (m->type == BUNDLE_ANSWER) {
		(void)json_object_set_new(j, "verdict", json_string(bundle_verdict_name(m->verdict)));
		(void)json_object_set_new(j, "reply_to", json_string(id_text(id, &m->reply_to)));
	} else {
		(void)json_object_set_new(j, "ask", json_string(bundle_ask_name(m->ask)));
	}
	(void)json_object_set_new(j, "reason", *m->why ? json_string(m->why) : json_null());
	(void)json_object_set_new(j, "signer", json_signer(r));
	(void)json_object_set_new(j, "verified", json_boolean(report_good(r)));
	(void)json_object_set_new(j, "why", *report_why(r) ? json_string(report_why(r)) : json_null());
	for (size_t i = 0; i < r->v->n_claim; i++)
		(void)json_array_append_new(claims, json_checked(&r->v->claim[i]));
	(void)json_object_set_new(j, "claims", claims);
	for (size_t i = 0; r->here && i < r->here->n; i++)
		(void)json_array_append_new(here, json_here(a, &r->here->one[i]));
	(void)json_object_set_new(j, "here", here);
	return j;
}

/* ---- for people ---- */

static void print_checked(FILE *o, const struct checked_claim *c)
{
	char id[ID_TEXT], says[512], text[SENTENCE];

	(void)fprintf(o, "claim %.12s  %s  %s\n", id_text(id, &c->claim->id), c->claim->kind,
		statement_text(says, sizeof(says), &c->s));
	proven_text(text, sizeof(text), c);
	if (*text)
		(void)fprintf(o, "  proven    %s\n", text);
	if (c->logged)
		(void)fprintf(o, "  logged    entry %llu of %llu in %s\n", (unsigned long long)c->index,
			(unsigned long long)c->head.size, c->head.origin);
	asserted_text(text, sizeof(text), c);
	(void)fprintf(o, "  asserted  %s%s\n", text,
		c->by_known    ? ""
		: c->in->inner ? ", whose key you do not know; forwarded by the sender"
			       : "");
	if (c->why[0] && c->state != CLAIM_DIFFERS)
		(void)fprintf(o, "  WRONG     %s\n", c->why);
}

static void print_here(struct app *a, const struct here *h)
{
	FILE *o = a->out;
	char text[FLOW_WORDS];

	const struct statement *s = &h->claim->s;
	uint32_t members = strcmp(h->train, s->in) == 0 ? s->in_members : s->out_members;

	(void)fprintf(o, "HERE  flow %s: %s: %s\n", told_flow_words(text, h->flow, members),
		seen_here_name(h->r.seen), h->r.why);
	if (h->r.flow && h->r.translated)
		(void)fprintf(o, "  here it is %s\n", flow_words(text, h->r.flow));
	if (h->traced)
		print_chain(a, &h->chain, NULL);
}

static void print_head(FILE *o, const struct report *r)
{
	const struct manifest *m = &r->b->m;
	const struct note_sig *g = &r->b->note.sig[0];
	char id[ID_TEXT], made[WALL_TEXT], until[WALL_TEXT];

	if (m->type == BUNDLE_ANSWER)
		(void)fprintf(o, "answer %.12s from %s to %s: %s%s%s\n", id_text(id, &m->id), m->from, m->to,
			bundle_verdict_name(m->verdict), *m->why ? ": " : "", m->why);
	else
		(void)fprintf(o, "request %.12s from %s to %s: %s\n", id_text(id, &m->id), m->from, m->to,
			bundle_ask_name(m->ask));
	(void)fprintf(
		o, "  made %s, holds until %s\n", wall_text(made, m->made), wall_text(until, m->not_after));
	if (r->v->known)
		(void)fprintf(o, "  signed by %s, key %02x%02x%02x%02x, which you trust\n", g->name, g->id[0],
			g->id[1], g->id[2], g->id[3]);
}

/* What was looked at: without DIR a reader has no name, and every recording may say otherwise. */
static void print_verified(FILE *o, const struct report *r)
{
	char files[COUNT_TEXT], proofs[COUNT_TEXT], links[COUNT_TEXT];
	size_t n_link = 0;

	for (size_t i = 0; i < r->v->n_claim; i++)
		n_link += r->v->claim[i].s.kind == STATES_LINK;
	(void)fprintf(o, "%s: signature, %stime, %s, %s",
		report_good(r) ? "VERIFIED" : "CONTRADICTED, although whole",
		r->v->named ? "recipient, " : "", counted(files, r->b->m.n_file, "file"),
		counted(proofs, r->v->n_claim, "log proof"));
	if (n_link)
		(void)fprintf(o, ", %s computed again", counted(links, n_link, "link"));
	if (!r->here)
		(void)fprintf(o, " (no -C DIR: neither the recipient nor a recording was looked at)");
	else if (!r->v->named)
		(void)fprintf(o, " (no keys in DIR: the recipient was not looked at)");
	(void)fputc('\n', o);
}

void print_report(struct app *a, const struct report *r)
{
	FILE *o = a->out;

	print_head(o, r);
	for (size_t i = 0; i < r->v->n_claim; i++)
		print_checked(o, &r->v->claim[i]);
	if (r->v->good)
		print_verified(o, r);
	else
		(void)fprintf(o, "NOT VERIFIED: %s\n", r->v->why);
	for (size_t i = 0; r->here && i < r->here->n; i++)
		print_here(a, &r->here->one[i]);
	if (r->here && r->here->hidden)
		(void)fprintf(o, "HERE  a flow whose address is not disclosed: it cannot be looked for\n");
	if (r->here && r->here->left_off)
		(void)fprintf(o, "HERE  %zu more flows were not looked for\n", r->here->left_off);
}
