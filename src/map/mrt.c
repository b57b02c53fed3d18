/* MRT records, one at a time: see mrt.h.  Here the common head (RFC 6396, 2 and 3) and the table of what is
 * read; the records' insides are mrt_table.c's, mrt_update.c's and mrt_peer.c's. */
#include "map/mrt.h"

#include <stdlib.h>

#include "map/intern.h"
#include "map/mrt_in.h"

#define HEAD 12 /* time, type, subtype, length */

enum mrt_type { TABLE_DUMP = 12, TABLE_DUMP_V2 = 13, BGP4MP = 16, BGP4MP_ET = 17 };

const char *const mrt_drop_text[MRT_DROPS] = {
	[MRT_UNKNOWN] = "no routes: state changes, keep-alives, other families",
	[MRT_BAD_LENGTH] = "a length that does not fit",
	[MRT_BAD_PREFIX] = "a prefix longer than its family's addresses",
	[MRT_NO_PEER] = "a peer that no index table names",
	[MRT_BAD_PATH] = "an AS path that does not fit, or with AS 0",
	[MRT_NO_PATH] = "no AS path",
	[MRT_HOST_BITS] = "a prefix with host bits, kept without them",
};

#define SUBTYPES 13
static const struct mrt_kind table_dump[SUBTYPES] = {
	[1] = {.take = mrt_table_dump, .v = 4},
	[2] = {.take = mrt_table_dump, .v = 6},
};
static const struct mrt_kind table_dump_v2[SUBTYPES] = {
	[1] = {.take = mrt_index_table},
	[2] = {.take = mrt_rib, .v = 4},
	[4] = {.take = mrt_rib, .v = 6},
	[6] = {.take = mrt_rib_generic},
	[8] = {.take = mrt_rib, .v = 4, .add_path = true},
	[10] = {.take = mrt_rib, .v = 6, .add_path = true},
	[12] = {.take = mrt_rib_generic, .add_path = true},
};
static const struct mrt_kind bgp4mp[SUBTYPES] = {
	[1] = {.take = mrt_message},
	[4] = {.take = mrt_message, .as4 = true},
	[6] = {.take = mrt_message, .local = true},
	[7] = {.take = mrt_message, .as4 = true, .local = true},
	[8] = {.take = mrt_message, .add_path = true},
	[9] = {.take = mrt_message, .add_path = true, .as4 = true},
	[10] = {.take = mrt_message, .add_path = true, .local = true},
	[11] = {.take = mrt_message, .add_path = true, .as4 = true, .local = true},
};
static const struct {
	uint16_t type;
	const struct mrt_kind *kind;
} types[] = {
	{TABLE_DUMP_V2, table_dump_v2},
	{BGP4MP, bgp4mp},
	{BGP4MP_ET, bgp4mp},
	{TABLE_DUMP, table_dump},
};

static const struct mrt_kind *kind_of(uint16_t type, uint16_t subtype)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type && subtype < SUBTYPES && types[i].kind[subtype].take)
			return &types[i].kind[subtype];
	return NULL;
}

void mrt_leave(struct mrt *m, enum mrt_drop why)
{
	m->n_route = 0;
	m->host_bits = 0;
	m->dropped[why]++;
}

struct head {
	uint32_t time;
	uint16_t type, subtype;
	uint32_t n; /* bytes behind the head */
};

static struct head head_take(struct rd *r)
{
	struct head h = {.time = rd_be32(r)};

	h.type = rd_be16(r);
	h.subtype = rd_be16(r);
	h.n = rd_be32(r);
	return h;
}

static struct wall time_of(const struct head *h, struct rd *r)
{
	int64_t us = (int64_t)h->time * SECOND_US;

	if (h->type == BGP4MP_ET)
		us += rd_be32(r);
	return (struct wall){us};
}

enum status mrt_record(struct mrt *m, const uint8_t *p, size_t n, const struct mrt_route **route,
	size_t *n_route, struct err *e)
{
	struct rd whole = rd_of(p, n);
	struct head h = head_take(&whole);
	struct rd r = rd_cut(&whole, h.n);
	const struct mrt_kind *k = kind_of(h.type, h.subtype);
	bool room = true;

	m->n_route = m->host_bits = 0;
	m->at = time_of(&h, &r);
	if (r.bad || whole.bad)
		mrt_leave(m, MRT_BAD_LENGTH);
	else if (!k)
		mrt_leave(m, MRT_UNKNOWN);
	else
		room = k->take(m, r, k);
	m->dropped[MRT_HOST_BITS] += m->host_bits;
	*route = m->route;
	*n_route = room ? m->n_route : 0;
	return room ? STATUS_OK : err_nomem(e);
}

size_t mrt_size(const uint8_t *p, size_t n)
{
	struct rd r = rd_of(p, n);

	if (n < HEAD)
		return 0;
	struct head h = head_take(&r);
	return h.n > MRT_RECORD_MAX - HEAD ? SIZE_MAX : h.n + (size_t)HEAD;
}

bool mrt_looks(const uint8_t *p, size_t n)
{
	size_t size = mrt_size(p, n);
	struct rd r = rd_of(p, n);

	if (size == 0 || size == SIZE_MAX || size == HEAD)
		return false;
	struct head h = head_take(&r);
	/* a dump of updates may begin with a state change, which has no row */
	bool bgp = h.type == BGP4MP || h.type == BGP4MP_ET;
	return bgp ? h.subtype < SUBTYPES : kind_of(h.type, h.subtype) != NULL;
}

struct mrt *mrt_new(void)
{
	struct mrt *m = calloc(1, sizeof(*m));

	if (m)
		m->seed = hash_seed();
	return m;
}

void mrt_free(struct mrt *m)
{
	if (!m)
		return;
	free(m->peer);
	free(m->slot);
	free(m->index);
	free(m->route);
	free(m);
}

const struct mrt_peer *mrt_peers(const struct mrt *m, size_t *n)
{
	*n = m->n_peer;
	return m->peer;
}

const uint64_t *mrt_dropped(const struct mrt *m)
{
	return m->dropped;
}

struct wall mrt_time(const struct mrt *m)
{
	return m->at;
}

bool mrt_is_table(const struct mrt *m)
{
	return m->table;
}
