/* Any bytes are a train or are refused; what is taken is written again to the same bytes and keeps the bounds
 * that the link test relies on. */
#include <stdlib.h>

#include "record/train.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void bursts_check(const struct flow *f, int d)
{
	int64_t last = f->head.first_us;

	for (size_t i = 0; i < f->n_burst[d]; i++) {
		const struct burst *b = &f->burst[d][i];
		if (b->start_us < last || burst_end(b) > f->last_us)
			abort();
		last = b->start_us;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = {0};
	struct buf b = {0};
	struct train t;
	struct err e;

	if (train_read(&t, (const char *)p, n, &a, &e) == STATUS_OK) {
		train_write(&b, &t);
		if (b.n != n || memcmp(b.p, p, n) != 0 ||
			t.flow.n_burst[0] + t.flow.n_burst[1] > TRAIN_BURSTS)
			abort();
		bursts_check(&t.flow, 0);
		bursts_check(&t.flow, 1);
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
