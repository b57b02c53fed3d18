/* Tables: TABLE_DUMP_V2 (RFC 6396 4.3, RFC 8050 4), a prefix with an entry for each peer, and TABLE_DUMP (RFC
 * 6396 4.2), one entry.
 *
 * The lengths of a record must add up to it: one entry's length that lies moves all entries behind it, and
 * what they would be read as is not what a router said.  So such a record is left out as a whole; an entry of
 * an unknown peer harms no other and is left out alone. */
#include "base/grow.h"
#include "map/mrt_in.h"

#define ENTRY_HEAD   8 /* peer index, originated time, length of attributes */
#define PATH_ID_SIZE 4
#define AHEAD        2048 /* bytes, half a page: what a processor fetches by itself ends with the page */

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline struct wall wall_of(uint32_t seconds)
{
	return (struct wall){(int64_t)seconds * SECOND_US};
}

/* One entry; false where it is not whole.  The peer is still an index into the table. */
static inline bool entry_take(struct rd *r, bool path_id, struct mrt_route *to)
{
	const uint8_t *p = rd_take(r, ENTRY_HEAD + (path_id ? PATH_ID_SIZE : 0));

	if (!p)
		return false;
	__builtin_prefetch((const void *)((uintptr_t)p + AHEAD));
	to->peer = be16(p);
	to->at = wall_of(be32(p + 2));
	to->path_id = path_id ? be32(p + 6) : to->path_id;
	to->attr = rd_cut(r, be16(p + (path_id ? 10 : 6)));
	return !r->bad;
}

/* RIB entries of one prefix into the batch; false where their lengths do not add up to the record. */
static bool entries_take(struct mrt *m, struct rd *r, unsigned n, bool path_id, const struct mrt_route *like)
{
	struct mrt_route *to = m->route;
	uint64_t unknown = 0;

	for (; n > 0; n--) {
		*to = *like;
		if (!entry_take(r, path_id, to))
			return false;
		if (to->peer >= m->n_index) {
			unknown++;
			continue;
		}
		to->peer = m->index[to->peer];
		to++;
	}
	if (rd_left(r) > 0)
		return false;
	m->n_route = (size_t)(to - m->route);
	m->dropped[MRT_NO_PEER] += unknown;
	return true;
}

/* Entry count and entries.  False where memory is out; *fit: do the lengths? */
static bool rib_entries(struct mrt *m, struct rd r, bool path_id, const struct mrt_route *like, bool *fit)
{
	unsigned n = rd_be16(&r);

	*fit = !r.bad;
	if (r.bad)
		return true;
	if (!grow(&m->route, &m->cap_route, 0, n, sizeof(*m->route)))
		return false;
	*fit = entries_take(m, &r, n, path_id, like);
	return true;
}

bool mrt_rib(struct mrt *m, struct rd r, const struct mrt_kind *k)
{
	struct mrt_route like = {.table_dump_v2 = true};
	bool fit;

	m->table = true;
	rd_skip(&r, 4); /* sequence number */
	enum mrt_drop why = mrt_prefix(m, &r, k->v, &like.prefix);
	if (why != MRT_DROPS) {
		mrt_leave(m, why);
		return true;
	}
	if (!rib_entries(m, r, k->add_path, &like, &fit))
		return false;
	if (!fit)
		mrt_leave(m, MRT_BAD_LENGTH);
	return true;
}

/* AFI, SAFI and NLRI, with or without a path identifier before the NLRI; false where memory is out. */
static bool generic_try(
	struct mrt *m, struct rd r, uint8_t v, bool nlri_id, bool entry_id, enum mrt_drop *why)
{
	struct mrt_route like = {.table_dump_v2 = true};
	bool fit;

	m->host_bits = 0;
	like.path_id = nlri_id ? rd_be32(&r) : 0;
	*why = mrt_prefix(m, &r, v, &like.prefix);
	if (*why != MRT_DROPS)
		return true;
	if (!rib_entries(m, r, entry_id, &like, &fit))
		return false;
	*why = fit ? MRT_DROPS : MRT_BAD_LENGTH;
	return true;
}

/* RFC 8050, 4.2 puts the path identifier of a RIB_GENERIC_ADDPATH record into its NLRI; GoBGP and OpenBGPD
 * put one into each entry, as the other subtypes have it.  The lengths add up in one of the two ways only. */
bool mrt_rib_generic(struct mrt *m, struct rd r, const struct mrt_kind *k)
{
	m->table = true;
	rd_skip(&r, 4); /* sequence number */
	uint16_t afi = rd_be16(&r);
	uint8_t v = mrt_family(afi, rd_u8(&r));
	if (r.bad || v == 0) {
		mrt_leave(m, r.bad ? MRT_BAD_LENGTH : MRT_UNKNOWN);
		return true;
	}
	enum mrt_drop why, other;
	if (!generic_try(m, r, v, k->add_path, false, &why))
		return false;
	if (why != MRT_DROPS && k->add_path) {
		if (!generic_try(m, r, v, false, true, &other))
			return false;
		why = other == MRT_DROPS ? other : why;
	}
	if (why != MRT_DROPS)
		mrt_leave(m, why);
	return true;
}

bool mrt_table_dump(struct mrt *m, struct rd r, const struct mrt_kind *k)
{
	struct mrt_route to = {.two_octet = true};
	size_t n = k->v == 4 ? 4 : 16;

	m->table = true;
	rd_skip(&r, 4); /* view, sequence number */
	const uint8_t *p = rd_take(&r, n);
	uint8_t len = rd_u8(&r);
	rd_skip(&r, 1); /* status: unused, 1 */
	to.at = wall_of(rd_be32(&r));
	struct ip ip = mrt_ip(&r, k->v);
	uint32_t asn = rd_be16(&r);
	to.attr = rd_cut(&r, rd_be16(&r));
	if (r.bad || rd_left(&r) > 0 || len > n * 8) {
		mrt_leave(m, r.bad || rd_left(&r) > 0 ? MRT_BAD_LENGTH : MRT_BAD_PREFIX);
		return true;
	}
	(void)mrt_prefix_bits(m, p, n, k->v, len, &to.prefix);
	if (!mrt_peer(m, asn, &ip, &to.peer) || !grow(&m->route, &m->cap_route, 0, 1, sizeof(*m->route)))
		return false;
	m->route[m->n_route++] = to;
	return true;
}
