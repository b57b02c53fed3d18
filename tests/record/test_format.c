/* The format itself: the example of doc/record-format.md, a writer that was made from that page alone, and
 * the data directory of release 1, which every later release must open.
 *
 * test_format --make DIR writes such a directory anew (only ever for a new format). */
#include "base/bytes.h"

#include "store_kit.h"

static const char *source_path(char to[4096], const char *name)
{
	const char *root = getenv("WEIR_SOURCE");

	(void)snprintf(to, 4096, "%s/%s", root ? root : ".", name);
	return to;
}

static void flow_print(FILE *to, const struct flow *f)
{
	char id[ID_TEXT], text[FLOW_TEXT];
	const struct flow_head *h = &f->head;

	(void)fprintf(to,
		"%s %s at \"%s\" vlan %u flags %u isn %u %u ttl %u %u ip_id %u %u first %lld last %lld\n",
		id_text(id, &h->id), flow_text(text, h), h->point, h->vlan, h->flags, h->isn[0], h->isn[1],
		h->ttl[0], h->ttl[1], h->ip_id[0], h->ip_id[1], (long long)h->first_us,
		(long long)f->last_us);
	(void)fprintf(to, " source %d %u %u %u %u\n", (int)h->source.kind, h->source.resolution_us,
		h->source.clock_error_us, h->source.sampling, h->source.gap_us);
	for (size_t i = 0; i < f->n_alias; i++)
		(void)fprintf(to, " alias %s\n", id_text(id, &f->alias[i]));
	for (int d = 0; d < 2; d++) {
		const struct flow_count *c = &f->count[d];
		(void)fprintf(to, " direction %d: %llu packets %llu frame %llu payload, %lld to %lld\n", d,
			(unsigned long long)c->packets, (unsigned long long)c->frame_bytes,
			(unsigned long long)c->payload_bytes, (long long)c->first_us, (long long)c->last_us);
		for (size_t i = 0; i < f->n_burst[d]; i++)
			(void)fprintf(to, "  %lld %u %u %llu\n", (long long)f->burst[d][i].start_us,
				f->burst[d][i].dur_us, f->burst[d][i].packets,
				(unsigned long long)f->burst[d][i].bytes);
	}
}

/* A recording as text; free() it. */
static char *text_of(const char *dir)
{
	struct recording r;
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	kit_read(&r, dir, &(struct store_query){.gap_us = 20000});
	for (size_t i = 0; i < r.n_flow; i++)
		flow_print(to, &r.flow[i]);
	for (size_t i = 0; i < r.n_coverage; i++)
		(void)fprintf(to, "%s \"%s\" %lld %lld lost %llu\n",
			r.coverage[i].blind ? "blind" : "covered", r.coverage[i].point,
			(long long)r.coverage[i].span.from_us, (long long)r.coverage[i].span.to_us,
			(unsigned long long)r.coverage[i].lost);
	(void)fprintf(to, "damaged %llu\n", (unsigned long long)r.damaged);
	(void)fclose(to);
	recording_free(&r);
	return text;
}

static void check_text(const char *dir, const char *expected_path)
{
	size_t n;
	char *expected = (char *)kit_slurp(expected_path, &n);
	char *text = text_of(dir);

	expected[n] = '\0';
	assert_string_equal(text, expected);
	free(text);
	free(expected);
}

static void test_fixture(void **state)
{
	char dir[4096], expected[4096];

	(void)state;
	check_text(source_path(dir, "tests/fixtures/format-1/data"),
		source_path(expected, "tests/fixtures/format-1/expected.txt"));
}

/* The bytes of the example: lines of four spaces, an offset and hexadecimal bytes. */
static size_t example_read(uint8_t *to, size_t max)
{
	char path[4096], line[4096];
	FILE *f = fopen(source_path(path, "doc/record-format.md"), "r");
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned at, v;
		int used;
		if (sscanf(line, "    %4x  %2x%n", &at, &v, &used) != 2 || strncmp(line, "    ", 4) != 0 ||
			at != n)
			continue;
		for (const char *p = line + 10; sscanf(p, "%2x%n", &v, &used) == 1 && n < max; p += used)
			to[n++] = (uint8_t)v;
	}
	(void)fclose(f);
	return n;
}

