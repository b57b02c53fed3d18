/* Verdicts and reasons in words. */
#include "trace/trace.h"

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
