/* What the back end for ExaBGP is made of; only src/block/exabgp*.c and their tests include this.
 *
 *     exabgp_text.c     a rule as a command, and a line of ExaBGP's table as a rule
 *     exabgp_table.c    our own table of rules: wanted, announced, held by which neighbor
 *     exabgp_peer.c     the neighbors: which sessions are up, and for what
 *     exabgp_talk.c     the conversation: what is said next, and what an answer means
 *     exabgp_report.c   how a rule stands, and what is not well
 *     exabgp.c          the two pipes
 *
 * All but the last are pure: lines in, lines out, and the time is handed in. */
#ifndef WEIR_BLOCK_EXABGP_H
#define WEIR_BLOCK_EXABGP_H

#include "block/backend.h"

/* ---- text ---- */

/* How rules are announced. */
struct exabgp_way {
	enum announce announce;
	struct ip next_hop[2]; /* of blackhole routes: IPv4, IPv6; v 0: none configured */
};

/* Bytes that a packet has when packets per second become FlowSpec's bytes per second: Ethernet's most, so
 * that the router is never harsher than the order. */
#define EXABGP_PACKET_BYTES 1500

void exabgp_way(struct exabgp_way *to, const struct config *cfg);
const char *exabgp_cannot(const struct exabgp_way *w, const struct rule *r);
/* A command with its newline. */
void exabgp_announce(struct buf *to, const struct exabgp_way *w, const struct rule *r);
void exabgp_withdraw(struct buf *to, const struct exabgp_way *w, const struct rule *r);

/* A line of `show adj-rib out extensive`. */
struct exabgp_route {
	struct ip peer;
	struct rule rule;
};
enum exabgp_line { LINE_OTHER, LINE_ROUTE, LINE_OURS }; /* no route; not announced as we do; ours */
enum exabgp_line exabgp_route_read(struct exabgp_route *to, const struct exabgp_way *w, const char *line);

/* ---- peers ---- */

#define EXABGP_PEERS 64

enum peer_family { PEER_FLOW4 = 1, PEER_FLOW6 = 2, PEER_UNICAST4 = 4, PEER_UNICAST6 = 8 };

struct peer {
	struct ip ip;
	bool up, was_up;
	bool back;           /* was lost and came back, since this was told last */
	bool ours;           /* takes what we announce: we are told of its session, or its table has ours */
	unsigned configured; /* families, ExaBGP's side */
	unsigned negotiated; /* both sides' */
	unsigned configured_in, negotiated_in; /* the same, of the description that is coming in */
	bool up_in, seen_in;
};

struct peers {
	struct peer peer[EXABGP_PEERS];
	size_t n;
	struct peer *describing; /* `show neighbor extensive` is about this one now */
	uint64_t too_many;       /* neighbors there was no room for */
};

enum peer_family exabgp_family(const struct exabgp_way *w, const struct rule *r);
/* By address, made where it is new; NULL: no room. */
struct peer *peers_get(struct peers *p, const struct ip *ip);
uint64_t peers_bit(const struct peers *p, const struct peer *of);
/* "neighbor 192.0.2.1 up" and its like: true where it was one; *rose: a session came up. */
bool peers_event(struct peers *p, const char *line, bool *rose);
/* A line of `show neighbor extensive`; true where it begins a neighbor. */
bool peers_describe(struct peers *p, const char *line);
/* That was the last one: what was not described is gone. */
void peers_described(struct peers *p);
/* Sets of those that take what we announce, as bits: have the family configured; have a session up for it. */
uint64_t peers_configured(const struct peers *p, enum peer_family f);
uint64_t peers_live(const struct peers *p, enum peer_family f);

/* ---- table ---- */

enum trouble { TROUBLE_NONE, TROUBLE_ERROR, TROUBLE_SILENT, TROUBLE_NOT_HELD, TROUBLE_STAYS };