static void put_le32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static void test_example(void **state)
{
	char *dir = kit_dir(), path[4200];
	uint8_t bytes[2000];
	struct recording r;
	size_t n = example_read(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(n, 389);
	(void)snprintf(path, sizeof(path), "%s/trains", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/trains/example.seg", dir);
	kit_spill(path, bytes, n);
	kit_read(&r, dir, &(struct store_query){0});
	assert_int_equal(r.damaged, 0);
	assert_int_equal(r.n_flow, 1);
	assert_int_equal(r.n_coverage, 1);
	const struct flow *f = &r.flow[0];
	char text[FLOW_TEXT];
	assert_string_equal(flow_text(text, &f->head), "tcp 192.0.2.1:41234 > 198.51.100.7:22");
	assert_string_equal(f->head.point, "p");
	assert_int_equal(f->head.isn[0], 0x01020304);
	assert_int_equal(f->head.ttl[0], 64);
	assert_int_equal(f->head.ip_id[0], 0x1234);
	assert_int_equal(f->head.first_us, INT64_C(1416441600000000));
	assert_int_equal(f->n_burst[0], 2);
	assert_int_equal(f->n_burst[1], 0);
	assert_int_equal(f->burst[0][1].start_us, INT64_C(1416441600250000));
	assert_int_equal(f->burst[0][1].dur_us, 1500);
	assert_int_equal(f->burst[0][1].bytes, 1000);
	assert_int_equal(f->count[0].frame_bytes, 1234);
	recording_free(&r);
	kit_dir_free(dir);
}

/* Puts the example into dir as a crash would leave it (no index), with other bytes of the two hosts. */
static void example_with_hosts(const char *dir, const uint8_t hosts[9])
{
	enum { BLOCK = 0x20, SUMMARY = 0x5c, SUMMARY_BYTES = 0x16, HOSTS = 0x60, BODY_END = 0xd6 };
	uint8_t bytes[2000];
	char path[4200];

	assert_int_equal(example_read(bytes, sizeof(bytes)), 389);
	memcpy(bytes + HOSTS, hosts, 9);
	put_le32(bytes + BLOCK + 52, crc32c(bytes + SUMMARY, SUMMARY_BYTES));
	put_le32(bytes + BLOCK + 56, crc32c(bytes + BLOCK, 56));
	(void)snprintf(path, sizeof(path), "%s/trains", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/FORMAT", dir);
	kit_spill(path, (const uint8_t *)"weir trains 1\n", 14);
	(void)snprintf(path, sizeof(path), "%s/trains/example.seg", dir);
	kit_spill(path, bytes, BODY_END);
}

/* A table of hosts that is not in order: whoever searches it by halves overlooks hosts, so the block is
 * damaged, and forgetting a host that it names leaves nothing of it. */
static void test_host_order(void **state)
{
	static const struct {
		uint8_t hosts[9]; /* two varints: the first address, the step to the second */
		uint8_t first[4];
		size_t flows, damaged;
	} kind[] = {
		/* as it is; beyond 2^32 (255.0.0.1, then 10.0.0.1); the same address twice */
		{{0x81, 0x84, 0x80, 0x80, 0x0c, 0x86, 0xc4, 0xcd, 0x31}, {192, 0, 2, 1}, 1, 0},
		{{0x81, 0x80, 0x80, 0xf8, 0x0f, 0x80, 0x80, 0x80, 0x58}, {255, 0, 0, 1}, 0, 1},
		{{0x81, 0x84, 0x80, 0x80, 0x0c, 0x80, 0x80, 0x80, 0x00}, {192, 0, 2, 1}, 0, 1},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(kind) / sizeof(kind[0]); k++) {
		char *dir = kit_dir(), path[4096];
		struct ip ip = ip_v4(kind[k].first);
		struct recording r;
		uint64_t n;
		struct err e;
		size_t left;

		example_with_hosts(dir, kind[k].hosts);
		kit_quiet();
		kit_read(&r, dir, &(struct store_query){0});
		assert_int_equal(r.n_flow, kind[k].flows);
		assert_int_equal(r.damaged, kind[k].damaged);
		recording_free(&r);
		assert_int_equal(store_forget(&world_real, dir, &ip, &n, &e), STATUS_OK);
		kit_loud();
		if (kit_segment(path, dir, ".seg", 0)) {
			uint8_t *p = kit_slurp(path, &left);
			assert_null(memmem(p, left, kind[k].hosts, sizeof(kind[k].hosts)));
			free(p);
		}
		kit_dir_free(dir);
	}
}

/* The program made from the page writes the same example, and a directory that is read as it should be. */
static void test_writer(void **state)
{
	char *dir = kit_dir(), script[4096], expected[4096], cmd[9000], out[4096];
	uint8_t bytes[2000];
	size_t n = example_read(bytes, sizeof(bytes)), m = 0;
	unsigned v;

	(void)state;
	if (system("python3 -c '' 2>/dev/null") != 0) {
		kit_dir_free(dir);
		skip();
	}
	(void)source_path(script, "tests/record/write_format.py");
	(void)snprintf(cmd, sizeof(cmd), "python3 %s --example | cut -c7- | tr '\\n' ' '", script);
	FILE *f = popen(cmd, "r");
	assert_non_null(f);
	while (fscanf(f, "%2x", &v) == 1) {
		assert_true(m < n);
		assert_int_equal(bytes[m++], v);
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(m, n);
	(void)snprintf(out, sizeof(out), "%s/written", dir);
	(void)snprintf(cmd, sizeof(cmd), "python3 %s %s", script, out);
	assert_int_equal(system(cmd), 0);
	check_text(out, source_path(expected, "tests/fixtures/format-1/written.txt"));
	kit_dir_free(dir);
}

/* A directory like the fixture: two closed segments of two recorders that saw one flow each after the other,
 * and one that a crash left. */
static int make_fixture(const char *to)
{
	struct true_flow f[8];
	struct err e;

	kit_state = 2014;
	for (size_t i = 0; i < 8; i++) {
		kit_flow(&f[i], i);
		for (int d = 0; d < 2; d++)
			f[i].n[d] %= 8;
	}
	for (int k = 0; k < 3; k++) {
		struct store_writer *s = kit_writer(to);
		int64_t from = INT64_C(1416441600000000) + k * 600 * SECOND_US;
		for (size_t i = (size_t)k; i < 8; i += 3) {
			kit_append(s, &f[i], 0, 2);
			(void)store_flush(s, true, &e);
			kit_append(s, &f[i], 1, 2);
		}
		for (int b = 0; b < 2; b++)
			(void)store_cover(s,
				&(struct coverage){"edge", {from + b * 1000, from + (b ? 5000 : 600000000)},
					b == 1, b ? 17 : 0},
				&e);
		if (k == 2)
			return store_flush(s, true, &e) == STATUS_OK ? 0 : 1;
		kit_close(s);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixture),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_host_order),
		cmocka_unit_test(test_writer),
	};

	if (argc == 3 && strcmp(argv[1], "--make") == 0)
		return make_fixture(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--print") == 0) {
		char *text = text_of(argv[2]);
		(void)fputs(text, stdout);
		free(text);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
