/* A sensor's file in pieces: the first byte says of which sensor and how long the pieces are; what comes of
 * them is a batch that can be written and read, and holds as many alerts and bad lines as in one piece. */
#include <stdlib.h>
#include <string.h>

#include "case/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct sum {
	uint64_t alerts, skipped, other, unsaid;
};

static void take(struct pieces *s, const uint8_t *p, size_t n, struct sum *to)
{
	struct arena a = {0};
	struct buf bytes = {0};
	struct batch b = {0}, back;
	struct err e;

	if (pieces_take(s, p, n, &a, &b, &e) != STATUS_OK)
		abort();
	batch_write(&bytes, &b);
	if (bytes.failed || bytes.n > PIECES_BATCH_BYTES ||
		batch_read(&back, s->kind, bytes.p, bytes.n, &a, &e) != STATUS_OK)
		abort();
	for (size_t i = 0; i < b.n; i++)
		to->alerts += b.alert[i].s.count;
	for (size_t i = 0; i < LINE_COUNT; i++)
		to->skipped += b.skipped[i];
	to->other += b.other;
	to->unsaid += b.unsaid;
	buf_free(&bytes);
	arena_free(&a);
}

static void read_by(const struct sensor *k, const uint8_t *p, size_t n, size_t step, struct sum *to)
{
	struct pieces s;
	struct err e;

	*to = (struct sum){0};
	if (pieces_open(&s, k, &e) != STATUS_OK)
		return;
	for (size_t at = 0; at < n; at += step)
		take(&s, p + at, n - at < step ? n - at : step, to);
	pieces_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sum whole, cut;

	if (n < 2 || n > PIECES_ONE)
		return 0;
	const struct sensor *k = p[0] & 1 ? &sensor_zeek : &sensor_eve;
	read_by(k, p + 1, n - 1, n, &whole);
	read_by(k, p + 1, n - 1, (size_t)(p[0] >> 1) + 1, &cut);
	if (memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	return 0;
}
