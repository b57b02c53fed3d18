/* Inferred relationships that are kept: the second question is answered from the file and is the same; other
 * tables, damage, a forgotten table and a machine that fails are told apart from what the file is for. */
#include "sheet_kit.h"

#include "../lib/rnd.h"
#include "map/infer.h"
#include "map/inferred.h"
#include "map/isolate.h"
#include "map/load.h"
#include "mrt_kit.h"

enum { NETWORKS = 60, PEERS = 7, PREFIXES = 90, HOPS = 6, T0 = 1419206400, DAY = 86400, ROUNDS = 8 };

/* ---- tables ---- */

static void put_random_path(struct buf *b, uint32_t peer)
{
	struct buf path = {0};
	uint32_t at = peer, n = 2 + (uint32_t)kit_rnd(HOPS - 2);

	buf_u8(&path, 2);
	buf_u8(&path, (uint8_t)n);
	for (uint32_t i = 0; i < n; i++) {
		put32(&path, 64512 + at);
		at = (at + 1 + (uint32_t)kit_rnd(NETWORKS / HOPS)) % NETWORKS; /* no loop */
	}
	put_attr(b, 2, path.p, path.n);
	buf_free(&path);
}

static void put_prefix(struct buf *b, uint32_t time, unsigned k)
{
	size_t at = record_begin(b, 13, 2);

	set32(b, at, time);
	put32(b, k);
	buf_put(b, "\x18\xc6\x12", 3);
	buf_u8(b, (uint8_t)k);
	put16(b, PEERS);
	for (unsigned i = 0; i < PEERS; i++) {
		put16(b, i);
		put32(b, time);
		size_t attr = b->n;
		put16(b, 0);
		put_attr(b, 1, "", 1);
		put_random_path(b, i);
		set16(b, attr, (unsigned)(b->n - attr - 2));
	}
	record_end(b, at);
}

