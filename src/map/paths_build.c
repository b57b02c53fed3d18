/* Routes into columns.  Entries of tables go straight to their columns: prefix after prefix, as a table has
 * them.  Updates are kept beside, the last one about each session, prefix and path identifier, and are
 * brought in at the end (paths_merge.c).
 *
 * The hot path is an entry of TABLE_DUMP_V2.  Its path's bytes are compared with those that the same session
 * said last, for the neighbouring prefix: often the same.  For the others of the record hashes are made
 * first, then their slots and keys are fetched, then they are looked up: the memory's delays overlap. */
#include <stdlib.h>

#include "base/grow.h"
#include "map/big.h"
#include "map/paths_in.h"

enum { BATCH = 64, TIDY_FIRST = 1 << 20 };

struct paths_build *paths_build_new(void)
{
	struct paths_build *b = calloc(1, sizeof(*b));
	uint64_t seed = hash_seed();

	if (!b)
		return NULL;
	b->tidy_at = TIDY_FIRST;
	if (!store_init(&b->store, seed) || !intern_init(&b->sessions, seed)) {
		paths_build_free(b);
		return NULL;
	}
	return b;
}

void paths_build_free(struct paths_build *b)
{
	if (!b)
		return;
	store_free(&b->store);
	intern_free(&b->sessions);
	columns_free(&b->base);
	free(b->again.slot);
	free(b->session);
	free(b->peer);
	free(b->update);
	free(b->pair);
	free(b);
}

const struct paths_counts *paths_build_counts(const struct paths_build *b)
{
	return &b->counts;
}

void paths_build_file(struct paths_build *b)
{
	b->n_peer = 0;
	b->told = false;
}

void paths_build_record(struct paths_build *b, bool table, struct wall at)
{
	b->told = true;
	b->table = table;
	b->record_us = at.us;
}

/* ---- columns ---- */

static bool id_room(struct columns *c, size_t routes)
{
	size_t had = c->cap_id;

	if (!c->path_id || c->n_route + routes <= had)
		return true;
	if (!big_grow(&c->path_id, &c->cap_id, c->n_route, routes, sizeof(*c->path_id)))
		return false;
	memset(c->path_id + had, 0, (c->cap_id - had) * sizeof(*c->path_id));
	return true;
}

bool columns_room(struct columns *c, size_t prefixes, size_t routes)
{
	return big_grow(&c->prefix, &c->cap_prefix, c->n_prefix, prefixes, sizeof(*c->prefix)) &&
	       big_grow(&c->route_at, &c->cap_at, c->n_prefix, prefixes + 1, sizeof(*c->route_at)) &&
	       big_grow(&c->session, &c->cap_session, c->n_route, routes, sizeof(*c->session)) &&
	       big_grow(&c->path, &c->cap_path, c->n_route, routes, sizeof(*c->path)) && id_room(c, routes);
}

void columns_free(struct columns *c)
{
	big_free(c->prefix, c->cap_prefix, sizeof(*c->prefix));
	big_free(c->route_at, c->cap_at, sizeof(*c->route_at));
	big_free(c->session, c->cap_session, sizeof(*c->session));
	big_free(c->path, c->cap_path, sizeof(*c->path));
	big_free(c->path_id, c->cap_id, sizeof(*c->path_id));
	*c = (struct columns){0};
}

/* The first path identifier that is not 0: from now on they are kept. */
static bool id_begin(struct columns *c)
{
	c->path_id = big_zero(c->cap_path, sizeof(*c->path_id));
	c->cap_id = c->path_id ? c->cap_path : 0;
	return c->path_id != NULL;
}

/* ---- sessions ---- */

static size_t session_key(uint8_t to[21], const struct mrt_peer *p)
{
	memcpy(to, &p->asn, 4);
	to[4] = p->ip.v;
	memcpy(to + 5, p->ip.b, 16);
	return 21;
}

static uint32_t session_place(struct paths_build *b, const struct mrt_peer *p)
{
	uint8_t key[21];
	uint32_t size = intern_size(session_key(key, p), 0);

	return intern_put(&b->sessions, intern_hash(&b->sessions, key, size), key, size);
}

static enum status session_add(struct paths_build *b, const struct mrt_peer *p, uint32_t place, struct err *e)
{
	if (b->n_session == SESSIONS_MAX)
		return err_set(e, STATUS_BAD, "more than %d sessions", SESSIONS_MAX);
	if (!grow(&b->session, &b->cap_session, b->n_session, 1, sizeof(*b->session)))
		return err_nomem(e);
	struct session_now *s = &b->session[b->n_session++];
	*s = (struct session_now){.s = {.asn = p->asn, .v = p->ip.v}};
	memcpy(s->s.ip, p->ip.b, sizeof(s->s.ip));
	intern_at(&b->sessions, place)->value = (uint32_t)b->n_session;
	return STATUS_OK;
}

/* Makes the file's list of peers as long as it is by now. */
static enum status peers_know(struct paths_build *b, size_t n, struct err *e)
{
	if (!grow(&b->peer, &b->cap_peer, b->n_peer, n - b->n_peer, sizeof(*b->peer)))
		return err_nomem(e);
	while (b->n_peer < n)
		b->peer[b->n_peer++] = NO_INDEX32;
	return STATUS_OK;
}

