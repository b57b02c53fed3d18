/* Recall: which open case does an alert belong to?
 *
 * In come the sightings and the link claims of the open cases, out comes the case that knows a flow, or a
 * host as attacker, relay or end of a chain.  Hosts are compared as what one has for sure: an IPv4 address,
 * an IPv6 /64.  Whoever sends alerts chooses addresses and ports, so the hash tables are keyed by SHA-256. */
#include "case/recall.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "case/db.h"
#include "record/flow.h"

#define AGAIN_US (3600 * SECOND_US) /* a later alert of the same ports may be of another session */
#define HOST6    64

/* A hash table from keys to what was put there last. */
struct table {
	struct slot {
		struct id key;
		void *value; /* NULL: free */
	} * slot;
	size_t n, slots; /* slots: a power of two, or 0 */
};

/* What a key is of. */
enum key_kind { KEY_FLOW, KEY_LAST, KEY_HOST };

struct flow_node {
	struct recall_flow flow;
	struct flow_node *next;
};

/* A host in a case; those of one host are a list, newest first. */
struct host_node {
	struct recall_host host;
	struct host_node *next;
};

struct recall {
	const struct config *cfg;
	struct arena arena;
	struct table table;
	struct flow_node *first, **last;
	struct changes {
		int64_t commits; /* of other connections */
		int64_t cases, closed, sightings, claims;
	} seen; /* of the database, when it was read or looked at last */
	bool read;
};

const char *recall_role_name(enum recall_role r)
{
	static const char *const name[RECALL_ROLES] = {"attacker", "relay", "end"};

	return name[r];
}

/* ---- the table ---- */

static struct slot *slot_find(const struct table *t, const struct id *key)
{
	uint64_t h;

	memcpy(&h, key->b, sizeof(h));
	size_t i = (size_t)h & (t->slots - 1);
	while (t->slot[i].value && id_order(&t->slot[i].key, key) != 0)
		i = (i + 1) & (t->slots - 1);
	return &t->slot[i];
}

static bool table_grow(struct table *t)
{
	struct table more = {.slots = t->slots ? 2 * t->slots : 256, .n = t->n};

	more.slot = calloc(more.slots, sizeof(*more.slot));
	if (!more.slot)
		return false;
	for (size_t i = 0; i < t->slots; i++)
		if (t->slot[i].value)
			*slot_find(&more, &t->slot[i].key) = t->slot[i];
	free(t->slot);
	*t = more;
	return true;
}

static void *table_get(const struct table *t, const struct id *key)
{
	return t->slots ? slot_find(t, key)->value : NULL;
}

static bool table_put(struct table *t, const struct id *key, void *value)
{
	if (2 * (t->n + 1) > t->slots && !table_grow(t))
		return false;
	struct slot *s = slot_find(t, key);
	t->n += s->value == NULL;
	*s = (struct slot){*key, value};
	return true;
}

/* ---- keys ---- */

static void put_ip(struct buf *b, const struct ip *ip)
{
	buf_u8(b, ip->v);
	buf_put(b, ip->b, sizeof(ip->b));
}

static bool key_end(struct id *to, struct buf *b)
{
	bool good = !b->failed && id_of(to, b->p, b->n);

	buf_free(b);
	return good;
}

static bool key_host(struct id *to, const struct ip *ip)
{
	struct buf b = {0};
	struct prefix host = prefix_of(ip, ip->v == 6 ? HOST6 : ip_bits(ip));

	buf_u8(&b, KEY_HOST);
	put_ip(&b, &host.ip);
	return key_end(to, &b);
}

static bool key_flow(struct id *to, const struct sighting *s)
{
	struct buf b = {0};
	int order = ip_compare(&s->end[0].ip, &s->end[1].ip);
	int first = order > 0 || (order == 0 && s->end[0].port > s->end[1].port) ? 1 : 0;

	buf_u8(&b, KEY_FLOW);
	buf_u8(&b, s->proto);
	for (int i = 0; i < 2; i++) {
		put_ip(&b, &s->end[i ^ first].ip);
		buf_le16(&b, s->end[i ^ first].port);
	}
	return key_end(to, &b);
}

/* Of the sighting added last to a case by an attacker. */
static bool key_last(
	struct id *to, const struct recall *r, const struct id *case_id, const struct sighting *s)
{
	struct buf b = {0};

	buf_u8(&b, KEY_LAST);
	buf_put(&b, case_id->b, sizeof(case_id->b));
	put_ip(&b, &recall_attacker(r, s)->ip);
	return key_end(to, &b);
}

