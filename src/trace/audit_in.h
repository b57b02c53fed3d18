/* Inside the audit: the flows it draws from, and how it moves them. */
#ifndef WEIR_TRACE_AUDIT_IN_H
#define WEIR_TRACE_AUDIT_IN_H

#include "trace/audit.h"
#include "trace/scan_in.h"

/* A flow to draw, with what choosing a move takes. */
struct drawn {
	const struct flow *flow;
	int64_t from_us, to_us; /* first and last burst */
	int64_t pause_us;       /* the longest without a burst, of either direction */
	uint32_t bursts;        /* of both directions, merged */
	uint32_t point;         /* index of its observation point */
	uint32_t port;          /* index of its service */
	uint32_t host[2];       /* indices of its ends */
	bool translated;        /* a copy: whose other name it has is not looked at */
};

struct pool {
	struct arena arena;
	struct recording *rec;
	struct drawn *flow; /* those with most bursts first */
	size_t n, n_active; /* the first n_active have enough to reach any level */
	struct ip *host;
	size_t n_host;
	uint32_t *peer, *peers_at; /* of host h: peer[peers_at[h]] .. peer[peers_at[h + 1]], sorted */
	const char **point;
	struct span **blind; /* of each point */
	size_t *n_blind, n_point;
	struct audit_port *port;
	size_t n_port;
	uint64_t searchable;
};

/* sc: t, p and the recording are there; gets its views. */
enum status pool_make(struct pool *p, struct scan *sc, struct err *e);
void pool_free(struct pool *p);

/* Hosts that the drawn flows are of. */
uint64_t pool_hosts(const struct pool *p);

/* Nothing in common that could make one depend on the other within a minute. */
bool pool_strangers(const struct pool *p, const struct drawn *a, const struct drawn *b);

/* A move of OUT, in microseconds, after which the two meet; false where there is none of this kind.  random
 * decides which. */
bool move_find(int64_t *to, const struct drawn *in, const struct drawn *out, bool strangers,
	enum audit_moved kind, uint64_t random);

/* The blind spans of both on IN's clock, OUT's moved with it; joined.  to has room for all. */
size_t move_blind(struct span *to, const struct pool *p, const struct drawn *in, const struct drawn *out,
	int64_t move_us);

/* Room that move_blind() needs. */
size_t move_blind_most(const struct pool *p);

static inline uint64_t audit_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 (Steele, Lea & Flood 2014) */
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

#endif