/* A peer's first route in this file. */
static enum status peer_session(struct paths_build *b, const struct mrt_peer *p, uint32_t *to, struct err *e)
{
	uint32_t place = session_place(b, p);

	if (!place)
		return err_nomem(e);
	if (!intern_at(&b->sessions, place)->value) {
		enum status st = session_add(b, p, place, e);
		if (st != STATUS_OK)
			return st;
	}
	*to = intern_at(&b->sessions, place)->value - 1;
	return STATUS_OK;
}

/* ---- one route ---- */

/* Counts why a path is not kept; true where it is. */
static bool path_kept(struct paths_counts *c, uint32_t v)
{
	c->as_set += (v & STORED_SET) != 0;
	if (stored_good(v))
		return true;
	switch ((enum path_fault)((v & ~STORED_SET) - STORED_FAULT)) {
	case PATH_LOOP:
		c->loop++;
		break;
	case PATH_LONG:
		c->long_path++;
		break;
	case PATH_EMPTY:
		c->dropped[MRT_NO_PATH]++;
		break;
	case PATH_OK:
	case PATH_BAD:
	case PATH_AS_ZERO:
		c->dropped[MRT_BAD_PATH]++;
		break;
	}
	return false;
}

/* Begins a run of routes of one prefix where this is another one than before. */
static void prefix_begin(struct paths_build *b, const struct prefix *p)
{
	struct columns *c = &b->base;
	struct map_prefix q = map_prefix_of(p);

	if (c->n_prefix) {
		int order = map_prefix_order(&c->prefix[c->n_prefix - 1], &q);
		if (order == 0)
			return;
		b->disordered = b->disordered || order > 0;
	}
	c->prefix[c->n_prefix] = q;
	c->route_at[c->n_prefix++] = c->n_route;
}

static bool route_put(struct paths_build *b, uint32_t session, uint32_t path_id, uint32_t path)
{
	struct columns *c = &b->base;
	struct session_now *s = &b->session[session];
	uint64_t before = NO_ROUTE;

	if (s->run == c->n_prefix && !again_find(b, session, path_id, &before))
		return false;
	if (before != NO_ROUTE) {
		c->path[before] = path;
		return true;
	}
	if (path_id && !c->path_id && !id_begin(c))
		return false;
	if (c->path_id)
		c->path_id[c->n_route] = path_id;
	s->run = (uint32_t)c->n_prefix;
	c->session[c->n_route] = (uint16_t)session;
	c->path[c->n_route++] = path;
	return true;
}

/* ---- a batch of a table's entries ---- */

struct batch {
	uint32_t session[BATCH];
	uint32_t place[BATCH]; /* of the path's bytes; 0: not known yet, or no path */
	struct rd path[BATCH];
	uint32_t hash[BATCH];
	uint8_t late[BATCH]; /* those to be looked up */
	size_t n_late;
};

/* Where the path is the session's last one, or of 2-octet numbers, it is known at once. */
static bool batch_path(struct paths_build *b, struct batch *t, size_t i, const struct mrt_route *r)
{
	struct rd as4 = rd_of(NULL, 0);
	uint32_t last = b->session[t->session[i]].last;

	t->place[i] = 0;
	if (!attr_path(&t->path[i], r->two_octet ? &as4 : NULL, r->attr)) {
		b->counts.dropped[MRT_NO_PATH]++;
		return true;
	}
	if (r->two_octet) {
		t->place[i] = store_path2(&b->store, t->path[i], as4);
		return t->place[i] != 0;
	}
	uint32_t size = intern_size(rd_left(&t->path[i]), STORED_PATH);
	if (last && intern_is(&b->store.raw, last, t->path[i].p, size)) {
		t->place[i] = last;
		return true;
	}
	t->hash[i] = intern_hash(&b->store.raw, t->path[i].p, size);
	intern_fetch_slot(&b->store.raw, t->hash[i]);
	t->late[t->n_late++] = (uint8_t)i;
	return true;
}

static bool batch_look_up(struct paths_build *b, struct batch *t)
{
	for (size_t k = 0; k < t->n_late; k++)
		intern_fetch_key(&b->store.raw, t->hash[t->late[k]]);
	for (size_t k = 0; k < t->n_late; k++) {
		size_t i = t->late[k];
		t->place[i] = store_path(&b->store, t->hash[i], t->path[i]);
		if (!t->place[i])
			return false;
		b->session[t->session[i]].last = t->place[i];
	}
	return true;
}

static void table_said(struct paths_build *b, struct session_now *s)
{
	s->in_table = true;
	s->table_us = b->told ? b->record_us : INT64_MIN;
}

