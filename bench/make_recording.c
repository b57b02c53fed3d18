/* Writes a data directory with N flows in one hour, for timing readers.
 *
 *   make_recording DIR N AT_RELAY BURSTS
 *
 * A flow has BURSTS to 3 * BURSTS of them a side; the two legs of the attack have 300.
 * AT_RELAY of the flows have an end at 203.0.113.10 and are alive while the attack is, which it relays from
 * 198.51.100.7:41000 to 192.0.2.10:22.  The generator is seeded: the same arguments give the same recording.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store.h"

#define T0   INT64_C(1795000000000000)
#define HOUR (3600 * SECOND_US)
#define MAXB 2000

static uint64_t rng = 0x2545f4914f6cdd1dU;

static uint64_t draw(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % n;
}

static struct burst burst[2][MAXB];
static int64_t key[MAXB];

/* Keys with pauses of 0.1 to 0.6 s, and now and then of seconds. */
static size_t type_keys(int64_t from, size_t n)
{
	int64_t t = from;

	for (size_t i = 0; i < n; i++) {
		t += 110000 + (int64_t)draw(500000) + (draw(12) == 0 ? (int64_t)draw(5000000) : 0);
		key[i] = t;
	}
	return n;
}

static struct endpoint end_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct endpoint){ip_v4((const uint8_t[4]){a, b, c, d}), port};
}

static enum status write_flow(
	struct store_writer *w, struct endpoint a, struct endpoint b, size_t n, int64_t lag, struct err *e)
{
	static uint32_t isn;

	isn++;
	struct chunk c = {.head = {.point = "bench",
				  .proto = 6,
				  .flags = FLOW_SYN | FLOW_SYNACK,
				  .end = {a, b},
				  .isn = {isn, ~isn},
				  .source = {SOURCE_PACKETS, 1, 0, 1, BURST_GAP_RECORDED_US}}};

	for (size_t i = 0; i < n; i++) {
		burst[0][i] = (struct burst){key[i] + lag, 0, 1, 36};
		/* what the server took, the same at both legs */
		int64_t took = 60000 + key[i] % 9973;
		burst[1][i] = (struct burst){key[i] + took - lag, 0, 1, 36 + (uint64_t)(key[i] % 397)};
	}
	for (int d = 0; d < 2; d++) {
		c.burst[d] = burst[d];
		c.n_burst[d] = n;
		c.count[d] = (struct flow_count){
			n, n * 100, n * 36, burst[d][0].start_us, burst[d][n - 1].start_us};
	}
	c.head.first_us = burst[0][0].start_us;
	return flow_make_id(&c.head) ? store_append(w, &c, e) : err_nomem(e);
}

static enum status write_all(struct store_writer *w, long n, long relay, uint64_t bursts, struct err *e)
{
	enum status s = store_cover(w, &(struct coverage){.point = "bench", .span = {T0, T0 + HOUR}}, e);
	struct endpoint r = end_of(203, 0, 113, 10, 0);

	size_t k = type_keys(T0 + HOUR / 2, 300);
	if (s == STATUS_OK)
		s = write_flow(w, end_of(198, 51, 100, 7, 41000), end_of(203, 0, 113, 10, 22), k, 0, e);
	if (s == STATUS_OK)
		s = write_flow(w, end_of(203, 0, 113, 10, 42000), end_of(192, 0, 2, 10, 22), k, 6000, e);
	for (long i = 2; i < n && s == STATUS_OK; i++) {
		bool at_relay = i < relay;
		struct endpoint far =
			end_of(198, 18, (uint8_t)(i >> 8), (uint8_t)i, (uint16_t)(1024 + draw(60000)));
		struct endpoint near = at_relay ? r : end_of(198, 19, 0, (uint8_t)draw(250), 443);
		near.port = (uint16_t)(i % 2 ? 22 : 1024 + draw(60000));
		k = type_keys(T0 + (at_relay ? HOUR / 2 : (int64_t)draw((uint64_t)HOUR)),
			bursts + draw(2 * bursts));
		s = i % 2 ? write_flow(w, far, near, k, 0, e) : write_flow(w, near, far, k, 0, e);
	}
	return s;
}

int main(int argc, char **argv)
{
	struct store_writer *w = NULL;
	struct err e = {0}, later = {0};

	if (argc != 5)
		return 2;
	enum status s = store_prepare(&world_real, argv[1], &e);
	if (s == STATUS_OK)
		s = store_writer_open(&w, &world_real, argv[1], &e);
	if (s == STATUS_OK)
		s = write_all(w, atol(argv[2]), atol(argv[3]), strtoull(argv[4], NULL, 10), &e);
	enum status closed = store_writer_close(w, &later);
	if (s != STATUS_OK || closed != STATUS_OK)
		(void)fprintf(stderr, "%s%s\n", e.text, later.text);
	return s != STATUS_OK ? (int)s : (int)closed;
}
