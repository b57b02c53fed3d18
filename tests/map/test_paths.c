/* Routes into a sheet and back, against a slow second implementation: a list of what was said, of which the
 * last word about each session, prefix and path identifier is searched by going through all of it.  Random
 * tables (in order and not), updates in any order of time, two files whose peers are numbered differently,
 * add-path, paths of 2-octet numbers, with prepends, sets, loops. */
#include "sheet_kit.h"

#include "map/paths.h"

enum { ROUNDS = 150, SAID = 600, PEERS = 6, LONGEST = 7, BYTES = 128 };

struct said {
	uint32_t peer, path_id;
	struct prefix prefix;
	int64_t at;
	bool table, withdrawn, two_octet;
	uint8_t attr[BYTES];
	size_t n_attr;
	uint32_t as[LONGEST]; /* what is to come of it, prepends once; n_as 0: left out */
	size_t n_as;
	bool dead; /* older than the table */
};

static struct mrt_peer peer[PEERS];

static struct prefix random_prefix(unsigned many)
{
	uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8, (uint8_t)kit_rnd(many), 0, 0, (uint8_t)kit_rnd(2)};
	uint8_t c[4] = {198, 18, (uint8_t)kit_rnd(many), 0};
	struct ip ip = kit_rnd(2) ? ip_v4(c) : ip_v6(b);

	return prefix_of(&ip, (uint8_t)(ip.v == 4 ? 22 + kit_rnd(3) : 40 + 24 * kit_rnd(2) + kit_rnd(2)));
}

static size_t put_as(uint8_t *to, uint32_t as, bool two)
{
	size_t n = 0;

	for (int shift = two ? 8 : 24; shift >= 0; shift -= 8)
		to[n++] = (uint8_t)(as >> shift);
	return n;
}

/* A path: a sequence with prepends, now and then a set behind it, or a loop. */
static void random_path(struct said *s)
{
	uint8_t seq[BYTES], set[16];
	size_t n = 0, k = 0, m = 0;
	uint32_t members = 0;

	s->n_as = 1 + kit_rnd(LONGEST);
	s->as[0] = peer[s->peer].asn;
	for (size_t i = 0; i < s->n_as; i++) {
		s->as[i] = i ? (uint32_t)(1000 * i + kit_rnd(3)) : s->as[0];
		for (uint64_t times = kit_rnd(4) ? 1 : 3; times > 0; times--, members++)
			n += put_as(seq + n, s->as[i], s->two_octet);
	}
	uint64_t kind = kit_rnd(12);
	if (kind == 0 && s->n_as > 2) { /* the first again at the end */
		n += put_as(seq + n, s->as[0], s->two_octet);
		members++;
		s->n_as = 0;
	} else if (kind == 1) {
		m += put_as(set + m, 7001, s->two_octet);
		m += put_as(set + m, 7002, s->two_octet);
	}
	memcpy(s->attr, "\x40\x01\x01\x00\x40\x02", 6);
	k = 6;
	s->attr[k++] = (uint8_t)(2 + n + (m ? 2 + m : 0));
	s->attr[k++] = 2;
	s->attr[k++] = (uint8_t)members;
	memcpy(s->attr + k, seq, n);
	k += n;
	if (m) {
		s->attr[k++] = 1;
		s->attr[k++] = 2;
		memcpy(s->attr + k, set, m);
		k += m;
	}
	s->n_attr = k;
}

static int said_order(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	struct map_prefix p = map_prefix_of(&x->prefix), q = map_prefix_of(&y->prefix);

	if (p.v != q.v)
		return (int)p.v - (int)q.v;
	if (p.hi != q.hi)
		return p.hi < q.hi ? -1 : 1;
	return (int)p.len - (int)q.len;
}

