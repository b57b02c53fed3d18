/* Mirror duplicates: one packet on the wire that a mirror port delivers twice counts once.
 *
 * A table of the last packets, keyed by flow and digest (which covers the headers but TTL and checksums of
 * IP), tells that the same headers came a moment ago.  That alone does not say that the packet was there only
 * once: a sender may repeat a datagram, or an ACK, byte for byte.  What is certain:
 *   - the sender numbers its packets (IP identification that changes from packet to packet; RFC 6864 allows
 * it to be constant where fragments cannot occur): the same number within 100 ms is the same packet;
 *   - another TTL within 100 ms: the same packet before and after a router;
 *   - TCP with payload, SYN or FIN within 1 ms: no sender repeats those so fast.
 * What is left (UDP and ICMP without numbers, pure ACKs) counts as a copy only within 1 ms, and only while
 * the mirror is known to double: one in 64 of the packets lately was a certain copy. */
#include "record/table_in.h"

enum { SCORE_HIT = 64, SCORE_MAX = 4096, SCORE_ON = 256 };

#define UNIT_US    16 /* of the times in the table, 24 bits: 268 s until they wrap */
#define NEAR_UNITS (1000 / UNIT_US)
#define WIDE_UNITS (100000 / UNIT_US)

uint64_t *dup_entry(const struct table *t, uint32_t hash, uint32_t digest)
{
	return &t->dup[((hash + digest * 0x9e3779b1U) >> 7) % DUP_SIZE];
}

/* The two directions of a flow share its hash, but not a digest. */
bool dup_seen(struct table *t, const struct half *h, uint32_t hash, const struct packet *p)
{
	uint64_t *entry = dup_entry(t, hash, p->digest);
	uint32_t key = p->digest ^ hash * 0x85ebca6bU;
	uint32_t now = (uint32_t)((uint64_t)p->time_us / UNIT_US) & 0xffffffU;
	uint32_t age = (now - (uint32_t)(*entry >> 8)) & 0xffffffU;
	bool same = (uint32_t)(*entry >> 32) == key;
	uint8_t ttl = (uint8_t)*entry;

	/* Slightly out of order: the copy may carry the earlier time. */
	age = age > 0x800000U ? 0x1000000U - age : age;
	t->dup_score -= t->dup_score > 0;
	if (!same || age > WIDE_UNITS) {
		*entry = (uint64_t)key << 32 | (uint64_t)now << 8 | p->ttl;
		return false;
	}
	bool numbered = p->ip_id_known && p->ip_id != 0 && (h->bits & HALF_ID_MOVES);
	bool unique = p->proto == PROTO_TCP && (p->payload || (p->tcp_flags & (TCP_SYN | TCP_FIN)));
	if (numbered || ttl != p->ttl || (unique && age <= NEAR_UNITS)) {
		t->dup_score = t->dup_score + SCORE_HIT < SCORE_MAX ? t->dup_score + SCORE_HIT : SCORE_MAX;
		return true;
	}
	if (age <= NEAR_UNITS && t->dup_score >= SCORE_ON)
		return true;
	*entry = (uint64_t)key << 32 | (uint64_t)now << 8 | p->ttl;
	return false;
}
