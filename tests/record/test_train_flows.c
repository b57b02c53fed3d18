/* Flows as text: whatever a store may hold has a text that is taken, and every flow of the laboratory's
 * recordings goes to text and back as it was recorded. */
#include "train_kit.h"

#include <glob.h>

#include "record/record.h"

/* What no recorder of ours writes, but a store may hold: there is a text, and it is taken. */
static void misfits(void **state)
{
	static const char *const points[] = {"", "a b", "\xff\n", "ok",
		"a-very-long-name-of-a-point-that-goes-on-and-on-and-on-and-on-and-on-and-on"};
	struct burst room[2][BURSTS];
	struct err e;

	(void)state;
	kit_seed("misfits");
	for (int i = 0; i < 3000; i++) {
		struct train t;
		struct buf b = {0};
		random_train(&t, room);
		struct flow_head *h = &t.flow.head;
		uint64_t what = kit_rnd(64);
		h->point = points[kit_rnd(5)];
		h->flags = (uint8_t)kit_rnd(256);
		h->source.gap_us = what & 1 ? 0 : UINT32_MAX;
		h->source.sampling = h->source.resolution_us = 0;
		h->first_us = what & 2 ? (int64_t)kit_rnd(UINT64_MAX) - (INT64_C(1) << 52) : h->first_us;
		t.flow.last_us = what & 4 ? INT64_MIN / 4 : t.flow.last_us;
		for (int d = 0; d < 2; d++) {
			t.flow.count[d].packets = what & 8 ? 0 : UINT64_MAX;
			t.flow.count[d].payload_bytes = what & 8 ? UINT64_MAX : 0;
			for (size_t k = 0; k < t.flow.n_burst[d]; k++) {
				struct burst *x = &room[d][k];
				x->start_us += what & 16 ? (int64_t)kit_rnd(10000000) - 5000000 : 0;
				if ((what & 48) == 48)
					x->start_us = INT64_C(7258118400000000) - (int64_t)kit_rnd(1000);
				else if (what & 32)
					*x = (struct burst){INT64_C(1) << kit_rnd(61), UINT32_MAX, UINT32_MAX,
						UINT64_MAX};
			}
		}
		train_write(&b, &t);
		assert_false(b.failed);
		if (try_read((char *)b.p, b.n, &e) != STATUS_OK)
			fail_msg("%s\n%.*s", e.text, (int)b.n, (char *)b.p);
		buf_free(&b);
	}
}

/* A flow that is longer than a train may be: the first bursts of both directions together. */
static void cut(void **state)
{
	enum { EACH = 50000 };
	struct train t = {.flow.head = {.point = "here",
				  .proto = PROTO_UDP,
				  .flags = FLOW_CLOSED,
				  .first_us = T0,
				  .source = {SOURCE_PACKETS, 1, 0, 1, 20000}}};
	struct arena a = {0};
	struct buf b = {0};
	struct train back;
	struct err e = {0};

	(void)state;
	t.flow.head.end[0].ip = t.flow.head.end[1].ip = kit_ip(1);
	for (int d = 0; d < 2; d++) {
		t.flow.burst[d] = arena_array(&a, EACH, sizeof(struct burst));
		assert_non_null(t.flow.burst[d]);
		t.flow.n_burst[d] = EACH;
		/* direction 1 at half the rate */
		for (int i = 0; i < EACH; i++)
			t.flow.burst[d][i] = (struct burst){
				T0 + INT64_C(30000) * (d + 1) * i + d, 7, (uint32_t)(d + 1), 100};
		t.flow.count[d] = (struct flow_count){.packets = 1000000, .frame_bytes = 1 << 30};
	}
	t.flow.last_us = T0 + INT64_C(100000) * EACH;
	train_write(&b, &t);
	if (train_read(&back, (char *)b.p, b.n, &a, &e) != STATUS_OK)
		fail_msg("%s", e.text);
	/* all 50,000 of direction 0 would need 25,000 of direction 1 beside them */
	size_t n0 = 2 * TRAIN_BURSTS / 3 + 1, n1 = TRAIN_BURSTS - n0;
	assert_int_equal(back.flow.n_burst[0], n0);
	assert_int_equal(back.flow.n_burst[1], n1);
	for (int d = 0; d < 2; d++)
		same_bursts(back.flow.burst[d], t.flow.burst[d], back.flow.n_burst[d]);
	assert_int_equal(back.flow.head.flags, 0);
	assert_int_equal(back.flow.count[0].packets, n0);
	assert_int_equal(back.flow.count[1].packets, 2 * n1);
	assert_int_equal(back.flow.count[1].frame_bytes, 100 * n1);
	assert_int_equal(back.flow.count[1].payload_bytes, 100 * n1);
	assert_int_equal(back.flow.last_us, burst_end(&t.flow.burst[0][n0 - 1]));
	buf_free(&b);
	arena_free(&a);
}

