/* The ports of fragmented packets: a first fragment has the transport header, the later ones have not and
 * take what is remembered here.  Bounded in number (FRAGMENTS) and time (30 s of capture time, RFC 791
 * section 3.2 and RFC 8200 section 4.5 allow 15 s and 60 s). */
#ifndef WEIR_RECORD_FRAGMENT_H
#define WEIR_RECORD_FRAGMENT_H

#include "record/packet.h"

#define FRAGMENT_WAYS 4
#define FRAGMENT_SETS 512
#define FRAGMENTS     (FRAGMENT_WAYS * FRAGMENT_SETS)

/* Which packet a fragment is of: addresses, identification and, for IPv4, the protocol (44 for IPv6). */
struct fragment_key {
	struct ip src, dst;
	uint32_t id;
	uint8_t proto;
};

struct fragment {
	bool used;
	bool tunnel; /* the first fragment was a tunnel's: its packet is counted already */
	struct fragment_key key;
	int64_t time_us;
	uint8_t proto, tcp_flags;
	uint16_t sport, dport;
	uint32_t seq, ack; /* TCP: seq of the first payload byte */
	uint32_t header;   /* bytes between the IP header and the payload */
};

struct fragments {
	struct fragment way[FRAGMENT_SETS][FRAGMENT_WAYS];
};

/* Notes what a first fragment said; the oldest of its set gives way. */
void fragment_put(struct fragments *s, const struct fragment *first);

/* The first fragment of key, seen within 30 s of time_us; NULL where there is none. */
const struct fragment *fragment_get(
	const struct fragments *s, const struct fragment_key *key, int64_t time_us);

#endif