const struct endpoint *recall_attacker(const struct recall *r, const struct sighting *s)
{
	bool own[2] = {config_owns(r->cfg, &s->end[0].ip), config_owns(r->cfg, &s->end[1].ip)};

	return &s->end[own[0] && !own[1] ? 1 : 0];
}

/* ---- asking ---- */

static struct recall_flow *flow_at(struct recall *r, const struct id *key)
{
	struct flow_node *f = table_get(&r->table, key);

	return f ? &f->flow : NULL;
}

struct recall_flow *recall_flow(struct recall *r, const struct sighting *s)
{
	struct id key;
	struct recall_flow *f = key_flow(&key, s) ? flow_at(r, &key) : NULL;

	if (f && (s->at.us - AGAIN_US > f->seen.us || s->at.us + AGAIN_US < f->s.at.us))
		f = NULL;
	return f;
}

struct recall_flow *recall_last(struct recall *r, const struct id *case_id, const struct sighting *s)
{
	struct id key;

	return key_last(&key, r, case_id, s) ? flow_at(r, &key) : NULL;
}

bool recall_host(const struct recall *r, const struct ip *ip, const struct id *but, struct recall_host *to)
{
	struct id key;
	const struct host_node *best = NULL;

	if (!key_host(&key, ip))
		return false;
	for (const struct host_node *h = table_get(&r->table, &key); h; h = h->next)
		if (!(but && id_order(&h->host.case_id, but) == 0) &&
			(!best || h->host.role < best->host.role))
			best = h;
	if (best)
		*to = best->host;
	return best != NULL;
}

struct recall_flow *recall_next(struct recall *r, const struct recall_flow *at)
{
	/* the flow stands first in its node */
	const struct flow_node *from = (const struct flow_node *)(const void *)at;
	struct flow_node *f = from ? from->next : r->first;

	return f ? &f->flow : NULL;
}

/* ---- adding ---- */

static bool host_add(struct recall *r, const struct id *case_id, const struct ip *ip, enum recall_role role)
{
	struct id key;
	struct host_node *list, *h;

	if (!key_host(&key, ip))
		return false;
	list = table_get(&r->table, &key);
	for (h = list; h; h = h->next)
		if (h->host.role == role && id_order(&h->host.case_id, case_id) == 0)
			return true;
	h = arena_alloc(&r->arena, sizeof(*h));
	if (!h)
		return false;
	*h = (struct host_node){.host = {*case_id, role}, .next = list};
	return table_put(&r->table, &key, h);
}

static bool flow_put(struct recall *r, struct flow_node *f)
{
	struct id key, last;

	if (!key_flow(&key, &f->flow.s) || !key_last(&last, r, &f->flow.case_id, &f->flow.s) ||
		!table_put(&r->table, &key, f) || !table_put(&r->table, &last, f))
		return false;
	*r->last = f;
	r->last = &f->next;
	return true;
}

struct recall_flow *recall_add(struct recall *r, const struct id *case_id, const struct sighting *s)
{
	struct flow_node *f = arena_alloc(&r->arena, sizeof(*f));

	if (!f)
		return NULL;
	f->flow = (struct recall_flow){.case_id = *case_id, .s = *s, .seen = s->at, .stored = s->count};
	f->flow.s.text = arena_str(&r->arena, s->text ? s->text : "");
	f->flow.s.source = arena_str(&r->arena, s->source);
	if (s->flow_id)
		f->flow.s.flow_id = arena_str(&r->arena, s->flow_id);
	if (!f->flow.s.text || !f->flow.s.source || (s->flow_id && !f->flow.s.flow_id) ||
		!host_add(r, case_id, &recall_attacker(r, s)->ip, RECALL_ATTACKER) || !flow_put(r, f))
		return NULL;
	return &f->flow;
}

bool recall_add_link(struct recall *r, const struct id *case_id, const struct ip *relay, const struct ip *far)
{
	return host_add(r, case_id, relay, RECALL_RELAY) && host_add(r, case_id, far, RECALL_END);
}

void recall_stale(struct recall *r)
{
	r->read = false;
}

/* ---- the database ---- */

static enum status load_sightings(struct recall *r, struct case_db *db, struct err *e)
{
	struct arena row_arena = {0};
	sqlite3_stmt *st;
	bool row;
	enum status s = db_query(db, DB_OPEN_SIGHTINGS, &st, e);