/* A table (in order or not), then updates. */
static size_t random_said(struct said *s, bool ordered, bool add_path, int64_t table_at)
{
	size_t n = 50 + kit_rnd(SAID - 50), table = kit_rnd(n);
	unsigned many = 2 + (unsigned)kit_rnd(40);

	for (size_t i = 0; i < n; i++) {
		s[i] = (struct said){.peer = (uint32_t)kit_rnd(PEERS),
			.prefix = random_prefix(many),
			.table = i < table,
			.at = i < table ? table_at : (int64_t)kit_rnd(100)};
		s[i].path_id = add_path ? (uint32_t)kit_rnd(3) : 0;
		s[i].withdrawn = !s[i].table && kit_rnd(3) == 0;
		s[i].two_octet = kit_rnd(5) == 0;
		if (!s[i].withdrawn)
			random_path(&s[i]);
	}
	if (ordered)
		qsort(s, table, sizeof(*s), said_order);
	bool in_table[PEERS] = {false};
	for (size_t i = 0; i < table; i++)
		in_table[s[i].peer] = true;
	for (size_t i = table; i < n; i++)
		s[i].dead = in_table[s[i].peer] && s[i].at < table_at;
	return n;
}

/* What the last word about each route is: marks in `last`.  The table is the word at its own time; a path
 * that is left out of the table is no word at all. */
static void slow_last(const struct said *s, size_t n, bool *last)
{
	for (size_t i = 0; i < n; i++) {
		last[i] = !s[i].withdrawn && s[i].n_as > 0 && !s[i].dead;
		for (size_t k = 0; k < n && last[i]; k++) {
			bool same = s[k].peer == s[i].peer && s[k].path_id == s[i].path_id && !s[k].dead &&
				    said_order(&s[k], &s[i]) == 0 && !(s[k].table && s[k].n_as == 0);
			bool later = s[k].table != s[i].table ? s[i].table
				     : s[k].at != s[i].at     ? s[k].at > s[i].at
							      : k > i;
			if (same && later)
				last[i] = false;
		}
	}
}

/* Second file: the peers the other way round. */
static void feed(struct paths_build *b, const struct said *s, size_t n, int64_t table_at)
{
	struct mrt_peer turned[PEERS];
	struct err e = {0};
	bool second = false;

	for (size_t i = 0; i < PEERS; i++)
		turned[i] = peer[PEERS - 1 - i];
	for (size_t i = 0; i < n; i++) {
		struct mrt_route r = {.peer = s[i].peer,
			.path_id = s[i].path_id,
			.prefix = s[i].prefix,
			.at = {s[i].at},
			.two_octet = s[i].two_octet,
			.table_dump_v2 = s[i].table,
			.withdrawn = s[i].withdrawn,
			.attr = rd_of(s[i].attr, s[i].n_attr)};
		if (!s[i].table && !second) {
			paths_build_file(b);
			second = true;
		}
		r.peer = second ? PEERS - 1 - r.peer : r.peer;
		paths_build_record(b, s[i].table, (struct wall){s[i].table ? table_at : s[i].at});
		assert_int_equal(paths_build_add(b, &r, 1, second ? turned : peer, PEERS, &e), STATUS_OK);
	}
}

static bool has_route(const struct paths *p, const struct said *s)
{
	uint32_t k = paths_prefix(p, &s->prefix);

	if (k == NO_INDEX32)
		return false;
	for (uint64_t i = p->route_at[k]; i < p->route_at[k + 1]; i++) {
		const struct paths_session *from = &p->session[p->route_session[i]];
		size_t n;
		const uint32_t *as = paths_path(p, p->route_path[i], &n);
		bool same = from->asn == peer[s->peer].asn && memcmp(from->ip, peer[s->peer].ip.b, 16) == 0 &&
			    n == s->n_as;
		for (size_t a = 0; same && a < n; a++)
			same = p->as[as[a]] == s->as[a];
		if (same)
			return true;
	}
	return false;
}

/* Origins of a prefix by hand. */
static void check_origins(const struct paths *p, const struct said *s, size_t n, const bool *last)
{
	for (uint32_t k = 0; k < p->n_prefix; k++) {
		struct prefix is = map_prefix_ip(&p->prefix[k]);
		uint32_t asn[SAID] = {0}, count[SAID] = {0}, best = 0;
		size_t many = 0, said;
		for (size_t i = 0; i < n; i++) {
			if (!last[i] || said_order(&s[i], &(struct said){.prefix = is}) != 0)
				continue;
			size_t a = 0;
			while (a < many && asn[a] != s[i].as[s[i].n_as - 1])
				a++;
			asn[a] = s[i].as[s[i].n_as - 1];
			count[a] = a == many ? 1 : count[a] + 1;
			many += a == many;
		}
		for (uint32_t a = 1; a < many; a++)
			if (count[a] > count[best] || (count[a] == count[best] && asn[a] < asn[best]))
				best = a;
		uint32_t got = paths_origin(p, k, &said);
		assert_int_equal(said, many);
		assert_int_equal(p->as[got], asn[best]);
		for (size_t a = 0; a < many; a++) {
			uint32_t as = paths_as(p, asn[a]);
			bool there = false;
			for (uint32_t i = p->origin_at[as]; i < p->origin_at[as + 1]; i++)
				there = there || p->origin_prefix[i] == k;
			assert_true(there);
		}
	}
}