/* A random table of that time, loaded; its id. */
static void table_load(const char *dir, uint32_t time, char id[SHEET_ID])
{
	struct buf b = {0};
	char path[4200];
	struct err e = {0};
	size_t at = record_begin(&b, 13, 1);

	set32(&b, at, time);
	put32(&b, 0xc0000201);
	put16(&b, 0);
	put16(&b, PEERS);
	for (unsigned i = 0; i < PEERS; i++) {
		buf_u8(&b, 2);
		put32(&b, 0xc6336401 + i);
		put32(&b, 0xc6336401 + i);
		put32(&b, 64512 + i);
	}
	record_end(&b, at);
	for (unsigned k = 0; k < PREFIXES; k++)
		put_prefix(&b, time, k);
	kit_file(path, dir, "table");
	kit_spill(path, b.p, b.n);
	buf_free(&b);
	struct load_file f = {.path = path};
	if (map_load(dir, &world_real, &f, 1, 1, NULL, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	memcpy(id, f.id, SHEET_ID);
}

/* ---- the graph of a question ---- */

static void same(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
	assert_int_equal(n_a, n_b);
	if (n_a)
		assert_memory_equal(a, b, n_a * sizeof(*a));
}

/* Is the chart the one of `l`? */
static void is_chart_of(const struct chart *c, const struct links *l)
{
	const struct graph *g = &c->graph;
	size_t core = 0;

	assert_true(c->inferred);
	same(g->asn, g->n, l->as, l->n_as);
	for (int r = 0; r < LINK_ROLES; r++) {
		same(g->row[r], g->n + 1, l->row[r], l->n_as + 1);
		same(g->to[r], g->row[r][g->n], l->to[r], l->n_to[r]);
	}
	for (size_t i = 0; i < l->n_clique; i++)
		core += g->is_core[l->clique[i]];
	assert_true(l->n_clique == 0 || (core == l->n_clique && g->n_core == core));
}

/* The chart as a command makes it, against what is inferred here and now. */
static void ask_of(const char *dir, const struct atlas_ask *q)
{
	struct arena a = {0};
	struct err e = {0};
	struct atlas at;
	struct chart c;
	struct links l;

	assert_int_equal(atlas_open(&at, dir, q, &e), STATUS_OK);
	assert_int_equal(infer_links(&l, at.paths, at.n_paths, &a, &e), STATUS_OK);
	if (chart_make(&c, &at, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	is_chart_of(&c, &l);
	atlas_close(&at); /* what was read is the arena's */
	is_chart_of(&c, &l);
	arena_free(&a);
}

static void ask(const char *dir)
{
	ask_of(dir, &(struct atlas_ask){0});
}

static size_t kept(const char *dir, const char *suffix)
{
	char map[4200];

	kit_file(map, dir, "map");
	return kit_count(map, suffix);
}

/* The one kept file. */
static void kept_path(char to[4300], const char *dir)
{
	char cmd[4300];

	(void)snprintf(cmd, sizeof(cmd), "ls %s/map/*.inferred", dir);
	FILE *f = popen(cmd, "r");
	assert_non_null(f);
	assert_non_null(fgets(to, 4300, f));
	assert_int_equal(pclose(f), 0);
	to[strcspn(to, "\n")] = '\0';
}

/* ---- tests ---- */

static void test_same(void **state)
{
	char id[SHEET_ID];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		char *dir = kit_dir();
		table_load(dir, T0, id);
		assert_int_equal(kept(dir, ".inferred"), 0);
		ask(dir);
		assert_int_equal(kept(dir, ".inferred"), 1);
		ask(dir);
		table_load(dir, T0 + DAY, id); /* both tables together: another question */
		ask(dir);
		assert_int_equal(kept(dir, ".inferred"), 2);
		ask_of(dir, &(struct atlas_ask){.within_days = 7});
		assert_int_equal(kept(dir, ".inferred"), 2);
		ask_of(dir, &(struct atlas_ask){.at = {(int64_t)T0 * SECOND_US}});
		assert_int_equal(kept(dir, ".inferred"), 2);
		assert_int_equal(kept(dir, ".part"), 0);
		kit_dir_free(dir);
	}
}

/* The answer is the file's: another file under its name, well made, is another answer. */
static void test_is_read(void **state)
{
	char *dir = kit_dir(), path[4300], id[SHEET_ID];
	struct err e = {0};
	struct arena a = {0};
	struct sheet s;
	struct atlas at;
	struct chart c;
	struct links other;
	struct links_counts counts;
	struct link_line line[] = {{64512, 64513, -1}, {64513, 64514, -1}};
	size_t n;

	(void)state;
	table_load(dir, T0, id);
	ask(dir);
	kept_path(path, dir);
	assert_int_equal(sheet_open(&s, path, &e), STATUS_OK);
	const void *from = sheet_section(&s, SHEET_TAG('F', 'R', 'O', 'M'), 16, &n);
	assert_int_equal(n, 1);
	assert_int_equal(links_make(&other, line, 2, NULL, 0, NULL, 0, &counts, &a, &e), STATUS_OK);
	for (int wrong = 1; wrong >= 0; wrong--) { /* of other tables it is not taken */
		struct id one;
		memcpy(&one, from, sizeof(one));
		one.b[0] ^= (uint8_t)wrong;
		struct sheet_out *o = sheet_begin(&world_real, path, SHEET_LINKS, &e);
		assert_non_null(o);
		assert_int_equal(links_put(o, &other, &e), STATUS_OK);
		assert_int_equal(
			sheet_put(o, SHEET_TAG('F', 'R', 'O', 'M'), &one, sizeof(one), &e), STATUS_OK);
		assert_int_equal(sheet_finish(o, &e), STATUS_OK);
		if (wrong)
			ask(dir);
	}
	assert_int_equal(atlas_open(&at, dir, NULL, &e), STATUS_OK);
	assert_int_equal(chart_make(&c, &at, &a, &e), STATUS_OK);
	is_chart_of(&c, &other);
	atlas_close(&at);
	sheet_close(&s);
	arena_free(&a);
	kit_dir_free(dir);
}

/* A flipped bit, a cut, something else: never an answer, and whole again behind it. */
static void test_damaged(void **state)
{
	char *dir = kit_dir(), path[4300], id[SHEET_ID];
	size_t n, m;

	(void)state;
	table_load(dir, T0, id);
	ask(dir);
	kept_path(path, dir);
	uint8_t *whole = kit_slurp(path, &n);
	for (int i = 0; i < 60; i++) {
		uint8_t *p = kit_slurp(path, &m);
		assert_int_equal(m, n);
		assert_memory_equal(p, whole, n);
		if (i % 3 == 0)
			m = kit_rnd(n);
		else
			p[i < 30 ? kit_rnd(400) : kit_rnd(n)] ^= (uint8_t)(1U << kit_rnd(8));
		kit_spill(path, p, m);
		free(p);
		ask(dir);
		if (i % 3)
			kit_spill(
				path, whole, n); /* what no sum covers, between sections, may stay flipped */
	}
	free(whole);
	kit_dir_free(dir);
}

/* What was inferred from a table that is forgotten goes with it; the rest stays. */
static void test_forgotten(void **state)
{
	char *dir = kit_dir(), first[SHEET_ID], second[SHEET_ID], path[4200];
	struct err e = {0};

	(void)state;
	table_load(dir, T0, first);
	ask(dir);
	table_load(dir, T0 + DAY, second);
	ask(dir);
	kit_file(path, dir, "map/0123456789abcdef0123456789abcdef.inferred");
	kit_spill(path, (const uint8_t *)"no sheet", 8);
	kit_file(path, dir, "map/0123456789abcdef0123456789abcdef.inferred.part");
	kit_spill(path, (const uint8_t *)"begun", 5);
	assert_int_equal(map_forget(dir, &world_real, second, &e), STATUS_OK);
	assert_int_equal(kept(dir, ".inferred.*"), 1);
	ask(dir);
	assert_int_equal(kept(dir, ".inferred"), 1);
	assert_int_equal(map_forget(dir, &world_real, first, &e), STATUS_OK);
	assert_int_equal(kept(dir, ".inferred.*"), 0);
	kit_dir_free(dir);
}

/* Whatever fails while it is kept: the answer is there, and no half of a file under its name.  Where the
 * command dies the next one answers. */
static void test_broken_world(void **state)
{
	char *dir = kit_dir(), cmd[4300], id[SHEET_ID];
	struct kit_world k = {0};
	struct world w = kit_world_of(&k);

	(void)state;
	table_load(dir, T0, id);
	ask_of(dir, &(struct atlas_ask){.w = &w});
	uint64_t all = k.count;
	assert_true(all > 10);
	(void)snprintf(cmd, sizeof(cmd), "rm %s/map/*.inferred", dir);
	for (int dies = 0; dies < 2; dies++)
		for (uint64_t at = 1; at <= all; at++) {
			assert_int_equal(system(cmd), 0); /* NOLINT(cert-env33-c) */
			pid_t pid = fork();
			assert_true(pid >= 0);
			k = (struct kit_world){.at = at, .die = dies, .half = at % 2};
			if (pid == 0) {
				ask_of(dir, &(struct atlas_ask){.w = &w});
				_exit(k.broke ? 41 : 1);
			}
			int status;
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(WEXITSTATUS(status), dies ? 42 : 41);
			ask(dir);
			assert_int_equal(kept(dir, ".inferred"), 1);
		}
	kit_dir_free(dir);
}

/* While somebody loads nothing is kept, and nobody waits. */
static void test_locked(void **state)
{
	char *dir = kit_dir(), id[SHEET_ID];
	struct err e = {0};

	(void)state;
	table_load(dir, T0, id);
	int lock = list_lock(dir, &world_real, &e);
	assert_true(lock >= 0);
	ask(dir);
	assert_int_equal(kept(dir, ".inferred.*"), 0);
	(void)close(lock);
	ask(dir);
	assert_int_equal(kept(dir, ".inferred"), 1);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_is_read),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_broken_world),
		cmocka_unit_test(test_locked),
	};

	kit_seed("test_inferred");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
