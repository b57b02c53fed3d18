/* Verdicts, reasons and limits in words. */
#include <math.h>
#include <stdio.h>

#include "base/count.h"
#include "trace/limit.h"
#include "trace/link_bet.h"
#include "trace/trace.h"

#define MORE_MIN 0.5 /* a log10 e below says nothing about how much more would do */

const char *link_verdict_name(enum link_verdict v)
{
	static const char *const name[] = {[LINK_INSUFFICIENT] = "insufficient",
		[LINK_PROVEN] = "proven",
		[LINK_UNDECIDABLE] = "undecidable"};

	return name[v];
}

const char *link_reason_text(enum link_reason r)
{
	static const char *const text[] = {
		[LINK_REASON_NONE] = "proven",
		[LINK_REASON_FEW_BURSTS] = "too few bursts to ever suffice",
		[LINK_REASON_NO_OVERLAP] = "the legs share no observed time",
		[LINK_REASON_WEAK] = "the evidence does not reach what is needed",
		[LINK_REASON_PREDICTABLE] = "both trains predict themselves",
		[LINK_REASON_SHARED_CAUSE] = "cannot tell a relay from a shared cause: needs an experiment",
		[LINK_REASON_RESOLUTION] = "clock resolution or sampling does not suffice",
		[LINK_REASON_RIVAL] = "another flow explains it as well",
		[LINK_REASON_AUDIT] = "the audit of this recording allows no such statement at this alpha",
		[LINK_REASON_MEMORY] = "out of working memory",
		[LINK_REASON_MEMBER] = "it feeds other flows to that service, but not visibly this one",
	};

	return text[r];
}

size_t link_bursts_needed(double needed)
{
	double n = ceil(needed / bet_ceiling(1));

	return n >= 1 && n < 1e9 ? (size_t)n : 1;
}

/* Fewer are there than could suffice, so the number needed is larger, whatever the rounding. */
static char *say_few(char *to, size_t n, const struct link_result *l, double needed)
{
	size_t least = link_bursts_needed(needed);
	char there[COUNT_TEXT];

	least = least > l->bursts ? least : (size_t)l->bursts + 1;
	if (l->bursts)
		(void)snprintf(to, n, "%s, at least %zu needed", counted(there, l->bursts, "burst"), least);
	else
		(void)snprintf(to, n, "too few bursts: at least %zu needed", least);
	return to;
}

char *link_reason_say(char *to, size_t n, const struct link_result *l, double needed)
{
	if (l->reason == LINK_REASON_FEW_BURSTS)
		return say_few(to, n, l, needed);
	if (l->reason == LINK_REASON_WEAK)
		(void)snprintf(to, n, "%s: log10 e %.1f of %.1f", link_reason_text(l->reason), l->max_log10_e,
			needed);
	else
		(void)snprintf(to, n, "%s", link_reason_text(l->reason));
	return to;
}

/* ---- limits ---- */

/* "50 ms of jitter" */
static void say_edge(char *to, size_t n, const struct limit *l)
{
	const char *more = l->own ? " more" : "";

	if (l->jitter_ms > 0)
		(void)snprintf(to, n, "up to %.0f ms of jitter%s%s", l->jitter_ms, more,
			l->jitter_most ? " and beyond" : "");
	else
		(void)snprintf(to, n, "with less than %.0f ms of jitter%s", LIMIT_JITTER_LEAST_MS, more);
}

static void say_chaff(char *to, size_t n, const struct limit *l)
{
	if (l->chaff > 0)
		(void)snprintf(to, n, "up to %.0f %% of chaff%s", 100 * l->chaff,
			l->chaff_most ? " and beyond" : "");
	else
		(void)snprintf(to, n, "with less than %.0f %% of chaff", LIMIT_CHAFF_LEAST_PERCENT);
}

/* What would have to be there besides, where the number is merely too small. */
static void say_missing(char *to, size_t n, const struct limit *l, double needed)
{
	double e = l->clear.max_log10_e, factor = e > MORE_MIN ? needed / e - 1 : 0;
	bool weak = l->clear.reason == LINK_REASON_WEAK && factor > 0;
	char bursts[COUNT_TEXT];

	to[0] = '\0';
	if (weak)
		(void)snprintf(to, n, " (some %s or %.0f s more of the like would do)",
			counted(bursts, (uint64_t)ceil(factor * (double)l->bursts), "burst"),
			ceil(factor * l->seconds));
}

char *limit_text(char *to, size_t n, const struct limit *l, double needed)
{
	char a[80], b[COUNT_TEXT + 80];
	struct link_result r = l->clear;

	if (l->known) {
		say_edge(a, sizeof(a), l);
		say_chaff(b, sizeof(b), l);
		(void)snprintf(to, n, "%s %s, or %s",
			!l->own       ? "a relay of this in-leg would have been proven"
			: l->unproven ? "its number alone would still suffice"
				      : "still proven",
			a, b);
	} else if (l->hidden) {
		(void)snprintf(
			to, n, "not known: the in-leg hides among ticks what a relay of it would have sent");
	} else {
		if (r.reason == LINK_REASON_FEW_BURSTS)
			r.bursts = (uint32_t)l->bursts;
		char why[LIMIT_TEXT];
		say_missing(b, sizeof(b), l, needed);
		(void)snprintf(to, n, "even a relay of this in-leg without jitter: %s%s",
			link_reason_say(why, sizeof(why), &r, needed), b);
	}
	return to;
}
