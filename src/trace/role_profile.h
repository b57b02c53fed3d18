/* What a host does, counted from its flows: the services that it answers and those that it uses, with their
 * distinct peers and the hours in which they carried data.  Made once a view. */
#ifndef WEIR_TRACE_ROLE_PROFILE_H
#define WEIR_TRACE_ROLE_PROFILE_H

#include "trace/tracer.h"

/* One flow of the host that carried data both ways. */
struct role_entry;

/* The flows of the host at one port: its own where it answered, its peers' where it opened. */
struct role_service {
	bool opened;
	uint8_t proto;
	uint16_t port;
	size_t at, n; /* entries, sorted by peer */
	size_t peers; /* distinct ones */
	uint64_t bytes;
	/* what was counted once is kept: a busy service is asked about for each of its links */
	bool hours_known;
	size_t hours, kept, kept_least, shared;
	const struct role_service *shared_with;
};

struct role_profile {
	struct role_entry *entry;
	size_t n;
	struct role_service *service;
	size_t n_service;
	size_t reached;             /* distinct peers that the host opened flows to */
	size_t reached_high;        /* the same, at PORT_HIGH alone */
	size_t ports_high;          /* at so many ports */
	struct role_service *swarm; /* of the answered ports that are PORT_HIGH the one with most peers */
	int64_t hour0;              /* since 1970 */
	size_t hours;               /* from hour0 on; 0 where the recording is too long to count */
	size_t recorded;            /* of those, hours in which a point looked at all */
	uint32_t *mark, stamp;      /* an hour is marked where mark[hour] is stamp */
};

/* The profile of v's host, made at the first call and kept in the view.  Costs O(n log n) in its flows. */
enum status role_profile_get(struct view *v, struct role_profile **to, struct err *e);

/* NULL: no such flow carried data. */
struct role_service *role_service_at(const struct role_profile *p, bool opened, uint8_t proto, uint16_t port);

/* Hours in which the service carried data; peer NULL: with anybody. */
size_t role_hours(struct role_profile *p, struct role_service *s, const struct ip *peer);

/* Peers of s with at least `least` such hours. */
size_t role_peers_kept(struct role_profile *p, struct role_service *s, size_t least);

/* Peers that a and b have in common. */
size_t role_peers_shared(const struct role_profile *p, struct role_service *a, const struct role_service *b);

#endif
