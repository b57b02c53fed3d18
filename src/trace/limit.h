/* The limit: up to which jitter and which chaff a relay of this in-leg would have been proven.
 *
 * What it is for: "insufficient" says little unless one knows whether a relay could have been seen at all in
 * so much traffic, and "proven" says more if one knows how far the evidence was from its edge. */
#ifndef WEIR_TRACE_LIMIT_H
#define WEIR_TRACE_LIMIT_H

#include "trace/relink.h"

#define LIMIT_TEXT 256

#define LIMIT_JITTER_LEAST_MS     5.0 /* tried, but for none */
#define LIMIT_CHAFF_LEAST_PERCENT 25.0

struct limit {
	bool known;       /* false where not even without jitter it would have been proven */
	bool own;         /* the pair itself is proven: jitter and chaff come on top of what it has already;
			     else they are those of a relay that copies IN */
	bool unproven;    /* the caller's: own, but other flows or the audit withhold the verdict, so that
			     limit_text() speaks of the number alone */
	bool hidden;      /* not known, since IN hides among ticks what a relay would have to copy */
	double jitter_ms; /* the largest tried U(0, jitter) a direction, without chaff, still proven */
	double chaff;     /* the largest tried share of OUT's forward packets as chaff, without jitter */
	bool jitter_most, chaff_most; /* it is the largest that was tried */
	struct link_result clear;     /* without either */
	double seconds;               /* that both legs lived */
	size_t bursts;                /* of the pair: see relink_bursts() */
};

/* Bursts that can be bet on: of the way that has more of them, the fewer of its two trains, in the time that
 * both legs lived, merged as the test does. */
size_t relink_bursts(const struct relink *p);

/* Takes the pair where it is proven, else makes the out-leg that a relay of p->in would have sent; adds
 * jitter or chaff drawn from a source seeded by IN's bursts, and tests with p->needed.  A pure function of
 * p. Costs some ten tests. */
enum status limit_find(struct relink_room *room, const struct relink *p, struct limit *to, struct err *e);

/* "still proven up to 50 ms of jitter more, or up to 300 % of chaff"; "its number alone would still suffice
 * up to ...", where unproven; "a relay of this in-leg would have been proven up to ..."; or what is missing.
 * needed as in p; to has n bytes; returns it. */
char *limit_text(char *to, size_t n, const struct limit *l, double needed);

#endif