static bool batch_put(struct paths_build *b, const struct batch *t, const struct mrt_route *r, size_t n)
{
	size_t kept = n; /* the last one that was; n: none yet */

	for (size_t i = 0; i < n; i++) {
		table_said(b, &b->session[t->session[i]]);
		if (!t->place[i])
			continue;
		uint32_t v = intern_at(&b->store.raw, t->place[i])->value;
		if (!path_kept(&b->counts, v))
			continue;
		if (kept == n || memcmp(&r[i].prefix, &r[kept].prefix, sizeof(r[i].prefix)) != 0)
			prefix_begin(b, &r[i].prefix);
		kept = i;
		if (!route_put(b, t->session[i], r[i].path_id, stored_path(v)))
			return false;
	}
	return true;
}

static enum status batch_add(struct paths_build *b, const struct mrt_route *r, size_t n, struct err *e)
{
	struct batch t;

	t.n_late = 0;
	if (!columns_room(&b->base, n, n))
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		t.session[i] = b->peer[r[i].peer];
		if (!batch_path(b, &t, i, &r[i]))
			return err_nomem(e);
	}
	if (!batch_look_up(b, &t) || !batch_put(b, &t, r, n))
		return err_nomem(e);
	return STATUS_OK;
}

/* ---- updates ---- */

/* NO_INDEX32 where the route is none (withdrawn, or its path is left out: it replaces what was there, too).
 */
static bool update_path(struct paths_build *b, const struct mrt_route *r, uint32_t *path)
{
	struct rd bytes, as4 = rd_of(NULL, 0);

	*path = NO_INDEX32;
	if (r->withdrawn)
		return true;
	if (!attr_path(&bytes, r->two_octet ? &as4 : NULL, r->attr)) {
		b->counts.dropped[MRT_NO_PATH]++;
		return true;
	}
	uint32_t size = intern_size(rd_left(&bytes), STORED_PATH);
	uint32_t place = r->two_octet
				 ? store_path2(&b->store, bytes, as4)
				 : store_path(&b->store, intern_hash(&b->store.raw, bytes.p, size), bytes);
	if (!place)
		return false;
	uint32_t v = intern_at(&b->store.raw, place)->value;
	if (path_kept(&b->counts, v))
		*path = stored_path(v);
	return true;
}

static enum status update_add(struct paths_build *b, const struct mrt_route *r, struct err *e)
{
	uint32_t session = b->peer[r->peer], path;
	const struct session_now *s = &b->session[session];

	if (s->in_table && r->at.us < s->table_us) {
		b->counts.aged++;
		return STATUS_OK;
	}
	if (!update_path(b, r, &path) ||
		!grow(&b->update, &b->cap_update, b->n_update, 1, sizeof(*b->update)))
		return err_nomem(e);
	b->update[b->n_update++] = (struct update){.p = map_prefix_of(&r->prefix),
		.at_us = r->at.us,
		.number = b->update_number++,
		.path = path,
		.path_id = r->path_id,
		.session = (uint16_t)session};
	if (b->n_update >= b->tidy_at) {
		updates_tidy(b);
		b->tidy_at = 2 * b->n_update > TIDY_FIRST ? 2 * b->n_update : TIDY_FIRST;
	}
	return STATUS_OK;
}

/* ---- a record ---- */

static bool is_entry(const struct paths_build *b, const struct mrt_route *r)
{
	return !r->withdrawn && (b->told ? b->table : r->table_dump_v2);
}

/* How many routes from the first on are entries of a table; sessions of all that are counted are known. */
static enum status entries(struct paths_build *b, const struct mrt_route *r, size_t n,
	const struct mrt_peer *peer, size_t *many, struct err *e)
{
	for (*many = 0; *many < n && *many < BATCH; ++*many) {
		const struct mrt_route *one = &r[*many];
		if (one->peer >= b->n_peer)
			return err_set(e, STATUS_BAD, "a route of a peer that is not there");
		if (b->peer[one->peer] == NO_INDEX32) {
			enum status st = peer_session(b, &peer[one->peer], &b->peer[one->peer], e);
			if (st != STATUS_OK)
				return st;
		}
		if (!is_entry(b, one))
			break;
	}
	return STATUS_OK;
}

enum status paths_build_add(struct paths_build *b, const struct mrt_route *r, size_t n,
	const struct mrt_peer *peer, size_t n_peer, struct err *e)
{
	enum status st = n_peer > b->n_peer ? peers_know(b, n_peer, e) : STATUS_OK;

	b->counts.record++;
	for (size_t i = 0, many; i < n && st == STATUS_OK; i += many) {
		st = entries(b, r + i, n - i, peer, &many, e);
		if (st != STATUS_OK)
			break;
		if (many) {
			b->counts.route += many;
			st = batch_add(b, r + i, many, e);
			continue;
		}
		*(r[i].withdrawn ? &b->counts.withdrawal : &b->counts.route) += 1;
		st = update_add(b, r + i, e);
		many = 1;
	}
	return st;
}

enum status paths_build_origin(struct paths_build *b, const struct prefix *p, uint32_t asn, struct err *e)
{
	uint32_t as = store_as(&b->store, asn);

	if (as == NO_INDEX32 || !grow(&b->pair, &b->cap_pair, b->n_pair, 1, sizeof(*b->pair)))
		return err_nomem(e);
	b->pair[b->n_pair++] = (struct pair){map_prefix_of(p), as};
	return STATUS_OK;
}
