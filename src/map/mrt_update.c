/* BGP4MP: BGP messages as a collector received or sent them (RFC 6396 4.4, RFC 8050 3).  Of UPDATEs (RFC 4271
 * 4.3) the withdrawn routes, the NLRI, and MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760) of IPv4 and IPv6
 * unicast; withdrawals first, for a prefix that stands in both counts as announced (RFC 4271, 4.3).
 *
 * An UPDATE with a length that lies is left out as a whole: RFC 7606 would have its routes withdrawn, but
 * which they are is what cannot be told. */
#include "base/grow.h"
#include "map/mrt_in.h"

#define BGP_MARKER 16
#define BGP_HEAD   19 /* marker, length, type */
#define BGP_UPDATE 2

struct update {
	struct mrt *m;
	struct mrt_route like; /* what all its routes have in common */
	bool add_path;
	bool memory_out;
	enum mrt_drop why; /* MRT_DROPS: nothing is wrong */
};

static bool update_bad(struct update *u, enum mrt_drop why)
{
	u->why = why;
	return false;
}

static bool route_put(struct update *u, uint32_t path_id, const struct prefix *prefix)
{
	struct mrt *m = u->m;

	u->memory_out = !grow(&m->route, &m->cap_route, m->n_route, 1, sizeof(*m->route));
	if (u->memory_out)
		return false;
	struct mrt_route *to = &m->route[m->n_route++];
	*to = u->like;
	to->path_id = path_id;
	to->prefix = *prefix;
	return true;
}

static bool nlri_take(struct update *u, struct rd r, uint8_t v)
{
	while (rd_left(&r) > 0) {
		struct prefix prefix;
		uint32_t path_id = u->add_path ? rd_be32(&r) : 0;
		enum mrt_drop why = r.bad ? MRT_BAD_LENGTH : mrt_prefix(u->m, &r, v, &prefix);
		if (why != MRT_DROPS)
			return update_bad(u, why);
		if (!route_put(u, path_id, &prefix))
			return false;
	}
	return true;
}

/* MP_REACH_NLRI or MP_UNREACH_NLRI; a family that is not ours leaves the rest of the message as it is. */
static bool mp_take(struct update *u, struct rd r, bool reach)
{
	uint16_t afi = rd_be16(&r);
	uint8_t v = mrt_family(afi, rd_u8(&r));

	if (reach) {
		rd_skip(&r, rd_u8(&r)); /* next hop */
		rd_skip(&r, 1);         /* reserved */
	}
	if (r.bad)
		return update_bad(u, MRT_BAD_LENGTH);
	if (v == 0) {
		u->m->dropped[MRT_UNKNOWN]++;
		return true;
	}
	return nlri_take(u, r, v);
}

static bool has(const struct attrs *a, enum attr_type t)
{
	return a->present >> t & 1;
}

static bool withdrawn_take(struct update *u, struct rd withdrawn, const struct attrs *a)
{
	u->like.withdrawn = true;
	return nlri_take(u, withdrawn, 4) &&
	       (!has(a, ATTR_MP_UNREACH) || mp_take(u, a->at[ATTR_MP_UNREACH], false));
}

static bool announced_take(struct update *u, struct rd nlri, struct rd attr, const struct attrs *a)
{
	u->like.withdrawn = false;
	u->like.attr = attr;
	return nlri_take(u, nlri, 4) && (!has(a, ATTR_MP_REACH) || mp_take(u, a->at[ATTR_MP_REACH], true));
}

static bool update_take(struct update *u, struct rd r)
{
	struct rd withdrawn = rd_cut(&r, rd_be16(&r)), attr = rd_cut(&r, rd_be16(&r));
	struct attrs a;

	if (r.bad || !attrs_read(&a, attr))
		return update_bad(u, MRT_BAD_LENGTH);
	return withdrawn_take(u, withdrawn, &a) && announced_take(u, r, attr, &a);
}

/* The BGP message behind a BGP4MP record's head. */
static bool bgp_take(struct update *u, struct rd r)
{
	rd_skip(&r, BGP_MARKER);
	unsigned n = rd_be16(&r);
	uint8_t type = rd_u8(&r);

	if (r.bad || n < BGP_HEAD || n - BGP_HEAD != rd_left(&r))
		return update_bad(u, MRT_BAD_LENGTH);
	if (type != BGP_UPDATE)
		return update_bad(u, MRT_UNKNOWN);
	return update_take(u, r);
}

/* Who sent the message.  A message "of the local side" (MESSAGE_LOCAL) was sent by the collector itself. */
static bool sender_take(struct update *u, struct rd *r, const struct mrt_kind *k)
{
	uint32_t peer_as = k->as4 ? rd_be32(r) : rd_be16(r), local_as = k->as4 ? rd_be32(r) : rd_be16(r);

	rd_skip(r, 2); /* interface */
	uint8_t v = mrt_family(rd_be16(r), SAFI_UNICAST);
	if (v == 0)
		return update_bad(u, r->bad ? MRT_BAD_LENGTH : MRT_UNKNOWN);
	struct ip peer = mrt_ip(r, v), local = mrt_ip(r, v);
	if (r->bad)
		return update_bad(u, MRT_BAD_LENGTH);
	u->memory_out =
		!mrt_peer(u->m, k->local ? local_as : peer_as, k->local ? &local : &peer, &u->like.peer);
	return !u->memory_out;
}

bool mrt_message(struct mrt *m, struct rd r, const struct mrt_kind *k)
{
	struct update u = {.m = m, .add_path = k->add_path, .why = MRT_DROPS};

	u.like = (struct mrt_route){.at = m->at, .two_octet = !k->as4};
	if (!sender_take(&u, &r, k) || !bgp_take(&u, r)) {
		if (u.memory_out)
			return false;
		mrt_leave(m, u.why);
	}
	return true;
}
