/* A plan for people: a table of the options, the marked one in full, and the command that comes next.
 *
 * It is read at 3 a.m. on 80 columns: what decides stands in the table, nothing that decides is cut off, and
 * long texts go on in the next line.  Every text came out of a file, and is made printable. */
#include "cli/plan_print.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define LINE       96 /* columns of a line of text */
#define LABEL      15 /* columns before it */
#define TEXT_SHOWN (PLAN_TEXT_MAX + 1)

char *span_text(char to[SPAN_TEXT], int64_t us)
{
	static const struct {
		int64_t s;
		const char *name;
	} unit[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t left = us / SECOND_US;
	size_t u = 0;

	while (u < 3 && left < unit[u].s)
		u++;
	int64_t whole = left / unit[u].s, rest = u < 3 ? left % unit[u].s / unit[u + 1].s : 0;
	if (rest)
		(void)snprintf(to, SPAN_TEXT, "%" PRId64 " %s %" PRId64 " %s", whole, unit[u].name, rest,
			unit[u + 1].name);
	else
		(void)snprintf(to, SPAN_TEXT, "%" PRId64 " %s", whole, unit[u].name);
	return to;
}

/* "98 %"; what is not all is never shown as 100 %, nor what is something as 0 %. */
static const char *percent(char to[16], double share)
{
	double v = 100 * share;

	if (v > 99.9 && share < 1)
		v = 99.9;
	if (v > 0 && v < 0.1)
		return "<0.1 %";
	(void)snprintf(to, 16, fabs(v - nearbyint(v)) < 0.05 ? "%.0f %%" : "%.1f %%", v);
	return to;
}

/* ---- lines with a label ---- */

/* Text behind a label, broken at blanks; what goes on begins under what was begun. */
static void print_text(FILE *o, const char *label, const char *text)
{
	char safe[4 * TEXT_SHOWN];
	const char *at = printable(safe, sizeof(safe), text);

	(void)fprintf(o, "  %-*s", LABEL - 2, label);
	while (strlen(at) > LINE - LABEL) {
		size_t n = LINE - LABEL;
		while (n && at[n] != ' ')
			n--;
		if (n == 0) /* one long word: never cut */
			n = strcspn(at, " ");
		(void)fprintf(o, "%.*s\n%*s", (int)n, at, at[n] ? LABEL : 0, "");
		at += n + (at[n] == ' ');
	}
	(void)fprintf(o, "%s\n", at);
}

/* ---- rules ---- */

void print_rules(FILE *o, const struct option *x, size_t most, const char *indent)
{
	char text[RULE_TEXT], where[TEXT_SHOWN], count[32];

	for (size_t i = 0; i < x->n_action && i < most; i++)
		(void)fprintf(o, "%s%s%s%s\n", indent, rule_text(text, &x->action[i].rule),
			*x->action[i].place ? "   at " : "",
			printable(where, sizeof(where), x->action[i].place));
	if (x->n_action > most)
		(void)fprintf(
			o, "%s... %s more (--json has all)\n", indent, thousands(count, x->n_action - most));
}

/* ---- one option ---- */

static void print_stops(FILE *o, const struct plan *p, const struct option *x)
{
	char text[256], share[16], bytes[16], all[16];
	int n = snprintf(text, sizeof(text), "%s of the attack, %s of its recorded bytes",
		percent(share, x->stops), percent(bytes, x->stops_bytes));

	if (p->cases > 1 && n > 0)
		(void)snprintf(text + n, sizeof(text) - (size_t)n,
			"; %s of that of all %" PRIu32 " open cases that end in %s",
			percent(all, x->stops_all), p->cases, p->ends);
	print_text(o, "stops", text);
}

static void print_ways(FILE *o, const struct option *x)
{
	if (x->n_way == 0)
		print_text(o, "comes back",
			"other ways: unknown (none was seen, which does not mean that there is none)");
	for (size_t i = 0; i < x->n_way; i++)
		print_text(o, i ? "" : "comes back", x->way[i]);
}

static void print_hit(FILE *o, const struct option *x)
{
	static const char *const shared[] = {[SHARED_NO] = "no other host stands behind the address",
		[SHARED_YES] = "SHARED: others stand behind the address",
		[SHARED_UNKNOWN] =
			"whether others stand behind the address is unknown, which counts as shared"};
	char text[512], flows[COUNT_TEXT], peers[COUNT_TEXT], own[COUNT_TEXT], bytes[32];
	int n = snprintf(text, sizeof(text), "%s, %s, %s", counted(flows, x->hit.flows, "flow"),
		counted(peers, x->hit.peers, "peer"), amount(bytes, x->hit.bytes));

	if (x->hit.own)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "; %s lose%s something; ",
			counted(own, x->hit.own, "own host"), x->hit.own == 1 ? "s" : "");
	else
		n += snprintf(text + n, sizeof(text) - (size_t)n, "; no own host loses anything; ");
	(void)snprintf(text + n, sizeof(text) - (size_t)n, "%s", shared[x->hit.shared]);
	print_text(o, "hits besides", text);
}