static void open_built(struct paths_build *b, const char *path, struct sheet *s, struct paths *p)
{
	struct err e = {0};
	struct sheet_out *o = sheet_begin(&world_real, path, SHEET_PATHS, &e);

	assert_non_null(o);
	if (paths_build_write(b, o, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	assert_int_equal(sheet_finish(o, &e), STATUS_OK);
	assert_int_equal(sheet_open(s, path, &e), STATUS_OK);
	if (paths_view(p, s, &e) != STATUS_OK)
		fail_msg("%s", e.text);
}

static void test_random(void **state)
{
	static struct said s[SAID];
	static bool last[SAID];
	char *dir = kit_dir(), path[4200];
	uint64_t aged = 0, loops = 0, sets = 0;

	(void)state;
	kit_file(path, dir, "paths");
	for (int round = 0; round < ROUNDS; round++) {
		int64_t table_at = (int64_t)kit_rnd(100);
		size_t n = random_said(s, kit_rnd(2), kit_rnd(3) == 0, table_at), want = 0, dead = 0;
		struct paths_build *b = paths_build_new();
		struct sheet sheet;
		struct paths p;
		assert_non_null(b);
		feed(b, s, n, table_at);
		slow_last(s, n, last);
		open_built(b, path, &sheet, &p);
		for (size_t i = 0; i < n; i++) {
			want += last[i];
			dead += s[i].dead;
			if (last[i] && !has_route(&p, &s[i]))
				fail_msg("round %d: route %zu of %zu is not there (table %d, at %lld, table "
					 "at %lld, peer %u, path id %u, of 2 octets %d, networks %zu)",
					round, i, n, s[i].table, (long long)s[i].at, (long long)table_at,
					s[i].peer, s[i].path_id, s[i].two_octet, s[i].n_as);
		}
		assert_int_equal(p.n_route, want);
		assert_int_equal(paths_build_counts(b)->aged, dead);
		for (size_t k = 1; k < p.n_prefix; k++)
			assert_true(said_order(&(struct said){.prefix = map_prefix_ip(&p.prefix[k - 1])},
					    &(struct said){.prefix = map_prefix_ip(&p.prefix[k])}) < 0);
		for (size_t k = 0; k < p.n_prefix; k++)
			assert_true(p.route_at[k] < p.route_at[k + 1]);
		check_origins(&p, s, n, last);
		aged += paths_build_counts(b)->aged;
		loops += paths_build_counts(b)->loop;
		sets += paths_build_counts(b)->as_set;
		sheet_close(&sheet);
		paths_build_free(b);
	}
	assert_true(aged > 100 && loops > 100 && sets > 100);
	kit_dir_free(dir);
}

/* Paths that differ in prepends only are one path. */
static void test_paths_once(void **state)
{
	static const uint8_t plain[] = "\x40\x02\x0a\x02\x02\x00\x00\xfb\xf4\x00\x00\xfb\xf5";
	static const uint8_t prepended[] =
		"\x40\x02\x0e\x02\x03\x00\x00\xfb\xf4\x00\x00\xfb\xf5\x00\x00\xfb\xf5";
	static const uint8_t segments[] = "\x40\x02\x0c\x02\x01\x00\x00\xfb\xf4\x02\x01\x00\x00\xfb\xf5";
	const struct {
		const uint8_t *p;
		size_t n;
	} of[] = {{prepended, sizeof(prepended) - 1}, {plain, sizeof(plain) - 1},
		{segments, sizeof(segments) - 1}};
	char *dir = kit_dir(), path[4200];
	struct paths_build *b = paths_build_new();
	struct err e = {0};
	struct sheet s;
	struct paths p;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct mrt_route r = {.peer = i, .attr = rd_of(of[i].p, of[i].n), .table_dump_v2 = true};
		assert_true(prefix_parse(&r.prefix, "198.18.0.0/24"));
		assert_int_equal(paths_build_add(b, &r, 1, peer, PEERS, &e), STATUS_OK);
	}
	kit_file(path, dir, "paths");
	open_built(b, path, &s, &p);
	assert_int_equal(p.n_route, 3);
	assert_int_equal(p.n_path, 1);
	assert_int_equal(p.n_path_as, 2);
	sheet_close(&s);
	paths_build_free(b);
	kit_dir_free(dir);
}

static void test_origins(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t asn;
	} said[] = {{"198.18.4.0/24", 64501}, {"198.18.0.0/15", 64500}, {"198.18.4.0/24", 64502},
		{"2001:db8::/32", 64500}, {"198.18.4.0/24", 64501}};
	char *dir = kit_dir(), path[4200];
	struct paths_build *b = paths_build_new();
	struct err e = {0};
	struct sheet s;
	struct paths p;
	struct prefix q;
	struct ip ip;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		assert_true(prefix_parse(&q, said[i].prefix));
		assert_int_equal(paths_build_origin(b, &q, said[i].asn, &e), STATUS_OK);
	}
	kit_file(path, dir, "origins");
	open_built(b, path, &s, &p);
	assert_int_equal(p.n_prefix, 3);
	assert_int_equal(p.n_route + p.n_session + p.n_path, 0);
	assert_true(ip_parse(&ip, "198.18.4.9"));
	assert_int_equal(p.as[paths_origin(&p, paths_longest(&p, &ip), &n)], 64501);
	assert_int_equal(n, 2);
	assert_true(ip_parse(&ip, "198.19.4.9"));
	assert_int_equal(p.as[paths_origin(&p, paths_longest(&p, &ip), &n)], 64500);
	assert_int_equal(n, 1);
	assert_true(ip_parse(&ip, "203.0.113.1"));
	assert_int_equal(paths_longest(&p, &ip), NO_INDEX32);
	uint32_t as = paths_as(&p, 64500);
	assert_int_equal(p.origin_at[as + 1] - p.origin_at[as], 2);
	assert_int_equal(paths_as(&p, 64503), NO_INDEX32);
	sheet_close(&s);
	paths_build_free(b);
	kit_dir_free(dir);
}

