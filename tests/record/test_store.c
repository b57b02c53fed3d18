/* The store against a slow second implementation, a world that fails, processes that die, and damaged files.
 */
#include "store_kit.h"

#include <signal.h>

#include "base/bytes.h"

static void test_crc(void **state)
{
	uint8_t data[1000];

	(void)state;
	kit_seed("crc");
	assert_int_equal(
		crc32c("123456789", 9), 0xe3069283U); /* RFC 3720, B.4 gives the same sum as everybody */
	memset(data, 0, 32);
	assert_int_equal(crc32c(data, 32), 0x8a9136aaU);
	memset(data, 0xff, 32);
	assert_int_equal(crc32c(data, 32), 0x62a8ab43U);
	for (int i = 0; i < 2000; i++) {
		size_t from = kit_rnd(16), n = kit_rnd(900), cut = kit_rnd(n + 1);
		for (size_t k = 0; k < n; k++)
			data[from + k] = (uint8_t)kit_rnd(256);
		uint32_t c = crc32c(data + from, n);
		assert_int_equal(c, crc32c_portable(0, data + from, n));
		assert_int_equal(c, crc32c_more(crc32c(data + from, cut), data + from + cut, n - cut));
	}
}

static void test_nothing_there(void **state)
{
	char *dir = kit_dir(), path[4200];
	struct recording r;
	struct store_known *k;
	struct err e = {0};
	struct store_stat st;
	uint64_t n = 7;
	struct ip ip = kit_ip(1);

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/none", dir);
	kit_read(&r, path, &(struct store_query){0});
	assert_int_equal(r.n_flow, 0);
	recording_free(&r);
	assert_int_equal(store_known_open(&k, &world_real, path, "edge", (struct span){0, 1}, &e), STATUS_OK);
	store_known_free(k);
	assert_int_equal(store_forget(&world_real, path, &ip, &n, &e), STATUS_OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_stat_read(&st, &world_real, path, &e), STATUS_OK);
	assert_int_equal(st.segments, 0);
	assert_int_equal(store_writer_close(NULL, &e), STATUS_OK);
	kit_dir_free(dir);
}

/* A newer or a foreign directory is refused by everybody and not touched. */
static void test_format(void **state)
{
	static const char *const text[] = {"weir trains 2\n", "weir trains 999999\n", "something else\n", "",
		"weir trains x\n", "weir trains 1"};
	char *dir = kit_dir(), path[4200];
	struct recording r;
	struct store_writer *s;
	struct err e;
	size_t n;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/FORMAT", dir);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		kit_spill(path, (const uint8_t *)text[i], strlen(text[i]));
		assert_int_equal(
			recording_read(&r, &world_real, dir, &(struct store_query){0}, &e), STATUS_BAD);
		assert_non_null(strstr(e.text, "FORMAT: offset "));
		assert_int_equal(store_writer_open(&s, &world_real, dir, &e), STATUS_BAD);
		assert_null(s);
		uint8_t *now = kit_slurp(path, &n);
		assert_int_equal(n, strlen(text[i]));
		assert_memory_equal(now, text[i], n);
		free(now);
	}
	kit_dir_free(dir);
}