static void print_costs(FILE *o, const struct option *x)
{
	const struct {
		const char *label, *text;
	} cost[] = {{"cost to us", x->cost_us}, {"to partner", x->cost_partner},
		{"to others", x->cost_bystanders}};

	for (size_t i = 0; i < sizeof(cost) / sizeof(cost[0]); i++)
		if (*cost[i].text)
			print_text(o, cost[i].label, cost[i].text);
}

static void print_needs(FILE *o, const struct option *x)
{
	if (x->n_needs == 0)
		print_text(o, "help", "nobody's: it can be done here alone");
	for (size_t i = 0; i < x->n_needs; i++)
		print_text(o, i ? "" : "help of", x->needs[i]);
}

static void print_evidence(FILE *o, const struct option *x)
{
	char text[2 * TEXT_SHOWN];

	if (x->log10_e == 0 && x->needed == 0)
		(void)snprintf(text, sizeof(text), "%s: it rests on what was seen here and on no link",
			x->sufficient ? "sufficient" : "NOT SUFFICIENT");
	else
		(void)snprintf(text, sizeof(text),
			"%s: log10 e %.1f of the weakest link, less the search; needed %.1f",
			x->sufficient ? "sufficient" : "NOT SUFFICIENT", x->log10_e, x->needed);
	print_text(o, "evidence", text);
	if (!x->sufficient)
		print_text(o, "missing", x->missing);
}

void print_option(FILE *o, const struct plan *p, const struct option *x)
{
	char text[128], lasts[SPAN_TEXT], rules[COUNT_TEXT];

	(void)fprintf(o, "option %" PRIu32 "%s\n", x->k, x->marked ? " (marked)" : "");
	print_stops(o, p, x);
	print_ways(o, x);
	print_hit(o, x);
	print_costs(o, x);
	print_needs(o, x);
	(void)snprintf(text, sizeof(text), "%s, then it ends by itself", span_text(lasts, x->for_us));
	print_text(o, "lasts", text);
	print_evidence(o, x);
	print_text(o, "rules", counted(rules, x->n_action, "rule"));
	print_rules(o, x, RULES_SHOWN, "    ");
}

/* ---- the table ---- */

static void print_row(FILE *o, const struct plan *p, const struct option *x)
{
	static const char *const shared[] = {
		[SHARED_NO] = "no", [SHARED_YES] = "YES", [SHARED_UNKNOWN] = "unknown"};
	char stops[16], all[16], collateral[32], peers[32], rule[RULE_TEXT];

	(void)fprintf(o, "%c %2" PRIu32 "  %6s  %6s  %10s  %7s  %-7s  %5zu  %-10s  %s\n",
		x->marked ? '>' : ' ', x->k, percent(stops, x->stops),
		p->cases > 1 ? percent(all, x->stops_all) : "-", thousands(collateral, x->collateral),
		thousands(peers, x->hit.peers), shared[x->hit.shared], x->n_action,
		x->n_needs ? "needs help" : "here alone", x->sufficient ? "enough" : "NOT ENOUGH");
	if (x->n_action) {
		(void)fprintf(o, "      %s", rule_text(rule, &x->action[0].rule));
		if (x->n_action > 1)
			(void)fprintf(o, ", and %zu more", x->n_action - 1);
		(void)fputc('\n', o);
	}
	for (size_t i = 0; i < x->n_needs && !x->marked; i++)
		print_text(o, i ? "" : "    help of", x->needs[i]);
	if (!x->sufficient && !x->marked)
		print_text(o, "    missing", x->missing);
}

