/* Inference against topologies that are known: small Internets, routes told and chosen one by one, the paths
 * that some networks see, and what is made of them.  And the paths of a real table against CAIDA's file of
 * the nearest date, where those are (see test_facts.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/rnd.h"
#include "links_kit.h"
#include "map/infer.h"
#include "map/load.h"

#define ROUNDS   20
#define MOST     160
#define CORE     5
#define SEEN_BY  16
#define PATH     24
#define ALL      (MOST * SEEN_BY)
#define FIRST_AS 64512

enum is { IS_NONE, IS_PROVIDER, IS_PEER, IS_CUSTOMER };
struct small {
	uint32_t n;
	uint8_t is[MOST][MOST]; /* what the second is to the first */
	/* The paths. */
	uint32_t as[MOST], at[ALL + 1], node[ALL * PATH];
	size_t n_path;
};

/* ---- a small Internet ---- */

static void join(struct small *w, uint32_t low, uint32_t high, bool peers)
{
	if (low == high || w->is[low][high] != IS_NONE)
		return;
	w->is[low][high] = peers ? IS_PEER : IS_PROVIDER;
	w->is[high][low] = peers ? IS_PEER : IS_CUSTOMER;
}

/* A core that peers, a fifth carriers, the others at the edge; carriers and some of the edge peer too. */
static void small_make(struct small *w)
{
	memset(w, 0, sizeof(*w));
	w->n = MOST / 2 + (uint32_t)kit_rnd(MOST / 2);
	uint32_t carriers = CORE + w->n / 5;
	for (uint32_t v = 0; v < w->n; v++) {
		uint32_t above = v < carriers ? v : carriers;
		for (uint32_t k = 0; k < v && v < CORE; k++)
			join(w, v, k, true);
		for (uint64_t k = 1 + kit_rnd(3); k > 0 && v >= CORE; k--)
			join(w, v, (uint32_t)kit_rnd(kit_rnd(3) ? above : CORE), false);
	}
	for (uint32_t k = 0; k < w->n / 4; k++)
		join(w, CORE + (uint32_t)kit_rnd(carriers - CORE),
			CORE + (uint32_t)kit_rnd(kit_rnd(4) ? carriers - CORE : w->n - CORE), true);
}

/* ---- who sees what ---- */

struct route {
	int class; /* 1 own, 2 of a customer, 3 of a peer, 4 of a provider; 0 none */
	uint32_t length, next;
};

static struct route choose(const struct small *w, const struct route *now, uint32_t v)
{
	static const int class_of[] = {[IS_NONE] = 0, [IS_PROVIDER] = 4, [IS_PEER] = 3, [IS_CUSTOMER] = 2};
	struct route best = {0};

	for (uint32_t k = 0; k < w->n; k++) {
		struct route r = {class_of[w->is[v][k]], now[k].length + 1, k};
		bool told = now[k].class && (now[k].class <= 2 || w->is[v][k] == IS_PROVIDER);
		if (w->is[v][k] == IS_NONE || !told)
			continue;
		if (!best.class || r.class < best.class || (r.class == best.class && r.length < best.length))
			best = r;
	}
	return best;
}

static void routes_to(const struct small *w, uint32_t target, struct route to[MOST])
{
	bool changed = true;

	memset(to, 0, MOST * sizeof(*to));
	to[target].class = 1;
	for (int i = 0; changed && i < 200; i++) {
		changed = false;
		for (uint32_t v = 0; v < w->n; v++) {
			struct route r = choose(w, to, v);
			if (v == target)
				continue;
			changed = changed || r.class != to[v].class || r.length != to[v].length ||
				  r.next != to[v].next;
			to[v] = r;
		}
	}
}

static void paths_see(struct small *w)
{
	struct route r[MOST];
	uint32_t eye[SEEN_BY];

	for (uint32_t i = 0; i < SEEN_BY; i++) /* collectors' peers: some of the core, carriers, the edge */
		eye[i] = (uint32_t)kit_rnd(i < 3 ? CORE : i < 10 ? w->n / 4 : w->n);
	for (uint32_t t = 0; t < w->n; t++) {
		w->as[t] = FIRST_AS + t;
		routes_to(w, t, r);
		for (uint32_t i = 0; i < SEEN_BY; i++) {
			uint32_t at = w->at[w->n_path];
			if (!r[eye[i]].class || r[eye[i]].length >= PATH)
				continue;
			for (uint32_t v = eye[i]; v != t; v = r[v].next)
				w->node[at++] = v;
			w->node[at++] = t;
			w->at[++w->n_path] = at;
		}
	}
}

static struct paths view_of(const struct small *w)
{
	return (struct paths){.as = w->as,
		.n_as = w->n,
		.path_at = w->at,
		.n_path = w->n_path,
		.path_as = w->node,
		.n_path_as = w->at[w->n_path]};
}

/* ---- how much of it is right ---- */

struct score {
	size_t said[2], right[2], is[2]; /* transit, peering: said; of these right; seen at all */
	size_t core_said, core_right, core_is;
};

static size_t part(size_t a, size_t of)
{
	return of ? 100 * a / of : 100;
}

