/* Inside src/plan: what the parts of making a plan share. */
#ifndef WEIR_PLAN_MAKE_IN_H
#define WEIR_PLAN_MAKE_IN_H

#include "plan/front.h"
#include "plan/make.h"

#define NO_INDEX UINT32_MAX

/* Numbers in the work arena. */
struct ids {
	uint32_t *id;
	size_t n, cap;
};
bool ids_add(struct ids *to, uint32_t id, struct arena *a);
/* Sorted, each once. */
void ids_settle(struct ids *l);

/* ---- links as the claims of a case state them (evidence.c) ---- */

/* One end of a flow as a claim writes it. */
struct told_end {
	struct endpoint end;
	uint8_t hidden; /* only a prefix of it was disclosed: its length + 1 */
};

struct told_link {
	struct ip relay;
	uint8_t proto;
	struct told_end in[2], out[2];
	uint32_t in_members, out_members; /* of flows together, else 0: the initiator's port is 0 */
	struct span in_life, out_life;    /* of these: when they were alive; else 0, -1 */
	const char *in_text, *out_text;   /* as the claim writes the two flows */
	bool in_opened;                   /* by the relay */
	double alpha, log10_e;
	uint64_t searched;
	const char *by; /* "" for an own claim */
	struct wall made;
	bool withheld; /* an own one that the audit does not allow now (told_links_read()) */
};

/* Of the claim, where it is a proven link; false else.  Texts are in the arena. */
bool told_link_read(struct told_link *to, const struct claim *c, struct arena *a);

/* ---- the recording's last hours, read once (seen.c) ---- */

/* A flow, though two points saw it or NAT rewrote it. */
struct talk {
	uint32_t flow;  /* one of its copies: index in seen.rec.flow */
	uint64_t bytes; /* frame bytes, both directions */
	bool attack;    /* of the attack, or a proven leg of a chain: nobody's loss */
};

/* A host and a flow of it. */
struct host_flow {
	struct ip ip;
	uint32_t flow;
	uint8_t end;
};

#define MOVED_COPY 4

struct seen {
	struct recording rec; /* heads only */
	struct span window;   /* the last look_back of it */
	struct span recorded; /* what of the window is in the recording; from > to: nothing */
	bool whole;           /* nothing was recorded before the window */
	uint64_t erased;      /* flows of the window that were erased: any may have been a bystander's */
	struct talk *talk;
	size_t n_talk;
	uint32_t *talk_of;         /* of each flow */
	uint32_t *by_tuple;        /* flows, the same 5-tuple side by side, then by time */
	struct host_flow *by_host; /* sorted by address, then flow: two for each flow */
	uint8_t *moved; /* of each flow: MOVED_COPY where copies with other addresses are there, and bit k
			   where these have another end k */
	bool *covered;  /* of each flow: its point recorded a whole day of the window */
};

enum status seen_read(struct seen *to, const struct plan_param *p, struct arena *a, struct err *e);
void seen_free(struct seen *s);
/* The flow of this 5-tuple, either way round, that is nearest to `at`; id (NULL: none) goes before.  Index,
 * NO_INDEX: not there. */
uint32_t seen_find(
	const struct seen *s, uint8_t proto, const struct endpoint end[2], const char *id, struct wall at);
/* Is this (hex, or its beginning) the flow's id, or one of its parts'? */
bool seen_has_id(const struct seen *s, uint32_t flow, const char *id);
/* The flows of a host, as by_host[first .. first + n). */
size_t seen_of_host(const struct seen *s, const struct ip *ip, size_t *first);
/* Does anything but the flow's own 5-tuple stand there for the host? */
bool seen_others(const struct seen *s, uint32_t flow, const struct ip *host);

/* ---- paths (paths.c, steps.c) ---- */

struct paths {
	struct path *path;
	size_t n, n_this, n_same, cap; /* of this case (they come first); all that end in the same networks */
	uint32_t cases;                /* open cases that end there, this one included */
	struct prefix *end;            /* the networks that this case ends in, sorted */
	size_t n_end;
	struct prefix most; /* the one that most of its paths end in */
};

/* The network that an address belongs to: what a map of who has which prefix will know better. */
struct prefix network_of(const struct ip *ip);

struct making;
enum status paths_make(struct making *m, struct err *e);

/* The step of flow f whose end `from` is to be blocked. */
void step_of_flow(struct step *to, const struct flow *f, int from, uint8_t moved);
/* Step 0 of an attack flow that was not recorded. */
void step_of_sighting(struct step *to, const struct sighting *g);
/* The path of a chain as t traced it.  The members of proven legs that are flows together are marked as the
 * attack's. */
enum status path_of_chain(
	struct path *to, const struct chain *c, int from, struct seen *s, struct tracer *t, struct err *e);
/* The links of a case, to look up by relay. */
struct told_links {
	struct told_link *link; /* by relay, those that stand before those withheld, then the newest first */
	size_t n;
};
enum status told_links_read(struct told_links *to, const struct attack_case *c, const struct tracer *t,
	struct arena *a, struct err *e);
/* What the audit of the own recording says of an own link; another network's was computed from its traffic.
 */
bool told_link_withheld(const struct told_link *l, const struct tracer *t);
/* Goes on upstream by what was claimed: by partners; own: by what was traced here before, too. */
void path_extend(struct path *p, const struct told_links *l, const struct seen *s, bool own);

/* ---- candidates (candidate.c, gain.c), whom they hit (collateral.c) ---- */

/* Addresses that rules come from: a host, or a wider prefix. */
struct origin {
	struct prefix from;
	uint32_t match, n_match; /* the matches of these addresses */
	struct ids talks;        /* of others, with an end in it */
	enum shared shared;
	bool seen, covered;          /* anything was recorded of it; and by points that saw a whole day */
	uint32_t evident;            /* attacking hosts in it with evidence at the alpha of a prefix */
	uint32_t first_host, n_host; /* the sources that are hosts in it (itself, where it is one) */
};