static void test_nothing(void **state)
{
	char *dir = kit_dir(), path[4200];
	struct paths_build *b = paths_build_new();
	struct err e = {0};

	(void)state;
	kit_file(path, dir, "none");
	struct sheet_out *o = sheet_begin(&world_real, path, SHEET_PATHS, &e);
	assert_int_equal(paths_build_write(b, o, &e), STATUS_BAD);
	sheet_drop(o);
	assert_int_equal(kit_count(dir, ""), 0);
	paths_build_free(b);
	kit_dir_free(dir);
}

/* Everything that a question touches; false where the sheet says that it is damaged. */
static bool walk(const uint8_t *bytes, size_t n)
{
	struct err e = {0};
	struct sheet s;
	struct paths p;
	volatile uint64_t sum = 0;

	if (sheet_of(&s, bytes, n, &e) != STATUS_OK || paths_view(&p, &s, &e) != STATUS_OK) {
		assert_non_null(strstr(e.text, "damaged"));
		return false;
	}
	for (uint32_t k = 0; k < p.n_prefix; k++) {
		struct prefix is = map_prefix_ip(&p.prefix[k]);
		size_t many;
		sum += paths_longest(&p, &is.ip) + paths_prefix(&p, &is) + paths_origin(&p, k, &many);
		for (uint64_t i = p.route_at[k]; i < p.route_at[k + 1]; i++) {
			const uint32_t *as = paths_path(&p, p.route_path[i], &many);
			for (size_t a = 0; a < many; a++)
				sum += p.as[as[a]];
		}
	}
	for (size_t a = 0; a < p.n_as; a++)
		for (uint32_t i = p.origin_at[a]; i < p.origin_at[a + 1]; i++)
			sum += p.prefix[p.origin_prefix[i]].len;
	(void)sum;
	return true;
}

