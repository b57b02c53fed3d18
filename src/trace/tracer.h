/* Inside src/trace: what the parts of tracing share. */
#ifndef WEIR_TRACE_TRACER_H
#define WEIR_TRACE_TRACER_H

#include "trace/trace.h"

/* Two observation points of a view: the second one's clock against the first one's, and when either was
 * blind, on the first one's clock. */
struct meeting {
	struct meeting *next;
	const char *in_point, *out_point;
	bool apart; /* two points, not one */
	struct clock_fit clock;
	const struct span *blind;
	size_t n_blind;
};

struct role_profile;

/* What was recorded of one host. */
struct view {
	struct view *next;
	struct ip host;
	struct recording own;  /* where the view was read for itself */
	struct recording *rec; /* the recording that the flows are of: own, or one that many views share */
	struct flow *
		*by_tuple; /* the host's flows; the same 5-tuple stands together, then by point and time */
	size_t n;
	struct meeting *meetings;
	struct together *together;    /* aggregate.h */
	struct role_profile *profile; /* of the host; made when a role is asked for */
};

struct tracer {
	const struct world *w;
	const char *dir;
	const struct config *cfg;
	double alpha;
	struct arena arena; /* results */
	struct view *views;
	struct view *found;  /* queries by id, kept so that flows stay alive */
	struct reach *reach; /* of recognise() */
	struct relink_room room;
	double alpha_most;   /* what the last audit allows: "proven" needs an alpha of at most this; 1 without
				one */
	struct wall audited; /* when that was; 0 where its finding cannot be read */
};

/* Everything recorded with `host` at an end; read once. */
enum status view_get(struct tracer *t, const struct ip *host, struct view **to, struct err *e);

/* Same protocol and endpoints (initiator may differ), alive at overlapping times give or take skew: one flow,
 * perhaps seen at two points. */
bool flow_same(const struct flow *a, const struct flow *b, int64_t skew_us);
/* Did it carry payload at all?  What did not (a SYN without an answer) has no burst and can have fed nothing,
 * whatever the test would say: it is no candidate. */
bool flow_carries(const struct flow *f);
bool flow_overlap(const struct flow *a, const struct flow *b, int64_t skew_us);
/* Copies of one flow before and after translation. */
bool flow_rewritten(const struct flow *a, const struct flow *b);

/* Compares the 5-tuples of two flows, whichever end opened them. */
int tuple_compare(const struct flow *a, const struct flow *b);

/* Sorts v->by_tuple, which holds v->n flows. */
void view_sort(struct view *v);

/* Both sort v, n > 0: the middle one; the largest but for one in twenty. */
int64_t median_of(int64_t *v, size_t n);
int64_t most_of(int64_t *v, size_t n);

/* The clock of out's point against in's, from the flows of v that both points saw. */
struct clock_fit clock_between(
	const struct view *v, const char *in_point, const char *out_point, int64_t skew_us);

/* The meeting of two points, made once a view. */
enum status meeting_get(struct view *v, const char *in_point, const char *out_point, int64_t skew_us,
	const struct meeting **to, struct err *e);

/* Sorts n spans and joins those that touch; returns how many are left. */
size_t spans_join(struct span *s, size_t n);

/* A pair of flows, IN at one host and OUT at the same or another one, as relink_test() takes it. */
void pair_between(struct relink *to, const struct ip *in_host, const struct ip *out_host,
	const struct meeting *m, const struct flow *in, const struct flow *out, double needed);
/* Both at the view's host. */
void pair_of(struct relink *to, const struct view *v, const struct meeting *m, const struct flow *in,
	const struct flow *out, double needed);

/* Flows of v that stand for one flow each: of one flow seen at several points the copy at `point` where there
 * is one; of translated copies the first.  Sorted by first packet; owned by the view's arena. */
enum status view_flows(struct view *v, const char *point, int64_t skew_us, const struct flow ***to, size_t *n,
	struct err *e);

/* The flows of view that could have fed out at its relay, tested; fills hop but translated and declared. */
enum status search_hop(
	struct tracer *t, struct view *v, const struct flow *out, struct hop *hop, struct err *e);

/* What the tracer knows beyond the pair may only withhold: "proven" becomes "undecidable" where the audit of
 * this recording found that the null does not hold at the tracer's alpha.  To be called on every result. */
void tracer_settle(const struct tracer *t, struct link_result *l);

/* Does the configuration declare the relay for what comes in as `in` does (NULL: for anything)?  A port that
 * it names is the one at which the relay answers. */
bool relay_declared(const struct config *cfg, const struct flow *in, const struct ip *relay);

#endif
