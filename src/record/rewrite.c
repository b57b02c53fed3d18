/* Flows come in (sorted by first packet); those that are translated copies of another one, seen before and
 * after a NAT or a layer-4 balancer, get rewrite_of.  Such a device hands the packets on as they are: the
 * initial sequence numbers of TCP stay, IP identification stays, payload stays to the byte, TTL falls by the
 * hops in between.
 *
 * A relay that ends the connection and opens another (socat, sshd, a proxy) has sequence numbers of its own
 * and a TTL that begins anew.  It must never be taken for a rewrite, so where anything is known that differs
 * there is none:
 *
 *   1. TCP with a handshake: the sequence numbers that both copies know are equal.  Both: enough where there
 * is payload.  One: there is payload, the counts are alike, and at one observation point so is the TTL.
 *   2. Without: payload totals are equal, bursts are the same within milliseconds, and
 *      a. the IP identification of the first packet of each direction is equal and the TTL differs by a few
 * hops at most; where only one direction was seen b. must hold as well; b. at one observation point: the copy
 * with the lower TTL is the later one, in both directions, by as many hops. For a relay this would take a
 * sender whose packets arrive with just a few hops more than the relay's own initial TTL.
 *
 * Unrelated flows share numbers too: a scanner uses one sequence number for all its probes, a small device
 * one for all its connections (often 0), a flood one datagram.  So 0 is no number, and what more than a few
 * 5-tuples share tells nothing.  Flows without payload have no copies unless both their numbers are known and
 * each is theirs alone.
 *
 * The same 5-tuple at two observation points is one flow seen twice, not a rewrite. */
#include <stdlib.h>
#include <string.h>

#include "record/pair.h"
#include "record/segment.h"

#define NEAR_US    100000          /* starts of two copies at one observation point */
#define FAR_US     (5 * SECOND_US) /* at two, whose clocks differ */
#define LAG_MAX_US 20000           /* bursts of two copies */
#define HOPS_MAX   4
#define FEW        4  /* 5-tuples that one connection can have: itself and some translations */
#define LOOK_BACK  64 /* candidates per flow: bounds the work under a flood of equal flows */

struct keyed {
	uint64_t key;
	size_t flow;
};

static bool tuple_equal(const struct flow *a, const struct flow *b)
{
	const struct endpoint *x = a->head.end, *y = b->head.end;

	return (endpoint_equal(&x[0], &y[0]) && endpoint_equal(&x[1], &y[1])) ||
	       (endpoint_equal(&x[0], &y[1]) && endpoint_equal(&x[1], &y[0]));
}

static bool same_point(const struct flow *a, const struct flow *b)
{
	return strcmp(a->head.point, b->head.point) == 0;
}

