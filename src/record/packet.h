/* What the decoder makes of one captured frame, and what the flow table takes.  No payload: lengths only. */
#ifndef WEIR_RECORD_PACKET_H
#define WEIR_RECORD_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct packet {
	int64_t time_us;    /* UTC */
	uint32_t frame_len; /* bytes on the wire, outer frame (as tshark's frame.len) */
	uint32_t payload;   /* transport payload bytes by the IP and transport lengths, never by what was
			       captured */
	struct endpoint src, dst; /* innermost IP; ports 0 where the protocol has none (ICMP: see decode()) */
	uint8_t proto;            /* IANA protocol number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6, ... */
	uint8_t ttl;              /* TTL or hop limit */
	uint8_t tcp_flags;        /* enum tcp_flag */
	bool ip_id_known;         /* IPv4: identification is meaningful */
	uint16_t ip_id;
	uint16_t vlan;     /* outermost VLAN id, 0 for none */
	uint32_t seq, ack; /* TCP */
	uint32_t digest;   /* of the innermost IP and transport headers but what routers and network cards
			      change   (TTL, DSCP and ECN, IP and TCP checksum): equal for mirror copies of one
			      packet,   different for a retransmission with another IP id or TCP timestamp */
};

/* Why a record or frame gave no packet, or a packet was not counted: names are what the user sees in
 * `skipped`.  Add where needed; drop_name() gives the name. */
enum drop {
	DROP_NONE,
	DROP_RECORD,        /* "bad-record": a record of the capture file that lies about itself */
	DROP_TRUNCATED,     /* "truncated": the file ends inside a record */
	DROP_SNAPPED,       /* "snapped": snap length too short for the headers */
	DROP_LINKTYPE,      /* "link-type": unknown link type */
	DROP_NOT_IP,        /* "not-ip": ARP, STP, LLDP ... */
	DROP_BAD_IP,        /* "bad-ip": an IP header that lies */
	DROP_BAD_TRANSPORT, /* "bad-transport" */
	DROP_DEPTH,         /* "encapsulation": nested deeper than the bound */
	DROP_TIME,          /* "time": a timestamp far from all others of the file */
	DROP_FILTER,        /* "filter": the configuration's BPF filter */
	DROP_NEVER,         /* "never-record": the configuration's never_record */
	DROP_DUPLICATE,     /* "duplicate": a mirror's second copy */
	DROP_RECORDED,      /* "already-recorded": an overlapping file brought it before */
	DROP_FRAGMENT,      /* "fragment": a later fragment whose first one was not seen, or was a tunnel's */
	DROP_TABLE,         /* "table-full": the flow table gave it up under a flood */
	DROP_COUNT
};

const char *drop_name(enum drop d);

#endif