/* Bits of the sections flip, and the head's sum is right: nothing is followed out of its column. */
static void test_bits(void **state)
{
	static struct said s[SAID];
	char *dir = kit_dir(), path[4200];
	struct paths_build *b = paths_build_new();
	struct sheet sheet;
	struct paths p;
	size_t n, damaged = 0, tried = 0;

	(void)state;
	kit_file(path, dir, "paths");
	feed(b, s, random_said(s, true, false, 5), 5);
	open_built(b, path, &sheet, &p);
	sheet_close(&sheet);
	uint8_t *bytes = kit_slurp(path, &n);
	assert_true(walk(bytes, n));
	for (int i = 0; i < 20000; i++, tried++) {
		size_t at = 1024 + kit_rnd(n - 1024);
		uint8_t was = bytes[at];
		bytes[at] ^= (uint8_t)(1 << kit_rnd(8));
		damaged += !walk(bytes, n);
		bytes[at] = was;
	}
	assert_true(damaged > 100 && damaged < tried);
	free(bytes);
	paths_build_free(b);
	kit_dir_free(dir);
}

static void test_prefixes(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t b[16];
		for (int k = 0; k < 16; k++)
			b[k] = (uint8_t)kit_rnd(256);
		struct ip ip = kit_rnd(2) ? ip_v4(b) : ip_v6(b);
		struct prefix p = prefix_of(&ip, (uint8_t)kit_rnd(ip_bits(&ip) + 1U));
		struct prefix dirty = {ip, p.len};
		struct map_prefix m = map_prefix_of(&dirty);
		struct prefix back = map_prefix_ip(&m);
		assert_true(ip_equal(&back.ip, &p.ip) && back.len == p.len);
	}
}

/* A hostile table: one session says one prefix a million times, each time with another path identifier, and
 * then all of it again with another path.  Looking through what was said before each time would be 10^12
 * steps. */
static void test_one_prefix(void **state)
{
	enum { MANY = 1000000, BATCH = 100 };
	static const uint8_t attr[2][17] = {
		{0x40, 1, 1, 0, 0x40, 2, 10, 2, 2, 0, 0, 0xfb, 0xf4, 0, 0, 0xfd, 0xe8},
		{0x40, 1, 1, 0, 0x40, 2, 10, 2, 2, 0, 0, 0xfb, 0xf4, 0, 0, 0xfd, 0xe9}};
	struct mrt_peer one = {.asn = 64500};
	struct mrt_route r[BATCH] = {{0}};
	struct paths_build *b = paths_build_new();
	char *dir = kit_dir(), path[4200];
	struct err e = {0};
	struct sheet s;
	struct paths p;
	size_t n;

	(void)state;
	assert_true(b && ip_parse(&one.ip, "192.0.2.1"));
	paths_build_record(b, true, (struct wall){INT64_C(1500000000000000)});
	for (uint32_t i = 0; i < 2 * MANY; i += BATCH) {
		for (uint32_t k = 0; k < BATCH; k++) {
			r[k] = (struct mrt_route){.path_id = (i + k) % MANY, .table_dump_v2 = true};
			r[k].attr = rd_of(attr[i >= MANY], sizeof(attr[0]));
			assert_true(prefix_parse(&r[k].prefix, "198.51.100.0/24"));
		}
		assert_int_equal(paths_build_add(b, r, BATCH, &one, 1, &e), STATUS_OK);
	}
	kit_file(path, dir, "one.sheet");
	struct sheet_out *o = sheet_begin(&world_real, path, SHEET_PATHS, &e);
	assert_non_null(o);
	assert_int_equal(paths_build_write(b, o, &e), STATUS_OK);
	assert_int_equal(sheet_finish(o, &e), STATUS_OK);
	assert_int_equal(sheet_open(&s, path, &e), STATUS_OK);
	assert_int_equal(paths_view(&p, &s, &e), STATUS_OK);
	assert_int_equal(p.n_route, MANY);
	assert_int_equal(p.n_prefix, 1);
	for (size_t i = 0; i < p.n_route; i++) {
		const uint32_t *as = paths_path(&p, p.route_path[i], &n);
		assert_true(n == 2 && p.as[as[1]] == 65001);
	}
	sheet_close(&s);
	paths_build_free(b);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_one_prefix),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_paths_once),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_bits),
	};

	kit_seed("paths");
	for (uint32_t i = 0; i < PEERS; i++) {
		uint8_t b[4] = {192, 0, 2, (uint8_t)(1 + i)};
		peer[i] = (struct mrt_peer){64500 + i / 2, ip_v4(b)};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
