/* Recordings for scan: many flows of several kinds into and out of hosts, some of them relayed. */
#ifndef WEIR_TESTS_SCAN_GEN_H
#define WEIR_TESTS_SCAN_GEN_H

#include "record/store.h"

enum traffic { TRAFFIC_TYPED, TRAFFIC_WEB, TRAFFIC_BEACON, TRAFFIC_IDLE, TRAFFIC_STREAM, TRAFFICS };

struct scan_gen {
	uint64_t seed;
	size_t in, out; /* legs */
	size_t hosts;   /* that they are spread over */
	bool any;       /* a relay's OUT leaves another host than its IN came to */
	double seconds; /* a leg's life, at most; drawn from a tenth of it where it is below `span` */
	double span;    /* of the recording */
	double rate;    /* bursts a second while a session is active */
	size_t links; /* of the out-legs, so many carry what an in-leg carried: OUT k (port 20000 + k) is fed
			 by IN k */
	unsigned kinds;   /* bits of enum traffic; 0: typed, web, beacons, idle */
	size_t points;    /* observation points; legs are spread over them */
	bool copies;      /* some flows are seen at two points */
	int blind;        /* blind spans of each point */
	int64_t clock_us; /* by so much point k's clock is ahead of point k - 1's */
	size_t rivals;    /* beside the in-leg of so many of the links is another one of the same session, by
			     turns: from another peer and as good, from the same peer, from another peer that
			     goes along (later, less steadily, not to the end) */
};

enum status scan_gen_write(const struct scan_gen *g, const char *dir, struct err *e);

#endif