	if (s != STATUS_OK)
		return s;
	while ((s = db_step(db, st, &row, e)) == STATUS_OK && row) {
		struct sighting g;
		struct id id;
		s = sighting_row(db, st, &row_arena, &g, e);
		if (s == STATUS_OK && !db_id(&id, st, 11))
			s = db_damaged(db, "the id of a case", e);
		if (s == STATUS_OK && !recall_add(r, &id, &g))
			s = err_nomem(e);
		arena_free(&row_arena);
		if (s != STATUS_OK)
			break;
	}
	db_done(st);
	return s;
}

/* The hosts of a link claim's body (src/ask/statement.h): its relay, and the end of IN that is not it.  A
 * body that does not say so tells nothing. */
static bool link_take(struct recall *r, const struct id *case_id, const char *body)
{
	json_t *o = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	const char *host = json_string_value(json_object_get(o, "relay"));
	const char *in = json_string_value(json_object_get(json_object_get(o, "in"), "flow"));
	struct endpoint end[2];
	struct ip relay;
	uint8_t proto;
	bool good = true;

	if (host && in && ip_parse(&relay, host) && flow_parse(&proto, end, in))
		good = recall_add_link(r, case_id, &relay, &end[ip_equal(&end[0].ip, &relay) ? 1 : 0].ip);
	json_decref(o);
	return good;
}

static enum status load_links(struct recall *r, struct case_db *db, struct err *e)
{
	sqlite3_stmt *st;
	bool row;
	enum status s = db_query(db, DB_OPEN_LINKS, &st, e);

	if (s != STATUS_OK)
		return s;
	while ((s = db_step(db, st, &row, e)) == STATUS_OK && row) {
		const char *body = (const char *)sqlite3_column_text(st, 1);
		struct id id;
		if (!db_id(&id, st, 0))
			s = db_damaged(db, "the id of a case", e);
		else if (!body || !link_take(r, &id, body))
			s = err_nomem(e);
		if (s != STATUS_OK)
			break;
	}
	db_done(st);
	return s;
}

static enum status numbers(struct case_db *db, enum db_query q, int64_t *to[], int n, struct err *e)
{
	sqlite3_stmt *st;
	bool row;
	enum status s = db_query(db, q, &st, e);

	if (s != STATUS_OK)
		return s;
	s = db_step(db, st, &row, e);
	for (int i = 0; i < n; i++)
		*to[i] = s == STATUS_OK && row ? sqlite3_column_int64(st, i) : 0;
	db_done(st);
	return s;
}

/* An enforcer writes down what it measured every few seconds: only what changes a case counts. */
static enum status changes_of(
	struct case_db *db, const struct changes *last, struct changes *to, struct err *e)
{
	int64_t *commits[] = {&to->commits};
	int64_t *all[] = {&to->cases, &to->closed, &to->sightings, &to->claims};
	enum status s = numbers(db, DB_CHANGES, commits, 1, e);

	if (s == STATUS_OK && last && last->commits == to->commits)
		*to = *last;
	else if (s == STATUS_OK)
		s = numbers(db, DB_CASE_COUNTS, all, 4, e);
	return s;
}

static void recall_empty(struct recall *r)
{
	free(r->table.slot);
	r->table = (struct table){0};
	arena_free(&r->arena);
	r->first = NULL;
	r->last = &r->first;
	r->read = false;
}

enum status recall_due(struct recall *r, struct case_db *db, bool *due, struct err *e)
{
	struct changes now;
	enum status s = changes_of(db, r->read ? &r->seen : NULL, &now, e);

	*due = s == STATUS_OK && (!r->read || now.cases != r->seen.cases || now.closed != r->seen.closed ||
					 now.sightings != r->seen.sightings || now.claims != r->seen.claims);
	if (s == STATUS_OK && !*due)
		r->seen = now;
	return s;
}

enum status recall_read(struct recall *r, struct case_db *db, struct err *e)
{
	enum status s;

	recall_empty(r);
	s = db_begin(db, false, e);
	if (s != STATUS_OK)
		return s;
	s = changes_of(db, NULL, &r->seen, e);
	if (s == STATUS_OK)
		s = load_sightings(r, db, e);
	if (s == STATUS_OK)
		s = load_links(r, db, e);
	s = db_end(db, s, e);
	r->read = s == STATUS_OK;
	return s;
}

enum status recall_open(struct recall **to, const struct config *cfg, struct err *e)
{
	*to = calloc(1, sizeof(**to));
	if (!*to)
		return err_nomem(e);
	(*to)->cfg = cfg;
	(*to)->last = &(*to)->first;
	return STATUS_OK;
}

void recall_close(struct recall *r)
{
	if (r)
		recall_empty(r);
	free(r);
}
