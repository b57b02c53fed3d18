/* Peers: who told the collector.  A session is an address and an AS number, whether an index table (RFC 6396,
 * 4.3.1), a TABLE_DUMP entry or a BGP4MP message names it. */
#include <stdlib.h>

#include "base/grow.h"
#include "map/intern.h"
#include "map/mrt_in.h"

#define SLOTS_FIRST ((size_t)256)
#define PEER_IP6    0x01 /* bits of "peer type" */
#define PEER_AS4    0x02

struct ip mrt_ip(struct rd *r, uint8_t v)
{
	const uint8_t *p = rd_take(r, v == 4 ? 4 : 16);

	if (!p)
		return (struct ip){0};
	return v == 4 ? ip_v4(p) : ip_v6(p);
}

static size_t peer_hash(const struct mrt *m, uint32_t asn, const struct ip *ip)
{
	uint64_t w[2];

	memcpy(w, ip->b, sizeof(w));
	uint64_t h = hash_mix(m->seed ^ w[0], w[1] ^ UINT64_C(0xe7037ed1a0b428db));
	return (size_t)hash_mix(h ^ asn, m->seed ^ UINT64_C(0x8ebc6af09c88c6e3));
}

static void slot_put(struct mrt *m, uint32_t peer)
{
	size_t mask = m->n_slot - 1, i = peer_hash(m, m->peer[peer].asn, &m->peer[peer].ip) & mask;

	while (m->slot[i])
		i = (i + 1) & mask;
	m->slot[i] = peer + 1;
}

/* At most half of the slots are taken. */
static bool slots_room(struct mrt *m)
{
	if (m->n_peer * 2 < m->n_slot)
		return true;
	size_t n = m->n_slot ? m->n_slot * 2 : SLOTS_FIRST;
	uint32_t *slot = calloc(n, sizeof(*slot));
	if (!slot)
		return false;
	free(m->slot);
	m->slot = slot;
	m->n_slot = n;
	for (size_t i = 0; i < m->n_peer; i++)
		slot_put(m, (uint32_t)i);
	return true;
}

bool mrt_peer(struct mrt *m, uint32_t asn, const struct ip *ip, uint32_t *at)
{
	if (!slots_room(m) || !grow(&m->peer, &m->cap_peer, m->n_peer, 1, sizeof(*m->peer)))
		return false;
	size_t mask = m->n_slot - 1;
	for (size_t i = peer_hash(m, asn, ip) & mask; m->slot[i]; i = (i + 1) & mask) {
		*at = m->slot[i] - 1;
		if (m->peer[*at].asn == asn && ip_equal(&m->peer[*at].ip, ip))
			return true;
	}
	*at = (uint32_t)m->n_peer++;
	m->peer[*at] = (struct mrt_peer){.asn = asn, .ip = *ip};
	slot_put(m, *at);
	return true;
}

static bool index_peer(struct mrt *m, struct rd *r)
{
	uint8_t type = rd_u8(r);

	rd_skip(r, 4); /* BGP identifier: not what tells two sessions apart */
	struct ip ip = mrt_ip(r, type & PEER_IP6 ? 6 : 4);
	uint32_t asn = type & PEER_AS4 ? rd_be32(r) : rd_be16(r), at;
	if (r->bad)
		return true;
	if (!mrt_peer(m, asn, &ip, &at) || !grow(&m->index, &m->cap_index, m->n_index, 1, sizeof(*m->index)))
		return false;
	m->index[m->n_index++] = at;
	return true;
}

/* A table of a wrong length is none: its entries' peers would be guesses.  They are "of no peer" then. */
bool mrt_index_table(struct mrt *m, struct rd r, const struct mrt_kind *k)
{
	(void)k;
	m->table = true;
	m->n_index = 0;
	rd_skip(&r, 4); /* collector */
	rd_skip(&r, rd_be16(&r));
	for (unsigned n = rd_be16(&r); n > 0 && !r.bad; n--)
		if (!index_peer(m, &r))
			return false;
	if (r.bad || rd_left(&r) > 0) {
		m->n_index = 0;
		mrt_leave(m, MRT_BAD_LENGTH);
	}
	return true;
}
