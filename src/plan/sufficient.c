/* Is the evidence enough: the links of a path come in, yes or what is missing goes out.
 *
 * The number of a link is an e-value's logarithm; among M candidates the best one's is charged log10 M
 * (doc/evidence.md).  What an action rests on is as good as its weakest link, since one wrong link makes all
 * that lies upstream of it somebody else's. */
#include "plan/sufficient.h"

#include <math.h>
#include <stdio.h>

struct alphas alphas_of(const struct config *cfg)
{
	return (struct alphas){.alpha = {[WIDTH_RATE] = cfg->alpha_rate,
				       [WIDTH_HOST] = cfg->alpha_host,
				       [WIDTH_WIDE] = cfg->alpha_wide}};
}

static double net(const struct step *s)
{
	return s->log10_e - (s->searched > 1 ? log10((double)s->searched) : 0);
}

/* The number of the link that step k stands on which is worst: undecidable ones first, then the weakest. */
static size_t weakest(const struct path *p, size_t k)
{
	size_t worst = 1;

	for (size_t i = 2; i <= k; i++) {
		const struct step *a = &p->step[i], *b = &p->step[worst];
		if (a->undecidable != b->undecidable ? a->undecidable : net(a) < net(b))
			worst = i;
	}
	return worst;
}

/* The relay of the k-th link: where the attack leaves step k and goes on as step k - 1. */
static const char *relay_text(char to[IP_TEXT], const struct path *p, size_t k)
{
	return ip_text(to, &p->step[k].end[1].ip);
}

/* What is in the way of a link whose number alone would do: what other flows and the audit say, else NULL. */
static const char *const withheld[] = {
	[LINK_REASON_RIVAL] =
		"a flow of another peer explains it as well: it takes traffic of the one without the "
		"other, or an experiment",
	[LINK_REASON_AUDIT] =
		"by weir audit the link test does not hold on this recording: set the alpha that it "
		"names, or let it draw as many pairs again",
	[LINK_REASON_MEMBER] =
		"what comes in there feeds other flows to that service, but not visibly this one",
};

static const char *why_not(const struct step *s)
{
	const char *why =
		(size_t)s->why_not < sizeof(withheld) / sizeof(withheld[0]) ? withheld[s->why_not] : NULL;

	return why ? why
		   : "timing cannot tell there, whatever its number: it takes traffic that is less regular, "
		     "or an "
		     "experiment";
}

static void on_link(
	struct sufficiency *to, const struct path *p, size_t k, enum width w, const struct alphas *a)
{
	const struct step *s = &p->step[k];
	double rate = -log10(a->alpha[WIDTH_RATE]);
	char relay[IP_TEXT];

	to->log10_e = net(s);
	to->needed = -log10(a->alpha[w]);
	if (s->undecidable)
		(void)snprintf(to->missing, sizeof(to->missing), "link at relay %s: %s",
			relay_text(relay, p, k), why_not(s));
	else if (!(to->log10_e >= to->needed))
		(void)snprintf(to->missing, sizeof(to->missing),
			"link at relay %s has log10 e - log10 M = %.1f, %s needs %.1f: record on%s",
			relay_text(relay, p, k), to->log10_e, width_name(w), to->needed,
			to->log10_e >= rate ? ", or rate-limit" : "");
	to->ok = to->missing[0] == '\0';
}

static void on_sighting(struct sufficiency *to, const struct step *s, enum width w)
{
	char from[IP_TEXT];

	(void)ip_text(from, &s->end[0].ip);
	if (!s->recorded)
		(void)snprintf(to->missing, sizeof(to->missing),
			"the flow from %s is not recorded here, so nothing shows that it came from there: "
			"record it, then plan anew",
			from);
	else if (w != WIDTH_RATE && !s->answered)
		(void)snprintf(to->missing, sizeof(to->missing),
			"%s was not seen to take part in a two-way connection, so its address can be forged: "
			"rate-limit it, or trace it",
			from);
	else if (w == WIDTH_WIDE)
		(void)snprintf(to->missing, sizeof(to->missing),
			"the sighting of %s suffices for %s, not for %s: host by host, an hour at most", from,
			width_name(WIDTH_HOST), width_name(w));
	to->ok = to->missing[0] == '\0';
}

/* The first link up to step k that is somebody's word alone: he told of it, and the flow that he says left
 * the relay did not pass here, so nothing of ours speaks for it.  0: none. */
static size_t on_word(const struct path *p, size_t k)
{
	for (size_t i = 1; i <= k; i++)
		if (*p->step[i].by && !p->step[i - 1].recorded)
			return i;
	return 0;
}

/* The first link up to step k that was computed here from what is not recorded any more; 0: none. */
static size_t on_gone(const struct path *p, size_t k)
{
	for (size_t i = 1; i <= k; i++)
		if (p->step[i].gone)
			return i;
	return 0;
}

void sufficient(
	struct sufficiency *to, const struct path *p, size_t step, enum width w, const struct alphas *a)
{
	size_t word = step < p->n_step && p->step[step].recorded ? on_word(p, step) : 0;
	size_t gone = step < p->n_step ? on_gone(p, step) : 0;
	char relay[IP_TEXT];

	*to = (struct sufficiency){0};
	if (step >= p->n_step)
		(void)snprintf(to->missing, sizeof(to->missing), "nothing is known that far upstream");
	else if (p->step[step].hidden)
		(void)snprintf(to->missing, sizeof(to->missing),
			"which host it is was not disclosed by %s: ask for its address, or for the block "
			"there",
			p->step[step].by);
	else if (gone)
		(void)snprintf(to->missing, sizeof(to->missing),
			"link at relay %s: its flows are not recorded here any more, so it cannot be "
			"computed again, and whom a block hits besides is not known: record on, then plan "
			"anew",
			relay_text(relay, p, gone));
	else if (word)
		(void)snprintf(to->missing, sizeof(to->missing),
			"link at relay %s is the word of %s alone, and what is upstream of it passes here: "
			"record "
			"the flow that left the relay too, or ask for the block there",
			relay_text(relay, p, word), p->step[word].by);
	else if (step == 0)
		on_sighting(to, &p->step[0], w);
	else
		on_link(to, p, weakest(p, step), w, a);
}

void sufficient_prefix(struct sufficiency *to, const struct prefix *p, uint64_t hosts, const struct alphas *a)
{
	unsigned host_bits = (p->ip.v == 4 ? RULE_HOST4 : RULE_HOST6) - (unsigned)p->len;
	uint64_t all = host_bits < 63 ? UINT64_C(1) << host_bits : UINT64_MAX;
	char text[PREFIX_TEXT];

	*to = (struct sufficiency){.ok = hosts >= all};
	if (!to->ok)
		(void)snprintf(to->missing, sizeof(to->missing),
			"%llu of the %llu hosts of %s are attackers with evidence at %g%s",
			(unsigned long long)hosts, (unsigned long long)all, prefix_text(text, p),
			a->alpha[WIDTH_WIDE], hosts ? ": block those one by one" : "");
}