static void test_refused(void **state)
{
	char *dir = kit_dir(), name[400];
	struct store_writer *s = kit_writer(dir);
	struct true_flow f;
	struct chunk c;
	struct err e;
	struct recording r;

	(void)state;
	kit_seed("refused");
	kit_flow(&f, 1);
	kit_chunk(&c, &f, 0, 1);
	c.head.end[1].ip.v = 0;
	assert_int_equal(store_append(s, &c, &e), STATUS_BAD);
	kit_chunk(&c, &f, 0, 1);
	c.head.first_us = INT64_MAX;
	assert_int_equal(store_append(s, &c, &e), STATUS_BAD);
	memset(name, 'p', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	kit_chunk(&c, &f, 0, 1);
	c.head.point = name;
	assert_int_equal(store_append(s, &c, &e), STATUS_BAD);
	kit_append(s, &f, 0, 1);
	kit_close(s);
	kit_read(&r, dir, &(struct store_query){0});
	assert_int_equal(r.n_flow, 1);
	recording_free(&r);
	kit_dir_free(dir);
}

/* ---- random recordings, random queries ---- */

enum { FLOWS = 120 };

static void random_query(struct store_query *q, struct ip *host, char id[ID_TEXT], const struct true_flow *f)
{
	const struct true_flow *one = &f[kit_rnd(FLOWS)];

	*q = (struct store_query){.since = WALL_BEGIN, .until = WALL_END};
	if (kit_rnd(2)) {
		*host = kit_rnd(8) ? one->head.end[kit_rnd(2)].ip : kit_ip(200);
		q->host = host;
	}
	if (kit_rnd(3) == 0)
		q->port = kit_rnd(2) ? 22 : one->head.end[0].port;
	if (kit_rnd(3) == 0) {
		q->since.us = one->head.first_us + (int64_t)kit_rnd(20000000) - 10000000;
		/* longer than any silence of a flow of store_kit.h: one that was silent all the time may be
		 * missing */
		q->until.us = q->since.us + (int64_t)(6 + kit_rnd(600)) * SECOND_US;
	}
	if (kit_rnd(4) == 0) {
		(void)id_text(id, &one->head.id);
		id[6 + kit_rnd(26)] = '\0';
		q->id = id;
	}
	if (kit_rnd(2))
		q->gap_us = (int64_t)(20000 + kit_rnd(400000));
	q->heads_only = kit_rnd(4) == 0;
}

static void check_query(const char *dir, struct true_flow *f, size_t n, const struct store_query *q)
{
	struct recording r;
	size_t expected = 0;

	kit_read(&r, dir, q);
	for (size_t i = 0; i < n; i++) {
		if (!kit_wanted(&f[i], q))
			continue;
		expected++;
		assert_true(kit_same(kit_find(&r, &f[i].head.id), &f[i], q));
	}
	assert_int_equal(r.n_flow, expected);
	assert_int_equal(r.damaged, 0);
	for (size_t i = 1; i < r.n_flow; i++)
		assert_true(r.flow[i - 1].head.first_us <= r.flow[i].head.first_us);
	recording_free(&r);
}

/* Each flow in some parts, by some writers at once, flushed at random.  One of them is not closed and
 * returned. */
static struct store_writer *write_random(const char *dir, struct true_flow *f)
{
	enum { WRITERS = 3 };
	struct store_writer *s[WRITERS];
	size_t done[FLOWS] = {0}, parts[FLOWS], left = FLOWS;
	struct err e;

	for (size_t i = 0; i < WRITERS; i++)
		s[i] = kit_writer(dir);
	for (size_t i = 0; i < FLOWS; i++) {
		kit_flow(&f[i], i);
		parts[i] = 1 + kit_rnd(6);
	}
	while (left > 0) {
		size_t i = kit_rnd(FLOWS), w = i % WRITERS;
		if (done[i] == parts[i])
			continue;
		kit_append(s[w], &f[i], done[i], parts[i]);
		left -= ++done[i] == parts[i];
		if (kit_rnd(5) == 0)
			assert_int_equal(store_flush(s[w], kit_rnd(4) == 0, &e), STATUS_OK);
	}
	for (size_t i = 1; i < WRITERS; i++)
		kit_close(s[i]);
	assert_int_equal(store_flush(s[0], true, &e), STATUS_OK);
	return s[0];
}

static void test_random(void **state)
{
	struct true_flow *f = calloc(FLOWS, sizeof(*f));

	(void)state;
	kit_seed("random");
	assert_non_null(f);
	for (int round = 0; round < 6; round++) {
		char *dir = kit_dir();
		struct store_writer *open_one = write_random(dir, f);
		for (int i = 0; i < 60; i++) {
			struct store_query q;
			struct ip host;
			char id[ID_TEXT];
			random_query(&q, &host, id, f);
			check_query(dir, f, FLOWS, &q);
		}
		kit_close(open_one);
		kit_dir_free(dir);
	}
	free(f);
}

/* What a reader sees while the writer is open is what the last flush wrote. */
static void test_live(void **state)
{
	char *dir = kit_dir();
	struct store_writer *s = kit_writer(dir);
	struct true_flow f[20];
	struct err e;
	struct store_query q = {0};

	(void)state;
	kit_seed("live");
	for (size_t i = 0; i < 20; i++) {
		kit_flow(&f[i], i);
		kit_append(s, &f[i], 0, 1);
		check_query(dir, f, i, &q);
		assert_int_equal(store_flush(s, false, &e), STATUS_OK);
		check_query(dir, f, i + 1, &q);
	}
	kit_close(s);
	check_query(dir, f, 20, &q);
	kit_dir_free(dir);
}

/* Blocks are closed by size, too, and a segment of many blocks is read by its index. */
static void test_big(void **state)
{
	enum { MANY = 30000 };
	char *dir = kit_dir();
	struct store_writer *s = kit_writer(dir);
	struct true_flow f;
	struct recording r;
	struct store_stat st;
	struct err e;

	(void)state;
	kit_seed("big");
	for (size_t i = 0; i < MANY; i++) {
		kit_flow(&f, i);
		f.head.end[0].port = (uint16_t)i;
		f.head.end[0].ip = kit_ip(i % 3);
		kit_append(s, &f, 0, 1);
	}
	kit_close(s);
	kit_read(&r, dir, &(struct store_query){.heads_only = true});
	assert_int_equal(r.n_flow, MANY);
	recording_free(&r);
	kit_read(&r, dir, &(struct store_query){.port = 4711});
	assert_int_equal(r.n_flow, 1);
	recording_free(&r);
	assert_int_equal(store_stat_read(&st, &world_real, dir, &e), STATUS_OK);
	assert_int_equal(st.segments, 1);
	assert_true(st.bytes > 3000000);
	kit_dir_free(dir);
}

/* ---- a world that fails ---- */

enum { STEPS = 12 };

/* Appends and flushes STEPS flows; acked[i]: a durable flush after flow i said OK.  Goes on after failures.
 */
static void run_steps(const struct world *w, const char *dir, struct true_flow *f, bool *acked)
{
	struct store_writer *s;
	struct err e;

	if (store_writer_open(&s, w, dir, &e) != STATUS_OK)
		return;
	for (size_t i = 0; i < STEPS; i++) {
		struct chunk c;
		kit_chunk(&c, &f[i], 0, 1);
		bool in = store_append(s, &c, &e) == STATUS_OK;
		bool durable = i % 3 != 1;
		if (store_flush(s, durable, &e) == STATUS_OK && durable)
			for (size_t k = 0; k <= i; k++)
				acked[k] = k < i || in;
	}
	bool closed = store_writer_close(s, &e) == STATUS_OK;
	for (size_t k = 0; k < STEPS; k++)
		acked[k] = acked[k] || closed;
}

static size_t check_acked(const char *dir, struct true_flow *f, const bool *acked)
{
	struct recording r;
	struct store_query q = {0};

	kit_read(&r, dir, &q);
	assert_int_equal(r.damaged, 0);
	for (size_t i = 0; i < STEPS; i++) {
		const struct flow *g = kit_find(&r, &f[i].head.id);
		if (acked[i] || g)
			assert_true(kit_same(g, &f[i], &q));
	}
	size_t n = r.n_flow;
	recording_free(&r);
	return n;
}

/* One operation fails, at every place: all is there in the end, once, if the world then works again; if it
 * stays broken, what was acknowledged is there. */
static void test_fail_each(void **state)
{
	struct true_flow f[STEPS];

	(void)state;
	kit_seed("fail");
	for (size_t i = 0; i < STEPS; i++)
		kit_flow(&f[i], i);
	for (int mode = 0; mode < 4; mode++) {
		bool more = true;
		for (uint64_t at = 1; more; at++) {
			struct kit_world k = {.at = at, .forever = mode & 1, .half = mode & 2};
			struct world w = kit_world_of(&k);
			bool acked[STEPS] = {false};
			char *dir = kit_dir();
			run_steps(&w, dir, f, acked);
			more = k.broke;
			size_t n = check_acked(dir, f, acked);
			if (!k.broke || (!k.forever && acked[STEPS - 1]))
				assert_int_equal(n, STEPS);
			kit_dir_free(dir);
			assert_true(at < 1000);
		}
	}
}

/* When a durable flush says OK, nothing waits to be synced: neither bytes nor names. */
static void test_durable(void **state)
{
	struct kit_world k = {0};
	struct world w = kit_world_of(&k);
	char *dir = kit_dir();
	struct store_writer *s;
	struct true_flow f;
	struct err e;

	(void)state;
	kit_seed("durable");
	assert_int_equal(store_writer_open(&s, &w, dir, &e), STATUS_OK);
	assert_int_equal(k.unsynced + k.unlinked, 0);
	for (size_t i = 0; i < 20; i++) {
		struct chunk c;
		kit_flow(&f, i);
		kit_chunk(&c, &f, 0, 1);
		assert_int_equal(store_append(s, &c, &e), STATUS_OK);
		bool durable = kit_rnd(2);
		assert_int_equal(store_flush(s, durable, &e), STATUS_OK);
		if (durable)
			assert_int_equal(k.unsynced + k.unlinked, 0);
	}
	assert_int_equal(store_writer_close(s, &e), STATUS_OK);
	assert_int_equal(k.unsynced + k.unlinked, 0);
	kit_dir_free(dir);
}

/* ---- kill -9 ---- */

/* Writes flow after flow, says after each durable flush how many there are, until it is killed. */
static void child_writes(const char *dir, struct true_flow *f, size_t n, int say)
{
	struct store_writer *s;
	struct err e;

	if (store_writer_open(&s, &world_real, dir, &e) != STATUS_OK)
		_exit(1);
	for (size_t i = 0; i < n; i++) {
		struct chunk c;
		kit_chunk(&c, &f[i], 0, 1);
		if (store_append(s, &c, &e) != STATUS_OK || store_flush(s, true, &e) != STATUS_OK)
			_exit(1);
		uint32_t done = (uint32_t)i + 1;
		(void)!write(say, &done, sizeof(done));
	}
	_exit(0);
}

static void test_kill(void **state)
{
	enum { N = 400, ROUNDS = 12 };
	struct true_flow *f = calloc(N, sizeof(*f));
	char *dir = kit_dir();
	size_t acked = 0;

	(void)state;
	kit_seed("kill");
	assert_non_null(f);
	for (size_t i = 0; i < N; i++)
		kit_flow(&f[i], i);
	for (int round = 0; round < ROUNDS && acked < N; round++) {
		int pipe_[2];
		uint32_t done = 0, now;
		assert_int_equal(pipe(pipe_), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child_writes(dir, f + acked, N - acked, pipe_[1]);
		(void)close(pipe_[1]);
		uint32_t until = (uint32_t)kit_rnd(30);
		while (done < until && read(pipe_[0], &now, sizeof(now)) == sizeof(now))
			done = now;
		struct timespec t = {
			.tv_nsec = (long)kit_rnd(3000000)}; /* a random moment inside the next flush */
		(void)nanosleep(&t, NULL);
		(void)kill(pid, SIGKILL);
		while (read(pipe_[0], &now, sizeof(now)) == sizeof(now))
			done = now;
		(void)close(pipe_[0]);
		(void)waitpid(pid, NULL, 0);
		acked += done;

		struct recording r;
		struct store_query q = {0};
		kit_read(&r, dir, &q);
		assert_int_equal(r.damaged, 0);
		for (size_t i = 0; i < acked; i++)
			assert_true(kit_same(kit_find(&r, &f[i].head.id), &f[i], &q));
		assert_true(r.n_flow <= acked + 1);
		recording_free(&r);
	}
	assert_true(acked > 0);
	free(f);
	kit_dir_free(dir);
}

/* A reader beside a writer sees a prefix that only grows, and no damage. */
static void test_beside(void **state)
{
	enum { N = 200 };
	struct true_flow *f = calloc(N, sizeof(*f));
	char *dir = kit_dir();
	int pipe_[2], status;
	size_t last = 0;

	(void)state;
	kit_seed("beside");
	assert_non_null(f);
	for (size_t i = 0; i < N; i++)
		kit_flow(&f[i], i);
	assert_int_equal(pipe(pipe_), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_writes(dir, f, N, pipe_[1]);
	(void)close(pipe_[1]);
	for (;;) {
		struct recording r;
		bool over = waitpid(pid, &status, WNOHANG) == pid;
		kit_read(&r, dir, &(struct store_query){0});
		assert_int_equal(r.damaged, 0);
		assert_true(r.n_flow >= last);
		last = r.n_flow;
		for (size_t i = 0; i < last; i++)
			assert_non_null(kit_find(&r, &f[i].head.id));
		recording_free(&r);
		if (over)
			break;
	}
	assert_int_equal(last, N);
	(void)close(pipe_[0]);
	free(f);
	kit_dir_free(dir);
}

/* ---- damage ---- */

enum { BLOCKS = 4 };

/* A segment of four blocks with a flow each; closed, or as a crash leaves it. */
static uint8_t *small_segment(char *dir, struct true_flow *f, bool closed, char path[4096], size_t *n)
{
	int status;

	for (size_t i = 0; i < BLOCKS; i++) {
		kit_flow(&f[i], i);
		for (int d = 0; d < 2; d++)
			f[i].n[d] = f[i].n[d] % 6;
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store_writer *s;
		struct err e;
		if (store_writer_open(&s, &world_real, dir, &e) != STATUS_OK)
			_exit(1);
		for (size_t i = 0; i < BLOCKS; i++) {
			struct chunk c;
			kit_chunk(&c, &f[i], 0, 1);
			if (store_append(s, &c, &e) != STATUS_OK || store_flush(s, true, &e) != STATUS_OK)
				_exit(1);
		}
		_exit(closed && store_writer_close(s, &e) != STATUS_OK ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(kit_segment(path, dir, ".seg", 0));
	return kit_slurp(path, n);
}

static size_t check_damaged(const char *dir, struct true_flow *f, uint64_t *damaged)
{
	struct store_query q = {0};
	struct recording r;
	size_t whole = 0;

	kit_read(&r, dir, &q);
	for (size_t i = 0; i < BLOCKS; i++) {
		const struct flow *g = kit_find(&r, &f[i].head.id);
		if (g)
			assert_true(kit_same(g, &f[i], &q));
		whole += g != NULL;
	}
	assert_int_equal(r.n_flow, whole); /* nothing was made up */
	*damaged = r.damaged;
	recording_free(&r);
	return whole;
}

/* A byte is changed, at every position: at most the block that has it is lost, and that is said. */
static void test_flip(void **state)
{
	(void)state;
	kit_seed("flip");
	for (int closed = 0; closed < 2; closed++) {
		struct true_flow f[BLOCKS];
		char *dir = kit_dir(), path[4096];
		size_t n;
		uint8_t *p = small_segment(dir, f, closed, path, &n);
		kit_quiet();
		for (size_t i = 0; i < n; i++) {
			uint64_t damaged;
			uint8_t was = p[i];
			p[i] ^= (uint8_t)(1U << kit_rnd(8));
			kit_spill(path, p, n);
			p[i] = was;
			size_t whole = check_damaged(dir, f, &damaged);
			assert_true(whole >= BLOCKS - 1);
			assert_true(damaged <= 2);
			if (whole < BLOCKS)
				assert_true(damaged >= 1);
		}
		kit_loud();
		free(p);
		kit_dir_free(dir);
	}
}

/* The file ends at every position: the whole blocks before are there, and a torn tail is no damage. */
static void test_torn(void **state)
{
	struct true_flow f[BLOCKS];
	char *dir = kit_dir(), path[4096];
	size_t n, before = 0;
	uint64_t damaged;

	(void)state;
	kit_seed("torn");
	uint8_t *p = small_segment(dir, f, false, path, &n);
	for (size_t i = 36; i <= n; i++) {
		kit_spill(path, p, i);
		size_t whole = check_damaged(dir, f, &damaged);
		assert_int_equal(damaged, 0);
		assert_true(whole >= before && whole <= before + 1);
		before = whole;
	}
	assert_int_equal(before, BLOCKS);
	/* and a tail that was allocated, but never written */
	uint8_t *zeroes = calloc(1, n + 5000);
	assert_non_null(zeroes);
	memcpy(zeroes, p, n);
	kit_spill(path, zeroes, n + 5000);
	assert_int_equal(check_damaged(dir, f, &damaged), BLOCKS);
	assert_int_equal(damaged, 0);
	free(zeroes);
	free(p);
	kit_dir_free(dir);
}

/* Pieces of a segment in any order, with rubbish between: no crash, nothing made up. */
static void test_rubbish(void **state)
{
	struct true_flow f[BLOCKS];
	char *dir = kit_dir(), path[4096];
	size_t n;
	uint64_t damaged;

	(void)state;
	kit_seed("rubbish");
	uint8_t *p = small_segment(dir, f, true, path, &n);
	kit_quiet();
	for (int round = 0; round < 300; round++) {
		uint8_t *q = malloc(4 * n + 64);
		size_t m = 0;
		assert_non_null(q);
		while (m < 2 * n) {
			size_t from = kit_rnd(n), len = kit_rnd(n - from) + 1;
			if (kit_rnd(3) == 0) {
				for (len = kit_rnd(40); len > 0; len--)
					q[m++] = (uint8_t)kit_rnd(256);
				continue;
			}
			memcpy(q + m, p + from, len);
			m += len;
		}
		kit_spill(path, q, m);
		(void)check_damaged(dir, f, &damaged);
		free(q);
	}
	kit_loud();
	free(p);
	kit_dir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_fail_each),
		cmocka_unit_test(test_durable),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_flip),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
