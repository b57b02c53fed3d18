/* Forgetting and the caps: what is to go is gone from the disk, everything else stays, whatever fails or dies
 * meanwhile. */
#include "store_kit.h"

#include <signal.h>

enum { FLOWS = 60 };

static void fill(const char *dir, struct true_flow *f, size_t n, size_t segments)
{
	struct err e;

	for (size_t k = 0; k < segments; k++) {
		struct store_writer *s = kit_writer(dir);
		for (size_t i = k; i < n; i += segments) {
			kit_append(s, &f[i], 0, 2);
			if (kit_rnd(6) == 0)
				assert_int_equal(store_flush(s, false, &e), STATUS_OK);
			kit_append(s, &f[i], 1, 2);
		}
		kit_close(s);
	}
}

static bool has(const struct true_flow *f, const struct ip *ip)
{
	return ip_equal(ip, &f->head.end[0].ip) || ip_equal(ip, &f->head.end[1].ip);
}

/* Flows without the host are there, whole.  Of the host: all, or none, or (mixed) as many segments as were
 * done. */
static size_t check_rest(const char *dir, struct true_flow *f, size_t n, const struct ip *ip)
{
	struct store_query q = {0};
	struct recording r;
	size_t of_host = 0;

	kit_read(&r, dir, &q);
	assert_int_equal(r.damaged, 0);
	for (size_t i = 0; i < n; i++) {
		const struct flow *g = kit_find(&r, &f[i].head.id);
		if (!has(&f[i], ip) || g)
			assert_true(kit_same(g, &f[i], &q));
		of_host += has(&f[i], ip) && g;
	}
	recording_free(&r);
	return of_host;
}

/* No file of the directory names the host any more: looked for as a reader does, and as its bytes in a table
 * of hosts. */
static void check_gone(const char *dir, const struct ip *ip)
{
	struct recording r;
	char path[4096];

	kit_read(&r, dir, &(struct store_query){.host = ip});
	assert_int_equal(r.n_flow, 0);
	recording_free(&r);
	assert_false(kit_segment(path, dir, ".tmp", 0));
}

/* A new file takes the place of the old one only when it is synced, and the directory is synced in the end.
 */
static void test_order(void **state)
{
	struct kit_world k = {0};
	struct world w = kit_world_of(&k);
	struct true_flow f[12];
	char *dir = kit_dir();
	struct ip ip;
	uint64_t n;
	struct err e;

	(void)state;
	kit_seed("order");
	for (size_t i = 0; i < 12; i++)
		kit_flow(&f[i], i);
	ip = f[0].head.end[0].ip;
	fill(dir, f, 12, 3);
	assert_int_equal(store_forget(&w, dir, &ip, &n, &e), STATUS_OK);
	assert_true(k.count > 0);
	assert_int_equal(k.early, 0);
	assert_int_equal(k.unlinked, 0);
	struct store_keep keep = {.max_bytes = 1, .held = &f[5].head.id, .n_held = 1};
	assert_int_equal(store_trim(&w, dir, &keep, &n, &e), STATUS_OK);
	assert_int_equal(k.early, 0);
	assert_int_equal(k.unlinked, 0);
	kit_dir_free(dir);
}

static void test_forget(void **state)
{
	struct true_flow *f = calloc(FLOWS, sizeof(*f));
	struct err e;

	(void)state;
	kit_seed("forget");
	assert_non_null(f);
	for (int round = 0; round < 20; round++) {
		char *dir = kit_dir();
		struct ip ip = kit_ip(kit_rnd(14));
		uint64_t n, expected = 0;
		for (size_t i = 0; i < FLOWS; i++) {
			kit_flow(&f[i], i);
			expected += has(&f[i], &ip);
		}
		fill(dir, f, FLOWS, 1 + kit_rnd(4));
		assert_int_equal(check_rest(dir, f, FLOWS, &ip), expected);
		assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), STATUS_OK);
		assert_int_equal(n, expected);
		assert_int_equal(check_rest(dir, f, FLOWS, &ip), 0);
		check_gone(dir, &ip);
		assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), STATUS_OK);
		assert_int_equal(n, 0);
		kit_dir_free(dir);
	}
	free(f);
}