/* A rule, and what ExaBGP was told of its match.  Where action or rate change, the rule is announced anew,
 * which replaces (RFC 4271, section 3.1). */
struct told {
	struct rule rule;
	bool wanted;
	bool there;       /* announced, in this or another form, as far as we know */
	bool fresh;       /* announced as it is wanted */
	bool held;        /* some neighbor's table had it */
	bool leaving;     /* withdrawn, and no neighbor's table was read since */
	bool flying;      /* a command about it waits for its answer */
	uint32_t version; /* of the rule: it changed */
	enum trouble trouble;
	uint8_t fails;
	int64_t again_us;       /* no command about it before */
	uint64_t holders, seen; /* neighbors, as bits: when the tables were read last; while they are read */
};

struct table {
	struct told *told; /* sorted by match */
	size_t n;
};

/* Adds rules (sorted by match, each once) that are not there yet.  want: those and no others are wanted, in
 * their form; else they are announced by somebody, and not wanted.  moved (n): new index of what was there,
 * SIZE_MAX for what has been dropped: neither wanted nor there. */
enum status table_merge(
	struct table *t, const struct rule *rule, size_t n, bool want, size_t *moved, struct err *e);
struct told *table_find(const struct table *t, const struct rule *match);
void table_free(struct table *t);
/* After trouble: later, and later each time. */
void told_trouble(struct told *t, enum trouble why, int64_t now_us);
const char *trouble_text(enum trouble why);

/* ---- talk ---- */

#define EXABGP_WINDOW 64   /* commands that wait for an answer at most */
#define EXABGP_LINE   4096 /* bytes of a line; of a longer one the rest is passed over */

enum flight_kind { FLIGHT_ANNOUNCE, FLIGHT_WITHDRAW, FLIGHT_ROUTES, FLIGHT_PEERS };

/* A command that waits for its answer. */
struct flight {
	enum flight_kind kind;
	size_t at; /* of what: index in the table */
	uint32_t version;
};

struct talk {
	struct exabgp_way way;
	struct table table;
	struct peers peers;
	struct flight flight[EXABGP_WINDOW + 2]; /* oldest first */
	size_t n_flight;
	size_t withdraw_at, announce_at; /* what is due is looked for from here on */
	bool ask_routes, ask_peers;
	bool routes_flying, peers_flying;
	bool no_questions;  /* the end: only withdraw */
	int64_t routes_due; /* the tables are read again not before, unless a session came up */
	int64_t routes_since;
	struct rule *stranger; /* of ours by their form, but not in the table */
	size_t n_stranger, stranger_cap;
	bool failed;          /* out of memory: what was read is not whole */
	bool gone;            /* ExaBGP said that it ends */
	struct drift drift;   /* since it was taken last */
	uint64_t stray, junk; /* answers to nothing; lines that mean nothing */
	char line[EXABGP_LINE];
	size_t n_line;
	bool line_too_long;
};

void talk_init(struct talk *k, const struct exabgp_way *way);
void talk_free(struct talk *k);
/* From now on these are wanted and no others. */
enum status talk_want(struct talk *k, const struct want *want, size_t n, struct err *e);
/* What came from ExaBGP. */
void talk_heard(struct talk *k, const void *bytes, size_t n, int64_t now_us);
/* A round begins: what had to wait may be due, and the sessions are asked for. */
void talk_round(struct talk *k, int64_t now_us);
/* Appends the next command; false: there is none now. */
bool talk_next(struct talk *k, struct buf *to, int64_t now_us);
/* Nothing waits for an answer; nothing but its tables is waited for. */
bool talk_quiet(const struct talk *k);
bool talk_reads(const struct talk *k);

/* ---- report ---- */

/* How a rule stands; in words where it is not announced. */
void talk_have(const struct talk *k, const struct rule *r, struct have *to);
/* What changed since the last call, and one line about what is not well. */
void talk_drift(struct talk *k, struct drift *to);

#endif
