/* Flows, trains and chunks: what a recording is made of.
 *
 * A flow is the packets of one 5-tuple at one observation point, both directions.  The recorder hands it to
 * the store in chunks (what came since the last flush); the reader joins chunks to flows again. */
#ifndef WEIR_RECORD_FLOW_H
#define WEIR_RECORD_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/burst.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/ip.h"

enum flow_flag {
	FLOW_ASSUMED = 1,    /* initiator taken from the first packet, no SYN seen */
	FLOW_SYN = 2,        /* the initiator's SYN was seen: isn[0] is known */
	FLOW_SYNACK = 4,     /* isn[1] is known */
	FLOW_CLOSED = 8,     /* FIN of both sides or RST seen */
	FLOW_DERIVED_0 = 16, /* bursts of direction 0 (initiator to responder) are derived from ACK numbers */
	FLOW_DERIVED_1 = 32, /* bursts of direction 1 are */
};

enum source_kind { SOURCE_PACKETS, SOURCE_FLOW_RECORDS };

/* How a train was seen. */
struct source {
	enum source_kind kind;
	uint32_t resolution_us;  /* of the capture's timestamps, at least 1 */
	uint32_t clock_error_us; /* what is known about the clock's error; 0 unknown */
	uint32_t sampling;       /* 1 of N packets; 1 = all */
	uint32_t gap_us;         /* BURST_GAP_RECORDED_US unless configured */
};

/* A pause after which packets of the same key are another flow; the flow table forgets a flow then, and the
 * reader does not join parts across it. */
#define FLOW_IDLE_TCP_US   (3600 * SECOND_US)
#define FLOW_IDLE_OTHER_US (600 * SECOND_US)
#define FLOW_LINGER_US                                                                                       \
	(120 * SECOND_US) /* the same after both FIN or RST (RFC 9293: 2 MSL is at most 4 min) */

/* What identifies a flow and does not change from chunk to chunk (but flags only gain bits). */
struct flow_head {
	struct id id;      /* SHA-256 over point, vlan, proto, endpoints, first packet's time, isn[0]: see
			      flow_make_id() */
	const char *point; /* observation point; owned by who made the head (arena or configuration) */
	uint16_t vlan; /* part of the key only where the configuration says that addresses overlap, else 0 */
	uint8_t proto;
	uint8_t flags;          /* enum flow_flag */
	struct endpoint end[2]; /* initiator, responder */
	uint32_t isn[2];        /* initial sequence numbers where the flags say they are known */
	uint8_t ttl[2];         /* of the first packet of each direction, 0 none */
	uint16_t ip_id[2];      /* of the first packet of each direction, 0 none */
	int64_t first_us;       /* the flow's first packet */
	struct source source;
};

struct flow_count {
	uint64_t packets, frame_bytes, payload_bytes;
	int64_t first_us,
		last_us; /* packets of this direction in this chunk or flow; 0, -1 where there were none */
};

/* dir[0] is initiator to responder.  burst[d] is sorted by start. */
struct chunk {
	struct flow_head head;
	struct flow_count count[2];
	struct burst *burst[2];
	size_t n_burst[2];
};

/* A flow as a reader sees it: all its chunks joined.  Bursts are apart by at least the gap that was
 * asked for. */
struct flow {
	struct flow_head head;
	struct flow_count count[2];
	struct burst *burst[2];
	size_t n_burst[2];
	int64_t last_us;
	struct id *alias; /* ids of parts that were joined to this flow, n_alias of them */
	size_t n_alias;
	uint32_t members;        /* of an aggregate (trace/aggregate.h): so many flows in one; else 0 */
	struct flow *rewrite_of; /* the flow of which this is a translated (NAT, balancer) copy, else NULL */
};

#define FLOW_TEXT 128

/* "tcp 198.51.100.7:41234 > 192.0.2.10:22"; without ports where the protocol has none ("ip-47 [::1] >
 * [::2]"). Returns to. */
char *flow_text(char to[FLOW_TEXT], const struct flow_head *h);

/* Name of an IP protocol ("tcp", "udp", "icmp", "icmp6", else "ip-47"); never NULL.  For ports:
 * see decode.h. */
const char *proto_name(char to[8], uint8_t proto);
bool proto_parse(uint8_t *proto, const char *s);

/* Notation back to proto and endpoints, in the order written.  False where s is none. */
bool flow_parse(uint8_t *proto, struct endpoint end[2], const char *s);

/* Sets h->id from the other fields.  False where libcrypto fails. */
bool flow_make_id(struct flow_head *h);

/* Direction (0 or 1) in which packets leave ip; -1 where ip is neither end. */
int flow_side(const struct flow *f, const struct ip *ip);

/* How many bursts there are when those are joined whose pause is shorter than gap. */
size_t bursts_count(const struct burst *b, size_t n, int64_t gap_us);

/* Of n bursts sorted by start: how many start before t. */
size_t bursts_before(const struct burst *b, size_t n, int64_t t);

/* In place: joins bursts whose pause is shorter than gap; b must be sorted by start.  Returns the
 * new number. */
size_t bursts_merge(struct burst *b, size_t n, int64_t gap_us);

#endif
