/* Hegemony against a slow second implementation on random tables: addresses are counted one block at a time,
 * each by the longest prefix that the session has there; shares, averages and trimming are done by hand. */
#include <math.h>

#include "../lib/rnd.h"
#include "map/depend.h"
#include "paths_kit.h"

enum { ROUNDS = 500, NETS = 24, SESSIONS = 14, PREFIXES = 18, BLOCKS = 64, SHEETS = 2 };
#define BLOCK_LEN 26 /* the smallest prefix made: 64 of them in a /20 */

struct world_of_routes {
	struct mrt_peer peer[SESSIONS];
	size_t n_peer;
	struct kit_route route[SESSIONS * PREFIXES];
	size_t n;
	struct sheet sheet;
	struct paths paths;
};

/* ---- making ---- */

static struct prefix random_prefix(bool v6)
{
	uint8_t b[16] = {198, 18};
	uint8_t len = (uint8_t)(20 + kit_rnd(BLOCK_LEN - 20 + 1));

	if (v6) {
		memcpy(b, "\x20\x01\x0d\xb8", 4);
		b[4] = (uint8_t)kit_rnd(4);
		len = (uint8_t)(kit_rnd(2) ? 32 : 40);
		struct ip ip = ip_v6(b);
		return prefix_of(&ip, len);
	}
	b[2] = (uint8_t)kit_rnd(16);
	b[3] = (uint8_t)kit_rnd(256);
	struct ip ip = ip_v4(b);
	return prefix_of(&ip, len);
}

static bool there(const struct prefix *p, size_t n, const struct prefix *x)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(&p[i], x, sizeof(*x)) == 0)
			return true;
	return false;
}

/* A path without a loop from the peer's network to the origin, some prepended. */
static void random_path(struct kit_route *r, uint32_t peer_asn, uint32_t origin)
{
	size_t between = kit_rnd(4);

	r->n_as = 0;
	r->as[r->n_as++] = peer_asn;
	for (size_t i = 0; i < between; i++) {
		uint32_t as = (uint32_t)(100 + kit_rnd(NETS));
		bool met = as == origin;
		for (size_t k = 0; k < r->n_as; k++)
			met = met || r->as[k] == as;
		if (!met)
			r->as[r->n_as++] = as;
	}
	if (origin != peer_asn)
		r->as[r->n_as++] = origin;
	if (kit_rnd(4) == 0) { /* prepended */
		r->as[r->n_as] = r->as[r->n_as - 1];
		r->n_as++;
	}
}

static void random_world(struct world_of_routes *w)
{
	struct prefix prefix[PREFIXES];
	uint32_t origin[PREFIXES];
	size_t n_prefix = 0;

	w->n = 0;
	w->n_peer = 1 + kit_rnd(SESSIONS);
	for (size_t i = 0; i < w->n_peer; i++) {
		uint8_t b[4] = {192, 0, 2, (uint8_t)i};
		w->peer[i] = (struct mrt_peer){.asn = (uint32_t)(100 + kit_rnd(NETS / 2)), .ip = ip_v4(b)};
	}
	for (size_t i = 0; i < PREFIXES; i++) {
		struct prefix p = random_prefix(kit_rnd(4) == 0);
		if (there(prefix, n_prefix, &p))
			continue;
		prefix[n_prefix] = p;
		origin[n_prefix++] = (uint32_t)(100 + kit_rnd(NETS));
	}
	for (size_t i = 0; i < n_prefix; i++)
		for (uint32_t s = 0; s < w->n_peer; s++) {
			struct kit_route *r = &w->route[w->n];
			if (kit_rnd(4) == 0)
				continue;
			r->peer = s;
			r->prefix = prefix[i];
			random_path(
				r, w->peer[s].asn, kit_rnd(8) ? origin[i] : (uint32_t)(100 + kit_rnd(NETS)));
			w->n++;
		}
	kit_paths(&w->sheet, &w->paths, w->peer, w->n_peer, w->route, w->n);
}

/* ---- the slow reference ---- */

struct slow {
	double share[NETS + 100]; /* by AS number */
	uint32_t peers[NETS + 100];
	uint32_t n_peer_as, n_session;
};

static uint32_t origin_of(const struct kit_route *r)
{
	return r->as[r->n_as - 1];
}