static int64_t apart(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

static bool starts_near(const struct flow *a, const struct flow *b)
{
	return apart(a->head.first_us, b->head.first_us) <= (same_point(a, b) ? NEAR_US : FAR_US);
}

static bool seen(const struct flow *f, int d)
{
	return f->count[d].first_us <= f->count[d].last_us;
}

static bool alike(uint64_t a, uint64_t b, uint64_t slack)
{
	uint64_t more = a > b ? a : b, less = a > b ? b : a;

	return more - less <= more / 20 + slack;
}

/* Packets and bytes nearly equal in the directions that both show, at least one. */
static bool counts_alike(const struct flow *a, const struct flow *b)
{
	bool any = false;

	for (int d = 0; d < 2; d++) {
		if (!seen(a, d) || !seen(b, d))
			continue;
		any = true;
		if (!alike(a->count[d].packets, b->count[d].packets, 4) ||
			!alike(a->count[d].payload_bytes, b->count[d].payload_bytes, 3000))
			return false;
	}
	return any;
}

/* Hops by which direction d of b is behind a; false where a TTL is not known or it is not a few hops. */
static bool hops(const struct flow *a, const struct flow *b, int d, int *k)
{
	*k = 0;
	if (a->head.ttl[d] == 0 || b->head.ttl[d] == 0)
		return false;
	*k = a->head.ttl[d] - b->head.ttl[d];
	return *k >= -HOPS_MAX && *k <= HOPS_MAX;
}

static bool has_payload(const struct flow *f)
{
	return f->count[0].payload_bytes + f->count[1].payload_bytes > 0;
}

/* Is the initial sequence number of direction d known? */
static bool isn_known(const struct flow *f, int d)
{
	return f->head.proto == PROTO_TCP && f->head.isn[d] != 0 &&
	       (f->head.flags & (d ? FLOW_SYNACK : FLOW_SYN));
}

/* Translation changes an address; other ports of the same two hosts are what a scan looks for. */
static bool hosts_differ(const struct flow *a, const struct flow *b)
{
	return !ip_equal(&a->head.end[0].ip, &b->head.end[0].ip) ||
	       !ip_equal(&a->head.end[1].ip, &b->head.end[1].ip);
}

/* Rule 1, both numbers.  `a` begins not after b. */
static bool copy_by_isns(const struct flow *a, const struct flow *b)
{
	int k;

	if (a->head.isn[0] != b->head.isn[0] || a->head.isn[1] != b->head.isn[1])
		return false;
	if (has_payload(a) && has_payload(b))
		return apart(a->head.first_us, b->head.first_us) <= 2 * FAR_US;
	return starts_near(a, b) && counts_alike(a, b) && hosts_differ(a, b) && hops(a, b, 0, &k) &&
	       hops(a, b, 1, &k);
}

/* Rule 1, one number. */
static bool copy_by_isn(const struct flow *a, const struct flow *b)
{
	int known = 0, k = 0;

	for (int d = 0; d < 2; d++) {
		if (!isn_known(a, d) || !isn_known(b, d))
			continue;
		if (a->head.isn[d] != b->head.isn[d] || (same_point(a, b) && !hops(a, b, d, &k)))
			return false;
		known++;
	}
	return known == 1 && starts_near(a, b) && counts_alike(a, b);
}

static bool payload_equal(const struct flow *a, const struct flow *b)
{
	return a->count[0].payload_bytes == b->count[0].payload_bytes &&
	       a->count[1].payload_bytes == b->count[1].payload_bytes;
}

/* The bursts of direction d are the same, within the lag. */
static bool train_same(const struct flow *a, const struct flow *b, int d, int64_t lag_us)
{
	if (a->n_burst[d] != b->n_burst[d])
		return false;
	for (size_t i = 0; i < a->n_burst[d]; i++)
		if (apart(a->burst[d][i].start_us, b->burst[d][i].start_us) > lag_us ||
			a->burst[d][i].bytes != b->burst[d][i].bytes)
			return false;
	return true;
}

static bool trains_same(const struct flow *a, const struct flow *b)
{
	int64_t lag = same_point(a, b) ? LAG_MAX_US : FAR_US;

	for (int d = 0; d < 2; d++) {
		if (seen(a, d) != seen(b, d) || a->count[d].packets != b->count[d].packets)
			return false;
		if (seen(a, d) && (apart(a->count[d].first_us, b->count[d].first_us) > lag ||
					  apart(a->count[d].last_us, b->count[d].last_us) > lag))
			return false;
		if (!train_same(a, b, d, lag))
			return false;
	}
	return true;
}

/* Rule 2a: every direction that was seen has an identification, and it is the same. */
static bool ip_id_same(const struct flow *a, const struct flow *b)
{
	int k;

	for (int d = 0; d < 2; d++) {
		if (!seen(a, d))
			continue;
		if (a->head.ip_id[d] == 0 || a->head.ip_id[d] != b->head.ip_id[d] || !hops(a, b, d, &k))
			return false;
	}
	return true;
}

/* Rule 2b: b is the copy behind the device: later and lower in direction 0, earlier and higher in
 * direction 1. */
static bool behind(const struct flow *a, const struct flow *b)
{
	int k[2] = {0, 0};

	if (!same_point(a, b))
		return false;
	for (int d = 0; d < 2; d++) {
		if (!seen(a, d))
			continue;
		int64_t lag = b->count[d].first_us - a->count[d].first_us;
		if (!hops(a, b, d, &k[d]))
			return false;
		k[d] = d ? -k[d] : k[d];
		if (k[d] < 1 || (d ? -lag : lag) <= 0)
			return false;
	}
	return !seen(a, 0) || !seen(a, 1) || k[0] == k[1];
}

/* Rule 2. */
static bool copy_by_train(const struct flow *a, const struct flow *b)
{
	if (!starts_near(a, b) || !payload_equal(a, b) || !trains_same(a, b))
		return false;
	bool both = seen(a, 0) && seen(a, 1);
	bool order = behind(a, b) || behind(b, a);

	return ip_id_same(a, b) ? both || order : both && order;
}

/* A relay's two legs have handshakes with other numbers; if one of them was seen rule 2 may not look at
 * the pair. */
static bool handshake_seen(const struct flow *f)
{
	return f->head.proto == PROTO_TCP && (f->head.flags & (FLOW_SYN | FLOW_SYNACK));
}

/* crowd: bit d where the flow's number of direction d is shared by more than a few. */
static bool key_crowd0(const struct flow *f, uint8_t crowd, uint64_t *key)
{
	(void)crowd;
	*key = f->head.isn[0];
	return isn_known(f, 0);
}

static bool key_crowd1(const struct flow *f, uint8_t crowd, uint64_t *key)
{
	(void)crowd;
	*key = f->head.isn[1];
	return isn_known(f, 1);
}

static bool key_isns(const struct flow *f, uint8_t crowd, uint64_t *key)
{
	*key = (uint64_t)f->head.isn[0] << 32 | f->head.isn[1];
	return isn_known(f, 0) && isn_known(f, 1) && (has_payload(f) || !crowd);
}

static bool key_isn0(const struct flow *f, uint8_t crowd, uint64_t *key)
{
	return key_crowd0(f, crowd, key) && has_payload(f) && !(crowd & 1);
}

static bool key_isn1(const struct flow *f, uint8_t crowd, uint64_t *key)
{
	return key_crowd1(f, crowd, key) && has_payload(f) && !(crowd & 2);
}

static bool key_payload(const struct flow *f, uint8_t crowd, uint64_t *key)
{
	(void)crowd;
	*key = mix(mix(f->head.proto, f->count[0].payload_bytes), f->count[1].payload_bytes);
	*key = mix(*key, f->count[0].packets << 32 ^ f->count[1].packets);
	return !handshake_seen(f) && has_payload(f);
}

static int keyed_order(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->flow > y->flow) - (x->flow < y->flow);
}

