/* Private to the MRT reader: its state, and what its parts share. */
#ifndef WEIR_MAP_MRT_IN_H
#define WEIR_MAP_MRT_IN_H

#include "map/mrt.h"

#define AFI_IP4      1 /* RFC 4760, "Address Family Numbers" */
#define AFI_IP6      2
#define SAFI_UNICAST 1

struct mrt {
	struct mrt_peer *peer; /* all that were met */
	size_t n_peer, cap_peer;
	uint32_t *slot; /* hash of peers: place in peer + 1, 0 empty; a power of two */
	size_t n_slot;
	uint64_t seed;
	uint32_t *index; /* the last PEER_INDEX_TABLE: place in peer */
	size_t n_index, cap_index;
	struct mrt_route *route; /* the batch */
	size_t n_route, cap_route;
	size_t host_bits; /* prefixes of this record that had some */
	uint64_t dropped[MRT_DROPS];
	struct wall at;
	bool table;
};

/* How a record of a type and subtype is read.  The function takes the record behind its head, fills the
 * batch, and calls mrt_leave() where that cannot be; false only where memory is out. */
struct mrt_kind {
	bool (*take)(struct mrt *m, struct rd r, const struct mrt_kind *k);
	uint8_t v;     /* family, where the subtype says */
	bool add_path; /* RFC 8050 */
	bool as4;      /* BGP4MP: AS numbers are of 4 octets */
	bool local;    /* BGP4MP: the message was sent, not received */
};

/* The whole record is left out: the batch is empty. */
void mrt_leave(struct mrt *m, enum mrt_drop why);

/* mrt_peer.c: the place of a peer, added where it is new; false where memory is out. */
bool mrt_peer(struct mrt *m, uint32_t asn, const struct ip *ip, uint32_t *at);
struct ip mrt_ip(struct rd *r, uint8_t v);
bool mrt_index_table(struct mrt *m, struct rd r, const struct mrt_kind *k);

/* mrt_prefix.c: a prefix as NLRI has it (RFC 4271, 4.3); MRT_DROPS where it is one, else what is wrong. */
enum mrt_drop mrt_prefix(struct mrt *m, struct rd *r, uint8_t v, struct prefix *to);
enum mrt_drop mrt_prefix_bits(
	struct mrt *m, const uint8_t *p, size_t n, uint8_t v, uint8_t len, struct prefix *to);
/* 4, 6, or 0 for a family that is not ours. */
uint8_t mrt_family(uint16_t afi, uint8_t safi);

bool mrt_table_dump(struct mrt *m, struct rd r, const struct mrt_kind *k);
bool mrt_rib(struct mrt *m, struct rd r, const struct mrt_kind *k);
bool mrt_rib_generic(struct mrt *m, struct rd r, const struct mrt_kind *k);
bool mrt_message(struct mrt *m, struct rd r, const struct mrt_kind *k);

#endif