/* One operation fails, or the process dies before it, at every place; then it is done again. */
static void test_forget_broken(void **state)
{
	enum { N = 16 };
	struct true_flow f[N];
	struct ip ip = kit_ip(12);

	(void)state;
	kit_seed("forget, broken");
	for (size_t i = 0; i < N; i++)
		kit_flow(&f[i], i);
	for (size_t i = 0; i < N; i += 3)
		f[i].head.end[1].ip = ip;
	for (int die = 0; die < 2; die++) {
		bool more = true;
		for (uint64_t at = 1; more; at++) {
			struct kit_world k = {.at = at, .die = die, .half = at & 1};
			struct world w = kit_world_of(&k);
			char *dir = kit_dir();
			uint64_t n;
			struct err e;
			fill(dir, f, N, 3);
			if (die) {
				int status;
				pid_t pid = fork();
				assert_true(pid >= 0);
				if (pid == 0)
					_exit(store_forget(&w, dir, &ip, &n, &e) == STATUS_OK ? 0 : 1);
				assert_int_equal(waitpid(pid, &status, 0), pid);
				more = WEXITSTATUS(status) == 42;
				assert_true(more || status == 0);
			} else {
				enum status st = store_forget(&w, dir, &ip, &n, &e);
				more = k.broke;
				assert_true(st == STATUS_MACHINE || st == STATUS_OK);
				if (st == STATUS_OK) /* also where an empty temporary file could not be
							removed */
					assert_int_equal(check_rest(dir, f, N, &ip), 0);
			}
			(void)check_rest(dir, f, N, &ip);
			assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), STATUS_OK);
			assert_int_equal(check_rest(dir, f, N, &ip), 0);
			check_gone(dir, &ip);
			kit_dir_free(dir);
			assert_true(at < 500);
		}
	}
}

/* What cannot be read might be of the host: damaged blocks and torn tails go, too. */
static void test_forget_damaged(void **state)
{
	enum { N = 8 };
	struct true_flow f[N];
	struct ip ip = kit_ip(250);
	char path[4096];
	struct err e;
	uint64_t n;
	size_t size;

	(void)state;
	kit_seed("forget, damaged");
	for (int kind = 0; kind < 2; kind++) {
		char *dir = kit_dir();
		for (size_t i = 0; i < N; i++)
			kit_flow(&f[i], i);
		pid_t pid = fork();
		if (pid == 0) { /* a crash: no index */
			struct store_writer *s = kit_writer(dir);
			for (size_t i = 0; i < N; i++) {
				kit_append(s, &f[i], 0, 1);
				(void)store_flush(s, true, &e);
			}
			_exit(0);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(kit_segment(path, dir, ".seg", 0));
		uint8_t *p = kit_slurp(path, &size);
		kit_quiet();
		if (kind == 0)
			p[60] ^= 1;
		kit_spill(path, p, kind == 0 ? size : size - 3);
		assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), STATUS_OK);
		kit_loud();
		struct recording r;
		kit_read(&r, dir, &(struct store_query){0});
		assert_int_equal(r.damaged, 0);
		assert_int_equal(r.n_flow, N - 1);
		recording_free(&r);
		size_t left;
		uint8_t *q = kit_slurp(path, &left);
		if (kind == 1) /* the last block's bytes, torn, are not there */
			assert_null(memmem(q, left, p + size - 60, 40));
		free(q);
		free(p);
		kit_dir_free(dir);
	}
}