/* Blocks of BLOCK_LEN that the route has and no more specific one of its session. */
static double weight_of(const struct world_of_routes *w, const struct kit_route *r)
{
	double blocks = 0;

	if (r->prefix.ip.v == 6)
		return 1;
	for (unsigned k = 0; k < 16 * 4; k++) {
		uint8_t b[4] = {198, 18, (uint8_t)(k / 4), (uint8_t)(k % 4 * 64)};
		struct ip ip = ip_v4(b);
		bool is = prefix_has(&r->prefix, &ip);
		for (size_t i = 0; i < w->n && is; i++)
			is = !(w->route[i].peer == r->peer && w->route[i].prefix.len > r->prefix.len &&
				prefix_has(&w->route[i].prefix, &ip));
		blocks += is;
	}
	return blocks;
}

static bool wanted(const struct kit_route *r, const struct depend_ask *q)
{
	if (r->prefix.ip.v != q->family)
		return false;
	for (size_t i = 0; i < q->n_asn; i++)
		if (origin_of(r) == q->asn[i])
			return true;
	return there(q->prefix, q->n_prefix, &r->prefix);
}

/* Is the network, or one of its group, on the path, the origin apart? */
static bool on_path(const struct kit_route *r, uint32_t number, const struct depend_ask *q)
{
	for (size_t k = 0; k < r->n_as; k++)
		if (r->as[k] != origin_of(r) && (q->group ? q->group(q->self, r->as[k]) : r->as[k]) == number)
			return true;
	return false;
}

/* What one session says of one network; false where it sees nothing of the scope. */
static bool session_share(
	double *to, const struct world_of_routes *w, uint32_t s, uint32_t number, const struct depend_ask *q)
{
	double all = 0, on = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct kit_route *r = &w->route[i];
		if (r->peer != s || !wanted(r, q))
			continue;
		double x = weight_of(w, r);
		all += x;
		on += on_path(r, number, q) ? x : 0;
	}
	*to = all > 0 ? on / all : 0;
	return all > 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double slow_share(const struct world_of_routes *w, size_t n, uint32_t number,
	const struct depend_ask *q, uint32_t *n_peer_as)
{
	double value[NETS + 100];
	size_t many = 0;

	for (uint32_t asn = 100; asn < 100 + NETS; asn++) {
		double sum = 0;
		size_t sessions = 0;
		for (size_t i = 0; i < n; i++)
			for (uint32_t s = 0; s < w[i].n_peer; s++) {
				double x;
				if (w[i].peer[s].asn == asn && session_share(&x, &w[i], s, number, q)) {
					sum += x;
					sessions++;
				}
			}
		if (sessions)
			value[many++] = sum / (double)sessions;
	}
	*n_peer_as = (uint32_t)many;
	qsort(value, many, sizeof(*value), by_value);
	size_t cut = many / 10;
	double sum = 0;
	for (size_t i = cut; i < many - cut; i++)
		sum += value[i];
	return many ? sum / (double)(many - 2 * cut) : 0;
}

static uint32_t thirds(void *self, uint32_t asn)
{
	(void)self;
	return asn % 4; /* 0: of no group */
}

static double found(const struct depend *d, uint32_t number)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->row[i].asn == number)
			return d->row[i].share;
	return 0;
}

/* ---- the tests ---- */

static void worlds_free(struct world_of_routes *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sheet_close(&w[i].sheet);
}

static void rows_right(const struct depend *d, const struct world_of_routes *w, size_t n,
	const struct depend_ask *q, uint32_t from, uint32_t to)
{
	uint32_t peers = 0;

	for (uint32_t x = from; x < to; x++) {
		double slow = slow_share(w, n, x, q, &peers);
		assert_true(fabs(slow - found(d, x)) < 1e-9);
	}
	assert_int_equal(d->n_peer_as, peers);
	for (size_t i = 1; i < d->n; i++)
		assert_true(d->row[i - 1].share >= d->row[i].share);
}

