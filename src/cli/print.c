/* A chain for people: the attack, each hop with its two lines of bursts, its number, its limit, its role and
 * its runner-up, and where it ends and why. */
#include "cli/app.h"
#include "cli/networks.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "trace/limit.h"

char *told_flow_words(char to[FLOW_WORDS], const char *flow, uint32_t members)
{
	char count[COUNT_TEXT];
	size_t n = 0;

	if (members < 2) {
		(void)snprintf(to, FLOW_WORDS, "%.*s", FLOW_TEXT, flow);
		return to;
	}
	for (const char *s = flow; *s && n < FLOW_TEXT; s++) {
		bool port = s > flow && s[-1] == ':' && s[0] == '0' && (s[1] == ' ' || s[1] == '\0');
		to[n++] = port ? '*' : *s;
	}
	(void)snprintf(to + n, FLOW_WORDS - n, " (%s together)", counted(count, members, "flow"));
	return to;
}

char *flow_words(char to[FLOW_WORDS], const struct flow *f)
{
	char text[FLOW_TEXT];

	return told_flow_words(to, flow_text(text, &f->head), f->members);
}

static void print_limit(FILE *o, const struct hop *h)
{
	struct relink_room room = {0};
	struct limit l;
	struct err e;
	char text[LIMIT_TEXT];

	if (!h->best.flow)
		return;
	bool good = limit_find(&room, &h->best.pair, &l, &e) == STATUS_OK;
	l.unproven = h->best.link.verdict != LINK_PROVEN;
	if (good)
		(void)fprintf(o, "  limit  %s\n", limit_text(text, sizeof(text), &l, h->needed));
	relink_free(&room);
}

static void print_proven(FILE *o, const struct hop *h)
{
	const struct link_result *l = &h->best.link;
	const struct flow *in = h->best.flow;
	char text[FLOW_WORDS], n[COUNT_TEXT];
	bool own = flow_side(in, &h->relay) == 0 && !(in->head.flags & FLOW_ASSUMED);

	(void)fprintf(
		o, "  in     %s   PROVEN%s\n", flow_words(text, in), own ? " (opened by the relay)" : "");
	(void)fprintf(o, "  out    %s\n", flow_words(text, h->out));
	draw_legs(o, &h->relay, in, h->out, &h->best.pair.clock, "  ");
	(void)fprintf(o,
		"  log10 e %.1f, needed %.1f (alpha and %s): unlinked flows do this in at most one of "
		"10^%.0f searches\n",
		l->max_log10_e, h->needed, counted(n, h->searched, "candidate"),
		floor(l->max_log10_e - log10((double)h->searched)));
	(void)fprintf(o, "  lag %.1f ms over %s; enough after %.1f s\n", (double)l->lag_us / 1000,
		counted(n, l->bursts, "burst"), (double)l->first_sufficient_us / 1e6);
	print_limit(o, h);
	if (h->role && *h->role_why)
		(void)fprintf(o, "  role   %s: %s\n", h->role, h->role_why);
}

static void print_open(FILE *o, const struct hop *h)
{
	char text[FLOW_WORDS], n[COUNT_TEXT], why[LIMIT_TEXT];
	struct link_result l = h->best.link;

	if (h->best.flow && l.reason == LINK_REASON_FEW_BURSTS && l.bursts == 0)
		l.bursts = (uint32_t)relink_bursts(&h->best.pair);

	(void)fprintf(o, "  out    %s\n", flow_words(text, h->out));
	(void)fprintf(o, "  in     %s: %s\n", link_verdict_name(l.verdict),
		link_reason_say(why, sizeof(why), &l, h->needed));
	(void)fprintf(o, "  best log10 e %.1f, needed %.1f (alpha and %s): nobody is named\n",
		h->best.link.max_log10_e, h->needed, counted(n, h->searched, "candidate"));
	print_limit(o, h);
}

static void print_hop(FILE *o, const struct hop *h, size_t n, const char *claim)
{
	char relay[IP_TEXT], text[FLOW_WORDS], count[COUNT_TEXT];

	(void)fprintf(o, "hop %zu  %s %s%s: %s of it carried data meanwhile\n", n + 1,
		h->best.link.verdict == LINK_PROVEN ? "relay" : "host", ip_text(relay, &h->relay),
		h->declared ? " (declared)" : "", counted(count, h->searched, "other flow"));
	if (h->translated)
		(void)fprintf(
			o, "  (behind NAT: outside, its flow is %s)\n", flow_words(text, h->translated));
	if (h->best.link.verdict == LINK_PROVEN)
		print_proven(o, h);
	else
		print_open(o, h);
	if (h->n_rival && h->rival[0].link.bursts == 0)
		(void)fprintf(o, "  runner-up  none: no other has the bursts to suffice\n");
	else if (h->n_rival)
		(void)fprintf(o, "  runner-up  %s: log10 e %.1f, %s\n", flow_words(text, h->rival[0].flow),
			h->rival[0].link.max_log10_e, link_verdict_name(h->rival[0].link.verdict));
	if (claim)
		(void)fprintf(o, "  claim  %.12s\n", claim);
}

void print_chain(struct app *a, const struct chain *c, char (*claim_id)[ID_TEXT])
{
	char text[FLOW_TEXT], why[256], host[IP_TEXT], network[NETWORKS_TEXT];
	FILE *o = a->out;

	(void)fprintf(o, "attack %s   alpha %g\n", flow_text(text, &c->attack->head), c->alpha);
	for (size_t i = 0; i < c->n_hop; i++)
		print_hop(o, &c->hop[i], i, claim_id ? claim_id[i] : NULL);
	(void)fprintf(o, "ends at %s%s: %s.\n", ip_text(host, &c->end_host),
		networks_text(network, a, &c->end_host), chain_end_text(why, sizeof(why), c));
	if (c->n_proven)
		(void)fprintf(o, "An address in a network: not a person, not a state.\n");
}
