/* Trace and scan: which flow into a host carries what a flow out of it carried, hop by hop upstream; and
 * every relay in a recording.  The link test itself is link.h; here are the candidates, the charge for
 * searching among them, the chain and where it ends. */
#ifndef WEIR_TRACE_TRACE_H
#define WEIR_TRACE_TRACE_H

#include "base/config.h"
#include "base/world.h"
#include "record/store.h"
#include "trace/link.h"
#include "trace/relink.h"

#define TRACE_RIVALS 5  /* runners-up that a hop names */
#define TRACE_HOPS   16 /* longest chain that is followed */

struct candidate {
	const struct flow *flow;
	struct relink pair; /* what was tested */
	struct link_result link;
};

/* One relay: OUT left it, and the best of the flows that could have fed it. */
struct hop {
	struct ip relay;
	const struct flow *out;
	const struct flow *translated; /* where OUT is the inner side of a translation: the flow it came from,
					  else NULL */
	struct candidate best;         /* best.flow NULL: there was no candidate */
	struct candidate rival[TRACE_RIVALS];
	size_t n_rival;
	size_t searched;             /* M: flows that could have fed OUT */
	double needed;               /* log10(1/alpha) + log10(M) */
	bool declared;               /* the configuration's known_relays has it */
	const char *role, *role_why; /* of a proven hop, as of a scan_link; else NULL */
};

enum chain_end {
	END_NOT_RECORDED, /* no other flow of the host was recorded meanwhile */
	END_INSUFFICIENT, /* candidates, but none suffices */
	END_UNDECIDABLE,  /* timing cannot tell here */
	END_OUTSIDE,      /* the host is outside the own networks */
	END_LOOP,         /* the host is in the chain already */
	END_DEPTH,        /* TRACE_HOPS */
	END_ONE_HOST,     /* the flow begins and ends on one host */
};

struct chain {
	const struct flow *attack;
	double alpha;
	size_t searched; /* candidates at all hops */
	struct hop *hop; /* from the victim upstream; the last one may be not proven */
	size_t n_hop, n_proven;
	struct ip end_host;
	enum chain_end end;
};

/* Reads what it needs of DIR once and keeps it; flows handed out live until tracer_close(). */
struct tracer;
enum status tracer_open(struct tracer **to, const struct world *w, const char *dir, const struct config *cfg,
	double alpha, struct err *e);
void tracer_close(struct tracer *t);

/* A flow by id prefix or notation (either direction): of several the one that is alive at `at` or nearest
 * to it, the latest where at is WALL_END.  STATUS_NO: not recorded; STATUS_BAD: neither id nor notation,
 * or ambiguous. */
enum status tracer_flow(
	struct tracer *t, const char *text, struct wall at, const struct flow **to, struct err *e);

/* Follows `attack` upstream from the end that opened it.  said: who a sensor says opened it, used only where
 * no SYN was seen; NULL for none. */
enum status trace_chain(struct tracer *t, const struct flow *attack, const struct endpoint *said,
	struct chain *to, struct err *e);

/* Did the last audit (audit.h) find that the null does not hold on this recording?  What is not proven is no
 * evidence then, however little is asked of it. */
bool tracer_flawed(const struct tracer *t);

/* Of an aggregate (aggregate.h) that a hop at `relay` has: the flows that it is of, as recorded there; of
 * another flow none.  Owned by the tracer. */
enum status trace_members(struct tracer *t, const struct ip *relay, const struct flow *f,
	const struct flow ***to, size_t *n, struct err *e);

/* In plain words, why the chain ends; to has n bytes. */
char *chain_end_text(char *to, size_t n, const struct chain *c);

/* A pair of flows at one host, as scan reports it. */
struct scan_link {
	struct ip relay;
	const struct flow *in, *out;
	struct link_result link;
	double needed;
	const struct relink *pair; /* as it was tested; NULL of a translated copy */
	struct ip relay_out;       /* where OUT left: differs from relay only with any_host */
	const char *role;     /* "relay", "reverse" (both legs opened by the relay), "rendezvous" (both by
				 others), "declared", "rewritten", or what role.h finds */
	const char *role_why; /* "" or why it is thought so */
};

struct scan_param {
	struct wall since, until;
	bool all;        /* also what is not proven */
	bool any_host;   /* legs at different addresses too: NAT pools, relays with several addresses */
	bool undeclared; /* leave out what known_relays declares; it is counted */
	size_t threads;  /* 0: as many as there are processors */
	const volatile int *stop;
	void (*progress)(void *self, uint64_t done, uint64_t total);
	enum status (*found)(void *self, const struct scan_link *l, struct err *e);
	void *self;
};

struct scan_sum {
	uint64_t hosts, flows, pairs, proven, undecidable, rewritten, declared;
	uint64_t searched; /* of pairs; about, where stopped */
	uint64_t tested;   /* pairs that the index let pass, or all */
	uint64_t withheld; /* of undecidable: the audit of the recording allows no proof at this alpha */
	uint64_t rivals;   /* of undecidable: would be proven, but for another flow that explains it too */
	bool stopped;
};

/* Every link between flows that overlap at an own host (any_host: at any two own hosts).  Candidates are
 * found by an index (index.h) that loses no pair which the exhaustive test would prove; M = all pairs that
 * overlap, looked at or not.  What is proven of one out-leg is held against each other before it is told, as
 * trace does; of a host that was not searched whole, against what was found until then. */
enum status trace_scan(struct tracer *t, const struct scan_param *p, struct scan_sum *sum, struct err *e);

/* Which end opened f: as recorded where a SYN was seen; else the one without a service port (below 1024)
 * where only one has such, else the sender of the first packet. */
int flow_opener(const struct flow *f);

/* The other end of f, seen from host. */
const struct ip *flow_peer(const struct flow *f, const struct ip *host);

const char *link_verdict_name(enum link_verdict v);
/* The reason in plain words ("both trains predict themselves"). */
const char *link_reason_text(enum link_reason r);
/* The same with the numbers: "5 bursts, at least 7 needed".  needed: as the pair was tested; to has n bytes;
 * returns it. */
char *link_reason_say(char *to, size_t n, const struct link_result *l, double needed);
/* The least number of bursts with which a pair could reach that. */
size_t link_bursts_needed(double needed);

#endif