/* A recorder that runs begins a new segment when it is asked; one that does not is said to be there. */
static void test_forget_live(void **state)
{
	(void)state;
	kit_seed("forget, live");
	for (int deaf = 0; deaf < 2; deaf++) {
		char *dir = kit_dir();
		struct true_flow f[6];
		int ready[2];
		char c;
		for (size_t i = 0; i < 6; i++)
			kit_flow(&f[i], i);
		struct ip ip = f[0].head.end[0].ip;
		assert_int_equal(pipe(ready), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct err e;
			struct store_writer *s = kit_writer(dir);
			for (size_t i = 0; i < 6; i++)
				kit_append(s, &f[i], 0, 1);
			(void)store_flush(s, true, &e);
			(void)!write(ready[1], "x", 1);
			for (;;) {
				struct timespec t = {.tv_nsec = 20000000};
				(void)nanosleep(&t, NULL);
				if (!deaf)
					(void)store_flush(s, true, &e);
			}
		}
		assert_int_equal(read(ready[0], &c, 1), 1);
		struct err e = {0};
		uint64_t n;
		assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), deaf ? STATUS_NO : STATUS_OK);
		if (deaf)
			assert_non_null(strstr(e.text, "not erased"));
		else
			assert_int_equal(check_rest(dir, f, 6, &ip), 0);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), STATUS_OK);
		assert_int_equal(check_rest(dir, f, 6, &ip), 0);
		(void)close(ready[0]);
		(void)close(ready[1]);
		kit_dir_free(dir);
	}
}

/* ---- caps ---- */

/* Segments of ten flows each, written one hour after the other, the last of them now. */
static void fill_hours(const char *dir, struct true_flow *f, size_t segments)
{
	for (size_t k = 0; k < segments; k++) {
		char path[4096], before[4096] = "";
		struct store_writer *s = kit_writer(dir);
		for (size_t i = 10 * k; i < 10 * k + 10; i++) {
			kit_flow(&f[i], i);
			f[i].head.first_us = INT64_C(1416441600000000) + (int64_t)k * 3600 * SECOND_US;
			for (int d = 0; d < 2; d++)
				for (size_t b = 0; b < f[i].n[d]; b++)
					f[i].burst[d][b].start_us =
						f[i].head.first_us + (int64_t)b * SECOND_US;
			kit_append(s, &f[i], 0, 1);
		}
		kit_close(s);
		for (size_t i = 0; kit_segment(path, dir, ".seg", i);
			i++) /* names begin with the time of the data */
			memcpy(before, path, sizeof(before));
		struct timespec t[2];
		(void)clock_gettime(CLOCK_REALTIME, &t[0]);
		t[0].tv_sec -= (time_t)(segments - 1 - k) * 3600;
		t[1] = t[0];
		assert_int_equal(utimensat(AT_FDCWD, before, t, 0), 0);
	}
}

static size_t count_flows(const char *dir, struct true_flow *f, size_t from, size_t to)
{
	struct store_query q = {0};
	struct recording r;
	size_t n = 0;

	kit_read(&r, dir, &q);
	for (size_t i = from; i < to; i++) {
		const struct flow *g = kit_find(&r, &f[i].head.id);
		if (g)
			assert_true(kit_same(g, &f[i], &q));
		n += g != NULL;
	}
	recording_free(&r);
	return n;
}

