/* Inside scan: what its parts share. */
#ifndef WEIR_TRACE_SCAN_IN_H
#define WEIR_TRACE_SCAN_IN_H

#include "trace/tracer.h"

/* A flow as a leg of one host. */
struct scan_leg {
	const struct flow *flow;
	struct view *view; /* of the host */
	uint32_t point;    /* number of its observation point */
	uint32_t age;      /* place among the legs of its list by first packet: the older one first */
	bool opened;       /* by the host */
};

/* Pairs that are searched together, of an in-leg and an out-leg. */
struct scan_set {
	struct view *view;         /* where clocks and blind spans are taken from */
	struct scan_leg *in, *out; /* each sorted by point */
	size_t n_in, n_out;
	bool one_list;  /* in and out are the same legs: each pair stands once, turned as in_first() says */
	bool apart;     /* pairs of two hosts only */
	uint64_t pairs; /* that overlap: what M is charged for */
};

/* What was proven at a host, kept until all of it was searched (scan_rival.c). */
struct scan_held;

/* Two flows that are proven to carry the same. */
struct scan_twins {
	const struct flow *a, *b; /* a < b */
};

struct scan {
	struct tracer *t;
	const struct scan_param *p;
	struct scan_sum *sum;
	struct recording rec;
	const char **point; /* distinct names */
	size_t n_point;
	struct view *view; /* own hosts, by address */
	size_t n_view;
	struct view network; /* all flows, for any_host */
	struct scan_set *set;
	size_t n_set, cap_set;
	uint64_t pairs;
	double needed;
	bool *told; /* of each flow of rec: it was told as a translated copy */
	struct scan_held *held;
	size_t n_held, cap_held;
	struct scan_twins *twins; /* with any_host: of all hosts */
	size_t n_twins, cap_twins;
};

/* Slack of two legs: clocks of two points may differ. */
static inline int64_t scan_slack(const struct scan *sc, const struct scan_leg *a, const struct scan_leg *b)
{
	return a->point == b->point ? 0 : sc->t->cfg->clock_skew_us;
}

static inline bool scan_stopped(const struct scan *sc)
{
	return sc->p->stop && *sc->p->stop;
}

/* Views of the own hosts (scan_host.c), and one of them; NULL: none. */
enum status scan_views(struct scan *sc, struct err *e);
struct view *scan_view_of(const struct scan *sc, const struct ip *host);
/* The sets of each host: its flows, its aggregates.  With any_host those of two hosts too (scan_any.c). */
enum status scan_host_sets(struct scan *sc, struct err *e);
enum status scan_any_sets(struct scan *sc, struct err *e);

/* Legs from n flows of v, those without payload left out; in and out take what the host answered and what it
 * opened.  Owned by the recording's arena. */
enum status scan_legs(struct scan *sc, struct view *v, const struct flow *const *flow, size_t n,
	struct scan_leg **to, size_t *n_to, struct err *e);
enum status scan_set_add(struct scan *sc, const struct scan_set *s, struct err *e);

/* Does the view of a host behind translation have this pair too? */
bool scan_told_inside(const struct scan *sc, const struct scan_leg *a, const struct scan_leg *b);

/* Which of two legs of one list is IN: the one that the host answered, where it opened the other; else the
 * older one. */
bool scan_in_first(const struct scan_leg *a, const struct scan_leg *b);
/* Two legs of a set as a pair, a as IN: payload, common time, not one flow. */
bool scan_is_pair(const struct scan *sc, const struct scan_set *s, const struct scan_leg *in,
	const struct scan_leg *out);
/* Their number, counted by sorting (scan_pairs.c). */
enum status scan_count(const struct scan *sc, struct scan_set *s, struct err *e);

/* Searches all sets (scan_run.c); M is known. */
enum status scan_run(struct scan *sc, struct err *e);

#endif
