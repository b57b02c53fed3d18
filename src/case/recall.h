/* Which open case does an alert belong to: the flows, attackers, relays and ends of all open cases, in
 * memory.  See recall.c. */
#ifndef WEIR_CASE_RECALL_H
#define WEIR_CASE_RECALL_H

#include "base/config.h"
#include "case/case.h"

/* What a host is in a case; the order is the one in which it is looked for. */
enum recall_role { RECALL_ATTACKER, RECALL_RELAY, RECALL_END };
#define RECALL_ROLES 3
const char *recall_role_name(enum recall_role r); /* "attacker", "relay", "end" */

/* A flow that a sighting names. */
struct recall_flow {
	struct id case_id;
	struct sighting s; /* its texts live as long as the index does */
	struct wall seen;  /* the latest alert of it */
	uint64_t stored;   /* s.count as the database has it: the caller's to keep */
};

struct recall_host {
	struct id case_id;
	enum recall_role role;
};

struct recall;
/* cfg outlives it: its own networks say which end of a flow is the attacker's. */
enum status recall_open(struct recall **to, const struct config *cfg, struct err *e);
void recall_close(struct recall *r);
/* Is recall_read() due: did another process change a case, or was nothing read yet?  (Own changes may be
 * taken for another's, now and then.) */
enum status recall_due(struct recall *r, struct case_db *db, bool *due, struct err *e);
/* Reads the open cases; all that other calls gave is gone. */
enum status recall_read(struct recall *r, struct case_db *db, struct err *e);
/* A case was closed: what is known is to be read anew. */
void recall_stale(struct recall *r);

/* Whoever attacks: the end outside of the own networks where just one is, else the one that opened it. */
const struct endpoint *recall_attacker(const struct recall *r, const struct sighting *s);

/* The flow of a sighting, whichever end opened it, alerted last within an hour of s->at; NULL: not known. */
struct recall_flow *recall_flow(struct recall *r, const struct sighting *s);
/* A host (in IPv6 its /64) in another case than `but` (NULL: in any); of several cases the newest. */
bool recall_host(const struct recall *r, const struct ip *ip, const struct id *but, struct recall_host *to);
/* The sighting that was last added to a case by this attacker; NULL: none. */
struct recall_flow *recall_last(struct recall *r, const struct id *case_id, const struct sighting *s);

/* What the caller added to the database.  NULL: memory is out. */
struct recall_flow *recall_add(struct recall *r, const struct id *case_id, const struct sighting *s);
bool recall_add_link(
	struct recall *r, const struct id *case_id, const struct ip *relay, const struct ip *far);
/* All flows, in the order in which they were added; at == NULL: the first.  NULL: no more. */
struct recall_flow *recall_next(struct recall *r, const struct recall_flow *at);

#endif