/* Alone, and by one walk with groups. */
static void check(const struct world_of_routes *w, size_t n, const struct depend_ask *q)
{
	const struct paths *p[SHEETS];
	struct depend_ask ways[3] = {*q, *q, *q};
	struct arena a = {0};
	struct depend d[3], alone;
	struct err e;

	for (size_t i = 0; i < n; i++)
		p[i] = &w[i].paths;
	ways[1].group = thirds;
	assert_int_equal(depend_on(&alone, p, n, q, &a, &e), STATUS_OK);
	assert_int_equal(depend_groups(d, ways, 3, p, n, &a, &e), STATUS_OK);
	rows_right(&alone, w, n, q, 100, 100 + NETS);
	rows_right(&d[0], w, n, q, 100, 100 + NETS);
	rows_right(&d[1], w, n, &ways[1], 1, 4);
	assert_int_equal(d[2].n, alone.n);
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(d[k].n_prefix, alone.n_prefix);
		assert_int_equal(d[k].n_peer_as_all, alone.n_peer_as_all);
	}
	for (size_t i = 0; i < alone.n; i++)
		assert_memory_equal(&d[2].row[i], &alone.row[i], sizeof(alone.row[i]));
	arena_free(&a);
}

static void test_on(void **state)
{
	static struct world_of_routes w[SHEETS];

	(void)state;
	kit_seed("depend on");
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = 1 + kit_rnd(SHEETS);
		for (size_t i = 0; i < n; i++)
			random_world(&w[i]);
		uint32_t asn[3] = {(uint32_t)(100 + kit_rnd(NETS)), (uint32_t)(100 + kit_rnd(NETS))};
		struct depend_ask q = {.asn = asn, .n_asn = kit_rnd(3), .family = kit_rnd(3) ? 4 : 6};
		struct prefix one = w[0].n ? w[0].route[kit_rnd(w[0].n)].prefix : random_prefix(false);
		if (q.n_asn == 0 || kit_rnd(3) == 0) {
			q.prefix = &one;
			q.n_prefix = 1;
		}
		check(w, n, &q);
		worlds_free(w, n);
	}
}

/* depend_from() says of each origin what depend_on() says of the network. */
static void test_from(void **state)
{
	static struct world_of_routes w[SHEETS];
	const struct paths *p[SHEETS] = {&w[0].paths, &w[1].paths};

	(void)state;
	kit_seed("depend from");
	for (int round = 0; round < ROUNDS; round++) {
		struct arena a = {0};
		struct depend d;
		struct err e;
		uint32_t peers, x = (uint32_t)(100 + kit_rnd(NETS));
		for (size_t i = 0; i < SHEETS; i++)
			random_world(&w[i]);
		assert_int_equal(depend_from(&d, p, SHEETS, x, 4, 0, &a, &e), STATUS_OK);
		for (uint32_t origin = 100; origin < 100 + NETS; origin++) {
			struct depend_ask q = {.asn = &origin, .n_asn = 1, .family = 4};
			double slow = slow_share(w, SHEETS, x, &q, &peers);
			assert_true(fabs(slow - found(&d, origin)) < 1e-9);
		}
		arena_free(&a);
		worlds_free(w, SHEETS);
	}
}

/* The neighbours of an origin, and who sees them, counted by hand. */
static void test_upstreams(void **state)
{
	static struct world_of_routes w;
	const struct paths *p = &w.paths;

	(void)state;
	kit_seed("upstreams");
	for (int round = 0; round < ROUNDS; round++) {
		struct arena a = {0};
		struct upstream *u;
		struct err e;
		size_t n;
		uint32_t asn = (uint32_t)(100 + kit_rnd(NETS));
		random_world(&w);
		struct prefix one = w.n ? w.route[kit_rnd(w.n)].prefix : random_prefix(false);
		struct upstream_ask q = {&asn, 1, kit_rnd(2) ? &one : NULL};
		assert_int_equal(depend_upstreams(&u, &n, &p, 1, &q, &a, &e), STATUS_OK);
		for (uint32_t x = 100; x < 100 + NETS; x++) {
			bool by[NETS + 100] = {false};
			uint32_t peers = 0, told = 0;
			for (size_t i = 0; i < w.n; i++) {
				const struct kit_route *r = &w.route[i];
				size_t k = r->n_as - 1;
				if (origin_of(r) != asn ||
					(q.prefix && memcmp(&r->prefix, q.prefix, sizeof(one)) != 0))
					continue;
				while (k > 0 && r->as[k] == asn)
					k--;
				if (r->as[k] == x && x != asn)
					by[w.peer[r->peer].asn] = true;
			}
			for (size_t i = 0; i < NETS + 100; i++)
				peers += by[i];
			for (size_t i = 0; i < n; i++)
				told += u[i].asn == x ? u[i].n_peer_as : 0;
			assert_int_equal(told, peers);
		}
		arena_free(&a);
		sheet_close(&w.sheet);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on), cmocka_unit_test(test_from), cmocka_unit_test(test_upstreams)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