typedef bool key_fn(const struct flow *f, uint8_t crowd, uint64_t *key);
typedef bool copy_fn(const struct flow *a, const struct flow *b);

struct marking {
	struct recording *r;
	struct keyed *k;
	size_t n;
	uint8_t *crowd; /* of every flow */
};

/* 5-tuples that were met, up to one more than a few. */
struct tuples {
	const struct flow *flow[FEW + 1];
	size_t n;
};

/* False where there are too many. */
static bool tuples_add(struct tuples *t, const struct flow *f)
{
	for (size_t i = 0; i < t->n; i++)
		if (tuple_equal(t->flow[i], f))
			return t->n <= FEW;
	if (t->n <= FEW)
		t->flow[t->n++] = f;
	return t->n <= FEW;
}

/* Do f and g have in common what tells copies by their train from others of the same sizes?  Seen in one
 * direction alone, many of one size are a flood or a scan, in which identifications meet by chance. */
static bool train_shared(const struct flow *f, const struct flow *g)
{
	bool both = seen(f, 0) && seen(f, 1);

	return apart(f->head.first_us, g->head.first_us) <= NEAR_US &&
	       (!both || memcmp(f->head.ip_id, g->head.ip_id, sizeof(f->head.ip_id)) == 0);
}

/* Rule 2: is the train of flow i of the keys one that more than a few 5-tuples beside it have? */
static bool train_crowded(const struct marking *m, size_t i)
{
	const struct flow *f = &m->r->flow[m->k[i].flow];
	struct tuples t = {.flow = {f}, .n = 1};

	for (int step = -1; step <= 1; step += 2) {
		size_t j = i;
		for (size_t n = 0; n < LOOK_BACK; n++) {
			if ((step < 0 && j == 0) || (step > 0 && j + 1 == m->n))
				break;
			j = step < 0 ? j - 1 : j + 1;
			const struct flow *g = &m->r->flow[m->k[j].flow];
			if (m->k[j].key != m->k[i].key || apart(f->head.first_us, g->head.first_us) > NEAR_US)
				break;
			if (train_shared(f, g) && !tuples_add(&t, g))
				return true;
		}
	}
	return false;
}