static void score_links(struct score *s, const struct small *w, const struct links *l)
{
	static const enum is is_of[LINK_ROLES] = {IS_PROVIDER, IS_PEER, IS_CUSTOMER};

	for (int r = 0; r < LINK_ROLES; r++)
		for (uint32_t i = 0; i < l->n_as; i++)
			for (uint32_t k = l->row[r][i]; k < l->row[r][i + 1]; k++) {
				uint32_t v = l->as[i] - FIRST_AS, to = l->as[l->to[r][k]] - FIRST_AS;
				assert_true(v < w->n && to < w->n && w->is[v][to] != IS_NONE);
				s->said[r == LINK_PEERS]++;
				s->right[r == LINK_PEERS] += w->is[v][to] == is_of[r];
				s->is[w->is[v][to] == IS_PEER]++;
			}
	for (size_t i = 0; i < l->n_clique; i++)
		s->core_right += l->as[l->clique[i]] - FIRST_AS < CORE;
	s->core_said += l->n_clique;
	s->core_is += CORE;
}

static void test_random(void **state)
{
	struct small *w = malloc(sizeof(*w));
	struct score s = {0};

	(void)state;
	assert_non_null(w);
	for (int i = 0; i < ROUNDS; i++) {
		struct arena a = {0};
		struct links l;
		struct err e;
		small_make(w);
		paths_see(w);
		struct paths p = view_of(w);
		const struct paths *one = &p;
		assert_int_equal(infer_links(&l, &one, 1, &a, &e), STATUS_OK);
		score_links(&s, w, &l);
		arena_free(&a);
	}
	(void)printf("# transit: %zu %% of what is said is right, %zu %% of what there is found; peerings: "
		     "%zu %%, "
		     "%zu %%; core: %zu %%, %zu %%\n",
		part(s.right[0], s.said[0]), part(s.right[0], s.is[0]), part(s.right[1], s.said[1]),
		part(s.right[1], s.is[1]), part(s.core_right, s.core_said), part(s.core_right, s.core_is));
	assert_true(part(s.right[0], s.said[0]) >= 90 && part(s.right[0], s.is[0]) >= 90);
	assert_true(part(s.right[1], s.said[1]) >= 60 && part(s.right[1], s.is[1]) >= 60);
	assert_true(part(s.core_right, s.core_said) >= 80 && part(s.core_right, s.core_is) >= 80);
	free(w);
}

/* ---- a real table ---- */

/* The role of `to` for `as` in l, or LINK_ROLES. */
static enum link_role role_of(const struct links *l, uint32_t as, uint32_t to)
{
	uint32_t v = links_as(l, as), w = links_as(l, to);

	for (int r = 0; r < LINK_ROLES && v != NO_LINK && w != NO_LINK; r++)
		for (uint32_t k = l->row[r][v]; k < l->row[r][v + 1]; k++)
			if (l->to[r][k] == w)
				return (enum link_role)r;
	return LINK_ROLES;
}

/* [what CAIDA says is peering][what we say is] */
static void compare(const struct links *is, const struct links *l)
{
	size_t n[2][2] = {{0}}, turned = 0, unknown = 0, core = 0;

	for (int r = LINK_PROVIDERS; r <= LINK_PEERS; r++)
		for (uint32_t i = 0; i < l->n_as; i++)
			for (uint32_t k = l->row[r][i]; k < l->row[r][i + 1]; k++) {
				enum link_role real = role_of(is, l->as[i], l->as[l->to[r][k]]);
				if (r == LINK_PEERS && l->to[r][k] < i)
					continue;
				unknown += real == LINK_ROLES;
				turned += r == LINK_PROVIDERS && real == LINK_CUSTOMERS;
				if (real != LINK_ROLES && !(r == LINK_PROVIDERS && real == LINK_CUSTOMERS))
					n[real == LINK_PEERS][r == LINK_PEERS]++;
			}
	for (size_t i = 0; i < l->n_clique; i++)
		for (size_t k = 0; k < is->n_clique; k++)
			core += l->as[l->clique[i]] == is->as[is->clique[k]];
	size_t both = n[0][0] + n[0][1] + n[1][0] + n[1][1] + turned;
	(void)printf(
		"# links in both: %zu (%zu in the table only); the same is said of %zu %%: transit %zu, as "
		"peering %zu, turned round %zu; peerings %zu, as transit %zu; core: %zu of %zu are in "
		"CAIDA's %zu\n",
		both, unknown, part(n[0][0] + n[1][1], both), n[0][0], n[0][1], turned, n[1][1], n[1][0],
		core, l->n_clique, is->n_clique);
	assert_true(both > 1000 && part(n[0][0] + n[1][1], both) >= 80);
	assert_true(2 * core > l->n_clique);
}

static void test_real(void **state)
{
	char dir[] = "/tmp/weir-infer-XXXXXX", path[4096], command[64];
	const char *data = getenv("WEIR_SHARED_DATA"), *source = getenv("WEIR_SOURCE");
	struct load_file file = {.path = path};
	struct arena m = {0};
	struct links is, l;
	struct atlas_ask q = {0};
	struct atlas at;
	struct err e;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s%s/map/pyasn.rib.20140523.0600_firstMB.bz2",
		data     ? data
		: source ? source
			 : ".",
		data ? "" : "/../shared/data");
	if (access(path, R_OK) != 0 || !links_kit_file(&is, &m, "20150101.as-rel.txt.bz2")) {
		(void)printf("# no tables (set WEIR_SHARED_DATA)\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(map_load(dir, &world_real, &file, 1, 1, NULL, &e), STATUS_OK);
	assert_int_equal(atlas_open(&at, dir, &q, &e), STATUS_OK);
	assert_int_equal(infer_links(&l, at.paths, at.n_paths, &m, &e), STATUS_OK);
	compare(&is, &l);
	atlas_close(&at);
	arena_free(&m);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_real),
	};

	kit_seed("test_infer");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