/* ---- the laboratory's recordings ---- */

struct sum {
	size_t flows, bursts, bytes;
	double seconds;
};

static double now(void)
{
	struct mono t = world_real.mono(NULL);

	return (double)t.us / 1e6;
}

static void flow_there_and_back(const struct flow *f, struct sum *sum)
{
	struct train t = {.flow = *f}, back;
	struct arena a = {0};
	struct buf b = {0};
	struct err e = {0};

	train_write(&b, &t);
	assert_false(b.failed);
	double begin = now();
	if (train_read(&back, (char *)b.p, b.n, &a, &e) != STATUS_OK)
		fail_msg("%s\n%.*s", e.text, (int)b.n, (char *)b.p);
	sum->seconds += now() - begin;
	/* All that a text says of a recorded flow is as recorded: nothing had to be made to fit. */
	for (int d = 0; d < 2; d++) {
		assert_int_equal(back.flow.n_burst[d], f->n_burst[d]);
		same_bursts(back.flow.burst[d], f->burst[d], f->n_burst[d]);
		assert_int_equal(back.flow.count[d].packets, f->count[d].packets);
		assert_int_equal(back.flow.count[d].frame_bytes, f->count[d].frame_bytes);
		assert_int_equal(back.flow.count[d].payload_bytes, f->count[d].payload_bytes);
		assert_true(endpoint_equal(&back.flow.head.end[d], &f->head.end[d]));
		assert_int_equal(back.flow.head.isn[d], f->head.isn[d]);
		sum->bursts += f->n_burst[d];
	}
	assert_int_equal(back.flow.head.first_us, f->head.first_us);
	assert_int_equal(back.flow.last_us, f->last_us);
	assert_int_equal(back.flow.head.flags, f->head.flags);
	assert_string_equal(back.flow.head.point, f->head.point);
	sum->flows++;
	sum->bytes += b.n;
	buf_free(&b);
	arena_free(&a);
}

static void capture_there_and_back(const char *path, struct sum *sum)
{
	struct store_query q = {.since = WALL_BEGIN, .until = WALL_END, .gap_us = BURST_GAP_RECORDED_US};
	struct record_sum recorded = {0};
	struct recording r;
	char *dir = kit_dir();
	struct record_param p = {.dir = dir, .point = "lab"};
	struct err e = {0};

	if (record_file(&world_real, &p, path, &recorded, &e) != STATUS_OK)
		fail_msg("%s: %s", path, e.text);
	kit_read(&r, dir, &q);
	for (size_t i = 0; i < r.n_flow; i++)
		flow_there_and_back(&r.flow[i], sum);
	recording_free(&r);
	kit_dir_free(dir);
}

static void laboratory(void **state)
{
	const char *source = getenv("WEIR_SOURCE");
	struct sum sum = {0};
	char *pattern = NULL;
	glob_t found;

	(void)state;
	assert_true(asprintf(&pattern, "%s/lab/set/*/*.pcap.zst", source ? source : ".") > 0);
	if (glob(pattern, 0, NULL, &found) != 0)
		skip();
	for (size_t i = 0; i < found.gl_pathc; i++)
		capture_there_and_back(found.gl_pathv[i], &sum);
	print_message("# %zu captures, %zu flows, %zu bursts, %zu bytes of text, read at %.0f MB/s\n",
		found.gl_pathc, sum.flows, sum.bursts, sum.bytes,
		(double)sum.bytes / 1e6 / (sum.seconds > 0 ? sum.seconds : 1));
	assert_true(sum.flows > 100);
	globfree(&found);
	free(pattern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misfits),
		cmocka_unit_test(cut),
		cmocka_unit_test(laboratory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("train_flows", tests, NULL, NULL);
}
