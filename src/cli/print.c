/* A chain for people: the attack, each hop with its two lines of bursts, its number and its runner-up, and
 * where it ends and why. */
#include "cli/app.h"

#include <inttypes.h>
#include <math.h>

static void print_proven(FILE *o, const struct hop *h)
{
	const struct link_result *l = &h->best.link;
	const struct flow *in = h->best.flow;
	char text[FLOW_TEXT], n[COUNT_TEXT];
	bool own = flow_side(in, &h->relay) == 0 && !(in->head.flags & FLOW_ASSUMED);

	(void)fprintf(o, "  in     %s   PROVEN%s\n", flow_text(text, &in->head),
		own ? " (opened by the relay)" : "");
	(void)fprintf(o, "  out    %s\n", flow_text(text, &h->out->head));
	draw_legs(o, &h->relay, in, h->out, &h->best.pair.clock, "  ");
	(void)fprintf(o,
		"  log10 e %.1f, needed %.1f (alpha and %s): unlinked flows do this in at most one of "
		"10^%.0f searches\n",
		l->max_log10_e, h->needed, counted(n, h->searched, "candidate"),
		floor(l->max_log10_e - log10((double)h->searched)));
	(void)fprintf(o, "  lag %.1f ms over %s; enough after %.1f s\n", (double)l->lag_us / 1000,
		counted(n, l->bursts, "burst"), (double)l->first_sufficient_us / 1e6);
}

static void print_open(FILE *o, const struct hop *h)
{
	char text[FLOW_TEXT], n[COUNT_TEXT];

	(void)fprintf(o, "  out    %s\n", flow_text(text, &h->out->head));
	(void)fprintf(o, "  in     %s: %s\n", link_verdict_name(h->best.link.verdict),
		link_reason_text(h->best.link.reason));
	(void)fprintf(o, "  best log10 e %.1f, needed %.1f (alpha and %s): nobody is named\n",
		h->best.link.max_log10_e, h->needed, counted(n, h->searched, "candidate"));
}

static void print_hop(FILE *o, const struct hop *h, size_t n, const char *claim)
{
	char relay[IP_TEXT], text[FLOW_TEXT], count[COUNT_TEXT];

	(void)fprintf(o, "hop %zu  %s %s%s: %s of it carried data meanwhile\n", n + 1,
		h->best.link.verdict == LINK_PROVEN ? "relay" : "host", ip_text(relay, &h->relay),
		h->declared ? " (declared)" : "", counted(count, h->searched, "other flow"));
	if (h->translated)
		(void)fprintf(o, "  (behind NAT: outside, its flow is %s)\n",
			flow_text(text, &h->translated->head));
	if (h->best.link.verdict == LINK_PROVEN)
		print_proven(o, h);
	else
		print_open(o, h);
	if (h->n_rival && h->rival[0].link.bursts == 0)
		(void)fprintf(o, "  runner-up  none: no other has the bursts to suffice\n");
	else if (h->n_rival)
		(void)fprintf(o, "  runner-up  %s: log10 e %.1f, %s\n",
			flow_text(text, &h->rival[0].flow->head), h->rival[0].link.max_log10_e,
			link_verdict_name(h->rival[0].link.verdict));
	if (claim)
		(void)fprintf(o, "  claim  %.12s\n", claim);
}

void print_chain(struct app *a, const struct chain *c, char (*claim_id)[ID_TEXT])
{
	char text[FLOW_TEXT], why[256], host[IP_TEXT];
	FILE *o = a->out;

	(void)fprintf(o, "attack %s   alpha %g\n", flow_text(text, &c->attack->head), c->alpha);
	for (size_t i = 0; i < c->n_hop; i++)
		print_hop(o, &c->hop[i], i, claim_id ? claim_id[i] : NULL);
	(void)fprintf(
		o, "ends at %s: %s.\n", ip_text(host, &c->end_host), chain_end_text(why, sizeof(why), c));
	if (c->n_proven)
		(void)fprintf(o, "An address in a network: not a person, not a state.\n");
}