/* Looks back at the flows before i that have its key, for the earliest of which it is a copy. Where
 * one of them has the same 5-tuple (another observation point), it is what that one is. */
static void mark(struct marking *m, size_t i, copy_fn *copy)
{
	const struct keyed *k = m->k;
	struct flow *f = &m->r->flow[k[i].flow];

	for (size_t n = 1; n <= LOOK_BACK && n <= i && k[i - n].key == k[i].key; n++) {
		struct flow *g = &m->r->flow[k[i - n].flow];
		if (g->head.proto != f->head.proto || f->head.first_us - g->head.first_us > 2 * FAR_US)
			break;
		if (tuple_equal(f, g)) {
			if (same_point(f, g))
				continue;
			f->rewrite_of = g->rewrite_of;
			return;
		}
		if (copy(g, f))
			f->rewrite_of = g->rewrite_of ? g->rewrite_of : g;
	}
}

/* The flows that have a key, those with the same one together, in order of time. */
static void keys_sort(struct marking *m, key_fn *key)
{
	m->n = 0;
	for (size_t i = 0; i < m->r->n_flow; i++) {
		m->k[m->n].flow = i;
		m->n += !m->r->flow[i].rewrite_of && key(&m->r->flow[i], m->crowd[i], &m->k[m->n].key);
	}
	if (m->n > 1)
		qsort(m->k, m->n, sizeof(*m->k), keyed_order);
}

/* The end of the keys that are equal to that of i; *few: not more 5-tuples than a connection can have. */
static size_t group_end(const struct marking *m, size_t i, bool *few)
{
	struct tuples t = {0};
	size_t end = i;

	*few = true;
	for (; end < m->n && m->k[end].key == m->k[i].key; end++)
		*few = tuples_add(&t, &m->r->flow[m->k[end].flow]) && *few;
	return end;
}

static void crowds(struct marking *m, key_fn *key, uint8_t bit)
{
	bool few;

	keys_sort(m, key);
	for (size_t i = 0, end; i < m->n; i = end) {
		end = group_end(m, i, &few);
		for (size_t j = i; j < end && !few; j++)
			m->crowd[m->k[j].flow] |= bit;
	}
}

static void pass_isn(struct marking *m, key_fn *key, copy_fn *copy)
{
	bool few;

	keys_sort(m, key);
	for (size_t i = 0, end; i < m->n; i = end) {
		end = group_end(m, i, &few);
		for (size_t j = i + 1; j < end && few; j++)
			mark(m, j, copy);
	}
}

static void pass_train(struct marking *m)
{
	keys_sort(m, key_payload);
	for (size_t i = 1; i < m->n; i++) {
		struct flow *f = &m->r->flow[m->k[i].flow];
		mark(m, i, copy_by_train);
		if (f->rewrite_of && train_crowded(m, i))
			f->rewrite_of = NULL;
	}
}

/* Copies of copies: to the first one, which stands before them. */
static void follow(struct recording *r)
{
	for (size_t i = 0; i < r->n_flow; i++) {
		struct flow *f = &r->flow[i];
		if (f->rewrite_of && f->rewrite_of->rewrite_of)
			f->rewrite_of = f->rewrite_of->rewrite_of;
		if (f->rewrite_of && tuple_equal(f, f->rewrite_of))
			f->rewrite_of = NULL;
	}
}

enum status rewrite_mark(struct recording *r, struct err *e)
{
	struct marking m = {.r = r};
	enum status st = STATUS_OK;

	m.k = malloc((r->n_flow + 1) * sizeof(*m.k));
	m.crowd = calloc(r->n_flow + 1, 1);
	if (m.k && m.crowd) {
		crowds(&m, key_crowd0, 1);
		crowds(&m, key_crowd1, 2);
		pass_isn(&m, key_isns, copy_by_isns);
		pass_isn(&m, key_isn0, copy_by_isn);
		pass_isn(&m, key_isn1, copy_by_isn);
		pass_train(&m);
		follow(r);
	} else {
		st = err_nomem(e);
	}
	free(m.crowd);
	free(m.k);
	return st;
}
