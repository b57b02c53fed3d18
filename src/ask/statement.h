/* Statements: what a claim's JSON body says, so split that each can be agreed without the others.
 *
 *     attack  "flow F hit us, with this train"            nothing but the train is needed
 *     seen    "flow F passed here, with this train"       the same, of one that is no victim
 *     link    "host R relayed OUT from IN"                re-computed from the two trains
 *     search  "of host R's flows none is proven to have fed OUT"   names nobody; does not travel
 *     origin  "what fed link L came out of network N"     asserted: registration, not traffic
 *     block   "rule B held from .. to .."                 asserted: its effect is seen by its absence
 *
 * A body names trains by the SHA-256 of their text (record/train.h). */
#ifndef WEIR_ASK_STATEMENT_H
#define WEIR_ASK_STATEMENT_H

#include "case/blob.h"
#include "case/case.h"
#include "record/train.h"
#include "trace/limit.h"
#include "trace/trace.h"

enum statement_kind { STATES_ATTACK, STATES_SEEN, STATES_LINK, STATES_SEARCH, STATES_ORIGIN, STATES_BLOCK };

const char *statement_kind_name(enum statement_kind k);
bool statement_kind_parse(enum statement_kind *to, const char *s);

#define STATEMENT_VERSION 1           /* of the bodies; another is refused */
#define STATEMENT_BLIND   4096        /* blind spans in any statement */
#define STATEMENT_BYTES   (256 << 10) /* of a body: what JSON makes of it takes fifty times as much memory */

/* Texts are in the arena, and as they came: printable() before a terminal sees them. */
struct statement {
	enum statement_kind kind;
	const char *code;                 /* program and version that computed it */
	char in[BLOB_NAME];               /* train of IN; "" where the kind has none */
	char out[BLOB_NAME];              /* train of OUT, or of the one flow that is meant */
	const char *in_flow, *out_flow;   /* notation, as the trains say it; "" for none */
	uint32_t in_members, out_members; /* of so many flows together, as the trains say; 0: of one */

	struct ip relay; /* link */
	bool in_opened, apart;
	struct clock_fit clock;
	struct span *blind;
	size_t n_blind;
	double alpha, log10_e, needed;
	uint64_t searched;
	int64_t lag_us;
	uint32_t bursts;
	bool proven;

	struct id link; /* origin: the claim whose IN it speaks of, in the same bundle */
	uint64_t hops;  /* origin: how many relays further up that was, in the claimant's own network */
	struct prefix network;   /* origin */
	const char *basis;       /* origin: how the network is known */
	const char *rule;        /* block */
	struct wall from, until; /* block */
};

/* From a claim's kind and body.  STATUS_BAD names the field. */
enum status statement_read(
	struct statement *to, const char *kind, const char *body, size_t n, struct arena *a, struct err *e);

/* Does a statement that names this flow, of so many together, speak of the train? */
bool statement_names(const char *flow, uint32_t members, const struct train *t);

/* A link computed again. */
struct recomputed {
	struct link_result link;
	bool same;     /* log10 e within 1e-9, and bursts, lag and verdict are as stated */
	char why[200]; /* what differs; "" where same */
};

/* STATUS_BAD where the statement and the trains do not fit together (other flows, a relay that is no end of
 * them); then nothing was computed. */
enum status statement_recompute(struct relink_room *room, const struct statement *s, const struct train *in,
	const struct train *out, struct recomputed *to, struct err *e);

/* How far the link is from the edge of what is proven: the same for whoever has the trains. */
enum status statement_limit(struct relink_room *room, const struct statement *s, const struct train *in,
	const struct train *out, struct limit *to, struct err *e);

/* ---- making them ---- */

enum disclose { DISCLOSE_NOTHING, DISCLOSE_NETWORK, DISCLOSE_ADDRESS };
bool disclose_parse(enum disclose *to, const char *s);

/* A claim with the trains that it names, ready to be stored. */
struct told {
	const char *kind;
	char *body;
	struct buf train[2];
	char name[2][BLOB_NAME]; /* "" for none */
};
void told_free(struct told *t);

/* "flow f hit us": the sightings that say so (n may be 0). */
enum status tell_attack(struct told *to, const struct flow *f, const struct sighting *said, size_t n,
	const char *code, struct err *e);
enum status tell_seen(struct told *to, const struct flow *f, const char *code, struct err *e);
/* A hop: a link where it is proven, else a search.  The numbers are computed from the trains as they are
 * written, so that whoever has those gets the same.  hide 0: everything is named; else of IN's far end only
 * the prefix of this length stays. */
enum status tell_hop(
	struct told *to, const struct hop *h, double alpha, uint8_t hide, const char *code, struct err *e);
/* "What fed the link (its claim, and IN as it is disclosed), `hops` relays further up, came out of network."
 * No train: what was recorded further up is nobody's business. */
enum status tell_origin(struct told *to, const struct told *link, const char *in_flow, size_t hops,
	const struct prefix *network, const char *basis, const char *code, struct err *e);
/* "This rule held from .. until ..": what one did oneself.  No train: its effect is seen by its absence. */
enum status tell_block(struct told *to, const char *rule, struct wall from, struct wall until,
	const char *code, struct err *e);

#endif