/* What a rule matches, whatever it does and where. */
struct match {
	struct rule rule; /* drop */
	uint32_t source;
	uint32_t choice, n_choice; /* the actions with it, one a place */
	struct ids talks;          /* bystanders that it hits */
	struct ids cost;           /* those, and behind them the sources that others stand behind */
};

/* A path that an action stops, and how much of it. */
struct gain {
	uint32_t path;
	uint32_t share; /* in GAIN_UNITs */
};
#define GAIN_UNIT 1000000

/* What an action rests on. */
struct ground {
	bool ok; /* sufficient */
	double log10_e, needed;
	uint32_t path, step; /* path NO_INDEX: nothing yet, or a prefix */
};

/* An action that could be part of an option. */
struct choice {
	uint32_t match;
	uint32_t place;    /* index in making.place; 0: here */
	uint32_t rate;     /* packets per second that pass; 0: drop */
	struct gain *gain; /* by path */
	size_t n_gain, cap;
	struct ground ground, as_rate; /* as_rate: what it would rest on as a rate limit */
	uint64_t packets;              /* of the attack that it hits, */
	int64_t first_us, last_us;     /* and when */
	bool unmeasured;               /* some of what it hits was not recorded */
};

/* Places: names by number. */
struct places {
	const char **name; /* [0]: "", here */
	uint32_t *slot;    /* by hash; 0: free, else number + 1 */
	size_t n, n_slot;
};

struct making {
	const struct plan_param *p;
	struct arena arena; /* work; freed at the end */
	struct arena *out;  /* the plan's */
	struct alphas alphas;
	int64_t for_us;
	struct attack_case c;
	struct seen seen;
	struct paths paths;
	struct places places;
	struct origin *source; /* sorted */
	size_t n_source;
	uint8_t len[2][129]; /* prefix lengths of sources: IPv4, IPv6 */
	size_t n_len[2];
	struct match *match; /* sorted by source, then rule */
	size_t n_match;
	struct choice *choice; /* by match and place, then the rate limits */
	size_t n_choice;
	uint64_t spared; /* attacking hosts that the configuration protects here */
};

/* Everything that could be done: sources, matches, choices without gains. */
enum status choices_make(struct making *m, struct err *e);
/* Which paths each of them stops, what it rests on; adds the rate limits. */
enum status gains_find(struct making *m, struct err *e);
/* Fills in talks of matches and sources, and whether others stand behind these. */
enum status collateral_count(struct making *m, struct err *e);

/* Sources that the address is in: at most SOURCES_OF, *n of them, from the widest. */
#define SOURCES_OF 129
size_t sources_of(const struct making *m, const struct ip *ip, uint8_t longest, uint32_t to[SOURCES_OF]);
/* Matches of the source that can hit what goes to this address: those to anybody, and those to its host.
 * A source may have one for each of ten thousand hosts that it attacked. */
struct run {
	uint32_t first, end;
};
#define RUNS_TO 2
void matches_to(const struct making *m, const struct origin *s, const struct ip *to, struct run run[RUNS_TO]);
struct rule choice_rule(const struct making *m, const struct choice *c);
enum width choice_width(const struct making *m, const struct choice *c);
/* Of a prefix that was made of hosts: every host in it would be hit. */
bool choice_is_prefix(const struct making *m, const struct choice *c);

/* Where a step can be stopped: numbers of places, NO_INDEX: not there, or unwilling. */
struct reach {
	bool here;
	uint32_t by, network;
};
struct reach reach_of(const struct making *m, const struct path *p, size_t step);

/* ---- the problem that the front solves (problem.c) ---- */

struct problem {
	struct front_problem front;
	uint32_t *choice; /* of each set */
	int64_t *weight;
};

/* Of all choices, in order of preference: sufficient, here, narrow, drop. */
enum status problem_make(struct problem *to, struct making *m, struct err *e);
/* Solves it with those choices only that the filter takes; sets of the points are choices then.
 * last: only what stops most is wanted. */
typedef bool (*choice_filter)(const struct making *m, const struct choice *c);
enum status problem_solve(struct front *to, const struct problem *p, struct making *m, choice_filter takes,
	bool last, struct err *e);

/* ---- options (option.c, words.c), what comes back by another way (way.c), the mark (mark.c) ---- */

/* An option out of choices, as its parts are counted. */
struct draw {
	const uint32_t *choice;
	size_t n;
	bool *taken;     /* of each choice: is it one of them? */
	uint32_t *share; /* of each path that ends where this case's do: how much is stopped */
};

/* All of an option but k, marked and ways.  STATUS_NO: it is more than can be enforced, or be written. */
enum status option_make(struct option *to, struct making *m, const struct draw *d, struct err *e);
/* Its lines in plain words, of its figures. */
enum status option_words(struct option *o, struct making *m, const struct draw *d, struct err *e);

/* Ways that the case and the recording know, and those of them that an option leaves. */
struct way {
	uint8_t proto;
	struct endpoint end[2];
	char *text;
};
struct ways {
	struct way *way;
	size_t n;
};
enum status ways_find(struct ways *to, struct making *m, struct err *e);
enum status ways_left(
	struct option *o, const struct ways *w, struct making *m, const struct draw *d, struct err *e);

/* Which option is marked.  bound: the operator said what bystanders may lose, and all are within it. */
size_t option_best(const struct option *o, size_t n, uint64_t attacks, bool bound);

/* "1h30m", "45s": the two largest units. */
#define LONG_TEXT 32
char *long_text(char to[LONG_TEXT], int64_t us);

#endif
