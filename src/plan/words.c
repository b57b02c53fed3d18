/* An option in plain words: what is missing, and one line each of what it costs us, those whose help it
 * needs, and bystanders. */
#include <stdio.h>

#include "base/count.h"
#include "plan/make_in.h"

#define NAMED 3 /* helpers that a line names; of more it says how many */

char *long_text(char to[LONG_TEXT], int64_t us)
{
	static const struct {
		int64_t us;
		const char *unit;
	} table[] = {{INT64_C(24) * 3600 * SECOND_US, "d"}, {3600 * SECOND_US, "h"}, {60 * SECOND_US, "m"},
		{SECOND_US, "s"}};
	size_t n = sizeof(table) / sizeof(table[0]), i = 0;
	int k;

	while (i + 1 < n && us < table[i].us)
		i++;
	k = snprintf(to, LONG_TEXT, "%lld%s", (long long)(us / table[i].us), table[i].unit);
	if (i + 1 < n && us % table[i].us / table[i + 1].us)
		(void)snprintf(to + k, LONG_TEXT - (size_t)k, "%lld%s",
			(long long)(us % table[i].us / table[i + 1].us), table[i + 1].unit);
	return to;
}

static bool line_set(const char **to, struct making *m, const char *text)
{
	*to = arena_str(m->out, text);
	return *to != NULL;
}

/* ---- evidence ---- */

/* Is a worse ground than b: further from what it needs? */
static bool worse(const struct ground *a, const struct ground *b)
{
	if (a->ok != b->ok)
		return !a->ok;
	return a->log10_e - a->needed < b->log10_e - b->needed;
}

/* Why the choice is not sufficient. */
static void why_not(struct sufficiency *to, const struct making *m, const struct choice *c)
{
	if (choice_is_prefix(m, c))
		sufficient_prefix(to, &m->match[c->match].rule.from,
			m->source[m->match[c->match].source].evident, &m->alphas);
	else
		sufficient(
			to, &m->paths.path[c->ground.path], c->ground.step, choice_width(m, c), &m->alphas);
}

static bool evidence_words(struct option *o, struct making *m, const struct draw *d)
{
	const struct choice *worst = NULL;
	const struct ground *link = NULL;
	size_t lacking = 0;
	struct sufficiency s;
	char text[PLAN_TEXT_MAX + 1], more[COUNT_TEXT];

	for (size_t i = 0; i < d->n; i++) {
		const struct choice *c = &m->choice[d->choice[i]];
		bool linked = c->ground.path != NO_INDEX && c->ground.step > 0;
		lacking += !c->ground.ok;
		if (!c->ground.ok && (!worst || worse(&c->ground, &worst->ground)))
			worst = c;
		if (linked && (!link || worse(&c->ground, link)))
			link = &c->ground;
	}
	o->log10_e = link ? link->log10_e : 0;
	o->needed = link ? link->needed : 0;
	o->sufficient = !worst;
	if (!worst)
		return line_set(&o->missing, m, "");
	why_not(&s, m, worst);
	if (lacking > 1)
		(void)snprintf(text, sizeof(text), "%.300s (and so, or nearly so, for %s more)", s.missing,
			counted(more, lacking - 1, "rule"));
	else
		(void)snprintf(text, sizeof(text), "%s", s.missing);
	return line_set(&o->missing, m, text);
}

/* ---- costs ---- */

static bool cost_us(struct option *o, struct making *m)
{
	char text[PLAN_TEXT_MAX + 1], rules[COUNT_TEXT], hosts[COUNT_TEXT], flows[COUNT_TEXT],
		span[LONG_TEXT];
	size_t here = 0;
	int n;

	for (size_t i = 0; i < o->n_action; i++)
		here += !*o->action[i].place;
	if (here == 0)
		return line_set(&o->cost_us, m, "nothing is done here");
	n = snprintf(text, sizeof(text), "%s here for %s", counted(rules, here, "rule"),
		long_text(span, o->for_us));
	if (o->hit.own)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			"; %s of ours had a part in %s that would go", counted(hosts, o->hit.own, "host"),
			counted(flows, o->hit.flows, "flow"));
	if (m->spared)
		(void)snprintf(text + n, sizeof(text) - (size_t)n,
			"; %s protected by never_block, partner_networks or as nobody's address: not offered "
			"here",
			counted(hosts, m->spared, "attacking host"));
	return line_set(&o->cost_us, m, text);
}

static bool cost_partner(struct option *o, struct making *m)
{
	char text[PLAN_TEXT_MAX + 1], rules[COUNT_TEXT], span[LONG_TEXT];
	size_t there = 0, n = 0;

	if (o->n_needs == 0)
		return line_set(&o->cost_partner, m, "nothing: no help is needed");
	for (size_t i = 0; i < o->n_action; i++)
		there += *o->action[i].place != '\0';
	for (size_t i = 0; i < o->n_needs && i < NAMED; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.64s", i ? ", " : "", o->needs[i]);
	if (o->n_needs > NAMED)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " and %zu more", o->n_needs - NAMED);
	(void)snprintf(text + n, sizeof(text) - n,
		": %s for %s; what else would be lost there is not known here", counted(rules, there, "rule"),
		long_text(span, o->for_us));
	return line_set(&o->cost_partner, m, text);
}

static char *recorded_text(char to[LONG_TEXT], const struct making *m)
{
	return long_text(to, m->seen.recorded.to_us - m->seen.recorded.from_us);
}

static bool cost_bystanders(struct option *o, struct making *m)
{
	static const char *const shared[] = {[SHARED_NO] = "nobody else was seen behind it in a whole day",
		[SHARED_YES] = "others use the same addresses",
		[SHARED_UNKNOWN] =
			"whether others use the same addresses is not known, which counts as if they did"};
	char text[PLAN_TEXT_MAX + 1], flows[COUNT_TEXT], peers[COUNT_TEXT], bytes[32], span[LONG_TEXT],
		gone[COUNT_TEXT];

	if (m->seen.recorded.to_us < m->seen.recorded.from_us)
		return line_set(&o->cost_bystanders, m,
			"not known: nothing is recorded here, or nothing is left of it");
	if (o->hit.flows == 0)
		(void)snprintf(text, sizeof(text), "none in the last %s that were recorded; %s",
			recorded_text(span, m), shared[o->hit.shared]);
	else
		(void)snprintf(text, sizeof(text),
			"%s with %s, %s bytes, in the last %s that were recorded; %s",
			counted(flows, o->hit.flows, "flow"), counted(peers, o->hit.peers, "peer"),
			thousands(bytes, o->hit.bytes), recorded_text(span, m), shared[o->hit.shared]);
	if (m->seen.erased)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"; %s of these times %s erased, and counted here whosever they were",
			counted(gone, m->seen.erased, "flow"), m->seen.erased == 1 ? "was" : "were");
	return line_set(&o->cost_bystanders, m, text);
}

enum status option_words(struct option *o, struct making *m, const struct draw *d, struct err *e)
{
	bool good = evidence_words(o, m, d) && cost_us(o, m) && cost_partner(o, m) && cost_bystanders(o, m);

	return good ? STATUS_OK : err_nomem(e);
}