static void test_trim(void **state)
{
	enum { SEGMENTS = 6 };
	struct true_flow *f = calloc(10 * SEGMENTS, sizeof(*f));
	struct store_stat before, after;
	uint64_t freed;
	struct err e;

	(void)state;
	kit_seed("trim");
	assert_non_null(f);
	char *dir = kit_dir();
	fill_hours(dir, f, SEGMENTS);
	assert_int_equal(store_stat_read(&before, &world_real, dir, &e), STATUS_OK);
	assert_int_equal(before.segments, SEGMENTS);
	struct store_keep keep = {0};
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_int_equal(freed, 0);

	/* by age: the two oldest; one flow of the first is held */
	struct id held[2] = {f[3].head.id, f[55].head.id};
	keep = (struct store_keep){.max_age_us = (3 * 3600 + 1800) * SECOND_US, .held = held, .n_held = 2};
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_true(freed > 0);
	assert_int_equal(count_flows(dir, f, 0, 10), 1);
	assert_int_equal(count_flows(dir, f, 3, 4), 1);
	assert_int_equal(count_flows(dir, f, 10, 20), 0);
	assert_int_equal(count_flows(dir, f, 20, 60), 40);
	assert_int_equal(store_stat_read(&after, &world_real, dir, &e), STATUS_OK);
	assert_int_equal(before.bytes - after.bytes, freed);
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_int_equal(freed, 0); /* what is left is held or young */

	/* by size: down to what is held */
	keep = (struct store_keep){.max_bytes = 1, .held = held, .n_held = 2};
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_int_equal(count_flows(dir, f, 0, 60), 2);
	keep = (struct store_keep){.max_bytes = 1};
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_int_equal(count_flows(dir, f, 0, 60), 0);
	assert_int_equal(store_stat_read(&after, &world_real, dir, &e), STATUS_OK);
	assert_int_equal(after.segments, 0);
	kit_dir_free(dir);
	free(f);
}

/* A size in between takes the oldest first and no more than it must; what is being written stays. */
static void test_trim_size(void **state)
{
	enum { SEGMENTS = 5 };
	struct true_flow *f = calloc(10 * SEGMENTS, sizeof(*f)), live;
	struct store_stat st;
	uint64_t freed;
	struct err e;
	char *dir = kit_dir();

	(void)state;
	kit_seed("trim, size");
	assert_non_null(f);
	fill_hours(dir, f, SEGMENTS);
	struct store_writer *s = kit_writer(dir);
	kit_flow(&live, 1000);
	kit_append(s, &live, 0, 1);
	assert_int_equal(store_flush(s, true, &e), STATUS_OK);
	assert_int_equal(store_stat_read(&st, &world_real, dir, &e), STATUS_OK);
	struct store_keep keep = {.max_bytes = st.bytes - 1};
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_int_equal(count_flows(dir, f, 0, 10), 0);
	assert_int_equal(count_flows(dir, f, 10, 50), 40);
	keep.max_bytes = 1;
	assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
	assert_int_equal(count_flows(dir, f, 0, 50), 0);
	assert_int_equal(count_flows(dir, &live, 0, 1), 1);
	kit_close(s);
	kit_dir_free(dir);
	free(f);
}

/* Dying at every step of a trim: held flows are always there. */
static void test_trim_broken(void **state)
{
	struct true_flow *f = calloc(30, sizeof(*f));
	bool more = true;

	(void)state;
	kit_seed("trim, broken");
	assert_non_null(f);
	for (uint64_t at = 1; more; at++) {
		char *dir = kit_dir();
		uint64_t freed;
		int status;
		struct err e;
		fill_hours(dir, f, 3);
		struct store_keep keep = {.max_bytes = 1, .held = &f[14].head.id, .n_held = 1};
		struct kit_world k = {.at = at, .die = true};
		struct world w = kit_world_of(&k);
		pid_t pid = fork();
		if (pid == 0)
			_exit(store_trim(&w, dir, &keep, &freed, &e) == STATUS_OK ? 0 : 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		more = WEXITSTATUS(status) == 42;
		assert_true(more || status == 0);
		assert_int_equal(count_flows(dir, f, 14, 15), 1);
		assert_int_equal(store_trim(&world_real, dir, &keep, &freed, &e), STATUS_OK);
		assert_int_equal(count_flows(dir, f, 0, 30), 1);
		kit_dir_free(dir);
		assert_true(at < 200);
	}
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_forget_broken),
		cmocka_unit_test(test_forget_damaged),
		cmocka_unit_test(test_forget_live),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_trim_size),
		cmocka_unit_test(test_trim_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
