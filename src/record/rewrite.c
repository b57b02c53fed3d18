/* Flows come in (sorted by first packet); those that are translated copies of another one, seen before and
 * after a NAT or a layer-4 balancer, get rewrite_of.  Such a device hands the packets on as they are: the
 * initial sequence numbers of TCP stay, IP identification stays, payload stays to the byte, TTL falls by the
 * hops in between.
 *
 * A relay that ends the connection and opens another (socat, sshd, a proxy) has sequence numbers of its own
 * and a TTL that begins anew.  It must never be taken for a rewrite, so where anything is known that differs
 * there is none:
 *
 *   1. TCP with a handshake: the sequence numbers that both copies know are equal (both, or one and the
 * counts alike).
 *   2. Without: payload totals are equal, bursts are the same within milliseconds, and
 *      a. the IP identification of the first packet of each direction is equal and the TTL differs by a few
 * hops at most; where only one direction was seen b. must hold as well; b. at one observation point: the copy
 * with the lower TTL is the later one, in both directions, by as many hops. For a relay this would take a
 * sender whose packets arrive with just a few hops more than the relay's own initial TTL.
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

/* Rule 1.  `a` begins not after b. */
static bool copy_by_isn(const struct flow *a, const struct flow *b)
{
	static const uint8_t bit[2] = {FLOW_SYN, FLOW_SYNACK};
	int known = 0, k = 0;

	for (int d = 0; d < 2; d++) {
		if (!(a->head.flags & b->head.flags & bit[d]))
			continue;
		if (a->head.isn[d] != b->head.isn[d])
			return false;
		known++;
	}
	if (known == 2)
		return apart(a->head.first_us, b->head.first_us) <= 2 * FAR_US;
	if (known == 0 || !starts_near(a, b) || !counts_alike(a, b))
		return false;
	/* A scanner may use one sequence number for all: without payload the TTL has to tell. */
	if (a->count[0].payload_bytes + a->count[1].payload_bytes == 0)
		return hops(a, b, 0, &k) && k > 0;
	return true;
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
	return f->head.proto == 6 && (f->head.flags & (FLOW_SYN | FLOW_SYNACK));
}

static bool key_isn(const struct flow *f, uint8_t flag, int d, uint64_t *key)
{
	*key = mix(f->head.isn[d], (uint64_t)d);
	return f->head.proto == 6 && (f->head.flags & flag);
}

static bool key_isn0(const struct flow *f, uint64_t *key)
{
	return key_isn(f, FLOW_SYN, 0, key);
}

static bool key_isn1(const struct flow *f, uint64_t *key)
{
	return key_isn(f, FLOW_SYNACK, 1, key);
}

static bool key_payload(const struct flow *f, uint64_t *key)
{
	*key = mix(mix(f->head.proto, f->count[0].payload_bytes), f->count[1].payload_bytes);
	*key = mix(*key, f->count[0].packets << 32 ^ f->count[1].packets);
	return !handshake_seen(f) && f->count[0].payload_bytes + f->count[1].payload_bytes > 0;
}

static int keyed_order(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->flow > y->flow) - (x->flow < y->flow);
}

/* Looks back at the flows before i that have its key, for the earliest of which it is a copy. Where
 * one of them has the same 5-tuple (another observation point), it is what that one is. */
static void mark(struct recording *r, const struct keyed *k, size_t i,
	bool (*copy)(const struct flow *, const struct flow *))
{
	struct flow *f = &r->flow[k[i].flow];

	for (size_t n = 1; n <= LOOK_BACK && n <= i && k[i - n].key == k[i].key; n++) {
		struct flow *g = &r->flow[k[i - n].flow];
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

static void pass(struct recording *r, struct keyed *k, bool (*key)(const struct flow *, uint64_t *),
	bool (*copy)(const struct flow *, const struct flow *))
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_flow; i++) {
		k[n].flow = i;
		n += !r->flow[i].rewrite_of && key(&r->flow[i], &k[n].key);
	}
	if (n > 1)
		qsort(k, n, sizeof(*k), keyed_order);
	for (size_t i = 1; i < n; i++)
		mark(r, k, i, copy);
}

enum status rewrite_mark(struct recording *r, struct err *e)
{
	struct keyed *k = malloc((r->n_flow + 1) * sizeof(*k));

	if (!k)
		return err_nomem(e);
	pass(r, k, key_isn0, copy_by_isn);
	pass(r, k, key_isn1, copy_by_isn);
	pass(r, k, key_payload, copy_by_train);
	for (size_t i = 0; i < r->n_flow;
		i++) { /* copies of copies: to the first one, which stands before them */
		struct flow *f = &r->flow[i];
		if (f->rewrite_of && f->rewrite_of->rewrite_of)
			f->rewrite_of = f->rewrite_of->rewrite_of;
		if (f->rewrite_of && tuple_equal(f, f->rewrite_of))
			f->rewrite_of = NULL;
	}
	free(k);
	return STATUS_OK;
}