/* Whom --unwilling named. */
static void print_refusing(FILE *o, const struct plan *p)
{
	char text[TEXT_SHOWN];

	for (size_t i = 0; i < p->n_unwilling; i++)
		(void)fprintf(o, "%s%s",
			i ? ", " : "not counting on: ", printable(text, sizeof(text), p->unwilling[i]));
	if (p->n_unwilling)
		(void)fputc('\n', o);
}

static void print_head(FILE *o, const struct plan *p, const struct id *id)
{
	char text[ID_TEXT], case_id[ID_TEXT], made[WALL_TEXT], attacks[COUNT_TEXT], all[COUNT_TEXT];
	char from[WALL_TEXT], to[WALL_TEXT], span[SPAN_TEXT], ends[TEXT_SHOWN];

	(void)fprintf(o, "plan %.12s of case %.12s, made %.19sZ\n", id_text(text, id),
		id_text(case_id, &p->case_id), wall_text(made, p->made));
	(void)fprintf(o, "%s", counted(attacks, p->attacks, "attack flow"));
	if (*p->ends)
		(void)fprintf(o, "; the trace ends in %s", printable(ends, sizeof(ends), p->ends));
	if (p->cases > 1)
		(void)fprintf(o, ", as %" PRIu32 " open cases do (%s)", p->cases,
			counted(all, p->attacks_all, "attack flow"));
	if (p->from.us <= p->to.us)
		(void)fprintf(o, "\nbystanders: counted in what was recorded %.19sZ .. %.19sZ (%s)\n",
			wall_text(from, p->from), wall_text(to, p->to),
			span_text(span, p->to.us - p->from.us));
	else
		(void)fprintf(o,
			"\nbystanders: not known, for nothing is recorded, or is left, to count them in\n");
	if (p->erased)
		(void)fprintf(o, "erased since: %s, which %s as bystanders of every option\n",
			counted(all, p->erased, "flow"), p->erased == 1 ? "counts" : "count");
	print_refusing(o, p);
	if (!p->exact)
		(void)fprintf(o,
			"too many actions to try all sets: an option may stop less than the best of its "
			"collateral, by %.1f %% at most\n",
			ceil(1000 * p->gap) / 10);
}

/* Is any of it placed here? */
static bool done_here(const struct option *x)
{
	for (size_t i = 0; i < x->n_action; i++)
		if (!*x->action[i].place)
			return true;
	return false;
}

/* What a person does next: try it, or get what is missing. */
static void print_next(FILE *o, const struct plan *p, const struct option *x)
{
	char case_id[ID_TEXT];

	(void)id_text(case_id, &p->case_id);
	if (x->n_needs)
		(void)fprintf(
			o, "next: weir bundle %.12s --ask block -o FILE   (asks who can help)\n", case_id);
	if (!x->sufficient)
		(void)fprintf(o,
			"next: get what is missing, then weir plan %.12s   (this plan stays as it is)\n",
			case_id);
	if (done_here(x))
		(void)fprintf(o,
			"next: weir block %.12s --option %" PRIu32 " --dry-run   (shows the exact change)\n",
			case_id, x->k);
}

void print_plan(FILE *o, const struct plan *p, const struct id *id, bool all)
{
	const struct option *marked = NULL;

	print_head(o, p, id);
	(void)fprintf(
		o, "\n   K   stops     all  collateral    peers  shared   rules  where       evidence\n");
	for (size_t i = 0; i < p->n_option; i++) {
		print_row(o, p, &p->option[i]);
		if (p->option[i].marked)
			marked = &p->option[i];
	}
	for (size_t i = 0; i < p->n_option; i++) {
		if (!all && &p->option[i] != marked)
			continue;
		(void)fputc('\n', o);
		print_option(o, p, &p->option[i]);
	}
	if (marked && !all) {
		(void)fputc('\n', o);
		print_next(o, p, marked);
	}
}
